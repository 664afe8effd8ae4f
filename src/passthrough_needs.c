/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a passed-through device needs of others: interrupts, which must come by the board's PLIC or
 * APLIC, and nodes that its properties refer to, which the VM must have been given as well. A guest
 * never finds a reference that leads nowhere.
 */
#include "passthrough_resolve.h"

#include <libfdt.h>

#include <hv/errno.h>
#include <hv/fdt_read.h>
#include <hv/passthrough.h>
#include <hv/string.h>

#define DEPTH 4			/* of nodes below a device */
#define PROPERTY_BYTES 16	/* of a property's header and name, about */

static bool is_given(const struct resolve *r, int node)
{
	for (; node > 0; node = fdt_parent_offset(r->fdt, node)) {
		for (u32 i = 0; i < r->def->host_nodes; i++) {
			if (r->given[i] == node)
				return true;
		}
	}
	return false;
}

/* --- References ------------------------------------------------------------------------------ */

/*
 * Properties that hold phandles, each followed by as many cells as that property of its target
 * says; "": by none. NULL: the guest does not get the property. A '*' matches any beginning.
 */
static const struct reference {
	const char *name;
	const char *cells;
} references[] = {
	{ "clocks", "#clock-cells" },
	{ "assigned-clocks", "#clock-cells" },
	{ "assigned-clock-parents", "#clock-cells" },
	{ "resets", "#reset-cells" },
	{ "power-domains", "#power-domain-cells" },
	{ "dmas", "#dma-cells" },
	{ "phys", "#phy-cells" },
	{ "mboxes", "#mbox-cells" },
	{ "pwms", "#pwm-cells" },
	{ "io-channels", "#io-channel-cells" },
	{ "gpios", "#gpio-cells" },
	{ "*-gpios", "#gpio-cells" },
	{ "*-gpio", "#gpio-cells" },
	{ "*-supply", "" },
	{ "nvmem-cells", "" },
	{ "memory-region", "" },
	{ "phy-handle", "" },
	{ "regmap", "" },
	{ "syscon", "" },
	{ "iommus", NULL },
	{ "iommu-map", NULL },
	{ "iommu-map-mask", NULL },
	{ "msi-parent", NULL },
	{ "msi-map", NULL },
	{ "msi-map-mask", NULL },
	{ "interconnects", NULL },
	{ "pinctrl-names", NULL },
	{ "pinctrl-0", NULL },
	{ "pinctrl-1", NULL },
	{ "pinctrl-2", NULL },
};

static const struct reference *reference_of(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(references); i++) {
		const char *pattern = references[i].name;
		size_t skip = 0;

		if (*pattern == '*') {
			size_t tail = strlen(++pattern), len = strlen(name);

			skip = len > tail ? len - tail : len;
		}
		if (!strcmp(name + skip, pattern))
			return &references[i];
	}
	return NULL;
}

bool passthrough_copies(const char *property)
{
	const struct reference *reference = reference_of(property);

	return !reference || reference->cells;
}

/* One phandle with its arguments, left cells being there; how many it takes, or refused. */
static int check_reference(struct resolve *r, int node, const struct reference *reference,
			   const char *name, u32 phandle)
{
	int target = phandle ? fdt_node_offset_by_phandle(r->fdt, phandle) : -1;
	char path[VMDEF_PATH];

	if (!phandle)
		return 1;	/* an entry left out */
	if (target < 0)
		return passthrough_refuse(r, node, name, "refers to no node");
	if (!is_given(r, target)) {
		if (fdt_get_path(r->fdt, target, path, sizeof(path)) < 0)
			path[0] = '\0';
		return passthrough_refuse(r, node, name, "needs %s, which the VM is not given",
					  path);
	}
	return 1 + (int)(*reference->cells ? fdt_read_u32(r->fdt, target, reference->cells, 0) &
						     0xff : 0);
}

static int check_references(struct resolve *r, int node, const char *name, const fdt32_t *cells,
			    int size)
{
	const struct reference *reference = reference_of(name);
	int step;

	if (!reference || !reference->cells)
		return 0;
	for (int i = 0; i < size / 4; i += step) {
		step = check_reference(r, node, reference, name, fdt32_ld(cells + i));
		if (step < 0)
			return step;
	}
	return 0;
}

/* --- Interrupts ------------------------------------------------------------------------------ */

static int add_source(struct resolve *r, int node, const char *property, u32 source,
		      u32 trigger)
{
	struct vmdef *def = r->def;

	for (u32 i = 0; i < def->irqs; i++) {
		if (def->irq[i].host_node && def->irq[i].host == source)
			return 0;	/* devices of one VM may share it */
	}
	if (def->irqs == VMDEF_IRQS)
		return passthrough_refuse(r, node, property, "brings more than %u in all",
					  VMDEF_IRQS);
	def->irq[def->irqs++] = (struct vmdef_irq){
		.host = source, .guest = source, .trigger = trigger, .host_node = r->current };
	return 0;
}

/*
 * One interrupt, whose specifier begins at cells, towards parent: a source of the board's PLIC (one
 * cell) or APLIC (source and trigger), or an affair among devices of this VM. How many cells the
 * specifier takes is *used.
 */
static int add_interrupt(struct resolve *r, int node, const char *property, int parent,
			 const fdt32_t *cells, u32 left, u32 *used)
{
	*used = parent < 0 ? 0 : fdt_read_u32(r->fdt, parent, "#interrupt-cells", 0);
	if (*used == 0 || *used > left)
		return passthrough_refuse(r, node, property, "is malformed");
	if (parent == r->irqchip && *used <= 2)
		return add_source(r, node, property, fdt32_ld(cells),
				  *used == 2 ? fdt32_ld(cells + 1) & 0xf : 0);
	if (parent == r->irqchip)
		return passthrough_refuse(r, node, property, "is malformed");
	if (is_given(r, parent))
		return 0;
	return passthrough_refuse(r, node, property,
				  "goes to a controller that is neither the board's nor given");
}

static int add_interrupts(struct resolve *r, int node)
{
	int size, parent, err = 0;
	const fdt32_t *cells = fdt_getprop(r->fdt, node, "interrupts", &size);
	u32 used = 0;

	if (!cells || fdt_getprop(r->fdt, node, "interrupts-extended", NULL))
		return 0;
	parent = fdt_read_irq_parent(r->fdt, node);
	for (u32 i = 0; !err && i < (u32)size / 4; i += used)
		err = add_interrupt(r, node, "interrupts", parent, cells + i, (u32)size / 4 - i,
				    &used);
	return err;
}

static int add_extended(struct resolve *r, int node)
{
	static const char name[] = "interrupts-extended";
	int size, err = 0;
	const fdt32_t *cells = fdt_getprop(r->fdt, node, name, &size);
	u32 count = cells ? (u32)size / 4 : 0, used = 0;

	for (u32 i = 0; !err && i < count; i += 1 + used) {
		int parent = fdt_node_offset_by_phandle(r->fdt, fdt32_ld(cells + i));

		err = add_interrupt(r, node, name, parent, cells + i + 1, count - i - 1, &used);
	}
	return err;
}

/*
 * A nexus (Devicetree Specification v0.4, 2.4.3): <child's address, child's specifier, parent,
 * parent's address, parent's specifier> for each line.
 */
static int add_map(struct resolve *r, int node)
{
	static const char name[] = "interrupt-map";
	int size, err = 0;
	const fdt32_t *cells = fdt_getprop(r->fdt, node, name, &size);
	u32 count = cells ? (u32)size / 4 : 0, used = 0, address;
	u32 child = fdt_read_u32(r->fdt, node, "#address-cells", 2) +
		    fdt_read_u32(r->fdt, node, "#interrupt-cells", 1);

	for (u32 i = 0; !err && i < count; i += used) {
		int parent = -1;

		if (child < count - i)
			parent = fdt_node_offset_by_phandle(r->fdt, fdt32_ld(cells + i + child));
		i += child + 1;
		address = parent < 0 ? 0 : fdt_read_u32(r->fdt, parent, "#address-cells", 0);
		if (parent < 0 || address > 4 || i + address >= count)
			return passthrough_refuse(r, node, name, "is malformed");
		i += address;
		err = add_interrupt(r, node, name, parent, cells + i, count - i, &used);
	}
	return err;
}

/* --- The walk -------------------------------------------------------------------------------- */

static int count_bytes(struct resolve *r, int node, u32 bytes)
{
	r->bytes += bytes;
	if (r->bytes <= PASSTHROUGH_TREE)
		return 0;
	return passthrough_refuse(r, node, "", "the descriptions of all devices together exceed "
				  "%u bytes", PASSTHROUGH_TREE);
}

static int check_properties(struct resolve *r, int node)
{
	int offset, err = 0;

	fdt_for_each_property_offset(offset, r->fdt, node) {
		const char *name;
		int size;
		const fdt32_t *cells = fdt_getprop_by_offset(r->fdt, offset, &name, &size);

		if (!cells)
			return passthrough_refuse(r, node, "", "is malformed");
		err = count_bytes(r, node, PROPERTY_BYTES + (u32)(size + (int)strlen(name)));
		if (!err)
			err = check_references(r, node, name, cells, size);
		if (err)
			return err;
	}
	return 0;
}

static int check_node(struct resolve *r, int node, u32 depth)
{
	int child, err;

	if (depth == DEPTH)
		return passthrough_refuse(r, node, "", "is too deep below the device");
	err = count_bytes(r, node, PROPERTY_BYTES + (u32)strlen(fdt_get_name(r->fdt, node, NULL)));
	if (!err)
		err = check_properties(r, node);
	if (!err)
		err = add_interrupts(r, node);
	if (!err)
		err = add_extended(r, node);
	if (!err)
		err = add_map(r, node);
	fdt_for_each_subnode(child, r->fdt, node) {
		if (err)
			break;
		err = check_node(r, child, depth + 1);
	}
	return err;
}

int passthrough_needs(struct resolve *r, int node)
{
	return check_node(r, node, 0);
}
