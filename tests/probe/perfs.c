/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events that count: of oneself, of a child by its number, of nobody; and samples without numbers.
 */
#include "probe.h"

#include <sys/ioctl.h>
#include <sys/mman.h>

#ifndef SYS_perf_event_open
#define SYS_perf_event_open 298
#endif

/* struct perf_event_attr up to PERF_ATTR_SIZE_VER1 */
struct attr {
	uint32_t type, size;
	uint64_t config, period, sample_type, read_format, flags;
	uint32_t wakeup, bp_type;
	uint64_t config1, config2;
};

static struct attr a;

static long event(uint64_t flags, long pid, long cpu, long group, unsigned long how)
{
	memset(&a, 0, sizeof(a));
	a.type = 1; /* PERF_TYPE_SOFTWARE */
	a.size = sizeof(a);
	a.config = 1;			   /* PERF_COUNT_SW_TASK_CLOCK */
	a.flags = flags | 1 << 5 | 1 << 6; /* exclude_kernel, exclude_hv */
	return SC(SYS_perf_event_open, &a, pid, cpu, group, how);
}

static void count(const char *what, long fd)
{
	uint64_t n = 0;
	long r = 0;

	say("%s: %s", what, fd < 0 ? rc(fd) : "opened");
	if (fd < 0)
		return;
	for (volatile int i = 0; i < 1000000; i++)
		;
	/* The other one has to get a processor. */
	for (int i = 0; i < 3000 && !n; i++) {
		r = SC(SYS_read, fd, &n, sizeof(n));
		usleep(1000);
	}
	say("  read %s, %s", rc(r), n ? "something" : "nothing");
	SC(SYS_close, fd);
}

static volatile int go_on = 1;

static void *spins(void *arg)
{
	*(volatile int *)arg = (int)SC(SYS_gettid);
	while (go_on)
		;
	return NULL;
}

int main(void)
{
	pid_t child = fork_or_die();
	volatile int tid = 0;
	pthread_t t;
	void *ring;
	long fd;

	if (!child)
		for (;;)
			;
	count("myself", event(0, 0, -1, -1, 0));
	count("by number", event(0, getpid(), -1, -1, 0));
	count("child", event(0, child, -1, -1, 0));
	pthread_create(&t, NULL, spins, (void *)&tid);
	while (!tid)
		;
	count("thread", event(0, tid, -1, -1, 0));
	go_on = 0;
	pthread_join(t, NULL);
	count("inherited", event(1 << 1, 0, -1, -1, 0));
	count("nobody", event(0, 99999, -1, -1, 0));
	count("negative", event(0, -2, -1, -1, 0));
	count("everybody nowhere", event(0, -1, -1, -1, 0));
	count("junk above", event(0, (long)0xdeadbeef00000000ul | child, -1, -1, 0));
	count("bad group", event(0, 0, -1, 999, 0));
	count("bad flags", event(0, 0, -1, -1, 0xff0));
	count("no cgroup", event(0, 999, 0, -1, 4));
	end(child);
	count("who is gone", event(0, child, -1, -1, 0));
	/* Samples of where, not of who. */
	memset(&a, 0, sizeof(a));
	a.type = 1;
	a.size = sizeof(a);
	a.config = 0;
	a.period = 100000;
	a.sample_type = 1; /* PERF_SAMPLE_IP */
	a.flags = 1 << 5 | 1 << 6;
	fd = SC(SYS_perf_event_open, &a, 0, -1, -1, 0);
	ring = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
	say("samples %s ring %s", fd < 0 ? rc(fd) : "opened",
	    ring == MAP_FAILED ? err(errno) : "mapped");
	say("wild %s", rc(SC(SYS_perf_event_open, WILD, 0, -1, -1, 0)));
	a.size = 1;
	fd = SC(SYS_perf_event_open, &a, 0, -1, -1, 0);
	say("size %s, wants more %d", rc(fd), a.size > 1);
	return 0;
}
