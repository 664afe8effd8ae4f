/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host device trees, written as source, compiled by dtc, read by board_parse(): machines of several
 * kinds, and trees that are broken, odd or hostile.
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

#include <hv/board.h>
#include <hv/errno.h>

#define ROOM 32768

static u64 tree[ROOM / 8];
static struct board b;
static const char *why;

/* Compiles source into tree; returns its size. */
static size_t compile(const char *source)
{
	char path[] = "/tmp/test_board.XXXXXX", command[128];
	int file = mkstemp(path);
	FILE *dtc;
	ssize_t size;

	assert_true(file >= 0);
	snprintf(command, sizeof(command), "dtc -q -f -I dts -O dtb -o %s -", path);
	dtc = popen(command, "w");
	assert_non_null(dtc);
	fprintf(dtc, "/dts-v1/;\n%s", source);
	assert_int_equal(pclose(dtc), 0);
	size = read(file, tree, sizeof(tree));
	assert_true(size > 0);
	close(file);
	unlink(path);
	return (size_t)size;
}

/* Parses a copy without a byte to spare. */
static int parse_exact(size_t size)
{
	void *copy = malloc(size ? size : 1);
	int err;

	memcpy(copy, tree, size);
	err = board_parse(&b, copy, size, &why);
	free(copy);
	return err;
}

static int parse(const char *source)
{
	return parse_exact(compile(source));
}

#define ROOT(body) "/ { #address-cells = <2>; #size-cells = <2>; " body " };"
#define MEMORY "memory@80000000 { device_type = \"memory\"; reg = <0 0x80000000 0 0x8000000>; };"
#define ISA "riscv,isa = \"rv64imafdch_sstc\";"
#define INTC(label)                                                                      \
	label ": interrupt-controller { compatible = \"riscv,cpu-intc\"; "               \
	"interrupt-controller; #interrupt-cells = <1>; };"
#define CPU(n, body)                                                                     \
	"cpu@" #n " { device_type = \"cpu\"; reg = <0x" #n ">; compatible = \"riscv\"; " body \
	INTC("i" #n) " };"
#define CPUS(body)                                                                       \
	"cpus { #address-cells = <1>; #size-cells = <0>; timebase-frequency = <10000000>; " \
	body " };"
#define SOC(body)                                                                        \
	"soc { #address-cells = <2>; #size-cells = <2>; compatible = \"simple-bus\"; ranges; " \
	body " };"
#define PLIC(contexts)                                                                   \
	"plic: plic@c000000 { compatible = \"sifive,plic-1.0.0\", \"riscv,plic0\"; "     \
	"reg = <0 0xc000000 0 0x600000>; riscv,ndev = <95>; interrupt-controller; "      \
	"#interrupt-cells = <1>; interrupts-extended = " contexts "; };"
#define UART(at, body)                                                                   \
	"serial@" #at " { compatible = \"ns16550a\"; reg = <0 0x" #at " 0 0x100>; " body " };"

#define MINIMAL(body) ROOT(MEMORY CPUS(CPU(0, ISA)) body)

/* --- Machines -------------------------------------------------------------------------------- */

static void test_virt(void **state)
{
	(void)state;
	assert_int_equal(parse(ROOT(
		MEMORY
		"chosen { stdout-path = \"/soc/serial@10000000\"; bootargs = \"loglevel=debug\"; "
		"linux,initrd-start = <0x88000000>; linux,initrd-end = <0x88001000>; "
		"rng-seed = <1 2 3 4>; };"
		CPUS(CPU(0, ISA "mmu-type = \"riscv,sv57\"; status = \"okay\"; "
			 "riscv,cbom-block-size = <64>; riscv,cboz-block-size = <32>; "
			 "riscv,cbop-block-size = <16>;")
		     CPU(1, ISA "mmu-type = \"riscv,sv57\";"))
		SOC("rtc@101000 { compatible = \"google,goldfish-rtc\"; "
		    "reg = <0 0x101000 0 0x1000>; };"
		    UART(10000000, "interrupts = <10>; clock-frequency = <3686400>;")
		    PLIC("<&i0 11>, <&i0 9>, <&i1 11>, <&i1 9>")))), 0);
	assert_int_equal(b.ranges, 1);
	assert_int_equal(b.memory[0].base, 0x80000000);
	assert_int_equal(b.memory[0].size, 0x8000000);
	assert_int_equal(b.harts, 2);
	assert_int_equal(b.hart[1].hartid, 1);
	assert_int_equal(b.hart[0].plic_context, 1);
	assert_int_equal(b.hart[1].plic_context, 3);
	assert_string_equal(b.hart[0].isa, "rv64imafdch_sstc");
	assert_ptr_equal(b.hart[0].isa, b.hart[1].isa);
	assert_string_equal(b.hart[0].mmu, "sv57");
	assert_int_equal(b.hart[0].cbom_block, 64);
	assert_int_equal(b.hart[0].cboz_block, 32);
	assert_int_equal(b.hart[0].cbop_block, 16);
	assert_int_equal(b.hart[1].cbom_block, 0);
	assert_int_equal(b.timebase, 10000000);
	assert_int_equal(b.plic.base, 0xc000000);
	assert_int_equal(b.plic.size, 0x600000);
	assert_int_equal(b.sources, 95);
	assert_int_equal(b.uart.base, 0x10000000);
	assert_int_equal(b.uart.irq, 10);
	assert_int_equal(b.uart.clock, 3686400);
	assert_int_equal(b.uart.io_width, 1);
	assert_int_equal(b.rtc.base, 0x101000);
	assert_int_equal(b.initrd.base, 0x88000000);
	assert_int_equal(b.initrd.size, 0x1000);
	assert_string_equal(b.bootargs, "loglevel=debug");
	assert_int_equal(b.rng_seed_size, 16);
	assert_int_equal(b.rng_seed[3], 1);
}

static void test_minimal(void **state)
{
	(void)state;
	assert_int_equal(parse(MINIMAL("")), 0);
	assert_int_equal(b.harts, 1);
	assert_int_equal(b.hart[0].plic_context, BOARD_NO_CONTEXT);
	assert_string_equal(b.hart[0].mmu, "");
	assert_int_equal(b.plic.size, 0);
	assert_int_equal(b.uart.base, 0);
	assert_int_equal(b.rtc.size, 0);
	assert_int_equal(b.initrd.size, 0);
	assert_int_equal(b.rng_seed_size, 0);
	assert_int_equal(b.reserved_ranges, 0);
	assert_string_equal(b.bootargs, "");
}

/* -machine virt,aia=aplic-imsic as firmware hands it on: the M-mode domain is disabled or first. */
#define AIA(m_status)                                                                    \
	SOC("m: imsics@24000000 { compatible = \"riscv,imsics\"; " m_status              \
	    "reg = <0 0x24000000 0 0x2000>; interrupts-extended = <&i0 11>, <&i1 11>; "  \
	    "riscv,num-ids = <255>; };"                                                  \
	    "s: imsics@28000000 { compatible = \"riscv,imsics\"; riscv,num-ids = <255>; " \
	    "riscv,guest-index-bits = <2>; "                                             \
	    "reg = <0 0x28000000 0 0x8000>; interrupts-extended = <&i0 9>, <&i1 9>; };"  \
	    "am: aplic@c000000 { compatible = \"riscv,aplic\"; " m_status                \
	    "reg = <0 0xc000000 0 0x8000>; msi-parent = <&m>; riscv,children = <&as>; "  \
	    "riscv,num-sources = <96>; };"                                               \
	    "as: aplic@d000000 { compatible = \"riscv,aplic\"; "                         \
	    "reg = <0 0xd000000 0 0x8000>; msi-parent = <&s>; riscv,num-sources = <96>; };" \
	    UART(10000000, "interrupts = <10 4>;"))

static void test_aia(void **state)
{
	(void)state;
	assert_int_equal(parse(ROOT(MEMORY CPUS(CPU(0, ISA) CPU(1, ISA)) AIA(""))), 0);
	assert_int_equal(b.irqchip, BOARD_IMSIC);
	assert_int_equal(b.aplic.base, 0xd000000);
	assert_int_equal(b.sources, 96);
	assert_int_equal(b.imsic_ranges, 1);
	assert_int_equal(b.imsic[0].base, 0x28000000);
	assert_int_equal(b.imsic[0].size, 0x8000);
	assert_int_equal(b.imsic_ids, 255);
	assert_int_equal(b.imsic_guest_ids, 255);
	assert_int_equal(b.imsic_guest_bits, 2);
	assert_int_equal(b.hart[0].imsic, 0x28000000);
	assert_int_equal(b.hart[1].imsic, 0x28004000);
	assert_int_equal(b.hart[1].aplic_index, 1);
	assert_int_equal(b.plic.size, 0);
	assert_int_equal(b.uart.irq, 10);
	assert_int_equal(parse(ROOT(MEMORY CPUS(CPU(0, ISA) CPU(1, ISA))
				    AIA("status = \"disabled\";"))), 0);
	assert_int_equal(b.aplic.base, 0xd000000);
	assert_int_equal(b.imsic[0].base, 0x28000000);
}

/* Groups of harts have a range each; a gap behind a short one is passed over. */
static void test_imsic_ranges(void **state)
{
	(void)state;
	assert_int_equal(parse(ROOT(MEMORY CPUS(CPU(0, ISA) CPU(1, ISA) CPU(2, ISA))
		SOC("s: imsics@28000000 { compatible = \"riscv,imsics\"; riscv,num-ids = <63>; "
		    "riscv,guest-index-bits = <1>; "
		    "reg = <0 0x28000000 0 0x3000>, <0 0x29000000 0 0x2000>; "
		    "interrupts-extended = <&i2 9>, <&i0 9>, <&i1 9>; };"
		    "aplic@d000000 { compatible = \"riscv,aplic\"; msi-parent = <&s>; "
		    "reg = <0 0xd000000 0 0x8000>; riscv,num-sources = <1>; };"))), 0);
	assert_int_equal(b.irqchip, BOARD_IMSIC);
	assert_int_equal(b.hart[2].imsic, 0x28000000);
	assert_int_equal(b.hart[0].imsic, 0x28002000);
	assert_int_equal(b.hart[1].imsic, 0x29000000);
}

#define ODD_IMSIC(properties)                                                            \
	ROOT(MEMORY CPUS(CPU(0, ISA))                                                    \
	SOC("s: imsics@28000000 { compatible = \"riscv,imsics\"; " properties             \
	    "reg = <0 0x28000000 0 0x1000>; interrupts-extended = <&i0 9>; };"           \
	    "aplic@d000000 { compatible = \"riscv,aplic\"; msi-parent = <&s>; "          \
	    "reg = <0 0xd000000 0 0x8000>; riscv,num-sources = <1>; };"))

/* Numbers that no IMSIC has: the controller is left out. */
static void test_odd_imsic(void **state)
{
	(void)state;
	assert_int_equal(parse(ODD_IMSIC("riscv,num-ids = <64>;")), 0);
	assert_int_equal(b.irqchip, BOARD_NO_IRQCHIP);
	assert_int_equal(parse(ODD_IMSIC("riscv,num-ids = <2111>;")), 0);
	assert_int_equal(b.irqchip, BOARD_NO_IRQCHIP);
	assert_int_equal(parse(ODD_IMSIC("riscv,num-ids = <63>; riscv,guest-index-bits = <7>;")),
			 0);
	assert_int_equal(b.irqchip, BOARD_NO_IRQCHIP);
	assert_int_equal(parse(ODD_IMSIC("riscv,num-ids = <63>; status = \"disabled\";")), 0);
	assert_int_equal(b.irqchip, BOARD_NO_IRQCHIP);
	assert_int_equal(parse(ODD_IMSIC("riscv,num-ids = <255>; riscv,num-guest-ids = <62>;")),
			 0);
	assert_int_equal(b.irqchip, BOARD_NO_IRQCHIP);
	assert_int_equal(parse(ODD_IMSIC("riscv,num-ids = <255>; riscv,num-guest-ids = <63>;")),
			 0);
	assert_int_equal(b.irqchip, BOARD_IMSIC);
	assert_int_equal(b.imsic_ids, 255);
	assert_int_equal(b.imsic_guest_ids, 63);
	assert_int_equal(parse(ODD_IMSIC("riscv,num-ids = <2047>;")), 0);
	assert_int_equal(b.irqchip, BOARD_IMSIC);
}

/* -machine virt,aia=aplic: wires instead of messages. */
static void test_aplic_alone(void **state)
{
	(void)state;
	assert_int_equal(parse(MINIMAL(
		SOC("aplic@c000000 { compatible = \"riscv,aplic\"; reg = <0 0xc000000 0 0x8000>; "
		    "interrupts-extended = <&i0 11>; };"
		    "aplic@d000000 { compatible = \"riscv,aplic\"; reg = <0 0xd000000 0 0x8000>; "
		    "riscv,num-sources = <96>; interrupts-extended = <&i0 9>; };"))), 0);
	assert_int_equal(b.irqchip, BOARD_APLIC);
	assert_int_equal(b.aplic.base, 0xd000000);
	assert_int_equal(b.hart[0].aplic_index, 0);
	assert_int_equal(b.imsic_ranges, 0);
}

/* -machine virt,aclint=on. */
static void test_aclint(void **state)
{
	(void)state;
	assert_int_equal(parse(MINIMAL(
		SOC("mswi@2000000 { compatible = \"riscv,aclint-mswi\"; "
		    "reg = <0 0x2000000 0 0x4000>; interrupts-extended = <&i0 3>; };"
		    "sswi@2f00000 { compatible = \"riscv,aclint-sswi\"; "
		    "reg = <0 0x2f00000 0 0x4000>; interrupts-extended = <&i0 1>; };"
		    PLIC("<&i0 0xffffffff>, <&i0 9>")))), 0);
	assert_int_equal(b.hart[0].plic_context, 1);
	assert_int_equal(b.hart[0].sswi, 0x2f00000);
}

/* --- Harts ----------------------------------------------------------------------------------- */

static void test_new_isa_binding_wins(void **state)
{
	(void)state;
	assert_int_equal(parse(ROOT(MEMORY CPUS(
		CPU(0, "riscv,isa = \"rv64imac\"; riscv,isa-base = \"rv64i\"; "
		       "riscv,isa-extensions = \"zba\", \"i\", \"m\", \"h\", \"sstc\";")
		CPU(1, "riscv,isa = \"RV64GCH_Zba\"; riscv,isa-extensions = \"i\";")
		CPU(2, "riscv,isa-base = \"rv64i\"; riscv,isa-extensions = \"i\", \"c\";")))), 0);
	assert_int_equal(b.harts, 3);
	assert_string_equal(b.hart[0].isa, "rv64imh_zba_sstc");
	assert_string_equal(b.hart[1].isa, "rv64imafdch_zicsr_zifencei_zba");
	assert_string_equal(b.hart[2].isa, "rv64ic");
	assert_true(board_isa_has(b.hart[0].isa, "h"));
	assert_false(board_isa_has(b.hart[2].isa, "h"));
}

static void test_harts_left_out(void **state)
{
	(void)state;
	assert_int_equal(parse(ROOT(MEMORY CPUS(
		CPU(0, ISA "status = \"disabled\";") CPU(1, ISA "status = \"fail\";")
		CPU(2, "") CPU(3, "riscv,isa = \"rv32imac\";")
		"cpu@4 { reg = <4>; " ISA " };"
		"cpu@5 { device_type = \"cpu\"; " ISA " };"
		"cpu@6 { device_type = \"cpu\"; reg = <0 6>; " ISA " };"
		"cpu-map { cluster0 { }; };"
		CPU(7, ISA "status = \"ok\";")
		"cpu@8 { device_type = \"cpu\"; reg = <7>; " ISA " };"
		"l2: l2-cache { compatible = \"cache\"; };"))), 0);
	assert_int_equal(b.harts, 1);
	assert_int_equal(b.hart[0].hartid, 7);
}

static void test_hart_ids_of_two_cells(void **state)
{
	(void)state;
	assert_int_equal(parse(ROOT(MEMORY
		"cpus { #address-cells = <2>; #size-cells = <0>; "
		"cpu@100000002 { device_type = \"cpu\"; reg = <1 2>; " ISA
		" timebase-frequency = <0 1000000>; }; };")), 0);
	assert_int_equal(b.hart[0].hartid, 0x100000002);
	assert_int_equal(b.timebase, 1000000);
}

/* More ISA strings than are kept: those harts stay asleep, alike ones do not count. */
static void test_many_isas(void **state)
{
	(void)state;
	assert_int_equal(parse(ROOT(MEMORY CPUS(
		CPU(0, "riscv,isa = \"rv64ih\";") CPU(1, "riscv,isa = \"rv64imh\";")
		CPU(2, "riscv,isa = \"rv64iah\";") CPU(3, "riscv,isa = \"rv64ich\";")
		CPU(4, "riscv,isa = \"rv64ibh\";") CPU(5, "riscv,isa = \"rv64imh\";")))), 0);
	assert_int_equal(b.isas, BOARD_ISAS);
	assert_int_equal(b.harts, 5);
	assert_int_equal(b.hart[4].hartid, 5);
	assert_string_equal(b.hart[4].isa, "rv64imh");
}

static void test_too_many_harts(void **state)
{
	char source[ROOM];
	size_t at = (size_t)snprintf(source, sizeof(source), "%s", "/ { #address-cells = <2>; "
		"#size-cells = <2>; " MEMORY "cpus { #address-cells = <1>; #size-cells = <0>; "
		"timebase-frequency = <1>; ");

	(void)state;
	for (int i = 0; i < BOARD_HARTS + 3; i++)
		at += (size_t)snprintf(source + at, sizeof(source) - at,
				       "cpu@%x { device_type = \"cpu\"; reg = <%d>; " ISA "}; ",
				       i, i);
	snprintf(source + at, sizeof(source) - at, "}; };");
	assert_int_equal(parse(source), 0);
	assert_int_equal(b.harts, BOARD_HARTS);
}

static void test_odd_mmu(void **state)
{
	(void)state;
	assert_int_equal(parse(ROOT(MEMORY CPUS(
		CPU(0, ISA "mmu-type = \"riscv,none\";")
		CPU(1, ISA "mmu-type = \"riscv,sv99999999999999\";")
		CPU(2, ISA "mmu-type = <1>;")))), 0);
	for (int i = 0; i < 3; i++)
		assert_string_equal(b.hart[i].mmu, "");
}

/* --- Memory ---------------------------------------------------------------------------------- */

static void test_memory_is_sorted_and_trimmed(void **state)
{
	(void)state;
	assert_int_equal(parse(ROOT(
		"memory@100000000 { device_type = \"memory\"; "
		"reg = <1 0 0 0x2000>, <0 0x80000800 0 0x2000>; };"
		"memory@40000000 { device_type = \"memory\"; reg = <0 0x40000000 0 0x800>; };"
		"memory@50000000 { device_type = \"memory\"; reg = <0 0x50000000 0 0x1000>; "
		"status = \"disabled\"; };"
		CPUS(CPU(0, ISA)))), 0);
	assert_int_equal(b.ranges, 2);
	assert_int_equal(b.memory[0].base, 0x80001000);
	assert_int_equal(b.memory[0].size, 0x1000);
	assert_int_equal(b.memory[1].base, 0x100000000);
}

static void test_one_cell_memory(void **state)
{
	(void)state;
	assert_int_equal(parse(
		"/ { #address-cells = <1>; #size-cells = <1>; memory { device_type = \"memory\"; "
		"reg = <0x80000000 0x100000>; };" CPUS(CPU(0, ISA)) " };"), 0);
	assert_int_equal(b.memory[0].size, 0x100000);
}

static void test_reserved(void **state)
{
	(void)state;
	assert_int_equal(parse(
		"/memreserve/ 0x80100800 0x900;"
		MINIMAL("reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; "
			"a@80040000 { reg = <0 0x80040000 0 0x20000>; no-map; };"
			"b@80000001 { reg = <0 0x80000001 0 1>, <0 0x81000000 0 0x1000>; };"
			"pool { size = <0 0x1000>; };"
			"c@82000000 { reg = <0 0x82000000 0 0x1000>; "
			"status = \"disabled\"; }; };")), 0);
	assert_int_equal(b.reserved_ranges, 4);
	assert_int_equal(b.reserved[0].base, 0x80000000);
	assert_int_equal(b.reserved[0].size, 0x1000);
	assert_int_equal(b.reserved[1].base, 0x80040000);
	assert_int_equal(b.reserved[2].base, 0x80100000);
	assert_int_equal(b.reserved[2].size, 0x2000);
	assert_int_equal(b.reserved[3].base, 0x81000000);
}

/* --- Devices --------------------------------------------------------------------------------- */

static void test_stdout_is_preferred(void **state)
{
	(void)state;
	assert_int_equal(parse(MINIMAL(
		SOC(UART(10000000, "") UART(20000000, "reg-shift = <2>; reg-io-width = <4>;"))
		"aliases { serial1 = \"/soc/serial@20000000\"; };"
		"chosen { stdout-path = \"serial1:115200n8\"; };")), 0);
	assert_int_equal(b.uart.base, 0x20000000);
	assert_int_equal(b.uart.reg_shift, 2);
	assert_int_equal(b.uart.io_width, 4);
}

static void test_uart_left_out(void **state)
{
	(void)state;
	assert_int_equal(parse(MINIMAL(
		SOC(UART(10000000, "status = \"disabled\";") UART(20000000, "reg-io-width = <3>;")
		    UART(30000000, "reg-shift = <9>;")
		    "serial@40000000 { compatible = \"ns16550a\"; };"
		    "serial@50000000 { compatible = \"sifive,uart0\"; reg = <0 0x50000000 0 1>; };"
		    UART(60000000, ""))
		"chosen { stdout-path = \"/soc/serial@50000000\"; };")), 0);
	assert_int_equal(b.uart.base, 0x60000000);
}

/* A bus that translates addresses is not understood, so what is on it is left out. */
static void test_translating_bus(void **state)
{
	(void)state;
	assert_int_equal(parse(MINIMAL(
		"bus@4000000 { #address-cells = <2>; #size-cells = <2>; "
		"compatible = \"simple-bus\"; ranges = <0 0 0 0x4000000 0 0x2000000>; "
		UART(1000, "") "};"
		"island { #address-cells = <2>; #size-cells = <2>; " UART(2000, "") "};")), 0);
	assert_int_equal(b.uart.base, 0);
}

static void test_odd_plic(void **state)
{
	(void)state;
	assert_int_equal(parse(MINIMAL(
		SOC("plic@c000000 { compatible = \"riscv,plic0\"; reg = <0 0xc000000 0 0x600000>; "
		    "riscv,ndev = <1024>; };"))), 0);
	assert_int_equal(b.plic.size, 0);
	assert_int_equal(parse(MINIMAL(
		SOC("plic@c000000 { compatible = \"riscv,plic0\"; reg = <0 0xc000000 0 0x600000>; "
		    "riscv,ndev = <53>; "
		    "interrupts-extended = <&i0 11>, <99 9>, <&i0 9>, <9>; };"))), 0);
	assert_int_equal(b.sources, 53);
	assert_int_equal(b.hart[0].plic_context, 2);
}

static void test_odd_chosen(void **state)
{
	static const char start[] =
		"/ { #address-cells = <2>; #size-cells = <2>; " MEMORY CPUS(CPU(0, ISA))
		"chosen { linux,initrd-start = <0x1000>; linux,initrd-end = <0x1000>; "
		"stdout-path = <1 2>; rng-seed = [";
	char source[8192];
	size_t at = (size_t)snprintf(source, sizeof(source), "%s", start);

	(void)state;
	for (int i = 0; i < 100; i++)
		at += (size_t)snprintf(source + at, sizeof(source) - at, "%02x ", i);
	at += (size_t)snprintf(source + at, sizeof(source) - at, "]; bootargs = \"");
	for (int i = 0; i < 300; i++)
		source[at++] = 'x';
	snprintf(source + at, sizeof(source) - at, "\"; }; };");
	assert_int_equal(parse(source), 0);
	assert_int_equal(b.initrd.size, 0);
	assert_int_equal(b.rng_seed_size, 64);
	assert_int_equal(strlen(b.bootargs), sizeof(b.bootargs) - 1);
}

/* What the loader could not place is not taken for an image. */
static void test_initrd_beyond_memory(void **state)
{
	struct board_range at = { 0x81000000, 0x1000 };

	(void)state;
	assert_int_equal(parse(ROOT(
		"memory@80000000 { device_type = \"memory\"; reg = <0 0x80000000 0 0x2000000>, "
		"<0 0x82000000 0 0x1000000>; };" CPUS(CPU(0, ISA)))), 0);
	assert_int_equal(board_missing(&b, &at), 0);
	at.size = 0x2000000;
	assert_int_equal(board_missing(&b, &at), 0);
	at.size = 0x2000001;
	assert_int_equal(board_missing(&b, &at), 1);
	at = (struct board_range){ 0x7ffff000, 0x1800 };
	assert_int_equal(board_missing(&b, &at), 0x1000);
	at = (struct board_range){ 0x90000000, 0x1000 };
	assert_int_equal(board_missing(&b, &at), 0x1000);
	at = (struct board_range){ 0xffffffffffff0000, 0x10000 };
	assert_int_equal(board_missing(&b, &at), 0x10000);
	at.size = 0;
	assert_int_equal(board_missing(&b, &at), 0);
}

static void test_initrd_of_two_cells(void **state)
{
	(void)state;
	assert_int_equal(parse(MINIMAL("chosen { linux,initrd-start = <1 0>; "
				       "linux,initrd-end = <1 0x800>; };")), 0);
	assert_int_equal(b.initrd.base, 0x100000000);
	assert_int_equal(b.initrd.size, 0x800);
}

/* --- Refusals -------------------------------------------------------------------------------- */

#define RANGE(n) "a@" #n " { reg = <0 0x" #n "000 0 0x1000>; }; "
#define RANGES17                                                                         \
	RANGE(10) RANGE(11) RANGE(12) RANGE(13) RANGE(14) RANGE(15) RANGE(16) RANGE(17)  \
	RANGE(18) RANGE(19) RANGE(20) RANGE(21) RANGE(22) RANGE(23) RANGE(24) RANGE(25) RANGE(26)
#define BANK(n) "memory@" #n " { device_type = \"memory\"; reg = <0 0x" #n "000 0 0x1000>; }; "
#define BANKS17                                                                          \
	BANK(10) BANK(11) BANK(12) BANK(13) BANK(14) BANK(15) BANK(16) BANK(17) BANK(18) \
	BANK(19) BANK(20) BANK(21) BANK(22) BANK(23) BANK(24) BANK(25) BANK(26)

static void test_refusals(void **state)
{
	static const struct {
		const char *source, *why;
	} rows[] = {
		{ ROOT(CPUS(CPU(0, ISA))), "no memory" },
		{ ROOT("memory { device_type = \"memory\"; reg = <0 0 0 0>; };" CPUS(CPU(0, ISA))),
		  "no memory" },
		{ ROOT("memory { device_type = \"memory\"; reg = <0xffffffff 0xfffff000 1 0>; };"),
		  "no memory" },
		{ ROOT("memory { reg = <0 0 0 0x1000>; };"), "no memory" },
		{ "/ { #address-cells = <3>; #size-cells = <2>; memory { device_type = \"memory\"; "
		  "reg = <0 0 0 0 0x1000>; }; };", "no memory" },
		{ ROOT(MEMORY "memory@81000000 { device_type = \"memory\"; "
		       "reg = <0 0x81000000 0 0x1000>; };"), "memory ranges overlap" },
		{ ROOT(BANKS17), "too many memory ranges" },
		{ MINIMAL("reserved-memory { #address-cells = <2>; #size-cells = <2>; " RANGES17
			  "};"), "too many reserved memory ranges" },
		{ ROOT(MEMORY), "no /cpus" },
		{ ROOT(MEMORY CPUS("")), "no usable hart" },
		{ ROOT(MEMORY CPUS(CPU(0, ""))), "no usable hart" },
		{ ROOT(MEMORY "cpus { #address-cells = <1>; #size-cells = <0>; "
		       CPU(0, ISA) "};"), "no timebase-frequency" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(parse(rows[i].source), -EINVAL);
		assert_string_equal(why, rows[i].why);
	}
}

static void test_no_tree(void **state)
{
	size_t size;

	(void)state;
	size = compile(MINIMAL(""));
	for (size_t n = 0; n < size; n += 4) {
		assert_int_equal(parse_exact(n), -EINVAL);
		assert_string_equal(why, "not a sound device tree");
	}
	memset(tree, 0, sizeof(tree));
	assert_int_equal(parse_exact(sizeof(tree)), -EINVAL);
}

static void test_random_damage(void **state)
{
	static u64 good[ROOM / 8];
	u64 random = 7;
	size_t size;

	(void)state;
	size = compile(ROOT(
		MEMORY CPUS(CPU(0, ISA) CPU(1, ISA)) AIA("")
		"reserved-memory { #address-cells = <2>; #size-cells = <2>; " RANGE(10) "};"
		"chosen { stdout-path = \"/soc/serial@10000000:8n1\"; bootargs = \"a\"; "
		"linux,initrd-start = <0x88000000>; linux,initrd-end = <0x88001000>; };"));
	memcpy(good, tree, size);
	for (u32 i = 0; i < 30000; i++) {
		memcpy(tree, good, size);
		for (u32 n = i % 3 + 1; n > 0; n--) {
			random = random * 6364136223846793005 + 1442695040888963407;
			((u8 *)tree)[(random >> 33) % size] = (u8)(random >> 20);
		}
		if (parse_exact(size) == 0) {
			assert_in_range(b.harts, 1, BOARD_HARTS);
			assert_in_range(b.ranges, 1, BOARD_RANGES);
			assert_true(b.timebase > 0);
		} else {
			assert_non_null(why);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_virt),
		cmocka_unit_test(test_minimal),
		cmocka_unit_test(test_aia),
		cmocka_unit_test(test_imsic_ranges),
		cmocka_unit_test(test_odd_imsic),
		cmocka_unit_test(test_aplic_alone),
		cmocka_unit_test(test_aclint),
		cmocka_unit_test(test_new_isa_binding_wins),
		cmocka_unit_test(test_harts_left_out),
		cmocka_unit_test(test_hart_ids_of_two_cells),
		cmocka_unit_test(test_many_isas),
		cmocka_unit_test(test_too_many_harts),
		cmocka_unit_test(test_odd_mmu),
		cmocka_unit_test(test_memory_is_sorted_and_trimmed),
		cmocka_unit_test(test_one_cell_memory),
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_stdout_is_preferred),
		cmocka_unit_test(test_uart_left_out),
		cmocka_unit_test(test_translating_bus),
		cmocka_unit_test(test_odd_plic),
		cmocka_unit_test(test_odd_chosen),
		cmocka_unit_test(test_initrd_beyond_memory),
		cmocka_unit_test(test_initrd_of_two_cells),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_no_tree),
		cmocka_unit_test(test_random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
