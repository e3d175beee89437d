/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict seccomp mode: read, write, exit and rt_sigreturn are left, anything else is SIGKILL; by both
 * calls, in threads, with handlers, and what cannot be combined with it.
 */
#include "secc.h"

static int fd[2];
static volatile int handled;

static void on_usr1(int sig)
{
	SC(SYS_write, 1, "handler\n", 8);
	handled++;
}

static void strict(void)
{
	long r = SC(SYS_prctl, 22, 1);

	if (r)
		say("strict %s", rc(r));
}

static void leave(int status)
{
	SC(SYS_exit, status);
}

static void reads_and_writes(void)
{
	char c = 0;

	SC(SYS_write, fd[1], "abc", 3);
	strict();
	SC(SYS_read, fd[0], &c, 1);
	SC(SYS_write, 1, c == 'a' ? "read a\n" : "read b\n", 7);
	leave(7);
}

static void by_seccomp(void)
{
	SC(SYS_seccomp, MODE_STRICT, 0, 0);
	SC(SYS_write, 1, "still here\n", 11);
	leave(8);
}

static long nr_now;

static void other_call(void)
{
	strict();
	SC(nr_now, 0, 0, 0);
	SC(SYS_write, 1, "survived\n", 9);
	leave(9);
}

static void with_handlers(void)
{
	struct sigaction sa = {.sa_handler = on_usr1};
	char c;

	sigaction(SIGUSR1, &sa, NULL);
	strict();
	SC(SYS_write, fd[1], "r", 1);
	while (!handled)
		SC(SYS_read, fd[0], &c, 0);
	SC(SYS_write, 1, "went on\n", 8);
	leave(10);
}

static void blocked_trap(void)
{
	set_raw_mask(~0ull);
	strict();
	SC(SYS_getppid);
	leave(11);
}

static int strict_thread(void *p)
{
	SC(SYS_write, 1, "thread\n", 7);
	SC(SYS_prctl, 22, 1);
	SC(p ? SYS_getppid : SYS_write, 1, "thread again\n", 13);
	SC(SYS_exit, 0);
	return 0;
}

static void in_threads(void)
{
	static char stack[2][65536];
	static volatile int word[2] = {1, 1};

	for (int i = 0; i < 2; i++) {
		clone_on(0x10f00 | 0x200000, stack[i] + sizeof(stack[i]), NULL, (int *)&word[i],
			 strict_thread, i ? stack[0] : NULL);
		while (word[i])
			SC(SYS_futex, &word[i], 0, 1, NULL);
	}
	say("the others: getppid %s mode %s", rc(SC(SYS_getppid) > 0), rc(SC(SYS_prctl, 21)));
}

static void clock_now(void)
{
	unsigned int lo, hi;

	strict();
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	SC(SYS_write, 1, "clock\n", 6);
	leave(12);
}

/* What a vfork child does to itself is its own. */
static void of_vfork(void)
{
	pid_t pid = vfork();

	if (!pid) {
		SC(SYS_prctl, 22, 1);
		SC(SYS_exit, 6);
	}
	say("parent of a strict one: %s", rc(SC(SYS_getppid) > 0));
	say("%s", reap(pid));
}

static void after_filter(void)
{
	deny(SYS_getuid, ERRNO | 3);
	say("after a filter %s", rc(SC(SYS_prctl, 22, 1)));
	say("after a filter %s", rc(SC(SYS_seccomp, MODE_STRICT, 0, 0)));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		long nr;
	} others[] = {{"getpid", SYS_getpid},
		      {"close", SYS_close},
		      {"getuid", SYS_getuid},
		      {"prctl", SYS_prctl},
		      {"exit_group", SYS_exit_group},
		      {"openat", SYS_openat},
		      {"fork", SYS_fork},
		      {"kill", SYS_kill},
		      {"seccomp", SYS_seccomp},
		      {"no such", 5000},
		      {"mmap", SYS_mmap}};
	char c;
	pid_t pid;

	if (pipe(fd))
		die("pipe");
	say("flags %s", rc(SC(SYS_seccomp, MODE_STRICT, 1, 0)));
	in_child("read and write", reads_and_writes);
	in_child("by seccomp", by_seccomp);
	for (size_t i = 0; i < COUNT(others); i++) {
		nr_now = others[i].nr;
		in_child(others[i].name, other_call);
	}
	if (pipe(fd))
		die("pipe");
	pid = fork_or_die();
	if (!pid)
		with_handlers();
	SC(SYS_read, fd[0], &c, 1);
	kill(pid, SIGUSR1);
	say("handlers %s", reap(pid));
	in_child("blocked", blocked_trap);
	in_child("threads", in_threads);
	in_child("clock", clock_now);
	in_child("vfork", of_vfork);
	in_child("after a filter", after_filter);
	say("mode %s nnp %s", rc(SC(SYS_prctl, 21)), rc(SC(SYS_prctl, 39)));
	return 0;
}
