/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ownership table behind hv/page.h, for src/page*.c alone; everybody else uses hv/page.h.
 * One word per page frame says who owns it and with whom it is shared, or one for all frames of a
 * chunk of 2 MiB. Counts of free frames per chunk and per GiB of address space let the allocator
 * pass over what cannot fit.
 */
#ifndef HV_OWNER_H
#define HV_OWNER_H

#include <hv/page.h>
#include <hv/spinlock.h>
#include <hv/types.h>

#define CHUNK_SHIFT 9			/* log2 frames of a chunk: 2 MiB */
#define GIGA_SHIFT 18			/* log2 frames of a giga: 1 GiB */
#define CHUNK_FRAMES ((u64)1 << CHUNK_SHIFT)
#define GIGA_FRAMES ((u64)1 << GIGA_SHIFT)

/* The word of a frame. A frame's number is its address >> PAGE_SHIFT. */
#define OWNER_WORD(owner, shared) ((u32)(owner) | (u32)(shared) << 16)
#define WORD_OWNER(word) ((owner_t)(word))
#define WORD_SHARED(word) ((owner_t)((word) >> 16))	/* 0: with nobody */

/* One piece of RAM without holes. The pointers are fixed after page_init(). */
struct owner_region {
	u64 first;		/* frame number */
	u64 frames;
	u32 *word;		/* [frames]; read lock-free, written under the lock */
	u32 *chunk_word;	/* [chunks touched]: of all its frames, or 0: they have their own */
	u32 *giga_free;		/* [gigas touched]: free frames of each; under the lock */
	u16 *chunk_free;	/* [chunks touched]; under the lock */
	u8 *chunk_clear;	/* [chunks touched]: 1, for ever: all its free frames are zero */
};

struct owner_table {
	struct spinlock lock;
	u32 regions;				/* fixed after page_init() */
	struct owner_region region[PAGE_REGIONS];	/* by address */
	struct page_counts count;		/* under the lock */
	struct owner_region *last_region;	/* of page.c: where it found the last block … */
	u64 last_chunk;				/* … of 2 MiB; under the lock */
};

extern struct owner_table owners;

/* Indices into chunk_free and giga_free of the frame, which lies in the region or just behind. */
static inline u64 owner_chunk(const struct owner_region *region, u64 frame)
{
	return (frame >> CHUNK_SHIFT) - (region->first >> CHUNK_SHIFT);
}

static inline u64 owner_giga(const struct owner_region *region, u64 frame)
{
	return (frame >> GIGA_SHIFT) - (region->first >> GIGA_SHIFT);
}

/* owner_word() - the word of a frame of the region. Lock-free. */
static inline u32 owner_word(const struct owner_region *region, u64 frame)
{
	u32 all = __atomic_load_n(&region->chunk_word[owner_chunk(region, frame)],
				  __ATOMIC_ACQUIRE);

	return all ? all : __atomic_load_n(&region->word[frame - region->first], __ATOMIC_RELAXED);
}

/* owner_region() - the region that holds all of [frame, frame + n); NULL: none. Lock-free. */
struct owner_region *owner_region(u64 frame, u64 n);

/* owner_run() - how many of the n frames from frame on have this word, until one has not. */
u64 owner_run(const struct owner_region *region, u64 frame, u64 n, u32 word);

/*
 * owner_change() - the one function that changes owners: n frames go from one word to another, all
 * of which must have had the first (CHECK). The lock is held.
 */
void owner_change(struct owner_region *region, u64 frame, u64 n, u32 from, u32 to);

#endif
