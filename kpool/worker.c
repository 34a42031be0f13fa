// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers: the life of a thread.
 */
#include <linux/freezer.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>

#include <trace/events/kpool.h>

#include "commit.h"
#include "histogram.h"
#include "internal.h"
#include "lockmap.h"
#include "testpoint.h"

/* See dispatch(), which has found that it is not for nothing. */
struct task_struct *dispatch_one(struct kpool *pool)
{
	struct kpool_work *work;

	if (pool->nr_idle && likely(!pool_is_over(pool))) {
		work = take_next(pool, pool->nr_idle);
		if (work)
			return start_idle_worker(pool, work, work->group);
	}
	if (needs_thread(pool))
		return service_wake(&pool->spawner);
	return NULL;
}

/*
 * Many may be ready that were not, or free threads and slots may do for who
 * waits for room.  Process context; serves them in batches.
 * Between the batches works are ready while workers are idle: whoever queues or
 * becomes free meanwhile takes one of them, and less is left to us.
 */
void dispatch_more(struct kpool *pool)
{
	struct task_struct *wake[KPOOL_BATCH];
	int i, n;

	do {
		rcu_read_lock();
		raw_spin_lock_irq(&pool->lock);
		for (n = 0; n < KPOOL_BATCH; n++) {
			wake[n] = dispatch(pool);
			if (!wake[n])
				break;
		}
		if (n < KPOOL_BATCH)
			room_start(pool);
		raw_spin_unlock_irq(&pool->lock);
		for (i = 0; i < n; i++)
			wake_up_process(wake[i]);
		rcu_read_unlock();
		cond_resched();
	} while (n == KPOOL_BATCH);
}

/*
 * There are more threads than allowed, or this one's CPU has gone, and it is
 * free: it leaves.  With it the pool may be down to its limit, and idle
 * threads, whom it kept from that, may start what became ready.
 */
static void worker_resign(struct kpool_worker *worker)
	__must_hold(&worker->pool->lock)
{
	struct kpool *pool = worker->pool;
	struct task_struct *wake;

	worker_leave(worker);
	/* it has one more to join */
	wake = service_wake(&pool->spawner);
	if (wake)
		wake_up_process(wake);
	raw_spin_unlock_irq(&pool->lock);
	dispatch_more(pool);
	raw_spin_lock_irq(&pool->lock);
}

/*
 * Become idle; newest first, so that the others may age.  Returns the spawner
 * if it has to be woken to look after threads that are idle for too long.
 */
static struct task_struct *worker_park(struct kpool_worker *worker)
{
	struct kpool *pool = worker->pool;

	worker->since = jiffies;
	idle_add(pool, worker);
	trace_kpool_thread_park(worker);
	return start_reaping(pool);
}

/*
 * Take a work if there is one that may start, else become idle.  Returns a
 * thread to wake.
 *
 * The end of a run frees a thread and a slot.  If threads are held back, that
 * may be for two works: one that we take, and one for a reserved idle worker;
 * or the thread is held back, and what may start now needs another.
 */
static struct task_struct *worker_take(struct kpool_worker *worker)
{
	struct kpool *pool = worker->pool;
	struct kpool_work *work = take_next(pool, pool->nr_idle + 1);
	struct task_struct *wake = NULL;

	if (work)
		worker_commit(worker, work, work->group);
	else
		wake = worker_park(worker);
	if (!wake && pool->root->nr_pending)
		wake = dispatch(pool);
	room_start(pool);
	return wake;
}

/*
 * The system is being suspended, and this worker is between two works.  While
 * it is frozen it is not idle, so no work is committed to it.
 */
static void worker_freeze(struct kpool_worker *worker)
	__must_hold(&worker->pool->lock)
{
	raw_spin_unlock_irq(&worker->pool->lock);
	try_to_freeze();
	raw_spin_lock_irq(&worker->pool->lock);
}

/* Works that never sleep may follow each other for ever: let others run. */
static __always_inline void unlock_to_go_on(struct kpool *pool)
	__releases(&pool->lock)
{
	raw_spin_unlock_irq(&pool->lock);
	if (need_resched())
		cond_resched();
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
static noinline struct kpool_work *next_work(struct kpool_worker *worker)
	__releases(&worker->pool->lock)
{
	struct kpool *pool = worker->pool;
	struct kpool_work *work;

	for (;;) {
		if (worker->work || worker->leave)
			break;
		if (!worker->idle) {
			struct task_struct *wake;

			if (unlikely(pool_is_over(pool) ||
				     worker_is_stale(worker))) {
				worker_resign(worker);
				break;
			}
			if (freezing(current)) {
				worker_freeze(worker);
				continue;
			}
			wake = worker_take(worker);
			if (wake)
				wake_up_process(wake);
			if (worker->work)
				break;
		}
		set_current_state(TASK_IDLE | TASK_FREEZABLE);
		raw_spin_unlock_irq(&pool->lock);
		schedule();
		/* pairs with the store in begin_work() */
		work = smp_load_acquire(&worker->work);
		if (work)
			return work;
		raw_spin_lock_irq(&pool->lock);
	}
	work = worker->work;
	unlock_to_go_on(pool);
	return work;
}

static noinline void repair(struct kpool_worker *worker, const void *func)
{
	env_repair(&worker->env, worker->group, func);
}

static __always_inline int run_work(struct kpool_worker *worker,
				    struct kpool_group *group,
				    struct kpool_work *work)
{
	int result;

	trace_kpool_work_enter(worker, work);
	if (hist_on())
		hist_enter(worker);
	group_map_acquire(group);
	work_map_acquire(work, worker->pool);
	result = work->fn(work);
	work_map_release(work, worker->pool);
	group_map_release(group);
	trace_kpool_work_end(worker, work, result);
	if (env_was_changed(&worker->env))
		repair(worker, work_func(work));
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
 * What the clients want to be called for at the end of a run; before that,
 * others start if the run kept them from it.
 */
static void call_after_run(struct kpool_worker *worker,
			   struct kpool_group *leaves, struct kpool_work *work,
			   kpool_release_t release, unsigned int times)
{
	dispatch_more(worker->pool);
	if (leaves)
		hooks_leave(leaves);
	if (!release)
		return;
	WRITE_ONCE(worker->func, release);
	trace_kpool_work_release(worker->group, work);
	while (times--)
		run_release(&worker->env, worker->group, release, work);
}

/*
 * The next work of the group takes the place of the one that has ended: the
 * slot, and that on group->running.  Where there is no hurdle, and no other
 * group has a turn, it may start now; and as nothing comes free by this, nobody
 * else can.  No hook can be due in between, for hooks are a hurdle.  Not if the
 * thread has to leave, for its CPU has gone, or to freeze.
 */
static __always_inline bool hand_over(struct kpool_worker *worker,
				      struct kpool_group *group,
				      struct kpool_work **next)
{
	struct kpool *pool = worker->pool;

	if (unlikely(pool->hurdles) &&
	    (!group_is_clear(group) || worker_is_stale(worker)))
		return false;
	if (pool->nr_waiting != 1 || group->pending.next == &group->pending ||
	    freezing(current))
		return false;
	*next = first_pending(group);
	unlist_pending(group, &group->pending, (*next)->entry.next);
	begin_work(worker, *next);
	group_put_busy(group);
	return true;
}

/*
 * A work is over, and none takes its place.  It is so before hooks and its
 * release function are called, the group is busy until after them.
 */
static void leave_run(struct kpool_worker *worker, struct kpool_work *work,
		      kpool_release_t release, unsigned int ended)
	__must_hold(&worker->pool->lock)
{
	struct kpool_group *group = worker->group, *leaves;
	struct kpool *pool = worker->pool;

	__hlist_del(&worker->run_entry);
	worker->work = NULL;
	leaves = group_put_slot(group);
	if (release || leaves) {
		raw_spin_unlock_irq(&pool->lock);
		call_after_run(worker, leaves, work, release, ended);
		raw_spin_lock_irq(&pool->lock);
	}
	worker->group = NULL;
	if (worker->tell != TELL_OPEN)
		worker_set_tell(worker, TELL_OPEN);
	do {
		group_put_busy(group);
	} while (--ended);
}

/* The function has returned.  It was signalled, or never is, for this run. */
static noinline void end_told_run(struct kpool_worker *worker,
				  struct kpool_work *work, int result)
	__must_hold(&worker->pool->lock)
{
	kpool_release_t release = work->release;

	worker_shut_tell(worker);
	if (hist_on())
		hist_end(worker);
	leave_run(worker, work, release, work_run_ended(work, result));
}

/*
 * The function has returned, and somebody wants to know, or to end it.  Returns
 * the work that takes its place, or NULL.
 */
static noinline struct kpool_work *
end_noted_run(struct kpool_worker *worker, struct kpool_work *work, int result)
	__must_hold(&worker->pool->lock)
{
	kpool_release_t release = work->release;
	bool told = work->flags & WORK_TOLD;
	struct kpool_work *next;
	unsigned int ended;

	ended = work_run_ended(work, result);
	if (!told && !release && ended == 1 &&
	    hand_over(worker, worker->group, &next))
		return next;
	leave_run(worker, work, release, ended);
	return NULL;
}

/* The function has returned.  Does another work take the place of this one? */
static __always_inline bool end_run(struct kpool_worker *worker,
				    struct kpool_group *group,
				    struct kpool_work **work, int result)
	__must_hold(&worker->pool->lock)
{
	struct kpool_work *ended = *work;

	if (unlikely(worker->tell != TELL_OPEN)) {
		end_told_run(worker, ended, result);
		return false;
	}
	if (hist_on())
		hist_end(worker);
	if (ended->release || !nobody_waits(ended) ||
	    ended->flags & WORK_TOLD) {
		*work = end_noted_run(worker, ended, result);
		return *work;
	}
	work_over(ended, result);
	if (hand_over(worker, group, work))
		return true;
	leave_run(worker, ended, NULL, 1);
	return false;
}

/* Run a work, and those that take its place.  Returns with the lock held. */
static __always_inline void run_works(struct kpool_worker *worker,
				      struct kpool_work *work)
	__acquires(&worker->pool->lock)
{
	struct kpool_group *group = worker->group;
	struct kpool *pool = worker->pool;
	int result;

	for (;;) {
		result = run_work(worker, group, work);
		test_point(KPOOL_AT_END, pool);
		raw_spin_lock_irq(&pool->lock);
		if (!end_run(worker, group, &work, result))
			break;
		unlock_to_go_on(pool);
		test_point(KPOOL_AT_START, pool);
	}
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

	if (!worker->group || !(worker->group->flags & KPOOL_NOSIGNAL))
		worker_set_tell(worker, TELL_OPEN);
	worker->arrived = true;
	if (pool->nr_cold && !--pool->nr_cold)
		complete(&pool->warm);
	if (!worker->work) {
		/* it held the spawner back; takes a work now, or is idle */
		pool->nr_arriving--;
		pool->creating_since = 0;
		pool->backoff = KPOOL_BACKOFF_MIN;
		wake = service_wake(&pool->spawner);
		if (wake)
			wake_up_process(wake);
		return;
	}
	if (worker->tell != TELL_OPEN || !work_is_told(worker->work))
		return;
	worker_set_tell(worker, TELL_SENDING);
	raw_spin_unlock_irq(&pool->lock);
	send_sig(SIGKILL, current, 1);
	raw_spin_lock_irq(&pool->lock);
	worker_set_tell(worker, TELL_SENT);
	trace_kpool_tell_sent(worker);
}

/* Call the first_in() that this run made due. */
static void enter_hooks(struct kpool_worker *worker)
{
	hooks_enter(worker->group);
	WRITE_ONCE(worker->func, worker->work->fn);
}

int kpool_worker_fn(void *arg)
{
	struct kpool_worker *worker = arg;
	struct kpool *pool = worker->pool;
	struct kpool_work *work;

	test_point(KPOOL_AT_BIRTH, pool);
	allow_kernel_signal(SIGKILL);
	if (!worker_birth(worker))
		goto out;
	env_begin(&worker->env);
	raw_spin_lock_irq(&pool->lock);
	worker_arrive(worker);
	if (pool->flags & KPOOL_FREEZABLE) {
		raw_spin_unlock_irq(&pool->lock);
		set_freezable();
		worker->env.flags &= ~PF_NOFREEZE;
		raw_spin_lock_irq(&pool->lock);
	}
	while ((work = next_work(worker))) {
		test_point(KPOOL_AT_START, pool);
		if (unlikely(worker->enters))
			enter_hooks(worker);
		run_works(worker, work);
	}
	env_end(&worker->env);
	worker_farewell(worker);
out:
	/*
	 * Whoever joins us frees the worker once this completes; from there on
	 * the thread executes nothing of this module.
	 */
	kthread_complete_and_exit(&worker->exited, 0);
}
