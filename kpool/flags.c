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
	if (flags & ~KPOOL_QUEUE_FLAGS)
		return -EINVAL;
	if (flags & KPOOL_FRONT && group_is_ordered(last_part(group)))
		return -EINVAL;
	return percpu_queue(group, work, flags);
}
EXPORT_SYMBOL_GPL(kpool_queue_flags);
