/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Integer types, address types and the handful of macros that every file uses.
 * Compiles with the host compiler and with the cross compiler alike.
 */
#ifndef HV_TYPES_H
#define HV_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

/*
 * Addresses of the three spaces, as one-word structs: free at run time, and a swap is a
 * compile error. The only typedefs of structs in this code base.
 */
typedef struct { u64 v; } hpa_t;	/* host physical address */
typedef struct { u64 v; } gpa_t;	/* guest physical address */
typedef struct { u64 v; } gva_t;	/* guest virtual address */

#define HPA(x) ((hpa_t){ (u64)(x) })
#define GPA(x) ((gpa_t){ (u64)(x) })
#define GVA(x) ((gva_t){ (u64)(x) })

#define KIB(n) ((u64)(n) << 10)
#define MIB(n) ((u64)(n) << 20)
#define GIB(n) ((u64)(n) << 30)

#define PAGE_SHIFT 12
#define PAGE_SIZE ((u64)1 << PAGE_SHIFT)

#define BIT(n) ((u64)1 << (n))
/* Bits hi..lo set, both included. */
#define GENMASK(hi, lo) ((~(u64)0 >> (63 - (hi))) & (~(u64)0 << (lo)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
/* a is a power of two */
#define ALIGN_DOWN(x, a) ((x) & ~((a) - 1))
#define ALIGN_UP(x, a) ALIGN_DOWN((x) + ((a) - 1), (a))
#define IS_ALIGNED(x, a) (((x) & ((a) - 1)) == 0)

#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#define __printf(f, a) __attribute__((format(printf, f, a)))
#define __noreturn __attribute__((noreturn))
#define __noinline __attribute__((noinline))
#define __must_check __attribute__((warn_unused_result))
#define __packed __attribute__((packed))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/*
 * True when [base, base + size) is not empty and does not wrap; every range that comes from
 * outside passes through this first.
 */
static inline bool range_valid(u64 base, u64 size)
{
	return size != 0 && base + size - 1 >= base;
}

/* Both ranges are valid in the sense of range_valid(). */
static inline bool range_overlaps(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a <= b + (b_size - 1) && b <= a + (a_size - 1);
}

/* [base, base + size) lies inside [out, out + out_size); the outer range is valid. */
static inline bool range_inside(u64 base, u64 size, u64 out, u64 out_size)
{
	return range_valid(base, size) && base >= out &&
	       base + (size - 1) <= out + (out_size - 1);
}

#endif
