// SPDX-License-Identifier: GPL-2.0-only
/* Promise 5: stopping, what it ends, and from where it is requested. */
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

#include "stop_fixture.h"

static int stop_thread(void *group)
{
	return kpool_group_stop(group);
}

static int wait_thread(void *work)
{
	return kpool_work_wait(work, NULL);
}

static void refuses_queueing(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 2);

	expect_stop(test, group);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(group, &g[0].work));
	expect_queued(test, kpool_root(pool), &g[1], 1);
	expect_started(test, &g[1], 1);
	expect_stop(test, kpool_root(pool));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			kpool_queue(kpool_root(pool), &g[1].work));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(group, &g[0].work));
}

static void root_refuses_groups_and_their_works(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0), *late;
	struct gated *g = gated_array(test, 1);

	expect_stop(test, kpool_root(pool));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(group, &g[0].work));
	late = kpool_group_create(kpool_root(pool), "late", NULL);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, PTR_ERR_OR_ZERO(late));
	if (!IS_ERR(late))
		kpool_group_destroy(late);
}

static void pending_works_are_cancelled(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 3);
	struct test_thread *waiter;

	expect_queued(test, kpool_root(pool), &g[0], 1);
	expect_queued(test, group, &g[1], 2);
	waiter = run_thread(test, wait_thread, &g[1].work);
	expect_soon(test, count_waiters(pool, &g[1].work.waiters) == 1);
	expect_stop(test, group);
	KUNIT_EXPECT_EQ(test, -ECANCELED, join_thread(test, waiter));
	gated_open(&g[0]);
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&g[0].work, NULL,
							 DEADLINE));
	expect_never_ran(test, &g[1], 2);
}

/* A thread comes free after the stop, but before the works are settled. */
static void expect_no_start(struct kunit *test, struct kpool *pool,
			    struct kpool_group *group, struct kpool_group *top)
{
	struct gated *g = gated_array(test, 3);

	expect_queued(test, kpool_root(pool), &g[1], 1);
	hold_stopper(test, pool, &g[0]);
	expect_queued(test, group, &g[2], 1);
	kpool_group_request_stop(top);
	gated_open(&g[1]);
	expect_soon(test, pool_idle(pool) == 1 || atomic_read(&g[2].runs));
	KUNIT_EXPECT_TRUE(test, kpool_work_busy(&g[2].work));
	hold_release();
	expect_never_ran(test, &g[2], 1);
}

static void pending_works_do_not_start(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);

	expect_no_start(test, pool, group, group);
}

static void pending_works_below_do_not_start(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);

	expect_no_start(test, pool, group, kpool_root(pool));
}

static void interruptible_and_killable_sleeps_end(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 2);

	g[1].sleep = GATE_KILLABLE;
	expect_queued(test, group, g, 2);
	expect_started(test, g, 2);
	expect_stop(test, group);
	expect_told(test, g, 2);
}

static void waits_for_uninterruptible_sleeps(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 2);
	struct test_thread *stopper;

	g[1].sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, group, g, 2);
	expect_started(test, g, 2);
	stopper = run_thread(test, stop_thread, group);
	expect_told(test, g, 1);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(stopper)));
	gated_open(&g[1]);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, stopper));
	KUNIT_EXPECT_TRUE(test, completion_done(&g[1].ended));
	KUNIT_EXPECT_TRUE(test, g[1].told);
}

/* A work that looks at its flag and never sleeps interruptibly. */
struct looker {
	struct kpool_work	work;
	struct completion	started;
	struct completion	gate;
	bool			told;
	bool			signalled;
};

static int looker_fn(struct kpool_work *work)
{
	struct looker *l = container_of(work, struct looker, work);
	unsigned long end = jiffies + DEADLINE;

	complete(&l->started);
	while (!kpool_should_stop() && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	l->signalled = signal_pending(current);
	WRITE_ONCE(l->told, kpool_should_stop());
	wait_for_completion(&l->gate);
	return 0;
}

/* Whoever looks at the flag needs no signal. */
static void flag_does_not_wait_for_the_signal(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct looker *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, l);
	kpool_work_init(&l->work, looker_fn);
	init_completion(&l->started);
	init_completion(&l->gate);
	hold_at(test, pool, KPOOL_AT_SEND);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &l->work));
	expect_done(test, &l->started);
	kpool_group_request_stop(group);
	hold_reached(test);
	expect_soon(test, READ_ONCE(l->told));
	hold_release();
	complete(&l->gate);
	expect_stop(test, group);
	KUNIT_EXPECT_FALSE(test, l->signalled);
}

#define HERD	1000

/* Works that sleep, and when told wait until all others were told too. */
struct herd {
	struct member {
		struct kpool_work	work;
		struct herd		*herd;
		bool			killable;
	} members[HERD];
	atomic_t		awake;
	atomic_t		signalled;
	struct completion	all_asleep;
	struct completion	all_signalled;
	struct completion	gate;	/* the way out if all fails */
};

static int member_fn(struct kpool_work *work)
{
	struct member *m = container_of(work, struct member, work);
	struct herd *herd = m->herd;
	int err;

	if (atomic_dec_and_test(&herd->awake))
		complete_all(&herd->all_asleep);
	if (m->killable)
		err = wait_for_completion_killable(&herd->gate);
	else
		err = wait_for_completion_interruptible(&herd->gate);
	if (!err)
		return -EIO;
	if (atomic_inc_return(&herd->signalled) == HERD)
		complete_all(&herd->all_signalled);
	return wait_for_completion_timeout(&herd->all_signalled, DEADLINE) ?
		0 : -ETIME;
}

static void herd_end(void *arg)
{
	struct herd *herd = arg;

	complete_all(&herd->gate);
}

static struct herd *herd_alloc(struct kunit *test)
{
	struct herd *herd;
	int i;

	herd = kunit_kzalloc(test, sizeof(*herd), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, herd);
	init_completion(&herd->gate);
	for (i = 0; i < HERD; i++) {
		kpool_work_init(&herd->members[i].work, member_fn);
		herd->members[i].herd = herd;
	}
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, herd_end, herd));
	return herd;
}

/* A stop of one after the other would never get past the first. */
static void stop_herd(struct kunit *test, struct kpool *pool,
		      struct herd *herd, const char *name, int killable)
{
	struct kpool_group *group = test_group(test, pool, name, 0, 0);
	struct test_thread *stopper;
	int i, err, bad = 0;

	atomic_set(&herd->awake, HERD);
	atomic_set(&herd->signalled, 0);
	init_completion(&herd->all_asleep);
	init_completion(&herd->all_signalled);
	for (i = 0; i < HERD; i++) {
		herd->members[i].killable = killable > 1 ? i & 1 : killable;
		bad += !!kpool_queue(group, &herd->members[i].work);
	}
	expect_done(test, &herd->all_asleep);
	stopper = run_thread(test, stop_thread, group);
	if (!expect_done(test, &herd->all_signalled))
		herd_end(herd);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, stopper));
	for (i = 0; i < HERD; i++)
		bad += kpool_work_wait_timeout(&herd->members[i].work, &err,
					       0) || err;
	KUNIT_EXPECT_EQ(test, 0, bad);
}

static void thousand_blocked_works_end_together(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, HERD);
	struct herd *herd = herd_alloc(test);

	stop_herd(test, pool, herd, "interruptible", 0);
	stop_herd(test, pool, herd, "killable", 1);
	stop_herd(test, pool, herd, "mixed", 2);
}

static void many_stoppers_of_group_and_root(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 4, 4);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 4);
	struct test_thread *stoppers[6];
	int i;

	g[3].sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, kpool_root(pool), g, 2);
	expect_queued(test, group, &g[2], 2);
	expect_started(test, g, 4);
	for (i = 0; i < ARRAY_SIZE(stoppers); i++)
		stoppers[i] = run_thread(test, stop_thread,
					 i & 1 ? kpool_root(pool) : group);
	expect_told(test, g, 3);
	expect_soon(test, count_waiters(pool, &group->waiters) == 3);
	expect_soon(test, count_waiters(pool, &pool->root->waiters) == 3);
	gated_open(&g[3]);
	for (i = 0; i < ARRAY_SIZE(stoppers); i++)
		KUNIT_EXPECT_EQ(test, 0, join_thread(test, stoppers[i]));
	KUNIT_EXPECT_EQ(test, 4, pool_idle(pool));
}

static void stopped_group_may_be_stopped_again(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 1);

	expect_queued(test, group, g, 1);
	expect_started(test, g, 1);
	expect_stop(test, group);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(group, 0));
	kpool_group_request_stop(group);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop(group));
	expect_told(test, g, 1);
}

struct stop_call {
	struct kpool_group *group;
	struct kpool_work *work;
	int err;
};

static void request_in(void *arg)
{
	struct stop_call *call = arg;

	kpool_group_request_stop(call->group);
	call->err = kpool_queue(call->group, call->work);
}

/* Two works run, one is pending, and nobody but the pool ends them. */
static void request_from(struct kunit *test,
			 void (*in)(struct kunit *test, void (*fn)(void *arg),
				    void *arg))
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 4);
	struct stop_call call = { .group = group, .work = &g[3].work };

	g[1].sleep = GATE_KILLABLE;
	expect_queued(test, group, g, 3);
	expect_started(test, g, 2);
	in(test, request_in, &call);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, call.err);
	expect_told(test, g, 2);
	expect_never_ran(test, &g[2], 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
}

static void request_from_hardirq(struct kunit *test)
{
	request_from(test, call_in_hardirq);
}

static void request_from_softirq(struct kunit *test)
{
	request_from(test, call_in_softirq);
}

static void call_under_raw_spinlock(struct kunit *test, void (*fn)(void *arg),
				    void *arg)
{
	raw_spinlock_t lock;

	raw_spin_lock_init(&lock);
	raw_spin_lock_irq(&lock);
	fn(arg);
	raw_spin_unlock_irq(&lock);
}

static void request_under_raw_spinlock(struct kunit *test)
{
	request_from(test, call_under_raw_spinlock);
}

/* A work that stops its own group in every way that is refused. */
struct own {
	struct kpool_work	work;
	struct kpool		*pool;
	struct kpool_group	*group;
	bool			told_before;
	bool			told_after;
	int			errs[8];
};

static int request_own_fn(struct kpool_work *work)
{
	struct own *own = container_of(work, struct own, work);
	raw_spinlock_t lock;

	raw_spin_lock_init(&lock);
	raw_spin_lock_irq(&lock);
	own->told_before = kpool_should_stop();
	kpool_group_request_stop(own->group);
	own->told_after = kpool_should_stop();
	raw_spin_unlock_irq(&lock);
	return 0;
}

static int stop_own_fn(struct kpool_work *work)
{
	struct own *own = container_of(work, struct own, work);
	int *err = own->errs;

	own->told_before = kpool_should_stop();
	*err = kpool_group_stop_timeout(own->group, HZ);
	own->told_after = kpool_should_stop();
	if (*err++ != -EDEADLK)
		return 0;
	*err++ = kpool_group_stop(own->group);
	*err++ = kpool_group_wait_timeout(kpool_root(own->pool), HZ);
	*err++ = kpool_group_wait(own->group);
	*err++ = kpool_group_wait_killable(own->group);
	*err++ = kpool_group_stop(kpool_root(own->pool));
	*err++ = kpool_group_destroy(own->group);
	*err++ = kpool_destroy(own->pool);
	return 0;
}

static struct own *run_own(struct kunit *test, kpool_fn_t fn)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct own *own = kunit_kzalloc(test, sizeof(*own), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, own);
	own->pool = pool;
	own->group = test_group(test, pool, "g", 0, 0);
	kpool_work_init(&own->work, fn);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(own->group, &own->work));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&own->work, NULL,
							 DEADLINE));
	KUNIT_EXPECT_FALSE(test, own->told_before);
	KUNIT_EXPECT_TRUE(test, own->told_after);
	return own;
}

static void flag_is_true_at_once(struct kunit *test)
{
	run_own(test, request_own_fn);
}

static void own_work_is_told_and_refused(struct kunit *test)
{
	struct own *own = run_own(test, stop_own_fn);
	int i;

	for (i = 0; i < ARRAY_SIZE(own->errs); i++)
		KUNIT_EXPECT_EQ_MSG(test, -EDEADLK, own->errs[i], "%d", i);
}

static void sibling_is_left_alone(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *a = test_group(test, pool, "a", 0, 0);
	struct kpool_group *b = test_group(test, pool, "b", 0, 0);
	struct gated *g = gated_array(test, 3);

	expect_queued(test, a, &g[0], 1);
	expect_queued(test, b, &g[1], 2);
	expect_started(test, g, 2);
	expect_stop(test, a);
	expect_told(test, g, 1);
	expect_started(test, &g[2], 1);
	KUNIT_EXPECT_TRUE(test, stays(!completion_done(&g[1].ended) &&
				      !completion_done(&g[2].ended)));
	gated_open_all(&g[1], 2);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(b, DEADLINE));
	KUNIT_EXPECT_FALSE(test, g[1].told || g[1].signalled);
	KUNIT_EXPECT_FALSE(test, g[2].told || g[2].signalled || g[2].stray);
}

/* What has to be there for a stop was made when the pool was. */
static void completes_while_creation_fails(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 4);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 6);
	struct test_thread *waiter;

	expect_queued(test, group, g, 2);
	expect_started(test, g, 2);
	waiter = run_thread(test, group_wait_thread, group);
	fail_creations(test, 0);
	expect_queued(test, group, &g[2], 4);
	expect_soon(test, READ_ONCE(pool->nr_failed));
	kpool_group_request_stop(group);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, waiter));
	expect_told(test, g, 2);
	expect_never_ran(test, &g[2], 4);
	test_group_destroy(test, group);
	test_pool_destroy(test, pool);
	KUNIT_EXPECT_NE(test, 0, kpool_fail_create.probability);
}

static void completes_while_a_thread_is_created(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 1);
	struct test_thread *stopper;

	hold_at(test, pool, KPOOL_AT_CREATE);
	expect_queued(test, group, g, 1);
	hold_reached(test);
	stopper = run_thread(test, stop_thread, group);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, stopper));
	hold_release();
	expect_never_ran(test, g, 1);
	expect_soon(test, pool_idle(pool) == 1);
}

/* Threads that queue without end, each a work of its own. */
struct racer {
	struct kpool_group	*group;
	struct kpool_work	work;
};

static atomic_t races = ATOMIC_INIT(0);

static int racer_fn(struct kpool_work *work)
{
	atomic_inc(&races);
	return 0;
}

static int racer_thread(void *arg)
{
	struct racer *racer = arg;
	unsigned long end = jiffies + DEADLINE;
	int err;

	do {
		err = kpool_queue(racer->group, &racer->work);
		cond_resched();
	} while ((!err || err == -EALREADY) && time_before(jiffies, end));
	return err;
}

static void nothing_runs_after_it_returned(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct test_thread *threads[4];
	int first = atomic_read(&races), last;
	struct racer *racers;
	int i;

	racers = kunit_kcalloc(test, ARRAY_SIZE(threads), sizeof(*racers),
			       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, racers);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		racers[i].group = group;
		kpool_work_init(&racers[i].work, racer_fn);
		threads[i] = run_thread(test, racer_thread, &racers[i]);
	}
	expect_soon(test, atomic_read(&races) - first > 100);
	expect_stop(test, group);
	last = atomic_read(&races);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
				join_thread(test, threads[i]));
	KUNIT_EXPECT_EQ(test, last, atomic_read(&races));
}

static struct kunit_case stop_cases[] = {
	KUNIT_CASE(refuses_queueing),
	KUNIT_CASE(root_refuses_groups_and_their_works),
	KUNIT_CASE(pending_works_are_cancelled),
	KUNIT_CASE(pending_works_do_not_start),
	KUNIT_CASE(pending_works_below_do_not_start),
	KUNIT_CASE(interruptible_and_killable_sleeps_end),
	KUNIT_CASE(waits_for_uninterruptible_sleeps),
	KUNIT_CASE(flag_does_not_wait_for_the_signal),
	KUNIT_CASE_SLOW(thousand_blocked_works_end_together),
	KUNIT_CASE(many_stoppers_of_group_and_root),
	KUNIT_CASE(stopped_group_may_be_stopped_again),
	KUNIT_CASE(request_from_hardirq),
	KUNIT_CASE(request_from_softirq),
	KUNIT_CASE(request_under_raw_spinlock),
	KUNIT_CASE(flag_is_true_at_once),
	KUNIT_CASE(own_work_is_told_and_refused),
	KUNIT_CASE(sibling_is_left_alone),
	KUNIT_CASE(completes_while_creation_fails),
	KUNIT_CASE(completes_while_a_thread_is_created),
	KUNIT_CASE(nothing_runs_after_it_returned),
	{}
};

static struct kunit_suite stop_suite = {
	.name = "kpool_stop",
	.test_cases = stop_cases,
};

kunit_test_suite(stop_suite);
