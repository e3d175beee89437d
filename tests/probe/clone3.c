/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clone3 and the words and descriptors that clone and clone3 fill: CLONE_PIDFD, CLONE_PARENT_SETTID,
 * CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID, CLONE_CLEAR_SIGHAND, set_tid without the privilege for
 * it, and the order in which arguments are refused.
 */
#include "probe.h"

#define PARENT_SETTID 0x00100000ul
#define CHILD_SETTID 0x01000000ul
#define CHILD_CLEARTID 0x00200000ul

#define U(p) ((uint64_t)(uintptr_t)(p))

static char stack[1 << 16] __attribute__((aligned(16)));
/* Shared with every child, so that both sides' words can be read. */
static volatile int *words;

static long clone3(struct probe_clone_args *a, size_t size)
{
	return SC(SYS_clone3, a, size);
}

/* The words: in whose memory, with which value, before the child's first instruction. */
static void settid(const char *name, uint64_t flags, int *parent, int *child)
{
	struct probe_clone_args a = {
		.flags = flags,
		.exit_signal = SIGCHLD,
		.parent_tid = U(parent),
		.child_tid = U(child),
	};
	const char *ended;
	long r;

	words[0] = words[1] = -7;
	r = clone3(&a, sizeof(a));
	if (!r) {
		int p = parent == (void *)&words[0] ? words[0] : -1;
		int c = child == (void *)&words[1] ? words[1] : -1;

		/* The parent's word is there before the child runs, the child's names the child. */
		say("%s: child %ld parent's word %d, child's names %s", name, SC(SYS_getpid), p,
		    names_me(c));
		SC(SYS_exit_group, 0);
	}
	ended = r > 0 ? reap((pid_t)r) : "-";
	say("%s = %s, %s, words %d %s", name, rc(r), ended, words[0], word_text(words[1]));
}

static void settids(void)
{
	int *p = (int *)&words[0], *c = (int *)&words[1];

	settid("PARENT_SETTID", PARENT_SETTID, p, NULL);
	settid("CHILD_SETTID", CHILD_SETTID, NULL, c);
	settid("both", PARENT_SETTID | CHILD_SETTID, p, c);
	settid("both CLEARTID", PARENT_SETTID | CHILD_SETTID | CHILD_CLEARTID, p, c);
	settid("PARENT_SETTID wild", PARENT_SETTID, WILD, NULL);
	settid("PARENT_SETTID null", PARENT_SETTID, NULL, NULL);
	settid("CHILD_SETTID wild", CHILD_SETTID, NULL, WILD);
	settid("CHILD_CLEARTID wild", CHILD_CLEARTID, NULL, WILD);
	settid("no flag", 0, p, c);
}

static int quiet(void *arg)
{
	return 3;
}

/* clone(2) has the same words in other places; with CLONE_VM the child clears its word at its end. */
static void old_clone(void)
{
	static const struct {
		const char *name;
		unsigned long flags;
	} rows[] = {
		{"PARENT_SETTID", PARENT_SETTID},
		{"CHILD_SETTID", CHILD_SETTID},
		{"PARENT_SETTID|CHILD_SETTID", PARENT_SETTID | CHILD_SETTID},
		{"VM|PARENT_SETTID", CLONE_VM | PARENT_SETTID},
		{"VM|VFORK|PARENT_SETTID", CLONE_VM | CLONE_VFORK | PARENT_SETTID},
		{"VM|CHILD_SETTID", CLONE_VM | CHILD_SETTID},
		{"VM|CHILD_SETTID|CLEARTID", CLONE_VM | CHILD_SETTID | CHILD_CLEARTID},
		{"VM|PARENT|CHILD|CLEARTID", CLONE_VM | PARENT_SETTID | CHILD_SETTID | CHILD_CLEARTID},
		{"CLEARTID", CHILD_CLEARTID},
		{"VM|VFORK|CLEARTID", CLONE_VM | CLONE_VFORK | CHILD_CLEARTID},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *ended;
		long r;

		words[0] = words[1] = -7;
		r = clone_on(rows[i].flags | SIGCHLD, stack + sizeof(stack), (int *)&words[0],
			     (int *)&words[1], quiet, NULL);
		ended = reap((pid_t)r);
		say("clone %s = %s, %s, words %d %s", rows[i].name, rc(r), ended, words[0],
		    word_text(words[1]));
	}
}

static void pidfd(void)
{
	struct gate g = gate_new();
	int fd = -7;
	struct probe_clone_args a = {
		.flags = PROBE_CLONE_PIDFD,
		.pidfd = U(&fd),
		.exit_signal = SIGCHLD,
	};
	struct pollfd pf = {.events = POLLIN};
	siginfo_t si = {0};
	long r;

	r = clone3(&a, sizeof(a));
	if (!r) {
		gate_pass(g);
		SC(SYS_exit_group, 5);
	}
	say("pidfd clone3 = %s, descriptor %s, cloexec %d", rc(r), fd >= 0 ? "yes" : "no",
	    fcntl(fd, F_GETFD));
	pf.fd = fd;
	say("poll alive %d", poll(&pf, 1, 0));
	r = SC(SYS_waitid, P_PIDFD, fd, &si, WEXITED | WNOHANG, NULL);
	say("waitid nohang %s pid %d", rc(r), si.si_pid);
	say("send 0 %s", rc(SC(SYS_pidfd_send_signal, fd, 0, NULL, 0)));
	gate_open(g);
	r = poll(&pf, 1, 10000);
	say("poll dead %ld %x", r, (unsigned int)pf.revents);
	r = SC(SYS_waitid, P_PIDFD, fd, &si, WEXITED, NULL);
	say("waitid %s pid %d code %d status %d", rc(r), si.si_pid, si.si_code, si.si_status);
	say("waitid again %s", rc(SC(SYS_waitid, P_PIDFD, fd, &si, WEXITED, NULL)));
	say("send to reaped %s", rc(SC(SYS_pidfd_send_signal, fd, 0, NULL, 0)));
	close(fd);
	/* clone(2) puts the descriptor where PARENT_SETTID would put the number. */
	words[0] = -7;
	r = SC(SYS_clone, PROBE_CLONE_PIDFD | SIGCHLD, NULL, &words[0]);
	if (!r)
		SC(SYS_exit_group, 6);
	say("pidfd clone = %s, descriptor %s", rc(r), words[0] > 2 ? "yes" : "no");
	say("%s", reap((pid_t)r));
	close(words[0]);
	a = (struct probe_clone_args){
		.flags = PROBE_CLONE_PIDFD, .pidfd = U(WILD), .exit_signal = SIGCHLD};
	r = clone3(&a, sizeof(a));
	if (!r)
		SC(SYS_exit_group, 7);
	say("pidfd wild %s", rc(r));
	r = SC(SYS_clone, PROBE_CLONE_PIDFD | SIGCHLD, NULL, WILD);
	if (!r)
		SC(SYS_exit_group, 7);
	say("pidfd clone wild %s", rc(r));
	a = (struct probe_clone_args){.flags = PROBE_CLONE_PIDFD | PARENT_SETTID,
				      .pidfd = U(&fd),
				      .parent_tid = U(&words[0]),
				      .exit_signal = SIGCHLD};
	words[0] = -7;
	r = clone3(&a, sizeof(a));
	if (!r)
		SC(SYS_exit_group, 8);
	say("pidfd with PARENT_SETTID = %s, word %d", rc(r), words[0]);
	say("%s", reap((pid_t)r));
	say("any other %s", rc(SC(SYS_wait4, -1, NULL, WNOHANG, NULL)));
	close(fd);
}

static void got(int sig)
{
}

/* Handlers are gone in the child, ignored signals stay ignored, and its calls go on working. */
static void clear_sighand(void)
{
	struct probe_clone_args a = {.flags = PROBE_CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD};
	struct ksigaction k;
	long r;

	signal(SIGUSR1, got);
	signal(SIGSYS, got);
	signal(SIGUSR2, SIG_IGN);
	r = clone3(&a, sizeof(a));
	if (!r) {
		static const int sigs[] = {SIGUSR1, SIGUSR2, SIGSYS, SIGTERM};

		for (size_t i = 0; i < COUNT(sigs); i++) {
			SC(SYS_rt_sigaction, sigs[i], NULL, &k, 8);
			say("cleared %d: %s", sigs[i],
			    k.handler == SIG_DFL   ? "default"
			    : k.handler == SIG_IGN ? "ignored"
						   : "handler");
		}
		say("cleared: %s of %s", rc(SC(SYS_getpid)), rc(SC(SYS_getppid)));
		r = SC(SYS_fork);
		if (!r)
			SC(SYS_exit_group, 9);
		say("cleared: forked %s: %s", rc(r), reap((pid_t)r));
		SC(SYS_kill, SC(SYS_getpid), SIGUSR1);
		say("not reached");
		SC(SYS_exit_group, 1);
	}
	say("CLEAR_SIGHAND = %s: %s", rc(r), reap((pid_t)r));
	SC(SYS_rt_sigaction, SIGUSR1, NULL, &k, 8);
	say("mine is %s", k.handler == got ? "kept" : "lost");
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	signal(SIGSYS, SIG_DFL);
}

static void refusal(const char *name, struct probe_clone_args a, size_t size)
{
	long r = clone3(&a, size);

	if (!r)
		SC(SYS_exit_group, 11);
	say("%s: %s", name, r > 0 ? reap((pid_t)r) : rc(r));
}

static void refusals(void)
{
	static pid_t tids[40] = {900, 901, 902};
	static struct {
		struct probe_clone_args a;
		uint64_t more[2];
	} large;
	pid_t zero = 0, minus = -1, one = 1, high = INT_MAX, used = 1;
	const struct probe_clone_args base = {.exit_signal = SIGCHLD};

#define REFUSAL(name, ...)                        \
	do {                                      \
		struct probe_clone_args a = base; \
		__VA_ARGS__;                      \
		refusal(name, a, sizeof(a));      \
	} while (0)

	REFUSAL("plain", (void)0);
	refusal("size 0", base, 0);
	refusal("size 63", base, 63);
	refusal("size 64", base, 64);
	refusal("size 80", base, 80);
	refusal("size 4097", base, 4097);
	large.more[1] = 0;
	large.a = base;
	say("size 104 zero %s", reap((pid_t)({
		    long r = SC(SYS_clone3, &large, sizeof(large));

		    if (!r)
			    SC(SYS_exit_group, 12);
		    r;
	    })));
	large.more[1] = 1;
	say("size 104 not zero %s", rc(SC(SYS_clone3, &large, sizeof(large))));
	say("args null %s", rc(SC(SYS_clone3, NULL, sizeof(base))));
	say("args wild %s", rc(SC(SYS_clone3, WILD, sizeof(base))));
	say("args null, size 0 %s", rc(SC(SYS_clone3, NULL, 0)));
	REFUSAL("unknown flag", a.flags = 1ull << 40);
	REFUSAL("CSIGNAL in flags", a.flags = SIGCHLD);
	REFUSAL("DETACHED", a.flags = 0x00400000);
	REFUSAL("exit signal 65", a.exit_signal = 65);
	REFUSAL("exit signal 2^32+17", a.exit_signal = (1ull << 32) + SIGCHLD);
	REFUSAL("stack without size", a.stack = U(stack));
	REFUSAL("size without stack", a.stack_size = 4096);
	REFUSAL("stack wild", a.stack = U(WILD), a.stack_size = 1ull << 50);
	REFUSAL("THREAD with signal", a.flags = CLONE_THREAD | CLONE_VM | CLONE_SIGHAND);
	REFUSAL("PARENT with signal", a.flags = CLONE_PARENT);
	REFUSAL("SIGHAND|CLEAR", a.flags = CLONE_VM | CLONE_SIGHAND | PROBE_CLONE_CLEAR_SIGHAND);
	REFUSAL("INTO_CGROUP bad", a.flags = 0x200000000ull, a.cgroup = 999);
	REFUSAL("set_tid without size", a.set_tid = U(tids));
	REFUSAL("size without set_tid", a.set_tid_size = 1);
	REFUSAL("set_tid size 33", a.set_tid = U(tids), a.set_tid_size = 33);
	REFUSAL("set_tid wild", a.set_tid = U(WILD), a.set_tid_size = 1);
	REFUSAL("set_tid 900", a.set_tid = U(tids), a.set_tid_size = 1);
	REFUSAL("set_tid 0", a.set_tid = U(&zero), a.set_tid_size = 1);
	REFUSAL("set_tid -1", a.set_tid = U(&minus), a.set_tid_size = 1);
	REFUSAL("set_tid max", a.set_tid = U(&high), a.set_tid_size = 1);
	REFUSAL("set_tid 1", a.set_tid = U(&one), a.set_tid_size = 1);
	REFUSAL("set_tid used", a.set_tid = U(&used), a.set_tid_size = 1);
	REFUSAL("set_tid 900, THREAD", a.flags = CLONE_THREAD, a.set_tid = U(tids), a.set_tid_size = 1);
	REFUSAL("plain again", (void)0);
}

int main(void)
{
	char name[] = "words";
	int fd = (int)syscall(SYS_memfd_create, name, 1);

	if (fd < 0 || ftruncate(fd, 4096))
		die("memfd");
	words = (int *)SC(SYS_mmap, 0, 4096, 3, 1, fd, 0);
	close(fd);
	settids();
	old_clone();
	pidfd();
	clear_sighand();
	refusals();
	in_child("refusals in a child", refusals);
	return 0;
}
