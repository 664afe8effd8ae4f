/* SPDX-License-Identifier: BSD-2-Clause */
/* Places of images in a VM's memory. */
#include "layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ordinary.h"

#define FLAT_OFFSET (UINT64_C(2) << 20)	/* where QEMU's virt board puts a flat image */
#define LARGE_PAGE (UINT64_C(2) << 20)
#define FIRST_GIB (UINT64_C(1) << 30)
#define HEADER 64			/* boot-image-header.rst of Linux */

static uint64_t align_down(uint64_t value, uint64_t to)
{
	return value / to * to;
}

static bool inside(uint64_t at, uint64_t size, const struct def_range *range)
{
	return at >= range->base && size <= range->size &&
	       at - range->base <= range->size - size;
}

static bool overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* Size and first bytes of a file, the rest of head 0. */
static int look_at(const char *path, uint64_t *size, uint8_t head[HEADER], struct error *error)
{
	struct stat st;
	FILE *file = ordinary_open(path, &st, error);

	memset(head, 0, HEADER);
	if (!file)
		return -1;
	if (st.st_size == 0) {
		fclose(file);
		return error_set(error, "%s: is empty", path);
	}
	*size = (uint64_t)st.st_size;
	if (fread(head, 1, HEADER, file) < HEADER && ferror(file)) {
		error_set(error, "%s: %s", path, strerror(errno));
		fclose(file);
		return -1;
	}
	fclose(file);
	return 0;
}

/* Formats that a person may well take for a kernel, and what to do with each. */
static int check_kind(const char *path, const uint8_t head[HEADER], struct error *error)
{
	if (head[0] == 0x1f && head[1] == 0x8b)
		return error_set(error, "%s: is compressed; unpack it with gzip -d", path);
	if (!memcmp(head, "\177ELF", 4))
		return error_set(error, "%s: is an ELF file; make a flat image of it with "
				 "objcopy -O binary", path);
	if (!memcmp(head, "MZ", 2) && !memcmp(head + 4, "zimg", 4))
		return error_set(error, "%s: is a compressed EFI image; take the plain Image",
				 path);
	if (!memcmp(head, "MZ", 2) && memcmp(head + 56, "RSC\5", 4))
		return error_set(error, "%s: is an image for another machine than RISC-V", path);
	return 0;
}

static uint64_t read_le(const uint8_t *at)
{
	uint64_t value = 0;

	for (unsigned int i = 8; i--;)
		value = value << 8 | at[i];
	return value;
}

/* An Image says where it wants to lie and how much room it takes. */
static int place_kernel(const struct def *def, struct layout *l, struct error *error)
{
	uint8_t head[HEADER];
	uint64_t offset = FLAT_OFFSET;

	if (look_at(def->kernel, &l->kernel.size, head, error) ||
	    check_kind(def->kernel, head, error))
		return -1;
	l->kernel_room = l->kernel.size;
	if (!memcmp(head + 56, "RSC\5", 4)) {
		offset = read_le(head + 8);
		if (read_le(head + 16) > l->kernel_room)
			l->kernel_room = read_le(head + 16);
	}
	if (offset >= DEF_ADDRESS_END)
		return error_set(error, "%s: is damaged: its header wants it at 0x%" PRIx64,
				 def->kernel, offset);
	l->kernel.at = def->kernel_load.given ? def->kernel_load.at : def->ram[0].base + offset;
	l->entry = def->entry.given ? def->entry.at : l->kernel.at;
	return 0;
}

static int too_big(const struct def *def, const char *what, uint64_t at, uint64_t size,
		   struct error *error)
{
	return error_set(error, "the %s (%" PRIu64 " KiB at 0x%" PRIx64 ") does not fit into the "
			 "memory 0x%" PRIx64 " to 0x%" PRIx64 "; give the VM more memory or "
			 "another address", what, (size + 1023) >> 10, at, def->ram[0].base,
			 def->ram[0].base + def->ram[0].size - 1);
}

static int check_kernel(const struct def *def, const struct layout *l, struct error *error)
{
	if (!inside(l->kernel.at, l->kernel_room, &def->ram[0]))
		return too_big(def, "kernel", l->kernel.at, l->kernel_room, error);
	if (l->entry % 2 || l->entry < l->kernel.at ||
	    l->entry - l->kernel.at >= l->kernel_room)
		return error_set(error, "the kernel's entry 0x%" PRIx64 " is odd or outside of the "
				 "kernel (0x%" PRIx64 " + 0x%" PRIx64 ")", l->entry, l->kernel.at,
				 l->kernel_room);
	return 0;
}

static bool is_free(const struct def *def, const struct layout *l, uint64_t at, uint64_t size)
{
	return inside(at, size, &def->ram[0]) &&
	       !overlaps(at, size, l->kernel.at, l->kernel_room) &&
	       !(l->initrd.at && overlaps(at, size, l->initrd.at, l->initrd.size)) &&
	       !(l->fdt && overlaps(at, size, l->fdt, LAYOUT_FDT));
}

/* The highest place for size bytes below top, on a large page's boundary where that is possible. */
static uint64_t highest(const struct def *def, const struct layout *l, uint64_t size, uint64_t top)
{
	uint64_t base = def->ram[0].base, at;

	if (size > top - base)
		return 0;
	at = align_down(top - size, LARGE_PAGE);
	if (is_free(def, l, at, size))
		return at;
	for (at = align_down(top - size, DEF_PAGE); at >= base; at -= DEF_PAGE) {
		if (is_free(def, l, at, size))
			return at;
		if (at == base)
			break;
	}
	return 0;
}

static int place_fdt(const struct def *def, struct layout *l, uint64_t top, struct error *error)
{
	uint64_t at;

	if (!def->fdt_load.given) {
		at = highest(def, l, LAYOUT_FDT, top);
		if (!at)
			return too_big(def, "device tree", top - LAYOUT_FDT, LAYOUT_FDT, error);
		l->fdt = at;
		return 0;
	}
	at = def->fdt_load.at;
	if (at % 8)
		return error_set(error, "the device tree's address 0x%" PRIx64 " is not a multiple "
				 "of 8", at);
	if (!is_free(def, l, at, LAYOUT_FDT))
		return too_big(def, "device tree", at, LAYOUT_FDT, error);
	l->fdt = at;
	return 0;
}

static int place_initrd(const struct def *def, struct layout *l, uint64_t top, struct error *error)
{
	uint8_t head[HEADER];
	uint64_t at, size;

	if (!def->initrd[0])
		return 0;
	if (look_at(def->initrd, &size, head, error))
		return -1;
	at = def->initrd_load.given ? def->initrd_load.at : highest(def, l, size, top);
	if (at % DEF_PAGE)
		return error_set(error, "the initrd's address 0x%" PRIx64 " is not a multiple of "
				 "4 KiB", at);
	if (!at || !is_free(def, l, at, size))
		return too_big(def, "initrd", at ? at : def->ram[0].base, size, error);
	l->initrd = (struct layout_piece){ at, size };
	return 0;
}

int layout_plan(const struct def *def, struct layout *layout, struct error *error)
{
	const struct def_range *ram = &def->ram[0];
	uint64_t top = ram->base + (ram->size < FIRST_GIB ? ram->size : FIRST_GIB);

	*layout = (struct layout){ 0 };
	if (place_kernel(def, layout, error) || check_kernel(def, layout, error))
		return -1;
	/* What has an address comes before what goes around it. */
	if (def->initrd_load.given && place_initrd(def, layout, top, error))
		return -1;
	if (place_fdt(def, layout, top, error))
		return -1;
	return def->initrd_load.given ? 0 : place_initrd(def, layout, top, error);
}
