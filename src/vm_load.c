/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the pieces go, as QEMU's virt board and the RISC-V boot protocol have it: the kernel at its
 * load address, the initrd and then the device tree as high as they fit.
 */
#include <hv/errno.h>
#include <hv/fiber.h>
#include <hv/fit.h>
#include <hv/log.h>
#include <hv/pa.h>
#include <hv/page.h>
#include <hv/random.h>
#include <hv/refuse.h>
#include <hv/string.h>
#include <hv/vm.h>
#include <hv/vm_load.h>
#include <libfdt.h>

#define FDT_ROOM VM_FDT_ROOM		/* the most that arch_vm_fdt() writes */
#define KERNEL_ALIGN MIB(2)
#define IMAGE_HEADER 64

static u64 read_le(const u8 *at)
{
	u64 value = 0;

	for (u32 i = 8; i--;)
		value = value << 8 | at[i];
	return value;
}

/*
 * A RISC-V Image (boot-image-header.rst: "RSC\x05" at 56) says where it wants to lie and how much
 * room it takes; anything else lies where QEMU's virt board puts a kernel and takes what it has.
 */
static void kernel_place(const struct vm *vm, struct vm_layout *l)
{
	const u8 *head = l->kernel.data;
	u64 offset = KERNEL_ALIGN, size = l->kernel.size;

	if (size >= IMAGE_HEADER && !memcmp(head + 56, "RSC\x05", 4)) {
		offset = read_le(head + 8);
		size = MAX(size, read_le(head + 16));
	}
	l->kernel_base = vm->def.kernel.load_given ? vm->def.kernel.load :
						     vm->def.ram[0].base + offset;
	l->kernel_size = size;
}

static int find(const struct vm *vm, const char *what, const struct vmdef_image *image,
		struct fit_image *out)
{
	if (!image->name[0])
		return 0;
	if (!fit_image_get(vm->fit, image->name, out))
		return 0;
	refuse("%s refused: node /%s, property image: '%s' is not in the boot image", vm->def.name,
	       what, image->name);
	return -ENOENT;
}

static int too_big(const struct vm *vm, const char *what, u64 base, u64 size)
{
	refuse("%s refused: node /memory@%llx, property reg: the %s (%llu KiB at 0x%llx) does not "
	       "fit into 0x%llx..0x%llx; give it more memory", vm->def.name,
	       (unsigned long long)vm->def.ram[0].base, what,
	       (unsigned long long)ALIGN_UP(size, KIB(1)) >> 10, (unsigned long long)base,
		(unsigned long long)vm->def.ram[0].base,
		(unsigned long long)(vm->def.ram[0].base + vm->def.ram[0].size - 1));
	return -E2BIG;
}

/* The initrd and the tree from the top of the first 1 GiB down, above the kernel. */
static int place(const struct vm *vm, struct vm_layout *l)
{
	const struct vmdef_ram *ram = &vm->def.ram[0];
	u64 top = ram->base + MIN(ram->size, GIB(1)), floor;

	kernel_place(vm, l);
	if (!range_inside(l->kernel_base, l->kernel_size, ram->base, ram->size))
		return too_big(vm, "kernel", l->kernel_base, l->kernel_size);
	floor = l->kernel_base + l->kernel_size;
	if (top < ram->base + FDT_ROOM || top - FDT_ROOM < floor)
		return too_big(vm, "device tree", floor, FDT_ROOM);
	l->fdt_base = ALIGN_DOWN(top - FDT_ROOM, MIN(KERNEL_ALIGN, ram->size / 2));
	if (l->fdt_base < floor)
		l->fdt_base = ALIGN_DOWN(top - FDT_ROOM, PAGE_SIZE);
	if (!vm->def.initrd.name[0])
		return 0;
	if (vm->def.initrd.load_given)
		l->initrd_base = vm->def.initrd.load;
	else if (l->initrd.size > l->fdt_base)
		l->initrd_base = 0;
	else
		l->initrd_base = ALIGN_DOWN(l->fdt_base - l->initrd.size, PAGE_SIZE);
	if (l->initrd_base < floor ||
	    !range_inside(l->initrd_base, l->initrd.size, ram->base, ram->size) ||
	    range_overlaps(l->initrd_base, l->initrd.size, l->fdt_base, FDT_ROOM))
		return too_big(vm, "initrd", l->initrd_base, l->initrd.size);
	return 0;
}

static int plan(const struct vm *vm, struct vm_layout *l)
{
	int err;

	*l = (struct vm_layout){ 0 };
	err = find(vm, "kernel", &vm->def.kernel, &l->kernel);
	if (!err)
		err = find(vm, "initrd", &vm->def.initrd, &l->initrd);
	return err ? err : place(vm, l);
}

/* Devices of the board bring descriptions of any length: better seen now than at a boot. */
static int check_fdt(struct vm *vm)
{
	hpa_t page;
	int err = page_alloc(FDT_ROOM, PAGE_SIZE, OWNER_HV, &page);

	if (err) {
		refuse("%s refused: no memory is left to make its device tree in", vm->def.name);
		return err;
	}
	err = arch_vm_fdt(vm, 0, PAGE_SIZE, pa_ptr(page), FDT_ROOM);
	page_free(page, FDT_ROOM, OWNER_HV);
	if (err)
		refuse("%s refused: its device tree cannot be made in %llu KiB (error %d); pass "
		       "fewer devices through", vm->def.name,
		       (unsigned long long)(FDT_ROOM >> 10), err);
	return err;
}

static int check_images(struct vm *vm)
{
	struct vm_layout l;

	if (!vm->fit) {
		if (!vm->def.kernel.name[0] && !vm->def.initrd.name[0])
			return 0;
		refuse("%s refused: it names images of a boot image, but the MVM fills its memory",
		       vm->def.name);
		return -EINVAL;
	}
	if (!vm->def.kernel.name[0]) {
		refuse("%s refused: node /kernel, property image: is missing", vm->def.name);
		return -ENOENT;
	}
	return plan(vm, &l);
}

int vm_load_check(struct vm *vm)
{
	int err = check_images(vm);

	return err || !vm->def.host_nodes ? err : check_fdt(vm);
}

int vm_load_fdt(struct vm *vm, u64 fdt, u64 initrd, u64 initrd_size)
{
	const struct gmap *gmap = &vm->gmap;
	hpa_t page;
	int err;

	if (!IS_ALIGNED(fdt, (u64)8) || !gmap_is_ram(gmap, GPA(fdt), FDT_ROOM) ||
	    (initrd_size && !gmap_is_ram(gmap, GPA(initrd), initrd_size)))
		return -EINVAL;
	err = page_alloc(FDT_ROOM, PAGE_SIZE, OWNER_HV, &page);
	if (err)
		return err;
	err = arch_vm_fdt(vm, initrd, initrd_size, pa_ptr(page), FDT_ROOM);
	if (!err)
		err = gmap_write(gmap, GPA(fdt), pa_ptr(page), FDT_ROOM);
	page_free(page, FDT_ROOM, OWNER_HV);
	return err;
}

static int make_tree(struct vm *vm, struct vm_layout *l)
{
	hpa_t page;
	int err = page_alloc(FDT_ROOM, PAGE_SIZE, OWNER_HV, &page);

	if (err)
		return err;
	err = arch_vm_fdt(vm, l->initrd_base, l->initrd.size, pa_ptr(page), FDT_ROOM);
	if (err) {
		page_free(page, FDT_ROOM, OWNER_HV);
		return err;
	}
	vm->tree = pa_ptr(page);
	vm->seed = arch_vm_fdt_seed(vm->tree);
	l->fdt = (struct fit_image){ .data = vm->tree, .size = fdt_totalsize(vm->tree) };
	return 0;
}

/* Once for all boots. */
static int prepare(struct vm *vm, struct vm_layout *l)
{
	int err = plan(vm, l);

	return err ? err : make_tree(vm, l);
}

void vm_load_end(struct vm *vm)
{
	for (u64 at = 0; vm->tree && at < FDT_ROOM; at += PAGE_SIZE) {
		page_free(HPA(ptr_pa(vm->tree).v + at), PAGE_SIZE, OWNER_HV);
		fiber_breathe();
	}
	vm->tree = NULL;
	vm->seed = NULL;
}

/* Every boot has a seed of its own. */
static void make_seed(u8 *seed)
{
	for (u32 at = 0; at < VM_SEED; at += VM_SEED / 2) {
		random_bytes(seed + at, VM_SEED / 2);
		fiber_breathe();
	}
}

static int copy(const struct vm *vm, const struct fit_image *image, u64 base)
{
	int err = 0;

	for (u64 at = 0, n; !err && at < image->size; at += n) {
		n = MIN(image->size - at, PAGE_SIZE);
		err = gmap_write(&vm->gmap, GPA(base + at), (const u8 *)image->data + at, n);
		fiber_breathe();
	}
	return err;
}

static int fill(struct vm *vm, const struct vm_layout *l)
{
	int err;

	while (gmap_clear_step(&vm->gmap))
		fiber_breathe();
	gmap_soil(&vm->gmap);
	make_seed(vm->seed);
	err = copy(vm, &l->kernel, l->kernel_base);
	if (!err)
		err = copy(vm, &l->initrd, l->initrd_base);
	return err ? err : copy(vm, &l->fdt, l->fdt_base);
}

int vm_load(struct vm *vm, struct vm_entry *entry)
{
	struct vm_layout *l = &vm->load;
	int err;

	if (vm->gmap.used)
		gmap_soil(&vm->gmap);
	err = vm->tree ? 0 : prepare(vm, l);
	if (!err)
		err = fill(vm, l);
	if (err) {
		log_err("%s: does not start: %s (error %d)", vm->def.name,
			err == -ENOMEM ? "no memory is left to make its device tree in" :
					 "its memory cannot be filled", err);
		return err;
	}
	entry->pc = vm->def.entry_given ? vm->def.entry : l->kernel_base;
	entry->fdt = l->fdt_base;
	return 0;
}
