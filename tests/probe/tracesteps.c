/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PTRACE_SINGLESTEP over system calls that trap and those that do not, over a call that waits, into and out of a signal
 * handler; PTRACE_SYSEMU; registers and memory that the tracer writes: arguments, results, another call, a call of a
 * function in a task that waits.
 */
#include "tracer.h"

static volatile int hits;
static volatile long got;

static void hit(int sig)
{
	hits += sig;
}

/* Steps are taken only between these marks, which set rbx. */
#define FROM 0x51515151
#define CALL(nr, a0)                                                                              \
	__asm__ volatile("xor %%r10d, %%r10d\n\tmov $0x51515151, %%ebx\n\tsyscall\n\txor %%ebx, " \
			 "%%ebx\n\tnop"                                                           \
			 : "=a"(got)                                                              \
			 : "0"((long)(nr)), "D"((long)(a0)), "S"(0l), "d"(0l)                     \
			 : "rbx", "rcx", "r10", "r11", "memory")

static void calls(void)
{
	struct sigaction sa = {.sa_handler = hit};

	sigaction(SIGUSR1, &sa, NULL);
	CALL(SYS_getpid, 0);
	CALL(SYS_getuid, 0);
	CALL(SYS_getpgid, 4000);
	CALL(SYS_close, 77);
	CALL(999, 0);
	CALL(SYS_wait4, -1);
	CALL(SYS_rt_sigpending, WILD);
	SC(SYS_exit_group, got == -EINVAL ? 1 : 2);
}

static void wait_child(void)
{
	uint64_t set = BIT(SIGCHLD);
	pid_t pid;

	SC(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
	pid = fork_or_die();
	if (!pid) {
		usleep(20000);
		SC(SYS_exit_group, 0);
	}
	CALL(SYS_wait4, pid);
	SC(SYS_exit_group, got == pid ? 1 : 2);
}

static void forks(void)
{
	uint64_t set = BIT(SIGCHLD);

	SC(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
	CALL(SYS_fork, 0);
	if (!got)
		SC(SYS_exit_group, 0);
	SC(SYS_exit_group, 1);
}

static bool in_marks(pid_t pid)
{
	struct user_regs_struct r;

	memset(&r, 0, sizeof(r));
	PT(T_GETREGS, pid, 0, &r);
	return r.rbx == FROM;
}

/* Where the mark is, found by steps that are not shown. */
static void steps(const char *name, void (*fn)(void))
{
	pid_t pid = traced(name, fn, 0);
	bool in = false;
	int st = 0x137f, quiet = 0;

	while (WIFSTOPPED(st) && quiet < 2000000) {
		PT(T_STEP, pid, 0, signal_of(st));
		if (SC(SYS_wait4, pid, &st, W_ALL, NULL) != pid)
			break;
		if (!WIFSTOPPED(st) || in || in_marks(pid))
			show_stop(name, pid, st);
		else
			quiet++;
		in = WIFSTOPPED(st) && in_marks(pid);
	}
}

static void handler(void)
{
	struct sigaction sa = {.sa_handler = hit};

	sigaction(SIGUSR1, &sa, NULL);
	SC(SYS_kill, SC(SYS_getpid), SIGUSR1);
	SC(SYS_exit_group, hits);
}

/* From the signal's stop one step leads to the handler's first instruction; then out of it. */
static void into(const char *name, long first)
{
	pid_t pid = traced(name, handler, O_SYSGOOD);
	int st;

	PT(T_CONT, pid, 0, 0);
	st = next_stop(name, pid);
	PT(first, pid, 0, signal_of(st));
	st = next_stop(name, pid);
	for (int i = 0; i < 3 && WIFSTOPPED(st); i++) {
		PT(T_STEP, pid, 0, 0);
		st = next_stop(name, pid);
	}
	follow(name, pid, st, T_SYSCALL, 10);
}

/* --- registers ----------------------------------------------------------------------------------- */

static void asks(void)
{
	long a = SC(SYS_getpid), b = SC(SYS_getpgid, 4000), c = SC(SYS_getuid), d = SC(SYS_getppid),
	     e = SC(SYS_getsid, 0);

	SC(SYS_exit_group,
	   a == 77 && b == SC(SYS_getpgid, 0) && c == SC(SYS_getpid) && d == 55 && e == -5);
}

static void set(pid_t pid, size_t off, long v)
{
	long r = PT(T_POKEUSER, pid, off, v);

	if (r)
		say("poke %s", rc(r));
}
#define REG(name) offsetof(struct user_regs_struct, name)

/* At each entry or exit of a call something else is put in its place. */
static void changes(void)
{
	const char *name = "changes";
	pid_t pid = traced(name, asks, O_SYSGOOD);
	int st = 0x137f;

	for (int i = 0; WIFSTOPPED(st) && i < 30; i++) {
		PT(T_SYSCALL, pid, 0, signal_of(st));
		st = next_stop(name, pid);
		switch (i) {
		case 2: /* exit of getpid (the exit of kill came first) */
			set(pid, REG(rax), 77);
			break;
		case 3: /* entry of getpgid */
			set(pid, REG(rdi), 0);
			break;
		case 5: /* getuid becomes getpid */
			set(pid, REG(orig_rax), SYS_getpid);
			break;
		case 7: /* getppid is not made */
			set(pid, REG(orig_rax), -1);
			break;
		case 8:
			set(pid, REG(rax), 55);
			break;
		case 10:
			set(pid, REG(rax), -5);
			break;
		default:
			break;
		}
	}
}

static void emulated(void)
{
	const char *name = "emulated";
	pid_t pid = traced(name, asks, O_SYSGOOD);
	int st = 0x137f;

	for (int i = 0; WIFSTOPPED(st) && i < 8; i++) {
		PT(i < 5 ? T_SYSEMU : T_SYSCALL, pid, 0, signal_of(st));
		st = next_stop(name, pid);
		if (i < 5)
			set(pid, REG(rax), 1000 + i);
	}
	kill(pid, SIGKILL);
	reap(pid);
}

static long called(long a)
{
	return a + SC(SYS_getpid) + SC(SYS_getpgid, 0);
}

static void waits_for_ever(void)
{
	for (;;)
		SC(SYS_wait4, -1, NULL, 0, NULL);
}

/* As a debugger calls a function: then everything is as it was. */
static void call_in(const char *name, int delay)
{
	pid_t pid = fork_or_die();
	struct user_regs_struct r, old, back;
	unsigned long hlt = 0;
	int st;

	if (!pid) {
		if (!fork_or_die())
			for (;;)
				pause();
		waits_for_ever();
	}
	usleep((unsigned int)delay);
	PT(T_ATTACH, pid, 0, 0);
	next_stop(name, pid);
	PT(T_GETREGS, pid, 0, &old);
	r = old;
	r.rsp = ((r.rsp - 1024) & ~15ul) - 8;
	PT(T_POKEDATA, pid, r.rsp, 0);
	r.rip = (unsigned long)called;
	r.rdi = 100;
	r.orig_rax = (unsigned long)-1;
	say("set %s", rc(PT(T_SETREGS, pid, 0, &r)));
	PT(T_CONT, pid, 0, 0);
	st = 0;
	SC(SYS_wait4, pid, &st, W_ALL, NULL);
	PT(T_GETREGS, pid, 0, &r);
	say("%s: %s at %lx rax %ld", name, stop_name(st), (long)r.rip, (long)r.rax);
	PT(T_SETREGS, pid, 0, &old);
	PT(T_GETREGS, pid, 0, &back);
	say("back %d", memcmp(&old, &back, sizeof(old)));
	PT(T_SYSCALL, pid, 0, 0);
	next_stop(name, pid);
	PT(T_PEEKDATA, pid, old.rsp, &hlt);
	PT(T_DETACH, pid, 0, 0);
	kill(pid, SIGKILL);
	say("%s ends %s", name, reap(pid));
}

int main(void)
{
	steps("calls", calls);
	steps("wait", wait_child);
	steps("forks", forks);
	into("into by step", T_STEP);
	into("into by syscall", T_SYSCALL);
	changes();
	emulated();
	call_in("call in wait", 20000);
	return 0;
}
