/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose child an orphan becomes: process 1, the nearest subreaper, a sibling thread; what happens to
 * its exit signal; and what PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER report and do inside.
 */
#include "probe.h"

static struct gate go, said;

static void to_init(void)
{
	pid_t a = fork_or_die(), b;

	if (!a) {
		b = fork_or_die();
		if (!b) {
			say("b of %d", getppid());
			gate_open(said);
			gate_pass(go);
			say("b of %d", getppid());
			_exit(12);
		}
		gate_pass(said);
		_exit(11);
	}
	say("a %s", reap(a));
	gate_open(go);
	say("orphan %s", reap(-1));
	say("none %s", reap(-1));
}

/* The numbers of a chain of orphans, and a whole family at once. */
static void family(void)
{
	pid_t a = fork_or_die();

	if (!a) {
		for (int i = 0; i < 4; i++) {
			if (fork_or_die())
				continue;
			gate_pass(go);
			_exit(getppid() == 1 ? 20 + i : 99);
		}
		_exit(3);
	}
	say("a %s", reap(a));
	for (int i = 0; i < 4; i++) {
		char line[32];
		int st = 0;
		long r = SC(SYS_waitid, P_ALL, 0, NULL, WEXITED | WNOHANG | WNOWAIT, NULL);

		(void)r;
		gate_open(go);
		r = SC(SYS_wait4, -1, &st, 0, NULL);
		/* Which of them took the byte is chance; that it is one of them is not. */
		snprintf(line, sizeof(line), "%s",
			 st >> 8 >= 20 && st >> 8 < 24 ? "one of four" : "else");
		say("orphan %s", r > 0 ? line : rc(r));
	}
	say("none %s", reap(-1));
}

static void subreaper(void)
{
	pid_t s = fork_or_die(), a, b;
	int on = -1;

	if (!s) {
		prctl(PR_GET_CHILD_SUBREAPER, &on);
		say("subreaper is %d", on);
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		prctl(PR_GET_CHILD_SUBREAPER, &on);
		say("subreaper is %d", on);
		a = fork_or_die();
		if (!a) {
			prctl(PR_GET_CHILD_SUBREAPER, &on);
			say("child's subreaper is %d", on);
			b = fork_or_die();
			if (!b) {
				gate_open(said);
				gate_pass(go);
				say("b of %d", getppid());
				gate_open(said);
				gate_pass(go);
				say("b of %d", getppid());
				_exit(14);
			}
			gate_pass(said);
			_exit(13);
		}
		say("a %s", reap(a));
		gate_open(go);
		gate_pass(said);
		say("nohang %s", rc(SC(SYS_wait4, -1, NULL, WNOHANG, NULL)));
		_exit(15);
	}
	say("s %s", reap(s));
	gate_open(go);
	say("orphan %s", reap(-1));
	prctl(PR_GET_CHILD_SUBREAPER, &on);
	say("init's subreaper is %d", on);
}

/* On adoption any exit signal becomes SIGCHLD. */
static volatile int usr1, chld;

static void on_usr1(int sig)
{
	usr1++;
}

static void on_chld(int sig)
{
	chld++;
}

static void exit_signal(void)
{
	pid_t a;

	signal(SIGUSR1, on_usr1);
	a = fork_or_die();
	if (!a) {
		long r = SC(SYS_clone, SIGUSR1);

		if (!r) {
			gate_pass(go);
			SC(SYS_exit_group, 16);
		}
		say("mine by plain wait %s", rc(SC(SYS_wait4, r, NULL, WNOHANG, NULL)));
		_exit(17);
	}
	say("a %s", reap(a));
	signal(SIGCHLD, on_chld);
	gate_open(go);
	say("orphan by plain wait %s", reap(-1));
	say("USR1 %d CHLD %d", usr1, chld);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
}

/* A zombie whose parent dies is adopted as a zombie. */
static void adopted_zombie(void)
{
	pid_t a = fork_or_die();

	if (!a) {
		pid_t b = fork_or_die();

		if (!b)
			_exit(18);
		await_zombie(b);
		_exit(19);
	}
	await_zombie(a);
	say("a %s", reap(a));
	say("b %s", reap(-1));
}

/* The child of a thread that ends stays with the process. */
static pid_t theirs;

static void *makes(void *p)
{
	theirs = fork_or_die();
	if (!theirs) {
		gate_pass(go);
		say("child of a thread: parent %d", getppid());
		_exit(20);
	}
	return NULL;
}

static void thread_parent(void)
{
	pthread_t t;

	pthread_create(&t, NULL, makes, NULL);
	pthread_join(t, NULL);
	gate_open(go);
	say("%s", reap(theirs));
}

/* --- PR_SET_PDEATHSIG ---------------------------------------------------------------------------- */

static volatile int death_from = -1, death_code;

static void on_death(int sig, siginfo_t *si, void *uc)
{
	death_from = si->si_pid;
	death_code = si->si_code;
}

static void parent_death(int how)
{
	const char *first, *second;
	pid_t a = fork_or_die(), b;

	if (!a) {
		b = fork_or_die();
		if (!b) {
			struct sigaction sa = {.sa_sigaction = on_death, .sa_flags = SA_SIGINFO};
			int sig = -1;

			prctl(PR_GET_PDEATHSIG, &sig);
			say("pdeathsig is %d", sig);
			sigaction(SIGUSR2, &sa, NULL);
			prctl(PR_SET_PDEATHSIG, how == 2 ? SIGKILL : SIGUSR2);
			prctl(PR_GET_PDEATHSIG, &sig);
			say("pdeathsig is %d", sig);
			if (!fork_or_die()) {
				prctl(PR_GET_PDEATHSIG, &sig);
				say("a fork's is %d", sig);
				_exit(0);
			}
			reap(-1);
			if (how == 1)
				set_raw_mask(BIT(SIGUSR2));
			gate_open(said);
			if (how == 1) {
				uint64_t set = BIT(SIGUSR2);
				siginfo_t si;
				long r = SC(SYS_rt_sigtimedwait, &set, &si, NULL, 8);

				say("took %s from %d code %d, parent %d", rc(r), si.si_pid,
				    si.si_code, getppid());
				_exit(21);
			}
			set_raw_mask(BIT(SIGUSR2));
			while (death_from < 0) {
				uint64_t none = 0;

				SC(SYS_rt_sigsuspend, &none, 8);
			}
			say("death from %d code %d, parent %d", death_from, death_code, getppid());
			_exit(22);
		}
		gate_pass(said);
		_exit(23);
	}
	first = reap(a);
	second = reap(-1);
	say("a %s, b %s", first, second);
}

static void all(void)
{
	family();
}

int main(void)
{
	go = gate_new();
	said = gate_new();
	to_init();
	family();
	subreaper();
	exit_signal();
	adopted_zombie();
	thread_parent();
	for (int how = 0; how < 3; how++)
		parent_death(how);
	say("PDEATHSIG 65 %s", lrc(prctl(PR_SET_PDEATHSIG, 65)));
	say("subreaper again");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	to_init();
	/* With init a subreaper as well nothing changes; in a child of it init still adopts. */
	in_child("in a child", all);
	for (int i = 0; i < 4; i++)
		SC(SYS_wait4, -1, NULL, WNOHANG, NULL);
	return 0;
}
