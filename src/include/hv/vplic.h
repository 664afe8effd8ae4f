/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PLIC that a guest sees (RISC-V PLIC specification 1.0), with the geometry of QEMU's virt
 * board: context 2h + 1 is S-mode of vCPU h. The even contexts (M-mode, which no guest has), the
 * contexts past the last vCPU and the reserved registers read as zero and ignore writes. Only
 * aligned 4-byte accesses are answered, as on that board; but what is shown to the guest (see
 * enables) it reads as it likes.
 *
 * All sources are level-triggered. A request, once made, stays pending when its wire falls; a wire
 * that is still high at completion requests again ("Interrupt Gateways" in the specification).
 *
 * There is no lock. Everything here may be called on any hart, except as its comment says.
 */
#ifndef HV_VPLIC_H
#define HV_VPLIC_H

#include <hv/irqchip.h>
#include <hv/mmio.h>

#define VPLIC_VCPUS 16
#define VPLIC_SOURCES 128		/* source numbers 0 .. 127; 0 does not exist */
#define VPLIC_PRIORITY_MAX 7
#define VPLIC_SIZE 0x600000		/* of the region, on virt */
#define VPLIC_WORDS (VPLIC_SOURCES / 64)
#define VPLIC_ENABLES 0x2000		/* offset of the page that struct vplic has, too */

/* What the chip asks of its VM. Called without a lock of the chip; the hooks must not block. */
struct vplic_hooks {
	/*
	 * The external interrupt input of this vCPU may have changed: have its hart call
	 * vplic_irqchip_ops.pending() before the guest runs on. What was written before the
	 * call must be visible to that hart then (release here, acquire there). Comes on any
	 * hart: in set_line() with the lock of the device held, or in an MMIO access on the
	 * hart of whatever vCPU made it, often of this one.
	 */
	void (*kick)(void *ctx, u32 vcpu);
	/*
	 * The guest has completed a source that it had claimed, or a reset has dropped its request;
	 * the gateway is open again.
	 * For wires that are passed through, whose rule is: at each host interrupt drive the
	 * wire high and low (one request); here complete the host's interrupt. May be NULL.
	 */
	void (*completed)(void *ctx, u32 source);
};

/* What a vCPU's S-mode context holds; a cache line of its own. Lock-free, single words. */
struct vplic_context {
	u32 enable[VPLIC_SOURCES / 32];
	u32 threshold;
} __attribute__((aligned(64)));

/* Private to vplic.c. One per VM. */
struct vplic {
	/* Fixed after init. */
	u32 vcpus;
	u32 sources;			/* valid numbers are 1 .. sources - 1 */
	const struct vplic_hooks *hooks;
	void *ctx;

	/* One bit per source, lock-free; the rules are at the top of vplic.c. */
	u64 level[VPLIC_WORDS] __attribute__((aligned(64)));	/* the wire is high */
	u64 edge[VPLIC_WORDS];		/* a pulse came that no claim has followed */
	u64 busy[VPLIC_WORDS];		/* the gateway is closed: a request is under way */
	u64 pending[VPLIC_WORDS];	/* the request waits for a claim */
	u64 claimed[VPLIC_WORDS];	/* the request waits for its completion */

	/* Written by the guest. Lock-free, single words. */
	u32 priority[VPLIC_SOURCES] __attribute__((aligned(64)));
	struct vplic_context context[VPLIC_VCPUS];

	/*
	 * The enable bits of all contexts as the guest reads them, which Linux does at the end of
	 * each interrupt: a page that may be mapped into it read-only. Never looked at.
	 * It comes last: what an exit needs stays within reach of a load's 12-bit offset.
	 */
	u32 enables[PAGE_SIZE / 4] __attribute__((aligned(4096)));
};

/*
 * vplic_init() - power-on state: nothing enabled, priorities and thresholds 0, wires low. vcpus is
 * 1 .. VPLIC_VCPUS, sources 2 .. VPLIC_SOURCES (the guest's riscv,ndev is sources - 1); both come
 * from a checked definition. hooks must outlive the chip. By the VM's maker alone.
 */
void vplic_init(struct vplic *plic, u32 vcpus, u32 sources, const struct vplic_hooks *hooks,
		void *ctx);

/*
 * The chip's side towards devices and vCPUs; chip is the struct vplic. A source that does not exist
 * is ignored, a vCPU that does not exist has nothing pending. reset() leaves the wires as their
 * devices drive them, so reset the devices first; set_line() may race with it.
 */
extern const struct irqchip_ops vplic_irqchip_ops;

/* The chip's side towards the guest; dev is the struct vplic. */
extern const struct mmio_ops vplic_mmio_ops;

#endif
