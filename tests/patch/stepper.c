/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces stepee.c from outside its namespace: lets it come to the first breakpoint of a round, goes K single steps
 * and gives it SIGUSR1 there; K grows until the second breakpoint comes first.
 *
 * usage: stepper COMM GO [STRIDE]    COMM: name of the process, the youngest is meant
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define DENSE 400 /* up to here every boundary, then each STRIDEth */

static pid_t pid;

static void fail(const char *what)
{
	printf("stepper: %s: %s\n", what, strerror(errno));
	exit(1);
}

static pid_t youngest(const char *comm)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	pid_t best = 0;

	while (d && (e = readdir(d))) {
		char path[300], text[64] = "";
		int fd;

		snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		if (read(fd, text, sizeof(text) - 1) > 0)
			text[strcspn(text, "\n")] = '\0';
		close(fd);
		if (strcmp(text, comm) == 0 && atoi(e->d_name) > best)
			best = atoi(e->d_name);
	}
	if (d)
		closedir(d);
	return best;
}

/* Next stop: its signal; the end of the program ends us. */
static int stop(void)
{
	int status;

	if (waitpid(pid, &status, __WALL) != pid)
		fail("wait");
	if (WIFEXITED(status) || WIFSIGNALED(status)) {
		printf("stepper: the program ended: %#x\n", status);
		exit(1);
	}
	return WSTOPSIG(status);
}

static struct user_regs_struct regs(void)
{
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, pid, 0, &r))
		fail("getregs");
	return r;
}

/* Whether a SIGTRAP is that of int3, and not of a trap flag that pushf has leaked. */
static int breakpoint(void)
{
	struct user_regs_struct r = regs();
	siginfo_t si;

	if (ptrace(PTRACE_GETSIGINFO, pid, 0, &si))
		fail("getsiginfo");
	if (r.eflags & 0x100) {
		r.eflags &= ~0x100ul;
		ptrace(PTRACE_SETREGS, pid, 0, &r);
	}
	return si.si_code == SI_KERNEL;
}

/* sig: to be given to it first; -1: it runs already. */
static void run_to_breakpoint(int sig)
{
	for (bool running = sig < 0;; running = false) {
		if (!running && ptrace(PTRACE_CONT, pid, 0, sig))
			fail("cont");
		sig = stop();
		if (sig != SIGTRAP)
			continue;
		if (breakpoint())
			return;
		sig = 0;
	}
}

int main(int argc, char **argv)
{
	long k = 0, stride = argc > 3 ? atol(argv[3]) : 7, boundaries = 0;

	if (argc < 3)
		return 2;
	pid = youngest(argv[1]);
	if (!pid)
		fail("no such process");
	if (ptrace(PTRACE_SEIZE, pid, 0, 0))
		fail("seize");
	close(open(argv[2], O_WRONLY | O_CREAT, 0644));
	run_to_breakpoint(-1);
	for (;; k += k < DENSE ? 1 : stride) {
		int sig = 0, done = 0;

		for (long i = 0; i < k && !done; i++) {
			do {
				if (ptrace(PTRACE_SINGLESTEP, pid, 0, sig))
					fail("step");
				sig = stop();
			} while (sig != SIGTRAP);
			done = breakpoint();
			sig = 0;
		}
		if (done)
			break;
		boundaries++;
		run_to_breakpoint(SIGUSR1);
		run_to_breakpoint(0); /* of the next round */
	}
	printf("stepper: %ld boundaries, %ld instructions\n", boundaries, k);
	chmod(argv[2], 0755);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	return 0;
}
