/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptrace: the numbers of requests, and the requests that a stop inside the resident answers otherwise than the kernel
 * (trace.h). Every other request is the kernel's own.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "resident/handlers.h"
#include "resident/patch.h"
#include "resident/sigaction.h"
#include "resident/trace.h"
#include "resident/user.h"

#define NT_PRSTATUS 1
#define INFO_MAX 96u /* struct ptrace_syscall_info */
#define MOMENT_NS 20000
#define MOMENTS 50

/*
 * The tracee of a vfork child's parent would stop before its tracer wakes up; so what asks to be traced there is when
 * it executes, and the tracer sees the same.
 */
static long traceme(struct rs_frame *f, struct rs_area *a)
{
	/* Number 1's parent, and a joiner's, is the supervisor. */
	if (!rs_out_pid(sp_sys0(__NR_getppid)))
		return -EPERM;
	rs_patch_traced(a->tgid);
	if (!a->level)
		return rs_call(f, rs_finish_raw);
	if (f->traced || a->levels[a->level].traceme)
		return -EPERM;
	a->levels[a->level].traceme = 1;
	return 0;
}

void rs_traceme_now(struct rs_area *a)
{
	if (!a->level || !a->levels[a->level].traceme)
		return;
	a->levels[a->level].traceme = 0;
	rs_pt(AX_TRACEME, 0, 0, 0);
}

static long attach(struct rs_area *a, long req, int32_t hid, uint64_t addr, uint64_t data)
{
	struct rs_tracee *t;
	long r;

	rs_patch_traced(rs_ref_group(sp_pid_find(RS_NS, sp_pid_number(RS_NS, sp_hpid_of(hid)))));
	r = rs_pt(req, hid, addr, data);

	if (r)
		return r;
	rs_patch_attached(hid);
	rs_trace_lock();
	rs_tracee_drop(a, hid);
	t = rs_tracee_add(a, hid);
	if (t && req == AX_SEIZE) {
		t->seized = 1;
		t->options = (uint32_t)data;
	}
	rs_trace_unlock();
	return 0;
}

/* kernel/signal.c:ptrace_notify fills in the tracee itself. */
static bool is_notice(const struct ax_siginfo *si)
{
	return si->signo == SIGTRAP && (si->code & 0x7f) == SIGTRAP && si->code < 0x10000 &&
	       (si->code == SIGTRAP || si->code == (SIGTRAP | 0x80) || si->code >> 8);
}

static void info_out(struct ax_siginfo *si)
{
	if (is_notice(si) || (si->code >> 8 == AX_EVENT_STOP && si->code > 0))
		si->pid = rs_out_past(si->pid);
	else
		rs_siginfo_convert(si);
}

static long get_siginfo(struct rs_tracee *t, uint64_t data)
{
	struct ax_siginfo si;
	long r = rs_pt(AX_GETSIGINFO, t->hid, 0, (uint64_t)&si);

	if (r)
		return r;
	info_out(&si);
	if (t->status)
		si.code = t->status;
	return rs_user_write(data, &si, sizeof(si));
}

static long set_siginfo(struct rs_tracee *t, uint64_t data)
{
	struct ax_siginfo si;
	long r = rs_user_read(&si, data, sizeof(si));

	if (r)
		return r;
	if (rs_siginfo_carries_pid(si.signo, &si) && si.pid >= 0)
		si.pid |= RS_FORGED;
	return rs_pt(AX_SETSIGINFO, t->hid, 0, (uint64_t)&si);
}

static long peek_siginfo(struct rs_tracee *t, uint64_t addr, uint64_t data)
{
	struct {
		uint64_t off;
		uint32_t flags;
		int32_t nr;
	} arg;
	long r = rs_user_read(&arg, addr, sizeof(arg)), done = 0;

	if (r)
		return r;
	if (arg.nr < 0 || arg.flags & ~1u)
		return -EINVAL;
	for (int32_t left = arg.nr; left; left--, done++) {
		struct ax_siginfo si;

		arg.nr = 1;
		r = rs_pt(AX_PEEKSIGINFO, t->hid, (uint64_t)&arg, (uint64_t)&si);
		if (r == 1) {
			info_out(&si);
			r = rs_user_write(data, &si, sizeof(si));
			r = r ? r : 1;
		}
		if (r != 1)
			return done ? done : r;
		arg.off++;
		data += sizeof(si);
	}
	return done;
}

static long get_regset(struct rs_tracee *t, uint64_t data, bool set)
{
	struct {
		uint64_t base, len;
	} iov;
	long r = rs_user_read(&iov, data, sizeof(iov));

	if (r)
		return r;
	if (iov.len % 8)
		return -EINVAL;
	if (iov.len > sizeof(t->regs))
		iov.len = sizeof(t->regs);
	if (set) {
		struct ax_user_regs regs = t->regs;

		r = rs_user_read(&regs, iov.base, iov.len);
		if (!r) {
			t->regs = regs;
			t->dirty = 1;
		}
	} else {
		r = rs_user_write(iov.base, &t->regs, iov.len);
	}
	return r ? r : rs_user_write(data + 8, &iov.len, 8);
}

/* Registers in an event of the resident's: true if answered. */
static bool view(struct rs_tracee *t, long req, uint64_t addr, uint64_t data, long *r)
{
	struct ax_user_regs regs;

	switch (req) {
	case AX_GETREGS:
		*r = rs_user_write(data, &t->regs, sizeof(t->regs));
		return true;
	case AX_SETREGS:
		*r = rs_user_read(&regs, data, sizeof(regs));
		if (*r)
			return true;
		t->regs = regs;
		t->dirty = 1;
		return true;
	case AX_PEEKUSER:
		if (addr % 8 || addr >= sizeof(t->regs))
			return false;
		*r = rs_user_write(data, (char *)&t->regs + addr, 8);
		return true;
	case AX_POKEUSER:
		if (addr % 8 || addr >= offsetof(struct ax_user_regs, ss) ||
		    addr == offsetof(struct ax_user_regs, cs))
			return false;
		memcpy((char *)&t->regs + addr, &data, 8);
		t->dirty = 1;
		*r = 0;
		return true;
	case AX_GETREGSET:
	case AX_SETREGSET:
		if (addr != NT_PRSTATUS)
			return false;
		*r = get_regset(t, data, req == AX_SETREGSET);
		return true;
	default:
		return false;
	}
}

/* struct ptrace_syscall_info: op, arch, instruction and stack pointer. */
static long syscall_info(struct rs_tracee *t, uint64_t size, uint64_t data)
{
	uint64_t info[INFO_MAX / 8];
	long n;

	memset(info, 0, sizeof(info));
	n = rs_pt(AX_GET_SYSCALL_INFO, t->hid, sizeof(info), (uint64_t)info);
	if (n < 0)
		return n;
	if ((t->shown == RS_VIEW && !t->asked) || t->shown == RS_NEW_IMAGE || t->shown == RS_HANDLER) {
		*(uint8_t *)info = 0; /* PTRACE_SYSCALL_INFO_NONE */
		n = 24;
	}
	if (t->shown == RS_VIEW) {
		info[1] = t->regs.ip;
		info[2] = t->regs.sp;
	}
	if (rs_user_write(data, info, size < (uint64_t)n ? size : (uint64_t)n))
		return -EFAULT;
	return n;
}

static long sigmask(struct rs_tracee *t, long req, uint64_t addr, uint64_t data)
{
	uint64_t mask;
	uint64_t saved = t->frame + offsetof(struct rs_frame, saved_mask);
	bool in_view = t->shown == RS_VIEW && t->frame;
	long r;

	if (addr != 8)
		return -EINVAL;
	if (req == AX_GETSIGMASK) {
		r = in_view ? rs_peek(t->hid, &mask, saved, 8)
			    : rs_pt(req, t->hid, addr, (uint64_t)&mask);
		return r ? r : rs_user_write(data, &mask, 8);
	}
	r = rs_user_read(&mask, data, 8);
	if (r)
		return r;
	mask &= RS_MASK_ALL & ~(1ul << (SIGKILL - 1)) & ~(1ul << (SIGSTOP - 1));
	return in_view ? rs_poke(t->hid, saved, mask) : rs_pt(req, t->hid, addr, (uint64_t)&mask);
}

/* A tracee that is shown as stopped; lock held. */
static long request(struct rs_tracee *t, long req, uint64_t addr, uint64_t data)
{
	struct ax_user_regs regs;
	long r;

	/* Whether it still is, and still ours. */
	r = rs_pt(AX_GETREGS, t->hid, 0, (uint64_t)&regs);
	if (r)
		return r;
	if (t->shown == RS_VIEW && view(t, req, addr, data, &r))
		return r;
	switch (req) {
	case AX_CONT:
	case AX_SYSCALL:
	case AX_SINGLESTEP:
	case AX_SINGLEBLOCK:
	case AX_SYSEMU:
	case AX_SYSEMU_SINGLESTEP:
	case AX_DETACH:
		return rs_trace_resume(t, req, (long)addr, (long)data);
	case AX_LISTEN:
		r = rs_pt(req, t->hid, addr, data);
		if (!r) {
			t->shown = RS_RUNS;
			t->seen = 0;
			t->req = AX_CONT;
		}
		return r;
	case AX_SETOPTIONS:
	case AX_OLDSETOPTIONS:
		r = rs_pt(req, t->hid, addr, data);
		if (!r)
			t->options = (uint32_t)data;
		return r;
	case AX_GETEVENTMSG:
		return t->has_msg ? rs_user_write(data, &t->msg, 8) : rs_pt(req, t->hid, addr, data);
	case AX_GETSIGINFO:
		return get_siginfo(t, data);
	case AX_SETSIGINFO:
		return set_siginfo(t, data);
	case AX_PEEKSIGINFO:
		return peek_siginfo(t, addr, data);
	case AX_GET_SYSCALL_INFO:
		return syscall_info(t, addr, data);
	case AX_GETSIGMASK:
	case AX_SETSIGMASK:
		return sigmask(t, req, addr, data);
	default:
		return rs_pt(req, t->hid, addr, data);
	}
}

/*
 * A tracee in a stop of its own is shown. One in an internal stop may have been on its way to one for long, if its tracer
 * has not waited: it gets a moment to come there.
 */
static bool settles(struct rs_area *a, int32_t hid)
{
	uint64_t ts[2] = {0, MOMENT_NS};
	bool found = false;

	for (int i = 0; i < MOMENTS; i++) {
		enum rs_verdict v = rs_trace_look(a, hid);

		if (v == RS_SHOW)
			return true;
		found |= v == RS_INTERNAL;
		if (!found)
			return false;
		if (v != RS_INTERNAL)
			sp_sys2(__NR_nanosleep, (long)ts, 0);
	}
	return false;
}

long rs_h_ptrace(struct rs_frame *f, struct rs_area *a)
{
	long req = f->a[0], r;
	int32_t hid;
	struct rs_tracee *t;

	if (req == AX_TRACEME)
		return traceme(f, a);
	hid = rs_in_task(a, (int32_t)f->a[1]);
	if (hid == RS_NOBODY) {
		f->a[1] = hid;
		return rs_call(f, rs_finish_raw);
	}
	rs_block(f);
	if (req == AX_ATTACH || req == AX_SEIZE) {
		r = attach(a, req, hid, (uint64_t)f->a[2], (uint64_t)f->a[3]);
	} else if (req == AX_INTERRUPT || req == AX_KILL) {
		rs_trace_lock();
		t = rs_tracee_find(a, hid);
		if (t && req == AX_INTERRUPT) { /* so the next one is the program's */
			t->quiet = 0;
			if (!t->shown)
				t->asked_stop = 1;
			else if (t->interrupt == RS_QUIET_STOP || !t->interrupt)
				t->interrupt = RS_TRAP_STOP; /* after the one that is shown */
		}
		rs_trace_unlock();
		r = rs_pt(req, hid, (uint64_t)f->a[2], (uint64_t)f->a[3]);
	} else if (settles(a, hid)) {
		rs_trace_lock();
		t = rs_tracee_find(a, hid);
		r = t ? request(t, req, (uint64_t)f->a[2], (uint64_t)f->a[3]) : -ESRCH;
		rs_trace_unlock();
	} else {
		r = -ESRCH; /* not stopped, or not ours */
	}
	return rs_unblock(f, r);
}
