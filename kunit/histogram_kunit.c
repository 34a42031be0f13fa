// SPDX-License-Identifier: GPL-2.0-only
/* Promise 16: histograms of how long things take, and that they can be off. */
#include <linux/delay.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "../kpool/histogram.h"
#include "stop_fixture.h"

static void hist_end_action(void *unused)
{
	hist_switch(false);
}

static void hist_begin(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, 0, hist_switch(true));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, hist_end_action, NULL));
}

/* How many of a kind in buckets from @from on. */
static u64 count_from(struct kpool *pool, enum hist hist, int from)
{
	u64 n = 0;

	raw_spin_lock_irq(&pool->lock);
	while (pool->hists && from < HIST_BUCKETS)
		n += pool->hists->n[hist][from++];
	raw_spin_unlock_irq(&pool->lock);
	return n;
}

static u64 count(struct kpool *pool, enum hist hist)
{
	return count_from(pool, hist, 0);
}

/* Run n works to their end, one after another. */
static void run_works(struct kunit *test, struct kpool *pool, struct gated *g,
		      unsigned int n)
{
	for (; n--; g++) {
		gated_open(g);
		expect_queued(test, kpool_root(pool), g, 1);
		expect_over(test, g, 1);
	}
}

static void off_nothing_is_counted(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 2);

	run_works(test, pool, g, 1);
	KUNIT_EXPECT_NULL(test, pool->hists);
	KUNIT_EXPECT_EQ(test, 0, g->work.stamp & 1);
	hist_begin(test);
	hist_switch(false);
	run_works(test, pool, &g[1], 1);
	KUNIT_EXPECT_EQ(test, 0, g[1].work.stamp & 1);
	KUNIT_EXPECT_EQ(test, 0, count(pool, HIST_QUEUED));
	KUNIT_EXPECT_EQ(test, 0, count(pool, HIST_RUN));
}

static void each_run_is_counted_once(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 3);

	hist_begin(test);
	run_works(test, pool, g, 3);
	KUNIT_EXPECT_EQ(test, 3, count(pool, HIST_QUEUED));
	KUNIT_EXPECT_EQ(test, 3, count(pool, HIST_RUN));
	KUNIT_EXPECT_EQ(test, 0, count(pool, HIST_TELL));
	KUNIT_EXPECT_EQ(test, 0, count(pool, HIST_CREATE));
}

/* Each part of a life counts only if its beginning was seen. */
static void beginnings_before_the_switch_are_left_out(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 2);

	expect_queued(test, kpool_root(pool), g, 2);
	expect_started(test, g, 1);
	hist_begin(test);
	gated_open_all(g, 2);
	expect_over(test, g, 2);
	KUNIT_EXPECT_EQ(test, 0, count(pool, HIST_QUEUED));
	KUNIT_EXPECT_EQ(test, 1, count(pool, HIST_RUN));
}

/* The same of what began when it was on before, and ended when it was not. */
static void leftovers_of_an_earlier_time_are_left_out(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 2);

	hist_begin(test);
	g[0].sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, kpool_root(pool), g, 2);
	expect_started(test, g, 1);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_work_cancel(&g[0].work));
	KUNIT_EXPECT_EQ(test, 0, hist_switch(false));
	gated_open(&g[0]);
	expect_started(test, &g[1], 1);
	KUNIT_EXPECT_EQ(test, 0, hist_switch(true));
	gated_open(&g[1]);
	expect_over(test, &g[1], 1);
	KUNIT_EXPECT_EQ(test, 0, count(pool, HIST_RUN));
	KUNIT_EXPECT_EQ(test, 0, count(pool, HIST_TELL));
}

/* A time cannot be too short, however slow the machine is. */
static void long_times_are_in_high_buckets(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 2);
	const int ms16 = 15;	/* from 2^14 us on */

	hist_begin(test);
	expect_queued(test, kpool_root(pool), g, 2);
	expect_started(test, g, 1);
	usleep_range(40000, 50000);	/* jiffies may be behind this clock */
	gated_open_all(g, 2);
	expect_over(test, g, 2);
	KUNIT_EXPECT_EQ(test, 2, count(pool, HIST_RUN));
	KUNIT_EXPECT_GE(test, count_from(pool, HIST_RUN, ms16), 1);
	KUNIT_EXPECT_EQ(test, 2, count(pool, HIST_QUEUED));
	KUNIT_EXPECT_GE(test, count_from(pool, HIST_QUEUED, ms16), 1);
	KUNIT_EXPECT_EQ(test, 0, count_from(pool, HIST_RUN, 27));
}

static void tells_count_until_the_end(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 3, 3);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 3);

	hist_begin(test);
	expect_queued(test, kpool_root(pool), g, 1);
	expect_queued(test, group, &g[1], 2);
	expect_started(test, g, 3);
	kpool_work_cancel_sync(&g[0].work);
	KUNIT_EXPECT_EQ(test, 1, count(pool, HIST_TELL));
	expect_stop(test, group);
	KUNIT_EXPECT_EQ(test, 3, count(pool, HIST_TELL));
	KUNIT_EXPECT_EQ(test, 3, count(pool, HIST_RUN));
}

static void creations_and_new_pools_count(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);
	struct kpool *pool;

	hist_begin(test);
	pool = test_pool(test, 2, 3);
	KUNIT_EXPECT_EQ(test, 2, count(pool, HIST_CREATE));
	run_works(test, pool, g, 1);
	KUNIT_EXPECT_EQ(test, 1, count(pool, HIST_RUN));
}

static void switching_on_begins_at_zero(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 2);

	hist_begin(test);
	run_works(test, pool, g, 1);
	hist_switch(false);
	KUNIT_EXPECT_EQ(test, 1, count(pool, HIST_RUN));
	KUNIT_ASSERT_EQ(test, 0, hist_switch(true));
	KUNIT_EXPECT_EQ(test, 0, count(pool, HIST_RUN));
	run_works(test, pool, &g[1], 1);
	KUNIT_EXPECT_EQ(test, 1, count(pool, HIST_RUN));
}

/*
 * Works that run across a change of the switch, both ways, in pools that come
 * and go.  They are at their gates while it changes: emulators do not all bear
 * that code is patched which another CPU executes.
 */
static void switched_under_load(struct kunit *test)
{
	struct gated *g = gated_array(test, 40);
	struct kpool *pool;
	int i;

	for (i = 0; i < 10; i++) {
		pool = test_pool(test, 1, 2);
		expect_queued(test, kpool_root(pool), &g[4 * i], 4);
		expect_started(test, &g[4 * i], 2);
		KUNIT_EXPECT_EQ(test, 0, hist_switch(i % 2 == 0));
		gated_open_all(&g[4 * i], 4);
		expect_over(test, &g[4 * i], 4);
		test_pool_destroy(test, pool);
	}
	hist_switch(false);
}

static void stamps_tell_the_age(struct kunit *test)
{
	u32 off, on;

	off = stamp_now();
	hist_begin(test);
	on = stamp_now();
	KUNIT_EXPECT_EQ(test, 1, on & 1);
	schedule_timeout_uninterruptible(msecs_to_jiffies(40));
	usleep_range(40000, 50000);
	KUNIT_EXPECT_GE(test, stamp_age(off), msecs_to_jiffies(40));
	KUNIT_EXPECT_GE(test, stamp_age(on), msecs_to_jiffies(40) - 1);
	KUNIT_EXPECT_LT(test, stamp_age(off), DEADLINE);
	KUNIT_EXPECT_LT(test, stamp_age(on), DEADLINE);
}

static struct kunit_case histogram_cases[] = {
	KUNIT_CASE(off_nothing_is_counted),
	KUNIT_CASE(each_run_is_counted_once),
	KUNIT_CASE(beginnings_before_the_switch_are_left_out),
	KUNIT_CASE(leftovers_of_an_earlier_time_are_left_out),
	KUNIT_CASE(long_times_are_in_high_buckets),
	KUNIT_CASE(tells_count_until_the_end),
	KUNIT_CASE(creations_and_new_pools_count),
	KUNIT_CASE(switching_on_begins_at_zero),
	KUNIT_CASE(switched_under_load),
	KUNIT_CASE(stamps_tell_the_age),
	{}
};

static struct kunit_suite histogram_suite = {
	.name = "kpool_histogram",
	.test_cases = histogram_cases,
};

kunit_test_suite(histogram_suite);
