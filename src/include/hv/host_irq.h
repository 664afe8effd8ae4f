/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of the board: sources of the host's interrupt controller and who gets them.
 */
#ifndef HV_HOST_IRQ_H
#define HV_HOST_IRQ_H

#include <hv/types.h>

struct hart;
struct board;
struct board_hart;

/*
 * Called on the hart that claimed the source, interrupts off. Returns true when the source may be
 * completed at once; false: host_irq_complete() follows later (a guest has to handle it first).
 */
typedef bool (*host_irq_handler)(u32 source, void *ctx);

/* How a source signals; the numbers are those of interrupt specifiers in device trees. */
enum irq_trigger {
	IRQ_TRIGGER_NONE = 0,		/* unknown; of a route: the source is off */
	IRQ_TRIGGER_RISING = 1,
	IRQ_TRIGGER_FALLING = 2,
	IRQ_TRIGGER_HIGH = 4,
	IRQ_TRIGGER_LOW = 8,
	IRQ_TRIGGER_DETACHED = 16,	/* of a route: not by its wire (AIA specification, 4.5.2) */
};

/* Where a source's interrupts go. */
struct host_irq_route {
	enum irq_trigger trigger;
	bool enabled;		/* false: it can become pending, and interrupts nobody */
	u32 hart_index;
	u32 guest_file;		/* 0: to the handler; else to this interrupt file of the hart's, */
	u32 identity;		/* with this identity: boards with IMSICs alone */
};

/* The driver of the board's controller. */
struct host_irqchip_ops {
	const char *name;
	void (*hart_init)(u32 hart_index);
	/* Next source pending for this hart, 0: none. */
	u32 (*claim)(u32 hart_index);
	void (*complete)(u32 hart_index, u32 source);
	/* False: the controller cannot do that; the source interrupts nobody. */
	bool (*route)(u32 source, const struct host_irq_route *route);
	/* NULL of a PLIC. See host_irq_pend() and so on. */
	void (*pend)(u32 source, bool pending);
	bool (*pending)(u32 source);
	bool (*input)(u32 source);
	/* NULL: a source has one target. This hart takes it no more. */
	void (*leave)(u32 source, u32 hart_index);
	/* NULL of those that send no messages. See host_irq_sync(). */
	void (*sync)(void);
	void (*forget)(u32 source);
};

/* host_irq_init() - choose and start the driver. Boot hart, after board_parse(). 0, -ENODEV. */
int __must_check host_irq_init(const struct board *board);
void host_irq_hart_init(void);

/*
 * host_irq_attach() - give a source its handler and hart. 0; -EBUSY: taken; -ERANGE: no such
 * source; -ENODEV: no controller; -EIO: it cannot have this source interrupt that hart.
 * host_irq_detach() undoes it, wherever the source goes by then.
 */
struct host_irq_target {
	u32 hart_index;
	enum irq_trigger trigger;	/* NONE: as the controller takes it to be, or level high */
	host_irq_handler handler;
	void *ctx;
};
int __must_check host_irq_attach(u32 source, const struct host_irq_target *target);
void host_irq_detach(u32 source);

/*
 * For the owner of an attached source: host_irq_route() - send it elsewhere, or to nobody. False:
 * the controller cannot send it there, and sends it to nobody.
 * host_irq_pend() - set or clear its pending bit, as far as its trigger lets software do so.
 * host_irq_pending(), host_irq_input() - that bit, and whether its wire is asserted. Boards with an
 * APLIC; any hart.
 */
bool __must_check host_irq_route(u32 source, const struct host_irq_route *route);
void host_irq_pend(u32 source, bool pending);
bool host_irq_pending(u32 source);
bool host_irq_input(u32 source);

/*
 * host_irq_move() - of a source that goes to a handler: another hart takes it, the old one too
 * until host_irq_moved(), which comes when no hart is about to complete it there. False: as
 * above. By one hart at a time.
 */
bool __must_check host_irq_move(u32 source, u32 hart_index);
void host_irq_moved(u32 source, u32 old_hart_index);

/*
 * For the calling hart, once a source's route leads elsewhere: host_irq_sync() - messages by routes
 * of before have arrived in the hart's files. host_irq_forget() - then, of a source that nobody is
 * to hear of any more: what came to the handler's file is gone.
 */
void host_irq_sync(void);
void host_irq_forget(u32 source);

/*
 * host_irq_complete() - end a source whose handler returned false, or that went to a guest's file:
 * if its wire is still asserted, it interrupts again. Any hart.
 */
void host_irq_complete(u32 source);

/* host_irq_handle() - claim and hand out the first of what is pending for the calling hart. */
void host_irq_handle(void);

/* drivers/host/plic.c, aplic.c. NULL: the board has none. */
const struct host_irqchip_ops *plic_probe(const struct board *board);
const struct host_irqchip_ops *aplic_probe(const struct board *board);

#endif
