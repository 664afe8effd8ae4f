/* SPDX-License-Identifier: BSD-2-Clause */
/* "Did you mean …?": the distance between words. */
#include <string.h>

#include "reader.h"

#define LONGEST 40

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

/* Levenshtein: insertions, deletions and replacements that make one word of the other. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[LONGEST + 1];
	size_t length = strlen(b);

	for (size_t j = 0; j <= length; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 0; a[i]; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i + 1;
		for (size_t j = 0; j < length; j++) {
			unsigned int above = row[j + 1];

			row[j + 1] = min3(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
			diagonal = above;
		}
	}
	return row[length];
}

const char *similar(const char *word, const void *words, size_t count, size_t stride)
{
	unsigned int best = (unsigned int)(strlen(word) / 3 + 2);
	const char *found = NULL;

	if (strlen(word) > LONGEST)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const char *other = *(const char *const *)((const char *)words + i * stride);
		unsigned int d = strlen(other) > LONGEST ? best : distance(word, other);

		if (d < best) {
			best = d;
			found = other;
		}
	}
	return found;
}
