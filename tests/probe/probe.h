/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every probe shares: unbuffered lines, raw system calls, names for errors and wait statuses,
 * and gates (pipes) that order processes without sleeping. A probe prints observations, never
 * verdicts: the runner compares what it prints under a kernel PID namespace with what it prints
 * under subpid. So nothing printed may depend on addresses, time, host numbers or scheduling.
 *
 * Raw calls are used wherever a libc would cache, retry or refuse what the kernel decides. The
 * header asks for no kernel headers: musl-gcc does not see them.
 */
#ifndef PROBE_H
#define PROBE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAYBE __attribute__((unused))
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
/* No page is ever mapped there: the kernel's own half of the address space begins behind it. */
#define WILD ((void *)0x7ffffffff000ul)

#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_execveat
#define SYS_execveat 322
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#define PROBE_CLONE_PIDFD 0x1000ul
#define PROBE_CLONE_CLEAR_SIGHAND 0x100000000ul

/* --- raw calls ------------------------------------------------------------------------------- */

__attribute__((always_inline)) static inline long sc6(long nr, long a, long b, long c, long d,
						      long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#define SC_LONG(n, a, b, c, d, e, f, ...) \
	sc6((long)(n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
/* SC(nr, args...) makes the call with the missing arguments 0 and returns -errno on failure. */
#define SC(...) SC_LONG(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

/*
 * clone(2) with a stack of its own for the child, which runs fn(arg) and exits with its result. No
 * libc knows of the child, so that flags a libc's clone() refuses can be tried; it shares the
 * caller's TLS pointer and must keep to raw calls and say().
 */
long clone_on(unsigned long flags, void *stack_top, int *parent_tid, int *child_tid,
	      int (*fn)(void *), void *arg);
__asm__(".pushsection .text\n"
	".type clone_on, @function\n"
	"clone_on:\n"
	"	and $-16, %rsi\n"
	"	sub $16, %rsi\n"
	"	mov %r8, (%rsi)\n"
	"	mov %r9, 8(%rsi)\n"
	"	mov %rcx, %r10\n"
	"	xor %r8d, %r8d\n"
	"	mov $56, %eax\n"
	"	syscall\n"
	"	test %rax, %rax\n"
	"	jz 1f\n"
	"	ret\n"
	"1:	xor %ebp, %ebp\n"
	"	pop %rax\n"
	"	pop %rdi\n"
	"	call *%rax\n"
	"	mov %eax, %edi\n"
	"	mov $60, %eax\n"
	"	syscall\n"
	"	hlt\n"
	".size clone_on, . - clone_on\n"
	".popsection\n");

struct probe_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};

/* The kernel's sigaction, which differs from every libc's. */
struct ksigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

/* --- output ---------------------------------------------------------------------------------- */

MAYBE static void put(const char *text, size_t len)
{
	while (len) {
		long n = SC(SYS_write, 1, text, len);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			SC(SYS_exit_group, 99);
		text += n;
		len -= (size_t)n;
	}
}

/* One line in one write: nothing is buffered, so no fork can print it twice. */
__attribute__((format(printf, 1, 2))) MAYBE static void say(const char *fmt, ...)
{
	char line[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	if ((size_t)n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n] = '\n';
	put(line, (size_t)n + 1);
}

__attribute__((format(printf, 1, 2), noreturn)) MAYBE static void die(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	say("probe failed: %s", line);
	SC(SYS_exit_group, 98);
	__builtin_unreachable();
}

/* Small results of the formatting helpers live here: eight may be alive in one say(). */
MAYBE static char *scratch(void)
{
	static char ring[16][160];
	static unsigned int next;

	return ring[__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % 16];
}

MAYBE static const char *err(int e)
{
	static const struct {
		int e;
		const char *name;
	} names[] = {
		{EPERM, "EPERM"},
		{ENOENT, "ENOENT"},
		{ESRCH, "ESRCH"},
		{EINTR, "EINTR"},
		{EIO, "EIO"},
		{E2BIG, "E2BIG"},
		{ENOEXEC, "ENOEXEC"},
		{EBADF, "EBADF"},
		{ECHILD, "ECHILD"},
		{EAGAIN, "EAGAIN"},
		{ENOMEM, "ENOMEM"},
		{EACCES, "EACCES"},
		{EFAULT, "EFAULT"},
		{EBUSY, "EBUSY"},
		{EEXIST, "EEXIST"},
		{ENOTDIR, "ENOTDIR"},
		{EISDIR, "EISDIR"},
		{EINVAL, "EINVAL"},
		{EMFILE, "EMFILE"},
		{ETXTBSY, "ETXTBSY"},
		{ESPIPE, "ESPIPE"},
		{EPIPE, "EPIPE"},
		{ELOOP, "ELOOP"},
		{ENOSYS, "ENOSYS"},
		{ETIMEDOUT, "ETIMEDOUT"},
		{EROFS, "EROFS"},
		{ENXIO, "ENXIO"},
		{ENAMETOOLONG, "ENAMETOOLONG"},
		{EDEADLK, "EDEADLK"},
		{ERANGE, "ERANGE"},
		{EOPNOTSUPP, "EOPNOTSUPP"},
		{EFBIG, "EFBIG"},
		{ENOSPC, "ENOSPC"},
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (names[i].e == e)
			return names[i].name;
	return "E?";
}

/* A raw result: the value, or the error by name (with its number if the name is not known). */
MAYBE static const char *rc(long r)
{
	char *s = scratch();

	if (r < 0 && r > -4096) {
		const char *name = err((int)-r);

		if (name[1] == '?')
			snprintf(s, 160, "E%ld", -r);
		else
			snprintf(s, 160, "%s", name);
	} else {
		snprintf(s, 160, "%ld", r);
	}
	return s;
}

/* The same for a libc call, which says -1 and sets errno. */
MAYBE static const char *lrc(long r)
{
	return rc(r == -1 ? -(long)errno : r);
}

MAYBE static const char *status_text(int st)
{
	char *s = scratch();

	if (WIFEXITED(st))
		snprintf(s, 160, "exit %d", WEXITSTATUS(st));
	else if (WIFSIGNALED(st))
		snprintf(s, 160, "signal %d", WTERMSIG(st));
	else if (WIFSTOPPED(st))
		snprintf(s, 160, "stop %d", WSTOPSIG(st));
	else if (st == 0xffff)
		snprintf(s, 160, "continued");
	else
		snprintf(s, 160, "status %x", (unsigned int)st);
	return s;
}

/* The numbers of a signal set, for example "10,12"; "-" when it is empty. */
MAYBE static const char *mask_text(uint64_t mask)
{
	char *s = scratch();
	size_t at = 0;

	s[0] = 0;
	if (mask == ~0ull)
		return "all";
	for (int sig = 1; sig <= 64 && at < 150; sig++) {
		int end = sig;

		if (!(mask >> (sig - 1) & 1))
			continue;
		while (end < 64 && mask >> end & 1)
			end++;
		if (end > sig + 1)
			at += (size_t)snprintf(s + at, 160 - at, "%s%d-%d", at ? "," : "", sig, end);
		else
			at += (size_t)snprintf(s + at, 160 - at, "%s%d", at ? "," : "", sig);
		if (end > sig + 1)
			sig = end;
	}
	return at ? s : "-";
}

#define BIT(sig) (1ull << ((sig)-1))

/* The mask as the kernel holds it: a libc hides its own signals. */
MAYBE static uint64_t raw_mask(void)
{
	uint64_t m = 0;

	SC(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &m, 8);
	return m;
}

MAYBE static void set_raw_mask(uint64_t m)
{
	SC(SYS_rt_sigprocmask, SIG_SETMASK, &m, NULL, 8);
}

MAYBE static uint64_t raw_pending(void)
{
	uint64_t m = 0;

	SC(SYS_rt_sigpending, &m, 8);
	return m;
}

/*
 * A word that the kernel itself writes and clears for a thread (CHILD_SETTID, CLEARTID,
 * set_tid_address) holds the kernel's own number, because the kernel and libcs go on using it: that
 * cannot be equal. What must be equal is whom it names to the thread's own group.
 */
MAYBE static const char *word_text(int word)
{
	if (word == -7)
		return "untouched";
	if (!word)
		return "cleared";
	return word > 0 ? "set" : "odd";
}

MAYBE static const char *names_me(long word)
{
	if (word <= 0)
		return "nobody";
	if (SC(SYS_tgkill, SC(SYS_getpid), word, 0))
		return "somebody else";
	return SC(SYS_tgkill, SC(SYS_getpid), SC(SYS_gettid), 0) ? "not me" : "me";
}

/* --- processes ------------------------------------------------------------------------------- */

struct gate {
	int r, w;
};

MAYBE static struct gate gate_new(void)
{
	int fd[2];

	if (pipe(fd))
		die("pipe");
	return (struct gate){fd[0], fd[1]};
}

MAYBE static void gate_open(struct gate g)
{
	while (SC(SYS_write, g.w, "g", 1) == -EINTR)
		;
}

MAYBE static void gate_pass(struct gate g)
{
	char c;
	long n;

	while ((n = SC(SYS_read, g.r, &c, 1)) == -EINTR)
		;
	if (n != 1)
		die("gate closed");
}

/* The status of a child that is reaped, or a text that says why it could not be. */
MAYBE static const char *reap(pid_t pid)
{
	char *s = scratch();
	int st = 0;
	long r;

	do
		r = SC(SYS_wait4, pid, &st, 0, NULL);
	while (r == -EINTR);
	if (r < 0)
		snprintf(s, 160, "wait4: %s", rc(r));
	else
		snprintf(s, 160, "%ld: %s", r, status_text(st));
	return s;
}

/* Wait until a child is a zombie, without reaping it. */
MAYBE static void await_zombie(pid_t pid)
{
	siginfo_t si;

	while (SC(SYS_waitid, P_PID, pid, &si, WEXITED | WNOWAIT, NULL) == -EINTR)
		;
}

MAYBE static pid_t fork_or_die(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", err(errno));
	return pid;
}

/* pthread_join returns a moment before the thread's number is gone. */
MAYBE static void join_for_good(pthread_t t, pid_t tid)
{
	pthread_join(t, NULL);
	while (!SC(SYS_tgkill, SC(SYS_getpid), tid, 0))
		usleep(100);
}

/* Runs fn in a child of its own and says how it ended. */
MAYBE static void in_child(const char *name, void (*fn)(void))
{
	pid_t pid = fork_or_die();

	if (!pid) {
		fn();
		_exit(0);
	}
	say("%s = %s", name, reap(pid));
}

/* A child that does nothing until it is killed. */
MAYBE static pid_t sleeper(void)
{
	pid_t pid = fork_or_die();

	if (!pid)
		for (;;)
			pause();
	return pid;
}

MAYBE static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	while (SC(SYS_wait4, pid, NULL, 0, NULL) == -EINTR)
		;
}

/* One character of /proc/PATH's "state" field, which follows the parenthesised name. */
MAYBE static char stat_state(const char *path)
{
	char buf[512], *p;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return '-';
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return '-';
	buf[n] = 0;
	p = strrchr(buf, ')');
	return p && p[1] == ' ' ? p[2] : '?';
}

/* Bounded poll for a state that no call reports, such as a leader that has exited. */
MAYBE static char await_state(const char *path, char want)
{
	char got = 0;

	for (int i = 0; i < 5000; i++) {
		got = stat_state(path);
		if (got == want)
			break;
		usleep(1000);
	}
	return got;
}

#endif
