/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper system info: the machine and what of it is free. */
#include <stdio.h>
#include <string.h>

#include "lib/describe.h"
#include "verb.h"

#define PAGE 4096

static json_t *op(struct session *s, const json_t *args)
{
	struct shyper_system_info info;

	(void)args;
	if (session_device(s) || session_system(s, &info))
		return NULL;
	info.version[sizeof(info.version) - 1] = '\0';
	return json_pack("{ss si sI si si si sI sI sI}", "version", info.version, "abi",
			 (int)info.abi, "uptime",
			 (json_int_t)(info.timebase ? info.uptime / info.timebase : 0), "harts",
			 (int)info.harts, "harts_free", (int)info.harts_free, "vms",
			 __builtin_popcount(info.vms), "pages_total", (json_int_t)info.pages_total,
			 "pages_free", (json_int_t)info.pages_free, "pages_shyper",
			 (json_int_t)info.pages_shyper);
}

static json_int_t number(const json_t *result, const char *name)
{
	return json_integer_value(json_object_get(result, name));
}

static void print(const json_t *result)
{
	char total[32], left[32], own[32], up[48];

	printf("version:    %s (interface %d)\n",
	       json_string_value(json_object_get(result, "version")), (int)number(result, "abi"));
	printf("uptime:     %s\n", describe_time(number(result, "uptime"), up, sizeof(up)));
	printf("harts:      %d, %d free\n", (int)number(result, "harts"),
	       (int)number(result, "harts_free"));
	printf("memory:     %s, %s free, Shyper's own %s\n",
	       describe_size(number(result, "pages_total") * PAGE, total, sizeof(total)),
	       describe_size(number(result, "pages_free") * PAGE, left, sizeof(left)),
	       describe_size(number(result, "pages_shyper") * PAGE, own, sizeof(own)));
	printf("pages:      %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT " free\n",
	       number(result, "pages_total"), number(result, "pages_free"));
	printf("VMs:        %d of %d\n", (int)number(result, "vms"), SHYPER_VMS);
}

const struct verb verb_system_info = {
	.name = "system info",
	.help = "show the machine and what of it is free",
	.op = op,
	.print = print,
};
