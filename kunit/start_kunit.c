// SPDX-License-Identifier: GPL-2.0-only
/* Starting a work, and being told how that went: kpool_start(). */
#include <linux/sched/signal.h>

#include "helpers.h"

/*
 * A work that starts, waits until it may be ready, says so, and serves until
 * its gate opens.  A tell ends both waits.
 */
struct server {
	struct kpool_work	work;
	struct kpool_group	*group;
	bool			silent;		/* never calls kpool_ready() */
	int			ready;		/* calls it with this */
	int			ret;		/* and returns that */
	struct completion	started;
	struct completion	go;
	struct completion	gate;
	atomic_t		runs;
	atomic_t		inside;
};

static int server_fn(struct kpool_work *work)
{
	struct server *s = container_of(work, struct server, work);

	atomic_inc(&s->inside);
	atomic_inc(&s->runs);
	complete(&s->started);
	if (!wait_for_completion_killable(&s->go) && !s->silent) {
		kpool_ready(s->ready);
		/* the first one counts */
		kpool_ready(-ERANGE);
	}
	wait_for_completion_killable(&s->gate);
	atomic_dec(&s->inside);
	return s->ret;
}

static void open_server(void *arg)
{
	struct server *s = arg;

	complete_all(&s->go);
	complete_all(&s->gate);
}

/* To be called before the pool is made: it goes first. */
static struct server *test_server(struct kunit *test)
{
	struct server *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	kpool_work_init(&s->work, server_fn);
	init_completion(&s->started);
	init_completion(&s->go);
	init_completion(&s->gate);
	return s;
}

static struct kpool *server_pool(struct kunit *test, struct server *s)
{
	struct kpool *pool = test_pool(test, 1, 1);

	s->group = test_group(test, pool, "g", 0, 1);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, open_server, s));
	return pool;
}

static int kpool_start_thread(void *arg)
{
	struct server *s = arg;

	return kpool_start(s->group, &s->work);
}

/* A thread in kpool_start() of a work that has begun. */
static struct test_thread *starting(struct kunit *test, struct server *s)
{
	struct test_thread *thread = run_thread(test, kpool_start_thread, s);

	expect_done(test, &s->started);
	return thread;
}

static void expect_nothing_runs(struct kunit *test, struct server *s)
{
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&s->inside));
	KUNIT_EXPECT_FALSE(test, kpool_work_busy(&s->work));
}

static void ready_returns_while_it_runs(struct kunit *test)
{
	struct server *s = test_server(test);
	struct test_thread *thread;

	server_pool(test, s);
	thread = starting(test, s);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(thread)));
	complete(&s->go);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, thread));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&s->inside));
	complete(&s->gate);
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&s->work, NULL,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&s->runs));
}

static void failure_leaves_nothing_running(struct kunit *test)
{
	struct server *s = test_server(test);
	struct test_thread *thread;

	s->ready = -EIO;
	server_pool(test, s);
	thread = starting(test, s);
	complete(&s->go);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(thread)));
	complete(&s->gate);
	KUNIT_EXPECT_EQ(test, -EIO, join_thread(test, thread));
	expect_nothing_runs(test, s);
}

static void end_without_ready_is_an_error(struct kunit *test)
{
	static const int rets[][2] = { { -ENXIO, -ENXIO }, { 0, -ESRCH },
				       { 5, -ESRCH } };
	struct server *s = test_server(test);
	int i;

	s->silent = true;
	server_pool(test, s);
	complete_all(&s->go);
	complete_all(&s->gate);
	for (i = 0; i < ARRAY_SIZE(rets); i++) {
		s->ret = rets[i][0];
		KUNIT_EXPECT_EQ(test, rets[i][1],
				kpool_start(s->group, &s->work));
		expect_nothing_runs(test, s);
	}
}

static int stop_thread(void *group)
{
	return kpool_group_stop(group);
}

static void stop_before_ready_is_ecanceled(struct kunit *test)
{
	struct server *s = test_server(test);
	struct test_thread *thread, *stopper;

	/* whatever it returns when it was told */
	s->ret = -EIO;
	server_pool(test, s);
	thread = starting(test, s);
	stopper = run_thread(test, stop_thread, s->group);
	KUNIT_EXPECT_EQ(test, -ECANCELED, join_thread(test, thread));
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, stopper));
	expect_nothing_runs(test, s);
}

static void cancel_before_ready_is_ecanceled(struct kunit *test)
{
	struct server *s = test_server(test);
	struct test_thread *thread;

	server_pool(test, s);
	thread = starting(test, s);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_work_cancel(&s->work));
	KUNIT_EXPECT_EQ(test, -ECANCELED, join_thread(test, thread));
	expect_nothing_runs(test, s);
}

/* The thread of the pool is held by another work. */
static struct test_thread *start_pending(struct kunit *test, struct server *s,
					 struct gated *g)
{
	struct kpool *pool = server_pool(test, s);
	struct test_thread *thread;

	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	thread = run_thread(test, kpool_start_thread, s);
	expect_soon(test, count_waiters(pool, &s->work.waiters) == 1);
	return thread;
}

static void stop_before_it_runs_is_ecanceled(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);
	struct server *s = test_server(test);
	struct test_thread *thread = start_pending(test, s, g);

	KUNIT_EXPECT_TRUE(test, stays(!thread_done(thread)));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(s->group, DEADLINE));
	KUNIT_EXPECT_EQ(test, -ECANCELED, join_thread(test, thread));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&s->runs));
}

static void refused_start_is_as_queueing(struct kunit *test)
{
	struct gated *g = gated_array(test, 2);
	struct server *s = test_server(test);
	struct kpool *pool = server_pool(test, s);

	expect_queued(test, kpool_root(pool), &g[0], 1);
	expect_queued(test, s->group, &g[1], 1);
	KUNIT_EXPECT_EQ(test, -EAGAIN, kpool_start(s->group, &s->work));
	gated_open_all(g, 2);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(s->group, DEADLINE));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_start(s->group, &s->work));
	expect_nothing_runs(test, s);
}

/* The work is told, and has ended when the caller goes on. */
static void killed_caller_cancels_it(struct kunit *test)
{
	struct server *s = test_server(test);
	struct test_thread *thread;

	server_pool(test, s);
	thread = starting(test, s);
	send_sig(SIGKILL, thread_task(thread), 1);
	KUNIT_EXPECT_EQ(test, -EINTR, join_thread(test, thread));
	expect_nothing_runs(test, s);
}

static void killed_caller_takes_it_away(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);
	struct server *s = test_server(test);
	struct test_thread *thread = start_pending(test, s, g);

	send_sig(SIGKILL, thread_task(thread), 1);
	KUNIT_EXPECT_EQ(test, -EINTR, join_thread(test, thread));
	expect_nothing_runs(test, s);
	gated_open(g);
	expect_over(test, g, 1);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&s->runs));
}

struct insider {
	struct kpool_work work;
	struct server *s;
};

static int insider_fn(struct kpool_work *work)
{
	struct insider *in = container_of(work, struct insider, work);

	return kpool_start(in->s->group, &in->s->work);
}

static void own_group_is_edeadlk(struct kunit *test)
{
	struct insider *in = kunit_kzalloc(test, sizeof(*in), GFP_KERNEL);
	struct server *s = test_server(test);
	int result = 0;

	KUNIT_ASSERT_NOT_NULL(test, in);
	server_pool(test, s);
	in->s = s;
	complete_all(&s->go);
	kpool_work_init(&in->work, insider_fn);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(s->group, &in->work));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&in->work, &result,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, -EDEADLK, result);
	expect_nothing_runs(test, s);
}

static int wait_for_result(void *work)
{
	int result, err = kpool_work_wait_timeout(work, &result, DEADLINE);

	return err ?: result;
}

/* Who waits for the end is not content with less. */
static void ready_is_harmless_without_start(struct kunit *test)
{
	struct server *s = test_server(test);
	struct kpool *pool = server_pool(test, s);
	struct test_thread *waiter;

	kpool_ready(0);
	s->ret = 3;
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(s->group, &s->work));
	waiter = run_thread(test, wait_for_result, &s->work);
	expect_soon(test, count_waiters(pool, &s->work.waiters) == 1);
	complete(&s->go);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(waiter)));
	complete(&s->gate);
	KUNIT_EXPECT_EQ(test, 3, join_thread(test, waiter));
}

/* Beside one who starts it, too. */
static void ready_ends_no_wait_for_the_end(struct kunit *test)
{
	struct server *s = test_server(test);
	struct kpool *pool = server_pool(test, s);
	struct test_thread *thread, *waiter;

	s->ret = 3;
	thread = starting(test, s);
	waiter = run_thread(test, wait_for_result, &s->work);
	expect_soon(test, count_waiters(pool, &s->work.waiters) == 2);
	complete(&s->go);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, thread));
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(waiter)));
	complete(&s->gate);
	KUNIT_EXPECT_EQ(test, 3, join_thread(test, waiter));
}

/* A work that is started while it runs: it is the next run that counts. */
static void run_before_the_start_is_not_meant(struct kunit *test)
{
	struct server *s = test_server(test);
	struct kpool *pool = server_pool(test, s);
	struct test_thread *thread;

	KUNIT_EXPECT_EQ(test, 0, kpool_queue(s->group, &s->work));
	expect_done(test, &s->started);
	thread = run_thread(test, kpool_start_thread, s);
	expect_soon(test, count_waiters(pool, &s->work.waiters) == 1);
	complete(&s->go);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(thread)));
	complete(&s->gate);
	expect_done(test, &s->started);
	KUNIT_EXPECT_FALSE(test, thread_done(thread));
	complete(&s->go);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, thread));
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&s->runs));
}

static struct kunit_case start_cases[] = {
	KUNIT_CASE(ready_returns_while_it_runs),
	KUNIT_CASE(failure_leaves_nothing_running),
	KUNIT_CASE(end_without_ready_is_an_error),
	KUNIT_CASE(stop_before_ready_is_ecanceled),
	KUNIT_CASE(cancel_before_ready_is_ecanceled),
	KUNIT_CASE(stop_before_it_runs_is_ecanceled),
	KUNIT_CASE(refused_start_is_as_queueing),
	KUNIT_CASE(killed_caller_cancels_it),
	KUNIT_CASE(killed_caller_takes_it_away),
	KUNIT_CASE(own_group_is_edeadlk),
	KUNIT_CASE(ready_is_harmless_without_start),
	KUNIT_CASE(ready_ends_no_wait_for_the_end),
	KUNIT_CASE(run_before_the_start_is_not_meant),
	{}
};

static struct kunit_suite start_suite = {
	.name = "kpool_start",
	.test_cases = start_cases,
};

kunit_test_suite(start_suite);
