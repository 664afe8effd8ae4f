/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper events [--follow]: what happened to VMs. */
#include <stdio.h>
#include <string.h>

#include "lib/eventlog.h"
#include "lib/store.h"
#include "verb.h"

static bool forward(void *ctx, json_t *line)
{
	struct session *s = ctx;

	return s->send(s, line ? json_pack("{so}", "event", line) : NULL);
}

static json_t *op(struct session *s, const json_t *args)
{
	if (store_prepare(&s->error))
		return NULL;
	eventlog_read(verb_flag(args, "follow"), forward, s);
	return json_object();
}

static void show(const json_t *line)
{
	const json_t *event = json_object_get(line, "event"), *value;
	const char *name;

	printf("%s  %s (VM %d): %s", json_string_value(json_object_get(event, "time")),
	       json_string_value(json_object_get(event, "name")),
	       (int)json_integer_value(json_object_get(event, "id")),
	       json_string_value(json_object_get(event, "event")));
	json_object_foreach((json_t *)event, name, value) {
		if (!strcmp(name, "time") || !strcmp(name, "name") || !strcmp(name, "id") ||
		    !strcmp(name, "event"))
			continue;
		if (json_is_string(value))
			printf(", %s %s", name, json_string_value(value));
		else if (!strcmp(name, "restart_in"))
			printf(", restart in %d s", (int)json_integer_value(value));
		else
			printf(", %s %d", name, (int)json_integer_value(value));
	}
	putchar('\n');
	fflush(stdout);
}

static const struct verb_option options[] = {
	{ "follow", 'f', NULL, "wait for more" },
	{ NULL, 0, NULL, NULL },
};

const struct verb verb_events = {
	.name = "events",
	.help = "show what happened to VMs",
	.options = options,
	.op = op,
	.show = show,
};
