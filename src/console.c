/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The multiplexer of the board's console. A VM without the focus shows whole lines only; the line
 * that the focused VM is writing appears as it grows and is repeated after an interruption.
 *
 * What is printed is queued, and the terminal gets as much as it takes at once. The rest goes with
 * what is printed next, or when hart 0, which booted, looks again: it has a timer while bytes wait.
 * (The UART's interrupt would come too often: where it takes bytes faster than they come, as
 * virtual ones do, the hart would do nothing else until the queue is empty.)
 */
#include <asm/hart.h>
#include <hv/board.h>
#include <hv/console.h>
#include <hv/format.h>
#include <hv/host_irq.h>
#include <hv/machine.h>
#include <hv/machine_console.h>
#include <hv/panic.h>
#include <hv/spinlock.h>
#include <hv/string.h>
#include <hv/timer.h>
#include <hv/vm.h>

#include "console_input.h"
#include "console_out.h"

#define LINE 256
#define PIECE 64		/* of a line, taken at once */
#define NOBODY ((u32)-1)
#define SHARE 4			/* a VM without the focus stays away so many times its own turn */
#define VMS_ROOM (CONSOLE_QUEUE / 2)	/* of the queue: a VM does not print into the rest */

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
	bool queues;		/* harts run guests: nobody waits for the terminal */
	bool asked;		/* hart 0 knows that bytes wait */
	struct timer timer;	/* its own */
} console = { .open = NOBODY, .fresh = true };

static void emit(const char *text, size_t size)
{
	if (size) {
		console_out_put(text, size);
		console.fresh = text[size - 1] == '\n';
	}
}

static void fresh_line(void)
{
	if (!console.fresh)
		emit("\r\n", 2);
	console.open = NOBODY;
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

/* Once there is room again, lest the rest of the room is for nothing else. */
static void tell_loss(void)
{
	char text[64];
	u32 lost = console_out_room() < VMS_ROOM ? 0 : console_out_lost();

	if (!lost)
		return;
	fresh_line();
	emit(text, (size_t)format(text, sizeof(text), "shyper: %u bytes are lost here\r\n", lost));
}

/* A tenant may have left the device in any state. True: hart 0 has to know that bytes wait. */
static bool feed(void)
{
	bool asked = console.asked;

	if (panic_elsewhere())
		panic_halt_hart();
	if (is_lent())
		return false;
	if (console.tenant && console.port->reset && console_out_waits())
		console.port->reset();
	if (panic_active() || !console.queues) {
		console_out_flush();
		return false;
	}
	console_out_step();
	tell_loss();
	console.asked |= console_out_waits();
	return console.asked && !asked;
}

/* A panic's words find room, and are the last. */
static void lock(void)
{
	if (panic_elsewhere())
		panic_halt_hart();
	if (panic_active())
		console_out_flush();
	else
		spin_lock(&console.lock);
}

/* Whatever was printed under it is on its way. */
static void unlock(void)
{
	bool ask = feed();

	if (!panic_active())
		spin_unlock(&console.lock);
	if (ask)
		hart_errand(&harts[0], ERRAND_CONSOLE);
}

/* The same for who cannot wait until the terminal has taken a line: hart 0 does. */
static void unlock_quickly(void)
{
	bool ask = !console.asked;

	if (panic_active() || !console.queues || is_lent()) {
		unlock();
		return;
	}
	console.asked = true;
	spin_unlock(&console.lock);
	if (ask)
		hart_errand(&harts[0], ERRAND_CONSOLE);
}

void console_early_init(void)
{
	console.port = arch_early_console();
	console_out_use(console.port);
}

void console_init(const struct board *from)
{
	const struct console_port *port = ns16550_probe(from);

	if (!port)
		return;
	console.port = port;
	console_out_use(port);
}

void console_run(void)
{
	lock();
	console.queues = true;
	unlock();
}

static void flush(void)
{
	lock();
	if (!is_lent())
		console_out_flush();
	unlock();
}

/* With a bound, for guests of other harts may go on. */
void console_flush(void)
{
	flush();
	for (u32 i = 0; i < 8192 && !panic_active() && machine_console_more(); i++)
		flush();
	flush();
}

/* Whole lines or nothing. */
void console_hv_line(const char *text, size_t len)
{
	lock();
	if (console_out_room() >= len + LINE) {
		fresh_line();
		emit(text, len);
		emit("\r\n", 2);
	} else {
		console_out_lose(len);
	}
	unlock_quickly();
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

/* Whole lines or nothing. */
void console_hv_write(const char *text, size_t len)
{
	lock();
	if (console_out_room() >= len + LINE)
		write_lines(text, len);
	else
		console_out_lose(len);
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

static bool plain(char c)
{
	return c != '\r' && c != '\n';
}

/* Some more of the line; returns how much. */
static size_t extend(struct line *line, const char *text, size_t size)
{
	size_t n = 0, room = MIN(MIN(size, (size_t)PIECE), (size_t)LINE - line->size);

	while (n < room && plain(text[n]))
		n++;
	memcpy(line->text + line->size, text, n);
	line->size += (u32)n;
	return n;
}

static void end_line(u32 id)
{
	if (console.open != id)
		show_line(id);
	emit("\r\n", 2);
	console.open = NOBODY;
	lines[id].size = 0;
}

/* The end of a line, or some of it; returns how much that was: 0 where one got too long. */
static size_t put_shared(u32 id, const char *text, size_t size)
{
	struct line *line = &lines[id];
	bool focused = id == console.focus;
	size_t n;

	if (*text == '\n')
		end_line(id);
	if (!plain(*text))
		return 1;
	if (focused && console.open != id) {
		show_line(id);
		console.open = id;
	}
	if (line->size == LINE && !focused) {
		end_line(id);
		return 0;
	}
	if (line->size == LINE)
		line->size = 0;
	n = extend(line, text, size);
	if (focused)
		emit(text, n);
	return n;
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

static bool has_room(void)
{
	return console_out_room() >= VMS_ROOM;
}

/* A call of the tenant's own, to what it takes for firmware beside its driver. */
static size_t write_own(u32 id, const char *text, size_t size)
{
	u32 line = lines[id].size;

	lines[id].size = 0;
	if (id != console.tenant->id)
		return size;
	(void)console.port->put(lines[id].text, line);
	return console.port->put(text, size);
}

/* Returns how much it took. */
static size_t write_now(u32 id, const char *text, size_t size)
{
	size_t n = 0;
	u64 began;

	lock();
	began = arch_time();
	if (is_lent()) {
		n = write_own(id, text, size);
	} else if (!has_room() && console_out_stuck()) {
		/* No guest waits for a terminal that takes nothing. */
		console_out_lose(size);
		n = size;
	} else if (has_room() && shared()) {
		n = put_shared(id, text, size);
	} else if (has_room()) {
		emit(text, size);
		n = size;
	}
	end_turn(id, began);
	return n;
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
	return shows_lines(id) ? extend(&lines[id], text, size) : 0;
}

size_t console_vm_write(u32 id, const char *text, size_t size)
{
	size_t n;

	if (!size || (*text == '\r' && shows_lines(id)))
		return MIN(size, (size_t)1);
	spin_lock(&lines[id].lock);
	n = gather(id, text, size);
	if (!n)
		n = write_now(id, text, size);
	spin_unlock(&lines[id].lock);
	return n;
}

bool console_vm_ready(void)
{
	bool ready;

	lock();
	ready = is_lent() || has_room() || console_out_stuck();
	if (!panic_active())
		spin_unlock(&console.lock);	/* nothing was printed */
	return ready;
}

void console_vm_gone(u32 id)
{
	struct line *line = &lines[id];

	spin_lock(&line->lock);
	lock();
	if (line->size && shows_lines(id) && !is_lent())
		end_line(id);
	unlock();
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
	console_input_stop();
	lock();
	console.tenant = vm;
	unlock();
}

void console_return(const struct vm *vm)
{
	if (console.tenant != vm)
		return;
	lock();
	if (console.port->reset)
		console.port->reset();
	console.tenant = NULL;
	unlock();
	console_input_init(&board);
}

/* ---- On hart 0 ---- */

static void look_again(struct timer *timer)
{
	(void)timer;
	console_serve();
}

/* A terminal that takes bytes at once gets them now, lest the hart wakes for them again. */
static void feed_on(void)
{
	for (u32 i = 0; i < 16 && console.queues && !panic_active() && !is_lent() &&
	     console_out_waits() && !console_out_full() && !arch_hart_wanted(); i++)
		console_out_step();
}

void console_serve(void)
{
	u64 pause;
	bool more = false;

	console.timer.fire = look_again;
	if (console_vm_ready()) {
		(void)machine_console_more();
		more = console_answer();
	}
	lock();
	feed_on();
	if (console_out_stuck())
		pause = arch_timebase() / 10;
	else if (console_out_full())
		pause = arch_timebase() / 2000;	/* half of what a FIFO lasts at 115200 baud */
	else
		pause = arch_timebase() / 20000;
	/* Who called since the look above found it asked, and left it at that. */
	more |= machine_console_waits() || (console_out_waits() && !is_lent());
	console.asked = more;
	unlock();
	if (more)
		timer_arm(&console.timer, arch_time() + pause);
}

void console_call(void)
{
	bool asked;

	lock();
	asked = console.asked;
	console.asked = true;
	unlock();
	if (!asked)
		hart_errand(&harts[0], ERRAND_CONSOLE);
}

int console_get(void)
{
	return console.port->get();
}

u32 console_focus(void)
{
	return console.focus;
}

void console_focus_on(u32 id)
{
	lock();
	__atomic_store_n(&console.focus, id, __ATOMIC_RELAXED);
	unlock();
}
