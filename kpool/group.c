// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups: the tree, when a group is idle, and its life.
 */
#define pr_fmt(fmt) "kpool: " fmt

#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "fault.h"
#include "internal.h"
#include "lockmap.h"

/* Of what the caller calls a name; at most one more than may be. */
int name_len(const char *name)
{
	return name ? strnlen(name, KPOOL_NAME_MAX + 1) : 0;
}

/* A name becomes part of thread names and of paths. */
bool name_is_valid(const char *name)
{
	int len = name_len(name), i;

	if (!len || len > KPOOL_NAME_MAX || name[0] == '.')
		return false;
	for (i = 0; i < len; i++)
		if (!isascii(name[i]) || !isgraph(name[i]) || name[i] == '/')
			return false;
	return true;
}

/* The one place where a group changes its state. */
void group_set_state(struct kpool_group *group, enum group_state state)
{
	lockdep_assert_held(&group->pool->lock);
	WARN_ONCE(state <= group->state, "kpool: %s/%s: state %u to %u\n",
		  group->pool->name, group->name, group->state, state);
	WRITE_ONCE(group->state, state);
}

/* Was this group, or one above it, stopped?  Also without the lock. */
bool group_is_stopped(const struct kpool_group *group)
{
	for (; group; group = group->parent)
		if (READ_ONCE(group->state) != GROUP_OPEN)
			return true;
	return false;
}

/* Is this group @top, or below it? */
bool group_is_below(const struct kpool_group *group,
		    const struct kpool_group *top)
{
	while (group && group->depth > top->depth)
		group = group->parent;
	return group == top;
}

/* The group after @pos in the subtree of @top, parents first; or NULL. */
struct kpool_group *next_below(struct kpool_group *pos,
			       struct kpool_group *top)
{
	lockdep_assert_held(&top->pool->mutex);
	if (!list_empty(&pos->children))
		return list_first_entry(&pos->children, struct kpool_group,
					sibling);
	for (; pos != top; pos = pos->parent)
		if (!list_is_last(&pos->sibling, &pos->parent->children))
			return list_next_entry(pos, sibling);
	return NULL;
}

/* A group is busy from the first queueing accepted to the last one over. */
void group_get_busy(struct kpool_group *group)
{
	while (group && !group->busy++)
		group = group->parent;
}

void group_put_busy(struct kpool_group *group)
{
	while (group && !--group->busy) {
		waiters_complete(&group->waiters, 0, true);
		group = group->parent;
	}
}

/*
 * Wait until a group is idle.  It is looked at and the record is added under
 * the lock under which group_put_busy() answers records.
 */
static int await_idle(struct kpool_group *group, unsigned long timeout,
		      bool killable, bool for_ever)
{
	struct kpool *pool = group->pool;
	struct kpool_wait wait = { };
	struct kpool_waiter waiter;
	int err = 0;
	bool busy;

	might_sleep();
	if (runs_below(group))
		return -EDEADLK;
	waiter_init(&waiter, pool, 0);
	raw_spin_lock_irq(&pool->lock);
	busy = group->busy;
	if (busy)
		hlist_add_head(&waiter.node, &group->waiters);
	raw_spin_unlock_irq(&pool->lock);
	if (busy && for_ever)
		err = wait_begin(&wait, &waiter, NULL, group, killable,
				 false);
	if (err)
		return err;
	if (timeout)
		group_map_touch(group);
	if (busy) {
		err = await(&waiter, timeout, killable);
		wait_end(&wait);
	}
	return err;
}

int group_await_idle(struct kpool_group *group, unsigned long timeout,
		     bool killable)
{
	return await_idle(group, timeout, killable,
			  timeout >= MAX_SCHEDULE_TIMEOUT);
}

/* For who waits again when the time is over, and so without a time limit. */
int group_await_idle_again(struct kpool_group *group, unsigned long period)
{
	return await_idle(group, period, false, true);
}

int kpool_group_wait(struct kpool_group *group)
{
	return group_await_idle(group, MAX_SCHEDULE_TIMEOUT, false);
}
EXPORT_SYMBOL_GPL(kpool_group_wait);

int kpool_group_wait_timeout(struct kpool_group *group, unsigned long timeout)
{
	return group_await_idle(group, timeout, false);
}
EXPORT_SYMBOL_GPL(kpool_group_wait_timeout);

int kpool_group_wait_killable(struct kpool_group *group)
{
	return group_await_idle(group, MAX_SCHEDULE_TIMEOUT, true);
}
EXPORT_SYMBOL_GPL(kpool_group_wait_killable);

/* A group that is not in the tree yet; all memory it will ever need. */
struct kpool_group *group_alloc(struct kpool *pool, struct kpool_group *parent,
				const char *name,
				const struct kpool_group_params *params,
				const char *lock_name,
				struct lock_class_key *key)
{
	struct kpool_group *group;

	if (fault_create())
		return ERR_PTR(-ENOMEM);
	group = kzalloc(sizeof(*group), GFP_KERNEL);
	if (!group)
		return ERR_PTR(-ENOMEM);
	group->pool = pool;
	group->parent = parent;
	group->depth = parent ? parent->depth + 1 : 0;
	if (params) {
		group->max_active = params->max_active;
		group->max_queued = params->max_queued;
	}
	INIT_LIST_HEAD(&group->pending);
	INIT_LIST_HEAD(&group->running);
	INIT_LIST_HEAD(&group->told);
	INIT_LIST_HEAD(&group->place);
	INIT_LIST_HEAD(&group->blocked);
	INIT_HLIST_HEAD(&group->waiters);
	INIT_LIST_HEAD(&group->stop_entry);
	INIT_LIST_HEAD(&group->children);
	INIT_LIST_HEAD(&group->sibling);
	strscpy(group->name, name, sizeof(group->name));
	/* lockdep keeps the name for ever: never that of the group */
	lockdep_init_map(&group->lockdep_map, lock_name, key, 0);
	release_init(group);
	return group;
}

static int check_group(struct kpool_group *parent, const char *name,
		       const struct kpool_group_params *params)
{
	const char *pool;

	if (IS_ERR_OR_NULL(parent)) {
		pr_err("a group without a parent\n");
		return -EINVAL;
	}
	pool = parent->pool->name;
	if (!name_is_valid(name)) {
		pr_err("%s: group name \"%*pE\" is not 1 to %d printable characters without blanks and slashes\n",
		       pool, name_len(name), name ?: "", KPOOL_NAME_MAX);
		return -EINVAL;
	}
	if (parent->depth >= KPOOL_GROUP_DEPTH) {
		pr_err("%s: group %s: its parent %s is %u deep, the limit is %d\n",
		       pool, name, parent->name, parent->depth,
		       KPOOL_GROUP_DEPTH - 1);
		return -EINVAL;
	}
	if (params && params->max_active < 0) {
		pr_err("%s: group %s: max_active (%d) is negative\n", pool,
		       name, params->max_active);
		return -EINVAL;
	}
	if (params && params->max_queued < 0) {
		pr_err("%s: group %s: max_queued (%d) is negative\n", pool,
		       name, params->max_queued);
		return -EINVAL;
	}
	return 0;
}

/* Put a group into the tree, unless its name is taken or it came too late. */
static int group_link(struct kpool_group *group)
{
	struct kpool_group *parent = group->parent, *sibling;
	struct kpool *pool = group->pool;
	int err = 0;

	mutex_lock(&pool->mutex);
	list_for_each_entry(sibling, &parent->children, sibling)
		if (!strcmp(sibling->name, group->name))
			err = -EEXIST;
	/* A stop walks the tree under the mutex after it has set the state. */
	if (!err && group_is_stopped(parent))
		err = -ESHUTDOWN;
	if (!err)
		list_add_tail(&group->sibling, &parent->children);
	mutex_unlock(&pool->mutex);
	return err;
}

struct kpool_group *
__kpool_group_create(struct kpool_group *parent, const char *name,
		     const struct kpool_group_params *params,
		     const char *lock_name, struct lock_class_key *key)
{
	struct kpool_group *group;
	int err;

	might_sleep();
	err = check_group(parent, name, params);
	if (err)
		return ERR_PTR(err);
	group = group_alloc(parent->pool, parent, name, params, lock_name,
			    key);
	if (IS_ERR(group))
		return group;
	err = group_link(group);
	if (err) {
		if (err == -EEXIST)
			pr_err("%s: group %s exists\n", parent->pool->name,
			       name);
		kfree(group);
		return ERR_PTR(err);
	}
	kpool_get(parent->pool);
	return group;
}
EXPORT_SYMBOL_GPL(__kpool_group_create);

static int group_has_children(struct kpool_group *group)
{
	int err;

	mutex_lock(&group->pool->mutex);
	err = list_empty(&group->children) ? 0 : -EBUSY;
	mutex_unlock(&group->pool->mutex);
	return err;
}

/*
 * Take an idle group out of the tree; nobody finds it from then on.
 *
 * Who can still hold it: a work, no, for the group is idle and refuses; the
 * stopper, no, for it takes groups off pool->to_stop and walks the tree under
 * the mutex; a waiter, no, for a waiter is a caller and callers are excluded;
 * the workqueue, until release_flush(); a reader that found it in work->group,
 * for one grace period.
 */
static int group_unlink(struct kpool_group *group)
{
	struct kpool *pool = group->pool;

	mutex_lock(&pool->mutex);
	if (!list_empty(&group->children)) {
		mutex_unlock(&pool->mutex);
		return -EBUSY;
	}
	list_del(&group->sibling);
	raw_spin_lock_irq(&pool->lock);
	list_del_init(&group->stop_entry);
	group_set_state(group, GROUP_DEAD);
	raw_spin_unlock_irq(&pool->lock);
	mutex_unlock(&pool->mutex);
	return 0;
}

int kpool_group_destroy(struct kpool_group *group)
{
	struct kpool *pool;
	int err;

	if (IS_ERR_OR_NULL(group))
		return 0;
	pool = group->pool;
	if (!group->parent) {
		pr_err("%s: the root group is destroyed with its pool\n",
		       pool->name);
		return -EINVAL;
	}
	if (runs_below(group))
		return -EDEADLK;
	err = group_has_children(group);
	if (!err) {
		err = stop_for_ever(group);
		if (err)
			return err;
		err = group_unlink(group);
	}
	if (WARN(err, "kpool: %s: group %s has groups below it\n",
		 pool->name, group->name))
		return err;
	release_flush(group);
	kfree_rcu(group, rcu);
	kpool_put(pool);
	return 0;
}
EXPORT_SYMBOL_GPL(kpool_group_destroy);
