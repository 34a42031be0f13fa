/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Works that wait for each other.
 *
 * Who waits in these cases knows what he does, so lockdep is told to look
 * away: the circles are real.  The last wait of each is the one that is
 * refused, so the cases wait until the others wait.
 */
#ifndef _KPOOL_KUNIT_DEADLOCK_FIXTURE_H
#define _KPOOL_KUNIT_DEADLOCK_FIXTURE_H

#include <linux/lockdep.h>
#include <linux/slab.h>

#include "helpers.h"

/* What a work does once it may go on. */
enum deed {
	WAIT, WAIT_KILLABLE, WAIT_TIMED, CANCEL, IDLE, STOP, CALL, START, ROOM
};

/* A work that waits for another one, or for a group. */
struct actor {
	struct kpool_work work;
	enum deed deed;
	struct kpool_work *target;
	struct kpool_group *group;
	unsigned long timeout;
	struct completion started;
	struct completion go;
};

static inline int called(void *unused)
{
	return 0;
}

static inline int act(struct actor *a)
{
	switch (a->deed) {
	case WAIT:
		return kpool_work_wait(a->target, NULL);
	case WAIT_KILLABLE:
		return kpool_work_wait_killable(a->target, NULL);
	case WAIT_TIMED:
		return kpool_work_wait_timeout(a->target, NULL, a->timeout);
	case CANCEL:
		return kpool_work_cancel_sync(a->target);
	case IDLE:
		return kpool_group_wait(a->group);
	case STOP:
		return kpool_group_stop(a->group);
	case CALL:
		return kpool_call(a->group, called, NULL, NULL);
	case START:
		return kpool_start(a->group, a->target);
	case ROOM:
		return kpool_queue_wait(a->group, a->target,
					MAX_SCHEDULE_TIMEOUT);
	}
	return -EINVAL;
}

static inline int actor_fn(struct kpool_work *work)
{
	struct actor *a = container_of(work, struct actor, work);
	int ret;

	complete(&a->started);
	wait_for_completion(&a->go);
	lockdep_off();
	ret = act(a);
	lockdep_on();
	return ret;
}

static inline void free_actors(void *actors)
{
	kfree(actors);
}

/* They end before their memory does, for pools of the case are made later. */
static inline struct actor *actors(struct kunit *test, int n)
{
	struct actor *a = kcalloc(n, sizeof(*a), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_actors,
							   a));
	for (i = 0; i < n; i++) {
		kpool_work_init(&a[i].work, actor_fn);
		init_completion(&a[i].started);
		init_completion(&a[i].go);
	}
	return a;
}

static inline void start(struct kunit *test, struct kpool_group *group,
			 struct actor *a)
{
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &a->work));
	expect_done(test, &a->started);
}

/* Is it in a wait, whose record is there? */
static inline bool actor_waits(struct actor *a)
{
	struct kpool_worker *worker = READ_ONCE(a->work.worker);

	return worker && READ_ONCE(worker->wait);
}

/* Let one wait for a work, and see it on the list of that. */
static inline void waits_for(struct kunit *test, struct actor *a,
			     enum deed deed, struct kpool_work *target)
{
	a->deed = deed;
	a->target = target;
	complete(&a->go);
	/* who has a deadline may have given up before we look */
	expect_soon(test, count_waiters(target->group->pool,
					&target->waiters) ||
			  (deed == WAIT_TIMED &&
			   !kpool_work_busy(&a->work)));
	/* and asleep, or at least on the list of those who are about to */
	if (deed != WAIT_TIMED)
		expect_soon(test, actor_waits(a));
}

/* Let one do the last thing, which is answered at once. */
static inline void last(struct actor *a, enum deed deed,
			struct kpool_work *target, struct kpool_group *group)
{
	a->deed = deed;
	a->target = target;
	a->group = group;
	complete(&a->go);
}

static inline void expect_result(struct kunit *test, struct actor *a,
				 int expected)
{
	int result = 1;

	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&a->work, &result,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, expected, result);
}

#endif /* _KPOOL_KUNIT_DEADLOCK_FIXTURE_H */
