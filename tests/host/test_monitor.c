/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor on a real log and a real stream: what it shows and when, editing, commands, readers
 * that stop, terminals that echo, random input. VMs, harts and pages are fakes.
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
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/log.h>
#include <hv/monitor.h>
#include <hv/page.h>
#include <hv/stream.h>
#include <hv/timer.h>
#include <hv/vm.h>

#define OUTPUT 4096U
#define INPUT 4096U
#define STAMP "[   1.234567] hart 0: "

struct hart harts[HARTS];
u32 hart_count = 4;

static struct stream stream;
static u8 output[OUTPUT], typed[INPUT];
static struct vm vms[2];
static struct vcpu vcpus[3];
static u32 errands;
static char seen[1 << 18];	/* what the terminal has read */
static bool line_starts;	/* surely */

/* ---- What the monitor needs of others ---- */

void hart_errand(struct hart *hart, u32 errand)
{
	assert_int_equal(errand, ERRAND_MONITOR);
	assert_ptr_equal(hart, &harts[0]);
	/* Nothing of the stream may be taken here: a writer of lines may hold anything. */
	errands++;
}

struct vm *vm_by_id(u32 id)
{
	return id == 0 ? &vms[0] : id == 3 ? &vms[1] : NULL;
}

void page_count(struct page_counts *counts)
{
	*counts = (struct page_counts){ .total = 1000, .free = 600, .hv = 70 };
}

u64 arch_time(void)
{
	return 12345678;
}

u64 arch_timebase(void)
{
	return 10000000;
}

u64 arch_hart_id(void)
{
	return 0;
}

void console_hv_line(const char *text, size_t len)
{
	(void)text;
	(void)len;
}

/* ---- The terminal ---- */

static void serve(void)
{
	for (u32 i = 0; errands; i++) {
		assert_true(i < 1000);
		errands = 0;
		monitor_serve();
	}
}

static void open_terminal(bool open)
{
	line_starts = false;
	stream_set_open(&stream, STREAM_TERMINAL, open);
	stream_wake(&stream);
}

static void type_bytes(const char *bytes, size_t n)
{
	(void)stream_write(&stream, STREAM_TERMINAL, bytes, (u32)n);
	stream_wake(&stream);
	serve();
}

static void type(const char *text)
{
	type_bytes(text, strlen(text));
}

/* No line of output may look like a command, nor be empty, lest an echo goes round for ever. */
static void check_line_start(char c)
{
	if (line_starts)
		assert_true(c == '[' || c == ' ');
	line_starts = c == '\n';
}

/* All that comes, however often it takes; without '\r', of which each line must end with one. */
static const char *read_all(void)
{
	static char raw[sizeof(seen)];
	u32 n, size = 0, used = 0;

	do {
		serve();
		n = stream_read(&stream, STREAM_TERMINAL, raw + size, sizeof(raw) - size);
		size += n;
		stream_wake(&stream);
	} while (n);
	for (u32 i = 0; i < size; i++) {
		if (raw[i] == '\n')
			assert_true(i && raw[i - 1] == '\r');
		if (raw[i] == '\r')
			continue;
		check_line_start(raw[i]);
		seen[used++] = raw[i];
	}
	seen[used] = '\0';
	return seen;
}

static void check(const char *text)
{
	assert_string_equal(read_all(), text);
}

static void check_answer(const char *command, const char *text)
{
	char all[4096];

	type(command);
	type("\r");
	snprintf(all, sizeof(all), "[shyper] %s\n%s", command, text);
	check(all);
}

static void make_vm(struct vm *vm, u32 id, const char *name, struct vcpu *first, u32 count)
{
	memset(vm, 0, sizeof(*vm));
	vm->id = id;
	strcpy(vm->def.name, name);
	vm->vcpus = count;
	vm->state = VM_RUNNING;
	vm->gmap.ram = MIB(256);
	for (u32 i = 0; i < count; i++) {
		memset(&first[i], 0, sizeof(first[i]));
		first[i].vm = vm;
		first[i].index = i;
		first[i].state = VCPU_RUNNING;
		first[i].hart = &harts[first - vcpus + i];
		vm->vcpu[i] = &first[i];
	}
}

/* A log of LOG_LINE·n bytes and more behind which nothing is that a test did not write. */
static void forget_log(void)
{
	for (u32 i = 0; i < 65536 / LOG_LINE; i++)
		log_debug("%*s", LOG_LINE, "");
}

static int setup(void **state)
{
	const struct stream_store from_machine = { output, OUTPUT, false };
	const struct stream_store from_terminal = { typed, INPUT, false };

	(void)state;
	forget_log();
	memset(&stream, 0, sizeof(stream));
	stream_set_store(&stream, STREAM_MACHINE, &from_machine);
	stream_set_store(&stream, STREAM_TERMINAL, &from_terminal);
	for (u32 i = 0; i < hart_count; i++)
		harts[i] = (struct hart){ .index = i, .hartid = 10 + i, .online = i < 3 };
	make_vm(&vms[0], 0, "mvm", &vcpus[0], 1);
	make_vm(&vms[1], 3, "web", &vcpus[1], 2);
	assert_int_equal(monitor_init(&stream, &harts[0]), 0);
	errands = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	monitor_exit();
	return 0;
}

static int setup_open(void **state)
{
	int err = setup(state);

	open_terminal(true);
	type("log info\r\x15");
	read_all();
	return err;
}

/* ---- The log ---- */

static void test_the_log_waits_for_its_reader(void **state)
{
	(void)state;
	log_info("one");
	log_debug("not this");
	log_err("two");
	assert_int_equal(errands, 3);
	serve();
	assert_int_equal(stream_waiting(&stream, STREAM_TERMINAL), 0);
	open_terminal(true);
	check(STAMP "one\n" STAMP "two\n");
	log_warn("three");
	assert_int_equal(stream_waiting(&stream, STREAM_TERMINAL), 0);
	check(STAMP "three\n");
	/* Who opens it anew is another: a Linux that boots. */
	open_terminal(false);
	open_terminal(true);
	check(STAMP "one\n" STAMP "two\n" STAMP "three\n");
}

static void test_newest_lines_are_kept(void **state)
{
	int next = 0, gaps = 0;

	(void)state;
	/* With a reader that stops: what the stream had already, then the newest 64 KiB. */
	for (int i = 0; i < 3000; i++) {
		log_info("line %d.", i);
		serve();
	}
	read_all();
	assert_true(strlen(seen) > 65536 && strlen(seen) < 65536 + OUTPUT + 2 * LOG_LINE);
	for (char *line = seen; (line = strstr(line, "line ")); line++) {
		int number = atoi(line + 5);

		gaps += number != next;
		next = number + 1;
	}
	assert_int_equal(gaps, 1);
	assert_int_equal(next, 3000);
}

/* The log is shown again at the level asked for, then what follows. */
static void test_levels(void **state)
{
	(void)state;
	log_debug("d");
	log_info("i");
	log_err("e");
	check(STAMP "i\n" STAMP "e\n");
	check_answer("log", "  lines up to level info, from the oldest that is kept:\n"
			    STAMP "i\n" STAMP "e\n");
	check_answer("log err", "  lines up to level err, from the oldest that is kept:\n"
				STAMP "e\n");
	log_warn("hidden");
	log_err("shown");
	check(STAMP "shown\n");
	type("log   debug\r");
	read_all();
	assert_non_null(strstr(seen, "\n" STAMP "d\n" STAMP "i\n" STAMP "e\n"
				     STAMP "hidden\n" STAMP "shown\n"));
	log_debug("shown too");
	check(STAMP "shown too\n");
	check_answer("log loud",
		     "  there is no level 'loud'; there are err, warn, info, debug\n");
	check_answer("log  info ",
		     "  there is no level 'info '; there are err, warn, info, debug\n");
}

/* ---- Commands ---- */

#define MEMORY "  pages of 4 KiB: 1000 in all, 600 free, 70 Shyper's own\n"
#define HELP                                                                               \
	"  help       this list\n"                                                         \
	"  vms        the VMs\n"                                                           \
	"  vm ID      one VM: its exits by cause, its vCPUs\n"                             \
	"  harts      who runs where\n"                                                    \
	"  memory     pages of the machine\n"                                              \
	"  log LEVEL  the log again, and from now on up to: err, warn, info, debug\n"

static void test_help(void **state)
{
	(void)state;
	check_answer("help", HELP);
	check_answer("reboot", "  there is no command 'reboot'; there are:\n" HELP);
	check_answer("v", "  there is no command 'v'; there are:\n" HELP);
	check_answer("vmss", "  there is no command 'vmss'; there are:\n" HELP);
	check_answer("vms 1", "  there is no command 'vms 1'; there are:\n" HELP);
	check_answer("?", "  there is no command '?'; there are:\n" HELP);
	check_answer("%s%n", "  there is no command '%s%n'; there are:\n" HELP);
}

static void test_vms(void **state)
{
	(void)state;
	vcpus[1].exits[EXIT_SBI] = 5;
	vcpus[2].exits[EXIT_TIMER] = 7;
	vms[1].paused = 1;
	check_answer("vms", "  VM 0 mvm: running, vCPUs 1, harts 10, 256 MiB, 0 exits\n"
			    "  VM 3 web: paused, vCPUs 2, harts 11 12, 256 MiB, 12 exits\n");
	vms[0].state = VM_MADE;
	vms[1].state = VM_ENDED;
	vms[1].reason = VM_FAILURE;
	vms[1].exit_code = 9;
	vms[1].paused = 0;
	vms[1].vcpus = 1;
	check_answer("vms", "  VM 0 mvm: made, vCPUs 1, harts 10, 256 MiB, 0 exits\n"
			    "  VM 3 web: reports failure (code 9), vCPUs 1, harts 11, 256 MiB, "
			    "5 exits\n");
}

static void test_vm(void **state)
{
	(void)state;
	vcpus[2].state = VCPU_SUSPENDED;
	vcpus[2].exits[EXIT_MMIO_WRITE] = 3;
	check_answer("vm 3", "  VM 3 web: running, vCPUs 2, harts 11 12, 256 MiB, 3 exits\n"
			     "  exits 3: sbi 0 mmio-read 0 mmio-write 3 instruction 0 ipi 0 "
			     "timer 0 external 0 fault 0 other 0\n"
			     "  vCPU 0: running on hart 11\n"
			     "  vCPU 1: suspended on hart 12\n");
	check_answer("vm 1", "  there is no VM '1'; vms lists them\n");
	check_answer("vm", "  there is no VM ''; vms lists them\n");
	check_answer("vm x", "  there is no VM 'x'; vms lists them\n");
	check_answer("vm 3 4", "  there is no VM '3 4'; vms lists them\n");
	check_answer("vm -1", "  there is no VM '-1'; vms lists them\n");
	check_answer("vm 4294967299", "  there is no VM '4294967299'; vms lists them\n");
}

/* The longest name, most vCPUs and largest numbers are cut, not more. */
static void test_the_longest_line(void **state)
{
	static struct vcpu many[VMDEF_VCPUS];
	static struct hart far = { .hartid = ~(u64)0 };
	size_t length;

	(void)state;
	memset(vms[1].def.name, 'n', VMDEF_NAME - 1);
	vms[1].vcpus = VMDEF_VCPUS;
	for (u32 i = 0; i < VMDEF_VCPUS; i++) {
		many[i] = vcpus[1];
		many[i].hart = &far;
		for (u32 cause = 0; cause < EXIT_CAUSES; cause++)
			many[i].exits[cause] = ~(u64)0 / VMDEF_VCPUS;
		vms[1].vcpu[i] = &many[i];
	}
	type("vm 3\r");
	read_all();
	length = strcspn(strchr(seen, '\n') + 1, "\n");
	assert_int_equal(length, 2 + LOG_LINE - 1);
}

static void test_memory_and_harts(void **state)
{
	(void)state;
	check_answer("memory", MEMORY);
	make_vm(&vms[1], 3, "web", &vcpus[1], 1);
	check_answer("harts", "  hart 10: vCPU 0 of VM 0 mvm\n"
			      "  hart 11: vCPU 0 of VM 3 web\n"
			      "  hart 12: free\n"
			      "  hart 13: did not start\n");
	make_vm(&vms[1], 3, "web", &vcpus[1], 2);
	vcpus[2].hart = &harts[1];
	check_answer("harts", "  hart 10: vCPU 0 of VM 0 mvm\n"
			      "  hart 11: vCPU 0 of VM 3 web, and 1 more\n"
			      "  hart 12: free\n"
			      "  hart 13: did not start\n");
}

/* ---- Editing ---- */

static void test_editing(void **state)
{
	(void)state;
	type("hexx\b\x7flp");
	check("[shyper] hexx\b \b\b \blp");
	type("\r");
	check("\n" HELP);
	type("abc\x15memory\r");
	check("[shyper] abc\b \b\b \b\b \bmemory\n"
	      MEMORY);
	type("ab\x03memory\n");
	check("[shyper] ab\b \b\b \bmemory\n" MEMORY);
	/* Nothing to erase, and what is no text. */
	type("\b\x7f\x15\x03\t");
	type_bytes("\0\xff\x80", 3);
	check("");
	/* Keys like arrows. */
	type("memo\x1b[A\x1b[1;5Cry\x1b\r");
	check("[shyper] memory\n" MEMORY);
}

static void test_ends_of_lines(void **state)
{
	(void)state;
	type("memory\r\nmemory\nmemory\r");
	check("[shyper] memory\n" MEMORY
	      "[shyper] memory\n" MEMORY
	      "[shyper] memory\n" MEMORY);
	type("\n");
	check("");
	type("\r");
	check("[shyper] ");
	type("\r\n\r\n");
	check("");
	type("memory\n");
	check("memory\n" MEMORY);
}

/* A line of the log comes between: the terminal shows the command again at the next key. */
static void test_the_log_interrupts(void **state)
{
	(void)state;
	type("memor");
	check("[shyper] memor");
	log_info("hello");
	check("\n" STAMP "hello\n");
	log_info("again");
	check(STAMP "again\n");
	type("y");
	check("[shyper] memory");
	log_info("hello");
	type("\r");
	check("\n" STAMP "hello\n[shyper] memory\n" MEMORY);
	type("x");
	log_info("hello");
	check("[shyper] x\n" STAMP "hello\n");
	type("\b");
	check("[shyper] x\b \b");
}

static void test_long_lines_are_refused(void **state)
{
	char line[300], expected[1024];

	(void)state;
	memset(line, 'x', sizeof(line));
	line[MONITOR_LINE - 1] = '\0';
	snprintf(expected, sizeof(expected), "  there is no command '%s'; there are:\n" HELP,
		 line);
	type(line);
	type("\r");
	assert_string_equal(strchr(read_all(), '\n') + 1, expected);
	line[MONITOR_LINE - 1] = 'x';
	line[sizeof(line) - 1] = '\0';
	type(line);
	assert_int_equal(strlen(read_all()), strlen("[shyper] ") + MONITOR_LINE - 1);
	type("\r");
	check("\n  refused: a command has at most 63 characters\n");
	check_answer("memory", MEMORY);
	type(line);
	type("\x15memory\r");
	assert_non_null(strstr(read_all(), "\b \bmemory\n" MEMORY));
}

/* ---- Terminals that echo ---- */

static void test_own_lines_are_ignored(void **state)
{
	(void)state;
	type("[    1.0] hart 0: x\r\n  VM 1 x\r\n[shyper] log\r\n");
	check("");
	type("[half a line");
	check("");
	type("\x15memory\r");
	check("[shyper] memory\n" MEMORY);
}

/* What is shown comes back as input, in pieces of any size, until nothing is shown any more. */
static void echo(u32 piece)
{
	u32 n, rounds = 0;
	char text[512];

	line_starts = false;
	do {
		assert_true(++rounds < 400000);
		serve();
		n = stream_read(&stream, STREAM_TERMINAL, text, MIN(piece, (u32)sizeof(text)));
		stream_wake(&stream);
		type_bytes(text, n);
	} while (n);
}

static void test_an_echo_ends(void **state)
{
	static const char *const inputs[] = {
		"help\r", "help\r\n", "vms\n", "vm 1\n", "\r", "\r\r\r", "\r\n\r\n\r\n",
		"nonsense\n",
		"half", "half\b\b", "\x15", "\bx", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
		"log debug\nlog info\n", "\x1b[A", "[", " ", "x\n[\ny\n",
	};

	(void)state;
	for (u32 piece = 1; piece < 64; piece = piece * 2 + 1) {
		for (u32 i = 0; i < ARRAY_SIZE(inputs); i++) {
			type(inputs[i]);
			log_info("an interruption");
			echo(piece);
		}
		type("\r\x15memory\r");
		assert_non_null(strstr(read_all(), MEMORY));
	}
}

/* ---- Readers that stop ---- */

static void test_input_waits_for_output(void **state)
{
	char *at;
	u32 answers = 0;

	(void)state;
	for (u32 i = 0; i < 5000; i++)
		type("memory\r");
	log_info("meanwhile");
	assert_true(stream_waiting(&stream, STREAM_TERMINAL) <= OUTPUT);
	read_all();
	for (at = seen; (at = strstr(at, "Shyper's own\n")); at++)
		answers++;
	assert_true(answers > 50);
	assert_non_null(strstr(seen, "meanwhile\n"));
	type("\r\x15memory\r");
	assert_non_null(strstr(read_all(), MEMORY));
}

/* Much to do at once is cut into pieces, between which the guest has its hart. */
static void test_work_is_bounded(void **state)
{
	char noise[2000];

	(void)state;
	memset(noise, 1, sizeof(noise));
	(void)stream_write(&stream, STREAM_TERMINAL, noise, sizeof(noise));
	stream_wake(&stream);
	assert_int_equal(errands, 1);
	assert_true(stream_waiting(&stream, STREAM_MACHINE) > 0);
	serve();
	assert_int_equal(stream_waiting(&stream, STREAM_MACHINE), 0);
}

/* ---- Making and unmaking ---- */

static void test_one_machine_per_stream(void **state)
{
	(void)state;
	assert_int_equal(monitor_init(&stream, &harts[0]), -EBUSY);
	check_answer("memory", MEMORY);
}

static void test_exit_ends_it(void **state)
{
	(void)state;
	assert_true(stream_is_open(&stream, STREAM_MACHINE));
	monitor_exit();
	assert_false(stream_is_open(&stream, STREAM_MACHINE));
	log_info("nobody hears it");
	assert_int_equal(errands, 0);
	type("help\r");
	check("");
	assert_int_equal(monitor_init(&stream, &harts[0]), 0);
	stream_wake(&stream);
	check(STAMP "nobody hears it\n[shyper] help\n" HELP);
}

/* ---- Anything ---- */

static void test_random(void **state)
{
	static const char *const words[] = {
		"help", "vms", "vm 0", "vm 3", "harts", "memory", "log err", "log debug", "log",
		"\r", "\n", "\b", "\x15", "\x1b[", "[", " ",
	};

	(void)state;
	srand(1);
	for (u32 i = 0; i < 20000; i++) {
		char bytes[8];

		switch (rand() % 8) {
		case 0:
			for (u32 n = 0; n < sizeof(bytes); n++)
				bytes[n] = (char)rand();
			type_bytes(bytes, sizeof(bytes));
			break;
		case 1:
			log_write((enum log_level)(rand() % LOG_LEVELS), "%d", rand());
			break;
		case 2:
			read_all();
			break;
		case 3:
			if (rand() % 64 == 0)
				open_terminal(rand() % 2);
			break;
		default:
			type(words[(u32)rand() % ARRAY_SIZE(words)]);
		}
		for (const char *c = seen; *c; c++)
			assert_true((*c >= ' ' && *c < 0x7f) || *c == '\n' || *c == '\b');
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_open, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_log_waits_for_its_reader, setup, teardown),
		TEST(test_newest_lines_are_kept),
		TEST(test_levels),
		TEST(test_help),
		TEST(test_vms),
		TEST(test_vm),
		TEST(test_the_longest_line),
		TEST(test_memory_and_harts),
		TEST(test_editing),
		TEST(test_ends_of_lines),
		TEST(test_the_log_interrupts),
		TEST(test_long_lines_are_refused),
		TEST(test_own_lines_are_ignored),
		TEST(test_an_echo_ends),
		TEST(test_input_waits_for_output),
		TEST(test_work_is_bounded),
		TEST(test_one_machine_per_stream),
		TEST(test_exit_ends_it),
		TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
