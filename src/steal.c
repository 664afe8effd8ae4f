/* SPDX-License-Identifier: BSD-2-Clause */
/* Steal time as guests see it. The layout is that of the SBI specification, little-endian. */
#include <hv/steal.h>

#include <hv/string.h>
#include <hv/timer.h>
#include <hv/vcpu.h>

#define NS 1000000000u

struct shown {
	u32 sequence;
	u32 flags;
	u64 steal;
	u8 preempted;
	u8 pad[47];
};

_Static_assert(sizeof(struct shown) == STEAL_SIZE, "SBI specification");

static u64 nanoseconds(u64 ticks)
{
	u64 hz = arch_timebase();

	return ticks / hz * NS + ticks % hz * NS / hz;
}

/* A reader that finds the same even number before and after has read what was there together. */
static void publish(struct steal *steal, bool preempted)
{
	struct shown *shown = (struct shown *)(void *)steal->shown;

	__atomic_store_n(&shown->sequence, ++steal->sequence, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__atomic_store_n(&shown->steal, steal->ns, __ATOMIC_RELAXED);
	__atomic_store_n(&shown->preempted, preempted, __ATOMIC_RELAXED);
	__atomic_store_n(&shown->sequence, ++steal->sequence, __ATOMIC_RELEASE);
}

void steal_show(struct vcpu *vcpu, u8 *at)
{
	struct steal *steal = &vcpu->steal;

	steal->shown = at;
	steal->ns = 0;
	steal->sequence = 0;
	if (at)
		memset(at, 0, STEAL_SIZE);
}

void steal_update(struct vcpu *vcpu, u64 waited, bool preempted)
{
	struct steal *steal = &vcpu->steal;

	/* A hart where it is new has counted from 0. */
	u64 more = waited >= steal->seen ? waited - steal->seen : waited;

	steal->seen = waited;
	if (!steal->shown)
		return;
	steal->ns += nanoseconds(more);
	publish(steal, preempted);
}
