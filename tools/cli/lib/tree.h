/* SPDX-License-Identifier: BSD-2-Clause */
/* The definition tree (docs/vm-definition.md) that Shyper makes a VM from. */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include <stddef.h>

#include "def.h"

/*
 * tree_write() - write the tree of a definition into buf, of at most SHYPER_TREE_MAX bytes. It
 * names no kernel: the memory of a VM of the MVM is filled by the MVM. Returns its size, or 0 with
 * the error set.
 */
size_t tree_write(const struct def *def, void *buf, size_t size, struct error *error);

#endif
