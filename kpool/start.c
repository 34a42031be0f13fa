// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starting: queue a work, and wait until it is ready.
 *
 * Who starts a work waits for its run, as others do, with a record that is
 * marked.  The record is put on the work in the hold of the lock in which the
 * work is queued, so no kpool_ready() is before it.  kpool_ready() answers the
 * marked records of its run and takes them off; if the start has failed, it
 * only says so in them, and the end of the run answers them.
 *
 * If no kpool_ready() comes, the end of the run answers; or what takes a
 * pending work away.  Which of them it was is in the record.
 */
#include <linux/export.h>
#include <linux/lockdep.h>

#include "deadlock.h"
#include "internal.h"
#include "lockmap.h"

/* On the stack of who starts a work. */
struct starter {
	struct kpool_waiter	waiter;
	bool			ready;		/* L until done: was called */
	int			ret;		/* L until done: with that */
	bool			told;		/* L until done: run was told */
};

static struct starter *to_starter(struct kpool_waiter *waiter)
{
	return waiter->starts ? container_of(waiter, struct starter, waiter)
			      : NULL;
}

static int start_locked(struct kpool_group *group, struct kpool_work *work,
			struct starter *starter, struct task_struct **wake)
{
	int err = queue_with_flags(group, work, 0, wake);

	if (err)
		return err;
	waiter_init(&starter->waiter, group->pool, work->seq);
	starter->waiter.starts = true;
	hlist_add_head(&starter->waiter.node, &work->waiters);
	WRITE_ONCE(work->flags, work->flags | WORK_STARTING);
	return 0;
}

/* Queue it and begin to wait: under the mutex of waits, as a call does. */
static int start_queue(struct kpool_group *group, struct kpool_work *work,
		       struct starter *starter, struct kpool_wait *wait)
{
	struct kpool *pool = group->pool;
	struct task_struct *wake = NULL;
	bool held = waits_hold();
	struct work_map map;
	unsigned long flags;
	int err;

	work_map_copy(&map, work);
	raw_spin_lock_irqsave(&pool->lock, flags);
	err = start_locked(group, work, starter, &wake);
	unlock_and_wake(pool, flags, wake);
	if (!err)
		err = wait_begin(wait, &starter->waiter, work, NULL, true,
				 held);
	else if (held)
		waits_let_go();
	if (!err)
		work_map_touch(&map);
	return err;
}

int kpool_start(struct kpool_group *group, struct kpool_work *work)
{
	struct starter starter = { };
	struct kpool_wait wait = { };
	int err;

	might_sleep();
	if (runs_below(group))
		return -EDEADLK;
	do {
		err = start_queue(part_for(group, work), work, &starter, &wait);
	} while (part_was_wrong(group, work, err));
	if (err)
		return err;

	err = await(&starter.waiter, MAX_SCHEDULE_TIMEOUT, true);
	wait_end(&wait);
	if (err) {
		kpool_work_cancel_sync(work);
		return err;
	}
	if (starter.ready)
		return starter.ret;
	if (!starter.waiter.ran || starter.told)
		return -ECANCELED;
	return starter.waiter.result < 0 ? starter.waiter.result : -ESRCH;
}
EXPORT_SYMBOL_GPL(kpool_start);

/* A run ends, and these have waited for it.  It was told, or was it not? */
void start_ended(struct kpool_work *work, struct hlist_head *ran)
{
	bool told = work_is_told(work);
	struct kpool_waiter *waiter;

	lockdep_assert_held(&work->group->pool->lock);
	hlist_for_each_entry(waiter, ran, node) {
		struct starter *starter = to_starter(waiter);

		if (starter)
			starter->told = told;
	}
}

/* Those who wait for this run, and have not heard of it. */
static void tell_starters(struct kpool_work *work, int ret)
{
	u32 run = work->seq - (work->state == WORK_REQUEUED);
	struct kpool_waiter *waiter;
	HLIST_HEAD(answered);
	struct hlist_node *next;

	hlist_for_each_entry_safe(waiter, next, &work->waiters, node) {
		struct starter *starter = to_starter(waiter);

		if (!starter || starter->ready || (s32)(waiter->seq - run) > 0)
			continue;
		starter->ready = true;
		starter->ret = ret;
		if (ret)
			continue;
		hlist_del_init(&waiter->node);
		hlist_add_head(&waiter->node, &answered);
	}
	waiters_complete(&answered, 0, true);
}

void kpool_ready(int ret)
{
	struct kpool_work *work = kpool_current();
	unsigned long flags;
	struct kpool *pool;

	/* it is bound while it runs; the flag is from before the run */
	if (!work || !(READ_ONCE(work->flags) & WORK_STARTING))
		return;
	pool = work->group->pool;
	raw_spin_lock_irqsave(&pool->lock, flags);
	tell_starters(work, ret);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
}
EXPORT_SYMBOL_GPL(kpool_ready);
