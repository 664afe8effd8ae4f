/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * format() against snprintf(), the byte ring alone and between two threads, bitmaps against an
 * array of bool.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hv/bitmap.h>
#include <hv/format.h>
#include <hv/ring.h>

/* Both print the same and return the same, whatever the size of the buffer. */
#define check(...)                                                                       \
	do {                                                                             \
		char want[128], got[128];                                                \
		int n = snprintf(want, sizeof(want), __VA_ARGS__);                       \
		assert_int_equal(format(got, sizeof(got), __VA_ARGS__), n);              \
		assert_string_equal(got, want);                                          \
		for (size_t size = 0; size < 40; size++) {                               \
			memset(want, 'w', sizeof(want));                                 \
			memset(got, 'w', sizeof(got));                                   \
			snprintf(want, size, "%s", "");                                  \
			(void)snprintf(want, size, __VA_ARGS__);                         \
			assert_int_equal(format(got, size, __VA_ARGS__), n);             \
			assert_memory_equal(got, want, sizeof(got));                     \
		}                                                                        \
	} while (0)

#pragma GCC diagnostic ignored "-Wformat-truncation"

static void format_integers(void **state)
{
	static const long long values[] = {
		0, 1, -1, 9, 10, 127, 128, -128, 255, 256, 32767, -32768, 65535, INT_MAX, INT_MIN,
		UINT_MAX, LLONG_MAX, LLONG_MIN, 0x123456789abcdefLL,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		long long v = values[i];

		check("%d|%i|%u|%x|%X", (int)v, (int)v, (unsigned int)v, (unsigned int)v,
		      (unsigned int)v);
		check("%hhd %hhu %hhx", (signed char)v, (unsigned char)v, (unsigned char)v);
		check("%hd %hu %hX", (short)v, (unsigned short)v, (unsigned short)v);
		check("%ld %lu %lx", (long)v, (unsigned long)v, (unsigned long)v);
		check("%lld %llu", v, (unsigned long long)v);
		check("%llx %zx", (unsigned long long)v, (size_t)v);
		check("[%5d]", (int)v);
		check("[%-5d]", (int)v);
		check("[%05d]", (int)v);
		check("[%020lld]", v);
		check("[%-20llx]", (unsigned long long)v);
		check("[%*d]", 7, (int)v);
		check("[%*d]", -7, (int)v);
		check("%zu", (size_t)v);
	}
}

static void format_text(void **state)
{
	(void)state;
	check("plain");
	check("%s", "");
	check("%s and %s", "one", "two");
	check("[%8s]", "abc");
	check("[%-8s]", "abc");
	check("[%2s]", "abc");
	check("[%.2s]", "abc");
	check("[%.0s]", "abc");
	check("[%.s]", "abc");
	check("[%8.2s]", "abc");
	check("[%-8.2s]", "abc");
	check("[%.*s]", 2, "abc");
	check("[%.*s]", -1, "abc");
	check("[%*.*s]", 6, 1, "abc");
	check("%c%c", 'x', 'y');
	check("[%3c][%-3c]", 'x', 'y');
	check("100%%");
	check("%p", (void *)state);
	check("[%20p]", (void *)state);
}

/* A text without its NUL is not read beyond the precision. */
static void format_stays_inside_precision(void **state)
{
	char got[8], *text = malloc(3);

	(void)state;
	assert_non_null(text);
	memcpy(text, "abc", 3);
	assert_int_equal(format(got, sizeof(got), "%.3s", text), 3);
	assert_string_equal(got, "abc");
	free(text);
}

static void format_own_choices(void **state)
{
	char got[32];
	const char *volatile none = NULL, *volatile odd = "%y %";

	(void)state;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
	format(got, sizeof(got), odd);
	assert_string_equal(got, "%y %");
#pragma GCC diagnostic pop
	format(got, sizeof(got), "%s", none);
	assert_string_equal(got, "(null)");
	format(got, sizeof(got), "%p", (void *)NULL);
	assert_string_equal(got, "0x0");
	assert_int_equal(format(NULL, 0, "%d", 12345), 5);
}

static void ring_keeps_order(void **state)
{
	u8 data[8], byte, out[8];
	struct ring ring;

	(void)state;
	ring_init(&ring, data, sizeof(data));
	/* The indices wrap around 2^32 on the way. */
	ring.head = ring.tail = (u32)-20;
	for (u8 round = 0; round < 10; round++) {
		assert_false(ring_get(&ring, &byte));
		for (u8 i = 0; i < 8; i++) {
			assert_int_equal(ring_used(&ring), i);
			assert_int_equal(ring_space(&ring), 8 - i);
			assert_true(ring_put(&ring, (u8)(round + i)));
		}
		assert_false(ring_put(&ring, 0));
		assert_int_equal(ring_write(&ring, "x", 1), 0);
		for (u8 i = 0; i < 5; i++) {
			assert_true(ring_get(&ring, &byte));
			assert_int_equal(byte, round + i);
		}
		assert_int_equal(ring_write(&ring, "0123456789", 10), 5);
		assert_int_equal(ring_read(&ring, out, 6), 6);
		assert_memory_equal(out + 3, "012", 3);
		assert_int_equal(ring_read(&ring, out, 8), 2);
		assert_memory_equal(out, "34", 2);
	}
}

#define STREAM 200000u

static void *produce(void *arg)
{
	struct ring *ring = arg;
	u8 chunk[5];
	u32 sent = 0;

	while (sent < STREAM) {
		u32 n = 0;

		while (n < sizeof(chunk) && sent + n < STREAM) {
			chunk[n] = (u8)((sent + n) * 31);
			n++;
		}
		n = sent % 3 ? ring_write(ring, chunk, n) : ring_put(ring, chunk[0]);
		if (!n)
			sched_yield();
		sent += n;
	}
	return NULL;
}

static void ring_between_threads(void **state)
{
	u8 data[64], out[7];
	struct ring ring;
	pthread_t producer;
	u32 received = 0;

	(void)state;
	ring_init(&ring, data, sizeof(data));
	assert_int_equal(pthread_create(&producer, NULL, produce, &ring), 0);
	while (received < STREAM) {
		u32 n = received % 2 ? ring_read(&ring, out, sizeof(out)) : ring_get(&ring, out);

		for (u32 i = 0; i < n; i++)
			assert_int_equal(out[i], (u8)((received + i) * 31));
		if (!n)
			sched_yield();
		received += n;
	}
	pthread_join(producer, NULL);
	assert_int_equal(ring_used(&ring), 0);
}

enum { BITS = 200 };

static void compare_bits(const u64 *map, const bool *model)
{
	u32 zero = 0;

	for (u32 from = 0, next; from < BITS; from++) {
		for (next = from; next < BITS && !model[next]; next++)
			;
		assert_int_equal(bitmap_find_next(map, BITS, from), next);
		assert_int_equal(bitmap_test(map, from), model[from]);
	}
	while (zero < BITS && model[zero])
		zero++;
	assert_int_equal(bitmap_find_zero(map, BITS), zero);
	assert_int_equal(bitmap_find_first(map, BITS), bitmap_find_next(map, BITS, 0));
}

static void bitmap_agrees_with_model(void **state)
{
	u64 map[BITMAP_WORDS(BITS)] = { 0 };
	bool model[BITS] = { false };

	(void)state;
	srand(1);
	compare_bits(map, model);
	for (u32 step = 0; step < 4000; step++) {
		u32 bit = (u32)rand() % BITS;
		bool value = rand() % 4000 < (int)step, old = model[bit];

		if (step % 3 == 0)
			bitmap_assign(map, bit, value);
		else if (value)
			assert_int_equal(bitmap_set_atomic(map, bit), old);
		else
			assert_int_equal(bitmap_clear_atomic(map, bit), old);
		model[bit] = value;
		if (step % 16 == 0)
			compare_bits(map, model);
	}
}

static void bitmap_ends(void **state)
{
	u64 map[2] = { ~(u64)0, ~(u64)0 };

	(void)state;
	assert_int_equal(BITMAP_WORDS(0), 0);
	assert_int_equal(BITMAP_WORDS(64), 1);
	assert_int_equal(BITMAP_WORDS(65), 2);
	assert_int_equal(bitmap_find_zero(map, 100), 100);
	assert_int_equal(bitmap_find_next(map, 100, 100), 100);
	map[0] = map[1] = 0;
	bitmap_set(map, 101);
	assert_int_equal(bitmap_find_first(map, 100), 100);
	assert_int_equal(bitmap_find_first(map, 102), 101);
	assert_int_equal(bitmap_find_first(map, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format_integers),
		cmocka_unit_test(format_text),
		cmocka_unit_test(format_stays_inside_precision),
		cmocka_unit_test(format_own_choices),
		cmocka_unit_test(ring_keeps_order),
		cmocka_unit_test(ring_between_threads),
		cmocka_unit_test(bitmap_agrees_with_model),
		cmocka_unit_test(bitmap_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
