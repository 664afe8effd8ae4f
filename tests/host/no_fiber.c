/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of what steps back: nobody else wants the hart, unless they say so. */
#include "no_fiber.h"

#include <hv/fiber.h>
#include <hv/vm.h>

bool no_fiber_wanted;

struct vcpu *arch_vcpu_current(void)
{
	static struct vcpu vcpu = { .shared = true };

	return &vcpu;
}

void fiber_breathe(void)
{
}

bool arch_hart_wanted(void)
{
	return no_fiber_wanted;
}
