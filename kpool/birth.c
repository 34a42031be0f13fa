// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first and the last thing that a worker does: its pool's hooks.
 *
 * A thread whose pool has an init hook is given no work before the hook has
 * returned.  So a hook that fails leaves no work behind, and one that takes
 * long holds no work up that another thread could take.  Until it arrives it is
 * counted in nr_arriving.
 *
 * No signal reaches a hook: a worker is told for a work only, and it has none.
 */
#define pr_fmt(fmt) "kpool: " fmt

#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/task.h>

#include "internal.h"

/*
 * This thread never comes to work.  It is off the books, and leaves; what the
 * spawner waited for, or kpool_create(), did not happen.
 */
static void birth_failed(struct kpool_worker *worker, int err)
{
	struct kpool *pool = worker->pool;
	struct task_struct *wake;
	unsigned long flags;

	rcu_read_lock();
	raw_spin_lock_irqsave(&pool->lock, flags);
	if (!worker->leave)
		worker_leave(worker);
	worker->func = NULL;
	pool->nr_created--;
	pool->nr_failed++;
	pool->nr_arriving--;
	if (!pool->init_err)
		pool->init_err = err;
	if (pool->nr_cold && !--pool->nr_cold)
		complete(&pool->warm);
	wake = service_wake(&pool->spawner);
	unlock_and_wake(pool, flags, wake);
	rcu_read_unlock();
}

static void set_func(struct kpool_worker *worker, const void *func)
{
	raw_spin_lock_irq(&worker->pool->lock);
	worker->func = func;
	worker->since = jiffies;
	raw_spin_unlock_irq(&worker->pool->lock);
}

/* Make the thread what its pool wants it to be.  False: it has to end. */
bool worker_birth(struct kpool_worker *worker)
{
	struct kpool *pool = worker->pool;
	int err;

	if (!pool->init)
		return true;
	set_func(worker, pool->init);
	err = pool->init(pool->hook_data);
	if (WARN_ONCE(err > 0, "kpool: %s: %ps returned %d\n", pool->name,
		      pool->init, err))
		err = -EINVAL;
	if (err)
		birth_failed(worker, err);
	else
		set_func(worker, NULL);
	return !err;
}

/* The worker was told to leave, and executes no work any more. */
void worker_farewell(struct kpool_worker *worker)
{
	struct kpool *pool = worker->pool;

	if (!pool->exit)
		return;
	set_func(worker, pool->exit);
	pool->exit(pool->hook_data);
	set_func(worker, NULL);
}

/* A thread that does not end is in a hook; the log says so. */
static void name_hook(struct kpool_worker *worker)
{
	struct kpool *pool = worker->pool;
	struct task_struct *task = NULL;
	unsigned long since = 0;
	const void *func;

	raw_spin_lock_irq(&pool->lock);
	func = worker->func;
	if (func) {
		since = worker->since;
		task = get_task_struct(worker->task);
	}
	raw_spin_unlock_irq(&pool->lock);
	if (!task)
		return;
	pr_warn("%s: %ps still executes in %s[%d] after %u ms\n", pool->name,
		func, task->comm, task_pid_nr(task),
		jiffies_to_msecs(jiffies - since));
	sched_show_task(task);
	put_task_struct(task);
}

/* Wait until a worker that was told to leave has left our text. */
void await_exit(struct kpool_worker *worker)
{
	while (!wait_for_completion_timeout(&worker->exited,
					    KPOOL_WATCHDOG_PERIOD))
		name_hook(worker);
}
