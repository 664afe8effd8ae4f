/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CHECK: always on, where a false result would break isolation. ASSERT: debug builds, for our own
 * invariants. Neither is ever applied to a value from a guest, the MVM or a file.
 */
#ifndef HV_CHECK_H
#define HV_CHECK_H

#include <hv/types.h>

/* panic() - print cause, registers and backtrace; stop all harts. Any context; never recurses. */
void __noreturn panic(const char *fmt, ...) __printf(1, 2);

#define CHECK(cond)                                                                      \
	do {                                                                             \
		if (unlikely(!(cond)))                                                   \
			panic("%s:%d: check failed: %s", __FILE__, __LINE__, #cond);     \
	} while (0)

#ifdef DEBUG
#define ASSERT(cond) CHECK(cond)
#else
#define ASSERT(cond) ((void)sizeof(cond))
#endif

#endif
