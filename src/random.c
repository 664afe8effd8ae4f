/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ChaCha20 (RFC 8439) keyed by the boot seed; the key is replaced by part of its own output after
 * every use, so earlier output cannot be computed from a later state.
 */
#include <hv/random.h>
#include <hv/spinlock.h>
#include <hv/string.h>
#include <hv/timer.h>

static struct {
	struct spinlock lock;
	u32 key[8];	/* under the lock */
	u64 uses;
} pool;

static u32 rotate(u32 x, u32 n)
{
	return x << n | x >> (32 - n);
}

/* In registers: a block is made in 80 of these. */
static inline __attribute__((always_inline)) void quarter(u32 *s, u32 a, u32 b, u32 c, u32 d)
{
	s[a] += s[b]; s[d] = rotate(s[d] ^ s[a], 16);
	s[c] += s[d]; s[b] = rotate(s[b] ^ s[c], 12);
	s[a] += s[b]; s[d] = rotate(s[d] ^ s[a], 8);
	s[c] += s[d]; s[b] = rotate(s[b] ^ s[c], 7);
}

static void block(u32 out[16], const u32 key[8], u64 counter, u64 nonce)
{
	u32 in[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };

	memcpy(&in[4], key, 32);
	in[12] = (u32)counter;
	in[13] = (u32)(counter >> 32);
	in[14] = (u32)nonce;
	in[15] = (u32)(nonce >> 32);
	memcpy(out, in, sizeof(in));
	for (u32 i = 0; i < 10; i++) {
#pragma GCC unroll 4
		for (u32 j = 0; j < 4; j++)
			quarter(out, j, 4 + j, 8 + j, 12 + j);
#pragma GCC unroll 4
		for (u32 j = 0; j < 4; j++)
			quarter(out, j, 4 + (j + 1) % 4, 8 + (j + 2) % 4, 12 + (j + 3) % 4);
	}
	for (u32 i = 0; i < 16; i++)
		out[i] += in[i];
}

void random_init(const u8 *seed, size_t size)
{
	u8 *key = (u8 *)pool.key;

	for (size_t i = 0; i < size; i++)
		key[i % sizeof(pool.key)] ^= seed[i];
}

void random_bytes(u8 *buf, size_t size)
{
	u32 out[16];

	spin_lock(&pool.lock);
	while (size) {
		size_t n = MIN(size, sizeof(out) / 2);

		/* Half becomes the next key, half is given away. */
		block(out, pool.key, pool.uses++, arch_time());
		memcpy(pool.key, out, sizeof(pool.key));
		memcpy(buf, &out[8], n);
		buf += n;
		size -= n;
	}
	spin_unlock(&pool.lock);
	memset(out, 0, sizeof(out));
}
