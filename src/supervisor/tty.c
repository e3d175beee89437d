/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terminal, stop and death of the front; see tty.h.
 */
#include "supervisor/tty.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "supervisor/signals.h"
#include "supervisor/util.h"

bool sv_tty_controls(void)
{
	sv_auto_fd tty = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	if (tty >= 0)
		return tcgetpgrp(tty) >= 0;
	/* Without /dev: a standard descriptor may still be the terminal. */
	for (int fd = 0; fd < 3; fd++)
		if (tcgetpgrp(fd) >= 0)
			return true;
	return false;
}

void sv_stop_self(int sig, bool (*still_wanted)(void *), void *arg)
{
	if (sig == SIGSTOP) { /* cannot be held back: the question comes as late as it can */
		if (still_wanted(arg))
			kill(getpid(), SIGSTOP);
		return;
	}
	/*
	 * The signal is made pending first and the question asked then: a SIGCONT that comes later
	 * takes a pending stop away, so none can fall between the question and the stop.
	 */
	signal(sig, SIG_DFL);
	kill(getpid(), sig);
	if (still_wanted(arg)) {
		sv_sigmask(SIG_UNBLOCK, sv_sig_bit(sig));
		sv_sigmask(SIG_BLOCK, sv_sig_bit(sig));
	}
	signal(sig, SIG_IGN); /* discards what is still pending */
	if (sig == SIGTSTP)   /* blocked, it is read */
		signal(sig, SIG_DFL);
}

void sv_die_of(int sig)
{
	struct rlimit none = {0, 0};

	/* The core, if any, is the program's. */
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(sig, SIG_DFL);
	kill(getpid(), sig);
	sv_sigmask(SIG_UNBLOCK, sv_sig_bit(sig));
	/* Number 1 of a kernel namespace does not die of its own signals. */
	_exit(128 + sig);
}
