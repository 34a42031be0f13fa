// SPDX-License-Identifier: GPL-2.0-only
/*
 * What n idle threads take from the free memory, for each of them.
 */
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/workqueue.h>

#include "bench.h"
#include "crowd.h"

static struct meeting meeting;

static u64 free_bytes(void)
{
	struct sysinfo info;

	si_meminfo(&info);
	return (u64)info.freeram * info.mem_unit;
}

static void add(struct samples *samples, u64 before, unsigned int n)
{
	u64 after = free_bytes();

	sample_add(samples, before > after ? div_u64(before - after, n) : 0,
		   0, 0);
}

/* What the members are kept in is the benchmark's, and not counted. */
static int bare_measure(const struct bench_row *row,
			const struct bench_side *side, struct samples *samples)
{
	struct crowd *crowd = crowd_alloc(row->n, crowd_idle);
	u64 before;
	int err;

	if (!crowd)
		return -ENOMEM;
	crowd->meeting = &meeting;
	meeting_begin(&meeting, row->n);
	before = free_bytes();
	err = crowd_create(crowd, true);
	if (!err) {
		wait_for_completion(&meeting.all_in);
		bench_pause();
		add(samples, before, row->n);
		crowd_end(crowd);
	}
	crowd_free(crowd);
	/* what ended is freed a grace period later */
	synchronize_rcu();
	schedule_timeout_uninterruptible(HZ / 10);
	return err;
}

static const struct bench_side bare_side = {
	.name = "bare kthread",
	.measure = bare_measure,
};

static int kpool_measure(const struct bench_row *row,
			 const struct bench_side *side,
			 struct samples *samples)
{
	const struct kpool_params params = {
		.min_threads = row->n,
		.max_threads = row->n,
	};
	u64 before = free_bytes();
	struct kpool *pool;

	pool = kpool_create("bench", &params);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	bench_pause();
	add(samples, before, row->n);
	kpool_destroy(pool);
	synchronize_rcu();
	schedule_timeout_uninterruptible(HZ / 10);
	return 0;
}

static const struct bench_side kpool_side = {
	.name = "kpool",
	.measure = kpool_measure,
};

/* ------------------------------------------------------------------------
 * What a caller embeds
 */

static int size_measure(const struct bench_row *row,
			const struct bench_side *side, struct samples *samples)
{
	sample_add(samples, side->n, 0, 0);
	return 0;
}

static const struct bench_side work_struct_side = {
	.name = "work_struct",
	.n = sizeof(struct work_struct),
	.measure = size_measure,
};

static const struct bench_side kpool_work_side = {
	.name = "kpool",
	.n = sizeof(struct kpool_work),
	.measure = size_measure,
};

const struct bench_row memory_rows[] = {
	{
		.name = "memory",
		.metric = { "bytes" },
		.rounds = 11,
		.n = 1000,
		.side = { &bare_side, &kpool_side },
	}, {
		.name = "size",
		.metric = { "bytes" },
		.rounds = 1,
		.side = { &work_struct_side, &kpool_work_side },
	},
	{ }
};
