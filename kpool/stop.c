// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stopping: close, settle, tell, wait; and the stopper thread.
 *
 * Closing sets the group's state under the lock: from there on queueing is
 * refused, nothing pending starts, and kpool_should_stop() is true, in the
 * whole subtree.  The rest goes in batches, so that no lock hold grows with
 * the number of works, and in process context: by the caller of a stop, or,
 * for one that must not sleep, by the pool's stopper thread.  Both may be at
 * it at once; what one has taken off a list the other does not find there.
 */
#define pr_fmt(fmt) "kpool: " fmt

#include <linux/export.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>

#include <trace/events/kpool.h>

#include "histogram.h"
#include "internal.h"
#include "testpoint.h"

static void close_group(struct kpool_group *group)
{
	lockdep_assert_held(&group->pool->lock);
	if (group->state < GROUP_STOPPED)
		group_set_state(group, GROUP_STOPPED);
}

/* Signal workers that were marked TELL_SENDING.  Process context, no lock. */
void deliver_tells(struct kpool *pool, struct kpool_worker **workers, int n)
{
	int i;

	test_point(KPOOL_AT_SEND, pool);
	for (i = 0; i < n; i++)
		send_sig(SIGKILL, workers[i]->task, 1);

	raw_spin_lock_irq(&pool->lock);
	for (i = 0; i < n; i++) {
		worker_set_tell(workers[i], TELL_SENT);
		trace_kpool_tell_sent(workers[i]);
		/* it may have ended its run meanwhile: worker_shut_tell() */
		if (workers[i]->tell_waits)
			wake_up_process(workers[i]->task);
	}
	raw_spin_unlock_irq(&pool->lock);
}

/*
 * Mark a batch of the workers on a list.  Each moves to its group's ->told,
 * and is to be signalled if it may be: one that is not born yet looks by
 * itself, see worker_arrive(); one that has acknowledged a tell is left alone.
 * Returns whether there may be more.
 */
static bool mark_workers(struct kpool *pool, struct hlist_head *from,
			 struct kpool_worker **batch, int *n)
{
	struct kpool_worker *worker;
	bool more;
	int i;

	*n = 0;
	raw_spin_lock_irq(&pool->lock);
	for (i = 0; i < KPOOL_BATCH && !hlist_empty(from); i++) {
		worker = hlist_entry(from->first, struct kpool_worker,
				     run_entry);
		worker_move(worker, &worker->group->told);
		trace_kpool_work_tell(worker->group, worker->work);
		if (hist_on())
			hist_tell(worker);
		if (worker->tell != TELL_OPEN)
			continue;
		worker_set_tell(worker, TELL_SENDING);
		batch[(*n)++] = worker;
	}
	more = !hlist_empty(from);
	raw_spin_unlock_irq(&pool->lock);
	return more;
}

/* Tell all workers on a list, which is group->running or pool->to_tell. */
static void tell_workers(struct kpool *pool, struct hlist_head *from)
{
	struct kpool_worker *batch[KPOOL_BATCH];
	bool more;
	int n;

	do {
		more = mark_workers(pool, from, batch, &n);
		if (n)
			deliver_tells(pool, batch, n);
		cond_resched();
	} while (more);
}

static void tell_listed(struct kpool *pool)
{
	tell_workers(pool, &pool->to_tell);
}

/* Take all pending works of a closed group away. */
static void settle_group(struct kpool_group *group)
{
	struct kpool *pool = group->pool;
	int n;

	do {
		raw_spin_lock_irq(&pool->lock);
		for (n = 0; n < KPOOL_BATCH; n++) {
			if (list_empty(&group->pending))
				break;
			work_settle(list_first_entry(&group->pending,
						     struct kpool_work, entry));
		}
		raw_spin_unlock_irq(&pool->lock);
		cond_resched();
	} while (n == KPOOL_BATCH);
}

/* If a stop of this group was requested, that has been done now. */
static void end_request(struct kpool_group *group)
{
	raw_spin_lock_irq(&group->pool->lock);
	if (!list_empty(&group->stop_entry)) {
		list_del_init(&group->stop_entry);
		group_put_busy(group);
	}
	raw_spin_unlock_irq(&group->pool->lock);
}

/*
 * Settle and tell everything below a closed group, and itself.  The stop keeps
 * the group busy, so it is not reopened meanwhile.
 */
static void tell_subtree(struct kpool_group *top)
{
	struct kpool_group *group;

	lockdep_assert_held(&top->pool->mutex);
	for (group = top; group; group = next_below(group, top)) {
		settle_group(group);
		delayed_settle(group);
		room_refuse(group);
		cancel_collect(group, top);
	}
	for (group = top; group; group = next_below(group, top))
		tell_workers(top->pool, &group->running);
	/* some may be here, cancelled by one who must not sleep */
	tell_workers(top->pool, &top->pool->to_tell);
	for (group = top; group; group = next_below(group, top))
		end_request(group);
}

static struct task_struct *close_for_stop(struct kpool_group *group)
{
	close_group(group);
	group_get_busy(group);
	return NULL;
}

/* The group is busy from here until group_await_idle() has put that. */
static void begin_stop(struct kpool_group *group)
{
	struct kpool_group *part;
	int cpu;

	change_parts(group, NULL, close_for_stop);
	for_each_part(group, part, cpu) {
		mutex_lock(&part->pool->mutex);
		tell_subtree(part);
		mutex_unlock(&part->pool->mutex);
	}
	/* the others have none */
	cancel_call(last_part(group));
}

static void name_in_parts(struct kpool_group *group, bool again)
{
	struct kpool_group *part;
	int cpu;

	for_each_part(group, part, cpu)
		name_stragglers(part, again);
}

int kpool_group_stop(struct kpool_group *group)
{
	might_sleep();
	begin_stop(group);
	return group_await_idle(group, true, MAX_SCHEDULE_TIMEOUT, false);
}
EXPORT_SYMBOL_GPL(kpool_group_stop);

int kpool_group_stop_timeout(struct kpool_group *group, unsigned long timeout)
{
	int err;

	might_sleep();
	begin_stop(group);
	err = group_await_idle(group, true, timeout, false);
	if (err == -ETIMEDOUT)
		name_in_parts(group, false);
	return err;
}
EXPORT_SYMBOL_GPL(kpool_group_stop_timeout);

/*
 * The stop of a destroy: it cannot give up, but it says whom it waits for.
 * Returns 0, or -EDEADLK.
 */
int stop_for_ever(struct kpool_group *group)
{
	int err;

	begin_stop(group);
	err = group_await_idle_again(group, true, KPOOL_WATCHDOG_PERIOD);
	while (err == -ETIMEDOUT) {
		name_in_parts(group, true);
		err = group_await_idle_again(group, false,
					     KPOOL_WATCHDOG_PERIOD);
	}
	return err;
}

static struct task_struct *request_stop(struct kpool_group *group)
{
	struct kpool *pool = group->pool;
	struct task_struct *wake = NULL;

	if (!group_is_stopped(group)) {
		/* until somebody has done it, see end_request() */
		group_get_busy(group);
		list_add_tail(&group->stop_entry, &pool->to_stop);
		wake = service_wake(&pool->stopper);
	}
	close_group(group);
	return wake;
}

void kpool_group_request_stop(struct kpool_group *group)
{
	change_parts(group, NULL, request_stop);
}
EXPORT_SYMBOL_GPL(kpool_group_request_stop);

/*
 * Do the rest of a stop that was requested.  As long as it is on the list the
 * group is busy, so it is neither destroyed nor reopened; and while we hold
 * the mutex it is not, either.
 */
static void stop_requested(struct kpool *pool)
{
	struct kpool_group *group;

	mutex_lock(&pool->mutex);
	raw_spin_lock_irq(&pool->lock);
	group = list_first_entry_or_null(&pool->to_stop, struct kpool_group,
					 stop_entry);
	raw_spin_unlock_irq(&pool->lock);
	if (group) {
		tell_subtree(group);
		cancel_queue(group);
	}
	mutex_unlock(&pool->mutex);
}

/* The worker's CPU has gone: have it told, if its group wants that. */
static void list_offline(struct kpool_worker *worker)
{
	struct kpool_work *work = worker->work;

	if (!work || !(worker->group->flags & KPOOL_TELL_ON_OFFLINE) ||
	    work_is_told(work))
		return;
	WRITE_ONCE(work->flags, work->flags | WORK_TOLD);
	worker_move(worker, &worker->pool->to_tell);
}

/*
 * Tell what runs in groups that want to know that their CPU goes.  Workers are
 * in the order of their numbers: those that came with the CPU, if it is back,
 * are behind.
 */
static void tell_offline(struct kpool *pool)
{
	struct kpool_worker *worker;
	bool stale;

	raw_spin_lock_irq(&pool->lock);
	pool->tell_offline = false;
	raw_spin_unlock_irq(&pool->lock);
	mutex_lock(&pool->mutex);
	list_for_each_entry(worker, &pool->workers, all_entry) {
		raw_spin_lock_irq(&pool->lock);
		stale = worker_is_stale(worker);
		if (stale)
			list_offline(worker);
		raw_spin_unlock_irq(&pool->lock);
		if (!stale)
			break;
		cond_resched();
	}
	mutex_unlock(&pool->mutex);
}

/*
 * No client function is called here: a tell must not wait for one.  Tells
 * come first, since they are quick and somebody may be kept from ending.
 */
int kpool_stopper_fn(void *arg)
{
	struct kpool *pool = arg;

	raw_spin_lock_irq(&pool->lock);
	for (;;) {
		void (*todo)(struct kpool *pool) = NULL;

		if (!hlist_empty(&pool->to_tell))
			todo = tell_listed;
		else if (!list_empty(&pool->to_stop))
			todo = stop_requested;
		else if (unlikely(pool->tell_offline))
			todo = tell_offline;
		else if (pool->stopper.leave)
			break;

		if (todo) {
			raw_spin_unlock_irq(&pool->lock);
			todo(pool);
			raw_spin_lock_irq(&pool->lock);
		} else {
			service_sleep(pool, &pool->stopper,
				      MAX_SCHEDULE_TIMEOUT);
		}
	}
	raw_spin_unlock_irq(&pool->lock);
	kthread_complete_and_exit(&pool->stopper.exited, 0);
}
