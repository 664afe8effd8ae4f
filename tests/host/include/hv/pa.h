/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host tests' hv/pa.h: physical addresses lead into simulated RAM (sim_ram.h). An address
 * outside of it is a bug of the code under test and ends the test.
 */
#ifndef HV_PA_H
#define HV_PA_H

#include <hv/types.h>

void *pa_ptr(hpa_t pa);
hpa_t ptr_pa(const void *ptr);

#endif
