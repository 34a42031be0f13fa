// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits that could not end are refused, whatever the circle is made of, and
 * no others.
 *
 * Who waits in these cases knows what he does, so lockdep is told to look
 * away: the circles are real.  The last wait of each is the one that is
 * refused, so the cases wait until the others wait.
 */
#include <linux/lockdep.h>
#include <linux/slab.h>

#include "helpers.h"

/* What a work does once it may go on. */
enum deed { WAIT, WAIT_KILLABLE, WAIT_TIMED, CANCEL, IDLE, STOP, CALL };

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

static int called(void *unused)
{
	return 0;
}

static int act(struct actor *a)
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
	}
	return -EINVAL;
}

static int actor_fn(struct kpool_work *work)
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

static void free_actors(void *actors)
{
	kfree(actors);
}

/* They end before their memory does, for pools of the case are made later. */
static struct actor *actors(struct kunit *test, int n)
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

static void start(struct kunit *test, struct kpool_group *group,
		  struct actor *a)
{
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &a->work));
	expect_done(test, &a->started);
}

/* Let one wait for a work, and see it on the list of that. */
static void waits_for(struct kunit *test, struct actor *a, enum deed deed,
		      struct kpool_work *target)
{
	a->deed = deed;
	a->target = target;
	complete(&a->go);
	expect_soon(test, count_waiters(target->group->pool,
					&target->waiters));
	/* and asleep, or at least on the list of those who are about to */
	if (deed != WAIT_TIMED)
		expect_soon(test, READ_ONCE(a->work.worker->wait));
}

/* Let one do the last thing, which is answered at once. */
static void last(struct actor *a, enum deed deed, struct kpool_work *target,
		 struct kpool_group *group)
{
	a->deed = deed;
	a->target = target;
	a->group = group;
	complete(&a->go);
}

static void expect_result(struct kunit *test, struct actor *a, int expected)
{
	int result = 1;

	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&a->work, &result,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, expected, result);
}

static void circle_of_two(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool_group *root = kpool_root(test_pool(test, 0, 2));

	start(test, root, &a[0]);
	start(test, root, &a[1]);
	waits_for(test, &a[0], WAIT, &a[1].work);
	last(&a[1], WAIT, &a[0].work, NULL);
	expect_result(test, &a[1], -EDEADLK);
	expect_result(test, &a[0], 0);
}

static void circle_of_three_across_pools(struct kunit *test)
{
	struct actor *a = actors(test, 3);
	int i;

	for (i = 0; i < 3; i++)
		start(test, kpool_root(test_pool(test, 0, 1)), &a[i]);
	waits_for(test, &a[1], WAIT, &a[2].work);
	waits_for(test, &a[0], WAIT, &a[1].work);
	last(&a[2], WAIT, &a[0].work, NULL);
	expect_result(test, &a[2], -EDEADLK);
	expect_result(test, &a[1], 0);
	expect_result(test, &a[0], 0);
}

/* The second waits behind the first, which has the only slot. */
static void holder_of_the_only_slot(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool *pool = test_pool(test, 0, 3);
	struct kpool_group *group = test_group(test, pool, "a", 1, 0);

	start(test, group, &a[0]);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &a[1].work));
	last(&a[1], CALL, NULL, group);
	last(&a[0], WAIT, &a[1].work, NULL);
	expect_result(test, &a[0], -EDEADLK);
	expect_result(test, &a[1], -EDEADLK);
}

/* No thread is left for what all of them wait for. */
static void last_thread_of_a_full_pool(struct kunit *test)
{
	struct actor *a = actors(test, 3);
	struct kpool_group *root = kpool_root(test_pool(test, 0, 2));

	start(test, root, &a[0]);
	start(test, root, &a[1]);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(root, &a[2].work));
	last(&a[2], CALL, NULL, root);
	waits_for(test, &a[0], WAIT, &a[2].work);
	last(&a[1], WAIT, &a[2].work, NULL);
	expect_result(test, &a[1], -EDEADLK);
	/* the second has made room for the third */
	expect_result(test, &a[2], -EDEADLK);
	expect_result(test, &a[0], 0);
}

static void stop_round_a_circle(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool *pool = test_pool(test, 0, 2);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);

	start(test, group, &a[0]);
	start(test, kpool_root(pool), &a[1]);
	waits_for(test, &a[0], WAIT, &a[1].work);
	last(&a[1], STOP, NULL, group);
	expect_result(test, &a[1], -EDEADLK);
	expect_result(test, &a[0], 0);
	/* stopped it is */
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(group, &a[0].work));
}

static void idle_round_a_circle(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool *pool = test_pool(test, 0, 2);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);

	start(test, group, &a[0]);
	start(test, kpool_root(pool), &a[1]);
	waits_for(test, &a[0], WAIT, &a[1].work);
	last(&a[1], IDLE, NULL, group);
	expect_result(test, &a[1], -EDEADLK);
	expect_result(test, &a[0], 0);
}

static void cancel_round_a_circle(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool_group *root = kpool_root(test_pool(test, 0, 2));

	start(test, root, &a[0]);
	start(test, root, &a[1]);
	waits_for(test, &a[0], WAIT, &a[1].work);
	last(&a[1], CANCEL, &a[0].work, NULL);
	expect_result(test, &a[1], -EDEADLK);
	expect_result(test, &a[0], 0);
}

/* The call is taken back: nothing of it runs later. */
static void call_behind_a_full_group(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool *pool = test_pool(test, 0, 3);
	struct kpool_group *group = test_group(test, pool, "a", 1, 0);

	start(test, group, &a[0]);
	start(test, kpool_root(pool), &a[1]);
	waits_for(test, &a[0], WAIT, &a[1].work);
	last(&a[1], CALL, NULL, group);
	expect_result(test, &a[1], -EDEADLK);
	KUNIT_EXPECT_EQ(test, 0, pool_pending(pool));
	expect_result(test, &a[0], 0);
}

/* A group cannot become idle, for what is pending in it cannot start. */
static void idle_behind_a_full_pool(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool *pool = test_pool(test, 0, 1);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);

	start(test, kpool_root(pool), &a[0]);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &a[1].work));
	last(&a[0], IDLE, NULL, group);
	expect_result(test, &a[0], -EDEADLK);
	last(&a[1], CALL, NULL, group);
	expect_result(test, &a[1], -EDEADLK);
}

struct releasing {
	struct kpool_work work;
	struct kpool_group *group;
	int err;
};

static int releasing_fn(struct kpool_work *work)
{
	return 0;
}

static void waiting_release(struct kpool_work *work)
{
	struct releasing *r = container_of(work, struct releasing, work);

	lockdep_off();
	r->err = kpool_group_wait(r->group);
	lockdep_on();
}

/* Of a work that was cancelled: it executes in no worker. */
static void release_function_in_a_circle(struct kunit *test)
{
	struct actor *a = actors(test, 1);
	struct kpool *pool = test_pool(test, 0, 1);
	struct kpool_group *x = test_group(test, pool, "x", 0, 0);
	struct kpool_group *y = test_group(test, pool, "y", 0, 0);
	static struct releasing r;

	r.group = x;
	r.err = 1;
	kpool_work_init_release(&r.work, releasing_fn, waiting_release);
	start(test, x, &a[0]);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(y, &r.work));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING, kpool_work_cancel(&r.work));
	expect_soon(test, READ_ONCE(x->nr_stuck) || READ_ONCE(y->nr_stuck));
	last(&a[0], IDLE, NULL, y);
	expect_result(test, &a[0], -EDEADLK);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(y, DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, r.err);
}

/* A wait that will give up by itself keeps nobody. */
static void timed_wait_is_no_part(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool_group *root = kpool_root(test_pool(test, 0, 2));

	start(test, root, &a[0]);
	start(test, root, &a[1]);
	waits_for(test, &a[0], WAIT, &a[1].work);
	a[1].timeout = HZ / 10;
	last(&a[1], WAIT_TIMED, &a[0].work, NULL);
	expect_result(test, &a[1], -ETIMEDOUT);
	expect_result(test, &a[0], 0);
}

static void wait_for_a_timed_wait(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool_group *root = kpool_root(test_pool(test, 0, 2));

	start(test, root, &a[0]);
	start(test, root, &a[1]);
	a[0].timeout = 2 * HZ;
	waits_for(test, &a[0], WAIT_TIMED, &a[1].work);
	last(&a[1], WAIT, &a[0].work, NULL);
	expect_result(test, &a[1], 0);
	expect_result(test, &a[0], -ETIMEDOUT);
}

/* One that was told ends, so who waits for it may. */
static void told_wait_is_no_part(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool *pool = test_pool(test, 0, 2);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);

	start(test, group, &a[0]);
	start(test, kpool_root(pool), &a[1]);
	waits_for(test, &a[0], WAIT_KILLABLE, &a[1].work);
	last(&a[1], STOP, NULL, group);
	expect_result(test, &a[1], 0);
	expect_result(test, &a[0], -EINTR);
}

/* What is pending behind a full group starts, if one of it can end. */
static void full_group_that_goes_on(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct gated *g = gated_array(test, 1);
	struct kpool *pool = test_pool(test, 0, 3);
	struct kpool_group *group = test_group(test, pool, "a", 2, 0);

	start(test, group, &a[0]);
	expect_queued(test, group, g, 1);
	expect_started(test, g, 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &a[1].work));
	last(&a[1], CALL, NULL, group);
	waits_for(test, &a[0], WAIT, &a[1].work);
	gated_open(g);
	expect_result(test, &a[0], 0);
	expect_result(test, &a[1], -EDEADLK);
	expect_over(test, g, 1);
}

#define STORM	64

/* Each waits for one before it, and the first for itself. */
static void storm_without_circles(struct kunit *test)
{
	struct actor *a = actors(test, STORM);
	struct kpool_group *root = kpool_root(test_pool(test, 0, STORM));
	int i, round;

	for (round = 0; round < 5; round++) {
		for (i = 0; i < STORM; i++) {
			reinit_completion(&a[i].go);
			a[i].deed = !i ? CALL : i % 3 ? WAIT : WAIT_KILLABLE;
			a[i].target = &a[i / 2].work;
			a[i].group = root;
			KUNIT_EXPECT_EQ(test, 0, kpool_queue(root, &a[i].work));
		}
		for (i = STORM - 1; i >= 0; i--)
			complete(&a[i].go);
		for (i = 0; i < STORM; i++)
			expect_result(test, &a[i], i ? 0 : -EDEADLK);
	}
}

static struct kunit_case deadlock_cases[] = {
	KUNIT_CASE(circle_of_two),
	KUNIT_CASE(circle_of_three_across_pools),
	KUNIT_CASE(holder_of_the_only_slot),
	KUNIT_CASE(last_thread_of_a_full_pool),
	KUNIT_CASE(stop_round_a_circle),
	KUNIT_CASE(idle_round_a_circle),
	KUNIT_CASE(cancel_round_a_circle),
	KUNIT_CASE(call_behind_a_full_group),
	KUNIT_CASE(idle_behind_a_full_pool),
	KUNIT_CASE(release_function_in_a_circle),
	KUNIT_CASE(timed_wait_is_no_part),
	KUNIT_CASE_SLOW(wait_for_a_timed_wait),
	KUNIT_CASE(told_wait_is_no_part),
	KUNIT_CASE(full_group_that_goes_on),
	KUNIT_CASE_SLOW(storm_without_circles),
	{}
};

static struct kunit_suite deadlock_suite = {
	.name = "kpool_deadlock",
	.test_cases = deadlock_cases,
};

kunit_test_suite(deadlock_suite);
