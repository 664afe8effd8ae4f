/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the board's device tree. Devices are found by their compatible strings wherever they are,
 * as long as every bus above them passes addresses on unchanged ("ranges;").
 */
#include <hv/board.h>

#include <libfdt.h>

#include <hv/errno.h>
#include <hv/fdt_read.h>
#include <hv/isa.h>
#include <hv/string.h>

#include "board_irq.h"

/* --- Properties ------------------------------------------------------------------------------ */

/* An integer of one or two cells. */
static bool read_number(const void *fdt, int node, const char *name, u64 *value)
{
	int size;
	const void *data = fdt_getprop(fdt, node, name, &size);

	if (!data || (size != 4 && size != 8))
		return false;
	*value = size == 4 ? fdt32_ld(data) : fdt64_ld(data);
	return true;
}

static u32 read_u32_or(const void *fdt, int node, const char *name, u32 otherwise)
{
	u64 value;

	return read_number(fdt, node, name, &value) && value <= UINT32_MAX ? (u32)value : otherwise;
}

/* The source number in front of an interrupt specifier (the APLIC's has a second cell); 0: none. */
static u32 first_interrupt(const void *fdt, int node)
{
	int size;
	const fdt32_t *cells = fdt_getprop(fdt, node, "interrupts", &size);

	return cells && size >= 4 ? fdt32_ld(cells) : 0;
}

static bool is_string(const void *fdt, int node, const char *name, const char *value)
{
	const char *text = fdt_read_string(fdt, node, name);

	return text && !strcmp(text, value);
}

static bool read_reg_at(const void *fdt, int parent, int node, u32 index,
			struct board_range *range)
{
	return fdt_read_reg(fdt, parent, node, index, &range->base, &range->size);
}

bool board_read_reg(const void *fdt, int node, u32 index, struct board_range *range)
{
	return fdt_read_untranslated(fdt, node) &&
	       read_reg_at(fdt, fdt_parent_offset(fdt, node), node, index, range);
}

/* First range of a device's registers. */
static bool read_reg(const void *fdt, int node, struct board_range *range)
{
	return board_read_reg(fdt, node, 0, range);
}

int board_next_device(const void *fdt, int node, const char *compatible)
{
	do {
		node = fdt_node_offset_by_compatible(fdt, node, compatible);
	} while (node >= 0 && !fdt_read_okay(fdt, node));
	return node;
}

/* --- Memory ---------------------------------------------------------------------------------- */

static bool add_range(struct board_range *ranges, u32 *count, u64 base, u64 size)
{
	u32 i = *count;

	if (i == BOARD_RANGES)
		return false;
	for (; i > 0 && ranges[i - 1].base > base; i--)
		ranges[i] = ranges[i - 1];
	ranges[i] = (struct board_range){ base, size };
	++*count;
	return true;
}

/* Whole pages inside the range; what is smaller than a page is left out. */
static bool add_memory(struct board *b, const struct board_range *range)
{
	u64 start = range->base > UINT64_MAX - PAGE_SIZE ? 0 : ALIGN_UP(range->base, PAGE_SIZE);
	u64 end = ALIGN_DOWN(range->base + (range->size - 1) + 1, PAGE_SIZE);

	if (end <= start)
		return true;
	return add_range(b->memory, &b->ranges, start, end - start);
}

/* All pages that the range touches. */
static bool add_reserved(struct board *b, const struct board_range *range)
{
	u64 start = ALIGN_DOWN(range->base, PAGE_SIZE);
	u64 last = (range->base + (range->size - 1)) | (PAGE_SIZE - 1);

	return add_range(b->reserved, &b->reserved_ranges, start, last - start + 1);
}

static const char *parse_memory(struct board *b, const void *fdt)
{
	struct board_range range;
	int node;

	fdt_for_each_subnode(node, fdt, 0) {
		if (!is_string(fdt, node, "device_type", "memory") || !fdt_read_okay(fdt, node))
			continue;
		for (u32 i = 0; read_reg_at(fdt, 0, node, i, &range); i++) {
			if (!add_memory(b, &range))
				return "too many memory ranges";
		}
	}
	if (b->ranges == 0)
		return "no memory";
	for (u32 i = 1; i < b->ranges; i++) {
		if (range_overlaps(b->memory[i - 1].base, b->memory[i - 1].size,
				   b->memory[i].base, b->memory[i].size))
			return "memory ranges overlap";
	}
	return NULL;
}

static const char *parse_reserved(struct board *b, const void *fdt)
{
	static const char too_many[] = "too many reserved memory ranges";
	int parent = fdt_path_offset(fdt, "/reserved-memory");
	struct board_range range;
	int node;

	for (int i = 0; i < fdt_num_mem_rsv(fdt); i++) {
		if (fdt_get_mem_rsv(fdt, i, &range.base, &range.size) == 0 &&
		    range_valid(range.base, range.size) && !add_reserved(b, &range))
			return too_many;
	}
	if (parent < 0)
		return NULL;
	fdt_for_each_subnode(node, fdt, parent) {
		if (!fdt_read_okay(fdt, node))
			continue;
		for (u32 i = 0; read_reg_at(fdt, parent, node, i, &range); i++) {
			if (!add_reserved(b, &range))
				return too_many;
		}
	}
	return NULL;
}

/* --- Harts ----------------------------------------------------------------------------------- */

/* Single letters come first in a string, whatever the order of the list. */
static int append_list(char *isa, size_t size, const char *list, int list_size)
{
	for (u32 pass = 0; pass < 2; pass++) {
		for (const char *name = list; name < list + list_size; name += strlen(name) + 1) {
			bool letter = name[0] && !name[1];

			if (name[0] && letter == (pass == 0) && isa_append(isa, size, name))
				return -E2BIG;
		}
	}
	return 0;
}

static int append_string(char *isa, size_t size, const char *text)
{
	for (u32 pass = 0; pass < 2; pass++) {
		struct isa_cursor cursor;
		char name[ISA_NAME];

		if (!isa_begin(&cursor, text))
			return -EINVAL;
		while (isa_next(&cursor, name)) {
			if (!name[1] == (pass == 0) && isa_append(isa, size, name))
				return -E2BIG;
		}
	}
	return 0;
}

/* The ISA in both bindings; the newer one wins. 0, or an error: the hart is unusable. */
static int read_isa(const void *fdt, int node, char isa[BOARD_ISA])
{
	int size;
	const char *list = fdt_getprop(fdt, node, "riscv,isa-extensions", &size);
	const char *text = fdt_read_string(fdt, node, "riscv,isa");

	memcpy(isa, "rv64", 5);
	if (is_string(fdt, node, "riscv,isa-base", "rv64i") && list && size > 0 && !list[size - 1])
		return append_list(isa, BOARD_ISA, list, size);
	return text ? append_string(isa, BOARD_ISA, text) : -ENOENT;
}

/* Keeps each different string once. */
static const char *intern_isa(struct board *b, const void *fdt, int node)
{
	char *isa = b->isa[b->isas];

	if (read_isa(fdt, node, isa))
		return NULL;
	for (u32 i = 0; i < b->isas; i++) {
		if (!strcmp(isa, b->isa[i]))
			return b->isa[i];
	}
	if (b->isas == BOARD_ISAS)
		return NULL;
	b->isas++;
	return isa;
}

static void read_mmu(const void *fdt, int node, char *mmu, size_t size)
{
	const char *text = fdt_read_string(fdt, node, "mmu-type");

	mmu[0] = 0;
	if (text && !strncmp(text, "riscv,sv", 8) && strlen(text + 6) < size)
		memcpy(mmu, text + 6, strlen(text + 6) + 1);
}

static bool read_hart(struct board *b, const void *fdt, int cpus, int node,
		      struct board_hart *hart)
{
	int cells = fdt_address_cells(fdt, cpus), size;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &size);

	if (!is_string(fdt, node, "device_type", "cpu") || !fdt_read_okay(fdt, node) || !reg ||
	    cells < 1 || cells > 2 || size != cells * 4)
		return false;
	*hart = (struct board_hart){
		.hartid = fdt_read_cells(&reg, cells),
		.plic_context = BOARD_NO_CONTEXT,
		.aplic_index = BOARD_NO_CONTEXT,
		.isa = intern_isa(b, fdt, node),
		.cbom_block = read_u32_or(fdt, node, "riscv,cbom-block-size", 0),
		.cboz_block = read_u32_or(fdt, node, "riscv,cboz-block-size", 0),
		.cbop_block = read_u32_or(fdt, node, "riscv,cbop-block-size", 0),
	};
	read_mmu(fdt, node, hart->mmu, sizeof(hart->mmu));
	return hart->isa;
}

/* phandle of the hart's own interrupt controller, 0 when it has none. */
static u32 intc_phandle(const void *fdt, int cpu)
{
	int node;

	fdt_for_each_subnode(node, fdt, cpu) {
		if (fdt_node_check_compatible(fdt, node, "riscv,cpu-intc") == 0)
			return fdt_get_phandle(fdt, node);
	}
	return 0;
}

static bool hart_known(const struct board *b, u64 hartid)
{
	for (u32 i = 0; i < b->harts; i++) {
		if (b->hart[i].hartid == hartid)
			return true;
	}
	return false;
}

/* intc receives the phandle of each kept hart's interrupt controller. */
static const char *parse_harts(struct board *b, const void *fdt, u32 intc[BOARD_HARTS])
{
	int cpus = fdt_path_offset(fdt, "/cpus");
	int node;

	if (cpus < 0)
		return "no /cpus";
	read_number(fdt, cpus, "timebase-frequency", &b->timebase);
	fdt_for_each_subnode(node, fdt, cpus) {
		struct board_hart hart;

		if (b->harts == BOARD_HARTS)
			break;
		if (!read_hart(b, fdt, cpus, node, &hart) || hart_known(b, hart.hartid))
			continue;
		if (b->timebase == 0)
			read_number(fdt, node, "timebase-frequency", &b->timebase);
		intc[b->harts] = intc_phandle(fdt, node);
		b->hart[b->harts++] = hart;
	}
	if (b->harts == 0)
		return "no usable hart";
	return b->timebase ? NULL : "no timebase-frequency";
}

/* --- Devices and /chosen --------------------------------------------------------------------- */

static bool read_uart(const void *fdt, int node, struct board_uart *uart)
{
	struct board_range range;

	if (node < 0 || !fdt_read_okay(fdt, node) ||
	    fdt_node_check_compatible(fdt, node, "ns16550a") != 0 || !read_reg(fdt, node, &range))
		return false;
	*uart = (struct board_uart){
		.base = range.base,
		.size = range.size,
		.irq = first_interrupt(fdt, node),
		.reg_shift = read_u32_or(fdt, node, "reg-shift", 0),
		.io_width = read_u32_or(fdt, node, "reg-io-width", 1),
		.clock = read_u32_or(fdt, node, "clock-frequency", 0),
	};
	return uart->reg_shift <= 3 &&
	       (uart->io_width == 1 || uart->io_width == 2 || uart->io_width == 4);
}

/* stdout-path is a path or an alias, and may end in ":115200n8". */
static int stdout_node(const void *fdt, int chosen)
{
	const char *path = chosen < 0 ? NULL : fdt_read_string(fdt, chosen, "stdout-path");
	const char *options = path ? strchr(path, ':') : NULL;

	if (!path)
		return -1;
	return fdt_path_offset_namelen(fdt, path, (int)(options ? (size_t)(options - path)
								: strlen(path)));
}

static void parse_uart(struct board *b, const void *fdt, int chosen)
{
	struct board_uart uart;
	int node = stdout_node(fdt, chosen);

	while (!read_uart(fdt, node, &uart)) {
		static const char compatible[] = "ns16550a";

		node = board_next_device(fdt, node, compatible);
		if (node < 0)
			return;
	}
	b->uart = uart;
}

static void parse_chosen(struct board *b, const void *fdt, int chosen)
{
	const char *bootargs = fdt_read_string(fdt, chosen, "bootargs");
	u64 start, end;
	int size;
	const void *seed = fdt_getprop(fdt, chosen, "rng-seed", &size);

	if (read_number(fdt, chosen, "linux,initrd-start", &start) &&
	    read_number(fdt, chosen, "linux,initrd-end", &end) && end > start)
		b->initrd = (struct board_range){ start, end - start };
	if (bootargs)
		memcpy(b->bootargs, bootargs,
		       MIN(strlen(bootargs), sizeof(b->bootargs) - 1));
	if (seed) {
		b->rng_seed_size = MIN((u32)size, (u32)sizeof(b->rng_seed));
		memcpy(b->rng_seed, seed, b->rng_seed_size);
	}
}

static void parse_devices(struct board *b, const void *fdt, const u32 *intc)
{
	int chosen = fdt_path_offset(fdt, "/chosen");
	int rtc = board_next_device(fdt, -1, "google,goldfish-rtc");
	int finisher = board_next_device(fdt, -1, "sifive,test0");

	board_parse_irq(b, fdt, intc);
	parse_uart(b, fdt, chosen);
	if (rtc >= 0 && !read_reg(fdt, rtc, &b->rtc))
		b->rtc = (struct board_range){ .size = 0 };
	if (finisher >= 0 && !read_reg(fdt, finisher, &b->finisher))
		b->finisher = (struct board_range){ .size = 0 };
	if (chosen >= 0)
		parse_chosen(b, fdt, chosen);
}

int board_parse(struct board *b, const void *fdt, size_t size, const char **why)
{
	u32 intc[BOARD_HARTS];

	memset(b, 0, sizeof(*b));
	b->fdt = fdt;
	*why = fdt_check_full(fdt, size) ? "not a sound device tree" : NULL;
	if (!*why)
		*why = parse_memory(b, fdt);
	if (!*why)
		*why = parse_reserved(b, fdt);
	if (!*why)
		*why = parse_harts(b, fdt, intc);
	if (*why)
		return -EINVAL;
	parse_devices(b, fdt, intc);
	return 0;
}

u64 board_missing(const struct board *b, const struct board_range *range)
{
	u64 last = range->base + (range->size - 1), missing = range->size;

	for (u32 i = 0; range->size && i < b->ranges; i++) {
		const struct board_range *ram = &b->memory[i];
		u64 from = MAX(range->base, ram->base), to = MIN(last, ram->base + (ram->size - 1));

		if (from <= to)
			missing -= to - from + 1;
	}
	return missing;
}

bool board_isa_has(const char *isa, const char *extension)
{
	return isa_has(isa, extension);
}
