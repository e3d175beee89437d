/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who am I, as every call that says so answers it: getpid, gettid, getppid, getpgrp, getpgid, getsid
 * and set_tid_address, in process 1 and in a child, with special numbers, with junk in registers that
 * the call does not use and with junk in the upper half of those it reads as 32 bits.
 */
#include "probe.h"

#define JUNK 0x5aa5deadbeef5aa5l
#define HIGH(v) ((long)(0xdeadbeef00000000ul | (uint32_t)(v)))

static const struct {
	const char *name;
	long nr;
} plain[] =
	{
		{"getpid", SYS_getpid},
		{"gettid", SYS_gettid},
		{"getppid", SYS_getppid},
		{"getpgrp", SYS_getpgrp},
},
  asks[] = {
	  {"getpgid", SYS_getpgid},
	  {"getsid", SYS_getsid},
};

static const int numbers[] = {0, 1, 2, 3, 77, -1, -2, INT_MIN, INT_MAX, 4194303, 4194304, 32768};

static void all(const char *who)
{
	int word = 0;

	for (size_t i = 0; i < COUNT(plain); i++) {
		say("%s %s %s", who, plain[i].name, rc(SC(plain[i].nr)));
		say("%s %s junk %s", who, plain[i].name,
		    rc(SC(plain[i].nr, JUNK, ~JUNK, JUNK, -1, INT_MIN, JUNK)));
	}
	for (size_t i = 0; i < COUNT(asks); i++) {
		for (size_t k = 0; k < COUNT(numbers); k++) {
			say("%s %s(%d) %s", who, asks[i].name, numbers[k],
			    rc(SC(asks[i].nr, numbers[k])));
			say("%s %s(high %d) %s", who, asks[i].name, numbers[k],
			    rc(SC(asks[i].nr, HIGH(numbers[k]), JUNK, JUNK, JUNK, JUNK, JUNK)));
		}
		say("%s %s(own) %s", who, asks[i].name, rc(SC(asks[i].nr, SC(SYS_getpid))));
	}
	say("%s libc %d %d %d %d %d %d", who, getpid(), getppid(), getpgrp(), getpgid(0), getsid(0),
	    (int)syscall(SYS_gettid));
	/* Undone at once with what a libc would have set is impossible; nothing here joins it. */
	say("%s set_tid_address %s", who, names_me(SC(SYS_set_tid_address, &word)));
	say("%s set_tid_address junk %s", who, names_me(SC(SYS_set_tid_address, &word, JUNK, JUNK)));
	SC(SYS_set_tid_address, NULL);
}

static void grandchild(void)
{
	all("grandchild");
}

static void child(void)
{
	all("child");
	in_child("grandchild", grandchild);
}

/* Pid arguments of calls that act are read as 32 bits as well. */
static void high_bits(void)
{
	pid_t pid = sleeper();
	siginfo_t si;
	long r;

	say("kill %s", rc(SC(SYS_kill, HIGH(pid), 0)));
	say("kill high signal %s", rc(SC(SYS_kill, HIGH(pid), HIGH(0))));
	say("kill high invisible %s", rc(SC(SYS_kill, HIGH(999), 0)));
	say("tkill %s", rc(SC(SYS_tkill, HIGH(pid), HIGH(0))));
	say("tgkill %s", rc(SC(SYS_tgkill, HIGH(pid), HIGH(pid), HIGH(0))));
	say("tgkill wrong %s", rc(SC(SYS_tgkill, HIGH(1), HIGH(pid), HIGH(0))));
	say("setpgid %s", rc(SC(SYS_setpgid, HIGH(pid), HIGH(pid))));
	say("getpgid %s", rc(SC(SYS_getpgid, HIGH(pid))));
	r = SC(SYS_pidfd_open, HIGH(pid), HIGH(0));
	say("pidfd_open %s", r >= 0 ? "a descriptor" : rc(r));
	if (r >= 0) {
		say("pidfd_send_signal %s",
		    rc(SC(SYS_pidfd_send_signal, HIGH(r), HIGH(0), 0, HIGH(0))));
		close((int)r);
	}
	say("kill %s", rc(SC(SYS_kill, HIGH(pid), HIGH(SIGKILL))));
	r = SC(SYS_waitid, HIGH(P_PID), HIGH(pid), &si, WEXITED | WNOWAIT, NULL);
	say("waitid %s pid %d", rc(r), si.si_pid);
	say("wait4 %s", rc(SC(SYS_wait4, HIGH(pid), NULL, 0, NULL)));
	say("wait4 %s", rc(SC(SYS_wait4, HIGH(-1), NULL, HIGH(WNOHANG), NULL)));
}

int main(void)
{
	all("init");
	in_child("child", child);
	in_child("high bits", high_bits);
	all("init again");
	return 7;
}
