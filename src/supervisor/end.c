/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a namespace. With a proven signal scope one guarded kill(-1) hits every member at once,
 * under the lock that fork needs. Without it: the members the registry knows, then our direct
 * children (orphans come to us because we are their subreaper), again and again. Either way the
 * proof is ECHILD, never an empty table.
 *
 * The registry is written by its members, so a number in it is only a hint: a process is killed
 * when the kernel says that it descends from us. A forged entry kills nobody else.
 */
#include "supervisor/end.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "core/pid.h"
#include "supervisor/landlock.h"
#include "supervisor/procs.h"
#include "supervisor/util.h"

#define BATCH 256
#define CHILDREN_MAX 4096
#define STRANGERS_PATIENCE_MSEC 3000

void sv_strangers_record(struct sv_strangers *ret)
{
	siginfo_t si;
	int n;

	memset(ret, 0, sizeof(*ret));
	if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 && errno == ECHILD)
		return;
	ret->any = true;
	n = sv_proc_children(ret->pid, SV_STRANGERS_MAX, true);
	ret->n = n > 0 ? (size_t)n : 0;
}

void sv_strangers_forget(struct sv_strangers *s, sp_hpid pid)
{
	for (size_t i = 0; i < s->n; i++)
		if (sp_hpid_eq(s->pid[i], pid))
			s->pid[i] = s->pid[--s->n];
}

static bool is_stranger(const struct sv_strangers *s, sp_hpid pid)
{
	for (size_t i = 0; s && i < s->n; i++)
		if (sp_hpid_eq(s->pid[i], pid))
			return true;
	return false;
}

/* True when the process is below us by the kernel's word. */
static bool is_ours(sp_hpid pid, const struct sv_strangers *strangers)
{
	if (pid.n <= 1 || pid.n == getpid() || is_stranger(strangers, pid))
		return false;
	if (sv_is_child(pid))
		return true;
	return sv_proc_usable() && sv_proc_descends(pid, sp_hpid_of(getpid()));
}

static void kill_if_ours(sp_hpid pid, const struct sv_strangers *strangers)
{
	/* Taken before the question: while it answers, pid still is the process we asked about. */
	sv_auto_fd pidfd = sv_pidfd(pid);

	if (pidfd < 0 && pidfd != -EPERM && pidfd != -ENOSYS && pidfd != -EMFILE)
		return; /* gone */
	if (!is_ours(pid, strangers))
		return;
	if (pidfd >= 0)
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	else
		kill(pid.n, SIGKILL);
}

static void kill_registered(struct sp_segment *seg, const struct sv_strangers *strangers)
{
	struct sp_ref refs[BATCH];
	sp_vpid from = sp_vpid_of(1);
	size_t n;

	while ((n = sp_ns_list(seg, from, refs, BATCH)) > 0) {
		for (size_t i = 0; i < n; i++) {
			sp_hpid pid = sp_ref_hpid(seg, refs[i]);

			if (sp_word_state(refs[i].word) == SP_LIVE &&
			    !(sp_word_flags(refs[i].word) & SP_F_THREAD) && sp_ref_valid(seg, refs[i]))
				kill_if_ours(pid, strangers);
		}
		/* Numbers only grow, whatever a member writes: the walk ends. */
		if (sp_ref_number(refs[n - 1]).n < from.n || n < BATCH)
			break;
		from = sp_vpid_of(sp_ref_number(refs[n - 1]).n + 1);
	}
}

/* Also what is in no table: a child that was stopped before it could publish itself. */
static void kill_children(const struct sv_strangers *strangers, bool thorough)
{
	static sp_hpid children[CHILDREN_MAX];
	int n = sv_proc_children(children, CHILDREN_MAX, thorough);

	for (int i = 0; i < n; i++)
		if (!is_stranger(strangers, children[i]))
			kill(children[i].n, SIGKILL);
}

/* Reaps what has ended. -ECHILD: there is no child any more. */
static int reap(sp_hpid wanted, struct sv_exit *ret_exit, struct sv_strangers *strangers)
{
	for (;;) {
		siginfo_t si = {0};

		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | __WALL) < 0) {
			if (errno == EINTR)
				continue;
			return sv_errno();
		}
		if (si.si_pid == 0)
			return 0;
		if (strangers)
			sv_strangers_forget(strangers, sp_hpid_of(si.si_pid));
		if (si.si_pid == wanted.n && ret_exit)
			*ret_exit = (struct sv_exit){true, si.si_code, si.si_status};
	}
}

/* With strangers among our children ECHILD never comes; then the list of children has to do. */
static bool only_strangers(const struct sv_strangers *strangers, long long since)
{
	sp_hpid children[BATCH];
	int n;

	if (!strangers || !strangers->any)
		return false;
	n = sv_proc_children(children, BATCH, true);
	if (n < 0)
		return sv_now_msec() - since > STRANGERS_PATIENCE_MSEC;
	for (int i = 0; i < n; i++)
		if (!is_stranger(strangers, children[i]) &&
		    !(sv_scope_holds() && kill(children[i].n, 0) < 0 && errno == EPERM))
			return false;
	return true;
}

static void wait_for_child(long long msec)
{
	struct timespec t = {.tv_sec = msec / 1000, .tv_nsec = msec % 1000 * 1000000};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigtimedwait(&set, NULL, &t);
}

void sv_end(struct sp_segment *seg, sp_hpid wanted, struct sv_exit *ret_exit,
	    struct sv_strangers *strangers)
{
	long long start = sv_now_msec(), pause = 2, longest = 50;

	atomic_store(&seg->closing, 1);
	for (int pass = 1;; pass++) {
		long long until;

		if (sv_scope_kill_all() < 0) {
			kill_registered(seg, strangers);
			kill_children(strangers, pass % 8 == 0);
		} else {
			/* Nothing escapes that call; once more is for peace of mind. */
			pause = longest = 1000;
		}
		/*
		 * Reaping is cheap, looking for victims is not: the more often it was in vain, the
		 * longer the pause.
		 */
		until = sv_now_msec() + pause;
		for (;;) {
			long long left = until - sv_now_msec();

			if (reap(wanted, ret_exit, strangers) == -ECHILD ||
			    only_strangers(strangers, start))
				return;
			if (left <= 0)
				break;
			wait_for_child(left);
		}
		if (pause < longest)
			pause *= 2;
	}
}
