/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What random sequences of calls (tests/random) found to differ once: which thread takes a signal that its
 * number was given for, ignored signals that a thread of process 1 has blocked, the order of refusals of
 * clone3 and rt_tgsigqueueinfo, threads' own parent-death signals, numbers that only a group has any more.
 */
#include "probe.h"
#include <sys/socket.h>

static struct gate up, down;
static int second, taker;

static void *thread(void *p)
{
	uint64_t ignored = BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGURG) | BIT(SIGWINCH);
	int sig = -7;

	(void)p;
	set_raw_mask(ignored);
	second = (int)SC(SYS_gettid);
	gate_open(up);
	gate_pass(down);
	say("thread: pending %s", mask_text(raw_pending()));
	say("thread: pdeathsig get %s", rc(SC(SYS_prctl, PR_GET_PDEATHSIG, &sig)));
	say("%d, set %s", sig, rc(SC(SYS_prctl, PR_SET_PDEATHSIG, 40)));
	gate_open(up);
	gate_pass(down);
	return NULL;
}

static void threads_own(void)
{
	static const int signals[] = {SIGCHLD, SIGCONT, SIGURG, SIGWINCH};
	siginfo_t si;
	pthread_t t;
	int sig = -7;

	say("pdeathsig set %s", rc(SC(SYS_prctl, PR_SET_PDEATHSIG, 41)));
	pthread_create(&t, NULL, thread, NULL);
	gate_pass(up);
	for (size_t i = 0; i < COUNT(signals); i++)
		say("signal %d %s", signals[i], rc(SC(SYS_tgkill, SC(SYS_getpid), second, signals[i])));
	memset(&si, 0, sizeof(si));
	say("queued at no group %s", rc(SC(SYS_rt_tgsigqueueinfo, 999, SC(SYS_getpid), SIGUSR1, &si)));
	gate_open(down);
	gate_pass(up);
	say("main: pdeathsig get %s", rc(SC(SYS_prctl, PR_GET_PDEATHSIG, &sig)));
	say("%d", sig);
	gate_open(down);
	pthread_join(t, NULL);
}

static void on_usr1(int sig)
{
	(void)sig;
	taker = (int)SC(SYS_gettid);
}

/* Sleeps until the signal came to it or the other took it. */
static void *sleep_and_tell(void *p)
{
	char c;

	second = (int)SC(SYS_gettid);
	SC(SYS_write, *(int *)p, &second, sizeof(second));
	while (SC(SYS_read, down.r, &c, 1) == -EINTR)
		;
	return NULL;
}

static void whose_number(void)
{
	int fd[2];
	pid_t pid;
	int tid;

	if (pipe(fd))
		die("pipe");
	pid = fork_or_die();
	if (!pid) {
		pthread_t t;

		signal(SIGUSR1, on_usr1);
		pthread_create(&t, NULL, sleep_and_tell, &fd[1]);
		gate_pass(up);
		say("the %s took it", taker == (int)SC(SYS_getpid) ? "leader"
				      : taker			   ? "thread"
								   : "nobody");
		gate_open(down);
		pthread_join(t, NULL);
		_exit(0);
	}
	if (read(fd[0], &tid, sizeof(tid)) != sizeof(tid))
		die("thread");
	/* Both sleep: neither makes a call that could take the signal on its way. */
	usleep(20000);
	say("kill of a thread %s", rc(SC(SYS_kill, tid, SIGUSR1)));
	usleep(20000);
	gate_open(up);
	say("%s", reap(pid));
}

static void refusals(void)
{
	int numbers[2] = {999, 999}, bad[1] = {-1};
	struct probe_clone_args a = {.set_tid = (uint64_t)numbers, .set_tid_size = 2};

	a.exit_signal = SIGCHLD;
	say("two numbers %s", rc(SC(SYS_clone3, &a, sizeof(a))));
	a.flags = CLONE_PARENT;
	say("two numbers, a sibling with a signal %s", rc(SC(SYS_clone3, &a, sizeof(a))));
	a.exit_signal = 0;
	say("two numbers, a sibling %s", rc(SC(SYS_clone3, &a, sizeof(a))));
	a.flags = CLONE_NEWPID;
	a.set_tid = (uint64_t)bad;
	a.set_tid_size = 1;
	say("a namespace and a bad number %s", rc(SC(SYS_clone3, &a, sizeof(a))));
	a.set_tid = a.set_tid_size = 0;
	a.flags = CLONE_NEWPID | CLONE_PARENT;
	a.exit_signal = SIGCHLD;
	say("with a signal %s", rc(SC(SYS_clone3, &a, sizeof(a))));
	a.flags = CLONE_NEWPID | CLONE_SIGHAND;
	say("a namespace and shared handlers %s", rc(SC(SYS_clone3, &a, sizeof(a))));
}

static int lock_fd;
static struct flock everything = {.l_type = F_WRLCK};

/* A lock is its files' and not its process's: who shares them keeps it. Who asks must not. */
static int asked_of(pid_t leader)
{
	int st;
	pid_t pid = fork_or_die();

	if (!pid) {
		struct flock l = {.l_type = F_WRLCK};

		SC(SYS_fcntl, lock_fd, F_GETLK, &l);
		_exit(l.l_type == F_UNLCK ? 0 : l.l_pid == leader ? 1 : l.l_pid ? 2 : 3);
	}
	waitpid(pid, &st, 0);
	return WEXITSTATUS(st);
}

/* A group whose leader is gone; what its number is good for. */
static void left_number(void)
{
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	struct gate ready = gate_new();
	struct {
		int type, pid;
	} owner = {0, 0};
	pid_t leader, member;
	long fd;

	lock_fd = open("lock", O_RDWR | O_CREAT, 0600);
	leader = (pid_t)SC(SYS_clone, CLONE_FILES | SIGCHLD, 0, NULL, NULL, 0);
	if (!leader) {
		SC(SYS_setpgid, 0, 0);
		SC(SYS_fcntl, lock_fd, F_SETLK, &everything);
		gate_open(ready);
		SC(SYS_pause);
		SC(SYS_exit_group, 0);
	}
	gate_pass(ready);
	member = sleeper();
	setpgid(member, leader);
	fd = SC(SYS_pidfd_open, leader, 0);
	kill(leader, SIGKILL);
	await_zombie(leader);
	say("setns to a zombie's %s", rc(SC(SYS_setns, fd, CLONE_NEWPID)));
	say("%s", reap(leader));
	for (owner.type = 0; owner.type < 3; owner.type++) {
		owner.pid = leader;
		say("owner of type %d %s, get %s", owner.type,
		    rc(SC(SYS_fcntl, sock, F_SETOWN_EX, &owner)), rc(SC(SYS_fcntl, sock, F_GETOWN)));
	}
	say("owner %s", rc(SC(SYS_fcntl, sock, F_SETOWN, leader)));
	say("lock: %d", asked_of(leader));
	end(member);
	say("lock: %d", asked_of(leader));
	say("owner %s", rc(SC(SYS_fcntl, sock, F_SETOWN, leader)));
}

static void *sleeping(void *p)
{
	second = (int)SC(SYS_gettid);
	gate_open(up);
	gate_pass(down);
	return p;
}

/* Process 1's threads are as immune as it is, by whatever descriptor. */
static void of_a_thread(void)
{
	pthread_t t;
	long fd;

	pthread_create(&t, NULL, sleeping, NULL);
	gate_pass(up);
	fd = SC(SYS_pidfd_open, second, O_EXCL);
	for (int flags = 0; flags < 3 && SC(SYS_getpid) == 1; flags++)
		say("SIGKILL to a thread, flags %d: %s", flags,
		    rc(SC(SYS_pidfd_send_signal, fd, SIGKILL, NULL, flags)));
	gate_open(down);
	pthread_join(t, NULL);
}

static void dropped(void)
{
	long fd = SC(SYS_pidfd_open, 1, 0);
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	si.si_code = SI_QUEUE;
	si.si_signo = SIGKILL;
	say("SIGKILL to process 1 %s", rc(SC(SYS_pidfd_send_signal, fd, SIGKILL, &si, 0)));
	si.si_signo = SIGTERM;
	say("SIGKILL that says SIGTERM %s", rc(SC(SYS_pidfd_send_signal, fd, SIGKILL, &si, 0)));
}

static void all(void)
{
	threads_own();
	whose_number();
	refusals();
	left_number();
	dropped();
	of_a_thread();
}

int main(void)
{
	up = gate_new();
	down = gate_new();
	all();
	in_child("all in a child", all);
	return 0;
}
