/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kpool: delayed works, which are queued when a time has passed.
 */
#ifndef _LINUX_KPOOL_DELAYED_H
#define _LINUX_KPOOL_DELAYED_H

#include <linux/container_of.h>
#include <linux/kpool_work.h>
#include <linux/timer.h>

/**
 * struct kpool_delayed_work - a work with a timer
 * @work: the work; it may be waited for, disabled and looked at as any other
 *
 * While its timer is armed it belongs to its group, and counts as pending:
 * against max_queued from the moment of arming, so that nothing is refused when
 * the time has come; kpool_group_wait() waits until it has run; stopping or
 * destroying the group takes it away at once.
 */
struct kpool_delayed_work {
	struct kpool_work	work;
	/* private: armed and deleted under the lock of the work */
	struct timer_list	timer;
};

/**
 * to_kpool_delayed_work() - the delayed work that a work is part of
 * @work: what the function was called with
 *
 * Context: any.
 */
static inline struct kpool_delayed_work *
to_kpool_delayed_work(struct kpool_work *work)
{
	return container_of(work, struct kpool_delayed_work, work);
}

void kpool_delayed_expired(struct timer_list *timer);

void __kpool_delayed_init(struct kpool_delayed_work *dw, kpool_fn_t fn,
			  kpool_release_t release, bool onstack,
			  const char *name, struct lock_class_key *key);

#define __kpool_delayed_init_key(dw, fn, release, onstack)		\
	do {								\
		static struct lock_class_key __key;			\
									\
		__kpool_delayed_init(dw, fn, release, onstack,		\
				     "(kpool_work)" #dw, &__key);	\
	} while (0)

/**
 * kpool_delayed_init() - initialise a delayed work
 * @dw: the delayed work, not in use
 * @fn: its function
 *
 * Context: any.
 */
#define kpool_delayed_init(dw, fn)					\
	__kpool_delayed_init_key(dw, fn, NULL, false)

/**
 * kpool_delayed_init_release() - initialise one that is handed back
 * @dw: the delayed work, not in use
 * @fn: its function
 * @release: called once for each accepted queueing, when kpool is done with it
 *
 * Context: any.
 */
#define kpool_delayed_init_release(dw, fn, release)			\
	__kpool_delayed_init_key(dw, fn, release, false)

/**
 * kpool_delayed_init_onstack() - initialise one on the caller's stack
 * @dw: the delayed work
 * @fn: its function
 *
 * The caller waits for it, or cancels it with kpool_delayed_cancel_sync(), and
 * then calls kpool_delayed_destroy_onstack().
 *
 * Context: any.
 */
#define kpool_delayed_init_onstack(dw, fn)				\
	__kpool_delayed_init_key(dw, fn, NULL, true)

/**
 * kpool_delayed_destroy_onstack() - end the life of one on the stack
 * @dw: initialised by kpool_delayed_init_onstack(), not in use
 */
void kpool_delayed_destroy_onstack(struct kpool_delayed_work *dw);

#define KPOOL_DELAYED_INIT(n, f, r) {					\
	.work = KPOOL_WORK_INIT((n).work, f, r),			\
	.timer = __TIMER_INITIALIZER(kpool_delayed_expired,		\
				     TIMER_IRQSAFE),			\
}

/**
 * DEFINE_KPOOL_DELAYED_WORK() - define a static delayed work
 * @n: name of the variable
 * @f: its function
 */
#define DEFINE_KPOOL_DELAYED_WORK(n, f)					\
	struct kpool_delayed_work n = KPOOL_DELAYED_INIT(n, f, NULL)

/**
 * kpool_queue_delayed() - queue a work when a time has passed
 * @group: the group that the work is stopped, waited for and limited with
 * @dw: the delayed work
 * @delay: in jiffies; 0 is kpool_queue()
 *
 * A work that runs is queued again when its run has ended and the time has
 * passed.  The function never runs before the time has passed.
 *
 * Context: any but NMI, as kpool_queue().
 * Return: as kpool_queue(); -EALREADY also that the timer is armed, and is left
 * as it is; -EAGAIN: max_queued works wait, whether threads are idle or not.
 */
int __must_check kpool_queue_delayed(struct kpool_group *group,
				     struct kpool_delayed_work *dw,
				     unsigned long delay);

/**
 * kpool_mod_delayed() - queue a work, or change when it runs
 * @group: the group that the work is stopped, waited for and limited with
 * @dw: the delayed work
 * @delay: in jiffies from now; 0: as soon as there is a thread
 *
 * Changes the time of a work that is queued and has not started, to an earlier
 * or later one.  Else as kpool_queue_delayed().
 *
 * Context: any but NMI, as kpool_queue().
 * Return: 1 it was queued before, and its time was changed: no queueing was
 * added, and none is released more; 0 queued; else as kpool_queue_delayed().
 */
int kpool_mod_delayed(struct kpool_group *group, struct kpool_delayed_work *dw,
		      unsigned long delay);

/**
 * kpool_delayed_cancel() - cancel a delayed work, wherever it is
 * @dw: the delayed work
 *
 * As kpool_work_cancel().  An armed timer counts as pending.  If the timer has
 * just expired on another CPU, that CPU takes the work away, soon; so only
 * kpool_delayed_cancel_sync() says that the memory is not used any more.
 *
 * Context: any but NMI, as kpool_queue().  Does not spin for the timer.
 * Return: what the work was doing.
 */
static inline enum kpool_cancel
kpool_delayed_cancel(struct kpool_delayed_work *dw)
{
	return kpool_work_cancel(&dw->work);
}

/**
 * kpool_delayed_cancel_sync() - cancel a delayed work and wait for its end
 * @dw: the delayed work
 *
 * On return neither its function nor its timer is executing, and its memory
 * may be freed if it has no release function.
 *
 * Context: process context, may sleep, uninterruptibly.
 * Return: as kpool_work_cancel_sync().
 */
static inline int kpool_delayed_cancel_sync(struct kpool_delayed_work *dw)
{
	return kpool_work_cancel_sync(&dw->work);
}

#endif /* _LINUX_KPOOL_DELAYED_H */
