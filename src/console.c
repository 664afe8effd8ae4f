/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The multiplexer of the board's console. A VM without the focus shows whole lines only; the line
 * that the focused VM is writing appears as it grows and is repeated after an interruption.
 */
#include <hv/board.h>
#include <hv/console.h>
#include <hv/format.h>
#include <hv/host_irq.h>
#include <hv/log.h>
#include <hv/machine.h>
#include <hv/panic.h>
#include <hv/spinlock.h>
#include <hv/string.h>
#include <hv/timer.h>
#include <hv/vm.h>
#include <hv/vm_show.h>

#define LINE 256
#define ESCAPE 0x14		/* ^T */
#define NOBODY ((u32)-1)
#define SHARE 4			/* a VM without the focus stays away so many times its own turn */
#define HELD 2048		/* bytes of Shyper's lines kept while a VM has the terminal */
#define INPUT_BURST 64		/* bytes taken per interrupt, so that it stays short */

/* What a VM writes until the line is complete. Its own output alone gets here, under the lock. */
static struct line {
	struct spinlock lock;	/* taken before the console's */
	char text[LINE];
	u32 size;
} lines[VMS];

/* Everything under the lock but the ports, which are set at boot. */
static struct {
	struct spinlock lock;
	const struct console_port *port;
	u32 open;		/* VM whose unfinished line the terminal shows; NOBODY */
	bool fresh;		/* the cursor is at the start of a line */
	u32 focus;		/* VM that gets the input; written by the input's hart */
	struct vm *tenant;	/* that has the port's device passed through; NULL: none */
	char held[HELD];	/* lines for after its end; the log has all of them anyway */
	size_t held_size;
	bool escaped;		/* that hart's: ^T was typed */
} console = { .open = NOBODY, .fresh = true };

static void emit(const char *text, size_t size)
{
	if (size) {
		console.port->put(text, size);
		console.fresh = text[size - 1] == '\n';
	}
}

static void fresh_line(void)
{
	if (!console.fresh)
		emit("\r\n", 2);
	console.open = NOBODY;
}

static void lock(void)
{
	if (!panic_active())
		spin_lock(&console.lock);
}

static void unlock(void)
{
	if (!panic_active())
		spin_unlock(&console.lock);
}

/*
 * A VM drives the terminal itself, from its start until its last vCPU has halted; so what is to be
 * said before and after is seen. A panic writes whatever the VM does.
 */
static bool is_lent(void)
{
	return console.tenant && !panic_active() &&
	       __atomic_load_n(&console.tenant->active, __ATOMIC_ACQUIRE);
}

void console_early_init(void)
{
	console.port = arch_early_console();
}

void console_init(const struct board *from)
{
	const struct console_port *port = ns16550_probe(from);

	if (port)
		console.port = port;
}

static void write_lines(const char *text, size_t len)
{
	const char *end = text + len;

	fresh_line();
	while (text < end) {
		const char *from = text;

		while (text < end && *text != '\n')
			text++;
		emit(from, (size_t)(text - from));
		if (text++ < end)
			emit("\r\n", 2);
	}
}

/* What the tenant was not to be disturbed with. It may have left the device in any state. */
static void write_held(void)
{
	if (!console.tenant)
		return;
	if (console.port->reset)
		console.port->reset();
	write_lines(console.held, console.held_size);
	console.held_size = 0;
}

/* Whole lines; what finds no room is in the log only. */
static void hold(const char *text, size_t len)
{
	if (len > HELD - console.held_size)
		return;
	memcpy(console.held + console.held_size, text, len);
	console.held_size += len;
}

void console_hv_write(const char *text, size_t len)
{
	lock();
	if (is_lent()) {
		hold(text, len);
	} else {
		write_held();
		write_lines(text, len);
	}
	unlock();
}

/* More than one VM shares the terminal. */
static bool shared(void)
{
	return vms_made() > 1;
}

static void show_prefix(u32 id)
{
	char prefix[VMDEF_NAME + 4];
	int size = format(prefix, sizeof(prefix), "[%s] ", vm_by_id(id)->def.name);

	emit(prefix, (size_t)size);
}

/* The line so far, by its VM's name; it stays open when it has the focus. */
static void show_line(u32 id)
{
	fresh_line();
	show_prefix(id);
	emit(lines[id].text, lines[id].size);
}

static void put_shared(u32 id, char c)
{
	struct line *line = &lines[id];
	bool focused = id == console.focus;

	if (c == '\r')
		return;
	if (c == '\n') {
		if (console.open != id)
			show_line(id);
		emit("\r\n", 2);
		console.open = NOBODY;
		line->size = 0;
		return;
	}
	if (focused && console.open != id) {
		show_line(id);
		console.open = id;
	}
	if (line->size == LINE) {
		if (!focused) {
			show_line(id);
			emit("\r\n", 2);
		}
		line->size = 0;
	}
	line->text[line->size++] = c;
	if (focused)
		emit(&c, 1);
}

/*
 * The end of a VM's turn at the terminal. One that floods it waits for the others, not they for it:
 * when somebody waits for the lock, a VM without the focus stays away for longer than it was there,
 * but not while somebody else on its hart has to run.
 */
static void end_turn(u32 id, u64 began)
{
	bool pays = id != console.focus && spin_is_contended(&console.lock) && !panic_active();
	u64 now = arch_time(), away = MIN((now - began) * SHARE, arch_timebase() / 100);

	unlock();
	while (pays && arch_time() - now < away && !arch_hart_wanted())
		;
}

static void write_now(u32 id, const char *text, size_t size)
{
	u64 began;

	lock();
	began = arch_time();
	if (is_lent()) {
		/* A call of the VM's own, to what it takes for firmware beside its driver. */
		if (id == console.tenant->id) {
			console.port->put(lines[id].text, lines[id].size);
			console.port->put(text, size);
		}
		lines[id].size = 0;
	} else if (shared()) {
		for (size_t i = 0; i < size; i++)
			put_shared(id, text[i]);
	} else {
		emit(text, size);
	}
	end_turn(id, began);
}

/* The VM shows whole lines only. */
static bool shows_lines(u32 id)
{
	return shared() && id != __atomic_load_n(&console.focus, __ATOMIC_RELAXED);
}

/*
 * What only makes such a VM's line longer needs no lock but the VM's own; returns how much it took.
 * With a turn at the terminal for every byte, many VMs that print would wait most of the time.
 */
static size_t gather(u32 id, const char *text, size_t size)
{
	struct line *line = &lines[id];
	size_t n = 0;

	if (!shows_lines(id))
		return 0;
	for (; n < size && text[n] != '\n' && line->size < LINE; n++)
		if (text[n] != '\r')
			line->text[line->size++] = text[n];
	return n;
}

void console_vm_write(u32 id, const char *text, size_t size)
{
	struct spinlock *own = &lines[id].lock;
	size_t done;

	spin_lock(own);
	for (done = gather(id, text, size); done < size;
	     done += gather(id, text + done, size - done)) {
		size_t now = shows_lines(id) ? 1 : size - done;

		write_now(id, text + done, now);
		done += now;
	}
	spin_unlock(own);
}

void console_vm_gone(u32 id)
{
	struct line *line = &lines[id];

	spin_lock(&line->lock);
	if (line->size && shows_lines(id))
		write_now(id, "\n", 1);
	line->size = 0;
	spin_unlock(&line->lock);
}

/* What the terminal has for a call of the VM that drives it. */
static size_t read_port(char *buf, size_t size)
{
	size_t n = 0;
	int byte;

	while (n < size && (byte = console.port->get()) >= 0)
		buf[n++] = (char)byte;
	return n;
}

size_t console_vm_read(struct vm *vm, char *buf, size_t size)
{
	return vm == console.tenant ? read_port(buf, size) : machine_console_read(vm, buf, size);
}

void console_lend(struct vm *vm)
{
	host_irq_detach(board.uart.irq);
	lock();
	console.tenant = vm;
	unlock();
}

void console_return(const struct vm *vm)
{
	if (console.tenant != vm)
		return;
	lock();
	write_held();
	console.tenant = NULL;
	unlock();
	console_input_init(&board);
}

/* ---- Input: on the hart that takes the UART's interrupt ---- */

static void say(const char *text)
{
	console_hv_write(text, strlen(text));
}

static void help(void)
{
	say("shyper: ^T then 0-9: give that VM the input; v: list VMs; l: show Shyper's log;\n"
	    "        ^T: send ^T; ?: this help\n");
}

static void list_vms(void)
{
	char text[LOG_LINE - 32], line[LOG_LINE];

	for (u32 i = 0; i < VMS; i++) {
		const struct vm *vm = vm_by_id(i);

		if (!vm)
			continue;
		vm_show(vm, text, sizeof(text));
		format(line, sizeof(line), "shyper: %s%s\n", text,
		       i == console.focus ? ", has the input" : "");
		say(line);
	}
}

static void show_log(void)
{
	char text[LOG_LINE];
	u64 seq = 0;
	size_t size;

	/* As much as the log holds: what is written meanwhile may never end. */
	for (size_t shown = 0; shown < KIB(64); shown += size) {
		size = log_read(&seq, LOG_DEBUG, text, sizeof(text));
		if (!size)
			break;
		console_hv_write(text, size);
	}
}

static void give_focus(u32 id)
{
	char line[LOG_LINE];

	if (!vm_by_id(id)) {
		say("shyper: there is no such VM; ^T v lists them\n");
		return;
	}
	lock();
	__atomic_store_n(&console.focus, id, __ATOMIC_RELAXED);
	unlock();
	format(line, sizeof(line), "shyper: input goes to VM %u, %s\n", id, vm_by_id(id)->def.name);
	say(line);
}

static void send(u8 byte)
{
	struct vm *vm = vm_by_id(console.focus);

	if (vm && vm->state == VM_RUNNING)
		machine_console_input(vm, &byte, 1);
}

static void command(u8 byte)
{
	if (byte >= '0' && byte <= '9')
		give_focus((u32)byte - '0');
	else if (byte == 'v')
		list_vms();
	else if (byte == 'l')
		show_log();
	else if (byte == ESCAPE)
		send(byte);
	else
		help();
}

static void input(u8 byte)
{
	if (console.escaped) {
		console.escaped = false;
		command(byte);
	} else if (byte == ESCAPE) {
		console.escaped = true;
	} else {
		send(byte);
	}
}

static bool input_interrupt(u32 source, void *ctx)
{
	(void)source;
	(void)ctx;
	for (u32 i = 0; i < INPUT_BURST; i++) {
		int byte = console.port->get();

		if (byte < 0)
			break;
		input((u8)byte);
	}
	return true;
}

void console_input_init(const struct board *from)
{
	static const struct host_irq_target target = {
		.trigger = IRQ_TRIGGER_HIGH, .handler = input_interrupt,
	};

	if (!from->uart.base || !from->uart.irq)
		return;
	if (host_irq_attach(from->uart.irq, &target)) {
		log_warn("console: its interrupt %u cannot be had: no input", from->uart.irq);
		return;
	}
	ns16550_input_enable();
}
