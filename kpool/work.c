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
 * One that can start at once is RUNNING at once.  A work with a delay is DELAYED
 * before it is PENDING: see delayed.c.
 *
 * A work is bound to a group, in work->group, while it is not IDLE.  The lock
 * of that group's pool guards everything else in it.
 */
#include <linux/export.h>
#include <linux/lockdep.h>

#include <trace/events/kpool.h>

#include "commit.h"
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

void work_report_state(const struct kpool_work *work, enum work_state state)
{
	WARN_ONCE(1, "kpool: work %ps: state %u to %u\n", work->fn, work->state,
		  state);
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
static __always_inline void work_count(struct kpool_work *work,
				       struct kpool_group *group)
{
	u32 seq = work->seq + 1;

	if (unlikely(!seq))
		seq = FIRST_QUEUEING;
	WRITE_ONCE(work->seq, seq);
	smp_wmb();	/* pairs with smp_rmb() in work_is_over() */
	work->stamp = stamp_now();
	group_get_busy(group);
}

/* A disabled work is refused for that, whatever else is in its way. */
static int refuse(const struct kpool_work *work, int err)
{
	return atomic_read(&work->disabled) ? -ECANCELED : err;
}

/* Nobody has seen it bound, but who waits for our lock. */
static int refuse_disabled(struct kpool_work *work)
{
	smp_store_release(&work->group, NULL);
	return -ECANCELED;
}

/* Begin a queueing of a work that was idle, and is bound to its group now. */
static __always_inline void work_begin(struct kpool_work *work,
				       struct kpool_group *group)
{
	debug_work_activate(work);
	work_count(work, group);
	if (unlikely(work->flags & ~WORK_STATIC))
		WRITE_ONCE(work->flags, work->flags & WORK_STATIC);
	trace_kpool_work_queue(group, work);
}

/* Append a work that is counted already, or put it in front. */
static __always_inline void wait_turn(struct kpool_work *work,
				      struct kpool_group *group, bool front)
{
	work_set_state(work, WORK_PENDING);
	group_add_pending(group, work);
	if (front)
		list_move(&work->entry, &group->pending);
}

void work_wait_turn(struct kpool_work *work, bool front)
{
	wait_turn(work, work->group, front);
}

/* May one more work wait in this group, in its turn if that is asked for? */
static bool may_wait(const struct kpool_group *group, unsigned int flags)
{
	if (flags & KPOOL_NOQUEUE)
		return false;
	if (flags & QUEUE_IN_TURN && !list_empty(&group->room_waiters))
		return false;
	return group_has_room(group);
}

/* Would a work that is queued now start at once?  What waits comes first. */
bool group_can_start(const struct kpool_group *group)
{
	const struct kpool *pool = group->pool;

	if (!pool->nr_idle || !list_empty(&group->pending) ||
	    pool_is_over(pool) || group_is_shut(group))
		return false;
	return pool->nr_idle > pool->root->held || group_covered(group);
}

/* May one more work start at once? */
static bool may_start(const struct kpool_group *group, unsigned int flags)
{
	if (flags & QUEUE_LATER)
		return false;
	if (flags & QUEUE_IN_TURN && !list_empty(&group->room_waiters))
		return false;
	return group_can_start(group);
}

static int queue_again(struct kpool_group *group, struct kpool_work *work,
		       unsigned int flags)
{
	if (work->flags & WORK_TOLD || work->state == WORK_RELEASING)
		return -ECANCELED;
	if (work->state != WORK_RUNNING)
		return -EALREADY;
	/* no thread can be committed to it before its run has ended */
	if (!may_wait(group, flags))
		return -EAGAIN;
	if (flags & KPOOL_FRONT)
		WRITE_ONCE(work->flags, work->flags | WORK_FRONT);
	if (flags & QUEUE_LATER)
		WRITE_ONCE(work->flags, work->flags | WORK_LATER);
	work_set_state(work, WORK_REQUEUED);
	work_count(work, group);
	group_count_pending(group, 1);
	trace_kpool_work_queue(group, work);
	return 0;
}

/* It can neither start nor wait; but that matters only to one that is idle. */
static int refuse_place(struct kpool_group *group, struct kpool_work *work,
			unsigned int flags)
{
	struct kpool_group *bound = READ_ONCE(work->group);

	if (bound == group)
		return queue_again(group, work, flags);
	return refuse(work, bound ? -EBUSY : -EAGAIN);
}

/*
 * Begin a queueing: bind the work and count it.  False if it is not idle, or
 * disabled; then *err is what comes of that.
 *
 * Two pools may want the same work under two locks, so that takes a cmpxchg,
 * which is also the barrier against kpool_work_disable(): see disable.c.
 */
static __always_inline bool begin_queueing(struct kpool_group *group,
					   struct kpool_work *work,
					   unsigned int flags, int *err)
{
	struct kpool_group *bound = NULL;

	if (unlikely(!try_cmpxchg(&work->group, &bound, group))) {
		*err = bound == group ? queue_again(group, work, flags) :
					refuse(work, -EBUSY);
		return false;
	}
	if (unlikely(atomic_read(&work->disabled))) {
		*err = refuse_disabled(work);
		return false;
	}
	work_begin(work, group);
	*err = 0;
	return true;
}

/* Queueing, whatever there is that might keep a work out. */
int queue_with_flags(struct kpool_group *group, struct kpool_work *work,
		     unsigned int flags, struct task_struct **wake)
{
	struct kpool *pool = group->pool;
	bool starts;
	int err;

	lockdep_assert_held(&pool->lock);
	if (flags & QUEUE_ONLINE && pool->offline)
		return -ENODEV;
	if (group_refuses(group))
		return -ESHUTDOWN;
	starts = may_start(group, flags);
	if (!starts && !may_wait(group, flags))
		return refuse_place(group, work, flags);
	if (!begin_queueing(group, work, flags, &err))
		return err;
	if (starts) {
		*wake = start_idle_worker(pool, work, group);
		return 0;
	}
	group_count_pending(group, 1);
	if (!(flags & QUEUE_LATER)) {
		wait_turn(work, group, flags & KPOOL_FRONT);
		*wake = dispatch(pool);
	}
	return 0;
}

static noinline int queue_over_hurdles(struct kpool_group *group,
				       struct kpool_work *work,
				       unsigned int flags, unsigned long irqs)
	__releases(&group->pool->lock)
{
	struct task_struct *wake = NULL;
	int err = queue_with_flags(group, work, flags, &wake);

	unlock_and_wake(group->pool, irqs, wake);
	return err;
}

/*
 * Queue to a group of one pool.  If there is no hurdle, that is the same as
 * queue_with_flags(), less all that cannot be: the work starts if a worker is
 * idle, and waits if none is.
 */
static __always_inline int queue_to(struct kpool_group *group,
				    struct kpool_work *work,
				    unsigned int flags)
{
	struct kpool *pool = group->pool;
	struct task_struct *wake = NULL;
	unsigned long irqs;
	int err;

	raw_spin_lock_irqsave(&pool->lock, irqs);
	if (unlikely(pool->hurdles || flags) &&
	    (flags || !group_is_clear(group)))
		return queue_over_hurdles(group, work, flags, irqs);
	if (pool->nr_idle) {
		/* works that became ready many at once come first */
		if (unlikely(!list_empty(&group->pending)))
			return queue_over_hurdles(group, work, flags, irqs);
		if (begin_queueing(group, work, 0, &err))
			wake = start_idle_worker(pool, work, group);
	} else if (begin_queueing(group, work, 0, &err)) {
		group_count_pending(group, 1);
		wait_turn(work, group, false);
		if (pool->nr_threads < pool->max_threads)
			wake = dispatch(pool);
	}
	unlock_and_wake(pool, irqs, wake);
	return err;
}

/* Of a group of a KPOOL_PER_CPU pool, or any other. */
int queue_part(struct kpool_group *part, struct kpool_work *work,
	       unsigned int flags)
{
	return queue_to(part, work, flags);
}

int kpool_queue(struct kpool_group *group, struct kpool_work *work)
{
	if (unlikely(group->on_cpu))
		return percpu_queue(group, work, 0);
	return queue_to(group, work, 0);
}
EXPORT_SYMBOL_GPL(kpool_queue);

/*
 * A work that was pending, and was taken off its list and out of its count,
 * goes to the group of another CPU.  Both pools' locks are held: who finds the
 * work bound to either group, or a record of it with either pool, looks again
 * when he has that lock.
 */
void work_move(struct kpool_work *work, struct kpool_group *to)
{
	struct kpool_group *from = work->group;
	struct kpool_waiter *waiter;

	lockdep_assert_held(&from->pool->lock);
	lockdep_assert_held(&to->pool->lock);
	hlist_for_each_entry(waiter, &work->waiters, node)
		WRITE_ONCE(waiter->pool, to->pool);
	group_get_busy(to);
	group_count_pending(to, 1);
	/* pairs with with_work_locked() */
	smp_store_release(&work->group, to);
	group_add_pending(to, work);
	group_put_busy(from);
}

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

/* The run has ended, and a further one was asked for. */
static void work_requeue(struct kpool_work *work)
{
	bool front = work->flags & WORK_FRONT;

	work->worker = NULL;
	WRITE_ONCE(work->flags, work->flags & ~WORK_FRONT);
	if (!delayed_requeue(work))
		work_wait_turn(work, front);
}

/* Somebody waits for more than the end of this run. */
static void run_was_noted(struct kpool_work *work, struct hlist_head *ran)
{
	if (work->flags & WORK_STARTING)
		start_ended(work, ran);
	if (work->flags & WORK_AWAITED)
		room_run_ended(work);
}

/*
 * The function of a work has returned.  Answers those who waited for this
 * run, and queues the work again if that was asked for and is still wanted.
 * Returns the number of queueings that are over: 1, or 2 if a further run was
 * asked for and is cancelled.  The work may be gone unless it has a release
 * function or is pending again.  See also work_over().
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
	if (unlikely(work->flags & (WORK_STARTING | WORK_AWAITED)))
		run_was_noted(work, &ran);
	work_set_result(work, result, !cancelled);
	if (again && !cancelled) {
		hlist_move_list(&rest, &work->waiters);
		trace_kpool_work_requeue(group, work);
		work_requeue(work);
	} else {
		if (cancelled) {
			group_count_pending(group, -1);
			room_made(group);
			trace_kpool_work_cancel(group, work);
		}
		work_unbind(work);
		waiters_complete(&rest, -ECANCELED, false);
	}
	waiters_complete(&ran, result, true);
	return 1 + cancelled;
}

static void settle(struct kpool_work *work, bool release)
{
	struct kpool_group *group = work->group;
	struct hlist_head waiters;

	lockdep_assert_held(&group->pool->lock);
	trace_kpool_work_cancel(group, work);
	group_del_pending(group, work);
	hlist_move_list(&work->waiters, &waiters);
	work_set_result(work, -ECANCELED, false);
	if (release) {
		work_set_state(work, WORK_RELEASING);
		release_queue(work);
		waiters_complete(&waiters, -ECANCELED, false);
		return;
	}
	work_unbind(work);
	waiters_complete(&waiters, -ECANCELED, false);
	group_put_busy(group);
}

/*
 * Take a pending work away, or one whose timer will not expire any more.  It
 * is over now, or when its release function has been called.
 */
void work_settle(struct kpool_work *work)
{
	settle(work, work->release);
}

/* The same for who queued it and is told that he has not: it is his again. */
void work_take_back(struct kpool_work *work)
{
	settle(work, false);
}
