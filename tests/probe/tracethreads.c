/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads as tracees and as tracers: threads are attached to by number, stop one by one or as a group, end; each tracer thread
 * has tracees of its own; waits by another thread; tracers that die, with PTRACE_O_EXITKILL and without; a tracer that is
 * traced.
 */
#include "tracer.h"

static volatile int tids[4], quit;

static void *body(void *p)
{
	tids[(long)p] = (int)SC(SYS_gettid);
	while (!quit)
		SC(SYS_getpgid, 0);
	return NULL;
}

static void threaded(int fd)
{
	pthread_t t[3];
	int copy[3];

	for (long i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, body, (void *)i);
	for (int i = 0; i < 3; i++) {
		while (!tids[i])
			usleep(1000);
		copy[i] = tids[i];
	}
	SC(SYS_write, fd, copy, sizeof(copy));
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	_exit(0);
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void brief(const char *name, pid_t pid, int st)
{
	siginfo_t si;
	long r;

	memset(&si, 0, sizeof(si));
	r = WIFSTOPPED(st) ? PT(T_GETSIGINFO, pid, 0, &si) : -1;
	say("%s %d: %s siginfo %s pid %d", name, pid, stop_name(st), rc(r), r ? 0 : si.si_pid);
}

static int wait_brief(const char *name, pid_t pid)
{
	int st = 0;
	long r = SC(SYS_wait4, pid, &st, W_ALL, NULL);

	if (r != pid)
		say("%s: %s", name, rc(r));
	else
		brief(name, pid, st);
	return st;
}

static void threads(bool seize)
{
	int fd[2], tid[3];
	pid_t pid;

	if (pipe(fd))
		die("pipe");
	pid = fork_or_die();
	if (!pid)
		threaded(fd[1]);
	if (SC(SYS_read, fd[0], tid, sizeof(tid)) != sizeof(tid))
		die("read");
	qsort(tid, 3, sizeof(tid[0]), compare);
	for (int i = 0; i < 3; i++) {
		say("%s", rc(PT(seize ? T_SEIZE : T_ATTACH, tid[i], 0, 0)));
		if (seize)
			PT(T_INTERRUPT, tid[i], 0, 0);
		wait_brief("thread", tid[i]);
	}
	say("without __WALL %s", rc(SC(SYS_wait4, tid[0], NULL, WNOHANG, NULL)));
	say("untraced leader %s", rc(PT(T_GETREGS, pid, 0, WILD)));
	for (int i = 0; i < 3; i++)
		say("%s", rc(PT(T_CONT, tid[i], 0, 0)));
	/* A signal for one of them. */
	SC(SYS_tgkill, pid, tid[1], SIGWINCH);
	wait_brief("one", tid[1]);
	PT(T_CONT, tid[1], 0, 0);
	if (!seize) {
		/* Those that are traced stop with the group too. */
		SC(SYS_tgkill, pid, tid[2], SIGSTOP);
		wait_brief("stop", tid[2]);
		PT(T_CONT, tid[2], 0, 0);
	}
	SC(SYS_tgkill, pid, tid[0], SIGKILL);
	for (int i = 0; i < 3; i++)
		wait_brief("dead", tid[i]);
	say("%s", reap(pid));
	close(fd[0]);
	close(fd[1]);
}

static void loop_calls(void)
{
	for (int i = 0; i < 20; i++)
		SC(SYS_getpid);
	SC(SYS_exit_group, 5);
}

static volatile int own[2];

/* Each traces a child of its own, by turns of nothing: what counts is that none disturbs the other. */
static void *tracer(void *p)
{
	long i = (long)p;
	pid_t pid = fork_or_die();
	int st = 0, stops = 0;

	if (!pid) {
		PT(T_TRACEME, 0, 0, 0);
		SC(SYS_kill, SC(SYS_getpid), SIGSTOP);
		loop_calls();
	}
	SC(SYS_wait4, pid, &st, W_ALL | __WNOTHREAD, NULL);
	while (WIFSTOPPED(st)) {
		PT(T_SYSCALL, pid, 0, 0);
		SC(SYS_wait4, pid, &st, W_ALL | __WNOTHREAD, NULL);
		stops++;
	}
	own[i] = stops * 1000 + WEXITSTATUS(st);
	return NULL;
}

static pid_t foreign;

static void *stranger(void *p)
{
	struct user_regs_struct r;

	say("of another thread: GETREGS %s CONT %s", rc(PT(T_GETREGS, foreign, 0, &r)),
	    rc(PT(T_CONT, foreign, 0, 0)));
	say("own only %s", rc(SC(SYS_wait4, foreign, NULL, W_ALL | __WNOTHREAD | WNOHANG, NULL)));
	return p;
}

static void tracers(void)
{
	pthread_t t[2];

	for (long i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, tracer, (void *)i);
	for (int i = 0; i < 2; i++) {
		pthread_join(t[i], NULL);
		say("tracer %d: %d", i, own[i]);
	}
	foreign = traced("foreign", loop_calls, 0);
	pthread_create(&t[0], NULL, stranger, NULL);
	pthread_join(t[0], NULL);
	follow("foreign", foreign, 0x137f, T_CONT, 5);
}

/* One thread makes the requests, another one waits: a debugger of Go programs does it so. */
static struct gate ask, answer;
static volatile long request[4], result;

static void *servant(void *p)
{
	pid_t pid = fork_or_die();

	if (!pid) {
		PT(T_TRACEME, 0, 0, 0);
		SC(SYS_kill, SC(SYS_getpid), SIGSTOP);
		loop_calls();
	}
	foreign = pid;
	gate_open(answer);
	for (;;) {
		gate_pass(ask);
		if (request[0] < 0)
			return p;
		result = PT(request[0], request[1], request[2], request[3]);
		gate_open(answer);
	}
}

static long by_servant(long req, long pid, long addr, long data)
{
	request[0] = req;
	request[1] = pid;
	request[2] = addr;
	request[3] = data;
	gate_open(ask);
	gate_pass(answer);
	return result;
}

static void divided(void)
{
	pthread_t t;
	int st = 0, stops = 0;
	siginfo_t si;

	ask = gate_new();
	answer = gate_new();
	pthread_create(&t, NULL, servant, NULL);
	gate_pass(answer);
	SC(SYS_wait4, foreign, &st, W_ALL, NULL);
	say("divided: %s", stop_name(st));
	say("options %s", rc(by_servant(T_SETOPTIONS, foreign, 0, O_SYSGOOD)));
	while (WIFSTOPPED(st) && stops < 200) {
		by_servant(T_SYSCALL, foreign, 0, 0);
		if (stops % 2) {
			SC(SYS_wait4, -1, &st, W_ALL, NULL);
		} else {
			SC(SYS_waitid, P_PID, foreign, &si, WSTOPPED | WEXITED | WNOWAIT | W_ALL, NULL);
			SC(SYS_wait4, foreign, &st, W_ALL, NULL);
		}
		stops++;
	}
	say("divided: %s after %d", stop_name(st), stops);
	request[0] = -1;
	gate_open(ask);
	pthread_join(t, NULL);
}

static void spin(void)
{
	for (;;)
		SC(SYS_getppid);
}

/* The tracer is killed at some moment: what becomes of the tracee. */
static void dies(bool kill_too, long req, int after)
{
	struct gate g = gate_new();
	pid_t pid = fork_or_die(), t;
	char stat[64], s;

	if (!pid)
		spin();
	t = fork_or_die();
	if (!t) {
		int st = 0;

		PT(T_SEIZE, pid, 0, O_SYSGOOD | (kill_too ? O_KILL : 0));
		PT(T_INTERRUPT, pid, 0, 0);
		SC(SYS_wait4, pid, &st, W_ALL, NULL);
		for (int i = 0; i < after; i++) {
			PT(req, pid, 0, 0);
			if (req == T_CONT)
				PT(T_INTERRUPT, pid, 0, 0);
			SC(SYS_wait4, pid, &st, W_ALL, NULL);
		}
		PT(req, pid, 0, 0);
		gate_open(g);
		if (req == T_CONT)
			SC(SYS_wait4, pid, &st, W_ALL, NULL);
		else
			for (;;)
				pause();
	}
	gate_pass(g);
	kill(t, SIGKILL);
	say("tracer %s", reap(t) ? "gone" : "");
	snprintf(stat, sizeof(stat), "/proc/%d/stat", pid);
	usleep(10000);
	s = kill_too ? await_state(stat, 'Z') : stat_state(stat);
	say("tracee %c", s == 'S' || s == 'R' ? 'r' : s);
	end(pid);
	close(g.r);
	close(g.w);
}

/* A tracer under a tracer: the inner one's tracee ends well. */
static void inner(void)
{
	pid_t pid = fork_or_die();
	int st = 0, stops = 0;

	if (!pid) {
		PT(T_TRACEME, 0, 0, 0);
		SC(SYS_kill, SC(SYS_getpid), SIGSTOP);
		loop_calls();
	}
	SC(SYS_wait4, pid, &st, W_ALL, NULL);
	while (WIFSTOPPED(st) && stops < 100) {
		PT(T_SYSCALL, pid, 0, 0);
		SC(SYS_wait4, pid, &st, W_ALL, NULL);
		stops++;
	}
	SC(SYS_exit_group, stops == 42 ? WEXITSTATUS(st) : 100);
}

static void nested(long req)
{
	pid_t pid = traced("outer", inner, O_SYSGOOD);
	int st = 0x137f, stops = 0;

	while (WIFSTOPPED(st) && stops < 2000) {
		PT(req, pid, 0, signal_of(st) == SIGCHLD ? 0 : signal_of(st));
		SC(SYS_wait4, pid, &st, W_ALL, NULL);
		stops += st >> 8 == (SIGTRAP | 0x80);
	}
	say("nested %s stops %d", stop_name(st), req == T_CONT ? stops : stops > 100);
}

int main(void)
{
	threads(false);
	threads(true);
	tracers();
	divided();
	for (int after = 0; after < 3; after++) {
		dies(false, T_CONT, after);
		dies(false, T_SYSCALL, after);
		dies(true, T_CONT, after);
		dies(true, T_SYSCALL, after);
	}
	nested(T_CONT);
	nested(T_SYSCALL);
	return 0;
}
