/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hart's own IMSIC (AIA specification, chapter 3): Shyper's interrupt file, and the guest
 * files beside it. All of this is for the calling hart, with FEATURE_AIA; senders on other harts
 * write to the files' pages.
 */
#ifndef ASM_IMSIC_H
#define ASM_IMSIC_H

#include <hv/types.h>

#define IMSIC_KICK 1	/* identity of hart_kick(); devices have those above */

/* imsic_hart_init() - empty Shyper's file, enable every identity in it, count the guest files. */
void imsic_hart_init(void);

/* imsic_claim() - take the pending identity of highest priority out of Shyper's file; 0: none. */
u32 imsic_claim(void);

/* imsic_guest_clear() - guest file number file: nothing pending or enabled, delivery off. */
void imsic_guest_clear(u32 file);

/* guest_files_empty() - imsic_guest_clear() for all vCPUs of the VM that are pinned here. */
struct vm;
void guest_files_empty(const struct vm *vm);

/* imsic_guest_page() - where messages to that guest file of a hart are written. Any hart. */
struct hart;
u64 imsic_guest_page(const struct hart *hart, u32 file);

#endif
