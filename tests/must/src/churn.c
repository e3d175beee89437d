/* SPDX-License-Identifier: Apache-2.0 */
/* 64 threads create and join threads for some seconds; with a second argument others fork meanwhile.
 * At the end the process has one thread, as far as /proc and its own calls can tell. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 64 };

static atomic_int stop;
static atomic_long made, wrong, last;

static void *child(void *arg)
{
	pid_t tid = syscall(SYS_gettid);

	if (tid <= 0 || tid == getpid() || syscall(SYS_tgkill, getpid(), tid, 0))
		wrong++;
	last = tid;
	return arg;
}

static void *churn(void *arg)
{
	while (!stop) {
		pthread_t t;

		if (pthread_create(&t, NULL, child, NULL)) {
			wrong++;
			break;
		}
		pthread_join(t, NULL);
		made++;
	}
	return arg;
}

static void *forks(void *arg)
{
	while (!stop) {
		int status;
		pid_t p = fork();

		if (!p)
			_exit(getppid() > 0 && syscall(SYS_gettid) == getpid() ? 7 : 8);
		if (p < 0 || waitpid(p, &status, 0) != p || !WIFEXITED(status) ||
		    WEXITSTATUS(status) != 7)
			wrong++;
	}
	return arg;
}

static int tasks(void)
{
	int n = 0;
	DIR *d = opendir("/proc/self/task");

	while (d) {
		struct dirent *e = readdir(d);
		if (!e)
			break;
		n += e->d_name[0] != '.';
	}
	if (d)
		closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	pthread_t t[THREADS], f[2];

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, churn, NULL))
			return 1;
	for (int i = 0; argc > 2 && i < 2; i++)
		if (pthread_create(&f[i], NULL, forks, NULL))
			return 1;
	sleep(atoi(argv[1]));
	stop = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; argc > 2 && i < 2; i++)
		pthread_join(f[i], NULL);
	/* The kernel wakes a joiner before the thread has left the process. */
	for (int i = 0; i < 100 && tasks() != 1; i++)
		usleep(10000);
	if (tasks() != 1 || !syscall(SYS_tgkill, getpid(), (pid_t)last, 0) || errno != ESRCH)
		wrong++;
	printf("%ld threads made, %ld things wrong, %d tasks left\n", (long)made, (long)wrong, tasks());
	return wrong || made < THREADS;
}
