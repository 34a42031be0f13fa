// SPDX-License-Identifier: GPL-2.0-only
/*
 * The spawner: the number of threads, up and down.
 *
 * It creates one thread at a time, for kthreadd forks one at a time anyway,
 * and before each looks again whether a ready work is still without a thread.
 * The new thread is committed to that work before it first runs.  So threads
 * on their way are never more than works that need them.
 */
#define pr_fmt(fmt) "kpool: " fmt

#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>

#include <trace/events/kpool.h>

#include "commit.h"
#include "fault.h"
#include "histogram.h"
#include "internal.h"
#include "testpoint.h"

#define BACKOFF_MAX	HZ

/* How long a thread usually takes to leave. */
#define LEAVE_TIME	msecs_to_jiffies(20)

static struct kpool_worker *create_worker(struct kpool *pool)
{
	struct kpool_worker *worker;
	struct task_struct *task;

	if (fault_create())
		return ERR_PTR(-ENOMEM);
	worker = kzalloc(sizeof(*worker), GFP_KERNEL);
	if (!worker)
		return ERR_PTR(-ENOMEM);
	init_completion(&worker->exited);
	worker->pool = pool;
	raw_spin_lock_irq(&pool->lock);
	worker->id = pool->next_id++;
	raw_spin_unlock_irq(&pool->lock);
	task = kthread_create_on_node(kpool_worker_fn, worker, pool->node,
				      "kpool/%s/%u", pool->name, worker->id);
	if (IS_ERR(task)) {
		kfree(worker);
		return ERR_PTR(thread_error(task));
	}
	worker->task = task;
	return worker;
}

/* Are fewer threads free than are held back, and may there be one more? */
static bool lacks_reserve(const struct kpool *pool)
{
	return pool->nr_idle + pool->nr_arriving + pool->nr_reserving <
	       pool->root->held && pool->nr_threads < pool->max_threads;
}

/* In the order of their numbers, which several creators may have drawn. */
static void add_worker(struct kpool_worker *worker)
{
	struct kpool_worker *before;

	list_for_each_entry_reverse(before, &worker->pool->workers, all_entry)
		if (before->id < worker->id)
			break;
	list_add(&worker->all_entry, &before->all_entry);
}

/*
 * Create a thread that is on the books already, and start it; with a ready
 * work, if there still is one.  But if an init hook may fail it takes a work
 * only when it has arrived.  Process context, may sleep.
 */
int spawn_worker(struct kpool *pool)
{
	u64 begun = hist_on() ? hist_clock() : 0;
	struct kpool_work *work = NULL;
	struct kpool_worker *worker;

	trace_kpool_thread_create(pool);
	test_point(KPOOL_AT_CREATE, pool);
	worker = create_worker(pool);
	if (IS_ERR(worker)) {
		raw_spin_lock_irq(&pool->lock);
		pool_count_threads(pool, -1);
		pool->nr_failed++;
		raw_spin_unlock_irq(&pool->lock);
		return PTR_ERR(worker);
	}

	mutex_lock(&pool->mutex);
	raw_spin_lock_irq(&pool->lock);
	add_worker(worker);
	pool->nr_created++;
	trace_kpool_thread_created(worker);
	hist_created(pool, begun);
	/* with an init hook, its creation ends when it arrives, if it does */
	if (!pool->init) {
		pool->creating_since = 0;
		pool->backoff = KPOOL_BACKOFF_MIN;
		if (!pool_is_over(pool) && !worker_is_stale(worker))
			work = take_next(pool, pool->nr_idle + 1);
	}
	if (work)
		worker_commit(worker, work, work->group);
	else
		pool->nr_arriving++;
	raw_spin_unlock_irq(&pool->lock);
	mutex_unlock(&pool->mutex);
	wake_up_process(worker->task);
	return 0;
}

/*
 * Create threads until as many are free as are held back, or there is no room.
 * Process context, may sleep; whoever needs one meanwhile gets it.
 */
int spawn_reserve(struct kpool *pool)
{
	int err = 0;

	raw_spin_lock_irq(&pool->lock);
	while (!err && !pool->offline && lacks_reserve(pool)) {
		pool_count_threads(pool, 1);
		pool->nr_reserving++;
		raw_spin_unlock_irq(&pool->lock);
		err = spawn_worker(pool);
		raw_spin_lock_irq(&pool->lock);
		pool->nr_reserving--;
	}
	raw_spin_unlock_irq(&pool->lock);
	return err;
}

/* Free workers whose threads have left. */
static void free_workers(struct kpool *pool, struct list_head *gone)
{
	struct kpool_worker *worker, *next;
	void *batch[KPOOL_BATCH];
	int n = 0;

	mutex_lock(&pool->mutex);
	raw_spin_lock_irq(&pool->lock);
	list_for_each_entry_safe(worker, next, gone, leave_entry) {
		list_del(&worker->all_entry);
		batch[n++] = worker;
		if (n < KPOOL_BATCH)
			continue;
		raw_spin_unlock_irq(&pool->lock);
		kfree_bulk(n, batch);
		n = 0;
		cond_resched();
		raw_spin_lock_irq(&pool->lock);
	}
	raw_spin_unlock_irq(&pool->lock);
	mutex_unlock(&pool->mutex);
	kfree_bulk(n, batch);
}

/*
 * Join all that leave; their exits overlap.  Or, so that the spawner never
 * waits, those only that have left already.  One thread at a time does this:
 * the spawner, and after its end the one that destroys the pool.
 *
 * A thread's completion is signalled in the core kernel's text, where it ends.
 * The last to be woken is joined first: by then most others have ended, and are
 * not slept for one by one.
 */
static void join_workers(struct kpool *pool, bool only_gone)
{
	struct kpool_worker *worker, *next;
	LIST_HEAD(leaving);
	LIST_HEAD(gone);

	raw_spin_lock_irq(&pool->lock);
	list_splice_init(&pool->leaving, &leaving);
	raw_spin_unlock_irq(&pool->lock);
	list_for_each_entry_safe_reverse(worker, next, &leaving, leave_entry) {
		if (!only_gone)
			await_exit(worker);
		else if (completion_done(&worker->exited))
			list_move(&worker->leave_entry, &gone);
	}
	free_workers(pool, only_gone ? &gone : &leaving);
	if (!only_gone)
		return;
	raw_spin_lock_irq(&pool->lock);
	list_splice(&leaving, &pool->leaving);
	raw_spin_unlock_irq(&pool->lock);
}

/* The decision to leave; the worker is off the books from here on. */
void worker_leave(struct kpool_worker *worker)
{
	struct kpool *pool = worker->pool;

	lockdep_assert_held(&pool->lock);
	worker->leave = true;
	pool_count_threads(pool, -1);
	if (worker->idle)
		idle_del(pool, worker);
	list_add_tail(&worker->leave_entry, &pool->leaving);
	trace_kpool_thread_leave(worker);
}

/* Is there an idle worker that is neither to be kept warm nor held back? */
static bool has_spare_worker(struct kpool *pool)
{
	return pool->nr_threads > pool->min_threads &&
	       pool->nr_idle > pool->root->held;
}

/* There may be one now: the spawner looks after it, if it does not already. */
struct task_struct *start_reaping(struct kpool *pool)
{
	lockdep_assert_held(&pool->lock);
	if (pool->reaping || !has_spare_worker(pool))
		return NULL;
	pool->reaping = true;
	return service_wake(&pool->spawner);
}

/* The worker that has been idle for the longest time, if that is too long. */
static struct kpool_worker *overdue_worker(struct kpool *pool)
{
	struct kpool_worker *oldest = pool->oldest;

	if (!has_spare_worker(pool) ||
	    time_before(jiffies, oldest->since + pool->idle_timeout))
		return NULL;
	return oldest;
}

/* Jiffies until there may be an overdue worker. */
static long reap_delay(struct kpool *pool)
{
	pool->reaping = has_spare_worker(pool);
	if (!pool->reaping)
		return MAX_SCHEDULE_TIMEOUT;
	return max_t(long, pool->oldest->since + pool->idle_timeout - jiffies,
		     1);
}

/*
 * Let a batch of workers go: those that @next finds.  Returns how many.
 *
 * A worker that is told to leave may wake by chance and end before we wake
 * it; so its task is read under the lock, and woken in the RCU read section
 * that began before.
 */
static int let_go(struct kpool *pool,
		  struct kpool_worker *(*next)(struct kpool *pool))
{
	struct task_struct *tasks[KPOOL_BATCH];
	struct kpool_worker *worker;
	int i, n;

	rcu_read_lock();
	raw_spin_lock_irq(&pool->lock);
	for (n = 0; n < KPOOL_BATCH; n++) {
		worker = next(pool);
		if (!worker)
			break;
		worker_leave(worker);
		tasks[n] = worker->task;
	}
	raw_spin_unlock_irq(&pool->lock);
	for (i = 0; i < n; i++)
		wake_up_process(tasks[i]);
	rcu_read_unlock();
	return n;
}

/* The worker that is idle for longest, if there are too many workers. */
static struct kpool_worker *excess_worker(struct kpool *pool)
{
	return pool_is_over(pool) ? pool->oldest : NULL;
}

/* Any worker that is idle on a CPU that has gone. */
static struct kpool_worker *offline_worker(struct kpool *pool)
{
	return pool->offline ? pool->oldest : NULL;
}

static void dismiss(struct kpool *pool,
		    struct kpool_worker *(*next)(struct kpool *pool))
{
	struct task_struct *wake = NULL;

	while (let_go(pool, next) == KPOOL_BATCH)
		cond_resched();
	/* the spawner joins them */
	rcu_read_lock();
	raw_spin_lock_irq(&pool->lock);
	if (!list_empty(&pool->leaving))
		wake = service_wake(&pool->spawner);
	raw_spin_unlock_irq(&pool->lock);
	if (wake)
		wake_up_process(wake);
	rcu_read_unlock();
}

/* The limit was lowered: let idle workers go.  Busy ones leave by themselves. */
void dismiss_excess(struct kpool *pool)
{
	dismiss(pool, excess_worker);
}

/* The same, of a pool whose CPU goes. */
void dismiss_offline(struct kpool *pool)
{
	dismiss(pool, offline_worker);
}

/* Any worker that is idle. */
static struct kpool_worker *idle_worker(struct kpool *pool)
{
	return pool->oldest;
}

/*
 * The worker that was looked at least recently, unless it was told to leave;
 * then NULL, to look at the next in another hold of the lock.
 */
static struct kpool_worker *staying_worker(struct kpool *pool)
{
	struct kpool_worker *worker;

	if (!pool->nr_threads)
		return NULL;
	worker = list_first_entry(&pool->workers, struct kpool_worker,
				  all_entry);
	list_move_tail(&worker->all_entry, &pool->workers);
	return worker->leave ? NULL : worker;
}

/*
 * Let all workers go and wait until they have left.  Nothing is pending or
 * running any more, and the spawner is gone.
 */
void dismiss_workers(struct kpool *pool)
{
	join_workers(pool, false);
	while (let_go(pool, idle_worker))
		cond_resched();
	mutex_lock(&pool->mutex);
	while (READ_ONCE(pool->nr_threads))
		let_go(pool, staying_worker);
	mutex_unlock(&pool->mutex);
	join_workers(pool, false);
}

static void report_failure(struct kpool *pool, int err)
{
	unsigned int threads = READ_ONCE(pool->nr_threads);
	unsigned int pending = READ_ONCE(pool->root->nr_pending);

	trace_kpool_create_failed(pool->name, err, threads, pending);
	if (__ratelimit(&pool->failure_rs))
		pr_warn("%s: cannot create a thread (%d), will try again; %u of %u threads, %u works wait\n",
			pool->name, err, threads, READ_ONCE(pool->max_threads),
			pending);
}

/*
 * A creation has failed.  Stay away for a while that doubles up to a second;
 * only service_stop() ends it early.  Works stay queued.
 */
static void rest_after_failure(struct kpool *pool, int err)
	__must_hold(&pool->lock)
{
	unsigned long backoff = pool->backoff;

	pool->backoff = min_t(unsigned long, backoff * 2, BACKOFF_MAX);
	raw_spin_unlock_irq(&pool->lock);
	report_failure(pool, err);
	raw_spin_lock_irq(&pool->lock);
	service_pause(pool, &pool->spawner, backoff);
}

static void spawn_one(struct kpool *pool)
	__must_hold(&pool->lock)
{
	int err;

	pool_count_threads(pool, 1);
	if (!pool->creating_since)
		pool->creating_since = jiffies ?: -1UL;
	raw_spin_unlock_irq(&pool->lock);
	err = spawn_worker(pool);
	raw_spin_lock_irq(&pool->lock);
	if (err)
		rest_after_failure(pool, err);
}

/*
 * Nothing to create.  Let threads go that have been idle for too long, free
 * those that have gone, and sleep; if some are still on their way out, only
 * for as long as that may take.
 */
static void spawner_rest(struct kpool *pool)
	__must_hold(&pool->lock)
{
	if (overdue_worker(pool)) {
		raw_spin_unlock_irq(&pool->lock);
		let_go(pool, overdue_worker);
		test_point(KPOOL_AT_RETIRE, pool);
		raw_spin_lock_irq(&pool->lock);
	} else if (!list_empty(&pool->leaving)) {
		service_sleep(pool, &pool->spawner, LEAVE_TIME);
		raw_spin_unlock_irq(&pool->lock);
		join_workers(pool, true);
		raw_spin_lock_irq(&pool->lock);
	} else {
		service_sleep(pool, &pool->spawner, reap_delay(pool));
	}
}

/*
 * Are there certainly more than @n works that could start, each on a thread
 * that is not there yet?  Those of the group whose turn it is are looked at
 * alone, and no more than a batch.
 */
static bool more_ready(struct kpool *pool, unsigned int n)
{
	struct kpool_group *group = next_group(pool, pool->nr_idle + n + 1);
	struct kpool_work *work;
	unsigned int found = 0;

	if (!group || !n)
		return group;
	list_for_each_entry(work, &group->pending, entry)
		if (++found > n || found == KPOOL_BATCH)
			break;
	for (; group; group = group->parent)
		if (group->max_active)
			found = min(found,
				    group->max_active - group->nr_running);
	return found > n;
}

/*
 * Are there too few threads, is there a work that could start if there was one
 * more, or are fewer idle than are reserved?  One that is on its way without a
 * work will take one when it arrives, and wakes the spawner then.  That is
 * soon; but with an init hook it may take any time, and so more threads are
 * made if there are works for them.
 *
 * While its CPU is offline a pool gets no threads: the spawner brings works
 * that could start to another one.
 */
bool needs_thread(struct kpool *pool)
{
	if (unlikely(pool->offline))
		return next_group(pool, UINT_MAX);
	if (pool->nr_threads < pool->min_threads)
		return true;
	if (pool->nr_threads >= pool->max_threads)
		return false;
	if (pool->nr_arriving && !pool->init)
		return false;
	/* who has just reserved some creates them */
	return (lacks_reserve(pool) && !pool->nr_reserving) ||
	       more_ready(pool, pool->nr_arriving);
}

static void rehome(struct kpool *pool)
	__must_hold(&pool->lock)
{
	bool any;

	raw_spin_unlock_irq(&pool->lock);
	any = rehome_works(pool);
	raw_spin_lock_irq(&pool->lock);
	/* somebody else did it; or no CPU is online, for this moment */
	if (!any)
		service_sleep(pool, &pool->spawner, 1);
}

int kpool_spawner_fn(void *arg)
{
	struct kpool *pool = arg;
	int err;

	raw_spin_lock_irq(&pool->lock);
	while (!pool->spawner.leave) {
		if (pool->init_err) {
			err = pool->init_err;
			pool->init_err = 0;
			rest_after_failure(pool, err);
			continue;
		}
		if (needs_thread(pool)) {
			if (unlikely(pool->offline))
				rehome(pool);
			else
				spawn_one(pool);
			continue;
		}
		if (!pool->nr_arriving) {
			pool->backoff = KPOOL_BACKOFF_MIN;
			pool->creating_since = 0;
		}
		spawner_rest(pool);
	}
	raw_spin_unlock_irq(&pool->lock);
	join_workers(pool, false);
	kthread_complete_and_exit(&pool->spawner.exited, 0);
}
