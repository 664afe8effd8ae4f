// SPDX-License-Identifier: GPL-2.0-only
/* The schedule of partitions, as a tree, to Shyper and back. What it says is Shyper's to check. */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "kmod.h"

int shyper_schedule_set(struct shyper_refusal *refusal, const void __user *user)
{
	struct shyper_schedule_tree values;
	void *tree;
	int err;

	if (copy_from_user(&values, user, sizeof(values)))
		return -EFAULT;
	if (values.reserved || !values.size || values.size > SHYPER_TREE_MAX)
		return -EINVAL;
	/* Contiguous: Shyper gets one physical address. */
	tree = memdup_user(u64_to_user_ptr(values.tree), values.size);
	if (IS_ERR(tree))
		return PTR_ERR(tree);
	err = shyper_enter(refusal);
	if (!err) {
		err = shyper_told(refusal, hc_schedule_set(tree, values.size));
		mutex_unlock(&shyper_lock);
	}
	kfree(tree);
	return err;
}

/* Its bytes; with Shyper's words when there is none. */
static int read_tree(struct shyper_refusal *refusal, void *tree)
{
	int size = shyper_enter(refusal);

	if (size)
		return size;
	size = hc_schedule_read(tree, SHYPER_TREE_MAX);
	if (size < 0)
		hc_refused(refusal);
	mutex_unlock(&shyper_lock);
	return size;
}

static int give_tree(struct shyper_schedule_tree *values, const void *tree, int size,
		     void __user *user)
{
	if (values->size < size)
		return -EINVAL;
	values->size = size;
	if (copy_to_user(u64_to_user_ptr(values->tree), tree, size) ||
	    copy_to_user(user, values, sizeof(*values)))
		return -EFAULT;
	return 0;
}

int shyper_schedule_read(struct shyper_refusal *refusal, void __user *user)
{
	struct shyper_schedule_tree values;
	void *tree;
	int size;

	if (copy_from_user(&values, user, sizeof(values)))
		return -EFAULT;
	if (values.reserved)
		return -EINVAL;
	tree = kmalloc(SHYPER_TREE_MAX, GFP_KERNEL);
	if (!tree)
		return -ENOMEM;
	size = read_tree(refusal, tree);
	if (size >= 0)
		size = give_tree(&values, tree, size, user);
	kfree(tree);
	return size;
}
