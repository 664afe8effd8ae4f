/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exec_inside(struct exec *), exec_across(struct exec *): load x1 to x31, run the four bytes at
 * exec_*_slot, store x1 to x31 and the trap CSRs. stvec points behind the slot meanwhile, so
 * that a trap and a completed instruction go on at the same place; sscratch holds the struct.
 */
	.macro	slot name
	.globl	exec_\name
	.globl	exec_\name\()_slot
exec_\name:
	addi	sp, sp, -256
	.irp	n, 1,3,4,8,9,18,19,20,21,22,23,24,25,26,27
	sd	x\n, \n*8(sp)
	.endr
	la	t0, exec_sp
	sd	sp, 0(t0)
	csrr	t1, stvec
	sd	t1, 8(t0)
	la	t0, 2f
	csrw	stvec, t0
	li	t0, -1
	csrw	scause, t0
	csrw	sscratch, a0
	.irp	n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	ld	x\n, \n*8(x10)
	.endr
	ld	x10, 80(x10)
	j	exec_\name\()_slot
	.endm

	.macro	unslot
	csrrw	x31, sscratch, x31
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	sd	x\n, \n*8(x31)
	.endr
	csrr	x30, sscratch
	sd	x30, 31*8(x31)
	csrr	x30, scause
	sd	x30, 32*8(x31)
	csrr	x30, stval
	sd	x30, 33*8(x31)
	csrr	x30, sepc
	sd	x30, 34*8(x31)
	la	t0, exec_sp
	ld	sp, 0(t0)
	ld	t1, 8(t0)
	csrw	stvec, t1
	.irp	n, 1,3,4,8,9,18,19,20,21,22,23,24,25,26,27
	ld	x\n, \n*8(sp)
	.endr
	addi	sp, sp, 256
	ret
	.endm

	.section .text.exec, "ax"
	.balign	4096
	slot	inside
	.balign	4
exec_inside_slot:
	.4byte	0
2:	unslot

	.balign	4096
	slot	across
	.balign	4096
	.skip	4094
exec_across_slot:
	.4byte	0
	.2byte	1			/* c.nop: stvec needs four-byte alignment */
2:	unslot

	.bss
	.balign	8
exec_sp:
	.skip	16
