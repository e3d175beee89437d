/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds while a handler runs: its mask for every combination of flags, the context it is given
 * and what changes to it do, nested handlers, handlers that make every kind of call, and the masks of
 * sigsuspend, ppoll, pselect and epoll_pwait. SIGSYS is a signal like any other here, and has a run of
 * its own.
 *
 * args: flags sigsys rest
 */
#include "probe.h"
#include <sys/epoll.h>
#include <sys/select.h>
#include <ucontext.h>

static struct {
	uint64_t mask, uc_mask;
	int sig, pid, depth, max_depth, count, onstack;
} in;

static uint64_t uc_mask_of(void *uc)
{
	uint64_t m;

	memcpy(&m, &((ucontext_t *)uc)->uc_sigmask, 8);
	return m;
}

static void look(int sig, siginfo_t *si, void *uc)
{
	in.depth++;
	if (in.depth > in.max_depth)
		in.max_depth = in.depth;
	in.mask = raw_mask();
	in.uc_mask = uc_mask_of(uc);
	in.sig = sig;
	in.pid = (int)SC(SYS_getpid);
	in.count++;
	in.depth--;
}

static void show(const char *name)
{
	say("%s: signal %d count %d mask %s uc %s, getpid %d, depth %d; after %s", name, in.sig,
	    in.count, mask_text(in.mask), mask_text(in.uc_mask), in.pid, in.max_depth,
	    mask_text(raw_mask()));
	memset(&in, 0, sizeof(in));
}

static void handle(int sig, void (*fn)(int, siginfo_t *, void *), int flags, uint64_t mask)
{
	struct sigaction sa = {.sa_sigaction = fn, .sa_flags = SA_SIGINFO | flags};

	memcpy(&sa.sa_mask, &mask, 8);
	if (sigaction(sig, &sa, NULL))
		die("sigaction %d", sig);
}

static void flags(int sig)
{
	static const int set[] = {0, SA_NODEFER, SA_RESETHAND, SA_NODEFER | SA_RESETHAND, SA_RESTART};
	static const uint64_t masks[] = {0, BIT(SIGUSR2) | BIT(SIGHUP), BIT(SIGSYS), BIT(SIGUSR1),
					 ~0ull};
	char name[64];

	for (size_t f = 0; f < COUNT(set); f++) {
		for (size_t m = 0; m < COUNT(masks); m++) {
			struct ksigaction k;

			handle(sig, look, set[f], masks[m]);
			raise(sig);
			snprintf(name, sizeof(name), "flags %x mask %s", (unsigned int)set[f],
				 mask_text(masks[m]));
			show(name);
			SC(SYS_rt_sigaction, sig, NULL, &k, 8);
			say("  disposition %s flags %lx mask %s",
			    k.handler == SIG_DFL ? "default" : "set", k.flags & ~0x04000000ul,
			    mask_text(k.mask));
			set_raw_mask(BIT(SIGTERM) | BIT(SIGSYS));
			handle(sig, look, set[f], masks[m]);
			raise(sig);
			show("  with TERM and SYS blocked");
			set_raw_mask(0);
			show("  then");
		}
	}
}

static void all_at_once(void)
{
	/* All at once: the lowest number's frame is built first, so it runs last. */
	handle(SIGUSR1, look, 0, 0);
	handle(SIGUSR2, look, 0, 0);
	handle(SIGSYS, look, 0, 0);
	handle(40, look, 0, ~0ull);
	set_raw_mask(~0ull);
	raise(SIGUSR1);
	raise(SIGUSR2);
	raise(SIGSYS);
	raise(40);
	raise(40);
	say("pending %s", mask_text(raw_pending()));
	set_raw_mask(0);
	show("all at once");
}

/* --- order and nesting ------------------------------------------------------------------------------- */

static int trace[64], traced;

static void nested(int sig, siginfo_t *si, void *uc)
{
	trace[traced++ % 64] = sig;
	if (sig == SIGUSR1)
		SC(SYS_tgkill, SC(SYS_getpid), SC(SYS_gettid), SIGUSR2);
	if (sig == SIGUSR2)
		SC(SYS_tgkill, SC(SYS_getpid), SC(SYS_gettid), SIGUSR1);
	if (sig == SIGUSR2 && traced < 8)
		SC(SYS_tgkill, SC(SYS_getpid), SC(SYS_gettid), SIGUSR2);
	trace[traced++ % 64] = -sig;
	if (traced > 12) {
		signal(SIGUSR1, SIG_IGN);
		signal(SIGUSR2, SIG_IGN);
	}
}

static void nesting(void)
{
	char line[256] = "";
	size_t at = 0;

	traced = 0;
	handle(SIGUSR1, nested, 0, 0);
	handle(SIGUSR2, nested, 0, 0);
	raise(SIGUSR1);
	for (int i = 0; i < traced && i < 64; i++)
		at += (size_t)snprintf(line + at, sizeof(line) - at, " %d", trace[i]);
	say("nesting%s", line);
	traced = 0;
	set_raw_mask(~0ull);
	for (int i = 0; i < 3; i++) {
		handle(40 + i, look, 0, ~0ull);
		sigqueue(getpid(), 42 - i, (union sigval){.sival_int = i});
	}
	set_raw_mask(0);
	show("real time");
}

/* --- the context ----------------------------------------------------------------------------------------- */

static void changes_mask(int sig, siginfo_t *si, void *uc)
{
	uint64_t m = uc_mask_of(uc) | BIT(SIGHUP) | BIT(SIGSYS);

	memcpy(&((ucontext_t *)uc)->uc_sigmask, &m, 8);
}

static void sets_mask(int sig, siginfo_t *si, void *uc)
{
	set_raw_mask(BIT(SIGINT) | BIT(SIGSYS));
	in.mask = raw_mask();
	in.uc_mask = uc_mask_of(uc);
	in.pid = (int)SC(SYS_getpid);
}

static volatile long regs_after[3];

static void changes_regs(int sig, siginfo_t *si, void *uc)
{
	ucontext_t *c = uc;

	c->uc_mcontext.gregs[REG_R12] = 0x1234;
	c->uc_mcontext.gregs[REG_RIP] += 2;
}

static void context(void)
{
	long r12;

	handle(SIGUSR1, changes_mask, 0, 0);
	raise(SIGUSR1);
	say("mask written to the context: %s, getpid %s", mask_text(raw_mask()), rc(SC(SYS_getpid)));
	set_raw_mask(0);
	handle(SIGUSR1, sets_mask, 0, 0);
	raise(SIGUSR1);
	show("mask set in a handler");
	/* A trap skipped and a register set, as emulators do it. */
	handle(SIGILL, changes_regs, 0, 0);
	__asm__ volatile("mov $1, %%r12\n\tud2\n\tmov %%r12, %0" : "=r"(r12) : : "r12", "memory");
	say("register after the handler %lx", r12);
	signal(SIGILL, SIG_DFL);
}

/* The result of a call that a signal sent to oneself follows is in the context. */
static volatile long rax_in;

static void reads_rax(int sig, siginfo_t *si, void *uc)
{
	rax_in = (long)((ucontext_t *)uc)->uc_mcontext.gregs[REG_RAX];
}

static void results(void)
{
	handle(SIGUSR1, reads_rax, 0, 0);
	rax_in = -1;
	say("kill self %s", rc(SC(SYS_kill, SC(SYS_getpid), SIGUSR1)));
	say("seen in the context %ld", rax_in);
	rax_in = -1;
	say("tgkill self %s", rc(SC(SYS_tgkill, SC(SYS_getpid), SC(SYS_gettid), SIGUSR1)));
	say("seen in the context %ld", rax_in);
}

/* --- calls made by handlers --------------------------------------------------------------------------- */

static volatile int made, made_status;

static void works(int sig, siginfo_t *si, void *uc)
{
	pid_t pid = fork();
	int st = 0;

	if (!pid)
		_exit(7);
	made = pid;
	if (waitpid(pid, &st, 0) == pid)
		made_status = st;
}

static void *thread_show(void *p)
{
	*(int *)p = (int)SC(SYS_gettid);
	return NULL;
}

static void makes_thread(int sig, siginfo_t *si, void *uc)
{
	pthread_t t;
	static int tid;

	pthread_create(&t, NULL, thread_show, &tid);
	pthread_join(t, NULL);
	made = tid;
}

static void work(void)
{
	handle(SIGUSR1, works, 0, ~0ull);
	raise(SIGUSR1);
	say("handler forked %d: %s", made, status_text(made_status));
	handle(SIGUSR1, makes_thread, 0, ~0ull);
	raise(SIGUSR1);
	say("handler made thread %d", made);
}

/* --- masks that hold for one call ------------------------------------------------------------------------- */

static const char *const waits[] = {"sigsuspend", "ppoll", "pselect", "epoll_pwait", "pause"};

static long wait_with(int how, uint64_t mask, int epfd)
{
	struct timespec ts = {10, 0};
	struct {
		const uint64_t *p;
		size_t n;
	} arg = {&mask, 8};
	struct epoll_event ev;

	switch (how) {
	case 0:
		return SC(SYS_rt_sigsuspend, &mask, 8);
	case 1:
		return SC(SYS_ppoll, NULL, 0, &ts, &mask, 8);
	case 2:
		return SC(SYS_pselect6, 0, NULL, NULL, NULL, &ts, &arg);
	default:
		return SC(SYS_epoll_pwait, epfd, &ev, 1, 10000, &mask, 8);
	}
}

static void one_call(void)
{
	static const uint64_t masks[] = {0, BIT(SIGSYS), BIT(SIGSYS) | BIT(SIGTERM),
					 ~0ull & ~BIT(SIGUSR1)};
	int epfd = epoll_create1(0);
	char name[96];

	for (int how = 0; how < 4; how++) {
		for (size_t m = 0; m < COUNT(masks); m++) {
			long r;

			handle(SIGUSR1, look, SA_RESTART, 0);
			set_raw_mask(BIT(SIGUSR1) | BIT(SIGHUP));
			SC(SYS_tgkill, SC(SYS_getpid), SC(SYS_gettid), SIGUSR1);
			r = wait_with(how, masks[m], epfd);
			snprintf(name, sizeof(name), "%s mask %s %s", waits[how],
				 mask_text(masks[m]), rc(r));
			show(name);
			handle(SIGUSR1, works, 0, 0);
			made = made_status = 0;
			SC(SYS_tgkill, SC(SYS_getpid), SC(SYS_gettid), SIGUSR1);
			r = wait_with(how, masks[m], epfd);
			say("  forked there %d: %s, mask %s", made, status_text(made_status),
			    mask_text(raw_mask()));
			set_raw_mask(0);
		}
	}
	say("sigsuspend size %s, wild %s", rc(SC(SYS_rt_sigsuspend, &masks[0], 4)),
	    rc(SC(SYS_rt_sigsuspend, WILD, 8)));
	close(epfd);
}

static void all(void)
{
	nesting();
	context();
	results();
	work();
	one_call();
}

static void *thread(void *p)
{
	context();
	work();
	one_call();
	return NULL;
}

static void flags_of_usr1(void)
{
	flags(SIGUSR1);
}

int main(int argc, char **argv)
{
	pthread_t t;

	if (!strcmp(argv[1], "flags")) {
		flags(SIGUSR1);
		in_child("flags in a child", flags_of_usr1);
		flags(40);
		return 0;
	}
	if (!strcmp(argv[1], "sigsys")) {
		flags(SIGSYS);
		all_at_once();
		in_child("all at once in a child", all_at_once);
		return 0;
	}
	all();
	in_child("all in a child", all);
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
	return 0;
}
