/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls about PID namespaces and the machine by somebody without rights: which mistake is named first.
 */
#include "probe.h"

#define NEWNS 0x20000ul
#define NEWUTS 0x4000000ul
#define NEWUSER 0x10000000ul
#define NEWPID 0x20000000ul
#define VM 0x100ul
#define SIGHAND 0x800ul
#define THREAD 0x10000ul
#define MAGIC 0xfee1deadul

static void unshares(const char *when)
{
	static const struct {
		const char *name;
		unsigned long flags;
	} sets[] = {
		{"NEWPID", NEWPID},
		{"NEWPID|NEWNS", NEWPID | NEWNS},
		{"NEWPID|NEWUTS", NEWPID | NEWUTS},
		{"NEWPID|1", NEWPID | 1},
		{"NEWPID|PARENT", NEWPID | 0x8000},
		{"NEWPID|high", NEWPID | 0x100000000ul},
		{"NEWPID|VM", NEWPID | VM},
		{"NEWPID|SIGHAND", NEWPID | SIGHAND},
		{"NEWPID|THREAD", NEWPID | THREAD},
		{"NEWPID|THREAD|1", NEWPID | THREAD | 1},
	};

	for (size_t i = 0; i < COUNT(sets); i++)
		say("%s: unshare %s: %s", when, sets[i].name, rc(SC(SYS_unshare, sets[i].flags)));
}

static struct gate up, down;

static void *thread(void *arg)
{
	gate_open(up);
	gate_pass(down);
	return NULL;
}

static void all(void)
{
	struct probe_clone_args a = {.exit_signal = SIGCHLD};
	uint64_t request[8] = {64};
	int tids[2] = {77, 78};
	pthread_t t;

	up = gate_new();
	down = gate_new();
	unshares("alone");
	pthread_create(&t, NULL, thread, NULL);
	gate_pass(up);
	unshares("with a thread");
	say("unshare NEWUSER with a thread %s", rc(SC(SYS_unshare, NEWPID | NEWUSER)));
	gate_open(down);
	pthread_join(t, NULL);
	a.set_tid = (uint64_t)(uintptr_t)tids;
	a.set_tid_size = 1;
	say("clone3 set_tid %s", rc(SC(SYS_clone3, &a, sizeof(a))));
	a.set_tid_size = 2;
	say("clone3 two set_tid %s", rc(SC(SYS_clone3, &a, sizeof(a))));
	say("reboot %s, wrong magic %s", rc(SC(SYS_reboot, MAGIC, 672274793, 0x01234567, NULL)),
	    rc(SC(SYS_reboot, 1, 2, 3, NULL)));
	say("listns %s %s %s", rc(SC(470, NULL, NULL, 0, 0)), rc(SC(470, WILD, NULL, 0, 0)),
	    rc(SC(470, request, NULL, 0, 1)));
	say("next pid %s", reap(fork() ?: (_exit(0), 0)));
}

int main(void)
{
	all();
	in_child("in a child", all);
	return 0;
}
