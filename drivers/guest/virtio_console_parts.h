/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to virtio_console*.c. All of it with the device's lock held.
 */
#ifndef VIRTIO_CONSOLE_PARTS_H
#define VIRTIO_CONSOLE_PARTS_H

#include <hv/virtio_console.h>

#define CONTROL_RX 2U	/* queues */
#define CONTROL_TX 3U
#define CONTROL 16U	/* entries of each */

/* Control events, section 5.3.6.2. The driver sends the first, READY and OPEN. */
enum {
	EVENT_DEVICE_READY,
	EVENT_ADD,
	EVENT_REMOVE,
	EVENT_READY,
	EVENT_CONSOLE,
	EVENT_RESIZE,
	EVENT_OPEN,
	EVENT_NAME,
};

struct control {
	u32 id;
	u16 event;
	u16 value;
};

static inline enum stream_end far_end(const struct virtio_console_port *port)
{
	return port->end == STREAM_MACHINE ? STREAM_TERMINAL : STREAM_MACHINE;
}

/* ---- virtio_console.c ---- */

/* console_pop() - take a chain of queue n. False: none, or the driver broke the rules. */
bool console_pop(struct virtio_console *console, u32 n, struct virtqueue_chain *chain);

/* console_push() - give it back, and interrupt the driver if it wants that. */
void console_push(struct virtio_console *console, u32 n, u32 head, u32 written);

/* console_set_open() - the driver opens or closes its end. */
void console_set_open(struct virtio_console_port *port, bool open);

/* console_serve_rx() - what waits for the driver, as far as it has buffers for it. */
void console_serve_rx(struct virtio_console_port *port);

/* ---- virtio_console_control.c ---- */

/* console_tell() - all that there is to say, as far as the driver has buffers. */
void console_tell(struct virtio_console *console);

/* console_listen() - what the driver says. True: there is more than one call should do. */
bool console_listen(struct virtio_console *console);

/* console_check_far_end() - the other end of a port's stream may have opened or closed. */
void console_check_far_end(struct virtio_console_port *port);

#endif
