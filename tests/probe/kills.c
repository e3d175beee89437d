/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom kill, tkill and tgkill reach and what they refuse: invisible, dead, negative and special
 * numbers, own and other groups, everybody. Who lives is asked over pipes: a process that a signal
 * was meant for would have received it before it answers.
 */
#include "probe.h"

#define MEMBERS 8

struct member {
	pid_t pid;
	struct gate ask, answer;
};

static struct member members[MEMBERS];
static int made;

static pid_t member(int group)
{
	struct member *m = &members[made++];

	m->ask = gate_new();
	m->answer = gate_new();
	m->pid = fork_or_die();
	if (!m->pid) {
		for (;;) {
			gate_pass(m->ask);
			gate_open(m->answer);
		}
	}
	if (group >= 0 && setpgid(m->pid, group))
		die("setpgid: %s", err(errno));
	return m->pid;
}

/* Who is left, and what the others died of; they are taken out. */
static void roll(const char *name)
{
	char line[256];
	size_t at = 0;

	line[0] = 0;
	for (int i = 0; i < made; i++) {
		struct member *m = &members[i];
		struct pollfd pf = {.fd = m->answer.r, .events = POLLIN};
		int st = 0;
		long r = 0;

		if (!m->pid)
			continue;
		gate_open(m->ask);
		/* Either it answers or it ends: one of the two always comes. */
		while (!poll(&pf, 1, 10)) {
			r = SC(SYS_wait4, m->pid, &st, WNOHANG, NULL);
			if (r)
				break;
		}
		if (!r) {
			gate_pass(m->answer);
			at += (size_t)snprintf(line + at, sizeof(line) - at, " %d", m->pid);
			continue;
		}
		at += (size_t)snprintf(line + at, sizeof(line) - at, " %d:%s", m->pid, status_text(st));
		m->pid = 0;
	}
	say("%s: left%s", name, line);
}

static void clear(void)
{
	for (int i = 0; i < made; i++) {
		if (members[i].pid)
			end(members[i].pid);
		close(members[i].ask.r);
		close(members[i].ask.w);
		close(members[i].answer.r);
		close(members[i].answer.w);
	}
	made = 0;
}

static void refused(void)
{
	static const int pids[] = {2,	    999,     32768,	  4194303, 4194304,
				   INT_MAX, INT_MIN, INT_MIN + 1, -999,	   -2};
	static const int sigs[] = {0, SIGTERM, -1, 65, 64, INT_MAX};
	int me = getpid(), dead;

	dead = sleeper();
	end(dead);
	for (size_t i = 0; i < COUNT(pids); i++) {
		/* 2 is an example of a dead number only where nothing lives under it. */
		int pid = pids[i] == 2 ? dead : pids[i];

		for (size_t k = 0; k < COUNT(sigs); k++)
			say("kill(%d, %d) %s, tkill %s, tgkill %s, own tgkill %s", pid, sigs[k],
			    rc(SC(SYS_kill, pid, sigs[k])), rc(SC(SYS_tkill, pid, sigs[k])),
			    rc(SC(SYS_tgkill, pid, pid, sigs[k])),
			    rc(SC(SYS_tgkill, me, pid, sigs[k])));
	}
	say("tkill 0 %s, -1 %s", rc(SC(SYS_tkill, 0, 0)), rc(SC(SYS_tkill, -1, 0)));
	say("tgkill 0 %s %s %s", rc(SC(SYS_tgkill, 0, me, 0)), rc(SC(SYS_tgkill, me, 0, 0)),
	    rc(SC(SYS_tgkill, -1, me, 0)));
	say("tgkill wrong group %s %s", rc(SC(SYS_tgkill, 999, me, 0)), rc(SC(SYS_tgkill, me, 999, 0)));
	say("self 0 %s %s %s", rc(SC(SYS_kill, me, 0)), rc(SC(SYS_tkill, me, 0)),
	    rc(SC(SYS_tgkill, me, me, 0)));
	say("self 65 %s %s %s", rc(SC(SYS_kill, me, 65)), rc(SC(SYS_tkill, me, 65)),
	    rc(SC(SYS_tgkill, me, me, 65)));
	say("init 0 %s %s %s", rc(SC(SYS_kill, 1, 0)), rc(SC(SYS_tkill, 1, 0)),
	    rc(SC(SYS_tgkill, 1, 1, 0)));
	say("group 1 %s", rc(SC(SYS_kill, -1 - 998, 0)));
}

static void zombie(void)
{
	pid_t pid = fork_or_die();

	if (!pid)
		_exit(0);
	await_zombie(pid);
	say("zombie kill %s %s tkill %s tgkill %s getpgid %s", rc(SC(SYS_kill, pid, 0)),
	    rc(SC(SYS_kill, pid, SIGKILL)), rc(SC(SYS_tkill, pid, SIGTERM)),
	    rc(SC(SYS_tgkill, pid, pid, SIGTERM)), rc(SC(SYS_getpgid, pid)));
	setpgid(pid, pid);
	say("zombie's group %s", rc(SC(SYS_kill, -pid, 0)));
	say("%s", reap(pid));
	say("reaped kill %s tkill %s tgkill %s", rc(SC(SYS_kill, pid, 0)),
	    rc(SC(SYS_tkill, pid, 0)), rc(SC(SYS_tgkill, pid, pid, 0)));
}

static void scopes(void)
{
	pid_t a, b, c;

	a = member(0);
	b = member(a);
	c = member(0);
	member(c);
	member(-1);
	roll("start");
	say("kill(-%d, 0) %s", a, rc(SC(SYS_kill, -a, 0)));
	say("kill(-%d, 0) %s", b, rc(SC(SYS_kill, -b, 0)));
	say("kill(-%d, 65) %s", a, rc(SC(SYS_kill, -a, 65)));
	say("kill(-%d, TERM) %s", a, rc(SC(SYS_kill, -a, SIGTERM)));
	roll("first group");
	say("kill(-%d, TERM) %s", a, rc(SC(SYS_kill, -a, SIGTERM)));
	say("kill(%d, USR1) %s", c, rc(SC(SYS_kill, c, SIGUSR1)));
	roll("one");
	say("kill(-%d, 0) %s", c, rc(SC(SYS_kill, -c, 0)));
	say("kill(-%d, KILL) %s", c, rc(SC(SYS_kill, -c, SIGKILL)));
	roll("rest of its group");
	clear();
}

/* kill(0): the caller's own group, which here was made inside. */
static void own_group(void)
{
	pid_t pid, b;

	b = member(0);
	member(b);
	pid = fork_or_die();
	if (!pid) {
		say("join %s", rc(SC(SYS_setpgid, 0, b)));
		signal(SIGTERM, SIG_IGN);
		say("kill(0, 0) %s", rc(SC(SYS_kill, 0, 0)));
		say("kill(0, TERM) %s", rc(SC(SYS_kill, 0, SIGTERM)));
		_exit(3);
	}
	say("%s", reap(pid));
	roll("own group");
	member(-1);
	roll("others");
	clear();
}

/* kill(-1) spares the caller and process 1. */
static void everybody(void)
{
	pid_t pid;

	member(-1);
	member(0);
	say("kill(-1, 0) %s", rc(SC(SYS_kill, -1, 0)));
	say("kill(-1, 65) %s", rc(SC(SYS_kill, -1, 65)));
	roll("before");
	if (getpid() == 1) {
		say("kill(-1, TERM) %s", rc(SC(SYS_kill, -1, SIGTERM)));
		roll("by init");
		clear();
		say("kill(-1, 0) alone %s", rc(SC(SYS_kill, -1, 0)));
		say("kill(-1, KILL) alone %s", rc(SC(SYS_kill, -1, SIGKILL)));
		member(-1);
		member(0);
	}
	pid = fork_or_die();
	if (!pid) {
		say("child's kill(-1, KILL) %s", rc(SC(SYS_kill, -1, SIGKILL)));
		_exit(4);
	}
	say("%s", reap(pid));
	roll("by a child");
	clear();
}

/* A thread's kill(-1) spares its whole process. */
static void *kills_all(void *p)
{
	say("thread's kill(-1, KILL) %s", rc(SC(SYS_kill, -1, SIGKILL)));
	return NULL;
}

static void by_thread(void)
{
	pid_t pid;

	member(-1);
	pid = fork_or_die();
	if (!pid) {
		pthread_t t;

		pthread_create(&t, NULL, kills_all, NULL);
		pthread_join(t, NULL);
		_exit(5);
	}
	say("%s", reap(pid));
	roll("by a thread");
	clear();
}

/* A child that a fork makes while its group is killed does not escape. */
static void no_escape(void)
{
	int failed = 0;

	for (int round = 0; round < 15; round++) {
		struct gate g = gate_new(), alive = gate_new();
		pid_t pid = fork_or_die();
		struct pollfd pf;
		char c;

		if (!pid) {
			setpgid(0, 0);
			gate_open(g);
			for (int depth = 0; depth < 400; depth++) {
				pid_t next = fork();

				if (next > 0)
					_exit(0);
			}
			for (;;)
				pause();
		}
		gate_pass(g);
		for (int i = 0; i < round * 20; i++)
			sched_yield();
		close(alive.w);
		SC(SYS_kill, -pid, SIGKILL);
		/* Every descendant holds the write end: its end of file is the proof. */
		pf = (struct pollfd){.fd = alive.r, .events = POLLIN};
		if (poll(&pf, 1, 3000) != 1 || read(alive.r, &c, 1) != 0) {
			failed++;
			SC(SYS_kill, -1, SIGKILL);
		}
		while (SC(SYS_wait4, -1, NULL, 0, NULL) > 0)
			;
		close(alive.r);
		close(g.r);
		close(g.w);
	}
	say("escaped from a group's SIGKILL: %d", failed);
}

int main(void)
{
	refused();
	zombie();
	scopes();
	own_group();
	everybody();
	by_thread();
	in_child("refused", refused);
	in_child("zombie", zombie);
	in_child("scopes", scopes);
	in_child("own group", own_group);
	no_escape();
	return 0;
}
