/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of the vCPUs on a hart runs next, and until when that holds: decisions over plain data. No
 * function here reads a clock, arms a timer or knows a vCPU; all are the calling hart's alone.
 * Times are ticks of the host's timer.
 */
#ifndef HV_SCHED_POLICY_H
#define HV_SCHED_POLICY_H

#include <hv/types.h>

#define SCHED_NEVER (~(u64)0)
#define SCHED_NOBODY (~(u32)0)

enum sched_state {
	SCHED_OFF,	/* stopped, paused or not there: only its own hart's decision ends it */
	SCHED_BLOCKED,	/* waits for an interrupt */
	SCHED_READY,	/* could run, or does */
};

/* What a VM's definition says of each of its vCPUs. */
struct sched_params {
	u32 priority;	/* the higher one runs */
	u64 budget;	/* ticks in each period that it has at this priority; 0: without limit */
	u64 period;
};

/* A vCPU, as its hart's scheduler sees it. All zero: SCHED_OFF. */
struct sched_entity {
	struct sched_params params;
	enum sched_state state;
	u64 left;	/* of the budget, in the period that ends at refill */
	u64 refill;
	u64 slice;	/* ticks until others of its rank have their turn */
	u64 turn;	/* of two of one rank the lower one is first */
	u64 ran;	/* ticks in all */
	u64 waited;	/* ticks in which it was ready and another ran */
};

/* The vCPUs of a hart. */
struct sched_queue {
	struct sched_entity *entity;
	u32 count;
	u64 slice;	/* ticks of a turn; fixed */
	u64 turns;	/* the last turn given out */
};

struct sched_choice {
	u32 next;	/* index; SCHED_NOBODY: all wait */
	u64 until;	/* without a change of state the choice is the same before */
};

/*
 * A policy. now never runs backwards.
 *   begin(q, i, now): the entity's params are set and it may have its first turn
 *   set_state(q, i, state): it begins or ceases to be ready
 *   charge(q, i, from, to): it ran, alone on the hart
 *   yield(q, i): it gives up what is left of its turn
 *   choose(q, now)
 */
struct sched_policy {
	const char *name;
	void (*begin)(struct sched_queue *q, u32 i, u64 now);
	void (*set_state)(struct sched_queue *q, u32 i, enum sched_state state);
	void (*charge)(struct sched_queue *q, u32 i, u64 from, u64 to);
	void (*yield)(struct sched_queue *q, u32 i);
	struct sched_choice (*choose)(struct sched_queue *q, u64 now);
};

/*
 * Fixed priorities. An entity that has used up its budget comes behind all that have not, until its
 * next period; so it uses only time that nobody else has a claim to. Entities of one rank take
 * turns.
 */
extern const struct sched_policy sched_priority;

#endif
