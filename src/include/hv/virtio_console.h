/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio console (virtio 1.2, section 5.3) with several ports. A port is one end of a stream
 * (hv/stream.h) that the driver sees as a console (hvc) or as a plain port (vport), which may have
 * a name. Ports are announced in the order of their numbers, and come and go while the guest runs.
 *
 * A console port takes all that the driver sends at once and drops what finds no room: drivers wait
 * for that with their locks held. A plain port makes its driver wait.
 *
 * Lock order: stream's turn, device, stream. Of two devices never both.
 */
#ifndef HV_VIRTIO_CONSOLE_H
#define HV_VIRTIO_CONSOLE_H

#include <hv/stream.h>
#include <hv/types.h>
#include <hv/virtio.h>
#include <hv/virtqueue.h>

#define VIRTIO_CONSOLE_PORTS 64		/* of one device at most */
#define VIRTIO_CONSOLE_NAME 32		/* bytes of a port's name with the NUL */
#define VIRTIO_CONSOLE_QUEUES(ports) (2 * (ports) + 2)	/* each port's two, and two for control */
#define VIRTIO_CONSOLE_TX 16U		/* entries of a queue towards us */

struct virtio_console;

/* Under the device's lock, but for console, id and, while the port exists, stream and end. */
struct virtio_console_port {
	struct virtio_console *console;	/* fixed after init, as id */
	u32 id;
	bool exists;
	bool hvc;			/* a console, not a plain port */
	struct stream *stream;
	enum stream_end end;		/* of the stream, that the driver is behind */
	char name[VIRTIO_CONSOLE_NAME];
	u16 cols;
	u16 rows;			/* 0: the size is not known */

	/* What the driver has said, and what it is still to be told. */
	bool ready;
	bool open;
	bool spoken;			/* it has sent something */
	bool told;			/* whether the far end is open */
	u32 todo;			/* bit per control event */

	/* The request that the driver sends just now, if sending. */
	bool sending;
	u64 sent;			/* bytes of it that are gone */
	struct virtqueue_chain chain;
	struct virtqueue_segment segment[VIRTIO_CONSOLE_TX];
};

struct virtio_console {
	struct virtio_dev dev;

	/* Fixed after init. */
	u32 ports;			/* ids are 0 … ports - 1 */
	struct virtio_console_port *port;
	struct virtio_queue *queue;
	struct virtqueue *ring;
	void (*silent)(void *ctx);	/* NULL: port 0 is as the others */
	void *ctx;

	bool ready;			/* under the lock: the driver wants to hear of ports */
	u64 touched;			/* atomic: bit per port whose stream needs stream_wake() */
};

/* What a console is made of; the arrays stay where they are. */
struct virtio_console_params {
	const char *owner;		/* the VM's name, for the log */
	const struct gmap *gmap;
	struct irq_line irq;
	u32 ports;			/* 1 … VIRTIO_CONSOLE_PORTS */
	struct virtio_console_port *port;	/* [ports] */
	struct virtio_queue *queue;	/* [VIRTIO_CONSOLE_QUEUES(ports)] */
	struct virtqueue *ring;		/* [VIRTIO_CONSOLE_QUEUES(ports)] */
	/*
	 * Until the driver has sent something through port 0, what comes there is not for it: this
	 * is called instead, as an event of the stream. NULL: all is for the driver.
	 */
	void (*silent)(void *ctx);
	void *ctx;
};

/* virtio_console_init() - a console without ports. By the VM's maker alone; -EINVAL: ports. */
int __must_check virtio_console_init(struct virtio_console *console,
				     const struct virtio_console_params *params);

/* virtio_console_exit() - disconnect all ports. The VM does not run. */
void virtio_console_exit(struct virtio_console *console);

/* virtio_console_reset() - power-on state; the ports stay. The VM does not run. */
void virtio_console_reset(struct virtio_console *console);

/*
 * virtio_console_add_port() - the port becomes one end of a stream, which outlives the device. Any
 * hart, the guest may run, no lock is held. name: up to 31 bytes, copied, NULL: none. 0; -EINVAL:
 * id or name; -EBUSY: the port exists or the stream's end is taken.
 */
int __must_check virtio_console_add_port(struct virtio_console *console, u32 id, bool hvc,
					 const char *name, struct stream *stream,
					 enum stream_end end);

/* virtio_console_remove_port() - undo that, as above. -EINVAL: there is no such port. */
int __must_check virtio_console_remove_port(struct virtio_console *console, u32 id);

/*
 * virtio_console_resize() - the terminal behind a console port has this size. Any hart. -EINVAL:
 * there is no such port, or it is a plain one.
 */
int __must_check virtio_console_resize(struct virtio_console *console, u32 id, u16 cols, u16 rows);

#endif
