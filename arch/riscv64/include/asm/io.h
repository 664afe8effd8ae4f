/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of the board's devices, by physical address: 32 bits, in program order among
 * themselves. Host tests have a header of this name that leads to the device they simulate.
 */
#ifndef ASM_IO_H
#define ASM_IO_H

#include <hv/types.h>

static inline u32 io_read(u64 address)
{
	return *(volatile u32 *)(uintptr_t)address;
}

static inline void io_write(u64 address, u32 value)
{
	*(volatile u32 *)(uintptr_t)address = value;
}

#endif
