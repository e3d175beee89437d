/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A namespace inside: the ways to make one, what its number 1 is and sees, what its creator is told.
 *
 * oracle: root
 */
#include "nest.h"

static void who(const char *where)
{
	say("%s: pid %d tid %ld ppid %d pgrp %d sid %d pgid %d", where, getpid(), SC(SYS_gettid),
	    getppid(), getpgrp(), getsid(0), getpgid(0));
}

static void numbers(void)
{
	pid_t a, b;

	who("init");
	say("init knows kill(2, 0) %s", lrc(kill(2, 0)));
	a = fork_or_die();
	if (!a) {
		who("child");
		_exit(4);
	}
	say("child %s", reap(a));
	b = fork_or_die();
	if (!b) {
		setsid();
		who("session");
		if (!fork_or_die()) {
			who("member");
			_exit(0);
		}
		wait(NULL);
		_exit(5);
	}
	say("session %s", reap(b));
	say("setpgid of init %s", lrc(setpgid(0, 0)));
	who("init");
}

static void *thread(void *arg)
{
	who("thread");
	return arg;
}

static void threads(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, thread, NULL))
		die("pthread_create");
	pthread_join(t, NULL);
}

static int on_stack(void *arg)
{
	say("on a stack of its own: %ld, arg %d", SC(SYS_getpid), *(int *)arg);
	return 6;
}

static char stack[65536] __attribute__((aligned(16)));

static void ways(void)
{
	static const struct {
		const char *name;
		unsigned long flags;
	} way[] = {
		{"SIGCHLD", SIGCHLD},
		{"SIGUSR1", SIGUSR1},
		{"no signal", 0},
		{"vfork", CLONE_VFORK | SIGCHLD},
		{"vfork, vm", CLONE_VFORK | CLONE_VM | SIGCHLD},
		{"vfork, SIGUSR2", CLONE_VFORK | SIGUSR2},
		{"files", CLONE_FILES | SIGCHLD},
		{"fs", CLONE_FS | SIGCHLD},
		{"io, sysvsem", CLONE_IO | CLONE_SYSVSEM | SIGCHLD},
		{"thread", CLONE_THREAD | CLONE_SIGHAND | CLONE_VM},
		{"sighand", CLONE_SIGHAND | SIGCHLD},
		{"fs, new mounts", CLONE_FS | CLONE_NEWNS | SIGCHLD},
	};
	int arg = 17;

	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	for (size_t i = 0; i < COUNT(way); i++) {
		pid_t pid;

		pid = (pid_t)clone_on(way[i].flags | CLONE_NEWPID, stack + sizeof(stack), NULL,
				      NULL, on_stack, &arg);
		if (pid < 0)
			say("%s: %s", way[i].name, rc(pid));
		else
			say("%s: %s", way[i].name, reap_quiet(pid));
	}
}

static void clone3_ways(void)
{
	struct probe_clone_args args = {.flags = CLONE_NEWPID, .exit_signal = SIGCHLD};
	struct gate go = gate_new();
	int word = -7, pidfd = -7;
	siginfo_t si;
	pid_t pid;

	args.parent_tid = (uintptr_t)&word;
	args.pidfd = (uintptr_t)&pidfd;
	args.flags |= CLONE_PARENT_SETTID | PROBE_CLONE_PIDFD | PROBE_CLONE_CLEAR_SIGHAND;
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, (void (*)(int))who);
	pid = (pid_t)SC(SYS_clone3, &args, sizeof(args));
	if (!pid) {
		struct sigaction one, two;

		gate_pass(go);

		sigaction(SIGUSR1, NULL, &one);
		sigaction(SIGUSR2, NULL, &two);
		say("clone3: %d, parent's word %d, ignored %d, default %d", getpid(), word,
		    one.sa_handler == SIG_IGN, two.sa_handler == SIG_DFL);
		_exit(8);
	}
	say("parent's word is the number: %d", word == pid);
	gate_open(go);
	memset(&si, 0, sizeof(si));
	say("waitid(P_PIDFD) %s", rc(SC(SYS_waitid, P_PIDFD, pidfd, &si, WEXITED, NULL)));
	say("of it: %d, code %d status %d", si.si_pid == pid, si.si_code, si.si_status);
	close(pidfd);
	args.flags = CLONE_NEWPID;
	args.exit_signal = 65;
	say("signal 65: %s", rc(SC(SYS_clone3, &args, sizeof(args))));
	args.exit_signal = SIGCHLD;
	args.flags = CLONE_NEWPID | CLONE_PARENT;
	say("CLONE_PARENT with a signal: %s", rc(SC(SYS_clone3, &args, sizeof(args))));
}

static volatile sig_atomic_t got_pid, got_code, got_status, got;

static void on_chld(int sig, siginfo_t *si, void *uc)
{
	got_pid = si->si_pid;
	got_code = si->si_code;
	got_status = si->si_status;
	got = got + 1;
}

static void told(void)
{
	struct sigaction sa = {.sa_sigaction = on_chld, .sa_flags = SA_SIGINFO};
	static const int how[] = {0, 255, SIGKILL, SIGSEGV, SIGTERM};
	struct rusage ru;
	uint64_t old = raw_mask();
	int st;

	sigaction(SIGCHLD, &sa, NULL);
	for (size_t i = 0; i < COUNT(how); i++) {
		pid_t pid;

		got = 0;
		set_raw_mask(old | BIT(SIGCHLD));
		pid = nest_fork();
		if (!pid) {
			if (i < 2)
				_exit(how[i]);
			for (;;)
				pause();
		}
		if (i >= 2)
			say("kill %d: %s", how[i], lrc(kill(pid, how[i])));
		/* What number 1 has at default does nothing, but for KILL. */
		if (i >= 3)
			kill(pid, SIGKILL);
		while (!got)
			SC(SYS_rt_sigsuspend, &(uint64_t){old & ~BIT(SIGCHLD)}, 8);
		set_raw_mask(old);
		say("SIGCHLD of it: %d, code %d status %d", got_pid == pid, got_code, got_status);
		got = SC(SYS_wait4, -1, &st, 0, &ru) == pid;
		say("wait4 %d: %s", got, status_text(st));
		say("again %s, kill %s", rc(SC(SYS_wait4, pid, &st, 0, NULL)), lrc(kill(pid, 0)));
	}
	signal(SIGCHLD, SIG_DFL);
}

/* What the creator may do with the number. */
static void named(void)
{
	struct gate go = gate_new();
	pid_t pid = nest_fork();
	siginfo_t si;
	int fd;

	if (!pid) {
		gate_pass(go);
		_exit(9);
	}
	say("kill 0: %s, tgkill %s", lrc(kill(pid, 0)), rc(SC(SYS_tgkill, pid, pid, 0)));
	say("group is ours: %d, session is ours: %d", getpgid(pid) == getpgrp(),
	    getsid(pid) == getsid(0));
	say("priority %s, scheduler %s", rc(SC(SYS_getpriority, PRIO_PROCESS, pid)),
	    rc(SC(SYS_sched_getscheduler, pid)));
	fd = (int)SC(SYS_pidfd_open, pid, 0);
	say("pidfd %s", fd < 0 ? rc(fd) : "open");
	say("signal 0 by it %s", rc(SC(SYS_pidfd_send_signal, fd, 0, NULL, 0)));
	memset(&si, 0, sizeof(si));
	say("nothing yet: %s %d", rc(SC(SYS_waitid, P_PID, pid, &si, WEXITED | WNOHANG, NULL)),
	    si.si_pid);
	say("wait4 WNOHANG %s", rc(SC(SYS_wait4, pid, NULL, WNOHANG, NULL)));
	gate_open(go);
	say("waitid(P_PIDFD) %s", rc(SC(SYS_waitid, P_PIDFD, fd, &si, WEXITED | WNOWAIT, NULL)));
	say("of it: %d", si.si_pid == pid);
	say("by group %s", reap_quiet(0) + 2);
	close(fd);
}

/* exec inside, twice. */
static void images(void)
{
	pid_t pid = nest_fork();

	if (!pid) {
		execl("/bin/sh", "sh", "-c",
		      "echo sh $$ $PPID; (echo sub $$; exit 3); echo $?; true & wait $!; echo $?; "
		      "exec sh -c 'echo again $$; "
		      "exit 11'",
		      NULL);
		_exit(99);
	}
	say("sh %s", reap_quiet(pid));
	pid = fork_or_die();
	if (!pid) {
		pid = nest_fork();
		if (!pid) {
			execl("/nonexistent", "x", NULL);
			_exit(13);
		}
		say("late %s", reap_quiet(pid));
		_exit(0);
	}
	reap(pid);
}

/* As a sibling. */
static void sibling(void)
{
	struct gate go = gate_new(), said = gate_new();
	int p[2];
	pid_t pid, got_it = 0;

	if (pipe(p))
		die("pipe");
	pid = fork_or_die();
	if (!pid) {
		got_it = nest_with(CLONE_PARENT);
		if (!got_it) {
			gate_pass(go);
			say("sibling: pid %d ppid %d", getpid(), getppid());
			gate_open(said);
			_exit(21);
		}
		if (got_it < 0)
			say("CLONE_PARENT: %s", rc(got_it));
		say("not ours: %s", rc(SC(SYS_wait4, got_it, NULL, __WALL, NULL)));
		gate_open(go);
		gate_pass(said);
		if (write(p[1], &got_it, sizeof(got_it)) < 0)
			die("write");
		_exit(20);
	}
	if (read(p[0], &got_it, sizeof(got_it)) < 0)
		die("read");
	say("parent %s", reap_quiet(pid));
	say("sibling %s", reap_quiet(got_it));
	say("CLONE_PARENT of init: %s", rc(nest_with(CLONE_PARENT)));
}

/* Nobody wants to know. */
static void ignored(void)
{
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	pid = nest_fork();
	if (!pid) {
		pid_t child = fork_or_die();
		struct sigaction sa;

		if (!child)
			_exit(30);
		sigaction(SIGCHLD, NULL, &sa);
		say("ignored inside too: %d, %s", sa.sa_handler == SIG_IGN, reap(child));
		_exit(31);
	}
	say("ignored %s", reap_quiet(pid));
	signal(SIGCHLD, SIG_DFL);
}

int main(int argc, char **argv)
{
	pid_t pid;

	in_nest("numbers", numbers);
	in_nest("threads", threads);
	ways();
	clone3_ways();
	told();
	named();
	images();
	sibling();
	ignored();
	/* A creator that is not number 1, and one that is, of a namespace inside. */
	pid = fork_or_die();
	if (!pid) {
		ways();
		_exit(0);
	}
	reap(pid);
	in_nest("told", told);
	in_nest("named", named);
	in_nest("images", images);
	return 0;
}
