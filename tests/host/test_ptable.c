/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page-table mapper against a naive model: a list of intervals, and a walker written here after
 * the privileged specification. Small geometries are compared page by page, the real ones at the
 * edges of all intervals. Allocation fails at every place it can; a second thread walks while
 * the table changes.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <asm/ptable.h>
#include <hv/errno.h>
#include <hv/pa.h>
#include <hv/page.h>
#include <sim_ram.h>

#define RAM_BASE 0x80000000ull
#define RAM_SIZE MIB(512)

#define RWX (PTE_R | PTE_W | PTE_X | PTE_U | PTE_A | PTE_D)
#define RO (PTE_R | PTE_U | PTE_A)
#define IO (PTE_R | PTE_W | PTE_U | PTE_A | PTE_D | PTE_PBMT_IO)

/* 64-byte tables, three levels, 2048 pages of 64 bytes */
static const struct ptable_geometry tiny = { "tiny", 0, 3, 3, 5, 6 };
/* 256-byte tables with room for 16-entry Svnapot leaves, 4096 pages of 256 bytes */
static const struct ptable_geometry small = { "small", 0, 3, 5, 2, 8 };
/* one level: the root alone */
static const struct ptable_geometry flat = { "flat", 0, 1, 4, 6, 7 };

/* --- Memory for tables: never reused, poisoned when freed, failing on demand ---------------- */

static u64 pool_next;
static s64 pool_left;		/* allocations until one fails; < 0: none fails */
static u64 pool_held;

static int pool_alloc(void *ctx, u64 size, hpa_t *out)
{
	assert_ptr_equal(ctx, &pool_held);
	if (pool_left == 0)
		return -ENOMEM;
	pool_left--;
	pool_next = ALIGN_UP(pool_next, size);
	*out = HPA(pool_next);
	pool_next += size;
	assert_true(pool_next <= RAM_BASE + RAM_SIZE);
	pool_held++;
	return 0;
}

static void pool_free(void *ctx, hpa_t table, u64 size)
{
	assert_ptr_equal(ctx, &pool_held);
	memset(pa_ptr(table), 0xff, size);
	pool_held--;
}

static const struct ptable_memory pool = { .alloc = pool_alloc, .free = pool_free };

static void pt_make(struct ptable *pt, const struct ptable_geometry *geo, bool napot, u8 max_leaf)
{
	sim_ram_init(RAM_BASE, RAM_SIZE);
	pool_next = RAM_BASE;
	pool_left = -1;
	pool_held = 0;
	assert_int_equal(ptable_init(pt, geo, &pool, &pool_held, napot, max_leaf), 0);
}

static void pt_end(struct ptable *pt)
{
	ptable_destroy(pt);
	assert_int_equal(pool_held, 0);
	assert_int_equal(pt->tables, 0);
}

/* --- The specification's walk, written down once more --------------------------------------- */

static bool reference(const struct ptable *pt, u64 va, u64 *pa, u64 *attr)
{
	const struct ptable_geometry *g = pt->geo;
	u64 table = pt->root.v;

	for (int i = g->levels - 1; i >= 0; i--) {
		u32 shift = g->page_shift + g->index_bits * (u32)i;
		u64 bits = i == g->levels - 1 ? g->root_bits : g->index_bits;
		u64 *word = (u64 *)pa_ptr(HPA(table)) + (va >> shift) % (1ull << bits);
		u64 pte = __atomic_load_n(word, __ATOMIC_ACQUIRE);
		u64 ppn = pte << 10 >> 20;

		if (!(pte & 1))
			return false;
		if (!(pte & 0xe)) {
			assert_false(pte >> 54);	/* reserved in a pointer */
			assert_false(pte & 0xd0);
			table = ppn << g->page_shift;
			continue;
		}
		if (pte >> 63) {
			assert_int_equal(i, 0);
			assert_int_equal(ppn & 15, 8);
			ppn = (ppn & ~15ull) | ((va >> shift) & 15);
		}
		assert_int_equal(ppn & ((1ull << g->index_bits * i) - 1), 0);	/* misaligned */
		*pa = (ppn << g->page_shift) + (va & ((1ull << shift) - 1));
		*attr = pte & PTE_ATTR;
		return true;
	}
	fail_msg("no leaf at the last level");
	return false;
}

static u64 tables_below(const struct ptable *pt, u64 table, int level, u64 count)
{
	u64 *pte = pa_ptr(HPA(table));
	u64 tables = 1, used = 0;

	for (u64 i = 0; i < count; i++) {
		used += pte[i] != 0;
		if (pte[i] && !(pte[i] & 0xe))
			tables += tables_below(pt, pte[i] << 10 >> 20 << pt->geo->page_shift,
					       level - 1, 1ull << pt->geo->index_bits);
	}
	assert_true(used || level == pt->geo->levels - 1);	/* no empty tables */
	return tables;
}

/* --- The model ------------------------------------------------------------------------------ */

#define INTERVALS 4096

struct interval {
	u64 va;
	u64 end;
	u64 pa;
	u64 attr;
};

struct model {
	u32 count;
	struct interval of[INTERVALS];
};

static const struct interval *model_find(const struct model *m, u64 va)
{
	for (u32 i = 0; i < m->count; i++) {
		if (va >= m->of[i].va && va < m->of[i].end)
			return &m->of[i];
	}
	return NULL;
}

static bool model_overlaps(const struct model *m, u64 va, u64 end)
{
	for (u32 i = 0; i < m->count; i++) {
		if (va < m->of[i].end && m->of[i].va < end)
			return true;
	}
	return false;
}

static void model_add(struct model *m, u64 va, u64 end, u64 pa, u64 attr)
{
	assert_true(m->count < INTERVALS);
	if (va < end)
		m->of[m->count++] = (struct interval){ va, end, pa, attr };
}

/* Cut [va, end) out; put it back with other attributes unless clear. Returns bytes it covered. */
static u64 model_edit(struct model *m, u64 va, u64 end, bool clear, u64 attr)
{
	u64 covered = 0;

	for (u32 i = m->count; i-- > 0;) {
		struct interval old = m->of[i];
		u64 from = MAX(va, old.va), to = MIN(end, old.end);

		if (from >= to)
			continue;
		covered += to - from;
		m->of[i] = m->of[--m->count];
		model_add(m, old.va, from, old.pa, old.attr);
		model_add(m, to, old.end, old.pa + (to - old.va), old.attr);
		if (!clear)
			model_add(m, from, to, old.pa + (from - old.va), attr);
	}
	return covered;
}

static void check_at(const struct ptable *pt, const struct model *m, u64 va)
{
	const struct interval *want = model_find(m, va);
	struct ptable_run leaf;
	u64 pa, attr;

	if (va >= ptable_reach(pt->geo))
		return;
	assert_int_equal(reference(pt, va, &pa, &attr), want != NULL);
	assert_int_equal(ptable_lookup(pt, va, &leaf), want != NULL);
	if (!want)
		return;
	assert_int_equal(pa, want->pa + (va - want->va));
	assert_int_equal(attr, want->attr);
	assert_int_equal(leaf.pa + (va - leaf.va), pa);
	assert_int_equal(leaf.attr, attr);
	assert_int_equal(leaf.size, 1ull << leaf.leaf_shift);
	assert_true(IS_ALIGNED(leaf.va | leaf.pa, leaf.size));
	assert_true(leaf.leaf_shift <= pt->max_leaf_shift);
}

static int sum_runs(void *ctx, const struct ptable_run *run)
{
	*(u64 *)ctx += run->size;
	return 0;
}

static void check_all(const struct ptable *pt, const struct model *m)
{
	u64 page = 1ull << pt->geo->page_shift;
	u64 reach = ptable_reach(pt->geo);
	u64 total = 0, walked = 0;

	for (u64 va = 0; reach <= MIB(2) && va < reach; va += page)
		check_at(pt, m, va + (u64)rand() % page);
	for (u32 i = 0; i < m->count; i++) {
		check_at(pt, m, m->of[i].va);
		check_at(pt, m, m->of[i].va - 1);
		check_at(pt, m, m->of[i].end - 1);
		check_at(pt, m, m->of[i].end);
		total += m->of[i].end - m->of[i].va;
	}
	assert_int_equal(ptable_walk(pt, sum_runs, &walked), 0);
	assert_int_equal(walked, total);
}

static void check_tables(const struct ptable *pt)
{
	u64 tables = tables_below(pt, pt->root.v, pt->geo->levels - 1,
				  1ull << pt->geo->root_bits);

	assert_int_equal(pt->tables, tables);
	assert_int_equal(pool_held, tables);
}

/* --- Random sequences ----------------------------------------------------------------------- */

static u64 random64(void)
{
	return (u64)rand() << 42 ^ (u64)rand() << 21 ^ (u64)rand();
}

/* Some range of the reach, or of `window` bytes at a few places of it, of some alignment. */
static void random_range(const struct ptable *pt, u64 window, u64 *va, u64 *size)
{
	u64 reach = ptable_reach(pt->geo);
	u32 top = pt->geo->page_shift + pt->geo->index_bits * (pt->geo->levels > 2 ? 2u : 1u);
	u64 unit = 1ull << (pt->geo->page_shift + (u64)rand() % (top - pt->geo->page_shift + 1));
	u64 base = window < reach ? (rand() % 2 ? reach - window : 0) : 0;

	window = MIN(window, reach);
	unit = MIN(unit, window / 4);
	*va = base + ALIGN_DOWN(random64() % window, unit);
	*size = unit * (1 + random64() % 6);
	*size = MIN(*size, base + window - *va);
}

static u64 random_attr(void)
{
	static const u64 attr[] = { RWX, RO, IO };

	return attr[rand() % 3];
}

static void random_map(struct ptable *pt, struct model *m, u64 va, u64 size)
{
	u32 skew = (u32)rand() % (pt->geo->index_bits * 2u + 1);
	u64 pa = (va + ((u64)rand() % 64 << (pt->geo->page_shift + skew))) & GENMASK(53, 0);
	u64 attr = random_attr();
	int ret = ptable_map(pt, va, pa, size, attr);

	assert_int_equal(ret, model_overlaps(m, va, va + size) ? -EEXIST : 0);
	if (!ret)
		model_add(m, va, va + size, pa, attr);
}

static void random_protect(struct ptable *pt, struct model *m, u64 va, u64 size)
{
	static struct model before;
	u64 attr = random_attr();
	int ret = ptable_protect(pt, va, size, attr);

	before = *m;
	if (model_edit(m, va, va + size, false, attr) == size) {
		assert_int_equal(ret, 0);
	} else {
		assert_int_equal(ret, -ENOENT);
		*m = before;
	}
}

static void random_run(const struct ptable_geometry *geo, bool napot, u8 max_leaf, u32 rounds)
{
	static struct model m;
	struct ptable pt;

	pt_make(&pt, geo, napot, max_leaf);
	m.count = 0;
	for (u32 i = 0; i < rounds; i++) {
		u64 va, size;

		random_range(&pt, GIB(6), &va, &size);
		switch (rand() % 5) {
		case 0:
		case 1:
			random_map(&pt, &m, va, size);
			break;
		case 2:
		case 3:
			assert_int_equal(ptable_unmap(&pt, va, size), 0);
			model_edit(&m, va, va + size, true, 0);
			break;
		default:
			random_protect(&pt, &m, va, size);
		}
		check_all(&pt, &m);
		if (rand() % 8 == 0) {
			ptable_fenced(&pt);
			check_tables(&pt);
		}
	}
	assert_int_equal(ptable_unmap(&pt, 0, ptable_reach(geo)), 0);
	ptable_fenced(&pt);
	assert_int_equal(pt.tables, 1);
	pt_end(&pt);
}

static void test_random_tiny(void **state)
{
	(void)state;
	srand(1);
	random_run(&tiny, false, 12, 600);
	random_run(&tiny, false, 9, 200);
	random_run(&tiny, false, 6, 200);
	random_run(&flat, false, 7, 200);
	random_run(&flat, true, 11, 200);
}

static void test_random_napot(void **state)
{
	(void)state;
	srand(2);
	random_run(&small, true, 18, 400);
	random_run(&small, true, 12, 200);
	random_run(&small, false, 13, 200);
}

static void test_random_real(void **state)
{
	static const struct ptable_geometry *const geo[] = {
		&ptable_sv39, &ptable_sv48, &ptable_sv57,
		&ptable_sv39x4, &ptable_sv48x4, &ptable_sv57x4,
	};

	(void)state;
	srand(3);
	for (u32 i = 0; i < ARRAY_SIZE(geo); i++) {
		random_run(geo[i], true, 30, 150);
		random_run(geo[i], false, 39, 100);
		random_run(geo[i], true, 21, 40);
	}
}

/* --- Given cases ---------------------------------------------------------------------------- */

struct runs {
	u32 count;
	struct ptable_run of[16];
};

static int collect(void *ctx, const struct ptable_run *run)
{
	struct runs *runs = ctx;

	if (runs->count < 16)
		runs->of[runs->count] = *run;
	runs->count++;
	return 0;
}

static struct runs runs_of(const struct ptable *pt)
{
	struct runs runs = { .count = 0 };

	assert_int_equal(ptable_walk(pt, collect, &runs), 0);
	return runs;
}

/* A VM of 1 GiB at 0x80000000 takes one entry of the 16 KiB root and no table. */
static void test_largest_leaf(void **state)
{
	struct ptable pt;
	struct runs runs;

	(void)state;
	pt_make(&pt, &ptable_sv39x4, true, 30);
	assert_true(IS_ALIGNED(pt.root.v, KIB(16)));
	assert_int_equal(ptable_map(&pt, GIB(2), GIB(5), GIB(1), RWX), 0);
	assert_int_equal(pt.tables, 1);
	assert_int_equal(pt.stale, PTABLE_LEAVES);

	/* 4K + 64K + 2M + 1G + 4K, congruent */
	assert_int_equal(ptable_map(&pt, GIB(4) - MIB(2) - KIB(68), GIB(8) - MIB(2) - KIB(68),
				    KIB(68) + MIB(2) + GIB(1) + KIB(4), RO), 0);
	runs = runs_of(&pt);
	assert_int_equal(runs.count, 6);
	for (u32 i = 1; i < 6; i++) {
		static const u8 shift[] = { 30, 12, 16, 21, 30, 12 };

		assert_int_equal(runs.of[i].leaf_shift, shift[i]);
		assert_int_equal(runs.of[i].size, BIT(shift[i]));
	}
	pt_end(&pt);

	/* A leaf of 512 GiB only where it is wished for. */
	pt_make(&pt, &ptable_sv48x4, false, 39);
	assert_int_equal(ptable_map(&pt, 0, GIB(512), GIB(512), RWX), 0);
	assert_int_equal(runs_of(&pt).of[0].leaf_shift, 39);
	pt_end(&pt);
	pt_make(&pt, &ptable_sv48x4, false, 30);
	assert_int_equal(ptable_map(&pt, 0, GIB(512), GIB(512), RWX), 0);
	assert_int_equal(runs_of(&pt).of[0].leaf_shift, 30);
	pt_end(&pt);

	/* Incongruent modulo 2 MiB: no larger than 64 KiB; without Svnapot 4 KiB. */
	pt_make(&pt, &ptable_sv39x4, true, 30);
	assert_int_equal(ptable_map(&pt, GIB(1), GIB(1) + KIB(64), MIB(4), RWX), 0);
	assert_int_equal(runs_of(&pt).of[0].leaf_shift, 16);
	assert_int_equal(pt.tables, 4);
	pt_end(&pt);
}

static void test_split_and_protect(void **state)
{
	struct ptable pt;
	struct runs runs;

	(void)state;
	pt_make(&pt, &ptable_sv39x4, true, 30);
	assert_int_equal(ptable_map(&pt, GIB(2), GIB(2), GIB(1), RWX), 0);
	ptable_fenced(&pt);
	assert_int_equal(pt.stale, PTABLE_FRESH);
	/* The same again changes nothing and splits nothing. */
	assert_int_equal(ptable_protect(&pt, GIB(2) + KIB(4), KIB(4), RWX), 0);
	assert_int_equal(pt.tables, 1);
	assert_int_equal(pt.stale, PTABLE_FRESH);

	assert_int_equal(ptable_protect(&pt, GIB(2) + MIB(2), KIB(4), RO), 0);
	assert_int_equal(pt.stale, PTABLE_TABLES);
	assert_int_equal(pt.tables, 3);
	runs = runs_of(&pt);
	assert_int_equal(runs.count, 5);	/* 2M, 4K read-only, 15 · 4K, 31 · 64K, 510 · 2M */
	assert_int_equal(runs.of[1].attr, RO);
	assert_int_equal(runs.of[2].size, KIB(60));
	assert_int_equal(runs.of[3].size, MIB(2) - KIB(64));
	assert_int_equal(runs.of[4].size, GIB(1) - MIB(4));

	assert_int_equal(ptable_protect(&pt, GIB(3) - KIB(4), KIB(8), RO), -ENOENT);
	assert_int_equal(runs_of(&pt).count, 5);
	assert_int_equal(ptable_unmap(&pt, GIB(2) + MIB(2), MIB(2)), 0);
	assert_int_equal(pt.tables, 3);		/* one in limbo until the fence */
	ptable_fenced(&pt);
	assert_int_equal(pt.tables, 2);
	check_tables(&pt);
	pt_end(&pt);
}

static void test_refuses(void **state)
{
	static const struct ptable_geometry bad[] = {
		{ "no level", 0, 0, 9, 9, 12 }, { "six levels", 0, 6, 9, 9, 12 },
		{ "no index", 0, 3, 0, 9, 12 }, { "no root", 0, 3, 9, 0, 12 },
		{ "unaligned tables", 0, 3, 8, 9, 12 }, { "64 bits", 0, 5, 12, 11, 12 },
	};
	const u64 top = ptable_reach(&ptable_sv39x4);
	struct ptable pt;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(ptable_init(&pt, &bad[i], &pool, &pool_held, false, 30), -EINVAL);
	assert_int_equal(ptable_init(&pt, &tiny, &pool, &pool_held, true, 30), -EINVAL);
	assert_int_equal(ptable_init(&pt, &ptable_sv39, &pool, &pool_held, true, 11), -EINVAL);

	pt_make(&pt, &ptable_sv39x4, true, 30);
	assert_int_equal(ptable_map(&pt, 0, 0, 0, RWX), -EINVAL);
	assert_int_equal(ptable_map(&pt, 1, 0, KIB(4), RWX), -EINVAL);
	assert_int_equal(ptable_map(&pt, 0, 1, KIB(4), RWX), -EINVAL);
	assert_int_equal(ptable_map(&pt, 0, 0, 1, RWX), -EINVAL);
	assert_int_equal(ptable_map(&pt, top, 0, KIB(4), RWX), -EINVAL);
	assert_int_equal(ptable_map(&pt, top - KIB(4), 0, KIB(8), RWX), -EINVAL);
	assert_int_equal(ptable_map(&pt, ~0ull << 12, 0, KIB(8), RWX), -EINVAL);
	assert_int_equal(ptable_map(&pt, 0, BIT(56) - KIB(4), KIB(8), RWX), -EINVAL);
	assert_int_equal(ptable_map(&pt, 0, ~0ull << 12, KIB(8), RWX), -EINVAL);
	assert_int_equal(ptable_map(&pt, 0, 0, KIB(4), 0), -EINVAL);
	assert_int_equal(ptable_map(&pt, 0, 0, KIB(4), PTE_W | PTE_X), -EINVAL);
	assert_int_equal(ptable_map(&pt, 0, 0, KIB(4), RWX | PTE_V), -EINVAL);
	assert_int_equal(ptable_map(&pt, 0, 0, KIB(4), RWX | PTE_N), -EINVAL);
	assert_int_equal(ptable_map(&pt, 0, 0, KIB(4), RWX | BIT(20)), -EINVAL);
	assert_int_equal(ptable_map(&pt, 0, 0, KIB(4), RWX | PTE_PBMT), -EINVAL);
	assert_int_equal(ptable_unmap(&pt, 0, 0), -EINVAL);
	assert_int_equal(ptable_unmap(&pt, top, KIB(4)), -EINVAL);
	assert_int_equal(ptable_protect(&pt, 1, KIB(4), RO), -EINVAL);
	assert_int_equal(ptable_protect(&pt, 0, KIB(4), PTE_U), -EINVAL);
	assert_int_equal(ptable_protect(&pt, 0, KIB(4), RO), -ENOENT);
	assert_int_equal(ptable_map(&pt, top - KIB(4), BIT(56) - KIB(4), KIB(4), RWX), 0);
	assert_int_equal(ptable_map(&pt, 0, 0, top, RWX), -EEXIST);
	assert_int_equal(pool_held, 3);
	pt_end(&pt);
}

/* --- Allocation fails at every place -------------------------------------------------------- */

static void oom_prepare(struct ptable *pt)
{
	assert_int_equal(ptable_map(pt, GIB(1), GIB(4), GIB(1), RWX), 0);
	assert_int_equal(ptable_map(pt, GIB(3) + KIB(4), KIB(4), KIB(64), RO), 0);
	ptable_fenced(pt);
}

static int oom_operation(struct ptable *pt, u32 which)
{
	switch (which) {
	case 0:
		return ptable_map(pt, GIB(2) + KIB(8), KIB(4), GIB(1) - MIB(2), RWX);
	case 1:
		return ptable_unmap(pt, GIB(1) + KIB(4), MIB(700));
	case 2:
		return ptable_protect(pt, GIB(1) + KIB(4), GIB(1) - KIB(8), RO);
	default:	/* overlaps at its far end */
		return ptable_map(pt, GIB(2), 0, GIB(1) + KIB(8), RWX);
	}
}

static void test_out_of_memory(void **state)
{
	static struct runs before, after;

	(void)state;
	for (u32 which = 0; which < 4; which++) {
		int ret = -ENOMEM;

		for (s64 left = 0; ret == -ENOMEM; left++) {
			struct ptable pt;
			u64 tables;

			pt_make(&pt, &ptable_sv48x4, true, 30);
			oom_prepare(&pt);
			before = runs_of(&pt);
			tables = pt.tables;
			pool_left = left;
			ret = oom_operation(&pt, which);
			if (ret) {
				after = runs_of(&pt);
				assert_memory_equal(&before, &after, sizeof(before));
				assert_int_equal(pt.tables, tables);
				assert_int_equal(pt.stale, PTABLE_FRESH);
				check_tables(&pt);
			}
			pt_end(&pt);
		}
		assert_int_equal(ret, which == 3 ? -EEXIST : 0);
	}
	pool_left = 0;
	assert_int_equal(ptable_init(&(struct ptable){ .tables = 0 }, &ptable_sv39, &pool,
				     &pool_held, false, 30), -ENOMEM);
}

/* --- Other harts walk at any moment --------------------------------------------------------- */

static struct ptable live;
static u64 walks;	/* completed by the walker; atomic */
static bool walker_stop;

/* The pages that keep their translation throughout. */
static const u64 steady[] = {
	GIB(1), GIB(1) + MIB(6) - 1, GIB(1) + MIB(8), GIB(2) - 1, GIB(1) + MIB(6) + KIB(32),
};

static void look(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(steady); i++) {
		u64 pa, attr;

		assert_true(reference(&live, steady[i], &pa, &attr));
		assert_int_equal(pa, steady[i] + GIB(3));
		assert_int_equal(attr, RWX);
	}
}

/* Whatever happens to its neighbours, a page keeps its translation within each operation. */
static void test_every_moment(void **state)
{
	const u64 at[] = { GIB(1) + KIB(4), GIB(1) + MIB(6), GIB(1) + MIB(6) + KIB(36) };
	const u64 size[] = { MIB(1), KIB(32), KIB(4) };

	(void)state;
	for (u32 i = 0; i < 9; i++) {
		pt_make(&live, &ptable_sv39x4, true, i < 3 ? 30 : i < 6 ? 21 : 16);
		assert_int_equal(ptable_map(&live, GIB(1), GIB(4), GIB(1), RWX), 0);
		sim_ram_observer = look;
		assert_int_equal(ptable_protect(&live, at[i % 3], size[i % 3], RO), 0);
		assert_int_equal(ptable_unmap(&live, at[i % 3], size[i % 3]), 0);
		assert_int_equal(ptable_map(&live, at[i % 3], GIB(9), size[i % 3], RWX), 0);
		sim_ram_observer = NULL;
		pt_end(&live);
	}
}

static void *walker(void *arg)
{
	while (!__atomic_load_n(&walker_stop, __ATOMIC_ACQUIRE)) {
		for (u32 i = 0; i < ARRAY_SIZE(steady); i++) {
			u64 pa, attr;

			if (!reference(&live, steady[i], &pa, &attr) ||
			    pa != steady[i] + GIB(3))
				return "a steady page moved";
		}
		/* One that comes and goes: old or new, never something else. */
		for (u64 va = GIB(1) + MIB(6) + KIB(64); va < GIB(1) + MIB(8); va += KIB(148)) {
			u64 pa, attr;

			if (reference(&live, va, &pa, &attr) && pa != va + GIB(3))
				return "a page went astray";
		}
		__atomic_fetch_add(&walks, 1, __ATOMIC_ACQ_REL);
	}
	return arg;
}

/* What a fence does: no walk that began before goes on afterwards. */
static void fence(void)
{
	u64 seen = __atomic_load_n(&walks, __ATOMIC_ACQUIRE);

	while (__atomic_load_n(&walks, __ATOMIC_ACQUIRE) < seen + 2)
		;
	ptable_fenced(&live);
}

static void test_live(void **state)
{
	const u64 base = GIB(1) + MIB(6) + KIB(64), size = MIB(2) - KIB(64);
	pthread_t thread;
	void *failed;

	(void)state;
	pt_make(&live, &ptable_sv39x4, true, 30);
	walker_stop = false;
	walks = 0;
	assert_int_equal(ptable_map(&live, GIB(1), GIB(4), GIB(1), RWX), 0);
	assert_int_equal(pthread_create(&thread, NULL, walker, NULL), 0);
	for (u32 i = 0; i < 60; i++) {
		u64 cut = base + (u64)(rand() % 400) * KIB(4);

		assert_int_equal(ptable_protect(&live, base, size, i % 2 ? RWX : RO), 0);
		fence();
		assert_int_equal(ptable_unmap(&live, cut, KIB(4)), 0);
		fence();
		assert_int_equal(ptable_unmap(&live, base, size), 0);
		fence();
		assert_int_equal(ptable_map(&live, base, base + GIB(3), size, RWX), 0);
	}
	__atomic_store_n(&walker_stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, &failed);
	assert_null(failed);
	pt_end(&live);
}

/* --- Choice of G-stage, dump, audit --------------------------------------------------------- */

static void test_gstage(void **state)
{
	(void)state;
	assert_ptr_equal(ptable_gstage(GIB(4), 7), &ptable_sv39x4);
	assert_ptr_equal(ptable_gstage(BIT(41), 7), &ptable_sv39x4);
	assert_ptr_equal(ptable_gstage(BIT(41) + 1, 7), &ptable_sv48x4);
	assert_ptr_equal(ptable_gstage(BIT(50) + 1, 7), &ptable_sv57x4);
	assert_ptr_equal(ptable_gstage(GIB(4), 6), &ptable_sv48x4);
	assert_null(ptable_gstage(BIT(59) + 1, 7));
	assert_null(ptable_gstage(BIT(41) + 1, 1));
	assert_null(ptable_gstage(0, 0));
}

static void expect_line(void *ctx, const char *text)
{
	const char ***next = ctx;

	assert_string_equal(text, **next);
	(*next)++;
}

static void test_dump(void **state)
{
	static const char *const lines[] = {
		"0x10000000..0x10000fff -> 0x10000000 rw- io 4K×1",
		"0x80000000..0xbfffffff -> 0x100000000 rwx 1G×1",
		"0xc0000000..0xc05fffff -> 0x140000000 rwx 2M×3",
		"0xc0600000..0xc060ffff -> 0x140600000 rwx 64K×1",
		"0xc0610000..0xc0611fff -> 0x140610000 r-- 4K×2",
		NULL,
	};
	const char *const *next = lines;
	struct ptable pt;

	(void)state;
	pt_make(&pt, &ptable_sv39x4, true, 30);
	assert_int_equal(ptable_map(&pt, 0x10000000, 0x10000000, KIB(4), IO), 0);
	assert_int_equal(ptable_map(&pt, GIB(2), GIB(4), GIB(1) + MIB(6) + KIB(64), RWX), 0);
	assert_int_equal(ptable_map(&pt, 0xc0610000, 0x140610000, KIB(8), RO), 0);
	ptable_dump(&pt, expect_line, &next);
	assert_null(*next);
	pt_end(&pt);
}

static void test_audit(void **state)
{
	struct page_span memory = { RAM_BASE, MIB(64) };
	struct ptable_run bad;
	struct ptable pt;
	hpa_t mine, other;

	(void)state;
	sim_ram_init(RAM_BASE, MIB(64));
	assert_int_equal(page_init(&memory, 1, NULL, 0, NULL, 0), 0);
	assert_int_equal(ptable_init(&pt, &ptable_sv39x4, &ptable_pages, NULL, true, 30), 0);
	assert_true(IS_ALIGNED(pt.root.v, KIB(16)));
	assert_int_equal(page_owner(pt.root), OWNER_HV);
	assert_int_equal(page_alloc(MIB(2), MIB(2), OWNER_VM(1), &mine), 0);
	assert_int_equal(page_alloc(KIB(8), KIB(4), OWNER_VM(2), &other), 0);
	assert_int_equal(page_claim_device(HPA(0x10000000), KIB(4), OWNER_VM(1)), 0);
	assert_int_equal(ptable_map(&pt, GIB(2), mine.v, MIB(2), RWX), 0);
	assert_int_equal(ptable_map(&pt, 0x10000000, 0x10000000, KIB(4), IO), 0);
	assert_int_equal(ptable_audit(&pt, OWNER_VM(1), &bad), 0);

	assert_int_equal(ptable_map(&pt, GIB(3), other.v, KIB(8), RO), 0);
	assert_int_equal(ptable_audit(&pt, OWNER_VM(1), &bad), -EFAULT);
	assert_int_equal(bad.va, GIB(3));
	assert_int_equal(bad.pa, other.v);
	assert_int_equal(page_share(other, KIB(4), OWNER_VM(2), OWNER_VM(1)), 0);
	assert_int_equal(ptable_audit(&pt, OWNER_VM(1), &bad), -EFAULT);
	assert_int_equal(ptable_unmap(&pt, GIB(3) + KIB(4), KIB(4)), 0);
	assert_int_equal(ptable_audit(&pt, OWNER_VM(1), &bad), 0);

	assert_int_equal(ptable_map(&pt, GIB(4), pt.root.v, KIB(16), RWX), 0);
	assert_int_equal(ptable_audit(&pt, OWNER_VM(1), &bad), -EFAULT);
	ptable_destroy(&pt);
	page_free(mine, MIB(2), OWNER_VM(1));
	page_unshare(other, KIB(4), OWNER_VM(2), OWNER_VM(1));
	page_free(other, KIB(8), OWNER_VM(2));
	page_free_device(HPA(0x10000000), KIB(4), OWNER_VM(1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_tiny),
		cmocka_unit_test(test_random_napot),
		cmocka_unit_test(test_random_real),
		cmocka_unit_test(test_largest_leaf),
		cmocka_unit_test(test_split_and_protect),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_every_moment),
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_gstage),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_audit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
