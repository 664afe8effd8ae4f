/* SPDX-License-Identifier: BSD-2-Clause */
/* Work that steps back: only when the hart is wanted, and goes on where it was, on any hart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <ucontext.h>
#include <cmocka.h>

#include <hv/check.h>
#include <hv/fiber.h>
#include <hv/vm.h>

static bool wanted;
static struct fiber *own[2];	/* of two harts */
static u32 hart;
static jmp_buf failed;

bool arch_hart_wanted(void)
{
	return wanted;
}

struct fiber **arch_fiber_own(void)
{
	return &own[hart];
}

void panic(const char *fmt, ...)
{
	(void)fmt;
	longjmp(failed, 1);
}

/* A context's address stands for its stack's top. */
static struct {
	ucontext_t context;
	void (*main)(void *arg);
	void *arg;
} first;

static void enter(void)
{
	first.main(first.arg);
	abort();
}

u64 arch_fiber_stack(u64 *top, void (*main)(void *arg), void *arg)
{
	getcontext(&first.context);
	first.context.uc_stack.ss_sp = (u8 *)top - FIBER_STACK / 2;
	first.context.uc_stack.ss_size = FIBER_STACK / 2;
	first.main = main;
	first.arg = arg;
	makecontext(&first.context, enter, 0);
	return (u64)(uintptr_t)&first.context;
}

void arch_fiber_switch(u64 *from, const u64 *to)
{
	ucontext_t here;

	*from = (u64)(uintptr_t)&here;
	swapcontext(&here, (ucontext_t *)(uintptr_t)*to);
}

static struct fiber fiber;
static u32 steps;

static int fresh(void **state)
{
	(void)state;
	fiber.going = false;
	own[0] = own[1] = NULL;
	hart = 0;
	wanted = false;
	steps = 0;
	return 0;
}

/* What it keeps on its stack, it finds there. */
static void work(void *arg)
{
	u32 *done = arg;

	for (u32 mine = 0; mine < 5; mine++) {
		assert_int_equal(mine, *done);
		++*done;
		fiber_breathe();
	}
}

static void test_done_at_once(void **state)
{
	(void)state;
	fiber_begin(&fiber, work, &steps);
	assert_int_equal(steps, 0);
	assert_false(fiber_run(&fiber));
	assert_int_equal(steps, 5);
	assert_null(own[0]);
}

static void test_steps_back_when_wanted(void **state)
{
	(void)state;
	fiber_begin(&fiber, work, &steps);
	wanted = true;
	for (u32 n = 1; n <= 5; n++) {
		assert_true(fiber_run(&fiber));
		assert_int_equal(steps, n);
		assert_null(own[0]);
	}
	assert_false(fiber_run(&fiber));
	/* And anew. */
	steps = 0;
	wanted = false;
	fiber_begin(&fiber, work, &steps);
	assert_false(fiber_run(&fiber));
	assert_int_equal(steps, 5);
}

static void test_goes_on_elsewhere(void **state)
{
	(void)state;
	fiber_begin(&fiber, work, &steps);
	wanted = true;
	assert_true(fiber_run(&fiber));
	hart = 1;
	assert_true(fiber_run(&fiber));
	assert_int_equal(steps, 2);
	assert_null(own[0]);
	assert_null(own[1]);
	wanted = false;
	assert_false(fiber_run(&fiber));
	assert_int_equal(steps, 5);
	assert_null(own[1]);
}

static void test_nothing_outside(void **state)
{
	(void)state;
	wanted = true;
	fiber_breathe();
	assert_null(own[0]);
}

static void test_refuses_what_is_wrong(void **state)
{
	static const char *const volatile what[] = { "under way", "within", "done", "too deep" };
	volatile u32 refused = 0;

	(void)state;
	for (volatile u32 i = 0; i < ARRAY_SIZE(what); i++) {
		fresh(NULL);
		fiber_begin(&fiber, work, &steps);
		if (setjmp(failed)) {
			refused++;
			continue;
		}
		switch (i) {
		case 0:
			fiber_begin(&fiber, work, &steps);
			break;
		case 1:
			own[0] = &fiber;
			(void)fiber_run(&fiber);
			break;
		case 2:
			(void)fiber_run(&fiber);
			(void)fiber_run(&fiber);
			break;
		default:
			fiber.stack[0] = 0;
			(void)fiber_run(&fiber);
		}
	}
	assert_int_equal(refused, ARRAY_SIZE(what));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_done_at_once, fresh),
		cmocka_unit_test_setup(test_steps_back_when_wanted, fresh),
		cmocka_unit_test_setup(test_goes_on_elsewhere, fresh),
		cmocka_unit_test_setup(test_nothing_outside, fresh),
		cmocka_unit_test_setup(test_refuses_what_is_wrong, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
