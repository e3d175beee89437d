/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seccomp filters that two threads on one CPU install, one of a real-time priority: it does not wait for long, whatever the
 * other was doing when it woke.
 *
 * privileged: yes
 */
#include "probe.h"

#define ROUNDS 100
#define LATE 400 /* ms; without help from above the other one gets the CPU after some 950 */

struct insn {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};

static struct insn allow[] = {{6, 0, 0, 0x7fff0000}};
static struct {
	uint16_t n;
	struct insn *code;
} prog = {1, allow};
static volatile int stop;

/* seccomp(SECCOMP_SET_MODE_FILTER) */
static long install(void)
{
	return SC(317, 1, 0, &prog);
}

static void *low(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS && !stop; i++)
		install();
	return NULL;
}

int main(void)
{
	struct timespec nap = {0, 150000}, before, after;
	struct sched_param fifo = {.sched_priority = 50};
	long worst = 0, ms, failed = 0;
	cpu_set_t cpu;
	pthread_t t;

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	pthread_create(&t, NULL, low, NULL);
	/* glibc and the kernel mean the thread, musl has no such function */
	if (SC(SYS_sched_setscheduler, 0, SCHED_FIFO, &fifo))
		say("no real-time priority");
	for (int i = 0; i < ROUNDS; i++) {
		nanosleep(&nap, NULL);
		clock_gettime(CLOCK_MONOTONIC, &before);
		failed += install() != 0;
		clock_gettime(CLOCK_MONOTONIC, &after);
		ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
		worst = ms > worst ? ms : worst;
	}
	stop = 1;
	pthread_join(t, NULL);
	say("failed %ld, late %d", failed, worst > LATE);
	return 0;
}
