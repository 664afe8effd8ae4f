/* SPDX-License-Identifier: BSD-2-Clause */
/* All FP and all vector registers, to and from memory. The unit is on. */
#ifndef GUEST_FP_H
#define GUEST_FP_H

#include "guest.h"

#define VLENB_MAX 256U	/* bytes per vector register that fit in a buffer */

struct fp {
	u64 f[32];
	u64 fcsr;
};

/* vl, vtype and vcsr beside the registers, one behind the other. */
struct vec {
	u64 vl;
	u64 vtype;
	u64 vcsr;
	u8 reg[32 * VLENB_MAX] __attribute__((aligned(16)));
};

#define FP_EACH(op) \
	".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28," \
	"29,30,31\n " op " f\\n, \\n*8(%0)\n .endr\n"

static inline void fp_load(const struct fp *s)
{
	__asm__ volatile(FP_EACH("fld") "ld t0, 256(%0)\n fscsr t0" ::"r"(s) : "t0", "memory");
}

static inline void fp_store(struct fp *s)
{
	__asm__ volatile(FP_EACH("fsd") "frcsr t0\n sd t0, 256(%0)" ::"r"(s) : "t0", "memory");
}

static inline unsigned long vec_vlenb(void)
{
	return csr_read(0xc22);
}

#define VEC_EACH(op) \
	".irp n,0,8,16,24\n " op " v\\n, (%0)\n add %0, %0, %1\n .endr\n"

static inline void vec_load(const struct vec *s)
{
	const u8 *reg = s->reg;

	__asm__ volatile(".option push\n.option arch, +v\n" VEC_EACH("vl8re8.v")
			 "vsetvl zero, %2, %3\n csrw vcsr, %4\n.option pop"
			 : "+r"(reg)
			 : "r"(8 * vec_vlenb()), "r"(s->vl), "r"(s->vtype), "r"(s->vcsr)
			 : "memory");
}

static inline void vec_store(struct vec *s)
{
	u8 *reg = s->reg;

	s->vl = csr_read(0xc20);
	s->vtype = csr_read(0xc21);
	s->vcsr = csr_read(0x00f);
	__asm__ volatile(".option push\n.option arch, +v\n" VEC_EACH("vs8r.v") ".option pop"
			 : "+r"(reg)
			 : "r"(8 * vec_vlenb())
			 : "memory");
}

#endif
