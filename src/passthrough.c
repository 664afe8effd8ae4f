/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the path of a device to what a VM is granted of it: the lookup, what may not be given away,
 * and registers. Interrupts and references: passthrough_needs.c; claims: passthrough_own.c.
 */
#include <hv/passthrough.h>

#include <libfdt.h>

#include <hv/board.h>
#include <hv/errno.h>
#include <hv/fdt_read.h>
#include <hv/format.h>
#include <hv/string.h>

#include "passthrough_resolve.h"

#define PCI_SPACE(hi) ((hi) >> 24 & 3)	/* PCI bus binding, phys.hi: 0 is configuration space */
#define PCI_CELLS 3

int passthrough_refuse(const struct resolve *r, int node, const char *property, const char *fmt,
		       ...)
{
	struct vmdef_error *error = r->error;
	va_list ap;

	if (node < 0 || fdt_get_path(r->fdt, node, error->node, sizeof(error->node)) < 0)
		format(error->node, sizeof(error->node), "%s",
		       r->def->host_node[r->current - 1].path);
	fdt_make_printable(error->node);
	format(error->property, sizeof(error->property), "%s", property);
	fdt_make_printable(error->property);
	va_start(ap, fmt);
	vformat(error->reason, sizeof(error->reason), fmt, ap);
	va_end(ap);
	fdt_make_printable(error->reason);
	return -EINVAL;
}

/* --- What is not given away ------------------------------------------------------------------ */

/* Interrupts of this node go to a hart directly: no device does that. */
static bool serves_harts(const void *fdt, int node)
{
	int size;
	const fdt32_t *cells = fdt_getprop(fdt, node, "interrupts-extended", &size);
	int parent = -1;

	if (cells && size >= 4)
		parent = fdt_node_offset_by_phandle(fdt, fdt32_ld(cells));
	else if (fdt_getprop(fdt, node, "interrupts", NULL))
		parent = fdt_read_irq_parent(fdt, node);
	return parent >= 0 && fdt_node_check_compatible(fdt, parent, "riscv,cpu-intc") == 0;
}

const char *passthrough_withheld(const void *fdt, int node)
{
	static const struct {
		const char *compatible;
		const char *reason;
	} own[] = {
		{ "riscv,cpu-intc", "is part of a hart" },
		{ "riscv,plic0", "is the interrupt controller, which Shyper keeps" },
		{ "sifive,plic-1.0.0", "is the interrupt controller, which Shyper keeps" },
		{ "riscv,aplic", "is the interrupt controller, which Shyper keeps" },
		{ "riscv,imsics", "is the interrupt controller, which Shyper keeps" },
		{ "riscv,aclint-sswi", "interrupts harts, which is for firmware and Shyper to do" },
		{ "riscv,iommu", "is the IOMMU, which Shyper keeps" },
		{ "sifive,test0", "ends the machine, which is for Shyper to do" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(own); i++) {
		if (fdt_node_check_compatible(fdt, node, own[i].compatible) == 0)
			return own[i].reason;
	}
	return serves_harts(fdt, node) ? "interrupts harts, which is for firmware and Shyper to do"
				       : NULL;
}

/* --- Lookup ---------------------------------------------------------------------------------- */

static bool is_bus(const void *fdt, int node)
{
	const char *type = fdt_read_string(fdt, node, "device_type");

	return fdt_getprop(fdt, node, "ranges", NULL) && !(type && !strcmp(type, "pci"));
}

/* Nodes that describe no device, and such as no VM may have. */
static int check_kind(struct resolve *r, int node)
{
	const char *type = fdt_read_string(r->fdt, node, "device_type");
	const char *reason = passthrough_withheld(r->fdt, node);

	if (!fdt_getprop(r->fdt, node, "compatible", NULL) ||
	    (type && (!strcmp(type, "cpu") || !strcmp(type, "memory"))))
		return passthrough_refuse(r, node, "", "is not a device");
	if (!fdt_read_okay(r->fdt, node))
		return passthrough_refuse(r, node, "status", "the board's device is disabled");
	if (reason)
		return passthrough_refuse(r, node, "", "%s", reason);
	if (is_bus(r->fdt, node))
		return passthrough_refuse(r, node, "", "is a bus; name the devices on it");
	if (fdt_getprop(r->fdt, node, "reg", NULL) && !fdt_read_untranslated(r->fdt, node))
		return passthrough_refuse(r, node, "", "is behind a bus that translates addresses");
	return 0;
}

/* libfdt would take a name without its unit address, and an alias in front. */
static int find(struct resolve *r)
{
	u32 index = r->current - 1;
	const char *path = r->def->host_node[index].path;
	char found[VMDEF_PATH];
	int node = fdt_path_offset(r->fdt, path);

	if (node < 0)
		return passthrough_refuse(r, -1, "", "the board has no such node");
	if (fdt_get_path(r->fdt, node, found, sizeof(found)) < 0 || strcmp(found, path) != 0)
		return passthrough_refuse(r, -1, "", "the board has no such node; is %s meant?",
					  found);
	r->given[index] = node;
	return check_kind(r, node);
}

/* A node inside another that is given would be there twice. */
static int check_nesting(struct resolve *r)
{
	int node = r->given[r->current - 1];

	for (int up = fdt_parent_offset(r->fdt, node); up > 0;
	     up = fdt_parent_offset(r->fdt, up)) {
		for (u32 i = 0; i < r->def->host_nodes; i++) {
			if (r->given[i] == up)
				return passthrough_refuse(r, node, "", "is part of %s, which is "
							  "given, too", r->def->host_node[i].path);
		}
	}
	return 0;
}

/* --- Registers ------------------------------------------------------------------------------- */

/* A range of the definition's host nodes that holds this page, or begins before end; NULL: none. */
static const struct vmdef_passthrough *present(const struct vmdef *def, u64 start, u64 end)
{
	const struct vmdef_passthrough *next = NULL;

	for (u32 i = 0; i < def->passthroughs; i++) {
		const struct vmdef_passthrough *pt = &def->passthrough[i];

		if (pt->host_node && range_overlaps(start, end - start, pt->host, pt->size) &&
		    (!next || pt->host < next->host))
			next = pt;
	}
	return next;
}

/* What of [start, end) the VM does not have already. */
static int grant_pages(struct resolve *r, int node, const char *property, u64 start, u64 end)
{
	struct vmdef *def = r->def;

	while (start < end) {
		const struct vmdef_passthrough *pt = present(def, start, end);
		u64 stop = pt ? MAX(pt->host, start) : end;

		if (stop > start) {
			if (def->passthroughs == VMDEF_PASSTHROUGH)
				return passthrough_refuse(r, node, property,
							  "brings more than %u ranges in all",
							  VMDEF_PASSTHROUGH);
			def->passthrough[def->passthroughs++] = (struct vmdef_passthrough){
				start, start, stop - start, r->current };
		}
		start = pt ? pt->host + pt->size : end;
	}
	return 0;
}

/* One range of a device's registers or, for a PCI host bridge, one of its windows. */
struct device_range {
	const char *property;
	u64 base;
	u64 size;	/* 0: takes nothing of the address space */
};

/* Number i of a node's reg; -ENOENT: no more; -EINVAL: malformed. */
static int reg_at(const void *fdt, int node, u32 i, struct device_range *range)
{
	int parent = fdt_parent_offset(fdt, node), bytes;
	int cells = fdt_address_cells(fdt, parent) + fdt_size_cells(fdt, parent);

	range->property = "reg";
	if (!fdt_getprop(fdt, node, "reg", &bytes) || bytes == 0)
		return -ENOENT;
	if (cells < 1 || bytes % (4 * cells))
		return -EINVAL;
	if (i >= (u32)bytes / (4 * (u32)cells))
		return -ENOENT;
	return fdt_read_reg(fdt, parent, node, i, &range->base, &range->size) ? 0 : -EINVAL;
}

/* PCI bus binding: <phys.hi phys.mid phys.lo, address of the parent, size> for each window. */
static int window_at(const void *fdt, int node, u32 i, struct device_range *range)
{
	int up = fdt_address_cells(fdt, fdt_parent_offset(fdt, node));
	int wide = fdt_size_cells(fdt, node), bytes;
	u32 entry = (u32)(PCI_CELLS + up + wide);
	const fdt32_t *cells = fdt_getprop(fdt, node, "ranges", &bytes);

	range->property = "ranges";
	if (!cells || bytes == 0)
		return -ENOENT;
	if (fdt_address_cells(fdt, node) != PCI_CELLS || up < 1 || up > 2 || wide < 1 ||
	    wide > 2 || (u32)bytes % (4 * entry))
		return -EINVAL;
	if (i >= (u32)bytes / (4 * entry))
		return -ENOENT;
	cells += i * entry;
	range->size = PCI_SPACE(fdt32_ld(cells));
	cells += PCI_CELLS;
	range->base = fdt_read_cells(&cells, up);
	if (range->size)
		range->size = fdt_read_cells(&cells, wide);
	return 0;
}

typedef int (*range_fn)(const void *fdt, int node, u32 i, struct device_range *range);

static const range_fn range_kinds[] = { reg_at, window_at };

static int grant(struct resolve *r, int node, const struct device_range *range)
{
	if (!range->size)
		return 0;
	if (!range_inside(range->base, range->size, 0, VMDEF_ADDRESS_END))
		return passthrough_refuse(r, node, range->property, "0x%lx + 0x%lx exceeds 56 "
					  "address bits", range->base, range->size);
	return grant_pages(r, node, range->property, ALIGN_DOWN(range->base, PAGE_SIZE),
			   ALIGN_UP(range->base + range->size, PAGE_SIZE));
}

static int grant_all(struct resolve *r, int node, range_fn range_at)
{
	struct device_range range;
	int err;

	for (u32 i = 0; (err = range_at(r->fdt, node, i, &range)) == 0; i++) {
		int refused = grant(r, node, &range);

		if (refused)
			return refused;
	}
	return err == -ENOENT ? 0 : passthrough_refuse(r, node, range.property, "is malformed");
}

/* A page shared with what no VM may have cannot be given. */
static int check_neighbour(struct resolve *r, int node, u64 base, u64 size)
{
	char path[VMDEF_PATH];

	for (u32 i = 0; i < r->def->passthroughs; i++) {
		const struct vmdef_passthrough *pt = &r->def->passthrough[i];

		if (!pt->host_node || !range_overlaps(pt->host, pt->size, base, size))
			continue;
		r->current = pt->host_node;
		if (fdt_get_path(r->fdt, node, path, sizeof(path)) < 0)
			path[0] = '\0';
		return passthrough_refuse(r, r->given[r->current - 1], "reg",
					  "shares a page with %s, which no VM may have", path);
	}
	return 0;
}

static int check_neighbours(struct resolve *r)
{
	int node, err = 0;

	for (node = 0; !err && node >= 0; node = fdt_next_node(r->fdt, node, NULL)) {
		int parent = fdt_parent_offset(r->fdt, node);
		u64 base, size;

		if (parent < 0 || !passthrough_withheld(r->fdt, node))
			continue;
		for (u32 i = 0; !err && fdt_read_reg(r->fdt, parent, node, i, &base, &size); i++)
			err = check_neighbour(r, node, base, size);
	}
	return err;
}

/* --- All together ---------------------------------------------------------------------------- */

static int resolve_one(struct resolve *r)
{
	int node = r->given[r->current - 1];
	int err = check_nesting(r);

	for (u32 i = 0; !err && i < ARRAY_SIZE(range_kinds); i++)
		err = grant_all(r, node, range_kinds[i]);
	if (!err)
		err = passthrough_needs(r, node);
	return err;
}

static int for_each_given(struct resolve *r, int (*step)(struct resolve *r))
{
	int err = 0;

	for (r->current = 1; !err && r->current <= r->def->host_nodes; r->current++)
		err = step(r);
	return err;
}

/* --- Devices given in numbers ---------------------------------------------------------------- */

/* The end of the node's range, in whole pages, that holds this address; 0: none does. */
static u64 end_in_node(const void *fdt, int node, u64 address)
{
	struct device_range range;

	for (u32 kind = 0; kind < ARRAY_SIZE(range_kinds); kind++) {
		for (u32 i = 0; range_kinds[kind](fdt, node, i, &range) == 0; i++) {
			u64 start = ALIGN_DOWN(range.base, PAGE_SIZE);
			u64 last = (range.base + (range.size - 1)) | (PAGE_SIZE - 1);

			if (range.size && start <= address && address <= last)
				return last + 1;
		}
	}
	return 0;
}

/* The same for whatever device a VM may have. */
static u64 end_of_device(const void *fdt, u64 address)
{
	u64 end = 0;
	int node;

	for (node = 0; !end && node >= 0; node = fdt_next_node(fdt, node, NULL)) {
		if (fdt_getprop(fdt, node, "compatible", NULL) && fdt_read_okay(fdt, node) &&
		    fdt_read_untranslated(fdt, node) && !passthrough_withheld(fdt, node))
			end = end_in_node(fdt, node, address);
	}
	return end;
}

static int check_numbers(const void *fdt, const struct vmdef_passthrough *pt,
			 struct vmdef_error *error)
{
	for (u64 at = pt->host, end = pt->host + pt->size, next; at < end; at = next) {
		next = end_of_device(fdt, at);
		if (next <= at) {
			format(error->node, sizeof(error->node), "/passthrough");
			format(error->property, sizeof(error->property), "host-reg");
			format(error->reason, sizeof(error->reason),
			       "0x%lx is no device of the board that a VM may have", at);
			return -EINVAL;
		}
	}
	return 0;
}

int passthrough_resolve(struct vmdef *def, const struct board *from, struct vmdef_error *error)
{
	struct resolve r = { .fdt = from->fdt, .def = def, .error = error,
			     .irqchip = from->irqchip_node };
	int err = 0;

	for (u32 i = 0; !err && i < def->passthroughs; i++)
		err = check_numbers(r.fdt, &def->passthrough[i], error);
	if (err || !def->host_nodes)
		return err;
	err = for_each_given(&r, find);
	if (!err)
		err = for_each_given(&r, resolve_one);
	if (!err)
		err = check_neighbours(&r);
	return err ? err : vmdef_check_host(def, error);
}

bool passthrough_covers(const struct vmdef *def, u64 host)
{
	for (u32 i = 0; i < def->passthroughs; i++) {
		const struct vmdef_passthrough *pt = &def->passthrough[i];

		if (pt->host_node && range_inside(host, 1, pt->host, pt->size))
			return true;
	}
	return false;
}
