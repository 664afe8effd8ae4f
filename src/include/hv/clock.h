/* SPDX-License-Identifier: BSD-2-Clause */
/* Wall-clock time: the board's RTC read once at boot, counted on by the timebase. */
#ifndef HV_CLOCK_H
#define HV_CLOCK_H

#include <hv/types.h>

struct board;

/* clock_init() - boot hart, once. Without an RTC the epoch is the boot. */
void clock_init(const struct board *board);

/* clock_ns() - nanoseconds since 1970-01-01 UTC. Any hart, no lock. */
u64 clock_ns(void);

/* clock_ns_to_ticks() - the host time at which clock_ns() will be ns; now, when it has passed. */
u64 clock_ns_to_ticks(u64 ns);

#endif
