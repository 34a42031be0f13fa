// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/kxpc/state: one line for each end of a channel.  For
 * people; programs use KXPC_GET_STATUS.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "kxpc.h"

static struct {
	struct dentry		*dir;
	struct kxpc_device	*devs;
	unsigned int		nr;
} debug;

static int state_show(struct seq_file *m, void *unused)
{
	struct kxpc_status st;
	unsigned int i;

	seq_puts(m, "part peer state        reason              epoch  peer  tx  rx  sent received\n");
	for (i = 0; i < debug.nr; i++) {
		kxpc_get_status(&debug.devs[i].chan, &st);
		seq_printf(m, "%4u %4u %-12s %-19s %5u %5u %3u %3u %5llu %8llu\n",
			   st.partition, st.peer, kxpc_state_name(st.state),
			   kxpc_reason_name(st.reason), st.epoch,
			   st.peer_epoch, st.tx_used, st.rx_used, st.sent,
			   st.received);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

/**
 * kxpc_debugfs_init() - make the state file
 * @devs: all partitions
 * @nr: how many
 *
 * Cannot fail: without debugfs there is no file.
 */
void kxpc_debugfs_init(struct kxpc_device *devs, unsigned int nr)
{
	debug.devs = devs;
	debug.nr = nr;
	debug.dir = debugfs_create_dir("kxpc", NULL);
	debugfs_create_file("state", 0444, debug.dir, NULL, &state_fops);
}

/**
 * kxpc_debugfs_exit() - remove it
 *
 * On return nobody reads it.
 */
void kxpc_debugfs_exit(void)
{
	debugfs_remove(debug.dir);
}
