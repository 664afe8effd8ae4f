/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The relations inside a schedule: windows lie in their frame and apart, every partition has what
 * it needs in each of its periods, and keeps it when the table changes. One check for Shyper and
 * for the tools, on microseconds; every refusal has the numbers that led to it.
 */
#include <hv/schedule.h>

#include <hv/errno.h>
#include <hv/format.h>
#include <hv/string.h>

#include "vmdef_parse.h"

struct place {
	const struct schedule *s;
	const struct schedule_table *table;
	struct vmdef_error *error;
};

#define PATH 64

/* At a table, or at the node above all of them. */
#define refuse_table(at, property, ...)                                                  \
	({                                                                               \
		char path_[PATH];                                                        \
		format(path_, sizeof(path_), "/tables/%s", (at)->table->name);           \
		vmdef_refuse_in((at)->error, path_, property, __VA_ARGS__);              \
	})

#define refuse_partition(error, p, property, ...)                                        \
	({                                                                               \
		char path_[PATH];                                                        \
		format(path_, sizeof(path_), "/partitions/%s", (p)->name);               \
		vmdef_refuse_in(error, path_, property, __VA_ARGS__);                    \
	})

static bool has_hart(const struct schedule_partition *p, u64 hart)
{
	for (u32 i = 0; i < p->harts; i++)
		if (p->hart[i] == hart)
			return true;
	return false;
}

/* --- Partitions ---------------------------------------------------------------------------- */

static int check_partition(const struct schedule *s, u32 n, struct vmdef_error *error)
{
	const struct schedule_partition *p = &s->partition[n];

	for (u32 i = 0; i < n; i++)
		if (!strcmp(s->partition[i].name, p->name))
			return refuse_partition(error, p, "", "is there twice");
	if (p->duration > p->period)
		return refuse_partition(error, p, "duration-us", "is %lu, more than the period, "
					"%lu", p->duration, p->period);
	return 0;
}

/* Parts in a million. */
static u64 load_of(const struct schedule *s, u64 hart)
{
	u64 load = 0;

	for (u32 i = 0; i < s->partitions; i++)
		if (has_hart(&s->partition[i], hart))
			load += s->partition[i].duration * 1000000 / s->partition[i].period;
	return load;
}

static int check_loads(const struct schedule *s, struct vmdef_error *error)
{
	for (u32 i = 0; i < s->partitions; i++)
		for (u32 j = 0; j < s->partition[i].harts; j++) {
			u64 hart = s->partition[i].hart[j], load = load_of(s, hart);

			if (load > 1000000)
				return vmdef_refuse_in(error, "/partitions", "duration-us", "hart "
						       "%lu is used by %lu.%02lu %%: more than 100",
						       hart, load / 10000, load / 100 % 100);
		}
	return 0;
}

/* --- Windows ------------------------------------------------------------------------------- */

static int check_window(const struct place *at, const struct schedule_list *list, u32 n)
{
	const struct schedule_window *w = &at->s->window[n];
	const struct schedule_partition *p = &at->s->partition[w->partition];
	u64 duration = w->end - w->begin;

	if (!has_hart(p, list->hart))
		return refuse_table(at, "windows", "%lu + %lu us on hart %lu is of %s, which has "
				    "no vCPU there", w->begin, duration, list->hart, p->name);
	if (duration <= at->s->switch_time)
		return refuse_table(at, "windows", "%lu + %lu us of %s on hart %lu: a switch alone "
				    "costs %lu us", w->begin, duration, p->name, list->hart,
				    at->s->switch_time);
	if (w->end > at->table->frame)
		return refuse_table(at, "windows", "%lu + %lu us of %s on hart %lu ends behind the "
				    "frame of %lu us", w->begin, duration, p->name, list->hart,
				    at->table->frame);
	if (n > list->first && w[-1].end > w->begin)
		return refuse_table(at, "windows", "%lu + %lu us of %s on hart %lu overlaps %lu + "
				    "%lu us of %s", w->begin, duration, p->name, list->hart,
				    w[-1].begin, w[-1].end - w[-1].begin,
				    at->s->partition[w[-1].partition].name);
	return 0;
}

static int check_windows(const struct place *at)
{
	for (u32 i = at->table->first; i < at->table->first + at->table->lists; i++) {
		const struct schedule_list *list = &at->s->list[i];

		for (u32 n = list->first; n < list->first + list->count; n++) {
			int err = check_window(at, list, n);

			if (err)
				return err;
		}
	}
	return 0;
}

/* --- What partitions get ------------------------------------------------------------------- */

/* The first window of the partition in the list at n or behind it; NULL: none. */
static const struct schedule_window *next_of(const struct schedule *s,
					     const struct schedule_list *list, u32 partition,
					     u32 *n)
{
	for (; list && *n < list->count; ++*n)
		if (s->window[list->first + *n].partition == partition)
			return &s->window[list->first + (*n)++];
	return NULL;
}

static int check_periods(const struct place *at, u32 n, u64 hart)
{
	const struct schedule_partition *p = &at->s->partition[n];
	const struct schedule_list *list = schedule_list(at->s, (u32)(at->table - at->s->table),
							 hart);
	u32 i = 0;
	const struct schedule_window *w = next_of(at->s, list, n, &i);

	if (at->table->frame % p->period)
		return refuse_table(at, "frame-us", "is %lu, no multiple of the period of %s, %lu",
				    at->table->frame, p->name, p->period);
	for (u64 from = 0, to, has; from < at->table->frame; from = to) {
		to = from + p->period;
		for (has = 0; w && w->begin < to; w = next_of(at->s, list, n, &i)) {
			has += MIN(w->end, to) - MAX(w->begin, from);
			if (w->end > to)
				break;
		}
		if (has < p->duration)
			return refuse_table(at, "windows", "%s has %lu us on hart %lu in its "
					    "period from %lu to %lu us, needs %lu", p->name, has,
					    hart, from, to, p->duration);
		/* A period may be short: those inside of the window are full, however many. */
		if (w && w->begin < to)
			to += (w->end - to) / p->period * p->period;
	}
	return 0;
}

/* The partition's windows on this hart are those on its first one. */
static int check_lines(const struct place *at, u32 n, u64 hart)
{
	const struct schedule_partition *p = &at->s->partition[n];
	u32 table = (u32)(at->table - at->s->table), i = 0, j = 0;
	const struct schedule_list *first = schedule_list(at->s, table, p->hart[0]);
	const struct schedule_list *other = schedule_list(at->s, table, hart);
	const struct schedule_window *a, *b;
	static const struct schedule_window none;

	do {
		a = next_of(at->s, first, n, &i);
		b = next_of(at->s, other, n, &j);
		a = a ? a : &none;
		b = b ? b : &none;
		if (a->begin != b->begin || a->end != b->end)
			return refuse_table(at, "windows", "%s has %lu + %lu us on hart %lu, but "
					    "%lu + %lu us on hart %lu: they must be the same",
					    p->name, a->begin, a->end - a->begin, p->hart[0],
					    b->begin, b->end - b->begin, hart);
	} while (a != &none);
	return 0;
}

static int check_table(const struct place *at)
{
	const struct schedule *s = at->s;
	int err = check_windows(at);

	for (u32 n = 0; !err && n < s->partitions; n++)
		for (u32 i = 0; !err && i < s->partition[n].harts; i++) {
			err = check_periods(at, n, s->partition[n].hart[i]);
			if (!err)
				err = check_lines(at, n, s->partition[n].hart[i]);
		}
	if (!err && 10 * at->table->correction > at->table->longest)
		return refuse_table(at, "correction-us", "is %lu, more than a tenth of the longest "
				    "window, %lu", at->table->correction, at->table->longest);
	return err;
}

/* --- Change of the table ------------------------------------------------------------------- */

/* Both tables serve it. The time from its last window in one to its first in the other. */
static u64 gap(const struct schedule *from, u32 a, u32 last, const struct schedule *to, u32 b,
	       u32 first)
{
	const struct schedule_list *before = schedule_list(from, a, from->partition[last].hart[0]);
	const struct schedule_list *behind = schedule_list(to, b, to->partition[first].hart[0]);
	const struct schedule_window *w, *end = NULL;
	u32 n = 0;

	while ((w = next_of(from, before, last, &n)) != NULL)
		end = w;
	n = 0;
	w = next_of(to, behind, first, &n);
	return w && end ? from->table[a].frame - end->end + w->begin : 0;
}

static int check_pair(const struct schedule *from, u32 a, const struct schedule *to, u32 b,
		      struct vmdef_error *error)
{
	const struct place at = { to, &to->table[b], error };

	for (u32 n = 0; n < to->partitions; n++) {
		const struct schedule_partition *p = &to->partition[n];
		const struct schedule_partition *was = schedule_partition(from, p->name);
		u64 without = was ? gap(from, a, (u32)(was - from->partition), to, b, n) : 0;

		if (without > p->period)
			return refuse_table(&at, "windows", "the change from table %s leaves %s "
					    "without time for %lu us; its period is %lu",
					    from->table[a].name, p->name, without, p->period);
	}
	return 0;
}

int schedule_check_change(const struct schedule *from, const struct schedule *to,
			  struct vmdef_error *error)
{
	for (u32 a = 0; a < from->tables; a++)
		if (check_pair(from, a, to, 0, error))
			return -EINVAL;
	return 0;
}

static int check_changes(const struct schedule *s, struct vmdef_error *error)
{
	for (u32 a = 0; a < s->tables; a++)
		for (u32 b = 0; b < s->tables; b++)
			if (a != b && check_pair(s, a, s, b, error))
				return -EINVAL;
	return 0;
}

int schedule_check(const struct schedule *s, struct vmdef_error *error)
{
	int err = 0;

	if (!s->partitions || !s->tables)
		return vmdef_refuse_in(error, s->partitions ? "/tables" : "/partitions", "",
				       "there is none");
	for (u32 i = 0; !err && i < s->partitions; i++)
		err = check_partition(s, i, error);
	if (!err)
		err = check_loads(s, error);
	for (u32 i = 0; !err && i < s->tables; i++)
		err = check_table(&(struct place){ s, &s->table[i], error });
	return err ? err : check_changes(s, error);
}
