/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four threads read one signalfd while a timer interrupts them all the time: no signal is lost, and each
 * number is converted once.
 */
#include "probe.h"

#include <sys/mman.h>

#ifndef SYS_signalfd4
#define SYS_signalfd4 289
#endif
#define COUNT_SENT 10000
#define AHEAD 3000 /* fewer than any limit of queued signals */
#define DATA 40	   /* real-time: each one is queued */
#define STOP 42

struct ssi {
	uint32_t signo;
	int32_t err, code;
	uint32_t pid;
	uint8_t rest[112];
};

static int fd;
static pid_t child;
static long *taken, wrong;

static void on_alarm(int sig)
{
	(void)sig;
}

static void *reader(void *arg)
{
	struct ssi s[3];

	(void)arg;
	for (;;) {
		long r = read(fd, s, sizeof(s));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			die("read");
		for (int i = 0; i < r / 128; i++) {
			if (s[i].signo == STOP) {
				kill(getpid(), STOP); /* for the others */
				return NULL;
			}
			if (s[i].pid != (uint32_t)child)
				__atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
			__atomic_fetch_add(taken, 1, __ATOMIC_SEQ_CST);
		}
	}
}

int main(void)
{
	uint64_t mask = BIT(DATA) | BIT(STOP);
	struct itimerval often = {{0, 150}, {0, 150}};
	struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	pthread_t t[4];

	taken = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	set_raw_mask(mask);
	fd = (int)SC(SYS_signalfd4, -1, &mask, 8, 0);
	sigaction(SIGALRM, &sa, NULL);
	child = fork_or_die();
	if (!child) {
		for (long n = 0; n < COUNT_SENT;) {
			if (n - __atomic_load_n(taken, __ATOMIC_SEQ_CST) > AHEAD)
				usleep(300);
			else
				n += !kill(getppid(), DATA);
		}
		_exit(0);
	}
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, reader, NULL);
	say("child %s", reap(child));
	while (__atomic_load_n(taken, __ATOMIC_SEQ_CST) < COUNT_SENT)
		usleep(1000);
	kill(getpid(), STOP);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
	say("taken %ld, wrong %ld", *taken, wrong);
	return 0;
}
