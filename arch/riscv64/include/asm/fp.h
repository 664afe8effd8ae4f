/* SPDX-License-Identifier: BSD-2-Clause */
/* FP and vector state (fpu.S, vector.S). Own hart, sstatus.FS or VS on. */
#ifndef ASM_FP_H
#define ASM_FP_H

#include <hv/types.h>

struct fp_state;

void fp_save(struct fp_state *state);
void fp_restore(const struct fp_state *state);

/* vec_vlenb() - bytes per vector register. */
u64 vec_vlenb(void);

/* state: 32 · vlenb bytes, then vl, vtype, vstart and vcsr. */
void vec_save(void *state, u64 vlenb);
void vec_restore(const void *state, u64 vlenb);

/* vec_clear() - all registers zero, vtype.vill set. */
void vec_clear(void);

#endif
