// SPDX-License-Identifier: GPL-2.0-only
/* Promise 14: first_in() and last_out() of groups. */
#include <linux/random.h>
#include <linux/sched/signal.h>

#include "kmsg.h"
#include "stop_fixture.h"

/* One of the two hooks of a group: notes what it saw, waits if it is to. */
struct hook {
	struct completion	called;
	struct completion	gate;
	bool			shut;		/* waits at the gate */
	int			wait_err;	/* of a wait for its own group */
	int			order;		/* its last turn among all hooks */
	atomic_t		calls;
	bool			no_sleep;
	bool			signalled;
	struct task_struct	*thread;
};

/* A group with both. */
struct hooked {
	struct list_head	entry;		/* all_hooked */
	struct kpool_group	*group;
	struct hook		in, out;
	bool			is_in;
	bool			wrong;		/* not strictly alternating */
};

static LIST_HEAD(all_hooked);
static atomic_t turns = ATOMIC_INIT(0);

static void hook_init(struct hook *hook)
{
	init_completion(&hook->called);
	init_completion(&hook->gate);
}

static void hook_note(struct kpool_group *group, struct hook *hook)
{
	hook->thread = current;
	hook->no_sleep = !in_task() || irqs_disabled() ||
			 rcu_preempt_depth();
	hook->signalled = signal_pending(current);
	hook->wait_err = kpool_group_wait_timeout(group, 0);
	hook->order = atomic_inc_return(&turns);
	atomic_inc(&hook->calls);
	complete(&hook->called);
	if (hook->shut)
		wait_for_completion(&hook->gate);
}

static void hooked_first_in(struct kpool_group *group)
{
	struct hooked *h = kpool_group_data(group);

	hook_note(group, &h->in);
	if (READ_ONCE(h->is_in))
		h->wrong = true;
	WRITE_ONCE(h->is_in, true);
}

static void hooked_last_out(struct kpool_group *group)
{
	struct hooked *h = kpool_group_data(group);

	hook_note(group, &h->out);
	if (!READ_ONCE(h->is_in))
		h->wrong = true;
	WRITE_ONCE(h->is_in, false);
}

/* All of them, or a destroy might wait for a hook of another group. */
static void hooked_end(void *arg)
{
	struct hooked *h = arg, *other;

	list_for_each_entry(other, &all_hooked, entry) {
		complete_all(&other->in.gate);
		complete_all(&other->out.gate);
	}
	list_del(&h->entry);
}

static struct hooked *hooked_group(struct kunit *test,
				   struct kpool_group *parent,
				   const char *name, int max_active)
{
	struct hooked *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);
	struct kpool_group_params params = {
		.max_active = max_active,
		.first_in = hooked_first_in,
		.last_out = hooked_last_out,
		.data = h,
	};

	KUNIT_ASSERT_NOT_NULL(test, h);
	hook_init(&h->in);
	hook_init(&h->out);
	h->group = test_subgroup(test, parent, name, &params);
	list_add(&h->entry, &all_hooked);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, hooked_end, h));
	return h;
}

static void expect_calls(struct kunit *test, struct hooked *h, int in, int out)
{
	KUNIT_EXPECT_EQ(test, in, atomic_read(&h->in.calls));
	KUNIT_EXPECT_EQ(test, out, atomic_read(&h->out.calls));
	KUNIT_EXPECT_FALSE(test, h->wrong);
}

static void expect_idle(struct kunit *test, struct kpool_group *group)
{
	KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(group, DEADLINE));
}

static void hooks_enclose_the_runs(struct kunit *test)
{
	struct gated *g = gated_array(test, 3);
	struct kpool *pool = test_pool(test, 0, 3);
	struct hooked *h = hooked_group(test, kpool_root(pool), "a", 0);

	h->in.shut = true;
	expect_queued(test, h->group, g, 1);
	expect_done(test, &h->in.called);
	KUNIT_EXPECT_TRUE(test, stays(!count_started(g, 1)));
	complete_all(&h->in.gate);
	expect_started(test, g, 1);
	expect_queued(test, h->group, &g[1], 2);
	expect_started(test, &g[1], 2);
	gated_open_all(g, 2);
	expect_over(test, g, 2);
	KUNIT_EXPECT_TRUE(test, stays(!atomic_read(&h->out.calls)));
	gated_open(&g[2]);
	expect_over(test, &g[2], 1);
	expect_idle(test, h->group);
	expect_calls(test, h, 1, 1);
	expect_queued(test, h->group, g, 1);
	expect_idle(test, h->group);
	expect_calls(test, h, 2, 2);
}

#define STORM_WORKS	24
#define STORM_THREADS	3
#define STORM_QUEUEINGS	400

/* Works in groups with hooks, at three levels. */
struct storm {
	struct hooked *hooked[4];
	struct storm_work {
		struct kpool_work work;
		struct storm *storm;
	} works[STORM_WORKS];
	atomic_t queued;
	bool outside;	/* a work ran while a group of its was not entered */
};

static int storm_fn(struct kpool_work *work)
{
	struct storm_work *w = container_of(work, struct storm_work, work);
	struct kpool_group *group;

	for (group = work->worker->group; group; group = group->parent) {
		struct hooked *h = kpool_group_data(group);

		if (h && !READ_ONCE(h->is_in))
			w->storm->outside = true;
	}
	if (!get_random_u32_below(4))
		schedule_timeout_uninterruptible(1);
	return 0;
}

static int storm_thread(void *arg)
{
	struct storm *s = arg;
	int i;

	for (i = 0; i < STORM_QUEUEINGS; i++) {
		struct kpool_group *group;
		struct kpool_work *work;

		group = s->hooked[get_random_u32_below(4)]->group;
		work = &s->works[get_random_u32_below(STORM_WORKS)].work;
		if (!get_random_u32_below(8))
			kpool_work_cancel(work);
		else if (!kpool_queue(group, work))
			atomic_inc(&s->queued);
		if (!get_random_u32_below(4))
			schedule_timeout_uninterruptible(1);
	}
	return 0;
}

static void hooks_alternate_in_a_storm(struct kunit *test)
{
	struct test_thread *threads[STORM_THREADS];
	struct storm *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct kpool *pool = test_pool(test, 1, 6);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->hooked[0] = hooked_group(test, kpool_root(pool), "a", 0);
	s->hooked[1] = hooked_group(test, s->hooked[0]->group, "b", 0);
	s->hooked[2] = hooked_group(test, s->hooked[0]->group, "c", 2);
	s->hooked[3] = hooked_group(test, s->hooked[2]->group, "d", 0);
	for (i = 0; i < STORM_WORKS; i++) {
		s->works[i].storm = s;
		kpool_work_init(&s->works[i].work, storm_fn);
	}
	for (i = 0; i < STORM_THREADS; i++)
		threads[i] = run_thread(test, storm_thread, s);
	for (i = 0; i < STORM_THREADS; i++)
		KUNIT_EXPECT_EQ(test, 0, join_thread(test, threads[i]));
	expect_idle(test, kpool_root(pool));
	KUNIT_EXPECT_GT(test, atomic_read(&s->queued), STORM_WORKS);
	KUNIT_EXPECT_FALSE(test, s->outside);
	for (i = 0; i < 4; i++) {
		struct hooked *h = s->hooked[i];

		KUNIT_EXPECT_GT(test, atomic_read(&h->in.calls), 0);
		expect_calls(test, h, atomic_read(&h->out.calls),
			     atomic_read(&h->in.calls));
		KUNIT_EXPECT_FALSE(test, h->is_in);
	}
}

/* Two groups with hooks, one below the other. */
struct pair {
	struct kpool *pool;
	struct hooked *top, *low;
};

static void pair_init(struct kunit *test, struct pair *p, int threads)
{
	p->pool = test_pool(test, 0, threads);
	p->top = hooked_group(test, kpool_root(p->pool), "top", 0);
	p->low = hooked_group(test, p->top->group, "low", 0);
}

static void parent_is_first_in_and_last_out(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);
	struct pair p;

	pair_init(test, &p, 1);
	gated_open(g);
	expect_queued(test, p.low->group, g, 1);
	expect_idle(test, p.low->group);
	expect_calls(test, p.top, 1, 1);
	expect_calls(test, p.low, 1, 1);
	KUNIT_EXPECT_EQ(test, p.top->in.order + 1, p.low->in.order);
	KUNIT_EXPECT_EQ(test, p.low->in.order + 1, p.low->out.order);
	KUNIT_EXPECT_EQ(test, p.low->out.order + 1, p.top->out.order);
}

/* Also if the last work of the parent ends while the child's is in last_out() */
static void parent_leaves_after_its_child(struct kunit *test)
{
	struct gated *g = gated_array(test, 2);
	struct pair p;

	pair_init(test, &p, 2);
	expect_queued(test, p.top->group, g, 1);
	expect_started(test, g, 1);
	expect_queued(test, p.low->group, &g[1], 1);
	expect_started(test, &g[1], 1);
	p.low->out.shut = true;
	gated_open(&g[1]);
	expect_done(test, &p.low->out.called);
	gated_open(&g[0]);
	expect_over(test, g, 1);
	KUNIT_EXPECT_TRUE(test, stays(!atomic_read(&p.top->out.calls)));
	complete_all(&p.low->out.gate);
	expect_idle(test, p.top->group);
	expect_calls(test, p.top, 1, 1);
	expect_calls(test, p.low, 1, 1);
	KUNIT_EXPECT_EQ(test, p.low->out.order + 1, p.top->out.order);
}

/* The works of a group count for those above, and not for those below. */
static void each_level_counts_its_own(struct kunit *test)
{
	struct gated *g = gated_array(test, 3);
	struct pair p;

	pair_init(test, &p, 3);
	expect_queued(test, p.top->group, g, 1);
	expect_started(test, g, 1);
	expect_calls(test, p.top, 1, 0);
	expect_calls(test, p.low, 0, 0);
	expect_queued(test, p.low->group, &g[1], 1);
	expect_started(test, &g[1], 1);
	expect_calls(test, p.top, 1, 0);
	expect_calls(test, p.low, 1, 0);
	gated_open(&g[1]);
	expect_idle(test, p.low->group);
	expect_calls(test, p.top, 1, 0);
	expect_calls(test, p.low, 1, 1);
	gated_open(&g[2]);
	expect_queued(test, p.low->group, &g[2], 1);
	expect_idle(test, p.low->group);
	expect_calls(test, p.low, 2, 2);
	gated_open(&g[0]);
	expect_idle(test, p.top->group);
	expect_calls(test, p.top, 1, 1);
}

/* Then all that may start do: K works get K threads. */
static void starts_wait_behind_first_in(struct kunit *test)
{
	struct gated *g = gated_array(test, 6);
	struct pair p;

	pair_init(test, &p, 8);
	p.top->in.shut = true;
	expect_queued(test, p.top->group, g, 3);
	expect_queued(test, p.low->group, &g[3], 3);
	expect_done(test, &p.top->in.called);
	KUNIT_EXPECT_TRUE(test, stays(!count_started(g, 6)));
	KUNIT_EXPECT_EQ(test, 1, pool_threads(p.pool));
	complete_all(&p.top->in.gate);
	expect_started(test, g, 6);
	KUNIT_EXPECT_EQ(test, 6, pool_threads(p.pool));
	gated_open_all(g, 6);
	expect_over(test, g, 6);
}

static void starts_wait_behind_last_out(struct kunit *test)
{
	struct gated *g = gated_array(test, 5);
	struct pair p;

	pair_init(test, &p, 8);
	p.top->out.shut = true;
	expect_queued(test, p.top->group, g, 1);
	gated_open(g);
	expect_done(test, &p.top->out.called);
	expect_queued(test, p.top->group, &g[1], 2);
	expect_queued(test, p.low->group, &g[3], 2);
	KUNIT_EXPECT_TRUE(test, stays(!count_started(&g[1], 4)));
	p.top->out.shut = false;
	complete_all(&p.top->out.gate);
	expect_started(test, &g[1], 4);
	KUNIT_EXPECT_LE(test, pool_threads(p.pool), 5);
	gated_open_all(g, 5);
	expect_over(test, g, 5);
	expect_idle(test, p.top->group);
	expect_calls(test, p.top, 2, 2);
}

static void other_groups_are_not_held_up(struct kunit *test)
{
	struct gated *g = gated_array(test, 5);
	struct kpool *pool = test_pool(test, 0, 4);
	struct kpool_group *top = test_group(test, pool, "top", 0, 0);
	struct hooked *h = hooked_group(test, top, "a", 0);
	struct kpool_group *b = test_subgroup(test, top, "b", NULL);

	h->in.shut = true;
	expect_queued(test, h->group, g, 2);
	expect_done(test, &h->in.called);
	expect_queued(test, b, &g[2], 1);
	expect_queued(test, top, &g[3], 1);
	expect_queued(test, kpool_root(pool), &g[4], 1);
	expect_started(test, &g[2], 3);
	KUNIT_EXPECT_EQ(test, 0, count_started(g, 2));
	complete_all(&h->in.gate);
	gated_open_all(g, 5);
	expect_over(test, g, 5);
}

static void expect_clean(struct kunit *test, struct hook *hook)
{
	KUNIT_EXPECT_FALSE(test, hook->no_sleep);
	KUNIT_EXPECT_FALSE(test, hook->signalled);
}

/* In the thread that runs the work; the tell is over before last_out(). */
static void hooks_run_in_the_worker(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);
	struct pair p;

	pair_init(test, &p, 2);
	expect_queued(test, p.low->group, g, 1);
	expect_started(test, g, 1);
	expect_stop(test, p.top->group);
	expect_told(test, g, 1);
	expect_clean(test, &p.top->in);
	expect_clean(test, &p.low->in);
	expect_clean(test, &p.low->out);
	expect_clean(test, &p.top->out);
	KUNIT_EXPECT_PTR_EQ(test, g->thread, p.low->in.thread);
	KUNIT_EXPECT_PTR_EQ(test, g->thread, p.top->out.thread);
}

static int stop_thread(void *group)
{
	return kpool_group_stop(group);
}

static void stop_and_wait_cover_hooks(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);
	struct test_thread *stopper, *waiter;
	struct pair p;

	pair_init(test, &p, 2);
	p.low->out.shut = true;
	expect_queued(test, p.low->group, g, 1);
	gated_open(g);
	expect_over(test, g, 1);
	expect_done(test, &p.low->out.called);
	waiter = run_thread(test, group_wait_thread, p.top->group);
	stopper = run_thread(test, stop_thread, p.top->group);
	expect_soon(test, count_waiters(p.pool, &p.top->group->waiters) == 2);
	KUNIT_EXPECT_FALSE(test, thread_done(stopper));
	KUNIT_EXPECT_FALSE(test, thread_done(waiter));
	complete_all(&p.low->out.gate);
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, stopper));
	KUNIT_EXPECT_EQ(test, 0, join_thread(test, waiter));
	expect_calls(test, p.top, 1, 1);
	expect_calls(test, p.low, 1, 1);
}

static void wait_in_a_hook_is_edeadlk(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);
	struct pair p;

	pair_init(test, &p, 1);
	gated_open(g);
	expect_queued(test, p.low->group, g, 1);
	expect_idle(test, p.top->group);
	KUNIT_EXPECT_EQ(test, -EDEADLK, p.top->in.wait_err);
	KUNIT_EXPECT_EQ(test, -EDEADLK, p.low->in.wait_err);
	KUNIT_EXPECT_EQ(test, -EDEADLK, p.low->out.wait_err);
	KUNIT_EXPECT_EQ(test, -EDEADLK, p.top->out.wait_err);
}

static void straggling_hook_is_named(struct kunit *test)
{
	struct gated *g = gated_array(test, 2);
	struct pair in, out;

	gated_open_all(g, 2);
	pair_init(test, &in, 1);
	in.low->in.shut = true;
	expect_queued(test, in.low->group, &g[0], 1);
	expect_done(test, &in.low->in.called);
	report_begin("hooked_first_in .*still executes in ");
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT,
			kpool_group_stop_timeout(in.top->group, 1));
	KUNIT_EXPECT_EQ(test, 1, report_lines("hooked_first_in ["));
	report_end();
	complete_all(&in.low->in.gate);
	expect_stop(test, in.top->group);

	pair_init(test, &out, 1);
	out.low->out.shut = true;
	expect_queued(test, out.low->group, &g[1], 1);
	expect_done(test, &out.low->out.called);
	report_begin("hooked_last_out .*still executes in ");
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT,
			kpool_group_stop_timeout(out.top->group, 1));
	KUNIT_EXPECT_EQ(test, 1, report_lines("hooked_last_out ["));
	report_end();
	complete_all(&out.low->out.gate);
	expect_stop(test, out.top->group);
}

/* The count was none between the two runs. */
static void requeue_of_one_work_leaves_and_enters(struct kunit *test)
{
	struct gated *g = gated_array(test, 1);
	struct kpool *pool = test_pool(test, 1, 1);
	struct hooked *h = hooked_group(test, kpool_root(pool), "a", 0);

	expect_queued(test, h->group, g, 1);
	expect_started(test, g, 1);
	expect_queued(test, h->group, g, 1);
	gated_open(g);
	expect_idle(test, h->group);
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&g->runs));
	expect_calls(test, h, 2, 2);
}

/* It is running, so it is told, and runs once the hook has returned. */
static void cancelled_while_entering_is_told(struct kunit *test)
{
	struct gated *g = gated_array(test, 2);
	struct kpool *pool = test_pool(test, 2, 2);
	struct hooked *h = hooked_group(test, kpool_root(pool), "a", 0);

	h->in.shut = true;
	expect_queued(test, h->group, g, 2);
	expect_done(test, &h->in.called);
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_RUNNING,
			kpool_work_cancel(&g[0].work));
	KUNIT_EXPECT_EQ(test, KPOOL_CANCEL_PENDING,
			kpool_work_cancel(&g[1].work));
	complete_all(&h->in.gate);
	expect_told(test, g, 1);
	expect_idle(test, h->group);
	expect_never_ran(test, &g[1], 1);
	expect_calls(test, h, 1, 1);
	expect_clean(test, &h->out);
}

static struct kunit_case grouphooks_cases[] = {
	KUNIT_CASE(hooks_enclose_the_runs),
	KUNIT_CASE(hooks_alternate_in_a_storm),
	KUNIT_CASE(parent_is_first_in_and_last_out),
	KUNIT_CASE(parent_leaves_after_its_child),
	KUNIT_CASE(each_level_counts_its_own),
	KUNIT_CASE(starts_wait_behind_first_in),
	KUNIT_CASE(starts_wait_behind_last_out),
	KUNIT_CASE(other_groups_are_not_held_up),
	KUNIT_CASE(hooks_run_in_the_worker),
	KUNIT_CASE(stop_and_wait_cover_hooks),
	KUNIT_CASE(wait_in_a_hook_is_edeadlk),
	KUNIT_CASE(straggling_hook_is_named),
	KUNIT_CASE(requeue_of_one_work_leaves_and_enters),
	KUNIT_CASE(cancelled_while_entering_is_told),
	{}
};

static struct kunit_suite grouphooks_suite = {
	.name = "kpool_grouphooks",
	.test_cases = grouphooks_cases,
};

kunit_test_suite(grouphooks_suite);
