/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PTRACE_SYSCALL: each entry and exit of a small child, with what a tracer can ask there: calls that carry numbers and
 * those that do not, signals to itself, waits that signals end, sigreturn, fork and vfork without following.
 */
#include "tracer.h"

static volatile int hits;

static void hit(int sig)
{
	hits += sig;
}

static void plain(void)
{
	uint64_t set = BIT(SIGUSR1), old;

	SC(SYS_getpid);
	SC(SYS_gettid);
	SC(SYS_getppid);
	SC(SYS_getuid);
	SC(SYS_kill, SC(SYS_getpid), 0);
	SC(SYS_kill, 4000, 0);
	SC(SYS_kill, 1, 0);
	SC(SYS_getpgid, 0);
	SC(SYS_getpgid, 4000);
	SC(SYS_setpgid, 0, 0);
	SC(SYS_getpgid, 0);
	SC(SYS_getsid, 1);
	SC(SYS_wait4, -1, NULL, 0, NULL);
	SC(SYS_rt_sigprocmask, SIG_BLOCK, &set, &old, 8);
	SC(SYS_rt_sigprocmask, SIG_BLOCK, WILD, NULL, 8);
	SC(SYS_close, 77);
	SC(SYS_open, "/dev/null", O_RDONLY);
	SC(SYS_openat, -100, "/nonexistent", O_RDONLY);
	SC(SYS_tgkill, SC(SYS_getpid), SC(SYS_gettid), 0);
	SC(SYS_pidfd_open, SC(SYS_getpid), 0);
	SC(999, 1, 2, 3);
	SC(-1, 1, 2, 3);
}

static void signals(void)
{
	struct sigaction sa = {.sa_handler = hit};
	uint64_t set = BIT(SIGUSR1) | BIT(SIGUSR2), none = 0;
	struct itimerval in10 = {.it_value = {.tv_usec = 10000}};
	pid_t me = (pid_t)SC(SYS_getpid);

	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	SC(SYS_kill, me, SIGUSR1);
	SC(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
	SC(SYS_kill, me, SIGUSR1);
	SC(SYS_tgkill, me, SC(SYS_gettid), SIGUSR1);
	SC(SYS_rt_sigpending, &none, 8);
	SC(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, NULL, 8);
	none = 0;
	SC(SYS_setitimer, ITIMER_REAL, &in10, NULL);
	SC(SYS_rt_sigsuspend, &none, 8);
	SC(SYS_kill, me, SIGWINCH);
	SC(SYS_kill, me, SIGCONT);
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	SC(SYS_kill, me, SIGTERM);
}

/* A wait for a child that ends only after an interruption, with SA_RESTART and without. */
static void wait_with(int flags)
{
	struct sigaction sa = {.sa_handler = hit, .sa_flags = flags};
	struct itimerval in10 = {.it_value = {.tv_usec = 10000}};
	pid_t pid = (pid_t)SC(SYS_fork);
	int st;

	if (!pid) {
		usleep(60000);
		SC(SYS_exit_group, 4);
	}
	sigaction(SIGALRM, &sa, NULL);
	SC(SYS_setitimer, ITIMER_REAL, &in10, NULL);
	SC(SYS_wait4, pid, &st, 0, NULL);
	SC(SYS_wait4, pid, &st, 0, NULL);
}

static void waits(void)
{
	wait_with(0);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	wait_with(SA_RESTART);
}

static void vforks(void)
{
	uint64_t set = BIT(SIGCHLD);
	int st;
	pid_t pid;

	SC(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
	pid = vfork();
	if (!pid)
		_exit(5);
	SC(SYS_wait4, -1, &st, 0, NULL);
	SC(SYS_getpid);
}

static void run(const char *name, void (*fn)(void))
{
	pid_t pid = traced(name, fn, O_SYSGOOD);

	follow(name, pid, 0x137f, T_SYSCALL, 400);
}

/* The same with CONT: only signals stop it. */
static void cont(const char *name, void (*fn)(void))
{
	pid_t pid = traced(name, fn, 0);

	follow(name, pid, 0x137f, T_CONT, 400);
}

int main(void)
{
	run("plain", plain);
	run("signals", signals);
	run("waits", waits);
	run("vforks", vforks);
	cont("plain", plain);
	cont("signals", signals);
	cont("waits", waits);
	say("left %s", rc(SC(SYS_wait4, -1, NULL, W_ALL, NULL)));
	return 0;
}
