/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 16550A UART as a guest sees it (National Semiconductor PC16550D data sheet), registers one byte
 * apart. Transmission takes no time; behind the 16-byte receive FIFO a deeper ring holds what has
 * not "arrived" yet. Baud rate, parity and break have no effect.
 *
 * Aligned accesses of 1, 2, 4 and 8 bytes act on the one register at their offset, with the low
 * byte; offsets past the eight registers are refused.
 */
#ifndef HV_UART16550_H
#define HV_UART16550_H

#include <hv/irqchip.h>
#include <hv/mmio.h>
#include <hv/spinlock.h>

#define UART16550_SIZE 8	/* bytes of registers; the region may be larger */
#define UART16550_RING 1024	/* received bytes kept for the guest; a power of two */

/* Private to uart16550.c. */
struct uart16550 {
	/* Fixed after init. */
	struct irq_line irq;
	bool (*tx)(void *ctx, u8 c);
	void *ctx;

	/* Single bytes, read without the lock. */
	u8 lsr;			/* written under the lock */
	u8 scr;			/* lock-free, the guest's own */

	/* Under the lock. */
	struct spinlock lock;
	u8 ier;
	u8 fcr;			/* FIFO enable and trigger bits, as written */
	u8 lcr;
	u8 mcr;
	u8 msr_delta;		/* the low four bits of MSR */
	u8 dll;
	u8 dlm;
	bool thre;		/* the "transmitter empty" interrupt waits for its IIR read */
	bool level;		/* of the interrupt wire, as driven last */
	u32 head;		/* ring[head % UART16550_RING] is read next */
	u32 count;		/* bytes in the ring */
	u8 ring[UART16550_RING];
};

/*
 * uart16550_init() - power-on state. By the VM's maker alone. irq is copied. tx() takes each byte
 * that the guest sends: called on the hart of the vCPU, without the UART's lock; must not block.
 * False: it cannot have it now, and the guest sends it again.
 */
void uart16550_init(struct uart16550 *uart, const struct irq_line *irq,
		    bool (*tx)(void *ctx, u8 c), void *ctx);

/*
 * uart16550_rx() - bytes arrive for the guest. Any hart; takes the UART's lock and may drive its
 * wire. Returns how many were accepted: fewer than n when the ring is full, none while the guest
 * has the UART in loopback. The rest stays with the caller.
 */
size_t uart16550_rx(struct uart16550 *uart, const u8 *data, size_t n);

/* uart16550_reset() - power-on state, received bytes dropped, wire low. The VM is stopped. */
void uart16550_reset(struct uart16550 *uart);

/* dev is the struct uart16550. */
extern const struct mmio_ops uart16550_mmio_ops;

#endif
