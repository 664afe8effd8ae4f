/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer: a guest's APLIC whose registers, wires and pulses do what the input says, beside the
 * model of tests/host/vaplic_model.c. They must never differ.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <hv/check.h>

#include "../host/vaplic_model.h"

#define STEPS 600	/* of one input */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct pair pair;
static const u8 *input;
static size_t left;

void panic(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

static u32 take(u32 bytes)
{
	u32 value = 0;

	while (bytes-- && left) {
		value = value << 8 | *input++;
		left--;
	}
	return value;
}

/* Offsets of registers: 1 of 8 anywhere; else a few sources and their like. */
static u64 take_offset(u32 how)
{
	u32 n = take(1);

	switch (how) {
	case 0:
		return 4 * (take(2) % (VAPLIC_SIZE / 4));
	case 1:
		return SOURCECFG(n % 16);
	case 2:
		return TARGET(n % 16);
	case 3:
		return 0x1cdc + 0x100 * (n % 4);
	case 4:
		return 0x1c00 + 0x100 * (n % 4) + 4 * (n / 4 % 5);
	case 5:
		return IDC(n % 5) + 4 * (n / 8 % 8);
	case 6:
		return n & 1 ? DOMAINCFG : GENMSI;
	}
	return n & 1 ? SETIPNUM_LE : SETIPNUM_BE;
}

static u32 take_value(u32 how)
{
	switch (how & 3) {
	case 0:
		return take(4);
	case 1:
		return take(1);
	case 2:
		return HART(take(1) % 6) | take(1);
	}
	return 1U << take(1) % 32;
}

static bool access(u32 op)
{
	struct mmio_access acc = { .width = 4, .write = op & 8 };

	acc.offset = take_offset(op & 7);
	if (acc.write)
		acc.value = take_value(op >> 4);
	return pair_access(&pair, &acc);
}

static bool step(void)
{
	static const u8 widths[] = { 1, 2, 8, 8 };
	u32 op = take(1), n;

	if (op < 0x80)
		return access(op);
	n = take(1);
	if (op < 0xe0)
		return pair_line(&pair, n % 20, op & 1);
	if (op < 0xf8)
		return pair_pulse(&pair, n % 20);
	if (op < 0xff) {
		struct mmio_access odd = { .offset = 8 * n, .width = widths[op & 3] };

		return pair_access(&pair, &odd);
	}
	return pair_reset(&pair);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u64 own[VAPLIC_WORDS] = { 0 };
	u32 kind;

	input = data;
	left = size;
	kind = take(1);
	own[0] = (u64)take(4) << 8 | 0xfe;
	pair_init(&pair, &(struct vaplic_geometry){
		.vcpus = 1 + kind % 4, .sources = 8 + kind / 4 % 64, .own = own,
		.direct = (kind & 0xc0) != 0x40, .eiids = kind & 0xc0 ? 40 : 0,
	});
	for (u32 i = 0; left && i < STEPS; i++)
		if (!step())
			abort();
	return 0;
}
