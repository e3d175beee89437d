/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that send signals. One target: proven to be the published task, then signalled through a pidfd. A
 * group: by the kernel where the group is ours alone, otherwise member by member, so that nothing
 * outside is reached and a task that is being born does not escape (its entry holds the signal).
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "base/fmt.h"
#include "resident/below.h"
#include "resident/handlers.h"
#include "resident/init.h"
#include "resident/resident.h"
#include "resident/sigaction.h"
#include "resident/trace.h"
#include "resident/user.h"
#include "resident/watch.h"

/* include/uapi/linux/pidfd.h, since 6.9 */
#define PIDFD_THREAD_ 0200
#define PIDFD_SIGNAL_THREAD_GROUP_ 2
#define PIDFD_SIGNAL_PROCESS_GROUP_ 4

/* Signals that even a number 1 gets from above, or that do nothing to it; the terminal's stop a foreground job. */
#define PASSED_TO_INIT                                                                            \
	(RS_BIT(SIGKILL) | RS_BIT(SIGSTOP) | RS_BIT(SIGCHLD) | RS_BIT(SIGCONT) | RS_BIT(SIGURG) | \
	 RS_BIT(SIGWINCH) | RS_INIT_IGN | RS_INIT_IGN_TTY)

/* Would number 1 ignore it? Its default is nothing, from inside (kernel/signal.c:sig_task_ignored). */
static bool init_drops(int sig)
{
	uint64_t bit;

	if (sig < 1 || sig > RS_NSIG)
		return false;
	bit = RS_BIT(sig);
	if (sig == SIGKILL || sig == SIGSTOP)
		return true;
	/* Never at default in the kernel: number 1's own entry drops or keeps it (signal.c:act_default). */
	if (sig == SIGSYS)
		return false;
	/* Nothing is also what they do anywhere: the kernel ignores them, or queues them for who blocks them. */
	if (bit & (RS_BIT(SIGCHLD) | RS_BIT(SIGCONT) | RS_BIT(SIGURG) | RS_BIT(SIGWINCH)))
		return false;
	if ((atomic_load(&RS_NS->init_handled) | atomic_load(&RS_NS->init_ignored)) & bit)
		return false;
	/* The terminal's job control: stopping is what it does at default. */
	if (bit & RS_INIT_IGN_TTY && atomic_load(&RS_NS->flags) & SP_SEG_FOREGROUND)
		return false;
	/* The kernel ignores it there, and queues it while it is blocked. */
	if (bit & rs_init_ignored_in_kernel(atomic_load(&RS_NS->flags)))
		return false;
	/*
	 * Queued while blocked; but with threads another one may have it not blocked, and would act on it: then
	 * dropping is the lesser evil.
	 */
	if (atomic_load(&RS_NS->flags) & SP_SEG_THREADED && !(bit & RS_INIT_RT))
		return true;
	return !(atomic_load(&RS_NS->init_blocked) & bit);
}

/* `suspend` of a shell that is number 1 and a terminal's job: it stops as without a namespace. */
static bool stops_itself(const struct rs_area *a, int sig)
{
	return sig == SIGSTOP && a->tgid.n == 1 && atomic_load(&RS_NS->flags) & SP_SEG_FOREGROUND;
}

static bool of_init(struct sp_ref ref)
{
	return rs_ref_group(ref).n == 1;
}

/* A tracer stops even number 1: a traced task's signals are never ignored (kernel/signal.c:sig_ignored). */
static bool drops(const struct rs_area *a, struct sp_ref ref, int sig)
{
	if (sig == SIGSTOP && rs_traces(a, sp_ref_hpid(RS_NS, ref).n))
		return false;
	return init_drops(sig);
}

/*
 * Number 1 of a namespace below is immune to what it has at default, but for KILL and STOP. Most of that is ignored in the
 * kernel; the rest is known to the supervisor.
 */
static bool nested_init_drops(struct sp_ref ref, int sig)
{
	uint64_t set[3];

	if (sig < 1 || sig > RS_NSIG || RS_BIT(sig) & PASSED_TO_INIT)
		return false;
	return rs_init_below(rs_ref_group(ref), set) && !((set[0] | set[1] | set[2]) & RS_BIT(sig));
}

/* What is sent to number 1 of a namespace below goes on to its keeper where that is stopped in its place. */
static long tell_keeper(struct sp_ref ref, int sig, long r)
{
	int32_t keeper = sp_ref_keeper(RS_NS, ref).n;

	if (!keeper)
		return r;
	if (!r && (sig == SIGCONT || sig == SIGKILL))
		sp_sys2(__NR_kill, keeper, SIGCONT);
	/* It has ended, its namespace not yet. */
	if (r == -ESRCH && sp_ref_valid(RS_NS, ref))
		return sp_sys2(__NR_kill, keeper, 0);
	return r;
}

/*
 * Signals blocked. The process behind ref; for a thread's number, its process too, but that thread takes the
 * signal if it wants it (kernel/signal.c:complete_signal).
 */
static long kill_process(struct rs_area *a, struct sp_ref ref, int sig)
{
	bool thread = sp_word_flags(ref.word) & SP_F_THREAD;
	struct sp_ref leader = ref;
	int32_t hid = sp_ref_hpid(RS_NS, ref).n;
	long fd, r;

	if (of_init(ref) && drops(a, ref, sig) && !stops_itself(a, sig))
		sig = 0; /* permission is still checked */
	if (thread && rs_ref_gone(ref)) {
		sp_pid_retire(RS_NS, ref);
		return -ESRCH;
	}
	if (thread) {
		fd = rs_ident_pidfd(ref, PIDFD_THREAD_);
		if (fd == -ESRCH)
			return fd;
		r = -EINVAL;
		if (fd >= 0) {
			r = sp_sys4(__NR_pidfd_send_signal, fd, sig, 0, PIDFD_SIGNAL_THREAD_GROUP_);
			sp_sys1(__NR_close, fd);
		}
		/* Before 6.9 and without a descriptor its process chooses. */
		if (fd >= 0 && (r != -EINVAL || sig < 0 || sig > RS_NSIG))
			return r;
	}
	if (sp_vpid_eq(rs_ref_group(ref), a->tgid))
		return sp_sys2(__NR_kill, a->htgid.n, sig);
	if (thread) {
		leader = sp_pid_find(RS_NS, rs_ref_group(ref));
		if (leader.slot == SP_NO_SLOT)
			return -ESRCH;
		hid = sp_ref_hpid(RS_NS, leader).n;
	}
	fd = rs_ident_pidfd(leader, 0);
	if (fd == -ESRCH)
		return fd;
	if (fd < 0) /* no pidfds, or no descriptor free: the table is all there is */
		return sp_ref_valid(RS_NS, leader) ? sp_sys2(__NR_kill, hid, sig) : -ESRCH;
	r = sp_sys4(__NR_pidfd_send_signal, fd, sig, 0, 0);
	if (r == -ENOSYS)
		r = sp_sys2(__NR_kill, hid, sig);
	sp_sys1(__NR_close, fd);
	return r;
}

static long kill_ref(struct rs_area *a, struct sp_ref ref, int sig)
{
	if (nested_init_drops(ref, sig))
		sig = 0;
	return tell_keeper(ref, sig, kill_process(a, ref, sig));
}

/*
 * Leaves sig for a task that is being born. If it was published meanwhile it may not look again:
 * then whoever still finds the bit there delivers it.
 */
static void leave_pending(struct rs_area *a, struct sp_ref ref, int sig)
{
	struct sp_entry *e = sp_entry_at(RS_NS, ref.slot);
	struct sp_ref now;

	if (sig < 1 || sig > RS_NSIG)
		return;
	atomic_fetch_or(&e->pending, RS_BIT(sig));
	/* The slot may be another task's by now, whose signal this is not. */
	if (sp_pid_find_any(RS_NS, sp_ref_number(ref)).slot != ref.slot || (e->word ^ ref.word) >> 48) {
		atomic_fetch_and(&e->pending, ~RS_BIT(sig));
		return;
	}
	now = sp_pid_find(RS_NS, sp_ref_number(ref));
	if (now.slot == SP_NO_SLOT)
		return;
	if (atomic_fetch_and(&e->pending, ~RS_BIT(sig)) & RS_BIT(sig))
		kill_ref(a, now, sig);
}

enum scope { SCOPE_ALL, SCOPE_GROUP };

/* One pass over the numbers from *from on; each task once. Returns how many were met. */
static int pass(struct rs_area *a, enum scope scope, int32_t group, int sig, sp_vpid *from, long *ret)
{
	struct sp_ref refs[16];
	int met = 0;
	size_t n;

	do {
		n = sp_ns_list(RS_NS, *from, refs, 16);
		for (size_t i = 0; i < n; i++) {
			struct sp_ref ref = refs[i];
			enum sp_state state = sp_word_state(ref.word);
			long r;

			*from = sp_vpid_of(sp_ref_number(ref).n + 1);
			if (sp_word_flags(ref.word) & SP_F_THREAD || state == SP_DEAD)
				continue;
			if (scope == SCOPE_ALL &&
			    (sp_ref_number(ref).n == 1 || sp_vpid_eq(sp_ref_number(ref), a->tgid)))
				continue;
			if (scope == SCOPE_GROUP &&
			    sp_sys1(__NR_getpgid, (state == SP_LIVE ? sp_ref_hpid(RS_NS, ref)
								    : sp_ref_by(RS_NS, ref))
							  .n) != group)
				continue;
			if (state == SP_RESERVED) {
				/* Without its parent it was never born, unless it is about to say so itself. */
				bool orphan = sp_sys2(__NR_kill, sp_ref_by(RS_NS, ref).n, 0) == -ESRCH;

				leave_pending(a, ref, sig);
				met += !orphan;
				continue;
			}
			r = kill_ref(a, ref, sig);
			if (r == -ESRCH)
				continue;
			met++;
			/* kill_something_info: the last that is not EPERM; __kill_pgrp_info: any success */
			if (scope == SCOPE_ALL ? r != -EPERM : *ret || met == 1)
				*ret = r;
		}
	} while (n == 16);
	return met;
}

/* Numbers only grow (until they wrap), so what was reserved meanwhile lies above what was seen. */
static long kill_many(struct rs_area *a, enum scope scope, int32_t group, int sig)
{
	sp_vpid from = sp_vpid_of(1);
	long ret = 0;
	int met = 0, more;

	do {
		rs_see_all();
		more = pass(a, scope, group, sig, &from, &ret);
		met += more;
	} while (more);
	return met ? ret : -ESRCH;
}

/* A group that was made inside and has not number 1 in it is the kernel's to signal, atomically. */
static long kill_group(struct rs_area *a, int32_t hgroup, int sig)
{
	sp_vpid n = sp_pid_group_number(RS_NS, sp_hpid_of(hgroup));
	int32_t init = (int32_t)atomic_load(&RS_NS->init_hid);

	/* Keepers are in the groups of their number 1, and are not to be hit in its place. */
	if (n.n > 1 && !(rs_has_below() && (sig == SIGKILL || sig == SIGSTOP)) &&
	    sp_sys1(__NR_getpgid, init) != hgroup)
		return sp_sys2(__NR_kill, -hgroup, sig);
	return kill_many(a, SCOPE_GROUP, hgroup, sig);
}

long rs_h_kill(struct rs_frame *f, struct rs_area *a)
{
	int32_t n = (int32_t)f->a[0];
	int sig = (int)f->a[1];
	struct sp_ref ref;
	long r;

	if (n == a->tgid.n && !(n == 1 && init_drops(sig))) {
		f->a[0] = a->htgid.n;
		return rs_call(f, rs_finish_raw);
	}
	rs_block(f);
	if (n == INT32_MIN) {
		r = -ESRCH; /* kernel/signal.c:kill_something_info, before the signal is looked at */
	} else if (n > 0) {
		ref = sp_pid_find(RS_NS, sp_vpid_of(n));
		if (ref.slot == SP_NO_SLOT)
			r = sp_sys2(__NR_kill, RS_NOBODY, sig);
		else
			r = kill_ref(a, ref, sig);
	} else if (n == -1 && stops_itself(a, sig) && sp_sys1(__NR_getpgid, 0) == a->htgid.n) {
		/* killpg(1): bash's `suspend`, which knows that its group is 1 and not what -1 means. */
		r = sp_sys2(__NR_kill, -a->htgid.n, sig);
	} else if (n == -1) {
		r = kill_many(a, SCOPE_ALL, 0, sig);
	} else if (n == 0) {
		r = kill_group(a, (int32_t)sp_sys1(__NR_getpgid, 0), sig);
	} else {
		int32_t group = rs_in_group(-n);

		r = group == RS_NOBODY ? sp_sys2(__NR_kill, RS_NOBODY, sig)
				       : kill_group(a, group, sig);
	}
	return rs_unblock(f, r);
}

/*
 * What a program forges to itself must arrive as it wrote it, also where the kernel writes numbers
 * that delivery converts: such a number is marked (no host number reaches the bit).
 */
static void mark_forged(struct rs_frame *f, int sig, int info_arg)
{
	struct ax_siginfo *si = (struct ax_siginfo *)f->scratch;
	long r = rs_user_read(si, (uint64_t)f->a[info_arg], sizeof(*si));

	if (r)
		return; /* the kernel says EFAULT itself, in its order */
	if (rs_siginfo_carries_pid(sig, si) && si->pid >= 0)
		si->pid |= RS_FORGED;
	f->a[info_arg] = (long)si;
}

/* tkill, tgkill, rt_tgsigqueueinfo: the thread n, in group tgid if that is asked for. */
static long kill_thread(struct rs_frame *f, struct rs_area *a, int tid_arg, int sig_arg)
{
	int32_t n = (int32_t)f->a[tid_arg];
	int sig = (int)f->a[sig_arg];
	int32_t hid;
	struct sp_ref ref;

	if (n <= 0 || (tid_arg == 1 && (int32_t)f->a[0] <= 0))
		return rs_call(f, rs_finish_raw); /* EINVAL, but EFAULT comes before */
	if (tid_arg == 1) {
		/* The group may go by its leader's host tid as well (musl). */
		f->a[0] = rs_in_task(a, (int32_t)f->a[0]);
		hid = rs_in_thread(sp_pid_number(RS_NS, sp_hpid_of((int32_t)f->a[0])), n);
		/* That it is the caller itself is seen before that it is not in that group. */
		if (hid == RS_NOBODY && n == a->tid.n)
			hid = a->htid.n;
	} else {
		hid = rs_in_tid(a, n);
	}
	f->a[tid_arg] = hid;
	ref = sp_pid_find(RS_NS, sp_pid_number(RS_NS, sp_hpid_of(hid)));
	if ((of_init(ref) && drops(a, ref, sig)) || nested_init_drops(ref, sig))
		f->a[sig_arg] = 0;
	return rs_call(f, rs_finish_raw);
}

long rs_h_tkill(struct rs_frame *f, struct rs_area *a)
{
	return kill_thread(f, a, 0, 1);
}

long rs_h_tgkill(struct rs_frame *f, struct rs_area *a)
{
	return kill_thread(f, a, 1, 2);
}

long rs_h_rt_tgsigqueueinfo(struct rs_frame *f, struct rs_area *a)
{
	mark_forged(f, (int)f->a[2], 3);
	return kill_thread(f, a, 1, 2);
}

long rs_h_rt_sigqueueinfo(struct rs_frame *f, struct rs_area *a)
{
	int32_t n = (int32_t)f->a[0];
	int sig = (int)f->a[1];
	struct sp_ref ref = n > 0 ? sp_pid_find(RS_NS, sp_vpid_of(n)) : SP_REF_NONE;
	long r;

	mark_forged(f, sig, 2);
	rs_block(f);
	f->a[0] = n > 0 ? rs_in_task(a, n) : n;
	if ((of_init(ref) && init_drops(sig)) || nested_init_drops(ref, sig))
		f->a[1] = 0;
	r = sp_sys3(__NR_rt_sigqueueinfo, f->a[0], f->a[1], f->a[2]);
	return rs_unblock(f, r);
}

long rs_h_pidfd_open(struct rs_frame *f, struct rs_area *a)
{
	int32_t n = (int32_t)f->a[0];
	struct sp_ref ref;
	long r;

	(void)a;
	if (n <= 0)
		return rs_call(f, rs_finish_raw);
	rs_block(f);
	ref = sp_pid_find(RS_NS, sp_vpid_of(n));
	if (ref.slot == SP_NO_SLOT)
		r = sp_sys2(__NR_pidfd_open, RS_NOBODY, f->a[1]);
	else if (sp_ref_keeper(RS_NS, ref).n)
		r = rs_keeper_pidfd(ref, (uint32_t)f->a[1]);
	else
		r = rs_ident_pidfd(ref, (uint32_t)f->a[1]);
	return rs_unblock(f, r);
}

int32_t rs_pidfd_number(int fd)
{
	struct ax_pidfd_info info = {.mask = AX_PIDFD_INFO_PID};
	char buf[512];
	long h, n = rs_pidfd_info(fd, &info);

	if (n == -ESRCH)
		return -1; /* dead, nobody can be hit */
	if (!n && info.mask & AX_PIDFD_INFO_PID)
		return rs_out_pid((int32_t)info.pid);
	/* Before 6.13 its fdinfo says it. */
	h = rs_watch_info(fd);
	if (h < 0)
		return -1;
	n = sp_sys3(__NR_read, h, (long)buf, sizeof(buf) - 1);
	sp_sys1(__NR_close, h);
	for (long i = 0; i + 5 < n; i++) {
		int32_t hid;

		if ((i && buf[i - 1] != '\n') || !sp_has_prefix(buf + i, "Pid:"))
			continue;
		for (i += 4; i < n && (buf[i] == '\t' || buf[i] == ' '); i++)
			;
		if (!sp_parse_dec(buf + i, (size_t)(n - i), &hid))
			return -1; /* -1: dead, nobody can be hit */
		return rs_out_pid(hid);
	}
	return -1;
}

/* In a planned pidfd_send_signal. */
static void drop_signal(struct rs_frame *f, int sig)
{
	f->a[1] = 0;
	/* The two are compared. */
	if (f->a[2] == (long)f->scratch && ((struct ax_siginfo *)f->scratch)->signo == sig)
		((struct ax_siginfo *)f->scratch)->signo = 0;
}

/* The descriptor is the keeper's, the signal is for number 1. */
static long signal_nested(struct rs_frame *f, struct sp_ref ref)
{
	int sig = (int)f->a[1];
	long fd = rs_ident_pidfd(ref, 0), r = fd;

	if (fd >= 0) {
		if (nested_init_drops(ref, sig))
			drop_signal(f, sig);
		r = sp_sys4(__NR_pidfd_send_signal, fd, f->a[1], f->a[2], f->a[3]);
		sp_sys1(__NR_close, fd);
	}
	return tell_keeper(ref, sig, r);
}

long rs_h_pidfd_send_signal(struct rs_frame *f, struct rs_area *a)
{
	int fd = (int)f->a[0];
	int sig = (int)f->a[1];
	int32_t n, group;
	struct sp_ref ref;
	long r;

	if (f->a[2])
		mark_forged(f, sig, 2);
	rs_block(f);
	n = fd < 0 ? a->tgid.n : rs_ident_is_init(fd) ? 1 : rs_pidfd_number(fd);
	if (n == 0)
		return rs_unblock(f, -EINVAL); /* kernel/signal.c:access_pidfd_pidns */
	if (f->a[3] == PIDFD_SIGNAL_PROCESS_GROUP_ && n > 0) {
		group = rs_in_group(n);
		/* The group that n leads: only where number 1 is in it is it not the kernel's to signal. */
		if (!f->a[2] && group != RS_NOBODY && init_drops(sig))
			return rs_unblock(f, kill_group(a, group, sig));
	} else if (n > 0 && of_init(sp_pid_find(RS_NS, sp_vpid_of(n))) && init_drops(sig)) {
		drop_signal(f, sig);
	}
	ref = n > 0 ? sp_pid_find(RS_NS, sp_vpid_of(n)) : SP_REF_NONE;
	if (ref.slot != SP_NO_SLOT && sp_ref_keeper(RS_NS, ref).n)
		return rs_unblock(f, signal_nested(f, ref));
	r = sp_sys4(__NR_pidfd_send_signal, f->a[0], f->a[1], f->a[2], f->a[3]);
	return rs_unblock(f, r);
}

/* The signal is consumed by now: the result must come out whole however often this runs. */
static long finish_timedwait(struct rs_frame *f)
{
	struct ax_siginfo si;
	long r;

	if (f->raw <= 0 || !f->regs.rsi)
		return f->raw;
	memcpy(&si, f->scratch, sizeof(si));
	rs_siginfo_convert(&si);
	r = rs_user_write(f->regs.rsi, &si, sizeof(si));
	return r ? r : f->raw;
}

long rs_h_rt_sigtimedwait(struct rs_frame *f, struct rs_area *a)
{
	uint64_t set;

	/* A SIGSYS that is held back (mask.c) is the program's to take. */
	if (a->sigsys_pending && !rs_user_read(&set, (uint64_t)f->a[0], 8) && set & RS_SIGSYS_BIT) {
		struct ax_siginfo si = a->sigsys_info;
		long r = 0;

		rs_block(f);
		rs_siginfo_convert(&si);
		a->sigsys_pending = 0;
		if (f->a[1])
			r = rs_user_write((uint64_t)f->a[1], &si, sizeof(si));
		return rs_unblock(f, r ? r : SIGSYS);
	}
	f->a[1] = (long)f->scratch;
	return rs_call(f, finish_timedwait);
}
