// SPDX-License-Identifier: GPL-2.0-only
/* Promise 6: stops with a deadline, stragglers, and destroys that wait. */
#include <linux/err.h>
#include <linux/spinlock.h>

#include "kmsg.h"
#include "stop_fixture.h"

static int group_destroy_thread(void *group)
{
	return kpool_group_destroy(group);
}

static int pool_destroy_thread(void *pool)
{
	return kpool_destroy(pool);
}

static bool is_named(struct kpool *pool, struct gated *g)
{
	bool named;

	raw_spin_lock_irq(&pool->lock);
	named = g->work.worker && g->work.worker->named;
	raw_spin_unlock_irq(&pool->lock);
	return named;
}

static void deadline_names_stragglers_once(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 2);

	g[0].sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, group, &g[0], 1);
	expect_queued(test, kpool_root(pool), &g[1], 1);
	expect_started(test, g, 2);
	report_begin("gated_fn .*still executes in ");
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, kpool_group_stop_timeout(group, 1));
	KUNIT_EXPECT_TRUE(test, is_named(pool, &g[0]));
	KUNIT_EXPECT_EQ(test, 1, report_lines("still executes"));
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, kpool_group_stop_timeout(group, 1));
	KUNIT_EXPECT_EQ(test, 1, report_lines("still executes"));
	report_end();
	KUNIT_EXPECT_FALSE(test, is_named(pool, &g[1]));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g[0].inside));
	gated_open(&g[0]);
	expect_stop(test, group);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(group, 0));
	KUNIT_EXPECT_TRUE(test, completion_done(&g[0].ended));
}

static void held_release(struct kpool_work *work)
{
	struct gated *g = container_of(work, struct gated, work);

	complete(&g->started);
	wait_for_completion(&g->gate);
}

/* Also those that are called for cancelled works, by no thread of the pool. */
static void release_functions_are_named(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 2);

	g[1].work.release = held_release;
	expect_queued(test, kpool_root(pool), &g[0], 1);
	expect_queued(test, group, &g[1], 1);
	kpool_work_cancel(&g[1].work);
	expect_done(test, &g[1].started);
	report_begin("held_release .*still executes in ");
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, kpool_group_stop_timeout(group, 1));
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, kpool_group_stop_timeout(group, 1));
	KUNIT_EXPECT_EQ(test, 1, report_lines("still executes"));
	report_end();
	gated_open(&g[1]);
	expect_stop(test, group);
}

static void group_destroy_waits_for_stragglers(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group;
	struct gated *g = gated_array(test, 1);
	struct test_thread *destroyer;

	group = kpool_group_create(kpool_root(pool), "g", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(group));
	g->sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, group, g, 1);
	expect_started(test, g, 1);
	destroyer = run_thread(test, group_destroy_thread, group);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(destroyer)));
	gated_open(g);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, destroyer));
	KUNIT_EXPECT_TRUE(test, completion_done(&g->ended));
}

static void pool_destroy_waits_for_stragglers(struct kunit *test)
{
	struct kpool_params params = { .max_threads = 1 };
	struct kpool *pool = kpool_create("stop", &params);
	struct gated *g = gated_array(test, 1);
	struct test_thread *destroyer;

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	g->sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	destroyer = run_thread(test, pool_destroy_thread, pool);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(destroyer)));
	gated_open(g);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, destroyer));
	KUNIT_EXPECT_TRUE(test, completion_done(&g->ended));
}

static void group_destroy_ends_running_works(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 3);

	expect_queued(test, group, g, 3);
	expect_started(test, g, 2);
	test_group_destroy(test, group);
	KUNIT_EXPECT_EQ(test, 2, pool_idle(pool));
	expect_told(test, g, 2);
	expect_never_ran(test, &g[2], 1);
}

/* The stopper comes to a request when the group is gone. */
static void request_then_destroy(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 2);

	hold_stopper(test, pool, &g[0]);
	expect_queued(test, group, &g[1], 1);
	kpool_group_request_stop(group);
	KUNIT_EXPECT_FALSE(test, list_empty(&pool->to_stop));
	test_group_destroy(test, group);
	KUNIT_EXPECT_TRUE(test, list_empty(&pool->to_stop));
	hold_release();
	expect_never_ran(test, &g[1], 1);
}

static void request_then_destroy_at_once(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct gated *g = gated_array(test, 4);
	struct kpool_group *group;
	int round, i;

	for (round = 0; round < 20; round++) {
		group = test_group(test, pool, "g", 0, 0);
		for (i = 0; i < 4; i++) {
			gated_init(&g[i]);
			g[i].work.release = gated_release;
		}
		expect_queued(test, group, g, 4);
		expect_started(test, g, 2);
		kpool_group_request_stop(group);
		test_group_destroy(test, group);
		expect_told(test, g, 2);
		expect_never_ran(test, &g[2], 2);
		for (i = 0; i < 4; i++)
			KUNIT_EXPECT_EQ(test, 1, atomic_read(&g[i].released));
	}
}

static void pool_ends_while_a_thread_is_created(struct kunit *test)
{
	struct kpool_params params = { .max_threads = 1 };
	struct kpool *pool = kpool_create("stop", &params);
	struct gated *g = gated_array(test, 1);
	struct test_thread *destroyer;

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	hold_at(test, pool, KPOOL_AT_CREATE);
	expect_queued(test, kpool_root(pool), g, 1);
	hold_reached(test);
	destroyer = run_thread(test, pool_destroy_thread, pool);
	expect_never_ran(test, g, 1);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(destroyer)));
	hold_release();
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, destroyer));
}

static struct kunit_case deadline_cases[] = {
	KUNIT_CASE(deadline_names_stragglers_once),
	KUNIT_CASE(release_functions_are_named),
	KUNIT_CASE(group_destroy_waits_for_stragglers),
	KUNIT_CASE(pool_destroy_waits_for_stragglers),
	KUNIT_CASE(group_destroy_ends_running_works),
	KUNIT_CASE(request_then_destroy),
	KUNIT_CASE(request_then_destroy_at_once),
	KUNIT_CASE(pool_ends_while_a_thread_is_created),
	{}
};

static struct kunit_suite deadline_suite = {
	.name = "kpool_deadline",
	.test_cases = deadline_cases,
};

kunit_test_suite(deadline_suite);
