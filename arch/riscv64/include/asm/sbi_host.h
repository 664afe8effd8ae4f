/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls to the firmware below Shyper (SBI specification v2.0). Any hart, any context, no lock. */
#ifndef ASM_SBI_HOST_H
#define ASM_SBI_HOST_H

#include <hv/types.h>

struct sbi_ret {
	long error;	/* SBI_SUCCESS or SBI_ERR_* */
	u64 value;
};

/* sbi_call() - one call with up to three arguments. */
struct sbi_ret sbi_call(u64 extension, u64 function, u64 a0, u64 a1, u64 a2);

/* sbi_probe() - the firmware has this extension. */
bool sbi_probe(u64 extension);

#endif
