/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio console: data, ports, and what the transport calls. Each call serves a bounded amount:
 * a vCPU whose queue holds more comes again, and a stream's event leaves the rest to the driver's
 * next notification.
 */
#include <hv/errno.h>
#include <hv/string.h>
#include <hv/vm.h>

#include "virtio_console_parts.h"

#define F_SIZE BIT(0)
#define F_MULTIPORT BIT(1)
#define F_EMERG_WRITE BIT(2)
#define FEATURES (F_SIZE | F_MULTIPORT | F_EMERG_WRITE | VIRTIO_F_EVENT_IDX | \
		  VIRTIO_F_INDIRECT_DESC)

/* Configuration: cols, rows, max_nr_ports, emerg_wr. Section 5.3.4. */
#define CONFIG_COLS 0U
#define CONFIG_PORTS 4U
#define CONFIG_EMERG_WRITE 8U

/*
 * Few buffers towards the driver: a Linux that has nobody at an hvc still accepts what they hold,
 * and keeps that, the oldest, for whoever opens it, in front of the newest from the stream.
 */
#define RX 4U

#define STAGE 512U			/* bytes copied at a time */
#define RX_BYTES 16384U			/* into one buffer at most */
#define TX_BYTES 65536U			/* taken in one call, with TX_CHAIN for each chain */
#define TX_CHAIN 256U

/* ---- Queues: 0 and 1 are port 0's, 2 and 3 control, 4 and 5 port 1's, and so on ---- */

static struct virtio_console_port *port_of(struct virtio_console *console, u32 queue)
{
	return &console->port[queue < CONTROL_RX ? 0 : queue / 2 - 1];
}

static u32 rx_queue(const struct virtio_console_port *port)
{
	return port->id ? 2 * port->id + 2 : 0;
}

static u32 tx_queue(const struct virtio_console_port *port)
{
	return rx_queue(port) + 1;
}

static u32 entries(u32 queue)
{
	if (queue == CONTROL_RX || queue == CONTROL_TX)
		return CONTROL;
	return queue & 1 ? VIRTIO_CONSOLE_TX : RX;
}

/* Take a chain of queue n; false: there is none, or the driver broke the rules. */
bool console_pop(struct virtio_console *console, u32 n, struct virtqueue_chain *chain)
{
	enum virtqueue_result result;

	if (!virtio_running(&console->dev))
		return false;
	result = virtqueue_pop(&console->ring[n], chain);
	if (result == VIRTQUEUE_CHAIN && (n & 1 ? chain->writable : chain->readable)) {
		console->ring[n].broken = "a buffer of the wrong direction";
		result = VIRTQUEUE_BROKEN;
	}
	if (result == VIRTQUEUE_BROKEN)
		virtio_broken(&console->dev, n, console->ring[n].broken);
	return result == VIRTQUEUE_CHAIN;
}

void console_push(struct virtio_console *console, u32 n, u32 head, u32 written)
{
	virtqueue_push(&console->ring[n], head, written);
	if (virtqueue_interrupt_due(&console->ring[n]))
		virtio_interrupt(&console->dev, true);
}

/* The stream needs a stream_wake(), when the lock is dropped. */
static void touch(struct virtio_console_port *port)
{
	__atomic_fetch_or(&port->console->touched, BIT(port->id), __ATOMIC_RELAXED);
	virtio_put_off(&port->console->dev);
}

/* ---- Data ---- */

/* Some bytes of the request being sent; false: the stream has no room. */
static bool send_some(struct virtio_console_port *port, u32 *budget)
{
	const struct virtqueue *ring = &port->console->ring[tx_queue(port)];
	u8 stage[STAGE];
	u32 n = (u32)virtqueue_read(ring, &port->chain, port->sent, stage,
				    MIN(STAGE, port->chain.readable - port->sent));
	u32 taken = stream_write(port->stream, port->end, stage, n);

	if (port->hvc)
		taken = n;
	port->spoken |= n != 0;
	port->sent += taken;
	*budget -= MIN(*budget, taken);
	return taken == n;
}

/* Makes the driver's next request the current one; false: there is none. */
static bool begin_sending(struct virtio_console_port *port, u32 *budget)
{
	port->chain.segment = port->segment;
	port->chain.room = ARRAY_SIZE(port->segment);
	if (!console_pop(port->console, tx_queue(port), &port->chain))
		return false;
	port->sending = true;
	port->sent = 0;
	*budget -= MIN(*budget, TX_CHAIN);
	return true;
}

static void end_sending(struct virtio_console_port *port)
{
	port->sending = false;
	console_push(port->console, tx_queue(port), port->chain.head, 0);
}

/*
 * What the driver sends. True: there is more than one call should do, or somebody wants the hart. A
 * request stays the current one until all of it is gone; the stream tells when there is room.
 */
static bool serve_tx(struct virtio_console_port *port)
{
	u32 budget = TX_BYTES;

	while (budget) {
		if (!virtio_running(&port->console->dev))
			return false;
		if (!port->sending && !begin_sending(port, &budget))
			return false;
		if (!send_some(port, &budget))
			return false;
		if (port->sent == port->chain.readable)
			end_sending(port);
		if (unlikely(arch_hart_wanted()))
			return true;
	}
	return true;
}

/* The same when the stream has room again: then nobody comes again but the stream. */
static void resume_tx(struct virtio_console_port *port)
{
	if (!port->hvc && port->sending)
		while (serve_tx(port) && !stream_pause(port->stream, port->end))
			;
}

/* Fills one buffer with what waits; returns how much that was. */
static u32 receive(struct virtio_console_port *port, const struct virtqueue_chain *chain)
{
	const struct virtqueue *ring = &port->console->ring[rx_queue(port)];
	u32 size = (u32)MIN(chain->writable, RX_BYTES), done = 0, n = 1;
	u8 stage[STAGE];

	while (done < size && n) {
		n = stream_read(port->stream, port->end, stage, MIN(STAGE, size - done));
		done += (u32)virtqueue_write(ring, chain, done, stage, n);
	}
	return done;
}

/* The driver is there, but its guest may be listening elsewhere. */
static bool is_silent(const struct virtio_console_port *port)
{
	return port->id == 0 && port->console->silent && !port->spoken;
}

/* What waits for the driver, as far as it has buffers for it. */
void console_serve_rx(struct virtio_console_port *port)
{
	struct virtio_console *console = port->console;
	struct virtqueue_segment segment[RX];
	struct virtqueue_chain chain = { .segment = segment, .room = RX };
	u32 n = rx_queue(port);

	for (u32 i = 0; i < RX && port->open && !is_silent(port); i++) {
		if (!stream_waiting(port->stream, port->end) || !console_pop(console, n, &chain))
			return;
		console_push(console, n, chain.head, receive(port, &chain));
	}
	/* Perhaps there is more of both: the driver's next buffer is the occasion. */
	virtqueue_arm(&console->ring[n]);
}

/* The driver opens or closes its end. */
void console_set_open(struct virtio_console_port *port, bool open)
{
	if (port->open == open || !port->exists)
		return;
	port->open = open;
	stream_set_open(port->stream, port->end, open);
	touch(port);
}

/* ---- What the transport calls ---- */

static bool serve_queue(struct virtio_console *console, u32 n)
{
	struct virtio_console_port *port = port_of(console, n);
	bool more = false;

	if (n == CONTROL_RX || n == CONTROL_TX) {
		if (n == CONTROL_TX)
			more = console_listen(console);
		console_tell(console);
	} else if (port->exists) {
		if (n == tx_queue(port))
			more = serve_tx(port);
		else
			console_serve_rx(port);
		touch(port);
	}
	return more;
}

static bool console_notify(void *ctx, u32 n)
{
	struct virtio_console *console = ctx;
	bool more;

	virtio_lock(&console->dev);
	more = serve_queue(console, n);
	virtio_unlock(&console->dev);
	return more;
}

static bool console_queue(void *ctx, u32 n, bool ready)
{
	struct virtio_console *console = ctx;

	if (n == tx_queue(port_of(console, n)))
		port_of(console, n)->sending = false;
	if (ready)
		virtqueue_init(&console->ring[n], console->dev.gmap, &console->queue[n].set,
			       console->dev.accepted);
	else
		virtqueue_exit(&console->ring[n]);
	return true;
}

/* Without the control queues, port 0 is all there is, and open while its driver is there. */
static void console_status(void *ctx)
{
	struct virtio_console *console = ctx;
	struct virtio_console_port *port = &console->port[0];

	if (!virtio_running(&console->dev) || virtio_accepted(&console->dev, F_MULTIPORT))
		return;
	console_set_open(port, true);
	if (port->exists)
		console_serve_rx(port);
}

static bool console_reset(void *ctx)
{
	struct virtio_console *console = ctx;

	console->ready = false;
	for (u32 i = 0; i < console->ports; i++) {
		struct virtio_console_port *port = &console->port[i];

		console_set_open(port, false);
		port->ready = port->sending = port->spoken = false;
		port->todo = 0;
	}
	for (u32 n = 0; n < VIRTIO_CONSOLE_QUEUES(console->ports); n++)
		virtqueue_exit(&console->ring[n]);
	return true;
}

/* The emergency write: one byte, at any time, without queues. */
static void console_config_write(void *ctx, u32 offset, u32 width, u64 value)
{
	struct virtio_console *console = ctx;
	struct virtio_console_port *port = &console->port[0];
	u8 byte = (u8)value;

	(void)width;
	if (offset != CONFIG_EMERG_WRITE || !port->exists)
		return;
	(void)stream_write(port->stream, port->end, &byte, 1);
	touch(port);
}

static void console_settle(void *ctx)
{
	struct virtio_console *console = ctx;
	u64 touched = __atomic_exchange_n(&console->touched, 0, __ATOMIC_ACQUIRE);

	for (; touched; touched &= touched - 1) {
		struct virtio_console_port *port = &console->port[__builtin_ctzll(touched)];

		stream_wake(__atomic_load_n(&port->stream, __ATOMIC_RELAXED));
	}
}

static const struct virtio_ops console_ops = {
	.name = "virtio-console",
	.device_id = VIRTIO_ID_CONSOLE,
	.config_write = console_config_write,
	.status = console_status,
	.queue = console_queue,
	.reset = console_reset,
	.notify = console_notify,
	.settle = console_settle,
};

/* ---- What the stream calls ---- */

/* Nothing is touched for stream_wake(): it is what called us, and looks again by itself. */
static void port_event(void *ctx)
{
	struct virtio_console_port *port = ctx;
	struct virtio_console *console = port->console;
	bool silent;

	virtio_lock(&console->dev);
	silent = is_silent(port);
	if (port->exists) {
		console_check_far_end(port);
		resume_tx(port);
		console_serve_rx(port);
		console_tell(console);
	}
	virtio_unlock(&console->dev);
	if (silent)
		console->silent(console->ctx);
}

/* ---- Making and unmaking ---- */

static int check_name(const char *name)
{
	if (name && (!name[0] || strnlen(name, VIRTIO_CONSOLE_NAME) == VIRTIO_CONSOLE_NAME))
		return -EINVAL;
	return 0;
}

/* The lock is held. A removal that the driver has not heard of yet stays in front. */
static int claim_port(struct virtio_console_port *port, bool hvc, const char *name,
		      struct stream *stream, enum stream_end end)
{
	if (port->exists)
		return -EBUSY;
	port->exists = true;
	port->hvc = hvc;
	port->end = end;
	port->cols = port->rows = 0;
	__atomic_store_n(&port->stream, stream, __ATOMIC_RELAXED);
	memset(port->name, 0, sizeof(port->name));
	if (name)
		memcpy(port->name, name, strlen(name));
	if (port->console->ready)
		port->todo |= (u32)BIT(EVENT_ADD);
	return 0;
}

int virtio_console_add_port(struct virtio_console *console, u32 id, bool hvc, const char *name,
			    struct stream *stream, enum stream_end end)
{
	struct virtio_console_port *port;
	int err;

	if (id >= console->ports || check_name(name))
		return -EINVAL;
	port = &console->port[id];
	err = stream_connect(stream, end, port_event, port);
	if (err)
		return err;
	virtio_lock(&console->dev);
	err = claim_port(port, hvc, name, stream, end);
	if (!err) {
		console_tell(console);
		console_status(console);
	}
	virtio_unlock(&console->dev);
	if (err)
		stream_disconnect(stream, end);
	return err;
}

/*
 * The lock is held. A request under way goes back first: the driver takes back those only that we
 * have not taken, and then counts from there.
 */
static void withdraw_port(struct virtio_console_port *port)
{
	if (port->sending)
		end_sending(port);
	console_set_open(port, false);
	port->exists = port->ready = port->spoken = false;
	if (port->todo & BIT(EVENT_ADD))
		port->todo &= (u32)BIT(EVENT_REMOVE);
	else if (port->console->ready)
		port->todo = (u32)BIT(EVENT_REMOVE);
	console_tell(port->console);
}

int virtio_console_remove_port(struct virtio_console *console, u32 id)
{
	struct virtio_console_port *port;
	struct stream *stream = NULL;
	enum stream_end end = STREAM_ENDS;

	if (id >= console->ports)
		return -EINVAL;
	port = &console->port[id];
	virtio_lock(&console->dev);
	if (port->exists) {
		stream = port->stream;
		end = port->end;
		withdraw_port(port);
	}
	virtio_unlock(&console->dev);
	if (!stream)
		return -EINVAL;
	stream_disconnect(stream, end);
	return 0;
}

int virtio_console_resize(struct virtio_console *console, u32 id, u16 cols, u16 rows)
{
	const u16 size[2] = { cols, rows };
	struct virtio_console_port *port = &console->port[id];
	bool possible;

	if (id >= console->ports)
		return -EINVAL;
	virtio_lock(&console->dev);
	possible = port->exists && port->hvc;
	if (possible) {
		port->cols = cols;
		port->rows = rows;
		if (port->ready)
			port->todo |= (u32)BIT(EVENT_RESIZE);
		console_tell(console);
	}
	if (possible && id == 0) {
		virtio_config_set(&console->dev, CONFIG_COLS, size, sizeof(size));
		virtio_interrupt(&console->dev, false);
	}
	virtio_unlock(&console->dev);
	return possible ? 0 : -EINVAL;
}

int virtio_console_init(struct virtio_console *console, const struct virtio_console_params *params)
{
	struct virtio_params transport = {
		.ops = &console_ops, .ctx = console, .owner = params->owner, .gmap = params->gmap,
		.irq = params->irq, .features = FEATURES, .queue = params->queue,
		.queues = VIRTIO_CONSOLE_QUEUES(params->ports),
	};

	if (params->ports == 0 || params->ports > VIRTIO_CONSOLE_PORTS)
		return -EINVAL;
	memset(console, 0, sizeof(*console));
	console->ports = params->ports;
	console->port = params->port;
	console->queue = params->queue;
	console->ring = params->ring;
	console->silent = params->silent;
	console->ctx = params->ctx;
	memset(console->port, 0, params->ports * sizeof(console->port[0]));
	for (u32 i = 0; i < params->ports; i++) {
		console->port[i].console = console;
		console->port[i].id = i;
	}
	memset(console->ring, 0, transport.queues * sizeof(console->ring[0]));
	memset(console->queue, 0, transport.queues * sizeof(console->queue[0]));
	for (u32 n = 0; n < transport.queues; n++)
		console->queue[n].max = entries(n);
	virtio_init(&console->dev, &transport);
	virtio_config_set(&console->dev, CONFIG_PORTS, &params->ports, sizeof(params->ports));
	return 0;
}

void virtio_console_exit(struct virtio_console *console)
{
	for (u32 i = 0; i < console->ports; i++)
		if (console->port[i].exists)
			(void)!virtio_console_remove_port(console, i);
}

void virtio_console_reset(struct virtio_console *console)
{
	/* Ours is done at once. */
	(void)!virtio_reset(&console->dev);
}
