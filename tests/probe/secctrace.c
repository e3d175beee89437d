/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters that call a tracer: PTRACE_EVENT_SECCOMP of calls of every kind, what its registers are, and what
 * comes of going on, skipping with a result, another number, other arguments; without a tracer, and with the
 * other verdicts while there is one.
 *
 * args: goon skip change verdicts
 */
#include "secc.h"
#include <sys/ptrace.h>
#include <sys/user.h>

#ifndef PTRACE_O_TRACESECCOMP
#define PTRACE_O_TRACESECCOMP 0x80
#endif
#ifndef PTRACE_O_TRACESYSGOOD
#define PTRACE_O_TRACESYSGOOD 1
#endif
#define EVENT_SECCOMP (SIGTRAP | 7 << 8)

static const struct {
	const char *name;
	long nr, a, b, c;
} calls[] = {
	{"getpid", SYS_getpid, 0, 0, 0},
	{"getppid", SYS_getppid, 0, 0, 0},
	{"getuid", SYS_getuid, 0, 0, 0},
	{"kill", SYS_kill, 1, 0, 0},
	{"openat", SYS_openat, AT_FDCWD, (long)"/proc/self/stat", O_RDONLY},
	{"close", SYS_close, 77, 0, 0},
	{"wait4", SYS_wait4, -1, 0, WNOHANG},
	{"clone", SYS_clone, 0, 0, 0},
	{"getsid", SYS_getsid, 1, 0, 0},
	{"rt_sigprocmask", SYS_rt_sigprocmask, 99, 0, 0},
};
static size_t call_now;
static uint32_t verdict_now, then; /* of the call, of getppid */

static void make(void)
{
	long nr = calls[call_now].nr;
	long r = SC(nr, calls[call_now].a, calls[call_now].b, calls[call_now].c);

	if (nr == SYS_clone && !r)
		SC(SYS_exit_group, 0);
	if (nr == SYS_openat && r >= 0) {
		char buf[16] = "";

		SC(SYS_read, r, buf, sizeof(buf) - 1);
		say("  openat: %d", atoi(buf));
	} else {
		say("  %s: %s", calls[call_now].name, rc(r));
	}
}

static pid_t tracee(void)
{
	pid_t pid = fork_or_die();

	if (!pid) {
		SC(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
		SC(SYS_kill, SC(SYS_getpid), SIGSTOP);
		deny(calls[call_now].nr, verdict_now);
		if (then)
			deny(SYS_getppid, then);
		make();
		make();
		SC(SYS_exit_group, 3);
	}
	return pid;
}

static int next_stop(pid_t pid)
{
	int st = 0;

	while (SC(SYS_wait4, pid, &st, 0, NULL) == -EINTR)
		;
	return st;
}

static void show_regs(pid_t pid, struct user_regs_struct *r)
{
	unsigned long msg = 0, text = 0;

	SC(SYS_ptrace, PTRACE_GETREGS, pid, 0, r);
	SC(SYS_ptrace, PTRACE_GETEVENTMSG, pid, 0, &msg);
	SC(SYS_ptrace, PTRACE_PEEKTEXT, pid, (long)r->rip - 2, &text);
	say("event: message %lu number %ld rax %ld first %s code %s", msg, (long)r->orig_rax,
	    (long)r->rax, r->rdi < 100 ? rc((long)r->rdi) : "-",
	    (text & 0xffff) == 0x050f ? "syscall" : "something else");
}

/* how: 0 go on, 1 skip, 2 another number, 3 another argument; by_call: up to the end of the call */
static void trace(int how, int by_call)
{
	pid_t pid = tracee();
	struct user_regs_struct r;
	int st = next_stop(pid), events = 0;

	SC(SYS_ptrace, PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD);
	SC(SYS_ptrace, PTRACE_CONT, pid, 0, 0);
	while (WIFSTOPPED(st = next_stop(pid))) {
		int sig = 0, req = PTRACE_CONT;

		if (st >> 8 == EVENT_SECCOMP) {
			show_regs(pid, &r);
			if (how == 1) {
				r.orig_rax = -1;
				r.rax = 1000 + (unsigned long)events;
			} else if (how == 2) {
				r.orig_rax = events ? SYS_getppid : SYS_getuid;
			} else if (how == 3) {
				r.rdi = 0;
				r.rsi = 0;
				r.rdx = 0;
			}
			events++;
			if (how)
				SC(SYS_ptrace, PTRACE_SETREGS, pid, 0, &r);
			if (by_call)
				req = PTRACE_SYSCALL;
		} else if (st >> 8 == (SIGTRAP | 0x80)) {
			SC(SYS_ptrace, PTRACE_GETREGS, pid, 0, &r);
			say("exit: number %ld result %s", (long)r.orig_rax,
			    r.rax < 3 || calls[call_now].nr != SYS_openat ? rc((long)r.rax) : "open");
		} else {
			sig = WSTOPSIG(st);
			if (sig == SIGSYS) {
				struct sysinfo si;

				SC(SYS_ptrace, PTRACE_GETSIGINFO, pid, 0, &si);
				say("signal: errno %d code %d syscall %d", si.err, si.code, si.syscall);
			} else if (sig != SIGCHLD) {
				say("stop %d", sig);
			}
		}
		SC(SYS_ptrace, req, pid, 0, sig);
	}
	say("%s %d events, %s", calls[call_now].name, events, status_text(st));
}

static void every(int how)
{
	verdict_now = TRACE | 21;
	for (call_now = 0; call_now < COUNT(calls); call_now++) {
		trace(how, 0);
		trace(how, 1);
	}
}

static void verdicts(void)
{
	static const uint32_t list[] = {ERRNO | 5, TRAP | 6, KILL_PROCESS, KILL_THREAD, LOG, NOTIF};

	for (size_t v = 0; v < COUNT(list); v++) {
		verdict_now = list[v];
		for (call_now = 0; call_now < COUNT(calls); call_now++) {
			say("verdict %08x", list[v]);
			trace(0, 0);
		}
	}
}

int main(int argc, char **argv)
{
	const char *what = argv[1];

	if (!strcmp(what, "goon"))
		every(0);
	else if (!strcmp(what, "skip"))
		every(1);
	else if (!strcmp(what, "change")) {
		/* What a tracer has made of a call is judged again. */
		for (size_t i = 0; i < 5; i++) {
			static const uint32_t of_getppid[] = {ERRNO | 5, TRAP | 6, KILL_PROCESS,
							      LOG, ALLOW};

			then = of_getppid[i];
			every(2);
		}
		then = 0;
		every(2);
		every(3);
	} else
		verdicts();
	return 0;
}
