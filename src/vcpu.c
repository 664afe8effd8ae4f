/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's life. Registers and CSRs are the architecture's business. */
#include <asm/hart.h>
#include <hv/errno.h>
#include <hv/machine.h>
#include <hv/sched.h>
#include <hv/timer.h>
#include <hv/trace.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

static void set_state(struct vcpu *vcpu, enum vcpu_state state)
{
	trace(SHYPER_TRACE_STATE, vcpu, (u8)state, 0, 0);
	__atomic_store_n(&vcpu->state, (u32)state, __ATOMIC_RELEASE);
}

static bool change_state(struct vcpu *vcpu, enum vcpu_state from, enum vcpu_state to)
{
	u32 expected = from;

	return __atomic_compare_exchange_n(&vcpu->state, &expected, (u32)to, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

int vcpu_start(struct vcpu *vcpu, u64 pc, u64 arg)
{
	/* CLAIMED comes first, so that of two starters only one writes the arguments. */
	if (!change_state(vcpu, VCPU_STOPPED, VCPU_CLAIMED))
		return -EBUSY;
	vcpu->start = (struct vcpu_start){ .pc = pc, .arg = arg };
	/* An interrupt sent before the start belongs to the vCPU's former life. */
	__atomic_fetch_and(&vcpu->requests, ~(u32)VCPU_REQ_SOFT, __ATOMIC_ACQ_REL);
	/* Its hart may have halted it meanwhile: then nothing may make it run. */
	if (!change_state(vcpu, VCPU_CLAIMED, VCPU_STARTING))
		return -EBUSY;
	/* It may go to another hart just now: that one looks, or it is the one that we kick. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (vcpu->hart != this_hart())
		hart_kick(vcpu->hart);
	else
		vcpu_leave();
	return 0;
}

void vcpu_restore(struct vcpu *vcpu)
{
	set_state(vcpu, VCPU_STOPPED);
}

static __attribute__((noinline)) void request_here(struct vcpu *vcpu)
{
	if (arch_vcpu_current() == vcpu)
		vcpu_serve(vcpu);
	else if (!vcpu->out)
		vcpu_leave();
}

void vcpu_request(struct vcpu *vcpu, enum vcpu_request request)
{
	u32 before = __atomic_fetch_or(&vcpu->requests, (u32)request, __ATOMIC_ACQ_REL);

	if (vcpu->hart == this_hart()) {
		request_here(vcpu);
	} else if (!(before & request)) {
		hart_kick(vcpu->hart);	/* whoever set the bit before has kicked already */
	}
}

void vcpu_leave(void)
{
	struct vcpu *current = arch_vcpu_current();

	if (current)
		current->leave = true;
}

static u32 take_requests(struct vcpu *vcpu)
{
	u32 served = VCPU_REQ_SOFT | VCPU_REQ_EXTERNAL | VCPU_REQ_LEAVE;

	return __atomic_fetch_and(&vcpu->requests, ~served, __ATOMIC_ACQ_REL);
}

static bool external(const struct vcpu *vcpu)
{
	return vcpu->vm->irqchip->pending(vcpu->vm->irqchip_data, vcpu->index);
}

/* The same for one that is not loaded; apart, for the sake of the other's cost. */
static void serve_saved(struct vcpu *vcpu)
{
	u32 requests = take_requests(vcpu);

	if (requests & VCPU_REQ_SOFT)
		arch_vcpu_soft_saved(vcpu);
	if (requests & VCPU_REQ_EXTERNAL)
		arch_vcpu_external_saved(vcpu, external(vcpu));
}

void vcpu_serve(struct vcpu *vcpu)
{
	u32 requests = take_requests(vcpu);

	if (requests & VCPU_REQ_SOFT)
		arch_vcpu_soft(vcpu);
	if (requests & VCPU_REQ_EXTERNAL)
		arch_vcpu_external(vcpu, external(vcpu));
	if (requests & (VCPU_REQ_HALT | VCPU_REQ_LEAVE))
		vcpu->leave = true;
}

/* How: vcpu_serve() or serve_saved(); apart from exits, which exit_handle_traced() looks after. */
static __attribute__((noinline)) void serve_some(struct vcpu *vcpu, void (*how)(struct vcpu *vcpu))
{
	u32 before = tracing() ? arch_vcpu_trace_pending(vcpu) : 0, added;

	how(vcpu);
	if (!tracing())
		return;
	added = arch_vcpu_trace_pending(vcpu) & ~before;
	if (added)
		trace_add(SHYPER_TRACE_INTERRUPT, vcpu, 0, added, 0);
}

/* A request that comes later brings an interrupt. */
static inline void serve(struct vcpu *vcpu, void (*how)(struct vcpu *vcpu))
{
	if (__atomic_load_n(&vcpu->requests, __ATOMIC_ACQUIRE))
		serve_some(vcpu, how);
}

void vcpu_wait(struct vcpu *vcpu)
{
	if (!vcpu->shared || arch_vcpu_wakes(vcpu))
		return;
	vcpu->waiting = true;
	vcpu->leave = true;
}

void vcpu_alone(struct vcpu *vcpu, bool alone)
{
	if (vcpu->alone == alone)
		return;
	vcpu->alone = alone;
	arch_vcpu_alone(vcpu);
}

void vcpu_yield(struct vcpu *vcpu)
{
	if (vcpu->shared)
		vcpu->yields = vcpu->leave = true;
}

void vcpu_stop(struct vcpu *vcpu)
{
	arch_vcpu_unload(vcpu);
	steal_show(vcpu, NULL);
	vcpu->leave = true;
	set_state(vcpu, VCPU_STOPPED);
}

void vcpu_suspend(struct vcpu *vcpu, const struct vcpu_start *resume)
{
	vcpu->resume_anew = resume != NULL;
	if (resume)
		vcpu->resume = *resume;
	vcpu->waiting = true;
	vcpu->leave = true;
	set_state(vcpu, VCPU_SUSPENDED);
}

void vcpu_note(struct vcpu *vcpu, struct log_limit *limit, const struct vcpu_deed *deed)
{
	struct vcpu_note *note = &vcpu->note;

	if (note->step != NOTE_NONE) {
		__atomic_fetch_add(&limit->dropped, 1, __ATOMIC_RELAXED);
		return;
	}
	if (!log_admits(limit, &note->dropped))
		return;
	note->deed = *deed;
	note->step = NOTE_BEGIN;
	note->at = arch_time();
	vcpu->leave = true;
}

/* The line's first half: who did what. */
static void compose(struct log_line *line, const struct vcpu *vcpu, const struct vcpu_deed *deed)
{
	const char *name = vcpu->vm->def.name;

	if (deed->kind == DEED_QUEUE)
		log_compose(line, "%s: %s: queue %u", name, deed->device, deed->queue);
	else
		log_compose(line, "%s: vCPU %u: %s 0x%llx", name, vcpu->index,
			    deed->kind == DEED_STORE ? "store of" :
			    deed->kind == DEED_LOAD ? "load of" : "jump to",
			    (unsigned long long)deed->address);
}

/* And what came of it. */
static void compose_rest(struct log_line *line, const struct vcpu_deed *deed)
{
	if (deed->kind == DEED_QUEUE)
		log_compose(line, ": %s; the device needs a reset", deed->why);
	else if (deed->kind == DEED_JUMP)
		log_compose(line, ", where it has no memory: access fault");
	else
		log_compose(line, " at pc 0x%llx refused: access fault",
			    (unsigned long long)deed->pc);
}

bool vcpu_say(struct vcpu *vcpu)
{
	struct vcpu_note *note = &vcpu->note;

	if (note->step == NOTE_NONE)
		return false;
	switch (note->step++) {
	case NOTE_NONE:
	case NOTE_BEGIN:
		log_begin(&note->line, LOG_WARN, note->at);
		break;
	case NOTE_COMPOSE:
		if (note->dropped)
			log_compose(&note->line, LOG_DROPPED, note->dropped);
		else
			compose(&note->line, vcpu, &note->deed);
		break;
	case NOTE_REST:
		if (!note->dropped)
			compose_rest(&note->line, &note->deed);
		break;
	case NOTE_PUT:
		log_put(&note->line);
		note->step = note->dropped ? NOTE_BEGIN : NOTE_NONE;
		note->dropped = 0;
	}
	return true;
}

/*
 * The VM stops: whatever this vCPU was doing, it is done. HALTED keeps others of the VM, which
 * still run, from starting it again: it would use memory that the last one to halt gives back.
 */
static void halt(struct vcpu *vcpu)
{
	machine_vcpu_halt(vcpu->vm, vcpu->index);
	arch_vcpu_unload(vcpu);
	steal_show(vcpu, NULL);
	set_state(vcpu, VCPU_HALTED);
	__atomic_store_n(&vcpu->requests, 0, __ATOMIC_RELEASE);
	if (vm_halted(vcpu->vm))
		__atomic_store_n(&vcpu->vm->last, vcpu, __ATOMIC_RELAXED);
}

static bool finishes(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->vm->last, __ATOMIC_RELAXED) == vcpu;
}

static void begin(struct vcpu *vcpu)
{
	arch_vcpu_reset(vcpu, &vcpu->start);
	__atomic_fetch_or(&vcpu->requests, VCPU_REQ_EXTERNAL, __ATOMIC_ACQ_REL);
	arch_vcpu_load(vcpu);
	set_state(vcpu, VCPU_RUNNING);
}

/* A VM may end just when it is paused: what it leaves to do then is done, or nobody resumed it. */
static bool paused(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->vm->paused, __ATOMIC_SEQ_CST) &&
	       vcpu_state(vcpu) != VCPU_HALTED;
}

static enum vcpu_away away(const struct vcpu *vcpu)
{
	return (enum vcpu_away)__atomic_load_n(&vcpu->away, __ATOMIC_ACQUIRE);
}

static void set_away(struct vcpu *vcpu, enum vcpu_away now)
{
	__atomic_store_n(&vcpu->away, (u32)now, __ATOMIC_RELEASE);
}

static inline bool free_to_run(const struct vcpu *vcpu)
{
	return away(vcpu) == VCPU_HERE && !paused(vcpu);
}

bool vcpu_held(struct vcpu *vcpu)
{
	if (free_to_run(vcpu))
		return false;
	/* Done; and whoever ends this asks for it anew. */
	__atomic_fetch_and(&vcpu->requests, ~(u32)VCPU_REQ_LEAVE, __ATOMIC_ACQ_REL);
	if (away(vcpu) == VCPU_ASKED) {
		arch_vcpu_depart(vcpu);
		set_away(vcpu, VCPU_AWAY);
	} else if (away(vcpu) == VCPU_HERE) {
		arch_vcpu_park(vcpu);
	}
	return true;
}

/* Have its hart look, whatever has been requested before. */
static void call(struct vcpu *vcpu, enum vcpu_request request)
{
	__atomic_fetch_or(&vcpu->requests, (u32)request, __ATOMIC_ACQ_REL);
	if (vcpu->hart == this_hart())
		vcpu_leave();
	else
		hart_kick(vcpu->hart);
}

/* Its hart may be this one, which is in a call of another vCPU, or wait for the caller's lock. */
void vcpu_depart(struct vcpu *vcpu)
{
	set_away(vcpu, VCPU_ASKED);
	call(vcpu, VCPU_REQ_LEAVE);
	while (away(vcpu) != VCPU_AWAY) {
		fence_serve();
		sched_let_go(&this_hart()->sched);
	}
}

/* A request that came before its hart became this one has kicked another. */
void vcpu_arrive(struct vcpu *vcpu)
{
	set_away(vcpu, VCPU_HERE);
	call(vcpu, VCPU_REQ_EXTERNAL);
}

/* Returns false while nothing wakes it. */
static bool wake(struct vcpu *vcpu)
{
	serve(vcpu, vcpu_serve);
	if (!arch_vcpu_wakes(vcpu))
		return false;
	if (vcpu->resume_anew)
		arch_vcpu_resume(vcpu, &vcpu->resume);
	set_state(vcpu, VCPU_RUNNING);
	return true;
}

bool vcpu_halting(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->requests, __ATOMIC_ACQUIRE) & VCPU_REQ_HALT;
}

/*
 * What it has disabled is pending now, and stays requested until it is awake: so its VM's other
 * vCPUs cannot take the time of those who share this hart by asking for the same again.
 */
static __attribute__((noinline)) void deafen(struct vcpu *vcpu, u32 asked)
{
	vcpu->deaf = asked & arch_vcpu_deaf(vcpu);
	__atomic_fetch_or(&vcpu->requests, vcpu->deaf, __ATOMIC_ACQ_REL);
}

/* Something that ends its sleep is pending, or the hart will be told of it. asked: just served. */
static enum sched_state asleep(struct vcpu *vcpu, u32 asked)
{
	if (arch_vcpu_wakes(vcpu))
		return SCHED_READY;
	arch_vcpu_watch(vcpu);
	vcpu->deaf = 0;
	if (unlikely(asked))
		deafen(vcpu, asked);
	return SCHED_BLOCKED;
}

enum sched_state vcpu_settle(struct vcpu *vcpu)
{
	u32 asked = __atomic_load_n(&vcpu->requests, __ATOMIC_ACQUIRE);
	enum vcpu_state state = vcpu_state(vcpu);

	if (away(vcpu) == VCPU_HERE) {
		if (arch_vcpu_current() == vcpu)
			serve(vcpu, vcpu_serve);
		else if (state == VCPU_RUNNING || state == VCPU_SUSPENDED)
			serve(vcpu, serve_saved);
	}
	if (!free_to_run(vcpu) && vcpu_held(vcpu))
		return SCHED_OFF;
	switch (state) {
	case VCPU_STARTING:
		return SCHED_READY;
	case VCPU_RUNNING:
		return vcpu->waiting ? asleep(vcpu, asked) : SCHED_READY;
	case VCPU_SUSPENDED:
		return asleep(vcpu, asked);
	case VCPU_HALTED:
		return finishes(vcpu) ? SCHED_READY : SCHED_OFF;
	case VCPU_STOPPED:
	case VCPU_CLAIMED:
		break;
	}
	return SCHED_OFF;
}

bool vcpu_asks(const struct vcpu *vcpu, bool ready)
{
	/* Who moves it waits, and for no turn that may never come. */
	if (away(vcpu) == VCPU_ASKED)
		return true;
	if (vcpu->out)
		return false;
	if (vcpu_halting(vcpu))
		return true;
	switch (vcpu_state(vcpu)) {
	case VCPU_STARTING:
		return !ready;
	case VCPU_RUNNING:
	case VCPU_SUSPENDED:
		return !ready &&
		       __atomic_load_n(&vcpu->requests, __ATOMIC_ACQUIRE) & ~vcpu->deaf;
	case VCPU_STOPPED:
	case VCPU_CLAIMED:
	case VCPU_HALTED:
		break;
	}
	return false;
}

bool vcpu_rest(struct vcpu *vcpu)
{
	enum vcpu_state state = vcpu_state(vcpu);

	vcpu->out = true;
	arch_vcpu_unwatch(vcpu);
	return state == VCPU_STARTING || state == VCPU_RUNNING || state == VCPU_SUSPENDED ||
	       (state == VCPU_HALTED && finishes(vcpu)) || vcpu_halting(vcpu);
}

/* All is loaded, but its window has not begun. */
static __attribute__((noinline)) void await(struct vcpu *vcpu)
{
	u64 now;

	do
		now = arch_time();
	while (now < vcpu->enter_at);
	vcpu->late = now - vcpu->enter_at;
}

static void enter(struct vcpu *vcpu)
{
	if (vcpu->enter_at)
		await(vcpu);
	if (tracing())
		trace_switch(vcpu);
	arch_vcpu_enter(vcpu);
	if (tracing())
		trace_left();
}

/* What its VM leaves to do is done in its turns, and not beyond them. */
static __attribute__((noinline)) void finish(struct vcpu *vcpu)
{
	vcpu->yields = false;
	if (vcpu->enter_at)
		await(vcpu);
	while (vm_finish(vcpu->vm) && !arch_hart_wanted())
		;
}

bool vcpu_run(struct vcpu *vcpu)
{
	if (vcpu_halting(vcpu)) {
		halt(vcpu);
		return true;
	}
	vcpu->leave = false;	/* first: who asks behind the look is heard, also in wake() */
	if (!free_to_run(vcpu) && vcpu_held(vcpu))
		return false;
	switch (vcpu_state(vcpu)) {
	case VCPU_HALTED:
		if (!finishes(vcpu))
			return false;
		finish(vcpu);
		return true;
	case VCPU_STOPPED:
	case VCPU_CLAIMED:
		return false;
	case VCPU_STARTING:
		begin(vcpu);
		break;
	case VCPU_SUSPENDED:
		arch_vcpu_load(vcpu);
		if (!wake(vcpu)) {
			arch_vcpu_watch(vcpu);
			return false;
		}
		break;
	case VCPU_RUNNING:
		arch_vcpu_load(vcpu);
		break;
	}
	vcpu->waiting = false;
	vcpu->yields = false;
	serve(vcpu, vcpu_serve);
	if (vcpu->leave)
		return true;
	if (likely(vcpu->note.step == NOTE_NONE))
		enter(vcpu);
	else if (!arch_hart_wanted())
		(void)vcpu_say(vcpu);
	return true;
}
