/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The APLIC that a guest sees (RISC-V Advanced Interrupt Architecture 1.0, chapter 4): one domain
 * at supervisor level without children. Registers of 32 bits in the first 16 KiB, then an IDC
 * structure for each vCPU when the domain can deliver directly. Hart index n is vCPU n. Only
 * aligned 4-byte accesses are answered; what is not there reads as zero and ignores writes.
 *
 * It delivers directly, through the vCPUs' external interrupt inputs, or by MSIs, as domaincfg.DM
 * says and its geometry allows. A source is driven by an emulated device, through irqchip_ops, or
 * is attached to a wire of the board, which then goes the shortest way (struct vaplic_wire_ops).
 *
 * Paths of emulated sources take no lock. Everything here may be called on any hart, except as its
 * comment says.
 */
#ifndef HV_VAPLIC_H
#define HV_VAPLIC_H

#include <hv/irqchip.h>
#include <hv/mmio.h>
#include <hv/spinlock.h>

#define VAPLIC_VCPUS 16
#define VAPLIC_SOURCES 1024	/* source numbers 0 .. 1023; 0 does not exist */
#define VAPLIC_EIID_MAX 2047
#define VAPLIC_SIZE 0x8000	/* of the region, on virt */
#define VAPLIC_WORDS (VAPLIC_SOURCES / 64)

/* sourcecfg.SM */
enum vaplic_mode {
	VAPLIC_INACTIVE = 0,
	VAPLIC_DETACHED = 1,
	VAPLIC_EDGE1 = 4,	/* rising */
	VAPLIC_EDGE0 = 5,	/* falling */
	VAPLIC_LEVEL1 = 6,	/* high */
	VAPLIC_LEVEL0 = 7,	/* low */
};

/* What the domain has. From a checked definition; copied at init. */
struct vaplic_geometry {
	u32 vcpus;		/* 1 .. VAPLIC_VCPUS */
	u32 sources;		/* 2 .. VAPLIC_SOURCES; riscv,num-sources is one less */
	bool direct;		/* domaincfg.DM may be 0 */
	u32 eiids;		/* most that an MSI may say, 1 .. VAPLIC_EIID_MAX; 0: DM stays 0 */
	const u64 *own;		/* VAPLIC_WORDS words: the sources that exist; NULL: all */
};

/*
 * What the chip asks of its VM. The hooks must not block, take no lock that is held around a call
 * into the chip, and come on any hart: in set_line() with the lock of the device held, or in an
 * MMIO access on the hart of whatever vCPU made it; sometimes with the chip's lock held.
 */
struct vaplic_hooks {
	/* As kick of struct vplic_hooks: have that hart call vaplic_irqchip_ops.pending(). */
	void (*kick)(void *ctx, u32 vcpu);
	/*
	 * Write eiid (1 .. eiids) to the interrupt file of this vCPU (one that exists), wherever
	 * that file is now. Must be there for the file when the hook returns. May be NULL when
	 * eiids is 0.
	 */
	void (*msi)(void *ctx, u32 vcpu, u32 eiid);
};

/* Where interrupts of a wire of the board shall go. */
struct vaplic_route {
	enum vaplic_mode mode;	/* what the wire means; inactive: nothing is wanted of it */
	bool enabled;		/* false: it may become pending, but interrupts nobody */
	bool msi;		/* true: to the vCPU's interrupt file; false: to Shyper */
	u32 vcpu;		/* when enabled: one that exists */
	u32 eiid;		/* when enabled and msi: 1 .. eiids */
};

/*
 * The board's side of wires that are attached to sources: the caller of vaplic_attach() drives
 * the physical controller by these. Hooks as above; they may take locks of the board's.
 *
 * With route.msi the physical source sends its MSIs to the vCPU's file by itself (or to Shyper, who
 * calls vaplic_wire_interrupt(), when that file is not in the hardware). Without, its interrupts go
 * to Shyper, for instance on the vCPU's hart, whose handler does:
 *
 *	mask the source; if (vaplic_wire_interrupt(chip, source)) unmask it
 *
 * where "unmask" leaves a source alone that is not enabled. A controller that forwards by MSI needs
 * no mask, and rearms a level by a write to setipnum. sourcecfg is best written only when the mode
 * changes: any write may make a high input pending anew (section 4.5.2).
 */
struct vaplic_wire_ops {
	/*
	 * The guest wants this route from now on. Never twice the same, but for vaplic_reroute().
	 * Calls for one chip come one after another, the chip's lock held. What is pending stays,
	 * as far as the new mode lets it; inactive forgets it. A rearm() that is due follows;
	 * also one for each level that goes to Shyper from now on.
	 */
	void (*configure)(void *ctx, u32 source, const struct vaplic_route *route);
	/* The guest's setip, setipnum, while the route is msi: the controller's own rules hold. */
	void (*set_pending)(void *ctx, u32 source);
	/* The guest's in_clrip, clripnum, but for levels that are delivered directly. */
	void (*clear_pending)(void *ctx, u32 source);
	/* Is it pending in the controller? */
	bool (*pending)(void *ctx, u32 source);
	/* The rectified input (in_clrip) under the mode last configured. */
	bool (*input)(void *ctx, u32 source);
	/*
	 * vaplic_wire_interrupt() had answered false; now interrupt again, if enabled, and at once
	 * if the input is still high. Comes once too often at times, and also when it is disabled.
	 */
	void (*rearm)(void *ctx, u32 source);
};

/* What decides about a vCPU's external interrupt input; a cache line of its own. Single words. */
struct vaplic_idc {
	u32 idelivery;
	u32 iforce;
	u32 ithreshold;
} __attribute__((aligned(64)));

/* Private to vaplic*.c. One per VM. */
struct vaplic {
	/* Fixed after init; the bits of attached sources while the VM is stopped. */
	u32 vcpus;
	u32 sources;			/* valid numbers are 1 .. sources - 1 */
	u32 eiids;
	bool direct;
	const struct vaplic_hooks *hooks;
	const struct vaplic_wire_ops *wire_ops;
	void *ctx;

	/* Under the lock: order of configure() calls, and of writes to domaincfg. */
	struct spinlock lock;

	/* Lock-free; the rules are at the top of vaplic_source.c. */
	u32 domaincfg __attribute__((aligned(64)));
	u32 genmsi;
	u64 ready[VAPLIC_WORDS];	/* sources that a scan for the best has to look at */
	u64 source[VAPLIC_SOURCES] __attribute__((aligned(64)));
	struct vaplic_idc idc[VAPLIC_VCPUS];
};

/*
 * vaplic_init() - power-on state: domaincfg is 0x80000000 (and DM where it cannot be 0), all else
 * 0, wires low. hooks and wire_ops must outlive the chip; wire_ops may be NULL when no source is
 * ever attached; all get ctx. By the VM's maker alone.
 */
void vaplic_init(struct vaplic *aplic, const struct vaplic_geometry *geometry,
		 const struct vaplic_hooks *hooks, const struct vaplic_wire_ops *wire_ops,
		 void *ctx);

/*
 * vaplic_attach() - from now on this source is a wire of the board, with the route "inactive",
 * which the caller has configured already; set_line() and pulse() ignore it. vaplic_detach() - no
 * more; the route becomes inactive. By the VM's maker, while the VM does not run. Returns 0;
 * -EINVAL: no such source; -EBUSY: attached already.
 */
int __must_check vaplic_attach(struct vaplic *aplic, u32 source);
void vaplic_detach(struct vaplic *aplic, u32 source);

/*
 * vaplic_wire_interrupt() - an attached source has interrupted Shyper. Returns true: it may
 * interrupt again at once; false, for a level: when rearm() or, by MSIs, set_pending() is called
 * (section 4.9.2). One that is not attached is ignored (true). No lock; a hook may be on the stack.
 */
bool __must_check vaplic_wire_interrupt(struct vaplic *aplic, u32 source);

/*
 * vaplic_reroute() - the interrupt file of this vCPU, or the vCPU itself, is somewhere else: call
 * configure() again for the attached sources that target it.
 */
void vaplic_reroute(struct vaplic *aplic, u32 vcpu);

/*
 * The chip's side towards devices and vCPUs; chip is the struct vaplic. A source that does not
 * exist is ignored, a vCPU that does not exist has nothing pending. A pulse is a wire that stays
 * asserted until the interrupt is claimed or sent; it waits while the source is inactive or
 * detached. With MSIs pending() is false. reset() leaves the wires as their devices drive them, so
 * reset the devices first, the interrupt files afterwards: when it returns, no MSI of before is on
 * its way.
 */
extern const struct irqchip_ops vaplic_irqchip_ops;

/*
 * The chip's side towards the guest; dev is the struct vaplic. A write of genmsi is MMIO_AGAIN
 * while another hart still has an MSI on its way, which must arrive before.
 */
extern const struct mmio_ops vaplic_mmio_ops;

#endif
