/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper sched show and vm stats: who has had how much of which hart. */
#include <stdio.h>

#include "lib/plan.h"
#include "lib/shares.h"
#include "lib/table.h"
#include "verb.h"

static const char *number(const json_t *one, const char *key, char *buf, size_t size)
{
	const json_t *value = json_object_get(one, key);

	if (!value)
		return "-";
	snprintf(buf, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return buf;
}

static const char *text_hart(const json_t *one, char *buf, size_t size)
{
	return number(one, "hart", buf, size);
}

static const char *text_policy(const json_t *one, char *buf, size_t size)
{
	(void)buf;
	(void)size;
	return json_string_value(json_object_get(one, "policy"));
}

static const char *text_vm(const json_t *one, char *buf, size_t size)
{
	const char *name = json_string_value(json_object_get(one, "name"));

	(void)buf;
	(void)size;
	return name ? name : "-";
}

static const char *text_vcpu(const json_t *one, char *buf, size_t size)
{
	return number(one, "vcpu", buf, size);
}

static const char *text_state(const json_t *one, char *buf, size_t size)
{
	const char *state = json_string_value(json_object_get(one, "state"));

	(void)buf;
	(void)size;
	return state ? state : "-";
}

static const char *text_priority(const json_t *one, char *buf, size_t size)
{
	return number(one, "priority", buf, size);
}

static const char *text_budget(const json_t *one, char *buf, size_t size)
{
	json_int_t budget = json_integer_value(json_object_get(one, "budget_us"));

	if (!budget)
		return "-";
	snprintf(buf, size, "%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " us%s", budget,
		 json_integer_value(json_object_get(one, "period_us")),
		 json_is_true(json_object_get(one, "strict")) ? ", strict" : "");
	return buf;
}

static const char *text_ran(const json_t *one, char *buf, size_t size)
{
	return shares_time(one, "ran", buf, size);
}

static const char *text_waited(const json_t *one, char *buf, size_t size)
{
	return shares_time(one, "waited", buf, size);
}

static const char *text_share(const json_t *one, char *buf, size_t size)
{
	const json_t *share = json_object_get(one, "share");

	if (!share)
		return "-";
	snprintf(buf, size, "%.1f %%", json_number_value(share));
	return buf;
}

static json_t *op_show(struct session *s, const json_t *args)
{
	int ms = shares_ms(s, args);
	json_t *harts = ms < 0 ? NULL : shares_of(s, (unsigned int)ms);
	json_t *plan = harts ? plan_live(s) : NULL;

	if (plan)
		return json_pack("{so so}", "harts", harts, "schedule", plan);
	json_decref(harts);
	return NULL;
}

/* A line for each vCPU with what its hart is, and one for a hart without any. */
static json_t *lines_of(const json_t *harts)
{
	json_t *lines = json_array(), *hart, *vcpu;
	size_t i, j;

	json_array_foreach(harts, i, hart) {
		const json_t *vcpus = json_object_get(hart, "vcpus");

		if (!json_array_size(vcpus))
			json_array_append(lines, hart);
		json_array_foreach(vcpus, j, vcpu) {
			json_t *line = json_copy(hart);

			json_object_update(line, vcpu);
			json_array_append_new(lines, line);
		}
	}
	return lines;
}

static const char *text_windows(const json_t *one, char *buf, size_t size)
{
	return number(one, "windows", buf, size);
}

static const char *text_missed(const json_t *one, char *buf, size_t size)
{
	return number(one, "missed", buf, size);
}

static const char *text_late(const json_t *one, char *buf, size_t size)
{
	return number(one, "late", buf, size);
}

static const char *text_latest(const json_t *one, char *buf, size_t size)
{
	snprintf(buf, size, "%.1f us", json_number_value(json_object_get(one, "late_max_us")));
	return buf;
}

/* How partitions fared. */
static void print_health(const json_t *lines)
{
	static const struct column columns[] = {
		{ "PARTITION", 0, text_vm }, { "VCPU", SCOLS_FL_RIGHT, text_vcpu },
		{ "HART", SCOLS_FL_RIGHT, text_hart }, { "WINDOWS", SCOLS_FL_RIGHT, text_windows },
		{ "MISSED", SCOLS_FL_RIGHT, text_missed }, { "LATE", SCOLS_FL_RIGHT, text_late },
		{ "LATEST", SCOLS_FL_RIGHT, text_latest },
	};
	json_t *partitions = json_array(), *line;
	size_t i;

	json_array_foreach(lines, i, line) {
		if (json_object_get(line, "windows"))
			json_array_append(partitions, line);
	}
	putchar('\n');
	table_print(partitions, columns, sizeof(columns) / sizeof(columns[0]));
	json_decref(partitions);
}

static void print_show(const json_t *result)
{
	static const struct column columns[] = {
		{ "HART", SCOLS_FL_RIGHT, text_hart }, { "POLICY", 0, text_policy },
		{ "VM", 0, text_vm }, { "VCPU", SCOLS_FL_RIGHT, text_vcpu },
		{ "STATE", 0, text_state }, { "PRIORITY", SCOLS_FL_RIGHT, text_priority },
		{ "BUDGET", 0, text_budget }, { "RAN", SCOLS_FL_RIGHT, text_ran },
		{ "WAITED", SCOLS_FL_RIGHT, text_waited },
		{ "SHARE", SCOLS_FL_RIGHT, text_share },
	};
	const json_t *plan = json_object_get(result, "schedule");
	json_t *lines = lines_of(json_object_get(result, "harts"));

	table_print(lines, columns, sizeof(columns) / sizeof(columns[0]));
	if (json_is_object(plan)) {
		plan_print(plan);
		print_health(lines);
	}
	json_decref(lines);
}

/* --- vm stats -------------------------------------------------------------------------------- */

static void add_vcpus(const json_t *harts, const struct session_vm *vm, json_t *list)
{
	for (uint32_t i = 0; i < vm->info.vcpus; i++) {
		json_int_t hart;
		const json_t *one = shares_get(harts, vm->id, i, &hart);
		json_t *out;

		if (!one)
			continue;
		out = json_pack("{si ss si sI sO}", "vm", (int)vm->id, "name", vm->info.name,
				"vcpu", (int)i, "hart", hart, "state",
				json_object_get(one, "state"));
		if (json_object_get(one, "ran"))
			json_object_set(out, "run", json_object_get(one, "ran"));
		json_object_set_new(out, "steal",
				    json_real(json_number_value(json_object_get(one, "waited"))));
		json_array_append_new(list, out);
	}
}

static json_t *op_stats(struct session *s, const json_t *args)
{
	struct shyper_system_info system;
	json_t *harts = NULL, *list = NULL;
	struct session_vm vm;

	if (json_object_get(args, "vm") && session_find(s, args, false, &vm))
		return NULL;
	if (!session_device(s) && !session_system(s, &system))
		harts = shares_of(s, 0);
	if (harts)
		list = json_array();
	if (json_object_get(args, "vm")) {
		if (harts)
			add_vcpus(harts, &vm, list);
		session_done(&vm);
		json_decref(harts);
		return list;
	}
	for (uint32_t id = 0; harts && id < SHYPER_VMS; id++) {
		/* One that is removed meanwhile is not there. */
		if (!(system.vms >> id & 1) || session_open(s, id, false, &vm))
			continue;
		add_vcpus(harts, &vm, list);
		session_done(&vm);
	}
	json_decref(harts);
	return list;
}

static const char *text_run(const json_t *one, char *buf, size_t size)
{
	return shares_time(one, "run", buf, size);
}

static const char *text_steal(const json_t *one, char *buf, size_t size)
{
	return shares_time(one, "steal", buf, size);
}

static void print_stats(const json_t *list)
{
	static const struct column columns[] = {
		{ "VM", 0, text_vm }, { "VCPU", SCOLS_FL_RIGHT, text_vcpu },
		{ "HART", SCOLS_FL_RIGHT, text_hart }, { "STATE", 0, text_state },
		{ "RUN", SCOLS_FL_RIGHT, text_run }, { "STEAL", SCOLS_FL_RIGHT, text_steal },
	};

	table_print(list, columns, sizeof(columns) / sizeof(columns[0]));
}

static const struct verb_option show_options[] = {
	{ "interval", 'i', "SECONDS", "over which shares are measured (1); 0: not at all" },
	{ NULL, 0, NULL, NULL },
};

const struct verb verb_sched_show = {
	.name = "sched show",
	.help = "show who shares which hart, and who has had how much of it",
	.options = show_options,
	.op = op_show,
	.print = print_show,
};

const struct verb verb_vm_stats = {
	.name = "vm stats",
	.argument = "[NAME|ID]",
	.key = "vm",
	.help = "time that vCPUs have run, and that others ran in their place",
	.op = op_stats,
	.print = print_stats,
};
