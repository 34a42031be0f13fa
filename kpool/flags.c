// SPDX-License-Identifier: GPL-2.0-only
/* Queueing in a special way: now or not at all, or before the others. */
#include <linux/export.h>

#include "internal.h"

#define KPOOL_QUEUE_FLAGS	(KPOOL_NOQUEUE | KPOOL_FRONT)

/* Do works of this group start strictly in order? */
static bool group_is_ordered(const struct kpool_group *group)
{
	for (; group; group = group->parent)
		if (READ_ONCE(group->max_active) == 1)
			return true;
	return false;
}

int kpool_queue_flags(struct kpool_group *group, struct kpool_work *work,
		      unsigned int flags)
{
	struct kpool *pool = group->pool;
	struct task_struct *wake = NULL;
	unsigned long irqs;
	int err;

	if (flags & ~KPOOL_QUEUE_FLAGS)
		return -EINVAL;
	if (flags & KPOOL_FRONT && group_is_ordered(group))
		return -EINVAL;

	rcu_read_lock();
	raw_spin_lock_irqsave(&pool->lock, irqs);
	err = queue_with_flags(group, work, flags, &wake);
	unlock_and_wake(pool, irqs, wake);
	rcu_read_unlock();
	return err;
}
EXPORT_SYMBOL_GPL(kpool_queue_flags);
