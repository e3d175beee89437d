/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the probes of ptrace share: raw requests, and one line for each stop of a tracee. Addresses are shown as offsets
 * into the probe itself, or as what they lie in.
 */
#ifndef TRACER_H
#define TRACER_H

#include "probe.h"

#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#define T_TRACEME 0
#define T_PEEKDATA 2
#define T_PEEKUSER 3
#define T_POKEDATA 5
#define T_POKEUSER 6
#define T_CONT 7
#define T_KILL 8
#define T_STEP 9
#define T_GETREGS 12
#define T_SETREGS 13
#define T_ATTACH 16
#define T_DETACH 17
#define T_SYSCALL 24
#define T_SYSEMU 31
#define T_SETOPTIONS 0x4200
#define T_GETEVENTMSG 0x4201
#define T_GETSIGINFO 0x4202
#define T_SETSIGINFO 0x4203
#define T_GETREGSET 0x4204
#define T_SETREGSET 0x4205
#define T_SEIZE 0x4206
#define T_INTERRUPT 0x4207
#define T_LISTEN 0x4208
#define T_PEEKSIGINFO 0x4209
#define T_GETSIGMASK 0x420a
#define T_SETSIGMASK 0x420b
#define T_SYSCALL_INFO 0x420e

#define O_SYSGOOD 1
#define O_FORK 2
#define O_VFORK 4
#define O_CLONE 8
#define O_EXECS 16
#define O_VFORK_DONE 32
#define O_EXIT 64
#define O_SECCOMP 128
#define O_KILL 0x100000
#define W_ALL 0x40000000

#define PT(req, pid, addr, data) SC(SYS_ptrace, req, pid, addr, data)

struct call_info {
	uint8_t op, pad[3];
	uint32_t arch;
	uint64_t ip, sp;
	union {
		struct {
			uint64_t nr, args[6];
			uint32_t ret_data;
		} entry;
		struct {
			int64_t rval;
			uint8_t is_error;
		} exit;
	};
};

extern char __executable_start[], etext[];

/* An address of the probe's text as an offset, anything else by what it is. */
MAYBE static const char *where(uint64_t ip)
{
	char *s = scratch();
	uint64_t base = (uint64_t)__executable_start;

	if (ip >= base && ip < (uint64_t)etext)
		snprintf(s, 160, "+%lx", (long)(ip - base));
	else
		snprintf(s, 160, "%s", ip ? "elsewhere" : "0");
	return s;
}

/* Small numbers as they are; the rest is an address. */
MAYBE static const char *val(int64_t v)
{
	char *s = scratch();

	if (v > -100000 && v < 5000000)
		snprintf(s, 160, "%ld", (long)v);
	else
		snprintf(s, 160, "big");
	return s;
}

MAYBE static const char *stop_name(int st)
{
	static const char *const names[] = {"0",    "fork",	  "vfork", "clone",
					    "exec", "vfork done", "exit",  "seccomp"};
	char *s = scratch();
	int event = st >> 16;

	if (!WIFSTOPPED(st))
		return status_text(st);
	if (event && event < 8)
		snprintf(s, 160, "event %s sig %d", names[event], WSTOPSIG(st));
	else
		snprintf(s, 160, "stop %d event %d", WSTOPSIG(st), event);
	return s;
}

MAYBE static void show_call(pid_t pid)
{
	struct call_info ci;
	long n;

	memset(&ci, 0, sizeof(ci));
	n = PT(T_SYSCALL_INFO, pid, sizeof(ci), &ci);
	if (ci.op == 1 || ci.op == 3)
		say("    info %s op %d arch %x ip %s nr %s args %s %s %s", rc(n), ci.op, ci.arch,
		    where(ci.ip), val((int64_t)ci.entry.nr), val((int64_t)ci.entry.args[0]),
		    val((int64_t)ci.entry.args[1]), val((int64_t)ci.entry.args[2]));
	else if (ci.op == 2)
		say("    info %s op %d ip %s result %s error %d", rc(n), ci.op, where(ci.ip),
		    val(ci.exit.rval), ci.exit.is_error);
	else
		say("    info %s op %d ip %s", rc(n), ci.op, where(ci.ip));
}

/* set_tid_address gives a leader's libc the kernel's own number, which it hands back later. */
MAYBE static int is_set_tid(const struct user_regs_struct *r)
{
	return r->orig_rax == SYS_set_tid_address;
}

/* Everything a tracer can ask about a stop. */
MAYBE static void show_stop(const char *name, pid_t pid, int st)
{
	struct user_regs_struct r;
	siginfo_t si;
	unsigned long msg = 0, ax = 0;
	uint64_t mask = 0;
	long q, m;

	if (!WIFSTOPPED(st)) {
		say("%s %d: %s", name, pid, stop_name(st));
		return;
	}
	memset(&si, 0, sizeof(si));
	memset(&r, 0, sizeof(r));
	q = PT(T_GETSIGINFO, pid, 0, &si);
	m = PT(T_GETEVENTMSG, pid, 0, &msg);
	PT(T_GETREGS, pid, 0, &r);
	PT(T_PEEKUSER, pid, offsetof(struct user_regs_struct, rax), &ax);
	PT(T_GETSIGMASK, pid, 8, &mask);
	say("%s %d: %s", name, pid, stop_name(st));
	say("    siginfo %s signo %d code %x pid %d; msg %s %ld; mask %s", rc(q), si.si_signo,
	    (unsigned int)si.si_code,
	    si.si_signo == SIGSEGV || (si.si_signo == SIGTRAP && si.si_code > 0 && si.si_code < 5)
		    ? 0
		    : si.si_pid,
	    rc(m), st >> 16 == 6 || st >> 16 == 128 ? 0 : (long)msg, mask_text(mask));
	if (is_set_tid(&r)) {
		say("    set_tid_address");
		return;
	}
	say("    ip %s rax %s orig %s rdi %s rsi %s%s%s", where(r.rip), val((int64_t)r.rax),
	    val((int64_t)r.orig_rax), val((int64_t)r.rdi), val((int64_t)r.rsi),
	    ax == r.rax ? "" : " PEEKUSER differs",
	    r.orig_rax < 0x10000 && r.rcx != r.rip && r.rcx ? " rcx differs" : "");
	show_call(pid);
}

/* Waits for the next stop of pid; 0 when it is gone. */
MAYBE static int next_stop(const char *name, pid_t pid)
{
	int st = 0;
	long r;

	do
		r = SC(SYS_wait4, pid, &st, W_ALL, NULL);
	while (r == -EINTR);
	if (r != pid) {
		say("%s: wait %s", name, rc(r));
		return 0;
	}
	show_stop(name, pid, st);
	return st;
}

/* What it gets to resume with: its signal, unless the stop is of another kind. */
MAYBE static int signal_of(int st)
{
	int sig = WSTOPSIG(st);

	return st >> 16 || sig == SIGTRAP || sig == (SIGTRAP | 0x80) || sig == SIGSTOP ? 0 : sig;
}

/* Resumes with req again and again, passing signals on, until it ends or after max stops. */
MAYBE static int follow(const char *name, pid_t pid, int st, long req, int max)
{
	while (WIFSTOPPED(st) && max--) {
		long r = PT(req, pid, 0, signal_of(st));

		if (r) {
			say("%s: resume %s", name, rc(r));
			return 0;
		}
		st = next_stop(name, pid);
		if (!st)
			break;
	}
	return st;
}

/*
 * Until pid has come to rest: it sleeps in a call, or some time has passed. A tracer under subpid has to wait for its
 * tracee now and then (docs/decisions/ptrace.md), so it looks meanwhile.
 */
MAYBE static void rest(pid_t pid)
{
	char path[64];
	int asleep = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < 400 && (i < 20 || asleep < 4); i++) {
		siginfo_t si;

		SC(SYS_waitid, P_PID, pid, &si, WSTOPPED | WEXITED | WNOHANG | WNOWAIT | W_ALL, NULL);
		usleep(500);
		asleep = stat_state(path) == 'S' ? asleep + 1 : 0;
	}
}

/* A child that is traced from the start, stopped by SIGSTOP, and then runs fn. */
MAYBE static pid_t traced(const char *name, void (*fn)(void), long options)
{
	pid_t pid = fork_or_die();

	if (!pid) {
		SC(SYS_ptrace, T_TRACEME, 0, 0, 0);
		SC(SYS_kill, SC(SYS_getpid), SIGSTOP);
		fn();
		SC(SYS_exit_group, 3);
	}
	next_stop(name, pid);
	say("%s: options %s", name, rc(PT(T_SETOPTIONS, pid, 0, options)));
	return pid;
}

#endif
