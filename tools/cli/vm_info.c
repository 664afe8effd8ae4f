/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper vm info NAME|ID: all that is known of one VM. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/agent.h"
#include "lib/cards.h"
#include "lib/describe.h"
#include "lib/lost.h"
#include "lib/store.h"
#include "verb.h"

#define BLOCKS 64	/* of memory, that are shown */
#define AGENT_MS 1000	/* for a sign of life */

static json_t *blocks_of(const struct session_vm *vm)
{
	json_t *blocks = json_array();

	for (uint32_t i = 0; i < BLOCKS; i++) {
		struct shyper_vm_memory m = { .index = i };

		if (device.memory(vm->fd, &m) < 0)
			break;
		json_array_append_new(blocks, json_pack("{sI sI}", "guest", (json_int_t)m.guest,
							"size", (json_int_t)m.size));
	}
	return blocks;
}

static json_t *exits_of(const struct shyper_vm_info *info)
{
	json_t *exits = json_object();

	for (uint32_t i = 0; i < SHYPER_EXIT_CAUSES; i++)
		json_object_set_new(exits, describe_exit(i),
				    json_integer((json_int_t)info->exits[i]));
	return exits;
}

static json_t *agent_of(const struct session_vm *vm)
{
	static const char *const words[] = {
		[AGENT_NONE] = "none", [AGENT_ANSWERS] = "answers", [AGENT_BUSY] = "busy",
	};

	if (!vm->id || vm->info.state != SHYPER_VM_RUNNING || vm->info.paused)
		return NULL;
	return json_string(words[agent_probe(vm->id, AGENT_MS)]);
}

static json_t *op(struct session *s, const json_t *args)
{
	struct shyper_system_info system;
	struct session_vm vm;
	json_t *out, *record;

	if (session_find(s, args, false, &vm))
		return NULL;
	if (session_system(s, &system)) {
		session_done(&vm);
		return NULL;
	}
	out = describe_vm(&vm, &system);
	if (lost_disks(vm.id, &vm.info))
		json_object_set_new(out, "disks_lost", json_true());
	json_object_set_new(out, "exits", exits_of(&vm.info));
	json_object_set_new(out, "blocks", blocks_of(&vm));
	json_object_set_new(out, "agent", agent_of(&vm));
	json_object_set_new(out, "cards", cards_of(s, &vm));
	record = vm.id ? store_record_load(vm.id) : NULL;
	json_object_set(out, "file", json_object_get(record, "file"));
	json_object_set(out, "kernel", json_object_get(record, "kernel"));
	json_object_set(out, "initrd", json_object_get(record, "initrd"));
	json_decref(record);
	session_done(&vm);
	return out;
}

static void print_text(const json_t *vm, const char *label, const char *key)
{
	const json_t *value = json_object_get(vm, key);

	if (json_is_string(value))
		printf("%-11s %s\n", label, json_string_value(value));
	else if (value)
		printf("%-11s %" JSON_INTEGER_FORMAT "\n", label, json_integer_value(value));
}

static void print_memory(const json_t *vm)
{
	const json_t *block;
	size_t i;
	char buf[32];

	printf("%-11s %s\n", "memory:",
	       describe_size(json_integer_value(json_object_get(vm, "memory")), buf, sizeof(buf)));
	json_array_foreach(json_object_get(vm, "blocks"), i, block) {
		printf("%-11s 0x%" PRIx64 ", %s\n", "",
		       (uint64_t)json_integer_value(json_object_get(block, "guest")),
		       describe_size(json_integer_value(json_object_get(block, "size")), buf,
				     sizeof(buf)));
	}
}

static void print_disks(const json_t *vm)
{
	const json_t *disk;
	size_t i;

	json_array_foreach(json_object_get(vm, "disks"), i, disk) {
		const char *path = json_string_value(json_object_get(disk, "path"));

		printf("%-11s %s%s%s\n", i ? "" : "disks:",
		       path ? path : "the first mediated disk that is free",
		       json_is_true(json_object_get(disk, "readonly")) ? ", read-only" : "",
		       path && json_is_true(json_object_get(disk, "mediated")) ? ", mediated" :
		       "");
	}
	if (json_object_get(vm, "disks_lost"))
		printf("%-11s lost: the MVM has started anew; shyper vm reset gives them back\n",
		       "");
}

static void print_exits(const json_t *vm)
{
	const char *name;
	json_t *value;

	printf("%-11s", "exits:");
	json_object_foreach(json_object_get(vm, "exits"), name, value) {
		if (json_integer_value(value))
			printf(" %s %" JSON_INTEGER_FORMAT, name, json_integer_value(value));
	}
	putchar('\n');
}

static void print(const json_t *vm)
{
	char buf[128];

	print_text(vm, "name:", "name");
	print_text(vm, "id:", "id");
	print_text(vm, "state:", "state");
	print_text(vm, "ended by:", "reason");
	print_text(vm, "cause:", "cause");
	print_text(vm, "exit code:", "exit_code");
	print_text(vm, "vcpus:", "vcpus");
	printf("%-11s %s\n", "harts:",
	       describe_list(json_object_get(vm, "harts"), buf, sizeof(buf)));
	print_memory(vm);
	print_text(vm, "boots:", "boots");
	printf("%-11s %s\n", "uptime:",
	       describe_time(json_integer_value(json_object_get(vm, "uptime")), buf, sizeof(buf)));
	print_text(vm, "agent:", "agent");
	print_text(vm, "restart:", "restart");
	print_text(vm, "file:", "file");
	print_text(vm, "kernel:", "kernel");
	print_text(vm, "initrd:", "initrd");
	print_disks(vm);
	if (json_array_size(json_object_get(vm, "cards")))
		printf("%-11s %s\n", "addresses:",
		       cards_addresses(json_object_get(vm, "cards"), buf, sizeof(buf)));
	print_text(vm, "vsock cid:", "cid");
	print_exits(vm);
}

const struct verb verb_vm_info = {
	.name = "vm info",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "show what is known of a VM",
	.op = op,
	.print = print,
};
