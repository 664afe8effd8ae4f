/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's APLIC with MSIs: what is sent when, to whom, and what is not; genmsi; changes of the
 * delivery mode.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <hv/check.h>

#include "vaplic_guest.h"

#define EIIDS 255U

static struct guest g;

void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

static void start(bool direct)
{
	const struct vaplic_geometry geometry = {
		.vcpus = 3, .sources = 96, .eiids = EIIDS, .direct = direct,
	};

	guest_init(&g, &geometry, NULL);
}

static int setup(void **state)
{
	(void)state;
	start(true);
	wr(&g, DOMAINCFG, IE | DM);
	memset(g.kicks, 0, sizeof(g.kicks));
	return 0;
}

static void assert_no_msi(void)
{
	assert_int_equal(g.msis, 0);
}

/* Exactly one was sent since the last look. */
static void assert_msi(u32 vcpu, u32 eiid)
{
	assert_int_equal(g.msis, 1);
	assert_int_equal(g.msi[0].vcpu, vcpu);
	assert_int_equal(g.msi[0].eiid, eiid);
	g.msis = 0;
}

static void test_domaincfg(void **state)
{
	(void)state;
	assert_int_equal(rd(&g, DOMAINCFG), FIXED | IE | DM);
	wr(&g, DOMAINCFG, 0xffffffff);
	assert_int_equal(rd(&g, DOMAINCFG), FIXED | IE | DM);
	wr(&g, DOMAINCFG, 0xfffffeff & ~DM);
	assert_int_equal(rd(&g, DOMAINCFG), FIXED);
	/* Where there is no direct delivery, DM is read-only one, and IDCs are not there. */
	start(false);
	assert_int_equal(rd(&g, DOMAINCFG), FIXED | DM);
	wr(&g, DOMAINCFG, IE);
	assert_int_equal(rd(&g, DOMAINCFG), FIXED | IE | DM);
	for (u64 offset = IDC(0); offset < VAPLIC_SIZE; offset += 4) {
		wr(&g, offset, 0xffffffff);
		assert_int_equal(rd(&g, offset), 0);
	}
	restart(&g);
	assert_int_equal(rd(&g, DOMAINCFG), FIXED | DM);
}

static void test_target(void **state)
{
	(void)state;
	wr(&g, TARGET(9), HART(1) | 3);
	assert_int_equal(rd(&g, TARGET(9)), 0);
	wr(&g, SOURCECFG(9), VAPLIC_EDGE1);
	assert_int_equal(rd(&g, TARGET(9)), 0);
	wr(&g, TARGET(9), 0xffffffff);		/* no guest index, 11 bits of EIID */
	assert_int_equal(rd(&g, TARGET(9)), 0xfffc07ff);
	wr(&g, TARGET(9), HART(2) | 0x3f000 | 0x800);
	assert_int_equal(rd(&g, TARGET(9)), HART(2));
}

/* Neither harts nor identities that do not exist get anything; the attempt is made all the same. */
static void test_wild(void **state)
{
	static const u32 wild[] = {
		HART(3) | 1, HART(15) | 1, HART(16) | 1, HART(0x3fff) | 1, HART(0x2000) | 1,
		HART(0) | 0, HART(2) | (EIIDS + 1), HART(2) | 2047, HART(0x3fff) | 2047,
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(wild); i++) {
		set_up(&g, 5, VAPLIC_DETACHED, wild[i]);
		wr(&g, SETIPNUM, 5);
		assert_false(bit(&g, SETIP(0), 5));
		wr(&g, GENMSI, wild[i]);
		assert_int_equal(rd(&g, GENMSI), wild[i]);
		assert_no_msi();
	}
	set_up(&g, 5, VAPLIC_DETACHED, HART(2) | EIIDS);
	wr(&g, SETIPNUM, 5);
	assert_msi(2, EIIDS);
}

/* Pending, enabled, IE: sent when the last of them comes, in whatever order. */
static void test_conditions(void **state)
{
	(void)state;
	for (u32 first = 0; first < 3; first++) {
		for (u32 second = 0; second < 3; second++) {
			if (second == first)
				continue;
			wr(&g, SOURCECFG(7), VAPLIC_INACTIVE);
			wr(&g, DOMAINCFG, DM);
			wr(&g, SOURCECFG(7), VAPLIC_DETACHED);
			wr(&g, TARGET(7), HART(1) | 70);
			for (u32 i = 0; i < 3; i++) {
				u32 what = i == 0 ? first : i == 1 ? second : 3 - first - second;

				assert_no_msi();
				if (what == 0)
					wr(&g, SETIPNUM, 7);
				else if (what == 1)
					wr(&g, SETIENUM, 7);
				else
					wr(&g, DOMAINCFG, IE | DM);
			}
			assert_msi(1, 70);
			assert_false(bit(&g, SETIP(0), 7));
		}
	}
	wr(&g, DOMAINCFG, DM);
	wr(&g, DOMAINCFG, IE | DM);
	wr(&g, CLRIENUM, 7);
	wr(&g, SETIENUM, 7);
	assert_no_msi();
}

/* Many at once, in the order of their numbers. */
static void test_many(void **state)
{
	(void)state;
	for (u32 s = 1; s < 96; s++)
		set_up(&g, s, VAPLIC_DETACHED, HART(s % 3) | s);
	wr(&g, DOMAINCFG, DM);
	for (u32 k = 0; k < 3; k++)
		wr(&g, SETIP(k), 0xffffffff);
	assert_no_msi();
	wr(&g, DOMAINCFG, IE | DM);
	assert_int_equal(g.msis, 95);
	for (u32 i = 0; i < 95; i++) {
		assert_int_equal(g.msi[i].vcpu, (i + 1) % 3);
		assert_int_equal(g.msi[i].eiid, i + 1);
	}
	for (u32 k = 0; k < 3; k++)
		assert_int_equal(rd(&g, SETIP(k)), 0);
}

static void check_edge(enum vaplic_mode mode, bool asserted)
{
	line(&g, 3, !asserted);
	set_up(&g, 3, mode, HART(1) | 30);
	assert_no_msi();
	line(&g, 3, asserted);
	assert_msi(1, 30);
	wr(&g, SETIPNUM, 3);
	assert_msi(1, 30);
	line(&g, 3, !asserted);
	wr(&g, SETIP(0), 1 << 3);
	assert_msi(1, 30);
	wr(&g, CLRIENUM, 3);
	line(&g, 3, asserted);
	line(&g, 3, !asserted);
	assert_true(bit(&g, SETIP(0), 3));
	wr(&g, SETIENUM, 3);
	assert_msi(1, 30);
	wr(&g, CLRIENUM, 3);
	line(&g, 3, asserted);
	wr(&g, CLRIPNUM, 3);
	assert_false(bit(&g, SETIP(0), 3));
	wr(&g, SETIENUM, 3);
	line(&g, 3, !asserted);
	assert_no_msi();
	pulse(&g, 3);
	assert_msi(1, 30);
	pulse(&g, 3);
	assert_msi(1, 30);
	wr(&g, SOURCECFG(3), VAPLIC_INACTIVE);
}

static void test_edge(void **state)
{
	(void)state;
	check_edge(VAPLIC_EDGE1, true);
	check_edge(VAPLIC_EDGE0, false);
}

static void test_detached(void **state)
{
	(void)state;
	set_up(&g, 3, VAPLIC_DETACHED, HART(1) | 30);
	line(&g, 3, true);
	line(&g, 3, false);
	pulse(&g, 3);
	assert_no_msi();
	wr(&g, SETIPNUM_LE, 3);		/* an MSI to the APLIC */
	assert_msi(1, 30);
	wr(&g, SETIPNUM_BE, 3 << 24);
	assert_msi(1, 30);
	/* The pulse is told when the source listens. */
	wr(&g, SOURCECFG(3), VAPLIC_LEVEL1);
	assert_msi(1, 30);
	assert_false(bit(&g, IN_CLRIP(0), 3));
}

static void check_level(enum vaplic_mode mode, bool asserted)
{
	line(&g, 3, !asserted);
	set_up(&g, 3, mode, HART(1) | 30);
	wr(&g, SETIPNUM, 3);			/* low: cannot be set */
	wr(&g, SETIP(0), 1 << 3);
	assert_false(bit(&g, SETIP(0), 3));
	assert_no_msi();
	line(&g, 3, asserted);
	assert_msi(1, 30);
	assert_false(bit(&g, SETIP(0), 3));	/* sent, and ignored until it falls */
	assert_true(bit(&g, IN_CLRIP(0), 3));
	line(&g, 3, asserted);
	wr(&g, CLRIENUM, 3);
	wr(&g, SETIENUM, 3);
	assert_no_msi();
	wr(&g, SETIPNUM, 3);			/* what a handler does at its end: still high */
	assert_msi(1, 30);
	wr(&g, SETIPNUM_LE, 3);
	assert_msi(1, 30);
	line(&g, 3, !asserted);
	wr(&g, SETIPNUM_LE, 3);
	assert_no_msi();
	line(&g, 3, asserted);
	assert_msi(1, 30);
	line(&g, 3, !asserted);
	/* While it is disabled: pending as long as it is high. */
	wr(&g, CLRIENUM, 3);
	line(&g, 3, asserted);
	assert_true(bit(&g, SETIP(0), 3));
	line(&g, 3, !asserted);
	assert_false(bit(&g, SETIP(0), 3));
	line(&g, 3, asserted);
	wr(&g, IN_CLRIP(0), 1 << 3);		/* here it can be cleared */
	assert_false(bit(&g, SETIP(0), 3));
	assert_true(bit(&g, IN_CLRIP(0), 3));
	wr(&g, SETIENUM, 3);
	assert_no_msi();
	wr(&g, SOURCECFG(3), mode);
	assert_msi(1, 30);
	wr(&g, SOURCECFG(3), VAPLIC_INACTIVE);
}

static void test_level(void **state)
{
	(void)state;
	check_level(VAPLIC_LEVEL1, true);
	check_level(VAPLIC_LEVEL0, false);
}

/* A pulse of a level-sensitive source ends with its MSI, or when it is cleared. */
static void test_pulse_level(void **state)
{
	(void)state;
	pulse(&g, 3);
	set_up(&g, 3, VAPLIC_LEVEL1, HART(2) | 31);
	assert_msi(2, 31);
	assert_false(bit(&g, IN_CLRIP(0), 3));
	wr(&g, SETIPNUM, 3);
	assert_no_msi();
	pulse(&g, 3);
	assert_msi(2, 31);
	wr(&g, CLRIENUM, 3);
	pulse(&g, 3);
	pulse(&g, 3);
	assert_true(bit(&g, SETIP(0), 3));
	assert_true(bit(&g, IN_CLRIP(0), 3));
	wr(&g, SETIENUM, 3);
	assert_msi(2, 31);
	wr(&g, CLRIENUM, 3);
	pulse(&g, 3);
	wr(&g, CLRIPNUM, 3);
	assert_false(bit(&g, IN_CLRIP(0), 3));
	wr(&g, SETIENUM, 3);
	pulse(&g, 4);
	assert_no_msi();
	pulse(&g, 3);
	assert_msi(2, 31);
}

static void test_inactive_while_pending(void **state)
{
	(void)state;
	set_up(&g, 3, VAPLIC_LEVEL1, HART(1) | 30);
	wr(&g, CLRIENUM, 3);
	line(&g, 3, true);
	wr(&g, SOURCECFG(3), VAPLIC_INACTIVE);
	wr(&g, SETIENUM, 3);
	assert_false(bit(&g, SETIP(0), 3));
	assert_no_msi();
	/* Active again while the wire is high: pending, and sent when it is enabled. */
	set_up(&g, 3, VAPLIC_LEVEL1, HART(1) | 30);
	assert_msi(1, 30);
}

static void test_genmsi(void **state)
{
	(void)state;
	wr(&g, DOMAINCFG, DM);			/* IE does not matter */
	wr(&g, GENMSI, HART(2) | 0x3f000 | 0x800 | 17);
	assert_msi(2, 17);
	assert_int_equal(rd(&g, GENMSI), HART(2) | 17);	/* never busy */
	assert_no_msi();
	wr(&g, DOMAINCFG, 0);
	assert_int_equal(rd(&g, GENMSI), 0);
	wr(&g, GENMSI, HART(2) | 17);
	assert_no_msi();
	restart(&g);
	wr(&g, DOMAINCFG, DM);
	assert_int_equal(rd(&g, GENMSI), 0);
}

/* An MSI under way, as another hart's would be: from inside of the hook. */
static enum mmio_result inside;

static void write_genmsi(void *ctx, u32 vcpu, u32 eiid)
{
	struct mmio_access acc = {
		.offset = GENMSI, .width = 4, .write = true, .value = HART(1) | 99,
	};

	(void)ctx;
	(void)vcpu;
	if (eiid != 99)
		inside = vaplic_mmio_ops.access(&g.chip, &acc);
}

static void test_genmsi_waits(void **state)
{
	static const struct vaplic_hooks hooks = { .msi = write_genmsi };

	(void)state;
	g.chip.hooks = &hooks;
	set_up(&g, 3, VAPLIC_DETACHED, HART(1) | 30);
	inside = MMIO_OK;
	wr(&g, SETIPNUM, 3);
	assert_int_equal(inside, MMIO_AGAIN);
	assert_int_equal(rd(&g, GENMSI), 0);
	g.chip.hooks = &guest_hooks;
	wr(&g, GENMSI, HART(1) | 99);
	assert_msi(1, 99);
}

/* To direct delivery and back: the pending bits follow the rules of each mode; targets are new. */
static void test_mode_switch(void **state)
{
	(void)state;
	wr(&g, IDELIVERY(1), 1);
	set_up(&g, 3, VAPLIC_LEVEL1, HART(1) | 30);
	set_up(&g, 4, VAPLIC_EDGE1, HART(1) | 40);
	line(&g, 3, true);
	line(&g, 4, true);
	assert_int_equal(g.msis, 2);
	g.msis = 0;
	assert_false(external(&g, 1));
	assert_int_equal(rd(&g, SETIP(0)), 0);

	wr(&g, DOMAINCFG, IE);
	assert_int_equal(rd(&g, TARGET(3)), 1);
	assert_int_equal(rd(&g, TARGET(4)), 1);
	assert_int_equal(rd(&g, TARGET(5)), 0);
	assert_int_equal(rd(&g, SETIP(0)), 1 << 3);	/* the level, not the edge */
	wr(&g, TARGET(3), HART(1) | 9);
	wr(&g, TARGET(4), HART(1) | 8);
	wr(&g, SETIPNUM, 4);
	assert_true(external(&g, 1));
	assert_int_equal(rd(&g, TOPI(1)), 4 << 16 | 8);

	wr(&g, DOMAINCFG, DM);
	assert_false(external(&g, 1));
	assert_int_equal(rd(&g, TOPI(1)), 0);
	assert_int_equal(rd(&g, SETIP(0)), 3 << 3);	/* both stay pending */
	assert_int_equal(rd(&g, TARGET(3)), 0);
	wr(&g, TARGET(3), HART(2) | 33);
	wr(&g, TARGET(4), HART(2) | 44);
	assert_no_msi();
	wr(&g, DOMAINCFG, IE | DM);
	assert_int_equal(g.msis, 2);
	assert_int_equal(g.msi[0].eiid, 33);
	assert_int_equal(g.msi[1].eiid, 44);
	assert_int_equal(rd(&g, SETIP(0)), 0);
	/* The IDC is still there, and quiet. */
	wr(&g, IFORCE(1), 1);
	assert_false(external(&g, 1));
	assert_int_equal(rd(&g, CLAIMI(1)), 0);
	assert_int_equal(rd(&g, IFORCE(1)), 0);
}

static void test_reset(void **state)
{
	(void)state;
	set_up(&g, 3, VAPLIC_LEVEL1, HART(1) | 30);
	set_up(&g, 4, VAPLIC_EDGE1, HART(1) | 40);
	wr(&g, CLRIENUM, 3);
	wr(&g, CLRIENUM, 4);
	line(&g, 3, true);
	line(&g, 4, true);
	pulse(&g, 5);
	restart(&g);
	assert_int_equal(rd(&g, DOMAINCFG), FIXED);
	for (u64 offset = 4; offset < VAPLIC_SIZE; offset += 4)
		assert_int_equal(rd(&g, offset), 0);
	wr(&g, DOMAINCFG, IE | DM);
	set_up(&g, 4, VAPLIC_DETACHED, HART(1) | 40);
	set_up(&g, 5, VAPLIC_LEVEL1, HART(1) | 50);
	assert_no_msi();
	set_up(&g, 3, VAPLIC_LEVEL1, HART(1) | 30);	/* its wire is high */
	assert_msi(1, 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_domaincfg, setup),
		cmocka_unit_test_setup(test_target, setup),
		cmocka_unit_test_setup(test_wild, setup),
		cmocka_unit_test_setup(test_conditions, setup),
		cmocka_unit_test_setup(test_many, setup),
		cmocka_unit_test_setup(test_edge, setup),
		cmocka_unit_test_setup(test_detached, setup),
		cmocka_unit_test_setup(test_level, setup),
		cmocka_unit_test_setup(test_pulse_level, setup),
		cmocka_unit_test_setup(test_inactive_while_pending, setup),
		cmocka_unit_test_setup(test_genmsi, setup),
		cmocka_unit_test_setup(test_genmsi_waits, setup),
		cmocka_unit_test_setup(test_mode_switch, setup),
		cmocka_unit_test_setup(test_reset, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
