// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits of pools and groups, and their change while works run.
 *
 * A limit that is lowered below what is in use takes nothing away.  Nothing
 * starts on a pool that is over its limit, not even on a thread that is idle:
 * idle threads leave at once, taken by the one who lowers the limit, and busy
 * ones resign in next_work().  So none is idle while the pool is over, but in
 * kpool_set_limits() itself.  A limit that is raised lets its caller commit
 * idle threads to what may start now; the spawner makes those that lack.
 */
#define pr_fmt(fmt) "kpool: " fmt

#include <linux/export.h>

#include "internal.h"
#include "testpoint.h"

int check_limits(const char *name, const struct kpool_limits *l)
{
	if (l->max_threads < 1 || l->max_threads > KPOOL_MAX_THREADS) {
		pr_err("%s: max_threads (%d) is not 1 to %d\n", name,
		       l->max_threads, KPOOL_MAX_THREADS);
		return -EINVAL;
	}
	if (l->min_threads < 0 || l->min_threads > l->max_threads) {
		pr_err("%s: min_threads (%d) is not 0 to max_threads (%d)\n",
		       name, l->min_threads, l->max_threads);
		return -EINVAL;
	}
	if (l->idle_timeout < 0) {
		pr_err("%s: idle_timeout (%ld) is negative\n", name,
		       l->idle_timeout);
		return -EINVAL;
	}
	if (l->max_queued < 0) {
		pr_err("%s: max_queued (%d) is negative\n", name,
		       l->max_queued);
		return -EINVAL;
	}
	return 0;
}

/*
 * The spawner looks again: threads may lack, or wait for another time than the
 * one that it sleeps for.
 */
void pool_set_limits(struct kpool *pool, const struct kpool_limits *limits)
{
	struct task_struct *wake;
	unsigned long flags;

	rcu_read_lock();
	raw_spin_lock_irqsave(&pool->lock, flags);
	WRITE_ONCE(pool->min_threads, limits->min_threads);
	WRITE_ONCE(pool->max_threads, limits->max_threads);
	WRITE_ONCE(pool->idle_timeout,
		   limits->idle_timeout ?: KPOOL_IDLE_TIMEOUT);
	WRITE_ONCE(pool->root->max_queued, limits->max_queued);
	room_made(pool->root);
	wake = service_wake(&pool->spawner);
	unlock_and_wake(pool, flags, wake);
	rcu_read_unlock();
}

static int set_limits(struct kpool *pool, const struct kpool_limits *limits)
{
	unsigned int reserved;
	int err = 0;

	/* what its groups have reserved is admitted under the mutex */
	mutex_lock(&pool->mutex);
	reserved = pool->root->reserved_below;
	if (reserved > limits->max_threads)
		err = -ENOSPC;
	else
		pool_set_limits(pool, limits);
	mutex_unlock(&pool->mutex);
	if (err) {
		pr_err("%s: max_threads (%d) is less than the %u that are reserved\n",
		       pool->name, limits->max_threads, reserved);
		return err;
	}
	test_point(KPOOL_AT_LIMITS, pool);
	dismiss_excess(pool);
	dispatch_more(pool);
	return 0;
}

/*
 * The mutex of a handle: no group is created or destroyed, so each CPU has
 * reserved as much as the first, which refuses or all accept.
 */
int kpool_set_limits(struct kpool *pool, const struct kpool_limits *limits)
{
	struct kpool_group *part;
	int err, cpu;

	might_sleep();
	if (!limits) {
		pr_err("%s: no limits\n", pool->name);
		return -EINVAL;
	}
	err = check_limits(pool->name, limits);
	if (err)
		return err;
	if (!is_handle(pool))
		return set_limits(pool, limits);
	mutex_lock(&pool->mutex);
	for_each_part(pool->root, part, cpu) {
		err = set_limits(part->pool, limits);
		if (err)
			break;
	}
	mutex_unlock(&pool->mutex);
	return err;
}
EXPORT_SYMBOL_GPL(kpool_set_limits);

static int check_group_limits(const struct kpool_group *group, int max_active,
			      int max_queued)
{
	const char *pool = group->pool->name;

	if (max_active < 0 || max_queued < 0) {
		pr_err("%s: group %s: max_active (%d) or max_queued (%d) is negative\n",
		       pool, group->name, max_active, max_queued);
		return -EINVAL;
	}
	if (max_active && max_active < group->reserve) {
		pr_err("%s: group %s: max_active (%d) is less than reserve (%u)\n",
		       pool, group->name, max_active, group->reserve);
		return -EINVAL;
	}
	return 0;
}

static void set_group_limits(struct kpool_group *group, int max_active,
			     int max_queued)
{
	struct kpool *pool = group->pool;

	raw_spin_lock_irq(&pool->lock);
	WRITE_ONCE(group->max_active, max_active);
	WRITE_ONCE(group->max_queued, max_queued);
	group_set_plain(group);
	group_changed(group);
	room_made(group);
	raw_spin_unlock_irq(&pool->lock);
	dispatch_more(pool);
}

int kpool_group_set_limits(struct kpool_group *group, int max_active,
			   int max_queued)
{
	struct kpool_group *part;
	int err, cpu;

	might_sleep();
	err = check_group_limits(group, max_active, max_queued);
	if (err)
		return err;
	for_each_part(group, part, cpu)
		set_group_limits(part, max_active, max_queued);
	return 0;
}
EXPORT_SYMBOL_GPL(kpool_group_set_limits);
