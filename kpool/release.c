// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving works back that were cancelled before they ran.
 *
 * That can happen where one must not sleep, and release functions may sleep,
 * or want a lock whose holder waits for a stop.  So they are called by a
 * workqueue, which has a thread for each group that needs one: no tell waits
 * for a release function, and no group for those of another.
 */
#include <trace/events/kpool.h>

#include "internal.h"
#include "lockmap.h"

/* Take the next cancelled work of a group, and say who gives it back. */
static struct kpool_work *begin_release(struct kpool_group *group,
					struct kpool_callback *call,
					kpool_release_t *release)
{
	struct kpool *pool = group->pool;
	struct kpool_work *work;

	raw_spin_lock_irq(&pool->lock);
	work = list_first_entry_or_null(&group->releasing, struct kpool_work,
					entry);
	if (work) {
		list_del_init(&work->entry);
		*release = work->release;
		callback_begin(call, group, *release);
		trace_kpool_work_release(group, work);
		work_unbind(work);
	}
	raw_spin_unlock_irq(&pool->lock);
	return work;
}

/*
 * The group is busy until each of its works is given back.  When it is idle it
 * may be destroyed; that waits until we have left, see callbacks_flush().
 */
static void release_group(struct work_struct *item)
{
	struct kpool_group *group = container_of(item, struct kpool_group,
						 release_item);
	struct kpool_callback call;
	kpool_release_t release;
	struct kpool_work *work;
	struct kpool_env env;

	env_begin(&env);
	while ((work = begin_release(group, &call, &release))) {
		run_release(&env, group, release, work);
		callback_end(&call);
		cond_resched();
	}
	env_end(&env);
}

void release_init(struct kpool_group *group)
{
	INIT_LIST_HEAD(&group->releasing);
	INIT_WORK(&group->release_item, release_group);
}

/*
 * A cancelled work that is to be given back.  Any context, under the lock.
 *
 * queue_work() is legal under it on PREEMPT_RT, too, and in a hard interrupt:
 * it allocates nothing, all the locks it takes are raw (the workqueue's pool
 * and node, the run queue), and we are never called under one of them.  Debug
 * objects, which it tells, get memory in preemptible context only there.
 */
void release_queue(struct kpool_work *work)
{
	struct kpool_group *group = work->group;

	lockdep_assert_held(&group->pool->lock);
	list_add_tail(&work->entry, &group->releasing);
	queue_work(callback_wq, &group->release_item);
}
