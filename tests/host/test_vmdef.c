/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM definitions that are accepted: what is read out of them, and what random damage cannot do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include <hv/errno.h>
#include <hv/vmdef.h>

#include "vmdef_tree.h"

static void test_complete(void **state)
{
	static struct vmdef def;
	struct vmdef_error error;

	(void)state;
	assert_int_equal(parse_edited(complete, NULL, &def, &error), 0);
	assert_string_equal(def.name, "guest");
	assert_int_equal(def.vcpus, 2);
	assert_int_equal(def.harts, 2);
	assert_int_equal(def.hart[0], 3);
	assert_int_equal(def.hart[1], 1);
	assert_true(def.sched.shared);
	assert_int_equal(def.sched.priority, 31);
	assert_int_equal(def.sched.budget_us, 2500);
	assert_true(def.sched.strict);
	assert_int_equal(def.sched.period_us, 10000);
	assert_string_equal(def.cmdline, "console=ttyS0 quiet");
	assert_true(def.autostart);
	assert_int_equal(def.on_poweroff, VMDEF_MACHINE_OFF);
	assert_int_equal(def.on_reboot, VMDEF_STOP);
	assert_int_equal(def.on_crash, VMDEF_RESTART);
	assert_int_equal(def.max_restarts, 5);
	assert_true(def.time_stops);
	assert_int_equal(def.max_leaf, 21);
	assert_int_equal(def.entry, 0x80200040);
	assert_true(def.entry_given);
	assert_string_equal(def.initrd.name, "initrd-1");
	assert_int_equal(def.initrd.load, 0x84000000);
	assert_int_equal(def.sources, 96);
}

/* Whatever the order in the tree, the lowest range comes first and keeps its own flag. */
static void test_memory_is_sorted(void **state)
{
	static struct vmdef def;
	struct vmdef_error error;

	(void)state;
	assert_int_equal(parse_edited(complete, NULL, &def, &error), 0);
	assert_int_equal(def.rams, 2);
	assert_int_equal(def.ram[0].base, 0x80000000);
	assert_false(def.ram[0].identity);
	assert_int_equal(def.ram[1].base, 0x90000000);
	assert_true(def.ram[1].identity);
}

/* libfdt puts new nodes first, so gpio's entries come before net's. */
static void test_passthrough(void **state)
{
	static struct vmdef def;
	struct vmdef_error error;

	(void)state;
	assert_int_equal(parse_edited(complete, NULL, &def, &error), 0);
	assert_int_equal(def.passthroughs, 3);
	assert_int_equal(def.passthrough[0].base, 0x21000000);
	assert_int_equal(def.passthrough[0].host, 0x21000000);
	assert_int_equal(def.passthrough[2].base, 0x20002000);
	assert_int_equal(def.passthrough[2].host, 0x30002000);
	assert_int_equal(def.passthrough[2].size, 0x2000);
	assert_int_equal(def.irqs, 2);
	assert_int_equal(def.irq[1].guest, 21);
	assert_int_equal(def.irq[1].host, 34);
}

/* What a network device is, unless its node says more; and where it is. */
static void test_network(void **state)
{
	const struct edit edits[] = {
		NODE("/devices/net0"),
		TEXT("/devices/net3", "switch", "dmz"),
		BYTES("/devices/net3", "mac", "\x52\x54\x00\x12\x34\x56"),
		CELLS("/devices/net3", "vlan", 4094), CELLS("/devices/net3", "rate", 100000),
		CELLS("/devices/net3", "mtu", 9000), FLAG("/devices/net3", "locked"),
		FLAG("/devices/net3", "small-frames"), FLAG("/devices/net1", "monitor"),
		{ .how = END } };
	static struct vmdef def;
	struct vmdef_error error;

	(void)state;
	assert_int_equal(parse_edited(complete, edits, &def, &error), 0);
	assert_int_equal(def.net[0].device.base, 0x1000a000);
	assert_int_equal(def.net[0].device.irq, 12);
	assert_string_equal(def.net[0].sw, "lan");
	assert_int_equal(def.net[0].mtu, 1500);
	assert_int_equal(def.net[0].mac | def.net[0].vlan | def.net[0].rate, 0);
	assert_false(def.net[0].locked || def.net[0].small || def.net[0].monitor);
	assert_true(def.net[1].monitor);
	assert_int_equal(def.net[2].device.size, 0);
	assert_int_equal(def.net[3].device.base, 0x1000d000);
	assert_string_equal(def.net[3].sw, "dmz");
	assert_int_equal(def.net[3].mac, 0x525400123456);
	assert_int_equal(def.net[3].vlan, 4094);
	assert_int_equal(def.net[3].rate, 100000);
	assert_int_equal(def.net[3].mtu, 9000);
	assert_true(def.net[3].locked && def.net[3].small);
}

/* Only the path is read: what is behind it, the board knows. */
static void test_host_node(void **state)
{
	const struct edit edits[] = {
		CELLS("/memory@80000000", "reg", 0, 0x80000000, 0, 0x8000000),
		FLAG("/memory@80000000", "identity-map"),
		TEXT("/passthrough/disk", "host-node", "/soc/virtio_mmio@10001000"),
		{ .how = END },
	};
	static struct vmdef def;
	struct vmdef_error error;

	(void)state;
	assert_int_equal(parse_edited(complete, NULL, &def, &error), 0);
	assert_int_equal(def.host_nodes, 1);
	assert_string_equal(def.host_node[0].path, "/soc/rtc@101000");
	assert_true(def.host_node[0].no_dma);
	assert_int_equal(parse_edited(minimal, edits, &def, &error), 0);
	assert_int_equal(def.host_nodes, 1);
	assert_string_equal(def.host_node[0].path, "/soc/virtio_mmio@10001000");
	assert_false(def.host_node[0].no_dma);
	assert_int_equal(def.passthroughs, 0);
}

static void test_defaults(void **state)
{
	static struct vmdef def;
	struct vmdef_error error;

	(void)state;
	assert_int_equal(parse_edited(minimal, NULL, &def, &error), 0);
	assert_int_equal(def.vcpus, 1);
	assert_int_equal(def.harts, 0);
	assert_false(def.sched.shared);
	assert_int_equal(def.rams, 1);
	assert_int_equal(def.ram[0].base, 0x80000000);
	assert_int_equal(def.ram[0].size, MIB(256));
	assert_false(def.autostart);
	assert_int_equal(def.on_poweroff, VMDEF_STOP);
	assert_int_equal(def.on_reboot, VMDEF_RESTART);
	assert_int_equal(def.on_crash, VMDEF_STOP);
	assert_int_equal(def.max_restarts, 0);
	assert_false(def.time_stops);
	assert_int_equal(def.max_leaf, 30);
	assert_false(def.kernel.load_given);
	assert_false(def.entry_given);
	assert_string_equal(def.initrd.name, "");
	assert_int_equal(def.plic.base, 0xc000000);
	assert_int_equal(def.sources, 96);
	assert_int_equal(def.uart.base, 0x10000000);
	assert_int_equal(def.uart.irq, 10);
	assert_int_equal(def.finisher.base, 0x100000);
	assert_int_equal(def.rtc.base, 0x101000);
	assert_int_equal(def.rtc.irq, 11);
	assert_int_equal(def.console.size, 0);
	assert_int_equal(def.console.irq, 0);
}

static void check_console(const struct edit *edits, u64 base, u64 size, u32 irq)
{
	static struct vmdef def;
	struct vmdef_error error;

	assert_int_equal(parse_edited(minimal, edits, &def, &error), 0);
	assert_int_equal(def.console.base, base);
	assert_int_equal(def.console.size, size);
	assert_int_equal(def.console.irq, irq);
}

/* Its node asks for the virtio console, and may say where it is. */
static void test_console(void **state)
{
	const struct edit plain[] = { TEXT("/devices/console", "status", "okay"), { .how = END } };
	const struct edit no_plic[] = {
		TEXT("/devices/plic", "status", "disabled"),
		TEXT("/devices/console", "status", "okay"), { .how = END } };
	const struct edit moved[] = {
		CELLS("/devices/console", "reg", 0, 0x20000000, 0, 0x200),
		CELLS("/devices/console", "interrupt", 7), { .how = END } };
	const struct edit disabled[] = {
		TEXT("/devices/console", "status", "disabled"), { .how = END } };

	(void)state;
	check_console(plain, 0x10001000, 0x1000, 1);
	check_console(no_plic, 0x10001000, 0x1000, 0);
	check_console(moved, 0x20000000, 0x200, 7);
	check_console(disabled, 0, 0, 0);
}

static void test_hart_ids_of_two_cells(void **state)
{
	const struct edit edits[] = {
		CELLS("/", "vcpus", 2), CELLS("/", "harts", 1, 5, 0, 6), { .how = END } };
	static struct vmdef def;
	struct vmdef_error error;

	(void)state;
	assert_int_equal(parse_edited(minimal, edits, &def, &error), 0);
	assert_int_equal(def.hart[0], 0x100000005);
	assert_int_equal(def.hart[1], 6);
}

static void test_disabled_device(void **state)
{
	const struct edit edits[] = {
		TEXT("/devices/rtc", "status", "disabled"), { .how = END } };
	static struct vmdef def;
	struct vmdef_error error;

	(void)state;
	assert_int_equal(parse_edited(minimal, edits, &def, &error), 0);
	assert_int_equal(def.rtc.size, 0);
	assert_int_equal(def.uart.size, 0x100);
}

/* Who names one controller gets that; who names both or none, what the board has. */
static void test_irqchip(void **state)
{
	static const struct {
		const struct edit edits[3];
		bool aplic, imsic;	/* of the board */
		int result;
		enum vmdef_irqchip chosen;
	} cases[] = {
		{ { { .how = END } }, false, false, 0, VMDEF_IRQCHIP_PLIC },
		{ { { .how = END } }, true, false, 0, VMDEF_IRQCHIP_APLIC },
		{ { { .how = END } }, false, true, 0, VMDEF_IRQCHIP_APLIC },
		{ { NODE("/devices/plic"), { .how = END } }, false, true, 0, VMDEF_IRQCHIP_PLIC },
		{ { NODE("/devices/aplic"), { .how = END } }, false, true, 0,
		  VMDEF_IRQCHIP_APLIC },
		{ { NODE("/devices/aplic"), { .how = END } }, true, false, 0,
		  VMDEF_IRQCHIP_APLIC },
		{ { NODE("/devices/aplic"), { .how = END } }, false, false, -EINVAL,
		  VMDEF_IRQCHIP_APLIC },
		{ { NODE("/devices/aplic"), NODE("/devices/plic"), { .how = END } }, false, false,
		  0, VMDEF_IRQCHIP_PLIC },
		{ { NODE("/devices/aplic"), NODE("/devices/plic"), { .how = END } }, false, true,
		  0, VMDEF_IRQCHIP_APLIC },
		{ { TEXT("/devices/aplic", "status", "disabled"), { .how = END } }, false, true, 0,
		  VMDEF_IRQCHIP_PLIC },
		{ { TEXT("/devices/plic", "status", "disabled"), { .how = END } }, false, true, 0,
		  VMDEF_IRQCHIP_NONE },
		{ { TEXT("/devices/plic", "status", "disabled"), NODE("/devices/aplic"),
		    { .how = END } }, false, true, 0, VMDEF_IRQCHIP_APLIC },
	};

	static struct vmdef def;
	struct vmdef_error error;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		bool plic = cases[i].chosen == VMDEF_IRQCHIP_PLIC;
		bool aplic = cases[i].chosen == VMDEF_IRQCHIP_APLIC;

		assert_int_equal(parse_edited(minimal, cases[i].edits, &def, &error), 0);
		assert_int_equal(vmdef_choose_irqchip(&def, cases[i].aplic, cases[i].imsic, &error),
				 cases[i].result);
		if (cases[i].result)
			continue;
		assert_int_equal(def.irqchip, cases[i].chosen);
		assert_int_equal(def.plic.size != 0, plic);
		assert_int_equal(def.aplic.size != 0, aplic);
		assert_int_equal(def.imsic.size != 0, aplic && cases[i].imsic);
	}
}

/* Without a PLIC the default interrupts vanish; only an explicit one is an error. */
static void test_no_plic(void **state)
{
	const struct edit edits[] = {
		TEXT("/devices/plic", "status", "disabled"), { .how = END } };
	static struct vmdef def;
	struct vmdef_error error;

	(void)state;
	assert_int_equal(parse_edited(minimal, edits, &def, &error), 0);
	assert_int_equal(def.plic.size, 0);
	assert_int_equal(def.sources, 0);
	assert_int_equal(def.uart.irq, 0);
	assert_int_equal(def.rtc.irq, 0);
}

/* The freed place of a disabled device may be used. */
static void test_disabled_place_is_free(void **state)
{
	const struct edit edits[] = {
		TEXT("/devices/uart", "status", "disabled"),
		CELLS("/passthrough/uart@10000000", "reg", 0, 0x10000000, 0, 0x1000),
		CELLS("/passthrough/uart@10000000", "interrupts", 10),
		{ .how = END },
	};
	static struct vmdef def;
	struct vmdef_error error;

	(void)state;
	assert_int_equal(parse_edited(minimal, edits, &def, &error), 0);
	assert_int_equal(def.passthroughs, 1);
	assert_int_equal(def.irq[0].host, 10);
}

static void test_emulated_devices_may_share_a_page(void **state)
{
	const struct edit edits[] = {
		CELLS("/devices/uart", "reg", 0, 0x101800, 0, 0x100),
		CELLS("/devices/rtc", "reg", 0, 0x101000, 0, 0x800),
		{ .how = END },
	};
	static struct vmdef def;
	struct vmdef_error error;

	(void)state;
	assert_int_equal(parse_edited(minimal, edits, &def, &error), 0);
}

/* --- Random damage --------------------------------------------------------------------------- */

static u64 random_state;

static u32 random_below(u32 n)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return (u32)(random_state >> 33) % n;
}

/* What every accepted definition promises to its users. */
static void check_accepted(const struct vmdef *def)
{
	assert_in_range(def->vcpus, 1, VMDEF_VCPUS);
	assert_true(def->harts == 0 || def->harts == def->vcpus);
	assert_in_range(strnlen(def->name, VMDEF_NAME), 1, VMDEF_NAME - 1);
	assert_in_range(strnlen(def->kernel.name, VMDEF_NAME), 1, VMDEF_NAME - 1);
	assert_true(strnlen(def->cmdline, VMDEF_CMDLINE) < VMDEF_CMDLINE);
	assert_in_range(def->rams, 1, VMDEF_RAM);
	for (u32 i = 0; i < def->rams; i++) {
		assert_true(def->ram[i].size > 0);
		assert_true((def->ram[i].base | def->ram[i].size) % PAGE_SIZE == 0);
		assert_true(i == 0 || def->ram[i - 1].base + def->ram[i - 1].size <=
				      def->ram[i].base);
	}
	assert_true(def->plic.size == 0 || def->sources >= 2);
	assert_true(def->sources <= VMDEF_SOURCES);
	assert_true(def->passthroughs <= VMDEF_PASSTHROUGH && def->irqs <= VMDEF_IRQS);
	for (u32 i = 0; i < def->irqs; i++)
		assert_in_range(def->irq[i].guest, 1, def->sources - 1);
}

/* A cell that is interesting more often than a random one. */
static u32 random_cell(void)
{
	static const u32 interesting[] = {
		0, 1, 2, 7, 8, 16, 17, 0x800, 0x1000, 0x100000, 0x10000000, 0x80000000,
		0x80200000, 0xfffff000, 0xffffffff,
	};

	return random_below(4) ? interesting[random_below(ARRAY_SIZE(interesting))]
			       : random_below(0x7fffffff);
}

/* Sizes stay, values change: gets past the structure checks. */
static void damage_value(void *fdt)
{
	int size = (int)fdt_size_dt_struct(fdt);
	u8 *block = (u8 *)fdt + fdt_off_dt_struct(fdt);
	int offset = 0, next, steps = (int)random_below(90);
	u32 tag;

	do {
		tag = fdt_next_tag(fdt, offset, &next);
		if (tag == FDT_PROP && steps-- <= 0) {
			u32 cell = cpu_to_fdt32(random_cell());
			u32 len = fdt32_ld((fdt32_t *)(void *)(block + offset + 4));

			if (len >= 4)
				memcpy(block + offset + 12 + random_below(len / 4) * 4, &cell, 4);
			return;
		}
		offset = next;
	} while (tag != FDT_END && offset < size);
}

static void damage_bytes(u8 *tree, size_t size)
{
	for (u32 n = 1 + random_below(4); n > 0; n--)
		tree[random_below((u32)size)] = (u8)(random_below(2) ? random_below(256) : 0);
}

static void test_random_damage(void **state)
{
	static u64 base[TREE_ROOM / 8], fdt[TREE_ROOM / 8];
	static struct vmdef def;
	struct vmdef_error error;
	u32 accepted = 0;
	size_t size;

	(void)state;
	assert_int_equal(fdt_create_empty_tree(base, sizeof(base)), 0);
	apply_all(base, complete);
	fdt_pack(base);
	size = fdt_totalsize(base);
	for (u32 i = 0; i < 30000; i++) {
		size_t given = random_below(8) ? size : random_below((u32)size);

		random_state = i;
		memcpy(fdt, base, size);
		for (u32 n = random_below(4); n > 0; n--)
			damage_value(fdt);
		if (random_below(3) == 0)
			damage_bytes((u8 *)fdt, size);
		if (parse_exact(fdt, given, &def, &error) == 0) {
			check_accepted(&def);
			accepted++;
		} else {
			assert_true(error.node[0] && error.reason[0]);
		}
	}
	assert_in_range(accepted, 100, 29000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_memory_is_sorted),
		cmocka_unit_test(test_passthrough),
		cmocka_unit_test(test_host_node),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_hart_ids_of_two_cells),
		cmocka_unit_test(test_disabled_device),
		cmocka_unit_test(test_irqchip),
		cmocka_unit_test(test_no_plic),
		cmocka_unit_test(test_console),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_disabled_place_is_free),
		cmocka_unit_test(test_emulated_devices_may_share_a_page),
		cmocka_unit_test(test_random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
