/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGSYS to process 1, with one thread and with two: at default it is nothing, blocked it waits, whoever
 * sends it.
 */
#include "probe.h"

static void unblocked(const char *name)
{
	pid_t p = fork_or_die();

	if (!p) {
		kill(1, SIGSYS);
		_exit(0);
	}
	reap(p);
	SC(SYS_kill, 1, SIGSYS);
	SC(SYS_tgkill, 1, SC(SYS_gettid), SIGSYS);
	say("%s: pending %s", name, mask_text(raw_pending()));
}

/* To this thread, so that it does not matter what others have blocked. */
static void blocked(const char *name)
{
	uint64_t set = BIT(SIGSYS);
	struct timespec zero = {0, 0};
	pid_t p, me = (pid_t)SC(SYS_gettid);
	siginfo_t si;

	set_raw_mask(BIT(SIGSYS));
	p = fork_or_die();
	if (!p) {
		SC(SYS_tgkill, 1, me, SIGSYS);
		_exit(0);
	}
	reap(p);
	say("%s, blocked: pending %s", name, mask_text(raw_pending()));
	for (int i = 0; i < 2; i++)
		say("  taken %s", rc(SC(SYS_rt_sigtimedwait, &set, &si, &zero, 8)));
	SC(SYS_tgkill, 1, me, SIGSYS);
	set_raw_mask(0);
	say("%s, let in: pending %s", name, mask_text(raw_pending()));
}

static void both(const char *name)
{
	unblocked(name);
	blocked(name);
}

static void *wait_for_end(void *p)
{
	gate_pass(*(struct gate *)p);
	return NULL;
}

int main(void)
{
	struct gate g = gate_new();
	pthread_t t;

	both("alone");
	set_raw_mask(BIT(SIGSYS));
	pthread_create(&t, NULL, wait_for_end, &g);
	set_raw_mask(0);
	both("threaded");
	gate_open(g);
	pthread_join(t, NULL);
	both("alone again");
	return 0;
}
