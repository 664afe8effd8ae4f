/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's life, above all what its VM's other vCPUs can do to it while the VM stops: a vCPU that
 * has halted must never enter the guest again, for the last one to halt gives the memory back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include <asm/hart.h>
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/log.h>
#include <hv/machine.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

#define VCPUS 2

struct hart *hart_now;

static struct hart hart[VCPUS];
static struct vcpu vcpu[VCPUS];
static struct vm vm;
static struct vcpu *loaded[VCPUS];
static u32 entered, halted, soft, watched, departed, steps;
static void (*in_guest)(struct vcpu *vcpu);
static void (*in_unload)(void);
static void (*in_load)(void);

/* ---- What vcpu.c needs of others ---- */

void hart_kick(struct hart *to)
{
	to->kicks++;
}

void machine_vcpu_halt(struct vm *of, u32 index)
{
	assert_ptr_equal(of, &vm);
	assert_true(index < VCPUS);
}

bool vm_halted(struct vm *of)
{
	assert_ptr_equal(of, &vm);
	halted++;
	return steps != 0;
}

bool vm_finish(struct vm *of)
{
	assert_ptr_equal(of, &vm);
	if (--steps)
		return true;
	vm.last = NULL;
	return false;
}

/* Every third step. */
bool arch_hart_wanted(void)
{
	return steps % 3 == 0;
}

void arch_vcpu_reset(struct vcpu *v, const struct vcpu_start *start)
{
	v->arch.pc = start->pc;
}

void arch_vcpu_resume(struct vcpu *v, const struct vcpu_start *start)
{
	v->arch.pc = start->pc;
}

static void call(void (**hook)(void))
{
	void (*now)(void) = *hook;

	*hook = NULL;
	if (now)
		now();
}

void arch_vcpu_load(struct vcpu *v)
{
	loaded[v->index] = v;
	call(&in_load);
}

void arch_vcpu_park(struct vcpu *v)
{
	loaded[v->index] = NULL;
}

void arch_vcpu_depart(struct vcpu *v)
{
	departed++;
	arch_vcpu_park(v);
}

/* What the loop of vcpu_depart() calls: meanwhile the other hart has its turn. */
void fence_serve(void)
{
	struct hart *self = hart_now;

	hart_now = &hart[1];
	while (vcpu_run(&vcpu[1]))
		;
	hart_now = self;
}

void sched_let_go(const struct sched *s)
{
	(void)s;
}

void arch_vcpu_unload(struct vcpu *v)
{
	loaded[v->index] = NULL;
	call(&in_unload);
}

void arch_vcpu_enter(struct vcpu *v)
{
	assert_ptr_equal(loaded[v->index], v);
	entered++;
	if (in_guest)
		in_guest(v);
}

void arch_vcpu_soft(struct vcpu *v)
{
	(void)v;
	soft++;
}

void arch_vcpu_external(struct vcpu *v, bool level)
{
	(void)v;
	(void)level;
}

void arch_vcpu_unwatch(struct vcpu *v)
{
	(void)v;
}

u64 arch_timebase(void)
{
	return 10000000;
}

u64 arch_time(void)
{
	return 0;
}

void arch_vcpu_watch(struct vcpu *v)
{
	(void)v;
	watched++;
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
	(void)v;
}

bool arch_vcpu_wakes(const struct vcpu *v)
{
	(void)v;
	return soft != 0;
}

u32 arch_vcpu_deaf(const struct vcpu *v)
{
	(void)v;
	return 0;
}

struct vcpu *arch_vcpu_current(void)
{
	return loaded[hart_now->index];
}

static bool nothing_pending(void *chip, u32 index)
{
	(void)chip;
	(void)index;
	return false;
}

static const struct irqchip_ops chip = { .name = "none", .pending = nothing_pending };

/* ---- Helpers ---- */

u64 arch_hart_id(void)
{
	return hart_now->index;
}

void console_hv_line(const char *text, size_t len)
{
	(void)text;
	(void)len;
}

static int setup(void **state)
{
	(void)state;
	memset(&vm, 0, sizeof(vm));
	memset(vcpu, 0, sizeof(vcpu));
	memset(loaded, 0, sizeof(loaded));
	entered = halted = soft = watched = departed = steps = 0;
	in_guest = NULL;
	in_unload = in_load = NULL;
	vm.irqchip = &chip;
	vm.vcpus = VCPUS;
	for (u32 i = 0; i < VCPUS; i++) {
		hart[i] = (struct hart){ .index = i };
		vcpu[i].vm = &vm;
		vcpu[i].index = i;
		vcpu[i].hart = &hart[i];
		vm.vcpu[i] = &vcpu[i];
	}
	hart_now = &hart[0];
	return 0;
}

/* One turn of the loop of that vCPU's hart. */
static bool turn(u32 i)
{
	bool busy;

	hart_now = &hart[i];
	busy = vcpu_run(&vcpu[i]);
	hart_now = &hart[0];
	return busy;
}

static void start_1(void)
{
	assert_int_equal(vcpu_start(&vcpu[1], 0x1000, 7), 0);
	assert_true(turn(1));
	assert_int_equal(vcpu_state(&vcpu[1]), VCPU_RUNNING);
}

/* ---- Tests ---- */

static void test_start(void **state)
{
	(void)state;
	assert_false(turn(1));
	assert_int_equal(vcpu_start(&vcpu[1], 0x1000, 7), 0);
	assert_int_equal(hart[1].kicks, 1);
	assert_int_equal(vcpu_start(&vcpu[1], 0x2000, 8), -EBUSY);
	assert_true(turn(1));
	assert_int_equal(entered, 1);
	assert_int_equal(vcpu[1].arch.pc, 0x1000);
	assert_int_equal(vcpu_start(&vcpu[1], 0x2000, 8), -EBUSY);
}

static void test_halted_cannot_be_started(void **state)
{
	(void)state;
	start_1();
	vcpu_request(&vcpu[1], VCPU_REQ_HALT);
	assert_true(turn(1));
	assert_int_equal(halted, 1);
	entered = 0;
	assert_int_equal(vcpu_start(&vcpu[1], 0x2000, 8), -EBUSY);
	assert_false(turn(1));
	assert_int_equal(entered, 0);
}

static void test_stopped_then_halted_cannot_be_started(void **state)
{
	(void)state;
	vcpu_request(&vcpu[1], VCPU_REQ_HALT);
	assert_int_equal(vcpu_start(&vcpu[1], 0x2000, 8), 0);
	assert_true(turn(1));
	assert_int_equal(halted, 1);
	assert_false(turn(1));
	assert_int_equal(entered, 0);
}

static int start_result;

static void start_while_unloading(void)
{
	start_result = vcpu_start(&vcpu[1], 0x2000, 8);
}

/* Another vCPU starts this one, which was stopped, while its hart halts it. */
static void test_start_in_the_middle_of_a_halt(void **state)
{
	(void)state;
	in_unload = start_while_unloading;
	vcpu_request(&vcpu[1], VCPU_REQ_HALT);
	assert_true(turn(1));
	assert_int_equal(start_result, 0);
	assert_int_equal(halted, 1);
	assert_false(turn(1));
	assert_int_equal(entered, 0);
	assert_int_equal(vcpu_state(&vcpu[1]), VCPU_HALTED);
}

static void test_restored_can_be_started(void **state)
{
	(void)state;
	start_1();
	vcpu_request(&vcpu[1], VCPU_REQ_HALT);
	assert_true(turn(1));
	vcpu_restore(&vcpu[1]);
	entered = 0;
	start_1();
	assert_int_equal(entered, 1);
}

static void send_soft_1(void)
{
	vcpu_request(&vcpu[1], VCPU_REQ_SOFT);
}

static void test_interrupt_before_start_is_forgotten(void **state)
{
	(void)state;
	send_soft_1();
	start_1();
	assert_int_equal(soft, 0);
}

static void test_interrupt_after_start_arrives(void **state)
{
	(void)state;
	assert_int_equal(vcpu_start(&vcpu[1], 0x1000, 7), 0);
	send_soft_1();
	assert_true(turn(1));
	assert_int_equal(soft, 1);
}

static void suspend_in_guest(struct vcpu *v)
{
	vcpu_suspend(v, NULL);
}

static void test_suspended_sleeps_until_woken_or_halted(void **state)
{
	(void)state;
	in_guest = suspend_in_guest;
	assert_int_equal(vcpu_start(&vcpu[1], 0x1000, 7), 0);
	assert_true(turn(1));
	assert_int_equal(vcpu_state(&vcpu[1]), VCPU_SUSPENDED);
	assert_false(turn(1));
	assert_int_equal(watched, 1);
	send_soft_1();
	assert_true(turn(1));
	assert_int_equal(entered, 2);
	soft = 0;
	assert_false(turn(1));
	vcpu_request(&vcpu[1], VCPU_REQ_HALT);
	assert_true(turn(1));
	assert_int_equal(halted, 1);
}

static void stop_in_guest(struct vcpu *v)
{
	vcpu_stop(v);
}

static void test_stopped_can_be_started_again(void **state)
{
	(void)state;
	in_guest = stop_in_guest;
	assert_int_equal(vcpu_start(&vcpu[1], 0x1000, 7), 0);
	assert_true(turn(1));
	assert_false(turn(1));
	assert_int_equal(vcpu_start(&vcpu[1], 0x2000, 8), 0);
	assert_true(turn(1));
	assert_int_equal(entered, 2);
	assert_int_equal(vcpu[1].arch.pc, 0x2000);
}

/* From its hart, number 1, to number 0; it is where it was meanwhile. */
static void move_1(void)
{
	u32 kicks = hart[1].kicks, ran = entered;

	vcpu_depart(&vcpu[1]);
	assert_int_equal(hart[1].kicks, kicks + 1);
	assert_int_equal(departed, 1);
	assert_null(loaded[1]);
	vcpu_request(&vcpu[1], VCPU_REQ_SOFT);
	assert_false(turn(1));
	assert_int_equal(entered, ran);
	vcpu[1].hart = &hart[0];
	hart_now = &hart[1];
	vcpu_arrive(&vcpu[1]);
	assert_int_equal(hart[0].kicks, 1);
	hart_now = &hart[0];
}

static void test_move(void **state)
{
	(void)state;
	start_1();
	move_1();
	assert_true(vcpu_run(&vcpu[1]));
	assert_int_equal(entered, 2);
	assert_int_equal(soft, 1);
}

static void test_move_of_a_sleeper(void **state)
{
	(void)state;
	in_guest = suspend_in_guest;
	assert_int_equal(vcpu_start(&vcpu[1], 0x1000, 7), 0);
	assert_true(turn(1));
	assert_false(turn(1));
	move_1();
	assert_true(vcpu_run(&vcpu[1]));
	assert_int_equal(soft, 1);
}

static void test_move_before_it_starts(void **state)
{
	(void)state;
	move_1();
	assert_false(vcpu_run(&vcpu[1]));
	hart_now = &hart[1];
	assert_int_equal(vcpu_start(&vcpu[1], 0x1000, 7), 0);
	hart_now = &hart[0];
	assert_int_equal(hart[0].kicks, 2);
	assert_true(vcpu_run(&vcpu[1]));
	assert_int_equal(entered, 1);
}

/* What was asked for before, and may be done already, does not keep its hart from looking. */
static void test_move_of_one_that_was_paused(void **state)
{
	(void)state;
	start_1();
	vm.paused = 1;
	vcpu_request(&vcpu[1], VCPU_REQ_LEAVE);
	assert_false(turn(1));
	move_1();
	assert_false(vcpu_run(&vcpu[1]));
	vm.paused = 0;
	assert_true(vcpu_run(&vcpu[1]));
	assert_int_equal(entered, 2);
}

static void test_pause_of_a_sleeper_ends(void **state)
{
	u32 kicks;

	(void)state;
	in_guest = suspend_in_guest;
	assert_int_equal(vcpu_start(&vcpu[1], 0x1000, 7), 0);
	assert_true(turn(1));
	vm.paused = 1;
	vcpu_request(&vcpu[1], VCPU_REQ_LEAVE);
	assert_false(turn(1));
	vm.paused = 0;
	kicks = hart[1].kicks;
	vcpu_request(&vcpu[1], VCPU_REQ_LEAVE);
	assert_int_equal(hart[1].kicks, kicks + 1);
	watched = 0;
	assert_false(turn(1));
	assert_int_equal(watched, 1);
}

static void pause_by_hart_0(void)
{
	struct hart *self = hart_now;

	hart_now = &hart[0];
	vm.paused = 1;
	vcpu_request(&vcpu[1], VCPU_REQ_LEAVE);
	hart_now = self;
}

/* Its hart has just looked whether it may run, and serves the requests of one that wakes. */
static void test_pause_of_one_that_wakes(void **state)
{
	(void)state;
	in_guest = suspend_in_guest;
	assert_int_equal(vcpu_start(&vcpu[1], 0x1000, 7), 0);
	assert_true(turn(1));
	assert_false(turn(1));
	send_soft_1();
	in_load = pause_by_hart_0;
	entered = 0;
	while (turn(1))
		;
	assert_int_equal(entered, 0);
	vm.paused = 0;
	while (!entered)
		assert_true(turn(1));
}

static void test_move_while_it_halts(void **state)
{
	(void)state;
	start_1();
	vcpu_request(&vcpu[1], VCPU_REQ_HALT);
	move_1();
	assert_int_equal(halted, 1);
	assert_false(vcpu_run(&vcpu[1]));
	assert_int_equal(entered, 1);
}

/* What the VM leaves to do is done in the turns of its last vCPU, which is ready until then. */
static void test_last_one_finishes_in_its_turns(void **state)
{
	(void)state;
	start_1();
	steps = 8;
	vcpu_request(&vcpu[1], VCPU_REQ_HALT);
	assert_true(vcpu_run(&vcpu[1]));
	assert_ptr_equal(vm.last, &vcpu[1]);
	assert_int_equal(vcpu_state(&vcpu[1]), VCPU_HALTED);
	assert_int_equal(vcpu_settle(&vcpu[0]), SCHED_OFF);
	for (u32 left = 6; left + 3; left -= 3) {
		assert_int_equal(vcpu_settle(&vcpu[1]), SCHED_READY);
		assert_true(vcpu_run(&vcpu[1]));
		assert_int_equal(steps, left);
	}
	assert_int_equal(vcpu_settle(&vcpu[1]), SCHED_OFF);
	assert_false(vcpu_run(&vcpu[1]));
	assert_int_equal(entered, 1);
}

/* Paused at the moment it ended: nobody could resume it, so what is left to do is done. */
static void test_last_one_finishes_though_paused(void **state)
{
	(void)state;
	start_1();
	steps = 2;
	vcpu_request(&vcpu[1], VCPU_REQ_HALT);
	assert_true(vcpu_run(&vcpu[1]));
	vm.paused = 1;
	assert_int_equal(vcpu_settle(&vcpu[1]), SCHED_READY);
	assert_true(vcpu_run(&vcpu[1]));
	assert_null(vm.last);
}

static void jump_in_guest(struct vcpu *v)
{
	vcpu_note(v, &v->vm->log_limit,
		  &(struct vcpu_deed){ .kind = DEED_JUMP, .address = 0xbad });
}

static void store_in_guest(struct vcpu *v)
{
	vcpu_note(v, &v->vm->log_limit, &(struct vcpu_deed){
		.kind = DEED_STORE, .address = 0x1234, .pc = 0x80000000 });
}

/* Lines of the log that have this. */
static u32 lines_of(const char *what)
{
	static char text[65536];
	u64 seq = 0;
	u32 found = 0;
	size_t n = log_read(&seq, LOG_DEBUG, text, sizeof(text) - 1);

	text[n] = '\0';
	for (const char *at = text; (at = strstr(at, what)); at++)
		found++;
	return found;
}

/* In its turns, and only while nobody else wants the hart; the guest goes on when it is written. */
static void test_note_is_written_step_by_step(void **state)
{
	(void)state;
	strcpy(vm.def.name, "noted");
	start_1();
	in_guest = store_in_guest;
	assert_true(vcpu_run(&vcpu[1]));
	assert_int_equal(entered, 2);
	assert_true(vcpu[1].leave);
	for (u32 i = 0; i < 5; i++)
		assert_true(vcpu_run(&vcpu[1]));
	assert_int_equal(lines_of("noted: vCPU 1: store of 0x1234 at pc 0x80000000 refused"), 0);
	steps = 1;	/* nobody wants the hart */
	for (u32 i = 0; i < 4; i++) {
		assert_int_equal(lines_of("noted: vCPU 1: store"), 0);
		assert_true(vcpu_run(&vcpu[1]));
	}
	assert_int_equal(lines_of("noted: vCPU 1: store of 0x1234 at pc 0x80000000 refused"), 1);
	assert_int_equal(entered, 2);
	in_guest = NULL;
	assert_true(vcpu_run(&vcpu[1]));
	assert_int_equal(entered, 3);
}

/* One an exit: of two only the first is written, the other one counts as suppressed. */
static void breaks_queue(struct vcpu *v)
{
	static struct log_limit limit;

	vcpu_note(v, &limit, &(struct vcpu_deed){
		.kind = DEED_QUEUE, .device = "card", .why = "is a loop", .queue = 7 });
	store_in_guest(v);
}

static void test_note_of_a_device(void **state)
{
	(void)state;
	strcpy(vm.def.name, "broken");
	start_1();
	in_guest = breaks_queue;
	assert_true(vcpu_run(&vcpu[1]));
	steps = 1;	/* nobody wants the hart */
	for (u32 i = 0; i < 4; i++)
		assert_true(vcpu_run(&vcpu[1]));
	assert_int_equal(lines_of("broken: card: queue 7: is a loop; the device needs a reset"), 1);
	assert_int_equal(lines_of("broken: vCPU 1: store"), 0);
	assert_int_equal(vm.log_limit.dropped, 1);
}

/* Ten lines, then one that says how many there would have been; nothing is kept from the guest. */
static void test_notes_are_limited(void **state)
{
	(void)state;
	strcpy(vm.def.name, "limited");
	start_1();
	steps = 1;
	in_guest = jump_in_guest;
	for (u32 i = 0; i < 10 * 5 + 5; i++)
		assert_true(vcpu_run(&vcpu[1]));
	assert_int_equal(lines_of("limited: vCPU 1: jump to 0xbad, where it has no"), 10);
	assert_int_equal(entered, 1 + 10 + 5);
	vm.log_limit.count = 0;
	for (u32 i = 0; i < 1 + 4; i++)
		assert_true(vcpu_run(&vcpu[1]));
	assert_int_equal(lines_of("5 lines like the next one were suppressed"), 1);
	assert_int_equal(lines_of("limited: vCPU 1: jump"), 10);
	for (u32 i = 0; i < 4; i++)
		assert_true(vcpu_run(&vcpu[1]));
	assert_int_equal(lines_of("limited: vCPU 1: jump"), 11);
}

/* Who is stopped in the middle has said it all the same. */
static void test_note_of_one_that_halts(void **state)
{
	(void)state;
	strcpy(vm.def.name, "halts");
	start_1();
	in_guest = jump_in_guest;
	assert_true(vcpu_run(&vcpu[1]));
	vcpu_request(&vcpu[1], VCPU_REQ_HALT);
	assert_true(vcpu_run(&vcpu[1]));
	assert_int_equal(vcpu_state(&vcpu[1]), VCPU_HALTED);
	/* It halts at once: what winds the VM up says the rest, in steps. */
	for (u32 i = 0; i < 4; i++) {
		assert_int_equal(lines_of("halts: vCPU 1: jump"), 0);
		assert_true(vcpu_say(&vcpu[1]));
	}
	assert_int_equal(lines_of("halts: vCPU 1: jump"), 1);
	assert_false(vcpu_say(&vcpu[1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_start, setup),
		cmocka_unit_test_setup(test_halted_cannot_be_started, setup),
		cmocka_unit_test_setup(test_stopped_then_halted_cannot_be_started, setup),
		cmocka_unit_test_setup(test_start_in_the_middle_of_a_halt, setup),
		cmocka_unit_test_setup(test_restored_can_be_started, setup),
		cmocka_unit_test_setup(test_interrupt_before_start_is_forgotten, setup),
		cmocka_unit_test_setup(test_interrupt_after_start_arrives, setup),
		cmocka_unit_test_setup(test_suspended_sleeps_until_woken_or_halted, setup),
		cmocka_unit_test_setup(test_stopped_can_be_started_again, setup),
		cmocka_unit_test_setup(test_move, setup),
		cmocka_unit_test_setup(test_move_of_a_sleeper, setup),
		cmocka_unit_test_setup(test_move_before_it_starts, setup),
		cmocka_unit_test_setup(test_move_of_one_that_was_paused, setup),
		cmocka_unit_test_setup(test_pause_of_a_sleeper_ends, setup),
		cmocka_unit_test_setup(test_pause_of_one_that_wakes, setup),
		cmocka_unit_test_setup(test_move_while_it_halts, setup),
		cmocka_unit_test_setup(test_last_one_finishes_in_its_turns, setup),
		cmocka_unit_test_setup(test_last_one_finishes_though_paused, setup),
		cmocka_unit_test_setup(test_note_is_written_step_by_step, setup),
		cmocka_unit_test_setup(test_note_of_a_device, setup),
		cmocka_unit_test_setup(test_notes_are_limited, setup),
		cmocka_unit_test_setup(test_note_of_one_that_halts, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
