/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads through a guest's own translation, with the guest's rights (privileged specification,
 * "Hypervisor Virtual-Machine Load and Store Instructions").
 */
#include <asm/csr.h>
#include <asm/offsets.h>

	.text
	/*
	 * int guest_fetch_half(u64 gva, u16 *out): one 16-bit parcel with execute permission.
	 * 0, or -1 when the guest itself could not fetch it: scause and stval then tell why, and
	 * the trap state of the exit (sepc, hstatus, sstatus) is as before.
	 */
	.global guest_fetch_half
guest_fetch_half:
	csrr	t1, hstatus
	csrr	t2, sstatus
	csrr	t4, sepc
	lla	t0, 1f
	sd	t0, HART_FIXUP(tp)
	.insn r	SYSTEM, 4, 0x32, t3, a0, x3	/* hlvx.hu t3, (a0) */
	sd	zero, HART_FIXUP(tp)
	sh	t3, (a1)
	li	a0, 0
	ret
1:	csrw	hstatus, t1
	csrw	sstatus, t2
	csrw	sepc, t4
	li	a0, -1
	ret
