/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children that announce their end by another signal than SIGCHLD. Number 1 gets what it has a handler for, and does not
 * end of the rest.
 */
#include "probe.h"

static volatile int got, code, pid;

static void handler(int sig, siginfo_t *si, void *context)
{
	(void)context;
	got = sig;
	code = si->si_code;
	pid = si->si_pid;
}

static void child(uint64_t sig, int by_clone3)
{
	struct probe_clone_args args = {.exit_signal = sig};
	int status = 0;
	long n, r;

	got = 0;
	n = by_clone3 ? SC(SYS_clone3, &args, sizeof(args)) : SC(SYS_clone, sig, 0, 0, 0, 0);
	if (!n)
		_exit(7);
	if (n < 0) {
		say("signal %d: %s", (int)sig, rc(n));
		return;
	}
	r = SC(SYS_wait4, -1, &status, 0, 0);
	say("signal %d: as a child %s", (int)sig, r == n ? "found" : rc(r));
	if (r != n) {
		r = SC(SYS_wait4, -1, &status, 0x80000000 /* __WCLONE */, 0);
		say("signal %d: as a clone %s", (int)sig, r == n ? "found" : rc(r));
	}
	say("%s, got %d, code %d, right number %d", status_text(status), got, got ? code : 0,
	    got && pid == n);
}

int main(void)
{
	static const int sigs[] = {SIGKILL, SIGTERM, SIGILL, SIGSEGV, SIGSTOP, SIGTSTP,
				   SIGCHLD, 0,	     SIGURG, SIGUSR1, 50,      64};
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	for (int handled = 0; handled < 2; handled++) {
		if (handled) {
			sigaction(SIGTERM, &sa, NULL);
			sigaction(SIGUSR1, &sa, NULL);
			sigaction(50, &sa, NULL);
		}
		for (size_t i = 0; i < COUNT(sigs); i++) {
			child((uint64_t)sigs[i], 0);
			child((uint64_t)sigs[i], 1);
		}
	}
	return 0;
}
