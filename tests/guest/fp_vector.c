/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FP and vector registers keep their contents over many exits, on two harts at once, and start
 * switched off. The status bits tell the truth.
 */
#include "fp.h"

#define ROUNDS 300U
#define FEW 20U	/* the other hart looks so often whether it is to stop */
static volatile bool leave;
static volatile unsigned long rounds_elsewhere;
static volatile long bad_elsewhere;
static u8 vector[MAX_HARTS][2][8][8 * VLENB_MAX] __attribute__((aligned(16)));

static void make_exits(void)
{
	sbi(SBI_EXT_BASE, 0);
	read_u32(RTC_BASE);
	read_u8(UART_BASE + 5);
	sbi(SBI_EXT_RFENCE, SBI_RFENCE_FENCE_I, 0, -1UL);
	set_timer(rdtime() + 10);
	WAIT_FOR(csr_read(sip) & BIT(IRQ_TIMER), 100);
	set_timer(-1UL);
}

/* True when all FP state survives a round of exits. */
static bool fp_round(unsigned long seed)
{
	struct fp in;
	struct fp out = {.fcsr = 0};

	for (unsigned long i = 0; i < 32; i++)
		in.f[i] = (seed + i) * 0x9e3779b97f4a7c15UL;
	in.fcsr = (seed % 5) << 5 | (seed & 31);
	fp_load(&in);
	make_exits();
	fp_store(&out);
	return !memcmp(&in, &out, sizeof(in));
}

#define VGROUP(op, n) op " v" #n ", (%0)\n add %0, %0, %1\n"
#define VALL(op) VGROUP(op, 0) VGROUP(op, 8) VGROUP(op, 16) VGROUP(op, 24)

static bool vector_round(unsigned long seed)
{
	u8 *in = vector[this_hart()->id][0][0];
	u8 *out = vector[this_hart()->id][1][0];
	unsigned long vl, vtype, vcsr, want_type;
	unsigned long step = 8 * VLENB_MAX;

	for (unsigned long i = 0; i < 4 * step; i++)
		in[i] = (u8)((seed + i) * 0x9dU >> 3);
	__asm__ volatile(".option push\n.option arch, +v\nvsetvli %2, zero, e8, m8, ta, ma\n"
			 VALL("vle8.v")
			 "vsetivli zero, 3, e16, m2, tu, mu\ncsrr %3, vtype\n"
			 "csrwi vcsr, 5\n.option pop"
			 : "+r"(in), "+r"(step), "=&r"(vl), "=&r"(want_type)::"memory");
	make_exits();
	__asm__ volatile(".option push\n.option arch, +v\ncsrr %2, vl\ncsrr %3, vtype\n"
			 "csrr %4, vcsr\nvsetvli t0, zero, e8, m8, ta, ma\n" VALL("vse8.v")
			 ".option pop"
			 : "+r"(out), "+r"(step), "=&r"(vl), "=&r"(vtype), "=&r"(vcsr)::"t0",
			   "memory");
	in = vector[this_hart()->id][0][0];
	out = vector[this_hart()->id][1][0];
	for (unsigned long g = 0; g < 4; g++, in += step, out += step)
		if (memcmp(in, out, 8 * 16)) /* VLEN is at least 128 with V */
			return false;
	return vl == 3 && vtype == want_type && vcsr == 5;
}

static bool rounds(unsigned long n, unsigned long seed, bool v)
{
	for (unsigned long i = 0; i < n; i++)
		if (!fp_round(seed + i) || (v && !vector_round(seed * 3 + i)))
			return false;
	return true;
}

static void elsewhere(unsigned long v)
{
	if (v)
		csr_set(sstatus, SSTATUS_VS);
	while (!leave) {
		if (!rounds(FEW, 0x1000 + rounds_elsewhere, v != 0))
			bad_elsewhere++;
		rounds_elsewhere++;
	}
}

static void check_status(bool v)
{
	double one = 1;

	csr_clear(sstatus, SSTATUS_FS);
	check_cause("FP while off", TRY(__asm__ volatile("fmv.d.x f0, zero")), CAUSE_ILLEGAL);
	check_cause("fcsr while off", TRY(__asm__ volatile("frcsr t0" ::: "t0")), CAUSE_ILLEGAL);
	csr_set(sstatus, 2UL << 13);
	make_exits();
	CHECK("clean stays clean", (csr_read(sstatus) & SSTATUS_FS) == 2UL << 13, "0x%lx",
	      csr_read(sstatus));
	__asm__ volatile("fadd.d %0, %0, %0" : "+f"(one));
	CHECK("dirty after FP", (csr_read(sstatus) & SSTATUS_FS) == SSTATUS_FS, "0x%lx",
	      csr_read(sstatus));
	CHECK("SD set", csr_read(sstatus) & SSTATUS_SD, "0x%lx", csr_read(sstatus));
	CHECK("it computes", one == 2.0, "no");
	csr_clear(sstatus, SSTATUS_VS);
	check_cause("vector while off",
		    TRY(__asm__ volatile(".option push\n.option arch, +v\n"
					 "vsetvli t0, zero, e8, m1, ta, ma\n.option pop" ::: "t0")),
		    CAUSE_ILLEGAL);
	if (v)
		csr_set(sstatus, SSTATUS_VS);
}

void payload(void)
{
	bool v = have_vector();
	unsigned long hart = other_hart();
	unsigned long first = harts[boot_hart].first_status;

	say("# vector: %s\n", v ? "yes" : "no");
	CHECK_SHYPER("FS and VS off at entry", !(first & (SSTATUS_FS | SSTATUS_VS)), "0x%lx",
		     first);
	check_status(v);
	if (hart < MAX_HARTS)
		hart_run(hart, elsewhere, v);
	CHECK("kept over exits", rounds(ROUNDS, 7, v), "lost");
	if (hart < MAX_HARTS) {
		WAIT_FOR(rounds_elsewhere, 60000);
		leave = true;
		CHECK("other hart stops", hart_wait_stopped(hart), "runs");
		CHECK("kept on the other hart", rounds_elsewhere && !bad_elsewhere, "lost");
	}
}
