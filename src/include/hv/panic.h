/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends of Shyper besides panic() (hv/check.h), and the other harts' side of it. */
#ifndef HV_PANIC_H
#define HV_PANIC_H

#include <hv/types.h>

/* Boot argument panic=halt: stay there after the message instead of powering off. */
extern bool panic_halts;

/*
 * boot_refuse() - the board or the boot image is such that Shyper cannot run: says why and what to
 * change, and ends as a panic does, without the traces of one. Boot hart, before any VM runs.
 */
void __noreturn boot_refuse(const char *fmt, ...) __printf(1, 2);

/*
 * panic_active() - some hart has panicked; every hart that notices calls panic_halt_hart().
 * panic_elsewhere() - and it is not the calling one.
 */
bool panic_active(void);
bool panic_elsewhere(void);
void __noreturn panic_halt_hart(void);

#endif
