/* SPDX-License-Identifier: BSD-2-Clause */
/* A schedule as text. */
#include <stdio.h>

#include "plan.h"

#define INT "%" JSON_INTEGER_FORMAT

static json_int_t integer(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const char *string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void print_frame(const json_t *plan)
{
	const char *table = string(plan, "table"), *next = string(plan, "next");

	printf("\nframe " INT " of " INT " us, ", integer(plan, "frame"),
	       integer(plan, "length_us"));
	if (json_is_true(json_object_get(plan, "pending")))
		printf("then another schedule with table %s", next);
	else if (table && json_equal(json_object_get(plan, "table"), json_object_get(plan, "next")))
		printf("table %s", table);
	else
		printf("table %s, then %s", table, next);
	if (integer(plan, "shift_us"))
		printf(", still to be shifted by " INT " us", integer(plan, "shift_us"));
	putchar('\n');
}

static void print_partition(const char *name, const json_t *partition)
{
	const json_t *hart;
	size_t i;

	printf("partition %s: " INT " of every " INT " us on hart", name,
	       integer(partition, "duration_us"), integer(partition, "period_us"));
	json_array_foreach(json_object_get(partition, "harts"), i, hart)
		printf(" " INT, json_integer_value(hart));
	putchar('\n');
}

static void print_windows(const char *hart, const json_t *windows)
{
	const json_t *window;
	size_t i;

	json_array_foreach(windows, i, window)
		printf("  hart %-3s %8" JSON_INTEGER_FORMAT " + %-8" JSON_INTEGER_FORMAT " %s\n",
		       hart, json_integer_value(json_array_get(window, 0)),
		       json_integer_value(json_array_get(window, 1)),
		       json_string_value(json_array_get(window, 2)));
}

static void print_table(const char *name, const json_t *table)
{
	json_t *windows;
	const char *hart;

	printf("table %s: frame of " INT " us, %s, re-sync ", name, integer(table, "frame_us"),
	       json_is_true(json_object_get(table, "relaxed")) ? "relaxed" : "strict");
	if (integer(table, "correction_us"))
		printf("by " INT " us a window\n", integer(table, "correction_us"));
	else
		puts("at its end");
	json_object_foreach(json_object_get(table, "harts"), hart, windows)
		print_windows(hart, windows);
}

void plan_print(const json_t *plan)
{
	const json_t *config = json_object_get(plan, "config");
	const char *name;
	json_t *member;

	print_frame(plan);
	json_object_foreach(json_object_get(config, "partitions"), name, member)
		print_partition(name, member);
	json_object_foreach(json_object_get(config, "tables"), name, member)
		print_table(name, member);
}
