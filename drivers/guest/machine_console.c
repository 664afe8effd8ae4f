/* SPDX-License-Identifier: BSD-2-Clause */
/* The crossbar of the consoles: which streams there are and what is behind their ends. */
#include <hv/machine_console.h>

#include <hv/console.h>
#include <hv/format.h>
#include <hv/monitor.h>
#include <hv/uart16550.h>
#include <hv/vm.h>

_Static_assert(VMS <= CONSOLE_AGENTS && CONSOLE_AGENTS + VMS <= CONSOLE_PORTS,
	       "every VM has its ports");

/* By VM id. They outlive the VMs, so that the other end need not know when one goes. */
static struct stream consoles[VMS];
static struct stream agents[VMS];

/* The MVM's device; NULL: there is none. VMs are made and destroyed one at a time. */
static struct virtio_console *mvm;

static bool is_mvm(const struct machine_console *c)
{
	return c->vm->id == 0 && c->vm->def.management && c->vm->def.console.size;
}

#define PIECES 8	/* lines, or their ends, that are shown before somebody else is served */

/* ---- Ends that are no ports ---- */

static u32 behind;	/* VMs, by id, of whose text more is to be shown; atomic bits */

/* The next piece; false: there is none, or no room for it. */
static bool show_some(struct machine_console *c)
{
	u32 id = c->vm->id;

	if (!c->shows && console_vm_ready()) {
		c->shown = 0;
		c->shows = stream_read(&consoles[id], STREAM_TERMINAL, c->text, sizeof(c->text));
	}
	if (c->shows) {
		u32 n = (u32)console_vm_write(id, c->text + c->shown, c->shows);

		c->shown += n;
		c->shows -= n;
		return n;
	}
	return false;
}

/*
 * At the board's console: what came from the guest's virtio console. Not all at once, which would
 * be long, nor before there is room.
 */
static void board_event(void *ctx)
{
	struct machine_console *console = ctx;
	u32 id = console->vm->id;

	for (u32 i = 0; i < PIECES && show_some(console) && !arch_hart_wanted(); i++)
		;
	if (!console->shows && !stream_waiting(&consoles[id], STREAM_TERMINAL))
		return;
	__atomic_fetch_or(&behind, (u32)BIT(id), __ATOMIC_ACQ_REL);
	console_call();
}

bool machine_console_waits(void)
{
	return __atomic_load_n(&behind, __ATOMIC_ACQUIRE);
}

bool machine_console_more(void)
{
	static u32 last;	/* hart 0 alone */
	u32 ids = __atomic_load_n(&behind, __ATOMIC_ACQUIRE);

	if (!ids)
		return false;
	do
		last = (last + 1) % VMS;
	while (!(ids & BIT(last)));
	__atomic_fetch_and(&behind, ~(u32)BIT(last), __ATOMIC_ACQ_REL);
	stream_call(&consoles[last], STREAM_TERMINAL);
	stream_wake(&consoles[last]);
	return machine_console_waits();
}

/* For the UART, until the guest prints on a virtio console. What finds no room is lost. */
static void uart_event(void *ctx)
{
	const struct machine_console *console = ctx;
	u8 text[64];
	u32 n;

	do {
		n = stream_read(&consoles[console->vm->id], STREAM_MACHINE, text, sizeof(text));
		if (n && console->uart)
			(void)uart16550_rx(console->uart, text, n);
	} while (n);
}

size_t machine_console_send(struct machine_console *console, const void *text, u32 n)
{
	struct stream *stream = &consoles[console->vm->id];

	if (console->at_board)
		return console_vm_write(console->vm->id, text, n);
	(void)stream_write(stream, STREAM_MACHINE, text, n);
	stream_wake(stream);
	return n;
}

void machine_console_type(struct machine_console *console, const void *text, u32 n)
{
	struct stream *stream = &consoles[console->vm->id];

	if (is_mvm(console)) {
		if (console->uart)
			(void)uart16550_rx(console->uart, text, n);
		return;
	}
	(void)stream_write(stream, STREAM_TERMINAL, text, n);
	stream_wake(stream);
}

/* ---- Storage ---- */

static void set_store(struct stream *stream, enum stream_end end, void *data, u32 size, bool keep)
{
	const struct stream_store store = { .data = data, .size = size, .keep = keep };

	stream_set_store(stream, end, &store);
}

static void take_store(struct machine_console *c)
{
	u32 id = c->vm->id;

	set_store(&consoles[id], STREAM_MACHINE, c->output, sizeof(c->output), true);
	set_store(&consoles[id], STREAM_TERMINAL, c->input, sizeof(c->input), false);
	set_store(&agents[id], STREAM_MACHINE, c->from_agent, sizeof(c->from_agent), false);
	set_store(&agents[id], STREAM_TERMINAL, c->to_agent, sizeof(c->to_agent), false);
}

static void drop_store(u32 id)
{
	for (enum stream_end end = STREAM_MACHINE; end < STREAM_ENDS; end++) {
		stream_set_store(&consoles[id], end, NULL);
		stream_set_store(&agents[id], end, NULL);
	}
	stream_wake(&consoles[id]);
	stream_wake(&agents[id]);
}

/* ---- The terminal's end ---- */

static int add_plain(u32 port, const char *what, u32 id, struct stream *stream)
{
	char name[VIRTIO_CONSOLE_NAME];

	format(name, sizeof(name), "shyper.%s.%u", what, id);
	return virtio_console_add_port(mvm, port, false, name, stream, STREAM_TERMINAL);
}

/* The MVM's plain ports of this VM come, if it has a virtio console of its own. */
static int add_terminal(struct machine_console *c)
{
	u32 id = c->vm->id;
	int err = 0;

	if (!mvm) {
		c->at_board = true;
		return stream_connect(&consoles[id], STREAM_TERMINAL, board_event, c);
	}
	if (id >= CONSOLE_HVCS)
		err = add_plain(id, "console", id, &consoles[id]);
	if (!err)
		err = add_plain(CONSOLE_AGENTS + id, "agent", id, &agents[id]);
	return err;
}

static void remove_terminal(const struct machine_console *c)
{
	u32 id = c->vm->id;

	if (c->at_board) {
		stream_disconnect(&consoles[id], STREAM_TERMINAL);
	} else if (mvm) {
		if (id >= CONSOLE_HVCS)
			(void)!virtio_console_remove_port(mvm, id);
		(void)!virtio_console_remove_port(mvm, CONSOLE_AGENTS + id);
	}
}

/* ---- The machine's end ---- */

static int init_device(struct machine_console *c, const struct irq_line *irq, u32 ports)
{
	const struct virtio_console_params params = {
		.owner = c->vm->def.name, .gmap = &c->vm->gmap, .irq = *irq, .ports = ports,
		.port = c->port, .queue = c->queue, .ring = c->ring,
		.silent = c->uart && !is_mvm(c) ? uart_event : NULL, .ctx = c,
	};

	return virtio_console_init(&c->device, &params);
}

static int add_machine(struct machine_console *c, const struct irq_line *irq)
{
	u32 id = c->vm->id;
	int err;

	if (!c->vm->def.console.size)
		return stream_connect(&consoles[id], STREAM_MACHINE, uart_event, c);
	err = init_device(c, irq, CONSOLE_GUEST_AGENT + 1);
	if (!err)
		err = virtio_console_add_port(&c->device, CONSOLE_GUEST_HVC, true, NULL,
					      &consoles[id], STREAM_MACHINE);
	if (!err)
		err = virtio_console_add_port(&c->device, CONSOLE_GUEST_AGENT, false,
					      "org.qemu.guest_agent.0", &agents[id],
					      STREAM_MACHINE);
	return err;
}

static void remove_machine(struct machine_console *c)
{
	if (c->vm->def.console.size)
		virtio_console_exit(&c->device);
	else
		stream_disconnect(&consoles[c->vm->id], STREAM_MACHINE);
}

/* ---- The MVM: the terminal of all others and of Shyper; its own is the board's ---- */

/* Little is under way: the log keeps its lines itself. */
static int add_monitor(struct machine_console *c)
{
	set_store(&consoles[0], STREAM_MACHINE, c->output, CONSOLE_MONITOR, false);
	set_store(&consoles[0], STREAM_TERMINAL, c->input, sizeof(c->input), false);
	return monitor_init(&consoles[0], c->vm->vcpu[0]->hart);
}

static int init_mvm(struct machine_console *c, const struct irq_line *irq)
{
	int err = init_device(c, irq, CONSOLE_PORTS);

	c->at_board = true;
	if (!err)
		err = add_monitor(c);
	for (u32 i = 0; !err && i < CONSOLE_HVCS; i++)
		err = virtio_console_add_port(&c->device, i, true, NULL, &consoles[i],
					      STREAM_TERMINAL);
	if (!err)
		mvm = &c->device;
	return err;
}

/* ---- The whole ---- */

int machine_console_init(struct machine_console *console, struct vm *vm, const struct irq_line *irq,
			 struct uart16550 *uart)
{
	int err;

	console->vm = vm;
	console->uart = uart;
	if (is_mvm(console)) {
		err = init_mvm(console, irq);
	} else {
		take_store(console);
		err = add_machine(console, irq);
		if (!err)
			err = add_terminal(console);
	}
	if (err)
		machine_console_exit(console);
	return err;
}

void machine_console_exit(struct machine_console *console)
{
	if (!console->vm)
		return;
	if (is_mvm(console)) {
		mvm = NULL;
		monitor_exit();
		virtio_console_exit(&console->device);
		drop_store(0);
		return;
	}
	remove_terminal(console);
	remove_machine(console);
	drop_store(console->vm->id);
	console->vm = NULL;
}

void machine_console_reset(struct machine_console *console)
{
	if (console->vm && console->vm->def.console.size)
		virtio_console_reset(&console->device);
}
