/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces in namespaces, as deep as the kernel goes: numbers, parents, statuses and signals at each level, by
 * clone and by programs that are executed on the way.
 *
 * oracle: root
 */
#include "nest.h"

/* The probe is at most two levels deep itself; the kernel has 32. */
#define DEPTH 27

static void down(int depth)
{
	pid_t pid;

	if (getpid() != 1 || getppid() != 0)
		say("at %d: pid %d ppid %d", depth, getpid(), getppid());
	if (!depth) {
		pid = fork_or_die();
		if (!pid)
			_exit(3);
		say("bottom: %s", reap(pid));
		_exit(4);
	}
	pid = nest_fork();
	if (!pid)
		down(depth - 1);
	if (pid != 2)
		say("at %d: made %d", depth, pid);
	say("%s", reap(pid));
	_exit(depth + 10);
}

static void programs(const char *self, int depth)
{
	char text[12];
	pid_t pid;

	say("program %d: pid %d", depth, getpid());
	if (!depth)
		_exit(5);
	pid = nest_fork();
	if (!pid) {
		snprintf(text, sizeof(text), "%d", depth - 1);
		execl(self, self, text, NULL);
		_exit(99);
	}
	say("program %d: %s", depth, reap_quiet(pid));
	_exit(depth + 10);
}

/* From the top to the bottom: a stop, a signal that is handled, the end. */
static struct gate up;
static volatile sig_atomic_t from = -1;

static void on(int sig, siginfo_t *si, void *uc)
{
	from = si->si_pid;
}

static void tower(int depth)
{
	struct sigaction sa = {.sa_sigaction = on, .sa_flags = SA_SIGINFO};
	pid_t pid;

	sigaction(SIGUSR1, &sa, NULL);
	if (!depth) {
		gate_open(up);
		while (from == -1)
			usleep(1000);
		_exit(from == 0 ? 6 : 98);
	}
	pid = nest_fork();
	if (!pid)
		tower(depth - 1);
	/* Each hands it on to the next. */
	while (from == -1)
		usleep(1000);
	kill(pid, SIGUSR1);
	say("tower %d of %d: %s", depth, from, reap_quiet(pid));
	_exit(7);
}

int main(int argc, char **argv)
{
	pid_t pid;

	if (argc > 1)
		programs(argv[0], atoi(argv[1]));
	pid = nest_fork();
	if (!pid)
		down(DEPTH);
	say("top %s", reap_quiet(pid));
	pid = nest_fork();
	if (!pid) {
		execl("/proc/self/exe", "/proc/self/exe", "12", NULL);
		_exit(99);
	}
	say("top %s", reap_quiet(pid));
	up = gate_new();
	pid = nest_fork();
	if (!pid)
		tower(6);
	gate_pass(up);
	say("USR1 %s", lrc(kill(pid, SIGUSR1)));
	say("top %s", reap_quiet(pid));
	return 0;
}
