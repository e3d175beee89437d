/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities by number, prctl, the policy row, and words for the user.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/prctl.h>
#include <linux/stat.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/below.h"
#include "resident/handlers.h"
#include "resident/patch.h"
#include "resident/handover.h"
#include "resident/resident.h"
#include "resident/seccomp.h"
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

	if (rs_user_read(h, hdr, sizeof(*h)))
		return rs_call(f, rs_finish_raw); /* EFAULT, or EINVAL if only the version can be read */
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
static long prctl_of_init(struct rs_frame *f, const struct rs_area *a)
{
	uint64_t arg = (uint64_t)f->a[1];
	int32_t value;

	/* The mark is the process's, the signal a thread's own. */
	if (((int)f->a[0] == PR_SET_PDEATHSIG || (int)f->a[0] == PR_GET_PDEATHSIG) && a->tid.n != 1)
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

long rs_h_prctl(struct rs_frame *f, struct rs_area *a)
{
	int32_t n;

	switch ((int)f->a[0]) {
	case PR_GET_SECCOMP:
	case PR_SET_SECCOMP:
	case PR_SET_NO_NEW_PRIVS:
	case PR_GET_NO_NEW_PRIVS:
		return rs_seccomp_prctl(f, a);
	case 59: /* PR_SET_SYSCALL_USER_DISPATCH: the program wants to see where its calls are made */
		rs_patch_never(a);
		return rs_call(f, rs_finish_raw);
	case PR_SET_PTRACER:
		/* 0 takes the permission back, -1 gives it to all: security/yama/yama_lsm.c */
		n = (int32_t)f->a[1];
		if (f->a[1] && n != -1)
			f->a[1] = rs_in_task(a, n);
		return rs_call(f, rs_finish_raw);
	case PR_SCHED_CORE:
		n = (int32_t)f->a[2];
		if (n > 0)
			f->a[2] = rs_in_task(a, n);
		return rs_call(f, rs_finish_raw);
	default:
		return a->tgid.n == 1 ? prctl_of_init(f, a) : rs_call(f, rs_finish_raw);
	}
}

long rs_h_unknown(struct rs_frame *f, struct rs_area *a)
{
	if ((uint32_t)f->nr != RS_HYPER_NR)
		return -ENOSYS;
	if (f->a[0] == RS_HYPER_FOREGROUND && a->tgid.n == 1)
		atomic_fetch_or(&RS_NS->flags, SP_SEG_FOREGROUND);
	if (f->a[0] == RS_HYPER_SETS) {
		uint64_t sets[3];

		if (!rs_init_below(sp_vpid_of((int32_t)f->a[1]), sets))
			return -ESRCH;
		return rs_user_write((uint64_t)f->a[2], sets, sizeof(sets));
	}
	return RS_HYPER_VERSION;
}
