// SPDX-License-Identifier: GPL-2.0-only
/* Promise 8: what a told work finds, and kpool_stop_ack(). */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>

#include "helpers.h"

static int stop_thread(void *group)
{
	return kpool_group_stop(group);
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

static struct kunit_case ack_cases[] = {
	KUNIT_CASE(told_work_creates_no_threads),
	KUNIT_CASE(ack_takes_the_signal_away_for_good),
	KUNIT_CASE(ack_before_the_tell_opts_out),
	KUNIT_CASE(ack_ends_with_its_work),
	KUNIT_CASE(ack_waits_for_the_signal),
	KUNIT_CASE(ack_elsewhere_does_nothing),
	KUNIT_CASE(told_twice_is_signalled_once),
	KUNIT_CASE(told_only_inside_of_the_work),
	{}
};

static struct kunit_suite ack_suite = {
	.name = "kpool_ack",
	.test_cases = ack_cases,
};

kunit_test_suite(ack_suite);
