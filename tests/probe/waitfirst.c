/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A wait that sleeps until a child changes, in a program whose SIGCHLD handler waits as well: the sleeper gets the
 * child, the handler finds nothing, and the status is stored before the handler runs.
 */
#include "probe.h"

#define ROUNDS 40

static volatile int stored;
static siginfo_t info;
static volatile int ran, stolen, early;
static int flags;

static void handler(int sig)
{
	int e = errno, st;

	ran++;
	if (stored == -1 && !info.si_pid)
		early++;
	while (SC(SYS_wait4, -1, &st, WNOHANG | flags, NULL) > 0)
		stolen++;
	errno = e;
}

static void handle(int sa_flags)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = sa_flags};

	sigaction(SIGCHLD, &sa, NULL);
}

static void say_counts(const char *name, int lost, int wrong)
{
	say("%s: lost %d, wrong %d, handler %s, stolen %d, before the status %d", name, lost, wrong,
	    ran == ROUNDS  ? "once each"
	    : ran > ROUNDS ? "more often"
	    : ran	   ? "less often"
			   : "never",
	    stolen, early);
	ran = stolen = early = 0;
}

/* In the child: until the parent sleeps, which it does nowhere but in its wait. */
static void parent_waits(pid_t waiter)
{
	char path[64];

	usleep(500);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)SC(SYS_getppid), waiter);
	if (await_state(path, 'S') != 'S')
		die("the parent does not wait");
	usleep(500);
}

static pid_t child(int code)
{
	pid_t self = (pid_t)SC(SYS_gettid), p = fork_or_die();

	if (!p) {
		parent_waits(self);
		_exit(code);
	}
	return p;
}

static void one(const char *name, int how, int any)
{
	int lost = 0, wrong = 0;

	for (int i = 0; i < ROUNDS; i++) {
		pid_t p;
		long r;

		stored = -1;
		memset(&info, 0, sizeof(info));
		p = child(i);
		if (how == 0) {
			r = SC(SYS_wait4, any ? -1 : p, &stored, 0, NULL);
			lost += r != p;
			wrong += r == p && (!WIFEXITED(stored) || WEXITSTATUS(stored) != i);
		} else {
			r = SC(SYS_waitid, any ? P_ALL : P_PID, p, &info, WEXITED, NULL);
			lost += r || info.si_pid != p;
			wrong += info.si_pid == p && info.si_status != i;
		}
		while (SC(SYS_wait4, -1, NULL, WNOHANG, NULL) > 0)
			;
	}
	say_counts(name, lost, wrong);
}

/* Stops and continues, seen by a wait that sleeps. */
static void stops(const char *name)
{
	pid_t self = (pid_t)SC(SYS_gettid);
	int lost = 0, wrong = 0;

	flags = WUNTRACED | WCONTINUED;
	for (int i = 0; i < ROUNDS / 2; i++) {
		pid_t p = fork_or_die();
		long r;

		if (!p) {
			parent_waits(self);
			SC(SYS_kill, SC(SYS_getpid), SIGSTOP);
			parent_waits(self);
			_exit(0);
		}
		stored = -1;
		r = SC(SYS_wait4, p, &stored, WUNTRACED, NULL);
		lost += r != p;
		wrong += r == p && !WIFSTOPPED(stored);
		kill(p, SIGCONT);
		stored = -1;
		r = SC(SYS_wait4, p, &stored, 0, NULL);
		lost += r != p;
		wrong += r == p && !WIFEXITED(stored);
	}
	flags = 0;
	say("%s: lost %d wrong %d early %d", name, lost, wrong, early);
	ran = stolen = early = 0;
}

static void *waiter(void *p)
{
	one("wait4 in a thread", 0, 0);
	return NULL;
}

int main(void)
{
	pthread_t t;

	handle(SA_RESTART);
	one("wait4", 0, 0);
	one("wait4, any", 0, 1);
	one("waitid", 1, 0);
	one("waitid, any", 1, 1);
	stops("stops");
	handle(0);
	one("wait4 without restart", 0, 0);
	one("waitid without restart", 1, 1);
	set_raw_mask(BIT(SIGUSR1));
	pthread_create(&t, NULL, waiter, NULL);
	set_raw_mask(~0ull);
	pthread_join(t, NULL);
	return 0;
}
