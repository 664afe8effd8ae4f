/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does its worst to whoever shares its harts, for ever: exits of all kinds, timers of the past,
 * IPIs to all of its harts, fences over ranges of all sizes, text, FP and vector registers, sleep.
 */
#include "fp.h"

static char text[4096];
static struct fp fp;
static struct vec vec;

static void units(unsigned long n)
{
	fp_load(&fp);
	csr_clear(sstatus, SSTATUS_FS);
	TRY(__asm__ volatile("fmv.d.x f0, zero"));
	csr_set(sstatus, SSTATUS_FS);
	if (n & 64 && have_vector()) {
		csr_set(sstatus, SSTATUS_VS);
		vec_load(&vec);
	}
}

static void fences(unsigned long n)
{
	sbi(SBI_EXT_RFENCE, SBI_RFENCE_FENCE_I, 0, -1UL);
	sbi(SBI_EXT_RFENCE, SBI_RFENCE_SFENCE_VMA, 0, -1UL, n << 12, 64UL << 12);
	sbi(SBI_EXT_RFENCE, SBI_RFENCE_SFENCE_VMA_ASID, 0, -1UL, 0, n << 12, n);
}

static void devices(unsigned long n)
{
	TRY(read_u32(plic_prio((u32)(n % 64))));
	TRY(write_u32(plic_prio((u32)(n % 64)), (u32)n));
	TRY(read_u32(plic_claim(1)));
	TRY(read_u8(UART_BASE + n % 8));
	TRY(read_u32(0x40000000 + (n << 12)));
}

static void instructions(void)
{
	TRY(__asm__ volatile(".4byte 0xffffffff"));
	TRY(__asm__ volatile("csrr t0, hstatus" ::: "t0"));
	__asm__ volatile(".4byte 0x00d00073");		/* wrs.nto */
}

static void calls(unsigned long n)
{
	for (unsigned long fid = 0; fid < 8; fid++)
		sbi(SBI_EXT_BASE, fid);
	sbi(SBI_EXT_HSM, SBI_HSM_START, n % 4, n << 2, 0);
	sbi(n * 0x9e3779b97f4a7c15UL, n, n, n, n);
	send_ipi(-1UL, 0);
	send_ipi(0, -1UL);
}

static void speak(unsigned long n)
{
	if (n % 512 == 0)
		sbi(SBI_EXT_DBCN, SBI_DBCN_WRITE, sizeof(text), text, 0);
}

static void sleep(unsigned long n)
{
	csr_write(sie, SIE_STIE | SIE_SSIE);
	set_timer(n % 3 ? rdtime() + n % 50 : n % 2);
	wfi();
	csr_write(sie, 0);
	csr_clear(sip, SIE_SSIE);
}

static void worst(unsigned long n)
{
	for (;; n++) {
		units(n);
		fences(n);
		devices(n);
		instructions();
		calls(n);
		speak(n);
		sleep(n);
	}
}

void payload(void)
{
	memset(text, 'x', sizeof(text));
	for (unsigned long i = 63; i < sizeof(text); i += 64)
		text[i] = '\n';
	if (have_vector()) {
		csr_set(sstatus, SSTATUS_VS);
		vec_store(&vec);
	}
	CHECK("hostile from now on", true, " ");
	worst(1);
}
