/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry of a payload and of the harts it starts, and its one trap vector.
 * Offsets into struct hart: id 0, stack 8, first_status 16, first_a0 24, first_satp 32 (guest.h).
 */
#include "csr.h"

	.section .text.start, "ax"
	.globl _start
_start:
	csrr	s2, sstatus
	csrr	s3, satp
	mv	s0, a0
	mv	s1, a1
	la	t0, __bss_start
	la	t1, __bss_end
1:	bgeu	t0, t1, 2f
	sd	zero, 0(t0)
	addi	t0, t0, 8
	j	1b
2:	la	sp, boot_stack_top
	mv	a0, s0
	mv	a1, s1
	call	harts_init		/* returns this hart's struct */
	mv	tp, a0
	sd	s2, 16(tp)
	sd	s0, 24(tp)
	sd	s3, 32(tp)
	ld	sp, 8(tp)
	call	cpu_init
	call	payload
	call	finish

	/* a1: the struct of the hart that enters (hart_run) */
	.globl hart_entry
hart_entry:
	mv	tp, a1
	ld	sp, 8(tp)
	csrr	t0, sstatus
	sd	t0, 16(tp)
	sd	a0, 24(tp)
	csrr	t0, satp
	sd	t0, 32(tp)
	csrw	satp, zero
	call	cpu_init
	call	hart_main

	.macro	regs op
	.irp	n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\op	x\n, \n*8(sp)
	.endr
	.endm

	.globl trap_vector
	.balign 4
trap_vector:
	addi	sp, sp, -256
	regs	sd
	csrr	t0, sepc
	sd	t0, 0(sp)
	mv	a0, sp
	call	trap
	ld	t0, 0(sp)
	csrw	sepc, t0
	regs	ld
	addi	sp, sp, 256
	sret

	/* user_enter(entry, a0): comes back through user_exit with the same sp */
	.globl user_enter
user_enter:
	addi	sp, sp, -112
	sd	ra, 0(sp)
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11
	sd	s\n, 8+\n*8(sp)
	.endr
	csrw	sepc, a0
	li	t0, SSTATUS_SPP | SSTATUS_SPIE
	csrc	sstatus, t0
	mv	a0, a1
	sret

	.globl user_exit
user_exit:
	ld	ra, 0(sp)
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11
	ld	s\n, 8+\n*8(sp)
	.endr
	addi	sp, sp, 112
	ret

	.bss
	.balign 16
	.skip	4096
boot_stack_top:
