// SPDX-License-Identifier: GPL-2.0-only
/* Groups below groups: limits, turns, stops and ends at every level. */
#include <linux/random.h>

#include "kmsg.h"
#include "stop_fixture.h"

#define LEVELS		(KPOOL_GROUP_LEVELS - 1)	/* below the root */

/* A chain of groups, one below the other; that at @at has these limits. */
static void make_chain(struct kunit *test, struct kpool *pool,
		       struct kpool_group **chain, int n, int at,
		       const struct kpool_group_params *params)
{
	struct kpool_group *parent = kpool_root(pool);
	int i;

	for (i = 0; i < n; i++) {
		chain[i] = test_subgroup(test, parent, "a",
					 i == at ? params : NULL);
		parent = chain[i];
	}
}

static void destroy_chain(struct kunit *test, struct kpool_group **chain,
			  int n)
{
	while (n--)
		test_group_destroy(test, chain[n]);
}

/* A pool of one thread, which @first keeps until its gate is opened. */
static struct kpool *held_pool(struct kunit *test, struct gated *first)
{
	struct kpool *pool = test_pool(test, 1, 1);

	expect_queued(test, kpool_root(pool), first, 1);
	expect_started(test, first, 1);
	return pool;
}

static void expect_order(struct kunit *test, struct gated **g, unsigned int n)
{
	unsigned int i;

	for (i = 0; i + 1 < n; i++)
		KUNIT_EXPECT_EQ_MSG(test, g[i]->order + 1, g[i + 1]->order,
				    "place %u", i + 1);
}

static void eight_levels_work(struct kunit *test)
{
	struct gated *g = gated_array(test, LEVELS);
	struct kpool *pool = test_pool(test, 0, LEVELS);
	struct kpool_group *chain[LEVELS];
	int i;

	make_chain(test, pool, chain, LEVELS, -1, NULL);
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
			    kpool_group_create(chain[LEVELS - 1], "b", NULL));
	for (i = 0; i < LEVELS; i++)
		expect_queued(test, chain[i], &g[i], 1);
	expect_started(test, g, LEVELS);
	gated_open_all(g, LEVELS);
	expect_over(test, g, LEVELS);
}

/* Two at once, of it and of the lowest group together. */
static void max_active_counts_the_subtree(struct kunit *test)
{
	struct kpool_group_params params = { .max_active = 2 };
	int at;

	for (at = 0; at < LEVELS; at++) {
		struct gated *g = gated_array(test, 4);
		struct kpool *pool = test_pool(test, 4, 4);
		struct kpool_group *chain[LEVELS];

		make_chain(test, pool, chain, LEVELS, at, &params);
		expect_queued(test, chain[at], g, 1);
		expect_queued(test, chain[LEVELS - 1], &g[1], 3);
		expect_started(test, g, 2);
		KUNIT_EXPECT_EQ(test, 2, pool_running(pool));
		gated_open(&g[0]);
		expect_started(test, &g[2], 1);
		KUNIT_EXPECT_EQ(test, 0, count_started(&g[3], 1));
		gated_open_all(g, 4);
		expect_over(test, g, 4);
		destroy_chain(test, chain, LEVELS);
		test_pool_destroy(test, pool);
	}
}

static void max_queued_counts_the_subtree(struct kunit *test)
{
	struct kpool_group_params params = { .max_queued = 2 };
	int at;

	for (at = 0; at < LEVELS; at++) {
		struct gated *g = gated_array(test, 5);
		struct kpool *pool = held_pool(test, g);
		struct kpool_group *chain[LEVELS];

		make_chain(test, pool, chain, LEVELS, at, &params);
		expect_queued(test, chain[at], &g[1], 1);
		expect_queued(test, chain[LEVELS - 1], &g[2], 1);
		KUNIT_EXPECT_EQ(test, -EAGAIN,
				kpool_queue(chain[at], &g[3].work));
		KUNIT_EXPECT_EQ(test, -EAGAIN,
				kpool_queue(chain[LEVELS - 1], &g[3].work));
		expect_queued(test, chain[at]->parent, &g[4], 1);
		gated_open_all(g, 5);
		expect_over(test, g, 3);
		expect_over(test, &g[4], 1);
		destroy_chain(test, chain, LEVELS);
		test_pool_destroy(test, pool);
	}
}

static void blocked_subtree_blocks_no_sibling(struct kunit *test)
{
	struct kpool_group_params one = { .max_active = 1 };
	struct gated *g = gated_array(test, 6);
	struct kpool *pool = test_pool(test, 2, 3);
	struct kpool_group *top = test_group(test, pool, "top", 0, 0);
	struct kpool_group *a = test_subgroup(test, top, "a", &one);
	struct kpool_group *a1 = test_subgroup(test, a, "a1", NULL);
	struct kpool_group *a2 = test_subgroup(test, a, "a2", NULL);
	struct kpool_group *b = test_subgroup(test, top, "b", NULL);

	expect_queued(test, a1, g, 2);
	expect_queued(test, a2, &g[2], 2);
	expect_started(test, g, 1);
	/* to the thread that idles, and to one that has to be made */
	expect_queued(test, b, &g[4], 2);
	expect_started(test, &g[4], 2);
	KUNIT_EXPECT_EQ(test, 0, count_started(&g[1], 3));
	gated_open_all(g, 6);
	expect_over(test, g, 6);
}

/* Three siblings with three works each, at the first level, third and last. */
static void siblings_take_turns_at_each_level(struct kunit *test)
{
	static const char * const names[] = { "x", "y", "z" };
	static const int levels[] = { 0, 2, LEVELS - 1 };
	int l, i, k;

	for (l = 0; l < ARRAY_SIZE(levels); l++) {
		struct gated *g = gated_array(test, 10), *order[9];
		struct kpool *pool = held_pool(test, g);
		struct kpool_group *chain[LEVELS], *parent, *group;

		make_chain(test, pool, chain, levels[l], -1, NULL);
		parent = levels[l] ? chain[levels[l] - 1] : kpool_root(pool);
		for (i = 0; i < 3; i++) {
			group = test_subgroup(test, parent, names[i], NULL);
			expect_queued(test, group, &g[1 + 3 * i], 3);
			for (k = 0; k < 3; k++)
				order[3 * k + i] = &g[1 + 3 * i + k];
		}
		gated_open_all(g, 10);
		expect_over(test, g, 10);
		expect_order(test, order, 9);
	}
}

/* The works of a group itself are one more in the round of its children. */
static void own_works_take_their_turn(struct kunit *test)
{
	struct gated *g = gated_array(test, 7), *order[6];
	struct kpool *pool = held_pool(test, g);
	struct kpool_group *top = test_group(test, pool, "top", 0, 0);
	struct kpool_group *a = test_subgroup(test, top, "a", NULL);
	struct kpool_group *b = test_subgroup(test, top, "b", NULL);
	int k;

	expect_queued(test, a, &g[1], 2);
	expect_queued(test, top, &g[3], 2);
	expect_queued(test, b, &g[5], 2);
	for (k = 0; k < 2; k++) {
		order[3 * k] = &g[1 + k];
		order[3 * k + 1] = &g[3 + k];
		order[3 * k + 2] = &g[5 + k];
	}
	gated_open_all(g, 7);
	expect_over(test, g, 7);
	expect_order(test, order, 6);
}

/* Below a group that runs one at a time, in a pool with threads enough. */
struct narrow {
	struct kpool *pool;
	struct kpool_group *top, *a, *b;
	struct gated *g;	/* g[0] of a runs; 1, 2 of a, 3, 4 of b wait */
};

static void narrow_init(struct kunit *test, struct narrow *n)
{
	struct kpool_group_params one = { .max_active = 1 };

	n->g = gated_array(test, 5);
	n->g[0].sleep = GATE_UNINTERRUPTIBLE;
	n->pool = test_pool(test, 3, 3);
	n->top = test_subgroup(test, kpool_root(n->pool), "top", &one);
	n->a = test_subgroup(test, n->top, "a", NULL);
	n->b = test_subgroup(test, n->top, "b", NULL);
	expect_queued(test, n->a, n->g, 3);
	expect_queued(test, n->b, &n->g[3], 2);
	expect_started(test, n->g, 1);
}

static void free_slot_goes_by_turns(struct kunit *test)
{
	static const int turns[] = { 0, 1, 3, 2, 4 };
	struct gated *order[5];
	struct narrow n;
	int i;

	narrow_init(test, &n);
	gated_open_all(n.g, 5);
	expect_over(test, n.g, 5);
	for (i = 0; i < 5; i++)
		order[i] = &n.g[turns[i]];
	expect_order(test, order, 5);
}

/* Also if the one whose turn it was is cancelled while it waits. */
static void slot_of_cancelled_is_passed_on(struct kunit *test)
{
	struct narrow n;

	narrow_init(test, &n);
	kpool_work_cancel(&n.g[1].work);
	kpool_work_cancel(&n.g[2].work);
	gated_open(n.g);
	expect_started(test, &n.g[3], 1);
	KUNIT_EXPECT_EQ(test, 0, count_started(&n.g[1], 2));
	gated_open_all(n.g, 5);
	expect_over(test, &n.g[3], 2);
}

static void slot_of_stopped_is_passed_on(struct kunit *test)
{
	struct narrow n;

	narrow_init(test, &n);
	kpool_group_request_stop(n.a);
	expect_never_ran(test, &n.g[1], 2);
	gated_open_all(n.g, 5);
	expect_over(test, &n.g[3], 2);
	KUNIT_EXPECT_EQ(test, 0, count_started(&n.g[1], 2));
}

#define STORM_WORKS	24
#define STORM_ROUNDS	20

/* Works that queue each other, in three levels, until they are refused. */
struct storm {
	struct kpool_group *groups[3];
	struct storm_work {
		struct kpool_work work;
		struct storm *storm;
	} works[STORM_WORKS];
	atomic_t inside;
	atomic_t queued;
	bool stopped;
	bool late;	/* something ran after the stop had returned */
};

static void storm_queue(struct storm *s, int group, int work)
{
	if (!kpool_queue(s->groups[group], &s->works[work].work))
		atomic_inc(&s->queued);
}

static int storm_fn(struct kpool_work *work)
{
	struct storm_work *w = container_of(work, struct storm_work, work);
	struct storm *s = w->storm;
	int i;

	atomic_inc(&s->inside);
	if (READ_ONCE(s->stopped))
		s->late = true;
	for (i = 0; i < 3; i++)
		storm_queue(s, get_random_u32_below(3),
			    get_random_u32_below(STORM_WORKS));
	cond_resched();
	atomic_dec(&s->inside);
	return 0;
}

static int storm_stop_middle(void *arg)
{
	struct storm *s = arg;

	return kpool_group_stop_timeout(s->groups[1], DEADLINE);
}

static void storm_round(struct kunit *test, struct kpool *pool)
{
	struct storm *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct test_thread *threads[2];
	int i;

	KUNIT_ASSERT_NOT_NULL(test, s);
	make_chain(test, pool, s->groups, 3, -1, NULL);
	for (i = 0; i < STORM_WORKS; i++) {
		s->works[i].storm = s;
		kpool_work_init(&s->works[i].work, storm_fn);
	}
	for (i = 0; i < STORM_WORKS; i++)
		storm_queue(s, i % 3, i);
	for (i = 0; i < 2; i++)
		threads[i] = run_thread(test, storm_stop_middle, s);
	KUNIT_EXPECT_EQ(test, 0,
			kpool_group_stop_timeout(s->groups[0], DEADLINE));
	WRITE_ONCE(s->stopped, true);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&s->inside));
	KUNIT_EXPECT_EQ(test, 0, s->groups[0]->nr_pending);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, 0, join_thread(test, threads[i]));
	destroy_chain(test, s->groups, 3);
	KUNIT_EXPECT_FALSE(test, s->late);
	KUNIT_EXPECT_GT(test, atomic_read(&s->queued), 0);
}

static void storm_is_stopped_from_the_top(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 4, 8);
	int i;

	for (i = 0; i < STORM_ROUNDS; i++)
		storm_round(test, pool);
}

/* 100 blocked in each of three subtrees, at two levels; one is stopped. */
static void stop_leaves_other_subtrees_alone(struct kunit *test)
{
	static const char * const names[] = { "a", "b", "c" };
	struct gated *g = gated_array(test, 300);
	struct kpool *pool = test_pool(test, 0, 300);
	struct kpool_group *group[3];
	int i;

	for (i = 0; i < 3; i++) {
		struct kpool_group *below;

		group[i] = test_group(test, pool, names[i], 0, 0);
		below = test_subgroup(test, group[i], "below", NULL);
		expect_queued(test, group[i], &g[100 * i], 50);
		expect_queued(test, below, &g[100 * i + 50], 50);
	}
	expect_started(test, g, 300);
	expect_stop(test, group[1]);
	expect_told(test, &g[100], 100);
	KUNIT_EXPECT_EQ(test, 200, pool_running(pool));
	gated_open_all(g, 300);
	for (i = 0; i < 300; i++) {
		if (i >= 100 && i < 200)
			continue;
		expect_over(test, &g[i], 1);
		KUNIT_EXPECT_FALSE(test, g[i].told);
		KUNIT_EXPECT_FALSE(test, g[i].signalled);
	}
}

static void wait_covers_lower_groups(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *chain[LEVELS];
	struct test_thread *thread;

	make_chain(test, pool, chain, LEVELS, -1, NULL);
	expect_queued(test, chain[LEVELS - 1], g, 1);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, kpool_group_wait_timeout(chain[0], 0));
	thread = run_thread(test, group_wait_thread, chain[0]);
	expect_soon(test, count_waiters(pool, &chain[0]->waiters) == 1);
	KUNIT_EXPECT_FALSE(test, thread_done(thread));
	gated_open(g);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, thread));
}

/* A bug of the caller, so it is warned about; nothing is stopped or freed. */
static void destroy_with_children_is_ebusy(struct kunit *test)
{
	struct gated *g = gated_array(test, 2);
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *top = test_group(test, pool, "top", 0, 0);
	struct kpool_group *low = test_subgroup(test, top, "low", NULL);

	expect_queued(test, low, g, 1);
	expect_started(test, g, 1);
	report_begin("WARNING: .*kpool_group_destroy");
	KUNIT_EXPECT_EQ(test, -EBUSY, kpool_group_destroy(top));
	KUNIT_EXPECT_EQ(test, 1, report_lines("group top has groups below it"));
	report_end();
	expect_queued(test, top, &g[1], 1);
	gated_open_all(g, 2);
	expect_over(test, g, 2);
	KUNIT_EXPECT_FALSE(test, g[0].told);
}

static void pool_is_destroyed_before_nested_groups(struct kunit *test)
{
	struct kpool_group_params params = { .reserve = 1 };
	struct gated *g = gated_array(test, 2);
	struct kpool *pool = test_pool(test, 0, 2);
	struct kpool_group *top, *low;

	top = kpool_group_create(kpool_root(pool), "top", &params);
	KUNIT_ASSERT_FALSE(test, IS_ERR(top));
	low = kpool_group_create(top, "low", &params);
	KUNIT_ASSERT_FALSE(test, IS_ERR(low));
	expect_queued(test, low, g, 1);
	expect_started(test, g, 1);
	report_begin("nothing");
	test_pool_destroy(test, pool);
	KUNIT_EXPECT_EQ(test, 1, report_lines("destroyed before its group top"));
	KUNIT_EXPECT_EQ(test, 1, report_lines("destroyed before its group low"));
	pr_info("nothing else was reported\n");
	report_end();
	expect_told(test, g, 1);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(top, &g[1].work));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(low, &g[1].work));
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-ESHUTDOWN),
			    kpool_group_create(low, "lower", NULL));
	expect_stop(test, top);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_destroy(low));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_destroy(top));
}

static struct kunit_case tree_cases[] = {
	KUNIT_CASE(eight_levels_work),
	KUNIT_CASE(max_active_counts_the_subtree),
	KUNIT_CASE(max_queued_counts_the_subtree),
	KUNIT_CASE(blocked_subtree_blocks_no_sibling),
	KUNIT_CASE(siblings_take_turns_at_each_level),
	KUNIT_CASE(own_works_take_their_turn),
	KUNIT_CASE(free_slot_goes_by_turns),
	KUNIT_CASE(slot_of_cancelled_is_passed_on),
	KUNIT_CASE(slot_of_stopped_is_passed_on),
	KUNIT_CASE(storm_is_stopped_from_the_top),
	KUNIT_CASE(stop_leaves_other_subtrees_alone),
	KUNIT_CASE(wait_covers_lower_groups),
	KUNIT_CASE(destroy_with_children_is_ebusy),
	KUNIT_CASE(pool_is_destroyed_before_nested_groups),
	{}
};

static struct kunit_suite tree_suite = {
	.name = "kpool_tree",
	.test_cases = tree_cases,
};

kunit_test_suite(tree_suite);
