// SPDX-License-Identifier: GPL-2.0-only
/*
 * Naming in the log what a stop waits for.
 *
 * Printing takes long, on a slow console very long.  So stragglers are copied
 * under the locks, a few at a time, and printed without.
 */
#define pr_fmt(fmt) "kpool: " fmt

#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/task.h>
#include <linux/string.h>

#include "internal.h"

#define STRAGGLERS	8	/* copied at a time, to the stack */

struct straggler {
	struct task_struct *task;	/* a reference is held */
	const void *func;
	unsigned long since;
	unsigned int id;
	char group[KPOOL_NAME_MAX + 1];
};

/* Does this worker execute something below @top that is to be named? */
static bool copy_straggler(struct kpool_worker *worker,
			   struct kpool_group *top, bool again,
			   struct straggler *s)
{
	bool found;

	raw_spin_lock_irq(&top->pool->lock);
	found = worker->group && group_is_below(worker->group, top) &&
		(again || !worker->named);
	if (found) {
		worker->named = true;
		s->task = get_task_struct(worker->task);
		s->func = worker->func;
		s->since = worker->since;
		s->id = worker->id;
		strscpy(s->group, worker->group->name, sizeof(s->group));
	}
	raw_spin_unlock_irq(&top->pool->lock);
	return found;
}

/* Copy some, of workers from the one with the number @from on. */
static int copy_stragglers(struct kpool_group *top, bool again,
			   unsigned int from, struct straggler *s)
{
	struct kpool_worker *worker;
	int n = 0;

	mutex_lock(&top->pool->mutex);
	list_for_each_entry(worker, &top->pool->workers, all_entry) {
		if (worker->id < from)
			continue;
		if (n == STRAGGLERS)
			break;
		n += copy_straggler(worker, top, again, &s[n]);
	}
	mutex_unlock(&top->pool->mutex);
	return n;
}

/* What the releaser executes, if that is below @top. */
static void name_release(struct kpool_group *top)
{
	struct kpool *pool = top->pool;
	const void *func = NULL;

	raw_spin_lock_irq(&pool->lock);
	if (pool->release_group && group_is_below(pool->release_group, top))
		func = pool->release_func;
	raw_spin_unlock_irq(&pool->lock);
	if (func)
		pr_warn("%s/%s: %ps still executes in %s/releaser\n",
			pool->name, top->name, func, pool->name);
}

/*
 * Name each work below @top that has not ended: function, thread, age and
 * stack.  Unless @again, only those that were not named before in this run.
 */
void name_stragglers(struct kpool_group *top, bool again)
{
	struct straggler stragglers[STRAGGLERS], *s;
	const char *pool = top->pool->name;
	unsigned int from = 0;
	int i, n;

	do {
		n = copy_stragglers(top, again, from, stragglers);
		for (i = 0; i < n; i++) {
			s = &stragglers[i];
			pr_warn("%s/%s: %ps still executes in %s/%u[%d] after %u ms\n",
				pool, s->group, s->func, pool, s->id,
				task_pid_nr(s->task),
				jiffies_to_msecs(jiffies - s->since));
			sched_show_task(s->task);
			put_task_struct(s->task);
			from = s->id + 1;
		}
	} while (n == STRAGGLERS);
	name_release(top);
}
