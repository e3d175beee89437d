/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that carry numbers: the terminal's groups, owners of sockets, pidfds, namespace files, and the structures
 * of devices (boundary/devioctl.h).
 */
#include <asm/ioctls.h>
#include <asm/sockios.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/ioctl.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "boundary/devioctl.h"
#include "resident/handlers.h"
#include "resident/notify.h"
#include "resident/nsfile.h"
#include "resident/owner.h"
#include "resident/resident.h"
#include "resident/user.h"
#include "resident/watch.h"

/* include/uapi/linux/nsfs.h */
#define NS_GET_NSTYPE 0xb703u
#define NS_GET_PID_FROM_PIDNS 0x8004b706u
#define NS_GET_TGID_IN_PIDNS 0x8004b709u

#define USERFAULTFD_IOC_NEW 0xaa00u   /* include/uapi/linux/userfaultfd.h */
#define BINDER_WRITE_READ 0xc0306201u /* include/uapi/linux/android/binder.h */

#define INFO_MAX 512u /* bytes of struct pidfd_info that are asked for; the rest is zero */
_Static_assert(INFO_MAX * 2 <= RS_SCRATCH, "scratch");

/*
 * PIDFD_GET_INFO, whose size is the caller's (fs/pidfs.c:pidfd_info). A process outside is as one of another
 * namespace; one that has been reaped has no number any more, whoever it was.
 */
static long pidfd_info(struct rs_frame *f, struct rs_area *a)
{
	uint32_t cmd = (uint32_t)f->a[1], size = _IOC_SIZE(cmd), n = size < INFO_MAX ? size : INFO_MAX;
	struct ax_pidfd_info *info = (struct ax_pidfd_info *)a->scratch;
	char *zero = a->scratch + INFO_MAX;
	uint64_t to = (uint64_t)f->a[2];
	long r;

	memset(info, 0, INFO_MAX);
	if (size < sizeof(*info) || rs_user_read(&info->mask, to, sizeof(info->mask)))
		return rs_call(f, rs_finish_raw); /* an error */
	rs_block(f);
	cmd = (cmd & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT)) | n << _IOC_SIZESHIFT;
	r = sp_sys3(__NR_ioctl, f->a[0], (long)cmd, (long)info);
	if (!r && info->mask & AX_PIDFD_INFO_PID) {
		info->pid = (uint32_t)rs_out_pid((int32_t)info->pid);
		info->tgid = (uint32_t)rs_out_pid((int32_t)info->tgid);
		info->ppid = (uint32_t)rs_out_pid((int32_t)info->ppid);
		if (!info->pid || !info->tgid)
			r = -EREMOTE;
	}
	if (!r)
		r = rs_user_write(to, info, n);
	memset(zero, 0, INFO_MAX);
	for (uint32_t at = n; !r && at < size; at += n) {
		n = size - at < INFO_MAX ? size - at : INFO_MAX;
		r = rs_user_write(to + at, zero, n);
	}
	return rs_unblock(f, r);
}

static long finish_number(struct rs_frame *f)
{
	if (f->raw <= 0)
		return f->raw;
	return rs_out_pid(f->raw) ? rs_out_pid(f->raw) : -ESRCH;
}

/* The number is found in the structure itself, not behind a pointer in it. */
static long device(struct rs_frame *f, struct rs_area *a)
{
	const struct bd_devioctl *d = bd_devioctl_find((uint32_t)f->a[1]);
	uint32_t size = _IOC_SIZE((uint32_t)f->a[1]);
	uint64_t to = (uint64_t)f->a[2];
	int64_t given, n;
	long r;

	if (!d || size > RS_SCRATCH || rs_user_read(a->scratch, to, size))
		return rs_call(f, rs_finish_raw); /* what is no such device says so before it looks */
	rs_block(f);
	given = bd_devioctl_get(d, a->scratch);
	if (d->in && given > 0)
		bd_devioctl_put(d, a->scratch, rs_in_task(a, (int32_t)given));
	r = sp_sys3(__NR_ioctl, f->a[0], f->a[1], (long)a->scratch);
	if (r >= 0) {
		long w;

		n = d->in ? given : bd_devioctl_get(d, a->scratch);
		/* A request of several operations may leave the field as it was. */
		if (n != given && n > 0)
			n = rs_out_pid(n);
		bd_devioctl_put(d, a->scratch, n);
		w = rs_user_write(to, a->scratch, size);
		r = w ? w : r;
	}
	return rs_unblock(f, r);
}

/* TIOCSPGRP: an unknown number is ESRCH, but what is no terminal is ENOTTY before that. */
long rs_h_ioctl(struct rs_frame *f, struct rs_area *a)
{
	uint64_t arg = (uint64_t)f->a[2];
	int32_t n;
	long r;

	switch ((uint32_t)f->a[1]) {
	case TIOCSPGRP:
		r = rs_user_read(&n, arg, sizeof(n));
		if (!r) {
			f->scratch[0] = (uint64_t)(uint32_t)(n > 0 ? rs_in_group(n) : n);
			f->a[2] = (long)&f->scratch[0];
		}
		return rs_call(f, rs_finish_raw);
	case FIOSETOWN:
	case SIOCSPGRP:
		r = rs_user_read(&n, arg, sizeof(n));
		if (!r) {
			f->scratch[0] = (uint64_t)(uint32_t)rs_owner_in(n);
			f->a[2] = (long)&f->scratch[0];
		}
		return rs_call(f, rs_finish_raw);
	case FIOGETOWN:
	case SIOCGPGRP:
		r = sp_sys3(__NR_ioctl, f->a[0], f->a[1], (long)&f->scratch[0]);
		if (!r) {
			n = (int32_t)rs_owner_out((int)f->a[0]);
			r = rs_user_write(arg, &n, sizeof(n));
		}
		return r;
	case TIOCGPGRP:
	case TIOCGSID:
		rs_block(f);
		r = sp_sys3(__NR_ioctl, f->a[0], f->a[1], (long)&f->scratch[0]);
		if (!r) {
			n = rs_out_group((int32_t)f->scratch[0]);
			r = rs_user_write(arg, &n, sizeof(n));
		}
		return rs_unblock(f, r);
	case RS_NOTIF_RECV:
	case RS_NOTIF_SEND:
	case RS_NOTIF_ID_VALID:
	case RS_NOTIF_ID_VALID_OLD:
		return rs_notify_ioctl(f);
	case BINDER_WRITE_READ:
		r = sp_sys2(__NR_fcntl, f->a[0], F_GETFD);
		return r < 0 ? r : -ENOTTY;
	case USERFAULTFD_IOC_NEW:
		return rs_watch_new(f);
	default:
		break;
	}
	if (((uint32_t)f->a[1] & 0xffff) == (RS_NOTIF_ADDFD & 0xffff))
		return rs_notify_ioctl(f);
	if (((uint32_t)f->a[1] & 0xffff) == (AX_PIDFD_GET_INFO & 0xffff))
		return pidfd_info(f, a);
	if (((uint32_t)f->a[1] & ~0xfu) == (NS_GET_NSTYPE & ~0xfu) ||
	    (uint32_t)f->a[1] - NS_GET_PID_FROM_PIDNS <= NS_GET_TGID_IN_PIDNS - NS_GET_PID_FROM_PIDNS) {
		r = rs_nsfile_ioctl(f, a);
		if (r != -ENOTTY)
			return r;
	}
	if ((uint32_t)f->a[1] - NS_GET_PID_FROM_PIDNS <= NS_GET_TGID_IN_PIDNS - NS_GET_PID_FROM_PIDNS) {
		/* There is one PID namespace to ask, so "from" and "in" are the same. */
		f->a[2] = rs_in_task(a, (int32_t)f->a[2]);
		return rs_call(f, finish_number);
	}
	return device(f, a);
}
