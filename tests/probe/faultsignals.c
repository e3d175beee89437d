/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children that end with a signal which the kernel sends for faults, too: the number lies where those have an
 * address. By a handler, sigtimedwait and signalfd; then such a fault, whose address stays what it is.
 */
#include "probe.h"

#ifndef SYS_signalfd4
#define SYS_signalfd4 289
#endif

static const int sigs[] = {SIGIO, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, 41};
static volatile int seen;

static void handler(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	say("signal %d code %d pid %d mine %d status %d", sig, si->si_code, si->si_pid,
	    si->si_uid == getuid(), si->si_status);
	seen = 1;
}

static void fault(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	say("fault %d code %d at %#lx", sig, si->si_code, (unsigned long)si->si_addr);
	_exit(0);
}

static void child(int sig)
{
	if (!SC(SYS_clone, sig, 0, 0, 0, 0))
		_exit(3);
}

static void collect(void)
{
	say("reaped %s", rc(SC(SYS_wait4, -1, NULL, __WALL, NULL)));
}

static void ends(int sig)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	struct timespec second = {5, 0};
	uint32_t record[32] = {0};
	uint64_t bit = BIT(sig);
	siginfo_t si;
	int fd;

	sigaction(sig, &sa, NULL);
	SC(SYS_rt_sigprocmask, SIG_BLOCK, &bit, NULL, 8);
	child(sig);
	memset(&si, 0, sizeof(si));
	say("waited %s", rc(SC(SYS_rt_sigtimedwait, &bit, &si, &second, 8)));
	say("code %d pid %d", si.si_code, si.si_pid);
	collect();
	/* SIGSYS: what is held back for a signalfd is shown as another kind. */
	fd = sig == SIGSYS ? -1 : (int)SC(SYS_signalfd4, -1, &bit, 8, 0);
	if (fd >= 0) {
		child(sig);
		say("read %s", rc(SC(SYS_read, fd, record, sizeof(record))));
		say("pid %u band %u address %u", record[3],
		    sig == SIGIO || sig == 41 ? record[7] : 0, record[18]);
		close(fd);
		collect();
	}
	seen = 0;
	child(sig);
	SC(SYS_rt_sigprocmask, SIG_UNBLOCK, &bit, NULL, 8);
	while (!seen)
		SC(SYS_sched_yield);
	collect();
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO};

	for (size_t i = 0; i < COUNT(sigs); i++)
		ends(sigs[i]);
	sigaction(SIGSEGV, &sa, NULL);
	*(volatile int *)0x1238 = 1;
	return 0;
}
