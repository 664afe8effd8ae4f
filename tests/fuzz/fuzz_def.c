/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer: a file that somebody calls a VM's definition, in either form. What the command accepts
 * becomes a tree that Shyper's own parser reads; what that refuses is blamed on a place of it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/cli/lib/blame.h"
#include "../../tools/cli/lib/tree.h"

#include <hv/vmdef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct def def;

static void check(bool good)
{
	if (!good)
		abort();
}

/* Every error begins with the file's name, mostly with a place behind it. */
static void check_error(const struct error *error, bool placed)
{
	unsigned int line = 0, column = 0;

	check(!strncmp(error->text, "f:", 2));
	if (placed)
		check(sscanf(error->text, "f:%u:%u: ", &line, &column) == 2 && line && column);
}

static void check_def(void)
{
	check(def.name[0] && memchr(def.name, 0, sizeof(def.name)));
	check(def.kernel[0] && memchr(def.cmdline, 0, sizeof(def.cmdline)));
	check(def.vcpus && def.vcpus <= SHYPER_VCPUS);
	check(!def.harts || def.harts == def.vcpus);
	check(def.rams && def.rams <= DEF_RAM && def.disks <= DEF_DISKS);
	for (uint32_t i = 0; i < def.rams; i++)
		check(def.ram[i].size && !((def.ram[i].base | def.ram[i].size) % DEF_PAGE));
	for (uint32_t i = 0; i < def.passthroughs; i++)
		check(def.passthrough[i].first_irq + def.passthrough[i].irqs <= def.irqs);
}

static void make_tree(const struct document *doc)
{
	static uint64_t tree[SHYPER_TREE_MAX / 8];
	static struct vmdef vmdef;
	struct vmdef_error why;
	struct error error;
	char words[512];
	size_t size = tree_write(&def, tree, sizeof(tree), &error);

	check(size && size <= sizeof(tree));
	if (!vmdef_parse(&vmdef, tree, size, &why))
		return;
	check(why.node[0] && why.reason[0]);
	snprintf(words, sizeof(words), "node %s%s%s: %s", why.node,
		 why.property[0] ? ", property " : "", why.property, why.reason);
	blame(&def, doc, words, &error);
	check_error(&error, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct document doc;
	struct error error;
	json_t *notes = NULL;

	memcpy(text, data, size);
	text[size] = '\0';
	if (document_parse(&doc, "f", text, size, &error)) {
		check_error(&error, false);
	} else if (def_parse(&def, &doc, &notes, &error)) {
		check_error(&error, true);
	} else {
		check_def();
		make_tree(&doc);
	}
	json_decref(notes);
	document_free(&doc);
	return 0;
}
