// SPDX-License-Identifier: GPL-2.0-only
/* CPUs that come and go under pools with threads of their own for each. */
#include <linux/cpu.h>
#include <linux/err.h>
#include <linux/kpool_delayed.h>
#include <linux/sched/signal.h>

#include "percpu_fixture.h"

static void cpu_back(void *cpu)
{
	add_cpu((long)cpu);
}

/* The CPU that comes and goes; it is back when the case ends. */
static int hotplug_cpu(struct kunit *test)
{
	long cpu = last_cpu();

	need_two_cpus(test);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, cpu_back, (void *)cpu));
	return cpu;
}

/* Queue n works to a CPU. */
static void expect_queued_on(struct kunit *test, int cpu,
			     struct kpool_group *group, struct gated *g, int n)
{
	int i;

	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, 0,
				kpool_queue_on(cpu, group, &g[i].work));
}

/* Is a thread that runs a work bound to one CPU? */
static bool is_bound(struct gated *g, int cpu)
{
	return cpumask_equal(g->thread->cpus_ptr, cpumask_of(cpu));
}

static void offline_cpu_is_enodev(struct kunit *test)
{
	int cpu = hotplug_cpu(test);
	struct kpool *pool = percpu_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);

	gated_open(g);
	KUNIT_ASSERT_EQ(test, 0, remove_cpu(cpu));
	KUNIT_EXPECT_EQ(test, -ENODEV, kpool_queue_on(cpu, kpool_root(pool),
						      &g->work));
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(kpool_root(pool), &g->work));
	expect_over(test, g, 1);
	KUNIT_EXPECT_EQ(test, 0, add_cpu(cpu));
	KUNIT_EXPECT_EQ(test, 0, kpool_queue_on(cpu, kpool_root(pool),
						&g->work));
	expect_over(test, g, 1);
}

static void idle_threads_leave_and_min_threads_are_back(struct kunit *test)
{
	int cpu = hotplug_cpu(test), i;
	struct kpool *pool = percpu_pool(test, 3, 4);
	struct kpool *inner = inner_pool(pool, cpu);
	struct gated *g = gated_array(test, 3);

	KUNIT_ASSERT_EQ(test, 0, remove_cpu(cpu));
	KUNIT_EXPECT_EQ(test, 0, pool_threads(inner));
	KUNIT_EXPECT_TRUE(test, stays(pool_threads(inner) == 0));
	expect_soon(test, list_empty(&inner->workers));
	KUNIT_EXPECT_EQ(test, 0, add_cpu(cpu));
	expect_soon(test, pool_idle(inner) == 3);
	expect_queued_on(test, cpu, kpool_root(pool), g, 3);
	if (expect_started(test, g, 3))
		for (i = 0; i < 3; i++)
			KUNIT_EXPECT_TRUE(test, is_bound(&g[i], cpu));
}

#define WORKS	(2 * KPOOL_BATCH + 5)	/* more than two batches */

static void pending_works_run_elsewhere_in_order(struct kunit *test)
{
	int cpu = hotplug_cpu(test), i;
	struct kpool *pool = percpu_pool(test, 1, 1);
	struct gated *g = gated_array(test, WORKS + 1), *first = &g[WORKS];

	first->sleep = GATE_UNINTERRUPTIBLE;
	expect_queued_on(test, cpu, kpool_root(pool), first, 1);
	expect_started(test, first, 1);
	gated_open_all(g, WORKS);
	expect_queued_on(test, cpu, kpool_root(pool), g, WORKS);
	KUNIT_ASSERT_EQ(test, 0, remove_cpu(cpu));
	expect_over(test, g, WORKS);
	for (i = 0; i < WORKS; i++) {
		KUNIT_EXPECT_EQ(test, 1, atomic_read(&g[i].runs));
		if (i)
			KUNIT_EXPECT_LT(test, g[i - 1].order, g[i].order);
	}
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&first->inside));
	KUNIT_EXPECT_EQ(test, 0, pool_pending(inner_pool(pool, cpu)));
}

static void busy_work_goes_on_and_its_thread_leaves(struct kunit *test)
{
	int cpu = hotplug_cpu(test);
	struct kpool *pool = percpu_pool(test, 1, 1);
	struct kpool *inner = inner_pool(pool, cpu);
	struct gated *g = gated_array(test, 1);

	expect_queued_on(test, cpu, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	KUNIT_ASSERT_EQ(test, 0, remove_cpu(cpu));
	KUNIT_EXPECT_TRUE(test, stays(atomic_read(&g->inside) == 1));
	KUNIT_EXPECT_EQ(test, 1, pool_threads(inner));
	gated_open(g);
	expect_over(test, g, 1);
	KUNIT_EXPECT_FALSE(test, g->told);
	expect_soon(test, pool_threads(inner) == 0);
}

/* It lost its CPU, and is not bound to it when that is back. */
static void thread_that_lost_its_cpu_is_replaced(struct kunit *test)
{
	int cpu = hotplug_cpu(test);
	struct kpool *pool = percpu_pool(test, 1, 1);
	struct gated *g = gated_array(test, 2);

	expect_queued_on(test, cpu, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	KUNIT_ASSERT_EQ(test, 0, remove_cpu(cpu));
	KUNIT_ASSERT_EQ(test, 0, add_cpu(cpu));
	expect_queued_on(test, cpu, kpool_root(pool), &g[1], 1);
	KUNIT_EXPECT_TRUE(test, stays(count_started(&g[1], 1) == 0));
	gated_open(g);
	if (expect_started(test, &g[1], 1)) {
		KUNIT_EXPECT_TRUE(test, is_bound(&g[1], cpu));
		/* the first is number 0 */
		KUNIT_EXPECT_EQ(test, 1, g[1].work.worker->id);
	}
}

static void ordered_works_stay_in_order(struct kunit *test)
{
	int cpu = hotplug_cpu(test), i;
	struct kpool *pool = percpu_pool(test, 1, 4);
	struct kpool_group *group = test_group(test, pool, "g", 1, 0);
	struct gated *g = gated_array(test, 4);

	expect_queued_on(test, cpu, group, g, 4);
	expect_started(test, g, 1);
	KUNIT_ASSERT_EQ(test, 0, remove_cpu(cpu));
	KUNIT_EXPECT_TRUE(test, stays(count_started(g, 4) == 1));
	gated_open_all(g, 4);
	expect_over(test, g, 4);
	for (i = 1; i < 4; i++)
		KUNIT_EXPECT_LT(test, g[i - 1].order, g[i].order);
}

static void late_works_run_elsewhere(struct kunit *test)
{
	int cpu = hotplug_cpu(test);
	struct kpool *pool = percpu_pool(test, 1, 2);
	struct kpool_group *root = kpool_root(pool);
	struct gated *g = gated_array(test, 2);

	/* it is to run again */
	expect_queued_on(test, cpu, root, g, 1);
	expect_started(test, g, 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(root, &g->work));
	KUNIT_ASSERT_EQ(test, 0, remove_cpu(cpu));
	gated_open(g);
	expect_over(test, g, 1);
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&g->runs));
	KUNIT_EXPECT_FALSE(test, is_bound(g, cpu));
	expect_soon(test, pool_threads(inner_pool(pool, cpu)) == 0);
}

/* Who queues it found the CPU online; a busy thread there is all that may be. */
static void late_work_waits_for_no_busy_thread(struct kunit *test)
{
	int cpu = hotplug_cpu(test);
	struct kpool *pool = percpu_pool(test, 1, 1);
	struct gated *g = gated_array(test, 2);

	expect_queued_on(test, cpu, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	KUNIT_ASSERT_EQ(test, 0, remove_cpu(cpu));
	expect_queued(test, inner_pool(pool, cpu)->root, &g[1], 1);
	expect_started(test, &g[1], 1);
	gated_open_all(g, 2);
	expect_over(test, g, 2);
}

struct timed {
	struct kpool_delayed_work dw;
	struct kpool_group *group;
	atomic_t runs;
	int err;
};

static int timed_fn(struct kpool_work *work)
{
	struct timed *timed = container_of(to_kpool_delayed_work(work),
					   struct timed, dw);

	atomic_inc(&timed->runs);
	return 0;
}

static void timed_queue(void *arg)
{
	struct timed *timed = arg;

	timed->err = kpool_queue_delayed(timed->group, &timed->dw, 3600 * HZ);
}

static void delayed_work_runs_elsewhere(struct kunit *test)
{
	int cpu = hotplug_cpu(test);
	struct kpool *pool = percpu_pool(test, 1, 2);
	struct timed *timed = kunit_kzalloc(test, sizeof(*timed), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, timed);
	kpool_delayed_init(&timed->dw, timed_fn);
	timed->group = kpool_root(pool);
	KUNIT_ASSERT_EQ(test, 0,
			smp_call_function_single(cpu, timed_queue, timed, 1));
	KUNIT_EXPECT_EQ(test, 0, timed->err);
	KUNIT_ASSERT_EQ(test, 0, remove_cpu(cpu));
	KUNIT_EXPECT_EQ(test, 1, pool_pending(inner_pool(pool, cpu)));
	KUNIT_EXPECT_EQ(test, 1, kpool_mod_delayed(timed->group, &timed->dw, 1));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&timed->dw.work, NULL,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&timed->runs));
}

static void groups_that_want_it_are_told(struct kunit *test)
{
	struct kpool_group_params params = { .flags = KPOOL_TELL_ON_OFFLINE };
	int cpu = hotplug_cpu(test), here = cpumask_first(cpu_online_mask);
	struct kpool *pool = percpu_pool(test, 1, 2);
	struct kpool_group *wants = test_subgroup(test, kpool_root(pool), "w",
						  &params);
	struct gated *g = gated_array(test, 3);

	expect_queued_on(test, cpu, wants, &g[0], 1);
	expect_queued_on(test, cpu, kpool_root(pool), &g[1], 1);
	expect_queued_on(test, here, wants, &g[2], 1);
	expect_started(test, g, 3);
	KUNIT_ASSERT_EQ(test, 0, remove_cpu(cpu));
	expect_done(test, &g[0].ended);
	KUNIT_EXPECT_TRUE(test, g[0].told && g[0].signalled);
	KUNIT_EXPECT_TRUE(test, stays(atomic_read(&g[1].inside) &&
				      atomic_read(&g[2].inside)));
	/* the group is open */
	expect_over(test, g, 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue_on(here, wants, &g[0].work));
}

static int work_wait_fn(void *work)
{
	return kpool_work_wait_killable(work, NULL);
}

/* The pool whose lock guards the record of who waits for a work. */
static struct kpool *pool_of_waiter(struct kpool *pool, struct kpool_work *work)
{
	struct kpool *found = NULL;
	struct kpool_waiter *waiter;

	raw_spin_lock_irq(&pool->lock);
	hlist_for_each_entry(waiter, &work->waiters, node)
		found = waiter->pool;
	raw_spin_unlock_irq(&pool->lock);
	return found;
}

static void waiter_of_a_moved_work_may_give_up(struct kunit *test)
{
	int cpu = hotplug_cpu(test);
	struct kpool *pool = percpu_pool(test, 1, 1), *from, *to;
	struct gated *g = gated_array(test, 2);
	struct test_thread *waiter;

	from = inner_pool(pool, cpu);
	expect_queued_on(test, cpu, kpool_root(pool), g, 2);
	expect_started(test, g, 1);
	waiter = run_thread(test, work_wait_fn, &g[1].work);
	expect_soon(test, count_waiters(from, &g[1].work.waiters) == 1);
	KUNIT_ASSERT_EQ(test, 0, remove_cpu(cpu));
	expect_started(test, &g[1], 1);
	to = g[1].work.group->pool;
	KUNIT_EXPECT_PTR_NE(test, from, to);
	KUNIT_EXPECT_PTR_EQ(test, to, pool_of_waiter(to, &g[1].work));
	send_sig(SIGKILL, thread_task(waiter), 1);
	KUNIT_EXPECT_EQ(test, -EINTR, join_thread(test, waiter));
	KUNIT_EXPECT_EQ(test, 0, count_waiters(to, &g[1].work.waiters));
}

static int wait_fn(void *group)
{
	return kpool_group_wait(group);
}

/* The wait has looked at the first CPU when the work comes there. */
static void wait_covers_works_that_move(struct kunit *test)
{
	int cpu = hotplug_cpu(test);
	struct kpool *pool = percpu_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 2);
	struct test_thread *waiter;

	expect_queued_on(test, cpu, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	expect_queued_on(test, cpu, group, &g[1], 1);
	waiter = run_thread(test, wait_fn, group);
	expect_soon(test, count_waiters(inner_pool(pool, cpu),
					&group->on_cpu[cpu]->waiters) == 1);
	KUNIT_ASSERT_EQ(test, 0, remove_cpu(cpu));
	expect_started(test, &g[1], 1);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(waiter)));
	gated_open(&g[1]);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, waiter));
}

static int init_hook_err;

static int init_hook(void *unused)
{
	return READ_ONCE(init_hook_err);
}

static void cpu_comes_although_a_hook_fails(struct kunit *test)
{
	struct kpool_params params = {
		.flags = KPOOL_PER_CPU,
		.min_threads = 1,
		.max_threads = 1,
		.init = init_hook,
	};
	int cpu = hotplug_cpu(test);
	struct kpool *pool, *inner;

	WRITE_ONCE(init_hook_err, 0);
	pool = test_pool_params(test, &params);
	inner = inner_pool(pool, cpu);
	KUNIT_ASSERT_EQ(test, 0, remove_cpu(cpu));
	WRITE_ONCE(init_hook_err, -EIO);
	KUNIT_EXPECT_EQ(test, 0, add_cpu(cpu));
	KUNIT_EXPECT_TRUE(test, cpu_online(cpu));
	expect_soon(test, READ_ONCE(inner->nr_failed) > 0);
	WRITE_ONCE(init_hook_err, 0);
	expect_soon(test, pool_idle(inner) == 1);
}

static void online_cpus_serve(struct kunit *test)
{
	struct gated *g = gated_array(test, nr_cpu_ids);
	struct kpool *pool = percpu_pool(test, 1, 1);
	int cpu;

	gated_open_all(g, nr_cpu_ids);
	for_each_online_cpu(cpu) {
		KUNIT_EXPECT_EQ(test, 0, kpool_queue_on(cpu, kpool_root(pool),
							&g[cpu].work));
		expect_over(test, &g[cpu], 1);
	}
}

static void made_while_a_cpu_is_offline(struct kunit *test)
{
	struct kpool_group_params params = { .reserve = 3 };
	int cpu = hotplug_cpu(test);
	struct kpool *pool;

	KUNIT_ASSERT_EQ(test, 0, remove_cpu(cpu));
	pool = percpu_pool(test, 1, 4);
	test_subgroup(test, kpool_root(pool), "g", &params);
	KUNIT_EXPECT_EQ(test, 0, pool_threads(inner_pool(pool, cpu)));
	KUNIT_EXPECT_EQ(test, 0, add_cpu(cpu));
	/* one after the other: each lets the spawner go on when it arrives */
	expect_soon(test, pool_idle(inner_pool(pool, cpu)) == 3);
}

static void stop_while_a_cpu_is_offline(struct kunit *test)
{
	int cpu = hotplug_cpu(test);
	struct kpool *pool = percpu_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 2);

	expect_queued_on(test, cpu, group, g, 2);
	expect_started(test, g, 1);
	KUNIT_ASSERT_EQ(test, 0, remove_cpu(cpu));
	expect_started(test, &g[1], 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(group, DEADLINE));
	KUNIT_EXPECT_TRUE(test, g[0].told && g[1].told);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(group));
	KUNIT_EXPECT_EQ(test, -ENODEV, kpool_queue_on(cpu, group, &g->work));
	KUNIT_EXPECT_EQ(test, 0, add_cpu(cpu));
	KUNIT_EXPECT_EQ(test, 0, kpool_queue_on(cpu, group, &g->work));
}

#define STORMERS	4
#define STORM_WORKS	8
#define TOGGLES		20

struct storm {
	struct kpool_group *group;
	struct gated *g;
	bool *end;
	unsigned long accepted, wrong;
};

static int storm_fn(void *arg)
{
	struct storm *storm = arg;
	unsigned int i = 0, cpu;
	int err;

	while (!READ_ONCE(*storm->end)) {
		struct kpool_work *work = &storm->g[i++ % STORM_WORKS].work;

		cpu = i % nr_cpu_ids;
		if (i & 1 && cpu_possible(cpu))
			err = kpool_queue_on(cpu, storm->group, work);
		else
			err = kpool_queue(storm->group, work);
		if (!err)
			storm->accepted++;
		else if (err != -EALREADY && err != -ENODEV && err != -EBUSY)
			storm->wrong++;
		if (!(i % 64))
			schedule_timeout_uninterruptible(1);
	}
	return 0;
}

/* Nothing is lost, and nothing runs twice, or twice at once. */
static void storm_while_a_cpu_comes_and_goes(struct kunit *test)
{
	int cpu = hotplug_cpu(test), i, j;
	struct kpool *pool = percpu_pool(test, 1, 3);
	struct gated *g = gated_array(test, STORMERS * STORM_WORKS);
	struct storm *storm = kunit_kcalloc(test, STORMERS, sizeof(*storm),
					    GFP_KERNEL);
	struct test_thread *threads[STORMERS];
	bool end = false;

	KUNIT_ASSERT_NOT_NULL(test, storm);
	gated_open_all(g, STORMERS * STORM_WORKS);
	for (i = 0; i < STORMERS; i++) {
		storm[i].group = kpool_root(pool);
		storm[i].g = &g[i * STORM_WORKS];
		storm[i].end = &end;
		threads[i] = run_thread(test, storm_fn, &storm[i]);
	}
	for (i = 0; i < TOGGLES; i++) {
		KUNIT_EXPECT_EQ(test, 0, remove_cpu(cpu));
		KUNIT_EXPECT_EQ(test, 0, add_cpu(cpu));
	}
	WRITE_ONCE(end, true);
	for (i = 0; i < STORMERS; i++)
		join_thread(test, threads[i]);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(kpool_root(pool),
							  DEADLINE));
	for (i = 0; i < STORMERS; i++) {
		unsigned long runs = 0;

		for (j = 0; j < STORM_WORKS; j++) {
			runs += atomic_read(&storm[i].g[j].runs);
			KUNIT_EXPECT_FALSE(test, storm[i].g[j].twice);
		}
		KUNIT_EXPECT_EQ(test, storm[i].accepted, runs);
		KUNIT_EXPECT_EQ(test, 0, storm[i].wrong);
	}
}

static struct kunit_case hotplug_cases[] = {
	KUNIT_CASE(online_cpus_serve),
	KUNIT_CASE(offline_cpu_is_enodev),
	KUNIT_CASE(idle_threads_leave_and_min_threads_are_back),
	KUNIT_CASE(pending_works_run_elsewhere_in_order),
	KUNIT_CASE(busy_work_goes_on_and_its_thread_leaves),
	KUNIT_CASE(thread_that_lost_its_cpu_is_replaced),
	KUNIT_CASE(ordered_works_stay_in_order),
	KUNIT_CASE(late_works_run_elsewhere),
	KUNIT_CASE(late_work_waits_for_no_busy_thread),
	KUNIT_CASE(delayed_work_runs_elsewhere),
	KUNIT_CASE(groups_that_want_it_are_told),
	KUNIT_CASE(waiter_of_a_moved_work_may_give_up),
	KUNIT_CASE(wait_covers_works_that_move),
	KUNIT_CASE(cpu_comes_although_a_hook_fails),
	KUNIT_CASE(made_while_a_cpu_is_offline),
	KUNIT_CASE(stop_while_a_cpu_is_offline),
	KUNIT_CASE(storm_while_a_cpu_comes_and_goes),
	{}
};

static struct kunit_suite hotplug_suite = {
	.name = "kpool_hotplug",
	.test_cases = hotplug_cases,
};

kunit_test_suite(hotplug_suite);
