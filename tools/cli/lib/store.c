/* SPDX-License-Identifier: BSD-2-Clause */
/* Files about VMs. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

const char *store_folder(void)
{
	const char *folder = getenv("SHYPER_STATE");

	return folder && *folder ? folder : "/var/lib/shyper";
}

const char *store_socket(void)
{
	const char *path = getenv("SHYPER_SOCKET");

	return path && *path ? path : "/run/shyper.sock";
}

const char *store_path(const char *file)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", store_folder(), file);
	return path;
}

static const char *path_of(uint32_t id, const char *suffix)
{
	char name[32];

	snprintf(name, sizeof(name), "%u.%s", id, suffix);
	return store_path(name);
}

int store_prepare(struct error *error)
{
	if (mkdir(store_folder(), 0700) && errno != EEXIST)
		return error_set(error, "%s: cannot be made: %s", store_folder(), strerror(errno));
	return 0;
}

/* Written beside, brought to the disk, then moved over the old one. */
static int save(const char *path, const json_t *json, struct error *error)
{
	char next[PATH_MAX + 8];
	FILE *file;
	bool good;

	if (store_prepare(error))
		return -1;
	snprintf(next, sizeof(next), "%s.new", path);
	file = fopen(next, "w");
	if (!file)
		return error_set(error, "%s: %s", next, strerror(errno));
	good = !json_dumpf(json, file, JSON_INDENT(1)) && fputc('\n', file) != EOF &&
	       !fflush(file) && !fsync(fileno(file));
	if (fclose(file) || !good || rename(next, path)) {
		error_set(error, "%s: cannot be written: %s", path, strerror(errno));
		unlink(next);
		return -1;
	}
	return 0;
}

static json_t *load(const char *path)
{
	json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(json))
		return json;
	json_decref(json);
	return NULL;
}

int store_record_save(uint32_t id, json_t *record, struct error *error)
{
	return save(path_of(id, "json"), record, error);
}

json_t *store_record_load(uint32_t id)
{
	return load(path_of(id, "json"));
}

int store_run_save(uint32_t id, json_t *run, struct error *error)
{
	return save(path_of(id, "run"), run, error);
}

json_t *store_run_load(uint32_t id)
{
	return load(path_of(id, "run"));
}

int store_host_save(uint32_t id, json_t *note, struct error *error)
{
	return save(path_of(id, "host"), note, error);
}

json_t *store_host_load(uint32_t id)
{
	return load(path_of(id, "host"));
}

int store_mediated_save(json_t *list, struct error *error)
{
	return save(store_path("mediated.json"), list, error);
}

json_t *store_mediated_load(void)
{
	json_t *kept = load(store_path("mediated.json"));
	json_t *list = json_incref(json_object_get(kept, "mediated"));

	json_decref(kept);
	return list;
}

void store_hold(uint32_t id, bool hold)
{
	const char *path = path_of(id, "hold");
	int fd;

	if (!hold) {
		unlink(path);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
}

bool store_is_held(uint32_t id)
{
	return !access(path_of(id, "hold"), F_OK);
}

void store_forget(uint32_t id)
{
	static const char *const suffixes[] = { "json", "run", "host", "hold" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		unlink(path_of(id, suffixes[i]));
}

/* operation: of flock() */
static int lock(const char *path, int operation, struct error *error)
{
	int fd;

	if (store_prepare(error))
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(error, "%s: %s", path, strerror(errno));
	while (flock(fd, operation)) {
		if (errno == EINTR)
			continue;
		close(fd);
		return error_set(error, "%s: cannot be locked: %s", path, strerror(errno));
	}
	return fd;
}

int store_lock(uint32_t id, struct error *error)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", path_of(id, "lock"));
	return lock(path, LOCK_EX, error);
}

int store_try_lock(uint32_t id)
{
	char path[PATH_MAX];
	struct error error;

	snprintf(path, sizeof(path), "%s", path_of(id, "lock"));
	return lock(path, LOCK_EX | LOCK_NB, &error);
}

int store_mediated_lock(struct error *error)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", store_path("mediated.lock"));
	return lock(path, LOCK_EX, error);
}

/* Of a process alone: children that outlive the daemon do not keep it, as they would a flock(). */
static const struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

int store_daemon_lock(struct error *error)
{
	const char *path = store_path("daemon.lock");
	int fd;

	if (store_prepare(error))
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(error, "%s: %s", path, strerror(errno));
	if (!fcntl(fd, F_SETLK, &whole))
		return fd;
	close(fd);
	return error_set(error, "the daemon runs already");
}

bool store_has_daemon(void)
{
	struct flock lock = whole;
	int fd = open(store_path("daemon.lock"), O_RDONLY | O_CLOEXEC);
	bool has;

	if (fd < 0)
		return false;
	has = !fcntl(fd, F_GETLK, &lock) && lock.l_type != F_UNLCK;
	close(fd);
	return has;
}
