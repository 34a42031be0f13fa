// SPDX-License-Identifier: GPL-2.0-only
/*
 * Promise 7: a tell is neither lost nor does it reach another work, whenever
 * it comes.
 */
#include <linux/pid.h>
#include <linux/random.h>
#include <linux/sched/signal.h>

#include "helpers.h"

static int stop_thread(void *group)
{
	return kpool_group_stop(group);
}

/* A thread, a group that is told, one that is not, and a work for each. */
struct scene {
	struct kunit *test;
	struct kpool *pool;
	struct kpool_group *group;
	struct kpool_group *next;
	struct gated *g;
	struct test_thread *stop;
};

static void tell_by_request(struct scene *s)
{
	kpool_group_request_stop(s->group);
}

static void tell_by_stop(struct scene *s)
{
	s->stop = run_thread(s->test, stop_thread, s->group);
}

static void tell_by_cancel(struct scene *s)
{
	kpool_work_cancel(&s->g->work);
}

struct teller {
	const char *name;
	void (*tell)(struct scene *s);
};

static const struct teller tellers[] = {
	{ "request_stop", tell_by_request },
	{ "stop", tell_by_stop },
	{ "cancel", tell_by_cancel },
};

KUNIT_ARRAY_PARAM_DESC(teller, tellers, name);

static void tell(struct scene *s)
{
	const struct teller *teller = s->test->param_value;

	teller->tell(s);
}

static struct scene scene(struct kunit *test, int min_threads)
{
	struct kpool *pool = test_pool(test, min_threads, 1);

	return (struct scene) {
		.test = test,
		.pool = pool,
		.group = test_group(test, pool, "told", 0, 0),
		.next = test_group(test, pool, "next", 0, 0),
		.g = gated_array(test, 2),
	};
}

static void queue_first(struct scene *s)
{
	expect_queued(s->test, s->group, s->g, 1);
}

static void expect_sent(struct scene *s)
{
	expect_soon(s->test, tell_of(s->pool, &s->g->work) == TELL_SENT);
}

static void expect_told(struct scene *s)
{
	expect_done(s->test, &s->g->ended);
	KUNIT_EXPECT_TRUE(s->test, s->g->told);
	KUNIT_EXPECT_TRUE(s->test, s->g->signalled);
}

static void queue_next(struct scene *s)
{
	expect_queued(s->test, s->next, &s->g[1], 1);
}

/* The next work of the thread sleeps until its gate opens, and is not told. */
static void expect_next_untouched(struct scene *s)
{
	struct gated *next = &s->g[1];
	struct kunit *test = s->test;

	expect_started(test, next, 1);
	KUNIT_EXPECT_TRUE(test, stays(!completion_done(&next->ended)));
	gated_open(next);
	expect_over(test, next, 1);
	KUNIT_EXPECT_FALSE(test, next->stray);
	KUNIT_EXPECT_FALSE(test, next->signalled);
	KUNIT_EXPECT_FALSE(test, next->told);
	KUNIT_EXPECT_EQ(test, 1, pool_threads(s->pool));
}

/* A stop has moved the worker that it cannot signal; a cancel just leaves. */
static bool has_passed(struct scene *s)
{
	bool passed;

	raw_spin_lock_irq(&s->pool->lock);
	passed = s->g->work.flags & WORK_TOLD || hlist_empty(&s->group->running);
	raw_spin_unlock_irq(&s->pool->lock);
	return passed;
}

/* Committed to a thread that does not allow signals yet. */
static void before_the_birth(struct kunit *test)
{
	struct scene s = scene(test, 0);

	hold_at(test, s.pool, KPOOL_AT_BIRTH);
	queue_first(&s);
	hold_reached(test);
	tell(&s);
	expect_soon(test, has_passed(&s));
	hold_release();
	expect_told(&s);
	queue_next(&s);
	expect_next_untouched(&s);
}

static void before_the_start(struct kunit *test)
{
	struct scene s = scene(test, 1);

	hold_at(test, s.pool, KPOOL_AT_START);
	queue_first(&s);
	hold_reached(test);
	tell(&s);
	expect_sent(&s);
	hold_release();
	expect_told(&s);
	queue_next(&s);
	expect_next_untouched(&s);
}

/* Before, at or after the start, as it comes; or the work never runs. */
static void at_the_start(struct kunit *test)
{
	struct scene s = scene(test, 1);
	int round, err;

	for (round = 0; round < 20; round++) {
		s.group = test_group(test, s.pool, "at", 0, 0);
		gated_init(s.g);
		queue_first(&s);
		tell(&s);
		err = kpool_work_wait_timeout(&s.g->work, NULL, DEADLINE);
		if (err != -ECANCELED) {
			KUNIT_EXPECT_EQ(test, 0, err);
			expect_told(&s);
		}
		if (s.stop)
			KUNIT_EXPECT_EQ(test, 0, join_thread(test, s.stop));
		test_group_destroy(test, s.group);
	}
	queue_next(&s);
	expect_next_untouched(&s);
}

static void while_it_runs(struct kunit *test)
{
	struct scene s = scene(test, 1);

	queue_first(&s);
	expect_started(test, s.g, 1);
	queue_next(&s);
	tell(&s);
	expect_told(&s);
	expect_next_untouched(&s);
}

static void while_it_finishes(struct kunit *test)
{
	struct scene s = scene(test, 1);

	hold_at(test, s.pool, KPOOL_AT_END);
	gated_open(s.g);
	queue_first(&s);
	hold_reached(test);
	queue_next(&s);
	tell(&s);
	expect_sent(&s);
	hold_release();
	expect_over(test, s.g, 1);
	expect_next_untouched(&s);
}

static void after_the_end(struct kunit *test)
{
	struct scene s = scene(test, 1);

	gated_open(s.g);
	queue_first(&s);
	expect_over(test, s.g, 1);
	queue_next(&s);
	expect_started(test, &s.g[1], 1);
	complete(&s.g[1].started);
	tell(&s);
	expect_next_untouched(&s);
}

/* The thread goes on when the signal was sent, not before. */
static void teller_is_late(struct kunit *test)
{
	struct scene s = scene(test, 1);

	hold_at(test, s.pool, KPOOL_AT_SEND);
	queue_first(&s);
	expect_started(test, s.g, 1);
	queue_next(&s);
	tell(&s);
	hold_reached(test);
	gated_open(s.g);
	expect_done(test, &s.g->ended);
	KUNIT_EXPECT_TRUE(test, stays(!completion_done(&s.g[1].started)));
	KUNIT_EXPECT_FALSE(test, s.g->signalled);
	hold_release();
	expect_next_untouched(&s);
}

static void release_function_sees_no_signal(struct kunit *test)
{
	struct scene s = scene(test, 1);

	s.g->work.release = gated_release;
	queue_first(&s);
	expect_started(test, s.g, 1);
	tell(&s);
	expect_told(&s);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(s.group, DEADLINE));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&s.g->released));
	KUNIT_EXPECT_FALSE(test, s.g->stray);
}

static void user_cannot_kill(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);

	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	send_sig(SIGKILL, g->thread, 0);
	kill_pid(task_pid(g->thread), SIGKILL, 0);
	KUNIT_EXPECT_TRUE(test, stays(!completion_done(&g->ended)));
	gated_open(g);
	expect_over(test, g, 1);
	KUNIT_EXPECT_FALSE(test, g->signalled);
}

#define STORM_WORKS	8
#define STORM_THREADS	4
#define STORM_ROUNDS	3000

/* A work that many queue and cancel, and how often each thing happened. */
struct stormy {
	struct kpool_work	work;
	atomic_t		accepted;
	atomic_t		released;
	atomic_t		inside;
	bool			twice;
	bool			stray;
};

struct storm {
	struct kpool_group *groups[2];
	struct stormy works[STORM_WORKS];
};

static int stormy_fn(struct kpool_work *work)
{
	struct stormy *s = container_of(work, struct stormy, work);

	if (atomic_inc_return(&s->inside) != 1)
		s->twice = true;
	if (signal_pending(current) && !kpool_should_stop())
		s->stray = true;
	if (get_random_u32_below(8) == 0 &&
	    schedule_timeout_interruptible(1) && !kpool_should_stop())
		s->stray = true;
	if (get_random_u32_below(4) == 0)
		kpool_stop_ack();
	atomic_dec(&s->inside);
	return 0;
}

static void stormy_release(struct kpool_work *work)
{
	struct stormy *s = container_of(work, struct stormy, work);

	if (signal_pending(current))
		s->stray = true;
	atomic_inc(&s->released);
}

static int storm_thread(void *arg)
{
	struct storm *storm = arg;
	struct stormy *s;
	int i;

	for (i = 0; i < STORM_ROUNDS; i++) {
		s = &storm->works[get_random_u32_below(STORM_WORKS)];
		if (get_random_u32_below(2))
			kpool_work_cancel(&s->work);
		else if (!kpool_queue(storm->groups[i & 1], &s->work))
			atomic_inc(&s->accepted);
		cond_resched();
	}
	return 0;
}

static void each_queueing_ends_once_in_a_cancel_storm(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 4);
	struct test_thread *threads[STORM_THREADS];
	struct storm *storm;
	struct stormy *s;
	int i;

	storm = kunit_kzalloc(test, sizeof(*storm), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, storm);
	storm->groups[0] = test_group(test, pool, "a", 2, 0);
	storm->groups[1] = test_group(test, pool, "b", 0, 0);
	for (i = 0; i < STORM_WORKS; i++)
		kpool_work_init_release(&storm->works[i].work, stormy_fn,
					stormy_release);
	for (i = 0; i < STORM_THREADS; i++)
		threads[i] = run_thread(test, storm_thread, storm);
	for (i = 0; i < STORM_THREADS; i++)
		KUNIT_EXPECT_EQ(test, 0, join_thread(test, threads[i]));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(kpool_root(pool),
							  DEADLINE));
	for (s = storm->works; s < storm->works + STORM_WORKS; s++) {
		KUNIT_EXPECT_GT(test, atomic_read(&s->accepted), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&s->accepted),
				atomic_read(&s->released));
		KUNIT_EXPECT_FALSE(test, s->twice);
		KUNIT_EXPECT_FALSE(test, s->stray);
	}
}

static struct kunit_case tell_cases[] = {
	KUNIT_CASE_PARAM(before_the_birth, teller_gen_params),
	KUNIT_CASE_PARAM(before_the_start, teller_gen_params),
	KUNIT_CASE_PARAM(at_the_start, teller_gen_params),
	KUNIT_CASE_PARAM(while_it_runs, teller_gen_params),
	KUNIT_CASE_PARAM(while_it_finishes, teller_gen_params),
	KUNIT_CASE_PARAM(after_the_end, teller_gen_params),
	KUNIT_CASE_PARAM(teller_is_late, teller_gen_params),
	KUNIT_CASE_PARAM(release_function_sees_no_signal, teller_gen_params),
	KUNIT_CASE(user_cannot_kill),
	KUNIT_CASE_SLOW(each_queueing_ends_once_in_a_cancel_storm),
	{}
};

static struct kunit_suite tell_suite = {
	.name = "kpool_tell",
	.test_cases = tell_cases,
};

kunit_test_suite(tell_suite);
