/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What guest.c, vqueue.c and blk_parse.c need of the kernel, so that tests and fuzzers can compile
 * them for the host as well. Nothing else in kmod/ compiles there.
 */
#ifndef SHYPER_BLK_SHIM_H
#define SHYPER_BLK_SHIM_H

#ifdef __KERNEL__

#include <linux/compiler.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/barrier.h>

/* shim_pointer() - where this kernel has a page of a VM's memory: in its linear map. */
static inline void *shim_pointer(u64 host)
{
	return __va(host);
}

#else

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))
#define virt_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define virt_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define virt_store_release(p, value) __atomic_store_n(p, value, __ATOMIC_RELEASE)

/* Tests let "host physical" addresses be pointers. */
static inline void *shim_pointer(u64 host)
{
	return (void *)(uintptr_t)host;
}

#endif
#endif
