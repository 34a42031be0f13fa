/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites share: a pool that goes with its test, works that wait at a
 * gate, and waits that end.
 *
 * Rules.  No case sleeps for a time and then hopes: it waits for an event,
 * with a deadline that fails it.  Works never assert, for that would end the
 * worker: they note what they saw, and the case looks at it.  What a case
 * leaves behind, also when it fails half-way, is undone by kunit actions: all
 * gates open, then the pools end.
 */
#ifndef _KPOOL_KUNIT_HELPERS_H
#define _KPOOL_KUNIT_HELPERS_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kpool.h>

#include "../kpool/fault.h"
#include "../kpool/internal.h"
#include "../kpool/testpoint.h"
#include "deadline.h"

/* Time in which what must not happen would have happened; see stays(). */
#define MOMENT		msecs_to_jiffies(100)

/* How a gated work waits until its gate is opened, or it is told. */
enum gate_sleep {
	GATE_INTERRUPTIBLE,
	GATE_KILLABLE,
	GATE_UNINTERRUPTIBLE,	/* does not notice a tell */
};

/*
 * A work that says that it has started, waits at its gate, and says what it
 * saw.  Initialise with gated_init(), or gated_array() for many.
 */
struct gated {
	struct kpool_work	work;
	enum gate_sleep		sleep;
	int			ret;		/* returned by the function */
	struct completion	started;
	struct completion	gate;
	struct completion	ended;
	struct task_struct	*thread;	/* that ran it last */
	int			order;		/* its turn among all starts */
	atomic_t		runs;
	atomic_t		inside;		/* executing just now */
	bool			twice;		/* executed twice at once */
	bool			told;		/* kpool_should_stop() at the end */
	bool			signalled;	/* the sleep ended by a signal */
	bool			stray;		/* a signal was there at start */
	atomic_t		released;
};

void gated_init(struct gated *g);
struct gated *gated_array(struct kunit *test, unsigned int n);

/* Let one work, or n of them, go on; now and whenever they run again. */
void gated_open(struct gated *g);
void gated_open_all(struct gated *g, unsigned int n);

/* A release function that counts in ->released. */
void gated_release(struct kpool_work *work);

/* Wait for a completion, or fail the case and go on. */
bool expect_done(struct kunit *test, struct completion *done);

/* Wait until n works of an array have started. */
bool expect_started(struct kunit *test, struct gated *g, unsigned int n);

/* Queue n works of an array, and expect that each is accepted. */
void expect_queued(struct kunit *test, struct kpool_group *group,
		   struct gated *g, unsigned int n);

/* Wait until n works of an array have ended, having run. */
void expect_over(struct kunit *test, struct gated *g, unsigned int n);

/* How many of n works have started by now, at least once. */
unsigned int count_started(struct gated *g, unsigned int n);

/*
 * Wait until an expression holds, looking again and again: for what has no
 * event, such as the number of threads.
 */
#define expect_soon(test, cond)						\
({									\
	unsigned long __end = jiffies + DEADLINE;			\
	bool __ok;							\
									\
	while (!(__ok = (cond)) && time_before(jiffies, __end))		\
		schedule_timeout_uninterruptible(1);			\
	KUNIT_EXPECT_TRUE_MSG(test, __ok, "not in time: %s", #cond);	\
	__ok;								\
})

/*
 * Does an expression hold for a moment?  Only for what must *not* happen; a
 * slow machine makes this more lenient, never makes it fail.
 */
#define stays(cond)							\
({									\
	unsigned long __end = jiffies + MOMENT;				\
	bool __ok;							\
									\
	while ((__ok = (cond)) && time_before(jiffies, __end))		\
		schedule_timeout_uninterruptible(1);			\
	__ok;								\
})

/*
 * A pool that is destroyed when the case ends.  Its name is the suite's area
 * and a number.  NULL params: the defaults of test_params.
 */
struct kpool *test_pool(struct kunit *test, int min_threads, int max_threads);
struct kpool *test_pool_params(struct kunit *test,
			       const struct kpool_params *params);

/* End a pool before its case does. */
void test_pool_destroy(struct kunit *test, struct kpool *pool);

/*
 * A group that is destroyed before its pool.  As with kpool_group_create(), to
 * lockdep those of one call are one.
 */
struct kpool_group *__test_group(struct kunit *test, struct kpool *pool,
				 const char *name, int max_active,
				 int max_queued, struct lock_class_key *key);
struct kpool_group *__test_subgroup(struct kunit *test,
				    struct kpool_group *parent,
				    const char *name,
				    const struct kpool_group_params *params,
				    struct lock_class_key *key);

#define test_group(test, pool, name, max_active, max_queued)		\
({									\
	static struct lock_class_key __key;				\
									\
	__test_group(test, pool, name, max_active, max_queued, &__key);	\
})

#define test_subgroup(test, parent, name, ...)				\
({									\
	static struct lock_class_key __key;				\
									\
	__test_subgroup(test, parent, name, __VA_ARGS__, &__key);	\
})
void test_group_destroy(struct kunit *test, struct kpool_group *group);

/* Counts, read under the lock. */
unsigned int pool_threads(struct kpool *pool);
unsigned int pool_idle(struct kpool *pool);
unsigned int pool_pending(struct kpool *pool);
unsigned int pool_running(struct kpool *pool);

/*
 * Hold every thread that comes to a test point of this pool, from hold_at()
 * to hold_release(); one point of one pool at a time.  hold_reached() waits
 * until a thread is held there.
 */
void hold_at(struct kunit *test, struct kpool *pool,
	     enum kpool_test_point point);
bool hold_reached(struct kunit *test);
void hold_release(void);

/* Let the creation of threads and structures fail, after @after more. */
void fail_creations(struct kunit *test, int after);
void fail_no_more(void);

/* Call a function in a hard interrupt, with irqs off, or in a softirq. */
void call_in_hardirq(struct kunit *test, void (*fn)(void *arg), void *arg);
void call_in_softirq(struct kunit *test, void (*fn)(void *arg), void *arg);

/*
 * A kthread beside the test thread, which has begun when run_thread() returns:
 * it calls fn, or has done so.  join_thread() returns what that returned.
 */
struct test_thread;
struct test_thread *run_thread(struct kunit *test, int (*fn)(void *arg),
			       void *arg);
int join_thread(struct kunit *test, struct test_thread *thread);
struct task_struct *thread_task(struct test_thread *thread);

/*
 * Does it sleep, and has it left its CPU?  The state alone may be that of a
 * thread which still runs, or was preempted, on its way to sleep: its stack
 * cannot be read yet, and its counters go on.  With PREEMPT_RT it may also wait
 * for a spinlock, which is no sleep of its own.
 */
bool task_is_asleep(struct task_struct *task);

/* Has its function returned? */
bool thread_done(struct test_thread *thread);

/* How many wait: for a work (&work->waiters) or a group (&group->waiters). */
unsigned int count_waiters(struct kpool *pool, struct hlist_head *waiters);

/* How far the tell of a running work is; TELL_SHUT if it does not run. */
enum tell_state tell_of(struct kpool *pool, struct kpool_work *work);

int on_one_cpu(int (*fn)(void));

#endif /* _KPOOL_KUNIT_HELPERS_H */
