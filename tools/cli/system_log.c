/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper system log [--follow]: Shyper's own log. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "verb.h"

#define POLL_NS 200000000

static int send_text(struct session *s, const struct shyper_log *log)
{
	size_t size = log->size < sizeof(log->text) ? log->size : sizeof(log->text);
	json_t *text = json_stringn(log->text, size);

	/* Guests' words in it may be anything. */
	if (!text)
		text = json_string("(a line of the log is not text)\n");
	return s->send(s, json_pack("{so}", "log", text)) ? 0 : -1;
}

static json_t *op(struct session *s, const json_t *args)
{
	struct shyper_log log = { .sequence = 0 };
	bool follow = verb_flag(args, "follow");

	if (session_device(s))
		return NULL;
	for (;;) {
		int err = device.log_read(s->fd, &log);

		if (err < 0) {
			session_refused(s, s->fd, err, "the log");
			return NULL;
		}
		if (log.size && send_text(s, &log))
			return json_object();
		if (!log.size && (!follow || !s->send(s, NULL)))
			return json_object();
		if (!log.size)
			nanosleep(&(struct timespec){ .tv_nsec = POLL_NS }, NULL);
		log.size = log.reserved = 0;
	}
}

static void show(const json_t *line)
{
	const char *text = json_string_value(json_object_get(line, "log"));

	/* Terminals obey control characters; a log has no business with them. */
	for (; text && *text; text++)
		putchar((*text >= ' ' && *text != 0x7f) || *text == '\n' || *text == '\t' ||
			(unsigned char)*text >= 0x80 ? *text : '?');
	fflush(stdout);
}

static const struct verb_option options[] = {
	{ "follow", 'f', NULL, "wait for more" },
	{ NULL, 0, NULL, NULL },
};

const struct verb verb_system_log = {
	.name = "system log",
	.help = "print Shyper's log",
	.options = options,
	.op = op,
	.show = show,
};
