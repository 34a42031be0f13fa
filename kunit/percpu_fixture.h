/* SPDX-License-Identifier: GPL-2.0-only */
/* What the suites of per-CPU pools and of hotplug share. */
#ifndef _KPOOL_KUNIT_PERCPU_FIXTURE_H
#define _KPOOL_KUNIT_PERCPU_FIXTURE_H

#include <linux/cpumask.h>
#include <linux/smp.h>

#include "helpers.h"

static inline struct kpool *percpu_pool(struct kunit *test, int min_threads,
					int max_threads)
{
	struct kpool_params params = {
		.flags = KPOOL_PER_CPU,
		.min_threads = min_threads,
		.max_threads = max_threads,
		.idle_timeout = 3600 * HZ,
	};

	return test_pool_params(test, &params);
}

/* The pool behind it of one CPU. */
static inline struct kpool *inner_pool(struct kpool *pool, int cpu)
{
	return kpool_root(pool)->on_cpu[cpu]->pool;
}

/* The CPUs that cases use: the last one comes and goes. */
static inline int last_cpu(void)
{
	return cpumask_last(cpu_online_mask);
}

static inline void need_two_cpus(struct kunit *test)
{
	if (num_online_cpus() < 2)
		kunit_skip(test, "one CPU only");
}

struct queue_from {
	struct kpool_group *group;
	struct kpool_work *work;
	int err;
};

static inline void queue_from_fn(void *arg)
{
	struct queue_from *from = arg;

	from->err = kpool_queue(from->group, from->work);
}

/* kpool_queue() on that CPU, in an interrupt. */
static inline int queue_from(int cpu, struct kpool_group *group,
			     struct kpool_work *work)
{
	struct queue_from from = { .group = group, .work = work };

	if (smp_call_function_single(cpu, queue_from_fn, &from, 1))
		return -EIO;
	return from.err;
}

#endif
