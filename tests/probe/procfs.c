/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc as process 1 and its children see it: the listing, self and thread-self, the numbers in stat
 * and status, tasks and children, exe, names that do not exist, relative names, and directories of
 * processes that have ended.
 */
#include "probe.h"
#include <dirent.h>

static char buf[65536];

static long slurp(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t at = 0;
	ssize_t n;

	buf[0] = 0;
	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf + at, sizeof(buf) - 1 - at)) > 0)
		at += (size_t)n;
	if (n < 0) {
		n = -errno;
		close(fd);
		return n;
	}
	buf[at] = 0;
	close(fd);
	return (long)at;
}

static void numbers(const char *dir)
{
	char line[512] = "";
	size_t at = 0;
	DIR *d = opendir(dir);
	struct dirent *e;
	int first = 1, self = 0, thread_self = 0, sorted = 1, last = 0, type = 1;

	if (!d) {
		say("%s: %s", dir, err(errno));
		return;
	}
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, "self"))
			self = 1;
		if (!strcmp(e->d_name, "thread-self"))
			thread_self = 1;
		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		first = atoi(e->d_name);
		sorted &= first > last;
		last = first;
		type &= e->d_type == DT_DIR;
		at += (size_t)snprintf(line + at, sizeof(line) - at, " %s", e->d_name);
	}
	closedir(d);
	say("%s:%s; sorted %d directories %d self %d thread-self %d", dir, line, sorted, type, self,
	    thread_self);
}

static void link_of(const char *path)
{
	char to[256];
	ssize_t n = readlink(path, to, sizeof(to) - 1);
	const char *slash;

	if (n < 0) {
		say("%s -> %s", path, err(errno));
		return;
	}
	to[n] = 0;
	slash = strrchr(to, '/');
	/* Only the last part of files' names: where the probe was built is the same, but long. */
	say("%s -> %s%s", path, to[0] == '/' && slash[1] ? ".../" : "",
	    to[0] == '/' && slash[1] ? slash + 1 : to);
}

static void stat_fields(const char *path)
{
	long n = slurp(path);
	char *p, *end;
	char state;
	long f[8] = {0};

	if (n <= 0) {
		say("%s %s", path, rc(n));
		return;
	}
	end = strrchr(buf, ')');
	p = strchr(buf, '(');
	state = end[2];
	f[0] = strtol(buf, NULL, 10);
	p = end + 3;
	for (int i = 1; i < 6; i++)
		f[i] = strtol(p, &p, 10);
	/* pid, ppid, pgrp, session, tty, tpgid; the state only where it is certain. */
	say("%s: %ld ppid %ld pgrp %ld session %ld tty %ld tpgid %ld%s", path, f[0], f[1], f[2],
	    f[3], f[4], f[5],
	    state == 'Z'   ? " zombie"
	    : state == 'T' ? " stopped"
			   : "");
}

static void status_fields(const char *path)
{
	static const char *const keys[] = {
		"Name:",   "Tgid:",  "Ngid:",	"Pid:",	  "PPid:",   "TracerPid:",
		"NStgid:", "NSpid:", "NSpgid:", "NSsid:", "Threads:"};
	char line[512] = "", *save, *l;
	size_t at = 0;
	long n = slurp(path);

	if (n <= 0) {
		say("%s %s", path, rc(n));
		return;
	}
	for (l = strtok_r(buf, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		for (size_t i = 0; i < COUNT(keys); i++)
			if (!strncmp(l, keys[i], strlen(keys[i])))
				at += (size_t)snprintf(line + at, sizeof(line) - at, " %s", l);
	for (char *c = line; *c; c++)
		if (*c == '\t')
			*c = ' ';
	say("%s:%s", path, line);
}

static void text(const char *path)
{
	long n = slurp(path);

	buf[strcspn(buf, "\n")] = 0;
	say("%s: %s \"%s\"", path, n < 0 ? rc(n) : "read", n < 0 ? "" : buf);
}

static void exists(const char *path)
{
	struct stat st;
	long a = SC(SYS_stat, path, &st), b = SC(SYS_access, path, 0), c, d;

	c = SC(SYS_open, path, O_RDONLY | O_CLOEXEC);
	if (c >= 0)
		close((int)c);
	d = SC(SYS_open, path, O_PATH | O_CLOEXEC);
	if (d >= 0)
		close((int)d);
	say("%s: stat %s access %s open %s O_PATH %s chdir %s", path, rc(a), rc(b),
	    rc(c > 0 ? 0 : c), rc(d > 0 ? 0 : d), rc(a ? SC(SYS_chdir, path) : 0));
}

static void look(void)
{
	char path[64];
	static const char *const names[] = {"stat", "status", "comm"};
	int me = getpid(), tid = (int)SC(SYS_gettid);

	numbers("/proc");
	numbers("/proc/self/task");
	link_of("/proc/self");
	link_of("/proc/thread-self");
	link_of("/proc/self/exe");
	link_of("/proc/self/root");
	link_of("/proc/self/fd/0");
	link_of("/proc/thread-self/exe");
	link_of("/proc/1/exe");
	stat_fields("/proc/self/stat");
	stat_fields("/proc/thread-self/stat");
	stat_fields("/proc/1/stat");
	snprintf(path, sizeof(path), "/proc/%d/stat", me);
	stat_fields(path);
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	stat_fields(path);
	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	stat_fields(path);
	snprintf(path, sizeof(path), "//proc/./%d/../%d//stat", me, me);
	stat_fields(path);
	status_fields("/proc/self/status");
	status_fields("/proc/thread-self/status");
	status_fields("/proc/1/status");
	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", me, tid);
	status_fields(path);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", me, me);
	text(path);
	text("/proc/1/task/1/children");
	text("/proc/thread-self/children");
	text("/proc/self/comm");
	for (size_t i = 0; i < COUNT(names); i++) {
		int dir = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;

		fd = openat(dir, names[i], O_RDONLY | O_CLOEXEC);
		say("relative %s %s", names[i], fd >= 0 ? "opened" : err(errno));
		if (fd >= 0 && !i) {
			ssize_t n = read(fd, buf, 200);

			buf[n > 0 ? n : 0] = 0;
			say("relative pid %ld", strtol(buf, NULL, 10));
		}
		close(fd);
		close(dir);
	}
}

static void nothing(void)
{
	static const char *const paths[] = {
		"/proc/01",
		"/proc/0",
		"/proc/-1",
		"/proc/+1",
		"/proc/ 1",
		"/proc/1x",
		"/proc/999",
		"/proc/999/stat",
		"/proc/4194304",
		"/proc/99999999999",
		"/proc/4294967297",
		"/proc/1/task/999",
		"/proc/1/task/01",
		"/proc/1/task/1",
		"/proc/1/task/0",
		"/proc/1",
		"/proc/self/task/999/stat",
		"/proc/self/nonsense",
		"/proc/1/",
		"/proc/1/.",
		"/proc/1/..",
		"/proc/1/../1",
		"/proc/2000/../1",
		"/proc/self/",
	};

	for (size_t i = 0; i < COUNT(paths); i++)
		exists(paths[i]);
	/* What the host has under these numbers does not show. */
	for (int i = 60; i < 32768; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/proc/%d", i);
		if (!access(path, F_OK))
			say("%s is there", path);
		if (i == 3000)
			i = 32700;
	}
}

static void family(void)
{
	struct gate g = gate_new(), up = gate_new();
	char path[64];
	pid_t a = fork_or_die(), b;
	int dir, fd, n;

	if (!a) {
		if (!fork_or_die()) {
			gate_open(up);
			gate_pass(g);
			_exit(0);
		}
		gate_open(up);
		gate_pass(g);
		gate_pass(g);
		_exit(0);
	}
	gate_pass(up);
	gate_pass(up);
	b = sleeper();
	setpgid(b, b);
	numbers("/proc");
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", getpid(), getpid());
	text(path);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", a, a);
	text(path);
	snprintf(path, sizeof(path), "/proc/%d/stat", a);
	stat_fields(path);
	snprintf(path, sizeof(path), "/proc/%d/status", a + 1);
	status_fields(path);
	snprintf(path, sizeof(path), "/proc/%d/stat", b);
	stat_fields(path);
	snprintf(path, sizeof(path), "/proc/%d/exe", b);
	link_of(path);
	/* Stopped, then a zombie, then nothing: with a directory and a file of it open. */
	snprintf(path, sizeof(path), "/proc/%d", b);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/stat", b);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	kill(b, SIGSTOP);
	SC(SYS_wait4, b, NULL, WUNTRACED, NULL);
	stat_fields(path);
	kill(b, SIGKILL);
	await_zombie(b);
	stat_fields(path);
	snprintf(path, sizeof(path), "/proc/%d/status", b);
	status_fields(path);
	snprintf(path, sizeof(path), "/proc/%d/exe", b);
	link_of(path);
	numbers("/proc");
	SC(SYS_wait4, b, NULL, 0, NULL);
	exists(path);
	numbers("/proc");
	n = openat(dir, "stat", O_RDONLY);
	say("reaped: openat %s", n < 0 ? err(errno) : "opened");
	n = openat(dir, "../1/stat", O_RDONLY);
	say("reaped: openat of another %s", n < 0 ? err(errno) : "opened");
	/*
	 * An open file of a reaped process gives ESRCH in the kernel. That cannot be equal: subpid makes
	 * the converted text when the file is opened, and reads are not its business.
	 */
	snprintf(path, sizeof(path), "/proc/%d", b);
	exists(path);
	close(dir);
	close(fd);
	gate_open(g);
	gate_open(g);
	gate_open(g);
	reap(a);
	/* In a session of one's own. */
	a = fork_or_die();
	if (!a) {
		setsid();
		stat_fields("/proc/self/stat");
		status_fields("/proc/self/status");
		_exit(0);
	}
	reap(a);
}

static struct gate up, down;

static void *thread(void *p)
{
	char path[64];
	int tid = (int)SC(SYS_gettid);

	numbers("/proc");
	numbers("/proc/self/task");
	link_of("/proc/self");
	link_of("/proc/thread-self");
	stat_fields("/proc/thread-self/stat");
	status_fields("/proc/thread-self/status");
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	status_fields(path);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", tid, tid);
	exists(path);
	gate_open(up);
	gate_pass(down);
	return NULL;
}

static void threads(void)
{
	pthread_t t;
	char path[64];

	up = gate_new();
	down = gate_new();
	pthread_create(&t, NULL, thread, NULL);
	gate_pass(up);
	numbers("/proc/self/task");
	snprintf(path, sizeof(path), "/proc/%d/task", getpid());
	numbers(path);
	gate_open(down);
	pthread_join(t, NULL);
}

static void relative(void)
{
	if (chdir("/proc"))
		die("chdir");
	stat_fields("self/stat");
	stat_fields("1/stat");
	numbers(".");
	exists("999");
	exists("01");
	if (chdir("self"))
		die("chdir");
	stat_fields("stat");
	stat_fields("../1/stat");
	numbers("task");
	say("cwd %s", getcwd(buf, sizeof(buf)) ? buf : err(errno));
	say("fork %s", reap(({
		    pid_t p = fork();
		    if (!p)
			    _exit(5);
		    p;
	    })));
	link_of("/proc/self/cwd");
}

static void all(void)
{
	look();
	nothing();
	family();
	threads();
}

int main(void)
{
	all();
	in_child("all in a child", all);
	in_child("relative", relative);
	relative();
	return 0;
}
