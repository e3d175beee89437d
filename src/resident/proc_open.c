/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening on procfs. A text that carries numbers is read, converted and put into a memory file at
 * once: what the program gets is that file, under the descriptor the real one would have had. It does
 * not change any more; whoever wants a fresh text opens again.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "boundary/procview.h"
#include "resident/handlers.h"
#include "resident/handover.h"
#include "resident/init.h"
#include "resident/proc.h"
#include "resident/user.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

#define NAME_MAX_BYTES 200 /* a memory file's name may have 249 */
#define IN_MAX BD_STAT_MAX

static sp_vpid map_number(void *ctx, sp_hpid hid)
{
	(void)ctx;
	return sp_pid_number(RS_NS, hid);
}

static sp_vpid map_group(void *ctx, sp_hpid hid)
{
	(void)ctx;
	return sp_pid_group_number(RS_NS, hid);
}

/* At an offset, so that the descriptor's position is still the start; a pipe has none. */
static long write_all(long fd, const char *s, size_t n, size_t at)
{
	while (n) {
		long r = sp_sys4(__NR_pwrite64, fd, (long)s, (long)n, (long)at);

		if (r == -ESPIPE)
			r = sp_sys3(__NR_write, fd, (long)s, (long)n);
		if (r <= 0)
			return r ? r : -EIO;
		s += r;
		n -= (size_t)r;
		at += (size_t)r;
	}
	return 0;
}

/* The host tid that a name of a process or thread means; the caller's group has host spellings too. */
static int32_t named_task(struct rs_area *a, const struct bd_procpath *p)
{
	if (p->task == BD_TASK_ONE)
		return rs_in_task(a, p->tid.n);
	if (p->kind == BD_PROC_THREAD_SELF)
		return a->htid.n;
	return p->kind == BD_PROC_SELF ? a->htgid.n : rs_in_pid(p->pid.n);
}

static uint32_t group_of(int32_t hid)
{
	struct sp_ref ref = sp_pid_find(RS_NS, sp_pid_number(RS_NS, sp_hpid_of(hid)));

	return (uint32_t)rs_ref_group(ref).n;
}

/* What was never asked for is as the kernel has it: after an exec it knows what is ignored. */
static void own_dispositions(const struct rs_sighand *h, struct bd_signals *s)
{
	s->caught = (struct bd_sigset_view){0, 0};
	s->ignored = (struct bd_sigset_view){~h->known, 0};
	for (int sig = 1; sig <= RS_NSIG; sig++) {
		if (!(h->known & RS_BIT(sig)))
			continue;
		if (h->act[sig - 1].handler > 1)
			s->caught.set |= RS_BIT(sig);
		else if (h->act[sig - 1].handler)
			s->ignored.set |= RS_BIT(sig);
	}
}

/*
 * The thread that asks. While its text is read everything is blocked: what arrives meanwhile is pending
 * in the kernel, and delivered in the program's view.
 */
static void own_mask(const struct rs_frame *f, const struct rs_area *a, struct bd_signals *s)
{
	uint64_t blocked = rs_mask_shown(a, f->saved_mask);

	s->blocked = (struct bd_sigset_view){0, blocked};
	s->pending.keep = s->shared.keep = blocked;
	if (!a->sigsys_pending)
		return;
	if (a->sigsys_info.code == SI_TKILL)
		s->pending.set = RS_SIGSYS_BIT;
	else
		s->shared.set = RS_SIGSYS_BIT;
}

/*
 * What the program believes where the resident's dispositions and masks are in the kernel. Nobody can
 * tell whether a process other than number 1 catches or blocks SIGSYS: it is shown as not.
 */
static void believed(const struct rs_frame *f, struct rs_area *a, const struct bd_procpath *p,
		     struct bd_signals *s)
{
	static const struct bd_sigset_view as_is = {~0ul, 0}, not_ours = {RS_MASK_ALL, 0};
	int32_t hid = named_task(a, p);
	bool own = rs_proc_own(a, p);
	uint32_t group = own ? (uint32_t)a->tgid.n : group_of(hid);
	const struct rs_area *sibling;

	*s = (struct bd_signals){as_is, as_is, not_ours, as_is, not_ours};
	if (own)
		own_dispositions(a->hand, s);
	if (group == 1) {
		s->caught = (struct bd_sigset_view){0, atomic_load(&RS_NS->init_handled)};
		s->ignored = (struct bd_sigset_view){0, atomic_load(&RS_NS->init_ignored)};
		if (!own && hid == (int32_t)atomic_load(&RS_NS->init_hid))
			s->blocked.set = atomic_load(&RS_NS->init_blocked) & RS_SIGSYS_BIT;
	}
	if (!own)
		return;
	if (hid == a->htid.n) {
		own_mask(f, a, s);
		return;
	}
	sibling = rs_area_of(a->htgid, sp_hpid_of(hid));
	if (sibling && sibling->sigsys_blocked)
		s->blocked.set = RS_SIGSYS_BIT;
	s->shared.keep = f->saved_mask;
}

/*
 * cmdline where the kernel could not be told: the text begins with the hand-over's slots, which are not the
 * program's.
 */
static long convert_cmdline(struct rs_area *a, long from, long to)
{
	size_t drop = 0, written = 0;
	bool first = true;

	for (;;) {
		char *in = a->scratch;
		long n = sp_sys3(__NR_read, from, (long)in, IN_MAX);
		long r;

		if (n <= 0)
			return n;
		if (first && n > (long)sizeof(RS_HO_MAGIC) && sp_has_prefix(in, RS_HO_MAGIC))
			drop = RS_HO_SLOTS;
		first = false;
		for (; drop && n; in++, n--)
			drop -= !*in;
		r = write_all(to, in, (size_t)n, written);
		if (r)
			return r;
		written += (size_t)n;
	}
}

/* Pieces: as many input bytes as cannot outgrow the output. */
static long convert(struct rs_area *a, enum bd_proc_leaf leaf, const struct bd_signals *signals,
		    long from, long to)
{
	const struct bd_map map = {map_number, map_group, NULL, signals};
	char *in = a->scratch, *out = a->scratch + IN_MAX;
	size_t room = RS_SCRATCH - IN_MAX, have = 0, written = 0, cut;
	size_t max = leaf == BD_LEAF_STAT ? IN_MAX : (room - 64) / 6;
	struct sp_text t;
	bool end;
	long n, r;

	if (leaf == BD_LEAF_CMDLINE)
		return convert_cmdline(a, from, to);
	_Static_assert(BD_PROCVIEW_ROOM((RS_SCRATCH - IN_MAX - 64) / 6) <= RS_SCRATCH - IN_MAX,
		       "room");
	do {
		n = sp_sys3(__NR_read, from, (long)in + (long)have, (long)(max - have));
		if (n < 0)
			return n;
		have += (size_t)n;
		/* Texts that are made in one go (fs/seq_file.c:single_open) end with a short read. */
		end = !n || (leaf != BD_LEAF_CHILDREN && have < max);
		cut = end ? have : bd_procview_cut(leaf, in, have);
		if (!cut && have == max)
			return -EIO;
		if (!cut)
			continue;
		sp_text_init(&t, out, room);
		r = bd_procview(leaf, &map, in, cut, &t);
		if (r)
			return -EIO;
		r = write_all(to, out, t.len, written);
		if (r)
			return r;
		written += t.len;
		memmove(in, in + cut, have - cut);
		have -= cut;
	} while (!end);
	return 0;
}

static long memory_file(const char *name, bool cloexec)
{
	unsigned int flags = cloexec ? MFD_CLOEXEC : 0;
	long fd = sp_sys2(__NR_memfd_create, (long)name, (long)(flags | MFD_NOEXEC_SEAL));

	/* Before 6.3 the flag is unknown. */
	return fd == -EINVAL ? sp_sys2(__NR_memfd_create, (long)name, (long)flags) : fd;
}

/*
 * Under `ulimit -f` not even a memory file can be written: then the text is in a pipe, which can be
 * read but not sought. Returns the pipe's end to read, or -errno.
 */
static long through_pipe(struct rs_area *a, enum bd_proc_leaf leaf,
			 const struct bd_signals *signals, long from, bool cloexec)
{
	uint64_t xfsz = RS_BIT(SIGXFSZ), zero[2] = {0, 0};
	int ends[2];
	long r;

	/* The write that failed raised it for us, not for the program. */
	sp_sys4(__NR_rt_sigtimedwait, (long)&xfsz, 0, (long)zero, 8);
	sp_sys3(__NR_lseek, from, 0, 0);
	r = sp_sys2(__NR_pipe2, (long)ends, cloexec ? O_CLOEXEC : 0);
	if (r)
		return r;
	/* More than a pipe holds cannot be shown this way, and must not hang. */
	sp_sys3(__NR_fcntl, ends[1], F_SETFL, O_NONBLOCK);
	r = convert(a, leaf, signals, from, ends[1]);
	sp_sys1(__NR_close, ends[1]);
	if (!r)
		return ends[0];
	sp_sys1(__NR_close, ends[0]);
	return r == -EAGAIN ? -EFBIG : r;
}

/* The planned call opens the real text. */
static long open_text(struct rs_frame *f, struct rs_area *a, const struct rs_name *n, bool cloexec)
{
	char name[NAME_MAX_BYTES];
	struct bd_signals signals;
	size_t len = sp_strnlen(n->host, sizeof(name) - 1);
	long fd, mem, r;

	/* The name is the program's business: it may show up in its maps. */
	memcpy(name, n->host, len);
	name[len] = '\0';
	rs_block(f);
	fd = sp_sys6(f->nr, f->a[0], f->a[1], f->a[2], f->a[3], f->a[4], f->a[5]);
	if (fd < 0)
		return rs_unblock(f, fd);
	mem = memory_file(name, cloexec);
	if (mem < 0) {
		sp_sys1(__NR_close, fd);
		return rs_unblock(f, mem);
	}
	believed(f, a, &n->p, &signals);
	r = convert(a, (enum bd_proc_leaf)n->p.leaf, &signals, fd, mem);
	if (r == -EFBIG) {
		sp_sys1(__NR_close, mem);
		mem = through_pipe(a, (enum bd_proc_leaf)n->p.leaf, &signals, fd, cloexec);
		r = mem < 0 ? mem : 0;
	}
	if (!r) {
		/* The lowest free number is the real one's: open(2). */
		r = sp_sys3(__NR_dup3, mem, fd, cloexec ? O_CLOEXEC : 0);
	} else if (r == -EIO && !rs_proc_is_procfs((int)fd)) {
		/* Some other file that is called /proc/... here. */
		r = sp_sys3(__NR_lseek, fd, 0, 0);
		r = r < 0 ? r : fd;
	} else {
		/* It ended between open and read: for the program it was gone before. */
		r = r == -ESRCH ? -ENOENT : r;
	}
	if (mem >= 0)
		sp_sys1(__NR_close, mem);
	if (r < 0)
		sp_sys1(__NR_close, fd);
	return rs_unblock(f, r);
}

/* Whether what is opened may serve as a start of relative names. */
static bool is_directory(const struct rs_name *n, uint64_t flags)
{
	return flags & (O_DIRECTORY | O_PATH) || n->p.kind == BD_PROC_ROOT ||
	       n->p.leaf == BD_LEAF_DIR || n->p.leaf == BD_LEAF_TASK_DIR;
}

static bool converted(enum bd_proc_leaf leaf)
{
	return bd_procview_has(leaf) ||
	       (leaf == BD_LEAF_CMDLINE && atomic_load(&RS_NS->flags) & SP_SEG_NO_MM_MAP);
}

/*
 * What was opened by a name that said nothing of procfs. If it is there nevertheless, the descriptor is a
 * stray one: the program makes the call again, and then the name is gone along (proc_walk.c).
 */
static long finish_open(struct rs_frame *f)
{
	struct rs_area *a = rs_area_around(f);
	struct ax_stat st;

	if (f->raw < 0 || sp_sys2(__NR_fstat, f->raw, (long)&st) ||
	    !(rs_proc_is_resident(&st) || (rs_proc_looks_procfs(&st) && rs_proc_is_procfs((int)f->raw))))
		return f->raw;
	a->stray = (int32_t)f->raw;
	a->stray_level = a->level + 1;
	return RS_REWIND;
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

static long open_call(struct rs_frame *f, struct rs_area *a, int dirfd, int arg, uint64_t flags)
{
	bool follow = !(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
	unsigned int how = follow ? RS_NAME_FOLLOW : 0;
	uint64_t path = (uint64_t)f->a[arg];
	struct rs_name n;
	long r;

	if (take_stray(a))
		how |= RS_NAME_WALK;
	r = rs_proc_take(a, dirfd, path, how, &n);
	if (!r) {
		long e;

		rs_proc_put(f, &n, arg);
		r = rs_call(f, how & RS_NAME_WALK ? rs_finish_raw : finish_open);
		if (how & RS_NAME_WALK || !rs_proc_suspect(r))
			return r;
		rs_proc_undo(f);
		e = rs_proc_take(a, dirfd, path, how | RS_NAME_EXACT, &n);
		if (!e)
			return r;
		r = e;
	}
	if (r < 0)
		return r;
	if (follow) {
		r = rs_proc_follow_exe(a, &n);
		if (r < 0)
			return r;
	}
	rs_proc_put(f, &n, arg);
	if (converted((enum bd_proc_leaf)n.p.leaf) && !n.p.slash &&
	    (flags & (O_ACCMODE | O_PATH)) == O_RDONLY)
		return open_text(f, a, &n, flags & O_CLOEXEC);
	if (is_directory(&n, flags) || ends_in_link(&n))
		rs_proc_entered();
	return rs_call(f, follow && ends_in_link(&n) && !(how & RS_NAME_WALK) ? finish_open
									      : rs_finish_raw);
}

long rs_h_open(struct rs_frame *f, struct rs_area *a)
{
	uint64_t flags = f->nr == __NR_creat ? O_CREAT | O_WRONLY | O_TRUNC : (uint64_t)f->a[1];

	return open_call(f, a, AT_FDCWD, 0, flags);
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
		return rs_call(f, rs_finish_raw);
	return open_call(f, a, (int)f->a[0], 1, how[0]);
}
