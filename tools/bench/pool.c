// SPDX-License-Identifier: GPL-2.0-only
/*
 * n threads are created until all of them are idle, and ended until nothing of
 * them is left.
 */
#include <linux/err.h>
#include <linux/kthread.h>

#include "bench.h"
#include "crowd.h"

static struct meeting meeting;

/* ------------------------------------------------------------------------
 * The floor: a flag, wake-ups, and a wait for each, whose exits overlap
 */

static int floor_measure(const struct bench_row *row,
			 const struct bench_side *side,
			 struct samples *samples)
{
	struct crowd *crowd;
	u64 begin, created, end;
	int err;

	meeting_begin(&meeting, row->n);
	begin = now();
	crowd = crowd_alloc(row->n, crowd_idle);
	if (!crowd)
		return -ENOMEM;
	crowd->meeting = &meeting;
	err = crowd_create(crowd, true);
	if (!err) {
		wait_for_completion(&meeting.all_in);
		created = now();
		bench_pause();
		end = now();
		crowd_end(crowd);
		sample_add(samples, created - begin, now() - end, 0);
	}
	crowd_free(crowd);
	return err;
}

static const struct bench_side floor_side = {
	.name = "floor",
	.measure = floor_measure,
};

/* ------------------------------------------------------------------------
 * The peer: kthread_run() and kthread_stop(), one after the other
 */

static int serial_fn(void *unused)
{
	meeting_enter(&meeting);
	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static int serial_measure(const struct bench_row *row,
			  const struct bench_side *side,
			  struct samples *samples)
{
	u64 begin, created, end;
	struct crowd *crowd;
	unsigned int i;
	int err = 0;

	meeting_begin(&meeting, row->n);
	begin = now();
	crowd = crowd_alloc(row->n, NULL);
	if (!crowd)
		return -ENOMEM;
	for (i = 0; i < row->n; i++) {
		struct task_struct *task = kthread_run(serial_fn, NULL,
						       "bench/%u", i);

		if (IS_ERR(task)) {
			err = PTR_ERR(task);
			crowd->n = i;
			break;
		}
		crowd->member[i].task = task;
	}
	if (!err)
		wait_for_completion(&meeting.all_in);
	created = now();
	bench_pause();
	end = now();
	for (i = 0; i < crowd->n; i++)
		kthread_stop(crowd->member[i].task);
	if (!err)
		sample_add(samples, created - begin, now() - end, 0);
	crowd_free(crowd);
	return err;
}

static const struct bench_side serial_side = {
	.name = "kthread_stop",
	.measure = serial_measure,
};

/* ------------------------------------------------------------------------
 * kpool
 */

static int kpool_measure(const struct bench_row *row,
			 const struct bench_side *side,
			 struct samples *samples)
{
	const struct kpool_params params = {
		.min_threads = row->n,
		.max_threads = row->n,
	};
	u64 begin, created, end;
	struct kpool *pool;

	begin = now();
	pool = kpool_create("bench", &params);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	created = now();
	bench_pause();
	end = now();
	kpool_destroy(pool);
	sample_add(samples, created - begin, now() - end, 0);
	return 0;
}

static const struct bench_side kpool_side = {
	.name = "kpool",
	.measure = kpool_measure,
};

#define POOL_ROW(_n, _rounds)						\
	{								\
		.name = "pool-" #_n,					\
		.metric = { "create", "destroy" },			\
		.rounds = _rounds,					\
		.n = _n,						\
		.side = { &floor_side, &serial_side, &kpool_side },	\
	}

const struct bench_row pool_rows[] = {
	POOL_ROW(8, 21), POOL_ROW(64, 11), POOL_ROW(256, 21),
	POOL_ROW(1000, 11),
	{ }
};
