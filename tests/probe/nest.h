/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What probes of namespaces inside of a namespace share: one that is made by clone, with an init that runs a function.
 * Only inits have a number above that is worth printing; of other tasks relations are.
 */
#ifndef NEST_H
#define NEST_H

#include "probe.h"

#define NEWPID 0x20000000ul

/* The init of a new namespace; it runs fn(arg) and exits with its result. */
MAYBE static pid_t nest(unsigned long flags, int (*fn)(void *), void *arg)
{
	long pid = SC(SYS_clone, NEWPID | SIGCHLD | flags, NULL, NULL, NULL, NULL);

	if (!pid)
		SC(SYS_exit_group, fn(arg));
	if (pid < 0)
		die("clone NEWPID: %s", rc(pid));
	return (pid_t)pid;
}

MAYBE static const char *slurp(const char *path)
{
	static char text[4][8192];
	static unsigned int next;
	char *to = text[next++ % 4];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0, r;

	if (fd < 0) {
		snprintf(to, 64, "(%s)", err(errno));
		return to;
	}
	while ((r = read(fd, to + n, 8191 - (size_t)n)) > 0)
		n += r;
	close(fd);
	to[n] = 0;
	return to;
}

__attribute__((format(printf, 1, 2))) MAYBE static const char *slurpf(const char *fmt, ...)
{
	char path[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return slurp(path);
}

/* What stands behind "KEY:\t" in a status text, tabs as commas. */
MAYBE static const char *field(const char *text, const char *key)
{
	char *to = scratch(), want[40];
	const char *at;
	size_t n = 0;

	snprintf(want, sizeof(want), "\n%s:\t", key);
	at = strstr(text, want);
	if (!at)
		return "-";
	for (at += strlen(want); *at && *at != '\n' && n < 150; at++)
		to[n++] = *at == '\t' ? ',' : *at;
	to[n] = 0;
	return to;
}

/* The n-th number of such a list, from 0 on; -1: there are fewer. */
MAYBE static long nth(const char *list, int n)
{
	while (n-- && list)
		list = (list = strchr(list, ',')) ? list + 1 : NULL;
	return list ? strtol(list, NULL, 10) : -1;
}

MAYBE static int columns(const char *list)
{
	int n = 1;

	for (; *list; list++)
		n += *list == ',';
	return n;
}

MAYBE static uint64_t inode(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

__attribute__((format(printf, 1, 2))) MAYBE static uint64_t inodef(const char *fmt, ...)
{
	char path[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return inode(path);
}

/* The first of a task's children, by its name in /proc. */
MAYBE static pid_t first_child(pid_t of)
{
	return (pid_t)strtol(slurpf("/proc/%d/task/%d/children", of, of), NULL, 10);
}

/* A fork whose child is number 1 of a namespace of its own; the child returns 0. */
MAYBE static pid_t nest_with(unsigned long flags)
{
	return (pid_t)SC(SYS_clone, flags | NEWPID, 0, 0, 0, 0);
}

MAYBE static pid_t nest_fork(void)
{
	pid_t pid = nest_with(SIGCHLD);

	if (pid < 0)
		die("clone NEWPID: %s", rc(pid));
	return pid;
}

/* As reap(), without the number. */
MAYBE static const char *reap_quiet(pid_t pid)
{
	char *s = scratch();
	int st = 0;
	long r;

	do
		r = SC(SYS_wait4, pid, &st, __WALL, NULL);
	while (r == -EINTR);
	if (r < 0)
		snprintf(s, 160, "wait4: %s", rc(r));
	else
		snprintf(s, 160, "%s: %s", pid < 0 || r == pid ? "it" : "another", status_text(st));
	return s;
}

/* Runs fn as number 1 of a namespace inside and says how that ended. */
MAYBE static void in_nest(const char *name, void (*fn)(void))
{
	pid_t pid = nest_fork();

	if (!pid) {
		fn();
		_exit(0);
	}
	say("%s = %s", name, reap_quiet(pid));
}

#endif
