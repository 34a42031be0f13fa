// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/kxpcN: the engine as files.  Nothing is decided here.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "kxpc.h"

static struct kxpc_chan *file_chan(struct file *file)
{
	/* misc_open() left the miscdevice here. */
	return &container_of(file->private_data, struct kxpc_device,
			     misc)->chan;
}

static int chardev_open(struct inode *inode, struct file *file)
{
	int err = kxpc_open(file_chan(file));

	return err ?: stream_open(inode, file);
}

/* The last reference is gone: no call below is executing. */
static int chardev_release(struct inode *inode, struct file *file)
{
	kxpc_close(file_chan(file));
	return 0;
}

static bool nonblock(const struct kiocb *iocb)
{
	return iocb->ki_filp->f_flags & O_NONBLOCK ||
	       iocb->ki_flags & IOCB_NOWAIT;
}

static ssize_t chardev_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	return kxpc_receive(file_chan(iocb->ki_filp), to, nonblock(iocb));
}

static ssize_t chardev_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	return kxpc_send(file_chan(iocb->ki_filp), from, nonblock(iocb));
}

static __poll_t chardev_poll(struct file *file, poll_table *wait)
{
	struct kxpc_chan *ch = file_chan(file);
	__poll_t mask = 0;

	poll_wait(file, &ch->rx_wait, wait);
	poll_wait(file, &ch->tx_wait, wait);

	switch (kxpc_state(ch)) {
	case KXPC_CONNECTED:
		if (kxpc_may_send(ch))
			mask |= EPOLLOUT | EPOLLWRNORM;
		break;
	case KXPC_DRAINING:
		mask |= EPOLLRDHUP;
		break;
	case KXPC_DISCONNECTED:
		mask |= EPOLLHUP | EPOLLRDHUP;
		if (READ_ONCE(ch->reason) != KXPC_REASON_OTHER_UNREGISTERING)
			mask |= EPOLLERR;
		break;
	}
	if (kxpc_may_receive(ch))
		mask |= EPOLLIN | EPOLLRDNORM;
	return mask;
}

static long ioctl_get_status(struct kxpc_chan *ch, void __user *arg)
{
	struct kxpc_status status;

	kxpc_get_status(ch, &status);
	return copy_to_user(arg, &status, sizeof(status)) ? -EFAULT : 0;
}

static long ioctl_disconnect(struct kxpc_chan *ch, u32 __user *arg)
{
	u32 reason;

	if (get_user(reason, arg))
		return -EFAULT;
	if (reason < KXPC_REASON_USER || reason > KXPC_REASON_USER_MAX)
		return -EINVAL;
	return kxpc_disconnect(ch, reason);
}

static long chardev_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case KXPC_GET_STATUS:
		return ioctl_get_status(file_chan(file), argp);
	case KXPC_DISCONNECT:
		return ioctl_disconnect(file_chan(file), argp);
	default:
		return -ENOTTY;
	}
}

/* The owner keeps the module as long as a file is open. */
static const struct file_operations chardev_fops = {
	.owner		= THIS_MODULE,
	.open		= chardev_open,
	.release	= chardev_release,
	.read_iter	= chardev_read_iter,
	.write_iter	= chardev_write_iter,
	.poll		= chardev_poll,
	.unlocked_ioctl	= chardev_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

/**
 * kxpc_chardev_register() - make the device of a partition
 * @dev: the partition, its channel initialised
 *
 * It may be opened before this returns.
 *
 * Return: 0 or a negative error.
 */
int kxpc_chardev_register(struct kxpc_device *dev)
{
	snprintf(dev->name, sizeof(dev->name), "kxpc%u", dev->chan.tp->own_id);
	dev->misc.minor = MISC_DYNAMIC_MINOR;
	dev->misc.name = dev->name;
	dev->misc.fops = &chardev_fops;
	return misc_register(&dev->misc);
}

/**
 * kxpc_chardev_unregister() - remove the device of a partition
 * @dev: the partition
 *
 * On return it cannot be opened.  No file is open, or this module could not
 * be left.
 */
void kxpc_chardev_unregister(struct kxpc_device *dev)
{
	misc_deregister(&dev->misc);
}
