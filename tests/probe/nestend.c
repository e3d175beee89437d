/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a namespace inside: with its number 1 all members end, whatever they do, those of namespaces below
 * too; the wait returns when nothing is left. Every member holds a pipe open, so that its end of file tells.
 *
 * oracle: root
 */
#include "nest.h"

static int held[2];

/* Nothing is left that holds the pipe. */
static void gone(const char *what)
{
	char c;

	close(held[1]);
	fcntl(held[0], F_SETFL, O_NONBLOCK);
	say("%s: %s", what, rc(SC(SYS_read, held[0], &c, 1)));
	close(held[0]);
}

static void hold(void)
{
	if (pipe(held))
		die("pipe");
}

/* n members: each its own session, a group, stopped, with everything blocked, or with threads. */
static void *sleeps(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void populate(int n)
{
	for (int i = 0; i < n; i++) {
		struct gate up = gate_new();
		pthread_t t;

		if (!fork_or_die()) {
			switch (i % 6) {
			case 0:
				setsid();
				break;
			case 1:
				setpgid(0, 0);
				break;
			case 2:
				set_raw_mask(~0ull);
				break;
			case 3:
				pthread_create(&t, NULL, sleeps, NULL);
				break;
			case 4:
				/* An orphan. */
				if (fork_or_die())
					_exit(0);
				break;
			case 5:
				signal(SIGTERM, SIG_IGN);
				gate_open(up);
				raise(SIGSTOP);
				break;
			}
			gate_open(up);
			sleeps(NULL);
		}
		gate_pass(up);
		close(up.r);
		close(up.w);
	}
}

static void members_end(int n, int killed)
{
	struct gate up = gate_new();
	pid_t pid;

	hold();
	pid = nest_fork();
	if (!pid) {
		populate(n);
		gate_open(up);
		if (killed)
			sleeps(NULL);
		_exit(40);
	}
	gate_pass(up);
	if (killed)
		say("kill %s", lrc(kill(pid, SIGKILL)));
	say("%d members: %s", n, reap_quiet(pid));
	gone("left");
	say("children %s, kill %s", rc(SC(SYS_wait4, -1, NULL, WNOHANG | __WALL, NULL)),
	    lrc(kill(pid, 0)));
}

/* Who forks as fast as it can does not escape. */
static void bomb(void)
{
	struct gate up = gate_new();
	pid_t pid;

	hold();
	pid = nest_fork();
	if (!pid) {
		for (int i = 0; i < 4; i++) {
			if (fork_or_die())
				continue;
			gate_open(up);
			/* Each goes on in its child. */
			for (;;) {
				pid_t next = fork();

				if (next > 0)
					_exit(0);
				if (!next && i % 2)
					setsid();
			}
		}
		for (int i = 0; i < 4; i++)
			gate_pass(up);
		usleep(20000);
		_exit(41);
	}
	say("bomb: %s", reap_quiet(pid));
	gone("left");
}

/* Each level has a sleeper, and ends with the one above. */
static void chain(int depth, struct gate up)
{
	pid_t pid;

	sleeper();
	if (!depth) {
		gate_open(up);
		sleeps(NULL);
	}
	pid = nest_fork();
	if (!pid)
		chain(depth - 1, up);
	sleeps(NULL);
}

static void deep(int depth)
{
	struct gate up = gate_new();
	pid_t pid;

	hold();
	pid = nest_fork();
	if (!pid)
		chain(depth, up);
	gate_pass(up);
	say("kill %s", lrc(kill(pid, SIGKILL)));
	say("depth %d: %s", depth, reap_quiet(pid));
	gone("left");
}

/* Only one in the middle. */
static void middle(void)
{
	struct gate up = gate_new(), go = gate_new(), done = gate_new();
	pid_t pid;

	hold();
	pid = nest_fork();
	if (!pid) {
		pid_t below = nest_fork();

		if (!below)
			chain(3, up);
		gate_pass(up);
		gate_pass(go);
		say("kill %s", lrc(kill(below, SIGKILL)));
		say("middle: %s", reap_quiet(below));
		gone("left of it");
		gate_open(done);
		gate_pass(go);
		_exit(42);
	}
	gate_open(go);
	gate_pass(done);
	say("above: %s", rc(SC(SYS_wait4, pid, NULL, WNOHANG, NULL)));
	gate_open(go);
	say("above: %s", reap_quiet(pid));
	gone("left");
}

/* The last thread's end is the end, not the first's. */
static struct gate last;

static void *outlives(void *arg)
{
	gate_pass(last);
	say("kill(1, 0) %s, pid %d", lrc(kill(1, 0)), getpid());
	SC(SYS_exit, 0);
	return arg;
}

static void leader_first(void)
{
	struct gate up = gate_new();
	char stat[32];
	pid_t pid;

	last = gate_new();
	pid = nest_fork();
	if (!pid) {
		pthread_t t;

		pthread_create(&t, NULL, outlives, NULL);
		gate_open(up);
		SC(SYS_exit, 43);
	}
	gate_pass(up);
	snprintf(stat, sizeof(stat), "/proc/%d/stat", pid);
	say("leader %c", await_state(stat, 'Z'));
	say("not yet: %s", rc(SC(SYS_wait4, pid, NULL, WNOHANG, NULL)));
	gate_open(last);
	say("leader first: %s", reap_quiet(pid));
}

/* Its creator ends first: whose child it becomes. */
static void orphaned(void)
{
	struct gate up = gate_new(), go = gate_new();
	pid_t a = fork_or_die(), pid;

	if (!a) {
		pid = nest_fork();
		if (!pid) {
			gate_open(up);
			gate_pass(go);
			say("inside: ppid %d", getppid());
			_exit(44);
		}
		gate_pass(up);
		_exit(45);
	}
	say("creator: %s", reap_quiet(a));
	gate_open(go);
	say("orphan: %s", reap_quiet(-1));
	say("none: %s", reap_quiet(-1));
}

/* What number 1 did not wait for does not become the creator's. */
static void zombies(void)
{
	pid_t pid = nest_fork();

	if (!pid) {
		for (int i = 0; i < 5; i++)
			if (!fork_or_die())
				_exit(i);
		await_zombie(2);
		_exit(46);
	}
	say("zombies: %s", reap_quiet(-1));
	say("none: %s", reap_quiet(-1));
}

/* Nothing is born in a namespace that ends, and signals of its last ones do no harm. */
static void statuses(void)
{
	static const int sigs[] = {SIGSEGV, SIGILL, SIGFPE, SIGBUS};

	for (size_t i = 0; i < COUNT(sigs); i++) {
		pid_t pid = nest_fork();

		if (!pid) {
			struct rlimit none = {0, 0};

			setrlimit(RLIMIT_CORE, &none);
			switch (i) {
			case 0:
				*(volatile int *)8 = 1;
				break;
			case 1:
				__asm__ volatile("ud2");
				break;
			case 2: {
				volatile int zero = 0;

				zero = 1 / zero;
				break;
			}
			case 3: {
				char name[] = "empty";
				int fd = open(name, O_RDWR | O_CREAT, 0600);
				volatile char *p = SC(SYS_mmap, 0, 4096, 3, 1, fd, 0) + (char *)0;

				*p = 1;
				break;
			}
			}
			_exit(47);
		}
		say("%d: %s", sigs[i], reap_quiet(pid));
	}
}

/* So deep that a namespace shares its signal scope with the one above. */
static void far_down(int depth)
{
	pid_t pid;

	if (!depth) {
		members_end(12, 0);
		members_end(12, 1);
		bomb();
		middle();
		orphaned();
		return;
	}
	pid = nest_fork();
	if (!pid) {
		far_down(depth - 1);
		_exit(48);
	}
	reap_quiet(pid);
}

int main(int argc, char **argv)
{
	members_end(1, 0);
	members_end(24, 0);
	members_end(24, 1);
	bomb();
	deep(2);
	deep(8);
	middle();
	leader_first();
	orphaned();
	zombies();
	statuses();
	in_nest("bomb", bomb);
	in_nest("orphaned", orphaned);
	in_nest("zombies", zombies);
	far_down(14);
	return 0;
}
