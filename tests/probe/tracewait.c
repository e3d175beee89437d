/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tracer asleep in a wait: a signal that its own tracee sends ends it, or does not (SA_RESTART), and what
 * the tracee does right after that is no reason to sleep on. No stop of the tracee's is there to be seen.
 */
#include "probe.h"
#include <sys/ptrace.h>

static volatile int handled;

static void count(int sig)
{
	handled++;
}

static void tracee(pid_t tracer)
{
	SC(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
	SC(SYS_kill, SC(SYS_getpid), SIGSTOP);
	/* The tracer sleeps by now. */
	usleep(2000);
	SC(SYS_kill, tracer, SIGUSR1);
	SC(SYS_wait4, -1, NULL, 0, NULL);
	SC(SYS_getppid);
	usleep(2000);
	SC(SYS_exit_group, 7);
}

static long wait_now(int how, pid_t pid, int *st)
{
	siginfo_t si;
	long r;

	switch (how) {
	case 0:
		return SC(SYS_wait4, -1, st, 0, NULL);
	case 1:
		return SC(SYS_wait4, pid, st, 0, NULL);
	default:
		memset(&si, 0, sizeof(si));
		r = SC(SYS_waitid, P_ALL, 0, &si, WEXITED | WSTOPPED, NULL);
		*st = si.si_status;
		return r;
	}
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"wait4 any", "wait4 one", "waitid"};

	for (int flags = 0; flags <= SA_RESTART; flags += SA_RESTART) {
		struct sigaction sa = {.sa_handler = count, .sa_flags = flags};

		sigaction(SIGUSR1, &sa, NULL);
		for (int i = 0; i < 15; i++) {
			pid_t me = (pid_t)SC(SYS_getpid), pid = fork_or_die();
			int st = 0;
			long r;

			if (!pid)
				tracee(me);
			SC(SYS_wait4, pid, &st, 0, NULL);
			handled = 0;
			SC(SYS_ptrace, PTRACE_CONT, pid, 0, 0);
			r = wait_now(i % 3, pid, &st);
			say("%s flags %x: %s status %x handled %d", names[i % 3], (unsigned int)flags,
			    r == pid ? "tracee" : rc(r), r < 0 ? 0 : (unsigned int)st, handled);
			if (r < 0 || i % 3 == 2)
				SC(SYS_wait4, pid, NULL, 0, NULL);
		}
	}
	return 0;
}
