/* SPDX-License-Identifier: BSD-2-Clause */
/* What no_fiber.c says to those who ask whether somebody else wants the hart. */
#ifndef NO_FIBER_H
#define NO_FIBER_H

#include <hv/types.h>

extern bool no_fiber_wanted;

#endif
