/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading /proc for procs.h. Every read is bounded; a process that vanishes on the way is an answer, not
 * an error.
 */
#include "supervisor/procs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fmt.h"
#include "core/layout.h"
#include "supervisor/fault.h"
#include "supervisor/util.h"

#define NEIGHBOURS 16384
#define MAX_GENERATIONS 100000 /* a chain that is longer is being changed under us */

int sv_pidfd(sp_hpid pid)
{
	int fd;

	if (sv_fault(SV_FAULT_NOPIDFD))
		return -EPERM;
	fd = (int)syscall(SYS_pidfd_open, pid.n, 0);
	return fd < 0 ? sv_errno() : fd;
}

bool sv_proc_usable(void)
{
	char text[16];
	ssize_t n = readlink("/proc/self", text, sizeof(text));
	int32_t self;

	return !sv_fault(SV_FAULT_NOPROC) && n > 0 &&
	       sp_parse_dec(text, (size_t)n, &self) == (size_t)n && self == getpid();
}

/* At most size-1 bytes, NUL at the end; the number of bytes or -errno. */
static ssize_t read_text(const char *path, char *buf, size_t size)
{
	sv_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t got = 0;

	if (fd < 0)
		return sv_errno();
	while (got < size - 1) {
		ssize_t n = read(fd, buf + got, size - 1 - got);

		if (n < 0)
			return sv_errno();
		if (n == 0)
			break;
		got += (size_t)n;
	}
	buf[got] = '\0';
	return (ssize_t)got;
}

sp_hpid sv_proc_parent(sp_hpid pid)
{
	char path[32], text[512], *p;
	int ppid;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid.n);
	if (read_text(path, text, sizeof(text)) <= 0)
		return SP_HPID_NONE;
	/* The name may hold anything; what follows its last parenthesis does not. */
	p = strrchr(text, ')');
	if (!p || sscanf(p + 1, " %*c %d", &ppid) != 1 || ppid < 0)
		return SP_HPID_NONE;
	return sp_hpid_of(ppid);
}

uint64_t sv_proc_start(sp_hpid pid)
{
	char path[32], text[768], *p;
	unsigned long long start;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid.n);
	if (read_text(path, text, sizeof(text)) <= 0)
		return 0;
	p = strrchr(text, ')');
	if (!p ||
	    sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %llu",
		   &start) != 1)
		return 0;
	return start;
}

bool sv_proc_descends(sp_hpid pid, sp_hpid ancestor)
{
	for (int i = 0; i < MAX_GENERATIONS && pid.n > 0; i++) {
		if (sp_hpid_eq(pid, ancestor))
			return true;
		pid = sv_proc_parent(pid);
	}
	return false;
}

static int children_by_list(sp_hpid *ret, size_t max)
{
	char path[64];
	char *text = malloc(max * 11 + 1), *p, *end;
	ssize_t n;
	size_t found = 0;

	if (!text)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	n = read_text(path, text, max * 11 + 1);
	for (p = text; n > 0 && found < max; p = end) {
		long v = strtol(p, &end, 10);

		if (end == p)
			break;
		ret[found++] = sp_hpid_of((int)v);
	}
	free(text);
	return n < 0 ? (int)n : (int)found;
}

/* Where the kernel has no list of children (CONFIG_PROC_CHILDREN): everybody is asked. */
static int children_by_scan(sp_hpid *ret, size_t max)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;
	size_t found = 0;
	int32_t pid;

	if (!dir)
		return sv_errno();
	while (found < max && (e = readdir(dir))) {
		size_t len = strlen(e->d_name);

		if (sp_parse_dec(e->d_name, len, &pid) == len && len &&
		    sv_proc_parent(sp_hpid_of(pid)).n == getpid())
			ret[found++] = sp_hpid_of(pid);
	}
	closedir(dir);
	return (int)found;
}

bool sv_is_child(sp_hpid pid)
{
	siginfo_t si;

	return waitid(P_PID, (id_t)pid.n, &si, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

/*
 * Without /proc wait(2) still tells a child from everybody else: about 0.15 us a number. What we forked is
 * most likely just above our own number.
 */
static int children_by_asking(sp_hpid *ret, size_t max, bool thorough)
{
	int first = thorough ? 2 : getpid() + 1;
	int last = thorough ? SP_PID_MAX_DEFAULT - 1 : getpid() + NEIGHBOURS;
	size_t found = 0;

	for (int pid = first; pid <= last && found < max; pid++)
		if (sv_is_child(sp_hpid_of(pid)))
			ret[found++] = sp_hpid_of(pid);
	return (int)found;
}

int sv_proc_children(sp_hpid *ret, size_t max, bool thorough)
{
	int n;

	if (!sv_proc_usable())
		return children_by_asking(ret, max, thorough);
	n = children_by_list(ret, max);
	return n == -ENOENT ? children_by_scan(ret, max) : n;
}
