/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NULL, wild, read-only and half-mapped pointers in each converted call that takes one: the error, and
 * what has happened in spite of it.
 */
#include "probe.h"
#include <sys/mman.h>

static char *page;     /* readable and writable, the next page is not mapped */
static char *readonly; /* readable only */
static char *edge;     /* four bytes before the unmapped page */

enum kind { NUL, WLD, RDO, EDG, BAD, KINDS };

static const char *const kind_names[KINDS] = {"null", "wild", "read-only", "edge", "noncanonical"};

static void *pointer(int k)
{
	switch (k) {
	case NUL:
		return NULL;
	case WLD:
		return WILD;
	case RDO:
		return readonly;
	case EDG:
		/* Calls may write up to the edge before they fail: each starts with the same bytes. */
		memset(edge, 'q', 4);
		return edge;
	default:
		return (void *)0x8000000000000000ul;
	}
}

static pid_t zombie(int code)
{
	pid_t pid = fork_or_die();

	if (!pid)
		_exit(code);
	await_zombie(pid);
	return pid;
}

/* A child that is reaped although its status could not be stored is gone. */
static void waits(int k)
{
	siginfo_t si;
	pid_t pid;
	long r;

	pid = zombie(1);
	r = SC(SYS_wait4, pid, pointer(k), 0, NULL);
	say("wait4 status %s %s, again %s", kind_names[k], r == pid ? "reaped" : rc(r),
	    rc(SC(SYS_wait4, pid, NULL, 0, NULL)));
	pid = zombie(1);
	r = SC(SYS_wait4, pid, NULL, 0, pointer(k));
	say("wait4 rusage %s %s, again %s", kind_names[k], r == pid ? "reaped" : rc(r),
	    rc(SC(SYS_wait4, pid, NULL, 0, NULL)));
	pid = zombie(1);
	r = SC(SYS_waitid, P_PID, pid, pointer(k), WEXITED, NULL);
	say("waitid info %s %s, again %s", kind_names[k], rc(r),
	    rc(SC(SYS_waitid, P_PID, pid, &si, WEXITED, NULL)));
	pid = zombie(1);
	r = SC(SYS_waitid, P_PID, pid, &si, WEXITED, pointer(k));
	say("waitid rusage %s %s, again %s", kind_names[k], rc(r),
	    rc(SC(SYS_waitid, P_PID, pid, &si, WEXITED, NULL)));
	pid = zombie(1);
	r = SC(SYS_waitid, P_PID, pid, pointer(k), WEXITED | WNOWAIT, pointer(k));
	say("waitid look %s %s, again %s", kind_names[k], rc(r),
	    rc(SC(SYS_waitid, P_PID, pid, &si, WEXITED, NULL)));
	say("wait4 without children %s %s", kind_names[k],
	    rc(SC(SYS_wait4, -1, pointer(k), WNOHANG, pointer(k))));
	say("waitid without children %s %s", kind_names[k],
	    rc(SC(SYS_waitid, P_ALL, 0, pointer(k), WEXITED, pointer(k))));
	pid = sleeper();
	say("wait4 nohang %s %s", kind_names[k],
	    rc(SC(SYS_wait4, -1, pointer(k), WNOHANG, pointer(k))));
	say("waitid nohang %s %s", kind_names[k],
	    rc(SC(SYS_waitid, P_ALL, 0, pointer(k), WEXITED | WNOHANG, pointer(k))));
	end(pid);
}

static void signals(int k)
{
	static const struct timespec now = {0, 0};
	uint64_t m = BIT(SIGUSR1);
	siginfo_t si;
	int me = getpid();

	say("sigaction new %s %s", kind_names[k],
	    rc(SC(SYS_rt_sigaction, SIGUSR1, pointer(k), NULL, 8)));
	say("sigaction old %s %s", kind_names[k],
	    rc(SC(SYS_rt_sigaction, SIGUSR1, NULL, pointer(k), 8)));
	say("sigaction bad signal %s %s", kind_names[k],
	    rc(SC(SYS_rt_sigaction, 99, pointer(k), pointer(k), 8)));
	SC(SYS_rt_sigaction, SIGUSR1, &(struct ksigaction){0}, NULL, 8);
	say("sigprocmask new %s %s", kind_names[k],
	    rc(SC(SYS_rt_sigprocmask, SIG_BLOCK, pointer(k), NULL, 8)));
	say("sigprocmask old %s %s", kind_names[k],
	    rc(SC(SYS_rt_sigprocmask, SIG_BLOCK, NULL, pointer(k), 8)));
	say("sigprocmask bad how %s %s", kind_names[k],
	    rc(SC(SYS_rt_sigprocmask, 9, pointer(k), NULL, 8)));
	set_raw_mask(0);
	say("sigaltstack new %s %s", kind_names[k], rc(SC(SYS_sigaltstack, pointer(k), NULL)));
	say("sigaltstack old %s %s", kind_names[k], rc(SC(SYS_sigaltstack, NULL, pointer(k))));
	say("sigpending %s %s", kind_names[k], rc(SC(SYS_rt_sigpending, pointer(k), 8)));
	set_raw_mask(m);
	raise(SIGUSR1);
	if (k != NUL && k != RDO)
		say("sigsuspend %s %s", kind_names[k],
		    rc(k == EDG ? -EFAULT : SC(SYS_rt_sigsuspend, pointer(k), 8)));
	say("sigtimedwait set %s %s", kind_names[k],
	    rc(SC(SYS_rt_sigtimedwait, pointer(k), &si, &now, 8)));
	say("sigtimedwait info %s %s", kind_names[k],
	    rc(SC(SYS_rt_sigtimedwait, &m, pointer(k), &now, 8)));
	raise(SIGUSR1);
	say("sigtimedwait time %s %s", kind_names[k],
	    rc(SC(SYS_rt_sigtimedwait, &m, &si, pointer(k), 8)));
	SC(SYS_rt_sigtimedwait, &m, &si, &now, 8);
	set_raw_mask(0);
	say("sigqueueinfo %s %s, to nobody %s", kind_names[k],
	    rc(SC(SYS_rt_sigqueueinfo, me, 0, pointer(k))),
	    rc(SC(SYS_rt_sigqueueinfo, 999, 0, pointer(k))));
	say("tgsigqueueinfo %s %s, to nobody %s", kind_names[k],
	    rc(SC(SYS_rt_tgsigqueueinfo, me, me, 0, pointer(k))),
	    rc(SC(SYS_rt_tgsigqueueinfo, me, 999, 0, pointer(k))));
	if (k != NUL) {
		long fd = SC(SYS_pidfd_open, me, 0);

		say("pidfd_send_signal %s %s", kind_names[k],
		    rc(SC(SYS_pidfd_send_signal, fd, 0, pointer(k), 0)));
		SC(SYS_close, fd);
	}
}

static void clones(int k)
{
	long r = SC(SYS_clone3, pointer(k), 64);

	if (!r)
		SC(SYS_exit_group, 1);
	say("clone3 %s %s", kind_names[k], r > 0 ? reap((pid_t)r) : rc(r));
	r = SC(SYS_clone, 0x01300000 | SIGCHLD, NULL, pointer(k), pointer(k));
	if (!r)
		SC(SYS_exit_group, 2);
	say("clone words %s %s", kind_names[k], r > 0 ? reap((pid_t)r) : rc(r));
	say("set_tid_address %s %s", kind_names[k], names_me(SC(SYS_set_tid_address, pointer(k))));
	SC(SYS_set_tid_address, NULL);
	say("get_robust_list %s", rc(SC(SYS_get_robust_list, 0, WILD, WILD)));
}

static void execs(int k)
{
	char *argv[] = {(char *)"x", NULL};
	char *inner[] = {pointer(k), NULL};

	/* Only what cannot succeed; NULL vectors can. */
	say("execve path %s %s", kind_names[k], rc(SC(SYS_execve, pointer(k), argv, argv)));
	if (k != NUL && k != RDO && k != EDG) {
		say("execve argv %s %s", kind_names[k],
		    rc(SC(SYS_execve, "/bin/true", pointer(k), NULL)));
		say("execve envp %s %s", kind_names[k],
		    rc(SC(SYS_execve, "/bin/true", argv, pointer(k))));
		say("execve argv[0] %s %s", kind_names[k],
		    rc(SC(SYS_execve, "/bin/true", inner, NULL)));
		say("execve envp[0] %s %s", kind_names[k],
		    rc(SC(SYS_execve, "/bin/true", argv, inner)));
		say("execve missing, argv %s %s", kind_names[k],
		    rc(SC(SYS_execve, "/nonexistent", pointer(k), NULL)));
		say("execveat argv %s %s", kind_names[k],
		    rc(SC(SYS_execveat, AT_FDCWD, "/bin/true", pointer(k), NULL, 0)));
	}
	say("execveat path %s %s", kind_names[k],
	    rc(SC(SYS_execveat, AT_FDCWD, pointer(k), argv, argv, 0)));
	say("execveat empty %s %s", kind_names[k],
	    rc(SC(SYS_execveat, 0, pointer(k), argv, argv, AT_EMPTY_PATH)));
}

static void paths(int k)
{
	char buf[64];

	say("open %s %s", kind_names[k], rc(SC(SYS_open, pointer(k), O_RDONLY)));
	say("openat %s %s", kind_names[k], rc(SC(SYS_openat, AT_FDCWD, pointer(k), O_RDONLY)));
	say("openat bad descriptor %s %s", kind_names[k],
	    rc(SC(SYS_openat, 999, pointer(k), O_RDONLY)));
	say("openat2 %s %s", kind_names[k], rc(SC(437, AT_FDCWD, pointer(k), page, 24)));
	say("openat2 how %s %s", kind_names[k], rc(SC(437, AT_FDCWD, "/", pointer(k), 24)));
	say("stat %s %s", kind_names[k], rc(SC(SYS_stat, pointer(k), page)));
	say("newfstatat %s %s", kind_names[k], rc(SC(SYS_newfstatat, AT_FDCWD, pointer(k), page, 0)));
	say("newfstatat buffer %s %s", kind_names[k],
	    rc(SC(SYS_newfstatat, AT_FDCWD, "/proc/self", pointer(k), 0)));
	say("statx %s %s", kind_names[k], rc(SC(332, AT_FDCWD, pointer(k), 0, 0, page)));
	say("access %s %s", kind_names[k], rc(SC(SYS_access, pointer(k), 0)));
	say("readlink %s %s", kind_names[k], rc(SC(SYS_readlink, pointer(k), buf, sizeof(buf))));
	say("readlink buffer %s %s", kind_names[k], rc(SC(SYS_readlink, "/proc/self", pointer(k), 64)));
	say("getcwd %s %s", kind_names[k], rc(SC(SYS_getcwd, pointer(k), 64)));
	say("chdir %s %s", kind_names[k], rc(SC(SYS_chdir, pointer(k))));
}

static void listings(int k)
{
	int fd = open("/proc", O_RDONLY | O_DIRECTORY);

	if (k == RDO || k == EDG)
		say("getdents64 %s %s", kind_names[k], rc(SC(SYS_getdents64, fd, pointer(k), 4096)));
	else
		say("getdents64 %s %s", kind_names[k], rc(SC(SYS_getdents64, fd, pointer(k), 4096)));
	close(fd);
}

static void all(void)
{
	for (int k = 0; k < KINDS; k++) {
		waits(k);
		signals(k);
		clones(k);
		execs(k);
		paths(k);
		listings(k);
	}
}

int main(void)
{
	page = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(page + 4096, 8192);
	edge = page + 4096 - 4;
	memset(edge, 'q', 4);
	readonly = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	all();
	in_child("all in a child", all);
	return 0;
}
