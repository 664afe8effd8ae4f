/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices of the board that a VM gets as they are, named by their node in the board's tree: their
 * registers and interrupts at the board's own numbers, and their description. Definitions say only
 * the paths; what lies behind a path is read here, so nothing about a board is compiled in.
 */
#ifndef HV_PASSTHROUGH_H
#define HV_PASSTHROUGH_H

#include <hv/types.h>

struct board;
struct vm;
struct vmdef;
struct vmdef_error;

/*
 * passthrough_resolve() - the board's half of a definition's check: def->host_node[] becomes ranges
 * and wires in def->passthrough[] and def->irq[]. Registers are rounded to whole pages; a page
 * that several devices of the VM share is there once. The windows of a PCI host bridge belong to
 * it, and so do the interrupts of all that is below a node. Refused is what is not there, not
 * usable, Shyper's or the firmware's own, a bus, behind a bus that translates, wired to another
 * controller than the PLIC, in need of a node that the VM is not given, or at odds with the rest of
 * the definition. Whether a page is free is for gmap_add_device() to say. Pure, no lock; once per
 * definition that vmdef_parse() accepted. 0, or -EINVAL with *error filled in: node and property
 * are those of the board's tree.
 */
int __must_check passthrough_resolve(struct vmdef *def, const struct board *board,
				     struct vmdef_error *error);

/* The nodes of one definition, their descriptions together. */
#define PASSTHROUGH_TREE 24576

/* passthrough_covers() - some host node of a resolved definition has this address of the board. */
bool passthrough_covers(const struct vmdef *def, u64 host);

/*
 * passthrough_copies() - the guest's tree gets this property of a device. It does not get
 * references to what a VM does without: IOMMU, MSI controllers, pin settings (which the firmware
 * has made).
 */
bool passthrough_copies(const char *property);

/*
 * passthrough_reserve() - claim for Shyper the registers of what it drives itself, and of what no
 * VM may have, whatever a definition says: interrupt controllers, what serves the harts, IOMMU,
 * test finisher. Boot, after page_init(). 0; -EBUSY: one overlaps memory; -ENOMEM: too many claims.
 */
int __must_check passthrough_reserve(const struct board *board);

/*
 * passthrough_lend() - Shyper lets go of its console or RTC when the VM, whose definition is
 * resolved, has that as a host node and no other VM does. passthrough_return() - it has them back,
 * if it is this VM that had them; the VM maps them no more. With the management lock, or at boot.
 */
void passthrough_lend(struct vm *vm);
void passthrough_return(struct vm *vm);

#endif
