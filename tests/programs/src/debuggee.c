/* SPDX-License-Identifier: Apache-2.0 */
/* What the debuggers look at: signals, threads, fork, vfork, exec, waits. Built without optimisation. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

volatile int hits, watched;

void on_signal(int sig)
{
	hits += sig;
}

int add(int a, int b)
{
	return a + b;
}

void ready(void)
{
}

void in_child(void)
{
}

static void *thread(void *p)
{
	hits++;
	pause();
	return p;
}

static void threads(void)
{
	pthread_t t[3];

	for (int i = 0; i < 3; i++) {
		pthread_create(&t[i], NULL, thread, NULL);
		usleep(20000);
	}
	ready();
}

static void children(void)
{
	int st = 0;
	pid_t pid = fork();

	if (!pid) {
		in_child();
		execl("/bin/echo", "echo", "forked", (char *)NULL);
	}
	waitpid(pid, &st, 0);
	printf("child %d %x\n", pid, (unsigned)st);
	fflush(stdout);
	pid = vfork();
	if (!pid) {
		execl("/bin/echo", "echo", "vforked", (char *)NULL);
		_exit(1);
	}
	waitpid(pid, &st, 0);
	printf("child %d %x\n", pid, (unsigned)st);
}

int main(int argc, char **argv)
{
	signal(SIGUSR1, on_signal);
	printf("I am %d of %d\n", getpid(), getppid());
	fflush(stdout);
	kill(getpid(), SIGUSR1);
	watched = add(1, 2);
	if (argc > 1 && !strcmp(argv[1], "threads"))
		threads();
	if (argc > 1 && !strcmp(argv[1], "children"))
		children();
	if (argc > 1 && !strcmp(argv[1], "child")) {
		if (!fork()) {
			in_child();
			_exit(3);
		}
		wait(NULL);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "wait")) {
		if (!fork())
			for (;;)
				pause();
		wait(NULL);
	}
	printf("hits %d\n", hits);
	return 0;
}
