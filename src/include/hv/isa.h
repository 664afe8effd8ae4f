/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking an ISA string apart, in the form of the device-tree property riscv,isa: "rv64imafdc_zba",
 * with or without version numbers, "g", any case, and multi-letter names that follow the single
 * letters without an underscore (RISC-V unprivileged specification, ISA Extension Naming).
 */
#ifndef HV_ISA_H
#define HV_ISA_H

#include <hv/types.h>

#define ISA_NAME 32	/* longest extension name, with its NUL; longer ones are skipped */

struct isa_cursor {
	const char *rest;	/* what is not read yet */
	u32 pending;		/* letters of "g" still to deliver */
};

/*
 * isa_begin() - start reading; false when the string is not that of a 64-bit RISC-V hart with the
 * base "i". isa_next() - the next extension in lower case without version, "i" first; false at the
 * end or where the string stops making sense. "g" is delivered as i m a f d zicsr zifencei.
 */
bool isa_begin(struct isa_cursor *cursor, const char *isa);
bool isa_next(struct isa_cursor *cursor, char name[ISA_NAME]);

/* isa_has() - the string names this extension. */
bool isa_has(const char *isa, const char *extension);

/*
 * isa_append() - add an extension to a string that starts as "rv64"; single letters are joined,
 * longer names follow an underscore. Single letters first. 0, or -E2BIG with isa unchanged.
 */
int __must_check isa_append(char *isa, size_t size, const char *name);

#endif
