/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tracee that waits in calls of several kinds, resumed in every way and then interrupted or sent a signal, at any
 * moment: each time there is a stop. Nothing is lost on the way into the call.
 */
#include "tracer.h"

#define ROUND_MS 500

static volatile int hits, late;

static void hit(int sig)
{
	hits += sig;
}

static void too_late(int sig)
{
	late = sig;
}

static void victim(struct gate g, int flags, bool suspends)
{
	struct sigaction sa = {.sa_handler = hit, .sa_flags = flags};
	uint64_t none = 0, usr1 = BIT(SIGUSR1);
	struct gate never = gate_new();
	pid_t pid;
	char c;

	sigaction(SIGUSR1, &sa, NULL);
	pid = fork_or_die();
	if (!pid)
		for (;;)
			pause();
	if (suspends)
		SC(SYS_rt_sigprocmask, SIG_BLOCK, &usr1, NULL, 8);
	gate_open(g);
	for (int i = 0;; i++) {
		long r;

		switch (suspends ? 4 : i % 4) {
		case 0:
			r = SC(SYS_wait4, pid, NULL, 0, NULL);
			break;
		case 1:
			r = SC(SYS_waitid, P_PID, pid, NULL, WEXITED, NULL);
			break;
		case 2:
			r = SC(SYS_ppoll, NULL, 0, NULL, &none, 8);
			break;
		case 3:
			r = SC(SYS_read, never.r, &c, 1);
			break;
		default:
			r = SC(SYS_rt_sigsuspend, &none, 8);
			break;
		}
		if (r != -EINTR) {
			say("tracee: %d: %s", i % 4, rc(r));
			SC(SYS_exit_group, 77);
		}
	}
}

static unsigned int seed = 7;

static unsigned int roll(unsigned int n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void round_of(const char *name, int flags, bool suspends, bool steps)
{
	struct sigaction sa = {.sa_handler = too_late};
	struct gate g = gate_new();
	pid_t pid = fork_or_die();
	long until, w;
	int st = 0, stops = 0;

	if (!pid)
		victim(g, flags, suspends);
	gate_pass(g);
	sigaction(SIGALRM, &sa, NULL);
	say("%s: seize %s", name, rc(PT(T_SEIZE, pid, 0, O_SYSGOOD)));
	say("%s: interrupt %s", name, rc(PT(T_INTERRUPT, pid, 0, 0)));
	until = now_ms() + ROUND_MS;
	do {
		alarm(5);
		w = SC(SYS_wait4, pid, &st, W_ALL, NULL);
		alarm(0);
		if (w != pid || !WIFSTOPPED(st))
			break;
		stops++;
		PT(!roll(3)	       ? T_SYSCALL
		   : steps && !roll(3) ? T_STEP
				       : T_CONT,
		   pid, 0, st >> 16 ? 0 : signal_of(st));
		if (!roll(3)) {
			struct timespec ts = {0, (long)roll(100000)};

			nanosleep(&ts, NULL);
		}
		if (!roll(4))
			SC(SYS_waitid, P_PID, pid, NULL,
			   WSTOPPED | WEXITED | WNOHANG | WNOWAIT | W_ALL, NULL);
		if (roll(2))
			PT(T_INTERRUPT, pid, 0, 0);
		else
			kill(pid, SIGUSR1);
	} while (now_ms() < until);
	say("%s: stopped every time %d, often %d", name, w == pid && WIFSTOPPED(st) && !late,
	    stops > 20);
	kill(pid, SIGKILL);
	while (SC(SYS_wait4, pid, &st, W_ALL, NULL) == pid && WIFSTOPPED(st))
		;
	say("%s: %s", name, status_text(st));
	close(g.r);
	close(g.w);
}

int main(void)
{
	for (int steps = 0; steps < 2; steps++) {
		round_of("plain", 0, false, steps);
		round_of("restart", SA_RESTART, false, steps);
		round_of("suspends", 0, true, steps);
	}
	return 0;
}
