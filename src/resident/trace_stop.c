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
#include <linux/signal.h>
#include <linux/wait.h>

#include "arch/x86_64/syscall.h"
#include "resident/birth.h"
#include "resident/sigaction.h"
#include "resident/trace.h"

#define SYS_SECCOMP_ 1
#define ENTERING 1 /* PTRACE_EVENTMSG_SYSCALL_ENTRY, _EXIT */
#define LEAVING 2
#define NR_NONE (~0ul)

/* What is read of a frame. */
struct head {
	struct rs_regs regs;
	uint64_t phase;
	int64_t result, raw, nr, a[6];
	uint64_t out_rip;
};
_Static_assert(offsetof(struct head, out_rip) == offsetof(struct rs_frame, out_rip), "layout");

struct stop {
	struct rs_area *a;
	struct rs_tracee *t;
	int event, sig;
	bool has_info, made;
	struct ax_siginfo si;
	struct ax_user_regs r;
};

static bool in_text(uint64_t ip)
{
	return ip >= (uint64_t)rs_text_start && ip < (uint64_t)rs_text_end;
}

static bool at(const struct stop *s, const char *label)
{
	return s->r.ip == (uint64_t)label;
}

static bool steps(const struct rs_tracee *t)
{
	return t->req == AX_SINGLESTEP || t->req == AX_SINGLEBLOCK;
}

/* include/linux/errno.h: ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK */
static bool is_restart(uint64_t ax)
{
	int64_t r = (int64_t)ax;

	return r == -512 || r == -513 || r == -514 || r == -516;
}

static enum rs_verdict show(struct stop *s, enum rs_shown how)
{
	s->t->shown = (uint8_t)how;
	return RS_SHOW;
}

static enum rs_verdict resume(struct stop *s, long req, int sig)
{
	rs_pt(req, s->t->hid, 0, (uint64_t)sig);
	return RS_INTERNAL;
}

/* On, up to the next stop of any kind. */
static enum rs_verdict go_on(struct stop *s)
{
	return resume(s, AX_SYSCALL, 0);
}

static void put_regs(struct stop *s, const struct rs_regs *p, uint64_t ip, uint64_t ax, uint64_t orig)
{
	struct ax_user_regs *r = &s->r;

	r->di = p->rdi;
	r->si = p->rsi;
	r->dx = p->rdx;
	r->r10 = p->r10;
	r->r8 = p->r8;
	r->r9 = p->r9;
	r->bx = p->rbx;
	r->bp = p->rbp;
	r->r12 = p->r12;
	r->r13 = p->r13;
	r->r14 = p->r14;
	r->r15 = p->r15;
	r->sp = p->rsp;
	r->flags = p->rflags;
	r->ip = ip;
	r->ax = ax;
	r->orig_ax = orig;
	r->cx = p->rip;
	r->r11 = p->rflags;
}

static void set_regs(struct stop *s)
{
	rs_pt(AX_SETREGS, s->t->hid, 0, (uint64_t)&s->r);
}

static void mark(struct stop *s, uint64_t frame)
{
	rs_poke(s->t->hid, frame + offsetof(struct rs_frame, traced), 1);
}

static void set_phase(struct stop *s, uint64_t frame, enum rs_phase phase)
{
	rs_poke(s->t->hid, frame + offsetof(struct rs_frame, phase), phase);
}

/* What stopped it comes again later: a signal, or a stop without one. */
static void park(struct stop *s)
{
	struct rs_tracee *t = s->t;

	if (s->event == AX_EVENT_STOP)
		t->interrupt = 1;
	else if (t->nparked < RS_PARKED)
		t->parked[t->nparked++] = s->si;
	else
		sp_sys2(__NR_tkill, t->hid, s->sig);
}

/* The registers are the program's: what was parked may come now. */
static enum rs_verdict release(struct stop *s)
{
	struct rs_tracee *t = s->t;
	int sig = 0;

	if (t->interrupt) {
		t->interrupt = 0;
		rs_pt(AX_INTERRUPT, t->hid, 0, 0);
	}
	if (t->nparked && !t->restore) {
		t->restore = 1;
		sig = t->parked[0].signo;
	}
	return resume(s, t->req, sig);
}

/* The exit of a call that our filter sent to the resident: SIGSYS is on its way. */
static bool trap_pending(const struct stop *s)
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

/* The program's exit of the call in progress, if it wants to see it. */
static bool exit_wanted(struct rs_tracee *t)
{
	return t->in_call && t->req == AX_SYSCALL;
}

static enum rs_verdict show_exit(struct stop *s)
{
	s->t->in_call = 0;
	return show(s, RS_LEFT);
}

/* The report of rs_return. */
static enum rs_verdict call_over(struct stop *s)
{
	struct rs_tracee *t = s->t;
	struct head f;
	bool again;

	if (rs_peek(t->hid, &f, s->r.di, sizeof(f)))
		return go_on(s);
	again = f.out_rip != f.regs.rip;
	if (again && !t->nparked && !t->interrupt && !t->birth) {
		t->again = t->in_call;
		return resume(s, t->req == AX_SYSCALL ? AX_SYSCALL : t->req, 0);
	}
	/* Again, and something comes in between: as the kernel says it (ERESTARTNOINTR). */
	put_regs(s, &f.regs, f.regs.rip, again ? (uint64_t)-513l : (uint64_t)f.result, f.regs.rax);
	set_regs(s);
	if (t->birth) {
		t->birth = 0;
		return release(s);
	}
	return exit_wanted(t) ? show_exit(s) : release(s);
}

/* The report of rs_enter: the new program has not run an instruction. */
static enum rs_verdict new_image(struct stop *s)
{
	struct rs_tracee *t = s->t;
	static const struct rs_regs none;
	uint64_t ip = s->r.si, sp = s->r.di;

	if (t->second) {
		t->second = 0;
		rs_pt(AX_SETREGS, t->hid, 0, (uint64_t)&t->regs);
		return show_exit(s);
	}
	put_regs(s, &none, ip, 0, __NR_execve);
	s->r.sp = sp;
	s->r.cx = s->r.r11 = 0;
	s->r.flags = 0x200;
	set_regs(s);
	if (t->exec) {
		t->exec = 0;
		t->status = SIGTRAP | AX_EVENT_EXEC << 8;
		t->has_msg = 1;
		return show(s, RS_NEW_IMAGE);
	}
	return exit_wanted(t) ? show_exit(s) : release(s);
}

/* The report of rs_interrupted. */
static enum rs_verdict given_up(struct stop *s)
{
	struct rs_tracee *t = s->t;
	uint64_t frame = s->r.bx;
	struct head f;

	if (rs_peek(t->hid, &f, frame, sizeof(f)))
		return go_on(s);
	put_regs(s, &f.regs, f.regs.rip, (uint64_t)(int64_t)t->restart, f.regs.rax);
	set_regs(s);
	set_phase(s, frame, RS_SHOWN);
	return exit_wanted(t) ? show_exit(s) : release(s);
}

static bool blocks_all(const struct stop *s)
{
	uint64_t mask = 0;

	rs_pt(AX_GETSIGMASK, s->t->hid, 8, (uint64_t)&mask);
	return !~(mask | 1ul << (SIGKILL - 1) | 1ul << (SIGSTOP - 1));
}

static enum rs_verdict call_left(struct stop *s)
{
	struct rs_tracee *t = s->t;
	struct head f;

	if (!in_text(s->r.ip)) {
		if (trap_pending(s))
			return go_on(s);
		if (t->handler) {
			t->handler = 0;
			t->status = SIGTRAP;
			return show(s, RS_HANDLER);
		}
		/* Else it is the resident's rt_sigreturn. */
		return exit_wanted(t) ? show_exit(s) : release(s);
	}
	if (at(s, rs_return_reported))
		return call_over(s);
	if (at(s, rs_enter_reported))
		return new_image(s);
	if (at(s, rs_interrupted_reported))
		return given_up(s);
	if (at(s, rs_gate_after) && exit_wanted(t) && is_restart(s->r.ax) && !blocks_all(s) &&
	    !rs_peek(t->hid, &f, s->r.bx, sizeof(f)) && f.phase == RS_CALL) {
		put_regs(s, &f.regs, f.regs.rip, s->r.ax, f.regs.rax);
		set_regs(s);
		set_phase(s, s->r.bx, RS_SHOWN);
		return show_exit(s);
	}
	return go_on(s);
}

static enum rs_verdict syscall_stop(struct stop *s)
{
	struct rs_tracee *t = s->t;
	uint64_t which = 0;

	rs_pt(AX_GETEVENTMSG, t->hid, 0, (uint64_t)&which);
	if (which == LEAVING)
		return call_left(s);
	if (which == ENTERING) {
		if (in_text(s->r.ip))
			return go_on(s);
		if (t->again) {
			t->again = 0;
			return go_on(s);
		}
		if (t->req == AX_CONT || steps(t))
			return release(s);
		t->in_call = 1;
		return show(s, RS_ENTERED);
	}
	/* A step into a signal handler: kernel/signal.c:signal_delivered. */
	if (!in_text(s->r.ip))
		return show(s, RS_PLAIN);
	t->handler = 1;
	return go_on(s);
}

static enum rs_verdict trapped(struct stop *s)
{
	struct rs_tracee *t = s->t;

	if (t->req != AX_SYSCALL && !steps(t) && !t->nparked && !t->interrupt)
		return resume(s, t->req, SIGSYS);
	s->si.err = RS_TRAP_TRACED;
	rs_pt(AX_SETSIGINFO, t->hid, 0, (uint64_t)&s->si);
	return resume(s, AX_SYSCALL, SIGSYS);
}

/* The area a stack pointer of the resident's lies in, or 0. */
static uint64_t area_of(uint64_t sp)
{
	uint64_t area = sp & ~(RS_AREA_SIZE - 1);

	return area == (uint64_t)rs_main_area || (area >= SP_AREAS_ADDR && area < SP_AREAS_END) ? area
												: 0;
}

/* The frame of the call a stop is in; 0: none yet, or no more. */
static uint64_t frame_of(struct stop *s)
{
	uint64_t area = area_of(s->r.sp), frame = 0;

	if (at(s, rs_gate_after) || at(s, rs_clone_gate_after))
		return s->r.bx;
	if (!area) /* the last instruction of rs_return */
		return area_of(s->r.r11) ? s->r.r11 : 0;
	rs_peek(s->t->hid, &frame, area + offsetof(struct rs_area, cur), 8);
	return area_of(frame) ? frame : 0;
}

/* Before its real call: it is given up, and the kernel makes it again or not as it does without us. */
static enum rs_verdict give_up(struct stop *s, const struct head *f, uint64_t frame)
{
	struct rs_tracee *t = s->t;
	uint64_t how = at(s, rs_gate_after) && is_restart(s->r.ax) ? s->r.ax : (uint64_t)-513l;

	if (exit_wanted(t) && s->has_info) {
		park(s);
		t->restart = (int32_t)how;
		s->r.ip = (uint64_t)rs_interrupted;
		s->r.di = frame;
		s->r.orig_ax = NR_NONE;
		set_regs(s);
		return go_on(s);
	}
	put_regs(s, &f->regs, f->regs.rip, how, f->regs.rax);
	set_regs(s);
	set_phase(s, frame, RS_SHOWN);
	return show(s, RS_PLAIN);
}

/* With a final result: it returns, at once or from the start of rs_return. */
static enum rs_verdict return_now(struct stop *s, const struct head *f, uint64_t frame)
{
	struct rs_tracee *t = s->t;
	uint64_t top = 0;

	if (exit_wanted(t) && s->has_info) {
		rs_peek(t->hid, &top, area_of(frame) + offsetof(struct rs_area, call_top), 8);
		park(s);
		mark(s, frame);
		s->r.ip = (uint64_t)rs_return;
		s->r.di = frame;
		s->r.sp = (top - 64) & ~15ul;
		s->r.orig_ax = NR_NONE;
		set_regs(s);
		return go_on(s);
	}
	put_regs(s, &f->regs, f->regs.rip, (uint64_t)f->result, NR_NONE);
	set_regs(s);
	set_phase(s, frame, RS_IDLE);
	return show(s, RS_PLAIN);
}

/* A signal, or a stop without one, inside the resident. */
static enum rs_verdict inside(struct stop *s)
{
	struct rs_tracee *t = s->t;
	uint64_t frame = frame_of(s), ip = s->r.ip;
	bool handler = area_of(s->r.sp) && s->r.sp - area_of(s->r.sp) > RS_AREA_SIZE - RS_ALT_SIZE;
	bool step = steps(t) && s->sig == SIGTRAP && s->has_info && s->si.code > 0;
	struct head f;

	if (!frame || rs_peek(t->hid, &f, frame, sizeof(f)))
		f.phase = RS_IDLE;
	if (!s->has_info && f.phase == RS_IDLE)
		return show(s, RS_PLAIN);
	if (handler || f.phase == RS_IDLE || f.phase == RS_SHOWN) {
		park(s);
		return go_on(s);
	}
	if (step || blocks_all(s) || f.phase == RS_AFTER ||
	    (f.phase == RS_CALL && ip >= (uint64_t)rs_gate_after && ip <= (uint64_t)rs_gate_end &&
	     !(at(s, rs_gate_after) && is_restart(s->r.ax)))) {
		if (!s->has_info)
			return show(s, RS_PLAIN);
		park(s);
		mark(s, frame);
		return go_on(s);
	}
	return f.phase == RS_DONE ? return_now(s, &f, frame) : give_up(s, &f, frame);
}

/* The first stop of what was born traced: on to the program, in the registers clone leaves it with. */
static enum rs_verdict born(struct stop *s)
{
	uint64_t cur = 0;

	rs_peek(s->t->hid, &cur, s->r.r12 + offsetof(struct rs_area, cur), 8);
	mark(s, cur);
	s->t->birth = 1;
	s->t->seized = s->event == AX_EVENT_STOP;
	park(s);
	return go_on(s);
}

/* Its options are its parent's: of the one whose event names it, else of one that can be its parent. */
static void inherit(struct stop *s)
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
static enum rs_verdict clone_event(struct stop *s)
{
	struct rs_tracee *t = s->t;
	struct ax_user_regs kernel = s->r;
	struct head f;
	struct rs_birth b;
	uint64_t child = 0, frame = s->r.bx;
	int published = 0;

	rs_pt(AX_GETEVENTMSG, t->hid, 0, (uint64_t)&child);
	if (!at(s, rs_clone_gate_after) || rs_peek(t->hid, &f, frame, sizeof(f)) ||
	    rs_peek(t->hid, &b, frame + RS_BIRTH_OFF, sizeof(b))) {
		t->msg = (uint64_t)(uint32_t)rs_out_pid((int64_t)child);
	} else {
		struct rs_tracee *c = rs_tracee_find(s->a, (int32_t)child);

		t->msg = (uint64_t)(uint32_t)sp_ref_number(b.ref).n;
		if (s->event != AX_EVENT_VFORK_DONE)
			published = sp_pid_publish(RS_NS, &b.ref, sp_hpid_of((int32_t)child));
		(void)published; /* if not: the child does not live, as its parent will find */
		if (c && c->tracer == t->tracer)
			c->options = t->options;
		put_regs(s, &f.regs, f.regs.rip, (uint64_t)-ENOSYS, f.regs.rax);
		t->regs = s->r;
		t->frame = frame;
		s->r = kernel;
	}
	t->has_msg = 1;
	return show(s, t->frame ? RS_VIEW : RS_PLAIN);
}

static enum rs_verdict event(struct stop *s)
{
	struct rs_tracee *t = s->t, *old;
	uint64_t msg = 0, frame;
	struct head f;

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
			t->msg = (uint64_t)(uint32_t)sp_pid_recall(RS_NS, sp_hpid_of((int32_t)msg)).n;
		old = (int32_t)msg == t->hid ? 0 : rs_tracee_find(s->a, (int32_t)msg);
		if (old) {
			t->req = old->req;
			t->in_call = old->in_call;
			old->hid = 0;
		}
		t->exec = 1;
		t->birth = t->again = t->handler = 0;
		return go_on(s);
	case AX_EVENT_EXIT:
		frame = in_text(s->r.ip) ? frame_of(s) : 0;
		if (!frame || rs_peek(t->hid, &f, frame, sizeof(f)))
			return show(s, RS_PLAIN);
		put_regs(s, &f.regs, f.regs.rip, (uint64_t)-ENOSYS, f.regs.rax);
		t->regs = s->r;
		t->frame = 0;
		return show(s, RS_VIEW);
	case AX_EVENT_STOP:
		if (in_text(s->r.ip))
			return inside(s);
		if (trap_pending(s)) {
			park(s);
			return go_on(s);
		}
		return show(s, RS_PLAIN);
	default:
		return show(s, RS_PLAIN);
	}
}

static enum rs_verdict judge(struct stop *s)
{
	struct rs_tracee *t = s->t;

	if (at(s, rs_clone_gate_after) && !s->r.ax && !t->birth &&
	    (s->event == AX_EVENT_STOP || (!s->event && s->sig == SIGSTOP && s->has_info))) {
		if (s->made)
			inherit(s);
		return born(s);
	}
	if (s->event)
		return event(s);
	if (!s->has_info) /* a group stop */
		return in_text(s->r.ip) ? inside(s) : show(s, RS_PLAIN);
	if (s->sig == SIGTRAP && (s->si.code == SIGTRAP || s->si.code == (SIGTRAP | 0x80)))
		return syscall_stop(s);
	if (s->sig == SIGSYS && s->si.code == SYS_SECCOMP_ && s->si.err == RS_TRAP_MAGIC)
		return trapped(s);
	if (in_text(s->r.ip))
		return inside(s);
	if (t->restore && t->nparked && s->sig == t->parked[0].signo) {
		rs_pt(AX_SETSIGINFO, t->hid, 0, (uint64_t)&t->parked[0]);
		memmove(t->parked, t->parked + 1, sizeof(t->parked) - sizeof(t->parked[0]));
		t->nparked--;
		t->restore = 0;
	}
	return show(s, RS_PLAIN);
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
	struct stop s = {.a = a, .event = code >> 8, .sig = code & 0x7f};
	enum rs_verdict v;

	*ret_code = code;
	s.t = rs_tracee_find(a, hid);
	if (s.t && s.t->shown && s.t->seen == code) {
		if (s.t->status)
			*ret_code = s.t->status;
		return RS_SHOW;
	}
	if (rs_pt(AX_GETREGS, hid, 0, (uint64_t)&s.r))
		return waits_for_me(hid) ? RS_INTERNAL : RS_NOT_OURS;
	if (!s.t) {
		s.t = rs_tracee_add(a, hid);
		s.made = true;
	}
	if (!s.t)
		return RS_SHOW;
	s.has_info = !rs_pt(AX_GETSIGINFO, hid, 0, (uint64_t)&s.si);
	s.t->shown = RS_RUNS;
	s.t->seen = code;
	s.t->status = 0;
	s.t->has_msg = s.t->exec; /* its message is kept until it is shown */
	s.t->frame = 0;
	s.t->dirty = 0;
	v = judge(&s);
	if (v == RS_SHOW && s.t->status)
		*ret_code = s.t->status;
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
