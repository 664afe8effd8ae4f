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
	IRQ_TRIGGER_NONE = 0,
	IRQ_TRIGGER_RISING = 1,
	IRQ_TRIGGER_FALLING = 2,
	IRQ_TRIGGER_HIGH = 4,
	IRQ_TRIGGER_LOW = 8,
};

/* Where a message of an IMSIC board goes: an interrupt file and an identity in it. */
struct host_msi {
	u32 hart_index;
	u32 guest_file;	/* 1 and up */
	u32 identity;	/* 1 to what the files have */
};

/* The driver of the board's controller. */
struct host_irqchip_ops {
	const char *name;
	void (*hart_init)(u32 hart_index);
	/* Next source pending for this hart, 0: none. */
	u32 (*claim)(u32 hart_index);
	void (*complete)(u32 hart_index, u32 source);
	/* Let the source interrupt this hart, or none. */
	void (*route)(u32 source, u32 hart_index, enum irq_trigger trigger);
	void (*mask)(u32 source, u32 hart_index);
	/* NULL without an IMSIC: see host_irq_forward(), host_irq_again(). */
	void (*forward)(u32 source, const struct host_msi *to, enum irq_trigger trigger);
	void (*again)(u32 source);
};

/* host_irq_init() - choose and start the driver. Boot hart, after board_parse(). 0, -ENODEV. */
int __must_check host_irq_init(const struct board *board);
void host_irq_hart_init(void);

/*
 * host_irq_attach() - give a source its handler and hart. 0; -EBUSY: taken; -ERANGE: no such
 * source; -ENODEV: no controller. host_irq_detach() undoes it, wherever the source goes by then.
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
 * For the owner of an attached source on a board with IMSICs: host_irq_forward() - have it sent to
 * a guest's interrupt file, past the handler. host_irq_silence() - to nobody. host_irq_back() - to
 * the handler again. host_irq_again() - a forwarded source that is still high, although its
 * message has gone out, sends another (AIA specification, 4.9.2). Any hart.
 */
void host_irq_forward(u32 source, const struct host_msi *to, enum irq_trigger trigger);
void host_irq_silence(u32 source);
void host_irq_back(u32 source, enum irq_trigger trigger);
void host_irq_again(u32 source);

/* host_irq_complete() - end a source whose handler returned false. Any hart. */
void host_irq_complete(u32 source);

/* host_irq_handle() - claim and hand out what is pending for the calling hart; bounded. */
void host_irq_handle(void);

/* drivers/host/plic.c, aplic.c. NULL: the board has none. */
const struct host_irqchip_ops *plic_probe(const struct board *board);
const struct host_irqchip_ops *aplic_probe(const struct board *board);

#endif
