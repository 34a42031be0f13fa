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
	char group[KPOOL_NAME_MAX + 1];
};

static void copy_straggler(struct straggler *s, struct task_struct *task,
			   const struct kpool_group *group, const void *func,
			   unsigned long since)
{
	s->task = get_task_struct(task);
	s->func = func;
	s->since = since;
	strscpy(s->group, group->name, sizeof(s->group));
}

/* Does this worker execute something below @top that is to be named? */
static bool copy_worker(struct kpool_worker *worker, struct kpool_group *top,
			bool again, struct straggler *s)
{
	struct kpool_group *group;
	bool found;

	raw_spin_lock_irq(&top->pool->lock);
	group = worker->group;
	if (worker->guest && group_is_below(worker->guest, top))
		group = worker->guest;
	found = group && group_is_below(group, top) &&
		(again || !worker->named);
	if (found) {
		worker->named = true;
		copy_straggler(s, worker->task, group, worker->func,
			       worker->since);
	}
	raw_spin_unlock_irq(&top->pool->lock);
	return found;
}

/* Copy some, of workers from the one with the number *@from on. */
static int copy_workers(struct kpool_group *top, bool again,
			unsigned int *from, struct straggler *s)
{
	struct kpool_worker *worker;
	int n = 0;

	mutex_lock(&top->pool->mutex);
	list_for_each_entry(worker, &top->pool->workers, all_entry) {
		if (worker->id < *from)
			continue;
		if (n == STRAGGLERS)
			break;
		n += copy_worker(worker, top, again, &s[n]);
		*from = worker->id + 1;
	}
	mutex_unlock(&top->pool->mutex);
	return n;
}

/* The same of callbacks outside of workers: the first ones. */
static int copy_callbacks(struct kpool_group *top, bool again,
			  struct straggler *s)
{
	struct kpool *pool = top->pool;
	struct kpool_callback *call;
	int n = 0;

	raw_spin_lock_irq(&pool->lock);
	list_for_each_entry(call, &pool->callbacks, entry) {
		if (n == STRAGGLERS)
			break;
		if (!group_is_below(call->group, top) ||
		    (call->named && !again))
			continue;
		call->named = true;
		copy_straggler(&s[n++], call->task, call->group, call->func,
			       call->since);
	}
	raw_spin_unlock_irq(&pool->lock);
	return n;
}

static void name_and_put(const struct kpool *pool, struct straggler *s, int n)
{
	for (; n--; s++) {
		pr_warn("%s/%s: %ps still executes in %s[%d] after %u ms\n",
			pool->name, s->group, s->func, s->task->comm,
			task_pid_nr(s->task),
			jiffies_to_msecs(jiffies - s->since));
		sched_show_task(s->task);
		put_task_struct(s->task);
	}
}

/*
 * Name each function below @top that has not ended: function, thread, age and
 * stack.  Unless @again, only those that were not named before in this run.
 */
void name_stragglers(struct kpool_group *top, bool again)
{
	struct straggler stragglers[STRAGGLERS];
	struct kpool *pool = top->pool;
	unsigned int from = 0;
	int n;

	do {
		n = copy_workers(top, again, &from, stragglers);
		name_and_put(pool, stragglers, n);
	} while (n == STRAGGLERS);
	n = copy_callbacks(top, again, stragglers);
	name_and_put(pool, stragglers, n);
}
