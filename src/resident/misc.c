/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal's process groups, refusals, and words for the user.
 */
#include <asm/ioctls.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/sched.h>

#include "arch/x86_64/syscall.h"
#include "resident/handlers.h"
#include "resident/handover.h"
#include "resident/resident.h"
#include "resident/user.h"

void rs_say(const char *msg, const char *what)
{
	static const char head[] = "subpid: ";

	sp_sys3(__NR_write, 2, (long)head, sizeof(head) - 1);
	sp_sys3(__NR_write, 2, (long)msg, (long)sp_strnlen(msg, 4096));
	sp_sys3(__NR_write, 2, (long)what, (long)sp_strnlen(what, 4096));
	sp_sys3(__NR_write, 2, (long)"\n", 1);
}

void rs_die(const char *msg, int status)
{
	rs_say(msg, "");
	for (;;)
		sp_sys1(__NR_exit_group, status);
}

/* TIOCSPGRP: an unknown number is ESRCH, but what is no terminal is ENOTTY before that. */
long rs_h_ioctl(struct rs_frame *f, struct rs_area *a)
{
	uint64_t arg = (uint64_t)f->a[2];
	int32_t n;
	long r;

	(void)a;
	switch ((uint32_t)f->a[1]) {
	case TIOCSPGRP:
		r = rs_user_read(&n, arg, sizeof(n));
		f->scratch[0] = (uint64_t)(uint32_t)(n > 0 ? rs_in_group(n) : n);
		if (!r)
			f->a[2] = (long)&f->scratch[0];
		return rs_call(f, rs_finish_raw);
	case TIOCGPGRP:
	case TIOCGSID:
		rs_block(f);
		r = sp_sys3(__NR_ioctl, f->a[0], f->a[1], (long)&f->scratch[0]);
		if (!r) {
			n = rs_out_group((int32_t)f->scratch[0]);
			r = rs_user_write(arg, &n, sizeof(n));
		}
		return rs_unblock(f, r);
	default:
		return rs_call(f, rs_finish_raw);
	}
}

/* unshare and setns of a PID namespace: namespaces below this one are not there yet. */
long rs_h_newpid(struct rs_frame *f, struct rs_area *a)
{
	uint32_t flags = (uint32_t)(f->nr == __NR_unshare ? f->a[0] : f->a[1]);

	(void)a;
	if (flags & CLONE_NEWPID)
		return -EPERM;
	return rs_call(f, rs_finish_raw);
}

long rs_h_unknown(struct rs_frame *f, struct rs_area *a)
{
	(void)a;
	return (uint32_t)f->nr == RS_HYPER_NR ? RS_HYPER_VERSION : -ENOSYS;
}
