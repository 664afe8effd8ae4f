/* SPDX-License-Identifier: BSD-2-Clause */
/* The reverse of tree.c: from node and property to the member of the file. */
#include "blame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 4

/* The way to a value; each step is the next one's "up". */
struct trail {
	struct where step[STEPS];
	unsigned int steps;
};

static void go(struct trail *t, const char *key, size_t index)
{
	t->step[t->steps] = (struct where){ t->steps ? &t->step[t->steps - 1] : NULL, key, index };
	t->steps++;
}

/* Of the root node. */
static bool find_root(const struct def *def, const char *property, struct trail *t)
{
	static const struct {
		const char *property, *native, *rust_outer, *rust;
	} rows[] = {
		{ "vm-name", "name", NULL, "name" },
		{ "bootargs", "cmdline", NULL, "cmdline" },
		{ "vcpus", "vcpus", "cpu", "num" },
		{ "harts", "harts", "cpu", "allocate_bitmap" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].property, property))
			continue;
		if (!def->native && rows[i].rust_outer)
			go(t, rows[i].rust_outer, 0);
		go(t, def->native ? rows[i].native : rows[i].rust, 0);
		return true;
	}
	return false;
}

/* The region that begins there; regions are sorted after they were read. */
static bool find_memory(const struct def *def, const struct document *doc, uint64_t base,
			struct trail *t)
{
	json_t *regions = json_object_get(json_object_get(doc->root, "memory"), "region");
	struct error unused;
	struct reader r = { doc, &unused, NULL };
	uint64_t at;

	go(t, "memory", 0);
	for (size_t i = 0; !def->native && i < json_array_size(regions); i++) {
		json_t *start = json_object_get(json_array_get(regions, i), "ipa_start");

		if (reader_number(&r, NULL, start, 0, UINT64_MAX, &at) || at != base)
			continue;
		go(t, "region", 0);
		go(t, NULL, i);
		break;
	}
	return true;
}

static const char *name_of(const char *property)
{
	static const char *const names[][2] = {
		{ "reg", "base_ipa" }, { "interrupt", "irq_id" },
		{ "host-reg", "base_pa" }, { "interrupts", "irq_list" },
		{ "cfg_list", "cfg_list" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(names[i][0], property))
			return names[i][1];
	}
	return NULL;
}

static bool find_item(const char *outer, const char *list, uint32_t item, const char *property,
		      struct trail *t)
{
	const char *name = name_of(property);

	go(t, outer, 0);
	go(t, list, 0);
	go(t, NULL, item);
	if (name)
		go(t, name, 0);
	return true;
}

/* A card's properties are called the same in the native form. */
static bool find_nic(const struct def *def, uint32_t nic, const char *property, struct trail *t)
{
	static const char *const keys[] = { "switch", "mac", "vlan", "rate", "mtu" };

	if (nic >= def->nics)
		return false;
	if (!def->native)
		return find_item("emulated_device", "emulated_device_list",
				 def->nic[nic].place.item,
				 strcmp(property, "mac") ? property : "cfg_list", t);
	go(t, "nics", 0);
	go(t, NULL, nic);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(keys[i], property))
			go(t, keys[i], 0);
	return true;
}

static bool find_device(const struct def *def, const char *node, const char *property,
			struct trail *t)
{
	uint32_t item, disk = SHYPER_DEVICES;

	if (!strncmp(node, "net", 3))
		return find_nic(def, (uint32_t)strtoul(node + 3, NULL, 10), property, t);
	if (!strncmp(node, "virtio", 6))
		disk = (uint32_t)strtoul(node + 6, NULL, 10);
	if (def->native) {
		go(t, "disks", 0);
		go(t, NULL, disk);
		return disk < def->disks;
	}
	if (disk < def->disks)
		item = def->disk[disk].place.item;
	else if (!strcmp(node, "console"))
		item = def->console_place.item;
	else if (!strcmp(node, "plic") || !strcmp(node, "aplic"))
		item = def->irqchip_item;
	else
		return false;
	return find_item("emulated_device", "emulated_device_list", item, property, t);
}

/* The device that the address, with which Shyper's words begin then, belongs to. */
static uint64_t holder_of(const struct def *def, const char *text)
{
	uint64_t at = strtoull(text, NULL, 16), i = 0;

	while (i < def->passthroughs && at - def->passthrough[i].host >=
	       def->passthrough[i].range.size)
		i++;
	return i;
}

static bool find_passthrough(const struct def *def, uint64_t n, const char *property,
			     struct trail *t)
{
	return n < def->passthroughs &&
	       find_item("passthrough_device", "passthrough_device_list",
			 def->passthrough[n].item, property, t);
}

/* What follows the beginning, or NULL. */
static const char *behind(const char *text, const char *beginning)
{
	size_t size = strlen(beginning);

	return strncmp(text, beginning, size) ? NULL : text + size;
}

static bool find(const struct def *def, const struct document *doc, const char *node,
		 const char *property, const char *text, struct trail *t)
{
	const char *rest;

	if (!strcmp(node, "/"))
		return find_root(def, property, t);
	rest = behind(node, "/memory@");
	if (rest)
		return find_memory(def, doc, strtoull(rest, NULL, 16), t);
	rest = behind(node, "/devices/");
	if (rest)
		return find_device(def, rest, property, t);
	rest = behind(node, "/passthrough/device@");
	if (rest)
		return find_passthrough(def, strtoull(rest, NULL, 16), property, t);
	return !strcmp(node, "/passthrough") &&
	       find_passthrough(def, holder_of(def, text), property, t);
}

void blame(const struct def *def, const struct document *doc, const char *words,
	   struct error *error)
{
	char prefix[SHYPER_NAME + 16], node[128], property[64] = "";
	struct reader r = { doc, error, NULL };
	struct trail t = { .steps = 0 };
	const char *text;
	int size = 0;

	snprintf(prefix, sizeof(prefix), "%s refused: ", def->name);
	text = behind(words, prefix);
	text = text ? text : words;
	if (sscanf(text, "node %127[^,:], property %63[^:]: %n", node, property, &size) != 2 ||
	    !size)
		sscanf(text, "node %127[^,:]: %n", node, &size);
	if (size && find(def, doc, node, property, text + size, &t))
		reader_refuse(&r, &t.step[t.steps - 1], "%s", text + size);
	else
		error_set(error, "%s: %s", doc->name, text);
}
