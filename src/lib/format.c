/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The formatter of hv/format.h: one pass over the format, output through a sink that counts what
 * it drops. No state, no allocation, no floating point; a conversion it does not know is printed
 * as it stands.
 */
#include <hv/format.h>
#include <hv/string.h>

#define DIGITS 20	/* of the largest 64-bit number, in decimal */

struct sink {
	char *buf;
	size_t size;
	size_t length;	/* what has been put, kept or not */
};

/* One conversion: what stands between '%' and the letter. */
struct spec {
	bool left;
	bool zero;
	size_t width;
	size_t precision;	/* of %s; SIZE_MAX: none */
	u8 bytes;		/* width of the argument: 1, 2, 4 or 8 */
};

static void put(struct sink *out, char c)
{
	if (out->length + 1 < out->size)
		out->buf[out->length] = c;
	out->length++;
}

/* Lines of the log are formatted while a guest waits: put() and memcpy() cost more. */
static void put_text(struct sink *out, const char *text, size_t n)
{
	size_t at = out->length, room = out->size > at ? out->size - at - 1 : 0;
	char *to = out->buf + at;

	out->length = at + n;
	for (const char *end = text + MIN(n, room); text < end; text++)
		*to++ = *text;
}

/* Returns where the next conversion, or the end, is. */
static const char *put_plain(struct sink *out, const char *p)
{
	size_t at = out->length, room = out->size > at ? out->size - at - 1 : 0;
	const char *from = p, *full = p + room;
	char *to = out->buf + at;

	for (; p < full && *p && *p != '%'; p++)
		*to++ = *p;
	while (*p && *p != '%')
		p++;
	out->length = at + (size_t)(p - from);
	return p;
}

static void put_times(struct sink *out, char c, size_t n)
{
	while (n--)
		put(out, c);
}

/* prefix and text together, padded to the width; zeros go between the two. */
static void put_field(struct sink *out, const struct spec *spec, const char *prefix,
		      const char *text, size_t n)
{
	size_t before = strlen(prefix), used = before + n;
	size_t pad = spec->width > used ? spec->width - used : 0;
	bool zero = spec->zero && !spec->left;

	if (pad && !spec->left && !zero)
		put_times(out, ' ', pad);
	if (before)
		put_text(out, prefix, before);
	if (pad && zero)
		put_times(out, '0', pad);
	put_text(out, text, n);
	if (pad && spec->left)
		put_times(out, ' ', pad);
}

static void put_number(struct sink *out, const struct spec *spec, const char *prefix, u64 value,
		       unsigned int base, const char *digits)
{
	char text[DIGITS];
	size_t at = DIGITS;

	do {
		text[--at] = digits[value % base];
		value /= base;
	} while (value);
	put_field(out, spec, prefix, text + at, DIGITS - at);
}

static void put_string(struct sink *out, const struct spec *spec, const char *text)
{
	struct spec padded = *spec;

	if (!text)
		text = "(null)";
	padded.zero = false;
	put_field(out, &padded, "", text, strnlen(text, spec->precision));
}

static void put_char(struct sink *out, const struct spec *spec, char c)
{
	struct spec padded = *spec;

	padded.zero = false;
	put_field(out, &padded, "", &c, 1);
}

/* The bytes of the argument that count; int and below arrive as int. */
static u64 narrow(u64 value, u8 bytes)
{
	return bytes == 8 ? value : value & (BIT(8 * bytes) - 1);
}

static void put_signed(struct sink *out, const struct spec *spec, u64 value)
{
	u64 sign = BIT(8 * spec->bytes - 1);

	value = narrow(value, spec->bytes);
	if (value & sign)
		put_number(out, spec, "-", narrow(-value, spec->bytes), 10, "0123456789");
	else
		put_number(out, spec, "", value, 10, "0123456789");
}

static const char *parse_size(const char *p, size_t *size)
{
	for (*size = 0; *p >= '0' && *p <= '9'; p++)
		*size = *size * 10 + (size_t)(*p - '0');
	return p;
}

static const char *parse_flags(const char *p, struct spec *spec)
{
	for (;; p++) {
		if (*p == '-')
			spec->left = true;
		else if (*p == '0')
			spec->zero = true;
		else
			return p;
	}
}

static const char *parse_modifier(const char *p, struct spec *spec)
{
	spec->bytes = 4;
	for (; *p == 'h'; p++)
		spec->bytes /= 2;
	for (; *p == 'l' || *p == 'z'; p++)
		spec->bytes = 8;
	return p;
}

/* Prints one conversion whose letter is c. Returns false when there is none of that letter. */
static bool convert(struct sink *out, const struct spec *spec, char c, va_list *ap)
{
	struct spec pointer = { .left = spec->left, .width = spec->width };
	u64 value;

	switch (c) {
	case 'c':
		put_char(out, spec, (char)va_arg(*ap, int));
		return true;
	case 's':
		put_string(out, spec, va_arg(*ap, const char *));
		return true;
	case 'p':
		value = (uintptr_t)va_arg(*ap, void *);
		put_number(out, &pointer, "0x", value, 16, "0123456789abcdef");
		return true;
	case 'd':
	case 'i':
	case 'u':
	case 'x':
	case 'X':
		value = spec->bytes == 8 ? va_arg(*ap, u64) : va_arg(*ap, unsigned int);
		break;
	default:
		return false;
	}
	if (c == 'd' || c == 'i')
		put_signed(out, spec, value);
	else if (c == 'u')
		put_number(out, spec, "", narrow(value, spec->bytes), 10, "0123456789");
	else if (c == 'x')
		put_number(out, spec, "", narrow(value, spec->bytes), 16, "0123456789abcdef");
	else
		put_number(out, spec, "", narrow(value, spec->bytes), 16, "0123456789ABCDEF");
	return true;
}

static size_t star(struct spec *spec, va_list *ap)
{
	int n = va_arg(*ap, int);

	spec->left |= n < 0;
	return (size_t)(n < 0 ? -(s64)n : n);
}

/* A negative precision counts as none given. */
static const char *parse_precision(const char *p, struct spec *spec, va_list *ap)
{
	int n;

	spec->precision = SIZE_MAX;
	if (*p != '.')
		return p;
	if (p[1] != '*')
		return parse_size(p + 1, &spec->precision);
	n = va_arg(*ap, int);
	if (n >= 0)
		spec->precision = (size_t)n;
	return p + 2;
}

/* What may stand before the modifier: all of it sorts before letters. */
static const char *parse_field(const char *p, struct spec *spec, va_list *ap)
{
	p = parse_flags(p, spec);
	if (*p == '*') {
		spec->width = star(spec, ap);
		p++;
	} else {
		p = parse_size(p, &spec->width);
	}
	return parse_precision(p, spec, ap);
}

/* p is behind '%'; returns what follows the conversion. */
static const char *put_conversion(struct sink *out, const char *p, va_list *ap)
{
	const char *start = p;
	struct spec spec = { .precision = SIZE_MAX };

	if (*p < 'A')
		p = parse_field(p, &spec, ap);
	p = parse_modifier(p, &spec);
	if (*p && convert(out, &spec, *p, ap))
		return p + 1;
	put(out, '%');
	return *start == '%' ? start + 1 : start;
}

int vformat(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct sink out = { .buf = buf, .size = size };
	va_list args;

	va_copy(args, ap);
	while (*(fmt = put_plain(&out, fmt)))
		fmt = put_conversion(&out, fmt + 1, &args);
	va_end(args);
	if (size)
		buf[MIN(out.length, size - 1)] = '\0';
	return (int)out.length;
}

int format(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = vformat(buf, size, fmt, ap);
	va_end(ap);
	return length;
}
