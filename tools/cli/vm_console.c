/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shyper vm console NAME|ID: this terminal becomes the VM's, until ^]. The console belongs to the
 * machine, not to the daemon: bytes go straight between the two terminals.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

#include "client.h"
#include "report.h"
#include "verb.h"

#define ESCAPE 0x1d	/* ^] */
#define CHUNK 4096
#define WAIT_MS 50	/* between tries when somebody takes no more */
#define PATIENCE 100	/* tries */

enum outcome {
	LEFT,		/* by the user, or the input has ended */
	GONE,		/* the VM's side has ended */
};

static int fail(const char *text)
{
	return report_failure(text, false);
}

static void ignore(const json_t *line)
{
	(void)line;
}

/* Its id by way of `vm info`; -1: it has been said why not. */
static int find_id(const json_t *args)
{
	json_t *request = json_pack("{ss sO}", "verb", "vm info", "args", args);
	json_t *reply = client_ask(request, false, ignore);
	const json_t *id = json_object_get(json_object_get(reply, "result"), "id");
	const char *error = json_string_value(json_object_get(reply, "error"));
	int number = id ? (int)json_integer_value(id) : -1;

	if (!id)
		fail(error ? error : "the daemon went away before it had answered; try again");
	json_decref(reply);
	json_decref(request);
	return number;
}

static int open_console(int id)
{
	char text[256];
	int fd;

	if (id == 0)
		return fail("VM 0 is this machine; its console is its serial port"), -1;
	fd = device.console((uint32_t)id);
	if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	if (fd == -ENOENT || fd == -ENODEV || fd == -ENXIO)
		snprintf(text, sizeof(text), "this machine has no console for VM %d: its "
			 "definition lacks the node \"console\" (config/mvm.dts)", id);
	else if (fd == -EBUSY || fd >= 0)
		snprintf(text, sizeof(text), "somebody else is at the console of VM %d", id);
	else
		snprintf(text, sizeof(text), "the console of VM %d: %s", id, strerror(-fd));
	if (fd >= 0)
		close(fd);
	fail(text);
	return -1;
}

/* A terminal hands on each byte as it is. Ports are none, and need nothing. */
static bool make_raw(int fd, struct termios *before)
{
	struct termios raw;

	if (tcgetattr(fd, before))
		return false;
	raw = *before;
	cfmakeraw(&raw);
	return !tcsetattr(fd, TCSANOW, &raw);
}

/*
 * False: nobody takes it any more. A guest that does not read loses what is typed, or nobody could
 * leave its console.
 */
static bool write_all(int fd, const char *from, size_t size)
{
	int tries = PATIENCE;

	while (size && tries) {
		ssize_t put = write(fd, from, size);

		if (put > 0) {
			from += put;
			size -= (size_t)put;
		} else if (errno == EAGAIN) {
			tries--;
			poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, WAIT_MS);
		} else if (errno != EINTR) {
			return false;
		}
	}
	return true;
}

/* Bytes that are there; 0: it has ended, -1: none just now. */
static ssize_t read_some(int fd, char buf[CHUNK])
{
	ssize_t got = read(fd, buf, CHUNK);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? -1 : 0;
	return got;
}

static enum outcome talk(int console)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = console, .events = POLLIN },
	};
	char buf[CHUNK];

	for (;;) {
		ssize_t got;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return GONE;
		got = fds[1].revents ? read_some(console, buf) : -1;
		if (got == 0)
			return GONE;
		if (got > 0 && !write_all(STDOUT_FILENO, buf, (size_t)got))
			return LEFT;
		got = fds[0].revents ? read_some(STDIN_FILENO, buf) : -1;
		if (got > 0) {
			const char *escape = memchr(buf, ESCAPE, (size_t)got);
			size_t typed = escape ? (size_t)(escape - buf) : (size_t)got;

			if (!write_all(console, buf, typed))
				return GONE;
			if (escape)
				return LEFT;
		}
		if (got == 0)
			return LEFT;
	}
}

static int run(const json_t *args)
{
	struct termios before, unused;
	int id = find_id(args), console = id < 0 ? -1 : open_console(id);
	bool raw;
	enum outcome outcome;

	if (console < 0)
		return 1;
	fprintf(stderr, "console of VM %d; ^] leaves it\n", id);
	/* It stays raw: a terminal that echoes would type the VM's own output into it. */
	make_raw(console, &unused);
	raw = make_raw(STDIN_FILENO, &before);
	outcome = talk(console);
	if (raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	close(console);
	fputc('\n', stderr);
	return outcome == LEFT ? 0 : fail("the console has gone: the VM was removed");
}

const struct verb verb_vm_console = {
	.name = "vm console",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "be at a VM's console; ^] leaves it",
	.run = run,
};
