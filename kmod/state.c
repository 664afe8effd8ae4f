// SPDX-License-Identifier: GPL-2.0-only
/* /sys/kernel/debug/shyper: what the module knows of VMs and their disks, for people. */
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

static void show(struct seq_file *out, struct shyper_vm *vm, struct shyper_vm_info *info)
{
	const char *state = "?";

	if (!hc_vm_info(vm->id, info))
		state = info->paused ? "paused" : state_name(info->state);
	/* One reference is the table's, one the reader's. */
	seq_printf(out, "%2u %-31s %-8s %5llu %6u %6d %6lu %11u %7u\n", vm->id, vm->name, state,
		   vm->size >> 20, vm->pieces, atomic_read(&vm->maps), shyper_memory_used(vm),
		   kref_read(&vm->ref) - 2, atomic_read(&vm->changes));
}

static int vms_show(struct seq_file *out, void *unused)
{
	struct shyper_vm_info *info = kmalloc(sizeof(*info), GFP_KERNEL);

	if (!info)
		return -ENOMEM;
	seq_printf(out, "%2s %-31s %-8s %5s %6s %6s %6s %11s %7s\n", "id", "name", "state", "MiB",
		   "pieces", "maps", "pages", "descriptors", "changes");
	mutex_lock(&shyper_lock);
	for (unsigned long id = 0; id < SHYPER_VMS; id++) {
		struct shyper_vm *vm = shyper_vm_get(id);

		if (!vm)
			continue;
		show(out, vm, info);
		shyper_vm_put(vm);
	}
	mutex_unlock(&shyper_lock);
	kfree(info);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vms);

static int disks_show(struct seq_file *out, void *unused)
{
	mutex_lock(&shyper_lock);
	shyper_disks_show(out);
	mutex_unlock(&shyper_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(disks);

void shyper_state_init(void)
{
	folder = debugfs_create_dir("shyper", NULL);
	debugfs_create_file("vms", 0400, folder, NULL, &vms_fops);
	debugfs_create_file("disks", 0400, folder, NULL, &disks_fops);
}

void shyper_state_exit(void)
{
	debugfs_remove(folder);
}
