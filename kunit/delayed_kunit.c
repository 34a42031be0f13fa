// SPDX-License-Identifier: GPL-2.0-only
/* Delayed works. */
#include <linux/irqflags.h>

#include "delayed_fixture.h"

static void runs_after_the_delay(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 1);
	struct kpool *pool = delayed_pool(test, d, 1);
	unsigned long start = jiffies;

	expect_armed(test, kpool_root(pool), d, 3);
	expect_runs(test, d);
	KUNIT_EXPECT_TRUE(test, time_after_eq(d->at, start + 3));
	/* and again */
	expect_armed(test, kpool_root(pool), d, 1);
	expect_runs(test, d);
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&d->runs));
}

static void does_not_run_before(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 1);
	struct kpool *pool = delayed_pool(test, d, 1);

	expect_armed(test, kpool_root(pool), d, LONG);
	KUNIT_EXPECT_TRUE(test, kpool_work_busy(&d->dw.work));
	KUNIT_EXPECT_EQ(test, 1, pool_pending(pool));
	KUNIT_EXPECT_TRUE(test, stays(!atomic_read(&d->runs)));
	KUNIT_EXPECT_TRUE(test, timer_pending(&d->dw.timer));
}

static void no_delay_is_now(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 1);
	struct kpool *pool = delayed_pool(test, d, 1);
	unsigned int running;
	int err;

	/* no timer expires here */
	local_irq_disable();
	err = kpool_queue_delayed(kpool_root(pool), &d->dw, 0);
	running = READ_ONCE(pool->root->nr_running);
	local_irq_enable();
	KUNIT_EXPECT_EQ(test, 0, err);
	KUNIT_EXPECT_EQ(test, 1, running);
	expect_runs(test, d);
}

static void armed_is_ealready(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 1);
	struct kpool *pool = delayed_pool(test, d, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct kpool_group *root = kpool_root(pool);

	expect_armed(test, root, d, LONG);
	KUNIT_EXPECT_EQ(test, -EALREADY, kpool_queue(root, &d->dw.work));
	KUNIT_EXPECT_EQ(test, -EALREADY, kpool_queue_delayed(root, &d->dw, 1));
	KUNIT_EXPECT_EQ(test, -EALREADY, kpool_queue_delayed(root, &d->dw, 0));
	KUNIT_EXPECT_EQ(test, -EBUSY, kpool_queue_delayed(group, &d->dw, 1));
	KUNIT_EXPECT_EQ(test, -EBUSY, kpool_mod_delayed(group, &d->dw, 1));
	KUNIT_EXPECT_TRUE(test, stays(!atomic_read(&d->runs)));
}

static void stopped_and_disabled_are_refused(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 1);
	struct kpool *pool = delayed_pool(test, d, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);

	kpool_work_disable(&d->dw.work);
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			kpool_queue_delayed(group, &d->dw, 1));
	KUNIT_EXPECT_EQ(test, -ECANCELED, kpool_mod_delayed(group, &d->dw, 1));
	kpool_work_enable(&d->dw.work);
	kpool_group_stop(group);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			kpool_queue_delayed(group, &d->dw, 1));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_mod_delayed(group, &d->dw, 1));
	KUNIT_EXPECT_FALSE(test, kpool_work_busy(&d->dw.work));
}

/* From the moment of arming; so nothing is refused when the time has come. */
static void counts_against_max_queued(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 4);
	struct kpool *pool = delayed_pool(test, d, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 2);

	expect_armed(test, group, &d[0], LONG);
	expect_armed(test, group, &d[1], LONG);
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			kpool_queue_delayed(group, &d[2].dw, 1));
	KUNIT_EXPECT_EQ(test, 1, kpool_mod_delayed(group, &d[1].dw, 1));
	expect_done(test, &d[1].started);
	/* one has started: there is room for one, and the queue is full */
	expect_armed(test, group, &d[2], 1);
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_queue(group, &d[3].dw.work));
	expect_soon(test, !timer_pending(&d[2].dw.timer));
	expect_runs(test, &d[1]);
	expect_runs(test, &d[2]);
}

static void mod_moves_earlier(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 2);
	struct kpool *pool = delayed_pool(test, d, 2);
	struct kpool_group *root = kpool_root(pool);

	expect_armed(test, root, &d[0], LONG);
	expect_armed(test, root, &d[1], LONG);
	KUNIT_EXPECT_EQ(test, 1, kpool_mod_delayed(root, &d[0].dw, 0));
	KUNIT_EXPECT_EQ(test, 1, kpool_mod_delayed(root, &d[1].dw, 2));
	expect_runs(test, &d[0]);
	expect_runs(test, &d[1]);
	KUNIT_EXPECT_EQ(test, 0, pool_pending(pool));
}

/* Whether its timer is armed, or it waits for a thread already. */
static void mod_moves_later(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 3);
	struct kpool *pool = delayed_pool(test, d, 1);
	struct kpool_group *root = kpool_root(pool);

	expect_armed(test, root, &d[0], 0);
	expect_armed(test, root, &d[1], 10 * HZ);
	KUNIT_EXPECT_EQ(test, 1, kpool_mod_delayed(root, &d[1].dw, LONG));
	KUNIT_EXPECT_TRUE(test, time_after(d[1].dw.timer.expires,
					   jiffies + LONG / 2));
	expect_armed(test, root, &d[2], 0);
	KUNIT_EXPECT_EQ(test, 1, kpool_mod_delayed(root, &d[2].dw, LONG));
	KUNIT_EXPECT_EQ(test, 2, pool_pending(pool));
	expect_runs(test, &d[0]);
	KUNIT_EXPECT_TRUE(test, stays(!atomic_read(&d[2].runs)));
	KUNIT_EXPECT_EQ(test, 1, kpool_mod_delayed(root, &d[2].dw, 0));
	expect_runs(test, &d[2]);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&d[1].runs));
}

static void mod_queues_an_idle_work(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 1);
	struct kpool *pool = delayed_pool(test, d, 1);

	KUNIT_EXPECT_EQ(test, 0, kpool_mod_delayed(kpool_root(pool), &d->dw, 1));
	expect_runs(test, d);
	KUNIT_EXPECT_EQ(test, 0, kpool_mod_delayed(kpool_root(pool), &d->dw, 0));
	expect_runs(test, d);
}

/* The timer is armed when the run ends, not before. */
static void running_work_runs_again_later(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 1);
	struct kpool *pool = delayed_pool(test, d, 2);
	struct kpool_group *root = kpool_root(pool);

	expect_armed(test, root, d, 0);
	expect_done(test, &d->started);
	expect_armed(test, root, d, LONG);
	KUNIT_EXPECT_EQ(test, -EALREADY, kpool_queue(root, &d->dw.work));
	KUNIT_EXPECT_FALSE(test, timer_pending(&d->dw.timer));
	complete(&d->gate);
	expect_soon(test, timer_pending(&d->dw.timer));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&d->runs));
	KUNIT_EXPECT_EQ(test, 1, pool_pending(pool));
	KUNIT_EXPECT_EQ(test, 1, kpool_mod_delayed(root, &d->dw, 1));
	expect_runs(test, d);
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&d->runs));
}

/* Also if the time has passed when the run ends, or is taken back. */
static void running_work_runs_again_at_once(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 1);
	struct kpool *pool = delayed_pool(test, d, 1);
	struct kpool_group *root = kpool_root(pool);
	unsigned long start;

	expect_armed(test, root, d, 0);
	expect_done(test, &d->started);
	start = jiffies;
	expect_armed(test, root, d, 1);
	expect_soon(test, time_after(jiffies, start + 1));
	complete(&d->gate);
	expect_done(test, &d->started);
	expect_armed(test, root, d, LONG);
	KUNIT_EXPECT_EQ(test, 1, kpool_mod_delayed(root, &d->dw, 0));
	complete(&d->gate);
	expect_runs(test, d);
	KUNIT_EXPECT_EQ(test, 3, atomic_read(&d->runs));
}

static void told_run_is_not_armed(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 1);
	struct kpool *pool = delayed_pool(test, d, 1);
	struct kpool_group *root = kpool_root(pool);

	expect_armed(test, root, d, 0);
	expect_done(test, &d->started);
	expect_armed(test, root, d, LONG);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_delayed_cancel(&d->dw));
	complete(&d->gate);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(root, DEADLINE));
	KUNIT_EXPECT_FALSE(test, timer_pending(&d->dw.timer));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&d->runs));
	KUNIT_EXPECT_EQ(test, 0, pool_pending(pool));
	/* nothing of that queueing is left: neither the tell nor the delay */
	expect_armed(test, root, d, 0);
	expect_done(test, &d->started);
	expect_armed(test, root, d, 0);
	complete(&d->gate);
	expect_done(test, &d->started);
	expect_runs(test, d);
	KUNIT_EXPECT_EQ(test, 3, atomic_read(&d->runs));
}

static int wait_thread(void *work)
{
	return kpool_work_wait(work, NULL);
}

static void cancel_takes_an_armed_one_away(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 1);
	struct kpool *pool = delayed_pool(test, d, 1);
	struct kpool_group *root = kpool_root(pool);
	struct test_thread *waiter;

	expect_armed(test, root, d, LONG);
	waiter = run_thread(test, wait_thread, &d->dw.work);
	expect_soon(test, count_waiters(pool, &d->dw.work.waiters) == 1);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_delayed_cancel(&d->dw));
	KUNIT_EXPECT_EQ(test, -ECANCELED, join_thread(test, waiter));
	KUNIT_EXPECT_FALSE(test, timer_pending(&d->dw.timer));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_IDLE,
			kpool_delayed_cancel_sync(&d->dw));
	KUNIT_EXPECT_EQ(test, 0, pool_pending(pool));
	expect_armed(test, root, d, 1);
	expect_runs(test, d);
}

struct irq_calls {
	struct kpool_group *group;
	struct delayed *d;
	int err[4];
};

static void calls_in_irq(void *arg)
{
	struct irq_calls *c = arg;

	c->err[0] = kpool_queue_delayed(c->group, &c->d->dw, LONG);
	c->err[1] = kpool_delayed_cancel(&c->d->dw);
	c->err[2] = kpool_queue_delayed(c->group, &c->d->dw, LONG);
	c->err[3] = kpool_mod_delayed(c->group, &c->d->dw, 1);
}

static void from_hardirq(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 1);
	struct kpool *pool = delayed_pool(test, d, 1);
	struct irq_calls c = { .group = kpool_root(pool), .d = d };

	call_in_hardirq(test, calls_in_irq, &c);
	KUNIT_EXPECT_EQ(test, 0, c.err[0]);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING, c.err[1]);
	KUNIT_EXPECT_EQ(test, 0, c.err[2]);
	KUNIT_EXPECT_EQ(test, 1, c.err[3]);
	expect_runs(test, d);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&d->runs));
}

static void stop_settles_all_that_are_armed(struct kunit *test)
{
	enum { N = 100 };
	struct delayed *d = delayed_array(test, N);
	struct kpool *pool = delayed_pool(test, d, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct test_thread *waiter;
	int i;

	for (i = 0; i < N; i++) {
		if (i % 2)
			kpool_delayed_init_release(&d[i].dw, delayed_fn,
						   delayed_release);
		expect_armed(test, group, &d[i], LONG);
	}
	waiter = run_thread(test, wait_thread, &d[N - 1].dw.work);
	expect_soon(test, count_waiters(pool, &d[N - 1].dw.work.waiters) == 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(group, DEADLINE));
	KUNIT_EXPECT_EQ(test, -ECANCELED, join_thread(test, waiter));
	for (i = 0; i < N; i++) {
		KUNIT_EXPECT_FALSE(test, timer_pending(&d[i].dw.timer));
		KUNIT_EXPECT_FALSE(test, kpool_work_busy(&d[i].dw.work));
		KUNIT_EXPECT_EQ(test, i % 2, atomic_read(&d[i].released));
		KUNIT_EXPECT_EQ(test, 0, atomic_read(&d[i].runs));
	}
	KUNIT_EXPECT_EQ(test, 0, pool_pending(pool));
	KUNIT_EXPECT_EQ(test, 0, pool->nr_waiting);
}

/* What is taken away is the only one with a timer, not the only one that waits. */
static void cancelled_leaves_pending_their_turn(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 3);
	struct kpool *pool = delayed_pool(test, d, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);

	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &d[0].dw.work));
	expect_done(test, &d[0].started);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &d[1].dw.work));
	expect_armed(test, group, &d[2], LONG);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_work_cancel(&d[2].dw.work));
	complete_all(&d[0].gate);
	expect_runs(test, &d[1]);
	KUNIT_EXPECT_EQ(test, 0, pool->nr_waiting);
}

static void request_stop(void *group)
{
	kpool_group_request_stop(group);
}

static void request_from_hardirq_settles(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 1);
	struct kpool *pool = delayed_pool(test, d, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);

	expect_armed(test, group, d, LONG);
	call_in_hardirq(test, request_stop, kpool_root(pool));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			kpool_work_wait_timeout(&d->dw.work, NULL, 0));
	KUNIT_EXPECT_FALSE(test, timer_pending(&d->dw.timer));
}

static void may_be_freed_after_destroy(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct delayed *d = kzalloc(sizeof(*d), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, d);
	kpool_delayed_init(&d->dw, delayed_fn);
	expect_armed(test, group, d, LONG);
	test_group_destroy(test, group);
	KUNIT_EXPECT_FALSE(test, kpool_work_busy(&d->dw.work));
	KUNIT_EXPECT_FALSE(test, timer_pending(&d->dw.timer));
	kfree(d);
}

static int group_wait_thread(void *group)
{
	return kpool_group_wait(group);
}

static void wait_includes_what_is_armed(struct kunit *test)
{
	struct delayed *d = delayed_array(test, 1);
	struct kpool *pool = delayed_pool(test, d, 1);
	struct kpool_group *root = kpool_root(pool);
	struct test_thread *waiter;

	expect_armed(test, root, d, LONG);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, kpool_group_wait_timeout(root, 0));
	waiter = run_thread(test, group_wait_thread, root);
	expect_soon(test, count_waiters(pool, &root->waiters) == 1);
	KUNIT_EXPECT_EQ(test, 1, kpool_mod_delayed(root, &d->dw, 1));
	expect_done(test, &d->started);
	KUNIT_EXPECT_FALSE(test, thread_done(waiter));
	complete_all(&d->gate);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, waiter));
}

static int plain_fn(struct kpool_work *work)
{
	return 7;
}

static DEFINE_KPOOL_DELAYED_WORK(static_dw, plain_fn);

static void static_and_onstack_forms(struct kunit *test)
{
	struct kpool_group *root = kpool_root(test_pool(test, 1, 1));
	struct kpool_delayed_work dw;
	int result = 0;

	KUNIT_EXPECT_EQ(test, 0, kpool_queue_delayed(root, &static_dw, 1));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait(&static_dw.work, &result));
	KUNIT_EXPECT_EQ(test, 7, result);

	kpool_delayed_init_onstack(&dw, plain_fn);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue_delayed(root, &dw, 1));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait(&dw.work, &result));
	KUNIT_EXPECT_EQ(test, 0, kpool_queue_delayed(root, &dw, LONG));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_delayed_cancel_sync(&dw));
	kpool_delayed_destroy_onstack(&dw);
}

static struct kunit_case delayed_cases[] = {
	KUNIT_CASE(runs_after_the_delay),
	KUNIT_CASE(does_not_run_before),
	KUNIT_CASE(no_delay_is_now),
	KUNIT_CASE(armed_is_ealready),
	KUNIT_CASE(stopped_and_disabled_are_refused),
	KUNIT_CASE(counts_against_max_queued),
	KUNIT_CASE(from_hardirq),
	KUNIT_CASE(mod_moves_earlier),
	KUNIT_CASE(mod_moves_later),
	KUNIT_CASE(mod_queues_an_idle_work),
	KUNIT_CASE(running_work_runs_again_later),
	KUNIT_CASE(running_work_runs_again_at_once),
	KUNIT_CASE(told_run_is_not_armed),
	KUNIT_CASE(cancel_takes_an_armed_one_away),
	KUNIT_CASE(cancelled_leaves_pending_their_turn),
	KUNIT_CASE(stop_settles_all_that_are_armed),
	KUNIT_CASE(request_from_hardirq_settles),
	KUNIT_CASE(may_be_freed_after_destroy),
	KUNIT_CASE(wait_includes_what_is_armed),
	KUNIT_CASE(static_and_onstack_forms),
	{}
};

static struct kunit_suite delayed_suite = {
	.name = "kpool_delayed",
	.test_cases = delayed_cases,
};

kunit_test_suite(delayed_suite);
