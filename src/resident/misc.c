/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal's process groups, refusals, and words for the user.
 */
#include <asm/ioctls.h>
#include <asm/sockios.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/stat.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/handlers.h"
#include "resident/handover.h"
#include "resident/owner.h"
#include "resident/resident.h"
#include "resident/user.h"

/*
 * Whether descriptor 2 may get a line: somebody else's socket must not, and a full pipe would hang us.
 */
static bool may_speak(void)
{
	struct {
		int32_t fd;
		int16_t events, revents;
	} p = {.fd = 2, .events = 4 /* POLLOUT */};
	struct ax_stat st;

	return !sp_sys2(__NR_fstat, 2, (long)&st) && (st.mode & S_IFMT) != S_IFSOCK &&
	       sp_sys3(__NR_poll, (long)&p, 1, 0) == 1 && p.revents == 4;
}

void rs_say(const char *msg, const char *what)
{
	static const char head[] = "subpid: ";

	if (!may_speak())
		return;

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
	default:
		return rs_call(f, rs_finish_raw);
	}
}

/* struct __user_cap_header_struct; the kernel may answer with the version it wants. */
long rs_h_capget(struct rs_frame *f, struct rs_area *a)
{
	struct {
		uint32_t version;
		int32_t pid;
	} *h = (void *)f->scratch;
	uint64_t hdr = (uint64_t)f->a[0];
	uint32_t version;
	long r, w = 0;

	r = rs_user_read(h, hdr, sizeof(*h));
	if (r)
		return r;
	version = h->version;
	if (h->pid > 0)
		h->pid = rs_in_task(a, h->pid);
	f->a[0] = (long)h;
	rs_block(f);
	r = sp_sys2(f->nr, f->a[0], f->a[1]);
	if (h->version != version)
		w = rs_user_write(hdr, &h->version, sizeof(h->version));
	return rs_unblock(f, w ? w : r);
}

/*
 * Number 1's parent-death signal and subreaper mark hold the namespace together (supervisor/spawn.c): the
 * program reads and writes what it believes.
 */
long rs_h_prctl(struct rs_frame *f, struct rs_area *a)
{
	uint64_t arg = (uint64_t)f->a[1];
	int32_t value;

	if (a->tgid.n != 1)
		return rs_call(f, rs_finish_raw);
	switch ((int)f->a[0]) {
	case PR_SET_PDEATHSIG:
		if (arg > RS_NSIG)
			return -EINVAL;
		atomic_store(&RS_NS->init_pdeathsig, (uint32_t)arg);
		return 0;
	case PR_GET_PDEATHSIG:
		value = (int32_t)atomic_load(&RS_NS->init_pdeathsig);
		return rs_user_write(arg, &value, sizeof(value));
	case PR_SET_CHILD_SUBREAPER:
		atomic_store(&RS_NS->init_subreaper, !!arg);
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		value = (int32_t)atomic_load(&RS_NS->init_subreaper);
		return rs_user_write(arg, &value, sizeof(value));
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
