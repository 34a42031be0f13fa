/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is done in one hold of a pool's lock.
 *
 * The kernel has events for lockdep, when a lock is asked for and when it is
 * about to be dropped.  From the one to the other interrupts are off, so what
 * else this CPU emits in between is done in that hold: kpool's own events, one
 * for each work or worker, and wake-ups.  So nothing of the product is changed
 * for this, and whatever is done to many in one hold shows.
 *
 * The counts are guarded by the lock that is watched: they are written by who
 * holds it, the last time when it is about to be dropped.
 */
#ifndef _KPOOL_KUNIT_HOLD_FIXTURE_H
#define _KPOOL_KUNIT_HOLD_FIXTURE_H

#include <linux/math64.h>
#include <linux/percpu.h>
#include <linux/sched/clock.h>
#include <linux/tracepoint.h>

#include <trace/events/kpool.h>

#include "helpers.h"

enum handled {
	CANCELLED,	/* works that were settled */
	TOLD,		/* workers on the list of those to be signalled */
	SENT,		/* workers of which is noted that they were */
	LEFT,		/* workers that are to leave */
	STARTED,	/* works that were given a thread */
	RELEASED,	/* works about to be given back */
	MOVED,		/* works pending before or after, and not both */
	WOKEN,		/* threads */
	NR_HANDLED
};

static struct {
	struct kpool *pool;		/* or NULL */
	unsigned int now[NR_HANDLED];	/* in this hold */
	unsigned int most[NR_HANDLED];	/* in any */
	unsigned int all[NR_HANDLED];	/* in all of them */
	unsigned int pending;		/* at the end of the last hold */
	unsigned int holds;
	u64 dropped;			/* when the last hold ended */
	u64 longest;
	u64 total;			/* time of all holds */
} watch;

/* When this CPU asked for the lock that it has, or is about to get; or 0. */
static DEFINE_PER_CPU(u64, hold_asked);

static bool is_watched(const struct lockdep_map *map)
{
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	struct kpool *pool = READ_ONCE(watch.pool);

	return pool && map == &pool->lock.dep_map;
#else
	return false;
#endif
}

static void probe_asked(void *data, struct lockdep_map *map,
			unsigned int subclass, int trylock, int read, int check,
			struct lockdep_map *nest, unsigned long ip)
{
	if (unlikely(is_watched(map)))
		this_cpu_write(hold_asked, local_clock() ?: 1);
}

/* Who had to wait for the lock has it since it was dropped. */
static void probe_dropped(void *data, struct lockdep_map *map,
			  unsigned long ip)
{
	u64 now, since;
	int i;

	if (likely(!is_watched(map)) || !this_cpu_read(hold_asked))
		return;
	now = local_clock();
	since = max(this_cpu_read(hold_asked), watch.dropped);
	if (now > since) {
		watch.longest = max(watch.longest, now - since);
		watch.total += now - since;
	}
	watch.dropped = now;
	watch.holds++;
	watch.now[MOVED] = abs((int)(watch.pool->root->nr_pending -
				     watch.pending));
	watch.pending = watch.pool->root->nr_pending;
	for (i = 0; i < NR_HANDLED; i++) {
		watch.most[i] = max(watch.most[i], watch.now[i]);
		watch.all[i] += watch.now[i];
		watch.now[i] = 0;
	}
	this_cpu_write(hold_asked, 0);
}

static void count(const struct kpool *pool, enum handled what)
{
	if (pool == READ_ONCE(watch.pool) && this_cpu_read(hold_asked))
		watch.now[what]++;
}

static void probe_waking(void *data, struct task_struct *task)
{
	struct kpool *pool = READ_ONCE(watch.pool);

	if (pool)
		count(pool, WOKEN);
}

#define HOLD_WORK_PROBE(name, what)					\
static void probe_##name(void *data, struct kpool_group *group,		\
			 struct kpool_work *work)			\
{									\
	count(group->pool, what);					\
}

#define HOLD_THREAD_PROBE(name, what)					\
static void probe_##name(void *data, struct kpool_worker *worker)	\
{									\
	count(worker->pool, what);					\
}

HOLD_WORK_PROBE(work_cancel, CANCELLED)
HOLD_WORK_PROBE(work_tell, TOLD)
HOLD_WORK_PROBE(work_release, RELEASED)
HOLD_THREAD_PROBE(tell_sent, SENT)
HOLD_THREAD_PROBE(thread_leave, LEFT)

static void probe_work_start(void *data, struct kpool_worker *worker,
			     struct kpool_work *work)
{
	count(worker->pool, STARTED);
}

/* Events of the kernel, which are not exported, by their names. */
static struct kernel_event {
	const char *name;
	void *probe;
	struct tracepoint *tp;
} kernel_events[] = {
	{ "lock_acquire", probe_asked },
	{ "lock_release", probe_dropped },
	{ "sched_waking", probe_waking },
};

static void find_kernel_event(struct tracepoint *tp, void *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kernel_events); i++)
		if (!strcmp(tp->name, kernel_events[i].name))
			kernel_events[i].tp = tp;
}

static int probe_kernel_events(void)
{
	struct kernel_event *event;
	int i, err = 0;

	for (i = 0; i < ARRAY_SIZE(kernel_events) && !err; i++) {
		event = &kernel_events[i];
		err = tracepoint_probe_register(event->tp, event->probe, NULL);
	}
	return err;
}

static int probe_holds(void)
{
	int err;

	err = register_trace_kpool_work_cancel(probe_work_cancel, NULL);
	err = err ?: register_trace_kpool_work_tell(probe_work_tell, NULL);
	err = err ?: register_trace_kpool_work_release(probe_work_release,
						       NULL);
	err = err ?: register_trace_kpool_tell_sent(probe_tell_sent, NULL);
	err = err ?: register_trace_kpool_thread_leave(probe_thread_leave,
						       NULL);
	err = err ?: register_trace_kpool_work_start(probe_work_start, NULL);
	return err ?: probe_kernel_events();
}

/*
 * The pool may be gone.  A CPU that has asked for the lock, or has it, does not
 * say any more that it drops it.
 */
static void watch_no_more(void)
{
	int cpu;

	WRITE_ONCE(watch.pool, NULL);
	tracepoint_synchronize_unregister();
	for_each_possible_cpu(cpu)
		per_cpu(hold_asked, cpu) = 0;
}

/* Those that were not registered are passed over. */
static int probe_holds_end(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kernel_events); i++)
		if (kernel_events[i].tp)
			tracepoint_probe_unregister(kernel_events[i].tp,
						    kernel_events[i].probe,
						    NULL);
	unregister_trace_kpool_work_cancel(probe_work_cancel, NULL);
	unregister_trace_kpool_work_tell(probe_work_tell, NULL);
	unregister_trace_kpool_work_release(probe_work_release, NULL);
	unregister_trace_kpool_tell_sent(probe_tell_sent, NULL);
	unregister_trace_kpool_thread_leave(probe_thread_leave, NULL);
	unregister_trace_kpool_work_start(probe_work_start, NULL);
	tracepoint_synchronize_unregister();
	return 0;
}

static int hold_suite_init(struct kunit_suite *suite)
{
	int i;

	for_each_kernel_tracepoint(find_kernel_event, NULL);
	for (i = 0; i < ARRAY_SIZE(kernel_events); i++)
		if (!kernel_events[i].tp)
			return 0;	/* cases are skipped */
	return on_one_cpu(probe_holds);
}

static void hold_suite_exit(struct kunit_suite *suite)
{
	watch_no_more();
	on_one_cpu(probe_holds_end);
}

static void stop_watching(void *unused)
{
	watch_no_more();
}

/* Before the first watch_holds(). */
static void need_lock_events(struct kunit *test)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kernel_events); i++)
		if (!kernel_events[i].tp)
			kunit_skip(test, "a kernel without the event %s",
				   kernel_events[i].name);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, stop_watching, NULL));
}

/* From here on the holds of this pool's lock are looked at. */
static void watch_holds(struct kpool *pool)
{
	raw_spin_lock_irq(&pool->lock);
	memset(&watch, 0, sizeof(watch));
	watch.pending = pool->root->nr_pending;
	watch.dropped = local_clock();
	WRITE_ONCE(watch.pool, pool);
	raw_spin_unlock_irq(&pool->lock);
}

/*
 * For people: machines are too noisy to be held to a time, and the longest may
 * be that in which an emulated CPU did not run.
 */
static void show_holds(struct kunit *test, const char *path)
{
	kunit_info(test, "%s: %u holds, %llu ns in the mean, the longest %llu ns\n",
		   path, watch.holds,
		   watch.holds ? div_u64(watch.total, watch.holds) : 0,
		   watch.longest);
}

#endif /* _KPOOL_KUNIT_HOLD_FIXTURE_H */
