/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shyper refuses nodes and properties of definition trees, which nobody wrote who wrote JSON: its
 * words, with the place in the file that the node was made from.
 */
#ifndef CLI_BLAME_H
#define CLI_BLAME_H

#include "def.h"

/*
 * blame() - set the error by Shyper's words for refusing the tree of def, which was read from doc.
 * Words without a node, or with one that no file speaks of, keep the file's name alone.
 */
void blame(const struct def *def, const struct document *doc, const char *words,
	   struct error *error);

#endif
