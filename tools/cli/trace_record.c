/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper trace record: from Shyper's rings into a file, until time or the user ends it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/trace_file.h"
#include "verb.h"

#define POLL_NS 10000000
#define SLOTS 8192
#define SECONDS_MAX 86400

static const char *const events[SHYPER_TRACE_EVENTS] = {
	[SHYPER_TRACE_SWITCH] = "switch", [SHYPER_TRACE_WAKE] = "wake",
	[SHYPER_TRACE_SLEEP] = "sleep", [SHYPER_TRACE_EXIT] = "exit",
	[SHYPER_TRACE_INTERRUPT] = "interrupt", [SHYPER_TRACE_STATE] = "state",
	[SHYPER_TRACE_WINDOW] = "window", [SHYPER_TRACE_IDLE] = "idle",
};

struct recording {
	struct session *s;
	int fd;			/* the trace's */
	FILE *file;
	uint64_t timebase;
	uint64_t until;		/* ticks; 0: until a signal */
	uint64_t now;
	uint64_t records;
	uint64_t lost;
	uint64_t sequence[TRACE_HARTS];
	bool there[TRACE_HARTS];
	json_t *vms;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

static int usage(struct session *s, const char *fmt, const char *text, double limit)
{
	s->error.usage = true;
	return error_set(&s->error, fmt, text, limit);
}

static int add_event(struct session *s, const char *word, uint32_t *out)
{
	for (uint32_t i = 0; i < SHYPER_TRACE_EVENTS; i++) {
		if (!strcmp(word, events[i])) {
			*out |= 1u << i;
			return 0;
		}
	}
	s->error.usage = true;
	error_set(&s->error, "there are no events \"%s\"; there are", word);
	for (uint32_t i = 0; i < SHYPER_TRACE_EVENTS; i++)
		error_append(&s->error, " %s", events[i]);
	return -1;
}

/* "switch,wake"; switches are always there: without them nothing could be told of the rest. */
static int read_events(struct session *s, const json_t *args, uint32_t *out)
{
	const char *text = json_string_value(json_object_get(args, "events"));
	char *words, *word, *rest;
	int err = 0;

	*out = (1u << SHYPER_TRACE_EVENTS) - 1;
	if (!text)
		return 0;
	*out = 1u << SHYPER_TRACE_SWITCH;
	words = strdup(text);
	for (word = strtok_r(words, ",", &rest); word && !err; word = strtok_r(NULL, ",", &rest))
		err = add_event(s, word, out);
	free(words);
	return err;
}

static int read_slots(struct session *s, const json_t *args, uint32_t *out)
{
	const char *text = json_string_value(json_object_get(args, "ring"));
	unsigned long slots = SLOTS;
	char *end = NULL;

	if (text)
		slots = strtoul(text, &end, 10);
	if (text && (end == text || *end || text[0] < '0' || text[0] > '9' ||
		     slots > SHYPER_TRACE_RING_MAX))
		return usage(s, "a ring of \"%s\" records is not possible; it has up to %.0f",
			     text, SHYPER_TRACE_RING_MAX);
	for (*out = SHYPER_TRACE_RING_MIN; *out < slots; *out *= 2)
		;
	return 0;
}

static int read_duration(struct session *s, const json_t *args, double *out)
{
	const char *text = json_string_value(json_object_get(args, "duration"));
	char *end;

	*out = 0;
	if (!text)
		return 0;
	*out = strtod(text, &end);
	if (end != text && !*end && *out > 0 && *out <= SECONDS_MAX)
		return 0;
	return usage(s, "\"%s\" seconds are not possible; they are more than 0 and up to %.0f",
		     text, SECONDS_MAX);
}

/* --- While it records ------------------------------------------------------------------------ */

/* VMs come and go meanwhile; each that was seen keeps its name. */
static void note_vms(struct recording *r)
{
	struct shyper_system_info system;
	struct shyper_vm_info info;

	if (device.system_info(r->s->fd, &system) < 0)
		return;
	for (uint32_t id = 0; id < SHYPER_VMS; id++) {
		int vm = system.vms >> id & 1 ? device.open_vm(r->s->fd, id) : -1;

		if (vm < 0)
			continue;
		if (device.info(vm, &info) >= 0)
			json_array_append_new(r->vms, json_pack("{si ss}", "id", (int)id, "name",
								info.name));
		close(vm);
	}
}

/* All that one ring has. 1: there is no such hart. */
static int drain(struct recording *r, uint32_t hart)
{
	struct shyper_trace_read out = { .hart = hart };
	int err;

	do {
		out.sequence = r->sequence[hart];
		err = device.trace_read(r->fd, &out);
		if (err == -ENOENT)
			return 1;
		if (err < 0)
			return session_refused(r->s, r->fd, err, "the trace");
		/* One that does nothing is in the file, too. */
		if (out.count || out.lost || !r->there[hart])
			trace_file_add(r->file, &out);
		r->there[hart] = true;
		r->sequence[hart] = out.sequence;
		r->records += out.count;
		r->lost += out.lost;
		if (out.now > r->now)
			r->now = out.now;
	} while (out.count == SHYPER_TRACE_CHUNK && !ferror(r->file));
	return 0;
}

static int drain_all(struct recording *r)
{
	int err = 0;

	for (uint32_t hart = 0; hart < TRACE_HARTS && !err; hart++)
		err = drain(r, hart);
	return err < 0 ? -1 : 0;
}

static int record(struct recording *r)
{
	while (!stopped && (!r->until || r->now < r->until)) {
		nanosleep(&(struct timespec){ .tv_nsec = POLL_NS }, NULL);
		if (drain_all(r))
			return -1;
		if (ferror(r->file) || fflush(r->file))
			return error_set(&r->s->error, "the trace cannot be written: %s",
					 strerror(errno));
	}
	note_vms(r);
	trace_file_end(r->file, r->now, r->vms);
	return 0;
}

/* --- From beginning to end ------------------------------------------------------------------- */

static int open_trace(struct recording *r, const json_t *args, uint64_t *start)
{
	struct shyper_system_info system;
	struct shyper_trace_open open;
	double seconds;

	if (read_events(r->s, args, &open.events) || read_slots(r->s, args, &open.slots) ||
	    read_duration(r->s, args, &seconds) || session_device(r->s) ||
	    session_system(r->s, &system))
		return -1;
	r->fd = device.trace_open(r->s->fd, &open);
	if (r->fd < 0)
		return session_refused(r->s, r->s->fd, r->fd, "a trace");
	r->timebase = system.timebase;
	r->now = *start = system.uptime;
	r->until = seconds > 0 ? *start + (uint64_t)(seconds * (double)system.timebase) : 0;
	return 0;
}

/* Under another name until it is complete. */
static int record_to(struct recording *r, const char *name, uint64_t start)
{
	char part[4096];
	int err;

	snprintf(part, sizeof(part), "%s.part", name);
	r->file = fopen(part, "wbe");
	if (!r->file)
		return error_set(&r->s->error, "%s: %s", part, strerror(errno));
	trace_file_begin(r->file, r->timebase, start);
	note_vms(r);
	err = record(r);
	if (fclose(r->file) && !err)
		err = error_set(&r->s->error, "%s: %s", part, strerror(errno));
	if (!err && rename(part, name))
		err = error_set(&r->s->error, "%s: %s", name, strerror(errno));
	if (err)
		unlink(part);
	return err;
}

static json_t *op(struct session *s, const json_t *args)
{
	const char *name = json_string_value(json_object_get(args, "output"));
	struct recording r = { .s = s, .vms = json_array() };
	struct sigaction action = { .sa_handler = stop };
	json_t *result = NULL;
	uint64_t start = 0;

	name = name ? name : "shyper.trace";
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (!open_trace(&r, args, &start)) {
		if (!record_to(&r, name, start))
			result = json_pack("{ss sf sI sI}", "file", name, "seconds",
					   (double)(r.now - start) / (double)r.timebase,
					   "records", (json_int_t)r.records, "lost",
					   (json_int_t)r.lost);
		close(r.fd);
	}
	json_decref(r.vms);
	if (result && r.lost)
		session_note(s, "%llu records were overwritten before they could be read; "
			     "--ring makes more room, --events fewer records",
			     (unsigned long long)r.lost);
	return result;
}

static void print(const json_t *result)
{
	printf("%s: %.3f s, %" JSON_INTEGER_FORMAT " records\n",
	       json_string_value(json_object_get(result, "file")),
	       json_real_value(json_object_get(result, "seconds")),
	       json_integer_value(json_object_get(result, "records")));
}

static const struct verb_option options[] = {
	{ "output", 'o', "FILE", "where to (shyper.trace)" },
	{ "duration", 'd', "SECONDS", "for so long; else until Ctrl-C" },
	{ "events", 'e', "LIST", "only these, e.g. wake,window; switches always" },
	{ "ring", 'r', "RECORDS", "room in each hart's ring (8192)" },
	{ NULL, 0, NULL, NULL },
};

const struct verb verb_trace_record = {
	.name = "trace record",
	.help = "record what the harts do",
	.options = options,
	.here = true,
	.op = op,
	.print = print,
};
