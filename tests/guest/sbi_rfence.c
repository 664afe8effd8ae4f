/* SPDX-License-Identifier: BSD-2-Clause */
/* Remote fences: arguments and errors, and that new code and new mappings are seen elsewhere. */
#include "guest.h"

#define RET 0x8082U
#define LI_A0(n) (0x513U | (u32)(n) << 20)
#define PTE_RW 0xc7UL
#define ASID 5UL

static u32 code[4] __attribute__((aligned(16))) = {LI_A0(0), RET};
static u64 pages[2][512] __attribute__((aligned(4096)));
static volatile unsigned long ask, answer, result;

enum { ASK_STOP = 1, ASK_CODE, ASK_PAGE };

static unsigned long run_code(void)
{
	return ((unsigned long (*)(void))(unsigned long)code)();
}

/* Answers the boot hart's questions without any fence of its own. */
static void other(unsigned long arg)
{
	unsigned long seen = 0;

	(void)arg;
	mmu_on();
	while (ask != ASK_STOP) {
		if (ask >> 8 == seen)
			continue;
		seen = ask >> 8;
		result = (ask & 0xff) == ASK_CODE ? run_code() : *(volatile u64 *)MMU_PAGE;
		answer = seen;
	}
}

static unsigned long query(unsigned long what)
{
	static unsigned long serial;

	ask = ++serial << 8 | what;
	return WAIT_FOR(answer == serial, 2000) ? result : -1UL;
}

static void patch(unsigned int n)
{
	*(volatile u32 *)code = LI_A0(n);
	__asm__ volatile("fence rw, rw" ::: "memory");
}

static void check_fence_i(unsigned long hart)
{
	patch(7);
	check_err("fence.i self", sbi(SBI_EXT_RFENCE, SBI_RFENCE_FENCE_I, 1, boot_hart), 0);
	check_eq("own new code", run_code(), 7);
	if (hart >= MAX_HARTS)
		return;
	for (unsigned int i = 1; i < 20; i++) {
		patch(i);
		sbi(SBI_EXT_RFENCE, SBI_RFENCE_FENCE_I, i & 1 ? 0 : 1, i & 1 ? -1UL : hart);
		if (query(ASK_CODE) != i) {
			check_eq("remote new code", i, 0);
			return;
		}
	}
	check_eq("remote new code", query(ASK_CODE), 19);
}

struct range {
	const char *name;
	unsigned long start;
	unsigned long size;
};

/* Each must at least flush MMU_PAGE. */
static const struct range ranges[] = {
	{"page", MMU_PAGE, 4096},	   {"one byte", MMU_PAGE + 8, 8},
	{"0, 0", 0, 0},			   {"0, -1", 0, -1UL},
	{"start, -1", MMU_PAGE, -1UL},	   {"many pages", MMU_PAGE - 0x100000, 0x4000000},
	{"a gigabyte", MMU_PAGE, 1UL << 30}, {"half", 0, 1UL << 63},
};

static void check_ranges(unsigned long fid, unsigned long hart)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(ranges); i++) {
		const struct range *r = &ranges[i / 2];
		struct sbiret ret;

		mmu_page_unfenced((unsigned long)pages[i & 1], PTE_RW);
		ret = sbi(SBI_EXT_RFENCE, fid, 1UL << boot_hart | 1UL << hart, 0, r->start, r->size,
			  0);
		CHECK(r->name, !ret.error, "error %ld", ret.error);
		check_eq("own mapping", *(volatile u64 *)MMU_PAGE, i & 1);
		check_eq("remote mapping", query(ASK_PAGE), i & 1);
	}
}

static void check_sfence(unsigned long hart)
{
	pages[1][0] = 1;
	mmu_page((unsigned long)pages[0], PTE_RW);
	mmu_on();
	hart_run(hart, other, 0);
	check_eq("first mapping", query(ASK_PAGE), 0);
	check_ranges(SBI_RFENCE_SFENCE_VMA, hart);
	check_ranges(SBI_RFENCE_SFENCE_VMA_ASID, hart);
}

static void check_arguments(void)
{
	unsigned long n = hart_count();

	for (unsigned long fid = 0; fid <= SBI_RFENCE_SFENCE_VMA_ASID; fid++) {
		say("# fid %lu\n", fid);
		check_err("all", sbi(SBI_EXT_RFENCE, fid, 0, -1UL, 0, 0, ASID), SBI_SUCCESS);
		check_err("nobody", sbi(SBI_EXT_RFENCE, fid, 0, 0, 0, 0, ASID), SBI_SUCCESS);
		CHECK_SHYPER("bad base",
			     sbi(SBI_EXT_RFENCE, fid, 1, 1UL << 40).error == SBI_ERR_INVALID_PARAM,
			     "ok");
		CHECK_SHYPER("bad hart",
			     sbi(SBI_EXT_RFENCE, fid, 1, n).error == SBI_ERR_INVALID_PARAM, "ok");
	}
	for (unsigned long fid = SBI_RFENCE_HFENCE_GVMA_VMID; fid <= SBI_RFENCE_HFENCE_VVMA; fid++)
		CHECK_SHYPER("hfence",
			     sbi(SBI_EXT_RFENCE, fid, 1, boot_hart).error == SBI_ERR_NOT_SUPPORTED,
			     "fid %lu is supported", fid);
	check_err("fid 7", sbi(SBI_EXT_RFENCE, 7, 1, boot_hart), SBI_ERR_NOT_SUPPORTED);
}

void payload(void)
{
	unsigned long hart = other_hart();

	check_arguments();
	if (hart < MAX_HARTS)
		check_sfence(hart);
	check_fence_i(hart);
	ask = ASK_STOP;
}
