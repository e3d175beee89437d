/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tracer's own requests that concern the tracee as a whole: looking whether it is stopped, letting those in internal
 * stops go on, and resuming one from a stop that was shown.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/signal.h>
#include <linux/wait.h>

#include "arch/x86_64/syscall.h"
#include "resident/seccomp.h"
#include "resident/trace.h"

#define CLD_TRAPPED 4
#define NR_NONE (~0ul)

enum rs_verdict rs_trace_look(struct rs_area *a, int32_t hid)
{
	struct rs_tracee *t;
	struct ax_siginfo si;
	int32_t code;
	bool shown;

	rs_trace_lock();
	t = rs_tracee_find(a, hid);
	shown = t && t->shown;
	rs_trace_unlock();
	if (shown)
		return RS_SHOW;
	si.pid = 0;
	sp_sys6(__NR_waitid, 1 /* P_PID */, hid, (long)&si,
		(long)(WNOHANG | WNOWAIT | WSTOPPED | __WALL | __WNOTHREAD), 0, 0);
	if (si.pid != hid || si.code != CLD_TRAPPED)
		return RS_UNTRACED;
	return rs_trace_stop(a, hid, si.status, &code);
}

static void ask(const struct rs_area *a, int32_t tid, int32_t hid)
{
	struct ax_siginfo si;

	memset(&si, 0, sizeof(si));
	si.signo = SIGSYS;
	si.code = RS_CODE_SERVE;
	si.pid = hid;
	sp_sys4(__NR_rt_tgsigqueueinfo, a->htgid.n, tid, SIGSYS, (long)&si);
}

/* Of a child that asked to be traced, nobody knows at first which thread is its parent. */
void rs_trace_ask(struct rs_area *a, int32_t hid)
{
	const struct rs_area *other;
	struct rs_tracee *t;
	int32_t tracer = 0;

	rs_trace_lock();
	t = rs_tracee_find(a, hid);
	if (t)
		tracer = t->tracer;
	rs_trace_unlock();
	for (uint32_t i = 0; !tracer && (other = rs_area_nth(i)); i++)
		if (rs_area_lives_beside(other, a))
			ask(a, (int32_t)(uint32_t)atomic_load(&other->owner), hid);
	if (tracer && tracer != a->htid.n)
		ask(a, tracer, hid);
}

bool rs_trace_serve(struct rs_area *a, int32_t hid)
{
	bool end = false, others = false;

	for (uint32_t i = 0; !end; i++) {
		struct rs_tracee *t;
		int32_t other = 0;

		rs_trace_lock();
		t = rs_tracee_at(a, i, &end);
		if (t && !t->shown && t->tracer == a->htid.n)
			other = t->hid;
		rs_trace_unlock();
		if (other && rs_trace_look(a, other) != RS_SHOW && other != hid)
			others = true;
	}
	return others;
}

/* What the program wrote into a view is what the call returns to. */
static void write_back(struct rs_tracee *t)
{
	const struct ax_user_regs *r = &t->regs;
	const struct rs_regs p = {
		r->di, r->si,	 r->dx, r->r10, r->r8,	r->r9,	r->orig_ax, r->ip,
		r->sp, r->flags, r->bx, r->bp,	r->r12, r->r13, r->r14,	    r->r15,
	};

	for (size_t i = 0; i < sizeof(p) / 8; i++)
		rs_poke(t->hid, t->frame + i * 8, ((const uint64_t *)&p)[i]);
}

/*
 * The call in the kernel is only a question: it is skipped. With a number the resident makes the program's
 * call, without one it has the tracer's result.
 */
static void answer(struct rs_tracee *t)
{
	struct ax_user_regs r;

	if (rs_pt(AX_GETREGS, t->hid, 0, (uint64_t)&r))
		return;
	r.ax = (int32_t)t->regs.orig_ax < 0 ? t->regs.ax : (uint64_t)RS_GO_ON;
	r.orig_ax = NR_NONE;
	rs_pt(AX_SETREGS, t->hid, 0, (uint64_t)&r);
}

/* In the middle of the resident's call: its end is marked if the program wants to see it. */
static long resume_view(struct rs_tracee *t, long req)
{
	bool step = req == AX_SINGLESTEP || req == AX_SINGLEBLOCK;

	if (!t->frame)
		return req;
	if (t->dirty)
		write_back(t);
	if (t->asked)
		answer(t);
	t->in_call = req == AX_SYSCALL;
	if (!step && req != AX_SYSCALL)
		return req;
	rs_poke(t->hid, t->frame + offsetof(struct rs_frame, traced), 1);
	if (step) {
		struct ax_siginfo *si = &t->trap;

		t->step = RS_STEPPED;
		memset(si, 0, sizeof(*si));
		si->signo = SIGTRAP;
		si->code = 1; /* TRAP_BRKPT: what a step over a system call says */
		si->call_addr = t->regs.ip;
	}
	return AX_CONT;
}

/*
 * The event of exec, really the exit of the report in rs_enter: the call has its result now, and what is to see it needs
 * a second stop there.
 */
static long resume_image(struct rs_tracee *t, long req)
{
	struct ax_user_regs r;

	if (rs_pt(AX_GETREGS, t->hid, 0, (uint64_t)&t->regs))
		return req;
	if (t->regs.orig_ax != NR_NONE)
		t->regs.ax = 0;
	r = t->regs;
	if (req == AX_SYSCALL) {
		r.di = r.sp;
		r.si = r.ip;
		r.ip = (uint64_t)rs_enter;
		r.orig_ax = NR_NONE;
		t->in_call = 1;
		t->second = 1;
	} else {
		t->in_call = 0;
	}
	rs_pt(AX_SETREGS, t->hid, 0, (uint64_t)&r);
	return req;
}

long rs_trace_resume(struct rs_tracee *t, long req, long addr, long sig)
{
	long kernel_req = req, r;

	if (sig < 0 || sig > RS_NSIG)
		return -EIO;
	if (t->shown == RS_VIEW)
		kernel_req = resume_view(t, req);
	else if (t->shown == RS_NEW_IMAGE)
		kernel_req = resume_image(t, req);
	else if (req != AX_SYSCALL)
		t->in_call = 0;
	if (t->shown == RS_NEW_IMAGE || t->shown == RS_HANDLER)
		sig = 0; /* ignored at such a stop */
	if ((req == AX_SYSEMU || req == AX_SYSEMU_SINGLESTEP) && sig)
		kernel_req = AX_SYSCALL; /* our own rt_sigreturn must not be skipped */
	if (t->shown != RS_VIEW && t->interrupt) {
		t->quiet = t->interrupt == RS_QUIET_STOP;
		t->interrupt = 0;
		rs_pt(AX_INTERRUPT, t->hid, 0, 0);
	}
	if (t->shown != RS_VIEW && !t->second && t->nparked && !t->restore) {
		t->restore = 1;
		if (!sig && t->shown == RS_LEFT)
			sig = t->parked[0].signo;
		else
			sp_sys2(__NR_tkill, t->hid, t->parked[0].signo);
	}
	if (sig)
		rs_pt(AX_PEEKUSER, t->hid, offsetof(struct ax_user_regs, orig_ax), (uint64_t)&t->orig);
	t->req = (int32_t)req;
	r = rs_pt(kernel_req, t->hid, (uint64_t)addr, (uint64_t)sig);
	if (r)
		return r;
	t->shown = RS_RUNS;
	t->seen = 0;
	t->status = 0;
	t->has_msg = 0;
	if (req == AX_DETACH)
		t->hid = 0;
	return 0;
}
