/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities where two processes share one memory: a vfork child and its parent afterwards, nested
 * vforks, a CLONE_VM child that lives beside its parent, a CLONE_VM|CLONE_SIGHAND child, and exec
 * and exec failure from such children.
 */
#include "probe.h"

static char stack_a[1 << 16] __attribute__((aligned(16)));
static char stack_b[1 << 16] __attribute__((aligned(16)));
static const char *self;
static volatile int turn;

static void who(const char *name)
{
	say("%s: %s/%s of %s, group %s", name, rc(SC(SYS_getpid)), rc(SC(SYS_gettid)),
	    rc(SC(SYS_getppid)), rc(SC(SYS_getpgid, 0)));
}

static void vforked(void)
{
	volatile pid_t pid, inner;

	who("before");
	pid = vfork();
	if (!pid) {
		who("vfork child");
		say("kill self %s, kill parent %s", rc(SC(SYS_kill, SC(SYS_getpid), 0)),
		    rc(SC(SYS_kill, SC(SYS_getppid), 0)));
		_exit(3);
	}
	who("parent");
	say("%s", reap(pid));
	who("parent");
	pid = vfork();
	if (!pid) {
		inner = vfork();
		if (!inner) {
			who("inner vfork child");
			_exit(4);
		}
		who("outer vfork child");
		say("inner %s", reap(inner));
		who("outer vfork child");
		_exit(5);
	}
	who("parent");
	say("outer %s", reap(pid));
	pid = vfork();
	if (!pid) {
		inner = fork();
		if (!inner) {
			who("fork in a vfork child");
			_exit(6);
		}
		say("inner fork %s", reap(inner));
		who("outer vfork child");
		_exit(7);
	}
	who("parent");
	say("outer %s", reap(pid));
}

static void exec_from_vfork(void)
{
	volatile pid_t pid;
	volatile int e;
	char *argv[] = {(char *)"x", (char *)"show", NULL};
	char *envp[] = {NULL};

	pid = vfork();
	if (!pid) {
		execve(self, argv, envp);
		_exit(127);
	}
	say("%s", reap(pid));
	who("parent of exec");
	e = 0;
	pid = vfork();
	if (!pid) {
		execve("/nonexistent/x", argv, envp);
		e = errno;
		who("exec failed");
		execve("/", argv, envp);
		say("again %s", err(errno));
		_exit(e);
	}
	say("parent sees %s: %s", err(e), reap(pid));
	who("parent");
	/* Killed instead of exiting: the parent is woken as well. */
	pid = vfork();
	if (!pid) {
		SC(SYS_kill, SC(SYS_getpid), SIGKILL);
		_exit(1);
	}
	say("killed %s", reap(pid));
	who("parent");
}

static void wait_turn(int n)
{
	while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != n)
		SC(SYS_sched_yield);
}

static void set_turn(int n)
{
	__atomic_store_n(&turn, n, __ATOMIC_RELEASE);
}

static int beside(void *name)
{
	wait_turn(1);
	who(name);
	set_turn(2);
	wait_turn(3);
	who(name);
	say("%s: child of mine %s", (char *)name, rc(SC(SYS_wait4, -1, NULL, WNOHANG, NULL)));
	set_turn(4);
	return 9;
}

/* Both run at the same time in one memory and ask in turn. */
static void side_by_side(unsigned long flags, const char *name)
{
	long r;

	set_turn(0);
	r = clone_on(flags | SIGCHLD, stack_a + sizeof(stack_a), NULL, NULL, beside, (void *)name);
	say("%s = %s", name, rc(r));
	who("parent");
	set_turn(1);
	wait_turn(2);
	who("parent");
	set_turn(3);
	wait_turn(4);
	who("parent");
	say("%s", reap((pid_t)r));
}

static int child_of_child(void *p)
{
	who("grandchild in one memory");
	return 2;
}

static int makes_child(void *p)
{
	long r = clone_on(CLONE_VM | SIGCHLD, stack_b + sizeof(stack_b), NULL, NULL, child_of_child,
			  NULL);

	say("made: %s", reap((pid_t)r));
	who("child in one memory");
	return 3;
}

static volatile int handled_by[4], handled;

static void note(int sig)
{
	handled_by[handled++ % 4] = (int)SC(SYS_getpid);
}

/* With CLONE_SIGHAND a disposition set on one side holds on the other. */
static int shares_handlers(void *p)
{
	struct sigaction sa = {.sa_handler = note};

	sigaction(SIGUSR1, &sa, NULL);
	SC(SYS_kill, SC(SYS_getpid), SIGUSR1);
	return 4;
}

static void sighand(unsigned long flags, const char *name)
{
	struct ksigaction k;
	long r;

	handled = 0;
	signal(SIGUSR1, SIG_IGN);
	r = clone_on(flags | SIGCHLD, stack_a + sizeof(stack_a), NULL, NULL, shares_handlers, NULL);
	say("%s = %s", name, reap((pid_t)r));
	SC(SYS_rt_sigaction, SIGUSR1, NULL, &k, 8);
	say("disposition %s", k.handler == note	     ? "changed"
			      : k.handler == SIG_IGN ? "kept"
						     : "other");
	SC(SYS_kill, SC(SYS_getpid), SIGUSR1);
	say("handled %d times, by child %d, by me %d", handled, handled > 0 ? handled_by[0] : 0,
	    handled > 1 ? handled_by[1] : 0);
	signal(SIGUSR1, SIG_DFL);
}

/* What such a child does to its own mask, stack and dispositions is not the parent's. */
static int changes_itself(void *p)
{
	struct {
		void *sp;
		int flags;
		size_t size;
	} st = {stack_b, 0, sizeof(stack_b)};
	struct ksigaction ign = {.handler = SIG_IGN};

	set_raw_mask(BIT(SIGTERM) | BIT(SIGSYS));
	SC(SYS_sigaltstack, &st, NULL);
	SC(SYS_rt_sigaction, SIGUSR2, &ign, NULL, 8);
	SC(SYS_rt_sigaction, SIGSYS, &ign, NULL, 8);
	say("child's mask %s, itself %s", mask_text(raw_mask()), rc(SC(SYS_getpid)));
	return 5;
}

static void keeps_itself(unsigned long flags, const char *name)
{
	struct {
		void *sp;
		int flags;
		size_t size;
	} st = {WILD, 7, 7};
	struct ksigaction usr2, sys;
	long r;

	set_raw_mask(BIT(SIGHUP));
	r = clone_on(flags | SIGCHLD, stack_a + sizeof(stack_a), NULL, NULL, changes_itself, NULL);
	say("%s = %s", name, reap((pid_t)r));
	SC(SYS_sigaltstack, NULL, &st);
	SC(SYS_rt_sigaction, SIGUSR2, NULL, &usr2, 8);
	SC(SYS_rt_sigaction, SIGSYS, NULL, &sys, 8);
	say("mask %s, stack %x, USR2 %s SYS %s", mask_text(raw_mask()), (unsigned int)st.flags,
	    usr2.handler == SIG_IGN ? "ignored" : "default",
	    sys.handler == SIG_IGN ? "ignored" : "default");
	set_raw_mask(0);
	signal(SIGUSR2, SIG_DFL);
	signal(SIGSYS, SIG_DFL);
}

static void all(void)
{
	long r;

	keeps_itself(CLONE_VM, "VM changes itself");
	keeps_itself(CLONE_VM | CLONE_VFORK, "VM|VFORK changes itself");
	keeps_itself(CLONE_VM | CLONE_SIGHAND, "VM|SIGHAND changes itself");
	vforked();
	exec_from_vfork();
	side_by_side(CLONE_VM, "VM");
	side_by_side(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND, "VM|FS|FILES|SIGHAND");
	r = clone_on(CLONE_VM | SIGCHLD, stack_a + sizeof(stack_a), NULL, NULL, makes_child, NULL);
	say("makes a child %s", reap((pid_t)r));
	r = clone_on(CLONE_VM | CLONE_VFORK | SIGCHLD, stack_a + sizeof(stack_a), NULL, NULL,
		     makes_child, NULL);
	who("parent");
	say("makes a child %s", reap((pid_t)r));
	sighand(CLONE_VM, "handlers copied");
	sighand(CLONE_VM | CLONE_SIGHAND, "handlers shared");
	sighand(CLONE_VM | CLONE_VFORK, "handlers copied, VFORK");
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1) {
		who("execed");
		return 8;
	}
	all();
	in_child("all in a child", all);
	who("init");
	return 0;
}
