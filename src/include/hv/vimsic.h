/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IMSICs that a guest sees (RISC-V AIA 1.0, "Incoming MSI Controller"): per vCPU one
 * supervisor-level interrupt file, whose page is page n of the region for vCPU n. A file is in one
 * of two places:
 *
 * - in memory, here: MSIs are atomic ORs into eip; the guest's CSR accesses and page writes trap;
 * - in a guest interrupt file of its hart: page and CSRs are the hardware's, and MSIs that Shyper
 *   itself sends are forwarded to it. What is here is then all zero.
 *
 * There is no lock. vimsic_send() and page accesses may come on any hart. All else of a file
 * belongs to its owner: the hart of its vCPU while that is not in the guest, or, for a vCPU that no
 * hart runs, whoever makes, resets or moves it.
 *
 * Moving a file (AIA, "Migrating a virtual hart to a different guest interrupt file"). Whoever
 * sends meanwhile, no MSI is lost, and none reaches a hardware file that was given back.
 *
 * From memory to hardware, by the owner:
 *	1. Make the hardware file empty: eidelivery, eithreshold, eie, eip all 0.
 *	2. vimsic_export(): from here on MSIs go there; what was here comes out.
 *	3. Write eie, OR eip into it (csrs), write eithreshold, at last eidelivery.
 *	4. Map the guest's page to the file's, set hstatus.VGEIN, point the APLIC's sources and the
 *	   IOMMU there. Where the mapping is not seen yet, writes trap and are forwarded.
 *
 * From hardware to memory, by the owner:
 *	1. vimsic_recall(): from here on MSIs go to memory.
 *	2. Unmap the page. Point APLIC and IOMMU elsewhere and wait for MSIs under way (AIA,
 *	   "Synchronizing interactions between a hart and the APLIC").
 *	3. Have every hart that may have the mapping, or be inside vimsic_send(), pass a point
 *	   where it has and is neither: the fence after unmapping, and arch_harts_sync(NULL).
 *	4. Write 0 to eidelivery, take the other registers out by csrrw with 0: the file is empty.
 *	5. vimsic_import(); look at vimsic_pending().
 *
 * From one hardware file to another: the second, then the first.
 */
#ifndef HV_VIMSIC_H
#define HV_VIMSIC_H

#include <hv/csr_op.h>
#include <hv/mmio.h>

#define VIMSIC_VCPUS 16
#define VIMSIC_IDS_MAX 2047
#define VIMSIC_WORDS ((VIMSIC_IDS_MAX + 1) / 64)	/* of eip and eie, 64 identities each */

/* *iselect numbers of the registers of an interrupt file. */
#define VIMSIC_EIDELIVERY 0x70
#define VIMSIC_EITHRESHOLD 0x72
#define VIMSIC_EIP0 0x80
#define VIMSIC_EIE0 0xC0
#define VIMSIC_LAST 0xFF

/* What the IMSICs ask of their VM. Called on any hart, without a lock; must not block. */
struct vimsic_hooks {
	/*
	 * A file in memory has something for its vCPU that may be new: have the vCPU's hart call
	 * vimsic_pending() before the guest runs on. What was written before the call must be
	 * visible to that hart then (release here, acquire there).
	 */
	void (*kick)(void *ctx, u32 vcpu);
	/*
	 * Write id to seteipnum_le of a hardware file, after all earlier stores of this hart. hw is
	 * what vimsic_export() was given for it.
	 */
	void (*forward)(void *ctx, u64 hw, u32 id);
};

/* One interrupt file. Private to vimsic.c. */
struct vimsic_file {
	/* Written by the owner, read by all: single words. */
	u64 hw;			/* the hardware file that MSIs are forwarded to; 0: in memory */
	u64 eidelivery;		/* 0 or 1 */
	u64 eithreshold;
	u64 eie[VIMSIC_WORDS];

	/* Lock-free: anybody sets bits, the owner clears them. */
	u64 eip[VIMSIC_WORDS] __attribute__((aligned(64)));
} __attribute__((aligned(64)));

/* The IMSICs of a VM. Private to vimsic.c. */
struct vimsic {
	/* Fixed after init. */
	u32 vcpus;
	u32 ids;		/* identities 1 .. ids exist */
	const struct vimsic_hooks *hooks;
	void *ctx;

	struct vimsic_file file[VIMSIC_VCPUS];
};

/* The registers of a file, as they move between memory and hardware. Words past ids are 0. */
struct vimsic_state {
	u64 eidelivery;
	u64 eithreshold;
	u64 eip[VIMSIC_WORDS];
	u64 eie[VIMSIC_WORDS];
};

/*
 * vimsic_init() - all files in memory, all registers 0. vcpus is 1 .. VIMSIC_VCPUS; ids 63 .. 2047,
 * a multiple of 64 less 1 (with hardware files, what these have). hooks must outlive the IMSICs;
 * forward may be NULL when no file is ever exported. By the VM's maker alone.
 */
void vimsic_init(struct vimsic *imsic, u32 vcpus, u32 ids, const struct vimsic_hooks *hooks,
		 void *ctx);

/*
 * vimsic_reset() - the registers of files in memory become 0. The VM is stopped; files in hardware
 * stay there, and are the caller's to empty.
 */
void vimsic_reset(struct vimsic *imsic);

/*
 * vimsic_send() - an MSI: identity id becomes pending in the file of a vCPU, wherever the file is.
 * Identities and vCPUs that do not exist are ignored. Any hart.
 */
void vimsic_send(struct vimsic *imsic, u32 vcpu, u32 id);

/*
 * vimsic_pending() - the external interrupt signal of a file in memory: the identity that asserts
 * it; 0: not asserted ("Interrupt delivery and handling"), or the file is in hardware. Owner; to be
 * asked after a kick, after each access that is not a read, and after vimsic_import().
 */
u32 vimsic_pending(const struct vimsic *imsic, u32 vcpu);

/*
 * vimsic_access() - the guest's access to sireg while siselect is VIMSIC_EIDELIVERY .. VIMSIC_LAST,
 * on RV64. Owner. True: *old is the value before. False: the register does not exist (an odd
 * eip or eie), or exists and the file is in hardware, which should have answered; nothing done.
 * Registers that are reserved, or whose identities all lie past ids, are read-only zeros, and
 * this also answers for a hardware file that does not ("CSRs for external interrupts via an
 * IMSIC"; QEMU traps on both).
 */
bool __must_check vimsic_access(struct vimsic *imsic, u32 vcpu, u64 select, enum csr_op op,
				u64 operand, u64 *old);

/*
 * vimsic_stopei() - the guest's access to stopei. Owner. *old is the top interrupt, in both fields
 * of the register ("Top external interrupt CSRs"); a claim, that is any write, clears its pending
 * bit. eidelivery does not matter. False: the file is in hardware; nothing done.
 */
bool __must_check vimsic_stopei(struct vimsic *imsic, u32 vcpu, bool claim, u64 *old);

/*
 * vimsic_export(), vimsic_recall(), vimsic_import() - see "Moving a file" above. Owner. hw is not
 * 0; the file is in memory for export, in hardware for recall, recalled for import. import takes
 * what hardware gave: bits and values that cannot be here are dropped.
 */
void vimsic_export(struct vimsic *imsic, u32 vcpu, u64 hw, struct vimsic_state *out);
void vimsic_recall(struct vimsic *imsic, u32 vcpu);
void vimsic_import(struct vimsic *imsic, u32 vcpu, const struct vimsic_state *state);

/* vimsic_hw() - the hardware file that vimsic_export() named; 0: in memory. Any hart. */
static inline u64 vimsic_hw(const struct vimsic *imsic, u32 vcpu)
{
	return __atomic_load_n(&imsic->file[vcpu].hw, __ATOMIC_ACQUIRE);
}

/*
 * The pages, as the guest sees them ("Memory region for an interrupt file"); dev is the struct
 * vimsic, the region has a page for each vCPU. Only aligned 4-byte accesses are answered. Reads are
 * 0; seteipnum_le and seteipnum_be send, all other writes are ignored.
 */
extern const struct mmio_ops vimsic_mmio_ops;

#endif
