// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients' functions that execute outside of workers, and among them cancel()
 * of the groups that a stop concerns.
 *
 * Each has a record on pool->callbacks while it executes: for -EDEADLK, if it
 * waits for its own group, and for the naming of stragglers.
 *
 * cancel() is called once for each time that its group is closed by a stop,
 * whoever stops: the first to find it, under pool->mutex, takes it on its
 * list.  From then until it has returned it keeps its group busy, so that
 * everybody who waits for the stop waits for it, too.  It is called by the
 * stopping thread itself, unless that must not sleep or has a signal pending:
 * then by a workqueue, and not by the stopper, for a tell waits for nobody.
 */
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/sched/signal.h>

#include "internal.h"
#include "lockmap.h"

struct workqueue_struct *callback_wq;

/*
 * All that execute, of all pools, newest first: for a thread that wants to
 * know what it executes.
 */
static DEFINE_RAW_SPINLOCK(callbacks_lock);
static LIST_HEAD(callbacks);

/* Under the lock. */
void callback_begin(struct kpool_callback *call, struct kpool_group *group,
		    const void *func)
{
	lockdep_assert_held(&group->pool->lock);
	call->group = group;
	call->task = current;
	call->func = func;
	call->since = jiffies;
	call->named = false;
	raw_spin_lock(&callbacks_lock);
	list_add(&call->all_entry, &callbacks);
	raw_spin_unlock(&callbacks_lock);
	list_add_tail(&call->entry, &group->pool->callbacks);
}

/* The group may be idle after this, and gone. */
void callback_end(struct kpool_callback *call)
{
	struct kpool *pool = call->group->pool;

	raw_spin_lock_irq(&pool->lock);
	raw_spin_lock(&callbacks_lock);
	list_del(&call->all_entry);
	raw_spin_unlock(&callbacks_lock);
	list_del(&call->entry);
	group_put_busy(call->group);
	raw_spin_unlock_irq(&pool->lock);
}

/*
 * The group whose callback the current thread executes, the innermost one; or
 * NULL.  The group is busy until the callback has returned, so it stays.
 */
struct kpool_group *callback_group(void)
{
	struct kpool_group *group = NULL;
	struct kpool_callback *call;
	unsigned long flags;

	/* if it is in one, it has added itself */
	if (list_empty(&callbacks))
		return NULL;
	raw_spin_lock_irqsave(&callbacks_lock, flags);
	list_for_each_entry(call, &callbacks, all_entry) {
		if (call->task == current) {
			group = call->group;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&callbacks_lock, flags);
	return group;
}

/* Is the current thread in a callback of this group or below it? */
bool callbacks_below_locked(const struct kpool_group *top)
{
	struct kpool_callback *call;

	lockdep_assert_held(&top->pool->lock);
	if (!in_task())
		return false;
	list_for_each_entry(call, &top->pool->callbacks, entry)
		if (call->task == current && group_is_below(call->group, top))
			return true;
	return false;
}

static bool callbacks_below_part(const struct kpool_group *top)
{
	struct kpool *pool = top->pool;
	unsigned long flags;
	bool found;

	/* if it is, it has added itself */
	if (list_empty(&pool->callbacks))
		return false;
	raw_spin_lock_irqsave(&pool->lock, flags);
	found = callbacks_below_locked(top);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return found;
}

bool callbacks_below(struct kpool_group *top)
{
	struct kpool_group *part;
	int cpu;

	for_each_part(top, part, cpu)
		if (callbacks_below_part(part))
			return true;
	return false;
}

/* A group of a stop from @top: its cancel() is to be called, if not yet. */
void cancel_collect(struct kpool_group *group, struct kpool_group *top)
{
	struct kpool *pool = top->pool;

	if (!group->cancel)
		return;
	raw_spin_lock_irq(&pool->lock);
	if (!group->cancelled) {
		group->cancelled = true;
		group_get_busy(group);
		list_add_tail(&group->cancel_entry, &top->to_cancel);
	} else if (!list_empty(&group->cancel_entry)) {
		/* not begun yet; he may be what another cancel() waits for */
		list_move_tail(&group->cancel_entry, &top->to_cancel);
	}
	raw_spin_unlock_irq(&pool->lock);
}

static struct kpool_group *begin_cancel(struct kpool_group *top,
					struct kpool_callback *call)
{
	struct kpool_group *group;

	raw_spin_lock_irq(&top->pool->lock);
	group = list_first_entry_or_null(&top->to_cancel, struct kpool_group,
					 cancel_entry);
	if (group) {
		list_del_init(&group->cancel_entry);
		callback_begin(call, group, group->cancel);
	}
	raw_spin_unlock_irq(&top->pool->lock);
	return group;
}

/*
 * In a thread that may hold maps of groups above @top already, and those of
 * @top itself if it @runs below it.  Without lockdep this is the call.
 */
static void run_cancel(struct kpool_group *group, struct kpool_group *top,
		       bool runs)
{
	if (!runs)
		group_map_acquire_from(top, group);
	group->cancel(client_group(group));
	if (!runs)
		group_map_release_to(top, group);
}

/*
 * Call the next cancel() of those collected; false if there is none.  What it
 * leaves behind is undone in a thread of ours (@env); another one is its own.
 */
static bool call_cancel(struct kpool_group *top, struct kpool_env *env)
{
	bool runs = runs_below(top);
	struct kpool_callback call;
	struct kpool_group *group;

	group = begin_cancel(top, &call);
	if (!group)
		return false;
	run_cancel(group, env ? group->pool->root : top, runs);
	if (env && env_was_changed(env))
		env_repair(env, group, group->cancel);
	callback_end(&call);
	return true;
}

static void cancel_fn(struct work_struct *item)
{
	struct kpool_group *top = container_of(item, struct kpool_group,
					       cancel_item);
	struct kpool_env env;

	env_begin(&env);
	while (call_cancel(top, &env))
		;
	env_end(&env);
}

void cancel_init(struct kpool_group *group)
{
	INIT_LIST_HEAD(&group->to_cancel);
	INIT_LIST_HEAD(&group->cancel_entry);
	INIT_WORK(&group->cancel_item, cancel_fn);
}

/* Call what was collected for a stop from @top; from a thread of kpool. */
void cancel_queue(struct kpool_group *top)
{
	if (!list_empty(&top->to_cancel))
		queue_work(callback_wq, &top->cancel_item);
}

/*
 * The same, from a thread that stops @top and may sleep.  It may be a work that
 * is told meanwhile: then the rest is left to the workqueue.
 */
void cancel_call(struct kpool_group *top)
{
	while (!signal_pending(current))
		if (!call_cancel(top, NULL))
			return;
	cancel_queue(top);
}

/* After a group is idle: the workqueue executes our code for it no more. */
void callbacks_flush(struct kpool_group *group)
{
	cancel_work_sync(&group->release_item);
	cancel_work_sync(&group->cancel_item);
}

int kpool_callback_init(void)
{
	callback_wq = alloc_workqueue("kpool_callback",
				      WQ_UNBOUND | WQ_MEM_RECLAIM,
				      WQ_MAX_ACTIVE);
	return callback_wq ? 0 : -ENOMEM;
}

void kpool_callback_exit(void)
{
	destroy_workqueue(callback_wq);
}
