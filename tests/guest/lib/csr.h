/* SPDX-License-Identifier: BSD-2-Clause */
/* Supervisor CSRs as a guest sees them, spelled as in the privileged manual. */
#ifndef GUEST_CSR_H
#define GUEST_CSR_H

#define SSTATUS_SIE (1UL << 1)
#define SSTATUS_SPIE (1UL << 5)
#define SSTATUS_SPP (1UL << 8)
#define SSTATUS_VS (3UL << 9)
#define SSTATUS_FS (3UL << 13)
#define SSTATUS_SUM (1UL << 18)
#define SSTATUS_MXR (1UL << 19)
#define SSTATUS_SD (1UL << 63)

#define IRQ_SOFT 1
#define IRQ_TIMER 5
#define IRQ_EXT 9
#define SIE_SSIE (1UL << IRQ_SOFT)
#define SIE_STIE (1UL << IRQ_TIMER)
#define SIE_SEIE (1UL << IRQ_EXT)

#define CAUSE_FETCH_MISALIGNED 0UL
#define CAUSE_FETCH_ACCESS 1UL
#define CAUSE_ILLEGAL 2UL
#define CAUSE_BREAKPOINT 3UL
#define CAUSE_LOAD_MISALIGNED 4UL
#define CAUSE_LOAD_ACCESS 5UL
#define CAUSE_STORE_MISALIGNED 6UL
#define CAUSE_STORE_ACCESS 7UL
#define CAUSE_ECALL_U 8UL
#define CAUSE_FETCH_PAGE 12UL
#define CAUSE_LOAD_PAGE 13UL
#define CAUSE_STORE_PAGE 15UL

#define CSR_STIMECMP 0x14d
#define CSR_HPMCOUNTER3 0xc03

#ifndef __ASSEMBLER__

/* csr: a name that the assembler knows, or a number from above. */
#define CSR_STR_(csr) #csr
#define CSR_STR(csr) CSR_STR_(csr)
#define csr_read(csr) \
	({ \
		unsigned long v_; \
		__asm__ volatile("csrr %0, " CSR_STR(csr) : "=r"(v_)::"memory"); \
		v_; \
	})
#define csr_write(csr, val) \
	__asm__ volatile("csrw " CSR_STR(csr) ", %0" ::"rK"((unsigned long)(val)) : "memory")
#define csr_set(csr, val) \
	__asm__ volatile("csrs " CSR_STR(csr) ", %0" ::"rK"((unsigned long)(val)) : "memory")
#define csr_clear(csr, val) \
	__asm__ volatile("csrc " CSR_STR(csr) ", %0" ::"rK"((unsigned long)(val)) : "memory")

static inline void irqs_on(void)
{
	csr_set(sstatus, SSTATUS_SIE);
}

static inline void irqs_off(void)
{
	csr_clear(sstatus, SSTATUS_SIE);
}

static inline void wfi(void)
{
	__asm__ volatile("wfi" ::: "memory");
}

static inline unsigned long rdtime(void)
{
	return csr_read(time);
}

#endif
#endif
