/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Process groups and sessions: what setpgid and setsid accept, refuse and return, in a process 1
 * that leads nothing, one that leads a group, one that leads a session, and in their children.
 *
 * args: group session both
 */
#include "probe.h"

static void show(const char *who)
{
	say("%s: pid %d pgrp %d pgid(0) %s sid(0) %s", who, getpid(), getpgrp(),
	    rc(SC(SYS_getpgid, 0)), rc(SC(SYS_getsid, 0)));
}

static void set(int pid, int pgid)
{
	say("setpgid(%d, %d) %s, then pgrp %d", pid, pgid, rc(SC(SYS_setpgid, pid, pgid)), getpgrp());
}

static void leader(void)
{
	show("leader");
	set(0, 0);
	say("setsid %s", rc(SC(SYS_setsid)));
	set(0, 0);
	set(getpid(), getpid());
	set(getpid(), 0);
	set(0, getpid());
	show("leader");
}

static void session(void)
{
	pid_t pid;

	say("setsid %s", rc(SC(SYS_setsid)));
	show("session");
	set(0, 0);
	set(0, 1);
	say("setsid %s", rc(SC(SYS_setsid)));
	pid = sleeper();
	say("child's group %s session %s", rc(SC(SYS_getpgid, pid)), rc(SC(SYS_getsid, pid)));
	set(pid, 0);
	say("child's group %s session %s", rc(SC(SYS_getpgid, pid)), rc(SC(SYS_getsid, pid)));
	set(pid, getpid());
	say("child's group %s", rc(SC(SYS_getpgid, pid)));
	end(pid);
	say("after the end: getpgid %s getsid %s", rc(SC(SYS_getpgid, pid)), rc(SC(SYS_getsid, pid)));
}

/* What a parent may and may not do to a child's group. */
static void family(void)
{
	struct gate ready = gate_new(), go = gate_new();
	pid_t a = sleeper(), b = sleeper(), grand = 0, other;
	int fd[2];

	if (pipe(fd))
		die("pipe");
	set(a, a);
	set(b, a);
	say("groups %s %s", rc(SC(SYS_getpgid, a)), rc(SC(SYS_getpgid, b)));
	set(b, 0);
	say("groups %s %s", rc(SC(SYS_getpgid, a)), rc(SC(SYS_getpgid, b)));
	set(b, 12345);
	set(b, -5);
	set(b, INT_MIN);
	set(-1, 0);
	set(INT_MIN, 0);
	set(4194304, 0);
	set(12345, 0);
	set(12345, -1);
	set(0, -1);
	set(0, a);
	set(0, 12345);
	set(a, b);
	other = fork_or_die();
	if (!other) {
		pid_t g = fork_or_die();

		if (!g)
			for (;;)
				pause();
		setsid();
		if (write(fd[1], &g, sizeof(g)) != sizeof(g))
			_exit(1);
		gate_open(ready);
		gate_pass(go);
		end(g);
		_exit(0);
	}
	gate_pass(ready);
	if (read(fd[0], &grand, sizeof(grand)) != sizeof(grand))
		die("pipe");
	say("grandchild %d", grand);
	set(grand, 0);
	set(grand, grand);
	set(other, 0);
	set(other, a);
	set(1, 1);
	gate_open(go);
	say("other %s", reap(other));
	/* A zombie keeps its group, and its number names it. */
	kill(a, SIGKILL);
	await_zombie(a);
	say("zombie's group %s session %s", rc(SC(SYS_getpgid, a)), rc(SC(SYS_getsid, a)));
	set(a, 0);
	set(b, a);
	end(a);
	set(b, a);
	say("group of b %s", rc(SC(SYS_getpgid, b)));
	end(b);
}

/* The number of a dead leader stays the name of its group while it has members. */
static void dead_leader(void)
{
	pid_t a = fork_or_die(), b;

	if (!a) {
		setpgid(0, 0);
		_exit(4);
	}
	setpgid(a, a);
	b = fork_or_die();
	if (!b) {
		if (setpgid(0, a))
			say("join %s", err(errno));
		for (;;)
			pause();
	}
	setpgid(b, a);
	await_zombie(a);
	say("leader %s", reap(a));
	say("group of b %s", rc(SC(SYS_getpgid, b)));
	say("kill leader %s", rc(SC(SYS_kill, a, 0)));
	say("getpgid leader %s", rc(SC(SYS_getpgid, a)));
	say("kill group %s", rc(SC(SYS_kill, -a, 0)));
	say("wait group nohang %s", rc(SC(SYS_wait4, -a, NULL, WNOHANG, NULL)));
	set(b, a);
	say("kill group %s", rc(SC(SYS_kill, -a, SIGTERM)));
	say("member %s", reap(b));
	say("kill group %s", rc(SC(SYS_kill, -a, 0)));
	say("wait group %s", rc(SC(SYS_wait4, -a, NULL, 0, NULL)));
}

static const char *self;

/* setpgid of a child that has called exec is refused. */
static void after_exec(void)
{
	struct gate ready = gate_new(), stay = gate_new();
	pid_t pid = fork_or_die();
	char r[12], w[12];

	if (!pid) {
		snprintf(r, sizeof(r), "%d", ready.w);
		snprintf(w, sizeof(w), "%d", stay.r);
		execl(self, self, "execed", r, w, (char *)NULL);
		_exit(127);
	}
	gate_pass(ready);
	set(pid, 0);
	set(pid, pid);
	set(pid, 12345);
	gate_open(stay);
	say("execed %s", reap(pid));
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 3) {
		gate_open((struct gate){-1, atoi(argv[2])});
		gate_pass((struct gate){atoi(argv[3]), -1});
		show("execed");
		return 0;
	}
	show("init");
	if (!strcmp(argv[1], "group")) {
		in_child("leader", leader);
		in_child("session", session);
		set(0, 99);
		set(0, 2);
		set(0, 0);
		set(1, 1);
		say("setsid %s", rc(SC(SYS_setsid)));
	} else if (!strcmp(argv[1], "session")) {
		say("setsid %s", rc(SC(SYS_setsid)));
		set(0, 0);
		say("setsid %s", rc(SC(SYS_setsid)));
	}
	show("init");
	in_child("leader", leader);
	in_child("session", session);
	in_child("family", family);
	in_child("dead leader", dead_leader);
	after_exec();
	show("init");
	return 0;
}
