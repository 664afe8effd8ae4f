/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Types of fixed width by the kernel's names, wherever these headers are read. */
#ifndef ABI_TYPES_H
#define ABI_TYPES_H

#if defined(__KERNEL__) || (defined(__linux__) && __STDC_HOSTED__)
#include <linux/types.h>
#else
#include <stdint.h>
typedef uint8_t __u8;
typedef uint16_t __u16;
typedef uint32_t __u32;
typedef uint64_t __u64;
typedef int32_t __s32;
typedef int64_t __s64;
#endif

#endif
