// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits of pools and groups, and their change while works run.
 *
 * A limit that is lowered below what is in use takes nothing away.  Nothing
 * starts on a pool that is over its limit, not even on a thread that is idle:
 * idle threads leave at once, taken by the one who lowers the limit, and busy
 * ones resign in next_work().  So none is idle while the pool is over, but for
 * the time that lowering takes.  A limit that is raised lets its caller commit
 * idle threads to what may start now; the spawner makes those that lack.
 *
 * The caller is kpool_set_limits() or kpool_group_set_limits(), for all limits,
 * or a write in sysfs, for one.
 */
#define pr_fmt(fmt) "kpool: " fmt

#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/stdarg.h>

#include "internal.h"
#include "limits.h"
#include "testpoint.h"

/* For the reason of a refusal, which is found where nothing may be printed. */
#define WHY_SIZE	128

static __printf(3, 4) int refuse(char *why, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, WHY_SIZE, fmt, args);
	va_end(args);
	return err;
}

static int examine(const struct kpool_limits *l, unsigned int reserved,
		   char *why)
{
	if (l->max_threads < 1 || l->max_threads > KPOOL_MAX_THREADS)
		return refuse(why, -EINVAL, "max_threads (%d) is not 1 to %d",
			      l->max_threads, KPOOL_MAX_THREADS);
	if (l->min_threads < 0 || l->min_threads > l->max_threads)
		return refuse(why, -EINVAL,
			      "min_threads (%d) is not 0 to max_threads (%d)",
			      l->min_threads, l->max_threads);
	if (l->idle_timeout < 0)
		return refuse(why, -EINVAL, "idle_timeout (%ld) is negative",
			      l->idle_timeout);
	if (l->max_queued < 0)
		return refuse(why, -EINVAL, "max_queued (%d) is negative",
			      l->max_queued);
	if (l->max_threads < reserved)
		return refuse(why, -ENOSPC,
			      "max_threads (%d) is less than the %u that are reserved",
			      l->max_threads, reserved);
	return 0;
}

int check_limits(const char *name, const struct kpool_limits *limits)
{
	char why[WHY_SIZE];
	int err = examine(limits, 0, why);

	if (err)
		pr_err("%s: %s\n", name, why);
	return err;
}

/*
 * The spawner looks again: threads may lack, or wait for another time than the
 * one that it sleeps for.
 */
void pool_set_limits(struct kpool *pool, const struct kpool_limits *limits)
{
	struct task_struct *wake;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	WRITE_ONCE(pool->min_threads, limits->min_threads);
	WRITE_ONCE(pool->max_threads, limits->max_threads);
	pool_count_threads(pool, 0);
	WRITE_ONCE(pool->idle_timeout,
		   limits->idle_timeout ?: KPOOL_IDLE_TIMEOUT);
	WRITE_ONCE(pool->root->max_queued, limits->max_queued);
	group_changed(pool->root);
	room_made(pool->root);
	wake = service_wake(&pool->spawner);
	unlock_and_wake(pool, flags, wake);
}

static struct kpool_limits current_limits(const struct kpool *pool)
{
	return (struct kpool_limits) {
		.min_threads = pool->min_threads,
		.max_threads = pool->max_threads,
		.idle_timeout = pool->idle_timeout,
		.max_queued = pool->root->max_queued,
	};
}

/* Called under the mutex, which keeps what groups have reserved. */
static int try_limits(struct kpool *pool, const struct kpool_limits *limits,
		      char *why)
{
	int err = examine(limits, pool->root->reserved_below, why);

	lockdep_assert_held(&pool->mutex);
	if (!err)
		pool_set_limits(pool, limits);
	return err;
}

/* Called after it: say why not, or do what the new limits ask for. */
static int limits_tried(struct kpool *pool, int err, const char *why)
{
	if (err) {
		pr_err("%s: %s\n", pool->name, why);
		return err;
	}
	test_point(KPOOL_AT_LIMITS, pool);
	dismiss_excess(pool);
	dispatch_more(pool);
	return 0;
}

static int set_limits(struct kpool *pool, const struct kpool_limits *limits)
{
	char why[WHY_SIZE];
	int err;

	mutex_lock(&pool->mutex);
	err = try_limits(pool, limits, why);
	mutex_unlock(&pool->mutex);
	return limits_tried(pool, err, why);
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

static int examine_group(const struct kpool_group *group, int max_active,
			 int max_queued, char *why)
{
	if (max_active < 0)
		return refuse(why, -EINVAL,
			      "group %s: max_active (%d) is negative",
			      group->name, max_active);
	if (max_queued < 0)
		return refuse(why, -EINVAL,
			      "group %s: max_queued (%d) is negative",
			      group->name, max_queued);
	if (max_active && max_active < group->reserve)
		return refuse(why, -EINVAL,
			      "group %s: max_active (%d) is less than reserve (%u)",
			      group->name, max_active, group->reserve);
	return 0;
}

/* Called under the mutex. */
static void group_take_limits(struct kpool_group *group, int max_active,
			      int max_queued)
{
	struct kpool *pool = group->pool;

	lockdep_assert_held(&pool->mutex);
	raw_spin_lock_irq(&pool->lock);
	WRITE_ONCE(group->max_active, max_active);
	WRITE_ONCE(group->max_queued, max_queued);
	group_set_plain(group);
	group_changed(group);
	room_made(group);
	raw_spin_unlock_irq(&pool->lock);
}

static void set_group_limits(struct kpool_group *group, int max_active,
			     int max_queued)
{
	struct kpool *pool = group->pool;

	mutex_lock(&pool->mutex);
	group_take_limits(group, max_active, max_queued);
	mutex_unlock(&pool->mutex);
	dispatch_more(pool);
}

int kpool_group_set_limits(struct kpool_group *group, int max_active,
			   int max_queued)
{
	struct kpool_group *part;
	char why[WHY_SIZE];
	int err, cpu;

	might_sleep();
	err = examine_group(group, max_active, max_queued, why);
	if (err) {
		pr_err("%s: %s\n", group->pool->name, why);
		return err;
	}
	for_each_part(group, part, cpu)
		set_group_limits(part, max_active, max_queued);
	return 0;
}
EXPORT_SYMBOL_GPL(kpool_group_set_limits);

static int change_pool_limit(struct kpool *pool, enum limit limit, int value)
{
	struct kpool_limits limits;
	char why[WHY_SIZE];
	int err;

	test_point(KPOOL_AT_CHANGE, pool);
	mutex_lock(&pool->mutex);
	limits = current_limits(pool);
	if (limit == LIMIT_MIN_THREADS)
		limits.min_threads = value;
	else if (limit == LIMIT_MAX_THREADS)
		limits.max_threads = value;
	else
		limits.idle_timeout = value < 0 ? value :
				      (long)msecs_to_jiffies(value);
	err = try_limits(pool, &limits, why);
	mutex_unlock(&pool->mutex);
	return limits_tried(pool, err, why);
}

static int change_group_limit(struct kpool_group *group, enum limit limit,
			      int value)
{
	struct kpool *pool = group->pool;
	int max_active, max_queued, err;
	char why[WHY_SIZE];

	test_point(KPOOL_AT_CHANGE, pool);
	mutex_lock(&pool->mutex);
	max_active = limit == LIMIT_MAX_ACTIVE ? value : group->max_active;
	max_queued = limit == LIMIT_MAX_QUEUED ? value : group->max_queued;
	err = examine_group(group, max_active, max_queued, why);
	if (!err)
		group_take_limits(group, max_active, max_queued);
	mutex_unlock(&pool->mutex);
	if (err)
		pr_err("%s: %s\n", pool->name, why);
	else
		dispatch_more(pool);
	return err;
}

/*
 * Change one limit and leave the others as they are: they are read and written
 * in one hold of the mutex, as by all who change limits, so that none undoes
 * what another did meanwhile.  Not for a handle.
 */
int change_limit(struct kpool_group *group, enum limit limit, int value)
{
	if (limit == LIMIT_MAX_ACTIVE || limit == LIMIT_MAX_QUEUED)
		return change_group_limit(group, limit, value);
	return change_pool_limit(group->pool, limit, value);
}
