// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits that could not end are refused, whatever the circle is made of, and
 * no others.
 *
 * Who waits in these cases knows what he does, so lockdep is told to look
 * away: the circles are real.  The last wait of each is the one that is
 * refused, so the cases wait until the others wait.
 */
#include <linux/lockdep.h>
#include <linux/slab.h>

#include "helpers.h"

/* What a work does once it may go on. */
enum deed {
	WAIT, WAIT_KILLABLE, WAIT_TIMED, CANCEL, IDLE, STOP, CALL, START, ROOM
};

/* A work that waits for another one, or for a group. */
struct actor {
	struct kpool_work work;
	enum deed deed;
	struct kpool_work *target;
	struct kpool_group *group;
	unsigned long timeout;
	struct completion started;
	struct completion go;
};

static int called(void *unused)
{
	return 0;
}

static int act(struct actor *a)
{
	switch (a->deed) {
	case WAIT:
		return kpool_work_wait(a->target, NULL);
	case WAIT_KILLABLE:
		return kpool_work_wait_killable(a->target, NULL);
	case WAIT_TIMED:
		return kpool_work_wait_timeout(a->target, NULL, a->timeout);
	case CANCEL:
		return kpool_work_cancel_sync(a->target);
	case IDLE:
		return kpool_group_wait(a->group);
	case STOP:
		return kpool_group_stop(a->group);
	case CALL:
		return kpool_call(a->group, called, NULL, NULL);
	case START:
		return kpool_start(a->group, a->target);
	case ROOM:
		return kpool_queue_wait(a->group, a->target,
					MAX_SCHEDULE_TIMEOUT);
	}
	return -EINVAL;
}

static int actor_fn(struct kpool_work *work)
{
	struct actor *a = container_of(work, struct actor, work);
	int ret;

	complete(&a->started);
	wait_for_completion(&a->go);
	lockdep_off();
	ret = act(a);
	lockdep_on();
	return ret;
}

static void free_actors(void *actors)
{
	kfree(actors);
}

/* They end before their memory does, for pools of the case are made later. */
static struct actor *actors(struct kunit *test, int n)
{
	struct actor *a = kcalloc(n, sizeof(*a), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_actors,
							   a));
	for (i = 0; i < n; i++) {
		kpool_work_init(&a[i].work, actor_fn);
		init_completion(&a[i].started);
		init_completion(&a[i].go);
	}
	return a;
}

static void start(struct kunit *test, struct kpool_group *group,
		  struct actor *a)
{
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &a->work));
	expect_done(test, &a->started);
}

/* Let one wait for a work, and see it on the list of that. */
static void waits_for(struct kunit *test, struct actor *a, enum deed deed,
		      struct kpool_work *target)
{
	a->deed = deed;
	a->target = target;
	complete(&a->go);
	expect_soon(test, count_waiters(target->group->pool,
					&target->waiters));
	/* and asleep, or at least on the list of those who are about to */
	if (deed != WAIT_TIMED)
		expect_soon(test, READ_ONCE(a->work.worker->wait));
}

/* Let one do the last thing, which is answered at once. */
static void last(struct actor *a, enum deed deed, struct kpool_work *target,
		 struct kpool_group *group)
{
	a->deed = deed;
	a->target = target;
	a->group = group;
	complete(&a->go);
}

static void expect_result(struct kunit *test, struct actor *a, int expected)
{
	int result = 1;

	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&a->work, &result,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, expected, result);
}

static void circle_of_two(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool_group *root = kpool_root(test_pool(test, 0, 2));

	start(test, root, &a[0]);
	start(test, root, &a[1]);
	waits_for(test, &a[0], WAIT, &a[1].work);
	last(&a[1], WAIT, &a[0].work, NULL);
	expect_result(test, &a[1], -EDEADLK);
	expect_result(test, &a[0], 0);
}

static void circle_of_three_across_pools(struct kunit *test)
{
	struct actor *a = actors(test, 3);
	int i;

	for (i = 0; i < 3; i++)
		start(test, kpool_root(test_pool(test, 0, 1)), &a[i]);
	waits_for(test, &a[1], WAIT, &a[2].work);
	waits_for(test, &a[0], WAIT, &a[1].work);
	last(&a[2], WAIT, &a[0].work, NULL);
	expect_result(test, &a[2], -EDEADLK);
	expect_result(test, &a[1], 0);
	expect_result(test, &a[0], 0);
}

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

static void stop_round_a_circle(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool *pool = test_pool(test, 0, 2);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);

	start(test, group, &a[0]);
	start(test, kpool_root(pool), &a[1]);
	waits_for(test, &a[0], WAIT, &a[1].work);
	last(&a[1], STOP, NULL, group);
	expect_result(test, &a[1], -EDEADLK);
	expect_result(test, &a[0], 0);
	/* stopped it is */
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(group, &a[0].work));
}

static void idle_round_a_circle(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool *pool = test_pool(test, 0, 2);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);

	start(test, group, &a[0]);
	start(test, kpool_root(pool), &a[1]);
	waits_for(test, &a[0], WAIT, &a[1].work);
	last(&a[1], IDLE, NULL, group);
	expect_result(test, &a[1], -EDEADLK);
	expect_result(test, &a[0], 0);
}

static void cancel_round_a_circle(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool_group *root = kpool_root(test_pool(test, 0, 2));

	start(test, root, &a[0]);
	start(test, root, &a[1]);
	waits_for(test, &a[0], WAIT, &a[1].work);
	last(&a[1], CANCEL, &a[0].work, NULL);
	expect_result(test, &a[1], -EDEADLK);
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

struct releasing {
	struct kpool_work work;
	struct kpool_group *group;
	int err;
};

static int releasing_fn(struct kpool_work *work)
{
	return 0;
}

static void waiting_release(struct kpool_work *work)
{
	struct releasing *r = container_of(work, struct releasing, work);

	lockdep_off();
	r->err = kpool_group_wait(r->group);
	lockdep_on();
}

/* Of a work that was cancelled: it executes in no worker. */
static void release_function_in_a_circle(struct kunit *test)
{
	struct actor *a = actors(test, 1);
	struct kpool *pool = test_pool(test, 0, 1);
	struct kpool_group *x = test_group(test, pool, "x", 0, 0);
	struct kpool_group *y = test_group(test, pool, "y", 0, 0);
	static struct releasing r;

	r.group = x;
	r.err = 1;
	kpool_work_init_release(&r.work, releasing_fn, waiting_release);
	start(test, x, &a[0]);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(y, &r.work));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING, kpool_work_cancel(&r.work));
	expect_soon(test, READ_ONCE(x->nr_stuck) || READ_ONCE(y->nr_stuck));
	last(&a[0], IDLE, NULL, y);
	expect_result(test, &a[0], -EDEADLK);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(y, DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, r.err);
}

/* A wait that will give up by itself keeps nobody. */
static void timed_wait_is_no_part(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool_group *root = kpool_root(test_pool(test, 0, 2));

	start(test, root, &a[0]);
	start(test, root, &a[1]);
	waits_for(test, &a[0], WAIT, &a[1].work);
	a[1].timeout = HZ / 10;
	last(&a[1], WAIT_TIMED, &a[0].work, NULL);
	expect_result(test, &a[1], -ETIMEDOUT);
	expect_result(test, &a[0], 0);
}

static void wait_for_a_timed_wait(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool_group *root = kpool_root(test_pool(test, 0, 2));

	start(test, root, &a[0]);
	start(test, root, &a[1]);
	a[0].timeout = 2 * HZ;
	waits_for(test, &a[0], WAIT_TIMED, &a[1].work);
	last(&a[1], WAIT, &a[0].work, NULL);
	expect_result(test, &a[1], 0);
	expect_result(test, &a[0], -ETIMEDOUT);
}

/* One that was told ends, so who waits for it may. */
static void told_wait_is_no_part(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool *pool = test_pool(test, 0, 2);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);

	start(test, group, &a[0]);
	start(test, kpool_root(pool), &a[1]);
	waits_for(test, &a[0], WAIT_KILLABLE, &a[1].work);
	last(&a[1], STOP, NULL, group);
	expect_result(test, &a[1], 0);
	expect_result(test, &a[0], -EINTR);
}

/* No signal comes, and the wait goes on. */
static void told_without_a_signal_is_a_part(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool *pool = test_pool(test, 0, 2);
	struct kpool_group *group;

	group = test_subgroup(test, kpool_root(pool), "a",
			      &(struct kpool_group_params) {
				.flags = KPOOL_NOSIGNAL,
			      });
	start(test, group, &a[0]);
	start(test, kpool_root(pool), &a[1]);
	waits_for(test, &a[0], WAIT_KILLABLE, &a[1].work);
	last(&a[1], STOP, NULL, group);
	expect_result(test, &a[1], -EDEADLK);
	expect_result(test, &a[0], 0);
}

/* It was cancelled, and the signal is under way. */
static void circle_that_is_broken_by_a_cancel(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool *pool = test_pool(test, 0, 2);
	struct kpool_group *root = kpool_root(pool);

	start(test, root, &a[0]);
	start(test, root, &a[1]);
	waits_for(test, &a[0], WAIT_KILLABLE, &a[1].work);
	hold_at(test, pool, KPOOL_AT_SEND);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_work_cancel(&a[0].work));
	hold_reached(test);
	waits_for(test, &a[1], WAIT, &a[0].work);
	hold_release();
	expect_result(test, &a[0], -EINTR);
	expect_result(test, &a[1], 0);
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

/* The same of a group that has reserved it: it gets the thread. */
static void wait_for_a_covered_work(struct kunit *test)
{
	struct actor *a = actors(test, 2);
	struct kpool *pool = test_pool(test, 0, 2);
	struct kpool_group *group;

	group = test_subgroup(test, kpool_root(pool), "r",
			      &(struct kpool_group_params) {
				.reserve = 1, .max_active = 1,
			      });
	start(test, kpool_root(pool), &a[0]);
	start(test, group, &a[1]);
	last(&a[1], CALL, NULL, group);
	last(&a[0], CALL, NULL, group);
	expect_result(test, &a[1], -EDEADLK);
	expect_result(test, &a[0], 0);
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

#define STORM	64

/* Each waits for one before it, and the first for itself. */
static void storm_without_circles(struct kunit *test)
{
	struct actor *a = actors(test, STORM);
	struct kpool_group *root = kpool_root(test_pool(test, 0, STORM));
	int i, round;

	for (round = 0; round < 5; round++) {
		for (i = 0; i < STORM; i++) {
			reinit_completion(&a[i].go);
			a[i].deed = !i ? CALL : i % 3 ? WAIT : WAIT_KILLABLE;
			a[i].target = &a[i / 2].work;
			a[i].group = root;
			KUNIT_EXPECT_EQ(test, 0, kpool_queue(root, &a[i].work));
		}
		for (i = STORM - 1; i >= 0; i--)
			complete(&a[i].go);
		for (i = 0; i < STORM; i++)
			expect_result(test, &a[i], i ? 0 : -EDEADLK);
	}
}

static struct kunit_case deadlock_cases[] = {
	KUNIT_CASE(circle_of_two),
	KUNIT_CASE(circle_of_three_across_pools),
	KUNIT_CASE(holder_of_the_only_slot),
	KUNIT_CASE(last_thread_of_a_full_pool),
	KUNIT_CASE(stop_round_a_circle),
	KUNIT_CASE(idle_round_a_circle),
	KUNIT_CASE(cancel_round_a_circle),
	KUNIT_CASE(call_behind_a_full_group),
	KUNIT_CASE(idle_behind_a_full_pool),
	KUNIT_CASE(release_function_in_a_circle),
	KUNIT_CASE(timed_wait_is_no_part),
	KUNIT_CASE_SLOW(wait_for_a_timed_wait),
	KUNIT_CASE(told_wait_is_no_part),
	KUNIT_CASE(told_without_a_signal_is_a_part),
	KUNIT_CASE(circle_that_is_broken_by_a_cancel),
	KUNIT_CASE(first_in_waits_for_what_it_holds_up),
	KUNIT_CASE(last_out_waits_for_what_it_holds_up),
	KUNIT_CASE(call_behind_a_reserve),
	KUNIT_CASE(wait_for_a_covered_work),
	KUNIT_CASE(start_round_a_circle),
	KUNIT_CASE(room_round_a_circle),
	KUNIT_CASE(full_group_that_goes_on),
	KUNIT_CASE_SLOW(storm_without_circles),
	{}
};

static struct kunit_suite deadlock_suite = {
	.name = "kpool_deadlock",
	.test_cases = deadlock_cases,
};

kunit_test_suite(deadlock_suite);
