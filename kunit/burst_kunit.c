// SPDX-License-Identifier: GPL-2.0-only
/*
 * Promises 2 to 4: as many threads as works need, never more than allowed, and
 * creation that fails or takes long.
 */
#include <linux/sched.h>

#include "helpers.h"

/*
 * Queue a burst faster than any thread can react, and see how many run at
 * once: @n of @k.
 */
static void burst(struct kunit *test, int min, int max, unsigned int k,
		  unsigned int n)
{
	struct kpool *pool = test_pool(test, min, max);
	struct gated *g = gated_array(test, k);

	/* only what queueing does may wake it from here on */
	expect_soon(test, READ_ONCE(pool->spawner.asleep));
	preempt_disable();
	expect_queued(test, kpool_root(pool), g, k);
	preempt_enable();
	expect_soon(test, count_started(g, k) == n);
	KUNIT_EXPECT_EQ(test, n, pool_running(pool));
	KUNIT_EXPECT_EQ(test, k - n, pool_pending(pool));
	KUNIT_EXPECT_TRUE(test, stays(pool_threads(pool) == n));
	KUNIT_EXPECT_EQ(test, n, count_started(g, k));
	gated_open_all(g, k);
	expect_over(test, g, k);
	KUNIT_EXPECT_EQ(test, n, pool_threads(pool));
}

static void burst_below_max_runs_all(struct kunit *test)
{
	burst(test, 1, 8, 6, 6);
}

static void burst_above_max_runs_max(struct kunit *test)
{
	burst(test, 1, 4, 9, 4);
}

static void burst_to_cold_pool(struct kunit *test)
{
	burst(test, 0, 4, 4, 4);
}

/* A work that counts how many are inside with it, and sometimes sleeps. */
struct counted {
	struct kpool_work work;
	struct kpool *pool;
	atomic_t *inside;
	atomic_t *runs;
	int max;
	bool too_many;
};

static int counted_fn(struct kpool_work *work)
{
	struct counted *c = container_of(work, struct counted, work);

	if (atomic_inc_return(c->inside) > c->max ||
	    READ_ONCE(c->pool->nr_threads) > c->max)
		c->too_many = true;
	if (atomic_inc_return(c->runs) % 4 == 0)
		schedule_timeout_uninterruptible(1);
	atomic_dec(c->inside);
	return 0;
}

#define STORM_WORKS	6	/* of each submitter */

static int submit_storm(void *arg)
{
	struct counted *c = arg;
	int round, i, accepted = 0;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < STORM_WORKS; i++)
			if (!kpool_queue(kpool_root(c->pool), &c[i].work))
				accepted++;
		for (i = 0; i < STORM_WORKS; i++)
			kpool_work_wait_timeout(&c[i].work, NULL, DEADLINE);
		/* now and then long enough for threads to leave */
		schedule_timeout_uninterruptible(round % 4);
	}
	return accepted;
}

/* Threads that come and go by the jiffy, while several submit. */
static void never_more_than_max(struct kunit *test)
{
	atomic_t *inside = kunit_kcalloc(test, 2, sizeof(*inside), GFP_KERNEL);
	struct test_thread *threads[3];
	struct kpool *pool;
	struct counted *c;
	int i, storm, accepted = 0;

	/* the memory first, for it has to go after the pool */
	c = kunit_kcalloc(test, 3 * STORM_WORKS, sizeof(*c), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, inside && c);
	pool = test_pool_params(test, &(struct kpool_params) {
		.max_threads = 3,
		.idle_timeout = 1,
	});
	for (i = 0; i < 3 * STORM_WORKS; i++) {
		c[i].pool = pool;
		c[i].inside = inside;
		c[i].runs = inside + 1;
		c[i].max = 3;
		kpool_work_init(&c[i].work, counted_fn);
	}
	for (storm = 0; storm < 2; storm++) {
		for (i = 0; i < 3; i++)
			threads[i] = run_thread(test, submit_storm,
						&c[i * STORM_WORKS]);
		for (i = 0; i < 3; i++)
			accepted += join_thread(test, threads[i]);
		KUNIT_EXPECT_EQ(test, 0,
				kpool_group_wait_timeout(kpool_root(pool),
							 DEADLINE));
		expect_soon(test, pool_threads(pool) == 0);
	}
	KUNIT_EXPECT_EQ(test, accepted, atomic_read(inside + 1));
	for (i = 0; i < 3 * STORM_WORKS; i++)
		KUNIT_EXPECT_FALSE(test, c[i].too_many);
	/* one for each storm at least, and none of them was there before */
	KUNIT_EXPECT_GE(test, pool->nr_created, 2UL);
}

/* A group's limit keeps works waiting, and so no threads are made for them. */
static void group_limit_makes_no_threads(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 8);
	struct kpool_group *group = test_group(test, pool, "a", 3, 0);
	struct gated *g = gated_array(test, 8);

	expect_queued(test, group, g, 8);
	expect_started(test, g, 3);
	KUNIT_EXPECT_TRUE(test, stays(pool_threads(pool) == 3 &&
				      count_started(g, 8) == 3));
	gated_open(&g[1]);
	expect_done(test, &g[3].started);
	KUNIT_EXPECT_EQ(test, 4, count_started(g, 8));
	gated_open_all(g, 8);
	expect_over(test, g, 8);
	KUNIT_EXPECT_EQ(test, 3, pool_threads(pool));
}

/* One work waits for a thread that takes for ever to come; another is free. */
static void free_thread_takes_work_that_waits(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 2);
	struct gated *g = gated_array(test, 3);

	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	hold_at(test, pool, KPOOL_AT_CREATE);
	expect_queued(test, kpool_root(pool), &g[1], 1);
	hold_reached(test);
	KUNIT_EXPECT_EQ(test, 2, pool_threads(pool));
	gated_open(&g[0]);
	expect_started(test, &g[1], 1);
	KUNIT_EXPECT_PTR_EQ(test, g[0].thread, g[1].thread);
	/* now a work for the thread that is late */
	expect_queued(test, kpool_root(pool), &g[2], 1);
	hold_release();
	expect_started(test, &g[2], 1);
	KUNIT_EXPECT_PTR_NE(test, g[1].thread, g[2].thread);
	gated_open_all(g, 3);
	expect_over(test, g, 3);
}

/* The thread comes too late, finds nothing to do, and is there for the next. */
static void late_thread_becomes_idle(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 2);
	struct gated *g = gated_array(test, 3);

	expect_queued(test, kpool_root(pool), g, 1);
	hold_at(test, pool, KPOOL_AT_CREATE);
	expect_queued(test, kpool_root(pool), &g[1], 1);
	hold_reached(test);
	gated_open(&g[0]);
	expect_started(test, &g[1], 1);
	hold_release();
	expect_soon(test, pool_idle(pool) == 1);
	KUNIT_EXPECT_EQ(test, 2, pool_threads(pool));
	gated_open_all(g, 3);
	expect_queued(test, kpool_root(pool), &g[2], 1);
	expect_over(test, g, 3);
	KUNIT_EXPECT_EQ(test, 2, pool_threads(pool));
}

/* A thread whose work is cancelled while it is created, held at its birth. */
static struct {
	struct kpool		*pool;
	struct kpool_work	*work;
	struct completion	born;
	struct completion	go_on;
} early;

static void early_hook(enum kpool_test_point point, struct kpool *pool)
{
	if (pool != early.pool)
		return;
	if (point == KPOOL_AT_CREATE && early.work) {
		kpool_work_cancel(early.work);
		early.work = NULL;
	} else if (point == KPOOL_AT_BIRTH) {
		complete(&early.born);
		wait_for_completion(&early.go_on);
	}
}

static void early_end(void *unused)
{
	WRITE_ONCE(kpool_test_hook, NULL);
	complete_all(&early.go_on);
}

static struct gated *thread_on_its_way(struct kunit *test, struct kpool *pool)
{
	struct gated *g = gated_array(test, 3);

	early.pool = pool;
	early.work = &g[0].work;
	init_completion(&early.born);
	init_completion(&early.go_on);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, early_end, NULL));
	WRITE_ONCE(kpool_test_hook, early_hook);
	expect_queued(test, kpool_root(pool), &g[0], 1);
	expect_done(test, &early.born);
	return g;
}

static void thread_on_its_way_is_enough(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 2);
	struct gated *g = thread_on_its_way(test, pool);

	expect_queued(test, kpool_root(pool), &g[1], 1);
	KUNIT_EXPECT_TRUE(test, stays(pool_threads(pool) == 1));
	complete_all(&early.go_on);
	expect_started(test, &g[1], 1);
	KUNIT_EXPECT_EQ(test, 1, pool_threads(pool));
}

static void arriving_thread_lets_creation_go_on(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 2);
	struct gated *g = thread_on_its_way(test, pool);

	expect_queued(test, kpool_root(pool), &g[1], 2);
	KUNIT_EXPECT_TRUE(test, stays(pool_threads(pool) == 1));
	complete_all(&early.go_on);
	expect_started(test, &g[1], 2);
}

static void failed_creation_leaves_works_queued(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 4);
	struct gated *g = gated_array(test, 4);

	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	fail_creations(test, 0);
	expect_queued(test, kpool_root(pool), &g[1], 3);
	expect_soon(test, READ_ONCE(pool->nr_failed) > 0);
	KUNIT_EXPECT_EQ(test, 3, pool_pending(pool));
	/* the one thread there is takes them one after the other */
	gated_open_all(g, 4);
	expect_over(test, g, 4);
	KUNIT_EXPECT_PTR_EQ(test, g[0].thread, g[3].thread);
	expect_soon(test, pool_threads(pool) == 1);
}

static void creation_resumes_after_failure(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 3);
	struct gated *g = gated_array(test, 3);

	fail_creations(test, 1);
	expect_queued(test, kpool_root(pool), g, 3);
	expect_started(test, g, 1);
	expect_soon(test, READ_ONCE(pool->nr_failed) >= 2);
	KUNIT_EXPECT_EQ(test, 1, count_started(g, 3));
	fail_no_more();
	expect_started(test, &g[1], 2);
	gated_open_all(g, 3);
	expect_over(test, g, 3);
	KUNIT_EXPECT_EQ(test, 3, pool_threads(pool));
	KUNIT_EXPECT_EQ(test, 3, READ_ONCE(pool->nr_created));
}

/* A creation that is tried again and again is seen, and since when. */
static void stall_is_visible(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	struct gated *g = gated_array(test, 1);
	unsigned long since, failed;

	KUNIT_EXPECT_EQ(test, 0, READ_ONCE(pool->creating_since));
	fail_creations(test, 0);
	expect_queued(test, kpool_root(pool), g, 1);
	expect_soon(test, READ_ONCE(pool->nr_failed) >= 1);
	since = READ_ONCE(pool->creating_since);
	KUNIT_EXPECT_NE(test, 0, since);
	failed = READ_ONCE(pool->nr_failed);
	expect_soon(test, READ_ONCE(pool->nr_failed) >= failed + 2);
	KUNIT_EXPECT_EQ(test, since, READ_ONCE(pool->creating_since));
	fail_no_more();
	expect_started(test, g, 1);
	expect_soon(test, !READ_ONCE(pool->creating_since));
	gated_open(g);
	expect_over(test, g, 1);
}

static void idle_threads_leave_down_to_min(struct kunit *test)
{
	struct kpool *pool = test_pool_params(test, &(struct kpool_params) {
		.min_threads = 2,
		.max_threads = 5,
		.idle_timeout = 2,
	});
	struct gated *g = gated_array(test, 5);

	expect_queued(test, kpool_root(pool), g, 5);
	expect_started(test, g, 5);
	KUNIT_EXPECT_TRUE(test, stays(pool_threads(pool) == 5));
	gated_open_all(g, 5);
	expect_over(test, g, 5);
	expect_soon(test, pool_threads(pool) <= 2);
	KUNIT_EXPECT_TRUE(test, stays(pool_threads(pool) == 2));
	KUNIT_EXPECT_EQ(test, 2, pool_idle(pool));
}

static void idle_threads_stay_for_their_time(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 2);
	struct gated *g = gated_array(test, 2);

	expect_queued(test, kpool_root(pool), g, 2);
	gated_open_all(g, 2);
	expect_over(test, g, 2);
	expect_soon(test, pool_idle(pool) == pool_threads(pool));
	KUNIT_EXPECT_GT(test, pool_threads(pool), 0);
	KUNIT_EXPECT_TRUE(test, stays(pool_idle(pool) == pool_threads(pool)));
	KUNIT_EXPECT_GT(test, pool_threads(pool), 0);
}

/* Which keeps its memory warm, and lets the others grow old and leave. */
static void newest_idle_thread_is_taken(struct kunit *test)
{
	static const int order[] = { 1, 2, 0 };
	struct kpool *pool = test_pool(test, 3, 3);
	struct gated *g = gated_array(test, 6);
	int i;

	expect_queued(test, kpool_root(pool), g, 3);
	expect_started(test, g, 3);
	for (i = 0; i < 3; i++) {
		gated_open(&g[order[i]]);
		expect_soon(test, pool_idle(pool) == i + 1);
	}
	expect_queued(test, kpool_root(pool), &g[3], 3);
	expect_started(test, &g[3], 3);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_PTR_EQ(test, g[order[2 - i]].thread,
				    g[3 + i].thread);
	gated_open_all(g, 6);
	expect_over(test, g, 6);
}

/* Not in the load average, and nothing that looks hung. */
static void idle_threads_are_no_load(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 3, 3);
	struct kpool_worker *worker;

	mutex_lock(&pool->mutex);
	list_for_each_entry(worker, &pool->workers, all_entry) {
		expect_soon(test, task_is_asleep(worker->task));
		KUNIT_EXPECT_EQ(test, TASK_IDLE,
				READ_ONCE(worker->task->__state) &
				~TASK_FREEZABLE);
	}
	mutex_unlock(&pool->mutex);
	expect_soon(test, READ_ONCE(pool->stopper.asleep) &&
			  task_is_asleep(pool->stopper.task));
	KUNIT_EXPECT_EQ(test, TASK_IDLE,
			READ_ONCE(pool->stopper.task->__state) & TASK_IDLE);
}

/* A thread was just told to leave when a work comes for which it was right. */
static void work_meets_leaving_thread(struct kunit *test)
{
	struct kpool *pool = test_pool_params(test, &(struct kpool_params) {
		.max_threads = 1,
		.idle_timeout = 1,
	});
	struct gated *g = gated_array(test, 2);

	hold_at(test, pool, KPOOL_AT_RETIRE);
	gated_open_all(g, 2);
	expect_queued(test, kpool_root(pool), g, 1);
	hold_reached(test);
	KUNIT_EXPECT_EQ(test, 0, pool_threads(pool));
	expect_queued(test, kpool_root(pool), &g[1], 1);
	KUNIT_EXPECT_EQ(test, 1, pool_pending(pool));
	hold_release();
	expect_over(test, g, 2);
}

static struct kunit_case burst_cases[] = {
	KUNIT_CASE(burst_below_max_runs_all),
	KUNIT_CASE(burst_above_max_runs_max),
	KUNIT_CASE(burst_to_cold_pool),
	KUNIT_CASE(never_more_than_max),
	KUNIT_CASE(group_limit_makes_no_threads),
	KUNIT_CASE(free_thread_takes_work_that_waits),
	KUNIT_CASE(late_thread_becomes_idle),
	KUNIT_CASE(thread_on_its_way_is_enough),
	KUNIT_CASE(arriving_thread_lets_creation_go_on),
	KUNIT_CASE(failed_creation_leaves_works_queued),
	KUNIT_CASE(creation_resumes_after_failure),
	KUNIT_CASE(stall_is_visible),
	KUNIT_CASE(idle_threads_leave_down_to_min),
	KUNIT_CASE(idle_threads_stay_for_their_time),
	KUNIT_CASE(newest_idle_thread_is_taken),
	KUNIT_CASE(idle_threads_are_no_load),
	KUNIT_CASE(work_meets_leaving_thread),
	{}
};

static struct kunit_suite burst_suite = {
	.name = "kpool_burst",
	.test_cases = burst_cases,
};

kunit_test_suite(burst_suite);
