/* SPDX-License-Identifier: BSD-2-Clause */
/* The host tests' asm/io.h: the test plays the device. */
#ifndef ASM_IO_H
#define ASM_IO_H

#include <hv/types.h>

u32 io_read(u64 address);
void io_write(u64 address, u32 value);

#endif
