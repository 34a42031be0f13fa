// SPDX-License-Identifier: GPL-2.0-only
/*
 * n threads that sleep, each for itself, are told to stop: how long until the
 * last one has ended what it did?  By a flag that they find when they wake, or
 * by a flag and a signal that ends their sleep.
 *
 * All fall asleep in the same tick, so that the time which is left of a nap
 * that nothing ends is the same for all sides.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "bench.h"
#include "crowd.h"

#define MAX_WORKS	1000

enum nap { NAP_FIXED, NAP_INTERRUPTIBLE, NAP_KILLABLE };

static struct meeting meeting;
static enum nap nap_kind;
static bool stopped;
static DECLARE_COMPLETION(everybody_out);

static void nap(void)
{
	switch (nap_kind) {
	case NAP_FIXED:
		msleep(20);
		break;
	case NAP_INTERRUPTIBLE:
		msleep_interruptible(10000);
		break;
	case NAP_KILLABLE:
		schedule_timeout_killable(10 * HZ);
		break;
	}
}

static void body(bool (*should_stop)(void))
{
	wait_for_completion(&meeting.gate);
	meeting_enter(&meeting);
	while (!should_stop())
		nap();
}

/* Let all of them fall asleep at the beginning of a tick. */
static void fall_asleep(void)
{
	schedule_timeout_uninterruptible(1);
	complete_all(&meeting.gate);
	wait_for_completion(&meeting.all_in);
	/* the last one is about to */
	bench_pause();
}

static void begin_round(const struct bench_row *row)
{
	nap_kind = row->arg;
	WRITE_ONCE(stopped, false);
	reinit_completion(&everybody_out);
	meeting_begin(&meeting, row->n);
}

static void signal_all(struct crowd *crowd)
{
	unsigned int i;

	if (nap_kind == NAP_FIXED)
		return;
	for (i = 0; i < crowd->n; i++)
		send_sig(SIGKILL, crowd->member[i].task, 1);
}

/* ------------------------------------------------------------------------
 * The floor: a flag, signals, and one wait
 */

static bool is_stopped(void)
{
	return READ_ONCE(stopped);
}

/* Who is out ends later: threads of a pool do not end at a stop, either. */
static void floor_fn(struct member *member)
{
	allow_kernel_signal(SIGKILL);
	body(is_stopped);
	flush_signals(current);
	meeting_leave(&meeting);
	wait_for_completion(&everybody_out);
}

static int floor_measure(const struct bench_row *row,
			 const struct bench_side *side,
			 struct samples *samples)
{
	struct crowd *crowd = crowd_alloc(row->n, floor_fn);
	u64 begin;
	int err;

	if (!crowd)
		return -ENOMEM;
	begin_round(row);
	err = crowd_create(crowd, true);
	if (!err) {
		fall_asleep();
		begin = now();
		WRITE_ONCE(stopped, true);
		signal_all(crowd);
		wait_for_completion(&meeting.all_out);
		sample_add(samples, now() - begin, 0, 0);
		complete_all(&everybody_out);
		crowd_join(crowd);
	}
	crowd_free(crowd);
	return err;
}

static const struct bench_side floor_side = {
	.name = "floor",
	.measure = floor_measure,
};

/* ------------------------------------------------------------------------
 * The peer: kthread_stop(), one after the other
 */

static bool should_end(void)
{
	return kthread_should_stop() || signal_pending(current);
}

/* Who was signalled waits until it is its turn to be stopped. */
static int serial_fn(void *unused)
{
	allow_kernel_signal(SIGKILL);
	body(should_end);
	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static int serial_create(struct crowd *crowd)
{
	unsigned int i;

	for (i = 0; i < crowd->n; i++) {
		struct task_struct *task = kthread_run(serial_fn, NULL,
						       "bench/%u", i);

		if (IS_ERR(task)) {
			crowd->n = i;
			return PTR_ERR(task);
		}
		crowd->member[i].task = task;
	}
	return 0;
}

static int serial_measure(const struct bench_row *row,
			  const struct bench_side *side,
			  struct samples *samples)
{
	struct crowd *crowd = crowd_alloc(row->n, NULL);
	unsigned int i;
	u64 begin;
	int err;

	if (!crowd)
		return -ENOMEM;
	begin_round(row);
	err = serial_create(crowd);
	if (err)
		complete_all(&meeting.gate);
	else
		fall_asleep();
	begin = now();
	signal_all(crowd);
	for (i = 0; i < crowd->n; i++)
		kthread_stop(crowd->member[i].task);
	if (!err)
		sample_add(samples, now() - begin, 0, 0);
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

static struct bench_pool pool;
static struct kpool_work *works;

static int kpool_fn(struct kpool_work *work)
{
	body(kpool_should_stop);
	return 0;
}

static int kpool_begin(const struct bench_row *row,
		       const struct bench_side *side)
{
	const struct kpool_params params = {
		.min_threads = row->n,
		.max_threads = row->n,
	};
	unsigned int i;
	int err;

	works = kcalloc(row->n, sizeof(*works), GFP_KERNEL);
	if (!works)
		return -ENOMEM;
	for (i = 0; i < row->n; i++)
		kpool_work_init(&works[i], kpool_fn);
	err = bench_pool_begin(&pool, "bench", &params);
	if (err)
		kfree(works);
	return err;
}

static void kpool_end(const struct bench_side *side)
{
	bench_pool_end(&pool);
	kfree(works);
}

/* Threads that are new in each round, as those of the other sides are. */
static int kpool_measure(const struct bench_row *row,
			 const struct bench_side *side,
			 struct samples *samples)
{
	int err = kpool_begin(row, side);
	unsigned int i;
	u64 begin;

	if (err)
		return err;
	begin_round(row);
	for (i = 0; i < row->n; i++)
		WARN_ON_ONCE(kpool_queue(pool.group, &works[i]));
	fall_asleep();
	begin = now();
	kpool_group_stop(pool.group);
	sample_add(samples, now() - begin, 0, 0);
	kpool_end(side);
	return 0;
}

static const struct bench_side kpool_side = {
	.name = "kpool",
	.measure = kpool_measure,
};

#define STOP_ROW(_nap, _kind, _n, _rounds)				\
	{								\
		.name = "stop-" _nap "-" #_n,				\
		.metric = { "all ended" },				\
		.rounds = _rounds,					\
		.n = _n,						\
		.arg = _kind,						\
		.side = { &floor_side, &serial_side, &kpool_side },	\
	}

const struct bench_row stop_rows[] = {
	STOP_ROW("msleep", NAP_FIXED, 64, 11),
	STOP_ROW("msleep", NAP_FIXED, 256, 11),
	STOP_ROW("msleep", NAP_FIXED, 1000, 11),
	STOP_ROW("interruptible", NAP_INTERRUPTIBLE, 64, 11),
	STOP_ROW("interruptible", NAP_INTERRUPTIBLE, 256, 21),
	STOP_ROW("interruptible", NAP_INTERRUPTIBLE, 1000, 11),
	STOP_ROW("killable", NAP_KILLABLE, 256, 21),
	STOP_ROW("killable", NAP_KILLABLE, 1000, 11),
	{ }
};
