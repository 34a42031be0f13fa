/* SPDX-License-Identifier: GPL-2.0-only */
/* The files of a pool, and of a group below it ("groups/g/..."). */
#ifndef _KPOOL_KUNIT_SYSFS_FIXTURE_H
#define _KPOOL_KUNIT_SYSFS_FIXTURE_H

#include <linux/kernel.h>
#include <linux/kstrtox.h>

#include "files.h"
#include "helpers.h"

static inline ssize_t read_pool_file(const char *pool, const char *file,
				     char *buf, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/kpool/%s/%s", pool, file);
	return read_file(path, buf, size);
}

/* The number in a file, or an error. */
static inline long number_in(struct kpool *pool, const char *file)
{
	char buf[64];
	ssize_t err;
	long value;

	err = read_pool_file(pool->name, file, buf, sizeof(buf));
	if (err < 0)
		return err;
	return kstrtol(buf, 10, &value) ?: value;
}

static inline int write_pool_file(const char *pool, const char *file,
				  const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/kpool/%s/%s", pool, file);
	return write_file(path, value);
}

#endif /* _KPOOL_KUNIT_SYSFS_FIXTURE_H */
