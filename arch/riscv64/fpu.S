/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Save, restore and clear the floating-point state (struct fp_state). The only file of Shyper with
 * FP instructions; sstatus.FS is on.
 */
	.text
	.macro FP_ALL op
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28, \
		29,30,31
	\op	f\n, 8*\n(a0)
	.endr
	.endm

	/* void fp_save(struct fp_state *) */
	.global fp_save
fp_save:
	FP_ALL fsd
	frcsr	t0
	sd	t0, 256(a0)
	ret

	/* void fp_restore(const struct fp_state *) */
	.global fp_restore
fp_restore:
	FP_ALL fld
	ld	t0, 256(a0)
	fscsr	t0
	ret
