/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper vm list: a table of the VMs. */
#include <libsmartcols/libsmartcols.h>
#include <stdio.h>

#include "lib/describe.h"
#include "verb.h"

static json_t *op(struct session *s, const json_t *args)
{
	struct shyper_system_info system;
	json_t *list;

	(void)args;
	if (session_device(s) || session_system(s, &system))
		return NULL;
	list = json_array();
	for (uint32_t id = 0; id < SHYPER_VMS; id++) {
		struct session_vm vm;

		/* One that is removed meanwhile is not there. */
		if (!(system.vms >> id & 1) || session_open(s, id, false, &vm))
			continue;
		json_array_append_new(list, describe_vm(&vm, &system));
		session_done(&vm);
	}
	return list;
}

enum { ID, NAME, STATE, VCPUS, HARTS, MEMORY, DISKS, UPTIME, RESTART, COLUMNS };

static void fill_line(struct libscols_line *line, const json_t *vm)
{
	const char *reason = json_string_value(json_object_get(vm, "reason"));
	const char *restart = json_string_value(json_object_get(vm, "restart"));
	char buf[128];

	snprintf(buf, sizeof(buf), "%d", (int)json_integer_value(json_object_get(vm, "id")));
	scols_line_set_data(line, ID, buf);
	scols_line_set_data(line, NAME, json_string_value(json_object_get(vm, "name")));
	snprintf(buf, sizeof(buf), "%s%s%s%s",
		 json_string_value(json_object_get(vm, "state")), reason ? " (" : "",
		 reason ? reason : "", reason ? ")" : "");
	scols_line_set_data(line, STATE, buf);
	snprintf(buf, sizeof(buf), "%d", (int)json_integer_value(json_object_get(vm, "vcpus")));
	scols_line_set_data(line, VCPUS, buf);
	scols_line_set_data(line, HARTS,
			    describe_list(json_object_get(vm, "harts"), buf, sizeof(buf)));
	scols_line_set_data(line, MEMORY,
			    describe_size(json_integer_value(json_object_get(vm, "memory")), buf,
					  sizeof(buf)));
	snprintf(buf, sizeof(buf), "%zu", json_array_size(json_object_get(vm, "disks")));
	scols_line_set_data(line, DISKS, buf);
	scols_line_set_data(line, UPTIME,
			    describe_time(json_integer_value(json_object_get(vm, "uptime")), buf,
					  sizeof(buf)));
	scols_line_set_data(line, RESTART, restart ? restart : "-");
}

static void print(const json_t *result)
{
	static const struct {
		const char *name;
		int flags;
	} columns[COLUMNS] = {
		[ID] = { "ID", SCOLS_FL_RIGHT }, [NAME] = { "NAME", 0 }, [STATE] = { "STATE", 0 },
		[VCPUS] = { "VCPUS", SCOLS_FL_RIGHT }, [HARTS] = { "HARTS", 0 },
		[MEMORY] = { "MEMORY", SCOLS_FL_RIGHT }, [DISKS] = { "DISKS", SCOLS_FL_RIGHT },
		[UPTIME] = { "UPTIME", SCOLS_FL_RIGHT }, [RESTART] = { "RESTART", 0 },
	};
	struct libscols_table *table = scols_new_table();

	for (int i = 0; i < COLUMNS; i++)
		scols_table_new_column(table, columns[i].name, 0, columns[i].flags);
	for (size_t i = 0; i < json_array_size(result); i++) {
		struct libscols_line *line = scols_table_new_line(table, NULL);

		if (line)
			fill_line(line, json_array_get(result, i));
	}
	scols_print_table(table);
	scols_unref_table(table);
}

const struct verb verb_vm_list = {
	.name = "vm list",
	.help = "list the VMs",
	.op = op,
	.print = print,
};
