/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocol of qemu-guest-agent: a JSON object per line each way. What an earlier client left
 * unread, or left half written, may still be under way; so a conversation begins with
 * guest-sync-delimited, whose answer follows a byte that JSON cannot hold, and has a random number.
 */
#include "agent.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "clock.h"
#include "device.h"

#define SENTINEL 0xff
#define ANSWER_MAX 65536	/* bytes of a line; an answer that we await has less than 300 */
#define BUSY_MS 50		/* between two tries for the port */

struct agent {
	int fd;
	int64_t deadline;	/* clock_ms() */
	struct error *error;
	bool heard;		/* it has sent something */
	bool synced;		/* what it sends from now on is an answer */
	bool silent;		/* it has gone, or is late: the reason of a failure */
	bool busy;		/* another has the port, likewise */
	size_t got, taken;	/* of chunk */
	size_t size;		/* of line */
	char chunk[4096];
	char line[ANSWER_MAX];
};

/* --- Bytes ----------------------------------------------------------------------------------- */

static int late(struct agent *a)
{
	a->silent = true;
	return error_set(a->error, "its guest agent does not answer (--timeout gives it more "
			 "time)");
}

static int gone(struct agent *a)
{
	a->silent = true;
	return error_set(a->error, a->heard ? "its guest agent went away while it answered" :
			 "no guest agent runs in it");
}

/* ms until the deadline, 0 behind it. */
static int left(const struct agent *a)
{
	int64_t ms = a->deadline - clock_ms();

	return ms > 0 ? (int)ms : 0;
}

/* A port that nobody has open in the guest takes no bytes, and says so by POLLHUP alone. */
static int send_bytes(struct agent *a, const char *text, size_t size)
{
	struct pollfd pfd = { .fd = a->fd, .events = POLLOUT };

	while (size) {
		ssize_t put = write(a->fd, text, size);

		if (put > 0) {
			text += put;
			size -= (size_t)put;
		} else if (put < 0 && errno != EAGAIN && errno != EINTR) {
			return gone(a);
		} else if (!left(a)) {
			return late(a);
		} else if (poll(&pfd, 1, left(a)) > 0 && (pfd.revents & (POLLHUP | POLLERR))) {
			return gone(a);
		}
	}
	return 0;
}

static int fill(struct agent *a)
{
	struct pollfd pfd = { .fd = a->fd, .events = POLLIN };

	while (left(a)) {
		ssize_t got;

		if (poll(&pfd, 1, left(a)) <= 0)
			continue;
		got = read(a->fd, a->chunk, sizeof(a->chunk));
		if (got > 0) {
			a->heard = true;
			a->got = (size_t)got;
			a->taken = 0;
			return 0;
		}
		if (got == 0 || (errno != EAGAIN && errno != EINTR))
			return gone(a);
	}
	return late(a);
}

/*
 * The next line, which a sentinel begins anew. Until the agent is in step, bytes without one belong
 * to nobody and may be any number.
 */
static int read_line(struct agent *a, bool *after_sentinel)
{
	*after_sentinel = false;
	a->size = 0;
	for (;;) {
		unsigned char c;

		if (a->taken == a->got && fill(a))
			return -1;
		c = (unsigned char)a->chunk[a->taken++];
		if (c == '\n')
			return 0;
		if (c == SENTINEL)
			*after_sentinel = true;
		else if (a->size < ANSWER_MAX)
			a->line[a->size++] = (char)c;
		else if (a->synced || *after_sentinel)
			return error_set(a->error, "its guest agent's answer is longer than %d KiB",
					 ANSWER_MAX >> 10);
		if (c == SENTINEL)
			a->size = 0;
	}
}

/* --- Requests and answers -------------------------------------------------------------------- */

/* Takes the arguments over. */
static int ask(struct agent *a, const char *command, json_t *arguments)
{
	static const char before[] = { (char)SENTINEL }, after[] = { '\n' };
	json_t *request = json_pack("{ss so}", "execute", command, "arguments", arguments);
	char *text = json_dumps(request, JSON_COMPACT);
	int err;

	/* It ends a request that an earlier client has left unfinished. */
	err = !a->synced && send_bytes(a, before, sizeof(before));
	err = err || send_bytes(a, text, strlen(text)) || send_bytes(a, after, sizeof(after));
	free(text);
	json_decref(request);
	return err ? -1 : 0;
}

static int ask_sync(struct agent *a, const char *command, json_int_t *id)
{
	uint32_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return error_set(a->error, "no random number can be had: %s", strerror(errno));
	*id = number;
	return ask(a, command, json_pack("{sI}", "id", *id));
}

static bool returns(const json_t *answer, json_int_t id)
{
	const json_t *value = json_object_get(answer, "return");

	return json_is_integer(value) && json_integer_value(value) == id;
}

static int begin(struct agent *a)
{
	bool after_sentinel;
	json_int_t id;

	if (ask_sync(a, "guest-sync-delimited", &id))
		return -1;
	while (!a->synced) {
		json_t *answer;

		if (read_line(a, &after_sentinel))
			return -1;
		answer = after_sentinel ? json_loadb(a->line, a->size, 0, NULL) : NULL;
		a->synced = returns(answer, id);
		json_decref(answer);
	}
	return 0;
}

/* 1: it is the awaited one, 0: another, -1: a refusal, or nothing that an agent says. */
static int judge(struct agent *a, json_int_t id)
{
	json_t *answer = json_loadb(a->line, a->size, 0, NULL);
	const json_t *error = json_object_get(answer, "error");
	const char *words = json_string_value(json_object_get(error, "desc"));
	int result = returns(answer, id);

	if (!json_is_object(answer))
		result = error_set(a->error, "its guest agent's answer is no JSON object");
	else if (error)
		result = error_set(a->error, "its guest agent refuses: %.200s",
				   words ? words : "it does not say why");
	json_decref(answer);
	return result;
}

/*
 * Success has no answer. The agent serves one request after the other, so when it answers the next
 * one, the one before was not refused. A guest on its way down may end the agent before that, or
 * keep it busy with its own command: only a refusal is one.
 */
static int confirm(struct agent *a)
{
	bool unused;
	json_int_t id;
	int verdict = ask_sync(a, "guest-sync", &id);

	while (!verdict && !(verdict = read_line(a, &unused)))
		verdict = judge(a, id);
	return verdict < 0 && !a->silent ? -1 : 0;
}

/* --- Conversations --------------------------------------------------------------------------- */

static int open_agent(struct agent *a, uint32_t id, int ms, struct error *error)
{
	*a = (struct agent){ .deadline = clock_ms() + ms, .error = error };
	for (;;) {
		a->fd = device.agent(id);
		a->busy = a->fd == -EBUSY;
		if (a->fd >= 0)
			return 0;
		if (!a->busy)
			break;
		if (!left(a))
			return error_set(error, "somebody else uses its guest agent's port");
		poll(NULL, 0, BUSY_MS);
	}
	if (a->fd == -ENOENT || a->fd == -ENODEV || a->fd == -ENXIO)
		return error_set(error, "this machine has no port for its guest agent");
	return error_set(error, "its guest agent's port: %s", strerror(-a->fd));
}

enum agent_state agent_probe(uint32_t id, int ms)
{
	static struct agent a;	/* large */
	struct error unused;
	bool answers;

	if (open_agent(&a, id, ms, &unused))
		return a.busy ? AGENT_BUSY : AGENT_NONE;
	answers = !begin(&a);
	close(a.fd);
	return answers ? AGENT_ANSWERS : AGENT_NONE;
}

int agent_shutdown(uint32_t id, const char *mode, unsigned int seconds, struct error *error)
{
	static struct agent a;	/* large */
	int err;

	if (open_agent(&a, id, (int)seconds * 1000, error))
		return -1;
	err = begin(&a) || ask(&a, "guest-shutdown", json_pack("{ss}", "mode", mode)) ||
	      confirm(&a);
	close(a.fd);
	return err ? -1 : 0;
}
