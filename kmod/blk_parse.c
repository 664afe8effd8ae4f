// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block requests. How a driver cuts a request into descriptors is its own business: the header is
 * the first 16 bytes, the status byte the last one, and what lies between is data.
 */
#include "blk_parse.h"

/* Types of requests. */
#define T_IN 0
#define T_OUT 1
#define T_FLUSH 4
#define T_GET_ID 8
#define T_DISCARD 11
#define T_WRITE_ZEROES 13

#define RANGE_UNMAP 0x1

struct head {
	u32 type;
	u32 reserved;
	u64 sector;
};

/* What a discard or write-zeroes names. */
struct extent {
	u64 sector;
	u32 sectors;
	u32 flags;
};

static void copy_out(const struct guest_memory *memory, struct vqueue_cursor cursor, void *to)
{
	const void *from;
	u32 size;

	while ((from = vqueue_step(memory, &cursor, cursor.left, &size))) {
		memcpy(to, from, size);
		to = (u8 *)to + size;
	}
}

static void nothing(struct blk_order *order, u8 status)
{
	order->kind = BLK_NOTHING;
	order->status = status;
}

/* sectors is small enough for any sum here. */
static bool on_disk(const struct blk_shape *shape, u64 sector, u64 sectors)
{
	u64 unit = shape->block / BLK_SECTOR;

	return sector <= shape->sectors && sectors <= shape->sectors - sector &&
	       sector % unit == 0 && sectors % unit == 0;
}

static void transfer(const struct blk_shape *shape, enum blk_kind kind, u64 bytes,
		     struct blk_order *order)
{
	order->kind = kind;
	order->bytes = bytes;
	if (bytes % BLK_SECTOR || bytes > BLK_BYTES_MAX ||
	    !on_disk(shape, order->sector, bytes / BLK_SECTOR) ||
	    (kind == BLK_WRITE && shape->readonly))
		nothing(order, BLK_IOERR);
	else if (!bytes)
		nothing(order, BLK_OK);
}

/* Section 5.2.6.2: one range, as the configuration says; flags unknown or out of place: UNSUPP. */
static void wipe(const struct guest_memory *memory, const struct vqueue_chain *chain,
		 const struct blk_shape *shape, enum blk_kind kind, struct blk_order *order)
{
	u32 known = kind == BLK_ZEROES ? RANGE_UNMAP : 0;
	struct extent range;

	if (chain->readable != sizeof(struct head) + sizeof(range)) {
		nothing(order, BLK_IOERR);
		return;
	}
	copy_out(memory, vqueue_readable(chain, sizeof(struct head), sizeof(range)), &range);
	order->kind = kind;
	order->unmap = range.flags & RANGE_UNMAP;
	order->sector = range.sector;
	order->bytes = (u64)range.sectors * BLK_SECTOR;
	if (range.flags & ~known)
		nothing(order, BLK_UNSUPP);
	else if (range.sectors > BLK_RANGE_MAX || !on_disk(shape, range.sector, range.sectors))
		nothing(order, BLK_IOERR);
	else if (!range.sectors)
		nothing(order, BLK_OK);
}

static void get_id(u64 room, struct blk_order *order)
{
	order->kind = BLK_GET_ID;
	order->bytes = room < BLK_ID_SIZE ? room : BLK_ID_SIZE;
}

static u8 *last_byte(const struct guest_memory *memory, const struct vqueue_chain *chain)
{
	const struct vqueue_segment *last = &chain->segment[chain->segments - 1];
	u64 one = 1;

	return guest_pointer(memory, last->gpa + last->size - 1, &one);
}

const char *blk_parse(const struct guest_memory *memory, const struct vqueue_chain *chain,
		      const struct blk_shape *shape, struct blk_order *order)
{
	struct head header;

	if (chain->readable < sizeof(header))
		return "a request without a header";
	if (!chain->writable)
		return "a request without room for its status";
	copy_out(memory, vqueue_readable(chain, 0, sizeof(header)), &header);
	*order = (struct blk_order){ .status = BLK_OK, .sector = header.sector,
				     .status_at = last_byte(memory, chain) };
	/* Data in the wrong direction are not passed over: the guest would believe in them. */
	if (header.type == T_IN && chain->readable == sizeof(header))
		transfer(shape, BLK_READ, chain->writable - 1, order);
	else if (header.type == T_OUT && chain->writable == 1)
		transfer(shape, BLK_WRITE, chain->readable - sizeof(header), order);
	else if (header.type == T_IN || header.type == T_OUT)
		nothing(order, BLK_IOERR);
	else if (header.type == T_FLUSH)
		order->kind = BLK_FLUSH;
	else if (header.type == T_GET_ID)
		get_id(chain->writable - 1, order);
	else if (header.type == T_DISCARD && shape->discard)
		wipe(memory, chain, shape, BLK_DISCARD, order);
	else if (header.type == T_WRITE_ZEROES && shape->zeroes)
		wipe(memory, chain, shape, BLK_ZEROES, order);
	else
		nothing(order, BLK_UNSUPP);
	return NULL;
}

struct vqueue_cursor blk_data(const struct vqueue_chain *chain, const struct blk_order *order)
{
	if (order->kind == BLK_WRITE)
		return vqueue_readable(chain, sizeof(struct head), order->bytes);
	return vqueue_writable(chain, order->bytes);
}
