/* SPDX-License-Identifier: BSD-2-Clause */
/* A board without Shyper, and the input; see board.h. */
#include "board.h"

#include <stdlib.h>

#include <hv/cache.h>
#include <hv/check.h>
#include <hv/pa.h>
#include <hv/virtio.h>

u8 board_ram[BOARD_SIZE];

void must(bool holds)
{
	if (!holds)
		abort();
}

/* ---- The board ---- */

void *pa_ptr(hpa_t pa)
{
	must(pa.v - BOARD_BASE < BOARD_SIZE);
	return &board_ram[pa.v - BOARD_BASE];
}

hpa_t ptr_pa(const void *ptr)
{
	return HPA((u64)((const u8 *)ptr - board_ram) + BOARD_BASE);
}

void panic(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

void arch_cache_flush(const void *base, u64 size)
{
	(void)base;
	(void)size;
}

void virtio_complain(struct virtio_dev *of, u32 n, const char *why)
{
	(void)of;
	(void)n;
	(void)why;
}

static void set_line(void *chip, u32 source, bool level)
{
	bool *wire = chip;

	(void)source;
	must(*wire != level);
	*wire = level;
}

const struct irqchip_ops board_chip = { .name = "wire", .set_line = set_line };

/* ---- The input ---- */

static const u8 *input;
static size_t left;

void input_begin(const u8 *data, size_t size)
{
	input = data;
	left = size;
}

size_t input_left(void)
{
	return left;
}

u32 take(u32 bytes)
{
	u32 value = 0;

	while (bytes-- && left) {
		value = value << 8 | *input++;
		left--;
	}
	return value;
}

/* ---- Drivers ---- */

bool driver_access(struct virtio_dev *dev, u64 offset, u8 width, bool write, u64 value, u32 rounds)
{
	struct mmio_access acc = { .offset = offset, .width = width, .write = write,
				   .value = value };

	while (rounds--)
		if (virtio_mmio_ops.access(dev, &acc) != MMIO_AGAIN)
			return true;
	return false;
}

void driver_write(struct virtio_dev *dev, u64 offset, u32 value)
{
	must(driver_access(dev, offset, 4, true, value, 64));
}

void driver_begin(struct virtio_dev *dev, u64 features)
{
	driver_write(dev, STATUS, 0);
	driver_write(dev, STATUS, 3);
	for (u32 half = 0; half < 2; half++) {
		driver_write(dev, 0x24, half);
		driver_write(dev, 0x20, (u32)((features | VIRTIO_F_VERSION_1) >> 32 * half));
	}
	driver_write(dev, STATUS, 0xb);
}

void driver_queue(struct virtio_dev *dev, u32 n, u64 base, u32 num)
{
	driver_write(dev, 0x30, n);
	driver_write(dev, 0x38, num);
	for (u32 i = 0; i < 3; i++) {
		u64 at = base + 0x100 * i;

		driver_write(dev, 0x80 + 0x10 * i, (u32)at);
		driver_write(dev, 0x84 + 0x10 * i, (u32)(at >> 32));
	}
	driver_write(dev, 0x44, 1);
}
