/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 16550: registers, divisor latch, loopback, FIFO, interrupts and their identification, and
 * input from the runner.
 */
#include "guest.h"

enum { RBR, IER, FCR, LCR, MCR, LSR, MSR, SCR };
#define IIR FCR
#define LCR_DLAB 0x80
#define LCR_8N1 0x03
#define MCR_LOOP 0x10
#define LSR_DR 0x01
#define LSR_OE 0x02
#define LSR_THRE 0x20
#define LSR_TEMT 0x40
#define IIR_NONE 0x01
#define IIR_THRE 0x02
#define IIR_RX 0x04
#define IIR_TIMEOUT 0x0c
#define IIR_LINE 0x06

static u8 get(unsigned long reg)
{
	return read_u8(UART_BASE + reg);
}

static void put(unsigned long reg, unsigned int value)
{
	write_u8(UART_BASE + reg, (u8)value);
}

static void drain(void)
{
	while (get(LSR) & LSR_DR)
		get(RBR);
}

static void check_registers(void)
{
	u32 bad = 0;
	u8 low, high;

	for (unsigned int v = 0; v < 256; v++) {
		put(SCR, v);
		bad += get(SCR) != v;
	}
	check_eq("scratch", bad, 0);
	put(LCR, LCR_DLAB | LCR_8N1);
	put(RBR, 0x5a);
	put(IER, 0xa5);
	low = get(RBR);
	high = get(IER);
	put(RBR, 1);
	put(IER, 0);
	put(LCR, LCR_8N1);
	check_eq("divisor latch", (u32)high << 8 | low, 0xa55a);
	check_eq("LCR", get(LCR), LCR_8N1);
	check_eq("IER untouched by the latch", get(IER), 0);
	put(IER, 0xff);
	CHECK("IER keeps four bits", (get(IER) & 0xf0) == 0, "0x%x", (u32)get(IER));
	put(IER, 0);
	check_eq("idle", get(LSR) & (LSR_THRE | LSR_TEMT), LSR_THRE | LSR_TEMT);
	put(FCR, 0);
	check_eq("IIR without FIFO", get(IIR) & 0xcf, IIR_NONE);
	put(FCR, 1);
	check_eq("IIR with FIFO", get(IIR) & 0xcf, 0xc0 | IIR_NONE);
}

static bool loop(u8 c)
{
	put(RBR, c);
	return WAIT_FOR(get(LSR) & LSR_DR, 1000) && get(RBR) == c;
}

static void check_loopback(void)
{
	u32 bad = 0;
	u32 n = 0;
	u8 msr;

	put(MCR, MCR_LOOP | 0x0f);
	msr = get(MSR);
	for (unsigned int c = 0; c < 256; c++)
		bad += !loop((u8)c);
	for (u8 c = 0; c < 16; c++)
		put(RBR, c);
	while (get(LSR) & LSR_DR)
		bad += get(RBR) != n++;
	put(MCR, 0x0b);
	check_eq("loopback", bad, 0);
	check_eq("FIFO holds 16", n, 16);
	check_eq("loopback modem lines", msr & 0xf0, 0xf0);
}

static void check_overrun(void)
{
	u8 seen;

	put(MCR, MCR_LOOP);
	for (unsigned int i = 0; i < 20; i++)
		put(RBR, i);
	seen = get(LSR);
	put(FCR, 7);
	put(MCR, 0x0b);
	CHECK("overrun", seen & LSR_OE, "LSR 0x%x", (u32)seen);
	check_eq("FIFO cleared", get(LSR) & LSR_DR, 0);
}

static void check_thre(void)
{
	u8 first, second, third;
	bool up, down;
	u32 irq;

	wire_listen(UART_IRQ);
	put(IER, 2);
	up = WAIT_FOR(wire_pending(UART_IRQ), 1000);
	irq = wire_claim();
	first = get(IIR);
	second = get(IIR);
	wire_done(UART_IRQ);
	down = !wire_pending(UART_IRQ);
	put(IER, 0);
	put(IER, 2);
	third = get(IIR);
	put(IER, 0);
	wire_done(wire_claim());

	CHECK("line up", up, "no");
	check_eq("IIR says transmitter empty", first & 0x0f, IIR_THRE);
	check_eq("reading IIR acknowledges it", second & 0x0f, IIR_NONE);
	check_eq("claim", irq, UART_IRQ);
	CHECK("line down", down, "no");
	check_eq("enabling again raises it again", third & 0x0f, IIR_THRE);
}

static void check_rx(void)
{
	u8 iir, after;

	put(MCR, MCR_LOOP);
	put(FCR, 7);
	put(IER, 1);
	put(RBR, 'x');
	WAIT_FOR(!(get(IIR) & IIR_NONE), 1000);
	iir = get(IIR) & 0x0f;
	get(RBR);
	after = get(IIR) & 0x0f;
	put(IER, 0);
	put(MCR, 0x0b);
	CHECK("IIR says data", iir == IIR_RX || iir == IIR_TIMEOUT, "0x%x", (u32)iir);
	check_eq("reading it acknowledges", after, IIR_NONE);
}

/* The runner types abc after `uart send`, the alphabet twice after `uart flood`. */
static void check_input(void)
{
	u32 n = 0;
	int c;

	drain();
	say("uart send\n");
	CHECK("input", get_char(20000) == 'a' && get_char(2000) == 'b' && get_char(2000) == 'c',
	      "wrong");
	while (get_char(50) >= 0)
		;
	say("uart flood\n");
	while (n < 52 && (c = get_char(20000)) == 'a' + (int)n % 26)
		n++;
	check_eq("more input than the FIFO holds", n, 52);
}

void payload(void)
{
	check_registers();
	check_loopback();
	check_overrun();
	check_thre();
	check_rx();
	check_input();
}
