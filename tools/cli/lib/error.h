/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why something failed, in words for the user: what is wrong and, where that is not plain, what to
 * do about it. Functions that take one fill it in exactly when they fail.
 */
#ifndef CLI_ERROR_H
#define CLI_ERROR_H

#include <stdbool.h>

struct error {
	bool usage;		/* the command was wrong, not the world: exit status 2 */
	char text[1024];	/* no newline at the end */
};

/* error_set() - returns -1, so that a failing function ends with `return error_set(…)`. */
int error_set(struct error *error, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* error_prefix(), error_append() - put words in front of the text, or behind it; return -1. */
int error_prefix(struct error *error, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int error_append(struct error *error, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
