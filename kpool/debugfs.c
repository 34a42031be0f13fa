// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/kpool/pools: every pool, its groups, and what runs.
 */
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "fault.h"
#include "histogram.h"
#include "internal.h"

static struct dentry *kpool_dir;

/* Counts of a pool or group, copied under the lock. */
struct pool_counts {
	unsigned int threads, min, max, idle, running, pending, busy;
	int max_active, max_queued;
	unsigned long created, failed, creating;
};

static void show_pool_line(struct seq_file *m, struct kpool *pool)
{
	struct pool_counts c;

	raw_spin_lock_irq(&pool->lock);
	c = (struct pool_counts) {
		.threads = pool->nr_threads,
		.min = pool->min_threads,
		.max = pool->max_threads,
		.idle = pool->nr_idle,
		.running = pool->root->nr_running,
		.pending = pool->root->nr_pending,
		.created = pool->nr_created,
		.failed = pool->nr_failed,
		.creating = pool->creating_since,
	};
	raw_spin_unlock_irq(&pool->lock);

	seq_printf(m, "pool %s: threads %u (min %u max %u) idle %u running %u pending %u created %lu failed %lu\n",
		   pool->name, c.threads, c.min, c.max, c.idle,
		   c.running, c.pending, c.created, c.failed);
	if (c.threads > c.max)
		seq_printf(m, "  threads over by %u\n", c.threads - c.max);
	if (c.creating)
		seq_printf(m, "  creating a thread since %u ms\n",
			   jiffies_to_msecs(jiffies - c.creating));
}

static void show_group(struct seq_file *m, struct kpool_group *group)
{
	struct pool_counts c;
	bool stopped;

	raw_spin_lock_irq(&group->pool->lock);
	c.running = group->nr_running;
	c.pending = group->nr_pending;
	c.max_active = group->max_active;
	c.max_queued = group->max_queued;
	stopped = group_is_stopped(group);
	raw_spin_unlock_irq(&group->pool->lock);

	seq_printf(m, "  group %s: running %u pending %u max_active %d max_queued %d%s\n",
		   group->name, c.running, c.pending, c.max_active,
		   c.max_queued, stopped ? " stopped" : "");
	if (c.max_active && c.running > c.max_active)
		seq_printf(m, "    running over by %u\n",
			   c.running - c.max_active);
}

static void show_worker(struct seq_file *m, struct kpool_worker *worker)
{
	const void *func = NULL;
	const char *group = NULL;
	unsigned long since = 0;
	enum tell_state tell;
	pid_t pid = 0;

	raw_spin_lock_irq(&worker->pool->lock);
	if (worker->group) {
		group = worker->group->name;
		func = worker->func;
		since = worker->since;
		pid = task_pid_nr(worker->task);
	}
	tell = worker->tell;
	raw_spin_unlock_irq(&worker->pool->lock);
	if (!group)
		return;
	seq_printf(m, "    %s/%u[%d] %s %ps %u ms%s\n", worker->pool->name,
		   worker->id, pid, group, func,
		   jiffies_to_msecs(jiffies - since),
		   tell == TELL_SENT ? " told" : "");
}

/* The mutex keeps groups and workers where they are. */
static void show_pool(struct seq_file *m, struct kpool *pool)
{
	struct kpool_worker *worker;
	struct kpool_group *group;

	mutex_lock(&pool->mutex);
	show_pool_line(m, pool);
	for (group = pool->root; group; group = next_below(group, pool->root))
		show_group(m, group);
	list_for_each_entry(worker, &pool->workers, all_entry)
		show_worker(m, worker);
	mutex_unlock(&pool->mutex);
}

static int pools_show(struct seq_file *m, void *unused)
{
	struct kpool *pool;

	mutex_lock(&pools_mutex);
	list_for_each_entry(pool, &pools, registry_entry)
		if (!is_handle(pool))
			show_pool(m, pool);
	mutex_unlock(&pools_mutex);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pools);

/*
 * The folder of a pool; or an ERR_PTR, which debugfs takes for none, for one
 * that is called as a file here is.
 */
struct dentry *debugfs_add_pool(const char *name)
{
	struct dentry *file = debugfs_lookup(name, kpool_dir);

	if (!file)
		return debugfs_create_dir(name, kpool_dir);
	dput(file);
	return ERR_PTR(-EEXIST);
}

void kpool_debugfs_init(void)
{
	kpool_dir = debugfs_create_dir("kpool", NULL);
	debugfs_create_file("pools", 0400, kpool_dir, NULL, &pools_fops);
	fault_debugfs_init(kpool_dir);
	hist_debugfs_init(kpool_dir);
}

void kpool_debugfs_exit(void)
{
	debugfs_remove_recursive(kpool_dir);
}
