/* SPDX-License-Identifier: BSD-2-Clause */
/* Device trees for tests, written as source. */
#ifndef DTS_H
#define DTS_H

#include <stddef.h>

/*
 * dts_compile() - have dtc make a flattened tree of the source, which lacks its "/dts-v1/;".
 * Returns the tree in memory of its own, without a byte to spare and aligned to 8; the caller frees
 * it.
 */
void *dts_compile(const char *source, size_t *size);

#endif
