/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole-machine instructions per operation, for runs under -icount shift=0, where an executed
 * instruction is 1 ns of `time`. Prints `bench NAME value`; an empty loop is subtracted, the
 * operation's own instructions count. Keep the sequences: bench/exits.py compares with peers.
 * With more than one hart, only what takes two is measured.
 */
#include "guest.h"

#define REPEAT 20000UL
#define INSNS_PER_TICK (1000000000UL / TIMEBASE)

/* Two loop instructions in every function, so that the empty loop is the right thing to take. */
#define OP(name, insns, a, b) \
	static void name(unsigned long n) \
	{ \
		register unsigned long a0 __asm__("s2") = (unsigned long)(a); \
		register unsigned long a1 __asm__("s3") = (unsigned long)(b); \
		__asm__ volatile(".balign 8\n1:\n" insns "\n addi %0, %0, -1\n bnez %0, 1b\n" \
				 : "+r"(n) \
				 : "r"(a0), "r"(a1) \
				 : "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "t0", "t1", \
				   "memory"); \
	}

OP(op_empty, "", 0, 0)
OP(op_null, "li a7, 0x10\nli a6, 0\necall", 0, 0)
OP(op_set_timer, "li a0, -1\nli a7, 0x54494d45\nli a6, 0\necall", 0, 0)
OP(op_stimecmp, "csrw 0x14d, s2", -1UL, 0)
OP(op_self_ipi,
   "li a0, 1\nmv a1, s2\nli a7, 0x735049\nli a6, 0\necall\n"
   "2: csrr t0, sip\nandi t0, t0, 2\nbeqz t0, 2b\ncsrci sip, 2",
   boot_hart, 0)
OP(op_fence_i, "li a0, 1\nmv a1, s2\nli a7, 0x52464e43\nli a6, 0\necall", boot_hart, 0)
OP(op_hart_status, "mv a0, s2\nli a7, 0x48534d\nli a6, 2\necall", boot_hart, 0)
OP(op_plic_read, "lw t0, 0(s2)", plic_prio(UART_IRQ), 0)
OP(op_lsr_read, "lbu t0, 0(s2)", UART_BASE + 5, 0)
OP(op_plic_claim, "lw t0, 0(s2)", plic_claim(2 * (u32)boot_hart + 1), 0)

static const struct {
	const char *name;
	void (*run)(unsigned long n);
} ops[] = {
	{"null_call", op_null},		{"set_timer", op_set_timer}, {"stimecmp", op_stimecmp},
	{"self_ipi", op_self_ipi},	{"fence_i", op_fence_i},
	{"hart_status", op_hart_status},
	{"plic_read", op_plic_read},	{"lsr_read", op_lsr_read},   {"plic_claim", op_plic_claim},
};

static unsigned long ticks(void (*run)(unsigned long n))
{
	unsigned long start;

	run(100);
	start = rdtime();
	run(REPEAT);
	return rdtime() - start;
}

static void wait_ball(void)
{
	while (!(csr_read(sip) & SIE_SSIE))
		wfi();
	csr_clear(sip, SIE_SSIE);
}

static volatile bool ready;

static void answer(unsigned long n)
{
	csr_write(sie, SIE_SSIE);
	ready = true;
	for (; n; n--) {
		wait_ball();
		send_ipi(1, boot_hart);
	}
}

/* There and back between two harts that are both asleep in WFI when the IPI comes. */
static void round_trip(unsigned long hart)
{
	unsigned long n = REPEAT / 10;
	unsigned long start;

	csr_write(sie, SIE_SSIE);
	hart_run(hart, answer, n + 1);
	WAIT_FOR(ready, 1000);
	send_ipi(1, hart);
	wait_ball();
	start = rdtime();
	for (unsigned long i = 0; i < n; i++) {
		send_ipi(1, hart);
		wait_ball();
	}
	say("bench ipi_round_trip %lu\n", (rdtime() - start) * INSNS_PER_TICK / n);
}

static void one_hart(void)
{
	unsigned long empty = ticks(op_empty);
	bool sstc = have_sstc();

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		unsigned long cost;

		if (ops[i].run == op_stimecmp && !sstc)
			continue;
		cost = (ticks(ops[i].run) - empty) * INSNS_PER_TICK;
		say("bench %s %lu\n", ops[i].name, (cost + REPEAT / 2) / REPEAT);
	}
	CHECK("bench ran", empty > 0, "time stands still");
}

void payload(void)
{
	if (other_hart() < MAX_HARTS) {
		round_trip(other_hart());
		CHECK("bench ran", true, " ");
	} else {
		one_hart();
	}
}
