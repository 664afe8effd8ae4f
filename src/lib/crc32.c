/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32, four bytes a step: kernels of many megabytes are checked at every boot, also under
 * emulation. Table k advances a byte by k more zero bytes. The checksum is linear, so each table
 * follows from its entries for the eight single bits, which are all that is written down here.
 */
#include <hv/crc32.h>

#include <hv/string.h>

#define IF(i, bit, entry) ((i) & (bit) ? (entry) : 0)
#define ENTRY(i, a, b, c, d, e, f, g, h)                                                   \
	(IF(i, 1, a) ^ IF(i, 2, b) ^ IF(i, 4, c) ^ IF(i, 8, d) ^ IF(i, 16, e) ^            \
	 IF(i, 32, f) ^ IF(i, 64, g) ^ IF(i, 128, h))
#define ENTRIES4(i, ...)                                                                   \
	ENTRY(i, __VA_ARGS__), ENTRY(i + 1, __VA_ARGS__), ENTRY(i + 2, __VA_ARGS__),       \
	ENTRY(i + 3, __VA_ARGS__)
#define ENTRIES16(i, ...)                                                                  \
	ENTRIES4(i, __VA_ARGS__), ENTRIES4(i + 4, __VA_ARGS__),                            \
	ENTRIES4(i + 8, __VA_ARGS__), ENTRIES4(i + 12, __VA_ARGS__)
#define ENTRIES64(i, ...)                                                                  \
	ENTRIES16(i, __VA_ARGS__), ENTRIES16(i + 16, __VA_ARGS__),                         \
	ENTRIES16(i + 32, __VA_ARGS__), ENTRIES16(i + 48, __VA_ARGS__)
#define TABLE(...)                                                                         \
	{ ENTRIES64(0, __VA_ARGS__), ENTRIES64(64, __VA_ARGS__),                           \
	  ENTRIES64(128, __VA_ARGS__), ENTRIES64(192, __VA_ARGS__) }

static const u32 table[4][256] = {
	TABLE(0x77073096, 0xee0e612c, 0x076dc419, 0x0edb8832,
	      0x1db71064, 0x3b6e20c8, 0x76dc4190, 0xedb88320),
	TABLE(0x191b3141, 0x32366282, 0x646cc504, 0xc8d98a08,
	      0x4ac21251, 0x958424a2, 0xf0794f05, 0x3b83984b),
	TABLE(0x01c26a37, 0x0384d46e, 0x0709a8dc, 0x0e1351b8,
	      0x1c26a370, 0x384d46e0, 0x709a8dc0, 0xe1351b80),
	TABLE(0xb8bc6765, 0xaa09c88b, 0x8f629757, 0xc5b428ef,
	      0x5019579f, 0xa032af3e, 0x9b14583d, 0xed59b63b),
};

static u32 step1(u32 crc, u8 byte)
{
	return crc >> 8 ^ table[0][(crc ^ byte) & 0xff];
}

/* p is 4-byte aligned. The word's bytes come in memory order, as on every little-endian machine. */
static u32 step4(u32 crc, const u8 *p)
{
	u32 word;

	memcpy(&word, __builtin_assume_aligned(p, 4), 4);
	crc ^= word;
	return table[3][crc & 0xff] ^ table[2][crc >> 8 & 0xff] ^ table[1][crc >> 16 & 0xff] ^
	       table[0][crc >> 24];
}

u32 crc32(u32 crc, const void *data, size_t size)
{
	const u8 *p = data, *end = p + size;

	crc = ~crc;
	for (; p < end && (uintptr_t)p % 4; p++)
		crc = step1(crc, *p);
	for (; end - p >= 4; p += 4)
		crc = step4(crc, p);
	for (; p < end; p++)
		crc = step1(crc, *p);
	return ~crc;
}
