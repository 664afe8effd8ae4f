/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's device tree: read back with libfdt and with Shyper's own board parser, and looked at
 * by dtc, which must find nothing to complain about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <libfdt.h>

#include <asm/guest_fdt.h>

#include <hv/board.h>
#include <hv/errno.h>
#include <hv/passthrough.h>
#include <hv/vmdef.h>

#include "dts.h"

static u64 fdt[GUEST_FDT_SIZE / 8];
static struct vmdef def;
static const u8 seed[40] = "forty bytes of seed, never used as such";

/* A VM as QEMU's virt machine with two harts. */
static struct guest_fdt_params make_params(void)
{
	memset(&def, 0, sizeof(def));
	def.vcpus = 2;
	def.rams = 1;
	def.ram[0] = (struct vmdef_ram){ 0x80000000, MIB(256), false };
	strcpy(def.cmdline, "console=ttyS0");
	def.plic = (struct vmdef_device){ 0xc000000, 0x600000, 0 };
	def.sources = 96;
	def.uart = (struct vmdef_device){ 0x10000000, 0x100, 10 };
	def.finisher = (struct vmdef_device){ 0x100000, 0x1000, 0 };
	def.rtc = (struct vmdef_device){ 0x101000, 0x1000, 11 };
	def.console = (struct vmdef_device){ 0x10001000, 0x1000, 1 };
	return (struct guest_fdt_params){
		.def = &def,
		.isa = "rv64imafdc_zicbom_zicboz_zicsr_sstc",
		.mmu = "sv57",
		.timebase = 10000000,
		.cbom_block = 64,
		.cboz_block = 128,
		.cbop_block = 32,
		.initrd = 0x88000000,
		.initrd_size = 0x1234,
		.rng_seed = seed,
		.rng_seed_size = sizeof(seed),
	};
}

static void build(const struct guest_fdt_params *params)
{
	assert_int_equal(guest_fdt_build(params, fdt, sizeof(fdt)), 0);
	assert_int_equal(fdt_check_full(fdt, sizeof(fdt)), 0);
}

static const void *property(const char *path, const char *name, int size)
{
	int found;
	const void *data = fdt_getprop(fdt, fdt_path_offset(fdt, path), name, &found);

	if (!data)
		fail_msg("%s has no %s", path, name);
	assert_int_equal(found, size);
	return data;
}

static u32 cell(const char *path, const char *name)
{
	return fdt32_ld(property(path, name, 4));
}

static void assert_text(const char *path, const char *name, const char *text, size_t size)
{
	assert_memory_equal(property(path, name, (int)size), text, size);
}

#define ASSERT_TEXT(path, name, text) assert_text(path, name, text, sizeof(text))

static void assert_absent(const char *path, const char *name)
{
	assert_null(fdt_getprop(fdt, fdt_path_offset(fdt, path), name, NULL));
}

static void test_cpus(void **state)
{
	const struct guest_fdt_params params = make_params();

	(void)state;
	build(&params);
	assert_int_equal(cell("/cpus", "timebase-frequency"), 10000000);
	assert_int_equal(cell("/cpus/cpu@1", "reg"), 1);
	ASSERT_TEXT("/cpus/cpu@0", "riscv,isa", "rv64imafdc_zicbom_zicboz_zicsr_sstc");
	ASSERT_TEXT("/cpus/cpu@0", "riscv,isa-base", "rv64i");
	ASSERT_TEXT("/cpus/cpu@0", "riscv,isa-extensions",
		    "i\0m\0a\0f\0d\0c\0zicbom\0zicboz\0zicsr\0sstc");
	ASSERT_TEXT("/cpus/cpu@0", "mmu-type", "riscv,sv57");
	ASSERT_TEXT("/cpus/cpu@1", "status", "okay");
	assert_true(fdt_path_offset(fdt, "/cpus/cpu@2") < 0);
}

/* Block sizes are said only of instructions that are there. */
static void test_block_sizes(void **state)
{
	const struct guest_fdt_params params = make_params();

	(void)state;
	build(&params);
	assert_int_equal(cell("/cpus/cpu@0", "riscv,cbom-block-size"), 64);
	assert_int_equal(cell("/cpus/cpu@0", "riscv,cboz-block-size"), 128);
	assert_absent("/cpus/cpu@0", "riscv,cbop-block-size");
}

static void test_isa_of_each_vcpu(void **state)
{
	static const char *const isas[] = { "rv64imac", "rv64imafdc" };
	struct guest_fdt_params params = make_params();

	(void)state;
	params.vcpu_isa = isas;
	build(&params);
	ASSERT_TEXT("/cpus/cpu@0", "riscv,isa", "rv64imac");
	ASSERT_TEXT("/cpus/cpu@1", "riscv,isa", "rv64imafdc");
}

static void test_fast_timebase(void **state)
{
	struct guest_fdt_params params = make_params();

	(void)state;
	params.timebase = 5000000000;
	build(&params);
	assert_int_equal(fdt64_ld(property("/cpus", "timebase-frequency", 8)), 5000000000);
}

/* The board's own parser finds in the guest's tree what the guest has. */
static void test_read_as_board(void **state)
{
	const struct guest_fdt_params params = make_params();
	static struct board found;
	const char *why;

	(void)state;
	build(&params);
	assert_int_equal(board_parse(&found, fdt, sizeof(fdt), &why), 0);
	assert_int_equal(found.ranges, 1);
	assert_int_equal(found.memory[0].base, 0x80000000);
	assert_int_equal(found.memory[0].size, MIB(256));
	assert_int_equal(found.harts, 2);
	assert_int_equal(found.hart[0].plic_context, 1);
	assert_int_equal(found.hart[1].plic_context, 3);
	assert_string_equal(found.hart[1].isa, params.isa);
	assert_int_equal(found.timebase, 10000000);
	assert_int_equal(found.plic.base, 0xc000000);
	assert_int_equal(found.sources, 95);
	assert_int_equal(found.uart.base, 0x10000000);
	assert_int_equal(found.uart.irq, 10);
	assert_int_equal(found.uart.clock, 3686400);
	assert_int_equal(found.rtc.base, 0x101000);
	assert_int_equal(found.initrd.base, 0x88000000);
	assert_int_equal(found.initrd.size, 0x1234);
	assert_string_equal(found.bootargs, "console=ttyS0");
	assert_int_equal(found.rng_seed_size, sizeof(seed));
	assert_memory_equal(found.rng_seed, seed, sizeof(seed));
}

/* Power off and reboot go through the finisher; interrupts to the PLIC. */
static void test_references(void **state)
{
	const struct guest_fdt_params params = make_params();
	u32 plic, finisher;

	(void)state;
	build(&params);
	plic = cell("/soc/plic@c000000", "phandle");
	finisher = cell("/soc/test@100000", "phandle");
	assert_int_not_equal(plic, finisher);
	assert_int_equal(cell("/soc/serial@10000000", "interrupt-parent"), plic);
	assert_int_equal(cell("/soc/rtc@101000", "interrupts"), 11);
	assert_int_equal(cell("/soc/virtio_mmio@10001000", "interrupts"), 1);
	ASSERT_TEXT("/soc/virtio_mmio@10001000", "compatible", "virtio,mmio");
	assert_int_equal(cell("/poweroff", "regmap"), finisher);
	assert_int_equal(cell("/poweroff", "value"), 0x5555);
	assert_int_equal(cell("/reboot", "value"), 0x7777);
	ASSERT_TEXT("/soc/test@100000", "compatible", "sifive,test1\0sifive,test0\0syscon");
	ASSERT_TEXT("/soc/plic@c000000", "compatible", "sifive,plic-1.0.0\0riscv,plic0");
	ASSERT_TEXT("/chosen", "stdout-path", "/soc/serial@10000000");
	ASSERT_TEXT("/aliases", "serial0", "/soc/serial@10000000");
}

/* The same VM with an APLIC, and with IMSICs or without. */
static struct guest_fdt_params make_aia_params(bool imsic)
{
	struct guest_fdt_params params = make_params();

	def.plic.size = 0;
	def.aplic = (struct vmdef_device){ 0xd000000, 0x8000, 0 };
	if (imsic)
		def.imsic = (struct vmdef_device){ 0x28000000, 0x10000, 0 };
	params.imsic_ids = 255;
	return params;
}

static void read_board(struct board *found)
{
	const char *why;

	assert_int_equal(board_parse(found, fdt, sizeof(fdt), &why), 0);
}

static void test_imsic(void **state)
{
	const struct guest_fdt_params params = make_aia_params(true);
	static struct board found;
	const fdt32_t *uart, *disk;

	(void)state;
	build(&params);
	read_board(&found);
	assert_int_equal(found.irqchip, BOARD_IMSIC);
	assert_int_equal(found.sources, 95);
	assert_int_equal(found.imsic_ids, 255);
	assert_int_equal(found.imsic_guest_bits, 0);
	assert_int_equal(found.imsic[0].size, 0x2000);
	assert_int_equal(found.hart[0].imsic, 0x28000000);
	assert_int_equal(found.hart[1].imsic, 0x28001000);
	assert_int_equal(found.hart[1].aplic_index, 1);
	uart = property("/soc/serial@10000000", "interrupts", 8);
	assert_int_equal(fdt32_ld(uart), 10);
	assert_int_equal(fdt32_ld(uart + 1), 4);
	disk = property("/soc/virtio_mmio@10001000", "interrupts", 8);
	assert_int_equal(fdt32_ld(disk), 1);
	assert_int_equal(fdt32_ld(disk + 1), 1);
	assert_int_equal(cell("/soc/serial@10000000", "interrupt-parent"),
			 cell("/soc/interrupt-controller@d000000", "phandle"));
}

static void test_imsic_stride(void **state)
{
	const struct guest_fdt_params params = make_aia_params(true);
	static struct board found;

	(void)state;
	def.imsic_bits = 2;
	build(&params);
	read_board(&found);
	assert_int_equal(found.imsic_guest_bits, 2);
	assert_int_equal(found.hart[1].imsic, 0x28004000);
}

static void test_aplic_alone(void **state)
{
	const struct guest_fdt_params params = make_aia_params(false);
	static struct board found;

	(void)state;
	build(&params);
	read_board(&found);
	assert_int_equal(found.irqchip, BOARD_APLIC);
	assert_int_equal(found.hart[1].aplic_index, 1);
	assert_absent("/soc/interrupt-controller@d000000", "msi-parent");
}

/* What the VM does not have is not in its tree, nor is anything that would refer to it. */
static void test_nothing(void **state)
{
	struct guest_fdt_params params = make_params();

	(void)state;
	def.plic.size = def.uart.size = def.finisher.size = def.rtc.size = 0;
	def.console.size = 0;
	def.cmdline[0] = 0;
	params.initrd_size = 0;
	params.rng_seed_size = 0;
	params.mmu = "";
	build(&params);
	assert_true(fdt_first_subnode(fdt, fdt_path_offset(fdt, "/soc")) < 0);
	assert_true(fdt_path_offset(fdt, "/poweroff") < 0);
	assert_true(fdt_path_offset(fdt, "/reboot") < 0);
	assert_true(fdt_first_property_offset(fdt, fdt_path_offset(fdt, "/chosen")) < 0);
	assert_absent("/aliases", "serial0");
	assert_absent("/cpus/cpu@0", "mmu-type");
}

/* A device without interrupt names no parent. */
static void test_no_interrupt(void **state)
{
	const struct guest_fdt_params params = make_params();

	(void)state;
	def.uart.irq = 0;
	build(&params);
	assert_absent("/soc/serial@10000000", "interrupts");
	assert_absent("/soc/serial@10000000", "interrupt-parent");
}

/* The largest VM and ISA fit into GUEST_FDT_SIZE. */
static void test_largest(void **state)
{
	struct guest_fdt_params params = make_params();
	static char isa[BOARD_ISA] = "rv64imafdc";

	(void)state;
	while (strlen(isa) + 5 < sizeof(isa))
		strcat(isa, "_zabc");
	def.vcpus = VMDEF_VCPUS;
	def.rams = VMDEF_RAM;
	memset(def.cmdline, 'x', sizeof(def.cmdline) - 1);
	for (u32 i = 0; i < VMDEF_RAM; i++)
		def.ram[i] = (struct vmdef_ram){ 0x80000000 + i * MIB(256), MIB(128), false };
	params.isa = isa;
	build(&params);
	assert_int_equal(cell("/cpus/cpu@f", "reg"), 15);
}

static void test_every_size(void **state)
{
	const struct guest_fdt_params params = make_params();
	u32 size;

	(void)state;
	build(&params);
	size = fdt_totalsize(fdt);
	for (u32 n = 0; n < size; n += 4) {
		u8 *exact = malloc(n ? n : 1);
		int err = guest_fdt_build(&params, exact, n);

		/* libfdt keeps a little air for its own use near the end. */
		assert_true(err == -E2BIG || (err == 0 && n > size - 64));
		free(exact);
	}
}

static void test_bad_isa(void **state)
{
	struct guest_fdt_params params = make_params();

	(void)state;
	params.isa = "rv32imac";
	assert_int_equal(guest_fdt_build(&params, fdt, sizeof(fdt)), -EINVAL);
}

/* --- Devices of the board ------------------------------------------------------------------- */

struct board board;

static const char board_source[] =
	"/ { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <9>; "
	"chosen { stdout-path = \"/soc/serial@10000000:115200\"; }; "
	"memory@80000000 { device_type = \"memory\"; reg = <0 0x80000000 0 0x8000000>; }; "
	"cpus { #address-cells = <1>; #size-cells = <0>; timebase-frequency = <10000000>; "
	"cpu@0 { device_type = \"cpu\"; reg = <0>; compatible = \"riscv\"; "
	"riscv,isa = \"rv64imach\"; interrupt-controller { compatible = \"riscv,cpu-intc\"; "
	"#interrupt-cells = <1>; interrupt-controller; phandle = <3>; }; }; }; "
	"clk: osc { compatible = \"fixed-clock\"; #clock-cells = <0>; "
	"clock-frequency = <1000>; phandle = <40>; }; "
	"old { #address-cells = <1>; #size-cells = <1>; ranges; compatible = \"simple-bus\"; "
	"wdt@7000 { compatible = \"acme,wdt\"; reg = <0x7000 0x100>; interrupts = <5>; }; "
	"pci@50000000 { compatible = \"pci-host-ecam-generic\"; device_type = \"pci\"; "
	"reg = <0x50000000 0x10000000>; #address-cells = <3>; #size-cells = <2>; "
	"bus-range = <0 255>; ranges = <0x2000000 0 0x60000000 0x60000000 0 0x1000>; }; }; "
	"soc { #address-cells = <2>; #size-cells = <2>; compatible = \"simple-bus\"; ranges; "
	"plic@c000000 { compatible = \"riscv,plic0\"; reg = <0 0xc000000 0 0x600000>; "
	"riscv,ndev = <95>; interrupt-controller; #interrupt-cells = <1>; phandle = <9>; "
	"#address-cells = <0>; interrupts-extended = <3 9>; }; "
	"serial@10000000 { compatible = \"ns16550a\"; reg = <0 0x10000000 0 0x100>; "
	"interrupts = <10>; clocks = <40>; pinctrl-0 = <77>; pinctrl-names = \"default\"; }; "
	"flash@20000000 { compatible = \"cfi-flash\"; reg = <0 0x20000000 0 0x2000000>; "
	"bank-width = <4>; #address-cells = <1>; #size-cells = <1>; "
	"part@0 { label = \"boot\"; reg = <0 0x1000>; }; }; "
	"pci@30000000 { compatible = \"pci-host-ecam-generic\"; device_type = \"pci\"; "
	"reg = <0 0x30000000 0 0x10000000>; #address-cells = <3>; #size-cells = <2>; "
	"#interrupt-cells = <1>; bus-range = <0 255>; dma-coherent; msi-parent = <50>; "
	"ranges = <0x2000000 0 0x40000000 0 0x40000000 0 0x40000000>; "
	"interrupt-map = <0 0 0 1 9 32>; interrupt-map-mask = <0x1800 0 0 7>; }; }; };";

/* A VM with all of them; the board's tree stays until the process ends. */
static struct guest_fdt_params make_host_params(void)
{
	static const char *const paths[] = { "/osc", "/soc/serial@10000000", "/old/wdt@7000",
					     "/soc/flash@20000000", "/soc/pci@30000000",
					     "/old/pci@50000000" };
	static void *tree;
	struct guest_fdt_params params = make_params();
	struct vmdef_error error;
	const char *why;
	size_t size;

	if (!tree) {
		tree = dts_compile(board_source, &size);
		assert_int_equal(board_parse(&board, tree, size, &why), 0);
	}
	def.uart.size = 0;
	def.ram[0].identity = true;
	for (u32 i = 0; i < ARRAY_SIZE(paths); i++)
		strcpy(def.host_node[def.host_nodes++].path, paths[i]);
	if (passthrough_resolve(&def, &board, &error))
		fail_msg("%s %s: %s", error.node, error.property, error.reason);
	params.board_fdt = tree;
	params.board_irqchip = fdt_get_phandle(tree, board.irqchip_node);
	return params;
}

/* Properties arrive as they are; what is inherited on the board is said; the rest is left out. */
static void test_host_nodes(void **state)
{
	const struct guest_fdt_params params = make_host_params();
	static const u32 map[] = { 0, 0, 0, 1, 9, 32 };
	const fdt32_t *cells;

	(void)state;
	build(&params);
	ASSERT_TEXT("/soc/serial@10000000", "compatible", "ns16550a");
	assert_int_equal(cell("/soc/serial@10000000", "interrupts"), 10);
	assert_int_equal(cell("/soc/serial@10000000", "interrupt-parent"), 9);
	assert_absent("/soc/serial@10000000", "pinctrl-0");
	assert_absent("/soc/serial@10000000", "pinctrl-names");
	assert_int_equal(cell("/osc", "phandle"), 40);
	assert_int_equal(cell("/soc/serial@10000000", "clocks"), 40);
	cells = property("/soc/pci@30000000", "interrupt-map", sizeof(map));
	for (u32 i = 0; i < ARRAY_SIZE(map); i++)
		assert_int_equal(fdt32_ld(cells + i), map[i]);
	property("/soc/pci@30000000", "dma-coherent", 0);
	assert_absent("/soc/pci@30000000", "msi-parent");
	ASSERT_TEXT("/soc/flash@20000000/part@0", "label", "boot");
	ASSERT_TEXT("/chosen", "stdout-path", "/soc/serial@10000000");
	ASSERT_TEXT("/aliases", "serial0", "/soc/serial@10000000");
}

/* Whatever the cells on the board's bus, on the guest's there are two and two. */
static void test_host_cells(void **state)
{
	const struct guest_fdt_params params = make_host_params();
	static const u32 reg[] = { 0, 0x7000, 0, 0x100 };
	static const u32 ranges[] = { 0x2000000, 0, 0x60000000, 0, 0x60000000, 0, 0x1000 };
	const fdt32_t *cells;

	(void)state;
	build(&params);
	cells = property("/soc/wdt@7000", "reg", sizeof(reg));
	for (u32 i = 0; i < ARRAY_SIZE(reg); i++)
		assert_int_equal(fdt32_ld(cells + i), reg[i]);
	cells = property("/soc/pci@50000000", "ranges", sizeof(ranges));
	for (u32 i = 0; i < ARRAY_SIZE(ranges); i++)
		assert_int_equal(fdt32_ld(cells + i), ranges[i]);
}

/* The PLIC has the board's phandle; ours are behind all of the board's. */
static void test_host_phandles(void **state)
{
	const struct guest_fdt_params params = make_host_params();
	u32 intc;

	(void)state;
	build(&params);
	assert_int_equal(cell("/soc/plic@c000000", "phandle"), 9);
	assert_int_equal(cell("/soc/rtc@101000", "interrupt-parent"), 9);
	intc = cell("/cpus/cpu@0/interrupt-controller", "phandle");
	assert_true(intc > 40);
	assert_int_equal(cell("/cpus/cpu@1/interrupt-controller", "phandle"), intc + 1);
	assert_int_equal(cell("/soc/test@100000", "phandle"), intc + 3);
	assert_int_equal(cell("/poweroff", "regmap"), intc + 3);
}

/* A console that is not the VM's is not its stdout. */
static void test_host_without_console(void **state)
{
	const struct guest_fdt_params params = make_host_params();

	(void)state;
	strcpy(def.host_node[1].path, "/soc/flash@20000000");
	def.host_nodes = 2;
	build(&params);
	assert_absent("/chosen", "stdout-path");
	assert_absent("/aliases", "serial0");
}

static void dtc_finds_nothing(const struct guest_fdt_params *params)
{
	char path[] = "/tmp/test_guest_fdt.XXXXXX", command[128], line[256] = "";
	int file = mkstemp(path);
	FILE *dtc;

	build(params);
	assert_true(file >= 0);
	assert_int_equal(write(file, fdt, fdt_totalsize(fdt)), fdt_totalsize(fdt));
	close(file);
	snprintf(command, sizeof(command), "dtc -I dtb -O dtb -o /dev/null %s 2>&1", path);
	dtc = popen(command, "r");
	assert_non_null(dtc);
	if (fgets(line, sizeof(line), dtc))
		fail_msg("dtc: %s", line);
	assert_int_equal(pclose(dtc), 0);
	unlink(path);
}

static void test_dtc_finds_nothing(void **state)
{
	struct guest_fdt_params params = make_params();

	(void)state;
	dtc_finds_nothing(&params);
	params = make_host_params();
	dtc_finds_nothing(&params);
	params = make_aia_params(true);
	dtc_finds_nothing(&params);
	params = make_aia_params(false);
	dtc_finds_nothing(&params);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_block_sizes),
		cmocka_unit_test(test_isa_of_each_vcpu),
		cmocka_unit_test(test_fast_timebase),
		cmocka_unit_test(test_read_as_board),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_imsic),
		cmocka_unit_test(test_imsic_stride),
		cmocka_unit_test(test_aplic_alone),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_no_interrupt),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_bad_isa),
		cmocka_unit_test(test_host_nodes),
		cmocka_unit_test(test_host_cells),
		cmocka_unit_test(test_host_phandles),
		cmocka_unit_test(test_host_without_console),
		cmocka_unit_test(test_dtc_finds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
