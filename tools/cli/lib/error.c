/* SPDX-License-Identifier: BSD-2-Clause */
/* Words for what failed. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error->text, sizeof(error->text), fmt, ap);
	va_end(ap);
	return -1;
}

int error_prefix(struct error *error, const char *fmt, ...)
{
	char old[sizeof(error->text)];
	size_t used;
	va_list ap;

	memcpy(old, error->text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(error->text, sizeof(error->text), fmt, ap);
	va_end(ap);
	used = strlen(error->text);
	snprintf(error->text + used, sizeof(error->text) - used, "%s", old);
	return -1;
}

int error_append(struct error *error, const char *fmt, ...)
{
	size_t used = strlen(error->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error->text + used, sizeof(error->text) - used, fmt, ap);
	va_end(ap);
	return -1;
}
