/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PMU model, call by call and error by error as the specification has it, the calls that
 * Linux makes, and random calls against what must always hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include <asm/vpmu.h>

#define ALL (~(u64)0)
#define VALID 0x7ffdu	/* cycle, instret, twelve firmware counters */
#define FW_EVENT(code) ((u64)SBI_PMU_EVENT_TYPE_FW << 16 | (code))
#define CYCLES 1
#define INSTRUCTIONS 2

static struct vpmu pmu;
static struct vpmu_host host;
static u64 value;

static int reset(void **state)
{
	(void)state;
	vpmu_reset(&pmu);
	host = (struct vpmu_host){ .cycle = 1000, .instret = 500 };
	return 0;
}

static long call(u64 fid, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4)
{
	const u64 arg[5] = { a0, a1, a2, a3, a4 };

	value = 0xdead;
	return vpmu_sbi(&pmu, fid, arg, &host, &value);
}

static long config(u64 base, u64 mask, u64 flags, u64 event)
{
	return call(SBI_EXT_PMU_COUNTER_CONFIG_MATCHING, base, mask, flags, event, 0);
}

static long start(u64 base, u64 mask, u64 flags, u64 initial)
{
	return call(SBI_EXT_PMU_COUNTER_START, base, mask, flags, initial, 0);
}

static long stop(u64 base, u64 mask, u64 flags)
{
	return call(SBI_EXT_PMU_COUNTER_STOP, base, mask, flags, 0, 0);
}

static u64 fw_read(u64 counter)
{
	assert_int_equal(call(SBI_EXT_PMU_COUNTER_FW_READ, counter, 0, 0, 0, 0), SBI_SUCCESS);
	return value;
}

static u64 cycle(void)
{
	return vpmu_hw_read(&pmu, VPMU_CYCLE, host.cycle);
}

static u64 instret(void)
{
	return vpmu_hw_read(&pmu, VPMU_INSTRET, host.instret);
}

static void counters_and_their_info(void **state)
{
	(void)state;
	assert_int_equal(call(SBI_EXT_PMU_NUM_COUNTERS, ALL, ALL, ALL, ALL, ALL), SBI_SUCCESS);
	assert_int_equal(value, 15);
	for (u64 i = 0; i < 15; i++) {
		assert_int_equal(call(SBI_EXT_PMU_COUNTER_GET_INFO, i, 0, 0, 0, 0),
				 i == 1 ? SBI_ERR_INVALID_PARAM : SBI_SUCCESS);
		if (i >= VPMU_FW_FIRST)
			assert_true(value == BIT(63));
	}
	call(SBI_EXT_PMU_COUNTER_GET_INFO, 0, 0, 0, 0, 0);
	assert_true(value == (63 << 12 | 0xc00));
	call(SBI_EXT_PMU_COUNTER_GET_INFO, 2, 0, 0, 0, 0);
	assert_true(value == (63 << 12 | 0xc02));
	for (u32 i = 0; i < 3; i++) {
		const u64 beyond[] = { 15, BIT(32), ALL };

		assert_int_equal(call(SBI_EXT_PMU_COUNTER_GET_INFO, beyond[i], 0, 0, 0, 0),
				 SBI_ERR_INVALID_PARAM);
		assert_int_equal(value, 0);
	}
}

static void functions_we_lack(void **state)
{
	static const u64 fids[] = {
		SBI_EXT_PMU_SNAPSHOT_SET_SHMEM, SBI_EXT_PMU_EVENT_GET_INFO, 9, 100, BIT(32), ALL,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fids); i++) {
		assert_int_equal(call(fids[i], 0, 0, 0, 0, 0), SBI_ERR_NOT_SUPPORTED);
		assert_int_equal(value, 0);
	}
}

/* Sets with a counter that does not exist are refused by all three, and change nothing. */
static void wrong_sets(void **state)
{
	static const struct {
		u64 base, mask;
	} sets[] = {
		{ 0, 2 }, { 1, 1 }, { 0, ALL }, { 0, BIT(15) }, { 15, 1 }, { 14, 3 }, { 64, 1 },
		{ 0, BIT(63) }, { 2, BIT(62) }, { 2, BIT(63) }, { ALL, 1 }, { ALL, 2 },
		{ ALL, ALL }, { BIT(63), 1 }, { 3, BIT(60) | 1 }, { BIT(32), 1 },
	};
	struct vpmu before = pmu;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		u64 base = sets[i].base, mask = sets[i].mask;

		assert_int_equal(config(base, mask, 0, CYCLES), SBI_ERR_INVALID_PARAM);
		assert_int_equal(config(base, mask, 1, CYCLES), SBI_ERR_INVALID_PARAM);
		assert_int_equal(start(base, mask, 0, 0), SBI_ERR_INVALID_PARAM);
		assert_int_equal(stop(base, mask, 0), SBI_ERR_INVALID_PARAM);
		assert_memory_equal(&pmu, &before, sizeof(pmu));
	}
}

/* Linux stops "the used counters" in words of 64, most of which are empty. */
static void empty_sets(void **state)
{
	(void)state;
	assert_int_equal(start(0, 0, 0, 0), SBI_SUCCESS);
	assert_int_equal(stop(0, 0, 0), SBI_SUCCESS);
	assert_int_equal(stop(64, 0, SBI_PMU_STOP_FLAG_RESET), SBI_SUCCESS);
	assert_int_equal(config(0, 0, 0, CYCLES), SBI_ERR_NOT_SUPPORTED);
	assert_int_equal(config(0, 0, SBI_PMU_CFG_FLAG_SKIP_MATCH, CYCLES), SBI_ERR_NOT_SUPPORTED);
}

static void reserved_flags(void **state)
{
	(void)state;
	for (u32 bit = 0; bit < 64; bit++) {
		if (bit >= 8)
			assert_int_equal(config(0, 1, BIT(bit), CYCLES), SBI_ERR_INVALID_PARAM);
		if (bit >= 2) {
			assert_int_equal(start(0, 1, BIT(bit), 0), SBI_ERR_INVALID_PARAM);
			assert_int_equal(stop(0, 1, BIT(bit)), SBI_ERR_INVALID_PARAM);
		}
	}
	assert_int_equal(vpmu_hcounteren(&pmu), 5);
}

/* There is no shared memory, and nothing happens to the counters. */
static void snapshot_flags(void **state)
{
	(void)state;
	assert_int_equal(stop(0, 1, SBI_PMU_STOP_FLAG_TAKE_SNAPSHOT), SBI_ERR_NO_SHMEM);
	assert_int_equal(stop(0, 1, 3), SBI_ERR_NO_SHMEM);
	assert_int_equal(stop(1, 1, 2), SBI_ERR_INVALID_PARAM);
	assert_true(vpmu_hw_direct(&pmu, VPMU_CYCLE));
	assert_int_equal(start(0, 1, SBI_PMU_START_FLAG_INIT_SNAPSHOT, 0), SBI_ERR_NO_SHMEM);
	assert_int_equal(start(0, 1, 3, 0), SBI_ERR_INVALID_PARAM);
}

static void events_we_lack(void **state)
{
	(void)state;
	for (u64 event = 0; event < 0x120000; event++) {
		u64 type = event >> 16, code = event & 0xffff;
		bool known = (type == 0 && (code == 1 || code == 2)) ||
			     (type == 15 && code < 22 && (VPMU_FW_COUNTED & BIT(code)));

		if (!known)
			assert_int_equal(config(0, VALID, 0, event), SBI_ERR_NOT_SUPPORTED);
	}
	assert_int_equal(config(0, VALID, 0, BIT(32) | 1), SBI_ERR_NOT_SUPPORTED);
	assert_int_equal(config(0, VALID, 0, ALL), SBI_ERR_NOT_SUPPORTED);
	/* event_data is reserved for the events that we have. */
	assert_int_equal(call(SBI_EXT_PMU_COUNTER_CONFIG_MATCHING, 0, VALID, 0, CYCLES, 1),
			 SBI_ERR_NOT_SUPPORTED);
	assert_int_equal(call(SBI_EXT_PMU_COUNTER_CONFIG_MATCHING, 0, VALID, 0,
			      FW_EVENT(SBI_PMU_FW_SET_TIMER), BIT(63)), SBI_ERR_NOT_SUPPORTED);
	/* Nothing was given out, and nothing stopped. */
	assert_int_equal(pmu.configured, 0);
	assert_int_equal(vpmu_hcounteren(&pmu), 5);
}

static void hardware_counts_directly_until_touched(void **state)
{
	(void)state;
	assert_int_equal(vpmu_hcounteren(&pmu), 5);
	assert_int_equal(cycle(), 1000);
	assert_int_equal(instret(), 500);
	assert_int_equal(start(0, 1, 0, 0), SBI_ERR_ALREADY_STARTED);
	assert_int_equal(stop(0, 1, 0), SBI_SUCCESS);
	assert_int_equal(vpmu_hcounteren(&pmu), 4);
	host.cycle += 100;
	assert_int_equal(cycle(), 1000);
	assert_int_equal(stop(0, 1, 0), SBI_ERR_ALREADY_STOPPED);
	assert_int_equal(start(0, 1, 0, 77), SBI_SUCCESS);
	host.cycle += 10;
	assert_int_equal(cycle(), 1010);
	assert_int_equal(vpmu_hcounteren(&pmu), 4);
	/* With a value that meets the host's, the CSR may be read directly again. */
	stop(0, 1, 0);
	assert_int_equal(start(0, 1, SBI_PMU_START_SET_INIT_VALUE, host.cycle), SBI_SUCCESS);
	assert_int_equal(vpmu_hcounteren(&pmu), 5);
}

static void hardware_initial_value(void **state)
{
	(void)state;
	stop(0, VALID, SBI_PMU_STOP_FLAG_RESET);
	assert_int_equal(vpmu_hcounteren(&pmu), 0);
	assert_int_equal(config(0, VALID, 0, INSTRUCTIONS), SBI_SUCCESS);
	assert_int_equal(value, VPMU_INSTRET);
	assert_int_equal(start(2, 1, SBI_PMU_START_SET_INIT_VALUE, (u64)-5), SBI_SUCCESS);
	assert_true(instret() == (u64)-5);
	host.instret += 7;
	assert_int_equal(instret(), 2);
	assert_int_equal(start(2, 1, SBI_PMU_START_SET_INIT_VALUE, 9), SBI_ERR_ALREADY_STARTED);
	assert_int_equal(instret(), 2);
}

static void part_of_a_set_started(void **state)
{
	(void)state;
	stop(0, 1, 0);
	/* instret runs, cycle does not: the error tells, and cycle starts. */
	assert_int_equal(start(0, 5, SBI_PMU_START_SET_INIT_VALUE, 1), SBI_ERR_ALREADY_STARTED);
	host.cycle += 2;
	assert_int_equal(cycle(), 3);
	assert_int_equal(instret(), 500);
	stop(2, 1, 0);
	assert_int_equal(stop(0, 5, 0), SBI_ERR_ALREADY_STOPPED);
	host.cycle += 2;
	assert_int_equal(cycle(), 3);
}

static void matching_gives_each_counter_once(void **state)
{
	(void)state;
	assert_int_equal(config(0, VALID, 0, CYCLES), SBI_SUCCESS);
	assert_int_equal(value, VPMU_CYCLE);
	assert_int_equal(config(0, VALID, 0, CYCLES), SBI_ERR_NOT_SUPPORTED);
	assert_int_equal(config(0, VALID & ~5u, 0, INSTRUCTIONS), SBI_ERR_NOT_SUPPORTED);
	for (u64 i = 0; i < VPMU_FW_COUNTERS; i++) {
		assert_int_equal(config(0, VALID, 0, FW_EVENT(SBI_PMU_FW_IPI_SENT)), SBI_SUCCESS);
		assert_int_equal(value, VPMU_FW_FIRST + i);
	}
	assert_int_equal(config(0, VALID, 0, FW_EVENT(SBI_PMU_FW_SET_TIMER)),
			 SBI_ERR_NOT_SUPPORTED);
	assert_int_equal(value, 0);
	/* RESET gives it back, whether it ran or not. */
	assert_int_equal(stop(7, 1, SBI_PMU_STOP_FLAG_RESET), SBI_ERR_ALREADY_STOPPED);
	assert_int_equal(config(5, 0x1f, 0, FW_EVENT(SBI_PMU_FW_SET_TIMER)), SBI_SUCCESS);
	assert_int_equal(value, 7);
}

static void configuring_clears_and_starts(void **state)
{
	const u64 event = FW_EVENT(SBI_PMU_FW_SET_TIMER);

	(void)state;
	vpmu_count(&pmu, SBI_PMU_FW_SET_TIMER);
	assert_int_equal(config(3, 1, SBI_PMU_CFG_FLAG_AUTO_START | 0xf8, event), SBI_SUCCESS);
	vpmu_count(&pmu, SBI_PMU_FW_SET_TIMER);
	vpmu_count(&pmu, SBI_PMU_FW_IPI_SENT);
	assert_int_equal(fw_read(3), 1);
	assert_int_equal(stop(3, 1, SBI_PMU_STOP_FLAG_RESET), SBI_SUCCESS);
	/* The value stays, and AUTO_START alone leaves it as it is. */
	assert_int_equal(config(3, 1, SBI_PMU_CFG_FLAG_AUTO_START, event), SBI_SUCCESS);
	vpmu_count(&pmu, SBI_PMU_FW_SET_TIMER);
	assert_int_equal(fw_read(3), 2);
	stop(3, 1, SBI_PMU_STOP_FLAG_RESET);
	assert_int_equal(config(3, 1, SBI_PMU_CFG_FLAG_CLEAR_VALUE, event), SBI_SUCCESS);
	vpmu_count(&pmu, SBI_PMU_FW_SET_TIMER);
	assert_int_equal(fw_read(3), 0);
}

static void skip_match_takes_the_first(void **state)
{
	const u64 skip = SBI_PMU_CFG_FLAG_SKIP_MATCH;

	(void)state;
	assert_int_equal(config(0, 1, skip, CYCLES), SBI_SUCCESS);
	assert_int_equal(value, 0);
	/* Configured already, and it runs on when it ran. */
	assert_int_equal(start(0, 1, SBI_PMU_START_SET_INIT_VALUE, 50), SBI_SUCCESS);
	assert_int_equal(config(0, 5, skip | SBI_PMU_CFG_FLAG_CLEAR_VALUE, CYCLES), SBI_SUCCESS);
	assert_int_equal(value, 0);
	host.cycle += 3;
	assert_int_equal(cycle(), 3);
	/* Linux's legacy mode asks for instret by bit 2. */
	assert_int_equal(config(0, BIT(2), skip, INSTRUCTIONS), SBI_SUCCESS);
	assert_int_equal(value, 2);
	/* A counter that cannot count the event is not taken, nor the next one. */
	assert_int_equal(config(0, 5, skip, INSTRUCTIONS), SBI_ERR_NOT_SUPPORTED);
	assert_int_equal(config(0, 5, skip, FW_EVENT(SBI_PMU_FW_SET_TIMER)), SBI_ERR_NOT_SUPPORTED);
	assert_int_equal(config(2, 3, skip, FW_EVENT(SBI_PMU_FW_SET_TIMER)), SBI_ERR_NOT_SUPPORTED);
	assert_int_equal(config(3, 3, skip, FW_EVENT(SBI_PMU_FW_SET_TIMER)), SBI_SUCCESS);
	assert_int_equal(value, 3);
}

/* Another event in a running counter: what it has is kept, the new event counts on. */
static void changing_the_event(void **state)
{
	const u64 flags = SBI_PMU_CFG_FLAG_SKIP_MATCH | SBI_PMU_CFG_FLAG_AUTO_START;

	(void)state;
	pmu.fw_event[SBI_PMU_FW_IPI_SENT] = 1000;
	assert_int_equal(config(4, 1, flags, FW_EVENT(SBI_PMU_FW_SET_TIMER)), SBI_SUCCESS);
	vpmu_count(&pmu, SBI_PMU_FW_SET_TIMER);
	assert_int_equal(config(4, 1, flags, FW_EVENT(SBI_PMU_FW_IPI_SENT)), SBI_SUCCESS);
	assert_int_equal(fw_read(4), 1);
	vpmu_count(&pmu, SBI_PMU_FW_IPI_SENT);
	vpmu_count(&pmu, SBI_PMU_FW_SET_TIMER);
	assert_int_equal(fw_read(4), 2);
}

static void firmware_counters(void **state)
{
	(void)state;
	/* Without an event it cannot be started. */
	assert_int_equal(start(3, 1, 0, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(start(2, 3, 0, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(fw_read(3), 0);
	config(3, 1, 0, FW_EVENT(SBI_PMU_FW_ILLEGAL_INSN));
	vpmu_count(&pmu, SBI_PMU_FW_ILLEGAL_INSN);
	assert_int_equal(fw_read(3), 0);
	assert_int_equal(start(3, 1, SBI_PMU_START_SET_INIT_VALUE, 40), SBI_SUCCESS);
	vpmu_count(&pmu, SBI_PMU_FW_ILLEGAL_INSN);
	vpmu_count(&pmu, SBI_PMU_FW_ILLEGAL_INSN);
	assert_int_equal(fw_read(3), 42);
	assert_int_equal(stop(3, 1, 0), SBI_SUCCESS);
	vpmu_count(&pmu, SBI_PMU_FW_ILLEGAL_INSN);
	assert_int_equal(fw_read(3), 42);
	assert_int_equal(start(3, 1, 0, 7), SBI_SUCCESS);
	vpmu_count(&pmu, SBI_PMU_FW_ILLEGAL_INSN);
	assert_int_equal(fw_read(3), 43);
}

static void firmware_read_errors(void **state)
{
	static const u64 wrong[] = { 0, 1, 2, 15, 16, 64, BIT(32) + 3, ALL };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(call(SBI_EXT_PMU_COUNTER_FW_READ, wrong[i], 0, 0, 0, 0),
				 SBI_ERR_INVALID_PARAM);
		assert_int_equal(call(SBI_EXT_PMU_COUNTER_FW_READ_HI, wrong[i], 0, 0, 0, 0),
				 SBI_ERR_INVALID_PARAM);
	}
	pmu.fw_event[SBI_PMU_FW_SET_TIMER] = ALL - 5;
	config(3, 1, SBI_PMU_CFG_FLAG_AUTO_START, FW_EVENT(SBI_PMU_FW_SET_TIMER));
	start(3, 1, SBI_PMU_START_SET_INIT_VALUE, ALL);
	for (u64 i = 3; i < 15; i++) {
		assert_int_equal(call(SBI_EXT_PMU_COUNTER_FW_READ_HI, i, 0, 0, 0, 0), SBI_SUCCESS);
		assert_int_equal(value, 0);
	}
}

/* What drivers/perf/riscv_pmu_sbi.c does, from its probe to `perf stat -e cycles,instructions`. */
static void linux_driver(void **state)
{
	u64 cmask = 0, hw_events[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0x10000, 0x10001, 0x10008 };

	(void)state;
	call(SBI_EXT_PMU_NUM_COUNTERS, 0, 0, 0, 0, 0);
	for (u64 i = 0, n = value; i < n; i++) {
		if (call(SBI_EXT_PMU_COUNTER_GET_INFO, i, 0, 0, 0, 0) == SBI_SUCCESS)
			cmask |= BIT(i);
	}
	assert_int_equal(cmask, VALID);
	/* It stops all and does not look at the error. */
	assert_int_equal(stop(0, cmask, SBI_PMU_STOP_FLAG_RESET), SBI_ERR_ALREADY_STOPPED);
	assert_int_equal(vpmu_hcounteren(&pmu), 0);
	for (size_t i = 0; i < ARRAY_SIZE(hw_events); i++) {
		long error = config(0, cmask, 0, hw_events[i]);

		assert_int_equal(error, i < 2 ? SBI_SUCCESS : SBI_ERR_NOT_SUPPORTED);
		if (!error)
			stop(value, 1, SBI_PMU_STOP_FLAG_RESET);
	}
	/* A group: both counters are asked for before either starts. */
	assert_int_equal(config(0, cmask, SBI_PMU_CFG_FLAG_SET_SINH, CYCLES), SBI_SUCCESS);
	assert_int_equal(value, 0);
	assert_int_equal(config(0, cmask, 0, INSTRUCTIONS), SBI_SUCCESS);
	assert_int_equal(value, 2);
	assert_int_equal(start(0, 1, SBI_PMU_START_SET_INIT_VALUE, BIT(63)), SBI_SUCCESS);
	assert_int_equal(start(2, 1, SBI_PMU_START_SET_INIT_VALUE, BIT(63)), SBI_SUCCESS);
	host.cycle += 12345;
	host.instret += 6789;
	assert_true(cycle() == BIT(63) + 12345);
	assert_true(instret() == BIT(63) + 6789);
	assert_int_equal(stop(0, 1, 0), SBI_SUCCESS);
	host.cycle += 1;
	assert_true(cycle() == BIT(63) + 12345);
	assert_int_equal(stop(0, 1, SBI_PMU_STOP_FLAG_RESET), SBI_ERR_ALREADY_STOPPED);
	assert_int_equal(config(0, cmask, 0, CYCLES), SBI_SUCCESS);
}

static u64 extreme(void)
{
	static const u64 values[] = { 0, 1, 2, 3, 4, 5, 7, 14, 15, 16, 63, 64, VALID, BIT(31),
				      BIT(32), BIT(63), ALL, ALL - 1, 0xf0005, 0xf0006, 0xf000d };

	return rand() % 4 ? values[(u32)rand() % ARRAY_SIZE(values)] : (u64)rand() % 32;
}

/* Whatever a guest calls: the errors are the specified ones, and the bitmaps stay sane. */
static void random_calls(void **state)
{
	(void)state;
	srand(1);
	for (u32 i = 0; i < 300000; i++) {
		long error = call((u64)rand() % 10, extreme(), extreme(), extreme(), extreme(),
				  rand() % 4 ? 0 : extreme());

		assert_true(error == SBI_SUCCESS || error == SBI_ERR_NOT_SUPPORTED ||
			    error == SBI_ERR_INVALID_PARAM || error == SBI_ERR_ALREADY_STARTED ||
			    error == SBI_ERR_ALREADY_STOPPED || error == SBI_ERR_NO_SHMEM);
		if (error)
			assert_int_equal(value, 0);
		assert_int_equal((pmu.started | pmu.configured) & ~VALID, 0);
		/* A firmware counter runs only with an event that exists. */
		assert_int_equal(pmu.started & ~pmu.configured & ~5u, 0);
		for (u32 c = VPMU_FW_FIRST; c < VPMU_COUNTERS; c++) {
			if (pmu.configured & BIT(c))
				assert_true(VPMU_FW_COUNTED & BIT(pmu.event[c]));
		}
		host.cycle += (u64)rand() % 100;
		vpmu_count(&pmu, (u32)rand() % SBI_PMU_FW_EVENTS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(counters_and_their_info, reset),
		cmocka_unit_test_setup(functions_we_lack, reset),
		cmocka_unit_test_setup(wrong_sets, reset),
		cmocka_unit_test_setup(empty_sets, reset),
		cmocka_unit_test_setup(reserved_flags, reset),
		cmocka_unit_test_setup(snapshot_flags, reset),
		cmocka_unit_test_setup(events_we_lack, reset),
		cmocka_unit_test_setup(hardware_counts_directly_until_touched, reset),
		cmocka_unit_test_setup(hardware_initial_value, reset),
		cmocka_unit_test_setup(part_of_a_set_started, reset),
		cmocka_unit_test_setup(matching_gives_each_counter_once, reset),
		cmocka_unit_test_setup(configuring_clears_and_starts, reset),
		cmocka_unit_test_setup(skip_match_takes_the_first, reset),
		cmocka_unit_test_setup(changing_the_event, reset),
		cmocka_unit_test_setup(firmware_counters, reset),
		cmocka_unit_test_setup(firmware_read_errors, reset),
		cmocka_unit_test_setup(linux_driver, reset),
		cmocka_unit_test_setup(random_calls, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
