/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names on procfs: from what the program says to what the kernel has to be given, and the calls that
 * need nothing else. Most paths are told apart by their text; relative ones are looked at only in
 * processes that may hold a directory on procfs.
 */
#include "resident/proc.h"

#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "arch/x86_64/syscall.h"
#include "resident/handlers.h"
#include "resident/user.h"

#define PROC_SUPER_MAGIC 0x9fa0 /* linux/magic.h */

/* Sticky and inherited by fork; after an exec only the working directory has to be asked for. */
enum { UNKNOWN, ELSEWHERE, MAYBE };
static _Atomic uint8_t where;

bool rs_proc_is_procfs(int dirfd)
{
	uint64_t fs[16]; /* struct statfs has 120 bytes; its first word is f_type */
	long r = dirfd == AT_FDCWD ? sp_sys2(__NR_statfs, (long)".", (long)fs)
				   : sp_sys2(__NR_fstatfs, dirfd, (long)fs);

	return !r && fs[0] == PROC_SUPER_MAGIC;
}

void rs_proc_entered(void)
{
	atomic_store(&where, MAYBE);
}

bool rs_proc_may_be_inside(void)
{
	uint8_t w = atomic_load(&where);

	if (w == UNKNOWN) {
		w = rs_proc_is_procfs(AT_FDCWD) ? MAYBE : ELSEWHERE;
		atomic_store(&where, w);
	}
	return w == MAYBE;
}

/* What a link says about a place on procfs, with the numbers turned into the namespace's. */
static bool parse_shown(const char *text, size_t len, struct bd_procpath *ret_p)
{
	bd_procpath_parse(NULL, text, len, ret_p);
	if (ret_p->kind == BD_PROC_PID) {
		ret_p->pid = sp_vpid_of(rs_out_pid(ret_p->pid.n));
		if (!ret_p->pid.n)
			return false;
	}
	if (ret_p->task == BD_TASK_ONE) {
		ret_p->tid = sp_vpid_of(rs_out_pid(ret_p->tid.n));
		if (!ret_p->tid.n)
			return false;
	}
	return ret_p->kind != BD_PROC_NOT;
}

bool rs_proc_base(int dirfd, struct bd_procpath *ret_at)
{
	char link[48], text[80];
	struct sp_text t;
	long n;

	if (!rs_proc_is_procfs(dirfd))
		return false;
	sp_text_init(&t, link, sizeof(link));
	if (dirfd == AT_FDCWD) {
		sp_text_str(&t, "/proc/thread-self/cwd");
	} else {
		sp_text_str(&t, "/proc/thread-self/fd/");
		sp_text_dec(&t, dirfd);
	}
	n = sp_sys3(__NR_readlink, (long)link, (long)text, sizeof(text));
	return n > 0 && n < (long)sizeof(text) && parse_shown(text, (size_t)n, ret_at);
}

/* "/proc", "/proc/self", "/proc/12/task/13": without a slash at the end. -ENOENT: not a member. */
static long host_prefix(struct rs_area *a, const struct bd_procpath *p, struct sp_text *out)
{
	int32_t hid;

	if (p->via.n && rs_in_pid(p->via.n) == RS_NOBODY)
		return -ENOENT;
	sp_text_str(out, "/proc");
	if (p->kind == BD_PROC_SELF) {
		sp_text_str(out, "/self");
	} else if (p->kind == BD_PROC_THREAD_SELF) {
		sp_text_str(out, "/thread-self");
	} else if (p->kind == BD_PROC_PID) {
		hid = rs_in_pid(p->pid.n);
		if (hid == RS_NOBODY)
			return -ENOENT;
		sp_text_char(out, '/');
		sp_text_dec(out, hid);
	}
	if (p->task != BD_TASK_NONE)
		sp_text_str(out, "/task");
	if (p->task == BD_TASK_ONE) {
		/* libc names its threads by the kernel's numbers here: pthread_setname_np(3) */
		hid = rs_in_task(a, p->tid.n);
		if (hid == RS_NOBODY)
			return -ENOENT;
		sp_text_char(out, '/');
		sp_text_dec(out, hid);
	}
	return 0;
}

static bool same_place(const struct bd_procpath *a, const struct bd_procpath *b)
{
	return a->kind == b->kind && a->task == b->task && !a->via.n &&
	       (a->kind != BD_PROC_PID || sp_vpid_eq(a->pid, b->pid)) &&
	       (a->task != BD_TASK_ONE || sp_vpid_eq(a->tid, b->tid));
}

/*
 * Puts the host's prefix in front of the rest of text, which has RS_PROC_FRONT bytes of room before
 * it; 0 and the start, or -ENOENT.
 */
static long compose(struct rs_area *a, const struct bd_procpath *p, char *text, size_t len,
		    const char **ret_start)
{
	char prefix[RS_PROC_FRONT];
	struct sp_text t;
	char *start = text + p->rest;
	long r;

	sp_text_init(&t, prefix, sizeof(prefix));
	r = host_prefix(a, p, &t);
	if (r)
		return r;
	if (p->rest < len || p->slash)
		sp_text_char(&t, '/');
	start -= t.len;
	memcpy(start, prefix, t.len);
	*ret_start = start;
	return 0;
}

long rs_proc_take(struct rs_area *a, int dirfd, uint64_t path, struct rs_name *ret_n)
{
	char *text = RS_PROC_TEXT(a);
	long len = rs_user_string(text, path, RS_PROC_TEXT_MAX);
	struct bd_procpath at, *from = NULL;

	if (len <= 0)
		return 0;
	if (text[0] != '/') {
		if (!rs_proc_may_be_inside() || !rs_proc_base(dirfd, &at))
			return 0;
		from = &at;
	}
	bd_procpath_parse(from, text, (size_t)len, &ret_n->p);
	if (ret_n->p.kind == BD_PROC_NOT)
		return 0;
	ret_n->as_is = from && same_place(&ret_n->p, &at);
	len = compose(a, &ret_n->p, text, (size_t)len, &ret_n->host);
	return len ? len : 1;
}

void rs_proc_put(struct rs_frame *f, const struct rs_name *n, int arg)
{
	if (!n->as_is)
		f->a[arg] = (long)n->host;
}

bool rs_proc_own(const struct rs_area *a, const struct bd_procpath *p)
{
	struct sp_ref ref;

	if (p->kind == BD_PROC_SELF || p->kind == BD_PROC_THREAD_SELF)
		return true;
	if (p->kind != BD_PROC_PID)
		return false;
	ref = sp_pid_find(RS_NS, p->pid);
	return sp_vpid_eq(rs_ref_group(ref), a->tgid);
}

long rs_proc_follow_exe(struct rs_area *a, struct rs_name *n)
{
	char *text = RS_PROC_TEXT(a);
	long r;

	if (n->p.leaf != BD_LEAF_EXE || n->p.slash)
		return 1;
	if (rs_proc_own(a, &n->p)) {
		if (!rs_exe_path[0])
			return 1;
		n->host = rs_exe_path;
	} else {
		r = rs_proc_exe_of(rs_in_pid(n->p.pid.n), text, RS_PROC_TEXT_MAX);
		if (r < 0)
			return r;
		n->host = text;
	}
	n->as_is = false;
	return 0;
}

long rs_proc_exec_path(struct rs_area *a, char *path, size_t cap)
{
	size_t len = sp_strnlen(path, cap);
	struct bd_procpath p;
	char prefix[RS_PROC_FRONT];
	struct sp_text t;
	long r;

	/* What is relative to a directory on procfs: nobody is known to execute that. */
	bd_procpath_parse(NULL, path, len, &p);
	if (p.kind == BD_PROC_NOT)
		return 0;
	if (p.leaf == BD_LEAF_EXE && !p.slash) {
		if (!rs_proc_own(a, &p)) {
			r = rs_in_pid(p.pid.n);
			r = r == RS_NOBODY ? -ENOENT : rs_proc_exe_of((int32_t)r, path, cap);
			return r < 0 ? r : 0;
		}
		if (rs_exe_path[0]) {
			len = sp_strnlen(rs_exe_path, sizeof(rs_exe_path));
			if (len >= cap)
				return -ENAMETOOLONG;
			memcpy(path, rs_exe_path, len + 1);
			return 0;
		}
	}
	sp_text_init(&t, prefix, sizeof(prefix));
	r = host_prefix(a, &p, &t);
	if (r)
		return r;
	if (p.rest < len || p.slash)
		sp_text_char(&t, '/');
	if (t.len + (len - p.rest) >= cap)
		return -ENAMETOOLONG;
	memmove(path + t.len, path + p.rest, len - p.rest + 1);
	memcpy(path, prefix, t.len);
	return 0;
}

/* A call with one path and nothing else to convert. dirfd_arg < 0: it has no such argument. */
static long plain(struct rs_frame *f, struct rs_area *a, int dirfd_arg, int arg, bool follow)
{
	int dirfd = dirfd_arg < 0 ? AT_FDCWD : (int)f->a[dirfd_arg];
	struct rs_name n;
	long r = rs_proc_take(a, dirfd, (uint64_t)f->a[arg], &n);

	if (r <= 0)
		return r < 0 ? r : rs_call(f, rs_finish_raw);
	if (follow) {
		r = rs_proc_follow_exe(a, &n);
		if (r < 0)
			return r;
	}
	rs_proc_put(f, &n, arg);
	if (f->nr == __NR_chdir)
		rs_proc_entered();
	return rs_call(f, rs_finish_raw);
}

long rs_h_path0(struct rs_frame *f, struct rs_area *a)
{
	return plain(f, a, -1, 0, f->nr != __NR_lgetxattr && f->nr != __NR_llistxattr);
}

long rs_h_path1(struct rs_frame *f, struct rs_area *a)
{
	bool follow = f->nr != __NR_faccessat2 || !(f->a[3] & AT_SYMLINK_NOFOLLOW);

	return plain(f, a, 0, 1, follow);
}

long rs_h_stat(struct rs_frame *f, struct rs_area *a)
{
	return plain(f, a, -1, 0, true);
}

long rs_h_lstat(struct rs_frame *f, struct rs_area *a)
{
	return plain(f, a, -1, 0, false);
}

long rs_h_fstatat(struct rs_frame *f, struct rs_area *a)
{
	return plain(f, a, 0, 1, !(f->a[3] & AT_SYMLINK_NOFOLLOW));
}

long rs_h_statx(struct rs_frame *f, struct rs_area *a)
{
	return plain(f, a, 0, 1, !(f->a[2] & AT_SYMLINK_NOFOLLOW));
}
