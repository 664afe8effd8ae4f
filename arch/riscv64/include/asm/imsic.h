/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hart's own IMSIC (AIA specification, chapter 3): Shyper's interrupt file, and the guest
 * files beside it. All of this is for the calling hart, with FEATURE_AIA; senders on other harts
 * write to the files' pages.
 */
#ifndef ASM_IMSIC_H
#define ASM_IMSIC_H

#include <hv/types.h>

/* Identity of hart_kick(); devices have those above but the last one (drivers/host/aplic.c). */
#define IMSIC_KICK 1

/* imsic_hart_init() - empty all files, enable every identity in Shyper's, count the guests'. */
void imsic_hart_init(void);

/* imsic_claim() - take the pending identity of highest priority out of Shyper's file; 0: none. */
u32 imsic_claim(void);

/* imsic_take() - the same for one identity: was it pending? */
bool imsic_take(u32 identity);

/*
 * imsic_guest_out() - read a guest file out, which leaves it empty; imsic_guest_in() - add what was
 * read to a file that nothing but pending bits may have come to yet.
 */
struct vimsic_state;
void imsic_guest_out(u32 file, struct vimsic_state *state);
void imsic_guest_in(u32 file, const struct vimsic_state *state);

/* imsic_guest_clear() - guest file number file: nothing pending or enabled, delivery off. */
void imsic_guest_clear(u32 file);

/*
 * guest_files_empty() - imsic_guest_clear() for all vCPUs of the VM that are pinned here, and what
 * wires of the board have sent for it to Shyper is forgotten. All routes of the VM are inactive.
 */
struct vm;
void guest_files_empty(const struct vm *vm);

/*
 * guest_file_take() - a file of its hart for a vCPU, if one is left, and its page into the guest:
 * arch.file. 0; -ENOMEM: no page tables. guest_file_unmap() - the guest has the page no more, once
 * it is fenced; guest_file_give() - nor the vCPU the file, which is empty. Management lock.
 */
struct vcpu;
int __must_check guest_file_take(struct vcpu *vcpu);
void guest_file_unmap(struct vcpu *vcpu);
void guest_file_give(struct vcpu *vcpu, u32 file);

/* imsic_guest_page() - where messages to that guest file of a hart are written. Any hart. */
struct hart;
u64 imsic_guest_page(const struct hart *hart, u32 file);

#endif
