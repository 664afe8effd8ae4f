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

/* The driver of the board's controller. */
struct host_irqchip_ops {
	const char *name;
	void (*hart_init)(u32 hart_index);
	/* Next source pending for this hart, 0: none. */
	u32 (*claim)(u32 hart_index);
	void (*complete)(u32 hart_index, u32 source);
	/* Let the source interrupt this hart, or none. */
	void (*route)(u32 source, u32 hart_index);
	void (*mask)(u32 source, u32 hart_index);
};

/* host_irq_init() - choose and start the driver. Boot hart, after board_parse(). 0, -ENODEV. */
int __must_check host_irq_init(const struct board *board);
void host_irq_hart_init(void);

/*
 * host_irq_attach() - give a source its handler and hart. 0; -EBUSY: taken; -ERANGE: no such
 * source; -ENODEV: no controller. host_irq_detach() undoes it.
 */
int __must_check host_irq_attach(u32 source, u32 hart_index, host_irq_handler handler, void *ctx);
void host_irq_detach(u32 source);

/* host_irq_complete() - end a source whose handler returned false. Any hart. */
void host_irq_complete(u32 source);

/* host_irq_handle() - claim and hand out what is pending for the calling hart; bounded. */
void host_irq_handle(void);

/* drivers/host/plic.c. NULL: the board has none. */
const struct host_irqchip_ops *plic_probe(const struct board *board);

#endif
