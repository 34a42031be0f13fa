// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving works back that were cancelled before they ran.
 *
 * That can happen where one must not sleep, and release functions may sleep,
 * or want a lock whose holder waits for a stop.  So they are called by a
 * workqueue, which has a thread for each group that needs one: no tell waits
 * for a release function, and no group for those of another.
 */
#include <linux/errno.h>
#include <linux/jiffies.h>

#include "internal.h"
#include "lockmap.h"

static struct workqueue_struct *release_wq;

/* Take the next cancelled work of a group, and say who gives it back. */
static struct kpool_work *begin_release(struct kpool_group *group,
					struct kpool_release *call)
{
	struct kpool *pool = group->pool;
	struct kpool_work *work;

	raw_spin_lock_irq(&pool->lock);
	work = list_first_entry_or_null(&group->releasing, struct kpool_work,
					entry);
	if (work) {
		list_del_init(&work->entry);
		call->func = work->release;
		call->since = jiffies;
		call->named = false;
		list_add_tail(&call->entry, &pool->releases);
		work_unbind(work);
	}
	raw_spin_unlock_irq(&pool->lock);
	return work;
}

/*
 * The group is busy until each of its works is given back.  When it is idle it
 * may be destroyed; that waits until we have left, see release_flush().
 */
static void release_group(struct work_struct *item)
{
	struct kpool_group *group = container_of(item, struct kpool_group,
						 release_item);
	struct kpool_release call = { .group = group, .task = current };
	struct kpool *pool = group->pool;
	struct kpool_work *work;
	struct kpool_env env;

	env_begin(&env);
	while ((work = begin_release(group, &call))) {
		run_release(&env, group, call.func, work);
		raw_spin_lock_irq(&pool->lock);
		list_del(&call.entry);
		group_put_busy(group);
		raw_spin_unlock_irq(&pool->lock);
		cond_resched();
	}
	env_end(&env);
}

/*
 * To lockdep the items of all groups would be one.  What is to be known about
 * their order the map of the group says, which run_release() holds.
 */
void release_init(struct kpool_group *group)
{
	INIT_LIST_HEAD(&group->releasing);
	INIT_WORK(&group->release_item, release_group);
#ifdef CONFIG_LOCKDEP
	lockdep_init_map(&group->release_item.lockdep_map, "(kpool_release)",
			 unchecked_key(), 0);
#endif
}

/* A cancelled work that is to be given back.  Any context, under the lock. */
void release_queue(struct kpool_work *work)
{
	struct kpool_group *group = work->group;

	lockdep_assert_held(&group->pool->lock);
	list_add_tail(&work->entry, &group->releasing);
	queue_work(release_wq, &group->release_item);
}

/* After a group is idle: nobody executes our code for it any more. */
void release_flush(struct kpool_group *group)
{
	cancel_work_sync(&group->release_item);
}

/* The group whose cancelled works the current thread gives back, or NULL. */
struct kpool_group *releasing_group(void)
{
	struct work_struct *item = current_work();

	if (!item || item->func != release_group)
		return NULL;
	return container_of(item, struct kpool_group, release_item);
}

/* Is the current thread in a release function of this group or below it? */
bool releases_below(struct kpool_group *top)
{
	struct kpool *pool = top->pool;
	struct kpool_release *call;
	unsigned long flags;
	bool found = false;

	/* if it is, it has added itself */
	if (list_empty(&pool->releases))
		return false;
	raw_spin_lock_irqsave(&pool->lock, flags);
	list_for_each_entry(call, &pool->releases, entry)
		if (call->task == current && group_is_below(call->group, top))
			found = true;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return found;
}

int kpool_release_init(void)
{
	release_wq = alloc_workqueue("kpool_release",
				     WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return release_wq ? 0 : -ENOMEM;
}

void kpool_release_exit(void)
{
	destroy_workqueue(release_wq);
}
