// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections: what the peer's window makes of the state of our end.
 *
 * There are two works for each end.  The event work runs after the peer rang:
 * it looks at the peer's window, moves the state on, wakes writers that have
 * room again, and queues the delivery work.  That one takes records out of
 * the peer's window and blocks, for as long as it takes, while the receive
 * queue is full.  Neither end ever touches the other's structures: all that
 * they know of each other is in the windows.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/printk.h>

#include "engine.h"

static void queue(struct kxpc_chan *ch, struct kpool_group *group,
		  struct kpool_work *work)
{
	int err = kpool_queue(group, work);

	/*
	 * Pending already: that run begins after this, and will see what we
	 * have seen.  Shut down or cancelled: nobody cares any more.
	 */
	if (err && err != -EALREADY && err != -ESHUTDOWN && err != -ECANCELED)
		pr_warn_ratelimited("partition %u: event from %u lost: %pe\n",
				    ch->tp->own_id, ch->peer, ERR_PTR(err));
}

static bool over(const struct kxpc_chan *ch)
{
	return ch->state == KXPC_CLOSED || ch->state == KXPC_DISCONNECTED;
}

/*
 * Our last epoch may only be forgotten when the peer cannot be reading it any
 * more: it has closed that connection, or it is in another one.  If we never
 * said that we were paired, it never read.
 */
static bool may_announce(const struct kxpc_chan *ch,
			 const struct kxpc_view *view)
{
	return !ch->paired || view->epoch != ch->paired ||
	       view->state == KXPC_WINDOW_CLOSED;
}

static bool sizes_differ(const struct kxpc_chan *ch,
			 const struct kxpc_view *view)
{
	return view->magic != KXPC_WINDOW_MAGIC ||
	       view->version != KXPC_WINDOW_VERSION ||
	       view->nentries != ch->ring.nentries ||
	       view->entry_size != ch->ring.entry_size;
}

static void announce(struct kxpc_chan *ch)
{
	kxpc_ring_announce(&ch->ring, ch->epoch);
	ch->announced = true;
	ch->paired = 0;
	kxpc_ring_peer(ch);
}

/*
 * The peer has paired with us, and closed before we paired with it.  It will
 * not forget that epoch while we may still come to read it, and we would not
 * read it any more: give it another one of ours to see.
 */
static void start_over(struct kxpc_chan *ch)
{
	ch->epoch = kxpc_next_epoch(ch->epoch);
	announce(ch);
}

/*
 * Both ends do this, and neither leads: announce the own epoch, see the
 * peer's, say so, see that the peer says the same.
 */
static void connect(struct kxpc_chan *ch, const struct kxpc_view *view)
{
	lockdep_assert_held(&ch->lock);

	if (!ch->announced) {
		if (!may_announce(ch, view))
			return;
		announce(ch);
	}

	if (!view->epoch)
		return;

	if (ch->paired != view->epoch) {
		if (view->state == KXPC_WINDOW_CLOSED &&
		    view->paired == ch->epoch)
			start_over(ch);
		if (view->state != KXPC_WINDOW_OPEN)
			return;
		if (sizes_differ(ch, view)) {
			pr_warn_ratelimited("partition %u: partition %u has another window: %u x %u bytes\n",
					    ch->tp->own_id, ch->peer,
					    view->nentries, view->entry_size);
			kxpc_disconnect_locked(ch, KXPC_REASON_UNEQUAL_SIZES);
			return;
		}
		ch->ring.peer_epoch = view->epoch;
		ch->paired = view->epoch;
		kxpc_window_pair(ch->ring.own, ch->paired);
		kxpc_ring_peer(ch);
	}

	if (view->paired == ch->epoch)
		kxpc_set_state(ch, KXPC_CONNECTED, KXPC_REASON_NONE);
}

static void check_peer(struct kxpc_chan *ch, const struct kxpc_view *view)
{
	lockdep_assert_held(&ch->lock);

	if (view->epoch != ch->paired || view->paired != ch->epoch)
		kxpc_bad_peer_locked(ch, -ESTALE);
	else if (view->state == KXPC_WINDOW_OPEN || ch->state == KXPC_DRAINING)
		return;
	else if (view->state > KXPC_WINDOW_DOWN)
		kxpc_bad_peer_locked(ch, -EBADMSG);
	else if (view->reason == KXPC_REASON_UNREGISTERING)
		kxpc_set_state(ch, KXPC_DRAINING, kxpc_peer_reason(view->reason));
	else
		kxpc_disconnect_locked(ch, kxpc_peer_reason(view->reason));
}

/* Records to take, or room for more? */
static void check_ring(struct kxpc_chan *ch)
{
	int avail = kxpc_ring_avail(&ch->ring);
	int room = kxpc_ring_room(&ch->ring);

	lockdep_assert_held(&ch->lock);

	if (avail < 0 || room < 0) {
		kxpc_bad_peer_locked(ch, min(avail, room));
		return;
	}
	/*
	 * If the work runs already and has seen nothing more to take, this
	 * makes it run once more.
	 */
	if (avail || ch->state == KXPC_DRAINING)
		queue(ch, ch->group, &ch->deliver);
	/*
	 * One writer for each free slot.  A writer that did not sleep may be
	 * faster; who leaves room behind wakes the next, in kxpc_send().
	 */
	if (room && ch->state == KXPC_CONNECTED)
		wake_up_interruptible_nr(&ch->tx_wait, room);
}

/**
 * kxpc_look() - look at the peer's window, and do what follows
 * @ch: the channel; the caller holds its lock
 */
void kxpc_look(struct kxpc_chan *ch)
{
	struct kxpc_view view;

	lockdep_assert_held(&ch->lock);

	if (over(ch) || !kxpc_window_read(ch->ring.peer, &view))
		return;
	if (ch->state == KXPC_CONNECTING)
		connect(ch, &view);
	if (ch->state == KXPC_CONNECTED || ch->state == KXPC_DRAINING)
		check_peer(ch, &view);
	if (ch->state == KXPC_CONNECTED || ch->state == KXPC_DRAINING)
		check_ring(ch);
}

/**
 * kxpc_event() - the event work: the peer rang
 * @work: kxpc_chan::event
 *
 * Return: 0.
 */
int kxpc_event(struct kpool_work *work)
{
	struct kxpc_chan *ch = container_of(work, struct kxpc_chan, event);

	spin_lock(&ch->lock);
	kxpc_look(ch);
	spin_unlock(&ch->lock);
	return 0;
}

/**
 * kxpc_rung() - the peer rings
 * @handler: kxpc_chan::handler
 *
 * Context: any but NMI.
 */
void kxpc_rung(struct kxpc_handler *handler)
{
	struct kxpc_chan *ch = container_of(handler, struct kxpc_chan, handler);

	queue(ch, ch->hub->events, &ch->event);
}
