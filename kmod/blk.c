// SPDX-License-Identifier: GPL-2.0-only
/* Disks of VMs: set by user space, virtio block devices for the guest, served and stopped. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_byteorder.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/vmalloc.h>

#include "blk.h"
#include "kmod.h"

struct workqueue_struct *blk_works;

/* --- Events --------------------------------------------------------------------------------- */

/* Nothing new when it is about to look anyway. */
static void rung(struct shyper_server *server)
{
	struct blk_disk *disk = container_of(server, struct blk_disk, server);

	if (queue_work(blk_works, &disk->serve))
		disk->counts.doorbells++;
}

static void changed(struct shyper_server *server)
{
	queue_work(blk_works, &container_of(server, struct blk_disk, server)->update);
}

static const struct shyper_server_ops disk_ops = {
	.what = "a disk",
	.rung = rung,
	.changed = changed,
};

/* NULL: nobody serves the device, or somebody else does. With shyper_lock. */
static struct blk_disk *disk_of(u32 id, u32 number)
{
	struct shyper_server *server = shyper_server_of(id, number);

	if (!server || server->ops != &disk_ops)
		return NULL;
	return container_of(server, struct blk_disk, server);
}

/* --- The queue ------------------------------------------------------------------------------ */

/* Pages that lie apart here, as one. */
static void *join(const struct blk_disk *disk, u64 gpa, u64 size)
{
	u64 first = ALIGN_DOWN(gpa, PAGE_SIZE);
	unsigned int count = PHYS_PFN(PAGE_ALIGN(gpa + size) - first);
	struct page **pages = kmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	void *area;

	if (!pages)
		return NULL;
	for (unsigned int i = 0; i < count; i++) {
		u64 page = PAGE_SIZE;

		pages[i] = virt_to_page(guest_pointer(&disk->memory, first + i * PAGE_SIZE, &page));
	}
	area = vmap(pages, count, VM_MAP, PAGE_KERNEL);
	kfree(pages);
	return area;
}

/* A ring of size bytes; NULL: it is not in RAM, or we have no memory. */
static void *map_ring(struct blk_disk *disk, unsigned int which, u64 gpa, u64 size)
{
	u64 here = size;
	void *pointer;

	if (!guest_has(&disk->memory, gpa, size))
		return NULL;
	pointer = guest_pointer(&disk->memory, gpa, &here);
	if (here == size)
		return pointer;
	disk->area[which] = join(disk, gpa, size);
	return disk->area[which] ? disk->area[which] + offset_in_page(gpa) : NULL;
}

static void unmap_rings(struct blk_disk *disk)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(disk->area); i++) {
		if (disk->area[i])
			vunmap(disk->area[i]);
		disk->area[i] = NULL;
	}
}

static bool map_rings(struct blk_disk *disk, u64 features)
{
	const struct shyper_device_queue *at = &disk->rings;
	struct vqueue_rings rings = {
		.num = at->num,
		.desc = map_ring(disk, 0, at->desc, 16ull * at->num),
		.avail = map_ring(disk, 1, at->driver, 6 + 2ull * at->num),
		.used = map_ring(disk, 2, at->device, 6 + 8ull * at->num),
	};

	if (rings.desc && rings.avail && rings.used &&
	    vqueue_init(&disk->queue, &disk->memory, &rings, features))
		return true;
	unmap_rings(disk);
	return false;
}

/* --- Starting and stopping ------------------------------------------------------------------ */

static void begin(struct blk_disk *disk)
{
	u64 features = disk->info->features;

	disk->rings = disk->info->queue[0];
	disk->memory = (struct guest_memory){ .piece = disk->vm->piece,
					      .pieces = disk->vm->pieces };
	if (!map_rings(disk, features)) {
		pr_warn_ratelimited("%s, disk %u: its queue cannot be used\n", disk->vm->name,
				    disk->number);
		disk->failed = true;
		return;
	}
	disk->durable = !(features & BIT_ULL(VIRTIO_BLK_F_FLUSH));
	atomic_inc(&disk->vm->served);
	WRITE_ONCE(disk->mapped, true);
	/* Whoever sees that it is active sees the queue. */
	smp_store_release(&disk->active, true);
	/* A doorbell may have come before. */
	queue_work(blk_works, &disk->serve);
}

/* Nobody uses the queue. */
static void end(struct blk_disk *disk)
{
	unmap_rings(disk);
	WRITE_ONCE(disk->mapped, false);
	shyper_vm_let_go(disk->vm);
}

/* Is there a driver that wants to be served? disk->info tells, too, whether it waits for us. */
static bool wanted(struct blk_disk *disk)
{
	struct shyper_device_info *info = disk->info;

	memset(info, 0, sizeof(*info));
	if (hc_vm_info_to(disk->vm->id, disk->vm_info) ||
	    disk->vm_info->state != SHYPER_VM_RUNNING ||
	    hc_device_info(disk->vm->id, disk->number, info))
		return false;
	return (info->status & VIRTIO_CONFIG_S_DRIVER_OK) &&
	       !(info->status & (VIRTIO_CONFIG_S_NEEDS_RESET | VIRTIO_CONFIG_S_FAILED)) &&
	       !info->resetting && info->queue[0].ready;
}

static void follow(struct blk_disk *disk)
{
	bool want = wanted(disk);

	if (!want || memcmp(&disk->rings, &disk->info->queue[0], sizeof(disk->rings)))
		WRITE_ONCE(disk->active, false);
	if (!want)
		disk->failed = false;
	/* Either they see that we stop them, or we see that they are busy: then they call us. */
	smp_mb();
	if (disk->mapped && !READ_ONCE(disk->active)) {
		if (atomic_read(&disk->busy))
			return;
		end(disk);
	}
	if (want && !disk->mapped && !disk->failed)
		begin(disk);
	if (disk->info->resetting && !disk->mapped)
		hc_device_reset_done(disk->vm->id, disk->number);
}

static void update(struct work_struct *work)
{
	struct blk_disk *disk = container_of(work, struct blk_disk, update);

	shyper_events_device_heard(disk->vm->id, disk->number);
	mutex_lock(&disk->vm->disk_lock);
	follow(disk);
	mutex_unlock(&disk->vm->disk_lock);
}

/* --- What the guest sees -------------------------------------------------------------------- */

#define LE16(value) __cpu_to_virtio16(true, value)
#define LE32(value) __cpu_to_virtio32(true, value)
#define LE64(value) __cpu_to_virtio64(true, value)

static u64 features_of(const struct blk_shape *shape)
{
	u64 features = BIT_ULL(VIRTIO_BLK_F_SEG_MAX) | BIT_ULL(VIRTIO_BLK_F_BLK_SIZE) |
		       BIT_ULL(VIRTIO_BLK_F_TOPOLOGY) | VQUEUE_F_EVENT_IDX |
		       VQUEUE_F_INDIRECT_DESC;

	features |= BIT_ULL(shape->readonly ? VIRTIO_BLK_F_RO : VIRTIO_BLK_F_FLUSH);
	if (shape->discard)
		features |= BIT_ULL(VIRTIO_BLK_F_DISCARD);
	if (shape->zeroes)
		features |= BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES);
	return features;
}

static void describe(const struct blk_image *image, struct virtio_blk_config *config)
{
	const struct blk_shape *shape = &image->shape;
	u32 unit = max(image->unit, shape->block);

	config->capacity = LE64(shape->sectors);
	config->seg_max = LE32(BLK_SEGMENTS_MAX);
	config->blk_size = LE32(shape->block);
	config->physical_block_exp = ilog2(unit / shape->block);
	config->min_io_size = LE16(unit / shape->block);
	config->wce = 1;
	config->num_queues = LE16(1);
	config->max_discard_sectors = LE32(BLK_RANGE_MAX);
	config->max_discard_seg = LE32(1);
	config->discard_sector_alignment =
		LE32(max(image->discard_unit, shape->block) / BLK_SECTOR);
	config->max_write_zeroes_sectors = LE32(BLK_RANGE_MAX);
	config->max_write_zeroes_seg = LE32(1);
	config->write_zeroes_may_unmap = 1;
}

static int show_to_guest(const struct blk_disk *disk)
{
	struct shyper_device_setup *setup = kzalloc(sizeof(*setup), GFP_KERNEL);
	int err;

	static_assert(sizeof(struct virtio_blk_config) <= sizeof(setup->config));
	if (!setup)
		return -ENOMEM;
	setup->device_id = VIRTIO_ID_BLOCK;
	setup->queues = 1;
	setup->queue_size = VQUEUE_MAX;
	setup->config_size = sizeof(struct virtio_blk_config);
	setup->features = features_of(&disk->image.shape);
	describe(&disk->image, (struct virtio_blk_config *)setup->config);
	err = hc_device_setup(disk->vm->id, disk->number, setup);
	kfree(setup);
	return err;
}

/* An absent device again. */
static int hide_from_guest(u32 id, u32 number)
{
	struct shyper_device_setup *setup = kzalloc(sizeof(*setup), GFP_KERNEL);
	int err = setup ? hc_device_setup(id, number, setup) : -ENOMEM;

	kfree(setup);
	return err;
}

/* --- Setting and taking away ---------------------------------------------------------------- */

/* One image for several writers ends in ruins. */
static struct blk_disk *conflict(const struct blk_disk *disk)
{
	for (u32 i = 0; i < SHYPER_VMS * SHYPER_DEVICES; i++) {
		struct blk_disk *other = disk_of(i / SHYPER_DEVICES, i % SHYPER_DEVICES);

		if (other && other->image.file->f_mapping == disk->image.file->f_mapping &&
		    !(other->image.shape.readonly && disk->image.shape.readonly))
			return other;
	}
	return NULL;
}

static void release_memory(struct blk_disk *disk)
{
	if (disk->blocking)
		destroy_workqueue(disk->blocking);
	free_pages((unsigned long)disk->bounce, get_order(BLK_BOUNCE));
	kfree(disk->info);
	kfree(disk->vm_info);
	kvfree(disk);
}

static struct blk_disk *get_memory(struct shyper_vm *vm, u32 number)
{
	struct blk_disk *disk = kvzalloc(sizeof(*disk), GFP_KERNEL);

	if (!disk)
		return NULL;
	disk->server.ops = &disk_ops;
	disk->vm = vm;
	disk->number = number;
	disk->info = kzalloc(sizeof(*disk->info), GFP_KERNEL);
	disk->vm_info = kzalloc(sizeof(*disk->vm_info), GFP_KERNEL);
	disk->bounce = (void *)__get_free_pages(GFP_KERNEL, get_order(BLK_BOUNCE));
	disk->blocking = alloc_workqueue("shyper-%u.%u", WQ_UNBOUND, BLK_BLOCKING, vm->id, number);
	if (!disk->info || !disk->vm_info || !disk->bounce || !disk->blocking) {
		release_memory(disk);
		return NULL;
	}
	blk_serve_init(disk);
	INIT_WORK(&disk->update, update);
	return disk;
}

static int check_alone(const struct blk_disk *disk, struct shyper_refusal *refusal)
{
	struct blk_disk *other = conflict(disk);

	if (!other)
		return 0;
	return shyper_refuse(refusal, -EBUSY, "the image is disk %u of %s already", other->number,
			     other->vm->name);
}

static int add(struct shyper_vm *vm, const struct shyper_disk *values,
	       struct shyper_refusal *refusal)
{
	struct blk_disk *disk = get_memory(vm, values->device);
	int err;

	if (!disk)
		return -ENOMEM;
	memcpy(disk->id, values->serial, sizeof(disk->id));
	err = blk_image_open(&disk->image, values->fd, values->flags & SHYPER_DISK_READONLY, disk,
			     refusal);
	if (err)
		goto no_image;
	err = check_alone(disk, refusal);
	if (err)
		goto not_alone;
	err = show_to_guest(disk);
	if (err) {
		hc_refused(refusal);
		goto not_alone;
	}
	/* While there are disks, the module stays. */
	__module_get(THIS_MODULE);
	shyper_server_add(vm->id, values->device, &disk->server);
	return 0;

not_alone:
	blk_image_close(&disk->image);
no_image:
	release_memory(disk);
	return err;
}

/* It is not served. */
static void forget(struct blk_disk *disk)
{
	shyper_server_remove(disk->vm->id, disk->number);
	cancel_work_sync(&disk->serve);
	synchronize_rcu();
	cancel_work_sync(&disk->finish);
	cancel_work_sync(&disk->update);
	blk_image_close(&disk->image);
	release_memory(disk);
	module_put(THIS_MODULE);
}

int shyper_disk_set(struct shyper_vm *vm, const struct shyper_disk *values,
		    struct shyper_refusal *refusal)
{
	struct shyper_server *server;
	struct blk_disk *disk;
	int err;

	lockdep_assert_held(&shyper_lock);
	static_assert(sizeof(values->serial) == sizeof(disk->id));
	if (values->device >= SHYPER_DEVICES || (values->flags & ~SHYPER_DISK_READONLY) ||
	    values->reserved || values->reserved2)
		return -EINVAL;
	if (!vm->sections || atomic_read(&vm->served))
		return shyper_refuse(refusal, -EBUSY, "%s is in use", vm->name);
	server = shyper_server_of(vm->id, values->device);
	if (values->fd >= 0)
		return server ? shyper_refuse(refusal, -EBUSY, "device %u of %s is %s already",
					      values->device, vm->name, server->ops->what) :
				add(vm, values, refusal);
	disk = disk_of(vm->id, values->device);
	if (!disk)
		return shyper_refuse(refusal, -ENOENT, "%s has no disk %u", vm->name,
				     values->device);
	err = hide_from_guest(vm->id, values->device);
	if (err)
		hc_refused(refusal);
	else
		forget(disk);
	return err;
}

void shyper_disks_forget(struct shyper_vm *vm)
{
	lockdep_assert_held(&shyper_lock);
	for (u32 number = 0; number < SHYPER_DEVICES; number++)
		if (disk_of(vm->id, number))
			forget(disk_of(vm->id, number));
}

/* --- For people ----------------------------------------------------------------------------- */

static void show(struct seq_file *out, const struct blk_disk *disk)
{
	const struct blk_counts *counts = &disk->counts;

	seq_printf(out, "%2u %4u %5s %6s %5u ", disk->vm->id, disk->number,
		   disk->image.shape.readonly ? "ro" : "rw",
		   disk->failed ? "failed" : disk->active ? "yes" : "no",
		   atomic_read(&disk->busy) % BLK_SERVING);
	seq_printf(out, "%9llu %9llu %9llu %8llu %9llu %6llu %8llu %10llu %7llu %6llu ",
		   counts->requests, counts->read >> 10, counts->written >> 10, counts->flushes,
		   counts->doorbells, counts->polled, counts->batches, counts->interrupts,
		   counts->copied, counts->errors);
	seq_file_path(out, disk->image.file, "\n\t\\ ");
	seq_putc(out, '\n');
}

void shyper_disks_show(struct seq_file *out, struct shyper_vm *vm)
{
	for (u32 number = 0; number < SHYPER_DEVICES; number++) {
		const struct blk_disk *disk = disk_of(vm->id, number);

		if (disk)
			show(out, disk);
	}
}

/* --- The module's part ---------------------------------------------------------------------- */

int shyper_disks_init(void)
{
	blk_works = alloc_workqueue("shyper-disks", WQ_UNBOUND, 0);
	return blk_works ? 0 : -ENOMEM;
}

void shyper_disks_exit(void)
{
	destroy_workqueue(blk_works);
}
