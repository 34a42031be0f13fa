// SPDX-License-Identifier: GPL-2.0-only
/*
 * pool->hurdles: what might keep a work out is counted while it is there, and
 * not after.  That it does keep works out then, is for the suites of limits,
 * reserves, hooks, stops and CPUs.
 */
#include "helpers.h"

static unsigned int hurdles(struct kpool *pool)
{
	unsigned int n;

	raw_spin_lock_irq(&pool->lock);
	n = pool->hurdles;
	raw_spin_unlock_irq(&pool->lock);
	return n;
}

static void no_hook(struct kpool_group *group)
{
}

static void groups_with_limits_are_hurdles(struct kunit *test)
{
	static const struct kpool_group_params params[] = {
		{ .max_active = 3 },
		{ .max_queued = 3 },
		{ .reserve = 1 },
		{ .first_in = no_hook },
		{ .last_out = no_hook },
	};
	struct kpool *pool = test_pool(test, 0, 4);
	struct kpool_group *group;
	int i;

	test_subgroup(test, kpool_root(pool), "plain", NULL);
	KUNIT_EXPECT_EQ(test, 0, hurdles(pool));
	for (i = 0; i < ARRAY_SIZE(params); i++) {
		group = test_subgroup(test, kpool_root(pool), "g", &params[i]);
		KUNIT_EXPECT_EQ_MSG(test, 1, hurdles(pool), "group %d", i);
		test_group_destroy(test, group);
		KUNIT_EXPECT_EQ_MSG(test, 0, hurdles(pool), "group %d", i);
	}
}

static void limits_set_later_are_hurdles(struct kunit *test)
{
	struct kpool_limits limits = { .max_threads = 4, .max_queued = 9 };
	struct kpool *pool = test_pool(test, 0, 4);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);

	KUNIT_EXPECT_EQ(test, 0, kpool_group_set_limits(group, 1, 0));
	KUNIT_EXPECT_EQ(test, 1, hurdles(pool));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_set_limits(group, 0, 1));
	KUNIT_EXPECT_EQ(test, 1, hurdles(pool));
	KUNIT_EXPECT_EQ(test, 0, kpool_set_limits(pool, &limits));
	KUNIT_EXPECT_EQ(test, 2, hurdles(pool));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_set_limits(group, 0, 0));
	limits.max_queued = 0;
	KUNIT_EXPECT_EQ(test, 0, kpool_set_limits(pool, &limits));
	KUNIT_EXPECT_EQ(test, 0, hurdles(pool));
}

static void groups_not_open_are_hurdles(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 4);
	struct kpool_group *a = test_group(test, pool, "a", 0, 0), *b;

	b = test_subgroup(test, a, "b", NULL);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_drain(b));
	KUNIT_EXPECT_EQ(test, 1, hurdles(pool));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop(a));
	KUNIT_EXPECT_EQ(test, 2, hurdles(pool));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(a));
	KUNIT_EXPECT_EQ(test, 1, hurdles(pool));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(b));
	KUNIT_EXPECT_EQ(test, 0, hurdles(pool));
}

static void too_many_threads_are_a_hurdle(struct kunit *test)
{
	struct kpool_limits limits = { .max_threads = 2 };
	struct kpool *pool = test_pool(test, 0, 4);
	struct gated *g = gated_array(test, 3);

	expect_queued(test, kpool_root(pool), g, 3);
	expect_started(test, g, 3);
	KUNIT_EXPECT_EQ(test, 0, kpool_set_limits(pool, &limits));
	KUNIT_EXPECT_EQ(test, 1, hurdles(pool));
	gated_open(&g[0]);
	expect_over(test, g, 1);
	expect_soon(test, !hurdles(pool));
	gated_open_all(g, 3);
	expect_over(test, &g[1], 2);
}

static struct kunit_case hurdle_cases[] = {
	KUNIT_CASE(groups_with_limits_are_hurdles),
	KUNIT_CASE(limits_set_later_are_hurdles),
	KUNIT_CASE(groups_not_open_are_hurdles),
	KUNIT_CASE(too_many_threads_are_a_hurdle),
	{}
};

static struct kunit_suite hurdle_suite = {
	.name = "kpool_hurdle",
	.test_cases = hurdle_cases,
};

kunit_test_suite(hurdle_suite);
