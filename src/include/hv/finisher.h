/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SiFive's test finisher, with which a guest ends or restarts its machine: a write to the first
 * register carries an event in its low half and a code in its high half.
 */
#ifndef HV_FINISHER_H
#define HV_FINISHER_H

#include <hv/mmio.h>

#define FINISHER_SIZE 0x1000	/* of the region, on virt */

enum finisher_event {
	FINISHER_PASS,		/* power off: all is well */
	FINISHER_FAIL,		/* power off: failure, code says which */
	FINISHER_RESET,		/* restart */
};

/* Fixed after init. */
struct finisher {
	/*
	 * On the hart of the vCPU that wrote, from its exit path; the vCPU still runs on unless
	 * the hook posts its stop. May come again, and from several vCPUs at a time. code is
	 * 0 .. 0xffff.
	 */
	void (*event)(void *ctx, enum finisher_event event, u32 code);
	void *ctx;
};

/* finisher_init() - by the VM's maker alone. */
void finisher_init(struct finisher *finisher,
		   void (*event)(void *ctx, enum finisher_event event, u32 code), void *ctx);

/* dev is the struct finisher. Reads give 0; whatever is not an event is ignored, never refused. */
extern const struct mmio_ops finisher_mmio_ops;

#endif
