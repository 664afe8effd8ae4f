/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The supervisor-level CSRs of the AIA (RISC-V AIA 1.0, "Supervisor-level CSRs") as far as the
 * hardware does not give them to a guest by itself: siselect, sireg, stopei, stopi, for a vCPU
 * whose interrupt file is in memory or in hardware. When they trap, and on which harts, is at the
 * top of aia_csr.c. No CSR access: whoever calls it holds the hardware's registers.
 */
#ifndef ASM_AIA_CSR_H
#define ASM_AIA_CSR_H

#include <hv/csr_op.h>

struct vimsic;

/* The guest's registers that are the hart's at the time of the access. */
struct aia_csrs {
	struct vimsic *imsic;	/* of its VM */
	u32 vcpu;		/* index in its VM */
	u64 siselect;		/* vsiselect; to be written back when it has changed */
	u64 stopi;		/* vstopi */
};

enum aia_csr_result {
	AIA_CSR_DONE,		/* carried out; *old is the value before */
	AIA_CSR_ILLEGAL,	/* an illegal instruction to the guest; nothing done */
	AIA_CSR_OTHER,		/* not one of these registers */
};

/*
 * aia_csr() - carry out the access of a guest in VS-mode (it is illegal in VU-mode) to this CSR.
 * Owner of the vCPU's file (hv/vimsic.h). After anything but a read the file's signal may have
 * changed: vimsic_pending().
 */
enum aia_csr_result aia_csr(struct aia_csrs *csrs, u32 csr, enum csr_op op, u64 operand, u64 *old);

#endif
