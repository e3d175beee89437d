/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program sees of its own dispositions, masks and pending signals, through the kernel's calls
 * and the libc's: every signal with every flag set and read back, SIGSYS handled, ignored, blocked
 * and sent like any other, and what fork, exec and threads inherit.
 *
 * args: tables sigsys inherit
 */
#include "probe.h"

static const char *self;
static volatile int hits;

static void handler(int sig)
{
	hits++;
}

static void handler3(int sig, siginfo_t *si, void *uc)
{
	hits++;
}

static void restorer(void)
{
}

static const char *name_of(void (*h)(int))
{
	return h == SIG_DFL   ? "default"
	       : h == SIG_IGN ? "ignored"
	       : h == handler ? "handler"
			      : "other";
}

/* How process 1 starts. */
static void initial(void)
{
	char odd[256] = "";
	size_t at = 0;

	for (int sig = 1; sig <= 64; sig++) {
		struct ksigaction k = {.flags = 99};
		long r = SC(SYS_rt_sigaction, sig, NULL, &k, 8);

		if (r || k.handler != SIG_DFL || k.flags || k.mask)
			at += (size_t)snprintf(odd + at, sizeof(odd) - at, " %d:%s,%s,%lx,%s", sig,
					       rc(r), name_of(k.handler), k.flags, mask_text(k.mask));
	}
	say("odd dispositions:%s", odd);
	say("mask %s pending %s", mask_text(raw_mask()), mask_text(raw_pending()));
}

static void round_trip(int sig, unsigned long flags, uint64_t mask)
{
	struct ksigaction k = {handler, flags, restorer, mask}, old, got;
	long r = SC(SYS_rt_sigaction, sig, &k, &old, 8), q;

	memset(&got, 0x5a, sizeof(got));
	q = SC(SYS_rt_sigaction, sig, NULL, &got, 8);
	say("sigaction(%d, %lx, %s) %s, old %s; %s %s %lx %s%s", sig, flags, mask_text(mask), rc(r),
	    r ? "" : name_of(old.handler), rc(q), name_of(got.handler), got.flags, mask_text(got.mask),
	    got.flags & 0x04000000 ? got.restorer == restorer ? " restorer kept" : " restorer lost"
				   : "");
	k = (struct ksigaction){SIG_DFL, 0, NULL, 0};
	SC(SYS_rt_sigaction, sig, &k, &old, 8);
}

static void round_trips(void)
{
	static const unsigned long flags[] = {
		0,
		SA_SIGINFO,
		SA_ONSTACK,
		SA_RESTART,
		SA_NODEFER,
		SA_RESETHAND,
		SA_NOCLDSTOP,
		SA_NOCLDWAIT,
		0x04000000,
		0x400,
		0x800,
		0x1000,
		0xffffffff,
		0xfffffffffffffffful,
	};
	static const uint64_t masks[] = {0, BIT(SIGUSR1), BIT(SIGSYS), BIT(SIGKILL) | BIT(SIGSTOP),
					 ~0ull};
	struct ksigaction k = {handler, 0x04000000, restorer, 0}, old;

	for (int sig = -1; sig <= 66; sig++)
		round_trip(sig, 0x04000000, 0);
	for (size_t i = 0; i < COUNT(flags); i++)
		for (size_t m = 0; m < COUNT(masks); m++) {
			round_trip(SIGUSR2, flags[i], masks[m]);
			round_trip(SIGSYS, flags[i], masks[m]);
			round_trip(40, flags[i], masks[m]);
		}
	say("size 4 %s", rc(SC(SYS_rt_sigaction, SIGUSR1, &k, &old, 4)));
	say("size 16 %s", rc(SC(SYS_rt_sigaction, SIGUSR1, &k, &old, 16)));
	say("wild %s %s", rc(SC(SYS_rt_sigaction, SIGUSR1, WILD, NULL, 8)),
	    rc(SC(SYS_rt_sigaction, SIGUSR1, NULL, WILD, 8)));
	/* The new one is in place when the old one cannot be written. */
	say("old wild %s", rc(SC(SYS_rt_sigaction, SIGUSR1, &k, WILD, 8)));
	SC(SYS_rt_sigaction, SIGUSR1, NULL, &old, 8);
	say("then %s", name_of(old.handler));
	signal(SIGUSR1, SIG_DFL);
	say("one buffer %s", rc(SC(SYS_rt_sigaction, SIGUSR1, &k, &k, 8)));
	say("then %s", name_of(k.handler));
	signal(SIGUSR1, SIG_DFL);
	say("signal() %s then %s", name_of(signal(SIGSYS, handler)), name_of(signal(SIGSYS, SIG_IGN)));
	say("signal() %s", name_of(signal(SIGSYS, SIG_DFL)));
}

static void masks(void)
{
	static const int hows[] = {SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK, 3, -1};
	static const uint64_t sets[] = {BIT(SIGUSR1), BIT(SIGSYS),	~0ull, 0,
					BIT(SIGKILL), BIT(33) | BIT(64)};
	uint64_t old = 0;

	for (size_t i = 0; i < COUNT(hows); i++)
		for (size_t k = 0; k < COUNT(sets); k++) {
			uint64_t set = sets[k];
			long r = SC(SYS_rt_sigprocmask, hows[i], &set, &old, 8);

			say("sigprocmask(%d, %s) %s old %s now %s", hows[i], mask_text(set), rc(r),
			    mask_text(old), mask_text(raw_mask()));
		}
	say("bad how without a set %s", rc(SC(SYS_rt_sigprocmask, 77, NULL, &old, 8)));
	say("size 4 %s size 16 %s", rc(SC(SYS_rt_sigprocmask, SIG_BLOCK, &old, NULL, 4)),
	    rc(SC(SYS_rt_sigprocmask, SIG_BLOCK, &old, NULL, 16)));
	say("wild %s %s", rc(SC(SYS_rt_sigprocmask, SIG_BLOCK, WILD, NULL, 8)),
	    rc(SC(SYS_rt_sigprocmask, SIG_BLOCK, NULL, WILD, 8)));
	old = BIT(SIGUSR1);
	say("old wild %s, mask %s", rc(SC(SYS_rt_sigprocmask, SIG_BLOCK, &old, WILD, 8)),
	    mask_text(raw_mask()));
	old = BIT(SIGUSR2);
	say("one buffer %s %s", rc(SC(SYS_rt_sigprocmask, SIG_SETMASK, &old, &old, 8)), mask_text(old));
	set_raw_mask(0);
	say("sigpending size 9 %s, size 4 %s, wild %s", rc(SC(SYS_rt_sigpending, &old, 9)),
	    rc(SC(SYS_rt_sigpending, &old, 4)), rc(SC(SYS_rt_sigpending, WILD, 8)));
}

/* --- SIGSYS is a signal like any other --------------------------------------------------------------- */

static volatile int sys_code, sys_pid, sys_nr;

static void on_sys(int sig, siginfo_t *si, void *uc)
{
	hits++;
	sys_code = si->si_code;
	sys_pid = si->si_pid;
	sys_nr = (int)SC(SYS_getpid);
}

static void sigsys(void)
{
	struct sigaction sa = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};
	static const struct timespec now = {0, 0};
	uint64_t set = BIT(SIGSYS);
	siginfo_t si;
	int me = getpid();
	pid_t pid;

	sigaction(SIGSYS, &sa, NULL);
	hits = 0;
	SC(SYS_kill, me, SIGSYS);
	say("handled %d, code %d from %d, getpid %d", hits, sys_code, sys_pid, sys_nr);
	SC(SYS_tgkill, me, SC(SYS_gettid), SIGSYS);
	say("handled %d, code %d from %d, getpid %d", hits, sys_code, sys_pid, sys_nr);
	pid = fork_or_die();
	if (!pid) {
		SC(SYS_kill, getppid(), SIGSYS);
		_exit(0);
	}
	say("%s", reap(pid));
	say("handled %d, code %d from %d", hits, sys_code, sys_pid);
	set_raw_mask(set);
	SC(SYS_kill, me, SIGSYS);
	SC(SYS_kill, me, SIGSYS);
	say("blocked: handled %d pending %s mask %s, getpid %s", hits, mask_text(raw_pending()),
	    mask_text(raw_mask()), rc(SC(SYS_getpid)));
	set_raw_mask(0);
	say("unblocked: handled %d pending %s", hits, mask_text(raw_pending()));
	set_raw_mask(set);
	sigqueue(me, SIGSYS, (union sigval){.sival_int = 8});
	memset(&si, 0, sizeof(si));
	say("taken %s", rc(SC(SYS_rt_sigtimedwait, &set, &si, &now, 8)));
	say("  code %d from %d value %d", si.si_code, si.si_pid, si.si_value.sival_int);
	say("nothing left %s", rc(SC(SYS_rt_sigtimedwait, &set, &si, &now, 8)));
	set_raw_mask(0);
	signal(SIGSYS, SIG_IGN);
	SC(SYS_kill, me, SIGSYS);
	say("ignored: handled %d, getpid %s, fork %s", hits, rc(SC(SYS_getpid)), reap(({
		    pid_t p = fork();

		    if (!p)
			    _exit(5);
		    p;
	    })));
	signal(SIGSYS, SIG_DFL);
	say("unknown call %s", rc(SC(9999)));
	pid = fork_or_die();
	if (!pid) {
		SC(SYS_kill, SC(SYS_getpid), SIGSYS);
		_exit(1);
	}
	say("default %s", reap(pid));
	pid = fork_or_die();
	if (!pid) {
		set_raw_mask(set);
		raise(SIGSYS);
		say("pending %s", mask_text(raw_pending()));
		set_raw_mask(0);
		_exit(1);
	}
	say("default, blocked first %s", reap(pid));
	/* With every signal blocked calls still work. */
	set_raw_mask(~0ull);
	pid = fork();
	if (!pid) {
		say("all blocked: %s of %s mask %s", rc(SC(SYS_getpid)), rc(SC(SYS_getppid)),
		    mask_text(raw_mask()));
		_exit(6);
	}
	say("all blocked %s", reap(pid));
	set_raw_mask(0);
}

/* --- inheritance ------------------------------------------------------------------------------------- */

static void report(const char *who)
{
	static const int sigs[] = {SIGUSR1, SIGUSR2, SIGSYS, SIGTERM, SIGCHLD, SIGPIPE, 33, 40};

	for (size_t i = 0; i < COUNT(sigs); i++) {
		struct ksigaction k;

		SC(SYS_rt_sigaction, sigs[i], NULL, &k, 8);
		say("%s: %d %s %lx %s", who, sigs[i], name_of(k.handler), k.flags & ~0x04000000ul,
		    mask_text(k.mask));
	}
	say("%s: mask %s pending %s", who, mask_text(raw_mask()), mask_text(raw_pending()));
}

static void *in_thread(void *p)
{
	report("thread");
	set_raw_mask(BIT(SIGHUP));
	return NULL;
}

static void inherit(void)
{
	struct ksigaction k = {handler, SA_RESTART | 0x04000000, restorer, BIT(SIGINT)};
	pthread_t t;
	pid_t pid;

	SC(SYS_rt_sigaction, SIGUSR1, &k, NULL, 8);
	SC(SYS_rt_sigaction, SIGSYS, &k, NULL, 8);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	k = (struct ksigaction){SIG_IGN, SA_NOCLDWAIT | 0x04000000, restorer, BIT(SIGINT)};
	SC(SYS_rt_sigaction, 40, &k, NULL, 8);
	set_raw_mask(BIT(SIGSYS) | BIT(SIGTERM) | BIT(SIGUSR1));
	raise(SIGTERM);
	raise(SIGSYS);
	report("parent");
	pid = fork_or_die();
	if (!pid) {
		report("fork");
		_exit(0);
	}
	say("%s", reap(pid));
	pthread_create(&t, NULL, in_thread, NULL);
	pthread_join(t, NULL);
	say("mask %s", mask_text(raw_mask()));
	pid = fork_or_die();
	if (!pid) {
		raise(SIGUSR1);
		raise(SIGSYS);
		execl(self, self, "blocked", (char *)NULL);
		_exit(127);
	}
	say("%s", reap(pid));
	set_raw_mask(0);
	signal(SIGSYS, SIG_IGN);
	pid = fork_or_die();
	if (!pid) {
		execl(self, self, "ignored", (char *)NULL);
		_exit(127);
	}
	say("%s", reap(pid));
	/* And back: what exec handed on is what the next one gets. */
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (!strcmp(argv[1], "ignored") || !strcmp(argv[1], "blocked")) {
		report(argv[1]);
		in_child("call", initial);
		if (!strcmp(argv[1], "blocked"))
			execl(self, self, "ignored", (char *)NULL);
		return 3;
	}
	initial();
	if (!strcmp(argv[1], "tables")) {
		round_trips();
		masks();
	} else if (!strcmp(argv[1], "sigsys")) {
		sigsys();
	} else {
		inherit();
		in_child("inherit in a child", inherit);
	}
	return 0;
}
