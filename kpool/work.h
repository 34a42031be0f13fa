/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Works: their states, and how to find the lock that guards one.
 */
#ifndef _KPOOL_WORK_H
#define _KPOOL_WORK_H

#include <linux/bits.h>
#include <linux/kpool.h>

#include "debugobj.h"
#include "group.h"
#include "pool.h"

/*
 * State of a work, changed by work_set_state() only.  work->group is set
 * exactly while the state is not WORK_IDLE.
 */
enum work_state {
	WORK_IDLE	= 0,		/* bound to no group */
	WORK_PENDING	= BIT(0),	/* on group->pending */
	WORK_RUNNING	= BIT(1),	/* a worker is committed to it, or runs it */
	WORK_REQUEUED	= BIT(2),	/* running, and queued once more meanwhile */
	WORK_RELEASING	= BIT(3),	/* cancelled while pending; on ->releasing */
	WORK_DELAYED	= BIT(4),	/* its timer is armed, or expired just now */
};

/* work->flags */
#define WORK_TOLD	BIT(0)	/* told by itself; cleared when next bound */
#define WORK_NEVER_RAN	BIT(1)	/* the last queueing was cancelled before */
#define WORK_FRONT	BIT(2)	/* requeued: to the front, not to the tail */
#define WORK_LATER	BIT(3)	/* requeued: not before its timer's expires */
#define WORK_STARTING	BIT(4)	/* somebody waits for kpool_ready() */
#define WORK_AWAITED	BIT(5)	/* it ran when room for it was awaited */
#define WORK_STATIC	KPOOL_WORK_STATIC /* known to be initialised */

/*
 * For queue_with_flags(): not before those who wait for room in the group; an
 * idle work is bound and counted, but its place is left to the caller; and not
 * if its CPU is offline.
 */
#define QUEUE_IN_TURN	BIT(31)
#define QUEUE_LATER	BIT(30)
#define QUEUE_ONLINE	BIT(29)

#define FIRST_QUEUEING	1	/* work->seq after it; 0: never queued */

/* Each state but WORK_IDLE is a bit, so that this takes one look at them. */
static __always_inline bool work_may_become(const struct kpool_work *work,
					    enum work_state state)
{
	unsigned int from = work->state;

	switch (state) {
	case WORK_IDLE:
		return from;
	case WORK_PENDING:
		return !(from & ~(WORK_REQUEUED | WORK_DELAYED));
	case WORK_RUNNING:
		return !(from & ~WORK_PENDING);
	case WORK_REQUEUED:
		return from == WORK_RUNNING;
	case WORK_RELEASING:
		return from & (WORK_PENDING | WORK_DELAYED);
	case WORK_DELAYED:
		return !(from & ~(WORK_REQUEUED | WORK_PENDING));
	}
	return false;
}

void work_report_state(const struct kpool_work *work, enum work_state state);

/* The one place where a work changes its state. */
static __always_inline void work_set_state(struct kpool_work *work,
					   enum work_state state)
{
	lockdep_assert_held(&work->group->pool->lock);
	if (unlikely(!work_may_become(work, state)))
		work_report_state(work, state);
	work->state = state;
}

static __always_inline void work_set_result(struct kpool_work *work,
					    int result, bool ran)
{
	WRITE_ONCE(work->result, result);
	if (!ran)
		WRITE_ONCE(work->flags, work->flags | WORK_NEVER_RAN);
}

/*
 * The last touch of a work in this life: its memory may be gone after it.
 * What waiters and release functions need was taken out before.
 */
static __always_inline void work_unbind(struct kpool_work *work)
{
	work->worker = NULL;
	work_set_state(work, WORK_IDLE);
	debug_work_deactivate(work);
	/* pairs with with_work_locked() and work_is_over() */
	smp_store_release(&work->group, NULL);
}

/* Its function has returned: does nobody wait for that, or want more of it? */
static __always_inline bool nobody_waits(const struct kpool_work *work)
{
	return work->state == WORK_RUNNING && !work->waiters.first &&
	       !(work->flags & (WORK_STARTING | WORK_AWAITED));
}

/* Then this is its end, and 1 queueing is over.  See work_run_ended(). */
static __always_inline void work_over(struct kpool_work *work, int result)
{
	work_set_result(work, result, true);
	work_unbind(work);
}

/*
 * Call @fn for a work under the lock of the pool that it is bound to.  False
 * if it is bound to none.  @fn returns a thread to wake, or NULL.
 *
 * The group and its pool are looked at under RCU: the work may be unbound at
 * any time, after which they may be freed, but for a grace period.  Once the
 * lock is held and the binding is still the same it cannot change.
 */
static __always_inline bool
with_work_locked(struct kpool_work *work,
		 struct task_struct *(*fn)(struct kpool_work *work, void *arg),
		 void *arg)
{
	struct kpool_group *group;
	bool bound = false;

	rcu_read_lock_sched();
	/* pairs with the smp_store_release() in work_unbind() */
	while (!bound && (group = smp_load_acquire(&work->group))) {
		struct task_struct *wake = NULL;
		struct kpool *pool = group->pool;
		unsigned long flags;

		raw_spin_lock_irqsave(&pool->lock, flags);
		bound = READ_ONCE(work->group) == group;
		if (likely(bound))
			wake = fn(work, arg);
		unlock_and_wake(pool, flags, wake);
	}
	rcu_read_unlock_sched();
	return bound;
}

int queue_with_flags(struct kpool_group *group, struct kpool_work *work,
		     unsigned int flags, struct task_struct **wake);
int queue_part(struct kpool_group *part, struct kpool_work *work,
	       unsigned int flags);
void work_move(struct kpool_work *work, struct kpool_group *to);
void work_wait_turn(struct kpool_work *work, bool front);
bool work_is_told(const struct kpool_work *work);
unsigned int work_run_ended(struct kpool_work *work, int result);
void work_settle(struct kpool_work *work);
void work_take_back(struct kpool_work *work);

/* call.c */
const void *work_func(const struct kpool_work *work);

/* delayed.c */
bool delayed_disarm(struct kpool_work *work);
bool delayed_requeue(struct kpool_work *work);
void delayed_settle(struct kpool_group *group);

/* start.c */
void start_ended(struct kpool_work *work, struct hlist_head *ran);

#endif /* _KPOOL_WORK_H */
