// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pings to pools of different sizes: does a queueing cost more if there are
 * more threads, or more groups?  All the pools are there at once.
 */
#include <linux/err.h>
#include <linux/slab.h>

#include "bench.h"

/* A pool with further groups; each ping goes to the next one. */
struct scale {
	struct bench_pool	pool;
	struct kpool_group	**groups;
	unsigned int		nr_groups;
};

static struct scale scales[7];
static struct kpool_work work;

static void scale_end(const struct bench_side *side)
{
	struct scale *s = &scales[side->index];

	while (s->nr_groups)
		kpool_group_destroy(s->groups[--s->nr_groups]);
	kfree(s->groups);
	bench_pool_end(&s->pool);
}

static int add_groups(struct scale *s, unsigned int n)
{
	struct kpool_group *group;
	char name[16];

	s->groups = kcalloc(n, sizeof(*s->groups), GFP_KERNEL);
	if (!s->groups)
		return -ENOMEM;
	while (s->nr_groups < n) {
		snprintf(name, sizeof(name), "%u", s->nr_groups);
		group = kpool_group_create(kpool_root(s->pool.pool), name,
					   NULL);
		if (IS_ERR(group))
			return PTR_ERR(group);
		s->groups[s->nr_groups++] = group;
	}
	return 0;
}

static int scale_begin(const struct bench_row *row,
		       const struct bench_side *side)
{
	const struct kpool_params params = {
		.min_threads = side->n,
		.max_threads = side->n,
		.cpumask = cpumask_of(row->cpu),
	};
	struct scale *s = &scales[side->index];
	char name[16];
	int err;

	kpool_work_init(&work, ping_kpool_fn);
	snprintf(name, sizeof(name), "bench%u", side->index);
	err = bench_pool_begin(&s->pool, name, &params);
	if (err)
		return err;
	err = add_groups(s, side->flags);
	if (err)
		scale_end(side);
	return err;
}

static void scale_queue(const struct bench_side *side, unsigned int i)
{
	struct scale *s = &scales[side->index];

	WARN_ON_ONCE(kpool_queue(s->groups[i % s->nr_groups], &work));
}

/* Of @_n threads and @_groups groups. */
#define SCALE_SIDE(_index, _n, _groups, _name)				\
static const struct bench_side side##_index = {				\
	.name = _name,							\
	.index = _index,						\
	.n = _n,							\
	.flags = _groups,						\
	.begin = scale_begin,						\
	.end = scale_end,						\
	.queue = scale_queue,						\
	.measure = ping_measure,					\
}

SCALE_SIDE(0, 8, 1, "8 threads");
SCALE_SIDE(1, 64, 1, "64 threads");
SCALE_SIDE(2, 512, 1, "512 threads");
SCALE_SIDE(3, 4096, 1, "4096 threads");
SCALE_SIDE(4, 8, 1, "1 group");
SCALE_SIDE(5, 8, 64, "64 groups");
SCALE_SIDE(6, 8, 1000, "1000 groups");

const struct bench_row scale_rows[] = {
	{
		.name = "threads",
		.metric = { "queue", "start", "round" },
		.rounds = 15,
		.cpu = OTHER_CPU,
		.side = { &side0, &side1, &side2, &side3 },
	}, {
		.name = "groups",
		.metric = { "queue", "start", "round" },
		.rounds = 15,
		.cpu = OTHER_CPU,
		.side = { &side4, &side5, &side6 },
	},
	{ }
};
