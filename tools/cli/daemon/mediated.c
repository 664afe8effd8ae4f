/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of mediated disks. */
#include "mediated.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../lib/reader.h"
#include "../lib/store.h"

#define DISKS 256

struct reading {
	char folder[PATH_MAX];	/* of the file */
	json_t *list;		/* absolute names */
};

static bool resolve(const char *folder, const char *name, char found[PATH_MAX])
{
	char joined[PATH_MAX];

	return (name[0] != '/' &&
		snprintf(joined, sizeof(joined), "%s/%s", folder, name) < (int)sizeof(joined) &&
		realpath(joined, found)) || realpath(name, found);
}

/* Two names of one file would be one disk for two VMs. */
static int add(struct reader *r, const struct where *where, json_t *list, const char *name,
	       const char *found)
{
	const json_t *other;
	size_t i;

	json_array_foreach(list, i, other) {
		if (!strcmp(json_string_value(other), found))
			return reader_refuse(r, where, "\"%s\" is number %zu of the list already",
					     name, i);
	}
	if (json_array_append_new(list, json_string(found)))
		return reader_refuse(r, where, "the name of the file is not UTF-8");
	return 0;
}

static int one_disk(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	const struct reading *reading = into;
	char name[PATH_MAX], found[PATH_MAX];
	struct stat st;

	if (reader_text(r, where, value, name, sizeof(name)))
		return -1;
	if (!resolve(reading->folder, name, found) || stat(found, &st))
		return reader_refuse(r, where, "\"%s\": %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return reader_refuse(r, where, "\"%s\" is neither a file nor a block device",
				     name);
	return add(r, where, reading->list, name, found);
}

static int disks(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	return reader_list(r, where, value, DISKS, one_disk, into);
}

int mediated_load(const char *path, struct error *error)
{
	static const struct key keys[] = {
		{ "mediated", true, disks },
		{ NULL, false, NULL },
	};
	struct reading reading = { .list = json_array() };
	struct document doc;
	struct reader r = { &doc, error, NULL };
	char copy[PATH_MAX];
	json_t *kept;
	int count = -1;

	snprintf(copy, sizeof(copy), "%s", path);
	snprintf(reading.folder, sizeof(reading.folder), "%s", dirname(copy));
	if (!document_read(&doc, path, error) &&
	    !reader_object(&r, NULL, doc.root, keys, false, &reading)) {
		kept = json_pack("{sO}", "mediated", reading.list);
		count = store_mediated_save(kept, error) ? -1 :
			(int)json_array_size(reading.list);
		json_decref(kept);
	}
	document_free(&doc);
	json_decref(reading.list);
	return count;
}
