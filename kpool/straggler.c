// SPDX-License-Identifier: GPL-2.0-only
/*
 * Naming in the log what a stop waits for.
 */
#define pr_fmt(fmt) "kpool: " fmt

#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/task.h>

#include "internal.h"

/* What is said of one straggler, copied under the lock. */
struct straggler {
	struct task_struct *task;
	const char *group;
	const void *func;
	unsigned long since;
};

/* Does this worker execute something below @top that is to be named? */
static bool find_straggler(struct kpool_worker *worker,
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
		s->group = worker->group->name;
		s->func = worker->func;
		s->since = worker->since;
	}
	raw_spin_unlock_irq(&top->pool->lock);
	return found;
}

/*
 * Name each work below @top that has not ended: function, thread, age and
 * stack.  Unless @again, only those that were not named before in this run.
 *
 * The mutex keeps the workers and the groups; a task that ends meanwhile is
 * kept by the reference.
 */
void name_stragglers(struct kpool_group *top, bool again)
{
	struct kpool *pool = top->pool;
	struct kpool_worker *worker;
	struct straggler s;

	mutex_lock(&pool->mutex);
	list_for_each_entry(worker, &pool->workers, all_entry) {
		if (!find_straggler(worker, top, again, &s))
			continue;
		pr_warn("%s/%s: %ps still executes in %s/%u[%d] after %u ms\n",
			pool->name, s.group, s.func, pool->name, worker->id,
			task_pid_nr(s.task),
			jiffies_to_msecs(jiffies - s.since));
		sched_show_task(s.task);
		put_task_struct(s.task);
	}
	if (READ_ONCE(pool->release_func))
		pr_warn("%s: the stopper is in %ps\n", pool->name,
			READ_ONCE(pool->release_func));
	mutex_unlock(&pool->mutex);
}
