/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unsigned long sbi_changed_registers(ext, fid, a0, a1): makes the call with a pattern in every
 * register that SBI must keep (all but a0 and a1) and returns how many came back different.
 */
	.globl	sbi_changed_registers
	.macro	own op
	.irp	n, 1,3,4,8,9,18,19,20,21,22,23,24,25,26,27
	\op	x\n, \n*8(sp)
	.endr
	.endm
sbi_changed_registers:
	addi	sp, sp, -256
	own	sd
	csrw	sscratch, sp
	mv	a7, a0
	mv	a6, a1
	mv	a0, a2
	mv	a1, a3
	.irp	n, 1,3,4,5,6,7,8,9,12,13,14,15,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	li	x\n, 0x5a5a5a0 + \n
	.endr
	mv	a2, a6			/* a6 and a7 are compared with copies */
	mv	a3, a7
	ecall
	li	a0, 0
	xor	a6, a6, a2
	xor	a7, a7, a3
	snez	a6, a6
	snez	a7, a7
	add	a0, a6, a7
	.irp	n, 1,3,4,5,6,7,8,9,14,15,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	li	a1, 0x5a5a5a0 + \n
	xor	a1, a1, x\n
	snez	a1, a1
	add	a0, a0, a1
	.endr
	csrr	a1, sscratch
	xor	a2, a1, sp
	snez	a2, a2
	add	a0, a0, a2
	mv	sp, a1
	own	ld
	addi	sp, sp, 256
	ret
