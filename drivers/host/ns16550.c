/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's 16550 UART, as the firmware left it: baud rate and format are not touched. Output by
 * polling with a bound, input by interrupt.
 */
#include <hv/board.h>
#include <hv/console.h>
#include <hv/timer.h>

#define RBR 0
#define THR 0
#define IER 1
#define FCR 2	/* written */
#define IIR 2	/* read */
#define LCR 3
#define MCR 4
#define LSR 5
#define IER_RX 0x01
#define FCR_ENABLE 0x01
#define IIR_FIFOS 0xc0	/* both: a 16550A whose FIFOs are on */
#define FIFO 16
#define LSR_DR 0x01
#define LSR_THRE 0x20

/* Fixed after ns16550_probe(). */
static struct board_uart uart;
static u64 patience;	/* ticks to wait for room: 10 ms, ten characters at 9600 baud */

static u8 line;		/* LCR and MCR of the firmware */
static u8 modem;

static bool stuck;	/* it took nothing for that long: nobody waits again until it does */

static volatile void *reg(u32 n)
{
	return (volatile void *)(uintptr_t)(uart.base + ((u64)n << uart.reg_shift));
}

static u8 read_reg(u32 n)
{
	return uart.io_width == 4 ? (u8)*(volatile u32 *)reg(n) :
	       uart.io_width == 2 ? (u8)*(volatile u16 *)reg(n) : *(volatile u8 *)reg(n);
}

static void write_reg(u32 n, u8 value)
{
	if (uart.io_width == 4)
		*(volatile u32 *)reg(n) = value;
	else if (uart.io_width == 2)
		*(volatile u16 *)reg(n) = value;
	else
		*(volatile u8 *)reg(n) = value;
}

static bool has_room(void)
{
	return read_reg(LSR) & LSR_THRE;
}

static bool wait_for_room(void)
{
	u64 deadline;

	if (has_room())
		return true;
	if (stuck)
		return false;
	deadline = arch_time() + patience;
	while (arch_time() <= deadline)
		if (has_room())
			return true;
	return false;
}

static void fill(const char *text, size_t n)
{
	volatile u8 *thr = (volatile u8 *)reg(THR);

	for (size_t i = 0; i < n; i++)
		if (likely(uart.io_width == 1))
			*thr = (u8)text[i];
		else
			write_reg(THR, (u8)text[i]);
}

/*
 * The console's lock is held, or Shyper panics. What a terminal that has stopped the line does not
 * take is lost, lest every guest that prints waits for it, and others for the lock.
 */
static void put(const char *text, size_t size)
{
	/* Room is for all that a FIFO holds; a guest that had the UART may have turned it off. */
	size_t burst = (read_reg(IIR) & IIR_FIFOS) == IIR_FIFOS ? FIFO : 1;

	while (size) {
		size_t n = MIN(size, burst);

		stuck = !wait_for_room();
		if (stuck)
			return;
		fill(text, n);
		text += n;
		size -= n;
	}
}

static int get(void)
{
	return read_reg(LSR) & LSR_DR ? read_reg(RBR) : -1;
}

/* The divisor is nobody's to change: a guest that did so is no terminal any more. */
static void reset(void)
{
	write_reg(LCR, line);
	write_reg(IER, 0);
	write_reg(MCR, modem);
}

static const struct console_port port = { .put = put, .get = get, .reset = reset };

const struct console_port *ns16550_probe(const struct board *from)
{
	if (!from->uart.base)
		return NULL;
	uart = from->uart;
	patience = from->timebase / 100;
	line = read_reg(LCR);
	modem = read_reg(MCR);
	write_reg(IER, 0);
	return &port;
}

void ns16550_input_enable(void)
{
	write_reg(FCR, FCR_ENABLE);
	write_reg(IER, IER_RX);
}
