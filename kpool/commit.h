/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a work gets its worker.  In a header, for the call would cost as much as
 * what it does.
 */
#ifndef _KPOOL_COMMIT_H
#define _KPOOL_COMMIT_H

#include <linux/jiffies.h>
#include <linux/lockdep.h>

#include <trace/events/kpool.h>

#include "histogram.h"
#include "internal.h"

/*
 * Take away what is between these two: one work, that is pending, or counts for
 * that since its timer is armed.
 */
static __always_inline void unlist_pending(struct kpool_group *group,
					   struct list_head *prev,
					   struct list_head *next)
{
	lockdep_assert_held(&group->pool->lock);
	__list_del(prev, next);
	group_count_pending(group, -1);
	if (prev == next && prev == &group->pending)
		group_last_taken(group);
}

static __always_inline struct kpool_work *
first_pending(struct kpool_group *group)
{
	return list_first_entry(&group->pending, struct kpool_work, entry);
}

static __always_inline void begin_work(struct kpool_worker *worker,
				       struct kpool_work *work)
{
	worker->func = work->fn;
	worker->since = jiffies;
	worker->named = false;
	work->worker = worker;
	work_set_state(work, WORK_RUNNING);
	trace_kpool_work_start(worker, work);
	if (hist_on())
		hist_commit(worker, work);
	/* pairs with the load in next_work() */
	smp_store_release(&worker->work, work);
}

/*
 * Give a work to a worker that is not idle.  The worker may be asleep, or just
 * created: it reads worker->work without the lock when it wakes, and then what
 * was written before.
 */
static __always_inline void worker_commit(struct kpool_worker *worker,
					  struct kpool_work *work,
					  struct kpool_group *group)
{
	lockdep_assert_held(&worker->pool->lock);
	worker->enters = group_get_slot(group);
	hlist_add_head(&worker->run_entry, &group->running);
	worker->group = group;
	if (group->flags & KPOOL_NOSIGNAL)
		worker_set_tell(worker, TELL_SHUT);
	begin_work(worker, work);
}

/* A work that may start, to the worker that has been idle for the least time. */
static __always_inline struct task_struct *
start_idle_worker(struct kpool *pool, struct kpool_work *work,
		  struct kpool_group *group)
{
	struct kpool_worker *worker = hlist_entry(pool->idle.first,
						  struct kpool_worker,
						  idle_entry);

	idle_del(pool, worker);
	worker_commit(worker, work, group);
	return worker->task;
}

#endif /* _KPOOL_COMMIT_H */
