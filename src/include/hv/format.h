/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatting for log lines and messages: a small printf. Conversions: %d %i %u %x %X %c %s %p %%
 * with flags '-' and '0', width, precision for %s (both also as *), and the length modifiers
 * hh h l ll z. Any other conversion is printed as it stands. Named apart from the C library's so
 * that host tests can compare the two.
 */
#ifndef HV_FORMAT_H
#define HV_FORMAT_H

#include <stdarg.h>

#include <hv/types.h>

/*
 * format() - write at most size bytes including the final NUL. Returns the length the whole text
 * would have had, as snprintf does. size 0 writes nothing.
 */
int format(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int vformat(char *buf, size_t size, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

#endif
