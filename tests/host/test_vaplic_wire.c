/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sources that are wires of the board: which routes the guest's writes make, and that a guest
 * cannot tell such a source from an emulated one. The board's controller is a second APLIC, with
 * IMSICs or without, driven through its registers as a host driver would.
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

#define VCPUS 3U
#define SHYPER VCPUS	/* the board's hart behind the guest's; here nobody else's */
#define SOURCES 16U

static struct guest g;		/* with wires */
static struct guest twin;	/* all emulated */

/* The board. */
static struct guest hw;
static bool messages;			/* it has IMSICs */
static bool serving;
static struct vaplic_route route[SOURCES];
static u32 configures, rearms, interrupts;

void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

/* ---- A driver of the board's controller ---- */

static void allow(u32 source)
{
	if (route[source].enabled)
		wr(&hw, SETIENUM, source);
}

static void configure(void *ctx, u32 source, const struct vaplic_route *to)
{
	u32 target = HART(messages ? SHYPER : 0) | (messages ? source : 1);

	assert_ptr_equal(ctx, &g);
	assert_true(spin_is_locked(&g.chip.lock));
	assert_false(to->enabled && (to->vcpu >= VCPUS || to->mode == VAPLIC_INACTIVE));
	assert_false(to->enabled && to->msi && (!to->eiid || to->eiid > g.chip.eiids));
	configures++;
	wr(&hw, CLRIENUM, source);
	if (to->mode != route[source].mode)	/* else a high input might become pending anew */
		wr(&hw, SOURCECFG(source), to->mode);
	route[source] = *to;
	if (to->enabled && to->msi)
		target = HART(to->vcpu) | to->eiid;
	wr(&hw, TARGET(source), target);
	allow(source);
}

static void set_pending(void *ctx, u32 source)
{
	assert_ptr_equal(ctx, &g);
	assert_true(route[source].msi);
	wr(&hw, SETIPNUM, source);
}

static void clear_pending(void *ctx, u32 source)
{
	assert_ptr_equal(ctx, &g);
	wr(&hw, CLRIPNUM, source);
}

static bool is_pending(void *ctx, u32 source)
{
	assert_ptr_equal(ctx, &g);
	return bit(&hw, SETIP(0), source);
}

static bool input(void *ctx, u32 source)
{
	assert_ptr_equal(ctx, &g);
	return bit(&hw, IN_CLRIP(0), source);
}

static void rearm(void *ctx, u32 source)
{
	assert_ptr_equal(ctx, &g);
	rearms++;
	if (!messages)
		allow(source);
	else if (route[source].mode >= VAPLIC_LEVEL1)
		wr(&hw, SETIPNUM, source);
}

static const struct vaplic_wire_ops wires = {
	.configure = configure, .set_pending = set_pending, .clear_pending = clear_pending,
	.pending = is_pending, .input = input, .rearm = rearm,
};

/* The board interrupts Shyper: without IMSICs, when it looks. */
static void serve(void)
{
	u32 source;

	while (serving && !messages && (source = rd(&hw, CLAIMI(0)) >> 16)) {
		interrupts++;
		wr(&hw, CLRIENUM, source);
		if (vaplic_wire_interrupt(&g.chip, source))
			allow(source);
	}
}

static void hw_kick(void *ctx, u32 hart)
{
	(void)ctx;
	(void)hart;
}

/* An MSI of the board's: to a guest's file, or to Shyper, whose identities are the sources. */
static void hw_msi(void *ctx, u32 hart, u32 eiid)
{
	(void)ctx;
	if (hart != SHYPER) {
		guest_hooks.msi(&g, hart, eiid);
		return;
	}
	interrupts++;
	/* As the board's driver completes: a level that is high sends the next one at once. */
	if (vaplic_wire_interrupt(&g.chip, eiid) && route[eiid].mode >= VAPLIC_LEVEL1)
		wr(&hw, SETIPNUM, eiid);
}

static const struct vaplic_hooks hw_hooks = { .kick = hw_kick, .msi = hw_msi };

static void start(bool with_imsics, bool attach)
{
	const struct vaplic_geometry guest = {
		.vcpus = VCPUS, .sources = SOURCES, .direct = true,
		.eiids = with_imsics ? 63 : 0,
	};
	const struct vaplic_geometry board = {
		.vcpus = VCPUS + 1, .sources = SOURCES, .direct = !with_imsics,
		.eiids = with_imsics ? 255 : 0,
	};

	messages = with_imsics;
	serving = true;
	configures = rearms = interrupts = 0;
	memset(route, 0, sizeof(route));
	vaplic_init(&hw.chip, &board, &hw_hooks, NULL, &hw);
	wr(&hw, IDELIVERY(0), 1);
	wr(&hw, DOMAINCFG, IE);
	guest_init(&twin, &guest, NULL);
	guest_init(&g, &guest, &wires);
	for (u32 s = 1; attach && s < SOURCES; s++)
		assert_int_equal(vaplic_attach(&g.chip, s), 0);
}

/* ---- Attaching, and the routes ---- */

static void test_attach(void **state)
{
	(void)state;
	start(true, false);
	assert_int_equal(vaplic_attach(&g.chip, 0), -EINVAL);
	assert_int_equal(vaplic_attach(&g.chip, SOURCES), -EINVAL);
	assert_int_equal(vaplic_attach(&g.chip, 0xffffffff), -EINVAL);
	assert_true(vaplic_wire_interrupt(&g.chip, 3));
	assert_int_equal(vaplic_attach(&g.chip, 3), 0);
	assert_int_equal(vaplic_attach(&g.chip, 3), -EBUSY);
	assert_int_equal(configures, 0);
	wr(&g, DOMAINCFG, IE);
	set_up(&g, 3, VAPLIC_LEVEL1, HART(1) | 1);
	line(&g, 3, true);			/* devices have no say */
	pulse(&g, 3);
	assert_int_equal(rd(&g, SETIP(0)), 0);
	assert_int_equal(route[3].mode, VAPLIC_LEVEL1);
	vaplic_detach(&g.chip, 3);
	assert_int_equal(route[3].mode, VAPLIC_INACTIVE);
	assert_true(vaplic_wire_interrupt(&g.chip, 3));
	vaplic_detach(&g.chip, 3);
	vaplic_detach(&g.chip, 0xffffffff);
	assert_int_equal(configures, 3);	/* mode, enabled, inactive */
	set_up(&g, 3, VAPLIC_EDGE1, HART(1) | 1);
	line(&g, 3, true);
	assert_int_equal(rd(&g, SETIP(0)), 1 << 3);
}

static void assert_route(u32 calls, enum vaplic_mode mode, bool msi, u32 vcpu, u32 eiid)
{
	assert_int_equal(configures, calls);
	assert_int_equal(route[5].mode, mode);
	assert_int_equal(route[5].msi, msi);
	assert_int_equal(route[5].enabled, vcpu < VCPUS);
	assert_int_equal(route[5].vcpu, vcpu < VCPUS ? vcpu : 0);
	assert_int_equal(route[5].eiid, eiid);
}

#define NOBODY VCPUS

static void test_routes_msi(void **state)
{
	(void)state;
	start(true, true);
	wr(&g, SOURCECFG(5), VAPLIC_LEVEL1);
	assert_route(1, VAPLIC_LEVEL1, false, NOBODY, 0);
	wr(&g, SOURCECFG(5), VAPLIC_LEVEL1);
	assert_route(1, VAPLIC_LEVEL1, false, NOBODY, 0);
	wr(&g, DOMAINCFG, DM);
	assert_route(2, VAPLIC_LEVEL1, true, NOBODY, 0);
	wr(&g, SETIENUM, 5);
	wr(&g, DOMAINCFG, IE | DM);		/* EIID is still 0 */
	wr(&g, TARGET(5), HART(3) | 1);
	wr(&g, TARGET(5), HART(16) | 1);
	wr(&g, TARGET(5), HART(0x3fff) | 1);
	wr(&g, TARGET(5), HART(1) | 64);
	wr(&g, TARGET(5), HART(1) | 2047);
	assert_route(2, VAPLIC_LEVEL1, true, NOBODY, 0);
	wr(&g, TARGET(5), HART(1) | 63);
	assert_route(3, VAPLIC_LEVEL1, true, 1, 63);
	wr(&g, TARGET(5), HART(1) | 63 | 0x3f000);
	assert_route(3, VAPLIC_LEVEL1, true, 1, 63);
	wr(&g, TARGET(5), HART(2) | 9);
	assert_route(4, VAPLIC_LEVEL1, true, 2, 9);
	wr(&g, CLRIE(0), 1 << 5);
	assert_route(5, VAPLIC_LEVEL1, true, NOBODY, 0);
	wr(&g, TARGET(5), HART(0) | 7);
	assert_route(5, VAPLIC_LEVEL1, true, NOBODY, 0);
	wr(&g, SETIE(0), 1 << 5);
	assert_route(6, VAPLIC_LEVEL1, true, 0, 7);
	wr(&g, SOURCECFG(5), VAPLIC_EDGE0);
	assert_route(7, VAPLIC_EDGE0, true, 0, 7);
	wr(&g, DOMAINCFG, DM);
	assert_route(8, VAPLIC_EDGE0, true, NOBODY, 0);
	wr(&g, DOMAINCFG, IE | DM);
	assert_route(9, VAPLIC_EDGE0, true, 0, 7);
	vaplic_reroute(&g.chip, 1);
	vaplic_reroute(&g.chip, 0xffffffff);
	assert_route(9, VAPLIC_EDGE0, true, 0, 7);
	vaplic_reroute(&g.chip, 0);
	assert_route(10, VAPLIC_EDGE0, true, 0, 7);
	wr(&g, SOURCECFG(5), VAPLIC_INACTIVE);
	assert_route(11, VAPLIC_INACTIVE, false, NOBODY, 0);
	set_up(&g, 5, VAPLIC_DETACHED, HART(1) | 1);
	assert_route(13, VAPLIC_DETACHED, true, 1, 1);
	restart(&g);
	assert_route(14, VAPLIC_INACTIVE, false, NOBODY, 0);
	restart(&g);
	assert_route(14, VAPLIC_INACTIVE, false, NOBODY, 0);
}

static void test_routes_direct(void **state)
{
	(void)state;
	start(false, true);
	set_up(&g, 5, VAPLIC_LEVEL0, HART(2) | 9);
	assert_route(2, VAPLIC_LEVEL0, false, 2, 0);
	wr(&g, DOMAINCFG, IE);			/* which topi does not ask for */
	assert_route(2, VAPLIC_LEVEL0, false, 2, 0);
	wr(&g, TARGET(5), HART(2) | 8);		/* a priority is no matter of the board's */
	assert_route(2, VAPLIC_LEVEL0, false, 2, 0);
	wr(&g, TARGET(5), HART(3) | 8);
	assert_route(3, VAPLIC_LEVEL0, false, NOBODY, 0);
	wr(&g, TARGET(5), HART(1) | 8);
	assert_route(4, VAPLIC_LEVEL0, false, 1, 0);
	vaplic_reroute(&g.chip, 1);
	assert_route(5, VAPLIC_LEVEL0, false, 1, 0);
}

/* ---- One wire ---- */

/* With IMSICs: Shyper has no part in it. */
static void test_straight(void **state)
{
	(void)state;
	start(true, true);
	wr(&g, DOMAINCFG, IE | DM);
	set_up(&g, 5, VAPLIC_LEVEL1, HART(1) | 50);
	line(&hw, 5, true);
	assert_int_equal(g.msis, 1);
	assert_true(bit(&g, IN_CLRIP(0), 5));
	assert_false(bit(&g, SETIP(0), 5));
	wr(&g, SETIPNUM_LE, 5);			/* the end of a handler; still high */
	assert_int_equal(g.msis, 2);
	line(&hw, 5, false);
	wr(&g, SETIPNUM_LE, 5);
	assert_int_equal(g.msis, 2);
	wr(&g, CLRIENUM, 5);
	line(&hw, 5, true);
	assert_true(bit(&g, SETIP(0), 5));
	wr(&g, CLRIPNUM, 5);
	assert_false(bit(&g, SETIP(0), 5));
	wr(&g, SETIPNUM, 5);
	assert_true(bit(&g, SETIP(0), 5));
	wr(&g, SETIENUM, 5);
	assert_int_equal(g.msis, 3);
	assert_int_equal(interrupts, 0);
}

/* The guest's file is in memory: the board's message comes to Shyper, who passes it on. */
static void test_by_shyper(void **state)
{
	(void)state;
	start(true, true);
	wr(&g, DOMAINCFG, IE | DM);
	set_up(&g, 5, VAPLIC_LEVEL1, HART(1) | 50);
	set_up(&g, 6, VAPLIC_EDGE1, HART(2) | 60);
	/* A level's next one is the guest's to ask for, by setipnum. */
	assert_false(vaplic_wire_interrupt(&g.chip, 5));
	assert_true(vaplic_wire_interrupt(&g.chip, 6));
	assert_int_equal(g.msis, 2);
	assert_int_equal(g.msi[0].eiid, 50);
	assert_int_equal(g.msi[1].eiid, 60);
	/* On its way while the guest disables: kept until the guest enables, or clears. */
	wr(&g, CLRIE(0), 3 << 5);
	assert_true(vaplic_wire_interrupt(&g.chip, 6));
	assert_true(bit(&g, SETIP(0), 6));
	wr(&g, SETIENUM, 6);
	assert_int_equal(g.msis, 3);
	wr(&g, CLRIENUM, 6);
	assert_true(vaplic_wire_interrupt(&g.chip, 6));
	wr(&g, CLRIPNUM, 6);
	wr(&g, SETIENUM, 6);
	assert_int_equal(g.msis, 3);
	/* A level is asked for again: that it is still high counts. */
	line(&hw, 5, true);
	wr(&hw, CLRIPNUM, 5);
	assert_false(vaplic_wire_interrupt(&g.chip, 5));
	wr(&g, SETIENUM, 5);
	assert_int_equal(g.msis, 4);
	/* What is inactive is not told. */
	wr(&g, SOURCECFG(5), VAPLIC_INACTIVE);
	assert_true(vaplic_wire_interrupt(&g.chip, 5));
	assert_int_equal(g.msis, 4);
}

static void check_direct_level(bool with_imsics)
{
	start(with_imsics, true);
	wr(&g, IDELIVERY(1), 1);
	wr(&g, DOMAINCFG, IE);
	set_up(&g, 5, VAPLIC_LEVEL1, HART(1) | 9);
	rearms = 0;
	line(&hw, 5, true);
	serve();
	assert_int_equal(interrupts, 1);
	for (u32 i = 0; i < 3; i++) {		/* high: the guest sees it, Shyper no more */
		assert_true(external(&g, 1));
		assert_int_equal(rd(&g, TOPI(1)), 5 << 16 | 9);
		assert_int_equal(rd(&g, CLAIMI(1)), 5 << 16 | 9);
		serve();
		assert_int_equal(interrupts, 1);
	}
	line(&hw, 5, false);
	assert_false(bit(&g, SETIP(0), 5));	/* the register is exact, the input lags */
	assert_true(external(&g, 1));
	assert_int_equal(rearms, 0);
	assert_int_equal(rd(&g, CLAIMI(1)), 0);
	assert_int_equal(rearms, 1);
	assert_false(external(&g, 1));
	assert_int_equal(rd(&g, CLAIMI(1)), 0);
	assert_int_equal(rearms, 1);
	line(&hw, 5, true);
	serve();
	assert_int_equal(interrupts, 2);
	/* Disabled and enabled while it is high and masked. */
	wr(&g, CLRIENUM, 5);
	assert_false(external(&g, 1));
	assert_true(bit(&g, SETIP(0), 5));
	serve();
	assert_int_equal(interrupts, 2);
	wr(&g, SETIENUM, 5);
	serve();
	assert_int_equal(interrupts, 3);
	assert_true(external(&g, 1));
	/* To another vCPU. */
	wr(&g, IDELIVERY(2), 1);
	wr(&g, TARGET(5), HART(2) | 9);
	serve();
	assert_false(external(&g, 1));
	assert_true(external(&g, 2));
	restart(&g);
	serve();
	assert_int_equal(rd(&hw, SETIE(0)), 0);
	assert_int_equal(rd(&g, SETIP(0)), 0);
}

static void test_direct_level(void **state)
{
	(void)state;
	check_direct_level(false);
	check_direct_level(true);
}

/* A wire that rises between the look at it and its rearming is not lost. */
static bool low_once(void *ctx, u32 source)
{
	bool high = input(ctx, source);

	line(&hw, source, true);
	return high;
}

static void test_rise_while_lowered(void **state)
{
	static struct vaplic_wire_ops late;

	(void)state;
	start(false, true);
	late = wires;
	late.input = low_once;
	wr(&g, IDELIVERY(1), 1);
	wr(&g, DOMAINCFG, IE);
	set_up(&g, 5, VAPLIC_LEVEL1, HART(1) | 9);
	line(&hw, 5, true);
	serve();
	line(&hw, 5, false);
	g.chip.wire_ops = &late;
	assert_int_equal(rd(&g, CLAIMI(1)), 0);
	serve();
	assert_true(external(&g, 1));
	assert_int_equal(rd(&g, CLAIMI(1)), 5 << 16 | 9);
}

/* A wire that is always low when one looks and high when it is rearmed: a claim still ends. */
static bool never(void *ctx, u32 source)
{
	(void)ctx;
	(void)source;
	return false;
}

static void raise_again(void *ctx, u32 source)
{
	rearm(ctx, source);
	assert_false(vaplic_wire_interrupt(&g.chip, source));
}

static void test_claim_is_bounded(void **state)
{
	static struct vaplic_wire_ops wild;

	(void)state;
	start(false, true);
	wild = wires;
	wild.input = never;
	wild.rearm = raise_again;
	g.chip.wire_ops = &wild;
	wr(&g, IDELIVERY(1), 1);
	wr(&g, DOMAINCFG, IE);
	set_up(&g, 5, VAPLIC_LEVEL1, HART(1) | 9);
	assert_false(vaplic_wire_interrupt(&g.chip, 5));
	assert_int_equal(rd(&g, CLAIMI(1)), 0);
	assert_in_range(rearms, 1, 100);
	assert_true(external(&g, 1));
}

/* ---- A wire beside its emulated twin, at random ---- */

static u32 rnd(u32 n)
{
	return (u32)random() % n;
}

static void both(u64 offset, u32 value)
{
	wr(&g, offset, value);
	wr(&twin, offset, value);
	serve();
}

static u32 good_target(void)
{
	return HART(rnd(VCPUS)) | (1 + rnd(60));
}

/*
 * Fresh targets mean nobody, and the board keeps what nobody gets: so name somebody at once. A
 * level that becomes an edge is pending no more, unless it is one under the new mode: by way of
 * inactive.
 */
static void change_mode(u32 source, u32 mode)
{
	u32 before = rd(&twin, SOURCECFG(source));

	if (mode == before)
		return;		/* the twin may look at its wire, the board does not */
	if (before >= VAPLIC_LEVEL1 && mode < VAPLIC_LEVEL1)
		mode = VAPLIC_INACTIVE;
	both(SOURCECFG(source), mode);
	if (!before)
		both(TARGET(source), good_target());
}

static void switch_delivery(void)
{
	u32 enabled = rd(&twin, SETIE(0)), now = rd(&twin, DOMAINCFG);

	if (!messages)
		return;
	both(CLRIE(0), ~0U);
	both(DOMAINCFG, now ^ DM);
	for (u32 s = 1; s < SOURCES; s++)
		both(TARGET(s), good_target());
	both(SETIE(0), enabled);
}

static void random_event(void)
{
	static const u64 numbers[] = { SETIPNUM, SETIPNUM_LE, CLRIPNUM, SETIENUM, SETIENUM,
				       CLRIENUM };
	static const u32 legal[] = { 0, 1, 4, 5, 6, 7, 6, 7 };
	u32 source = 1 + rnd(SOURCES - 1), level = rnd(2);

	switch (rnd(8)) {
	case 0:
		change_mode(source, legal[rnd(8)]);
		break;
	case 1:
		if (rnd(20) == 0)
			switch_delivery();
		else if (rnd(10) == 0)
			both(DOMAINCFG, rd(&twin, DOMAINCFG) ^ IE);
		else
			both(TARGET(source), good_target());
		break;
	case 2:
		both(rnd(2) ? IDELIVERY(rnd(VCPUS)) : ITHRESHOLD(rnd(VCPUS)), rnd(4) ? 1 : 0);
		break;
	case 3:
	case 4:
		both(numbers[rnd(ARRAY_SIZE(numbers))], source);
		break;
	case 5:
		if (rnd(50) == 0)
			vaplic_reroute(&g.chip, rnd(VCPUS));
		serve();
		break;
	default:
		line(&hw, source, level);
		line(&twin, source, level);
		serve();
	}
}

static int by_value(const void *a, const void *b)
{
	return memcmp(a, b, 8);
}

/* One event may send several MSIs, and the board's need not come in the twin's order. */
static void compare_msis(void)
{
	assert_int_equal(g.msis, twin.msis);
	qsort(g.msi, g.msis, sizeof(g.msi[0]), by_value);
	qsort(twin.msi, twin.msis, sizeof(g.msi[0]), by_value);
	assert_memory_equal(g.msi, twin.msi, g.msis * sizeof(g.msi[0]));
	g.msis = twin.msis = 0;
}

static void compare(void)
{
	compare_msis();
	for (u64 offset = 0; offset < 0x4000; offset += offset == 0x1000 ? 0xc00 : 4)
		if (offset < SOURCECFG(SOURCES) || offset % 0x100 == 0 || offset > 0x3000)
			assert_int_equal(rd(&g, offset), rd(&twin, offset));
	for (u32 v = 0; v < VCPUS; v++) {
		u32 read = rnd(2) ? (u32)CLAIMI(v) : (u32)TOPI(v);

		assert_false(external(&twin, v) && !external(&g, v));
		assert_int_equal(rd(&g, read), rd(&twin, read));
		serve();
	}
}

static void check_twins(bool with_imsics)
{
	start(with_imsics, true);
	both(DOMAINCFG, IE | (with_imsics ? DM : 0));
	for (u32 i = 0; i < 20000; i++) {
		random_event();
		compare();
	}
	assert_true(interrupts > 100);
	assert_true(rearms > 100);
}

static void test_twins(void **state)
{
	(void)state;
	srandom(5);
	check_twins(false);
	check_twins(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attach),
		cmocka_unit_test(test_routes_msi),
		cmocka_unit_test(test_routes_direct),
		cmocka_unit_test(test_straight),
		cmocka_unit_test(test_by_shyper),
		cmocka_unit_test(test_direct_level),
		cmocka_unit_test(test_rise_while_lowered),
		cmocka_unit_test(test_claim_is_bounded),
		cmocka_unit_test(test_twins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
