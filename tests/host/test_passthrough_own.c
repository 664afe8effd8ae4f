/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shyper's own devices in the registry of claims: no VM gets them, but for console and RTC, which
 * are lent to one VM at a time and come back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hv/board.h>
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/page.h>
#include <hv/passthrough.h>
#include <hv/vm.h>
#include <sim_ram.h>

#include "dts.h"

#define RAM 0x80000000ull
#define UART 0x10000000ull
#define RTC 0x101000ull

struct board board;

static void *tree;
static struct vm vm[2];
static struct vm *tenant;

void console_lend(struct vm *to)
{
	assert_null(tenant);
	tenant = to;
}

void console_return(const struct vm *from)
{
	assert_ptr_equal(tenant, from);
	tenant = NULL;
}

#define SOURCE(more)                                                                     \
	"/ { #address-cells = <1>; #size-cells = <1>; "                                  \
	"memory@80000000 { device_type = \"memory\"; reg = <0x80000000 0x4000000>; }; "  \
	"cpus { #address-cells = <1>; #size-cells = <0>; timebase-frequency = <10000000>; " \
	"cpu@0 { device_type = \"cpu\"; reg = <0>; compatible = \"riscv\"; "             \
	"riscv,isa = \"rv64imach\"; interrupt-controller { compatible = \"riscv,cpu-intc\"; " \
	"#interrupt-cells = <1>; interrupt-controller; phandle = <1>; }; }; }; "         \
	"rtc@101000 { compatible = \"google,goldfish-rtc\"; reg = <0x101000 0x1000>; }; " \
	"serial@10000000 { compatible = \"ns16550a\"; reg = <0x10000000 0x100>; }; "     \
	"plic@c000000 { compatible = \"riscv,plic0\"; reg = <0xc000000 0x600000>; "      \
	"riscv,ndev = <95>; interrupts-extended = <1 9>; }; "                            \
	"mtimer@200bff8 { compatible = \"riscv,aclint-mtimer\"; "                        \
	"reg = <0x200bff8 8 0x2004000 0x7ff8>; interrupts-extended = <1 7>; }; " more " };"

static int reserve(const char *source)
{
	const struct page_span memory = { RAM, MIB(64) };
	const char *why;
	size_t size;

	free(tree);
	tree = dts_compile(source, &size);
	sim_ram_init(RAM, MIB(64));
	assert_int_equal(page_init(&memory, 1, NULL, 0, NULL, 0), 0);
	assert_int_equal(board_parse(&board, tree, size, &why), 0);
	return passthrough_reserve(&board);
}

static void drop_claims(void)
{
	static const struct page_span claims[] = {
		{ UART, 0x1000 }, { RTC, 0x1000 }, { 0xc000000, 0x600000 }, { 0x200b000, 0x1000 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(claims); i++)
		page_free_device(HPA(claims[i].base), claims[i].size, OWNER_HV);
	for (u64 at = 0x2004000; at < 0x200b000; at += PAGE_SIZE)
		page_free_device(HPA(at), PAGE_SIZE, OWNER_HV);
	sim_ram_exit();
}

static void give(struct vm *to, u32 id, u64 host)
{
	memset(to, 0, sizeof(*to));
	to->id = id;
	to->def.host_nodes = 1;
	to->def.passthroughs = 1;
	to->def.passthrough[0] = (struct vmdef_passthrough){ host, host, PAGE_SIZE, 1 };
}

/* Whole pages, also where two ranges of a device meet in one. */
static void test_reserve(void **state)
{
	(void)state;
	assert_int_equal(reserve(SOURCE("")), 0);
	assert_int_equal(page_owner(HPA(UART)), OWNER_HV);
	assert_int_equal(page_owner(HPA(RTC)), OWNER_HV);
	assert_int_equal(page_owner(HPA(0xc5fffff)), OWNER_HV);
	assert_int_equal(page_owner(HPA(0x2004000)), OWNER_HV);
	assert_int_equal(page_owner(HPA(0x200bff8)), OWNER_HV);
	assert_int_equal(page_owner(HPA(0x200c000)), OWNER_ABSENT);
	assert_int_equal(page_claim_device(HPA(0xc200000), PAGE_SIZE, OWNER_VM(0)), -EBUSY);
	drop_claims();
}

/*
 * Interrupt files, those for guests between them too: what a definition names is refused, and what
 * Shyper lends to one vCPU is nobody else's.
 */
static void test_reserve_interrupt_files(void **state)
{
	const u64 files = 0x28000000;

	(void)state;
	assert_int_equal(reserve(SOURCE("imsics@28000000 { compatible = \"riscv,imsics\"; "
					"riscv,num-ids = <255>; riscv,guest-index-bits = <2>; "
					"reg = <0x28000000 0x4000>; "
					"interrupts-extended = <1 9>; };")), 0);
	for (u64 at = 0; at < 0x4000; at += PAGE_SIZE)
		assert_int_equal(page_claim_device(HPA(files + at), PAGE_SIZE, OWNER_VM(1)),
				 -EBUSY);
	assert_int_equal(page_lend_device(HPA(files + 0x1000), PAGE_SIZE, OWNER_VM(1)), 0);
	assert_int_equal(page_lend_device(HPA(files + 0x1000), PAGE_SIZE, OWNER_VM(1)), -EBUSY);
	assert_int_equal(page_lend_device(HPA(files + 0x1000), PAGE_SIZE, OWNER_VM(2)), -EBUSY);
	page_return_device(HPA(files + 0x1000), PAGE_SIZE, OWNER_VM(1));
	assert_int_equal(page_owner(HPA(files + 0x1000)), OWNER_HV);
	page_free_device(HPA(files), 0x4000, OWNER_HV);
	drop_claims();
}

static void test_reserve_in_memory(void **state)
{
	(void)state;
	assert_int_equal(reserve(SOURCE("iommu@80000000 { compatible = \"riscv,iommu\"; "
					"reg = <0x80000000 0x1000>; };")), -EBUSY);
	drop_claims();
}

static void test_lend(void **state)
{
	(void)state;
	assert_int_equal(reserve(SOURCE("")), 0);
	give(&vm[0], 0, UART);
	give(&vm[1], 1, UART);
	passthrough_lend(&vm[0]);
	assert_ptr_equal(tenant, &vm[0]);
	assert_int_equal(page_claim_device(HPA(UART), PAGE_SIZE, OWNER_VM(0)), 0);
	assert_int_equal(page_owner(HPA(RTC)), OWNER_HV);

	/* The second comes too late, and its end changes nothing. */
	passthrough_lend(&vm[1]);
	assert_int_equal(page_claim_device(HPA(UART), PAGE_SIZE, OWNER_VM(1)), -EBUSY);
	passthrough_return(&vm[1]);
	assert_ptr_equal(tenant, &vm[0]);

	page_free_device(HPA(UART), PAGE_SIZE, OWNER_VM(0));
	passthrough_return(&vm[0]);
	assert_null(tenant);
	assert_int_equal(page_owner(HPA(UART)), OWNER_HV);
	drop_claims();
}

static void test_lend_rtc(void **state)
{
	(void)state;
	assert_int_equal(reserve(SOURCE("")), 0);
	give(&vm[0], 0, RTC);
	passthrough_lend(&vm[0]);
	assert_null(tenant);
	assert_int_equal(page_owner(HPA(RTC)), OWNER_ABSENT);
	passthrough_return(&vm[0]);
	assert_int_equal(page_owner(HPA(RTC)), OWNER_HV);
	drop_claims();
}

/* In numbers, nobody gets what is Shyper's. */
static void test_no_lending_by_number(void **state)
{
	(void)state;
	assert_int_equal(reserve(SOURCE("")), 0);
	give(&vm[0], 0, UART);
	vm[0].def.passthrough[0].host_node = 0;
	passthrough_lend(&vm[0]);
	assert_null(tenant);
	assert_int_equal(page_owner(HPA(UART)), OWNER_HV);
	drop_claims();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_reserve_interrupt_files),
		cmocka_unit_test(test_reserve_in_memory),
		cmocka_unit_test(test_lend),
		cmocka_unit_test(test_lend_rtc),
		cmocka_unit_test(test_no_lending_by_number),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(tree);
	return failed;
}
