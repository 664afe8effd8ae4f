/* SPDX-License-Identifier: BSD-2-Clause */
/* The other side of panic() (hv/check.h): for the harts that have to stop. */
#ifndef HV_PANIC_H
#define HV_PANIC_H

#include <hv/types.h>

/* Boot argument panic=halt: stay there after the message instead of powering off. */
extern bool panic_halts;

/* panic_active() - some hart has panicked; every hart that notices calls panic_halt_hart(). */
bool panic_active(void);
void __noreturn panic_halt_hart(void);

#endif
