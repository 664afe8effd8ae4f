/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated RAM for host tests: one range of physical addresses, backed lazily by the host, so
 * that 64 GiB cost nothing until they are touched. Also brings panic(), as a cmocka assertion.
 */
#ifndef SIM_RAM_H
#define SIM_RAM_H

#include <hv/types.h>

/* sim_ram_init() - RAM at [base, base + size), all bytes 0; replaces the RAM of before. */
void sim_ram_init(u64 base, u64 size);
void sim_ram_exit(void);

/*
 * Called at each pa_ptr(), so that a test can look at memory in the middle of an operation. NULL:
 * none. Not called from inside itself; for tests of one thread.
 */
extern void (*sim_ram_observer)(void);

#endif
