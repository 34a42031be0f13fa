// SPDX-License-Identifier: GPL-2.0-only
/*
 * A call: run a function on this CPU in another thread, and wait for it.  So
 * many in a row as row->arg says; then the caller sleeps.
 */
#include <linux/workqueue.h>

#include "bench.h"

#define CALLS	200

static struct workqueue_struct *wq;

static void work_fn(struct work_struct *work)
{
}

static int wq_begin(const struct bench_row *row, const struct bench_side *side)
{
	wq = alloc_workqueue("bench_call", 0, 0);
	return wq ? 0 : -ENOMEM;
}

static void wq_end(const struct bench_side *side)
{
	destroy_workqueue(wq);
}

/* The work is on the stack, as that of kpool_call() is. */
static int wq_measure(const struct bench_row *row,
		      const struct bench_side *side, struct samples *samples)
{
	struct work_struct work;
	int i;

	for (i = 0; i < CALLS; i++) {
		u64 begin = now();

		INIT_WORK_ONSTACK(&work, work_fn);
		queue_work_on(BENCH_CPU, wq, &work);
		flush_work(&work);
		sample_add(samples, now() - begin, 0, 0);
		destroy_work_on_stack(&work);
		if (!((i + 1) % row->arg))
			bench_pause();
	}
	return 0;
}

static const struct bench_side wq_side = {
	.name = "workqueue per CPU",
	.begin = wq_begin,
	.end = wq_end,
	.measure = wq_measure,
};

static struct bench_pool pool;

static int call_fn(void *unused)
{
	return 0;
}

static int call_begin(const struct bench_row *row,
		      const struct bench_side *side)
{
	const struct kpool_params params = {
		.min_threads = 4,
		.max_threads = 4,
		.flags = KPOOL_PER_CPU,
	};

	return bench_pool_begin(&pool, "bench", &params);
}

static void call_end(const struct bench_side *side)
{
	bench_pool_end(&pool);
}

static int call_measure(const struct bench_row *row,
			const struct bench_side *side, struct samples *samples)
{
	int i, err;

	for (i = 0; i < CALLS; i++) {
		u64 begin = now();

		err = kpool_call(pool.group, call_fn, NULL, NULL);
		sample_add(samples, now() - begin, 0, 0);
		if (err)
			return err;
		if (!((i + 1) % row->arg))
			bench_pause();
	}
	return 0;
}

static const struct bench_side call_side = {
	.name = "kpool",
	.begin = call_begin,
	.end = call_end,
	.measure = call_measure,
};

#define CALL_ROW(_name, _in_a_row)					\
	{								\
		.name = _name,						\
		.metric = { "round" },					\
		.rounds = 15,						\
		.arg = _in_a_row,					\
		.side = { &wq_side, &call_side },			\
	}

const struct bench_row call_rows[] = {
	CALL_ROW("call", 8), CALL_ROW("call-slept", 1),
	{ }
};
