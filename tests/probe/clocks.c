/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPU clocks of processes and threads: ids that libc makes and ids made of numbers, special and foreign ones, kinds
 * that do not exist, clocks that are descriptors; and timers that name a thread.
 */
#include "probe.h"

#define PROCESS(pid, kind) ((int)(~(unsigned int)(pid) << 3 | (kind)))
#define THREAD(tid, kind) ((int)(~(unsigned int)(tid) << 3 | 4 | (kind)))
#define JUNK 0xdeadbeef00000000ul
#ifndef SIGEV_THREAD_ID
#define SIGEV_THREAD_ID 4
#endif

static struct gate up, down;
static int tid;

struct kevent {
	long value;
	int signo, notify, tid, pad[11];
};

static const char *clocks(int id)
{
	struct timespec ts, none = {0, 1};
	int timer;
	char *s = scratch();
	long get = SC(SYS_clock_gettime, id, &ts),
	     res = SC(SYS_clock_getres, (uint32_t)id | JUNK, &ts);
	long set = SC(SYS_clock_settime, id, &none), create = SC(SYS_timer_create, id, NULL, &timer);
	long null = SC(SYS_clock_getres, id, NULL);

	if (!create)
		SC(SYS_timer_delete, timer);
	snprintf(s, 160, "gettime %s getres %s %s settime %s timer %s", rc(get), rc(res), rc(null),
		 rc(set), rc(create));
	return s;
}

static void number(const char *who, int n)
{
	for (int kind = 0; kind < 4; kind++) {
		say("%s: process kind %d: %s", who, kind, clocks(PROCESS(n, kind)));
		say("%s: thread kind %d: %s", who, kind, clocks(THREAD(n, kind)));
	}
}

static void burn(long ns)
{
	struct timespec ts;

	do
		SC(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &ts);
	while (ts.tv_sec * 1000000000L + ts.tv_nsec < ns);
}

static void *thread(void *arg)
{
	tid = (int)SC(SYS_gettid);
	burn(20000000);
	gate_open(up);
	gate_pass(down);
	return NULL;
}

static long ms(int id)
{
	struct timespec ts;
	long r = SC(SYS_clock_gettime, id, &ts);

	return r ? r : ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static volatile int hit_tid, hits;

static void hit(int sig)
{
	hit_tid = (int)SC(SYS_gettid);
	hits++;
}

/* A timer that signals the thread n. */
static void fires(const char *what, int clock, int n)
{
	struct kevent ev = {7, SIGUSR1, SIGEV_THREAD_ID, n, {0}};
	struct {
		struct timespec interval, value;
	} soon = {{0, 0}, {0, 1000000}};
	int timer = -1;
	long r = SC(SYS_timer_create, clock, &ev, &timer);

	hits = hit_tid = 0;
	say("%s: create %s", what, rc(r));
	if (r)
		return;
	SC(SYS_timer_settime, timer, 0, &soon, NULL);
	for (int i = 0; i < 2000 && !hits; i++)
		usleep(1000);
	say("%s: %d hit, in thread %d", what, hits, hit_tid);
	SC(SYS_timer_delete, timer);
}

static void events(void)
{
	static const int numbers[] = {0, -1, 1, 999, INT_MAX, INT_MIN};
	struct kevent ev = {7, SIGUSR1, SIGEV_THREAD_ID, 0, {0}};
	int timer;

	for (size_t i = 0; i < COUNT(numbers); i++) {
		ev.tid = numbers[i];
		say("event for %d: %s", numbers[i],
		    rc(SC(SYS_timer_create, CLOCK_MONOTONIC, &ev, &timer)));
	}
	ev.tid = (int)SC(SYS_gettid);
	ev.notify = 5;
	say("notify 5 %s", rc(SC(SYS_timer_create, CLOCK_MONOTONIC, &ev, &timer)));
	ev.notify = SIGEV_THREAD_ID;
	ev.signo = 65;
	say("signal 65 %s", rc(SC(SYS_timer_create, CLOCK_MONOTONIC, &ev, &timer)));
	ev.signo = SIGUSR1;
	say("bad clock %s, bad event %s %s, bad id %s %s", rc(SC(SYS_timer_create, 99, &ev, &timer)),
	    rc(SC(SYS_timer_create, 99, WILD, &timer)), rc(SC(SYS_timer_create, 0, WILD, NULL)),
	    rc(SC(SYS_timer_create, 0, &ev, NULL)), rc(SC(SYS_timer_create, 0, &ev, WILD)));
}

static void on_thread_timer(union sigval v)
{
	hits = v.sival_int;
	gate_open(up);
}

static void all(void)
{
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_thread_timer};
	struct itimerspec soon = {{0, 0}, {0, 1000000}};
	struct timespec ts = {0, 1};
	int pid = getpid();
	pid_t child = sleeper();
	clockid_t id, tid_clock;
	pthread_t t;
	timer_t timer;

	up = gate_new();
	down = gate_new();
	number("0", 0);
	number("1", 1);
	number("self", pid);
	number("child", child);
	number("999", 999);
	number("max", 0x0fffffff);
	say("libc: self %s child %s 999 %s", rc(clock_getcpuclockid(0, &id)),
	    rc(clock_getcpuclockid(child, &id)), rc(clock_getcpuclockid(999, &id)));
	say("ids of libc: %s %s",
	    clock_getcpuclockid(child, &id) || id != PROCESS(child, 2) ? "other" : "same", clocks(id));
	end(child);
	number("dead child", child);
	pthread_create(&t, NULL, thread, NULL);
	gate_pass(up);
	number("thread", tid);
	say("pthread_getcpuclockid %s, of myself %s", rc(pthread_getcpuclockid(t, &tid_clock)),
	    rc(pthread_getcpuclockid(pthread_self(), &id)));
	say("thread's clock: %s", clocks(tid_clock));
	say("my own: %s", clocks(id));
	say("by number it burnt 20 ms: %d, by libc's id: %d", ms(THREAD(tid, 2)) >= 20,
	    ms(tid_clock) >= 20);
	say("process burnt it too: %d %d", ms(PROCESS(pid, 2)) >= 20,
	    ms(CLOCK_PROCESS_CPUTIME_ID) >= 20);
	signal(SIGUSR1, hit);
	fires("timer for the main thread", CLOCK_MONOTONIC, (int)SC(SYS_gettid));
	fires("timer for the other thread", CLOCK_MONOTONIC, tid);
	events();
	gate_open(down);
	join_for_good(t, tid);
	fires("timer for a dead thread", CLOCK_MONOTONIC, tid);
	say("sleep on own thread %s %s, on process %s, absent %s",
	    rc(SC(SYS_clock_nanosleep, THREAD(0, 2), 0, &ts, NULL)),
	    rc(SC(SYS_clock_nanosleep, THREAD(SC(SYS_gettid), 2), 0, &ts, NULL)),
	    rc(SC(SYS_clock_nanosleep, PROCESS(0, 2), 1, &ts, NULL)),
	    rc(SC(SYS_clock_nanosleep, PROCESS(999, 2), 0, &ts, NULL)));
	/* Clocks of descriptors: 3 in the low bits. */
	for (int fd = 0; fd < 3; fd++)
		say("fd %d: %s", fd, clocks(PROCESS(fd, 3)));
	ev.sigev_value.sival_int = 42;
	say("SIGEV_THREAD %s", lrc(timer_create(CLOCK_MONOTONIC, &ev, &timer)));
	timer_settime(timer, 0, &soon, NULL);
	gate_pass(up);
	say("came %d", hits);
	timer_delete(timer);
}

int main(void)
{
	all();
	in_child("in a child", all);
	return 0;
}
