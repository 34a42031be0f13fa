// SPDX-License-Identifier: GPL-2.0-only
/* Promise 16: a stuck pool is explained in one message, and only a stuck one. */
#include <linux/kernel.h>
#include <linux/spinlock.h>

#include "../kpool/watchdog.h"
#include "files.h"
#include "kmsg.h"
#include "stop_fixture.h"

/* What is too long, and a time that is longer; nobody waits for either. */
#define LIMIT	(1800 * HZ)
#define LONG	(3600 * HZ)

/* Let a work look as if it was queued, or was started, long ago. */
static void age_work(struct kpool *pool, struct gated *g)
{
	raw_spin_lock_irq(&pool->lock);
	g->work.stamp -= 2 * LONG;
	if (g->work.worker)
		g->work.worker->since -= LONG;
	raw_spin_unlock_irq(&pool->lock);
}

static void age_waiters(struct kpool *pool, struct hlist_head *waiters)
{
	struct kpool_waiter *waiter;

	raw_spin_lock_irq(&pool->lock);
	hlist_for_each_entry(waiter, waiters, node)
		waiter->since -= LONG;
	raw_spin_unlock_irq(&pool->lock);
}

static int wait_for_work(void *work)
{
	return kpool_work_wait(work, NULL);
}

/* A group of one at a time, whose first work does not end. */
static void stuck_pool_is_explained_once(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 1, 0);
	struct gated *g = gated_array(test, 4);
	struct test_thread *thread;

	g->sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, group, g, 3);
	expect_started(test, g, 1);
	expect_queued(test, kpool_root(pool), &g[3], 1);
	expect_started(test, &g[3], 1);
	expect_soon(test, task_is_asleep(g->thread));
	thread = run_thread(test, wait_for_work, &g->work);
	expect_soon(test, count_waiters(pool, &g->work.waiters));
	age_work(pool, &g[0]);
	age_work(pool, &g[1]);
	report_begin("in the way is gated_fn .* state D, awaited by 1");
	KUNIT_EXPECT_TRUE(test, watchdog_look(pool, LIMIT));
	KUNIT_EXPECT_EQ(test, 1, report_lines(": stuck"));
	KUNIT_EXPECT_EQ(test, 1, report_lines("2 works pending in "));
	KUNIT_EXPECT_EQ(test, 1, report_lines("/g behind max_active 1 of "));
	KUNIT_EXPECT_EQ(test, 1, report_lines("in the way is gated_fn"));
	KUNIT_EXPECT_FALSE(test, watchdog_look(pool, LIMIT));
	KUNIT_EXPECT_EQ(test, 1, report_lines(": stuck"));
	report_end();
	gated_open_all(g, 4);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, thread));
}

static void works_that_merely_sleep_are_left_alone(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct gated *g = gated_array(test, 3);

	report_begin("nothing to report");
	expect_queued(test, kpool_root(pool), g, 3);
	expect_started(test, g, 2);
	age_work(pool, &g[0]);
	age_work(pool, &g[1]);
	/* one is pending, but not for long */
	KUNIT_EXPECT_FALSE(test, watchdog_look(pool, LIMIT));
	KUNIT_EXPECT_EQ(test, 0, report_lines(": stuck"));
	pr_info("nothing to report\n");
	report_end();
	gated_open_all(g, 3);
}

static void works_without_a_thread_are_reported(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 2);

	expect_queued(test, kpool_root(pool), g, 2);
	expect_started(test, g, 1);
	age_work(pool, &g[1]);
	report_begin("1 works pending in .* for a thread, gated_fn");
	KUNIT_EXPECT_TRUE(test, watchdog_look(pool, LIMIT));
	KUNIT_EXPECT_EQ(test, 1, report_lines("in the way is gated_fn"));
	report_end();
	gated_open_all(g, 2);
}

static void waiters_are_reported(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct gated *g = gated_array(test, 2);
	struct test_thread *thread;

	expect_queued(test, kpool_root(pool), g, 2);
	expect_started(test, g, 2);
	age_work(pool, &g[0]);
	thread = run_thread(test, wait_for_work, &g[1].work);
	expect_soon(test, count_waiters(pool, &g[1].work.waiters));
	KUNIT_EXPECT_FALSE(test, watchdog_look(pool, LIMIT));
	age_waiters(pool, &g[1].work.waiters);
	report_begin("kpool-test.* waits for gated_fn .*in kpool/");
	KUNIT_EXPECT_TRUE(test, watchdog_look(pool, LIMIT));
	KUNIT_EXPECT_EQ(test, 1, report_lines("in the way is"));
	KUNIT_EXPECT_EQ(test, 1, report_lines(", awaited by 1"));
	report_end();
	gated_open_all(g, 2);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, thread));
}

static void stops_are_reported(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 1);

	g->sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, group, g, 1);
	expect_started(test, g, 1);
	kpool_group_request_stop(group);
	expect_soon(test, tell_of(pool, &g->work) == TELL_SENT);
	KUNIT_EXPECT_FALSE(test, watchdog_look(pool, LIMIT));
	raw_spin_lock_irq(&pool->lock);
	group->state_since -= LONG;
	raw_spin_unlock_irq(&pool->lock);
	report_begin("the stop of .*/g for .* ms, 1 works run");
	KUNIT_EXPECT_TRUE(test, watchdog_look(pool, LIMIT));
	KUNIT_EXPECT_EQ(test, 1, report_lines(", signalled, awaited by 0"));
	report_end();
	gated_open(g);
}

static void stalled_creation_is_reported(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	struct gated *g = gated_array(test, 1);

	hold_at(test, pool, KPOOL_AT_CREATE);
	expect_queued(test, kpool_root(pool), g, 1);
	hold_reached(test);
	KUNIT_EXPECT_FALSE(test, watchdog_look(pool, LIMIT));
	raw_spin_lock_irq(&pool->lock);
	pool->creating_since -= LONG;
	raw_spin_unlock_irq(&pool->lock);
	report_begin("no thread could be created for ");
	KUNIT_EXPECT_TRUE(test, watchdog_look(pool, LIMIT));
	KUNIT_EXPECT_EQ(test, 1, report_lines(": stuck"));
	report_end();
	hold_release();
	gated_open(g);
}

#define PARAMETER	"/sys/module/kpool/parameters/watchdog_seconds"

/* The watchdog itself finds nothing that is old enough, and marks no pool. */
#define NEVER		"86400"

static void seconds_end(void *unused)
{
	write_file(PARAMETER, NEVER);
}

static int watchdog_suite_init(struct kunit_suite *suite)
{
	return write_file(PARAMETER, NEVER);
}

static void watchdog_suite_exit(struct kunit_suite *suite)
{
	write_file(PARAMETER, "30");
}

/* By itself, soon after the parameter was written. */
static void looks_by_itself(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 2);

	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, seconds_end,
							   NULL));
	expect_queued(test, kpool_root(pool), g, 2);
	expect_started(test, g, 1);
	report_begin("1 works pending in ");
	KUNIT_EXPECT_EQ(test, 0, write_file(PARAMETER, "0"));
	age_work(pool, &g[1]);
	KUNIT_EXPECT_EQ(test, 0, write_file(PARAMETER, "1"));
	expect_soon(test, report_lines("in the way is gated_fn"));
	KUNIT_EXPECT_EQ(test, 0, write_file(PARAMETER, NEVER));
	report_end();
	gated_open_all(g, 2);
}

static struct kunit_case watchdog_cases[] = {
	KUNIT_CASE(stuck_pool_is_explained_once),
	KUNIT_CASE(works_that_merely_sleep_are_left_alone),
	KUNIT_CASE(works_without_a_thread_are_reported),
	KUNIT_CASE(waiters_are_reported),
	KUNIT_CASE(stops_are_reported),
	KUNIT_CASE(stalled_creation_is_reported),
	KUNIT_CASE(looks_by_itself),
	{}
};

static struct kunit_suite watchdog_suite = {
	.name = "kpool_watchdog",
	.suite_init = watchdog_suite_init,
	.suite_exit = watchdog_suite_exit,
	.test_cases = watchdog_cases,
};

kunit_test_suite(watchdog_suite);
