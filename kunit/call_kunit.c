// SPDX-License-Identifier: GPL-2.0-only
/* The helpers over the three nouns: kpool_call() and kpool_spawn(). */
#include <linux/atomic.h>
#include <linux/gfp.h>

#include "helpers.h"

static int add_one(void *data)
{
	return ++*(int *)data;
}

static int call_itself(void *group)
{
	return kpool_call(group, call_itself, group, NULL);
}

static void call_returns_result(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);
	int n = 41, result = 0;

	KUNIT_EXPECT_EQ(test, 0, kpool_call(group, add_one, &n, &result));
	KUNIT_EXPECT_EQ(test, 42, result);
	KUNIT_EXPECT_EQ(test, 0, kpool_call(group, add_one, &n, NULL));
	KUNIT_EXPECT_EQ(test, 43, n);
	KUNIT_EXPECT_EQ(test, 0, kpool_call(group, call_itself, group,
					    &result));
	KUNIT_EXPECT_EQ(test, -EDEADLK, result);
}

struct call {
	struct kpool_group *group;
	int n;
};

static int call_fn(void *arg)
{
	struct call *call = arg;

	return kpool_call(call->group, add_one, &call->n, NULL);
}

static void call_returns_why_it_did_not_run(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct call *call = kunit_kzalloc(test, sizeof(*call), GFP_KERNEL);
	struct gated *g = gated_array(test, 1);
	struct test_thread *thread;

	KUNIT_ASSERT_NOT_NULL(test, call);
	call->group = test_group(test, pool, "a", 0, 1);
	expect_queued(test, kpool_root(pool), g, 1);
	thread = run_thread(test, call_fn, call);
	expect_soon(test, pool_pending(pool) == 1);
	KUNIT_EXPECT_EQ(test, -EAGAIN, call_fn(call));
	KUNIT_EXPECT_EQ(test, 0,
			kpool_group_stop_timeout(call->group, DEADLINE));
	KUNIT_EXPECT_EQ(test, -ECANCELED, join_thread(test, thread));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, call_fn(call));
	KUNIT_EXPECT_EQ(test, 0, call->n);
	gated_open(g);
	expect_over(test, g, 1);
}

static int count_call(void *counter)
{
	atomic_inc(counter);
	return -1;
}

/* What carries a spawned call is freed when it has run, and when it has not. */
static void spawn_runs_or_is_freed(struct kunit *test)
{
	atomic_t *runs = kunit_kzalloc(test, sizeof(*runs), GFP_KERNEL);
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "a", 0, 3);
	struct gated *g = gated_array(test, 1);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, runs);
	KUNIT_EXPECT_EQ(test, 0, kpool_spawn(group, count_call, runs,
					     GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(runs));
	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, 0, kpool_spawn(group, count_call, runs,
						     GFP_ATOMIC));
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_spawn(group, count_call, runs,
						   GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(group, DEADLINE));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_spawn(group, count_call, runs,
						      GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(runs));
	gated_open(g);
	expect_over(test, g, 1);
}

static struct kunit_case call_cases[] = {
	KUNIT_CASE(call_returns_result),
	KUNIT_CASE(call_returns_why_it_did_not_run),
	KUNIT_CASE(spawn_runs_or_is_freed),
	{}
};

static struct kunit_suite call_suite = {
	.name = "kpool_call",
	.test_cases = call_cases,
};

kunit_test_suite(call_suite);
