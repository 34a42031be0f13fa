// SPDX-License-Identifier: GPL-2.0-only
/*
 * Refusing waits that could not end.
 *
 * Only a thread that executes something of a group can be part of a circle: a
 * worker, or a thread in a callback.  If it waits without
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

#include "deadlock.h"
#include "internal.h"

static DEFINE_MUTEX(waits_mutex);
static LIST_HEAD(waits);

/* Count a wait as stuck, or no longer, wherever its thread is missing. */
static void count_stuck(struct kpool_wait *wait, int by)
{
	struct kpool_group *group;

	if (wait->worker)
		wait->worker->pool->nr_stuck += by;
	if (wait->hooking)
		wait->hooking->nr_stuck_hooks += by;
	for (group = wait->own; group; group = group->parent)
		group->nr_stuck += by;
	for (group = wait->callback; group; group = group->parent)
		group->nr_stuck += by;
	for (group = wait->guest; group; group = group->parent)
		group->nr_stuck += by;
	for (group = wait->slots; group; group = group->parent)
		group->nr_stuck_running += by;
	for (group = wait->guest_slots; group; group = group->parent)
		group->nr_stuck_running += by;
}

/*
 * How many threads of this pool will be free, or may be created, when all has
 * ended that can?  Under its lock.
 */
static unsigned int pool_will_be_free(const struct kpool *pool)
{
	return max(pool->nr_threads, pool->max_threads) - pool->nr_stuck;
}

/*
 * Will there be a thread for another work of this group?  One that is free but
 * held back is for a covered work only, see queue.c.  When more works end, no
 * fewer threads are held back than now, and a work is covered at least if it
 * would be without them; so if there will be one, this says so.
 */
static bool group_will_have_thread(const struct kpool_group *group)
{
	const struct kpool *pool = group->pool;
	unsigned int nr_free = pool_will_be_free(pool);

	if (nr_free > pool->root->held)
		return true;
	for (; nr_free && group; group = group->parent)
		if (group->reserve >
		    group->nr_stuck_running + group->held_below)
			return true;
	return false;
}

/*
 * Will this group, and those above it, be able to start another work?  Within
 * a hook not before that has returned.
 */
static bool group_will_have_slot(const struct kpool_group *group)
{
	for (; group; group = group->parent) {
		if (group->nr_stuck_hooks)
			return false;
		if (group->max_active &&
		    group->nr_running >= group->max_active &&
		    group->nr_running <= group->nr_stuck_running)
			return false;
	}
	return true;
}

/* Will what is pending in this group start, or be settled? */
static bool pending_can_go(const struct kpool_group *group)
{
	return group_is_stopped(group) ||
	       (group_will_have_slot(group) && group_will_have_thread(group));
}

/*
 * Will there be room in this group, or will it refuse?  If works of its own
 * alone are in the way, and none of them can start, there will be none.  That
 * one is taken away by somebody is not to be expected.
 */
static bool room_can_come(const struct kpool_group *group)
{
	return !group_is_open(group) || pending_can_go(group) ||
	       !group->max_queued || group->nr_pending < group->max_queued ||
	       !list_empty(&group->children);
}

/*
 * The run that a further one waits behind is that of the same worker.  One
 * with a delay comes by itself.
 */
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

/*
 * A killable wait of a work that was told ends, if the signal comes: it does
 * not if that was acknowledged, or the group is one without signals.
 */
static bool is_told(const struct kpool_wait *wait)
{
	struct kpool_worker *worker = wait->worker;
	bool told;

	if (!wait->killable)
		return false;
	if (!worker)	/* cancel(), in a thread that others may kill */
		return true;
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
		} else if (wait->room) {
			can = room_can_come(wait->group);
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
	wait->waiter = NULL;
}

/*
 * From which group on up the current thread has slots, for what it runs in
 * @group: while it calls last_out() only from above that.
 */
static struct kpool_group *slots_of(const struct kpool_worker *worker,
				    struct kpool_group *group)
{
	struct kpool_group *hooking = worker->hooking;

	if (hooking && READ_ONCE(hooking->hooks) == HOOKS_LEAVING)
		return hooking->parent;
	return group;
}

/*
 * What the current thread executes, and what it has of it.  False if nothing:
 * then nobody waits for it.
 */
static bool executes(struct kpool_wait *wait)
{
	struct kpool_worker *worker = current_worker();

	memset(wait, 0, sizeof(*wait));
	wait->callback = callback_group();
	if (worker && worker->group) {
		wait->worker = worker;
		wait->own = worker->group;
		wait->hooking = worker->hooking;
		wait->guest = worker->guest;
		if (wait->guest) {
			wait->slots = worker->group;
			wait->guest_slots = slots_of(worker, wait->guest);
		} else if (worker->work || worker->hooking) {
			wait->slots = slots_of(worker, worker->group);
		}
	}
	return wait->own || wait->callback;
}

struct refusal {
	u32 seq;	/* of the queueing that is waited for */
	bool stuck;
};

/*
 * The queueing is taken back, unless it has started meanwhile: then it is not
 * stuck, for it waits for nothing yet.  One that is for after the run that is
 * in progress stays.
 */
static struct task_struct *take_back(struct kpool_work *work, void *arg)
{
	struct refusal *refusal = arg;

	if (work->seq != refusal->seq)
		return NULL;
	if (work->state == WORK_PENDING)
		work_take_back(work);
	else if (work->state != WORK_REQUEUED)
		return NULL;
	refusal->stuck = true;
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
	struct kpool_wait wait;

	if (!executes(&wait))
		return false;
	mutex_lock(&waits_mutex);
	return true;
}

void waits_let_go(void)
{
	mutex_unlock(&waits_mutex);
}

/*
 * Put a wait on the list and see.  Returns 0, then wait_end() must follow, or
 * -EDEADLK, then its waiter has been taken back.
 */
static int begin(struct kpool_wait *wait, bool held)
{
	struct kpool_waiter *waiter = wait->waiter;
	struct refusal refusal = { .seq = waiter->seq };
	bool stuck;

	if (!held)
		mutex_lock(&waits_mutex);
	wait_add(wait);
	stuck = is_stuck(wait);
	if (stuck && held) {
		with_work_locked(wait->work, take_back, &refusal);
		stuck = refusal.stuck;
	}
	if (stuck)
		wait_del(wait);
	mutex_unlock(&waits_mutex);
	return stuck && (waiter_withdraw(waiter) || held) ? -EDEADLK : 0;
}

/*
 * Before a sleep until @waiter is answered, which was added to the waiters of
 * @work, or else of @group.  Not for waits that have a time limit.  If @held,
 * see waits_hold(), lets go.
 */
int wait_begin(struct kpool_wait *wait, struct kpool_waiter *waiter,
	       struct kpool_work *work, struct kpool_group *group,
	       bool killable, bool held)
{
	if (!executes(wait))
		return 0;
	wait->waiter = waiter;
	wait->work = work;
	wait->group = group;
	wait->killable = killable;
	return begin(wait, held);
}

/* The same before a sleep for room in @group. */
int wait_begin_room(struct kpool_wait *wait, struct kpool_waiter *waiter,
		    struct kpool_group *group, bool killable)
{
	if (!executes(wait))
		return 0;
	wait->waiter = waiter;
	wait->group = group;
	wait->room = true;
	wait->killable = killable;
	return begin(wait, false);
}

void wait_end(struct kpool_wait *wait)
{
	if (!wait->waiter)
		return;
	mutex_lock(&waits_mutex);
	wait_del(wait);
	mutex_unlock(&waits_mutex);
}
