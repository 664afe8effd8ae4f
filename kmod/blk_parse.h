/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests to a block device (virtio 1.2, section 5.2.6), out of chains of its queue. */
#ifndef SHYPER_BLK_PARSE_H
#define SHYPER_BLK_PARSE_H

#include "vqueue.h"

#define BLK_SECTOR 512U			/* unit of all sectors here */
#define BLK_BYTES_MAX (1U << 30)	/* of data in one request */
#define BLK_RANGE_MAX (1U << 21)	/* sectors that one discard or write-zeroes names */
#define BLK_SEGMENTS_MAX (VQUEUE_SEGMENTS - 2)	/* of data; header and status have their own */
#define BLK_ID_SIZE 20U

enum blk_kind {
	BLK_READ,
	BLK_WRITE,
	BLK_FLUSH,
	BLK_DISCARD,
	BLK_ZEROES,
	BLK_GET_ID,
	BLK_NOTHING,	/* status says why, or that nothing was to be done */
};

/* Status bytes. */
#define BLK_OK 0
#define BLK_IOERR 1
#define BLK_UNSUPP 2

/* What a disk can do. */
struct blk_shape {
	u64 sectors;
	u32 block;		/* bytes: requests keep to multiples of it */
	bool readonly;
	bool discard;
	bool zeroes;
};

/* A request that was checked: its range is on the disk, its data are in the chain. */
struct blk_order {
	enum blk_kind kind;
	u8 status;		/* BLK_OK so far; others: of BLK_NOTHING */
	bool unmap;		/* BLK_ZEROES: blocks may be given back */
	u64 sector;
	u64 bytes;		/* of data in the chain; BLK_DISCARD, _ZEROES: of the disk */
	u8 *status_at;		/* where the status byte belongs */
};

/*
 * blk_parse() - what a chain asks for. NULL: *order has it; else the chain has no room for a header
 * or a status, and this says so.
 */
const char *blk_parse(const struct guest_memory *memory, const struct vqueue_chain *chain,
		      const struct blk_shape *shape, struct blk_order *order);

/* blk_data() - the data of a BLK_READ, _WRITE or _GET_ID, all of it. */
struct vqueue_cursor blk_data(const struct vqueue_chain *chain, const struct blk_order *order);

#endif
