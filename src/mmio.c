/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MMIO bus: a sorted array of regions, filled by insertion while a VM is made and searched by
 * halving on each exit. It knows no device and holds no lock.
 */
#include <hv/mmio.h>
#include <hv/errno.h>

/* The widest access. Regions start at its multiples, so aligned addresses give aligned offsets. */
#define BASE_ALIGN 8U

int mmio_add(struct mmio_bus *bus, gpa_t base, u64 size, const struct mmio_ops *ops, void *dev)
{
	u32 at = bus->count;

	if (!range_valid(base.v, size) || !IS_ALIGNED(base.v, BASE_ALIGN))
		return -EINVAL;
	for (u32 i = 0; i < bus->count; i++) {
		if (range_overlaps(base.v, size, bus->region[i].base, bus->region[i].size))
			return -EEXIST;
	}
	if (bus->count == MMIO_REGIONS)
		return -ENOMEM;
	for (; at > 0 && bus->region[at - 1].base > base.v; at--)
		bus->region[at] = bus->region[at - 1];
	bus->region[at] = (struct mmio_region){ base.v, size, ops, dev };
	bus->count++;
	return 0;
}

/*
 * The last region that starts at or below addr; the first one when there is none, which the
 * caller's range check then rejects. The number of rounds depends on the count alone, and the one
 * choice inside is a conditional move where the ISA has it.
 */
static const struct mmio_region *find(const struct mmio_bus *bus, u64 addr)
{
	const struct mmio_region *region = bus->region;
	u64 left = bus->count;

	while (left > 1) {
		u64 half = left / 2;
		const struct mmio_region *mid = region + half;

		region = mid->base <= addr ? mid : region;
		left -= half;
	}
	return region;
}

enum mmio_result mmio_access(const struct mmio_bus *bus, gpa_t addr, struct mmio_access *acc)
{
	const struct mmio_region *region = find(bus, addr.v);
	u64 offset = addr.v - region->base;

	/* An addr below the base wraps to an offset beyond any size. An empty bus is all zero. */
	if (unlikely(offset >= region->size))
		return MMIO_ABSENT;
	if (unlikely(!IS_ALIGNED(addr.v, (u64)acc->width)))
		return MMIO_FAULT;
	if (unlikely(region->size - offset < acc->width))
		return MMIO_ABSENT;
	acc->offset = offset;
	return region->ops->access(region->dev, acc);
}
