/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random bytes from the boot entropy (/chosen/rng-seed) and the clock, through a keyed mix. For
 * stack canaries and as seeds that guests mix with their own entropy; no source of long-term keys.
 */
#ifndef HV_RANDOM_H
#define HV_RANDOM_H

#include <hv/types.h>

/* random_init() - mix in the seed. Boot hart, before any other call. */
void random_init(const u8 *seed, size_t size);

/* random_bytes() - fill buf. Any hart; takes a lock. */
void random_bytes(u8 *buf, size_t size);

#endif
