/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper vm getdefconfig NAME|ID: the JSON that a VM was configured with. */
#include <stdio.h>

#include "verb.h"

static json_t *op(struct session *s, const json_t *args)
{
	struct session_vm vm;
	json_t *record, *definition;

	if (session_find(s, args, false, &vm))
		return NULL;
	record = session_record(s, &vm);
	session_done(&vm);
	definition = json_incref(json_object_get(record, "definition"));
	json_decref(record);
	return definition;
}

static void print(const json_t *result)
{
	json_dumpf(result, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
}

const struct verb verb_vm_getdefconfig = {
	.name = "vm getdefconfig",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "print the configuration that a VM was made from",
	.op = op,
	.print = print,
};
