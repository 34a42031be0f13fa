// SPDX-License-Identifier: GPL-2.0-only
/* Promise 8: works of a KPOOL_NOSIGNAL group are told by flag and cancel() only. */
#include <linux/sched/signal.h>

#include "cancelcb_fixture.h"

static int stop_thread(void *group)
{
	return kpool_group_stop(group);
}

static int cancel_thread(void *work)
{
	return kpool_work_cancel_sync(work);
}

/* A thread, a group without signals, one with, and works. */
struct scene {
	struct kunit *test;
	struct cancelcb *cb;
	struct kpool *pool;
	struct kpool_group *group;
	struct kpool_group *next;
	struct gated *g;
};

static struct scene scene(struct kunit *test, int min_threads)
{
	struct scene s = { .test = test, .cb = cancelcb(test) };

	s.pool = test_pool(test, min_threads, 1);
	s.group = cancelcb_group(test, s.cb, kpool_root(s.pool), "quiet",
				 KPOOL_NOSIGNAL);
	s.next = test_group(test, s.pool, "next", 0, 0);
	s.g = gated_array(test, 2);
	return s;
}

static void tell_by_stop(struct scene *s)
{
	run_thread(s->test, stop_thread, s->group);
}

static void tell_by_request(struct scene *s)
{
	kpool_group_request_stop(s->group);
}

static void request_fn(void *group)
{
	kpool_group_request_stop(group);
}

static void tell_in_hardirq(struct scene *s)
{
	call_in_hardirq(s->test, request_fn, s->group);
}

static void tell_by_cancel(struct scene *s)
{
	kpool_work_cancel(&s->g->work);
}

static void tell_by_cancel_sync(struct scene *s)
{
	run_thread(s->test, cancel_thread, &s->g->work);
}

struct teller {
	const char *name;
	void (*tell)(struct scene *s);
};

static const struct teller tellers[] = {
	{ "stop", tell_by_stop },
	{ "request_stop", tell_by_request },
	{ "request_stop in hardirq", tell_in_hardirq },
	{ "cancel", tell_by_cancel },
	{ "cancel_sync", tell_by_cancel_sync },
};

KUNIT_ARRAY_PARAM_DESC(teller, tellers, name);

/* Tell the first work, and wait until whoever signals it would have. */
static void tell(struct scene *s)
{
	const struct teller *teller = s->test->param_value;
	struct kpool *pool = s->pool;
	bool done;

	teller->tell(s);
	expect_soon(s->test, ({
		raw_spin_lock_irq(&pool->lock);
		done = list_empty(&pool->to_stop) &&
		       hlist_empty(&pool->to_tell) &&
		       (s->g->work.flags & WORK_TOLD ||
			hlist_empty(&s->group->running));
		raw_spin_unlock_irq(&pool->lock);
		done;
	}));
}

static void queue_first(struct scene *s)
{
	expect_queued(s->test, s->group, s->g, 1);
}

/* It sleeps on, and finds the flag when it looks. */
static void expect_flag_only(struct scene *s)
{
	struct kunit *test = s->test;

	expect_started(test, s->g, 1);
	KUNIT_EXPECT_TRUE(test, stays(!completion_done(&s->g->ended)));
	gated_open(s->g);
	expect_done(test, &s->g->ended);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(s->group, DEADLINE));
	KUNIT_EXPECT_TRUE(test, s->g->told);
	KUNIT_EXPECT_FALSE(test, s->g->signalled || s->g->stray);
}

/* The next work of the thread, in an ordinary group, is told by a signal. */
static void expect_next_signalled(struct scene *s)
{
	struct kunit *test = s->test;

	expect_queued(test, s->next, &s->g[1], 1);
	expect_started(test, &s->g[1], 1);
	KUNIT_EXPECT_TRUE(test, stays(!completion_done(&s->g[1].ended)));
	KUNIT_EXPECT_PTR_EQ(test, s->g[0].thread, s->g[1].thread);
	KUNIT_EXPECT_FALSE(test, s->g[1].stray);
	expect_stop(test, s->next);
	expect_told(test, &s->g[1], 1);
}

static void told_before_the_birth(struct kunit *test)
{
	struct scene s = scene(test, 0);

	hold_at(test, s.pool, KPOOL_AT_BIRTH);
	queue_first(&s);
	hold_reached(test);
	tell(&s);
	hold_release();
	expect_flag_only(&s);
	expect_next_signalled(&s);
}

static void told_before_the_start(struct kunit *test)
{
	struct scene s = scene(test, 1);

	hold_at(test, s.pool, KPOOL_AT_START);
	queue_first(&s);
	hold_reached(test);
	tell(&s);
	hold_release();
	expect_flag_only(&s);
	expect_next_signalled(&s);
}

static void told_while_it_runs(struct kunit *test)
{
	struct scene s = scene(test, 1);

	queue_first(&s);
	expect_started(test, s.g, 1);
	complete(&s.g->started);
	tell(&s);
	expect_flag_only(&s);
	expect_next_signalled(&s);
}

/* After the end of an ordinary run that was told. */
static void after_a_signal(struct kunit *test)
{
	struct scene s = scene(test, 1);
	struct gated *g = gated_array(test, 1);

	expect_queued(test, s.next, g, 1);
	expect_started(test, g, 1);
	queue_first(&s);
	expect_stop(test, s.next);
	expect_told(test, g, 1);
	expect_started(test, s.g, 1);
	complete(&s.g->started);
	kpool_group_request_stop(s.group);
	expect_flag_only(&s);
	KUNIT_EXPECT_PTR_EQ(test, g->thread, s.g->thread);
}

static void stop_waits_and_calls_cancel(struct kunit *test)
{
	struct scene s = scene(test, 1);
	struct test_thread *stop;

	queue_first(&s);
	expect_started(test, s.g, 1);
	stop = run_thread(test, stop_thread, s.group);
	expect_done(test, &s.cb->entered);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(stop)));
	gated_open(s.g);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, stop));
	KUNIT_EXPECT_TRUE(test, completion_done(&s.g->ended));
	KUNIT_EXPECT_TRUE(test, s.g->told);
	KUNIT_EXPECT_FALSE(test, s.g->signalled);
	expect_calls(test, s.cb, 1);
}

/* It is the group that a work was queued to that counts. */
static void those_above_and_below_are_signalled(struct kunit *test)
{
	struct kpool_group_params quiet = { .flags = KPOOL_NOSIGNAL };
	struct kpool *pool = test_pool(test, 3, 3);
	struct kpool_group *top = test_group(test, pool, "top", 0, 0);
	struct kpool_group *mid = test_subgroup(test, top, "mid", &quiet);
	struct kpool_group *low = test_subgroup(test, mid, "low", NULL);
	struct gated *g = gated_array(test, 3);
	struct test_thread *stop;

	expect_queued(test, top, &g[0], 1);
	expect_queued(test, low, &g[1], 1);
	expect_queued(test, mid, &g[2], 1);
	expect_started(test, g, 3);
	stop = run_thread(test, stop_thread, top);
	expect_told(test, g, 2);
	KUNIT_EXPECT_TRUE(test, stays(!completion_done(&g[2].ended)));
	gated_open(&g[2]);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, stop));
	KUNIT_EXPECT_TRUE(test, g[2].told);
	KUNIT_EXPECT_FALSE(test, g[2].signalled);
}

/* A work that acknowledges before it is told and after. */
struct acker {
	struct kpool_work	work;
	struct completion	started;
	struct completion	gate;
	bool			told_before;
	bool			told;
	bool			signal;
	long			slept;
};

static int acker_fn(struct kpool_work *work)
{
	struct acker *a = container_of(work, struct acker, work);

	a->told_before = kpool_should_stop();
	kpool_stop_ack();
	complete(&a->started);
	wait_for_completion_timeout(&a->gate, DEADLINE);
	kpool_stop_ack();
	kpool_stop_ack();
	a->told = kpool_should_stop();
	a->signal = signal_pending(current);
	a->slept = schedule_timeout_interruptible(1);
	return 0;
}

static void ack_is_harmless(struct kunit *test)
{
	struct acker *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);
	struct scene s = scene(test, 1);

	KUNIT_ASSERT_NOT_NULL(test, a);
	kpool_work_init(&a->work, acker_fn);
	init_completion(&a->started);
	init_completion(&a->gate);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(s.group, &a->work));
	expect_done(test, &a->started);
	kpool_group_request_stop(s.group);
	expect_done(test, &s.cb->entered);
	complete(&a->gate);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(s.group, DEADLINE));
	KUNIT_EXPECT_FALSE(test, a->told_before);
	KUNIT_EXPECT_TRUE(test, a->told);
	KUNIT_EXPECT_FALSE(test, a->signal);
	KUNIT_EXPECT_EQ(test, 0L, a->slept);
	expect_queued(test, s.next, s.g, 1);
	expect_started(test, s.g, 1);
	expect_stop(test, s.next);
	expect_told(test, s.g, 1);
}

static struct kunit_case nosignal_cases[] = {
	KUNIT_CASE_PARAM(told_before_the_birth, teller_gen_params),
	KUNIT_CASE_PARAM(told_before_the_start, teller_gen_params),
	KUNIT_CASE_PARAM(told_while_it_runs, teller_gen_params),
	KUNIT_CASE(after_a_signal),
	KUNIT_CASE(stop_waits_and_calls_cancel),
	KUNIT_CASE(those_above_and_below_are_signalled),
	KUNIT_CASE(ack_is_harmless),
	{}
};

static struct kunit_suite nosignal_suite = {
	.name = "kpool_nosignal",
	.test_cases = nosignal_cases,
};

kunit_test_suite(nosignal_suite);
