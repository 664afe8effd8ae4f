/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest interrupt files as a counted resource of a hart (RISC-V AIA, "Interrupt files and interrupt
 * identities"): which exist, and which vCPU each belongs to. Files are numbered from 1, as
 * hstatus.VGEIN, hgeie and hgeip count them; 0 is none. A vCPU for which none is left keeps its
 * interrupt file in memory (hv/vimsic.h).
 *
 * Lock-free: any hart may call, but not two for the same vCPU at a time. All zero is a hart
 * without guest files.
 */
#ifndef HV_GUEST_FILES_H
#define HV_GUEST_FILES_H

#include <hv/types.h>

#define GUEST_FILES_MAX 63	/* GEILEN of RV64 */

struct vcpu;

/* Private to guest_files.c. One per hart. */
struct guest_files {
	u32 count;		/* fixed after init */
	u64 taken;		/* bit n: file n has an owner; atomic */
	struct vcpu *owner[1 + GUEST_FILES_MAX];	/* atomic; NULL while not taken */
};

/* guest_files_init() - a hart with count files, 0 .. GUEST_FILES_MAX, all free. Before any use. */
void guest_files_init(struct guest_files *files, u32 count);

/*
 * guest_files_take() - a file for this vCPU, which has none of this hart yet. Returns its number,
 * or -ENOMEM: all are taken; -EEXIST: it has one. What the file holds is unknown: make it empty.
 */
int __must_check guest_files_take(struct guest_files *files, struct vcpu *vcpu);

/*
 * guest_files_give() - the file is free again. It must be empty by then, and nothing may be sent to
 * it any more (hv/vimsic.h, "Moving a file"). 0; -ENOENT: it is not this vCPU's; nothing done.
 */
int __must_check guest_files_give(struct guest_files *files, u32 file, struct vcpu *vcpu);

/* guest_files_owner() - whose file is this? NULL: nobody's, or there is no such file. */
struct vcpu *guest_files_owner(const struct guest_files *files, u32 file);

/* guest_files_left() - how many could be taken now; a moment later it may be another number. */
u32 guest_files_left(const struct guest_files *files);

#endif
