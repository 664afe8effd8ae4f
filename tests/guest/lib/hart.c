/* SPDX-License-Identifier: BSD-2-Clause */
/* Bringing up the boot hart, and the others through HSM. */
#include "guest.h"

#define STACK_SIZE 16384

/* Called by crt0.S alone. */
struct hart *harts_init(unsigned long id, unsigned long dtb);
void cpu_init(void);
void hart_main(void);
extern char trap_vector[];

struct hart harts[MAX_HARTS];
unsigned long boot_hart;
unsigned long boot_dtb;

static u8 stacks[MAX_HARTS][STACK_SIZE] __attribute__((aligned(16)));

struct hart *harts_init(unsigned long id, unsigned long dtb)
{
	boot_hart = id;
	boot_dtb = dtb;
	for (unsigned long i = 0; i < MAX_HARTS; i++) {
		harts[i].id = i;
		harts[i].stack = (unsigned long)(stacks[i] + STACK_SIZE);
	}
	return &harts[id];
}

/* Traps and FP on, interrupts off. */
void cpu_init(void)
{
	csr_write(stvec, trap_vector);
	csr_write(sie, 0);
	irqs_off();
	csr_set(sstatus, SSTATUS_FS & ~(SSTATUS_FS >> 1));
}

void hart_main(void)
{
	struct hart *h = this_hart();

	h->run(h->arg);
	irqs_off();
	sbi(SBI_EXT_HSM, SBI_HSM_STOP);
	for (;;)
		wfi();
}

unsigned long hart_count(void)
{
	unsigned long n = 0;

	while (n < MAX_HARTS && hart_status(n) >= 0)
		n++;
	return n;
}

unsigned long other_hart(void)
{
	if (hart_count() < 2)
		return MAX_HARTS;
	return boot_hart == 0 ? 1 : 0;
}

struct sbiret hart_run(unsigned long id, void (*run)(unsigned long arg), unsigned long arg)
{
	harts[id].run = run;
	harts[id].arg = arg;
	__asm__ volatile("fence rw, rw" ::: "memory");
	return sbi(SBI_EXT_HSM, SBI_HSM_START, id, hart_entry, &harts[id]);
}

bool hart_wait_stopped(unsigned long id)
{
	return WAIT_FOR(hart_status(id) == SBI_HSM_STOPPED, 60000);
}
