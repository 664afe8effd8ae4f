/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A schedule: which partition has which hart when (ARINC 653). Read out of its tree (binding:
 * docs/scheduling.md), checked completely, constant from then on. A partition is the VM of that
 * name; time that is nobody's is idle. All in microseconds, until schedule_scale().
 */
#ifndef HV_SCHEDULE_H
#define HV_SCHEDULE_H

#include <hv/types.h>
#include <hv/vmdef.h>

#define SCHEDULE_TABLES 8
#define SCHEDULE_PARTITIONS 16
#define SCHEDULE_LISTS 128	/* a table has one for each of its harts */
#define SCHEDULE_WINDOWS 512	/* of all lists */
#define SCHEDULE_FRAME_MAX 1000000
#define SCHEDULE_SWITCH_DEFAULT 10
#define SCHEDULE_SWITCH_MAX 1000

struct schedule_window {
	u64 begin;	/* from the frame's start */
	u64 end;
	u32 partition;	/* index */
};

/* The windows of a hart in a table, by begin; they do not overlap. */
struct schedule_list {
	u64 hart;	/* hart id */
	u32 first;	/* into window[] */
	u32 count;
};

struct schedule_table {
	char name[VMDEF_NAME];
	u64 frame;
	u64 correction;	/* the most that re-sync changes a window; 0: all at a frame's end */
	u64 longest;	/* of its windows */
	bool relaxed;	/* idle time is for VMs that share the harts by priority */
	u32 first;	/* into list[] */
	u32 lists;
};

struct schedule_partition {
	char name[VMDEF_NAME];
	u32 phandle;	/* by which windows name it in the tree */
	u32 harts;
	u64 hart[VMDEF_VCPUS];	/* hart id of each vCPU */
	u64 period;
	u64 duration;	/* that it has, on all its harts at once, in every period of every table */
};

struct schedule {
	u64 switch_time;	/* a window ends so much earlier, for the switch to the next one */
	u64 late;		/* a window that begins later than that is an event */
	u32 partitions, tables, lists, windows;
	struct schedule_partition partition[SCHEDULE_PARTITIONS];
	struct schedule_table table[SCHEDULE_TABLES];	/* the first one is where it begins */
	struct schedule_list list[SCHEDULE_LISTS];
	struct schedule_window window[SCHEDULE_WINDOWS];
};

/*
 * schedule_parse() - read and check a schedule's tree; arguments, context and result as those of
 * vmdef_parse(). Says nothing of the board's harts. schedule_is() - is a tree, of which nothing
 * was checked, meant as one?
 */
int __must_check schedule_parse(struct schedule *s, const void *fdt, size_t size,
				struct vmdef_error *error);
bool schedule_is(const void *fdt, size_t size);

/*
 * schedule_check() - what schedule_parse() does last. schedule_check_change() - from any table of
 * `from` to the first one of `to` nobody is without time for longer than its period.
 */
int __must_check schedule_check(const struct schedule *s, struct vmdef_error *error);
int __must_check schedule_check_change(const struct schedule *from, const struct schedule *to,
				       struct vmdef_error *error);

/* schedule_scale() - all times become ticks of a timer of so many Hz. */
void schedule_scale(struct schedule *s, u64 timebase);

/*
 * schedule_list() - the windows of a hart, schedule_partition() - the partition of a VM; NULL:
 * there is none.
 */
const struct schedule_list *schedule_list(const struct schedule *s, u32 table, u64 hart);
const struct schedule_partition *schedule_partition(const struct schedule *s, const char *name);

#endif
