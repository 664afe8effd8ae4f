/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults of Shyper itself, on demand (boot argument selftest=KIND). Boot hart. */
#ifndef ASM_SELFTEST_H
#define ASM_SELFTEST_H

#include <hv/types.h>

/* selftest_choose() - by name: panic fault text exec stack smash. False: there is no such kind. */
bool selftest_choose(const char *kind, size_t len);

/* selftest_start() - let it happen in a few seconds, if one was chosen. */
void selftest_start(void);

#endif
