/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of the vCPUs on a hart runs next, and until when that holds: decisions over plain data. No
 * function here reads a clock, arms a timer or knows a vCPU; all are the calling hart's alone.
 * Times are ticks of the host's timer.
 */
#ifndef HV_SCHED_POLICY_H
#define HV_SCHED_POLICY_H

#include <hv/frames.h>
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
	bool strict;	/* without budget it does not run at all */
};

/* How a partition's windows on a hart went. */
struct sched_health {
	u64 windows;	/* that it had something to do in when they began */
	u64 missed;	/* went by before the hart looked, or were cut off; not while it is off */
	u64 late;	/* began later than the schedule allows */
	u64 late_max;	/* ticks */
	u64 told;	/* of missed and late, by an event */
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
	u64 waited;	/* ticks in which it was ready and did not run */
	bool windowed;	/* it runs in windows of its partition, and never besides */
	u32 partition;	/* index in the schedule + 1; 0: none there */
	struct sched_health health;
};

/* A hart's place in the schedule. */
struct sched_windows {
	struct frame frame;	/* number 0: none yet */
	const struct schedule_window *window;	/* of this hart in the frame */
	u32 count;
	u32 next;	/* those before are over */
	bool begun;	/* the next one has */
	bool goes_on;	/* it touches one of the same partition */
	bool blind;	/* the hart did not look when it began */
	u32 ran;	/* partition of the last one that began with somebody to run */
	u64 ran_until;
};

/* The vCPUs of a hart. */
struct sched_queue {
	struct sched_entity *entity;
	u32 count;
	u64 slice;	/* ticks of a turn; fixed */
	u64 turns;	/* the last turn given out */
	struct sched_windows windows;	/* policy "partition" */
};

struct sched_choice {
	u32 next;	/* index; SCHED_NOBODY: all wait */
	u64 until;	/* without a change of state the choice is the same before */
	u64 from;	/* it is to begin then; 0: at once */
};

/*
 * A policy. now never runs backwards.
 *   begin(q, i, now): the entity's params are set and it may have its first turn, in a new period
 *	if refill is 0
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
 * next period; so it uses only time that nobody else has a claim to, or none if it is strict.
 * Entities of one rank take turns.
 */
extern const struct sched_policy sched_priority;

/*
 * Windows in frames (ARINC 653). The switch into a window begins switch_time before it, so that the
 * partition starts when its window does; that much the window before loses. What windows leave is
 * idle, or in a relaxed table for those that are not windowed, by sched_priority.
 *   sched_partition_frame(q, frame, hart): this frame begins on the hart with that id. Entities
 *	keep their partition's number of the frame before until their owner has changed it
 *   sched_partition_now(q, now): whose window it is, as choose() will see it: index + 1, 0: none
 *   sched_partition_began(q, i, late): the choice with a `from` has begun, so many ticks late
 */
extern const struct sched_policy sched_partition;
void sched_partition_frame(struct sched_queue *q, const struct frame *frame, u64 hart);
u32 sched_partition_now(struct sched_queue *q, u64 now);
void sched_partition_began(struct sched_queue *q, u32 i, u64 late);

#endif
