/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables: the radix trees of Sv39/48/57 and their x4 forms for the G-stage (privileged
 * specification, "Supervisor-Level ISA" and "Two-Stage Address Translation"), with Svnapot.
 * Maps, splits and unmaps; no CSR, no fence instruction, so that it runs on the host as well.
 *
 * A table may be live: walked by other harts at any time. Each change is then one 64-bit store, new
 * tables are complete before they are linked, and tables that were taken out stay untouched until
 * ptable_fenced(). After an operation `stale` says what the caller must fence, on every hart
 * that may hold translations of this table, before it relies on the change:
 *   PTABLE_LEAVES  the range it operated on (sfence.vma / hfence.gvma with addresses will do)
 *   PTABLE_TABLES  everything of this ASID / VMID (rs1 = x0: non-leaf entries changed)
 * and then call ptable_fenced(). Mapping too: harts may have cached that there was nothing.
 * A table that no hart has walked yet needs no fence.
 *
 * Callers serialise all operations on one table, lookups included. Every operation is all or
 * nothing: what it needs is allocated before the first entry is written.
 */
#ifndef ASM_PTABLE_H
#define ASM_PTABLE_H

#include <hv/page.h>
#include <hv/types.h>

/* A page-table entry. */
#define PTE_V BIT(0)
#define PTE_R BIT(1)
#define PTE_W BIT(2)
#define PTE_X BIT(3)
#define PTE_U BIT(4)		/* set in every G-stage leaf */
#define PTE_G BIT(5)
#define PTE_A BIT(6)
#define PTE_D BIT(7)
#define PTE_PPN GENMASK(53, 10)
#define PTE_PPN_SHIFT 10
#define PTE_PBMT GENMASK(62, 61)	/* Svpbmt */
#define PTE_PBMT_NC BIT(61)
#define PTE_PBMT_IO BIT(62)
#define PTE_N BIT(63)			/* Svnapot: one of 16 equal entries, 64 KiB together */

/* The bits that callers give as attributes of a leaf; all else is the mapper's. */
#define PTE_ATTR (PTE_R | PTE_W | PTE_X | PTE_U | PTE_G | PTE_A | PTE_D | PTE_PBMT)

/* ppn[3:0] of a Svnapot leaf: 1000, 64 KiB */
#define PTE_NAPOT_PPN BIT(PTE_PPN_SHIFT + 3)
#define PTE_NAPOT_SHIFT 4	/* log2 of its entries */

static inline bool pte_is_leaf(u64 pte)
{
	return (pte & PTE_V) && (pte & (PTE_R | PTE_W | PTE_X));
}

/*
 * The shape of a tree. The real ones have 512-entry tables of 4 KiB; smaller ones are for proofs.
 * Level 0 holds the smallest leaves; a table below the root takes 8 << index_bits bytes.
 */
struct ptable_geometry {
	const char *name;
	u8 mode;	/* MODE field of satp or hgatp */
	u8 levels;	/* 1 .. PTABLE_LEVELS */
	u8 index_bits;	/* of a table below the root */
	u8 root_bits;	/* of the root: 2 more for the x4 forms */
	u8 page_shift;	/* log2 of the smallest leaf, at most log2 of a table's size */
};
#define PTABLE_LEVELS 5

extern const struct ptable_geometry ptable_sv39, ptable_sv48, ptable_sv57;
extern const struct ptable_geometry ptable_sv39x4, ptable_sv48x4, ptable_sv57x4;

/* ptable_reach() - addresses that the geometry translates: [0, reach). */
static inline u64 ptable_reach(const struct ptable_geometry *geo)
{
	return (u64)1 << (geo->page_shift + geo->index_bits * (geo->levels - 1) + geo->root_bits);
}

/*
 * ptable_gstage() - the shallowest G-stage that translates [0, top), of the modes that exist (bit 0
 * Sv39x4, 1 Sv48x4, 2 Sv57x4): each level less is paid back at every TLB miss. NULL: none.
 */
const struct ptable_geometry *ptable_gstage(u64 top, u8 modes);

/* Where tables come from. Called by the operations, in the caller's context. */
struct ptable_memory {
	/* size bytes (a power of two), aligned to size, zeroed. 0 or -ENOMEM. */
	int (*alloc)(void *ctx, u64 size, hpa_t *out);
	void (*free)(void *ctx, hpa_t table, u64 size);
};

/* Tables of OWNER_HV pages from hv/page.h; ctx is not used. For geometries with 4 KiB tables. */
extern const struct ptable_memory ptable_pages;

enum ptable_stale { PTABLE_FRESH, PTABLE_LEAVES, PTABLE_TABLES };

struct ptable {
	/* Fixed after ptable_init(). */
	const struct ptable_geometry *geo;
	const struct ptable_memory *memory;
	void *ctx;			/* handed to memory */
	hpa_t root;			/* aligned to its size: 16 KiB for the x4 forms */
	bool napot;			/* 64 KiB leaves by Svnapot */
	u8 max_leaf_shift;		/* log2 of the largest leaf to use */

	/* Under the caller's lock. */
	enum ptable_stale stale;	/* what to fence since the last ptable_fenced() */
	u64 tables;			/* allocated now, root and unlinked ones included */
	u64 spare;			/* private: list of tables allocated ahead; 0: none */
	u64 limbo;			/* private: list of tables unlinked, maybe still walked */
};

/*
 * ptable_init() - an empty table. napot only when all harts have Svnapot. max_leaf_shift: leaves up
 * to that size are used, where the geometry has them (12, 16 with napot, 21, 30, 39).
 * 0; -ENOMEM; -EINVAL: geometry or max_leaf_shift is nonsense.
 */
int __must_check ptable_init(struct ptable *pt, const struct ptable_geometry *geo,
			     const struct ptable_memory *memory, void *ctx, bool napot,
			     u8 max_leaf_shift);

/* ptable_destroy() - free all tables. No hart may walk them or hold translations of them. */
void ptable_destroy(struct ptable *pt);

/*
 * ptable_map() - translate [va, va + size) to pa with attributes attr (bits of PTE_ATTR), in the
 * largest leaves that both addresses' alignment allows. A and D belong into attr unless the
 * caller wants faults for them: hardware must never write a live entry. 0; -EINVAL: unaligned, out
 * of reach, or attr is no leaf; -EEXIST: something is mapped there; -ENOMEM.
 */
int __must_check ptable_map(struct ptable *pt, u64 va, u64 pa, u64 size, u64 attr);

/*
 * ptable_unmap() - translate nothing in the range; holes in it are no error. Leaves that reach out
 * of it are split. Tables left empty are unlinked. 0; -EINVAL; -ENOMEM (for splitting).
 */
int __must_check ptable_unmap(struct ptable *pt, u64 va, u64 size);

/*
 * ptable_protect() - give all leaves in the range these attributes instead of theirs, splitting
 * those that reach out of it. 0; -EINVAL; -ENOENT: there is a hole; -ENOMEM.
 */
int __must_check ptable_protect(struct ptable *pt, u64 va, u64 size, u64 attr);

/* ptable_fenced() - the caller has fenced as `stale` said: frees the unlinked tables. */
void ptable_fenced(struct ptable *pt);

/* Equal leaves that continue each other in both spaces. From ptable_lookup(): one leaf. */
struct ptable_run {
	u64 va;
	u64 pa;
	u64 size;
	u64 attr;
	u8 leaf_shift;	/* log2 of the size of each leaf */
};

/* ptable_lookup() - the leaf that translates va; false: none. */
bool ptable_lookup(const struct ptable *pt, u64 va, struct ptable_run *leaf);

/*
 * ptable_walk() - call fn for all runs, by rising va. A result other than 0 ends the walk and is
 * returned. fn must not change the table.
 */
int ptable_walk(const struct ptable *pt, int (*fn)(void *ctx, const struct ptable_run *run),
		void *ctx);

/*
 * ptable_dump() - the map as lines of text, one per run, each handed to line() without a newline:
 * "0x80000000..0xbfffffff -> 0x100000000 rwx 1G×1".
 */
void ptable_dump(const struct ptable *pt, void (*line)(void *ctx, const char *text), void *ctx);

/*
 * ptable_audit() - every page that the table translates to may be accessed by owner, by the
 * ownership table. 0; -EFAULT: *bad is the first run where not all may. Takes time in proportion
 * to the memory mapped: for debug builds.
 */
int __must_check ptable_audit(const struct ptable *pt, owner_t owner, struct ptable_run *bad);

#endif
