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

#include "deadlock.h"
#include "internal.h"
#include "lockmap.h"

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
 * from its own works and release functions only.
 */
bool group_refuses(const struct kpool_group *group)
{
	for (; group; group = group->parent) {
		if (likely(group->state == GROUP_OPEN))
			continue;
		if (group->state != GROUP_CLOSED ||
		    !(works_below(group) || callbacks_below_locked(group)))
			return true;
	}
	return false;
}

/*
 * Is this group @top, or below it?  On whichever CPU, for to the client that is
 * one group.
 */
bool group_is_below(const struct kpool_group *group,
		    const struct kpool_group *top)
{
	top = top->handle ?: top;
	if (group && group->handle)
		group = group->handle;
	while (group && group->depth > top->depth)
		group = group->parent;
	return group == top;
}

/* It is busy now, and counts for that in its parent, which is then, too. */
void group_is_busy(struct kpool_group *group)
{
	do {
		group->lives++;
		group = group->parent;
	} while (group && !group->busy++);
}

/* It is not busy any more; nor is its parent, if it was the last there. */
void group_is_idle(struct kpool_group *group)
{
	do {
		trace_kpool_group_idle(group);
		waiters_complete(&group->waiters, 0, true);
		group = group->parent;
	} while (group && !--group->busy);
}

/*
 * Wait until one part is idle.  It is looked at and the record is added under
 * the lock under which group_put_busy() answers records.
 *
 * Who has closed the group has kept it busy since (@put), so that it is not
 * reopened before the record is there.  Else the wait would be for the works
 * of its next life.
 */
static int part_await_idle(struct kpool_group *group, bool put,
			   unsigned long timeout, bool killable, bool for_ever)
{
	bool busy, self = runs_below(group);
	struct kpool *pool = group->pool;
	struct kpool_wait wait = { };
	struct kpool_waiter waiter;
	int err = 0;

	might_sleep();
	waiter_init(&waiter, pool, 0);
	raw_spin_lock_irq(&pool->lock);
	busy = group->busy && !self;
	if (busy)
		hlist_add_head(&waiter.node, &group->waiters);
	if (put)
		group_put_busy(group);
	raw_spin_unlock_irq(&pool->lock);
	if (self)
		return -EDEADLK;
	if (busy && for_ever)
		err = wait_begin(&wait, &waiter, NULL, group, killable,
				 false);
	if (err)
		return err;
	if (timeout)
		group_map_touch(group);
	if (busy) {
		err = await(&waiter, timeout, killable);
		wait_end(&wait);
	}
	return err;
}

static unsigned long time_left(unsigned long end, unsigned long timeout)
{
	if (timeout >= MAX_SCHEDULE_TIMEOUT)
		return timeout;
	return time_before(jiffies, end) ? end - jiffies : 0;
}

/* Are all parts idle?  @lives is another number after one was not. */
static bool parts_are_idle(struct kpool_group *group, u32 *lives)
{
	struct kpool_group *part;
	bool idle = true;
	int cpu;

	*lives = 0;
	for_each_part(group, part, cpu) {
		raw_spin_lock_irq(&part->pool->lock);
		idle &= !part->busy;
		*lives += part->lives;
		raw_spin_unlock_irq(&part->pool->lock);
	}
	return idle;
}

/* If none became busy between two looks at all, all were idle at one moment. */
static bool parts_idle_at_once(struct kpool_group *group)
{
	u32 before, after;

	return parts_are_idle(group, &before) &&
	       parts_are_idle(group, &after) && before == after;
}

/*
 * One part after the other; and since works may queue from CPU to CPU, or be
 * brought there, until all are idle at once.  A group that we closed, and that
 * is open again, was so.
 */
static int await_idle(struct kpool_group *group, bool put,
		      unsigned long timeout, bool killable, bool for_ever)
{
	unsigned long end = jiffies + timeout;
	struct kpool_group *part;
	bool closed = put;
	int cpu, one, err = 0;

	do {
		for_each_part(group, part, cpu) {
			one = part_await_idle(part, put, err ? 0 :
					      time_left(end, timeout),
					      killable && !err, for_ever);
			err = err ?: one;
		}
		put = false;
		if (err || !group->on_cpu ||
		    (closed && group_is_open(last_part(group))))
			break;
		cond_resched();
	} while (!parts_idle_at_once(group));
	return err;
}

int group_await_idle(struct kpool_group *group, bool put,
		     unsigned long timeout, bool killable)
{
	return await_idle(group, put, timeout, killable,
			  timeout >= MAX_SCHEDULE_TIMEOUT);
}

/* For who waits again when the time is over, and so without a time limit. */
int group_await_idle_again(struct kpool_group *group, bool put,
			   unsigned long period)
{
	return await_idle(group, put, period, false, true);
}

int kpool_group_wait(struct kpool_group *group)
{
	return group_await_idle(group, false, MAX_SCHEDULE_TIMEOUT, false);
}
EXPORT_SYMBOL_GPL(kpool_group_wait);

int kpool_group_wait_timeout(struct kpool_group *group, unsigned long timeout)
{
	return group_await_idle(group, false, timeout, false);
}
EXPORT_SYMBOL_GPL(kpool_group_wait_timeout);

int kpool_group_wait_killable(struct kpool_group *group)
{
	return group_await_idle(group, false, MAX_SCHEDULE_TIMEOUT, true);
}
EXPORT_SYMBOL_GPL(kpool_group_wait_killable);

static struct task_struct *close_for_drain(struct kpool_group *group)
{
	if (group->state == GROUP_OPEN)
		group_set_state(group, GROUP_CLOSED);
	group_get_busy(group);
	return NULL;
}

static void refuse_waiters(struct kpool_group *group)
{
	struct kpool *pool = group->pool;
	struct kpool_group *pos;

	mutex_lock(&pool->mutex);
	for (pos = group; pos; pos = next_below(pos, group))
		room_refuse(pos);
	mutex_unlock(&pool->mutex);
}

static void begin_drain(struct kpool_group *group)
{
	struct kpool_group *part;
	int cpu;

	change_parts(group, NULL, close_for_drain);
	for_each_part(group, part, cpu)
		refuse_waiters(part);
}

static int group_drain(struct kpool_group *group, unsigned long timeout,
		       bool killable)
{
	might_sleep();
	begin_drain(group);
	return group_await_idle(group, true, timeout, killable);
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

/* Is a group below @top stopped, other than by @top? */
static bool is_stopped_below(const struct kpool_group *group,
			     const struct kpool_group *top)
{
	for (; group != top; group = group->parent)
		if (group->state >= GROUP_STOPPED)
			return true;
	return false;
}

/* The next stop calls cancel() again, of all that will take works again. */
static void reset_cancels(struct kpool_group *top)
{
	struct kpool *pool = top->pool;
	struct kpool_group *group;

	for (group = top; group; group = next_below(group, top)) {
		raw_spin_lock_irq(&pool->lock);
		if (!is_stopped_below(group, top))
			group->cancelled = false;
		raw_spin_unlock_irq(&pool->lock);
	}
}

static int check_reopen(const struct kpool_group *group)
{
	if (!group_is_open(group->parent))
		return -ESHUTDOWN;
	return group->busy && group->state != GROUP_OPEN ? -EBUSY : 0;
}

static struct task_struct *open_group(struct kpool_group *group)
{
	if (group->state != GROUP_OPEN)
		group_set_state(group, GROUP_OPEN);
	return NULL;
}

/*
 * A stop or drain keeps the group busy until it has told everybody, has called
 * cancel() or begun to, and has its record: so none meets the works of the new
 * life.  cancel() is reset before there are any, and looked at by a stop under
 * the mutex, so the first stop of the new life finds it.
 */
int kpool_group_reopen(struct kpool_group *group)
{
	/* the part that has the cancel() */
	struct kpool_group *last = last_part(group);
	int err;

	might_sleep();
	mutex_lock(&last->pool->mutex);
	err = change_parts(group, check_reopen, NULL);
	if (!err) {
		reset_cancels(last);
		err = change_parts(group, check_reopen, open_group);
	}
	mutex_unlock(&last->pool->mutex);
	return err;
}
EXPORT_SYMBOL_GPL(kpool_group_reopen);

void *kpool_group_data(const struct kpool_group *group)
{
	return group->data;
}
EXPORT_SYMBOL_GPL(kpool_group_data);
