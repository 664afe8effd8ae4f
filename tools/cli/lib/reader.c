/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON values into C. */
#include "reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void compose(const struct reader *r, const struct where *where, bool key, char *buf,
		    size_t size, const char *fmt, va_list ap)
{
	size_t used;

	document_position(r->doc, where, key, buf, size);
	used = strlen(buf);
	if (!where || key)
		snprintf(buf + used, size - used, ": ");
	else if (where->key)
		snprintf(buf + used, size - used, ": %s: ", where->key);
	else
		snprintf(buf + used, size - used, ": %s[%zu]: ",
			 where->up && where->up->key ? where->up->key : "", where->index);
	used = strlen(buf);
	vsnprintf(buf + used, size - used, fmt, ap);
}

int reader_refuse(struct reader *r, const struct where *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	compose(r, where, false, r->error->text, sizeof(r->error->text), fmt, ap);
	va_end(ap);
	return -1;
}

int reader_refuse_key(struct reader *r, const struct where *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	compose(r, where, true, r->error->text, sizeof(r->error->text), fmt, ap);
	va_end(ap);
	return -1;
}

void reader_note(struct reader *r, const struct where *where, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	compose(r, where, false, text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(r->notes, json_string(text));
}

/* --- Objects and lists ----------------------------------------------------------------------- */

static size_t count_keys(const struct key *keys)
{
	size_t n = 0;

	while (keys[n].name)
		n++;
	return n;
}

static bool is_listed(const struct key *keys, const char *name)
{
	for (; keys->name; keys++) {
		if (!strcmp(keys->name, name))
			return true;
	}
	return false;
}

static int refuse_unknown(struct reader *r, const struct where *where, const char *name,
			  const struct key *keys)
{
	const struct where at = { where, name, 0 };
	const char *meant = similar(name, keys, count_keys(keys), sizeof(*keys));

	if (meant)
		return reader_refuse_key(r, &at, "unknown key \"%s\"; did you mean \"%s\"?", name,
					 meant);
	return reader_refuse_key(r, &at, "unknown key \"%s\"", name);
}

int reader_object(struct reader *r, const struct where *where, const json_t *value,
		  const struct key *keys, bool strict, void *into)
{
	const char *name;
	json_t *member;

	if (!json_is_object(value))
		return reader_refuse(r, where, "must be an object {…}");
	if (strict) {
		json_object_foreach((json_t *)value, name, member) {
			if (!is_listed(keys, name))
				return refuse_unknown(r, where, name, keys);
		}
	}
	for (; keys->name; keys++) {
		const struct where at = { where, keys->name, 0 };

		member = json_object_get(value, keys->name);
		if (!member && keys->required)
			return reader_refuse(r, where, "\"%s\" is missing", keys->name);
		if (member && keys->read(r, &at, member, into))
			return -1;
	}
	return 0;
}

int reader_list(struct reader *r, const struct where *where, const json_t *value, size_t max,
		int (*read)(struct reader *r, const struct where *where, const json_t *value,
			    void *into),
		void *into)
{
	if (!json_is_array(value))
		return reader_refuse(r, where, "must be a list […]");
	if (json_array_size(value) > max)
		return reader_refuse(r, where, "has %zu items; at most %zu are possible",
				     json_array_size(value), max);
	for (size_t i = 0; i < json_array_size(value); i++) {
		const struct where at = { where, NULL, i };

		if (read(r, &at, json_array_get(value, i), into))
			return -1;
	}
	return 0;
}

/* --- Values ---------------------------------------------------------------------------------- */

/* The whole text as a number; rest points to what follows when it may have a unit. */
static bool parse_number(const char *text, uint64_t *out, char **rest)
{
	int base = 10;
	const char *digits = text;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		base = 16;
	else if (text[0] == '0' && (text[1] == 'b' || text[1] == 'B'))
		base = 2;
	if (base != 10)
		digits += 2;
	/* strtoull() would take blanks, signs and a second 0x. */
	if (!strchr(base == 16 ? "0123456789abcdefABCDEF" : "0123456789", *digits) || !*digits ||
	    digits[1] == 'x' || digits[1] == 'X')
		return false;
	errno = 0;
	*out = strtoull(digits, rest, base);
	return !errno && *rest != digits;
}

static int value_number(struct reader *r, const struct where *where, const json_t *value,
			uint64_t *out, char **rest)
{
	static char none[] = "";

	*rest = none;
	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		*out = (uint64_t)json_integer_value(value);
		return 0;
	}
	if (json_is_number(value))
		return reader_refuse(r, where, "must be a whole number that is not negative");
	if (!json_is_string(value))
		return reader_refuse(r, where, "must be a number or a text like \"0x80000000\"");
	if (!parse_number(json_string_value(value), out, rest))
		return reader_refuse(r, where, "\"%s\" is not a number of 64 bits (possible are "
				     "decimal, 0x… and 0b…)", json_string_value(value));
	return 0;
}

int reader_number(struct reader *r, const struct where *where, const json_t *value, uint64_t low,
		  uint64_t high, uint64_t *out)
{
	char *rest;

	if (value_number(r, where, value, out, &rest))
		return -1;
	if (*rest)
		return reader_refuse(r, where, "\"%s\" is not a number", json_string_value(value));
	if (*out < low || *out > high) {
		return high > UINT32_MAX ?
			reader_refuse(r, where, "is 0x%" PRIx64 "; possible are 0x%" PRIx64
				      " to 0x%" PRIx64, *out, low, high) :
			reader_refuse(r, where, "is %" PRIu64 "; possible are %" PRIu64
				      " to %" PRIu64, *out, low, high);
	}
	return 0;
}

int reader_size(struct reader *r, const struct where *where, const json_t *value, uint64_t *out)
{
	static const char units[] = "KMGT";
	unsigned int shift = 0;
	const char *unit;
	char *rest;

	if (value_number(r, where, value, out, &rest))
		return -1;
	if (*rest) {
		unit = strchr(units, *rest >= 'a' ? *rest - 'a' + 'A' : *rest);
		if (!unit || rest[1])
			return reader_refuse(r, where, "\"%s\" is not a size; write it like "
					     "\"512M\" or \"1G\"", json_string_value(value));
		shift = 10 * (unsigned int)(unit - units + 1);
	}
	if (*out > UINT64_MAX >> shift)
		return reader_refuse(r, where, "is more than 64 bits can hold");
	*out <<= shift;
	return 0;
}

int reader_text(struct reader *r, const struct where *where, const json_t *value, char *out,
		size_t size)
{
	if (!json_is_string(value))
		return reader_refuse(r, where, "must be a text");
	if (json_string_length(value) >= size)
		return reader_refuse(r, where, "has %zu bytes; at most %zu are possible",
				     json_string_length(value), size - 1);
	memcpy(out, json_string_value(value), json_string_length(value) + 1);
	return 0;
}

int reader_check_name(struct reader *r, const struct where *where, const char *name)
{
	if (!*name)
		return reader_refuse(r, where, "must not be empty");
	for (; *name; name++) {
		if (*name < ' ' || *name > '~')
			return reader_refuse(r, where, "must be printable ASCII");
	}
	return 0;
}

int reader_word(struct reader *r, const struct where *where, const json_t *value,
		const char *const *words, unsigned int *out)
{
	const char *text = json_string_value(value), *meant;
	char list[256] = "";
	size_t count = 0;

	for (; words[count]; count++) {
		if (text && !strcmp(text, words[count])) {
			*out = (unsigned int)count;
			return 0;
		}
		if (strlen(list) + strlen(words[count]) + 4 < sizeof(list)) {
			strcat(list, count ? ", " : "");
			strcat(list, words[count]);
		}
	}
	if (!text)
		return reader_refuse(r, where, "must be one of %s", list);
	meant = similar(text, words, count, sizeof(*words));
	if (meant)
		return reader_refuse(r, where, "\"%s\" is not known; did you mean \"%s\"?", text,
				     meant);
	return reader_refuse(r, where, "\"%s\" is not known; possible are %s", text, list);
}

int reader_flag(struct reader *r, const struct where *where, const json_t *value, bool *out)
{
	if (!json_is_boolean(value))
		return reader_refuse(r, where, "must be true or false");
	*out = json_is_true(value);
	return 0;
}
