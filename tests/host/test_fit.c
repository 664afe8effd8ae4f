/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot images: made here by libfdt and by the real mkimage, with data inside and behind the tree;
 * then damaged in every way that fit_open() must see.
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

#include <hv/crc32.h>
#include <hv/errno.h>
#include <hv/fit.h>

#define ROOM 16384
#define KERNEL "kernel-1"
#define VM "vm-1"

static const char kernel_data[] = "the kernel, of some bytes";
static const char vm_data[] = "a definition";

/* --- Building -------------------------------------------------------------------------------- */

static int make_node(void *fdt, const char *path)
{
	char parent[64];
	const char *name = strrchr(path, '/');
	int node = fdt_path_offset(fdt, path);

	if (node >= 0)
		return node;
	snprintf(parent, sizeof(parent), "%.*s", (int)(name - path), path);
	node = fdt_add_subnode(fdt, parent[0] ? make_node(fdt, parent) : 0, name + 1);
	assert_true(node >= 0);
	return node;
}

static void set(void *fdt, const char *path, const char *property, const void *data, size_t size)
{
	assert_int_equal(fdt_setprop(fdt, make_node(fdt, path), property, data, (int)size), 0);
}

static void set_text(void *fdt, const char *path, const char *property, const char *text)
{
	set(fdt, path, property, text, strlen(text) + 1);
}

static void set_cell(void *fdt, const char *path, const char *property, u32 value)
{
	fdt32_t cell = cpu_to_fdt32(value);

	set(fdt, path, property, &cell, sizeof(cell));
}

static void remove_property(void *fdt, const char *path, const char *property)
{
	assert_int_equal(fdt_delprop(fdt, fdt_path_offset(fdt, path), property), 0);
}

static void remove_node(void *fdt, const char *path)
{
	assert_int_equal(fdt_del_node(fdt, fdt_path_offset(fdt, path)), 0);
}

static void set_hash(void *fdt, const char *image, const void *data, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/hash-1", image);
	set_text(fdt, path, "algo", "crc32");
	set_cell(fdt, path, "value", crc32(0, data, size));
}

static void begin_fit(void *fdt)
{
	assert_int_equal(fdt_create_empty_tree(fdt, ROOM), 0);
	set_text(fdt, "/configurations", "default", "conf");
	set(fdt, "/configurations/conf", "loadables", VM, sizeof(VM));
	set_text(fdt, "/images/" VM, "type", "flat_dt");
	set_text(fdt, "/images/" VM, "compression", "none");
	set_hash(fdt, "/images/" VM, vm_data, sizeof(vm_data));
	set_text(fdt, "/images/" KERNEL, "type", "kernel");
	set_hash(fdt, "/images/" KERNEL, kernel_data, sizeof(kernel_data));
}

/* Data inside the tree. */
static void build_inside(void *fdt)
{
	begin_fit(fdt);
	set(fdt, "/images/" VM, "data", vm_data, sizeof(vm_data));
	set(fdt, "/images/" KERNEL, "data", kernel_data, sizeof(kernel_data));
}

/* Data behind the tree, as mkimage -E (offset) or -p (position) does. Returns the size of all. */
static size_t build_behind(void *fdt, bool position)
{
	const char *property = position ? "data-position" : "data-offset";
	size_t end;

	begin_fit(fdt);
	set_cell(fdt, "/images/" VM, property, 0);
	set_cell(fdt, "/images/" VM, "data-size", sizeof(vm_data));
	set_cell(fdt, "/images/" KERNEL, property, 0);
	set_cell(fdt, "/images/" KERNEL, "data-size", sizeof(kernel_data));
	fdt_pack(fdt);
	end = ALIGN_UP(fdt_totalsize(fdt), 4u);
	set_cell(fdt, "/images/" VM, property, position ? (u32)end : 0);
	set_cell(fdt, "/images/" KERNEL, property, (position ? (u32)end : 0) + 16);
	memcpy((u8 *)fdt + end, vm_data, sizeof(vm_data));
	memcpy((u8 *)fdt + end + 16, kernel_data, sizeof(kernel_data));
	return end + 16 + sizeof(kernel_data);
}

/* --- Opening --------------------------------------------------------------------------------- */

static char why[128];

/* Opens a copy without a byte to spare. The caller frees *copy. */
static int open_copy(const void *data, size_t size, struct fit *fit, void **copy)
{
	*copy = malloc(size ? size : 1);
	memcpy(*copy, data, size);
	why[0] = 0;
	return fit_open(fit, *copy, size, why, sizeof(why));
}

static void expect_damaged(const void *data, size_t size, const char *reason)
{
	struct fit fit;
	void *copy;

	assert_int_equal(open_copy(data, size, &fit, &copy), -EPROTO);
	free(copy);
	if (!strstr(why, reason))
		fail_msg("reason is \"%s\", expected \"%s\"", why, reason);
}

static void expect_tree_damaged(void *fdt, const char *reason)
{
	fdt_pack(fdt);
	expect_damaged(fdt, fdt_totalsize(fdt), reason);
}

static void expect_good(const void *data, size_t size)
{
	struct fit_image image;
	struct fit fit;
	void *copy;

	if (open_copy(data, size, &fit, &copy))
		fail_msg("refused: %s", why);
	assert_int_equal(fit_vms(&fit), 1);
	assert_int_equal(fit_vm(&fit, 0, &image), 0);
	assert_int_equal(image.size, sizeof(vm_data));
	assert_memory_equal(image.data, vm_data, sizeof(vm_data));
	assert_int_equal(fit_vm(&fit, 1, &image), -ENOENT);
	assert_int_equal(fit_image_get(&fit, KERNEL, &image), 0);
	assert_memory_equal(image.data, kernel_data, sizeof(kernel_data));
	assert_int_equal(fit_image_get(&fit, "kernel-2", &image), -ENOENT);
	assert_int_equal(fit_image_get(&fit, "", &image), -ENOENT);
	free(copy);
}

static void test_data_inside(void **state)
{
	static u64 fdt[ROOM / 8];

	(void)state;
	build_inside(fdt);
	fdt_pack(fdt);
	expect_good(fdt, fdt_totalsize(fdt));
}

static void test_data_behind(void **state)
{
	static u64 fdt[ROOM / 8];

	(void)state;
	expect_good(fdt, build_behind(fdt, false));
	expect_good(fdt, build_behind(fdt, true));
}

/* The order of the list is the order of the VMs. */
static void test_order_of_vms(void **state)
{
	static u64 fdt[ROOM / 8];
	struct fit_image image;
	struct fit fit;

	(void)state;
	build_inside(fdt);
	set(fdt, "/configurations/conf", "loadables", "vm-2\0" VM, 5 + sizeof(VM));
	set_text(fdt, "/images/vm-2", "type", "flat_dt");
	set_hash(fdt, "/images/vm-2", "two", 4);
	set_text(fdt, "/images/vm-2", "data", "two");
	assert_int_equal(fit_open(&fit, fdt, sizeof(fdt), why, sizeof(why)), 0);
	assert_int_equal(fit_vms(&fit), 2);
	assert_int_equal(fit_vm(&fit, 0, &image), 0);
	assert_string_equal((const char *)image.data, "two");
	assert_int_equal(fit_vm(&fit, 1, &image), 0);
	assert_memory_equal(image.data, vm_data, sizeof(vm_data));
}

/* --- Damage ---------------------------------------------------------------------------------- */

static void test_no_fit(void **state)
{
	static u64 zeros[64];

	(void)state;
	expect_damaged(zeros, 0, "cut off");
	expect_damaged(zeros, 8, "cut off");
	expect_damaged(zeros, sizeof(zeros), "no FIT");
}

static void test_unaligned(void **state)
{
	static u64 fdt[ROOM / 8];
	struct fit fit;

	(void)state;
	assert_int_equal(fit_open(&fit, (u8 *)fdt + 4, 1000, why, sizeof(why)), -EPROTO);
	assert_non_null(strstr(why, "8-byte boundary"));
}

/* Each length short of the whole is refused, inside the tree and in the data behind it. */
static void test_cut_off(void **state)
{
	static u64 fdt[ROOM / 8];
	size_t size;

	(void)state;
	size = build_behind(fdt, false);
	for (size_t n = 0; n < size; n++)
		expect_damaged(fdt, n, n < fdt_totalsize(fdt) ? "cut off" : "is not inside");
}

static void test_changed_data(void **state)
{
	static u64 fdt[ROOM / 8];
	size_t size;

	(void)state;
	size = build_behind(fdt, false);
	for (size_t i = size - sizeof(kernel_data); i < size; i++) {
		((u8 *)fdt)[i] ^= 0x40;
		expect_damaged(fdt, size, "image kernel-1: crc32 is 0x");
		((u8 *)fdt)[i] ^= 0x40;
	}
	expect_good(fdt, size);
}

#define DAMAGE(test, statement, reason)                                                  \
	static void test(void **state)                                                   \
	{                                                                                \
		static u64 fdt[ROOM / 8];                                                \
		(void)state;                                                             \
		build_inside(fdt);                                                       \
		statement;                                                               \
		expect_tree_damaged(fdt, reason);                                        \
	}

#define IMAGE "/images/" KERNEL
#define HASH IMAGE "/hash-1"
#define CONF "/configurations/conf"

DAMAGE(no_images, remove_node(fdt, "/images"), "no /images")
DAMAGE(no_configurations, remove_node(fdt, "/configurations"), "no list of loadables")
DAMAGE(no_default, remove_property(fdt, "/configurations", "default"), "no list of loadables")
DAMAGE(default_absent, set_text(fdt, "/configurations", "default", "x"), "no list of loadables")
DAMAGE(default_no_text, set(fdt, "/configurations", "default", "conf", 4), "no list of loadables")
DAMAGE(no_loadables, remove_property(fdt, CONF, "loadables"), "no list of loadables")
DAMAGE(loadables_empty, set(fdt, CONF, "loadables", "", 0), "no list of loadables")
DAMAGE(loadables_no_text, set(fdt, CONF, "loadables", "vm-1", 4), "no list of loadables")
DAMAGE(loadable_absent, set_text(fdt, CONF, "loadables", "vm-9"), "loadable vm-9: there is no")
DAMAGE(loadable_nameless, set_text(fdt, CONF, "loadables", ""), "there is no such image")
DAMAGE(loadable_kernel, set_text(fdt, CONF, "loadables", KERNEL), "its type is not flat_dt")
DAMAGE(loadable_control, set_text(fdt, CONF, "loadables", "a\033b"), "loadable a?b")
DAMAGE(no_data, remove_property(fdt, IMAGE, "data"), "image kernel-1: has no data")
DAMAGE(empty_data, set(fdt, IMAGE, "data", "", 0), "image kernel-1: is empty")
DAMAGE(compressed, set_text(fdt, IMAGE, "compression", "gzip"), "is compressed (gzip)")
DAMAGE(no_hash, remove_node(fdt, HASH), "has no crc32 hash")
DAMAGE(other_hash, set_text(fdt, HASH, "algo", "sha256"), "has no crc32 hash")
DAMAGE(no_algo, remove_property(fdt, HASH, "algo"), "has no crc32 hash")
DAMAGE(no_value, remove_property(fdt, HASH, "value"), "no value of 4 bytes")
DAMAGE(short_value, set(fdt, HASH, "value", "abc", 3), "no value of 4 bytes")
DAMAGE(long_value, set(fdt, HASH, "value", "abcdefgh", 8), "no value of 4 bytes")
DAMAGE(wrong_value, set_cell(fdt, HASH, "value", 1), "should be 0x00000001")
DAMAGE(two_hashes, (set_text(fdt, IMAGE "/hash-2", "algo", "crc32"),
		    set_cell(fdt, IMAGE "/hash-2", "value",
			     crc32(0, kernel_data, sizeof(kernel_data)))),
       "two crc32 hashes")

static void make_many(void *fdt, const char *folder, u32 count)
{
	char path[64];

	for (u32 i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/x-%u", folder, i);
		set_text(fdt, path, "data", "x");
		set_hash(fdt, path, "x", 2);
	}
}

DAMAGE(too_many_images, make_many(fdt, "/images", FIT_IMAGES), "more than 64 images")
DAMAGE(too_many_vms, set(fdt, CONF, "loadables",
			 "vm-1\0vm-1\0vm-1\0vm-1\0vm-1\0vm-1\0vm-1\0vm-1\0vm-1\0"
			 "vm-1\0vm-1\0vm-1\0vm-1\0vm-1\0vm-1\0vm-1\0vm-1\0vm-1", 5 * 18),
       "more than 17 loadables")

#define DAMAGE_BEHIND(test, statement, reason)                                           \
	static void test(void **state)                                                   \
	{                                                                                \
		static u64 fdt[ROOM / 8];                                                \
		size_t size;                                                             \
		(void)state;                                                             \
		size = build_behind(fdt, false);                                         \
		statement;                                                               \
		expect_damaged(fdt, size, reason);                                       \
	}

DAMAGE_BEHIND(data_behind_the_end, set_cell(fdt, IMAGE, "data-offset", 0x1000), "is not inside")
DAMAGE_BEHIND(data_wraps, set_cell(fdt, IMAGE, "data-offset", 0xfffffffc), "is not inside")
DAMAGE_BEHIND(data_too_long, set_cell(fdt, IMAGE, "data-size", 27), "is not inside")
DAMAGE_BEHIND(data_size_wraps, set_cell(fdt, IMAGE, "data-size", 0xffffffff), "is not inside")
DAMAGE_BEHIND(data_of_no_size, set_cell(fdt, IMAGE, "data-size", 0), "is empty")
DAMAGE_BEHIND(data_without_size, (fdt_nop_property(fdt, fdt_path_offset(fdt, IMAGE),
						      "data-size")), "is not inside")

static void test_position_in_the_tree(void **state)
{
	static u64 fdt[ROOM / 8];
	size_t size;

	(void)state;
	size = build_behind(fdt, true);
	set_cell(fdt, IMAGE, "data-position", 0);
	expect_damaged(fdt, size, "is not inside");
}

static void test_image_twice(void **state)
{
	u64 fdt[256];

	(void)state;
	assert_int_equal(fdt_create(fdt, sizeof(fdt)), 0);
	assert_int_equal(fdt_finish_reservemap(fdt), 0);
	assert_int_equal(fdt_begin_node(fdt, ""), 0);
	assert_int_equal(fdt_begin_node(fdt, "images"), 0);
	for (int i = 0; i < 2; i++) {
		fdt32_t crc = cpu_to_fdt32(crc32(0, "a", 2));

		assert_int_equal(fdt_begin_node(fdt, "k"), 0);
		assert_int_equal(fdt_property(fdt, "data", "a", 2), 0);
		assert_int_equal(fdt_begin_node(fdt, "hash"), 0);
		assert_int_equal(fdt_property(fdt, "algo", "crc32", 6), 0);
		assert_int_equal(fdt_property(fdt, "value", &crc, 4), 0);
		assert_int_equal(fdt_end_node(fdt), 0);
		assert_int_equal(fdt_end_node(fdt), 0);
	}
	assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(fdt_finish(fdt), 0);
	expect_tree_damaged(fdt, "image k: is there twice");
}

/* One byte anywhere in the tree: never a crash, and what is accepted can be read to its end. */
static void test_random_damage(void **state)
{
	static u64 good[ROOM / 8], fdt[ROOM / 8];
	u64 random = 1;
	size_t size;

	(void)state;
	size = build_behind(good, false);
	for (u32 i = 0; i < 20000; i++) {
		struct fit_image image;
		struct fit fit;
		void *copy;

		random = random * 6364136223846793005 + 1442695040888963407;
		memcpy(fdt, good, size);
		((u8 *)fdt)[(random >> 33) % size] = (u8)(random >> 20);
		if (open_copy(fdt, size, &fit, &copy) == 0) {
			for (u32 n = 0; n < fit_vms(&fit); n++) {
				assert_int_equal(fit_vm(&fit, n, &image), 0);
				crc32(0, image.data, image.size);
			}
		}
		free(copy);
	}
}

/* --- mkimage --------------------------------------------------------------------------------- */

static const char its[] =
	"/dts-v1/;\n/ { description = \"test\"; #address-cells = <2>;\n"
	"images { vm-1 { description = \"d\"; data = /incbin/(\"vm\"); type = \"flat_dt\";"
	" arch = \"riscv\"; compression = \"none\"; hash-1 { algo = \"crc32\"; }; };\n"
	"kernel-1 { description = \"k\"; data = /incbin/(\"kernel\"); type = \"kernel\";"
	" arch = \"riscv\"; os = \"linux\"; compression = \"none\"; load = <0 0>; entry = <0 0>;"
	" hash-1 { algo = \"crc32\"; }; }; };\n"
	"configurations { default = \"conf\"; conf { description = \"c\";"
	" loadables = \"vm-1\"; }; }; };\n";

static void write_file(const char *folder, const char *name, const void *data, size_t size)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	fclose(file);
}

static size_t read_file(const char *folder, const char *name, void *data, size_t room)
{
	char path[128];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	assert_non_null(file);
	size = fread(data, 1, room, file);
	fclose(file);
	return size;
}

static void check_mkimage(const char *options)
{
	static u64 fit[ROOM / 8];
	char folder[] = "/tmp/test_fit.XXXXXX";
	char command[256];

	assert_non_null(mkdtemp(folder));
	write_file(folder, "test.its", its, sizeof(its) - 1);
	write_file(folder, "vm", vm_data, sizeof(vm_data));
	write_file(folder, "kernel", kernel_data, sizeof(kernel_data));
	snprintf(command, sizeof(command), "cd %s && mkimage %s -f test.its test.itb >log 2>&1",
		 folder, options);
	assert_int_equal(system(command), 0);
	expect_good(fit, read_file(folder, "test.itb", fit, sizeof(fit)));
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

static void test_mkimage(void **state)
{
	(void)state;
	check_mkimage("");
	check_mkimage("-E");
	check_mkimage("-E -B 1000");
	check_mkimage("-E -p 2000");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data_inside),
		cmocka_unit_test(test_data_behind),
		cmocka_unit_test(test_order_of_vms),
		cmocka_unit_test(test_no_fit),
		cmocka_unit_test(test_unaligned),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_changed_data),
		cmocka_unit_test(no_images),
		cmocka_unit_test(no_configurations),
		cmocka_unit_test(no_default),
		cmocka_unit_test(default_absent),
		cmocka_unit_test(default_no_text),
		cmocka_unit_test(no_loadables),
		cmocka_unit_test(loadables_empty),
		cmocka_unit_test(loadables_no_text),
		cmocka_unit_test(loadable_absent),
		cmocka_unit_test(loadable_nameless),
		cmocka_unit_test(loadable_kernel),
		cmocka_unit_test(loadable_control),
		cmocka_unit_test(no_data),
		cmocka_unit_test(empty_data),
		cmocka_unit_test(compressed),
		cmocka_unit_test(no_hash),
		cmocka_unit_test(other_hash),
		cmocka_unit_test(no_algo),
		cmocka_unit_test(no_value),
		cmocka_unit_test(short_value),
		cmocka_unit_test(long_value),
		cmocka_unit_test(wrong_value),
		cmocka_unit_test(two_hashes),
		cmocka_unit_test(too_many_images),
		cmocka_unit_test(too_many_vms),
		cmocka_unit_test(data_behind_the_end),
		cmocka_unit_test(data_wraps),
		cmocka_unit_test(data_too_long),
		cmocka_unit_test(data_size_wraps),
		cmocka_unit_test(data_of_no_size),
		cmocka_unit_test(data_without_size),
		cmocka_unit_test(test_position_in_the_tree),
		cmocka_unit_test(test_image_twice),
		cmocka_unit_test(test_random_damage),
		cmocka_unit_test(test_mkimage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
