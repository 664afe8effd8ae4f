// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs' memory as this kernel sees it: at the host's addresses, which the MVM's own RAM does not
 * have. memremap_pages() gives it struct pages, so that everything that works on user memory works
 * on it in place: direct I/O, io_uring, vhost.
 *
 * Such a page has one reference from the start; each mapping and each I/O under way adds one. When
 * it goes away none may be left, and memremap_pages() does not look: so we do.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "kmod.h"

/* Around a fault, map what is left of this piece: a boot image is written from end to end. */
#define FAULT_AROUND (SZ_64K >> PAGE_SHIFT)

/* --- Pieces --------------------------------------------------------------------------------- */

static bool continues(const struct shyper_memory *before, const struct shyper_memory *next)
{
	return before->guest + before->size == next->guest &&
	       before->host + before->size == next->host;
}

static int add_piece(struct shyper_vm *vm, const struct shyper_memory *next)
{
	struct shyper_memory *last = vm->pieces ? &vm->piece[vm->pieces - 1] : NULL;

	if (last && continues(last, next)) {
		last->size += next->size;
		return 0;
	}
	/* Room doubles, and is used up at powers of two. */
	if (is_power_of_2(vm->pieces) || !vm->pieces) {
		size_t room = vm->pieces ? 2 * (size_t)vm->pieces : 1;
		void *larger = krealloc_array(vm->piece, room, sizeof(*next), GFP_KERNEL);

		if (!larger)
			return -ENOMEM;
		vm->piece = larger;
	}
	vm->piece[vm->pieces++] = *next;
	return 0;
}

static int read_pieces(struct shyper_vm *vm)
{
	struct shyper_memory next;
	int err;

	for (u32 index = 0;; index++) {
		err = hc_memory(vm->id, index, &next);
		if (err)
			break;
		err = add_piece(vm, &next);
		if (err)
			return err;
	}
	if (err != -ENOENT || !vm->pieces)
		return err;
	next = vm->piece[vm->pieces - 1];
	vm->base = vm->piece[0].guest;
	vm->size = next.guest + next.size - vm->base;
	return 0;
}

static void forget_pieces(struct shyper_vm *vm)
{
	kfree(vm->piece);
	vm->piece = NULL;
	vm->pieces = 0;
	vm->base = 0;
	vm->size = 0;
}

struct page *shyper_memory_page(const struct shyper_vm *vm, unsigned long offset)
{
	u64 guest = vm->base + ((u64)offset << PAGE_SHIFT);
	u32 low = 0, high = vm->pieces;

	while (low < high) {
		u32 middle = low + (high - low) / 2;
		const struct shyper_memory *piece = &vm->piece[middle];

		if (guest < piece->guest)
			high = middle;
		else if (guest - piece->guest >= piece->size)
			low = middle + 1;
		else
			return pfn_to_page(PHYS_PFN(piece->host + (guest - piece->guest)));
	}
	return NULL;
}

/* --- Sections ------------------------------------------------------------------------------- */

/*
 * Struct pages come and go for whole sections. Smaller units can be had, but when one of them goes,
 * RISC-V takes the struct pages of its neighbours along: they lie in one huge page.
 */
#define SECTION (1ull << PA_SECTION_SHIFT)

/* A section that holds memory of VMs, maybe of several. */
struct shyper_section {
	struct list_head node;
	u64 start;
	u32 users;		/* pieces that touch it */
	struct dev_pagemap map;
};

static LIST_HEAD(sections);	/* under shyper_lock */

/* The kernel's map of memory begins at its own lowest. That section is not all ours to take. */
phys_addr_t shyper_memory_floor(void)
{
	return ALIGN(__pa(PAGE_OFFSET), SECTION);
}

static struct shyper_section *section_find(u64 start)
{
	struct shyper_section *section;

	list_for_each_entry(section, &sections, node) {
		if (section->start == start)
			return section;
	}
	return NULL;
}

static struct shyper_section *section_make(u64 start)
{
	struct shyper_section *section = kzalloc(sizeof(*section), GFP_KERNEL);
	void *address;

	if (!section)
		return ERR_PTR(-ENOMEM);
	section->start = start;
	section->map.type = MEMORY_DEVICE_GENERIC;
	section->map.nr_range = 1;
	section->map.range.start = start;
	section->map.range.end = start + SECTION - 1;
	address = memremap_pages(&section->map, NUMA_NO_NODE);
	if (IS_ERR(address)) {
		kfree(section);
		return address;
	}
	list_add(&section->node, &sections);
	return section;
}

static struct shyper_section *section_get(u64 start)
{
	struct shyper_section *section = section_find(start);

	if (!section)
		section = section_make(start);
	if (!IS_ERR(section))
		section->users++;
	return section;
}

static void section_put(struct shyper_section *section)
{
	if (--section->users)
		return;
	list_del(&section->node);
	memunmap_pages(&section->map);
	kfree(section);
}

/* --- The window: all sections that a VM's pieces touch ---------------------------------------- */

static void close_window(struct shyper_vm *vm)
{
	while (vm->sections)
		section_put(vm->section[--vm->sections]);
	kvfree(vm->section);
	vm->section = NULL;
}

static int add_sections(struct shyper_vm *vm, const struct shyper_memory *piece)
{
	u64 start = ALIGN_DOWN(piece->host, SECTION);

	for (; start < piece->host + piece->size; start += SECTION) {
		struct shyper_section *section = section_get(start);

		if (IS_ERR(section)) {
			pr_err("%s: its memory at %#llx cannot be taken (error %ld)\n", vm->name,
			       start, PTR_ERR(section));
			return PTR_ERR(section);
		}
		vm->section[vm->sections++] = section;
	}
	return 0;
}

static int open_window(struct shyper_vm *vm)
{
	size_t room = 0;
	int err = 0;

	for (u32 i = 0; i < vm->pieces; i++)
		room += vm->piece[i].size / SECTION + 2;
	vm->section = kvmalloc_array(room, sizeof(*vm->section), GFP_KERNEL);
	if (!vm->section)
		return -ENOMEM;
	for (u32 i = 0; i < vm->pieces && !err; i++)
		err = add_sections(vm, &vm->piece[i]);
	if (err)
		close_window(vm);
	return err;
}

int shyper_memory_open(struct shyper_vm *vm)
{
	int err = read_pieces(vm);

	if (!err)
		err = open_window(vm);
	if (err)
		forget_pieces(vm);
	return err;
}

unsigned long shyper_memory_used(const struct shyper_vm *vm)
{
	unsigned long used = 0;

	for (u32 i = 0; vm->sections && i < vm->pieces; i++) {
		const struct shyper_memory *piece = &vm->piece[i];

		for (u64 at = 0; at < piece->size; at += PAGE_SIZE)
			used += page_ref_count(pfn_to_page(PHYS_PFN(piece->host + at))) != 1;
		cond_resched();
	}
	return used;
}

void shyper_memory_close(struct shyper_vm *vm)
{
	if (!vm->sections)
		return;
	for (unsigned int tries = 0; shyper_memory_used(vm); tries++) {
		if (tries == 50)
			pr_warn("%s: waiting for I/O on its memory to end\n", vm->name);
		msleep(20);
	}
	close_window(vm);
	forget_pieces(vm);
}

/* --- Mappings ------------------------------------------------------------------------------- */

int shyper_memory_freeze(struct shyper_vm *vm)
{
	if (atomic_cmpxchg(&vm->maps, 0, -1) != 0)
		return -EBUSY;
	/* I/O may go on after its mapping; without one, none begins. */
	if (!shyper_memory_used(vm))
		return 0;
	shyper_memory_thaw(vm);
	return -EBUSY;
}

void shyper_memory_thaw(struct shyper_vm *vm)
{
	atomic_set_release(&vm->maps, 0);
}

/* Called for copies and parts of an area, too, hence one exists. */
static void area_open(struct vm_area_struct *area)
{
	struct shyper_vm *vm = area->vm_private_data;

	atomic_inc(&vm->maps);
}

static void area_close(struct vm_area_struct *area)
{
	struct shyper_vm *vm = area->vm_private_data;

	atomic_dec(&vm->maps);
}

static vm_fault_t area_fault(struct vm_fault *fault)
{
	struct vm_area_struct *area = fault->vma;
	unsigned long at = ALIGN_DOWN(fault->address, PAGE_SIZE), offset = fault->pgoff;
	struct page *page = shyper_memory_page(area->vm_private_data, offset);
	vm_fault_t result;

	if (!page)
		return VM_FAULT_SIGBUS;
	result = vmf_insert_page(area, at, page);
	while (result == VM_FAULT_NOPAGE && ++offset % FAULT_AROUND) {
		at += PAGE_SIZE;
		page = at < area->vm_end ?
		       shyper_memory_page(area->vm_private_data, offset) : NULL;
		/* Nobody asked for this one: whether it works is of no importance. */
		if (!page || vmf_insert_page(area, at, page) != VM_FAULT_NOPAGE)
			break;
	}
	return result;
}

static const struct vm_operations_struct area_operations = {
	.open = area_open,
	.close = area_close,
	.fault = area_fault,
};

int shyper_memory_map(struct shyper_vm *vm, struct vm_area_struct *area)
{
	unsigned long all, first = area->vm_pgoff;

	/* A private copy would not be the guest's memory; and its code is not ours to run. */
	if (!(area->vm_flags & VM_SHARED))
		return -EINVAL;
	if (area->vm_flags & VM_EXEC)
		return -EPERM;
	if (!atomic_inc_unless_negative(&vm->maps))
		return -ENODEV;
	all = vm->size >> PAGE_SHIFT;
	if (!vm->sections || first > all || vma_pages(area) > all - first) {
		atomic_dec(&vm->maps);
		return vm->sections ? -EINVAL : -ENODEV;
	}
	vm_flags_mod(area, VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);
	area->vm_private_data = vm;
	area->vm_ops = &area_operations;
	return 0;
}
