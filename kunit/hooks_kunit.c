// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks of a pool's threads: init before the first work, exit after the
 * last, and what an init that fails does.
 */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>

#include "helpers.h"

struct hooks {
	atomic_t inits;		/* that were called */
	atomic_t exits;
	atomic_t inside;	/* threads between init and exit */
	int fail_from;		/* the first init that fails, from 1; 0: none */
	int fail_to;		/* and the first that does not */
	int err;		/* what it returns */
	bool hold;		/* each init waits for @gate */
	struct completion gate;
	atomic_t held;
	bool stray;		/* a signal was there, or the thread is wrong */
};

static int hooks_init(void *data)
{
	struct hooks *h = data;
	int n = atomic_inc_return(&h->inits);

	if (signal_pending(current) || kpool_current())
		h->stray = true;
	if (READ_ONCE(h->hold)) {
		atomic_inc(&h->held);
		wait_for_completion(&h->gate);
	}
	if (h->fail_from && n >= h->fail_from && n < h->fail_to)
		return h->err;
	atomic_inc(&h->inside);
	return 0;
}

static void hooks_exit(void *data)
{
	struct hooks *h = data;

	if (signal_pending(current) || kpool_current())
		h->stray = true;
	atomic_dec(&h->inside);
	atomic_inc(&h->exits);
}

/* Before any pool, which uses it until its end. */
static struct hooks *hooks_alloc(struct kunit *test)
{
	struct hooks *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, h);
	init_completion(&h->gate);
	return h;
}

static struct kpool_params hooks_params(struct hooks *h, int min, int max)
{
	return (struct kpool_params) {
		.min_threads = min,
		.max_threads = max,
		.idle_timeout = 3600 * HZ,
		.init = hooks_init,
		.exit = hooks_exit,
		.hook_data = h,
	};
}

static void open_gate(void *data)
{
	struct hooks *h = data;

	complete_all(&h->gate);
}

/* A pool whose threads end with the case, whatever holds them. */
static struct kpool *hooks_pool(struct kunit *test, struct hooks *h, int min,
				int max)
{
	struct kpool_params params = hooks_params(h, min, max);
	struct kpool *pool = test_pool_params(test, &params);

	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, open_gate, h));
	return pool;
}

static void each_thread_has_its_hooks(struct kunit *test)
{
	struct gated *g = gated_array(test, 5);
	struct hooks *h = hooks_alloc(test);
	struct kpool *pool = hooks_pool(test, h, 2, 5);

	KUNIT_EXPECT_EQ(test, 2, atomic_read(&h->inits));
	KUNIT_EXPECT_EQ(test, 2, pool_idle(pool));
	expect_queued(test, kpool_root(pool), g, 5);
	expect_started(test, g, 5);
	KUNIT_EXPECT_EQ(test, 5, atomic_read(&h->inits));
	KUNIT_EXPECT_EQ(test, 5, atomic_read(&h->inside));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&h->exits));
	gated_open_all(g, 5);
	expect_over(test, g, 5);
	test_pool_destroy(test, pool);
	KUNIT_EXPECT_EQ(test, 5, atomic_read(&h->exits));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&h->inside));
	KUNIT_EXPECT_FALSE(test, h->stray);
}

static void leaving_thread_calls_exit(struct kunit *test)
{
	struct hooks *h = hooks_alloc(test);
	struct kpool *pool = hooks_pool(test, h, 4, 4);

	KUNIT_EXPECT_EQ(test, 0,
			kpool_set_limits(pool, &(struct kpool_limits) {
				.max_threads = 1,
			}));
	expect_soon(test, atomic_read(&h->exits) == 3);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&h->inside));
}

static void told_thread_has_no_signal_in_exit(struct kunit *test)
{
	struct gated *g = gated_array(test, 4);
	struct hooks *h = hooks_alloc(test);
	struct kpool *pool = hooks_pool(test, h, 0, 4);

	expect_queued(test, kpool_root(pool), g, 4);
	expect_started(test, g, 4);
	test_pool_destroy(test, pool);
	KUNIT_EXPECT_TRUE(test, g[0].signalled);
	KUNIT_EXPECT_EQ(test, 4, atomic_read(&h->exits));
	KUNIT_EXPECT_FALSE(test, h->stray);
}

/* A tell while the thread is in its init takes the work away, no more. */
static void tell_does_not_reach_init(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);
	struct hooks *h = hooks_alloc(test);
	struct kpool *pool = hooks_pool(test, h, 0, 1);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);

	h->hold = true;
	expect_queued(test, group, g, 1);
	expect_soon(test, atomic_read(&h->held) == 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(group, DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&g->runs));
	complete_all(&h->gate);
	expect_soon(test, pool_idle(pool) == 1);
	KUNIT_EXPECT_FALSE(test, h->stray);
}

static void failed_init_fails_create(struct kunit *test)
{
	struct hooks *h = hooks_alloc(test);
	struct kpool_params params = hooks_params(h, 4, 4);

	h->fail_from = 2;
	h->fail_to = 3;
	h->err = -ENXIO;
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-ENXIO),
			    kpool_create("hooks", &params));
	/* those that began have ended, and the name is free */
	KUNIT_EXPECT_EQ(test, 4, atomic_read(&h->inits));
	KUNIT_EXPECT_EQ(test, 3, atomic_read(&h->exits));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&h->inside));
	h->fail_from = 0;
	test_pool_destroy(test, test_pool_params(test, &params));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&h->inside));
}

/* Works stay queued, the pool tries again, and the thread is not counted. */
static void later_failure_is_a_failed_creation(struct kunit *test)
{
	struct gated *g = gated_array(test, 3);
	struct hooks *h = hooks_alloc(test);
	struct kpool *pool = hooks_pool(test, h, 1, 2);

	h->fail_from = 2;
	h->fail_to = INT_MAX;
	h->err = -ENOSPC;
	expect_queued(test, kpool_root(pool), g, 3);
	expect_started(test, g, 1);
	expect_soon(test, READ_ONCE(pool->nr_failed) >= 2);
	KUNIT_EXPECT_NE(test, 0, READ_ONCE(pool->creating_since));
	KUNIT_EXPECT_EQ(test, 2, pool_pending(pool));
	/* but while one is in its init */
	expect_soon(test, READ_ONCE(pool->nr_created) == 1);
	/* the one thread there is takes them */
	gated_open(&g[0]);
	expect_started(test, &g[1], 1);
	WRITE_ONCE(h->fail_to, 0);
	expect_started(test, &g[2], 1);
	KUNIT_EXPECT_EQ(test, 2, pool_threads(pool));
	expect_soon(test, !READ_ONCE(pool->creating_since));
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&h->inside));
	gated_open_all(g, 3);
	expect_over(test, g, 3);
	/* what failed was joined */
	expect_soon(test, list_empty_careful(&pool->leaving));
}

/* The rest after a failure doubles, though each thread could be created. */
static void failing_init_is_not_tried_in_a_hurry(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);
	struct hooks *h = hooks_alloc(test);
	struct kpool *pool = hooks_pool(test, h, 0, 1);

	h->fail_from = 1;
	h->fail_to = INT_MAX;
	h->err = -ENOSPC;
	expect_queued(test, kpool_root(pool), g, 1);
	expect_soon(test, READ_ONCE(pool->nr_failed) >= 4);
	KUNIT_EXPECT_GE(test, READ_ONCE(pool->backoff), 8 * KPOOL_BACKOFF_MIN);
	WRITE_ONCE(h->fail_to, 0);
	expect_started(test, g, 1);
	KUNIT_EXPECT_EQ(test, KPOOL_BACKOFF_MIN, READ_ONCE(pool->backoff));
	gated_open(g);
	expect_over(test, g, 1);
}

/* Init that takes for ever; the work that its thread was made for does not. */
static void free_thread_takes_the_work_meanwhile(struct kunit *test)
{
	struct gated *g = gated_array(test, 3);
	struct hooks *h = hooks_alloc(test);
	struct kpool *pool = hooks_pool(test, h, 1, 2);

	h->hold = true;
	expect_queued(test, kpool_root(pool), g, 2);
	expect_started(test, g, 1);
	expect_soon(test, atomic_read(&h->held) == 1);
	gated_open(&g[0]);
	expect_started(test, &g[1], 1);
	KUNIT_EXPECT_PTR_EQ(test, g[0].thread, g[1].thread);
	expect_queued(test, kpool_root(pool), &g[2], 1);
	complete_all(&h->gate);
	expect_started(test, &g[2], 1);
	KUNIT_EXPECT_EQ(test, 2, pool_threads(pool));
	gated_open_all(g, 3);
	expect_over(test, g, 3);
}

/* As many as the works need, and they come together. */
static void burst_waits_for_inits_at_once(struct kunit *test)
{
	struct gated *g = gated_array(test, 6);
	struct hooks *h = hooks_alloc(test);
	struct kpool *pool = hooks_pool(test, h, 0, 8);
	struct kpool_group *group = test_group(test, pool, "a", 4, 0);

	h->hold = true;
	expect_queued(test, group, g, 6);
	expect_soon(test, atomic_read(&h->held) == 4);
	KUNIT_EXPECT_TRUE(test, stays(pool_threads(pool) == 4));
	complete_all(&h->gate);
	expect_started(test, g, 4);
	KUNIT_EXPECT_TRUE(test, stays(pool_threads(pool) == 4));
	gated_open_all(g, 6);
	expect_over(test, g, 6);
	KUNIT_EXPECT_EQ(test, 4, pool_threads(pool));
}

static int destroy_fn(void *pool)
{
	return kpool_destroy(pool);
}

/* A thread is in its init: destroy waits for it, and it has its exit, too. */
static void destroy_waits_for_init(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);
	struct hooks *h = hooks_alloc(test);
	struct kpool_params params = hooks_params(h, 0, 1);
	struct kpool *pool = kpool_create("hooks", &params);
	struct test_thread *thread;

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	h->hold = true;
	expect_queued(test, kpool_root(pool), g, 1);
	expect_soon(test, atomic_read(&h->held) == 1);
	thread = run_thread(test, destroy_fn, pool);
	expect_soon(test, !kpool_work_busy(&g->work));
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(thread)));
	complete_all(&h->gate);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, thread));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&h->exits));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&g->runs));
}

static struct kpool *destroyed_by_hook;

static int destroying_init(void *data)
{
	int *err = data;

	if (READ_ONCE(destroyed_by_hook) && !*err)
		*err = kpool_destroy(destroyed_by_hook);
	return 0;
}

static void hook_destroying_its_pool_is_edeadlk(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);
	int *err = kunit_kzalloc(test, sizeof(*err), GFP_KERNEL);
	struct kpool *pool;

	KUNIT_ASSERT_NOT_NULL(test, err);
	pool = test_pool_params(test, &(struct kpool_params) {
		.max_threads = 1,
		.init = destroying_init,
		.hook_data = err,
	});
	destroyed_by_hook = pool;
	gated_open(g);
	expect_queued(test, kpool_root(pool), g, 1);
	expect_over(test, g, 1);
	destroyed_by_hook = NULL;
	KUNIT_EXPECT_EQ(test, -EDEADLK, *err);
}

static struct kunit_case hooks_cases[] = {
	KUNIT_CASE(each_thread_has_its_hooks),
	KUNIT_CASE(leaving_thread_calls_exit),
	KUNIT_CASE(told_thread_has_no_signal_in_exit),
	KUNIT_CASE(tell_does_not_reach_init),
	KUNIT_CASE(failed_init_fails_create),
	KUNIT_CASE(later_failure_is_a_failed_creation),
	KUNIT_CASE(failing_init_is_not_tried_in_a_hurry),
	KUNIT_CASE(free_thread_takes_the_work_meanwhile),
	KUNIT_CASE(burst_waits_for_inits_at_once),
	KUNIT_CASE(destroy_waits_for_init),
	KUNIT_CASE(hook_destroying_its_pool_is_edeadlk),
	{}
};

static struct kunit_suite hooks_suite = {
	.name = "kpool_hooks",
	.test_cases = hooks_cases,
};

kunit_test_suite(hooks_suite);
