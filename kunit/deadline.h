/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KPOOL_KUNIT_DEADLINE_H
#define _KPOOL_KUNIT_DEADLINE_H

#include <linux/jiffies.h>

/*
 * No wait of a test takes longer; generous, for the guest may be emulated.
 * Broken code, which lets it pass again and again, is given less.
 */
#ifndef DEADLINE_SECONDS
#define DEADLINE_SECONDS	30
#endif
#define DEADLINE		(DEADLINE_SECONDS * HZ)

#endif /* _KPOOL_KUNIT_DEADLINE_H */
