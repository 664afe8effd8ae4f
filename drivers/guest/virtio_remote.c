/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio devices that the MVM serves. */
#include <hv/errno.h>
#include <hv/events.h>
#include <hv/string.h>
#include <hv/virtio_remote.h>

_Static_assert(SHYPER_DEVICE_CONFIG <= VIRTIO_CONFIG_SIZE, "fits the register page");

/* Feature bits that are the device's own, and those of the rings that the MVM may serve. */
#define OWN_FEATURES GENMASK(23, 0)
#define RING_FEATURES (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX)

static void tell(const struct virtio_remote *remote)
{
	if (!remote->abandoned)
		events_device(remote->vm, remote->number);
}

/* From DRIVER_OK on the MVM may use the queues. */
static void status(void *ctx)
{
	struct virtio_remote *remote = ctx;

	if (virtio_running(&remote->dev) && remote->abandoned)
		virtio_fail(&remote->dev);
	else if (virtio_running(&remote->dev))
		remote->serving = true;
	tell(remote);
}

/* A driver that takes a queue back without a reset has it at once; the MVM hears of it. */
static bool queue(void *ctx, u32 n, bool ready)
{
	(void)n;
	(void)ready;
	tell(ctx);
	return true;
}

/* The driver's vCPU comes again until the MVM has let go of every buffer. */
static bool reset(void *ctx)
{
	struct virtio_remote *remote = ctx;

	if (remote->serving)
		tell(remote);
	return !remote->serving;
}

static bool notify(void *ctx, u32 n)
{
	const struct virtio_remote *remote = ctx;

	events_doorbell(remote->vm, remote->number, n);
	return false;
}

static void become(struct virtio_remote *remote, u32 device_id, u32 queues, u32 size, u64 features)
{
	struct virtio_params params = {
		.ops = &remote->ops,
		.ctx = remote,
		.owner = remote->owner,
		.gmap = remote->gmap,
		.irq = remote->irq,
		.features = features,
		.queues = queues,
		.queue = remote->queue,
	};

	remote->ops = (struct virtio_ops){
		.name = "device of the MVM",
		.device_id = device_id,
		.status = status,
		.queue = queue,
		.reset = reset,
		.notify = notify,
	};
	remote->serving = false;
	remote->abandoned = false;
	for (u32 i = 0; i < queues; i++)
		remote->queue[i] = (struct virtio_queue){ .max = size };
	virtio_init(&remote->dev, &params);
}

void virtio_remote_init(struct virtio_remote *remote, u32 vm, u32 number, const char *owner,
			const struct gmap *gmap, const struct irq_line *irq)
{
	remote->vm = vm;
	remote->number = number;
	remote->owner = owner;
	remote->gmap = gmap;
	remote->irq = *irq;
	become(remote, 0, 0, 0, 0);
}

/* What the one before still signalled, nobody would take back: its wire goes with it. */
static void become_another(struct virtio_remote *remote, u32 device_id, u32 queues, u32 size,
			   u64 features)
{
	become(remote, device_id, queues, size, features);
	irq_line_set(&remote->irq, false);
}

int virtio_remote_setup(struct virtio_remote *remote, const struct shyper_device_setup *setup)
{
	u32 size = setup->queue_size;

	if (setup->device_id == 0 && setup->queues == 0) {
		become_another(remote, 0, 0, 0, 0);
		return 0;
	}
	if (setup->device_id == 0 || setup->queues == 0 || setup->queues > SHYPER_DEVICE_QUEUES ||
	    size == 0 || size > VIRTIO_QUEUE_MAX || (size & (size - 1)) ||
	    setup->config_size > SHYPER_DEVICE_CONFIG ||
	    (setup->features & ~(OWN_FEATURES | RING_FEATURES)))
		return -EINVAL;
	become_another(remote, setup->device_id, setup->queues, size, setup->features);
	virtio_config_set(&remote->dev, 0, setup->config, setup->config_size);
	return 0;
}

void virtio_remote_info(struct virtio_remote *remote, struct shyper_device_info *info)
{
	struct virtio_queue_info queue_info;

	*info = (struct shyper_device_info){ .status = virtio_status(&remote->dev) };
	for (u32 n = 0; n < SHYPER_DEVICE_QUEUES; n++) {
		if (virtio_queue_info(&remote->dev, n, &queue_info))
			break;
		info->queue[n] = (struct shyper_device_queue){
			.ready = queue_info.ready,
			.num = queue_info.num,
			.desc = queue_info.desc,
			.driver = queue_info.driver,
			.device = queue_info.device,
		};
	}
	virtio_lock(&remote->dev);
	info->resetting = remote->dev.resetting && remote->serving;
	info->features = remote->dev.accepted;
	virtio_unlock(&remote->dev);
}

void virtio_remote_reset_done(struct virtio_remote *remote)
{
	virtio_lock(&remote->dev);
	if (remote->dev.resetting)
		remote->serving = false;
	virtio_unlock(&remote->dev);
}

void virtio_remote_abandon(struct virtio_remote *remote)
{
	virtio_lock(&remote->dev);
	remote->serving = false;
	remote->abandoned = true;
	if (virtio_running(&remote->dev))
		virtio_fail(&remote->dev);
	virtio_unlock(&remote->dev);
}

void virtio_remote_restart(struct virtio_remote *remote)
{
	if (remote->abandoned) {
		become(remote, 0, 0, 0, 0);
		return;
	}
	virtio_lock(&remote->dev);
	remote->serving = false;
	virtio_unlock(&remote->dev);
	(void)virtio_reset(&remote->dev);	/* at once: nothing is served */
}
