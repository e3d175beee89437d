/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listings. The root of procfs: what has no number comes from the kernel, the numbers from the
 * registry. The state is the real descriptor's position, in the kernel's own coding (a process at its
 * number + 258, the end at 4194304 + 258: fs/proc/base.c), so that lseek and telldir hold. Task
 * directories and a process's descriptors: the kernel's entries, renamed or left out.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "boundary/procview.h"
#include "resident/below.h"
#include "resident/handlers.h"
#include "resident/proc.h"
#include "resident/user.h"

#define ROOT_INO 1	/* PROC_ROOT_INO */
#define TGID_OFFSET 258 /* fs/proc/internal.h: FIRST_PROCESS_ENTRY + 2 */
#define LIST_END (SP_PID_MAX_DEFAULT + TGID_OFFSET)
#define DT_DIR 4
#define INO_BASE 0x7000000000ul /* inode numbers of our entries: beyond procfs' own 32 bits */
#define RECORD_MAX 32		/* of an entry whose name is a number */

/* Both forms start with inode, offset of the next and length. */
struct head {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	char rest[]; /* getdents64: type, name. getdents: name, NUL, ..., type in the last byte */
};
#define NAME_AT(old) ((old) ? 18u : 19u)

static struct head *head_at(char *buf, size_t pos)
{
	return (struct head *)(buf + pos);
}

static const char *name_of(const struct head *h, bool old)
{
	return (const char *)h + NAME_AT(old);
}

/* A record for the number n; its length. */
static size_t put_number(char *to, bool old, uint64_t ino, int64_t off, int32_t n)
{
	struct head *h = (struct head *)to;
	size_t len;
	struct sp_text t;

	memset(to, 0, RECORD_MAX);
	sp_text_init(&t, to + NAME_AT(old), 12);
	sp_text_dec(&t, n);
	len = (NAME_AT(old) + t.len + (old ? 2 : 1) + 7) & ~(size_t)7;
	h->ino = ino;
	h->off = off;
	h->len = (uint16_t)len;
	to[old ? len - 1 : 18] = DT_DIR;
	return len;
}

static bool is_number(const char *name)
{
	int32_t v;
	size_t len = sp_strnlen(name, 256);

	return len && sp_parse_dec(name, len, &v) == len;
}

/* The next process to list with a number from `from` on; SP_REF_NONE behind the last. */
struct cursor {
	struct sp_ref refs[16];
	size_t n, at;
	int32_t from;
};

static struct sp_ref next_process(struct cursor *c)
{
	for (;;) {
		struct sp_ref ref;

		if (c->at == c->n) {
			if (c->from >= SP_PID_MAX_DEFAULT)
				return SP_REF_NONE;
			c->n = sp_ns_list(RS_NS, sp_vpid_of(c->from), c->refs, 16);
			c->at = 0;
			if (!c->n)
				return SP_REF_NONE;
			c->from = sp_ref_number(c->refs[c->n - 1]).n + 1;
		}
		ref = c->refs[c->at++];
		if (sp_word_state(ref.word) == SP_LIVE &&
		    !(sp_word_flags(ref.word) & SP_F_THREAD) && !rs_ref_gone(ref))
			return ref;
	}
}

/*
 * Fills at most max bytes at out with processes from position pos on; *ret_pos is where to go on.
 * The bytes, or -EINVAL when not even one fits.
 */
static long list_processes(char *out, size_t max, bool old, int64_t pos, int64_t *ret_pos)
{
	struct cursor c = {.from = pos > TGID_OFFSET ? (int32_t)(pos - TGID_OFFSET) : 1};
	struct sp_ref ref = next_process(&c);
	size_t len = 0;

	*ret_pos = LIST_END;
	while (ref.slot != SP_NO_SLOT) {
		int32_t n = sp_ref_number(ref).n;
		char record[RECORD_MAX];
		struct sp_ref next;
		size_t size = put_number(record, old, INO_BASE + (uint32_t)n, 0, n);

		if (len + size > max) {
			*ret_pos = len ? n + TGID_OFFSET : pos;
			return len ? (long)len : -EINVAL;
		}
		next = next_process(&c);
		((struct head *)record)->off =
			next.slot == SP_NO_SLOT ? LIST_END : sp_ref_number(next).n + TGID_OFFSET;
		memcpy(out + len, record, size);
		len += size;
		ref = next;
	}
	return (long)len;
}

/*
 * The part of the root that the kernel knows better: files, self, thread-self. 0: there is no more of
 * it. *ret_next is where to go on if that is not where the kernel went.
 */
static long list_files(struct rs_frame *f, char *buf, size_t max, bool old, int64_t *ret_next)
{
	struct cursor c = {.from = 1};
	struct sp_ref ref;
	size_t pos = 0, last = 0;
	long n = sp_sys3(f->nr, f->a[0], (long)buf, (long)max);

	if (n <= 0)
		return n;
	while (pos < (size_t)n && !is_number(name_of(head_at(buf, pos), old))) {
		last = pos;
		pos += head_at(buf, pos)->len;
	}
	if (pos == (size_t)n && head_at(buf, last)->off < TGID_OFFSET)
		return n;
	*ret_next = TGID_OFFSET;
	if (pos) {
		ref = next_process(&c);
		head_at(buf, last)->off =
			ref.slot == SP_NO_SLOT ? LIST_END : sp_ref_number(ref).n + TGID_OFFSET;
	}
	return (long)pos;
}

static long list_root(struct rs_frame *f, struct rs_area *a, bool old)
{
	uint32_t count = (uint32_t)f->a[2], done = 0;
	int64_t start, pos, next = -1;
	long n = 0;

	rs_block(f);
	rs_see_all();
	start = pos = sp_sys3(__NR_lseek, f->a[0], 0, 1 /* SEEK_CUR */);
	if (pos < 0)
		return rs_unblock(f, pos);
	while (done < count) {
		size_t max = count - done < RS_SCRATCH ? count - done : RS_SCRATCH;
		long r;

		n = 0;
		if (pos < TGID_OFFSET)
			n = list_files(f, a->scratch, max, old, &next);
		if (!n)
			n = list_processes(a->scratch, max, old, pos, &next);
		if (n <= 0)
			break;
		r = rs_user_write((uint64_t)f->a[1] + done, a->scratch, (size_t)n);
		if (r) {
			n = r;
			next = pos;
			break;
		}
		done += (uint32_t)n;
		if (next < 0) /* the kernel has more files */
			return rs_unblock(f, done);
		pos = next;
	}
	/* Where the kernel went is of no use any more, also after an error. */
	sp_sys3(__NR_lseek, f->a[0], next < 0 ? start : next, 0);
	return rs_unblock(f, done ? (long)done : n);
}

/* Whether a process's descriptor fd is one of ours and not the program's own by that number. */
static bool is_hidden(const struct bd_procpath *at, int32_t fd)
{
	uint64_t dev, ino;
	struct ax_stat st;
	struct sp_text t;
	char path[48];

	if (fd == RS_NS->segment_fd) {
		dev = RS_NS->segment_dev;
		ino = RS_NS->segment_ino;
	} else if (fd == RS_NS->resident_fd) {
		dev = RS_NS->resident_dev;
		ino = RS_NS->resident_ino;
	} else {
		return false;
	}
	sp_text_init(&t, path, sizeof(path));
	sp_text_str(&t, "/proc/");
	sp_text_dec(&t, rs_in_pid(at->pid.n));
	sp_text_str(&t, "/fd/");
	sp_text_dec(&t, fd);
	return !sp_sys2(__NR_stat, (long)path, (long)&st) && st.dev == dev && st.ino == ino;
}

/* What happens to an entry of a listing: its new number, 0 to drop it, -1 to leave it. */
static int32_t fate(const struct bd_procpath *at, const char *name)
{
	int32_t v;
	size_t len = sp_strnlen(name, 256);

	if (at->leaf == BD_LEAF_MAP_FILES_DIR)
		return bd_view_ours(sp_parse_hex(&name)) ? 0 : -1;
	if (!len || sp_parse_dec(name, len, &v) != len)
		return -1;
	if (at->leaf == BD_LEAF_TASK_DIR)
		return rs_out_pid(v);
	return is_hidden(at, v) ? 0 : -1;
}

/* Task directories, a process's descriptors and its mapped files. */
static long list_renamed(struct rs_frame *f, struct rs_area *a, bool old, const struct bd_procpath *at)
{
	uint32_t count = (uint32_t)f->a[2];
	char *in = a->scratch, *out = a->scratch + 3072;
	/* Records of numbers have 24 or 32 bytes: what is read may grow by a third. */
	size_t max = count / 4 * 3 < RECORD_MAX ? RECORD_MAX : count / 4 * 3, len;
	long n, r;

	if (at->leaf == BD_LEAF_MAP_FILES_DIR)
		max = count;
	if (max > 3072)
		max = 3072;
	if (max > count)
		max = count;
	rs_block(f);
	do {
		n = sp_sys3(f->nr, f->a[0], (long)in, (long)max);
		len = 0;
		for (size_t pos = 0; n > 0 && pos < (size_t)n; pos += head_at(in, pos)->len) {
			const struct head *h = head_at(in, pos);
			int32_t number = fate(at, name_of(h, old));

			if (number > 0) {
				len += put_number(out + len, old, h->ino, h->off, number);
			} else if (number < 0) {
				memcpy(out + len, h, h->len);
				len += h->len;
			}
		}
	} while (n > 0 && !len);
	if (n > 0) {
		r = rs_user_write((uint64_t)f->a[1], out, len);
		n = r ? r : (long)len;
	}
	return rs_unblock(f, n);
}

static long list(struct rs_frame *f, struct rs_area *a, bool old)
{
	int fd = (int)f->a[0];
	struct bd_procpath at;
	struct ax_stat st;

	if (!rs_proc_fd_may(a) || !rs_proc_is_procfs(fd) || sp_sys2(__NR_fstat, fd, (long)&st))
		return rs_call(f, rs_finish_raw);
	rs_proc_entered();
	if (st.ino == ROOT_INO)
		return list_root(f, a, old);
	if (!rs_proc_base(a, fd, &at))
		return rs_call(f, rs_finish_raw);
	if (at.leaf == BD_LEAF_TASK_DIR || at.leaf == BD_LEAF_FD_DIR ||
	    at.leaf == BD_LEAF_FDINFO_DIR || at.leaf == BD_LEAF_MAP_FILES_DIR)
		return list_renamed(f, a, old, &at);
	return rs_call(f, rs_finish_raw);
}

long rs_h_getdents64(struct rs_frame *f, struct rs_area *a)
{
	return list(f, a, false);
}

long rs_h_getdents(struct rs_frame *f, struct rs_area *a)
{
	return list(f, a, true);
}
