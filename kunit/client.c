// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that uses kpool as others do, to be loaded and unloaded in a loop:
 * its works block, and while a timer goes on queueing them it is unloaded.
 * Nothing of it may execute when its exit function returns.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/irq_work.h>
#include <linux/kpool.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timer.h>

static int works = 64;
module_param(works, int, 0444);
MODULE_PARM_DESC(works, "number of works; half of them block until they are told");

static int threads = 16;
module_param(threads, int, 0444);
MODULE_PARM_DESC(threads, "most threads of the pool");

/* One that blocks, or a short one that is queued again and again. */
struct client_work {
	struct kpool_work	work;
	bool			blocks;
	atomic_t		accepted;
	atomic_t		released;
};

static struct client_work *client_works;
static struct kpool *client_pool;
static struct kpool_group *blocking;
static struct kpool_group *quick;
static DECLARE_COMPLETION(never);

static int client_fn(struct kpool_work *work)
{
	struct client_work *c = container_of(work, struct client_work, work);

	if (!c->blocks)
		return 0;
	return wait_for_completion_killable(&never);
}

/* The last thing that a thread of the pool executes in this module. */
static void client_release(struct kpool_work *work)
{
	struct client_work *c = container_of(work, struct client_work, work);

	WARN_ON_ONCE(signal_pending(current));
	atomic_inc(&c->released);
}

static void storm_irq_fn(struct irq_work *irq)
{
	struct client_work *c;

	for (c = client_works; c < client_works + works; c++)
		if (!kpool_queue(c->blocks ? blocking : quick, &c->work))
			atomic_inc(&c->accepted);
}

static struct irq_work storm_irq = IRQ_WORK_INIT_HARD(storm_irq_fn);

/* All works in each tick, from a hard interrupt. */
static void storm_timer_fn(struct timer_list *timer)
{
	irq_work_queue(&storm_irq);
	mod_timer(timer, jiffies + 1);
}

static DEFINE_TIMER(storm_timer, storm_timer_fn);

static int client_groups(void)
{
	struct kpool_group_params params = { .max_active = threads - 1 };

	/* one thread at least is for the quick works */
	blocking = kpool_group_create(kpool_root(client_pool), "blocking",
				      &params);
	if (IS_ERR(blocking))
		return PTR_ERR(blocking);
	quick = kpool_group_create(kpool_root(client_pool), "quick", NULL);
	if (IS_ERR(quick)) {
		kpool_group_destroy(blocking);
		return PTR_ERR(quick);
	}
	return 0;
}

static int __init client_init(void)
{
	struct kpool_params params = { .max_threads = threads };
	int i, err;

	if (works < 1 || threads < 2)
		return -EINVAL;
	client_works = kcalloc(works, sizeof(*client_works), GFP_KERNEL);
	if (!client_works)
		return -ENOMEM;
	for (i = 0; i < works; i++) {
		client_works[i].blocks = i & 1;
		kpool_work_init_release(&client_works[i].work, client_fn,
					client_release);
	}
	client_pool = kpool_create("client", &params);
	err = PTR_ERR_OR_ZERO(client_pool);
	if (err)
		goto err_free;
	err = client_groups();
	if (err)
		goto err_pool;
	mod_timer(&storm_timer, jiffies);
	return 0;

err_pool:
	kpool_destroy(client_pool);
err_free:
	kfree(client_works);
	return err;
}

/* The storm rages until everything has been stopped, and a little longer. */
static void __exit client_exit(void)
{
	struct client_work *c;

	kpool_group_stop(kpool_root(client_pool));
	timer_shutdown_sync(&storm_timer);
	irq_work_sync(&storm_irq);
	for (c = client_works; c < client_works + works; c++)
		WARN_ONCE(atomic_read(&c->accepted) !=
			  atomic_read(&c->released),
			  "kpool_client: %d queueings, %d releases\n",
			  atomic_read(&c->accepted),
			  atomic_read(&c->released));
	kfree(client_works);
	kpool_group_destroy(blocking);
	kpool_group_destroy(quick);
	kpool_destroy(client_pool);
}

module_init(client_init);
module_exit(client_exit);

MODULE_DESCRIPTION("A client of kpool that is unloaded under load");
MODULE_AUTHOR("The kpool developers");
MODULE_LICENSE("GPL");
