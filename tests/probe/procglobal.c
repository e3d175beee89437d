/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts about the system that carry numbers: loadavg, ns_last_pid and other settings, locks, System V
 * objects, mounts, flow labels, members of control groups. What is not of this namespace is left out or
 * 0; of the rest only what is this probe's own is printed.
 */
#include "probe.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/socket.h>

static char buf[1 << 20];

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
	if (n < 0)
		n = -errno;
	close(fd);
	buf[at] = 0;
	return n < 0 ? n : (long)at;
}

static void last(void)
{
	pid_t kid;
	long n = slurp("/proc/loadavg");
	char *c = strrchr(buf, ' ');

	say("loadavg: %s", n > 0 && c ? strtok(c + 1, "\n") : rc(n));
	n = slurp("/proc/sys/kernel/ns_last_pid");
	say("ns_last_pid: %s", n > 0 ? strtok(buf, "\n") : rc(n));
	kid = fork_or_die();
	if (!kid)
		_exit(0);
	waitpid(kid, NULL, 0);
	slurp("/proc/loadavg");
	c = strrchr(buf, ' ');
	say("loadavg after a fork: %s", c ? strtok(c + 1, "\n") : "");
	slurp("/proc/sys/kernel/ns_last_pid");
	say("ns_last_pid after a fork: %s", strtok(buf, "\n"));
}

static void setting(const char *path)
{
	static const struct {
		int flags;
		const char *name;
	} ways[] = {{O_RDONLY, "reading"},
		    {O_WRONLY, "writing"},
		    {O_RDWR, "both"},
		    {O_WRONLY | O_TRUNC, "truncating"}};

	for (size_t i = 0; i < COUNT(ways); i++) {
		int fd = open(path, ways[i].flags);
		char text[64] = "";
		long n;

		if (fd < 0) {
			say("%s for %s: %s", path, ways[i].name, err(errno));
			continue;
		}
		n = SC(SYS_read, fd, text, sizeof(text) - 1);
		strtok(text, "\n");
		say("%s for %s: read %s %s", path, ways[i].name, n < 0 ? err((int)-n) : "",
		    n > 0 ? text : "");
		/* Never as root: some of these are the machine's. */
		if (geteuid())
			say("%s for %s: write %s, junk %s", path, ways[i].name,
			    err((int)-SC(SYS_write, fd, "1\n", 2)),
			    err((int)-SC(SYS_write, fd, "x\n", 2)));
		close(fd);
	}
}

static void settings(void)
{
	static const char *const paths[] = {"/proc/sys/kernel/pid_max", "/proc/sys/kernel/ns_last_pid",
					    "/proc/sys/kernel/cad_pid", "/proc/sys/vm/memfd_noexec"};

	for (size_t i = 0; i < COUNT(paths); i++)
		setting(paths[i]);
	say("max_pid_namespaces: %s",
	    slurp("/proc/sys/user/max_pid_namespaces") > 0 ? "a number" : "unreadable");
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Rows of /proc/locks about our file: without the count in front and the device. */
static void locks_of(const char *what, unsigned long ino)
{
	char mark[40], *save = NULL, *rows[16], *tree = NULL;
	size_t had = 0;
	long n = slurp("/proc/locks");

	snprintf(mark, sizeof(mark), ":%lu ", ino);
	if (n < 0)
		say("%s: %s", what, rc(n));
	for (char *l = strtok_r(buf, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *at = strstr(l, mark), *dev = at;

		if (!at)
			continue;
		while (dev > l && *dev != ' ')
			dev--;
		*dev = 0;
		/* The list has a part for each CPU: locks of one file come in any order, waiters behind theirs. */
		l = strchr(l, ' ');
		if (strstr(l, "->") && tree) {
			snprintf(tree + strlen(tree), 300, " |%s %s", l, at + strlen(mark));
		} else if (had < COUNT(rows)) {
			tree = rows[had++] = calloc(1, 2000);
			snprintf(tree, 300, "%s %s", l, at + strlen(mark));
		}
	}
	qsort(rows, had, sizeof(rows[0]), by_text);
	for (size_t i = 0; i < had; i++) {
		say("%s:%s", what, rows[i]);
		free(rows[i]);
	}
}

static void locks(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_len = 5},
		     ofd = {.l_type = F_RDLCK, .l_start = 10, .l_len = 5};
	int file = open("file", O_RDWR | O_CREAT, 0600);
	struct stat st;
	pid_t waiter, second, holder;
	struct gate held = gate_new();

	fstat(file, &st);
	locks_of("none", st.st_ino);
	flock(file, LOCK_EX);
	SC(SYS_fcntl, file, 6, &lock);
	SC(SYS_fcntl, file, 37, &ofd);
	locks_of("own", st.st_ino);
	waiter = fork_or_die();
	if (!waiter) {
		SC(SYS_fcntl, file, 7 /* F_SETLKW */, &lock);
		_exit(0);
	}
	usleep(20000);
	await_state("/proc/2/stat", 'S');
	locks_of("with a waiter", st.st_ino);
	second = fork_or_die();
	if (!second) {
		lock.l_type = F_RDLCK;
		SC(SYS_fcntl, file, 7, &lock);
		_exit(0);
	}
	usleep(50000);
	locks_of("with two", st.st_ino);
	end(waiter);
	end(second);
	holder = fork_or_die();
	if (!holder) {
		int again = open("file", O_RDWR);

		lock.l_type = F_WRLCK;
		lock.l_start = 100;
		SC(SYS_fcntl, again, 6, &lock);
		gate_open(held);
		for (;;)
			pause();
	}
	gate_pass(held);
	locks_of("a child's", st.st_ino);
	end(holder);
	locks_of("the child is gone", st.st_ino);
	/* Who took a lock that is still held may be gone: inherited, by flock. */
	flock(file, LOCK_UN);
	holder = fork_or_die();
	if (!holder) {
		flock(file, LOCK_EX);
		_exit(0);
	}
	waitpid(holder, NULL, 0);
	locks_of("of the dead", st.st_ino);
	close(file);
	unlink("file");
}

/* Fields of the row whose second is id. */
static void row(const char *what, const char *path, long id, int from, int to)
{
	char *save = NULL, mark[32], out[200] = "";
	long n = slurp(path);
	size_t at = 0;

	snprintf(mark, sizeof(mark), "%10ld", id);
	if (n < 0)
		say("%s: %s", what, rc(n));
	for (char *l = strtok_r(buf, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *words = NULL;
		int i = 1;

		if (strncmp(l + 11, mark, 10))
			continue;
		/* The whole length of the row shows whether columns stayed where they were. */
		at += (size_t)snprintf(out, sizeof(out), "length %zu:", strlen(l));
		for (char *w = strtok_r(l, " ", &words); w; w = strtok_r(NULL, " ", &words), i++)
			if (i >= from && i <= to)
				at += (size_t)snprintf(out + at, sizeof(out) - at, " %s", w);
		say("%s: %s", what, out);
	}
}

static void sysv(void)
{
	int shm = (int)SC(SYS_shmget, IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	int q = (int)SC(SYS_msgget, IPC_PRIVATE, IPC_CREAT | 0600);
	struct {
		long type;
		char text[8];
	} m = {1, "x"};
	pid_t kid;

	row("segment", "/proc/sysvipc/shm", shm, 5, 7);
	row("queue", "/proc/sysvipc/msg", q, 6, 7);
	kid = fork_or_die();
	if (!kid) {
		shmat(shm, NULL, 0);
		SC(SYS_msgsnd, q, &m, 8, 0);
		row("segment in a child", "/proc/sysvipc/shm", shm, 5, 7);
		_exit(0);
	}
	waitpid(kid, NULL, 0);
	row("segment of the dead", "/proc/sysvipc/shm", shm, 5, 7);
	row("queue of the dead", "/proc/sysvipc/msg", q, 6, 7);
	SC(SYS_msgrcv, q, &m, 8, 0, 0);
	row("queue", "/proc/sysvipc/msg", q, 6, 7);
	SC(SYS_shmctl, shm, IPC_RMID, 0);
	SC(SYS_msgctl, q, IPC_RMID, 0);
	slurp("/proc/sysvipc/sem");
	say("semaphores: %.10s", buf);
}

struct flow {
	struct in6_addr dst;
	uint32_t label;
	uint8_t action, share;
	uint16_t flags, expires, linger;
	uint32_t pad;
};

static void flow(void)
{
	struct flow f = {.action = 0, .share = 2, .flags = 1, .expires = 6, .linger = 6};
	int s = socket(AF_INET6, SOCK_DGRAM, 0);
	char *l, *save = NULL, mark[8];

	f.dst.s6_addr[15] = 1;
	if (s < 0 || setsockopt(s, 41, 32 /* IPV6_FLOWLABEL_MGR */, &f, sizeof(f))) {
		say("flow label: %s", err(errno));
		close(s);
		return;
	}
	/* The kernel has chosen the label. */
	snprintf(mark, sizeof(mark), "%05X", ntohl(f.label));
	slurp("/proc/net/ip6_flowlabel");
	for (l = strtok_r(buf, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (!strncmp(l, mark, 5) || !strncmp(l, "Label", 5))
			say("flow label: %.18s", l + 5);
	close(s);
}

/* Where the first mount of a type is; the member that hold a controller "pids" for the older one. */
static int mount_of(const char *type, const char *option, char *ret_path, size_t cap)
{
	char *save = NULL, *l, where[200], t[40], options[400];
	int found = 0;

	slurp("/proc/self/mounts");
	for (l = strtok_r(buf, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (!found && sscanf(l, "%*s %199s %39s %399s", where, t, options) == 3 &&
		    !strcmp(t, type) && (!option || strstr(options, option))) {
			snprintf(ret_path, cap, "%s", where);
			found = 1;
		}
	return found;
}

static void members(const char *type, const char *option, const char *file)
{
	char where[200], path[900], *save = NULL, line[400] = "", *l;
	char group[300] = "/";
	size_t at = 0;
	int last = 0, sorted = 1, zeros = 0;
	long n;

	if (!mount_of(type, option, where, sizeof(where))) {
		say("%s: not mounted", type);
		return;
	}
	slurp("/proc/self/cgroup");
	for (l = strtok_r(buf, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (option ? strstr(l, option) != NULL : !strncmp(l, "0::", 3))
			snprintf(group, sizeof(group), "%s", strrchr(l, ':') + 1);
	snprintf(path, sizeof(path), "%s%s/%s", where, group, file);
	n = slurp(path);
	for (l = strtok_r(buf, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		int v = atoi(l);

		zeros += !v;
		if (!v)
			continue;
		sorted &= v > last;
		last = v;
		at += (size_t)snprintf(line + at, sizeof(line) - at, " %d", v);
	}
	say("%s %s: %s%s; ascending %d, zeros %d", type, file, n < 0 ? err((int)-n) : "", line,
	    sorted, zeros > 0);
}

static void *thread(void *arg)
{
	gate_pass(*(struct gate *)arg);
	return NULL;
}

static void groups(void)
{
	struct gate g = gate_new();
	pid_t kids[3];
	pthread_t t;

	for (size_t i = 0; i < COUNT(kids); i++)
		kids[i] = sleeper();
	pthread_create(&t, NULL, thread, &g);
	members("cgroup2", NULL, "cgroup.procs");
	members("cgroup2", NULL, "cgroup.threads");
	members("cgroup", "pids", "cgroup.procs");
	members("cgroup", "pids", "tasks");
	gate_open(g);
	pthread_join(t, NULL);
	for (size_t i = 0; i < COUNT(kids); i++)
		end(kids[i]);
}

static void mounts(void)
{
	static const char *const names[] = {"/proc/mounts", "/proc/self/mounts",
					    "/proc/thread-self/mountinfo", "/proc/1/mountstats"};

	for (size_t i = 0; i < COUNT(names); i++) {
		int fd = open(names[i], O_RDONLY);
		struct pollfd p = {fd, POLLIN | POLLPRI, 0};
		int r = poll(&p, 1, 0);

		say("%s: poll %d %x, read %s", names[i], r, p.revents,
		    read(fd, buf, 100) > 0 ? "text" : "nothing");
		close(fd);
	}
}

int main(void)
{
	last();
	settings();
	locks();
	sysv();
	flow();
	groups();
	mounts();
	return 0;
}
