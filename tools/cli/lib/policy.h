/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether and when a VM that has ended is booted again: pure, so that it can be tested. */
#ifndef CLI_POLICY_H
#define CLI_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "def.h"

#define POLICY_NEVER (-1)
#define POLICY_LONGEST 60	/* seconds between two tries */

struct policy_end {
	enum def_restart restart;
	uint32_t reason;	/* SHYPER_END_* */
	uint64_t seconds;	/* that it ran */
	bool held;		/* somebody wants it to stay down */
};

/* policy_restarts() - it is booted again, sooner or later. */
bool policy_restarts(const struct policy_end *end);

/*
 * policy_delay() - seconds until the next boot, or POLICY_NEVER. A guest that asks to be rebooted
 * always is. *failures counts runs in a row that were too short; it makes the delay grow, 1, 2, 4
 * … 60 seconds, and is brought up to date.
 */
int policy_delay(const struct policy_end *end, unsigned int *failures);

#endif
