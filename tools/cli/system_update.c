/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shyper system update IMAGE: another Shyper for the machine's next start, where its boot loader
 * takes it from the management VM's disk. The one that runs is never replaced.
 */
#define _GNU_SOURCE	/* memmem() */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verb.h"

#define SMALLEST 4096
#define LARGEST (16 << 20)
#define MAGIC_OFFSET 56		/* boot-image-header.rst of Linux */
#define MAGIC "RSC\5"
#define DEFINITIONS "shyper,vm-v1"	/* the form of definitions that it understands */

static const char *boot_file(void)
{
	const char *path = getenv("SHYPER_IMAGE");

	return path && *path ? path : "/boot/shyper.bin";
}

static char *read_image(struct session *s, const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	char *image = file ? malloc(LARGEST + 1) : NULL;

	if (!file) {
		error_set(&s->error, "%s: %s", path, strerror(errno));
		return NULL;
	}
	*size = image ? fread(image, 1, LARGEST + 1, file) : 0;
	if (!image || ferror(file)) {
		error_set(&s->error, "%s: %s", path, strerror(errno));
		free(image);
		image = NULL;
	}
	fclose(file);
	return image;
}

static int check_image(struct session *s, const char *path, const char *image, size_t size)
{
	if (size < SMALLEST || size > LARGEST || memcmp(image + MAGIC_OFFSET, MAGIC, 4) ||
	    !memmem(image, size, DEFINITIONS, sizeof(DEFINITIONS)))
		return error_set(&s->error, "%s: is not an image of Shyper (build/shyper.bin) "
				 "that understands this command's definitions", path);
	return 0;
}

/* Written beside and moved over, with the old one kept: at every moment there is one to start. */
static int replace(struct session *s, const char *path, const char *image, size_t size)
{
	char next[PATH_MAX], old[PATH_MAX];
	bool good;
	int fd;

	if (snprintf(next, sizeof(next), "%s.new", path) >= (int)sizeof(next) ||
	    snprintf(old, sizeof(old), "%s.old", path) >= (int)sizeof(old))
		return error_set(&s->error, "%s: %s", path, strerror(ENAMETOOLONG));
	fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_set(&s->error, "%s: %s", next, strerror(errno));
	good = write(fd, image, size) == (ssize_t)size && !fsync(fd);
	if (!good)
		error_set(&s->error, "%s: %s", next, strerror(errno ? errno : ENOSPC));
	close(fd);
	if (good) {
		unlink(old);
		good = !link(path, old) && !rename(next, path);
		if (!good)
			error_set(&s->error, "%s: cannot be replaced: %s", path, strerror(errno));
	}
	if (!good)
		unlink(next);
	return good ? 0 : -1;
}

static json_t *update(struct session *s, const char *from, const char *image, size_t size)
{
	const char *to = boot_file();

	if (check_image(s, from, image, size))
		return NULL;
	if (access(to, F_OK)) {
		error_set(&s->error, "%s is fit to start, but this machine's Shyper does not come "
			  "from %s: give the image to what starts the machine (for QEMU that is "
			  "build/shyper.bin of the host)", from, to);
		return NULL;
	}
	if (replace(s, to, image, size))
		return NULL;
	return json_pack("{ss ss}", "image", to, "done",
			 "replaced; it takes effect when the machine is started again");
}

static json_t *op(struct session *s, const json_t *args)
{
	const char *from = json_string_value(json_object_get(args, "image"));
	json_t *result;
	char *image;
	size_t size;

	if (!from) {
		s->error.usage = true;
		error_set(&s->error, "the name of an image is missing");
		return NULL;
	}
	image = read_image(s, from, &size);
	if (!image)
		return NULL;
	result = update(s, from, image, size);
	free(image);
	return result;
}

static void print(const json_t *result)
{
	printf("%s: %s\n", json_string_value(json_object_get(result, "image")),
	       json_string_value(json_object_get(result, "done")));
}

const struct verb verb_system_update = {
	.name = "system update",
	.argument = "IMAGE",
	.key = "image",
	.help = "put another Shyper in place for the machine's next start",
	.op = op,
	.print = print,
};
