/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes over RAM at boot: sorts and joins the spans of memory, finds room for the ownership table,
 * fills it in by spans. Nothing is read from the memory itself, nor written but the table.
 */
#include <hv/page.h>

#include <hv/errno.h>
#include <hv/owner.h>
#include <hv/pa.h>
#include <hv/string.h>

#define ADDRESS_END BIT(56)	/* physical addresses of RISC-V have 56 bits */

/* Frames [first, end); empty when first >= end. */
struct frames {
	u64 first;
	u64 end;
};

static u64 span_end(const struct page_span *span)
{
	u64 end = span->base + span->size;

	return end < span->base ? ADDRESS_END : MIN(end, ADDRESS_END);
}

/* Whole frames inside the span, without frame 0: its pointer would be NULL. */
static struct frames frames_inside(const struct page_span *span)
{
	u64 end = span_end(span);
	struct frames in = { .end = end >> PAGE_SHIFT };

	in.first = MAX(ALIGN_UP(MIN(span->base, end), PAGE_SIZE) >> PAGE_SHIFT, 1);
	return in;
}

/* All frames that the span touches. */
static struct frames frames_around(const struct page_span *span)
{
	struct frames out = { .first = span->base >> PAGE_SHIFT };

	if (span->size)
		out.end = ALIGN_UP(span_end(span), PAGE_SIZE) >> PAGE_SHIFT;
	return out;
}

/* Join the frames with what they overlap or touch; keep the regions sorted. */
static int region_add(struct frames in)
{
	struct owner_region *region = owners.region;
	u32 keep = 0, at = 0;

	for (u32 i = 0; i < owners.regions; i++) {
		u64 end = region[i].first + region[i].frames;

		if (end < in.first || region[i].first > in.end) {
			at += end < in.first;
			region[keep++] = region[i];
		} else {
			in.first = MIN(in.first, region[i].first);
			in.end = MAX(in.end, end);
		}
	}
	owners.regions = keep;
	if (keep == PAGE_REGIONS)
		return -E2BIG;
	memmove(&region[at + 1], &region[at], (keep - at) * sizeof(*region));
	region[at] = (struct owner_region){ .first = in.first, .frames = in.end - in.first };
	owners.regions++;
	return 0;
}

static u64 chunks_of(const struct owner_region *region)
{
	return owner_chunk(region, region->first + region->frames - 1) + 1;
}

static u64 gigas_of(const struct owner_region *region)
{
	return owner_giga(region, region->first + region->frames - 1) + 1;
}

static u64 table_bytes(void)
{
	u64 bytes = 0;

	for (u32 i = 0; i < owners.regions; i++) {
		const struct owner_region *region = &owners.region[i];

		bytes += (region->frames + chunks_of(region) + gigas_of(region)) * sizeof(u32) +
			 ALIGN_UP(chunks_of(region), (u64)4) * (sizeof(u16) + sizeof(u8));
	}
	return ALIGN_UP(bytes, PAGE_SIZE);
}

/* The end of a span that touches [frame, frame + n), or 0. */
static u64 obstacle(const struct page_span *span, u32 spans, u64 frame, u64 n)
{
	for (u32 i = 0; i < spans; i++) {
		struct frames out = frames_around(&span[i]);

		if (out.first < frame + n && out.end > frame)
			return out.end;
	}
	return 0;
}

/* The lowest n frames of memory that neither list touches; 0: none. */
static u64 find_clear(u64 n, const struct page_span *reserved, u32 reserves,
		      const struct page_span *kept, u32 keeps)
{
	for (u32 i = 0; i < owners.regions; i++) {
		u64 frame = owners.region[i].first;
		u64 end = frame + owners.region[i].frames;
		u64 next;

		for (; frame < end && n <= end - frame; frame = next) {
			next = obstacle(reserved, reserves, frame, n);
			if (!next)
				next = obstacle(kept, keeps, frame, n);
			if (!next)
				return frame;
		}
	}
	return 0;
}

/* Divide the table's memory among the regions, all frames ABSENT, nothing free. */
static void table_place(u64 frame, u64 bytes)
{
	u8 *at = pa_ptr(HPA(frame << PAGE_SHIFT));

	memset(at, 0, bytes);
	for (u32 i = 0; i < owners.regions; i++) {
		struct owner_region *region = &owners.region[i];

		region->word = (void *)at;
		at += region->frames * sizeof(u32);
		region->chunk_word = (void *)at;
		at += chunks_of(region) * sizeof(u32);
		region->giga_free = (void *)at;
		at += gigas_of(region) * sizeof(u32);
		region->chunk_free = (void *)at;
		at += ALIGN_UP(chunks_of(region), (u64)4) * sizeof(u16);
		region->chunk_clear = at;
		at += ALIGN_UP(chunks_of(region), (u64)4);
	}
}

/* Change the frames of the region that lie in `in` and have the word from. */
static void region_fill(struct owner_region *region, struct frames in, owner_t from, owner_t to)
{
	u64 frame = MAX(in.first, region->first);
	u64 end = MIN(in.end, region->first + region->frames);

	while (frame < end) {
		u64 run = owner_run(region, frame, end - frame, from);

		if (run)
			owner_change(region, frame, run, from, to);
		frame += run + 1;
	}
}

static void fill(struct frames in, owner_t from, owner_t to)
{
	for (u32 i = 0; i < owners.regions; i++)
		region_fill(&owners.region[i], in, from, to);
}

static void fill_spans(const struct page_span *span, u32 spans, owner_t from, owner_t to)
{
	for (u32 i = 0; i < spans; i++)
		fill(frames_around(&span[i]), from, to);
}

static int regions_init(const struct page_span *memory, u32 memories)
{
	int ret = 0;

	owners = (struct owner_table){ .regions = 0 };
	for (u32 i = 0; i < memories && !ret; i++) {
		struct frames in = frames_inside(&memory[i]);

		if (in.first < in.end)
			ret = region_add(in);
	}
	return ret || owners.regions ? ret : -EINVAL;
}

int page_init(const struct page_span *memory, u32 memories,
	      const struct page_span *reserved, u32 reserves,
	      const struct page_span *kept, u32 keeps)
{
	struct frames table;
	u64 bytes;
	int ret = regions_init(memory, memories);

	if (ret)
		return ret;
	bytes = table_bytes();
	table.first = find_clear(bytes >> PAGE_SHIFT, reserved, reserves, kept, keeps);
	if (!table.first)
		return -ENOMEM;
	table.end = table.first + (bytes >> PAGE_SHIFT);
	table_place(table.first, bytes);

	/*
	 * Reserved frames are set aside as SCRUB while the others become free, and return to
	 * ABSENT at the end; so no span needs to be cut up.
	 */
	spin_lock(&owners.lock);
	fill_spans(reserved, reserves, OWNER_ABSENT, OWNER_SCRUB);
	fill((struct frames){ .end = ADDRESS_END >> PAGE_SHIFT }, OWNER_ABSENT, OWNER_FREE);
	fill_spans(reserved, reserves, OWNER_SCRUB, OWNER_ABSENT);
	owners.count.total = owners.count.free;
	fill_spans(kept, keeps, OWNER_FREE, OWNER_HV);
	fill(table, OWNER_FREE, OWNER_HV);
	spin_unlock(&owners.lock);
	return 0;
}
