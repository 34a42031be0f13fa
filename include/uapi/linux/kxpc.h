/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * kxpc: records between the partitions of a machine.
 *
 * /dev/kxpcN is partition N's end of its channel.  One read() or write() is
 * one record.  Documentation/kxpc.rst has the whole contract.
 */
#ifndef _UAPI_LINUX_KXPC_H
#define _UAPI_LINUX_KXPC_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * enum kxpc_state - what one end of a channel is doing
 * @KXPC_CLOSED: nobody has opened it
 * @KXPC_CONNECTING: open, and waiting for the peer
 * @KXPC_CONNECTED: records travel both ways
 * @KXPC_DRAINING: the peer has closed; what it wrote before is still delivered
 * @KXPC_DISCONNECTED: over, until it is closed and opened again
 */
enum kxpc_state {
	KXPC_CLOSED		= 0,
	KXPC_CONNECTING		= 1,
	KXPC_CONNECTED		= 2,
	KXPC_DRAINING		= 3,
	KXPC_DISCONNECTED	= 4,
};

/**
 * enum kxpc_reason - why a channel is no longer connected
 * @KXPC_REASON_NONE: it is connected, or has not been yet
 * @KXPC_REASON_UNREGISTERING: this end was closed
 * @KXPC_REASON_OTHER_UNREGISTERING: the peer's end was closed
 * @KXPC_REASON_UNLOADING: this partition leaves
 * @KXPC_REASON_OTHER_UNLOADING: the peer's partition leaves
 * @KXPC_REASON_PEER_DOWN: the peer went without a word
 * @KXPC_REASON_BAD_PEER: the peer broke the protocol
 * @KXPC_REASON_OTHER_BAD_PEER: the peer says that this end broke it
 * @KXPC_REASON_UNEQUAL_SIZES: the ends differ in window or record size
 * @KXPC_REASON_UNKNOWN: the peer gave a reason that is not known here
 * @KXPC_REASON_USER: the first that KXPC_DISCONNECT may give; both ends see it
 * @KXPC_REASON_USER_MAX: the last
 */
enum kxpc_reason {
	KXPC_REASON_NONE		= 0,
	KXPC_REASON_UNREGISTERING	= 1,
	KXPC_REASON_OTHER_UNREGISTERING	= 2,
	KXPC_REASON_UNLOADING		= 3,
	KXPC_REASON_OTHER_UNLOADING	= 4,
	KXPC_REASON_PEER_DOWN		= 5,
	KXPC_REASON_BAD_PEER		= 6,
	KXPC_REASON_OTHER_BAD_PEER	= 7,
	KXPC_REASON_UNEQUAL_SIZES	= 8,
	KXPC_REASON_UNKNOWN		= 9,
	KXPC_REASON_USER		= 256,
	KXPC_REASON_USER_MAX		= 511,
};

/**
 * struct kxpc_status - one end of a channel, as KXPC_GET_STATUS shows it
 * @partition: whose end this is
 * @peer: the partition at the other end
 * @state: enum kxpc_state
 * @reason: enum kxpc_reason, once @state is draining or disconnected
 * @epoch: of this end: another one for each opening; never 0
 * @peer_epoch: the peer's, of this connection; 0 before there is one
 * @nentries: the window: records each way that may be without an ack
 * @entry_size: longest record, in bytes
 * @tx_used: records written here that the peer's reader has not taken yet
 * @rx_used: records delivered here that wait for a reader
 * @sent: records written since the end was opened
 * @received: records read since the end was opened
 */
struct kxpc_status {
	__u32	partition;
	__u32	peer;
	__u32	state;
	__u32	reason;
	__u32	epoch;
	__u32	peer_epoch;
	__u32	nentries;
	__u32	entry_size;
	__u32	tx_used;
	__u32	rx_used;
	__u64	sent;
	__u64	received;
};

/*
 * KXPC_GET_STATUS	never fails but with -EFAULT.
 * KXPC_DISCONNECT	ends the connection, or the wait for one, at once, for
 *			the reason given: KXPC_REASON_USER to _USER_MAX, else
 *			-EINVAL; -ENOTCONN if it is over already.
 */
#define KXPC_IOC_MAGIC		0xf7
#define KXPC_GET_STATUS		_IOR(KXPC_IOC_MAGIC, 0, struct kxpc_status)
#define KXPC_DISCONNECT		_IOW(KXPC_IOC_MAGIC, 1, __u32)

#endif /* _UAPI_LINUX_KXPC_H */
