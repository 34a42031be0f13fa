// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pings: how long does it take to queue one function, until it runs, and until
 * who queued it knows that it did?
 *
 * The function is the same for all sides: it takes the time and wakes the
 * submitter, who sleeps until then.  Between two pings everybody goes idle.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "bench.h"

#define PINGS	200

static struct task_struct *submitter;
static bool done;
static u64 started;

static void body(void)
{
	started = now();
	WRITE_ONCE(done, true);
	wake_up_process(submitter);
}

static void ping(const struct bench_side *side, unsigned int i,
		 struct samples *samples)
{
	u64 begin, queued;

	done = false;
	begin = now();
	side->queue(side, i);
	queued = now();
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (READ_ONCE(done))
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	sample_add(samples, queued - begin, started - begin, now() - begin);
}

int ping_measure(const struct bench_row *row, const struct bench_side *side,
		 struct samples *samples)
{
	unsigned int i;

	submitter = current;
	for (i = 0; i < PINGS; i++) {
		ping(side, i, samples);
		bench_pause();
	}
	return 0;
}

/* ------------------------------------------------------------------------
 * The floor: a thread that is woken
 */

static struct task_struct *raw_task;
static bool raw_kick;

static int raw_fn(void *unused)
{
	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		if (READ_ONCE(raw_kick)) {
			__set_current_state(TASK_RUNNING);
			WRITE_ONCE(raw_kick, false);
			body();
			continue;
		}
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static int raw_begin(const struct bench_row *row,
		     const struct bench_side *side)
{
	raw_task = kthread_create(raw_fn, NULL, "bench/raw");
	if (IS_ERR(raw_task))
		return PTR_ERR(raw_task);
	kthread_bind(raw_task, row->cpu);
	wake_up_process(raw_task);
	return 0;
}

static void raw_end(const struct bench_side *side)
{
	kthread_stop(raw_task);
}

static void raw_queue(const struct bench_side *side, unsigned int i)
{
	WRITE_ONCE(raw_kick, true);
	wake_up_process(raw_task);
}

static const struct bench_side raw_side = {
	.name = "floor",
	.begin = raw_begin,
	.end = raw_end,
	.queue = raw_queue,
	.measure = ping_measure,
};

/* ------------------------------------------------------------------------
 * Peers
 */

static struct kthread_worker *kworker;
static struct kthread_work kwork;

static void kwork_fn(struct kthread_work *work)
{
	body();
}

static int kworker_begin(const struct bench_row *row,
			 const struct bench_side *side)
{
	kthread_init_work(&kwork, kwork_fn);
	kworker = kthread_create_worker_on_cpu(row->cpu, 0, "bench/kw%u",
					       row->cpu);
	return PTR_ERR_OR_ZERO(kworker);
}

static void kworker_end(const struct bench_side *side)
{
	kthread_destroy_worker(kworker);
}

static void kworker_queue(const struct bench_side *side, unsigned int i)
{
	kthread_queue_work(kworker, &kwork);
}

static const struct bench_side kworker_side = {
	.name = "kthread_worker",
	.begin = kworker_begin,
	.end = kworker_end,
	.queue = kworker_queue,
	.measure = ping_measure,
};

static struct workqueue_struct *wq[2];
static struct work_struct wq_work;
static int wq_cpu;

static void wq_fn(struct work_struct *work)
{
	body();
}

/*
 * Keep an unbound workqueue on the CPU of the row: there is no other way for a
 * module.
 */
static int confine(unsigned int index, unsigned int cpu)
{
	char path[64], mask[16];
	struct file *file;
	loff_t pos = 0;
	ssize_t len;

	snprintf(path, sizeof(path),
		 "/sys/devices/virtual/workqueue/bench_ping%u/cpumask", index);
	file = filp_open(path, O_WRONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	len = snprintf(mask, sizeof(mask), "%x\n", 1U << cpu);
	len = kernel_write(file, mask, len, &pos);
	filp_close(file, NULL);
	return len < 0 ? len : 0;
}

static int wq_begin(const struct bench_row *row, const struct bench_side *side)
{
	int err = 0;

	wq_cpu = row->cpu;
	INIT_WORK(&wq_work, wq_fn);
	wq[side->index] = alloc_workqueue("bench_ping%u", side->flags, 0,
					  side->index);
	if (!wq[side->index])
		return -ENOMEM;
	if (side->flags & WQ_UNBOUND)
		err = confine(side->index, row->cpu);
	if (err)
		destroy_workqueue(wq[side->index]);
	return err;
}

static void wq_end(const struct bench_side *side)
{
	destroy_workqueue(wq[side->index]);
}

static void unbound_queue(const struct bench_side *side, unsigned int i)
{
	queue_work(wq[side->index], &wq_work);
}

static void percpu_queue(const struct bench_side *side, unsigned int i)
{
	queue_work_on(wq_cpu, wq[side->index], &wq_work);
}

static const struct bench_side unbound_side = {
	.name = "workqueue unbound",
	.index = 0,
	.flags = WQ_UNBOUND | WQ_SYSFS,
	.begin = wq_begin,
	.end = wq_end,
	.queue = unbound_queue,
	.measure = ping_measure,
};

static const struct bench_side percpu_side = {
	.name = "workqueue per CPU",
	.index = 1,
	.begin = wq_begin,
	.end = wq_end,
	.queue = percpu_queue,
	.measure = ping_measure,
};

/* ------------------------------------------------------------------------
 * kpool
 */

static struct bench_pool pool;
static struct kpool_work kpool_work;

int ping_kpool_fn(struct kpool_work *work)
{
	body();
	return 0;
}

static int kpool_begin(const struct bench_row *row,
		       const struct bench_side *side)
{
	const struct kpool_params params = {
		.min_threads = 8,
		.max_threads = 8,
		.cpumask = cpumask_of(row->cpu),
	};

	kpool_work_init(&kpool_work, ping_kpool_fn);
	return bench_pool_begin(&pool, "bench", &params);
}

static void kpool_end(const struct bench_side *side)
{
	bench_pool_end(&pool);
}

static void kpool_queue_one(const struct bench_side *side, unsigned int i)
{
	WARN_ON_ONCE(kpool_queue(pool.group, &kpool_work));
}

static const struct bench_side kpool_side = {
	.name = "kpool",
	.begin = kpool_begin,
	.end = kpool_end,
	.queue = kpool_queue_one,
	.measure = ping_measure,
};

#define PING_ROW							\
	.metric = { "queue", "start", "round" },			\
	.rounds = 15

const struct bench_row ping_rows[] = {
	{
		.name = "ping-cross",
		.cpu = OTHER_CPU,
		.side = { &raw_side, &kworker_side, &unbound_side,
			  &percpu_side, &kpool_side },
		PING_ROW,
	}, {
		.name = "ping-same",
		.cpu = BENCH_CPU,
		.side = { &raw_side, &kworker_side, &percpu_side,
			  &kpool_side },
		PING_ROW,
	},
	{ }
};
