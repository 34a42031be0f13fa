// SPDX-License-Identifier: GPL-2.0-only
/*
 * The smallest driver on kpool: sessions that live until they are told.
 *
 *	# modprobe kpool_minimal
 *	# modprobe -r kpool_minimal
 *	# dmesg
 *	kpool_minimal: the answer is 42
 *	kpool_minimal: session 0 is up		(in any order)
 *	...
 *	kpool_minimal: session 0 ends, 1 request served
 *	...
 *
 * Each session is a thread that waits for requests, for ever.  All of them
 * end in one call, at once, however many there are.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/kpool.h>
#include <linux/module.h>
#include <linux/wait.h>

#define NR_SESSIONS	4

/* Static here; a driver has one in each thing that it serves. */
struct session {
	struct kpool_work	work;
	wait_queue_head_t	wq;
	atomic_t		requests;
};

static struct session sessions[NR_SESSIONS];
static struct kpool *pool;
static struct kpool_group *group;

/* A long-lived thread: a work that returns when it is told to. */
static int session_run(struct kpool_work *work)
{
	struct session *s = container_of(work, struct session, work);
	int served = 0;

	pr_info("session %td is up\n", s - sessions);
	while (!kpool_should_stop()) {
		if (wait_event_interruptible(s->wq, atomic_read(&s->requests)))
			continue;	/* told: the sleep ended by a signal */
		atomic_dec(&s->requests);
		served++;
	}
	pr_info("session %td ends, %d request%s served\n", s - sessions,
		served, served == 1 ? "" : "s");
	return 0;
}

static void session_request(struct session *s)
{
	atomic_inc(&s->requests);
	wake_up(&s->wq);
}

/* A short work, with a result. */
static int answer(struct kpool_work *work)
{
	return 42;
}

static int __init ask(void)
{
	struct kpool_work work;
	int err, result;

	kpool_work_init_onstack(&work, answer);
	err = kpool_queue(group, &work);
	if (!err)
		err = kpool_work_wait(&work, &result);
	kpool_work_destroy_onstack(&work);

	if (!err)
		pr_info("the answer is %d\n", result);
	return err;
}

static int __init start_sessions(void)
{
	int i, err;

	for (i = 0; i < NR_SESSIONS; i++) {
		struct session *s = &sessions[i];

		init_waitqueue_head(&s->wq);
		kpool_work_init(&s->work, session_run);
		err = kpool_queue(group, &s->work);
		if (err)
			return err;
		session_request(s);
	}
	return 0;
}

static int __init minimal_init(void)
{
	/* At most one thread for each session, and one for short works. */
	const struct kpool_params params = {
		.min_threads = 1,
		.max_threads = NR_SESSIONS + 1,
	};
	int err;

	pool = kpool_create("minimal", &params);
	if (IS_ERR(pool))
		return PTR_ERR(pool);

	group = kpool_group_create(kpool_root(pool), "sessions", NULL);
	if (IS_ERR(group)) {
		err = PTR_ERR(group);
		goto err_destroy_pool;
	}

	err = ask();
	if (!err)
		err = start_sessions();
	if (err)
		goto err_destroy_group;
	return 0;

err_destroy_group:
	kpool_group_destroy(group);	/* stops what was started */
err_destroy_pool:
	kpool_destroy(pool);
	return err;
}
module_init(minimal_init);

static void __exit minimal_exit(void)
{
	/*
	 * Tells all sessions at once and waits for the last to end.  After
	 * this no code or data of this module is in use by the pool, and what
	 * the sessions worked with could be freed here.
	 */
	kpool_group_stop(group);

	kpool_group_destroy(group);
	kpool_destroy(pool);
}
module_exit(minimal_exit);

MODULE_DESCRIPTION("The smallest driver on kpool");
MODULE_AUTHOR("The kpool developers");
MODULE_LICENSE("GPL");
