// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting: records on the waiter's stack, and what a wait for a work returns.
 */
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/sched.h>

#include "deadlock.h"
#include "internal.h"
#include "lockmap.h"

void waiter_init(struct kpool_waiter *waiter, struct kpool *pool, u32 seq)
{
	INIT_HLIST_NODE(&waiter->node);
	init_completion(&waiter->done);
	waiter->pool = pool;
	waiter->task = current;
	waiter->since = jiffies;
	waiter->seq = seq;
	waiter->result = 0;
	waiter->ran = false;
	waiter->starts = false;
}

/*
 * Answer everybody on a list.  Called under the lock of the pool that the
 * records were added under; a record is not touched after its complete().
 */
void waiters_complete(struct hlist_head *waiters, int result, bool ran)
{
	struct kpool_waiter *waiter;
	struct hlist_node *next;

	hlist_for_each_entry_safe(waiter, next, waiters, node) {
		hlist_del_init(&waiter->node);
		waiter->result = result;
		waiter->ran = ran;
		complete(&waiter->done);
	}
}

/*
 * Take back a record whose wait was given up.  False if it was answered
 * meanwhile.
 *
 * What was waited for may have ended, and its pool may be gone: then the
 * completion is done.  If it is not done, the pool was alive after the RCU
 * read section began, so its memory and lock are there until the section
 * ends.  completion_done() waits for a complete() that is in progress.
 */
bool waiter_withdraw(struct kpool_waiter *waiter)
{
	bool withdrawn = false, again = true;
	unsigned long flags;
	struct kpool *pool;

	rcu_read_lock();
	while (again && !completion_done(&waiter->done)) {
		pool = READ_ONCE(waiter->pool);
		raw_spin_lock_irqsave(&pool->lock, flags);
		/* its work may have gone to the pool of another CPU */
		again = waiter->pool != pool;
		withdrawn = !again && !hlist_unhashed(&waiter->node);
		if (withdrawn)
			hlist_del_init(&waiter->node);
		raw_spin_unlock_irqrestore(&pool->lock, flags);
	}
	rcu_read_unlock();
	return withdrawn;
}

/*
 * Sleep until a record is answered.  Returns 0, -ETIMEDOUT or -EINTR; on
 * return nobody else knows the record.
 */
int await(struct kpool_waiter *waiter, unsigned long timeout, bool killable)
{
	long left;

	timeout = min_t(unsigned long, timeout, MAX_SCHEDULE_TIMEOUT);
	if (!timeout)
		left = try_wait_for_completion(&waiter->done);
	else if (killable)
		left = wait_for_completion_killable_timeout(&waiter->done,
							    timeout);
	else
		left = wait_for_completion_timeout(&waiter->done, timeout);

	if (left > 0 || !waiter_withdraw(waiter))
		return 0;
	return left ? -EINTR : -ETIMEDOUT;
}

/*
 * What the latest queueing of a work has left, if it is bound to no pool.
 * Returns false if it is bound, else true and the answer in @err and @last.
 *
 * Nobody may take a lock here, for there is none: the fields are a snapshot
 * if no queueing was accepted while they were read.  This is no short cut
 * around the lock: clearing work->group is the last touch of the work, so a
 * caller that sees NULL may free it.
 */
static bool work_is_over(struct kpool_work *work, int *err, int *last)
{
	u32 seq;

	do {
		/* a later queueing is bound, or over, when it is counted */
		seq = smp_load_acquire(&work->seq);
		/* pairs with the one in work_unbind() */
		if (smp_load_acquire(&work->group))
			return false;
		*last = READ_ONCE(work->result);
		*err = READ_ONCE(work->flags) & WORK_NEVER_RAN ? -ECANCELED : 0;
		smp_rmb();	/* pairs with smp_wmb() in work_count() */
	} while (READ_ONCE(work->seq) != seq);

	if (!seq)
		*err = -ENOENT;
	return true;
}

struct work_waiter {
	struct kpool_waiter waiter;
	int err;
};

static struct task_struct *wait_locked(struct kpool_work *work, void *arg)
{
	struct work_waiter *wait = arg;

	wait->err = 0;
	if (kpool_current() == work) {
		wait->err = -EDEADLK;
	} else if (work->state == WORK_RELEASING) {
		wait->err = -ECANCELED;
	} else {
		waiter_init(&wait->waiter, work->group->pool, work->seq);
		hlist_add_head(&wait->waiter.node, &work->waiters);
	}
	return NULL;
}

/* If @held, see waits_hold(), lets go before it sleeps. */
int work_wait(struct kpool_work *work, int *result, unsigned long timeout,
	      bool killable, bool held)
{
	struct work_waiter wait;
	struct kpool_wait reg = { };
	struct work_map map;
	int err, last;

	might_sleep();
	work_map_copy(&map, work);
	while (!with_work_locked(work, wait_locked, &wait)) {
		if (!work_is_over(work, &err, &last))
			continue;
		if (held)
			waits_let_go();
		if (timeout)
			work_map_touch(&map);
		if (!err && result)
			*result = last;
		return err;
	}

	err = wait.err;
	if (!err && timeout >= MAX_SCHEDULE_TIMEOUT)
		err = wait_begin(&reg, &wait.waiter, work, NULL, killable,
				 held);
	if (err != -EDEADLK && timeout)
		work_map_touch(&map);
	if (!err) {
		err = await(&wait.waiter, timeout, killable);
		wait_end(&reg);
	}
	if (!err && !wait.waiter.ran)
		err = -ECANCELED;
	if (!err && result)
		*result = wait.waiter.result;
	return err;
}

int kpool_work_wait(struct kpool_work *work, int *result)
{
	return work_wait(work, result, MAX_SCHEDULE_TIMEOUT, false, false);
}
EXPORT_SYMBOL_GPL(kpool_work_wait);

int kpool_work_wait_timeout(struct kpool_work *work, int *result,
			    unsigned long timeout)
{
	return work_wait(work, result, timeout, false, false);
}
EXPORT_SYMBOL_GPL(kpool_work_wait_timeout);

int kpool_work_wait_killable(struct kpool_work *work, int *result)
{
	return work_wait(work, result, MAX_SCHEDULE_TIMEOUT, true, false);
}
EXPORT_SYMBOL_GPL(kpool_work_wait_killable);
