/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ptrace refuses, and in which order: numbers that are nobody's, oneself, number 1, tasks that run, tasks of
 * another tracer, requests that do not exist, bad pointers, options and signals, junk in the upper halves.
 */
#include "tracer.h"

#define JUNK 0x5a5a5a5a00000000l

static const struct {
	long req;
	const char *name;
} requests[] = {
	{1, "PEEKTEXT"},
	{2, "PEEKDATA"},
	{3, "PEEKUSER"},
	{4, "POKETEXT"},
	{5, "POKEDATA"},
	{6, "POKEUSER"},
	{7, "CONT"},
	{8, "KILL"},
	{9, "SINGLESTEP"},
	{12, "GETREGS"},
	{13, "SETREGS"},
	{14, "GETFPREGS"},
	{15, "SETFPREGS"},
	{16, "ATTACH"},
	{17, "DETACH"},
	{21, "OLDSETOPTIONS"},
	{24, "SYSCALL"},
	{25, "GET_THREAD_AREA"},
	{26, "SET_THREAD_AREA"},
	{30, "ARCH_PRCTL"},
	{31, "SYSEMU"},
	{32, "SYSEMU_SINGLESTEP"},
	{33, "SINGLEBLOCK"},
	{0x4200, "SETOPTIONS"},
	{0x4201, "GETEVENTMSG"},
	{0x4202, "GETSIGINFO"},
	{0x4203, "SETSIGINFO"},
	{0x4204, "GETREGSET"},
	{0x4205, "SETREGSET"},
	{0x4206, "SEIZE"},
	{0x4207, "INTERRUPT"},
	{0x4208, "LISTEN"},
	{0x4209, "PEEKSIGINFO"},
	{0x420a, "GETSIGMASK"},
	{0x420b, "SETSIGMASK"},
	{0x420c, "SECCOMP_GET_FILTER"},
	{0x420d, "SECCOMP_GET_METADATA"},
	{0x420e, "GET_SYSCALL_INFO"},
	{0x420f, "GET_RSEQ_CONFIGURATION"},
	{99, "99"},
	{-1, "-1"},
	{0x10000, "0x10000"},
};

static void all(const char *name, long pid, bool skip_attach)
{
	for (size_t i = 0; i < COUNT(requests); i++) {
		long req = requests[i].req;

		/* Those would change what the next ones find. */
		if (skip_attach && (req == 16 || req == 0x4206 || req == 0x4207 || req == 8))
			continue;
		say("%s %s: %s", name, requests[i].name, rc(PT(req, pid, WILD, WILD)));
	}
}

/* At a stop, with everything bad that does not resume. */
static void at_stop(const char *name, pid_t pid)
{
	struct {
		void *base;
		uint64_t len;
	} iov;
	char buf[512];
	unsigned long v = 0;

	for (size_t i = 0; i < COUNT(requests); i++) {
		long req = requests[i].req;

		if (req == 7 || req == 8 || req == 9 || req == 16 || req == 17 || req == 24 ||
		    (req > 30 && req < 34) || req == 0x4206 || req == 0x4208 || req == 21 ||
		    req == 0x4200 || req == 30 || req == 0x420f)
			continue;
		say("%s %s: %s", name, requests[i].name, rc(PT(req, pid, WILD, WILD)));
	}
	say("%s bad signals %s %s %s", name, rc(PT(T_CONT, pid, 0, 65)),
	    rc(PT(T_SYSCALL, pid, 0, -1)), rc(PT(T_DETACH, pid, 0, 1000)));
	say("%s options %s %s", name, rc(PT(T_SETOPTIONS, pid, 0, 0x40000000)),
	    rc(PT(T_SETOPTIONS, pid, 0, 0x200000)));
	say("%s seized %s attached %s", name, rc(PT(T_SEIZE, pid, 0, 0)), rc(PT(T_ATTACH, pid, 0, 0)));
	say("%s listen %s interrupt %s", name, rc(PT(T_LISTEN, pid, 0, 0)),
	    rc(PT(T_INTERRUPT, pid, 0, 0)));
	say("%s peek odd %s far %s user odd %s far %s", name, rc(PT(T_PEEKDATA, pid, 3, &v)),
	    rc(PT(T_PEEKDATA, pid, WILD, &v)), rc(PT(T_PEEKUSER, pid, 3, &v)),
	    rc(PT(T_PEEKUSER, pid, 100000, &v)));
	iov.base = buf;
	for (uint64_t len = 0; len < 300; len += 20) {
		long r;

		iov.len = len;
		r = PT(T_GETREGSET, pid, 1, &iov);
		say("%s regset %ld: %s %ld", name, (long)len, rc(r), (long)iov.len);
	}
	iov.len = sizeof(buf);
	say("%s regset 77 %s info sizes %s %s", name, rc(PT(T_GETREGSET, pid, 77, &iov)),
	    rc(PT(T_SYSCALL_INFO, pid, 0, buf)), rc(PT(T_SYSCALL_INFO, pid, 8, WILD)));
	say("%s junk %s", name, rc(PT(T_GETREGS, pid | JUNK, 0, buf)));
}

static void quiet(void)
{
	uint64_t set = BIT(SIGCHLD);

	SC(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
	if (!SC(SYS_fork))
		SC(SYS_exit_group, 0);
	SC(SYS_wait4, -1, NULL, 0, NULL);
	for (;;)
		SC(SYS_pause);
}

static void second(void)
{
	say("TRACEME %s", rc(PT(T_TRACEME, 0, 0, 0)));
	say("TRACEME again %s", rc(PT(T_TRACEME, 0, 0, 0)));
}

int main(void)
{
	static const long nobody[] = {0, -1, -2, 4000, INT_MIN, INT_MAX, 4194304};
	/* When it is attached to it sleeps. */
	pid_t pid = sleeper(), other, grand;
	struct gate g = gate_new();
	int st;

	for (size_t i = 0; i < COUNT(nobody); i++) {
		char name[32];

		snprintf(name, sizeof(name), "nobody %ld", nobody[i]);
		all(name, nobody[i], false);
		all(name, nobody[i] | JUNK, false);
	}
	rest(pid);
	all("self", getpid(), false);
	all("not mine", pid, true);
	say("seize: address %s options %s %s", rc(PT(T_SEIZE, pid, 1, 0)),
	    rc(PT(T_SEIZE, pid, 0, 0x40000000)), rc(PT(T_SEIZE, pid, 0, -1)));
	say("seize %s again %s", rc(PT(T_SEIZE, pid | JUNK, 0, O_SYSGOOD)), rc(PT(T_SEIZE, pid, 0, 0)));
	all("runs", pid, true);
	say("interrupt %s", rc(PT(T_INTERRUPT, pid, 0, 0)));
	next_stop("interrupted", pid);
	at_stop("interrupted", pid);
	/* Another one's. */
	other = fork_or_die();
	if (!other) {
		all("another's", pid, false);
		_exit(0);
	}
	say("%s", reap(other));
	PT(T_DETACH, pid, 0, 0);
	end(pid);
	say("gone %s", rc(PT(T_ATTACH, pid, 0, 0)));

	/* At an event inside a call, and at the first stop of the child. */
	pid = traced("fork", quiet, O_SYSGOOD | O_FORK | O_EXIT);
	PT(T_CONT, pid, 0, 0);
	st = next_stop("fork", pid);
	at_stop("at fork", pid);
	grand = pid + 1;
	next_stop("child", grand);
	at_stop("child", grand);
	PT(T_DETACH, grand, 0, 0);
	PT(T_CONT, pid, 0, 0);
	kill(pid, SIGKILL);
	do {
		SC(SYS_wait4, pid, &st, W_ALL, NULL);
		if (WIFSTOPPED(st))
			PT(T_CONT, pid, 0, 0);
	} while (WIFSTOPPED(st));
	say("killed: %s", stop_name(st));

	/* A zombie, a child of the tracee, number 1 by a child. */
	pid = fork_or_die();
	if (!pid)
		_exit(1);
	await_zombie(pid);
	all("zombie", pid, false);
	reap(pid);
	pid = fork_or_die();
	if (!pid) {
		gate_pass(g);
		_exit(2);
	}
	rest(pid);
	say("attach %s", rc(PT(T_ATTACH, pid, JUNK, JUNK)));
	next_stop("attached", pid);
	at_stop("attached", pid);
	PT(T_DETACH, pid, 0, 0);
	gate_open(g);
	say("%s", reap(pid));
	pid = fork_or_die();
	if (!pid) {
		second();
		_exit(0);
	}
	say("%s", reap(pid));
	return 0;
}
