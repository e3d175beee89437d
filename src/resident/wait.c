/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait4 and waitid. The child's number must be read while the kernel still holds its host number, so a wait
 * looks first (waitid with WNOWAIT, the part that may sleep) and then takes exactly what it saw.
 * Until it takes, nothing has happened and a signal may rewind. What a tracee stops for inside the resident is not
 * the program's to see (trace.h): it goes on, and so does the wait.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/wait.h>

#include "arch/x86_64/syscall.h"
#include "resident/handlers.h"
#include "resident/resident.h"
#include "resident/trace.h"
#include "resident/user.h"

#define CLD_EXITED 1
#define CLD_DUMPED 3
#define CLD_TRAPPED 4
#define NAP_NS 500000
#define W_ANY (__WNOTHREAD | __WCLONE | __WALL)
#define W_CHILD ((int)(long)(__WALL | __WCLONE))

static struct ax_siginfo *seen(struct rs_frame *f)
{
	return (struct ax_siginfo *)f->scratch;
}

/* Something to take: again from the program's instruction, unless the handler goes on itself. */
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

static long look(struct rs_frame *f, int idtype, int32_t id, uint32_t options, rs_finish finish)
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
	return rs_call(f, finish);
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

/*
 * Looks for the next child that the program may see: RS_REWIND if there is one, else the wait's result. A wait for
 * one child lets other tracees go on too, for which it must look again and again.
 */
static long next(struct rs_frame *f, struct rs_area *a, int idtype, int32_t id, uint32_t options,
		 rs_finish finish, struct code *code)
{
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
		r = poll ? look(f, idtype, id, options | WNOHANG, finish_poll)
			 : look(f, idtype, id, options, finish);
		if (r != RS_REWIND)
			return r;
		if (!si->pid) {
			nap(f);
			continue;
		}
		*code = (struct code){si->status, si->status};
		if (si->code == CLD_TRAPPED) {
			rs_block(f);
			v = rs_trace_stop(a, si->pid, si->status, &code->shown);
			rs_unblock(f, RS_REWIND);
		} else if (si->code <= CLD_DUMPED && rs_trace_used(a)) {
			rs_block(f);
			rs_trace_lock();
			rs_tracee_drop(a, si->pid);
			rs_trace_unlock();
			rs_unblock(f, RS_REWIND);
		}
		if (v == RS_NOT_OURS) {
			if (options & WNOHANG) {
				si->pid = 0;
				f->raw = 0;
				return finish(f);
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

static void reaped(const struct ax_siginfo *si, sp_vpid n)
{
	struct sp_ref ref;

	if (si->code < CLD_EXITED || si->code > CLD_DUMPED)
		return;
	ref = sp_pid_find(RS_NS, n);
	if (ref.slot != SP_NO_SLOT && sp_ref_hpid(RS_NS, ref).n == si->pid)
		retire_if_gone(ref, si->pid);
}

/* A child the namespace does not know (never published) is not the program's to see. */
static bool drop_hidden(struct rs_frame *f)
{
	if (sp_pid_recall(RS_NS, sp_hpid_of(seen(f)->pid)).n)
		return false;
	sp_sys4(__NR_wait4, seen(f)->pid, 0, W_CHILD | WNOHANG | WUNTRACED | WCONTINUED, 0);
	return true;
}

/* The take: what finish needs lies behind the siginfo in the scratch. */
struct take {
	struct sp_ref ref;
	int32_t hid, status;
	struct code code;
};

static struct take *taking(struct rs_frame *f)
{
	return (struct take *)&f->scratch[sizeof(struct ax_siginfo) / 8];
}
_Static_assert(sizeof(struct ax_siginfo) + sizeof(struct take) <= 30 * 8, "scratch");

/* raw is 0 also before the call was made: then, and when a sibling took the child, look again. */
static long finish_take(struct rs_frame *f)
{
	struct take *t = taking(f);
	int32_t status;

	if (f->raw == 0 || f->raw == -ECHILD)
		return RS_REWIND;
	if (f->raw != t->hid)
		return f->raw;
	status = t->status;
	if ((status & 0xff) == 0x7f && status >> 8 == t->code.kernel)
		status = t->code.shown << 8 | 0x7f;
	/* Dead, not stopped, continued or trapped (wait(2)). */
	if ((status & 0x7f) != 0x7f)
		retire_if_gone(t->ref, t->hid);
	if (f->regs.rsi && rs_user_write(f->regs.rsi, &status, sizeof(status)))
		return -EFAULT;
	return sp_ref_number(t->ref).n;
}

static long take(struct rs_frame *f, struct sp_ref ref, uint32_t options, struct code code)
{
	struct take *t = taking(f);

	t->ref = ref;
	t->hid = sp_ref_hpid(RS_NS, ref).n;
	t->status = 0;
	t->code = code;
	f->nr = __NR_wait4;
	f->a[0] = t->hid;
	f->a[1] = (long)&t->status;
	f->a[2] = (long)options;
	f->a[3] = (long)f->regs.r10;
	return rs_call(f, finish_take);
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
		id = sp_ref_hpid(RS_NS, ref).n;
	} else if (pid == -1) {
		idtype = P_ALL;
	} else if (pid < 0) {
		id = rs_in_group(-pid);
	}
	r = next(f, a, idtype, id, options | WEXITED, finish_look, &code);
	if (r != RS_REWIND || drop_hidden(f))
		return r;
	ref = sp_pid_find(RS_NS, sp_pid_number(RS_NS, sp_hpid_of(seen(f)->pid)));
	if (ref.slot == SP_NO_SLOT)
		return RS_REWIND;
	f->raw = 0;
	return take(f, ref, options | WNOHANG, code);
}

long rs_h_waitid(struct rs_frame *f, struct rs_area *a)
{
	int idtype = (int)f->a[0];
	int32_t id = (int32_t)f->a[1];
	uint64_t info = (uint64_t)f->a[2], usage = (uint64_t)f->a[4];
	uint32_t options = (uint32_t)f->a[3];
	struct ax_siginfo *si = seen(f);
	struct ax_siginfo out;
	struct code code;
	sp_vpid n;
	long r;

	if (idtype == P_PID && id > 0)
		id = rs_in_pid(id);
	else if (idtype == P_PGID && id > 0)
		id = rs_in_group(id);
	r = next(f, a, idtype, id, options, finish_look_id, &code);
	if (r != RS_REWIND)
		return r;
	rs_block(f);
	if (drop_hidden(f))
		return rs_unblock(f, RS_REWIND);
	n = sp_pid_number(RS_NS, sp_hpid_of(si->pid));
	memset(&out, 0, sizeof(out));
	/* Exactly the child that was seen; the user's pointers come last, as in the kernel. */
	r = sp_sys6(__NR_waitid, P_PID, si->pid, (long)&out, (long)(options | WNOHANG), (long)usage, 0);
	if (r == -ECHILD || (!r && !out.pid))
		return rs_unblock(f, RS_REWIND);
	if (!r || r == -EFAULT) {
		if (!(options & WNOWAIT))
			reaped(si, n);
		out.pid = n.n;
		if (out.code == CLD_TRAPPED && out.status == code.kernel)
			out.status = code.shown;
		if (!r)
			r = store(info, &out);
	}
	return rs_unblock(f, r);
}
