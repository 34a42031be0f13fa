// SPDX-License-Identifier: GPL-2.0-only
/* Waiting for room: kpool_queue_wait(). */
#include <linux/kpool_delayed.h>
#include <linux/sched/signal.h>

#include "helpers.h"

/* A call of kpool_queue_wait() by a thread of its own. */
struct queuer {
	struct kpool_group *group;
	struct gated *g;
	unsigned long timeout;
	bool killable;
	struct test_thread *thread;
};

static int queuer_fn(void *arg)
{
	struct queuer *q = arg;

	if (q->killable)
		return kpool_queue_wait_killable(q->group, &q->g->work,
						 q->timeout);
	return kpool_queue_wait(q->group, &q->g->work, q->timeout);
}

static unsigned int count_queuers(struct kpool_group *group)
{
	struct list_head *pos;
	unsigned int n = 0;

	raw_spin_lock_irq(&group->pool->lock);
	list_for_each(pos, &group->room_waiters)
		n++;
	raw_spin_unlock_irq(&group->pool->lock);
	return n;
}

/* Start a call, and see it wait behind those before it. */
static struct queuer *start_queuer(struct kunit *test,
				   struct kpool_group *group, struct gated *g,
				   unsigned long timeout, bool killable)
{
	struct queuer *q = kunit_kzalloc(test, sizeof(*q), GFP_KERNEL);
	unsigned int before = count_queuers(group);

	KUNIT_ASSERT_NOT_NULL(test, q);
	q->group = group;
	q->g = g;
	q->timeout = timeout;
	q->killable = killable;
	q->thread = run_thread(test, queuer_fn, q);
	expect_soon(test, count_queuers(group) == before + 1);
	return q;
}

static struct queuer *waiting(struct kunit *test, struct kpool_group *group,
			      struct gated *g)
{
	return start_queuer(test, group, g, DEADLINE, false);
}

/* One thread and room for one more in the group: g[0] and g[1] have both. */
static struct kpool_group *full_group(struct kunit *test, struct gated *g)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "full", 0, 1);

	expect_queued(test, group, g, 2);
	expect_started(test, g, 1);
	return group;
}

/*
 * One thread and room for one more, and g[0] has both: it runs, is to run once
 * more, and does not notice a tell.  No stop makes room here.
 */
static struct kpool_group *stuck_group(struct kunit *test, struct gated *g)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "stuck", 0, 1);

	g->sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, group, g, 1);
	expect_started(test, g, 1);
	expect_queued(test, group, g, 1);
	return group;
}

static void does_not_wait_if_there_is_room(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 1);
	struct gated *g = gated_array(test, 2);

	KUNIT_EXPECT_EQ(test, 0, kpool_queue_wait(group, &g[0].work, 0));
	expect_started(test, g, 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue_wait_killable(group, &g[1].work,
							   0));
	gated_open_all(g, 2);
	expect_over(test, g, 2);
}

static void waits_until_there_is_room(struct kunit *test)
{
	struct gated *g = gated_array(test, 3);
	struct kpool_group *group = full_group(test, g);
	struct queuer *q = waiting(test, group, &g[2]);

	KUNIT_EXPECT_TRUE(test, stays(!thread_done(q->thread)));
	gated_open(&g[0]);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, q->thread));
	KUNIT_EXPECT_EQ(test, 0, count_started(&g[2], 1));
	gated_open_all(g, 3);
	expect_over(test, g, 3);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g[2].runs));
}

/* A cancelled work makes room as well, pending or to run once more. */
static void cancel_makes_room(struct kunit *test)
{
	struct gated *g = gated_array(test, 4);
	struct kpool_group *group = full_group(test, g);
	struct queuer *q = waiting(test, group, &g[2]);

	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_work_cancel(&g[1].work));
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, q->thread));
	kpool_work_cancel(&g[2].work);
	expect_queued(test, group, g, 1);
	q = waiting(test, group, &g[3]);
	kpool_work_cancel_sync(&g[0].work);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, q->thread));
	gated_open_all(g, 4);
	expect_over(test, &g[3], 1);
}

/* Its thread leaves, so it does not come to look for works. */
static void dropped_run_makes_room(struct kunit *test)
{
	struct kpool_limits limits = {
		.min_threads = 1,
		.max_threads = 1,
		.idle_timeout = 3600 * HZ,
	};
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 1);
	struct gated *g = gated_array(test, 3);
	struct queuer *q;

	expect_queued(test, group, g, 2);
	expect_started(test, g, 2);
	KUNIT_EXPECT_EQ(test, 0, kpool_set_limits(pool, &limits));
	expect_queued(test, group, g, 1);
	q = waiting(test, group, &g[2]);
	kpool_work_cancel_sync(&g[0].work);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, q->thread));
	KUNIT_EXPECT_EQ(test, 0, count_started(&g[2], 1));
	gated_open_all(g, 3);
	expect_over(test, &g[1], 2);
}

static void waits_for_room_of_the_pool(struct kunit *test)
{
	struct kpool *pool = test_pool_params(test, &(struct kpool_params) {
		.min_threads = 1,
		.max_threads = 1,
		.max_queued = 1,
	});
	struct kpool_group *a = test_group(test, pool, "a", 0, 0);
	struct kpool_group *b = test_group(test, pool, "b", 0, 0);
	struct gated *g = gated_array(test, 3);
	struct queuer *q;

	expect_queued(test, a, g, 2);
	q = waiting(test, b, &g[2]);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(q->thread)));
	gated_open(&g[0]);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, q->thread));
	gated_open_all(g, 3);
	expect_over(test, g, 3);
}

/* What starts at once needs no room; also if others block the room for long. */
static void idle_thread_is_room_enough(struct kunit *test)
{
	struct kpool *pool = test_pool_params(test, &(struct kpool_params) {
		.min_threads = 2,
		.max_threads = 2,
		.max_queued = 1,
	});
	struct kpool_group *one = test_group(test, pool, "one", 1, 0);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 4);
	struct queuer *q;

	expect_queued(test, one, g, 2);
	expect_queued(test, group, &g[2], 1);
	q = waiting(test, group, &g[3]);
	gated_open(&g[2]);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, q->thread));
	expect_started(test, &g[3], 1);
	KUNIT_EXPECT_EQ(test, 0, count_started(&g[1], 1));
	gated_open_all(g, 4);
	expect_over(test, g, 4);
}

static void timeout_is_etimedout(struct kunit *test)
{
	struct gated *g = gated_array(test, 3);
	struct kpool_group *group = full_group(test, g);

	KUNIT_EXPECT_EQ(test, -ETIMEDOUT,
			kpool_queue_wait(group, &g[2].work, 0));
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT,
			kpool_queue_wait(group, &g[2].work, 2));
	KUNIT_EXPECT_EQ(test, 0, count_queuers(group));
	KUNIT_EXPECT_FALSE(test, kpool_work_busy(&g[2].work));
	gated_open_all(g, 3);
	expect_over(test, g, 2);
	KUNIT_EXPECT_EQ(test, 0, count_started(&g[2], 1));
}

static void killed_is_eintr(struct kunit *test)
{
	struct gated *g = gated_array(test, 3);
	struct kpool_group *group = full_group(test, g);
	struct queuer *q;

	q = start_queuer(test, group, &g[2], MAX_SCHEDULE_TIMEOUT, true);
	send_sig(SIGKILL, thread_task(q->thread), 1);
	KUNIT_EXPECT_EQ(test, -EINTR, join_thread(test, q->thread));
	KUNIT_EXPECT_EQ(test, 0, count_queuers(group));
	KUNIT_EXPECT_FALSE(test, kpool_work_busy(&g[2].work));
	gated_open_all(g, 2);
	expect_over(test, g, 2);
}

static int stop_fn(void *group)
{
	return kpool_group_stop(group);
}

/* More than a batch of them, and at once: the stop goes on. */
static void stop_is_eshutdown(struct kunit *test)
{
	unsigned int i, n = KPOOL_BATCH + 2;
	struct gated *g = gated_array(test, n + 1);
	struct kpool_group *group = stuck_group(test, g);
	struct queuer *q[KPOOL_BATCH + 2];
	struct test_thread *stopper;

	for (i = 0; i < n; i++)
		q[i] = waiting(test, group, &g[1 + i]);
	stopper = run_thread(test, stop_fn, group);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
				join_thread(test, q[i]->thread));
	KUNIT_EXPECT_EQ(test, 0, count_queuers(group));
	KUNIT_EXPECT_FALSE(test, thread_done(stopper));
	gated_open(g);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, stopper));
}

static void request_stop(void *group)
{
	kpool_group_request_stop(group);
}

static void stop_above_from_hardirq_is_eshutdown(struct kunit *test)
{
	struct gated *g = gated_array(test, 2);
	struct kpool_group *group = stuck_group(test, g);
	struct queuer *q = waiting(test, group, &g[1]);

	call_in_hardirq(test, request_stop, kpool_root(group->pool));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, join_thread(test, q->thread));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g->inside));
	gated_open(g);
}

static void other_errors_do_not_wait(struct kunit *test)
{
	struct gated *g = gated_array(test, 3);
	struct kpool_group *group = full_group(test, g);
	struct queuer *q = waiting(test, group, &g[2]);

	KUNIT_EXPECT_EQ(test, -EALREADY,
			kpool_queue_wait(group, &g[1].work, DEADLINE));
	KUNIT_EXPECT_EQ(test, -EBUSY, kpool_queue_wait(group->parent,
						       &g[1].work, DEADLINE));
	kpool_work_disable(&g[2].work);
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			kpool_queue_wait(group, &g[2].work, DEADLINE));
	kpool_work_enable(&g[2].work);
	gated_open_all(g, 3);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, q->thread));
	expect_over(test, g, 3);
}

/* Room for one at a time: in the order in which they came. */
static void first_come_first_served(struct kunit *test)
{
	struct gated *g = gated_array(test, 6);
	struct kpool_group *group = full_group(test, g);
	struct queuer *q[4];
	int i, k;

	for (i = 0; i < 4; i++)
		q[i] = waiting(test, group, &g[2 + i]);
	for (i = 0; i < 4; i++) {
		gated_open(&g[i]);
		KUNIT_EXPECT_EQ(test, 0, join_thread(test, q[i]->thread));
		for (k = i + 1; k < 4; k++)
			KUNIT_EXPECT_FALSE(test, thread_done(q[k]->thread));
	}
	gated_open_all(g, 6);
	expect_over(test, g, 6);
}

/* The others sleep on, undisturbed. */
static void room_for_one_wakes_one(struct kunit *test)
{
	struct gated *g = gated_array(test, 6);
	struct kpool_group *group = full_group(test, g);
	unsigned long slept[4];
	struct queuer *q[4];
	int i;

	for (i = 0; i < 4; i++) {
		struct task_struct *task;

		q[i] = waiting(test, group, &g[2 + i]);
		task = thread_task(q[i]->thread);
		expect_soon(test, task_is_asleep(task));
		slept[i] = READ_ONCE(task->nvcsw);
	}
	gated_open(&g[0]);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, q[0]->thread));
	KUNIT_EXPECT_TRUE(test, stays(count_queuers(group) == 3));
	for (i = 1; i < 4; i++)
		KUNIT_EXPECT_EQ(test, slept[i],
				READ_ONCE(thread_task(q[i]->thread)->nvcsw));
	gated_open_all(g, 6);
	for (i = 1; i < 4; i++)
		KUNIT_EXPECT_EQ(test, 0, join_thread(test, q[i]->thread));
	expect_over(test, g, 6);
}

/* One that was woken, and found that kpool_queue() was faster, is still first. */
static void overtaken_one_keeps_its_place(struct kunit *test)
{
	struct gated *g = gated_array(test, 5);
	struct kpool_group *group = full_group(test, g);
	struct queuer *first, *second;

	hold_at(test, group->pool, KPOOL_AT_ROOM);
	first = waiting(test, group, &g[2]);
	second = waiting(test, group, &g[3]);
	gated_open(&g[0]);
	hold_reached(test);
	expect_queued(test, group, &g[4], 1);
	hold_release();
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(first->thread)));
	gated_open(&g[1]);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, first->thread));
	KUNIT_EXPECT_FALSE(test, thread_done(second->thread));
	gated_open_all(g, 5);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, second->thread));
	expect_over(test, g, 5);
	KUNIT_EXPECT_LT(test, g[2].order, g[3].order);
}

/* One that comes when there is room, but somebody was before it, waits. */
static void newcomer_does_not_overtake(struct kunit *test)
{
	struct gated *g = gated_array(test, 4);
	struct kpool_group *group = full_group(test, g);
	struct queuer *first, *second;

	hold_at(test, group->pool, KPOOL_AT_ROOM);
	first = waiting(test, group, &g[2]);
	gated_open(&g[0]);
	hold_reached(test);
	second = waiting(test, group, &g[3]);
	hold_release();
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, first->thread));
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(second->thread)));
	gated_open_all(g, 4);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, second->thread));
	expect_over(test, g, 4);
}

/* Room appears while the first gives up: the second has it. */
static void room_is_not_lost_by_one_who_gives_up(struct kunit *test)
{
	struct gated *g = gated_array(test, 4);
	struct kpool_group *group = full_group(test, g);
	struct queuer *first, *second;

	hold_at(test, group->pool, KPOOL_AT_ROOM);
	first = start_queuer(test, group, &g[2], 10, false);
	second = waiting(test, group, &g[3]);
	hold_reached(test);
	gated_open(&g[0]);
	expect_started(test, &g[1], 1);
	KUNIT_EXPECT_FALSE(test, thread_done(second->thread));
	hold_release();
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, join_thread(test, first->thread));
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, second->thread));
	gated_open_all(g, 4);
	expect_over(test, &g[3], 1);
}

/* Until it sleeps, and then what it has run for: not more if it sleeps on. */
static u64 time_asleep(struct kunit *test, struct queuer *q)
{
	struct task_struct *task = thread_task(q->thread);

	expect_soon(test, task_is_asleep(task));
	KUNIT_EXPECT_TRUE(test, stays(true));
	return READ_ONCE(task->se.sum_exec_runtime);
}

/*
 * Kept out by the pool and by its own group: who is woken for one of the two
 * waits for the other, and lets the next have what he could not take.
 */
static void room_of_one_level_is_not_enough(struct kunit *test)
{
	struct kpool *pool = test_pool_params(test, &(struct kpool_params) {
		.min_threads = 1,
		.max_threads = 1,
		.max_queued = 2,
	});
	struct kpool_limits limits = { .min_threads = 1, .max_threads = 1 };
	struct kpool_group *a = test_group(test, pool, "a", 0, 1);
	struct kpool_group *b = test_group(test, pool, "b", 0, 0);
	struct gated *g = gated_array(test, 5);
	struct queuer *first, *second;
	u64 ran;

	expect_queued(test, b, g, 1);
	expect_started(test, g, 1);
	expect_queued(test, a, &g[1], 1);
	expect_queued(test, b, &g[2], 1);
	first = waiting(test, a, &g[3]);
	second = waiting(test, b, &g[4]);
	kpool_work_cancel(&g[2].work);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, second->thread));
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(first->thread)));
	/* its own group has room, and the pool has none */
	limits.max_queued = 1;
	KUNIT_EXPECT_EQ(test, 0, kpool_set_limits(pool, &limits));
	kpool_work_cancel(&g[1].work);
	ran = time_asleep(test, first);
	KUNIT_EXPECT_EQ(test, ran, time_asleep(test, first));
	KUNIT_EXPECT_FALSE(test, thread_done(first->thread));
	kpool_work_cancel(&g[4].work);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, first->thread));
	gated_open_all(g, 5);
	expect_over(test, &g[3], 1);
}

/* Two groups wait, and one of them may not start anything. */
static void idle_thread_is_for_who_may_start(struct kunit *test)
{
	struct kpool *pool = test_pool_params(test, &(struct kpool_params) {
		.min_threads = 3,
		.max_threads = 3,
		.max_queued = 1,
	});
	struct kpool_group *one = test_group(test, pool, "one", 1, 0);
	struct kpool_group *a = test_group(test, pool, "a", 1, 0);
	struct kpool_group *b = test_group(test, pool, "b", 0, 0);
	struct gated *g = gated_array(test, 6);
	struct queuer *first, *second;
	u64 ran;

	expect_queued(test, one, g, 2);
	expect_queued(test, a, &g[2], 1);
	expect_queued(test, b, &g[3], 1);
	first = waiting(test, a, &g[4]);
	second = waiting(test, b, &g[5]);
	ran = time_asleep(test, first);
	gated_open(&g[3]);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, second->thread));
	expect_started(test, &g[5], 1);
	KUNIT_EXPECT_EQ(test, ran, time_asleep(test, first));
	KUNIT_EXPECT_FALSE(test, thread_done(first->thread));
	gated_open(&g[2]);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, first->thread));
	expect_started(test, &g[4], 1);
	gated_open_all(g, 6);
	expect_over(test, g, 6);
}

/*
 * Its further run would wait, though a thread is idle.  It sleeps until the
 * first has ended, and then starts at once.
 */
static void running_work_waits_until_it_can_start(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *group = test_group(test, pool, "g", 0, 1);
	struct kpool_delayed_work *dw;
	struct gated *g = gated_array(test, 1);
	struct queuer *q;
	u64 ran;

	dw = kunit_kzalloc(test, sizeof(*dw), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dw);
	kpool_delayed_init(dw, g->work.fn);
	expect_queued(test, group, g, 1);
	expect_started(test, g, 1);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue_delayed(group, dw, 3600 * HZ));
	q = waiting(test, group, g);
	ran = time_asleep(test, q);
	KUNIT_EXPECT_TRUE(test, stays(!thread_done(q->thread)));
	KUNIT_EXPECT_EQ(test, ran, time_asleep(test, q));
	gated_open(g);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, q->thread));
	expect_over(test, g, 1);
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&g->runs));
	kpool_delayed_cancel_sync(dw);
}

struct insider {
	struct kpool_work work;
	struct kpool_group *group;
	struct gated *g;
	int err[2];
};

static int insider_fn(struct kpool_work *work)
{
	struct insider *in = container_of(work, struct insider, work);

	in->err[0] = kpool_queue_wait(in->group, &in->g[0].work, DEADLINE);
	in->err[1] = kpool_queue_wait(in->group, &in->g[1].work, DEADLINE);
	return 0;
}

static void own_work_is_edeadlk(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 1);
	struct insider *in = kunit_kzalloc(test, sizeof(*in), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, in);
	kpool_work_init(&in->work, insider_fn);
	in->group = group;
	in->g = gated_array(test, 2);
	gated_open_all(in->g, 2);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &in->work));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&in->work, NULL,
							 2 * DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, in->err[0]);
	KUNIT_EXPECT_EQ(test, -EDEADLK, in->err[1]);
	expect_over(test, in->g, 1);
}

static struct kunit_case room_cases[] = {
	KUNIT_CASE(does_not_wait_if_there_is_room),
	KUNIT_CASE(waits_until_there_is_room),
	KUNIT_CASE(cancel_makes_room),
	KUNIT_CASE(dropped_run_makes_room),
	KUNIT_CASE(waits_for_room_of_the_pool),
	KUNIT_CASE(idle_thread_is_room_enough),
	KUNIT_CASE(timeout_is_etimedout),
	KUNIT_CASE(killed_is_eintr),
	KUNIT_CASE(stop_is_eshutdown),
	KUNIT_CASE(stop_above_from_hardirq_is_eshutdown),
	KUNIT_CASE(other_errors_do_not_wait),
	KUNIT_CASE(first_come_first_served),
	KUNIT_CASE(room_for_one_wakes_one),
	KUNIT_CASE(overtaken_one_keeps_its_place),
	KUNIT_CASE(newcomer_does_not_overtake),
	KUNIT_CASE(room_is_not_lost_by_one_who_gives_up),
	KUNIT_CASE(room_of_one_level_is_not_enough),
	KUNIT_CASE(idle_thread_is_for_who_may_start),
	KUNIT_CASE(running_work_waits_until_it_can_start),
	KUNIT_CASE(own_work_is_edeadlk),
	{}
};

static struct kunit_suite room_suite = {
	.name = "kpool_room",
	.test_cases = room_cases,
};

kunit_test_suite(room_suite);
