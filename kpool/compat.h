/* SPDX-License-Identifier: GPL-2.0-only */
/* The one file that knows a kernel version.  Empty on the newest kernel. */
#ifndef _KPOOL_COMPAT_H
#define _KPOOL_COMPAT_H

#include <linux/module.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <linux/timer.h>
#include <linux/version.h>

/* The namespace became a string in 6.13. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define KPOOL_IMPORT_NS(ns)	MODULE_IMPORT_NS(ns)
#define KPOOL_EXPORT_KUNIT(sym)	\
	EXPORT_SYMBOL_NS_GPL(sym, EXPORTED_FOR_KUNIT_TESTING)
#else
#define KPOOL_IMPORT_NS(ns)	MODULE_IMPORT_NS(#ns)
#define KPOOL_EXPORT_KUNIT(sym)	\
	EXPORT_SYMBOL_NS_GPL(sym, "EXPORTED_FOR_KUNIT_TESTING")
#endif

/* The source of a string in an event is given once, with it, since 6.10. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define kpool_assign_str(dst, src)	__assign_str(dst, src)
#else
#define kpool_assign_str(dst, src)	__assign_str(dst)
#endif

/* Renamed in 6.2. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define timer_delete(timer)	del_timer(timer)
#endif

/* Renamed in 6.16. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define timer_destroy_on_stack(timer)	destroy_timer_on_stack(timer)
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0) && \
	defined(CONFIG_STACKTRACE)
#define KPOOL_HAS_STACKS	1
#else
#define KPOOL_HAS_STACKS	0
#endif

/*
 * Where a task sleeps; 0 where that cannot be had: the function is exported in
 * 6.12, not in 6.1.  The caller has a reference to the task.
 */
static inline unsigned int kpool_stack_save(struct task_struct *task,
					    unsigned long *entries,
					    unsigned int size)
{
#if KPOOL_HAS_STACKS
	return stack_trace_save_tsk(task, entries, size, 0);
#else
	return 0;
#endif
}

/*
 * Has it ceased to ask for a CPU?  Since 6.12 a task that sleeps may stay on
 * the queue of its CPU for a while.
 */
static inline bool kpool_task_dequeued(struct task_struct *task)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	if (READ_ONCE(task->se.sched_delayed))
		return true;
#endif
	return !READ_ONCE(task->on_rq);
}

#endif /* _KPOOL_COMPAT_H */
