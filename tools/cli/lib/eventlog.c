/* SPDX-License-Identifier: BSD-2-Clause */
/* The log of events. */
#include "eventlog.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store.h"

#define FILE_MAX (1 << 20)	/* bytes, then it is turned over */
#define NAME "events.jsonl"

static json_t *now(void)
{
	struct timespec ts;
	struct tm tm;
	char text[64];
	size_t used;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	used = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + used, sizeof(text) - used, ".%03ldZ", ts.tv_nsec / 1000000);
	return json_string(text);
}

/* Whoever appends holds the lock: nobody writes to a file that has just been turned over. */
static int open_locked(const char *path)
{
	struct stat named, opened;
	int fd;

	for (;;) {
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || flock(fd, LOCK_EX) || fstat(fd, &opened))
			return fd;
		if (!stat(path, &named) && named.st_ino == opened.st_ino)
			return fd;
		close(fd);
	}
}

static void append(const char *text, size_t size)
{
	char old[PATH_MAX + 4];
	const char *path = store_path(NAME);
	struct stat st;
	off_t end;
	int fd = open_locked(path);

	if (fd >= 0 && !fstat(fd, &st) && st.st_size >= FILE_MAX) {
		snprintf(old, sizeof(old), "%s.1", path);
		rename(path, old);
		close(fd);
		fd = open_locked(path);
	}
	if (fd < 0)
		return;
	end = lseek(fd, 0, SEEK_END);
	/* Half a line would spoil the next one, too. */
	if (write(fd, text, size) != (ssize_t)size && !ftruncate(fd, end))
		fprintf(stderr, "shyper: an event could not be written to %s\n", path);
	close(fd);
}

void eventlog_add(uint32_t id, const char *name, const char *event, json_t *more)
{
	json_t *line = json_pack("{so si ss ss}", "time", now(), "id", (int)id, "name", name,
				 "event", event);
	char *text;
	size_t size;

	json_object_update_new(line, more);
	text = json_dumps(line, JSON_COMPACT);
	json_decref(line);
	if (!text)
		return;
	size = strlen(text);
	text[size] = '\n';	/* in place of the NUL */
	append(text, size + 1);
	free(text);
}

/* --- Reading --------------------------------------------------------------------------------- */

/* Whole lines from where the file stands; a half one is left for the next time. */
static bool read_lines(FILE *file, bool (*take)(void *ctx, json_t *line), void *ctx)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t size;
	bool more = true;

	while (more && (size = getline(&line, &room, file)) > 0) {
		json_t *json;

		if (line[size - 1] != '\n') {
			fseek(file, -(long)size, SEEK_CUR);
			break;
		}
		json = json_loadb(line, (size_t)size, 0, NULL);
		if (json)
			more = take(ctx, json);
	}
	clearerr(file);
	free(line);
	return more;
}

/* A change in the folder, or a second. */
static void wait_for_change(int watch)
{
	char buf[4096] __attribute__((aligned(8)));
	struct pollfd pfd = { .fd = watch, .events = POLLIN };

	if (poll(&pfd, 1, 1000) > 0 && read(watch, buf, sizeof(buf)) <= 0)
		sleep(1);
}

static bool was_turned_over(FILE *file)
{
	struct stat named, opened;

	return !stat(store_path(NAME), &named) && !fstat(fileno(file), &opened) &&
	       named.st_ino != opened.st_ino;
}

static void follow_file(FILE *file, bool (*take)(void *ctx, json_t *line), void *ctx)
{
	int watch = inotify_init1(IN_CLOEXEC);

	if (watch >= 0)
		inotify_add_watch(watch, store_folder(), IN_MODIFY | IN_CREATE | IN_MOVED_TO);
	while (file && read_lines(file, take, ctx) && take(ctx, NULL)) {
		if (was_turned_over(file)) {
			read_lines(file, take, ctx);
			file = freopen(store_path(NAME), "r", file);
		} else {
			wait_for_change(watch);
		}
	}
	if (watch >= 0)
		close(watch);
	if (file)
		fclose(file);
}

void eventlog_read(bool follow, bool (*take)(void *ctx, json_t *line), void *ctx)
{
	FILE *file = fopen(store_path(NAME ".1"), "r");
	bool more = true;

	if (file) {
		more = read_lines(file, take, ctx);
		fclose(file);
	}
	file = more ? fopen(store_path(NAME), follow ? "a+" : "r") : NULL;
	if (!file)
		return;
	rewind(file);
	if (follow) {
		follow_file(file, take, ctx);
	} else {
		read_lines(file, take, ctx);
		fclose(file);
	}
}
