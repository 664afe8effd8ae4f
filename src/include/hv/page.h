/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page allocator and the ownership table. Every physical page of RAM has exactly one owner
 * at any time (free, Shyper, a VM) and may be shared with one more; every change goes through
 * here, and so do the claims on device memory. Not used on any exit path: VMs get what they
 * need while they are made. All functions but page_init() may be called on any hart; those that
 * change something take the allocator's lock for the change, and zero memory outside of it.
 * The lock is a leaf of the lock order: nothing else is taken inside. Shyper's own pages are zeroed
 * here; memory of VMs is too much for one step, so its owner does it (hv/gmap.h).
 */
#ifndef HV_PAGE_H
#define HV_PAGE_H

#include <hv/types.h>

/* Owners. A VM's owner number is OWNER_VM(its id). */
typedef u16 owner_t;
#define OWNER_ABSENT ((owner_t)0)	/* not RAM, or reserved by firmware */
#define OWNER_FREE ((owner_t)1)
#define OWNER_HV ((owner_t)2)
#define OWNER_SCRUB ((owner_t)3)	/* on its way from an owner to free: nobody's */
#define OWNER_VM(id) ((owner_t)(16 + (id)))

struct page_span {
	u64 base;	/* page aligned */
	u64 size;	/* bytes, a multiple of the page size */
};

/*
 * page_init() - take over RAM: `memory` less `reserved` becomes free, `kept` ranges inside it
 * (Shyper's image, device tree, boot FIT) belong to OWNER_HV at once. Spans may overlap and be
 * unaligned; memory is rounded inwards, reserved and kept outwards; the page at address 0 is
 * never used. The ownership table (4 bytes a page) is placed into the lowest free memory that
 * is large enough, and must be reachable there by pa_ptr(). Boot hart, once. Returns 0;
 * -ENOMEM: no room for the table; -EINVAL: nothing usable; -E2BIG: over PAGE_REGIONS separate
 * pieces of memory.
 */
#define PAGE_REGIONS 16
int __must_check page_init(const struct page_span *memory, u32 memories,
			   const struct page_span *reserved, u32 reserves,
			   const struct page_span *kept, u32 keeps);

/*
 * page_alloc() - size contiguous bytes (a multiple of the page size), aligned to align (a power
 * of two, at least the page size), zeroed, owned by owner (OWNER_HV or a VM). The lowest place
 * that is free, so that Shyper's small pages gather at the bottom and large blocks stay whole.
 * Returns 0 and the address in *out; -ENOMEM; -EINVAL: size or align malformed.
 */
int __must_check page_alloc(u64 size, u64 align, owner_t owner, hpa_t *out);

/*
 * page_alloc_block() - the largest naturally aligned block of 1 GiB, 2 MiB, 64 KiB or 4 KiB that
 * is free and not larger than max bytes. For VM memory: from the top of RAM, out of a GiB that is
 * broken already when there is one, upwards inside that GiB, so that one block often continues the
 * one before. Not zeroed: it may hold what another left there before Shyper started. Returns 0, the
 * address in *out and its size in *size; -ENOMEM; -EINVAL: max is less than a page.
 * page_alloc_block_above() takes nothing below the address floor; -EINVAL also: floor is inside a
 * page.
 */
int __must_check page_alloc_block_above(u64 floor, u64 max, owner_t owner, hpa_t *out, u64 *size);

static inline int __must_check page_alloc_block(u64 max, owner_t owner, hpa_t *out, u64 *size)
{
	return page_alloc_block_above(0, max, owner, out, size);
}

/*
 * page_claim() - take exactly this range of RAM (identity-mapped VMs), not zeroed. All of it must
 * be free. Returns 0; -EBUSY: some page is not free, or not RAM; -EINVAL: empty, wraps, unaligned.
 */
int __must_check page_claim(hpa_t base, u64 size, owner_t owner);

/*
 * page_free() - give back [base, base + size), which must belong to owner entirely and be shared
 * with nobody; it is scrubbed before it becomes free. A mismatch is a bug of ours: CHECK stops
 * Shyper, before a byte is touched.
 */
void page_free(hpa_t base, u64 size, owner_t owner);

/*
 * page_give_back() - the same for a VM's memory, which is not scrubbed here: `clear` says that its
 * owner has, with page_clear(); else nobody has written to it since it was handed out. Wrongly said
 * it would give one VM's secrets to another.
 * page_clear_ahead() - how many bytes from here on were zero when they were handed out, as far as
 * is known at once; 0: they may be anything. Of the caller's pages.
 * page_clear() - zero these pages, in memory and not only in a cache: their next owner may map them
 * past it.
 */
void page_give_back(hpa_t base, u64 size, owner_t owner, bool clear);
u64 page_clear_ahead(hpa_t at);
void page_clear(hpa_t base, u64 size);

/*
 * page_owner() - who owns the page at this address: lock-free for RAM, under the allocator's lock
 * for device memory. OWNER_ABSENT: neither RAM nor claimed.
 */
owner_t page_owner(hpa_t addr);

/*
 * page_share() / page_unshare() - grant one more owner access to pages of owner. 0; -EBUSY: shared
 * already; -EPERM: not all the owner's, or owner == with; -EINVAL: malformed range. Nothing changes
 * on error. Unsharing what is not shared so is a bug of ours: CHECK.
 */
int __must_check page_share(hpa_t base, u64 size, owner_t owner, owner_t with);
void page_unshare(hpa_t base, u64 size, owner_t owner, owner_t with);

/*
 * page_may_access() - owner owns the page or it is shared with it. For audits; locks as
 * page_owner(). page_may_access_all() - the same for all of [base, base + size), in one pass.
 */
bool page_may_access(hpa_t addr, owner_t owner);
bool page_may_access_all(hpa_t base, u64 size, owner_t owner);

/*
 * page_claim_device() - device memory: addresses that are no RAM, page aligned. Shyper claims what
 * it drives itself, a VM what is passed through to it; so no device page has two masters.
 * Returns 0; -EBUSY: part of it is RAM (reserved RAM too) or claimed; -EINVAL: malformed; -ENOMEM:
 * over PAGE_DEVICES claims. page_free_device() takes back exactly one claim (else CHECK).
 */
#define PAGE_DEVICES 256
int __must_check page_claim_device(hpa_t base, u64 size, owner_t owner);
void page_free_device(hpa_t base, u64 size, owner_t owner);

/*
 * page_lend_device() - part of a claim of Shyper's has another owner until page_return_device().
 * Page aligned. 0; -EBUSY: not all of it is in one claim of OWNER_HV, or some of it is lent;
 * -ENOMEM as above. Returning what is not lent so is a bug of ours: CHECK.
 */
int __must_check page_lend_device(hpa_t base, u64 size, owner_t to);
void page_return_device(hpa_t base, u64 size, owner_t from);

struct page_counts {
	u64 total;	/* pages of RAM that are not reserved */
	u64 free;
	u64 hv;
};
void page_count(struct page_counts *counts);
/* page_count_owner() - pages that belong to owner; walks the table, not for exit paths. */
u64 page_count_owner(owner_t owner);

#endif
