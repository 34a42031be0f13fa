/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stopping: the stopper thread, tells, and the naming of stragglers.
 */
#ifndef _KPOOL_STOP_H
#define _KPOOL_STOP_H

#include <linux/types.h>

struct kpool;
struct kpool_group;
struct kpool_worker;

int kpool_stopper_fn(void *arg);
void deliver_tells(struct kpool *pool, struct kpool_worker **workers, int n);
int stop_for_ever(struct kpool_group *group);

/* straggler.c */
void name_stragglers(struct kpool_group *top, bool again);

#endif /* _KPOOL_STOP_H */
