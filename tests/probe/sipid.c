/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a signal says it is from: si_pid, si_code and si_status in handlers and in sigtimedwait, for
 * every kind of sender and for each thing that happens to a child, in process 1, in a child and in a
 * thread.
 */
#include "probe.h"

static struct {
	int sig, code, pid, status, count;
} seen;

static void note(int sig, siginfo_t *si, void *uc)
{
	seen.sig = sig;
	seen.code = si->si_code;
	seen.pid = si->si_pid;
	seen.status = sig == SIGCHLD ? si->si_status : 0;
	seen.count++;
}

static void show(const char *name)
{
	say("%s: %d from %d code %d status %d, %d times", name, seen.sig, seen.pid, seen.code,
	    seen.status, seen.count);
	memset(&seen, 0, sizeof(seen));
}

static void handle(int sig, int flags)
{
	struct sigaction sa = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART | flags};

	sigaction(sig, &sa, NULL);
}

static void from_self(void)
{
	int me = getpid(), tid = (int)SC(SYS_gettid), fd[2];
	struct itimerval it = {.it_value = {0, 1}};

	handle(SIGUSR1, 0);
	handle(SIGPIPE, 0);
	handle(SIGALRM, 0);
	handle(SIGXFSZ, 0);
	handle(40, 0);
	SC(SYS_kill, me, SIGUSR1);
	show("kill");
	SC(SYS_tkill, tid, SIGUSR1);
	show("tkill");
	SC(SYS_tgkill, me, tid, SIGUSR1);
	show("tgkill");
	raise(SIGUSR1);
	show("raise");
	sigqueue(me, SIGUSR1, (union sigval){.sival_int = 1});
	show("sigqueue");
	SC(SYS_kill, me, 40);
	show("kill, real time");
	if (pipe(fd))
		die("pipe");
	close(fd[0]);
	if (write(fd[1], "x", 1) >= 0)
		say("written");
	close(fd[1]);
	show("SIGPIPE");
	setitimer(ITIMER_REAL, &it, NULL);
	while (!*(volatile int *)&seen.count)
		sched_yield();
	show("SIGALRM");
}

static void file_size(void)
{
	struct rlimit old, small = {10, 10};
	int fd = open("big", O_CREAT | O_RDWR, 0600);

	getrlimit(RLIMIT_FSIZE, &old);
	handle(SIGXFSZ, 0);
	setrlimit(RLIMIT_FSIZE, &small);
	if (pwrite(fd, "x", 1, 20) < 0)
		say("write %s", err(errno));
	show("SIGXFSZ");
	close(fd);
	unlink("big");
}

static void from_child(void)
{
	int me = getpid();
	pid_t pid;

	handle(SIGUSR1, 0);
	for (int how = 0; how < 4; how++) {
		pid = fork_or_die();
		if (!pid) {
			if (how == 0)
				SC(SYS_kill, me, SIGUSR1);
			else if (how == 1)
				SC(SYS_tkill, me, SIGUSR1);
			else if (how == 2)
				SC(SYS_tgkill, me, me, SIGUSR1);
			else
				sigqueue(me, SIGUSR1, (union sigval){.sival_int = 1});
			_exit(0);
		}
		say("sender %s", reap(pid));
		show("from a child");
	}
	/* From a grandchild whose parent is gone. */
	pid = fork_or_die();
	if (!pid) {
		if (!fork()) {
			SC(SYS_kill, me, SIGUSR1);
			_exit(0);
		}
		SC(SYS_wait4, -1, NULL, 0, NULL);
		_exit(0);
	}
	say("parent of the sender %s", reap(pid));
	show("from a grandchild");
	/* From a process that is reaped before the signal is delivered. */
	set_raw_mask(BIT(SIGUSR1));
	pid = fork_or_die();
	if (!pid) {
		SC(SYS_kill, me, SIGUSR1);
		_exit(0);
	}
	say("sender %s", reap(pid));
	set_raw_mask(0);
	show("sender is reaped");
}

/* Sleeps until a signal that is blocked has come: a wait may tell of a child before SIGCHLD does. */
static void arrive(int comes)
{
	uint64_t none = 0;

	while (comes && !*(volatile int *)&seen.count)
		SC(SYS_rt_sigsuspend, &none, 8);
	set_raw_mask(0);
}

/* A group's signal carries the sender, whoever gets it. */
static void by_group(void)
{
	struct gate g = gate_new(), done = gate_new();
	pid_t a = fork_or_die(), b;

	if (!a) {
		setpgid(0, 0);
		handle(SIGUSR1, 0);
		set_raw_mask(BIT(SIGUSR1));
		gate_open(g);
		arrive(1);
		show("member");
		gate_open(done);
		_exit(0);
	}
	gate_pass(g);
	b = fork_or_die();
	if (!b) {
		SC(SYS_kill, -a, SIGUSR1);
		_exit(0);
	}
	gate_pass(done);
	say("sender %s", reap(b));
	say("member %s", reap(a));
}

static void children(const char *name, int flags)
{
	struct gate g = gate_new();
	pid_t pid;
	int st;

	say("%s", name);
	handle(SIGCHLD, flags);
	set_raw_mask(BIT(SIGCHLD));
	pid = fork_or_die();
	if (!pid) {
		gate_pass(g);
		_exit(33);
	}
	/* The wait comes second: in the kernel it may clear the status before SIGCHLD has read it. */
	kill(pid, SIGSTOP);
	arrive(!(flags & SA_NOCLDSTOP));
	SC(SYS_wait4, pid, &st, WUNTRACED, NULL);
	show("stopped");
	set_raw_mask(BIT(SIGCHLD));
	kill(pid, SIGCONT);
	arrive(!(flags & SA_NOCLDSTOP));
	SC(SYS_wait4, pid, &st, WCONTINUED, NULL);
	show("continued");
	set_raw_mask(BIT(SIGCHLD));
	gate_open(g);
	await_zombie(pid);
	arrive(1);
	show("exited");
	reap(pid);
	set_raw_mask(BIT(SIGCHLD));
	pid = sleeper();
	kill(pid, SIGTERM);
	await_zombie(pid);
	arrive(1);
	show("killed");
	reap(pid);
	set_raw_mask(BIT(SIGCHLD));
	pid = sleeper();
	kill(pid, SIGKILL);
	reap(pid);
	arrive(1);
	show("reaped before delivery");
	/* Two at once are one signal. */
	set_raw_mask(BIT(SIGCHLD));
	pid = fork_or_die();
	if (!pid)
		_exit(1);
	await_zombie(pid);
	st = fork_or_die();
	if (!st)
		_exit(2);
	await_zombie(st);
	arrive(1);
	show("two exits");
	reap(pid);
	reap(st);
	signal(SIGCHLD, SIG_DFL);
}

static void taken(void)
{
	static const struct timespec ten = {10, 0}, now = {0, 0};
	uint64_t set = BIT(SIGCHLD) | BIT(SIGUSR1) | BIT(40) | BIT(SIGSYS);
	siginfo_t si;
	pid_t pid;
	sigset_t libc_set;
	int r;

	set_raw_mask(set);
	pid = fork_or_die();
	if (!pid) {
		SC(SYS_kill, getppid(), 40);
		SC(SYS_tgkill, getppid(), getppid(), SIGUSR1);
		_exit(44);
	}
	await_zombie(pid);
	for (int i = 0; i < 3; i++) {
		memset(&si, 0, sizeof(si));
		r = (int)SC(SYS_rt_sigtimedwait, &set, &si, &ten, 8);
		say("took %d from %d code %d status %d", r, si.si_pid, si.si_code,
		    r == SIGCHLD ? si.si_status : 0);
	}
	reap(pid);
	/* Sleeping in it while the signal comes. */
	pid = fork_or_die();
	if (!pid) {
		await_state("/proc/1/stat", 'S');
		SC(SYS_kill, getppid(), 40);
		_exit(45);
	}
	sigemptyset(&libc_set);
	sigaddset(&libc_set, 40);
	r = sigwaitinfo(&libc_set, &si);
	say("sigwaitinfo %d from %s code %d", r, si.si_pid == pid ? "child" : "else", si.si_code);
	r = (int)SC(SYS_rt_sigtimedwait, &set, &si, &ten, 8);
	say("then %d from %s code %d status %d", r, si.si_pid == pid ? "child" : "else", si.si_code,
	    si.si_status);
	reap(pid);
	say("nothing left %s", rc(SC(SYS_rt_sigtimedwait, &set, &si, &now, 8)));
	set_raw_mask(0);
}

static void timer(void)
{
	struct sigevent ev;
	struct itimerspec it = {.it_value = {0, 1000}};
	timer_t t;

	memset(&ev, 0, sizeof(ev));
	ev.sigev_notify = SIGEV_SIGNAL;
	ev.sigev_signo = SIGUSR1;
	handle(SIGUSR1, 0);
	if (timer_create(CLOCK_MONOTONIC, &ev, &t))
		die("timer");
	timer_settime(t, 0, &it, NULL);
	while (!*(volatile int *)&seen.count)
		sched_yield();
	/* Where others have the sender, a timer has its own number: not an id. */
	say("timer: %d code %d", seen.sig, seen.code);
	memset(&seen, 0, sizeof(seen));
	timer_delete(t);
}

static void all(void)
{
	from_self();
	from_child();
	by_group();
	children("children", 0);
	children("children, NOCLDSTOP", SA_NOCLDSTOP);
	children("children, ONSTACK", SA_ONSTACK);
	taken();
	timer();
	in_child("file size", file_size);
}

static void *thread(void *p)
{
	set_raw_mask(0);
	from_self();
	return NULL;
}

int main(void)
{
	pthread_t t;

	all();
	in_child("all in a child", all);
	/* Only the thread may take what is sent to the process. */
	set_raw_mask(~0ull);
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
	return 0;
}
