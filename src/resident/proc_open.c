/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening: names on procfs, and texts that carry numbers there and elsewhere.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "arch/x86_64/syscall.h"
#include "resident/handlers.h"
#include "resident/proc.h"
#include "resident/text.h"
#include "resident/user.h"
#include "resident/watch.h"

/* Whether what is opened may serve as a start of relative names. */
static bool is_directory(const struct rs_name *n, uint64_t flags)
{
	return flags & (O_DIRECTORY | O_PATH) || n->p.kind == BD_PROC_ROOT ||
	       n->p.leaf == BD_LEAF_DIR || n->p.leaf == BD_LEAF_TASK_DIR;
}

/* The planned call with a look at what it opened. */
static long open_text(struct rs_frame *f, struct rs_area *a, enum bd_text text,
		      const struct bd_procpath *p, const char *name, uint64_t flags)
{
	long fd;

	rs_block(f);
	fd = sp_sys6(f->nr, f->a[0], f->a[1], f->a[2], f->a[3], f->a[4], f->a[5]);
	if (fd >= 0 && !p) {
		uint64_t fs[16]; /* struct statfs has 120 bytes; its first word is f_type */

		text = sp_sys2(__NR_fstatfs, fd, (long)fs)
			       ? BD_TEXT_NONE
			       : bd_text_elsewhere(name, sp_strnlen(name, RS_PROC_TEXT_MAX), fs[0]);
	}
	if (fd >= 0 && text != BD_TEXT_NONE)
		fd = rs_text_convert(f, a, text, p, name, fd, flags);
	return rs_unblock(f, fd);
}

static enum bd_text text_of(const struct rs_name *n)
{
	if (n->p.leaf == BD_LEAF_CMDLINE && atomic_load(&RS_NS->flags) & SP_SEG_NO_MM_MAP)
		return BD_TEXT_CMDLINE;
	return bd_text_of(&n->p);
}

static long open_call(struct rs_frame *f, struct rs_area *a, int dirfd, int arg, uint64_t flags)
{
	char *path = RS_PROC_TEXT(a);
	struct rs_name n;
	long r;

	path[0] = '\0';
	r = rs_proc_take(a, dirfd, (uint64_t)f->a[arg], &n);
	if (r < 0)
		return r;
	if (!r) {
		if (rs_watch_opens(path, sp_strnlen(path, RS_PROC_TEXT_MAX), flags))
			return rs_watch_new(f);
		if ((flags & (O_ACCMODE | O_PATH)) == O_RDONLY &&
		    bd_text_may_be_elsewhere(path, sp_strnlen(path, RS_PROC_TEXT_MAX)))
			return open_text(f, a, BD_TEXT_NONE, NULL, path, flags);
		return rs_call(f, rs_finish_raw);
	}
	if (!(flags & O_NOFOLLOW)) {
		r = rs_proc_follow_exe(a, &n);
		if (r < 0)
			return r;
	}
	rs_proc_put(f, &n, arg);
	if (rs_text_wanted(text_of(&n), flags))
		return open_text(f, a, text_of(&n), &n.p, n.host, flags);
	if (is_directory(&n, flags))
		rs_proc_entered();
	return rs_watch_new(f); /* by its name below fd, anything */
}

long rs_h_open(struct rs_frame *f, struct rs_area *a)
{
	return open_call(f, a, AT_FDCWD, 0, (uint64_t)f->a[1]);
}

long rs_h_openat(struct rs_frame *f, struct rs_area *a)
{
	return open_call(f, a, (int)f->a[0], 1, (uint64_t)f->a[2]);
}

/* struct open_how: flags, mode, resolve. What is resolved in or below the directory is the kernel's. */
long rs_h_openat2(struct rs_frame *f, struct rs_area *a)
{
	uint64_t how[3];

	if ((uint64_t)f->a[3] < sizeof(how) || rs_user_read(how, (uint64_t)f->a[2], sizeof(how)) ||
	    how[2])
		return rs_watch_new(f);
	return open_call(f, a, (int)f->a[0], 1, how[0]);
}
