/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads: their numbers come from the same sequence as those of processes, each sees one process,
 * their tids name them for the calls that take tids, exec by any of them keeps the process number,
 * and a leader that has exited leaves the process alive.
 *
 * args: numbers exec leader
 */
#include "probe.h"
#include <sys/mman.h>

static const char *self;

static void who(const char *name)
{
	say("%s: %s/%s of %s", name, rc(SC(SYS_getpid)), rc(SC(SYS_gettid)), rc(SC(SYS_getppid)));
}

static void *show(void *name)
{
	who(name);
	return NULL;
}

static void thread(void *(*fn)(void *), const void *arg)
{
	pthread_t t;

	if (pthread_create(&t, NULL, fn, (void *)arg) || pthread_join(t, NULL))
		die("thread");
}

static void *forks(void *p)
{
	pid_t pid = fork();

	if (!pid) {
		who("forked by a thread");
		_exit(3);
	}
	say("forked %d: %s", pid, reap(pid));
	pid = vfork();
	if (!pid)
		_exit(4);
	say("vforked %d: %s", pid, reap(pid));
	return NULL;
}

static struct gate there, leave;

static void *stays(void *p)
{
	*(int *)p = (int)SC(SYS_gettid);
	gate_open(there);
	gate_pass(leave);
	return NULL;
}

/* What a thread's number means to calls that take a process, a group or a thread. */
static void by_tid(void)
{
	static int tid;
	pthread_t t;
	int me = getpid();
	siginfo_t si;

	pthread_create(&t, NULL, stays, &tid);
	gate_pass(there);
	say("thread %d of %d", tid, me);
	say("kill %s", rc(SC(SYS_kill, tid, 0)));
	say("tkill %s", rc(SC(SYS_tkill, tid, 0)));
	say("tgkill %s", rc(SC(SYS_tgkill, me, tid, 0)));
	say("tgkill tid as group %s", rc(SC(SYS_tgkill, tid, tid, 0)));
	say("tgkill leader %s", rc(SC(SYS_tgkill, me, me, 0)));
	say("getpgid %s getsid %s", rc(SC(SYS_getpgid, tid)), rc(SC(SYS_getsid, tid)));
	say("setpgid %s", rc(SC(SYS_setpgid, tid, 0)));
	say("setpgid self to tid %s", rc(SC(SYS_setpgid, 0, tid)));
	say("kill group %s", rc(SC(SYS_kill, -tid, 0)));
	say("wait4 %s", rc(SC(SYS_wait4, tid, NULL, __WALL, NULL)));
	say("waitid %s", rc(SC(SYS_waitid, P_PID, tid, &si, WEXITED, NULL)));
	say("pidfd_open %s", rc(SC(SYS_pidfd_open, tid, 0)));
	say("pidfd_open leader %s", rc(SC(SYS_pidfd_open, me, 0) >= 0 ? 0 : -1));
	say("pidfd_open THREAD %s", rc(SC(SYS_pidfd_open, tid, O_EXCL) >= 0 ? 0 : -1));
	gate_open(leave);
	pthread_join(t, NULL);
	/* The joiner is woken a moment before the thread's number is free (kernel/exit.c:do_exit). */
	for (int i = 0; i < 5000 && !SC(SYS_tgkill, me, tid, 0); i++)
		usleep(1000);
	say("gone: kill %s tkill %s tgkill %s getpgid %s", rc(SC(SYS_kill, tid, 0)),
	    rc(SC(SYS_tkill, tid, 0)), rc(SC(SYS_tgkill, me, tid, 0)), rc(SC(SYS_getpgid, tid)));
}

/* A thread that no libc knows of, which leaves without a stack: its number is free afterwards. */
static volatile int word;
static char raw_stack[1 << 16] __attribute__((aligned(16)));
static volatile int raw_seen[3];

static int raw_thread(void *p)
{
	raw_seen[0] = (int)SC(SYS_getpid);
	raw_seen[1] = (int)SC(SYS_gettid);
	raw_seen[2] = (int)SC(SYS_getppid);
	return 0;
}

static void raw_threads(void)
{
	for (int i = 0; i < 3; i++) {
		long r;

		word = -1;
		r = clone_on(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
				     CLONE_SYSVSEM | 0x00200000,
			     raw_stack + sizeof(raw_stack), NULL, (int *)&word, raw_thread, NULL);
		while (__atomic_load_n(&word, __ATOMIC_ACQUIRE))
			SC(SYS_futex, &word, 0, -1, NULL);
		say("raw thread %s saw %d/%d of %d", rc(r), raw_seen[0], raw_seen[1], raw_seen[2]);
	}
	say("no child: %s", rc(SC(SYS_wait4, -1, NULL, __WALL, NULL)));
}

/* The words that the kernel fills must name the thread for its own group, whatever is in them. */
static void own_words(void)
{
	static volatile int parent_word, child_word;
	long r;

	parent_word = child_word = -1;
	r = clone_on(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			     CLONE_SYSVSEM | 0x00300000,
		     raw_stack + sizeof(raw_stack), (int *)&parent_word, (int *)&child_word,
		     raw_thread, NULL);
	while (__atomic_load_n(&child_word, __ATOMIC_ACQUIRE))
		SC(SYS_futex, &child_word, 0, -1, NULL);
	say("words: %s, parent word set %d", rc(r), parent_word > 0);
}

static void *sends_to_self(void *p)
{
	sigset_t set;
	siginfo_t si;
	pthread_t me = pthread_self();
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	say("pthread_kill %d", pthread_kill(me, SIGUSR1));
	sig = sigwaitinfo(&set, &si);
	say("got %d from %d code %d", sig, si.si_pid, si.si_code);
	say("raise %d", raise(SIGUSR1));
	sig = sigwaitinfo(&set, &si);
	say("got %d from %d code %d", sig, si.si_pid, si.si_code);
	return NULL;
}

static void numbers(void)
{
	who("main");
	thread(show, "one");
	thread(show, "two");
	thread(forks, NULL);
	thread(show, "three");
	raw_threads();
	own_words();
	by_tid();
	thread(sends_to_self, NULL);
	thread(show, "last");
	who("main");
}

static int detached;

static void *detaches(void *p)
{
	int tid = (int)SC(SYS_gettid);

	gate_pass(leave);
	__atomic_store_n(&detached, tid, __ATOMIC_RELEASE);
	return NULL;
}

static void many(void)
{
	pthread_t t[20];
	pthread_attr_t a;
	pid_t pid;
	long r = 0;

	for (int i = 0; i < 20; i++)
		pthread_create(&t[i], NULL, stays, &(int){0});
	for (int i = 0; i < 20; i++)
		gate_pass(there);
	pid = fork_or_die();
	if (!pid)
		_exit(0);
	say("fork beside 20 threads %d: %s", pid, reap(pid));
	for (int i = 0; i < 20; i++)
		gate_open(leave);
	for (int i = 0; i < 20; i++)
		pthread_join(t[i], NULL);
	pthread_attr_init(&a);
	pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
	pthread_create(&t[0], &a, detaches, NULL);
	gate_open(leave);
	/* It unmaps its own stack on the way out. */
	for (int i = 0; i < 5000 && r != -ESRCH; i++) {
		int tid = __atomic_load_n(&detached, __ATOMIC_ACQUIRE);

		if (tid)
			r = SC(SYS_tkill, tid, 0);
		usleep(1000);
	}
	say("detached %d gone: %s", detached, rc(r));
	pid = fork_or_die();
	if (!pid)
		_exit(0);
	say("fork after it %d: %s", pid, reap(pid));
}

/* --- exec -------------------------------------------------------------------------------------- */

static void *execs(void *p)
{
	who("about to exec");
	execl(self, self, "execed", (char *)NULL);
	say("exec: %s", err(errno));
	_exit(127);
}

static void exec_by_thread(void)
{
	static int tid;
	pthread_t t;

	pthread_create(&t, NULL, stays, &tid);
	gate_pass(there);
	pthread_create(&t, NULL, execs, NULL);
	for (;;)
		pause();
}

static void exec_by_leader(void)
{
	static int tid[2];
	pthread_t t;

	pthread_create(&t, NULL, stays, &tid[0]);
	pthread_create(&t, NULL, stays, &tid[1]);
	gate_pass(there);
	gate_pass(there);
	execs(NULL);
}

static void fails_then_goes_on(void)
{
	static int tid;
	pthread_t t;

	pthread_create(&t, NULL, stays, &tid);
	gate_pass(there);
	execl("/nonexistent", "x", (char *)NULL);
	say("exec: %s", err(errno));
	say("thread is there: %s", rc(SC(SYS_tkill, tid, 0)));
	gate_open(leave);
	pthread_join(t, NULL);
	thread(show, "after a failed exec");
}

static void execed(void)
{
	pid_t pid;
	int left = 0;

	who("execed");
	for (int i = 2; i < 40; i++)
		if (SC(SYS_tgkill, SC(SYS_getpid), i, 0) == 0)
			left++;
	say("threads that are left: %d", left);
	say("children %s", rc(SC(SYS_wait4, -1, NULL, WNOHANG | __WALL, NULL)));
	pid = fork_or_die();
	if (!pid)
		_exit(0);
	say("then %s", reap(pid));
	thread(show, "thread of the new image");
}

/* --- a leader that exits first ------------------------------------------------------------------- */

static struct gate up, down;
static int leader_process;

static void *outlives(void *p)
{
	char path[64];
	pid_t pid;
	int me = getpid(), tid = (int)SC(SYS_gettid);

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", me);
	say("leader's state %c", await_state(path, 'Z'));
	snprintf(path, sizeof(path), "/proc/%d/stat", me);
	say("process's state %c", stat_state(path));
	who("outlives");
	say("kill %s tgkill leader %s tkill self %s getpgid %s", rc(SC(SYS_kill, me, 0)),
	    rc(SC(SYS_tgkill, me, me, 0)), rc(SC(SYS_tkill, tid, 0)), rc(SC(SYS_getpgid, me)));
	pid = fork_or_die();
	if (!pid) {
		who("forked after the leader's exit");
		say("parent is there: %s", rc(SC(SYS_kill, getppid(), 0)));
		_exit(6);
	}
	say("forked %d: %s", pid, reap(pid));
	thread(show, "thread after the leader's exit");
	/* Still immune if it is process 1, still killable by its number if not. */
	if (me == 1) {
		pid = fork_or_die();
		if (!pid) {
			say("kill 1: %s", rc(SC(SYS_kill, 1, SIGKILL)));
			if (!fork()) {
				gate_pass(leave);
				say("orphan of %d", getppid());
				_exit(8);
			}
			_exit(7);
		}
		say("reaped %s", reap(pid));
		gate_open(leave);
		say("reaped %s", reap(-1));
		SC(SYS_exit_group, 23);
	}
	gate_open(up);
	gate_pass(down);
	if (leader_process == 2) {
		execl(self, self, "execed", (char *)NULL);
		_exit(127);
	}
	SC(SYS_exit, 5);
	return NULL;
}

static void leader_exits(void)
{
	pthread_t t;

	pthread_create(&t, NULL, outlives, NULL);
	SC(SYS_exit, 4);
}

static void zombie_leader(int how)
{
	pid_t pid;
	int st = 0;

	up = gate_new();
	down = gate_new();
	leader_process = how;
	pid = fork_or_die();
	if (!pid)
		leader_exits();
	gate_pass(up);
	say("wait4 nohang %s", rc(SC(SYS_wait4, pid, &st, WNOHANG, NULL)));
	say("kill %s", rc(SC(SYS_kill, pid, 0)));
	if (how == 1)
		say("kill %s", rc(SC(SYS_kill, pid, SIGTERM)));
	else
		gate_open(down);
	say("%s", reap(pid));
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	self = argv[0];
	there = gate_new();
	leave = gate_new();
	if (!strcmp(what, "execed")) {
		execed();
		return 31;
	}
	if (!strcmp(what, "numbers")) {
		numbers();
		in_child("numbers in a child", numbers);
		many();
	} else if (!strcmp(what, "exec")) {
		fails_then_goes_on();
		in_child("by thread", exec_by_thread);
		in_child("by leader", exec_by_leader);
		exec_by_thread();
	} else {
		zombie_leader(0);
		zombie_leader(1);
		zombie_leader(2);
		leader_exits();
	}
	return 0;
}
