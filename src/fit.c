/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the boot FIT as the flat image tree specification describes it, with the data inside the
 * tree ("data") or behind it ("data-offset", "data-position"; mkimage -E). The VM definitions are
 * the "loadables" of the default configuration. Everything is checked once, in fit_open().
 */
#include <hv/fit.h>

#include <libfdt.h>

#include <hv/crc32.h>
#include <hv/errno.h>
#include <hv/fdt_read.h>
#include <hv/format.h>
#include <hv/string.h>

/* Where messages go. */
struct why {
	char *text;
	size_t size;
};

#define damaged(why, ...) (format((why)->text, (why)->size, __VA_ARGS__), -EPROTO)

/* Names in messages: at most this much of them. */
#define NAME "%.32s"

/* A property of one cell. 0, -ENOENT: absent, -EINVAL: of another size. */
static int read_cell(const void *fdt, int node, const char *name, u32 *value)
{
	int size;
	const fdt32_t *cell = fdt_getprop(fdt, node, name, &size);

	if (!cell)
		return -ENOENT;
	if (size != 4)
		return -EINVAL;
	*value = fdt32_ld(cell);
	return 0;
}

/* --- Finding images -------------------------------------------------------------------------- */

/* Start of external data counted from the start of the FIT. 0, or -ENOENT, -EINVAL. */
static int external_position(const struct fit *fit, int node, u64 *position)
{
	u32 value;
	int err = read_cell(fit->fdt, node, "data-position", &value);

	if (err != -ENOENT) {
		*position = value;
		return err;
	}
	err = read_cell(fit->fdt, node, "data-offset", &value);
	/* Offsets count from the end of the tree, rounded up to a cell. */
	*position = ALIGN_UP((u64)fdt_totalsize(fit->fdt), (u64)4) + value;
	return err;
}

/* The data of an image node. 0, -ENOENT: it has none, -EINVAL: malformed or out of bounds. */
static int image_data(const struct fit *fit, int node, struct fit_image *image)
{
	int size;
	u32 external_size;
	u64 position;
	int err;

	image->data = fdt_getprop(fit->fdt, node, "data", &size);
	if (image->data) {
		image->size = (size_t)size;
		return 0;
	}
	err = external_position(fit, node, &position);
	if (err)
		return err;
	if (read_cell(fit->fdt, node, "data-size", &external_size) != 0)
		return -EINVAL;
	if (position < fdt_totalsize(fit->fdt) || position > fit->size ||
	    external_size > fit->size - position)
		return -EINVAL;
	image->data = (const u8 *)fit->fdt + position;
	image->size = external_size;
	return 0;
}

/* --- Checking images ------------------------------------------------------------------------- */

static int check_hash(const struct fit *fit, int hash, const char *name,
		      const struct fit_image *image, const struct why *why)
{
	u32 stored, computed;

	if (read_cell(fit->fdt, hash, "value", &stored) != 0)
		return damaged(why, "image " NAME ": its crc32 has no value of 4 bytes", name);
	computed = crc32(0, image->data, image->size);
	if (computed != stored) {
		return damaged(why, "image " NAME ": crc32 is 0x%08x, should be 0x%08x", name,
			       computed, stored);
	}
	return 0;
}

/* At least one crc32 hash node, and all that are there match. */
static int check_hashes(const struct fit *fit, int node, const char *name,
			const struct fit_image *image, const struct why *why)
{
	bool found = false;
	int child;

	fdt_for_each_subnode(child, fit->fdt, node) {
		const char *algo = fdt_read_string(fit->fdt, child, "algo");
		int err;

		if (strncmp(fdt_get_name(fit->fdt, child, NULL), "hash", 4) != 0 || !algo ||
		    strcmp(algo, "crc32") != 0)
			continue;
		if (found)
			return damaged(why, "image " NAME ": has two crc32 hashes", name);
		found = true;
		err = check_hash(fit, child, name, image, why);
		if (err)
			return err;
	}
	return found ? 0 : damaged(why, "image " NAME ": has no crc32 hash", name);
}

static int check_image(const struct fit *fit, int node, const char *name, const struct why *why)
{
	const char *compression = fdt_read_string(fit->fdt, node, "compression");
	struct fit_image image;

	if (compression && strcmp(compression, "none") != 0)
		return damaged(why, "image " NAME ": is compressed (" NAME ")", name, compression);
	switch (image_data(fit, node, &image)) {
	case 0:
		break;
	case -ENOENT:
		return damaged(why, "image " NAME ": has no data", name);
	default:
		return damaged(why, "image " NAME ": its data is not inside the FIT of 0x%zx bytes",
			       name, fit->size);
	}
	if (image.size == 0)
		return damaged(why, "image " NAME ": is empty", name);
	return check_hashes(fit, node, name, &image, why);
}

static int check_images(const struct fit *fit, const struct why *why)
{
	int images = fdt_path_offset(fit->fdt, "/images");
	u32 count = 0;
	int node;

	if (images < 0)
		return damaged(why, "there is no /images node");
	fdt_for_each_subnode(node, fit->fdt, images) {
		const char *name = fdt_get_name(fit->fdt, node, NULL);
		int err;

		if (++count > FIT_IMAGES)
			return damaged(why, "more than %u images", FIT_IMAGES);
		if (fdt_subnode_offset(fit->fdt, images, name) != node)
			return damaged(why, "image " NAME ": is there twice", name);
		err = check_image(fit, node, name, why);
		if (err)
			return err;
	}
	return 0;
}

/* --- Configuration --------------------------------------------------------------------------- */

/* The list of VM definitions; NULL with *size a libfdt error. */
static const char *vm_list(const struct fit *fit, int *size)
{
	int configurations = fdt_path_offset(fit->fdt, "/configurations");
	const char *name;
	int node;

	if (configurations < 0) {
		*size = configurations;
		return NULL;
	}
	name = fdt_read_string(fit->fdt, configurations, "default");
	node = name ? fdt_subnode_offset(fit->fdt, configurations, name) : -FDT_ERR_NOTFOUND;
	if (node < 0) {
		*size = node;
		return NULL;
	}
	return fdt_getprop(fit->fdt, node, "loadables", size);
}

/* Each loadable exists and is a device tree. */
static int check_vm(const struct fit *fit, const char *name, const struct why *why)
{
	int images = fdt_path_offset(fit->fdt, "/images");
	int node = fdt_subnode_offset(fit->fdt, images, name);
	const char *type;

	if (node < 0)
		return damaged(why, "loadable " NAME ": there is no such image", name);
	type = fdt_read_string(fit->fdt, node, "type");
	if (!type || strcmp(type, "flat_dt") != 0)
		return damaged(why, "loadable " NAME ": its type is not flat_dt", name);
	return 0;
}

static int check_vms(const struct fit *fit, const struct why *why)
{
	int size;
	const char *list = vm_list(fit, &size);
	u32 count = 0;

	if (!list || size == 0 || list[size - 1])
		return damaged(why, "the default configuration has no list of loadables");
	for (const char *name = list; name < list + size; name += strlen(name) + 1) {
		int err = check_vm(fit, name, why);

		if (err)
			return err;
		if (++count > FIT_VMS)
			return damaged(why, "more than %u loadables", FIT_VMS);
	}
	return 0;
}

static int check_tree(const void *data, size_t size, const struct why *why)
{
	int err;

	if ((uintptr_t)data % 8)
		return damaged(why, "it is not at an 8-byte boundary");
	err = fdt_check_full(data, size);
	if (err == -FDT_ERR_BADMAGIC)
		return damaged(why, "no FIT is there");
	if (err == -FDT_ERR_TRUNCATED)
		return damaged(why, "it is cut off: only 0x%zx bytes are there", size);
	return err ? damaged(why, "its tree is not sound: %s", fdt_strerror(err)) : 0;
}

int fit_open(struct fit *fit, const void *data, size_t size, char *why_text, size_t why_size)
{
	const struct why why = { why_text, why_size };
	int err = check_tree(data, size, &why);

	*fit = (struct fit){ .fdt = data, .size = size };
	if (!err)
		err = check_images(fit, &why);
	if (!err)
		err = check_vms(fit, &why);
	if (err && why_size)
		fdt_make_printable(why_text);
	return err;
}

/* --- Use of an opened FIT -------------------------------------------------------------------- */

u32 fit_vms(const struct fit *fit)
{
	int size;
	const char *list = vm_list(fit, &size);
	u32 count = 0;

	for (const char *name = list; list && name < list + size; name += strlen(name) + 1)
		count++;
	return count;
}

int fit_vm(const struct fit *fit, u32 n, struct fit_image *image)
{
	int size;
	const char *list = vm_list(fit, &size);

	for (const char *name = list; list && name < list + size; name += strlen(name) + 1) {
		if (n-- == 0)
			return fit_image_get(fit, name, image);
	}
	return -ENOENT;
}

int fit_image_get(const struct fit *fit, const char *name, struct fit_image *image)
{
	int images = fdt_path_offset(fit->fdt, "/images");
	int node = fdt_subnode_offset(fit->fdt, images, name);

	return node < 0 ? -ENOENT : image_data(fit, node, image);
}
