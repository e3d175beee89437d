/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait4 and waitid. The child's number must be read while the kernel still holds its host number, so a wait
 * looks first (waitid with WNOWAIT, the part that may sleep) and then takes exactly what it saw.
 * Until it takes, nothing has happened and a signal may rewind.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/wait.h>

#include "arch/x86_64/syscall.h"
#include "resident/handlers.h"
#include "resident/resident.h"
#include "resident/user.h"

#define CLD_EXITED 1
#define CLD_DUMPED 3
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
};

static struct take *taking(struct rs_frame *f)
{
	return (struct take *)&f->scratch[sizeof(struct ax_siginfo) / 8];
}
_Static_assert(sizeof(struct ax_siginfo) + sizeof(struct take) <= 32 * 8, "scratch");

/* raw is 0 also before the call was made: then, and when a sibling took the child, look again. */
static long finish_take(struct rs_frame *f)
{
	struct take *t = taking(f);

	if (f->raw == 0 || f->raw == -ECHILD)
		return RS_REWIND;
	if (f->raw != t->hid)
		return f->raw;
	/* Dead, not stopped, continued or trapped (wait(2)). */
	if ((t->status & 0x7f) != 0x7f)
		retire_if_gone(t->ref, t->hid);
	if (f->regs.rsi && rs_user_write(f->regs.rsi, &t->status, sizeof(t->status)))
		return -EFAULT;
	return sp_ref_number(t->ref).n;
}

static long finish_one(struct rs_frame *f)
{
	return f->raw == 0 || f->raw == -ECHILD ? f->raw : finish_take(f);
}

static long take(struct rs_frame *f, struct sp_ref ref, uint32_t options, rs_finish finish)
{
	struct take *t = taking(f);

	t->ref = ref;
	t->hid = sp_ref_hpid(RS_NS, ref).n;
	t->status = 0;
	f->nr = __NR_wait4;
	f->a[0] = t->hid;
	f->a[1] = (long)&t->status;
	f->a[2] = (long)options;
	f->a[3] = (long)f->regs.r10;
	return rs_call(f, finish);
}

long rs_h_wait4(struct rs_frame *f, struct rs_area *a)
{
	int32_t pid = (int32_t)f->a[0];
	uint32_t options = (uint32_t)f->a[2];
	struct sp_ref ref;
	long r;

	(void)a;
	if (options & ~(uint32_t)(WNOHANG | WUNTRACED | WCONTINUED | W_ANY))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid > 0) {
		/* The number is known before, so there is nothing to look for. */
		ref = sp_pid_find(RS_NS, sp_vpid_of(pid));
		return ref.slot == SP_NO_SLOT ? -ECHILD : take(f, ref, options, finish_one);
	}
	if (pid == -1)
		r = look(f, P_ALL, 0, options | WEXITED, finish_look);
	else if (pid < 0)
		r = look(f, P_PGID, rs_in_group(-pid), options | WEXITED, finish_look);
	else
		r = look(f, P_PGID, 0, options | WEXITED, finish_look);
	if (r != RS_REWIND || drop_hidden(f))
		return r;
	ref = sp_pid_find(RS_NS, sp_pid_number(RS_NS, sp_hpid_of(seen(f)->pid)));
	if (ref.slot == SP_NO_SLOT)
		return RS_REWIND;
	f->raw = 0;
	return take(f, ref, options | WNOHANG, finish_take);
}

long rs_h_waitid(struct rs_frame *f, struct rs_area *a)
{
	int idtype = (int)f->a[0];
	int32_t id = (int32_t)f->a[1];
	uint64_t info = (uint64_t)f->a[2], usage = (uint64_t)f->a[4];
	uint32_t options = (uint32_t)f->a[3];
	struct ax_siginfo *si = seen(f);
	struct ax_siginfo out;
	sp_vpid n;
	long r;

	(void)a;
	if (idtype == P_PID && id > 0)
		id = rs_in_pid(id);
	else if (idtype == P_PGID && id > 0)
		id = rs_in_group(id);
	r = look(f, idtype, id, options, finish_look_id);
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
		if (!r)
			r = store(info, &out);
	}
	return rs_unblock(f, r);
}
