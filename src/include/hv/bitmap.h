/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bitmaps: arrays of 64-bit words, bit n in word n / 64. The plain functions need the caller's
 * lock; the atomic ones may race with each other on any hart. Bits are not range-checked.
 */
#ifndef HV_BITMAP_H
#define HV_BITMAP_H

#include <hv/types.h>

#define BITMAP_WORDS(bits) (((bits) + 63) / 64)

static inline u64 bitmap_mask(u32 bit)
{
	return BIT(bit % 64);
}

static inline bool bitmap_test(const u64 *map, u32 bit)
{
	return (__atomic_load_n(&map[bit / 64], __ATOMIC_RELAXED) & bitmap_mask(bit)) != 0;
}

static inline void bitmap_set(u64 *map, u32 bit)
{
	map[bit / 64] |= bitmap_mask(bit);
}

static inline void bitmap_clear(u64 *map, u32 bit)
{
	map[bit / 64] &= ~bitmap_mask(bit);
}

static inline void bitmap_assign(u64 *map, u32 bit, bool value)
{
	if (value)
		bitmap_set(map, bit);
	else
		bitmap_clear(map, bit);
}

/* bitmap_find_next() - the first set bit at or above from; bits when there is none below bits. */
static inline u32 bitmap_find_next(const u64 *map, u32 bits, u32 from)
{
	for (u32 bit = from; bit < bits; bit = ALIGN_DOWN(bit, 64u) + 64) {
		u64 word = map[bit / 64] >> (bit % 64);

		if (word)
			return MIN(bit + (u32)__builtin_ctzll(word), bits);
	}
	return bits;
}

/* bitmap_find_first() - the first set bit; bits when there is none. */
static inline u32 bitmap_find_first(const u64 *map, u32 bits)
{
	return bitmap_find_next(map, bits, 0);
}

/* bitmap_find_zero() - the first clear bit; bits when there is none. */
static inline u32 bitmap_find_zero(const u64 *map, u32 bits)
{
	for (u32 bit = 0; bit < bits; bit += 64) {
		if (~map[bit / 64])
			return MIN(bit + (u32)__builtin_ctzll(~map[bit / 64]), bits);
	}
	return bits;
}

/*
 * bitmap_set_atomic(), bitmap_clear_atomic() - change one bit and return what it was. What was
 * written before is visible to a hart that sees the change.
 */
static inline bool bitmap_set_atomic(u64 *map, u32 bit)
{
	u64 mask = bitmap_mask(bit);

	return (__atomic_fetch_or(&map[bit / 64], mask, __ATOMIC_ACQ_REL) & mask) != 0;
}

static inline bool bitmap_clear_atomic(u64 *map, u32 bit)
{
	u64 mask = bitmap_mask(bit);

	return (__atomic_fetch_and(&map[bit / 64], ~mask, __ATOMIC_ACQ_REL) & mask) != 0;
}

#endif
