// SPDX-License-Identifier: GPL-2.0-only
/* Promise 13: which work starts next. */
#include "helpers.h"

/* A pool of one thread, which @first keeps until its gate is opened. */
static struct kpool *held_pool(struct kunit *test, struct gated *first)
{
	struct kpool *pool = test_pool(test, 1, 1);

	expect_queued(test, kpool_root(pool), first, 1);
	expect_started(test, first, 1);
	return pool;
}

/* Works started in the order in which they stand here. */
static void expect_order(struct kunit *test, struct gated **g, unsigned int n)
{
	unsigned int i;

	for (i = 0; i + 1 < n; i++)
		KUNIT_EXPECT_EQ_MSG(test, g[i]->order + 1, g[i + 1]->order,
				    "place %u", i + 1);
}

static void group_is_first_in_first_out(struct kunit *test)
{
	struct gated *g = gated_array(test, 9), *order[8];
	struct kpool *pool = held_pool(test, g);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);
	int i;

	for (i = 0; i < 8; i++) {
		order[i] = &g[8 - i];
		expect_queued(test, group, order[i], 1);
	}
	gated_open_all(g, 9);
	expect_over(test, g, 9);
	expect_order(test, order, 8);
}

/* One at a time and in order, though there are threads enough for all. */
static void one_at_a_time_is_strict(struct kunit *test)
{
	struct gated *g = gated_array(test, 4);
	struct kpool *pool = test_pool(test, 4, 4);
	struct kpool_group *group = test_group(test, pool, "a", 1, 0);
	int i;

	expect_queued(test, group, g, 4);
	for (i = 0; i < 4; i++) {
		expect_started(test, &g[i], 1);
		KUNIT_EXPECT_EQ(test, i + 1, count_started(g, 4));
		KUNIT_EXPECT_EQ(test, 1, pool_running(pool));
		gated_open(&g[i]);
	}
	expect_over(test, g, 4);
}

/* Also for a work that is queued while it runs: it goes to the tail. */
static void one_at_a_time_requeues_to_the_tail(struct kunit *test)
{
	struct gated *g = gated_array(test, 3), *order[3];
	struct kpool *pool = test_pool(test, 3, 3);
	struct kpool_group *group = test_group(test, pool, "a", 1, 0);

	expect_queued(test, group, g, 2);
	expect_started(test, g, 1);
	expect_queued(test, group, &g[0], 1);
	expect_queued(test, group, &g[2], 1);
	gated_open_all(g, 3);
	expect_over(test, g, 3);
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&g[0].runs));
	order[0] = &g[1];
	order[1] = &g[2];
	order[2] = &g[0];
	expect_order(test, order, 3);
}

/* Three groups with three works each, queued one group after the other. */
static void groups_take_turns(struct kunit *test)
{
	static const char * const names[] = { "a", "b", "c" };
	struct gated *g = gated_array(test, 10), *order[9];
	struct kpool *pool = held_pool(test, g);
	int i, k;

	for (i = 0; i < 3; i++) {
		struct kpool_group *group;

		group = test_group(test, pool, names[i], 0, 0);
		expect_queued(test, group, &g[1 + 3 * i], 3);
		for (k = 0; k < 3; k++)
			order[3 * k + i] = &g[1 + 3 * i + k];
	}
	gated_open_all(g, 10);
	expect_over(test, g, 10);
	expect_order(test, order, 9);
}

/* Whoever comes while others wait for their turn waits for his. */
static void newcomer_waits_for_its_turn(struct kunit *test)
{
	static const int turns[] = { 0, 1, 2, 4, 3 };
	struct gated *g = gated_array(test, 5), *order[5];
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *a = test_group(test, pool, "a", 0, 0);
	struct kpool_group *b = test_group(test, pool, "b", 0, 0);
	struct kpool_group *c = test_group(test, pool, "c", 0, 0);
	int i;

	expect_queued(test, a, &g[0], 2);
	expect_queued(test, b, &g[2], 2);
	expect_started(test, g, 1);
	expect_queued(test, c, &g[4], 1);
	gated_open_all(g, 5);
	expect_over(test, g, 5);
	for (i = 0; i < 5; i++)
		order[i] = &g[turns[i]];
	expect_order(test, order, ARRAY_SIZE(turns));
}

static void root_takes_its_turn(struct kunit *test)
{
	struct gated *g = gated_array(test, 7), *order[6];
	struct kpool *pool = held_pool(test, g);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);
	int i;

	expect_queued(test, group, &g[1], 3);
	expect_queued(test, kpool_root(pool), &g[4], 3);
	for (i = 0; i < 6; i++)
		order[i] = &g[1 + i / 2 + i % 2 * 3];
	gated_open_all(g, 7);
	expect_over(test, g, 7);
	expect_order(test, order, 6);
}

static void blocked_group_blocks_no_other(struct kunit *test)
{
	struct gated *g = gated_array(test, 5);
	struct kpool *pool = test_pool(test, 2, 3);
	struct kpool_group *a = test_group(test, pool, "a", 1, 0);
	struct kpool_group *b = test_group(test, pool, "b", 0, 0);

	expect_queued(test, a, g, 3);
	expect_started(test, g, 1);
	/* to the thread that idles, and to one that has to be made */
	expect_queued(test, b, &g[3], 2);
	expect_started(test, &g[3], 2);
	KUNIT_EXPECT_EQ(test, 0, count_started(&g[1], 2));
	gated_open_all(g, 5);
	expect_over(test, g, 5);
}

/* It goes on as soon as one of its own ends, even if all else is taken. */
static void blocked_group_goes_on(struct kunit *test)
{
	struct gated *g = gated_array(test, 4);
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *a = test_group(test, pool, "a", 1, 0);
	struct kpool_group *b = test_group(test, pool, "b", 0, 0);

	expect_queued(test, a, g, 3);
	expect_queued(test, b, &g[3], 1);
	expect_started(test, g, 1);
	expect_started(test, &g[3], 1);
	gated_open(&g[0]);
	expect_started(test, &g[1], 1);
	KUNIT_EXPECT_EQ(test, 0, count_started(&g[2], 1));
	gated_open_all(g, 4);
	expect_over(test, g, 4);
}

/* A group that keeps its queue full gives way to one with a single work. */
static void full_queue_starves_nobody(struct kunit *test)
{
	struct gated *g = gated_array(test, 19);
	struct kpool *pool = held_pool(test, g);
	struct kpool_group *a = test_group(test, pool, "a", 0, 16);
	struct kpool_group *b = test_group(test, pool, "b", 0, 0);

	expect_queued(test, a, &g[1], 16);
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_queue(a, &g[17].work));
	expect_queued(test, b, &g[18], 1);
	gated_open_all(g, 19);
	expect_over(test, g, 17);
	expect_over(test, &g[18], 1);
	KUNIT_EXPECT_EQ(test, g[1].order + 1, g[18].order);
}

static struct kunit_case order_cases[] = {
	KUNIT_CASE(group_is_first_in_first_out),
	KUNIT_CASE(one_at_a_time_is_strict),
	KUNIT_CASE(one_at_a_time_requeues_to_the_tail),
	KUNIT_CASE(groups_take_turns),
	KUNIT_CASE(newcomer_waits_for_its_turn),
	KUNIT_CASE(root_takes_its_turn),
	KUNIT_CASE(blocked_group_blocks_no_other),
	KUNIT_CASE(blocked_group_goes_on),
	KUNIT_CASE(full_queue_starves_nobody),
	{}
};

static struct kunit_suite order_suite = {
	.name = "kpool_order",
	.test_cases = order_cases,
};

kunit_test_suite(order_suite);
