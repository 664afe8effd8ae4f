/* SPDX-License-Identifier: BSD-2-Clause */
/* Opened without waiting, then looked at: a name could lead elsewhere in between. */
#include "ordinary.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

FILE *ordinary_open(const char *path, struct stat *st, struct error *error)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	FILE *file = NULL;

	if (fd < 0)
		error_set(error, "%s: %s", path, strerror(errno));
	else if (fstat(fd, st))
		error_set(error, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st->st_mode))
		error_set(error, "%s: is %s, not an ordinary file", path,
			  S_ISDIR(st->st_mode) ? "a folder" : "a device, FIFO or socket");
	else if (!(file = fdopen(fd, "rb")))
		error_set(error, "%s: %s", path, strerror(errno));
	if (!file && fd >= 0)
		close(fd);
	return file;
}
