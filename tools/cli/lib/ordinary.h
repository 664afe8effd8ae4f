/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that a user names. */
#ifndef CLI_ORDINARY_H
#define CLI_ORDINARY_H

#include <stdio.h>
#include <sys/stat.h>

#include "error.h"

/*
 * ordinary_open() - an ordinary file, to read, and what is known of it; NULL with the error set.
 * Anything else could keep the reader waiting for ever, as a FIFO does.
 */
FILE *ordinary_open(const char *path, struct stat *st, struct error *error);

#endif
