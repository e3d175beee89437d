/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters of a program: each verdict on calls of every kind, filters that look at arguments (their own
 * number among them) and places, several at once, and what seccomp(2) refuses.
 *
 * args: verdicts traps numbers many refused actions init-trap init-ignored init-blocked init-kill init-thread
 */
#include "secc.h"
#include <sys/mman.h>
#include <ucontext.h>

/* Calls that are made in each filter's presence, by number. */
static const struct {
	const char *name;
	long nr;
	long a, b, c;
} calls[] = {
	{"getpid", SYS_getpid, 0, 0, 0},
	{"gettid", SYS_gettid, 0, 0, 0},
	{"getppid", SYS_getppid, 0, 0, 0},
	{"getuid", SYS_getuid, 0, 0, 0},
	{"kill", SYS_kill, 1, 0, 0},
	{"openat", SYS_openat, -100, (long)"/dev/null", O_CLOEXEC},
	{"close", SYS_close, 77, 0, 0},
	{"write", SYS_write, 77, 0, 0},
	{"wait4", SYS_wait4, -1, 0, WNOHANG},
	{"clone", SYS_clone, 0x20000000 | 0x10000, 0, 0},
	{"fcntl", SYS_fcntl, 77, F_GETOWN, 0},
	{"readlink", SYS_readlink, (long)"/proc/self/exe", 0, 0},
	{"sched_getscheduler", SYS_sched_getscheduler, 0, 0, 0},
	{"rt_sigprocmask", SYS_rt_sigprocmask, 99, 0, 0},
	{"sigaltstack", SYS_sigaltstack, 0, 0, 0},
	{"execve", SYS_execve, (long)"/nowhere", 0, 0},
};

static long make(size_t i)
{
	return SC(calls[i].nr, calls[i].a, calls[i].b, calls[i].c);
}

static void show_result(size_t i)
{
	long r = make(i);

	/* Descriptors and the like */
	say("  %s = %s", calls[i].name, calls[i].nr == SYS_openat && r >= 0 ? "open" : rc(r));
}

static uint32_t verdict_now;
static size_t call_now;

static void under_verdict(void)
{
	deny(calls[call_now].nr, verdict_now);
	show_result(call_now);
	say("  getpid %s getppid %s", rc(SC(SYS_getpid)), rc(SC(SYS_getppid)));
}

static void verdicts(void)
{
	static const uint32_t list[] = {KILL_PROCESS, KILL_THREAD,  TRAP | 5,	    ERRNO | 0,
					ERRNO | 13,   ERRNO | 4095, ERRNO | 0xffff, NOTIF,
					TRACE | 7,    LOG,	    ALLOW | 99,	    0x00060000,
					0x7ff80001,   0x90000000};
	char name[64];

	for (size_t v = 0; v < COUNT(list); v++) {
		for (size_t i = 0; i < COUNT(calls); i++) {
			verdict_now = list[v];
			call_now = i;
			snprintf(name, sizeof(name), "%08x %s", list[v], calls[i].name);
			in_child(name, under_verdict);
		}
	}
}

/* --- TRAP --------------------------------------------------------------------------------------- */

static void trap_each(void)
{
	/* The data 0x5350 and 0 as well: any is the program's. */
	static const uint32_t data[] = {5, 0x5350, 0, 0xffff};

	catch_sys(0);
	deny(calls[call_now].nr, TRAP | data[call_now % 4]);
	show_trap(calls[call_now].name, make(call_now));
	show_trap(calls[call_now].name, make(call_now));
	say("  getpid %s", calls[call_now].nr == SYS_getpid ? "-" : rc(SC(SYS_getpid)));
}

static void trap_blocked(void)
{
	catch_sys(0);
	set_raw_mask(BIT(SIGSYS));
	deny(calls[call_now].nr, TRAP);
	show_trap(calls[call_now].name, make(call_now));
}

static void trap_ignored(void)
{
	signal(SIGSYS, SIG_IGN);
	deny(calls[call_now].nr, TRAP);
	show_trap(calls[call_now].name, make(call_now));
}

static void trap_reset(void)
{
	catch_sys(SA_RESETHAND | SA_NODEFER);
	deny(calls[call_now].nr, TRAP);
	show_trap(calls[call_now].name, make(call_now));
	show_trap(calls[call_now].name, make(call_now));
}

/* A signal that somebody sends is not a trap, whatever it looks like. */
static void forged(void)
{
	struct sysinfo si = {SIGSYS, 0x5350, 1, 0, (void *)0x1234, SYS_getpid, ARCH_64};

	catch_sys(0);
	say("queued to oneself %s", rc(SC(SYS_rt_sigqueueinfo, SC(SYS_getpid), SIGSYS, &si)));
	say("count %ld errno %x code %d syscall %d", seen.count, seen.si.err, seen.si.code,
	    seen.si.syscall);
	memset((void *)&seen, 0, sizeof(seen));
	set_raw_mask(BIT(SIGSYS));
	say("blocked %s", rc(SC(SYS_rt_sigqueueinfo, SC(SYS_getpid), SIGSYS, &si)));
	say("count %ld", seen.count);
	set_raw_mask(0);
	say("count %ld errno %x code %d", seen.count, seen.si.err, seen.si.code);
}

/* A handler that makes the call in the program's place, as brokers do. */
static int broker_fd;

static void broker(int sig, siginfo_t *info, void *uc)
{
	ucontext_t *c = uc;
	struct sysinfo *si = (struct sysinfo *)info;
	long r = -1;

	if (si->syscall == SYS_openat) {
		SC(SYS_write, broker_fd, "o", 1);
		SC(SYS_read, broker_fd, &r, sizeof(r));
	}
	c->uc_mcontext.gregs[REG_RAX] = r;
}

static void broker_trap(void)
{
	struct sigaction sa = {.sa_sigaction = broker, .sa_flags = SA_SIGINFO | SA_NODEFER};
	int sv[2];
	pid_t pid;
	char c;

	if (SC(SYS_socketpair, 1, 1 /* SOCK_STREAM */, 0, sv))
		die("socketpair");
	pid = fork_or_die();
	if (!pid) {
		long n = 0;

		close(sv[0]);
		while (SC(SYS_read, sv[1], &c, 1) == 1) {
			n += 1000;
			SC(SYS_write, sv[1], &n, sizeof(n));
		}
		_exit(3);
	}
	close(sv[1]);
	broker_fd = sv[0];
	sigaction(SIGSYS, &sa, NULL);
	deny(SYS_openat, TRAP | 1);
	for (int i = 0; i < 3; i++)
		say("broker gives %ld", SC(SYS_openat, -100, "/dev/null", 0));
	close(sv[0]);
	say("broker %s", reap(pid));
}

static void traps(void)
{
	char name[64];

	for (size_t i = 0; i < COUNT(calls); i++) {
		call_now = i;
		snprintf(name, sizeof(name), "trap %s", calls[i].name);
		in_child(name, trap_each);
		if (i > 7)
			continue;
		snprintf(name, sizeof(name), "trap blocked %s", calls[i].name);
		in_child(name, trap_blocked);
		snprintf(name, sizeof(name), "trap ignored %s", calls[i].name);
		in_child(name, trap_ignored);
		snprintf(name, sizeof(name), "trap reset %s", calls[i].name);
		in_child(name, trap_reset);
	}
	in_child("forged", forged);
	in_child("broker", broker_trap);
}

/* --- numbers in arguments --------------------------------------------------------------------------- */

static void own_number(void)
{
	uint32_t me = (uint32_t)SC(SYS_getpid);
	/* kill and tgkill only for oneself, as Chromium's RestrictKillTarget */
	const struct insn p[] = {LD_NR,
				 JEQ(SYS_kill, 3, 0),
				 JEQ(SYS_tgkill, 2, 0),
				 JEQ(SYS_sched_getscheduler, 1, 0),
				 RET(ALLOW),
				 LD_ARG(0),
				 JEQ(me, 0, 1),
				 RET(ALLOW),
				 RET(ERRNO | 1)};

	no_new_privs();
	say("filter %s", rc(filter_n(0, p, COUNT(p))));
	say("kill me %s", rc(SC(SYS_kill, me, 0)));
	say("kill 1 %s", rc(SC(SYS_kill, 1, 0)));
	say("kill 0 %s", rc(SC(SYS_kill, 0, 0)));
	say("tgkill me %s", rc(SC(SYS_tgkill, me, me, 0)));
	say("tgkill 1 %s", rc(SC(SYS_tgkill, 1, 1, 0)));
	say("getscheduler me %s", rc(SC(SYS_sched_getscheduler, me)));
	say("getscheduler 0 %s", rc(SC(SYS_sched_getscheduler, 0)));
	say("raise %s", rc(raise(0)));
}

static void own_number_kill(void)
{
	uint32_t me = (uint32_t)SC(SYS_getpid);
	const struct insn p[] = {LD_NR,	     JEQ(SYS_tgkill, 0, 2), LD_ARG(0), JEQ(me, 0, 1),
				 RET(ALLOW), RET(KILL_PROCESS)};

	no_new_privs();
	say("filter %s", rc(filter_n(0, p, COUNT(p))));
	say("tgkill me %s", rc(SC(SYS_tgkill, me, me, 0)));
	say("tgkill 1 %s", rc(SC(SYS_tgkill, 1, 1, 0)));
}

/* By the upper half of an argument, by the place, by a computation. */
static void odd_filters(void)
{
	uint64_t here = (uint64_t)(uintptr_t)&odd_filters;
	const struct insn place[] = {LD_NR,	     JEQ(SYS_getpid, 0, 3),
				     LD(12),	     JEQ((uint32_t)(here >> 32), 1, 0),
				     RET(ERRNO | 2), RET(ALLOW)};
	const struct insn upper[] = {LD_NR,	   JEQ(SYS_kill, 0, 3), LD(20),
				     JEQ(0, 1, 0), RET(ERRNO | 3),	RET(ALLOW)};
	/* M[3] = nr; X = 39; A = nr / (nr - 39) ...: a division by 0 kills */
	const struct insn divide[] = {LD_NR,	       {0x02, 0, 0, 3}, {0x14, 0, 0, SYS_getpgrp},
				      {0x07, 0, 0, 0}, {0x60, 0, 0, 3}, {0x3c, 0, 0, 0},
				      RET(ALLOW)};
	const struct insn computed[] = {
		LD_NR, JEQ(SYS_getsid, 0, 2), LD_ARG(0), {0x16, 0, 0, 0}, RET(ALLOW)};

	no_new_privs();
	say("place %s", rc(filter_n(0, place, COUNT(place))));
	say("getpid %s", rc(SC(SYS_getpid)));
	say("upper %s", rc(filter_n(0, upper, COUNT(upper))));
	say("kill %s", rc(SC(SYS_kill, 1, 0)));
	say("kill %s", rc(SC(SYS_kill, 0x100000001l, 0)));
	say("computed %s", rc(filter_n(0, computed, COUNT(computed))));
	say("getsid %s", rc(SC(SYS_getsid, ERRNO | 33)));
	say("getsid %s", rc(SC(SYS_getsid, ALLOW)));
	say("divide %s", rc(filter_n(0, divide, COUNT(divide))));
	say("getpid %s getuid %s", rc(SC(SYS_getpid)), rc(SC(SYS_getuid) > 0));
	say("getpgrp %s", rc(SC(SYS_getpgrp)));
}

/* What the resident makes of its own needs no filter of the program may refuse. */
static void only_these(void)
{
	const struct insn p[] = {LD_NR,
				 JEQ(SYS_write, 6, 0),
				 JEQ(SYS_getpid, 5, 0),
				 JEQ(SYS_exit_group, 4, 0),
				 JEQ(SYS_openat, 3, 0),
				 JEQ(SYS_kill, 2, 0),
				 JEQ(SYS_rt_sigreturn, 1, 0),
				 RET(KILL_PROCESS),
				 RET(ALLOW)};
	struct sigaction sa = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};

	sigaction(SIGUSR1, &sa, NULL);
	no_new_privs();
	say("filter %s", rc(filter_n(0, p, COUNT(p))));
	say("getpid %s", rc(SC(SYS_getpid)));
	say("open %s", SC(SYS_openat, -100, "/proc/self/status", 0) >= 0 ? "yes" : "no");
	SC(SYS_kill, SC(SYS_getpid), SIGUSR1);
	say("handler ran %ld", seen.count);
	say("getppid %s", rc(SC(SYS_getppid)));
}

static void returns_errno(void)
{
	struct sigaction sa = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};

	sigaction(SIGUSR1, &sa, NULL);
	deny(SYS_rt_sigreturn, KILL_PROCESS);
	SC(SYS_kill, SC(SYS_getpid), SIGUSR1);
	say("came back");
}

/* A filter decides about the other doors into the kernel too. */
static long int80(long nr)
{
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "0"(nr), "b"(0l), "c"(0l), "d"(0l)
			 : "memory", "r8", "r9", "r10", "r11");
	return r;
}

static void other_arch(void)
{
	const struct insn p[] = {LD_ARCH, JEQ(ARCH_64, 1, 0), RET(verdict_now), RET(ALLOW)};

	catch_sys(0);
	no_new_privs();
	filter_n(0, p, COUNT(p));
	say("int 0x80 = %s", rc(int80(20)));
	say("count %ld errno %d syscall %d arch %x", seen.count, seen.si.err, seen.si.syscall,
	    seen.si.arch);
	say("x32 %s", rc(SC(0x40000000 | SYS_getpid)));
}

static void x32_range(void)
{
	const struct insn p[] = {LD_NR, {0x35, 0, 1, 0x40000000}, RET(verdict_now), RET(ALLOW)};

	catch_sys(0);
	no_new_privs();
	filter_n(0, p, COUNT(p));
	say("x32 = %s", rc(SC(0x40000000 | SYS_getpid)));
	say("count %ld errno %d syscall %x rax %lx", seen.count, seen.si.err, seen.si.syscall,
	    seen.rax);
	say("-1 = %s", rc(SC(-1)));
}

static void doors(void)
{
	static const uint32_t list[] = {KILL_PROCESS, TRAP | 5, TRAP | 0x5350, ERRNO | 13, TRACE};

	for (size_t v = 0; v < COUNT(list); v++) {
		verdict_now = list[v];
		in_child("other architecture", other_arch);
		in_child("x32", x32_range);
	}
}

static void numbers(void)
{
	doors();
	in_child("own number", own_number);
	in_child("own number or death", own_number_kill);
	in_child("odd filters", odd_filters);
	in_child("only these", only_these);
	in_child("no return", returns_errno);
}

/* --- several --------------------------------------------------------------------------------------------- */

static void many_filters(void)
{
	deny(SYS_getpid, ERRNO | 5);
	say("first: %s", rc(SC(SYS_getpid)));
	deny(SYS_getpid, ERRNO | 6);
	say("equal ones, the newest wins: %s", rc(SC(SYS_getpid)));
	deny(SYS_getpid, LOG);
	deny(SYS_getpid, ALLOW);
	say("weaker ones do not: %s", rc(SC(SYS_getpid)));
	deny(SYS_getppid, ERRNO | 7);
	say("others: %s %s", rc(SC(SYS_getppid)), rc(SC(SYS_gettid)));
	catch_sys(0);
	deny(SYS_getpid, TRAP | 1);
	show_trap("a stricter one does", SC(SYS_getpid));
	deny(SYS_getpid, TRAP | 2);
	show_trap("and the newest of those", SC(SYS_getpid));
	deny(SYS_getpid, KILL_PROCESS);
	show_trap("and one more", SC(SYS_getpid));
}

static void deep(void)
{
	for (int i = 0; i < 60; i++)
		deny(SYS_getpid, ERRNO | (uint32_t)(100 + i % 3));
	say("sixty: %s", rc(SC(SYS_getpid)));
	say("others: %s", rc(SC(SYS_getppid)));
}

/* Long ones: jumps over everything, and many different values. */
static void lengthy(void)
{
	static struct insn p[4000];
	size_t n = 0;

	p[n++] = (struct insn)LD_NR;
	for (; n < 3900; n++)
		p[n] = (struct insn){0x15, 0, 0, 5000 + (uint32_t)n};
	p[n++] = (struct insn)JEQ(SYS_getpid, 1, 0);
	p[n++] = (struct insn)JEQ(SYS_getuid, 1, 2);
	p[n++] = (struct insn)RET(ERRNO | 8);
	p[n++] = (struct insn)RET(ERRNO | 9);
	p[n++] = (struct insn)RET(ALLOW);
	no_new_privs();
	say("long %s", rc(filter_n(0, p, n)));
	say("  %s %s", rc(SC(SYS_getpid)), rc(SC(SYS_getuid)));
	n = 0;
	p[n++] = (struct insn)LD_NR;
	for (uint32_t i = 0; i < 300; i++) {
		p[n++] = (struct insn)JEQ(i, 0, 1);
		p[n++] = (struct insn)RET(i == SYS_write || i == SYS_exit_group || i == SYS_rt_sigreturn
						  ? ALLOW
						  : ERRNO | (200 + i));
	}
	p[n++] = (struct insn)RET(ALLOW);
	say("values %s", rc(filter_n(0, p, n)));
	say("  %s %s %s", rc(SC(SYS_getpid)), rc(SC(SYS_getppid)), rc(SC(SYS_close, 55)));
}

static void many(void)
{
	in_child("several", many_filters);
	in_child("deep", deep);
	in_child("lengthy", lengthy);
}

/* --- refusals -------------------------------------------------------------------------------------------- */

static void refusals(void)
{
	static const struct insn ok[] = {RET(ALLOW)};
	static struct insn big[4097];
	static const struct insn bad[][2] = {{LD_NR, LD_NR},
					     {{0xffff, 0, 0, 0}, RET(ALLOW)},
					     {LD(64), RET(ALLOW)},
					     {LD(3), RET(ALLOW)},
					     {{0x05, 0, 0, 1}, RET(ALLOW)},
					     {{0x15, 0, 1, 0}, RET(ALLOW)},
					     {{0x34, 0, 0, 0}, RET(0)},
					     {{0x60, 0, 0, 0}, RET(0)},
					     {{0x02, 0, 0, 16}, RET(0)},
					     {{0x94, 0, 0, 1}, RET(0)},
					     {{0x64, 0, 0, 32}, RET(0)},
					     {{0x28, 0, 0, 0}, RET(0)},
					     {{0x80, 0, 0, 0}, RET(ALLOW)},
					     {{0x8c, 0, 0, 0}, RET(ALLOW)},
					     {{0x0e, 0, 0, 0}, RET(0)},
					     {{0x06, 9, 9, 0x7fff0000}, {0x06, 1, 2, 0x7fff0000}}};
	struct fprog prog = {1, {0}, ok}, none = {0, {0}, ok}, nowhere = {1, {0}, WILD};
	struct fprog null = {1, {0}, NULL}, most = {4096, {0}, WILD}, more = {4097, {0}, big};

	say("without no_new_privs %s", rc(SC(SYS_seccomp, MODE_FILTER, 0, &prog)));
	say("  by prctl %s", rc(SC(SYS_prctl, 22, 2, &prog)));
	say("  length 0 %s", rc(SC(SYS_seccomp, MODE_FILTER, 0, &none)));
	say("  too long %s", rc(SC(SYS_seccomp, MODE_FILTER, 0, &more)));
	say("  no program %s", rc(SC(SYS_seccomp, MODE_FILTER, 0, &null)));
	say("  wild %s", rc(SC(SYS_seccomp, MODE_FILTER, 0, WILD)));
	say("nnp %s", rc(SC(SYS_prctl, 39)));
	say("nnp 0 %s", rc(SC(SYS_prctl, 38, 0)));
	say("nnp 2 %s", rc(SC(SYS_prctl, 38, 2)));
	say("nnp junk %s", rc(SC(SYS_prctl, 38, 1, 0, 0, 1)));
	say("nnp high %s", rc(SC(SYS_prctl, 38, 0x100000001l)));
	say("nnp get junk %s", rc(SC(SYS_prctl, 39, 1)));
	say("nnp option high %s", rc(SC(SYS_prctl, 0x100000000l | 39)));
	say("nnp %s", rc(SC(SYS_prctl, 38, 1)));
	say("nnp %s", rc(SC(SYS_prctl, 39)));
	say("mode %s", rc(SC(SYS_prctl, 21, 5, 5, 5, 5)));
	say("flags %s", rc(SC(SYS_seccomp, MODE_FILTER, 0x80, &prog)));
	say("flags wild %s", rc(SC(SYS_seccomp, MODE_FILTER, 0x80, WILD)));
	say("listener and tsync %s", rc(SC(SYS_seccomp, MODE_FILTER, F_LISTENER | F_TSYNC, &prog)));
	say("killable %s", rc(SC(SYS_seccomp, MODE_FILTER, F_KILLABLE, &prog)));
	say("wild %s", rc(SC(SYS_seccomp, MODE_FILTER, 0, WILD)));
	say("null %s", rc(SC(SYS_seccomp, MODE_FILTER, 0, 0)));
	say("length 0 %s", rc(SC(SYS_seccomp, MODE_FILTER, 0, &none)));
	say("wild program %s", rc(SC(SYS_seccomp, MODE_FILTER, 0, &nowhere)));
	say("null program %s", rc(SC(SYS_seccomp, MODE_FILTER, 0, &null)));
	say("most %s", rc(SC(SYS_seccomp, MODE_FILTER, 0, &most)));
	say("too long %s", rc(SC(SYS_seccomp, MODE_FILTER, 0, &more)));
	say("unknown operation %s", rc(SC(SYS_seccomp, 77, 0, 0)));
	say("strict with flags %s", rc(SC(SYS_seccomp, MODE_STRICT, 1, 0)));
	say("strict with more %s", rc(SC(SYS_seccomp, MODE_STRICT, 0, &prog)));
	say("prctl mode 0 %s", rc(SC(SYS_prctl, 22, 0)));
	say("prctl mode 3 %s", rc(SC(SYS_prctl, 22, 3)));
	for (size_t i = 0; i < COUNT(bad); i++)
		say("bad %zu: %s", i, rc(filter_n(0, bad[i], 2)));
	say("mode %s", rc(SC(SYS_prctl, 21)));
	say("operation with junk above %s", rc(SC(SYS_seccomp, 0xf00000001l, 0xf00000000l, &prog)));
	say("mode %s", rc(SC(SYS_prctl, 21)));
	say("strict after a filter %s", rc(SC(SYS_prctl, 22, 1)));
	say("by prctl %s", rc(SC(SYS_prctl, 22, 2, &prog)));
	say("log %s", rc(SC(SYS_seccomp, MODE_FILTER, F_LOG, &prog)));
	say("spec %s", rc(SC(SYS_seccomp, MODE_FILTER, F_SPEC_ALLOW, &prog)));
}

static void actions(void)
{
	static const uint32_t list[] = {KILL_PROCESS, KILL_THREAD, TRAP,  ERRNO,    NOTIF,
					TRACE,	      LOG,	   ALLOW, 0x60000u, 0x12345678};
	uint16_t sizes[3] = {0, 0, 0};

	for (size_t i = 0; i < COUNT(list); i++)
		say("action %08x %s", list[i], rc(SC(SYS_seccomp, GET_ACTION_AVAIL, 0, &list[i])));
	say("action flags %s", rc(SC(SYS_seccomp, GET_ACTION_AVAIL, 1, &list[0])));
	say("action wild %s", rc(SC(SYS_seccomp, GET_ACTION_AVAIL, 0, WILD)));
	say("sizes %s", rc(SC(SYS_seccomp, GET_NOTIF_SIZES, 0, sizes)));
	say("sizes %d %d %d", sizes[0], sizes[1], sizes[2]);
}

/* --- number 1 -------------------------------------------------------------------------------------------- */

static void *thread_of_init(void *p)
{
	deny(SYS_getppid, KILL_PROCESS);
	SC(SYS_getppid);
	return NULL;
}

/* What the kernel forces is not ignored by it. */
static void as_init(const char *what)
{
	pthread_t t;

	if (!strcmp(what, "thread")) {
		pthread_create(&t, NULL, thread_of_init, NULL);
		pthread_join(t, NULL);
		say("survived");
		return;
	}
	if (!strcmp(what, "ignored"))
		signal(SIGSYS, SIG_IGN);
	else if (!strcmp(what, "blocked"))
		set_raw_mask(~0ull);
	deny(SYS_getppid, !strcmp(what, "kill") ? KILL_THREAD : TRAP);
	say("number %s", rc(SC(SYS_getpid)));
	SC(SYS_getppid);
	say("survived");
}

int main(int argc, char **argv)
{
	const char *what = argv[1];

	if (!strcmp(what, "verdicts"))
		verdicts();
	else if (!strcmp(what, "traps"))
		traps();
	else if (!strcmp(what, "numbers"))
		numbers();
	else if (!strcmp(what, "many"))
		many();
	else if (!strcmp(what, "refused"))
		in_child("refused", refusals);
	else if (!strncmp(what, "init-", 5))
		as_init(what + 5);
	else
		actions();
	return 0;
}
