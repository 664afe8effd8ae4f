/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A schedule of partitions: as people write it down in JSON (docs/scheduling.md), as the tree that
 * Shyper takes, and the one that is in force.
 */
#ifndef CLI_PLAN_H
#define CLI_PLAN_H

#include <jansson.h>

#include "document.h"
#include "session.h"

/*
 * plan_write() - the tree of a schedule into buf, SHYPER_TREE_MAX bytes, aligned to 8; checked as
 * Shyper does it, by the same code. Returns its size, or 0 with the error set.
 */
size_t plan_write(const struct document *doc, void *buf, struct error *error);

/* plan_json() - the same as JSON again, from a tree; NULL: it is none. */
json_t *plan_json(const void *tree, size_t size);

/*
 * plan_info() - the frame that runs. 0, or -1 with the error set; *none, if that is allowed: there
 * is no schedule.
 */
int plan_info(struct session *s, struct shyper_schedule_info *info, bool *none);

/* plan_live() - what `sched show` tells of it; JSON null: there is none. NULL: the error is set. */
json_t *plan_live(struct session *s);

/* plan_print() - the same for people: the frame that runs, what partitions need, the tables. */
void plan_print(const json_t *plan);

/*
 * plan_await() - until another schedule has begun (table < 0), or this table of it. Returns 0 and
 * the first frame of it, as far as that was seen, or -1 with the error set.
 */
int plan_await(struct session *s, int table, struct shyper_schedule_info *info);

/*
 * plan_await_shift() - until frames have moved by all that they still had to, which takes one or
 * two frames, or as many as the table's correction makes of it. Result as of plan_await().
 */
int plan_await_shift(struct session *s, struct shyper_schedule_info *info);

/* plan_log() - an event of the MVM's; takes more over. */
void plan_log(struct session *s, const char *event, json_t *more);

#endif
