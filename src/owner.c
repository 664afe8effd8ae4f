/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ownership table: who owns each page of RAM, and with whom it is shared. The allocator
 * (page.c) decides which pages change hands; this file makes the change and answers questions.
 */
#include <hv/owner.h>

#include <hv/check.h>
#include <hv/errno.h>

struct owner_table owners;

struct owner_region *owner_region(u64 frame, u64 n)
{
	for (u32 i = 0; i < owners.regions; i++) {
		struct owner_region *region = &owners.region[i];

		if (range_inside(frame, n, region->first, region->frames))
			return region;
	}
	return NULL;
}

/* How many of the n frames from frame on have its word, as far as is known at once. */
static u64 alike(const struct owner_region *region, u64 frame, u64 n)
{
	u64 left = CHUNK_FRAMES - frame % CHUNK_FRAMES;

	return __atomic_load_n(&region->chunk_word[owner_chunk(region, frame)],
			       __ATOMIC_ACQUIRE) ? MIN(left, n) : 1;
}

u64 owner_run(const struct owner_region *region, u64 frame, u64 n, u32 word)
{
	u64 run = 0;

	while (run < n && owner_word(region, frame + run) == word)
		run += alike(region, frame + run, n - run);
	return run;
}

/* Frames of one chunk leave (free: false) or enter the free ones. */
static void count_free(struct owner_region *region, u64 frame, u64 n, bool free)
{
	u16 *chunk = &region->chunk_free[owner_chunk(region, frame)];
	u32 *giga = &region->giga_free[owner_giga(region, frame)];

	*chunk = (u16)(free ? *chunk + n : *chunk - n);
	*giga = (u32)(free ? *giga + n : *giga - n);
	owners.count.free = free ? owners.count.free + n : owners.count.free - n;
}

static void set_words(struct owner_region *region, u64 frame, u64 n, u32 word)
{
	for (u64 i = frame - region->first; n; i++, n--)
		__atomic_store_n(&region->word[i], word, __ATOMIC_RELAXED);
}

/* From now on the frames of this one's chunk, which all have the word `all`, have their own. */
static void divide(struct owner_region *region, u64 frame, u32 all)
{
	if (!all)
		return;
	set_words(region, ALIGN_DOWN(frame, CHUNK_FRAMES), CHUNK_FRAMES, all);
	__atomic_store_n(&region->chunk_word[owner_chunk(region, frame)], 0, __ATOMIC_RELEASE);
}

static void change_in_chunk(struct owner_region *region, u64 frame, u64 n, u32 from, u32 to)
{
	u32 *all = &region->chunk_word[owner_chunk(region, frame)];

	if (n == CHUNK_FRAMES && to) {
		__atomic_store_n(all, to, __ATOMIC_RELEASE);
	} else {
		divide(region, frame, *all);
		set_words(region, frame, n, to);
	}
	if (from == OWNER_FREE)
		count_free(region, frame, n, false);
	if (to == OWNER_FREE)
		count_free(region, frame, n, true);
}

void owner_change(struct owner_region *region, u64 frame, u64 n, u32 from, u32 to)
{
	ASSERT(spin_is_locked(&owners.lock));
	CHECK(range_inside(frame, n, region->first, region->frames));
	CHECK(owner_run(region, frame, n, from) == n);
	if (WORD_OWNER(from) == OWNER_HV)
		owners.count.hv -= n;
	if (WORD_OWNER(to) == OWNER_HV)
		owners.count.hv += n;
	for (u64 end = frame + n, next; frame < end; frame = next) {
		next = MIN(ALIGN_DOWN(frame, CHUNK_FRAMES) + CHUNK_FRAMES, end);
		change_in_chunk(region, frame, next - frame, from, to);
	}
}

/* --- Sharing -------------------------------------------------------------------------------- */

static int share_refused(const struct owner_region *region, u64 frame, u64 n, owner_t owner)
{
	int ret = 0;

	for (u64 i = 0; i < n; i += alike(region, frame + i, n - i)) {
		u32 word = owner_word(region, frame + i);

		if (WORD_OWNER(word) != owner)
			return -EPERM;
		if (WORD_SHARED(word))
			ret = -EBUSY;
	}
	return ret;
}

int page_share(hpa_t base, u64 size, owner_t owner, owner_t with)
{
	u64 frame = base.v >> PAGE_SHIFT;
	u64 n = size >> PAGE_SHIFT;
	struct owner_region *region;
	int ret;

	if (!range_valid(base.v, size) || !IS_ALIGNED(base.v | size, PAGE_SIZE))
		return -EINVAL;
	region = owner_region(frame, n);
	if (!region || owner == with || owner < OWNER_HV || with < OWNER_HV)
		return -EPERM;
	spin_lock(&owners.lock);
	ret = share_refused(region, frame, n, owner);
	if (!ret)
		owner_change(region, frame, n, OWNER_WORD(owner, 0), OWNER_WORD(owner, with));
	spin_unlock(&owners.lock);
	return ret;
}

void page_unshare(hpa_t base, u64 size, owner_t owner, owner_t with)
{
	u64 frame = base.v >> PAGE_SHIFT;
	u64 n = size >> PAGE_SHIFT;
	struct owner_region *region = owner_region(frame, n);

	CHECK(region && with && IS_ALIGNED(base.v | size, PAGE_SIZE));
	spin_lock(&owners.lock);
	owner_change(region, frame, n, OWNER_WORD(owner, with), OWNER_WORD(owner, 0));
	spin_unlock(&owners.lock);
}

/* --- Device memory -------------------------------------------------------------------------- */

/*
 * A claim on addresses that are no RAM; owner 0: the slot is empty. One that is lent lies inside a
 * claim of Shyper's, and counts for more. All under owners.lock.
 */
struct device_claim {
	u64 base;
	u64 size;
	owner_t owner;
	bool lent;
};

static struct device_claim devices[PAGE_DEVICES];

static bool touches_ram(u64 base, u64 size)
{
	for (u32 i = 0; i < owners.regions; i++) {
		const struct owner_region *region = &owners.region[i];

		if (range_overlaps(base, size, region->first << PAGE_SHIFT,
				   region->frames << PAGE_SHIFT))
			return true;
	}
	return false;
}

static bool overlaps_device(const struct device_claim *device, u64 base, u64 size)
{
	return device->owner && range_overlaps(base, size, device->base, device->size);
}

static int device_add(const struct device_claim *claim)
{
	for (u32 i = 0; i < PAGE_DEVICES; i++) {
		if (!devices[i].owner) {
			devices[i] = *claim;
			return 0;
		}
	}
	return -ENOMEM;
}

static int device_claim_locked(u64 base, u64 size, owner_t owner)
{
	for (u32 i = 0; i < PAGE_DEVICES; i++)
		if (overlaps_device(&devices[i], base, size))
			return -EBUSY;
	return device_add(&(struct device_claim){ .base = base, .size = size, .owner = owner });
}

static int device_lend_locked(u64 base, u64 size, owner_t to)
{
	bool found = false;

	for (u32 i = 0; i < PAGE_DEVICES; i++) {
		const struct device_claim *device = &devices[i];

		if (!overlaps_device(device, base, size))
			continue;
		if (device->lent || device->owner != OWNER_HV ||
		    !range_inside(base, size, device->base, device->size))
			return -EBUSY;
		found = true;
	}
	if (!found)
		return -EBUSY;
	return device_add(&(struct device_claim){ base, size, to, true });
}

int page_lend_device(hpa_t base, u64 size, owner_t to)
{
	int ret;

	CHECK(to >= OWNER_VM(0) && IS_ALIGNED(base.v | size, PAGE_SIZE));
	spin_lock(&owners.lock);
	ret = device_lend_locked(base.v, size, to);
	spin_unlock(&owners.lock);
	return ret;
}

int page_claim_device(hpa_t base, u64 size, owner_t owner)
{
	int ret;

	CHECK(owner == OWNER_HV || owner >= OWNER_VM(0));
	if (!range_valid(base.v, size) || !IS_ALIGNED(base.v | size, PAGE_SIZE))
		return -EINVAL;
	if (touches_ram(base.v, size))
		return -EBUSY;
	spin_lock(&owners.lock);
	ret = device_claim_locked(base.v, size, owner);
	spin_unlock(&owners.lock);
	return ret;
}

static void device_remove(const struct device_claim *claim)
{
	bool found = false;

	CHECK(claim->owner);
	spin_lock(&owners.lock);
	for (u32 i = 0; i < PAGE_DEVICES && !found; i++) {
		struct device_claim *device = &devices[i];

		found = device->base == claim->base && device->size == claim->size &&
			device->owner == claim->owner && device->lent == claim->lent;
		if (found)
			device->owner = OWNER_ABSENT;
	}
	spin_unlock(&owners.lock);
	CHECK(found);
}

void page_free_device(hpa_t base, u64 size, owner_t owner)
{
	device_remove(&(struct device_claim){ base.v, size, owner, false });
}

void page_return_device(hpa_t base, u64 size, owner_t from)
{
	device_remove(&(struct device_claim){ base.v, size, from, true });
}

/* The owner of device memory around addr, and how many bytes from addr on are its. */
static owner_t device_owner(u64 addr, u64 *left)
{
	owner_t owner = OWNER_ABSENT;
	u64 next_lent = UINT64_MAX;
	bool lent = false;

	spin_lock(&owners.lock);
	for (u32 i = 0; i < PAGE_DEVICES; i++) {
		const struct device_claim *device = &devices[i];

		if (device->owner && device->lent && device->base > addr)
			next_lent = MIN(next_lent, device->base);
		if (device->owner && addr - device->base < device->size && !lent) {
			owner = device->owner;
			lent = device->lent;
			*left = device->size - (addr - device->base);
		}
	}
	spin_unlock(&owners.lock);
	if (owner && next_lent - addr < *left)
		*left = next_lent - addr;
	return owner;
}

/* --- Questions ------------------------------------------------------------------------------ */

owner_t page_owner(hpa_t addr)
{
	const struct owner_region *region = owner_region(addr.v >> PAGE_SHIFT, 1);
	u64 left;

	if (region)
		return WORD_OWNER(owner_word(region, addr.v >> PAGE_SHIFT));
	return device_owner(addr.v, &left);
}

static bool device_access_all(u64 base, u64 size, owner_t owner)
{
	for (u64 left; size; base += left, size -= left) {
		if (device_owner(base, &left) != owner)
			return false;
		left = MIN(left, size);
	}
	return true;
}

bool page_may_access_all(hpa_t base, u64 size, owner_t owner)
{
	u64 frame = base.v >> PAGE_SHIFT;
	const struct owner_region *region;
	u64 n;

	if (!range_valid(base.v, size) || owner < OWNER_HV)
		return false;
	n = ((base.v + (size - 1)) >> PAGE_SHIFT) - frame + 1;
	region = owner_region(frame, n);
	if (!region)
		return device_access_all(base.v, size, owner);
	for (u64 i = 0; i < n; i += alike(region, frame + i, n - i)) {
		u32 word = owner_word(region, frame + i);

		if (WORD_OWNER(word) != owner && WORD_SHARED(word) != owner)
			return false;
	}
	return true;
}

bool page_may_access(hpa_t addr, owner_t owner)
{
	return page_may_access_all(addr, 1, owner);
}

void page_count(struct page_counts *counts)
{
	spin_lock(&owners.lock);
	*counts = owners.count;
	spin_unlock(&owners.lock);
}

u64 page_count_owner(owner_t owner)
{
	u64 pages = 0;

	for (u32 r = 0; r < owners.regions; r++) {
		const struct owner_region *region = &owners.region[r];

		for (u64 i = 0; i < region->frames; i++)
			pages += WORD_OWNER(owner_word(region, region->first + i)) == owner;
	}
	return pages;
}
