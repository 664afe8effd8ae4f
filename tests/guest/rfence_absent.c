/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fences for a hart that is not there: two VMs execute this. The one with one hart keeps it for a
 * while, at a higher priority; meanwhile the other, which has two, sends fences to the one of them
 * that shares it. Prints what one costs; whom they disturbed is in Shyper's log.
 */
#include "guest.h"

#define FENCES 1000UL
#define RET 0x8082U
#define LI_A0(n) (0x513U | (u32)(n) << 20)
#define PTE_RW 0xc7UL

static u32 code[4] __attribute__((aligned(16))) = {LI_A0(0), RET};
static u64 pages[2][512] __attribute__((aligned(4096)));
static volatile unsigned long rounds, code_seen, page_seen;

static void sleep_ms(unsigned long ms)
{
	csr_write(sie, SIE_STIE);
	set_timer(rdtime() + ms * MS);
	wfi();
	set_timer(-1UL);
}

static void keep_hart(void)
{
	for (unsigned int i = 0; i < 4; i++) {
		unsigned long until;

		sleep_ms(20);
		for (until = rdtime() + 80 * MS; rdtime() < until;)
			;
	}
	CHECK("had its hart", true, " ");
}

static void other(unsigned long arg)
{
	(void)arg;
	mmu_on();
	for (;;) {
		code_seen = ((unsigned long (*)(void))(unsigned long)code)();
		page_seen = *(volatile u64 *)MMU_PAGE;
		rounds++;
	}
}

/* It has run, and does not now, while nobody but its hart has anything to do. */
static bool absent(void)
{
	unsigned long seen = rounds;

	sleep_ms(1);
	return seen && rounds == seen;
}

static void change(unsigned long i)
{
	*(volatile u32 *)code = LI_A0(i & 7);
	mmu_page_unfenced((unsigned long)pages[i & 1], PTE_RW);
	__asm__ volatile("fence rw, rw" ::: "memory");
}

static void send(unsigned long hart)
{
	unsigned long seen = rounds;

	for (unsigned long i = 0; i < FENCES; i++) {
		change(i);
		sbi(SBI_EXT_RFENCE, SBI_RFENCE_FENCE_I, 1, hart);
		sbi(SBI_EXT_RFENCE, SBI_RFENCE_SFENCE_VMA, 1, hart, MMU_PAGE, 4096);
	}
	check_eq("was never there", rounds, seen);
	CHECK("comes back", WAIT_FOR(rounds > seen + 1, 10000), "after %lu rounds", rounds);
	check_eq("has the new code", code_seen, (FENCES - 1) & 7);
	check_eq("has the new mapping", page_seen, (FENCES - 1) & 1);
}

void payload(void)
{
	unsigned long hart = other_hart();

	if (hart == MAX_HARTS) {
		keep_hart();
		return;
	}
	pages[1][0] = 1;
	mmu_page((unsigned long)pages[0], PTE_RW);
	mmu_on();
	check_err("start", hart_run(hart, other, 0), SBI_SUCCESS);
	CHECK("goes", WAIT_FOR(absent(), 1000), "never");
	send(hart);
}
