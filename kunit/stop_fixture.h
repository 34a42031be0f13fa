/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites of stops and of waits for a group share: what is expected of
 * the works of a stopped group, and a stopper thread that is held.
 */
#ifndef _KPOOL_KUNIT_STOP_FIXTURE_H
#define _KPOOL_KUNIT_STOP_FIXTURE_H

#include "helpers.h"

static inline int group_wait_thread(void *group)
{
	return kpool_group_wait(group);
}

static inline void expect_stop(struct kunit *test, struct kpool_group *group)
{
	KUNIT_EXPECT_EQ(test, 0, kpool_group_stop_timeout(group, DEADLINE));
}

/* Ran once, was told, and its sleep was ended. */
static inline void expect_told(struct kunit *test, struct gated *g,
			       unsigned int n)
{
	for (; n--; g++) {
		expect_done(test, &g->ended);
		KUNIT_EXPECT_TRUE(test, g->told);
		KUNIT_EXPECT_TRUE(test, g->signalled);
		KUNIT_EXPECT_EQ(test, 1, atomic_read(&g->runs));
	}
}

static inline void expect_never_ran(struct kunit *test, struct gated *g,
				    unsigned int n)
{
	for (; n--; g++) {
		KUNIT_EXPECT_EQ(test, 0, atomic_read(&g->runs));
		KUNIT_EXPECT_EQ(test, -ECANCELED,
				kpool_work_wait_timeout(&g->work, NULL,
							DEADLINE));
	}
}

/* Hold the stopper thread at a work that it is about to signal. */
static inline void hold_stopper(struct kunit *test, struct kpool *pool,
				struct gated *g)
{
	expect_queued(test, kpool_root(pool), g, 1);
	expect_started(test, g, 1);
	hold_at(test, pool, KPOOL_AT_SEND);
	kpool_work_cancel(&g->work);
	hold_reached(test);
}

#endif /* _KPOOL_KUNIT_STOP_FIXTURE_H */
