/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals with a siginfo that the sender writes: rt_sigqueueinfo, rt_tgsigqueueinfo and
 * pidfd_send_signal. Which codes may be sent to whom, what arrives and with which number in si_pid
 * (what was written stays as it was written), and the order in which arguments are refused.
 */
#include "probe.h"

#define FORGED 4711

static siginfo_t info(int sig, int code)
{
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	si.si_signo = sig;
	si.si_code = code;
	si.si_pid = FORGED;
	si.si_uid = 12;
	si.si_value.sival_int = 99;
	return si;
}

static void take(const char *name)
{
	static const struct timespec now = {0, 0};
	uint64_t set = BIT(SIGUSR1) | BIT(40);
	siginfo_t si;
	long r;

	while ((r = SC(SYS_rt_sigtimedwait, &set, &si, &now, 8)) > 0)
		say("  %s took %ld signo %d code %d pid %d uid %d value %d", name, r, si.si_signo,
		    si.si_code, si.si_pid, (int)si.si_uid == 12 ? 12 : 0, si.si_value.sival_int);
}

static const int codes[] = {SI_QUEUE, SI_USER, SI_TKILL, SI_TIMER,  SI_MESGQ, SI_ASYNCIO,
			    SI_SIGIO, -60,     -1000,	 SI_KERNEL, 1,	      5};

static void to_self(void)
{
	int me = getpid(), tid = (int)SC(SYS_gettid);
	siginfo_t si;

	for (size_t i = 0; i < COUNT(codes); i++) {
		si = info(SIGUSR1, codes[i]);
		say("sigqueue self code %d %s", codes[i],
		    rc(SC(SYS_rt_sigqueueinfo, me, SIGUSR1, &si)));
		take("process");
		say("sigqueue tid code %d %s", codes[i],
		    rc(SC(SYS_rt_sigqueueinfo, tid, SIGUSR1, &si)));
		take("process");
		say("tgsigqueue self code %d %s", codes[i],
		    rc(SC(SYS_rt_tgsigqueueinfo, me, tid, SIGUSR1, &si)));
		take("thread");
	}
	si = info(0, SI_QUEUE);
	say("signo differs %s", rc(SC(SYS_rt_sigqueueinfo, me, 40, &si)));
	take("signo");
	si = info(40, SI_QUEUE);
	say("twice %s %s", rc(SC(SYS_rt_sigqueueinfo, me, 40, &si)),
	    rc(SC(SYS_rt_sigqueueinfo, me, 40, &si)));
	take("queue");
	say("libc sigqueue %s", lrc(sigqueue(me, 40, (union sigval){.sival_int = 5})));
	take("libc");
}

static void *in_thread(void *p)
{
	to_self();
	return NULL;
}

static void to_others(void)
{
	static const int pids[] = {999, 0, -1, -999, INT_MIN, INT_MAX, 4194304};
	static const int sigs[] = {0, SIGUSR1, 65, -1, SIGKILL};
	pid_t pid = sleeper();
	siginfo_t si;

	for (size_t i = 0; i < COUNT(codes); i++) {
		si = info(0, codes[i]);
		say("child code %d: %s, thread %s", codes[i], rc(SC(SYS_rt_sigqueueinfo, pid, 0, &si)),
		    rc(SC(SYS_rt_tgsigqueueinfo, pid, pid, 0, &si)));
	}
	for (size_t i = 0; i < COUNT(pids); i++) {
		for (size_t k = 0; k < COUNT(sigs); k++) {
			si = info(sigs[k], SI_QUEUE);
			say("(%d, %d): %s, thread %s", pids[i], sigs[k],
			    rc(SC(SYS_rt_sigqueueinfo, pids[i], sigs[k], &si)),
			    rc(SC(SYS_rt_tgsigqueueinfo, pids[i], pids[i], sigs[k], &si)));
		}
	}
	si = info(0, SI_USER);
	say("user code to invisible %s", rc(SC(SYS_rt_sigqueueinfo, 999, SIGUSR1, &si)));
	say("wrong group %s %s", rc(SC(SYS_rt_tgsigqueueinfo, 999, pid, 0, &si)),
	    rc(SC(SYS_rt_tgsigqueueinfo, getpid(), pid, 0, &si)));
	si.si_code = SI_QUEUE;
	say("wrong group %s %s", rc(SC(SYS_rt_tgsigqueueinfo, 999, pid, 0, &si)),
	    rc(SC(SYS_rt_tgsigqueueinfo, getpid(), pid, 0, &si)));
	say("null %s %s", rc(SC(SYS_rt_sigqueueinfo, pid, 0, NULL)),
	    rc(SC(SYS_rt_tgsigqueueinfo, pid, pid, 0, NULL)));
	say("wild %s %s", rc(SC(SYS_rt_sigqueueinfo, pid, 0, WILD)),
	    rc(SC(SYS_rt_tgsigqueueinfo, pid, pid, 0, WILD)));
	say("null to invisible %s", rc(SC(SYS_rt_sigqueueinfo, 999, 0, NULL)));
	si = info(SIGTERM, SI_QUEUE);
	say("ends it %s", rc(SC(SYS_rt_sigqueueinfo, pid, SIGTERM, &si)));
	say("%s", reap(pid));
	say("reaped %s", rc(SC(SYS_rt_sigqueueinfo, pid, 0, &si)));
}

/* What a child sends to its parent arrives with the number the sender wrote or has. */
static void to_parent(void)
{
	pid_t pid = fork_or_die();

	if (!pid) {
		siginfo_t si = info(40, SI_QUEUE);

		SC(SYS_rt_sigqueueinfo, getppid(), 40, &si);
		si.si_pid = getpid();
		SC(SYS_rt_sigqueueinfo, getppid(), 40, &si);
		si.si_pid = 1;
		si.si_code = -1000;
		SC(SYS_rt_tgsigqueueinfo, getppid(), getppid(), 40, &si);
		si.si_pid = 0;
		SC(SYS_rt_sigqueueinfo, getppid(), 40, &si);
		sigqueue(getppid(), 40, (union sigval){.sival_int = 6});
		SC(SYS_kill, getppid(), 40);
		SC(SYS_tgkill, getppid(), getppid(), 40);
		SC(SYS_tkill, getppid(), 40);
		_exit(0);
	}
	say("%s", reap(pid));
	take("from a child");
}

static void pidfds(void)
{
	static const int bad[] = {0, -1, 999, INT_MIN, INT_MAX};
	pid_t pid = sleeper();
	siginfo_t si;
	int fd, self;

	for (size_t i = 0; i < COUNT(bad); i++)
		say("pidfd_open(%d) %s", bad[i], rc(SC(SYS_pidfd_open, bad[i], 0)));
	say("pidfd_open flags %s, of invisible %s", rc(SC(SYS_pidfd_open, pid, 1 << 20)),
	    rc(SC(SYS_pidfd_open, 999, 1 << 20)));
	fd = (int)SC(SYS_pidfd_open, pid, 0);
	self = (int)SC(SYS_pidfd_open, getpid(), 0);
	say("opened %d %d, cloexec %d", fd >= 0, self >= 0, fcntl(fd, F_GETFD));
	say("signal 0 %s", rc(SC(SYS_pidfd_send_signal, fd, 0, NULL, 0)));
	say("signal 65 %s", rc(SC(SYS_pidfd_send_signal, fd, 65, NULL, 0)));
	say("flags %s", rc(SC(SYS_pidfd_send_signal, fd, 0, NULL, 1 << 20)));
	say("two flags %s", rc(SC(SYS_pidfd_send_signal, fd, 0, NULL, 3)));
	say("bad descriptor %s", rc(SC(SYS_pidfd_send_signal, 999, 0, NULL, 0)));
	say("not a pidfd %s", rc(SC(SYS_pidfd_send_signal, 1, 0, NULL, 0)));
	si = info(SIGUSR1, SI_QUEUE);
	say("signo differs %s", rc(SC(SYS_pidfd_send_signal, fd, 0, &si, 0)));
	for (size_t i = 0; i < COUNT(codes); i++) {
		si = info(SIGUSR1, codes[i]);
		say("self code %d %s", codes[i], rc(SC(SYS_pidfd_send_signal, self, SIGUSR1, &si, 0)));
		take("pidfd");
		si = info(0, codes[i]);
		say("child code %d %s", codes[i], rc(SC(SYS_pidfd_send_signal, fd, 0, &si, 0)));
	}
	say("wild %s", rc(SC(SYS_pidfd_send_signal, fd, 0, WILD, 0)));
	say("self no info %s", rc(SC(SYS_pidfd_send_signal, self, SIGUSR1, NULL, 0)));
	take("pidfd");
	say("term %s", rc(SC(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0)));
	await_zombie(pid);
	say("zombie %s", rc(SC(SYS_pidfd_send_signal, fd, 0, NULL, 0)));
	say("%s", reap(pid));
	say("reaped %s", rc(SC(SYS_pidfd_send_signal, fd, 0, NULL, 0)));
	say("reopen %s", rc(SC(SYS_pidfd_open, pid, 0)));
	close(fd);
	close(self);
}

static void all(void)
{
	pthread_t t;

	to_self();
	to_others();
	to_parent();
	pidfds();
	pthread_create(&t, NULL, in_thread, NULL);
	pthread_join(t, NULL);
}

int main(void)
{
	set_raw_mask(BIT(SIGUSR1) | BIT(40));
	all();
	in_child("all in a child", all);
	return 0;
}
