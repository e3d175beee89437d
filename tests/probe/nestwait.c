/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for the number 1 of a namespace inside: stops and continues, what waits see which child, and what else
 * stands for it there: groups, pidfds, exit signals.
 *
 * oracle: root
 */
#include "nest.h"

static void sleeps(void)
{
	for (;;)
		pause();
}

static const char *event(int idtype, int id, int options)
{
	char *s = scratch();
	siginfo_t si;
	long r;

	memset(&si, 0, sizeof(si));
	do
		r = SC(SYS_waitid, idtype, id, &si, options, NULL);
	while (r == -EINTR);
	snprintf(s, 160, "%s, signal %d code %d status %d of %s", rc(r), si.si_signo, si.si_code,
		 si.si_status,
		 !si.si_pid			      ? "nobody"
		 : idtype == P_PID && si.si_pid == id ? "it"
						      : "one");
	return s;
}

static void stops(void)
{
	struct gate up = gate_new();
	int st = 0;
	pid_t pid = nest_fork();

	if (!pid) {
		gate_open(up);
		sleeps();
	}
	gate_pass(up);
	say("STOP %s", lrc(kill(pid, SIGSTOP)));
	say("stopped: %s", event(P_PID, pid, WSTOPPED | WEXITED | WNOWAIT));
	say("stopped: %s", event(P_PID, pid, WSTOPPED | WEXITED));
	say("no more: %s", event(P_PID, pid, WSTOPPED | WEXITED | WNOHANG));
	say("CONT %s", lrc(kill(pid, SIGCONT)));
	say("continued: %s", event(P_PID, pid, WCONTINUED | WEXITED));
	say("no more: %s", event(P_PID, pid, WCONTINUED | WSTOPPED | WEXITED | WNOHANG));
	say("TSTP %s", lrc(kill(pid, SIGTSTP)));
	say("nothing: %s", event(P_PID, pid, WSTOPPED | WEXITED | WNOHANG));
	say("STOP %s", lrc(kill(pid, SIGSTOP)));
	say("wait4 %d", SC(SYS_wait4, pid, &st, WUNTRACED, NULL) == pid);
	say("is %s", status_text(st));
	say("KILL while stopped %s", lrc(kill(pid, SIGKILL)));
	say("end: %s", reap_quiet(pid));
}

/* A stop and an end, told by SIGCHLD. */
static volatile sig_atomic_t codes[16], ncodes, pids_differ;
static pid_t expected;

static void on_chld(int sig, siginfo_t *si, void *uc)
{
	if (expected && si->si_pid != expected)
		pids_differ = 1;
	codes[ncodes++ % 16] = si->si_code;
}

static void await_codes(int n, uint64_t mask)
{
	while (ncodes < n)
		SC(SYS_rt_sigsuspend, &mask, 8);
}

static void told(void)
{
	struct sigaction sa = {.sa_sigaction = on_chld, .sa_flags = SA_SIGINFO};
	struct gate up = gate_new();
	uint64_t old = raw_mask();

	ncodes = pids_differ = 0;
	expected = 0;
	sigaction(SIGCHLD, &sa, NULL);
	set_raw_mask(old | BIT(SIGCHLD));
	expected = nest_fork();
	if (!expected) {
		signal(SIGCHLD, SIG_DFL);
		gate_open(up);
		sleeps();
	}
	gate_pass(up);
	kill(expected, SIGSTOP);
	await_codes(1, old);
	kill(expected, SIGCONT);
	await_codes(2, old);
	kill(expected, SIGKILL);
	await_codes(3, old);
	say("codes %d %d %d, of another %d", codes[0], codes[1], codes[2], pids_differ);
	say("end: %s", reap_quiet(expected));
	set_raw_mask(old);
	signal(SIGCHLD, SIG_DFL);
}

/* A whole group stops and goes on, its own number 1 too. */
static void group(void)
{
	struct gate up = gate_new(), said = gate_new();
	int leader[2], r[3];
	pid_t maker, pid = 0;

	if (pipe(leader))
		die("pipe");
	maker = fork_or_die();
	if (!maker) {
		pid_t other = fork_or_die();

		if (!other) {
			/* The group's: the maker is not in it, to see. */
			setpgid(0, 0);
			pid = nest_fork();
			if (!pid) {
				if (fork_or_die())
					gate_open(up);
				sleeps();
			}
			if (write(leader[1], &pid, sizeof(pid)) < 0)
				die("write");
			gate_pass(up);
			/* Not stopped with the group. */
			setpgid(0, getppid());
			gate_open(said);
			say("its stop: %s", event(P_PID, pid, WSTOPPED | WEXITED));
			gate_open(said);
			say("goes on: %s", event(P_PID, pid, WCONTINUED | WEXITED));
			gate_open(said);
			say("its end: %s", event(P_PID, pid, WEXITED));
			_exit(12);
		}
		setpgid(0, 0);
		if (read(leader[0], &pid, sizeof(pid)) < 0)
			die("read");
		gate_pass(said);
		for (int i = 0; i < 3; i++) {
			r[i] = kill(-other, i == 0 ? SIGSTOP : i == 1 ? SIGCONT : SIGKILL);
			if (i < 2)
				gate_pass(said);
		}
		say("creator: %s; %d %d %d", reap_quiet(other), r[0], r[1], r[2]);
		_exit(13);
	}
	say("maker: %s", reap_quiet(maker));
}

/* Exit signals and the options that tell such children apart. */
static volatile sig_atomic_t usr1;

static void on_usr1(int sig, siginfo_t *si, void *uc)
{
	usr1 = si->si_pid;
}

static void kinds(void)
{
	struct sigaction sa = {.sa_sigaction = on_usr1, .sa_flags = SA_SIGINFO};
	pid_t pid;

	usr1 = 0;
	sigaction(SIGUSR1, &sa, NULL);
	pid = nest_with(SIGUSR1);
	if (!pid)
		_exit(3);
	while (!usr1)
		usleep(1000);
	say("USR1 of it: %d", usr1 == pid);
	say("plain: %s", rc(SC(SYS_wait4, pid, NULL, 0, NULL)));
	say("clone: %d", SC(SYS_wait4, pid, NULL, __WCLONE, NULL) == pid);
	pid = nest_with(0);
	if (!pid)
		_exit(4);
	say("no signal, plain: %s", rc(SC(SYS_wait4, pid, NULL, 0, NULL)));
	say("no signal: %s", reap_quiet(pid));
	pid = nest_fork();
	if (!pid)
		_exit(5);
	say("SIGCHLD, clone: %s", rc(SC(SYS_wait4, pid, NULL, __WCLONE, NULL)));
	say("SIGCHLD: %s", reap_quiet(pid));
	signal(SIGUSR1, SIG_DFL);
}

/* A stopped one with another exit signal. */
static void kind_stops(void)
{
	pid_t pid = nest_with(SIGUSR2);
	int st = 0;

	if (!pid)
		sleeps();
	kill(pid, SIGSTOP);
	say("stop: %d", SC(SYS_wait4, pid, &st, WUNTRACED | __WALL, NULL) == pid);
	say("is %s", status_text(st));
	kill(pid, SIGCONT);
	say("on: %d", SC(SYS_wait4, pid, &st, WCONTINUED | __WALL, NULL) == pid);
	say("is %s", status_text(st));
	signal(SIGUSR2, SIG_IGN);
	kill(pid, SIGKILL);
	say("end: %s", reap_quiet(pid));
	signal(SIGUSR2, SIG_DFL);
}

/* pidfds: by clone and by the number; polled, signalled, waited for. */
static void pidfds(void)
{
	struct probe_clone_args args = {.flags = CLONE_NEWPID | PROBE_CLONE_PIDFD,
					.exit_signal = SIGCHLD};
	int made = -1, opened;
	struct pollfd p;
	siginfo_t si;
	pid_t pid;

	args.pidfd = (uintptr_t)&made;
	pid = (pid_t)SC(SYS_clone3, &args, sizeof(args));
	if (!pid)
		sleeps();
	opened = (int)SC(SYS_pidfd_open, pid, 0);
	p = (struct pollfd){.fd = opened, .events = POLLIN};
	say("poll %s", lrc(poll(&p, 1, 0)));
	say("TERM %s, KILL %s", rc(SC(SYS_pidfd_send_signal, made, SIGTERM, NULL, 0)),
	    rc(SC(SYS_pidfd_send_signal, opened, SIGKILL, NULL, 0)));
	say("poll %s", lrc(poll(&p, 1, -1)));
	memset(&si, 0, sizeof(si));
	say("waitid %s", rc(SC(SYS_waitid, P_PIDFD, opened, &si, WEXITED, NULL)));
	say("of it %d, code %d status %d", si.si_pid == pid, si.si_code, si.si_status);
	say("KILL %s", rc(SC(SYS_pidfd_send_signal, made, SIGKILL, NULL, 0)));
	close(made);
	close(opened);
	/* By a pidfd of oneself, sent down and up. */
	pid = nest_fork();
	if (!pid) {
		int fd = (int)SC(SYS_pidfd_open, 1, 0);

		say("own: %s, KILL %s", rc(SC(SYS_pidfd_send_signal, fd, 0, NULL, 0)),
		    rc(SC(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0)));
		_exit(6);
	}
	say("end: %s", reap_quiet(pid));
}

/* Two at once, and an ordinary child beside. */
static void several(void)
{
	struct gate go = gate_new();
	pid_t a = nest_fork(), b, c;
	int seen = 0;

	if (!a) {
		gate_pass(go);
		_exit(7);
	}
	b = nest_fork();
	if (!b) {
		gate_pass(go);
		_exit(8);
	}
	c = fork_or_die();
	if (!c) {
		gate_pass(go);
		_exit(9);
	}
	for (int i = 0; i < 3; i++)
		gate_open(go);
	for (int i = 0; i < 3; i++) {
		int st;
		long r = SC(SYS_wait4, -1, &st, 0, NULL);

		seen |= r == a ? 1 : r == b ? 2 : r == c ? 4 : 8;
	}
	say("seen %d, then %s", seen, rc(SC(SYS_wait4, -1, NULL, 0, NULL)));
}

/* Another thread waits, and one that did not make it may not under __WNOTHREAD. */
static pid_t of_main;

static void *waits(void *arg)
{
	say("not its own: %s", rc(SC(SYS_wait4, of_main, NULL, __WNOTHREAD | WNOHANG, NULL)));
	say("its group's: %s", reap_quiet(of_main));
	return arg;
}

static void threads(void)
{
	pthread_t t;

	of_main = nest_fork();
	if (!of_main)
		_exit(10);
	pthread_create(&t, NULL, waits, NULL);
	pthread_join(t, NULL);
}

/* What the wait says of times. */
static void usage(void)
{
	struct rusage ru;
	pid_t pid = nest_fork();
	int st = 0;

	if (!pid) {
		volatile unsigned long n = 0;

		while (clock() < CLOCKS_PER_SEC / 20)
			n++;
		_exit(11);
	}
	memset(&ru, 0, sizeof(ru));
	SC(SYS_wait4, pid, &st, 0, &ru);
	say("%s, time counted: %d", status_text(st),
	    ru.ru_utime.tv_usec + ru.ru_stime.tv_usec >= 40000);
}

int main(int argc, char **argv)
{
	stops();
	told();
	group();
	kinds();
	kind_stops();
	pidfds();
	several();
	threads();
	usage();
	in_nest("stops", stops);
	in_nest("told", told);
	in_nest("kinds", kinds);
	in_nest("pidfds", pidfds);
	return 0;
}
