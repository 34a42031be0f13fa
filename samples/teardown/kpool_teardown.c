// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long does it take to end many threads?  kpool_group_stop(), which tells
 * all at once, beside kthread_stop() one by one.
 *
 *	# modprobe kpool_teardown threads=256
 *	# cat /sys/kernel/debug/kpool_teardown/run
 *	# echo 1 > /sys/kernel/debug/kpool_teardown/hold
 *	# cat /sys/kernel/debug/kpool_teardown/hold
 *	256 blocked
 *	# echo 0 > /sys/kernel/debug/kpool_teardown/hold
 *	# modprobe -r kpool_teardown
 *
 * Reading "run" does the measurement; it takes some seconds, most of them in
 * kthread_stop().  "hold" keeps that many works blocked, to be looked at in
 * /sys/kernel/debug/kpool, until it is written 0.
 *
 * kthread_stop() also ends each thread, kpool_group_stop() leaves them idle
 * in the pool: the third column has both, the stop and the end of the pool.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kpool.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/wait.h>

#define MAX_THREADS	4096
#define NAP_MS		20
#define UP_TIMEOUT	(120 * HZ)	/* emulated machines are slow */

static unsigned int threads = 256;
module_param(threads, uint, 0444);
MODULE_PARM_DESC(threads, "how many threads to end, 1 to 4096 (default 256)");

/*
 * One set of threads, of either kind.  Owned by whoever measures, under
 * run_lock, and freed when all its threads have ended.
 */
struct crowd {
	struct kpool		*pool;
	struct kpool_group	*group;
	bool			nap;
	atomic_t		missing;	/* not in their wait yet */
	struct completion	all_in;		/* none is missing */
	wait_queue_head_t	never;		/* nobody wakes it */
	struct member {
		struct crowd		*crowd;
		struct kpool_work	work;
		struct task_struct	*task;
		bool			in;	/* its thread's */
	} member[];
};

static DEFINE_MUTEX(run_lock);
static struct crowd *held;		/* under run_lock */
static struct dentry *dir;

/*
 * The condition of a wait is looked at for the first time before the thread
 * enters the wait queue and for the second when it is there, in the state in
 * which it is going to sleep.  So who counts at the second is blocked: from
 * then on it sleeps, or is about to and will be found asleep by who stops it.
 */
static bool count_blocked(struct member *m, int *looks, bool stop)
{
	if (!m->in && ++*looks == 2) {
		m->in = true;
		if (atomic_dec_and_test(&m->crowd->missing))
			complete(&m->crowd->all_in);
	}
	return stop;
}

static void body(struct member *m, bool (*should_stop)(void))
{
	struct crowd *c = m->crowd;

	if (!c->nap) {
		while (!should_stop()) {
			int looks = 0;

			wait_event_interruptible(c->never,
						 count_blocked(m, &looks,
							       should_stop()));
		}
		return;
	}

	if (atomic_dec_and_test(&c->missing))
		complete(&c->all_in);
	while (!should_stop())
		msleep(NAP_MS);
}

static int work_fn(struct kpool_work *work)
{
	body(container_of(work, struct member, work), kpool_should_stop);
	return 0;
}

static int thread_fn(void *data)
{
	body(data, kthread_should_stop);
	return 0;
}

static struct crowd *crowd_alloc(bool nap)
{
	struct crowd *c;
	unsigned int i;

	c = kvzalloc(struct_size(c, member, threads), GFP_KERNEL);
	if (!c)
		return NULL;

	c->nap = nap;
	atomic_set(&c->missing, threads);
	init_completion(&c->all_in);
	init_waitqueue_head(&c->never);
	for (i = 0; i < threads; i++)
		c->member[i].crowd = c;
	return c;
}

static int crowd_wait_in(struct crowd *c, const char *kind)
{
	long left = wait_for_completion_killable_timeout(&c->all_in,
							 UP_TIMEOUT);

	if (left > 0)
		return 0;
	pr_err("%s: %d of %u threads not up after %d s%s\n", kind,
	       atomic_read(&c->missing), threads, UP_TIMEOUT / HZ,
	       left ? ", interrupted" : "");
	return left ?: -ETIMEDOUT;
}

/* ------------------------------------------------------------------------
 * kpool
 */

static int works_start(struct crowd *c)
{
	const struct kpool_params params = { .max_threads = threads };
	unsigned int i;
	int err;

	c->pool = kpool_create("teardown", &params);
	if (IS_ERR(c->pool)) {
		err = PTR_ERR(c->pool);
		pr_err("pool teardown: %pe\n", c->pool);
		return err;
	}

	c->group = kpool_group_create(kpool_root(c->pool), "crowd", NULL);
	if (IS_ERR(c->group)) {
		err = PTR_ERR(c->group);
		pr_err("pool teardown: no group: %pe\n", c->group);
		goto err_destroy_pool;
	}

	for (i = 0; i < threads; i++) {
		kpool_work_init(&c->member[i].work, work_fn);
		err = kpool_queue(c->group, &c->member[i].work);
		if (err) {
			pr_err("pool teardown: work %u not queued: %pe\n", i,
			       ERR_PTR(err));
			goto err_destroy_group;
		}
	}

	err = crowd_wait_in(c, "pool teardown");
	if (err)
		goto err_destroy_group;
	return 0;

err_destroy_group:
	kpool_group_destroy(c->group);
err_destroy_pool:
	kpool_destroy(c->pool);
	return err;
}

static void works_end(struct crowd *c)
{
	kpool_group_destroy(c->group);
	kpool_destroy(c->pool);
}

static int measure_kpool(bool nap, s64 *stop_us, s64 *end_us)
{
	struct crowd *c = crowd_alloc(nap);
	ktime_t start;
	int err;

	if (!c)
		return -ENOMEM;

	err = works_start(c);
	if (!err) {
		start = ktime_get();
		kpool_group_stop(c->group);
		*stop_us = ktime_us_delta(ktime_get(), start);
		works_end(c);
		*end_us = ktime_us_delta(ktime_get(), start);
	}
	kvfree(c);
	return err;
}

/* ------------------------------------------------------------------------
 * kthreads
 */

static void kthreads_stop(struct crowd *c, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		kthread_stop(c->member[i].task);
}

static int kthreads_start(struct crowd *c)
{
	unsigned int i;
	int err;

	for (i = 0; i < threads; i++) {
		struct task_struct *task = kthread_run(thread_fn, &c->member[i],
						       "serial/%u", i);

		if (IS_ERR(task)) {
			err = PTR_ERR(task);
			pr_err("kthread %u not created: %pe\n", i, task);
			goto err_stop;
		}
		c->member[i].task = task;
	}

	err = crowd_wait_in(c, "kthreads");
	if (err)
		goto err_stop;
	return 0;

err_stop:
	kthreads_stop(c, i);
	return err;
}

static int measure_kthreads(bool nap, s64 *us)
{
	struct crowd *c = crowd_alloc(nap);
	ktime_t start;
	int err;

	if (!c)
		return -ENOMEM;

	err = kthreads_start(c);
	if (!err) {
		start = ktime_get();
		kthreads_stop(c, threads);
		*us = ktime_us_delta(ktime_get(), start);
	}
	kvfree(c);
	return err;
}

/* ------------------------------------------------------------------------
 * debugfs
 */

/* 1234567 as "1,234,567". */
static void show_us(struct seq_file *m, s64 us)
{
	char buf[32];
	u32 rest = us % 1000;

	us /= 1000;
	if (us >= 1000)
		snprintf(buf, sizeof(buf), "%lld,%03lld,%03u", us / 1000,
			 us % 1000, rest);
	else if (us)
		snprintf(buf, sizeof(buf), "%lld,%03u", us, rest);
	else
		snprintf(buf, sizeof(buf), "%u", rest);
	seq_printf(m, "%16s us", buf);
}

static int measure(struct seq_file *m, bool nap)
{
	s64 stop, end, serial;
	int err;

	err = measure_kpool(nap, &stop, &end);
	if (!err)
		err = measure_kthreads(nap, &serial);
	if (err)
		return err;

	seq_printf(m, "%4u threads, %-20s", threads,
		   nap ? "napping msleep(20)" : "interruptible wait");
	show_us(m, stop);
	show_us(m, serial);
	show_us(m, end);
	seq_putc(m, '\n');
	return 0;
}

static int run_show(struct seq_file *m, void *unused)
{
	int err;

	if (mutex_lock_interruptible(&run_lock))
		return -ERESTARTSYS;

	err = held ? -EBUSY : 0;
	if (!err) {
		seq_printf(m, "%-34s%19s%19s%19s\n", "",
			   "kpool_group_stop", "kthread_stop",
			   "+ kpool_destroy");
		err = measure(m, false);
	}
	if (!err)
		err = measure(m, true);

	mutex_unlock(&run_lock);
	return err;
}
DEFINE_SHOW_ATTRIBUTE(run);

static int hold(void)
{
	struct crowd *c = crowd_alloc(false);
	int err;

	if (!c)
		return -ENOMEM;

	err = works_start(c);
	if (err)
		kvfree(c);
	else
		held = c;
	return err;
}

static void release(void)
{
	if (!held)
		return;
	works_end(held);
	kvfree(held);
	held = NULL;
}

static int hold_set(void *unused, u64 val)
{
	int err = 0;

	if (val > 1)
		return -EINVAL;
	if (mutex_lock_interruptible(&run_lock))
		return -ERESTARTSYS;

	if (!val)
		release();
	else if (!held)
		err = hold();

	mutex_unlock(&run_lock);
	return err;
}

static int hold_get(void *unused, u64 *val)
{
	if (mutex_lock_interruptible(&run_lock))
		return -ERESTARTSYS;
	*val = held ? threads : 0;
	mutex_unlock(&run_lock);
	return 0;
}
DEFINE_SIMPLE_ATTRIBUTE(hold_fops, hold_get, hold_set, "%llu blocked\n");

static int __init teardown_init(void)
{
	if (!threads || threads > MAX_THREADS) {
		pr_err("threads=%u: must be 1 to %u\n", threads, MAX_THREADS);
		return -EINVAL;
	}

	dir = debugfs_create_dir("kpool_teardown", NULL);
	debugfs_create_file("run", 0400, dir, NULL, &run_fops);
	debugfs_create_file("hold", 0600, dir, NULL, &hold_fops);
	return 0;
}
module_init(teardown_init);

static void __exit teardown_exit(void)
{
	/* The files first: on return nobody is in them or will be. */
	debugfs_remove(dir);
	release();
}
module_exit(teardown_exit);

MODULE_DESCRIPTION("Ends many threads at once, and one by one, and measures");
MODULE_AUTHOR("The kpool developers");
MODULE_LICENSE("GPL");
