// SPDX-License-Identifier: GPL-2.0-only
/*
 * Works: their state machine, and queueing.
 *
 *	            queue                    commit
 *	   IDLE ------------> PENDING ------------------> RUNNING
 *	    ^  ^                | |                        |  ^ |
 *	    |  |  cancel, stop  | | cancel, stop           |  | | queue
 *	    |  +----------------+ | and it has a           |  | v
 *	    |                     v release function       | REQUEUED
 *	    +------------- RELEASING                       |   |
 *	    |                                              |   | end: PENDING
 *	    +----------------------------------------------+---+ end, told
 *
 * A work is bound to a group, in work->group, while it is not IDLE.  The lock
 * of that group's pool guards everything else in it.
 */
#include <linux/export.h>
#include <linux/lockdep.h>

#include <trace/events/kpool.h>

#include "debugobj.h"
#include "histogram.h"
#include "internal.h"
#include "testpoint.h"

void __kpool_work_init(struct kpool_work *work, kpool_fn_t fn,
		       kpool_release_t release, bool onstack,
		       const char *name, struct lock_class_key *key)
{
	debug_work_init(work, onstack);
	memset(work, 0, sizeof(*work));
	INIT_LIST_HEAD(&work->entry);
	INIT_HLIST_HEAD(&work->waiters);
	work->fn = fn;
	work->release = release;
#ifdef CONFIG_LOCKDEP
	lockdep_init_map(&work->lockdep_map, name, key, 0);
#endif
}
EXPORT_SYMBOL_GPL(__kpool_work_init);

/* The one place where a work changes its state. */
void work_set_state(struct kpool_work *work, enum work_state state)
{
	static const u8 from[NR_WORK_STATES] = {
		[WORK_IDLE] = BIT(WORK_PENDING) | BIT(WORK_RUNNING) |
			      BIT(WORK_REQUEUED) | BIT(WORK_RELEASING),
		[WORK_PENDING] = BIT(WORK_IDLE) | BIT(WORK_REQUEUED),
		[WORK_RUNNING] = BIT(WORK_PENDING),
		[WORK_REQUEUED] = BIT(WORK_RUNNING),
		[WORK_RELEASING] = BIT(WORK_PENDING),
	};

	lockdep_assert_held(&work->group->pool->lock);
	WARN_ONCE(!(from[state] & BIT(work->state)),
		  "kpool: work %ps: state %u to %u\n", work->fn, work->state,
		  state);
	work->state = state;
}

/* Has this work, bound and running, been told to stop? */
bool work_is_told(const struct kpool_work *work)
{
	return READ_ONCE(work->flags) & WORK_TOLD ||
	       group_is_stopped(work->group);
}

/*
 * Count an accepted queueing.  work_is_over() reads the answer of the last one
 * without the lock, and believes it if seq has not changed: so seq changes
 * before the answer does, and after the cmpxchg() that bound the work.
 */
static void work_count(struct kpool_work *work)
{
	u32 seq = work->seq + 1;

	WRITE_ONCE(work->seq, seq ? seq : 1);	/* 0: never queued */
	smp_wmb();	/* pairs with smp_rmb() in work_is_over() */
	work->stamp = stamp_now();
	group_get_busy(work->group);
}

/* An idle work has been taken for a group; it is to be started or appended. */
static void work_bound(struct kpool_work *work)
{
	debug_work_activate(work);
	work_count(work);
	WRITE_ONCE(work->flags, work->flags & ~(WORK_TOLD | WORK_NEVER_RAN));
	work_set_state(work, WORK_PENDING);
	trace_kpool_work_queue(work->group, work);
}

/*
 * The last touch of a work in this life: its memory may be gone after it.
 * What waiters and release functions need was taken out before.
 */
void work_unbind(struct kpool_work *work)
{
	work->worker = NULL;
	work_set_state(work, WORK_IDLE);
	debug_work_deactivate(work);
	/* pairs with with_work_locked() and work_is_over() */
	smp_store_release(&work->group, NULL);
}

static void work_set_result(struct kpool_work *work, int result, bool ran)
{
	WRITE_ONCE(work->result, result);
	if (!ran)
		WRITE_ONCE(work->flags, work->flags | WORK_NEVER_RAN);
}

static int queue_again(struct kpool_group *group, struct kpool_work *work)
{
	if (work->flags & WORK_TOLD || work->state == WORK_RELEASING)
		return -ECANCELED;
	if (work->state != WORK_RUNNING)
		return -EALREADY;
	if (!group_has_room(group))
		return -EAGAIN;
	work_set_state(work, WORK_REQUEUED);
	work_count(work);
	group_count_pending(group, 1);
	trace_kpool_work_queue(group, work);
	return 0;
}

static int queue_locked(struct kpool_group *group, struct kpool_work *work,
			struct task_struct **wake)
{
	struct kpool_group *bound;
	bool starts;

	if (group_refuses(group))
		return -ESHUTDOWN;
	bound = READ_ONCE(work->group);
	if (bound == group)
		return queue_again(group, work);
	if (bound)
		return -EBUSY;
	starts = group_can_start(group);
	if (!starts && !group_has_room(group))
		return -EAGAIN;
	/*
	 * Two pools may want the same work under two locks.  A group that is
	 * bound here was bound under our lock; it cannot be this one.
	 */
	if (cmpxchg(&work->group, NULL, group))
		return -EBUSY;
	work_bound(work);
	if (starts) {
		*wake = start_idle_worker(work);
	} else {
		group_count_pending(group, 1);
		group_add_pending(group, work);
		*wake = dispatch(group->pool);
	}
	return 0;
}

int kpool_queue(struct kpool_group *group, struct kpool_work *work)
{
	struct kpool *pool = group->pool;
	struct task_struct *wake = NULL;
	unsigned long flags;
	int err;

	rcu_read_lock();
	raw_spin_lock_irqsave(&pool->lock, flags);
	err = queue_locked(group, work, &wake);
	unlock_and_wake(pool, flags, wake);
	rcu_read_unlock();
	return err;
}
EXPORT_SYMBOL_GPL(kpool_queue);

/* Move the waiters for queueings up to @seq to a list of their own. */
static void split_waiters(struct kpool_work *work, u32 seq,
			  struct hlist_head *ended)
{
	struct kpool_waiter *waiter;
	struct hlist_node *next;

	INIT_HLIST_HEAD(ended);
	hlist_for_each_entry_safe(waiter, next, &work->waiters, node) {
		if ((s32)(waiter->seq - seq) > 0)
			continue;
		hlist_del_init(&waiter->node);
		hlist_add_head(&waiter->node, ended);
	}
}

/*
 * The function of a work has returned.  Answers those who waited for this
 * run, and queues the work again if that was asked for and is still wanted.
 * Returns the number of queueings that are over: 1, or 2 if a further run was
 * asked for and is cancelled.  The work may be gone unless it has a release
 * function or is pending again.
 */
unsigned int work_run_ended(struct kpool_work *work, int result)
{
	struct kpool_group *group = work->group;
	bool again = work->state == WORK_REQUEUED;
	bool cancelled = again && work_is_told(work);
	struct hlist_head ran, rest;

	lockdep_assert_held(&group->pool->lock);
	split_waiters(work, work->seq - again, &ran);
	hlist_move_list(&work->waiters, &rest);
	work_set_result(work, result, !cancelled);
	if (again && !cancelled) {
		hlist_move_list(&rest, &work->waiters);
		work->worker = NULL;
		work_set_state(work, WORK_PENDING);
		trace_kpool_work_requeue(group, work);
		group_add_pending(group, work);
	} else {
		if (cancelled) {
			group_count_pending(group, -1);
			trace_kpool_work_cancel(group, work);
		}
		work_unbind(work);
		waiters_complete(&rest, -ECANCELED, false);
	}
	waiters_complete(&ran, result, true);
	return 1 + cancelled;
}

/*
 * Take a pending work away.  It is over now, or when its release function has
 * been called.
 */
void work_settle(struct kpool_work *work)
{
	struct kpool_group *group = work->group;
	struct hlist_head waiters;

	lockdep_assert_held(&group->pool->lock);
	trace_kpool_work_cancel(group, work);
	group_del_pending(group, work);
	hlist_move_list(&work->waiters, &waiters);
	work_set_result(work, -ECANCELED, false);
	if (work->release) {
		work_set_state(work, WORK_RELEASING);
		release_queue(work);
		waiters_complete(&waiters, -ECANCELED, false);
		return;
	}
	work_unbind(work);
	waiters_complete(&waiters, -ECANCELED, false);
	group_put_busy(group);
}
