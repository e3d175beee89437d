/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has a filter: over fork, vfork and exec, with limits that leave nothing; each thread its own; and
 * all threads at once (TSYNC), or which one stands against it.
 *
 * args: inherit threads sync
 */
#include "secc.h"

/* --- inheritance ----------------------------------------------------------------------------------------- */

static void inherit(char **argv)
{
	char *const args[] = {argv[0], "again", NULL};
	pid_t pid;

	say("mode %s nnp %s", rc(SC(SYS_prctl, 21)), rc(SC(SYS_prctl, 39)));
	deny(SYS_getppid, ERRNO | 44);
	deny(SYS_getuid, ERRNO | 45);
	deny(SYS_getsid, TRAP | 9);
	say("mode %s nnp %s", rc(SC(SYS_prctl, 21)), rc(SC(SYS_prctl, 39)));
	pid = fork_or_die();
	if (!pid) {
		say("fork: %s %s", rc(SC(SYS_getppid)), rc(SC(SYS_getuid)));
		deny(SYS_getgid, ERRNO | 46);
		deny(SYS_getpgrp, ERRNO | 47);
		execv("/proc/self/exe", args);
		_exit(9);
	}
	say("%s", reap(pid));
	pid = vfork();
	if (!pid) {
		deny(SYS_getpgid, ERRNO | 48);
		say("vfork: %s %s", rc(SC(SYS_getppid)), rc(SC(SYS_getpgid, 0)));
		execv(argv[0], args);
		_exit(9);
	}
	say("%s", reap(pid));
	say("after vfork: %s %s %s", rc(SC(SYS_getppid)), rc(SC(SYS_getpgid, 0)), rc(SC(SYS_getpgrp)));
}

static void again(char **argv)
{
	char *const args[] = {argv[0], "third", NULL};

	catch_sys(0);
	say("exec: getppid %s getuid %s pgrp %s pgid %s", rc(SC(SYS_getppid)), rc(SC(SYS_getuid)),
	    rc(SC(SYS_getpgrp)), rc(SC(SYS_getpgid, 0)));
	show_trap("exec: getsid", SC(SYS_getsid, 0));
	say("mode %s nnp %s", rc(SC(SYS_prctl, 21)), rc(SC(SYS_prctl, 39)));
	deny(SYS_getpid, ERRNO | 49);
	/* Through a shell's `#!`-less path, with no descriptor left and no file size allowed */
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){0, 0});
	execv(argv[0], args);
	_exit(8);
}

/* --- threads --------------------------------------------------------------------------------------------- */

static struct gate go, done, quit;

static void *alone(void *p)
{
	no_new_privs();
	deny(SYS_getppid, ERRNO | 61);
	say("thread: %s mode %s", rc(SC(SYS_getppid)), rc(SC(SYS_prctl, 21)));
	return NULL;
}

static void *child_of(void *p)
{
	pthread_t t;

	deny(SYS_getppid, ERRNO | 62);
	pthread_create(&t, NULL, alone, NULL);
	pthread_join(t, NULL);
	say("its parent: %s", rc(SC(SYS_getppid)));
	return NULL;
}

static void *with_filter(void *p)
{
	deny(SYS_getppid, ERRNO | 1);
	gate_open(done);
	return NULL;
}

/* No libc's thread: musl would wait for it for ever. */
static int killed(void *p)
{
	SC(SYS_write, done.w, "g", 1);
	deny(SYS_getppid, KILL_THREAD);
	SC(SYS_getppid);
	SC(SYS_write, done.w, "h", 1);
	return 0;
}

static void kill_thread(void)
{
	static char stack[65536];
	static volatile int word = 1;

	done = gate_new();
	clone_on(0x10f00 | 0x200000, stack + sizeof(stack), NULL, (int *)&word, killed, NULL);
	gate_pass(done);
	while (word)
		SC(SYS_futex, &word, 0, 1, NULL);
	say("a thread was killed; another one: %s", rc(SC(SYS_getppid)));
}

static void *waits(void *p)
{
	gate_open(done);
	gate_pass(go);
	say("synced: getppid %s getuid %s mode %s nnp %s", rc(SC(SYS_getppid)), rc(SC(SYS_getuid)),
	    rc(SC(SYS_prctl, 21)), rc(SC(SYS_prctl, 39)));
	gate_open(done);
	gate_pass(quit);
	return NULL;
}

static void *diverged(void *p)
{
	deny(SYS_getuid, ERRNO | 63);
	gate_open(done);
	gate_pass(go);
	gate_open(done);
	gate_pass(quit);
	return NULL;
}

/* A descriptor whose data carry numbers is made in a thread with a filter: the others stay without. */
static void *with_signalfd(void *p)
{
	uint64_t set = BIT(SIGUSR1);

	deny(SYS_getppid, ERRNO | 66);
	say("signalfd %s", SC(SYS_signalfd4, -1, &set, 8, 0) >= 0 ? "made" : "no");
	say("thread: %s", rc(SC(SYS_getppid)));
	gate_open(done);
	gate_pass(quit);
	return NULL;
}

static void threads_apart(void)
{
	pthread_t t;

	done = gate_new();
	quit = gate_new();
	pthread_create(&t, NULL, with_signalfd, NULL);
	gate_pass(done);
	say("main: getppid %s", rc(SC(SYS_getppid)));
	gate_open(quit);
	pthread_join(t, NULL);
}

static void threads_own(void)
{
	pthread_t t;

	pthread_create(&t, NULL, alone, NULL);
	pthread_join(t, NULL);
	say("main: %s mode %s nnp %s", rc(SC(SYS_getppid)), rc(SC(SYS_prctl, 21)),
	    rc(SC(SYS_prctl, 39)));
	pthread_create(&t, NULL, child_of, NULL);
	pthread_join(t, NULL);
	say("main: %s", rc(SC(SYS_getppid)));
	kill_thread();
}

static void sync_good(void)
{
	static const struct insn p[] = {ONE(SYS_getppid, ERRNO | 64)};
	static const struct insn q[] = {ONE(SYS_getuid, ERRNO | 65)};
	pthread_t t[3];

	go = gate_new();
	done = gate_new();
	quit = gate_new();
	for (size_t i = 0; i < 2; i++) {
		pthread_create(&t[i], NULL, waits, NULL);
		gate_pass(done);
	}
	no_new_privs();
	say("tsync %s", rc(filter_n(F_TSYNC, p, COUNT(p))));
	say("tsync %s", rc(filter_n(F_TSYNC, q, COUNT(q))));
	for (size_t i = 0; i < 2; i++) {
		gate_open(go);
		gate_pass(done);
	}
	pthread_create(&t[2], NULL, waits, NULL);
	gate_pass(done);
	gate_open(go);
	gate_pass(done);
	for (size_t i = 0; i < 3; i++)
		gate_open(quit);
	for (size_t i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
}

static void sync_bad(void)
{
	static const struct insn p[] = {ONE(SYS_getppid, ERRNO | 64)};
	pthread_t t[2];

	go = gate_new();
	done = gate_new();
	quit = gate_new();
	no_new_privs();
	pthread_create(&t[0], NULL, waits, NULL);
	gate_pass(done);
	pthread_create(&t[1], NULL, diverged, NULL);
	gate_pass(done);
	say("tsync against thread %s", rc(filter_n(F_TSYNC, p, COUNT(p))));
	say("the same as an error %s", rc(filter_n(F_TSYNC | F_TSYNC_ESRCH, p, COUNT(p))));
	say("getppid %s mode %s", rc(SC(SYS_getppid)), rc(SC(SYS_prctl, 21)));
	for (size_t i = 0; i < 2; i++) {
		gate_open(go);
		gate_pass(done);
	}
	gate_open(quit);
	gate_open(quit);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	say("when they are gone %s", rc(filter_n(F_TSYNC, p, COUNT(p))));
	say("getppid %s", rc(SC(SYS_getppid)));
}

static void churn(void)
{
	pthread_t t;

	done = gate_new();
	for (int i = 0; i < 300; i++) {
		pthread_create(&t, NULL, with_filter, NULL);
		gate_pass(done);
		pthread_join(t, NULL);
	}
	say("three hundred threads with filters: %s", rc(SC(SYS_getppid)));
}

int main(int argc, char **argv)
{
	const char *what = argv[1];

	if (!strcmp(what, "inherit")) {
		inherit(argv);
	} else if (!strcmp(what, "again")) {
		again(argv);
	} else if (!strcmp(what, "third")) {
		say("third: getpid %s getppid %s", rc(SC(SYS_getpid)), rc(SC(SYS_getppid)));
	} else if (!strcmp(what, "threads")) {
		in_child("threads", threads_own);
		in_child("threads apart", threads_apart);
		in_child("churn", churn);
	} else {
		in_child("sync", sync_good);
		in_child("no sync", sync_bad);
	}
	return 0;
}
