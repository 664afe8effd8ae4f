/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to passthrough*.c: the state of one resolution. */
#ifndef PASSTHROUGH_RESOLVE_H
#define PASSTHROUGH_RESOLVE_H

#include <hv/vmdef.h>

struct resolve {
	const void *fdt;		/* of the board */
	struct vmdef *def;
	struct vmdef_error *error;
	int irqchip;			/* node of the board's PLIC or APLIC; negative: none */
	int given[VMDEF_HOST_NODES];	/* node of each host_node[] */
	u32 current;			/* number + 1 of the one at work */
	u32 bytes;			/* of description so far */
};

/* passthrough_refuse() - fill in r->error; always -EINVAL. */
int passthrough_refuse(const struct resolve *r, int node, const char *property, const char *fmt,
		       ...) __printf(4, 5);

/* passthrough_needs() - interrupts and references of a node and all below it. 0 or refused. */
int passthrough_needs(struct resolve *r, int node);

/* passthrough_withheld() - why no VM may have this node of the board; NULL: it may. */
const char *passthrough_withheld(const void *fdt, int node);

#endif
