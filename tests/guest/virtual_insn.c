/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a machine without the H extension refuses: hypervisor and machine CSRs and instructions
 * are illegal instructions, from S and from U, and never anything stranger. cycle, time, instret
 * and WFI work.
 */
#include "exec.h"
#include "guest.h"

#define MRET 0x30200073U

static const u32 csrs[] = {
	0x600, 0x602, 0x603, 0x604, 0x606, 0x607, 0x60a, 0x60c, 0x643, 0x644, 0x645, 0x64a,
	0xe12, 0x680, 0x6a8, 0x608, 0x609, 0x646, 0x200, 0x204, 0x205, 0x240, 0x241,
	0x242, 0x243, 0x244, 0x24d, 0x280, 0x250, 0x251, 0x257, 0xeb0, 0x300, 0x302, 0x304,
	0x305, 0x341, 0x342, 0x343, 0x344, 0x3a0, 0x3b0, 0xb00, 0xb02, 0xf11, 0xf14, 0x7a0,
	0x7b0, 0x321, 0xbff, 0x5a8 + 1, 0xdff, 0x8ff,
};

static const struct {
	const char *name;
	u32 insn;
} insns[] = {
	{"hfence.vvma", 0x22000073}, {"hfence.gvma", 0x62000073}, {"hlv.b", 0x600040f3},
	{"hlv.d", 0x6c0040f3},	     {"hlvx.wu", 0x683040f3},	  {"hsv.w", 0x6a0040f3},
	{"mret", MRET},	     {"dret", 0x7b200073},	  {"zero", 0},
	{"ones", 0xffffffff},	     {"custom-0", 0x0000000b},	  {"hinval.gvma", 0x66000073},
	{"hinval.vvma", 0x26000073}, {"system reserved", 0x0ff00073},
};

static u32 csrr(u32 csr)
{
	return csr << 20 | 10 << 7 | 2 << 12 | 0x73; /* csrrs a0, csr, zero */
}

static u32 csrw(u32 csr)
{
	return csr << 20 | 10 << 15 | 1 << 12 | 0x73; /* csrrw zero, csr, a0 */
}

static struct exec run(u32 insn)
{
	struct exec e;

	exec_fill(&e);
	e.x[1] = 0;
	exec_insn(&e, insn, EXEC_INSIDE);
	return e;
}

static void check_illegal(const char *name, u32 insn)
{
	struct exec e = run(insn);

	/* For mret, QEMU reports another instruction that it met before. */
	bool told = e.value == 0 || e.value == insn || insn == MRET;

	CHECK(name, e.cause == CAUSE_ILLEGAL && e.x[1] == 0 && told,
	      "0x%x: cause %ld stval 0x%lx", insn, (long)e.cause, e.value);
}

static void check_works(const char *name, u32 insn)
{
	struct exec e = run(insn);

	CHECK(name, e.cause == TRAP_NONE, "0x%x: cause %ld", insn, (long)e.cause);
}

static void check_supervisor(void)
{
	say("# CSRs\n");
	for (size_t i = 0; i < ARRAY_SIZE(csrs); i++) {
		check_illegal("read", csrr(csrs[i]));
		check_illegal("write", csrw(csrs[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(insns); i++)
		check_illegal(insns[i].name, insns[i].insn);
	if (under_shyper()) {
		check_illegal("read htimedelta", csrr(0x605)); /* QEMU lets it pass without H */
		for (u32 csr = CSR_HPMCOUNTER3; csr < CSR_HPMCOUNTER3 + 29; csr++)
			check_illegal("hpmcounter", csrr(csr));
	}
	check_illegal("write cycle", csrw(0xc00));
}

static void check_allowed(void)
{
	unsigned long c = csr_read(cycle);
	unsigned long i = csr_read(instret);
	unsigned long t = rdtime();

	WAIT_FOR(rdtime() > t + 100, 1000);
	CHECK("cycle advances", csr_read(cycle) > c, "stands still");
	CHECK("instret advances", csr_read(instret) > i, "stands still");
	CHECK("time advances", rdtime() > t, "stands still");
	check_works("sfence.vma", 0x12000073);
	check_works("sfence.vma with operands", 0x12b50073);
	check_works("scounteren", csrr(0x106));
	check_works("senvcfg", csrr(0x10a));
	check_works("satp", csrr(0x180));
	csr_set(sie, SIE_SSIE);
	csr_set(sip, SIE_SSIE);
	check_works("wfi with an interrupt pending", 0x10500073);
	csr_clear(sip, SIE_SSIE);
	csr_clear(sie, SIE_SSIE);
}

static u32 user_code[2] __attribute__((aligned(8)));

static struct trap user(u32 insn)
{
	user_code[0] = insn;
	user_code[1] = 0x73; /* ecall */
	__asm__ volatile("fence.i" ::: "memory");
	return user_run((unsigned long)user_code - RAM_BASE + USER_BASE, 0);
}

static void check_user_insn(const char *name, u32 insn, unsigned long cause)
{
	unsigned long at = (unsigned long)user_code - RAM_BASE + USER_BASE;
	struct trap t = user(insn);
	unsigned long epc = cause == CAUSE_ECALL_U ? at + 4 : at;

	CHECK(name, t.cause == cause && t.epc == epc && !(t.status & SSTATUS_SPP),
	      "cause %ld sepc 0x%lx, want cause %lu sepc 0x%lx, sstatus 0x%lx", (long)t.cause,
	      t.epc, cause, epc, t.status);
}

static void check_user(void)
{
	static const u32 s_csrs[] = {0x100, 0x104, 0x105, 0x106, 0x10a, 0x140, 0x141,
				     0x142, 0x143, 0x144, 0x180, 0x14d, 0x600, 0x200};

	mmu_on();
	for (size_t i = 0; i < ARRAY_SIZE(s_csrs); i++)
		check_user_insn("U reads an S CSR", csrr(s_csrs[i]), CAUSE_ILLEGAL);
	check_user_insn("U sret", 0x10200073, CAUSE_ILLEGAL);
	check_user_insn("U sfence.vma", 0x12000073, CAUSE_ILLEGAL);
	check_user_insn("U hlv.b", 0x600040f3, CAUSE_ILLEGAL);
	check_user_insn("U hpmcounter31", csrr(0xc1f), CAUSE_ILLEGAL);
	for (u32 i = 0; i < 3; i++) {
		csr_write(scounteren, 0);
		if (i != 1 || under_shyper()) /* OpenSBI 1.5 emulates time in spite of it */
			check_user_insn("U counter denied", csrr(0xc00 + i), CAUSE_ILLEGAL);
		csr_write(scounteren, 7);
		check_user_insn("U counter allowed", csrr(0xc00 + i), CAUSE_ECALL_U);
	}
	check_user_insn("U ecall", 0x13, CAUSE_ECALL_U);
	mmu_off();
}

void payload(void)
{
	bool h = run(csrr(0x600)).cause == TRAP_NONE;

	if (h)
		CHECK_SHYPER("no H extension", false, "hstatus can be read");
	else
		check_supervisor();
	check_allowed();
	check_user();
}
