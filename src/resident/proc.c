/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names on procfs: from what the program says to what the kernel has to be given. Most paths are told
 * apart by their text; relative ones are looked at only in processes that may hold a directory on
 * procfs.
 */
#include "resident/proc.h"

#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/user.h"

#define IMPOSSIBLE 256 /* bytes of a name that no directory has: NAME_MAX + 1 */

bool rs_proc_show_tail(const char *tail, size_t len, bool past, struct sp_text *out)
{
	int32_t (*number)(int64_t) = past ? rs_out_past : rs_out_pid;
	struct bd_procpath p;
	char path[160];
	struct sp_text t;
	size_t rest;
	int32_t n;

	sp_text_init(&t, path, sizeof(path));
	sp_text_str(&t, "/proc");
	sp_text_bytes(&t, tail, len);
	if (t.overflow)
		return false;
	bd_procpath_parse(NULL, path, t.len, &p);
	rest = p.rest;
	if (p.kind != BD_PROC_PID) {
		sp_text_bytes(out, path, t.len);
		return !out->overflow;
	}
	n = number(p.pid.n);
	if (!n)
		return false;
	sp_text_str(out, "/proc/");
	sp_text_dec(out, n);
	if (p.task != BD_TASK_NONE)
		sp_text_str(out, "/task");
	if (p.task == BD_TASK_ONE) {
		n = number(p.tid.n);
		if (!n)
			return false;
		sp_text_char(out, '/');
		sp_text_dec(out, n);
	}
	if (rest < t.len) {
		sp_text_char(out, '/');
		sp_text_bytes(out, path + rest, t.len - rest);
	}
	return !out->overflow;
}

/*
 * Where relative names of dirfd start, as "/proc/5/task". A process that is not a member, or is no more, is number
 * 0, which nobody has. The first *ret_root bytes behind /proc are above the mount. False: not procfs.
 */
static bool base_text(const struct rs_area *a, int dirfd, struct sp_text *out, size_t *ret_root)
{
	char buf[128];
	struct sp_text tail;

	if (!rs_proc_is_procfs(dirfd))
		return false;
	sp_text_init(&tail, buf, sizeof(buf));
	if (!rs_proc_place(a, dirfd, NULL, &tail, ret_root) ||
	    !rs_proc_show_tail(buf, tail.len, false, out)) {
		out->len = 0;
		out->overflow = false;
		*ret_root = 0;
		sp_text_str(out, "/proc/0");
	}
	return true;
}

bool rs_proc_base(const struct rs_area *a, int dirfd, struct bd_procpath *ret_at)
{
	char buf[160];
	struct sp_text t;
	size_t root;

	sp_text_init(&t, buf, sizeof(buf));
	if (!base_text(a, dirfd, &t, &root))
		return false;
	bd_procpath_parse(NULL, buf, t.len, ret_at);
	return ret_at->kind != BD_PROC_NOT;
}

/* Whether the thread that p names is one of the process it names. */
static bool is_there(struct rs_area *a, const struct bd_procpath *p)
{
	sp_vpid group = a->tgid;

	if (p->task != BD_TASK_ONE)
		return true;
	if (p->kind == BD_PROC_PID)
		group = rs_ref_group(sp_pid_find(RS_NS, p->pid));
	return rs_in_thread(group, p->tid.n) != RS_NOBODY;
}

long rs_proc_host_tail(struct rs_area *a, const struct bd_procpath *p, struct sp_text *out)
{
	int32_t hid;

	if (p->via.n && rs_in_pid(p->via.n) == RS_NOBODY)
		return -ENOENT;
	if (p->via_tid.n) {
		struct bd_procpath via = *p;

		via.task = BD_TASK_ONE;
		via.tid = p->via_tid;
		if (!is_there(a, &via))
			return -ENOENT;
	}
	if (p->kind == BD_PROC_SELF && p->leaf == BD_LEAF_STAT) {
		sp_text_dec(out, a->htgid.n); /* the same, and quicker */
	} else if (p->kind == BD_PROC_SELF) {
		sp_text_str(out, "self");
	} else if (p->kind == BD_PROC_THREAD_SELF) {
		sp_text_str(out, "thread-self");
	} else if (p->kind == BD_PROC_PID) {
		hid = rs_in_pid(p->pid.n);
		if (hid == RS_NOBODY)
			return -ENOENT;
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
	uint8_t x = a->kind == BD_PROC_OTHER ? (uint8_t)BD_PROC_ROOT : a->kind;
	uint8_t y = b->kind == BD_PROC_OTHER ? (uint8_t)BD_PROC_ROOT : b->kind;

	return x == y && a->task == b->task && !a->via.n &&
	       (x != BD_PROC_PID || sp_vpid_eq(a->pid, b->pid)) &&
	       (a->task != BD_TASK_ONE || sp_vpid_eq(a->tid, b->tid));
}

/*
 * Puts the host's prefix in front of the rest of text, which has room before it: start is "/proc/", or the way up
 * from a directory to the root of its procfs.
 */
static long compose(struct rs_area *a, const char *start, char *text, size_t len, struct rs_name *n)
{
	const struct bd_procpath *p = &n->p;
	char prefix[RS_PROC_FRONT];
	struct sp_text t;
	char *to = text + p->rest;
	long r;

	sp_text_init(&t, prefix, sizeof(prefix));
	sp_text_str(&t, start);
	r = rs_proc_host_tail(a, p, &t);
	if (r)
		return r;
	if (t.len && prefix[t.len - 1] == '/') {
		if (p->rest == len && !p->slash && t.len > 1)
			t.len--;
	} else if (t.len && (p->rest < len || p->slash)) {
		sp_text_char(&t, '/');
	}
	if (!t.len && p->rest == len)
		sp_text_char(&t, '.');
	if (t.overflow)
		return -ENAMETOOLONG;
	to -= t.len;
	memcpy(to, prefix, t.len);
	n->host = to;
	return 1;
}

/*
 * Whether the kernel finds no mount point on the way: then it is not procfs that the name leads to. Asked with
 * a name behind it that cannot be there: the answer is an error, and never a descriptor which a signal
 * could make us forget.
 */
static bool stays(struct rs_area *a, int dirfd, size_t len, unsigned int how)
{
	uint64_t open_how[3] = {O_PATH, 0, RESOLVE_NO_XDEV | RS_NAME_RESOLVED(how)};
	char *text = RS_PROC_TEXT(a), *end = text + len;
	bool whole;
	long r;

	if (!(how & RS_NAME_FOLLOW)) {
		/* If the last name is a link, the call is about the link. */
		while (end > text && end[-1] != '/')
			end--;
		if (end == text || end == text + 1)
			return true;
	}
	if ((size_t)(end - text) + IMPOSSIBLE + 2 > RS_PROC_TEXT_MAX)
		return false;
	whole = end == text + len;
	if (!whole) {
		memcpy(RS_PROC_SPARE(a), text, (size_t)(end - text));
		end = RS_PROC_SPARE(a) + (end - text);
		text = RS_PROC_SPARE(a);
	}
	*end = '/';
	memset(end + 1, 'x', IMPOSSIBLE);
	end[IMPOSSIBLE + 1] = '\0';
	r = sp_sys4(__NR_openat2, dirfd, (long)text, (long)open_how, sizeof(open_how));
	if (whole) /* in its own place: a page less that is touched */
		*end = '\0';
	return r == -ENOENT || r == -EACCES || r == -ENOTDIR || r == -ELOOP || r == -ENAMETOOLONG ||
	       r == -EBADF;
}

static long elsewhere(struct rs_area *a, int dirfd, size_t len, unsigned int how, struct rs_name *n)
{
	if (how & RS_NAME_WALK || (how & RS_NAME_EXACT && !stays(a, dirfd, len, how)))
		return rs_proc_walk(a, dirfd, len, how, n);
	return 0;
}

/* "../" for each name of a tail such as "/proc/5/task" behind /proc. */
static void way_up(const char *base, size_t len, struct sp_text *out)
{
	for (size_t i = 1; i < len; i++)
		if (base[i] == '/')
			sp_text_str(out, "../");
}

/* Whether a name is `..`, or looks like one: then others in it may be numbers although it stays below its base. */
static bool has_dots(const char *text, size_t len)
{
	for (size_t i = 1; i < len; i++)
		if (text[i - 1] == '.' && text[i] == '.')
			return true;
	return false;
}

static long take_relative(struct rs_area *a, int dirfd, size_t len, unsigned int how, struct rs_name *n)
{
	char *text = RS_PROC_TEXT(a), *whole;
	char base[160], up[RS_PROC_FRONT];
	struct bd_procpath at;
	struct sp_text t;
	size_t base_len, root;

	if (!(dirfd == AT_FDCWD ? rs_proc_cwd_may(a) : rs_proc_fd_may(a)))
		return elsewhere(a, dirfd, len, how, n);
	sp_text_init(&t, base, sizeof(base));
	if (!base_text(a, dirfd, &t, &root))
		return elsewhere(a, dirfd, len, how, n);
	base_len = t.len;
	bd_procpath_parse(NULL, base, base_len, &at);
	if (base_len + 1 > RS_PROC_FRONT)
		return rs_proc_walk(a, dirfd, len, how, n);
	whole = text - base_len - 1;
	memcpy(whole, base, base_len);
	whole[base_len] = '/';
	if (RS_NAME_RESOLVED(how))
		return rs_proc_rewrite(a, whole, base_len + 1, base_len + 1 + len, how, n);
	bd_procpath_parse(NULL, whole, base_len + 1 + len, &n->p);
	if (n->p.through || n->p.left)
		return rs_proc_walk(a, dirfd, len, how, n);
	if (n->p.via.n == at.pid.n)
		n->p.via = SP_VPID_NONE;
	if (same_place(&n->p, &at) && !has_dots(text, len))
		return 1;
	if (root) /* the way up would leave the mount */
		return rs_proc_walk(a, dirfd, len, how, n);
	sp_text_init(&t, up, sizeof(up));
	way_up(base, base_len, &t);
	return compose(a, up, whole, base_len + 1 + len, n);
}

/* The root itself: there is no name in it that could be a number. */
static bool is_root(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] == '/')
		n++;
	return n == len;
}

static long take(struct rs_area *a, int dirfd, size_t len, unsigned int how, struct rs_name *n)
{
	char *text = RS_PROC_TEXT(a);
	enum rs_proc_root root;

	n->p = (struct bd_procpath){.rest = len};
	n->entered = false;
	n->host = text;
	if (text[0] != '/')
		return take_relative(a, dirfd, len, how, n);
	bd_procpath_parse(NULL, text, len, &n->p);
	if (n->p.kind == BD_PROC_NOT && !n->p.unsure) {
		if (how & (RS_NAME_EXACT | RS_NAME_WALK) && rs_proc_root(a) == RS_ROOT_INSIDE) {
			/* A sandbox's way to an empty root: which part of procfs it is cannot be seen from in there. */
			if (is_root(text, len)) {
				rs_proc_entered();
				return 0;
			}
			return rs_proc_walk(a, dirfd, len, how, n);
		}
		return elsewhere(a, dirfd, len, how, n);
	}
	root = rs_proc_root(a);
	if (root == RS_ROOT_INSIDE ||
	    (root == RS_ROOT_PROC && (n->p.unsure || (n->p.through && !RS_NAME_RESOLVED(how)))))
		return rs_proc_walk(a, dirfd, len, how, n);
	if (root == RS_ROOT_NO)
		return elsewhere(a, dirfd, len, how, n);
	if (RS_NAME_RESOLVED(how))
		return rs_proc_rewrite(a, text, 0, len, how, n);
	/* The kernel follows this last link: where it leads is for the walk to see. */
	if (how & RS_NAME_WALK && how & RS_NAME_FOLLOW && n->p.leaf == BD_LEAF_FD)
		return rs_proc_walk(a, dirfd, len, how, n);
	return compose(a, "/proc/", text, len, n);
}

/*
 * What the namespace does not have becomes a name that the kernel does not have (RS_NOBODY), so that
 * the kernel says so when its turn comes.
 */
long rs_proc_take_text(struct rs_area *a, int dirfd, size_t len, unsigned int how, struct rs_name *n)
{
	long r = take(a, dirfd, len, how, n);

	if (r != -ENOENT)
		return r;
	n->host = "/proc/2147483646/x";
	if (n->p.kind == BD_PROC_PID && n->p.leaf == BD_LEAF_DIR && n->p.task == BD_TASK_NONE)
		n->host = n->p.slash ? "/proc/2147483646/" : "/proc/2147483646";
	n->p = (struct bd_procpath){.kind = BD_PROC_OTHER};
	return 1;
}

struct rs_name rs_name_refused(struct rs_area *a, uint64_t path, long len)
{
	const char *same = NULL; /* NULL is not always wrong, but always NULL */

	if (!len)
		same = "";
	else if (len == -ENAMETOOLONG)
		same = RS_PROC_TEXT(a); /* 4096 bytes without a NUL */
	else if (len < 0 && path)
		same = (const char *)8; /* nothing is mapped below vm.mmap_min_addr */
	return (struct rs_name){.host = NULL, .same = same};
}

long rs_proc_take(struct rs_area *a, int dirfd, uint64_t path, unsigned int how, struct rs_name *ret_n)
{
	long len = rs_user_string(RS_PROC_TEXT(a), path, RS_PROC_TEXT_MAX);

	*ret_n = rs_name_refused(a, path, len);
	return len <= 0 ? 0 : rs_proc_take_text(a, dirfd, (size_t)len, how, ret_n);
}

long rs_proc_retake(struct rs_area *a, int dirfd, unsigned int how, struct rs_name *n)
{
	if (n->host != RS_PROC_TEXT(a))
		return 0;
	return rs_proc_take_text(a, dirfd, sp_strnlen(n->host, RS_PROC_TEXT_MAX), how, n);
}

void rs_proc_put(struct rs_frame *f, const struct rs_name *n, int arg)
{
	if (n->host || n->same)
		f->a[arg] = (long)(n->host ? n->host : n->same);
}

bool rs_proc_suspect(long error)
{
	return error == -ENOENT || error == -EACCES || error == -ENOTDIR || error == -ELOOP ||
	       error == -EPERM || error == -ESRCH;
}

void rs_proc_undo(struct rs_frame *f)
{
	atomic_signal_fence(memory_order_seq_cst);
	f->phase = RS_RESTART;
	atomic_signal_fence(memory_order_seq_cst);
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

	if (n->p.kind == BD_PROC_NOT || n->p.leaf != BD_LEAF_EXE || n->p.slash || !is_there(a, &n->p))
		return 1;
	if (rs_proc_own(a, &n->p)) {
		r = rs_proc_exe_own(RS_PROC_SPARE(a), RS_PROC_SPARE_MAX);
		if (r < 0)
			return 1;
		memcpy(text, RS_PROC_SPARE(a), (size_t)r + 1);
	} else {
		r = rs_proc_exe_of(rs_in_pid(n->p.pid.n), text, RS_PROC_TEXT_MAX);
		if (r < 0)
			return r;
	}
	n->host = text;
	return 0;
}

long rs_proc_exec_path(struct rs_area *a, int dirfd, uint64_t path, uint32_t flags,
		       const char **ret_said, const char **ret_path)
{
	unsigned int how = flags & AT_SYMLINK_NOFOLLOW ? RS_NAME_EXACT : RS_NAME_EXACT | RS_NAME_FOLLOW;
	char *text = RS_PROC_TEXT(a), *said = RS_PROC_HOLD(a);
	long len = rs_user_string(text, path, RS_PROC_HOLD_MAX), r;
	struct rs_name n = {.host = NULL};

	if (len < 0)
		return len;
	memcpy(said, text, (size_t)len + 1);
	*ret_said = *ret_path = said;
	r = len ? rs_proc_take_text(a, dirfd, (size_t)len, how, &n) : 0;
	if (r <= 0)
		return r;
	if (how & RS_NAME_FOLLOW) {
		r = rs_proc_follow_exe(a, &n);
		if (r < 0)
			return r;
	}
	*ret_path = n.host;
	return 1;
}
