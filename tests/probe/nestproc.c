/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oracle: root
 *
 * A namespace inside, as the one around it sees it in its /proc: listing, names, texts, a column for each level.
 */
#include "nest.h"
#include <dirent.h>

static struct gate up, down, first;

static int leaf(void *arg)
{
	gate_open(up);
	gate_pass(down);
	return 5;
}

/* Number 1 of the second one: with a child, and a namespace of its own if arg is set. */
static int init(void *arg)
{
	pid_t child = fork_or_die();

	if (!child) {
		setsid();
		if (arg)
			gate_open(first);
		_exit(leaf(NULL));
	}
	if (arg) {
		gate_pass(first);
		nest(0, leaf, NULL);
	}
	while (wait(NULL) > 0)
		;
	return 7;
}

static void lines(const char *who, pid_t n, const char *status)
{
	static const char *const keys[] = {"NStgid", "NSpid", "NSpgid", "NSsid"};

	for (size_t i = 0; i < COUNT(keys); i++) {
		const char *list = field(status, keys[i]);
		char rest[160] = "";
		int many = columns(list);

		for (int c = 1; c < many; c++)
			snprintf(rest + strlen(rest), sizeof(rest) - strlen(rest), " %ld",
				 nth(list, c));
		say("%s %s: %d columns, first %s, then%s", who, keys[i], many,
		    nth(list, 0) == n ? "its own"
		    : nth(list, 0)    ? "another"
				      : "0",
		    rest);
	}
	say("%s Tgid %s Pid %s TracerPid %s", who, atol(field(status, "Tgid")) == n ? "right" : "wrong",
	    atol(field(status, "Pid")) == n ? "right" : "wrong", field(status, "TracerPid"));
}

static int is_listed(pid_t n)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int found = 0;

	while ((e = readdir(d)))
		found += atoi(e->d_name) == n;
	closedir(d);
	return found;
}

/* What stat says, by relation. */
static void stats(const char *who, pid_t n, pid_t parent)
{
	int pid, ppid, pgrp, session;
	char name[64], state;

	if (sscanf(slurpf("/proc/%d/stat", n), "%d (%60[^)]) %c %d %d %d", &pid, name, &state,
		   &ppid, &pgrp, &session) != 6) {
		say("%s stat: odd", who);
		return;
	}
	say("%s stat: pid %s parent %s group %s session %s", who, pid == n ? "right" : "wrong",
	    ppid == parent ? "right" : "wrong",
	    pgrp == n ? "own"
	    : pgrp    ? "another"
		      : "0",
	    session == n ? "own"
	    : session	 ? "another"
			 : "0");
}

static void look(const char *who, pid_t n, pid_t parent)
{
	const char *status = slurpf("/proc/%d/status", n);
	char path[64], link[64];
	ssize_t len;

	say("%s listed %d, kill 0 %s", who, is_listed(n), rc(SC(SYS_kill, n, 0)));
	lines(who, n, status);
	say("%s PPid %s", who, atol(field(status, "PPid")) == parent ? "right" : "wrong");
	stats(who, n, parent);
	say("%s getpgid %s getsid %s", who, SC(SYS_getpgid, n) == n ? "own" : "another",
	    SC(SYS_getsid, n) == n ? "own" : "another");
	say("%s task listing is it %d", who, atoi(slurpf("/proc/%d/task/%d/comm", n, n)) == 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", n);
	len = readlink(path, link, sizeof(link) - 1);
	link[len > 0 ? len : 0] = 0;
	say("%s namespace: ours %d, link agrees %d", who, inode(path) == inode("/proc/self/ns/pid"),
	    strtoull(link + 5, NULL, 10) == inode(path));
}

static void one(void)
{
	pid_t n, child;

	say("before: children '%s'", slurp("/proc/thread-self/children"));
	n = nest(0, init, NULL);
	gate_pass(up);
	say("number %d, children '%s'", n, slurp("/proc/thread-self/children"));
	look("init", n, 1);
	child = first_child(n);
	look("child", child, n);
	say("same namespace %d", inodef("/proc/%d/ns/pid", n) == inodef("/proc/%d/ns/pid", child));
	gate_open(down);
	say("%s", reap(n));
	say("listed %d %d, kill %s %s", is_listed(n), is_listed(child), rc(SC(SYS_kill, n, 0)),
	    rc(SC(SYS_kill, child, 0)));
}

static void two(void)
{
	pid_t n = nest(0, init, &up), a, b;
	const char *list;
	char *more;

	gate_pass(up);
	gate_pass(up);
	list = slurpf("/proc/%d/task/%d/children", n, n);
	a = (pid_t)strtol(list, &more, 10);
	b = (pid_t)strtol(more, NULL, 10);
	look("deep init", b, n);
	say("three namespaces %d",
	    inodef("/proc/%d/ns/pid", n) != inodef("/proc/%d/ns/pid", b) &&
		    inodef("/proc/%d/ns/pid", a) == inodef("/proc/%d/ns/pid", n));
	gate_open(down);
	gate_open(down);
	say("%s", strchr(reap(n), ':'));
	say("gone %s %s", rc(SC(SYS_kill, a, 0)), rc(SC(SYS_kill, b, 0)));
}

int main(void)
{
	up = gate_new();
	up = gate_new();
	down = gate_new();
	first = gate_new();
	one();
	two();
	return 0;
}
