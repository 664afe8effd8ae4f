/* SPDX-License-Identifier: BSD-2-Clause */
/* FP and vector state (fpu.S, vector.S). Own hart, sstatus.FS or VS on. */
#ifndef ASM_FP_H
#define ASM_FP_H

#include <hv/types.h>

struct fp_state;

/* fp_swap() - what is there to `out`, there what is in `in`. fp_restore() - the second half. */
static inline void fp_swap(struct fp_state *out, const struct fp_state *in)
{
	register struct fp_state *t3 __asm__("t3") = out;
	register const struct fp_state *t4 __asm__("t4") = in;

	__asm__ volatile("jal t0, fp_out_in" ::"r"(t3), "r"(t4) : "t0", "t1", "memory");
}

static inline void fp_restore(const struct fp_state *in)
{
	register const struct fp_state *t4 __asm__("t4") = in;

	__asm__ volatile("jal t0, fp_in" ::"r"(t4) : "t0", "t1", "memory");
}

/* vec_vlenb() - bytes per vector register. */
u64 vec_vlenb(void);

/* state: 32 · vlenb bytes, then vl, vtype, vstart and vcsr. */
void vec_save(void *state, u64 vlenb);
void vec_restore(const void *state, u64 vlenb);

/* vec_clear() - all registers zero, vtype.vill set. */
void vec_clear(void);

#endif
