// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same of waits for what is pending and cannot start, since those who wait
 * have its slot, its thread, or its room, or are in a hook that holds it up.
 */
#include "deadlock_fixture.h"

/* The second waits behind the first, which has the only slot. */
static void holder_of_the_only_slot(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool *pool = test_pool(test, 0, 3);
	struct kpool_group *group = test_group(test, pool, "a", 1, 0);

	start(test, group, &a[0]);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &a[1].work));
	last(&a[1], CALL, NULL, group);
	last(&a[0], WAIT, &a[1].work, NULL);
	expect_result(test, &a[0], -EDEADLK);
	expect_result(test, &a[1], -EDEADLK);
}

/* No thread is left for what all of them wait for. */
static void last_thread_of_a_full_pool(struct kunit *test)
{
	struct actor *a = actors(test, 3);
	struct kpool_group *root = kpool_root(test_pool(test, 0, 2));

	start(test, root, &a[0]);
	start(test, root, &a[1]);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(root, &a[2].work));
	last(&a[2], CALL, NULL, root);
	waits_for(test, &a[0], WAIT, &a[2].work);
	last(&a[1], WAIT, &a[2].work, NULL);
	expect_result(test, &a[1], -EDEADLK);
	/* the second has made room for the third */
	expect_result(test, &a[2], -EDEADLK);
	expect_result(test, &a[0], 0);
}

/* The call is taken back: nothing of it runs later. */
static void call_behind_a_full_group(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool *pool = test_pool(test, 0, 3);
	struct kpool_group *group = test_group(test, pool, "a", 1, 0);

	start(test, group, &a[0]);
	start(test, kpool_root(pool), &a[1]);
	waits_for(test, &a[0], WAIT, &a[1].work);
	last(&a[1], CALL, NULL, group);
	expect_result(test, &a[1], -EDEADLK);
	KUNIT_EXPECT_EQ(test, 0, pool_pending(pool));
	expect_result(test, &a[0], 0);
}

/* What could not start is his again: nothing of it was queued. */
static void start_round_a_circle(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct gated *g = gated_array(test, 1);
	struct kpool *pool = test_pool(test, 0, 3);
	struct kpool_group *group = test_group(test, pool, "a", 1, 0);

	kpool_work_init_release(&g->work, g->work.fn, gated_release);
	start(test, group, &a[0]);
	start(test, kpool_root(pool), &a[1]);
	waits_for(test, &a[0], WAIT, &a[1].work);
	last(&a[1], START, &g->work, group);
	expect_result(test, &a[1], -EDEADLK);
	expect_result(test, &a[0], 0);
	KUNIT_EXPECT_EQ(test, 0, pool_pending(pool));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&g->released));
}

/* There is room when one of them starts, which waits for who wants room. */
static void room_round_a_circle(struct kunit *test)
{
	struct actor *a = actors(test, 3);
	struct kpool *pool = test_pool(test, 0, 3);
	struct kpool_group *group = test_group(test, pool, "a", 1, 1);
	struct gated *g = gated_array(test, 1);

	start(test, group, &a[0]);
	start(test, kpool_root(pool), &a[1]);
	gated_open(g);
	expect_queued(test, group, g, 1);
	waits_for(test, &a[0], WAIT, &a[1].work);
	last(&a[1], ROOM, &a[2].work, group);
	expect_result(test, &a[1], -EDEADLK);
	expect_result(test, &a[0], 0);
	expect_over(test, g, 1);
}

/* A group cannot become idle, for what is pending in it cannot start. */
static void idle_behind_a_full_pool(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool *pool = test_pool(test, 0, 1);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);

	start(test, kpool_root(pool), &a[0]);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &a[1].work));
	last(&a[0], IDLE, NULL, group);
	expect_result(test, &a[0], -EDEADLK);
	last(&a[1], CALL, NULL, group);
	expect_result(test, &a[1], -EDEADLK);
}

/* A hook that waits for what starts behind it. */
struct hooked {
	struct kpool_work *waited;
	struct kpool_group *called;
	int wait_err;
	int call_err;
};

static void waiting_hook(struct kpool_group *group)
{
	struct hooked *h = kpool_group_data(group);

	lockdep_off();
	h->wait_err = kpool_work_wait(h->waited, NULL);
	h->call_err = kpool_call(h->called, called, NULL, NULL);
	lockdep_on();
}

/* Returns a group with such a hook, and something pending below it. */
static struct kpool_group *hooked_group(struct kunit *test, struct kpool *pool,
					bool last_out, struct hooked *h)
{
	struct kpool_group_params params = { .data = h };
	struct kpool_group *group;

	if (last_out)
		params.last_out = waiting_hook;
	else
		params.first_in = waiting_hook;
	group = test_subgroup(test, kpool_root(pool), "a", &params);
	h->called = test_subgroup(test, group, "b", NULL);
	h->wait_err = 1;
	h->call_err = 1;
	return group;
}

static void first_in_waits_for_what_it_holds_up(struct kunit *test)
{
	struct hooked *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);
	struct gated *g = gated_array(test, 2);
	struct kpool *pool = test_pool(test, 0, 3);
	struct kpool_group *group;

	KUNIT_ASSERT_NOT_NULL(test, h);
	group = hooked_group(test, pool, false, h);
	h->waited = &g[1].work;
	gated_open_all(g, 2);
	hold_at(test, pool, KPOOL_AT_START);
	expect_queued(test, test_subgroup(test, group, "c", NULL), g, 1);
	hold_reached(test);
	expect_queued(test, group, g + 1, 1);
	hold_release();
	expect_over(test, g, 2);
	KUNIT_EXPECT_EQ(test, -EDEADLK, h->wait_err);
	KUNIT_EXPECT_EQ(test, -EDEADLK, h->call_err);
}

static void last_out_waits_for_what_it_holds_up(struct kunit *test)
{
	struct hooked *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);
	struct gated *g = gated_array(test, 1);
	struct kpool *pool = test_pool(test, 0, 3);
	struct kpool_group *group;

	KUNIT_ASSERT_NOT_NULL(test, h);
	group = hooked_group(test, pool, true, h);
	h->waited = &g->work;
	expect_queued(test, test_subgroup(test, group, "c", NULL), g, 1);
	expect_started(test, g, 1);
	/* once more: pending until the hook of the first run has returned */
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(g->work.group, &g->work));
	gated_open(g);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
	KUNIT_EXPECT_EQ(test, -EDEADLK, h->call_err);
}

/* Threads are free, but held back for another group. */
static void call_behind_a_reserve(struct kunit *test)
{
	struct actor *a = actors(test, 1);
	struct kpool *pool = test_pool(test, 0, 2);
	struct kpool_group *group = test_group(test, pool, "a", 1, 0);
	struct gated *g = gated_array(test, 2);

	test_subgroup(test, kpool_root(pool), "r",
		      &(struct kpool_group_params) { .reserve = 1 });
	start(test, kpool_root(pool), &a[0]);
	expect_queued(test, group, g, 1);
	gated_open(g);
	last(&a[0], WAIT, &g->work, NULL);
	expect_result(test, &a[0], -EDEADLK);
	expect_over(test, g, 1);
}

/* The thread that comes free next is held back, for just this work. */
static void wait_for_a_covered_work(struct kunit *test)
{
	struct actor *a = actors(test, 1);
	struct kpool *pool = test_pool(test, 0, 2);
	struct gated *g = gated_array(test, 2);
	struct kpool_group *group;

	start(test, kpool_root(pool), &a[0]);
	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	group = test_subgroup(test, kpool_root(pool), "r",
			      &(struct kpool_group_params) { .reserve = 1 });
	expect_queued(test, group, &g[1], 1);
	waits_for(test, &a[0], WAIT, &g[1].work);
	gated_open_all(g, 2);
	expect_result(test, &a[0], 0);
	expect_over(test, g, 2);
}

/* What is pending behind a full group starts, if one of it can end. */
static void full_group_that_goes_on(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct gated *g = gated_array(test, 1);
	struct kpool *pool = test_pool(test, 0, 3);
	struct kpool_group *group = test_group(test, pool, "a", 2, 0);

	start(test, group, &a[0]);
	expect_queued(test, group, g, 1);
	expect_started(test, g, 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &a[1].work));
	last(&a[1], CALL, NULL, group);
	waits_for(test, &a[0], WAIT, &a[1].work);
	gated_open(g);
	expect_result(test, &a[0], 0);
	expect_result(test, &a[1], -EDEADLK);
	expect_over(test, g, 1);
}

static struct kunit_case obstacle_cases[] = {
	KUNIT_CASE(holder_of_the_only_slot),
	KUNIT_CASE(last_thread_of_a_full_pool),
	KUNIT_CASE(call_behind_a_full_group),
	KUNIT_CASE(idle_behind_a_full_pool),
	KUNIT_CASE(first_in_waits_for_what_it_holds_up),
	KUNIT_CASE(last_out_waits_for_what_it_holds_up),
	KUNIT_CASE(call_behind_a_reserve),
	KUNIT_CASE(wait_for_a_covered_work),
	KUNIT_CASE(start_round_a_circle),
	KUNIT_CASE(room_round_a_circle),
	KUNIT_CASE(full_group_that_goes_on),
	{}
};

static struct kunit_suite obstacle_suite = {
	.name = "kpool_obstacle",
	.test_cases = obstacle_cases,
};

kunit_test_suite(obstacle_suite);
