// SPDX-License-Identifier: GPL-2.0-only
/*
 * A trace's descriptor: Shyper records from its open to its close, whoever closes it, the end of a
 * process that was killed too. Rings and positions are Shyper's and the reader's own.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "kmod.h"

static int trace_read(void *refusal, void *values)
{
	return shyper_told(refusal, hc_trace_read(values));
}

static const struct shyper_call calls[] = {
	{ SHYPER_TRACE_READ, shyper_enter, trace_read },
};

static long trace_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct shyper_refusal *refusal = file->private_data;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (command == SHYPER_REASON)
		return shyper_reason(refusal, (void __user *)argument);
	return shyper_call(calls, ARRAY_SIZE(calls), refusal, command, argument);
}

static int trace_release(struct inode *inode, struct file *file)
{
	mutex_lock(&shyper_lock);
	hc_trace_stop();
	mutex_unlock(&shyper_lock);
	kfree(file->private_data);
	return 0;
}

static const struct file_operations trace_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = trace_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
	.release = trace_release,
};

/* The file of a trace that has begun; without one it stops again. */
static struct file *trace_file(void)
{
	struct shyper_refusal *refusal = kzalloc(sizeof(*refusal), GFP_KERNEL);
	struct file *file = ERR_PTR(-ENOMEM);

	if (refusal)
		file = anon_inode_getfile("[shyper-trace]", &trace_operations, refusal, O_RDWR);
	if (IS_ERR(file)) {
		hc_trace_stop();
		kfree(refusal);
	}
	return file;
}

int shyper_trace_open(void *refusal, void *values)
{
	const struct shyper_trace_open *open = values;
	int fd = get_unused_fd_flags(O_CLOEXEC), err;
	struct file *file;

	if (fd < 0)
		return fd;
	err = shyper_told(refusal, hc_trace_start(open->events, open->slots));
	if (err)
		goto out;
	file = trace_file();
	err = PTR_ERR_OR_ZERO(file);
	if (err)
		goto out;
	fd_install(fd, file);
	return fd;
out:
	put_unused_fd(fd);
	return err;
}
