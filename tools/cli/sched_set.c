/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper sched set, switch, shift: another schedule, another table, frames that begin elsewhere. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/plan.h"
#include "verb.h"

static json_t *since(const struct shyper_schedule_info *info)
{
	return json_pack("{ss sI}", "table", info->name[info->table], "frame",
			 (json_int_t)info->frame);
}

static void print_since(const json_t *result)
{
	printf("table %s, from frame %" JSON_INTEGER_FORMAT " on\n",
	       json_string_value(json_object_get(result, "table")),
	       json_integer_value(json_object_get(result, "frame")));
}

/* --- set ------------------------------------------------------------------------------------- */

/* The tree of the file; its size, or 0 with the error set. */
static size_t read_file(struct session *s, const char *file, void *tree)
{
	struct document doc;
	size_t size = 0;

	if (!document_read(&doc, file, &s->error))
		size = plan_write(&doc, tree, &s->error);
	document_free(&doc);
	return size;
}

static json_t *set(struct session *s, const char *file, void *tree)
{
	struct shyper_schedule_info info;
	size_t size = read_file(s, file, tree);
	int err;

	if (!size || session_device(s))
		return NULL;
	err = device.schedule_set(s->fd, tree, size);
	if (err) {
		session_refused(s, s->fd, err, "%s", file);
		return NULL;
	}
	if (plan_await(s, -1, &info))
		return NULL;
	plan_log(s, "schedule set", since(&info));
	return since(&info);
}

static json_t *op_set(struct session *s, const json_t *args)
{
	const char *file = json_string_value(json_object_get(args, "file"));
	uint64_t *tree;
	json_t *result;

	if (!file) {
		s->error.usage = true;
		error_set(&s->error, "the name of a file with a schedule is missing");
		return NULL;
	}
	tree = malloc(SHYPER_TREE_MAX);
	if (!tree)
		abort();
	result = set(s, file, tree);
	free(tree);
	return result;
}

/* --- switch ---------------------------------------------------------------------------------- */

/* By its name; -1 with the error set. */
static int find(struct session *s, const struct shyper_schedule_info *info, const char *name)
{
	char list[SHYPER_TABLES * (SHYPER_NAME + 2)] = "";

	for (uint32_t i = 0; i < info->tables; i++) {
		if (!strcmp(info->name[i], name))
			return (int)i;
		strcat(strcat(list, i ? ", " : ""), info->name[i]);
	}
	return error_set(&s->error, "the schedule has no table \"%s\"; there are %s", name, list);
}

static json_t *op_switch(struct session *s, const json_t *args)
{
	const char *name = json_string_value(json_object_get(args, "table"));
	struct shyper_schedule_info info;
	int table, err;

	if (plan_info(s, &info, NULL))
		return NULL;
	table = find(s, &info, name ? name : "");
	if (table < 0)
		return NULL;
	err = device.schedule_switch(s->fd, (uint32_t)table);
	if (err) {
		session_refused(s, s->fd, err, "table %s", name);
		return NULL;
	}
	if (plan_await(s, table, &info))
		return NULL;
	plan_log(s, "schedule switched", since(&info));
	return since(&info);
}

/* --- shift ----------------------------------------------------------------------------------- */

static json_t *op_shift(struct session *s, const json_t *args)
{
	const char *text = json_string_value(json_object_get(args, "us"));
	const char *digits = text && *text == '-' ? text + 1 : text;
	struct shyper_schedule_info info;
	int err;

	if (!digits || !*digits || digits[strspn(digits, "0123456789")] || strlen(digits) > 9) {
		s->error.usage = true;
		error_set(&s->error, "sched shift needs microseconds, not \"%s\"; earlier is "
			  "written -- -100", text ? text : "");
		return NULL;
	}
	if (session_device(s))
		return NULL;
	err = device.schedule_shift(s->fd, strtol(text, NULL, 10));
	if (err) {
		session_refused(s, s->fd, err, "schedule");
		return NULL;
	}
	if (plan_await_shift(s, &info))
		return NULL;
	plan_log(s, "schedule shifted", json_pack("{si}", "us", atoi(text)));
	return json_pack("{si sI}", "shift_us", atoi(text), "frame", (json_int_t)info.frame);
}

static void print_shift(const json_t *result)
{
	printf("frames begin %+" JSON_INTEGER_FORMAT " us, from frame %" JSON_INTEGER_FORMAT
	       " on\n", json_integer_value(json_object_get(result, "shift_us")),
	       json_integer_value(json_object_get(result, "frame")));
}

const struct verb verb_sched_set = {
	.name = "sched set",
	.argument = "FILE",
	.key = "file",
	.help = "give the partitions another schedule, from a JSON file",
	.op = op_set,
	.print = print_since,
};

const struct verb verb_sched_switch = {
	.name = "sched switch",
	.argument = "TABLE",
	.key = "table",
	.help = "go to another table of the schedule, at the end of the frame",
	.op = op_switch,
	.print = print_since,
};

const struct verb verb_sched_shift = {
	.name = "sched shift",
	.argument = "US",
	.key = "us",
	.help = "have all frames begin so many microseconds later",
	.op = op_shift,
	.print = print_shift,
};
