/* SPDX-License-Identifier: BSD-2-Clause */
/* Stops the DMA of devices of the kinds known here, in the board's own registers. */
#include <hv/quiesce.h>

#include <libfdt.h>

#include <hv/board.h>
#include <hv/fdt_read.h>
#include <hv/gmap.h>
#include <hv/pa.h>

/* Virtio 1.2, 4.2.2: registers of virtio-mmio. */
#define VIRTIO_MAGIC 0x000
#define VIRTIO_MAGIC_VALUE 0x74726976
#define VIRTIO_STATUS 0x070
#define VIRTIO_SIZE 0x100
#define VIRTIO_PATIENCE 10000	/* reads until a reset is over */

/* PCI Local Bus 3.0, 6.1; PCI Express 4.0, 7.2.2: the place of a function in ECAM. */
#define ECAM_FUNCTION 0x1000u
#define ECAM_DEVICE (8u * ECAM_FUNCTION)
#define PCI_VENDOR 0x00
#define PCI_COMMAND 0x04
#define PCI_COMMAND_MASTER 0x0004
#define PCI_HEADER 0x0e
#define PCI_HEADER_MANY 0x80	/* the device has more functions than one */
#define PCI_ABSENT 0xffff

static void stop_virtio(u64 base, u64 size)
{
	volatile u32 *magic = pa_ptr(HPA(base + VIRTIO_MAGIC));
	volatile u32 *status = pa_ptr(HPA(base + VIRTIO_STATUS));

	if (size < VIRTIO_SIZE || *magic != VIRTIO_MAGIC_VALUE)
		return;
	*status = 0;
	for (u32 i = 0; *status && i < VIRTIO_PATIENCE; i++)
		;
}

static u16 pci_read(u64 function, u64 offset)
{
	return *(volatile u16 *)pa_ptr(HPA(function + offset));
}

static void stop_function(u64 function)
{
	u16 command = pci_read(function, PCI_COMMAND);

	if (command & PCI_COMMAND_MASTER)
		*(volatile u16 *)pa_ptr(HPA(function + PCI_COMMAND)) =
			(u16)(command & ~PCI_COMMAND_MASTER);
}

/* Configuration space lies at a multiple of its size, so an address tells the function's number. */
static void stop_pci(u64 base, u64 size)
{
	for (u64 at = base, end = base + size; at + ECAM_FUNCTION <= end; at += ECAM_FUNCTION) {
		bool there = pci_read(at, PCI_VENDOR) != PCI_ABSENT;

		if (there)
			stop_function(at);
		if (IS_ALIGNED(at, ECAM_DEVICE) &&
		    !(there && pci_read(at, PCI_HEADER) & PCI_HEADER_MANY))
			at += ECAM_DEVICE - ECAM_FUNCTION;
	}
}

typedef void (*stop_fn)(u64 base, u64 size);

static const struct {
	const char *compatible;
	stop_fn stop;
} kinds[] = {
	{ "virtio,mmio", stop_virtio },
	{ "pci-host-ecam-generic", stop_pci },
};

/* The registers of the next node after *node that is of a kind known here. */
static stop_fn next(const void *fdt, int *node, struct board_range *range)
{
	while ((*node = fdt_next_node(fdt, *node, NULL)) >= 0) {
		int parent = fdt_parent_offset(fdt, *node);

		for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
			if (fdt_node_check_compatible(fdt, *node, kinds[i].compatible) == 0 &&
			    fdt_read_okay(fdt, *node) && fdt_read_untranslated(fdt, *node) &&
			    fdt_read_reg(fdt, parent, *node, 0, &range->base, &range->size))
				return kinds[i].stop;
		}
	}
	return NULL;
}

void quiesce(const struct gmap *gmap, const struct board *from)
{
	const struct gmap_block *block;
	struct board_range range;
	int node = 0;
	stop_fn stop;

	while ((stop = next(from->fdt, &node, &range)) != NULL) {
		gmap_for_each(gmap, block) {
			u64 start = MAX(block->hpa, range.base);
			u64 end = MIN(block->hpa + block->size, range.base + range.size);

			if (block->kind == GMAP_DEVICE && start < end &&
			    arch_device_mapped(start, end - start))
				stop(start, end - start);
		}
	}
}

bool quiesce_registers(const struct board *from, u32 i, struct board_range *range)
{
	int node = 0;

	while (next(from->fdt, &node, range)) {
		if (i-- == 0)
			return true;
	}
	return false;
}
