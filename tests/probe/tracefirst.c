/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Process 1 as a tracee of its child: while it is traced nothing that its tracer sends it is lost, and what it has at default
 * still does nothing when it is passed on.
 */
#include "tracer.h"

static void hit(int sig)
{
	(void)sig;
}

static void tracer(void)
{
	static const int sigs[] = {SIGTERM, SIGUSR1, SIGSTOP, SIGHUP, SIGUSR2, SIGCONT};
	int st;

	rest(1);
	say("seize %s", rc(PT(T_SEIZE, 1, 0, O_SYSGOOD)));
	say("interrupt %s", rc(PT(T_INTERRUPT, 1, 0, 0)));
	next_stop("first", 1);
	for (size_t i = 0; i < COUNT(sigs); i++) {
		say("resume %s", rc(PT(T_CONT, 1, 0, 0)));
		rest(1);
		say("kill %d %s", sigs[i], rc(SC(SYS_kill, 1, sigs[i])));
		st = next_stop("first", 1);
		say("resume %s", rc(PT(T_CONT, 1, 0, sigs[i] == SIGSTOP ? 0 : WSTOPSIG(st))));
		rest(1);
		PT(T_INTERRUPT, 1, 0, 0);
		do
			SC(SYS_wait4, 1, &st, W_ALL, NULL);
		while (st >> 16 != 128 && !PT(T_CONT, 1, 0, signal_of(st)));
		say("again %s", stop_name(st));
	}
	PT(T_CONT, 1, 0, 0);
	rest(1);
	say("thread %s", rc(SC(SYS_tgkill, 1, 1, SIGSTOP)));
	next_stop("first", 1);
	say("let go %s", rc(PT(T_DETACH, 1, 0, 0)));
	rest(1); /* in its wait again, not on the way there */
	say("attach %s", rc(PT(T_ATTACH, 1, 0, 0)));
	next_stop("first", 1);
	say("let go %s", rc(PT(T_DETACH, 1, 0, 0)));
}

int main(void)
{
	struct sigaction sa = {.sa_handler = hit, .sa_flags = SA_RESTART};
	pid_t pid;

	sigaction(SIGUSR1, &sa, NULL);
	pid = fork_or_die();
	if (!pid) {
		tracer();
		_exit(0);
	}
	say("%s", reap(pid));
	return 0;
}
