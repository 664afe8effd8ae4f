/* SPDX-License-Identifier: BSD-2-Clause */
/* The switch between a fiber's stack and the hart's own (hv/fiber.h). */

#define FRAME 112

	.macro SAVED op
	\op	ra, 0(sp)
	\op	s0, 8(sp)
	\op	s1, 16(sp)
	\op	s2, 24(sp)
	\op	s3, 32(sp)
	\op	s4, 40(sp)
	\op	s5, 48(sp)
	\op	s6, 56(sp)
	\op	s7, 64(sp)
	\op	s8, 72(sp)
	\op	s9, 80(sp)
	\op	s10, 88(sp)
	\op	s11, 96(sp)
	.endm

	/* void arch_fiber_switch(u64 *from, const u64 *to) */
	.text
	.global arch_fiber_switch
arch_fiber_switch:
	ld	t0, 0(a1)
	addi	sp, sp, -FRAME
	SAVED	sd
	sd	sp, 0(a0)
	mv	sp, t0
	SAVED	ld
	addi	sp, sp, FRAME
	ret

	/* u64 arch_fiber_stack(u64 *top, void (*main)(void *), void *arg) */
	.global arch_fiber_stack
arch_fiber_stack:
	addi	a0, a0, -FRAME
	la	t0, first
	sd	t0, 0(a0)
	sd	a1, 8(a0)	/* s0 */
	sd	a2, 16(a0)	/* s1 */
	ret

first:	mv	a0, s1
	jalr	s0
	ebreak			/* not reached */
