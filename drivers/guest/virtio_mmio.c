/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio over MMIO. State is kept beside the page that the driver reads, because a guest to whom
 * the page is mapped could make its own page walks write accessed bits into it: what is wrong there
 * then is the guest's own view, and no decision is taken from it.
 */
#include <hv/errno.h>
#include <hv/gmap.h>
#include <hv/string.h>
#include <hv/virtio.h>

/* Registers, virtio 1.2, table 4.1. */
enum {
	MAGIC_VALUE = 0x000,
	VERSION = 0x004,
	DEVICE_ID = 0x008,
	VENDOR_ID = 0x00c,
	DEVICE_FEATURES = 0x010,
	DEVICE_FEATURES_SEL = 0x014,
	DRIVER_FEATURES = 0x020,
	DRIVER_FEATURES_SEL = 0x024,
	QUEUE_SEL = 0x030,
	QUEUE_NUM_MAX = 0x034,
	QUEUE_NUM = 0x038,
	QUEUE_READY = 0x044,
	QUEUE_NOTIFY = 0x050,
	INTERRUPT_STATUS = 0x060,
	INTERRUPT_ACK = 0x064,
	STATUS = 0x070,
	QUEUE_DESC_LOW = 0x080,		/* each of the three with its high half behind */
	QUEUE_DEVICE_HIGH = 0x0a4,
	SHM_LEN_LOW = 0x0b0,
	SHM_BASE_HIGH = 0x0bc,
	CONFIG_GENERATION = 0x0fc,
	CONFIG = 0x100,
};

#define MAGIC 0x74726976		/* "virt" */
#define VENDOR 0x52594853		/* "SHYR": any value will do */

#define INTERRUPT_USED 0x1U
#define INTERRUPT_CONFIG 0x2U

/* Bits that a driver sets; it never clears any but by reset. */
#define STATUS_DRIVERS (VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_DRIVER_OK | \
			VIRTIO_FEATURES_OK | VIRTIO_FAILED)

/* ---- The page that the driver reads ---- */

static void show(struct virtio_dev *dev, u32 offset, u32 value)
{
	u32 *reg = (u32 *)(void *)&dev->page[offset];

	__atomic_store_n(reg, value, __ATOMIC_RELEASE);
}

static struct virtio_queue *selected(struct virtio_dev *dev)
{
	return dev->queue_sel < dev->queues ? &dev->queue[dev->queue_sel] : NULL;
}

static void show_queue(struct virtio_dev *dev)
{
	const struct virtio_queue *queue = selected(dev);

	show(dev, QUEUE_NUM_MAX, queue ? queue->max : 0);
	show(dev, QUEUE_READY, queue && queue->set.ready);
}

static void show_features(struct virtio_dev *dev)
{
	show(dev, DEVICE_FEATURES,
	     dev->device_sel < 2 ? (u32)(dev->offered >> 32 * dev->device_sel) : 0);
}

static void set_status(struct virtio_dev *dev, u32 status)
{
	__atomic_store_n(&dev->status, status, __ATOMIC_RELEASE);
	show(dev, STATUS, status);
}

/*
 * Interrupts have no lock: raising one wakes the very hart that is to acknowledge it. Whoever has
 * changed them, from `before`, brings page and wire up to date, and does so again when somebody
 * else's change overtook it: what is written last is right, whoever writes it.
 */
static void show_interrupts(struct virtio_dev *dev, u32 before)
{
	u32 now = __atomic_load_n(&dev->interrupts, __ATOMIC_SEQ_CST);

	do {
		show(dev, INTERRUPT_STATUS, now);
		if (!before != !now)
			irq_line_set(&dev->irq, now != 0);
		before = now;
		now = __atomic_load_n(&dev->interrupts, __ATOMIC_SEQ_CST);
	} while (now != before);
}

static void add_interrupts(struct virtio_dev *dev, u32 bits)
{
	u32 before = __atomic_fetch_or(&dev->interrupts, bits, __ATOMIC_SEQ_CST);

	if (!(bits & ~before))
		return;
	show_interrupts(dev, before);
	/* What its driver has not acknowledged yet keeps a wire high, but makes no edge. */
	if (before && dev->irq.edge)
		irq_line_set(&dev->irq, true);
}

static void remove_interrupts(struct virtio_dev *dev, u32 bits)
{
	u32 before = __atomic_fetch_and(&dev->interrupts, ~bits, __ATOMIC_SEQ_CST);

	if (bits & before)
		show_interrupts(dev, before);
}

/* ---- What the device calls ---- */

void virtio_lock(struct virtio_dev *dev)
{
	spin_lock(&dev->lock);
}

static __noinline void unlock_and_act(struct virtio_dev *dev)
{
	const char *complaint = dev->complaint;
	u32 queue = dev->complaint_queue;
	bool put_off = dev->put_off;

	dev->complaint = NULL;
	dev->put_off = false;
	spin_unlock(&dev->lock);
	if (complaint)
		virtio_complain(dev, queue, complaint);
	if (put_off && dev->ops->settle)
		dev->ops->settle(dev->ctx);
}

void virtio_unlock(struct virtio_dev *dev)
{
	if (unlikely(dev->complaint || dev->put_off))
		unlock_and_act(dev);
	else
		spin_unlock(&dev->lock);
}

void virtio_put_off(struct virtio_dev *dev)
{
	dev->put_off = true;
}

bool virtio_accepted(const struct virtio_dev *dev, u64 features)
{
	return (dev->accepted & features) == features;
}

int virtio_queue_info(struct virtio_dev *dev, u32 n, struct virtio_queue_info *info)
{
	if (n >= dev->queues)
		return -EINVAL;
	virtio_lock(dev);
	*info = dev->queue[n].set;
	virtio_unlock(dev);
	return 0;
}

/* Either a reset finds the interrupt and takes it back, or we see the reset and do so. */
void virtio_interrupt(struct virtio_dev *dev, bool used_ring)
{
	if (!(virtio_status(dev) & VIRTIO_DRIVER_OK))
		return;
	add_interrupts(dev, used_ring ? INTERRUPT_USED : INTERRUPT_CONFIG);
	if (!(__atomic_load_n(&dev->status, __ATOMIC_SEQ_CST) & VIRTIO_DRIVER_OK))
		remove_interrupts(dev, ~0U);
}

static void bump_generation(struct virtio_dev *dev)
{
	u32 *generation = (u32 *)(void *)&dev->page[CONFIG_GENERATION];

	__atomic_fetch_add(generation, 1, __ATOMIC_SEQ_CST);
}

/*
 * Before and after: a driver that began to read earlier sees another generation at its end, and
 * one that begins in the middle is told by the interrupt that follows.
 */
void virtio_config_set(struct virtio_dev *dev, u32 offset, const void *data, u32 size)
{
	const u8 *from = data;

	if (offset > VIRTIO_CONFIG_SIZE || size > VIRTIO_CONFIG_SIZE - offset)
		return;
	bump_generation(dev);
	for (u32 i = 0; i < size; i++)
		__atomic_store_n(&dev->page[CONFIG + offset + i], from[i], __ATOMIC_RELAXED);
	bump_generation(dev);
}

void virtio_fail(struct virtio_dev *dev)
{
	set_status(dev, dev->status | VIRTIO_NEEDS_RESET);
	virtio_interrupt(dev, false);
}

void virtio_broken(struct virtio_dev *dev, u32 n, const char *why)
{
	if (dev->status & VIRTIO_NEEDS_RESET)
		return;
	virtio_fail(dev);
	dev->complaint = why;
	dev->complaint_queue = n;
}

/* ---- Reset and status ---- */

/* Everything but page, wiring and lock, when the device has let go of the driver's memory. */
static void power_on(struct virtio_dev *dev)
{
	for (u32 i = 0; i < dev->queues; i++)
		memset(&dev->queue[i].set, 0, sizeof(dev->queue[i].set));
	dev->accepted = 0;
	dev->device_sel = dev->driver_sel = dev->queue_sel = 0;
	dev->resetting = false;
	remove_interrupts(dev, ~0U);
	show_queue(dev);
	show_features(dev);
	show(dev, STATUS, 0);
}

/* The driver sees its old status until the reset is complete; Shyper acts on the new one. */
static bool reset_locked(struct virtio_dev *dev)
{
	dev->resetting = true;
	__atomic_store_n(&dev->status, 0, __ATOMIC_SEQ_CST);
	if (dev->ops->reset && !dev->ops->reset(dev->ctx))
		return false;
	power_on(dev);
	return true;
}

bool virtio_reset(struct virtio_dev *dev)
{
	bool done;

	virtio_lock(dev);
	done = reset_locked(dev);
	virtio_unlock(dev);
	return done;
}

/* Section 3.1.1: the features that the driver wants are ours, and the modern interface is one. */
static bool features_acceptable(const struct virtio_dev *dev)
{
	return !(dev->accepted & ~dev->offered) && (dev->accepted & VIRTIO_F_VERSION_1);
}

static bool write_status(struct virtio_dev *dev, u32 value)
{
	u32 added = value & STATUS_DRIVERS & ~dev->status;

	if (!(value & 0xff))
		return reset_locked(dev);
	if ((added & VIRTIO_FEATURES_OK) && !features_acceptable(dev))
		added &= ~VIRTIO_FEATURES_OK;
	if (!((dev->status | added) & VIRTIO_FEATURES_OK))
		added &= ~VIRTIO_DRIVER_OK;
	if (!added)
		return true;
	set_status(dev, dev->status | added);
	if (dev->ops->status)
		dev->ops->status(dev->ctx);
	return true;
}

/* ---- Features and queues ---- */

static void write_features(struct virtio_dev *dev, u32 value)
{
	u32 shift = 32 * dev->driver_sel;

	if (dev->driver_sel > 1 || (dev->status & VIRTIO_FEATURES_OK))
		return;
	dev->accepted = (dev->accepted & ~((u64)UINT32_MAX << shift)) | (u64)value << shift;
}

/* What is wrong with a queue as it was set; NULL: nothing. Alignment: section 2.7. */
static const char *queue_fault(const struct virtio_dev *dev, const struct virtio_queue *queue)
{
	const struct virtio_queue_info *set = &queue->set;
	u64 num = set->num;

	if (num == 0 || num > queue->max || (num & (num - 1)))
		return "its size is not possible";
	if (!IS_ALIGNED(set->desc, 16U) || !IS_ALIGNED(set->driver, 2U) ||
	    !IS_ALIGNED(set->device, 4U))
		return "its rings are not aligned";
	if (!gmap_is_ram(dev->gmap, GPA(set->desc), 16 * num) ||
	    !gmap_is_ram(dev->gmap, GPA(set->driver), 6 + 2 * num) ||
	    !gmap_is_ram(dev->gmap, GPA(set->device), 6 + 8 * num))
		return "its rings are not in memory";
	return NULL;
}

static void set_ready(struct virtio_dev *dev, struct virtio_queue *queue, bool ready)
{
	__atomic_store_n(&queue->set.ready, ready, __ATOMIC_RELEASE);
	show_queue(dev);
}

static bool start_queue(struct virtio_dev *dev, struct virtio_queue *queue)
{
	const char *fault;

	if ((dev->status & (VIRTIO_FEATURES_OK | VIRTIO_NEEDS_RESET)) != VIRTIO_FEATURES_OK)
		return true;
	fault = queue_fault(dev, queue);
	if (fault) {
		virtio_broken(dev, dev->queue_sel, fault);
		return true;
	}
	if (dev->ops->queue && !dev->ops->queue(dev->ctx, dev->queue_sel, true))
		return false;
	set_ready(dev, queue, true);
	return true;
}

static bool stop_queue(struct virtio_dev *dev, struct virtio_queue *queue)
{
	if (dev->ops->queue && !dev->ops->queue(dev->ctx, dev->queue_sel, false))
		return false;
	set_ready(dev, queue, false);
	return true;
}

static bool write_ready(struct virtio_dev *dev, u32 value)
{
	struct virtio_queue *queue = selected(dev);

	if (!queue || queue->set.ready == (value & 1))
		return true;
	return value & 1 ? start_queue(dev, queue) : stop_queue(dev, queue);
}

/* The addresses: three of 64 bits, 16 bytes apart. They stay while the queue is ready. */
static void write_address(struct virtio_dev *dev, u32 offset, u32 value)
{
	struct virtio_queue *queue = selected(dev);
	u32 shift = offset & 4 ? 32 : 0;
	u64 *address;

	if (!queue || queue->set.ready || (offset & 8))
		return;
	address = (offset & 0x30) == 0x00 ? &queue->set.desc :
		  (offset & 0x30) == 0x10 ? &queue->set.driver : &queue->set.device;
	*address = (*address & ~((u64)UINT32_MAX << shift)) | (u64)value << shift;
}

static void write_num(struct virtio_dev *dev, u32 value)
{
	struct virtio_queue *queue = selected(dev);

	if (queue && !queue->set.ready)
		queue->set.num = value;
}

/* ---- Accesses ---- */

/* False: not done yet. Registers that are absent or read-only ignore what is written. */
static bool write_register(struct virtio_dev *dev, u32 offset, u32 value)
{
	if (offset >= QUEUE_DESC_LOW && offset <= QUEUE_DEVICE_HIGH) {
		write_address(dev, offset, value);
		return true;
	}
	switch (offset) {
	case DEVICE_FEATURES_SEL:
		dev->device_sel = value;
		show_features(dev);
		return true;
	case DRIVER_FEATURES_SEL:
		dev->driver_sel = value;
		return true;
	case DRIVER_FEATURES:
		write_features(dev, value);
		return true;
	case QUEUE_SEL:
		dev->queue_sel = value;
		show_queue(dev);
		return true;
	case QUEUE_NUM:
		write_num(dev, value);
		return true;
	case QUEUE_READY:
		return write_ready(dev, value);
	case STATUS:
		return write_status(dev, value);
	default:
		return true;
	}
}

static void write_config(struct virtio_dev *dev, const struct mmio_access *acc)
{
	if (dev->ops->config_write)
		dev->ops->config_write(dev->ctx, (u32)acc->offset - CONFIG, acc->width, acc->value);
}

/* A reset that is not complete goes on before anything else, whoever comes. */
static enum mmio_result write_locked(struct virtio_dev *dev, const struct mmio_access *acc)
{
	bool done = true;

	virtio_lock(dev);
	if (dev->resetting)
		done = reset_locked(dev);
	if (!done)
		;
	else if (acc->offset >= CONFIG)
		write_config(dev, acc);
	else
		done = write_register(dev, (u32)acc->offset, (u32)acc->value);
	virtio_unlock(dev);
	return done ? MMIO_OK : MMIO_AGAIN;
}

/* The hot path: no lock but the device's own. */
static enum mmio_result notify(struct virtio_dev *dev, u64 n)
{
	if (!virtio_running(dev) || n >= dev->queues || !dev->ops->notify ||
	    !__atomic_load_n(&dev->queue[n].set.ready, __ATOMIC_ACQUIRE))
		return MMIO_OK;
	return dev->ops->notify(dev->ctx, (u32)n) ? MMIO_AGAIN : MMIO_OK;
}

static void read_page(const struct virtio_dev *dev, struct mmio_access *acc)
{
	const void *at = &dev->page[acc->offset];

	switch (acc->width) {
	case 1:
		acc->value = __atomic_load_n((const u8 *)at, __ATOMIC_ACQUIRE);
		break;
	case 2:
		acc->value = __atomic_load_n((const u16 *)at, __ATOMIC_ACQUIRE);
		break;
	case 4:
		acc->value = __atomic_load_n((const u32 *)at, __ATOMIC_ACQUIRE);
		break;
	default:
		acc->value = __atomic_load_n((const u64 *)at, __ATOMIC_ACQUIRE);
	}
}

static enum mmio_result virtio_access(void *opaque, struct mmio_access *acc)
{
	struct virtio_dev *dev = opaque;

	if (acc->offset >= VIRTIO_MMIO_SIZE)
		return MMIO_FAULT;
	if (!acc->write) {
		read_page(dev, acc);
		return MMIO_OK;
	}
	if (acc->offset < CONFIG && acc->width != 4)
		return MMIO_FAULT;
	if (acc->offset == QUEUE_NOTIFY)
		return notify(dev, (u32)acc->value);
	if (acc->offset == INTERRUPT_ACK) {
		remove_interrupts(dev, (u32)acc->value);
		return MMIO_OK;
	}
	return write_locked(dev, acc);
}

void virtio_init(struct virtio_dev *dev, const struct virtio_params *params)
{
	memset(dev, 0, sizeof(*dev));
	dev->ops = params->ops;
	dev->ctx = params->ctx;
	dev->owner = params->owner;
	dev->gmap = params->gmap;
	dev->irq = params->irq;
	dev->offered = params->features | VIRTIO_F_VERSION_1;
	dev->queues = params->queues;
	dev->queue = params->queue;
	show(dev, MAGIC_VALUE, MAGIC);
	show(dev, VERSION, 2);
	show(dev, DEVICE_ID, params->ops->device_id);
	show(dev, VENDOR_ID, VENDOR);
	/* Shared memory regions: none, whichever is selected. */
	for (u32 offset = SHM_LEN_LOW; offset <= SHM_BASE_HIGH; offset += 4)
		show(dev, offset, UINT32_MAX);
	power_on(dev);
}

const struct mmio_ops virtio_mmio_ops = {
	.name = "virtio",
	.access = virtio_access,
};
