/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that take paths and nothing else to convert, by the table of boundary/paths.def; the stat
 * family, whose result says where the path has led; and addresses of unix sockets.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "boundary/table.h"
#include "resident/handlers.h"
#include "resident/nsfile.h"
#include "resident/proc.h"
#include "resident/text.h"
#include "resident/user.h"

#define SOCKADDR_MAX 128 /* linux/socket.h: sockaddr_storage */

static long finish_forget(struct rs_frame *f)
{
	rs_proc_forget();
	return f->raw;
}

long rs_proc_call_forget(struct rs_frame *f)
{
	return rs_call(f, finish_forget);
}

static bool follows(const struct rs_frame *f, const struct bd_path *row)
{
	switch ((enum bd_path_last)row->last) {
	case BD_LAST_FOLLOW:
	case BD_LAST_BIND:
		return true;
	case BD_LAST_TAKE:
		return false;
	case BD_LAST_UNLESS:
		return !((uint32_t)f->a[row->arg] & row->mask);
	case BD_LAST_IF:
		return (uint32_t)f->a[row->arg] & row->mask;
	}
	return true;
}

/* The first row of the call; further ones follow. */
static const struct bd_path *rows_of(uint32_t nr)
{
	unsigned int i = 0;

	while (i < bd_path_count && bd_paths[i].nr < nr)
		i++;
	return &bd_paths[i];
}

static bool is_row_of(const struct bd_path *row, uint32_t nr)
{
	return row < bd_paths + bd_path_count && row->nr == nr;
}

/* One path of the call. 1: on procfs. */
static long convert(struct rs_frame *f, struct rs_area *a, const struct bd_path *row)
{
	unsigned int how = follows(f, row) ? RS_NAME_FOLLOW | RS_NAME_EXACT : RS_NAME_EXACT;
	int dirfd = row->dirfd == BD_PATH_CWD ? AT_FDCWD : (int)f->a[row->dirfd];
	struct rs_name n;
	long r;

	if (row->last == BD_LAST_BIND && !((uint32_t)f->a[3] & (MS_BIND | MS_MOVE)))
		how = RS_NAME_FOLLOW; /* a device, or a word */
	r = rs_proc_take(a, dirfd, (uint64_t)f->a[row->path], how, &n);
	if (r < 0)
		return r;
	if (r && how & RS_NAME_FOLLOW) {
		long e = rs_proc_follow_exe(a, &n);

		if (e < 0)
			return e;
	}
	rs_proc_put(f, &n, row->path);
	return r;
}

/* The other name is about to be worked on in the same space. */
static long hold(struct rs_frame *f, struct rs_area *a, unsigned int arg)
{
	const char *text = (const char *)f->a[arg];
	char *to = RS_PROC_HOLD(a);
	size_t n;

	if (text < a->scratch || text >= a->scratch + RS_SCRATCH)
		return 0;
	n = sp_strnlen(text, RS_PROC_TEXT_MAX) + 1;
	if (n > RS_PROC_HOLD_MAX)
		return -ENAMETOOLONG;
	memcpy(to, text, n);
	f->a[arg] = (long)to;
	return 0;
}

static bool changes_view(uint32_t nr)
{
	return nr == __NR_chroot || nr == __NR_pivot_root || nr == __NR_mount ||
	       nr == __NR_umount2 || nr == 428 /* open_tree */ || nr == 429 /* move_mount */ ||
	       nr == 467; /* open_tree_attr */
}

long rs_proc_paths(struct rs_frame *f, struct rs_area *a)
{
	uint32_t nr = (uint32_t)f->nr;
	const struct bd_path *row = rows_of(nr);
	bool on_procfs = false;
	long r;

	for (; is_row_of(row, nr); row++) {
		r = convert(f, a, row);
		on_procfs |= r > 0;
		if (r >= 0 && is_row_of(row + 1, nr))
			r = hold(f, a, row->path);
		if (r < 0)
			return r;
	}
	if (on_procfs && nr == __NR_chdir)
		rs_proc_entered();
	return 0;
}

/* Whether a name may lead to procfs although it does not say so: by what is there. */
static bool arrives(int dirfd, const char *path, bool follow)
{
	struct ax_stat st;

	return !sp_sys4(__NR_newfstatat, dirfd, (long)path, (long)&st,
			follow ? 0 : AT_SYMLINK_NOFOLLOW) &&
	       (rs_proc_looks_procfs(&st) || rs_proc_behind_link(&st));
}

/*
 * access and its like: called often, and they only look, so that they can be made first, and once more
 * after a walk. A signal may have it all done again.
 */
static long access_call(struct rs_frame *f, struct rs_area *a, const struct bd_path *row)
{
	bool follow = follows(f, row);
	unsigned int how = follow ? RS_NAME_FOLLOW : 0;
	int dirfd = row->dirfd == BD_PATH_CWD ? AT_FDCWD : (int)f->a[row->dirfd];
	struct rs_name n;
	long r = rs_proc_take(a, dirfd, (uint64_t)f->a[row->path], how, &n), raw = 0;

	for (bool again = false;; again = true) {
		if (r > 0 && follow) {
			long e = rs_proc_follow_exe(a, &n);

			r = e < 0 ? e : r;
		}
		if (r < 0)
			return r;
		if (again && !r)
			return raw;
		rs_proc_put(f, &n, row->path);
		raw = sp_sys4(f->nr, f->a[0], f->a[1], f->a[2], f->a[3]);
		if (r || again || !n.host)
			return raw;
		if (!raw && arrives(dirfd, n.host, follow))
			r = rs_proc_retake(a, dirfd, how | RS_NAME_WALK, &n);
		else if (rs_proc_suspect(raw))
			r = rs_proc_retake(a, dirfd, how | RS_NAME_EXACT, &n);
		else
			return raw;
	}
}

long rs_h_access(struct rs_frame *f, struct rs_area *a)
{
	return access_call(f, a, rows_of((uint32_t)f->nr));
}

long rs_h_path(struct rs_frame *f, struct rs_area *a)
{
	uint32_t nr = (uint32_t)f->nr;
	long r = rs_proc_paths(f, a);

	if (r)
		return r;
	return changes_view(nr) ? rs_proc_call_forget(f) : rs_call(f, rs_finish_raw);
}

/* --- stat ------------------------------------------------------------------------------------ */

/* struct statx as far as it is looked at. */
struct statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad0;
	uint64_t ino, size, blocks, attributes_mask;
	uint64_t times[8];
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t more[14];
};
_Static_assert(sizeof(struct statx) == 256 && offsetof(struct statx, dev_major) == 136, "uapi");

#define S_IFREG_ 0100000 /* linux/stat.h has a struct statx of its own */

union result {
	struct ax_stat st;
	struct statx x;
};

static uint64_t dev_of(const struct statx *x)
{
	return (x->dev_minor & 0xff) | x->dev_major << 8 | (uint64_t)(x->dev_minor & ~0xffu) << 12;
}

/* What is looked at, of either form. */
static struct ax_stat seen(const union result *res, bool extended)
{
	return extended ? (struct ax_stat){.dev = dev_of(&res->x),
					   .ino = res->x.ino,
					   .blksize = res->x.blksize}
			: res->st;
}

/* The result was about a file that stands for a PID namespace. */
static void show_ns_file(const struct rs_frame *f, union result *res, uint64_t ino)
{
	if (f->nr == __NR_statx) {
		res->x.mode = S_IFREG_ | 0444;
		res->x.ino = ino;
		res->x.size = res->x.blocks = 0;
		res->x.dev_major = RS_NS->pidns_dev >> 8 & 0xfff;
		res->x.dev_minor = RS_NS->pidns_dev & 0xff;
	} else {
		res->st.mode = S_IFREG_ | 0444;
		res->st.ino = ino;
		res->st.size = res->st.blocks = 0;
		res->st.dev = RS_NS->pidns_dev;
	}
}

/*
 * The result was about a memory file. If that is what a text was put into, it becomes the one about the text's own
 * file: cp(1) and tail(1) compare what they opened with what they saw by its name.
 */
static __attribute__((noinline)) void stat_text(struct rs_frame *f, struct rs_area *a,
						const struct rs_name *n, int dirfd, int arg,
						union result *res)
{
	char *name = RS_PROC_HOLD(a), link[48];
	union result other;
	struct sp_text t;
	uint64_t ino;
	long arg_of[6];

	sp_text_init(&t, link, sizeof(link));
	sp_text_str(&t, "/proc/thread-self/fd/");
	sp_text_dec(&t, dirfd);
	if (rs_nsfile_stands(n->p.leaf == BD_LEAF_FD && n->host ? n->host : link, &ino)) {
		show_ns_file(f, res, ino);
		return;
	}
	if (n->p.leaf == BD_LEAF_FD && n->host ? !rs_text_stands_for(n->host, name, 256)
					       : !rs_text_stands_for(link, name, 256))
		return;
	for (int i = 0; i < 6; i++)
		arg_of[i] = f->a[i];
	arg_of[arg] = (long)name;
	if (arg)
		arg_of[0] = AT_FDCWD;
	arg_of[arg + (f->nr == __NR_statx ? 3 : 1)] = (long)&other;
	if (f->nr == __NR_fstat ? !sp_sys2(__NR_stat, (long)name, (long)&other)
				: !sp_sys6(f->nr, arg_of[0], arg_of[1], arg_of[2], arg_of[3],
					   arg_of[4], arg_of[5]))
		*res = other;
}

/* Only looks, so a signal may have it done again. buf: argument the result goes to. */
static long stat_call(struct rs_frame *f, struct rs_area *a, int dirfd, int arg, int buf, bool follow)
{
	bool extended = f->nr == __NR_statx;
	uint64_t to = (uint64_t)f->a[buf], path = (uint64_t)f->a[arg];
	unsigned int how = follow ? RS_NAME_FOLLOW : 0;
	union result res;
	struct ax_stat st;
	struct rs_name n;
	long r, raw;

	r = rs_proc_take(a, dirfd, path, how, &n);
	for (;;) {
		if (r < 0)
			return r;
		if (r && follow) {
			long e = rs_proc_follow_exe(a, &n);

			if (e < 0)
				return e;
		}
		rs_proc_put(f, &n, arg);
		f->a[buf] = (long)&res;
		raw = sp_sys6(f->nr, f->a[0], f->a[1], f->a[2], f->a[3], f->a[4], f->a[5]);
		if (raw < 0 && (r || !rs_proc_suspect(raw)))
			return raw;
		if (!raw)
			st = seen(&res, extended);
		if (r || (!raw && !rs_proc_looks_procfs(&st) && !rs_proc_behind_link(&st)))
			break;
		r = rs_proc_retake(a, dirfd, how | (raw ? RS_NAME_EXACT : RS_NAME_WALK), &n);
		if (!r && raw)
			return raw;
		if (!r)
			break;
	}
	if (st.dev == RS_NS->segment_dev)
		stat_text(f, a, &n, dirfd, arg, &res);
	if (rs_proc_is_own_ns(st.dev, st.ino)) {
		if (extended)
			res.x.ino = rs_proc_ns_ino(a, &n.p);
		else
			res.st.ino = rs_proc_ns_ino(a, &n.p);
	}
	return rs_user_write(to, &res, extended ? sizeof(res.x) : sizeof(res.st));
}

long rs_h_fstat(struct rs_frame *f, struct rs_area *a)
{
	struct rs_name none = {.host = NULL};
	union result res;
	long r = sp_sys2(__NR_fstat, f->a[0], (long)&res);

	if (r)
		return r;
	if (res.st.dev == RS_NS->segment_dev)
		stat_text(f, a, &none, (int)f->a[0], 0, &res);
	else if (rs_proc_is_own_ns(res.st.dev, res.st.ino))
		res.st.ino = RS_NS->ns_ino;
	return rs_user_write((uint64_t)f->a[1], &res, sizeof(res.st));
}

long rs_h_stat(struct rs_frame *f, struct rs_area *a)
{
	return stat_call(f, a, AT_FDCWD, 0, 1, true);
}

long rs_h_lstat(struct rs_frame *f, struct rs_area *a)
{
	return stat_call(f, a, AT_FDCWD, 0, 1, false);
}

long rs_h_fstatat(struct rs_frame *f, struct rs_area *a)
{
	return stat_call(f, a, (int)f->a[0], 1, 2, !(f->a[3] & AT_SYMLINK_NOFOLLOW));
}

long rs_h_statx(struct rs_frame *f, struct rs_area *a)
{
	return stat_call(f, a, (int)f->a[0], 1, 4, !(f->a[2] & AT_SYMLINK_NOFOLLOW));
}

/* --- unix sockets ---------------------------------------------------------------------------- */

/*
 * A bound socket keeps its address for everybody to ask (getsockname, accept, /proc/net/unix): the directory
 * goes into it by its own name, not by one with the host's number of a process.
 */
static bool name_directory(const char *host, char *buf, size_t cap)
{
	size_t len = sp_strnlen(host, RS_PROC_TEXT_MAX), at = len;
	char parent[128];
	struct sp_text t;
	uint64_t mask;
	long fd, n = -1;

	while (at && host[at - 1] != '/')
		at--;
	if (!at || at == len || at >= sizeof(parent))
		return false;
	memcpy(parent, host, at);
	parent[at] = '\0';
	mask = rs_hush();
	fd = sp_sys3(__NR_open, (long)parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd >= 0) {
		n = rs_proc_name_of_fd((int)fd, buf, cap);
		sp_sys1(__NR_close, fd);
	}
	rs_unhush(mask);
	if (n <= 0 || buf[0] != '/')
		return false;
	sp_text_init(&t, buf + n, cap - (size_t)n);
	if (n > 1)
		sp_text_char(&t, '/');
	sp_text_str(&t, host + at);
	return !t.overflow;
}

long rs_proc_sockaddr(struct rs_frame *f, struct rs_area *a, int arg, bool follow)
{
	uint64_t addr = (uint64_t)f->a[arg];
	int32_t len = (int32_t)f->a[arg + 1];
	struct ax_sockaddr_un *un = (struct ax_sockaddr_un *)(void *)RS_PROC_HOLD(a);
	char *text = RS_PROC_TEXT(a), named[256];
	struct rs_name n;
	size_t max, got;
	long r;

	if (len <= (int32_t)sizeof(un->family) || len > SOCKADDR_MAX ||
	    rs_user_read(un, addr, (size_t)len) || un->family != 1 /* AF_UNIX */)
		return 0;
	max = (size_t)len - sizeof(un->family);
	if (max > sizeof(un->path))
		return 0;
	got = sp_strnlen(un->path, max);
	f->a[arg] = (long)un;
	if (!got)
		return 0;
	memcpy(text, un->path, got);
	text[got] = '\0';
	r = rs_proc_take_text(a, AT_FDCWD, got, RS_NAME_EXACT | (follow ? RS_NAME_FOLLOW : 0), &n);
	if (r < 0)
		return r;
	if (!r)
		return 0; /* as it is: the address is kept */
	got = sp_strnlen(n.host, RS_PROC_TEXT_MAX);
	if (got == sp_strnlen(un->path, max) && !memcmp(n.host, un->path, got))
		return 0;
	if (!follow && name_directory(n.host, named, sizeof(named))) {
		n.host = named;
		got = sp_strnlen(named, sizeof(named));
	}
	if (got >= sizeof(un->path))
		return -ENAMETOOLONG;
	memcpy(un->path, n.host, got);
	un->path[got] = '\0';
	f->a[arg + 1] = (long)(sizeof(un->family) + got + 1);
	return 0;
}
