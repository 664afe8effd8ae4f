/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio disk, driven by hand: requests of every kind, cut in every way, many at a time; queues
 * that break the rules, of which the device must say nothing and come back after a reset; resets
 * with requests under way. Ends with requests under way. The disk has 8 MiB or more; its first
 * 4 MiB are written. Runs on QEMU's own device, too (-global virtio-mmio.force-legacy=false), which
 * forgives a driver more.
 */
#include "guest.h"
#include "virtio.h"

enum { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8, DISCARD = 11, ZEROES = 13 };
enum { OK = 0, IOERR = 1, UNSUPP = 2, NOT_YET = 0xff };

#define F_FLUSH 9
#define F_DISCARD 13
#define F_ZEROES 14
#define F_INDIRECT 28
#define F_EVENT_IDX 29

#define SIZE VIRTQ_SIZE
#define SECTOR 512U
#define DEEP 32U		/* requests at a time */

/* Far behind the payload and its stacks. */
#define MEMORY (RAM_BASE + 0x4000000UL)
#define BUFFER (MEMORY + 0x100000UL)	/* 2 * DEEP pieces of 64 KiB */
#define OTHER (BUFFER + 0x800000UL)

/* What requests are made of, by their number. */
struct parts {
	struct desc table[SIZE] __attribute__((aligned(4096)));
	struct header {
		u32 type, reserved;
		u64 sector;
	} header[SIZE];
	u8 status[SIZE];
};

static volatile struct virtq *const q = (volatile struct virtq *)MEMORY;
static volatile struct parts *const r = (volatile struct parts *)(MEMORY + 0x10000UL);
static u64 sectors;
static u16 seen;

/* ---- The device ---- */

static void set_up(u32 features)
{
	virtio_begin(features);
	memset((void *)r, 0, sizeof(*r));
	seen = 0;
	virtio_queue(0, q);
	virtio_go();
}

static u32 usual(void)
{
	return virtio_offered() &
	       (1U << F_FLUSH | 1U << F_DISCARD | 1U << F_ZEROES | 1U << F_INDIRECT);
}

/* One more than what was seen has been used; false: not within this time. */
static bool await_used(u32 count, unsigned long ms)
{
	bool done = WAIT_FOR((u16)(q->used.idx - seen) >= count, ms);

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	seen = q->used.idx;
	virtio_set(ACK, virtio_reg(INTERRUPT));
	return done;
}

/* ---- Requests: number n has descriptors from 4 * n on ---- */

static void begin(u32 n, u32 type, u64 sector, u64 data, u32 len)
{
	u16 first = (u16)(4 * n), write = type == IN || type == GET_ID ? WRITE : 0;

	r->header[n] = (struct header){ type, 0, sector };
	r->status[n] = NOT_YET;
	virtq_put(q->desc, first, (u64)&r->header[n], 16, NEXT, (u16)(first + (len ? 1 : 2)));
	virtq_put(q->desc, first + 1U, data, len, (u16)(NEXT | write), (u16)(first + 2));
	virtq_put(q->desc, first + 2U, (u64)&r->status[n], 1, WRITE, 0);
	virtq_offer(q, first);
}

static u32 request(u32 type, u64 sector, u64 data, u32 len)
{
	begin(0, type, sector, data, len);
	virtio_notify(0);
	return await_used(1, 5000) ? r->status[0] : NOT_YET;
}

static void fill(u64 at, u32 len, u32 seed)
{
	for (u32 i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		((volatile u8 *)at)[i] = (u8)(seed >> 16);
	}
}

static bool is_filled(u64 at, u32 len, u32 seed)
{
	for (u32 i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		if (((volatile u8 *)at)[i] != (u8)(seed >> 16))
			return false;
	}
	return true;
}

static bool is_all(u64 at, u32 len, u8 value)
{
	for (u32 i = 0; i < len; i++)
		if (((volatile u8 *)at)[i] != value)
			return false;
	return true;
}

/* ---- What works ---- */

static void check_device(void)
{
	u8 id[20] = { 0 };

	sectors = read_u64(virtio_device + CONFIG);
	CHECK("capacity", sectors >= 16384, "%lu sectors", (unsigned long)sectors);
	set_up(usual());
	CHECK("queue size", virtio_reg(NUM_MAX) >= SIZE, "%u", virtio_reg(NUM_MAX));
	memset((void *)BUFFER, 0xee, 64);
	check_eq("GET_ID", request(GET_ID, 0, BUFFER, 20), OK);
	memcpy(id, (void *)BUFFER, 20);
	CHECK("the id", !memcmp(id, "serial-0", 9) && ((u8 *)BUFFER)[20] == 0xee, "%c%c", id[0],
	      id[1]);
	check_eq("used length", q->used.ring[0].len, 21);
}

static void check_copy(const char *name, u64 from, u64 to, u32 len)
{
	fill(from, len, len);
	memset((void *)to, 0, len);
	check_eq(name, request(OUT, 64, from, len), OK);
	check_eq(name, request(IN, 64, to, len), OK);
	check_eq("what was written", is_filled(to, len, len), true);
	check_eq("used length", q->used.ring[(u16)(seen - 1) % SIZE].len, len + 1);
}

static void check_transfers(void)
{
	check_copy("a sector", BUFFER, OTHER, SECTOR);
	check_copy("a page", BUFFER, OTHER, 4096);
	check_copy("a megabyte", BUFFER, OTHER, 1U << 20);
	check_copy("from and to odd addresses", BUFFER + 1, OTHER + 3, 96 * 1024);
	check_copy("almost a page", BUFFER + SECTOR, OTHER + SECTOR, 7 * SECTOR);
}

/* As many pieces as there may be, of odd sizes; 126 of them make 63 sectors. */
static void check_pieces(void)
{
	const u32 pieces = 126, size = 256;

	fill(OTHER, pieces * size, 5);
	check_eq("write in one piece", request(OUT, 128, OTHER, pieces * size), OK);
	r->header[0] = (struct header){ IN, 0, 128 };
	r->status[0] = NOT_YET;
	virtq_put(q->desc, 0, (u64)&r->header[0], 16, NEXT, 1);
	for (u32 i = 1; i <= pieces; i++)
		virtq_put(q->desc, i, BUFFER + 1024 * i, size, NEXT | WRITE, (u16)(i + 1));
	virtq_put(q->desc, pieces + 1, (u64)&r->status[0], 1, WRITE, 0);
	virtq_offer(q, 0);
	virtio_notify(0);
	check_eq("read in 126 pieces", await_used(1, 5000) ? r->status[0] : NOT_YET, OK);
	for (u32 i = 0; i < pieces; i++)
		memcpy((void *)(BUFFER + 0x40000 + size * i),
		       (void *)(BUFFER + 1024 * (i + 1)), size);
	check_eq("the pieces", is_filled(BUFFER + 0x40000, pieces * size, 5), true);
}

static void check_indirect(void)
{
	fill(OTHER, 2 * SECTOR, 6);
	check_eq("write", request(OUT, 300, OTHER, 2 * SECTOR), OK);
	r->header[0] = (struct header){ IN, 0, 300 };
	r->status[0] = NOT_YET;
	virtq_put(r->table, 0, (u64)&r->header[0], 16, NEXT, 2);
	virtq_put(r->table, 2, BUFFER, SECTOR, NEXT | WRITE, 1);
	virtq_put(r->table, 1, BUFFER + SECTOR, SECTOR, NEXT | WRITE, 3);
	virtq_put(r->table, 3, (u64)&r->status[0], 1, WRITE, 0);
	virtq_put(q->desc, 9, (u64)r->table, 4 * 16, INDIRECT, 0);
	virtq_offer(q, 9);
	virtio_notify(0);
	check_eq("an indirect table", await_used(1, 5000) ? r->status[0] : NOT_YET, OK);
	check_eq("its data", is_filled(BUFFER, 2 * SECTOR, 6), true);
}

static void wipe(u32 type, u64 sector, u32 count, u32 flags, u32 expected, const char *name)
{
	((volatile u64 *)OTHER)[0] = sector;
	((volatile u32 *)OTHER)[2] = count;
	((volatile u32 *)OTHER)[3] = flags;
	check_eq(name, request(type, 0, OTHER, 16), expected);
}

static void check_others(void)
{
	check_eq("flush", request(FLUSH, 0, 0, 0), OK);
	check_eq("an unknown request", request(99, 0, BUFFER, SECTOR), UNSUPP);
	check_eq("read behind the end", request(IN, sectors, BUFFER, SECTOR), IOERR);
	check_eq("read across the end", request(IN, sectors - 1, BUFFER, 2 * SECTOR), IOERR);
	check_eq("write far away", request(OUT, ~0UL, BUFFER, SECTOR), IOERR);
	check_eq("half a sector", request(IN, 0, BUFFER, SECTOR / 2), IOERR);
	fill(BUFFER, 65536, 7);
	check_eq("write", request(OUT, 1024, BUFFER, 65536), OK);
	wipe(ZEROES, 1024 + 8, 8, 0, OK, "write zeroes");
	wipe(ZEROES, 1024 + 16, 8, 1, OK, "write zeroes, unmapped");
	wipe(DISCARD, 1024 + 32, 8, 0, OK, "discard");
	wipe(DISCARD, 1024, 8, 1, UNSUPP, "discard with a flag");
	wipe(ZEROES, 1024, 8, 2, UNSUPP, "write zeroes with an unknown flag");
	wipe(ZEROES, sectors, 1, 0, IOERR, "write zeroes behind the end");
	check_eq("read", request(IN, 1024, OTHER, 65536), OK);
	memset((void *)(BUFFER + 4096), 0, 8192);
	CHECK("the zeroes", is_all(OTHER + 4096, 8192, 0), "are not");
	CHECK("what stands before and behind", !memcmp((void *)OTHER, (void *)BUFFER, 4096) &&
	      !memcmp((void *)(OTHER + 20480), (void *)(BUFFER + 20480), 65536 - 20480), "is lost");
}

static bool run_many(u32 type)
{
	bool good = true;

	for (u32 n = 0; n < DEEP; n++)
		begin(n, type, 2048 + 128 * n, BUFFER + 65536 * n, 65536);
	virtio_notify(0);
	good = await_used(DEEP, 10000);
	for (u32 n = 0; n < DEEP; n++)
		good &= r->status[n] == OK;
	return good;
}

static void check_many(void)
{
	bool same = true;

	for (u32 n = 0; n < DEEP; n++)
		fill(BUFFER + 65536 * n, 65536, n);
	check_eq("32 writes at a time", run_many(OUT), true);
	memset((void *)BUFFER, 0, 65536 * DEEP);
	check_eq("32 reads at a time", run_many(IN), true);
	for (u32 n = 0; n < DEEP; n++)
		same &= is_filled(BUFFER + 65536 * n, 65536, n);
	check_eq("each has its own", same, true);
}

/* Without FLUSH every write is safe when it ends; without events flags tell who wants to hear. */
static void check_without_features(void)
{
	check_eq("reset", virtio_reset(), true);
	set_up(0);
	check_copy("without features", BUFFER, OTHER, 8192);
	q->avail.flags = 1;
	check_eq("no interrupt", request(IN, 0, BUFFER, SECTOR), OK);
	check_eq("reset", virtio_reset(), true);
	set_up(usual());
}

/* ---- What is forbidden: the device may answer or fall silent, and works after a reset ---- */

static const struct {
	const char *name;
	struct desc desc[3];
	u16 head;
	u16 more;	/* advance of the index beyond the one */
} rules[] = {
	{ "a loop", { { BUFFER, 16, NEXT, 1 }, { BUFFER, 512, NEXT | WRITE, 0 } }, 0, 0 },
	{ "a loop of one", { { BUFFER, 16, NEXT, 0 } }, 0, 0 },
	{ "next out of range", { { BUFFER, 16, NEXT, SIZE } }, 0, 0 },
	{ "head out of range", { { 0, 0, 0, 0 } }, 0xffff, 0 },
	{ "no RAM", { { 0x1000, 16, NEXT, 1 }, { BUFFER, 1, WRITE, 0 } }, 0, 0 },
	{ "the device's own registers", { { SLOTS, 16, NEXT, 1 }, { BUFFER, 1, WRITE, 0 } }, 0, 0 },
	{ "status out of RAM", { { BUFFER, 16, NEXT, 1 }, { 0x7fffffff, 1, WRITE, 0 } }, 0, 0 },
	{ "across the end of RAM",
	  { { BUFFER, 16, NEXT, 1 }, { 0x8ffff000, 0x2000, NEXT | WRITE, 2 },
	    { BUFFER, 1, WRITE, 0 } }, 0, 0 },
	{ "4 GiB", { { BUFFER, 16, NEXT, 1 }, { BUFFER, 0xffffffff, NEXT | WRITE, 2 },
		     { BUFFER, 1, WRITE, 0 } }, 0, 0 },
	{ "around the address space", { { ~0UL - 7, 16, NEXT, 1 }, { BUFFER, 1, WRITE, 0 } },
	  0, 0 },
	{ "empty", { { BUFFER, 0, NEXT, 1 }, { BUFFER, 0, WRITE, 0 } }, 0, 0 },
	{ "no status", { { BUFFER, 16, 0, 0 } }, 0, 0 },
	{ "half a header", { { BUFFER, 8, NEXT, 1 }, { BUFFER, 1, WRITE, 0 } }, 0, 0 },
	{ "directions mixed up", { { BUFFER, 16, WRITE | NEXT, 1 }, { BUFFER, 1, 0, 0 } }, 0, 0 },
	{ "indirect of odd size", { { BUFFER, 17, INDIRECT, 0 } }, 0, 0 },
	{ "indirect out of RAM", { { 0x10000000, 64, INDIRECT, 0 } }, 0, 0 },
	{ "indirect to itself", { { (u64)MEMORY, 16, INDIRECT, 0 } }, 0, 0 },
	{ "indirect and next", { { BUFFER, 32, INDIRECT | NEXT, 0 } }, 0, 0 },
	{ "indirect of 4 GiB", { { BUFFER, 0xfffffff0, INDIRECT, 0 } }, 0, 0 },
	{ "index too far", { { BUFFER, 16, 0, 0 } }, 0, SIZE + 7 },
	{ "index far behind", { { BUFFER, 16, 0, 0 } }, 0, 0x8000 },
};

static void break_rule(u32 n)
{
	for (u16 i = 0; i < 3; i++)
		q->desc[i] = rules[n].desc[i];
	*(volatile struct header *)BUFFER = (struct header){ IN, 0, 0 };
	q->avail.ring[q->avail.idx % SIZE] = rules[n].head;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	q->avail.idx = (u16)(q->avail.idx + 1 + rules[n].more);
	for (u32 i = 0; i < 3; i++)
		virtio_notify(0);
	await_used(1, 20);
}

static void check_rules(void)
{
	for (u32 n = 0; n < ARRAY_SIZE(rules); n++) {
		break_rule(n);
		check_eq(rules[n].name, virtio_reset(), true);
		set_up(usual());
		check_eq("works again", request(IN, 0, BUFFER, SECTOR), OK);
	}
}

/* Rings that change while they are looked at: whatever comes of it, the device comes back. */
static void check_changing(void)
{
	u32 seed = 1;

	for (u32 i = 0; i < 20000; i++) {
		volatile u32 *words = (volatile u32 *)q->desc;

		seed = seed * 1103515245 + 12345;
		words[(seed >> 8) % 64] = (seed & 7) ? (u32)BUFFER + (seed >> 16) : seed;
		q->avail.ring[i % SIZE] = (u16)(seed >> 28);
		if (!(i % 4))
			q->avail.idx++;
		if (!(i % 16))
			virtio_set(NOTIFY, 0);
		if (!(i % 500)) {
			virtio_reset();
			set_up(usual());
		}
	}
	check_eq("after changing rings", virtio_reset(), true);
	set_up(usual());
	check_eq("works again", request(IN, 0, BUFFER, SECTOR), OK);
}

static bool is_qemus(void)
{
	return virtio_reg(VENDOR) == 0x554d4551;	/* "QEMU" */
}

/* Data that point in the wrong direction. */
static void check_direction(u32 type, u16 flags, const char *name)
{
	r->header[0] = (struct header){ type, 0, 0 };
	r->status[0] = NOT_YET;
	virtq_put(q->desc, 0, (u64)&r->header[0], 16, NEXT, 1);
	virtq_put(q->desc, 1, BUFFER, SECTOR, NEXT | flags, 2);
	virtq_put(q->desc, 2, (u64)&r->status[0], 1, WRITE, 0);
	virtq_offer(q, 0);
	virtio_notify(0);
	await_used(1, 5000);
	CHECK(name, r->status[0] == IOERR || is_qemus(), "status %u", r->status[0]);
}

static void check_directions(void)
{
	check_direction(IN, 0, "read into what is to be read");
	check_direction(OUT, WRITE, "write from what is to be written");
	check_eq("works again", request(IN, 0, BUFFER, SECTOR), OK);
}

/* Queues that cannot be: none is ready, and the device needs a reset. */
static void check_queues(void)
{
	static const struct {
		const char *name;
		u32 num;
		u64 desc, driver, device;
	} bad[] = {
		{ "of size 0", 0, MEMORY, BUFFER, OTHER },
		{ "of size 3", 3, MEMORY, BUFFER, OTHER },
		{ "of size 32768", 32768, MEMORY, BUFFER, OTHER },
		{ "of size 4294967295", 0xffffffff, MEMORY, BUFFER, OTHER },
		{ "of size 2147483648", 0x80000000, MEMORY, BUFFER, OTHER },
		{ "with odd descriptors", SIZE, MEMORY + 8, BUFFER, OTHER },
		{ "with an odd ring", SIZE, MEMORY, BUFFER + 1, OTHER },
		{ "with an odd used ring", SIZE, MEMORY, BUFFER, OTHER + 2 },
		{ "nowhere", SIZE, 0, 0, 0 },
		{ "in its own registers", SIZE, SLOTS, SLOTS + 0x100, SLOTS + 0x800 },
		{ "across the end of RAM", SIZE, 0x8ffffff0, BUFFER, OTHER },
		{ "with a ring behind RAM", SIZE, MEMORY, 0x90000000, OTHER },
		{ "with a used ring around", SIZE, MEMORY, BUFFER, ~0UL - 3 },
		{ "around the address space", SIZE, ~0UL - 15, ~0UL - 1, ~0UL - 3 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		check_eq("reset", virtio_reset(), true);
		virtio_begin(usual());
		virtio_place(0, bad[i].num, bad[i].desc, bad[i].driver, bad[i].device);
		CHECK(bad[i].name, is_qemus() || (!virtio_reg(READY) &&
		      virtio_reg(STATUS) & S_NEEDS_RESET), "is ready");
		virtio_go();
		virtio_notify(0);
	}
	check_eq("reset", virtio_reset(), true);
	virtio_begin(usual());
	virtio_place(1, SIZE, MEMORY, BUFFER, OTHER);	/* there is one queue */
	CHECK("a queue too many", is_qemus() || !virtio_reg(READY), "is ready");
	check_eq("its size", virtio_reg(NUM_MAX), 0);
	virtio_set(QUEUE_SEL, 0);
}

/* What is offered and notified before DRIVER_OK waits for it. */
static void check_early(void)
{
	check_eq("reset", virtio_reset(), true);
	virtio_notify(0);
	virtio_begin(usual());
	virtio_notify(0);
	seen = 0;
	virtio_queue(0, q);
	begin(0, IN, 0, BUFFER, SECTOR);
	virtio_notify(0);
	CHECK("before it may begin", !await_used(1, 20) || is_qemus(), "a request was served");
	virtio_go();
	virtio_notify(0);
	await_used(1, 5000);
	check_eq("and afterwards", r->status[0], OK);
}

static void check_registers(void)
{
	for (u32 i = 0; i < 50; i++)
		virtio_set(NOTIFY, i);
	check_eq("reset", virtio_reset(), true);
	for (u32 i = 0; i < 50; i++)
		virtio_set(NOTIFY, 0);
	set_up(usual());
	check_eq("after notifications out of turn", request(IN, 0, BUFFER, SECTOR), OK);
}

/* ---- Resets with requests under way: what is read after them is not written by them ---- */

static void check_resets(void)
{
	bool quiet = true, back = true;

	for (u32 i = 0; i < 20; i++) {
		for (u32 n = 0; n < DEEP; n++)
			begin(n, n & 1 ? IN : OUT, 2048 + 128 * n, BUFFER + 65536 * n, 65536);
		virtio_notify(0);
		if (i & 1)
			WAIT_FOR(false, i);
		back &= virtio_reset();
		memset((void *)BUFFER, 0x5a, 65536 * DEEP);
		WAIT_FOR(false, 10);
		quiet &= is_all(BUFFER, 65536 * DEEP, 0x5a);
		set_up(usual());
	}
	check_eq("20 resets with 32 requests under way", back, true);
	check_eq("no byte comes after them", quiet, true);
	check_eq("works again", request(IN, 0, BUFFER, SECTOR), OK);
}

void payload(void)
{
	check_eq("a block device", virtio_find(2), true);
	check_eq("reset", virtio_reset(), true);
	check_device();
	check_transfers();
	check_pieces();
	check_indirect();
	check_others();
	check_many();
	check_without_features();
	check_directions();
	check_queues();
	check_early();
	check_registers();
	check_rules();
	check_changing();
	check_resets();
	for (u32 n = 0; n < DEEP; n++)
		begin(n, OUT, 2048 + 128 * n, BUFFER + 65536 * n, 65536);
	virtio_notify(0);
}
