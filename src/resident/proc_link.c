/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links on procfs: self and thread-self, exe (the kernel's is the resident), and texts that name a
 * place on procfs by the host's numbers.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/below.h"
#include "resident/handlers.h"
#include "resident/nsfile.h"
#include "resident/proc.h"
#include "resident/text.h"
#include "resident/user.h"

#define STARTCODE 26 /* proc(5): where the program's code starts */

static void proc_file(struct sp_text *t, char *buf, size_t cap, int32_t hid, const char *name)
{
	sp_text_init(t, buf, cap);
	sp_text_str(t, "/proc/");
	sp_text_dec(t, hid);
	sp_text_str(t, name);
}

/* One line of maps: "START-END PERMS OFFSET DEV INODE   PATH". */
struct line {
	uint64_t start, end;
	int part; /* 0 start, 1 end, 2 the columns before the path, 3 the path */
	size_t len;
	bool too_long;
};

static void take_char(struct line *l, char c, char *buf, size_t cap)
{
	if (l->part < 2) {
		uint64_t *v = l->part ? &l->end : &l->start;

		if (c == '-' || c == ' ')
			l->part++;
		else
			*v = *v << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
		return;
	}
	if (l->part == 2 && c == '/')
		l->part = 3;
	if (l->part != 3)
		return;
	if (l->len + 1 >= cap) {
		l->too_long = true;
		return;
	}
	buf[l->len++] = c;
	/* A newline is shown as \012: fs/proc/task_mmu.c:show_map_vma */
	if (l->len >= 4 && !memcmp(buf + l->len - 4, "\\012", 4)) {
		l->len -= 3;
		buf[l->len - 1] = '\n';
	}
}

/* The first file in a range; without one the first file that is not ours. */
static bool is_program(const struct line *l, uint64_t from, uint64_t to)
{
	if (l->part != 3 || (l->start >= SP_WINDOW_START && l->start < SP_WINDOW_END))
		return false;
	return from <= 1 || (from >= SP_WINDOW_START && from < SP_WINDOW_END) ||
	       (l->start < to && from < l->end);
}

static long exe_of(int32_t hid, uint64_t from, uint64_t to, char *buf, size_t cap)
{
	struct line l = {0};
	char in[512], path[32];
	struct sp_text t;
	long fd, n;

	proc_file(&t, path, sizeof(path), hid, "/maps");
	fd = sp_sys3(__NR_open, (long)path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	while ((n = sp_sys3(__NR_read, fd, (long)in, sizeof(in))) > 0) {
		for (long i = 0; i < n; i++) {
			if (in[i] != '\n') {
				take_char(&l, in[i], buf, cap);
				continue;
			}
			if (is_program(&l, from, to)) {
				sp_sys1(__NR_close, fd);
				buf[l.len] = '\0';
				return l.too_long ? -ENAMETOOLONG : (long)l.len;
			}
			memset(&l, 0, sizeof(l));
		}
	}
	sp_sys1(__NR_close, fd);
	return n < 0 && n != -ESRCH ? n : -ENOENT;
}

/* With signals blocked: a rewind would forget the descriptor. */
long rs_proc_exe_of(int32_t hid, char *buf, size_t cap)
{
	uint64_t mask = rs_hush();
	uint64_t code = rs_stat_field(hid, STARTCODE); /* 0 or 1 if we may not know */
	long r = exe_of(hid, code, code + 1, buf, cap);

	rs_unhush(mask);
	return r;
}

const char *rs_exe_said;

/*
 * Asked for when it is wanted, because few programs do and every exec would pay. A program that has unmapped
 * itself (one that unpacks itself does) is what its name says now.
 */
long rs_proc_exe_own(char *buf, size_t cap)
{
	uint64_t mask = rs_hush();
	long r = exe_of(rs_area_here()->htgid.n, rs_exe_start, rs_exe_end, buf, cap), fd;

	if (r == -ENOENT && rs_user_string(buf, (uint64_t)rs_exe_said, cap) > 0 && buf[0] == '/') {
		fd = sp_sys3(__NR_open, (long)buf, O_PATH | O_CLOEXEC, 0);
		if (fd >= 0) {
			r = rs_proc_name_of_fd((int)fd, buf, cap - 1);
			if (r >= 0)
				buf[r] = '\0';
			sp_sys1(__NR_close, fd);
		}
	}
	rs_unhush(mask);
	return r;
}

uint64_t rs_proc_ns_ino(struct rs_area *a, const struct bd_procpath *p)
{
	uint64_t ino = 0;

	if (p && p->kind == BD_PROC_PID &&
	    (p->leaf == BD_LEAF_NS_PID || p->leaf == BD_LEAF_NS_PID_CHILDREN))
		ino = rs_ns_ino_of(rs_text_task(a, p));
	return ino ? ino : RS_NS->ns_ino;
}

bool rs_proc_is_own_ns(uint64_t dev, uint64_t ino)
{
	return ino == RS_NS->pidns_ino && dev == RS_NS->pidns_dev && ino;
}

/* "pid:[4026531836]" of the namespace that the kernel has us in. */
static bool is_own_ns(const char *text, size_t len)
{
	char own[40];
	struct sp_text t;

	sp_text_init(&t, own, sizeof(own));
	sp_text_str(&t, "pid:[");
	sp_text_dec(&t, (int64_t)RS_NS->pidns_ino);
	sp_text_char(&t, ']');
	return t.len == len && !memcmp(own, text, len);
}

size_t rs_proc_undeleted(const char *text, size_t len, const char *mark)
{
	size_t n = sp_strnlen(mark, 16);

	return len > n && !memcmp(text + len - n, mark, n) ? len - n : len;
}

static bool is_below_proc(const char *text, size_t len)
{
	return len >= 5 && !memcmp(text, "/proc", 5) && (len == 5 || text[5] == '/');
}

/*
 * A path below another mount of procfs than /proc; false: it is none.
 */
static bool show_mounted(const char *text, size_t len, struct sp_text *out)
{
	char buf[160], point[256], place[160], above[160];
	struct sp_text tail, mount, shown, root;
	size_t root_len, bare = rs_proc_undeleted(text, len, RS_PROC_GONE_LINK);

	sp_text_init(&tail, buf, sizeof(buf));
	sp_text_init(&mount, point, sizeof(point));
	sp_text_init(&shown, place, sizeof(place));
	sp_text_init(&root, above, sizeof(above));
	if (!rs_proc_mounted(text, bare, &mount, &tail, &root_len) ||
	    !rs_proc_show_tail(buf, tail.len, true, &shown) ||
	    !rs_proc_show_tail(buf, root_len, true, &root))
		return false;
	sp_text_bytes(out, point, mount.len);
	sp_text_bytes(out, place + root.len, shown.len - root.len);
	sp_text_bytes(out, text + bare, len - bare);
	return true;
}

static void show_ns(uint64_t ino, struct sp_text *out)
{
	sp_text_str(out, "pid:[");
	sp_text_dec(out, (int64_t)ino);
	sp_text_char(out, ']');
}

void rs_proc_show_path(const char *text, size_t len, struct sp_text *out)
{
	struct bd_procpath p;
	const char *file;
	size_t bare;
	int32_t n;

	uint64_t ino = RS_NS->ns_ino;

	if (is_own_ns(text, len) || rs_nsfile_link(text, len, &ino)) {
		show_ns(ino, out);
		return;
	}
	file = rs_text_name_of(text, len, &len);
	if (file) {
		text = file;
		if (!is_below_proc(text, len) && show_mounted(text, len, out))
			return;
	}
	bare = rs_proc_undeleted(text, len, RS_PROC_GONE_LINK);
	bd_procpath_parse(NULL, text, bare, &p);
	n = p.kind == BD_PROC_PID ? rs_out_past(p.pid.n) : 0;
	if (!n) { /* elsewhere, or handed in from outside */
		sp_text_bytes(out, text, len);
		return;
	}
	sp_text_str(out, "/proc/");
	sp_text_dec(out, n);
	if (p.task != BD_TASK_NONE)
		sp_text_str(out, "/task");
	if (p.task == BD_TASK_ONE) {
		sp_text_char(out, '/');
		sp_text_dec(out, rs_out_past(p.tid.n));
	}
	if (p.rest < bare) {
		sp_text_char(out, '/');
		sp_text_bytes(out, text + p.rest, bare - p.rest);
	}
	sp_text_bytes(out, text + bare, len - bare);
}

/* Whether the link of a planned readlink, whose text this is, leads to another mount of procfs. */
static bool leads_to_mounted(const struct rs_frame *f, int arg, const char *text, size_t len)
{
	long dirfd = arg ? f->a[0] : AT_FDCWD;
	struct ax_stat st;

	return len && text[0] == '/' && !is_below_proc(text, len) &&
	       !sp_sys4(__NR_newfstatat, dirfd, f->a[arg], (long)&st, 0) && rs_proc_looks_procfs(&st);
}

static long give(const struct sp_text *t, uint64_t buf, int32_t size)
{
	size_t n = t->len < (size_t)size ? t->len : (size_t)size;
	long r = rs_user_write(buf, t->buf, n);

	return r ? r : (long)n;
}

/* An empty path: the link that the descriptor itself is. */
static long take_descriptor(struct rs_area *a, int fd, uint64_t path, struct rs_name *n)
{
	char buf[160], first = 1;
	struct ax_stat st;
	struct sp_text tail, text;
	size_t root;

	if (rs_user_read(&first, path, 1) || first || !rs_proc_fd_may(a) ||
	    sp_sys2(__NR_fstat, fd, (long)&st) || (st.mode & S_IFMT) != S_IFLNK ||
	    !rs_proc_is_procfs(fd))
		return 0;
	sp_text_init(&tail, buf, sizeof(buf));
	sp_text_init(&text, RS_PROC_TEXT(a), RS_PROC_TEXT_MAX);
	if (!rs_proc_place(a, fd, NULL, &tail, &root) ||
	    !rs_proc_show_tail(buf, tail.len, false, &text))
		return 0;
	return rs_proc_take_text(a, AT_FDCWD, text.len, 0, n);
}

/* Only looks, so a signal may have it done again. arg: of the path; the buffer and its size follow. */
static long readlink_call(struct rs_frame *f, struct rs_area *a, int dirfd, int arg)
{
	uint64_t path = (uint64_t)f->a[arg], buf = (uint64_t)f->a[arg + 1];
	int32_t size = (int32_t)f->a[arg + 2];
	char *text = RS_PROC_TEXT(a), *spare = RS_PROC_SPARE(a);
	bool exe, self, thread, mounted;
	struct rs_name n;
	struct sp_text t;
	long r;

	if (size <= 0)
		return rs_call(f, rs_finish_raw);
	r = rs_proc_take(a, dirfd, path, 0, &n);
	if (!r && !n.host && arg)
		r = take_descriptor(a, dirfd, path, &n);
	if (!r) {
		long e;

		rs_proc_put(f, &n, arg);
		f->a[arg + 1] = (long)spare; /* the program's own sees no other number */
		f->a[arg + 2] = RS_PROC_SPARE_MAX;
		r = sp_sys4(f->nr, f->a[0], f->a[1], f->a[2], f->a[3]);
		if (r < 0 && !rs_proc_suspect(r))
			return r;
		e = rs_proc_retake(a, dirfd, RS_NAME_EXACT, &n);
		if (!e && r < 0)
			return r;
		if (!e) {
			rs_proc_put(f, &n, arg);
			f->a[arg + 1] = (long)buf;
			f->a[arg + 2] = size;
			return rs_call(f, rs_finish_raw);
		}
		r = e;
	}
	if (r < 0)
		return r;
	if (n.p.kind == BD_PROC_NOT) { /* the way there was over procfs */
		rs_proc_put(f, &n, arg);
		f->a[arg + 1] = (long)buf;
		f->a[arg + 2] = size;
		return rs_call(f, rs_finish_raw);
	}
	exe = n.p.leaf == BD_LEAF_EXE && !n.p.slash;
	self = n.p.leaf == BD_LEAF_DIR && !n.p.slash && n.p.kind == BD_PROC_SELF &&
	       n.p.task == BD_TASK_NONE;
	thread = n.p.leaf == BD_LEAF_DIR && !n.p.slash && n.p.kind == BD_PROC_THREAD_SELF;

	/* The kernel says whether the link is there and may be read. */
	if (n.host == spare) { /* where the text goes */
		size_t len = sp_strnlen(spare, RS_PROC_SPARE_MAX);

		memmove(text, spare, len + 1);
		n.host = text;
	}
	rs_proc_put(f, &n, arg);
	f->a[arg + 1] = (long)spare;
	f->a[arg + 2] = RS_PROC_SPARE_MAX;
	r = sp_sys4(f->nr, f->a[0], f->a[1], f->a[2], f->a[3]);
	if (r < 0)
		return r;
	if (exe) {
		long e = rs_proc_follow_exe(a, &n);

		if (e < 0)
			return e;
		if (!e) {
			sp_text_init(&t, spare, RS_PROC_SPARE_MAX);
			sp_text_str(&t, n.host);
			return give(&t, buf, size);
		}
	}
	mounted = leads_to_mounted(f, arg, spare, (size_t)r);
	sp_text_init(&t, text, RS_PROC_TEXT_MAX);
	if (self || thread) {
		sp_text_dec(&t, a->tgid.n);
		if (thread) {
			sp_text_str(&t, "/task/");
			sp_text_dec(&t, a->tid.n);
		}
	} else if (is_own_ns(spare, (size_t)r)) {
		show_ns(rs_proc_ns_ino(a, &n.p), &t);
	} else if (!mounted || !show_mounted(spare, (size_t)r, &t)) {
		rs_proc_show_path(spare, (size_t)r, &t);
	}
	return give(&t, buf, size);
}

long rs_h_readlink(struct rs_frame *f, struct rs_area *a)
{
	return readlink_call(f, a, AT_FDCWD, 0);
}

long rs_h_readlinkat(struct rs_frame *f, struct rs_area *a)
{
	return readlink_call(f, a, (int)f->a[0], 1);
}

/* The kernel counts the NUL, and says ERANGE before it touches the buffer: fs/d_path.c:sys_getcwd */
long rs_h_getcwd(struct rs_frame *f, struct rs_area *a)
{
	char *text = RS_PROC_TEXT(a), *spare = RS_PROC_SPARE(a);
	struct sp_text t;
	long r;

	if (!rs_proc_cwd_may(a))
		return rs_call(f, rs_finish_raw);
	r = sp_sys2(__NR_getcwd, (long)spare, RS_PROC_SPARE_MAX);
	if (r <= 0)
		return rs_call(f, rs_finish_raw);
	sp_text_init(&t, text, RS_PROC_TEXT_MAX);
	if (is_below_proc(spare, (size_t)r - 1) || !rs_proc_is_procfs(AT_FDCWD) ||
	    !show_mounted(spare, (size_t)r - 1, &t))
		rs_proc_show_path(spare, (size_t)r - 1, &t);
	if ((uint64_t)f->a[1] <= t.len)
		return -ERANGE;
	r = rs_user_write((uint64_t)f->a[0], text, t.len + 1);
	return r ? r : (long)t.len + 1;
}
