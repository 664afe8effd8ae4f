/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer: a block queue of the MVM's module whose driver writes what the input says, into rings,
 * tables and headers alike. The sanitizers watch every access; what is taken is touched from end to
 * end, as the module would.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../kmod/blk_parse.h"

#define BASE 0x80000000ull
#define PIECE 0x2000u
#define NUM 16u

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

static struct guest_memory memory;
static struct vqueue_chain chain;

/* Every byte of data is the guest's, and there are as many as the order says. */
static void touch(const struct blk_order *order)
{
	struct vqueue_cursor cursor = blk_data(&chain, order);
	u64 sum = 0;
	u8 *at;
	u32 n;

	while ((at = vqueue_step(&memory, &cursor, 700, &n))) {
		check(n && n <= 700);
		if (order->kind == BLK_WRITE)
			sum += at[0] + at[n - 1] + (u64)n;
		else
			memset(at, 0xa5, n);
	}
	check(cursor.left == 0);
	*(volatile u64 *)&sum = sum;
}

static void serve(const struct blk_shape *shape)
{
	struct blk_order order;

	if (blk_parse(&memory, &chain, shape, &order))
		return;
	check(order.kind <= BLK_NOTHING && order.status_at);
	if (order.kind == BLK_NOTHING)
		return;
	check(order.status == BLK_OK && (!shape->readonly || order.kind != BLK_WRITE));
	check(order.kind != BLK_READ || chain.writable == order.bytes + 1);
	check(order.kind != BLK_WRITE || chain.writable == 1);
	if (order.kind != BLK_FLUSH && order.kind != BLK_GET_ID)
		check(order.bytes && order.sector < shape->sectors &&
		      order.bytes / BLK_SECTOR <= shape->sectors - order.sector);
	if (order.kind <= BLK_WRITE || order.kind == BLK_GET_ID)
		touch(&order);
	*order.status_at = order.status;
}

/* Two pieces with red zones of the sanitizer around each. */
static void *make_piece(struct shyper_memory *piece, u64 gpa)
{
	void *at = aligned_alloc(4096, PIECE);

	memset(at, 0, PIECE);
	*piece = (struct shyper_memory){ gpa, (uintptr_t)at, PIECE };
	return at;
}

/* The input: features, shape, then memory from the rings on, again and again. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct shyper_memory piece[2];
	u8 *first = make_piece(&piece[0], BASE), *second = make_piece(&piece[1], BASE + PIECE);
	const struct vqueue_rings rings = { NUM, first, first + 0x100, first + 0x180 };
	struct blk_shape shape = { .sectors = 64, .block = 512 };
	struct vqueue queue;

	memory = (struct guest_memory){ .piece = piece, .pieces = 2 };
	if (size >= 2) {
		shape.readonly = data[0] & 1;
		shape.discard = shape.zeroes = data[0] & 2;
		shape.block = data[0] & 4 ? 4096 : 512;
		check(vqueue_init(&queue, &memory, &rings, (u64)data[1] << 28));
		data += 2;
		size -= 2;
	}
	while (size >= 4) {
		u32 at = (u32)(data[0] | data[1] << 8) % (PIECE - 256), n = data[2];
		u8 *to = data[3] & 1 ? second : first;

		data += 4;
		size -= 4;
		n = n < size ? n : (u32)size;
		memcpy(to + at, data, n);
		data += n;
		size -= n;
		vqueue_quiet(&queue);
		for (u32 i = 0; i < 2 * NUM && vqueue_pop(&queue, &chain) == VQUEUE_CHAIN; i++) {
			check(chain.segments && chain.segments <= VQUEUE_SEGMENTS);
			serve(&shape);
			vqueue_push(&queue, chain.head, 1);
		}
		vqueue_publish(&queue);
		(void)vqueue_interrupt_due(&queue);
		(void)vqueue_arm(&queue);
	}
	free(first);
	free(second);
	return 0;
}
