// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers: the life of a thread, and how it is told to stop.
 *
 * Telling.  send_sig() takes a sleeping lock on PREEMPT_RT, so nobody signals
 * under pool->lock.  The teller marks the worker TELL_SENDING under the lock,
 * drops it, signals, takes it again and marks TELL_SENT.  As long as it is
 * TELL_SENDING the worker does not go on to another work, nor end: so the
 * signal meets the work it was meant for, and the task is alive.
 *
 *	        birth, end of run       teller           teller
 *	   SHUT ---------------> OPEN ----------> SENDING -----> SENT
 *	    ^ ^                   |                               |
 *	    | +-------------------+ kpool_stop_ack()              |
 *	    +-----------------------------------------------------+
 *	             kpool_stop_ack(), end of the run: flushed
 */
#include <linux/export.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>

#include "internal.h"
#include "lockmap.h"
#include "testpoint.h"

/* The worker that the current thread is, or NULL. */
struct kpool_worker *current_worker(void)
{
	if (!in_task() || !(current->flags & PF_KTHREAD) ||
	    kthread_func(current) != kpool_worker_fn)
		return NULL;
	return kthread_data(current);
}

/*
 * Does this thread execute something of this group, or of one below it?  Then
 * it must not wait for it.
 */
bool runs_below(struct kpool_group *top)
{
	struct kpool_worker *worker = current_worker();

	if (worker)
		return worker->group && group_is_below(worker->group, top);
	return releases_below(top);
}

void worker_set_tell(struct kpool_worker *worker, enum tell_state tell)
{
	lockdep_assert_held(&worker->pool->lock);
	WARN_ON_ONCE(tell == TELL_SENDING && worker->tell != TELL_OPEN);
	WARN_ON_ONCE(tell == TELL_SENT && worker->tell != TELL_SENDING);
	worker->tell = tell;
}

/*
 * From here on nobody signals this worker, and no signal is left from before.
 * Drops the lock if somebody is about to signal it, or has.
 *
 * The sleep closes the race with the teller: it looks at tell_waits under the
 * lock when it has signalled.  TASK_IDLE, for the signal itself must not end
 * the sleep.
 */
static void worker_shut_tell(struct kpool_worker *worker)
	__must_hold(&worker->pool->lock)
{
	struct kpool *pool = worker->pool;
	bool sent;

	while (worker->tell == TELL_SENDING) {
		worker->tell_waits = true;
		set_current_state(TASK_IDLE);
		raw_spin_unlock_irq(&pool->lock);
		schedule();
		raw_spin_lock_irq(&pool->lock);
	}
	worker->tell_waits = false;
	sent = worker->tell == TELL_SENT;
	worker_set_tell(worker, TELL_SHUT);
	if (sent) {
		raw_spin_unlock_irq(&pool->lock);
		flush_signals(current);
		raw_spin_lock_irq(&pool->lock);
	}
}

/*
 * Give a work to a worker.  The worker may be asleep, or just created: it
 * reads worker->work without the lock when it wakes, and then what was
 * written before.
 */
void worker_commit(struct kpool_worker *worker, struct kpool_work *work)
{
	struct kpool_group *group = work->group;
	struct kpool *pool = worker->pool;

	lockdep_assert_held(&pool->lock);
	if (worker->idle) {
		worker->idle = false;
		pool->nr_idle--;
		list_del(&worker->entry);
	}
	list_add_tail(&worker->run_entry, &group->running);
	worker->group = group;
	worker->func = work->fn;
	worker->since = jiffies;
	worker->named = false;
	work->worker = worker;
	work_set_state(work, WORK_RUNNING);
	/* pairs with the load in next_work() */
	smp_store_release(&worker->work, work);
}

/*
 * Something may be ready that was not.  Commits an idle worker to it, or finds
 * that a thread is to be created.  Returns the thread to wake for that, once
 * the lock is dropped.  One call serves one work that became ready.
 */
struct task_struct *dispatch(struct kpool *pool)
{
	struct kpool_group *group = ready_group(pool);
	struct kpool_worker *worker;

	if (!group)
		return NULL;
	worker = list_first_entry_or_null(&pool->idle, struct kpool_worker,
					  entry);
	if (worker) {
		worker_commit(worker, take_ready(group));
		return worker->task;
	}
	if (pool->nr_threads < pool->max_threads)
		return service_wake(&pool->spawner);
	return NULL;
}

/*
 * Become idle; newest first, so that the others may age.  Returns the spawner
 * if it has to be woken to look after threads that are idle for too long.
 */
static struct task_struct *worker_park(struct kpool_worker *worker)
{
	struct kpool *pool = worker->pool;

	worker->idle = true;
	worker->since = jiffies;
	list_add(&worker->entry, &pool->idle);
	pool->nr_idle++;
	if (pool->reaping || pool->nr_threads <= pool->min_threads)
		return NULL;
	pool->reaping = true;
	return service_wake(&pool->spawner);
}

/*
 * The next work of this worker, or NULL if it has to leave.
 *
 * Who commits a work to an idle worker wakes it after dropping the lock.  The
 * worker sets its state under the lock, after it found nothing to do; so the
 * commit comes either before, and is seen, or after, and then its wake-up
 * finds the state set.  A commit that is seen needs no lock: nobody else
 * changes worker->work until the run has ended.
 */
static struct kpool_work *next_work(struct kpool_worker *worker)
	__releases(&worker->pool->lock)
{
	struct kpool *pool = worker->pool;
	struct kpool_work *work;
	struct kpool_group *group;

	for (;;) {
		if (worker->work || worker->leave)
			break;
		if (!worker->idle) {
			struct task_struct *wake;

			group = ready_group(pool);
			if (group) {
				worker_commit(worker, take_ready(group));
				break;
			}
			wake = worker_park(worker);
			if (wake)
				wake_up_process(wake);
		}
		set_current_state(TASK_IDLE);
		raw_spin_unlock_irq(&pool->lock);
		schedule();
		/* pairs with the store in worker_commit() */
		work = smp_load_acquire(&worker->work);
		if (work)
			return work;
		raw_spin_lock_irq(&pool->lock);
	}
	work = worker->work;
	raw_spin_unlock_irq(&pool->lock);
	return work;
}

static int run_work(struct kpool_worker *worker, struct kpool_work *work)
{
	struct kpool_group *group = worker->group;
	int result;

	group_map_acquire(group);
	work_map_acquire(work);
	result = work->fn(work);
	work_map_release(work);
	group_map_release(group);
	if (env_was_changed(&worker->env))
		env_repair(&worker->env, group, work_func(work));
	return result;
}

/* Give a work back.  Nobody who waits for the work waits for this. */
void run_release(struct kpool_env *env, struct kpool_group *group,
		 kpool_release_t release, struct kpool_work *work)
{
	group_map_acquire(group);
	release(work);
	group_map_release(group);
	if (env_was_changed(env))
		env_repair(env, group, release);
}

/*
 * The function has returned.  The work is over before its release function is
 * called, the group is busy until after it.
 */
static void end_run(struct kpool_worker *worker, struct kpool_work *work,
		    int result)
	__must_hold(&worker->pool->lock)
{
	struct kpool_group *group = worker->group;
	kpool_release_t release = work->release;
	struct kpool *pool = worker->pool;
	struct task_struct *wake;
	unsigned int ended, i;

	if (worker->tell != TELL_OPEN)
		worker_shut_tell(worker);
	list_del_init(&worker->run_entry);
	worker->work = NULL;
	group_put_slot(group);
	ended = work_run_ended(work, result);
	if (release) {
		worker->func = release;
		/* others go on meanwhile, if this run kept them from it */
		rcu_read_lock();
		wake = dispatch(pool);
		raw_spin_unlock_irq(&pool->lock);
		if (wake)
			wake_up_process(wake);
		rcu_read_unlock();
		for (i = 0; i < ended; i++)
			run_release(&worker->env, group, release, work);
		raw_spin_lock_irq(&pool->lock);
	}
	worker->group = NULL;
	worker_set_tell(worker, TELL_OPEN);
	for (i = 0; i < ended; i++)
		group_put_busy(group);
}

/*
 * Signals that came before the thread allowed them are lost, so nobody sends
 * any until here.  If its first work was told by then, it signals itself.
 */
static void worker_arrive(struct kpool_worker *worker)
	__must_hold(&worker->pool->lock)
{
	struct kpool *pool = worker->pool;
	struct task_struct *wake;

	worker_set_tell(worker, TELL_OPEN);
	if (pool->nr_cold && !--pool->nr_cold)
		complete(&pool->warm);
	if (!worker->work) {
		/* it held the spawner back; takes a work now, or is idle */
		pool->nr_arriving--;
		wake = service_wake(&pool->spawner);
		if (wake)
			wake_up_process(wake);
		return;
	}
	if (!work_is_told(worker->work))
		return;
	worker_set_tell(worker, TELL_SENDING);
	raw_spin_unlock_irq(&pool->lock);
	send_sig(SIGKILL, current, 1);
	raw_spin_lock_irq(&pool->lock);
	worker_set_tell(worker, TELL_SENT);
}

int kpool_worker_fn(void *arg)
{
	struct kpool_worker *worker = arg;
	struct kpool *pool = worker->pool;
	struct kpool_work *work;
	int result;

	test_point(KPOOL_AT_BIRTH, pool);
	allow_kernel_signal(SIGKILL);
	env_begin(&worker->env);
	raw_spin_lock_irq(&pool->lock);
	worker_arrive(worker);
	while ((work = next_work(worker))) {
		test_point(KPOOL_AT_START, pool);
		result = run_work(worker, work);
		test_point(KPOOL_AT_END, pool);
		raw_spin_lock_irq(&pool->lock);
		end_run(worker, work, result);
	}
	env_end(&worker->env);
	/*
	 * Whoever joins us frees the worker once this completes; from there on
	 * the thread executes nothing of this module.
	 */
	kthread_complete_and_exit(&worker->exited, 0);
}

struct kpool_work *kpool_current(void)
{
	struct kpool_worker *worker = current_worker();

	return worker ? READ_ONCE(worker->work) : NULL;
}
EXPORT_SYMBOL_GPL(kpool_current);

bool kpool_should_stop(void)
{
	struct kpool_work *work = kpool_current();

	return work && work_is_told(work);
}
EXPORT_SYMBOL_GPL(kpool_should_stop);

void kpool_stop_ack(void)
{
	struct kpool_worker *worker = current_worker();

	if (!worker || !worker->work)
		return;
	might_sleep();
	raw_spin_lock_irq(&worker->pool->lock);
	worker_shut_tell(worker);
	raw_spin_unlock_irq(&worker->pool->lock);
}
EXPORT_SYMBOL_GPL(kpool_stop_ack);
