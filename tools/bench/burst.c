// SPDX-License-Identifier: GPL-2.0-only
/*
 * n works that all block: how long until all of them run at once?  Cold, when
 * there are no threads yet, and warm, when there are enough that are idle.
 */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "bench.h"
#include "crowd.h"

#define MAX_WORKS	256

static struct meeting meeting;

static void body(void)
{
	meeting_enter(&meeting);
	wait_for_completion(&meeting.gate);
	meeting_leave(&meeting);
}

/* One burst, with what @side->queue() starts. */
static int measure_burst(const struct bench_row *row,
			 const struct bench_side *side,
			 struct samples *samples)
{
	unsigned int i;
	u64 begin;

	meeting_begin(&meeting, row->n);
	begin = now();
	for (i = 0; i < row->n; i++)
		side->queue(side, i);
	wait_for_completion(&meeting.all_in);
	sample_add(samples, now() - begin, 0, 0);
	complete_all(&meeting.gate);
	wait_for_completion(&meeting.all_out);
	bench_pause();
	return 0;
}

/*
 * Threads that are new in each round are where the scheduler put them; those
 * that stay gather on one CPU or the other, which makes more of a difference
 * than what is measured.  Let them go idle.
 */
static void settle(void)
{
	schedule_timeout_uninterruptible(2);
}

/* ------------------------------------------------------------------------
 * Floors
 */

static struct crowd *crowd;

static void cold_fn(struct member *member)
{
	body();
}

static int cold_measure(const struct bench_row *row,
			const struct bench_side *side,
			struct samples *samples)
{
	u64 begin;
	int err;

	crowd = crowd_alloc(row->n, cold_fn);
	if (!crowd)
		return -ENOMEM;
	meeting_begin(&meeting, row->n);
	begin = now();
	err = crowd_create(crowd, true);
	if (!err) {
		wait_for_completion(&meeting.all_in);
		sample_add(samples, now() - begin, 0, 0);
		complete_all(&meeting.gate);
		crowd_join(crowd);
	}
	crowd_free(crowd);
	return err;
}

static const struct bench_side cold_side = {
	.name = "floor",
	.measure = cold_measure,
};

static void parked_fn(struct member *member)
{
	for (;;) {
		set_current_state(TASK_IDLE);
		if (READ_ONCE(member->crowd->stop))
			break;
		if (READ_ONCE(member->kick)) {
			__set_current_state(TASK_RUNNING);
			WRITE_ONCE(member->kick, false);
			body();
			continue;
		}
		schedule();
	}
	__set_current_state(TASK_RUNNING);
}

static int parked_begin(const struct bench_row *row)
{
	int err;

	crowd = crowd_alloc(row->n, parked_fn);
	if (!crowd)
		return -ENOMEM;
	err = crowd_create(crowd, true);
	if (err)
		crowd_free(crowd);
	return err;
}

static void parked_end(void)
{
	crowd_end(crowd);
	crowd_free(crowd);
}

static void parked_queue(const struct bench_side *side, unsigned int i)
{
	WRITE_ONCE(crowd->member[i].kick, true);
	wake_up_process(crowd->member[i].task);
}

static int parked_measure(const struct bench_row *row,
			  const struct bench_side *side,
			  struct samples *samples)
{
	int err = parked_begin(row);

	if (err)
		return err;
	settle();
	err = measure_burst(row, side, samples);
	parked_end();
	return err;
}

static const struct bench_side parked_side = {
	.name = "floor",
	.queue = parked_queue,
	.measure = parked_measure,
};

/* ------------------------------------------------------------------------
 * Workqueues: cold only once, for then they have their threads
 */

static struct workqueue_struct *wq[2];
static struct work_struct wq_work[MAX_WORKS];
static bool was_cold[2];

static void wq_fn(struct work_struct *work)
{
	body();
}

static int wq_begin(const struct bench_row *row, const struct bench_side *side)
{
	unsigned int i;

	for (i = 0; i < row->n; i++)
		INIT_WORK(&wq_work[i], wq_fn);
	wq[side->index] = alloc_workqueue("bench_burst%u", side->flags,
					  WQ_MAX_ACTIVE, side->index);
	return wq[side->index] ? 0 : -ENOMEM;
}

static void wq_end(const struct bench_side *side)
{
	destroy_workqueue(wq[side->index]);
}

static void wq_queue(const struct bench_side *side, unsigned int i)
{
	queue_work(wq[side->index], &wq_work[i]);
}

static int wq_cold(const struct bench_row *row, const struct bench_side *side,
		   struct samples *samples)
{
	if (was_cold[side->index])
		return 0;
	was_cold[side->index] = true;
	return measure_burst(row, side, samples);
}

#define WQ_SIDE(_id, _name, _index, _flags, _measure)			\
static const struct bench_side _id = {					\
	.name = _name,							\
	.index = _index,						\
	.flags = _flags,						\
	.begin = wq_begin,						\
	.end = wq_end,							\
	.queue = wq_queue,						\
	.measure = _measure,						\
}

WQ_SIDE(unbound_cold_side, "workqueue unbound", 0, WQ_UNBOUND, wq_cold);
WQ_SIDE(percpu_cold_side, "workqueue per CPU", 1, 0, wq_cold);
WQ_SIDE(unbound_warm_side, "workqueue unbound", 0, WQ_UNBOUND, measure_burst);
WQ_SIDE(percpu_warm_side, "workqueue per CPU", 1, 0, measure_burst);

/* ------------------------------------------------------------------------
 * kpool
 */

static struct bench_pool pool;
static struct kpool_work works[MAX_WORKS];

static int kpool_fn(struct kpool_work *work)
{
	body();
	return 0;
}

static void kpool_queue_one(const struct bench_side *side, unsigned int i)
{
	WARN_ON_ONCE(kpool_queue(pool.group, &works[i]));
}

static int kpool_begin(const struct bench_row *row,
		       const struct bench_side *side)
{
	const struct kpool_params params = {
		.min_threads = side->n,
		.max_threads = row->n,
	};
	unsigned int i;

	for (i = 0; i < row->n; i++)
		kpool_work_init(&works[i], kpool_fn);
	return bench_pool_begin(&pool, "bench", &params);
}

static void kpool_end(const struct bench_side *side)
{
	bench_pool_end(&pool);
}

static int kpool_measure(const struct bench_row *row,
			 const struct bench_side *side,
			 struct samples *samples)
{
	int err = kpool_begin(row, side);

	if (err)
		return err;
	settle();
	err = measure_burst(row, side, samples);
	kpool_end(side);
	return err;
}

static const struct bench_side kpool_cold_side = {
	.name = "kpool",
	.queue = kpool_queue_one,
	.measure = kpool_measure,
};

static const struct bench_side kpool_warm_side = {
	.name = "kpool",
	.n = MAX_WORKS,
	.queue = kpool_queue_one,
	.measure = kpool_measure,
};

const struct bench_row burst_rows[] = {
	{
		.name = "burst-cold",
		.metric = { "all run" },
		.rounds = 11,
		.n = MAX_WORKS,
		.side = { &cold_side, &unbound_cold_side, &percpu_cold_side,
			  &kpool_cold_side },
	}, {
		.name = "burst-warm",
		.metric = { "all run" },
		.rounds = 21,
		.n = MAX_WORKS,
		.side = { &parked_side, &unbound_warm_side, &percpu_warm_side,
			  &kpool_warm_side },
	},
	{ }
};
