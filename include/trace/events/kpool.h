/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every transition of works, threads and groups.
 *
 * Most are emitted under the pool's raw lock, so a probe must not sleep, nor
 * take a lock that sleeps on PREEMPT_RT, nor call kpool.  Names are copied,
 * pointers are for matching events only.  A work is told apart from the one
 * that has the same memory later by @seq, its number of accepted queueings.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kpool

#if !defined(_TRACE_KPOOL_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_KPOOL_H

#include <linux/kpool.h>
#include <linux/tracepoint.h>

struct kpool_worker;

DECLARE_EVENT_CLASS(kpool_work,

	TP_PROTO(struct kpool_group *group, struct kpool_work *work),

	TP_ARGS(group, work),

	TP_STRUCT__entry(
		__field(void *,		work)
		__field(void *,		function)
		__field(u32,		seq)
		__string(pool,		group->pool->name)
		__string(group,		group->name)
	),

	TP_fast_assign(
		__entry->work = work;
		__entry->function = work->fn;
		__entry->seq = work->seq;
		kpool_assign_str(pool, group->pool->name);
		kpool_assign_str(group, group->name);
	),

	TP_printk("pool=%s group=%s work=%p seq=%u function=%ps",
		  __get_str(pool), __get_str(group), __entry->work,
		  __entry->seq, __entry->function)
);

/**
 * kpool_work_queue - a queueing was accepted
 * @group: the group that the work is bound to
 * @work: the work; pending now, or running and to run once more
 */
DEFINE_EVENT(kpool_work, kpool_work_queue,
	TP_PROTO(struct kpool_group *group, struct kpool_work *work),
	TP_ARGS(group, work)
);

/**
 * kpool_work_requeue - a run ended, and a further one was asked for meanwhile
 * @group: the group that the work is bound to
 * @work: the work; pending from here on, at the tail
 */
DEFINE_EVENT(kpool_work, kpool_work_requeue,
	TP_PROTO(struct kpool_group *group, struct kpool_work *work),
	TP_ARGS(group, work)
);

/**
 * kpool_work_cancel - a queueing was taken away and will never run
 * @group: the group that the work is bound to
 * @work: the work
 */
DEFINE_EVENT(kpool_work, kpool_work_cancel,
	TP_PROTO(struct kpool_group *group, struct kpool_work *work),
	TP_ARGS(group, work)
);

/**
 * kpool_work_tell - a running work was told to stop
 * @group: the group that the work is bound to
 * @work: the work
 *
 * Comes once for a cancel and once for a stop.  kpool_should_stop() is true
 * at once; the signal, if there will be one, is kpool_tell_sent.
 */
DEFINE_EVENT(kpool_work, kpool_work_tell,
	TP_PROTO(struct kpool_group *group, struct kpool_work *work),
	TP_ARGS(group, work)
);

/**
 * kpool_work_release - a release function is about to be called
 * @group: the group that the work was bound to
 * @work: the work
 *
 * If the run that ended was told, and a further one had been asked for, both
 * queueings are over: one event, two calls.
 */
DEFINE_EVENT(kpool_work, kpool_work_release,
	TP_PROTO(struct kpool_group *group, struct kpool_work *work),
	TP_ARGS(group, work)
);

DECLARE_EVENT_CLASS(kpool_run,

	TP_PROTO(struct kpool_worker *worker, struct kpool_work *work),

	TP_ARGS(worker, work),

	TP_STRUCT__entry(
		__field(void *,		work)
		__field(void *,		function)
		__field(u32,		seq)
		__field(unsigned int,	thread)
		__string(pool,		worker->pool->name)
		__string(group,		worker->group->name)
	),

	TP_fast_assign(
		__entry->work = work;
		__entry->function = work->fn;
		__entry->seq = work->seq;
		__entry->thread = worker->id;
		kpool_assign_str(pool, worker->pool->name);
		kpool_assign_str(group, worker->group->name);
	),

	TP_printk("pool=%s group=%s work=%p seq=%u function=%ps thread=%u",
		  __get_str(pool), __get_str(group), __entry->work,
		  __entry->seq, __entry->function, __entry->thread)
);

/**
 * kpool_work_start - a thread was committed to a work
 * @worker: the thread, which may have to be woken first
 * @work: the work; it counts as running
 */
DEFINE_EVENT(kpool_run, kpool_work_start,
	TP_PROTO(struct kpool_worker *worker, struct kpool_work *work),
	TP_ARGS(worker, work)
);

/**
 * kpool_work_enter - the function of a work is about to be called
 * @worker: the current thread
 * @work: the work
 */
DEFINE_EVENT(kpool_run, kpool_work_enter,
	TP_PROTO(struct kpool_worker *worker, struct kpool_work *work),
	TP_ARGS(worker, work)
);

/**
 * kpool_work_end - the function of a work has returned
 * @worker: the current thread
 * @work: the work
 * @result: what it returned
 */
TRACE_EVENT(kpool_work_end,

	TP_PROTO(struct kpool_worker *worker, struct kpool_work *work,
		 int result),

	TP_ARGS(worker, work, result),

	TP_STRUCT__entry(
		__field(void *,		work)
		__field(void *,		function)
		__field(u32,		seq)
		__field(unsigned int,	thread)
		__field(int,		result)
		__string(pool,		worker->pool->name)
		__string(group,		worker->group->name)
	),

	TP_fast_assign(
		__entry->work = work;
		__entry->function = work->fn;
		__entry->seq = work->seq;
		__entry->thread = worker->id;
		__entry->result = result;
		kpool_assign_str(pool, worker->pool->name);
		kpool_assign_str(group, worker->group->name);
	),

	TP_printk("pool=%s group=%s work=%p seq=%u function=%ps thread=%u result=%d",
		  __get_str(pool), __get_str(group), __entry->work,
		  __entry->seq, __entry->function, __entry->thread,
		  __entry->result)
);

DECLARE_EVENT_CLASS(kpool_thread,

	TP_PROTO(struct kpool_worker *worker),

	TP_ARGS(worker),

	TP_STRUCT__entry(
		__field(unsigned int,	thread)
		__field(pid_t,		pid)
		__field(unsigned int,	threads)
		__field(unsigned int,	idle)
		__string(pool,		worker->pool->name)
	),

	TP_fast_assign(
		__entry->thread = worker->id;
		__entry->pid = worker->task->pid;
		__entry->threads = worker->pool->nr_threads;
		__entry->idle = worker->pool->nr_idle;
		kpool_assign_str(pool, worker->pool->name);
	),

	TP_printk("pool=%s thread=%u pid=%d threads=%u idle=%u",
		  __get_str(pool), __entry->thread, __entry->pid,
		  __entry->threads, __entry->idle)
);

/**
 * kpool_thread_created - there is a thread more, which is about to be woken
 * @worker: the thread
 */
DEFINE_EVENT(kpool_thread, kpool_thread_created,
	TP_PROTO(struct kpool_worker *worker),
	TP_ARGS(worker)
);

/**
 * kpool_thread_park - a thread found nothing to do, and is idle now
 * @worker: the current thread
 */
DEFINE_EVENT(kpool_thread, kpool_thread_park,
	TP_PROTO(struct kpool_worker *worker),
	TP_ARGS(worker)
);

/**
 * kpool_thread_leave - it was decided that a thread ends
 * @worker: the thread; not one of the pool's from here on
 */
DEFINE_EVENT(kpool_thread, kpool_thread_leave,
	TP_PROTO(struct kpool_worker *worker),
	TP_ARGS(worker)
);

/**
 * kpool_tell_sent - a thread was signalled, for the work that it runs
 * @worker: the thread
 */
DEFINE_EVENT(kpool_thread, kpool_tell_sent,
	TP_PROTO(struct kpool_worker *worker),
	TP_ARGS(worker)
);

/**
 * kpool_thread_create - a thread is about to be created
 * @pool: its pool
 *
 * In the spawner kpool_thread_created or kpool_create_failed follows.  A
 * failure in kpool_create() is returned to its caller.
 */
TRACE_EVENT(kpool_thread_create,

	TP_PROTO(struct kpool *pool),

	TP_ARGS(pool),

	TP_STRUCT__entry(
		__field(unsigned int,	threads)
		__field(unsigned int,	pending)
		__string(pool,		pool->name)
	),

	TP_fast_assign(
		__entry->threads = READ_ONCE(pool->nr_threads);
		__entry->pending = READ_ONCE(pool->root->nr_pending);
		kpool_assign_str(pool, pool->name);
	),

	TP_printk("pool=%s threads=%u pending=%u", __get_str(pool),
		  __entry->threads, __entry->pending)
);

/**
 * kpool_create_failed - a thread that was needed could not be created
 * @pool: name of the pool
 * @err: why, a negative errno
 * @threads: threads of the pool without it
 * @pending: works that wait
 *
 * The spawner will try again, after a while that doubles up to a second.
 */
TRACE_EVENT(kpool_create_failed,

	TP_PROTO(const char *pool, int err, unsigned int threads,
		 unsigned int pending),

	TP_ARGS(pool, err, threads, pending),

	TP_STRUCT__entry(
		__field(int,		err)
		__field(unsigned int,	threads)
		__field(unsigned int,	pending)
		__string(pool,		pool)
	),

	TP_fast_assign(
		__entry->err = err;
		__entry->threads = threads;
		__entry->pending = pending;
		kpool_assign_str(pool, pool);
	),

	TP_printk("pool=%s err=%d threads=%u pending=%u", __get_str(pool),
		  __entry->err, __entry->threads, __entry->pending)
);

TRACE_DEFINE_ENUM(GROUP_OPEN);
TRACE_DEFINE_ENUM(GROUP_STOPPED);
TRACE_DEFINE_ENUM(GROUP_DEAD);

DECLARE_EVENT_CLASS(kpool_group,

	TP_PROTO(struct kpool_group *group),

	TP_ARGS(group),

	TP_STRUCT__entry(
		__field(unsigned int,	state)
		__field(unsigned int,	running)
		__field(unsigned int,	pending)
		__string(pool,		group->pool->name)
		__string(group,		group->name)
	),

	TP_fast_assign(
		__entry->state = group->state;
		__entry->running = group->nr_running;
		__entry->pending = group->nr_pending;
		kpool_assign_str(pool, group->pool->name);
		kpool_assign_str(group, group->name);
	),

	TP_printk("pool=%s group=%s state=%s running=%u pending=%u",
		  __get_str(pool), __get_str(group),
		  __print_symbolic(__entry->state,
				   { GROUP_OPEN, "open" },
				   { GROUP_STOPPED, "stopped" },
				   { GROUP_DEAD, "dead" }),
		  __entry->running, __entry->pending)
);

/**
 * kpool_group_state - a group has changed its state
 * @group: the group
 *
 * state=stopped is where a stop begins, state=dead where the group is about
 * to be freed.
 */
DEFINE_EVENT(kpool_group, kpool_group_state,
	TP_PROTO(struct kpool_group *group),
	TP_ARGS(group)
);

/**
 * kpool_group_idle - nothing of a group, or below it, is left to be done
 * @group: the group
 *
 * Who waits for that, a stop among others, is woken now.
 */
DEFINE_EVENT(kpool_group, kpool_group_idle,
	TP_PROTO(struct kpool_group *group),
	TP_ARGS(group)
);

#endif /* _TRACE_KPOOL_H */

#include <trace/define_trace.h>
