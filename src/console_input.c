/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is typed at the board's console: for the VM that has the focus, or a command. Long answers
 * come in pieces, as the terminal takes them.
 */
#include <hv/board.h>
#include <hv/console.h>
#include <hv/format.h>
#include <hv/host_irq.h>
#include <hv/log.h>
#include <hv/machine.h>
#include <hv/string.h>
#include <hv/timer.h>
#include <hv/vm.h>
#include <hv/vm_show.h>

#include "console_input.h"

#define ESCAPE 0x14		/* ^T */
#define INPUT_RATE 40000	/* bytes in a second, at most: 400 kbaud */

/* Hart 0 alone. */
static bool escaped;		/* ^T was typed */
static bool (*answer)(u64 *at);	/* its next piece, from *at on; NULL: none is under way */
static u64 answer_at;
static struct timer rest;	/* until the UART may interrupt again */

static bool mine;		/* the UART's interrupt is; atomic */

static void say(const char *text)
{
	console_hv_write(text, strlen(text));
}

static void help(void)
{
	say("shyper: ^T then 0-9: give that VM the input; v: list VMs; l: show Shyper's log;\n"
	    "        ^T: send ^T; ?: this help\n");
}

static bool list_vms(u64 *id)
{
	char text[LOG_LINE - 32], line[LOG_LINE];
	const struct vm *vm = vm_by_id((u32)*id);

	if (vm) {
		vm_show(vm, text, sizeof(text));
		format(line, sizeof(line), "shyper: %s%s\n", text,
		       *id == console_focus() ? ", has the input" : "");
		say(line);
	}
	return ++*id < VMS;
}

static bool show_log(u64 *seq)
{
	char text[LOG_LINE];
	size_t size = log_read(seq, LOG_DEBUG, text, sizeof(text));

	console_hv_write(text, size);
	return size;
}

bool console_answer(void)
{
	if (answer && !answer(&answer_at))
		answer = NULL;
	return answer != NULL;
}

static void begin_answer(bool (*by)(u64 *at))
{
	answer = by;
	answer_at = 0;
	console_call();
}

static void give_focus(u32 id)
{
	char line[LOG_LINE];

	if (!vm_by_id(id)) {
		say("shyper: there is no such VM; ^T v lists them\n");
		return;
	}
	console_focus_on(id);
	format(line, sizeof(line), "shyper: input goes to VM %u, %s\n", id, vm_by_id(id)->def.name);
	say(line);
}

static void send(u8 byte)
{
	struct vm *vm = vm_by_id(console_focus());

	if (vm && vm->state == VM_RUNNING)
		machine_console_input(vm, &byte, 1);
}

static void command(u8 byte)
{
	if (byte >= '0' && byte <= '9')
		give_focus((u32)byte - '0');
	else if (byte == 'v')
		begin_answer(list_vms);
	else if (byte == 'l')
		begin_answer(show_log);
	else if (byte == ESCAPE)
		send(byte);
	else
		help();
}

static void input(u8 byte)
{
	if (escaped) {
		escaped = false;
		command(byte);
	} else if (byte == ESCAPE) {
		escaped = true;
	} else {
		send(byte);
	}
}

static void go_on(struct timer *timer)
{
	(void)timer;
	if (__atomic_load_n(&mine, __ATOMIC_ACQUIRE))
		host_irq_complete(board.uart.irq);
}

/*
 * One byte: text that is pasted comes as fast as it is taken, and whoever has the hart waits for
 * it.
 */
static bool input_interrupt(u32 source, void *ctx)
{
	int byte = console_get();

	(void)source;
	(void)ctx;
	if (byte < 0)
		return true;
	input((u8)byte);
	rest.fire = go_on;
	timer_arm(&rest, arch_time() + arch_timebase() / INPUT_RATE);
	return false;
}

void console_input_stop(void)
{
	__atomic_store_n(&mine, false, __ATOMIC_RELEASE);
	host_irq_detach(board.uart.irq);
}

void console_input_init(const struct board *from)
{
	static const struct host_irq_target target = {
		.trigger = IRQ_TRIGGER_HIGH, .handler = input_interrupt,
	};

	if (!from->uart.base || !from->uart.irq)
		return;
	__atomic_store_n(&mine, true, __ATOMIC_RELEASE);
	if (host_irq_attach(from->uart.irq, &target)) {
		log_warn("console: its interrupt %u cannot be had: no input", from->uart.irq);
		return;
	}
	ns16550_input_enable();
}
