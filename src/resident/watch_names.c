/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inotify on directories of procfs: the names it tells are numbers. A descriptor that such a directory was given to is
 * watched, and what is read from it converted; of what happens outside the namespace nothing is told.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/handlers.h"
#include "resident/proc.h"
#include "resident/watch.h"

#define IN_ISDIR_ 0x40000000u	    /* linux/inotify.h */
#define IN_DONT_FOLLOW_ 0x02000000u /* the same */
#define PROC_DYNAMIC_FIRST \
	0xf0000000u    /* fs/proc/generic.c: directories that are not of processes */
#define NAME_SPACE 256 /* with its NUL, rounded up */

enum { S_ON_PROCFS = 16 };

struct event {
	int32_t wd;
	uint32_t mask, cookie, len;
};
_Static_assert(sizeof(struct event) == 16, "uapi");

static long finish_add(struct rs_frame *f)
{
	long r = 0;

	if (f->raw >= 0 && f->scratch[S_ON_PROCFS])
		r = rs_watch((int)f->a[0], BD_WATCH_READ);
	return r ? r : f->raw;
}

/* inotify_add_watch(fd, path, mask) */
long rs_h_inotify_add_watch(struct rs_frame *f, struct rs_area *a)
{
	struct ax_stat st;
	long r = rs_proc_paths(f, a);

	if (r)
		return r;
	f->scratch[S_ON_PROCFS] =
		!sp_sys4(__NR_newfstatat, AT_FDCWD, f->a[1], (long)&st,
			 (uint32_t)f->a[2] & IN_DONT_FOLLOW_ ? AT_SYMLINK_NOFOLLOW : 0) &&
		(st.mode & S_IFMT) == S_IFDIR && rs_proc_looks_procfs(&st);
	return rs_call(f, finish_add);
}

/* "inotify wd:1 ino:1 sdev:15 ...", fs/notify/fdinfo.c. 1: a directory of tasks; 0: another; -1: another watch. */
static int judge(const char *line, int32_t wd, uint64_t dev)
{
	static const char start[] = "inotify wd:", ino[] = " ino:", sdev[] = " sdev:";
	const char *p = line + sizeof(start) - 1;
	uint64_t n;

	if (!sp_has_prefix(line, start) || sp_parse_hex(&p) != (uint64_t)wd || !sp_has_prefix(p, ino))
		return -1;
	p += sizeof(ino) - 1;
	n = sp_parse_hex(&p);
	if (!sp_has_prefix(p, sdev))
		return -1;
	p += sizeof(sdev) - 1;
	return n < PROC_DYNAMIC_FIRST && sp_parse_hex(&p) == dev;
}

/* Whether it is a directory of tasks that wd is for; one that was taken away again may have been. */
static bool is_of_tasks(int fd, int32_t wd)
{
	char in[256], line[80];
	struct ax_stat st;
	size_t len = 0;
	long from, n;
	int is = -1;

	if (sp_sys4(__NR_newfstatat, AT_FDCWD, (long)"/proc", (long)&st, 0))
		return true;
	from = rs_watch_info(fd);
	while (from >= 0 && is < 0 && (n = sp_sys3(__NR_read, from, (long)in, sizeof(in))) > 0) {
		for (long i = 0; i < n && is < 0; i++) {
			if (in[i] != '\n') {
				line[len] = in[i];
				len += len < sizeof(line) - 1;
				continue;
			}
			line[len] = '\0';
			len = 0;
			/* The kernel's form of the device: include/linux/kdev_t.h, major 0. */
			is = judge(line, wd, (st.dev & 0xff) | (st.dev >> 12 & 0xfff00));
		}
	}
	if (from >= 0)
		sp_sys1(__NR_close, from);
	return is != 0;
}

/* The event's name as the namespace has it; false: it is of something outside. */
static bool convert(int fd, const struct event *e, char *name)
{
	size_t n = sp_strnlen(name, e->len);
	struct sp_text t;
	int32_t hid;

	if (!(e->mask & IN_ISDIR_) || !n || n == e->len || sp_parse_dec(name, n, &hid) != n ||
	    !is_of_tasks(fd, e->wd))
		return true;
	hid = rs_watch_out(hid);
	memset(name, 0, e->len);
	sp_text_init(&t, name, e->len);
	sp_text_dec(&t, hid);
	return hid;
}

long rs_watch_names(struct rs_frame *f)
{
	char record[sizeof(struct event) + NAME_SPACE];
	uint64_t from = 0, to = 0, n;
	struct event e;

	for (; from + sizeof(e) <= (uint64_t)f->raw; from += n) {
		if (rs_watch_record(f, from, &e, sizeof(e), false))
			return f->raw;
		n = sizeof(e) + e.len;
		if (e.len > NAME_SPACE || from + n > (uint64_t)f->raw ||
		    rs_watch_record(f, from, record, n, false))
			return f->raw;
		if (!convert((int)f->a[0], &e, record + sizeof(e)))
			continue;
		if (rs_watch_record(f, to, record, n, true))
			return f->raw;
		to += n;
	}
	return (long)to;
}
