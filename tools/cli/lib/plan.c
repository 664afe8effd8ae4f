/* SPDX-License-Identifier: BSD-2-Clause */
/* Schedules in JSON, into their tree and out of it. What they mean is checked by Shyper's code. */
#include "plan.h"

#include <hv/schedule.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"
#include "writer.h"

/* --- Out of JSON ----------------------------------------------------------------------------- */

static void put_u32(struct writer *w, const char *name, uint64_t value)
{
	WRITE(w, fdt_property_u32(w->fdt, name, (uint32_t)value));
}

static void put_string(struct writer *w, const char *name, const char *value)
{
	WRITE(w, fdt_property(w->fdt, name, value, (int)strlen(value) + 1));
}

/* A member of that many microseconds: the property has its name, in the trees' way. */
static int read_us(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	char name[16];
	uint64_t us;

	if (reader_number(r, where, value, 1, SCHEDULE_FRAME_MAX, &us))
		return -1;
	snprintf(name, sizeof(name), "%s", where->key);
	*strchr(name, '_') = '-';
	put_u32(into, name, us);
	return 0;
}

struct harts {
	uint32_t count;
	fdt32_t cell[SHYPER_VCPUS];
};

static int read_hart(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	struct harts *harts = into;
	uint64_t hart;

	if (reader_number(r, where, value, 0, UINT32_MAX, &hart))
		return -1;
	harts->cell[harts->count++] = cpu_to_fdt32((uint32_t)hart);
	return 0;
}

static int read_harts(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	struct writer *w = into;
	struct harts harts = { 0 };

	if (reader_list(r, where, value, SHYPER_VCPUS, read_hart, &harts))
		return -1;
	if (!harts.count)
		return reader_refuse(r, where, "must name at least one hart");
	WRITE(w, fdt_property(w->fdt, "harts", harts.cell, (int)(4 * harts.count)));
	return 0;
}

static int read_partition(struct reader *r, const struct where *where, const json_t *value,
			  uint32_t n, struct writer *w)
{
	static const struct key keys[] = {
		{ "harts", true, read_harts },
		{ "period_us", true, read_us },
		{ "duration_us", true, read_us },
		{ NULL, false, NULL },
	};
	char node[32];

	if (!*where->key || strlen(where->key) >= SHYPER_NAME)
		return reader_refuse_key(r, where, "a name has 1 to %d bytes", SHYPER_NAME - 1);
	snprintf(node, sizeof(node), "partition-%u", n);
	WRITE(w, fdt_begin_node(w->fdt, node));
	put_string(w, "vm-name", where->key);
	put_u32(w, "phandle", n + 1);
	if (reader_object(r, where, value, keys, true, w))
		return -1;
	WRITE(w, fdt_end_node(w->fdt));
	return 0;
}

/* The members of an object, each a node. */
static int read_nodes(struct reader *r, const struct where *where, const json_t *value,
		      uint32_t max,
		      int (*read)(struct reader *r, const struct where *where,
				  const json_t *value, uint32_t n, struct writer *w),
		      struct writer *w)
{
	const char *name;
	json_t *member;
	uint32_t n = 0;

	if (!json_is_object(value))
		return reader_refuse(r, where, "must be an object {…}");
	if (json_object_size(value) > max)
		return reader_refuse(r, where, "has %zu members; at most %u are possible",
				     json_object_size(value), max);
	json_object_foreach((json_t *)value, name, member) {
		const struct where at = { where, name, 0 };

		if (read(r, &at, member, n++, w))
			return -1;
	}
	return 0;
}

/* The same in a node of the object's name. */
static int read_group(struct reader *r, const struct where *where, const json_t *value,
		      uint32_t max,
		      int (*read)(struct reader *r, const struct where *where,
				  const json_t *value, uint32_t n, struct writer *w),
		      struct writer *w)
{
	WRITE(w, fdt_begin_node(w->fdt, where->key));
	if (read_nodes(r, where, value, max, read, w))
		return -1;
	WRITE(w, fdt_end_node(w->fdt));
	return 0;
}

static int read_partitions(struct reader *r, const struct where *where, const json_t *value,
			   void *into)
{
	return read_group(r, where, value, SCHEDULE_PARTITIONS, read_partition, into);
}

struct windows {
	uint32_t count;
	fdt32_t cell[3 * SCHEDULE_WINDOWS];
};

/* By its place among the partitions, from 1; 0: there is none of that name. */
static uint32_t phandle_of(const struct reader *r, const char *wanted)
{
	const json_t *partitions = json_object_get(r->doc->root, "partitions");
	const char *name;
	json_t *member;
	uint32_t n = 0;

	json_object_foreach((json_t *)partitions, name, member) {
		n++;
		if (wanted && !strcmp(name, wanted))
			return n;
	}
	return 0;
}

static int read_window(struct reader *r, const struct where *where, const json_t *value,
		       void *into)
{
	struct windows *windows = into;
	fdt32_t *cell = &windows->cell[3 * windows->count++];
	const char *name = json_string_value(json_array_get(value, 2));

	if (json_array_size(value) != 3)
		return reader_refuse(r, where, "is no window; write it like [0, 1000, "
				     "\"control\"]: offset, duration, partition");
	for (size_t i = 0; i < 2; i++) {
		const struct where at = { where, NULL, i };
		uint64_t us;

		if (reader_number(r, &at, json_array_get(value, i), i, SCHEDULE_FRAME_MAX, &us))
			return -1;
		cell[i] = cpu_to_fdt32((uint32_t)us);
	}
	cell[2] = cpu_to_fdt32(phandle_of(r, name));
	if (!cell[2])
		return reader_refuse(r, where, "there is no partition \"%s\"", name ? name : "");
	return 0;
}

static int read_list(struct reader *r, const struct where *where, const json_t *value, uint32_t n,
		     struct writer *w)
{
	struct windows windows = { 0 };
	char node[32];

	(void)n;
	if (!*where->key || strlen(where->key) > 9 ||
	    where->key[strspn(where->key, "0123456789")])
		return reader_refuse_key(r, where, "\"%s\" is no hart; write it like {\"1\": [[0, "
					 "1000, \"control\"]]}", where->key);
	if (reader_list(r, where, value, SCHEDULE_WINDOWS, read_window, &windows))
		return -1;
	snprintf(node, sizeof(node), "hart%s", where->key);
	WRITE(w, fdt_begin_node(w->fdt, node));
	put_u32(w, "hart", strtoul(where->key, NULL, 10));
	WRITE(w, fdt_property(w->fdt, "windows", windows.cell, (int)(12 * windows.count)));
	WRITE(w, fdt_end_node(w->fdt));
	return 0;
}

static int read_lists(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	return read_nodes(r, where, value, SCHEDULE_LISTS, read_list, into);
}

static int read_relaxed(struct reader *r, const struct where *where, const json_t *value,
			void *into)
{
	struct writer *w = into;
	bool relaxed;

	if (reader_flag(r, where, value, &relaxed))
		return -1;
	if (relaxed)
		WRITE(w, fdt_property(w->fdt, "relaxed", NULL, 0));
	return 0;
}

static int read_table(struct reader *r, const struct where *where, const json_t *value, uint32_t n,
		      struct writer *w)
{
	static const char possible[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789,._+-";
	static const struct key keys[] = {
		{ "frame_us", true, read_us },
		{ "correction_us", false, read_us },
		{ "relaxed", false, read_relaxed },
		{ "harts", true, read_lists },
		{ NULL, false, NULL },
	};

	(void)n;
	if (!*where->key || strlen(where->key) >= SHYPER_NAME ||
	    where->key[strspn(where->key, possible)])
		return reader_refuse_key(r, where, "\"%s\" is no name of a table: 1 to %d letters, "
					 "digits, and any of ,._+-", where->key, SHYPER_NAME - 1);
	WRITE(w, fdt_begin_node(w->fdt, where->key));
	if (reader_object(r, where, value, keys, true, w))
		return -1;
	WRITE(w, fdt_end_node(w->fdt));
	return 0;
}

static int read_tables(struct reader *r, const struct where *where, const json_t *value,
		       void *into)
{
	return read_group(r, where, value, SCHEDULE_TABLES, read_table, into);
}

static int read_schedule(struct reader *r, struct writer *w)
{
	static const struct key keys[] = {
		{ "switch_us", false, read_us },
		{ "late_us", false, read_us },
		{ "partitions", true, read_partitions },
		{ "tables", true, read_tables },
		{ NULL, false, NULL },
	};

	WRITE(w, fdt_begin_node(w->fdt, ""));
	put_string(w, "compatible", "shyper,schedule-v1");
	if (reader_object(r, NULL, r->doc->root, keys, true, w))
		return -1;
	WRITE(w, fdt_end_node(w->fdt));
	return 0;
}

static struct schedule *new_schedule(void)
{
	struct schedule *schedule = calloc(1, sizeof(*schedule));

	if (!schedule)
		abort();
	return schedule;
}

static int check(const struct document *doc, const void *tree, size_t size, struct error *error)
{
	struct schedule *schedule = new_schedule();
	struct vmdef_error why;
	int err = schedule_parse(schedule, tree, size, &why);

	free(schedule);
	if (!err)
		return 0;
	for (char *dash = why.property; (dash = strchr(dash, '-')) != NULL;)
		*dash = '_';
	return error_set(error, "%s: %s%s%s: %s", doc->name, why.node, why.property[0] ? ": " : "",
			 why.property, why.reason);
}

size_t plan_write(const struct document *doc, void *buf, struct error *error)
{
	struct reader r = { .doc = doc, .error = error };
	struct writer w = { .fdt = buf };

	WRITE(&w, fdt_create(buf, SHYPER_TREE_MAX));
	WRITE(&w, fdt_finish_reservemap(buf));
	if (read_schedule(&r, &w))
		return 0;
	WRITE(&w, fdt_finish(buf));
	if (w.error) {
		error_set(error, "%s: the tree cannot be written: %s", doc->name,
			  fdt_strerror(w.error));
		return 0;
	}
	return check(doc, buf, fdt_totalsize(buf), error) ? 0 : fdt_totalsize(buf);
}

/* --- Into JSON ------------------------------------------------------------------------------- */

static json_t *json_partition(const struct schedule_partition *p)
{
	json_t *harts = json_array();

	for (uint32_t i = 0; i < p->harts; i++)
		json_array_append_new(harts, json_integer((json_int_t)p->hart[i]));
	return json_pack("{so sI sI}", "harts", harts, "period_us", (json_int_t)p->period,
			 "duration_us", (json_int_t)p->duration);
}

static json_t *json_windows(const struct schedule *s, const struct schedule_list *list)
{
	json_t *windows = json_array();

	for (uint32_t i = list->first; i < list->first + list->count; i++) {
		const struct schedule_window *w = &s->window[i];

		json_array_append_new(windows, json_pack("[IIs]", (json_int_t)w->begin,
							 (json_int_t)(w->end - w->begin),
							 s->partition[w->partition].name));
	}
	return windows;
}

static json_t *json_table(const struct schedule *s, const struct schedule_table *table)
{
	json_t *out = json_pack("{sI}", "frame_us", (json_int_t)table->frame);
	json_t *harts = json_object();
	char hart[24];

	if (table->correction)
		json_object_set_new(out, "correction_us",
				    json_integer((json_int_t)table->correction));
	if (table->relaxed)
		json_object_set_new(out, "relaxed", json_true());
	for (uint32_t i = table->first; i < table->first + table->lists; i++) {
		snprintf(hart, sizeof(hart), "%" PRIu64, (uint64_t)s->list[i].hart);
		json_object_set_new(harts, hart, json_windows(s, &s->list[i]));
	}
	json_object_set_new(out, "harts", harts);
	return out;
}

json_t *plan_json(const void *tree, size_t size)
{
	struct schedule *s = new_schedule();
	json_t *out = NULL, *partitions = json_object(), *tables = json_object();
	struct vmdef_error why;

	if (!schedule_parse(s, tree, size, &why)) {
		for (uint32_t i = 0; i < s->partitions; i++)
			json_object_set_new(partitions, s->partition[i].name,
					    json_partition(&s->partition[i]));
		for (uint32_t i = 0; i < s->tables; i++)
			json_object_set_new(tables, s->table[i].name, json_table(s, &s->table[i]));
		out = json_pack("{sI sI sO sO}", "switch_us", (json_int_t)s->switch_time,
				"late_us", (json_int_t)s->late, "partitions", partitions, "tables",
				tables);
	}
	json_decref(partitions);
	json_decref(tables);
	free(s);
	return out;
}
