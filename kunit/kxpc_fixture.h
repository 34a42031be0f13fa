/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the cases of kxpc_kunit.c share: the engine of samples/kxpc, two
 * partitions, and threads that send and receive on a case's behalf.
 *
 * The engine is compiled into the suite's module, so that kxpc itself has
 * nothing exported for its tests.  Rules: no case sleeps for a time and then
 * hopes; every wait has a deadline that fails the case; what runs in a thread
 * of a pool notes what it saw, and the case looks at it.
 */
#ifndef KXPC_FIXTURE_H
#define KXPC_FIXTURE_H

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/uio.h>

#include "../samples/kxpc/loop.c"
#include "../samples/kxpc/ring.c"
#include "../samples/kxpc/state.c"
#include "../samples/kxpc/engine.c"
#include "../samples/kxpc/io.c"
#include "../samples/kxpc/chan.c"
#include "deadline.h"

#define NENTRIES	8
#define ENTRY_SIZE	64
#define REASON		(KXPC_REASON_USER + 7)

/* Look until an expression holds, for what has no event to wait for. */
#define soon(cond)							\
({									\
	unsigned long __end = jiffies + DEADLINE;			\
	bool __late, __ok;						\
									\
	for (;;) {							\
		__late = time_after(jiffies, __end);			\
		__ok = (cond);						\
		if (__ok || __late)					\
			break;						\
		usleep_range(100, 500);					\
	}								\
	__ok;								\
})

#define expect_soon(test, cond)						\
	KUNIT_EXPECT_TRUE_MSG(test, soon(cond), "not in time: " #cond)

/* Two partitions, and a pool for those who block on the case's behalf. */
struct fixture {
	struct kxpc_loop	*loop;
	struct kxpc_hub		hub;
	struct kxpc_chan	end[2];
	bool			open[2];
	struct kpool		*pool;
	struct kpool_group	*actors;
};

/* Somebody who sends or receives, and may block. */
struct actor {
	struct kpool_work	work;
	struct kxpc_chan	*ch;
	u32			value;	/* sent, or received last */
	u32			epoch;	/* the high half of all values */
	bool			wrong;	/* received what was not expected */
	int			count;	/* records that went well */
	int			ret;	/* of the last, which did not */
};

static int send(struct kxpc_chan *ch, u32 value, bool nonblock)
{
	struct kvec vec = { .iov_base = &value, .iov_len = sizeof(value) };
	struct iov_iter from;

	iov_iter_kvec(&from, ITER_SOURCE, &vec, 1, sizeof(value));
	return kxpc_send(ch, &from, nonblock);
}

static int receive_into(struct kxpc_chan *ch, void *buf, size_t len,
			bool nonblock)
{
	struct kvec vec = { .iov_base = buf, .iov_len = len };
	struct iov_iter to;

	iov_iter_kvec(&to, ITER_DEST, &vec, 1, len);
	return kxpc_receive(ch, &to, nonblock);
}

static int receive(struct kxpc_chan *ch, u32 *value, bool nonblock)
{
	return receive_into(ch, value, sizeof(*value), nonblock);
}

/* As receive(), for as long as is decent. */
static int receive_soon(struct kxpc_chan *ch, u32 *value)
{
	if (!soon(kxpc_may_receive(ch)))
		return -ETIMEDOUT;
	return receive(ch, value, true);
}

static void expect_received(struct kunit *test, struct kxpc_chan *ch, u32 value)
{
	u32 got = 0;

	KUNIT_EXPECT_EQ(test, receive_soon(ch, &got), (int)sizeof(got));
	KUNIT_EXPECT_EQ(test, got, value);
}

static int waiters(struct wait_queue_head *wq)
{
	struct list_head *pos;
	int n = 0;

	spin_lock_irq(&wq->lock);
	list_for_each(pos, &wq->head)
		n++;
	spin_unlock_irq(&wq->lock);
	return n;
}

static u32 reason(struct kxpc_chan *ch)
{
	return READ_ONCE(ch->reason);
}

/* ------------------------------------------------------------------------
 * Actors
 */

static int send_once(struct kpool_work *work)
{
	struct actor *a = container_of(work, struct actor, work);

	a->ret = send(a->ch, a->value, false);
	return a->ret;
}

static int receive_once(struct kpool_work *work)
{
	struct actor *a = container_of(work, struct actor, work);

	a->ret = receive(a->ch, &a->value, false);
	return a->ret;
}

static int send_many(struct kpool_work *work)
{
	struct actor *a = container_of(work, struct actor, work);

	do {
		a->ret = send(a->ch, a->epoch << 16 | (a->count & 0xffff),
			      false);
	} while (a->ret > 0 && ++a->count);
	return 0;
}

static int receive_many(struct kpool_work *work)
{
	struct actor *a = container_of(work, struct actor, work);

	while ((a->ret = receive(a->ch, &a->value, false)) > 0) {
		if (a->value != (a->epoch << 16 | (a->count & 0xffff)))
			a->wrong = true;
		WRITE_ONCE(a->count, a->count + 1);
	}
	return 0;
}

static void actor_start(struct kunit *test, struct actor *a,
			struct kxpc_chan *ch, kpool_fn_t fn)
{
	struct fixture *f = test->priv;

	a->ch = ch;
	kpool_work_init(&a->work, fn);
	KUNIT_ASSERT_EQ(test, kpool_queue(f->actors, &a->work), 0);
}

/* On the heap of the case: freed after the pool was destroyed, see exit. */
static struct actor *actors_alloc(struct kunit *test, int n)
{
	struct actor *a = kunit_kcalloc(test, n, sizeof(*a), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, a);
	return a;
}

static int actor_end(struct actor *a)
{
	int err = kpool_work_wait_timeout(&a->work, NULL, DEADLINE);

	return err ?: a->ret;
}

/* ------------------------------------------------------------------------
 * The fixture
 */

static struct kxpc_chan *end(struct kunit *test, int i)
{
	struct fixture *f = test->priv;

	return &f->end[i];
}

static void open_end(struct kunit *test, int i)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, kxpc_open(&f->end[i]), 0);
	f->open[i] = true;
}

static void close_end(struct kunit *test, int i)
{
	struct fixture *f = test->priv;

	f->open[i] = false;
	kxpc_close(&f->end[i]);
}

static void await_connection(struct kunit *test)
{
	expect_soon(test, kxpc_state(end(test, 0)) == KXPC_CONNECTED);
	expect_soon(test, kxpc_state(end(test, 1)) == KXPC_CONNECTED);
}

static void connect_ends(struct kunit *test)
{
	open_end(test, 0);
	open_end(test, 1);
	await_connection(test);
}

static int kxpc_test_init(struct kunit *test)
{
	const struct kpool_params params = { .max_threads = 8 };
	struct fixture *f;
	int i, err;

	f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	if (!f)
		return -ENOMEM;

	f->loop = kxpc_loop_create(2, kxpc_window_size(NENTRIES, ENTRY_SIZE));
	if (IS_ERR(f->loop))
		return PTR_ERR(f->loop);

	err = kxpc_hub_init(&f->hub, "kxpc-kunit", 2);
	if (err)
		goto err_loop;

	for (i = 0; i < 2; i++) {
		err = kxpc_chan_init(&f->end[i], &f->hub,
				     kxpc_loop_node(f->loop, i), !i,
				     NENTRIES, ENTRY_SIZE);
		if (err)
			goto err_chans;
	}

	f->pool = kpool_create("kxpc-actors", &params);
	err = PTR_ERR_OR_ZERO(f->pool);
	if (err)
		goto err_chans;
	f->actors = kpool_group_create(kpool_root(f->pool), "actors", NULL);
	err = PTR_ERR_OR_ZERO(f->actors);
	if (err)
		goto err_pool;

	test->priv = f;
	return 0;

err_pool:
	kpool_destroy(f->pool);
err_chans:
	while (i--)
		kxpc_chan_exit(&f->end[i]);
	kxpc_hub_exit(&f->hub);
err_loop:
	kxpc_loop_destroy(f->loop);
	return err;
}

static void kxpc_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;
	int i;

	if (!f)
		return;

	/* Ends whoever is still blocked: then nobody is in an open end. */
	kpool_group_destroy(f->actors);
	kpool_destroy(f->pool);
	for (i = 0; i < 2; i++)
		if (f->open[i])
			kxpc_close(&f->end[i]);
	for (i = 0; i < 2; i++)
		kxpc_chan_exit(&f->end[i]);
	kxpc_hub_exit(&f->hub);
	kxpc_loop_destroy(f->loop);
}

#endif /* KXPC_FIXTURE_H */
