/* SPDX-License-Identifier: BSD-2-Clause */
/* VMs and numbers for people and scripts. */
#include "describe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store.h"

static json_t *harts_of(const struct shyper_vm_info *info)
{
	json_t *harts = json_array();

	for (uint32_t i = 0; i < info->vcpus && i < SHYPER_VCPUS; i++)
		json_array_append_new(harts, json_integer((json_int_t)info->hart[i]));
	return harts;
}

static uint64_t uptime(const struct shyper_vm_info *info, const struct shyper_system_info *system)
{
	if (info->state != SHYPER_VM_RUNNING || !system->timebase ||
	    info->booted_at > system->uptime)
		return 0;
	return (system->uptime - info->booted_at) / system->timebase;
}

json_t *describe_vm(const struct session_vm *vm, const struct shyper_system_info *system)
{
	const struct shyper_vm_info *info = &vm->info;
	json_t *record = store_record_load(vm->id);
	json_t *restart = json_object_get(record, "restart");
	json_t *out = json_pack("{si ss ss si so sI sI sI}", "id", (int)vm->id, "name", info->name,
				"state", session_state(info), "vcpus", (int)info->vcpus, "harts",
				harts_of(info), "memory", (json_int_t)info->ram, "boots",
				(json_int_t)info->boots, "uptime",
				(json_int_t)uptime(info, system));

	if (info->state == SHYPER_VM_ENDED) {
		json_object_set_new(out, "reason", json_string(session_reason(info->reason)));
		json_object_set_new(out, "exit_code", json_integer(info->exit_code));
		session_set_cause(out, info);
	}
	if (restart && vm->id)
		json_object_set(out, "restart", restart);
	if (vm->id)
		json_object_set(out, "cid", json_object_get(record, "cid"));
	if (vm->id && json_object_get(record, "disks"))
		json_object_set(out, "disks", json_object_get(record, "disks"));
	json_decref(record);
	return out;
}

const char *describe_size(json_int_t bytes, char *buf, size_t size)
{
	static const char units[] = "BKMGT";
	unsigned int unit = 0;
	double value = (double)bytes;

	while (value >= 1024 && units[unit + 1]) {
		value /= 1024;
		unit++;
	}
	snprintf(buf, size, value == (double)(json_int_t)value ? "%.0f%c" : "%.1f%c", value,
		 units[unit]);
	return buf;
}

const char *describe_time(json_int_t seconds, char *buf, size_t size)
{
	json_int_t days = seconds / 86400;
	int used = 0;

	if (days)
		used = snprintf(buf, size, "%" JSON_INTEGER_FORMAT "d ", days);
	snprintf(buf + used, size - (size_t)used, "%02d:%02d:%02d", (int)(seconds / 3600 % 24),
		 (int)(seconds / 60 % 60), (int)(seconds % 60));
	return buf;
}

const char *describe_list(const json_t *list, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < json_array_size(list) && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%" JSON_INTEGER_FORMAT,
					 i ? " " : "",
					 json_integer_value(json_array_get(list, i)));
	return buf;
}

const char *describe_exit(uint32_t cause)
{
	static const char *const names[SHYPER_EXIT_CAUSES] = {
		"sbi", "mmio-read", "mmio-write", "instruction", "ipi", "timer", "external",
		"fault", "other",
	};

	return names[cause];
}
