/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shyper's own address space: everything at its physical address, text executable and never
 * writable, no page both, and a hole below every stack.
 */
#include <asm/boot.h>
#include <asm/csr.h>
#include <asm/hart.h>
#include <asm/ptable.h>
#include <hv/board.h>
#include <hv/errno.h>
#include <hv/page.h>
#include <hv/quiesce.h>

#define STACK_SIZE KIB(16)
#define TRAP_STACK_SIZE KIB(8)
#define HART_STACKS (PAGE_SIZE + STACK_SIZE + TRAP_STACK_SIZE)	/* guard page first */

#define HV_RX (PTE_R | PTE_X | PTE_A | PTE_G)
#define HV_RO (PTE_R | PTE_A | PTE_G)
#define HV_RW (PTE_R | PTE_W | PTE_A | PTE_D | PTE_G)

u64 hv_satp;

static struct ptable hvmap;
static hpa_t stacks;

static u64 addr(const void *ptr)
{
	return (u64)(uintptr_t)ptr;
}

static int map(u64 base, u64 end, u64 attr)
{
	return base == end ? 0 : ptable_map(&hvmap, base, base, end - base, attr);
}

/* RAM without the holes: `cut` lists, sorted, ranges that are mapped otherwise or not at all. */
static int map_ram(u64 base, u64 end, const struct board_range *cut, u32 cuts)
{
	for (u32 i = 0; i < cuts; i++) {
		u64 cut_end = cut[i].base + cut[i].size;
		int err;

		if (cut[i].base >= end || cut_end <= base)
			continue;
		err = map(base, cut[i].base, HV_RW);
		if (err)
			return err;
		base = cut_end;
	}
	return map(base, end, HV_RW);
}

static int map_image(void)
{
	u64 guard = addr(boot_stack_guard);
	int err = map(addr(_image_start), addr(_text_end), HV_RX);

	if (!err)
		err = map(addr(_text_end), addr(_rodata_end), HV_RO);
	if (!err)
		err = map(addr(_rodata_end), guard, HV_RW);
	if (!err)
		err = map(guard + PAGE_SIZE, addr(_image_end), HV_RW);
	return err;
}

static int map_stacks(u64 base)
{
	for (u32 i = 0; i < hart_count; i++, base += HART_STACKS) {
		int err = map(base + PAGE_SIZE, base + HART_STACKS, HV_RW);

		if (err)
			return err;
		harts[i].stack_top = base + PAGE_SIZE + STACK_SIZE;
		harts[i].trap_sp = base + HART_STACKS;
	}
	return 0;
}

/* A device's registers; page granular, never executable. */
static int map_device(const struct board_range *range)
{
	struct ptable_run run;
	u64 base = ALIGN_DOWN(range->base, PAGE_SIZE);

	if (!range->size || ptable_lookup(&hvmap, base, &run))
		return 0;
	return map(base, ALIGN_UP(range->base + range->size, PAGE_SIZE), HV_RW);
}

/* All of them are mapped that can be: addresses in the upper half are not Shyper's. */
bool arch_device_mapped(u64 base, u64 size)
{
	return range_inside(base, size, 0, ptable_reach(hvmap.geo) / 2);
}

/* Devices that Shyper stops when a VM that had them is gone. */
static int map_quiesced(void)
{
	struct board_range range;
	int err = 0;

	for (u32 i = 0; !err && quiesce_registers(&board, i, &range); i++) {
		if (arch_device_mapped(range.base, range.size))
			err = map_device(&range);
	}
	return err;
}

static int map_irqchips(void)
{
	int err = map_device(&board.plic);

	if (!err)
		err = map_device(&board.aplic);
	if (!err)
		err = map_device(&board.sswi);
	for (u32 i = 0; !err && i < board.imsic_ranges; i++)
		err = map_device(&board.imsic[i]);
	return err;
}

static int map_all(void)
{
	struct board_range cut[2] = {
		{ addr(_image_start), addr(_image_end) - addr(_image_start) },
		{ stacks.v, hart_count * HART_STACKS },
	}, uart = { board.uart.base, board.uart.size };
	int err;

	if (cut[1].base < cut[0].base) {
		struct board_range first = cut[1];

		cut[1] = cut[0];
		cut[0] = first;
	}
	for (u32 i = 0; i < board.ranges; i++) {
		const struct board_range *ram = &board.memory[i];

		err = map_ram(ALIGN_UP(ram->base, PAGE_SIZE),
			      ALIGN_DOWN(ram->base + ram->size, PAGE_SIZE), cut, ARRAY_SIZE(cut));
		if (err)
			return err;
	}
	err = map_image();
	if (!err)
		err = map_stacks(stacks.v);
	if (!err)
		err = map_irqchips();
	if (!err && uart.base)
		err = map_device(&uart);
	if (!err)
		err = map_device(&board.rtc);
	if (!err)
		err = map_device(&board.finisher);
	if (!err)
		err = map_quiesced();
	return err;
}

/* The shallowest mode that reaches all RAM. */
static const struct ptable_geometry *geometry(void)
{
	u64 top = 0;

	for (u32 i = 0; i < board.ranges; i++)
		top = MAX(top, board.memory[i].base + board.memory[i].size);
	/* The lower half of the address space: one bit less than the table translates. */
	return top <= ptable_reach(&ptable_sv39) / 2 ? &ptable_sv39 : &ptable_sv48;
}

int hvmap_init(void)
{
	const struct ptable_geometry *geo = geometry();
	int err;

	err = page_alloc(hart_count * HART_STACKS, PAGE_SIZE, OWNER_HV, &stacks);
	if (err)
		return err;
	err = ptable_init(&hvmap, geo, &ptable_pages, NULL, false, 30);
	if (err)
		return err;
	err = map_all();
	if (err)
		return err;
	ptable_fenced(&hvmap);
	hv_satp = (u64)geo->mode << ATP_MODE_SHIFT | hvmap.root.v >> PAGE_SHIFT;
	__asm__ volatile("sfence.vma" ::: "memory");
	csr_write(CSR_SATP, hv_satp);
	__asm__ volatile("sfence.vma" ::: "memory");
	return csr_read(CSR_SATP) == hv_satp ? 0 : -ENODEV;
}
