// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits that could not end are refused, whatever the circle is made of, and
 * no others.
 */
#include "deadlock_fixture.h"

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

/* One that was told ends, so who waits for it may; before its signal comes. */
static void told_wait_is_no_part(struct kunit *test)
{
	struct actor *a = actors(test, 4);
	struct kpool *pool = test_pool(test, 0, 2);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);
	struct kpool_group *other = test_group(test, pool, "b", 0, 0);

	start(test, group, &a[0]);
	start(test, kpool_root(pool), &a[1]);
	waits_for(test, &a[0], WAIT_KILLABLE, &a[1].work);
	hold_at(test, pool, KPOOL_AT_SEND);
	kpool_group_request_stop(group);
	hold_reached(test);
	last(&a[1], WAIT, &a[0].work, NULL);
	expect_soon(test, actor_waits(&a[1]));
	hold_release();
	expect_result(test, &a[1], 0);
	expect_result(test, &a[0], -EINTR);
	/* nor for the stop that tells it */
	start(test, other, &a[2]);
	start(test, kpool_root(pool), &a[3]);
	waits_for(test, &a[2], WAIT_KILLABLE, &a[3].work);
	last(&a[3], STOP, NULL, other);
	expect_result(test, &a[3], 0);
	expect_result(test, &a[2], -EINTR);
}

/* No signal comes, and the wait goes on. */
static void told_without_a_signal_is_a_part(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool *pool = test_pool(test, 0, 2);
	struct kpool_group *group;

	group = test_subgroup(test, kpool_root(pool), "a",
			      &(struct kpool_group_params) {
				.flags = KPOOL_NOSIGNAL,
			      });
	start(test, group, &a[0]);
	start(test, kpool_root(pool), &a[1]);
	waits_for(test, &a[0], WAIT_KILLABLE, &a[1].work);
	last(&a[1], STOP, NULL, group);
	expect_result(test, &a[1], -EDEADLK);
	expect_result(test, &a[0], 0);
}

/* It was cancelled, and the signal is under way. */
static void circle_that_is_broken_by_a_cancel(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool *pool = test_pool(test, 0, 2);
	struct kpool_group *root = kpool_root(pool);

	start(test, root, &a[0]);
	start(test, root, &a[1]);
	waits_for(test, &a[0], WAIT_KILLABLE, &a[1].work);
	hold_at(test, pool, KPOOL_AT_SEND);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_work_cancel(&a[0].work));
	hold_reached(test);
	waits_for(test, &a[1], WAIT, &a[0].work);
	hold_release();
	expect_result(test, &a[0], -EINTR);
	expect_result(test, &a[1], 0);
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
	KUNIT_CASE(stop_round_a_circle),
	KUNIT_CASE(idle_round_a_circle),
	KUNIT_CASE(cancel_round_a_circle),
	KUNIT_CASE(release_function_in_a_circle),
	KUNIT_CASE(timed_wait_is_no_part),
	KUNIT_CASE_SLOW(wait_for_a_timed_wait),
	KUNIT_CASE(told_wait_is_no_part),
	KUNIT_CASE(told_without_a_signal_is_a_part),
	KUNIT_CASE(circle_that_is_broken_by_a_cancel),
	KUNIT_CASE_SLOW(storm_without_circles),
	{}
};

static struct kunit_suite deadlock_suite = {
	.name = "kpool_deadlock",
	.test_cases = deadlock_cases,
};

kunit_test_suite(deadlock_suite);
