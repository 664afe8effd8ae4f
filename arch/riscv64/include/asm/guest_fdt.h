/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device tree that a guest gets: QEMU's virt machine, as far as this VM really has it. Pure
 * functions of their arguments, no lock, any context; they compile on the host too.
 */
#ifndef ASM_GUEST_FDT_H
#define ASM_GUEST_FDT_H

#include <hv/types.h>

struct vmdef;

/* Extensions that a guest can use only when the host's CSRs grant them. */
struct guest_isa_caps {
	bool sstc;	/* henvcfg.STCE */
	bool svpbmt;	/* henvcfg.PBMTE */
	bool svadu;	/* henvcfg.ADUE */
	bool cbom;	/* henvcfg.CBCFE and CBIE */
	bool cboz;	/* henvcfg.CBZE */
	bool vector;	/* vector state is switched */
	bool ssaia;	/* the vCPU has a guest interrupt file */
};

/*
 * guest_isa_build() - what of the host's ISA string a guest can use, in the same form, "i" first,
 * into out. Extensions that are unknown here are left out: they may have state that nobody
 * switches. 0; -EINVAL: not a 64-bit RISC-V string; -E2BIG: does not fit.
 */
int __must_check guest_isa_build(const char *host_isa, const struct guest_isa_caps *caps, char *out,
				 size_t size);

struct guest_fdt_params {
	const struct vmdef *def;	/* resolved */
	const void *board_fdt;		/* where its host nodes are; NULL: it has none */
	u32 board_irqchip;		/* phandle of the controller there that they interrupt */
	u32 imsic_ids;			/* highest identity, with def->imsic */
	const char *isa;		/* of every vCPU, from guest_isa_build() */
	const char *const *vcpu_isa;	/* one for each vCPU when they differ, else NULL */
	const char *mmu;		/* "sv39", "sv48", "sv57"; "": not said */
	u64 timebase;			/* Hz */
	u32 cbom_block;			/* bytes; 0: not said */
	u32 cboz_block;
	u32 cbop_block;
	u64 initrd;			/* guest physical */
	u64 initrd_size;		/* bytes; 0: no initrd */
	const u8 *rng_seed;
	u32 rng_seed_size;		/* bytes; 0: none */
};

/* Without devices of the board, no tree needs more than this, whatever definition and board. */
#define GUEST_FDT_SIZE 65536

/*
 * guest_fdt_build() - write the tree into buf of size bytes. Its size is fdt_totalsize(buf).
 * 0; -E2BIG: buf is too small; -EINVAL: an ISA string is malformed.
 */
int __must_check guest_fdt_build(const struct guest_fdt_params *params, void *buf, size_t size);

#endif
