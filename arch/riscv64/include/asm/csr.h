/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CSR numbers and fields that Shyper uses, spelled as in the RISC-V Privileged Architecture
 * (20240411 and later), and the accessors. Usable from assembly.
 */
#ifndef ASM_CSR_H
#define ASM_CSR_H

/* Supervisor (HS) */
#define CSR_SSTATUS 0x100
#define CSR_SIE 0x104
#define CSR_STVEC 0x105
#define CSR_SCOUNTEREN 0x106
#define CSR_SENVCFG 0x10a
#define CSR_SSCRATCH 0x140
#define CSR_SEPC 0x141
#define CSR_SCAUSE 0x142
#define CSR_STVAL 0x143
#define CSR_SIP 0x144
#define CSR_STIMECMP 0x14d
#define CSR_SISELECT 0x150
#define CSR_SIREG 0x151
#define CSR_STOPEI 0x15c
#define CSR_SATP 0x180
#define CSR_STOPI 0xdb0

/* Virtual supervisor */
#define CSR_VSSTATUS 0x200
#define CSR_VSIE 0x204
#define CSR_VSTVEC 0x205
#define CSR_VSSCRATCH 0x240
#define CSR_VSEPC 0x241
#define CSR_VSCAUSE 0x242
#define CSR_VSTVAL 0x243
#define CSR_VSIP 0x244
#define CSR_VSTIMECMP 0x24d
#define CSR_VSISELECT 0x250
#define CSR_VSIREG 0x251
#define CSR_VSATP 0x280
#define CSR_VSTOPI 0xeb0

/* Hypervisor */
#define CSR_HSTATUS 0x600
#define CSR_HEDELEG 0x602
#define CSR_HIDELEG 0x603
#define CSR_HIE 0x604
#define CSR_HTIMEDELTA 0x605
#define CSR_HCOUNTEREN 0x606
#define CSR_HGEIE 0x607
#define CSR_HVIEN 0x608
#define CSR_HVICTL 0x609
#define CSR_HENVCFG 0x60a
#define CSR_HSTATEEN0 0x60c
#define CSR_HTVAL 0x643
#define CSR_HIP 0x644
#define CSR_HVIP 0x645
#define CSR_HVIPRIO1 0x646
#define CSR_HVIPRIO2 0x647
#define CSR_HTINST 0x64a
#define CSR_HGATP 0x680
#define CSR_HGEIP 0xe12

/* Unprivileged counters */
#define CSR_CYCLE 0xc00
#define CSR_TIME 0xc01
#define CSR_INSTRET 0xc02
#define CSR_HPMCOUNTER31 0xc1f
#define CSR_VLENB 0xc22

/* Vector */
#define CSR_VSTART 0x008
#define CSR_VXSAT 0x009
#define CSR_VXRM 0x00a
#define CSR_VCSR 0x00f
#define CSR_VL 0xc20
#define CSR_VTYPE 0xc21

/* sstatus, vsstatus */
#define SSTATUS_SIE (1UL << 1)
#define SSTATUS_SPIE (1UL << 5)
#define SSTATUS_SPP (1UL << 8)
#define SSTATUS_VS (3UL << 9)
#define SSTATUS_VS_INITIAL (1UL << 9)
#define SSTATUS_VS_CLEAN (2UL << 9)
#define SSTATUS_FS (3UL << 13)
#define SSTATUS_FS_INITIAL (1UL << 13)
#define SSTATUS_FS_CLEAN (2UL << 13)
#define SSTATUS_SUM (1UL << 18)
#define SSTATUS_UXL_64 (2UL << 32)
#define SSTATUS_SD (1UL << 63)

/* hstatus */
#define HSTATUS_GVA (1UL << 6)
#define HSTATUS_SPV (1UL << 7)
#define HSTATUS_SPVP (1UL << 8)
#define HSTATUS_VTW (1UL << 21)
#define HSTATUS_VGEIN_SHIFT 12
#define HSTATUS_VGEIN (0x3fUL << HSTATUS_VGEIN_SHIFT)
#define HSTATUS_VSXL_64 (2UL << 32)

/* Interrupts: bit numbers of sip, hip, hvip, hideleg */
#define IRQ_SSI 1
#define IRQ_VSSI 2
#define IRQ_STI 5
#define IRQ_VSTI 6
#define IRQ_SEI 9
#define IRQ_VSEI 10
#define IRQ_SGEI 12
#define IP(irq) (1UL << (irq))

/* scause */
#define SCAUSE_INTERRUPT (1UL << 63)
#define CAUSE_FETCH_MISALIGNED 0
#define CAUSE_FETCH_ACCESS 1
#define CAUSE_ILLEGAL 2
#define CAUSE_BREAKPOINT 3
#define CAUSE_LOAD_MISALIGNED 4
#define CAUSE_LOAD_ACCESS 5
#define CAUSE_STORE_MISALIGNED 6
#define CAUSE_STORE_ACCESS 7
#define CAUSE_ECALL_U 8
#define CAUSE_ECALL_HS 9
#define CAUSE_ECALL_VS 10
#define CAUSE_FETCH_PAGE 12
#define CAUSE_LOAD_PAGE 13
#define CAUSE_STORE_PAGE 15
#define CAUSE_SOFTWARE_CHECK 18
#define CAUSE_HARDWARE_ERROR 19
#define CAUSE_FETCH_GUEST_PAGE 20
#define CAUSE_LOAD_GUEST_PAGE 21
#define CAUSE_VIRTUAL_INSTRUCTION 22
#define CAUSE_STORE_GUEST_PAGE 23
#define CAUSES 24

/* henvcfg */
#define HENVCFG_STCE (1UL << 63)
#define HENVCFG_PBMTE (1UL << 62)
#define HENVCFG_CBZE (1UL << 7)
#define HENVCFG_CBCFE (1UL << 6)
#define HENVCFG_CBIE_FLUSH (1UL << 4)

/* hstateen0 */
#define HSTATEEN0_IMSIC (1UL << 58)
#define HSTATEEN0_AIA (1UL << 59)
#define HSTATEEN0_CSRIND (1UL << 60)
#define HSTATEEN0_SENVCFG (1UL << 62)

/* hvictl: IID in bits 27:16, IPRIO in 7:0 */
#define HVICTL_EXTERNAL ((u64)IRQ_SEI << 16 | 1)

/* hcounteren */
#define COUNTEREN_CY (1UL << 0)
#define COUNTEREN_TM (1UL << 1)
#define COUNTEREN_IR (1UL << 2)

/* satp, hgatp */
#define ATP_MODE_SHIFT 60
#define SATP_MODE_SV39 8UL
#define SATP_MODE_SV48 9UL
#define HGATP_MODE_SV39X4 8UL
#define HGATP_MODE_SV48X4 9UL
#define HGATP_MODE_SV57X4 10UL
#define HGATP_VMID_SHIFT 44
#define HGATP_VMID_MASK (0x3fffUL << HGATP_VMID_SHIFT)

#ifndef __ASSEMBLER__

#include <asm/offsets.h>
#include <hv/types.h>

#define CSR_STR_(x) #x
#define CSR_STR(x) CSR_STR_(x)

#define csr_read(csr)                                                                    \
	({                                                                               \
		u64 csr_v_;                                                              \
		__asm__ volatile("csrr %0, " CSR_STR(csr) : "=r"(csr_v_)::"memory");     \
		csr_v_;                                                                  \
	})
#define csr_write(csr, val)                                                              \
	__asm__ volatile("csrw " CSR_STR(csr) ", %0" ::"rK"((u64)(val)) : "memory")
#define csr_set(csr, val)                                                                \
	__asm__ volatile("csrs " CSR_STR(csr) ", %0" ::"rK"((u64)(val)) : "memory")
#define csr_clear(csr, val)                                                              \
	__asm__ volatile("csrc " CSR_STR(csr) ", %0" ::"rK"((u64)(val)) : "memory")
#define csr_take(csr, bits) /* clears them; what was there before */                      \
	({                                                                               \
		u64 csr_v_;                                                              \
		__asm__ volatile("csrrc %0, " CSR_STR(csr) ", %1"                        \
				 : "=r"(csr_v_)                                          \
				 : "rK"((u64)(bits))                                     \
				 : "memory");                                            \
		csr_v_;                                                                  \
	})
#define csr_turn_on(csr, bits) /* the same, but it sets them */                           \
	({                                                                               \
		u64 csr_v_;                                                              \
		__asm__ volatile("csrrs %0, " CSR_STR(csr) ", %1"                        \
				 : "=r"(csr_v_)                                          \
				 : "rK"((u64)(bits))                                     \
				 : "memory");                                            \
		csr_v_;                                                                  \
	})
#define csr_swap(csr, val)                                                               \
	({                                                                               \
		u64 csr_v_;                                                              \
		__asm__ volatile("csrrw %0, " CSR_STR(csr) ", %1"                        \
				 : "=r"(csr_v_)                                          \
				 : "rK"((u64)(val))                                      \
				 : "memory");                                            \
		csr_v_;                                                                  \
	})

/*
 * csr_probe_read(csr, &value), csr_probe_write(csr, value): the same, but 0 when the CSR does not
 * exist or is out of reach, 1 when the access worked. For boot: through the hart's trap fixup
 * (asm/trap.h). hs_fixup lives in the hart's struct, so only one may be armed at a time.
 */
#define csr_probe_read(csr, val)                                                         \
	({                                                                               \
		u64 probe_ok_ = 1, probe_v_ = 0;                                         \
		__asm__ volatile("	lla t0, 1f\n"                                     \
				 "	sd t0, %[fix](tp)\n"                             \
				 "	csrr %[v], " CSR_STR(csr) "\n"                   \
				 "	j 2f\n"                                          \
				 "1:	li %[ok], 0\n"                                   \
				 "2:	sd zero, %[fix](tp)\n"                           \
				 : [v] "+r"(probe_v_), [ok] "+r"(probe_ok_)              \
				 : [fix] "i"(HART_FIXUP)                                 \
				 : "t0", "memory");                                      \
		*(val) = probe_v_;                                                       \
		probe_ok_ != 0;                                                          \
	})
#define csr_probe_write(csr, val)                                                        \
	({                                                                               \
		u64 probe_ok_ = 1;                                                       \
		__asm__ volatile("	lla t0, 1f\n"                                     \
				 "	sd t0, %[fix](tp)\n"                             \
				 "	csrw " CSR_STR(csr) ", %[v]\n"                   \
				 "	j 2f\n"                                          \
				 "1:	li %[ok], 0\n"                                   \
				 "2:	sd zero, %[fix](tp)\n"                           \
				 : [ok] "+r"(probe_ok_)                                  \
				 : [v] "r"((u64)(val)), [fix] "i"(HART_FIXUP)            \
				 : "t0", "memory");                                      \
		probe_ok_ != 0;                                                          \
	})

#endif
#endif
