// SPDX-License-Identifier: GPL-2.0-only
/*
 * The releaser: gives works back that were cancelled before they ran.
 *
 * A release function may sleep, and may want a lock whose holder waits for a
 * stop.  So it is called by a thread on which no stop depends, but that of the
 * work's own group: the works there are released, or the stop is not over.
 */
#include <linux/kthread.h>

#include "internal.h"

/* Give one work back.  Its group is busy until that is done. */
static void release_one(struct kpool *pool)
	__must_hold(&pool->lock)
{
	struct kpool_group *group;
	kpool_release_t release;
	struct kpool_work *work;

	work = list_first_entry(&pool->releasing, struct kpool_work, entry);
	list_del_init(&work->entry);
	group = work->group;
	release = work->release;
	pool->release_group = group;
	pool->release_func = release;
	work_unbind(work);
	raw_spin_unlock_irq(&pool->lock);

	release(work);

	raw_spin_lock_irq(&pool->lock);
	pool->release_group = NULL;
	pool->release_func = NULL;
	group_put_busy(group);
}

int kpool_releaser_fn(void *arg)
{
	struct kpool *pool = arg;

	raw_spin_lock_irq(&pool->lock);
	for (;;) {
		if (!list_empty(&pool->releasing)) {
			release_one(pool);
			continue;
		}
		if (pool->releaser.leave)
			break;
		service_sleep(pool, &pool->releaser, MAX_SCHEDULE_TIMEOUT);
	}
	raw_spin_unlock_irq(&pool->lock);
	kthread_complete_and_exit(&pool->releaser.exited, 0);
}
