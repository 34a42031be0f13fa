// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records: sent, delivered, received.
 *
 * A record lies in the sender's window until the receiver has taken it, so
 * the window is what bounds the sender.  In between the delivery work copies
 * it to the receive queue, which is shorter: the work is what blocks while
 * the receiver is slow.
 */
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "engine.h"

/* ------------------------------------------------------------------------
 * Sending
 */

/**
 * kxpc_may_send() - would a sender not have to wait?
 * @ch: the channel
 *
 * Context: any.
 * Return: true if kxpc_send() would find room, or an error.
 */
bool kxpc_may_send(const struct kxpc_chan *ch)
{
	switch (kxpc_state(ch)) {
	case KXPC_CONNECTING:
		return false;
	case KXPC_CONNECTED:
		return !kxpc_ring_full(&ch->ring);
	default:
		return true;
	}
}

static int tx_room(struct kxpc_chan *ch)
{
	int room = 0;

	spin_lock(&ch->lock);
	if (ch->state == KXPC_CONNECTED)
		room = kxpc_ring_room(&ch->ring);
	else if (ch->state != KXPC_CONNECTING)
		room = -EPIPE;
	spin_unlock(&ch->lock);

	if (room == -EBADMSG || room == -ESTALE) {
		kxpc_bad_peer(ch, room);
		return -EPIPE;
	}
	return room ?: -EAGAIN;
}

/* The connection may have ended while the record was copied. */
static int publish(struct kxpc_chan *ch, u32 len)
{
	int err = -EPIPE;

	spin_lock(&ch->lock);
	if (ch->state == KXPC_CONNECTED) {
		kxpc_ring_publish(&ch->ring, len);
		ch->sent++;
		err = 0;
	}
	spin_unlock(&ch->lock);
	return err;
}

static int send_one(struct kxpc_chan *ch, struct iov_iter *from, size_t len)
{
	int err;

	if (mutex_lock_interruptible(&ch->tx_lock))
		return -ERESTARTSYS;
	/* The slot is ours while we hold the mutex: only we move put. */
	err = tx_room(ch);
	if (err > 0)
		err = copy_from_iter_full(kxpc_ring_slot(&ch->ring), len,
					  from) ? 0 : -EFAULT;
	if (!err)
		err = publish(ch, len);
	mutex_unlock(&ch->tx_lock);

	if (!err)
		kxpc_ring_peer(ch);
	return err;
}

/**
 * kxpc_send() - send one record
 * @ch: the channel, which is open and not closed meanwhile
 * @from: the record
 * @nonblock: do not wait for the peer or for room
 *
 * Context: process context, may sleep, interruptibly.
 * Return: the record's length; -EINVAL it is empty; -EMSGSIZE it is too long;
 * -EAGAIN it would have to wait; -EPIPE disconnected; -EFAULT; -ERESTARTSYS.
 */
ssize_t kxpc_send(struct kxpc_chan *ch, struct iov_iter *from, bool nonblock)
{
	size_t len = iov_iter_count(from);
	int err;

	if (!len)
		return -EINVAL;
	if (len > ch->ring.entry_size)
		return -EMSGSIZE;

	for (;;) {
		err = send_one(ch, from, len);
		if (err != -EAGAIN || nonblock)
			break;
		/*
		 * Races with the ack: the peer publishes it and rings then, so
		 * the event work either finds us on the queue, or ran before
		 * we were, and then we see the room.
		 */
		err = wait_event_interruptible_exclusive(ch->tx_wait,
							 kxpc_may_send(ch));
		if (err)
			break;
	}

	/*
	 * We may have been woken for room that we did not use, or by one
	 * wake-up for several slots: pass it on.
	 */
	if (kxpc_may_send(ch))
		wake_up_interruptible(&ch->tx_wait);
	return err ?: len;
}

/* ------------------------------------------------------------------------
 * Delivery
 */

static bool rx_full(const struct kxpc_chan *ch)
{
	/* Pairs with kxpc_ring_ack(). */
	return ch->ring.pulled - smp_load_acquire(&ch->ring.get) ==
		ch->rx_depth;
}

/*
 * Once the state is "disconnected" nothing is added to the receive queue, so
 * that a reader who saw the end of it has seen the end.
 */
static bool push(struct kxpc_chan *ch)
{
	bool alive;

	spin_lock(&ch->lock);
	alive = ch->state == KXPC_CONNECTED || ch->state == KXPC_DRAINING;
	if (alive)
		/* Pairs with kxpc_rx_used(): the record before its number. */
		smp_store_release(&ch->ring.pulled, ch->ring.pulled + 1);
	spin_unlock(&ch->lock);
	return alive;
}

/*
 * The peer has closed, and nothing can follow what it had put by then.  If
 * the event work has not seen that yet, it queues us once more.
 */
static void finish_draining(struct kxpc_chan *ch)
{
	spin_lock(&ch->lock);
	if (ch->state == KXPC_DRAINING && !kxpc_ring_avail(&ch->ring))
		kxpc_set_state(ch, KXPC_DISCONNECTED, ch->reason);
	spin_unlock(&ch->lock);
}

/**
 * kxpc_deliver() - the delivery work: take records out of the peer's window
 * @work: kxpc_chan::deliver
 *
 * Blocks, for ever if need be, while the receive queue is full.  Ends when
 * there is nothing to take; the next ring queues it again.
 *
 * Return: 0, or a negative error if it was told to stop or the peer is bad.
 */
int kxpc_deliver(struct kpool_work *work)
{
	struct kxpc_chan *ch = container_of(work, struct kxpc_chan, deliver);
	struct kxpc_ring *ring = &ch->ring;
	struct kxpc_record *rec;
	int ret;

	while ((ret = kxpc_ring_avail(ring)) > 0) {
		/*
		 * Races with the reader: it moves get and wakes then.  Races
		 * with disconnecting: that stops our group, which ends this
		 * wait by a signal, and also if it was before.
		 */
		ret = wait_event_interruptible(ch->rx_room, !rx_full(ch));
		if (ret || kpool_should_stop())
			return ret;

		rec = kxpc_rx_record(ch, ring->pulled);
		ret = kxpc_ring_copy(ring, rec->data);
		if (ret < 0)
			break;
		rec->len = ret;
		if (!push(ch))
			return -ESHUTDOWN;
		/* One reader for one record; see kxpc_receive(). */
		wake_up_interruptible(&ch->rx_wait);
	}

	if (ret < 0)
		kxpc_bad_peer(ch, ret);
	else
		finish_draining(ch);
	return ret;
}

/* ------------------------------------------------------------------------
 * Receiving
 */

/**
 * kxpc_may_receive() - would a receiver not have to wait?
 * @ch: the channel
 *
 * Context: any.
 * Return: true if kxpc_receive() would find a record, the end, or an error.
 */
bool kxpc_may_receive(const struct kxpc_chan *ch)
{
	return kxpc_state(ch) == KXPC_DISCONNECTED || kxpc_rx_used(ch);
}

static ssize_t take(struct kxpc_chan *ch, struct iov_iter *to)
{
	const struct kxpc_record *rec = kxpc_rx_record(ch, ch->ring.get);
	u32 len = rec->len;

	if (iov_iter_count(to) < len)
		return -EMSGSIZE;
	if (copy_to_iter(rec->data, len, to) != len)
		return -EFAULT;

	spin_lock(&ch->lock);
	kxpc_ring_ack(&ch->ring);
	ch->received++;
	spin_unlock(&ch->lock);
	return len;
}

static ssize_t receive_one(struct kxpc_chan *ch, struct iov_iter *to)
{
	ssize_t ret;
	u32 state;

	if (mutex_lock_interruptible(&ch->rx_lock))
		return -ERESTARTSYS;
	/* The state first: nothing is added after "disconnected". */
	state = kxpc_state(ch);
	if (kxpc_rx_used(ch))
		ret = take(ch, to);
	else if (state != KXPC_DISCONNECTED)
		ret = -EAGAIN;
	else if (READ_ONCE(ch->reason) == KXPC_REASON_OTHER_UNREGISTERING)
		ret = 0;
	else
		ret = -EPIPE;
	mutex_unlock(&ch->rx_lock);

	if (ret > 0) {
		wake_up_interruptible(&ch->rx_room);
		kxpc_ring_peer(ch);
	}
	return ret;
}

/**
 * kxpc_receive() - receive one record
 * @ch: the channel, which is open and not closed meanwhile
 * @to: where to
 * @nonblock: do not wait for a record
 *
 * What was delivered can be received after the connection has ended, too.
 *
 * Context: process context, may sleep, interruptibly.
 * Return: the record's length; 0 the peer closed, and that was all; -EMSGSIZE
 * the record is longer than @to and stays; -EAGAIN it would have to wait;
 * -EPIPE disconnected for another reason; -EFAULT; -ERESTARTSYS.
 */
ssize_t kxpc_receive(struct kxpc_chan *ch, struct iov_iter *to, bool nonblock)
{
	ssize_t ret;

	for (;;) {
		ret = receive_one(ch, to);
		if (ret != -EAGAIN || nonblock)
			break;
		/*
		 * Races with the delivery, which adds the record and wakes
		 * then, and with kxpc_set_state(); see there.
		 */
		ret = wait_event_interruptible_exclusive(ch->rx_wait,
							 kxpc_may_receive(ch));
		if (ret)
			break;
	}

	/*
	 * The wake-up was for one reader: if we leave something behind, as
	 * our buffer was too small or we were interrupted, pass it on.
	 */
	if (kxpc_may_receive(ch))
		wake_up_interruptible(&ch->rx_wait);
	return ret;
}
