// SPDX-License-Identifier: GPL-2.0-only
/*
 * shyper_riscv64.ko: the MVM's driver for Shyper. Loads where Shyper is and lets this VM manage
 * others; everything else hangs on the device "shyper,events" of the device tree, which has the
 * interrupt.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include "kmod.h"

static int probe(struct platform_device *pdev)
{
	int err = shyper_disks_init();

	if (err)
		return err;
	err = shyper_backends_init();
	if (err)
		goto no_backends;
	err = shyper_events_start(pdev);
	if (err) {
		dev_err(&pdev->dev, "no events from Shyper (error %d)\n", err);
		goto no_events;
	}
	mutex_lock(&shyper_lock);
	hc_trace_stop();	/* of a kernel that went without a word */
	err = shyper_vms_find();
	mutex_unlock(&shyper_lock);
	if (err)
		goto no_vms;
	err = shyper_device_init();
	if (err)
		goto no_device;
	shyper_state_init();
	return 0;

no_device:
	mutex_lock(&shyper_lock);
	shyper_vms_forget();
	mutex_unlock(&shyper_lock);
no_vms:
	shyper_events_stop();
no_events:
	shyper_backends_exit();
no_backends:
	shyper_disks_exit();
	return err;
}

/* Open descriptors hold the module, so there are none. */
static void remove(struct platform_device *pdev)
{
	shyper_state_exit();
	shyper_device_exit();
	shyper_events_stop();
	mutex_lock(&shyper_lock);
	shyper_vms_forget();
	mutex_unlock(&shyper_lock);
	shyper_backends_exit();
	shyper_disks_exit();
}

/* The next kernel may be another: Shyper must not write into its memory. */
static void shutdown(struct platform_device *pdev)
{
	mutex_lock(&shyper_lock);
	hc_events(0, 0);
	mutex_unlock(&shyper_lock);
}

static const struct of_device_id matches[] = {
	{ .compatible = "shyper,events" },
	{ }
};
MODULE_DEVICE_TABLE(of, matches);

static struct platform_driver driver = {
	.remove = remove,
	.shutdown = shutdown,
	.driver = {
		.name = "shyper",
		.of_match_table = matches,
	},
};

static int __init shyper_init(void)
{
	int err = hc_init();

	if (err)
		return err;
	err = platform_driver_probe(&driver, probe);
	if (err) {
		pr_err("no usable device \"shyper,events\" in the device tree\n");
		hc_exit();
	}
	return err;
}
module_init(shyper_init);

static void __exit shyper_exit(void)
{
	platform_driver_unregister(&driver);
	hc_exit();
}
module_exit(shyper_exit);

MODULE_DESCRIPTION("Management of Shyper's virtual machines");
MODULE_AUTHOR("The Shyper project");
MODULE_LICENSE("GPL");
