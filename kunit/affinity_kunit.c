// SPDX-License-Identifier: GPL-2.0-only
/* What the threads of a pool are: nice, CPUs, node. */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/nodemask.h>
#include <linux/topology.h>

#include "helpers.h"

/* What a thread is, as a work sees it. */
struct seen {
	struct kpool_work work;
	int nice;
	struct cpumask cpus;
	int cpu;
	struct completion gate;
};

static int seen_fn(struct kpool_work *work)
{
	struct seen *seen = container_of(work, struct seen, work);

	seen->nice = task_nice(current);
	cpumask_copy(&seen->cpus, current->cpus_ptr);
	seen->cpu = raw_smp_processor_id();
	/* so that each has a thread of its own */
	wait_for_completion(&seen->gate);
	return 0;
}

#define SEEN	4

static struct seen *seen_alloc(struct kunit *test)
{
	struct seen *seen = kunit_kcalloc(test, SEEN, sizeof(*seen),
					  GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, seen);
	for (i = 0; i < SEEN; i++) {
		kpool_work_init(&seen[i].work, seen_fn);
		init_completion(&seen[i].gate);
	}
	return seen;
}

/* Let works run on two threads that were there, and two that come. */
static void look(struct kunit *test, struct seen *seen,
		 struct kpool_params *params)
{
	struct kpool *pool;
	int i;

	params->min_threads = SEEN / 2;
	params->max_threads = SEEN;
	pool = test_pool_params(test, params);
	for (i = 0; i < SEEN; i++)
		KUNIT_EXPECT_EQ(test, 0, kpool_queue(kpool_root(pool),
						     &seen[i].work));
	for (i = 0; i < SEEN; i++)
		complete(&seen[i].gate);
	for (i = 0; i < SEEN; i++)
		KUNIT_EXPECT_EQ(test, 0,
				kpool_work_wait_timeout(&seen[i].work, NULL,
							DEADLINE));
}

static void threads_have_the_nice_of_the_pool(struct kunit *test)
{
	struct seen *seen = seen_alloc(test);
	int i;

	look(test, seen, &(struct kpool_params) { .nice = -7 });
	for (i = 0; i < SEEN; i++)
		KUNIT_EXPECT_EQ(test, -7, seen[i].nice);
}

static void threads_are_plain_unless_told_otherwise(struct kunit *test)
{
	struct seen *seen = seen_alloc(test);
	int i;

	look(test, seen, &(struct kpool_params) {});
	for (i = 0; i < SEEN; i++) {
		KUNIT_EXPECT_EQ(test, 0, seen[i].nice);
		KUNIT_EXPECT_TRUE(test, cpumask_subset(cpu_online_mask,
						       &seen[i].cpus));
	}
}

static void threads_run_on_the_cpus_of_the_pool(struct kunit *test)
{
	struct seen *seen = seen_alloc(test);
	struct cpumask *mask = kunit_kzalloc(test, sizeof(*mask), GFP_KERNEL);
	int i, last = cpumask_last(cpu_online_mask);

	KUNIT_ASSERT_NOT_NULL(test, mask);
	if (num_online_cpus() == 1)
		kunit_skip(test, "needs two CPUs");
	cpumask_set_cpu(last, mask);
	look(test, seen, &(struct kpool_params) { .cpumask = mask });
	for (i = 0; i < SEEN; i++) {
		KUNIT_EXPECT_TRUE(test, cpumask_equal(mask, &seen[i].cpus));
		KUNIT_EXPECT_EQ(test, last, seen[i].cpu);
	}
}

static void mask_is_copied(struct kunit *test)
{
	struct cpumask *mask = kunit_kzalloc(test, sizeof(*mask), GFP_KERNEL);
	struct kpool *pool;

	KUNIT_ASSERT_NOT_NULL(test, mask);
	cpumask_set_cpu(0, mask);
	pool = test_pool_params(test, &(struct kpool_params) {
		.max_threads = 1,
		.cpumask = mask,
	});
	cpumask_clear(mask);
	KUNIT_EXPECT_EQ(test, 1, cpumask_weight(pool->cpus));
}

static void threads_run_on_the_cpus_of_the_node(struct kunit *test)
{
	struct seen *seen = seen_alloc(test);
	int i, node = cpu_to_node(0);

	look(test, seen, &(struct kpool_params) {
		.flags = KPOOL_ON_NODE,
		.node = node,
	});
	for (i = 0; i < SEEN; i++)
		KUNIT_EXPECT_TRUE(test, cpumask_equal(cpumask_of_node(node),
						      &seen[i].cpus));
}

static void mask_wins_over_node(struct kunit *test)
{
	struct cpumask *mask = kunit_kzalloc(test, sizeof(*mask), GFP_KERNEL);
	struct seen *seen = seen_alloc(test);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, mask);
	cpumask_set_cpu(0, mask);
	look(test, seen, &(struct kpool_params) {
		.flags = KPOOL_ON_NODE,
		.node = cpu_to_node(0),
		.cpumask = mask,
	});
	for (i = 0; i < SEEN; i++)
		KUNIT_EXPECT_TRUE(test, cpumask_equal(mask, &seen[i].cpus));
}

static const struct cpumask no_cpus;

struct bad_threads {
	const char *what;
	struct kpool_params params;
};

static const struct bad_threads bad_threads[] = {
	{ "nice too low", { .nice = -21 } },
	{ "nice too high", { .nice = 20 } },
	{ "empty mask", { .cpumask = &no_cpus } },
	{ "negative node", { .flags = KPOOL_ON_NODE, .node = -1 } },
	{ "no such node", { .flags = KPOOL_ON_NODE, .node = MAX_NUMNODES } },
	{ "unknown flag", { .flags = BIT(31) } },
};

KUNIT_ARRAY_PARAM_DESC(bad_threads, bad_threads, what);

static void bad_threads_are_einval(struct kunit *test)
{
	const struct bad_threads *bad = test->param_value;
	struct kpool_params params = bad->params;
	struct kpool *pool;

	params.max_threads = 1;
	pool = kpool_create("affinity", &params);
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL), pool);
	kpool_destroy(pool);
}

static struct kunit_case affinity_cases[] = {
	KUNIT_CASE(threads_have_the_nice_of_the_pool),
	KUNIT_CASE(threads_are_plain_unless_told_otherwise),
	KUNIT_CASE(threads_run_on_the_cpus_of_the_pool),
	KUNIT_CASE(mask_is_copied),
	KUNIT_CASE(threads_run_on_the_cpus_of_the_node),
	KUNIT_CASE(mask_wins_over_node),
	KUNIT_CASE_PARAM(bad_threads_are_einval, bad_threads_gen_params),
	{}
};

static struct kunit_suite affinity_suite = {
	.name = "kpool_affinity",
	.test_cases = affinity_cases,
};

kunit_test_suite(affinity_suite);
