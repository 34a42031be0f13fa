/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Test points: places between two steps where a test may hold a thread, to
 * make a race happen every time.  Nothing is left of them in kernels without
 * KUnit.  All are in process context, without locks, but for KPOOL_AT_EXPIRY.
 */
#ifndef _KPOOL_TESTPOINT_H
#define _KPOOL_TESTPOINT_H

struct kpool;
struct module;

enum kpool_test_point {
	KPOOL_AT_BIRTH,		/* worker: before it may be signalled */
	KPOOL_AT_START,		/* worker: has a work, before its function */
	KPOOL_AT_END,		/* worker: after the function, result not set */
	KPOOL_AT_SEND,		/* teller: workers are marked, not signalled */
	KPOOL_AT_CREATE,	/* spawner: a thread is on the books */
	KPOOL_AT_RETIRE,	/* spawner: idle threads have been let go */
	KPOOL_AT_ROOM,		/* waiter for room: woken, or its time is over */
	KPOOL_AT_EXPIRY,	/* timer: irqs off, has not got the lock */
	KPOOL_AT_CHANGE,	/* who changes one limit: the others not read */
	KPOOL_AT_LIMITS,	/* limits are changed, nothing was done about it */
};

#if IS_ENABLED(CONFIG_KUNIT)
/* kpool itself, for a test that counts its users; NULL if it is built in. */
extern struct module * const kpool_test_module;

extern void (*kpool_test_hook)(enum kpool_test_point point,
			       struct kpool *pool);

static inline void test_point(enum kpool_test_point point, struct kpool *pool)
{
	void (*hook)(enum kpool_test_point point, struct kpool *pool);

	hook = READ_ONCE(kpool_test_hook);
	if (hook)
		hook(point, pool);
}
#else
static inline void test_point(enum kpool_test_point point, struct kpool *pool)
{
}
#endif

#endif /* _KPOOL_TESTPOINT_H */
