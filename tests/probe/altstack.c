/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The alternate signal stack as a program sees it: what sigaltstack accepts and reports, on which
 * stack handlers run, what the context says, SS_AUTODISARM, leaving by siglongjmp, what children,
 * threads and exec inherit, and handlers that run because the ordinary stack is exhausted.
 */
#include "probe.h"
#include <sys/mman.h>
#include <ucontext.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

#define SIZE 65536

struct kstack {
	void *sp;
	int flags;
	size_t size;
};

static char *area, *area2;
static const char *self;

static const char *text(const struct kstack *k)
{
	char *s = scratch();

	snprintf(s, 160, "%s flags %x size %zu",
		 k->sp == area	  ? "area"
		 : k->sp == area2 ? "area2"
		 : k->sp	  ? "elsewhere"
				  : "null",
		 (unsigned int)k->flags, k->size);
	return s;
}

static struct kstack query(void)
{
	struct kstack k = {WILD, 77, 77};

	SC(SYS_sigaltstack, NULL, &k);
	return k;
}

static void ask(const char *name)
{
	struct kstack k = query();

	say("%s: %s", name, text(&k));
}

static void set(const char *name, void *sp, int flags, size_t size)
{
	struct kstack k = {sp, flags, size}, old = {WILD, 77, 77};
	long r = SC(SYS_sigaltstack, &k, &old);

	say("%s: %s old %s", name, rc(r), text(&old));
	ask("  then");
}

static volatile struct {
	int count;
	const char *where;
	struct kstack inside, uc;
	long inner;
} in;

static const char *where(const void *p)
{
	const char *c = p;

	if (c >= area && c < area + SIZE)
		return "on the area";
	if (c >= area2 && c < area2 + SIZE)
		return "on area2";
	return "on another stack";
}

static void look(int sig, siginfo_t *si, void *uc)
{
	char local;
	struct kstack k = query(), try = {area2, 0, SIZE};

	in.count++;
	in.where = where(&local);
	in.inside = k;
	in.uc.sp = ((ucontext_t *)uc)->uc_stack.ss_sp;
	in.uc.flags = ((ucontext_t *)uc)->uc_stack.ss_flags;
	in.uc.size = ((ucontext_t *)uc)->uc_stack.ss_size;
	in.inner = SC(SYS_sigaltstack, &try, NULL);
}

static void handle(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = {.sa_sigaction = fn, .sa_flags = SA_SIGINFO | flags};

	sigaction(sig, &sa, NULL);
}

static void fire(const char *name)
{
	struct kstack inside, uc;

	raise(SIGUSR1);
	inside = *(struct kstack *)&in.inside;
	uc = *(struct kstack *)&in.uc;
	say("%s: %d times %s, inside %s, uc %s, setting it %s", name, in.count, in.where,
	    text(&inside), text(&uc), rc(in.inner));
	ask("  afterwards");
	in.count = 0;
}

static void accepts(void)
{
	struct kstack k = {area, 0, SIZE};

	ask("start");
	set("small", area, 0, 2047);
	set("zero", area, 0, 0);
	set("bad flag", area, 4, SIZE);
	set("ONSTACK", area, SS_ONSTACK, SIZE);
	set("plain", area, 0, SIZE);
	set("null", NULL, 0, SIZE);
	set("disable", area, SS_DISABLE, SIZE);
	set("disable small", area, SS_DISABLE, 1);
	set("autodisarm", area, (int)SS_AUTODISARM, SIZE);
	set("autodisarm bad", area, (int)(SS_AUTODISARM | 8), SIZE);
	set("disable autodisarm", area, (int)(SS_AUTODISARM | SS_DISABLE), SIZE);
	set("unaligned", area + 3, 0, SIZE - 3);
	set("disable", NULL, SS_DISABLE, 0);
	say("wild %s %s", rc(SC(SYS_sigaltstack, WILD, NULL)), rc(SC(SYS_sigaltstack, NULL, WILD)));
	say("old wild %s", rc(SC(SYS_sigaltstack, &k, WILD)));
	ask("then");
	say("one buffer %s %s", rc(SC(SYS_sigaltstack, &k, &k)), text(&k));
	set("disable", NULL, SS_DISABLE, 0);
}

static void runs(void)
{
	handle(SIGUSR1, look, 0);
	fire("no stack");
	handle(SIGUSR1, look, SA_ONSTACK);
	fire("no stack, ONSTACK");
	set("plain", area, 0, SIZE);
	fire("ONSTACK");
	handle(SIGUSR1, look, 0);
	fire("without ONSTACK");
	set("plain again", area, 0, SIZE);
	handle(SIGUSR1, look, SA_ONSTACK);
	set("autodisarm", area, (int)SS_AUTODISARM, SIZE);
	fire("autodisarm");
	fire("autodisarm");
	set("disable", NULL, SS_DISABLE, 0);
	fire("disabled");
}

/* A second handler while the first is on the stack continues there. */
static volatile int nested_on, nested_below;

static void inner(int sig, siginfo_t *si, void *uc)
{
	char local;

	nested_on = where(&local)[3] == 't';
	nested_below = &local < (char *)((ucontext_t *)uc)->uc_mcontext.gregs[REG_RSP];
}

static void outer(int sig, siginfo_t *si, void *uc)
{
	raise(SIGUSR2);
}

static void nested(int flags)
{
	set("stack", area, flags, SIZE);
	handle(SIGUSR1, outer, SA_ONSTACK);
	handle(SIGUSR2, inner, SA_ONSTACK);
	raise(SIGUSR1);
	say("nested: on the area %d below %d", nested_on, nested_below);
	handle(SIGUSR2, inner, 0);
	raise(SIGUSR1);
	say("nested without ONSTACK: on the area %d below %d", nested_on, nested_below);
	ask("then");
}

/* The context's stack is what holds after the handler. */
static void rewrites(int sig, siginfo_t *si, void *uc)
{
	((ucontext_t *)uc)->uc_stack.ss_sp = area2;
	((ucontext_t *)uc)->uc_stack.ss_size = SIZE;
	((ucontext_t *)uc)->uc_stack.ss_flags = 0;
}

static sigjmp_buf back;

static void jumps(int sig, siginfo_t *si, void *uc)
{
	siglongjmp(back, 1);
}

static void leaving(void)
{
	set("stack", area, 0, SIZE);
	handle(SIGUSR1, rewrites, 0);
	raise(SIGUSR1);
	ask("context rewritten");
	set("stack", area, 0, SIZE);
	handle(SIGUSR1, rewrites, SA_ONSTACK);
	raise(SIGUSR1);
	ask("context rewritten on the stack");
	for (int i = 0; i < 3; i++) {
		set("stack", area, i == 2 ? (int)SS_AUTODISARM : 0, SIZE);
		handle(SIGUSR1, jumps, SA_ONSTACK);
		if (!sigsetjmp(back, 1))
			raise(SIGUSR1);
		ask("after siglongjmp");
		say("mask %s", mask_text(raw_mask()));
	}
	set("stack", area, 0, SIZE);
	handle(SIGUSR1, look, SA_ONSTACK);
	fire("after all");
}

/* --- the ordinary stack is exhausted --------------------------------------------------------------- */

static volatile int depth, fault_code;

__attribute__((noinline)) static int recurse(int n)
{
	volatile char pad[1024];

	pad[0] = (char)n;
	depth = n;
	return recurse(n + 1) + pad[0];
}

static void overflow(int sig, siginfo_t *si, void *uc)
{
	char local;

	fault_code = si->si_code;
	in.where = where(&local);
	in.inner = SC(SYS_getpid);
	siglongjmp(back, 1);
}

static void *overflows(void *p)
{
	struct kstack k = query();

	say("thread: %s", text(&k));
	set("stack", area, 0, SIZE);
	for (int i = 0; i < 2; i++) {
		handle(SIGSEGV, overflow, SA_ONSTACK);
		if (!sigsetjmp(back, 1))
			recurse(0);
		say("overflow: %s code %s, getpid %ld, %s", in.where,
		    fault_code > 0 ? "kernel" : "user", in.inner, depth > 20 ? "deep" : "shallow");
	}
	/* Without a stack to run on the program ends. */
	return NULL;
}

static void no_stack_left(void)
{
	set("disable", NULL, SS_DISABLE, 0);
	handle(SIGSEGV, overflow, SA_ONSTACK);
	recurse(0);
}

/* --- inheritance --------------------------------------------------------------------------------------- */

static char clone_stack[1 << 16] __attribute__((aligned(16)));

static int asks(void *name)
{
	ask(name);
	return 0;
}

static void inherit(void)
{
	pid_t pid;

	set("stack", area, 0, SIZE);
	pid = fork_or_die();
	if (!pid) {
		ask("fork");
		handle(SIGUSR1, look, SA_ONSTACK);
		fire("fork");
		_exit(0);
	}
	say("%s", reap(pid));
	set("stack", area, 0, SIZE);
	pid = vfork();
	if (!pid) {
		ask("vfork");
		_exit(0);
	}
	say("%s", reap(pid));
	say("%s", reap((pid_t)clone_on(CLONE_VM | SIGCHLD, clone_stack + sizeof(clone_stack), NULL,
				       NULL, asks, (void *)"VM")));
	say("%s",
	    reap((pid_t)clone_on(CLONE_VM | CLONE_VFORK | SIGCHLD, clone_stack + sizeof(clone_stack),
				 NULL, NULL, asks, (void *)"VM|VFORK")));
	say("%s", reap((pid_t)clone_on(SIGCHLD, clone_stack + sizeof(clone_stack), NULL, NULL, asks,
				       (void *)"copy")));
	ask("parent");
	pid = fork_or_die();
	if (!pid) {
		execl(self, self, "execed", (char *)NULL);
		_exit(127);
	}
	say("%s", reap(pid));
}

static void all(void)
{
	accepts();
	runs();
	nested(0);
	set("disable", NULL, SS_DISABLE, 0);
	nested((int)SS_AUTODISARM);
	set("disable", NULL, SS_DISABLE, 0);
	leaving();
	inherit();
}

static void in_thread(void *(*fn)(void *))
{
	pthread_attr_t a;
	pthread_t t;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 256 * 1024);
	pthread_create(&t, &a, fn, NULL);
	pthread_join(t, NULL);
}

static void *all_too(void *p)
{
	all();
	return NULL;
}

int main(int argc, char **argv)
{
	struct rlimit small = {256 * 1024, RLIM_INFINITY};

	self = argv[0];
	if (argc > 1) {
		ask("execed");
		return 0;
	}
	area = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	area2 = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	all();
	in_child("all in a child", all);
	in_thread(all_too);
	in_thread(overflows);
	setrlimit(RLIMIT_STACK, &small);
	overflows(NULL);
	in_child("no stack left", no_stack_left);
	return 0;
}
