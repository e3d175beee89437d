/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every scalar argument that is the number of a process, thread or group, with every number that is
 * special, nonexistent or just something else's; each as it is, with junk in the upper half of its
 * register, and with junk in the registers that the call does not use as well.
 *
 * args: signals tasks scheduler priorities clocks operations owners descriptors groups waits
 */
#include "probe.h"
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define JUNK 0x5aa5deadbeef5aa5l
#define HIGH(v) ((long)(0xdeadbeef00000000ul | (uint32_t)(v)))

static struct sched_param prio0;
static struct timespec ts, one_ns = {0, 1}, never;
static uint64_t mask[16], attr[16], limit[2], words[16];
static siginfo_t info;
static struct iovec local = {words, 8}, remote = {words, 8};
static uint32_t perf[32];
static int me, tid, child, sock, pidns, timer;

/* Which half a call that carries a number has in each of its other integers, too. */
static long h(long v, long x)
{
	return x ? HIGH(v) : v;
}

/* A descriptor or another number of no meaning: only whether there was one counts. */
static long gone(long r)
{
	if (r < 0)
		return r;
	close((int)r);
	return 0;
}

/* The order of two kernel objects is different each time. */
static long order(long r)
{
	return r > 0 ? 1 : r;
}

static long clock_of(long id, long kind)
{
	/* Bits 3 to 31 are the number, inverted; the upper half is junk or not, as it was. */
	return (id & ~0xffffffffl) | (uint32_t)(~(uint32_t)id << 3 | kind);
}

static long made_timer(long r)
{
	if (!r)
		SC(SYS_timer_delete, timer);
	return r;
}

static long owner_of(long r)
{
	return r ? r : SC(SYS_fcntl, sock, F_GETOWN);
}

static int owner_arg;

static long owner_ioctl(long request, long id)
{
	long r;

	/* The number is 32 bits in memory here. */
	owner_arg = (int)id;
	r = SC(SYS_ioctl, sock, request, &owner_arg);
	return owner_of(r);
}

/* The numbers, or descriptors, that an argument is tried with. */
static struct {
	const char *name;
	long id;
} values[24];
static size_t count;

static void with(const char *name, long id)
{
	values[count].name = name;
	values[count++].id = id;
}

static void line(const char *call, int arg, size_t i, const long *r)
{
	if (r[0] == r[1] && r[0] == r[2])
		say("%s %d %s: %s", call, arg, values[i].name, rc(r[0]));
	else
		say("%s %d %s: %s, high %s, junk %s", call, arg, values[i].name, rc(r[0]), rc(r[1]),
		    rc(r[2]));
}

/*
 * J(call, argument, what is done): id is the argument, x is 0, or junk for registers that are not used.
 * tests/shape reads these and holds them against the list of crossings.
 */
#define J(call, arg, ...)                                                \
	for (size_t i = 0; i < count; i++) {                             \
		long r[3];                                               \
		for (int k = 0; k < 3; k++) {                            \
			long id = k ? HIGH(values[i].id) : values[i].id; \
			long x = k == 2 ? JUNK : 0;                      \
			(void)x;                                         \
			r[k] = __VA_ARGS__;                              \
		}                                                        \
		line(#call, arg, i, r);                                  \
	}

static void signals(void)
{
	J(kill, 0, SC(SYS_kill, id, h(0, x), x, x, x, x));
	J(tkill, 0, SC(SYS_tkill, id, h(0, x), x, x, x, x));
	J(tgkill, 0, SC(SYS_tgkill, id, h(child, x), h(0, x), x, x, x));
	J(tgkill, 1, SC(SYS_tgkill, h(child, x), id, h(0, x), x, x, x));
	J(rt_sigqueueinfo, 0, SC(SYS_rt_sigqueueinfo, id, h(0, x), &info, x, x, x));
	J(rt_tgsigqueueinfo, 0, SC(SYS_rt_tgsigqueueinfo, id, h(child, x), h(0, x), &info, x, x));
	J(rt_tgsigqueueinfo, 1, SC(SYS_rt_tgsigqueueinfo, h(child, x), id, h(0, x), &info, x, x));
	J(pidfd_open, 0, gone(SC(SYS_pidfd_open, id, h(0, x), x, x, x, x)));
}

static void tasks(void)
{
	J(kcmp, 0, order(SC(312, id, h(me, x), h(1, x), x, x, x)));
	J(kcmp, 1, order(SC(312, h(me, x), id, h(1, x), x, x, x)));
	J(process_vm_readv, 0, SC(SYS_process_vm_readv, id, &local, 1, &remote, 1, 0));
	J(process_vm_writev, 0, SC(SYS_process_vm_writev, id, &local, 1, &remote, 1, 0));
	J(migrate_pages, 0, SC(SYS_migrate_pages, id, 0, 0, 0, x, x));
	J(move_pages, 0, SC(SYS_move_pages, id, 0, 0, 0, 0, h(0, x)));
	J(prlimit64, 0, SC(SYS_prlimit64, id, h(RLIMIT_NOFILE, x), 0, limit, x, x));
	J(get_robust_list, 0, SC(SYS_get_robust_list, id, &words[0], &words[1], x, x, x));
	J(ptrace, 1, SC(SYS_ptrace, 0x4206, id, 1, 0, x, x));
	J(perf_event_open, 1, gone(SC(SYS_perf_event_open, perf, id, h(-1, x), h(-1, x), 0, x)));
}

static void scheduler(void)
{
	J(sched_setparam, 0, SC(SYS_sched_setparam, id, &prio0, x, x, x, x));
	J(sched_getparam, 0, SC(SYS_sched_getparam, id, &words[0], x, x, x, x));
	J(sched_setscheduler, 0, SC(SYS_sched_setscheduler, id, h(0, x), &prio0, x, x, x));
	J(sched_getscheduler, 0, SC(SYS_sched_getscheduler, id, x, x, x, x, x));
	J(sched_rr_get_interval, 0, SC(SYS_sched_rr_get_interval, id, &ts, x, x, x, x));
	J(sched_setaffinity, 0, SC(SYS_sched_setaffinity, id, h(sizeof(mask), x), mask, x, x, x));
	J(sched_getaffinity, 0, SC(SYS_sched_getaffinity, id, h(sizeof(words), x), words, x, x, x));
	J(sched_setattr, 0, SC(SYS_sched_setattr, id, attr, h(0, x), x, x, x));
	J(sched_getattr, 0, SC(SYS_sched_getattr, id, words, h(56, x), h(0, x), x, x));
}

static void priorities(void)
{
	J(getpriority, 1, SC(SYS_getpriority, h(PRIO_PROCESS, x), id, x, x, x, x));
	J(getpriority, 1, SC(SYS_getpriority, h(PRIO_PGRP, x), id, x, x, x, x));
	J(setpriority, 1, SC(SYS_setpriority, h(PRIO_PROCESS, x), id, h(0, x), x, x, x));
	J(setpriority, 1, SC(SYS_setpriority, h(PRIO_PGRP, x), id, h(0, x), x, x, x));
	J(ioprio_get, 1, SC(SYS_ioprio_get, h(1, x), id, x, x, x, x));
	J(ioprio_get, 1, SC(SYS_ioprio_get, h(2, x), id, x, x, x, x));
	J(ioprio_set, 1, SC(SYS_ioprio_set, h(1, x), id, h(0, x), x, x, x));
	J(ioprio_set, 1, SC(SYS_ioprio_set, h(2, x), id, h(0, x), x, x, x));
}

static void clocks(void)
{
	J(clock_gettime, 0, SC(SYS_clock_gettime, clock_of(id, 2), &ts, x, x, x, x));
	J(clock_gettime, 0, SC(SYS_clock_gettime, clock_of(id, 6), &ts, x, x, x, x));
	J(clock_gettime, 0, SC(SYS_clock_gettime, clock_of(id, 7), &ts, x, x, x, x));
	J(clock_getres, 0, SC(SYS_clock_getres, clock_of(id, 0), &ts, x, x, x, x));
	J(clock_getres, 0, SC(SYS_clock_getres, clock_of(id, 5), &ts, x, x, x, x));
	J(clock_settime, 0, SC(SYS_clock_settime, clock_of(id, 1), &one_ns, x, x, x, x));
	J(clock_settime, 0, SC(SYS_clock_settime, clock_of(id, 6), &one_ns, x, x, x, x));
	J(clock_nanosleep, 0, SC(SYS_clock_nanosleep, clock_of(id, 2), h(1, x), &never, 0));
	J(clock_nanosleep, 0, SC(SYS_clock_nanosleep, clock_of(id, 6), h(1, x), &never, 0));
	J(timer_create, 0, made_timer(SC(SYS_timer_create, clock_of(id, 2), 0, &timer, x, x, x)));
	J(timer_create, 0, made_timer(SC(SYS_timer_create, clock_of(id, 6), 0, &timer, x, x, x)));
}

static void owners(void)
{
	J(fcntl_F_SETOWN, 2, owner_of(SC(SYS_fcntl, h(sock, x), h(F_SETOWN, x), id, x, x, x)));
	J(ioctl_FIOSETOWN, 2, owner_ioctl(0x8901, id));
	J(ioctl_SIOCSPGRP, 2, owner_ioctl(0x8902, id));
}

static void descriptors(void)
{
	J(pidfd_send_signal, 0, SC(SYS_pidfd_send_signal, id, h(0, x), 0, h(0, x), x, x));
	J(waitid, 1, SC(SYS_waitid, h(P_PIDFD, x), id, &info, h(WEXITED | WNOHANG, x), 0, x));
	J(pidfd_getfd, 0, gone(SC(438, id, h(0, x), h(0, x), x, x, x)));
	J(process_madvise, 0, SC(440, id, &local, 0, h(20, x), h(0, x), x));
	J(process_mrelease, 0, SC(448, id, h(1, x), x, x, x, x));
}

static void operations(void)
{
	J(prctl_PR_SET_PTRACER, 1, SC(SYS_prctl, h(0x59616d61, x), id, x, x, x, x));
	J(prctl_PR_SCHED_CORE, 2, SC(SYS_prctl, h(62, x), 0, id, h(0, x), words, x));
	J(ioctl_NS_GET_PID_FROM_PIDNS, 2, SC(SYS_ioctl, h(pidns, x), 0x8004b706, id, x, x, x));
	J(ioctl_NS_GET_PID_IN_PIDNS, 2, SC(SYS_ioctl, h(pidns, x), 0x8004b708, id, x, x, x));
}

static void groups(void)
{
	J(getpgid, 0, SC(SYS_getpgid, id, x, x, x, x, x));
	J(getsid, 0, SC(SYS_getsid, id, x, x, x, x, x));
	J(setpgid, 0, SC(SYS_setpgid, id, h(0, x), x, x, x, x));
	J(setpgid, 1, SC(SYS_setpgid, h(child, x), id, x, x, x, x));
	J(setpgid, 1, SC(SYS_setpgid, h(0, x), id, x, x, x, x));
}

static void waits(void)
{
	J(waitid, 0, SC(SYS_waitid, id, h(child, x), &info, h(WEXITED | WNOHANG, x), 0, x));
	J(waitid, 1, SC(SYS_waitid, h(P_PID, x), id, &info, h(WEXITED | WNOHANG | WNOWAIT, x), 0, x));
	J(waitid, 1, SC(SYS_waitid, h(P_PGID, x), id, &info, h(WEXITED | WNOHANG | WNOWAIT, x), 0, x));
	J(wait4, 0, SC(SYS_wait4, id, 0, h(WNOHANG, x), 0, x, x));
}

static void numbers(void)
{
	static pid_t dead, zombie;

	dead = sleeper();
	end(dead);
	zombie = sleeper();
	kill(zombie, SIGKILL);
	await_zombie(zombie);
	child = sleeper();
	count = 0;
	with("0", 0);
	with("1", 1);
	with("self", me);
	with("child", child);
	with("zombie", zombie);
	with("dead", dead);
	with("thread", tid);
	with("999", 999);
	with("65536", 65536);
	with("4194304", 4194304);
	with("max", INT_MAX);
	with("-1", -1);
	with("-child", -child);
	with("-999", -999);
	with("min", INT_MIN);
	with("min + 1", INT_MIN + 1);
}

/* Descriptors of processes are numbers too, but of another kind. */
static void pidfds(void)
{
	count = 0;
	with("of self", SC(SYS_pidfd_open, me, 0));
	with("of child", SC(SYS_pidfd_open, child, 0));
	with("none", 99);
	with("no pidfd", sock);
	with("-1", -1);
	with("max", INT_MAX);
	with("min", INT_MIN);
}

static const struct {
	const char *name;
	void (*values)(void), (*calls)(void);
} all[] = {
	{"signals", numbers, signals},	      {"tasks", numbers, tasks},
	{"scheduler", numbers, scheduler},    {"priorities", numbers, priorities},
	{"clocks", numbers, clocks},	      {"owners", numbers, owners},
	{"descriptors", pidfds, descriptors}, {"operations", numbers, operations},
	{"groups", numbers, groups},	      {"waits", numbers, waits},
};

static const char *wanted;
static struct gate up, down;

static void *thread(void *p)
{
	tid = (int)SC(SYS_gettid);
	gate_open(up);
	gate_pass(down);
	return p;
}

static void world(void)
{
	pthread_t t;

	up = gate_new();
	down = gate_new();
	me = (int)SC(SYS_getpid);
	sock = socket(AF_UNIX, SOCK_STREAM, 0);
	pidns = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	pthread_create(&t, NULL, thread, NULL);
	gate_pass(up);
	for (size_t i = 0; i < COUNT(all); i++) {
		if (strcmp(all[i].name, wanted))
			continue;
		child = child ? child : sleeper();
		all[i].values();
		all[i].calls();
	}
	gate_open(down);
	pthread_join(t, NULL);
}

static void in_a_child(void)
{
	child = 0;
	world();
}

int main(int argc, char **argv)
{
	wanted = argc > 1 ? argv[1] : "";
	info.si_code = SI_QUEUE;
	perf[0] = 1; /* PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY, of user space */
	perf[1] = 112;
	perf[2] = 9;
	perf[10] = 0x61;
	attr[0] = 56;
	memset(mask, 0xff, sizeof(mask));
	/* Whoever else was in the group that it started in is not the question. */
	SC(SYS_setpgid, 0, 0);
	world();
	in_child("in a child", in_a_child);
	/*
	 * The kernel's process 1 waits at its end until no number of its namespace is in use, and waits for
	 * ever if it is in a group of another number than its own.
	 */
	SC(SYS_setpgid, 0, 0);
	return 0;
}
