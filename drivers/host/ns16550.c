/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's 16550 UART, as the firmware left it: baud rate and format are not touched. Output as
 * far as there is room, input by interrupt.
 */
#include <hv/board.h>
#include <hv/console.h>

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
static u8 line;		/* LCR and MCR of the firmware */
static u8 modem;

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

static void fill(const char *text, size_t n)
{
	volatile u8 *thr = (volatile u8 *)reg(THR);

	if (likely(uart.io_width == 1))
		for (size_t i = 0; i < n; i++)
			*thr = (u8)text[i];
	else
		for (size_t i = 0; i < n; i++)
			write_reg(THR, (u8)text[i]);
}

/* The console's lock is held, or Shyper panics. */
static size_t put(const char *text, size_t size)
{
	/* Room is for all that a FIFO holds; a guest that had the UART may have turned it off. */
	size_t burst = (read_reg(IIR) & IIR_FIFOS) == IIR_FIFOS ? FIFO : 1, done = 0;

	while (done < size && has_room()) {
		size_t n = MIN(size - done, burst);

		fill(text + done, n);
		done += n;
	}
	return done;
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

/* One may take bytes at once, as a virtual one does. */
static const struct console_port port = { .put = put, .get = get, .reset = reset, .step = 32 };

const struct console_port *ns16550_probe(const struct board *from)
{
	if (!from->uart.base)
		return NULL;
	uart = from->uart;
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
