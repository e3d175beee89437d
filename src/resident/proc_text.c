/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the kernel's file to a memory file with the converted text: see text.h. Pieces go through the
 * area's scratch, so that texts of any length are done in bounded memory.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/handover.h"
#include "resident/init.h"
#include "resident/proc.h"
#include "resident/text.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

#define SPILL_MAX (256u << 10) /* of a text while there is no descriptor for its file */

/* Where a text goes: a descriptor, memory, or (neither) nowhere, to see whether it would change. */
struct sink {
	long fd;
	char *memory;
	size_t len;
};

/* At an offset, so that the descriptor's position is still the start; a pipe has none. */
static long put(struct sink *to, const char *s, size_t n)
{
	if (to->memory) {
		if (n > SPILL_MAX - to->len)
			return -EMFILE;
		memcpy(to->memory + to->len, s, n);
		to->len += n;
		return 0;
	}
	while (n && to->fd >= 0) {
		long r = sp_sys4(__NR_pwrite64, to->fd, (long)s, (long)n, (long)to->len);

		if (r == -ESPIPE)
			r = sp_sys3(__NR_write, to->fd, (long)s, (long)n);
		if (r <= 0)
			return r ? r : -EIO;
		s += r;
		n -= (size_t)r;
		to->len += (size_t)r;
	}
	return 0;
}

struct job {
	struct rs_frame *f;
	struct rs_area *a;
	const struct bd_procpath *p;
	enum bd_text text;
	bool closed;	  /* the kernel's file is gone */
	bool looked;	  /* the kernel's file is not at its start any more */
	bool read_failed; /* the kernel's file cannot be read: that is for the program to find out */
	struct bd_view view;
	struct bd_map map;
	struct rs_belief belief;
};

/*
 * cmdline where the kernel could not be told: the text begins with the hand-over's slots, which are not the
 * program's.
 */
static long convert_cmdline(struct rs_area *a, long from, struct sink *to)
{
	size_t drop = 0;
	bool first = true;

	for (;;) {
		char *in = a->scratch;
		long n = sp_sys3(__NR_read, from, (long)in, RS_SCRATCH);
		long r;

		if (n <= 0)
			return n;
		if (first && n > (long)sizeof(RS_HO_MAGIC) && sp_has_prefix(in, RS_HO_MAGIC))
			drop = RS_HO_SLOTS;
		first = false;
		for (; drop && n; in++, n--)
			drop -= !*in;
		r = put(to, in, (size_t)n);
		if (r)
			return r;
	}
}

/* How much is read at once, such that what it becomes has room behind it. */
static size_t piece_max(enum bd_text text)
{
	if (text == BD_TEXT_CHILDREN || text == BD_TEXT_MEMBERS || text == BD_TEXT_MEMBERS_0)
		return (RS_SCRATCH - 256) / 7;
	if (text == BD_TEXT_STAT || text == BD_TEXT_SYSCALL)
		return BD_STAT_MAX;
	return 3072; /* a number a line at most: growth is small */
}

/* Texts that are made in one go (fs/seq_file.c:single_open) end with a short read. */
static bool in_one_go(enum bd_text text)
{
	return text == BD_TEXT_STAT || text == BD_TEXT_STATUS || text == BD_TEXT_SYSCALL ||
	       text == BD_TEXT_SCHED || text == BD_TEXT_LOADAVG || text == BD_TEXT_FDINFO;
}

/* One pass over the text. 0, or -errno; j->view says whether it changed. */
static long convert(struct job *j, long from, struct sink *to)
{
	struct rs_area *a = j->a;
	size_t max = piece_max(j->text), have = 0;
	char *in = a->scratch, *out = a->scratch + max;
	struct sp_text t;
	bool end;
	long n, r;

	if (j->text == BD_TEXT_CMDLINE)
		return convert_cmdline(a, from, to);
	j->view = (struct bd_view){.map = &j->map, .text = j->text};
	do {
		n = sp_sys3(__NR_read, from, (long)in + (long)have, (long)(max - have));
		if (n < 0) {
			j->read_failed = true;
			return n;
		}
		have += (size_t)n;
		end = !n || (in_one_go(j->text) && have < max);
		if (j->map.signals)
			rs_belief_blocked(a, j->p, in, have, &j->belief.signals);
		if (end && j->text == BD_TEXT_SYSCALL)
			j->map.call = rs_belief_call(rs_text_task(a, j->p), in, have, &j->belief.call)
					      ? &j->belief.call
					      : NULL;
		sp_text_init(&t, out, RS_SCRATCH - max);
		n = bd_view_piece(&j->view, in, have, end, &t);
		if (n < 0 || (!n && have == max))
			return -EIO;
		if (to->fd < 0 && !to->memory && j->view.changed)
			return 0;
		r = put(to, out, t.len);
		if (r)
			return r;
		have -= (size_t)n;
		memmove(in, in + n, have);
	} while (!end);
	return 0;
}

/* Members in the host's order are not always in ours: in rounds, each with as many as fit, lowest first. */
static long convert_sorted(struct job *j, long from, struct sink *to)
{
	enum { MANY = 768, IN = 1024 };
	int32_t *found = (int32_t *)(void *)(j->a->scratch + IN), after = 0;
	char *in = j->a->scratch, *out = j->a->scratch + IN + MANY * sizeof(*found);
	size_t n;

	do {
		size_t have = 0, pos;
		struct sp_text t;
		long r;

		n = 0;
		sp_sys3(__NR_lseek, from, 0, 0);
		while ((r = sp_sys3(__NR_read, from, (long)in + (long)have, (long)(IN - have))) > 0) {
			size_t digits;

			have += (size_t)r;
			for (pos = 0; (digits = bd_span(in + pos, have - pos, '\n')) < have - pos;
			     pos += digits + 1) {
				sp_vpid v = SP_VPID_NONE;
				size_t i = n;

				if (!bd_view_number(&j->map, j->map.number, in + pos, digits, &v) ||
				    v.n <= after || (n == MANY && v.n >= found[n - 1]))
					continue;
				while (i && found[i - 1] > v.n)
					i--;
				if (i && found[i - 1] == v.n)
					continue;
				n -= n == MANY;
				memmove(found + i + 1, found + i, (n - i) * sizeof(*found));
				found[i] = v.n;
				n++;
			}
			have -= pos;
			memmove(in, in + pos, have);
		}
		if (r < 0)
			return r;
		for (size_t i = 0; i < n; i++) {
			sp_text_init(&t, out, 16);
			sp_text_dec(&t, found[i]);
			sp_text_char(&t, '\n');
			r = put(to, out, t.len);
			if (r)
				return r;
		}
		after = n ? found[n - 1] : after;
	} while (n == MANY);
	return 0;
}

static long memory_file(const char *name, uint32_t flags)
{
	long fd = sp_sys2(__NR_memfd_create, (long)name, (long)(flags | MFD_NOEXEC_SEAL));

	/* Before 6.3 the flag is unknown. */
	return fd == -EINVAL
		       ? sp_sys2(__NR_memfd_create, (long)name, (long)(flags | MFD_ALLOW_SEALING))
		       : fd;
}

static long convert_again(struct job *j, long from, struct sink *to)
{
	long r;

	if (j->looked)
		sp_sys3(__NR_lseek, from, 0, 0);
	j->looked = true;
	r = convert(j, from, to);
	if (!r && j->view.unordered && to->fd >= 0) {
		to->len = 0;
		sp_sys2(__NR_ftruncate, to->fd, 0);
		r = convert_sorted(j, from, to);
	}
	return r;
}

/* The write that failed raised it for us, not for the program. */
static void forget_xfsz(void)
{
	uint64_t xfsz = RS_BIT(SIGXFSZ), zero[2] = {0, 0};

	sp_sys4(__NR_rt_sigtimedwait, (long)&xfsz, 0, (long)zero, 8);
}

/*
 * Under `ulimit -f` not even a memory file can be written: then the text is in a pipe, which can be
 * read but not sought. Returns the pipe's end to read, or -errno.
 */
static long through_pipe(struct job *j, long from, uint64_t flags)
{
	struct sink to = {0};
	int ends[2];
	long r;

	forget_xfsz();
	r = sp_sys2(__NR_pipe2, (long)ends, (long)(flags & O_CLOEXEC));
	if (r)
		return r;
	/* More than a pipe holds cannot be shown this way, and must not hang. */
	sp_sys3(__NR_fcntl, ends[1], F_SETFL, O_NONBLOCK);
	to.fd = ends[1];
	j->view.unordered = false;
	sp_sys3(__NR_lseek, from, 0, 0);
	r = convert(j, from, &to);
	sp_sys1(__NR_close, ends[1]);
	if (!r)
		return ends[0];
	sp_sys1(__NR_close, ends[0]);
	return r == -EAGAIN ? -EFBIG : r;
}

/* The memory file opened anew, because what memfd_create gives can be read and written. Uses both up. */
static long open_anew(const struct rs_area *a, long fd, long mem, uint64_t flags)
{
	char link[48];
	struct sp_text t;
	long r;

	sp_text_init(&t, link, sizeof(link));
	sp_text_str(&t, "/proc/"); /* a thread's number will do, and is quicker than thread-self */
	sp_text_dec(&t, a->htid.n);
	sp_text_str(&t, "/fd/");
	sp_text_dec(&t, mem);
	sp_sys1(__NR_close, fd);
	r = sp_sys3(__NR_open, (long)link,
		    (long)(flags & (O_ACCMODE | O_CLOEXEC | O_NONBLOCK | O_APPEND | O_LARGEFILE)), 0);
	if (r < 0)
		r = sp_sys3(__NR_fcntl, mem, flags & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
	if (r >= 0)
		sp_sys1(__NR_close, mem);
	return r < 0 ? mem : r;
}

/*
 * The memory file under the number of the kernel's: the lowest that was free, as open(2) has it. The texts of all
 * processes that ps(1) and its like read again and again stay as they are made: to open them anew would take a
 * sixth of the time, only so that they cannot be written.
 */
static long put_in_place(const struct job *j, long fd, long mem, uint64_t flags)
{
	long r;

	if (flags & O_ACCMODE) { /* write(2) says EPERM, as to whoever may not. */
		sp_sys3(__NR_fcntl, mem, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
		return open_anew(j->a, fd, mem, flags);
	}
	if (j->text != BD_TEXT_STAT && j->text != BD_TEXT_STATUS)
		return open_anew(j->a, fd, mem, flags);
	if (flags & (O_NONBLOCK | O_APPEND))
		sp_sys3(__NR_fcntl, mem, F_SETFL, (long)(flags & (O_NONBLOCK | O_APPEND)));
	r = sp_sys3(__NR_dup3, mem, fd, (long)(flags & O_CLOEXEC));
	sp_sys1(__NR_close, mem);
	return r;
}

/* No descriptor is free but fd: the text waits in memory until fd's number can be its file's. */
static long through_memory(struct job *j, const char *name, long fd, uint64_t flags)
{
	struct sink to = {.fd = -1};
	struct sink file = {.fd = -1};
	long mem = sp_sys6(__NR_mmap, 0, SPILL_MAX, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	long r;

	if (sp_is_err(mem))
		return -EMFILE;
	to.memory = (char *)mem;
	sp_sys3(__NR_lseek, fd, 0, 0);
	r = convert(j, fd, &to);
	if (!r) {
		sp_sys1(__NR_close, fd);
		j->closed = true; /* its number may be somebody else's from now on */
		file.fd = memory_file(name, flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
		r = file.fd;
	}
	if (r >= 0)
		r = put(&file, to.memory, to.len);
	if (r == -EFBIG)
		forget_xfsz();
	if (r && file.fd >= 0)
		sp_sys1(__NR_close, file.fd);
	r = r ? r : file.fd;
	sp_sys2(__NR_munmap, mem, SPILL_MAX);
	return r;
}

/*
 * Texts that stay the kernel's file while there is nothing to convert in them: mounts are polled for changes, a queue is
 * received from. In any other a number may appear after it was opened.
 */
static bool may_stay(enum bd_text text)
{
	return text == BD_TEXT_MOUNTS || text == BD_TEXT_MQUEUE || text == BD_TEXT_PID_MAX;
}

/* Settings that are the namespace's own: root must not change the kernel's through them. */
static bool is_setting(enum bd_text text)
{
	return text == BD_TEXT_PID_MAX || text == BD_TEXT_LAST_PID || text == BD_TEXT_ONE_NUMBER ||
	       text == BD_TEXT_SETTING;
}

bool rs_text_wanted(enum bd_text text, uint64_t flags)
{
	if (text == BD_TEXT_NONE || flags & O_PATH)
		return false;
	if (is_setting(text))
		return text != BD_TEXT_SETTING || (flags & O_ACCMODE) != O_RDONLY;
	return (flags & O_ACCMODE) != O_WRONLY;
}

static void fill_map(struct job *j)
{
	rs_text_map(&j->map, j->a, j->text, j->p);
	if (j->text != BD_TEXT_STAT && j->text != BD_TEXT_STATUS)
		return;
	rs_belief_of(j->f, j->a, j->p, &j->belief, j->text == BD_TEXT_STATUS);
	j->map.signals = &j->belief.signals;
	j->map.restrictions = &j->belief.restrictions;
}

static long into_file(struct job *j, const char *name, long fd, uint64_t flags)
{
	struct sink to = {.fd = memory_file(name, MFD_CLOEXEC)};
	long r;

	if (to.fd == -EMFILE || to.fd == -ENFILE)
		return flags & O_ACCMODE ? to.fd : through_memory(j, name, fd, flags);
	if (to.fd < 0)
		return to.fd;
	r = (flags & O_ACCMODE) == O_WRONLY ? 0 : convert_again(j, fd, &to);
	if (r == -EFBIG) {
		sp_sys1(__NR_close, to.fd);
		to.fd = through_pipe(j, fd, flags);
		r = to.fd < 0 ? to.fd : sp_sys3(__NR_dup3, to.fd, fd, (long)(flags & O_CLOEXEC));
	} else if (!r) {
		return put_in_place(j, fd, to.fd, flags);
	}
	if (to.fd >= 0)
		sp_sys1(__NR_close, to.fd);
	return r;
}

long rs_text_convert(struct rs_frame *f, struct rs_area *a, enum bd_text text,
		     const struct bd_procpath *p, const char *name, long fd, uint64_t flags)
{
	struct sink nowhere = {.fd = -1};
	char kept[RS_TEXT_NAME_MAX];
	struct job j;
	long r = 0;

	memset(&j, 0, sizeof(j));
	j.f = f;
	j.a = a;
	j.p = p;
	j.text = text;
	rs_text_keep_name(a, p, name, kept);
	/* The call it is in itself is its read, and no trap. */
	if (text == BD_TEXT_SYSCALL && rs_text_task(a, p) == a->htid.n)
		return fd;
	fill_map(&j);
	if (may_stay(text) && (flags & O_ACCMODE) == O_RDONLY) {
		j.looked = true;
		r = convert(&j, fd, &nowhere);
		if (!r && !j.view.changed && !j.view.unordered)
			goto keep;
	}
	if (!r)
		r = into_file(&j, kept, fd, flags);
	if (r >= 0 || j.closed)
		return r;
	/* Some other file that is called /proc/... here. */
	if (j.read_failed || (r == -EIO && !rs_proc_is_procfs((int)fd)))
		goto keep;
	sp_sys1(__NR_close, fd);
	return r;

keep:
	/* The place a text is read from is the descriptor's own. */
	sp_sys3(__NR_lseek, fd, 0, 0);
	return fd;
}

void rs_text_rewrite(struct rs_frame *f, struct rs_area *a, enum bd_text text,
		     const struct bd_procpath *p, long from, long mem)
{
	struct sink to = {.fd = mem};
	struct job j;
	long r;

	memset(&j, 0, sizeof(j));
	j.f = f;
	j.a = a;
	j.p = p;
	j.text = text;
	fill_map(&j);
	r = convert_again(&j, from, &to);
	if (!r)
		sp_sys2(__NR_ftruncate, mem, (long)to.len);
	else if (r == -EFBIG)
		forget_xfsz();
}
