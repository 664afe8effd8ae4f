/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Length, saving and restoring of the vector state: 32 · vlenb bytes of registers, then vl, vtype,
 * vstart, vcsr.
 * The only file of Shyper with vector instructions; sstatus.VS is on.
 */
#include <asm/csr.h>

	.option arch, +v
	.text
	/* u64 vec_vlenb(void): bytes per vector register */
	.global vec_vlenb
vec_vlenb:
	csrr	a0, CSR_VLENB
	ret

	/* void vec_save(void *state, u64 vlenb) */
	.global vec_save
vec_save:
	csrr	t0, CSR_VL
	csrr	t1, CSR_VTYPE
	csrr	t2, CSR_VSTART
	csrr	t3, CSR_VCSR
	csrw	CSR_VSTART, zero
	slli	t4, a1, 3		/* eight registers at a time */
	vs8r.v	v0, (a0)
	add	a0, a0, t4
	vs8r.v	v8, (a0)
	add	a0, a0, t4
	vs8r.v	v16, (a0)
	add	a0, a0, t4
	vs8r.v	v24, (a0)
	add	a0, a0, t4
	sd	t0, 0(a0)
	sd	t1, 8(a0)
	sd	t2, 16(a0)
	sd	t3, 24(a0)
	ret

	/* void vec_restore(const void *state, u64 vlenb) */
	.global vec_restore
vec_restore:
	slli	t4, a1, 3
	csrw	CSR_VSTART, zero
	vl8re8.v v0, (a0)
	add	a0, a0, t4
	vl8re8.v v8, (a0)
	add	a0, a0, t4
	vl8re8.v v16, (a0)
	add	a0, a0, t4
	vl8re8.v v24, (a0)
	add	a0, a0, t4
	ld	t0, 0(a0)
	ld	t1, 8(a0)
	vsetvl	zero, t0, t1
	ld	t2, 16(a0)
	csrw	CSR_VSTART, t2
	ld	t3, 24(a0)
	csrw	CSR_VCSR, t3
	ret

	/* void vec_clear(void): no register, no vl, vtype illegal */
	.global vec_clear
vec_clear:
	csrw	CSR_VSTART, zero
	vsetvli	t0, zero, e8, m8, ta, ma
	vmv.v.i	v0, 0
	vmv.v.i	v8, 0
	vmv.v.i	v16, 0
	vmv.v.i	v24, 0
	csrw	CSR_VCSR, zero
	li	t0, -1
	vsetvl	zero, zero, t0		/* sets vill */
	ret
