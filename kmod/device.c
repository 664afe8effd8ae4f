// SPDX-License-Identifier: GPL-2.0-only
/* /dev/shyper: makes and finds VMs, and answers for the whole machine. */
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "kmod.h"

/* --- Refusals ------------------------------------------------------------------------------- */

int shyper_refuse(struct shyper_refusal *refusal, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	refusal->size = vscnprintf(refusal->text, sizeof(refusal->text), fmt, args);
	va_end(args);
	return err;
}

int shyper_reason(const struct shyper_refusal *refusal, void __user *user)
{
	struct shyper_refusal copy;
	struct shyper_text text;

	if (copy_from_user(&text, user, sizeof(text)))
		return -EFAULT;
	if (text.reserved)
		return -EINVAL;
	mutex_lock(&shyper_lock);
	copy = *refusal;
	mutex_unlock(&shyper_lock);
	text.size = min(text.size, copy.size);
	if (copy_to_user(u64_to_user_ptr(text.buffer), copy.text, text.size) ||
	    copy_to_user(user, &text, sizeof(text)))
		return -EFAULT;
	return 0;
}

/* --- Calls ---------------------------------------------------------------------------------- */

int shyper_enter(void *file)
{
	struct shyper_refusal *refusal = file;

	if (mutex_lock_killable(&shyper_lock))
		return -EINTR;
	refusal->size = 0;
	return 0;
}

int shyper_told(struct shyper_refusal *refusal, int err)
{
	if (err)
		hc_refused(refusal);
	return err;
}

static int system_info(void *refusal, void *values)
{
	return shyper_told(refusal, hc_system_info(values));
}

static int log_read(void *refusal, void *values)
{
	struct shyper_log *log = values;

	return log->reserved ? -EINVAL : shyper_told(refusal, hc_log_read(log));
}

static int net_info(void *refusal, void *values)
{
	struct shyper_net_card *card = values;

	return shyper_told(refusal, hc_net_info(card->vm, card->card, &card->info));
}

static int net_set(void *refusal, void *values)
{
	const struct shyper_net_set *set = values;

	return shyper_told(refusal, hc_net_set(set->vm, set->card, set->what, set->value));
}

static int sched_info(void *refusal, void *values)
{
	struct shyper_sched_hart *hart = values;

	return hart->reserved ? -EINVAL :
				shyper_told(refusal, hc_sched_info(hart->number, &hart->info));
}

static int sched_set(void *refusal, void *values)
{
	const struct shyper_sched_set *set = values;

	return shyper_told(refusal, hc_sched_set(set));
}

static int schedule_info(void *refusal, void *values)
{
	return shyper_told(refusal, hc_schedule_info(values));
}

static int schedule_switch(void *refusal, void *values)
{
	return shyper_told(refusal, hc_schedule_switch(*(unsigned long *)values));
}

static int schedule_shift(void *refusal, void *values)
{
	return shyper_told(refusal, hc_schedule_shift(*(s64 *)values));
}

static const struct shyper_call calls[] = {
	{ SHYPER_SYSTEM_INFO, shyper_enter, system_info },
	{ SHYPER_LOG_READ, shyper_enter, log_read },
	{ SHYPER_NET_INFO, shyper_enter, net_info },
	{ SHYPER_NET_SET, shyper_enter, net_set },
	{ SHYPER_SCHED_INFO, shyper_enter, sched_info },
	{ SHYPER_SCHED_SET, shyper_enter, sched_set },
	{ SHYPER_SCHEDULE_INFO, shyper_enter, schedule_info },
	{ SHYPER_SCHEDULE_SWITCH, shyper_enter, schedule_switch },
	{ SHYPER_SCHEDULE_SHIFT, shyper_enter, schedule_shift },
	{ SHYPER_TRACE_OPEN, shyper_enter, shyper_trace_open },
};

/* A descriptor number and an open file for a VM, whose reference they take over; not yet joined. */
static int new_descriptor(struct shyper_vm *vm, struct file **file)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0) {
		shyper_vm_put(vm);
		return fd;
	}
	*file = shyper_vm_file(vm);
	if (IS_ERR(*file)) {
		put_unused_fd(fd);
		return PTR_ERR(*file);
	}
	return fd;
}

static int open_vm(struct shyper_refusal *refusal, unsigned long id)
{
	struct shyper_vm *vm;
	struct file *file;
	int fd = shyper_enter(refusal);

	if (fd)
		return fd;
	vm = shyper_vm_get(id);
	fd = vm ? new_descriptor(vm, &file) :
		  shyper_refuse(refusal, -ENOENT, "there is no VM %lu", id);
	mutex_unlock(&shyper_lock);
	if (fd >= 0)
		fd_install(fd, file);
	return fd;
}

/* Make a VM and its descriptor; both or none. The user's copy of the id is written in between. */
static int make(const void *tree, struct shyper_create *values, struct shyper_refusal *refusal,
		struct file **file)
{
	struct shyper_vm *vm = shyper_vm_create(tree, values->size, refusal);
	int fd;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	values->id = vm->id;
	fd = new_descriptor(vm, file);
	if (fd < 0) {
		vm = shyper_vm_get(values->id);
		shyper_vm_destroy(vm, refusal);
		shyper_vm_put(vm);
	}
	return fd;
}

static void unmake(u32 id, int fd, struct file *file, struct shyper_refusal *refusal)
{
	struct shyper_vm *vm;

	mutex_lock(&shyper_lock);
	vm = shyper_vm_get(id);
	if (vm) {
		shyper_vm_destroy(vm, refusal);
		shyper_vm_put(vm);
	}
	mutex_unlock(&shyper_lock);
	put_unused_fd(fd);
	fput(file);
}

static int create_vm(struct shyper_refusal *refusal, void __user *user)
{
	struct shyper_create values;
	struct file *file;
	void *tree;
	int fd;

	if (copy_from_user(&values, user, sizeof(values)))
		return -EFAULT;
	if (!values.size || values.size > SHYPER_TREE_MAX)
		return -EINVAL;
	/* Contiguous: Shyper gets one physical address. */
	tree = memdup_user(u64_to_user_ptr(values.tree), values.size);
	if (IS_ERR(tree))
		return PTR_ERR(tree);
	fd = shyper_enter(refusal);
	if (!fd) {
		fd = make(tree, &values, refusal, &file);
		mutex_unlock(&shyper_lock);
	}
	kfree(tree);
	if (fd < 0)
		return fd;
	if (copy_to_user(user, &values, sizeof(values))) {
		unmake(values.id, fd, file, refusal);
		return -EFAULT;
	}
	fd_install(fd, file);
	return fd;
}

static long device_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct shyper_refusal *refusal = file->private_data;
	void __user *user = (void __user *)argument;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	switch (command) {
	case SHYPER_API_VERSION:
		return SHYPER_ABI_VERSION;
	case SHYPER_REASON:
		return shyper_reason(refusal, user);
	case SHYPER_CREATE_VM:
		return create_vm(refusal, user);
	case SHYPER_OPEN_VM:
		return open_vm(refusal, argument);
	case SHYPER_SCHEDULE_SET:
		return shyper_schedule_set(refusal, user);
	case SHYPER_SCHEDULE_READ:
		return shyper_schedule_read(refusal, user);
	default:
		return shyper_call(calls, ARRAY_SIZE(calls), refusal, command, argument);
	}
}

/* --- The device ----------------------------------------------------------------------------- */

static int device_open(struct inode *inode, struct file *file)
{
	struct shyper_refusal *refusal;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	refusal = kzalloc(sizeof(*refusal), GFP_KERNEL);
	if (!refusal)
		return -ENOMEM;
	file->private_data = refusal;
	return 0;
}

static int device_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static const struct file_operations device_operations = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "shyper",
	.fops = &device_operations,
	.mode = 0600,
};

int shyper_device_init(void)
{
	return misc_register(&device);
}

void shyper_device_exit(void)
{
	misc_deregister(&device);
}
