// SPDX-License-Identifier: GPL-2.0-only
/*
 * Promise 3: limits that are changed while works run.  A raised one starts
 * all that it allows, a lowered one takes nothing away.
 */
#include <linux/err.h>

#include "helpers.h"

/* More than two batches. */
#define MANY	(2 * KPOOL_BATCH + 6)

static int set_threads(struct kpool *pool, int min, int max)
{
	return kpool_set_limits(pool, &(struct kpool_limits) {
		.min_threads = min,
		.max_threads = max,
		.idle_timeout = 3600 * HZ,
	});
}

static void raised_max_starts_what_waits(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 2);
	struct gated *g = gated_array(test, MANY);

	expect_queued(test, kpool_root(pool), g, MANY);
	expect_started(test, g, 2);
	KUNIT_EXPECT_EQ(test, MANY - 2, pool_pending(pool));
	expect_soon(test, READ_ONCE(pool->spawner.asleep));
	KUNIT_EXPECT_EQ(test, 0, set_threads(pool, 0, MANY - 4));
	expect_started(test, &g[2], MANY - 6);
	KUNIT_EXPECT_TRUE(test, stays(pool_threads(pool) == MANY - 4));
	KUNIT_EXPECT_EQ(test, 4, pool_pending(pool));
	gated_open_all(g, MANY);
	expect_over(test, g, MANY);
}

static void raised_min_creates_threads(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 8);

	expect_soon(test, READ_ONCE(pool->spawner.asleep));
	KUNIT_EXPECT_EQ(test, 0, set_threads(pool, 5, 8));
	expect_soon(test, pool_idle(pool) == 5);
	KUNIT_EXPECT_TRUE(test, stays(pool_threads(pool) == 5));
}

/* Idle threads are committed before the call returns, however many. */
static void raised_group_limit_starts_all_at_once(struct kunit *test)
{
	struct kpool *pool = test_pool(test, MANY, MANY);
	struct kpool_group *group = test_group(test, pool, "a", 1, 0);
	struct gated *g = gated_array(test, MANY);

	expect_queued(test, group, g, MANY);
	KUNIT_EXPECT_EQ(test, 1, pool_running(pool));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_set_limits(group, MANY - 2, 0));
	KUNIT_EXPECT_EQ(test, MANY - 2, pool_running(pool));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_set_limits(group, 0, 0));
	KUNIT_EXPECT_EQ(test, MANY, pool_running(pool));
	expect_started(test, g, MANY);
	gated_open_all(g, MANY);
	expect_over(test, g, MANY);
}

/* The limit is that of the root, and what it lets go on are many groups. */
static void raised_root_limit_starts_all_groups(struct kunit *test)
{
	struct kpool *pool = test_pool(test, MANY, MANY);
	struct gated *g = gated_array(test, MANY);
	struct kpool_group *group;
	char name[16];
	int i;

	KUNIT_EXPECT_EQ(test, 0,
			kpool_group_set_limits(kpool_root(pool), 1, 0));
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		/* those in between have a limit of their own, and keep it */
		group = test_group(test, pool, name, i % 2, 0);
		expect_queued(test, group, &g[i], 1);
	}
	KUNIT_EXPECT_EQ(test, 1, pool_running(pool));
	KUNIT_EXPECT_EQ(test, 0,
			kpool_group_set_limits(kpool_root(pool), 0, 0));
	KUNIT_EXPECT_EQ(test, MANY, pool_running(pool));
	gated_open_all(g, MANY);
	expect_over(test, g, MANY);
}

static void raised_group_limit_creates_threads(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 8);
	struct kpool_group *group = test_group(test, pool, "a", 1, 0);
	struct gated *g = gated_array(test, 7);

	expect_queued(test, group, g, 7);
	expect_started(test, g, 1);
	expect_soon(test, READ_ONCE(pool->spawner.asleep));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_set_limits(group, 6, 0));
	expect_started(test, &g[1], 5);
	KUNIT_EXPECT_TRUE(test, stays(pool_threads(pool) == 6));
	gated_open_all(g, 7);
	expect_over(test, g, 7);
}

static void lowered_group_limit_starts_nothing(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 6, 6);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);
	struct gated *g = gated_array(test, 6);

	expect_queued(test, group, g, 4);
	expect_started(test, g, 4);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_set_limits(group, 2, 0));
	expect_queued(test, group, &g[4], 2);
	gated_open_all(g, 2);
	expect_over(test, g, 2);
	KUNIT_EXPECT_TRUE(test, stays(pool_running(pool) == 2));
	KUNIT_EXPECT_EQ(test, 2, pool_pending(pool));
	gated_open(&g[2]);
	expect_started(test, &g[4], 1);
	KUNIT_EXPECT_TRUE(test, stays(pool_running(pool) == 2));
	gated_open_all(g, 6);
	expect_over(test, &g[2], 4);
}

static void idle_excess_leaves_at_once(struct kunit *test)
{
	struct kpool *pool = test_pool(test, MANY, MANY);

	KUNIT_EXPECT_EQ(test, 0, set_threads(pool, 0, 2));
	KUNIT_EXPECT_EQ(test, 2, pool_threads(pool));
	KUNIT_EXPECT_EQ(test, 2, pool_idle(pool));
	/* and their memory is not kept */
	expect_soon(test, list_empty_careful(&pool->leaving));
	expect_soon(test, READ_ONCE(pool->spawner.asleep));
}

static void busy_excess_leaves_after_its_work(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 4, 4);
	struct gated *g = gated_array(test, 6);

	expect_queued(test, kpool_root(pool), g, 6);
	expect_started(test, g, 4);
	KUNIT_EXPECT_EQ(test, 0, set_threads(pool, 0, 2));
	KUNIT_EXPECT_EQ(test, 4, pool_threads(pool));
	gated_open_all(g, 2);
	expect_over(test, g, 2);
	expect_soon(test, pool_threads(pool) == 2);
	KUNIT_EXPECT_TRUE(test, stays(pool_pending(pool) == 2));
	/* from here on a free thread stays, and takes what waits */
	gated_open(&g[2]);
	expect_started(test, &g[4], 1);
	KUNIT_EXPECT_EQ(test, 2, pool_threads(pool));
	gated_open_all(g, 6);
	expect_over(test, &g[2], 4);
	KUNIT_EXPECT_TRUE(test, stays(pool_threads(pool) == 2));
}

/* Queues works in the moment after the limit was lowered. */
static struct {
	struct kpool *pool;
	struct gated *g;
	unsigned int n;
	unsigned int running;	/* then */
	int err;
} meanwhile;

static void meanwhile_hook(enum kpool_test_point point, struct kpool *pool)
{
	unsigned int i;

	if (pool != meanwhile.pool || point != KPOOL_AT_LIMITS)
		return;
	for (i = 0; i < meanwhile.n; i++)
		meanwhile.err |= kpool_queue(kpool_root(pool),
					     &meanwhile.g[i].work);
	meanwhile.running = pool_running(pool);
}

static void meanwhile_end(void *unused)
{
	WRITE_ONCE(kpool_test_hook, NULL);
}

static void queue_meanwhile(struct kunit *test, struct kpool *pool,
			    struct gated *g, unsigned int n)
{
	meanwhile.pool = pool;
	meanwhile.g = g;
	meanwhile.n = n;
	meanwhile.err = 0;
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, meanwhile_end, NULL));
	WRITE_ONCE(kpool_test_hook, meanwhile_hook);
}

/* Five threads, two busy; lowered to four, while three works are queued. */
static void nothing_starts_while_over(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 5, 5);
	struct gated *g = gated_array(test, 5);

	expect_queued(test, kpool_root(pool), g, 2);
	queue_meanwhile(test, pool, &g[2], 3);
	KUNIT_EXPECT_EQ(test, 0, set_threads(pool, 0, 4));
	KUNIT_EXPECT_EQ(test, 0, meanwhile.err);
	KUNIT_EXPECT_EQ(test, 2, meanwhile.running);
	/* one has left, so the other two may start; and have been started */
	KUNIT_EXPECT_EQ(test, 4, pool_running(pool));
	KUNIT_EXPECT_EQ(test, 4, pool_threads(pool));
	KUNIT_EXPECT_EQ(test, 1, pool_pending(pool));
	gated_open_all(g, 5);
	expect_over(test, g, 5);
}

static int lower_to_two(void *arg)
{
	return set_threads(arg, 0, 2);
}

/*
 * Three threads, two busy; who lowers the limit to two is held up before the
 * idle one could leave, and then a busy one leaves instead.
 */
static void leaving_thread_lets_idle_one_start(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 3, 3);
	struct gated *g = gated_array(test, 3);
	struct test_thread *thread;

	expect_queued(test, kpool_root(pool), g, 2);
	expect_started(test, g, 2);
	hold_at(test, pool, KPOOL_AT_LIMITS);
	thread = run_thread(test, lower_to_two, pool);
	hold_reached(test);
	expect_queued(test, kpool_root(pool), &g[2], 1);
	KUNIT_EXPECT_TRUE(test, stays(pool_running(pool) == 2));
	gated_open(&g[0]);
	expect_started(test, &g[2], 1);
	KUNIT_EXPECT_PTR_NE(test, g[0].thread, g[2].thread);
	KUNIT_EXPECT_EQ(test, 2, pool_threads(pool));
	hold_release();
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, thread));
	gated_open_all(g, 3);
	expect_over(test, g, 3);
	KUNIT_EXPECT_EQ(test, 2, pool_threads(pool));
}

static int raise_to_three(void *arg)
{
	return set_threads(arg, 0, 3);
}

/*
 * A work that waits since the limit was lowered becomes ready when it is raised
 * again; who raised it is held up before he could start it.  One thread is idle.
 */
static void newcomer_waits_behind_what_became_ready(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 3, 3);
	struct gated *g = gated_array(test, 4);
	struct test_thread *lowers, *raises;

	expect_queued(test, kpool_root(pool), g, 2);
	expect_started(test, g, 2);
	hold_at(test, pool, KPOOL_AT_LIMITS);
	lowers = run_thread(test, lower_to_two, pool);
	hold_reached(test);
	expect_queued(test, kpool_root(pool), &g[2], 1);
	KUNIT_EXPECT_EQ(test, 1, pool_pending(pool));
	raises = run_thread(test, raise_to_three, pool);
	expect_soon(test, READ_ONCE(pool->max_threads) == 3);
	expect_queued(test, kpool_root(pool), &g[3], 1);
	expect_started(test, &g[2], 1);
	KUNIT_EXPECT_EQ(test, 1, pool_pending(pool));
	hold_release();
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, lowers));
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, raises));
	gated_open_all(g, 4);
	expect_over(test, g, 4);
}

static void shorter_idle_timeout_counts_at_once(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 3);
	struct gated *g = gated_array(test, 3);

	gated_open_all(g, 3);
	expect_queued(test, kpool_root(pool), g, 3);
	expect_over(test, g, 3);
	expect_soon(test, READ_ONCE(pool->spawner.asleep));
	KUNIT_EXPECT_GT(test, pool_threads(pool), 0);
	KUNIT_EXPECT_EQ(test, 0,
			kpool_set_limits(pool, &(struct kpool_limits) {
				.max_threads = 3,
				.idle_timeout = 1,
			}));
	expect_soon(test, pool_threads(pool) == 0);
}

static void queue_limit_counts_at_once(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_limits limits = { .max_threads = 1, .max_queued = 1 };
	struct gated *g = gated_array(test, 4);

	expect_queued(test, kpool_root(pool), g, 3);
	KUNIT_EXPECT_EQ(test, 0, kpool_set_limits(pool, &limits));
	KUNIT_EXPECT_EQ(test, 2, pool_pending(pool));
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			kpool_queue(kpool_root(pool), &g[3].work));
	limits.max_queued = 3;
	KUNIT_EXPECT_EQ(test, 0, kpool_set_limits(pool, &limits));
	expect_queued(test, kpool_root(pool), &g[3], 1);
	gated_open_all(g, 4);
	expect_over(test, g, 4);
}

static void group_queue_limit_counts_at_once(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);
	struct gated *g = gated_array(test, 3);

	expect_queued(test, group, g, 2);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_set_limits(group, 0, 1));
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_queue(group, &g[2].work));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_set_limits(group, 0, 2));
	expect_queued(test, group, &g[2], 1);
	gated_open_all(g, 3);
	expect_over(test, g, 3);
}

/* The limit does not fall below what groups have reserved. */
static void reserved_threads_are_kept(struct kunit *test)
{
	const struct kpool_group_params params = { .reserve = 3 };
	struct kpool *pool = test_pool(test, 0, 4);
	struct kpool_group *group;

	group = kpool_group_create(kpool_root(pool), "a", &params);
	KUNIT_ASSERT_FALSE(test, IS_ERR(group));
	KUNIT_EXPECT_EQ(test, -ENOSPC, set_threads(pool, 0, 2));
	KUNIT_EXPECT_EQ(test, 4, pool->max_threads);
	KUNIT_EXPECT_EQ(test, -EINVAL, kpool_group_set_limits(group, 2, 0));
	KUNIT_EXPECT_EQ(test, 0, set_threads(pool, 0, 3));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_set_limits(group, 3, 0));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_destroy(group));
	KUNIT_EXPECT_EQ(test, 0, set_threads(pool, 0, 2));
}

struct room_call {
	struct kpool_group *group;
	struct gated *g;
};

static int wait_for_room(void *arg)
{
	struct room_call *call = arg;

	return kpool_queue_wait(call->group, &call->g->work, DEADLINE);
}

/* Who waits for room finds it when the limit is raised. */
static void raised_queue_limit_is_room(struct kunit *test)
{
	struct gated *g = gated_array(test, 4);
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_limits limits = { .max_threads = 1, .max_queued = 1 };
	struct kpool_group *group = test_group(test, pool, "a", 0, 1);
	struct room_call call = { .group = group, .g = &g[2] };
	struct test_thread *thread;

	expect_queued(test, group, g, 2);
	thread = run_thread(test, wait_for_room, &call);
	expect_soon(test, READ_ONCE(pool->nr_room));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_set_limits(group, 0, 0));
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, thread));
	/* the same, of the pool */
	KUNIT_EXPECT_EQ(test, 0, kpool_set_limits(pool, &limits));
	call.g = &g[3];
	thread = run_thread(test, wait_for_room, &call);
	expect_soon(test, READ_ONCE(pool->nr_room));
	limits.max_queued = 3;
	KUNIT_EXPECT_EQ(test, 0, kpool_set_limits(pool, &limits));
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, thread));
	gated_open_all(g, 4);
	expect_over(test, g, 4);
}

struct bad_limits {
	const char *what;
	struct kpool_limits limits;
};

static const struct bad_limits bad_limits[] = {
	{ "no threads", { .max_threads = 0 } },
	{ "too many threads", { .max_threads = KPOOL_MAX_THREADS + 1 } },
	{ "negative min_threads", { .min_threads = -1, .max_threads = 1 } },
	{ "min above max", { .min_threads = 2, .max_threads = 1 } },
	{ "negative idle_timeout", { .max_threads = 1, .idle_timeout = -1 } },
	{ "negative max_queued", { .max_threads = 1, .max_queued = -1 } },
};

KUNIT_ARRAY_PARAM_DESC(bad_limits, bad_limits, what);

static void bad_limits_are_einval(struct kunit *test)
{
	const struct bad_limits *bad = test->param_value;
	struct kpool *pool = test_pool(test, 1, 3);

	KUNIT_EXPECT_EQ(test, -EINVAL, kpool_set_limits(pool, &bad->limits));
	KUNIT_EXPECT_EQ(test, 1, pool->min_threads);
	KUNIT_EXPECT_EQ(test, 3, pool->max_threads);
	KUNIT_EXPECT_EQ(test, 3600 * HZ, pool->idle_timeout);
	KUNIT_EXPECT_EQ(test, 0, kpool_root(pool)->max_queued);
}

static void bad_group_limits_are_einval(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "a", 1, 2);

	KUNIT_EXPECT_EQ(test, -EINVAL, kpool_set_limits(pool, NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL, kpool_group_set_limits(group, -1, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, kpool_group_set_limits(group, 0, -1));
	KUNIT_EXPECT_EQ(test, 1, group->max_active);
	KUNIT_EXPECT_EQ(test, 2, group->max_queued);
}

struct limit_storm {
	struct kpool_group *group;
	struct gated *g;
};

#define STORM_ROUNDS	60
#define STORM_WORKS	12

static int limit_storm_fn(void *arg)
{
	struct limit_storm *storm = arg;
	int round, i, accepted = 0;

	for (round = 0; round < STORM_ROUNDS; round++) {
		for (i = 0; i < STORM_WORKS; i++)
			if (!kpool_queue(storm->group, &storm->g[i].work))
				accepted++;
		for (i = 0; i < STORM_WORKS; i++)
			if (kpool_work_wait_timeout(&storm->g[i].work, NULL,
						    DEADLINE))
				return -ETIME;
	}
	return accepted;
}

/* Whatever the limits do, each work that was accepted runs once. */
static void limits_change_in_a_storm(struct kunit *test)
{
	struct gated *g = gated_array(test, 2 * STORM_WORKS);
	struct kpool *pool = test_pool(test, 2, 4);
	struct limit_storm storm[2];
	struct test_thread *threads[2];
	int i, n, ran = 0, accepted = 0;

	gated_open_all(g, 2 * STORM_WORKS);
	for (i = 0; i < 2; i++) {
		storm[i].group = test_group(test, pool, i ? "a" : "b", 2, 0);
		storm[i].g = &g[i * STORM_WORKS];
	}
	for (i = 0; i < 2; i++)
		threads[i] = run_thread(test, limit_storm_fn, &storm[i]);
	for (n = 0; !thread_done(threads[0]) || !thread_done(threads[1]); n++) {
		set_threads(pool, n % 3, 1 + (n % 3) + n % 5);
		kpool_group_set_limits(storm[n % 2].group, n % 4, 0);
		kpool_group_set_limits(kpool_root(pool), n % 3, 0);
		cond_resched();
	}
	for (i = 0; i < 2; i++)
		accepted += join_thread(test, threads[i]);
	for (i = 0; i < 2 * STORM_WORKS; i++) {
		ran += atomic_read(&g[i].runs);
		KUNIT_EXPECT_FALSE(test, g[i].twice);
	}
	KUNIT_EXPECT_EQ(test, accepted, ran);
	KUNIT_EXPECT_EQ(test, 2 * STORM_ROUNDS * STORM_WORKS, ran);
	KUNIT_EXPECT_EQ(test, 0, set_threads(pool, 3, 3));
	expect_soon(test, pool_threads(pool) == 3 && pool_idle(pool) == 3);
}

static struct kunit_case limits_cases[] = {
	KUNIT_CASE(raised_max_starts_what_waits),
	KUNIT_CASE(raised_min_creates_threads),
	KUNIT_CASE(raised_group_limit_starts_all_at_once),
	KUNIT_CASE(raised_root_limit_starts_all_groups),
	KUNIT_CASE(raised_group_limit_creates_threads),
	KUNIT_CASE(lowered_group_limit_starts_nothing),
	KUNIT_CASE(idle_excess_leaves_at_once),
	KUNIT_CASE(busy_excess_leaves_after_its_work),
	KUNIT_CASE(nothing_starts_while_over),
	KUNIT_CASE(leaving_thread_lets_idle_one_start),
	KUNIT_CASE(newcomer_waits_behind_what_became_ready),
	KUNIT_CASE(shorter_idle_timeout_counts_at_once),
	KUNIT_CASE(queue_limit_counts_at_once),
	KUNIT_CASE(group_queue_limit_counts_at_once),
	KUNIT_CASE(reserved_threads_are_kept),
	KUNIT_CASE(raised_queue_limit_is_room),
	KUNIT_CASE_PARAM(bad_limits_are_einval, bad_limits_gen_params),
	KUNIT_CASE(bad_group_limits_are_einval),
	KUNIT_CASE(limits_change_in_a_storm),
	{}
};

static struct kunit_suite limits_suite = {
	.name = "kpool_limits",
	.test_cases = limits_cases,
};

kunit_test_suite(limits_suite);
