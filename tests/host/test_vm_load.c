/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Booting a VM of the boot image: what comes to lie where, that every boot has a seed of its own,
 * lack of memory, and that Shyper's own pages are back when the VM has ended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include <hv/errno.h>
#include <hv/pa.h>
#include <hv/page.h>
#include <hv/random.h>
#include <hv/refuse.h>
#include <hv/vm.h>
#include <hv/vm_load.h>
#include <libfdt.h>
#include <sim_ram.h>

#define BASE 0x80000000ull
#define GUEST BASE
#define SIZE MIB(16)

static u8 kernel[3 * PAGE_SIZE + 100];
static u8 initrd[PAGE_SIZE + 1];
static struct vm vm;
static u32 refusals;

/* ---- What the code under test needs of others ---- */

void refuse(const char *fmt, ...)
{
	(void)fmt;
	refusals++;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

void random_bytes(u8 *buf, size_t size)
{
	static u8 next;

	while (size--)
		*buf++ = ++next;
}

int fit_image_get(const struct fit *fit, const char *name, struct fit_image *image)
{
	(void)fit;
	if (!strcmp(name, "kernel"))
		*image = (struct fit_image){ kernel, sizeof(kernel) };
	else if (!strcmp(name, "initrd"))
		*image = (struct fit_image){ initrd, sizeof(initrd) };
	else
		return -ENOENT;
	return 0;
}

int arch_vm_fdt(struct vm *of, u64 at, u64 size, void *buf, size_t room)
{
	static const u8 seed[VM_SEED];

	assert_ptr_equal(of, &vm);
	assert_true(at > GUEST && size == sizeof(initrd));
	assert_int_equal(fdt_create_empty_tree(buf, (int)room), 0);
	assert_int_equal(fdt_setprop(buf, 0, "seed", seed, sizeof(seed)), 0);
	return 0;
}

u8 *arch_vm_fdt_seed(void *tree)
{
	return fdt_getprop_w(tree, 0, "seed", NULL);
}

/* ---- Helpers ---- */

static u64 pages_free(void)
{
	struct page_counts counts;

	page_count(&counts);
	return counts.free;
}

static int setup(void **state)
{
	static const struct fit fit;
	struct page_span memory = { BASE, SIZE + MIB(4) };
	struct page_span reserved = { BASE, MIB(1) };

	(void)state;
	sim_ram_init(memory.base, memory.size);
	assert_int_equal(page_init(&memory, 1, &reserved, 1, NULL, 0), 0);
	memset(kernel, 0x4b, sizeof(kernel));
	memset(initrd, 0x49, sizeof(initrd));
	refusals = 0;
	vm = (struct vm){ .fit = &fit, .def = {
		.kernel.name = "kernel", .initrd.name = "initrd",
		.rams = 1, .ram = { { .base = GUEST, .size = SIZE } } } };
	gmap_init(&vm.gmap, OWNER_VM(1));
	assert_int_equal(gmap_add_ram(&vm.gmap, GPA(GUEST), SIZE), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sim_ram_exit();
	return 0;
}

static const u8 *guest(u64 at)
{
	return gmap_ram_ptr(&vm.gmap, GPA(at), 1);
}

/* ---- Tests ---- */

static void check_contents(const struct vm_entry *entry)
{
	u64 at = entry->fdt - ALIGN_UP(sizeof(initrd), PAGE_SIZE);

	assert_int_equal(entry->pc, GUEST + MIB(2));
	assert_memory_equal(guest(entry->pc), kernel, sizeof(kernel));
	assert_memory_equal(guest(at), initrd, sizeof(initrd));
	assert_int_equal(fdt_check_header(guest(entry->fdt)), 0);
}

static void test_every_boot_is_new(void **state)
{
	u8 seed[VM_SEED];
	struct vm_entry entry;
	u64 before = pages_free();

	(void)state;
	assert_int_equal(vm_load_check(&vm), 0);
	assert_int_equal(vm_load(&vm, &entry), 0);
	check_contents(&entry);
	memcpy(seed, fdt_getprop(guest(entry.fdt), 0, "seed", NULL), sizeof(seed));
	assert_int_equal(pages_free(), before - VM_FDT_ROOM / PAGE_SIZE);
	memset(gmap_ram_ptr(&vm.gmap, GPA(GUEST), SIZE), 0xff, SIZE);
	assert_int_equal(vm_load(&vm, &entry), 0);
	check_contents(&entry);
	assert_memory_not_equal(fdt_getprop(guest(entry.fdt), 0, "seed", NULL), seed,
				sizeof(seed));
	assert_int_equal(*guest(GUEST), 0);
	assert_int_equal(pages_free(), before - VM_FDT_ROOM / PAGE_SIZE);
}

static void test_no_page_is_kept(void **state)
{
	struct vm_entry entry;
	u64 before = pages_free();

	(void)state;
	vm_load_end(&vm);	/* has never booted */
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(vm_load(&vm, &entry), 0);
		check_contents(&entry);
		vm_load_end(&vm);
		vm_load_end(&vm);
		assert_int_equal(pages_free(), before);
		assert_null(vm.tree);
		assert_null(vm.seed);
	}
}

static void test_no_memory_for_the_tree(void **state)
{
	struct vm_entry entry;
	hpa_t page;

	(void)state;
	while (!page_alloc(VM_FDT_ROOM, PAGE_SIZE, OWNER_HV, &page))
		;
	assert_int_equal(vm_load(&vm, &entry), -ENOMEM);
	assert_null(vm.tree);
	page_free(HPA(ALIGN_DOWN(page.v, VM_FDT_ROOM)), VM_FDT_ROOM, OWNER_HV);
	assert_int_equal(vm_load(&vm, &entry), 0);
	check_contents(&entry);
}

/* What lacks, does not fit, or lies in the way is said before anything is loaded. */
static void test_refusals(void **state)
{
	(void)state;
	vm.def.initrd.load_given = true;
	vm.def.initrd.load = GUEST + MIB(2);
	assert_int_equal(vm_load_check(&vm), -E2BIG);
	vm.def.initrd.load = GUEST + SIZE - PAGE_SIZE;
	assert_int_equal(vm_load_check(&vm), -E2BIG);
	vm.def.initrd.load_given = false;
	vm.def.kernel.load_given = true;
	vm.def.kernel.load = GUEST + SIZE - PAGE_SIZE;
	assert_int_equal(vm_load_check(&vm), -E2BIG);
	vm.def.kernel.load = GUEST + SIZE - 8 * PAGE_SIZE;
	assert_int_equal(vm_load_check(&vm), -E2BIG);
	strcpy(vm.def.initrd.name, "other");
	assert_int_equal(vm_load_check(&vm), -ENOENT);
	vm.def.kernel.name[0] = '\0';
	assert_int_equal(vm_load_check(&vm), -ENOENT);
	assert_int_equal(refusals, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_boot_is_new, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_page_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory_for_the_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
