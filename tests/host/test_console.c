/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's console: what is printed arrives once, in order, however slow the terminal is, and
 * nobody waits for it but boot and panic. Port, time, harts and VMs are fakes. Bytes still queued
 * and the rest of its state live on from test to test, so each test leaves the queue empty.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <asm/hart.h>
#include <hv/board.h>
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/host_irq.h>
#include <hv/log.h>
#include <hv/machine.h>
#include <hv/machine_console.h>
#include <hv/panic.h>
#include <hv/timer.h>
#include <hv/vm.h>
#include <hv/vm_show.h>

#define TIMEBASE 10000000
#define QUEUE 16384U

struct hart harts[HARTS], *hart_now = harts;
u32 hart_count = 1;
struct board board = { .uart = { .base = 0x10000000, .irq = 10 } };

static u64 now;
static bool panics;
static struct vm vms[2];
static u32 vm_count;

static char seen[1 << 17];	/* what the terminal has got */
static size_t seen_size;
static size_t fifo = 16;
static size_t room;		/* in it */
static size_t refill;		/* its room, each time that time is asked for */
static u32 resets;
static u32 errands;
static struct timer *armed;
static host_irq_handler typed;
static const char *typing;
static struct timer *rested;	/* of the input; NULL: it may interrupt */
static bool in_input;
static u32 completed;
static u32 inputs;
static size_t log_left;
static bool behind;		/* of a VM's text */
static bool late;		/* more of it comes when hart 0 has just looked */

/* ---- What the console needs of others ---- */

static size_t put(const char *text, size_t size)
{
	size_t n = MIN(size, room);

	assert_true(seen_size + n < sizeof(seen));
	memcpy(seen + seen_size, text, n);
	seen_size += n;
	seen[seen_size] = '\0';
	room -= n;
	return n;
}

static int get(void)
{
	return *typing ? *typing++ : -1;
}

static void reset_port(void)
{
	resets++;
}

static const struct console_port port = { .put = put, .get = get, .reset = reset_port,
					  .step = 256 };

const struct console_port *arch_early_console(void)
{
	return &port;
}

const struct console_port *ns16550_probe(const struct board *from)
{
	(void)from;
	return NULL;
}

void ns16550_input_enable(void)
{
}

u64 arch_time(void)
{
	room = MAX(room, refill);
	return now += refill ? TIMEBASE / 1000 : 0;
}

u64 arch_timebase(void)
{
	return TIMEBASE;
}

bool arch_hart_wanted(void)
{
	return true;
}

bool panic_active(void)
{
	return panics;
}

bool panic_elsewhere(void)
{
	return false;
}

void panic_halt_hart(void)
{
	abort();
}

void hart_errand(struct hart *hart, u32 errand)
{
	assert_ptr_equal(hart, &harts[0]);
	assert_int_equal(errand, ERRAND_CONSOLE);
	errands++;
}

void timer_arm(struct timer *timer, u64 deadline)
{
	struct timer **place = in_input ? &rested : &armed;

	assert_null(*place);
	timer->deadline = deadline;
	*place = timer;
}

struct vm *vm_by_id(u32 id)
{
	return id < vm_count ? &vms[id] : NULL;
}

u32 vms_made(void)
{
	return vm_count;
}

void vm_show(const struct vm *vm, char *text, size_t size)
{
	snprintf(text, size, "VM %u", vm->id);
}

size_t machine_console_input(struct vm *vm, const u8 *data, size_t size)
{
	(void)vm;
	(void)data;
	inputs += (u32)size;
	return size;
}

size_t machine_console_read(struct vm *vm, char *buf, size_t size)
{
	(void)vm;
	(void)buf;
	(void)size;
	return 0;
}

bool machine_console_more(void)
{
	behind = false;
	if (late) {
		late = false;
		behind = true;
		console_call();
	}
	return false;
}

bool machine_console_waits(void)
{
	return behind;
}

int host_irq_attach(u32 source, const struct host_irq_target *target)
{
	assert_int_equal(source, 10);
	assert_int_equal(target->hart_index, 0);
	typed = target->handler;
	return 0;
}

void host_irq_complete(u32 source)
{
	assert_int_equal(source, 10);
	completed++;
}

void host_irq_detach(u32 source)
{
	(void)source;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
	fail();
}

size_t log_read(u64 *seq, enum log_level level, char *buf, size_t size)
{
	(void)level;
	if (!log_left || size < 100)
		return 0;
	log_left--;
	return (size_t)snprintf(buf, size, "line %llu\n", (unsigned long long)(*seq)++);
}

/* ---- Helpers ---- */

static int setup(void **state)
{
	(void)state;
	seen_size = log_left = 0;
	resets = errands = 0;
	seen[0] = '\0';
	panics = false;
	vm_count = 1;
	for (u32 i = 0; i < ARRAY_SIZE(vms); i++) {
		vms[i] = (struct vm){ .id = i };
		snprintf(vms[i].def.name, sizeof(vms[i].def.name), "vm%u", i);
	}
	room = 0;
	refill = 0;
	return 0;
}

static void say(const char *text)
{
	console_hv_write(text, strlen(text));
}

/* The interrupt of hart 0, with an errand or its timer; in between the FIFO has sent all. */
static void hart_0(void)
{
	room = fifo;
	if (errands) {
		errands = 0;
		console_serve();
	} else if (armed) {
		struct timer *timer = armed;

		armed = NULL;
		now = timer->deadline;
		timer->fire(timer);
	}
}

/* The UART interrupts; afterwards it may at once, or later. */
static void interrupt(void)
{
	bool at_once;

	in_input = true;
	at_once = typed(10, NULL);
	in_input = false;
	assert_int_equal(at_once, rested == NULL);
	if (rested)
		assert_int_equal(rested->deadline - now, TIMEBASE / 40000);
}

static void rest(void)
{
	struct timer *timer = rested;

	rested = NULL;
	now = timer->deadline;
	timer->fire(timer);
}

static void type(const char *text)
{
	for (typing = text; *typing; rest())
		interrupt();
}

/* Until it sleeps. Returns how often it was woken. */
static u32 drain(void)
{
	u32 n = 0;

	for (; errands || armed; n++) {
		assert_true(n < 5000);
		hart_0();
	}
	return n;
}

/* ---- Tests ---- */

static void boot_waits(void **state)
{
	static const char line[] = "a line that is longer than what fits into the FIFO at once\n";

	(void)state;
	console_early_init();
	refill = 16;
	for (u32 i = 0; i < 3; i++)
		say(line);
	assert_int_equal(seen_size, 3 * sizeof(line));	/* '\r' for the '\0' */
	assert_int_equal(errands, 0);
	console_run();
}

static void nobody_waits(void **state)
{
	u64 before = now;

	(void)state;
	room = 16;
	say("0123456789abcdefghij\n");
	say("second\n");
	assert_string_equal(seen, "0123456789abcdef");
	assert_int_equal(now, before);
	assert_int_equal(errands, 1);
	assert_int_equal(drain(), 2);
	assert_string_equal(seen, "0123456789abcdefghij\r\nsecond\r\n");
}

static void nobody_is_woken_for_nothing(void **state)
{
	(void)state;
	room = 64;
	say("fits\n");
	assert_int_equal(errands, 0);
	assert_null(armed);
}

static void loss_is_told(void **state)
{
	char line[64], *at = seen;
	u32 lines = 0, lost;

	(void)state;
	for (u32 i = 0; i < 400; i++) {
		snprintf(line, sizeof(line), "number %3u, in a line of forty characters.\n", i);
		say(line);
	}
	drain();
	for (; !strncmp(at, "number", 6); lines++) {
		assert_int_equal(strtoul(at + 7, NULL, 10), lines);
		at = strstr(at, "\r\n") + 2;
	}
	assert_int_equal(sscanf(at, "shyper: %u bytes are lost here\r\n", &lost), 1);
	assert_int_equal(strstr(at, "\r\n")[2], '\0');
	assert_int_equal(lost, (400 - lines) * strlen(line));
	assert_true(at - seen > QUEUE - 512);
}

/* Numbered lines; what is not taken is given again. */
static void vm_prints_all(u32 id, const char *format, u32 lines)
{
	char line[128];

	for (u32 i = 0; i < lines; i++) {
		size_t n = (size_t)snprintf(line, sizeof(line), format, i), done = 0;

		for (u32 again = 0; done < n; again++) {
			done += console_vm_write(id, line + done, n - done);
			assert_true(again < 3000);
			if (done < n)
				hart_0();
		}
	}
}

static void guest_comes_again(void **state)
{
	static char all[1 << 16];
	size_t n = 0;

	(void)state;
	for (u32 i = 0; i < 1000; i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "line %u of a guest\r\n", i);
	vm_prints_all(0, "line %u of a guest\r\n", 1000);
	assert_true(QUEUE < n);
	say("end\n");
	strcpy(all + n, "end\r\n");
	drain();
	assert_string_equal(seen, all);
}

static void guests_share_it(void **state)
{
	static char all[1 << 16];
	size_t n = 0;

	(void)state;
	vm_count = 2;
	for (u32 i = 0; i < 1000; i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "[vm1] line %u of a guest\r\n", i);
	vm_prints_all(1, "line %u of a guest\n", 1000);
	drain();
	assert_string_equal(seen, all);
}

/* So much at once that showing it stays short: a line, or its end. */
static void a_line_or_its_end(void **state)
{
	static const char text[] = "one\r\n\ntwo";
	static const size_t steps[] = { 3, 1, 1, 1, 3 };
	char all[64];
	size_t n;

	(void)state;
	vm_count = 2;
	for (u32 id = 0; id < 2; id++) {
		n = 0;
		for (u32 i = 0; i < ARRAY_SIZE(steps); n += steps[i++])
			assert_int_equal(console_vm_write(id, text + n, sizeof(text) - 1 - n),
					 steps[i]);
		assert_int_equal(console_vm_write(id, "", 0), 0);
	}
	drain();
	snprintf(all, sizeof(all), "[vm%u] one\r\n[vm%u] \r\n[vm%u] two", 0, 0, 0);
	assert_memory_equal(seen, all, strlen(all));
	assert_non_null(strstr(seen, "\r\n[vm1] one\r\n[vm1] \r\n"));
	console_vm_gone(0);
	console_vm_gone(1);
	drain();
}

static void guests_leave_room_for_shyper(void **state)
{
	(void)state;
	while (console_vm_write(0, "0123456789\n", 11) == 11)
		;
	assert_false(console_vm_ready());
	say("shyper's own\n");
	drain();
	assert_true(console_vm_ready());
	assert_non_null(strstr(seen, "shyper's own\r\n"));
	assert_null(strstr(seen, "lost"));
}

/* A terminal that takes nothing: hart 0 looks seldom, guests go on, and what is lost is told. */
static void stuck_terminal(void **state)
{
	size_t before, lost = 0;
	char told[64];
	u32 woken;

	(void)state;
	fifo = 0;
	while (console_vm_write(0, "0123456789\n", 11))
		;
	before = now;
	for (woken = 0; !console_vm_ready(); woken++)
		hart_0();
	assert_in_range(now - before, TIMEBASE / 10, TIMEBASE / 9);
	hart_0();
	assert_int_equal(armed->deadline - now, TIMEBASE / 10);
	for (; lost < 1100; lost += 11)
		assert_int_equal(console_vm_write(0, "0123456789\n", 11), 11);
	fifo = 16;
	drain();
	snprintf(told, sizeof(told), "\nshyper: %zu bytes are lost here\r\n", lost);
	assert_non_null(strstr(seen, told));
	assert_true(woken > 1);
}

/* By a hart that finds hart 0 called, and sends nothing. */
static void text_comes_behind_the_look(void **state)
{
	(void)state;
	late = true;
	console_call();
	drain();
	assert_false(late || behind);
}

static void panic_prints_directly(void **state)
{
	(void)state;
	say("before, of a length that no FIFO has\n");
	errands = 0;
	panics = true;
	refill = 16;
	say("PANIC: why\n");
	assert_string_equal(seen, "before, of a length that no FIFO has\r\nPANIC: why\r\n");
	panics = false;
	refill = 0;
	errands = 1;
	drain();
}

static void tenant_is_not_disturbed(void **state)
{
	(void)state;
	console_lend(&vms[0]);
	vms[0].active = 1;
	room = 16;
	say("for later\n");
	assert_int_equal(errands, 0);
	assert_int_equal(seen_size, 0);
	assert_int_equal(console_vm_write(0, "of the guest's own firmware", 27), 16);
	assert_string_equal(seen, "of the guest's o");
	vms[0].active = 0;
	room = 16;
	say("now\n");
	assert_true(resets > 0);
	drain();
	assert_string_equal(seen, "of the guest's ofor later\r\nnow\r\n");
	console_return(&vms[0]);
}

static void answers_come_in_pieces(void **state)
{
	size_t most = 0;

	(void)state;
	vm_count = 2;
	console_input_init(&board);
	log_left = 3000;
	type("\x14l");
	while (errands || armed) {
		size_t left = log_left;

		hart_0();
		most = MAX(most, left - log_left);
	}
	assert_int_equal(log_left, 0);
	assert_int_equal(most, 1);
	assert_non_null(strstr(seen, "line 2999\r\n"));
	assert_null(strstr(seen, "lost"));
	setup(NULL);
	vm_count = 2;
	type("\x14v");
	drain();
	assert_string_equal(seen, "shyper: VM 0, has the input\r\nshyper: VM 1\r\n");
}

/* A byte each time, and not before the others on the hart had time. */
static void input_comes_in_pieces(void **state)
{
	(void)state;
	vms[0].state = VM_RUNNING;
	console_input_init(&board);
	inputs = completed = 0;
	typing = "123";
	for (u32 n = 1; n <= 3; n++) {
		interrupt();
		assert_int_equal(inputs, n);
		assert_int_equal(completed, n - 1);
		rest();
		assert_int_equal(completed, n);
	}
	/* For nothing: it may interrupt at once. */
	interrupt();
	assert_null(rested);
	/* The UART goes to a guest before it would: that is none of ours any more. */
	typing = "6";
	interrupt();
	console_lend(&vms[0]);
	rest();
	assert_int_equal(completed, 3);
	console_return(&vms[0]);
	type("7");
	assert_int_equal(completed, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(boot_waits, setup),
		cmocka_unit_test_setup(nobody_waits, setup),
		cmocka_unit_test_setup(nobody_is_woken_for_nothing, setup),
		cmocka_unit_test_setup(loss_is_told, setup),
		cmocka_unit_test_setup(guest_comes_again, setup),
		cmocka_unit_test_setup(guests_share_it, setup),
		cmocka_unit_test_setup(a_line_or_its_end, setup),
		cmocka_unit_test_setup(guests_leave_room_for_shyper, setup),
		cmocka_unit_test_setup(stuck_terminal, setup),
		cmocka_unit_test_setup(text_comes_behind_the_look, setup),
		cmocka_unit_test_setup(panic_prints_directly, setup),
		cmocka_unit_test_setup(tenant_is_not_disturbed, setup),
		cmocka_unit_test_setup(answers_come_in_pieces, setup),
		cmocka_unit_test_setup(input_comes_in_pieces, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
