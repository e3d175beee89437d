/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where procfs is: whether a name, the root, the working directory or any descriptor can lead there, found out
 * as seldom as possible.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/proc.h"

#define PROC_SUPER_MAGIC 0x9fa0 /* linux/magic.h */
#define PROC_BLOCK 1024		/* fs/proc/root.c:proc_fill_super */
#define PROC_ROOT_INO 1

/*
 * What is known without asking, inherited by fork and thrown away by rs_proc_forget. A vfork child shares the
 * words with its parent but not what they are about: it believes them, and adds only MAYBE.
 */
enum { UNKNOWN, ELSEWHERE, MAYBE };
static _Atomic uint8_t cwd_where, fd_where, root_state;
static _Atomic uint8_t shared; /* another process may change them: nothing is remembered */

static bool magic_is_procfs(long r, const uint64_t *fs)
{
	return !r && fs[0] == PROC_SUPER_MAGIC; /* struct statfs: its first word is f_type */
}

bool rs_proc_path_is_procfs(const char *path)
{
	uint64_t fs[16]; /* struct statfs has 120 bytes */
	long r = sp_sys2(__NR_statfs, (long)path, (long)fs);

	return magic_is_procfs(r, fs);
}

/*
 * Told without asking a file system's server, which may be this process. Struct statx as far as it is looked at:
 * stx_blksize and stx_dev_major.
 */
static bool looks_elsewhere(int fd)
{
	enum { BLKSIZE = 1, DEV_MAJOR = 34 };
	uint32_t st[64];

	return !sp_sys6(__NR_statx, fd, (long)"", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE,
			(long)st, 0) &&
	       (st[DEV_MAJOR] || st[BLKSIZE] != PROC_BLOCK);
}

bool rs_proc_is_procfs(int dirfd)
{
	uint64_t fs[16];

	if (dirfd == AT_FDCWD)
		return rs_proc_path_is_procfs(".");
	if (looks_elsewhere(dirfd))
		return false;
	return magic_is_procfs(sp_sys2(__NR_fstatfs, dirfd, (long)fs), fs);
}

bool rs_proc_looks_procfs(const struct ax_stat *st)
{
	return !(st->dev >> 8 & 0xfff) && st->blksize == PROC_BLOCK;
}

bool rs_proc_behind_link(const struct ax_stat *st)
{
	return (st->ino == RS_NS->resident_ino && st->dev == RS_NS->resident_dev) ||
	       (st->dev == RS_NS->pidns_dev && RS_NS->pidns_ino);
}

void rs_proc_forget(void)
{
	atomic_store(&cwd_where, UNKNOWN);
	atomic_store(&fd_where, UNKNOWN);
	atomic_store(&root_state, RS_ROOT_UNKNOWN);
}

void rs_proc_entered(void)
{
	atomic_store(&cwd_where, MAYBE);
	atomic_store(&fd_where, MAYBE);
}

void rs_proc_shared(void)
{
	atomic_store(&shared, 1);
	rs_proc_forget();
}

void rs_proc_received(void)
{
	uint8_t known = ELSEWHERE;

	atomic_compare_exchange_strong(&fd_where, &known, UNKNOWN);
}

static bool may_keep(const struct rs_area *a)
{
	return !a->level && !atomic_load(&shared);
}

/* What was found out, unless another thread has entered a directory on procfs meanwhile. */
static uint8_t learned(_Atomic uint8_t *word, uint8_t found)
{
	uint8_t now = UNKNOWN;

	return atomic_compare_exchange_strong(word, &now, found) ? found : now;
}

bool rs_proc_cwd_may(const struct rs_area *a)
{
	uint8_t w = atomic_load(&cwd_where);

	if (w == UNKNOWN) {
		w = rs_proc_is_procfs(AT_FDCWD) ? MAYBE : ELSEWHERE;
		if (may_keep(a) || w == MAYBE)
			w = learned(&cwd_where, w);
	}
	return w == MAYBE;
}

/* Whether one of our descriptors is a directory or link on procfs; also if that cannot be found out. */
static bool holds_place(void)
{
	union {
		char bytes[512];
		uint64_t align;
	} buf;
	struct ax_stat st;
	uint64_t mask = rs_hush();
	bool found = false;
	long dir, n;

	dir = sp_sys3(__NR_open, (long)"/proc/thread-self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	found = dir < 0;
	while (!found && (n = sp_sys3(__NR_getdents64, dir, (long)&buf, sizeof(buf))) > 0) {
		uint16_t len;

		for (long pos = 0; pos < n && !found; pos += len) {
			const char *name = buf.bytes + pos + 19;
			int32_t fd;

			memcpy(&len, buf.bytes + pos + 16, sizeof(len));
			if (!sp_parse_dec(name, len - 19u, &fd) || fd == dir)
				continue;
			found = rs_proc_is_procfs(fd) && !sp_sys2(__NR_fstat, fd, (long)&st) &&
				(st.mode & S_IFMT) != S_IFREG;
		}
	}
	if (dir >= 0)
		sp_sys1(__NR_close, dir);
	rs_unhush(mask);
	return found;
}

bool rs_proc_fd_may(const struct rs_area *a)
{
	uint8_t w = atomic_load(&fd_where);

	if (w == UNKNOWN) {
		w = holds_place() ? MAYBE : ELSEWHERE;
		if (may_keep(a) || w == MAYBE)
			w = learned(&fd_where, w);
	}
	return w == MAYBE;
}

enum rs_proc_root rs_proc_root(const struct rs_area *a)
{
	uint8_t known = atomic_load(&root_state);
	struct ax_stat st;

	if (known != RS_ROOT_UNKNOWN)
		return (enum rs_proc_root)known;
	if (!sp_sys2(__NR_lstat, (long)"/proc", (long)&st) && (st.mode & S_IFMT) == S_IFDIR &&
	    st.ino == PROC_ROOT_INO && rs_proc_path_is_procfs("/proc"))
		known = RS_ROOT_PROC;
	else
		known = rs_proc_path_is_procfs("/") ? RS_ROOT_INSIDE : RS_ROOT_NO;
	if (may_keep(a))
		atomic_store(&root_state, known);
	return (enum rs_proc_root)known;
}
