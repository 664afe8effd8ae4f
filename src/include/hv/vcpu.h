/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual CPU: its life (the SBI HSM states), what others ask of it, and when it runs. Its
 * registers belong to the hart that it is pinned to; everybody else posts requests.
 */
#ifndef HV_VCPU_H
#define HV_VCPU_H

#include <asm/vcpu.h>
#include <hv/log.h>
#include <hv/sched_policy.h>
#include <hv/steal.h>
#include <hv/types.h>

struct vm;
struct hart;

/*
 * Life of a vCPU. STOPPED → CLAIMED → STARTING by anyone who wins the compare-and-swap; all other
 * transitions are made by the vCPU's own hart, but HALTED → STOPPED by whoever boots the VM again.
 */
enum vcpu_state {
	VCPU_STOPPED,
	VCPU_CLAIMED,		/* somebody is about to make it STARTING */
	VCPU_STARTING,		/* start_pc and start_arg are valid; its hart has not taken it up */
	VCPU_RUNNING,
	VCPU_SUSPENDED,		/* waits for an interrupt that it has enabled, then resumes */
	VCPU_HALTED,		/* its VM stops or has ended: nobody can start it */
};

/* Requests to a vCPU's hart, posted with vcpu_request(). */
enum vcpu_request {
	VCPU_REQ_SOFT = 1,	/* make the supervisor software interrupt pending */
	VCPU_REQ_EXTERNAL = 2,	/* look again whether the irqchip has something for it */
	VCPU_REQ_LEAVE = 8,	/* leave the guest once, to look at what has changed */
	VCPU_REQ_HALT = 4,	/* its VM stops: leave the guest, give the vCPU up */
};

/* A vCPU that goes to another hart. HERE → ASKED → AWAY → HERE; the second step by its old hart. */
enum vcpu_away {
	VCPU_HERE,
	VCPU_ASKED,	/* its hart is to take it out */
	VCPU_AWAY,	/* no hart has anything of it, nor will have */
};

/* Exits by cause, for `info` and the log. This vCPU's hart writes; others read roughly. */
enum vcpu_exit {
	EXIT_SBI,
	EXIT_MMIO_READ,
	EXIT_MMIO_WRITE,
	EXIT_VIRTUAL_INSTRUCTION,
	EXIT_IPI,		/* a request or fence of another hart */
	EXIT_TIMER,
	EXIT_EXTERNAL,		/* an interrupt of the board */
	EXIT_FAULT,		/* an access to nothing; given back to the guest */
	EXIT_OTHER,
	EXIT_CAUSES,
};

/* Where and in which state a vCPU begins: SBI HSM hart_start, or the VM's boot. */
struct vcpu_start {
	u64 pc;		/* guest physical address */
	u64 arg;	/* a1 */
};

/* What a guest did that is worth a line. */
struct vcpu_deed {
	enum {
		DEED_LOAD,	/* accesses to what it has not */
		DEED_STORE,
		DEED_JUMP,
		DEED_QUEUE,	/* its driver broke the rules of a virtio device */
	} kind;
	union {
		struct {
			u64 address;		/* guest physical; of a jump virtual */
			u64 pc;
		};
		struct {
			const char *device;	/* both constants */
			const char *why;
			u32 queue;
		};
	};
};

/* A line about it, until it is written: not in the exit, but in the vCPU's turns, step by step. */
struct vcpu_note {
	enum {
		NOTE_NONE,	/* none, or written */
		NOTE_BEGIN,	/* what is to be done next */
		NOTE_COMPOSE,
		NOTE_REST,
		NOTE_PUT,
	} step;
	struct vcpu_deed deed;
	u32 dropped;		/* lines suppressed before: they get a line first */
	u64 at;			/* when */
	struct log_line line;
};

struct vcpu {
	struct arch_vcpu arch;	/* first: assembly knows its layout. Own hart only */

	/* Fixed after vm_create(). */
	struct vm *vm;
	u32 index;		/* in the VM; the guest's hart id */
	bool shared;		/* other VMs may have vCPUs there */

	/* The hart that it is pinned to; changed by vm_pin() alone. */
	struct hart *hart;

	/* Own hart only. */
	bool leave;			/* the hart is to leave the guest: it may not go on */
	bool alone;			/* shared, but nobody else is there: WFI does not exit */
	bool waiting;			/* it sleeps since its last run: WFI on a shared hart, or
					 * SUSPENDED */
	bool yields;			/* it gives its turn to others of its rank */
	bool out;			/* it is not its time: nothing wakes it */
	u32 deaf;			/* requests that do not end its sleep, and were served */
	u64 enter_at;			/* it is not to start before; 0: at once. For one run */
	u64 late;			/* ticks that it started behind enter_at */
	struct steal steal;
	u64 exits[EXIT_CAUSES];
	struct vcpu_start resume;	/* non-retentive suspend: where to go on */
	bool resume_anew;		/* resume is valid */

	/* Lock-free, by atomics; see enum vcpu_state and vcpu_request(). */
	u32 state __attribute__((aligned(64)));
	u32 requests;
	struct vcpu_start start;	/* written by the one who made the state STARTING */
	u32 away;			/* enum vcpu_away */

	struct vcpu_note note;		/* own hart only */
};

/* vcpu_state() - the state now; may change at once unless the own hart asks. */
static inline enum vcpu_state vcpu_state(const struct vcpu *vcpu)
{
	return (enum vcpu_state)__atomic_load_n(&vcpu->state, __ATOMIC_ACQUIRE);
}

/* vcpu_sleeps() - it runs on when an interrupt that it has enabled is pending. Own hart. */
static inline bool vcpu_sleeps(const struct vcpu *vcpu)
{
	return vcpu->waiting && !vcpu->out;
}

/*
 * vcpu_start() - begin execution of a stopped vCPU. Any hart. Returns 0; -EBUSY: not stopped, or
 * its VM stops.
 */
int __must_check vcpu_start(struct vcpu *vcpu, u64 pc, u64 arg);

/*
 * vcpu_restore() - a halted vCPU is stopped again, so that it can be started. By whoever boots the
 * VM, when all its vCPUs have halted.
 */
void vcpu_restore(struct vcpu *vcpu);

/*
 * vcpu_note() - what the guest just did gets a line in the log, if the limit admits it, before the
 * guest goes on. One an exit; more count as suppressed. By the exit, on the vCPU's hart.
 */
void vcpu_note(struct vcpu *vcpu, struct log_limit *limit, const struct vcpu_deed *deed);

/* vcpu_say() - a short step of that line, of a vCPU that does not run; false: all is said. */
bool vcpu_say(struct vcpu *vcpu);

/*
 * vcpu_request() - ask the vCPU's hart for something; any hart, lock-free. A request to the vCPU
 * that runs on the calling hart is carried out before the guest continues; VCPU_REQ_HALT too.
 */
void vcpu_request(struct vcpu *vcpu, enum vcpu_request request);

/*
 * vcpu_serve() - carry out what was asked; own hart, while the vCPU is loaded and not in the guest.
 * VCPU_REQ_HALT sets vcpu->leave and is left to vcpu_run().
 */
void vcpu_serve(struct vcpu *vcpu);

/*
 * vcpu_wait() - the calling hart's vCPU executed a WFI that Shyper intercepts: where it shares its
 * hart, others have it until an interrupt that the vCPU has enabled is pending.
 */
void vcpu_wait(struct vcpu *vcpu);

/*
 * vcpu_alone() - it has the hart to itself for now, or not, when it runs next: then it sleeps in
 * WFI without an exit. Own hart, not in the guest.
 */
void vcpu_alone(struct vcpu *vcpu, bool alone);

/* vcpu_yield() - it waits for another vCPU: whoever shares its hart and is as important is next. */
void vcpu_yield(struct vcpu *vcpu);

/* vcpu_stop() - SBI HSM hart_stop: the calling hart's vCPU becomes STOPPED. */
void vcpu_stop(struct vcpu *vcpu);

/*
 * vcpu_suspend() - the calling hart's vCPU sleeps until an interrupt that it has enabled is
 * pending; then it continues, or begins anew at *resume (NULL: retentive).
 */
void vcpu_suspend(struct vcpu *vcpu, const struct vcpu_start *resume);

/*
 * vcpu_run() - one turn of the hart's loop for a vCPU pinned to it: take it up, run it until it
 * stops, sleeps or leaves. Returns false when there is nothing to do until the next interrupt.
 */
bool vcpu_run(struct vcpu *vcpu);

/* vcpu_rest() - it is out: it wakes nobody and takes up nothing. Could it have something to do? */
bool vcpu_rest(struct vcpu *vcpu);
/*
 * vcpu_depart() - on return no hart runs the vCPU or has anything of it, and requests to it wait.
 * vcpu_arrive() - it goes on where it is pinned now. By who has the management lock.
 */
void vcpu_depart(struct vcpu *vcpu);
void vcpu_arrive(struct vcpu *vcpu);

/*
 * vcpu_held() - it may not run now: its VM is paused, or it goes to another hart. Then it is out
 * of the hart. Own hart; not of one that is in a call or exit.
 */
bool vcpu_held(struct vcpu *vcpu);

/* vcpu_leave() - whoever runs on the calling hart leaves the guest: it is time to choose again. */
void vcpu_leave(void);

/*
 * For who chooses among the vCPUs of the calling hart. vcpu_halting() - vcpu_run() would halt it:
 * that comes before all else. vcpu_settle() - could it run? Carries out what was asked of it,
 * and takes a paused one out of the hart. vcpu_asks() - something has come for one that does not
 * run, for which it is worth to choose again; ready: it was the last time.
 */
bool vcpu_halting(const struct vcpu *vcpu);
enum sched_state vcpu_settle(struct vcpu *vcpu);
bool vcpu_asks(const struct vcpu *vcpu, bool ready);

/*
 * The architecture supplies (arch/riscv64/vcpu.c); all on the vCPU's own hart:
 *   arch_vcpu_reset(vcpu, start): registers as after SBI HSM hart_start
 *   arch_vcpu_resume(vcpu, start): go on after a non-retentive suspend; the vCPU is loaded
 *   arch_vcpu_load(vcpu): put its CSRs, FP and vector state into the hart, saving whose are there
 *   arch_vcpu_park(vcpu): take it out of the hart, complete, so that the hart can sleep
 *   arch_vcpu_depart(vcpu): the same for one that goes to another hart, with its timers
 *   arch_vcpu_unload(hart's vcpu): forget it, leaving nothing of it in the hart
 *   arch_vcpu_enter(vcpu): run the guest until vcpu->leave
 *   arch_vcpu_soft(vcpu): make its supervisor software interrupt pending
 *   arch_vcpu_external(vcpu, level): drive its external interrupt
 * while it is not loaded:
 *   arch_vcpu_soft_saved(vcpu), arch_vcpu_external_saved(vcpu, level): the same
 * on the hart that has the management lock, with a vCPU that has departed:
 *   arch_vcpu_move(vcpu, hart): all of it but its slot there goes to that hart
 * and, whether it is loaded or not:
 *   arch_vcpu_watch(vcpu): it sleeps; the hart wakes, or whoever runs there leaves the guest, when
 *	its timer is due or its interrupt file has something. Until arch_vcpu_load, park, unload
 *   arch_vcpu_unwatch(vcpu): until then, too
 *   arch_vcpu_wakes(vcpu): an interrupt that it has enabled is pending
 *   arch_vcpu_deaf(vcpu): requests for interrupts that it has not enabled
 *   arch_vcpu_trace_wake(vcpu, due): for the trace, the set of these, and, when its timer is one of
 *	them, when it was due, in ticks of the host; else 0
 *   arch_vcpu_trace_pending(vcpu): the set that Shyper has made pending
 *   arch_vcpu_alone(vcpu): vcpu->alone has changed
 */
void arch_vcpu_reset(struct vcpu *vcpu, const struct vcpu_start *start);
void arch_vcpu_resume(struct vcpu *vcpu, const struct vcpu_start *start);
void arch_vcpu_load(struct vcpu *vcpu);
void arch_vcpu_park(struct vcpu *vcpu);
void arch_vcpu_depart(struct vcpu *vcpu);
void arch_vcpu_unload(struct vcpu *vcpu);
void arch_vcpu_enter(struct vcpu *vcpu);
void arch_vcpu_watch(struct vcpu *vcpu);
void arch_vcpu_unwatch(struct vcpu *vcpu);
void arch_vcpu_soft(struct vcpu *vcpu);
void arch_vcpu_external(struct vcpu *vcpu, bool level);
void arch_vcpu_soft_saved(struct vcpu *vcpu);
void arch_vcpu_external_saved(struct vcpu *vcpu, bool level);
void arch_vcpu_move(struct vcpu *vcpu, struct hart *hart);
bool arch_vcpu_wakes(const struct vcpu *vcpu);
u32 arch_vcpu_deaf(const struct vcpu *vcpu);
void arch_vcpu_alone(struct vcpu *vcpu);
u32 arch_vcpu_trace_wake(const struct vcpu *vcpu, u64 *due);
u32 arch_vcpu_trace_pending(const struct vcpu *vcpu);
struct vcpu *arch_vcpu_current(void);

#endif
