/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of the boot that does not depend on the architecture. Boot hart, once. */
#ifndef HV_MAIN_H
#define HV_MAIN_H

#include <hv/types.h>

/*
 * main_options() - boot arguments, separated by spaces: loglevel=err|warn|info|debug,
 * panic=off|halt, and the architecture's: hlvx=1 (do not trust htinst), selftest=KIND
 * (asm/selftest.h). Unknown ones are logged and ignored.
 */
void main_options(const char *bootargs);

/* main_start() - open the boot FIT, make its VMs and boot those marked so. */
void main_start(void);

/* The architecture supplies its own boot arguments: true when it knows this one. */
bool arch_option(const char *arg, size_t len);

#endif
