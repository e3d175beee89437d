/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Priorities of all of a user's tasks: of those in the namespace and no others. How results of several tasks are put
 * together, users without tasks, and that threads count.
 */
#include "probe.h"

#define WHO_PROCESS 1
#define WHO_PGRP 2
#define WHO_USER 3
#define IO(class, level) ((class) << 13 | (level))
#define JUNK 0xdeadbeef00000000ul

static long me;

static void show(const char *what)
{
	say("%s: user %s %s %s, io %s %s, me %s", what, rc(SC(SYS_getpriority, PRIO_USER, 0)),
	    rc(SC(SYS_getpriority, PRIO_USER | JUNK, me | JUNK)),
	    rc(SC(SYS_getpriority, PRIO_USER, JUNK)), rc(SC(SYS_ioprio_get, WHO_USER, 0)),
	    rc(SC(SYS_ioprio_get, WHO_USER | JUNK, me | JUNK)),
	    rc(SC(SYS_getpriority, PRIO_PROCESS, 0)));
}

static struct gate up, down;

static void *thread(void *arg)
{
	SC(SYS_setpriority, PRIO_PROCESS, 0, 9);
	gate_open(up);
	gate_pass(down);
	say("thread is at %s", rc(SC(SYS_getpriority, PRIO_PROCESS, 0)));
	gate_open(up);
	gate_pass(down);
	return NULL;
}

static void users(void)
{
	static const int others[] = {-1, 4242, INT_MAX, INT_MIN, 65534};
	pthread_t t;
	pid_t a, b;

	show("alone");
	a = sleeper();
	b = sleeper();
	say("b to 5 %s", rc(SC(SYS_setpriority, PRIO_PROCESS, b, 5)));
	show("b at 5");
	say("a io %s, b io %s", rc(SC(SYS_ioprio_set, WHO_PROCESS, a, IO(2, 7))),
	    rc(SC(SYS_ioprio_set, WHO_PROCESS, b, IO(2, 1))));
	show("io of b at 1");
	say("all to 3 %s", rc(SC(SYS_setpriority, PRIO_USER, 0, 3)));
	say("a %s b %s", rc(SC(SYS_getpriority, PRIO_PROCESS, a)),
	    rc(SC(SYS_getpriority, PRIO_PROCESS, b)));
	show("b was at 5");
	say("all to 7 %s", rc(SC(SYS_setpriority, PRIO_USER, me | JUNK, 7)));
	say("a %s b %s", rc(SC(SYS_getpriority, PRIO_PROCESS, a)),
	    rc(SC(SYS_getpriority, PRIO_PROCESS, b)));
	say("all to 0 %s, to -5 %s, to 100 %s", rc(SC(SYS_setpriority, PRIO_USER, 0, 0)),
	    rc(SC(SYS_setpriority, PRIO_USER, 0, -5)), rc(SC(SYS_setpriority, PRIO_USER, me, 8)));
	pthread_create(&t, NULL, thread, NULL);
	gate_pass(up);
	show("a thread at 9");
	say("all to 10 %s", rc(SC(SYS_setpriority, PRIO_USER, me, 10)));
	gate_open(down);
	gate_pass(up);
	say("all io %s %s %s", rc(SC(SYS_ioprio_set, WHO_USER, me, IO(2, 6))),
	    rc(SC(SYS_ioprio_set, WHO_USER, 0, IO(2, 6))),
	    rc(SC(SYS_ioprio_set, WHO_USER, me, IO(1, 0))));
	say("bad io %s %s, a %s b %s", rc(SC(SYS_ioprio_set, WHO_USER, me, IO(9, 0))),
	    rc(SC(SYS_ioprio_set, WHO_USER, 4242, IO(9, 0))),
	    rc(SC(SYS_ioprio_get, WHO_PROCESS, a)), rc(SC(SYS_ioprio_get, WHO_PROCESS, b)));
	show("io set");
	say("idle io %s", rc(SC(SYS_ioprio_set, WHO_PROCESS, a, IO(3, 0))));
	show("one idle");
	say("reset %s", rc(SC(SYS_ioprio_set, WHO_USER, me, 0)));
	show("io reset");
	gate_open(down);
	pthread_join(t, NULL);
	for (size_t i = 0; i < COUNT(others); i++)
		say("user %d: get %s set %s, io get %s set %s", others[i],
		    rc(SC(SYS_getpriority, PRIO_USER, others[i])),
		    rc(SC(SYS_setpriority, PRIO_USER, others[i], 12)),
		    rc(SC(SYS_ioprio_get, WHO_USER, others[i])),
		    rc(SC(SYS_ioprio_set, WHO_USER, others[i], IO(2, 5))));
	say("which: %s %s %s %s %s %s", rc(SC(SYS_getpriority, 3, 0)), rc(SC(SYS_getpriority, -1, 0)),
	    rc(SC(SYS_setpriority, 3, 0, 0)), rc(SC(SYS_ioprio_get, 0, 0)),
	    rc(SC(SYS_ioprio_get, 4, 0)), rc(SC(SYS_ioprio_set, 4, 0, 0)));
	say("group: %s %s, of b %s %s, io %s", rc(SC(SYS_setpgid, b, b)),
	    rc(SC(SYS_getpriority, PRIO_PGRP, b)), rc(SC(SYS_setpriority, PRIO_PGRP, b, 13)),
	    rc(SC(SYS_getpriority, PRIO_PROCESS, b)), rc(SC(SYS_ioprio_get, WHO_PGRP, b)));
	kill(b, SIGKILL);
	await_zombie(b);
	show("with a zombie");
	end(b);
	show("without");
	end(a);
}

/* No descriptor is free. */
static void full(void)
{
	int n = 0;

	while (dup(0) >= 0)
		n++;
	say("full %s %s", err(errno), n > 0 ? "" : "at once");
	say("user %s, set %s, io %s", rc(SC(SYS_getpriority, PRIO_USER, 0)),
	    rc(SC(SYS_setpriority, PRIO_USER, 0, 15)), rc(SC(SYS_ioprio_get, WHO_USER, 0)));
	say("now %s", rc(SC(SYS_getpriority, PRIO_PROCESS, 0)));
}

int main(void)
{
	me = getuid();
	up = gate_new();
	down = gate_new();
	in_child("users", users);
	in_child("full", full);
	users();
	return 0;
}
