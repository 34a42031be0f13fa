/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KPOOL_DEBUGFS_POOL_H
#define _KPOOL_DEBUGFS_POOL_H

struct kpool;
struct seq_file;

enum debugfs_pool_file {
	POOL_STATE,
	POOL_WORKS,
	POOL_WAITERS,
};

int debugfs_pool_show(struct seq_file *m, struct kpool *pool,
		      enum debugfs_pool_file file);

#endif /* _KPOOL_DEBUGFS_POOL_H */
