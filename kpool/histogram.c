// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long things take, in histograms behind a static key.
 *
 * A switch for all pools, /sys/kernel/debug/kpool/histograms.  What is measured
 * begins and ends while it is on: a beginning that was not seen leaves zero,
 * and then the end does not count.  Buckets are written under pool->lock, by
 * threads that hold it anyway, but for hist_enter().
 */
#include <linux/debugfs.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "compat.h"
#include "histogram.h"

DEFINE_STATIC_KEY_FALSE(kpool_hist_key);
KPOOL_EXPORT_KUNIT(kpool_hist_key);

/* One switches at a time; nothing but that waits for it. */
static DEFINE_MUTEX(switch_mutex);

/* Never 0.  Any context but NMI. */
u64 hist_clock(void)
{
	return ktime_get_mono_fast_ns() | 1;
}

u32 hist_stamp(void)
{
	return (u32)(ktime_get_mono_fast_ns() >> 10) << 1 | 1;
}

KPOOL_EXPORT_KUNIT(hist_stamp);

/* Jiffies since a stamp was taken; for one of the clock, modulo 36 minutes. */
unsigned long stamp_age(u32 stamp)
{
	if (stamp & 1)
		return nsecs_to_jiffies((u64)((hist_stamp() - stamp) >> 1) <<
					10);
	return (2 * (u32)jiffies - stamp) >> 1;
}

KPOOL_EXPORT_KUNIT(stamp_age);

static void hist_add(struct kpool *pool, enum hist hist, u64 ns)
{
	u64 us = div_u64(ns, NSEC_PER_USEC);
	int bucket = us ? ilog2(us) + 1 : 0;

	lockdep_assert_held(&pool->lock);
	if (pool->hists)
		pool->hists->n[hist][min(bucket, HIST_BUCKETS - 1)]++;
}

/* Zero is before all times; so is what a worker kept since it was on before. */
static bool hist_saw(const struct kpool *pool, u64 began)
{
	return pool->hists && began >= pool->hists->since;
}

/*
 * A work is committed, under the lock.  Its stamp is copied, for the work may
 * be queued again before its function is called.
 */
void hist_commit(struct kpool_worker *worker, struct kpool_work *work)
{
	worker->stamp = work->stamp & 1 ? work->stamp : 0;
}

void hist_enter(struct kpool_worker *worker)
{
	struct kpool *pool = worker->pool;

	worker->entered = hist_clock();
	if (!worker->stamp)
		return;
	raw_spin_lock_irq(&pool->lock);
	hist_add(pool, HIST_QUEUED,
		 (u64)((hist_stamp() - worker->stamp) >> 1) << 10);
	raw_spin_unlock_irq(&pool->lock);
}

/* The work that this worker runs is told, perhaps not for the first time. */
void hist_tell(struct kpool_worker *worker)
{
	if (!hist_saw(worker->pool, worker->told_at))
		worker->told_at = hist_clock();
}

/* The run has ended, under the lock. */
void hist_end(struct kpool_worker *worker)
{
	struct kpool *pool = worker->pool;
	u64 now = hist_clock();

	if (hist_saw(pool, worker->entered))
		hist_add(pool, HIST_RUN, now - worker->entered);
	if (hist_saw(pool, worker->told_at))
		hist_add(pool, HIST_TELL, now - worker->told_at);
	worker->stamp = 0;
	worker->entered = 0;
	worker->told_at = 0;
}

/* A thread is there, whose creation began at @since; under the lock. */
void hist_created(struct kpool *pool, u64 since)
{
	if (since)
		hist_add(pool, HIST_CREATE, hist_clock() - since);
}

/* Memory for the histograms of a pool; if it has some, that is cleared. */
static int hist_give(struct kpool *pool)
{
	struct kpool_hists *hists = kzalloc(sizeof(*hists), GFP_KERNEL);

	if (!hists)
		return -ENOMEM;
	hists->since = hist_clock();
	raw_spin_lock_irq(&pool->lock);
	swap(pool->hists, hists);
	raw_spin_unlock_irq(&pool->lock);
	kfree(hists);
	return 0;
}

/*
 * A pool was registered.  If histograms were switched on before that, this
 * sees the key; if after, hist_switch() sees the pool.  Without memory the pool
 * goes without.
 */
void hist_pool_add(struct kpool *pool)
{
	if (hist_on() && !READ_ONCE(pool->hists))
		hist_give(pool);
}

void hist_pool_free(struct kpool *pool)
{
	kfree(pool->hists);
}

/*
 * Begin, with all counts zero, or cease; the counts are kept then.  Memory is
 * allocated without any lock that a pool needs.
 */
int hist_switch(bool on)
{
	struct kpool *pool;
	u64 number = 0;
	int err = 0;

	mutex_lock(&switch_mutex);
	if (on)
		static_branch_enable(&kpool_hist_key);
	while (on && !err && (pool = next_pool(number))) {
		number = pool->number;
		err = hist_give(pool);
		kpool_put(pool);
	}
	if (!on || err)
		static_branch_disable(&kpool_hist_key);
	mutex_unlock(&switch_mutex);
	return err;
}

KPOOL_EXPORT_KUNIT(hist_switch);

static int hist_get(void *unused, u64 *on)
{
	*on = static_key_enabled(&kpool_hist_key);
	return 0;
}

static int hist_set(void *unused, u64 on)
{
	return on > 1 ? -EINVAL : hist_switch(on);
}

DEFINE_DEBUGFS_ATTRIBUTE(hist_fops, hist_get, hist_set, "%llu\n");

static void show_pool_hists(struct seq_file *m, struct kpool *pool,
			    struct kpool_hists *hists)
{
	int i, j, last = -1;

	for (i = 0; i < HIST_BUCKETS; i++)
		for (j = 0; j < NR_HISTS; j++)
			if (hists->n[j][i])
				last = i;
	seq_printf(m, "pool %s\n%12s %10s %10s %10s %10s\n", pool->name,
		   "below_us", "queued", "run", "told", "created");
	for (i = 0; i <= last; i++)
		seq_printf(m, "%12llu %10llu %10llu %10llu %10llu\n",
			   1ULL << i, hists->n[HIST_QUEUED][i],
			   hists->n[HIST_RUN][i], hists->n[HIST_TELL][i],
			   hists->n[HIST_CREATE][i]);
}

/* All pools; those that have none are left out. */
static int latency_show(struct seq_file *m, void *unused)
{
	struct kpool_hists *copy = kmalloc(sizeof(*copy), GFP_KERNEL);
	struct kpool *pool;
	u64 number = 0;

	if (!copy)
		return -ENOMEM;
	while ((pool = next_pool(number))) {
		bool some;

		number = pool->number;
		raw_spin_lock_irq(&pool->lock);
		some = pool->hists;
		if (some)
			*copy = *pool->hists;
		raw_spin_unlock_irq(&pool->lock);
		if (some)
			show_pool_hists(m, pool, copy);
		kpool_put(pool);
	}
	kfree(copy);
	return 0;
}

DEFINE_SHOW_ATTRIBUTE(latency);

void hist_debugfs_init(struct dentry *dir)
{
	debugfs_create_file_unsafe("histograms", 0600, dir, NULL, &hist_fops);
	debugfs_create_file("latency", 0400, dir, NULL, &latency_fops);
}
