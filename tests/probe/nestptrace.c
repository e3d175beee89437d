/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oracle: root
 *
 * A tracer sees a namespace made and what happens in it: events, first stops, numbers, ends, each in its place; of what makes
 * a namespace inside of one nothing more.
 */
#include "nest.h"
#include <sys/ptrace.h>

#define VFORK 0x4000ul
#define OPTIONS                                                                                \
	(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT | \
	 PTRACE_O_EXITKILL)

static pid_t creator, init, child;
static int inits; /* to be printed by its number: its parent is in our namespace */

static const char *who(pid_t pid)
{
	return pid == creator ? "creator"
	       : pid == init  ? "init"
	       : pid == child ? "child"
			      : "somebody";
}

static void creates(unsigned long flags, int sig, int deep)
{
	long pid;

	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	pid = SC(SYS_clone, NEWPID | flags | (unsigned)sig, NULL, NULL, NULL, NULL);
	if (!pid) {
		if (deep) {
			pid = SC(SYS_fork);
			if (!pid)
				SC(SYS_exit_group, 5);
			SC(SYS_wait4, pid, NULL, 0, NULL);
		}
		SC(SYS_exit_group, SC(SYS_getpid) == 1 ? 7 : 8);
	}
	while (SC(SYS_wait4, -1, NULL, 0x40000000, NULL) == -EINTR)
		;
	_exit(0);
}

/* The next of one process: said, and let go on. */
static int next(pid_t pid)
{
	unsigned long msg = 0;
	int st, sig = 0, event;

	if (waitpid(pid, &st, __WALL) != pid)
		die("wait for %s: %s", who(pid), err(errno));
	event = st >> 16;
	if (!WIFSTOPPED(st)) {
		say("%s: %s", who(pid), status_text(st));
		return 0;
	}
	if (event) {
		ptrace(PTRACE_GETEVENTMSG, pid, NULL, &msg);
		if (event == PTRACE_EVENT_EXIT)
			say("%s: is about to end, %lx", who(pid), msg);
		else
			say("%s: event %d names %s", who(pid), event,
			    inits ? msg == (unsigned long)inits ? "the next number" : "another"
			    : msg ? "somebody"
				  : "nobody");
		if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
		    event == PTRACE_EVENT_CLONE) {
			if (pid == creator)
				init = (pid_t)msg;
			else
				child = (pid_t)msg;
			inits = 0;
		}
	} else {
		sig = WSTOPSIG(st);
		say("%s: stop %d", who(pid), sig);
		if (sig == SIGSTOP)
			sig = 0;
	}
	if (ptrace(PTRACE_CONT, pid, NULL, (void *)(long)sig))
		die("cont: %s", err(errno));
	return 1;
}

static void one(const char *name, unsigned long flags, int sig, int deep)
{
	say("== %s", name);
	init = child = 0;
	creator = fork_or_die();
	if (!creator)
		creates(flags, sig, deep);
	inits = deep ? 0 : creator + 1;
	waitpid(creator, NULL, __WALL);
	ptrace(PTRACE_SETOPTIONS, creator, NULL, (void *)OPTIONS);
	ptrace(PTRACE_CONT, creator, NULL, NULL);
	next(creator);
	next(init);
	if (deep) {
		next(init);
		next(child);
		say("status %d columns", columns(field(slurpf("/proc/%d/status", child), "NSpid")));
		while (next(child))
			;
	}
	while (next(init))
		;
	while (next(creator))
		;
}

int main(void)
{
	one("as fork does", 0, SIGCHLD, 0);
	one("as vfork does", VFORK, SIGCHLD, 0);
	one("with another signal", 0, SIGUSR1, 0);
	one("with children", 0, SIGCHLD, 1);
	return 0;
}
