/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ISA strings, as old and new firmware writes them.
 */
#include <hv/isa.h>

#include <hv/errno.h>
#include <hv/string.h>

/* What "g" stands for. */
static const char *const general[] = { "i", "m", "a", "f", "d", "zicsr", "zifencei" };

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

bool isa_begin(struct isa_cursor *cursor, const char *isa)
{
	if (lower(isa[0]) != 'r' || lower(isa[1]) != 'v' || isa[2] != '6' || isa[3] != '4')
		return false;
	*cursor = (struct isa_cursor){ .rest = isa + 4 };
	return lower(isa[4]) == 'i' || lower(isa[4]) == 'g';
}

/* Length of a long name without the version ("2" or "2p1") at its end; no name ends in a digit. */
static size_t without_version(const char *name, size_t len)
{
	size_t n = len;

	while (n > 0 && is_digit(name[n - 1]))
		n--;
	if (n == len || n < 2 || lower(name[n - 1]) != 'p' || !is_digit(name[n - 2]))
		return n;
	for (n--; n > 0 && is_digit(name[n - 1]);)
		n--;
	return n;
}

/* "2" or "2p1" behind a single letter; a "p" that no digit follows is the next extension. */
static const char *skip_version(const char *p)
{
	while (is_digit(*p))
		p++;
	if (lower(*p) == 'p' && is_digit(p[-1]) && is_digit(p[1])) {
		for (p++; is_digit(*p);)
			p++;
	}
	return p;
}

/*
 * A name of several letters begins with s, x or z. Old QEMU also wrote the modes "su" among the
 * single letters; no extension of several letters starts so there, and the two are skipped.
 */
static bool starts_long_name(const char *p, bool after_underscore)
{
	char c = lower(*p);

	return c == 'x' || c == 'z' || (c == 's' && (after_underscore || lower(p[1]) != 'u'));
}

/* Copies the name at rest, moves past it. False: it is too long. */
static bool take_long_name(struct isa_cursor *cursor, char *name)
{
	const char *start = cursor->rest;
	size_t len = 0;

	while (is_letter(start[len]) || is_digit(start[len]))
		len++;
	cursor->rest += len;
	len = without_version(start, len);
	if (len >= ISA_NAME)
		return false;
	for (size_t i = 0; i < len; i++)
		name[i] = lower(start[i]);
	name[len] = 0;
	return true;
}

static void take_general(struct isa_cursor *cursor, char *name)
{
	const char *text = general[ARRAY_SIZE(general) - cursor->pending];

	cursor->pending--;
	memcpy(name, text, strlen(text) + 1);
}

/* One letter. False: it is not to be delivered. */
static bool take_letter(struct isa_cursor *cursor, char *name)
{
	char c = lower(*cursor->rest);

	cursor->rest = skip_version(cursor->rest + 1);
	if (c == 'g') {
		cursor->pending = ARRAY_SIZE(general);
		take_general(cursor, name);
		return true;
	}
	name[0] = c;
	name[1] = 0;
	return c != 's' && c != 'u';
}

bool isa_next(struct isa_cursor *cursor, char name[ISA_NAME])
{
	for (;;) {
		bool underscore = *cursor->rest == '_';

		if (cursor->pending) {
			take_general(cursor, name);
			return true;
		}
		if (underscore)
			cursor->rest++;
		if (!is_letter(*cursor->rest))
			return false;
		if (starts_long_name(cursor->rest, underscore) ? take_long_name(cursor, name)
							       : take_letter(cursor, name))
			return true;
	}
}

bool isa_has(const char *isa, const char *extension)
{
	struct isa_cursor cursor;
	char name[ISA_NAME];

	if (!isa_begin(&cursor, isa))
		return false;
	while (isa_next(&cursor, name)) {
		if (!strcmp(name, extension))
			return true;
	}
	return false;
}

int isa_append(char *isa, size_t size, const char *name)
{
	size_t at = strlen(isa), len = strlen(name);
	size_t mark = len > 1;

	if (at + mark + len >= size)
		return -E2BIG;
	if (mark)
		isa[at] = '_';
	memcpy(isa + at + mark, name, len + 1);
	return 0;
}
