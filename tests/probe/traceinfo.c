/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers in signals under ptrace: PTRACE_GETSIGINFO of every kind, PTRACE_SETSIGINFO and what the tracee's handler sees then, a
 * signal that the tracer injects, PTRACE_PEEKSIGINFO, masks, TracerPid.
 */
#include "tracer.h"

static volatile int chld, seen_sig, seen_code, seen_pid, seen_value;

static void hit(int sig, siginfo_t *si, void *p)
{
	seen_sig = sig;
	chld |= sig == SIGCHLD;
	seen_code = si->si_code;
	seen_pid = si->si_pid;
	seen_value = si->si_value.sival_int;
}

static void tell(void)
{
	say("  handler: sig %d code %d pid %d value %d", seen_sig, seen_code, seen_pid, seen_value);
}

/* One stop after the other: each signal's handler is told of. */
static void target(void)
{
	struct sigaction sa = {.sa_sigaction = hit, .sa_flags = SA_SIGINFO};
	pid_t me = (pid_t)SC(SYS_getpid), pid;
	siginfo_t si;

	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGUSR2, &sa, NULL);
	sigaction(SIGCHLD, &sa, NULL);
	sigaction(SIGRTMIN, &sa, NULL);
	SC(SYS_kill, me, SIGUSR1);
	tell();
	SC(SYS_tkill, me, SIGUSR1);
	tell();
	memset(&si, 0, sizeof(si));
	si.si_code = SI_QUEUE;
	si.si_pid = 4321;
	si.si_value.sival_int = 17;
	SC(SYS_rt_sigqueueinfo, me, SIGRTMIN, &si);
	tell();
	pid = (pid_t)SC(SYS_fork);
	if (!pid) {
		SC(SYS_kill, SC(SYS_getppid), SIGUSR2);
		usleep(50000);
		SC(SYS_exit_group, 9);
	}
	SC(SYS_wait4, pid, NULL, 0, NULL);
	while (!chld)
		usleep(1000);
	tell();
	SC(SYS_kill, me, SIGUSR1);
	tell();
	SC(SYS_kill, me, SIGUSR1);
	tell();
	SC(SYS_kill, me, SIGUSR1);
	tell();
	SC(SYS_exit_group, 3);
}

static int next_signal(pid_t pid)
{
	int st = 0;

	SC(SYS_wait4, pid, &st, W_ALL, NULL);
	if (WIFSTOPPED(st)) {
		siginfo_t si;
		long r;

		memset(&si, 0, sizeof(si));
		r = PT(T_GETSIGINFO, pid, 0, &si);
		say("stop %d: siginfo %s signo %d code %d pid %d value %d", WSTOPSIG(st), rc(r),
		    si.si_signo, si.si_code, si.si_pid,
		    si.si_code == SI_QUEUE ? si.si_value.sival_int : 0);
	} else {
		say("%s", status_text(st));
	}
	return st;
}

static void infos(void)
{
	pid_t pid = traced("infos", target, 0);
	siginfo_t si;
	long r;
	int st;

	PT(T_CONT, pid, 0, 0);
	for (int i = 0; i < 5; i++) {
		st = next_signal(pid);
		PT(T_CONT, pid, 0, WSTOPSIG(st));
	}
	/* Another one in its place: the kernel says it is from the tracer. */
	st = next_signal(pid);
	r = PT(T_CONT, pid, 0, SIGUSR2);
	/* With another siginfo. */
	st = next_signal(pid);
	say("as another %s", rc(r));
	memset(&si, 0, sizeof(si));
	si.si_signo = SIGUSR1;
	si.si_code = SI_USER;
	si.si_pid = 1234;
	say("set %s", rc(PT(T_SETSIGINFO, pid, 0, &si)));
	memset(&si, 0, sizeof(si));
	PT(T_GETSIGINFO, pid, 0, &si);
	say("reads back signo %d code %d pid %d", si.si_signo, si.si_code, si.si_pid);
	PT(T_CONT, pid, 0, SIGUSR1);
	st = next_signal(pid);
	memset(&si, 0, sizeof(si));
	si.si_signo = SIGUSR1;
	si.si_code = SI_QUEUE;
	si.si_pid = 1;
	si.si_value.sival_int = 99;
	say("set %s", rc(PT(T_SETSIGINFO, pid, 0, &si)));
	say("set nowhere %s", rc(PT(T_SETSIGINFO, pid, 0, WILD)));
	say("get nowhere %s", rc(PT(T_GETSIGINFO, pid, 0, WILD)));
	PT(T_CONT, pid, 0, SIGUSR1);
	st = next_signal(pid);
	say("left %s", stop_name(st));
}

/* From a system call's stop a signal can be injected too. */
static void injected(void)
{
	pid_t pid = traced("injected", target, O_SYSGOOD);

	PT(T_SYSCALL, pid, 0, 0);
	next_signal(pid);
	PT(T_CONT, pid, 0, SIGTERM);
	next_signal(pid);
	PT(T_CONT, pid, 0, SIGTERM);
	next_signal(pid);
}

static void blocks(void)
{
	uint64_t set = BIT(SIGUSR1) | BIT(SIGUSR2) | BIT(SIGRTMIN) | BIT(SIGSYS);

	SC(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
	SC(SYS_tkill, SC(SYS_gettid), SIGUSR1);
	SC(SYS_kill, SC(SYS_getpid), SIGUSR2);
	SC(SYS_kill, SC(SYS_getpid), SIGSTOP);
	SC(SYS_exit_group, 3);
}

struct peek_args {
	uint64_t off;
	uint32_t flags;
	int32_t nr;
};

static void peek(pid_t pid, uint64_t off, uint32_t flags, int32_t nr)
{
	struct peek_args a = {off, flags, nr};
	siginfo_t si[4];
	long r;

	memset(si, 0, sizeof(si));
	r = PT(T_PEEKSIGINFO, pid, &a, si);
	say("peek %ld %x %d: %s", (long)off, flags, nr, rc(r));
	for (long i = 0; i < r; i++)
		say("  signo %d code %d pid %d", si[i].si_signo, si[i].si_code, si[i].si_pid);
}

static void pending(void)
{
	pid_t pid = traced("pending", blocks, 0);
	struct peek_args a = {0, 0, 4};
	siginfo_t si;
	uint64_t mask = 0;

	PT(T_CONT, pid, 0, 0);
	next_signal(pid);
	memset(&si, 0, sizeof(si));
	si.si_code = SI_QUEUE;
	si.si_pid = 4242;
	SC(SYS_rt_sigqueueinfo, pid, SIGRTMIN, &si);
	peek(pid, 0, 0, 4);
	peek(pid, 0, 1, 4);
	peek(pid, 1, 1, 1);
	peek(pid, 9, 1, 4);
	peek(pid, 0, 2, 4);
	peek(pid, 0, 0, -1);
	peek(pid, 0, 0, 0);
	say("nowhere %s %s", rc(PT(T_PEEKSIGINFO, pid, WILD, &si)),
	    rc(PT(T_PEEKSIGINFO, pid, &a, WILD)));
	say("mask %s %s", rc(PT(T_GETSIGMASK, pid, 8, &mask)), mask_text(mask & ~BIT(SIGSYS)));
	say("mask size %s nowhere %s", rc(PT(T_GETSIGMASK, pid, 4, &mask)),
	    rc(PT(T_GETSIGMASK, pid, 8, WILD)));
	mask = ~0ull & ~BIT(SIGSYS) & ~BIT(SIGUSR1);
	say("set %s size %s nowhere %s", rc(PT(T_SETSIGMASK, pid, 8, &mask)),
	    rc(PT(T_SETSIGMASK, pid, 4, &mask)), rc(PT(T_SETSIGMASK, pid, 8, WILD)));
	PT(T_GETSIGMASK, pid, 8, &mask);
	say("mask now %s", mask_text(mask & ~BIT(SIGSYS)));
	PT(T_CONT, pid, 0, 0);
	next_signal(pid);
	PT(T_CONT, pid, 0, 0);
	next_signal(pid);
}

static void tracer_pid(void)
{
	pid_t pid = traced("tracer", blocks, 0);
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "TracerPid", 9) || !strncmp(line, "State", 5) ||
		    !strncmp(line, "PPid", 4))
			say("%s", strtok(line, "\n"));
	if (f)
		fclose(f);
	kill(pid, SIGKILL);
	say("%s", reap(pid));
}

int main(void)
{
	infos();
	injected();
	pending();
	tracer_pid();
	return 0;
}
