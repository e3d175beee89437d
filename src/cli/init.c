/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run --init: a number 1 that reaps what is orphaned, passes signals on to its one child, and ends with the
 * child's status. It is subpid itself, executed inside under another name; inside means that it forks
 * and signals as any program does, and that its end is the end of the namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/run.h"

extern char **environ;

static sighandler_t callers_chld;

/* In the child: the signals of our caller, then the program. What fails is told through the pipe. */
static _Noreturn void become(char **argv, const sigset_t *mask, int report)
{
	int err;

	signal(SIGCHLD, callers_chld);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execve(argv[1], argv + 2, environ);
	err = errno;
	if (write(report, &err, sizeof(err)) < 0)
		_exit(CLI_OWN);
	_exit(CLI_NOT_RUNNABLE);
}

/* The child's pid, or 0 and *ret_status. */
static pid_t start(char **argv, const sigset_t *mask, int *ret_status)
{
	int report[2], err = 0;
	pid_t pid;

	*ret_status = CLI_OWN;
	if (pipe2(report, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		cli_say("init: %s", strerror(errno));
		return 0;
	}
	if (pid == 0)
		become(argv, mask, report[1]);
	close(report[1]);
	/* The end of file is the exec. */
	if (read(report[0], &err, sizeof(err)) == sizeof(err)) {
		waitpid(pid, NULL, 0);
		cli_say("%s: %s", argv[2], strerror(err));
		*ret_status = err == ENOENT ? CLI_NOT_FOUND : CLI_NOT_RUNNABLE;
		pid = 0;
	}
	close(report[0]);
	return pid;
}

/* What the terminal sends reaches the child too: it is in our group. */
static bool from_terminal(const siginfo_t *si)
{
	return si->si_code == SI_KERNEL && (si->si_signo == SIGINT || si->si_signo == SIGQUIT ||
					    si->si_signo == SIGHUP || si->si_signo == SIGWINCH);
}

/* True when the child has ended. */
static bool reap(pid_t child, int *ret_status)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == child) {
			*ret_status = WIFEXITED(status) ? WEXITSTATUS(status)
							: CLI_SIGNAL + WTERMSIG(status);
			return true;
		}
	return false;
}

int cli_init(int argc, char **argv)
{
	/* These stop us together with the child, which the terminal's shell has to see. */
	static const int left_alone[] = {SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGSEGV,
					 SIGBUS,  SIGFPE,  SIGILL,  SIGTRAP, SIGSYS};
	sigset_t watched, mask;
	int status;
	pid_t child;

	if (argc < 3) {
		cli_say("%s is started by subpid run --init only", CLI_INIT_NAME);
		return CLI_OWN;
	}
	sigfillset(&watched);
	for (size_t i = 0; i < sizeof(left_alone) / sizeof(left_alone[0]); i++)
		sigdelset(&watched, left_alone[i]);
	sigprocmask(SIG_SETMASK, &watched, &mask);
	/* Ignored, children would vanish without a status. */
	callers_chld = signal(SIGCHLD, SIG_DFL);
	prctl(PR_SET_NAME, CLI_INIT_NAME, 0, 0, 0);
	child = start(argv, &mask, &status);
	if (!child)
		return status;
	while (!reap(child, &status)) {
		siginfo_t si;

		if (sigwaitinfo(&watched, &si) > 0 && si.si_signo != SIGCHLD && !from_terminal(&si))
			kill(child, si.si_signo);
	}
	return status;
}
