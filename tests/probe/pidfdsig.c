/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pidfd_send_signal with its flags: to a thread, a thread group, a process group; the descriptors that name the
 * caller; who may write a siginfo; process 1 as member of a group that is signalled.
 */
#include "probe.h"

static struct gate ready;

static void on_signal(int sig, siginfo_t *si, void *uc)
{
	say("  %ld thread %ld: signal %d code %d from %d value %d", SC(SYS_getpid), SC(SYS_gettid),
	    sig, si->si_code, si->si_pid, si->si_code < 0 ? si->si_value.sival_int : 0);
}

static void handle(int sig)
{
	struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

	sigaction(sig, &sa, NULL);
}

/* Waits for one signal and reports by its exit. */
static pid_t member(pid_t group)
{
	pid_t p = fork_or_die();

	if (!p) {
		uint64_t all = ~0ull;
		siginfo_t si;

		set_raw_mask(all);
		SC(SYS_setpgid, 0, group);
		gate_open(ready);
		all = BIT(SIGUSR1) | BIT(SIGTERM);
		SC(SYS_rt_sigtimedwait, &all, &si, NULL, 8);
		_exit(si.si_pid * 16 + (si.si_signo == SIGTERM) + (si.si_code & 3) * 2);
	}
	gate_pass(ready);
	return p;
}

static void flags(void)
{
	static const unsigned int which[] = {0, 1, 2, 4, 3, 5, 8, 0x80000000u};

	for (size_t i = 0; i < COUNT(which); i++) {
		pid_t p = member(0), q = member(p);
		int fd = (int)SC(SYS_pidfd_open, p, 0);

		say("flags %x: %s", which[i],
		    rc(SC(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, which[i])));
		say("  flags, junk: %s",
		    rc(SC(SYS_pidfd_send_signal, fd, 0, NULL, which[i] | 0x500000000ul)));
		SC(SYS_kill, -p, SIGTERM);
		say("  leader %s", reap(p));
		say("  other %s", reap(q));
		say("  gone: %s", rc(SC(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, which[i])));
		close(fd);
	}
}

static void self(void)
{
	static const int fds[] = {-10000, -10001, -10002, -10003, -1, -100};
	struct gate g = gate_new();

	for (size_t i = 0; i < COUNT(fds); i++)
		for (unsigned int fl = 0; fl < 3; fl++)
			say("descriptor %d, flags %u: %s", fds[i], fl,
			    rc(SC(SYS_pidfd_send_signal, fds[i], SIGUSR1, NULL, fl)));
	say("a pipe: %s", rc(SC(SYS_pidfd_send_signal, g.r, SIGUSR1, NULL, 0)));
	say("bad signal: %s", rc(SC(SYS_pidfd_send_signal, -10001, 65, NULL, 0)));
	close(g.r);
	close(g.w);
}

static void *in_thread(void *p)
{
	/* The main thread has all blocked, so that everything for the process comes here, at once. */
	set_raw_mask(0);
	self();
	return NULL;
}

static void forged(void)
{
	pid_t p = member(0);
	int fd = (int)SC(SYS_pidfd_open, p, 0), own = (int)SC(SYS_pidfd_open, SC(SYS_getpid), 0);
	siginfo_t si = {.si_signo = SIGUSR1};

	for (int code = 1; code >= -8; code--) {
		si.si_code = code;
		si.si_pid = 77;
		si.si_value.sival_int = 5;
		for (unsigned int fl = 0; fl < 5; fl += fl ? 2 : 1)
			if (!(code == -1 && fl == 4) && fl != 3)
				say("code %d flags %u: self %s", code, fl,
				    rc(SC(SYS_pidfd_send_signal, own, SIGUSR1, &si, fl)));
		if (code >= 0 || code == -6)
			say("code %d: other %s", code,
			    rc(SC(SYS_pidfd_send_signal, fd, SIGUSR1, &si, 0)));
	}
	si.si_signo = SIGUSR2;
	say("another signal: %s", rc(SC(SYS_pidfd_send_signal, fd, SIGUSR1, &si, 0)));
	say("bad pointer: %s", rc(SC(SYS_pidfd_send_signal, fd, SIGUSR1, WILD, 0)));
	SC(SYS_kill, p, SIGTERM);
	say("other %s", reap(p));
	close(fd);
	close(own);
}

static void init_in_group(void)
{
	int own = (int)SC(SYS_pidfd_open, SC(SYS_getpid), 0);
	pid_t q;

	say("own group: %s", rc(SC(SYS_setpgid, 0, 0)));
	q = member(1);
	say("TERM to the group: %s", rc(SC(SYS_pidfd_send_signal, own, SIGTERM, NULL, 4)));
	say("  member %s", reap(q));
	q = sleeper();
	say("KILL to the group: %s", rc(SC(SYS_pidfd_send_signal, own, SIGKILL, NULL, 4)));
	say("  member %s", reap(q));
	say("STOP to the group: %s", rc(SC(SYS_pidfd_send_signal, own, SIGSTOP, NULL, 4)));
	close(own);
}

int main(void)
{
	pthread_t t;

	ready = gate_new();
	handle(SIGUSR1);
	flags();
	self();
	set_raw_mask(~0ull);
	pthread_create(&t, NULL, in_thread, NULL);
	pthread_join(t, NULL);
	say("main thread pending %s", mask_text(raw_pending()));
	set_raw_mask(0);
	forged();
	init_in_group();
	return 0;
}
