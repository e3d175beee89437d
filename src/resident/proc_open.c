/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening: names on procfs, and texts that carry numbers there and elsewhere.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/handlers.h"
#include "resident/nsfile.h"
#include "resident/proc.h"
#include "resident/text.h"
#include "resident/user.h"
#include "resident/watch.h"

#define HOW 24 /* struct open_how in the frame's scratch */

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
	char kernels[256];
	long fd;

	rs_block(f);
	fd = sp_sys6(f->nr, f->a[0], f->a[1], f->a[2], f->a[3], f->a[4], f->a[5]);
	if (fd >= 0 && p && name[0] != '/') {
		long n = rs_proc_name_of_fd((int)fd, kernels, sizeof(kernels) - 1);

		kernels[n > 0 ? n : 0] = '\0';
		name = kernels;
	}
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

/*
 * What was opened by a name that said nothing of procfs. If it is there nevertheless, the descriptor is a
 * stray one: the program makes the call again, and then the name is gone along (proc_walk.c).
 */
static long finish_open(struct rs_frame *f)
{
	struct rs_area *a = rs_area_here();
	struct ax_stat st;

	/* For a signal this call is not over: it is made again. */
	if (rs_proc_suspect(f->raw))
		return RS_REWIND;
	if (f->raw < 0 || sp_sys2(__NR_fstat, f->raw, (long)&st) ||
	    !(rs_proc_behind_link(&st) || (rs_proc_looks_procfs(&st) && rs_proc_is_procfs((int)f->raw))))
		return f->raw;
	a->stray = (int32_t)f->raw;
	a->stray_level = a->level + 1;
	return RS_REWIND;
}

static long finish_link(struct rs_frame *f)
{
	long r = rs_proc_suspect(f->raw) ? f->raw : finish_open(f);

	return r < 0 ? r : rs_watch_finish_new(f);
}

/* Whether this call has left a stray descriptor. */
static bool take_stray(struct rs_area *a)
{
	bool mine = a->stray_level == a->level + 1;

	if (mine)
		sp_sys1(__NR_close, a->stray);
	a->stray_level = 0;
	return mine;
}

/* Where the kernel follows the last link by itself, nothing is known of what it leads to. */
static bool ends_in_link(const struct rs_name *n)
{
	return n->p.leaf == BD_LEAF_FD || n->p.leaf == BD_LEAF_CWD || n->p.leaf == BD_LEAF_ROOT_LINK;
}

/*
 * openat2 with RESOLVE_NO_XDEV alone follows links of procfs to places there that the text does not tell. What was
 * opened tells: if it is on procfs, it is opened once more, and then its own name says what its text is.
 */
static long finish_unknown(struct rs_frame *f)
{
	struct rs_area *a = rs_area_here();

	if (f->raw < 0 || !rs_proc_is_procfs((int)f->raw))
		return rs_watch_finish_new(f);
	a->stray = (int32_t)f->raw;
	a->stray_level = a->level + 1;
	return RS_REWIND;
}

static long open_unknown(struct rs_frame *f, struct rs_area *a, uint64_t flags)
{
	char buf[256], *name = buf;
	struct bd_procpath p = {.rest = 0};
	struct sp_text shown;
	long fd, n;

	rs_block(f);
	fd = sp_sys4(f->nr, f->a[0], f->a[1], f->a[2], f->a[3]);
	n = fd < 0 ? -1 : rs_proc_name_of_fd((int)fd, name, sizeof(buf) - 1);
	if (n > 0) {
		name[n] = '\0';
		sp_text_init(&shown, RS_PROC_HOLD(a), RS_PROC_HOLD_MAX);
		rs_proc_show_path(name, (size_t)n, &shown);
		bd_procpath_parse(NULL, shown.buf, shown.len, &p);
	}
	if (rs_text_wanted(bd_text_of(&p), flags))
		fd = rs_text_convert(f, a, bd_text_of(&p), &p, name, fd, flags);
	else if (fd >= 0)
		rs_proc_entered();
	return rs_unblock(f, fd);
}

/* Whether a name on procfs may end outside of it: at an open file, or behind a link to a directory. */
static bool leads_out(const struct rs_name *n)
{
	static const char *const ways[] = {"/fd/", "/cwd", "/root", "/exe", "/map_files/", "/ns/"};

	if (n->p.through || n->p.left || !n->host || n->host[0] != '/')
		return true;
	for (const char *s = n->host; n->p.kind != BD_PROC_OTHER && *s; s++)
		for (size_t i = 0; *s == '/' && i < sizeof(ways) / sizeof(ways[0]); i++)
			if (sp_has_prefix(s, ways[i]))
				return true;
	return false;
}

/*
 * Such a name may be anybody's, and that of something whose opening waits: only once it was opened and is seen to be on
 * the right file system it is made again in one go. Not so for queues, where a close takes the process's mq_notify(2)
 * away: their folder is root's.
 */
static long finish_elsewhere(struct rs_frame *f)
{
	struct rs_area *a = rs_area_here();
	uint64_t fs[16]; /* struct statfs has 120 bytes; its first word is f_type */

	if (f->raw < 0 || sp_sys2(__NR_fstatfs, f->raw, (long)fs) || !bd_text_is_on(fs[0]))
		return finish_open(f);
	a->stray = (int32_t)f->raw;
	a->stray_level = a->level + 1;
	return RS_REWIND;
}

/* A name that says nothing of procfs. */
static long open_elsewhere(struct rs_frame *f, struct rs_area *a, const char *path, uint64_t flags,
			   bool looked)
{
	size_t len = path ? sp_strnlen(path, RS_PROC_TEXT_MAX) : 0;

	if (path && rs_watch_opens(path, len, flags))
		return rs_watch_new(f);
	if (path && (flags & (O_ACCMODE | O_PATH)) == O_RDONLY && bd_text_may_be_elsewhere(path, len))
		return looked || sp_has_prefix(path, "/dev/mqueue/")
			       ? open_text(f, a, BD_TEXT_NONE, NULL, path, flags)
			       : rs_call(f, finish_elsewhere);
	return rs_call(f, looked ? rs_finish_raw : finish_open);
}

/* With RESOLVE_IN_ROOT dirfd is the root directory: an absolute path starts there. */
static long take(struct rs_area *a, int dirfd, uint64_t path, unsigned int how, struct rs_name *n)
{
	char *text = RS_PROC_TEXT(a);
	long len;
	size_t skip = 0;

	if (!(RS_NAME_RESOLVED(how) & RESOLVE_IN_ROOT))
		return rs_proc_take(a, dirfd, path, how, n);
	len = rs_user_string(text, path, RS_PROC_TEXT_MAX);
	*n = rs_name_refused(a, path, len);
	if (len <= 0)
		return 0;
	while (text[skip] == '/' && (size_t)len > skip + 1)
		skip++;
	memmove(text, text + skip, (size_t)len - skip + 1);
	if (text[0] == '/')
		text[0] = '.';
	return rs_proc_take_text(a, dirfd, (size_t)len - skip, how, n);
}

/* Whether the kernel would refuse what the name has become, but not what the program said. */
static long refused(const struct rs_name *n, unsigned int how)
{
	if (!(RS_NAME_RESOLVED(how) & (RESOLVE_IN_ROOT | RESOLVE_BENEATH)) || !n->host ||
	    n->host[0] != '/')
		return 0;
	return n->p.kind == BD_PROC_OTHER && !n->p.rest ? -ENOENT : -EXDEV;
}

static long open_call(struct rs_frame *f, struct rs_area *a, int dirfd, int arg, uint64_t flags,
		      uint64_t resolve)
{
	bool follow = !(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
	unsigned int how = (follow ? RS_NAME_FOLLOW : 0) | RS_NAME_RESOLVE(resolve);
	uint64_t path = (uint64_t)f->a[arg];
	bool looked = take_stray(a);
	struct rs_name n;
	long r;

	r = take(a, dirfd, path, looked ? how | RS_NAME_WALK : how, &n);
	if (!r) {
		long opened;

		rs_proc_put(f, &n, arg);
		if (looked)
			rs_proc_entered();
		opened = open_elsewhere(f, a, n.host, flags, looked);
		if (opened == RS_REWIND && rs_proc_suspect(f->raw))
			opened = f->raw;
		if (looked || !rs_proc_suspect(opened) || (resolve && opened == -ELOOP))
			return opened;
		rs_proc_undo(f);
		looked = true;
		r = rs_proc_retake(a, dirfd, how | RS_NAME_EXACT, &n);
		if (!r)
			return opened;
	}
	if (r > 0)
		r = refused(&n, how);
	if (r < 0)
		return r;
	if (follow && !resolve) {
		r = rs_proc_follow_exe(a, &n);
		if (r < 0)
			return r;
	}
	rs_proc_put(f, &n, arg);
	if (rs_text_wanted(text_of(&n), flags))
		return open_text(f, a, text_of(&n), &n.p, n.host, flags);
	if (follow && !(flags & O_PATH) &&
	    (n.p.leaf == BD_LEAF_NS_PID || n.p.leaf == BD_LEAF_NS_PID_CHILDREN))
		return rs_nsfile_open(f, a, &n.p, flags & O_CLOEXEC);
	if (is_directory(&n, flags) || ends_in_link(&n))
		rs_proc_entered();
	if (!looked && follow && ends_in_link(&n))
		return rs_watch_new_by(f, finish_link);
	if (resolve == RESOLVE_NO_XDEV && n.p.through)
		return looked ? open_unknown(f, a, flags) : rs_call(f, finish_unknown);
	/* By its name below fd it may be anything. */
	return leads_out(&n) ? rs_watch_new(f) : rs_call(f, rs_finish_raw);
}

long rs_h_open(struct rs_frame *f, struct rs_area *a)
{
	uint64_t flags = f->nr == __NR_creat ? O_CREAT | O_WRONLY | O_TRUNC : (uint64_t)f->a[1];

	return open_call(f, a, AT_FDCWD, 0, flags, 0);
}

long rs_h_openat(struct rs_frame *f, struct rs_area *a)
{
	return open_call(f, a, (int)f->a[0], 1, (uint64_t)f->a[2], 0);
}

/* struct open_how: flags, mode, resolve. The kernel gets the copy that was looked at. */
long rs_h_openat2(struct rs_frame *f, struct rs_area *a)
{
	uint64_t *how = &f->scratch[HOW];
	const size_t size = 3 * sizeof(*how);

	if ((uint64_t)f->a[3] < size || rs_user_read(how, (uint64_t)f->a[2], size))
		return rs_watch_new(f); /* refused */
	if ((uint64_t)f->a[3] == size)
		f->a[2] = (long)how;
	return open_call(f, a, (int)f->a[0], 1, how[0], how[2] & ~(uint64_t)RESOLVE_CACHED);
}
