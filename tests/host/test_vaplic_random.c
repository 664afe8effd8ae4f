/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's APLIC against a plain model under random accesses, wires and pulses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include <hv/check.h>

#include "vaplic_model.h"

static struct pair pair;

void panic(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

static u32 rnd(u32 n)
{
	return (u32)random() % n;
}

/* Mostly one of a few sources, so that they meet each other often. */
static u32 random_source(void)
{
	return rnd(8) ? 1 + rnd(6) : rnd(pair.geometry.sources + 2);
}

static u32 random_word(void)
{
	return (u32)random() << 16 ^ (u32)random();
}

static void random_sourcecfg(struct mmio_access *acc)
{
	acc->offset = SOURCECFG(random_source());
	acc->value = rnd(16) ? rnd(8) : random_word();
}

static void random_target(struct mmio_access *acc)
{
	acc->offset = TARGET(random_source());
	acc->value = rnd(16) ? HART(rnd(pair.geometry.vcpus + 1)) | rnd(9) : random_word();
}

static void random_number(struct mmio_access *acc)
{
	static const u64 numbers[] = { SETIPNUM, CLRIPNUM, SETIENUM, SETIENUM, CLRIENUM,
				       SETIPNUM_LE, SETIPNUM_BE, GENMSI };

	acc->offset = numbers[rnd(ARRAY_SIZE(numbers))];
	acc->value = random_source();
	if (acc->offset == SETIPNUM_BE)
		acc->value = __builtin_bswap32((u32)acc->value);
	if (acc->offset == GENMSI)
		acc->value |= HART(rnd(pair.geometry.vcpus + 1));
}

static void random_idc(struct mmio_access *acc)
{
	acc->offset = IDC(rnd(pair.geometry.vcpus + 1)) + 4 * rnd(8);
	acc->value = rnd(4) ? rnd(3) : rnd(300);
	if (rnd(3) == 0) {
		acc->offset = CLAIMI(rnd(pair.geometry.vcpus));
		acc->write = false;
	}
}

static bool random_access(void)
{
	static const u8 widths[] = { 1, 2, 8 };
	struct mmio_access acc = { .width = 4, .write = rnd(4) };

	switch (rnd(8)) {
	case 0:
		random_sourcecfg(&acc);
		break;
	case 1:
		random_target(&acc);
		break;
	case 2:
	case 3:
		random_number(&acc);
		break;
	case 4:
	case 5:
		random_idc(&acc);
		break;
	case 6:
		acc.offset = 0x1c00 + 0x100 * rnd(4) + 4 * rnd(rnd(2) ? 1 : 33);
		acc.value = random_word() & random_word();
		break;
	default:
		acc.offset = rnd(3) ? DOMAINCFG : 4 * rnd(VAPLIC_SIZE / 4);
		acc.value = (rnd(4) ? IE : 0) | (rnd(4) ? 0 : DM);
	}
	if (rnd(64) == 0)
		acc.width = widths[rnd(3)];
	return pair_access(&pair, &acc);
}

static bool random_event(void)
{
	u32 what = rnd(2048);

	if (what == 0)
		return pair_reset(&pair);
	if (what < 100)
		return pair_pulse(&pair, random_source());
	if (what < 700)
		return pair_line(&pair, random_source(), rnd(2));
	return random_access();
}

static void test_random(void **state)
{
	(void)state;
	srandom(4);
	for (u32 i = 0; i < 400000; i++) {
		if (i % 20000 == 0) {
			u64 own[VAPLIC_WORDS] = { 0x7f | (u64)random() << 7, ~(u64)0 };
			u32 kind = rnd(3);
			const struct vaplic_geometry geometry = {
				.vcpus = 1 + rnd(5), .sources = 8 + rnd(120), .direct = kind != 1,
				.eiids = kind ? 3 + rnd(60) : 0, .own = rnd(2) ? own : NULL,
			};

			pair_init(&pair, &geometry);
		}
		if (!random_event())
			fail_msg("event %u: chip and model differ", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
