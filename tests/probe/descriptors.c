/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that close, replace or run out of descriptors and then fork and exec: close_range, closefrom
 * loops, dup2 over everything, a low RLIMIT_NOFILE, a full table, closed standard streams. After each of
 * them identities, forks and execs must work as before, and no descriptor may appear or go missing.
 */
#include "probe.h"
#include <sys/socket.h>

static char self[512];
static const char *what_next;

/*
 * Descriptors that are open, as ranges. The one that subpid keeps for itself is a documented difference:
 * it lies at 1000, where no program looks, so the list ends below.
 */
static void list(const char *name)
{
	char line[512] = "";
	size_t at = 0;

	for (int i = 0; i < 1000 && at < 480; i++) {
		int end = i;

		if (fcntl(i, F_GETFD) < 0)
			continue;
		while (end + 1 < 1000 && fcntl(end + 1, F_GETFD) >= 0)
			end++;
		at += (size_t)snprintf(line + at, sizeof(line) - at, end > i ? " %d-%d" : " %d", i,
				       end);
		i = end;
	}
	say("%s: open%s, next %d", name, line, ({
		    int f = dup(1);
		    if (f >= 0)
			    close(f);
		    f;
	    }));
}

static void works(const char *name)
{
	pid_t pid;

	say("%s: %s of %s", name, rc(SC(SYS_getpid)), rc(SC(SYS_getppid)));
	pid = fork_or_die();
	if (!pid) {
		list("fork");
		_exit(3);
	}
	say("fork %s", reap(pid));
	pid = vfork();
	if (!pid) {
		char *argv[] = {(char *)"x", (char *)"execed", NULL};

		SC(SYS_execve, self, argv, NULL);
		_exit(127);
	}
	say("exec %s", reap(pid));
}

static void closes_range(void)
{
	say("close_range %s", rc(SC(SYS_close_range, 3, ~0u, 0)));
	list("closed");
	works("closed");
	say("close_range %s", rc(SC(SYS_close_range, 3, INT_MAX, 0)));
	works("again");
	say("bad order %s, bad flag %s", rc(SC(SYS_close_range, 9, 3, 0)),
	    rc(SC(SYS_close_range, 3, 9, 1)));
	say("cloexec %s", rc(SC(SYS_close_range, 0x80000000u, ~0u, 4)));
	works("cloexec");
}

static void unshares_range(void)
{
	int a = dup(1), b = dup(1);

	say("dups %d %d", a, b);
	say("close_range UNSHARE %s", rc(SC(SYS_close_range, a, ~0u, 2)));
	list("unshared");
	works("unshared");
	a = dup(1);
	say("close_range CLOEXEC %s, flag %d", rc(SC(SYS_close_range, 3, ~0u, 4)), fcntl(a, F_GETFD));
	works("on exec");
}

static void closes_all(void)
{
	for (int i = 3; i < 20000; i++)
		close(i);
	list("loop");
	works("loop");
	for (int i = 19999; i > 2; i--)
		SC(SYS_close, i);
	works("backwards");
}

static void replaces(void)
{
	for (int i = 3; i < 1100; i++)
		if (dup2(1, i) != i)
			say("dup2 %d %s", i, err(errno));
	works("replaced");
	for (int i = 3; i < 1100; i++)
		close(i);
	list("closed");
	works("closed");
}

static void limit(rlim_t soft, rlim_t hard)
{
	struct rlimit r = {soft, hard};

	if (setrlimit(RLIMIT_NOFILE, &r))
		say("setrlimit %s", err(errno));
}

static void low_limit(void)
{
	struct rlimit r;

	limit(64, 64);
	works("64");
	limit(8, 8);
	works("8");
	limit(5, 5);
	getrlimit(RLIMIT_NOFILE, &r);
	say("limit %lu %lu", (unsigned long)r.rlim_cur, (unsigned long)r.rlim_max);
	works("5");
}

static void soft_limit(void)
{
	struct rlimit r;

	getrlimit(RLIMIT_NOFILE, &r);
	limit(10, r.rlim_max);
	works("soft 10");
	limit(r.rlim_max, r.rlim_max);
	works("soft is hard");
	limit(256, 4096);
	works("256 of 4096");
}

static void full(void)
{
	int n = 0, last = 0, fd;

	limit(40, 40);
	while ((fd = dup(1)) >= 0) {
		last = fd;
		n++;
	}
	say("dups %d, last %d, then %s", n, last, err(errno));
	for (int i = 3; i < 38; i++)
		fcntl(i, F_SETFD, FD_CLOEXEC);
	works("full");
	say("pipe %s", pipe((int[2]){0, 0}) ? err(errno) : "made");
	while (fd-- > 3)
		close(fd);
}

static void streams(void)
{
	close(0);
	works("no input");
	close(2);
	list("only output");
	works("only output");
	say("open gives %d", open("/dev/null", O_RDWR));
	say("open gives %d", open("/dev/null", O_RDWR));
	say("open gives %d", open("/dev/null", O_RDWR));
}

static void no_streams(void)
{
	int out = fcntl(1, F_DUPFD, 20);
	pid_t pid;

	/* Even then the program runs: it says so by its status. */
	pid = fork_or_die();
	if (!pid) {
		close(0);
		close(1);
		close(2);
		SC(SYS_close_range, 0, ~0u, 0);
		pid = fork();
		if (!pid) {
			char *argv[] = {(char *)"x", (char *)"mute", NULL};

			SC(SYS_execve, self, argv, NULL);
			_exit(99);
		}
		int st = 0;

		SC(SYS_wait4, pid, &st, 0, NULL);
		_exit(WEXITSTATUS(st));
	}
	say("no descriptors at all %s", reap(pid));
	close(out);
}

static void kept(void)
{
	int sv[2], fd = open("/dev/null", O_RDONLY);
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		die("socketpair");
	fcntl(sv[0], F_SETFD, FD_CLOEXEC);
	list("mine");
	pid = fork_or_die();
	if (!pid) {
		char *argv[] = {(char *)"x", (char *)"execed", NULL};

		SC(SYS_execve, self, argv, NULL);
		_exit(127);
	}
	say("%s", reap(pid));
	close(fd);
	close(sv[0]);
	close(sv[1]);
}

static void reexec(void)
{
	/* Twice in a row without anything that was inherited. */
	SC(SYS_close_range, 3, ~0u, 0);
	what_next = "twice";
	SC(SYS_execve, self, ((char *[]){(char *)"x", (char *)"twice", NULL}), NULL);
	_exit(127);
}

int main(int argc, char **argv)
{
	ssize_t n;

	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0)
		die("no /proc/self/exe");
	if (argc > 1) {
		if (!strcmp(argv[1], "mute"))
			return SC(SYS_getpid) > 1 && SC(SYS_getppid) > 1 ? 21 : 22;
		list(argv[1]);
		say("%s: %s of %s", argv[1], rc(SC(SYS_getpid)), rc(SC(SYS_getppid)));
		if (!strcmp(argv[1], "twice")) {
			for (int i = 3; i < 2000; i++)
				close(i);
			SC(SYS_execve, self, ((char *[]){(char *)"x", (char *)"execed", NULL}), NULL);
		}
		return 4;
	}
	list("start");
	works("start");
	in_child("kept", kept);
	in_child("close_range", closes_range);
	in_child("close_range unshare", unshares_range);
	in_child("close loop", closes_all);
	in_child("dup2", replaces);
	in_child("low limit", low_limit);
	in_child("soft limit", soft_limit);
	in_child("full table", full);
	in_child("streams", streams);
	in_child("no streams", no_streams);
	in_child("twice", reexec);
	list("end");
	closes_range();
	reexec();
	return 1;
}
