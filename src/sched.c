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

static struct sched_params params_of(const struct vm *vm)
{
	return (struct sched_params){
		.priority = vm->def.sched.priority,
		.budget = micros(vm->def.sched.budget_us),
		.period = micros(vm->def.sched.period_us),
	};
}

int sched_claim(struct sched *s, struct vcpu *vcpu)
{
	int slot = find_slot(s, vcpu);

	if (slot < 0)
		return slot;
	s->entity[slot] = (struct sched_entity){ .params = params_of(vcpu->vm) };
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

/*
 * Who is ready? False: one has halted, after which nothing that was read before holds. there: how
 * many are not off.
 */
static bool settle(struct sched *s, u32 *there)
{
	struct sched_queue *q = &s->queue;

	*there = 0;

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
		*there += q->entity[i].state != SCHED_OFF;
	}
	return true;
}

/* The turn up to now; it may go on. */
static void account(struct sched *s, u64 now)
{
	struct sched_queue *q = &s->queue;

	if (!s->from)
		return;
	policy->charge(q, s->running, s->from, now);
	for (u32 i = 0; i < q->count; i++)
		if (i != s->running && q->entity[i].state == SCHED_READY)
			q->entity[i].waited += now - s->from;
	s->from = now;
}

static void run(struct sched *s, u32 slot, u64 now)
{
	struct vcpu *vcpu = sched_get(s, slot);

	s->running = slot;
	s->from = now;
	(void)vcpu_run(vcpu);
	account(s, arch_time());
	s->from = 0;
	if (vcpu->yields)
		policy->yield(&s->queue, slot);
}

static bool turn_of_several(struct sched *s)
{
	struct sched_choice choice;
	u32 there;
	u64 now;

	if (!settle(s, &there))
		return true;
	now = arch_time();
	choice = policy->choose(&s->queue, now);
	arm(s, choice.until);
	if (choice.next == SCHED_NOBODY)
		return false;
	/* A sleep that does not exit would be charged to a budget. */
	vcpu_alone(sched_get(s, choice.next),
		   there == 1 && !s->entity[choice.next].params.budget);
	run(s, choice.next, now);
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

void sched_look(const struct sched *s, u32 slot, struct sched_look *out)
{
	const struct sched_entity *e = &s->entity[slot];
	u64 since = s->from ? arch_time() - s->from : 0;
	bool running = s->from && s->running == slot;

	*out = (struct sched_look){
		.state = e->state,
		.running = running,
		.ran = e->ran + (running ? since : 0),
		.waited = e->waited + (!running && e->state == SCHED_READY ? since : 0),
	};
}

void sched_change(struct sched *s, const struct vcpu *vcpu)
{
	u64 now = arch_time();

	account(s, now);
	for (u32 i = 0; i < used(s); i++) {
		if (sched_get(s, i) != vcpu)
			continue;
		s->entity[i].params = params_of(vcpu->vm);
		if (s->entity[i].turn)	/* else it begins by itself */
			policy->begin(&s->queue, i, now);
	}
	vcpu_leave();
}
