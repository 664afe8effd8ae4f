/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's UART: each register and interrupt as the data sheet has it, refusals, random
 * accesses with invariants, and reception on one thread while another polls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <hv/uart16550.h>

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR, THR = RBR, DLL = RBR, DLM = IER, FCR = IIR };

static struct uart16550 uart;
static bool wire;
static u32 edges;
static u8 sent[64];
static u32 sent_count;

static bool behind;	/* the terminal takes nothing for now */

static void set_line(void *chip, u32 source, bool level)
{
	assert_ptr_equal(chip, &wire);
	assert_int_equal(source, 10);
	assert_int_not_equal(level, wire);	/* only changes are driven */
	wire = level;
	edges++;
}

static bool tx(void *ctx, u8 c)
{
	assert_ptr_equal(ctx, sent);
	assert_false(spin_is_locked(&uart.lock));
	if (behind)
		return false;
	sent[sent_count++ % sizeof(sent)] = c;
	return true;
}

static const struct irqchip_ops chip = { .name = "wire", .set_line = set_line };
static const struct irq_line irq = { .ops = &chip, .chip = &wire, .source = 10 };

static u8 rd(u64 reg)
{
	struct mmio_access acc = { .offset = reg, .width = 1, .value = ~(u64)0 };

	assert_int_equal(uart16550_mmio_ops.access(&uart, &acc), MMIO_OK);
	assert_true(acc.value <= 0xff);
	return (u8)acc.value;
}

static void wr(u64 reg, u8 value)
{
	struct mmio_access acc = { .offset = reg, .width = 1, .value = value, .write = true };

	assert_int_equal(uart16550_mmio_ops.access(&uart, &acc), MMIO_OK);
}

static size_t rx(const char *text)
{
	return uart16550_rx(&uart, (const u8 *)text, strlen(text));
}

static int setup(void **state)
{
	(void)state;
	wire = false;
	edges = sent_count = 0;
	behind = false;
	uart16550_init(&uart, &irq, tx, sent);
	return 0;
}

/* The guest's instruction is executed again until the terminal has the byte, once. */
static void test_terminal_is_behind(void **state)
{
	struct mmio_access acc = { .width = 1, .value = 'x', .write = true };

	(void)state;
	behind = true;
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(uart16550_mmio_ops.access(&uart, &acc), MMIO_AGAIN);
	assert_int_equal(sent_count, 0);
	behind = false;
	assert_int_equal(uart16550_mmio_ops.access(&uart, &acc), MMIO_OK);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent[0], 'x');
}

static void test_power_on(void **state)
{
	(void)state;
	assert_int_equal(rd(RBR), 0);
	assert_int_equal(rd(IER), 0);
	assert_int_equal(rd(IIR), 0x01);
	assert_int_equal(rd(LCR), 0);
	assert_int_equal(rd(MCR), 0);
	assert_int_equal(rd(LSR), 0x60);
	assert_int_equal(rd(MSR), 0xb0);
	assert_int_equal(rd(SCR), 0);
	assert_false(wire);
	assert_int_equal(edges, 0);
}

static void test_storage(void **state)
{
	(void)state;
	wr(SCR, 0xa5);
	assert_int_equal(rd(SCR), 0xa5);
	wr(IER, 0xf0);
	assert_int_equal(rd(IER), 0);
	wr(MCR, 0xef);
	assert_int_equal(rd(MCR), 0x0f);
	wr(LSR, 0xff);
	assert_int_equal(rd(LSR), 0x60);
	wr(MSR, 0xff);
	assert_int_equal(rd(MSR), 0xb0);
	wr(LCR, 0x83);
	wr(DLL, 0x12);
	wr(DLM, 0x34);
	assert_int_equal(rd(DLL), 0x12);
	assert_int_equal(rd(DLM), 0x34);
	wr(LCR, 0x43);	/* break: ignored */
	assert_int_equal(rd(LCR), 0x43);
	assert_int_equal(rd(RBR), 0);
	assert_int_equal(rd(IER), 0);
	assert_int_equal(rd(LSR), 0x60);
	assert_int_equal(sent_count, 0);
}

static void test_widths(void **state)
{
	const u8 widths[] = { 1, 2, 4, 8 };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(widths); i++) {
		struct mmio_access acc = { .width = widths[i], .write = true };

		acc.value = 0x1122334455667700 | 'a';
		assert_int_equal(uart16550_mmio_ops.access(&uart, &acc), MMIO_OK);
		assert_int_equal(sent[i], 'a');
		acc = (struct mmio_access){ .width = widths[i], .offset = 4, .value = ~(u64)0 };
		assert_int_equal(uart16550_mmio_ops.access(&uart, &acc), MMIO_OK);
		assert_int_equal(acc.value, 0);
		for (u64 offset = 8; offset <= 0x100; offset += 8) {
			acc.offset = offset;
			acc.write = !acc.write;
			assert_int_equal(uart16550_mmio_ops.access(&uart, &acc), MMIO_FAULT);
		}
	}
	assert_int_equal(sent_count, ARRAY_SIZE(widths));
}

static void test_transmit_interrupt(void **state)
{
	(void)state;
	wr(THR, 'x');
	assert_int_equal(sent_count, 1);
	assert_int_equal(rd(LSR), 0x60);
	assert_false(wire);
	wr(IER, 0x02);
	assert_true(wire);
	assert_int_equal(rd(IIR), 0x02);	/* which clears it */
	assert_false(wire);
	assert_int_equal(rd(IIR), 0x01);
	wr(THR, 'y');
	assert_true(wire);
	wr(IER, 0x00);
	assert_false(wire);
	wr(IER, 0x02);				/* enabled anew: the register is empty */
	assert_true(wire);
	wr(IER, 0x03);				/* not changed: no new interrupt */
	assert_int_equal(rd(IIR), 0x02);
	wr(IER, 0x02);
	assert_false(wire);
	assert_int_equal(sent[1], 'y');
}

static void test_receive(void **state)
{
	(void)state;
	assert_int_equal(rx("ab"), 2);
	assert_false(wire);
	assert_int_equal(rd(LSR), 0x61);
	wr(IER, 0x01);
	assert_true(wire);
	assert_int_equal(rd(IIR), 0x04);
	assert_int_equal(rd(RBR), 'a');
	assert_true(wire);
	assert_int_equal(rd(RBR), 'b');
	assert_false(wire);
	assert_int_equal(rd(LSR), 0x60);
	assert_int_equal(rd(RBR), 0);
}

static void test_trigger_levels(void **state)
{
	const u8 trigger[] = { 1, 4, 8, 14 };

	(void)state;
	wr(IER, 0x01);
	for (u8 i = 0; i < 4; i++) {
		wr(FCR, (u8)(i << 6 | 0x03));
		for (u32 n = 1; n <= 16; n++) {
			rx("c");
			assert_true(wire);
			assert_int_equal(rd(IIR), n < trigger[i] ? 0xcc : 0xc4);
		}
		wr(FCR, 0x03);
		assert_int_equal(rd(LSR), 0x60);
		assert_int_equal(rd(IIR), 0xc1);
	}
}

static void test_interrupt_priority(void **state)
{
	(void)state;
	wr(MCR, 0x10);
	wr(THR, '1');
	wr(THR, '2');	/* overrun */
	wr(MCR, 0x12);	/* CTS changes */
	wr(IER, 0x0f);
	assert_int_equal(rd(IIR), 0x06);
	assert_int_equal(rd(LSR), 0x63);
	assert_int_equal(rd(IIR), 0x04);
	assert_int_equal(rd(LSR), 0x61);
	assert_int_equal(rd(RBR), '2');
	assert_int_equal(rd(IIR), 0x02);
	assert_true(wire);
	assert_int_equal(rd(IIR), 0x00);
	assert_true(wire);
	assert_int_equal(rd(MSR) & 0x1f, 0x1b);
	assert_false(wire);
	assert_int_equal(rd(IIR), 0x01);
}

static void test_loopback_data(void **state)
{
	(void)state;
	wr(FCR, 0x01);
	wr(MCR, 0x10);
	for (u8 i = 0; i < 20; i++)
		wr(THR, i);
	assert_int_equal(sent_count, 0);
	assert_int_equal(rx("zzz"), 0);
	assert_int_equal(rd(LSR), 0x63);
	for (u8 i = 0; i < 16; i++)
		assert_int_equal(rd(RBR), i);
	assert_int_equal(rd(LSR), 0x60);
	wr(MCR, 0);
	wr(THR, 'o');
	assert_int_equal(sent_count, 1);
}

static void test_loopback_modem(void **state)
{
	const u8 inputs[][2] = {
		{ 0x10, 0x00 }, { 0x12, 0x10 }, { 0x11, 0x20 }, { 0x14, 0x40 }, { 0x18, 0x80 },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(inputs); i++) {
		wr(MCR, inputs[i][0]);
		assert_int_equal(rd(MSR) & 0xf0, inputs[i][1]);
	}
	/* The deltas: DCD rose, RI fell; a rise of RI leaves none. They go when read. */
	wr(MCR, 0x10);
	rd(MSR);
	wr(MCR, 0x14);
	assert_int_equal(rd(MSR), 0x40);
	wr(MCR, 0x18);
	assert_int_equal(rd(MSR), 0x8c);
	assert_int_equal(rd(MSR), 0x80);
	wr(MCR, 0x00);
	assert_int_equal(rd(MSR), 0xb3);
}

static void test_fifo_control(void **state)
{
	(void)state;
	wr(FCR, 0xc6);		/* without bit 0 nothing counts */
	assert_int_equal(rd(IIR), 0x01);
	wr(FCR, 0x01);
	assert_int_equal(rd(IIR), 0xc1);
	/* The FIFO is emptied of its 16; the four behind it arrive then. */
	rx("0123456789abcdefghij");
	wr(FCR, 0x03);
	assert_int_equal(rd(RBR), 'g');
	wr(FCR, 0x00);		/* turning it off empties it too */
	assert_int_equal(rd(LSR), 0x60);
	assert_int_equal(rd(IIR), 0x01);
}

static void test_ring_full(void **state)
{
	u8 data[UART16550_RING + 10];

	(void)state;
	for (u32 i = 0; i < sizeof(data); i++)
		data[i] = (u8)(i * 7);
	rx("ab");
	rd(RBR);
	rd(RBR);		/* so that the ring wraps */
	assert_int_equal(uart16550_rx(&uart, data, sizeof(data)), UART16550_RING);
	assert_int_equal(uart16550_rx(&uart, data, 1), 0);
	for (u32 i = 0; i < UART16550_RING; i++)
		assert_int_equal(rd(RBR), data[i]);
	assert_int_equal(rd(LSR), 0x60);
	assert_int_equal(uart16550_rx(&uart, data, 0), 0);
}

static void test_reset(void **state)
{
	(void)state;
	wr(IER, 0x0f);
	wr(FCR, 0xc1);
	wr(MCR, 0x1f);
	wr(SCR, 1);
	for (u32 i = 0; i < 20; i++)
		wr(THR, 'a');
	wr(LCR, 0x80);
	wr(DLL, 1);
	wr(DLM, 1);
	assert_true(wire);
	uart16550_reset(&uart);
	assert_false(wire);
	edges = 0;
	test_power_on(state);
	wr(LCR, 0x80);
	assert_int_equal(rd(DLL) | rd(DLM), 0);
}

static void test_not_connected(void **state)
{
	const struct irq_line none = { 0 };

	(void)state;
	uart16550_init(&uart, &none, tx, sent);
	wr(IER, 0x0f);
	rx("a");
	assert_int_equal(rd(IIR), 0x04);
}

/* What must hold after any access. Reads only what has no side effect. */
static void check_invariants(void)
{
	u8 lsr = uart.lsr;
	bool cause = ((uart.ier & 1) && uart.count) || ((uart.ier & 2) && uart.thre) ||
		     ((uart.ier & 4) && (lsr & 2)) || ((uart.ier & 8) && uart.msr_delta);

	assert_int_equal(lsr & ~2, uart.count ? 0x61 : 0x60);
	assert_true(uart.count <= UART16550_RING);
	assert_int_equal(wire, cause);
	assert_false(spin_is_locked(&uart.lock));
	assert_int_equal(uart.ier & ~0x0f, 0);
	assert_int_equal(uart.mcr & ~0x1f, 0);
	assert_int_equal(uart.fcr & ~0xc1, 0);
}

static void test_random(void **state)
{
	(void)state;
	srandom(3);
	for (u32 i = 0; i < 200000; i++) {
		u8 width = (u8)(1 << random() % 4);
		struct mmio_access acc = { .width = width, .write = random() % 2 };
		u32 before = sent_count;

		acc.offset = (u64)random() % (i % 16 ? 8 : 0x110) / width * width;
		acc.value = (u64)random() << 8 | ((u64)random() & 0xff);
		if (random() % 8 == 0)
			uart16550_rx(&uart, (const u8 *)&acc.value, (size_t)random() % 8);
		if (i % 1000 == 0)
			uart16550_reset(&uart);
		assert_int_equal(uart16550_mmio_ops.access(&uart, &acc),
				 acc.offset < 8 ? MMIO_OK : MMIO_FAULT);
		assert_true(acc.write || acc.offset >= 8 || acc.value <= 0xff);
		assert_true(sent_count - before <= (acc.write && acc.offset == THR));
		check_invariants();
	}
}

/* One hart receives while the guest polls: every byte arrives, once and in order. */
#define STREAM 100000

static void *receiver(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < STREAM;) {
		u8 c = (u8)(i * 31);

		if (uart16550_rx(&uart, &c, 1))
			i++;
		else
			sched_yield();
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t thread;

	(void)state;
	wr(FCR, 0x01);
	wr(IER, 0x01);
	assert_int_equal(pthread_create(&thread, NULL, receiver, NULL), 0);
	for (u32 i = 0; i < STREAM; i++) {
		while (!(rd(LSR) & 1))
			sched_yield();
		assert_int_equal(rd(RBR), (u8)(i * 31));
	}
	pthread_join(thread, NULL);
	check_invariants();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_terminal_is_behind, setup),
		cmocka_unit_test_setup(test_power_on, setup),
		cmocka_unit_test_setup(test_storage, setup),
		cmocka_unit_test_setup(test_widths, setup),
		cmocka_unit_test_setup(test_transmit_interrupt, setup),
		cmocka_unit_test_setup(test_receive, setup),
		cmocka_unit_test_setup(test_trigger_levels, setup),
		cmocka_unit_test_setup(test_interrupt_priority, setup),
		cmocka_unit_test_setup(test_loopback_data, setup),
		cmocka_unit_test_setup(test_loopback_modem, setup),
		cmocka_unit_test_setup(test_fifo_control, setup),
		cmocka_unit_test_setup(test_ring_full, setup),
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_not_connected, setup),
		cmocka_unit_test_setup(test_random, setup),
		cmocka_unit_test_setup(test_threads, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
