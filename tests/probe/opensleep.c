/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pipe by a name that usually is a list of processes: opening it waits for a writer, and a signal ends that.
 */
#include "probe.h"

static volatile int came;

static void on_alarm(int sig)
{
	(void)sig;
	came++;
}

static void ring(void)
{
	struct itimerval soon = {.it_value = {.tv_usec = 50000}, .it_interval = {.tv_usec = 50000}};

	came = 0;
	setitimer(ITIMER_REAL, &soon, NULL);
}

static void silence(void)
{
	struct itimerval none = {0};

	setitimer(ITIMER_REAL, &none, NULL);
}

static void by_name(const char *name)
{
	long r;

	if (mkfifo(name, 0600))
		die("mkfifo");
	ring();
	r = SC(SYS_openat, AT_FDCWD, name, O_RDONLY);
	silence();
	say("%s: %s, signal %d", name, rc(r), came > 0);
	unlink(name);
}

int main(void)
{
	struct sigaction sa = {.sa_handler = on_alarm};
	long next;

	sigaction(SIGALRM, &sa, NULL);
	by_name("tasks");
	by_name("cgroup.procs");
	by_name("ordinary");
	next = dup(0);
	say("the next descriptor is %ld", next);
	return 0;
}
