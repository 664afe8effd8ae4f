/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command says on stderr, to people or, after --json, to scripts. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <stdbool.h>
#include <stdio.h>

/* report_as_json() - from now on: {"error": …} and {"note": …}, a line each. */
void report_as_json(bool json);

/* report_failure() - why the command failed; returns the exit status: 2 for wrong usage, else 1. */
int report_failure(const char *text, bool usage);

void report_note(const char *text);

/* report_text() - text of files and guests: control bytes, which terminals obey, become a "?". */
void report_text(FILE *file, const char *text);

#endif
