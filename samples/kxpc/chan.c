// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life and death: of the threads, of a channel, and of one opening of it.
 */
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "engine.h"

/**
 * kxpc_hub_init() - make the threads that channels share
 * @hub: where to
 * @name: of the pool
 * @nr: how many ends of channels will use it
 *
 * Return: 0 or a negative error.
 */
int kxpc_hub_init(struct kxpc_hub *hub, const char *name, unsigned int nr)
{
	/*
	 * A delivery work may block for ever and an event work must not wait
	 * for that: a thread for each, and one for events that needs no memory
	 * when it is wanted.
	 */
	const struct kpool_params params = {
		.min_threads = 2,
		.max_threads = 2 * nr,
	};
	const struct kpool_group_params events = { .reserve = 1 };
	int err;

	hub->pool = kpool_create(name, &params);
	if (IS_ERR(hub->pool))
		return PTR_ERR(hub->pool);

	hub->events = kpool_group_create(kpool_root(hub->pool), "events",
					 &events);
	if (IS_ERR(hub->events)) {
		err = PTR_ERR(hub->events);
		kpool_destroy(hub->pool);
		return err;
	}
	return 0;
}

/**
 * kxpc_hub_exit() - end the threads
 * @hub: the hub, used by no channel any more
 */
void kxpc_hub_exit(struct kxpc_hub *hub)
{
	kpool_group_destroy(hub->events);
	kpool_destroy(hub->pool);
}

/**
 * kxpc_chan_init() - make one end of a channel, closed
 * @ch: zeroed memory
 * @hub: its threads
 * @tp: the partition's transport
 * @peer: the partition at the other end
 * @nentries: the window, a power of two
 * @entry_size: longest record
 *
 * Return: 0; -ENXIO the transport has no such peer; -EINVAL its windows are
 * too small; -ENOMEM.
 */
int kxpc_chan_init(struct kxpc_chan *ch, struct kxpc_hub *hub,
		   struct kxpc_transport *tp, unsigned int peer,
		   u32 nentries, u32 entry_size)
{
	ch->hub = hub;
	ch->tp = tp;
	ch->peer = peer;
	ch->handler.event = kxpc_rung;

	ch->ring.own = tp->ops->own_window(tp);
	ch->ring.peer = tp->ops->peer_window(tp, peer);
	ch->ring.nentries = nentries;
	ch->ring.entry_size = entry_size;
	if (!ch->ring.peer)
		return -ENXIO;
	if (!is_power_of_2(nentries) ||
	    kxpc_window_size(nentries, entry_size) > tp->window_size)
		return -EINVAL;

	/* Shorter than the window, so that there is something to block for. */
	ch->rx_depth = max_t(u32, nentries / 4, 1);
	ch->rxq = vmalloc(ch->rx_depth * kxpc_record_size(entry_size));
	if (!ch->rxq)
		return -ENOMEM;

	mutex_init(&ch->open_lock);
	spin_lock_init(&ch->lock);
	mutex_init(&ch->tx_lock);
	mutex_init(&ch->rx_lock);
	init_waitqueue_head(&ch->tx_wait);
	init_waitqueue_head(&ch->rx_wait);
	init_waitqueue_head(&ch->rx_room);
	kpool_work_init(&ch->event, kxpc_event);
	kpool_work_init(&ch->deliver, kxpc_deliver);

	kxpc_window_init(ch->ring.own, nentries, entry_size);
	tp->ops->set_handler(tp, &ch->handler);
	return 0;
}

/**
 * kxpc_chan_exit() - free one end of a channel
 * @ch: the channel, which is closed
 *
 * The peer may go on to ring; nobody hears it.
 */
void kxpc_chan_exit(struct kxpc_chan *ch)
{
	WARN_ON_ONCE(ch->state != KXPC_CLOSED);

	/* No ring queues the event work after this ... */
	ch->tp->ops->set_handler(ch->tp, NULL);
	/* ... so this was the last; the delivery work ended with kxpc_close() */
	kpool_work_cancel_sync(&ch->event);
	vfree(ch->rxq);
}

static struct kpool_group *delivery_group(struct kxpc_chan *ch, u32 epoch)
{
	const struct kpool_group_params ordered = { .max_active = 1 };
	char name[KPOOL_NAME_MAX + 1];

	snprintf(name, sizeof(name), "deliver%u-%u.%u", ch->peer,
		 ch->tp->own_id, epoch);
	return kpool_group_create(kpool_root(ch->hub->pool), name, &ordered);
}

static int open_locked(struct kxpc_chan *ch)
{
	struct kpool_group *group;
	u32 epoch;

	if (kxpc_state(ch) != KXPC_CLOSED)
		return -EBUSY;

	epoch = kxpc_next_epoch(ch->epoch);
	group = delivery_group(ch, epoch);
	if (IS_ERR(group))
		return PTR_ERR(group);

	spin_lock(&ch->lock);
	ch->group = group;
	ch->epoch = epoch;
	ch->announced = false;
	ch->sent = 0;
	ch->received = 0;
	/* Also drops what the last opening left in the receive queue. */
	kxpc_ring_reset(&ch->ring);
	kxpc_set_state(ch, KXPC_CONNECTING, KXPC_REASON_NONE);
	/* The peer may be there, and will not ring for us. */
	kxpc_look(ch);
	spin_unlock(&ch->lock);
	return 0;
}

/**
 * kxpc_open() - open one end of a channel
 * @ch: the channel
 *
 * Connects when both ends are open, without waiting for it.
 *
 * Context: process context, may sleep, interruptibly.
 * Return: 0; -EBUSY it is open; -ERESTARTSYS; or why there is no group.
 */
int kxpc_open(struct kxpc_chan *ch)
{
	int err;

	if (mutex_lock_interruptible(&ch->open_lock))
		return -ERESTARTSYS;
	err = open_locked(ch);
	mutex_unlock(&ch->open_lock);
	return err;
}

/**
 * kxpc_close() - close one end of a channel
 * @ch: the channel; nobody sends, receives or polls
 *
 * What was sent and not received yet stays in our window, where the peer
 * finds it; it is forgotten when the peer has closed, too.
 *
 * Context: process context, may sleep, uninterruptibly, as long as it takes
 * the delivery work to notice.
 */
void kxpc_close(struct kxpc_chan *ch)
{
	mutex_lock(&ch->open_lock);

	/*
	 * Phase 1, make it dead.  From here on the event work leaves it alone
	 * and nothing is queued to the group.  Fails if it was disconnected
	 * already, which is as good.
	 */
	kxpc_disconnect(ch, KXPC_REASON_UNREGISTERING);

	/*
	 * Phase 2, end the delivery.  It is the only one that reads records
	 * in the peer's window, and it has been told to stop.  On return it
	 * has ended, and nobody can use the group: who does so looks at the
	 * state under the lock.
	 */
	kpool_group_destroy(ch->group);

	/* Phase 3, say that we have done with the peer's window. */
	spin_lock(&ch->lock);
	ch->group = NULL;
	kxpc_set_state(ch, KXPC_CLOSED, ch->reason);
	spin_unlock(&ch->lock);

	mutex_unlock(&ch->open_lock);
}

/**
 * kxpc_get_status() - what one end of a channel is doing
 * @ch: the channel
 * @status: where to
 *
 * Context: any that may take a spinlock.
 */
void kxpc_get_status(struct kxpc_chan *ch, struct kxpc_status *status)
{
	spin_lock(&ch->lock);
	*status = (struct kxpc_status) {
		.partition	= ch->tp->own_id,
		.peer		= ch->peer,
		.state		= ch->state,
		.reason		= ch->reason,
		.epoch		= ch->epoch,
		.peer_epoch	= ch->announced ? ch->paired : 0,
		.nentries	= ch->ring.nentries,
		.entry_size	= ch->ring.entry_size,
		.tx_used	= kxpc_ring_used(&ch->ring),
		.rx_used	= ch->ring.pulled - ch->ring.get,
		.sent		= ch->sent,
		.received	= ch->received,
	};
	spin_unlock(&ch->lock);
}
