// SPDX-License-Identifier: GPL-2.0-only
/* Promise 5: a group that was stopped or drained takes works again. */
#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/sched/signal.h>

#include "stop_fixture.h"

static int stop_thread(void *group)
{
	return kpool_group_stop(group);
}

static int drain_thread(void *group)
{
	return kpool_group_drain(group);
}

static int reopen_thread(void *group)
{
	return kpool_group_reopen(group);
}

/* A work that runs until its gate is opened, and is not told. */
static void expect_untold_run(struct kunit *test, struct kpool_group *group,
			      struct gated *g)
{
	gated_init(g);
	expect_queued(test, group, g, 1);
	expect_started(test, g, 1);
	KUNIT_EXPECT_TRUE(test, stays(!completion_done(&g->ended)));
	gated_open(g);
	expect_over(test, g, 1);
	KUNIT_EXPECT_FALSE(test, g->told || g->signalled || g->stray);
}

static void after_a_stop(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 2);

	expect_queued(test, group, g, 2);
	expect_started(test, g, 1);
	expect_stop(test, group);
	expect_told(test, g, 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(group));
	expect_untold_run(test, group, &g[0]);
	expect_untold_run(test, group, &g[1]);
	/* and it may be stopped like any other */
	gated_init(g);
	expect_queued(test, group, g, 1);
	expect_started(test, g, 1);
	expect_stop(test, group);
	expect_told(test, g, 1);
}

static void after_a_drain(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 1);

	KUNIT_EXPECT_EQ(test, 0, kpool_group_drain(group));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(group, &g->work));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(group));
	expect_untold_run(test, group, g);
}

static void open_group_stays_open(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 1);

	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(group));
	expect_untold_run(test, group, g);
}

static void works_that_end_are_ebusy(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *a = test_group(test, pool, "a", 0, 0);
	struct kpool_group *b = test_group(test, pool, "b", 0, 0);
	struct kpool_group *low = test_subgroup(test, b, "low", NULL);
	struct gated *g = gated_array(test, 3);
	struct test_thread *stop, *drain;

	g[0].sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, a, &g[0], 1);
	expect_queued(test, low, &g[1], 1);
	expect_started(test, g, 2);
	stop = run_thread(test, stop_thread, a);
	drain = run_thread(test, drain_thread, b);
	expect_soon(test, count_waiters(pool, &a->waiters) == 1);
	expect_soon(test, count_waiters(pool, &b->waiters) == 1);
	KUNIT_EXPECT_EQ(test, -EBUSY, kpool_group_reopen(a));
	KUNIT_EXPECT_EQ(test, -EBUSY, kpool_group_reopen(b));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(a, &g[2].work));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(low, &g[2].work));
	gated_open_all(g, 2);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, stop));
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, drain));
	KUNIT_EXPECT_TRUE(test, g[0].told);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(a));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(b));
	expect_untold_run(test, a, &g[0]);
	expect_untold_run(test, low, &g[1]);
}

static void below_a_closed_one_is_eshutdown(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *top = test_group(test, pool, "top", 0, 0);
	struct kpool_group *mid = test_subgroup(test, top, "mid", NULL);
	struct kpool_group *low = test_subgroup(test, mid, "low", NULL);
	struct gated *g = gated_array(test, 1);

	expect_stop(test, low);
	expect_stop(test, top);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_group_reopen(low));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_group_reopen(mid));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(top));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_drain(top));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_group_reopen(low));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(top));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(low));
	expect_untold_run(test, low, g);
}

static void those_stopped_by_themselves_stay_so(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *top = test_group(test, pool, "top", 0, 0);
	struct kpool_group *stopped = test_subgroup(test, top, "a", NULL);
	struct kpool_group *drained = test_subgroup(test, top, "b", NULL);
	struct kpool_group *other = test_subgroup(test, top, "c", NULL);
	struct gated *g = gated_array(test, 1);

	expect_stop(test, stopped);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_drain(drained));
	expect_stop(test, top);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(top));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(stopped, &g->work));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(drained, &g->work));
	expect_untold_run(test, other, g);
	expect_untold_run(test, top, g);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(stopped));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(drained));
	expect_untold_run(test, stopped, g);
	expect_untold_run(test, drained, g);
}

static void root_is_reopened(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0), *late;
	struct gated *g = gated_array(test, 2);

	expect_queued(test, kpool_root(pool), &g[0], 1);
	expect_queued(test, group, &g[1], 1);
	expect_started(test, g, 2);
	expect_stop(test, kpool_root(pool));
	expect_told(test, g, 2);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(kpool_root(pool)));
	expect_untold_run(test, kpool_root(pool), &g[0]);
	expect_untold_run(test, group, &g[1]);
	late = test_group(test, pool, "late", 0, 0);
	expect_untold_run(test, late, &g[0]);
}

/* A request that nobody has handled yet is a work of the old life. */
static void waits_for_a_request(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 2);
	struct test_thread *waiter;

	hold_stopper(test, pool, &g[0]);
	kpool_group_request_stop(group);
	waiter = run_thread(test, group_wait_thread, group);
	expect_soon(test, count_waiters(pool, &group->waiters) == 1);
	KUNIT_EXPECT_EQ(test, -EBUSY, kpool_group_reopen(group));
	hold_release();
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, waiter));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(group));
	expect_untold_run(test, group, &g[1]);
}

static bool sleeps(struct test_thread *thread)
{
	struct task_struct *task = thread_task(thread);

	return task_is_asleep(task) &&
	       READ_ONCE(task->__state) == TASK_UNINTERRUPTIBLE;
}

static struct test_thread *run_until_asleep(struct kunit *test,
					    int (*fn)(void *arg), void *arg)
{
	struct test_thread *thread = run_thread(test, fn, arg);

	expect_soon(test, sleeps(thread));
	return thread;
}

/* A stop that has not told anybody yet will meet the old life, not a new one. */
static void late_stopper_is_ebusy(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 1);
	struct test_thread *reopen, *stop;

	expect_stop(test, group);
	mutex_lock(&pool->mutex);
	reopen = run_until_asleep(test, reopen_thread, group);
	stop = run_until_asleep(test, stop_thread, group);
	mutex_unlock(&pool->mutex);
	KUNIT_EXPECT_EQ(test, -EBUSY, join_thread(test, reopen));
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, stop));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(group, &g->work));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(group));
	expect_untold_run(test, group, g);
}

#define LIVES		150
#define GROUPS		4
#define PASSERS		6
#define CPUS		4

/* Groups that live again and again, and works that pass through them. */
struct world {
	struct kpool_group	*groups[GROUPS];
	struct passer {
		struct kpool_work	work;
		atomic_t		accepted;
		atomic_t		released;
		bool			stray;
	} passers[PASSERS];
	atomic_t		next;
	bool			end;
};

static int passer_fn(struct kpool_work *work)
{
	struct passer *p = container_of(work, struct passer, work);

	if (signal_pending(current) && !kpool_should_stop())
		p->stray = true;
	if (schedule_timeout_interruptible(1) && !kpool_should_stop())
		p->stray = true;
	return 0;
}

static void passer_release(struct kpool_work *work)
{
	struct passer *p = container_of(work, struct passer, work);

	if (signal_pending(current))
		p->stray = true;
	atomic_inc(&p->released);
}

static int queue_thread(void *arg)
{
	struct world *world = arg;
	struct passer *p;

	while (!READ_ONCE(world->end)) {
		p = &world->passers[get_random_u32_below(PASSERS)];
		if (!kpool_queue(world->groups[get_random_u32_below(GROUPS)],
				 &p->work))
			atomic_inc(&p->accepted);
		schedule_timeout_uninterruptible(get_random_u32_below(2));
	}
	return 0;
}

/* The only one of its thread's group: nobody else stops or reopens that. */
struct life {
	struct kpool_work	work;
	bool			told;
	bool			woken;
};

static int life_fn(struct kpool_work *work)
{
	struct life *life = container_of(work, struct life, work);

	life->told = kpool_should_stop();
	life->woken = signal_pending(current) ||
		      schedule_timeout_interruptible(1);
	life->told |= kpool_should_stop();
	return 0;
}

static int live(struct kpool_group *group, struct life *life)
{
	unsigned int way = get_random_u32_below(8);
	int err;

	if (way == 0)
		err = kpool_group_stop_timeout(group, DEADLINE);
	else if (way == 1)
		err = kpool_group_drain_timeout(group, DEADLINE);
	else
		kpool_group_request_stop(group);
	if (way > 1)
		err = kpool_group_wait_timeout(group, DEADLINE);
	if (err)
		return err;
	err = kpool_group_reopen(group);
	if (err)
		return err;
	err = kpool_queue(group, &life->work);
	if (err)
		return err;
	err = kpool_work_wait_timeout(&life->work, NULL, DEADLINE);
	if (err)
		return err;
	return life->told ? -EPERM : life->woken ? -EINTR : 0;
}

static int life_thread(void *arg)
{
	struct world *world = arg;
	struct kpool_group *group;
	struct life life;
	int i, err = 0;

	group = world->groups[atomic_inc_return(&world->next) - 1];
	kpool_work_init_onstack(&life.work, life_fn);
	for (i = 0; i < LIVES && !err; i++)
		err = live(group, &life);
	kpool_work_destroy_onstack(&life.work);
	return err;
}

static void no_life_is_told_by_the_last_one(struct kunit *test)
{
	struct world *world = kunit_kzalloc(test, sizeof(*world), GFP_KERNEL);
	struct kpool *pool = test_pool(test, CPUS, CPUS);
	struct kpool_group *top = test_group(test, pool, "top", 0, 0);
	struct test_thread *lives[GROUPS], *queuers[2];
	struct passer *p;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, world);
	for (p = world->passers; p < world->passers + PASSERS; p++)
		kpool_work_init_release(&p->work, passer_fn, passer_release);
	world->groups[0] = test_group(test, pool, "a", 0, 0);
	world->groups[1] = test_group(test, pool, "b", 1, 0);
	world->groups[2] = test_subgroup(test, top, "c", NULL);
	world->groups[3] = test_subgroup(test, top, "d", NULL);
	for (i = 0; i < 2; i++)
		queuers[i] = run_thread(test, queue_thread, world);
	for (i = 0; i < GROUPS; i++)
		lives[i] = run_thread(test, life_thread, world);
	for (i = 0; i < GROUPS; i++)
		KUNIT_EXPECT_EQ(test, 0, join_thread(test, lives[i]));
	WRITE_ONCE(world->end, true);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, 0, join_thread(test, queuers[i]));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(kpool_root(pool),
							  DEADLINE));
	for (p = world->passers; p < world->passers + PASSERS; p++) {
		KUNIT_EXPECT_EQ(test, atomic_read(&p->accepted),
				atomic_read(&p->released));
		KUNIT_EXPECT_FALSE(test, p->stray);
	}
}

static struct kunit_case reopen_cases[] = {
	KUNIT_CASE(after_a_stop),
	KUNIT_CASE(after_a_drain),
	KUNIT_CASE(open_group_stays_open),
	KUNIT_CASE(works_that_end_are_ebusy),
	KUNIT_CASE(below_a_closed_one_is_eshutdown),
	KUNIT_CASE(those_stopped_by_themselves_stay_so),
	KUNIT_CASE(root_is_reopened),
	KUNIT_CASE(waits_for_a_request),
	KUNIT_CASE(late_stopper_is_ebusy),
	KUNIT_CASE_SLOW(no_life_is_told_by_the_last_one),
	{}
};

static struct kunit_suite reopen_suite = {
	.name = "kpool_reopen",
	.test_cases = reopen_cases,
};

kunit_test_suite(reopen_suite);
