/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings of the trace. The writer stores a record, passes a fence, and counts it in head; so a
 * record that follows can be seen before its own count, but never before that of the one before
 * it. A reader copies, passes a fence and looks at head again: all but the slots of the last two
 * counts were at rest meanwhile. Nobody waits.
 */
#include <hv/errno.h>
#include <hv/page.h>
#include <hv/pa.h>
#include <hv/string.h>
#include <hv/timer.h>
#include <hv/trace.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

#define UNSETTLED 2	/* the newest slots, of which one is being written */

_Static_assert(SHYPER_VCPU_STOPPED == VCPU_STOPPED && SHYPER_VCPU_CLAIMED == VCPU_CLAIMED &&
	       SHYPER_VCPU_STARTING == VCPU_STARTING && SHYPER_VCPU_RUNNING == VCPU_RUNNING &&
	       SHYPER_VCPU_SUSPENDED == VCPU_SUSPENDED && SHYPER_VCPU_HALTED == VCPU_HALTED,
	       "states");
_Static_assert(VMS <= SHYPER_TRACE_NOBODY && VMDEF_VCPUS <= 256, "a byte each");

static bool on;		/* under the management lock */

static struct trace_ring *ring_of(const struct hart *hart)
{
	return __atomic_load_n(&hart->trace, __ATOMIC_ACQUIRE);
}

static u16 name_of(const struct vcpu *vcpu)
{
	return vcpu ? (u16)(vcpu->vm->id << 8 | vcpu->index) : TRACE_IDLE;
}

static void add(struct trace_ring *ring, const struct shyper_trace_record *record)
{
	u64 head = ring->head;

	ring->record[head & (ring->slots - 1)] = *record;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__atomic_store_n(&ring->head, head + 1, __ATOMIC_RELAXED);
}

static void add_now(u8 event, u16 who, u8 detail, u32 value, u64 data)
{
	struct trace_ring *ring = ring_of(this_hart());

	if (!ring || !(ring->events & BIT(event)))
		return;
	add(ring, &(struct shyper_trace_record){
		.time = arch_time(), .event = event, .vm = (u8)(who >> 8), .vcpu = (u8)who,
		.detail = detail, .value = value, .data = data,
	});
}

void trace_add(u8 event, const struct vcpu *vcpu, u8 detail, u32 value, u64 data)
{
	add_now(event, name_of(vcpu), detail, value, data);
}

void trace_switch(const struct vcpu *to)
{
	struct trace_ring *ring = ring_of(this_hart());
	u16 from;

	if (!ring || ring->running == name_of(to))
		return;
	from = ring->running;
	ring->running = name_of(to);
	add_now(SHYPER_TRACE_SWITCH, ring->running, 0, from, ring->left);
}

void trace_left(void)
{
	struct trace_ring *ring = ring_of(this_hart());

	if (ring)
		ring->left = arch_time();
}

/* ---- The MVM's side ---- */

static u64 size_of(u64 slots)
{
	return ALIGN_UP(sizeof(struct trace_ring) + slots * sizeof(struct shyper_trace_record),
			PAGE_SIZE);
}

static void set_ring(struct hart *hart, struct trace_ring *ring)
{
	__atomic_store_n(&hart->trace, ring, __ATOMIC_RELEASE);
	hart_errand(hart, ERRAND_TRACE);
}

static int add_ring(struct hart *hart, u32 events, u32 slots)
{
	struct trace_ring *ring;
	hpa_t at;

	if (page_alloc(size_of(slots), PAGE_SIZE, OWNER_HV, &at))
		return -ENOMEM;
	ring = pa_ptr(at);
	ring->events = events;
	ring->slots = slots;
	ring->running = TRACE_IDLE;
	ring->left = arch_time();
	set_ring(hart, ring);
	return 0;
}

int trace_start(u64 events, u64 slots)
{
	int err = 0;

	if (!events || events >> SHYPER_TRACE_EVENTS || slots & (slots - 1) ||
	    slots < SHYPER_TRACE_RING_MIN || slots > SHYPER_TRACE_RING_MAX)
		return -EINVAL;
	if (on)
		return -EBUSY;
	on = true;
	for (u32 i = 0; i < hart_count && !err; i++)
		if (__atomic_load_n(&harts[i].online, __ATOMIC_ACQUIRE))
			err = add_ring(&harts[i], (u32)events, (u32)slots);
	if (err)
		trace_stop();
	return err;
}

void trace_stop(void)
{
	struct trace_ring *ring[HARTS];

	if (!on)
		return;
	for (u32 i = 0; i < hart_count; i++) {
		ring[i] = ring_of(&harts[i]);
		if (ring[i])
			set_ring(&harts[i], NULL);
	}
	arch_harts_sync(NULL);	/* nobody writes any more */
	for (u32 i = 0; i < hart_count; i++)
		if (ring[i])
			page_free(ptr_pa(ring[i]), size_of(ring[i]->slots), OWNER_HV);
	on = false;
}

/* The first record that is there, of those from this one on, when head records were written. */
static u64 oldest(const struct trace_ring *ring, u64 from, u64 head)
{
	u64 room = ring->slots - UNSETTLED;

	return head > room ? MAX(from, head - room) : from;
}

static void copy(const struct trace_ring *ring, struct shyper_trace_read *out)
{
	u64 head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
	u64 asked = MIN(out->sequence, head), from = oldest(ring, asked, head), first;
	u64 count = MIN(head - from, (u64)SHYPER_TRACE_CHUNK);

	for (u64 i = 0; i < count; i++)
		out->record[i] = ring->record[(from + i) & (ring->slots - 1)];
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	head = __atomic_load_n(&ring->head, __ATOMIC_RELAXED);
	first = MIN(oldest(ring, from, head), from + count);
	out->count = (u32)(from + count - first);
	memmove(out->record, out->record + (first - from), out->count * sizeof(*out->record));
	out->lost = first - asked;
	out->sequence = from + count;
}

int trace_read(struct shyper_trace_read *out)
{
	const struct trace_ring *ring;

	if (!on || out->hart >= hart_count)
		return -ENOENT;
	out->count = 0;
	out->lost = 0;
	out->hartid = harts[out->hart].hartid;
	out->now = arch_time();
	ring = ring_of(&harts[out->hart]);
	if (ring)
		copy(ring, out);
	memset(out->record + out->count, 0,
	       (SHYPER_TRACE_CHUNK - out->count) * sizeof(*out->record));
	return 0;
}
