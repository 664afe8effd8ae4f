// SPDX-License-Identifier: GPL-2.0-only
/* /sys/kernel/debug/shyper: what the module knows of VMs and their devices, for people. */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "kmod.h"

static struct dentry *folder;

static const char *state_name(u32 state)
{
	static const char *const names[] = {
		[SHYPER_VM_MADE] = "made", [SHYPER_VM_RUNNING] = "running",
		[SHYPER_VM_STOPPING] = "stopping", [SHYPER_VM_ENDED] = "ended",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "?";
}

/* Lines of one VM, with shyper_lock. */
typedef void show_fn(struct seq_file *out, struct shyper_vm *vm);

static void show_vms(struct seq_file *out, show_fn *show)
{
	mutex_lock(&shyper_lock);
	for (unsigned long id = 0; id < SHYPER_VMS; id++) {
		struct shyper_vm *vm = shyper_vm_get(id);

		if (!vm)
			continue;
		show(out, vm);
		shyper_vm_put(vm);
	}
	mutex_unlock(&shyper_lock);
}

static void show_vm(struct seq_file *out, struct shyper_vm *vm)
{
	struct shyper_vm_info *info = kmalloc(sizeof(*info), GFP_KERNEL);
	const char *state = "?";

	if (info && !hc_vm_info(vm->id, info))
		state = info->paused ? "paused" : state_name(info->state);
	kfree(info);
	/* One reference is the table's, one the reader's. */
	seq_printf(out, "%2u %-31s %-8s %5llu %6u %6d %6lu %11u %7u %6d\n", vm->id, vm->name,
		   state, vm->size >> 20, vm->pieces, atomic_read(&vm->maps),
		   shyper_memory_used(vm), kref_read(&vm->ref) - 2, atomic_read(&vm->changes),
		   atomic_read(&vm->served));
}

static int vms_show(struct seq_file *out, void *unused)
{
	seq_printf(out, "%2s %-31s %-8s %5s %6s %6s %6s %11s %7s %6s\n", "id", "name", "state",
		   "MiB", "pieces", "maps", "pages", "descriptors", "changes", "served");
	show_vms(out, show_vm);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vms);

static int disks_show(struct seq_file *out, void *unused)
{
	seq_printf(out, "%2s %4s %5s %6s %5s %9s %9s %9s %8s %9s %6s %8s %10s %7s %6s %s\n", "vm",
		   "disk", "mode", "served", "busy", "requests", "KiB-read", "KiB-writ", "flushes",
		   "doorbells", "polled", "batches", "interrupts", "copied", "errors", "image");
	show_vms(out, shyper_disks_show);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(disks);

static int backends_show(struct seq_file *out, void *unused)
{
	seq_printf(out, "%2s %6s %9s %6s %4s %10s %6s %9s %9s %10s\n", "vm", "device",
		   "virtio-id", "queues", "lent", "ioeventfds", "irqfds", "doorbells", "signalled",
		   "interrupts");
	show_vms(out, shyper_backends_show);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(backends);

static int hypercalls_show(struct seq_file *out, void *unused)
{
	hc_show(out);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(hypercalls);

void shyper_state_init(void)
{
	folder = debugfs_create_dir("shyper", NULL);
	debugfs_create_file("vms", 0400, folder, NULL, &vms_fops);
	debugfs_create_file("disks", 0400, folder, NULL, &disks_fops);
	debugfs_create_file("backends", 0400, folder, NULL, &backends_fops);
	debugfs_create_file("hypercalls", 0400, folder, NULL, &hypercalls_fops);
}

void shyper_state_exit(void)
{
	debugfs_remove(folder);
}
