// SPDX-License-Identifier: GPL-2.0-only
/* Queueing in a special way: KPOOL_NOQUEUE and KPOOL_FRONT. */
#include "helpers.h"

#define QUEUERS		4
#define TRIES		16

static void noqueue_starts_on_an_idle_thread(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);

	KUNIT_EXPECT_EQ(test, 0, kpool_queue_flags(kpool_root(pool), &g->work,
						   KPOOL_NOQUEUE));
	KUNIT_EXPECT_EQ(test, 0, pool_pending(pool));
	expect_started(test, g, 1);
	gated_open(g);
	expect_over(test, g, 1);
}

/* Nor is a thread created for it, though the pool may have one more. */
static void noqueue_refuses_without_an_idle_thread(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 2);
	struct kpool_group *root = kpool_root(pool);
	struct gated *g = gated_array(test, 2);

	expect_queued(test, root, g, 1);
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_queue_flags(root, &g[1].work,
							 KPOOL_NOQUEUE));
	KUNIT_EXPECT_FALSE(test, kpool_work_busy(&g[1].work));
	KUNIT_EXPECT_TRUE(test, stays(pool_threads(pool) == 1));
	gated_open_all(g, 2);
	expect_over(test, g, 1);
	expect_soon(test, pool_idle(pool) == 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue_flags(root, &g[1].work,
						   KPOOL_NOQUEUE));
	expect_over(test, &g[1], 1);
}

static void noqueue_refuses_without_a_slot(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 3, 3);
	struct kpool_group *group = test_group(test, pool, "g", 2, 0);
	struct gated *g = gated_array(test, 3);

	expect_queued(test, group, g, 2);
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_queue_flags(group, &g[2].work,
							 KPOOL_NOQUEUE));
	KUNIT_EXPECT_EQ(test, 0, kpool_queue_flags(kpool_root(pool),
						   &g[2].work, KPOOL_NOQUEUE));
	gated_open_all(g, 3);
	expect_over(test, g, 3);
}

/* What would have to wait for the end of its own run is refused, too. */
static void noqueue_refuses_a_running_work(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 1, 0);
	struct gated *g = gated_array(test, 2);

	expect_queued(test, group, g, 2);
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_queue_flags(group, &g[0].work,
							 KPOOL_NOQUEUE));
	KUNIT_EXPECT_EQ(test, -EALREADY, kpool_queue_flags(group, &g[1].work,
							   KPOOL_NOQUEUE));
	gated_open_all(g, 2);
	expect_over(test, g, 2);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g[0].runs));
}

struct queuer {
	struct kpool_group *group;
	struct gated *g;
	struct completion *go;
	int accepted;
	int odd;		/* an answer that cannot be */
};

static int queuer_fn(void *arg)
{
	struct queuer *q = arg;
	int i, err;

	wait_for_completion(q->go);
	for (i = 0; i < TRIES; i++) {
		err = kpool_queue_flags(q->group, &q->g[i].work,
					KPOOL_NOQUEUE);
		if (!err)
			q->accepted++;
		else if (err != -EAGAIN)
			q->odd = err;
	}
	return 0;
}

/* As many as there are slots, or threads, whichever is less; never more. */
static bool expect_accepted(struct kunit *test, struct kpool *pool,
			    struct kpool_group *group, int exactly)
{
	struct gated *g = gated_array(test, QUEUERS * TRIES);
	struct test_thread *threads[QUEUERS];
	struct completion *go;
	struct queuer *q;
	int i, accepted = 0;

	go = kunit_kzalloc(test, sizeof(*go), GFP_KERNEL);
	q = kunit_kcalloc(test, QUEUERS, sizeof(*q), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, go);
	KUNIT_ASSERT_NOT_NULL(test, q);
	init_completion(go);
	for (i = 0; i < QUEUERS; i++) {
		q[i].group = group;
		q[i].g = &g[i * TRIES];
		q[i].go = go;
		threads[i] = run_thread(test, queuer_fn, &q[i]);
	}
	complete_all(go);
	for (i = 0; i < QUEUERS; i++) {
		join_thread(test, threads[i]);
		accepted += q[i].accepted;
		KUNIT_EXPECT_EQ(test, 0, q[i].odd);
	}
	KUNIT_EXPECT_EQ(test, exactly, accepted);
	KUNIT_EXPECT_EQ(test, 0, pool_pending(pool));
	expect_soon(test, count_started(g, QUEUERS * TRIES) == accepted);
	gated_open_all(g, QUEUERS * TRIES);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(kpool_root(pool),
							  DEADLINE));
	return accepted == exactly && expect_soon(test, pool_idle(pool) == 8);
}

static void noqueue_is_strict_from_many_cpus(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 8, 16);
	struct kpool_group *five = test_group(test, pool, "five", 5, 0);
	int round;

	for (round = 0; round < 5; round++)
		if (!expect_accepted(test, pool, kpool_root(pool), 8) ||
		    !expect_accepted(test, pool, five, 5))
			break;
}

/* One thread, which g[0] keeps. */
static struct kpool *held_pool(struct kunit *test, struct gated *g)
{
	struct kpool *pool = test_pool(test, 1, 1);

	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	return pool;
}

static void queue_front(struct kunit *test, struct kpool_group *group,
			struct gated *g)
{
	KUNIT_EXPECT_EQ(test, 0,
			kpool_queue_flags(group, &g->work, KPOOL_FRONT));
}

static void expect_order(struct kunit *test, struct gated *g, const int *order,
			 int n)
{
	int i;

	gated_open_all(g, n + 1);
	expect_over(test, g, n + 1);
	for (i = 0; i + 1 < n; i++)
		KUNIT_EXPECT_LT_MSG(test, g[order[i]].order,
				    g[order[i + 1]].order, "place %d", i + 1);
}

static void front_starts_first(struct kunit *test)
{
	static const int order[] = { 4, 3, 1, 2 };
	struct gated *g = gated_array(test, 5);
	struct kpool *pool = held_pool(test, g);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);

	expect_queued(test, group, &g[1], 2);
	queue_front(test, group, &g[3]);
	queue_front(test, group, &g[4]);
	expect_order(test, g, order, 4);
}

/* It is before the others of its group, which is after the other group. */
static void front_gains_no_turn(struct kunit *test)
{
	static const int order[] = { 1, 4, 2, 3 };
	struct gated *g = gated_array(test, 5);
	struct kpool *pool = held_pool(test, g);
	struct kpool_group *a = test_group(test, pool, "a", 0, 0);
	struct kpool_group *b = test_group(test, pool, "b", 0, 0);

	expect_queued(test, a, &g[1], 2);
	expect_queued(test, b, &g[3], 1);
	queue_front(test, b, &g[4]);
	expect_order(test, g, order, 4);
}

static void front_of_a_running_work_is_kept(struct kunit *test)
{
	static const int order[] = { 0, 1, 2 };
	struct gated *g = gated_array(test, 3);
	struct kpool *pool = held_pool(test, g);

	expect_queued(test, kpool_root(pool), &g[1], 2);
	queue_front(test, kpool_root(pool), g);
	KUNIT_EXPECT_EQ(test, -EALREADY, kpool_queue(kpool_root(pool),
						     &g->work));
	expect_order(test, g, order, 2);
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&g->runs));
	/* its second run was before the first of the others */
	KUNIT_EXPECT_LT(test, g->order, g[1].order);
}

/* One that was to go to the front and was cancelled: nothing is left of it. */
static void front_does_not_outlive_its_queueing(struct kunit *test)
{
	struct gated *g = gated_array(test, 2);
	struct kpool *pool = held_pool(test, g);
	struct kpool_group *root = kpool_root(pool);

	queue_front(test, root, g);
	kpool_work_cancel_sync(&g->work);
	expect_queued(test, root, g, 1);
	expect_soon(test, atomic_read(&g->runs) == 2);
	expect_queued(test, root, &g[1], 1);
	expect_queued(test, root, g, 1);
	gated_open_all(g, 2);
	expect_over(test, g, 2);
	KUNIT_EXPECT_LT(test, g[1].order, g[0].order);
}

static void ordered_group_refuses_front(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *one = test_group(test, pool, "one", 1, 0);
	struct kpool_group *two = test_group(test, pool, "two", 2, 0);
	struct kpool_group *root = kpool_root(pool);
	struct gated *g = gated_array(test, 2);

	gated_open_all(g, 2);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			kpool_queue_flags(one, &g[0].work, KPOOL_FRONT));
	queue_front(test, two, &g[0]);
	expect_over(test, g, 1);
	/* also if it is an upper group that is ordered */
	root->max_active = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			kpool_queue_flags(two, &g[1].work, KPOOL_FRONT));
	root->max_active = 0;
	KUNIT_EXPECT_FALSE(test, kpool_work_busy(&g[1].work));
}

static void unknown_flag_is_einval(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);

	KUNIT_EXPECT_EQ(test, -EINVAL, kpool_queue_flags(kpool_root(pool),
							 &g->work, BIT(2)));
	KUNIT_EXPECT_EQ(test, -EINVAL, kpool_queue_flags(kpool_root(pool),
							 &g->work, BIT(31)));
	KUNIT_EXPECT_FALSE(test, kpool_work_busy(&g->work));
}

static struct kunit_case flags_cases[] = {
	KUNIT_CASE(noqueue_starts_on_an_idle_thread),
	KUNIT_CASE(noqueue_refuses_without_an_idle_thread),
	KUNIT_CASE(noqueue_refuses_without_a_slot),
	KUNIT_CASE(noqueue_refuses_a_running_work),
	KUNIT_CASE(noqueue_is_strict_from_many_cpus),
	KUNIT_CASE(front_starts_first),
	KUNIT_CASE(front_gains_no_turn),
	KUNIT_CASE(front_of_a_running_work_is_kept),
	KUNIT_CASE(front_does_not_outlive_its_queueing),
	KUNIT_CASE(ordered_group_refuses_front),
	KUNIT_CASE(unknown_flag_is_einval),
	{}
};

static struct kunit_suite flags_suite = {
	.name = "kpool_flags",
	.test_cases = flags_cases,
};

kunit_test_suite(flags_suite);
