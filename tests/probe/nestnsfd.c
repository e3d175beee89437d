/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oracle: root
 *
 * The files of PID namespaces: which one an open descriptor is, what it tells, and where it leads by setns.
 */
#include "nest.h"
#include <sys/ioctl.h>

#define NS_USERNS 0xb701
#define NS_PARENT 0xb702
#define NS_TYPE 0xb703
#define PID_FROM 0x8004b706ul
#define TGID_FROM 0x8004b707ul
#define PID_IN 0x8004b708ul
#define TGID_IN 0x8004b709ul

static struct gate up, down;
static uint64_t ours;

static uint64_t inode_of(long fd)
{
	struct stat st;

	return fstat((int)fd, &st) ? 0 : st.st_ino;
}

static int init(void *arg)
{
	pid_t child = fork_or_die();

	if (!child) {
		gate_open(up);
		gate_pass(down);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	return 0;
}

static const char *which(uint64_t ino, uint64_t theirs)
{
	return ino == ours ? "ours" : ino == theirs ? "theirs" : ino ? "another" : "none";
}

static void tell(const char *who, int fd, uint64_t theirs)
{
	char path[64], link[64];
	struct stat st;
	long r;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, link, sizeof(link) - 1);
	link[n > 0 ? n : 0] = 0;
	say("%s: %s, link %s", who, which(inode_of(fd), theirs),
	    which(strncmp(link, "pid:[", 5) ? 0 : strtoull(link + 5, NULL, 10), theirs));
	say("  stat through the link %s", which(inode(path), theirs));
	fstat(fd, &st);
	say("  mode %o size %ld device as ours %d", st.st_mode, (long)st.st_size,
	    !stat("/proc/self/ns/uts", &st));
	say("  type %#lx", SC(SYS_ioctl, fd, NS_TYPE));
	r = SC(SYS_ioctl, fd, NS_PARENT);
	say("  parent %s", r < 0 ? rc(r) : which(inode_of(r), theirs));
	if (r >= 0)
		SC(SYS_close, r);
	r = SC(SYS_ioctl, fd, NS_USERNS);
	say("  user namespace %d", r >= 0);
	if (r >= 0)
		SC(SYS_close, r);
}

/* A child of whoever has gone there. */
static void visit(const char *who, int fd)
{
	pid_t pid = fork_or_die();

	if (!pid) {
		pid_t child;
		int st;

		say("%s: setns %s", who, rc(SC(SYS_setns, fd, NEWPID)));
		child = fork();
		if (!child)
			_exit(getppid() ? 99 : getpid() * 10);
		if (child < 0)
			say("fork: %s", err(errno));
		waitpid(child, &st, 0);
		say("%s: child %s", who, status_text(st));
		_exit(0);
	}
	reap(pid);
}

int main(void)
{
	pid_t n, child;
	uint64_t theirs;
	int mine, fd, copy;
	char path[64];

	up = gate_new();
	down = gate_new();
	ours = inode("/proc/self/ns/pid");
	n = nest(0, init, NULL);
	gate_pass(up);
	child = first_child(n);
	theirs = inodef("/proc/%d/ns/pid", n);
	mine = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	say("flags %d", fcntl(mine, F_GETFD));
	tell("mine", mine, theirs);
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", child);
	fd = open(path, O_RDONLY);
	say("flags %d, same number %d", fcntl(fd, F_GETFD), fd == mine + 1);
	tell("theirs", fd, theirs);
	copy = dup(fd);
	tell("a copy", copy, theirs);
	say("number there %s, of init %s, of ours %s", rc(SC(SYS_ioctl, fd, PID_IN, child)),
	    rc(SC(SYS_ioctl, fd, TGID_IN, n)), rc(SC(SYS_ioctl, fd, PID_IN, getpid())));
	say("number here %d, of 1 %d, of 9 %s", SC(SYS_ioctl, fd, PID_FROM, 2) == child,
	    SC(SYS_ioctl, fd, TGID_FROM, 1) == n, rc(SC(SYS_ioctl, fd, TGID_FROM, 9)));
	say("of mine: %d", SC(SYS_ioctl, mine, PID_IN, child) == child);
	visit("mine", mine);
	visit("theirs", fd);
	visit("a copy", copy);
	gate_open(down);
	say("%s", reap(n));
	return 0;
}
