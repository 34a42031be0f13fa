// SPDX-License-Identifier: GPL-2.0-only
#include "compat.h"
#include "fault.h"

DECLARE_FAULT_ATTR(kpool_fail_create);
KPOOL_EXPORT_KUNIT(kpool_fail_create);

void fault_debugfs_init(struct dentry *dir)
{
#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS
	fault_create_debugfs_attr("fail_create", dir, &kpool_fail_create);
#endif
}
