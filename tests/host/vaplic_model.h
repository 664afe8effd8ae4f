/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plain sequential APLIC domain, written from chapter 4 of the AIA specification alone, beside a
 * guest's chip that gets the same accesses. For the random test and the fuzzer.
 */
#ifndef VAPLIC_MODEL_H
#define VAPLIC_MODEL_H

#include "vaplic_guest.h"

struct model_source {
	bool own, level, pulsed, ip, ie;
	u32 mode, hart, low;
};

struct pair {
	struct guest guest;
	struct vaplic_geometry geometry;
	bool answered[VAPLIC_VCPUS];	/* what each vCPU was told at its last kick */

	/* The model. */
	bool domain_ie, domain_dm;
	u32 genmsi;
	struct model_source source[VAPLIC_SOURCES];
	u32 idelivery[VAPLIC_VCPUS], iforce[VAPLIC_VCPUS], ithreshold[VAPLIC_VCPUS];
	u32 msis;
	u32 msi[MSIS];			/* as in target */
};

void pair_init(struct pair *pair, const struct vaplic_geometry *geometry);

/*
 * One event on both; false: they differ, in what a read returns, in what is sent, in the external
 * interrupts, or a vCPU whose external interrupt has changed was not kicked.
 */
bool pair_access(struct pair *pair, struct mmio_access *acc);
bool pair_line(struct pair *pair, u32 source, bool level);
bool pair_pulse(struct pair *pair, u32 source);
bool pair_reset(struct pair *pair);

#endif
