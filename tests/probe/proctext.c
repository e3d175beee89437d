/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts about tasks: sched, timers, syscall, fdinfo of pidfds and locks, the restrictions in status,
 * maps and their kin (also with thousands of mappings), of itself, children, threads, zombies and the
 * dead.
 */
#include "probe.h"
#include <sys/file.h>
#include <sys/mman.h>

static char buf[4 << 20];

static long slurp_fd(int fd)
{
	size_t at = 0;
	ssize_t n;

	while ((n = read(fd, buf + at, sizeof(buf) - 1 - at)) > 0)
		at += (size_t)n;
	if (n < 0)
		return -errno;
	buf[at] = 0;
	return (long)at;
}

static long slurp(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long n;

	buf[0] = 0;
	if (fd < 0)
		return -errno;
	n = slurp_fd(fd);
	close(fd);
	return n;
}

static const char *of(pid_t pid, const char *name)
{
	char *s = scratch();

	snprintf(s, 160, "/proc/%d/%s", pid, name);
	return s;
}

/* Lines of the text in buf that start with one of the keys; what is behind `upto` words is left out. */
static void lines(const char *what, const char *const *keys, size_t n, int upto)
{
	char *save = NULL;

	for (char *l = strtok_r(buf, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		for (size_t i = 0; i < n; i++) {
			int words = 0;

			if (strncmp(l, keys[i], strlen(keys[i])))
				continue;
			for (char *c = l; *c; c++) {
				if (*c == '\t')
					*c = ' ';
				if (*c == ' ' && ++words == upto)
					*c-- = 0, c += strlen(c) - 1;
			}
			say("%s: %s", what, l);
			break;
		}
}

static void sched_of(const char *path)
{
	long n = slurp(path);
	char *nl = strchr(buf, '\n');

	if (n <= 0 || !nl) {
		say("%s: %s", path, n < 0 ? err((int)-n) : "nothing");
		return;
	}
	*nl = 0;
	say("%s: %s; rule %d", path, buf, nl[1] == '-');
}

static void sched(void)
{
	static const char *const names[] = {"plain",	     "a (b", "1, #threads: 9",
					    ") (77, #threa", " ",    ""};
	pid_t kid = sleeper();

	sched_of("/proc/self/sched");
	sched_of(of(kid, "sched"));
	sched_of("/proc/thread-self/sched");
	for (size_t i = 0; i < COUNT(names); i++) {
		prctl(PR_SET_NAME, names[i]);
		sched_of("/proc/self/sched");
	}
	prctl(PR_SET_NAME, "proctext");
	end(kid);
	sched_of(of(kid, "sched"));
}

struct event {
	union sigval value;
	int signo, notify, tid;
	char pad[64];
};

static void timers(void)
{
	static const char *const keys[] = {"ID:", "notify:", "ClockID:"};
	struct event e = {.signo = SIGUSR1};
	pid_t kid = sleeper();
	long clocks[] = {CLOCK_REALTIME,
			 CLOCK_MONOTONIC,
			 CLOCK_PROCESS_CPUTIME_ID,
			 CLOCK_THREAD_CPUTIME_ID,
			 0,
			 0,
			 0};
	int id;

	clocks[4] = (long)(int)((unsigned)~kid << 3 | 2);
	clocks[5] = (long)(int)((unsigned)~getpid() << 3 | 2);
	clocks[6] = (long)(int)((unsigned)~(pid_t)SC(SYS_gettid) << 3 | 6);
	for (size_t i = 0; i < COUNT(clocks); i++)
		say("timer on %ld: %s", i < 4 ? clocks[i] : (long)i,
		    err((int)-SC(SYS_timer_create, clocks[i], &e, &id)));
	e.notify = 4; /* SIGEV_THREAD_ID */
	e.tid = (int)SC(SYS_gettid);
	say("timer for a thread: %s", err((int)-SC(SYS_timer_create, CLOCK_MONOTONIC, &e, &id)));
	e.notify = 1; /* SIGEV_NONE */
	say("timer for nobody: %s", err((int)-SC(SYS_timer_create, CLOCK_MONOTONIC, &e, &id)));
	slurp("/proc/self/timers");
	lines("timers", keys, COUNT(keys), 99);
	for (int i = 0; i < 20; i++)
		SC(SYS_timer_delete, i);
	end(kid);
}

/* The call a child is in: its number and arguments; never addresses. */
static void call_of(const char *what, pid_t pid)
{
	char line[400] = "";
	size_t at = 0;
	char *save = NULL, *w;
	long n = 0;
	int i = 0;

	for (int tries = 0; tries < 3000; tries++) {
		n = slurp(of(pid, "syscall"));
		if (n < 0 || buf[0] != 'r')
			break;
		usleep(1000);
	}
	if (n < 0) {
		say("call of %s: %s", what, err((int)-n));
		return;
	}
	for (w = strtok_r(buf, " \n", &save); w; w = strtok_r(NULL, " \n", &save), i++) {
		unsigned long v = strtoul(w, NULL, 0);

		at += (size_t)snprintf(line + at, sizeof(line) - at, " %s",
				       i == 7 || i == 8			    ? "PLACE"
				       : v > 0x10000 && v >> 40 != 0xffffff ? "ADDRESS"
									    : w);
	}
	say("call of %s:%s", what, line);
}

static int call_kind;
static struct gate never;

static pid_t caller(int kind)
{
	pid_t pid;

	call_kind = kind;
	pid = fork_or_die();
	if (pid)
		return pid;
	switch (kind) {
	case 0:
		SC(SYS_pause, 11, 12, 13, 14, 15, 16);
		break;
	case 1:
		sleeper();
		SC(SYS_wait4, -1, 0, 0, 0, 15, 16);
		break;
	case 2: {
		pid_t kid = sleeper();

		SC(SYS_wait4, kid, 0, 0x40000000, 0, 15, 16);
		break;
	}
	default:
		SC(SYS_read, never.r, buf, 1, 14, 15, 16);
		break;
	}
	_exit(0);
}

static void calls(void)
{
	static const char *const what[] = {"pause", "wait for any", "wait for one", "read"};
	pid_t kid;

	never = gate_new();
	for (int i = 0; i < 4; i++) {
		kid = caller(i);
		await_state(of(kid, "stat"), 'S');
		call_of(what[i], kid);
		kill(kid, SIGSTOP);
		waitpid(kid, NULL, WUNTRACED);
		end(kid);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	kid = fork_or_die();
	if (!kid)
		_exit(0);
	await_zombie(kid);
	call_of("a zombie", kid);
	end(kid);
	call_of("nobody", kid);
	slurp("/proc/self/syscall");
	say("own call: %.3s", buf);
}

static void fdinfo_of(const char *what, int fd)
{
	static const char *const keys[] = {"Pid:", "NSpid:", "lock:", "pos:", "flags:"};
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (slurp(path) < 0)
		say("%s: unreadable", what);
	/* The inode of a lock's file is the one thing that differs. */
	for (char *c = strstr(buf, "lock:"); c && (c = strchr(c, ':')); c++)
		if (c > buf + 3 && c[-3] == ' ')
			while (*c && *c != ' ')
				*c++ = '#';
	lines(what, keys, COUNT(keys), 99);
}

static void fdinfo(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_len = 5},
		     ofd = {.l_type = F_RDLCK, .l_start = 10, .l_len = 5};
	pid_t kid = sleeper();
	int p = (int)SC(SYS_pidfd_open, kid, 0), q = (int)SC(SYS_pidfd_open, getpid(), 0), file;

	fdinfo_of("child", p);
	fdinfo_of("own", q);
	kill(kid, SIGKILL);
	await_zombie(kid);
	fdinfo_of("zombie", p);
	end(kid);
	fdinfo_of("reaped", p);
	close(p);
	close(q);
	file = open("file", O_RDWR | O_CREAT, 0600);
	fdinfo_of("no lock", file);
	flock(file, LOCK_EX);
	fdinfo_of("flock", file);
	SC(SYS_fcntl, file, 6 /* F_SETLK */, &lock);
	SC(SYS_fcntl, file, 37 /* F_OFD_SETLK */, &ofd);
	fdinfo_of("three locks", file);
	kid = fork_or_die();
	if (!kid) {
		fdinfo_of("inherited", file);
		_exit(0);
	}
	waitpid(kid, NULL, 0);
	kid = fork_or_die();
	if (!kid) {
		int again = open("file", O_RDWR);

		lock.l_start = 100;
		SC(SYS_fcntl, again, 6, &lock);
		fdinfo_of("child's", again);
		_exit(0);
	}
	waitpid(kid, NULL, 0);
	close(file);
	unlink("file");
}

static void restrictions(void)
{
	static const char *const keys[] = {
		"NoNewPrivs:", "Seccomp:", "Seccomp_filters:", "Ngid:", "Threads:"};
	pid_t kid = sleeper();

	slurp("/proc/self/status");
	lines("own", keys, COUNT(keys), 99);
	slurp(of(kid, "status"));
	lines("child", keys, COUNT(keys), 99);
	slurp("/proc/thread-self/status");
	lines("thread", keys, COUNT(keys), 99);
	end(kid);
	for (int filters = 0; filters < 3; filters++) {
		struct {
			uint16_t code;
			uint8_t jt, jf;
			uint32_t k;
		} allow = {6, 0, 0, 0x7fff0000};
		struct {
			uint16_t len;
			void *code;
		} prog = {1, &allow};
		struct gate done = gate_new();

		kid = fork_or_die();
		if (!kid) {
			SC(SYS_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0);
			for (int i = 0; i < filters; i++)
				SC(SYS_prctl, 22 /* PR_SET_SECCOMP */, 2, &prog);
			gate_open(done);
			for (;;)
				pause();
		}
		gate_pass(done);
		slurp(of(kid, "status"));
		lines("restricted", keys, COUNT(keys), 99);
		end(kid);
	}
}

/* A child that is always in some call: its mask is its own whenever one looks. */
static void masks(void)
{
	sigset_t set;
	pid_t kid;
	int stat_odd = 0, status_odd = 0;
	struct gate started = gate_new();

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kid = fork_or_die();
	if (!kid)
		for (gate_open(started);;) {
			int fd = open("/proc/self/stat", O_RDONLY);

			close(fd);
		}
	gate_pass(started);
	for (int i = 0; i < 400; i++) {
		char *c, *word;
		int n = 2;

		slurp(of(kid, "status"));
		c = strstr(buf, "SigBlk:\t");
		status_odd += !c || strncmp(c + 8, "0000000000000800", 16);
		slurp(of(kid, "stat"));
		c = strrchr(buf, ')');
		for (word = c ? strtok(c + 1, " ") : NULL; word && ++n < 32; word = strtok(NULL, " "))
			;
		stat_odd += !word || strcmp(word, "2048");
	}
	say("mask of a busy child: %d odd in stat, %d in status", stat_odd, status_odd);
	end(kid);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Of a child that has its own ideas of SIGSYS, which subpid needs. */
static void sigsys(void)
{
	static const char *const keys[] = {"SigPnd:", "ShdPnd:", "SigBlk:", "SigIgn:", "SigCgt:"};

	for (int kind = 0; kind < 5; kind++) {
		struct gate done = gate_new();
		pid_t kid = fork_or_die();

		if (!kid) {
			set_raw_mask(kind & 1 ? BIT(SIGSYS) : 0);
			if (kind == 2)
				signal(SIGSYS, SIG_IGN);
			if (kind == 3)
				signal(SIGSYS, exit);
			if (kind == 1)
				raise(SIGSYS);
			gate_open(done);
			for (;;)
				pause();
		}
		gate_pass(done);
		await_state(of(kid, "stat"), 'S');
		slurp(of(kid, "status"));
		lines("SIGSYS", keys, COUNT(keys), 99);
		end(kid);
	}
}

static int count(const char *what)
{
	int n = 0;

	for (const char *c = buf; (c = strstr(c, what)); c += strlen(what))
		n++;
	return n;
}

/* Nothing of ours: no such file, ascending addresses, and the same number of mappings everywhere. */
static void maps_of(const char *what, const char *dir)
{
	char path[64];
	unsigned long last = 0;
	int sorted = 1, heads = 0, smaps, numa;
	char first[200] = "", *save = NULL;

	snprintf(path, sizeof(path), "%s/smaps", dir);
	slurp(path);
	smaps = count("VmFlags:");
	snprintf(path, sizeof(path), "%s/numa_maps", dir);
	slurp(path);
	numa = count("\n");
	snprintf(path, sizeof(path), "%s/maps", dir);
	slurp(path);
	say("%s: named subpid %d, stack %d, vdso %d", what, count("subpid"), count("[stack]"),
	    count("[vdso]"));
	for (char *l = strtok_r(buf, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		unsigned long start = strtoul(l, NULL, 16);

		sorted &= start > last;
		last = start;
		if (!heads++) {
			char *slash = strrchr(l, '/');

			snprintf(first, sizeof(first), "%s", slash ? slash : "nameless");
		}
	}
	/* [vsyscall] is a line of maps and smaps alone. */
	say("%s: first %s, sorted %d, smaps %d more, numa_maps %d less", what, first, sorted,
	    smaps - heads, heads - numa);
}

/* A file for each file that is mapped, in the order of maps: in pieces of every size. */
static void mapped_files(void)
{
	int dir = open("/proc/self/map_files", O_RDONLY | O_DIRECTORY);

	for (long size = 24; size <= 4096; size *= 2) {
		unsigned long last = 0, start;
		int names = 0, sorted = 1, files = 0;
		long n;

		lseek(dir, 0, SEEK_SET);
		while ((n = SC(SYS_getdents64, dir, buf, size)) > 0)
			for (long at = 0; at < n; at += *(unsigned short *)(buf + at + 16)) {
				if (buf[at + 19] == '.')
					continue;
				start = strtoul(buf + at + 19, NULL, 16);
				sorted &= start > last;
				last = start;
				names++;
			}
		if (n < 0) {
			say("map_files in %ld: %s", size, err((int)-n));
			continue;
		}
		slurp("/proc/self/maps");
		for (char *c = buf; (c = strchr(c, '/')); c = strchr(c, '\n') ?: c)
			files++;
		say("map_files in %ld: sorted %d, as many as in maps %d", size, sorted, names == files);
	}
	close(dir);
}

static void maps(void)
{
	pid_t kid = sleeper();
	char *many;

	maps_of("own", "/proc/self");
	mapped_files();
	maps_of("thread's", "/proc/thread-self");
	maps_of("child's", of(kid, "")); /* with a slash too many */
	kill(kid, SIGKILL);
	await_zombie(kid);
	say("zombie's: %s", rc(slurp(of(kid, "maps"))));
	say("zombie's smaps: %s", rc(slurp(of(kid, "smaps"))));
	end(kid);
	say("nobody's: %s", rc(slurp(of(kid, "maps"))));
	many = mmap(NULL, 8000 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 8000; i += 2)
		mprotect(many + i * 4096, 4096, PROT_NONE);
	maps_of("thousands", "/proc/self");
	munmap(many, 8000 * 4096);
}

static void dead(void)
{
	static const char *const names[] = {"stat",	"status",    "sched",	 "maps",
					    "timers",	"syscall",   "fdinfo/0", "mountinfo",
					    "children", "numa_maps", "environ",	 "comm"};
	pid_t kid = sleeper();
	int dir = open(of(kid, ""), O_RDONLY | O_DIRECTORY), fd;

	kill(kid, SIGKILL);
	await_zombie(kid);
	for (size_t i = 0; i < COUNT(names); i++) {
		fd = openat(dir, names[i], O_RDONLY);
		say("zombie's %s: %s", names[i], fd < 0 ? err(errno) : "open");
		close(fd);
	}
	end(kid);
	for (size_t i = 0; i < COUNT(names); i++) {
		fd = openat(dir, names[i], O_RDONLY);
		say("%s of the dead: %s", names[i], fd < 0 ? err(errno) : "open");
		close(fd);
		say("%s of nobody: %s", names[i], rc(slurp(of(kid, names[i]))));
	}
	close(dir);
}

int main(void)
{
	sched();
	timers();
	calls();
	fdinfo();
	restrictions();
	masks();
	sigsys();
	maps();
	dead();
	return 0;
}
