/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace's rings: what is refused, what a reader gets of a ring that is overwritten, against a
 * model that forgets nothing, and the same while the writer writes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <pthread.h>

#include <hv/errno.h>
#include <hv/page.h>
#include <hv/trace.h>
#include <hv/vcpu.h>
#include <hv/vm.h>
#include <sim_ram.h>

#define RAM_BASE 0x80000000ull
#define RAM_SIZE (16ull << 20)
#define ALL (BIT(SHYPER_TRACE_EVENTS) - 1)
#define SLOTS 64
#define READABLE (SLOTS - 2)

struct hart *hart_now;
struct hart harts[HARTS];
u32 hart_count;

static struct vm vm = { .id = 3 };
static struct vcpu vcpu = { .vm = &vm, .index = 2 }, other = { .vm = &vm, .index = 4 };
static u64 now;
static u32 errands, syncs;
static struct shyper_trace_read out;

/* ---- What the code under test needs of others ---- */

u64 arch_time(void)
{
	return now;
}

void hart_errand(struct hart *hart, u32 errand)
{
	assert_true(hart->online);
	errands += errand == ERRAND_TRACE;
}

void arch_harts_sync(const struct vm *of)
{
	assert_null(of);
	for (u32 i = 0; i < hart_count; i++)
		assert_null(harts[i].trace);
	syncs++;
}

/* ---- */

static u64 pages_free(void)
{
	struct page_counts counts;

	page_count(&counts);
	return counts.free;
}

static int set_up(void **state)
{
	struct page_span memory = { RAM_BASE, RAM_SIZE };

	(void)state;
	sim_ram_init(RAM_BASE, RAM_SIZE);
	assert_int_equal(page_init(&memory, 1, NULL, 0, NULL, 0), 0);
	memset(harts, 0, sizeof(harts));
	hart_count = 3;
	for (u32 i = 0; i < hart_count; i++)
		harts[i] = (struct hart){ .index = i, .hartid = 10 + i, .online = i != 1 };
	hart_now = &harts[0];
	now = 0;
	errands = syncs = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	trace_stop();
	sim_ram_exit();
	return 0;
}

static int read_from(u32 hart, u64 sequence)
{
	memset(&out, 0xa5, sizeof(out));
	out.hart = hart;
	out.sequence = sequence;
	return trace_read(&out);
}

static void refuses(void **state)
{
	static const u64 slots[] = { 0, 1, 32, 65, 96, 2 * SHYPER_TRACE_RING_MAX, 1ull << 32,
				     ~0ull };
	u64 before = pages_free();

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(slots); i++)
		assert_int_equal(trace_start(ALL, slots[i]), -EINVAL);
	assert_int_equal(trace_start(0, SLOTS), -EINVAL);
	assert_int_equal(trace_start(ALL + 1, SLOTS), -EINVAL);
	assert_int_equal(trace_start(BIT(63), SLOTS), -EINVAL);
	assert_int_equal(read_from(0, 0), -ENOENT);
	trace_stop();
	assert_int_equal(errands + syncs, 0);
	assert_false(tracing());
	assert_int_equal(pages_free(), before);
}

static void gives_back(void **state)
{
	u64 before = pages_free();

	(void)state;
	assert_int_equal(trace_start(ALL, SLOTS), 0);
	assert_int_equal(errands, 2);		/* not of the hart that is off */
	assert_true(tracing() && !harts[1].trace && harts[2].trace);
	assert_int_equal(trace_start(ALL, SLOTS), -EBUSY);
	assert_int_equal(read_from(hart_count, 0), -ENOENT);
	assert_int_equal(read_from(~0u, 0), -ENOENT);
	trace_stop();
	assert_int_equal(errands, 4);
	assert_int_equal(syncs, 1);
	assert_int_equal(pages_free(), before);
	assert_int_equal(trace_start(ALL, SLOTS), 0);
}

/* Room for one ring and not for two: none is left. */
static void out_of_memory(void **state)
{
	u64 ring = SHYPER_TRACE_RING_MAX * sizeof(struct shyper_trace_record), before;
	hpa_t at;

	(void)state;
	assert_int_equal(page_alloc(pages_free() * PAGE_SIZE - ALIGN_UP(ring * 3 / 2, PAGE_SIZE),
				    PAGE_SIZE, OWNER_HV, &at), 0);
	before = pages_free();
	assert_int_equal(trace_start(ALL, SHYPER_TRACE_RING_MAX), -ENOMEM);
	assert_int_equal(pages_free(), before);
	assert_false(tracing());
	assert_int_equal(trace_start(ALL, SLOTS), 0);
}

static void hart_that_is_off(void **state)
{
	(void)state;
	assert_int_equal(trace_start(ALL, SLOTS), 0);
	assert_int_equal(read_from(1, 77), 0);
	assert_int_equal(out.count, 0);
	assert_int_equal(out.lost, 0);
	assert_int_equal(out.hartid, 11);
}

static void only_wanted_events(void **state)
{
	(void)state;
	assert_int_equal(trace_start(BIT(SHYPER_TRACE_EXIT), SLOTS), 0);
	for (u8 event = 0; event < SHYPER_TRACE_EVENTS; event++)
		trace(event, &vcpu, 5, 6, 7);
	trace_switch(&vcpu);
	now = 99;
	assert_int_equal(read_from(0, 0), 0);
	assert_int_equal(out.count, 1);
	assert_int_equal(out.now, 99);
	assert_int_equal(out.record[0].event, SHYPER_TRACE_EXIT);
	assert_int_equal(out.record[0].vm, 3);
	assert_int_equal(out.record[0].vcpu, 2);
	assert_int_equal(out.record[0].detail, 5);
	assert_int_equal(out.record[0].value, 6);
	assert_int_equal(out.record[0].data, 7);
}

static void check_switch(const struct shyper_trace_record *r, u64 time, u32 from, u32 to, u64 left)
{
	assert_int_equal(r->event, SHYPER_TRACE_SWITCH);
	assert_int_equal(r->time, time);
	assert_int_equal(r->vm << 8 | r->vcpu, to);
	assert_int_equal(r->value, from);
	assert_int_equal(r->data, left);
}

static void switches(void **state)
{
	(void)state;
	now = 5;
	assert_int_equal(trace_start(ALL, SLOTS), 0);
	trace_switch(NULL);		/* idle it was */
	now = 10;
	trace_switch(&vcpu);
	now = 20;
	trace_left();
	now = 21;
	trace_switch(&vcpu);		/* nothing new */
	now = 30;
	trace_left();
	now = 31;
	trace_switch(&other);
	now = 40;
	trace_left();
	trace_switch(NULL);
	assert_int_equal(read_from(0, 0), 0);
	assert_int_equal(out.count, 3);
	check_switch(&out.record[0], 10, TRACE_IDLE, 0x302, 5);
	check_switch(&out.record[1], 31, 0x302, 0x304, 30);
	check_switch(&out.record[2], 40, 0x304, TRACE_IDLE, 40);
}

/* The whole record follows from its number. */
static void add_numbered(u64 n)
{
	now = 3 * n;
	trace((u8)(n % SHYPER_TRACE_EVENTS), n % 3 ? &vcpu : NULL, (u8)n, (u32)(n * 7), ~n);
}

static bool is_numbered(const struct shyper_trace_record *r, u64 n)
{
	return r->event == n % SHYPER_TRACE_EVENTS && r->vm == (n % 3 ? 3 : SHYPER_TRACE_NOBODY) &&
	       r->vcpu == (n % 3 ? 2 : 0xff) && r->detail == (u8)n && r->value == (u32)(n * 7) &&
	       r->data == ~n;
}

/* What a reader at `sequence` gets after `written` records. */
static void check_read(u64 sequence, u64 written)
{
	u64 asked = MIN(sequence, written);
	u64 first = written > READABLE ? MAX(asked, written - READABLE) : asked;

	assert_int_equal(read_from(0, sequence), 0);
	assert_int_equal(out.lost, first - asked);
	assert_int_equal(out.count, MIN(written - first, (u64)SHYPER_TRACE_CHUNK));
	assert_int_equal(out.sequence, first + out.count);
	for (u64 i = 0; i < out.count; i++)
		assert_true(is_numbered(&out.record[i], first + i) &&
			    out.record[i].time == 3 * (first + i));
	for (u64 i = out.count; i < SHYPER_TRACE_CHUNK; i++)
		assert_int_equal(out.record[i].data, 0);
}

static void overwrites_as_the_model(void **state)
{
	u64 written = 0, at = 0;

	(void)state;
	srand(1);
	assert_int_equal(trace_start(ALL, SLOTS), 0);
	for (u32 round = 0; round < 20000; round++) {
		for (u64 n = (u64)rand() % (round % 10 ? 40 : 200); n; n--)
			add_numbered(written++);
		check_read(at, written);
		at = out.sequence;
		if (round % 16 == 0)	/* anywhere, the future too */
			check_read((u64)rand() % (2 * written + 1), written);
	}
	check_read(~0ull, written);
	assert_int_equal(out.count, 0);
}

/* A ring of more records than one read takes. */
static void reads_in_pieces(void **state)
{
	(void)state;
	assert_int_equal(trace_start(ALL, 4096), 0);
	for (u64 n = 0; n < 1000; n++)
		add_numbered(n);
	for (u64 at = 0; at < 1000; at = out.sequence) {
		assert_int_equal(read_from(0, at), 0);
		assert_int_equal(out.count, MIN(1000 - at, (u64)SHYPER_TRACE_CHUNK));
		assert_int_equal(out.lost, 0);
		assert_true(is_numbered(&out.record[0], at));
	}
}

/* ---- Reader and writer at once ---- */

#define RACE 3000000ull

static bool written_all;

static void *write_all(void *arg)
{
	(void)arg;
	for (u64 n = 0; n < RACE; n++)
		add_numbered(n);
	__atomic_store_n(&written_all, true, __ATOMIC_RELEASE);
	return NULL;
}

static void tolerates_the_writer(void **state)
{
	u64 at = 0, got = 0, lost = 0;
	pthread_t writer;
	bool last;

	(void)state;
	assert_int_equal(trace_start(ALL, SLOTS), 0);
	written_all = false;
	assert_int_equal(pthread_create(&writer, NULL, write_all, NULL), 0);
	do {
		last = __atomic_load_n(&written_all, __ATOMIC_ACQUIRE);
		assert_int_equal(read_from(0, at), 0);
		at += out.lost;
		for (u64 i = 0; i < out.count; i++, at++)
			assert_true(is_numbered(&out.record[i], at));
		assert_int_equal(at, out.sequence);
		got += out.count;
		lost += out.lost;
	} while (!last);
	pthread_join(writer, NULL);
	assert_int_equal(got + lost, RACE);
	assert_true(got >= READABLE && lost > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(gives_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(out_of_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hart_that_is_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_wanted_events, set_up, tear_down),
		cmocka_unit_test_setup_teardown(switches, set_up, tear_down),
		cmocka_unit_test_setup_teardown(overwrites_as_the_model, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reads_in_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tolerates_the_writer, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
