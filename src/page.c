/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page allocator: which free pages to hand out, and scrubbing those that come back. Searches
 * walk the free counts of the ownership table from GiB to 2 MiB to pages; the table itself is
 * owner.c's. Memory is zeroed outside of the lock: it has its owner already.
 */
#include <hv/page.h>

#include <hv/cache.h>
#include <hv/check.h>
#include <hv/errno.h>
#include <hv/owner.h>
#include <hv/pa.h>
#include <hv/string.h>

/* A place found: frames of one region; frame 0 is never handed out and means none. */
struct place {
	struct owner_region *region;
	u64 frame;
};

static u64 region_end(const struct owner_region *region)
{
	return region->first + region->frames;
}

static bool range_malformed(u64 base, u64 size)
{
	return !range_valid(base, size) || !IS_ALIGNED(base | size, PAGE_SIZE);
}

static void take_locked(const struct place *place, u64 n, owner_t owner)
{
	CHECK(owner == OWNER_HV || owner >= OWNER_VM(0));
	owner_change(place->region, place->frame, n, OWNER_FREE, OWNER_WORD(owner, 0));
}

/* --- Contiguous runs, from the bottom ------------------------------------------------------- */

/* The first frame of [frame, end) that is not free; end: all are. Whole free chunks are skipped. */
static u64 first_taken(const struct owner_region *region, u64 frame, u64 end)
{
	while (frame < end) {
		u64 next = MIN(ALIGN_DOWN(frame, CHUNK_FRAMES) + CHUNK_FRAMES, end);
		u64 free = region->chunk_free[owner_chunk(region, frame)];

		if (free < CHUNK_FRAMES) {
			u64 run = owner_run(region, frame, next - frame, OWNER_FREE);

			if (run < next - frame)
				return frame + run;
		}
		frame = next;
	}
	return end;
}

/* From frame on, skip chunks without a free frame. */
static u64 skip_full(const struct owner_region *region, u64 frame)
{
	while (frame < region_end(region) && !region->chunk_free[owner_chunk(region, frame)])
		frame = ALIGN_DOWN(frame, CHUNK_FRAMES) + CHUNK_FRAMES;
	return frame;
}

static u64 find_run(const struct owner_region *region, u64 n, u64 align)
{
	u64 end = region_end(region);
	u64 frame = ALIGN_UP(skip_full(region, region->first), align);

	while (frame < end && n <= end - frame) {
		u64 taken = first_taken(region, frame, frame + n);

		if (taken == frame + n)
			return frame;
		frame = ALIGN_UP(skip_full(region, taken + 1), align);
	}
	return 0;
}

static struct place find_lowest(u64 n, u64 align)
{
	struct place place = { .frame = 0 };

	for (u32 i = 0; i < owners.regions && !place.frame; i++) {
		place.region = &owners.region[i];
		place.frame = find_run(place.region, n, align);
	}
	return place;
}

int page_alloc(u64 size, u64 align, owner_t owner, hpa_t *out)
{
	struct place place;

	if (range_malformed(0, size) || align < PAGE_SIZE || (align & (align - 1)))
		return -EINVAL;
	spin_lock(&owners.lock);
	place = find_lowest(size >> PAGE_SHIFT, align >> PAGE_SHIFT);
	if (place.frame)
		take_locked(&place, size >> PAGE_SHIFT, owner);
	spin_unlock(&owners.lock);
	if (!place.frame)
		return -ENOMEM;
	*out = HPA(place.frame << PAGE_SHIFT);
	memset(pa_ptr(*out), 0, size);
	return 0;
}

/* --- Blocks for VMs, from the top ----------------------------------------------------------- */

/* log2 frames of the blocks: 1 GiB, 2 MiB, 64 KiB, 4 KiB */
static const u8 block_shift[] = { GIGA_SHIFT, CHUNK_SHIFT, 4, 0 };

/*
 * How unbroken the memory is that a search may break, so that small blocks come out of broken
 * large ones as long as there are any.
 */
enum thrift { BREAK_NOTHING, BREAK_CHUNK, BREAK_GIGA };

/* A naturally aligned free block inside the chunk that begins at frame (frames of 2 MiB). */
static u64 find_in_chunk(const struct owner_region *region, u64 frame, u64 n, enum thrift thrift)
{
	u64 free = region->chunk_free[owner_chunk(region, frame)];
	u64 end = MIN(ALIGN_DOWN(frame, CHUNK_FRAMES) + CHUNK_FRAMES, region_end(region));

	if (free < n || (thrift == BREAK_NOTHING && n < CHUNK_FRAMES && free == CHUNK_FRAMES))
		return 0;
	for (frame = ALIGN_UP(frame, n); frame + n <= end; frame += n) {
		if (owner_run(region, frame, n, OWNER_FREE) == n)
			return frame;
	}
	return 0;
}

/* As find_in_chunk(), upwards in the GiB that begins at frame. */
static u64 find_in_giga(const struct owner_region *region, u64 frame, u64 n, enum thrift thrift)
{
	u64 free = region->giga_free[owner_giga(region, frame)];
	u64 end = MIN(ALIGN_DOWN(frame, GIGA_FRAMES) + GIGA_FRAMES, region_end(region));
	u64 found = 0;

	if (free < n || (thrift < BREAK_GIGA && n < GIGA_FRAMES && free == GIGA_FRAMES))
		return 0;
	if (n == GIGA_FRAMES)
		return IS_ALIGNED(frame, GIGA_FRAMES) ? frame : 0;
	while (frame < end && !found) {
		found = find_in_chunk(region, frame, n, thrift);
		frame = ALIGN_DOWN(frame, CHUNK_FRAMES) + CHUNK_FRAMES;
	}
	return found;
}

static u64 find_in_region(const struct owner_region *region, u64 floor, u64 n, enum thrift thrift)
{
	u64 first = MAX(region->first, floor);
	u64 giga = ALIGN_DOWN(region_end(region) - 1, GIGA_FRAMES);

	for (;;) {
		u64 found = find_in_giga(region, MAX(giga, first), n, thrift);

		if (found || giga <= first)
			return found;
		giga -= GIGA_FRAMES;
	}
}

static struct place find_highest(u64 floor, u64 n)
{
	struct place place = { .frame = 0 };

	for (enum thrift thrift = BREAK_NOTHING; thrift <= BREAK_GIGA; thrift++) {
		for (u32 i = owners.regions; i-- > 0;) {
			place.region = &owners.region[i];
			if (region_end(place.region) <= floor)
				continue;
			place.frame = find_in_region(place.region, floor, n, thrift);
			if (place.frame)
				return place;
		}
	}
	return place;
}

/*
 * The chunk behind the last one, in the same GiB: where a search would come too, past all the
 * chunks that it has taken before.
 */
static struct place find_next_chunk(u64 floor)
{
	struct owner_region *region = owners.last_region;
	u64 frame = owners.last_chunk + CHUNK_FRAMES;

	if (!region || frame < floor || IS_ALIGNED(frame, GIGA_FRAMES) ||
	    frame >= region_end(region) ||
	    region->chunk_free[owner_chunk(region, frame)] < CHUNK_FRAMES)
		return (struct place){ .frame = 0 };
	return (struct place){ region, frame };
}

static struct place find_chunk(u64 floor)
{
	struct place place = find_next_chunk(floor);

	if (!place.frame)
		place = find_highest(floor, CHUNK_FRAMES);
	owners.last_region = place.frame ? place.region : NULL;
	owners.last_chunk = place.frame;
	return place;
}

/* The largest block of at most max frames from floor on; *n gets its size. */
static struct place find_block(u64 floor, u64 max, u64 *n)
{
	struct place place = { .frame = 0 };

	for (u32 i = 0; i < ARRAY_SIZE(block_shift) && !place.frame; i++) {
		*n = (u64)1 << block_shift[i];
		if (*n <= max)
			place = *n == CHUNK_FRAMES ? find_chunk(floor) : find_highest(floor, *n);
	}
	return place;
}

int page_alloc_block_above(u64 floor, u64 max, owner_t owner, hpa_t *out, u64 *size)
{
	struct place place;
	u64 n;

	if (max < PAGE_SIZE || !IS_ALIGNED(floor, PAGE_SIZE))
		return -EINVAL;
	spin_lock(&owners.lock);
	place = find_block(floor >> PAGE_SHIFT, max >> PAGE_SHIFT, &n);
	if (place.frame)
		take_locked(&place, n, owner);
	spin_unlock(&owners.lock);
	if (!place.frame)
		return -ENOMEM;
	*out = HPA(place.frame << PAGE_SHIFT);
	*size = n << PAGE_SHIFT;
	return 0;
}

/* --- Given ranges --------------------------------------------------------------------------- */

int page_claim(hpa_t base, u64 size, owner_t owner)
{
	struct place place = { .frame = base.v >> PAGE_SHIFT };
	u64 n = size >> PAGE_SHIFT;
	bool free;

	if (range_malformed(base.v, size))
		return -EINVAL;
	place.region = owner_region(place.frame, n);
	if (!place.region)
		return -EBUSY;
	spin_lock(&owners.lock);
	free = owner_run(place.region, place.frame, n, OWNER_FREE) == n;
	if (free)
		take_locked(&place, n, owner);
	spin_unlock(&owners.lock);
	return free ? 0 : -EBUSY;
}

static void change(struct owner_region *region, u64 frame, u64 n, owner_t from, owner_t to)
{
	spin_lock(&owners.lock);
	owner_change(region, frame, n, OWNER_WORD(from, 0), OWNER_WORD(to, 0));
	spin_unlock(&owners.lock);
}

void page_free(hpa_t base, u64 size, owner_t owner)
{
	u64 frame = base.v >> PAGE_SHIFT;
	u64 n = size >> PAGE_SHIFT;
	struct owner_region *region = owner_region(frame, n);

	CHECK(region && !range_malformed(base.v, size));
	CHECK(owner == OWNER_HV || owner >= OWNER_VM(0));
	change(region, frame, n, owner, OWNER_SCRUB);
	page_clear(base, size);
	change(region, frame, n, OWNER_SCRUB, OWNER_FREE);
}

/* --- Blocks of VMs -------------------------------------------------------------------------- */

u64 page_clear_ahead(hpa_t at)
{
	u64 frame = at.v >> PAGE_SHIFT;
	const struct owner_region *region = owner_region(frame, 1);

	if (!region ||
	    !__atomic_load_n(&region->chunk_clear[owner_chunk(region, frame)], __ATOMIC_RELAXED))
		return 0;
	return (ALIGN_DOWN(frame, CHUNK_FRAMES) + CHUNK_FRAMES - frame) << PAGE_SHIFT;
}

void page_clear(hpa_t base, u64 size)
{
	memset(pa_ptr(base), 0, size);
	arch_cache_flush(pa_ptr(base), size);
}

void page_give_back(hpa_t base, u64 size, owner_t owner, bool clear)
{
	u64 frame = base.v >> PAGE_SHIFT;
	u64 n = size >> PAGE_SHIFT;
	struct owner_region *region = owner_region(frame, n);

	CHECK(region && !range_malformed(base.v, size) && owner >= OWNER_VM(0));
	change(region, frame, n, owner, OWNER_FREE);
	for (u64 at = ALIGN_UP(frame, CHUNK_FRAMES); clear && at + CHUNK_FRAMES <= frame + n;
	     at += CHUNK_FRAMES)
		__atomic_store_n(&region->chunk_clear[owner_chunk(region, at)], 1,
				 __ATOMIC_RELAXED);
}
