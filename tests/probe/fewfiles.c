/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that is started where only few descriptors are allowed: it forks, starts programs and
 * threads, signals and reads /proc, also when every descriptor it may have is in use. The highest ones
 * are not looked at: one of them may be subpid's, which is documented.
 *
 * nofile: 20
 */
#include "probe.h"

static char self[512];

static void *nothing(void *p)
{
	say("thread %s/%s", rc(SC(SYS_getpid)), rc(SC(SYS_gettid)));
	return NULL;
}

static void works(const char *name)
{
	char *argv[] = {(char *)"x", (char *)"execed", NULL};
	pthread_t t;
	pid_t pid;

	say("%s: %s of %s", name, rc(SC(SYS_getpid)), rc(SC(SYS_getppid)));
	pid = fork_or_die();
	if (!pid) {
		say("kill parent %s, nobody %s", rc(SC(SYS_kill, getppid(), 0)),
		    rc(SC(SYS_kill, 999, 0)));
		_exit(3);
	}
	say("fork %s", reap(pid));
	pid = vfork();
	if (!pid) {
		SC(SYS_execve, self, argv, NULL);
		_exit(127);
	}
	say("exec %s", reap(pid));
	pthread_create(&t, NULL, nothing, NULL);
	pthread_join(t, NULL);
	pid = sleeper();
	say("kill %s", rc(SC(SYS_kill, pid, SIGTERM)));
	say("sleeper %s", reap(pid));
}

static void full(void)
{
	int fd;

	while ((fd = dup(1)) >= 0)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	say("dup %s", err(errno));
	works("full");
}

static void low(void)
{
	struct rlimit r = {6, 6};

	setrlimit(RLIMIT_NOFILE, &r);
	works("6");
}

static void closes(void)
{
	for (int i = 3; i < 64; i++)
		close(i);
	works("closed");
	SC(SYS_close_range, 3, ~0u, 0);
	works("closed again");
	for (int i = 3; i < 20; i++)
		dup2(1, i);
	for (int i = 3; i < 20; i++)
		fcntl(i, F_SETFD, FD_CLOEXEC);
	works("replaced");
}

int main(int argc, char **argv)
{
	ssize_t n;

	if (argc > 1) {
		pid_t pid = fork_or_die();

		if (!pid)
			_exit(9);
		say("execed: %s of %s, fork %s, next %d", rc(SC(SYS_getpid)), rc(SC(SYS_getppid)),
		    reap(pid), ({
			    int fd = dup(1);

			    close(fd);
			    fd;
		    }));
		return 4;
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0)
		die("no /proc/self/exe");
	works("start");
	in_child("full", full);
	in_child("low", low);
	in_child("closes", closes);
	full();
	return 0;
}
