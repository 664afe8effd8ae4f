/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's 16550A. One lock guards the registers; only the line status, which guests poll before
 * each byte they send, and the scratch register are read without it.
 */
#include <hv/string.h>
#include <hv/uart16550.h>

/* Registers. The second names are those while LCR_DLAB is set. */
enum {
	RBR = 0, THR = 0, DLL = 0,
	IER = 1, DLM = 1,
	IIR = 2, FCR = 2,
	LCR = 3,
	MCR = 4,
	LSR = 5,
	MSR = 6,
	SCR = 7,
};

#define IER_RDI 0x01		/* received data available */
#define IER_THRI 0x02		/* transmitter holding register empty */
#define IER_RLSI 0x04		/* receiver line status */
#define IER_MSI 0x08		/* modem status */
#define IER_MASK 0x0f

#define IIR_MSI 0x00
#define IIR_NONE 0x01
#define IIR_THRI 0x02
#define IIR_RDI 0x04
#define IIR_RLSI 0x06
#define IIR_TIMEOUT 0x0c
#define IIR_ID 0x0f
#define IIR_FIFO 0xc0

#define FCR_ENABLE 0x01
#define FCR_CLEAR_RX 0x02
#define FCR_TRIGGER_SHIFT 6
#define FCR_KEPT 0xc1

#define LCR_DLAB 0x80

#define MCR_DTR 0x01
#define MCR_RTS 0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10
#define MCR_MASK 0x1f

#define LSR_DR 0x01
#define LSR_OE 0x02
#define LSR_EMPTY 0x60		/* THRE and TEMT: always, for bytes leave at once */

#define MSR_TERI 0x04		/* among the deltas; the others are level bits >> 4 */
#define MSR_CTS 0x10
#define MSR_DSR 0x20
#define MSR_RI 0x40
#define MSR_DCD 0x80

#define FIFO_DEPTH 16U

static inline bool fifo_on(const struct uart16550 *uart)
{
	return uart->fcr & FCR_ENABLE;
}

/* How many of the bytes in the ring the guest's view of the chip can hold. */
static inline u32 visible(const struct uart16550 *uart)
{
	return fifo_on(uart) ? FIFO_DEPTH : 1;
}

/*
 * Bytes below the trigger level are reported as a character timeout, which on a real chip follows
 * four character times after the last byte; here time does not pass.
 */
static u8 receive_cause(const struct uart16550 *uart)
{
	static const u8 trigger[] = { 1, 4, 8, 14 };

	if (fifo_on(uart) && uart->count < trigger[uart->fcr >> FCR_TRIGGER_SHIFT])
		return IIR_TIMEOUT;
	return IIR_RDI;
}

/* The interrupt of the highest priority (data sheet, table "Interrupt Control Functions"). */
static u8 cause(const struct uart16550 *uart)
{
	if ((uart->ier & IER_RLSI) && (uart->lsr & LSR_OE))
		return IIR_RLSI;
	if ((uart->ier & IER_RDI) && uart->count)
		return receive_cause(uart);
	if ((uart->ier & IER_THRI) && uart->thre)
		return IIR_THRI;
	if ((uart->ier & IER_MSI) && uart->msr_delta)
		return IIR_MSI;
	return IIR_NONE;
}

static inline void set_lsr(struct uart16550 *uart, u8 lsr)
{
	__atomic_store_n(&uart->lsr, lsr, __ATOMIC_RELAXED);
}

/* After any change, under the lock: line status and wire follow the rest. */
static void update(struct uart16550 *uart)
{
	bool level;

	set_lsr(uart, (u8)(LSR_EMPTY | (uart->lsr & LSR_OE) | (uart->count ? LSR_DR : 0)));
	level = cause(uart) != IIR_NONE;
	if (level != uart->level) {
		uart->level = level;
		irq_line_set(&uart->irq, level);
	}
}

static void push(struct uart16550 *uart, u8 c)
{
	uart->ring[(uart->head + uart->count) % UART16550_RING] = c;
	uart->count++;
}

static u8 pop(struct uart16550 *uart)
{
	u8 c;

	if (!uart->count)
		return 0;
	c = uart->ring[uart->head % UART16550_RING];
	uart->head++;
	uart->count--;
	return c;
}

/* Empties the FIFO. What waits behind it has not arrived yet, and does so now. */
static void clear_fifo(struct uart16550 *uart)
{
	u32 n = MIN(uart->count, visible(uart));

	uart->head += n;
	uart->count -= n;
}

/* A byte sent in loopback. When full, the FIFO loses the new byte, the single register the old. */
static void loop_back(struct uart16550 *uart, u8 c)
{
	if (uart->count >= visible(uart)) {
		set_lsr(uart, uart->lsr | LSR_OE);
		if (fifo_on(uart))
			return;
		clear_fifo(uart);
	}
	push(uart, c);
}

/* The four modem inputs: a connected terminal, or in loopback the chip's own outputs. */
static u8 modem_inputs(u8 mcr)
{
	if (!(mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	return (u8)((mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) |
		    (mcr & MCR_OUT1 ? MSR_RI : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0));
}

static void write_mcr(struct uart16550 *uart, u8 mcr)
{
	u8 old = modem_inputs(uart->mcr);
	u8 now = modem_inputs(mcr);

	uart->msr_delta |= (u8)(((old ^ now) & (MSR_CTS | MSR_DSR | MSR_DCD)) >> 4);
	if (old & ~now & MSR_RI)
		uart->msr_delta |= MSR_TERI;
	uart->mcr = mcr;
}

/* Changing bit 0 empties the FIFO; the other bits count only when it is written as one. */
static void write_fcr(struct uart16550 *uart, u8 fcr)
{
	bool on = fcr & FCR_ENABLE;

	if (on != fifo_on(uart) || (on && (fcr & FCR_CLEAR_RX)))
		clear_fifo(uart);
	uart->fcr = on ? fcr & FCR_KEPT : 0;
}

/* Enabling the transmitter interrupt raises it, for the register is empty. */
static void write_ier(struct uart16550 *uart, u8 ier)
{
	if ((uart->ier ^ ier) & IER_THRI)
		uart->thre = ier & IER_THRI;
	uart->ier = ier;
}

static void write_data(struct uart16550 *uart, u8 c)
{
	if (uart->mcr & MCR_LOOP)
		loop_back(uart, c);
	uart->thre = true;
}

static void write_reg(struct uart16550 *uart, u32 reg, u8 value)
{
	bool dlab = uart->lcr & LCR_DLAB;

	switch (reg) {
	case THR:
		if (dlab)
			uart->dll = value;
		else
			write_data(uart, value);
		break;
	case IER:
		if (dlab)
			uart->dlm = value;
		else
			write_ier(uart, value & IER_MASK);
		break;
	case FCR:
		write_fcr(uart, value);
		break;
	case LCR:
		uart->lcr = value;
		break;
	case MCR:
		write_mcr(uart, value & MCR_MASK);
		break;
	}
}

/* Reading IIR clears the transmitter interrupt when that is the one reported, and no other. */
static u8 read_iir(struct uart16550 *uart)
{
	u8 id = cause(uart);

	if (id == IIR_THRI)
		uart->thre = false;
	return id | (fifo_on(uart) ? IIR_FIFO : 0);
}

static u8 read_lsr(struct uart16550 *uart)
{
	u8 lsr = uart->lsr;

	set_lsr(uart, lsr & (u8)~LSR_OE);
	return lsr;
}

static u8 read_msr(struct uart16550 *uart)
{
	u8 msr = modem_inputs(uart->mcr) | uart->msr_delta;

	uart->msr_delta = 0;
	return msr;
}

static u8 read_reg(struct uart16550 *uart, u32 reg)
{
	bool dlab = uart->lcr & LCR_DLAB;

	switch (reg) {
	case RBR:
		return dlab ? uart->dll : pop(uart);
	case IER:
		return dlab ? uart->dlm : uart->ier;
	case IIR:
		return read_iir(uart);
	case LCR:
		return uart->lcr;
	case MCR:
		return uart->mcr;
	case LSR:
		return read_lsr(uart);
	default:
		return read_msr(uart);
	}
}

/*
 * What needs the lock. A byte goes out after the lock is dropped, so that tx() may take time. It
 * may go again: that it has gone already shows in nothing but an interrupt that it is about to.
 */
static enum mmio_result access_locked(struct uart16550 *uart, struct mmio_access *acc)
{
	u32 reg = (u32)acc->offset;
	bool sends = false;

	spin_lock(&uart->lock);
	if (acc->write) {
		sends = reg == THR && !(uart->lcr & LCR_DLAB) && !(uart->mcr & MCR_LOOP);
		write_reg(uart, reg, (u8)acc->value);
	} else {
		acc->value = read_reg(uart, reg);
	}
	update(uart);
	spin_unlock(&uart->lock);
	return !sends || uart->tx(uart->ctx, (u8)acc->value) ? MMIO_OK : MMIO_AGAIN;
}

static __attribute__((noinline)) enum mmio_result access_any(struct uart16550 *uart,
							     struct mmio_access *acc)
{
	if (acc->offset >= UART16550_SIZE)
		return MMIO_FAULT;
	if (acc->offset != SCR)
		return access_locked(uart, acc);
	if (acc->write)
		__atomic_store_n(&uart->scr, (u8)acc->value, __ATOMIC_RELAXED);
	else
		acc->value = __atomic_load_n(&uart->scr, __ATOMIC_RELAXED);
	return MMIO_OK;
}

/*
 * The line status is one byte that update() keeps current, so a read needs the lock only when it
 * has something to clear. It orders nothing: the data that it announces is read under the lock.
 */
static enum mmio_result uart16550_access(void *dev, struct mmio_access *acc)
{
	struct uart16550 *uart = dev;
	u8 lsr = __atomic_load_n(&uart->lsr, __ATOMIC_RELAXED);

	if (unlikely(acc->offset != LSR || acc->write || (lsr & LSR_OE)))
		return access_any(uart, acc);
	acc->value = lsr;
	return MMIO_OK;
}

size_t uart16550_rx(struct uart16550 *uart, const u8 *data, size_t n)
{
	size_t accepted = 0;

	spin_lock(&uart->lock);
	if (!(uart->mcr & MCR_LOOP))
		accepted = MIN(n, (size_t)(UART16550_RING - uart->count));
	for (size_t i = 0; i < accepted; i++)
		push(uart, data[i]);
	update(uart);
	spin_unlock(&uart->lock);
	return accepted;
}

void uart16550_reset(struct uart16550 *uart)
{
	spin_lock(&uart->lock);
	uart->ier = uart->fcr = uart->lcr = uart->mcr = 0;
	uart->msr_delta = uart->dll = uart->dlm = 0;
	uart->thre = false;
	uart->head = uart->count = 0;
	__atomic_store_n(&uart->scr, 0, __ATOMIC_RELAXED);
	set_lsr(uart, LSR_EMPTY);
	update(uart);
	spin_unlock(&uart->lock);
}

void uart16550_init(struct uart16550 *uart, const struct irq_line *irq,
		    bool (*tx)(void *ctx, u8 c), void *ctx)
{
	memset(uart, 0, sizeof(*uart));
	uart->irq = *irq;
	uart->tx = tx;
	uart->ctx = ctx;
	uart16550_reset(uart);
}

const struct mmio_ops uart16550_mmio_ops = {
	.name = "uart16550",
	.access = uart16550_access,
};
