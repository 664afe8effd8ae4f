/* SPDX-License-Identifier: BSD-2-Clause */
/* Where QEMU's virt board, and so every guest of Shyper, has its devices. */
#ifndef GUEST_BOARD_H
#define GUEST_BOARD_H

#include <hv/types.h>

#define FINISHER_BASE 0x100000UL
#define FINISHER_PASS 0x5555U
#define FINISHER_FAIL 0x3333U
#define FINISHER_RESET 0x7777U

#define RTC_BASE 0x101000UL
#define RTC_IRQ 11U
#define PLIC_BASE 0xc000000UL
#define PLIC_SIZE 0x600000UL
#define APLIC_BASE 0xd000000UL
#define APLIC_SIZE 0x8000UL
#define IMSIC_BASE 0x28000000UL
#define UART_BASE 0x10000000UL
#define UART_IRQ 10U
#define RAM_BASE 0x80000000UL
#define TIMEBASE 10000000UL /* ticks of `time` in a second */

/* An address where the board has nothing, below RAM and above the UART. */
#define NOWHERE 0x18000000UL

#define MMIO_ACCESS(name, type) \
	static inline type read_##name(unsigned long addr) \
	{ \
		return *(volatile type *)addr; \
	} \
	static inline void write_##name(unsigned long addr, type val) \
	{ \
		*(volatile type *)addr = val; \
	}
MMIO_ACCESS(u8, u8)
MMIO_ACCESS(u16, u16)
MMIO_ACCESS(u32, u32)
MMIO_ACCESS(u64, u64)

/* PLIC registers; ctx is 2h + 1 for S-mode of hart h. */
static inline unsigned long plic_prio(u32 irq)
{
	return PLIC_BASE + 4UL * irq;
}

static inline unsigned long plic_pending(u32 irq)
{
	return PLIC_BASE + 0x1000 + irq / 32 * 4UL;
}

static inline unsigned long plic_enable(u32 ctx, u32 irq)
{
	return PLIC_BASE + 0x2000 + 0x80UL * ctx + irq / 32 * 4UL;
}

static inline unsigned long plic_threshold(u32 ctx)
{
	return PLIC_BASE + 0x200000 + 0x1000UL * ctx;
}

static inline unsigned long plic_claim(u32 ctx)
{
	return plic_threshold(ctx) + 4;
}

#endif
