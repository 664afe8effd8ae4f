/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking the daemon over its socket, one line of JSON each way at a time. */
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/session.h"
#include "lib/store.h"
#include "verb.h"

#define START_TRIES 200
#define START_WAIT_NS 50000000

static int connect_daemon(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(store_socket()) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, store_socket());
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool is_last(const json_t *line)
{
	return json_object_get(line, "result") || json_object_get(line, "error");
}

/* One that has just been started may not listen yet. */
static int find_daemon(void)
{
	int fd = connect_daemon();

	for (int tries = 0; fd < 0 && tries < START_TRIES && store_has_daemon(); tries++) {
		nanosleep(&(struct timespec){ .tv_nsec = START_WAIT_NS }, NULL);
		fd = connect_daemon();
	}
	return fd;
}

/* Lines until the last one, which is returned. */
static json_t *receive(FILE *file, void (*line)(const json_t *line))
{
	char *text = NULL;
	size_t room = 0;
	ssize_t size;
	json_t *json = NULL;

	while ((size = getline(&text, &room, file)) > 0) {
		json = json_loadb(text, (size_t)size, 0, NULL);
		if (!json || is_last(json))
			break;
		line(json);
		json_decref(json);
		json = NULL;
	}
	free(text);
	return json;
}

static json_t *ask_daemon(int fd, const json_t *request, void (*line)(const json_t *line))
{
	FILE *file = fdopen(fd, "r+");
	json_t *reply = NULL;

	if (!file) {
		close(fd);
		return NULL;
	}
	if (!json_dumpf(request, file, JSON_COMPACT) && fputc('\n', file) != EOF && !fflush(file))
		reply = receive(file, line);
	fclose(file);
	return reply;
}

static bool send_here(struct session *s, json_t *json)
{
	void (*const *line)(const json_t *line) = s->ctx;

	if (json)
		(*line)(json);
	json_decref(json);
	return !ferror(stdout);
}

json_t *client_ask(const json_t *request, bool here, void (*line)(const json_t *line))
{
	struct session s = { .send = send_here, .ctx = (void *)&line };
	int fd = here ? -1 : find_daemon();

	return fd >= 0 ? ask_daemon(fd, request, line) : verb_serve(&s, request);
}
