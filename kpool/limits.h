/* SPDX-License-Identifier: GPL-2.0-only */
/* Limits of pools and groups: see limits.c. */
#ifndef _KPOOL_LIMITS_H
#define _KPOOL_LIMITS_H

struct kpool;
struct kpool_group;
struct kpool_limits;

/* One limit of a group, or of its pool: what a file in sysfs has. */
enum limit {
	LIMIT_MIN_THREADS,
	LIMIT_MAX_THREADS,
	LIMIT_IDLE_TIMEOUT_MS,
	LIMIT_MAX_ACTIVE,
	LIMIT_MAX_QUEUED,
};

int check_limits(const char *name, const struct kpool_limits *limits);
void pool_set_limits(struct kpool *pool, const struct kpool_limits *limits);
int change_limit(struct kpool_group *group, enum limit limit, int value);

#endif /* _KPOOL_LIMITS_H */
