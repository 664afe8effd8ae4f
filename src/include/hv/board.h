/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the host device tree says about the board: memory, reserved ranges, harts, timebase,
 * interrupt controllers, UART, RTC, initrd, boot arguments. Read once at boot, constant afterwards.
 * The tree comes from the firmware; it is checked as if it did not.
 */
#ifndef HV_BOARD_H
#define HV_BOARD_H

#include <hv/types.h>

#define BOARD_HARTS 64		/* harts kept of the tree; further ones are left asleep */
#define BOARD_RANGES 16		/* memory or reserved ranges */
#define BOARD_ISA 1536		/* bytes of an ISA string with its NUL */
#define BOARD_IMSIC_RANGES 8	/* as many as there are groups of harts, usually one */
#define BOARD_ISAS 4		/* different ISA strings; harts of further ones are left asleep */

struct board_range {
	u64 base;
	u64 size;	/* bytes */
};

struct board_hart {
	u64 hartid;
	u32 plic_context;	/* number of its S-mode PLIC context; BOARD_NO_CONTEXT: none */
	u32 aplic_index;	/* its hart index there; BOARD_NO_CONTEXT: none */
	u64 imsic;		/* page of its S-mode interrupt file; guest file g: g pages on */
	u64 sswi;		/* register that sends it a software interrupt; 0: none */
	/*
	 * The ISA as one lower-case string in the form of riscv,isa ("rv64imafdch_zicsr_sstc"),
	 * made from riscv,isa-base + riscv,isa-extensions when those are there (they win).
	 * Points into the board; harts that are alike share it.
	 */
	const char *isa;
	char mmu[16];		/* mmu-type without "riscv,": "sv39", "sv48", "sv57"; may be "" */
	u32 cbom_block;		/* riscv,cbom-block-size, bytes; 0: absent */
	u32 cboz_block;
	u32 cbop_block;
};
#define BOARD_NO_CONTEXT ((u32)-1)

/* The controller of the board's wired interrupts. */
enum board_irqchip {
	BOARD_NO_IRQCHIP,
	BOARD_PLIC,
	BOARD_APLIC,	/* delivers to the harts itself ("direct") */
	BOARD_IMSIC,	/* an APLIC that sends messages to the harts' IMSICs */
};

struct board_uart {
	u64 base;
	u64 size;
	u32 irq;	/* PLIC or APLIC source; 0: none */
	u32 reg_shift;
	u32 io_width;	/* reg-io-width: 1, 2 or 4 bytes */
	u32 clock;	/* Hz; 0: unknown */
};

struct board {
	const void *fdt;			/* the tree itself; it stays where it was parsed */
	u32 ranges;				/* of memory */
	struct board_range memory[BOARD_RANGES];
	u32 reserved_ranges;			/* /reserved-memory and the reservation block */
	struct board_range reserved[BOARD_RANGES];
	u32 isas;
	char isa[BOARD_ISAS + 1][BOARD_ISA];	/* the last one is for comparing */
	u32 harts;
	struct board_hart hart[BOARD_HARTS];
	u64 timebase;				/* Hz */
	enum board_irqchip irqchip;
	int irqchip_node;			/* its node in the tree; negative: none */
	u32 sources;				/* highest source number there */
	struct board_range plic;		/* size 0: no PLIC */
	struct board_range aplic;		/* S-mode domain; size 0: none */
	u32 imsic_ranges;			/* S-mode interrupt files and their guest files */
	struct board_range imsic[BOARD_IMSIC_RANGES];
	u32 imsic_ids;				/* highest interrupt identity */
	u32 imsic_guest_ids;			/* of the guest files */
	u32 imsic_guest_bits;			/* log2 of the pages from hart to hart */
	struct board_range sswi;		/* ACLINT; size 0: none */
	struct board_uart uart;			/* ns16550a; base 0: none */
	struct board_range rtc;			/* google,goldfish-rtc; size 0: none */
	struct board_range finisher;		/* sifive,test0; size 0: none */
	struct board_range initrd;		/* the boot FIT; size 0: none */
	u8 rng_seed[64];			/* /chosen/rng-seed */
	u32 rng_seed_size;
	char bootargs[256];
};

/*
 * board_parse() - read the flattened tree of at most size bytes into board, which the caller
 * provides. Early boot, one hart, no lock. Returns 0; -EINVAL: no valid tree, or it lacks
 * something Shyper cannot go on without; *why is then a constant text that says what. Whatever
 * is merely odd (a disabled hart, an unknown UART) is left out.
 */
int __must_check board_parse(struct board *board, const void *fdt, size_t size, const char **why);

/* board - the one board, filled in at boot (arch_boot). */
extern struct board board;

/*
 * board_missing() - how many bytes of the range are not in the board's memory. QEMU hands over an
 * initrd that is larger than what it had room for.
 */
u64 board_missing(const struct board *board, const struct board_range *range);

/* board_isa_has() - the ISA string names this extension ("h", "sstc", "svnapot"). */
bool board_isa_has(const char *isa, const char *extension);

#endif
