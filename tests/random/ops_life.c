/* SPDX-License-Identifier: Apache-2.0 */
/* Operations: processes and threads begin, end, are waited for, change groups and sessions. */
#include "random.h"
#include <sys/mman.h>

#define STACK 65536

/* A new actor that its creator has made; whoever is told first, the child cannot act yet. */
static void born(int slot, int child, long r, int thread)
{
	tell(" = %s", rc(r));
	/* The kernel closes the files of a child that it gives up, and with them ends what the parent asked for. */
	if (r < 0)
		SC(SYS_mq_notify, QUEUE_FD, NULL);
	if (r < 0)
		return;
	remember((int)r);
	ALL->slots[child].tid = (int)r;
	ALL->slots[child].pid = thread ? ALL->slots[slot].pid : (int)r;
	ALL->slots[child].logged = 0;
	ALL->slots[child].alive = 1;
}

static int place(void)
{
	int child = free_slot();

	if (child < 0)
		tell("not now");
	return child;
}

static void op_fork(int slot)
{
	int child = place();
	long r;

	if (child < 0)
		return;
	r = SC(SYS_fork, junk(0), junk(0));
	if (!r)
		SC(SYS_exit_group, actor((void *)(long)child));
	born(slot, child, r, 0);
}

/* The child is a zombie, or gone, before anything else happens. */
static void op_vfork(int slot)
{
	int code = (int)any(256);
	long r;

	(void)slot;
	tell("exit %d", code);
	r = SC(SYS_vfork);
	if (!r) {
		SC(SYS_exit_group, code);
		__builtin_unreachable();
	}
	tell(" = %s", rc(r));
	if (r > 0) {
		remember((int)r);
		ALL->ends = (int)r;
	}
}

static int exit_signal(void)
{
	static const int signals[] = {SIGCHLD, SIGCHLD, SIGCHLD, SIGCHLD, 0, SIG_Q1, SIG_Q2};

	return signals[any(COUNT(signals))];
}

/* Flags with which a copy of the process goes on as an actor; sometimes some that are refused. */
static unsigned long copy_flags(void)
{
	static const unsigned long good[] = {CLONE_PARENT,	 CLONE_FS,
					     CLONE_FILES,	 CLONE_PARENT_SETTID,
					     CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID,
					     CLONE_IO,		 CLONE_SYSVSEM,
					     CLONE_UNTRACED},
				   bad[] = {CLONE_THREAD, CLONE_SIGHAND, CLONE_NEWPID, CLONE_NEWNS};
	unsigned long flags = 0;

	for (size_t i = 0; i < COUNT(good); i++)
		if (chance(15))
			flags |= good[i];
	for (size_t i = 0; i < COUNT(bad); i++)
		if (chance(2))
			flags |= bad[i];
	/* Needs a right in the kernel, and none under subpid. */
	return flags & ~(unsigned long)CLONE_NEWPID;
}

static void op_clone(int slot)
{
	static int parent_word, child_word;
	unsigned long flags = copy_flags() | (unsigned int)exit_signal();
	int child = place();
	long r;

	if (child < 0)
		return;
	tell("(%lx)", flags);
	parent_word = -7;
	r = SC(SYS_clone, flags, 0, &parent_word, &child_word, 0);
	if (!r)
		SC(SYS_exit_group, actor((void *)(long)child));
	born(slot, child, r, 0);
	tell(" word %s", word_text(parent_word));
}

static void op_clone3(int slot)
{
	int set_tid[2] = {any_number(slot), any_number(slot)}, fd = -7;
	struct probe_clone_args args = {.flags = copy_flags(), .exit_signal = (uint64_t)exit_signal()};
	int child = place();
	long r;

	if (child < 0)
		return;
	args.flags &= ~(uint64_t)(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID);
	if (args.flags & (CLONE_PARENT | CLONE_THREAD))
		args.exit_signal = chance(20) ? SIGCHLD : 0;
	if (chance(30)) {
		args.flags |= PROBE_CLONE_PIDFD;
		args.pidfd = (uint64_t)&fd;
	}
	if (chance(10)) {
		args.set_tid = (uint64_t)set_tid;
		args.set_tid_size = any(3);
	}
	tell("(%lx, %d, %d)", (unsigned long)args.flags, (int)args.exit_signal, (int)args.set_tid_size);
	r = SC(SYS_clone3, &args, sizeof(args), junk(0));
	if (!r)
		SC(SYS_exit_group, actor((void *)(long)child));
	born(slot, child, r, 0);
	if (fd >= 0) {
		tell(" of the pidfd %s", rc(SC(SYS_pidfd_send_signal, fd, 0, NULL, 0)));
		SC(SYS_close, fd);
	}
}

/* Beside its creator in one memory: a thread, or a process of its own. */
static void beside(int slot, unsigned long flags, int thread)
{
	int child = place(), word = -7;
	char *stack;

	if (child < 0)
		return;
	tell("(%lx)", flags);
	/* A new one: whoever was forked from a thread still stands on a copy of that one's. */
	stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack == MAP_FAILED)
		die("stack: %s", err(errno));
	born(slot, child, clone_on(flags, stack + STACK, &word, NULL, actor, (void *)(long)child),
	     thread);
}

static void op_thread(int slot)
{
	beside(slot,
	       CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
		       (chance(30) ? CLONE_PARENT_SETTID : 0),
	       1);
}

static void op_clone_vm(int slot)
{
	beside(slot,
	       (unsigned long)exit_signal() | CLONE_VM | (chance(30) ? CLONE_FILES : 0) |
		       (chance(20) ? CLONE_PARENT : 0),
	       0);
}

static void op_exit(int slot)
{
	struct slot *s = &ALL->slots[slot];
	int code = (int)any(300);

	if (!slot) {
		tell("not process 1");
		return;
	}
	if (s->pid == s->tid && threads_of(s->pid) > 1 && !ends_crowds()) {
		tell("has threads");
		return;
	}
	if (s->pid != 1 && (s->pid == s->tid || (ends_crowds() && chance(25)))) {
		tell("group %d", code);
		SC(SYS_exit_group, (long)code);
	}
	tell("thread %d", code);
	ALL->exiting = 1;
	while (SC(SYS_write, PIPE_FD + 4 * slot + 3, "x", 1) == -EINTR)
		;
	SC(SYS_exit, (long)code);
}

static void op_execve(int slot)
{
	char number[16], *argv[] = {ALL->self, "actor", number, NULL}, *envp[] = {NULL};

	if (ALL->slots[slot].pid == 1) {
		tell("not process 1");
		return;
	}
	if (threads_of(ALL->slots[slot].pid) > 1 && !ends_crowds()) {
		tell("has threads");
		return;
	}
	tell("with %d threads ", threads_of(ALL->slots[slot].pid));
	snprintf(number, sizeof(number), "%d", slot);
	tell("= %s", rc(chance(50) ? SC(SYS_execve, ALL->self, argv, envp)
				   : SC(SYS_execveat, junk(AT_FDCWD), ALL->self, argv, envp, 0)));
}

static int wait_options(void)
{
	static const unsigned int flags[] = {WUNTRACED, WCONTINUED, __WALL, __WCLONE, __WNOTHREAD};
	unsigned int options = 0;

	for (size_t i = 0; i < COUNT(flags); i++)
		if (chance(i == 2 ? 40 : 12))
			options |= flags[i];
	if (chance(3))
		options |= 0x100;
	return (int)options;
}

/* Waits without WNOHANG only when there is something to be had at once. */
static void op_wait4(int slot)
{
	PICK(whom, ends_crowds() ? any_member(slot) : chance(25) ? -1 : any_number(slot));
	int options = wait_options(), status = -7;
	struct rusage ru;
	siginfo_t si;
	long r;

	memset(&si, 0, sizeof(si));
	r = (int)whom == -1
		    ? SC(SYS_waitid, P_ALL, 0, &si,
			 WEXITED | WNOHANG | WNOWAIT | (options & (__WALL | __WCLONE | __WNOTHREAD)))
		    : SC(SYS_waitid, P_PID, whom, &si,
			 WEXITED | WNOHANG | WNOWAIT | (options & (__WALL | __WCLONE | __WNOTHREAD)));
	if (r || !si.si_pid || chance(30))
		options |= WNOHANG;
	tell("(%s, %x)", whom_text, (unsigned int)options);
	tell(" = %s", rc(SC(SYS_wait4, whom, &status, junk(options), chance(50) ? &ru : NULL)));
	tell(" %s", status == -7 ? "-" : status_text(status));
}

static void op_waitid(int slot)
{
	static const int kinds[] = {P_PID, P_PID, P_PGID, P_PGID, P_ALL, P_PIDFD, 4, -1};
	PICK(whom, any_number(slot));
	int kind = ends_crowds() ? P_PID : kinds[any(COUNT(kinds))],
	    options = wait_options() | WNOHANG, fd = -1;
	siginfo_t si;
	long r;

	if (kind == P_PIDFD && chance(80)) {
		fd = (int)SC(SYS_pidfd_open, whom, 0);
		whom = fd;
	}
	options |= (chance(95) ? WEXITED : 0) | (chance(40) ? WNOWAIT : 0);
	memset(&si, 0, sizeof(si));
	r = SC(SYS_waitid, junk(kind), whom, chance(90) ? &si : NULL, junk(options), NULL);
	tell("(%d, %s, %x) = %s: %d code %d status %d", kind, whom_text, (unsigned int)options,
	     rc(r), si.si_pid, si.si_code, si.si_status);
	if (fd >= 0)
		SC(SYS_close, fd);
}

/* A child that is there stops and goes on within one operation: a stopped actor could not answer. */
static void op_stop(int slot)
{
	int whom = any_member(slot);
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	tell("%d", whom);
	if (whom == 1 || SC(SYS_waitid, P_PID, whom, &si, WEXITED | WNOHANG | WNOWAIT | __WALL, NULL) ||
	    si.si_pid) {
		tell(" is no child");
		return;
	}
	tell(" stop %s", rc(SC(SYS_kill, whom, SIGSTOP)));
	tell(" %s", rc(SC(SYS_waitid, P_PID, whom, &si, WSTOPPED | __WALL, NULL)));
	tell(" %d code %d status %d, cont", si.si_pid, si.si_code, si.si_status);
	tell(" %s", rc(SC(SYS_kill, whom, SIGCONT)));
	tell(" %s", rc(SC(SYS_waitid, P_PID, whom, &si, WCONTINUED | __WALL, NULL)));
	tell(" %d code %d status %d", si.si_pid, si.si_code, si.si_status);
}

static void op_setpgid(int slot)
{
	PICK(whom, any_number(slot));
	PICK(group, any_number(slot));

	tell("(%s, %s)", whom_text, group_text);
	tell(" = %s", rc(SC(SYS_setpgid, whom, group, junk(0))));
}

static void op_setsid(int slot)
{
	(void)slot;
	tell("= %s", rc(SC(SYS_setsid, junk(0))));
}

static void op_ids(int slot)
{
	PICK(whom, any_number(slot));

	tell("%ld %ld %ld", SC(SYS_getpid, junk(0)), SC(SYS_gettid, junk(0)), SC(SYS_getppid, junk(0)));
	tell(" %ld, of %s: group %s", SC(SYS_getpgrp, junk(0)), whom_text,
	     rc(SC(SYS_getpgid, whom, junk(0))));
	tell(" session %s", rc(SC(SYS_getsid, whom, junk(0))));
}

/* The word is nobody's: the kernel clears it at the end of the thread. */
static void op_address(int slot)
{
	static int word;

	(void)slot;
	tell("%s", names_me(SC(SYS_set_tid_address, &word, junk(0))));
}

static void op_subreaper(int slot)
{
	int got = -7;

	(void)slot;
	if (chance(50))
		tell("set %s ", rc(SC(SYS_prctl, junk(PR_SET_CHILD_SUBREAPER), (long)any(2), junk(0))));
	tell("get %s", rc(SC(SYS_prctl, PR_GET_CHILD_SUBREAPER, &got)));
	tell(" %d", got);
}

static void op_refused(int slot)
{
	(void)slot;
	tell("unshare %s", rc(SC(SYS_unshare, CLONE_NEWPID | CLONE_PARENT)));
	tell(" setns %s", rc(SC(SYS_setns, (long)SHARED_FD, (long)(chance(50) ? CLONE_NEWUTS : 0))));
}

const struct op ops_life[] = {
	{"fork", 16, op_fork},
	{"vfork", 8, op_vfork},
	{"clone", 12, op_clone},
	{"clone3", 12, op_clone3},
	{"thread", 10, op_thread},
	{"clone_vm", 6, op_clone_vm},
	{"exit", 14, op_exit},
	{"execve", 5, op_execve},
	{"wait4", 22, op_wait4},
	{"waitid", 16, op_waitid},
	{"stop", 6, op_stop},
	{"setpgid", 16, op_setpgid},
	{"setsid", 4, op_setsid},
	{"ids", 10, op_ids},
	{"set_tid_address", 2, op_address},
	{"subreaper", 4, op_subreaper},
	{"refused", 2, op_refused},
	{0},
};
