// SPDX-License-Identifier: GPL-2.0-only
/*
 * Promise 15: threads of a freezable pool freeze, and nothing is lost by it.
 *
 * Each case lets the kernel freeze all tasks and thaw them after a second, by
 * its own test of the freezer in /sys/power.  Meanwhile a timer looks at the
 * threads: it is what still runs on a machine of one CPU.
 */
#include <linux/freezer.h>
#include <linux/timer.h>
#include <linux/wait.h>

#include "files.h"
#include "helpers.h"

#define THREADS	3

/* What the timer saw, and what it does when all threads are frozen. */
struct watch {
	struct timer_list timer;
	struct task_struct *tasks[THREADS];
	int n;
	bool frozen[THREADS];	/* has been, at some time */
	int (*then)(struct watch *watch);	/* once */
	struct kpool_group *group;
	struct gated *g;
	bool done;
	int err;
	bool early;		/* the work ran while all were frozen */
};

static bool all_frozen(struct watch *watch)
{
	int i, now = 0;

	for (i = 0; i < watch->n; i++) {
		if (!(READ_ONCE(watch->tasks[i]->__state) & TASK_FROZEN))
			continue;
		watch->frozen[i] = true;
		now++;
	}
	return now == watch->n;
}

static void watch_fn(struct timer_list *timer)
{
	struct watch *watch = container_of(timer, struct watch, timer);
	/* before the look: what ran by then ran while the freezer was on */
	bool ran = watch->g && atomic_read_acquire(&watch->g->runs);

	if (all_frozen(watch) && watch->then) {
		if (!watch->done)
			watch->err = watch->then(watch);
		else if (ran && freezing(watch->tasks[0]))
			watch->early = true;
		watch->done = true;
	}
	mod_timer(timer, jiffies + 1);
}

#define PM_TEST		"/sys/power/pm_test"
#define PM_TEST_DELAY	"/sys/module/suspend/parameters/pm_test_delay"

static void end_pm_test(void *unused)
{
	write_file(PM_TEST, "none");
}

static void end_watch(void *arg)
{
	struct watch *watch = arg;

	timer_shutdown_sync(&watch->timer);
}

/* Freeze everything for a second, and watch the threads of @pool. */
static void freeze(struct kunit *test, struct watch *watch, struct kpool *pool)
{
	struct kpool_worker *worker;

	if (write_file(PM_TEST, "freezer") || write_file(PM_TEST_DELAY, "1"))
		kunit_skip(test, "no test of the freezer in this kernel");
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, end_pm_test, NULL));
	mutex_lock(&pool->mutex);
	list_for_each_entry(worker, &pool->workers, all_entry)
		if (watch->n < THREADS)
			watch->tasks[watch->n++] = worker->task;
	mutex_unlock(&pool->mutex);
	timer_setup(&watch->timer, watch_fn, 0);
	mod_timer(&watch->timer, jiffies + 1);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, end_watch, watch));
	KUNIT_EXPECT_EQ(test, 0, write_file("/sys/power/state", "freeze"));
	timer_shutdown_sync(&watch->timer);
}

static struct watch *watch_alloc(struct kunit *test)
{
	struct watch *watch = kunit_kzalloc(test, sizeof(*watch), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, watch);
	return watch;
}

static struct kpool *freezable_pool(struct kunit *test, int min, int max)
{
	return test_pool_params(test, &(struct kpool_params) {
		.min_threads = min,
		.max_threads = max,
		.idle_timeout = 3600 * HZ,
		.flags = KPOOL_FREEZABLE,
	});
}

static int queue_then(struct watch *watch)
{
	return kpool_queue(watch->group, &watch->g->work);
}

/* Idle threads freeze; one that is committed meanwhile runs its work later. */
static void idle_threads_freeze(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);
	struct watch *watch = watch_alloc(test);
	struct kpool *pool = freezable_pool(test, THREADS, THREADS);
	int i;

	gated_open(g);
	watch->group = kpool_root(pool);
	watch->g = g;
	watch->then = queue_then;
	freeze(test, watch, pool);
	for (i = 0; i < THREADS; i++)
		KUNIT_EXPECT_TRUE(test, watch->frozen[i]);
	KUNIT_EXPECT_TRUE(test, watch->done);
	KUNIT_EXPECT_EQ(test, 0, watch->err);
	KUNIT_EXPECT_FALSE(test, watch->early);
	expect_over(test, g, 1);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g->runs));
	expect_soon(test, pool_idle(pool) == THREADS);
}

/* A work that sleeps freezably. */
struct napper {
	struct kpool_work work;
	wait_queue_head_t wq;
	bool wake;
	struct completion started;
	int ret;
	bool told;
};

static int napper_fn(struct kpool_work *work)
{
	struct napper *n = container_of(work, struct napper, work);

	complete(&n->started);
	n->ret = wait_event_freezable(n->wq, READ_ONCE(n->wake));
	n->told = kpool_should_stop();
	return 0;
}

static struct napper *napper_alloc(struct kunit *test)
{
	struct napper *n = kunit_kzalloc(test, sizeof(*n), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, n);
	kpool_work_init(&n->work, napper_fn);
	init_waitqueue_head(&n->wq);
	init_completion(&n->started);
	return n;
}

static void blocked_work_freezes_where_it_sleeps(struct kunit *test)
{
	struct napper *n = napper_alloc(test);
	struct watch *watch = watch_alloc(test);
	struct kpool *pool = freezable_pool(test, 1, 1);

	KUNIT_EXPECT_EQ(test, 0, kpool_queue(kpool_root(pool), &n->work));
	expect_done(test, &n->started);
	freeze(test, watch, pool);
	KUNIT_EXPECT_TRUE(test, watch->frozen[0]);
	KUNIT_EXPECT_EQ(test, 1, pool_running(pool));
	WRITE_ONCE(n->wake, true);
	wake_up(&n->wq);
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&n->work, NULL,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, n->ret);
}

static int stop_then(struct watch *watch)
{
	kpool_group_request_stop(watch->group);
	return 0;
}

/* Told while it is frozen: it finds that when it is thawed. */
static void tell_reaches_frozen_work(struct kunit *test)
{
	struct napper *n = napper_alloc(test);
	struct watch *watch = watch_alloc(test);
	struct kpool *pool = freezable_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "a", 0, 0);

	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &n->work));
	expect_done(test, &n->started);
	watch->group = group;
	watch->then = stop_then;
	freeze(test, watch, pool);
	KUNIT_EXPECT_TRUE(test, watch->done);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
	KUNIT_EXPECT_EQ(test, -ERESTARTSYS, n->ret);
	KUNIT_EXPECT_TRUE(test, n->told);
}

/* A work that is queued again and again, so that its thread is never idle. */
struct busy {
	struct kpool_work work;
	struct kpool_group *group;
	bool end;
	int refused;
	unsigned long runs;
};

static int busy_fn(struct kpool_work *work)
{
	struct busy *b = container_of(work, struct busy, work);

	b->runs++;
	cond_resched();
	if (!READ_ONCE(b->end))
		b->refused = kpool_queue(b->group, work);
	return 0;
}

static void busy_thread_freezes_between_works(struct kunit *test)
{
	struct busy *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	struct watch *watch = watch_alloc(test);
	struct kpool *pool;
	unsigned long runs;

	KUNIT_ASSERT_NOT_NULL(test, b);
	pool = freezable_pool(test, 1, 1);
	b->group = kpool_root(pool);
	kpool_work_init(&b->work, busy_fn);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(b->group, &b->work));
	freeze(test, watch, pool);
	KUNIT_EXPECT_TRUE(test, watch->frozen[0]);
	runs = READ_ONCE(b->runs);
	expect_soon(test, READ_ONCE(b->runs) > runs);
	WRITE_ONCE(b->end, true);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(b->group, DEADLINE));
}

/* Asked for while everything is frozen; nobody else runs the work either. */
static void thread_born_while_frozen_freezes(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);
	struct watch *watch = watch_alloc(test);
	struct kpool *pool = freezable_pool(test, 0, 1);
	struct kpool *other = freezable_pool(test, 1, 1);

	gated_open(g);
	watch->group = kpool_root(pool);
	watch->g = g;
	watch->then = queue_then;
	freeze(test, watch, other);
	KUNIT_EXPECT_TRUE(test, watch->done);
	KUNIT_EXPECT_EQ(test, 0, watch->err);
	KUNIT_EXPECT_FALSE(test, watch->early);
	expect_over(test, g, 1);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g->runs));
}

/* Idle, and in a sleep that the freezer knows nothing about. */
static void other_pools_do_not_freeze(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);
	struct watch *watch = watch_alloc(test);
	struct kpool *pool = test_pool(test, THREADS, THREADS);
	int i;

	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	freeze(test, watch, pool);
	for (i = 0; i < THREADS; i++)
		KUNIT_EXPECT_FALSE(test, watch->frozen[i]);
	gated_open(g);
	expect_over(test, g, 1);
	KUNIT_EXPECT_FALSE(test, g->signalled);
}

/*
 * Called by the task that loads the module: it waits for the cases, and so
 * could not be frozen.
 */
static int freeze_suite_init(struct kunit_suite *suite)
{
	current->flags |= PF_NOFREEZE;
	return 0;
}

static void freeze_suite_exit(struct kunit_suite *suite)
{
	if (!(current->flags & PF_KTHREAD))
		current->flags &= ~PF_NOFREEZE;
}

static struct kunit_case freeze_cases[] = {
	KUNIT_CASE_SLOW(idle_threads_freeze),
	KUNIT_CASE_SLOW(blocked_work_freezes_where_it_sleeps),
	KUNIT_CASE_SLOW(tell_reaches_frozen_work),
	KUNIT_CASE_SLOW(busy_thread_freezes_between_works),
	KUNIT_CASE_SLOW(thread_born_while_frozen_freezes),
	KUNIT_CASE_SLOW(other_pools_do_not_freeze),
	{}
};

static struct kunit_suite freeze_suite = {
	.name = "kpool_freeze",
	.suite_init = freeze_suite_init,
	.suite_exit = freeze_suite_exit,
	.test_cases = freeze_cases,
};

kunit_test_suite(freeze_suite);
