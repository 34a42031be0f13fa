// SPDX-License-Identifier: GPL-2.0-only
/* Promise 5: a drained group takes works from its own works only, to the end. */
#include <linux/err.h>
#include <linux/random.h>
#include <linux/sched/signal.h>

#include "stop_fixture.h"

/* A work that queues itself, or another, when its gate is open. */
struct hopper {
	struct kpool_work	work;
	struct kpool_group	*group;		/* its own */
	struct kpool_group	*to;		/* where it queues ->next */
	struct kpool_work	*next;
	bool			in_irq;		/* queues it in an interrupt */
	int			again;		/* it queues itself so often */
	int			runs;
	int			own_err;
	int			next_err;
	struct completion	started;
	struct completion	gate;
};

static void queue_next(void *arg)
{
	struct hopper *h = arg;

	h->next_err = kpool_queue(h->to, h->next);
}

static int hopper_fn(struct kpool_work *work)
{
	struct hopper *h = container_of(work, struct hopper, work);

	h->runs++;
	complete(&h->started);
	wait_for_completion_timeout(&h->gate, DEADLINE);
	if (h->again) {
		h->again--;
		h->own_err = h->own_err ?: kpool_queue(h->group, work);
	}
	if (h->next && h->in_irq)
		call_in_hardirq(NULL, queue_next, h);
	else if (h->next)
		queue_next(h);
	return 0;
}

/* Made before the pool, for it must live longer. */
static struct hopper *hopper(struct kunit *test)
{
	struct hopper *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, h);
	kpool_work_init(&h->work, hopper_fn);
	init_completion(&h->started);
	init_completion(&h->gate);
	h->next_err = 1;
	return h;
}

static void run_hopper(struct kunit *test, struct hopper *h,
		       struct kpool_group *group)
{
	h->group = group;
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(group, &h->work));
	expect_done(test, &h->started);
}

static int drain_thread(void *group)
{
	return kpool_group_drain(group);
}

static int killable_thread(void *group)
{
	return kpool_group_drain_killable(group);
}

static int stop_thread(void *group)
{
	return kpool_group_stop(group);
}

static struct test_thread *run_drain(struct kunit *test,
				     struct kpool_group *group)
{
	struct test_thread *drain = run_thread(test, drain_thread, group);

	expect_soon(test, READ_ONCE(group->state) == GROUP_CLOSED);
	return drain;
}

static void outsiders_are_refused(struct kunit *test)
{
	struct hopper *h = hopper(test);
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *top = test_group(test, pool, "top", 0, 0);
	struct kpool_group *low = test_subgroup(test, top, "low", NULL);
	struct kpool_group *other = test_group(test, pool, "other", 0, 0);
	struct gated *g = gated_array(test, 2);
	struct test_thread *drain;

	expect_queued(test, low, g, 1);
	h->next = &g[1].work;
	h->to = low;
	run_hopper(test, h, other);
	drain = run_drain(test, top);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(top, &g[1].work));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(low, &g[1].work));
	complete_all(&h->gate);
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&h->work, NULL,
							 DEADLINE));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, h->next_err);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(other, &h->work));
	gated_open_all(g, 2);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, drain));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&g[1].runs));
}

static void interrupt_of_an_own_work_is_an_outsider(struct kunit *test)
{
	struct hopper *h = hopper(test);
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 1);
	struct test_thread *drain;

	gated_open(g);
	h->next = &g->work;
	h->to = group;
	h->in_irq = true;
	run_hopper(test, h, group);
	drain = run_drain(test, group);
	complete(&h->gate);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, drain));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, h->next_err);
}

static void own_work_queues_itself(struct kunit *test)
{
	struct hopper *h = hopper(test);
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct test_thread *drain;

	h->again = 5;
	run_hopper(test, h, group);
	drain = run_drain(test, group);
	complete_all(&h->gate);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, drain));
	KUNIT_EXPECT_EQ(test, 0, h->own_err);
	KUNIT_EXPECT_EQ(test, 6, h->runs);
}

/* From below to the top, and from there to another that is below. */
static void own_work_queues_others_of_the_subtree(struct kunit *test)
{
	struct hopper *up = hopper(test), *down = hopper(test);
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *top = test_group(test, pool, "top", 0, 0);
	struct kpool_group *a = test_subgroup(test, top, "a", NULL);
	struct kpool_group *b = test_subgroup(test, top, "b", NULL);
	struct gated *g = gated_array(test, 1);
	struct test_thread *drain;

	gated_open(g);
	up->next = &down->work;
	up->to = top;
	down->next = &g->work;
	down->to = b;
	run_hopper(test, up, a);
	drain = run_drain(test, top);
	complete(&up->gate);
	complete(&down->gate);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, drain));
	KUNIT_EXPECT_EQ(test, 0, up->next_err);
	KUNIT_EXPECT_EQ(test, 0, down->next_err);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&g->runs));
	KUNIT_EXPECT_FALSE(test, g->told);
}

static void everything_pending_runs(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *top = test_group(test, pool, "top", 0, 0);
	struct kpool_group *low = test_subgroup(test, top, "low", NULL);
	struct gated *g = gated_array(test, 4);
	struct test_thread *drain;
	int i;

	expect_queued(test, top, g, 2);
	expect_queued(test, low, &g[2], 2);
	expect_started(test, g, 1);
	drain = run_drain(test, top);
	KUNIT_EXPECT_TRUE(test, stays(!completion_done(&g->ended)));
	KUNIT_EXPECT_FALSE(test, thread_done(drain));
	gated_open_all(g, 4);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, drain));
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, 1, atomic_read(&g[i].runs));
		KUNIT_EXPECT_FALSE(test, g[i].told || g[i].signalled);
	}
}

static void stays_closed(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *top = test_group(test, pool, "top", 0, 0);
	struct kpool_group *low = test_subgroup(test, top, "low", NULL);
	struct gated *g = gated_array(test, 1);

	KUNIT_EXPECT_EQ(test, 0, kpool_group_drain(top));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(top, &g->work));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(low, &g->work));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_drain(top));
}

/* A work that drains its own group in every way. */
struct own {
	struct kpool_work	work;
	struct kpool_group	*group;
	int			errs[5];
	bool			told;
};

static int drain_own_fn(struct kpool_work *work)
{
	struct own *own = container_of(work, struct own, work);
	int *err = own->errs;

	*err = kpool_group_drain_timeout(own->group, HZ);
	if (*err++ != -EDEADLK)
		return 0;
	*err++ = kpool_group_drain(own->group);
	*err++ = kpool_group_drain_killable(own->group);
	*err++ = kpool_group_drain(own->group->parent);
	*err++ = kpool_group_drain_timeout(own->group, 0);
	own->told = kpool_should_stop();
	return 0;
}

static void own_work_is_refused_but_closes(struct kunit *test)
{
	struct own *own = kunit_kzalloc(test, sizeof(*own), GFP_KERNEL);
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *top = test_group(test, pool, "top", 0, 0);
	struct gated *g = gated_array(test, 1);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, own);
	own->group = test_subgroup(test, top, "low", NULL);
	kpool_work_init(&own->work, drain_own_fn);
	KUNIT_EXPECT_EQ(test, 0, kpool_queue(own->group, &own->work));
	KUNIT_EXPECT_EQ(test, 0, kpool_work_wait_timeout(&own->work, NULL,
							 DEADLINE));
	for (i = 0; i < ARRAY_SIZE(own->errs); i++)
		KUNIT_EXPECT_EQ_MSG(test, -EDEADLK, own->errs[i], "%d", i);
	KUNIT_EXPECT_FALSE(test, own->told);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(own->group, &g->work));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(top, &g->work));
}

static void has_a_deadline(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 2);

	expect_queued(test, group, g, 1);
	expect_started(test, g, 1);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, kpool_group_drain_timeout(group, 0));
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, kpool_group_drain_timeout(group, 1));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(group, &g[1].work));
	gated_open(g);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_drain_timeout(group, DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_drain_timeout(group, 0));
	KUNIT_EXPECT_FALSE(test, g->told);
}

static void killed_drainer_leaves(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 2);
	struct test_thread *drain;

	expect_queued(test, group, g, 1);
	expect_started(test, g, 1);
	drain = run_thread(test, killable_thread, group);
	expect_soon(test, count_waiters(pool, &group->waiters) == 1);
	send_sig(SIGKILL, thread_task(drain), 1);
	KUNIT_EXPECT_EQ(test, -EINTR, join_thread(test, drain));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, kpool_queue(group, &g[1].work));
	KUNIT_EXPECT_FALSE(test, completion_done(&g->ended));
	gated_open(g);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_drain_killable(group));
}

static void of_a_stopped_group_waits(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *group = test_group(test, pool, "g", 0, 0);
	struct gated *g = gated_array(test, 2);
	struct test_thread *drain;

	g->sleep = GATE_UNINTERRUPTIBLE;
	expect_queued(test, group, g, 2);
	expect_started(test, g, 1);
	kpool_group_request_stop(group);
	drain = run_thread(test, drain_thread, group);
	expect_soon(test, count_waiters(pool, &group->waiters) == 1);
	KUNIT_EXPECT_EQ(test, GROUP_STOPPED, READ_ONCE(group->state));
	gated_open(g);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, drain));
	KUNIT_EXPECT_TRUE(test, g->told);
	expect_never_ran(test, &g[1], 1);
}

static void stop_of_a_draining_group_settles(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *top = test_group(test, pool, "top", 0, 0);
	struct kpool_group *low = test_subgroup(test, top, "low", NULL);
	struct gated *g = gated_array(test, 3);
	struct test_thread *drain, *stop;

	expect_queued(test, low, g, 2);
	expect_queued(test, top, &g[2], 1);
	expect_started(test, g, 1);
	drain = run_drain(test, top);
	stop = run_thread(test, stop_thread, top);
	expect_told(test, g, 1);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, stop));
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, drain));
	expect_never_ran(test, &g[1], 2);
	KUNIT_EXPECT_EQ(test, GROUP_STOPPED, READ_ONCE(top->state));
}

static void takes_no_groups(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 1, 1);
	struct kpool_group *top = test_group(test, pool, "top", 0, 0);
	struct kpool_group *low = test_subgroup(test, top, "low", NULL), *late;

	KUNIT_EXPECT_EQ(test, 0, kpool_group_drain(top));
	late = kpool_group_create(top, "late", NULL);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, PTR_ERR_OR_ZERO(late));
	if (!IS_ERR(late))
		kpool_group_destroy(late);
	late = kpool_group_create(low, "late", NULL);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, PTR_ERR_OR_ZERO(late));
	if (!IS_ERR(late))
		kpool_group_destroy(late);
}

#define TRAVELLERS	12
#define OUTSIDERS	3

/* Works that queue each other, here and there below one group. */
struct tour {
	struct kpool_group	*groups[3];
	struct traveller {
		struct kpool_work	work;
		struct tour		*tour;
	} travellers[TRAVELLERS];
	atomic_t		inside;
	atomic_t		accepted;
	atomic_t		runs;
	atomic_t		refused;	/* queueings by own works */
	bool			end;
};

static int travel(struct tour *tour)
{
	struct traveller *t;
	int err;

	t = &tour->travellers[get_random_u32_below(TRAVELLERS)];
	err = kpool_queue(tour->groups[get_random_u32_below(3)], &t->work);
	if (!err)
		atomic_inc(&tour->accepted);
	return err;
}

static int traveller_fn(struct kpool_work *work)
{
	struct traveller *t = container_of(work, struct traveller, work);
	struct tour *tour = t->tour;

	atomic_inc(&tour->inside);
	atomic_inc(&tour->runs);
	/* each run makes less than one more, on the average */
	if (get_random_u32_below(8) && travel(tour) == -ESHUTDOWN)
		atomic_inc(&tour->refused);
	atomic_dec(&tour->inside);
	return 0;
}

static int outsider_thread(void *arg)
{
	struct tour *tour = arg;

	while (!READ_ONCE(tour->end)) {
		travel(tour);
		schedule_timeout_uninterruptible(1);
	}
	return 0;
}

static void middle_level_runs_dry_in_a_storm(struct kunit *test)
{
	struct tour *tour = kunit_kzalloc(test, sizeof(*tour), GFP_KERNEL);
	struct kpool *pool = test_pool(test, 4, 4);
	struct kpool_group *top = test_group(test, pool, "top", 0, 0);
	struct kpool_group *mid = test_subgroup(test, top, "mid", NULL);
	struct test_thread *outsiders[OUTSIDERS];
	struct gated *g = gated_array(test, 1);
	int i, runs;

	KUNIT_ASSERT_NOT_NULL(test, tour);
	tour->groups[0] = mid;
	tour->groups[1] = test_subgroup(test, mid, "a", NULL);
	tour->groups[2] = test_subgroup(test, mid, "b", NULL);
	for (i = 0; i < TRAVELLERS; i++) {
		kpool_work_init(&tour->travellers[i].work, traveller_fn);
		tour->travellers[i].tour = tour;
	}
	for (i = 0; i < OUTSIDERS; i++)
		outsiders[i] = run_thread(test, outsider_thread, tour);
	expect_soon(test, atomic_read(&tour->runs) > 200);
	KUNIT_EXPECT_EQ(test, 0, kpool_group_drain_timeout(mid, DEADLINE));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&tour->inside));
	runs = atomic_read(&tour->runs);
	/* the level above has not been drained */
	expect_queued(test, top, g, 1);
	expect_started(test, g, 1);
	WRITE_ONCE(tour->end, true);
	for (i = 0; i < OUTSIDERS; i++)
		KUNIT_EXPECT_EQ(test, 0, join_thread(test, outsiders[i]));
	gated_open(g);
	KUNIT_EXPECT_EQ(test, runs, atomic_read(&tour->runs));
	KUNIT_EXPECT_EQ(test, runs, atomic_read(&tour->accepted));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&tour->refused));
}

static struct kunit_case drain_cases[] = {
	KUNIT_CASE(outsiders_are_refused),
	KUNIT_CASE(interrupt_of_an_own_work_is_an_outsider),
	KUNIT_CASE(own_work_queues_itself),
	KUNIT_CASE(own_work_queues_others_of_the_subtree),
	KUNIT_CASE(everything_pending_runs),
	KUNIT_CASE(stays_closed),
	KUNIT_CASE(own_work_is_refused_but_closes),
	KUNIT_CASE(has_a_deadline),
	KUNIT_CASE(killed_drainer_leaves),
	KUNIT_CASE(of_a_stopped_group_waits),
	KUNIT_CASE(stop_of_a_draining_group_settles),
	KUNIT_CASE(takes_no_groups),
	KUNIT_CASE(middle_level_runs_dry_in_a_storm),
	{}
};

static struct kunit_suite drain_suite = {
	.name = "kpool_drain",
	.test_cases = drain_cases,
};

kunit_test_suite(drain_suite);
