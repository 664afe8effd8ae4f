/* SPDX-License-Identifier: BSD-2-Clause */
/* Failures and notes. */
#include "report.h"

#include <jansson.h>

static bool as_json;

void report_as_json(bool json)
{
	as_json = json;
}

void report_text(FILE *file, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, file);
}

static void report(const char *key, const char *prefix, const char *text)
{
	json_t *line;

	if (!as_json) {
		fputs(prefix, stderr);
		report_text(stderr, text);
	} else {
		line = json_pack("{ss}", key, text);
		json_dumpf(line, stderr, JSON_COMPACT);
		json_decref(line);
	}
	fputc('\n', stderr);
}

int report_failure(const char *text, bool usage)
{
	report("error", "shyper: ", text);
	return usage ? 2 : 1;
}

void report_note(const char *text)
{
	report("note", "note: ", text);
}
