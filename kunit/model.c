// SPDX-License-Identifier: GPL-2.0-only
#include "model.h"

void model_init(struct model *m, struct kpool *pool)
{
	m->pool = pool;
	m->groups[0] = kpool_root(pool);
	m->n = 1;
}

struct kpool_group *model_add(struct kunit *test, struct model *m,
			      struct kpool_group *parent, int max_active,
			      int reserve)
{
	struct kpool_group_params params = {
		.max_active = max_active,
		.reserve = reserve,
	};
	struct kpool_group *group;
	char name[8];

	KUNIT_ASSERT_LT(test, m->n, MODEL_GROUPS);
	snprintf(name, sizeof(name), "g%u", m->n);
	group = test_subgroup(test, parent, name, &params);
	m->groups[m->n++] = group;
	return group;
}

static bool is_below(const struct kpool_group *group,
		     const struct kpool_group *top)
{
	while (group && group != top)
		group = group->parent;
	return group;
}

static unsigned int nr_running(struct kpool_group *group)
{
	struct kpool_worker *worker;
	unsigned int n = 0;

	list_for_each_entry(worker, &group->pool->workers, all_entry)
		n += worker->work && is_below(worker->group, group);
	return n;
}

/*
 * What a group holds back, if one more work of @plus was running: what those
 * below it do, but no less than what it has reserved and does not use.
 */
static unsigned int held(struct model *m, struct kpool_group *group,
			 struct kpool_group *plus)
{
	unsigned int running = nr_running(group), below = 0, i;

	if (plus && is_below(plus, group))
		running++;
	for (i = 1; i < m->n; i++)
		if (m->groups[i]->parent == group)
			below += held(m, m->groups[i], plus);
	if (group->reserve > running)
		below = max(below, group->reserve - running);
	return below;
}

/* May a work of this group start, if so many threads are free? */
static bool can_start(struct model *m, struct kpool_group *group,
		      unsigned int nr_free)
{
	struct kpool_group *root = m->groups[0], *pos;
	unsigned int now;

	if (!nr_free)
		return false;
	for (pos = group; pos; pos = pos->parent)
		if (pos->state > GROUP_CLOSED || hooks_in_progress(pos) ||
		    (pos->max_active && nr_running(pos) >= pos->max_active))
			return false;
	now = held(m, root, NULL);
	return nr_free > now || held(m, root, group) < now;
}

/* Is there a pending work that may start, if so many threads are free? */
static bool any_can_start(struct model *m, unsigned int nr_free)
{
	unsigned int i;

	for (i = 0; i < m->n; i++)
		if (!list_empty(&m->groups[i]->pending) &&
		    can_start(m, m->groups[i], nr_free))
			return true;
	return false;
}

static const char *check_counts(struct model *m)
{
	unsigned int i, waiting = 0, hurdles = m->pool->over;
	struct kpool_group *group;

	for (i = 0; i < m->n; i++) {
		group = m->groups[i];
		if (group->nr_running != nr_running(group))
			return "nr_running is wrong";
		if (group->held != held(m, group, NULL))
			return "held is wrong";
		waiting += !list_empty(&group->pending);
		hurdles += group->state != GROUP_OPEN || group->max_queued ||
			   !group->plain;
	}
	if (m->pool->nr_waiting != waiting)
		return "nr_waiting is wrong";
	if (m->pool->hurdles != hurdles)
		return "hurdles is wrong";
	return NULL;
}

static const char *check_starts(struct model *m)
{
	struct kpool *pool = m->pool;
	unsigned int nr_free;

	for (nr_free = 1; nr_free <= pool->max_threads; nr_free++)
		if (!next_group(pool, nr_free) != !any_can_start(m, nr_free))
			return "next_group() is wrong";
	if (any_can_start(m, pool->nr_idle))
		return "a work waits beside an idle thread";
	if (pool->nr_threads < pool->max_threads && !pool->nr_arriving &&
	    pool->spawner.asleep && any_can_start(m, pool->nr_idle + 1))
		return "a work waits and the spawner sleeps";
	return NULL;
}

const char *model_check(struct model *m)
{
	const char *wrong;

	raw_spin_lock_irq(&m->pool->lock);
	wrong = check_counts(m);
	if (!wrong)
		wrong = check_starts(m);
	raw_spin_unlock_irq(&m->pool->lock);
	return wrong;
}
