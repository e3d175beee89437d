/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a FUSE server reads and writes. A reply does not say what it answers: the queries for locks that are
 * under way are remembered, the last ones of them.
 */
#include "resident/fuse.h"

#include <asm/ioctls.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "boundary/records.h"
#include "resident/watch.h"

#define QUERIES 64
static _Atomic uint64_t queries[QUERIES];
static _Atomic uint32_t next_query;

static void convert_out(char *field)
{
	int32_t pid;

	memcpy(&pid, field, sizeof(pid));
	pid = rs_watch_out(pid);
	memcpy(field, &pid, sizeof(pid));
}

void rs_fuse_request(char *head, size_t n)
{
	uint32_t opcode;
	uint64_t unique;

	memcpy(&opcode, head + BD_FUSE_OPCODE, sizeof(opcode));
	memcpy(&unique, head + BD_FUSE_UNIQUE, sizeof(unique));
	convert_out(head + BD_FUSE_PID);
	if (n < BD_FUSE_LK_IN_SIZE || !bd_fuse_has_lock(opcode))
		return;
	convert_out(head + BD_FUSE_LK_PID);
	if (opcode == BD_FUSE_GETLK)
		atomic_store(&queries[atomic_fetch_add(&next_query, 1) % QUERIES], unique);
}

bool rs_fuse_reply(char *reply, size_t n)
{
	uint64_t unique;
	int32_t error, pid;

	if (n != BD_FUSE_LK_OUT_SIZE)
		return false;
	memcpy(&error, reply + BD_FUSE_OUT_ERROR, sizeof(error));
	memcpy(&unique, reply + BD_FUSE_UNIQUE, sizeof(unique));
	for (unsigned int i = 0; i < QUERIES; i++) {
		if (!unique || atomic_load(&queries[i]) != unique)
			continue;
		memcpy(&pid, reply + BD_FUSE_LK_OUT_PID, sizeof(pid));
		if (error || pid <= 0)
			return false;
		pid = rs_in_pid(pid);
		memcpy(reply + BD_FUSE_LK_OUT_PID, &pid, sizeof(pid));
		return true;
	}
	return false;
}

/* In the frame's scratch. */
enum { S_PIPE = 16, S_BUFFER, S_DONE, S_RESULT };

/* The pipe has room for it, as far as could be told; what does not fit is EIO, fs/fuse/dev.c. */
static long fill_pipe(int pipe, uint64_t buffer, long n)
{
	struct ax_iovec v = {buffer, (uint64_t)n};
	long r = sp_sys6(__NR_pwritev2, pipe, (long)&v, 1, -1, -1, RWF_NOWAIT);

	if (r == -EOPNOTSUPP || r == -EINVAL)
		r = sp_sys3(__NR_write, pipe, (long)buffer, n);
	return r == n ? n : r == -EPIPE || r == -EBADF ? r : -EIO;
}

static long finish_splice(struct rs_frame *f)
{
	uint64_t mask;

	if (f->raw <= 0)
		return f->raw;
	mask = rs_hush();
	if (!f->scratch[S_DONE]) {
		uint64_t buffer = f->scratch[S_BUFFER];

		if (f->raw >= (long)BD_FUSE_IN_SIZE)
			rs_fuse_request((char *)buffer, (size_t)f->raw);
		f->scratch[S_RESULT] = (uint64_t)fill_pipe((int)f->scratch[S_PIPE], buffer, f->raw);
		f->scratch[S_DONE] = 1;
	}
	rs_unhush(mask);
	return (long)f->scratch[S_RESULT];
}

static bool get_memory(struct rs_area *a, uint64_t n)
{
	long r;

	if (a->request_size >= n)
		return true;
	if (a->request_size)
		sp_sys2(__NR_munmap, (long)a->request_addr, (long)a->request_size);
	a->request_size = 0;
	r = sp_sys6(__NR_mmap, 0, (long)n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sp_is_err(r))
		return false;
	a->request_addr = (uint64_t)r;
	a->request_size = n;
	return true;
}

long rs_fuse_splice(struct rs_frame *f, struct rs_area *a)
{
	int pipe = (int)f->a[2], used = 0;
	uint64_t n = (uint64_t)f->a[4];
	long size = sp_sys3(__NR_fcntl, pipe, F_GETPIPE_SZ, 0);

	if (size <= 0 || f->a[1] || f->a[3] || sp_sys3(__NR_ioctl, pipe, FIONREAD, (long)&used))
		return rs_call(f, rs_finish_raw); /* an error */
	if (used >= size)
		return -EAGAIN;
	if (n > (uint64_t)(size - used))
		n = (uint64_t)(size - used);
	if (!n)
		return 0;
	rs_block(f);
	if (!get_memory(a, n))
		return rs_unblock(f, -ENOMEM);
	rs_mask_set(f->saved_mask);
	f->scratch[S_PIPE] = (uint32_t)pipe;
	f->scratch[S_BUFFER] = a->request_addr;
	f->scratch[S_DONE] = 0;
	f->nr = __NR_read;
	f->a[1] = (long)a->request_addr;
	f->a[2] = (long)n;
	return rs_call(f, finish_splice);
}
