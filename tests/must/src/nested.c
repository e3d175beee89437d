/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of namespaces made by clone(CLONE_NEWPID).
 *
 *   nested chain N        N below each other; the last one's status comes up through all
 *   nested wide N CMD     N beside each other, then CMD, then they are killed
 *   nested tree SEED N    a random tree: N steps of creating, killing, waiting, ending
 *   nested full           until there is no room, and again after one has gone
 *   nested scribble SEED  members of a namespace write garbage into its segment, while it is looked at from above
 *   nested join N         N times: processes join a namespace below, which is then ended
 *   nested two            processes `sleep 6000` here, `sleep 6001` in a namespace, `sleep 6002` in one below that;
 *                         prints how the first namespace ended, then sleeps
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/map.h"
#include "core/layout.h"

static pid_t nest(void)
{
	return (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
}

static void die(const char *what)
{
	fprintf(stderr, "%d: %s: %s\n", getpid(), what, strerror(errno));
	_exit(99);
}

static int chain(int left)
{
	int status;
	pid_t p;

	if (!left)
		return 7;
	p = nest();
	if (p < 0)
		die("clone");
	if (!p) {
		if (getpid() != 1 || getppid() != 0)
			die("not number 1");
		_exit(chain(left - 1));
	}
	if (waitpid(p, &status, 0) != p)
		die("wait");
	if (!WIFEXITED(status))
		die("status");
	return WEXITSTATUS(status);
}

static void ends_by(pid_t p, int sig)
{
	int status;

	if (waitpid(p, &status, 0) != p || !WIFSIGNALED(status) || WTERMSIG(status) != sig)
		die("end");
}

static int wide(int n, const char *command)
{
	pid_t *p = calloc((size_t)n, sizeof(*p));
	int status = 0;

	for (int i = 0; i < n; i++) {
		p[i] = nest();
		if (p[i] < 0)
			die("clone");
		while (!p[i])
			pause();
	}
	if (command)
		status = system(command);
	for (int i = 0; i < n; i++)
		kill(p[i], SIGKILL);
	for (int i = 0; i < n; i++)
		ends_by(p[i], SIGKILL);
	return status ? 1 : 0;
}

static unsigned int seed;

static unsigned int rnd(unsigned int below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % below;
}

#define CHILDREN 8
struct child {
	pid_t pid;
	int code; /* that it ends with by itself, -1: it is to be killed */
};

static int tree(unsigned int steps, int depth);

static void grow(struct child *c, unsigned int steps, int depth)
{
	unsigned int its = rnd(100000);

	c->code = rnd(2) ? (int)rnd(100) : -1;
	c->pid = rnd(3) ? nest() : fork();
	if (c->pid < 0)
		die("create");
	if (c->pid)
		return;
	seed = its;
	if (rnd(2))
		setsid();
	if (depth < 6 && tree(steps / 3, depth + 1))
		_exit(99);
	if (rnd(2) && fork() == 0)
		for (;;)
			pause();
	while (c->code < 0)
		pause();
	_exit(c->code);
}

static void harvest(struct child *c)
{
	int status;

	if (c->code < 0)
		kill(c->pid, SIGKILL);
	if (waitpid(c->pid, &status, 0) != c->pid)
		die("wait");
	if (c->code < 0 ? !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL
			: !WIFEXITED(status) || WEXITSTATUS(status) != c->code) {
		fprintf(stderr, "%d: %x instead of %d\n", getpid(), (unsigned int)status, c->code);
		_exit(99);
	}
	c->pid = 0;
}

static int tree(unsigned int steps, int depth)
{
	struct child child[CHILDREN] = {{0, 0}};

	while (steps--) {
		struct child *c = &child[rnd(CHILDREN)];

		if (c->pid)
			harvest(c);
		else
			grow(c, steps, depth);
	}
	/* What is left is ended with number 1, or is number 1's orphan. */
	for (int i = 0; i < CHILDREN; i++)
		if (child[i].pid && (rnd(2) || !depth))
			harvest(&child[i]);
	return 0;
}

static int full(void)
{
	pid_t first = 0, p;
	int n = 0;

	while ((p = nest()) > 0) {
		first = first ? first : p;
		if (++n > 5000)
			return 2;
	}
	if (p < 0 && errno != ENOSPC)
		die("full");
	while (!p)
		pause();
	printf("%d\n", n);
	for (int i = 0; i < 20; i++) {
		kill(first, SIGKILL);
		ends_by(first, SIGKILL);
		/* It is forgotten a moment after it was waited for. */
		for (int k = 0; (first = nest()) < 0 && errno == ENOSPC && k < 2000; k++)
			usleep(5000);
		while (!first)
			pause();
		if (first < 0)
			die("after one has gone");
	}
	return n > 0 ? 0 : 3;
}

/* Garbage where it hurts: header, first entries, index; some of it host pids and states. */
static void scribble(void)
{
	_Atomic unsigned int *seg = (_Atomic unsigned int *)SP_SEGMENT_ADDR;

	for (int i = 0; i < 200000; i++) {
		unsigned int at = rnd(3) ? rnd(1024) : rnd(SP_SEGMENT_SIZE / 4);

		/* The first entries as well, and not magic, version and size: it is to be believed. */
		if (rnd(4) == 0)
			at = SP_ENTRIES_OFF / 4 + rnd(12 * 64);
		if (at < 4)
			continue;
		seg[at] = rnd(2) ? rnd(65536) << 16 | rnd(65536) : rnd(70) << rnd(20);
	}
	for (;;)
		pause();
}

static int hostile(void)
{
	pid_t p, q;

	for (int i = 0; i < 3; i++) {
		p = nest();
		if (p < 0)
			die("clone");
		if (!p) {
			q = nest();
			seed += (unsigned int)i + (q ? 1000 : 0);
			scribble();
		}
		for (int k = 0; k < 5; k++)
			if (system("ls /proc >/dev/null; ps -ef >/dev/null; kill -0 -1"))
				return 1;
		kill(p, SIGKILL);
		ends_by(p, SIGKILL);
	}
	return chain(3) == 7 ? 0 : 2;
}

/* Joiners are the creator's children and members of the namespace: they end with it. */
static int join(int n)
{
	int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

	while (n--) {
		pid_t p = nest(), joined[3];
		char name[64];
		int fd;

		while (!p)
			pause();
		snprintf(name, sizeof(name), "/proc/%d/ns/pid", p);
		fd = open(name, O_RDONLY | O_CLOEXEC);
		if (p < 0 || fd < 0 || setns(fd, CLONE_NEWPID))
			die("setns");
		for (int i = 0; i < 3; i++) {
			joined[i] = fork();
			if (joined[i])
				continue;
			if (getpid() == 1 || getppid() != 0)
				die("joined");
			if (fork() == 0)
				setsid();
			for (;;)
				pause();
		}
		if (system("test $$ -gt 4"))
			die("system");
		if (setns(own, CLONE_NEWPID))
			die("setns back");
		close(fd);
		kill(p, SIGKILL);
		for (int i = 0; i < 3; i++)
			ends_by(joined[i], SIGKILL);
		ends_by(p, SIGKILL);
	}
	return chain(2) == 7 ? 0 : 1;
}

static void sleepers(const char *time)
{
	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			setsid();
			execlp("sleep", "sleep", time, (char *)NULL);
			_exit(99);
		}
}

static int two(void)
{
	int status;
	pid_t p;

	sleepers("6000");
	p = nest();
	if (!p) {
		sleepers("6001");
		if (nest() == 0)
			sleepers("6002");
		for (;;)
			pause();
	}
	if (p < 0 || waitpid(p, &status, 0) != p)
		die("two");
	printf("ended %x\n", (unsigned int)status);
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 98;
	if (!strcmp(argv[1], "chain"))
		return chain(atoi(argv[2]));
	if (!strcmp(argv[1], "wide"))
		return wide(atoi(argv[2]), argv[3]);
	if (!strcmp(argv[1], "tree")) {
		seed = (unsigned int)atoi(argv[2]);
		return tree((unsigned int)atoi(argv[3]), 0);
	}
	if (!strcmp(argv[1], "scribble")) {
		seed = (unsigned int)atoi(argv[2]);
		return hostile();
	}
	if (!strcmp(argv[1], "join"))
		return join(atoi(argv[2]));
	if (!strcmp(argv[1], "full"))
		return full();
	return two();
}
