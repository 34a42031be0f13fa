/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KPOOL_WATCHDOG_H
#define _KPOOL_WATCHDOG_H

#include <linux/types.h>

struct kpool;

bool watchdog_look(struct kpool *pool, unsigned long limit);
void kpool_watchdog_init(void);
void kpool_watchdog_exit(void);

#endif /* _KPOOL_WATCHDOG_H */
