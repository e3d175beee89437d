/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The events of fork, vfork, clone, exec and exit, by PTRACE_TRACEME and PTRACE_SEIZE, resumed with PTRACE_CONT and
 * PTRACE_SYSCALL: their messages, the registers there, the first stop of what is born traced, threads, and an exec by a thread
 * that is not the leader.
 * args: cont syscall
 */
#include "tracer.h"

#define ALL (O_SYSGOOD | O_FORK | O_VFORK | O_CLONE | O_EXECS | O_VFORK_DONE | O_EXIT)

static long how = T_CONT;
static char self_path[4096];
static struct gate ready, go;

/* Stops at events are shown; a child is followed to its end before its parent goes on. */
static void drive(const char *name, pid_t pid, int st, int depth)
{
	for (int i = 0; i < 120 && WIFSTOPPED(st); i++) {
		int event = st >> 16;
		unsigned long child = 0;

		if (event >= 1 && event <= 3) {
			PT(T_GETEVENTMSG, pid, 0, &child);
			if (event == 2)
				PT(how, pid, 0, 0);
			if (depth < 4)
				drive(name, (pid_t)child, next_stop(name, (pid_t)child), depth + 1);
			if (event == 2) {
				st = next_stop(name, pid);
				continue;
			}
		}
		if (PT(how, pid, 0, signal_of(st)))
			return;
		st = next_stop(name, pid);
	}
}

static void quiet_chld(void)
{
	uint64_t set = BIT(SIGCHLD);

	SC(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
}

static void forks(void)
{
	quiet_chld();
	if (!SC(SYS_fork)) {
		SC(SYS_getpid);
		if (!SC(SYS_fork)) {
			SC(SYS_getppid);
			SC(SYS_exit_group, 7);
		}
		SC(SYS_wait4, -1, NULL, 0, NULL);
		SC(SYS_exit_group, 6);
	}
	SC(SYS_wait4, -1, NULL, 0, NULL);
	SC(SYS_getpid);
}

static void vforks(void)
{
	pid_t pid;

	quiet_chld();
	pid = vfork();
	if (!pid)
		_exit(5);
	SC(SYS_wait4, -1, NULL, 0, NULL);
}

static int in_clone(void *p)
{
	SC(SYS_gettid);
	return p ? 9 : 8;
}

static void clones(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	static int word, flag;

	quiet_chld();
	clone_on(0x10f00 | 0x200000, stack + sizeof(stack), NULL, &word, in_clone, NULL);
	SC(SYS_gettid);
	/* The kernel clears and wakes it; the tracer sees to it that it is gone. */
	clone_on(SIGUSR1, stack + sizeof(stack), NULL, NULL, in_clone, &flag);
	SC(SYS_wait4, -1, NULL, W_ALL, NULL);
}

static void untraced(void)
{
	static char stack[65536] __attribute__((aligned(16)));

	quiet_chld();
	clone_on(0x800000 | SIGCHLD, stack + sizeof(stack), NULL, NULL, in_clone, NULL);
	SC(SYS_wait4, -1, NULL, 0, NULL);
}

static void execs(void)
{
	SC(SYS_execve, "/nonexistent", NULL, NULL);
	execl(self_path, self_path, "end", (char *)NULL);
}

static void vfork_execs(void)
{
	quiet_chld();
	if (!vfork()) {
		execl(self_path, self_path, "end", (char *)NULL);
		_exit(1);
	}
	SC(SYS_wait4, -1, NULL, 0, NULL);
}

static int thread_exec(void *p)
{
	execl(self_path, self_path, "end", (char *)NULL);
	return p ? 1 : 2;
}

static void threads_exec(void)
{
	static char stack[65536] __attribute__((aligned(16)));

	clone_on(0x10f00, stack + sizeof(stack), NULL, NULL, thread_exec, NULL);
	for (;;)
		SC(SYS_pause);
}

static void killed(void)
{
	SC(SYS_kill, SC(SYS_getpid), SIGTERM);
}

static void run(const char *name, void (*fn)(void), long options)
{
	pid_t pid = traced(name, fn, options);

	drive(name, pid, 0x137f, 0);
}

/* The same, seized while it waits. */
static void seize(const char *name, void (*fn)(void), long options)
{
	pid_t pid = fork_or_die();
	int st;

	if (!pid) {
		gate_open(ready);
		gate_pass(go);
		fn();
		SC(SYS_exit_group, 3);
	}
	gate_pass(ready);
	rest(pid);
	say("%s: seize %s", name, rc(PT(T_SEIZE, pid, 0, options)));
	say("%s: interrupt %s", name, rc(PT(T_INTERRUPT, pid, 0, 0)));
	st = next_stop(name, pid);
	gate_open(go);
	drive(name, pid, st, 0);
}

/* Without the event an exec is a SIGTRAP, except after a seize. */
static void legacy(void)
{
	run("exec without option", execs, O_SYSGOOD);
	seize("seized exec without option", execs, O_SYSGOOD);
}

/* Thread and leader run side by side here, so only the tracer's order counts. */
static void leader_gone(void)
{
	pid_t pid = traced("thread exec", threads_exec, ALL & ~O_EXIT), tid;
	unsigned long msg = 0;
	int st;

	PT(T_CONT, pid, 0, 0);
	next_stop("thread exec", pid);
	PT(T_GETEVENTMSG, pid, 0, &msg);
	tid = (pid_t)msg;
	PT(T_CONT, pid, 0, 0);
	next_stop("thread exec", tid);
	PT(T_CONT, tid, 0, 0);
	st = next_stop("thread exec", pid);
	say("tid is %s", rc(PT(T_GETEVENTMSG, tid, 0, &msg)));
	follow("thread exec", pid, st, T_CONT, 20);
}

int main(int argc, char **argv)
{
	long n = readlink("/proc/self/exe", self_path, sizeof(self_path) - 1);

	if (argc > 1 && !strcmp(argv[1], "end")) {
		SC(SYS_getpid);
		SC(SYS_exit_group, 12);
	}
	if (n <= 0)
		die("exe");
	ready = gate_new();
	go = gate_new();
	how = argc > 1 && !strcmp(argv[1], "syscall") ? T_SYSCALL : T_CONT;
	run("forks", forks, ALL);
	run("vforks", vforks, ALL);
	run("vforks without done", vforks, ALL & ~O_VFORK_DONE);
	run("clones", clones, ALL);
	run("untraced", untraced, ALL);
	run("killed", killed, ALL);
	run("execs", execs, ALL);
	run("vfork execs", vfork_execs, ALL);
	seize("seized forks", forks, ALL);
	seize("seized vforks", vforks, ALL);
	seize("seized clones", clones, ALL);
	seize("seized execs", execs, ALL);
	legacy();
	leader_gone();
	say("left %s", rc(SC(SYS_wait4, -1, NULL, W_ALL, NULL)));
	return 0;
}
