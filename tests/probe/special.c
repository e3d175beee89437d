/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Special numbers in the calls that take a process or a thread beside the signal and wait families:
 * the scheduler's, limits, priorities, capabilities, memory access; which error comes first, and that
 * the numbers of a child and of a thread are taken.
 */
#include "probe.h"
#include <sys/uio.h>

static const int numbers[] = {0, 1, -1, 999, INT_MIN, INT_MAX, 4194304};

static int child, tid;

struct cap_header {
	uint32_t version;
	int pid;
};

static void of(const char *who, int pid)
{
	struct sched_param sp = {0};
	struct timespec ts;
	struct rlimit64_ {
		uint64_t cur, max;
	} rl;
	uint64_t mask[16], attr[8] = {48};
	struct cap_header hdr = {0x20080522, pid};
	uint32_t caps[6];
	struct iovec local = {mask, 8}, remote = {mask, 8};
	void *head;
	size_t len;
	long aff = SC(SYS_sched_getaffinity, pid, sizeof(mask), mask);

	say("%s: getparam %s getscheduler %s interval %s affinity %s attr %s", who,
	    rc(SC(SYS_sched_getparam, pid, &sp)), rc(SC(SYS_sched_getscheduler, pid)),
	    rc(SC(SYS_sched_rr_get_interval, pid, &ts)), rc(aff > 0 ? 0 : aff),
	    rc(SC(SYS_sched_getattr, pid, attr, 48, 0)));
	sp.sched_priority = 0;
	say("  setparam %s setscheduler %s setaffinity %s setattr null %s",
	    rc(SC(SYS_sched_setparam, pid, &sp)), rc(SC(SYS_sched_setscheduler, pid, 0, &sp)),
	    rc(aff > 0 ? SC(SYS_sched_setaffinity, pid, aff, mask)
		       : SC(SYS_sched_setaffinity, pid, 8, mask)),
	    rc(SC(SYS_sched_setattr, pid, NULL, 0)));
	say("  prlimit %s bad resource %s, priority %s group %s, set %s",
	    rc(SC(SYS_prlimit64, pid, 7, NULL, &rl)), rc(SC(SYS_prlimit64, pid, 99, NULL, &rl)),
	    rc(SC(SYS_getpriority, PRIO_PROCESS, pid)), rc(SC(SYS_getpriority, PRIO_PGRP, pid)),
	    rc(SC(SYS_setpriority, PRIO_PROCESS, pid, 0)));
	say("  ioprio %s group %s, capget %s, readv none %s", rc(SC(SYS_ioprio_get, 1, pid)),
	    rc(SC(SYS_ioprio_get, 2, pid)), rc(SC(SYS_capget, &hdr, caps)),
	    rc(SC(SYS_process_vm_readv, pid, NULL, 0, NULL, 0, 0)));
	say("  readv %s writev bad flags %s kcmp %s robust list %s",
	    rc(SC(SYS_process_vm_readv, pid, &local, 1, &remote, 1, 0)),
	    rc(SC(SYS_process_vm_writev, pid, &local, 1, &remote, 1, 1)),
	    rc(SC(312, pid, pid, 99, 0, 0)), rc(SC(SYS_get_robust_list, pid, &head, &len)));
	say("  migrate_pages %s move_pages %s", rc(SC(SYS_migrate_pages, pid, 0, NULL, NULL)),
	    rc(SC(SYS_move_pages, pid, 0, NULL, NULL, NULL, 0)));
}

static struct gate up, down;

static void *thread(void *p)
{
	tid = (int)SC(SYS_gettid);
	gate_open(up);
	gate_pass(down);
	return NULL;
}

static void all(void)
{
	struct cap_header other = {0x20080522, 999};
	char name[32];
	pthread_t t;

	for (size_t i = 0; i < COUNT(numbers); i++) {
		snprintf(name, sizeof(name), "%d", numbers[i]);
		of(name, numbers[i]);
	}
	of("self", getpid());
	child = sleeper();
	of("child", child);
	end(child);
	of("dead", child);
	up = gate_new();
	down = gate_new();
	pthread_create(&t, NULL, thread, NULL);
	gate_pass(up);
	of("thread", tid);
	gate_open(down);
	join_for_good(t, tid);
	of("dead thread", tid);
	say("capset other %s", rc(SC(SYS_capset, &other, name)));
	say("PRIO_USER %s", rc(SC(SYS_getpriority, PRIO_USER, 4242)));
	say("reboot bad magic %s", rc(SC(SYS_reboot, 1, 2, 0, 0)));
	say("unshare THREAD %s", rc(SC(SYS_unshare, CLONE_THREAD | 0x80000000ul)));
}

int main(void)
{
	all();
	in_child("all in a child", all);
	return 0;
}
