/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a CSR instruction does to its register (Zicsr). CSRRS and CSRRC with x0, or with an
 * immediate of 0, do not write at all: they are CSR_OP_READ. With any other register they write,
 * even if it holds 0, which matters where a write has side effects.
 */
#ifndef HV_CSR_OP_H
#define HV_CSR_OP_H

#include <hv/types.h>

enum csr_op {
	CSR_OP_READ,
	CSR_OP_WRITE,	/* the operand replaces the value */
	CSR_OP_SET,	/* the operand's bits become 1 */
	CSR_OP_CLEAR,	/* the operand's bits become 0 */
};

/* csr_op_apply() - the value that a register without side effects has afterwards. */
static inline u64 csr_op_apply(enum csr_op op, u64 old, u64 operand)
{
	switch (op) {
	case CSR_OP_READ:
		return old;
	case CSR_OP_WRITE:
		return operand;
	case CSR_OP_SET:
		return old | operand;
	case CSR_OP_CLEAR:
		return old & ~operand;
	}
	return old;
}

#endif
