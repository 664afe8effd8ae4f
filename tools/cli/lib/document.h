/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A JSON file and its text, so that what is wrong with a value can be said with line and column.
 * Jansson parses; comments (// and slash-star), which Rust-Shyper's guide shows in its examples,
 * count as blanks.
 */
#ifndef CLI_DOCUMENT_H
#define CLI_DOCUMENT_H

#include <jansson.h>
#include <stddef.h>

#include "error.h"

#define DOCUMENT_MAX (2u << 20)	/* bytes of a file */

struct document {
	const char *name;	/* as the user wrote it; the caller keeps it */
	char *text;		/* with a NUL at the end; NULL: positions are not known */
	json_t *root;		/* an object or a list */
};

/* The way from the root to a value: the innermost step is what is handed over, up leads out. */
struct where {
	const struct where *up;	/* NULL: the root's */
	const char *key;	/* member of an object, or … */
	size_t index;		/* … item of a list, when key is NULL */
};

/* document_read() - 0, or -1 with the error set. Needs document_free() in both cases. */
int document_read(struct document *doc, const char *path, struct error *error);

/* document_parse() - the same for size bytes of text and a NUL (malloc), the document's now. */
int document_parse(struct document *doc, const char *name, char *text, size_t size,
		   struct error *error);

void document_free(struct document *doc);

/*
 * document_position() - "file:line:column" of a value, or of its key, into buf. What is not there
 * is found at the innermost step that is. Columns count bytes from 1.
 */
void document_position(const struct document *doc, const struct where *where, bool key, char *buf,
		       size_t size);

#endif
