/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals to the number 1 of a namespace inside, from its members and from above: what it has at default does
 * nothing, but for KILL and STOP from above; what it handles arrives, from whom it says; what it blocks waits.
 *
 * oracle: root
 */
#include "nest.h"

static volatile sig_atomic_t count, last_pid;

static void on(int sig, siginfo_t *si, void *uc)
{
	last_pid = si->si_pid;
	count++;
}

static void handle(int sig)
{
	struct sigaction sa = {.sa_sigaction = on, .sa_flags = SA_SIGINFO};

	sigaction(sig, &sa, NULL);
}

static const int some[] = {SIGHUP,    SIGINT,  SIGQUIT,	  SIGILL,  SIGTRAP,  SIGABRT, SIGBUS,
			   SIGFPE,    SIGUSR1, SIGSEGV,	  SIGUSR2, SIGPIPE,  SIGALRM, SIGTERM,
			   SIGSTKFLT, SIGCHLD, SIGCONT,	  SIGTSTP, SIGTTIN,  SIGTTOU, SIGURG,
			   SIGXCPU,   SIGXFSZ, SIGVTALRM, SIGPROF, SIGWINCH, SIGIO,   SIGPWR,
			   SIGSYS,    34,      50,	  64};

/* At default: nothing happens, whoever sends it. */
static void defaults(void)
{
	struct gate up = gate_new(), go = gate_new();
	pid_t pid = nest_fork();

	if (!pid) {
		pid_t member;

		for (size_t i = 0; i < COUNT(some); i++)
			if (kill(1, some[i]) || SC(SYS_tgkill, 1, 1, some[i]))
				say("own %d: %s", some[i], err(errno));
		say("own KILL %s, STOP %s", lrc(kill(1, SIGKILL)), lrc(kill(1, SIGSTOP)));
		member = fork_or_die();
		if (!member) {
			for (size_t i = 0; i < COUNT(some); i++)
				if (kill(1, some[i]))
					say("member %d: %s", some[i], err(errno));
			say("member KILL %s, STOP %s", lrc(kill(1, SIGKILL)), lrc(kill(1, SIGSTOP)));
			say("member tgkill %s", rc(SC(SYS_tgkill, 1, 1, SIGKILL)));
			say("-1: %s", lrc(kill(-1, SIGTERM)));
			_exit(3);
		}
		say("member %s", reap(member));
		gate_open(up);
		gate_pass(go);
		_exit(4);
	}
	gate_pass(up);
	for (size_t i = 0; i < COUNT(some); i++) {
		siginfo_t si = {.si_signo = some[i], .si_code = SI_QUEUE};

		if (kill(pid, some[i]) || SC(SYS_tgkill, pid, pid, some[i]) ||
		    SC(SYS_rt_sigqueueinfo, pid, some[i], &si))
			say("above %d: %s", some[i], err(errno));
	}
	gate_open(go);
	say("end %s", reap_quiet(pid));
}

/* With a handler: it arrives. */
static void handled(void)
{
	struct gate up = gate_new(), go = gate_new();
	pid_t pid = nest_fork();

	if (!pid) {
		pid_t member;

		for (size_t i = 0; i < COUNT(some); i++)
			handle(some[i]);
		count = 0;
		for (size_t i = 0; i < COUNT(some); i++)
			kill(1, some[i]);
		say("own: %d of %d", count, last_pid);
		count = 0;
		member = fork_or_die();
		if (!member) {
			kill(1, SIGTERM);
			_exit(5);
		}
		/* With its SIGCHLD. */
		while (SC(SYS_wait4, member, NULL, 0, NULL) == -EINTR)
			;
		while (count < 2)
			usleep(1000);
		signal(SIGCHLD, SIG_DFL);
		count = 0;
		gate_open(up);
		while (!count)
			usleep(1000);
		say("above: %d of %d", count, last_pid);
		gate_pass(go);
		for (size_t i = 0; i < COUNT(some); i++)
			signal(some[i], SIG_DFL);
		gate_open(up);
		gate_pass(go);
		_exit(6);
	}
	gate_pass(up);
	if (kill(pid, SIGUSR1))
		say("USR1: %s", err(errno));
	gate_open(go);
	gate_pass(up);
	for (size_t i = 0; i < COUNT(some); i++)
		if (kill(pid, some[i]))
			say("above %d: %s", some[i], err(errno));
	gate_open(go);
	say("end %s", reap_quiet(pid));
}

/* Blocked: it is queued, taken by who asks for it, and dropped when it is let in at default. */
static void blocked(void)
{
	struct gate up = gate_new(), go = gate_new();
	pid_t pid = nest_fork();

	if (!pid) {
		uint64_t set = BIT(SIGTERM) | BIT(SIGUSR1) | BIT(SIGABRT) | BIT(40);
		uint64_t usr1 = BIT(SIGUSR1);
		struct timespec now = {0, 0};
		siginfo_t si;

		set_raw_mask(set);
		gate_open(up);
		gate_pass(go);
		say("pending %s", mask_text(raw_pending()));
		memset(&si, 0, sizeof(si));
		say("taken %s", rc(SC(SYS_rt_sigtimedwait, &usr1, &si, &now, 8)));
		say("from %d, code %d", si.si_pid, si.si_code);
		set_raw_mask(0);
		say("pending %s", mask_text(raw_pending()));
		_exit(7);
	}
	gate_pass(up);
	kill(pid, SIGTERM);
	kill(pid, SIGUSR1);
	kill(pid, SIGABRT);
	kill(pid, 40);
	gate_open(go);
	say("end %s", reap_quiet(pid));
}

/* Groups: the other members are hit. */
static void groups(void)
{
	struct gate up = gate_new();
	pid_t maker = fork_or_die();

	if (!maker) {
		pid_t pid;

		setpgid(0, 0);
		handle(SIGUSR1);
		pid = nest_fork();
		if (!pid) {
			pid_t member;

			signal(SIGUSR1, SIG_DFL);
			member = fork_or_die();
			if (!member) {
				gate_open(up);
				for (;;)
					pause();
			}
			say("member %s", reap(member));
			_exit(8);
		}
		gate_pass(up);
		say("group %s", lrc(kill(0, SIGUSR1)));
		say("end %s, own %d", reap_quiet(pid), count);
		_exit(9);
	}
	say("maker %s", reap_quiet(maker));
}

/* One that is number 1 of a namespace inside is an ordinary member of the one above. */
static void levels(void)
{
	pid_t pid = nest_fork();

	if (!pid) {
		pid_t below = nest_fork(), member;

		if (!below)
			for (;;)
				pause();
		member = fork_or_die();
		if (!member) {
			say("TERM %s, KILL %s", lrc(kill(below, SIGTERM)), lrc(kill(below, SIGKILL)));
			_exit(10);
		}
		say("member %s", reap_quiet(member));
		say("below %s", reap_quiet(below));
		_exit(11);
	}
	say("end %s", reap_quiet(pid));
}

/* The parent's death. */
static void parents(int sig, int handler)
{
	struct gate up = gate_new(), go = gate_new();
	pid_t maker = fork_or_die(), pid;

	if (!maker) {
		pid = nest_fork();
		if (!pid) {
			int got = -1;

			prctl(PR_SET_PDEATHSIG, sig);
			prctl(PR_GET_PDEATHSIG, &got);
			if (handler)
				handle(sig);
			say("asked for %d", got);
			gate_open(up);
			if (handler) {
				while (!count)
					usleep(1000);
				_exit(last_pid ? 99 : 12);
			}
			if (sig != SIGKILL) {
				gate_pass(go);
				_exit(13);
			}
			for (;;)
				pause();
		}
		gate_pass(up);
		_exit(14);
	}
	say("maker %s", reap_quiet(maker));
	gate_open(go);
	say("orphan %s", reap_quiet(-1));
}

/* It goes on with what its creator had: handlers, mask, what is ignored; over an exec too. */
static void inherited(void)
{
	pid_t pid;

	handle(SIGUSR1);
	signal(SIGUSR2, SIG_IGN);
	set_raw_mask(BIT(SIGHUP));
	pid = nest_fork();
	if (!pid) {
		count = 0;
		kill(1, SIGUSR1);
		kill(1, SIGUSR2);
		kill(1, SIGHUP);
		say("handled %d of %d, mask %s, pending %s", count, last_pid, mask_text(raw_mask()),
		    mask_text(raw_pending()));
		execl("/bin/sh", "sh",
		      "-c", "grep -E '^Sig(Blk|Ign|Cgt)' /proc/thread-self/status || :; kill -TERM $$; exit 15",
		      NULL);
		_exit(99);
	}
	set_raw_mask(0);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	say("end %s", reap_quiet(pid));
}

int main(int argc, char **argv)
{
	defaults();
	handled();
	blocked();
	groups();
	levels();
	parents(SIGKILL, 0);
	parents(SIGTERM, 0);
	parents(SIGTERM, 1);
	parents(40, 0);
	inherited();
	in_nest("defaults", defaults);
	in_nest("handled", handled);
	in_nest("blocked", blocked);
	return 0;
}
