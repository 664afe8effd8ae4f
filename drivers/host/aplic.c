/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's APLIC, its S-mode domain (AIA specification, chapter 4). With IMSICs it turns wires
 * into messages: to Shyper's file of a hart, or straight to a guest's. Without, it interrupts the
 * harts itself ("direct delivery mode").
 */
#include <asm/features.h>
#include <asm/hart.h>
#include <asm/imsic.h>
#include <asm/io.h>
#include <hv/bitmap.h>
#include <hv/board.h>
#include <hv/host_irq.h>
#include <hv/log.h>
#include <hv/spinlock.h>
#include <hv/timer.h>

/* Register offsets, 4.5; source registers are 4 bytes each. */
#define DOMAINCFG 0x0000
#define SOURCECFG(source) (4 * (u64)(source))
#define SETIP 0x1c00
#define IN_CLRIP 0x1d00
#define CLRIPNUM 0x1ddc
#define SETIENUM 0x1edc
#define CLRIENUM 0x1fdc
#define SETIPNUM_LE 0x2000
#define GENMSI 0x3000
#define TARGET(source) (0x3000 + 4 * (u64)(source))
#define IDC(index) (0x4000 + 0x20 * (u64)(index))
#define IDELIVERY 0x00
#define ITHRESHOLD 0x08
#define CLAIMI 0x1c

#define INACTIVE 0
#define LEVEL_HIGH 6		/* modes from here on are level-sensitive */
#define LEVEL_LOW 7

#define GENMSI_BUSY (1u << 12)
#define DOMAINCFG_IE (1u << 8)
#define DOMAINCFG_DM (1u << 2)	/* MSI delivery mode */

/* Fields of target, 4.5.16 and 4.5.17. */
#define TARGET_HART_SHIFT 18
#define TARGET_GUEST_SHIFT 12
#define TARGET_PRIORITY 1	/* direct mode: all the same */

#define SHARED_LIMIT 16		/* kicks served in a row before the devices have their turn */

/* Fixed after aplic_probe(). */
static u64 base;
static u64 size;
static u32 sources;
static bool messages;

/* Sources that interrupt, but for those that direct_claim() holds back; atomic bits. */
static u64 enabled[BITMAP_WORDS(1024)];

static u32 rd(u64 offset)
{
	return io_read(base + offset);
}

static void wr(u64 offset, u32 value)
{
	io_write(base + offset, value);
}

static u32 target_of(u32 hart_index)
{
	return harts[hart_index].board->aplic_index << TARGET_HART_SHIFT;
}

/* Source modes, 4.5.2. */
static u32 source_mode(enum irq_trigger trigger)
{
	switch (trigger) {
	case IRQ_TRIGGER_DETACHED:
		return 1;
	case IRQ_TRIGGER_RISING:
		return 4;
	case IRQ_TRIGGER_FALLING:
		return 5;
	case IRQ_TRIGGER_HIGH:
		return LEVEL_HIGH;
	case IRQ_TRIGGER_LOW:
		return LEVEL_LOW;
	case IRQ_TRIGGER_NONE:
		break;
	}
	return INACTIVE;
}

/* sourcecfg and target are WARL: what this controller cannot do, it does not hold. */
static bool holds(u64 offset, u32 value)
{
	wr(offset, value);
	return rd(offset) == value;
}

/*
 * What is pending of an earlier owner or mode is gone before the source speaks again. False: there
 * is no such mode or target; the source is disabled.
 */
static bool set_up(u32 source, u32 target, const struct host_irq_route *to)
{
	u32 mode = source_mode(to->trigger);

	bitmap_clear_atomic(enabled, source);
	wr(CLRIENUM, source);
	if (rd(SOURCECFG(source)) != mode) {
		if (!holds(SOURCECFG(source), mode))
			return false;
		wr(CLRIPNUM, source);
	}
	if (mode == INACTIVE)
		return true;
	if (!holds(TARGET(source), target))
		return false;
	if (to->enabled) {
		bitmap_set_atomic(enabled, source);
		wr(SETIENUM, source);
	}
	/* A level that was high all the time. No effect on one that is low (4.7). */
	if (messages && mode >= LEVEL_HIGH)
		wr(SETIPNUM_LE, source);
	return true;
}

static void pend(u32 source, bool pending)
{
	wr(pending ? SETIPNUM_LE : CLRIPNUM, source);
}

static bool bit_of(u64 words, u32 source)
{
	return rd(words + source / 32 * 4) >> source % 32 & 1;
}

static bool pending(u32 source)
{
	return bit_of(SETIP, source);
}

static bool input(u32 source)
{
	return bit_of(IN_CLRIP, source);
}

/* --- Messages -------------------------------------------------------------------------------- */

/*
 * Identity 1 is the kick; source n has n + 1, which exists (host_irq_init()). A controller that
 * knows no such guest interrupts Shyper, whose handler passes it on.
 */
static bool msi_route(u32 source, const struct host_irq_route *to)
{
	u32 hart = target_of(to->hart_index);
	u32 guest = to->guest_file << TARGET_GUEST_SHIFT | to->identity;

	return (to->guest_file && set_up(source, hart | guest, to)) ||
	       set_up(source, hart | (source + IMSIC_KICK), to);
}

static u32 msi_claim(u32 hart_index)
{
	(void)hart_index;
	for (u32 i = 0; i < SHARED_LIMIT; i++) {
		u32 identity = imsic_claim();

		if (identity != IMSIC_KICK)
			return identity ? identity - IMSIC_KICK : 0;
		hart_kicked();
	}
	return 0;	/* still pending: interrupts again */
}

/* 4.9.2: a level-sensitive source that is still asserted makes itself pending anew. */
static void msi_complete(u32 hart_index, u32 source)
{
	(void)hart_index;
	if (rd(SOURCECFG(source)) >= LEVEL_HIGH)
		wr(SETIPNUM_LE, source);
}

static bool busy(void)
{
	return rd(GENMSI) & GENMSI_BUSY;
}

static bool arrived(void)
{
	return imsic_take(board.imsic_ids);
}

static bool await(bool (*condition)(void), bool value, u64 end)
{
	while (condition() != value)
		if (arch_time() >= end)
			return false;
	return true;
}

/*
 * 4.9.3: messages to one hart arrive in the order in which the APLIC has sent them, so an extempore
 * one is behind them. genmsi takes none while it is busy with another hart's. The hardware's time
 * is bounded, but not by us.
 */
static void msi_sync(void)
{
	static struct spinlock lock;	/* genmsi */
	u64 end = arch_time() + arch_timebase() / 1000;
	bool sent;

	(void)arrived();	/* one that was not waited for long enough */
	spin_lock(&lock);
	sent = await(busy, false, end);
	if (sent)
		wr(GENMSI, target_of(this_hart()->index) | board.imsic_ids);
	spin_unlock(&lock);
	if (!sent || !await(arrived, true, end))
		log_err("APLIC: a message of its own %s for 1 ms; others may come late too",
			sent ? "was under way" : "could not be sent");
}

static void msi_forget(u32 source)
{
	(void)imsic_take(source + IMSIC_KICK);
}

static void msi_hart_init(u32 hart_index)
{
	(void)hart_index;	/* imsic_hart_init() has done it */
}

static const struct host_irqchip_ops msi_ops = {
	.name = "APLIC with IMSICs",
	.hart_init = msi_hart_init,
	.claim = msi_claim,
	.complete = msi_complete,
	.route = msi_route,
	.pend = pend,
	.pending = pending,
	.input = input,
	.sync = msi_sync,
	.forget = msi_forget,
};

/* --- Direct delivery ------------------------------------------------------------------------- */

static bool present(u32 hart_index)
{
	u32 index = harts[hart_index].board->aplic_index;

	return index != BOARD_NO_CONTEXT && IDC((u64)index + 1) <= size;
}

static u64 idc(u32 hart_index, u64 offset)
{
	return IDC(harts[hart_index].board->aplic_index) + offset;
}

static void direct_hart_init(u32 hart_index)
{
	if (!present(hart_index))
		return;
	wr(idc(hart_index, ITHRESHOLD), 0);
	wr(idc(hart_index, IDELIVERY), 1);
}

static bool direct_route(u32 source, const struct host_irq_route *to)
{
	return present(to->hart_index) &&
	       set_up(source, target_of(to->hart_index) | TARGET_PRIORITY, to);
}

/*
 * Unlike a PLIC, an APLIC does not hold a source back until it is completed: a level that stays
 * high would interrupt at once. So it is disabled meanwhile.
 */
static u32 direct_claim(u32 hart_index)
{
	u32 source = present(hart_index) ? rd(idc(hart_index, CLAIMI)) >> 16 & 0x3ff : 0;

	if (source)
		wr(CLRIENUM, source);
	return source;
}

static void direct_complete(u32 hart_index, u32 source)
{
	(void)hart_index;
	if (bitmap_test(enabled, source))
		wr(SETIENUM, source);
}

static const struct host_irqchip_ops direct_ops = {
	.name = "APLIC",
	.hart_init = direct_hart_init,
	.claim = direct_claim,
	.complete = direct_complete,
	.route = direct_route,
	.pend = pend,
	.pending = pending,
	.input = input,
};

const struct host_irqchip_ops *aplic_probe(const struct board *from)
{
	messages = from->irqchip == BOARD_IMSIC && feature(FEATURE_AIA);
	if (!messages && from->irqchip != BOARD_APLIC)
		return NULL;
	base = from->aplic.base;
	size = from->aplic.size;
	sources = from->sources;
	wr(DOMAINCFG, 0);
	for (u32 source = 1; source <= sources; source++)
		wr(SOURCECFG(source), INACTIVE);
	wr(DOMAINCFG, DOMAINCFG_IE | (messages ? DOMAINCFG_DM : 0));
	return messages ? &msi_ops : &direct_ops;
}
