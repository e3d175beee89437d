/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unshare(CLONE_NEWPID) and setns: where the next children are born, what is refused meanwhile, and what is left when
 * the first of them has ended.
 *
 * oracle: root
 */
#include "nest.h"

#ifndef CLONE_NEWPID
#define CLONE_NEWPID 0x20000000
#endif

static void sleeps(void)
{
	for (;;)
		pause();
}

static void *nothing(void *arg)
{
	return arg;
}

static const char *thread(void)
{
	pthread_t t;
	int r = pthread_create(&t, NULL, nothing, NULL);

	if (!r)
		pthread_join(t, NULL);
	return rc(-r);
}

static const char *who(void)
{
	char *s = scratch();

	snprintf(s, 160, "pid %d ppid %d pgrp %d sid %d", getpid(), getppid(), getpgrp(), getsid(0));
	return s;
}

/* A child that says who it is. */
static void child(const char *name)
{
	pid_t pid = fork();

	if (!pid) {
		say("%s: %s", name, who());
		_exit(2);
	}
	if (pid < 0)
		say("%s: %s", name, err(errno));
	else
		say("%s: %s", name, reap_quiet(pid));
}

static void refused(void)
{
	say("unshare again %s", rc(SC(SYS_unshare, CLONE_NEWPID)));
	say("clone NEWPID %s", rc(nest_with(SIGCHLD)));
	say("thread %s", thread());
	say("me: %d", getpid() == SC(SYS_gettid));
}

static void one(void)
{
	pid_t me = getpid();

	say("unshare %s", rc(SC(SYS_unshare, CLONE_NEWPID)));
	say("same pid: %d", getpid() == me);
	refused();
	child("first");
	refused();
	child("second");
	say("unshare again %s", rc(SC(SYS_unshare, CLONE_NEWPID)));
	child("third");
}

/* While the first lives there can be more. */
static void more(void)
{
	struct gate up = gate_new(), go = gate_new(), back = gate_new();
	pid_t first, second, third;

	SC(SYS_unshare, CLONE_NEWPID);
	first = fork_or_die();
	if (!first) {
		gate_open(up);
		gate_pass(go);
		say("first sees 3: %s, 4: %s", lrc(kill(3, 0)), lrc(kill(4, 0)));
		say("first waits: %s", rc(SC(SYS_wait4, -1, NULL, WNOHANG, NULL)));
		gate_open(back);
		sleeps();
	}
	gate_pass(up);
	second = fork_or_die();
	if (!second) {
		pid_t grandchild = fork_or_die();

		if (!grandchild) {
			say("grandchild: %s", who());
			_exit(4);
		}
		say("second: %s, %s", who(), reap(grandchild));
		say("kill(1, 0) %s", lrc(kill(1, 0)));
		gate_open(up);
		sleeps();
	}
	gate_pass(up);
	third = vfork();
	if (!third) {
		say("third: %s", who());
		_exit(5);
	}
	say("third %s", reap_quiet(third));
	gate_open(go);
	gate_pass(back);
	say("kill second: %s", lrc(kill(second, SIGUSR1)));
	say("second %s", reap_quiet(second));
	second = fork_or_die();
	if (!second) {
		setsid();
		gate_open(up);
		sleeps();
	}
	gate_pass(up);
	say("KILL first: %s", lrc(kill(first, SIGKILL)));
	/* It ends when we have reaped the other one. */
	say("second %s", reap_quiet(second));
	say("first %s", reap_quiet(first));
	say("none %s", reap_quiet(-1));
	child("late");
}

/* Over an exec. */
static void images(const char *self)
{
	pid_t pid = fork_or_die();

	if (!pid) {
		SC(SYS_unshare, CLONE_NEWPID);
		execl(self, self, "image", NULL);
		_exit(99);
	}
	say("image %s", reap_quiet(pid));
}

static void image(void)
{
	say("unshare again %s", rc(SC(SYS_unshare, CLONE_NEWPID)));
	child("first");
	child("second");
	say("status of sh %d", system("exit 3"));
}

/* system() and posix_spawn, which share memory with the child where they can. */
static void spawning(void)
{
	SC(SYS_unshare, CLONE_NEWPID);
	say("system %d", system("echo $$; (exit 3); exit 4") >> 8);
}

/* One's own namespace again, and one below. */
static void entering(void)
{
	struct gate up = gate_new();
	char path[40];
	int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC), below, pidfd;
	pid_t pid;

	SC(SYS_unshare, CLONE_NEWPID);
	say("own by 0: %s", rc(SC(SYS_setns, own, 0)));
	say("thread %s", thread());
	say("unshare %s", rc(SC(SYS_unshare, CLONE_NEWPID)));
	say("own: %s", rc(SC(SYS_setns, own, CLONE_NEWPID)));
	say("own as mounts: %s", rc(SC(SYS_setns, own, 0x20000)));
	pid = nest_fork();
	if (!pid) {
		gate_open(up);
		sleeps();
	}
	gate_pass(up);
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
	below = open(path, O_RDONLY | O_CLOEXEC);
	say("below: %s", rc(SC(SYS_setns, below, CLONE_NEWPID)));
	say("thread %s, unshare %s", thread(), rc(SC(SYS_unshare, CLONE_NEWPID)));
	child("joined");
	say("as mounts: %s", rc(SC(SYS_setns, below, 0x20000)));
	say("own: %s", rc(SC(SYS_setns, own, CLONE_NEWPID)));
	say("thread %s", thread());
	pidfd = (int)SC(SYS_pidfd_open, pid, 0);
	say("by pidfd, nothing: %s", rc(SC(SYS_setns, pidfd, 0)));
	say("by pidfd: %s", rc(SC(SYS_setns, pidfd, CLONE_NEWPID)));
	child("joined");
	kill(pid, SIGKILL);
	say("end %s", reap_quiet(pid));
	child("late");
	say("by pidfd: %s", rc(SC(SYS_setns, pidfd, CLONE_NEWPID)));
	say("own: %s", rc(SC(SYS_setns, own, CLONE_NEWPID)));
	pid = fork_or_die();
	if (!pid)
		_exit(6);
	say("back %s", reap_quiet(pid));
	close(pidfd);
	close(below);
	close(own);
}

/* As in_child, without the number. */
static void apart(const char *name, void (*fn)(void))
{
	pid_t pid = fork_or_die();

	if (!pid) {
		fn();
		_exit(0);
	}
	say("%s %s", name, reap_quiet(pid));
}

/* What does not go together, alone and with a thread. */
static struct gate thread_up, thread_down;

static void *beside(void *arg)
{
	gate_open(thread_up);
	gate_pass(thread_down);
	return arg;
}

static void unshares(const char *when)
{
	static const struct {
		const char *name;
		unsigned long flags;
	} sets[] = {
		{"1", 1},	    {"PARENT", 0x8000},	 {"high", 0x100000000ul}, {"VM", 0x100},
		{"SIGHAND", 0x800}, {"THREAD", 0x10000}, {"THREAD|1", 0x10001},	  {"FS", 0x200},
		{"FILES", 0x400},
	};

	for (size_t i = 0; i < COUNT(sets); i++) {
		long r = SC(SYS_unshare, CLONE_NEWPID | sets[i].flags);

		say("%s: unshare NEWPID|%s: %s", when, sets[i].name, rc(r));
		/* Back to where children were born. */
		if (!r) {
			int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

			say("back: %s", rc(SC(SYS_setns, own, CLONE_NEWPID)));
			close(own);
		}
	}
}

static void flags(void)
{
	pthread_t t;

	thread_up = gate_new();
	thread_down = gate_new();
	unshares("alone");
	pthread_create(&t, NULL, beside, NULL);
	gate_pass(thread_up);
	unshares("with a thread");
	say("unshare NEWUSER with a thread %s", rc(SC(SYS_unshare, CLONE_NEWPID | 0x10000000)));
	gate_open(thread_down);
	pthread_join(t, NULL);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		image();
		return 0;
	}
	apart("one", one);
	apart("more", more);
	images("/proc/self/exe");
	apart("spawning", spawning);
	apart("entering", entering);
	apart("flags", flags);
	in_nest("one", one);
	in_nest("more", more);
	return 0;
}
