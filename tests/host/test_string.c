/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * src/lib/string.c against the C library, under other names: every alignment of both pointers,
 * every length around the word and the unrolled round, at the very ends of heap blocks, so that
 * ASan sees a byte too many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define memcpy hv_memcpy
#define memmove hv_memmove
#define memset hv_memset
#define memcmp hv_memcmp
#define memchr hv_memchr
#define strlen hv_strlen
#define strnlen hv_strnlen
#define strcmp hv_strcmp
#define strncmp hv_strncmp
#define strchr hv_strchr
#define strrchr hv_strrchr
#define strtoul hv_strtoul
#include "../../src/lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strtoul

#define LONGEST 200

/* A heap block of exactly size bytes behind skew others, in a pattern; free(block - skew). */
static u8 *block(size_t skew, size_t size, u8 seed)
{
	u8 *p = malloc(skew + size + !size);

	assert_non_null(p);
	for (size_t i = 0; i < skew + size; i++)
		p[i] = (u8)(seed + i * 7);
	return p + skew;
}

static void memset_fills_exactly(void **state)
{
	u8 want[LONGEST];

	(void)state;
	memset(want, 0xa5, sizeof(want));
	for (size_t skew = 0; skew < 8; skew++) {
		for (size_t n = 0; n < LONGEST; n++) {
			u8 *p = block(skew, n, 1);

			assert_ptr_equal(hv_memset(p, 0x1a5, n), p);
			assert_memory_equal(p, want, n);
			for (size_t i = 0; i < skew; i++)
				assert_int_equal(p[i - skew], (u8)(1 + i * 7));
			free(p - skew);
		}
	}
}

static void memcpy_copies_exactly(void **state)
{
	(void)state;
	for (size_t skew = 0; skew < 64; skew++) {
		for (size_t n = 0; n < LONGEST; n++) {
			u8 *d = block(skew % 8, n, 1), *s = block(skew / 8, n, 99);

			assert_ptr_equal(hv_memcpy(d, s, n), d);
			assert_memory_equal(d, s, n);
			free(d - skew % 8);
			free(s - skew / 8);
		}
	}
}

static void memcpy_copies_much(void **state)
{
	size_t n = 1 << 20;

	(void)state;
	for (size_t skew = 0; skew < 64; skew++) {
		u8 *d = block(skew % 8, n, 1), *s = block(skew / 8, n, 99);

		for (size_t i = 0; i < n; i++)
			s[i] = (u8)rand();
		hv_memcpy(d, s, n);
		assert_memory_equal(d, s, n);
		free(d - skew % 8);
		free(s - skew / 8);
	}
}

static void memmove_survives_overlap(void **state)
{
	enum { SPAN = 64 };
	u8 *got = block(0, 3 * SPAN, 5), *want = block(0, 3 * SPAN, 5);

	(void)state;
	for (size_t from = 0; from < SPAN; from++) {
		for (size_t to = 0; to < SPAN; to++) {
			for (size_t n = 0; n < 2 * SPAN; n += 3) {
				assert_ptr_equal(hv_memmove(got + to, got + from, n), got + to);
				memmove(want + to, want + from, n);
				assert_memory_equal(got, want, 3 * SPAN);
			}
		}
	}
	free(got);
	free(want);
}

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

static const char *const words[] = {
	"", "a", "b", "ab", "abc", "abd", "abcd", "\x80", "\x7f", "a\xff", "aa", "ba", "aab",
};

static void comparisons_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(words); j++) {
			const char *a = words[i], *b = words[j];
			size_t both = MIN(strlen(a), strlen(b)) + 1;

			assert_int_equal(sign(hv_strcmp(a, b)), sign(strcmp(a, b)));
			for (size_t n = 0; n < 6; n++)
				assert_int_equal(sign(hv_strncmp(a, b, n)), sign(strncmp(a, b, n)));
			for (size_t n = 0; n <= both; n++)
				assert_int_equal(sign(hv_memcmp(a, b, n)), sign(memcmp(a, b, n)));
		}
	}
}

static void searches_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *s = words[i];
		size_t n = strlen(s) + 1;

		assert_int_equal(hv_strlen(s), n - 1);
		for (size_t max = 0; max < 6; max++)
			assert_int_equal(hv_strnlen(s, max), strnlen(s, max));
		for (int c = CHAR_MIN; c <= UCHAR_MAX; c++) {
			assert_ptr_equal(hv_strchr(s, c), strchr(s, c));
			assert_ptr_equal(hv_strrchr(s, c), strrchr(s, c));
			assert_ptr_equal(hv_memchr(s, c, n), memchr(s, c, n));
			assert_null(hv_memchr(s, c, 0));
		}
	}
}

static void strtoul_agrees(void **state)
{
	static const char *const numbers[] = {
		"", "0", "1", "42", "  \t\n42", "+7", "-7", "- 7", "0x", "0x1f", "0X1Fg", "0xg",
		"077", "08", "zz", "ZZ", "12abc", "18446744073709551615", "18446744073709551616",
		"-18446744073709551615", "-1", "99999999999999999999999", "0xffffffffffffffff",
		"0x10000000000000000", "x", "+", "0b1", "1e3", "\v\f\r1",
	};
	static const int bases[] = { 0, 2, 8, 10, 16, 36 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(bases); j++) {
			char *end, *hv_end;
			unsigned long want = strtoul(numbers[i], &end, bases[j]);

			assert_true(hv_strtoul(numbers[i], &hv_end, bases[j]) == want);
			assert_ptr_equal(hv_end, end);
			assert_true(hv_strtoul(numbers[i], NULL, bases[j]) == want);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memset_fills_exactly),
		cmocka_unit_test(memcpy_copies_exactly),
		cmocka_unit_test(memcpy_copies_much),
		cmocka_unit_test(memmove_survives_overlap),
		cmocka_unit_test(comparisons_agree),
		cmocka_unit_test(searches_agree),
		cmocka_unit_test(strtoul_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
