/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prog SUBCOMMAND: small programs whose output is known in advance when they run as PID 1 of a new
 * PID namespace. Where it matters the numbers are asked for by raw system calls, so that no libc's
 * cache can answer. Built twice: static at a fixed address, and as a dynamic PIE.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *self;

static int fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return 1;
}

static int cmd_ids(int n)
{
	(void)n;
	printf("%ld %ld %ld\n", syscall(SYS_getpid), syscall(SYS_getppid), syscall(SYS_gettid));
	return 0;
}

/* One child after the other; fork's result, the child's own view and wait's result must agree. */
static int cmd_forks(int n)
{
	pid_t first = 0;
	pid_t child = 0;

	for (int i = 0; i < n; i++) {
		int pipefd[2];
		long seen[2];
		if (pipe(pipefd) < 0)
			return fail("pipe");
		child = fork();
		if (child < 0)
			return fail("fork");
		if (child == 0) {
			seen[0] = syscall(SYS_getpid);
			seen[1] = syscall(SYS_getppid);
			_exit(write(pipefd[1], seen, sizeof(seen)) != sizeof(seen));
		}
		close(pipefd[1]);
		if (read(pipefd[0], seen, sizeof(seen)) != sizeof(seen))
			return fail("read");
		close(pipefd[0]);
		pid_t reaped = wait(NULL);
		if (seen[0] != child || seen[1] != getpid() || reaped != child) {
			printf("fork %d, getpid %ld, getppid %ld, wait %d\n", child, seen[0],
			       seen[1], reaped);
			return 1;
		}
		if (!first)
			first = child;
	}
	printf("%d %d\n", first, child);
	return 0;
}

/* Many children alive at once, then ended by kill() with the numbers fork gave. */
static int cmd_alive(int n)
{
	pid_t children[256];

	for (int i = 0; i < n; i++) {
		children[i] = fork();
		if (children[i] < 0)
			return fail("fork");
		if (children[i] == 0) {
			pause();
			_exit(0);
		}
		for (int j = 0; j < i; j++) {
			if (children[j] == children[i]) {
				printf("number %d given twice\n", children[i]);
				return 1;
			}
		}
	}
	for (int i = 0; i < n; i++) {
		int status;
		if (kill(children[i], SIGKILL) < 0)
			return fail("kill");
		if (waitpid(children[i], &status, 0) != children[i])
			return fail("waitpid");
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
			printf("status %#x\n", status);
			return 1;
		}
	}
	puts("all");
	return 0;
}

/* Counted by several threads at once. */
static atomic_int signalled;

static void count_signal(int sig)
{
	(void)sig;
	atomic_fetch_add(&signalled, 1);
}

static void *thread_main(void *arg)
{
	long *tid = arg;
	*tid = syscall(SYS_gettid);
	/* raise() addresses this thread by what libc cached, tgkill() by what the call said. */
	raise(SIGUSR1);
	if (syscall(SYS_tgkill, getpid(), *tid, SIGUSR1) < 0)
		*tid = -errno;
	return NULL;
}

static int cmd_threads(int n)
{
	pthread_attr_t attr;
	long last = 0;

	signal(SIGUSR1, count_signal);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 10);
	for (int i = 0; i < n; i++) {
		pthread_t threads[4];
		long tids[4];
		for (int j = 0; j < 4; j++) {
			int error = pthread_create(&threads[j], &attr, thread_main, &tids[j]);
			if (error) {
				errno = error;
				return fail("pthread_create");
			}
		}
		for (int j = 0; j < 4; j++)
			pthread_join(threads[j], NULL);
		for (int j = 0; j < 4; j++) {
			if (tids[j] < 2 || tids[j] > 1 + 4 * n) {
				printf("thread number %ld\n", tids[j]);
				return 1;
			}
			if (tids[j] > last)
				last = tids[j];
		}
	}
	printf("%ld threads, %s signals\n", last - 1, signalled == 8 * n ? "all" : "lost");
	return 0;
}

static volatile sig_atomic_t sender;

static void note_sender(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	sender = info->si_pid;
}

static int cmd_sigchld(int n)
{
	struct sigaction act = {.sa_sigaction = note_sender, .sa_flags = SA_SIGINFO | SA_RESTART};

	(void)n;
	sigaction(SIGCHLD, &act, NULL);
	pid_t child = fork();
	if (child == 0)
		_exit(3);
	int status;
	if (waitpid(child, &status, 0) != child)
		return fail("waitpid");
	printf("si_pid %s, status %d\n", sender == child ? "ok" : "wrong", WEXITSTATUS(status));
	return 0;
}

static int run_self(const char *subcommand, const char *arg)
{
	execl(self, self, subcommand, arg, (char *)NULL);
	return fail(self);
}

/* Closes everything a program can name, then goes on forking and executing; n times over. */
static int cmd_closed(int n)
{
	char arg[16];

	if (n % 2 == 0 || syscall(436, 3U, ~0U, 0U) < 0) {
		for (int fd = 3; fd < 4096; fd++)
			close(fd);
	}
	pid_t child = fork();
	if (child < 0)
		return fail("fork");
	if (child == 0)
		_exit(0);
	if (waitpid(child, NULL, 0) != child)
		return fail("waitpid");
	snprintf(arg, sizeof(arg), "%d", n - 1);
	return run_self(n > 0 ? "closed" : "ids", arg);
}

/* Fills the descriptor table, so that n are left for anybody, and goes on. */
static int cmd_full(int n)
{
	struct rlimit limit;
	int last = 0;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return fail("getrlimit");
	/* A million of them would only take time. */
	limit.rlim_cur = 64;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return fail("setrlimit");
	for (int fd = 0; fd >= 0; fd = dup(1))
		last = fd;
	if (errno != EMFILE)
		return fail("dup");
	while (n-- > 0)
		close(last--);
	pid_t child = fork();
	if (child < 0)
		return fail("fork");
	if (child == 0)
		exit(run_self("ids", NULL));
	int status;
	if (waitpid(child, &status, 0) != child)
		return fail("waitpid");
	fflush(stdout);
	return run_self("ids", NULL);
}

static pid_t spawn_by_vfork(void)
{
	pid_t child = vfork();
	if (child == 0) {
		execl(self, self, "exit", "7", (char *)NULL);
		_exit(99);
	}
	return child;
}

static int cmd_vfork(int n)
{
	for (int i = 0; i < n; i++) {
		pid_t child = spawn_by_vfork();
		if (child < 0)
			return fail("vfork");
		int status;
		if (waitpid(child, &status, 0) != child)
			return fail("waitpid");
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 7 || child != i + 2) {
			printf("child %d, status %#x\n", child, status);
			return 1;
		}
	}
	puts("all");
	return 0;
}

static int cmd_exit(int n)
{
	return n;
}

/* A fault, which ends even PID 1. */
static int cmd_fault(int n)
{
	*(volatile int *)(unsigned long)n = 1;
	return 0;
}

static const struct {
	const char *name;
	int (*run)(int n);
} cmds[] = {
	{"ids", cmd_ids},	  {"forks", cmd_forks}, {"alive", cmd_alive},
	{"threads", cmd_threads}, {"full", cmd_full},	{"sigchld", cmd_sigchld},
	{"closed", cmd_closed},	  {"vfork", cmd_vfork}, {"exit", cmd_exit},
	{"fault", cmd_fault},
};

int main(int argc, char **argv)
{
	self = argv[0];
	for (size_t i = 0; argc > 1 && i < sizeof(cmds) / sizeof(cmds[0]); i++) {
		if (strcmp(argv[1], cmds[i].name) == 0)
			return cmds[i].run(argc > 2 ? atoi(argv[2]) : 0);
	}
	fputs("usage: prog SUBCOMMAND [N]\n", stderr);
	return 2;
}
