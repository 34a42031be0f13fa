/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that a case reads and writes as a user would: the guest has mounted
 * sysfs at /sys.
 */
#ifndef _KPOOL_KUNIT_FILES_H
#define _KPOOL_KUNIT_FILES_H

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/string.h>

/* Read a file without its newline.  Returns its length, or an error. */
static inline ssize_t read_file(const char *path, char *buf, size_t size)
{
	struct file *file = filp_open(path, O_RDONLY, 0);
	loff_t pos = 0;
	ssize_t len;

	if (IS_ERR(file))
		return PTR_ERR(file);
	len = kernel_read(file, buf, size - 1, &pos);
	filp_close(file, NULL);
	if (len < 0)
		return len;
	buf[len] = '\0';
	strim(buf);
	return len;
}

/* Write a file.  Returns 0, or an error. */
static inline ssize_t write_file(const char *path, const char *value)
{
	struct file *file = filp_open(path, O_WRONLY, 0);
	loff_t pos = 0;
	ssize_t len;

	if (IS_ERR(file))
		return PTR_ERR(file);
	len = kernel_write(file, value, strlen(value), &pos);
	filp_close(file, NULL);
	return len < 0 ? len : 0;
}

#endif /* _KPOOL_KUNIT_FILES_H */
