/* SPDX-License-Identifier: BSD-2-Clause */
/* Filling a VM's memory for a boot: kernel, initrd, device tree. */
#ifndef HV_VM_LOAD_H
#define HV_VM_LOAD_H

#include <hv/fit.h>
#include <hv/types.h>

struct vm;

/* Where everything goes. Private to vm_load.c. */
struct vm_layout {
	struct fit_image kernel, initrd, fdt;
	u64 kernel_base;
	u64 kernel_size;	/* what it occupies, .bss included */
	u64 initrd_base;
	u64 fdt_base;
};

struct vm_entry {
	u64 pc;		/* guest physical: where vCPU 0 begins */
	u64 fdt;	/* guest physical: its a1 */
};

/*
 * vm_load_check() - the images exist and fit into the VM's first RAM range, apart from each other,
 * with room for the device tree. 0; -ENOENT, -E2BIG, -EINVAL after a log line. The VM has its
 * memory and vCPUs.
 */
int __must_check vm_load_check(struct vm *vm);

/*
 * vm_load() - clear the memory and copy everything into place; *entry is where to begin. Steps back
 * in between (hv/fiber.h). The VM does not run. 0, or -errno after a log line.
 */
int __must_check vm_load(struct vm *vm, struct vm_entry *entry);

/* vm_load_end() - give back what was kept for the next boot. The VM does not run. */
void vm_load_end(struct vm *vm);

/*
 * vm_load_fdt() - write the VM's device tree to guest physical address fdt, 8-byte aligned, into
 * VM_FDT_ROOM bytes of its RAM; it names the initrd (size 0: none). 0; -EINVAL: an address is not
 * in its RAM; -ENOMEM.
 */
#define VM_FDT_ROOM KIB(64)
int __must_check vm_load_fdt(struct vm *vm, u64 fdt, u64 initrd, u64 initrd_size);

#endif
