/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's guest physical memory map: which guest addresses are RAM or a passed-through device, and
 * where they are in the host. Filled while the VM is made, by its maker alone; constant while the
 * VM lives, hence read by all harts without a lock. Emulated devices are not in it (hv/mmio.h), nor
 * interrupt files, which come and go.
 */
#ifndef HV_GMAP_H
#define HV_GMAP_H

#include <hv/page.h>
#include <hv/types.h>

enum gmap_kind {
	GMAP_RAM,	/* pages of this VM; a guest may read, write and execute them */
	GMAP_DEVICE,	/* device memory passed through; read and write */
};

/*
 * A piece that is contiguous in guest and host. RAM of one guest range may consist of many. Guest
 * and host address are equal modulo the largest of 1 GiB, 2 MiB, 64 KiB and 4 KiB that fits the
 * alignment of the guest's range and the free memory, so that leaves of that size can map it.
 */
struct gmap_block {
	u64 gpa;
	u64 hpa;
	u64 size;
	enum gmap_kind kind;
};

struct gmap {
	owner_t owner;			/* of the VM */
	u32 count;
	u32 room;			/* private: blocks that the array can hold */
	struct gmap_block *block;	/* sorted by gpa, no overlaps */
	u64 ram;			/* bytes of RAM */
	u64 floor;			/* gmap_add_ram() takes no host memory below; 0 at first */
	/* Of clearing. Private; changes with the VM's life. */
	u32 clear_block;		/* RAM is zero up to there … */
	u64 clear_offset;		/* … and there up to here, unless used */
	bool used;			/* somebody may have written to RAM since it was clear */
};

/* Guest physical addresses end here: the reach of the deepest G-stage, Sv57x4. */
#define GMAP_END BIT(59)

/* gmap_init() - an empty map for the VM that owner names. */
void gmap_init(struct gmap *gmap, owner_t owner);

/*
 * gmap_add_ram() - size bytes of RAM at gpa, in the largest blocks that alignment and free memory
 * allow. It is not clear yet.
 * gmap_add_identity() - RAM whose guest and host addresses are equal.
 * gmap_add_device() - device memory of the host at hpa.
 * All return 0; -EINVAL: unaligned, empty, wraps or beyond GMAP_END; -EEXIST: overlaps what is
 * there; -ENOMEM: see gmap_shortage(); -EBUSY (identity, device): the host's pages are not free,
 * or not of that kind. On error the map is unchanged.
 */
int __must_check gmap_add_ram(struct gmap *gmap, gpa_t gpa, u64 size);
int __must_check gmap_add_identity(struct gmap *gmap, gpa_t gpa, u64 size);
int __must_check gmap_add_device(struct gmap *gmap, gpa_t gpa, hpa_t hpa, u64 size);

/*
 * All RAM is cleared, a page at a time, before anybody sees it and after: by whoever has the time,
 * one caller at once. gmap_clear_step() - the next page, or many at once that are known to be zero;
 * true: there is more, false: all is clear. gmap_soil() - somebody is about to be able to write
 * to RAM: from now on nothing is clear, and clearing begins anew. gmap_is_clear() - nobody was,
 * and all is.
 */
bool gmap_clear_step(struct gmap *gmap);
void gmap_soil(struct gmap *gmap);
bool gmap_is_clear(const struct gmap *gmap);

/*
 * gmap_release() - give everything back: RAM that is clear, or that nobody has seen (else CHECK
 * stops Shyper). No hart may have a translation of it left. Steps back in between (hv/fiber.h).
 */
void gmap_release(struct gmap *gmap);

/* gmap_shortage() - figures for the message when size bytes of RAM cannot be had. */
struct gmap_shortage {
	u64 needs_mib;	/* rounded up */
	u64 free_mib;	/* rounded down */
};
struct gmap_shortage gmap_shortage(u64 size);

/* gmap_find() - the block that holds this address; NULL: none. */
const struct gmap_block *gmap_find(const struct gmap *gmap, gpa_t gpa);

/* gmap_top() - the first address behind the highest block; 0: the map is empty. */
u64 gmap_top(const struct gmap *gmap);

/* gmap_is_ram() - all of [gpa, gpa + len) is RAM; false when it wraps. len 0: true. */
bool gmap_is_ram(const struct gmap *gmap, gpa_t gpa, u64 len);

/*
 * gmap_ram_ptr() - where Shyper sees [gpa, gpa + len); NULL unless all of it is RAM, contiguous in
 * the host, and len is not 0. The guest may write there at any moment: read each value once.
 */
void *gmap_ram_ptr(const struct gmap *gmap, gpa_t gpa, u64 len);

/*
 * gmap_ram_piece() - the same for its beginning: *n bytes, at most len, that are contiguous in the
 * host. NULL: there is no RAM at gpa.
 */
u8 *gmap_ram_piece(const struct gmap *gmap, gpa_t gpa, u64 len, u64 *n);

/*
 * gmap_read() - copy len bytes of the guest's RAM into buf. The copy is made once; check the copy,
 * never the guest's memory again. gmap_write() - copy buf into the guest's RAM. Any hart, no lock,
 * while guests run. Return 0; -EFAULT: some byte is not RAM; then nothing was copied. len 0 is
 * always right.
 */
int __must_check gmap_read(const struct gmap *gmap, gpa_t gpa, void *buf, u64 len);
int __must_check gmap_write(const struct gmap *gmap, gpa_t gpa, const void *buf, u64 len);

/* All blocks in the order of their guest addresses. */
#define gmap_for_each(gmap, b) \
	for ((b) = (gmap)->block; (b) != (gmap)->block + (gmap)->count; (b)++)

#endif
