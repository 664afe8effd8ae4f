/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's PLIC on one hart: register by register, and against a plain sequential model under
 * random accesses. Races: test_vplic_race.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <hv/check.h>
#include <hv/vplic.h>

#define PRIORITY(s) (4 * (u64)(s))
#define PENDING(w) (0x1000 + 4 * (u64)(w))
#define ENABLE(ctx, w) (0x2000 + 0x80 * (u64)(ctx) + 4 * (u64)(w))
#define THRESHOLD(ctx) (0x200000 + 0x1000 * (u64)(ctx))
#define CLAIM(ctx) (THRESHOLD(ctx) + 4)
#define S(vcpu) (2 * (vcpu) + 1)

static struct vplic plic;
static u32 kicks[VPLIC_VCPUS];
static u32 completions[VPLIC_SOURCES];

void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

static void count_kick(void *ctx, u32 vcpu)
{
	assert_ptr_equal(ctx, &plic);
	assert_true(vcpu < VPLIC_VCPUS);
	kicks[vcpu]++;
}

static void count_completed(void *ctx, u32 source)
{
	assert_ptr_equal(ctx, &plic);
	completions[source]++;
}

static const struct vplic_hooks hooks = { .kick = count_kick, .completed = count_completed };
static const struct vplic_hooks hooks_kick_only = { .kick = count_kick };

static u32 rd(u64 offset)
{
	struct mmio_access acc = { .offset = offset, .width = 4, .value = ~(u64)0 };

	assert_int_equal(vplic_mmio_ops.access(&plic, &acc), MMIO_OK);
	assert_int_equal(acc.value >> 32, 0);
	return (u32)acc.value;
}

static void wr(u64 offset, u32 value)
{
	struct mmio_access acc = { .offset = offset, .width = 4, .value = value, .write = true };

	assert_int_equal(vplic_mmio_ops.access(&plic, &acc), MMIO_OK);
}

static void line(u32 source, bool level)
{
	vplic_irqchip_ops.set_line(&plic, source, level);
}

static void pulse(u32 source)
{
	vplic_irqchip_ops.pulse(&plic, source);
}

static bool ext(u32 vcpu)
{
	return vplic_irqchip_ops.pending(&plic, vcpu);
}

static void enable(u32 vcpu, u32 source)
{
	u64 reg = ENABLE(S(vcpu), source / 32);

	wr(reg, rd(reg) | 1U << source % 32);
}

static void start(u32 vcpus, u32 sources)
{
	vplic_init(&plic, vcpus, sources, &hooks, &plic);
	memset(kicks, 0, sizeof(kicks));
	memset(completions, 0, sizeof(completions));
}

static int setup(void **state)
{
	(void)state;
	start(4, 128);
	return 0;
}

static void test_init_refuses(void **state)
{
	(void)state;
	expect_assert_failure(vplic_init(&plic, 0, 96, &hooks, NULL));
	expect_assert_failure(vplic_init(&plic, VPLIC_VCPUS + 1, 96, &hooks, NULL));
	expect_assert_failure(vplic_init(&plic, 1, 1, &hooks, NULL));
	expect_assert_failure(vplic_init(&plic, 1, VPLIC_SOURCES + 1, &hooks, NULL));
	start(VPLIC_VCPUS, VPLIC_SOURCES);
	start(1, 2);
}

static void test_widths(void **state)
{
	const u8 bad[] = { 1, 2, 8 };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		struct mmio_access acc = { .offset = CLAIM(1), .width = bad[i] };

		for (int write = 0; write < 2; write++) {
			acc.write = write;
			assert_int_equal(vplic_mmio_ops.access(&plic, &acc), MMIO_FAULT);
			acc.offset = PRIORITY(8);
			assert_int_equal(vplic_mmio_ops.access(&plic, &acc), MMIO_FAULT);
		}
	}
}

static void test_warl(void **state)
{
	(void)state;
	start(2, 96);
	wr(PRIORITY(1), 0xffffffff);
	assert_int_equal(rd(PRIORITY(1)), 7);
	wr(PRIORITY(95), 5);
	assert_int_equal(rd(PRIORITY(95)), 5);
	wr(PRIORITY(0), 7);
	assert_int_equal(rd(PRIORITY(0)), 0);
	wr(PRIORITY(96), 7);
	assert_int_equal(rd(PRIORITY(96)), 0);
	wr(PRIORITY(1023), 7);
	assert_int_equal(rd(PRIORITY(1023)), 0);

	for (u32 w = 0; w < 32; w++)
		wr(ENABLE(3, w), 0xffffffff);
	assert_int_equal(rd(ENABLE(3, 0)), 0xfffffffe);
	assert_int_equal(rd(ENABLE(3, 1)), 0xffffffff);
	assert_int_equal(rd(ENABLE(3, 2)), 0xffffffff);
	assert_int_equal(rd(ENABLE(3, 3)), 0);
	assert_int_equal(rd(ENABLE(3, 31)), 0);
	assert_int_equal(rd(ENABLE(1, 0)), 0);

	wr(THRESHOLD(1), 0xf);
	assert_int_equal(rd(THRESHOLD(1)), 7);
	assert_int_equal(rd(THRESHOLD(3)), 0);
}

static void test_odd_number_of_sources(void **state)
{
	(void)state;
	start(1, 40);
	wr(ENABLE(1, 1), 0xffffffff);
	assert_int_equal(rd(ENABLE(1, 1)), 0xff);
	line(40, true);
	assert_int_equal(rd(PENDING(1)), 0);
	line(39, true);
	assert_int_equal(rd(PENDING(1)), 0x80);
}

/* M-mode contexts, contexts past the last vCPU, reserved registers: zero, and writes do nothing. */
static void test_absent(void **state)
{
	static struct vplic before;

	(void)state;
	line(1, true);
	before = plic;
	for (u32 ctx = 0; ctx < 1024; ctx += ctx < 8 ? 2 : 1) {
		for (u32 w = 0; w < 32; w++) {
			wr(ENABLE(ctx, w), 0xffffffff);
			assert_int_equal(rd(ENABLE(ctx, w)), 0);
		}
		wr(THRESHOLD(ctx), 7);
		wr(CLAIM(ctx), 1);
		assert_int_equal(rd(THRESHOLD(ctx)), 0);
		assert_int_equal(rd(CLAIM(ctx)), 0);
	}
	for (u64 offset = THRESHOLD(1) + 8; offset < THRESHOLD(2); offset += 4) {
		wr(offset, 1);
		assert_int_equal(rd(offset), 0);
	}
	for (u32 w = 0; w < 1024; w++)
		wr(PENDING(w), 0);
	assert_int_equal(rd(PENDING(0)), 2);
	assert_int_equal(rd(PENDING(4)), 0);
	assert_int_equal(rd(PENDING(1023)), 0);
	wr(~(u64)3, 1);
	assert_int_equal(rd(~(u64)3), 0);
	assert_memory_equal(&plic, &before, sizeof(plic));
}

static void test_claim_complete(void **state)
{
	(void)state;
	wr(PRIORITY(10), 1);
	enable(0, 10);
	assert_false(ext(0));
	assert_int_equal(rd(CLAIM(1)), 0);

	line(10, true);
	assert_true(ext(0));
	assert_false(ext(1));
	assert_int_equal(rd(PENDING(0)), 1 << 10);
	assert_int_equal(rd(CLAIM(3)), 0);
	assert_int_equal(rd(CLAIM(1)), 10);
	assert_false(ext(0));
	assert_int_equal(rd(PENDING(0)), 0);
	assert_int_equal(rd(CLAIM(1)), 0);

	/* Served while the wire stays high: again. Lowered before completion: not again. */
	wr(CLAIM(1), 10);
	assert_int_equal(completions[10], 1);
	assert_true(ext(0));
	assert_int_equal(rd(CLAIM(1)), 10);
	line(10, false);
	wr(CLAIM(1), 10);
	assert_false(ext(0));
	assert_int_equal(rd(CLAIM(1)), 0);
	assert_int_equal(completions[10], 2);
}

static void test_request_outlives_wire(void **state)
{
	(void)state;
	wr(PRIORITY(3), 1);
	enable(0, 3);
	line(3, true);
	line(3, false);
	assert_true(ext(0));
	/* A second pulse while the first request waits is the same request. */
	line(3, true);
	line(3, false);
	assert_int_equal(rd(CLAIM(1)), 3);
	/* A pulse while it is served leaves no trace, a wire that rises and stays does. */
	line(3, true);
	line(3, false);
	wr(CLAIM(1), 3);
	assert_false(ext(0));
	line(3, true);
	assert_int_equal(rd(CLAIM(1)), 3);
	line(3, false);
	line(3, true);
	wr(CLAIM(1), 3);
	assert_int_equal(rd(CLAIM(1)), 3);
}

static void test_pulses(void **state)
{
	(void)state;
	enable(0, 9);
	wr(PRIORITY(9), 1);
	/* Several before the claim are one. */
	pulse(9);
	pulse(9);
	assert_true(ext(0));
	assert_int_equal(rd(CLAIM(S(0))), 9);
	wr(CLAIM(S(0)), 9);
	assert_false(ext(0));
	assert_int_equal(rd(CLAIM(S(0))), 0);
	/* One while it is served is another. */
	pulse(9);
	assert_int_equal(rd(CLAIM(S(0))), 9);
	pulse(9);
	pulse(9);
	assert_false(ext(0));
	wr(CLAIM(S(0)), 9);
	assert_true(ext(0));
	assert_int_equal(rd(CLAIM(S(0))), 9);
	wr(CLAIM(S(0)), 9);
	assert_false(ext(0));
	/* A reset forgets them. */
	pulse(9);
	vplic_irqchip_ops.reset(&plic);
	enable(0, 9);
	wr(PRIORITY(9), 1);
	assert_false(ext(0));
	pulse(0);
	pulse(128);
}

static void test_priorities(void **state)
{
	const u32 order[] = { 127, 5, 64, 9 };

	(void)state;
	wr(PRIORITY(9), 1);
	wr(PRIORITY(5), 3);
	wr(PRIORITY(64), 3);
	wr(PRIORITY(127), 7);
	wr(PRIORITY(6), 0);
	for (u32 w = 0; w < 4; w++)
		wr(ENABLE(1, w), 0xffffffff);
	line(9, true);
	line(64, true);
	line(5, true);
	line(127, true);
	line(6, true);
	for (u32 i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(rd(CLAIM(1)), order[i]);
	/* Priority 0 never interrupts and is never claimed. */
	assert_int_equal(rd(PENDING(0)), 1 << 6);
	assert_int_equal(rd(CLAIM(1)), 0);
	assert_false(ext(0));
	wr(PRIORITY(6), 1);
	assert_true(ext(0));
}

static void test_threshold(void **state)
{
	(void)state;
	wr(PRIORITY(1), 3);
	enable(0, 1);
	line(1, true);
	for (u32 t = 0; t <= 7; t++) {
		wr(THRESHOLD(1), t);
		assert_int_equal(ext(0), t < 3);
	}
	/* A claim is not affected by it. */
	assert_int_equal(rd(CLAIM(1)), 1);
}

static void test_complete_ignored(void **state)
{
	(void)state;
	wr(PRIORITY(1), 1);
	enable(0, 1);
	line(1, true);

	wr(CLAIM(1), 1);	/* pending, not claimed */
	assert_int_equal(rd(PENDING(0)), 2);
	assert_int_equal(rd(CLAIM(1)), 1);
	wr(CLAIM(1), 0);
	wr(CLAIM(1), 128);
	wr(CLAIM(1), 0xffffffff);
	wr(CLAIM(3), 1);	/* not enabled there */
	wr(ENABLE(1, 0), 0);
	wr(CLAIM(1), 1);	/* nor here any more */
	assert_int_equal(rd(PENDING(0)), 0);
	assert_int_equal(completions[1], 0);

	enable(2, 1);
	wr(CLAIM(5), 1);	/* a context that did not claim it, but has it enabled */
	assert_int_equal(completions[1], 1);
	assert_int_equal(rd(PENDING(0)), 2);
	assert_int_equal(completions[0], 0);
}

static void test_no_such_source_or_vcpu(void **state)
{
	static struct vplic before;

	(void)state;
	before = plic;
	line(0, true);
	line(128, true);
	line(0xffffffff, true);
	assert_memory_equal(&plic, &before, sizeof(plic));
	assert_false(ext(4));
	assert_false(ext(0xffffffff));
}

static void test_kicks(void **state)
{
	(void)state;
	wr(PRIORITY(1), 2);
	enable(0, 1);
	enable(1, 1);
	wr(THRESHOLD(S(1)), 2);
	memset(kicks, 0, sizeof(kicks));

	line(1, true);	/* counts for vCPU 0 only: vCPU 1 has its threshold at 2 */
	assert_int_equal(kicks[0], 1);
	assert_int_equal(kicks[1] + kicks[2] + kicks[3], 0);
	line(1, true);
	line(1, false);
	assert_int_equal(kicks[0], 1);
	wr(PRIORITY(1), 2);
	wr(THRESHOLD(S(1)), 2);
	assert_int_equal(kicks[0] + kicks[1], 1);
	wr(PRIORITY(1), 3);
	assert_int_equal(kicks[1], 1);
	wr(PRIORITY(1), 0);
	assert_int_equal(kicks[1], 2);
	wr(PRIORITY(1), 3);
	memset(kicks, 0, sizeof(kicks));
	assert_int_equal(rd(CLAIM(1)), 1);	/* the fall is told to both */
	assert_int_equal(kicks[0], 1);
	assert_int_equal(kicks[1], 1);
	assert_int_equal(rd(CLAIM(1)), 0);
	assert_int_equal(kicks[0], 1);
}

static void test_without_completed_hook(void **state)
{
	(void)state;
	vplic_init(&plic, 1, 96, &hooks_kick_only, &plic);
	wr(PRIORITY(1), 1);
	enable(0, 1);
	line(1, true);
	assert_int_equal(rd(CLAIM(1)), 1);
	wr(CLAIM(1), 1);
	assert_int_equal(rd(CLAIM(1)), 1);
}

static void test_reset(void **state)
{
	(void)state;
	for (u32 s = 1; s <= 4; s++) {
		wr(PRIORITY(s), 1);
		enable(0, s);
	}
	wr(THRESHOLD(3), 5);
	line(1, true);
	assert_int_equal(rd(CLAIM(1)), 1);	/* being served, wire high */
	line(2, true);
	assert_int_equal(rd(CLAIM(1)), 2);	/* being served, wire low */
	line(2, false);
	line(3, true);				/* pending, wire high */
	line(4, true);				/* pending, wire low */
	line(4, false);
	vplic_irqchip_ops.reset(&plic);
	assert_int_equal(rd(PRIORITY(1)) | rd(ENABLE(1, 0)) | rd(THRESHOLD(3)), 0);
	assert_false(ext(0));
	assert_int_equal(rd(PENDING(0)), 1 << 1 | 1 << 3);
	for (u32 s = 1; s <= 4; s++)
		assert_int_equal(completions[s], 1);
	/* All four sources still work. */
	for (u32 s = 1; s <= 4; s++) {
		wr(PRIORITY(s), 1);
		enable(0, s);
		line(s, true);
		assert_int_equal(rd(CLAIM(1)), s);
		line(s, false);
		wr(CLAIM(1), s);
	}
	assert_int_equal(rd(PENDING(0)), 0);
}

/* --- Random accesses against a model ----------------------------------------------------- */

static struct model {
	u32 vcpus, sources;
	bool level[128], ip[128], busy[128];
	u32 priority[128], threshold[16];
	bool enable[16][128];
} m;

static u32 model_best(u32 vcpu, u32 floor)
{
	u32 found = 0;

	for (u32 s = 1; s < m.sources; s++) {
		if (m.ip[s] && m.enable[vcpu][s] && m.priority[s] > floor) {
			floor = m.priority[s];
			found = s;
		}
	}
	return found;
}

static u32 model_read(u64 offset)
{
	u32 ctx, bits = 0, found;

	if (offset < 0x1000)
		return offset / 4 < m.sources ? m.priority[offset / 4] : 0;
	if (offset < 0x2000) {
		for (u32 i = 0; i < 32 && offset - 0x1000 < 16; i++)
			bits |= (u32)m.ip[(offset - 0x1000) * 8 + i] << i;
		return bits;
	}
	if (offset < 0x200000) {
		ctx = (u32)(offset - 0x2000) / 0x80;
		if (ctx % 2 && ctx / 2 < m.vcpus && offset % 0x80 < 16)
			for (u32 i = 0; i < 32; i++)
				bits |= (u32)m.enable[ctx / 2][offset % 0x80 * 8 + i] << i;
		return bits;
	}
	ctx = (u32)(offset - 0x200000) >> 12;
	if (ctx % 2 == 0 || ctx / 2 >= m.vcpus)
		return 0;
	if (offset % 0x1000 == 0)
		return m.threshold[ctx / 2];
	if (offset % 0x1000 != 4)
		return 0;
	found = model_best(ctx / 2, 0);
	m.ip[found] = false;
	return found;
}

static void model_complete(u32 vcpu, u32 s)
{
	if (s == 0 || s >= m.sources || !m.enable[vcpu][s] || !m.busy[s] || m.ip[s])
		return;
	m.ip[s] = m.busy[s] = m.level[s];
}

static void model_write(u64 offset, u32 value)
{
	u32 ctx;

	if (offset < 0x1000) {
		if (offset / 4 > 0 && offset / 4 < m.sources)
			m.priority[offset / 4] = value & 7;
	} else if (offset >= 0x2000 && offset < 0x200000) {
		ctx = (u32)(offset - 0x2000) / 0x80;
		if (ctx % 2 == 0 || ctx / 2 >= m.vcpus || offset % 0x80 >= 16)
			return;
		for (u32 i = 0, s = offset % 0x80 * 8; i < 32; i++, s++)
			m.enable[ctx / 2][s] = s > 0 && s < m.sources && (value >> i & 1);
	} else if (offset >= 0x200000) {
		ctx = (u32)(offset - 0x200000) >> 12;
		if (ctx % 2 == 0 || ctx / 2 >= m.vcpus)
			return;
		if (offset % 0x1000 == 0)
			m.threshold[ctx / 2] = value & 7;
		else if (offset % 0x1000 == 4)
			model_complete(ctx / 2, value);
	}
}

static void model_line(u32 s, bool level)
{
	if (s == 0 || s >= m.sources)
		return;
	m.level[s] = level;
	if (level && !m.busy[s])
		m.ip[s] = m.busy[s] = true;
}

static u32 rnd(u32 n)
{
	return (u32)random() % n;
}

/* Offsets that mean something come far more often than chance would give. */
static u64 random_offset(void)
{
	switch (rnd(8)) {
	case 0:
		return PRIORITY(rnd(130));
	case 1:
		return PENDING(rnd(6));
	case 2:
		return ENABLE(rnd(12), rnd(5));
	case 3:
		return THRESHOLD(rnd(12)) + 4 * rnd(3);
	case 4:
		return 4 * (u64)rnd(VPLIC_SIZE / 4);
	default:
		return CLAIM(S(rnd(m.vcpus)));
	}
}

static void random_access(void)
{
	const u8 widths[] = { 1, 2, 4, 4, 4, 4, 4, 8 };
	struct mmio_access acc = { .width = widths[rnd(8)], .write = rnd(2) };

	acc.offset = random_offset();
	acc.value = acc.offset >= 0x200000 ? rnd(130) :
		    acc.offset < 0x1000	   ? rnd(9) :
					     (u32)random();
	if (acc.width != 4) {
		assert_int_equal(vplic_mmio_ops.access(&plic, &acc), MMIO_FAULT);
		return;
	}
	if (acc.write)
		model_write(acc.offset, (u32)acc.value);
	else
		assert_int_equal(rd(acc.offset), model_read(acc.offset));
	if (acc.write)
		assert_int_equal(vplic_mmio_ops.access(&plic, &acc), MMIO_OK);
}

static void test_random(void **state)
{
	bool answer[VPLIC_VCPUS] = { 0 };

	(void)state;
	srandom(2);
	for (u32 i = 0; i < 200000; i++) {
		if (i % 20000 == 0) {
			m = (struct model){ .vcpus = 1 + rnd(5), .sources = 2 + rnd(127) };
			start(m.vcpus, m.sources);
			memset(answer, 0, sizeof(answer));
		}
		memset(kicks, 0, sizeof(kicks));
		if (rnd(3) == 0) {
			u32 source = rnd(130);
			bool level = rnd(2);

			line(source, level);
			model_line(source, level);
		} else {
			random_access();
		}
		for (u32 v = 0; v < m.vcpus; v++) {
			assert_int_equal(ext(v), model_best(v, m.threshold[v]) != 0);
			assert_true(ext(v) == answer[v] || kicks[v] > 0);
			answer[v] = ext(v);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init_refuses),
		cmocka_unit_test_setup(test_widths, setup),
		cmocka_unit_test(test_warl),
		cmocka_unit_test(test_odd_number_of_sources),
		cmocka_unit_test_setup(test_absent, setup),
		cmocka_unit_test_setup(test_claim_complete, setup),
		cmocka_unit_test_setup(test_request_outlives_wire, setup),
		cmocka_unit_test_setup(test_pulses, setup),
		cmocka_unit_test_setup(test_priorities, setup),
		cmocka_unit_test_setup(test_threshold, setup),
		cmocka_unit_test_setup(test_complete_ignored, setup),
		cmocka_unit_test_setup(test_no_such_source_or_vcpu, setup),
		cmocka_unit_test_setup(test_kicks, setup),
		cmocka_unit_test(test_without_completed_hook),
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
