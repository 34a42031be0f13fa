// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debug objects: a work is active from the queueing that binds it to a pool
 * until the end of the run that unbinds it.
 */
#include <linux/debugobjects.h>
#include <linux/export.h>

#include "debugobj.h"
#include "internal.h"

static void *work_hint(void *addr)
{
	return ((struct kpool_work *)addr)->fn;
}

static bool work_is_static(void *addr)
{
	return ((struct kpool_work *)addr)->flags & WORK_STATIC;
}

/*
 * After the report, take a pending work away, in any context: nobody will find
 * its memory.  It is not given back, for who frees or initialises it has it.
 * For a running one nothing can be done.
 */
static void work_take_away(struct kpool_work *work)
{
	work->release = NULL;	/* see cancel_locked() */
	kpool_work_cancel(work);
}

static bool work_fixup_init(void *addr, enum debug_obj_state state)
{
	if (state == ODEBUG_STATE_ACTIVE)
		work_take_away(addr);
	return false;
}

static bool work_fixup_free(void *addr, enum debug_obj_state state);

static const struct debug_obj_descr work_descr = {
	.name		= "kpool_work",
	.debug_hint	= work_hint,
	.is_static_object = work_is_static,
	.fixup_init	= work_fixup_init,
	.fixup_free	= work_fixup_free,
};

static bool work_fixup_free(void *addr, enum debug_obj_state state)
{
	if (state != ODEBUG_STATE_ACTIVE)
		return false;
	work_take_away(addr);
	/* it must not be active, or freeing it would end up here again */
	debug_object_deactivate(addr, &work_descr);
	debug_object_free(addr, &work_descr);
	return true;
}

void debug_work_init(struct kpool_work *work, bool onstack)
{
	if (onstack)
		debug_object_init_on_stack(work, &work_descr);
	else
		debug_object_init(work, &work_descr);
}

void debug_work_activate(struct kpool_work *work)
{
	debug_object_activate(work, &work_descr);
}

void debug_work_deactivate(struct kpool_work *work)
{
	debug_object_deactivate(work, &work_descr);
}

void kpool_work_destroy_onstack(struct kpool_work *work)
{
	debug_object_free(work, &work_descr);
}
EXPORT_SYMBOL_GPL(kpool_work_destroy_onstack);
