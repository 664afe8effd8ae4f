/* SPDX-License-Identifier: BSD-2-Clause */
/* Cache maintenance, for memory that somebody may read past the cache. */
#ifndef HV_CACHE_H
#define HV_CACHE_H

#include <hv/types.h>

/*
 * The architecture supplies arch_cache_flush(): what was written to [base, base + size) is in
 * memory and no longer in a cache. Nothing where the harts cannot do that; then no guest may bypass
 * the cache either (asm/features.h: FEATURE_SVPBMT).
 */
void arch_cache_flush(const void *base, u64 size);

#endif
