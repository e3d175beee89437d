/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one kernel-level signal handler. A SIGSYS of our filter is redirected to the call's handler; any
 * other signal is presented to the program as if the resident were not there: the context is the
 * program's own, si_pid is a number of the namespace, stack and mask are the ones it asked for.
 *
 * The kernel's frame lies on the area's alternate stack with all signals blocked (SIGSYS too: the
 * resident's own calls do not trap). The program's frame is a
 * copy on the program's stack; our own return by rt_sigreturn enters the program's handler and sets its mask in
 * one step, so there is no moment in which a second signal finds half a delivery.
 */
#include "resident/resident.h"

#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "resident/init.h"
#include "resident/patch.h"
#include "resident/seccomp.h"
#include "resident/sigaction.h"
#include "resident/trace.h"
#include "resident/user.h"

#define SI_USER_ 0
#define SI_TKILL_ (-6)
#define SI_MESGQ_ (-3)
#define SI_KERNEL_ 0x80
#define SYS_SECCOMP_ 1
#define USER_CS 0x33 /* arch/x86/include/asm/segment.h: __USER_CS, __USER_DS */
#define USER_DS 0x2b
#define CODE_FORWARDED (-8171) /* a SIGSYS handed on by a thread that has it blocked */
#define FORWARDED_AT 104       /* in ax_siginfo.raw: its si_code */

_Alignas(RS_AREA_SIZE) __attribute__((section(".bss.z_area"))) char rs_main_area[RS_AREA_SIZE];
struct rs_sighand rs_main_hand;

void rs_signal(int sig, struct ax_siginfo *si, struct ax_ucontext *uc, struct rs_area *a);

static bool in_text(uint64_t ip)
{
	return ip >= (uint64_t)rs_text_start && ip < (uint64_t)rs_text_end;
}

static void regs_save(struct rs_regs *r, const struct ax_sigcontext *mc)
{
	*r = (struct rs_regs){
		.rdi = mc->rdi,
		.rsi = mc->rsi,
		.rdx = mc->rdx,
		.r10 = mc->r10,
		.r8 = mc->r8,
		.r9 = mc->r9,
		.rax = mc->rax,
		.rip = mc->rip,
		.rsp = mc->rsp,
		.rflags = mc->rflags,
		.rbx = mc->rbx,
		.rbp = mc->rbp,
		.r12 = mc->r12,
		.r13 = mc->r13,
		.r14 = mc->r14,
		.r15 = mc->r15,
	};
}

static void regs_load(struct ax_sigcontext *mc, const struct rs_regs *r)
{
	mc->rdi = r->rdi;
	mc->rsi = r->rsi;
	mc->rdx = r->rdx;
	mc->r10 = r->r10;
	mc->r8 = r->r8;
	mc->r9 = r->r9;
	mc->rsp = r->rsp;
	mc->rflags = r->rflags;
	mc->rbx = r->rbx;
	mc->rbp = r->rbp;
	mc->r12 = r->r12;
	mc->r13 = r->r13;
	mc->r14 = r->r14;
	mc->r15 = r->r15;
	mc->rcx = r->rip;
	mc->r11 = r->rflags;
}

static void redirect(struct ax_ucontext *uc, struct rs_area *a, enum rs_judged judged, bool traced)
{
	struct rs_frame *f = a->cur;

	regs_save(&f->regs, &uc->mc);
	f->judged = judged;
	f->hot = judged == RS_JUDGED_OURS && !traced &&
		 rs_patch_count(a, uc->mc.rip, (uint32_t)uc->mc.rax);
	f->has_temp_mask = 0;
	f->late = 0;
	f->waited = 0;
	f->traced = traced;
	f->phase = RS_RESTART;
	uc->mc.rip = (uint64_t)rs_run;
	uc->mc.rsp = a->call_top;
	uc->mc.rdi = (uint64_t)f;
	uc->mc.rsi = (uint64_t)a;
	uc->mc.rflags &= ~(AX_EFLAGS_TF | AX_EFLAGS_DF);
}

/*
 * Makes uc the program's own context. Returns the mask that was in force as the program knows it, which is
 * the one of a waiting call when the signal ended that wait.
 */
static uint64_t present(struct ax_ucontext *uc, struct rs_area *a, bool restarts)
{
	struct rs_frame *f = a->cur;
	uint64_t rip, mask = rs_mask_shown(a, uc->sigmask);
	uint64_t phase = f->phase;
	long r = RS_REWIND;

	rs_patch_leave(uc, a);
	rip = uc->mc.rip;
	if (phase == RS_SHOWN) {
		/* What the interrupted wait would have told us, had its tracer not been faster. */
		f->phase = RS_IDLE;
		if (rip == f->regs.rip && (int64_t)uc->mc.rax == -EINTR && f->has_temp_mask) {
			f->raw = -EINTR;
			f->finish(f);
			mask = f->temp_mask;
		}
		return mask;
	}
	/* Without a call in progress (at the end of exec) there is no program context yet. */
	if (!in_text(rip) || phase == RS_IDLE)
		return mask;
	if ((phase == RS_CALL || phase == RS_MORE) && rs_behind_gate(rip)) {
		f->raw = (int64_t)uc->mc.rax;
		phase = RS_AFTER;
		if (f->has_temp_mask && f->raw == -EINTR)
			mask = f->temp_mask;
	}
	if (phase == RS_AFTER)
		r = (f->late ? f->late : f->finish)(f);
	else if (phase == RS_DONE || phase == RS_MORE)
		r = f->result;
	if (r == RS_REWIND && f->waited && !restarts && !(phase == RS_AFTER && !f->raw)) {
		f->raw = -EINTR;
		r = f->finish(f);
		r = r == RS_REWIND ? -EINTR : r;
	}
	regs_load(&uc->mc, &f->regs);
	uc->mc.rip = r == RS_REWIND ? f->regs.rip - 2 : f->regs.rip;
	uc->mc.rax = r == RS_REWIND ? f->regs.rax : (uint64_t)r;
	if (r != RS_REWIND)
		f->granted_rip = 0;
	f->phase = RS_IDLE;
	return mask;
}

/* si_band of POLL_IN .. POLL_HUP (fs/fcntl.c), which lies where si_pid and si_uid do. */
static bool is_band(const struct ax_siginfo *si)
{
	static const uint16_t band[6] = {0x41, 0x304, 0x441, 0x8, 0x82, 0x18};

	return !si->uid && si->pid == band[si->code - 1];
}

/*
 * Signals that children were made to end with: with it the number lies where otherwise an address does, under codes
 * that faults have as well. An exec forgets it; the kernel then says SIGCHLD (kernel/signal.c:do_notify_parent).
 */
static _Atomic uint64_t exit_signals;

void rs_siginfo_exit_signal(int sig)
{
	if (sig > 0 && sig <= RS_NSIG && sig != SIGCHLD)
		atomic_fetch_or(&exit_signals, RS_BIT(sig));
}

bool rs_siginfo_is_end(int sig, int code, int32_t hid)
{
	return code >= 1 && code <= 3 && atomic_load(&exit_signals) & RS_BIT(sig) && rs_out_past(hid);
}

/* Whether the kernel wrote a process number into si_pid: kernel/signal.c:siginfo_layout. */
bool rs_siginfo_carries_pid(int sig, const struct ax_siginfo *si)
{
	if (si->code == SI_USER_ || si->code == SI_TKILL_ || si->code == SI_MESGQ_)
		return true;
	if (si->code < 1 || si->code > 6)
		return false;
	switch (sig) {
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGTRAP:
	case SIGSYS:
		return rs_siginfo_is_end(sig, si->code, si->pid);
	case SIGCHLD:
		return true;
	default: /* CLD_*, if it is the exit signal clone was given; else F_SETSIG's */
		return !is_band(si);
	}
}

void rs_siginfo_convert(struct ax_siginfo *si)
{
	if (si->signo <= 0 || !rs_siginfo_carries_pid(si->signo, si) || si->pid < 0)
		return;
	if (si->pid & RS_FORGED)
		si->pid &= ~RS_FORGED;
	else
		si->pid = rs_out_past(si->pid);
}

static uint64_t fp_size(uint64_t fp)
{
	const uint32_t *sw = (const uint32_t *)(fp + AX_FPX_SW_OFF);

	return sw[0] == AX_FP_XSTATE_MAGIC1 ? sw[1] : AX_FXSAVE_SIZE;
}

/*
 * Whether a frame that cannot be written on this stack is a SIGSEGV the program handles on another one. If not,
 * writing it faults while everything is blocked, and the kernel ends the process as it would have.
 */
static bool segv_elsewhere(const struct rs_area *a)
{
	const struct ax_sigaction *segv = &a->hand->act[SIGSEGV - 1];

	return a->alt.size && a->hand->known & RS_BIT(SIGSEGV) && segv->handler > 1 &&
	       segv->flags & SA_ONSTACK;
}

/*
 * The frame the kernel would have built: arch/x86/kernel/signal.c:get_sigframe. Returns its address, 0 if
 * it does not fit the alternate stack or the stack cannot be written.
 */
static struct ax_rt_sigframe *build(struct ax_ucontext *uc, const struct ax_siginfo *si,
				    const struct ax_sigaction *act, struct rs_area *a)
{
	uint64_t sp = uc->mc.rsp - AX_REDZONE, fp = 0, n = 0;
	struct ax_rt_sigframe *fr;
	bool alternate = a->alt.size && rs_altstack_inside(a, uc->mc.rsp);

	/* include/linux/sched/signal.h:sas_ss_flags */
	if (act->flags & SA_ONSTACK && a->alt.size && !alternate) {
		alternate = true;
		sp = a->alt.sp + a->alt.size;
	}
	if (uc->mc.fpstate) {
		n = fp_size(uc->mc.fpstate);
		fp = (sp - n) & ~63ul;
		sp = fp;
	}
	fr = (struct ax_rt_sigframe *)(((sp - sizeof(*fr)) & ~15ul) - 8);
	if (alternate && (uint64_t)fr < a->alt.sp)
		return 0;
	if (!alternate && segv_elsewhere(a) &&
	    rs_user_writable((uint64_t)fr, uc->mc.rsp - AX_REDZONE - (uint64_t)fr))
		return 0;
	memcpy((void *)fp, (const void *)uc->mc.fpstate, n);
	fr->pretcode = act->restorer;
	fr->uc = *uc;
	fr->uc.mc.fpstate = fp;
	fr->uc.stack = a->alt;
	fr->uc.sigmask = rs_mask_shown(a, uc->sigmask);
	if (a->alt.flags & (int)SS_AUTODISARM)
		a->alt = (struct ax_stack){.flags = SS_DISABLE};
	fr->info = *si;
	return fr;
}

/*
 * The program's rt_sigreturn: its frame becomes the context that our own return restores. The frame's
 * stack and mask are the program's view, so they are taken apart here (kernel/signal.c:restore_altstack,
 * arch/x86/kernel/signal_64.c:sys_rt_sigreturn). A frame that cannot be read kills, as in the kernel.
 */
static void program_sigreturn(struct ax_ucontext *uc, struct rs_area *a)
{
	const struct ax_ucontext *from = (const struct ax_ucontext *)uc->mc.rsp;
	struct ax_stack kernel = uc->stack;
	uint64_t sp = uc->mc.rsp; /* still the handler's */

	uc->flags = from->flags;
	uc->link = from->link;
	uc->mc = from->mc;
	uc->sigmask = from->sigmask & RS_MASK_ALL;
	uc->stack = kernel;
	a->sigsys_blocked = !!(from->sigmask & RS_SIGSYS_BIT);
	rs_init_mask_note(a, from->sigmask);
	if (!rs_altstack_check(a, &from->stack, sp))
		rs_altstack_set(a, &from->stack);
}

/* One sent to the process is another thread's to take, if that has it not blocked. */
static void hold_sigsys(const struct ax_siginfo *si, struct rs_area *a)
{
	struct rs_area *other = si->code == SI_TKILL_ ? 0 : rs_area_open_to_sigsys(a);
	struct ax_siginfo fwd = *si;

	/* To another thread only a code below 0 may be sent: kernel/signal.c:do_rt_tgsigqueueinfo. */
	fwd.code = CODE_FORWARDED;
	memcpy(fwd.raw + FORWARDED_AT, &si->code, sizeof(si->code));
	if (other && !sp_sys4(__NR_rt_tgsigqueueinfo, a->htgid.n, other->htid.n, SIGSYS, (long)&fwd))
		return;
	if (!a->sigsys_pending)
		a->sigsys_info = *si;
	a->sigsys_pending = 1;
}

/* The default of a signal that ends the process, as soon as this handler returns. */
static void die_of(int sig, struct ax_ucontext *uc, const struct rs_area *a)
{
	struct ax_sigaction dfl = {.handler = 0};
	struct ax_siginfo si;

	memset(&si, 0, sizeof(si));
	si.signo = sig;
	si.code = RS_CODE_DIE;
	rs_kernel_sigaction(sig, &dfl, 0);
	if (sp_sys4(__NR_rt_tgsigqueueinfo, a->htgid.n, a->htid.n, sig, (long)&si))
		sp_sys3(__NR_tgkill, a->htgid.n, a->htid.n, sig);
	uc->sigmask &= ~RS_BIT(sig);
}

/* What the kernel does with a signal at default, for one that reached us: SIGSYS, or a lost race. */
static void act_default(int sig, const struct ax_siginfo *si, struct ax_ucontext *uc,
			const struct rs_area *a)
{
	/* Number 1 is immune, but for a SIGSYS that the kernel forces (code > 0). */
	if (a->tgid.n != 1 || (sig == SIGSYS && si->code > 0))
		die_of(sig, uc, a);
}

/* A seccomp filter's trap; a program may send itself what looks like one. */
static bool is_trap(const struct ax_siginfo *si, const struct ax_sigcontext *mc)
{
	return si->code == SYS_SECCOMP_ && si->call_addr == mc->rip &&
	       si->syscall == (int32_t)mc->rax && !in_text(mc->rip);
}

void rs_signal(int sig, struct ax_siginfo *si, struct ax_ucontext *uc, struct rs_area *a)
{
	struct ax_sigaction act;
	struct ax_rt_sigframe *fr;
	enum rs_judged judged = RS_JUDGED_SIGNAL;
	bool forced = sig == SIGSYS && is_trap(si, &uc->mc);
	uint64_t mask;

	if (sig == SIGSYS && si->code == RS_CODE_REPORT)
		return;
	if (sig == SIGSYS && si->code == RS_CODE_SERVE) {
		rs_trace_look(a, si->pid);
		return;
	}
	if (sig == SIGSYS && si->code == CODE_FORWARDED)
		memcpy(&si->code, si->raw + FORWARDED_AT, sizeof(si->code));
	if (forced) {
		uint32_t nr = rs_patch_number(uc->mc.rip, (uint32_t)si->syscall);

		if (nr != (uint32_t)si->syscall)
			uc->mc.rax = nr;
		si->syscall = (int32_t)nr;
		judged = rs_seccomp_judge(si, uc, a);
	}
	if (judged != RS_JUDGED_SIGNAL) {
		if (si->syscall != __NR_rt_sigreturn || judged != RS_JUDGED_OURS) {
			redirect(uc, a, judged, si->err == RS_TRAP_TRACED);
			return;
		}
		program_sigreturn(uc, a);
		if (a->sigsys_blocked || !a->sigsys_pending)
			return;
		*si = a->sigsys_info; /* unblocked with the frame's mask */
		a->sigsys_pending = 0;
		forced = false;
	} else if (forced && (a->sigsys_blocked || rs_sigaction_ignored(a, sig))) {
		/* kernel/signal.c:force_sig_info_to_task */
		die_of(sig, uc, a);
		return;
	} else if (sig == SIGSYS && a->sigsys_blocked && !(uc->sigmask & RS_SIGSYS_BIT)) {
		/* (Blocked in the kernel as well: mask.c waits for it.) */
		hold_sigsys(si, a);
		return;
	}
	if (!rs_sigaction_take(a, sig, &act)) {
		if (act.handler == 0)
			act_default(sig, si, uc, a);
		return;
	}
	mask = present(uc, a, act.flags & SA_RESTART);
	rs_siginfo_convert(si);
	fr = build(uc, si, &act, a);
	if (!fr && sig != SIGSEGV && !(mask & RS_BIT(SIGSEGV)) && rs_sigaction_take(a, SIGSEGV, &act)) {
		/* kernel/signal.c:force_sigsegv: the handler of SIGSEGV is told instead, if it can be */
		sig = SIGSEGV;
		memset(si, 0, sizeof(*si));
		si->signo = SIGSEGV;
		si->code = SI_KERNEL_;
		fr = build(uc, si, &act, a);
	}
	if (!fr) {
		die_of(SIGSEGV, uc, a);
		return;
	}
	uc->mc.rip = act.handler;
	uc->mc.cs = USER_CS; /* also when it interrupts compatibility mode */
	uc->mc.ss = USER_DS;
	uc->mc.rsp = (uint64_t)fr;
	uc->mc.rdi = (uint64_t)sig;
	uc->mc.rsi = (uint64_t)&fr->info;
	uc->mc.rdx = (uint64_t)&fr->uc;
	uc->mc.rax = 0;
	uc->mc.rflags &= ~(AX_EFLAGS_DF | AX_EFLAGS_RF | AX_EFLAGS_TF);
	uc->mc.fpstate = 0; /* a handler starts with a clean FPU */
	mask |= act.mask;
	if (!(act.flags & SA_NODEFER))
		mask |= RS_BIT(sig);
	uc->sigmask = mask & RS_MASK_ALL;
	a->sigsys_blocked = !!(mask & RS_SIGSYS_BIT);
	rs_init_mask_note(a, mask);
}

void rs_altstack_install(struct rs_area *a)
{
	struct ax_stack st = {
		.sp = RS_ALT_STACK(a),
		.size = RS_ALT_SIZE,
	};

	sp_sys2(__NR_sigaltstack, (long)&st, 0);
}
