/* SPDX-License-Identifier: BSD-2-Clause */
/* A toy driver for tests of virtio; see virtio_driver.h. */
#include "virtio_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <hv/log.h>
#include <hv/pa.h>
#include <sim_ram.h>

#define HOST_BASE 0x40000000ull

struct gmap driver_gmap;
u32 driver_logged;
bool driver_wire;
u32 driver_edges;

/* The lower half of the guest's memory is the higher one in the host. */
static struct gmap_block blocks[] = {
	{ RAM_BASE, HOST_BASE + MIB(2), MIB(1), GMAP_RAM },
	{ RAM_SEAM, HOST_BASE, MIB(1), GMAP_RAM },
	{ RAM_END, 0x10000000, PAGE_SIZE, GMAP_DEVICE },
};

void virtio_complain(struct virtio_dev *dev, u32 n, const char *why)
{
	(void)dev;
	(void)n;
	(void)why;
	driver_logged++;
}

static void set_line(void *chip, u32 source, bool level)
{
	(void)chip;
	(void)source;
	if (level == driver_wire)
		abort();	/* only changes are driven */
	driver_wire = level;
	driver_edges++;
}

static const struct irqchip_ops chip = { .name = "wire", .set_line = set_line };
const struct irq_line driver_irq = { .ops = &chip, .chip = &driver_wire, .source = 1 };

void driver_memory_init(void)
{
	sim_ram_init(HOST_BASE, MIB(4));
	driver_gmap = (struct gmap){ .count = ARRAY_SIZE(blocks), .block = blocks };
	driver_wire = false;
	driver_edges = driver_logged = 0;
}

void driver_memory_exit(void)
{
	sim_ram_exit();
}

void *driver_ptr(u64 gpa)
{
	void *ptr = gmap_ram_ptr(&driver_gmap, GPA(gpa), 1);

	assert_non_null(ptr);
	return ptr;
}

/* ---- Registers ---- */

enum mmio_result driver_access(struct virtio_dev *dev, u64 offset, u8 width, bool write, u64 *value)
{
	struct mmio_access access = { .offset = offset, .width = width, .write = write,
				      .value = *value };
	enum mmio_result result = virtio_mmio_ops.access(dev, &access);

	assert_int_equal(dev->lock.next, dev->lock.serving);
	*value = access.value;
	return result;
}

u32 driver_read(struct virtio_dev *dev, u64 offset)
{
	u64 value = 0;

	assert_int_equal(driver_access(dev, offset, 4, false, &value), MMIO_OK);
	return (u32)value;
}

void driver_write(struct virtio_dev *dev, u64 offset, u32 value)
{
	u64 wide = value;

	assert_int_equal(driver_access(dev, offset, 4, true, &wide), MMIO_OK);
}

static void write64(struct virtio_dev *dev, u64 offset, u64 value)
{
	driver_write(dev, offset, (u32)value);
	driver_write(dev, offset + 4, (u32)(value >> 32));
}

void driver_start(struct virtio_dev *dev, u64 features)
{
	features |= VIRTIO_F_VERSION_1;
	driver_write(dev, R_STATUS, 0);
	driver_write(dev, R_STATUS, VIRTIO_ACKNOWLEDGE);
	driver_write(dev, R_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	for (u32 i = 0; i < 2; i++) {
		driver_write(dev, R_DRIVER_FEATURES_SEL, i);
		driver_write(dev, R_DRIVER_FEATURES, (u32)(features >> 32 * i));
	}
	driver_write(dev, R_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
	assert_true(driver_read(dev, R_STATUS) & VIRTIO_FEATURES_OK);
}

void driver_ok(struct virtio_dev *dev)
{
	driver_write(dev, R_STATUS, driver_read(dev, R_STATUS) | VIRTIO_DRIVER_OK);
}

/* ---- Queues ---- */

void driver_queue_init(struct driver_queue *queue, u32 n, u64 base, u32 num)
{
	static const u8 zeros[DRIVER_QUEUE_SIZE(1024)];

	*queue = (struct driver_queue){ .n = n, .num = num, .desc = base };
	queue->avail = base + 16ull * num;
	queue->used = ALIGN_UP(queue->avail + 6 + 2ull * num, 4ull);
	(void)!gmap_write(&driver_gmap, GPA(base), zeros, DRIVER_QUEUE_SIZE(num));
}

void driver_queue_set(struct virtio_dev *dev, const struct driver_queue *queue)
{
	driver_write(dev, R_QUEUE_SEL, queue->n);
	driver_write(dev, R_QUEUE_NUM, queue->num);
	write64(dev, R_DESC, queue->desc);
	write64(dev, R_DRIVER, queue->avail);
	write64(dev, R_DEVICE, queue->used);
	driver_write(dev, R_QUEUE_READY, 1);
}

void driver_desc_at(u64 table, u32 i, u64 gpa, u32 len, u32 flags, u32 next)
{
	const struct {
		u64 gpa;
		u32 len;
		u16 flags;
		u16 next;
	} desc = { gpa, len, (u16)flags, (u16)next };

	assert_int_equal(gmap_write(&driver_gmap, GPA(table + 16 * i), &desc, sizeof(desc)), 0);
}

void driver_desc(const struct driver_queue *queue, u32 i, u64 gpa, u32 len, u32 flags, u32 next)
{
	driver_desc_at(queue->desc, i, gpa, len, flags, next);
}

static u16 *half(u64 gpa)
{
	return driver_ptr(gpa);
}

void driver_avail_index(const struct driver_queue *queue, u16 index)
{
	*half(queue->avail + 2) = index;
}

void driver_avail_flags(const struct driver_queue *queue, u16 flags)
{
	*half(queue->avail) = flags;
}

void driver_used_event(const struct driver_queue *queue, u16 event)
{
	*half(queue->avail + 4 + 2 * queue->num) = event;
}

u16 driver_avail_event(const struct driver_queue *queue)
{
	return *half(queue->used + 4 + 8 * queue->num);
}

void driver_offer(struct driver_queue *queue, u32 head)
{
	*half(queue->avail + 4 + 2 * (queue->offered % queue->num)) = (u16)head;
	driver_avail_index(queue, ++queue->offered);
}

bool driver_used(struct driver_queue *queue, u32 *head, u32 *len)
{
	u64 entry = queue->used + 4 + 8 * (queue->seen % queue->num);

	if (*half(queue->used + 2) == queue->seen)
		return false;
	*head = *(u32 *)driver_ptr(entry);
	*len = *(u32 *)driver_ptr(entry + 4);
	queue->seen++;
	return true;
}
