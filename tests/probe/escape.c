/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals to many while they multiply: members that fork all the time, within a group, in groups of
 * their own or in sessions, are hit by one kill(0), kill(-group) or kill(-1), and nobody is left.
 */
#include "probe.h"

#define ROUNDS 12
#define DEPTH 400 /* generations: it ends by itself should a signal miss */

/* A chain: each generation forks the next one and goes away, every eighth stays. */
static void multiply(int generations, int own)
{
	while (generations--) {
		pid_t p = fork();

		if (p > 0) {
			if (own == 1)
				setpgid(p, p);
			if (generations % 8)
				_exit(0);
			break;
		}
		if (own == 2 && !p)
			SC(SYS_setsid);
	}
	for (;;)
		pause();
}

/* How many there are that kill(-1) would reach. */
static int others(void)
{
	return SC(SYS_kill, -1, 0) == -ESRCH ? 0 : 1;
}

static void reap_all(void)
{
	while (SC(SYS_wait4, -1, NULL, __WALL, NULL) > 0)
		;
}

static void bunch(int n, int own, pid_t group)
{
	for (int i = 0; i < n; i++) {
		pid_t p = fork_or_die();

		if (!p) {
			if (group >= 0)
				SC(SYS_setpgid, 0, group);
			multiply(DEPTH, own);
		}
		/* Both sides: whoever comes first, nobody forks outside of the group. */
		if (group >= 0)
			SC(SYS_setpgid, p, group);
	}
}

static void everybody(int own)
{
	int left = 0;

	for (int i = 0; i < ROUNDS; i++) {
		bunch(4, own, -1);
		usleep(2000 + 700u * (unsigned int)i);
		if (SC(SYS_kill, -1, SIGKILL))
			say("kill failed");
		reap_all();
		left += others();
	}
	say("kill(-1), kind %d: left %d", own, left);
}

static void group(void)
{
	int left = 0;

	for (int i = 0; i < ROUNDS; i++) {
		pid_t leader = sleeper();

		SC(SYS_setpgid, leader, leader);
		bunch(3, 0, leader);
		usleep(2000 + 700u * (unsigned int)i);
		if (SC(SYS_kill, -leader, SIGKILL))
			say("kill failed");
		reap_all();
		left += others() + (SC(SYS_kill, -leader, 0) != -ESRCH);
	}
	say("kill(-group): left %d", left);
}

static void own_group(void)
{
	int left = 0;

	for (int i = 0; i < ROUNDS; i++) {
		pid_t p = fork_or_die();

		if (!p) {
			SC(SYS_setpgid, 0, 0);
			bunch(3, 0, -1);
			usleep(2000 + 700u * (unsigned int)i);
			SC(SYS_kill, 0, SIGKILL);
			_exit(99);
		}
		say("round %d: %s", i, status_text(({
			    int st = 0;
			    SC(SYS_wait4, p, &st, 0, NULL);
			    st;
		    })));
		reap_all();
		left += others();
	}
	say("kill(0): left %d", left);
}

int main(void)
{
	everybody(0);
	everybody(1);
	everybody(2);
	group();
	own_group();
	return 0;
}
