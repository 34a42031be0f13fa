/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the module around the engine.
 */
#ifndef KXPC_H
#define KXPC_H

#include <linux/miscdevice.h>

#include "engine.h"

/**
 * struct kxpc_device - a partition's end of its channel, as a file
 *
 * Owned by main.c.  An open file pins the module, so the device outlives it.
 *
 * @chan: the engine's part
 * @misc: what user space opens
 * @name: of the device
 */
struct kxpc_device {
	struct kxpc_chan	chan;
	struct miscdevice	misc;
	char			name[16];
};

/* chardev.c */
int kxpc_chardev_register(struct kxpc_device *dev);
void kxpc_chardev_unregister(struct kxpc_device *dev);

/* debugfs.c */
void kxpc_debugfs_init(struct kxpc_device *devs, unsigned int nr);
void kxpc_debugfs_exit(void);

#endif /* KXPC_H */
