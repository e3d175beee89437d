/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waits under a mask of their own that let in what is blocked otherwise, for SIGSYS and SIGUSR1: pending
 * before the wait, sent during it, with a timeout, left by siglongjmp.
 */
#include "probe.h"

static sigjmp_buf back;
static volatile int got, leave;

static void handler(int sig)
{
	got = sig;
	say("    handler of %d, mask %s", sig, mask_text(raw_mask()));
	if (leave)
		siglongjmp(back, 1);
}

struct pack {
	const uint64_t *mask;
	size_t size;
};

static long wait_with(int how, const uint64_t *mask, int ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};
	struct pack pack = {mask, 8};

	switch (how) {
	case 0:
		return SC(SYS_rt_sigsuspend, mask, 8);
	case 1:
		return SC(SYS_ppoll, NULL, 0, ms < 0 ? NULL : &ts, mask, 8);
	default:
		return SC(SYS_pselect6, 0, NULL, NULL, NULL, ms < 0 ? NULL : &ts, &pack);
	}
}

static void after(void)
{
	say("    got %d, mask %s, pending %s, own number %s", got, mask_text(raw_mask()),
	    mask_text(raw_pending()), rc(SC(SYS_getpid)));
	got = 0;
}

static void one(int how, int sig, uint64_t open)
{
	pid_t p, me = (pid_t)SC(SYS_getpid);
	struct gate g = gate_new();

	say("  way %d, signal %d, open %s", how, sig, mask_text(open));
	set_raw_mask(BIT(SIGSYS) | BIT(SIGUSR1) | BIT(SIGHUP));
	kill(me, sig);
	open = ~open & (BIT(SIGSYS) | BIT(SIGUSR1) | BIT(SIGHUP));
	say("    pending: %s", rc(wait_with(how, &open, how ? 20 : -1)));
	after();
	p = fork_or_die();
	if (!p) {
		gate_pass(g);
		usleep(30000);
		kill(me, sig);
		_exit(0);
	}
	gate_open(g);
	say("    during: %s", rc(wait_with(how, &open, -1)));
	after();
	reap(p);
	leave = 1;
	kill(me, sig);
	if (!sigsetjmp(back, 1))
		say("    never: %s", rc(wait_with(how, &open, -1)));
	leave = 0;
	after();
	if (how)
		say("    nothing: %s", rc(wait_with(how, &open, 5)));
	after();
}

static void closed(int how)
{
	uint64_t mask = BIT(SIGSYS) | BIT(SIGHUP);

	say("  way %d, SIGSYS stays blocked", how);
	set_raw_mask(BIT(SIGSYS));
	raise(SIGSYS);
	say("    %s", rc(wait_with(how, &mask, 5)));
	after();
	mask = 0;
	say("    %s", rc(wait_with(how, &mask, 5)));
	after();
}

static void *all(void *p)
{
	for (int how = 0; how < 3; how++) {
		one(how, SIGUSR1, BIT(SIGUSR1));
		one(how, SIGSYS, BIT(SIGSYS));
		one(how, SIGSYS, BIT(SIGSYS) | BIT(SIGUSR1));
		if (how)
			closed(how);
	}
	return NULL;
}

int main(void)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};

	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGSYS, &sa, NULL);
	all(NULL);
	in_child("child", (void (*)(void))all);
	return 0;
}
