/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making devices that a VM had leave memory alone (drivers/host/quiesce.c). A device that was
 * passed through goes on reading and writing where its driver told it to after that driver is gone,
 * so it is stopped before the memory has another use.
 */
#ifndef HV_QUIESCE_H
#define HV_QUIESCE_H

#include <hv/types.h>

struct board;
struct board_range;
struct gmap;

/*
 * quiesce() - reset every virtio-mmio device, and take bus mastership from every PCI function in
 * ECAM, whose registers are in the map. Devices of other kinds are left as they are. The VM does
 * not run. Takes about a microsecond for each of up to 8192 PCI slots.
 */
void quiesce(const struct gmap *gmap, const struct board *board);

/*
 * quiesce_registers() - the i-th range of registers that quiesce() may touch, for Shyper's map of
 * its own address space; false: there are no more.
 */
bool quiesce_registers(const struct board *board, u32 i, struct board_range *range);

/* The architecture supplies arch_device_mapped(): Shyper can reach these registers. */
bool arch_device_mapped(u64 base, u64 size);

#endif
