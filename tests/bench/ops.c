/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that is measured. It reads lines `OPERATION COUNT` and answers each with
 * `NANOSECONDS MICROSECONDS`: wall-clock time, and processor time including that of reaped
 * children. One such program runs natively, others under a filter that does nothing, inside, and
 * under what subpid is compared with, all alive at once, so that measure.py can take turns between them.
 * An operation `@NAME` is the script macro/NAME.sh beside the program; if it prints a number, that is its time.
 *
 * Numbers are asked for by the C library's functions, which keep none to themselves (glibc since 2.25) and are calls
 * that can be patched, as most programs make them; its syscall(2) is not.
 */
#define _GNU_SOURCE
#include <dirent.h>
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

#define CROWD_MAX 40000

extern char **environ;

static int zero, pair[2];
static char folder[512];
static pid_t crowd[CROWD_MAX];
static long crowded;
static pid_t helpers[3];

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

/* A child that does nothing, made when it is first asked for. */
static pid_t sleeper(void)
{
	if (helpers[0])
		return helpers[0];
	helpers[0] = fork();
	if (!helpers[0])
		for (;;)
			pause();
	if (helpers[0] < 0)
		fail("sleeper");
	return helpers[0];
}

/* --- operations ---------------------------------------------------------------------------- */

static void op_getpid(void)
{
	getpid();
}

static void op_gettid(void)
{
	gettid();
}

static void op_getppid(void)
{
	getppid();
}

static void op_getpgrp(void)
{
	getpgrp();
}

static void op_sigaction(void)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};

	if (sigaction(SIGUSR2, &sa, NULL))
		fail("sigaction");
}

static void op_waitpid(void)
{
	if (waitpid(sleeper(), NULL, WNOHANG))
		fail("waitpid");
}

static void op_kill_other(void)
{
	if (kill(sleeper(), 0))
		fail("kill");
}

static void op_lookup(void)
{
	static long at;

	if (getpgid(crowded ? crowd[at++ * 7919 % crowded] : sleeper()) < 0)
		fail("getpgid");
}

/* To a child and back, once a signal and once a byte. */
static void op_signal_pong(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	if (!helpers[1]) {
		sigprocmask(SIG_BLOCK, &set, NULL);
		helpers[1] = fork();
		if (!helpers[1]) {
			pid_t parent = getppid();

			for (;;)
				if (sigwaitinfo(&set, NULL) != SIGRTMIN || kill(parent, SIGRTMIN))
					_exit(1);
		}
	}
	if (helpers[1] < 0 || kill(helpers[1], SIGRTMIN) || sigwaitinfo(&set, NULL) != SIGRTMIN)
		fail("signal ping-pong");
}

static void op_pipe_pong(void)
{
	static int to[2], from[2];
	char c = 0;

	if (!helpers[2]) {
		if (pipe(to) || pipe(from))
			fail("pipe");
		helpers[2] = fork();
		if (!helpers[2])
			while (read(to[0], &c, 1) == 1 && write(from[1], &c, 1) == 1)
				;
		if (!helpers[2])
			_exit(0);
	}
	if (helpers[2] < 0 || write(to[1], &c, 1) != 1 || read(from[0], &c, 1) != 1)
		fail("pipe ping-pong");
}

static void op_list(void)
{
	DIR *d = opendir("/proc");
	long n = 0;

	if (!d)
		fail("/proc");
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] >= '1' && e->d_name[0] <= '9';
	closedir(d);
	if (n < crowded)
		fail("/proc does not show the crowd");
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
	if (kill(getpid(), SIGUSR1) || !handled)
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

static void op_vfork_exec(void)
{
	pid_t pid = vfork();

	if (!pid) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	if (pid < 0)
		fail("vfork");
	reap(pid);
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
	{"disperse", op_disperse},   {"getpgrp", op_getpgrp},
	{"sigaction", op_sigaction}, {"waitpid", op_waitpid},
	{"kill0", op_kill_other},    {"lookup", op_lookup},
	{"signals", op_signal_pong}, {"pipes", op_pipe_pong},
	{"list", op_list},	     {"vfork-exec", op_vfork_exec},
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

/* A script of macro/; what it prints is the time that it measured itself. */
static void macro(const char *name)
{
	char path[600];
	long long cpu = used(), began = wall(), ended, own = 0;
	int out[2], status;
	FILE *f;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/macro/%s.sh", folder, name);
	if (pipe(out))
		fail("pipe");
	pid = fork();
	if (!pid) {
		dup2(open("/dev/null", O_RDONLY), 0);
		dup2(out[1], 1);
		close(out[0]);
		close(out[1]);
		execl("/bin/sh", "sh", path, folder, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	f = fdopen(out[0], "r");
	if (pid < 0 || !f)
		fail(path);
	if (fscanf(f, "%lld", &own) != 1)
		own = 0;
	while (fgetc(f) != EOF)
		;
	fclose(f);
	if (waitpid(pid, &status, 0) != pid)
		fail(path);
	ended = wall();
	printf("%lld %lld\n", status ? 0 : own ? own : ended - began, used() - cpu);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char name[32], *slash;
	long count;

	snprintf(folder, sizeof(folder), "%s", argc ? argv[0] : "");
	slash = strrchr(folder, '/');
	if (slash)
		*slash = '\0';

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

		if (name[0] == '@') {
			macro(name + 1);
			continue;
		}
		while (i < n && strcmp(ops[i].name, name))
			i++;
		if (i == n) {
			errno = EINVAL;
			fail(name);
		}
		measure(ops[i].op, count);
	}
	for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++)
		if (helpers[i] > 0)
			kill(helpers[i], SIGKILL);
	return 0;
}
