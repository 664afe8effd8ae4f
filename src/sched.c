/* SPDX-License-Identifier: BSD-2-Clause */
/* The turns of a hart's vCPUs. Who is ready is asked anew in each turn; nothing is queued. */
#include <hv/sched.h>

#include <asm/hart.h>
#include <hv/errno.h>
#include <hv/events.h>
#include <hv/frames.h>
#include <hv/trace.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

#define SLICE_MS 5

static const struct sched_policy *policy_of(const struct sched *s)
{
	return __atomic_load_n(&s->windowed, __ATOMIC_ACQUIRE) ? &sched_partition :
								 &sched_priority;
}

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

int sched_fits(const struct sched *s, const struct vcpu *vcpu)
{
	return MIN(find_slot(s, vcpu), 0);
}

void sched_let_go(const struct sched *s)
{
	for (u32 i = 0; i < used(s); i++) {
		struct vcpu *vcpu = sched_get(s, i);

		if (vcpu && vcpu != arch_vcpu_current())
			(void)vcpu_held(vcpu);
	}
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
		.strict = vm->def.sched.strict,
	};
}

int sched_claim(struct sched *s, struct vcpu *vcpu)
{
	int slot = find_slot(s, vcpu);

	if (slot < 0)
		return slot;
	s->entity[slot] = (struct sched_entity){ .windowed = vcpu->vm->def.sched.windowed,
						 .params = params_of(vcpu->vm) };
	if (s->entity[slot].windowed)
		__atomic_store_n(&s->windowed, true, __ATOMIC_RELEASE);
	__atomic_store_n(&s->vcpu[slot], vcpu, __ATOMIC_RELEASE);
	if ((u32)slot >= s->used)
		__atomic_store_n(&s->used, (u32)slot + 1, __ATOMIC_RELEASE);
	return 0;
}

void sched_release(struct sched *s, const struct vcpu *vcpu)
{
	bool windowed = false;

	for (u32 i = 0; i < s->used; i++)
		if (sched_get(s, i) == vcpu)
			__atomic_store_n(&s->vcpu[i], NULL, __ATOMIC_RELEASE);
	while (s->used && !sched_get(s, s->used - 1))
		__atomic_store_n(&s->used, s->used - 1, __ATOMIC_RELEASE);
	for (u32 i = 0; i < s->used; i++)
		windowed |= sched_get(s, i) && s->entity[i].windowed;
	__atomic_store_n(&s->windowed, windowed, __ATOMIC_RELEASE);
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

/* Which of its schedule's partitions it is. */
static void find_partition(struct sched_entity *e, const struct schedule *schedule,
			   const struct vcpu *vcpu)
{
	const struct schedule_partition *p = schedule_partition(schedule, vcpu->vm->def.name);

	e->partition = p ? (u32)(p - schedule->partition) + 1 : 0;
}

static struct vcpu *vcpu_of(const struct sched *s, u32 partition)
{
	for (u32 i = 0; i < s->queue.count; i++)
		if (s->entity[i].windowed && s->entity[i].partition == partition + 1)
			return sched_get(s, i);
	return NULL;
}

/* What is planned in the frame that begins. */
static __attribute__((noinline)) void trace_windows(const struct sched *s)
{
	const struct sched_windows *w = &s->queue.windows;

	for (u32 i = 0; i < w->count; i++) {
		u64 begin = frame_at(&w->frame, w->window[i].begin);
		u64 end = frame_at(&w->frame, w->window[i].end);

		trace(SHYPER_TRACE_WINDOW, vcpu_of(s, w->window[i].partition),
		      (u8)w->frame.table, (u32)(end - begin), begin);
	}
}

/* There are windows that it missed, or that began late, of which no event has told. */
static void tell(struct sched_health *health, const struct vcpu *vcpu)
{
	if (health->told == health->missed + health->late)
		return;
	health->told = health->missed + health->late;
	events_health(vcpu->vm->id);
}

/* The hart's place in the schedule; returns whose window it is. */
static u32 follow_schedule(struct sched *s, u64 now)
{
	struct sched_queue *q = &s->queue;
	const struct frame *at = &q->windows.frame;
	u64 ahead = at->number ? at->schedule->switch_time : 0, last = at->number;
	struct frame frame;

	if (at->number && now + ahead < frame_end(at))
		return sched_partition_now(q, now);
	if (!schedule_frame(now + ahead, &frame))
		return 0;
	sched_partition_frame(q, &frame, this_hart()->hartid);
	for (u32 i = 0; i < q->count; i++)
		if (sched_get(s, i))
			tell(&q->entity[i].health, sched_get(s, i));
	/* Of two places for schedules one may have another one since. */
	if (s->schedule != frame.schedule || frame.number != last + 1)
		for (u32 i = 0; i < q->count; i++)
			if (sched_get(s, i))
				find_partition(&q->entity[i], frame.schedule, sched_get(s, i));
	s->schedule = frame.schedule;
	if (tracing())
		trace_windows(s);
	return sched_partition_now(q, now);
}

static void begin(struct sched *s, u32 i, const struct sched_policy *policy, u64 now)
{
	struct sched_entity *e = &s->entity[i];

	if (e->windowed && s->schedule)
		find_partition(e, s->schedule, sched_get(s, i));
	policy->begin(&s->queue, i, now);
}

/* It is not its window: all that may be is asked when that comes. */
static void rest(struct sched_entity *e, struct vcpu *vcpu)
{
	bool there = vcpu_rest(vcpu);

	if (!there)
		e->state = SCHED_OFF;
	else if (e->state == SCHED_OFF)
		e->state = SCHED_BLOCKED;
}

static enum sched_state settle_traced(struct vcpu *vcpu, enum sched_state before)
{
	enum sched_state state = vcpu_settle(vcpu);
	u64 due;
	u32 why;

	if (before == SCHED_READY && state == SCHED_BLOCKED)
		trace(SHYPER_TRACE_SLEEP, vcpu, 0, 0, 0);
	if (before == SCHED_BLOCKED && state == SCHED_READY) {
		why = arch_vcpu_trace_wake(vcpu, &due);
		trace(SHYPER_TRACE_WAKE, vcpu, 0, why, due);
	}
	return state;
}

/*
 * Who is ready? False: one has halted, after which nothing that was read before holds. there: how
 * many are not off, of those whose time may be.
 */
static bool settle(struct sched *s, const struct sched_policy *policy, u32 window, u32 *there)
{
	struct sched_queue *q = &s->queue;

	*there = 0;
	for (u32 i = 0; i < q->count; i++) {
		struct vcpu *vcpu = sched_get(s, i);

		if (!vcpu) {
			q->entity[i].state = SCHED_OFF;	/* who left was ready, perhaps */
			continue;
		}
		if (!q->entity[i].turn)
			begin(s, i, policy, arch_time());
		if (q->entity[i].windowed && q->entity[i].partition != window) {
			rest(&q->entity[i], vcpu);
			continue;
		}
		vcpu->out = false;
		if (vcpu_halting(vcpu)) {
			policy->set_state(q, i, SCHED_OFF);
			(void)vcpu_run(vcpu);
			return false;
		}
		policy->set_state(q, i, tracing() ? settle_traced(vcpu, q->entity[i].state) :
				  vcpu_settle(vcpu));
		*there += q->entity[i].state != SCHED_OFF;
	}
	return true;
}

/* The turn up to now, or the time that was nobody's; it may go on. */
static void account(struct sched *s, u64 now)
{
	struct sched_queue *q = &s->queue;

	if (!s->from || now <= s->from)
		return;
	if (s->running != SCHED_NOBODY)
		policy_of(s)->charge(q, s->running, s->from, now);
	for (u32 i = 0; i < q->count; i++)
		if (i != s->running && q->entity[i].state == SCHED_READY)
			q->entity[i].waited += now - s->from;
	s->from = now;
}

/* The first run of a window is over: was it late? */
static void began(struct sched *s, u32 i, const struct vcpu *vcpu)
{
	sched_partition_began(&s->queue, i, vcpu->late);
	tell(&s->entity[i].health, vcpu);
}

static void run(struct sched *s, const struct sched_choice *choice, u64 now)
{
	struct vcpu *vcpu = sched_get(s, choice->next);

	s->running = choice->next;
	s->from = MAX(now, choice->from);
	vcpu->enter_at = choice->from;
	vcpu->late = 0;
	steal_update(vcpu, s->entity[choice->next].waited, false);
	(void)vcpu_run(vcpu);
	account(s, arch_time());
	if (unlikely(vcpu->steal.shown) && !vcpu->waiting)
		steal_update(vcpu, s->entity[choice->next].waited, true);
	s->from = 0;
	if (vcpu->yields)
		policy_of(s)->yield(&s->queue, choice->next);
	if (choice->from)
		began(s, choice->next, vcpu);
}

/*
 * In a partition's window nothing wakes those that run besides. And when no partition has anything
 * to do the hart looks at no window: then one of them may begin at any time.
 */
static void keep_out(struct sched *s, const struct sched_choice *choice)
{
	struct sched_queue *q = &s->queue;
	bool window = choice->next != SCHED_NOBODY && q->entity[choice->next].windowed;

	for (u32 i = 0; i < q->count; i++) {
		struct vcpu *vcpu = sched_get(s, i);

		if (vcpu && window && !q->entity[i].windowed)
			(void)vcpu_rest(vcpu);
		else if (vcpu && q->windows.blind)
			vcpu->out = false;
	}
}

static bool turn_of_several(struct sched *s)
{
	const struct sched_policy *policy = policy_of(s);
	struct sched_queue *q = &s->queue;
	u64 now = arch_time();
	struct sched_choice choice;
	u32 window, there;

	q->entity = s->entity;
	q->count = used(s);
	q->slice = micros(1000 * SLICE_MS);
	if (unlikely(s->from))
		account(s, now);
	window = policy == &sched_partition ? follow_schedule(s, now) : 0;
	if (!settle(s, policy, window, &there))
		return true;
	choice = policy->choose(q, now);
	if (policy == &sched_partition)
		keep_out(s, &choice);
	arm(s, choice.until);
	if (choice.next == SCHED_NOBODY) {
		s->running = SCHED_NOBODY;
		s->from = now;
		return false;
	}
	/* A sleep that does not exit would be charged to a budget, or last beyond a window. */
	vcpu_alone(sched_get(s, choice.next), policy == &sched_priority && there == 1 &&
					      !q->entity[choice.next].params.budget);
	run(s, &choice, now);
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

		if (vcpu && vcpu != running && vcpu_asks(vcpu, s->entity[i].state == SCHED_READY))
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
		.left = e->left,
		.refill = e->refill,
		.health = e->health,
	};
}

void sched_adopt(struct sched *s, const struct vcpu *vcpu, const struct sched_look *was)
{
	for (u32 i = 0; i < s->used; i++) {
		if (sched_get(s, i) == vcpu) {
			s->entity[i].ran = was->ran;
			s->entity[i].waited = was->waited;
			s->entity[i].left = was->left;
			s->entity[i].refill = was->refill;
		}
	}
}

void sched_change(struct sched *s, const struct vcpu *vcpu)
{
	u64 now = arch_time();

	account(s, now);
	for (u32 i = 0; i < used(s); i++) {
		if (sched_get(s, i) != vcpu)
			continue;
		s->entity[i].params = params_of(vcpu->vm);
		s->entity[i].refill = 0;
		if (s->entity[i].turn)	/* else it begins by itself */
			policy_of(s)->begin(&s->queue, i, now);
	}
	vcpu_leave();
}
