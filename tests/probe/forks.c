/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every way to make a process, one after the other: the numbers they get, what parent and child
 * each see, which wait finds them and which signal tells of their end. Then the flags that are
 * refused, in process 1 and in its children.
 */
#include "probe.h"

static char stack[1 << 16] __attribute__((aligned(16)));

struct seen {
	int pid, tid, ppid;
};

static int look(void *p)
{
	struct seen *s = p;

	s->pid = (int)SC(SYS_getpid);
	s->tid = (int)SC(SYS_gettid);
	s->ppid = (int)SC(SYS_getppid);
	return 40 + s->pid % 10;
}

static void report(const char *name, long r, int options)
{
	int st = 0;
	long w = SC(SYS_wait4, r, &st, options, NULL);

	say("%s = %s, wait4 %s %s; I am %s/%s", name, rc(r), rc(w), w > 0 ? status_text(st) : "",
	    rc(SC(SYS_getpid)), rc(SC(SYS_gettid)));
}

static void child_says(const char *name)
{
	say("%s: child %s/%s of %s", name, rc(SC(SYS_getpid)), rc(SC(SYS_gettid)), rc(SC(SYS_getppid)));
	SC(SYS_exit_group, 40 + SC(SYS_getpid) % 10);
}

/* No local may live across: the child of a vfork runs on this frame. */
static void raw(const char *name, long nr, long flags)
{
	long r = SC(nr, flags);

	if (!r)
		child_says(name);
	report(name, r, 0);
}

static void raw3(const char *name, uint64_t flags, uint64_t sig, int options)
{
	struct probe_clone_args a = {.flags = flags, .exit_signal = sig};
	long r = SC(SYS_clone3, &a, sizeof(a));

	if (!r)
		child_says(name);
	report(name, r, options);
}

static void on_stack(const char *name, unsigned long flags, int options)
{
	struct seen s = {-1, -1, -1};
	long r = clone_on(flags, stack + sizeof(stack), NULL, NULL, look, &s);
	int st = 0;
	long w = SC(SYS_wait4, r, &st, options, NULL);

	say("%s = %s, wait4 %s %s, saw %d/%d of %d; I am %s", name, rc(r), rc(w),
	    w > 0 ? status_text(st) : "", s.pid, s.tid, s.ppid, rc(SC(SYS_getpid)));
}

static void sequence(void)
{
	pid_t pid;

	for (int i = 0; i < 2; i++) {
		pid = fork();
		if (!pid)
			child_says("fork");
		report("fork", pid, 0);
		pid = vfork();
		if (!pid)
			_exit(5);
		report("vfork", pid, 0);
		raw("SYS_fork", SYS_fork, 0);
		raw("SYS_vfork", SYS_vfork, 0);
		raw("SYS_clone", SYS_clone, SIGCHLD);
		raw("SYS_clone VFORK", SYS_clone, SIGCHLD | CLONE_VFORK);
		raw("SYS_clone VM|VFORK", SYS_clone, SIGCHLD | CLONE_VM | CLONE_VFORK);
		raw3("SYS_clone3", 0, SIGCHLD, 0);
		raw3("SYS_clone3 VFORK", CLONE_VFORK, SIGCHLD, 0);
		raw3("SYS_clone3 VM|VFORK", CLONE_VM | CLONE_VFORK, SIGCHLD, 0);
		raw3("SYS_clone3 CLEAR_SIGHAND", PROBE_CLONE_CLEAR_SIGHAND, SIGCHLD, 0);
		on_stack("stack VM|VFORK", SIGCHLD | CLONE_VM | CLONE_VFORK, 0);
		on_stack("stack VM", SIGCHLD | CLONE_VM, 0);
		on_stack("stack VM|FS|FILES", SIGCHLD | CLONE_VM | CLONE_FS | CLONE_FILES, 0);
		on_stack("stack VM|SIGHAND", SIGCHLD | CLONE_VM | CLONE_SIGHAND, 0);
		on_stack("stack copied", SIGCHLD, 0);
		on_stack("stack IO|SYSVSEM", SIGCHLD | CLONE_VM | CLONE_IO | CLONE_SYSVSEM, 0);
	}
	/* A call that fails takes no number. */
	say("refused %s", rc(SC(SYS_clone, CLONE_THREAD | SIGCHLD)));
	raw("after a refusal", SYS_fork, 0);
}

static volatile int last_sig, last_pid, last_code, last_status;

static void tell(int sig, siginfo_t *si, void *uc)
{
	last_sig = sig;
	last_pid = si->si_pid;
	last_code = si->si_code;
	last_status = si->si_status;
}

/* Exit signals: which waits see the child, and what arrives. */
static void exit_signals(void)
{
	static const int sigs[] = {SIGCHLD, 0, SIGUSR1, SIGUSR2, 40, 64, SIGCONT};
	static const struct {
		const char *name;
		int options;
	} waits[] = {{"plain", 0}, {"WCLONE", __WCLONE}, {"WALL", __WALL}};
	struct sigaction sa = {.sa_sigaction = tell, .sa_flags = SA_SIGINFO | SA_RESTART};

	sigfillset(&sa.sa_mask);
	for (size_t i = 0; i < COUNT(sigs); i++)
		if (sigs[i])
			sigaction(sigs[i], &sa, NULL);
	for (size_t i = 0; i < COUNT(sigs); i++) {
		for (size_t k = 0; k < COUNT(waits); k++) {
			struct gate g = gate_new();
			siginfo_t si = {0};
			int st = 0, wcode;
			long r, w, wid;

			last_sig = last_pid = last_code = last_status = 0;
			r = SC(SYS_clone, sigs[i]);
			if (!r) {
				gate_pass(g);
				SC(SYS_exit_group, 20 + k);
			}
			w = SC(SYS_wait4, r, &st, WNOHANG | waits[k].options, NULL);
			gate_open(g);
			SC(SYS_waitid, P_PID, r, &si, WEXITED | WNOWAIT | __WALL, NULL);
			wcode = si.si_code;
			si.si_pid = 0;
			wid = SC(SYS_waitid, P_ALL, 0, &si,
				 WEXITED | WNOHANG | WNOWAIT | waits[k].options, NULL);
			say("exit signal %d: %ld wait %s alive %s, dead code %d, waitid any %s %d",
			    sigs[i], r, waits[k].name, rc(w), wcode, rc(wid), si.si_pid);
			w = SC(SYS_wait4, -1, &st, WNOHANG | waits[k].options, NULL);
			say("  any %s %s", rc(w), w > 0 ? status_text(st) : "");
			if (w != r) {
				w = SC(SYS_wait4, r, &st, __WALL, NULL);
				say("  rest %s %s", rc(w), w > 0 ? status_text(st) : "");
			}
			say("  got signal %d from %d code %d status %d", last_sig, last_pid,
			    last_code, last_status);
			close(g.r);
			close(g.w);
		}
	}
	for (size_t i = 0; i < 2; i++) {
		static const int odd[] = {65, 255};
		long r = SC(SYS_clone, odd[i]), w;
		int st = 0;

		if (!r)
			SC(SYS_exit_group, 30);
		w = SC(SYS_wait4, r, &st, __WALL, NULL);
		say("exit signal %d %s, %s %s", odd[i], rc(r), rc(w), status_text(st));
	}
	say("left %s", rc(SC(SYS_wait4, -1, NULL, __WALL | WNOHANG, NULL)));
}

static const struct {
	const char *name;
	unsigned long flags;
} refused[] = {
	{"THREAD", CLONE_THREAD},
	{"THREAD|VM", CLONE_THREAD | CLONE_VM},
	{"SIGHAND", CLONE_SIGHAND},
	{"FS|NEWNS", CLONE_FS | CLONE_NEWNS},
	{"FS|NEWUSER", CLONE_FS | CLONE_NEWUSER},
	{"NEWPID|THREAD|SIGHAND|VM", CLONE_NEWPID | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM},
	{"PIDFD|DETACHED", PROBE_CLONE_PIDFD | CLONE_DETACHED},
	{"PIDFD|PARENT_SETTID", PROBE_CLONE_PIDFD | CLONE_PARENT_SETTID},
};

static void refusals(void)
{
	for (size_t i = 0; i < COUNT(refused); i++)
		say("clone %s %s", refused[i].name, rc(SC(SYS_clone, refused[i].flags | SIGCHLD)));
	say("after %s", rc(SC(SYS_wait4, -1, NULL, WNOHANG | __WALL, NULL)));
}

/* CLONE_PARENT makes a sibling, whose end tells the common parent by the caller's exit signal. */
static void parent_flag(void)
{
	struct gate g = gate_new();
	pid_t a;
	int st;

	say("init PARENT %s", rc(SC(SYS_clone, CLONE_PARENT | SIGCHLD)));
	a = fork_or_die();
	if (!a) {
		pid_t b = (pid_t)SC(SYS_clone, CLONE_PARENT | SIGCHLD);

		if (!b) {
			gate_pass(g);
			say("sibling %d of %d", getpid(), getppid());
			SC(SYS_exit_group, 21);
		}
		say("made %d, mine %s", b, rc(SC(SYS_wait4, b, NULL, WNOHANG, NULL)));
		_exit(20);
	}
	say("a %s", reap(a));
	gate_open(g);
	st = 0;
	say("sibling %s", rc(SC(SYS_wait4, -1, &st, 0, NULL)));
	say("  %s", status_text(st));
}

int main(void)
{
	sequence();
	in_child("sequence in a child", sequence);
	exit_signals();
	refusals();
	in_child("refusals in a child", refusals);
	parent_flag();
	return 0;
}
