// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disabling: a work that is refused until it is enabled again.
 *
 * The count is in the work, and no lock guards it, for a work that is idle is
 * bound to no pool, and two pools may want it at once under two locks.  Why no
 * queueing gets past a disable all the same:
 *
 *	disable				queueing, under its pool's lock
 *	---				---
 *	A: count it			1: work->group = group
 *	   full barrier			   full barrier
 *	B: read work->group		2: read the count
 *
 * Whatever the order, B sees 1, or 2 sees A, or both.
 *
 * If 2 sees A the queueing clears work->group again, has changed nothing else,
 * and answers -ECANCELED.
 *
 * If 2 does not see A then B sees the group, since 1 came before 2 and A after
 * it.  The disable takes the lock of that pool, which the queueing had at 1 and
 * keeps until the work is pending; so it finds it pending, running or over, and
 * cancels it as any other.  Any later queueing of the idle work comes after A
 * and sees the count.  One that comes while the work runs is bound to fail: the
 * run was told under the lock, and a told work is refused until it has ended.
 * One that came between A and that tell was accepted before the disable, and
 * the end of the run drops it, for the run is told.
 *
 * If B sees a group of a queueing that backs out, it waits for that lock, looks
 * again, and finds the work idle, which it is.
 */
#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/export.h>

#include "internal.h"

enum kpool_cancel kpool_work_disable(struct kpool_work *work)
{
	atomic_inc(&work->disabled);
	smp_mb__after_atomic();	/* pairs with that in begin_queueing() */
	return kpool_work_cancel(work);
}
EXPORT_SYMBOL_GPL(kpool_work_disable);

int kpool_work_disable_sync(struct kpool_work *work)
{
	might_sleep();
	atomic_inc(&work->disabled);
	smp_mb__after_atomic();	/* pairs with that in begin_queueing() */
	return kpool_work_cancel_sync(work);
}
EXPORT_SYMBOL_GPL(kpool_work_disable_sync);

bool kpool_work_enable(struct kpool_work *work)
{
	int left = atomic_dec_if_positive(&work->disabled);

	WARN(left < 0, "kpool: work %ps is enabled, but was not disabled\n",
	     work->fn);
	return left <= 0;
}
EXPORT_SYMBOL_GPL(kpool_work_enable);
