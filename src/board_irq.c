/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's interrupt controllers: PLIC, or APLIC (with IMSICs or alone), and the ACLINT's SSWI.
 * All say in interrupts-extended which hart each of their parts serves: pairs of the hart's own
 * controller and the number of one of its interrupts.
 */
#include "board_irq.h"

#include <libfdt.h>

#include <hv/fdt_read.h>

/* Interrupts of a hart: privileged specification, sip. */
#define IRQ_S_SOFT 1
#define IRQ_S_EXT 9

/* Entry number i of interrupts-extended; false: there is no more. */
static bool target(const void *fdt, int node, u32 i, u32 *phandle, u32 *irq)
{
	int size;
	const fdt32_t *cells = fdt_getprop(fdt, node, "interrupts-extended", &size);

	if (!cells || i >= (u32)size / 8)
		return false;
	*phandle = fdt32_ld(cells + 2 * i);
	*irq = fdt32_ld(cells + 2 * i + 1);
	return true;
}

/* The first entry is some hart's S-mode external interrupt. */
static bool serves_s_mode(const void *fdt, int node)
{
	u32 phandle, irq;

	return target(fdt, node, 0, &phandle, &irq) && irq == IRQ_S_EXT;
}

typedef void (*note_part)(struct board_hart *hart, u64 where);

/* Part number i of the controller, which serves this interrupt of the harts that it names. */
static void note_harts(struct board *b, const void *fdt, int node, const u32 *intc, u32 irq,
		       u64 (*where)(const struct board *b, u32 i), note_part note)
{
	u32 phandle, number;

	for (u32 i = 0; target(fdt, node, i, &phandle, &number); i++) {
		for (u32 h = 0; phandle && number == irq && h < b->harts; h++) {
			if (intc[h] == phandle)
				note(&b->hart[h], where(b, i));
		}
	}
}

static u64 number_itself(const struct board *b, u32 i)
{
	(void)b;
	return i;
}

/* --- PLIC ------------------------------------------------------------------------------------ */

static void note_context(struct board_hart *hart, u64 context)
{
	hart->plic_context = (u32)context;
}

static bool parse_plic(struct board *b, const void *fdt, const char *compatible, const u32 *intc)
{
	int node = board_next_device(fdt, -1, compatible);
	struct board_range range;
	u32 sources;

	if (node < 0 || !board_read_reg(fdt, node, 0, &range))
		return false;
	sources = fdt_read_u32(fdt, node, "riscv,ndev", 0);
	if (sources == 0 || sources > 1023)
		return false;
	b->irqchip = BOARD_PLIC;
	b->irqchip_node = node;
	b->plic = range;
	b->sources = sources;
	note_harts(b, fdt, node, intc, IRQ_S_EXT, number_itself, note_context);
	return true;
}

/* --- IMSIC ----------------------------------------------------------------------------------- */

/* riscv,imsics binding: file i is i · 2^guest-index-bits pages behind the start of all ranges. */
static u64 imsic_file(const struct board *b, u32 i)
{
	u64 stride = (u64)PAGE_SIZE << b->imsic_guest_bits, offset = i * stride;

	for (u32 range = 0; range < b->imsic_ranges; range++) {
		if (offset < b->imsic[range].size)
			return b->imsic[range].base + offset;
		offset -= ALIGN_UP(b->imsic[range].size, stride);
	}
	return 0;
}

static void note_file(struct board_hart *hart, u64 file)
{
	hart->imsic = file;
}

/* The smallest number of bits in which n things can be numbered. */
static u32 bits_for(u32 n)
{
	u32 bits = 0;

	while ((u64)1 << bits < n)
		bits++;
	return bits;
}

/*
 * AIA specification, 3.6 and 4.9.1: of the address of a hart's file, the APLIC knows two fields:
 * the group, and the hart in the group. Both together are its hart index.
 */
static void note_aplic_indices(struct board *b, const void *fdt, int node, u32 files)
{
	u32 low = PAGE_SHIFT + b->imsic_guest_bits;
	u32 bits = fdt_read_u32(fdt, node, "riscv,hart-index-bits", bits_for(files));
	u32 groups = fdt_read_u32(fdt, node, "riscv,group-index-bits", 0);
	u32 shift = fdt_read_u32(fdt, node, "riscv,group-index-shift", 24);

	for (u32 i = 0; i < b->harts; i++) {
		u64 file = b->hart[i].imsic;

		if (file && bits <= 15 && groups <= 7 && shift <= 55)
			b->hart[i].aplic_index =
				(u32)(file >> low & (BIT(bits) - 1)) |
				(u32)(file >> shift & (BIT(groups) - 1)) << bits;
	}
}

/* AIA specification, 3.1: 63 to 2047 identities, of guest files not always as many. */
static bool are_ids(u32 highest)
{
	return highest >= 63 && highest <= 2047 && (highest + 1) % 64 == 0;
}

/* 3.5: up to 63 guest files beside an S-file. */
static bool parse_imsic(struct board *b, const void *fdt, int node, const u32 *intc)
{
	u32 ids = fdt_read_u32(fdt, node, "riscv,num-ids", 0);
	u32 guest_ids = fdt_read_u32(fdt, node, "riscv,num-guest-ids", ids);
	u32 bits = fdt_read_u32(fdt, node, "riscv,guest-index-bits", 0);
	u32 files = 0, phandle, irq;

	if (!serves_s_mode(fdt, node) || !are_ids(ids) || !are_ids(guest_ids) || bits > 6)
		return false;
	b->imsic_ids = ids;
	b->imsic_guest_ids = guest_ids;
	b->imsic_guest_bits = bits;
	b->imsic_ranges = 0;
	while (b->imsic_ranges < BOARD_IMSIC_RANGES &&
	       board_read_reg(fdt, node, b->imsic_ranges, &b->imsic[b->imsic_ranges]))
		b->imsic_ranges++;
	note_harts(b, fdt, node, intc, IRQ_S_EXT, imsic_file, note_file);
	while (target(fdt, node, files, &phandle, &irq))
		files++;
	note_aplic_indices(b, fdt, node, files);
	return b->imsic_ranges;
}

/* --- APLIC ----------------------------------------------------------------------------------- */

static void note_idc(struct board_hart *hart, u64 idc)
{
	hart->aplic_index = (u32)idc;
}

/* An APLIC domain serves S-mode by messages to an S-mode IMSIC, or by wires to harts. */
static bool parse_aplic(struct board *b, const void *fdt, int node, const u32 *intc)
{
	u32 parent = fdt_read_u32(fdt, node, "msi-parent", 0);
	u32 sources = fdt_read_u32(fdt, node, "riscv,num-sources", 0);
	int imsic = parent ? fdt_node_offset_by_phandle(fdt, parent) : -1;
	struct board_range range;

	if (sources == 0 || sources > 1023 || !board_read_reg(fdt, node, 0, &range))
		return false;
	if (imsic >= 0 && fdt_read_okay(fdt, imsic) && parse_imsic(b, fdt, imsic, intc))
		b->irqchip = BOARD_IMSIC;
	else if (serves_s_mode(fdt, node))
		b->irqchip = BOARD_APLIC;
	else
		return false;
	if (b->irqchip == BOARD_APLIC)
		note_harts(b, fdt, node, intc, IRQ_S_EXT, number_itself, note_idc);
	b->irqchip_node = node;
	b->aplic = range;
	b->sources = sources;
	return true;
}

/* --- ACLINT SSWI ----------------------------------------------------------------------------- */

/* RISC-V ACLINT specification 1.0, SSWI: register i, of 4 bytes, sends hart i of the device. */
static u64 sswi_register(const struct board *b, u32 i)
{
	return range_inside(4 * (u64)i, 4, 0, b->sswi.size) ? b->sswi.base + 4 * (u64)i : 0;
}

static void note_sswi(struct board_hart *hart, u64 reg)
{
	hart->sswi = reg;
}

static void parse_sswi(struct board *b, const void *fdt, const u32 *intc)
{
	int node = board_next_device(fdt, -1, "riscv,aclint-sswi");

	if (node < 0 || !board_read_reg(fdt, node, 0, &b->sswi))
		return;
	note_harts(b, fdt, node, intc, IRQ_S_SOFT, sswi_register, note_sswi);
}

void board_parse_irq(struct board *b, const void *fdt, const u32 *intc)
{
	int node = -1;

	b->irqchip_node = -1;
	parse_sswi(b, fdt, intc);
	while ((node = board_next_device(fdt, node, "riscv,aplic")) >= 0) {
		if (parse_aplic(b, fdt, node, intc))
			return;
	}
	if (!parse_plic(b, fdt, "sifive,plic-1.0.0", intc))
		parse_plic(b, fdt, "riscv,plic0", intc);
}
