// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watchdog: explains a stuck pool in one message.
 *
 * Works may run and sleep for ever; that is what the pool is for.  It is stuck
 * if that holds something up for longer than watchdog_seconds: a work that is
 * pending, somebody who waits, a stop, the creation of a thread.  The message
 * says what is held up, and then who may be to blame: what runs longest of what
 * is in the way, where it sleeps, and who waits for it.
 *
 * One delayed work looks at all pools, four times in that period, and reports
 * each pool at most once in it.  It holds a reference to the pool that it looks
 * at, which no destruction waits for; and it copies (look.c), then prints.
 */
#define pr_fmt(fmt) "kpool: " fmt

#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "look.h"
#include "watchdog.h"

#define STACK_DEPTH	8
#define MAX_SECONDS	(24 * 60 * 60)

static void watchdog_fn(struct work_struct *unused);
static DECLARE_DELAYED_WORK(watchdog_work, watchdog_fn);

static unsigned int watchdog_seconds = 30;

/* What is found in one pool.  Allocated while it is looked at. */
struct report {
	struct kpool *pool;
	unsigned long limit;		/* jiffies that are too long */
	bool stuck;
	/* what is in the way is in this group or below; "": anywhere */
	char culprits[PATH_SIZE];
	int thread;			/* or it runs in this thread; -1 */
	struct seen_group group;
	struct seen_wait waits[KPOOL_BATCH];
	bool found;
	struct seen_run run;		/* if found, the oldest in the way */
	unsigned long stack[STACK_DEPTH];
};

static unsigned int ms(unsigned long age)
{
	return jiffies_to_msecs(age);
}

/*
 * The first thing that is held up begins the message, and says where to look
 * for what is in the way: below @culprits, or in @thread.
 */
static void begin(struct report *r, const char *culprits, int thread)
{
	if (r->stuck)
		return;
	r->stuck = true;
	strscpy(r->culprits, culprits, sizeof(r->culprits));
	r->thread = thread;
	pr_warn("%s: stuck\n", r->pool->name);
}

static void check_creation(struct report *r)
{
	struct kpool *pool = r->pool;
	unsigned long since, failed;

	raw_spin_lock_irq(&pool->lock);
	since = pool->creating_since;
	failed = pool->nr_failed;
	raw_spin_unlock_irq(&pool->lock);
	if (!since || jiffies - since < r->limit)
		return;
	begin(r, "", -1);
	pr_warn("%s:   no thread could be created for %u ms, %lu creations failed\n",
		pool->name, ms(jiffies - since), failed);
}

static void report_pending(struct report *r)
{
	const struct seen_group *g = &r->group;

	begin(r, g->blocked ? g->blocker_path : "", -1);
	if (g->blocked)
		pr_warn("%s:   %u works pending in %s behind max_active %u of %s, %ps for %u ms\n",
			r->pool->name, g->nr_pending, g->path, g->blocker_max,
			g->blocker_path, g->oldest, ms(g->oldest_age));
	else
		pr_warn("%s:   %u works pending in %s for a thread, %ps for %u ms\n",
			r->pool->name, g->nr_pending, g->path, g->oldest,
			ms(g->oldest_age));
}

/* A stop that nobody waits for is held up as well. */
static void check_group(struct report *r, int n)
{
	const struct seen_group *g = &r->group;
	int i;

	if (g->oldest && g->oldest_age >= r->limit) {
		report_pending(r);
	} else if (g->stopping && g->state_age >= r->limit) {
		begin(r, g->path, -1);
		pr_warn("%s:   the stop of %s for %u ms, %u works run\n",
			r->pool->name, g->path, ms(g->state_age),
			g->nr_running);
	}
	for (i = 0; i < n; i++) {
		const struct seen_wait *wait = &r->waits[i];

		if (wait->func || wait->age < r->limit)
			continue;
		begin(r, g->path, -1);
		pr_warn("%s:   %s[%d] waits until %s is idle, for %u ms\n",
			r->pool->name, wait->task->comm,
			task_pid_nr(wait->task), g->path, ms(wait->age));
	}
}

static void check_groups(struct report *r)
{
	unsigned int i;
	int n;

	for (i = 0; look_group(r->pool, i, &r->group, r->waits, &n); i++) {
		check_group(r, n);
		look_put_waits(r->waits, n);
		cond_resched();
	}
}

/* Who waits for a work that runs. */
static void check_waiters(struct report *r)
{
	unsigned int from = 0;
	int n, i;

	while ((n = look_run_waits(r->pool, &from, r->waits))) {
		for (i = 0; i < n; i++) {
			const struct seen_wait *wait = &r->waits[i];

			if (wait->age < r->limit)
				continue;
			begin(r, "", wait->thread);
			pr_warn("%s:   %s[%d] waits for %ps in kpool/%s/%d, for %u ms\n",
				r->pool->name, wait->task->comm,
				task_pid_nr(wait->task), wait->func,
				r->pool->name, wait->thread, ms(wait->age));
		}
		look_put_waits(r->waits, n);
		cond_resched();
	}
}

/* A path is below another if it goes on after it. */
static bool in_the_way(const struct report *r, const struct seen_run *run)
{
	size_t len = strlen(r->culprits);

	if (r->thread >= 0)
		return run->thread == r->thread;
	return !strncmp(run->path, r->culprits, len) &&
	       (!len || !run->path[len] || run->path[len] == '/');
}

/* What has run for the longest time of what is in the way. */
static void find_culprit(struct report *r)
{
	unsigned int from = 0;
	struct seen_run run;

	while (look_runs(r->pool, &from, &run, 1)) {
		if (in_the_way(r, &run) &&
		    (!r->found || run.age > r->run.age)) {
			swap(run, r->run);
			if (!r->found) {
				r->found = true;
				continue;
			}
		}
		look_put_runs(&run, 1);
		cond_resched();
	}
}

static void name_culprit(struct report *r)
{
	const struct seen_run *run = &r->run;
	unsigned int n, i;

	pr_warn("%s:   in the way is %ps of %s in %s[%d] for %u ms, state %c%s%s, awaited by %u\n",
		r->pool->name, run->func, run->path, run->task->comm,
		task_pid_nr(run->task), ms(run->age),
		task_state_to_char(run->task), *run->tell ? ", " : "",
		run->tell, run->nr_waiters);
	n = look_stack(run->task, r->stack, STACK_DEPTH);
	for (i = 0; i < n; i++)
		pr_warn("%s:     %pS\n", r->pool->name, (void *)r->stack[i]);
}

/*
 * Look at a pool, and report it if something in it is held up for @limit
 * jiffies, unless it was reported in that time.  Returns whether it was.
 */
bool watchdog_look(struct kpool *pool, unsigned long limit)
{
	struct report *r;
	bool stuck;

	if (pool->reported && jiffies - pool->reported < limit)
		return false;
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return false;
	r->pool = pool;
	r->limit = limit;
	check_creation(r);
	check_groups(r);
	check_waiters(r);
	stuck = r->stuck;
	if (stuck) {
		pool->reported = jiffies ?: 1;
		find_culprit(r);
	}
	if (r->found) {
		name_culprit(r);
		look_put_runs(&r->run, 1);
	}
	kfree(r);
	return stuck;
}

KPOOL_EXPORT_KUNIT(watchdog_look);

/* Guarded by the lock of the module's parameters. */
static bool watchdog_runs;

/* Under that lock, so that the time that was written last counts. */
static void watchdog_arm(void)
{
	if (watchdog_runs && watchdog_seconds)
		mod_delayed_work(system_unbound_wq, &watchdog_work,
				 max(watchdog_seconds * HZ / 4, 1U));
}

static void watchdog_fn(struct work_struct *unused)
{
	unsigned int seconds;
	struct kpool *pool;
	u64 number = 0;

	while ((pool = next_pool(number))) {
		number = pool->number;
		/* not older than the pool, which may have been made for it */
		seconds = READ_ONCE(watchdog_seconds);
		if (seconds)
			watchdog_look(pool, (unsigned long)seconds * HZ);
		kpool_put(pool);
	}
	kernel_param_lock(THIS_MODULE);
	watchdog_arm();
	kernel_param_unlock(THIS_MODULE);
}

static int watchdog_set(const char *value, const struct kernel_param *param)
{
	int err = param_set_uint_minmax(value, param, 0, MAX_SECONDS);

	if (!err)
		watchdog_arm();
	return err;
}

static const struct kernel_param_ops watchdog_ops = {
	.set = watchdog_set,
	.get = param_get_uint,
};

module_param_cb(watchdog_seconds, &watchdog_ops, &watchdog_seconds, 0644);
MODULE_PARM_DESC(watchdog_seconds,
		 "Report what is held up in a pool for so long; 0: never");

void kpool_watchdog_init(void)
{
	kernel_param_lock(THIS_MODULE);
	watchdog_runs = true;
	watchdog_arm();
	kernel_param_unlock(THIS_MODULE);
}

/* The parameter can still be written, but arms nothing any more. */
void kpool_watchdog_exit(void)
{
	kernel_param_lock(THIS_MODULE);
	watchdog_runs = false;
	kernel_param_unlock(THIS_MODULE);
	cancel_delayed_work_sync(&watchdog_work);
}
