/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of mediated disks. */
#include "mediated.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../lib/reader.h"
#include "../lib/store.h"

#define DISKS 256

static int one_disk(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	char name[PATH_MAX], found[PATH_MAX];
	struct stat st;

	if (reader_text(r, where, value, name, sizeof(name)))
		return -1;
	if (!realpath(name, found) || stat(found, &st))
		return reader_refuse(r, where, "\"%s\": %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return reader_refuse(r, where, "\"%s\" is neither a file nor a block device",
				     name);
	if (json_array_append_new(into, json_string(found)))
		return reader_refuse(r, where, "the name of the file is not UTF-8");
	return 0;
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
	struct document doc;
	struct reader r = { &doc, error, NULL };
	json_t *list = json_array(), *kept;
	int count = -1;

	if (!document_read(&doc, path, error) &&
	    !reader_object(&r, NULL, doc.root, keys, false, list)) {
		kept = json_pack("{sO}", "mediated", list);
		count = store_mediated_save(kept, error) ? -1 : (int)json_array_size(list);
		json_decref(kept);
	}
	document_free(&doc);
	json_decref(list);
	return count;
}
