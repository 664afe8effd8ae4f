/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM's memory by guest physical addresses. Neighbours for the guest may lie far apart here, so
 * every range is taken piece by piece. No locks: the pieces are fixed while anybody uses them.
 */
#ifndef SHYPER_GUEST_H
#define SHYPER_GUEST_H

#include <abi/hypercall.h>

#include "blk_shim.h"

struct guest_memory {
	const struct shyper_memory *piece;	/* by guest address, no two overlap */
	u32 pieces;
};

/*
 * guest_pointer() - the byte at address gpa. *size: in, bytes wanted, not 0; out, how many of them
 * follow each other here. NULL: it is not RAM.
 */
void *guest_pointer(const struct guest_memory *memory, u64 gpa, u64 *size);

/* guest_has() - all of size bytes from gpa on are RAM; true for no bytes. */
bool guest_has(const struct guest_memory *memory, u64 gpa, u64 size);

/* guest_read() - copy out of the guest; false: some of it is not RAM. Each byte is read once. */
bool guest_read(const struct guest_memory *memory, u64 gpa, void *to, u64 size);

#endif
