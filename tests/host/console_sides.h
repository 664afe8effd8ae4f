/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two virtio consoles with their drivers for host tests, which speak as Linux does: a guest's and
 * the MVM's, joined by streams.
 */
#ifndef CONSOLE_SIDES_H
#define CONSOLE_SIDES_H

#include <hv/virtio_console.h>

#include "virtio_driver.h"

#define PORTS 12U
#define QUEUES VIRTIO_CONSOLE_QUEUES(PORTS)
#define HVCS 8U		/* console ports of the MVM, numbers 0 and up */
#define BEHIND 1U	/* stream of the guest's console */
#define AGENT 9U	/* stream of the guest's agent, and the MVM's port for it */
#define F_MULTIPORT BIT(1)
#define FEATURES (F_MULTIPORT | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC)
#define KEPT 65536U
#define LANE 4096U
#define BUFFER 512U	/* bytes of each buffer towards the driver */

enum { DEVICE_READY, ADD, REMOVE, READY, CONSOLE, RESIZE, OPEN, NAME };

struct control {
	u32 id;
	u16 event;
	u16 value;
};

/* One device with its driver, whose queues and buffers lie from base on. */
struct side {
	struct virtio_console console;
	struct virtio_console_port port[PORTS];
	struct virtio_queue queue[QUEUES];
	struct virtqueue ring[QUEUES];
	u64 base;
	struct driver_queue driver[QUEUES];
};

extern struct side guest, mvm;
extern struct stream streams[PORTS];

/*
 * sides_setup() - devices and streams; the guest has a console (streams[BEHIND]) and an agent,
 * the MVM its eight consoles. No driver runs. sides_init_guest(): a guest without ports.
 */
int sides_setup(void **state);
int sides_teardown(void **state);
void sides_init_guest(void (*silent)(void *ctx));

/* both_run() - two drivers that know all ports and have answered for them. */
void both_run(void);

/* side_start() - from reset to DRIVER_OK, all buffers offered. */
void side_start(struct side *side, u64 features);

/* greet() - DEVICE_READY, and answers to all that follows; answer() - the latter alone. */
void greet(struct side *side);
void answer(struct side *side);

/* Queues: where queue n is; buffer i of it; notify; offer the buffer again. */
u64 queue_base(const struct side *side, u32 n);
u64 buffer(const struct side *side, u32 n, u32 i);
bool is_rx(u32 n);
void kick(struct side *side, u32 n);
void refill(struct side *side, u32 n, u32 i);

/* transmit() - send bytes in one buffer; false: the device has not given it back. */
bool transmit(struct side *side, u32 n, const void *data, u32 size);

/* collect() - what has arrived in queue n, as text, buffers offered again; its length. */
u32 collect(struct side *side, u32 n, char *out, u32 size);
void check_arrived(struct side *side, u32 n, const char *text);

/* Control messages: say one; the next one is this, or there is none. */
void say(struct side *side, u32 id, u16 event, u16 value);
void check_heard(struct side *side, u32 id, u16 event, u16 value, const char *text);
void check_silence(struct side *side);

#define SIDES_TEST(name) cmocka_unit_test_setup_teardown(name, sides_setup, sides_teardown)

#endif
