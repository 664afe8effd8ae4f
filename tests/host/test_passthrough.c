/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices of the board by the path of their node: what a VM is granted of them, and every refusal.
 * The boards are written as source; the definitions hold just what matters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include <hv/board.h>
#include <hv/errno.h>
#include <hv/passthrough.h>
#include <hv/vmdef.h>

#include "dts.h"

struct board board;

static struct vmdef def;
static struct vmdef_error error;

/* In the manner of QEMU's virt: PLIC 9, devices below /soc; and the odd device of each test. */
#define HARTS                                                                            \
	"cpus { #address-cells = <1>; #size-cells = <0>; timebase-frequency = <10000000>; " \
	"cpu@0 { device_type = \"cpu\"; reg = <0>; compatible = \"riscv\"; "             \
	"riscv,isa = \"rv64imach\"; "                                                    \
	"intc: interrupt-controller { compatible = \"riscv,cpu-intc\"; #interrupt-cells = <1>; " \
	"interrupt-controller; phandle = <1>; }; }; };"
#define SYSTEM                                                                           \
	"plic: plic@c000000 { compatible = \"sifive,plic-1.0.0\", \"riscv,plic0\"; "     \
	"reg = <0 0xc000000 0 0x600000>; riscv,ndev = <95>; interrupt-controller; "      \
	"#interrupt-cells = <1>; #address-cells = <0>; interrupts-extended = <1 11 1 9>; " \
	"phandle = <9>; };"                                                              \
	"clint@2000000 { compatible = \"sifive,clint0\"; reg = <0 0x2000000 0 0x10000>; " \
	"interrupts-extended = <1 3 1 7>; };"                                            \
	"test@100000 { compatible = \"sifive,test0\"; reg = <0 0x100000 0 0x1000>; };"
#define DEVICE(name, at, size, irq)                                                      \
	name "@" #at " { compatible = \"acme," name "\"; reg = <0 0x" #at " 0 " #size ">; " \
	"interrupts = <" #irq ">; interrupt-parent = <9>; };"
#define BOARD(outside, soc)                                                              \
	"/ { #address-cells = <2>; #size-cells = <2>; "                                  \
	"memory@80000000 { device_type = \"memory\"; reg = <0 0x80000000 0 0x8000000>; };" \
	HARTS outside "soc { #address-cells = <2>; #size-cells = <2>; "                  \
	"compatible = \"simple-bus\"; ranges; " SYSTEM soc " }; };"

/* A VM of 16 MiB with QEMU's devices but UART and RTC, and these nodes of the board. */
static void define(const char *const *paths)
{
	memset(&def, 0, sizeof(def));
	def.vcpus = 1;
	def.rams = 1;
	def.ram[0] = (struct vmdef_ram){ 0x82000000, MIB(16), true };
	def.plic = (struct vmdef_device){ 0xc000000, 0x600000, 0 };
	def.sources = 96;
	def.finisher = (struct vmdef_device){ 0x100000, 0x1000, 0 };
	for (; *paths; paths++)
		strcpy(def.host_node[def.host_nodes++].path, *paths);
}

static int resolve_defined(const char *source)
{
	size_t size;
	void *tree = dts_compile(source, &size);
	const char *why;
	int err;

	assert_int_equal(board_parse(&board, tree, size, &why), 0);
	memset(&error, 0, sizeof(error));
	err = passthrough_resolve(&def, &board, &error);
	free(tree);
	return err;
}

#define PATHS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static int resolve(const char *source, const char *const *paths)
{
	define(paths);
	return resolve_defined(source);
}

static void granted(const char *source, const char *const *paths)
{
	if (resolve(source, paths))
		fail_msg("%s %s: %s", error.node, error.property, error.reason);
}

static void assert_range(u32 i, u64 base, u64 size)
{
	assert_true(i < def.passthroughs);
	assert_int_equal(def.passthrough[i].base, base);
	assert_int_equal(def.passthrough[i].host, base);
	assert_int_equal(def.passthrough[i].size, size);
}

/* --- What is granted ------------------------------------------------------------------------- */

static void test_device(void **state)
{
	(void)state;
	granted(BOARD("", DEVICE("net", 10001000, 0x200, 3)), PATHS("/soc/net@10001000"));
	assert_int_equal(def.passthroughs, 1);
	assert_range(0, 0x10001000, 0x1000);
	assert_int_equal(def.passthrough[0].host_node, 1);
	assert_int_equal(def.irqs, 1);
	assert_int_equal(def.irq[0].host, 3);
	assert_int_equal(def.irq[0].guest, 3);
	assert_true(passthrough_covers(&def, 0x10001fff));
	assert_false(passthrough_covers(&def, 0x10002000));
}

/* Every range of reg, every entry of interrupts; the interrupt parent may be inherited. */
static void test_several(void **state)
{
	(void)state;
	granted(BOARD("", "big@20000000 { compatible = \"x\"; interrupts = <5 7 5>; "
		      "interrupt-parent = <&plic>; "
		      "reg = <0 0x20000000 0 0x2000 0 0x30000000 0 0x1001>; };"),
		PATHS("/soc/big@20000000"));
	assert_int_equal(def.passthroughs, 2);
	assert_range(1, 0x30000000, 0x2000);
	assert_int_equal(def.irqs, 2);
	assert_int_equal(def.irq[1].guest, 7);
}

static void test_inherited_parent(void **state)
{
	(void)state;
	granted("/ { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <9>; "
		"memory@80000000 { device_type = \"memory\"; reg = <0 0x80000000 0 0x8000000>; };"
		HARTS "soc { #address-cells = <1>; #size-cells = <1>; ranges; "
		"compatible = \"simple-bus\"; "
		"plic@c000000 { compatible = \"riscv,plic0\"; reg = <0xc000000 0x600000>; "
		"riscv,ndev = <95>; interrupt-controller; #interrupt-cells = <1>; "
		"interrupts-extended = <1 9>; phandle = <9>; }; "
		"dev@5000 { compatible = \"x\"; reg = <0x5000 0x10>; interrupts = <4>; }; }; };",
		PATHS("/soc/dev@5000"));
	assert_range(0, 0x5000, 0x1000);
	assert_int_equal(def.irq[0].host, 4);
}

/* Two devices of one page, and one that begins in another's last page. */
static void test_shared_pages(void **state)
{
	(void)state;
	granted(BOARD("", DEVICE("a", 5000100, 0x100, 1) DEVICE("b", 5000800, 0x1800, 2)
		      DEVICE("c", 5001f00, 0x100, 2)),
		PATHS("/soc/a@5000100", "/soc/b@5000800", "/soc/c@5001f00"));
	assert_int_equal(def.passthroughs, 2);
	assert_range(0, 0x5000000, 0x1000);
	assert_range(1, 0x5001000, 0x1000);
	assert_int_equal(def.irqs, 2);
}

/* A later device around earlier ones gets the pages between them. */
static void test_pages_between(void **state)
{
	(void)state;
	granted(BOARD("", DEVICE("a", 5001000, 0x1000, 1) DEVICE("b", 5003000, 0x1000, 2)
		      DEVICE("c", 5000000, 0x5000, 3)),
		PATHS("/soc/a@5001000", "/soc/b@5003000", "/soc/c@5000000"));
	assert_int_equal(def.passthroughs, 5);
	assert_range(2, 0x5000000, 0x1000);
	assert_range(3, 0x5002000, 0x1000);
	assert_range(4, 0x5004000, 0x1000);
}

#define PCI(ranges, map)                                                                 \
	"pci@30000000 { compatible = \"pci-host-ecam-generic\"; device_type = \"pci\"; " \
	"reg = <0 0x30000000 0 0x10000000>; #address-cells = <3>; #size-cells = <2>; "   \
	"#interrupt-cells = <1>; ranges = <" ranges ">; interrupt-map = <" map ">; "     \
	"interrupt-map-mask = <0x1800 0 0 7>; };"
#define WINDOWS                                                                          \
	"0x1000000 0 0 0 0x3000000 0 0x10000 "                                           \
	"0x2000000 0 0x40000000 0 0x40000000 0 0x40000000 "                              \
	"0x3000000 4 0 4 0 4 0"
#define LINES "0 0 0 1 9 32  0 0 0 2 9 33  0x800 0 0 1 9 33  0x800 0 0 2 9 32"

static void test_pci(void **state)
{
	(void)state;
	granted(BOARD("", PCI(WINDOWS, LINES)), PATHS("/soc/pci@30000000"));
	assert_int_equal(def.passthroughs, 4);
	assert_range(0, 0x30000000, 0x10000000);
	assert_range(1, 0x3000000, 0x10000);
	assert_range(2, 0x40000000, 0x40000000);
	assert_range(3, 0x400000000, 0x400000000);
	assert_int_equal(def.irqs, 2);
	assert_int_equal(def.irq[0].host, 32);
	assert_int_equal(def.irq[1].host, 33);
}

/* Configuration space in ranges is no window. */
static void test_pci_configuration(void **state)
{
	(void)state;
	granted(BOARD("", PCI("0 0 0 0 0x30000000 0 0x1000", LINES)), PATHS("/soc/pci@30000000"));
	assert_int_equal(def.passthroughs, 1);
}

/* Interrupts below a device are the VM's as well; among its own devices they are its affair. */
static void test_nested_interrupts(void **state)
{
	(void)state;
	granted(BOARD("", "gpio: gpio@7000 { compatible = \"x\"; reg = <0 0x7000 0 0x1000>; "
		      "interrupt-controller; #interrupt-cells = <2>; interrupts = <6>; "
		      "interrupt-parent = <9>; key { interrupts-extended = <9 8 &gpio 1 2>; }; };"
		      "eth@8000 { compatible = \"y\"; reg = <0 0x8000 0 0x1000>; "
		      "interrupt-parent = <&gpio>; interrupts = <3 4>; };"),
		PATHS("/soc/gpio@7000", "/soc/eth@8000"));
	assert_int_equal(def.irqs, 2);
	assert_int_equal(def.irq[0].host, 6);
	assert_int_equal(def.irq[1].host, 8);
}

/* A node without registers grants nothing; it may be what others refer to. */
static void test_references(void **state)
{
	(void)state;
	granted(BOARD("clk: oscillator { compatible = \"fixed-clock\"; #clock-cells = <1>; };",
		      "dev@5000 { compatible = \"x\"; reg = <0 0x5000 0 0x1000>; "
		      "clocks = <&clk 1 0 &clk 2>; vcc-supply = <0>; msi-parent = <77>; };"),
		PATHS("/oscillator", "/soc/dev@5000"));
	assert_int_equal(def.passthroughs, 1);
	assert_int_equal(def.passthrough[0].host_node, 2);
}

static void test_what_is_copied(void **state)
{
	(void)state;
	assert_true(passthrough_copies("reg"));
	assert_true(passthrough_copies("clocks"));
	assert_true(passthrough_copies("dma-coherent"));
	assert_false(passthrough_copies("iommus"));
	assert_false(passthrough_copies("msi-map"));
	assert_false(passthrough_copies("pinctrl-0"));
}

/* --- What is refused ------------------------------------------------------------------------- */

static void refused(const char *source, const char *const *paths, const char *node,
		    const char *property, const char *reason)
{
	assert_int_equal(resolve(source, paths), -EINVAL);
	assert_string_equal(error.node, node);
	assert_string_equal(error.property, property);
	if (!strstr(error.reason, reason))
		fail_msg("%s: reason is \"%s\"", error.node, error.reason);
}

#define DEV(body) "dev@5000 { compatible = \"x\"; reg = <0 0x5000 0 0x1000>; " body " };"
#define AT PATHS("/soc/dev@5000"), "/soc/dev@5000"
#define ONE(path) PATHS(path), path

static void test_absent(void **state)
{
	static const char source[] = BOARD("aliases { net = \"/soc/dev@5000\"; };", DEV(""));

	(void)state;
	refused(source, ONE("/soc/dev@6000"), "", "no such node");
	refused(source, ONE("/soc/dev"), "", "is /soc/dev@5000 meant?");
	refused(source, ONE("/soc//dev@5000"), "", "no such node");
}

static void test_not_a_device(void **state)
{
	static const char source[] = BOARD("plain { x; };", DEV("status = \"disabled\";"));

	(void)state;
	refused(source, ONE("/plain"), "", "not a device");
	refused(source, ONE("/memory@80000000"), "", "not a device");
	refused(source, ONE("/cpus/cpu@0"), "", "not a device");
	refused(source, ONE("/cpus"), "", "not a device");
	refused(source, ONE("/soc"), "", "is a bus");
	refused(source, AT, "status", "disabled");
}

static void test_withheld(void **state)
{
	static const char source[] =
		BOARD("", "swi@2f00000 { compatible = \"riscv,aclint-sswi\"; "
			  "reg = <0 0x2f00000 0 0x4000>; interrupts-extended = <1 1>; };"
			  "iommu@3010000 { compatible = \"acme,i\", \"riscv,iommu\"; "
			  "reg = <0 0x3010000 0 0x1000>; };"
			  "files: imsics@28000000 { compatible = \"acme,i\", \"riscv,imsics\"; "
			  "reg = <0 0x28000000 0 0x4000>; interrupts-extended = <1 9>; };"
			  "aplic@d000000 { compatible = \"riscv,aplic\"; msi-parent = <&files>; "
			  "reg = <0 0xd000000 0 0x8000>; riscv,num-sources = <96>; };");

	(void)state;
	refused(source, ONE("/soc/plic@c000000"), "", "Shyper keeps");
	refused(source, ONE("/soc/imsics@28000000"), "", "Shyper keeps");
	refused(source, ONE("/soc/aplic@d000000"), "", "Shyper keeps");
	refused(source, ONE("/soc/clint@2000000"), "", "interrupts harts");
	refused(source, ONE("/soc/swi@2f00000"), "", "interrupts harts");
	refused(source, ONE("/soc/iommu@3010000"), "", "IOMMU");
	refused(source, ONE("/soc/test@100000"), "", "ends the machine");
	refused(source, ONE("/cpus/cpu@0/interrupt-controller"), "", "part of a hart");
}

static void test_page_with_withheld(void **state)
{
	(void)state;
	refused(BOARD("", DEVICE("dev", 2010000, 0x100, 4)
		      "mtimer@2010800 { compatible = \"riscv,aclint-mtimer\"; "
		      "reg = <0 0x2010800 0 0x100>; interrupts-extended = <1 7>; };"),
		ONE("/soc/dev@2010000"), "reg", "shares a page with /soc/mtimer@2010800");
}

static void test_translated(void **state)
{
	(void)state;
	refused(BOARD("bus { #address-cells = <1>; #size-cells = <1>; compatible = \"b\"; "
		      "ranges = <0 0 0x4000000 0x1000>; "
		      "dev@0 { compatible = \"x\"; reg = <0 0x100>; }; };", ""),
		ONE("/bus/dev@0"), "", "translates");
}

static void test_nested(void **state)
{
	(void)state;
	refused(BOARD("", DEV("part { compatible = \"y\"; };")),
		PATHS("/soc/dev@5000", "/soc/dev@5000/part"), "/soc/dev@5000/part", "",
		"part of /soc/dev@5000");
}

static void test_malformed(void **state)
{
	(void)state;
	refused(BOARD("", "dev@5000 { compatible = \"x\"; reg = <0 0x5000 0>; };"), AT, "reg",
		"malformed");
	refused(BOARD("", "dev@5000 { compatible = \"x\"; reg = <0 0x5000 0 0>; };"), AT, "reg",
		"malformed");
	refused(BOARD("", "dev@5000 { compatible = \"x\"; "
		      "reg = <0xffffffff 0xfffff000 0 0x2000>; };"), AT, "reg", "malformed");
	refused(BOARD("", "dev@5000 { compatible = \"x\"; reg = <0x1000000 0 0 0x1000>; };"), AT,
		"reg", "56 address bits");
	refused(BOARD("", PCI("0x2000000 0 0x40000000 0 0x40000000", LINES)),
		ONE("/soc/pci@30000000"), "ranges", "malformed");
	refused(BOARD("", PCI(WINDOWS, "0 0 0 1 9")), ONE("/soc/pci@30000000"), "interrupt-map",
		"malformed");
	refused(BOARD("", PCI(WINDOWS, "0 0 0 1")), ONE("/soc/pci@30000000"), "interrupt-map",
		"malformed");
	refused(BOARD("", PCI(WINDOWS, "0 0 0 1 77 32")), ONE("/soc/pci@30000000"),
		"interrupt-map", "malformed");
	refused(BOARD("", DEV("interrupts-extended = <9>;")), AT, "interrupts-extended",
		"malformed");
	refused(BOARD("", DEV("interrupts = <1>;")), AT, "interrupts", "malformed");
}

static void test_other_controller(void **state)
{
	static const char other[] =
		"gic: gic@6000 { compatible = \"z\"; reg = <0 0x6000 0 0x1000>; "
		"interrupt-controller; #interrupt-cells = <1>; #address-cells = <0>; "
		"phandle = <20>; };";
	char source[4096];

	(void)state;
	snprintf(source, sizeof(source), BOARD("", "%s" DEV("interrupts = <1>; "
							    "interrupt-parent = <20>;")), other);
	refused(source, AT, "interrupts", "neither the board's nor given");
	snprintf(source, sizeof(source), BOARD("", "%s" DEV("interrupts-extended = <9 1 20 1>;")),
		 other);
	refused(source, AT, "interrupts-extended", "neither the board's nor given");
	snprintf(source, sizeof(source), BOARD("", "%s" PCI(WINDOWS, "0 0 0 1 20 1")), other);
	refused(source, ONE("/soc/pci@30000000"), "interrupt-map", "neither the board's nor given");
}

/* Parents that lead in circles end the search. */
static void test_circular_parents(void **state)
{
	(void)state;
	refused(BOARD("", DEV("phandle = <30>; interrupts = <1>; interrupt-parent = <31>;")
		      "b { phandle = <31>; interrupt-parent = <30>; };"), AT, "interrupts",
		"malformed");
}

static void test_missing_reference(void **state)
{
	static const char clock[] = "clk: clk { compatible = \"c\"; #clock-cells = <0>; };";
	char source[4096];

	(void)state;
	snprintf(source, sizeof(source), BOARD("%s", DEV("clocks = <&clk>;")), clock);
	refused(source, AT, "clocks", "needs /clk, which the VM is not given");
	snprintf(source, sizeof(source), BOARD("%s", DEV("below { reset-gpios = <&clk 1 2>; };")),
		 clock);
	refused(source, PATHS("/soc/dev@5000"), "/soc/dev@5000/below", "reset-gpios", "needs /clk");
	refused(BOARD("", DEV("vcc-supply = <99>;")), AT, "vcc-supply", "refers to no node");
}

static void test_too_much(void **state)
{
	char source[32768], ranges[8192] = "";

	(void)state;
	refused(BOARD("", DEV("a { b { c { d { }; }; }; };")), PATHS("/soc/dev@5000"),
		"/soc/dev@5000/a/b/c/d", "", "too deep");
	for (u32 i = 0; i <= VMDEF_PASSTHROUGH; i++)
		snprintf(ranges + strlen(ranges), 64, "0 0x%x 0 0x1000 ", 0x5000 + i * 0x2000);
	snprintf(source, sizeof(source), BOARD("", "dev@5000 { compatible = \"x\"; reg = <%s>; };"),
		 ranges);
	refused(source, AT, "reg", "more than 32 ranges");
	ranges[0] = '\0';
	for (u32 i = 1; i <= VMDEF_IRQS + 1; i++)
		snprintf(ranges + strlen(ranges), 64, "%u ", i);
	snprintf(source, sizeof(source),
		 BOARD("", DEV("interrupt-parent = <9>; interrupts = <%s>;")), ranges);
	refused(source, AT, "interrupts", "more than 64");
}

static void test_too_long_description(void **state)
{
	static char source[3 * PASSTHROUGH_TREE], bytes[2 * PASSTHROUGH_TREE + 1];

	(void)state;
	memset(bytes, 'a', 2 * PASSTHROUGH_TREE);
	snprintf(source, sizeof(source), BOARD("", DEV("blob = [%s];")), bytes);
	refused(source, AT, "", "descriptions");
}

/* The rest of the definition: refused there, too, at the board's node. */
static void test_conflicts(void **state)
{
	(void)state;
	refused(BOARD("", DEVICE("dev", 82001000, 0x1000, 4)), ONE("/soc/dev@82001000"), "reg",
		"overlaps /memory");
	refused(BOARD("", DEVICE("dev", 10000000, 0x1000, 96)), ONE("/soc/dev@10000000"),
		"interrupts", "is 96; possible are 1 to 95");
	define(PATHS("/soc/dev@10000000"));
	def.uart = (struct vmdef_device){ 0x10000000, 0x100, 10 };
	assert_int_equal(resolve_defined(BOARD("", DEVICE("dev", 10000000, 0x100, 4))), -EINVAL);
	assert_string_equal(error.node, "/soc/dev@10000000");
	assert_non_null(strstr(error.reason, "overlaps /devices/uart"));
	define(PATHS("/soc/dev@5000"));
	def.uart = (struct vmdef_device){ 0x10000000, 0x100, 10 };
	assert_int_equal(resolve_defined(BOARD("", DEVICE("dev", 5000, 0x100, 10))), -EINVAL);
	assert_string_equal(error.property, "interrupts");
	assert_non_null(strstr(error.reason, "source 10 is used twice"));
	define(PATHS("/soc/dev@5000"));
	def.passthrough[def.passthroughs++] =
		(struct vmdef_passthrough){ 0x40000000, 0x5000, 0x1000, 0 };
	assert_int_equal(resolve_defined(BOARD("", DEVICE("dev", 5000, 0x100, 4))), -EINVAL);
	assert_non_null(strstr(error.reason, "twice"));
}

/* --- Devices given in numbers ---------------------------------------------------------------- */

static int by_number(u64 host, u64 size)
{
	static const char source[] =
		BOARD("", DEVICE("a", 5000, 0x1000, 1) DEVICE("b", 6000, 0x1800, 2)
		      PCI(WINDOWS, LINES));

	define(PATHS(NULL));
	def.passthrough[def.passthroughs++] =
		(struct vmdef_passthrough){ 0x90000000, host, size, 0 };
	return resolve_defined(source);
}

static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(by_number(0x5000, 0x3000), 0);
	assert_int_equal(by_number(0x40000000, 0x1000), 0);
	assert_int_equal(by_number(0x30000000, 0x10000), 0);
	assert_int_equal(by_number(0x5000, 0x4000), -EINVAL);
	assert_string_equal(error.node, "/passthrough");
	assert_string_equal(error.property, "host-reg");
	assert_non_null(strstr(error.reason, "0x8000 is no device"));
	assert_int_equal(by_number(0x0, 0x1000), -EINVAL);
	assert_int_equal(by_number(0x2000000, 0x1000), -EINVAL);
	assert_int_equal(by_number(0xc000000, 0x1000), -EINVAL);
	assert_int_equal(by_number(0x80000000, 0x1000), -EINVAL);
}

/* --- Damage ---------------------------------------------------------------------------------- */

/* Whatever a tree that libfdt finds sound says, the answer is a grant or a refusal with words. */
static void test_random_damage(void **state)
{
	static const char source[] =
		BOARD("clk: osc { compatible = \"c\"; #clock-cells = <1>; };",
		      DEVICE("net", 10001000, 0x200, 3) PCI(WINDOWS, LINES)
		      DEV("clocks = <&clk 1>; interrupts-extended = <9 5>; "
			  "part { x-gpios = <0>; };"));
	size_t size;
	u8 *tree = dts_compile(source, &size), *copy = malloc(size);
	u32 granted_ones = 0;
	const char *why;

	(void)state;
	srandom(1);
	for (u32 round = 0; round < 5000; round++) {
		memcpy(copy, tree, size);
		for (u32 n = 0; n < 1 + round % 4; n++)
			copy[(size_t)random() % size] = (u8)(random() % 3 ? random() : 0);
		if (board_parse(&board, copy, size, &why))
			continue;
		define(PATHS("/osc", "/soc/net@10001000", "/soc/pci@30000000", "/soc/dev@5000"));
		memset(&error, 0, sizeof(error));
		if (passthrough_resolve(&def, &board, &error) == 0)
			granted_ones++;
		else
			assert_true(error.reason[0]);
	}
	assert_in_range(granted_ones, 100, 4999);
	free(copy);
	free(tree);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_inherited_parent),
		cmocka_unit_test(test_shared_pages),
		cmocka_unit_test(test_pages_between),
		cmocka_unit_test(test_pci),
		cmocka_unit_test(test_pci_configuration),
		cmocka_unit_test(test_nested_interrupts),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_what_is_copied),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_not_a_device),
		cmocka_unit_test(test_withheld),
		cmocka_unit_test(test_page_with_withheld),
		cmocka_unit_test(test_translated),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_other_controller),
		cmocka_unit_test(test_circular_parents),
		cmocka_unit_test(test_missing_reference),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_too_long_description),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
