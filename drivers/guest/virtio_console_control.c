/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control queues of the virtio console: what there is to tell of each port is kept as bits, so
 * a driver that gives no buffers costs no memory.
 */
#include <hv/string.h>

#include "virtio_console_parts.h"

/* ---- What the driver is told ---- */

/* Linux 6 reads the rows first, section 5.3.6.2 names them last; the users of this are Linux. */
static u32 put_size(const struct virtio_console_port *port, u8 *text)
{
	const u16 size[2] = { port->rows, port->cols };

	memcpy(text, size, sizeof(size));
	return sizeof(size);
}

/* The message for one event of a port; returns its size. */
static u32 compose(const struct virtio_console_port *port, u16 event, u8 *message)
{
	struct control control = { .id = port->id, .event = event, .value = 1 };
	u32 size = sizeof(control), length = (u32)strnlen(port->name, VIRTIO_CONSOLE_NAME);

	if (event == EVENT_OPEN)
		control.value = stream_is_open(port->stream, far_end(port));
	memcpy(message, &control, sizeof(control));
	if (event == EVENT_RESIZE)
		size += put_size(port, message + size);
	if (event == EVENT_NAME) {
		memcpy(message + size, port->name, length);
		size += length;
	}
	return size;
}

/* The next event that a port's driver is to be told; false: all is said. */
static bool next_event(const struct virtio_console_port *port, u16 *event)
{
	static const u16 order[] = {
		EVENT_REMOVE, EVENT_ADD, EVENT_CONSOLE, EVENT_NAME, EVENT_OPEN, EVENT_RESIZE,
	};

	for (u32 i = 0; i < ARRAY_SIZE(order); i++) {
		*event = order[i];
		if (port->todo & BIT(order[i]))
			return true;
	}
	return false;
}

/* False: the driver has no buffer now. */
static bool tell(struct virtio_console_port *port, u16 event)
{
	struct virtio_console *console = port->console;
	struct virtqueue_segment segment[CONTROL];
	struct virtqueue_chain chain = { .segment = segment, .room = CONTROL };
	u8 message[sizeof(struct control) + VIRTIO_CONSOLE_NAME];
	u32 size;

	if (!console_pop(console, CONTROL_RX, &chain))
		return false;
	size = compose(port, event, message);
	if (chain.writable < size) {
		virtio_broken(&console->dev, CONTROL_RX, "a control buffer is too small");
		return false;
	}
	if (event == EVENT_OPEN)
		port->told = message[offsetof(struct control, value)];
	virtqueue_write(&console->ring[CONTROL_RX], &chain, 0, message, size);
	console_push(console, CONTROL_RX, chain.head, size);
	port->todo &= ~(u32)BIT(event);
	return true;
}

/* Port by port: six messages each at most. */
void console_tell(struct virtio_console *console)
{
	u16 event;

	for (u32 i = 0; i < console->ports; i++)
		while (next_event(&console->port[i], &event))
			if (!tell(&console->port[i], event))
				return;
}

/* ---- What the driver says ---- */

static void device_ready(struct virtio_console *console)
{
	console->ready = true;
	for (u32 i = 0; i < console->ports; i++)
		if (console->port[i].exists)
			console->port[i].todo |= (u32)BIT(EVENT_ADD);
}

/* The driver knows the port: now what it is. A port of this number may have been there before. */
static void port_ready(struct virtio_console_port *port)
{
	console_set_open(port, false);
	port->ready = true;
	port->told = false;
	port->todo |= (u32)(port->hvc ? BIT(EVENT_CONSOLE) : 0);
	port->todo |= (u32)(port->name[0] ? BIT(EVENT_NAME) : 0);
	port->todo |= (u32)(port->hvc && port->rows ? BIT(EVENT_RESIZE) : 0);
	if (stream_is_open(port->stream, far_end(port)))
		port->todo |= (u32)BIT(EVENT_OPEN);
}

static void handle(struct virtio_console *console, const struct control *control)
{
	struct virtio_console_port *port;

	if (control->event == EVENT_DEVICE_READY && control->value == 1)
		device_ready(console);
	if (control->id >= console->ports)
		return;
	port = &console->port[control->id];
	if (!port->exists || (port->todo & BIT(EVENT_ADD)))
		return;
	if (control->event == EVENT_READY && control->value == 1) {
		port_ready(port);
	} else if (control->event == EVENT_OPEN && port->ready) {
		console_set_open(port, control->value == 1);
		console_serve_rx(port);
	}
}

bool console_listen(struct virtio_console *console)
{
	struct virtqueue_segment segment[CONTROL];
	struct virtqueue_chain chain = { .segment = segment, .room = CONTROL };

	for (u32 i = 0; i < CONTROL; i++) {
		struct control control;

		if (!console_pop(console, CONTROL_TX, &chain))
			return false;
		if (virtqueue_read(&console->ring[CONTROL_TX], &chain, 0, &control,
				   sizeof(control)) == sizeof(control))
			handle(console, &control);
		console_push(console, CONTROL_TX, chain.head, 0);
	}
	return true;
}

void console_check_far_end(struct virtio_console_port *port)
{
	if (port->ready && port->told != stream_is_open(port->stream, far_end(port)))
		port->todo |= (u32)BIT(EVENT_OPEN);
}
