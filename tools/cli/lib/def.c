/* SPDX-License-Identifier: BSD-2-Clause */
/* What both JSON forms of a VM have in common. */
#include "def.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_RAM (UINT64_C(256) << 20)

const char *const def_restart_names[] = {
	[DEF_NEVER] = "never",
	[DEF_ON_FAILURE] = "on-failure",
	[DEF_ALWAYS] = "always",
	NULL,
};

/* Rust-Shyper's files have parts that ours never have, and no kernel at the top. */
static bool is_native(const json_t *root)
{
	static const char *const theirs[] = {
		"image", "cpu", "type", "emulated_device", "passthrough_device", "dtb_device",
	};

	if (json_object_get(root, "kernel"))
		return true;
	for (size_t i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++) {
		if (json_object_get(root, theirs[i]))
			return false;
	}
	return true;
}

/* --- Memory ---------------------------------------------------------------------------------- */

static void sort_ram(struct def *def)
{
	for (uint32_t i = 1; i < def->rams; i++) {
		struct def_range range = def->ram[i];
		uint32_t j = i;

		for (; j > 0 && def->ram[j - 1].base > range.base; j--)
			def->ram[j] = def->ram[j - 1];
		def->ram[j] = range;
	}
}

static int check_range(struct reader *r, const struct where *where, const struct def_range *range)
{
	if (range->size == 0)
		return reader_refuse(r, where, "memory of size 0");
	if ((range->base | range->size) % DEF_PAGE)
		return reader_refuse(r, where, "0x%" PRIx64 " + 0x%" PRIx64
				     " is not a multiple of 4 KiB", range->base, range->size);
	if (range->size > DEF_ADDRESS_END || range->base > DEF_ADDRESS_END - range->size)
		return reader_refuse(r, where, "0x%" PRIx64 " + 0x%" PRIx64
				     " is more than an address can reach", range->base,
				     range->size);
	return 0;
}

static int check_memory(struct reader *r, struct def *def)
{
	static const struct where where = { NULL, "memory", 0 };

	if (def->rams == 0) {
		def->ram[0] = (struct def_range){ DEF_RAM_BASE, DEFAULT_RAM };
		def->rams = 1;
	}
	sort_ram(def);
	for (uint32_t i = 0; i < def->rams; i++) {
		const struct def_range *range = &def->ram[i], *below = range - 1;

		if (check_range(r, &where, range))
			return -1;
		if (i && below->base + below->size > range->base)
			return reader_refuse(r, &where, "the range at 0x%" PRIx64 " overlaps the "
					     "one at 0x%" PRIx64, range->base, below->base);
	}
	return 0;
}

/* --- Name and harts -------------------------------------------------------------------------- */

static int check_name(struct reader *r, const struct def *def)
{
	static const struct where where = { NULL, "name", 0 };
	const char *name = def->name;

	if (reader_check_name(r, &where, name))
		return -1;
	return name[strspn(name, "0123456789")] ? 0 :
	       reader_refuse(r, &where, "\"%s\" could be taken for a VM's id; a name needs a "
			     "letter", name);
}

static int check_harts(struct reader *r, const struct def *def)
{
	const struct where where = { NULL, def->native ? "harts" : "cpu", 0 };

	if (def->harts && def->harts != def->vcpus)
		return reader_refuse(r, &where, "names %u harts, but the VM has %u vCPUs",
				     def->harts, def->vcpus);
	for (uint32_t i = 0; i < def->harts; i++) {
		for (uint32_t j = 0; j < i; j++) {
			if (def->hart[i] == def->hart[j])
				return reader_refuse(r, &where, "names hart %" PRIu64 " twice",
						     def->hart[i]);
		}
	}
	return 0;
}

/* What vhost serves is a device of those that disks are. */
static int check_devices(struct reader *r, const struct def *def)
{
	const struct where where = { NULL, def->vsock ? "vsock" : "nics", 0 };
	uint32_t devices = def->disks + def->vsock;

	for (uint32_t i = 0; i < def->nics; i++)
		devices += def->nic[i].vhost;
	if (devices > DEF_DISKS)
		return reader_refuse(r, &where, "a VM has at most %u disks, cards with "
				     "\"backend\": \"vhost\" and \"vsock\" in all", DEF_DISKS);
	return 0;
}

bool def_mac_possible(const uint8_t mac[6])
{
	static const uint8_t none[6];

	return !(mac[0] & 1) && memcmp(mac, none, sizeof(none)) != 0;
}

uint32_t def_cid(const struct def *def, uint32_t id)
{
	if (!def->vsock)
		return 0;
	return def->cid ? def->cid : id - 1 + DEF_CID_MIN;
}

int def_parse(struct def *def, const struct document *doc, json_t **notes, struct error *error)
{
	struct reader r = { doc, error, NULL };

	*notes = r.notes = json_array();
	*def = (struct def){ .vcpus = 1 };
	if (!json_is_object(doc->root))
		return reader_refuse(&r, NULL, "a VM's configuration is an object {…}");
	def->native = is_native(doc->root);
	if (def->native ? def_native(&r, def) : def_rust(&r, def))
		return -1;
	if (check_name(&r, def) || check_harts(&r, def) || check_devices(&r, def))
		return -1;
	return check_memory(&r, def);
}

/* --- Files ----------------------------------------------------------------------------------- */

static bool is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

/* The file in the definition's folder, or in the current one, as an absolute name. */
static bool resolve(char *file, const char *folder)
{
	char joined[PATH_MAX], found[PATH_MAX];

	if (file[0] == '/' ||
	    snprintf(joined, sizeof(joined), "%s/%s", folder, file) >= (int)sizeof(joined) ||
	    !is_file(joined))
		snprintf(joined, sizeof(joined), "%s", file);
	if (!is_file(joined) || !realpath(joined, found))
		return false;
	strcpy(file, found);
	return true;
}

static int missing(struct reader *r, const struct def *def, bool initrd)
{
	static const struct where image = { NULL, "image", 0 };
	const struct where native = { NULL, initrd ? "initrd" : "kernel", 0 };
	const struct where rust = { &image, initrd ? "ramdisk_filename" : "kernel_filename", 0 };
	const char *file = initrd ? def->initrd : def->kernel;
	struct stat st;

	return reader_refuse(r, def->native ? &native : &rust, "the %s \"%s\" %s",
			     initrd ? "initrd" : "kernel", file,
			     !stat(file, &st) ? "is not an ordinary file" : "does not exist");
}

/* An image may be made later, but is meant by one name for ever. */
static int resolve_disk(struct reader *r, const struct where *where, char *path,
			const char *folder)
{
	char joined[PATH_MAX], found[PATH_MAX];

	if (!path[0] || path[0] == '/')
		return 0;
	if (snprintf(joined, sizeof(joined), "%s/%s", folder, path) >= (int)sizeof(joined))
		return reader_refuse(r, where, "the name is too long");
	strcpy(path, access(joined, F_OK) && realpath(path, found) ? found : joined);
	return 0;
}

static int resolve_disks(struct reader *r, struct def *def, const char *folder)
{
	const struct where disks = { NULL, "disks", 0 };

	for (uint32_t i = 0; i < def->disks; i++) {
		if (resolve_disk(r, &(struct where){ &disks, NULL, i }, def->disk[i].path, folder))
			return -1;
	}
	return 0;
}

int def_resolve(struct def *def, const struct document *doc, const char *folder, json_t *notes,
		struct error *error)
{
	struct reader r = { doc, error, notes };

	if (!resolve(def->kernel, folder))
		return missing(&r, def, false);
	if (resolve_disks(&r, def, folder))
		return -1;
	if (!def->initrd[0] || resolve(def->initrd, folder))
		return 0;
	/* Rust-Shyper never loaded an initrd without an address: its files name some in vain. */
	if (def->native || def->initrd_load.given)
		return missing(&r, def, true);
	reader_note(&r, &(struct where){ NULL, "image", 0 }, "ramdisk_filename \"%s\" does not "
		    "exist and has no address: the VM boots without", def->initrd);
	def->initrd[0] = '\0';
	return 0;
}
