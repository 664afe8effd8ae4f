/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a schedule's tree. Its shape is data, as that of a VM's definition; relations are checked
 * at the end, by schedule_check.c.
 */
#include <hv/schedule.h>

#include <libfdt.h>

#include <hv/errno.h>
#include <hv/string.h>

#include "vmdef_parse.h"

#define COMPATIBLE "shyper,schedule-v1"

/* The one being read: nodes come in order, each before what is in it. */
static struct schedule_partition *partition_of(struct vmdef_parse *p)
{
	return &p->schedule->partition[p->schedule->partitions - 1];
}

static struct schedule_table *table_of(struct vmdef_parse *p)
{
	return &p->schedule->table[p->schedule->tables - 1];
}

static struct schedule_list *list_of(struct vmdef_parse *p)
{
	return &p->schedule->list[p->schedule->lists - 1];
}

static int read_compatible(struct vmdef_parse *p, const struct vmdef_value *v)
{
	const char *text = vmdef_string_of(p, v);

	if (!text)
		return -EINVAL;
	return strcmp(text, COMPATIBLE) ? vmdef_refuse(p, v, "must be \"" COMPATIBLE "\"") : 0;
}

/* Microseconds. */
static int read_time(struct vmdef_parse *p, const struct vmdef_value *v, u32 low, u32 high,
		     u64 *out)
{
	u32 n = 0;
	int err = vmdef_read_u32(p, v, &n);

	if (!err && (n < low || n > high))
		return vmdef_refuse(p, v, "is %u; possible are %u to %u", n, low, high);
	*out = n;
	return err;
}

static int read_switch(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return read_time(p, v, 1, SCHEDULE_SWITCH_MAX, &p->schedule->switch_time);
}

static int read_late(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return read_time(p, v, 1, SCHEDULE_FRAME_MAX, &p->schedule->late);
}

/* --- Partitions ---------------------------------------------------------------------------- */

/* The node's name; or this, for a VM whose name no node can have. */
static int read_name(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return vmdef_read_name(p, v, partition_of(p)->name, VMDEF_NAME);
}

static int read_phandle(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return vmdef_read_u32(p, v, &partition_of(p)->phandle);
}

static int read_harts(struct vmdef_parse *p, const struct vmdef_value *v)
{
	struct schedule_partition *partition = partition_of(p);

	partition->harts = v->size / 4;
	if (!v->size || v->size % 4 || partition->harts > VMDEF_VCPUS)
		return vmdef_refuse(p, v, "must be 1 to %u cells, is %u bytes", VMDEF_VCPUS,
				    v->size);
	for (u32 i = 0; i < partition->harts; i++) {
		partition->hart[i] = vmdef_cell(v->data + 4 * i);
		for (u32 j = 0; j < i; j++)
			if (partition->hart[i] == partition->hart[j])
				return vmdef_refuse(p, v, "names hart %lu twice",
						    partition->hart[i]);
	}
	return 0;
}

static int read_period(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return read_time(p, v, 1, SCHEDULE_FRAME_MAX, &partition_of(p)->period);
}

static int read_duration(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return read_time(p, v, 1, SCHEDULE_FRAME_MAX, &partition_of(p)->duration);
}

static int enter_node(struct vmdef_parse *p, int node, char *name, u32 *count, u32 max,
		      const char *what)
{
	const char *at = fdt_get_name(p->fdt, node, NULL);

	if (*count == max)
		return vmdef_refuse_node(p, node, "", "is one %s too many; possible are %u", what,
					 max);
	if (strlen(at) >= VMDEF_NAME)
		return vmdef_refuse_node(p, node, "", "its name has more than %u characters",
					 VMDEF_NAME - 1);
	memcpy(name, at, strlen(at) + 1);
	++*count;
	return 0;
}

static int enter_partition(struct vmdef_parse *p, int node)
{
	struct schedule *s = p->schedule;
	u32 next = MIN(s->partitions, SCHEDULE_PARTITIONS - 1u);

	return enter_node(p, node, s->partition[next].name, &s->partitions, SCHEDULE_PARTITIONS,
			  "partition");
}

/* --- Tables -------------------------------------------------------------------------------- */

static int enter_table(struct vmdef_parse *p, int node)
{
	struct schedule *s = p->schedule;
	u32 next = MIN(s->tables, SCHEDULE_TABLES - 1u);

	s->table[next].first = s->lists;
	return enter_node(p, node, s->table[next].name, &s->tables, SCHEDULE_TABLES, "table");
}

static int read_frame(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return read_time(p, v, 100, SCHEDULE_FRAME_MAX, &table_of(p)->frame);
}

static int read_correction(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return read_time(p, v, 1, SCHEDULE_FRAME_MAX, &table_of(p)->correction);
}

static int read_relaxed(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return vmdef_read_flag(p, v, &table_of(p)->relaxed);
}

static int enter_list(struct vmdef_parse *p, int node)
{
	struct schedule *s = p->schedule;

	if (s->lists == SCHEDULE_LISTS)
		return vmdef_refuse_node(p, node, "", "is one hart too many; possible are %u in "
					 "all tables", SCHEDULE_LISTS);
	s->list[s->lists++].first = s->windows;
	table_of(p)->lists++;
	return 0;
}

static int read_hart(struct vmdef_parse *p, const struct vmdef_value *v)
{
	const struct schedule_table *table = table_of(p);
	u32 hart;
	int err = vmdef_read_u32(p, v, &hart);

	for (u32 i = table->first; !err && i < table->first + table->lists - 1; i++)
		if (p->schedule->list[i].hart == hart)
			return vmdef_refuse(p, v, "is %u, as in another node of the table", hart);
	list_of(p)->hart = hart;
	return err;
}

/* Sorted by begin; what was given first comes first. Until resolve() a phandle names the VM. */
static void insert(struct schedule *s, const struct schedule_window *w)
{
	u32 at = s->windows++;

	for (; at > s->list[s->lists - 1].first && s->window[at - 1].begin > w->begin; at--)
		s->window[at] = s->window[at - 1];
	s->window[at] = *w;
}

static int read_windows(struct vmdef_parse *p, const struct vmdef_value *v)
{
	struct schedule_table *table = table_of(p);

	if (!v->size || v->size % 12)
		return vmdef_refuse(p, v, "must be a list of <offset duration partition>, is %u "
				    "bytes", v->size);
	if (v->size / 12 > SCHEDULE_WINDOWS - p->schedule->windows)
		return vmdef_refuse(p, v, "brings more than %u in all", SCHEDULE_WINDOWS);
	for (const u8 *at = v->data; at < v->data + v->size; at += 12) {
		u64 begin = vmdef_cell(at), duration = vmdef_cell(at + 4);

		insert(p->schedule, &(struct schedule_window){ begin, begin + duration,
							       vmdef_cell(at + 8) });
		table->longest = MAX(table->longest, duration);
	}
	list_of(p)->count = v->size / 12;
	return 0;
}

/* --- The shape of the tree ----------------------------------------------------------------- */

static const struct vmdef_property partition_properties[] = {
	{ "vm-name", false, read_name },
	{ "phandle", false, read_phandle },
	{ "harts", true, read_harts },
	{ "period-us", true, read_period },
	{ "duration-us", true, read_duration },
	{ NULL, false, NULL },
};

static const struct vmdef_property hart_properties[] = {
	{ "hart", true, read_hart },
	{ "windows", true, read_windows },
	{ NULL, false, NULL },
};

static const struct vmdef_property table_properties[] = {
	{ "frame-us", true, read_frame },
	{ "correction-us", false, read_correction },
	{ "relaxed", false, read_relaxed },
	{ NULL, false, NULL },
};

static const struct vmdef_property no_properties[] = {
	{ NULL, false, NULL },
};

static const struct vmdef_property root_properties[] = {
	{ "compatible", true, read_compatible },
	{ "switch-us", false, read_switch },
	{ "late-us", false, read_late },
	{ NULL, false, NULL },
};

static const struct vmdef_kind partition_kinds[] = {
	{ .many = true, .properties = partition_properties, .enter = enter_partition },
	{ .properties = NULL },
};

static const struct vmdef_kind hart_kinds[] = {
	{ .many = true, .properties = hart_properties, .enter = enter_list },
	{ .properties = NULL },
};

static const struct vmdef_kind table_kinds[] = {
	{ .many = true, .properties = table_properties, .enter = enter_table,
	  .children = hart_kinds },
	{ .properties = NULL },
};

static const struct vmdef_kind root_kinds[] = {
	{ .name = "partitions", .properties = no_properties, .children = partition_kinds },
	{ .name = "tables", .properties = no_properties, .children = table_kinds },
	{ .properties = NULL },
};

static const struct vmdef_kind root_kind = {
	.name = "",
	.properties = root_properties,
	.children = root_kinds,
};

/* --- Phandles ------------------------------------------------------------------------------ */

static u32 by_phandle(const struct schedule *s, u32 phandle)
{
	for (u32 i = 0; i < s->partitions; i++)
		if (phandle && s->partition[i].phandle == phandle)
			return i;
	return s->partitions;
}

static int resolve(struct vmdef_parse *p)
{
	struct schedule *s = p->schedule;

	for (u32 i = 0; i < s->windows; i++) {
		struct schedule_window *w = &s->window[i];
		u32 partition = by_phandle(s, w->partition);

		if (partition == s->partitions)
			return vmdef_refuse_path(p, "/tables", "windows", "%lu + %lu us is of "
						 "partition 0x%x, which is not there", w->begin,
						 w->end - w->begin, w->partition);
		w->partition = partition;
	}
	return 0;
}

int schedule_parse(struct schedule *s, const void *fdt, size_t size, struct vmdef_error *error)
{
	struct vmdef_parse p = { .schedule = s, .fdt = fdt, .error = error };
	int err;

	memset(s, 0, sizeof(*s));
	s->switch_time = s->late = SCHEDULE_SWITCH_DEFAULT;
	err = vmdef_walk(&p, size, &root_kind);
	if (!err)
		err = resolve(&p);
	return err ? err : schedule_check(s, error);
}

bool schedule_is(const void *fdt, size_t size)
{
	return !fdt_check_full(fdt, size) &&
	       !fdt_node_check_compatible(fdt, 0, COMPATIBLE);
}

/* --- Use ----------------------------------------------------------------------------------- */

/* Both ends of all are rounded down: what touched still does, and nothing overlaps. */
static void scale(u64 *us, u64 timebase)
{
	*us = *us * timebase / 1000000;
}

void schedule_scale(struct schedule *s, u64 timebase)
{
	scale(&s->switch_time, timebase);
	scale(&s->late, timebase);
	for (u32 i = 0; i < s->partitions; i++) {
		scale(&s->partition[i].period, timebase);
		scale(&s->partition[i].duration, timebase);
	}
	for (u32 i = 0; i < s->tables; i++) {
		scale(&s->table[i].frame, timebase);
		scale(&s->table[i].longest, timebase);
		scale(&s->table[i].correction, timebase);
	}
	for (u32 i = 0; i < s->windows; i++) {
		scale(&s->window[i].begin, timebase);
		scale(&s->window[i].end, timebase);
	}
}

const struct schedule_list *schedule_list(const struct schedule *s, u32 table, u64 hart)
{
	const struct schedule_table *t = &s->table[table];

	for (u32 i = t->first; i < t->first + t->lists; i++)
		if (s->list[i].hart == hart)
			return &s->list[i];
	return NULL;
}

const struct schedule_partition *schedule_partition(const struct schedule *s, const char *name)
{
	for (u32 i = 0; i < s->partitions; i++)
		if (!strcmp(s->partition[i].name, name))
			return &s->partition[i];
	return NULL;
}
