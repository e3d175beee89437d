/* SPDX-License-Identifier: Apache-2.0 */
/* Forks, vforks, spawns, threads, signals, groups and waits in plain C, with any libc. Prints the
 * numbers it sees with `numbers`; with `all` only facts that hold natively as well. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int failures;

#define CHECK(cond)                                                                 \
	do {                                                                        \
		if (!(cond)) {                                                      \
			printf("line %d: %s (errno %d)\n", __LINE__, #cond, errno); \
			failures++;                                                 \
		}                                                                   \
	} while (0)

static void nap(int ms)
{
	poll(NULL, 0, ms);
}

static int wait_code(pid_t pid)
{
	int status = 0;
	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void forks(void)
{
	pid_t me = getpid(), children[50];

	for (int i = 0; i < 50; i++) {
		children[i] = fork();
		if (!children[i])
			_exit(getppid() == me && getpid() == syscall(SYS_getpid) &&
					      syscall(SYS_gettid) == getpid()
				      ? i
				      : 99);
		CHECK(children[i] > 0);
	}
	for (int i = 0; i < 50; i++)
		CHECK(wait_code(children[i]) == i);
	CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
	CHECK(kill(children[0], 0) == -1 && errno == ESRCH);
	for (int i = 0; i < 50; i++) {
		pid_t p = vfork();
		if (!p)
			_exit(3);
		CHECK(p > 0 && wait_code(p) == 3 && getpid() == me);
	}
	for (int i = 0; i < 20; i++) {
		pid_t p;
		char *argv[] = {"sh", "-c", "exit 4", NULL};
		CHECK(posix_spawn(&p, "/bin/sh", NULL, NULL, argv, environ) == 0);
		CHECK(wait_code(p) == 4);
	}
	printf("forks done\n");
}

static void *thread(void *arg)
{
	pid_t tid = syscall(SYS_gettid);
	CHECK(tid != getpid() && tid > 0 && syscall(SYS_tgkill, getpid(), tid, 0) == 0);
	return arg;
}

static void *forking_thread(void *arg)
{
	pid_t p = fork();
	if (!p)
		_exit(syscall(SYS_gettid) == getpid() ? 7 : 8);
	CHECK(p > 0 && wait_code(p) == 7);
	return arg;
}

static void threads(void)
{
	pthread_t t[40];

	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 40; i++)
			CHECK(pthread_create(&t[i], NULL, round ? thread : forking_thread, NULL) == 0);
		for (int i = 0; i < 40; i++)
			CHECK(pthread_join(t[i], NULL) == 0);
	}
	printf("threads done\n");
}

static atomic_int hits, sender;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	hits++;
	sender = info->si_pid;
}

static void *sleeper(void *arg)
{
	struct timespec ts = {0, 1000000};
	while (!atomic_load((atomic_int *)arg))
		nanosleep(&ts, NULL);
	return NULL;
}

static void signals(void)
{
	struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigset_t set, old;
	siginfo_t info;
	struct timespec limit = {10, 0};
	pthread_t t;
	pid_t p;

	sigemptyset(&sa.sa_mask);
	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	for (int i = 0; i < 100; i++)
		CHECK(kill(getpid(), SIGUSR1) == 0 && hits == i + 1 && sender == getpid());
	CHECK(raise(SIGUSR1) == 0 && hits == 101);
	p = fork();
	if (!p) {
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	CHECK(wait_code(p) == 0 && hits == 102 && sender == p);

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGCHLD);
	CHECK(pthread_sigmask(SIG_BLOCK, &set, &old) == 0);
	p = fork();
	if (!p) {
		union sigval v = {.sival_int = 42};
		sigqueue(getppid(), SIGRTMIN, v);
		_exit(6);
	}
	sigdelset(&set, SIGCHLD);
	CHECK(sigtimedwait(&set, &info, &limit) == SIGRTMIN);
	CHECK(info.si_pid == p && info.si_value.sival_int == 42);
	sigaddset(&set, SIGCHLD);
	CHECK(sigtimedwait(&set, &info, &limit) == SIGCHLD && info.si_pid == p && info.si_status == 6);
	memset(&info, 0, sizeof(info));
	CHECK(waitid(P_PID, p, &info, WEXITED) == 0 && info.si_pid == p && info.si_status == 6);
	CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);

	atomic_int stop = 0;
	int before = hits;
	CHECK(pthread_create(&t, NULL, sleeper, &stop) == 0);
	for (int i = 0; i < 20 || (i < 1000 && hits == before); i++) {
		CHECK(pthread_kill(t, SIGUSR1) == 0);
		if (i >= 20)
			nap(5);
	}
	atomic_store(&stop, 1);
	pthread_join(t, NULL);
	CHECK(hits > before);

	p = fork();
	if (!p) {
		signal(SIGSEGV, SIG_DFL);
		kill(getpid(), SIGSEGV);
		_exit(1);
	}
	CHECK(wait_code(p) == 1000 + SIGSEGV);
	p = fork();
	if (!p) {
		signal(SIGABRT, SIG_DFL);
		abort();
	}
	CHECK(wait_code(p) == 1000 + SIGABRT);
	p = fork();
	if (!p)
		for (;;)
			pause();
	CHECK(kill(p, SIGSTOP) == 0);
	int status;
	CHECK(waitpid(p, &status, WUNTRACED) == p && WIFSTOPPED(status));
	CHECK(kill(p, SIGCONT) == 0 && waitpid(p, &status, WCONTINUED) == p && WIFCONTINUED(status));
	CHECK(kill(p, SIGKILL) == 0 && wait_code(p) == 1000 + SIGKILL);
	printf("signals done\n");
}

static void groups(void)
{
	pid_t p, kids[3];
	int status;

	for (int i = 0; i < 3; i++) {
		kids[i] = fork();
		if (!kids[i]) {
			setpgid(0, i ? kids[0] : 0);
			for (;;)
				pause();
		}
		setpgid(kids[i], kids[0]);
		CHECK(getpgid(kids[i]) == kids[0]);
	}
	CHECK(kill(-kids[0], SIGTERM) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(waitpid(-kids[0], &status, 0) > 0 && WTERMSIG(status) == SIGTERM);
	CHECK(waitpid(-kids[0], &status, 0) == -1 && errno == ECHILD);
	p = fork();
	if (!p)
		_exit(setsid() == getpid() && getsid(0) == getpid() && getpgrp() == getpid() ? 5 : 6);
	CHECK(wait_code(p) == 5);
	printf("groups done\n");
}

static void *print_tid(void *arg)
{
	printf("thread %ld of %d\n", syscall(SYS_gettid), (int)getpid());
	return arg;
}

static void numbers(void)
{
	pthread_t t;

	printf("%d %d %d %d %ld\n", (int)getpid(), (int)getppid(), (int)getpgrp(), (int)getsid(0),
	       syscall(SYS_gettid));
	for (int i = 0; i < 3; i++) {
		fflush(stdout);
		pid_t p = i == 1 ? vfork() : fork();
		if (!p) {
			if (i != 1) {
				printf("child %d of %d\n", (int)getpid(), (int)getppid());
				fflush(stdout);
			}
			_exit(0);
		}
		printf("forked %d, waited %d\n", (int)p, (int)waitpid(p, NULL, 0));
		pthread_create(&t, NULL, print_tid, NULL);
		pthread_join(t, NULL);
	}
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && !strcmp(argv[1], "numbers")) {
		numbers();
		return 0;
	}
	forks();
	threads();
	signals();
	groups();
	printf("%d failures\n", failures);
	return failures != 0;
}
