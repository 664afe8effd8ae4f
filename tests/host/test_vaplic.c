/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's APLIC on one hart, register by register, and its direct delivery. MSIs:
 * test_vaplic_msi.c; wires of the board: test_vaplic_wire.c; against a model:
 * test_vaplic_random.c; races: test_vaplic_race.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <hv/check.h>
#include <hv/errno.h>

#include "vaplic_guest.h"

static struct guest g;

static const enum vaplic_mode modes[] = { VAPLIC_DETACHED, VAPLIC_EDGE1, VAPLIC_EDGE0,
					  VAPLIC_LEVEL1, VAPLIC_LEVEL0 };

void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

static void start(u32 vcpus, u32 sources)
{
	const struct vaplic_geometry geometry = {
		.vcpus = vcpus, .sources = sources, .direct = true,
	};

	guest_init(&g, &geometry, NULL);
}

/* Four vCPUs that take everything. */
static int setup(void **state)
{
	(void)state;
	start(4, 128);
	for (u32 v = 0; v < 4; v++)
		wr(&g, IDELIVERY(v), 1);
	wr(&g, DOMAINCFG, IE);
	memset(g.kicks, 0, sizeof(g.kicks));
	return 0;
}

static void init_refuses(const struct vaplic_geometry *geometry, const struct vaplic_hooks *hooks)
{
	expect_assert_failure(vaplic_init(&g.chip, geometry, hooks, NULL, &g));
}

static void test_init_refuses(void **state)
{
	static const struct vaplic_geometry wrong[] = {
		{ .vcpus = 0, .sources = 96, .direct = true },
		{ .vcpus = VAPLIC_VCPUS + 1, .sources = 96, .direct = true },
		{ .vcpus = 1, .sources = 1, .direct = true },
		{ .vcpus = 1, .sources = VAPLIC_SOURCES + 1, .direct = true },
		{ .vcpus = 1, .sources = 96 },
		{ .vcpus = 1, .sources = 96, .eiids = VAPLIC_EIID_MAX + 1 },
	};
	static const struct vaplic_geometry msis = { .vcpus = 1, .sources = 96, .eiids = 255 };
	static const struct vaplic_hooks no_msi;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(wrong); i++)
		init_refuses(&wrong[i], &guest_hooks);
	init_refuses(&msis, &no_msi);
	start(VAPLIC_VCPUS, VAPLIC_SOURCES);
	start(1, 2);
}

/* Everything is zero at first, everywhere, but for domaincfg. */
static void assert_power_on(u32 domaincfg)
{
	assert_int_equal(rd(&g, DOMAINCFG), domaincfg);
	for (u64 offset = 4; offset < VAPLIC_SIZE; offset += 4)
		assert_int_equal(rd(&g, offset), 0);
	for (u32 v = 0; v < VAPLIC_VCPUS; v++)
		assert_false(external(&g, v));
}

static void test_power_on(void **state)
{
	static const struct vaplic_geometry msis = { .vcpus = 1, .sources = 96, .eiids = 255 };
	static const struct vaplic_geometry both = {
		.vcpus = 1, .sources = 96, .eiids = 255, .direct = true,
	};

	(void)state;
	start(4, 1024);
	assert_power_on(FIXED);
	guest_init(&g, &msis, NULL);
	assert_power_on(FIXED | DM);
	guest_init(&g, &both, NULL);
	assert_power_on(FIXED);
}

static void test_widths(void **state)
{
	static struct vaplic before;
	const u8 bad[] = { 1, 2, 8 };

	(void)state;
	set_up(&g, 8, VAPLIC_EDGE1, HART(0) | 1);
	wr(&g, SETIPNUM, 8);
	before = g.chip;
	for (u64 offset = 0; offset < VAPLIC_SIZE; offset++) {
		for (u32 i = 0; i < 2 * ARRAY_SIZE(bad); i++) {
			struct mmio_access acc = {
				.offset = ALIGN_DOWN(offset, (u64)bad[i / 2]),
				.width = bad[i / 2], .write = i % 2, .value = ~(u64)0,
			};

			assert_int_equal(vaplic_mmio_ops.access(&g.chip, &acc), MMIO_FAULT);
		}
	}
	assert_memory_equal(&g.chip, &before, sizeof(before));
}

static bool is_register(u64 offset)
{
	if (offset >= 0x4000)
		return offset < IDC(4) && (offset % 0x20 < 0xc || offset % 0x20 >= 0x18);
	if (offset >= 0x1c00 && offset < 0x2000)
		return offset % 0x100 < 0x80 || offset % 0x100 == 0xdc;
	return offset < 0x1000 || offset == 0x2000 || offset == 0x2004 || offset >= 0x3000;
}

/* What is reserved reads as zero and takes nothing: MSI addresses too, which only M-mode has. */
static void test_reserved(void **state)
{
	static struct vaplic before;

	(void)state;
	for (u32 s = 1; s < 128; s++)
		set_up(&g, s, VAPLIC_EDGE1, HART(0) | 1);
	before = g.chip;
	for (u64 offset = 0; offset < VAPLIC_SIZE; offset += 4) {
		if (is_register(offset))
			continue;
		wr(&g, offset, 0xffffffff);
		wr(&g, offset, 5);
		assert_int_equal(rd(&g, offset), 0);
	}
	wr(&g, 0x7ffffffc, 5);
	assert_int_equal(rd(&g, ~(u64)3), 0);
	for (u64 offset = 0x1bc0; offset <= 0x1bcc; offset += 4)
		assert_false(is_register(offset));
	assert_memory_equal(&g.chip, &before, sizeof(before));
}

static void test_domaincfg(void **state)
{
	(void)state;
	wr(&g, DOMAINCFG, 0xffffffff);		/* direct only: neither DM nor BE */
	assert_int_equal(rd(&g, DOMAINCFG), FIXED | IE);
	wr(&g, DOMAINCFG, 0);
	assert_int_equal(rd(&g, DOMAINCFG), FIXED);
	for (u32 v = 0; v < 4; v++)
		assert_int_equal(g.kicks[v], 1);
	wr(&g, DOMAINCFG, 0x01000001);		/* how to learn the byte order */
	assert_int_equal(rd(&g, DOMAINCFG), FIXED);
	assert_int_equal(g.kicks[0], 1);
}

static void test_sourcecfg(void **state)
{
	static const u32 legal[] = { 0, 1, 0, 0, 4, 5, 6, 7 };

	(void)state;
	for (u32 mode = 0; mode < 8; mode++) {
		wr(&g, SOURCECFG(1), VAPLIC_EDGE1);
		wr(&g, SOURCECFG(1), mode);
		assert_int_equal(rd(&g, SOURCECFG(1)), legal[mode]);
		wr(&g, SOURCECFG(1), 0xfffffbf8 | mode);
		assert_int_equal(rd(&g, SOURCECFG(1)), legal[mode]);
		wr(&g, SOURCECFG(1), 0x400 | mode);	/* there is no child */
		assert_int_equal(rd(&g, SOURCECFG(1)), 0);
	}
}

static void test_foreign_sources(void **state)
{
	u64 own[VAPLIC_WORDS] = { 0x28 | BIT(63), BIT(0) | BIT(35), [2] = ~(u64)0 };
	const struct vaplic_geometry geometry = {
		.vcpus = 2, .sources = 100, .direct = true, .own = own,
	};
	static struct vaplic before;

	(void)state;
	guest_init(&g, &geometry, NULL);
	for (u32 s = 1; s < VAPLIC_SOURCES; s++) {
		bool mine = s < 100 && own[s / 64] >> s % 64 & 1;

		before = g.chip;
		set_up(&g, s, VAPLIC_LEVEL1, HART(1) | 7);
		line(&g, s, true);
		assert_int_equal(rd(&g, SOURCECFG(s)), mine ? VAPLIC_LEVEL1 : 0);
		assert_int_equal(rd(&g, TARGET(s)), mine ? HART(1) | 7 : 0);
		assert_int_equal(bit(&g, SETIE(0), s), mine);
		assert_int_equal(bit(&g, SETIP(0), s), mine);
		assert_int_equal(bit(&g, IN_CLRIP(0), s), mine);
		wr(&g, CLRIENUM, s);
		if (mine)
			continue;
		wr(&g, SETIPNUM, s);
		wr(&g, CLRIPNUM, s);
		pulse(&g, s);
		assert_false(vaplic_attach(&g.chip, s) != -EINVAL);
		vaplic_detach(&g.chip, s);
		assert_true(vaplic_wire_interrupt(&g.chip, s));
		assert_memory_equal(&g.chip, &before, sizeof(before));
	}
	for (u32 k = 0; k < 32; k++) {
		u32 mine = (u32)(own[k / 2] >> 32 * (k % 2)) & (k == 3 ? 0xf : k > 3 ? 0 : ~0U);

		wr(&g, SETIE(k), 0xffffffff);
		assert_int_equal(rd(&g, SETIE(k)), mine);
		assert_int_equal(rd(&g, SETIP(k)), mine);
		assert_int_equal(rd(&g, IN_CLRIP(k)), mine);
	}
}

/* Numbers that are no source, for each register that takes a number. */
static void test_numbers(void **state)
{
	static const u64 takes[] = { SETIPNUM, CLRIPNUM, SETIENUM, CLRIENUM, SETIPNUM_LE,
				     SETIPNUM_BE };
	static const u32 wild[] = { 0, 128, 1023, 1024, 1025, 0x10001, 0x80000001, 0xffffffff };
	static struct vaplic before;

	(void)state;
	set_up(&g, 1, VAPLIC_DETACHED, HART(0) | 1);
	before = g.chip;
	for (u32 i = 0; i < ARRAY_SIZE(takes); i++) {
		for (u32 j = 0; j < ARRAY_SIZE(wild); j++)
			wr(&g, takes[i], wild[j]);
		assert_int_equal(rd(&g, takes[i]), 0);
	}
	assert_memory_equal(&g.chip, &before, sizeof(before));
	line(&g, 0, true);
	line(&g, 128, true);
	line(&g, 1024, true);
	line(&g, 0xffffffff, true);
	pulse(&g, 0);
	pulse(&g, 0xffffffff);
	assert_memory_equal(&g.chip, &before, sizeof(before));
	wr(&g, SETIPNUM_LE, 1);
	assert_int_equal(rd(&g, CLAIMI(0)), 1 << 16 | 1);
	wr(&g, SETIPNUM_BE, 1);
	wr(&g, SETIPNUM_LE, 1 << 24);
	assert_int_equal(rd(&g, CLAIMI(0)), 0);
	wr(&g, SETIPNUM_BE, 1 << 24);
	assert_int_equal(rd(&g, CLAIMI(0)), 1 << 16 | 1);
}

static void test_enable(void **state)
{
	(void)state;
	wr(&g, SETIE(1), 0xffffffff);		/* inactive */
	wr(&g, SETIENUM, 33);
	assert_int_equal(rd(&g, SETIE(1)), 0);
	wr(&g, SOURCECFG(33), VAPLIC_DETACHED);
	wr(&g, SOURCECFG(40), VAPLIC_LEVEL1);
	assert_int_equal(rd(&g, SETIE(1)), 0);
	wr(&g, SETIE(1), 0xffffffff);
	assert_int_equal(rd(&g, SETIE(1)), 0x102);
	wr(&g, SETIE(1), 0);
	assert_int_equal(rd(&g, SETIE(1)), 0x102);
	assert_int_equal(rd(&g, CLRIE(1)), 0);
	wr(&g, CLRIE(1), 0x2);
	assert_int_equal(rd(&g, SETIE(1)), 0x100);
	wr(&g, CLRIENUM, 40);
	assert_int_equal(rd(&g, SETIE(1)), 0);
	wr(&g, SETIENUM, 33);
	assert_int_equal(rd(&g, SETIE(1)), 2);
	wr(&g, SOURCECFG(33), VAPLIC_EDGE0);	/* stays, from active to active */
	assert_int_equal(rd(&g, SETIE(1)), 2);
	wr(&g, SOURCECFG(33), VAPLIC_INACTIVE);
	wr(&g, SOURCECFG(33), VAPLIC_DETACHED);
	assert_int_equal(rd(&g, SETIE(1)), 0);
}

static void test_target(void **state)
{
	(void)state;
	wr(&g, TARGET(9), HART(1) | 3);		/* inactive */
	assert_int_equal(rd(&g, TARGET(9)), 0);
	wr(&g, SOURCECFG(9), VAPLIC_EDGE1);
	assert_int_equal(rd(&g, TARGET(9)), 1);
	wr(&g, TARGET(9), 0xffffffff);
	assert_int_equal(rd(&g, TARGET(9)), 0xfffc00ff);
	wr(&g, TARGET(9), HART(2) | 0x3ff00);	/* no priority is 0 */
	assert_int_equal(rd(&g, TARGET(9)), HART(2) | 1);
	for (u32 iprio = 1; iprio < 256; iprio++) {
		wr(&g, TARGET(9), HART(3) | iprio);
		assert_int_equal(rd(&g, TARGET(9)), HART(3) | iprio);
	}
	wr(&g, SOURCECFG(9), VAPLIC_LEVEL0);
	assert_int_equal(rd(&g, TARGET(9)), HART(3) | 255);
	wr(&g, SOURCECFG(9), VAPLIC_INACTIVE);
	assert_int_equal(rd(&g, TARGET(9)), 0);
}

static void test_wild_targets(void **state)
{
	static const u32 wild[] = { 4, 5, 15, 16, 17, 511, 512, 0x3fff };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(wild); i++) {
		set_up(&g, 5, VAPLIC_EDGE1, HART(wild[i]) | 1);
		wr(&g, SETIPNUM, 5);
		for (u32 v = 0; v < 4; v++) {
			assert_false(external(&g, v));
			assert_int_equal(rd(&g, CLAIMI(v)), 0);
			assert_int_equal(g.kicks[v], 0);
		}
		assert_false(external(&g, wild[i]));
		assert_true(bit(&g, SETIP(0), 5));
	}
	wr(&g, TARGET(5), HART(3) | 1);
	assert_int_equal(g.kicks[3], 1);
	assert_true(external(&g, 3));
}

/* Section 4.7 for direct delivery: what sets and clears the pending bit, mode by mode. */
static void test_pending_detached(void **state)
{
	(void)state;
	set_up(&g, 3, VAPLIC_DETACHED, HART(0) | 1);
	line(&g, 3, true);
	assert_false(bit(&g, SETIP(0), 3));
	assert_false(bit(&g, IN_CLRIP(0), 3));
	line(&g, 3, false);
	pulse(&g, 3);
	assert_false(bit(&g, SETIP(0), 3));
	wr(&g, SETIPNUM, 3);
	assert_true(bit(&g, SETIP(0), 3));
	wr(&g, CLRIPNUM, 3);
	assert_false(bit(&g, SETIP(0), 3));
	wr(&g, SETIP(0), 1 << 3);
	assert_true(bit(&g, SETIP(0), 3));
	wr(&g, IN_CLRIP(0), 1 << 3);
	assert_false(bit(&g, SETIP(0), 3));
	wr(&g, SETIPNUM, 3);
	assert_int_equal(rd(&g, CLAIMI(0)), 3 << 16 | 1);
	assert_false(bit(&g, SETIP(0), 3));
	wr(&g, SETIPNUM, 3);
	wr(&g, SOURCECFG(3), VAPLIC_INACTIVE);
	assert_false(bit(&g, SETIP(0), 3));
	wr(&g, SETIP(0), 1 << 3);
	wr(&g, SETIPNUM, 3);
	wr(&g, SOURCECFG(3), VAPLIC_DETACHED);
	assert_false(bit(&g, SETIP(0), 3));
}

static void check_edge(enum vaplic_mode mode, bool asserted)
{
	line(&g, 3, !asserted);
	set_up(&g, 3, mode, HART(0) | 1);
	assert_false(bit(&g, SETIP(0), 3));
	line(&g, 3, asserted);
	assert_true(bit(&g, IN_CLRIP(0), 3));
	assert_true(bit(&g, SETIP(0), 3));
	line(&g, 3, !asserted);			/* the edge is remembered */
	assert_false(bit(&g, IN_CLRIP(0), 3));
	assert_true(bit(&g, SETIP(0), 3));
	assert_int_equal(rd(&g, CLAIMI(0)), 3 << 16 | 1);
	assert_false(bit(&g, SETIP(0), 3));
	line(&g, 3, asserted);
	wr(&g, CLRIPNUM, 3);			/* also while the wire is asserted */
	line(&g, 3, asserted);			/* no edge */
	assert_false(bit(&g, SETIP(0), 3));
	wr(&g, SETIPNUM, 3);
	assert_true(bit(&g, SETIP(0), 3));
	wr(&g, IN_CLRIP(0), 1 << 3);
	assert_false(bit(&g, SETIP(0), 3));
	line(&g, 3, !asserted);
	pulse(&g, 3);
	pulse(&g, 3);
	assert_int_equal(rd(&g, CLAIMI(0)), 3 << 16 | 1);
	assert_int_equal(rd(&g, CLAIMI(0)), 0);
	wr(&g, SOURCECFG(3), VAPLIC_INACTIVE);
}

static void test_pending_edge(void **state)
{
	(void)state;
	check_edge(VAPLIC_EDGE1, true);
	check_edge(VAPLIC_EDGE0, false);
}

static void check_level(enum vaplic_mode mode, bool asserted)
{
	line(&g, 3, !asserted);
	set_up(&g, 3, mode, HART(0) | 1);
	assert_false(bit(&g, SETIP(0), 3));
	wr(&g, SETIPNUM, 3);			/* cannot be set by hand */
	wr(&g, SETIP(0), 1 << 3);
	assert_false(bit(&g, SETIP(0), 3));
	line(&g, 3, asserted);
	assert_true(bit(&g, IN_CLRIP(0), 3));
	for (u32 i = 0; i < 3; i++) {		/* nor cleared, by hand or a claim */
		assert_true(bit(&g, SETIP(0), 3));
		assert_int_equal(rd(&g, CLAIMI(0)), 3 << 16 | 1);
		wr(&g, CLRIPNUM, 3);
		wr(&g, IN_CLRIP(0), 1 << 3);
	}
	assert_true(external(&g, 0));
	line(&g, 3, !asserted);
	assert_false(bit(&g, SETIP(0), 3));
	assert_false(external(&g, 0));
	assert_int_equal(rd(&g, CLAIMI(0)), 0);
	wr(&g, SOURCECFG(3), VAPLIC_INACTIVE);
}

static void test_pending_level(void **state)
{
	(void)state;
	check_level(VAPLIC_LEVEL1, true);
	check_level(VAPLIC_LEVEL0, false);
}

/* in_clrip and setip right after sourcecfg has been written, from each mode to each. */
static void test_mode_changes(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2 * ARRAY_SIZE(modes) * ARRAY_SIZE(modes); i++) {
		enum vaplic_mode from = modes[i / 2 / ARRAY_SIZE(modes)];
		enum vaplic_mode to = modes[i / 2 % ARRAY_SIZE(modes)];
		bool level = i % 2, wired = to != VAPLIC_DETACHED;
		bool input = wired && level == (to == VAPLIC_EDGE1 || to == VAPLIC_LEVEL1);
		bool lasting = to == VAPLIC_DETACHED || to == VAPLIC_EDGE1 || to == VAPLIC_EDGE0;
		bool before;

		wr(&g, SOURCECFG(3), VAPLIC_INACTIVE);
		assert_false(bit(&g, IN_CLRIP(0), 3));
		line(&g, 3, level);
		wr(&g, SOURCECFG(3), from);
		before = bit(&g, SETIP(0), 3);
		wr(&g, SOURCECFG(3), to);
		assert_int_equal(bit(&g, IN_CLRIP(0), 3), input);
		/* "will not by itself cause a pending bit to be cleared", but a level is. */
		assert_int_equal(bit(&g, SETIP(0), 3), input || (before && lasting));
	}
}

/* A pulse is as long as it takes. */
static void test_pulse_level(void **state)
{
	(void)state;
	pulse(&g, 3);				/* nobody listens yet */
	set_up(&g, 3, VAPLIC_LEVEL1, HART(0) | 1);
	assert_true(external(&g, 0));
	pulse(&g, 3);
	assert_int_equal(rd(&g, TOPI(0)), 3 << 16 | 1);
	assert_true(bit(&g, IN_CLRIP(0), 3));
	wr(&g, CLRIPNUM, 3);
	assert_int_equal(rd(&g, CLAIMI(0)), 3 << 16 | 1);
	assert_false(bit(&g, IN_CLRIP(0), 3));
	assert_false(external(&g, 0));
	pulse(&g, 3);
	assert_true(external(&g, 0));
	restart(&g);				/* nobody asks for it any more */
	set_up(&g, 3, VAPLIC_LEVEL1, HART(0) | 1);
	assert_false(bit(&g, SETIP(0), 3));
	/* From detached to an edge: it was there. */
	wr(&g, SOURCECFG(3), VAPLIC_DETACHED);
	pulse(&g, 3);
	assert_false(bit(&g, SETIP(0), 3));
	wr(&g, SOURCECFG(3), VAPLIC_EDGE1);
	assert_true(bit(&g, SETIP(0), 3));
	wr(&g, CLRIPNUM, 3);
	wr(&g, SOURCECFG(3), VAPLIC_EDGE1);
	assert_false(bit(&g, SETIP(0), 3));
}

static void test_priorities(void **state)
{
	static const u32 order[][2] = { { 127, 1 }, { 5, 3 }, { 64, 3 }, { 9, 255 } };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(order); i++)
		set_up(&g, order[i][0], VAPLIC_EDGE1, HART(1) | order[i][1]);
	set_up(&g, 6, VAPLIC_EDGE1, HART(2) | 1);
	set_up(&g, 7, VAPLIC_EDGE1, HART(1) | 1);
	wr(&g, CLRIENUM, 7);
	for (u32 k = 0; k < 4; k++)
		wr(&g, SETIP(k), 0xffffffff);
	for (u32 i = 0; i < ARRAY_SIZE(order); i++) {
		u32 value = order[i][0] << 16 | order[i][1];

		assert_true(external(&g, 1));
		assert_int_equal(rd(&g, TOPI(1)), value);
		assert_int_equal(rd(&g, TOPI(1)), value);
		wr(&g, CLAIMI(1), value);	/* claims are reads */
		wr(&g, TOPI(1), value);
		assert_int_equal(rd(&g, CLAIMI(1)), value);
	}
	assert_false(external(&g, 1));
	assert_int_equal(rd(&g, CLAIMI(1)), 0);
	assert_int_equal(rd(&g, SETIP(0)), 1 << 6 | 1 << 7);
	assert_int_equal(rd(&g, CLAIMI(2)), 6 << 16 | 1);
}

static void test_threshold(void **state)
{
	(void)state;
	set_up(&g, 3, VAPLIC_EDGE1, HART(0) | 7);
	wr(&g, SETIPNUM, 3);
	for (u32 t = 0; t < 256; t++) {
		bool passes = t == 0 || 7 < t;

		wr(&g, ITHRESHOLD(0), 0xffffff00 | t);
		assert_int_equal(rd(&g, ITHRESHOLD(0)), t);
		assert_int_equal(external(&g, 0), passes);
		assert_int_equal(rd(&g, TOPI(0)), passes ? 3 << 16 | 7 : 0);
	}
	wr(&g, ITHRESHOLD(0), 7);
	assert_int_equal(rd(&g, CLAIMI(0)), 0);
	assert_true(bit(&g, SETIP(0), 3));
	wr(&g, ITHRESHOLD(0), 8);
	assert_int_equal(rd(&g, CLAIMI(0)), 3 << 16 | 7);
}

static void test_idelivery_and_ie(void **state)
{
	(void)state;
	set_up(&g, 3, VAPLIC_EDGE1, HART(0) | 7);
	wr(&g, SETIPNUM, 3);
	wr(&g, IDELIVERY(0), 0xfffffffe);
	assert_int_equal(rd(&g, IDELIVERY(0)), 0);
	assert_false(external(&g, 0));
	assert_int_equal(rd(&g, TOPI(0)), 3 << 16 | 7);	/* topi does not ask */
	wr(&g, IDELIVERY(0), 0xffffffff);
	assert_int_equal(rd(&g, IDELIVERY(0)), 1);
	assert_true(external(&g, 0));
	wr(&g, DOMAINCFG, 0);
	assert_false(external(&g, 0));
	assert_int_equal(rd(&g, CLAIMI(0)), 3 << 16 | 7);
	assert_false(bit(&g, SETIP(0), 3));
}

static void test_iforce(void **state)
{
	(void)state;
	wr(&g, IFORCE(2), 0xffffffff);
	assert_int_equal(rd(&g, IFORCE(2)), 1);
	assert_int_equal(g.kicks[2], 1);
	assert_true(external(&g, 2));
	assert_false(external(&g, 1));
	wr(&g, IDELIVERY(2), 0);
	assert_false(external(&g, 2));
	wr(&g, IDELIVERY(2), 1);
	wr(&g, DOMAINCFG, 0);
	assert_false(external(&g, 2));
	wr(&g, DOMAINCFG, IE);
	assert_int_equal(rd(&g, TOPI(2)), 0);
	assert_int_equal(rd(&g, IFORCE(2)), 1);
	/* Only a claim of nothing ends it. */
	set_up(&g, 3, VAPLIC_EDGE1, HART(2) | 7);
	wr(&g, SETIPNUM, 3);
	assert_int_equal(rd(&g, CLAIMI(2)), 3 << 16 | 7);
	assert_true(external(&g, 2));
	memset(g.kicks, 0, sizeof(g.kicks));
	assert_int_equal(rd(&g, CLAIMI(2)), 0);
	assert_int_equal(g.kicks[2], 1);
	assert_int_equal(rd(&g, IFORCE(2)), 0);
	assert_false(external(&g, 2));
	wr(&g, IFORCE(2), 0xfffffffe);
	assert_int_equal(rd(&g, IFORCE(2)), 0);
}

static void test_absent_idcs(void **state)
{
	static struct vaplic before;

	(void)state;
	before = g.chip;
	for (u64 offset = IDC(4); offset < VAPLIC_SIZE; offset += 4) {
		wr(&g, offset, 0xffffffff);
		assert_int_equal(rd(&g, offset), 0);
	}
	assert_memory_equal(&g.chip, &before, sizeof(before));
	assert_false(external(&g, 4));
	assert_false(external(&g, 0xffffffff));
}

static void test_kicks(void **state)
{
	(void)state;
	set_up(&g, 1, VAPLIC_EDGE1, HART(0) | 5);
	assert_int_equal(g.kicks[0], 0);
	line(&g, 1, true);
	assert_int_equal(g.kicks[0], 1);
	line(&g, 1, false);
	line(&g, 1, true);
	assert_int_equal(g.kicks[0], 1);
	wr(&g, TARGET(1), HART(1) | 5);		/* both hear of it */
	assert_int_equal(g.kicks[0], 2);
	assert_int_equal(g.kicks[1], 1);
	assert_int_equal(rd(&g, CLAIMI(1)), 1 << 16 | 5);	/* the fall */
	assert_int_equal(g.kicks[1], 2);
	wr(&g, ITHRESHOLD(1), 5);
	assert_int_equal(g.kicks[1], 3);
	wr(&g, ITHRESHOLD(1), 5);
	wr(&g, SETIPNUM, 1);			/* does not pass */
	assert_int_equal(g.kicks[1], 3);
	wr(&g, TARGET(1), HART(1) | 4);
	assert_int_equal(g.kicks[1], 4);
	wr(&g, IDELIVERY(1), 0);
	assert_int_equal(g.kicks[1], 5);
	wr(&g, CLRIENUM, 1);
	assert_int_equal(g.kicks[1], 5);
	assert_int_equal(g.kicks[2] + g.kicks[3], 0);
}

static void test_reset(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(modes); i++) {
		set_up(&g, 1 + i, modes[i], HART(i % 4) | 7);
		line(&g, 1 + i, true);
		wr(&g, SETIPNUM, 1 + i);
		wr(&g, IFORCE(i % 4), 1);
		wr(&g, ITHRESHOLD(i % 4), 3);
	}
	memset(g.kicks, 0, sizeof(g.kicks));
	restart(&g);
	assert_power_on(FIXED);
	for (u32 v = 0; v < 4; v++)
		assert_true(g.kicks[v] > 0);
	/* The wires are as their devices left them. */
	set_up(&g, 1, VAPLIC_LEVEL1, HART(0) | 1);
	assert_true(bit(&g, SETIP(0), 1));
	line(&g, 1, false);
	assert_false(bit(&g, SETIP(0), 1));
}

/* With 1023 sources, one after another, and all at once. */
static void test_all_sources(void **state)
{
	(void)state;
	start(1, VAPLIC_SOURCES);
	wr(&g, IDELIVERY(0), 1);
	wr(&g, DOMAINCFG, IE);
	for (u32 s = 1; s < VAPLIC_SOURCES; s++) {
		set_up(&g, s, VAPLIC_LEVEL1, HART(0) | (1 + s % 255));
		line(&g, s, true);
		assert_int_equal(rd(&g, CLAIMI(0)), s << 16 | (1 + s % 255));
		line(&g, s, false);
		assert_false(external(&g, 0));
	}
	for (u32 s = 1; s < VAPLIC_SOURCES; s++)
		line(&g, s, true);
	for (u32 iprio = 1; iprio < 256; iprio++) {
		for (u32 s = iprio == 1 ? 255 : iprio - 1; s < VAPLIC_SOURCES; s += 255) {
			assert_int_equal(rd(&g, CLAIMI(0)), s << 16 | iprio);
			line(&g, s, false);
		}
	}
	assert_int_equal(rd(&g, CLAIMI(0)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init_refuses),
		cmocka_unit_test(test_power_on),
		cmocka_unit_test_setup(test_widths, setup),
		cmocka_unit_test_setup(test_reserved, setup),
		cmocka_unit_test_setup(test_domaincfg, setup),
		cmocka_unit_test_setup(test_sourcecfg, setup),
		cmocka_unit_test_setup(test_foreign_sources, setup),
		cmocka_unit_test_setup(test_numbers, setup),
		cmocka_unit_test_setup(test_enable, setup),
		cmocka_unit_test_setup(test_target, setup),
		cmocka_unit_test_setup(test_wild_targets, setup),
		cmocka_unit_test_setup(test_pending_detached, setup),
		cmocka_unit_test_setup(test_pending_edge, setup),
		cmocka_unit_test_setup(test_pending_level, setup),
		cmocka_unit_test_setup(test_mode_changes, setup),
		cmocka_unit_test_setup(test_pulse_level, setup),
		cmocka_unit_test_setup(test_priorities, setup),
		cmocka_unit_test_setup(test_threshold, setup),
		cmocka_unit_test_setup(test_idelivery_and_ie, setup),
		cmocka_unit_test_setup(test_iforce, setup),
		cmocka_unit_test_setup(test_absent_idcs, setup),
		cmocka_unit_test_setup(test_kicks, setup),
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test(test_all_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
