/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk through a tree whose shape tables say: what is there is read, in the tables' order. */
#include "vmdef_parse.h"

#include <libfdt.h>

#include <hv/errno.h>
#include <hv/string.h>

/* Every property of the node is in the table, and none is there twice. */
static int check_property_names(struct vmdef_parse *p, int node, const struct vmdef_kind *kind)
{
	u32 seen = 0;
	int offset;

	fdt_for_each_property_offset(offset, p->fdt, node) {
		const char *name = "?";
		u32 i = 0;

		fdt_getprop_by_offset(p->fdt, offset, &name, NULL);
		while (kind->properties[i].name && strcmp(kind->properties[i].name, name) != 0)
			i++;
		if (!kind->properties[i].name)
			return vmdef_refuse_node(p, node, name, "is an unknown property");
		if (seen & BIT(i))
			return vmdef_refuse_node(p, node, name, "is there twice");
		seen |= (u32)BIT(i);
	}
	return 0;
}

static int read_properties(struct vmdef_parse *p, int node, const struct vmdef_kind *kind)
{
	int err = check_property_names(p, node, kind);

	for (const struct vmdef_property *rule = kind->properties; !err && rule->name; rule++) {
		struct vmdef_value v = { node, kind->device, rule->name, NULL, 0 };
		int size;

		v.data = fdt_getprop(p->fdt, node, rule->name, &size);
		v.size = (u32)size;
		if (v.data)
			err = rule->read(p, &v);
		else if (rule->required)
			err = vmdef_refuse(p, &v, "is missing");
	}
	return err;
}

/* The name without its unit address is that of the kind. */
static bool kind_matches(const struct vmdef_kind *kind, const char *name)
{
	size_t len;

	if (!kind->name)
		return true;
	len = strlen(kind->name);
	return !strncmp(name, kind->name, len) && (!name[len] || name[len] == '@');
}

static const struct vmdef_kind *find_kind(const struct vmdef_kind *kinds, const char *name)
{
	for (; kinds && kinds->properties; kinds++) {
		if (kind_matches(kinds, name))
			return kinds;
	}
	return NULL;
}

/* No earlier sibling has this name or, where only one is possible, is of this kind. */
static int check_single(struct vmdef_parse *p, int parent, int node, const struct vmdef_kind *kind)
{
	const char *name = fdt_get_name(p->fdt, node, NULL);
	int other;

	fdt_for_each_subnode(other, p->fdt, parent) {
		const char *other_name = fdt_get_name(p->fdt, other, NULL);

		if (other == node)
			break;
		if (!strcmp(name, other_name) || (!kind->many && kind_matches(kind, other_name)))
			return vmdef_refuse_node(p, node, "", "this node is there twice");
	}
	return 0;
}

/* Recursion ends with the tables: four levels at most. */
static int read_node(struct vmdef_parse *p, int node, const struct vmdef_kind *kind)
{
	int err = kind->enter ? kind->enter(p, node) : 0;
	u32 children = 0;
	int child;

	if (!err)
		err = read_properties(p, node, kind);
	if (!err && kind->check)
		err = kind->check(p, node, kind);
	if (err)
		return err;
	fdt_for_each_subnode(child, p->fdt, node) {
		const struct vmdef_kind *child_kind =
			find_kind(kind->children, fdt_get_name(p->fdt, child, NULL));

		if (!child_kind)
			return vmdef_refuse_node(p, child, "", "unknown node");
		if (++children > VMDEF_CHILDREN)
			return vmdef_refuse_node(p, child, "", "more than %u nodes in one",
						 VMDEF_CHILDREN);
		err = check_single(p, node, child, child_kind);
		if (!err)
			err = read_node(p, child, child_kind);
		if (err)
			return err;
	}
	return 0;
}

int vmdef_walk(struct vmdef_parse *p, size_t size, const struct vmdef_kind *root)
{
	int err = fdt_check_full(p->fdt, size);

	if (err) {
		return vmdef_refuse_path(p, "/", "", "not a sound device tree: %s",
					 fdt_strerror(err));
	}
	if (fdt_totalsize(p->fdt) > VMDEF_TREE_SIZE) {
		return vmdef_refuse_path(p, "/", "", "the tree has %u bytes; possible are %u",
					 fdt_totalsize(p->fdt), VMDEF_TREE_SIZE);
	}
	return read_node(p, 0, root);
}
