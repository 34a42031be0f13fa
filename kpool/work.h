/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Works: their states, and how to find the lock that guards one.
 */
#ifndef _KPOOL_WORK_H
#define _KPOOL_WORK_H

#include <linux/bits.h>
#include <linux/kpool.h>

#include "group.h"
#include "pool.h"

/*
 * State of a work, changed by work_set_state() only.  work->group is set
 * exactly while the state is not WORK_IDLE.
 */
enum work_state {
	WORK_IDLE,	/* bound to no group */
	WORK_PENDING,	/* on group->pending */
	WORK_RUNNING,	/* a worker is committed to it, or runs it */
	WORK_REQUEUED,	/* running, and queued once more meanwhile */
	WORK_RELEASING,	/* cancelled while pending; on group->releasing */
	WORK_DELAYED,	/* its timer is armed, or has expired just now */
	NR_WORK_STATES
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
 * For queue_with_flags(): not before those who wait for room in the group; and
 * an idle work is bound and counted, but its place is left to the caller.
 */
#define QUEUE_IN_TURN	BIT(31)
#define QUEUE_LATER	BIT(30)

#define FIRST_QUEUEING	1	/* work->seq after it; 0: never queued */

/* From which states may it come to that one? */
static const u8 work_comes_from[NR_WORK_STATES] = {
	[WORK_IDLE] = BIT(WORK_PENDING) | BIT(WORK_RUNNING) |
		      BIT(WORK_REQUEUED) | BIT(WORK_RELEASING) |
		      BIT(WORK_DELAYED),
	[WORK_PENDING] = BIT(WORK_IDLE) | BIT(WORK_REQUEUED) |
			 BIT(WORK_DELAYED),
	[WORK_RUNNING] = BIT(WORK_IDLE) | BIT(WORK_PENDING),
	[WORK_REQUEUED] = BIT(WORK_RUNNING),
	[WORK_RELEASING] = BIT(WORK_PENDING) | BIT(WORK_DELAYED),
	[WORK_DELAYED] = BIT(WORK_IDLE) | BIT(WORK_REQUEUED) |
			 BIT(WORK_PENDING),
};

void work_report_state(const struct kpool_work *work, enum work_state state);

/* The one place where a work changes its state. */
static __always_inline void work_set_state(struct kpool_work *work,
					   enum work_state state)
{
	lockdep_assert_held(&work->group->pool->lock);
	if (unlikely(!(work_comes_from[state] & BIT(work->state))))
		work_report_state(work, state);
	work->state = state;
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
void work_move(struct kpool_work *work, struct kpool_group *to);
void work_wait_turn(struct kpool_work *work, bool front);
bool work_is_told(const struct kpool_work *work);
unsigned int work_run_ended(struct kpool_work *work, int result);
void work_settle(struct kpool_work *work);
void work_take_back(struct kpool_work *work);
void work_unbind(struct kpool_work *work);

/* call.c */
const void *work_func(const struct kpool_work *work);

/* delayed.c */
bool delayed_disarm(struct kpool_work *work);
bool delayed_requeue(struct kpool_work *work);
void delayed_settle(struct kpool_group *group);

/* start.c */
void start_ended(struct kpool_work *work, struct hlist_head *ran);

#endif /* _KPOOL_WORK_H */
