/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Included first into every C file of the hypervisor (by the Makefile): no symbol leaves the image,
 * so the compiler may address all of them relative to the pc, without a GOT.
 */
#ifndef HV_HIDDEN_H
#define HV_HIDDEN_H

#pragma GCC visibility push(hidden)

#endif
