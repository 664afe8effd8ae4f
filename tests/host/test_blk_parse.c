/* SPDX-License-Identifier: BSD-2-Clause */
/* What shyper.ko makes of a guest's block queue: chains, requests, every rule that is broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../kmod/blk_parse.h"

#define PIECE 0x10000u
#define BASE 0x80000000ull
#define HOLE (BASE + 2 * PIECE)	/* behind the pieces, which are neighbours for the guest */
#define NUM 16u

#define DESC_AT BASE			/* guest addresses: the rings */
#define AVAIL_AT (BASE + 0x1000)
#define USED_AT (BASE + 0x2000)
#define TABLE_AT (BASE + 0x3000)
#define HEADER_AT (BASE + 0x4000)
#define STATUS_AT (BASE + 0x4100)
#define DATA_AT (BASE + 0x5000)

#define NEXT 1
#define WRITE 2
#define INDIRECT 4

enum { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8, DISCARD = 11, ZEROES = 13 };

static u8 ram[3 * PIECE] __attribute__((aligned(4096)));
static struct shyper_memory piece[2];
static const struct guest_memory memory = { .piece = piece, .pieces = 2 };
static struct vqueue queue;
static struct vqueue_chain chain;
static struct blk_order order;
static struct blk_shape shape;
static u16 offered;

static void *at(u64 gpa)
{
	u64 one = 1;

	return guest_pointer(&memory, gpa, &one);
}

static bool set_up(u32 num, u64 features)
{
	const struct vqueue_rings rings = { .num = num, .desc = at(DESC_AT), .avail = at(AVAIL_AT),
					    .used = at(USED_AT) };

	return vqueue_init(&queue, &memory, &rings, features);
}

static int fresh(void **state)
{
	(void)state;
	memset(ram, 0, sizeof(ram));
	piece[0] = (struct shyper_memory){ BASE, (uintptr_t)ram + 2 * PIECE, PIECE };
	piece[1] = (struct shyper_memory){ BASE + PIECE, (uintptr_t)ram, PIECE };
	shape = (struct blk_shape){ .sectors = 1000, .block = 512, .discard = true,
				    .zeroes = true };
	offered = 0;
	assert_true(set_up(NUM, VQUEUE_F_INDIRECT_DESC | VQUEUE_F_EVENT_IDX));
	return 0;
}

static void put(u64 table, u32 index, u64 addr, u32 len, u16 flags, u16 next)
{
	const struct virtq_desc desc = { .addr = addr, .len = len, .flags = flags, .next = next };

	memcpy(at(table + 16 * index), &desc, sizeof(desc));
}

static void offer(u16 head)
{
	struct virtq_avail *avail = at(AVAIL_AT);

	avail->ring[offered++ % NUM] = head;
	avail->idx = offered;
}

static enum vqueue_result pop(void)
{
	return vqueue_pop(&queue, &chain);
}

static void header(u32 type, u64 sector)
{
	memcpy(at(HEADER_AT), &type, 4);
	memcpy((u8 *)at(HEADER_AT) + 8, &sector, 8);
}

/* The usual request: header, one buffer, status. */
static void request(u32 type, u64 sector, u64 data, u32 size)
{
	u16 write = type == IN || type == GET_ID ? WRITE : 0;

	header(type, sector);
	put(DESC_AT, 0, HEADER_AT, 16, NEXT, size ? 1 : 2);
	put(DESC_AT, 1, data, size, (u16)(NEXT | write), 2);
	put(DESC_AT, 2, STATUS_AT, 1, WRITE, 0);
	offer(0);
}

static const char *parse(void)
{
	assert_int_equal(pop(), VQUEUE_CHAIN);
	return blk_parse(&memory, &chain, &shape, &order);
}

static void expect_order(enum blk_kind kind, u8 status)
{
	assert_null(parse());
	assert_int_equal(order.kind, kind);
	assert_int_equal(order.status, status);
	assert_ptr_equal(order.status_at, at(STATUS_AT));
}

static void expect_broken(const char *why)
{
	assert_int_equal(pop(), VQUEUE_BROKEN);
	assert_string_equal(queue.broken, why);
	/* And so it remains. */
	assert_int_equal(pop(), VQUEUE_BROKEN);
}

/* --- Memory --------------------------------------------------------------------------------- */

static void ranges_cross_pieces_and_end_with_them(void **state)
{
	u64 size = PIECE;
	u8 copy[4];

	(void)state;
	assert_ptr_equal(guest_pointer(&memory, BASE + 16, &size), ram + 2 * PIECE + 16);
	assert_int_equal(size, PIECE - 16);
	assert_true(guest_has(&memory, BASE, 2 * PIECE));
	assert_false(guest_has(&memory, BASE, 2 * PIECE + 1));
	assert_false(guest_has(&memory, BASE - 1, 2));
	assert_false(guest_has(&memory, HOLE, 1));
	assert_false(guest_has(&memory, BASE, UINT64_MAX));
	assert_false(guest_has(&memory, UINT64_MAX, 2));
	assert_true(guest_has(&memory, HOLE, 0));
	memcpy(ram + 3 * PIECE - 2, "ab", 2);
	memcpy(ram, "cd", 2);
	assert_true(guest_read(&memory, BASE + PIECE - 2, copy, 4));
	assert_memory_equal(copy, "abcd", 4);
	assert_false(guest_read(&memory, HOLE - 2, copy, 4));
}

/* --- Queues --------------------------------------------------------------------------------- */

static void odd_rings_are_refused(void **state)
{
	struct vqueue_rings rings = { .num = NUM, .desc = at(DESC_AT), .avail = at(AVAIL_AT),
				      .used = at(USED_AT) };

	(void)state;
	assert_false(set_up(0, 0));
	assert_false(set_up(NUM + 1, 0));
	assert_false(set_up(2 * VQUEUE_MAX, 0));
	rings.desc = (u8 *)at(DESC_AT) + 8;
	assert_false(vqueue_init(&queue, &memory, &rings, 0));
	rings.desc = at(DESC_AT);
	rings.avail = (u8 *)at(AVAIL_AT) + 1;
	assert_false(vqueue_init(&queue, &memory, &rings, 0));
	rings.avail = at(AVAIL_AT);
	rings.used = (u8 *)at(USED_AT) + 2;
	assert_false(vqueue_init(&queue, &memory, &rings, 0));
}

static void a_chain_is_taken_once(void **state)
{
	(void)state;
	assert_int_equal(pop(), VQUEUE_EMPTY);
	request(IN, 3, DATA_AT, 1024);
	assert_int_equal(pop(), VQUEUE_CHAIN);
	assert_int_equal(chain.segments, 3);
	assert_int_equal(chain.readable_segments, 1);
	assert_int_equal(chain.readable, 16);
	assert_int_equal(chain.writable, 1025);
	assert_int_equal(pop(), VQUEUE_EMPTY);
}

static void an_indirect_table_may_follow_descriptors(void **state)
{
	(void)state;
	header(IN, 0);
	put(DESC_AT, 5, HEADER_AT, 16, NEXT, 6);
	put(DESC_AT, 6, TABLE_AT, 32, INDIRECT | WRITE, 0);
	put(TABLE_AT, 0, DATA_AT, 512, WRITE | NEXT, 1);
	put(TABLE_AT, 1, STATUS_AT, 1, WRITE, 0);
	offer(5);
	expect_order(BLK_READ, BLK_OK);
	assert_int_equal(chain.head, 5);
	assert_int_equal(order.bytes, 512);
}

static void indirect_tables_that_break_rules(void **state)
{
	static const struct {
		u64 table;
		u32 size;
		u16 flags, inner;
		const char *why;
	} bad[] = {
		{ TABLE_AT, 24, INDIRECT, 0, "an indirect table of odd size" },
		{ TABLE_AT, 0, INDIRECT, 0, "an indirect table of odd size" },
		{ TABLE_AT, 32, INDIRECT | NEXT, 0, "an indirect table with a descriptor behind" },
		{ TABLE_AT, 32, INDIRECT, INDIRECT, "an indirect table in an indirect table" },
		{ HOLE - 8, 32, INDIRECT, 0, "an indirect table is not in RAM" },
		{ HOLE, 0xfffffff0, INDIRECT, 0, "an indirect table is not in RAM" },
	};

	for (u32 i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fresh(state);
		put(DESC_AT, 0, bad[i].table, bad[i].size, bad[i].flags, 1);
		put(TABLE_AT, 0, DATA_AT, 32, bad[i].inner, 0);
		offer(0);
		expect_broken(bad[i].why);
	}
	fresh(state);
	assert_true(set_up(NUM, 0));
	put(DESC_AT, 0, TABLE_AT, 32, INDIRECT, 0);
	offer(0);
	expect_broken("an indirect table was not negotiated");
}

static void chains_that_break_rules(void **state)
{
	static const struct {
		u64 addr;
		u32 len;
		u16 flags, next;
		const char *why;
	} bad[] = {
		{ DATA_AT, 512, NEXT, 0, "a chain is too long, or a loop" },
		{ DATA_AT, 512, NEXT, NUM, "a descriptor that does not exist" },
		{ DATA_AT, 512, NEXT, 0xffff, "a descriptor that does not exist" },
		{ DATA_AT, 0, 0, 0, "an empty descriptor" },
		{ HOLE, 1, 0, 0, "a buffer is not in RAM" },
		{ HOLE - 512, 513, 0, 0, "a buffer is not in RAM" },
		{ DATA_AT, 0xffffffff, 0, 0, "a buffer is not in RAM" },
		{ UINT64_MAX, 16, 0, 0, "a buffer is not in RAM" },
		{ 0, 16, 0, 0, "a buffer is not in RAM" },
	};

	for (u32 i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fresh(state);
		put(DESC_AT, 0, bad[i].addr, bad[i].len, bad[i].flags, bad[i].next);
		offer(0);
		expect_broken(bad[i].why);
	}
	fresh(state);
	put(DESC_AT, 0, DATA_AT, 512, WRITE | NEXT, 1);
	put(DESC_AT, 1, DATA_AT, 512, 0, 0);
	offer(0);
	expect_broken("a buffer to read behind one to write");
	fresh(state);
	offer(NUM);
	expect_broken("a descriptor that does not exist");
	fresh(state);
	((struct virtq_avail *)at(AVAIL_AT))->idx = NUM + 1;
	expect_broken("more chains than entries");
}

static void events_tell_when_to_interrupt_and_to_notify(void **state)
{
	struct virtq_avail *avail = at(AVAIL_AT);
	struct virtq_used *used = at(USED_AT);

	(void)state;
	/* The driver waits for the third. */
	avail->ring[NUM] = 2;
	vqueue_push(&queue, 7, 513);
	vqueue_push(&queue, 8, 1);
	assert_int_equal(used->idx, 0);
	vqueue_publish(&queue);
	assert_int_equal(used->idx, 2);
	assert_int_equal(used->ring[0].id, 7);
	assert_int_equal(used->ring[0].len, 513);
	assert_false(vqueue_interrupt_due(&queue));
	vqueue_push(&queue, 9, 1);
	vqueue_publish(&queue);
	assert_true(vqueue_interrupt_due(&queue));
	assert_false(vqueue_interrupt_due(&queue));
	/* Whoever arms says up to where it has looked. */
	assert_false(vqueue_arm(&queue));
	assert_false(vqueue_waiting(&queue));
	offer(0);
	assert_true(vqueue_waiting(&queue));
	assert_true(vqueue_arm(&queue));
	assert_int_equal(*(u16 *)&used->ring[NUM], 0);
}

static void flags_do_it_without_events(void **state)
{
	struct virtq_avail *avail = at(AVAIL_AT);
	struct virtq_used *used = at(USED_AT);

	(void)state;
	assert_true(set_up(NUM, 0));
	vqueue_quiet(&queue);
	assert_int_equal(used->flags, 1);
	assert_false(vqueue_arm(&queue));
	assert_int_equal(used->flags, 0);
	assert_true(vqueue_interrupt_due(&queue));
	avail->flags = 1;
	assert_false(vqueue_interrupt_due(&queue));
}

static void indices_wrap(void **state)
{
	(void)state;
	for (u32 i = 0; i < 70000; i++) {
		request(IN, 0, DATA_AT, 512);
		assert_int_equal(pop(), VQUEUE_CHAIN);
		vqueue_push(&queue, chain.head, 513);
		vqueue_publish(&queue);
	}
	assert_int_equal(pop(), VQUEUE_EMPTY);
	assert_int_equal(((struct virtq_used *)at(USED_AT))->idx, (u16)70000);
}

/* --- Requests ------------------------------------------------------------------------------- */

static void reads_and_writes(void **state)
{
	struct vqueue_cursor cursor;
	u32 size;

	(void)state;
	request(IN, 998, DATA_AT, 1024);
	expect_order(BLK_READ, BLK_OK);
	assert_int_equal(order.sector, 998);
	assert_int_equal(order.bytes, 1024);
	request(OUT, 0, BASE + PIECE - 512, 1536);
	expect_order(BLK_WRITE, BLK_OK);
	assert_int_equal(order.bytes, 1536);
	cursor = blk_data(&chain, &order);
	assert_ptr_equal(vqueue_step(&memory, &cursor, UINT32_MAX, &size), ram + 3 * PIECE - 512);
	assert_int_equal(size, 512);
	assert_ptr_equal(vqueue_step(&memory, &cursor, 100, &size), ram);
	assert_int_equal(size, 100);
	assert_ptr_equal(vqueue_step(&memory, &cursor, UINT32_MAX, &size), ram + 100);
	assert_int_equal(size, 924);
	assert_null(vqueue_step(&memory, &cursor, UINT32_MAX, &size));
}

/* Header and status may share descriptors with data, or be cut into pieces. */
static void any_framing(void **state)
{
	struct vqueue_cursor cursor;
	u32 size;

	(void)state;
	header(OUT, 4);
	put(DESC_AT, 0, HEADER_AT, 7, NEXT, 1);
	put(DESC_AT, 1, HEADER_AT + 7, 9 + 100, NEXT, 2);
	put(DESC_AT, 2, DATA_AT, 412, NEXT, 3);
	put(DESC_AT, 3, STATUS_AT, 1, WRITE, 0);
	offer(0);
	expect_order(BLK_WRITE, BLK_OK);
	assert_int_equal(order.sector, 4);
	cursor = blk_data(&chain, &order);
	assert_ptr_equal(vqueue_step(&memory, &cursor, UINT32_MAX, &size), at(HEADER_AT + 16));
	assert_int_equal(size, 100);
	header(IN, 4);
	put(DESC_AT, 0, HEADER_AT, 16, NEXT, 1);
	put(DESC_AT, 1, STATUS_AT - 512, 513, WRITE, 0);
	offer(0);
	expect_order(BLK_READ, BLK_OK);
	assert_int_equal(order.bytes, 512);
	cursor = blk_data(&chain, &order);
	assert_ptr_equal(vqueue_step(&memory, &cursor, UINT32_MAX, &size), at(STATUS_AT - 512));
	assert_int_equal(size, 512);
}

static void what_is_not_on_the_disk(void **state)
{
	static const struct {
		u32 type;
		u64 sector;
		u32 size;
	} bad[] = {
		{ IN, 999, 1024 }, { IN, 1000, 512 }, { IN, UINT64_MAX, 512 },
		{ OUT, UINT64_MAX - 1, 1024 }, { OUT, 1ull << 55, 512 }, { IN, 0, 511 },
		{ OUT, 0, 513 }, { IN, 1001, 0 },
	};

	for (u32 i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fresh(state);
		request(bad[i].type, bad[i].sector, DATA_AT, bad[i].size);
		expect_order(BLK_NOTHING, BLK_IOERR);
	}
	request(IN, 1000, DATA_AT, 0);
	expect_order(BLK_NOTHING, BLK_OK);
	shape.block = 4096;
	request(IN, 8, DATA_AT, 4096);
	expect_order(BLK_READ, BLK_OK);
	request(IN, 9, DATA_AT, 4096);
	expect_order(BLK_NOTHING, BLK_IOERR);
	request(IN, 8, DATA_AT, 512);
	expect_order(BLK_NOTHING, BLK_IOERR);
}

static void a_read_only_disk(void **state)
{
	(void)state;
	shape.readonly = true;
	shape.discard = shape.zeroes = false;
	request(OUT, 0, DATA_AT, 512);
	expect_order(BLK_NOTHING, BLK_IOERR);
	request(DISCARD, 0, DATA_AT, 16);
	expect_order(BLK_NOTHING, BLK_UNSUPP);
	request(ZEROES, 0, DATA_AT, 16);
	expect_order(BLK_NOTHING, BLK_UNSUPP);
	request(IN, 0, DATA_AT, 512);
	expect_order(BLK_READ, BLK_OK);
}

static void wiped(u32 type, u64 sector, u32 sectors, u32 flags, u32 size)
{
	memcpy(at(DATA_AT), &sector, 8);
	memcpy((u8 *)at(DATA_AT) + 8, &sectors, 4);
	memcpy((u8 *)at(DATA_AT) + 12, &flags, 4);
	request(type, 0, DATA_AT, size);
}

static void discards_and_zeroes(void **state)
{
	(void)state;
	wiped(DISCARD, 100, 900, 0, 16);
	expect_order(BLK_DISCARD, BLK_OK);
	assert_int_equal(order.sector, 100);
	assert_int_equal(order.bytes, 900 * 512);
	wiped(ZEROES, 100, 900, 1, 16);
	expect_order(BLK_ZEROES, BLK_OK);
	assert_true(order.unmap);
	wiped(ZEROES, 0, 1, 0, 16);
	expect_order(BLK_ZEROES, BLK_OK);
	assert_false(order.unmap);
	wiped(ZEROES, 0, 0, 0, 16);
	expect_order(BLK_NOTHING, BLK_OK);
	wiped(ZEROES, 0, 1, 2, 16);
	expect_order(BLK_NOTHING, BLK_UNSUPP);
	wiped(DISCARD, 0, 1, 1, 16);
	expect_order(BLK_NOTHING, BLK_UNSUPP);
	wiped(DISCARD, 100, 901, 0, 16);
	expect_order(BLK_NOTHING, BLK_IOERR);
	wiped(DISCARD, UINT64_MAX, 2, 0, 16);
	expect_order(BLK_NOTHING, BLK_IOERR);
	wiped(DISCARD, 0, 1, 0, 32);
	expect_order(BLK_NOTHING, BLK_IOERR);
	wiped(DISCARD, 0, 1, 0, 15);
	expect_order(BLK_NOTHING, BLK_IOERR);
	shape.sectors = UINT64_MAX;
	wiped(ZEROES, 0, BLK_RANGE_MAX + 1, 0, 16);
	expect_order(BLK_NOTHING, BLK_IOERR);
}

static void other_requests(void **state)
{
	(void)state;
	request(FLUSH, 0, DATA_AT, 0);
	expect_order(BLK_FLUSH, BLK_OK);
	request(GET_ID, 0, DATA_AT, 20);
	expect_order(BLK_GET_ID, BLK_OK);
	assert_int_equal(order.bytes, 20);
	request(GET_ID, 0, DATA_AT, 7);
	expect_order(BLK_GET_ID, BLK_OK);
	assert_int_equal(order.bytes, 7);
	request(GET_ID, 0, DATA_AT, 512);
	expect_order(BLK_GET_ID, BLK_OK);
	assert_int_equal(order.bytes, 20);
	request(2, 0, DATA_AT, 512);
	expect_order(BLK_NOTHING, BLK_UNSUPP);
	request(0xffffffff, 0, DATA_AT, 512);
	expect_order(BLK_NOTHING, BLK_UNSUPP);
}

static void data_in_the_wrong_direction(void **state)
{
	static const struct {
		u32 type;
		u16 flags;
	} bad[] = { { IN, NEXT }, { OUT, NEXT | WRITE } };

	for (u32 i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fresh(state);
		header(bad[i].type, 0);
		put(DESC_AT, 0, HEADER_AT, 16, NEXT, 1);
		put(DESC_AT, 1, DATA_AT, 512, bad[i].flags, 2);
		put(DESC_AT, 2, STATUS_AT, 1, WRITE, 0);
		offer(0);
		expect_order(BLK_NOTHING, BLK_IOERR);
	}
	/* And some of either. */
	fresh(state);
	header(IN, 0);
	put(DESC_AT, 0, HEADER_AT, 17, NEXT, 1);
	put(DESC_AT, 1, STATUS_AT - 512, 513, WRITE, 0);
	offer(0);
	expect_order(BLK_NOTHING, BLK_IOERR);
}

static void without_header_or_status(void **state)
{
	(void)state;
	put(DESC_AT, 0, HEADER_AT, 15, NEXT, 1);
	put(DESC_AT, 1, STATUS_AT, 1, WRITE, 0);
	offer(0);
	assert_string_equal(parse(), "a request without a header");
	put(DESC_AT, 0, HEADER_AT, 1024, 0, 0);
	offer(0);
	assert_string_equal(parse(), "a request without room for its status");
	put(DESC_AT, 0, STATUS_AT, 16, WRITE, 0);
	offer(0);
	assert_string_equal(parse(), "a request without a header");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ranges_cross_pieces_and_end_with_them, fresh),
		cmocka_unit_test_setup(odd_rings_are_refused, fresh),
		cmocka_unit_test_setup(a_chain_is_taken_once, fresh),
		cmocka_unit_test_setup(an_indirect_table_may_follow_descriptors, fresh),
		cmocka_unit_test_setup(indirect_tables_that_break_rules, fresh),
		cmocka_unit_test_setup(chains_that_break_rules, fresh),
		cmocka_unit_test_setup(events_tell_when_to_interrupt_and_to_notify, fresh),
		cmocka_unit_test_setup(flags_do_it_without_events, fresh),
		cmocka_unit_test_setup(indices_wrap, fresh),
		cmocka_unit_test_setup(reads_and_writes, fresh),
		cmocka_unit_test_setup(any_framing, fresh),
		cmocka_unit_test_setup(what_is_not_on_the_disk, fresh),
		cmocka_unit_test_setup(a_read_only_disk, fresh),
		cmocka_unit_test_setup(discards_and_zeroes, fresh),
		cmocka_unit_test_setup(other_requests, fresh),
		cmocka_unit_test_setup(data_in_the_wrong_direction, fresh),
		cmocka_unit_test_setup(without_header_or_status, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
