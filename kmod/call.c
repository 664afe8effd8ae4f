// SPDX-License-Identifier: GPL-2.0-only
/* Calls from user space: their values come in, the call is made, they go out. */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "kmod.h"

static void *values_from_user(unsigned int command, const void __user *user)
{
	void *values;

	if (_IOC_DIR(command) & _IOC_WRITE)
		return memdup_user(user, _IOC_SIZE(command));
	values = kzalloc(_IOC_SIZE(command), GFP_KERNEL);
	return values ? values : ERR_PTR(-ENOMEM);
}

static int run(const struct shyper_call *call, void *file, void *values)
{
	int err = call->enter(file);

	if (err)
		return err;
	err = call->run(file, values);
	mutex_unlock(&shyper_lock);
	return err;
}

static int run_on_values(const struct shyper_call *call, void *file, void __user *user)
{
	void *values = values_from_user(call->command, user);
	int err;

	if (IS_ERR(values))
		return PTR_ERR(values);
	err = run(call, file, values);
	if (!err && _IOC_DIR(call->command) & _IOC_READ &&
	    copy_to_user(user, values, _IOC_SIZE(call->command)))
		err = -EFAULT;
	kfree(values);
	return err;
}

long shyper_call(const struct shyper_call *calls, size_t count, void *file, unsigned int command,
		 unsigned long argument)
{
	for (const struct shyper_call *call = calls; call < calls + count; call++) {
		if (call->command != command)
			continue;
		return _IOC_SIZE(command) ? run_on_values(call, file, (void __user *)argument) :
					    run(call, file, &argument);
	}
	return -ENOTTY;
}
