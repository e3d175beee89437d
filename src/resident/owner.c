/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is signalled for a descriptor, and who holds a lock: the fcntl commands and socket ioctls that name
 * processes (fcntl(2), F_SETOWN and F_GETLK).
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "arch/x86_64/syscall.h"
#include "resident/handlers.h"
#include "resident/owner.h"
#include "resident/resident.h"
#include "resident/user.h"
#include "resident/watch.h"

struct owner {
	int32_t type, pid; /* struct f_owner_ex */
};

/* struct flock of x86-64 */
struct lock {
	int16_t type, whence;
	int32_t pad0;
	int64_t start, len;
	int32_t pid, pad1;
};

/* An owner may be a number that only a group has any more: it is nobody, but it is found (fs/fcntl.c:f_setown). */
static int32_t found(int32_t h, int32_t n)
{
	return h != RS_NOBODY ? h : rs_in_group(n);
}

/* A process, or a negative group; 0 is none. */
int32_t rs_owner_in(int32_t n)
{
	if (n == INT32_MIN || !n)
		return n;
	return n > 0 ? found(rs_in_pid(n), n) : -rs_in_group(-n);
}

static int32_t typed_in(struct rs_area *a, const struct owner *o)
{
	if (o->pid <= 0)
		return o->pid;
	if (o->type == F_OWNER_PGRP)
		return rs_in_group(o->pid);
	return found(o->type == F_OWNER_TID ? rs_in_tid(a, o->pid) : rs_in_pid(o->pid), o->pid);
}

/* The owner as a number of the namespace; its type tells groups from errors, which F_GETOWN cannot. */
static long owner_out(int fd, struct owner *o)
{
	long r = sp_sys3(__NR_fcntl, fd, F_GETOWN_EX, (long)o);

	if (!r)
		o->pid = o->type == F_OWNER_PGRP ? rs_out_group(o->pid) : rs_out_pid(o->pid);
	return r;
}

long rs_owner_out(int fd)
{
	struct owner o;
	long r = owner_out(fd, &o);

	return r ? r : o.type == F_OWNER_PGRP ? -o.pid : o.pid;
}

/* Who shares the files of a process that has ended keeps its locks, and its number while a group has it. */
static int32_t holder(int32_t hid)
{
	int32_t n = rs_out_pid(hid);

	return n || sp_sys2(__NR_kill, -hid, 0) == -ESRCH ? n : rs_out_group(hid);
}

static long finish_get_lock(struct rs_frame *f)
{
	struct lock l;

	if (f->raw)
		return f->raw;
	memcpy(&l, f->scratch, sizeof(l));
	if (l.type != F_UNLCK && l.pid > 0)
		l.pid = holder(l.pid);
	return rs_user_write(f->regs.rdx, &l, sizeof(l));
}

/* A file system may ask its server, and wait for it. */
static long get_lock(struct rs_frame *f)
{
	if (rs_user_read(f->scratch, (uint64_t)f->a[2], sizeof(struct lock)))
		return rs_call(f, rs_finish_raw); /* EBADF comes before EFAULT */
	f->a[2] = (long)f->scratch;
	return rs_call(f, finish_get_lock);
}

long rs_h_fcntl(struct rs_frame *f, struct rs_area *a)
{
	int fd = (int)f->a[0];
	struct owner o;
	long r;

	switch ((uint32_t)f->a[1]) {
	case F_SETOWN:
		f->a[2] = rs_owner_in((int32_t)f->a[2]);
		return rs_call(f, rs_finish_raw);
	case F_GETOWN:
		return rs_owner_out(fd);
	case F_SETOWN_EX:
		r = rs_user_read(&o, (uint64_t)f->a[2], sizeof(o));
		if (!r) {
			o.pid = typed_in(a, &o);
			memcpy(f->scratch, &o, sizeof(o));
			f->a[2] = (long)f->scratch;
		}
		return rs_call(f, rs_finish_raw);
	case F_GETOWN_EX:
		r = owner_out(fd, &o);
		return r ? r : rs_user_write((uint64_t)f->a[2], &o, sizeof(o));
	case F_GETLK:
	case F_OFD_GETLK:
		return get_lock(f);
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return rs_watch_new(f);
	default:
		return rs_call(f, rs_finish_raw);
	}
}
