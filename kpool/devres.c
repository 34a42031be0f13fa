// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups that are destroyed when a driver is unbound from its device.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/export.h>

#include "fault.h"
#include "internal.h"

static void destroy_group(void *group)
{
	kpool_group_destroy(group);
}

struct kpool_group *
__devm_kpool_group_create(struct device *dev, struct kpool_group *parent,
			  const char *name,
			  const struct kpool_group_params *params,
			  const char *lock_name, struct lock_class_key *key)
{
	struct kpool_group *group;
	int err;

	group = __kpool_group_create(parent, name, params, lock_name, key);
	if (IS_ERR(group))
		return group;
	err = fault_create() ? -ENOMEM :
			       devm_add_action(dev, destroy_group, group);
	if (err) {
		kpool_group_destroy(group);
		return ERR_PTR(err);
	}
	return group;
}
EXPORT_SYMBOL_GPL(__devm_kpool_group_create);
