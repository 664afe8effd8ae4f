/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace (abi/trace.h): a ring of records for each hart, which that hart alone writes, while
 * somebody reads without stopping it. There are rings only while the MVM records; at all other
 * times a point of the trace is a load and a branch, and none is on the path of an exit.
 */
#ifndef HV_TRACE_H
#define HV_TRACE_H

#include <abi/trace.h>
#include <asm/hart.h>
#include <hv/types.h>

struct vcpu;

struct trace_ring {
	/* Fixed. */
	u32 events;	/* bits 1 << SHYPER_TRACE_*: those to record */
	u32 slots;	/* a power of two */

	/* The hart's own. */
	u16 running;	/* vm << 8 | vcpu, who was entered last; TRACE_IDLE: the hart is idle */
	u64 left;	/* when that one left the guest */

	/* Written by the hart, read by all: so many records have been written. */
	u64 head;
	struct shyper_trace_record record[];
};

#define TRACE_IDLE ((u16)(SHYPER_TRACE_NOBODY << 8 | SHYPER_TRACE_NOBODY))

/* tracing() - the calling hart has a ring. It is there until the hart serves fences. */
static inline bool tracing(void)
{
	return unlikely(__atomic_load_n(&this_hart()->trace, __ATOMIC_RELAXED) != NULL);
}

/*
 * trace() - add a record, of this vCPU or of NULL, if there is a ring and the event is wanted. The
 * hart's own, any context; what only its arguments need is not computed when there is none.
 * trace_add() does it without asking first.
 */
void trace_add(u8 event, const struct vcpu *vcpu, u8 detail, u32 value, u64 data);
#define trace(...) (tracing() ? trace_add(__VA_ARGS__) : (void)0)

/* While tracing(): the hart enters the vCPU, or (NULL) sleeps; and: it has left the guest. */
void trace_switch(const struct vcpu *to);
void trace_left(void);

/*
 * trace_start() - record these events in rings of so many slots; trace_stop() - no more. Under the
 * management lock. 0; -EBUSY: somebody does; -EINVAL: no such events or slots; -ENOMEM.
 */
int __must_check trace_start(u64 events, u64 slots);
void trace_stop(void);

/*
 * trace_read() - what hart and sequence of *out ask for. Under the management lock. -ENOENT:
 * there is no such hart, or no trace.
 */
int __must_check trace_read(struct shyper_trace_read *out);

/*
 * The architecture supplies arch_trace(): the calling hart records exits or no longer, as its ring
 * says; the next turn of its loop comes soon. An errand (asm/hart.h).
 */
void arch_trace(void);

#endif
