/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From host physical addresses to pointers and back: Shyper maps RAM at its physical address.
 * The one place that says so; host tests put another file of this name before it, whose RAM is
 * simulated.
 */
#ifndef HV_PA_H
#define HV_PA_H

#include <hv/types.h>

/* pa_ptr() - where Shyper sees this byte of RAM. */
static inline void *pa_ptr(hpa_t pa)
{
	return (void *)(uintptr_t)pa.v;
}

/* ptr_pa() - the physical address of something in RAM. */
static inline hpa_t ptr_pa(const void *ptr)
{
	return HPA((uintptr_t)ptr);
}

#endif
