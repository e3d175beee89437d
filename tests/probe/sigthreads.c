/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals to a process of several threads: which thread takes one that is sent to the process, masks and
 * alternate stacks that each thread has for itself, a thread that waits for signals on behalf of all, and
 * the threads of process 1, whose own masks decide what is queued for them.
 */
#include "probe.h"

static struct gate up, down;
static volatile int hit_by, hit_from, hits;
static volatile int tids[4];
static const struct timespec now = {0, 0};

static void hit(int sig, siginfo_t *si, void *uc)
{
	hit_from = si->si_pid;
	__atomic_store_n(&hit_by, (int)SC(SYS_gettid), __ATOMIC_RELEASE);
	__atomic_fetch_add(&hits, 1, __ATOMIC_RELEASE);
}

static void await_hit(const char *name)
{
	for (int i = 0; i < 5000 && !__atomic_load_n(&hits, __ATOMIC_ACQUIRE); i++)
		usleep(1000);
	say("%s: taken by %d from %d, %d times", name, hit_by, hit_from, hits);
	hit_by = hit_from = hits = 0;
}

static void *open_to_all(void *p)
{
	set_raw_mask(0);
	tids[(intptr_t)p] = (int)SC(SYS_gettid);
	gate_open(up);
	gate_pass(down);
	return NULL;
}

static void handle(int sig)
{
	struct sigaction sa = {.sa_sigaction = hit, .sa_flags = SA_SIGINFO | SA_RESTART};

	sigaction(sig, &sa, NULL);
}

/* The main thread blocks everything: the other one takes what is sent to the process. */
static void other_takes(void)
{
	static const int sigs[] = {SIGUSR1, SIGTERM, SIGCHLD, 40, SIGSYS};
	int me = getpid();
	uint64_t set;
	pthread_t t;
	pid_t pid;

	set_raw_mask(~0ull);
	pthread_create(&t, NULL, open_to_all, NULL);
	gate_pass(up);
	for (size_t i = 0; i < COUNT(sigs); i++) {
		char name[64];

		handle(sigs[i]);
		SC(SYS_kill, me, sigs[i]);
		snprintf(name, sizeof(name), "kill %d", sigs[i]);
		await_hit(name);
		SC(SYS_tgkill, me, me, sigs[i]);
		say("tgkill to the blocked one: pending %s", mask_text(raw_pending()));
		set = BIT(sigs[i]);
		SC(SYS_rt_sigtimedwait, &set, NULL, &now, 8);
		SC(SYS_tgkill, me, tids[0], sigs[i]);
		await_hit("tgkill to the other");
	}
	handle(SIGUSR1);
	signal(SIGCHLD, SIG_DFL);
	pid = fork_or_die();
	if (!pid) {
		SC(SYS_kill, me, SIGUSR1);
		_exit(0);
	}
	say("%s", reap(pid));
	await_hit("from a child");
	gate_open(down);
	pthread_join(t, NULL);
	set_raw_mask(0);
}

/* As daemons do it: everything blocked everywhere, one thread waits. */
static volatile int stop_waiting;

static void *waiter(void *p)
{
	uint64_t set = BIT(SIGUSR1) | BIT(SIGTERM) | BIT(SIGCHLD) | BIT(SIGSYS) | BIT(41);

	gate_open(up);
	while (!stop_waiting) {
		siginfo_t si;
		long r = SC(SYS_rt_sigtimedwait, &set, &si, NULL, 8);

		say("waiter took %s from %d code %d", rc(r), si.si_pid, si.si_code);
		if (r == 41)
			break;
		gate_open(up);
	}
	return NULL;
}

static void one_waits(void)
{
	int me = getpid();
	pthread_t t;
	pid_t pid;

	set_raw_mask(~0ull);
	pthread_create(&t, NULL, waiter, NULL);
	gate_pass(up);
	SC(SYS_kill, me, SIGUSR1);
	gate_pass(up);
	SC(SYS_kill, me, SIGTERM);
	gate_pass(up);
	pid = fork_or_die();
	if (!pid) {
		SC(SYS_kill, me, SIGUSR1);
		for (;;)
			pause();
	}
	gate_pass(up);
	SC(SYS_kill, pid, SIGKILL);
	gate_pass(up);
	say("%s", reap(pid));
	SC(SYS_kill, me, 41);
	pthread_join(t, NULL);
	set_raw_mask(0);
}

/* Masks belong to threads, dispositions to the process. */
static void *own_mask(void *p)
{
	struct ksigaction k;

	set_raw_mask(BIT(SIGHUP) | BIT(SIGSYS));
	handle(SIGUSR2);
	gate_open(up);
	gate_pass(down);
	SC(SYS_rt_sigaction, SIGUSR2, NULL, &k, 8);
	say("thread: mask %s, USR2 %s", mask_text(raw_mask()),
	    k.handler == SIG_IGN ? "ignored" : "other");
	return NULL;
}

static void masks(void)
{
	struct ksigaction k;
	pthread_t t;

	set_raw_mask(BIT(SIGINT));
	pthread_create(&t, NULL, own_mask, NULL);
	gate_pass(up);
	SC(SYS_rt_sigaction, SIGUSR2, NULL, &k, 8);
	say("main: mask %s, USR2 %s", mask_text(raw_mask()),
	    (void *)k.handler == (void *)hit ? "handled" : "other");
	signal(SIGUSR2, SIG_IGN);
	gate_open(down);
	pthread_join(t, NULL);
	say("main: mask %s", mask_text(raw_mask()));
	set_raw_mask(0);
}

/* A thread's own mask decides what is queued for it, in process 1 as elsewhere. */
static void *blocks(void *p)
{
	uint64_t set = BIT(SIGUSR1) | BIT(SIGTERM) | BIT(SIGSYS);

	set_raw_mask(set);
	tids[0] = (int)SC(SYS_gettid);
	gate_open(up);
	gate_pass(down);
	for (;;) {
		siginfo_t si;
		long r;

		memset(&si, 0, sizeof(si));
		say("thread pending %s", mask_text(raw_pending()));
		r = SC(SYS_rt_sigtimedwait, &set, &si, &now, 8);
		say("thread took %s from %d code %d", rc(r), si.si_pid, si.si_code);
		if (r < 0)
			break;
	}
	set_raw_mask(0);
	say("thread's pending %s", mask_text(raw_pending()));
	return NULL;
}

static void queued_for_thread(void)
{
	int me = getpid();
	pthread_t t;
	pid_t pid;

	signal(SIGUSR1, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGSYS, SIG_DFL);
	pthread_create(&t, NULL, blocks, NULL);
	gate_pass(up);
	pid = fork_or_die();
	if (!pid) {
		say("tgkill %s tkill %s", rc(SC(SYS_tgkill, me, tids[0], SIGUSR1)),
		    rc(SC(SYS_tkill, tids[0], SIGTERM)));
		_exit(0);
	}
	say("%s", reap(pid));
	gate_open(down);
	pthread_join(t, NULL);
}

int main(void)
{
	up = gate_new();
	down = gate_new();
	other_takes();
	one_waits();
	masks();
	queued_for_thread();
	in_child("other takes", other_takes);
	in_child("one waits", one_waits);
	in_child("masks", masks);
	in_child("queued for a thread", queued_for_thread);
	return 0;
}
