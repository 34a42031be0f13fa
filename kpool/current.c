// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the current thread is to kpool, and what it executes.
 */
#include <linux/export.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include "internal.h"

/* The worker that the current thread is, or NULL. */
struct kpool_worker *current_worker(void)
{
	if (!in_task() || !(current->flags & PF_KTHREAD) ||
	    kthread_func(current) != kpool_worker_fn)
		return NULL;
	return kthread_data(current);
}

/* Does this thread run a work of this group, or of one below it? */
bool works_below(const struct kpool_group *top)
{
	struct kpool_worker *worker = current_worker();

	if (!worker || !worker->group)
		return false;
	return group_is_below(worker->group, top) ||
	       (worker->guest && group_is_below(worker->guest, top));
}

/*
 * Does this thread execute something of this group, or of one below it?  Then
 * it must not wait for it.
 */
bool runs_below(struct kpool_group *top)
{
	return works_below(top) || callbacks_below(top);
}

/* Is this a thread of the pool, whatever it executes?  Also in a hook. */
bool is_worker_of(const struct kpool *pool)
{
	struct kpool_worker *worker = current_worker();

	return worker && client_group(worker->pool->root) == pool->root;
}

struct kpool_work *kpool_current(void)
{
	struct kpool_worker *worker = current_worker();

	return worker ? READ_ONCE(worker->work) : NULL;
}
EXPORT_SYMBOL_GPL(kpool_current);

bool kpool_should_stop(void)
{
	struct kpool_worker *worker = current_worker();
	struct kpool_work *work = worker ? READ_ONCE(worker->work) : NULL;

	if (!work)
		return false;
	return work_is_told(work) ||
	       (worker->guest && group_is_stopped(worker->guest));
}
EXPORT_SYMBOL_GPL(kpool_should_stop);
