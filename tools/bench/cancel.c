// SPDX-License-Identifier: GPL-2.0-only
/*
 * One function that sleeps is cancelled: how long until it is awake, and until
 * who cancelled it has its result?
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>

#include "bench.h"
#include "crowd.h"

#define CANCELS	100

static u64 woken;

/* ------------------------------------------------------------------------
 * The floor: a signal to the thread, and a completion
 */

static struct task_struct *task;
static struct completion go, asleep, over;

static int floor_fn(void *unused)
{
	allow_kernel_signal(SIGKILL);
	while (!kthread_should_stop()) {
		wait_for_completion(&go);
		complete(&asleep);
		msleep_interruptible(10000);
		woken = now();
		flush_signals(current);
		complete(&over);
	}
	return 0;
}

static int floor_begin(const struct bench_row *row,
		       const struct bench_side *side)
{
	init_completion(&go);
	init_completion(&asleep);
	init_completion(&over);
	task = kthread_create(floor_fn, NULL, "bench/cancel");
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, OTHER_CPU);
	wake_up_process(task);
	return 0;
}

static void floor_end(const struct bench_side *side)
{
	complete_all(&go);
	send_sig(SIGKILL, task, 1);
	kthread_stop(task);
}

static int floor_measure(const struct bench_row *row,
			 const struct bench_side *side,
			 struct samples *samples)
{
	u64 begin;
	int i;

	for (i = 0; i < CANCELS; i++) {
		complete(&go);
		wait_for_completion(&asleep);
		bench_pause();
		begin = now();
		send_sig(SIGKILL, task, 1);
		wait_for_completion(&over);
		sample_add(samples, woken - begin, now() - begin, 0);
		bench_pause();
	}
	return 0;
}

static const struct bench_side floor_side = {
	.name = "floor",
	.begin = floor_begin,
	.end = floor_end,
	.measure = floor_measure,
};

/* ------------------------------------------------------------------------
 * kpool: by the caller, or by the stopper for one who must not sleep
 */

static struct bench_pool pools[2];
static struct kpool_work work;

static int kpool_fn(struct kpool_work *work)
{
	complete(&asleep);
	msleep_interruptible(10000);
	woken = now();
	return 0;
}

static int kpool_begin(const struct bench_row *row,
		       const struct bench_side *side)
{
	const struct kpool_params params = {
		.min_threads = 2,
		.max_threads = 2,
		.cpumask = cpumask_of(OTHER_CPU),
	};

	kpool_work_init(&work, kpool_fn);
	return bench_pool_begin(&pools[side->index], side->index ? "bench1" :
				"bench0", &params);
}

static void kpool_end(const struct bench_side *side)
{
	bench_pool_end(&pools[side->index]);
}

static int kpool_measure(const struct bench_row *row,
			 const struct bench_side *side,
			 struct samples *samples)
{
	u64 begin;
	int i, err;

	for (i = 0; i < CANCELS; i++) {
		err = kpool_queue(pools[side->index].group, &work);
		if (err)
			return err;
		wait_for_completion(&asleep);
		bench_pause();
		begin = now();
		if (side->flags) {
			kpool_work_cancel_sync(&work);
		} else {
			kpool_work_cancel(&work);
			kpool_work_wait(&work, NULL);
		}
		sample_add(samples, woken - begin, now() - begin, 0);
		bench_pause();
	}
	return 0;
}

#define CANCEL_SIDE(_id, _name, _index, _sync)				\
static const struct bench_side _id = {					\
	.name = _name,							\
	.index = _index,						\
	.flags = _sync,							\
	.begin = kpool_begin,						\
	.end = kpool_end,						\
	.measure = kpool_measure,					\
}

CANCEL_SIDE(cancel_side, "kpool", 0, 0);
CANCEL_SIDE(sync_side, "kpool sync", 1, 1);

const struct bench_row cancel_rows[] = {
	{
		.name = "cancel",
		.metric = { "awake", "result" },
		.rounds = 11,
		.side = { &floor_side, &cancel_side, &sync_side },
	},
	{ }
};
