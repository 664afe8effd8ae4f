/* SPDX-License-Identifier: BSD-2-Clause */
/* The turns of a hart's vCPUs. Who is ready is asked anew in each turn; nothing is queued. */
#include <hv/sched.h>

#include <hv/errno.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

#define SLICE_MS 5

static const struct sched_policy *const policy = &sched_priority;

struct vcpu *sched_get(const struct sched *s, u32 slot)
{
	return __atomic_load_n(&s->vcpu[slot], __ATOMIC_ACQUIRE);
}

static u32 used(const struct sched *s)
{
	return __atomic_load_n(&s->used, __ATOMIC_ACQUIRE);
}

u32 sched_count(const struct sched *s)
{
	u32 count = 0;

	for (u32 i = 0; i < used(s); i++)
		count += sched_get(s, i) != NULL;
	return count;
}

/* May it join those that are there? The slot for it. */
static int find_slot(const struct sched *s, const struct vcpu *vcpu)
{
	int slot = -ERANGE;

	for (u32 i = SCHED_VCPUS; i-- > 0;) {
		const struct vcpu *other = sched_get(s, i);

		if (!other)
			slot = (int)i;
		else if (!other->shared || !vcpu->shared)
			return -EBUSY;
		else if (other->vm == vcpu->vm)
			return -ERANGE;
	}
	return slot;
}

static u64 micros(u32 us)
{
	return (u64)us * arch_timebase() / 1000000;
}

int sched_claim(struct sched *s, struct vcpu *vcpu)
{
	const struct vmdef_sched *def = &vcpu->vm->def.sched;
	int slot = find_slot(s, vcpu);

	if (slot < 0)
		return slot;
	s->entity[slot] = (struct sched_entity){ .params = {
		.priority = def->priority,
		.budget = micros(def->budget_us),
		.period = micros(def->period_us),
	} };
	__atomic_store_n(&s->vcpu[slot], vcpu, __ATOMIC_RELEASE);
	if ((u32)slot >= s->used)
		__atomic_store_n(&s->used, (u32)slot + 1, __ATOMIC_RELEASE);
	return 0;
}

void sched_release(struct sched *s, const struct vcpu *vcpu)
{
	for (u32 i = 0; i < s->used; i++)
		if (sched_get(s, i) == vcpu)
			__atomic_store_n(&s->vcpu[i], NULL, __ATOMIC_RELEASE);
	while (s->used && !sched_get(s, s->used - 1))
		__atomic_store_n(&s->used, s->used - 1, __ATOMIC_RELEASE);
}

static void decision_ends(struct timer *timer)
{
	(void)timer;
	vcpu_leave();
}

static void arm(struct sched *s, u64 until)
{
	s->timer.fire = decision_ends;
	if (until == SCHED_NEVER)
		timer_cancel(&s->timer);
	else if (!s->timer.armed || s->timer.deadline != until)
		timer_arm(&s->timer, until);
}

/* Who is ready? False: one has halted, after which nothing that was read before holds. */
static bool settle(struct sched *s)
{
	struct sched_queue *q = &s->queue;

	q->entity = s->entity;
	q->count = used(s);
	q->slice = micros(1000 * SLICE_MS);
	for (u32 i = 0; i < q->count; i++) {
		struct vcpu *vcpu = sched_get(s, i);

		if (!vcpu)
			continue;
		if (!q->entity[i].turn)
			policy->begin(q, i, arch_time());
		if (vcpu_halting(vcpu)) {
			policy->set_state(q, i, SCHED_OFF);
			(void)vcpu_run(vcpu);
			return false;
		}
		policy->set_state(q, i, vcpu_settle(vcpu));
	}
	return true;
}

static void account(struct sched_queue *q, u32 ran, u64 from, u64 to)
{
	policy->charge(q, ran, from, to);
	for (u32 i = 0; i < q->count; i++)
		if (i != ran && q->entity[i].state == SCHED_READY)
			q->entity[i].waited += to - from;
}

static bool turn_of_several(struct sched *s)
{
	struct sched_choice choice;
	struct vcpu *vcpu;
	u64 now;

	if (!settle(s))
		return true;
	now = arch_time();
	choice = policy->choose(&s->queue, now);
	arm(s, choice.until);
	if (choice.next == SCHED_NOBODY)
		return false;
	vcpu = sched_get(s, choice.next);
	(void)vcpu_run(vcpu);
	account(&s->queue, choice.next, now, arch_time());
	if (vcpu->yields)
		policy->yield(&s->queue, choice.next);
	return true;
}

bool sched_turn(struct sched *s)
{
	struct vcpu *first = sched_get(s, 0);

	/* One that does not share is alone, and so in the first slot. */
	return first && !first->shared ? vcpu_run(first) : turn_of_several(s);
}

void sched_interrupted(const struct sched *s, struct vcpu *running)
{
	for (u32 i = 0; i < used(s); i++) {
		const struct vcpu *vcpu = sched_get(s, i);

		if (vcpu && vcpu != running &&
		    vcpu_asks(vcpu, s->entity[i].state == SCHED_READY))
			running->leave = true;
	}
}
