/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of what happened to VMs: events.jsonl in the store's folder, one JSON object per line
 * {"time", "id", "name", "event", …}. Any process appends; a line is written in one piece. When it
 * has grown to 1 MiB it becomes events.jsonl.1, so both are bounded.
 */
#ifndef CLI_EVENTLOG_H
#define CLI_EVENTLOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * eventlog_add() - event is a word; more, an object or NULL, has further members and is taken over.
 * A log that cannot be written is no reason to fail.
 */
void eventlog_add(uint32_t id, const char *name, const char *event, json_t *more);

/*
 * eventlog_read() - hand each line to take(), old ones first, until it returns false. The line is
 * take()'s to release. With follow, wait for more; take() gets NULL at least once a second then, to
 * say whether anybody still listens.
 */
void eventlog_read(bool follow, bool (*take)(void *ctx, json_t *line), void *ctx);

#endif
