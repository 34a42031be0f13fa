/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that a case reads and writes as a user would: the guest has mounted
 * sysfs at /sys.
 */
#ifndef _KPOOL_KUNIT_FILES_H
#define _KPOOL_KUNIT_FILES_H

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/path.h>
#include <linux/pid.h>
#include <linux/sched/task.h>
#include <linux/string.h>

/*
 * As the first process sees it: on newer kernels threads of the kernel have
 * a root of their own, with nothing in it.
 */
static inline struct file *open_file(const char *path, int flags)
{
	struct pid *pid = find_get_pid(1);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);
	struct file *file = ERR_PTR(-ESRCH);
	struct path root;

	put_pid(pid);
	if (!task)
		return file;
	task_lock(task);
	if (task->fs)
		get_fs_root(task->fs, &root);
	else
		root.mnt = NULL;
	task_unlock(task);
	put_task_struct(task);
	if (root.mnt) {
		file = file_open_root(&root, path, flags, 0);
		path_put(&root);
	}
	return file;
}

/* Read a file without its newline.  Returns its length, or an error. */
static inline ssize_t read_file(const char *path, char *buf, size_t size)
{
	struct file *file = open_file(path, O_RDONLY);
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
	struct file *file = open_file(path, O_WRONLY);
	loff_t pos = 0;
	ssize_t len;

	if (IS_ERR(file))
		return PTR_ERR(file);
	len = kernel_write(file, value, strlen(value), &pos);
	filp_close(file, NULL);
	return len < 0 ? len : 0;
}

#endif /* _KPOOL_KUNIT_FILES_H */
