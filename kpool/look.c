// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking at a pool without holding it up.
 *
 * The tree and the set of workers stay as they are under pool->mutex; what is
 * in them is copied under pool->lock, one worker or one group at a time and at
 * most KPOOL_BATCH works or waiters of it.  Nothing is printed under either.
 * A walk that goes on later starts where it was: workers have numbers, groups
 * are counted.  It may miss, or meet twice, what came or went meanwhile.
 *
 * Tasks.  A worker that executes something is alive, and so is who waits: his
 * record is on his stack.  Both under the lock, where a reference is taken.
 * One that is idle or leaves is not looked at: it may be gone any time.
 */
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/string.h>

#include "compat.h"
#include "histogram.h"
#include "look.h"

/* "pool/a/b"; for the root "pool". */
static void copy_path(const struct kpool_group *group, char *path)
{
	const struct kpool_group *above;
	size_t len = 0;
	int up;

	len = strscpy(path, group->pool->name, PATH_SIZE);
	for (up = group->depth - 1; up >= 0; up--) {
		int i = up;

		for (above = group; i--; )
			above = above->parent;
		len += scnprintf(path + len, PATH_SIZE - len, "/%s",
				 above->name);
	}
}

static const char *tell_name(const struct kpool_worker *worker)
{
	if (!worker->work || !work_is_told(worker->work))
		return "";
	switch (worker->tell) {
	case TELL_SENT:
		return "signalled";
	case TELL_SHUT:
		if (worker->group->flags & KPOOL_NOSIGNAL)
			return "told";
		return worker->arrived ? "acknowledged" : "told";
	default:
		return "told";
	}
}

static unsigned int count_nodes(const struct hlist_head *head)
{
	const struct hlist_node *node;
	unsigned int n = 0;

	hlist_for_each(node, head)
		if (++n == KPOOL_BATCH)
			break;
	return n;
}

static bool copy_run(struct kpool_worker *worker, struct seen_run *run)
{
	struct kpool *pool = worker->pool;
	bool runs;

	raw_spin_lock_irq(&pool->lock);
	runs = worker->group;
	if (runs) {
		run->task = get_task_struct(worker->task);
		run->thread = worker->id;
		run->func = worker->func;
		run->age = jiffies - worker->since;
		run->releasing = !worker->work;
		run->tell = tell_name(worker);
		run->nr_waiters = worker->work ?
				  count_nodes(&worker->work->waiters) : 0;
		copy_path(worker->group, run->path);
	}
	raw_spin_unlock_irq(&pool->lock);
	return runs;
}

/* Up to @max of those that execute, of workers from number *@from on. */
int look_runs(struct kpool *pool, unsigned int *from, struct seen_run *runs,
	      int max)
{
	struct kpool_worker *worker;
	int n = 0;

	mutex_lock(&pool->mutex);
	list_for_each_entry(worker, &pool->workers, all_entry) {
		if (worker->id < *from)
			continue;
		if (n == max)
			break;
		n += copy_run(worker, &runs[n]);
		*from = worker->id + 1;
	}
	mutex_unlock(&pool->mutex);
	return n;
}

void look_put_runs(struct seen_run *runs, int n)
{
	for (; n--; runs++)
		put_task_struct(runs->task);
}

/* Append those of a list, up to KPOOL_BATCH altogether. */
static int copy_waits(const struct hlist_head *waiters, const void *func,
		      int thread, struct seen_wait *waits, int n)
{
	struct kpool_waiter *waiter;

	hlist_for_each_entry(waiter, waiters, node) {
		if (n == KPOOL_BATCH)
			break;
		waits[n++] = (struct seen_wait) {
			.task = get_task_struct(waiter->task),
			.func = func,
			.age = jiffies - waiter->since,
			.thread = thread,
		};
	}
	return n;
}

/*
 * Those who wait for the work of the next running worker from *@from on that
 * has any: up to KPOOL_BATCH.  Returns 0 at the end.
 */
int look_run_waits(struct kpool *pool, unsigned int *from,
		   struct seen_wait *waits)
{
	struct kpool_worker *worker;
	int n = 0;

	mutex_lock(&pool->mutex);
	list_for_each_entry(worker, &pool->workers, all_entry) {
		if (worker->id < *from)
			continue;
		raw_spin_lock_irq(&pool->lock);
		if (worker->work)
			n = copy_waits(&worker->work->waiters, worker->func,
				       worker->id, waits, 0);
		raw_spin_unlock_irq(&pool->lock);
		*from = worker->id + 1;
		if (n)
			break;
	}
	mutex_unlock(&pool->mutex);
	return n;
}

static void copy_blocker(const struct kpool_group *group,
			 struct seen_group *seen)
{
	for (; group; group = group->parent) {
		if (!group->max_active || group->nr_running < group->max_active)
			continue;
		seen->blocked = true;
		seen->blocker_max = group->max_active;
		copy_path(group, seen->blocker_path);
		return;
	}
}

static int copy_pending(struct kpool_group *group, struct seen_group *seen,
			struct seen_wait *waits)
{
	struct kpool_work *work;
	int n = 0;

	list_for_each_entry(work, &group->pending, entry) {
		if (seen->own_pending == KPOOL_BATCH)
			break;
		seen->own_pending++;
		if (!seen->oldest || stamp_age(work->stamp) > seen->oldest_age) {
			seen->oldest = work->fn;
			seen->oldest_age = stamp_age(work->stamp);
		}
		n = copy_waits(&work->waiters, work->fn, -1, waits, n);
	}
	return n;
}

static int copy_group(struct kpool_group *group, struct seen_group *seen,
		      struct seen_wait *waits)
{
	int n;

	*seen = (struct seen_group) {
		.depth = group->depth,
		.busy = group->busy,
		.nr_running = group->nr_running,
		.nr_pending = group->nr_pending,
		.max_active = group->max_active,
		.max_queued = group->max_queued,
		.stopping = group->state == GROUP_STOPPED && group->busy,
		.state = group_state_name(group),
		.state_age = jiffies - group->state_since,
	};
	copy_path(group, seen->path);
	n = copy_pending(group, seen, waits);
	if (seen->oldest)
		copy_blocker(group, seen);
	return copy_waits(&group->waiters, NULL, -1, waits, n);
}

/*
 * The group with this number in the tree, parents first, and those who wait
 * for it or for its pending works: up to KPOOL_BATCH, in @waits and *@n.
 */
bool look_group(struct kpool *pool, unsigned int index,
		struct seen_group *seen, struct seen_wait *waits, int *n)
{
	struct kpool_group *group = pool->root;

	mutex_lock(&pool->mutex);
	while (group && index--)
		group = next_below(group, pool->root);
	if (group) {
		raw_spin_lock_irq(&pool->lock);
		*n = copy_group(group, seen, waits);
		raw_spin_unlock_irq(&pool->lock);
	}
	mutex_unlock(&pool->mutex);
	return group;
}

void look_put_waits(struct seen_wait *waits, int n)
{
	for (; n--; waits++)
		put_task_struct(waits->task);
}

/* A task that runs has no stack to speak of. */
unsigned int look_stack(struct task_struct *task, unsigned long *entries,
			unsigned int size)
{
	if (task_is_running(task))
		return 0;
	return kpool_stack_save(task, entries, size);
}
