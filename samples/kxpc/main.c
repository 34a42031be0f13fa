// SPDX-License-Identifier: GPL-2.0-only
/*
 * kxpc: records between partitions, delivered by works that may block for
 * ever.  In the spirit of SGI's XPC; so far between partitions inside one
 * kernel.
 *
 *	# modprobe kxpc
 *	# dd if=/etc/services of=/dev/kxpc0 bs=4096 &
 *	# dd if=/dev/kxpc1 bs=4096 | wc
 *	# cat /sys/kernel/debug/kxpc/state
 *
 * Documentation/kxpc.rst has the contract.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "kxpc.h"

#define MAX_PARTITIONS	32

static unsigned int partitions = 2;
module_param(partitions, uint, 0444);
MODULE_PARM_DESC(partitions,
		 "number of partitions, even, 2 to 32; 0 talks to 1, 2 to 3, ... (default 2)");

static unsigned int nentries = 64;
module_param(nentries, uint, 0444);
MODULE_PARM_DESC(nentries,
		 "window: records each way that may be on their way, a power of two to 4096 (default 64)");

static unsigned int entry_size = 4096;
module_param(entry_size, uint, 0444);
MODULE_PARM_DESC(entry_size,
		 "longest record in bytes, 1 to 65536 (default 4096)");

/* All written by init and exit only. */
static struct kxpc_loop *loop;
static struct kxpc_hub hub;
static struct kxpc_device *devs;

static int __init check_params(void)
{
	if (partitions < 2 || partitions > MAX_PARTITIONS || partitions % 2) {
		pr_err("partitions=%u: must be even, 2 to %u\n", partitions,
		       MAX_PARTITIONS);
		return -EINVAL;
	}
	if (nentries > KXPC_MAX_NENTRIES || !is_power_of_2(nentries)) {
		pr_err("nentries=%u: must be a power of two, 1 to %u\n",
		       nentries, KXPC_MAX_NENTRIES);
		return -EINVAL;
	}
	if (!entry_size || entry_size > KXPC_MAX_ENTRY_SIZE) {
		pr_err("entry_size=%u: must be 1 to %u\n", entry_size,
		       KXPC_MAX_ENTRY_SIZE);
		return -EINVAL;
	}
	if (kxpc_window_size(nentries, entry_size) > KXPC_MAX_WINDOW) {
		pr_err("nentries=%u entry_size=%u: a window of %zu bytes, the most is %u\n",
		       nentries, entry_size,
		       kxpc_window_size(nentries, entry_size),
		       KXPC_MAX_WINDOW);
		return -EINVAL;
	}
	return 0;
}

static void remove_device(struct kxpc_device *dev)
{
	kxpc_chardev_unregister(dev);
	kxpc_chan_exit(&dev->chan);
}

static int __init add_device(struct kxpc_device *dev, unsigned int id)
{
	int err;

	err = kxpc_chan_init(&dev->chan, &hub, kxpc_loop_node(loop, id), id ^ 1,
			     nentries, entry_size);
	if (err)
		return err;

	err = kxpc_chardev_register(dev);
	if (err)
		kxpc_chan_exit(&dev->chan);
	return err;
}

static int __init kxpc_init(void)
{
	unsigned int i;
	int err;

	err = check_params();
	if (err)
		return err;

	devs = kvcalloc(partitions, sizeof(*devs), GFP_KERNEL);
	if (!devs)
		return -ENOMEM;

	loop = kxpc_loop_create(partitions,
				kxpc_window_size(nentries, entry_size));
	if (IS_ERR(loop)) {
		err = PTR_ERR(loop);
		goto err_free_devs;
	}

	err = kxpc_hub_init(&hub, "kxpc", partitions);
	if (err)
		goto err_destroy_loop;

	for (i = 0; i < partitions; i++) {
		err = add_device(&devs[i], i);
		if (err)
			goto err_remove_devices;
	}

	kxpc_debugfs_init(devs, partitions);
	return 0;

err_remove_devices:
	pr_err("partition %u: no device: %pe\n", i, ERR_PTR(err));
	while (i--)
		remove_device(&devs[i]);
	kxpc_hub_exit(&hub);
err_destroy_loop:
	kxpc_loop_destroy(loop);
err_free_devs:
	kvfree(devs);
	return err;
}
module_init(kxpc_init);

/* No file is open. */
static void __exit kxpc_exit(void)
{
	unsigned int i;

	kxpc_debugfs_exit();
	for (i = 0; i < partitions; i++)
		remove_device(&devs[i]);
	kxpc_hub_exit(&hub);
	kxpc_loop_destroy(loop);
	kvfree(devs);
}
module_exit(kxpc_exit);

MODULE_DESCRIPTION("Records between partitions, on kpool");
MODULE_AUTHOR("The kpool developers");
MODULE_LICENSE("GPL");
