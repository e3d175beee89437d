/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that is measured. It reads lines `OPERATION COUNT` and answers each with
 * `NANOSECONDS MICROSECONDS`: wall-clock time, and processor time including that of reaped
 * children. One such program runs natively, one under a filter that does nothing, and others
 * inside, all alive at once, so that measure.py can take turns between them.
 *
 * Numbers are asked for by raw calls: what a libc keeps to itself costs nothing anywhere.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CROWD_MAX 20000

extern char **environ;

static int zero, pair[2];
static pid_t crowd[CROWD_MAX];
static long crowded;

static void fail(const char *what)
{
	fprintf(stderr, "ops: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void reap(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		fail("child");
}

/* --- operations ---------------------------------------------------------------------------- */

static void op_getpid(void)
{
	syscall(SYS_getpid);
}

static void op_gettid(void)
{
	syscall(SYS_gettid);
}

static void op_getppid(void)
{
	syscall(SYS_getppid);
}

static void op_getuid(void)
{
	syscall(SYS_getuid);
}

static void op_read(void)
{
	char c;

	if (read(zero, &c, 1) != 1)
		fail("read");
}

static void op_open(void)
{
	int fd = open("/etc/passwd", O_RDONLY);

	if (fd < 0)
		fail("open");
	close(fd);
}

static void op_stat(void)
{
	struct stat st;

	if (stat("/etc/passwd", &st))
		fail("stat");
}

static void op_send(void)
{
	char c = 0;

	if (send(pair[0], &c, 1, 0) != 1 || recv(pair[1], &c, 1, 0) != 1)
		fail("send");
}

static void op_sendmsg(void)
{
	char c = 0;
	struct iovec iov = {&c, 1};
	struct msghdr out = {.msg_iov = &iov, .msg_iovlen = 1}, in = out;

	if (sendmsg(pair[0], &out, 0) != 1 || recvmsg(pair[1], &in, 0) != 1)
		fail("sendmsg");
}

static void op_sigprocmask(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		fail("sigprocmask");
}

static volatile sig_atomic_t handled;

static void on_usr1(int sig)
{
	(void)sig;
	handled = 1;
}

static void op_kill(void)
{
	handled = 0;
	if (syscall(SYS_kill, syscall(SYS_getpid), SIGUSR1) || !handled)
		fail("kill");
}

static void op_fork(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	if (pid < 0)
		fail("fork");
	reap(pid);
}

static void op_vfork(void)
{
	pid_t pid = vfork();

	if (!pid)
		_exit(0);
	if (pid < 0)
		fail("vfork");
	reap(pid);
}

static void *nothing(void *arg)
{
	return arg;
}

static void op_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, nothing, NULL) || pthread_join(t, NULL))
		fail("thread");
}

static void run(const char *path, char **argv)
{
	pid_t pid;

	errno = posix_spawn(&pid, path, NULL, NULL, argv, environ);
	if (errno)
		fail(path);
	reap(pid);
}

static void op_spawn(void)
{
	char *argv[] = {(char *)"true", NULL};

	run("/bin/true", argv);
}

static void op_script(void)
{
	char *argv[] = {(char *)"sh", (char *)"-c",
			(char *)"i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done", NULL};

	run("/bin/sh", argv);
}

static void op_proc_stat(void)
{
	char buf[1024];
	int fd = open("/proc/self/stat", O_RDONLY);

	if (fd < 0 || read(fd, buf, sizeof(buf)) <= 0)
		fail("/proc/self/stat");
	close(fd);
}

/* --- a crowd of sleepers, for the size of the registry ---------------------------------------- */

static void op_crowd(void)
{
	pid_t pid;

	if (crowded == CROWD_MAX)
		fail("crowd");
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	if (pid < 0)
		fail("crowd");
	crowd[crowded++] = pid;
}

static void op_disperse(void)
{
	for (long i = 0; i < crowded; i++)
		kill(crowd[i], SIGKILL);
	while (crowded)
		if (waitpid(crowd[--crowded], NULL, 0) < 0)
			fail("disperse");
}

static const struct {
	const char *name;
	void (*op)(void);
} ops[] = {
	{"getpid", op_getpid},	     {"gettid", op_gettid},
	{"getppid", op_getppid},     {"getuid", op_getuid},
	{"read", op_read},	     {"open", op_open},
	{"stat", op_stat},	     {"sigprocmask", op_sigprocmask},
	{"send", op_send},	     {"sendmsg", op_sendmsg},
	{"kill", op_kill},	     {"fork", op_fork},
	{"vfork", op_vfork},	     {"thread", op_thread},
	{"spawn", op_spawn},	     {"script", op_script},
	{"proc-stat", op_proc_stat}, {"crowd", op_crowd},
	{"disperse", op_disperse},
};

static long long wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static long long used(void)
{
	long long sum = 0;
	struct rusage ru;

	for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
		if (getrusage(who, &ru))
			fail("getrusage");
		sum += (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000ll;
		sum += ru.ru_utime.tv_usec + ru.ru_stime.tv_usec;
	}
	return sum;
}

static void measure(void (*op)(void), long count)
{
	long long cpu = used(), began = wall(), ended;

	for (long i = 0; i < count; i++)
		op();
	ended = wall();
	printf("%lld %lld\n", ended - began, used() - cpu);
	fflush(stdout);
}

int main(void)
{
	char name[32];
	long count;

	zero = open("/dev/zero", O_RDONLY);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		fail("socketpair");
	if (zero < 0)
		fail("/dev/zero");
	signal(SIGUSR1, on_usr1);
	printf("ready\n");
	fflush(stdout);
	while (scanf("%31s %ld", name, &count) == 2) {
		size_t i = 0, n = sizeof(ops) / sizeof(ops[0]);

		while (i < n && strcmp(ops[i].name, name))
			i++;
		if (i == n) {
			errno = EINVAL;
			fail(name);
		}
		measure(ops[i].op, count);
	}
	return 0;
}
