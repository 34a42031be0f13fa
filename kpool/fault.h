/* SPDX-License-Identifier: GPL-2.0-only */
/* Fault injection: creations that fail.  /sys/kernel/debug/kpool/fail_create */
#ifndef _KPOOL_FAULT_H
#define _KPOOL_FAULT_H

#include <linux/types.h>

struct dentry;

#ifdef CONFIG_FAULT_INJECTION
#include <linux/fault-inject.h>

extern struct fault_attr kpool_fail_create;

/* Shall the creation of this thread or structure fail? */
static inline bool fault_create(void)
{
	return should_fail(&kpool_fail_create, 1);
}

void fault_debugfs_init(struct dentry *dir);
#else
static inline bool fault_create(void)
{
	return false;
}

static inline void fault_debugfs_init(struct dentry *dir) { }
#endif

#endif /* _KPOOL_FAULT_H */
