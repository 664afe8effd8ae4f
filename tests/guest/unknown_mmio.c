/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses without a device: an access fault of the right kind with the address in stval. */
#include "guest.h"

/* Between devices, after RAM (1 GiB at most), and beyond what an Sv39x4 G-stage can map. */
static const unsigned long holes[] = {
	0x8UL, 0x10000UL, NOWHERE, 0xf0000000UL, 0x4000000000UL, 0x1000000000000UL,
	0xfffffffffffff8UL, 0x8000000000000000UL, 0xfffffffffffffff0UL,
};

static void jump(unsigned long to)
{
	__asm__ volatile("jalr ra, %0" ::"r"(to) : "ra", "memory");
}

static void check_hole(unsigned long at)
{
	unsigned long x = 0;
	struct trap t;

	say("# 0x%lx\n", at);
	check_trap("load u8", TRY(read_u8(at)), CAUSE_LOAD_ACCESS, at);
	check_trap("load u32", TRY(read_u32(at)), CAUSE_LOAD_ACCESS, at);
	check_trap("load u64", TRY(read_u64(at)), CAUSE_LOAD_ACCESS, at);
	check_trap("store u8", TRY(write_u8(at, 1)), CAUSE_STORE_ACCESS, at);
	check_trap("store u16", TRY(write_u16(at, 1)), CAUSE_STORE_ACCESS, at);
	check_trap("store u64", TRY(write_u64(at, 1)), CAUSE_STORE_ACCESS, at);
	check_trap("amoadd.d", TRY(__asm__ volatile("amoadd.d %0, %0, (%1)" : "+r"(x) : "r"(at))),
		   CAUSE_STORE_ACCESS, at);
	check_trap("lr.w", TRY(__asm__ volatile("lr.w %0, (%1)" : "=r"(x) : "r"(at))),
		   CAUSE_LOAD_ACCESS, at);
	/* An SC without a reservation may fail before any access. */
	t = TRY(__asm__ volatile("sc.w %0, %0, (%1)" : "+&r"(x) : "r"(at)));
	CHECK("sc.w", t.cause == TRAP_NONE || (t.cause == CAUSE_STORE_ACCESS && t.value == at),
	      "cause %ld stval 0x%lx", t.cause, t.value);
	check_trap("fld", TRY(__asm__ volatile("fld f0, (%0)" ::"r"(at))), CAUSE_LOAD_ACCESS, at);
	check_trap("fsd", TRY(__asm__ volatile("fsd f0, (%0)" ::"r"(at))), CAUSE_STORE_ACCESS, at);
	check_trap("jump", TRY(jump(at)), CAUSE_FETCH_ACCESS, at);
}

static void check_epc(void)
{
	unsigned long pc;
	struct trap t = TRY(__asm__ volatile(".option push\n.option norvc\nla %0, 1f\n"
					     "1: lw zero, 0(%1)\n.option pop"
					     : "=&r"(pc)
					     : "r"(NOWHERE)));

	check_eq("sepc of a load", t.epc, pc);
	CHECK("from S-mode", t.status & SSTATUS_SPP, "sstatus 0x%lx", t.status);
	t = TRY(jump(NOWHERE));
	check_eq("sepc of a jump", t.epc, NOWHERE);
}

/* With paging on, stval is the virtual address and the fault is still an access fault. */
static void check_paged(void)
{
	mmu_on();
	check_trap("paged load", TRY(read_u32(NOWHERE + 4)), CAUSE_LOAD_ACCESS, NOWHERE + 4);
	mmu_page(NOWHERE, 0xcf);
	check_trap("mapped load", TRY(read_u16(MMU_PAGE + 0x122)), CAUSE_LOAD_ACCESS,
		   MMU_PAGE + 0x122);
	check_trap("mapped store", TRY(write_u8(MMU_PAGE + 0xfff, 0)), CAUSE_STORE_ACCESS,
		   MMU_PAGE + 0xfff);
	check_trap("mapped jump", TRY(jump(MMU_PAGE + 0x10)), CAUSE_FETCH_ACCESS, MMU_PAGE + 0x10);
	mmu_off();
}

void payload(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(holes); i++)
		check_hole(holes[i]);
	/* QEMU's own board has its PCIe window here. */
	if (under_shyper())
		check_hole(RAM_BASE - 8);
	check_epc();
	check_paged();
}
