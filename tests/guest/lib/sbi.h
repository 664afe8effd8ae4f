/* SPDX-License-Identifier: BSD-2-Clause */
/* The SBI from the caller's side, spelled as in the specification (v2.0). */
#ifndef GUEST_SBI_H
#define GUEST_SBI_H

#include <hv/types.h>

#define SBI_SUCCESS 0
#define SBI_ERR_FAILED (-1)
#define SBI_ERR_NOT_SUPPORTED (-2)
#define SBI_ERR_INVALID_PARAM (-3)
#define SBI_ERR_DENIED (-4)
#define SBI_ERR_INVALID_ADDRESS (-5)
#define SBI_ERR_ALREADY_AVAILABLE (-6)
#define SBI_ERR_ALREADY_STARTED (-7)
#define SBI_ERR_ALREADY_STOPPED (-8)

#define SBI_EXT_LEGACY_SET_TIMER 0x0
#define SBI_EXT_LEGACY_PUTCHAR 0x1
#define SBI_EXT_LEGACY_GETCHAR 0x2
#define SBI_EXT_LEGACY_SHUTDOWN 0x8
#define SBI_EXT_BASE 0x10
#define SBI_EXT_TIME 0x54494d45
#define SBI_EXT_IPI 0x735049
#define SBI_EXT_RFENCE 0x52464e43
#define SBI_EXT_HSM 0x48534d
#define SBI_EXT_SRST 0x53525354
#define SBI_EXT_PMU 0x504d55
#define SBI_EXT_DBCN 0x4442434e
#define SBI_EXT_SUSP 0x53555350

#define SBI_BASE_SPEC_VERSION 0
#define SBI_BASE_IMPL_ID 1
#define SBI_BASE_IMPL_VERSION 2
#define SBI_BASE_PROBE 3
#define SBI_BASE_MVENDORID 4
#define SBI_BASE_MARCHID 5
#define SBI_BASE_MIMPID 6

#define SBI_HSM_START 0
#define SBI_HSM_STOP 1
#define SBI_HSM_STATUS 2
#define SBI_HSM_SUSPEND 3
#define SBI_HSM_STARTED 0
#define SBI_HSM_STOPPED 1
#define SBI_HSM_START_PENDING 2
#define SBI_HSM_STOP_PENDING 3
#define SBI_HSM_SUSPENDED 4
#define SBI_HSM_SUSPEND_PENDING 5
#define SBI_HSM_RESUME_PENDING 6
#define SBI_HSM_RETENTIVE 0x0UL
#define SBI_HSM_NON_RETENTIVE 0x80000000UL

#define SBI_RFENCE_FENCE_I 0
#define SBI_RFENCE_SFENCE_VMA 1
#define SBI_RFENCE_SFENCE_VMA_ASID 2
#define SBI_RFENCE_HFENCE_GVMA_VMID 3
#define SBI_RFENCE_HFENCE_GVMA 4
#define SBI_RFENCE_HFENCE_VVMA_ASID 5
#define SBI_RFENCE_HFENCE_VVMA 6

#define SBI_SRST_SHUTDOWN 0
#define SBI_SRST_COLD_REBOOT 1
#define SBI_SRST_WARM_REBOOT 2
#define SBI_SRST_NO_REASON 0
#define SBI_SRST_SYSTEM_FAILURE 1

#define SBI_DBCN_WRITE 0
#define SBI_DBCN_READ 1
#define SBI_DBCN_WRITE_BYTE 2

#define SBI_IMPL_SHYPER 0x53485950UL

struct sbiret {
	long error;
	long value;
};

static inline struct sbiret sbi_call(unsigned long ext, unsigned long fid, unsigned long x0,
				     unsigned long x1, unsigned long x2, unsigned long x3,
				     unsigned long x4, unsigned long x5)
{
	register unsigned long a0 __asm__("a0") = x0;
	register unsigned long a1 __asm__("a1") = x1;
	register unsigned long a2 __asm__("a2") = x2;
	register unsigned long a3 __asm__("a3") = x3;
	register unsigned long a4 __asm__("a4") = x4;
	register unsigned long a5 __asm__("a5") = x5;
	register unsigned long a6 __asm__("a6") = fid;
	register unsigned long a7 __asm__("a7") = ext;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a6), "r"(a7)
			 : "memory");
	return (struct sbiret){(long)a0, (long)a1};
}

/* sbi(extension, function, up to six arguments): arguments left out are 0. */
#define sbi(...) SBI_(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define SBI_(ext, fid, a, b, c, d, e, f, ...) \
	sbi_call((unsigned long)(ext), (unsigned long)(fid), (unsigned long)(a), \
		 (unsigned long)(b), (unsigned long)(c), (unsigned long)(d), (unsigned long)(e), \
		 (unsigned long)(f))

/* Makes the call and returns how many of the registers that it must keep came back different. */
unsigned long sbi_changed_registers(unsigned long ext, unsigned long fid, unsigned long a0,
				    unsigned long a1);

static inline bool sbi_probe(unsigned long ext)
{
	return sbi(SBI_EXT_BASE, SBI_BASE_PROBE, ext).value != 0;
}

static inline bool under_shyper(void)
{
	return sbi(SBI_EXT_BASE, SBI_BASE_IMPL_ID).value == (long)SBI_IMPL_SHYPER;
}

static inline void set_timer(u64 when)
{
	sbi(SBI_EXT_TIME, 0, when);
}

static inline void send_ipi(unsigned long mask, unsigned long base)
{
	sbi(SBI_EXT_IPI, 0, mask, base);
}

static inline long hart_status(unsigned long id)
{
	struct sbiret r = sbi(SBI_EXT_HSM, SBI_HSM_STATUS, id);

	return r.error ? r.error : r.value;
}

#endif
