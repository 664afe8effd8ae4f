/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32 against its definition, bit by bit, for every start alignment and short length.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hv/crc32.h>

static u32 by_definition(const u8 *data, size_t size)
{
	u32 crc = 0xffffffff;

	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

/* The check value of the CRC catalogues. */
static void test_known_value(void **state)
{
	(void)state;
	assert_int_equal(crc32(0, "123456789", 9), 0xcbf43926);
	assert_int_equal(crc32(0, "", 0), 0);
}

static void test_every_byte(void **state)
{
	(void)state;
	for (u32 i = 0; i < 256; i++) {
		const u8 words[8] = { (u8)i, 1, 2, 3, (u8)~i, (u8)i, 7, (u8)i };

		assert_int_equal(crc32(0, words, 8), by_definition(words, 8));
		assert_int_equal(crc32(0, words, 1), by_definition(words, 1));
	}
}

static void test_alignment_and_length(void **state)
{
	u8 data[96];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (u8)(i * 151 + 7);
	for (size_t start = 0; start < 16; start++) {
		for (size_t size = 0; size < 80; size++)
			assert_int_equal(crc32(0, data + start, size),
					 by_definition(data + start, size));
	}
}

static void test_in_pieces(void **state)
{
	static const u8 data[] = "a text that is taken in two pieces of every length";
	u32 whole = crc32(0, data, sizeof(data));

	(void)state;
	for (size_t n = 0; n <= sizeof(data); n++)
		assert_int_equal(crc32(crc32(0, data, n), data + n, sizeof(data) - n), whole);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_value),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_alignment_and_length),
		cmocka_unit_test(test_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
