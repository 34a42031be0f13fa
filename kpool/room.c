// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for room: a queueing that max_queued refuses, and that may sleep.
 *
 * Who waits for room in a group is on group->room_waiters, in order, and stays
 * there until he has queued his work or gives up.  The group itself hangs on a
 * level that is full: on ->full of the lowest such group, itself or above.
 *
 * Nothing is handed over.  Who is woken tries again, under the lock.  If he is
 * refused, for kpool_queue() was faster or another level is full, his group
 * hangs there now; and in any case he looks for the next who may try.
 *
 * What can make a refused work acceptable?
 *
 *  - Fewer works wait.  That is so in one group and above it, at each level of
 *    which the first that hangs there is woken: room_made().
 *  - What starts at once needs no room, so a thread becomes idle or a slot
 *    free: room_start().  The turns of those who could start are in queue.c.
 *
 * Invariant, after each hold of the lock.  If a level is not full and groups
 * hang on it, somebody is awake who waits in or below it; and if the work of
 * the first of some group could start, somebody is awake.  Each who was awake
 * restores both when he leaves, or sleeps again: room_pass_on().  So no room is
 * lost by one who gives up.
 *
 * No list of groups or waiters is searched: a hold looks at as many levels as
 * the tree has, and wakes one of each at most.
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

static struct room_waiter *first_waiter(struct kpool_group *group)
{
	return list_first_entry_or_null(&group->room_waiters,
					struct room_waiter, entry);
}

/*
 * Does nothing if he is awake.  None is missed that is about to sleep: he was
 * refused, and got on the list, in one hold of the lock.
 */
static void wake_first(struct kpool_group *group)
{
	waiters_complete(&first_waiter(group)->asleep, 0, false);
}

/* Of each level from here on that has room, wake the first that hangs on it. */
void room_wake(struct kpool_group *group)
{
	struct kpool_group *first;

	lockdep_assert_held(&group->pool->lock);
	for (; group; group = group->parent) {
		if (list_empty(&group->full) || group_is_full(group))
			continue;
		first = list_first_entry(&group->full, struct kpool_group,
					 full_entry);
		list_move_tail(&first->full_entry, &group->full);
		wake_first(first);
	}
}

/* Wake one whose work could start now. */
void room_wake_starter(struct kpool *pool)
{
	struct kpool_group *group = take_room_turn(pool);

	if (group)
		wake_first(group);
}

/* Was it refused since it runs here?  A further run cannot start at once. */
static bool runs_already(struct kpool_work *work, struct kpool_group *group)
{
	return READ_ONCE(work->group) == group && work->flags & WORK_AWAITED;
}

/* Could the first who waits here do with a thread and a slot? */
bool room_may_start(struct kpool_group *group)
{
	struct room_waiter *first = first_waiter(group);

	return first && !runs_already(first->work, group);
}

/* The run of a work that was to be queued again meanwhile is over. */
void room_run_ended(struct kpool_work *work)
{
	WRITE_ONCE(work->flags, work->flags & ~WORK_AWAITED);
	group_room_changed(work->group);
}

/* Hang the group on the lowest level that is full. */
static void room_hang(struct kpool_group *group)
{
	struct kpool_group *level = group;

	while (!group_is_full(level) && level->parent)
		level = level->parent;
	if (list_empty(&group->full_entry))
		group->pool->nr_room++;
	list_move_tail(&group->full_entry, &level->full);
}

/*
 * Somebody has left the list of the group, or was refused: others may be
 * served instead.
 */
static void room_pass_on(struct kpool_group *group)
{
	struct kpool *pool = group->pool;
	bool last = list_empty(&group->room_waiters) &&
		    !list_empty(&group->full_entry);

	if (last)
		list_del_init(&group->full_entry);
	if (pool->nr_room)
		group_room_changed(group);
	pool->nr_room -= last;
	room_made(group);
	room_start(pool);
}

static void room_enter(struct room_waiter *room)
{
	struct kpool_group *group = room->group;
	struct kpool_work *work = room->work;

	if (READ_ONCE(work->group) == group)
		WRITE_ONCE(work->flags, work->flags | WORK_AWAITED);
	if (list_empty(&room->entry))
		list_add_tail(&room->entry, &group->room_waiters);
	if (room == first_waiter(group))
		room_hang(group);
	waiter_init(&room->waiter, group->pool, 0);
	hlist_add_head(&room->waiter.node, &room->asleep);
	room_pass_on(group);
}

static void room_leave(struct room_waiter *room)
{
	list_del_init(&room->entry);
	room_pass_on(room->group);
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

	raw_spin_lock_irqsave(&pool->lock, flags);
	err = queue_with_flags(group, room->work,
			       list_empty(&room->entry) ? QUEUE_IN_TURN : 0,
			       &wake);
	if (err == -EAGAIN && room->may_sleep)
		room_enter(room);
	else
		room_leave(room);
	unlock_and_wake(pool, flags, wake);
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
		room_pass_on(group);
		raw_spin_unlock_irq(&pool->lock);
		cond_resched();
	} while (n == KPOOL_BATCH);
}
