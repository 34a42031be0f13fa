// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many works that do nothing: what does one cost, from the first queueing to
 * the end of the last?  n threads, and row->arg submitters, one on each CPU.
 */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "bench.h"

#define ITEMS		50000

static atomic_t missing;
static DECLARE_COMPLETION(all_done);

static void body(void)
{
	if (atomic_dec_and_test(&missing))
		complete(&all_done);
}

/* What one submitter queues. */
struct share {
	const struct bench_side	*side;
	unsigned int		from, to;
	struct completion	done;
};

static void queue_share(struct share *share)
{
	unsigned int i;

	for (i = share->from; i < share->to; i++)
		share->side->queue(share->side, i);
}

static int helper_fn(void *data)
{
	struct share *share = data;

	queue_share(share);
	kthread_complete_and_exit(&share->done, 0);
}

/* The second submitter is created before the clock is read, and woken then. */
static int measure_items(const struct bench_row *row,
			 const struct bench_side *side,
			 struct samples *samples)
{
	struct share own = { .side = side, .to = ITEMS };
	struct share other = { .side = side, .to = ITEMS };
	struct task_struct *helper = NULL;
	u64 begin, item;

	if (row->arg == 2) {
		own.to = ITEMS / 2;
		other.from = ITEMS / 2;
		init_completion(&other.done);
		helper = kthread_create(helper_fn, &other, "bench/helper");
		if (IS_ERR(helper))
			return PTR_ERR(helper);
		kthread_bind(helper, OTHER_CPU);
	}
	atomic_set(&missing, ITEMS);
	reinit_completion(&all_done);
	begin = now();
	if (helper)
		wake_up_process(helper);
	queue_share(&own);
	wait_for_completion(&all_done);
	item = div_u64(now() - begin, ITEMS);
	sample_add(samples, item, 0, 0);
	if (helper)
		wait_for_completion(&other.done);
	bench_pause();
	return 0;
}

/* ------------------------------------------------------------------------
 * Peers
 */

static struct kthread_worker *kworker;
static struct kthread_work *kworks;

static void kwork_fn(struct kthread_work *work)
{
	body();
}

static int kworker_begin(const struct bench_row *row,
			 const struct bench_side *side)
{
	unsigned int i;

	kworks = vzalloc(array_size(ITEMS, sizeof(*kworks)));
	if (!kworks)
		return -ENOMEM;
	for (i = 0; i < ITEMS; i++)
		kthread_init_work(&kworks[i], kwork_fn);
	kworker = kthread_create_worker(0, "bench/kw");
	if (!IS_ERR(kworker))
		return 0;
	vfree(kworks);
	return PTR_ERR(kworker);
}

static void kworker_end(const struct bench_side *side)
{
	kthread_destroy_worker(kworker);
	vfree(kworks);
}

static void kworker_queue(const struct bench_side *side, unsigned int i)
{
	kthread_queue_work(kworker, &kworks[i]);
}

static const struct bench_side kworker_side = {
	.name = "kthread_worker",
	.begin = kworker_begin,
	.end = kworker_end,
	.queue = kworker_queue,
	.measure = measure_items,
};

static struct workqueue_struct *wq[2];
static struct work_struct *wq_works[2];

static void wq_fn(struct work_struct *work)
{
	body();
}

static int wq_begin(const struct bench_row *row, const struct bench_side *side)
{
	struct work_struct *works;
	unsigned int i;

	works = vzalloc(array_size(ITEMS, sizeof(*works)));
	if (!works)
		return -ENOMEM;
	for (i = 0; i < ITEMS; i++)
		INIT_WORK(&works[i], wq_fn);
	wq[side->index] = alloc_workqueue("bench_noop%u", side->flags, 0,
					  side->index);
	if (!wq[side->index]) {
		vfree(works);
		return -ENOMEM;
	}
	wq_works[side->index] = works;
	return 0;
}

static void wq_end(const struct bench_side *side)
{
	destroy_workqueue(wq[side->index]);
	vfree(wq_works[side->index]);
}

static void wq_queue(const struct bench_side *side, unsigned int i)
{
	queue_work(wq[side->index], &wq_works[side->index][i]);
}

static const struct bench_side unbound_side = {
	.name = "workqueue unbound",
	.index = 0,
	.flags = WQ_UNBOUND,
	.begin = wq_begin,
	.end = wq_end,
	.queue = wq_queue,
	.measure = measure_items,
};

static const struct bench_side percpu_side = {
	.name = "workqueue per CPU",
	.index = 1,
	.begin = wq_begin,
	.end = wq_end,
	.queue = wq_queue,
	.measure = measure_items,
};

/* ------------------------------------------------------------------------
 * kpool
 */

/* What there is in the pool that might keep works out: side->index. */
enum { NO_LIMIT, LIMIT_OF_ANOTHER, LIMIT_OF_ITS_OWN, NR_LIMITS };

static struct bench_pool pool[NR_LIMITS];
static struct kpool_work *works[NR_LIMITS];
static struct kpool_group *other;

static int kpool_fn(struct kpool_work *work)
{
	body();
	return 0;
}

/* More than will ever run, so it counts, but keeps nobody out. */
static int set_limit(unsigned int which, int limit)
{
	struct kpool_group *group = pool[which].group;

	if (which == NO_LIMIT)
		return 0;
	if (which == LIMIT_OF_ANOTHER) {
		group = kpool_group_create(kpool_root(pool[which].pool),
					   "other", NULL);
		if (IS_ERR(group))
			return PTR_ERR(group);
		other = group;
	}
	return kpool_group_set_limits(group, limit, 0);
}

static void kpool_end(const struct bench_side *side)
{
	if (side->index == LIMIT_OF_ANOTHER)
		kpool_group_destroy(other);
	bench_pool_end(&pool[side->index]);
	vfree(works[side->index]);
}

static int kpool_begin(const struct bench_row *row,
		       const struct bench_side *side)
{
	static const char * const name[] = { "bench", "bench2", "bench3" };
	const struct kpool_params params = {
		.min_threads = row->n,
		.max_threads = row->n,
	};
	struct kpool_work *array;
	unsigned int i;
	int err;

	array = vzalloc(array_size(ITEMS, sizeof(*array)));
	if (!array)
		return -ENOMEM;
	for (i = 0; i < ITEMS; i++)
		kpool_work_init(&array[i], kpool_fn);
	works[side->index] = array;
	err = bench_pool_begin(&pool[side->index], name[side->index], &params);
	if (err) {
		vfree(array);
		return err;
	}
	err = set_limit(side->index, row->n + 1);
	if (err)
		kpool_end(side);
	return err;
}

static void kpool_queue_one(const struct bench_side *side, unsigned int i)
{
	WARN_ON_ONCE(kpool_queue(pool[side->index].group,
				 &works[side->index][i]));
}

#define KPOOL_SIDE(_name, _limit)					\
	{								\
		.name = _name,						\
		.index = _limit,					\
		.begin = kpool_begin,					\
		.end = kpool_end,					\
		.queue = kpool_queue_one,				\
		.measure = measure_items,				\
	}

static const struct bench_side kpool_side = KPOOL_SIDE("kpool", NO_LIMIT);
static const struct bench_side other_side =
	KPOOL_SIDE("beside a limit", LIMIT_OF_ANOTHER);
static const struct bench_side own_side =
	KPOOL_SIDE("with a limit", LIMIT_OF_ITS_OWN);

#define NOOP_ROW(_n, _submitters)					\
	{								\
		.name = "noop-" #_n "x" #_submitters,			\
		.metric = { "item" },					\
		.rounds = 11,						\
		.n = _n,						\
		.arg = _submitters,					\
		.side = { &kworker_side, &unbound_side, &percpu_side,	\
			  &kpool_side },				\
	}

const struct bench_row noop_rows[] = {
	NOOP_ROW(1, 1), NOOP_ROW(8, 1), NOOP_ROW(64, 1), NOOP_ROW(256, 1),
	NOOP_ROW(1, 2), NOOP_ROW(8, 2), NOOP_ROW(64, 2), NOOP_ROW(256, 2),
	{
		.name = "noop-limits",
		.metric = { "item" },
		.rounds = 11,
		.n = 8,
		.arg = 1,
		.side = { &kpool_side, &other_side, &own_side },
	},
	{ }
};
