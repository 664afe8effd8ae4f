/* SPDX-License-Identifier: BSD-2-Clause */
/* See sched_sides.h. */
#include "sched_sides.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include <hv/events.h>
#include <hv/machine.h>

struct hart *hart_now;

struct hart hart;
struct sched sched;
struct vm vm[COUNT];
struct vcpu vcpu[COUNT];
struct vcpu *loaded, *ran, *watched;
u32 halts;
u64 sleeps_in_guest;		/* bit per vCPU: its WFI does not exit */
u64 wakes;			/* bit per vCPU: an interrupt is pending for it */
u64 now;
u64 armed;			/* 0: not */
u32 deaf;			/* requests that wake nobody */
void (*in_guest)(struct vcpu *v);

/* ---- What the code under test needs of others ---- */

void hart_kick(struct hart *to)
{
	to->kicks++;
}

void machine_vcpu_halt(struct vm *of, u32 index)
{
	(void)of;
	assert_int_equal(index, 0);
}

bool vm_halted(struct vm *of)
{
	(void)of;
	halts++;
	return false;
}

u64 passes;			/* ticks with each look at the time */

u64 arch_time(void)
{
	return now += passes;
}

u64 arch_timebase(void)
{
	return 1000000;
}

void timer_arm(struct timer *timer, u64 deadline)
{
	timer->armed = true;
	timer->deadline = armed = deadline;
}

void timer_cancel(struct timer *timer)
{
	timer->armed = false;
	armed = 0;
}

void arch_vcpu_reset(struct vcpu *v, const struct vcpu_start *start)
{
	v->arch.pc = start->pc;
}

void arch_vcpu_resume(struct vcpu *v, const struct vcpu_start *start)
{
	v->arch.pc = start->pc;
}

void arch_vcpu_load(struct vcpu *v)
{
	if (watched == v)
		watched = NULL;
	if (loaded && loaded != v && vcpu_sleeps(loaded))
		watched = loaded;
	loaded = v;
}

void arch_vcpu_park(struct vcpu *v)
{
	if (loaded == v)
		loaded = NULL;
	if (watched == v)
		watched = NULL;
}

void arch_vcpu_depart(struct vcpu *v)
{
	arch_vcpu_park(v);
}

void fence_serve(void)
{
}

void arch_vcpu_unload(struct vcpu *v)
{
	arch_vcpu_park(v);
}

void arch_vcpu_enter(struct vcpu *v)
{
	assert_ptr_equal(loaded, v);
	ran = v;
	now += 100;
	if (in_guest)
		in_guest(v);
}

void arch_vcpu_watch(struct vcpu *v)
{
	watched = v;
}

void arch_vcpu_soft(struct vcpu *v)
{
	if (!(deaf & VCPU_REQ_SOFT))
		wakes |= BIT(v->vm->id);
}

u32 arch_vcpu_deaf(const struct vcpu *v)
{
	(void)v;
	return deaf;
}

void arch_vcpu_external(struct vcpu *v, bool level)
{
	(void)v;
	(void)level;
}

void arch_vcpu_soft_saved(struct vcpu *v)
{
	arch_vcpu_soft(v);
}

void arch_vcpu_external_saved(struct vcpu *v, bool level)
{
	arch_vcpu_external(v, level);
}

void arch_vcpu_alone(struct vcpu *v)
{
	sleeps_in_guest = v->alone ? sleeps_in_guest | BIT(v->vm->id) :
				     sleeps_in_guest & ~BIT(v->vm->id);
}

bool arch_vcpu_wakes(const struct vcpu *v)
{
	return wakes & BIT(v->vm->id);
}

struct vcpu *arch_vcpu_current(void)
{
	return loaded;
}

static bool nothing_pending(void *chip, u32 index)
{
	(void)chip;
	(void)index;
	return false;
}

static const struct irqchip_ops chip = { .name = "none", .pending = nothing_pending };

void arch_vcpu_unwatch(struct vcpu *v)
{
	if (watched == v)
		watched = NULL;
}

struct frames frames;
u64 troubles;			/* bit per VM: an event */

bool schedule_frame(u64 at, struct frame *out)
{
	if (frames.frame.number)
		frames_advance(&frames, at);
	*out = frames.frame;
	return out->number != 0;
}

void events_health(u32 id)
{
	troubles |= BIT(id);
}

/* ---- Helpers ---- */

int sched_setup(void **state)
{
	(void)state;
	memset(vm, 0, sizeof(vm));
	memset(vcpu, 0, sizeof(vcpu));
	memset(&sched, 0, sizeof(sched));
	loaded = ran = watched = NULL;
	halts = 0;
	wakes = armed = sleeps_in_guest = 0;
	troubles = passes = 0;
	deaf = 0;
	frames = (struct frames){ .frame.number = 0 };
	now = 1000;
	in_guest = NULL;
	hart = (struct hart){ .index = 0 };
	hart_now = &hart;
	for (u32 i = 0; i < COUNT; i++) {
		vm[i].id = i;
		vm[i].irqchip = &chip;
		vm[i].def.sched = (struct vmdef_sched){ .shared = true, .priority = i };
		vcpu[i] = (struct vcpu){ .vm = &vm[i], .hart = &hart, .shared = true };
	}
	return 0;
}

void claim_and_start(u32 i)
{
	assert_int_equal(sched_claim(&sched, &vcpu[i]), 0);
	assert_int_equal(vcpu_start(&vcpu[i], 0x1000, 0), 0);
}

/* One turn runs this vCPU. */
void turn(u32 i)
{
	ran = NULL;
	assert_true(sched_turn(&sched));
	assert_ptr_equal(ran, &vcpu[i]);
}

void wait_for_interrupt(struct vcpu *v)
{
	vcpu_wait(v);
}

void stop(struct vcpu *v)
{
	vcpu_stop(v);
}
