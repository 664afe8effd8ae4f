/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of what steps back: nobody else wants the hart. */
#include <hv/fiber.h>

void fiber_breathe(void)
{
}
