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

#include "fault.h"
#include "histogram.h"
#include "internal.h"
#include "testpoint.h"

#define BACKOFF_MIN	msecs_to_jiffies(10)
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
	INIT_LIST_HEAD(&worker->run_entry);
	init_completion(&worker->exited);
	worker->pool = pool;
	raw_spin_lock_irq(&pool->lock);
	worker->id = pool->next_id++;
	raw_spin_unlock_irq(&pool->lock);
	task = kthread_create_on_node(kpool_worker_fn, worker, NUMA_NO_NODE,
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
	return pool->nr_idle + pool->nr_arriving < pool->root->held &&
	       pool->nr_threads < pool->max_threads;
}

/*
 * Create a thread that is on the books already, and start it; with a ready
 * work, if there still is one.  Process context, may sleep.
 */
int spawn_worker(struct kpool *pool)
{
	u64 begun = hist_on() ? hist_clock() : 0;
	struct kpool_worker *worker;
	struct kpool_group *group;

	trace_kpool_thread_create(pool);
	test_point(KPOOL_AT_CREATE, pool);
	worker = create_worker(pool);
	if (IS_ERR(worker)) {
		raw_spin_lock_irq(&pool->lock);
		pool->nr_threads--;
		pool->nr_failed++;
		raw_spin_unlock_irq(&pool->lock);
		return PTR_ERR(worker);
	}

	mutex_lock(&pool->mutex);
	raw_spin_lock_irq(&pool->lock);
	list_add_tail(&worker->all_entry, &pool->workers);
	pool->nr_created++;
	pool->creating_since = 0;
	trace_kpool_thread_created(worker);
	hist_created(pool, begun);
	group = next_group(pool, pool->nr_idle + 1);
	if (group)
		worker_commit(worker, take_next(group));
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

	do {
		bool wanted;

		raw_spin_lock_irq(&pool->lock);
		wanted = lacks_reserve(pool);
		if (wanted)
			pool->nr_threads++;
		raw_spin_unlock_irq(&pool->lock);
		if (!wanted)
			break;
		err = spawn_worker(pool);
	} while (!err);
	return err;
}

/*
 * Free a worker whose thread was told to leave, when it has left.  Its
 * completion is signalled in the core kernel's text, where the thread ends.
 */
static void join_worker(struct kpool_worker *worker)
{
	struct kpool *pool = worker->pool;

	wait_for_completion(&worker->exited);
	mutex_lock(&pool->mutex);
	raw_spin_lock_irq(&pool->lock);
	list_del(&worker->all_entry);
	raw_spin_unlock_irq(&pool->lock);
	mutex_unlock(&pool->mutex);
	list_del(&worker->entry);
	kfree(worker);
}

/* Join all that leave; their exits overlap. */
static void join_workers(struct list_head *leaving)
{
	struct kpool_worker *worker, *next;

	list_for_each_entry_safe(worker, next, leaving, entry)
		join_worker(worker);
}

/* Join those that have left already, so that the spawner never waits. */
static void join_gone_workers(struct list_head *leaving)
{
	struct kpool_worker *worker, *next;

	list_for_each_entry_safe(worker, next, leaving, entry)
		if (completion_done(&worker->exited))
			join_worker(worker);
}

/* The decision to leave; the worker is off the books from here on. */
static void worker_leave(struct kpool_worker *worker,
			 struct list_head *leaving)
{
	struct kpool *pool = worker->pool;

	lockdep_assert_held(&pool->lock);
	worker->leave = true;
	pool->nr_threads--;
	if (worker->idle) {
		worker->idle = false;
		pool->nr_idle--;
		list_del(&worker->entry);
	}
	list_add_tail(&worker->entry, leaving);
	trace_kpool_thread_leave(worker);
}

/* Is there an idle worker that is neither to be kept warm nor held back? */
bool has_spare_worker(struct kpool *pool)
{
	return pool->nr_threads > pool->min_threads &&
	       pool->nr_idle > pool->root->held;
}

/* The worker that has been idle for the longest time, if that is too long. */
static struct kpool_worker *overdue_worker(struct kpool *pool)
{
	struct kpool_worker *oldest;

	if (!has_spare_worker(pool))
		return NULL;
	oldest = list_last_entry(&pool->idle, struct kpool_worker, entry);
	if (time_before(jiffies, oldest->since + pool->idle_timeout))
		return NULL;
	return oldest;
}

/* Jiffies until there may be an overdue worker. */
static long reap_delay(struct kpool *pool)
{
	struct kpool_worker *oldest;

	pool->reaping = has_spare_worker(pool);
	if (!pool->reaping)
		return MAX_SCHEDULE_TIMEOUT;
	oldest = list_last_entry(&pool->idle, struct kpool_worker, entry);
	return max_t(long, oldest->since + pool->idle_timeout - jiffies, 1);
}

/*
 * Let a batch of workers go: those that @next finds.  Returns how many.
 *
 * A worker that is told to leave may wake by chance and end before we wake
 * it; so its task is read under the lock, and woken in the RCU read section
 * that began before.
 */
static int let_go(struct kpool *pool,
		  struct kpool_worker *(*next)(struct kpool *pool),
		  struct list_head *leaving)
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
		worker_leave(worker, leaving);
		tasks[n] = worker->task;
	}
	raw_spin_unlock_irq(&pool->lock);
	for (i = 0; i < n; i++)
		wake_up_process(tasks[i]);
	rcu_read_unlock();
	return n;
}

/* Any worker that has not been told to leave; those are kept at the end. */
static struct kpool_worker *staying_worker(struct kpool *pool)
{
	struct kpool_worker *worker;

	worker = list_first_entry_or_null(&pool->workers, struct kpool_worker,
					  all_entry);
	if (!worker || worker->leave)
		return NULL;
	list_move_tail(&worker->all_entry, &pool->workers);
	return worker;
}

/*
 * Let all workers go and wait until they have left.  Nothing is pending or
 * running any more, and the spawner is gone.
 */
void dismiss_workers(struct kpool *pool)
{
	LIST_HEAD(leaving);
	int n;

	mutex_lock(&pool->mutex);
	do {
		n = let_go(pool, staying_worker, &leaving);
	} while (n);
	mutex_unlock(&pool->mutex);
	join_workers(&leaving);
}

static void report_failure(struct kpool *pool, int err)
{
	unsigned int threads = READ_ONCE(pool->nr_threads);
	unsigned int pending = READ_ONCE(pool->root->nr_pending);

	trace_kpool_create_failed(pool->name, err, threads, pending);
	if (__ratelimit(&pool->failure_rs))
		pr_warn("%s: cannot create a thread (%d), will try again; %u of %u threads, %u works wait\n",
			pool->name, err, threads, pool->max_threads, pending);
}

/*
 * Create one thread.  After a failure, stay away for a while that doubles up
 * to a second; only service_stop() ends it early.  Works stay queued.
 */
static void spawn_one(struct kpool *pool, unsigned long *backoff)
	__must_hold(&pool->lock)
{
	int err;

	pool->nr_threads++;
	if (!pool->creating_since)
		pool->creating_since = jiffies ?: -1UL;
	raw_spin_unlock_irq(&pool->lock);
	err = spawn_worker(pool);
	if (err)
		report_failure(pool, err);
	raw_spin_lock_irq(&pool->lock);
	if (err) {
		service_pause(pool, &pool->spawner, *backoff);
		*backoff = min_t(unsigned long, *backoff * 2, BACKOFF_MAX);
	} else {
		*backoff = BACKOFF_MIN;
	}
}

/*
 * Nothing to create.  Let threads go that have been idle for too long, free
 * those that have gone, and sleep; if some are still on their way out, only
 * for as long as that may take.
 */
static void spawner_rest(struct kpool *pool, struct list_head *leaving)
	__must_hold(&pool->lock)
{
	if (overdue_worker(pool)) {
		raw_spin_unlock_irq(&pool->lock);
		let_go(pool, overdue_worker, leaving);
		test_point(KPOOL_AT_RETIRE, pool);
		raw_spin_lock_irq(&pool->lock);
	} else if (!list_empty(leaving)) {
		service_sleep(pool, &pool->spawner, LEAVE_TIME);
		raw_spin_unlock_irq(&pool->lock);
		join_gone_workers(leaving);
		raw_spin_lock_irq(&pool->lock);
	} else {
		service_sleep(pool, &pool->spawner, reap_delay(pool));
	}
}

/*
 * Is there a work that could start if there was a thread, or are fewer idle
 * than are reserved?  One that is on its way without a work will take one when
 * it arrives, and wakes the spawner then.
 */
bool needs_thread(struct kpool *pool)
{
	if (pool->nr_threads >= pool->max_threads || pool->nr_arriving)
		return false;
	return lacks_reserve(pool) || next_group(pool, pool->nr_idle + 1);
}

int kpool_spawner_fn(void *arg)
{
	unsigned long backoff = BACKOFF_MIN;
	struct kpool *pool = arg;
	LIST_HEAD(leaving);

	raw_spin_lock_irq(&pool->lock);
	while (!pool->spawner.leave) {
		if (needs_thread(pool)) {
			spawn_one(pool, &backoff);
			continue;
		}
		backoff = BACKOFF_MIN;
		pool->creating_since = 0;
		spawner_rest(pool, &leaving);
	}
	raw_spin_unlock_irq(&pool->lock);
	join_workers(&leaving);
	kthread_complete_and_exit(&pool->spawner.exited, 0);
}
