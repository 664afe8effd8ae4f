/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt controller that a guest sees (vPLIC now, vAPLIC and IMSIC with AIA), behind one
 * ops struct chosen per VM at run time. Device models know only struct irq_line.
 */
#ifndef HV_IRQCHIP_H
#define HV_IRQCHIP_H

#include <hv/types.h>

struct irqchip_ops {
	const char *name;
	/*
	 * Drive the wire of one source (1 .. sources - 1) high or low. Any hart, any device's
	 * lock held; the chip does its own locking and is below the devices in the lock order.
	 */
	void (*set_line)(void *chip, u32 source, bool level);
	/*
	 * Request one interrupt, as an edge would. Its handler starts after this; pulses before
	 * it does are one with it, later ones another. As set_line() otherwise.
	 */
	void (*pulse)(void *chip, u32 source);
	/*
	 * The external interrupt input of a vCPU: is something enabled pending above its
	 * threshold? Called by the hart that runs the vCPU, after the chip kicked it.
	 */
	bool (*pending)(void *chip, u32 vcpu);
	/* Back to the state after power-on. The VM is stopped. */
	void (*reset)(void *chip);
};

/* One wire of one device, into one source of the VM's chip. Fixed after the VM is made. */
struct irq_line {
	const struct irqchip_ops *ops;	/* NULL: not connected */
	void *chip;
	u32 source;
	bool edge;	/* the guest has been told that it signals by edges: each rise is a pulse */
};

static inline void irq_line_set(const struct irq_line *line, bool level)
{
	if (line->ops && !line->edge)
		line->ops->set_line(line->chip, line->source, level);
	else if (line->ops && level)
		line->ops->pulse(line->chip, line->source);
}

static inline void irq_line_pulse(const struct irq_line *line)
{
	if (line->ops)
		line->ops->pulse(line->chip, line->source);
}

#endif
