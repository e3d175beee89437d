/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tracer that interrupts, signals, stops, lets go and attaches again at random moments, and a tracee that checks
 * whether its calls still do what they should. No stop may show an address between the program's and the kernel's own.
 */
#include "tracer.h"

#define ROUND_MS 700

static volatile int hits;

static void hit(int sig)
{
	hits += sig;
}

static void check(bool good, const char *what)
{
	if (good)
		return;
	say("tracee: %s", what);
	SC(SYS_exit_group, 77);
}

static void children(pid_t me, int i)
{
	int st = 0;
	pid_t pid;
	long r;

	if (i % 11 == 0) {
		pid = (pid_t)SC(SYS_fork);
		if (!pid)
			SC(SYS_exit_group, SC(SYS_getppid) == me ? 5 : 6);
		check(pid > 0, "fork");
		do
			r = SC(SYS_wait4, pid, &st, 0, NULL);
		while (r == -EINTR);
		check(r == pid && st == 0x500, "wait");
	}
	if (i % 13 == 0) {
		pid = vfork();
		if (!pid)
			_exit(4);
		check(pid > 0, "vfork");
		do
			r = SC(SYS_wait4, -1, &st, 0, NULL);
		while (r == -EINTR);
		check(r == pid && st == 0x400, "wait for any");
	}
}

static void victim(struct gate g, int flags)
{
	struct sigaction sa = {.sa_handler = hit, .sa_flags = flags};
	pid_t me = (pid_t)SC(SYS_getpid), up = (pid_t)SC(SYS_getppid);
	uint64_t set = BIT(SIGUSR1), old;

	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGUSR2, &sa, NULL);
	gate_open(g);
	for (int i = 0;; i++) {
		register long kept __asm__("r12") = 0x1234567 + i;

		__asm__ volatile("" : "+r"(kept));
		check(SC(SYS_getpid) == me, "getpid");
		__asm__ volatile("" : "+r"(kept));
		check(kept == 0x1234567 + i, "registers");
		check(SC(SYS_getppid) == up, "getppid");
		check(SC(SYS_getpgid, 4000) == -ESRCH, "getpgid");
		check(SC(SYS_kill, me, 0) == 0, "kill");
		check(SC(SYS_close, 99) == -EBADF, "close");
		check(SC(SYS_gettid) == me, "gettid");
		check(!SC(SYS_rt_sigprocmask, SIG_BLOCK, &set, &old, 8) && !(old & set), "block");
		check(!SC(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, 8), "unblock");
		if (i % 3 == 0)
			check(!SC(SYS_kill, me, SIGUSR2), "signal to itself");
		children(me, i);
	}
}

static unsigned int seed = 1;

static unsigned int roll(unsigned int n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

static void pause_some(unsigned int ns)
{
	struct timespec ts = {0, (long)roll(ns)};

	nanosleep(&ts, NULL);
}

static void resume(pid_t pid, int st, long options)
{
	int sig = st >> 16 || WSTOPSIG(st) == SIGCHLD ? 0 : signal_of(st);

	switch (roll(12)) {
	case 0:
	case 1:
	case 2:
		PT(T_SYSCALL, pid, 0, sig);
		break;
	case 3:
		PT(T_DETACH, pid, 0, sig);
		pause_some(100000);
		PT(T_SEIZE, pid, 0, options);
		PT(T_INTERRUPT, pid, 0, 0);
		break;
	default:
		PT(T_CONT, pid, 0, sig);
		break;
	}
}

/* Handles what has stopped; false when the tracee is gone. */
static bool serve(pid_t pid, long options, int *stops)
{
	for (unsigned int k = roll(40); k; k--) {
		struct user_regs_struct r;
		int st = 0;
		long w = SC(SYS_wait4, -1, &st, W_ALL | WNOHANG, NULL);

		if (w <= 0)
			break;
		if (!WIFSTOPPED(st)) {
			if (w != pid)
				continue;
			say("tracee: %s", stop_name(st));
			return false;
		}
		++*stops;
		memset(&r, 0, sizeof(r));
		PT(T_GETREGS, w, 0, &r);
		if (r.rip >> 32 == 0x5500 || r.rsp >> 32 == 0x5500)
			say("strange place at %s", stop_name(st));
		if (w == pid)
			resume(pid, st, options);
		else
			PT(roll(2) ? T_DETACH : T_CONT, w, 0, 0);
	}
	return true;
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void storm(const char *name, int flags, long options)
{
	struct gate g = gate_new();
	pid_t pid = fork_or_die();
	long until = now_ms() + ROUND_MS;
	int stops = 0, st = 0;

	if (!pid)
		victim(g, flags);
	gate_pass(g);
	say("%s: seize %s", name, rc(PT(T_SEIZE, pid, 0, options)));
	while (now_ms() < until) {
		switch (roll(10)) {
		case 0:
		case 1:
			PT(T_INTERRUPT, pid, 0, 0);
			break;
		case 2:
		case 3:
			kill(pid, SIGUSR1);
			break;
		case 4:
			kill(pid, SIGSTOP);
			kill(pid, SIGCONT);
			break;
		default:
			break;
		}
		if (!roll(3))
			pause_some(300000);
		if (!serve(pid, options, &stops))
			return;
	}
	PT(T_INTERRUPT, pid, 0, 0);
	for (int i = 0; i < 10000; i++) {
		long w = SC(SYS_wait4, -1, &st, W_ALL | WNOHANG, NULL);

		if (w == pid)
			break;
		/* A child that has stopped must go on: its parent may wait for its exec. */
		if (w > 0 && WIFSTOPPED(st))
			PT(T_DETACH, w, 0, 0);
		else if (w <= 0)
			usleep(1000);
	}
	say("%s: stops again %d, many stops %d, let go %s", name, WIFSTOPPED(st), stops > 20,
	    rc(PT(T_DETACH, pid, 0, 0)));
	usleep(5000);
	kill(pid, SIGKILL);
	SC(SYS_wait4, pid, &st, 0, NULL);
	say("%s: %s", name, status_text(st));
	while (SC(SYS_wait4, -1, NULL, W_ALL | WNOHANG, NULL) > 0)
		;
	close(g.r);
	close(g.w);
}

int main(void)
{
	const long births = O_FORK | O_VFORK | O_CLONE | O_VFORK_DONE;

	storm("plain", 0, O_SYSGOOD);
	storm("restart", SA_RESTART, O_SYSGOOD);
	storm("births", 0, O_SYSGOOD | births);
	storm("births, restart", SA_RESTART, O_SYSGOOD | births);
	return 0;
}
