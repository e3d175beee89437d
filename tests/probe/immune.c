/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Process 1 against signals from inside: every signal by every call, from itself and from a child,
 * with default, ignored, handled and blocked dispositions; what is queued, taken, dropped; and that
 * forced faults end it all the same.
 *
 * args: signals sigsys forced-segv forced-ill abort stop-children exec alarm
 */
#include "probe.h"
#include <sys/mman.h>

static const char *self;
static volatile int hits, from;

static void hit(int sig, siginfo_t *si, void *uc)
{
	hits++;
	from = si->si_pid;
}

static long send(int how, int sig)
{
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	si.si_signo = sig;
	si.si_code = SI_QUEUE;
	switch (how) {
	case 0:
		return SC(SYS_kill, 1, sig);
	case 1:
		return SC(SYS_tkill, 1, sig);
	case 2:
		return SC(SYS_tgkill, 1, 1, sig);
	case 3:
		return SC(SYS_rt_sigqueueinfo, 1, sig, &si);
	case 4:
		return SC(SYS_rt_tgsigqueueinfo, 1, 1, sig, &si);
	default: {
		long fd = SC(SYS_pidfd_open, 1, 0);
		long r = SC(SYS_pidfd_send_signal, fd, sig, NULL, 0);

		SC(SYS_close, fd);
		return r;
	}
	}
}

static const char *const calls[] = {"kill",	"tkill",      "tgkill",
				    "sigqueue", "tgsigqueue", "pidfd_send_signal"};

/* Signals 1 to 64 by one call; only results other than 0 are listed. */
static void volley(const char *name, int how)
{
	char odd[512] = "";
	size_t at = 0;

	for (int sig = 0; sig <= 64; sig++) {
		long r = send(how, sig);

		if (r)
			at += (size_t)snprintf(odd + at, sizeof(odd) - at, " %d:%s", sig, rc(r));
	}
	say("%s by %s: all sent%s%s", name, calls[how], at ? " but" : "", odd);
}

static void volleys(const char *name)
{
	for (int how = 0; how < (int)COUNT(calls); how++) {
		pid_t pid;

		volley(name, how);
		pid = fork_or_die();
		if (!pid) {
			volley("  from a child", how);
			_exit(0);
		}
		say("  %s", reap(pid));
	}
	say("  pending %s", mask_text(raw_pending()));
}

static void handled(int first, int last)
{
	struct sigaction sa = {.sa_sigaction = hit, .sa_flags = SA_SIGINFO | SA_RESTART}, old;

	for (int sig = first; sig <= last; sig++) {
		struct gate g;
		pid_t pid;

		if (sig == SIGKILL || sig == SIGSTOP || sig == SIGCHLD || (sig >= 32 && sig < 36))
			continue;
		hits = 0;
		sigaction(sig, &sa, &old);
		SC(SYS_kill, 1, sig);
		if (hits != 1 || from != 1)
			say("handler of %d: %d hits, from %d", sig, hits, from);
		g = gate_new();
		pid = fork_or_die();
		if (!pid) {
			SC(SYS_kill, 1, sig);
			_exit(0);
		}
		reap(pid);
		if (hits != 2 || from != pid)
			say("handler of %d: %d hits, from %s", sig, hits,
			    from == pid ? "child" : "else");
		close(g.r);
		close(g.w);
		sigaction(sig, &old, NULL);
	}
	say("handlers done");
}

static void blocked(const int *sigs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		static const struct timespec now = {0, 0};
		uint64_t set = BIT(sigs[i]);
		siginfo_t si;
		long r, again;
		pid_t pid;

		set_raw_mask(set);
		SC(SYS_kill, 1, sigs[i]);
		say("blocked %d: pending %s", sigs[i], mask_text(raw_pending()));
		memset(&si, 0, sizeof(si));
		r = SC(SYS_rt_sigtimedwait, &set, &si, &now, 8);
		again = SC(SYS_rt_sigtimedwait, &set, NULL, &now, 8);
		say("  took %s from %d code %d, then %s", rc(r), si.si_pid, si.si_code, rc(again));
		pid = fork_or_die();
		if (!pid) {
			SC(SYS_kill, 1, sigs[i]);
			_exit(0);
		}
		/* The child's own end is a SIGCHLD too: the one that was sent came first. */
		await_zombie(pid);
		memset(&si, 0, sizeof(si));
		r = SC(SYS_rt_sigtimedwait, &set, &si, &now, 8);
		say("  took %s from %s code %d", rc(r), si.si_pid == pid ? "child" : "else",
		    si.si_code);
		reap(pid);
		SC(SYS_kill, 1, sigs[i]);
		SC(SYS_tgkill, 1, 1, sigs[i]);
		set_raw_mask(0);
		say("  unblocked: pending %s", mask_text(raw_pending()));
		/* Ignored and blocked: nothing is lost or gained against an ordinary process. */
		signal(sigs[i], SIG_IGN);
		set_raw_mask(set);
		SC(SYS_kill, 1, sigs[i]);
		say("  ignored and blocked: pending %s", mask_text(raw_pending()));
		set_raw_mask(0);
		signal(sigs[i], SIG_DFL);
	}
	set_raw_mask(BIT(SIGKILL) | BIT(SIGSTOP));
	say("KILL and STOP in the mask: %s", mask_text(raw_mask()));
	SC(SYS_kill, 1, SIGKILL);
	SC(SYS_kill, 1, SIGSTOP);
	say("pending %s", mask_text(raw_pending()));
	set_raw_mask(0);
}

/* Blocked and default, then a handler, then unblocked: it is delivered. */
static void late_handler(void)
{
	struct sigaction sa = {.sa_sigaction = hit, .sa_flags = SA_SIGINFO};

	set_raw_mask(BIT(SIGUSR1));
	SC(SYS_kill, 1, SIGUSR1);
	hits = from = 0;
	sigaction(SIGUSR1, &sa, NULL);
	set_raw_mask(0);
	say("late handler: %d hits from %d", hits, from);
	/* And the other way round: queued for a handler that is taken away. */
	set_raw_mask(BIT(SIGUSR1));
	SC(SYS_kill, 1, SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
	say("handler taken away: pending %s", mask_text(raw_pending()));
	set_raw_mask(0);
	say("late default: %d hits, pending %s", hits, mask_text(raw_pending()));
	/* One-shot handlers leave the default behind. */
	sa.sa_flags |= SA_RESETHAND;
	sigaction(SIGTERM, &sa, NULL);
	hits = 0;
	SC(SYS_kill, 1, SIGTERM);
	SC(SYS_kill, 1, SIGTERM);
	say("one shot: %d hits", hits);
}

static void *thread_sends(void *p)
{
	int tid = (int)SC(SYS_gettid);

	say("thread of init: tkill self KILL %s, tgkill self TERM %s, kill 1 INT %s",
	    rc(SC(SYS_tkill, tid, SIGKILL)), rc(SC(SYS_tgkill, 1, tid, SIGTERM)),
	    rc(SC(SYS_kill, 1, SIGINT)));
	return NULL;
}

static void signals(void)
{
	static const int sigs[] = {SIGTERM, SIGUSR1, SIGHUP,  SIGINT,  SIGTSTP, SIGCONT,
				   SIGCHLD, SIGALRM, SIGPIPE, SIGABRT, SIGSEGV, 40};
	pthread_t t;
	pid_t pid;

	volleys("default");
	handled(1, SIGSYS - 1);
	handled(SIGSYS + 1, 64);
	blocked(sigs, COUNT(sigs));
	late_handler();
	pthread_create(&t, NULL, thread_sends, NULL);
	pthread_join(t, NULL);
	say("raise %d", raise(SIGTERM));
	/* A group with init in it: the others die. */
	setpgid(0, 0);
	pid = sleeper();
	say("kill(0, KILL) %s", rc(SC(SYS_kill, 0, SIGKILL)));
	say("%s", reap(pid));
	/* A child is not immune, whatever it inherited. */
	pid = fork_or_die();
	if (!pid) {
		raise(SIGTERM);
		_exit(1);
	}
	say("child %s", reap(pid));
}

/* Default-stop signals stop children, not init. */
static void stop_children(void)
{
	static const int sigs[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};

	for (size_t i = 0; i < COUNT(sigs); i++) {
		pid_t pid = sleeper();
		int st = 0;

		SC(SYS_kill, 1, sigs[i]);
		raise(sigs[i]);
		SC(SYS_kill, pid, sigs[i]);
		SC(SYS_wait4, pid, &st, WUNTRACED, NULL);
		say("child and %d: %s", sigs[i], status_text(st));
		end(pid);
	}
}

/* The kernel's own signals with default disposition do not end it either. */
static void kernel_signals(void)
{
	struct itimerval it = {.it_value = {0, 1000}};
	struct rlimit cpu = {1, RLIM_INFINITY};
	struct timespec ts = {0, 50 * 1000 * 1000};
	int fd[2];

	setitimer(ITIMER_REAL, &it, NULL);
	nanosleep(&ts, NULL);
	nanosleep(&ts, NULL);
	say("after SIGALRM");
	if (pipe(fd))
		die("pipe");
	close(fd[0]);
	say("write %s", lrc(write(fd[1], "x", 1)));
	setitimer(ITIMER_VIRTUAL, &it, NULL);
	setitimer(ITIMER_PROF, &it, NULL);
	setrlimit(RLIMIT_CPU, &cpu);
	for (;;) {
		getrusage(RUSAGE_SELF, &(struct rusage){0});
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
		if (ts.tv_sec >= 1 && ts.tv_nsec > 100 * 1000 * 1000)
			break;
	}
	say("after SIGVTALRM, SIGPROF, SIGXCPU");
	/* What a libc would ask: the default is still the default. */
	for (int sig = 1; sig < 32; sig++) {
		struct ksigaction k;

		SC(SYS_rt_sigaction, sig, NULL, &k, 8);
		if (k.handler != SIG_DFL)
			say("disposition of %d is not the default", sig);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	self = argv[0];
	if (!strcmp(what, "signals")) {
		signals();
	} else if (!strcmp(what, "sigsys")) {
		static const int sys = SIGSYS;

		handled(SIGSYS, SIGSYS);
		blocked(&sys, 1);
	} else if (!strcmp(what, "forced-segv")) {
		*(volatile int *)WILD = 1;
	} else if (!strcmp(what, "forced-ill")) {
		__asm__ volatile("ud2");
	} else if (!strcmp(what, "abort")) {
		abort();
	} else if (!strcmp(what, "stop-children")) {
		stop_children();
	} else if (!strcmp(what, "alarm")) {
		kernel_signals();
	} else if (!strcmp(what, "exec")) {
		signal(SIGINT, SIG_IGN);
		set_raw_mask(BIT(SIGTERM));
		SC(SYS_kill, 1, SIGTERM);
		execl(self, self, "execed", (char *)NULL);
	} else {
		struct ksigaction k;

		SC(SYS_rt_sigaction, SIGINT, NULL, &k, 8);
		say("execed: pending %s mask %s, INT %s", mask_text(raw_pending()),
		    mask_text(raw_mask()), k.handler == SIG_IGN ? "ignored" : "not ignored");
		set_raw_mask(0);
		volley("after exec", 0);
		stop_children();
	}
	return 6;
}
