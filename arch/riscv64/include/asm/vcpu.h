/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RISC-V part of a vCPU. While the vCPU is loaded on its hart, its CSRs live there and the
 * copies here are stale; where its FP and vector registers are, asm/units.h tells; gpr and pc are
 * true whenever the guest is not executing.
 */
#ifndef ASM_VCPU_H
#define ASM_VCPU_H

#include <asm/offsets.h>
#include <asm/vmid.h>
#include <asm/vpmu.h>
#include <hv/timer.h>
#include <hv/types.h>

struct vcpu;
struct vimsic;

/* Registers by their ABI numbers. */
enum gpr { GPR_RA = 1, GPR_SP = 2, GPR_A0 = 10, GPR_A1 = 11, GPR_A2 = 12, GPR_A3 = 13,
	   GPR_A4 = 14, GPR_A5 = 15, GPR_A6 = 16, GPR_A7 = 17 };

/* CSRs that a guest owns, swapped with the vCPU. scounteren and senvcfg are not banked for VS. */
struct vcpu_csrs {
	u64 vsstatus;
	u64 vsie;
	u64 vstvec;
	u64 vsscratch;
	u64 vsepc;
	u64 vscause;
	u64 vstval;
	u64 vsatp;
	u64 vstimecmp;
	u64 hvip;
	u64 scounteren;
	u64 senvcfg;
	u64 hstatus;	/* SPV, SPVP as at the last exit */
	u64 sstatus;	/* SPP as at the last exit; FS, VS: asm/units.h */
	u64 vsiselect;	/* with AIA */
	u64 hcounteren;	/* this and those below are always true here */
	u64 htimedelta;
	u64 hstateen0;
};

#define VECTOR_CSRS 32	/* bytes behind the vector registers (vector.S) */

struct fp_state {
	u64 f[32];
	u64 fcsr;
};

struct arch_vcpu {
	u64 gpr[32];		/* gpr[0] is always 0 */
	u64 pc;
	u64 host_sp;		/* Shyper's stack while the guest runs */
	u64 host_tp;		/* struct hart while the guest runs */
	u32 file;		/* its guest interrupt file (hstatus.VGEIN); 0: none */
	bool watched;		/* it sleeps, and the hart's timer and hgeie wake it */
	struct vmid_place place;
	u64 hgatp;		/* as when it was loaded last, there */
	struct vcpu_csrs csr;
	struct fp_state fp;
	struct timer timer;	/* the guest's timer: without Sstc always, else while watched */
	u64 held;		/* when that was due before its VM's time stopped; TIMER_NEVER */
	struct vpmu pmu;
	struct vimsic *imsic;	/* its VM's IMSICs; NULL: the guest has none. Fixed after init */
	void *vector;		/* 32 · vlenb bytes and vector CSRs; NULL without vector unit */
};

#endif
