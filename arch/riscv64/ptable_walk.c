/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading page tables: lookup, the walk over all leaves, the dump as text and the audit against
 * the ownership table. Changes nothing; the mapper is ptable.c.
 */
#include <asm/ptable.h>

#include <hv/errno.h>
#include <hv/format.h>
#include <hv/pa.h>
#include <hv/page.h>

static u8 level_shift(const struct ptable *pt, u32 level)
{
	return (u8)(pt->geo->page_shift + pt->geo->index_bits * level);
}

static u64 entries(const struct ptable *pt, u32 level)
{
	return BIT(level == pt->geo->levels - 1u ? pt->geo->root_bits : pt->geo->index_bits);
}

static hpa_t pte_pa(const struct ptable *pt, u64 pte)
{
	return HPA((pte & PTE_PPN) >> PTE_PPN_SHIFT << pt->geo->page_shift);
}

/* The leaf, all of it, that the entry for va is or belongs to. */
static struct ptable_run leaf_run(const struct ptable *pt, u32 level, u64 pte, u64 va)
{
	struct ptable_run run = { .attr = pte & PTE_ATTR, .leaf_shift = level_shift(pt, level) };

	if (pte & PTE_N) {
		pte &= ~PTE_NAPOT_PPN;
		run.leaf_shift = (u8)(run.leaf_shift + PTE_NAPOT_SHIFT);
	}
	run.size = BIT(run.leaf_shift);
	run.va = ALIGN_DOWN(va, run.size);
	run.pa = pte_pa(pt, pte).v;
	return run;
}

bool ptable_lookup(const struct ptable *pt, u64 va, struct ptable_run *leaf)
{
	const u64 *table = pa_ptr(pt->root);
	u32 level = pt->geo->levels;

	if (va >= ptable_reach(pt->geo))
		return false;
	while (level-- > 0) {
		u64 pte = table[(va >> level_shift(pt, level)) & (entries(pt, level) - 1)];

		if (!(pte & PTE_V))
			return false;
		if (pte_is_leaf(pte)) {
			*leaf = leaf_run(pt, level, pte, va);
			return true;
		}
		table = pa_ptr(pte_pa(pt, pte));
	}
	return false;
}

/* --- The walk ------------------------------------------------------------------------------- */

struct walk {
	int (*fn)(void *ctx, const struct ptable_run *run);
	void *ctx;
	struct ptable_run run;	/* seen, not yet reported; size 0: nothing */
};

static int walk_report(struct walk *walk)
{
	return walk->run.size ? walk->fn(walk->ctx, &walk->run) : 0;
}

static int walk_leaf(struct walk *walk, const struct ptable_run *leaf)
{
	struct ptable_run *run = &walk->run;
	int ret;

	if (run->size && leaf->va == run->va + run->size && leaf->pa == run->pa + run->size &&
	    leaf->attr == run->attr && leaf->leaf_shift == run->leaf_shift) {
		run->size += leaf->size;
		return 0;
	}
	ret = walk_report(walk);
	*run = *leaf;
	return ret;
}

static int walk_table(const struct ptable *pt, u32 level, const u64 *table, u64 va,
		      struct walk *walk)
{
	u64 end = entries(pt, level);
	int ret = 0;

	for (u64 i = 0, step; i < end && !ret; i += step) {
		u64 at = va + (i << level_shift(pt, level));
		struct ptable_run leaf;

		step = 1;
		if (!(table[i] & PTE_V))
			continue;
		if (!pte_is_leaf(table[i])) {
			ret = walk_table(pt, level - 1, pa_ptr(pte_pa(pt, table[i])), at, walk);
			continue;
		}
		leaf = leaf_run(pt, level, table[i], at);
		step = leaf.size >> level_shift(pt, level);
		ret = walk_leaf(walk, &leaf);
	}
	return ret;
}

int ptable_walk(const struct ptable *pt, int (*fn)(void *ctx, const struct ptable_run *run),
		void *ctx)
{
	struct walk walk = { .fn = fn, .ctx = ctx };
	int ret = walk_table(pt, pt->geo->levels - 1u, pa_ptr(pt->root), 0, &walk);

	return ret ? ret : walk_report(&walk);
}

/* --- Dump ----------------------------------------------------------------------------------- */

struct dump {
	void (*line)(void *ctx, const char *text);
	void *ctx;
};

static const char *memory_type(u64 attr)
{
	switch (attr & PTE_PBMT) {
	case PTE_PBMT_NC:
		return " nc";
	case PTE_PBMT_IO:
		return " io";
	default:
		return "";
	}
}

static int dump_run(void *ctx, const struct ptable_run *run)
{
	static const char unit[] = { ' ', 'K', 'M', 'G', 'T', 'P' };
	const struct dump *dump = ctx;
	u32 shift = run->leaf_shift;
	char text[112];

	format(text, sizeof(text), "0x%llx..0x%llx -> 0x%llx %c%c%c%s %u%c×%llu",
	       (unsigned long long)run->va, (unsigned long long)(run->va + (run->size - 1)),
	       (unsigned long long)run->pa, run->attr & PTE_R ? 'r' : '-',
	       run->attr & PTE_W ? 'w' : '-', run->attr & PTE_X ? 'x' : '-',
	       memory_type(run->attr), 1u << shift % 10, unit[shift / 10],
	       (unsigned long long)(run->size >> shift));
	dump->line(dump->ctx, text);
	return 0;
}

void ptable_dump(const struct ptable *pt, void (*line)(void *ctx, const char *text), void *ctx)
{
	struct dump dump = { .line = line, .ctx = ctx };

	(void)ptable_walk(pt, dump_run, &dump);
}

/* --- Audit ---------------------------------------------------------------------------------- */

struct audit {
	owner_t owner;
	struct ptable_run *bad;
};

static int audit_run(void *ctx, const struct ptable_run *run)
{
	struct audit *audit = ctx;

	if (page_may_access_all(HPA(run->pa), run->size, audit->owner))
		return 0;
	*audit->bad = *run;
	return -EFAULT;
}

int ptable_audit(const struct ptable *pt, owner_t owner, struct ptable_run *bad)
{
	struct audit audit = { .owner = owner, .bad = bad };

	return ptable_walk(pt, audit_run, &audit);
}
