/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's PLIC (RISC-V PLIC specification 1.0). Every source in use has priority 1 and is
 * enabled in the S-mode context of exactly one hart.
 */
#include <asm/hart.h>
#include <hv/board.h>
#include <hv/host_irq.h>
#include <hv/spinlock.h>

#define PRIORITY(source) (4 * (u64)(source))
#define ENABLE(context, source) (0x2000 + 0x80 * (u64)(context) + (source) / 32 * 4)
#define THRESHOLD(context) (0x200000 + 0x1000 * (u64)(context))
#define CLAIM(context) (THRESHOLD(context) + 4)

/* Fixed after plic_probe(). */
static u64 base;
static u64 size;
static u32 sources;

static struct spinlock lock;	/* read-modify-write of enable words */

static volatile u32 *reg(u64 offset)
{
	return (volatile u32 *)(uintptr_t)(base + offset);
}

static u32 context(u32 hart_index)
{
	return harts[hart_index].board->plic_context;
}

static bool present(u32 hart_index)
{
	u32 c = context(hart_index);

	return c != BOARD_NO_CONTEXT && CLAIM(c) + 4 <= size;
}

static void plic_hart_init(u32 hart_index)
{
	if (!present(hart_index))
		return;
	for (u32 source = 0; source <= sources; source += 32)
		*reg(ENABLE(context(hart_index), source)) = 0;
	*reg(THRESHOLD(context(hart_index))) = 0;
}

static u32 claim(u32 hart_index)
{
	return present(hart_index) ? *reg(CLAIM(context(hart_index))) : 0;
}

static void complete(u32 hart_index, u32 source)
{
	if (present(hart_index))
		*reg(CLAIM(context(hart_index))) = source;
}

static void enable(u32 source, u32 hart_index, bool on)
{
	volatile u32 *word;
	u32 bit = 1u << source % 32;

	if (!present(hart_index))
		return;
	word = reg(ENABLE(context(hart_index), source));
	spin_lock(&lock);
	*word = on ? *word | bit : *word & ~bit;
	spin_unlock(&lock);
}

static void leave(u32 source, u32 hart_index)
{
	enable(source, hart_index, false);
}

/* A PLIC's gateways know how their source signals. */
static bool route(u32 source, const struct host_irq_route *to)
{
	*reg(PRIORITY(source)) = to->enabled;
	enable(source, to->hart_index, to->enabled);
	return true;
}

static const struct host_irqchip_ops plic_ops = {
	.name = "PLIC",
	.hart_init = plic_hart_init,
	.claim = claim,
	.complete = complete,
	.route = route,
	.leave = leave,
};

const struct host_irqchip_ops *plic_probe(const struct board *from)
{
	if (!from->plic.size)
		return NULL;
	base = from->plic.base;
	size = from->plic.size;
	sources = from->sources;
	for (u32 source = 1; source <= sources; source++)
		*reg(PRIORITY(source)) = 0;
	return &plic_ops;
}
