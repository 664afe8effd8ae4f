/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry points of harts: the boot hart from the loader (RISC-V Image header, Linux
 * Documentation/arch/riscv/boot-image-header.rst), the others from SBI HSM hart_start.
 */
#include <asm/csr.h>
#include <asm/offsets.h>

	.section .head, "ax"
	.global _start
_start:
	j	boot			/* code0 */
	.balign	8
	.dword	0x200000		/* text_offset */
	.dword	_image_end - _start	/* image_size, .bss included */
	.dword	0			/* flags: little endian */
	.word	2			/* version 0.2 */
	.word	0
	.dword	0
	.ascii	"RISCV\0\0\0"
	.ascii	"RSC\x05"
	.word	0

	/* a0 = hart id, a1 = device tree; MMU and interrupts off (SBI specification, chapter 3). */
boot:
	csrw	sie, zero
	csrw	sscratch, zero
	mv	s0, a0
	mv	s1, a1

	lla	t0, _bss_start
	lla	t1, _bss_end
1:	sd	zero, (t0)
	addi	t0, t0, 8
	bltu	t0, t1, 1b

	/* Relocate: only R_RISCV_RELATIVE is ever there; the image is linked at 0. */
	lla	t0, _rela_start
	lla	t1, _rela_end
	lla	t2, _start
	li	t3, 3			/* R_RISCV_RELATIVE */
2:	bgeu	t0, t1, 4f
	lw	t4, 8(t0)
	bne	t4, t3, 3f
	ld	t4, (t0)
	ld	t5, 16(t0)
	add	t4, t4, t2
	add	t5, t5, t2
	sd	t5, (t4)
3:	addi	t0, t0, 24
	j	2b
4:
	lla	tp, harts
	lla	sp, boot_stack_top
	lla	t0, boot_trap_stack_top
	sd	t0, HART_TRAP_SP(tp)
	lla	t0, trap_entry
	csrw	stvec, t0
	mv	a0, s0
	mv	a1, s1
	call	boot_main
	/* not reached */
5:	wfi
	j	5b

	/*
	 * Another hart: a0 = hart id, a1 = its struct hart; MMU off. The tables that boot_main
	 * made map everything at its own address, so satp can be switched while running.
	 */
	.text
	.global hart_entry
hart_entry:
	csrw	sie, zero
	csrw	sscratch, zero
	mv	tp, a1
	lla	t0, trap_entry
	csrw	stvec, t0
	lla	t0, hv_satp
	ld	t0, (t0)
	sfence.vma
	csrw	satp, t0
	sfence.vma
	ld	sp, HART_STACK_TOP(tp)
	call	hart_main
1:	wfi
	j	1b

	.bss
	.balign	4096
boot_stack_guard:			/* unmapped once the MMU is on */
	.global boot_stack_guard
	.skip	4096
	.skip	16384
boot_stack_top:
	.skip	4096
boot_trap_stack_top:
