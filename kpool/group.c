// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups: whether one takes works, when it is idle, and its drain.
 *
 *	        drain                stop                destroy
 *	 OPEN ----------> CLOSED ------------> STOPPED ----------> DEAD
 *	  ^ |                |                  |  ^
 *	  | +----------------|------------------|--+  stop
 *	  +------------------+------------------+     reopen, when idle
 */
#include <linux/export.h>

#include <trace/events/kpool.h>

#include "internal.h"

/* The one place where a group changes its state. */
void group_set_state(struct kpool_group *group, enum group_state state)
{
	static const u8 from[NR_GROUP_STATES] = {
		[GROUP_OPEN] = BIT(GROUP_CLOSED) | BIT(GROUP_STOPPED),
		[GROUP_CLOSED] = BIT(GROUP_OPEN),
		[GROUP_STOPPED] = BIT(GROUP_OPEN) | BIT(GROUP_CLOSED),
		[GROUP_DEAD] = BIT(GROUP_STOPPED),
	};

	lockdep_assert_held(&group->pool->lock);
	WARN_ONCE(!(from[state] & BIT(group->state)),
		  "kpool: %s/%s: state %u to %u\n", group->pool->name,
		  group->name, group->state, state);
	WRITE_ONCE(group->state, state);
	group_changed(group);
	group->state_since = jiffies;
	trace_kpool_group_state(group);
}

/* For people: what holds for a group, holds for those below it. */
const char *group_state_name(const struct kpool_group *group)
{
	if (group_is_stopped(group))
		return "stopped";
	return group_is_open(group) ? "open" : "closed";
}

/* Was this group, or one above it, stopped?  Also without the lock. */
bool group_is_stopped(const struct kpool_group *group)
{
	for (; group; group = group->parent)
		if (READ_ONCE(group->state) >= GROUP_STOPPED)
			return true;
	return false;
}

/* Does it take works from everybody?  As do all above it then. */
bool group_is_open(const struct kpool_group *group)
{
	for (; group; group = group->parent)
		if (READ_ONCE(group->state) != GROUP_OPEN)
			return false;
	return true;
}

/*
 * Does it refuse the current context?  One that is being drained takes works
 * from its own works only.
 */
bool group_refuses(const struct kpool_group *group)
{
	for (; group; group = group->parent) {
		if (likely(group->state == GROUP_OPEN))
			continue;
		if (group->state != GROUP_CLOSED || !works_below(group))
			return true;
	}
	return false;
}

/* Is this group @top, or below it? */
bool group_is_below(const struct kpool_group *group,
		    const struct kpool_group *top)
{
	while (group && group->depth > top->depth)
		group = group->parent;
	return group == top;
}

/* A group is busy from the first queueing accepted to the last one over. */
void group_get_busy(struct kpool_group *group)
{
	while (group && !group->busy++)
		group = group->parent;
}

void group_put_busy(struct kpool_group *group)
{
	while (group && !--group->busy) {
		trace_kpool_group_idle(group);
		waiters_complete(&group->waiters, 0, true);
		group = group->parent;
	}
}

/*
 * Wait until a group is idle.  It is looked at and the record is added under
 * the lock under which group_put_busy() answers records.
 */
int group_await_idle(struct kpool_group *group, unsigned long timeout,
		     bool killable)
{
	struct kpool *pool = group->pool;
	struct kpool_waiter waiter;
	bool busy;

	might_sleep();
	if (runs_below(group))
		return -EDEADLK;
	waiter_init(&waiter, pool, 0);
	raw_spin_lock_irq(&pool->lock);
	busy = group->busy;
	if (busy)
		hlist_add_head(&waiter.node, &group->waiters);
	raw_spin_unlock_irq(&pool->lock);
	return busy ? await(&waiter, timeout, killable) : 0;
}

int kpool_group_wait(struct kpool_group *group)
{
	return group_await_idle(group, MAX_SCHEDULE_TIMEOUT, false);
}
EXPORT_SYMBOL_GPL(kpool_group_wait);

int kpool_group_wait_timeout(struct kpool_group *group, unsigned long timeout)
{
	return group_await_idle(group, timeout, false);
}
EXPORT_SYMBOL_GPL(kpool_group_wait_timeout);

int kpool_group_wait_killable(struct kpool_group *group)
{
	return group_await_idle(group, MAX_SCHEDULE_TIMEOUT, true);
}
EXPORT_SYMBOL_GPL(kpool_group_wait_killable);

static void begin_drain(struct kpool_group *group)
{
	raw_spin_lock_irq(&group->pool->lock);
	if (group->state == GROUP_OPEN)
		group_set_state(group, GROUP_CLOSED);
	raw_spin_unlock_irq(&group->pool->lock);
}

static int group_drain(struct kpool_group *group, unsigned long timeout,
		       bool killable)
{
	might_sleep();
	begin_drain(group);
	return group_await_idle(group, timeout, killable);
}

int kpool_group_drain(struct kpool_group *group)
{
	return group_drain(group, MAX_SCHEDULE_TIMEOUT, false);
}
EXPORT_SYMBOL_GPL(kpool_group_drain);

int kpool_group_drain_timeout(struct kpool_group *group, unsigned long timeout)
{
	return group_drain(group, timeout, false);
}
EXPORT_SYMBOL_GPL(kpool_group_drain_timeout);

int kpool_group_drain_killable(struct kpool_group *group)
{
	return group_drain(group, MAX_SCHEDULE_TIMEOUT, true);
}
EXPORT_SYMBOL_GPL(kpool_group_drain_killable);

/* The next stop calls cancel() again, of all that take works again. */
static void reset_cancels(struct kpool_group *top)
{
	struct kpool *pool = top->pool;
	struct kpool_group *group;

	for (group = top; group; group = next_below(group, top)) {
		raw_spin_lock_irq(&pool->lock);
		if (!group_is_stopped(group))
			group->cancelled = false;
		raw_spin_unlock_irq(&pool->lock);
	}
}

/*
 * A stop that is still at it holds the mutex, and looks at the state when it
 * has got it: so it does not meet the works of the new life.  One that was
 * requested, or that calls cancel(), keeps the group busy.
 */
int kpool_group_reopen(struct kpool_group *group)
{
	struct kpool *pool = group->pool;
	int err = 0;

	might_sleep();
	mutex_lock(&pool->mutex);
	raw_spin_lock_irq(&pool->lock);
	if (!group_is_open(group->parent))
		err = -ESHUTDOWN;
	else if (group->busy)
		err = -EBUSY;
	else if (group->state != GROUP_OPEN)
		group_set_state(group, GROUP_OPEN);
	raw_spin_unlock_irq(&pool->lock);
	if (!err)
		reset_cancels(group);
	mutex_unlock(&pool->mutex);
	return err;
}
EXPORT_SYMBOL_GPL(kpool_group_reopen);

void *kpool_group_data(const struct kpool_group *group)
{
	return group->data;
}
EXPORT_SYMBOL_GPL(kpool_group_data);
