/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page-table mapper. Each operation first walks the tree to check everything and to count the
 * tables that it will need, then takes these, then walks again and cannot fail any more.
 * Recursion goes one level down each time, so at most PTABLE_LEVELS deep.
 *
 * Invariant: no table but the root is empty, so where no leaf is, no table is in the way.
 */
#include <asm/ptable.h>

#include <hv/check.h>
#include <hv/errno.h>
#include <hv/fiber.h>
#include <hv/pa.h>

#define DESTROY_STEP 64	/* entries between two breaths */
#define PPN_BITS 44	/* width of PTE_PPN */

const struct ptable_geometry ptable_sv39 = { "Sv39", 8, 3, 9, 9, 12 };
const struct ptable_geometry ptable_sv48 = { "Sv48", 9, 4, 9, 9, 12 };
const struct ptable_geometry ptable_sv57 = { "Sv57", 10, 5, 9, 9, 12 };
const struct ptable_geometry ptable_sv39x4 = { "Sv39x4", 8, 3, 9, 11, 12 };
const struct ptable_geometry ptable_sv48x4 = { "Sv48x4", 9, 4, 9, 11, 12 };
const struct ptable_geometry ptable_sv57x4 = { "Sv57x4", 10, 5, 9, 11, 12 };

const struct ptable_geometry *ptable_gstage(u64 top, u8 modes)
{
	static const struct ptable_geometry *const geo[] = {
		&ptable_sv39x4, &ptable_sv48x4, &ptable_sv57x4,
	};

	for (u32 i = 0; i < ARRAY_SIZE(geo); i++) {
		if ((modes >> i & 1) && top <= ptable_reach(geo[i]))
			return geo[i];
	}
	return NULL;
}

/* --- Entries -------------------------------------------------------------------------------- */

static u32 level_shift(const struct ptable *pt, u32 level)
{
	return pt->geo->page_shift + pt->geo->index_bits * level;
}

static u64 level_size(const struct ptable *pt, u32 level)
{
	return BIT(level_shift(pt, level));
}

static u32 root_level(const struct ptable *pt)
{
	return pt->geo->levels - 1u;
}

static u64 entries(const struct ptable *pt, u32 level)
{
	return BIT(level == root_level(pt) ? pt->geo->root_bits : pt->geo->index_bits);
}

static u64 *entry(const struct ptable *pt, u32 level, u64 *table, u64 va)
{
	return &table[(va >> level_shift(pt, level)) & (entries(pt, level) - 1)];
}

/* End of what the entry for va translates, or end, whichever comes first. */
static u64 entry_end(const struct ptable *pt, u32 level, u64 va, u64 end)
{
	u64 size = level_size(pt, level);

	return MIN(ALIGN_DOWN(va, size) + size, end);
}

/* Hardware on other harts reads entries at any time. */
static u64 pte_read(const u64 *pte)
{
	return __atomic_load_n(pte, __ATOMIC_RELAXED);
}

static void pte_write(u64 *pte, u64 value)
{
	__atomic_store_n(pte, value, __ATOMIC_RELAXED);
}

static u64 pte_make(const struct ptable *pt, u64 pa, u64 bits)
{
	return pa >> pt->geo->page_shift << PTE_PPN_SHIFT | bits | PTE_V;
}

static u64 pte_pa(const struct ptable *pt, u64 pte)
{
	return (pte & PTE_PPN) >> PTE_PPN_SHIFT << pt->geo->page_shift;
}

static u64 *pte_table(const struct ptable *pt, u64 pte)
{
	return pa_ptr(HPA(pte_pa(pt, pte)));
}

static u32 napot_shift(const struct ptable *pt)
{
	return pt->geo->page_shift + PTE_NAPOT_SHIFT;
}

/* --- Tables --------------------------------------------------------------------------------- */

static u64 table_size(const struct ptable *pt, bool root)
{
	return sizeof(u64) << (root ? pt->geo->root_bits : pt->geo->index_bits);
}

/*
 * Tables off the tree are chained by their first word. A hart that still walks one in limbo reads
 * that word as an invalid entry: addresses of tables have bit 0 clear.
 */
static void chain_push(u64 *head, u64 table)
{
	pte_write(pa_ptr(HPA(table)), *head);
	*head = table;
}

static u64 chain_pop(u64 *head)
{
	u64 table = *head;
	u64 *word = pa_ptr(HPA(table));

	*head = *word;
	*word = 0;
	return table;
}

static void table_free(struct ptable *pt, u64 table, bool root)
{
	pt->memory->free(pt->ctx, HPA(table), table_size(pt, root));
	pt->tables--;
}

static void chain_free(struct ptable *pt, u64 *head)
{
	while (*head)
		table_free(pt, chain_pop(head), false);
}

/* Have n tables at hand, or none. */
static int reserve(struct ptable *pt, s64 n)
{
	hpa_t table;
	int ret;

	while (n-- > 0) {
		ret = pt->memory->alloc(pt->ctx, table_size(pt, false), &table);
		if (ret) {
			chain_free(pt, &pt->spare);
			return ret;
		}
		pt->tables++;
		chain_push(&pt->spare, table.v);
	}
	return 0;
}

static u64 table_take(struct ptable *pt)
{
	CHECK(pt->spare);
	return chain_pop(&pt->spare);
}

/* Put a complete table in the place of what the entry held. */
static void table_link(struct ptable *pt, u64 *pte, u64 table)
{
	pt->stale = PTABLE_TABLES;
	/* Release: a walker that sees the link sees the table's entries. */
	__atomic_store_n(pte, pte_make(pt, table, 0), __ATOMIC_RELEASE);
}

static void table_unlink(struct ptable *pt, u64 *pte)
{
	u64 table = pte_pa(pt, *pte);

	pt->stale = PTABLE_TABLES;
	pte_write(pte, 0);
	chain_push(&pt->limbo, table);
}

static bool table_empty(const struct ptable *pt, const u64 *table)
{
	for (u64 i = 0; i < BIT(pt->geo->index_bits); i++) {
		if (table[i])
			return false;
	}
	return true;
}

static void stale_leaf(struct ptable *pt)
{
	pt->stale = MAX(pt->stale, PTABLE_LEAVES);
}

/* --- Life ----------------------------------------------------------------------------------- */

static bool geometry_valid(const struct ptable_geometry *geo)
{
	return geo->levels >= 1 && geo->levels <= PTABLE_LEVELS && geo->index_bits >= 1 &&
	       geo->root_bits >= 1 && geo->page_shift >= 1 &&
	       geo->page_shift <= geo->index_bits + 3 &&
	       geo->page_shift + geo->index_bits * (geo->levels - 1) + geo->root_bits < 64;
}

int ptable_init(struct ptable *pt, const struct ptable_geometry *geo,
		const struct ptable_memory *memory, void *ctx, bool napot, u8 max_leaf_shift)
{
	int ret;

	if (!geometry_valid(geo) || max_leaf_shift < geo->page_shift ||
	    (napot && geo->index_bits < PTE_NAPOT_SHIFT))
		return -EINVAL;
	*pt = (struct ptable){
		.geo = geo, .memory = memory, .ctx = ctx, .napot = napot,
		.max_leaf_shift = max_leaf_shift,
	};
	ret = memory->alloc(ctx, table_size(pt, true), &pt->root);
	pt->tables = !ret;
	return ret;
}

static void destroy_below(struct ptable *pt, u32 level, u64 *table)
{
	for (u64 i = 0; i < entries(pt, level); i++) {
		u64 pte = table[i];

		if (i % DESTROY_STEP == 0)
			fiber_breathe();
		if (!(pte & PTE_V) || pte_is_leaf(pte))
			continue;
		destroy_below(pt, level - 1, pte_table(pt, pte));
		table_free(pt, pte_pa(pt, pte), false);
		fiber_breathe();
	}
}

void ptable_destroy(struct ptable *pt)
{
	ptable_fenced(pt);
	destroy_below(pt, root_level(pt), pa_ptr(pt->root));
	fiber_breathe();
	table_free(pt, pt->root.v, true);
	fiber_breathe();
	ASSERT(!pt->tables);
	pt->root = HPA(0);
}

void ptable_fenced(struct ptable *pt)
{
	chain_free(pt, &pt->limbo);
	pt->stale = PTABLE_FRESH;
}

/* --- Mapping -------------------------------------------------------------------------------- */

/* What is asked for: the whole range, while va and end of the recursion narrow down. */
struct request {
	u64 va;
	u64 end;
	u64 pa;		/* map: of va */
	u64 attr;
	bool clear;	/* edit: unmap, attr is not used */
};

static bool range_malformed(const struct ptable *pt, u64 va, u64 size)
{
	return !range_inside(va, size, 0, ptable_reach(pt->geo)) ||
	       !IS_ALIGNED(va | size, BIT(pt->geo->page_shift));
}

/* W without R is reserved, and neither R nor X would be a table. */
static bool attr_malformed(u64 attr)
{
	return (attr & ~PTE_ATTR) || !(attr & (PTE_R | PTE_X)) ||
	       (attr & (PTE_R | PTE_W)) == PTE_W || (attr & PTE_PBMT) == PTE_PBMT;
}

static bool leaf_fits(const struct ptable *pt, const struct request *req, u64 va, u32 shift)
{
	u64 pa = req->pa + (va - req->va);

	return shift <= pt->max_leaf_shift && req->end - va >= BIT(shift) &&
	       IS_ALIGNED(va | pa, BIT(shift));
}

/* log2 of the largest leaf at this level that can begin at va; 0: none, go deeper. */
static u32 leaf_shift(const struct ptable *pt, u32 level, const struct request *req, u64 va)
{
	if (level == 0 && pt->napot && leaf_fits(pt, req, va, napot_shift(pt)))
		return napot_shift(pt);
	if (level == 0 || leaf_fits(pt, req, va, level_shift(pt, level)))
		return level_shift(pt, level);
	return 0;
}

/* Tables that mapping [va, end) will need below this one (NULL: a new one), or -EEXIST. */
static s64 map_need(const struct ptable *pt, u32 level, u64 *table, const struct request *req,
		    u64 va, u64 end)
{
	s64 need = 0;

	if (level == 0 && !table)
		return 0;
	for (u64 next; va < end; va = next) {
		u64 pte = table ? pte_read(entry(pt, level, table, va)) : 0;
		u64 *child = NULL;
		s64 below;

		next = entry_end(pt, level, va, end);
		if (pte_is_leaf(pte))
			return -EEXIST;
		if (pte)
			child = pte_table(pt, pte);
		else if (leaf_shift(pt, level, req, va))
			continue;
		below = map_need(pt, level - 1, child, req, va, next);
		if (below < 0)
			return below;
		need += below + !child;
	}
	return need;
}

static void leaf_write(struct ptable *pt, u64 *pte, bool napot, u64 pa, u64 attr)
{
	stale_leaf(pt);
	if (!napot) {
		pte_write(pte, pte_make(pt, pa, attr));
		return;
	}
	for (u64 i = 0; i < BIT(PTE_NAPOT_SHIFT); i++)
		pte_write(&pte[i], pte_make(pt, pa, attr) | PTE_NAPOT_PPN | PTE_N);
}

static void map_fill(struct ptable *pt, u32 level, u64 *table, const struct request *req,
		     u64 va, u64 end)
{
	for (u64 next; va < end; va = next) {
		u64 *pte = entry(pt, level, table, va);
		u32 shift = leaf_shift(pt, level, req, va);
		u64 child;

		if (shift) {
			leaf_write(pt, pte, shift != level_shift(pt, level),
				   req->pa + (va - req->va), req->attr);
			next = va + BIT(shift);
			continue;
		}
		next = entry_end(pt, level, va, end);
		if (*pte) {
			map_fill(pt, level - 1, pte_table(pt, *pte), req, va, next);
			continue;
		}
		child = table_take(pt);
		map_fill(pt, level - 1, pa_ptr(HPA(child)), req, va, next);
		table_link(pt, pte, child);
	}
}

int ptable_map(struct ptable *pt, u64 va, u64 pa, u64 size, u64 attr)
{
	struct request req = { .va = va, .end = va + size, .pa = pa, .attr = attr };
	u64 *root = pa_ptr(pt->root);
	s64 need;
	int ret;

	if (range_malformed(pt, va, size) || attr_malformed(attr) ||
	    !IS_ALIGNED(pa, BIT(pt->geo->page_shift)) ||
	    !range_inside(pa, size, 0, BIT(PPN_BITS + pt->geo->page_shift)))
		return -EINVAL;
	need = map_need(pt, root_level(pt), root, &req, va, req.end);
	ret = need < 0 ? (int)need : reserve(pt, need);
	if (ret)
		return ret;
	map_fill(pt, root_level(pt), root, &req, va, req.end);
	ASSERT(!pt->spare);
	return 0;
}

/* --- Unmapping and protecting --------------------------------------------------------------- */

static u64 edited(const struct request *req, u64 leaf)
{
	return req->clear ? 0 : (leaf & ~PTE_ATTR) | req->attr;
}

/*
 * Tables that editing [va, end) will need below this one, or -ENOENT. Without a table: below one
 * that will come from splitting the leaf.
 */
static s64 edit_need(const struct ptable *pt, u32 level, u64 *table, u64 leaf,
		     const struct request *req, u64 va, u64 end)
{
	s64 need = 0;

	for (u64 next; va < end; va = next) {
		u64 pte = table ? pte_read(entry(pt, level, table, va)) : leaf;
		u64 *child = NULL;
		s64 below;

		next = entry_end(pt, level, va, end);
		if (!pte && !req->clear)
			return -ENOENT;
		if (!pte || (pte_is_leaf(pte) && (next - va == level_size(pt, level) ||
					      edited(req, pte) == pte)))
			continue;
		if (!pte_is_leaf(pte))
			child = pte_table(pt, pte);
		below = edit_need(pt, level - 1, child, pte, req, va, next);
		if (below < 0)
			return below;
		need += below + !child;
	}
	return need;
}

/*
 * Before part of a Svnapot leaf changes: make it 16 plain leaves. While the two kinds are mixed,
 * each entry alone still translates as before.
 */
static void napot_break(struct ptable *pt, u64 *table, const struct request *req, u64 va)
{
	u64 first = ALIGN_DOWN(va, BIT(napot_shift(pt)));
	u64 *pte = entry(pt, 0, table, first);
	u64 pa = pte_pa(pt, *pte & ~PTE_NAPOT_PPN);
	u64 attr = *pte & PTE_ATTR;

	if (first >= req->va && first + BIT(napot_shift(pt)) <= req->end)
		return;
	for (u64 i = 0; i < BIT(PTE_NAPOT_SHIFT); i++)
		pte_write(&pte[i], pte_make(pt, pa + i * level_size(pt, 0), attr));
}

static void edit_table(struct ptable *pt, u32 level, u64 *table, const struct request *req,
		       u64 va, u64 end);

/* A leaf of which only [va, end) changes becomes a table, which replaces it by one store. */
static void split(struct ptable *pt, u32 level, u64 *pte, const struct request *req,
		  u64 va, u64 end)
{
	u64 base = ALIGN_DOWN(va, level_size(pt, level));
	struct request same = {
		.va = base, .end = base + level_size(pt, level),
		.pa = pte_pa(pt, *pte), .attr = *pte & PTE_ATTR,
	};
	u64 child = table_take(pt);

	map_fill(pt, level - 1, pa_ptr(HPA(child)), &same, base, same.end);
	edit_table(pt, level - 1, pa_ptr(HPA(child)), req, va, end);
	table_link(pt, pte, child);
}

static void edit_leaf(struct ptable *pt, u32 level, u64 *table, const struct request *req,
		      u64 va, u64 end)
{
	u64 *pte = entry(pt, level, table, va);

	if (edited(req, *pte) == *pte)
		return;
	stale_leaf(pt);
	if (end - va < level_size(pt, level)) {
		split(pt, level, pte, req, va, end);
		return;
	}
	if (*pte & PTE_N)
		napot_break(pt, table, req, va);
	pte_write(pte, edited(req, *pte));
}

static void edit_table(struct ptable *pt, u32 level, u64 *table, const struct request *req,
		       u64 va, u64 end)
{
	for (u64 next; va < end; va = next) {
		u64 *pte = entry(pt, level, table, va);
		u64 *child;

		next = entry_end(pt, level, va, end);
		if (!*pte)
			continue;
		if (pte_is_leaf(*pte)) {
			edit_leaf(pt, level, table, req, va, next);
			continue;
		}
		child = pte_table(pt, *pte);
		edit_table(pt, level - 1, child, req, va, next);
		if (req->clear && table_empty(pt, child))
			table_unlink(pt, pte);
	}
}

static int edit(struct ptable *pt, const struct request *req)
{
	u64 *root = pa_ptr(pt->root);
	s64 need = edit_need(pt, root_level(pt), root, 0, req, req->va, req->end);
	int ret = need < 0 ? (int)need : reserve(pt, need);

	if (ret)
		return ret;
	edit_table(pt, root_level(pt), root, req, req->va, req->end);
	ASSERT(!pt->spare);
	return 0;
}

int ptable_unmap(struct ptable *pt, u64 va, u64 size)
{
	struct request req = { .va = va, .end = va + size, .clear = true };

	if (range_malformed(pt, va, size))
		return -EINVAL;
	return edit(pt, &req);
}

int ptable_protect(struct ptable *pt, u64 va, u64 size, u64 attr)
{
	struct request req = { .va = va, .end = va + size, .attr = attr };

	if (range_malformed(pt, va, size) || attr_malformed(attr))
		return -EINVAL;
	return edit(pt, &req);
}
