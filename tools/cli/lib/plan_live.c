/* SPDX-License-Identifier: BSD-2-Clause */
/* The schedule that is in force: its frames, and waiting for one of them to end. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "eventlog.h"
#include "plan.h"

#define TRIES 200
#define NAP_MAX 100000000	/* ns: frames have a second at most, and half of it more */

static int get(struct session *s, struct shyper_schedule_info *info)
{
	int err = session_device(s) ? -1 : device.schedule_info(s->fd, info);

	for (uint32_t i = 0; !err && i < SHYPER_TABLES; i++)
		info->name[i][SHYPER_NAME - 1] = '\0';
	if (!err && (info->tables > SHYPER_TABLES || info->next >= info->tables))
		err = -EIO;
	return err;
}

int plan_info(struct session *s, struct shyper_schedule_info *info, bool *none)
{
	int err = session_device(s) ? -1 : get(s, info);

	if (none)
		*none = err == -ENOENT;
	if (!err || (none && *none))
		return 0;
	return s->fd < 0 ? -1 : session_refused(s, s->fd, err, "schedule");
}

static json_t *config(struct session *s)
{
	uint64_t *tree = malloc(SHYPER_TREE_MAX);
	json_t *out = NULL;
	int size;

	if (!tree)
		abort();
	size = device.schedule_read(s->fd, tree, SHYPER_TREE_MAX);
	if (size < 0)
		session_refused(s, s->fd, size, "schedule");
	else
		out = plan_json(tree, (size_t)size);
	if (size >= 0 && !out)
		error_set(&s->error, "the schedule's tree is of another version of Shyper");
	free(tree);
	return out;
}

static json_int_t us_of(int64_t ticks, uint64_t timebase)
{
	return ticks * 1000000 / (int64_t)timebase;
}

json_t *plan_live(struct session *s)
{
	struct shyper_schedule_info info;
	struct shyper_system_info system;
	json_t *plan, *out;
	bool none;

	if (plan_info(s, &info, &none))
		return NULL;
	if (none)
		return json_null();
	if (session_system(s, &system))
		return NULL;
	plan = config(s);
	if (!plan)
		return NULL;
	out = json_pack("{sI sI sI sb}", "frame", (json_int_t)info.frame, "length_us",
			us_of((int64_t)info.length, system.timebase), "shift_us",
			us_of(info.shift, system.timebase), "pending", (int)info.pending);
	/* Until another schedule has begun, the names are already that one's. */
	if (!info.pending && info.table < info.tables)
		json_object_set_new(out, "table", json_string(info.name[info.table]));
	json_object_set_new(out, "next", json_string(info.name[info.next]));
	json_object_set_new(out, "config", plan);
	return out;
}

/* Until the frame's end, and not much longer than that. */
static void nap(const struct shyper_schedule_info *info, const struct shyper_system_info *system)
{
	uint64_t end = info->start + info->length;
	uint64_t ticks = end > system->uptime ? end - system->uptime : 0;
	uint64_t ns = ticks * 1000000 / system->timebase * 1000 + 200000;

	nanosleep(&(struct timespec){ .tv_nsec = ns < NAP_MAX ? (long)ns : NAP_MAX }, NULL);
}

/* Until the frame that info tells of is over; then it tells of another. */
static int await_frame(struct session *s, struct shyper_schedule_info *info)
{
	struct shyper_system_info system;
	uint64_t frame = info->frame;

	for (int tries = 0; tries < TRIES; tries++) {
		if (session_system(s, &system))
			return -1;
		nap(info, &system);
		if (plan_info(s, info, NULL))
			return -1;
		if (info->frame != frame)
			return 0;
	}
	return error_set(&s->error, "frame %llu does not end", (unsigned long long)frame);
}

int plan_await(struct session *s, int table, struct shyper_schedule_info *info)
{
	uint64_t first = 0;

	if (plan_info(s, info, NULL))
		return -1;
	while (info->pending || (table >= 0 && (int)info->table != table)) {
		if (table >= 0 && (int)info->next != table)
			return error_set(&s->error, "another command has asked for table %s "
					 "meanwhile", info->name[info->next]);
		first = info->frame + 1;
		if (await_frame(s, info))
			return -1;
	}
	info->frame = first ? first : info->frame;
	return 0;
}

/* The frame that takes the last of it is longer or shorter; those behind it are as they shall. */
int plan_await_shift(struct session *s, struct shyper_schedule_info *info)
{
	uint64_t first;

	if (plan_info(s, info, NULL))
		return -1;
	while (info->shift)
		if (await_frame(s, info))
			return -1;
	first = info->frame + 1;
	if (await_frame(s, info))
		return -1;
	info->frame = first;
	return 0;
}

void plan_log(struct session *s, const char *event, json_t *more)
{
	struct session_vm mvm = { .fd = -1, .lock = -1 };
	bool known = !session_open(s, 0, false, &mvm);

	eventlog_add(0, known ? mvm.info.name : "mvm", event, more);
	session_done(&mvm);
}
