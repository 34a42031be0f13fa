// SPDX-License-Identifier: GPL-2.0-only
/*
 * Promises 7 and 8: a tell is neither lost nor does it reach another work,
 * whenever it comes; and what a told work finds.
 */
#include <linux/err.h>
#include <linux/kthread.h>
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
};

static void tell_by_request(struct scene *s)
{
	kpool_group_request_stop(s->group);
}

static void tell_by_stop(struct scene *s)
{
	run_thread(s->test, stop_thread, s->group);
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
	passed = s->g->work.flags & WORK_TOLD || list_empty(&s->group->running);
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

/* A work with two sleeps, and something to do between them. */
struct probe {
	struct kpool_work	work;
	void			(*between)(struct probe *p);
	struct completion	started;
	struct completion	first_gate;
	struct completion	paused;
	struct completion	second_gate;
	struct completion	ended;
	int			first;		/* how the sleeps ended */
	int			second;
	bool			told;		/* after the first one */
	bool			told_in_irq;
	bool			pending;	/* a signal, after between() */
	bool			told_at_end;
	int			create;		/* what it found */
	int			create_later;
};

static int probe_fn(struct kpool_work *work)
{
	struct probe *p = container_of(work, struct probe, work);

	complete(&p->started);
	p->first = wait_for_completion_interruptible(&p->first_gate);
	p->told = kpool_should_stop();
	if (p->between)
		p->between(p);
	p->pending = signal_pending(current);
	complete(&p->paused);
	p->second = wait_for_completion_interruptible(&p->second_gate);
	p->told_at_end = kpool_should_stop();
	complete(&p->ended);
	return 0;
}

static void probe_end(void *arg)
{
	struct probe *p = arg;

	complete_all(&p->first_gate);
	complete_all(&p->second_gate);
	kpool_work_wait_timeout(&p->work, NULL, DEADLINE);
}

static struct probe *probe(struct kunit *test, struct kpool_group *group,
			   void (*between)(struct probe *p))
{
	struct probe *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	kpool_work_init(&p->work, probe_fn);
	p->between = between;
	init_completion(&p->started);
	init_completion(&p->first_gate);
	init_completion(&p->paused);
	init_completion(&p->second_gate);
	init_completion(&p->ended);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, probe_end, p));
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &p->work));
	expect_done(test, &p->started);
	return p;
}

/* Everything that tells, once more; nothing may come of it. */
static void tell_again(struct kunit *test, struct kpool_group *group,
		       struct probe *p)
{
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_work_cancel(&p->work));
	kpool_group_request_stop(group);
	run_thread(test, stop_thread, group);
	KUNIT_EXPECT_TRUE(test, stays(!completion_done(&p->ended)));
	complete_all(&p->second_gate);
	expect_done(test, &p->ended);
	KUNIT_EXPECT_EQ(test, 0, p->second);
	KUNIT_EXPECT_TRUE(test, p->told_at_end);
}

static int end_at_once(void *unused)
{
	return 0;
}

/* kthread_stop() works for a thread that never ran, too. */
static int try_create(void)
{
	struct task_struct *task;

	task = kthread_create(end_at_once, NULL, "kpool-test");
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_stop(task);
	return 0;
}

/* It may be lucky, if the new thread is faster than it looks for signals. */
static void create_then_ack(struct probe *p)
{
	int try;

	for (try = 0; try < 100 && !p->create; try++)
		p->create = try_create();
	kpool_stop_ack();
	p->create_later = try_create();
}

static void told_work_creates_no_threads(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct probe *p = probe(test, group, create_then_ack);

	kpool_work_cancel(&p->work);
	expect_done(test, &p->paused);
	KUNIT_EXPECT_EQ(test, -EINTR, p->create);
	KUNIT_EXPECT_EQ(test, 0, p->create_later);
}

static void ack(struct probe *p)
{
	kpool_stop_ack();
}

static void ack_takes_the_signal_away_for_good(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct probe *p = probe(test, group, ack);

	kpool_work_cancel(&p->work);
	expect_done(test, &p->paused);
	KUNIT_EXPECT_EQ(test, -ERESTARTSYS, p->first);
	KUNIT_EXPECT_TRUE(test, p->told);
	KUNIT_EXPECT_FALSE(test, p->pending);
	tell_again(test, group, p);
}

/* The first sleep ends by its gate; the second one is not ended by a tell. */
static void ack_before_the_tell_opts_out(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct probe *p = probe(test, group, ack);

	complete(&p->first_gate);
	expect_done(test, &p->paused);
	KUNIT_EXPECT_EQ(test, 0, p->first);
	KUNIT_EXPECT_FALSE(test, p->told);
	tell_again(test, group, p);
}

/* The ack of one work does not count for the next. */
static void ack_ends_with_its_work(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct probe *p = probe(test, kpool_root(pool), ack);
	struct gated *g = gated_array(test, 1);

	probe_end(p);
	expect_queued(test, group, g, 1);
	expect_started(test, g, 1);
	kpool_group_request_stop(group);
	expect_done(test, &g->ended);
	KUNIT_EXPECT_TRUE(test, g->signalled);
}

/* An ack waits for a teller that is about to signal. */
static void ack_waits_for_the_signal(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct probe *p = probe(test, group, ack);

	hold_at(test, pool, KPOOL_AT_SEND);
	kpool_work_cancel(&p->work);
	hold_reached(test);
	complete(&p->first_gate);
	KUNIT_EXPECT_TRUE(test, stays(!completion_done(&p->paused)));
	hold_release();
	expect_done(test, &p->paused);
	KUNIT_EXPECT_FALSE(test, p->pending);
	tell_again(test, group, p);
}

static int ack_elsewhere_thread(void *unused)
{
	send_sig(SIGKILL, current, 1);
	kpool_stop_ack();
	return signal_pending(current);
}

static void ack_elsewhere_does_nothing(struct kunit *test)
{
	struct test_thread *t = run_thread(test, ack_elsewhere_thread, NULL);

	KUNIT_EXPECT_EQ(test, 1, join_thread(test, t));
}

static void flush(struct probe *p)
{
	flush_signals(current);
}

static void told_twice_is_signalled_once(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct probe *p = probe(test, group, flush);

	kpool_work_cancel(&p->work);
	expect_done(test, &p->paused);
	expect_soon(test, tell_of(pool, &p->work) != TELL_SENDING);
	tell_again(test, group, p);
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

static void look_in_irq(void *arg)
{
	struct probe *p = arg;

	p->told_in_irq = kpool_should_stop() || kpool_current();
}

static void call_in_irq(struct probe *p)
{
	call_in_hardirq(NULL, look_in_irq, p);
}

static void told_only_inside_of_the_work(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct probe *p = probe(test, kpool_root(pool), call_in_irq);

	kpool_work_cancel(&p->work);
	expect_done(test, &p->ended);
	KUNIT_EXPECT_TRUE(test, p->told);
	KUNIT_EXPECT_TRUE(test, p->told_at_end);
	KUNIT_EXPECT_FALSE(test, p->told_in_irq);
	KUNIT_EXPECT_FALSE(test, kpool_should_stop());
	KUNIT_EXPECT_NULL(test, kpool_current());
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
	KUNIT_CASE(told_work_creates_no_threads),
	KUNIT_CASE(ack_takes_the_signal_away_for_good),
	KUNIT_CASE(ack_before_the_tell_opts_out),
	KUNIT_CASE(ack_ends_with_its_work),
	KUNIT_CASE(ack_waits_for_the_signal),
	KUNIT_CASE(ack_elsewhere_does_nothing),
	KUNIT_CASE(told_twice_is_signalled_once),
	KUNIT_CASE(user_cannot_kill),
	KUNIT_CASE(told_only_inside_of_the_work),
	KUNIT_CASE_SLOW(each_queueing_ends_once_in_a_cancel_storm),
	{}
};

static struct kunit_suite tell_suite = {
	.name = "kpool_tell",
	.test_cases = tell_cases,
};

kunit_test_suite(tell_suite);
