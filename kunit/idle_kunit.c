// SPDX-License-Identifier: GPL-2.0-only
/* Waiting for a group: until it is idle, and all of it was released. */
#include <linux/sched/signal.h>

#include "stop_fixture.h"

static int group_wait_killable_thread(void *group)
{
	return kpool_group_wait_killable(group);
}

/* A work whose release function waits at a gate. */
struct slow {
	struct kpool_work	work;
	struct kpool_group	*group;
	struct completion	entered;
	struct completion	gate;
	int			err;	/* of a wait for its group inside */
	int			stop;	/* of a stop of its group inside */
};

static int slow_fn(struct kpool_work *work)
{
	return 0;
}

static void slow_release(struct kpool_work *work)
{
	struct slow *slow = container_of(work, struct slow, work);

	slow->err = kpool_group_wait_timeout(slow->group, 0);
	slow->stop = kpool_group_stop_timeout(slow->group, 0);
	complete(&slow->entered);
	wait_for_completion(&slow->gate);
}

static void slow_end(void *arg)
{
	struct slow *slow = arg;

	complete_all(&slow->gate);
	kpool_group_wait_timeout(slow->group, DEADLINE);
}

static struct slow *slow_work(struct kunit *test, struct kpool_group *group)
{
	struct slow *slow = kunit_kzalloc(test, sizeof(*slow), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, slow);
	kpool_work_init_release(&slow->work, slow_fn, slow_release);
	slow->group = group;
	init_completion(&slow->entered);
	init_completion(&slow->gate);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, slow_end, slow));
	return slow;
}

/* A work that was cancelled, and whose release function executes. */
static struct slow *slow_cancelled(struct kunit *test, struct kpool *pool,
				   struct gated *blocker)
{
	struct kpool_group *group = test_group(test, pool, "slow", 0, 0);
	struct slow *slow = slow_work(test, group);

	expect_queued(test, kpool_root(pool), blocker, 1);
	expect_started(test, blocker, 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &slow->work));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_work_cancel(&slow->work));
	expect_done(test, &slow->entered);
	return slow;
}

static void wait_returns_once_idle(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 3);
	struct test_thread *waiter;

	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait(group));
	expect_queued(test, group, g, 3);
	expect_started(test, g, 2);
	waiter = run_thread(test, group_wait_thread, group);
	gated_open_all(g, 2);
	expect_started(test, &g[2], 1);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(waiter)));
	gated_open(&g[2]);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, waiter));
	KUNIT_EXPECT_FALSE(test, g[0].told || g[1].told || g[2].told);
	expect_queued(test, group, g, 1);
}

/* Root is idle when all groups are; one of them, when it is itself. */
static void wait_for_root_waits_for_all(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *a = test_group(test, pool, "a", 0, 0);
	struct kpool_group *b = test_group(test, pool, "b", 0, 0);
	struct gated *g = gated_array(test, 2);
	struct test_thread *waiter;

	expect_queued(test, a, &g[0], 1);
	expect_queued(test, b, &g[1], 1);
	waiter = run_thread(test, group_wait_thread, kpool_root(pool));
	gated_open(&g[0]);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(a, DEADLINE));
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(waiter)));
	gated_open(&g[1]);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, waiter));
}

static void wait_has_a_deadline(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 1);

	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, 0));
	expect_queued(test, group, g, 1);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, kpool_group_wait_timeout(group, 0));
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, kpool_group_wait_timeout(group, 2));
	KUNIT_EXPECT_EQ(test, 0, count_waiters(pool, &group->waiters));
	gated_open(g);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
}

static void killed_waiter_leaves(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 1);
	struct test_thread *waiter;

	expect_queued(test, group, g, 1);
	waiter = run_thread(test, group_wait_killable_thread, group);
	expect_soon(test, count_waiters(pool, &group->waiters) == 1);
	send_sig(SIGKILL, thread_task(waiter), 1);
	KUNIT_EXPECT_EQ(test, -EINTR, join_thread(test, waiter));
	KUNIT_EXPECT_EQ(test, 0, count_waiters(pool, &group->waiters));
}

/* Until its release function has returned a work keeps its group busy. */
static void expect_waits_for(struct kunit *test, struct slow *slow)
{
	struct test_thread *waiter;

	KUNIT_EXPECT_EQ(test, -EDEADLK, slow->err);
	KUNIT_EXPECT_EQ(test, -EDEADLK, slow->stop);
	KUNIT_EXPECT_FALSE(test, kpool_work_busy(&slow->work));
	waiter = run_thread(test, group_wait_thread, slow->group);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(waiter)));
	complete_all(&slow->gate);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, waiter));
}

static void wait_covers_release_in_a_worker(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct slow *slow = slow_work(test, group);

	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &slow->work));
	expect_done(test, &slow->entered);
	expect_waits_for(test, slow);
}

static void wait_covers_release_of_cancelled(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);

	expect_waits_for(test, slow_cancelled(test, pool, g));
}

/* A release function may want what is held by one who stops another group. */
static void release_holds_up_no_other_group(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 2);
	struct slow *slow = slow_cancelled(test, pool, g);

	g[1].work.release = gated_release;
	expect_queued(test, group, &g[1], 1);
	expect_stop(test, group);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g[1].released));
	KUNIT_EXPECT_FALSE(test, completion_done(&slow->gate));
}

#define QUEUED	2000

struct queued {
	struct kpool_work	work;
	int			runs;
	int			released;
	bool			bad;	/* released where it must not be */
};

static int queued_fn(struct kpool_work *work)
{
	container_of(work, struct queued, work)->runs++;
	return 0;
}

static void queued_release(struct kpool_work *work)
{
	struct queued *q = container_of(work, struct queued, work);

	q->released++;
	q->bad = !in_task() || irqs_disabled() || preempt_count() ||
		 signal_pending(current);
}

/* Every second one has a release function. */
static void full_queue_is_given_back_once(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 1);
	int i, accepted = 0, runs = 0, released = 0, bad = 0;
	struct queued *q;

	q = kunit_kcalloc(test, QUEUED, sizeof(*q), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, q);
	expect_queued(test, group, g, 1);
	for (i = 0; i < QUEUED; i++) {
		if (i & 1)
			kpool_work_init_release(&q[i].work, queued_fn,
						queued_release);
		else
			kpool_work_init(&q[i].work, queued_fn);
		accepted += !kpool_queue(group, &q[i].work);
	}
	expect_started(test, g, 1);
	expect_stop(test, group);
	for (i = 0; i < QUEUED; i++) {
		runs += q[i].runs;
		released += q[i].released;
		bad += q[i].bad || q[i].released != (i & 1);
		bad += kpool_work_wait_timeout(&q[i].work, NULL, 0) !=
			-ECANCELED;
	}
	KUNIT_EXPECT_EQ(test, QUEUED, accepted);
	KUNIT_EXPECT_EQ(test, QUEUED / 2, released);
	KUNIT_EXPECT_EQ(test, 0, runs);
	KUNIT_EXPECT_EQ(test, 0, bad);
	expect_told(test, g, 1);
}

static struct kunit_case idle_cases[] = {
	KUNIT_CASE(wait_returns_once_idle),
	KUNIT_CASE(wait_for_root_waits_for_all),
	KUNIT_CASE(wait_has_a_deadline),
	KUNIT_CASE(killed_waiter_leaves),
	KUNIT_CASE(wait_covers_release_in_a_worker),
	KUNIT_CASE(wait_covers_release_of_cancelled),
	KUNIT_CASE(release_holds_up_no_other_group),
	KUNIT_CASE(full_queue_is_given_back_once),
	{}
};

static struct kunit_suite idle_suite = {
	.name = "kpool_idle",
	.test_cases = idle_cases,
};

kunit_test_suite(idle_suite);
