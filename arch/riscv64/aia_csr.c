/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulation of the AIA's supervisor-level CSRs. In VS-mode they are vsiselect, vsireg, vstopei and
 * vstopi, and trap to HS-mode as virtual instructions in these cases (AIA 1.0, "Hypervisor and VS
 * CSRs", "Access control by the state-enable CSRs"; as QEMU 10.0 has it, too):
 *
 *	siselect	hstateen0 bit 60 is 0.
 *	sireg		the same. Also while siselect is 0x30 .. 0x3f, always: VS-mode has no iprio
 *			array. Also while it is 0x70 .. 0xff and hstatus.VGEIN names no guest file
 *			or hstateen0 bit 58 is 0; with a guest file, for odd eip and eie. QEMU
 *			traps as well on the reserved 0x71, 0x73 .. 0x7f and on eip and eie past
 *			the last identity, which ought to read as zeros. All other values are
 *			reserved: an illegal instruction, straight to the guest.
 *	stopei		VGEIN names no guest file, or hstateen0 bit 58 is 0.
 *	stopi		hstateen0 bit 59 is 0.
 *
 * Harts without Smstateen have no hstateen0 and behave as if these bits were 1. So the guest's
 * siselect is always the hart's vsiselect, which Shyper can access in every case, and moves with
 * the vCPU. And stopi needs emulation only for hstateen0: with VGEIN = 0 vstopi takes the external
 * interrupt from hvip and hvictl, which follow vimsic_pending() (vcpu.c). QEMU looks at hvictl
 * alone, so its stopi tells of a pending interrupt even while the guest's sie.SEIE is 0.
 *
 * The guest believes to be in S-mode of a machine without H: what is a virtual instruction for the
 * hardware is an illegal one for it ("Supervisor-level CSRs", "Indirectly accessed interrupt-file
 * registers"). Its iprio array is all read-only zeros, as "Configuring priorities of major
 * interrupts at supervisor level" allows, so IPRIO of stopi is always 1 (hvictl.IPRIOM = 0).
 */
#include <asm/aia_csr.h>
#include <asm/csr.h>
#include <hv/vimsic.h>

/* WARL; the least that "Hypervisor and VS CSRs" asks of vsiselect. */
#define SISELECT_VALID 0x1ffULL

#define IPRIO_FIRST 0x30
#define IPRIO_LAST 0x3f

static bool siselect(struct aia_csrs *csrs, enum csr_op op, u64 operand, u64 *old)
{
	*old = csrs->siselect;
	if (op != CSR_OP_READ)
		csrs->siselect = csr_op_apply(op, *old, operand) & SISELECT_VALID;
	return true;
}

static bool sireg(struct aia_csrs *csrs, enum csr_op op, u64 operand, u64 *old)
{
	u64 select = csrs->siselect;

	if (select < IPRIO_FIRST || select > IPRIO_LAST)
		return vimsic_access(csrs->imsic, csrs->vcpu, select, op, operand, old);
	if (select % 2)
		return false;
	*old = 0;
	return true;
}

static bool stopei(struct aia_csrs *csrs, enum csr_op op, u64 operand, u64 *old)
{
	(void)operand;
	return vimsic_stopei(csrs->imsic, csrs->vcpu, op != CSR_OP_READ, old);
}

static bool stopi(struct aia_csrs *csrs, enum csr_op op, u64 operand, u64 *old)
{
	(void)operand;
	if (op != CSR_OP_READ)
		return false;
	*old = csrs->stopi;
	return true;
}

static const struct {
	u32 csr;
	bool (*access)(struct aia_csrs *csrs, enum csr_op op, u64 operand, u64 *old);
} registers[] = {
	{ CSR_STOPEI, stopei },
	{ CSR_SIREG, sireg },
	{ CSR_SISELECT, siselect },
	{ CSR_STOPI, stopi },
};

enum aia_csr_result aia_csr(struct aia_csrs *csrs, u32 csr, enum csr_op op, u64 operand, u64 *old)
{
	for (u32 i = 0; i < ARRAY_SIZE(registers); i++) {
		if (registers[i].csr == csr)
			return registers[i].access(csrs, op, operand, old) ? AIA_CSR_DONE :
									     AIA_CSR_ILLEGAL;
	}
	return AIA_CSR_OTHER;
}
