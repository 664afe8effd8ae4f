/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other side of virtio for host tests: a guest's memory in two pieces that are not adjacent in
 * the host, registers, and a driver that lays out queues and descriptors, rightly or not.
 */
#ifndef VIRTIO_DRIVER_H
#define VIRTIO_DRIVER_H

#include <hv/gmap.h>
#include <hv/irqchip.h>
#include <hv/types.h>
#include <hv/virtio.h>

enum {
	R_MAGIC = 0x000, R_VERSION = 0x004, R_DEVICE_ID = 0x008, R_VENDOR = 0x00c,
	R_DEVICE_FEATURES = 0x010, R_DEVICE_FEATURES_SEL = 0x014,
	R_DRIVER_FEATURES = 0x020, R_DRIVER_FEATURES_SEL = 0x024,
	R_QUEUE_SEL = 0x030, R_QUEUE_NUM_MAX = 0x034, R_QUEUE_NUM = 0x038, R_QUEUE_READY = 0x044,
	R_NOTIFY = 0x050, R_INTERRUPT = 0x060, R_ACK = 0x064, R_STATUS = 0x070,
	R_DESC = 0x080, R_DRIVER = 0x090, R_DEVICE = 0x0a0, R_SHM_SEL = 0x0ac, R_SHM_LEN = 0x0b0,
	R_SHM_BASE = 0x0b8, R_QUEUE_RESET = 0x0c0, R_GENERATION = 0x0fc, R_CONFIG = 0x100,
};

#define D_NEXT 1U
#define D_WRITE 2U
#define D_INDIRECT 4U

/* The guest's memory: RAM at RAM_BASE, in two pieces that meet at RAM_SEAM, and a device behind. */
#define RAM_BASE 0x80000000ull
#define RAM_SEAM (RAM_BASE + MIB(1))
#define RAM_END (RAM_BASE + MIB(2))

extern struct gmap driver_gmap;

/* What the transport's log lines and wire came to. */
extern u32 driver_logged;
extern bool driver_wire;
extern u32 driver_edges;
extern const struct irq_line driver_irq;

/* driver_memory_init() - fresh memory, wire low, nothing logged. */
void driver_memory_init(void);
void driver_memory_exit(void);

/* driver_ptr() - a byte of the guest's RAM; what follows is there up to the next seam. */
void *driver_ptr(u64 gpa);

/* Registers; all accesses must succeed, but driver_access() returns the result. */
enum mmio_result driver_access(struct virtio_dev *dev, u64 offset, u8 width, bool write,
			       u64 *value);
u32 driver_read(struct virtio_dev *dev, u64 offset);
void driver_write(struct virtio_dev *dev, u64 offset, u32 value);

/* A queue of the driver's: the three parts one behind the other from base on. */
struct driver_queue {
	u32 n;
	u32 num;
	u64 desc;
	u64 avail;
	u64 used;
	u16 offered;	/* heads ever offered */
	u16 seen;	/* used entries ever looked at */
};

#define DRIVER_QUEUE_SIZE(num) (16 * (num) + 6 + 2 * (num) + 6 + 8 * (num) + 16)

/* driver_queue_init() - lay it out, all zero. */
void driver_queue_init(struct driver_queue *queue, u32 n, u64 base, u32 num);

/* driver_queue_set() - select it and write its registers, QueueReady last. */
void driver_queue_set(struct virtio_dev *dev, const struct driver_queue *queue);

/* driver_desc() - fill a descriptor of the queue; driver_desc_at() - of any table. */
void driver_desc(const struct driver_queue *queue, u32 i, u64 gpa, u32 len, u32 flags, u32 next);
void driver_desc_at(u64 table, u32 i, u64 gpa, u32 len, u32 flags, u32 next);

/* driver_offer() - put a head into the available ring. */
void driver_offer(struct driver_queue *queue, u32 head);
void driver_avail_index(const struct driver_queue *queue, u16 index);
void driver_avail_flags(const struct driver_queue *queue, u16 flags);
void driver_used_event(const struct driver_queue *queue, u16 event);
u16 driver_avail_event(const struct driver_queue *queue);

/* driver_used() - the next used entry; false: none. */
bool driver_used(struct driver_queue *queue, u32 *head, u32 *len);

/* driver_start() - from reset to FEATURES_OK with these features beside VERSION_1. */
void driver_start(struct virtio_dev *dev, u64 features);
void driver_ok(struct virtio_dev *dev);

#endif
