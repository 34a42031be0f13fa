// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delayed works: a state before PENDING, and a timer.
 *
 *	        queue_delayed          expiry
 *	   IDLE ------------> DELAYED --------> PENDING
 *	    ^                  |   ^              |
 *	    +------------------+   +--------------+
 *	       cancel, stop             mod_delayed
 *
 * While it is DELAYED a work is bound and counted as pending.  The timer is
 * armed and deleted under pool->lock, so that it goes with the state:
 *
 *	A DELAYED work has a timer that is armed, or one whose callback has
 *	begun and has not got the lock yet.  In no other state has it either.
 *
 * timer_delete() says which of the two it is.  If the timer was armed, there is
 * no callback, and the work is ours.  If it was not, the callback owns the
 * work: only it takes the work out of DELAYED.  What is wanted from it is left
 * in the work under the lock: WORK_TOLD, or a later timer->expires.  So nobody
 * spins for a callback, not even an interrupt on the CPU that executes it; and
 * the work stays bound, and its group busy, until the callback has had the lock.
 * It touches the work no more when it drops it.  (A worker may run the work,
 * and its owner free it, before the callback has returned; the core does not
 * look at a timer whose callback it has called.)
 *
 * A work that runs has no timer: one that is queued with a delay meanwhile gets
 * it when the run ends, if the time has not passed by then.
 *
 * Order of locks: pool->lock, then that of the timer wheel.  The callback is
 * called without the latter.  It is TIMER_IRQSAFE so that on PREEMPT_RT, where
 * others can be preempted, who waits for it does not wait for long.
 */
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/kpool_delayed.h>
#include <linux/minmax.h>

#include "compat.h"
#include "internal.h"
#include "testpoint.h"

/* The timer first: debug objects look at what came last first. */
void __kpool_delayed_init(struct kpool_delayed_work *dw, kpool_fn_t fn,
			  kpool_release_t release, bool onstack,
			  const char *name, struct lock_class_key *key)
{
	if (onstack)
		timer_setup_on_stack(&dw->timer, kpool_delayed_expired,
				     TIMER_IRQSAFE);
	else
		timer_setup(&dw->timer, kpool_delayed_expired, TIMER_IRQSAFE);
	__kpool_work_init(&dw->work, fn, release, onstack, name, key);
}
EXPORT_SYMBOL_GPL(__kpool_delayed_init);

void kpool_delayed_destroy_onstack(struct kpool_delayed_work *dw)
{
	kpool_work_destroy_onstack(&dw->work);
	timer_destroy_on_stack(&dw->timer);
}
EXPORT_SYMBOL_GPL(kpool_delayed_destroy_onstack);

/* Arm the timer of a work that is bound and counted; timer->expires is set. */
static void delayed_arm(struct kpool_delayed_work *dw)
{
	struct kpool_work *work = &dw->work;

	work_set_state(work, WORK_DELAYED);
	list_add_tail(&work->entry, &work->group->delayed);
	add_timer(&dw->timer);
}

/* Its time has come. */
static void delayed_due(struct kpool_work *work)
{
	list_del_init(&work->entry);
	work_wait_turn(work, false);
}

/*
 * May a DELAYED work be taken away now?  If not, the callback does that as soon
 * as it gets the lock.
 */
bool delayed_disarm(struct kpool_work *work)
{
	lockdep_assert_held(&work->group->pool->lock);
	if (timer_delete(&to_kpool_delayed_work(work)->timer))
		return true;
	WRITE_ONCE(work->flags, work->flags | WORK_TOLD);
	return false;
}

/* At the end of a run: was the further one asked for with a delay? */
bool delayed_requeue(struct kpool_work *work)
{
	struct kpool_delayed_work *dw = to_kpool_delayed_work(work);

	if (likely(!(work->flags & WORK_LATER)))
		return false;
	WRITE_ONCE(work->flags, work->flags & ~WORK_LATER);
	if (!time_before(jiffies, dw->timer.expires))
		return false;
	delayed_arm(dw);
	return true;
}

/* The callback.  The work is bound until we have had the lock. */
void kpool_delayed_expired(struct timer_list *timer)
{
	struct kpool_delayed_work *dw = container_of(timer,
						     struct kpool_delayed_work,
						     timer);
	struct kpool_work *work = &dw->work;
	struct kpool *pool = work->group->pool;
	struct task_struct *wake = NULL;
	unsigned long flags;

	test_point(KPOOL_AT_EXPIRY, pool);
	raw_spin_lock_irqsave(&pool->lock, flags);
	if (work_is_told(work)) {
		work_settle(work);
	} else if (time_before(jiffies, timer->expires)) {
		add_timer(timer);	/* moved meanwhile */
	} else {
		delayed_due(work);
		wake = dispatch(pool);
	}
	unlock_and_wake(pool, flags, wake);
}
EXPORT_SYMBOL_GPL(kpool_delayed_expired);

/* Take all delayed works of a closed group away, but for those just expiring. */
void delayed_settle(struct kpool_group *group)
{
	struct kpool *pool = group->pool;
	struct kpool_work *work;
	int n;

	do {
		raw_spin_lock_irq(&pool->lock);
		for (n = 0; n < KPOOL_BATCH; n++) {
			work = list_first_entry_or_null(&group->delayed,
							struct kpool_work,
							entry);
			if (!work)
				break;
			if (delayed_disarm(work))
				work_settle(work);
			else
				list_del_init(&work->entry);
		}
		raw_spin_unlock_irq(&pool->lock);
		cond_resched();
	} while (n == KPOOL_BATCH);
}

/* Is this work queued to this group, and has not started? */
static bool may_change(struct kpool_group *group, struct kpool_work *work)
{
	if (READ_ONCE(work->group) != group || work_is_told(work))
		return false;
	return work->state == WORK_PENDING || work->state == WORK_DELAYED ||
	       work->state == WORK_REQUEUED;
}

static void change_requeued(struct kpool_delayed_work *dw,
			    unsigned long expires, bool delay)
{
	u8 flags = dw->work.flags & ~WORK_LATER;

	dw->timer.expires = expires;
	WRITE_ONCE(dw->work.flags, flags | (delay ? WORK_LATER : 0));
}

static void change_pending(struct kpool_delayed_work *dw, unsigned long expires)
{
	struct kpool_group *group = dw->work.group;

	group_del_pending(group, &dw->work);
	group_count_pending(group, 1);
	dw->timer.expires = expires;
	delayed_arm(dw);
}

static void change_delayed(struct kpool_delayed_work *dw,
			   unsigned long expires, bool delay)
{
	bool armed = timer_delete(&dw->timer);

	/* if it was not armed, the callback looks when it has the lock */
	dw->timer.expires = expires;
	if (armed && delay)
		add_timer(&dw->timer);
	else if (armed)
		delayed_due(&dw->work);
}

static void change_time(struct kpool_delayed_work *dw, unsigned long expires,
			bool delay)
{
	switch (dw->work.state) {
	case WORK_REQUEUED:
		change_requeued(dw, expires, delay);
		break;
	case WORK_PENDING:
		if (delay)
			change_pending(dw, expires);
		break;
	case WORK_DELAYED:
		change_delayed(dw, expires, delay);
		break;
	}
}

static int delay_locked(struct kpool_group *group,
			struct kpool_delayed_work *dw, unsigned long expires)
{
	int err = queue_with_flags(group, &dw->work, QUEUE_LATER, NULL);

	if (err)
		return err;
	dw->timer.expires = expires;
	if (dw->work.state == WORK_IDLE)
		delayed_arm(dw);
	return 0;
}

static int queue_delayed_in(struct kpool_group *group,
			    struct kpool_delayed_work *dw, unsigned long delay,
			    bool change)
{
	unsigned long flags, expires;
	struct kpool *pool = group->pool;
	struct task_struct *wake = NULL;
	int ret = 0;

	expires = jiffies + min(delay, MAX_JIFFY_OFFSET);
	raw_spin_lock_irqsave(&pool->lock, flags);
	if (change && may_change(group, &dw->work)) {
		change_time(dw, expires, delay);
		wake = dispatch(pool);
		ret = 1;
	} else if (delay) {
		ret = delay_locked(group, dw, expires);
	} else {
		ret = queue_with_flags(group, &dw->work, 0, &wake);
	}
	unlock_and_wake(pool, flags, wake);
	return ret;
}

static int queue_delayed(struct kpool_group *group,
			 struct kpool_delayed_work *dw, unsigned long delay,
			 bool change)
{
	int ret;

	do {
		ret = queue_delayed_in(part_for(group, &dw->work), dw, delay,
				       change);
	} while (part_was_wrong(group, &dw->work, ret));
	return ret;
}

int kpool_queue_delayed(struct kpool_group *group,
			struct kpool_delayed_work *dw, unsigned long delay)
{
	return queue_delayed(group, dw, delay, false);
}
EXPORT_SYMBOL_GPL(kpool_queue_delayed);

int kpool_mod_delayed(struct kpool_group *group, struct kpool_delayed_work *dw,
		      unsigned long delay)
{
	return queue_delayed(group, dw, delay, true);
}
EXPORT_SYMBOL_GPL(kpool_mod_delayed);
