/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest physical memory map: one sorted array of blocks. Adding makes room in the array first,
 * so that what was allocated always finds its place.
 */
#include <hv/gmap.h>

#include <hv/check.h>
#include <hv/errno.h>
#include <hv/fiber.h>
#include <hv/pa.h>
#include <hv/string.h>

#define RELEASE_STEP MIB(2)	/* the owner of as much is changed at once */

void gmap_init(struct gmap *gmap, owner_t owner)
{
	*gmap = (struct gmap){ .owner = owner };
}

/* --- The array ------------------------------------------------------------------------------ */

/* The number of blocks that end at or before gpa: where gpa is, or would be inserted. */
static u32 position(const struct gmap *gmap, u64 gpa)
{
	u32 low = 0, high = gmap->count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;
		const struct gmap_block *block = &gmap->block[middle];

		if (block->gpa + block->size <= gpa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static u64 array_bytes(u32 room)
{
	return ALIGN_UP(room * sizeof(struct gmap_block), PAGE_SIZE);
}

static void array_free(struct gmap *gmap)
{
	if (gmap->room)
		page_free(ptr_pa(gmap->block), array_bytes(gmap->room), OWNER_HV);
	gmap->block = NULL;
	gmap->room = 0;
}

/* Room for one block more; the array doubles when it is full. */
static int array_grow(struct gmap *gmap)
{
	u64 bytes = gmap->room ? 2 * array_bytes(gmap->room) : PAGE_SIZE;
	u32 count = gmap->count;
	hpa_t store;
	int ret;

	if (count < gmap->room)
		return 0;
	ret = page_alloc(bytes, PAGE_SIZE, OWNER_HV, &store);
	if (ret)
		return ret;
	if (count)
		memcpy(pa_ptr(store), gmap->block, count * sizeof(*gmap->block));
	array_free(gmap);
	gmap->block = pa_ptr(store);
	gmap->room = (u32)(bytes / sizeof(*gmap->block));
	return 0;
}

/* There is room, and nothing overlaps. */
static void array_insert(struct gmap *gmap, const struct gmap_block *block)
{
	u32 at = position(gmap, block->gpa);

	CHECK(gmap->count < gmap->room);
	memmove(&gmap->block[at + 1], &gmap->block[at],
		(gmap->count - at) * sizeof(*gmap->block));
	gmap->block[at] = *block;
	gmap->count++;
	if (block->kind == GMAP_RAM)
		gmap->ram += block->size;
}

static int range_refused(const struct gmap *gmap, u64 gpa, u64 size)
{
	u32 at;

	if (!range_inside(gpa, size, 0, GMAP_END) || !IS_ALIGNED(gpa | size, PAGE_SIZE))
		return -EINVAL;
	at = position(gmap, gpa);
	return at < gmap->count && gmap->block[at].gpa < gpa + size ? -EEXIST : 0;
}

/* --- Adding and releasing ------------------------------------------------------------------- */

static void block_release(const struct gmap *gmap, const struct gmap_block *block)
{
	if (block->kind != GMAP_RAM) {
		page_free_device(HPA(block->hpa), block->size, gmap->owner);
		return;
	}
	for (u64 at = 0, n; at < block->size; at += n) {
		n = MIN(block->size - at, RELEASE_STEP);
		page_give_back(HPA(block->hpa + at), n, gmap->owner, gmap_is_clear(gmap));
		fiber_breathe();
	}
}

/* The largest block that may begin at gpa, when left bytes are missing. */
static u64 block_max(u64 gpa, u64 left)
{
	static const u8 shift[] = { 30, 21, 16 };

	for (u32 i = 0; i < ARRAY_SIZE(shift); i++) {
		if (IS_ALIGNED(gpa, BIT(shift[i])) && left >= BIT(shift[i]))
			return BIT(shift[i]);
	}
	return PAGE_SIZE;
}

/* Append to the block before when it continues that one, but to none of an earlier call. */
static void ram_insert(struct gmap *gmap, const struct gmap_block *block, u64 begin)
{
	u32 at = position(gmap, block->gpa);
	struct gmap_block *before = at ? &gmap->block[at - 1] : NULL;

	if (before && before->gpa >= begin && before->gpa + before->size == block->gpa &&
	    before->hpa + before->size == block->hpa) {
		before->size += block->size;
		gmap->ram += block->size;
	} else {
		array_insert(gmap, block);
	}
}

static int ram_add_block(struct gmap *gmap, u64 gpa, u64 begin, u64 left, u64 *size)
{
	struct gmap_block block = { .gpa = gpa, .kind = GMAP_RAM };
	hpa_t hpa;
	int ret = array_grow(gmap);

	if (!ret)
		ret = page_alloc_block_above(gmap->floor, block_max(gpa, left), gmap->owner, &hpa,
					     &block.size);
	if (ret)
		return ret;
	block.hpa = hpa.v;
	*size = block.size;
	ram_insert(gmap, &block, begin);
	return 0;
}

/* Undo what one gmap_add_ram() has inserted from gpa on. */
static void ram_undo(struct gmap *gmap, u64 gpa, u64 end)
{
	u32 first = position(gmap, gpa);
	u32 behind = first;

	for (; behind < gmap->count && gmap->block[behind].gpa < end; behind++) {
		gmap->ram -= gmap->block[behind].size;
		block_release(gmap, &gmap->block[behind]);
	}
	if (behind != first)
		memmove(&gmap->block[first], &gmap->block[behind],
			(gmap->count - behind) * sizeof(*gmap->block));
	gmap->count -= behind - first;
}

int gmap_add_ram(struct gmap *gmap, gpa_t gpa, u64 size)
{
	struct page_counts counts;
	int ret = range_refused(gmap, gpa.v, size);
	u64 step;

	if (ret)
		return ret;
	page_count(&counts);
	if (counts.free < size >> PAGE_SHIFT)
		return -ENOMEM;
	for (u64 done = 0; done < size; done += step) {
		ret = ram_add_block(gmap, gpa.v + done, gpa.v, size - done, &step);
		if (ret) {
			ram_undo(gmap, gpa.v, gpa.v + done);
			return ret;
		}
	}
	return 0;
}

int gmap_add_identity(struct gmap *gmap, gpa_t gpa, u64 size)
{
	struct gmap_block block = { .gpa = gpa.v, .hpa = gpa.v, .size = size, .kind = GMAP_RAM };
	int ret = range_refused(gmap, gpa.v, size);

	if (!ret)
		ret = array_grow(gmap);
	if (!ret)
		ret = page_claim(HPA(gpa.v), size, gmap->owner);
	if (!ret)
		array_insert(gmap, &block);
	return ret;
}

int gmap_add_device(struct gmap *gmap, gpa_t gpa, hpa_t hpa, u64 size)
{
	struct gmap_block block = { gpa.v, hpa.v, size, GMAP_DEVICE };
	int ret = range_refused(gmap, block.gpa, block.size);

	if (!ret)
		ret = array_grow(gmap);
	if (!ret)
		ret = page_claim_device(HPA(block.hpa), block.size, gmap->owner);
	if (!ret)
		array_insert(gmap, &block);
	return ret;
}

/* --- Clearing ------------------------------------------------------------------------------- */

void gmap_soil(struct gmap *gmap)
{
	gmap->used = true;
	gmap->clear_block = 0;
	gmap->clear_offset = 0;
}

bool gmap_is_clear(const struct gmap *gmap)
{
	return !gmap->used && gmap->count && gmap->clear_block == gmap->count;
}

bool gmap_clear_step(struct gmap *gmap)
{
	while (gmap->clear_block < gmap->count) {
		const struct gmap_block *block = &gmap->block[gmap->clear_block];
		u64 left = block->kind == GMAP_RAM ? block->size - gmap->clear_offset : 0;
		hpa_t at = HPA(block->hpa + gmap->clear_offset);
		u64 ahead;

		if (left) {
			ahead = gmap->used ? 0 : page_clear_ahead(at);
			if (!ahead)
				page_clear(at, PAGE_SIZE);
			gmap->clear_offset += MIN(left, MAX(ahead, PAGE_SIZE));
			return true;
		}
		gmap->clear_block++;
		gmap->clear_offset = 0;
	}
	gmap->used = false;
	return false;
}

void gmap_release(struct gmap *gmap)
{
	const struct gmap_block *block;

	/* Nobody gets what another has left. */
	CHECK(!gmap->used);
	gmap_for_each(gmap, block)
		block_release(gmap, block);
	array_free(gmap);
	gmap_init(gmap, gmap->owner);
}

struct gmap_shortage gmap_shortage(u64 size)
{
	struct page_counts counts;

	page_count(&counts);
	return (struct gmap_shortage){
		.needs_mib = size / MIB(1) + (size % MIB(1) != 0),
		.free_mib = counts.free * PAGE_SIZE / MIB(1),
	};
}

/* --- Reading the map ------------------------------------------------------------------------ */

const struct gmap_block *gmap_find(const struct gmap *gmap, gpa_t gpa)
{
	u32 at = position(gmap, gpa.v);

	return at < gmap->count && gmap->block[at].gpa <= gpa.v ? &gmap->block[at] : NULL;
}

u64 gmap_top(const struct gmap *gmap)
{
	const struct gmap_block *last;

	if (!gmap->count)
		return 0;
	last = &gmap->block[gmap->count - 1];
	return last->gpa + last->size;
}

u8 *gmap_ram_piece(const struct gmap *gmap, gpa_t gpa, u64 len, u64 *n)
{
	const struct gmap_block *block = gmap_find(gmap, gpa);
	u64 offset;

	if (!block || block->kind != GMAP_RAM)
		return NULL;
	offset = gpa.v - block->gpa;
	*n = MIN(len, block->size - offset);
	return (u8 *)pa_ptr(HPA(block->hpa)) + offset;
}

bool gmap_is_ram(const struct gmap *gmap, gpa_t gpa, u64 len)
{
	/* A range that wraps ends here too: nothing lies above GMAP_END. */
	for (u64 at = gpa.v, n; len; at += n, len -= n) {
		if (!gmap_ram_piece(gmap, GPA(at), len, &n))
			return false;
	}
	return true;
}

void *gmap_ram_ptr(const struct gmap *gmap, gpa_t gpa, u64 len)
{
	u64 done;
	u8 *ptr = len ? gmap_ram_piece(gmap, gpa, len, &done) : NULL;

	for (u64 n; ptr && done < len; done += n) {
		if (gmap_ram_piece(gmap, GPA(gpa.v + done), len - done, &n) != ptr + done)
			return NULL;
	}
	return ptr;
}

int gmap_read(const struct gmap *gmap, gpa_t gpa, void *buf, u64 len)
{
	u8 *to = buf;

	if (!gmap_is_ram(gmap, gpa, len))
		return -EFAULT;
	for (u64 done = 0, n; done < len; done += n) {
		const u8 *ram = gmap_ram_piece(gmap, GPA(gpa.v + done), len - done, &n);

		memcpy(to + done, ram, n);
	}
	return 0;
}

int gmap_write(const struct gmap *gmap, gpa_t gpa, const void *buf, u64 len)
{
	const u8 *from = buf;

	if (!gmap_is_ram(gmap, gpa, len))
		return -EFAULT;
	for (u64 done = 0, n; done < len; done += n) {
		u8 *ram = gmap_ram_piece(gmap, GPA(gpa.v + done), len - done, &n);

		memcpy(ram, from + done, n);
	}
	return 0;
}
