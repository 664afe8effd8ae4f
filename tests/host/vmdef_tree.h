/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Definition trees for tests: written down as rows, built by libfdt, parsed from a copy of exactly
 * their size.
 */
#ifndef VMDEF_TREE_H
#define VMDEF_TREE_H

#include <hv/types.h>

struct vmdef;
struct vmdef_error;

#define TREE_ROOM 16384

enum how { END, SET_CELLS, SET_TEXT, SET_BYTES, REMOVE, REMOVE_NODE, ADD_NODE };

struct edit {
	enum how how;
	const char *path;	/* made when it is not there */
	const char *property;
	const void *data;
	size_t size;
};

#define CELLS(path, prop, ...)                                                           \
	{ SET_CELLS, path, prop, (const u32[]){ __VA_ARGS__ }, sizeof((u32[]){ __VA_ARGS__ }) }
#define TEXT(path, prop, text) { SET_TEXT, path, prop, text, sizeof(text) }
#define BYTES(path, prop, bytes) { SET_BYTES, path, prop, bytes, sizeof(bytes) - 1 }
#define FLAG(path, prop) { SET_BYTES, path, prop, "", 0 }
#define WITHOUT(path, prop) { REMOVE, path, prop, NULL, 0 }
#define NO_NODE(path) { REMOVE_NODE, path, NULL, NULL, 0 }
#define NODE(path) { ADD_NODE, path, NULL, NULL, 0 }

/* Rows end with .how = END. complete[] uses every node and property, minimal[] none too many. */
extern const struct edit complete[];
extern const struct edit minimal[];

/* apply_all() - change a tree that has room. */
void apply_all(void *fdt, const struct edit *edits);

/* parse_exact() - vmdef_parse() on a copy without a byte to spare, so that ASan sees overreach. */
int parse_exact(const void *tree, size_t size, struct vmdef *def, struct vmdef_error *error);

/* parse_edited() - the same for base with edits (NULL: none) made to it. */
int parse_edited(const struct edit *base, const struct edit *edits, struct vmdef *def,
		 struct vmdef_error *error);

#endif
