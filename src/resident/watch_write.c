/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing to watched descriptors, and the calls that make, duplicate or copy between them.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/resource.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/fuse.h"
#include "resident/handlers.h"
#include "resident/proc.h"
#include "resident/user.h"
#include "resident/watch.h"

#define NUMBERS_MAX 4096u /* longer writes are E2BIG: kernel/cgroup/cgroup.c:cgroup_init_cftypes */
#define IOV_MAX_ 1024u
#define PIDFD_GETFD 438

/* In the frame's scratch. */
enum { S_LEN = 16, S_DONE, S_RESULT, S_IOV };

static enum bd_data kind_of(int fd)
{
	const struct bd_idfile *file;

	return rs_watch_kind(fd, &file);
}

/* --- new descriptors -------------------------------------------------------------------------- */

static long watch_new(int fd)
{
	const struct bd_idfile *file = NULL;
	long r;

	if (rs_watch_kind(fd, &file) == BD_DATA_NUMBERS && file->refused)
		r = -EPERM;
	else
		r = rs_watch_received(fd);
	if (!r)
		return fd;
	sp_sys1(__NR_close, fd);
	return r;
}

/* Once, with signals blocked: the descriptor must not be closed twice. */
long rs_watch_finish_new(struct rs_frame *f)
{
	uint64_t mask;

	if (f->raw < 0)
		return f->raw;
	if (f->nr == PIDFD_GETFD)
		rs_proc_received();
	mask = rs_hush();
	if (!f->scratch[S_DONE]) {
		f->scratch[S_RESULT] = (uint64_t)watch_new((int)f->raw);
		f->scratch[S_DONE] = 1;
	}
	rs_unhush(mask);
	return (long)f->scratch[S_RESULT];
}

long rs_watch_new_by(struct rs_frame *f, rs_finish finish)
{
	f->scratch[S_DONE] = 0;
	return rs_call(f, finish);
}

long rs_watch_new(struct rs_frame *f)
{
	return rs_watch_new_by(f, rs_watch_finish_new);
}

/* signalfd, signalfd4, userfaultfd, fanotify_init, pidfd_getfd, dup */
long rs_h_makes_fd(struct rs_frame *f, struct rs_area *a)
{
	(void)a;
	return rs_watch_new(f);
}

/* dup2, dup3: watched before it is there, because what was there cannot be brought back. */
long rs_h_dup2(struct rs_frame *f, struct rs_area *a)
{
	uint64_t lim[2] = {0, 0};
	enum bd_data kind = kind_of((int)f->a[0]);
	long r;

	(void)a;
	sp_sys4(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, (long)lim);
	if (kind == BD_DATA_NONE || (uint32_t)f->a[1] >= lim[0])
		return rs_call(f, rs_finish_raw);
	rs_block(f);
	r = rs_watch_as((int)f->a[1], kind);
	if (r)
		return rs_unblock(f, r);
	rs_mask_set(f->saved_mask);
	return rs_call(f, rs_finish_raw);
}

/* --- data ------------------------------------------------------------------------------------- */

/* All that the call writes, if it is at most cap bytes; -E2BIG, -EFAULT. */
static long gather(struct rs_frame *f, char *buf, size_t cap)
{
	bool vector = f->nr != __NR_write && f->nr != __NR_pwrite64;
	struct ax_iovec v = {(uint64_t)f->a[1], (uint64_t)f->a[2]};
	uint64_t n = vector ? (uint64_t)f->a[2] : 1, next = (uint64_t)f->a[1];
	size_t have = 0;

	if (n > IOV_MAX_)
		return -E2BIG;
	for (; n; n--, next += sizeof(v)) {
		long r = vector ? rs_user_read(&v, next, sizeof(v)) : 0;

		if (r)
			return r;
		if (v.len > cap - have)
			return -E2BIG;
		r = rs_user_read(buf + have, v.base, v.len);
		if (r)
			return r;
		have += v.len;
	}
	return (long)have;
}

static int32_t map_task(void *ctx, int32_t n)
{
	return rs_in_task(ctx, n);
}

static long finish_write(struct rs_frame *f)
{
	return f->raw < 0 ? f->raw : (long)f->scratch[S_LEN];
}

/* write, writev, pwrite64, pwritev, pwritev2 */
long rs_h_watch_write(struct rs_frame *f, struct rs_area *a)
{
	const struct bd_idfile *file = NULL;
	enum bd_data kind = rs_watch_kind((int)f->a[0], &file);
	char *in = a->scratch, *out = a->scratch + NUMBERS_MAX;
	long len, n;

	if (kind != BD_DATA_NUMBERS && kind != BD_DATA_FUSE)
		return rs_call(f, rs_finish_raw);
	len = gather(f, in, kind == BD_DATA_FUSE ? BD_FUSE_LK_OUT_SIZE : NUMBERS_MAX);
	if (len <= 0)
		return rs_call(f, rs_finish_raw);
	n = len;
	if (kind == BD_DATA_NUMBERS)
		n = bd_idfile_convert(file, map_task, a, in, (size_t)len, out,
				      RS_SCRATCH - NUMBERS_MAX);
	else if (rs_fuse_reply(in, (size_t)len))
		out = in;
	else
		return rs_call(f, rs_finish_raw);
	if (n < 0)
		return n;
	f->scratch[S_LEN] = (uint64_t)len;
	f->scratch[S_IOV] = (uint64_t)out;
	f->scratch[S_IOV + 1] = (uint64_t)n;
	if (f->nr == __NR_write || f->nr == __NR_pwrite64) {
		f->a[1] = (long)out;
		f->a[2] = n;
	} else {
		f->a[1] = (long)&f->scratch[S_IOV];
		f->a[2] = 1;
	}
	return rs_call(f, finish_write);
}

/*
 * splice, sendfile, copy_file_range: where the kernel itself moves the data nothing can be converted. From
 * everything but FUSE it refuses to (since 5.10).
 */
long rs_h_watch_copy(struct rs_frame *f, struct rs_area *a)
{
	bool sendfile = f->nr == __NR_sendfile;
	int in = (int)f->a[sendfile ? 1 : 0], out = (int)f->a[sendfile ? 0 : 2];
	bool from_fuse = kind_of(in) == BD_DATA_FUSE;

	if (from_fuse && f->nr == __NR_splice)
		return rs_fuse_splice(f, a);
	if (from_fuse || kind_of(out) == BD_DATA_NUMBERS)
		return -EINVAL;
	return rs_call(f, rs_finish_raw);
}

/* struct iocb */
#define IOCB_SIZE 64u
#define IOCB_FD 20u

/* io_submit takes the operations up to one it refuses: EINVAL, as the kernel says where a file has none. */
long rs_h_io_submit(struct rs_frame *f, struct rs_area *a)
{
	long n = f->a[1];

	(void)a;
	for (long i = 0; i < n; i++) {
		uint64_t iocb;
		uint32_t fd;

		if (rs_user_read(&iocb, (uint64_t)f->a[2] + (uint64_t)i * 8, sizeof(iocb)) ||
		    rs_user_read(&fd, iocb + IOCB_FD, sizeof(fd)))
			break;
		if (!rs_watch_is((int)fd) || kind_of((int)fd) == BD_DATA_NONE)
			continue;
		if (!i)
			return -EINVAL;
		f->a[1] = i;
		break;
	}
	return rs_call(f, rs_finish_raw);
}
