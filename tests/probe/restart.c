/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocking calls that signals interrupt: EINTR or a restart, leaving by siglongjmp, and a storm of
 * timer signals over every call that is converted, whose results must be those of a quiet run. A
 * timer repeats until a signal has met the sleeping call, so no outcome depends on who is first.
 */
#include "probe.h"

static volatile int ticks, late_pid;
static struct gate relief;
static volatile pid_t victim;

static void tick(int sig)
{
	ticks++;
}

/* The fifth signal ends what the call waits for. */
static void relieve(int sig)
{
	if (++ticks == 5) {
		if (victim)
			SC(SYS_kill, victim, SIGTERM);
		else
			gate_open(relief);
	}
}

static void handle(void (*fn)(int), int flags)
{
	struct sigaction sa = {.sa_handler = fn, .sa_flags = flags};

	sigaction(SIGALRM, &sa, NULL);
}

static void timer(int usec)
{
	struct itimerval it = {{0, usec}, {0, usec}};

	if (usec)
		ticks = 0;
	setitimer(ITIMER_REAL, &it, NULL);
}

static const char *const names[] = {"read",	    "wait4",	 "waitid", "wait4 group",
				    "pause",	    "nanosleep", "poll",   "sigwait",
				    "waitid pidfd", "wait4 any", "futex"};

static long block(int what)
{
	static int word;
	struct timespec ten = {10, 0};
	uint64_t set = BIT(SIGUSR2);
	struct pollfd pf = {.fd = relief.r, .events = POLLIN};
	siginfo_t si;
	long r, fd;
	char c;

	switch (what) {
	case 0:
		return SC(SYS_read, relief.r, &c, 1);
	case 1:
		return SC(SYS_wait4, victim, NULL, 0, NULL);
	case 2:
		return SC(SYS_waitid, P_PID, victim, &si, WEXITED, NULL);
	case 3:
		return SC(SYS_wait4, -victim, NULL, 0, NULL);
	case 4:
		return SC(SYS_pause);
	case 5:
		return SC(SYS_nanosleep, &ten, NULL);
	case 6:
		return SC(SYS_poll, &pf, 1, 10000);
	case 7:
		return SC(SYS_rt_sigtimedwait, &set, NULL, &ten, 8);
	case 8:
		fd = SC(SYS_pidfd_open, victim, 0);
		r = SC(SYS_waitid, P_PIDFD, fd, &si, WEXITED, NULL);
		SC(SYS_close, fd);
		return r;
	case 9:
		return SC(SYS_wait4, -1, NULL, 0, NULL);
	default:
		return SC(SYS_futex, &word, 0, 0, &ten);
	}
}

static int waits_for_child(int what)
{
	return (what >= 1 && what <= 3) || what == 8 || what == 9;
}

static void prepare(int what)
{
	victim = 0;
	if (waits_for_child(what)) {
		victim = sleeper();
		if (what == 3)
			setpgid(victim, victim);
	}
}

static const char *result(int what, long r)
{
	return r > 0 && r == victim ? "the child" : rc(r);
}

static void interrupted(void)
{
	for (int what = 0; what < (int)COUNT(names); what++) {
		long r;

		prepare(what);
		handle(tick, 0);
		timer(3000);
		r = block(what);
		timer(0);
		say("%s without RESTART: %s, ticks %s", names[what], result(what, r),
		    ticks ? "yes" : "no");
		if (victim)
			end(victim);
	}
}

static void restarted(void)
{
	for (int what = 0; what < (int)COUNT(names); what++) {
		long r;

		prepare(what);
		handle(relieve, SA_RESTART);
		timer(3000);
		r = block(what);
		timer(0);
		if (what == 6 || what == 7 || what == 4 || what == 5 || what == 10)
			say("%s with RESTART: %s", names[what], result(what, r));
		else
			say("%s with RESTART: %s, ticks %s", names[what], result(what, r),
			    ticks >= 5 ? "enough" : "few");
		if (victim)
			SC(SYS_wait4, victim, NULL, 0, NULL);
		if (ticks >= 5 && !victim && what != 0)
			gate_pass(relief);
	}
}

/* --- siglongjmp ------------------------------------------------------------------------------------ */

static sigjmp_buf back;

static void jump(int sig)
{
	siglongjmp(back, 1);
}

static void jumps(void)
{
	int bad = 0;

	for (int what = 0; what < (int)COUNT(names); what++) {
		for (int i = 0; i < 20; i++) {
			volatile int round = i;
			int me = (int)SC(SYS_getpid);

			prepare(what);
			handle(jump, 0);
			if (!sigsetjmp(back, 1)) {
				timer(300 + round * 53);
				block(what);
				say("%s came back", names[what]);
			}
			timer(0);
			if ((int)SC(SYS_getpid) != me || raw_mask())
				bad++;
			if (victim) {
				long r;
				int st = 0;

				if (SC(SYS_kill, victim, SIGKILL))
					bad++;
				r = SC(SYS_wait4, victim, &st, 0, NULL);
				if (r != victim || st != SIGKILL)
					bad++;
			}
		}
		say("%s left by siglongjmp: bad %d", names[what], bad);
	}
}

/* --- a storm --------------------------------------------------------------------------------------------- */

static volatile int storm_me, storm_bad;

static void storm_tick(int sig, siginfo_t *si, void *uc)
{
	ticks++;
	if ((int)SC(SYS_getpid) != storm_me)
		storm_bad++;
}

static void *nothing(void *p)
{
	*(int *)p = (int)SC(SYS_gettid);
	return NULL;
}

static void storm(int rounds)
{
	struct sigaction sa = {.sa_sigaction = storm_tick, .sa_flags = SA_RESTART | SA_SIGINFO};
	int first = 0, bad = 0, tid;

	storm_me = (int)SC(SYS_getpid);
	sigaction(SIGALRM, &sa, NULL);
	timer(150);
	for (int i = 0; i < rounds; i++) {
		pthread_t t;
		pid_t pid;
		int st = 0;

		pid = fork();
		if (!pid) {
			/* Its timer is not inherited, its handler is. */
			_exit((int)SC(SYS_getpid) & 63);
		}
		if (!first)
			first = pid;
		if (pid != first + 3 * i)
			bad++;
		if (waitpid(pid, &st, 0) != pid || st != (pid & 63) << 8)
			bad++;
		pid = vfork();
		if (!pid)
			_exit(9);
		if (pid != first + 3 * i + 1)
			bad++;
		if (SC(SYS_kill, pid, 0) || waitpid(-1, &st, 0) != pid || st != 9 << 8)
			bad++;
		if (SC(SYS_kill, pid, 0) != -ESRCH)
			bad++;
		tid = 0;
		while (pthread_create(&t, NULL, nothing, &tid))
			;
		pthread_join(t, NULL);
		if (tid != first + 3 * i + 2)
			bad++;
		if ((int)SC(SYS_getpid) != storm_me || (int)SC(SYS_getppid) == storm_me)
			bad++;
	}
	timer(0);
	say("storm: first %d, bad %d, bad in handlers %d, ticks %s", first, bad, storm_bad,
	    ticks ? "yes" : "no");
}

static void storm_child(void)
{
	storm(60);
}

/* A child whose signals stop and continue the parent's view of it in quick order. */
static void quick(void)
{
	int bad = 0;

	for (int i = 0; i < 100; i++) {
		pid_t pid = sleeper();
		int st = 0;

		if (SC(SYS_kill, pid, i % 2 ? SIGKILL : SIGTERM))
			bad++;
		if (waitpid(pid, &st, 0) != pid || st != (i % 2 ? SIGKILL : SIGTERM))
			bad++;
		if (SC(SYS_kill, pid, 0) != -ESRCH)
			bad++;
	}
	say("kill right after fork: bad %d", bad);
}

static void all(void)
{
	interrupted();
	restarted();
	jumps();
}

int main(void)
{
	relief = gate_new();
	all();
	in_child("all in a child", all);
	storm(120);
	in_child("storm in a child", storm_child);
	quick();
	return 0;
}
