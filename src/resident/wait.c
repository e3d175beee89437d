/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait4 and waitid. The child's number must be read while the kernel still holds its host number, so a wait
 * looks first (waitid with WNOWAIT, the part that may sleep) and then takes exactly what it saw. A signal
 * that comes between the two (mostly the child's own SIGCHLD) takes at its entry: in the kernel a wait that
 * has found a child never loses it to the handler. What a tracee stops for inside the resident is not the
 * program's to see (trace.h): it goes on, and so does the wait.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/wait.h>

#include "arch/x86_64/syscall.h"
#include "resident/below.h"
#include "resident/handlers.h"
#include "resident/resident.h"
#include "resident/trace.h"
#include "resident/user.h"

#define CLD_EXITED 1
#define CLD_DUMPED 3
#define CLD_TRAPPED 4
#define STAT_PPID 4 /* proc(5) */
#define NAP_NS 500000
#define ASK_TRIES 3 /* how often it asks the thread that traces before it says "nothing yet" */
#define W_ANY (__WNOTHREAD | __WCLONE | __WALL)
#define W_CHILD ((int)(long)(__WALL | __WCLONE))

static struct ax_siginfo *seen(struct rs_frame *f)
{
	return (struct ax_siginfo *)f->scratch;
}

/* Something to take: RS_REWIND. */
static long finish_look(struct rs_frame *f)
{
	return f->raw || !seen(f)->pid ? f->raw : RS_REWIND;
}

/* The six fields that kernel/exit.c:sys_waitid stores. */
static long store(uint64_t to, const struct ax_siginfo *si)
{
	long r;

	if (!to)
		return 0;
	r = rs_user_write(to, si, 12);
	return r ? r : rs_user_write(to + 16, &si->pid, 12);
}

/* waitid stores an empty answer whenever it has none to give, errors included. */
static long finish_look_id(struct rs_frame *f)
{
	struct ax_siginfo none;

	if (!f->raw && seen(f)->pid)
		return RS_REWIND;
	memset(&none, 0, sizeof(none));
	return store(f->regs.rdx, &none) ? -EFAULT : f->raw;
}

/* The two calls differ in what they say when there is nothing, and in how they take. */
struct way {
	rs_finish finish, late;
};

static long look(struct rs_frame *f, int idtype, int32_t id, uint32_t options, struct way way)
{
	f->nr = __NR_waitid;
	f->a[0] = idtype;
	f->a[1] = id;
	f->a[2] = (long)seen(f);
	f->a[3] = (long)(options | WNOWAIT);
	f->a[4] = 0;
	f->a[5] = 0;
	seen(f)->pid = 0;
	seen(f)->signo = 0;
	seen(f)->code = 0;
	return rs_call_late(f, way.finish, way.late);
}

/* As finish_look, in a wait that only looks now and then: nothing to take means again. */
static long finish_poll(struct rs_frame *f)
{
	return f->raw ? f->raw : RS_REWIND;
}

static long finish_again(struct rs_frame *f)
{
	(void)f;
	return RS_REWIND;
}

static void nap(struct rs_frame *f)
{
	uint64_t *ts = &f->scratch[30];

	f->waited = 1;

	ts[0] = 0;
	ts[1] = NAP_NS;
	f->nr = __NR_nanosleep;
	f->a[0] = (long)ts;
	f->a[1] = 0;
	rs_call(f, finish_again);
}

/* An exit code as the kernel has it and as it is shown. */
struct code {
	int32_t kernel, shown;
};

static bool keeper_is_ours(const struct rs_area *a, int32_t init)
{
	struct sp_ref ref = sp_pid_find_host(RS_NS, sp_hpid_of(init));
	int32_t keeper = ref.slot == SP_NO_SLOT ? 0 : sp_ref_keeper(RS_NS, ref).n;

	return keeper && keeper != init && (int32_t)rs_stat_field(keeper, 4) == a->htgid.n;
}

/* Whether what was seen is the program's to see. Signals are blocked, or this is a signal's entry. */
static enum rs_verdict judge(struct rs_area *a, const struct ax_siginfo *si, struct code *code)
{
	*code = (struct code){si->status, si->status};
	if (si->code == CLD_TRAPPED) {
		enum rs_verdict v = rs_trace_stop(a, si->pid, si->status, &code->shown);

		if (v == RS_NOT_OURS)
			rs_trace_ask(a, si->pid);
		return v;
	}
	if (si->code <= CLD_DUMPED && rs_trace_used(a)) {
		rs_trace_lock();
		rs_tracee_drop(a, si->pid);
		rs_trace_unlock();
		/* To its parent a traced child ends once, when all of its namespace has. */
		if (keeper_is_ours(a, si->pid)) {
			sp_sys4(__NR_wait4, si->pid, 0, W_CHILD | WNOHANG, 0);
			return RS_INTERNAL;
		}
	}
	return RS_SHOW;
}

/*
 * At a signal's entry: takes what was seen. If that is none of the program's concern, the signal has found the wait
 * asleep.
 */
static long late(struct rs_frame *f, uint32_t options, long (*take)(struct rs_frame *, struct code))
{
	long r = f->finish(f);
	struct code code;

	if (r != RS_REWIND || !seen(f)->pid)
		return r;
	if (judge(rs_area_here(), seen(f), &code) == RS_SHOW)
		return take(f, code);
	f->waited = !(options & WNOHANG);
	f->raw = -EINTR;
	seen(f)->pid = 0;
	return RS_REWIND;
}

/*
 * Looks for the next child that the program may see: RS_REWIND if there is one, else the wait's result. A wait for
 * one child lets other tracees go on too, for which it must look again and again.
 */
static long next(struct rs_frame *f, struct rs_area *a, int idtype, int32_t id, uint32_t options,
		 struct way way, struct code *code)
{
	int tries = ASK_TRIES;

	for (;;) {
		struct ax_siginfo *si = seen(f);
		enum rs_verdict v = RS_SHOW;
		bool poll = false;
		long r;

		if (idtype != P_ALL && !(options & WNOHANG) && rs_trace_used(a)) {
			rs_block(f);
			poll = rs_trace_serve(a, idtype == P_PID ? id : 0);
			rs_unblock(f, RS_REWIND);
		}
		r = poll ? look(f, idtype, id, options | WNOHANG, (struct way){finish_poll, way.late})
			 : look(f, idtype, id, options, way);
		if (r != RS_REWIND)
			return r;
		if (!si->pid) {
			nap(f);
			continue;
		}
		*code = (struct code){si->status, si->status};
		if (si->code == CLD_TRAPPED || (si->code <= CLD_DUMPED && rs_trace_used(a))) {
			rs_block(f);
			v = judge(a, si, code);
			if (v == RS_INTERNAL && !(options & WNOHANG))
				f->waited = 1;
			rs_unblock(f, RS_REWIND);
		}
		if (v == RS_NOT_OURS) {
			if (options & WNOHANG && !tries--) {
				si->pid = 0;
				f->raw = 0;
				return way.finish(f);
			}
			nap(f);
		} else if (v != RS_INTERNAL) {
			return RS_REWIND;
		}
	}
}

/*
 * A tracer that is not the parent takes an exit too, and leaves the zombie to the parent
 * (kernel/exit.c:wait_task_zombie): the number is free only when the task is gone.
 */
static void retire_if_gone(struct sp_ref ref, int32_t hid)
{
	if (sp_sys2(__NR_kill, hid, 0) == -ESRCH)
		sp_pid_retire(RS_NS, ref);
}

static void reaped(int32_t hid, sp_vpid n)
{
	struct sp_ref ref = sp_pid_find(RS_NS, n);

	if (ref.slot == SP_NO_SLOT || rs_ref_waited(ref) != hid)
		return;
	if (rs_trace_used(rs_area_here()))
		retire_if_gone(ref, hid);
	else
		sp_pid_retire(RS_NS, ref);
}

/*
 * An orphan of a namespace below, which has come to us because its keeper was killed. Who traces one has it for a
 * child without being its parent.
 */
static bool is_foreign(const struct ax_siginfo *si, sp_vpid n)
{
	struct sp_ref ref = sp_pid_find(RS_NS, n);

	return si->code <= CLD_DUMPED && n.n >= RS_NS->seq_end && ref.slot != SP_NO_SLOT &&
	       sp_word_flags(ref.word) & SP_F_NESTED && !sp_ref_keeper(RS_NS, ref).n &&
	       rs_stat_field(si->pid, STAT_PPID) == (uint64_t)sp_sys0(__NR_getpid);
}

/* A child the namespace does not know (never published) is not the program's to see. */
static bool drop_hidden(struct rs_frame *f)
{
	sp_vpid n = sp_pid_recall(RS_NS, sp_hpid_of(seen(f)->pid));

	if (n.n && !is_foreign(seen(f), n))
		return false;
	sp_sys4(__NR_wait4, seen(f)->pid, 0, W_CHILD | WNOHANG | WUNTRACED | WCONTINUED, 0);
	return true;
}

/* The program's pointers come last, as in the kernel. Signals are blocked, or this is a signal's entry. */
static long take4(struct rs_frame *f, struct code code)
{
	int32_t hid = seen(f)->pid, status = 0;
	sp_vpid n = sp_pid_number(RS_NS, sp_hpid_of(hid));
	uint32_t options = (uint32_t)f->regs.rdx | WNOHANG;
	long r;

	if (drop_hidden(f) || !n.n)
		return RS_REWIND;
	r = sp_sys4(__NR_wait4, hid, (long)&status, (long)options, (long)f->regs.r10);
	if (r == 0 || r == -ECHILD) /* a sibling was faster */
		return RS_REWIND;
	if (r != hid && r != -EFAULT)
		return r;
	if ((status & 0xff) == 0x7f && status >> 8 == code.kernel)
		status = code.shown << 8 | 0x7f;
	/* Dead, not stopped, continued or trapped (wait(2)). */
	if ((status & 0x7f) != 0x7f)
		reaped(hid, n);
	if (f->regs.rsi && rs_user_write(f->regs.rsi, &status, sizeof(status)))
		return -EFAULT;
	return r == hid ? n.n : r;
}

static long late4(struct rs_frame *f)
{
	return late(f, (uint32_t)f->regs.rdx, take4);
}

/* A tracer waits for the init itself, a parent for its keeper. */
static int32_t waited(struct rs_area *a, struct sp_ref ref)
{
	int32_t hid = sp_ref_hpid(RS_NS, ref).n;

	return rs_has_below() && rs_traces(a, hid) ? hid : rs_ref_waited(ref);
}

long rs_h_wait4(struct rs_frame *f, struct rs_area *a)
{
	int32_t pid = (int32_t)f->a[0];
	uint32_t options = (uint32_t)f->a[2];
	int32_t id = 0;
	int idtype = P_PGID;
	struct code code;
	struct sp_ref ref;
	long r;

	if (options & ~(uint32_t)(WNOHANG | WUNTRACED | WCONTINUED | W_ANY))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid > 0) {
		ref = sp_pid_find(RS_NS, sp_vpid_of(pid));
		if (ref.slot == SP_NO_SLOT)
			return -ECHILD;
		idtype = P_PID;
		id = waited(a, ref);
	} else if (pid == -1) {
		idtype = P_ALL;
	} else if (pid < 0) {
		id = rs_in_group(-pid);
	}
	r = next(f, a, idtype, id, options | WEXITED, (struct way){finish_look, late4}, &code);
	if (r != RS_REWIND)
		return r;
	rs_block(f);
	return rs_unblock(f, take4(f, code));
}

static long take_id(struct rs_frame *f, struct code code)
{
	struct ax_siginfo *si = seen(f), out;
	uint32_t options = (uint32_t)f->regs.r10;
	sp_vpid n = sp_pid_number(RS_NS, sp_hpid_of(si->pid));
	long r;

	if (drop_hidden(f))
		return RS_REWIND;
	memset(&out, 0, sizeof(out));
	r = sp_sys6(__NR_waitid, P_PID, si->pid, (long)&out, (long)(options | WNOHANG),
		    (long)f->regs.r8, 0);
	if (r == -ECHILD || (!r && !out.pid))
		return RS_REWIND;
	if (r && r != -EFAULT)
		return r;
	if (!(options & WNOWAIT) && out.code >= CLD_EXITED && out.code <= CLD_DUMPED)
		reaped(out.pid, n);
	out.pid = n.n;
	if (out.code == CLD_TRAPPED && out.status == code.kernel)
		out.status = code.shown;
	return r ? r : store(f->regs.rdx, &out);
}

static long late_id(struct rs_frame *f)
{
	return late(f, (uint32_t)f->regs.r10, take_id);
}

long rs_h_waitid(struct rs_frame *f, struct rs_area *a)
{
	int idtype = (int)f->a[0];
	int32_t id = (int32_t)f->a[1];
	uint32_t options = (uint32_t)f->a[3];
	struct code code;
	long r;

	if (idtype == P_PID && id > 0) {
		struct sp_ref ref = sp_pid_find(RS_NS, sp_vpid_of(id));

		id = ref.slot == SP_NO_SLOT ? RS_NOBODY : waited(a, ref);
	} else if (idtype == P_PGID && id > 0)
		id = rs_in_group(id);
	r = next(f, a, idtype, id, options, (struct way){finish_look_id, late_id}, &code);
	if (r != RS_REWIND)
		return r;
	rs_block(f);
	return rs_unblock(f, take_id(f, code));
}
