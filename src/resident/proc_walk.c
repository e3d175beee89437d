/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The long way along a name: one component after the other, as the kernel goes (fs/namei.c), until it is on
 * procfs or at its end. For names whose text does not say where they lead: links from elsewhere, other
 * procfs mounts, a process's root, cwd and descriptors with more behind them.
 *
 * `out` is the way so far in the host's numbers, links resolved; `rest` is what is still to do. On procfs
 * the place's own text is put in front of the rest and parsed as procpath.h does.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/proc.h"
#include "resident/watch.h"

#define LINKS_MAX 40 /* fs/namei.c: MAXSYMLINKS */
#define TAIL_MAX 160
#define PROC_ROOT_INO 1

struct walk {
	struct rs_area *a;
	struct rs_name *n;
	unsigned int how;
	int dirfd;
	bool absolute;	    /* out starts at the root, otherwise at dirfd */
	struct sp_text out; /* in the area's spare space */
	size_t floor; /* `..` must not be taken off out below this length: a link may be there */
	char *rest, *end; /* in the text's space, at its right */
	int links;
};

/* --- which procfs, and where in it ---------------------------------------------------------- */

/* Lines of mountinfo: "36 35 98:0 /root /mount/point options ... - type source". */
struct mounts {
	int field, fill;
	bool dashed, is_proc;
	char root[TAIL_MAX], point[256], type[8];
	size_t root_len, point_len, type_len;
	uint32_t octal; /* digits of \ooo, with 8 in front of them */
};

static void mounts_char(struct mounts *m, char c)
{
	if (c == '\\') {
		m->octal = 8;
		return;
	}
	if (m->octal) {
		m->octal = m->octal << 3 | (uint32_t)(c & 7);
		if (m->octal < 8u << 9)
			return;
		c = (char)m->octal;
		m->octal = 0;
	}
	if (!m->dashed && m->field == 3 && m->root_len < sizeof(m->root))
		m->root[m->root_len++] = c;
	else if (!m->dashed && m->field == 4 && m->point_len < sizeof(m->point))
		m->point[m->point_len++] = c;
	else if (m->dashed && m->field == 1 && m->type_len < sizeof(m->type))
		m->type[m->type_len++] = c;
}

/* Whether path lies at or below the mount point; what follows it is the tail. */
static bool below(const struct mounts *m, const char *path, size_t len)
{
	size_t n = m->point_len == 1 ? 0 : m->point_len;

	return m->point_len < sizeof(m->point) && m->root_len < sizeof(m->root) && n <= len &&
	       !memcmp(m->point, path, n) && (n == len || path[n] == '/') && m->type_len == 4 &&
	       !memcmp(m->type, "proc", 4);
}

static void found(const struct mounts *m, const char *path, size_t len, struct sp_text *mount,
		  struct sp_text *tail, size_t *ret_root)
{
	size_t n = m->point_len == 1 ? 0 : m->point_len;

	tail->len = 0;
	tail->overflow = false;
	*ret_root = m->root_len == 1 ? 0 : rs_proc_undeleted(m->root, m->root_len, RS_PROC_GONE);
	sp_text_bytes(tail, m->root, *ret_root);
	sp_text_bytes(tail, path + n, len - n);
	if (!mount)
		return;
	mount->len = 0;
	sp_text_bytes(mount, m->point, n);
}

__attribute__((noinline)) bool rs_proc_mounted(const char *path, size_t len, struct sp_text *mount,
					       struct sp_text *tail, size_t *ret_root)
{
	struct mounts m = {0};
	size_t best = 0;
	uint64_t mask = rs_hush();
	bool any = false;
	char in[256];
	long n, fd;

	fd = sp_sys3(__NR_open, (long)"/proc/thread-self/mountinfo", O_RDONLY | O_CLOEXEC, 0);
	while (fd >= 0 && (n = sp_sys3(__NR_read, fd, (long)in, sizeof(in))) > 0) {
		for (long i = 0; i < n; i++) {
			if (in[i] == '\n') {
				if (below(&m, path, len) && m.point_len >= best) {
					best = m.point_len;
					found(&m, path, len, mount, tail, ret_root);
					any = true;
				}
				memset(&m, 0, sizeof(m));
			} else if (in[i] == ' ') {
				m.field++;
			} else if (in[i] == '-' && m.field > 5 && !m.dashed) {
				m.dashed = true;
				m.field = 0;
			} else {
				mounts_char(&m, in[i]);
			}
		}
	}
	if (fd >= 0)
		sp_sys1(__NR_close, fd);
	rs_unhush(mask);
	return any && !tail->overflow && (!mount || !mount->overflow);
}

long rs_proc_name_of_fd(int fd, char *buf, size_t cap)
{
	static const char deleted[] = " (deleted)";
	const long cut = (long)sizeof(deleted) - 1;
	long n = fd == AT_FDCWD
			 ? sp_sys3(__NR_readlink, (long)"/proc/thread-self/cwd", (long)buf, (long)cap)
			 : rs_watch_link(fd, buf, cap);

	if (n >= (long)cap)
		return -ENAMETOOLONG;
	if (n > cut && !memcmp(buf + n - cut, deleted, (size_t)cut))
		return -ENOENT; /* its process is gone */
	return n;
}

bool rs_proc_place(const struct rs_area *a, int fd, struct sp_text *mount, struct sp_text *tail,
		   size_t *ret_root)
{
	struct ax_stat st;
	char buf[256];
	long n;

	*ret_root = 0;
	if (mount)
		mount->len = 0;
	if (!sp_sys4(__NR_newfstatat, fd, (long)(fd == AT_FDCWD ? "." : ""), (long)&st, AT_EMPTY_PATH) &&
	    st.ino == PROC_ROOT_INO && (st.mode & S_IFMT) == S_IFDIR && !mount)
		return true;
	if (rs_proc_root(a) != RS_ROOT_PROC)
		return false;
	n = rs_proc_name_of_fd(fd, buf, sizeof(buf));
	if (n < 5)
		return false;
	if (!memcmp(buf, "/proc", 5) && (n == 5 || buf[5] == '/')) {
		if (mount)
			sp_text_str(mount, "/proc");
		sp_text_bytes(tail, buf + 5, (size_t)n - 5);
		return !tail->overflow;
	}
	return buf[0] == '/' && rs_proc_mounted(buf, (size_t)n, mount, tail, ret_root);
}

/* --- the way ---------------------------------------------------------------------------------- */

static const char *here(const struct walk *w)
{
	return w->out.len ? w->out.buf : w->absolute ? "/" : ".";
}

static void cut(struct walk *w, size_t len)
{
	w->out.len = len;
	w->out.buf[len] = '\0';
}

static void append(struct walk *w, const char *s, size_t n)
{
	if (w->out.len || w->absolute)
		sp_text_char(&w->out, '/');
	sp_text_bytes(&w->out, s, n);
}

static bool prepend(struct walk *w, const char *s, size_t n, bool slash)
{
	char *to = w->rest - n - (slash ? 1 : 0);

	if (to < w->a->scratch)
		return false;
	memcpy(to, s, n);
	if (slash)
		to[n] = '/';
	w->rest = to;
	return true;
}

/* The kernel can go on from here by itself: nothing with a number lies on the way. */
static long leave(struct walk *w)
{
	size_t n = (size_t)(w->end - w->rest);

	if (n) {
		append(w, w->rest, n);
	} else if (!w->out.len) {
		sp_text_str(&w->out, here(w));
	}
	if (w->out.overflow)
		return -ENAMETOOLONG;
	w->n->p = (struct bd_procpath){.rest = w->out.len};
	w->n->host = w->out.buf;
	return w->n->entered;
}

#define GO_ON 2 /* with the rest, from out: elsewhere, or nothing with a number in it */
#define LOOK 3	/* the same, but out may be on procfs: look_around */

/*
 * In a directory whose names are not known, or above which the mount ends: out is led there, and what
 * follows is looked at name by name. base_len: of the place's text in front of the rest.
 */
static long by_steps(struct walk *w, const char *tail, size_t tail_len, size_t base_len)
{
	if (tail_len)
		append(w, tail + 1, tail_len - 1);
	w->floor = w->out.len;
	w->rest += base_len;
	w->n->p.through = 0;
	w->n->host = here(w);
	if (w->out.overflow)
		return -ENAMETOOLONG;
	return w->rest == w->end ? 1 : GO_ON;
}

/*
 * At a place on procfs: out up to now is its mount (empty: dirfd), tail what follows, in the host's
 * numbers; of that, root_len bytes lead to what is mounted. 1 when the name ends there.
 */
static long inside(struct walk *w, const char *tail, size_t tail_len, size_t root_len)
{
	struct bd_procpath *p = &w->n->p;
	char base[TAIL_MAX];
	struct sp_text t;
	size_t len, head, last;
	long r;

	w->n->entered = true;
	sp_text_init(&t, base, sizeof(base));
	if (!rs_proc_show_tail(tail, tail_len, false, &t))
		return -ENOENT;
	if (!prepend(w, base, t.len, w->rest < w->end && *w->rest != '/'))
		return -ENAMETOOLONG;
	len = (size_t)(w->end - w->rest);
	bd_procpath_parse(NULL, w->rest, len, p);
	if (p->left && !root_len) {
		append(w, "..", 2);
		w->floor = w->out.len;
		w->rest += p->left;
		return w->out.overflow ? -ENAMETOOLONG : LOOK;
	}
	/* A directory that is not known: out is it, and its names are looked at one by one. */
	if ((p->through && p->through <= t.len + 1) || p->left)
		return by_steps(w, tail + root_len, tail_len - root_len, t.len);
	head = p->through ? p->through : len;
	last = w->out.len;
	if (last || w->absolute)
		sp_text_char(&w->out, '/');
	r = rs_proc_host_tail(w->a, p, &w->out);
	if (r)
		return r;
	if (p->rest < head || p->slash) {
		if (w->out.len && w->out.buf[w->out.len - 1] != '/')
			sp_text_char(&w->out, '/');
		sp_text_bytes(&w->out, w->rest + p->rest, head - p->rest);
	} else if (w->out.len == last + 1 && last) {
		cut(w, last); /* the root of procfs */
	}
	if (w->out.overflow)
		return -ENAMETOOLONG;
	if (root_len) {
		char *from = w->out.buf + last;
		size_t n = w->out.len - last;

		if (n < root_len || memcmp(from, tail, root_len) ||
		    (n > root_len && from[root_len] != '/')) {
			cut(w, last);
			return by_steps(w, tail + root_len, tail_len - root_len, t.len);
		}
		memmove(from, from + root_len, n - root_len);
		cut(w, w->out.len - root_len);
	}
	if (p->through) {
		while (w->out.len > 1 && w->out.buf[w->out.len - 1] == '/')
			cut(w, w->out.len - 1);
		w->floor = w->out.len;
		w->rest += head;
		return LOOK;
	}
	w->rest = w->end;
	w->n->host = here(w);
	return 1;
}

/* out is on procfs, followed to its end if it is a link. */
static long enter(struct walk *w, const struct ax_stat *st)
{
	char buf[TAIL_MAX], point[256];
	struct sp_text tail;
	uint64_t mask;
	size_t root_len;
	bool is_root = st->ino == PROC_ROOT_INO && (st->mode & S_IFMT) == S_IFDIR;
	bool known = false;
	long fd;

	sp_text_init(&tail, buf, sizeof(buf));
	if (is_root && !w->floor)
		return inside(w, "", 0, 0);
	mask = rs_hush();
	fd = sp_sys4(__NR_openat, w->dirfd, (long)here(w), O_PATH | O_CLOEXEC, 0);
	if (fd >= 0) {
		struct sp_text mount;

		sp_text_init(&mount, point, sizeof(point));
		known = rs_proc_place(w->a, (int)fd, &mount, &tail, &root_len);
		sp_sys1(__NR_close, fd);
		if (known) {
			w->absolute = true;
			cut(w, 0);
			sp_text_bytes(&w->out, point, mount.len);
		}
	}
	rs_unhush(mask);
	if (fd < 0)
		return fd;
	if (!known)
		return is_root ? inside(w, "", 0, 0) : -ENOENT;
	return inside(w, buf, tail.len, root_len);
}

static bool is_procfs(const struct walk *w, const struct ax_stat *st)
{
	uint64_t mask;
	bool yes = true; /* if no descriptor is free */
	long fd;

	if (!rs_proc_looks_procfs(st))
		return false;
	if (w->absolute || w->dirfd == AT_FDCWD)
		return rs_proc_path_is_procfs(here(w));
	mask = rs_hush();
	fd = sp_sys4(__NR_openat, w->dirfd, (long)here(w), O_PATH | O_CLOEXEC, 0);
	if (fd >= 0) {
		yes = rs_proc_is_procfs((int)fd);
		sp_sys1(__NR_close, fd);
	}
	rs_unhush(mask);
	return yes;
}

/* out may be anywhere: behind a link of procfs, or `..`. */
static long look_around(struct walk *w)
{
	struct ax_stat st;

	if (sp_sys4(__NR_newfstatat, w->dirfd, (long)here(w), (long)&st, 0) || !is_procfs(w, &st))
		return GO_ON;
	return enter(w, &st);
}

/* dirfd is the root directory. */
static bool in_root(const struct walk *w)
{
	return RS_NAME_RESOLVED(w->how) & RESOLVE_IN_ROOT;
}

static long follow(struct walk *w, size_t before)
{
	char *target = w->out.buf + w->out.len + 1;
	size_t room = w->out.cap - w->out.len - 1;
	long n;

	if (++w->links > LINKS_MAX)
		return -ELOOP;
	n = sp_sys4(__NR_readlinkat, w->dirfd, (long)here(w), (long)target, (long)room);
	if (n <= 0)
		return leave(w);
	if ((size_t)n == room || !prepend(w, target, (size_t)n, w->rest < w->end && *w->rest != '/'))
		return -ENAMETOOLONG;
	cut(w, before);
	if (*w->rest == '/' && in_root(w)) {
		cut(w, 0);
		w->floor = 0;
	} else if (*w->rest == '/') {
		cut(w, 0);
		w->floor = 0;
		w->absolute = true;
		w->dirfd = AT_FDCWD;
	}
	return GO_ON;
}

/* One name, of n bytes at s. */
static long step(struct walk *w, const char *s, size_t n)
{
	bool last = w->rest == w->end;
	size_t before = w->out.len;
	struct ax_stat st;

	append(w, s, n);
	if (w->out.overflow)
		return -ENAMETOOLONG;
	if (sp_sys4(__NR_newfstatat, w->dirfd, (long)here(w), (long)&st, AT_SYMLINK_NOFOLLOW))
		return leave(w);
	if ((st.mode & S_IFMT) == S_IFLNK) {
		if (last && !(w->how & RS_NAME_FOLLOW))
			return leave(w);
		return follow(w, before);
	}
	return is_procfs(w, &st) ? enter(w, &st) : GO_ON;
}

static long parent(struct walk *w)
{
	size_t len = w->out.len;
	struct ax_stat st;

	if (len > w->floor) {
		/* The kernel goes through it before it goes back. */
		append(w, ".", 1);
		if (w->out.overflow)
			return -ENAMETOOLONG;
		if (sp_sys4(__NR_newfstatat, w->dirfd, (long)here(w), (long)&st, 0)) {
			sp_text_char(&w->out, '.');
			return leave(w);
		}
		cut(w, len);
		while (len > w->floor && w->out.buf[len - 1] != '/')
			len--;
		cut(w, len > w->floor && len ? len - 1 : len);
		return GO_ON;
	}
	if (!len && (w->absolute || in_root(w)))
		return GO_ON; /* the root directory is its own parent */
	append(w, "..", 2);
	w->floor = w->out.len;
	return w->out.overflow ? -ENAMETOOLONG : LOOK;
}

static long go(struct walk *w)
{
	bool dots = false; /* the last name was one that only a directory has */

	for (;;) {
		const char *s;
		size_t n;
		long r;

		while (*w->rest == '/')
			w->rest++;
		if (w->rest == w->end) {
			if (w->out.len || w->absolute)
				sp_text_str(&w->out, w->end[-1] == '/' ? "/" : dots ? "/." : "");
			return leave(w);
		}
		for (s = w->rest; *w->rest && *w->rest != '/';)
			w->rest++;
		n = (size_t)(w->rest - s);
		dots = s[0] == '.' && (n == 1 || (n == 2 && s[1] == '.'));
		r = !dots ? step(w, s, n) : n == 2 ? parent(w) : GO_ON;
		while (r == LOOK)
			r = look_around(w);
		if (r != GO_ON)
			return r;
	}
}

/* The name ends in a link that the kernel follows by itself, to a file that may be on procfs. */
static long last_link(struct walk *w)
{
	uint8_t leaf = w->n->p.leaf;
	struct ax_stat st;

	if (!(w->how & RS_NAME_FOLLOW) ||
	    (leaf != BD_LEAF_FD && leaf != BD_LEAF_CWD && leaf != BD_LEAF_ROOT_LINK))
		return 1;
	if (sp_sys4(__NR_newfstatat, w->dirfd, (long)here(w), (long)&st, 0) || !is_procfs(w, &st))
		return 1;
	w->rest = w->end;
	return enter(w, &st);
}

long rs_proc_walk(struct rs_area *a, int dirfd, size_t len, unsigned int how, struct rs_name *ret_n)
{
	char *text = RS_PROC_TEXT(a), *end = text + RS_PROC_TEXT_MAX - 1;
	struct walk w = {
		.a = a,
		.n = ret_n,
		.how = how,
		.dirfd = dirfd,
		.absolute = text[0] == '/',
		.rest = end - len,
		.end = end,
	};
	long r;

	memmove(w.rest, text, len);
	*end = '\0';
	sp_text_init(&w.out, RS_PROC_SPARE(a), RS_PROC_SPARE_MAX);
	ret_n->p = (struct bd_procpath){.rest = len};
	if (!w.absolute || rs_proc_root(a) == RS_ROOT_INSIDE) {
		/* Where it starts may be on procfs itself. */
		do
			r = look_around(&w);
		while (r == LOOK);
		if (r == GO_ON)
			r = go(&w);
	} else {
		w.dirfd = AT_FDCWD;
		r = go(&w);
	}
	return r == 1 ? last_link(&w) : r;
}
