/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a tracee's stop: is it the program's to see, and with which registers; or is it internal, and how
 * does the tracee go on.
 *
 * Inside the resident a tracee runs by PTRACE_SYSCALL when something waits for the end of its call: the program
 * wants to see the exit, a signal or an interrupt is parked, a single step is in progress. All the stops this makes are
 * internal, but for a report, where the program's registers are put in place.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/wait.h>

#include "arch/x86_64/syscall.h"
#include "resident/below.h"
#include "resident/birth.h"
#include "resident/patch.h"
#include "resident/seccomp.h"
#include "resident/sigaction.h"
#include "resident/trace_stop.h"

#define SYS_SECCOMP_ 1
#define NR_EPOLL_PWAIT2 441
#define ENTERING 1 /* PTRACE_EVENTMSG_SYSCALL_ENTRY, _EXIT */
#define LEAVING 2

/* The registers are the program's: what was parked may come now. */
static enum rs_verdict release(struct rs_stop *s)
{
	struct rs_tracee *t = s->t;
	int sig = 0;

	if (t->interrupt) {
		t->interrupt = 0;
		rs_pt(AX_INTERRUPT, t->hid, 0, 0);
	}
	for (int n = 1; t->late && n <= RS_NSIG; n++)
		if (t->late & 1ul << (n - 1))
			sp_sys2(__NR_tkill, t->hid, n);
	t->late = 0;
	if (t->step) { /* first, as the kernel forces it */
		t->step = RS_STEP_GIVEN;
		sig = SIGTRAP;
	} else if (t->nparked && !t->restore) {
		t->restore = 1;
		sig = t->parked[0].signo;
	}
	return rs_stop_resume(s, t->req, sig);
}

/* The exit of a call that our filter sent to the resident: SIGSYS is on its way. */
static bool trap_pending(const struct rs_stop *s)
{
	struct {
		uint64_t off;
		uint32_t flags;
		int32_t nr;
	} arg = {0, 0, 4};
	struct ax_siginfo q[4];
	long n;

	if (s->r.ax != s->r.orig_ax)
		return false;
	n = rs_pt(AX_PEEKSIGINFO, s->t->hid, (uint64_t)&arg, (uint64_t)q);
	for (long i = 0; i < n; i++)
		if (q[i].signo == SIGSYS && q[i].code == SYS_SECCOMP_ && q[i].err == RS_TRAP_MAGIC)
			return true;
	return false;
}

static enum rs_verdict show_exit(struct rs_stop *s)
{
	struct rs_tracee *t = s->t;

	t->in_call = 0;
	/* Any stop is what PTRACE_INTERRUPT asked for (kernel/signal.c:ptrace_stop); but then the call must be restarted. */
	if (t->interrupt == RS_TRAP_STOP)
		t->interrupt = rs_is_restart(s->r.ax) ? RS_QUIET_STOP : 0;
	return rs_stop_show(s, RS_LEFT);
}

/* At rs_return_stop. */
static enum rs_verdict call_over(struct rs_stop *s)
{
	struct rs_tracee *t = s->t;
	struct rs_head f;
	bool again;

	if (rs_peek(t->hid, &f, s->r.di, sizeof(f)))
		return rs_stop_go_on(s);
	again = f.out_rip != f.regs.rip;
	if (again && !t->nparked && !t->interrupt && !t->birth && !t->step) {
		t->again = t->in_call;
		return rs_stop_resume(s, t->req == AX_SYSCALL ? AX_SYSCALL : t->req, 0);
	}
	/* Again, and something comes in between: as the kernel says it (ERESTARTNOINTR). */
	rs_stop_put_regs(s, &f.regs, f.regs.rip, again ? (uint64_t)-513l : (uint64_t)f.result,
			 f.regs.rax);
	rs_stop_set_regs(s);
	if (t->birth) {
		t->birth = 0;
		return release(s);
	}
	return rs_exit_wanted(t) ? show_exit(s) : release(s);
}

/* In rs_enter: the new program has not run an instruction. */
static enum rs_verdict new_image(struct rs_stop *s)
{
	struct rs_tracee *t = s->t;
	static const struct rs_regs none;
	uint64_t ip = s->r.si, sp = s->r.di;

	if (t->second) {
		t->second = 0;
		rs_pt(AX_SETREGS, t->hid, 0, (uint64_t)&t->regs);
		return show_exit(s);
	}
	/* At the event the result is not there yet: trace_resume.c. */
	rs_stop_put_regs(s, &none, ip, t->exec ? (uint64_t)-ENOSYS : 0, __NR_execve);
	s->r.sp = sp;
	s->r.cx = s->r.r11 = 0;
	s->r.flags = 0x200;
	rs_stop_set_regs(s);
	if (t->exec) {
		t->exec = 0;
		t->status = SIGTRAP | AX_EVENT_EXEC << 8;
		t->has_msg = 1;
		return rs_stop_show(s, RS_NEW_IMAGE);
	}
	return rs_exit_wanted(t) ? show_exit(s) : release(s);
}

/* The call is over here, with this result, and the kernel sees to the rest (ERESTART). */
static enum rs_verdict end_call(struct rs_stop *s, const struct rs_head *f, uint64_t frame, uint64_t ax)
{
	rs_stop_put_regs(s, &f->regs, f->regs.rip, ax, f->regs.rax);
	rs_stop_set_regs(s);
	rs_stop_set_phase(s, frame, RS_SHOWN);
	return rs_exit_wanted(s->t) ? show_exit(s) : release(s);
}

/* In rs_interrupted. */
static enum rs_verdict given_up(struct rs_stop *s)
{
	struct rs_head f;

	if (rs_peek(s->t->hid, &f, s->r.bx, sizeof(f)))
		return rs_stop_go_on(s);
	return end_call(s, &f, s->r.bx, (uint64_t)(int64_t)s->t->restart);
}

static bool at_gate(const struct rs_stop *s)
{
	return rs_stop_at(s, rs_gate_after) || rs_stop_at(s, rs_ask_after);
}

/*
 * Something is parked, and the real call is about to be made, which may wait for ever: it comes now, as it would to an
 * untraced task. A call that waits is interrupted, any other one is not.
 */
static enum rs_verdict gate_entered(struct rs_stop *s)
{
	struct rs_tracee *t = s->t;

	if (!rs_tracee_waits(t) || t->birth || !at_gate(s) || rs_stop_blocks_all(s))
		return rs_stop_go_on(s);
	/* The stop at its exit takes the place of the one this asks for. */
	if (t->interrupt)
		rs_pt(AX_INTERRUPT, t->hid, 0, 0);
	if (!t->nparked || t->restore)
		return rs_stop_go_on(s);
	t->restore = 1;
	return rs_stop_resume(s, AX_SYSCALL, t->parked[0].signo);
}

/* The exit of a real call. If it was interrupted, it is the exit of the program's. */
static enum rs_verdict gate_left(struct rs_stop *s)
{
	struct rs_head f;

	if ((!rs_exit_wanted(s->t) && !s->t->step && !s->t->interrupt) || !rs_is_restart(s->r.ax) ||
	    rs_stop_blocks_all(s) || rs_peek(s->t->hid, &f, s->r.bx, sizeof(f)))
		return rs_stop_go_on(s);
	return end_call(s, &f, s->r.bx, f.phase == RS_MORE ? (uint64_t)f.result : s->r.ax);
}

static enum rs_verdict call_left(struct rs_stop *s)
{
	struct rs_tracee *t = s->t;

	if (!rs_in_text(s->r.ip)) {
		if (trap_pending(s))
			return rs_stop_go_on(s);
		if (t->handler) {
			t->handler = 0;
			t->status = SIGTRAP;
			t->has_msg = 1;
			t->msg = 0;
			s->r.orig_ax = t->orig;
			rs_stop_set_regs(s);
			return rs_stop_show(s, RS_HANDLER);
		}
		/* Else it is the resident's rt_sigreturn. */
		return rs_exit_wanted(t) ? show_exit(s) : release(s);
	}
	if (rs_stop_at(s, rs_return_reported))
		return call_over(s);
	if (rs_stop_at(s, rs_enter_reported))
		return new_image(s);
	if (rs_stop_at(s, rs_interrupted_reported))
		return given_up(s);
	if (at_gate(s))
		return gate_left(s);
	/* From the trap's handler: the call begins. */
	if (s->r.ip == (uint64_t)rs_run && rs_tracee_waits(t))
		rs_stop_mark(s, s->r.di);
	return rs_stop_go_on(s);
}

static enum rs_verdict syscall_stop(struct rs_stop *s)
{
	struct rs_tracee *t = s->t;
	uint64_t which = 0;

	rs_pt(AX_GETEVENTMSG, t->hid, 0, (uint64_t)&which);
	if (which == LEAVING)
		return call_left(s);
	if (which == ENTERING) {
		if (rs_in_text(s->r.ip))
			return gate_entered(s);
		if (t->again) {
			t->again = 0;
			return rs_stop_go_on(s);
		}
		if (t->req == AX_CONT || rs_steps(t))
			return release(s);
		t->in_call = 1;
		return rs_stop_show(s, RS_ENTERED);
	}
	/* A step into a signal handler: kernel/signal.c:signal_delivered. */
	if (!rs_in_text(s->r.ip))
		return rs_stop_show(s, RS_PLAIN);
	t->handler = 1;
	return rs_stop_go_on(s);
}

/* Those that end elsewhere than in rs_return, and those that wait under a mask of their own. */
static bool runs_apart(const struct rs_tracee *t, int32_t nr)
{
	switch (nr) {
	case __NR_execve:
	case __NR_execveat:
		return !(t->options & AX_O_EXEC);
	case __NR_rt_sigreturn:
	case __NR_rt_sigsuspend:
	case __NR_ppoll:
	case __NR_pselect6:
	case __NR_epoll_pwait:
	case NR_EPOLL_PWAIT2:
	case __NR_io_pgetevents:
		return true;
	default:
		return false;
	}
}

/*
 * Whose end is to be seen is marked. Then it runs up to its report, but for calls that end elsewhere, and for what is
 * parked to come in between.
 */
static enum rs_verdict trapped(struct rs_stop *s)
{
	struct rs_tracee *t = s->t;

	if (t->req != AX_SYSCALL && !rs_steps(t) && !t->nparked && !t->interrupt)
		return rs_stop_resume(s, t->req, SIGSYS);
	s->si.err = RS_TRAP_TRACED;
	rs_pt(AX_SETSIGINFO, t->hid, 0, (uint64_t)&s->si);
	if (runs_apart(t, s->si.syscall) || rs_tracee_waits(t))
		return rs_stop_resume(s, AX_SYSCALL, SIGSYS);
	return rs_stop_resume(s, AX_CONT, SIGSYS);
}

/* The report of a call, or of a new image, which comes to a place of its own next. */
static enum rs_verdict reported(struct rs_stop *s)
{
	struct rs_tracee *t = s->t;
	uint64_t frame = s->si.call_addr;

	if (!frame)
		return rs_stop_go_on(s);
	if (!rs_exit_wanted(t) && !t->birth && !t->nparked && !t->interrupt && !rs_steps(t))
		return rs_stop_resume(s, t->req, 0);
	s->r.ip = (uint64_t)rs_return_stop;
	s->r.di = frame;
	s->r.orig_ax = RS_NR_NONE;
	rs_stop_set_regs(s);
	return rs_stop_go_on(s);
}

/* Its options are its parent's: of the one whose event names it, else of one that can be its parent. */
static void inherit(struct rs_stop *s)
{
	struct rs_tracee *t = s->t, *p;
	bool end;

	for (uint32_t i = 0; (p = rs_tracee_at(s->a, i, &end)) || !end; i++) {
		uint64_t msg = 0;

		if (!p || p == t || !(p->options & (AX_O_FORK | AX_O_VFORK | AX_O_CLONE)))
			continue;
		t->options = p->options;
		if (!rs_pt(AX_GETEVENTMSG, p->hid, 0, (uint64_t)&msg) && (int32_t)msg == t->hid)
			return;
	}
}

/* The child may be told of before its parent has published it, so that is done here. */
static int32_t child_number(struct rs_stop *s, struct rs_birth *b, int32_t child)
{
	int32_t creator = s->t->hid;
	int r = 0;

	if (b->flags & CLONE_NEWPID)
		child = rs_trace_keeper(s, child);
	if (rs_is_nested(creator))
		return child ? rs_trace_number(s, child) : 0;
	if (b->flags & CLONE_NEWPID)
		(void)!rs_trace_await(b->ref);
	else
		r = sp_pid_publish(RS_NS, &b->ref, sp_hpid_of(child));
	(void)r; /* if not: the child does not live, as its parent will find */
	return sp_ref_number(b->ref).n;
}

static enum rs_verdict clone_event(struct rs_stop *s)
{
	struct rs_tracee *t = s->t;
	struct ax_user_regs kernel = s->r;
	struct rs_head f;
	struct rs_birth b;
	uint64_t child = 0, frame = s->r.bx;

	rs_pt(AX_GETEVENTMSG, t->hid, 0, (uint64_t)&child);
	if (!rs_stop_at(s, rs_clone_gate_after) || rs_peek(t->hid, &f, frame, sizeof(f)) ||
	    rs_peek(t->hid, &b, frame + RS_BIRTH_OFF, sizeof(b))) {
		t->msg = (uint64_t)(uint32_t)rs_out_pid((int64_t)child);
	} else {
		struct rs_tracee *c;
		int32_t n;

		if (s->event == AX_EVENT_VFORK_DONE)
			n = rs_is_nested(t->hid) ? rs_out_past((int64_t)child)
						 : sp_ref_number(b.ref).n;
		else
			n = child_number(s, &b, (int32_t)child);
		t = s->t;
		t->msg = (uint64_t)(uint32_t)n;
		c = rs_tracee_find(s->a, (int32_t)child);
		if (c && c->tracer == t->tracer)
			c->options = t->options;
		rs_stop_put_regs(s, &f.regs, f.regs.rip, (uint64_t)-ENOSYS, f.regs.rax);
		t->regs = s->r;
		t->frame = frame;
		s->r = kernel;
	}
	t->has_msg = 1;
	return rs_stop_show(s, t->frame ? RS_VIEW : RS_PLAIN);
}

/*
 * The program's filter wants its tracer to see a call that is the resident's to make: what the tracer sees and writes
 * is the program's call, and what goes on is decided when it resumes.
 */
static enum rs_verdict seccomp_event(struct rs_stop *s)
{
	struct rs_tracee *t = s->t;
	struct rs_head f;

	if (!rs_stop_at(s, rs_ask_after) || rs_peek(t->hid, &f, s->r.bx, sizeof(f))) {
		t->in_call = 1;
		return rs_stop_show(s, RS_ENTERED);
	}
	t->frame = s->r.bx;
	t->asked = 1;
	rs_stop_put_regs(s, &f.regs, f.regs.rip, (uint64_t)-ENOSYS, f.regs.rax);
	t->regs = s->r;
	return rs_stop_show(s, RS_VIEW);
}

static enum rs_verdict event(struct rs_stop *s)
{
	struct rs_tracee *t = s->t, *old;
	uint64_t msg = 0, frame;
	struct rs_head f;

	switch (s->event) {
	case AX_EVENT_FORK:
	case AX_EVENT_VFORK:
	case AX_EVENT_CLONE:
	case AX_EVENT_VFORK_DONE:
		return clone_event(s);
	case AX_EVENT_EXEC:
		rs_pt(AX_GETEVENTMSG, t->hid, 0, (uint64_t)&msg);
		t->msg = (uint64_t)(uint32_t)rs_out_pid((int64_t)msg);
		if (!t->msg)
			t->msg = (uint64_t)(uint32_t)rs_out_past((int64_t)msg);
		old = (int32_t)msg == t->hid ? 0 : rs_tracee_find(s->a, (int32_t)msg);
		if (old) {
			t->req = old->req;
			t->in_call = old->in_call;
			old->hid = 0;
		}
		t->exec = 1;
		t->birth = t->again = t->handler = 0;
		return rs_poke(t->hid, (uint64_t)&rs_start_traced, 1) ? rs_stop_go_on(s)
								      : rs_stop_resume(s, AX_CONT, 0);
	case AX_EVENT_EXIT:
		frame = rs_in_text(s->r.ip) ? rs_stop_frame(s) : 0;
		if (!frame || rs_peek(t->hid, &f, frame, sizeof(f)))
			return rs_stop_show(s, RS_PLAIN);
		rs_stop_put_regs(s, &f.regs, f.regs.rip, (uint64_t)-ENOSYS, f.regs.rax);
		t->regs = s->r;
		t->frame = 0;
		return rs_stop_show(s, RS_VIEW);
	case AX_EVENT_SECCOMP:
		return seccomp_event(s);
	case AX_EVENT_STOP:
		if (t->quiet && s->sig == SIGTRAP) {
			t->quiet = 0;
			return rs_stop_resume(s, t->req, 0);
		}
		if (rs_in_text(s->r.ip))
			return rs_stop_inside(s);
		if (trap_pending(s)) {
			rs_stop_park(s);
			return rs_stop_go_on(s);
		}
		return rs_stop_show(s, RS_PLAIN);
	default:
		return rs_stop_show(s, RS_PLAIN);
	}
}

static enum rs_verdict judge(struct rs_stop *s)
{
	struct rs_tracee *t = s->t;

	if (rs_stop_at(s, rs_clone_gate_after) && !s->r.ax && !t->birth &&
	    (s->event == AX_EVENT_STOP || (!s->event && s->sig == SIGSTOP && s->has_info))) {
		if (s->made)
			inherit(s);
		else /* a number 1: it has its keeper's */
			rs_pt(AX_SETOPTIONS, t->hid, 0, t->options);
		return rs_stop_born(s);
	}
	if (s->event)
		return event(s);
	if (!s->has_info) /* a group stop */
		return rs_in_text(s->r.ip) ? rs_stop_inside(s) : rs_stop_show(s, RS_PLAIN);
	if (s->sig == SIGTRAP && (s->si.code == SIGTRAP || s->si.code == (SIGTRAP | 0x80)))
		return syscall_stop(s);
	if (s->sig == SIGSYS && s->si.code == SYS_SECCOMP_ && s->si.err == RS_TRAP_MAGIC)
		return trapped(s);
	if (s->sig == SIGSYS && s->si.code == RS_CODE_REPORT)
		return reported(s);
	if (s->si.code == RS_CODE_DIE || (s->sig == SIGSYS && s->si.code == RS_CODE_SERVE))
		return rs_stop_resume(s, t->req, s->sig);
	if (t->restore && t->nparked && s->sig == t->parked[0].signo) {
		s->si = t->parked[0];
		rs_pt(AX_SETSIGINFO, t->hid, 0, (uint64_t)&s->si);
		memmove(t->parked, t->parked + 1, sizeof(t->parked) - sizeof(t->parked[0]));
		t->nparked--;
		t->restore = 0;
	} else if (t->step == RS_STEP_GIVEN && s->sig == SIGTRAP) {
		s->si = t->trap;
		rs_pt(AX_SETSIGINFO, t->hid, 0, (uint64_t)&s->si);
		t->step = RS_NO_STEP;
	}
	return rs_in_text(s->r.ip) ? rs_stop_inside(s) : rs_stop_show(s, RS_PLAIN);
}

static bool waits_for_me(int32_t hid)
{
	struct ax_siginfo si;

	si.pid = 0;
	sp_sys6(__NR_waitid, 1 /* P_PID */, hid, (long)&si,
		(long)(WNOHANG | WNOWAIT | WSTOPPED | WEXITED | __WALL | __WNOTHREAD), 0, 0);
	return si.pid == hid;
}

static enum rs_verdict stopped(struct rs_area *a, int32_t hid, int32_t code, int32_t *ret_code)
{
	struct rs_stop s = {.a = a, .event = code >> 8, .sig = code & 0x7f};
	enum rs_verdict v;

	*ret_code = code;
	s.t = rs_tracee_find(a, hid);
	if (s.t && s.t->shown && s.t->seen == code) {
		if (s.t->status)
			*ret_code = s.t->status;
		return RS_SHOW;
	}
	/* An exec by another thread than the leader must be taken first: kernel/ptrace.c:looks_like_a_spurious_pid. */
	if (s.event == AX_EVENT_EXEC && rs_pt(AX_GETREGS, hid, 0, (uint64_t)&s.r) == -ESRCH)
		sp_sys4(__NR_wait4, hid, 0, (long)(WNOHANG | __WALL | __WNOTHREAD), 0);
	if (rs_pt(AX_GETREGS, hid, 0, (uint64_t)&s.r))
		return (s.t && s.t->tracer == a->htid.n) || waits_for_me(hid) ? RS_INTERNAL
									      : RS_NOT_OURS;
	if (!s.t) {
		s.t = rs_tracee_add(a, hid);
		s.made = true;
		rs_patch_attached(hid);
	}
	if (!s.t)
		return RS_SHOW;
	s.has_info = !rs_pt(AX_GETSIGINFO, hid, 0, (uint64_t)&s.si);
	s.t->shown = RS_RUNS;
	s.t->seen = code;
	s.t->status = 0;
	s.t->has_msg = s.t->exec; /* its message is kept until it is shown */
	s.t->frame = 0;
	s.t->asked = 0;
	s.t->dirty = 0;
	rs_stop_leave(&s);
	/* An internal stop has taken the place of the one that PTRACE_INTERRUPT asked for. */
	if (s.t->asked_stop && !s.t->interrupt)
		s.t->interrupt = RS_TRAP_STOP;
	v = judge(&s);
	if (v == RS_SHOW) {
		s.t->asked_stop = 0;
		if (s.t->interrupt == RS_TRAP_STOP)
			s.t->interrupt = 0;
		if (s.t->status)
			*ret_code = s.t->status;
	}
	return v;
}

enum rs_verdict rs_trace_stop(struct rs_area *a, int32_t hid, int32_t code, int32_t *ret_code)
{
	enum rs_verdict v;

	rs_trace_lock();
	v = stopped(a, hid, code, ret_code);
	rs_trace_unlock();
	return v;
}
