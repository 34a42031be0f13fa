// SPDX-License-Identifier: GPL-2.0-only
/* Promise 16: every transition of works, threads and groups is an event. */
#include <linux/trace_events.h>

#include <trace/events/kpool.h>

#include "stop_fixture.h"

enum event {
	QUEUE = 1, REQUEUE, CANCEL, TELL, RELEASE, START, ENTER, END,
	CREATE, CREATED, FAILED, PARK, LEAVE, SENT, STATE, IDLE,
};

/*
 * What was emitted for one pool, in order.  Probes are called under raw locks
 * and in interrupts: they take a place and write to it.
 */
static struct {
	struct kpool *pool;
	atomic_t n;
	struct {
		enum event event;
		const void *what;	/* work, worker or group */
		u32 value;		/* seq, result or state */
	} seen[64];
} trace;

static void note(struct kpool *pool, enum event event, const void *what,
		 u32 value)
{
	int n;

	if (pool != READ_ONCE(trace.pool))
		return;
	n = atomic_fetch_inc(&trace.n);
	if (n >= ARRAY_SIZE(trace.seen))
		return;
	trace.seen[n].what = what;
	trace.seen[n].value = value;
	/* pairs with find_event() */
	smp_store_release(&trace.seen[n].event, event);
}

#define WORK_PROBE(name, number)					\
static void probe_##name(void *data, struct kpool_group *group,		\
			 struct kpool_work *work)			\
{									\
	note(group->pool, number, work, work->seq);			\
}

#define RUN_PROBE(name, number)						\
static void probe_##name(void *data, struct kpool_worker *worker,	\
			 struct kpool_work *work)			\
{									\
	note(worker->pool, number, work, work->seq);			\
}

#define THREAD_PROBE(name, number)					\
static void probe_##name(void *data, struct kpool_worker *worker)	\
{									\
	note(worker->pool, number, worker, worker->id);			\
}

#define GROUP_PROBE(name, number)					\
static void probe_##name(void *data, struct kpool_group *group)		\
{									\
	note(group->pool, number, group, group->state);			\
}

WORK_PROBE(kpool_work_queue, QUEUE)
WORK_PROBE(kpool_work_requeue, REQUEUE)
WORK_PROBE(kpool_work_cancel, CANCEL)
WORK_PROBE(kpool_work_tell, TELL)
WORK_PROBE(kpool_work_release, RELEASE)
RUN_PROBE(kpool_work_start, START)
RUN_PROBE(kpool_work_enter, ENTER)
THREAD_PROBE(kpool_thread_created, CREATED)
THREAD_PROBE(kpool_thread_park, PARK)
THREAD_PROBE(kpool_thread_leave, LEAVE)
THREAD_PROBE(kpool_tell_sent, SENT)
GROUP_PROBE(kpool_group_state, STATE)
GROUP_PROBE(kpool_group_idle, IDLE)

static void probe_kpool_work_end(void *data, struct kpool_worker *worker,
				 struct kpool_work *work, int result)
{
	note(worker->pool, END, work, result);
}

static void probe_kpool_thread_create(void *data, struct kpool *pool)
{
	note(pool, CREATE, pool, 0);
}

static void probe_kpool_create_failed(void *data, const char *name, int err,
				      unsigned int threads,
				      unsigned int pending)
{
	struct kpool *pool = READ_ONCE(trace.pool);

	if (pool && !strcmp(name, pool->name))
		note(pool, FAILED, pool, err);
}

static int probe_all(void)
{
	int err;

	err = register_trace_kpool_work_queue(probe_kpool_work_queue, NULL);
	err = err ?: register_trace_kpool_work_requeue(probe_kpool_work_requeue,
						       NULL);
	err = err ?: register_trace_kpool_work_cancel(probe_kpool_work_cancel,
						      NULL);
	err = err ?: register_trace_kpool_work_tell(probe_kpool_work_tell,
						    NULL);
	err = err ?: register_trace_kpool_work_release(probe_kpool_work_release,
						       NULL);
	err = err ?: register_trace_kpool_work_start(probe_kpool_work_start,
						     NULL);
	err = err ?: register_trace_kpool_work_enter(probe_kpool_work_enter,
						     NULL);
	err = err ?: register_trace_kpool_work_end(probe_kpool_work_end, NULL);
	err = err ?: register_trace_kpool_thread_create(probe_kpool_thread_create,
							NULL);
	err = err ?: register_trace_kpool_thread_created(probe_kpool_thread_created,
							 NULL);
	err = err ?: register_trace_kpool_create_failed(probe_kpool_create_failed,
							NULL);
	err = err ?: register_trace_kpool_thread_park(probe_kpool_thread_park,
						      NULL);
	err = err ?: register_trace_kpool_thread_leave(probe_kpool_thread_leave,
						       NULL);
	err = err ?: register_trace_kpool_tell_sent(probe_kpool_tell_sent,
						    NULL);
	err = err ?: register_trace_kpool_group_state(probe_kpool_group_state,
						      NULL);
	err = err ?: register_trace_kpool_group_idle(probe_kpool_group_idle,
						     NULL);
	return err;
}

/* Those that were not registered are passed over. */
static void trace_end(void *unused)
{
	WRITE_ONCE(trace.pool, NULL);
	unregister_trace_kpool_work_queue(probe_kpool_work_queue, NULL);
	unregister_trace_kpool_work_requeue(probe_kpool_work_requeue, NULL);
	unregister_trace_kpool_work_cancel(probe_kpool_work_cancel, NULL);
	unregister_trace_kpool_work_tell(probe_kpool_work_tell, NULL);
	unregister_trace_kpool_work_release(probe_kpool_work_release, NULL);
	unregister_trace_kpool_work_start(probe_kpool_work_start, NULL);
	unregister_trace_kpool_work_enter(probe_kpool_work_enter, NULL);
	unregister_trace_kpool_work_end(probe_kpool_work_end, NULL);
	unregister_trace_kpool_thread_create(probe_kpool_thread_create, NULL);
	unregister_trace_kpool_thread_created(probe_kpool_thread_created, NULL);
	unregister_trace_kpool_create_failed(probe_kpool_create_failed, NULL);
	unregister_trace_kpool_thread_park(probe_kpool_thread_park, NULL);
	unregister_trace_kpool_thread_leave(probe_kpool_thread_leave, NULL);
	unregister_trace_kpool_tell_sent(probe_kpool_tell_sent, NULL);
	unregister_trace_kpool_group_state(probe_kpool_group_state, NULL);
	unregister_trace_kpool_group_idle(probe_kpool_group_idle, NULL);
	tracepoint_synchronize_unregister();
}

/* From here on the events of this pool are noted. */
static void trace_pool(struct kunit *test, struct kpool *pool)
{
	memset(&trace, 0, sizeof(trace));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, trace_end, NULL));
	KUNIT_ASSERT_EQ(test, 0, probe_all());
	WRITE_ONCE(trace.pool, pool);
}

/* Where this event of this object is, from place @from on; or -1. */
static int find_event(enum event event, const void *what, int from)
{
	int i, n = min_t(int, atomic_read(&trace.n), ARRAY_SIZE(trace.seen));

	for (i = from; i < n; i++) {
		/* pairs with note() */
		if (smp_load_acquire(&trace.seen[i].event) == event &&
		    (!what || trace.seen[i].what == what))
			return i;
	}
	return -1;
}

static int count_events(enum event event, const void *what)
{
	int n = 0, at = -1;

	while ((at = find_event(event, what, at + 1)) >= 0)
		n++;
	return n;
}

/* These events of one object came in this order. */
static void expect_order(struct kunit *test, const void *what,
			 const enum event *events, int n)
{
	int i, at = -1;

	for (i = 0; i < n; i++) {
		at = find_event(events[i], what, at + 1);
		KUNIT_EXPECT_GE_MSG(test, at, 0, "event %d (%d) is missing", i,
				    events[i]);
		if (at < 0)
			return;
	}
}

#define EXPECT_ORDER(test, what, ...)					\
do {									\
	static const enum event __events[] = { __VA_ARGS__ };		\
									\
	expect_order(test, what, __events, ARRAY_SIZE(__events));	\
} while (0)

static void run_is_queued_started_entered_ended(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	int at;

	trace_pool(test, pool);
	g->ret = 42;
	gated_open(g);
	expect_queued(test, kpool_root(pool), g, 1);
	expect_over(test, g, 1);
	EXPECT_ORDER(test, &g->work, QUEUE, START, ENTER, END);
	at = find_event(END, &g->work, 0);
	KUNIT_ASSERT_GE(test, at, 0);
	KUNIT_EXPECT_EQ(test, 42, trace.seen[at].value);
	KUNIT_EXPECT_EQ(test, 0, count_events(RELEASE, &g->work));
}

static void further_run_is_requeued(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);
	int first, second;

	trace_pool(test, pool);
	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	expect_queued(test, kpool_root(pool), g, 1);
	gated_open(g);
	expect_over(test, g, 1);
	EXPECT_ORDER(test, &g->work, QUEUE, START, ENTER, QUEUE, END, REQUEUE,
		     START, ENTER, END);
	first = find_event(QUEUE, &g->work, 0);
	second = find_event(QUEUE, &g->work, first + 1);
	KUNIT_ASSERT_GE(test, second, 0);
	KUNIT_EXPECT_EQ(test, trace.seen[first].value + 1,
			trace.seen[second].value);
}

static void cancelled_and_given_back(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 2);

	trace_pool(test, pool);
	g[0].work.release = gated_release;
	g[1].work.release = gated_release;
	expect_queued(test, kpool_root(pool), g, 2);
	expect_started(test, g, 1);
	kpool_work_cancel(&g[1].work);
	gated_open(g);
	KUNIT_EXPECT_EQ(test, 0,
			kpool_group_wait_timeout(kpool_root(pool), DEADLINE));
	EXPECT_ORDER(test, &g[0].work, QUEUE, START, ENTER, END, RELEASE);
	EXPECT_ORDER(test, &g[1].work, QUEUE, CANCEL, RELEASE);
	KUNIT_EXPECT_EQ(test, 0, count_events(START, &g[1].work));
}

/* The further run that a told work had asked for. */
static void further_run_is_cancelled(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct gated *g = gated_array(test, 1);

	trace_pool(test, pool);
	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	expect_queued(test, kpool_root(pool), g, 1);
	kpool_work_cancel_sync(&g->work);
	EXPECT_ORDER(test, &g->work, QUEUE, START, ENTER, QUEUE, TELL, END,
		     CANCEL);
	KUNIT_EXPECT_EQ(test, 0, count_events(REQUEUE, &g->work));
}

static void stop_is_seen(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 3);
	int state, tell;

	trace_pool(test, pool);
	expect_queued(test, group, g, 3);
	expect_started(test, g, 2);
	expect_stop(test, group);
	EXPECT_ORDER(test, group, STATE, IDLE);
	EXPECT_ORDER(test, &g[0].work, START, TELL, END);
	EXPECT_ORDER(test, &g[1].work, START, TELL, END);
	EXPECT_ORDER(test, &g[2].work, QUEUE, CANCEL);
	KUNIT_EXPECT_EQ(test, 2, count_events(SENT, NULL));
	state = find_event(STATE, group, 0);
	tell = find_event(TELL, &g[0].work, 0);
	KUNIT_EXPECT_LT(test, state, tell);
	KUNIT_ASSERT_GE(test, state, 0);
	KUNIT_EXPECT_EQ(test, GROUP_STOPPED, trace.seen[state].value);
}

/* Told before its thread could be signalled: it signals itself. */
static void tell_of_the_newborn_is_seen(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	struct gated *g = gated_array(test, 1);

	trace_pool(test, pool);
	hold_at(test, pool, KPOOL_AT_BIRTH);
	expect_queued(test, kpool_root(pool), g, 1);
	hold_reached(test);
	kpool_work_cancel(&g->work);
	hold_release();
	expect_told(test, g, 1);
	EXPECT_ORDER(test, &g->work, TELL, ENTER);
	KUNIT_EXPECT_EQ(test, 1, count_events(SENT, NULL));
}

static void threads_come_and_go(struct kunit *test)
{
	struct kpool_params params = { .max_threads = 1, .idle_timeout = 1 };
	struct kpool *pool = test_pool_params(test, &params);
	struct gated *g = gated_array(test, 1);
	int at;

	trace_pool(test, pool);
	gated_open(g);
	expect_queued(test, kpool_root(pool), g, 1);
	expect_over(test, g, 1);
	expect_soon(test, count_events(LEAVE, NULL) == 1);
	EXPECT_ORDER(test, pool, CREATE);
	at = find_event(CREATED, NULL, 0);
	KUNIT_ASSERT_GE(test, at, 0);
	EXPECT_ORDER(test, trace.seen[at].what, CREATED, PARK, LEAVE);
	KUNIT_EXPECT_LT(test, find_event(CREATE, pool, 0), at);
	KUNIT_EXPECT_LT(test, at, find_event(START, &g->work, 0));
}

static void failed_creation_is_seen(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 1);
	struct gated *g = gated_array(test, 1);
	int at;

	trace_pool(test, pool);
	fail_creations(test, 0);
	gated_open(g);
	expect_queued(test, kpool_root(pool), g, 1);
	expect_soon(test, count_events(FAILED, pool));
	fail_no_more();
	expect_over(test, g, 1);
	EXPECT_ORDER(test, pool, CREATE, FAILED, CREATE);
	at = find_event(FAILED, pool, 0);
	KUNIT_ASSERT_GE(test, at, 0);
	KUNIT_EXPECT_EQ(test, (u32)-ENOMEM, trace.seen[at].value);
}

struct irq_queue {
	struct kpool_group *group;
	struct kpool_work *work;
	int ret;
};

static void queue_in_irq(void *arg)
{
	struct irq_queue *q = arg;

	q->ret = kpool_queue(q->group, q->work);
}

static int events_on(void)
{
	return trace_set_clr_event("kpool", NULL, 1);
}

static int clear_events(void)
{
	return trace_set_clr_event("kpool", NULL, 0);
}

static void events_off(void *unused)
{
	on_one_cpu(clear_events);
}

/*
 * Into the trace buffer, from a hard interrupt too: what is copied there was
 * alive, and no lock on the way sleeps.
 */
static void events_are_recorded_anywhere(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 1);
	struct irq_queue q = { .group = group, .work = &g->work };

	KUNIT_ASSERT_EQ(test, 0, on_one_cpu(events_on));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, events_off, NULL));
	trace_pool(test, pool);
	call_in_hardirq(test, queue_in_irq, &q);
	KUNIT_EXPECT_EQ(test, 0, q.ret);
	EXPECT_ORDER(test, &g->work, QUEUE, START);
	expect_started(test, g, 1);
	expect_stop(test, group);
	EXPECT_ORDER(test, &g->work, QUEUE, START, ENTER, TELL, END);
	test_pool_destroy(test, pool);
}

static struct kunit_case trace_cases[] = {
	KUNIT_CASE(run_is_queued_started_entered_ended),
	KUNIT_CASE(further_run_is_requeued),
	KUNIT_CASE(cancelled_and_given_back),
	KUNIT_CASE(further_run_is_cancelled),
	KUNIT_CASE(stop_is_seen),
	KUNIT_CASE(tell_of_the_newborn_is_seen),
	KUNIT_CASE(threads_come_and_go),
	KUNIT_CASE(failed_creation_is_seen),
	KUNIT_CASE(events_are_recorded_anywhere),
	{}
};

static struct kunit_suite trace_suite = {
	.name = "kpool_trace",
	.test_cases = trace_cases,
};

kunit_test_suite(trace_suite);
