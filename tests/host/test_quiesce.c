/* SPDX-License-Identifier: BSD-2-Clause */
/* Stopping devices: simulated memory in place of their registers shows what was written where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hv/board.h>
#include <hv/gmap.h>
#include <hv/pa.h>
#include <hv/quiesce.h>
#include <sim_ram.h>

#include "dts.h"

#define BASE 0x10000000ull
#define SLOT(n) (0x10001000ull + (n) * 0x1000)
#define ECAM 0x10100000ull
#define FUNCTION(device, n) (ECAM + (device) * 0x8000ull + (n) * 0x1000ull)
#define MAGIC 0x74726976
#define MASTER 0x0004
#define COMMAND 0x0107	/* master, memory, I/O, SERR */

struct board board;

static void *tree;
static struct gmap_block blocks[4];
static struct gmap gmap;
static u64 reach;

bool arch_device_mapped(u64 base, u64 size)
{
	return base + size <= reach;
}

static u32 *reg(u64 address)
{
	return pa_ptr(HPA(address));
}

static u16 *half(u64 address)
{
	return pa_ptr(HPA(address));
}

static void add_function(u64 function, u8 header)
{
	memset(pa_ptr(HPA(function)), 0, 64);
	*half(function) = 0x1af4;
	*half(function + 4) = COMMAND;
	*half(function + 0xe) = header;
}

/* Three virtio slots, one without a device, and a bus with some PCI functions. */
static int setup(void **state)
{
	static const char source[] =
		"/ { #address-cells = <1>; #size-cells = <1>; "
		"a@10001000 { compatible = \"virtio,mmio\"; reg = <0x10001000 0x1000>; }; "
		"b@10002000 { compatible = \"virtio,mmio\"; reg = <0x10002000 0x1000>; }; "
		"c@10003000 { compatible = \"virtio,mmio\"; reg = <0x10003000 0x1000>; }; "
		"off@10004000 { compatible = \"virtio,mmio\"; status = \"disabled\"; "
		"reg = <0x10004000 0x1000>; }; "
		"uart@10005000 { compatible = \"ns16550a\"; reg = <0x10005000 0x1000>; }; "
		"pci@10100000 { compatible = \"pci-host-ecam-generic\"; device_type = \"pci\"; "
		"reg = <0x10100000 0x100000>; }; };";
	size_t size;

	(void)state;
	sim_ram_init(BASE, MIB(4));
	tree = dts_compile(source, &size);
	board.fdt = tree;
	memset(pa_ptr(HPA(ECAM)), 0xff, MIB(1));
	for (u32 i = 0; i < 5; i++) {
		*reg(SLOT(i)) = i == 2 ? 0 : MAGIC;
		*reg(SLOT(i) + 0x70) = 0xf;
	}
	add_function(FUNCTION(0, 0), 0);
	add_function(FUNCTION(3, 0), 0x80);
	add_function(FUNCTION(3, 5), 0);
	add_function(FUNCTION(4, 0), 0);
	add_function(FUNCTION(4, 1), 0);
	add_function(FUNCTION(31, 0), 1);
	gmap = (struct gmap){ .block = blocks };
	reach = BASE + MIB(4);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(tree);
	sim_ram_exit();
	return 0;
}

static void pass(u64 hpa, u64 size, enum gmap_kind kind)
{
	blocks[gmap.count++] = (struct gmap_block){ 0x40000000 * gmap.count, hpa, size, kind };
}

static bool is_master(u64 function)
{
	assert_int_equal(*half(function + 4) | MASTER, COMMAND);
	return *half(function + 4) & MASTER;
}

static void test_virtio(void **state)
{
	(void)state;
	pass(SLOT(1), 0x4000, GMAP_DEVICE);
	quiesce(&gmap, &board);
	assert_int_equal(*reg(SLOT(0) + 0x70), 0xf);	/* another's */
	assert_int_equal(*reg(SLOT(1) + 0x70), 0);
	assert_int_equal(*reg(SLOT(2) + 0x70), 0xf);	/* no device */
	assert_int_equal(*reg(SLOT(3) + 0x70), 0xf);	/* disabled */
	assert_int_equal(*reg(SLOT(4) + 0x70), 0xf);	/* of another kind */
	assert_true(is_master(FUNCTION(0, 0)));
}

/* The functions of a device are looked at when its first one says that there are several. */
static void test_pci(void **state)
{
	(void)state;
	pass(ECAM, MIB(1), GMAP_DEVICE);
	quiesce(&gmap, &board);
	assert_false(is_master(FUNCTION(0, 0)));
	assert_false(is_master(FUNCTION(3, 0)));
	assert_false(is_master(FUNCTION(3, 5)));
	assert_false(is_master(FUNCTION(4, 0)));
	assert_true(is_master(FUNCTION(4, 1)));
	assert_false(is_master(FUNCTION(31, 0)));
	assert_int_equal(*half(FUNCTION(5, 0) + 4), 0xffff);
	assert_int_equal(*reg(SLOT(0) + 0x70), 0xf);
}

/* A VM that has a single function's page stops that one. */
static void test_one_function(void **state)
{
	(void)state;
	pass(FUNCTION(3, 5), 0x1000, GMAP_DEVICE);
	quiesce(&gmap, &board);
	assert_true(is_master(FUNCTION(3, 0)));
	assert_false(is_master(FUNCTION(3, 5)));
}

static void test_nothing_of_it(void **state)
{
	(void)state;
	pass(SLOT(0), 0x1000, GMAP_RAM);
	quiesce(&gmap, &board);
	gmap.count = 0;
	pass(SLOT(0), 0x1000, GMAP_DEVICE);
	reach = SLOT(0);
	quiesce(&gmap, &board);
	assert_int_equal(*reg(SLOT(0) + 0x70), 0xf);
}

static void test_registers(void **state)
{
	struct board_range range;

	(void)state;
	assert_true(quiesce_registers(&board, 0, &range));
	assert_int_equal(range.base, SLOT(0));
	assert_true(quiesce_registers(&board, 3, &range));
	assert_int_equal(range.base, ECAM);
	assert_int_equal(range.size, MIB(1));
	assert_false(quiesce_registers(&board, 4, &range));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_virtio, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pci, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_function, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_of_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_registers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
