/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections: lines of JSON in, lines of JSON out. */
#include "server.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/eventlog.h"
#include "../lib/release.h"
#include "../lib/session.h"
#include "../lib/store.h"
#include "../verb.h"

#define LINE_MAX_BYTES (1 << 20)
#define BACKLOG 128
#define MOST_CHILDREN 64
#define IDLE_SECONDS 60		/* a client that neither asks nor reads for so long is left */

int server_listen(struct error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = store_socket();
	mode_t mask;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(error, "%s: is too long for a socket's name", path);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(error, "%s: %s", path, strerror(errno));
	/* The daemon's lock says that the socket's owner is dead. */
	unlink(path);
	mask = umask(0177);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, BACKLOG)) {
		error_set(error, "%s: %s", path, strerror(errno));
		close(fd);
		fd = -1;
	}
	umask(mask);
	return fd;
}

/* --- In the child ---------------------------------------------------------------------------- */

static bool still_there(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
}

static bool send_line(struct session *s, json_t *line)
{
	FILE *file = s->ctx;
	bool good;

	if (!line)
		return still_there(fileno(file));
	good = !json_dumpf(line, file, JSON_COMPACT) && fputc('\n', file) != EOF && !fflush(file);
	json_decref(line);
	return good;
}

static json_t *parse_request(const char *text, size_t size, struct session *s)
{
	json_error_t why;
	json_t *request = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
	const char *folder = json_string_value(json_object_get(request, "cwd"));

	if (!json_is_object(request)) {
		send_line(s, json_pack("{ss sb}", "error", request ? "a request is an object" :
				       why.text, "usage", 1));
		json_decref(request);
		return NULL;
	}
	if (folder && chdir(folder)) {
		send_line(s, json_pack("{ss sb}", "error", "the folder in \"cwd\" cannot be "
				       "entered", "usage", 0));
		json_decref(request);
		return NULL;
	}
	return request;
}

/* A line of at most LINE_MAX_BYTES; its size, or 0 at the end or when it is longer. */
static size_t read_line(FILE *file, char *buf)
{
	size_t size = 0;
	int c;

	while (size < LINE_MAX_BYTES && (c = getc(file)) != EOF) {
		if (c == '\n')
			return size ? size : read_line(file, buf);
		buf[size++] = (char)c;
	}
	return 0;
}

static void serve(int fd)
{
	static char line[LINE_MAX_BYTES];
	const struct timeval idle = { .tv_sec = IDLE_SECONDS };
	FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
	struct session s = { .ctx = out, .send = send_line };
	size_t size;

	if (!in || !out)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &idle, sizeof(idle));
	while ((size = read_line(in, line))) {
		json_t *request = parse_request(line, size, &s);
		bool sent;

		if (!request)
			return;
		sent = send_line(&s, verb_serve(&s, request));
		json_decref(request);
		if (!sent)
			return;
	}
}

static bool send_nowhere(struct session *s, json_t *line)
{
	(void)s;
	json_decref(line);
	return true;
}

/*
 * The daemon's signals are blocked and read from a descriptor; a child's are as usual. A child that
 * outlives the daemon must not keep its socket open: nobody would answer there.
 */
static void become_child(int listener)
{
	sigset_t none;

	close(listener);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* --- In the daemon --------------------------------------------------------------------------- */

static unsigned int children;

/* True in the child. Without one, whoever asked sees the connection close, or the VM stay down. */
static bool in_child(int listener)
{
	pid_t child = fork();

	if (child == 0)
		become_child(listener);
	else if (child > 0)
		children++;
	return child == 0;
}

bool server_busy(void)
{
	return children >= MOST_CHILDREN;
}

void server_reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		children--;
}

void server_accept(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return;
	if (in_child(listener)) {
		serve(fd);
		exit(0);
	}
	close(fd);
}

static int boot(uint32_t id, const struct shyper_vm_info *info)
{
	struct session s = { .send = send_nowhere };
	char number[16];
	json_t *request, *reply, *error;
	int status = 0;

	snprintf(number, sizeof(number), "%u", id);
	request = json_pack("{ss s{ss sI}}", "verb", info->state == SHYPER_VM_RUNNING ?
			    "vm reset" : "vm boot", "args", "vm", number, "boots",
			    (json_int_t)info->boots);
	reply = verb_serve(&s, request);
	error = json_object_get(reply, "error");
	if (error) {
		eventlog_add(id, info->name, "restart failed", json_pack("{sO}", "error", error));
		status = 1;
	}
	json_decref(reply);
	json_decref(request);
	return status;
}

void server_boot(int listener, uint32_t id, const struct shyper_vm_info *info)
{
	if (in_child(listener))
		exit(boot(id, info));
}

void server_release(int listener, uint32_t id)
{
	struct session s = { .send = send_nowhere };

	if (!in_child(listener))
		return;
	session_begin(&s);
	release_one(&s, id);
	session_end(&s);
	exit(0);
}
