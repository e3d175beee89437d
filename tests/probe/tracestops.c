/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PTRACE_ATTACH, PTRACE_SEIZE with PTRACE_INTERRUPT, group stops and PTRACE_LISTEN, in tasks that wait in calls of every kind; what
 * goes on after PTRACE_DETACH with and without a signal.
 */
#include "tracer.h"

static volatile int hits;

static void hit(int sig)
{
	hits += sig;
}

/* --- where they wait ---------------------------------------------------------------------------- */

static void in_wait(void)
{
	pid_t pid = fork_or_die();
	int st;

	if (!pid)
		for (;;)
			SC(SYS_pause);
	for (int i = 0; i < 3; i++)
		SC(SYS_wait4, pid, &st, 0, NULL);
	SC(SYS_kill, pid, SIGKILL);
	SC(SYS_exit_group, 40 + hits);
}

static void in_pause(void)
{
	for (int i = 0; i < 3; i++)
		SC(SYS_pause);
	SC(SYS_exit_group, 40 + hits);
}

static void in_sigsuspend(void)
{
	uint64_t usr = BIT(SIGUSR1), set = BIT(SIGUSR2);

	SC(SYS_rt_sigprocmask, SIG_BLOCK, &usr, NULL, 8);
	for (int i = 0; i < 3; i++)
		SC(SYS_rt_sigsuspend, &set, 8);
	SC(SYS_exit_group, 40 + hits);
}

static void in_poll(void)
{
	uint64_t set = BIT(SIGUSR2);

	for (int i = 0; i < 3; i++)
		SC(SYS_ppoll, NULL, 0, NULL, &set, 8);
	SC(SYS_exit_group, 40 + hits);
}

static void in_loop(void)
{
	while (hits < 3 * SIGUSR1)
		;
	SC(SYS_exit_group, 40 + hits);
}

static void in_calls(void)
{
	while (hits < 3 * SIGUSR1)
		SC(SYS_getpgid, 0);
	SC(SYS_exit_group, 40 + hits);
}

static pid_t start(void (*fn)(void))
{
	struct gate g = gate_new();
	struct sigaction sa = {.sa_handler = hit};
	pid_t pid = fork_or_die();

	if (!pid) {
		sigaction(SIGUSR1, &sa, NULL);
		gate_open(g);
		fn();
	}
	gate_pass(g);
	close(g.r);
	close(g.w);
	rest(pid);
	return pid;
}

/* What differs from one moment to the next is not shown of a task that runs. */
static int stop_of(const char *name, pid_t pid, bool runs)
{
	int st = 0;
	long r;

	if (!runs)
		return next_stop(name, pid);
	r = SC(SYS_wait4, pid, &st, W_ALL, NULL);
	say("%s: %s %s", name, rc(r), stop_name(st));
	if (WIFSTOPPED(st)) {
		struct user_regs_struct regs;

		memset(&regs, 0, sizeof(regs));
		say("    regs %s", rc(PT(T_GETREGS, pid, 0, &regs)));
		if (where(regs.rip)[0] != '+')
			say("    ip %s", where(regs.rip));
	}
	return st;
}

static void attach(const char *name, void (*fn)(void), bool runs)
{
	pid_t pid = start(fn);
	int st;

	say("%s attach %s", name, rc(PT(T_ATTACH, pid, 0, 0)));
	stop_of(name, pid, runs);
	say("again %s", rc(PT(T_ATTACH, pid, 0, 0)));
	PT(T_CONT, pid, 0, 0);
	rest(pid);
	kill(pid, SIGUSR1);
	stop_of(name, pid, runs);
	say("%s detach %s", name, rc(PT(T_DETACH, pid, 0, SIGUSR1)));
	rest(pid);
	say("%s attach %s", name, rc(PT(T_ATTACH, pid, 0, 0)));
	stop_of(name, pid, runs);
	PT(T_CONT, pid, 0, 0);
	rest(pid);
	kill(pid, SIGUSR1);
	st = stop_of(name, pid, runs);
	say("%s detach %s", name, rc(PT(T_DETACH, pid, 0, signal_of(st))));
	rest(pid);
	kill(pid, SIGUSR1);
	say("%s ends %s", name, reap(pid));
}

/* Resumes, does what makes it stop again, and shows that. */
static int step(const char *name, pid_t pid, long req, int st, char then, bool runs)
{
	say("%s resume %s", name, rc(PT(req, pid, 0, signal_of(st))));
	if (then)
		rest(pid);
	if (then == 'i')
		PT(T_INTERRUPT, pid, 0, 0);
	else if (then == 'k')
		kill(pid, SIGUSR1);
	return stop_of(name, pid, runs);
}

static void seize(const char *name, void (*fn)(void), bool runs, long req)
{
	const char *todo = req == T_CONT ? "iki" : runs ? "" : "-i-k---";
	pid_t pid = start(fn);
	int st;

	say("%s seize %s", name, rc(PT(T_SEIZE, pid, 0, O_SYSGOOD)));
	say("%s interrupt %s", name, rc(PT(T_INTERRUPT, pid, 0, 0)));
	st = stop_of(name, pid, runs);
	for (; *todo; todo++)
		st = step(name, pid, req, st, *todo == '-' ? 0 : *todo, runs);
	say("%s detach %s", name, rc(PT(T_DETACH, pid, 0, SIGUSR1)));
	for (int i = 0; i < 3; i++) {
		rest(pid);
		kill(pid, SIGUSR1);
	}
	say("%s ends %s", name, reap(pid));
}

/* Stop signals: what a tracer sees of them, PTRACE_LISTEN, and the end of the stop. */
static void group(const char *name, void (*fn)(void), bool seized)
{
	pid_t pid = start(fn);

	if (seized) {
		say("%s seize %s", name, rc(PT(T_SEIZE, pid, 0, 0)));
	} else {
		PT(T_ATTACH, pid, 0, 0);
		next_stop(name, pid);
		PT(T_CONT, pid, 0, 0);
		rest(pid);
	}
	kill(pid, SIGSTOP);
	next_stop(name, pid);
	say("%s with SIGSTOP %s", name, rc(PT(T_CONT, pid, 0, SIGSTOP)));
	next_stop(name, pid);
	if (seized) {
		say("%s listen %s", name, rc(PT(T_LISTEN, pid, 0, 0)));
		say("%s regs %s", name, rc(PT(T_GETREGS, pid, 0, WILD)));
		kill(pid, SIGCONT);
		next_stop(name, pid);
		PT(T_CONT, pid, 0, 0);
		next_stop(name, pid);
		say("%s with SIGCONT %s", name, rc(PT(T_CONT, pid, 0, SIGCONT)));
		rest(pid);
		PT(T_INTERRUPT, pid, 0, 0);
		next_stop(name, pid);
	} else {
		PT(T_CONT, pid, 0, 0);
		rest(pid);
		kill(pid, SIGCONT);
		next_stop(name, pid);
	}
	say("%s detach %s", name, rc(PT(T_DETACH, pid, 0, 0)));
	kill(pid, SIGKILL);
	say("%s ends %s", name, reap(pid));
}

/* Attached to while a stop signal holds it. */
static void stopped(const char *name, bool seized)
{
	pid_t pid = start(in_wait);
	int st;

	kill(pid, SIGSTOP);
	SC(SYS_wait4, pid, &st, WUNTRACED, NULL);
	say("%s %s: %s", name, rc(PT(seized ? T_SEIZE : T_ATTACH, pid, 0, 0)), stop_name(st));
	if (seized)
		PT(T_INTERRUPT, pid, 0, 0);
	next_stop(name, pid);
	say("%s detach %s", name, rc(PT(T_DETACH, pid, 0, 0)));
	kill(pid, SIGCONT);
	rest(pid);
	kill(pid, SIGKILL);
	say("%s ends %s", name, reap(pid));
}

int main(void)
{
	static const struct {
		const char *name;
		void (*fn)(void);
		bool runs;
	} rows[] = {
		{"wait", in_wait, false},
		{"pause", in_pause, false},
		{"sigsuspend", in_sigsuspend, false},
		{"ppoll", in_poll, false},
		{"loop", in_loop, true},
		{"calls", in_calls, true},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		attach(rows[i].name, rows[i].fn, rows[i].runs);
		seize(rows[i].name, rows[i].fn, rows[i].runs, T_CONT);
		seize(rows[i].name, rows[i].fn, rows[i].runs, T_SYSCALL);
	}
	for (size_t i = 0; i < 4; i++) {
		group(rows[i].name, rows[i].fn, false);
		group(rows[i].name, rows[i].fn, true);
	}
	stopped("stopped attach", false);
	stopped("stopped seize", true);
	/* Orphans of in_wait are killed with their namespace. */
	return 0;
}
