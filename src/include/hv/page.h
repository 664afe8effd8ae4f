/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page allocator and the ownership table. Every physical page of RAM has exactly one owner
 * at any time (free, Shyper, a VM) and may be shared with one more; every change goes through
 * this file. Not used on any exit path: VMs get what they need while they are made.
 */
#ifndef HV_PAGE_H
#define HV_PAGE_H

#include <hv/types.h>

/* Owners. A VM's owner number is OWNER_VM(its id). */
typedef u16 owner_t;
#define OWNER_ABSENT ((owner_t)0)	/* not RAM, or reserved by firmware */
#define OWNER_FREE ((owner_t)1)
#define OWNER_HV ((owner_t)2)
#define OWNER_VM(id) ((owner_t)(16 + (id)))

struct page_span {
	u64 base;	/* page aligned */
	u64 size;	/* bytes, a multiple of the page size */
};

/*
 * page_init() - take over RAM: `memory` less `reserved` becomes free, `kept` ranges inside it
 * (Shyper's image, device tree, boot FIT) belong to OWNER_HV at once. Spans may overlap and be
 * unaligned; memory is rounded inwards, reserved and kept outwards. The ownership table itself
 * is placed into free memory. Boot hart, once. Returns 0; -ENOMEM: no room for the table;
 * -EINVAL: nothing usable.
 */
int __must_check page_init(const struct page_span *memory, u32 memories,
			   const struct page_span *reserved, u32 reserves,
			   const struct page_span *kept, u32 keeps);

/*
 * page_alloc() - size contiguous bytes (a multiple of the page size), aligned to align (a power
 * of two, at least the page size), zeroed, owned by owner. Takes the allocator's lock.
 * Returns 0 and the address in *out; -ENOMEM; -EINVAL: size or align malformed.
 */
int __must_check page_alloc(u64 size, u64 align, owner_t owner, hpa_t *out);

/*
 * page_alloc_block() - the largest naturally aligned block of 1 GiB, 2 MiB, 64 KiB or 4 KiB that is free
 * and not larger than max bytes. For VM memory. Zeroed and owned like page_alloc().
 * Returns 0, the address in *out and its size in *size; -ENOMEM.
 */
int __must_check page_alloc_block(u64 max, owner_t owner, hpa_t *out, u64 *size);

/*
 * page_claim() - take exactly this range (identity-mapped VMs). All of it must be free.
 * Returns 0; -EBUSY: some page is not free; -EINVAL.
 */
int __must_check page_claim(hpa_t base, u64 size, owner_t owner);

/*
 * page_free() - give back [base, base + size), which must belong to owner entirely and be shared
 * with nobody; it is scrubbed. A mismatch is a bug of ours: CHECK stops Shyper.
 */
void page_free(hpa_t base, u64 size, owner_t owner);

/* page_owner() - who owns the page at this address. Lock-free. */
owner_t page_owner(hpa_t addr);

/*
 * page_share() / page_unshare() - grant one more owner access to pages of owner. 0; -EBUSY: shared
 * already; -EPERM: not the owner's.
 */
int __must_check page_share(hpa_t base, u64 size, owner_t owner, owner_t with);
void page_unshare(hpa_t base, u64 size, owner_t owner, owner_t with);

/* page_may_access() - owner owns the page or it is shared with it. Lock-free; for audits. */
bool page_may_access(hpa_t addr, owner_t owner);

struct page_counts {
	u64 total;	/* pages of RAM that are not reserved */
	u64 free;
	u64 hv;
};
void page_count(struct page_counts *counts);
/* page_count_owner() - pages that belong to owner; walks the table, not for exit paths. */
u64 page_count_owner(owner_t owner);

#endif
