// SPDX-License-Identifier: GPL-2.0-only
/* Pools with threads of their own for each CPU. */
#include <linux/err.h>
#include <linux/kpool_delayed.h>

#include "kmsg.h"
#include "percpu_fixture.h"

/* Where a work ran. */
struct place {
	struct kpool_delayed_work dw;
	int cpu;
	unsigned int nr_cpus;
};

static int place_fn(struct kpool_work *work)
{
	struct place *place = container_of(to_kpool_delayed_work(work),
					   struct place, dw);

	place->cpu = raw_smp_processor_id();
	place->nr_cpus = current->nr_cpus_allowed;
	return 0;
}

static struct place *place_alloc(struct kunit *test)
{
	struct place *place = kunit_kzalloc(test, sizeof(*place), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, place);
	kpool_delayed_init(&place->dw, place_fn);
	place->cpu = -1;
	return place;
}

static void expect_place(struct kunit *test, struct place *place, int cpu)
{
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&place->dw.work, NULL,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, cpu, place->cpu);
	KUNIT_EXPECT_EQ(test, 1, place->nr_cpus);
}

static void runs_on_the_cpu_queued_from(struct kunit *test)
{
	struct kpool *pool = percpu_pool(test, 1, 2);
	struct place *place = place_alloc(test);
	int cpu;

	for_each_online_cpu(cpu) {
		KUNIT_EXPECT_EQ(test, 0, queue_from(cpu, kpool_root(pool),
						    &place->dw.work));
		expect_place(test, place, cpu);
	}
}

static void queue_on_names_the_cpu(struct kunit *test)
{
	struct kpool *pool = percpu_pool(test, 0, 1);
	struct place *place = place_alloc(test);
	int cpu;

	for_each_online_cpu(cpu) {
		KUNIT_EXPECT_EQ(test, 0, kpool_queue_on(cpu, kpool_root(pool),
							&place->dw.work));
		expect_place(test, place, cpu);
	}
}

static void no_such_cpu_is_einval(struct kunit *test)
{
	struct kpool *pool = percpu_pool(test, 0, 1);
	struct kpool *plain = test_pool(test, 0, 1);
	struct place *place = place_alloc(test);
	struct kpool_work *work = &place->dw.work;

	KUNIT_EXPECT_EQ(test, -EINVAL,
			kpool_queue_on(-1, kpool_root(pool), work));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			kpool_queue_on(nr_cpu_ids, kpool_root(pool), work));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			kpool_queue_on(0, kpool_root(plain), work));
}

static int nothing(void *data)
{
	return 5;
}

static int ready_fn(struct kpool_work *work)
{
	kpool_ready(0);
	return 0;
}

static void every_way_to_queue_works(struct kunit *test)
{
	struct kpool *pool = percpu_pool(test, 1, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 1);
	struct place *place = place_alloc(test);
	struct kpool_work *work = &place->dw.work;
	struct kpool_work starts;
	int result = 0;

	KUNIT_EXPECT_EQ(test, 0, kpool_queue_flags(group, work, KPOOL_FRONT));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait(work, NULL));
	KUNIT_EXPECT_EQ(test, 0, kpool_queue_wait(group, work, DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait(work, NULL));
	KUNIT_EXPECT_EQ(test, 0, kpool_queue_delayed(group, &place->dw,
						     3600 * HZ));
	KUNIT_EXPECT_EQ(test, 1, kpool_mod_delayed(group, &place->dw, 0));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait(work, NULL));
	KUNIT_EXPECT_EQ(test, 1, place->nr_cpus);
	KUNIT_EXPECT_EQ(test, 0, kpool_call(group, nothing, NULL, &result));
	KUNIT_EXPECT_EQ(test, 5, result);
	KUNIT_EXPECT_EQ(test, 0, kpool_spawn(group, nothing, NULL, GFP_KERNEL));
	kpool_work_init_onstack(&starts, ready_fn);
	KUNIT_EXPECT_EQ(test, 0, kpool_start(group, &starts));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
	kpool_work_destroy_onstack(&starts);
}

/* Two works for each CPU, in order of the CPUs. */
static struct gated *two_each(struct kunit *test, struct kpool_group *group)
{
	struct gated *g = gated_array(test, 2 * nr_cpu_ids);
	int cpu, i;

	for_each_online_cpu(cpu)
		for (i = 0; i < 2; i++)
			KUNIT_EXPECT_EQ(test, 0,
					kpool_queue_on(cpu, group, &g[2 * cpu + i].work));
	return g;
}

static void limits_are_per_cpu(struct kunit *test)
{
	struct kpool_limits limits = { .max_threads = 2 };
	struct kpool *pool = percpu_pool(test, 1, 1);
	struct gated *g = two_each(test, kpool_root(pool));
	int cpu;

	for_each_online_cpu(cpu) {
		expect_started(test, &g[2 * cpu], 1);
		KUNIT_EXPECT_EQ(test, 1, pool_threads(inner_pool(pool, cpu)));
	}
	KUNIT_EXPECT_TRUE(test, stays(count_started(g, 2 * nr_cpu_ids) ==
				      num_online_cpus()));
	KUNIT_EXPECT_EQ(test, 0, kpool_set_limits(pool, &limits));
	for_each_online_cpu(cpu)
		expect_started(test, &g[2 * cpu + 1], 1);
}

static void groups_are_limited_per_cpu(struct kunit *test)
{
	struct kpool *pool = percpu_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 1, 0);
	struct gated *g = two_each(test, group);
	int cpu;

	for_each_online_cpu(cpu)
		expect_started(test, &g[2 * cpu], 1);
	KUNIT_EXPECT_TRUE(test, stays(count_started(g, 2 * nr_cpu_ids) ==
				      num_online_cpus()));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_set_limits(group, 2, 0));
	for_each_online_cpu(cpu)
		expect_started(test, &g[2 * cpu + 1], 1);
}

static void reserves_are_per_cpu(struct kunit *test)
{
	struct kpool_group_params params = { .reserve = 2 };
	struct kpool_limits limits = { .max_threads = 1 };
	struct kpool *pool = percpu_pool(test, 0, 2);
	struct kpool_group *other;
	int cpu;

	test_subgroup(test, kpool_root(pool), "reserves", &params);
	for_each_online_cpu(cpu)
		KUNIT_EXPECT_EQ(test, 2, pool_threads(inner_pool(pool, cpu)));
	other = kpool_group_create(kpool_root(pool), "more", &params);
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-ENOSPC), other);
	KUNIT_EXPECT_EQ(test, -ENOSPC, kpool_set_limits(pool, &limits));
	for_each_online_cpu(cpu)
		KUNIT_EXPECT_EQ(test, 2, inner_pool(pool, cpu)->max_threads);
}

static int stop_fn(void *group)
{
	return kpool_group_stop(group);
}

/* The first CPU's work does not notice; the others end before it does. */
static void stop_tells_all_cpus_at_once(struct kunit *test)
{
	struct kpool *pool = percpu_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, nr_cpu_ids);
	struct test_thread *stopper;
	int cpu;

	need_two_cpus(test);
	g[0].sleep = GATE_UNINTERRUPTIBLE;
	for_each_online_cpu(cpu) {
		KUNIT_EXPECT_EQ(test, 0, kpool_queue_on(cpu, group, &g[cpu].work));
		expect_started(test, &g[cpu], 1);
	}
	stopper = run_thread(test, stop_fn, group);
	for_each_online_cpu(cpu)
		if (cpu)
			expect_done(test, &g[cpu].ended);
	KUNIT_EXPECT_FALSE(test, thread_done(stopper));
	gated_open(&g[0]);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, stopper));
	KUNIT_EXPECT_TRUE(test, g[0].told);
}

static void stop_closes_all_cpus(struct kunit *test)
{
	struct kpool *pool = percpu_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = two_each(test, group);
	struct place *place = place_alloc(test);
	int cpu;

	for_each_online_cpu(cpu)
		expect_started(test, &g[2 * cpu], 1);
	kpool_group_request_stop(group);
	for_each_online_cpu(cpu) {
		KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
				kpool_queue_on(cpu, group, &place->dw.work));
		expect_done(test, &g[2 * cpu].ended);
		KUNIT_EXPECT_TRUE(test, g[2 * cpu].told);
		KUNIT_EXPECT_EQ(test, -ECANCELED,
				kpool_work_wait_timeout(&g[2 * cpu + 1].work,
							NULL, DEADLINE));
	}
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
}

static void waits_for_all_cpus_with_one_deadline(struct kunit *test)
{
	struct kpool *pool = percpu_pool(test, 0, 1);
	struct gated *g = gated_array(test, 1);
	int cpu;

	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait(kpool_root(pool)));
	for_each_online_cpu(cpu) {
		gated_init(g);
		KUNIT_EXPECT_EQ(test, 0, kpool_queue_on(cpu, kpool_root(pool),
							&g->work));
		KUNIT_EXPECT_EQ(test, -ETIMEDOUT,
				kpool_group_wait_timeout(kpool_root(pool), 2));
		gated_open(g);
		KUNIT_EXPECT_EQ(test, 0,
				kpool_group_wait_timeout(kpool_root(pool),
							 DEADLINE));
	}
}

/* Queues another work to each CPU when it may go on. */
struct chain {
	struct kpool_work work;
	struct kpool_group *group;
	struct gated *next;
	struct completion go_on;
	int err[NR_CPUS];
};

static int chain_fn(struct kpool_work *work)
{
	struct chain *chain = container_of(work, struct chain, work);
	int cpu;

	wait_for_completion(&chain->go_on);
	for_each_online_cpu(cpu)
		chain->err[cpu] = kpool_queue_on(cpu, chain->group,
						 &chain->next[cpu].work);
	return 0;
}

static int drain_thread(void *group)
{
	return kpool_group_drain_timeout(group, DEADLINE);
}

/* The last CPU, which is waited for last, makes those before it busy again. */
static void own_works_may_queue_to_all_cpus_in_a_drain(struct kunit *test)
{
	struct kpool *pool = percpu_pool(test, 1, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct chain *chain = kunit_kzalloc(test, sizeof(*chain), GFP_KERNEL);
	struct test_thread *drains;
	struct kpool_group *part;
	int cpu;

	KUNIT_ASSERT_NOT_NULL(test, chain);
	chain->group = group;
	chain->next = gated_array(test, nr_cpu_ids);
	init_completion(&chain->go_on);
	kpool_work_init(&chain->work, chain_fn);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue_on(last_cpu(), group,
						&chain->work));
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, kpool_group_drain_timeout(group, 0));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			kpool_queue(group, &chain->next[0].work));
	drains = run_thread(test, drain_thread, group);
	part = group->on_cpu[last_cpu()];
	expect_soon(test, count_waiters(part->pool, &part->waiters) == 1);
	complete(&chain->go_on);
	for_each_online_cpu(cpu)
		expect_started(test, &chain->next[cpu], 1);
	gated_open(&chain->next[last_cpu()]);
	KUNIT_EXPECT_TRUE(test, num_online_cpus() < 2 ||
				stays(!thread_done(drains)));
	gated_open_all(chain->next, nr_cpu_ids);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, drains));
	for_each_online_cpu(cpu) {
		KUNIT_EXPECT_EQ(test, 0, chain->err[cpu]);
		KUNIT_EXPECT_EQ(test, 1, atomic_read(&chain->next[cpu].runs));
	}
}

/* A group with a busy part is not half open. */
static void reopens_on_all_cpus_or_none(struct kunit *test)
{
	struct kpool *pool = percpu_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 1);
	struct place *place = place_alloc(test);
	int cpu;

	g->sleep = GATE_UNINTERRUPTIBLE;
	KUNIT_EXPECT_EQ(test, 0, kpool_queue_on(last_cpu(), group, &g->work));
	expect_started(test, g, 1);
	report_begin("gated_fn .*still executes in ");
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, kpool_group_stop_timeout(group, 1));
	report_end();
	KUNIT_EXPECT_EQ(test, -EBUSY, kpool_group_reopen(group));
	for_each_online_cpu(cpu)
		KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
				kpool_queue_on(cpu, group, &place->dw.work));
	gated_open(g);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(group));
	for_each_online_cpu(cpu) {
		KUNIT_EXPECT_EQ(test, 0,
				kpool_queue_on(cpu, group, &place->dw.work));
		expect_place(test, place, cpu);
	}
}

static void bound_to_a_cpu_stays_there(struct kunit *test)
{
	int here = cpumask_first(cpu_online_mask), there = last_cpu();
	struct kpool *pool = percpu_pool(test, 1, 1);
	struct kpool_group *root = kpool_root(pool);
	struct gated *g = gated_array(test, 2);

	need_two_cpus(test);
	KUNIT_EXPECT_EQ(test, 0, queue_from(there, root, &g[0].work));
	expect_started(test, g, 1);
	KUNIT_EXPECT_EQ(test, 0, queue_from(there, root, &g[1].work));
	KUNIT_EXPECT_EQ(test, -EALREADY, queue_from(here, root, &g[1].work));
	KUNIT_EXPECT_EQ(test, -EBUSY, kpool_queue_on(here, root, &g[0].work));
	KUNIT_EXPECT_EQ(test, 0, queue_from(here, root, &g[0].work));
	KUNIT_EXPECT_EQ(test, 2, pool_pending(inner_pool(pool, there)));
	gated_open_all(g, 2);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(root, DEADLINE));
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&g[0].runs));
	KUNIT_EXPECT_FALSE(test, g[0].twice);
}

struct inside {
	struct kpool_work work;
	struct kpool *pool;
	struct kpool_group *group;
	int waits, drains, calls, destroys, stops;
};

static int inside_fn(struct kpool_work *work)
{
	struct inside *in = container_of(work, struct inside, work);

	in->waits = kpool_group_wait(in->group);
	in->calls = kpool_call(in->group, nothing, NULL, NULL);
	in->destroys = kpool_destroy(in->pool);
	in->drains = kpool_group_drain(in->group);
	in->stops = kpool_group_stop(in->group);
	return 0;
}

static void from_inside_is_edeadlk(struct kunit *test)
{
	struct inside *in = kunit_kzalloc(test, sizeof(*in), GFP_KERNEL);
	struct kpool *pool = percpu_pool(test, 0, 2);

	KUNIT_ASSERT_NOT_NULL(test, in);
	in->pool = pool;
	in->group = test_group(test, pool, "g", 0, 0);
	kpool_work_init(&in->work, inside_fn);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue_on(last_cpu(), in->group, &in->work));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&in->work, NULL,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, -EDEADLK, in->waits);
	KUNIT_EXPECT_EQ(test, -EDEADLK, in->calls);
	KUNIT_EXPECT_EQ(test, -EDEADLK, in->destroys);
	KUNIT_EXPECT_EQ(test, -EDEADLK, in->drains);
	KUNIT_EXPECT_EQ(test, -EDEADLK, in->stops);
}

struct hooked {
	struct kpool_group *group;
	atomic_t cancels, firsts, wrong;
};

static void hooked_cancel(struct kpool_group *group)
{
	struct hooked *hooked = kpool_group_data(group);

	atomic_inc(&hooked->cancels);
	if (group != hooked->group)
		atomic_inc(&hooked->wrong);
}

static void hooked_first(struct kpool_group *group)
{
	struct hooked *hooked = kpool_group_data(group);

	atomic_inc(&hooked->firsts);
	if (group != hooked->group)
		atomic_inc(&hooked->wrong);
}

static void cancel_is_called_once_and_hooks_on_each_cpu(struct kunit *test)
{
	struct hooked *hooked = kunit_kzalloc(test, sizeof(*hooked), GFP_KERNEL);
	struct kpool_group_params params = {
		.cancel = hooked_cancel,
		.first_in = hooked_first,
		.data = hooked,
	};
	struct kpool *pool = percpu_pool(test, 1, 2);
	int cpu;

	KUNIT_ASSERT_NOT_NULL(test, hooked);
	hooked->group = test_subgroup(test, kpool_root(pool), "g", &params);
	two_each(test, hooked->group);
	for_each_online_cpu(cpu)
		expect_soon(test, pool_running(inner_pool(pool, cpu)) == 2);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(hooked->group,
							  DEADLINE));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&hooked->cancels));
	KUNIT_EXPECT_EQ(test, num_online_cpus(), atomic_read(&hooked->firsts));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_reopen(hooked->group));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(hooked->group,
							  DEADLINE));
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&hooked->cancels));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&hooked->wrong));
}

#define FAILS	1000	/* more creations than a pool of 16 CPUs takes */

static void failed_creation_leaves_nothing(struct kunit *test)
{
	struct kpool_params params = {
		.flags = KPOOL_PER_CPU,
		.min_threads = 2,
		.max_threads = 2,
	};
	struct kpool *pool = ERR_PTR(-ENOMEM);
	int n;

	for (n = 0; n < FAILS && IS_ERR(pool); n++) {
		KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-ENOMEM), pool);
		fail_creations(test, n);
		pool = kpool_create("fails", &params);
		fail_no_more();
	}
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	KUNIT_EXPECT_GT(test, n, (int)num_possible_cpus());
	KUNIT_EXPECT_EQ(test, 0, kpool_destroy(pool));
}

static void failed_group_leaves_nothing(struct kunit *test)
{
	struct kpool *pool = percpu_pool(test, 0, 2);
	struct kpool_group_params params = { .reserve = 1 };
	struct kpool_group *group = ERR_PTR(-ENOMEM);
	int n;

	for (n = 0; n < FAILS && IS_ERR(group); n++) {
		KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-ENOMEM), group);
		fail_creations(test, n);
		group = kpool_group_create(kpool_root(pool), "fails", &params);
		fail_no_more();
	}
	KUNIT_ASSERT_FALSE(test, IS_ERR(group));
	KUNIT_EXPECT_GT(test, n, (int)num_possible_cpus());
	KUNIT_EXPECT_EQ(test, 0, kpool_group_destroy(group));
}

static struct kpool *try_name(const char *name, const struct cpumask *cpus)
{
	struct kpool_params params = {
		.flags = KPOOL_PER_CPU,
		.max_threads = 1,
		.cpumask = cpus,
	};
	struct kpool *pool = kpool_create(name, &params);

	if (!IS_ERR(pool))
		kpool_destroy(pool);
	return pool;
}

static void long_name_and_mask_are_einval(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, IS_ERR(try_name("a234567890123456789012345",
						 NULL)));
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
			    try_name("a2345678901234567890123456", NULL));
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
			    try_name("a", cpu_online_mask));
}

static void names_are_not_taken_twice(struct kunit *test)
{
	struct kpool_params params = { .max_threads = 1 };
	struct kpool *plain = kpool_create("twice:0", &params);

	KUNIT_ASSERT_FALSE(test, IS_ERR(plain));
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EEXIST), try_name("twice", NULL));
	kpool_destroy(plain);
	plain = kpool_create("twice", &params);
	KUNIT_ASSERT_FALSE(test, IS_ERR(plain));
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EEXIST), try_name("twice", NULL));
	kpool_destroy(plain);
	KUNIT_EXPECT_FALSE(test, IS_ERR(try_name("twice", NULL)));
}

static struct kunit_case percpu_cases[] = {
	KUNIT_CASE(runs_on_the_cpu_queued_from),
	KUNIT_CASE(queue_on_names_the_cpu),
	KUNIT_CASE(no_such_cpu_is_einval),
	KUNIT_CASE(every_way_to_queue_works),
	KUNIT_CASE(limits_are_per_cpu),
	KUNIT_CASE(groups_are_limited_per_cpu),
	KUNIT_CASE(reserves_are_per_cpu),
	KUNIT_CASE(stop_tells_all_cpus_at_once),
	KUNIT_CASE(stop_closes_all_cpus),
	KUNIT_CASE(waits_for_all_cpus_with_one_deadline),
	KUNIT_CASE(own_works_may_queue_to_all_cpus_in_a_drain),
	KUNIT_CASE(reopens_on_all_cpus_or_none),
	KUNIT_CASE(bound_to_a_cpu_stays_there),
	KUNIT_CASE(from_inside_is_edeadlk),
	KUNIT_CASE(cancel_is_called_once_and_hooks_on_each_cpu),
	KUNIT_CASE(failed_creation_leaves_nothing),
	KUNIT_CASE(failed_group_leaves_nothing),
	KUNIT_CASE(long_name_and_mask_are_einval),
	KUNIT_CASE(names_are_not_taken_twice),
	{}
};

static struct kunit_suite percpu_suite = {
	.name = "kpool_percpu",
	.test_cases = percpu_cases,
};

kunit_test_suite(percpu_suite);
