/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A keeper's life (nest.h): it waits for number 1, ends what is left of the namespace then, reaps until there is no
 * child any more, and ends as number 1 has ended. Orphans that number 1 did not reap come to it.
 *
 * kill(-1) in a process without a signal scope of its own would end the user's whole session. So the scope is
 * proven when it is taken, by a signal to the parent that was allowed and is no more, and tried again
 * before each such call. The segment is the members' to write, so it permits nothing: what it names is killed
 * only when the kernel says that it descends from us.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/signal.h>
#include <linux/wait.h>

#include "arch/x86_64/syscall.h"
#include "base/fmt.h"
#include "resident/handover.h"
#include "resident/init.h"
#include "resident/nest.h"

#define NR_LANDLOCK_CREATE_RULESET 444
#define NR_LANDLOCK_RESTRICT_SELF 446
#define LANDLOCK_VERSION_FLAG 1
#define LANDLOCK_ABI_SCOPES 6
#define SCOPE_SIGNAL (1ul << 1)

#define CLD_EXITED 1
#define CLD_STOPPED 5
#define STOPPED_NS 20000000 /* how often a stopped number 1 is looked at */
#define STAT_PPID 4	    /* proc(5) */
#define DEPTH_MAX 100000
#define BATCH 16u
#define PAUSE_NS 2000000 /* between two looks for members, at first */
#define PAUSE_MAX_NS 50000000

struct ruleset_attr {
	uint64_t handled_access_fs, handled_access_net, scoped;
};

static bool parent_is_out_of_reach(void)
{
	return sp_sys2(__NR_kill, sp_sys0(__NR_getppid), 0) == -EPERM;
}

bool rs_scope_enter(void)
{
	struct ruleset_attr attr = {.scoped = SCOPE_SIGNAL};
	long parent = sp_sys0(__NR_getppid), fd, r;

	if (parent <= 1 || sp_sys2(__NR_kill, parent, 0))
		return false;
	if (sp_sys3(NR_LANDLOCK_CREATE_RULESET, 0, 0, LANDLOCK_VERSION_FLAG) < LANDLOCK_ABI_SCOPES)
		return false;
	fd = sp_sys3(NR_LANDLOCK_CREATE_RULESET, (long)&attr, sizeof(attr), 0);
	if (fd < 0)
		return false;
	r = sp_sys2(NR_LANDLOCK_RESTRICT_SELF, fd, 0);
	sp_sys1(__NR_close, fd);
	return !r && sp_sys0(__NR_getppid) == parent && sp_sys2(__NR_kill, parent, 0) == -EPERM;
}

static bool descends(int32_t pid)
{
	int32_t self = (int32_t)sp_sys0(__NR_getpid);

	for (int depth = 0; pid > 1 && pid != self && depth < DEPTH_MAX; depth++) {
		pid = (int32_t)rs_stat_field(pid, STAT_PPID);
		if (pid == self)
			return true;
	}
	return false;
}

/* The descriptor is taken first: while it is asked whose it is, the number is that process's. */
static void kill_ours(int32_t pid)
{
	long fd = sp_sys2(__NR_pidfd_open, pid, 0);

	if (fd == -ESRCH)
		return;
	if (descends(pid)) {
		if (fd >= 0)
			sp_sys4(__NR_pidfd_send_signal, fd, SIGKILL, 0, 0);
		else
			sp_sys2(__NR_kill, pid, SIGKILL);
	}
	if (fd >= 0)
		sp_sys1(__NR_close, fd);
}

static void kill_registered(void)
{
	struct sp_ref refs[BATCH];
	sp_vpid from = sp_vpid_of(1);
	size_t n;

	do {
		n = sp_ns_list(RS_NS, from, refs, BATCH);
		for (size_t i = 0; i < n; i++) {
			if (sp_word_state(refs[i].word) == SP_LIVE &&
			    !(sp_word_flags(refs[i].word) & SP_F_THREAD))
				kill_ours(sp_ref_hpid(RS_NS, refs[i]).n);
		}
		/* Numbers only grow, whatever a member writes: the walk ends. */
		if (!n || sp_ref_number(refs[n - 1]).n < from.n)
			break;
		from = sp_vpid_of(sp_ref_number(refs[n - 1]).n + 1);
	} while (n == BATCH);
}

/* Also what is in no table: a child that was stopped before it could publish itself. */
static void kill_children(void)
{
	char buf[512];
	int32_t pid = 0;
	long fd = sp_sys3(__NR_open, (long)"/proc/thread-self/children", 0, 0), n;

	while ((n = sp_sys3(__NR_read, fd, (long)buf, sizeof(buf))) > 0)
		for (long i = 0; i < n; i++) {
			if (buf[i] >= '0' && buf[i] <= '9') {
				pid = pid * 10 + (buf[i] - '0');
				continue;
			}
			if (pid > 1)
				sp_sys2(__NR_kill, pid, SIGKILL);
			pid = 0;
		}
	sp_sys1(__NR_close, fd);
}

/* What happened, as waitid says; pid 0: nothing. -ECHILD: there is nobody to wait for. */
static long event(struct ax_siginfo *si, uint32_t what)
{
	si->pid = 0;
	return sp_sys6(__NR_waitid, P_ALL, 0, (long)si, (long)(what | WNOHANG | (uint32_t)__WALL),
		       0, 0);
}

static void wait_for_child(int64_t nsec)
{
	const uint64_t chld = RS_BIT(SIGCHLD);
	const int64_t t[2] = {0, nsec};

	sp_sys4(__NR_rt_sigtimedwait, (long)&chld, 0, (long)t, 8);
}

static void end(int link, bool scoped)
{
	struct rs_ask q = {.op = RS_OP_END, .ns = RS_NS->ns_id};
	int64_t pause = PAUSE_NS;
	struct ax_siginfo si;
	bool asked = false;
	long r;

	atomic_store(&RS_NS->closing, 1);
	do {
		if (scoped && parent_is_out_of_reach()) {
			sp_sys2(__NR_kill, -1, SIGKILL);
		} else {
			kill_registered();
			kill_children();
		}
		/* Who joined is not below us. */
		if (!asked && atomic_load(&RS_NS->flags) & SP_SEG_JOINED)
			(void)!rs_channel_talk(link, &q, 0, 0);
		asked = true;
		for (;;) {
			r = event(&si, WEXITED);
			if (r)
				break;
			if (si.pid)
				continue;
			wait_for_child(pause);
			if (event(&si, WEXITED) || !si.pid)
				break;
		}
		if (pause < PAUSE_MAX_NS)
			pause *= 2;
	} while (r != -ECHILD);
}

/* kernel/pid_namespace.c:reboot_pid_ns */
static int signal_shown(int sig)
{
	uint32_t reboot = atomic_load(&RS_NS->init_reboot);

	return sig == SIGKILL && (reboot == SIGHUP || reboot == SIGINT) ? (int)reboot : sig;
}

static _Noreturn void end_as(const struct ax_siginfo *si)
{
	const struct ax_sigaction dfl = {.handler = 0};
	const uint64_t none[2] = {0, 0};
	uint64_t mask;
	int sig = si->code == CLD_EXITED ? 0 : signal_shown(si->status);

	if (sig > 0 && sig <= RS_NSIG) {
		sp_sys4(__NR_prlimit64, 0, RLIMIT_CORE, (long)none, 0);
		rs_kernel_sigaction(sig, &dfl, 0);
		mask = ~RS_BIT(sig);
		sp_sys2(__NR_kill, sp_sys0(__NR_getpid), sig);
		rs_unhush(mask);
	}
	for (;;)
		sp_sys1(__NR_exit_group, sig ? 128 + sig : si->status);
}

/* Of `/proc/PID/stat`, 0 where it cannot be read. */
static char state_of(int32_t pid)
{
	char buf[64], path[32];
	struct sp_text t;
	long fd, n, i;

	sp_text_init(&t, path, sizeof(path));
	sp_text_str(&t, "/proc/");
	sp_text_dec(&t, pid);
	sp_text_str(&t, "/stat");
	fd = sp_sys3(__NR_open, (long)path, 0, 0);
	if (fd < 0)
		return 0;
	n = sp_sys3(__NR_read, fd, (long)buf, sizeof(buf));
	sp_sys1(__NR_close, fd);
	for (i = n - 1; i >= 0 && buf[i] != ')'; i--)
		;
	return i >= 0 && i + 2 < n ? buf[i + 2] : 0;
}

/* Continues the keeper when number 1 is stopped no more. */
static _Noreturn void helper(int32_t keeper, int32_t init)
{
	const int64_t nap[2] = {0, STOPPED_NS};

	sp_sys6(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
	while (sp_sys0(__NR_getppid) == keeper) {
		sp_sys2(__NR_nanosleep, (long)nap, 0);
		if (state_of(init) != 'T')
			sp_sys2(__NR_kill, keeper, SIGCONT);
	}
	for (;;)
		sp_sys1(__NR_exit_group, 0);
}

/*
 * Number 1 has stopped: so does its keeper, for the creator's wait, as long as that is so. Whoever continues number 1
 * may continue its keeper as well, or not, or in another order than number 1 stops again: a helper sees to the
 * end of it.
 */
static void stop(int32_t init, int sig)
{
	const struct ax_sigaction dfl = {.handler = 0};
	int32_t self = (int32_t)sp_sys0(__NR_getpid);
	int64_t nap[2] = {0, 0};
	long pid;

	if (state_of(init) != 'T')
		return;
	rs_kernel_sigaction(sig, &dfl, 0);
	pid = sp_sys6(__NR_clone, 0, 0, 0, 0, 0, 0);
	if (!pid)
		helper(self, init);
	if (pid < 0)
		return;
	do {
		/* Also if it does not stop us, because the group is an orphan, we do not spin. */
		sp_sys2(__NR_nanosleep, (long)nap, 0);
		nap[1] = STOPPED_NS;
		sp_sys2(__NR_kill, self, sig);
		rs_mask_set(rs_mask_set(~RS_BIT(sig)));
	} while (state_of(init) == 'T');
	sp_sys2(__NR_kill, pid, SIGKILL);
	sp_sys4(__NR_wait4, pid, 0, (long)(uint32_t)__WALL, 0);
}

/* The creator is dead, or who had number 1 after it. kernel/exit.c:reparent_leader, kernel/signal.c:sig_ignored */
static void parent_died(int32_t init)
{
	uint32_t sig = atomic_load(&RS_NS->init_pdeathsig);
	uint64_t wanted = atomic_load(&RS_NS->init_handled) | atomic_load(&RS_NS->init_blocked);

	if (sig == SIGKILL || (sig && sig <= RS_NSIG && wanted & RS_BIT(sig)))
		sp_sys2(__NR_kill, init, (long)sig);
}

_Noreturn void rs_keeper(int link, sp_hpid init, bool scoped)
{
	const uint64_t wanted = RS_BIT(SIGCHLD) | RS_BIT(RS_PARENT_DIED);
	struct ax_siginfo si;
	long r;

	sp_sys6(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0, 0);
	sp_sys6(__NR_prctl, PR_SET_NAME, (long)"subpid-keeper", 0, 0, 0, 0);
	for (;;) {
		r = event(&si, WSTOPPED | WEXITED);
		if (r == -ECHILD) {
			/* Number 1 was never ours to reap: it cannot be. */
			si.code = 0;
			si.status = SIGKILL;
			end_as(&si);
		}
		if (si.pid == init.n && si.code == CLD_STOPPED) {
			stop(init.n, si.status);
		} else if (si.pid == init.n) {
			end(link, scoped);
			end_as(&si);
		} else if (!si.pid && sp_sys4(__NR_rt_sigtimedwait, (long)&wanted, 0, 0, 8) ==
					      RS_PARENT_DIED) {
			parent_died(init.n);
		}
	}
}
