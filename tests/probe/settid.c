/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clone3 with numbers of one's own choice, by somebody who may: processes and threads, numbers that are taken in every
 * way, the sequence afterwards, and the number outside.
 *
 * privileged: yes
 */
#include "probe.h"

static struct gate up, down, go;

static long chosen(unsigned long flags, int *tids, unsigned long n)
{
	struct probe_clone_args a = {.flags = flags,
				     .exit_signal = flags & 0x8000 ? 0 : SIGCHLD,
				     .set_tid = (uint64_t)(uintptr_t)tids,
				     .set_tid_size = n};
	long r = SC(SYS_clone3, &a, sizeof(a));

	if (!r) {
		gate_pass(go);
		say("  I am %s of %s", rc(SC(SYS_getpid)), rc(SC(SYS_getppid)));
		_exit(5);
	}
	return r;
}

static long one(int n)
{
	return chosen(0, &n, 1);
}

static void try_one(const char *what, int n)
{
	long r = one(n);

	say("%s: %d: %s", what, n, rc(r));
	if (r > 0) {
		gate_open(go);
		say("  %s", reap((pid_t)r));
	}
}

static void next(void)
{
	pid_t pid = fork_or_die();

	if (!pid)
		_exit(0);
	say("next %s", reap(pid));
}

static int tid;

static void *thread(void *arg)
{
	tid = (int)SC(SYS_gettid);
	gate_open(up);
	gate_pass(down);
	return NULL;
}

static char stack[16384] __attribute__((aligned(16)));
static volatile int seen;

/* Its own number, and no more: it has no TLS of its own. */
static int light(void *arg)
{
	seen = (int)SC(SYS_gettid);
	SC(SYS_futex, &seen, 1, 1);
	return 0;
}

long clone3_on(struct probe_clone_args *a, size_t size, int (*fn)(void *));
__asm__(".pushsection .text\n"
	".type clone3_on, @function\n"
	"clone3_on:\n"
	"	mov %rdx, %r8\n"
	"	mov $435, %eax\n"
	"	syscall\n"
	"	test %rax, %rax\n"
	"	jz 1f\n"
	"	ret\n"
	"1:	xor %ebp, %ebp\n"
	"	call *%r8\n"
	"	mov %eax, %edi\n"
	"	mov $60, %eax\n"
	"	syscall\n"
	"	hlt\n"
	".popsection\n");

static void threads(int n)
{
	struct probe_clone_args a = {.flags = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000,
				     .stack = (uint64_t)(uintptr_t)stack,
				     .stack_size = sizeof(stack),
				     .set_tid = (uint64_t)(uintptr_t)&n,
				     .set_tid_size = 1};
	long r;

	seen = 0;
	r = clone3_on(&a, sizeof(a), light);
	while (r > 0 && !seen)
		SC(SYS_futex, &seen, 0, 0, NULL);
	while (r > 0 && !SC(SYS_tgkill, getpid(), n, 0))
		usleep(1000);
	say("thread %d: %s, saw %d", n, rc(r), seen);
}

int main(void)
{
	int two[3] = {400, 2000001, 0}, same[2] = {400, 0};
	pid_t child, leader;
	pthread_t t;
	long r;

	up = gate_new();
	down = gate_new();
	go = gate_new();
	try_one("free", 77);
	try_one("again", 77);
	next();
	try_one("high", 4000000);
	try_one("last", 4194303);
	try_one("beyond", 4194304);
	try_one("zero", 0);
	try_one("negative", -1);
	try_one("me", 1);
	child = sleeper();
	try_one("a child's", child);
	kill(child, SIGKILL);
	await_zombie(child);
	try_one("a zombie's", child);
	end(child);
	try_one("a dead one's", child);
	leader = fork_or_die();
	if (!leader) {
		setsid();
		child = sleeper();
		say("left %d", child);
		gate_open(up);
		_exit(0);
	}
	gate_pass(up);
	say("%s", reap(leader));
	try_one("a session's", leader);
	kill(-leader, SIGKILL);
	reap(-1);
	try_one("after it", leader);
	pthread_create(&t, NULL, thread, NULL);
	gate_pass(up);
	try_one("a thread's", tid);
	gate_open(down);
	pthread_join(t, NULL);
	while (!SC(SYS_tgkill, getpid(), tid, 0))
		usleep(1000);
	try_one("a dead thread's", tid);
	threads(500);
	threads(500);
	threads(1);
	next();
	try_one("the next one", (int)SC(SYS_gettid) + 40);
	r = chosen(0, two, 2);
	say("and outside: %s", rc(r));
	if (r > 0) {
		gate_open(go);
		say("  %s", reap((pid_t)r));
	}
	say("outside zero %s", rc(chosen(0, same, 2)));
	say("too many levels %s, far too many %s", rc(chosen(0, two, 33)), rc(chosen(0, two, 1000)));
	say("bad pointer %s, none %s", rc(chosen(0, WILD, 1)), rc(chosen(0, NULL, 1)));
	say("bad flags %s", rc(chosen(0x10000, two, 1)));
	next();
	return 0;
}
