/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The consoles of the VMs (drivers/guest/machine_console.c): who is behind which end of which
 * stream. VM n's console is stream n. Its machine end is the VM's UART, firmware calls and virtio
 * console; its terminal end is a port of the MVM, or the board's console where there is no MVM.
 * Stream 0 is Shyper's own where VM 0 is the MVM.
 */
#ifndef HV_MACHINE_CONSOLE_H
#define HV_MACHINE_CONSOLE_H

#include <hv/stream.h>
#include <hv/types.h>
#include <hv/virtio_console.h>

struct uart16550;
struct vm;

#define CONSOLE_OUTPUT 65536U	/* bytes kept of what a VM prints */
#define CONSOLE_INPUT 4096U	/* bytes typed ahead */
#define CONSOLE_MONITOR 4096U	/* bytes of Shyper's that the MVM has not taken yet */
#define AGENT_LANE 4096U	/* each way, between a guest's agent and the MVM */

/* Ports of a guest's virtio console. */
#define CONSOLE_GUEST_HVC 0
#define CONSOLE_GUEST_AGENT 1	/* "org.qemu.guest_agent.0" */

/*
 * Ports of the MVM's: n is the console of VM n, an hvc for those below CONSOLE_HVCS, which are
 * there from the start; the others are plain ports named "shyper.console.N", and CONSOLE_AGENTS + n
 * is the agent of VM n, "shyper.agent.N". Plain ports come and go with their VMs.
 */
#define CONSOLE_HVCS 8
#define CONSOLE_AGENTS 16
#define CONSOLE_PORTS 32

/* One for each VM, in its struct machine. Private to machine_console.c. */
struct machine_console {
	/* Fixed after init. */
	struct vm *vm;
	struct uart16550 *uart;	/* NULL: the VM has none */
	bool at_board;		/* the board's console is the terminal */

	struct virtio_console device;
	struct virtio_console_port port[CONSOLE_PORTS];
	struct virtio_queue queue[VIRTIO_CONSOLE_QUEUES(CONSOLE_PORTS)];
	struct virtqueue ring[VIRTIO_CONSOLE_QUEUES(CONSOLE_PORTS)];
	u8 output[CONSOLE_OUTPUT];
	u8 input[CONSOLE_INPUT];
	u8 from_agent[AGENT_LANE];
	u8 to_agent[AGENT_LANE];

	/* Of board_event(): read, and not shown yet. */
	char text[128];
	u32 shown;
	u32 shows;	/* bytes that are left */
};

/*
 * machine_console_init() - the VM's console and, if its definition has one, the virtio device,
 * which the caller puts on the bus. By the VM's maker alone. uart: NULL when the VM has none. 0, or
 * -errno with nothing left. machine_console_exit() undoes it, if it was done (all was zero before);
 * machine_console_reset(), likewise: power-on; the VM does not run.
 */
int __must_check machine_console_init(struct machine_console *console, struct vm *vm,
				      const struct irq_line *irq, struct uart16550 *uart);
void machine_console_exit(struct machine_console *console);
void machine_console_reset(struct machine_console *console);

/*
 * machine_console_send() - the VM prints; returns how much was taken, see console_vm_write().
 * machine_console_type() - its terminal sends. Any hart, no lock that a device takes is held.
 */
size_t machine_console_send(struct machine_console *console, const void *text, u32 n);
void machine_console_type(struct machine_console *console, const void *text, u32 n);

/*
 * machine_console_more() - the board's console is ready for some more of what VMs have printed by
 * virtio and it was not ready for. True: and there is more. Hart 0, no lock held.
 * machine_console_waits() - there is some. Any hart, any lock.
 */
bool machine_console_more(void);
bool machine_console_waits(void);

#endif
