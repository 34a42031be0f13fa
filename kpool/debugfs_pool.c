// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/kpool/<pool>/: its tree of groups, what runs, who waits.
 *
 * For people; nothing may depend on the format.
 */
#include <linux/debugfs.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "compat.h"
#include "debugfs_pool.h"
#include "look.h"

#define STACK_DEPTH	16

/* What one reader copies to. */
struct page_of_pool {
	struct seen_group group;
	struct seen_wait waits[KPOOL_BATCH];
	struct seen_run runs[KPOOL_BATCH];
	unsigned long stack[STACK_DEPTH];
};

static void show_group(struct seq_file *m, const struct seen_group *seen)
{
	seq_printf(m, "%*s%s: %s, running %u", seen->depth * 2, "", seen->path,
		   seen->state, seen->nr_running);
	if (seen->max_active)
		seq_printf(m, " of %u", seen->max_active);
	seq_printf(m, ", pending %u", seen->nr_pending);
	if (seen->max_queued)
		seq_printf(m, " of %u", seen->max_queued);
	seq_puts(m, seen->busy ? ", busy\n" : "\n");
	if (!seen->oldest)
		return;
	seq_printf(m, "%*s  %ps waits for %lu jiffies", seen->depth * 2, "",
		   seen->oldest, seen->oldest_age);
	if (seen->blocked)
		seq_printf(m, " behind %s, which runs %u of %u",
			   seen->blocker_path, seen->blocker_max,
			   seen->blocker_max);
	seq_putc(m, '\n');
}

static int pool_state(struct seq_file *m, struct kpool *pool,
		      struct page_of_pool *page)
{
	unsigned int threads, idle, i;
	unsigned long since;
	int n;

	raw_spin_lock_irq(&pool->lock);
	threads = pool->nr_threads;
	idle = pool->nr_idle;
	since = pool->creating_since;
	raw_spin_unlock_irq(&pool->lock);

	seq_printf(m, "threads %u, idle %u\n", threads, idle);
	if (since)
		seq_printf(m, "creating a thread for %lu jiffies\n",
			   jiffies - since);
	for (i = 0; look_group(pool, i, &page->group, page->waits, &n); i++) {
		look_put_waits(page->waits, n);
		show_group(m, &page->group);
	}
	return 0;
}

static void show_run(struct seq_file *m, const struct seen_run *run,
		     struct page_of_pool *page)
{
	unsigned int i, n;

	seq_printf(m, "%s[%d] %c %s: %ps%s for %lu jiffies", run->task->comm,
		   task_pid_nr(run->task), task_state_to_char(run->task),
		   run->path, run->func,
		   run->releasing ? " (release function)" : "", run->age);
	if (*run->tell)
		seq_printf(m, ", %s", run->tell);
	if (run->nr_waiters)
		seq_printf(m, ", awaited by %u%s", run->nr_waiters,
			   run->nr_waiters == KPOOL_BATCH ? " or more" : "");
	seq_putc(m, '\n');
	n = look_stack(run->task, page->stack, STACK_DEPTH);
	for (i = 0; i < n; i++)
		seq_printf(m, "    %pS\n", (void *)page->stack[i]);
}

static int pool_works(struct seq_file *m, struct kpool *pool,
		      struct page_of_pool *page)
{
	unsigned int from = 0;
	int n, i;

	do {
		n = look_runs(pool, &from, page->runs, KPOOL_BATCH);
		for (i = 0; i < n; i++)
			show_run(m, &page->runs[i], page);
		look_put_runs(page->runs, n);
	} while (n == KPOOL_BATCH);
	return 0;
}

static void show_waits(struct seq_file *m, struct kpool *pool,
		       const struct seen_wait *wait, int n, const char *path)
{
	for (; n--; wait++) {
		seq_printf(m, "%s[%d] for %lu jiffies: waits ",
			   wait->task->comm, task_pid_nr(wait->task),
			   wait->age);
		if (wait->thread >= 0)
			seq_printf(m, "for %ps, which runs in kpool/%s/%d\n",
				   wait->func, pool->name, wait->thread);
		else if (wait->func)
			seq_printf(m, "for %ps, which is pending in %s\n",
				   wait->func, path);
		else
			seq_printf(m, "until %s is idle\n", path);
	}
}

static int pool_waiters(struct seq_file *m, struct kpool *pool,
			struct page_of_pool *page)
{
	unsigned int from = 0, i;
	int n;

	while ((n = look_run_waits(pool, &from, page->waits))) {
		show_waits(m, pool, page->waits, n, NULL);
		look_put_waits(page->waits, n);
	}
	for (i = 0; look_group(pool, i, &page->group, page->waits, &n); i++) {
		show_waits(m, pool, page->waits, n, page->group.path);
		look_put_waits(page->waits, n);
	}
	return 0;
}

/* One of the files, written to @m.  The reader keeps the pool. */
int debugfs_pool_show(struct seq_file *m, struct kpool *pool,
		      enum debugfs_pool_file file)
{
	static int (*const show[])(struct seq_file *m, struct kpool *pool,
				   struct page_of_pool *page) = {
		[POOL_STATE] = pool_state,
		[POOL_WORKS] = pool_works,
		[POOL_WAITERS] = pool_waiters,
	};
	struct page_of_pool *page = kmalloc(sizeof(*page), GFP_KERNEL);
	int err;

	if (!page)
		return -ENOMEM;
	err = show[file](m, pool, page);
	kfree(page);
	return err;
}

KPOOL_EXPORT_KUNIT(debugfs_pool_show);

static int state_show(struct seq_file *m, void *unused)
{
	return debugfs_pool_show(m, m->private, POOL_STATE);
}

DEFINE_SHOW_ATTRIBUTE(state);

static int works_show(struct seq_file *m, void *unused)
{
	return debugfs_pool_show(m, m->private, POOL_WORKS);
}

DEFINE_SHOW_ATTRIBUTE(works);

static int waiters_show(struct seq_file *m, void *unused)
{
	return debugfs_pool_show(m, m->private, POOL_WAITERS);
}

DEFINE_SHOW_ATTRIBUTE(waiters);

/* Without memory a pool has no folder here, which is no failure. */
void debugfs_pool_add(struct kpool *pool)
{
	pool->debug = debugfs_add_pool(pool->name);
	debugfs_create_file("state", 0400, pool->debug, pool, &state_fops);
	debugfs_create_file("works", 0400, pool->debug, pool, &works_fops);
	debugfs_create_file("waiters", 0400, pool->debug, pool, &waiters_fops);
}

/* On return nobody reads in it; so no lock is held that they take. */
void debugfs_pool_del(struct kpool *pool)
{
	debugfs_remove_recursive(pool->debug);
}
