// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hooks of groups: first_in() before the first work of a subtree runs, and
 * last_out() after the last one.
 *
 *	      first start            returned
 *	OUT ---------------> ENTERING --------> IN
 *	 ^                                       |
 *	 |   returned                            | last end
 *	 +------------------ LEAVING <-----------+
 *
 * The worker that makes the count of running works 1, or 0, calls the hook, in
 * process context and with no lock held.  Until the hook has returned nothing
 * starts in the group or below it.  So a worker that finds a group of its own
 * chain ENTERING is the one that made it so, for another would have had to
 * start below it.  One that leaves is told which group it leaves: above that
 * it still counts as running, so that a parent is left after its child.
 */
#include <linux/lockdep.h>

#include "internal.h"
#include "lockmap.h"

/* The one place where the state changes. */
static void hooks_set(struct kpool_group *group, enum hooks_state hooks)
{
	lockdep_assert_held(&group->pool->lock);
	WARN_ON_ONCE(hooks != (group->hooks + 1) % (HOOKS_LEAVING + 1));
	WRITE_ONCE(group->hooks, hooks);
}

/* The count of running works has changed; is a hook due? */
bool hooks_count(struct kpool_group *group)
{
	if (group->nr_running == 1 && group->hooks == HOOKS_OUT)
		hooks_set(group, HOOKS_ENTERING);
	else if (!group->nr_running && group->hooks == HOOKS_IN)
		hooks_set(group, HOOKS_LEAVING);
	else
		return false;
	return true;
}

/*
 * Call a hook, if there is one.  For a call in place the thread is in a work,
 * with the maps of that, and what it has taken, held.
 */
static void hooks_call(struct kpool_group *group,
		       void (*hook)(struct kpool_group *group))
{
	struct kpool_worker *worker = current_worker();

	if (!hook)
		return;
	WRITE_ONCE(worker->func, hook);
	worker->hooking = group;
	if (!worker->guest)
		group_map_acquire(group);
	hook(client_group(group));
	if (!worker->guest)
		group_map_release(group);
	worker->hooking = NULL;
	if (!worker->guest && env_was_changed(&worker->env))
		env_repair(&worker->env, group, hook);
}

/* Call first_in() of those above that it is due for, and of this, top down. */
void hooks_enter(struct kpool_group *group)
{
	struct kpool *pool = group->pool;

	if (group->parent)
		hooks_enter(group->parent);
	if (READ_ONCE(group->hooks) != HOOKS_ENTERING)
		return;
	hooks_call(group, group->first_in);
	raw_spin_lock_irq(&pool->lock);
	hooks_set(group, HOOKS_IN);
	group_changed(group);
	raw_spin_unlock_irq(&pool->lock);
	/* others may start, whatever hooks come next */
	dispatch_more(pool);
}

/* Call last_out() of this group, and of those above that it is due for then. */
void hooks_leave(struct kpool_group *group)
{
	struct kpool *pool = group->pool;

	while (group) {
		hooks_call(group, group->last_out);
		raw_spin_lock_irq(&pool->lock);
		hooks_set(group, HOOKS_OUT);
		group_changed(group);
		group = group->parent ? group_put_slot(group->parent) : NULL;
		raw_spin_unlock_irq(&pool->lock);
		dispatch_more(pool);
	}
}
