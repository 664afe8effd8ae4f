/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy "priority". A rank orders first by budget, then by priority; the highest one that is
 * ready runs. Periods are counted from the entity's begin, whether it runs or not, so a budget that
 * was not used is gone with its period.
 */
#include <hv/sched_policy.h>

static bool has_budget(const struct sched_entity *e)
{
	return !e->params.budget || e->left;
}

static u64 rank(const struct sched_entity *e)
{
	return (u64)has_budget(e) << 32 | e->params.priority;
}

static u64 later(u64 now, u64 ticks)
{
	return ticks < SCHED_NEVER - now ? now + ticks : SCHED_NEVER;
}

/* The period that now lies in. */
static void refill(struct sched_entity *e, u64 now)
{
	u64 periods;

	if (!e->params.budget || now < e->refill)
		return;
	periods = (now - e->refill) / e->params.period + 1;
	e->refill += periods * e->params.period;
	e->left = e->params.budget;
}

static void to_tail(struct sched_queue *q, struct sched_entity *e)
{
	e->turn = ++q->turns;
	e->slice = q->slice;
}

static void begin(struct sched_queue *q, u32 i, u64 now)
{
	struct sched_entity *e = &q->entity[i];

	if (!e->refill) {
		e->left = e->params.budget;
		e->refill = later(now, e->params.period);
	}
	to_tail(q, e);
}

/* Who comes back has no claim to the turn that it gave up. */
static void set_state(struct sched_queue *q, u32 i, enum sched_state state)
{
	struct sched_entity *e = &q->entity[i];

	if (state == SCHED_READY && e->state != SCHED_READY)
		to_tail(q, e);
	e->state = state;
}

static void charge(struct sched_queue *q, u32 i, u64 from, u64 to)
{
	struct sched_entity *e = &q->entity[i];
	u64 used = to - from;

	e->ran += used;
	if (used < e->slice)
		e->slice -= used;
	else
		to_tail(q, e);
	/* The part that fell into a period before goes with that. */
	if (e->params.budget && to >= e->refill) {
		refill(e, to);
		used = MIN(used, to - (e->refill - e->params.period));
	}
	e->left -= MIN(used, e->left);
}

static void yield(struct sched_queue *q, u32 i)
{
	to_tail(q, &q->entity[i]);
}

static bool before(const struct sched_entity *a, const struct sched_entity *b)
{
	return rank(a) != rank(b) ? rank(a) > rank(b) : a->turn < b->turn;
}

/* Those that run in windows are not among them. */
static bool ready(const struct sched_entity *e)
{
	return e->state == SCHED_READY && !e->windowed;
}

static bool may_run(const struct sched_entity *e)
{
	return has_budget(e) || !e->params.strict;
}

/* When the choice ends by itself. */
static u64 ends(const struct sched_entity *next, u64 now)
{
	return next->params.strict && next->left ? later(now, next->left) : SCHED_NEVER;
}

/* When the choice ends because of this other one that is ready too. */
static u64 ends_by(const struct sched_entity *next, const struct sched_entity *other, u64 now)
{
	u64 until = SCHED_NEVER;

	if (next->params.budget && next->left)
		until = later(now, next->left);
	if (may_run(other) && rank(other) == rank(next))
		until = MIN(until, later(now, next->slice));
	/* With its budget back it has a higher rank, or one that is first by its older turn. */
	if (!has_budget(other) &&
	    (!has_budget(next) || other->params.priority >= next->params.priority))
		until = MIN(until, other->refill);
	return until;
}

static struct sched_choice choose(struct sched_queue *q, u64 now)
{
	struct sched_choice choice = { .next = SCHED_NOBODY };
	u64 refilled = SCHED_NEVER;

	for (u32 i = 0; i < q->count; i++) {
		struct sched_entity *e = &q->entity[i];

		if (!ready(e))
			continue;
		refill(e, now);
		if (!may_run(e))
			refilled = MIN(refilled, e->refill);
		else if (choice.next == SCHED_NOBODY || before(e, &q->entity[choice.next]))
			choice.next = i;
	}
	choice.until = choice.next == SCHED_NOBODY ? refilled :
						      ends(&q->entity[choice.next], now);
	for (u32 i = 0; i < q->count; i++) {
		const struct sched_entity *e = &q->entity[i];

		if (choice.next != SCHED_NOBODY && i != choice.next && ready(e))
			choice.until = MIN(choice.until,
					   ends_by(&q->entity[choice.next], e, now));
	}
	return choice;
}

const struct sched_policy sched_priority = {
	.name = "priority",
	.begin = begin,
	.set_state = set_state,
	.charge = charge,
	.yield = yield,
	.choose = choose,
};
