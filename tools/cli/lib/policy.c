/* SPDX-License-Identifier: BSD-2-Clause */
/* Restart policies. */
#include "policy.h"

#define HEALTHY 60	/* a run of so many seconds was no failed start */
#define SHORT 10	/* a reboot sooner than this is one of a loop */

bool policy_restarts(const struct policy_end *end)
{
	if (end->held)
		return false;
	switch (end->reason) {
	case SHYPER_END_REBOOT:
		return true;
	case SHYPER_END_FAILURE:
	case SHYPER_END_CRASH:
		return end->restart != DEF_NEVER;
	case SHYPER_END_POWEROFF:
		return end->restart == DEF_ALWAYS;
	default:	/* the MVM stopped it */
		return false;
	}
}

int policy_delay(const struct policy_end *end, unsigned int *failures)
{
	if (!policy_restarts(end))
		return POLICY_NEVER;
	if (end->seconds >= HEALTHY)
		*failures = 0;
	if (end->reason == SHYPER_END_REBOOT && end->seconds >= SHORT)
		return 0;
	if (*failures < 16)
		(*failures)++;
	return *failures > 6 ? POLICY_LONGEST : 1 << (*failures - 1);
}
