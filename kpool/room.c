// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for room: a queueing that max_queued refuses, and that may sleep.
 *
 * Who waits for room in a group is on group->room_waiters, in order, and stays
 * there until he has queued his work or gives up.  The groups that have some
 * are on pool->room.
 *
 * Nothing is handed over.  Who is woken tries again, under the lock; whoever
 * leaves the list, because he was accepted, refused or is tired of waiting,
 * looks for the next that may try.  Hence the invariant, after each hold of
 * the lock: if the first of some group could be accepted, then somebody on
 * these lists is awake, and will look again when he has done his part.  So no
 * room is lost by one who gives up, and nobody is woken who cannot be served,
 * unless kpool_queue() was faster.
 *
 * What can make a refused work acceptable: fewer works wait, or a thread
 * becomes idle or a slot free, for what starts at once needs no room.  Each
 * of these calls room_made().
 */
#include <linux/export.h>
#include <linux/jiffies.h>

#include "deadlock.h"
#include "internal.h"
#include "lockmap.h"
#include "testpoint.h"

/* On the stack of who waits. */
struct room_waiter {
	struct list_head	entry;		/* L: group->room_waiters */
	struct kpool_group	*group;		/* I */
	struct kpool_work	*work;		/* I */
	bool			may_sleep;	/* I: would not wait for itself */
	/* the record below, while it sleeps; empty if it is awake */
	struct hlist_head	asleep;		/* L */
	struct kpool_waiter	waiter;
};

/*
 * Wake one who can be accepted.  Closes the race with one that is about to
 * sleep: he was refused, and got on the list, in one hold of the lock.
 */
void room_wake(struct kpool *pool, bool start)
{
	struct kpool_group *group;
	struct room_waiter *first;

	lockdep_assert_held(&pool->lock);
	list_for_each_entry(group, &pool->room, room_place) {
		if (!(start && group_can_start(group)) &&
		    !group_has_room(group))
			continue;
		first = list_first_entry(&group->room_waiters,
					 struct room_waiter, entry);
		if (hlist_empty(&first->asleep))
			continue;
		list_move_tail(&group->room_place, &pool->room);
		waiters_complete(&first->asleep, 0, false);
		return;
	}
}

static void room_enter(struct room_waiter *room)
{
	struct kpool_group *group = room->group;
	struct kpool *pool = group->pool;

	if (list_empty(&room->entry))
		list_add_tail(&room->entry, &group->room_waiters);
	if (list_empty(&group->room_place))
		list_add_tail(&group->room_place, &pool->room);
	waiter_init(&room->waiter, pool, 0);
	hlist_add_head(&room->waiter.node, &room->asleep);
}

static void room_leave(struct room_waiter *room)
{
	struct kpool_group *group = room->group;

	list_del_init(&room->entry);
	if (list_empty(&group->room_waiters))
		list_del_init(&group->room_place);
	room_made(group->pool, true);
}

/*
 * Queue the work, or get ready to sleep: -EAGAIN.  One that was woken and came
 * too late keeps his place.
 */
static int room_try(struct room_waiter *room)
{
	struct kpool_group *group = room->group;
	struct kpool *pool = group->pool;
	struct task_struct *wake = NULL;
	unsigned long flags;
	int err;

	rcu_read_lock();
	raw_spin_lock_irqsave(&pool->lock, flags);
	err = queue_with_flags(group, room->work,
			       list_empty(&room->entry) ? QUEUE_IN_TURN : 0,
			       &wake);
	if (err == -EAGAIN && room->may_sleep)
		room_enter(room);
	else
		room_leave(room);
	unlock_and_wake(pool, flags, wake);
	rcu_read_unlock();
	return err;
}

/*
 * Sleep until it is worth a try: 0.  Else the wait is over; who was refused is
 * off the list, and touches nothing more, for the group may be gone.
 */
static int room_sleep(struct room_waiter *room, unsigned long timeout,
		      bool killable)
{
	struct kpool *pool = room->group->pool;
	struct kpool_wait wait = { };
	int err = 0;

	if (timeout >= MAX_SCHEDULE_TIMEOUT)
		err = wait_begin_room(&wait, &room->waiter, room->group,
				      killable);
	if (!err) {
		err = await(&room->waiter, timeout, killable);
		wait_end(&wait);
	}
	if (!err && room->waiter.result)
		return room->waiter.result;
	test_point(KPOOL_AT_ROOM, pool);
	if (err) {
		raw_spin_lock_irq(&pool->lock);
		room_leave(room);
		raw_spin_unlock_irq(&pool->lock);
	}
	return err;
}

static unsigned long time_left(unsigned long start, unsigned long timeout)
{
	unsigned long gone = jiffies - start;

	if (timeout >= MAX_SCHEDULE_TIMEOUT)
		return timeout;
	return gone < timeout ? timeout - gone : 0;
}

static int queue_wait(struct kpool_group *group, struct kpool_work *work,
		      unsigned long timeout, bool killable)
{
	struct room_waiter room = {
		.entry = LIST_HEAD_INIT(room.entry),
		.group = part_for(group, work),
		.work = work,
	};
	unsigned long start = jiffies;
	int err;

	might_sleep();
	room.may_sleep = !runs_below(group);
	/*
	 * Works that feed those of a group beside theirs are usual, and to
	 * lockdep the two may be one.
	 */
	if (timeout && !current_worker() && !callback_group())
		group_map_touch(group);
	while ((err = room_try(&room)) == -EAGAIN) {
		if (!room.may_sleep)
			return -EDEADLK;
		err = room_sleep(&room, time_left(start, timeout), killable);
		if (err)
			break;
	}
	return err;
}

int kpool_queue_wait(struct kpool_group *group, struct kpool_work *work,
		     unsigned long timeout)
{
	return queue_wait(group, work, timeout, false);
}
EXPORT_SYMBOL_GPL(kpool_queue_wait);

int kpool_queue_wait_killable(struct kpool_group *group,
			      struct kpool_work *work, unsigned long timeout)
{
	return queue_wait(group, work, timeout, true);
}
EXPORT_SYMBOL_GPL(kpool_queue_wait_killable);

/* Send those away who wait for room in a group that was closed. */
void room_refuse(struct kpool_group *group)
{
	struct kpool *pool = group->pool;
	struct room_waiter *room;
	int n;

	do {
		raw_spin_lock_irq(&pool->lock);
		for (n = 0; n < KPOOL_BATCH; n++) {
			room = list_first_entry_or_null(&group->room_waiters,
							struct room_waiter,
							entry);
			if (!room)
				break;
			/* one that is awake tries again, and is refused */
			list_del_init(&room->entry);
			waiters_complete(&room->asleep, -ESHUTDOWN, false);
		}
		if (list_empty(&group->room_waiters))
			list_del_init(&group->room_place);
		raw_spin_unlock_irq(&pool->lock);
		cond_resched();
	} while (n == KPOOL_BATCH);
}
