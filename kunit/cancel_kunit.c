// SPDX-License-Identifier: GPL-2.0-only
/* Cancelling a work, wherever it is. */
#include <linux/err.h>

#include "helpers.h"

static int wait_thread(void *work)
{
	return kpool_work_wait(work, NULL);
}

static int cancel_sync_thread(void *work)
{
	return kpool_work_cancel_sync(work);
}

static int pool_destroy_thread(void *pool)
{
	return kpool_destroy(pool);
}

struct cancel_call {
	struct gated *g;
	unsigned int n;
	enum kpool_cancel was[3];
};

static void cancel_in(void *arg)
{
	struct cancel_call *call = arg;
	unsigned int i = call->n;

	/* those that wait first, lest they start meanwhile */
	while (i--)
		call->was[i] = kpool_work_cancel(&call->g[i].work);
}

static void expect_told(struct kunit *test, struct gated *g)
{
	expect_done(test, &g->ended);
	KUNIT_EXPECT_TRUE(test, g->told);
	KUNIT_EXPECT_TRUE(test, g->signalled);
}

static void idle_work(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);

	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_IDLE, kpool_work_cancel(&g->work));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_IDLE,
			kpool_work_cancel_sync(&g->work));
	gated_open(g);
	/* what was cancelled when idle may be queued, and is not told */
	expect_queued(test, kpool_root(pool), g, 1);
	expect_over(test, g, 1);
	KUNIT_EXPECT_FALSE(test, g->told);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_IDLE, kpool_work_cancel(&g->work));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait(&g->work, NULL));
}

static void pending_work_never_runs(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 3);
	struct test_thread *waiter;

	expect_queued(test, kpool_root(pool), g, 3);
	waiter = run_thread(test, wait_thread, &g[1].work);
	expect_soon(test, count_waiters(pool, &g[1].work.waiters) == 1);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_work_cancel(&g[1].work));
	KUNIT_EXPECT_EQ(test, -ECANCELED, join_thread(test, waiter));
	KUNIT_EXPECT_FALSE(test, kpool_work_busy(&g[1].work));
	KUNIT_EXPECT_EQ(test, 1, pool_pending(pool));
	gated_open_all(g, 3);
	expect_over(test, &g[2], 1);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&g[1].runs));
	expect_queued(test, kpool_root(pool), &g[1], 1);
	expect_over(test, &g[1], 1);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g[1].runs));
}

/* Needs a context that may sleep, and says who runs it. */
static void sleeping_release(struct kpool_work *work)
{
	struct gated *g = container_of(work, struct gated, work);

	schedule_timeout_uninterruptible(1);
	g->thread = current;
	gated_release(work);
}

/* Waits at the gate, as the function would. */
static void gate_release(struct kpool_work *work)
{
	struct gated *g = container_of(work, struct gated, work);

	complete(&g->started);
	wait_for_completion(&g->gate);
	gated_release(work);
}

/* Released once, by a thread that may sleep, not by the canceller. */
static void pending_work_is_released_in_process_context(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 3);
	struct cancel_call call = { .g = &g[1], .n = 2 };
	int i;

	expect_queued(test, kpool_root(pool), g, 1);
	for (i = 1; i < 3; i++)
		g[i].work.release = sleeping_release;
	expect_queued(test, group, &g[1], 2);
	call_in_hardirq(test, cancel_in, &call);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING, call.was[0]);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING, call.was[1]);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
	for (i = 1; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, 1, atomic_read(&g[i].released));
		KUNIT_EXPECT_FALSE(test, g[i].stray);
		KUNIT_EXPECT_EQ(test, 0, atomic_read(&g[i].runs));
		KUNIT_EXPECT_PTR_NE(test, NULL, g[i].thread);
		KUNIT_EXPECT_PTR_NE(test, current, g[i].thread);
		KUNIT_EXPECT_EQ(test, -ECANCELED,
				kpool_work_wait_timeout(&g[i].work, NULL, 0));
	}
}

static void running_work_is_told(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct gated *g = gated_array(test, 2);

	g[1].sleep = GATE_KILLABLE;
	expect_queued(test, kpool_root(pool), g, 2);
	expect_started(test, g, 2);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_work_cancel(&g[0].work));
	expect_told(test, &g[0]);
	KUNIT_EXPECT_FALSE(test, completion_done(&g[1].ended));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_work_cancel(&g[1].work));
	expect_told(test, &g[1]);
	expect_over(test, g, 2);
}

/* Three works in one interrupt: pending, running, and idle. */
static void from_hardirq(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 3);
	struct cancel_call call = { .g = g, .n = 3 };

	expect_queued(test, kpool_root(pool), g, 2);
	expect_started(test, g, 1);
	call_in_hardirq(test, cancel_in, &call);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING, call.was[0]);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING, call.was[1]);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_IDLE, call.was[2]);
	expect_told(test, g);
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			kpool_work_wait_timeout(&g[1].work, NULL, DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&g[1].runs));
}

static void committed_work_counts_as_running(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);

	hold_at(test, pool, KPOOL_AT_START);
	expect_queued(test, kpool_root(pool), g, 1);
	hold_reached(test);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_work_cancel(&g->work));
	hold_release();
	expect_told(test, g);
	expect_over(test, g, 1);
}

static void refused_until_it_has_ended(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);

	g->sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	kpool_work_cancel(&g->work);
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			kpool_queue(kpool_root(pool), &g->work));
	gated_open(g);
	expect_over(test, g, 1);
	KUNIT_EXPECT_TRUE(test, g->told);
	expect_queued(test, kpool_root(pool), g, 1);
	expect_over(test, g, 1);
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&g->runs));
	KUNIT_EXPECT_FALSE(test, g->told);
}

/* Also while its release function is due. */
static void refused_until_it_is_released(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 3);

	g[1].work.release = gate_release;
	g[2].work.release = gated_release;
	expect_queued(test, group, g, 3);
	kpool_work_cancel(&g[1].work);
	expect_done(test, &g[1].started);
	/* the first one keeps it from being given back */
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_work_cancel(&g[2].work));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_work_cancel(&g[2].work));
	KUNIT_EXPECT_EQ(test, -ECANCELED, kpool_queue(group, &g[2].work));
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			kpool_work_wait_timeout(&g[2].work, NULL, DEADLINE));
	gated_open_all(g, 3);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g[2].released));
	expect_queued(test, group, &g[2], 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g[2].runs));
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&g[2].released));
}

static void further_run_is_dropped(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 1);

	g->work.release = gated_release;
	expect_queued(test, group, g, 1);
	expect_started(test, g, 1);
	expect_queued(test, group, g, 1);
	KUNIT_EXPECT_EQ(test, 1, pool_pending(pool));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_work_cancel(&g->work));
	expect_told(test, g);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g->runs));
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&g->released));
	KUNIT_EXPECT_EQ(test, 0, pool_pending(pool));
	KUNIT_EXPECT_EQ(test, -ECANCELED, kpool_work_wait(&g->work, NULL));
}

static void others_of_the_group_go_on(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct gated *g = gated_array(test, 4);

	expect_queued(test, kpool_root(pool), g, 4);
	expect_started(test, g, 2);
	kpool_work_cancel(&g[0].work);
	kpool_work_cancel(&g[3].work);
	expect_told(test, &g[0]);
	expect_started(test, &g[2], 1);
	KUNIT_EXPECT_TRUE(test, stays(!completion_done(&g[1].ended) &&
				      !completion_done(&g[2].ended)));
	gated_open_all(g, 4);
	expect_over(test, g, 3);
	KUNIT_EXPECT_FALSE(test, g[1].told || g[1].signalled);
	KUNIT_EXPECT_FALSE(test, g[2].told || g[2].signalled || g[2].stray);
}

static void sync_waits_for_the_end(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	struct test_thread *canceller;

	g->sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	canceller = run_thread(test, cancel_sync_thread, &g->work);
	expect_soon(test, count_waiters(pool, &g->work.waiters) == 1);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(canceller)));
	gated_open(g);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			join_thread(test, canceller));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&g->inside));
	KUNIT_EXPECT_TRUE(test, g->told);
	KUNIT_EXPECT_FALSE(test, kpool_work_busy(&g->work));
}

static void sync_takes_a_pending_work_away(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 2);

	expect_queued(test, kpool_root(pool), g, 2);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_work_cancel_sync(&g[1].work));
	KUNIT_EXPECT_FALSE(test, kpool_work_busy(&g[1].work));
	gated_open(g);
	expect_over(test, g, 1);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&g[1].runs));
}

/* A further run does not start, and is not waited for. */
static void sync_drops_a_further_run(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	struct test_thread *canceller;

	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	expect_queued(test, kpool_root(pool), g, 1);
	canceller = run_thread(test, cancel_sync_thread, &g->work);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			join_thread(test, canceller));
	KUNIT_EXPECT_FALSE(test, kpool_work_busy(&g->work));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g->runs));
}

static void many_wait_for_the_end(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	struct test_thread *cancellers[5];
	int i;

	g->sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	for (i = 0; i < ARRAY_SIZE(cancellers); i++)
		cancellers[i] = run_thread(test, cancel_sync_thread, &g->work);
	expect_soon(test, count_waiters(pool, &g->work.waiters) ==
		    ARRAY_SIZE(cancellers));
	gated_open(g);
	for (i = 0; i < ARRAY_SIZE(cancellers); i++)
		KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
				join_thread(test, cancellers[i]));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g->runs));
}

struct own {
	struct kpool_work	work;
	int			err;
	bool			told;
};

static int cancel_own_fn(struct kpool_work *work)
{
	struct own *own = container_of(work, struct own, work);

	own->err = kpool_work_cancel_sync(work);
	own->told = kpool_should_stop();
	return 0;
}

static void itself_is_edeadlk_and_told(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct own *own = kunit_kzalloc(test, sizeof(*own), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, own);
	kpool_work_init(&own->work, cancel_own_fn);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(kpool_root(pool), &own->work));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&own->work, NULL,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, -EDEADLK, own->err);
	KUNIT_EXPECT_TRUE(test, own->told);
}

/* The pool waits for its last work, and that is cancelled by others, too. */
static void while_its_pool_is_destroyed(struct kunit *test)
{
	struct kpool_params params = { .max_threads = 1 };
	struct kpool *pool = kpool_create("cancel", &params);
	struct gated *g = gated_array(test, 2);
	struct test_thread *destroyer, *canceller;

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	g->sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, kpool_root(pool), g, 2);
	expect_started(test, g, 1);
	destroyer = run_thread(test, pool_destroy_thread, pool);
	expect_soon(test, !kpool_work_busy(&g[1].work));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_IDLE,
			kpool_work_cancel(&g[1].work));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_work_cancel(&g[0].work));
	canceller = run_thread(test, cancel_sync_thread, &g[0].work);
	expect_soon(test, count_waiters(pool, &g[0].work.waiters) == 1);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(canceller)));
	gated_open(g);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			join_thread(test, canceller));
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, destroyer));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_IDLE,
			kpool_work_cancel_sync(&g[0].work));
}

/* A release function that ends a running work and waits for that. */
struct ender {
	struct kpool_work	work;
	struct gated		*other;
	struct kpool_group	*sibling;
	int			err;
	int			wait;	/* for a sibling of its group */
};

static int ender_fn(struct kpool_work *work)
{
	return 0;
}

static void ender_release(struct kpool_work *work)
{
	struct ender *e = container_of(work, struct ender, work);

	e->wait = kpool_group_wait_timeout(e->sibling, 0);
	kpool_work_cancel(&e->other->work);
	e->err = kpool_work_wait_timeout(&e->other->work, NULL, DEADLINE);
}

static void release_function_may_cancel_and_wait(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct ender *e = kunit_kzalloc(test, sizeof(*e), GFP_KERNEL);
	struct gated *g = gated_array(test, 1);

	KUNIT_ASSERT_NOT_NULL(test, e);
	kpool_work_init_release(&e->work, ender_fn, ender_release);
	e->other = g;
	e->sibling = test_group(test, pool, "sibling", 0, 0);
	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &e->work));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_work_cancel(&e->work));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, 2 * DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, e->wait);
	KUNIT_EXPECT_EQ(test, 0, e->err);
	KUNIT_EXPECT_TRUE(test, g->signalled);
}

static struct kunit_case cancel_cases[] = {
	KUNIT_CASE(idle_work),
	KUNIT_CASE(pending_work_never_runs),
	KUNIT_CASE(pending_work_is_released_in_process_context),
	KUNIT_CASE(running_work_is_told),
	KUNIT_CASE(from_hardirq),
	KUNIT_CASE(committed_work_counts_as_running),
	KUNIT_CASE(refused_until_it_has_ended),
	KUNIT_CASE(refused_until_it_is_released),
	KUNIT_CASE(further_run_is_dropped),
	KUNIT_CASE(others_of_the_group_go_on),
	KUNIT_CASE(sync_waits_for_the_end),
	KUNIT_CASE(sync_takes_a_pending_work_away),
	KUNIT_CASE(sync_drops_a_further_run),
	KUNIT_CASE(many_wait_for_the_end),
	KUNIT_CASE(itself_is_edeadlk_and_told),
	KUNIT_CASE(while_its_pool_is_destroyed),
	KUNIT_CASE(release_function_may_cancel_and_wait),
	{}
};

static struct kunit_suite cancel_suite = {
	.name = "kpool_cancel",
	.test_cases = cancel_cases,
};

kunit_test_suite(cancel_suite);
