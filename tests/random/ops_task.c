/* SPDX-License-Identifier: Apache-2.0 */
/* Operations: calls that ask or change something of a task that a number names. */
#include "random.h"
#include <sys/ioctl.h>
#include <sys/uio.h>

static void op_scheduler(int slot)
{
	PICK(of, any_number(slot));
	struct sched_param sp = {0};
	uint64_t mask[16], attr[8] = {56};
	struct timespec ts;
	long r;

	tell("%s: ", of_text);
	switch (any(9)) {
	case 0:
		tell("get %s", rc(SC(SYS_sched_getscheduler, of, junk(0))));
		break;
	case 1:
		tell("set %s", rc(SC(SYS_sched_setscheduler, of, junk(chance(50) ? 3 : 0), &sp)));
		break;
	case 2:
		tell("getparam %s", rc(SC(SYS_sched_getparam, of, &sp, junk(0))));
		break;
	case 3:
		tell("setparam %s", rc(SC(SYS_sched_setparam, of, &sp, junk(0))));
		break;
	case 4:
		tell("interval %s", rc(SC(SYS_sched_rr_get_interval, of, &ts, junk(0))));
		break;
	case 5:
		r = SC(SYS_sched_getaffinity, of, junk(sizeof(mask)), mask);
		tell("affinity %s", rc(r));
		break;
	case 6:
		memset(mask, 0xff, sizeof(mask));
		tell("setaffinity %s", rc(SC(SYS_sched_setaffinity, of, junk(sizeof(mask)), mask)));
		break;
	case 7:
		r = SC(SYS_sched_getattr, of, attr, junk(56), junk(0));
		tell("attr %s", rc(r));
		if (!r)
			tell(" policy %u nice %d", (unsigned int)attr[0] >> 31, (int)(uint32_t)attr[2]);
		break;
	default:
		tell("setattr %s", rc(SC(SYS_sched_setattr, of, attr, junk(0))));
	}
}

static void op_priority(int slot)
{
	PICK(who, any_number(slot));
	int which = (int)any(3), nice = 1 + (int)any(19);

	/* The user's own tasks only: a number of no process. */
	if (which == PRIO_USER)
		who = 0;
	if (chance(70)) {
		tell("get(%d, %s) = %s", which, who_text, rc(SC(SYS_getpriority, junk(which), who)));
		return;
	}
	if (which == PRIO_USER)
		which = PRIO_PROCESS;
	tell("set(%d, %s, %d) = %s", which, who_text, nice,
	     rc(SC(SYS_setpriority, junk(which), who, (long)nice)));
}

/* What a zombie's is, the kernel forgets a moment after it has ended. */
static void op_ioprio(int slot)
{
	PICK(who, any_number(slot));
	int which = 1 + (int)any(2), prio = 2 << 13 | (int)any(8);
	char path[32];
	long r;

	if (chance(40)) {
		tell("set(%d, %s) = %s", which, who_text,
		     rc(SC(SYS_ioprio_set, junk(which), who, junk(prio))));
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)who);
	r = SC(SYS_ioprio_get, junk(which), who);
	tell("get(%d, %s) = %s", which, who_text,
	     r >= 0 && (which == 2 || stat_state(path) == 'Z') ? "something" : rc(r));
}

static void op_prlimit(int slot)
{
	PICK(of, any_number(slot));
	uint64_t limit[2] = {any(100), 100}, old[2] = {7, 7};
	int set = chance(40);
	long r;

	/* RLIMIT_RTPRIO: nobody looks at it. */
	if (set)
		limit[1] = limit[0] = 0;
	r = SC(SYS_prlimit64, of, junk(RLIMIT_RTPRIO), set ? limit : NULL, old);
	tell("(%s, %s) = %s", of_text, set ? "set" : "get", rc(r));
	if (!r)
		tell(" %d", (int)old[0]);
}

static void op_kcmp(int slot)
{
	PICK(a, any_number(slot));
	PICK(b, chance(40) ? a : any_number(slot));
	/*
	 * Not 6, KCMP_SYSVSEM: a clone that the kernel refuses late has given its caller a list of semaphore
	 * operations (ipc/sem.c:copy_semundo), which one that is refused at once has not.
	 */
	int kind = (int)any(8) % 6;
	long r = SC(SYS_kcmp, a, b, junk(kind), 0, 0);

	tell("(%s, %s, %d) = %s", a_text, b_text, kind, r > 0 ? "different" : rc(r));
}

static const uint64_t token = 0x746f6b656eull;

static void op_memory(int slot)
{
	PICK(of, any_number(slot));
	uint64_t word = 0, pages = 0, counts[2];
	struct iovec local = {&word, 8}, remote = {(void *)&token, 8};
	static uint64_t target;
	long r;

	tell("%s: ", of_text);
	switch (any(5)) {
	case 0:
		remote.iov_base = WILD;
		tell("wild %s", rc(SC(SYS_process_vm_readv, of, &local, 1, &remote, 1, 0)));
		break;
	case 1:
		/* Found at the same place only where the program is not started anew: it may be. */
		r = SC(SYS_process_vm_readv, of, &local, 0, &remote, 0, junk(0) & 0xffffffff);
		tell("none %s", rc(r));
		break;
	case 2:
		remote.iov_base = WILD;
		remote.iov_len = 8;
		local.iov_base = &target;
		tell("write %s", rc(SC(SYS_process_vm_writev, of, &local, 1, &remote, 1, 0)));
		break;
	case 3:
		tell("migrate %s", rc(SC(SYS_migrate_pages, of, 0, &pages, &pages)));
		break;
	default:
		tell("move %s", rc(SC(SYS_move_pages, of, 0, NULL, NULL, NULL, junk(0))));
		r = SC(SYS_get_robust_list, of, &counts[0], &counts[1]);
		tell(" robust %s", rc(r));
	}
}

static void op_capabilities(int slot)
{
	struct {
		uint32_t version;
		int pid;
	} head = {0x20080522, any_number(slot)};
	uint32_t caps[6] = {0};
	int pid = head.pid;

	if (chance(70)) {
		tell("get(%d) = %s", pid, rc(SC(SYS_capget, &head, caps)));
		tell(" %x", caps[0]);
	} else {
		tell("set(%d) = %s", pid, rc(SC(SYS_capset, &head, caps)));
	}
}

static void op_clock(int slot)
{
	int of = any_number(slot);
	long clock = (int)(~(unsigned int)of << 3 | any(8));
	struct timespec ts;

	clock = junk(clock);
	tell("%d kind %d: ", of, (int)clock & 7);
	switch (any(4)) {
	case 0:
		tell("gettime %s", rc(SC(SYS_clock_gettime, clock, &ts)));
		break;
	case 1:
		tell("getres %s", rc(SC(SYS_clock_getres, clock, &ts)));
		break;
	case 2:
		ts = (struct timespec){0, 1};
		tell("settime %s", rc((int)clock < 0 ? SC(SYS_clock_settime, clock, &ts) : -1));
		break;
	default:
		ts = (struct timespec){0, 2000000000};
		tell("nanosleep %s", rc(SC(SYS_clock_nanosleep, clock, TIMER_ABSTIME, &ts, NULL)));
	}
}

static void rings(int id)
{
	static const struct itimerspec soon = {{0, 0}, {0, 1}};
	uint64_t mask = raw_mask(), want = BIT(SIG_Q1);
	struct timespec long_enough = {5, 0};
	siginfo_t si;
	long r;

	set_raw_mask(mask | want);
	SC(SYS_timer_settime, id, 0, &soon, NULL);
	memset(&si, 0, sizeof(si));
	r = SC(SYS_rt_sigtimedwait, &want, &si, &long_enough, 8);
	tell(" rings %s code %d", rc(r), si.si_code);
	/* It may have been one that waited already. */
	if (r > 0 && si.si_code != SI_TIMER)
		SC(SYS_rt_sigtimedwait, &want, &si, &long_enough, 8);
	set_raw_mask(mask);
}

static void op_timer(int slot)
{
	int clock = CLOCK_MONOTONIC, of = any_number(slot), id = -1;
	struct sigevent ev;
	long r;

	memset(&ev, 0, sizeof(ev));
	ev.sigev_notify = 4; /* SIGEV_THREAD_ID */
	ev.sigev_signo = SIG_Q1;
	((int *)&ev.sigev_value)[4] = of;
	if (chance(40)) {
		clock = (int)(~(unsigned int)of << 3 | any(8));
		if (clock >= 0)
			clock = CLOCK_REALTIME;
	}
	if (clock < 0 && chance(60))
		ev.sigev_notify = SIGEV_NONE;
	r = SC(SYS_timer_create, junk(clock), &ev, &id);
	tell("%s %d, notify %d = %s", clock < 0 ? "clock of" : "thread", of, ev.sigev_notify, rc(r));
	/* One of its own rings for the thread that waits for it, unless it counts what waiting does not use. */
	if (!r && clock >= 0 && of == ALL->slots[slot].tid && ev.sigev_notify == 4)
		rings(id);
	if (!r)
		SC(SYS_timer_delete, id);
}

static void op_pidfd(int slot)
{
	PICK(of, any_number(slot));
	static const int flags[] = {0, 0, 0, O_NONBLOCK, O_EXCL, O_EXCL, 1};
	int flag = flags[any(COUNT(flags))], pid;
	uint64_t info[16] = {0};
	struct iovec none = {NULL, 0};
	long fd = SC(SYS_pidfd_open, of, junk(flag)), r;

	tell("(%s, %d) ", of_text, flag);
	if (fd < 0) {
		tell("= %s", rc(fd));
		return;
	}
	switch (any(5)) {
	case 0:
		/* PIDFD_GET_INFO, of the first published size: mask, cgroup, pid, tgid, ppid */
		info[0] = 1;
		r = SC(SYS_ioctl, fd, 0xc040ff0bul, info);
		tell("info %s", rc(r));
		if (!r)
			tell(" %d %d %d", (int)info[2], (int)(info[2] >> 32), (int)info[3]);
		break;
	case 1:
		r = SC(SYS_pidfd_getfd, junk(fd), (long)SHARED_FD, junk(0));
		tell("getfd %s", rc(r > 0 ? 0 : r));
		if (r > 0)
			SC(SYS_close, r);
		break;
	case 2:
		tell("madvise %s", rc(SC(SYS_process_madvise, junk(fd), &none, 0, 20, 0)));
		break;
	case 3:
		tell("mrelease %s", rc(SC(SYS_process_mrelease, junk(fd), 1)));
		break;
	default:
		/* With CLONE_NEWPID it takes a right in the kernel and none under subpid. */
		pid = (int)SC(SYS_setns, fd, 0);
		tell("setns %s", rc(pid));
	}
	SC(SYS_close, fd);
}

static void op_control(int slot)
{
	PICK(of, any_number(slot));
	uint64_t cookie = 0;

	switch (any(3)) {
	case 0:
		tell("ptracer(%s) %s", of_text, rc(SC(SYS_prctl, 0x59616d61, of, junk(0))));
		break;
	case 1:
		tell("core(%s) %s", of_text, rc(SC(SYS_prctl, 62, 0, of, 0, &cookie)));
		break;
	default:
		/* Refused for its address before anything happens, if there is such a task. */
		tell("seize(%s) %s", of_text, rc(SC(SYS_ptrace, 0x4206, of, 1, 0)));
	}
}

static void op_perf(int slot)
{
	PICK(of, any_number(slot));
	uint32_t attr[32] = {1, 112, 9, 0, 0, 0, 0, 0, 0, 0, 0x61};
	long r = SC(SYS_perf_event_open, attr, of, junk(-1), junk(-1), 0);

	tell("(%s) = %s", of_text, rc(r > 0 ? 0 : r));
	if (r > 0)
		SC(SYS_close, r);
}

/*
 * Somebody is stopped, asked about, and goes on, within one operation. A signal is sent to the thread itself while
 * it has it not blocked: then it stops for that, too, whatever it would do with it.
 */
static void op_trace(int slot)
{
	PICK(of, any_number(slot));
	long r = SC(SYS_ptrace, 0x4206 /* SEIZE */, of, 0, 0), message = -7;
	uint64_t mask = ~0ull;
	siginfo_t si;
	int status = 0;

	tell("(%s) %s", of_text, rc(r));
	if (r)
		return;
	tell(" interrupt %s", rc(SC(SYS_ptrace, 0x4207, of, junk(0), 0)));
	tell(" wait %s", rc(SC(SYS_wait4, of, &status, __WALL, NULL)));
	tell(" %s event %d", status_text(status & 0xffff), status >> 16);
	tell(" message %s %ld", rc(SC(SYS_ptrace, 0x4201, of, 0, &message)), message);
	memset(&si, 0, sizeof(si));
	tell(" info %s", rc(SC(SYS_ptrace, 0x4202, of, 0, &si)));
	tell(" code %d from %d", si.si_code, si.si_pid);
	SC(SYS_ptrace, 0x420a /* GETSIGMASK */, of, 8, &mask);
	if (mask & BIT(SIGUSR2)) {
		tell(" detach %s", rc(SC(SYS_ptrace, 17, of, 0, 0)));
		return;
	}
	tell(" signal %s", rc(SC(SYS_tkill, of, SIGUSR2)));
	tell(" cont %s", rc(SC(SYS_ptrace, 7, of, 0, 0)));
	tell(" wait %s", rc(SC(SYS_wait4, of, &status, __WALL, NULL)));
	tell(" %s", status_text(status & 0xffff));
	tell(" info %s", rc(SC(SYS_ptrace, 0x4202, of, 0, &si)));
	tell(" code %d from %d", si.si_code, si.si_pid);
	tell(" detach %s", rc(SC(SYS_ptrace, 17, of, 0, (long)(chance(50) ? SIGUSR2 : 0))));
}

const struct op ops_task[] = {
	{"scheduler", 14, op_scheduler},
	{"priority", 8, op_priority},
	{"ioprio", 5, op_ioprio},
	{"prlimit", 6, op_prlimit},
	{"kcmp", 5, op_kcmp},
	{"memory", 6, op_memory},
	{"capabilities", 4, op_capabilities},
	{"clock", 6, op_clock},
	{"timer", 5, op_timer},
	{"pidfd", 10, op_pidfd},
	{"control", 5, op_control},
	{"perf", 3, op_perf},
	{"trace", 6, op_trace},
	{0},
};
