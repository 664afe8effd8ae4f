/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry to and exit from guests, and traps of Shyper itself.
 *
 * sscratch holds the running vCPU while a guest executes and 0 while Shyper does. An exit saves
 * only what C may clobber; the callee-saved registers are saved too when the exit has to see
 * them (a device access through one) or when the hart leaves the guest.
 */
#include <asm/csr.h>
#include <asm/exit.h>
#include <asm/offsets.h>

	.macro CALLER_SAVED op
	\op	ra, 8*1(a0)
	\op	sp, 8*2(a0)
	\op	gp, 8*3(a0)
	\op	tp, 8*4(a0)
	\op	t0, 8*5(a0)
	\op	t1, 8*6(a0)
	\op	t2, 8*7(a0)
	\op	a1, 8*11(a0)
	\op	a2, 8*12(a0)
	\op	a3, 8*13(a0)
	\op	a4, 8*14(a0)
	\op	a5, 8*15(a0)
	\op	a6, 8*16(a0)
	\op	a7, 8*17(a0)
	\op	t3, 8*28(a0)
	\op	t4, 8*29(a0)
	\op	t5, 8*30(a0)
	\op	t6, 8*31(a0)
	.endm

	.macro CALLEE_SAVED op
	\op	s0, 8*8(a0)
	\op	s1, 8*9(a0)
	\op	s2, 8*18(a0)
	\op	s3, 8*19(a0)
	\op	s4, 8*20(a0)
	\op	s5, 8*21(a0)
	\op	s6, 8*22(a0)
	\op	s7, 8*23(a0)
	\op	s8, 8*24(a0)
	\op	s9, 8*25(a0)
	\op	s10, 8*26(a0)
	\op	s11, 8*27(a0)
	.endm

	/* From the guest into C; a1 = 0: its caller-saved registers are saved. */
	.macro ENTER
	csrrw	a0, sscratch, a0
	beqz	a0, hs_trap
	CALLER_SAVED sd
	csrrw	t0, sscratch, zero
	sd	t0, 8*10(a0)
	ld	sp, VCPU_HOST_SP(a0)
	ld	tp, VCPU_HOST_TP(a0)
	li	a1, 0
	.endm

	.section .text.hot, "ax"
	.balign	64
	.global trap_entry
trap_entry:
	ENTER
	call	exit_handle		/* a0 = the vCPU again, a1 = enum exit_result */
	bnez	a1, 1f

	/* Only what C may have clobbered comes back. */
resume:	csrw	sscratch, a0
	CALLER_SAVED ld
	ld	a0, 8*10(a0)
	sret

1:	CALLEE_SAVED sd
	li	t0, EXIT_LEAVE
	beq	a1, t0, leave
	li	a1, 1			/* once more, with every register in place */
	call	exit_handle
	bnez	a1, leave
	CALLEE_SAVED ld
	j	resume

	/* The guest's pc is in sepc as long as the hart does not leave it. */
leave:
	csrr	t0, sepc
	sd	t0, VCPU_PC(a0)
	ld	ra, 0(sp)
	ld	s0, 8(sp)
	ld	s1, 16(sp)
	ld	s2, 24(sp)
	ld	s3, 32(sp)
	ld	s4, 40(sp)
	ld	s5, 48(sp)
	ld	s6, 56(sp)
	ld	s7, 64(sp)
	ld	s8, 72(sp)
	ld	s9, 80(sp)
	ld	s10, 88(sp)
	ld	s11, 96(sp)
	addi	sp, sp, 112
	ret

	/* void vcpu_enter(struct vcpu *): run the guest until an exit decides to leave. */
	.global vcpu_enter
vcpu_enter:
	addi	sp, sp, -112
	sd	ra, 0(sp)
	sd	s0, 8(sp)
	sd	s1, 16(sp)
	sd	s2, 24(sp)
	sd	s3, 32(sp)
	sd	s4, 40(sp)
	sd	s5, 48(sp)
	sd	s6, 56(sp)
	sd	s7, 64(sp)
	sd	s8, 72(sp)
	sd	s9, 80(sp)
	sd	s10, 88(sp)
	sd	s11, 96(sp)
	sd	sp, VCPU_HOST_SP(a0)
	sd	tp, VCPU_HOST_TP(a0)
	ld	t0, VCPU_PC(a0)
	csrw	sepc, t0
	CALLEE_SAVED ld
	j	resume

	/* The same as trap_entry, for harts that record their exits. */
	.text
	.balign	4
	.global trap_entry_traced
trap_entry_traced:
	ENTER
	call	exit_handle_traced
	beqz	a1, resume
	CALLEE_SAVED sd
	li	t0, EXIT_LEAVE
	beq	a1, t0, leave
	li	a1, 1
	call	exit_handle_traced
	bnez	a1, leave
	CALLEE_SAVED ld
	j	resume

	/*
	 * A trap while Shyper runs: either armed (hart.fixup) or fatal. The stack may be what is
	 * broken, so the registers go into the hart's struct.
	 */
	.text
	.balign	4
hs_trap:
	csrrw	a0, sscratch, zero
	sd	t0, HART_TRAP_FRAME+8*5(tp)
	ld	t0, HART_FIXUP(tp)
	beqz	t0, fatal
	sd	zero, HART_FIXUP(tp)
	csrw	sepc, t0
	ld	t0, HART_TRAP_FRAME+8*5(tp)
	sret

fatal:
	sd	ra, HART_TRAP_FRAME+8*1(tp)
	sd	sp, HART_TRAP_FRAME+8*2(tp)
	sd	gp, HART_TRAP_FRAME+8*3(tp)
	sd	tp, HART_TRAP_FRAME+8*4(tp)
	sd	t1, HART_TRAP_FRAME+8*6(tp)
	sd	t2, HART_TRAP_FRAME+8*7(tp)
	sd	a0, HART_TRAP_FRAME+8*10(tp)
	sd	a1, HART_TRAP_FRAME+8*11(tp)
	sd	a2, HART_TRAP_FRAME+8*12(tp)
	sd	a3, HART_TRAP_FRAME+8*13(tp)
	sd	a4, HART_TRAP_FRAME+8*14(tp)
	sd	a5, HART_TRAP_FRAME+8*15(tp)
	sd	a6, HART_TRAP_FRAME+8*16(tp)
	sd	a7, HART_TRAP_FRAME+8*17(tp)
	sd	t3, HART_TRAP_FRAME+8*28(tp)
	sd	t4, HART_TRAP_FRAME+8*29(tp)
	sd	t5, HART_TRAP_FRAME+8*30(tp)
	sd	t6, HART_TRAP_FRAME+8*31(tp)
	addi	a0, tp, HART_TRAP_FRAME
	CALLEE_SAVED sd
	csrr	t0, sepc
	sd	t0, FRAME_SEPC(a0)
	csrr	t0, scause
	sd	t0, FRAME_SCAUSE(a0)
	csrr	t0, stval
	sd	t0, FRAME_STVAL(a0)
	ld	sp, HART_TRAP_SP(tp)
	tail	panic_trap
