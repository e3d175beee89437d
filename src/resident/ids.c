/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls that ask for or take a number and nothing else. A number the namespace does not have goes to the kernel as
 * RS_NOBODY: above every pid_max, so the kernel answers what it answers for an unknown number, in
 * its own order of checks.
 */
#include <asm/unistd.h>
#include <linux/errno.h>

#include "arch/x86_64/syscall.h"
#include "resident/below.h"
#include "resident/handlers.h"
#include "resident/resident.h"

/* What has no number here may get one now, if it is of a namespace below. */
static int32_t or_see(sp_vpid n, int64_t hid, bool often)
{
	if (n.n || hid <= 0 || !rs_has_below())
		return n.n;
	return often ? rs_see_often((int32_t)hid) : rs_see((int32_t)hid);
}

int32_t rs_out_pid(int64_t hid)
{
	return or_see(sp_pid_number(RS_NS, sp_hpid_of((int32_t)hid)), hid, false);
}

int32_t rs_out_past(int64_t hid)
{
	return or_see(sp_pid_recall(RS_NS, sp_hpid_of((int32_t)hid)), hid, false);
}

int32_t rs_out_group(int64_t hid)
{
	return or_see(sp_pid_group_number(RS_NS, sp_hpid_of((int32_t)hid)), hid, false);
}

int32_t rs_out_often(int64_t hid, enum rs_out how)
{
	sp_hpid h = sp_hpid_of((int32_t)hid);

	return or_see(how == RS_OUT_PID	    ? sp_pid_number(RS_NS, h)
		      : how == RS_OUT_GROUP ? sp_pid_group_number(RS_NS, h)
					    : sp_pid_recall(RS_NS, h),
		      hid, true);
}

int32_t rs_in_pid(int32_t n)
{
	struct sp_ref ref = n > 0 ? sp_pid_find(RS_NS, sp_vpid_of(n)) : SP_REF_NONE;

	return ref.slot == SP_NO_SLOT ? RS_NOBODY : sp_ref_hpid(RS_NS, ref).n;
}

int32_t rs_in_group(int32_t n)
{
	struct sp_ref ref = n > 0 ? sp_pid_find_any(RS_NS, sp_vpid_of(n)) : SP_REF_NONE;

	if (ref.slot == SP_NO_SLOT || sp_word_state(ref.word) == SP_RESERVED)
		return RS_NOBODY;
	return sp_ref_hpid(RS_NS, ref).n;
}

static bool belongs(sp_vpid n, sp_vpid tgid)
{
	return tgid.n && sp_vpid_eq(rs_ref_group(sp_pid_find(RS_NS, n)), tgid);
}

/* As a number, or as the host tid that libc cached and means. */
int32_t rs_in_thread(sp_vpid tgid, int32_t n)
{
	if (n <= 0)
		return RS_NOBODY;
	if (belongs(sp_vpid_of(n), tgid))
		return rs_in_pid(n);
	return belongs(sp_pid_number(RS_NS, sp_hpid_of(n)), tgid) ? n : RS_NOBODY;
}

int32_t rs_in_tid(struct rs_area *a, int32_t n)
{
	int32_t h = rs_in_thread(a->tgid, n);

	return h != RS_NOBODY ? h : rs_in_pid(n);
}

int32_t rs_in_task(struct rs_area *a, int32_t n)
{
	int32_t h = rs_in_pid(n);

	return h != RS_NOBODY ? h : rs_in_thread(a->tgid, n);
}

long rs_h_getpid(struct rs_frame *f, struct rs_area *a)
{
	(void)f;
	return a->tgid.n;
}

long rs_h_gettid(struct rs_frame *f, struct rs_area *a)
{
	(void)f;
	return a->tid.n;
}

/* A leader's libc keeps the result and gives it back to the kernel; other threads only look at it. */
long rs_h_set_tid_address(struct rs_frame *f, struct rs_area *a)
{
	long r = sp_sys1(__NR_set_tid_address, f->a[0]);

	return sp_hpid_eq(a->htid, a->htgid) ? r : a->tid.n;
}

long rs_h_getppid(struct rs_frame *f, struct rs_area *a)
{
	(void)f;
	/* Number 1's parent is never of its own namespace, nor of one below. */
	return a->tgid.n == 1 ? 0 : rs_out_pid(sp_sys0(__NR_getppid));
}

long rs_h_getpgrp(struct rs_frame *f, struct rs_area *a)
{
	(void)f;
	(void)a;
	return rs_out_group(sp_sys1(__NR_getpgid, 0));
}

static long group_of(struct rs_frame *f)
{
	int32_t n = (int32_t)f->a[0];
	long r = sp_sys1(f->nr, n ? rs_in_pid(n) : 0);

	return sp_is_err(r) ? r : rs_out_group(r);
}

long rs_h_getpgid(struct rs_frame *f, struct rs_area *a)
{
	(void)a;
	return group_of(f);
}

long rs_h_getsid(struct rs_frame *f, struct rs_area *a)
{
	(void)a;
	return group_of(f);
}

static void mark_leader(sp_vpid n, uint32_t flags)
{
	struct sp_ref ref = sp_pid_find(RS_NS, n);

	if (ref.slot != SP_NO_SLOT)
		sp_pid_set_flags(RS_NS, &ref, flags);
}

long rs_h_setpgid(struct rs_frame *f, struct rs_area *a)
{
	int32_t pid = (int32_t)f->a[0], pgid = (int32_t)f->a[1];
	long r;

	if (!pid)
		pid = a->tgid.n;
	if (!pgid)
		pgid = pid;
	if (pgid < 0)
		return -EINVAL;
	rs_block(f);
	r = sp_sys2(__NR_setpgid, rs_in_pid(pid), rs_in_group(pgid));
	if (!r)
		mark_leader(sp_vpid_of(pgid), SP_F_LEADER);
	return rs_unblock(f, r);
}

long rs_h_setsid(struct rs_frame *f, struct rs_area *a)
{
	long r;

	rs_block(f);
	r = sp_sys0(__NR_setsid);
	if (!sp_is_err(r)) {
		mark_leader(a->tgid, SP_F_LEADER | SP_F_SESSION);
		r = a->tgid.n;
	}
	return rs_unblock(f, r);
}

/* Of these libc makes the affinity calls and get_robust_list with tids it cached. */
long rs_h_tid_arg0(struct rs_frame *f, struct rs_area *a)
{
	int32_t n = (int32_t)f->a[0];
	bool cached = f->nr == __NR_sched_setaffinity || f->nr == __NR_sched_getaffinity ||
		      f->nr == __NR_get_robust_list;

	if (n)
		f->a[0] = cached ? rs_in_tid(a, n) : rs_in_task(a, n);
	return rs_call(f, rs_finish_raw);
}

long rs_h_tid_arg0_signed(struct rs_frame *f, struct rs_area *a)
{
	if ((int32_t)f->a[0] > 0)
		f->a[0] = rs_in_tid(a, (int32_t)f->a[0]);
	return rs_call(f, rs_finish_raw);
}

long rs_h_process_vm(struct rs_frame *f, struct rs_area *a)
{
	f->a[0] = rs_in_task(a, (int32_t)f->a[0]);
	return rs_call(f, rs_finish_raw);
}

long rs_h_kcmp(struct rs_frame *f, struct rs_area *a)
{
	f->a[0] = rs_in_task(a, (int32_t)f->a[0]);
	f->a[1] = rs_in_task(a, (int32_t)f->a[1]);
	return rs_call(f, rs_finish_raw);
}
