/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Priorities by user where there are several users: it is the real one that counts, rights come from the effective one,
 * and the result tells of the last task that refused.
 *
 * privileged: yes
 */
#include "probe.h"

#define A 12001
#define B 12002
#define C 12003
#define IO(class, level) ((class) << 13 | (level))

static struct gate up, down;

/* A task of real user r, effective e and saved s, at this niceness. */
static pid_t task(int r, int e, int s, int nice_to)
{
	pid_t pid = fork_or_die();

	if (!pid) {
		SC(SYS_setpriority, PRIO_PROCESS, 0, nice_to);
		if (SC(SYS_setresuid, r, e, s))
			die("setresuid");
		gate_open(up);
		for (;;)
			pause();
	}
	gate_pass(up);
	return pid;
}

static void look(const char *who)
{
	static const int users[] = {0, A, B, C, 12004};

	for (size_t i = 0; i < COUNT(users); i++) {
		say("%s: user %d: nice %s io %s", who, users[i],
		    rc(SC(SYS_getpriority, PRIO_USER, users[i])), rc(SC(SYS_ioprio_get, 3, users[i])));
	}
}

static void change(const char *who)
{
	static const int users[] = {A, B, C, 0, 12004};

	for (size_t i = 0; i < COUNT(users); i++) {
		say("%s: user %d to 9: %s", who, users[i],
		    rc(SC(SYS_setpriority, PRIO_USER, users[i], 9)));
		say("%s: user %d to 2: %s", who, users[i],
		    rc(SC(SYS_setpriority, PRIO_USER, users[i], 2)));
		say("%s: user %d io: %s", who, users[i], rc(SC(SYS_ioprio_set, 3, users[i], IO(2, 3))));
	}
}

static void as(const char *who, int r, int e)
{
	pid_t pid = fork_or_die();

	if (!pid) {
		if (SC(SYS_setresuid, r, e, e))
			die("setresuid");
		look(who);
		change(who);
		look(who);
		_exit(0);
	}
	say("%s: %s", who, reap(pid));
}

int main(void)
{
	pid_t tasks[6];

	up = gate_new();
	down = gate_new();
	tasks[0] = task(A, A, A, 1);
	tasks[1] = task(A, B, B, 3);
	tasks[2] = task(B, B, B, 5);
	tasks[3] = task(B, A, A, 7);
	tasks[4] = task(C, C, C, -5);
	tasks[5] = task(0, A, 0, -9);
	look("root");
	as("A", A, A);
	as("real A effective B", A, B);
	as("real B effective A", B, A);
	as("C", C, C);
	as("real A effective 0", A, 0);
	change("root");
	look("root");
	say("root io real-time %s, idle %s", rc(SC(SYS_ioprio_set, 3, A, IO(1, 2))),
	    rc(SC(SYS_ioprio_set, 3, B, IO(3, 0))));
	look("root");
	for (size_t i = 0; i < COUNT(tasks); i++)
		say("task %zu at %s, io %s", i, rc(SC(SYS_getpriority, PRIO_PROCESS, tasks[i])),
		    rc(SC(SYS_ioprio_get, 1, tasks[i])));
	for (size_t i = 0; i < COUNT(tasks); i++)
		end(tasks[i]);
	look("root");
	return 0;
}
