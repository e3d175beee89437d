/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a libc does with signals of its own: pthread_cancel of threads in every kind of blocking call
 * (before it, in it, after it), and set*id calls that run in all threads at once.
 */
#include "probe.h"

static struct gate never;
static volatile pid_t victim;
static volatile int cleaned, entered;

static void cleanup(void *p)
{
	cleaned++;
}

static void block(int what)
{
	char c;
	siginfo_t si;
	sigset_t set;
	struct timespec ten = {10, 0};
	struct pollfd pf = {.fd = never.r, .events = POLLIN};

	switch (what) {
	case 0:
		if (read(never.r, &c, 1) < 0)
			say("read %s", err(errno));
		break;
	case 1:
		waitpid(victim, NULL, 0);
		break;
	case 2:
		waitid(P_PID, (id_t)victim, &si, WEXITED);
		break;
	case 3:
		pause();
		break;
	case 4:
		nanosleep(&ten, NULL);
		break;
	case 5:
		sigemptyset(&set);
		sigaddset(&set, SIGUSR2);
		sigwaitinfo(&set, &si);
		break;
	case 6:
		poll(&pf, 1, 10000);
		break;
	case 7:
		wait(NULL);
		break;
	default:
		/* Never in a call that sleeps: only testcancel ends it. */
		for (;;) {
			getppid();
			SC(SYS_getpid);
			pthread_testcancel();
		}
	}
}

static const char *const names[] = {"read",	   "waitpid", "waitid", "pause",     "nanosleep",
				    "sigwaitinfo", "poll",    "wait",	"testcancel"};

static void *sleeps(void *p)
{
	pthread_cleanup_push(cleanup, NULL);
	entered = 1;
	block((int)(intptr_t)p);
	say("%s returned", names[(intptr_t)p]);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *busy(void *p)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	entered = 1;
	for (;;)
		SC(SYS_getppid);
	return NULL;
}

static void cancels(void)
{
	for (int what = 0; what < (int)COUNT(names); what++) {
		int cancelled = 0;

		cleaned = 0;
		victim = sleeper();
		for (int i = 0; i < 30; i++) {
			pthread_t t;
			void *ret;

			entered = 0;
			pthread_create(&t, NULL, sleeps, (void *)(intptr_t)what);
			if (i > 10)
				while (!entered)
					sched_yield();
			if (i > 20)
				usleep((useconds_t)(i - 20) * 50);
			pthread_cancel(t);
			pthread_join(t, &ret);
			cancelled += ret == PTHREAD_CANCELED;
		}
		say("%s: cancelled %d, child there %s", names[what], cancelled,
		    rc(SC(SYS_kill, victim, 0)));
		end(victim);
	}
	for (int i = 0; i < 20; i++) {
		pthread_t t;
		void *ret;

		entered = 0;
		pthread_create(&t, NULL, busy, NULL);
		while (!entered)
			sched_yield();
		pthread_cancel(t);
		pthread_join(t, &ret);
		if (ret != PTHREAD_CANCELED)
			say("busy thread was not cancelled");
	}
	say("asynchronous done");
}

/* --- set*id in all threads ------------------------------------------------------------------------ */

static volatile int leave, up;

static void *sits(void *p)
{
	__atomic_fetch_add(&up, 1, __ATOMIC_SEQ_CST);
	switch ((intptr_t)p) {
	case 0: {
		char c;

		while (read(never.r, &c, 1) < 0 && errno == EINTR)
			;
		break;
	}
	case 1:
		while (!leave)
			SC(SYS_getppid);
		break;
	default:
		while (waitpid(victim, NULL, 0) < 0 && errno == EINTR)
			;
	}
	return NULL;
}

static void ids(void)
{
	pthread_t t[4];
	uid_t uid = getuid();
	gid_t gid = getgid();

	leave = up = 0;
	victim = sleeper();
	for (intptr_t i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, sits, (void *)i);
	while (up < 4)
		sched_yield();
	for (int i = 0; i < 20; i++) {
		if (seteuid(uid) || setegid(gid) || setreuid(uid, uid) || setresuid(uid, uid, uid) ||
		    setresgid(gid, gid, gid) || setuid(uid) || setgid(gid))
			say("set*id failed: %s", err(errno));
		if (setuid(0) != -1)
			say("became root");
	}
	say("set*id with threads done, getpid %d", getpid());
	leave = 1;
	gate_open(never);
	SC(SYS_kill, victim, SIGKILL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	SC(SYS_wait4, victim, NULL, WNOHANG, NULL);
}

static void *one(void *p)
{
	return NULL;
}

/* pthread_kill and friends address threads by what the kernel told the libc. */
static volatile int got;

static void hit(int sig)
{
	got = (int)SC(SYS_gettid);
}

static void by_handle(void)
{
	pthread_t t;

	signal(SIGUSR1, hit);
	up = leave = 0;
	pthread_create(&t, NULL, sits, (void *)1);
	while (!up)
		sched_yield();
	for (int i = 0; i < 10; i++) {
		got = 0;
		say("pthread_kill %d", pthread_kill(t, SIGUSR1));
		while (!got)
			sched_yield();
	}
	say("handled by %d", got);
	leave = 1;
	pthread_join(t, NULL);
	say("raise %d", raise(SIGUSR1));
	say("handled by %d", got);
	pthread_create(&t, NULL, one, NULL);
	pthread_join(t, NULL);
	say("process clock %d", clock_getcpuclockid(0, &(clockid_t){0}));
}

static void all(void)
{
	cancels();
	ids();
	by_handle();
}

int main(void)
{
	never = gate_new();
	all();
	in_child("all in a child", all);
	return 0;
}
