// SPDX-License-Identifier: GPL-2.0-only
/* Promise 9: waiting for a work. */
#include <linux/delay.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "helpers.h"

/* A wait in a thread of its own. */
struct waiting {
	struct kpool_work	*work;
	struct test_thread	*thread;
	int			result;
};

static int wait_thread(void *arg)
{
	struct waiting *w = arg;

	return kpool_work_wait(w->work, &w->result);
}

static int wait_killable_thread(void *arg)
{
	struct waiting *w = arg;

	return kpool_work_wait_killable(w->work, &w->result);
}

/* Waits for a work are counted: this is one more, and it has begun. */
static struct waiting *begin_wait(struct kunit *test, struct kpool *pool,
				  struct kpool_work *work,
				  int (*fn)(void *waiting))
{
	struct waiting *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	unsigned int before = count_waiters(pool, &work->waiters);

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->work = work;
	w->thread = run_thread(test, fn, w);
	expect_soon(test, count_waiters(pool, &work->waiters) == before + 1);
	return w;
}

static void expect_result(struct kunit *test, struct waiting *w, int result)
{
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, w->thread));
	KUNIT_EXPECT_EQ(test, result, w->result);
}

static void expect_cancelled(struct kunit *test, struct waiting *w)
{
	KUNIT_EXPECT_EQ(test, -ECANCELED, join_thread(test, w->thread));
}

static int wait_now(struct gated *g, int *result)
{
	return kpool_work_wait_timeout(&g->work, result, DEADLINE);
}

static void before_during_and_after_the_run(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 2);
	struct waiting *before, *during;
	int result = 0;

	g[1].ret = 42;
	expect_queued(test, kpool_root(pool), g, 2);
	before = begin_wait(test, pool, &g[1].work, wait_thread);
	gated_open(&g[0]);
	expect_started(test, &g[1], 1);
	during = begin_wait(test, pool, &g[1].work, wait_thread);
	KUNIT_EXPECT_FALSE(test, thread_done(before->thread));
	gated_open(&g[1]);
	expect_result(test, before, 42);
	expect_result(test, during, 42);
	KUNIT_EXPECT_EQ(test, 0, wait_now(&g[1], &result));
	KUNIT_EXPECT_EQ(test, 42, result);
	KUNIT_EXPECT_EQ(test, 0, wait_now(&g[1], NULL));
}

static void many_get_the_result(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	struct waiting *w[5];
	int i;

	g->ret = 42;
	expect_queued(test, kpool_root(pool), g, 1);
	for (i = 0; i < ARRAY_SIZE(w); i++)
		w[i] = begin_wait(test, pool, &g->work, wait_thread);
	gated_open(g);
	for (i = 0; i < ARRAY_SIZE(w); i++)
		expect_result(test, w[i], 42);
}

/* Run once more, with another result, while somebody waits for each run. */
static void result_is_that_of_its_run(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	struct waiting *first, *second;

	g->ret = 1;
	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	first = begin_wait(test, pool, &g->work, wait_thread);
	expect_queued(test, kpool_root(pool), g, 1);
	second = begin_wait(test, pool, &g->work, wait_thread);
	complete(&g->gate);
	expect_started(test, g, 1);
	g->ret = 2;
	expect_result(test, first, 1);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(second->thread)));
	gated_open(g);
	expect_result(test, second, 2);
}

static void cancelled_further_run_is_ecanceled(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	struct waiting *first, *second;

	g->ret = 1;
	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	first = begin_wait(test, pool, &g->work, wait_thread);
	expect_queued(test, kpool_root(pool), g, 1);
	second = begin_wait(test, pool, &g->work, wait_thread);
	kpool_work_cancel(&g->work);
	expect_result(test, first, 1);
	expect_cancelled(test, second);
	KUNIT_EXPECT_EQ(test, -ECANCELED, wait_now(g, NULL));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g->runs));
}

static void never_queued_is_enoent(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);

	KUNIT_EXPECT_EQ(test, -ENOENT, kpool_work_wait(&g->work, NULL));
	KUNIT_EXPECT_EQ(test, -ENOENT, wait_now(g, NULL));
	KUNIT_EXPECT_EQ(test, -ENOENT, kpool_work_wait_killable(&g->work,
								NULL));
}

/* A queueing that was refused counts for nothing. */
static void refused_is_enoent(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	struct gated *g = gated_array(test, 1);

	kpool_group_stop(kpool_root(pool));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			kpool_queue(kpool_root(pool), &g->work));
	KUNIT_EXPECT_EQ(test, -ENOENT, wait_now(g, NULL));
}

static void never_ran_is_ecanceled_also_later(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 2);
	struct waiting *w;

	expect_queued(test, kpool_root(pool), g, 2);
	w = begin_wait(test, pool, &g[1].work, wait_thread);
	kpool_work_cancel(&g[1].work);
	expect_cancelled(test, w);
	KUNIT_EXPECT_EQ(test, -ECANCELED, wait_now(&g[1], NULL));
	gated_open_all(g, 2);
	/* the next queueing has an answer of its own */
	expect_queued(test, kpool_root(pool), &g[1], 1);
	KUNIT_EXPECT_EQ(test, 0, wait_now(&g[1], NULL));
	KUNIT_EXPECT_EQ(test, 0, wait_now(&g[1], NULL));
}

/* Works that wait, for themselves or for another. */
struct waits {
	struct kpool_work	work;
	struct kpool_work	*other;
	int			err[3];
};

static int waits_for_itself_fn(struct kpool_work *work)
{
	struct waits *w = container_of(work, struct waits, work);

	w->err[0] = kpool_work_wait_timeout(work, NULL, HZ);
	if (w->err[0] != -EDEADLK)
		return 0;
	w->err[1] = kpool_work_wait(work, NULL);
	w->err[2] = kpool_work_wait_killable(work, NULL);
	return 0;
}

static void oneself_is_edeadlk(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct waits *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, w);
	kpool_work_init(&w->work, waits_for_itself_fn);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(kpool_root(pool), &w->work));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&w->work, NULL,
							 DEADLINE));
	for (i = 0; i < ARRAY_SIZE(w->err); i++)
		KUNIT_EXPECT_EQ(test, -EDEADLK, w->err[i]);
}

static int waits_killably_fn(struct kpool_work *work)
{
	struct waits *w = container_of(work, struct waits, work);

	return kpool_work_wait_killable(w->other, NULL);
}

static void told_work_leaves_its_killable_wait(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct waits *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	struct gated *g = gated_array(test, 1);
	int result = 0;

	KUNIT_ASSERT_NOT_NULL(test, w);
	kpool_work_init(&w->work, waits_killably_fn);
	w->other = &g->work;
	expect_queued(test, kpool_root(pool), g, 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(kpool_root(pool), &w->work));
	expect_soon(test, count_waiters(pool, &g->work.waiters) == 1);
	kpool_work_cancel(&w->work);
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&w->work, &result,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, -EINTR, result);
	KUNIT_EXPECT_EQ(test, 0, count_waiters(pool, &g->work.waiters));
}

static void killed_waiter_leaves(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	struct waiting *killable, *other;

	g->ret = 42;
	expect_queued(test, kpool_root(pool), g, 1);
	other = begin_wait(test, pool, &g->work, wait_thread);
	killable = begin_wait(test, pool, &g->work, wait_killable_thread);
	send_sig(SIGKILL, thread_task(killable->thread), 1);
	send_sig(SIGKILL, thread_task(other->thread), 1);
	KUNIT_EXPECT_EQ(test, -EINTR, join_thread(test, killable->thread));
	KUNIT_EXPECT_EQ(test, 1, count_waiters(pool, &g->work.waiters));
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(other->thread)));
	gated_open(g);
	expect_result(test, other, 42);
}

static void killable_wait_gets_the_result(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	struct waiting *w;

	g->ret = 42;
	expect_queued(test, kpool_root(pool), g, 1);
	w = begin_wait(test, pool, &g->work, wait_killable_thread);
	gated_open(g);
	expect_result(test, w, 42);
}

/* A wait that is given up leaves nothing behind for the work to touch. */
static void deadline_takes_the_record_back(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	int result = 7;

	expect_queued(test, kpool_root(pool), g, 1);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT,
			kpool_work_wait_timeout(&g->work, &result, 2));
	KUNIT_EXPECT_EQ(test, 0, count_waiters(pool, &g->work.waiters));
	KUNIT_EXPECT_EQ(test, 7, result);
	gated_open(g);
	KUNIT_EXPECT_EQ(test, 0, wait_now(g, &result));
	KUNIT_EXPECT_EQ(test, 0, result);
}

static void timeout_of_zero_only_looks(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	int result = 0;

	g->ret = 42;
	expect_queued(test, kpool_root(pool), g, 1);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT,
			kpool_work_wait_timeout(&g->work, NULL, 0));
	KUNIT_EXPECT_EQ(test, 0, count_waiters(pool, &g->work.waiters));
	gated_open(g);
	expect_over(test, g, 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&g->work, &result, 0));
	KUNIT_EXPECT_EQ(test, 42, result);
}

static int wait_longest_thread(void *arg)
{
	struct waiting *w = arg;

	return kpool_work_wait_timeout(w->work, &w->result, ULONG_MAX);
}

static void longest_timeout_is_for_ever(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	struct waiting *w;

	g->ret = 42;
	expect_queued(test, kpool_root(pool), g, 1);
	w = begin_wait(test, pool, &g->work, wait_longest_thread);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(w->thread)));
	gated_open(g);
	expect_result(test, w, 42);
}

/* A work that ends in the tick in which somebody gives up waiting for it. */
static int some_time_fn(struct kpool_work *work)
{
	schedule_timeout_uninterruptible(1 + get_random_u32_below(2));
	return 42;
}

static void deadline_races_the_end(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_work *work = kunit_kzalloc(test, sizeof(*work),
						GFP_KERNEL);
	int round, err, result, bad = 0, left = 0;

	KUNIT_ASSERT_NOT_NULL(test, work);
	kpool_work_init(work, some_time_fn);
	for (round = 0; round < 60; round++) {
		bad += !!kpool_queue(kpool_root(pool), work);
		result = 0;
		err = kpool_work_wait_timeout(work, &result,
					      1 + get_random_u32_below(2));
		left += count_waiters(pool, &work->waiters);
		bad += err ? err != -ETIMEDOUT || result : result != 42;
		err = kpool_work_wait_timeout(work, &result, DEADLINE);
		bad += err || result != 42;
	}
	KUNIT_EXPECT_EQ(test, 0, bad);
	KUNIT_EXPECT_EQ(test, 0, left);
}

static int nothing_fn(struct kpool_work *work)
{
	return 42;
}

/*
 * Whoever has waited may free the work at once.  Some find it bound, and are
 * woken; some come when it is over and must not be too early.
 */
static void waiter_may_free_the_work(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_work *work;
	int round, result, bad = 0;

	for (round = 0; round < 1000; round++) {
		work = kmalloc(sizeof(*work), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, work);
		kpool_work_init(work, nothing_fn);
		bad += !!kpool_queue(kpool_root(pool), work);
		ndelay(get_random_u32_below(20000));
		bad += kpool_work_wait_timeout(work, &result, DEADLINE) ||
			result != 42;
		kfree(work);
	}
	KUNIT_EXPECT_EQ(test, 0, bad);
}

static void pool_may_be_gone(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 2);
	int result = 0;

	g->ret = 42;
	gated_open(&g[0]);
	expect_queued(test, kpool_root(pool), g, 1);
	KUNIT_EXPECT_EQ(test, 0, wait_now(g, NULL));
	expect_queued(test, kpool_root(pool), g, 2);
	test_pool_destroy(test, pool);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, 0, wait_now(&g[0], &result));
	KUNIT_EXPECT_EQ(test, 42, result);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_IDLE, kpool_work_cancel(&g->work));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_IDLE,
			kpool_work_cancel_sync(&g->work));
	KUNIT_EXPECT_FALSE(test, kpool_work_busy(&g->work));
}

static void pool_ends_under_waiters(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 3);
	struct waiting *w[3];
	int i;

	g->ret = 42;
	expect_queued(test, kpool_root(pool), g, 3);
	expect_started(test, g, 1);
	for (i = 0; i < ARRAY_SIZE(w); i++)
		w[i] = begin_wait(test, pool, &g[i].work, wait_thread);
	test_pool_destroy(test, pool);
	expect_result(test, w[0], 42);
	expect_cancelled(test, w[1]);
	expect_cancelled(test, w[2]);
}

#define MOVES	300

/* A work that goes from pool to pool while others wait for it. */
struct mover {
	struct kpool_work	work;
	struct kpool_group	*groups[2];
	bool			done;
};

static int mover_thread(void *arg)
{
	unsigned long end = jiffies + DEADLINE;
	struct mover *m = arg;
	int moves = 0;

	while (moves < MOVES && time_before(jiffies, end)) {
		moves += !kpool_queue(m->groups[moves & 1], &m->work);
		cond_resched();
	}
	WRITE_ONCE(m->done, true);
	return moves;
}

static int follower_thread(void *arg)
{
	struct mover *m = arg;
	int err, result;

	do {
		result = 42;
		err = kpool_work_wait_timeout(&m->work, &result, DEADLINE);
		if (err && err != -ENOENT)
			return err;
		if (result != 42)
			return -EIO;
		cond_resched();
	} while (!READ_ONCE(m->done));
	return 0;
}

static void follows_a_work_to_another_pool(struct kunit *test)
{
	struct mover *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct test_thread *mover, *followers[2];
	int i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	kpool_work_init(&m->work, nothing_fn);
	m->groups[0] = kpool_root(test_pool(test, 1, 1));
	m->groups[1] = kpool_root(test_pool(test, 1, 1));
	for (i = 0; i < ARRAY_SIZE(followers); i++)
		followers[i] = run_thread(test, follower_thread, m);
	mover = run_thread(test, mover_thread, m);
	KUNIT_EXPECT_EQ(test, MOVES, join_thread(test, mover));
	for (i = 0; i < ARRAY_SIZE(followers); i++)
		KUNIT_EXPECT_EQ(test, 0, join_thread(test, followers[i]));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&m->work, NULL,
							 DEADLINE));
}

/* Nobody waits for a run that was asked for after the wait began. */
static void later_queueing_is_another_matter(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool *other = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	struct waiting *w;

	g->ret = 1;
	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	w = begin_wait(test, pool, &g->work, wait_thread);
	complete(&g->gate);
	expect_result(test, w, 1);
	expect_queued(test, kpool_root(other), g, 1);
	expect_started(test, g, 1);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT,
			kpool_work_wait_timeout(&g->work, NULL, 0));
	g->ret = 2;
	w = begin_wait(test, other, &g->work, wait_thread);
	gated_open(g);
	expect_result(test, w, 2);
}

static struct kunit_case wait_cases[] = {
	KUNIT_CASE(before_during_and_after_the_run),
	KUNIT_CASE(many_get_the_result),
	KUNIT_CASE(result_is_that_of_its_run),
	KUNIT_CASE(cancelled_further_run_is_ecanceled),
	KUNIT_CASE(never_queued_is_enoent),
	KUNIT_CASE(refused_is_enoent),
	KUNIT_CASE(never_ran_is_ecanceled_also_later),
	KUNIT_CASE(oneself_is_edeadlk),
	KUNIT_CASE(told_work_leaves_its_killable_wait),
	KUNIT_CASE(killed_waiter_leaves),
	KUNIT_CASE(killable_wait_gets_the_result),
	KUNIT_CASE(deadline_takes_the_record_back),
	KUNIT_CASE(timeout_of_zero_only_looks),
	KUNIT_CASE(longest_timeout_is_for_ever),
	KUNIT_CASE(deadline_races_the_end),
	KUNIT_CASE(waiter_may_free_the_work),
	KUNIT_CASE(pool_may_be_gone),
	KUNIT_CASE(pool_ends_under_waiters),
	KUNIT_CASE(follows_a_work_to_another_pool),
	KUNIT_CASE(later_queueing_is_another_matter),
	{}
};

static struct kunit_suite wait_suite = {
	.name = "kpool_wait",
	.test_cases = wait_cases,
};

kunit_test_suite(wait_suite);
