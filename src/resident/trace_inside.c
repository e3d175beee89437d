/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stop inside the resident that the program is to see: at once, with the registers of its own interrupted call, or
 * when the call is over.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "resident/trace_stop.h"

#define FIRST_RT 32
#define SI_TKILL_ (-6)

enum rs_verdict rs_stop_show(struct rs_stop *s, enum rs_shown how)
{
	s->t->shown = (uint8_t)how;
	return RS_SHOW;
}

enum rs_verdict rs_stop_resume(struct rs_stop *s, long req, int sig)
{
	rs_pt(req, s->t->hid, 0, (uint64_t)sig);
	return RS_INTERNAL;
}

/* On, up to the next stop of any kind. */
enum rs_verdict rs_stop_go_on(struct rs_stop *s)
{
	return rs_stop_resume(s, AX_SYSCALL, 0);
}

void rs_stop_put_regs(struct rs_stop *s, const struct rs_regs *p, uint64_t ip, uint64_t ax, uint64_t orig)
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

void rs_stop_set_regs(struct rs_stop *s)
{
	rs_pt(AX_SETREGS, s->t->hid, 0, (uint64_t)&s->r);
}

void rs_stop_mark(struct rs_stop *s, uint64_t frame)
{
	rs_poke(s->t->hid, frame + offsetof(struct rs_frame, traced), 1);
}

void rs_stop_set_phase(struct rs_stop *s, uint64_t frame, enum rs_phase phase)
{
	rs_poke(s->t->hid, frame + offsetof(struct rs_frame, phase), phase);
}

/* What stopped it comes again later: a signal, or a stop without one. */
void rs_stop_park(struct rs_stop *s)
{
	struct rs_tracee *t = s->t;

	if (s->event == AX_EVENT_STOP) {
		t->interrupt = s->sig == SIGTRAP ? RS_TRAP_STOP : RS_GROUP_STOP;
		return;
	}
	/* One of a kind, of the thread's and of the process's: kernel/signal.c:legacy_queue. */
	for (uint32_t i = 0; i < t->nparked; i++)
		if (s->sig < FIRST_RT && t->parked[i].signo == s->sig &&
		    (t->parked[i].code == SI_TKILL_) == (s->si.code == SI_TKILL_))
			return;
	if (t->nparked < RS_PARKED)
		t->parked[t->nparked++] = s->si;
	else
		t->late |= 1ul << (s->sig - 1);
}

bool rs_stop_blocks_all(const struct rs_stop *s)
{
	uint64_t mask = 0;

	rs_pt(AX_GETSIGMASK, s->t->hid, 8, (uint64_t)&mask);
	return !~(mask | 1ul << (SIGKILL - 1) | 1ul << (SIGSTOP - 1));
}

/* The area a stack pointer of the resident's lies in, or 0. */
static uint64_t area_of(uint64_t sp)
{
	uint64_t area = sp & ~(RS_AREA_SIZE - 1);

	return area == (uint64_t)rs_main_area || (area >= SP_AREAS_ADDR && area < SP_AREAS_END) ? area
												: 0;
}

/* The frame of the call a stop is in; 0: none yet, or no more. */
uint64_t rs_stop_frame(struct rs_stop *s)
{
	uint64_t area = area_of(s->r.sp), frame = 0;

	if (rs_stop_at(s, rs_gate_after) || rs_stop_at(s, rs_ask_after) ||
	    rs_stop_at(s, rs_clone_gate_after))
		return s->r.bx;
	if (!area) /* the last instruction of rs_return */
		return area_of(s->r.r11) ? s->r.r11 : 0;
	rs_peek(s->t->hid, &frame, area + offsetof(struct rs_area, cur), 8);
	return area_of(frame) ? frame : 0;
}

static bool at_gate(const struct rs_stop *s)
{
	return rs_stop_at(s, rs_gate_after) || rs_stop_at(s, rs_ask_after);
}

/* In its real call, which the kernel ended for what stopped it. */
static bool interrupted(const struct rs_stop *s)
{
	return at_gate(s) && rs_is_restart(s->r.ax);
}

/* In its real call: it is given up, and the kernel makes it again or not as it does without us. */
static enum rs_verdict give_up(struct rs_stop *s, const struct rs_head *f, uint64_t frame)
{
	struct rs_tracee *t = s->t;

	if ((rs_exit_wanted(t) || t->step) && s->has_info) {
		rs_stop_park(s);
		t->restart = (int32_t)s->r.ax;
		s->r.ip = (uint64_t)rs_interrupted;
		s->r.di = frame;
		s->r.orig_ax = RS_NR_NONE;
		rs_stop_set_regs(s);
		return rs_stop_go_on(s);
	}
	rs_stop_put_regs(s, &f->regs, f->regs.rip, s->r.ax, f->regs.rax);
	rs_stop_set_regs(s);
	rs_stop_set_phase(s, frame, RS_SHOWN);
	return rs_stop_show(s, RS_PLAIN);
}

/* With a final result: it returns, at once or from the start of rs_return. */
static enum rs_verdict return_now(struct rs_stop *s, const struct rs_head *f, uint64_t frame)
{
	struct rs_tracee *t = s->t;
	uint64_t top = 0;

	if ((rs_exit_wanted(t) || t->step) && s->has_info) {
		rs_peek(t->hid, &top, area_of(frame) + offsetof(struct rs_area, call_top), 8);
		rs_stop_park(s);
		rs_poke(t->hid, frame + offsetof(struct rs_frame, out_rip), f->regs.rip);
		s->r.ip = (uint64_t)rs_return_stop;
		s->r.di = frame;
		s->r.sp = (top - 64) & ~15ul;
		s->r.orig_ax = RS_NR_NONE;
		rs_stop_set_regs(s);
		return rs_stop_go_on(s);
	}
	rs_stop_put_regs(s, &f->regs, f->regs.rip, (uint64_t)f->result, f->regs.rax);
	rs_stop_set_regs(s);
	rs_stop_set_phase(s, frame, RS_IDLE);
	return rs_stop_show(s, RS_PLAIN);
}

/* A signal, or a stop without one, inside the resident. */
enum rs_verdict rs_stop_inside(struct rs_stop *s)
{
	struct rs_tracee *t = s->t;
	uint64_t frame = rs_stop_frame(s);
	bool handler = area_of(s->r.sp) && s->r.sp - area_of(s->r.sp) > RS_AREA_SIZE - RS_ALT_SIZE;
	bool step = rs_steps(t) && s->sig == SIGTRAP && s->has_info && s->si.code > 0;
	struct rs_head f;
	bool blocked;

	if (!frame || rs_peek(t->hid, &f, frame, sizeof(f)))
		f.phase = RS_IDLE;
	if (!s->has_info && f.phase == RS_IDLE)
		return rs_stop_show(s, RS_PLAIN);
	if (handler || f.phase == RS_IDLE || f.phase == RS_SHOWN) {
		rs_stop_park(s);
		return rs_stop_go_on(s);
	}
	blocked = rs_stop_blocks_all(s);
	if (!s->has_info && (blocked || f.phase == RS_AFTER || rs_behind_gate(s->r.ip)) &&
	    !interrupted(s))
		return rs_stop_show(s, RS_PLAIN);
	/* Not yet in its real call, or behind it: it goes on, and what is parked interrupts it there if it waits. */
	if (s->has_info && (step || blocked || (f.phase != RS_DONE && !interrupted(s)))) {
		if (step && !t->step) {
			t->step = RS_STEPPED;
			t->trap = s->si;
		} else {
			rs_stop_park(s);
		}
		rs_stop_mark(s, frame);
		return rs_tracee_waits(t) ? rs_stop_go_on(s) : rs_stop_resume(s, AX_CONT, 0);
	}
	if (!interrupted(s))
		s->r.ax = (uint64_t)-513l; /* ERESTARTNOINTR */
	/* What RS_MORE has so far is the result. */
	return f.phase == RS_DONE || f.phase == RS_MORE ? return_now(s, &f, frame)
							: give_up(s, &f, frame);
}

/* The first stop of what was born traced: on to the program, in the registers clone leaves it with. */
enum rs_verdict rs_stop_born(struct rs_stop *s)
{
	uint64_t cur = 0;

	rs_peek(s->t->hid, &cur, s->r.r12 + offsetof(struct rs_area, cur), 8);
	rs_stop_mark(s, cur);
	s->t->birth = 1;
	s->t->seized = s->event == AX_EVENT_STOP;
	rs_stop_park(s);
	return rs_stop_resume(s, AX_CONT, 0);
}
