/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals without end at calls that are patched meanwhile. Handlers find the program's code and nothing else, some
 * leave by siglongjmp, calls have their results, and children of every kind know their numbers.
 *
 * usage: storm SECONDS THREADS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define RANGES 64

static struct {
	uint64_t from, to;
} code[RANGES];
static int ranges;
static pid_t me;
static _Atomic long handled, jumped;
static _Atomic uint64_t strange;
static __thread sigjmp_buf back;
static __thread volatile int may_jump;

static void note_code(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		unsigned long from, to;
		char perms[8];

		if (sscanf(line, "%lx-%lx %7s", &from, &to, perms) == 3 && perms[2] == 'x' &&
		    (strchr(line, '/') || strstr(line, "[vdso]")) && ranges < RANGES) {
			code[ranges].from = from;
			code[ranges++].to = to;
		}
	}
	if (f)
		fclose(f);
}

static void handler(int sig, siginfo_t *si, void *ctx)
{
	uint64_t ip = (uint64_t)((ucontext_t *)ctx)->uc_mcontext.gregs[REG_RIP];
	int known = 0;

	(void)sig;
	(void)si;
	for (int i = 0; i < ranges; i++)
		known |= ip >= code[i].from && ip < code[i].to;
	if (!known)
		atomic_store(&strange, ip);
	if (atomic_fetch_add(&handled, 1) % 5 == 0 && may_jump) {
		may_jump = 0;
		atomic_fetch_add(&jumped, 1);
		siglongjmp(back, 1);
	}
}

static void die(const char *what, long got, long want)
{
	printf("not ok %s: %ld, not %ld (errno %d)\n", what, got, want, errno);
	fflush(stdout);
	_exit(1);
}

static void expect(const char *what, long got, long want)
{
	if (got != want)
		die(what, got, want);
}

static void reap(pid_t pid)
{
	int status;
	pid_t r;

	do
		r = waitpid(pid, &status, 0);
	while (r < 0 && errno == EINTR);
	expect("waitpid", r, pid);
	expect("status", status, 0);
}

static void children(void)
{
	char *argv[] = {"true", NULL}, *envp[] = {NULL};
	pid_t pid = fork();

	if (pid == 0)
		_exit(getppid() != me || getpid() == me || getpid() != (pid_t)syscall(SYS_getpid));
	reap(pid);
	expect("getpid behind fork", getpid(), me);
	pid = vfork();
	if (pid == 0)
		_exit(getpid() == me);
	expect("getpid behind vfork", getpid(), me);
	reap(pid);
	if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, envp))
		die("posix_spawn", -1, 0);
	expect("getpid behind posix_spawn", getpid(), me);
	reap(pid);
}

static void calls(pid_t tid)
{
	sigset_t set, old;
	struct stat st;
	int fd;

	expect("getpid", getpid(), me);
	expect("gettid", gettid(), tid);
	if (getppid() < 0)
		die("getppid", getppid(), 1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	expect("block", pthread_sigmask(SIG_BLOCK, &set, &old), 0);
	expect("blocked before", sigismember(&old, SIGUSR2), 0);
	expect("unblock", pthread_sigmask(SIG_UNBLOCK, &set, &old), 0);
	expect("blocked between", sigismember(&old, SIGUSR2), 1);
	expect("kill", kill(me, 0), 0);
	expect("stat", stat("/dev/null", &st), 0);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("open", fd, 3);
	close(fd);
	expect("wait", waitpid(-me, NULL, WNOHANG), -1);
}

static _Atomic int stop;

static void loop(pid_t tid)
{
	if (sigsetjmp(back, 1)) {
		/* The handler left from somewhere in getppid. */
	}
	for (int i = 0; i < 50 && !atomic_load(&stop); i++) {
		may_jump = 1;
		for (int n = 0; n < 20; n++)
			if (getppid() < 0)
				die("getppid", -1, 1);
		may_jump = 0;
		calls(tid);
	}
}

static void *thread(void *arg)
{
	pid_t tid = gettid();

	while (!atomic_load(&stop))
		loop(tid);
	return arg;
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct itimerval often = {{0, 170}, {0, 170}};
	int seconds = argc > 1 ? atoi(argv[1]) : 2, threads = argc > 2 ? atoi(argv[2]) : 0;
	pthread_t t[8];
	time_t end = time(NULL) + seconds;
	pid_t tid, enemy;

	if (getpid() == 1) {
		pid_t pid = fork();

		if (pid) {
			int status;

			waitpid(pid, &status, 0);
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		}
	}
	me = getpid();
	tid = gettid();
	note_code();
	sigaction(SIGALRM, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	enemy = fork();
	if (enemy == 0) {
		/* Not so often that a fork never comes through: the kernel makes it again after each. */
		struct timespec pause = {0, 20000};

		while (getppid() == me && !kill(me, SIGUSR1))
			nanosleep(&pause, NULL);
		_exit(0);
	}
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < threads; i++)
		pthread_create(&t[i], NULL, thread, NULL);
	while (time(NULL) < end) {
		loop(tid);
		children();
	}
	atomic_store(&stop, 1);
	for (int i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	kill(enemy, SIGKILL);
	while (waitpid(enemy, NULL, 0) < 0 && errno == EINTR)
		;
	if (atomic_load(&strange))
		printf("not ok a handler found itself at %#lx\n", (unsigned long)atomic_load(&strange));
	printf("# %ld signals, %ld jumps out of a handler\n", (long)handled, (long)jumped);
	return atomic_load(&strange) != 0;
}
