/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper vm getvmid: the number of the VM that this runs in, which is the managing one's. */
#include <stdio.h>

#include "verb.h"

static json_t *op(struct session *s, const json_t *args)
{
	(void)args;
	/* Only VM 0 can open the device. */
	return session_device(s) ? NULL : json_pack("{si}", "id", 0);
}

static void print(const json_t *result)
{
	printf("%" JSON_INTEGER_FORMAT "\n", json_integer_value(json_object_get(result, "id")));
}

const struct verb verb_vm_getvmid = {
	.name = "vm getvmid",
	.help = "print the id of the VM that this command runs in",
	.op = op,
	.print = print,
};
