/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mq_notify: the signal that a message has come names its sender; also when that is gone, and by a thread of the C
 * library (SIGEV_THREAD), which is woken through a socket.
 */
#include "probe.h"
#include <mqueue.h>

static volatile int hits, from, code, value;
static struct gate came;

static void hit(int sig, siginfo_t *si, void *uc)
{
	hits++;
	from = si->si_pid;
	code = si->si_code;
	value = si->si_value.sival_int;
}

static void in_thread(union sigval v)
{
	gate_open(came);
}

static mqd_t q;

static void take(void)
{
	char buf[64];

	mq_receive(q, buf, sizeof(buf), NULL);
}

static void send_from_child(void)
{
	pid_t pid = fork_or_die();

	if (!pid)
		_exit(mq_send(q, "hello", 5, 1) ? 1 : 0);
	say("  sent by %s", reap(pid));
}

static void notify(const char *what, int kind)
{
	struct sigevent ev = {.sigev_notify = kind, .sigev_signo = SIGUSR1};

	ev.sigev_value.sival_int = 77;
	ev.sigev_notify_function = in_thread;
	if (kind == SIGEV_THREAD)
		ev.sigev_notify_attributes = NULL;
	say("%s: %s", what, lrc(mq_notify(q, &ev)));
}

static void all(void)
{
	struct mq_attr at = {.mq_maxmsg = 4, .mq_msgsize = 64};
	struct sigaction sa = {.sa_sigaction = hit, .sa_flags = SA_SIGINFO};
	struct sigevent bad = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99};
	siginfo_t si = {0};
	struct timespec soon = {5, 0};
	uint64_t set = BIT(SIGUSR1);
	char name[64];
	pid_t pid;

	snprintf(name, sizeof(name), "/subpid-probe-%lx-%ld", (long)time(NULL), random());
	q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &at);
	if (q == (mqd_t)-1)
		die("mq_open: %s", err(errno));
	mq_unlink(name);
	sigaction(SIGUSR1, &sa, NULL);
	notify("signal", SIGEV_SIGNAL);
	notify("busy", SIGEV_SIGNAL);
	pid = fork_or_die();
	if (!pid) {
		notify("  busy in a child", SIGEV_SIGNAL);
		_exit(0);
	}
	say("%s", reap(pid));
	send_from_child();
	say("  %d hits from %d code %d value %d", hits, from, code, value);
	take();
	notify("signal", SIGEV_SIGNAL);
	say("  sent by me %s", lrc(mq_send(q, "x", 1, 1)));
	say("  %d hits from %d code %d value %d", hits, from, code, value);
	take();
	set_raw_mask(set);
	notify("blocked", SIGEV_SIGNAL);
	send_from_child();
	say("  sigtimedwait %s from %d code %d", rc(SC(SYS_rt_sigtimedwait, &set, &si, &soon, 8)),
	    si.si_pid, si.si_code);
	set_raw_mask(0);
	take();
	notify("none", SIGEV_NONE);
	send_from_child();
	take();
	notify("thread", SIGEV_THREAD);
	send_from_child();
	gate_pass(came);
	say("  came");
	take();
	say("bad signal %s, bad queue %s", lrc(mq_notify(q, &bad)), rc(SC(SYS_mq_notify, 999, NULL)));
	say("bad event %s, removed %s", rc(SC(SYS_mq_notify, q, WILD)), lrc(mq_notify(q, NULL)));
	mq_close(q);
}

int main(void)
{
	srandom((unsigned int)(SC(SYS_time) ^ (long)&hits));
	came = gate_new();
	all();
	hits = 0;
	in_child("in a child", all);
	return 0;
}
