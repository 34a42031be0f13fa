// SPDX-License-Identifier: GPL-2.0-only
/* Promise 3: threads that a group has reserved. */
#include <linux/random.h>

#include "model.h"

static struct kpool_group *reserving(struct kunit *test,
				     struct kpool_group *parent,
				     const char *name, int reserve)
{
	struct kpool_group_params params = { .reserve = reserve };

	return test_subgroup(test, parent, name, &params);
}

static unsigned int threads_held(struct kpool *pool)
{
	unsigned int held;

	raw_spin_lock_irq(&pool->lock);
	held = pool->root->held;
	raw_spin_unlock_irq(&pool->lock);
	return held;
}

/*
 * A pool whose spawner has looked, and sleeps: it creates none of the threads
 * that a group reserves, beside those whom its creator makes.
 */
static struct kpool *quiet_pool(struct kunit *test, int max)
{
	struct kpool *pool = test_pool(test, 0, max);

	expect_soon(test, READ_ONCE(pool->spawner.asleep));
	return pool;
}

static void threads_exist_on_return(struct kunit *test)
{
	struct kpool *pool = quiet_pool(test, 8);

	hold_at(test, pool, KPOOL_AT_BIRTH);
	reserving(test, kpool_root(pool), "a", 3);
	/* no more than they are, on the books and with a task */
	KUNIT_EXPECT_EQ(test, 3, pool_threads(pool));
	KUNIT_EXPECT_EQ(test, 3, pool->nr_created);
	hold_release();
	expect_soon(test, pool_idle(pool) == 3);
	/* the spawner may have made one of them, and so one more */
	reserving(test, kpool_root(pool), "b", 2);
	KUNIT_EXPECT_GE(test, pool_threads(pool), 5);
}

/* A pool of 8 threads; 3 are reserved and idle, 5 run works of others. */
struct full {
	struct kpool *pool;
	struct kpool_group *group;
	struct gated *others;	/* 12, of which 5 run */
};

static void full_init(struct kunit *test, struct full *f)
{
	f->others = gated_array(test, 12);
	f->pool = test_pool(test, 0, 8);
	f->group = reserving(test, kpool_root(f->pool), "a", 3);
	expect_queued(test, kpool_root(f->pool), f->others, 12);
	expect_started(test, f->others, 5);
	expect_soon(test, pool_idle(f->pool) == 3);
}

static void others_leave_exactly_the_reserve(struct kunit *test)
{
	struct full f;

	full_init(test, &f);
	KUNIT_EXPECT_TRUE(test, stays(count_started(f.others, 12) == 5));
	KUNIT_EXPECT_EQ(test, 8, pool_threads(f.pool));
	KUNIT_EXPECT_EQ(test, 7, pool_pending(f.pool));
	gated_open_all(f.others, 12);
	expect_over(test, f.others, 12);
	KUNIT_EXPECT_EQ(test, 8, pool_threads(f.pool));
}

/* Nothing waits, and three threads are idle; but for another group. */
static void newcomer_leaves_the_reserve(struct kunit *test)
{
	struct gated *g = gated_array(test, 6);
	struct kpool *pool = test_pool(test, 0, 8);

	reserving(test, kpool_root(pool), "a", 3);
	expect_queued(test, kpool_root(pool), g, 5);
	expect_started(test, g, 5);
	expect_soon(test, pool_idle(pool) == 3);
	expect_queued(test, kpool_root(pool), &g[5], 1);
	KUNIT_EXPECT_TRUE(test, stays(count_started(&g[5], 1) == 0));
	gated_open(&g[0]);
	expect_started(test, &g[5], 1);
	gated_open_all(g, 6);
	expect_over(test, g, 6);
}

static void covered_works_need_no_creation(struct kunit *test)
{
	struct gated *g = gated_array(test, 4);
	struct full f;

	full_init(test, &f);
	fail_creations(test, 0);
	expect_queued(test, f.group, g, 4);
	expect_started(test, g, 3);
	KUNIT_EXPECT_EQ(test, 8, f.pool->nr_created);
	KUNIT_EXPECT_EQ(test, 0, count_started(&g[3], 1));
	/* its end leaves the thread to its own group, not to the others */
	gated_open(&g[0]);
	expect_started(test, &g[3], 1);
	KUNIT_EXPECT_EQ(test, 5, count_started(f.others, 12));
	gated_open_all(g, 4);
	gated_open_all(f.others, 12);
	expect_over(test, g, 4);
	expect_over(test, f.others, 12);
}

/* Of 4 threads of a group, 1 and 2 are for groups below it. */
struct nested {
	struct kpool *pool;
	struct kpool_group *top, *one, *two;
};

static void nested_init(struct kunit *test, struct nested *n, int threads)
{
	n->pool = quiet_pool(test, threads);
	n->top = reserving(test, kpool_root(n->pool), "top", 4);
	n->one = reserving(test, n->top, "one", 1);
	n->two = reserving(test, n->top, "two", 2);
	expect_soon(test, pool_idle(n->pool) == 4);
}

static void parent_leaves_what_children_reserve(struct kunit *test)
{
	struct gated *g = gated_array(test, 6);
	struct nested n;

	nested_init(test, &n, 4);
	expect_queued(test, n.top, g, 3);
	expect_started(test, g, 1);
	KUNIT_EXPECT_TRUE(test, stays(count_started(g, 3) == 1));
	expect_queued(test, n.one, &g[3], 1);
	expect_queued(test, n.two, &g[4], 2);
	expect_started(test, &g[3], 3);
	KUNIT_EXPECT_EQ(test, 1, count_started(g, 3));
	gated_open_all(g, 6);
	expect_over(test, g, 6);
}

/* Its own thread, its parent's fourth, and then those of the pool. */
static void child_goes_beyond_its_reserve(struct kunit *test)
{
	struct gated *g = gated_array(test, 6);
	struct nested n;

	nested_init(test, &n, 5);
	expect_queued(test, n.one, g, 4);
	expect_started(test, g, 3);
	KUNIT_EXPECT_EQ(test, 2, threads_held(n.pool));
	KUNIT_EXPECT_EQ(test, 5, pool_threads(n.pool));
	KUNIT_EXPECT_TRUE(test, stays(count_started(g, 4) == 3));
	expect_queued(test, n.two, &g[4], 2);
	expect_started(test, &g[4], 2);
	KUNIT_EXPECT_EQ(test, 0, count_started(&g[3], 1));
	gated_open_all(g, 6);
	expect_over(test, g, 6);
}

static void expect_refused(struct kunit *test, int err,
			   struct kpool_group *parent, int reserve,
			   int max_active)
{
	struct kpool_group_params params = {
		.reserve = reserve,
		.max_active = max_active,
	};
	struct kpool_group *group;

	group = kpool_group_create(parent, "refused", &params);
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(err), group);
	kpool_group_destroy(group);
}

/* At the first level of max_threads, below of what the parent has. */
static void too_much_is_enospc(struct kunit *test)
{
	struct kpool *pool = test_pool(test, 0, 4);
	struct kpool_group *root = kpool_root(pool), *a, *b;

	expect_refused(test, -ENOSPC, root, 5, 0);
	a = reserving(test, root, "a", 3);
	expect_refused(test, -ENOSPC, root, 2, 0);
	b = reserving(test, root, "b", 1);
	expect_refused(test, -ENOSPC, root, 1, 0);
	reserving(test, a, "a1", 2);
	expect_refused(test, -ENOSPC, a, 2, 0);
	expect_refused(test, -ENOSPC, b, 2, 0);
	test_group_destroy(test, b);
	b = test_group(test, pool, "b", 0, 0);
	expect_refused(test, -ENOSPC, b, 1, 0);
	reserving(test, root, "c", 1);
	KUNIT_EXPECT_EQ(test, 4, pool_threads(pool));
}

static void bad_reserve_is_einval(struct kunit *test)
{
	struct kpool_group *root = kpool_root(test_pool(test, 0, 4));
	struct kpool_group_params good = { .reserve = 2, .max_active = 2 };

	expect_refused(test, -EINVAL, root, -1, 0);
	expect_refused(test, -EINVAL, root, 2, 1);
	test_subgroup(test, root, "a", &good);
}

static void destroy_frees_the_reserve(struct kunit *test)
{
	struct full f;

	full_init(test, &f);
	test_group_destroy(test, f.group);
	expect_started(test, &f.others[5], 3);
	KUNIT_EXPECT_EQ(test, 0, threads_held(f.pool));
	gated_open_all(f.others, 12);
	expect_over(test, f.others, 12);
}

static void failed_creation_leaves_nothing(struct kunit *test)
{
	struct kpool_group_params params = { .reserve = 3 };
	struct gated *g = gated_array(test, 4);
	struct kpool *pool = quiet_pool(test, 4);
	struct kpool_group *root = kpool_root(pool);

	/* the structure, its folder and one thread; then no more */
	fail_creations(test, 3);
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-ENOMEM),
			    kpool_group_create(root, "a", &params));
	KUNIT_EXPECT_EQ(test, 1, READ_ONCE(pool->nr_created));
	fail_no_more();
	KUNIT_EXPECT_EQ(test, 0, threads_held(pool));
	KUNIT_EXPECT_TRUE(test, list_empty(&root->children));
	expect_queued(test, root, g, 4);
	expect_started(test, g, 4);
	gated_open_all(g, 4);
	expect_over(test, g, 4);
	reserving(test, root, "a", 4);
}

/* Threads that are idle for ever so short leave, those held back stay. */
static void reserved_threads_stay(struct kunit *test)
{
	struct kpool_params params = { .max_threads = 4, .idle_timeout = 1 };
	struct gated *g = gated_array(test, 4);
	struct kpool *pool = test_pool_params(test, &params);
	struct kpool_group *group;

	group = reserving(test, kpool_root(pool), "a", 2);
	expect_queued(test, group, g, 4);
	expect_started(test, g, 4);
	gated_open_all(g, 4);
	expect_over(test, g, 4);
	expect_soon(test, pool_threads(pool) == 2);
	KUNIT_EXPECT_TRUE(test, stays(pool_threads(pool) == 2));
	test_group_destroy(test, group);
	expect_soon(test, !pool_threads(pool));
}

/* All threads are busy with others, and more of those wait. */
static void reserve_fills_as_threads_end(struct kunit *test)
{
	struct gated *others = gated_array(test, 6), *g;
	struct kpool *pool = test_pool(test, 0, 4);
	struct kpool_group *group;

	g = gated_array(test, 2);
	expect_queued(test, kpool_root(pool), others, 6);
	expect_started(test, others, 4);
	group = reserving(test, kpool_root(pool), "a", 2);
	KUNIT_EXPECT_EQ(test, 4, pool_threads(pool));
	gated_open_all(others, 2);
	expect_over(test, others, 2);
	expect_soon(test, pool_idle(pool) == 2);
	KUNIT_EXPECT_EQ(test, 0, count_started(&others[4], 2));
	expect_queued(test, group, g, 2);
	expect_started(test, g, 2);
	gated_open_all(others, 6);
	expect_over(test, others, 6);
	gated_open_all(g, 2);
	expect_over(test, g, 2);
}

/*
 * The end of a run frees a thread, and a slot: the thread for a work that
 * needs no slot, the slot for one whose thread is held back for it.
 */
static void one_end_lets_two_start(struct kunit *test)
{
	struct kpool_group_params narrow = { .reserve = 1, .max_active = 1 };
	struct gated *g = gated_array(test, 3);
	struct kpool *pool = test_pool(test, 2, 2);
	struct kpool_group *top, *low;

	top = test_subgroup(test, kpool_root(pool), "top", &narrow);
	low = reserving(test, top, "low", 1);
	/* not covered: the thread is reserved for the lower group */
	expect_queued(test, top, &g[0], 1);
	expect_started(test, &g[0], 1);
	expect_queued(test, kpool_root(pool), &g[1], 1);
	expect_queued(test, low, &g[2], 1);
	KUNIT_EXPECT_EQ(test, 1, pool_idle(pool));
	KUNIT_EXPECT_EQ(test, 0, count_started(&g[1], 2));
	gated_open(&g[0]);
	expect_started(test, &g[1], 2);
	gated_open_all(g, 3);
	expect_over(test, g, 3);
}

/*
 * A tree with all that decides about starts: reserves within reserves, some as
 * large as the limit, limits of one, and groups without either.  And one that
 * has only those: there is no hurdle in it.
 */
enum { PLAIN_TREE = 3, NR_TREES };

static void make_tree(struct kunit *test, struct model *m, int which)
{
	struct kpool_group *root = m->groups[0], *a, *b, *c;

	switch (which) {
	case 0:
		a = model_add(test, m, root, 1, 1);
		model_add(test, m, a, 0, 1);
		b = model_add(test, m, root, 3, 2);
		model_add(test, m, b, 0, 1);
		model_add(test, m, b, 1, 0);
		model_add(test, m, root, 0, 0);
		break;
	case 1:
		a = model_add(test, m, root, 0, 4);
		b = model_add(test, m, a, 0, 3);
		c = model_add(test, m, b, 2, 2);
		model_add(test, m, c, 0, 1);
		model_add(test, m, c, 0, 1);
		model_add(test, m, a, 1, 1);
		model_add(test, m, root, 2, 1);
		break;
	case 2:
		a = model_add(test, m, root, 0, 0);
		b = model_add(test, m, a, 4, 0);
		model_add(test, m, b, 2, 0);
		model_add(test, m, b, 3, 0);
		c = model_add(test, m, root, 0, 2);
		model_add(test, m, c, 1, 1);
		model_add(test, m, c, 1, 1);
		break;
	case PLAIN_TREE:
		a = model_add(test, m, root, 0, 0);
		model_add(test, m, a, 0, 0);
		model_add(test, m, root, 0, 0);
		break;
	}
}

#define WALK_THREADS	6
#define WALK_WORKS	14
#define WALK_STEPS	250

/* Queue a work that is at rest, or let one go on or cancel it. */
static void walk_step(struct kunit *test, struct model *m, struct gated *g)
{
	struct kpool_group *group = m->groups[get_random_u32_below(m->n)];

	if (!READ_ONCE(g->work.group)) {
		gated_init(g);
		expect_queued(test, group, g, 1);
	} else if (get_random_u32_below(8)) {
		gated_open(g);
	} else {
		kpool_work_cancel(&g->work);
	}
}

static void random_walk_matches_model(struct kunit *test)
{
	int which, step;

	for (which = 0; which < NR_TREES; which++) {
		struct gated *g = gated_array(test, WALK_WORKS);
		struct kpool *pool = test_pool(test, 0, WALK_THREADS);
		struct model m;

		model_init(&m, pool);
		make_tree(test, &m, which);
		for (step = 0; step < WALK_STEPS; step++) {
			const char *wrong;

			walk_step(test, &m,
				  &g[get_random_u32_below(WALK_WORKS)]);
			wrong = model_check(&m);
			KUNIT_EXPECT_NULL_MSG(test, wrong,
					      "tree %d, step %d: %s", which,
					      step, wrong ?: "");
			if (wrong)
				break;
		}
		gated_open_all(g, WALK_WORKS);
		KUNIT_EXPECT_EQ(test, 0, kpool_group_wait_timeout(m.groups[0],
								  DEADLINE));
	}
}

#define STORM_WORKS	32
#define STORM_THREADS	3
#define STORM_QUEUEINGS	300

struct storm {
	struct model m;
	struct kpool_work works[STORM_WORKS];
	atomic_t queued;
};

static int storm_fn(struct kpool_work *work)
{
	if (get_random_u32_below(4))
		cond_resched();
	else
		schedule_timeout_uninterruptible(1);
	return 0;
}

static int storm_thread(void *arg)
{
	struct storm *s = arg;
	int i;

	for (i = 0; i < STORM_QUEUEINGS; i++) {
		struct kpool_work *work;

		work = &s->works[get_random_u32_below(STORM_WORKS)];
		if (!get_random_u32_below(8))
			kpool_work_cancel(work);
		else if (!kpool_queue(s->m.groups[get_random_u32_below(s->m.n)],
				      work))
			atomic_inc(&s->queued);
		if (!get_random_u32_below(8))
			schedule_timeout_uninterruptible(1);
	}
	return 0;
}

static bool storm_rages(struct test_thread **threads)
{
	int i;

	for (i = 0; i < STORM_THREADS; i++)
		if (!thread_done(threads[i]))
			return true;
	return false;
}

/* Looked at under the lock, between any two operations of four CPUs. */
static void watch_storm(struct kunit *test, int tree)
{
	struct test_thread *threads[STORM_THREADS];
	struct storm *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct kpool *pool = test_pool(test, 1, WALK_THREADS);
	const char *wrong = NULL;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, s);
	model_init(&s->m, pool);
	make_tree(test, &s->m, tree);
	for (i = 0; i < STORM_WORKS; i++)
		kpool_work_init(&s->works[i], storm_fn);
	for (i = 0; i < STORM_THREADS; i++)
		threads[i] = run_thread(test, storm_thread, s);
	while (!wrong && storm_rages(threads)) {
		wrong = model_check(&s->m);
		cond_resched();
	}
	KUNIT_EXPECT_NULL_MSG(test, wrong, "%s", wrong ?: "");
	for (i = 0; i < STORM_THREADS; i++)
		KUNIT_EXPECT_EQ(test, 0, join_thread(test, threads[i]));
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(s->m.groups[0],
							  DEADLINE));
	KUNIT_EXPECT_GT(test, atomic_read(&s->queued), STORM_WORKS);
}

static void no_work_waits_that_could_start(struct kunit *test)
{
	watch_storm(test, 0);
}

static void no_work_waits_without_hurdles(struct kunit *test)
{
	watch_storm(test, PLAIN_TREE);
}

static struct kunit_case reserve_cases[] = {
	KUNIT_CASE(threads_exist_on_return),
	KUNIT_CASE(others_leave_exactly_the_reserve),
	KUNIT_CASE(newcomer_leaves_the_reserve),
	KUNIT_CASE(covered_works_need_no_creation),
	KUNIT_CASE(parent_leaves_what_children_reserve),
	KUNIT_CASE(child_goes_beyond_its_reserve),
	KUNIT_CASE(too_much_is_enospc),
	KUNIT_CASE(bad_reserve_is_einval),
	KUNIT_CASE(destroy_frees_the_reserve),
	KUNIT_CASE(failed_creation_leaves_nothing),
	KUNIT_CASE(reserved_threads_stay),
	KUNIT_CASE(reserve_fills_as_threads_end),
	KUNIT_CASE(one_end_lets_two_start),
	KUNIT_CASE(random_walk_matches_model),
	KUNIT_CASE(no_work_waits_that_could_start),
	KUNIT_CASE(no_work_waits_without_hurdles),
	{}
};

static struct kunit_suite reserve_suite = {
	.name = "kpool_reserve",
	.test_cases = reserve_cases,
};

kunit_test_suite(reserve_suite);
