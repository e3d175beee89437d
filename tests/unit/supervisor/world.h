/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Made-up processes for tests of the supervisor: a table of parents stands for the kernel. Replaces
 * src/supervisor/procs.c and, by the linker's --wrap, kill and syscall.
 */
#ifndef TESTS_UNIT_SUPERVISOR_WORLD_H
#define TESTS_UNIT_SUPERVISOR_WORLD_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/landlock.h"
#include "supervisor/procs.h"

#define PIDS 1500

static struct {
	int parent;
	char home; /* 'r', 'A' ... ; 0: outside */
	bool lives, keeper, hit;
} proc[PIDS];
static int self, hit_of_none, fd_pid[4096];

static bool exists(int pid)
{
	return pid == self || (pid > 0 && pid < PIDS && proc[pid].lives);
}

int sv_pidfd(sp_hpid pid)
{
	int fd;

	if (!exists(pid.n))
		return -ESRCH;
	fd = eventfd(0, EFD_CLOEXEC);
	if (fd < 0 || fd >= 4096)
		abort();
	fd_pid[fd] = pid.n;
	return fd;
}

bool sv_proc_usable(void)
{
	return true;
}

sp_hpid sv_proc_parent(sp_hpid pid)
{
	if (pid.n == self)
		return sp_hpid_of(1);
	return sp_hpid_of(exists(pid.n) ? proc[pid.n].parent : 0);
}

uint64_t sv_proc_start(sp_hpid pid)
{
	return exists(pid.n) ? 100000 + (uint64_t)pid.n : 0;
}

bool sv_is_child(sp_hpid pid)
{
	return exists(pid.n) && proc[pid.n].parent == self;
}

bool sv_scope_holds(void)
{
	return false;
}

/* The test's. */
static int orphans_go_to(int pid);

static int signalled(int pid, int sig)
{
	if (pid < 0)
		pid = -pid;
	if (!exists(pid)) {
		errno = ESRCH;
		return -1;
	}
	if (!sig)
		return 0;
	if (pid == self || pid <= 1) {
		hit_of_none++;
		return 0;
	}
	proc[pid].hit = true;
	/* Its children are orphans: their namespace's init, or the root's, is near enough. */
	proc[pid].lives = false;
	for (int i = 0; i < PIDS; i++)
		if (proc[i].parent == pid)
			proc[i].parent = orphans_go_to(i);
	return 0;
}

int __wrap_kill(pid_t pid, int sig);
int __wrap_kill(pid_t pid, int sig)
{
	if (pid == 0 || pid == -1 || pid == 1) {
		hit_of_none += sig != 0;
		return 0;
	}
	return signalled(pid, sig);
}

long __real_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	if (nr == SYS_pidfd_send_signal)
		return signalled(fd_pid[a], (int)b);
	if (nr == SYS_tgkill) {
		/* Nobody has a second thread. */
		if (a == b)
			return signalled((int)b, (int)c);
		errno = ESRCH;
		return -1;
	}
	return __real_syscall(nr, a, b, c, d, e, f);
}

#endif
