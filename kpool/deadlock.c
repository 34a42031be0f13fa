// SPDX-License-Identifier: GPL-2.0-only
/*
 * Refusing waits that could not end.
 *
 * Only a thread that executes something of a group can be part of a circle: a
 * worker, or a workqueue's thread in a release function.  If it waits without
 * a time limit, it puts a record on a list, finds out whether what it waits
 * for can ever happen, and takes the record off again before it returns.  All
 * that is under one mutex, which nobody else needs:
 *
 *   waits_mutex
 *     pool->mutex
 *       pool->lock
 *
 * Whether a wait can end: assume that none on the list can.  One that does
 * not depend on others can, and then those that depend on it only, and so
 * forth until nothing changes.  If the new one is not among them it is part
 * of a circle, or waits for one.  See Documentation/internals.rst for why
 * this gives no false alarms, and what it does not see.
 */
#include <linux/mutex.h>
#include <linux/sched.h>

#include "internal.h"

static DEFINE_MUTEX(waits_mutex);
static LIST_HEAD(waits);

/* Count a wait as stuck, or no longer, wherever its thread is missing. */
static void count_stuck(struct kpool_wait *wait, int by)
{
	struct kpool_group *group;

	if (wait->worker)
		wait->worker->pool->nr_stuck += by;
	for (group = wait->own; group; group = group->parent) {
		group->nr_stuck += by;
		if (wait->slot)
			group->nr_stuck_running += by;
	}
}

/* Will a thread of this pool be free for another work?  Under its lock. */
static bool pool_will_have_thread(const struct kpool *pool)
{
	return pool->nr_idle || pool->nr_threads < pool->max_threads ||
	       pool->nr_threads > pool->nr_stuck;
}

/* Will this group, and those above it, be able to start another work? */
static bool group_will_have_slot(const struct kpool_group *group)
{
	for (; group; group = group->parent)
		if (group->max_active &&
		    group->nr_running >= group->max_active &&
		    group->nr_running <= group->nr_stuck_running)
			return false;
	return true;
}

/* Will what is pending in this group start, or be settled? */
static bool pending_can_go(const struct kpool_group *group)
{
	return group_is_stopped(group) ||
	       (group_will_have_slot(group) &&
		pool_will_have_thread(group->pool));
}

/* The run that a further one waits behind is that of the same worker. */
static bool work_can_end(const struct kpool_work *work)
{
	if (work->state == WORK_PENDING)
		return pending_can_go(work->group);
	return !work->worker || !work->worker->wait || work->worker->wait->live;
}

/* The caller is in a wait for @top, which stays until that has returned. */
static bool pending_below_can_go(struct kpool_group *top)
{
	struct kpool *pool = top->pool;
	struct kpool_group *group;
	bool can = true;

	mutex_lock(&pool->mutex);
	for (group = top; group && can; group = next_below(group, top)) {
		raw_spin_lock_irq(&pool->lock);
		can = list_empty(&group->pending) || pending_can_go(group);
		raw_spin_unlock_irq(&pool->lock);
	}
	mutex_unlock(&pool->mutex);
	return can;
}

/* A killable wait of a work that was told ends, if the signal comes. */
static bool is_told(const struct kpool_wait *wait)
{
	struct kpool_worker *worker = wait->worker;
	bool told;

	if (!wait->killable || !worker)
		return false;
	raw_spin_lock_irq(&worker->pool->lock);
	told = worker->work && worker->tell != TELL_SHUT &&
	       work_is_told(worker->work);
	raw_spin_unlock_irq(&worker->pool->lock);
	return told;
}

/*
 * Can this wait end, if those that are not live cannot?
 *
 * If it was answered, what it waited for may be gone, and the pool of that.
 * If it was not when the RCU read section began, they were there then, and so
 * the lock is there until the section ends; and what is still on a list of
 * waiters under the lock waits for something that is there.
 */
static bool can_end(struct kpool_wait *wait)
{
	struct kpool_waiter *waiter = wait->waiter;
	unsigned int pending = 0;
	unsigned long flags;
	bool can = true;

	if (is_told(wait))
		return true;
	rcu_read_lock();
	if (!completion_done(&waiter->done)) {
		raw_spin_lock_irqsave(&waiter->pool->lock, flags);
		if (hlist_unhashed(&waiter->node)) {
			can = true;
		} else if (wait->work) {
			can = work_can_end(wait->work);
		} else {
			can = !wait->group->nr_stuck;
			if (!group_is_stopped(wait->group))
				pending = wait->group->nr_pending;
		}
		raw_spin_unlock_irqrestore(&waiter->pool->lock, flags);
	}
	rcu_read_unlock();
	return can && (!pending || pending_below_can_go(wait->group));
}

static void set_live(struct kpool_wait *wait, bool live)
{
	if (wait->live == live)
		return;
	wait->live = live;
	count_stuck(wait, live ? -1 : 1);
}

/* One round over all waits; has it found one more that can end? */
static bool find_live(void)
{
	struct kpool_wait *wait;
	bool found = false;

	list_for_each_entry(wait, &waits, entry) {
		if (!wait->live && can_end(wait)) {
			set_live(wait, true);
			found = true;
		}
		cond_resched();
	}
	return found;
}

/*
 * Most waits do not depend on others, and need no look at them.  Between two
 * computations all records are taken for stuck.
 */
static bool is_stuck(struct kpool_wait *new)
{
	struct kpool_wait *wait;
	bool stuck;

	if (can_end(new))
		return false;
	while (!new->live && find_live())
		;
	stuck = !new->live;
	list_for_each_entry(wait, &waits, entry)
		set_live(wait, false);
	return stuck;
}

static void wait_add(struct kpool_wait *wait)
{
	list_add(&wait->entry, &waits);
	if (wait->worker)
		wait->worker->wait = wait;
	count_stuck(wait, 1);
}

static void wait_del(struct kpool_wait *wait)
{
	list_del(&wait->entry);
	if (wait->worker)
		wait->worker->wait = NULL;
	count_stuck(wait, -1);
	wait->own = NULL;
}

/* What the current thread executes something of, and as whom; or NULL. */
static struct kpool_group *executes(struct kpool_worker **worker)
{
	*worker = current_worker();
	return *worker ? (*worker)->group : releasing_group();
}

static struct task_struct *settle_pending(struct kpool_work *work, void *done)
{
	*(bool *)done = work->state == WORK_PENDING;
	if (*(bool *)done)
		work_settle(work);
	return NULL;
}

/*
 * A call cannot leave its work behind, which is on its stack.  So it queues it
 * under the mutex, and begins to wait under the same: what it called has then
 * not begun to wait for anything itself, and a call that is refused finds it
 * pending, and takes it away.  Returns whether the mutex is held.
 */
bool waits_hold(void)
{
	struct kpool_worker *worker;

	if (!executes(&worker))
		return false;
	mutex_lock(&waits_mutex);
	return true;
}

void waits_let_go(void)
{
	mutex_unlock(&waits_mutex);
}

/*
 * Before a sleep until @waiter is answered, which was added to the waiters of
 * @work, or else of @group.  Not for waits that have a time limit.  If @held,
 * see waits_hold(), lets go.  Returns 0, then wait_end() must follow, or
 * -EDEADLK, then @waiter has been taken back.
 */
int wait_begin(struct kpool_wait *wait, struct kpool_waiter *waiter,
	       struct kpool_work *work, struct kpool_group *group,
	       bool killable, bool held)
{
	bool stuck;

	memset(wait, 0, sizeof(*wait));
	wait->own = executes(&wait->worker);
	if (!wait->own)
		return 0;
	wait->slot = wait->worker && wait->worker->work;
	wait->waiter = waiter;
	wait->work = work;
	wait->group = group;
	wait->killable = killable;

	if (!held)
		mutex_lock(&waits_mutex);
	wait_add(wait);
	stuck = is_stuck(wait);
	/* if it started meanwhile it is not, for it waits for nothing yet */
	if (stuck && held)
		with_work_locked(work, settle_pending, &stuck);
	if (stuck)
		wait_del(wait);
	mutex_unlock(&waits_mutex);
	return stuck && (held || waiter_withdraw(waiter)) ? -EDEADLK : 0;
}

void wait_end(struct kpool_wait *wait)
{
	if (!wait->own)
		return;
	mutex_lock(&waits_mutex);
	wait_del(wait);
	mutex_unlock(&waits_mutex);
}
