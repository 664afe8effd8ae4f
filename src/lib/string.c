/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The string functions of hv/string.h. VM memory is zeroed and images are copied with these, so
 * the bulk moves in aligned 8-byte words, eight to a round; never misaligned, which the hardware
 * may trap to the firmware, and never a byte outside the arguments.
 */
#include <hv/string.h>

/* Without this the compiler finds that memset() is a memset and makes it call itself. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

#define WORD sizeof(word_t)
#define ROUND (8 * WORD)

typedef u64 __attribute__((may_alias)) word_t;
typedef u32 __attribute__((may_alias)) half_t;
typedef u16 __attribute__((may_alias)) quarter_t;

static size_t misalignment(const void *p)
{
	return (uintptr_t)p % WORD;
}

static word_t *set_words(word_t *d, word_t value, size_t n)
{
	for (; n >= ROUND; n -= ROUND, d += 8) {
		d[0] = value;
		d[1] = value;
		d[2] = value;
		d[3] = value;
		d[4] = value;
		d[5] = value;
		d[6] = value;
		d[7] = value;
	}
	for (; n >= WORD; n -= WORD)
		*d++ = value;
	return d;
}

void *memset(void *dst, int c, size_t n)
{
	u8 *d = dst;
	u8 byte = (u8)c;

	for (; n && misalignment(d); n--)
		*d++ = byte;
	d = (u8 *)set_words((word_t *)(void *)d, byte * (~(word_t)0 / 0xff), n);
	for (n %= WORD; n; n--)
		*d++ = byte;
	return dst;
}

/* Both pointers are aligned; copies the whole words among n bytes. */
static void copy_words(word_t *d, const word_t *s, size_t n)
{
	for (; n >= ROUND; n -= ROUND, d += 8, s += 8) {
		word_t a = s[0], b = s[1], c = s[2], e = s[3];

		d[0] = a;
		d[1] = b;
		d[2] = c;
		d[3] = e;
		a = s[4];
		b = s[5];
		c = s[6];
		e = s[7];
		d[4] = a;
		d[5] = b;
		d[6] = c;
		d[7] = e;
	}
	for (; n >= WORD; n -= WORD)
		*d++ = *s++;
}

/* What is left behind the words: less than one. */
static void copy_rest(u8 *d, const u8 *s, size_t n)
{
	if (n & 4) {
		*(half_t *)(void *)d = *(const half_t *)(const void *)s;
		d += 4;
		s += 4;
	}
	if (n & 2) {
		*(quarter_t *)(void *)d = *(const quarter_t *)(const void *)s;
		d += 2;
		s += 2;
	}
	if (n & 1)
		*d = *s;
}

/* A word of which `held` are the lower bytes and `word` begins the upper ones, up bits higher. */
static inline word_t join(word_t held, word_t word, u32 up)
{
	return held >> (64 - up) | word << up;
}

/*
 * d is aligned, s is not: each word is put together from two aligned ones. The first of them
 * begins before s, so its part is gathered by bytes. Returns the number of bytes copied.
 */
static size_t copy_shifted(word_t *d, const u8 *s, size_t n)
{
	size_t first = WORD - misalignment(s), left = n;
	const word_t *next = (const word_t *)(const void *)(s + first);
	u32 up = 8 * (u32)first;
	word_t held = 0;

	if (n < first + WORD)
		return 0;
	for (size_t i = 0; i < first; i++)
		held = held >> 8 | (word_t)s[i] << 56;
	for (; left >= first + 4 * WORD; left -= 4 * WORD, d += 4, next += 4) {
		word_t a = next[0], b = next[1], c = next[2], e = next[3];

		d[0] = join(held, a, up);
		d[1] = join(a, b, up);
		d[2] = join(b, c, up);
		d[3] = join(c, e, up);
		held = e;
	}
	for (; left >= first + WORD; left -= WORD) {
		*d++ = join(held, *next, up);
		held = *next++;
	}
	return n - left;
}

/* The rest of memcpy() where only d is aligned. Apart, so that it costs the usual case nothing. */
static __noinline void *copy_skewed(void *dst, u8 *d, const u8 *s, size_t n)
{
	size_t bulk = copy_shifted((word_t *)(void *)d, s, n);

	for (d += bulk, s += bulk, n -= bulk; n; n--)
		*d++ = *s++;
	return dst;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;
	size_t bulk;

	for (; n && misalignment(d); n--)
		*d++ = *s++;
	if (misalignment(s))
		return copy_skewed(dst, d, s, n);
	bulk = n - n % WORD;
	copy_words((word_t *)(void *)d, (const word_t *)(const void *)s, bulk);
	copy_rest(d + bulk, s + bulk, n - bulk);
	return dst;
}

static void move_up(u8 *d, const u8 *s, size_t n)
{
	d += n;
	s += n;
	if (misalignment(d) == misalignment(s)) {
		for (; n && misalignment(d); n--)
			*--d = *--s;
		for (; n >= WORD; n -= WORD) {
			d -= WORD;
			s -= WORD;
			*(word_t *)(void *)d = *(const word_t *)(const void *)s;
		}
	}
	for (; n; n--)
		*--d = *--s;
}

static void move_down(u8 *d, const u8 *s, size_t n)
{
	if (misalignment(d) == misalignment(s)) {
		for (; n && misalignment(d); n--)
			*d++ = *s++;
		for (; n >= WORD; n -= WORD, d += WORD, s += WORD)
			*(word_t *)(void *)d = *(const word_t *)(const void *)s;
	}
	for (; n; n--)
		*d++ = *s++;
}

void *memmove(void *dst, const void *src, size_t n)
{
	uintptr_t d = (uintptr_t)dst, s = (uintptr_t)src;

	if (d - s >= n && s - d >= n)
		return memcpy(dst, src, n);
	if (d < s)
		move_down(dst, src, n);
	else
		move_up(dst, src, n);
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n; n--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	for (const u8 *p = s; n; n--, p++) {
		if (*p == (u8)c)
			return (void *)(uintptr_t)p;
	}
	return NULL;
}

size_t strlen(const char *s)
{
	const char *end = s;

	while (*end)
		end++;
	return (size_t)(end - s);
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++) {
		if (*a != *b || !*a)
			return (u8)*a - (u8)*b;
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++) {
		if (!*s)
			return NULL;
	}
	return (char *)(uintptr_t)s;
}

char *strrchr(const char *s, int c)
{
	const char *found = NULL;

	do {
		if (*s == (char)c)
			found = s;
	} while (*s++);
	return (char *)(uintptr_t)found;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The value of a digit or letter; 36, which is above every base, for all else. */
static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'z')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'Z')
		return (unsigned int)(c - 'A') + 10;
	return 36;
}

/* Skips "0x" when a digit follows it, and settles base 0. */
static const char *skip_prefix(const char *s, unsigned int *base)
{
	if ((*base == 0 || *base == 16) && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') &&
	    digit_value(s[2]) < 16) {
		*base = 16;
		return s + 2;
	}
	if (*base == 0)
		*base = *s == '0' ? 8 : 10;
	return s;
}

/* Saturates at ULONG_MAX as ISO C wants it; there is no errno here. */
unsigned long strtoul(const char *s, char **end, int base)
{
	unsigned int radix = (unsigned int)base;
	unsigned long value = 0;
	const char *p = s;
	bool negative, any = false, overflow = false;

	while (is_space(*p))
		p++;
	negative = *p == '-';
	if (*p == '-' || *p == '+')
		p++;
	p = skip_prefix(p, &radix);
	for (; digit_value(*p) < radix; p++, any = true) {
		overflow |= __builtin_mul_overflow(value, radix, &value);
		overflow |= __builtin_add_overflow(value, digit_value(*p), &value);
	}
	if (end)
		*end = (char *)(uintptr_t)(any ? p : s);
	if (overflow)
		return ~0UL;
	return negative ? -value : value;
}
