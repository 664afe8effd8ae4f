/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Save and restore the floating-point state (struct fp_state). The only file of Shyper with FP
 * instructions; sstatus.FS is on. Called by asm/fp.h: both return to t0 and use t1, so that their
 * callers stay leaves.
 */
	.text
	.macro FP_ALL op, base
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28, \
		29,30,31
	\op	f\n, 8*\n(\base)
	.endr
	.endm

	/* Out to t3, in from t4. */
	.global fp_out_in
fp_out_in:
	FP_ALL fsd, t3
	frcsr	t1
	sd	t1, 256(t3)

	/* In from t4. */
	.global fp_in
fp_in:
	FP_ALL fld, t4
	ld	t1, 256(t4)
	fscsr	t1
	jr	t0
