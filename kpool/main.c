// SPDX-License-Identifier: GPL-2.0-only
/*
 * kpool: bounded pools of threads for kernel work that may block for ever.
 *
 * See Documentation/kpool.rst for its use, Documentation/internals.rst for
 * why it works.
 */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "internal.h"
#include "watchdog.h"

static int __init kpool_init(void)
{
	int err = kpool_callback_init();

	if (err)
		return err;
	err = kpool_sysfs_init();
	if (err) {
		kpool_callback_exit();
		return err;
	}
	err = kpool_hotplug_init();
	if (err) {
		kpool_sysfs_exit();
		kpool_callback_exit();
		return err;
	}
	kpool_debugfs_init();
	kpool_watchdog_init();
	return 0;
}

/*
 * Every pool holds a reference to the module, so none is left here.  What is
 * left is memory that waits for a grace period, and that needs no text.
 */
static void __exit kpool_exit(void)
{
	kpool_watchdog_exit();
	kpool_debugfs_exit();
	kpool_hotplug_exit();
	kpool_sysfs_exit();
	kpool_callback_exit();
}

module_init(kpool_init);
module_exit(kpool_exit);

MODULE_DESCRIPTION("Bounded pools of threads for work that may block for ever");
MODULE_AUTHOR("The kpool developers");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1");
