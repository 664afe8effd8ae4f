/* SPDX-License-Identifier: BSD-2-Clause */
/* When the daemon boots an ended VM again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../tools/cli/lib/policy.h"

static int delay(enum def_restart restart, uint32_t reason, uint64_t seconds,
		 unsigned int *failures)
{
	const struct policy_end end = {
		.restart = restart, .reason = reason, .seconds = seconds,
	};

	return policy_delay(&end, failures);
}

static void test_who_restarts(void **state)
{
	static const struct {
		uint32_t reason;
		bool never, on_failure, always;
	} rows[] = {
		{ SHYPER_END_POWEROFF, false, false, true },
		{ SHYPER_END_REBOOT, true, true, true },
		{ SHYPER_END_FAILURE, false, true, true },
		{ SHYPER_END_CRASH, false, true, true },
		{ SHYPER_END_STOP, false, false, false },
		{ 99, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned int f = 0;

		assert_int_equal(delay(DEF_NEVER, rows[i].reason, 100, &f) >= 0, rows[i].never);
		assert_int_equal(delay(DEF_ON_FAILURE, rows[i].reason, 100, &f) >= 0,
				 rows[i].on_failure);
		assert_int_equal(delay(DEF_ALWAYS, rows[i].reason, 100, &f) >= 0, rows[i].always);
	}
}

static void test_delay_grows_and_is_bounded(void **state)
{
	static const int expected[] = { 1, 2, 4, 8, 16, 32, 60, 60 };
	unsigned int failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(delay(DEF_ALWAYS, SHYPER_END_CRASH, 5, &failures), expected[i]);
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(delay(DEF_ALWAYS, SHYPER_END_CRASH, 5, &failures), 60);
}

static void test_a_long_run_forgives(void **state)
{
	unsigned int failures = 10;

	(void)state;
	assert_int_equal(delay(DEF_ALWAYS, SHYPER_END_CRASH, 60, &failures), 1);
	assert_int_equal(failures, 1);
}

/* A guest that reboots is served at once, one that does nothing else is slowed down. */
static void test_reboots(void **state)
{
	unsigned int failures = 0;

	(void)state;
	assert_int_equal(delay(DEF_NEVER, SHYPER_END_REBOOT, 30, &failures), 0);
	assert_int_equal(delay(DEF_NEVER, SHYPER_END_REBOOT, 2, &failures), 1);
	assert_int_equal(delay(DEF_NEVER, SHYPER_END_REBOOT, 2, &failures), 2);
	assert_int_equal(delay(DEF_NEVER, SHYPER_END_REBOOT, 30, &failures), 0);
}

static void test_held(void **state)
{
	const struct policy_end end = {
		.restart = DEF_ALWAYS, .reason = SHYPER_END_CRASH, .held = true,
	};
	unsigned int failures = 3;

	(void)state;
	assert_int_equal(policy_delay(&end, &failures), POLICY_NEVER);
	assert_int_equal(failures, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_restarts),
		cmocka_unit_test(test_delay_grows_and_is_bounded),
		cmocka_unit_test(test_a_long_run_forgives),
		cmocka_unit_test(test_reboots),
		cmocka_unit_test(test_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
