/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a descriptor of a text on procfs is like, but for what docs/decisions/text-files.md says: its number, flags, position, status and name, reading
 * in every way, writing, polling, sharing with children; with one descriptor left, under a limit of file
 * sizes, from many threads at once.
 */
#include "probe.h"
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/vfs.h>

static const char *const names[] = {"/proc/self/stat",		"/proc/self/status",
				    "/proc/self/maps",		"/proc/loadavg",
				    "/proc/self/sched",		"/proc/self/statm",
				    "/proc/sysvipc/shm",	"/proc/self/comm",
				    "/proc/sys/kernel/pid_max", "/proc/thread-self/children"};

/* The two that are read most can be written, as a program's own copies. */
static int is_copy(const char *name)
{
	return !strcmp(name, "/proc/self/stat") || !strcmp(name, "/proc/self/status");
}

static int flags_of(const char *name, int fd)
{
	return fcntl(fd, F_GETFL) & ~(is_copy(name) ? O_ACCMODE : 0);
}

static const char *refused(const char *name, long r)
{
	return is_copy(name) ? "whatever" : rc(r);
}

static void status(const char *name)
{
	struct stat by_name, by_fd, at;
	char link[64], to[200];
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	struct statfs fs;

	stat(name, &by_name);
	SC(SYS_fstat, fd, &by_fd);
	SC(SYS_newfstatat, fd, "", &at, 0x1000 /* AT_EMPTY_PATH */);
	say("%s: mode %o links %ld size %ld, same file %d", name, at.st_mode, (long)at.st_nlink,
	    (long)at.st_size, by_name.st_ino == at.st_ino && by_name.st_dev == at.st_dev);
	say("%s: fstat mode %o links %ld size %ld blocks %ld, same file %d", name, by_fd.st_mode,
	    (long)by_fd.st_nlink, (long)by_fd.st_size, (long)by_fd.st_blocks,
	    by_name.st_ino == by_fd.st_ino && by_name.st_dev == by_fd.st_dev);
	say("%s: fstat %s, fstatfs %s", name, rc(SC(SYS_fstat, fd, WILD)),
	    rc(SC(SYS_fstatfs, fd, WILD)));
	say("%s: file system %x", name, fstatfs(fd, &fs) ? 0 : (unsigned)fs.f_type);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, to, sizeof(to) - 1);
	to[n < 0 ? 0 : n] = 0;
	say("%s: link %s", name, to);
	say("%s: status flags %o, descriptor flags %d", name, flags_of(name, fd), fcntl(fd, F_GETFD));
	close(fd);
	fd = open(name, O_RDONLY | O_NONBLOCK);
	say("%s: status flags %o, descriptor flags %d, number %d", name, flags_of(name, fd),
	    fcntl(fd, F_GETFD), fd);
	close(fd);
}

static void writing(const char *name)
{
	struct iovec v = {(void *)"x", 1};
	int fd = open(name, O_RDONLY);

	say("%s: write %s, writev %s", name, refused(name, SC(SYS_write, fd, "x", 1)),
	    refused(name, SC(SYS_writev, fd, &v, 1)));
	say("%s: ftruncate %s, mapped %d", name, refused(name, SC(SYS_ftruncate, fd, 100000)),
	    !is_copy(name) && mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED);
	close(fd);
	fd = open(name, O_WRONLY | O_APPEND);
	say("%s: for writing %s", name, fd < 0 ? err(errno) : "open");
	close(fd);
	fd = open(name, O_RDONLY | O_CREAT | O_EXCL, 0600);
	say("%s: to be made %s", name, fd < 0 ? err(errno) : "open");
	close(fd);
}

static void reading(const char *name)
{
	char whole[65536], one[65536], line[64] = "";
	int fd = open(name, O_RDONLY), pipes[2];
	size_t at = 0;
	ssize_t n, got;
	struct iovec v[2] = {{one, 7}, {one + 7, 20}};
	struct pollfd p = {fd, POLLIN | POLLOUT, 0};

	got = read(fd, whole, sizeof(whole));
	say("%s: some %d, then %zd, position %s", name, got > 0,
	    read(fd, one, 100) > 0 ? -1 : (ssize_t)0,
	    lseek(fd, 0, SEEK_CUR) == got ? "at the end" : "elsewhere");
	lseek(fd, 0, SEEK_SET);
	n = read(fd, one, 3);
	say("%s: 3 bytes %zd, position %ld", name, n, (long)lseek(fd, 0, SEEK_CUR));
	say("%s: pread %zd, same %d, position %ld", name, pread(fd, one, 2, 0),
	    !memcmp(one, whole, 2), (long)lseek(fd, 0, SEEK_CUR));
	lseek(fd, 0, SEEK_SET);
	n = readv(fd, v, 2);
	say("%s: readv %d", name, n > 0 && n <= 27);
	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, one, 1)) == 1 && at < sizeof(line) - 1)
		line[at++] = one[0];
	say("%s: byte by byte %d", name, at > 0);
	say("%s: wild %s, negative %s", name, err((int)-SC(SYS_pread64, fd, WILD, 10, 0)),
	    err((int)-SC(SYS_pread64, fd, one, 10, -1)));
	n = poll(&p, 1, 0);
	say("%s: poll %zd %x", name, n, p.revents);
	lseek(fd, 0, SEEK_SET);
	if (pipe(pipes))
		die("pipe");
	n = splice(fd, NULL, pipes[1], NULL, 5, 0);
	say("%s: splice %d", name, n == 5 || n == 0 || (n < 0 && errno == EINVAL));
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
}

/* A position is shared with a child; a program that is executed reads on. */
static void sharing(void)
{
	char text[64];
	int fd = open("/proc/self/stat", O_RDONLY);
	pid_t kid = fork_or_die();

	if (!kid) {
		say("child reads %zd", read(fd, text, 4));
		_exit(0);
	}
	waitpid(kid, NULL, 0);
	memset(text, 0, sizeof(text));
	say("parent reads on at %ld", (long)lseek(fd, 0, SEEK_CUR));
	lseek(fd, 0, SEEK_SET);
	kid = fork_or_die();
	if (!kid) {
		dup2(fd, 0);
		execlp("cut", "cut", "-d ", "-f1-2", NULL);
		_exit(99);
	}
	say("exec %s", reap(kid));
	close(fd);
	/* As a shell's redirection does it: the text is about the program that reads it. */
	for (int i = 0; i < 2; i++) {
		static const char *const what[] = {"/proc/self/status", "/proc/thread-self/sched"};

		kid = fork_or_die();
		if (!kid) {
			int in = open(what[i], O_RDONLY);

			dup2(in, 0);
			close(in);
			execlp("head", "head", "-n1", NULL);
			_exit(99);
		}
		waitpid(kid, NULL, 0);
	}
}

/* A descriptor kept open: what is not converted stays live, and what is can be read again. */
static void held(void)
{
	int live = open("/proc/self/statm", O_RDONLY), kept = open("/proc/self/stat", O_RDONLY);
	char a[400], b[400];
	ssize_t n = pread(live, a, 10, 0), m = pread(kept, b, 1, 0);
	char *more = malloc(50 << 20);

	memset(more, 1, 50 << 20);
	say("live %d, number %.*s",
	    pread(live, a + 200, 10, 0) > 0 && n > 0 && memcmp(a, a + 200, 4), (int)m, b);
	say("again %zd", pread(kept, b, 1, 0));
	free(more);
	close(live);
	close(kept);
}

/* From the start once more: the second word, or why there is none. */
static const char *anew(int fd, const char *key)
{
	char *s = scratch(), text[8192], *at = text;
	ssize_t n = (ssize_t)SC(SYS_lseek, fd, 0, SEEK_SET);

	if (n == 0)
		n = (ssize_t)SC(SYS_read, fd, text, sizeof(text) - 1);
	if (n <= 0)
		return rc(n);
	text[n] = 0;
	if (key)
		at = strstr(text, key);
	if (!at)
		return "none";
	snprintf(s, 100, "%.*s", (int)strcspn(at, "\n"), at);
	return s;
}

/* What goes back to the start reads what is there now. */
static void from_the_start(void)
{
	static const char *const mine[] = {"/proc/self/status", "/proc/thread-self/sched"};
	int fds[2], load = open("/proc/loadavg", O_RDONLY), info, twice, kids, group = 0;
	char name[40], *at;
	struct gate g = gate_new();
	pid_t kid;

	for (size_t i = 0; i < 2; i++)
		fds[i] = open(mine[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	prctl(PR_SET_NAME, "renamed");
	for (size_t i = 0; i < 2; i++) {
		at = (char *)anew(fds[i], NULL);
		at[strcspn(at, "(")] = 0; /* sched goes on with another */
		say("again: %s, flags %o %d", at, fcntl(fds[i], F_GETFL) & ~O_ACCMODE,
		    fcntl(fds[i], F_GETFD));
		close(fds[i]);
	}
	kid = fork_or_die();
	if (!kid) {
		gate_pass(g);
		_exit(0);
	}
	at = strrchr(anew(load, NULL), ' ');
	say("last number: %s", at ? at : "none");
	snprintf(name, sizeof(name), "/proc/%d/stat", kid);
	fds[0] = open(name, O_RDONLY);
	snprintf(name, sizeof(name), "/proc/%d/task/%d/status", kid, kid);
	fds[1] = open(name, O_RDONLY);
	snprintf(name, sizeof(name), "/proc/%d/fdinfo/%d", kid, load);
	info = open(name, O_RDONLY);
	twice = dup(fds[1]);
	snprintf(name, sizeof(name), "/proc/%d/task/%d/children", kid, kid);
	kids = open(name, O_RDONLY);
	setpgid(kid, kid);
	sscanf(anew(fds[0], ") "), ") %*c %*d %d", &group);
	say("its group: %d", group == kid);
	gate_open(g);
	while (!strchr(anew(fds[0], ") "), 'Z'))
		usleep(1000);
	say("a zombie: %s", anew(fds[1], "State:"));
	waitpid(kid, NULL, 0);
	say("gone: %s %s %s %s", anew(fds[0], NULL), anew(fds[1], NULL), anew(twice, NULL),
	    anew(info, NULL));
	say("and again: %s %s %s", anew(fds[0], NULL), anew(fds[1], NULL), anew(kids, NULL));
	close(kids);
	close(fds[0]);
	close(fds[1]);
	close(twice);
	close(info);
	say("closed: %s", rc(SC(SYS_lseek, load + 100, 0, SEEK_SET)));
	close(load);
}

static void limits(void)
{
	static const char *const few[] = {"/proc/self/stat", "/proc/self/status", "/proc/self/maps",
					  "/proc/loadavg", "/proc/sys/kernel/ns_last_pid"};
	struct rlimit had, few_files;
	char text[65536];
	int fds[64], n = 0, fd;

	getrlimit(RLIMIT_NOFILE, &had);
	few_files = had;
	few_files.rlim_cur = 32;
	setrlimit(RLIMIT_NOFILE, &few_files);
	while (n < 64 && (fd = open("/dev/null", O_RDONLY)) >= 0)
		fds[n++] = fd;
	say("full: %s", open("/proc/self/stat", O_RDONLY) < 0 ? err(errno) : "open");
	for (size_t i = 0; i < COUNT(few); i++) {
		close(fds[n - 1]);
		fd = open(few[i], O_RDONLY);
		say("one left: %s: %d, text %d", few[i], fd,
		    fd < 0 ? 0 : read(fd, text, sizeof(text)) > 0);
		say("one more: %s", open(few[i], O_RDONLY) < 0 ? err(errno) : "open");
		fds[n - 1] = fd < 0 ? open("/dev/null", O_RDONLY) : fd;
	}
	while (n)
		close(fds[--n]);
	setrlimit(RLIMIT_NOFILE, &had);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* Files that are called like lists of members and are none. */
static void namesakes(void)
{
	struct sigaction act = {.sa_handler = on_alarm};
	char text[16];
	int fd;

	sigaction(SIGALRM, &act, NULL);
	mkfifo("tasks", 0600);
	ualarm(20000, 0);
	fd = open("tasks", O_RDONLY);
	say("a fifo: %s", fd < 0 ? err(errno) : "open");
	unlink("tasks");
	symlink("/proc/self/stat", "tasks");
	fd = open("tasks", O_RDONLY);
	memset(text, 0, sizeof(text));
	if (read(fd, text, 4) > 0)
		say("a link: %.4s", text);
	close(fd);
	unlink("tasks");
	fd = open("cgroup.procs", O_RDWR | O_CREAT, 0600);
	say("a file: %zd", write(fd, "123\n", 4));
	close(fd);
	fd = open("cgroup.procs", O_RDONLY);
	memset(text, 0, sizeof(text));
	if (read(fd, text, 10) > 0)
		say("read: %s", text);
	close(fd);
	unlink("cgroup.procs");
}

static int done;

static void *opener(void *arg)
{
	int *bad = arg;
	char text[512], want[40];

	snprintf(want, sizeof(want), "%d (", getpid());
	for (int i = 0; i < 200; i++) {
		int fd = open("/proc/self/stat", O_RDONLY);
		ssize_t n = read(fd, text, sizeof(text));

		*bad += fd < 0 || n < 20 || memcmp(text, want, strlen(want));
		close(fd);
	}
	__atomic_fetch_add(&done, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void threads(void)
{
	pthread_t t[4];
	int bad[4] = {0};

	for (size_t i = 0; i < COUNT(t); i++)
		pthread_create(&t[i], NULL, opener, &bad[i]);
	for (size_t i = 0; i < COUNT(t); i++)
		pthread_join(t[i], NULL);
	say("threads: done %d, bad %d %d %d %d", done, bad[0], bad[1], bad[2], bad[3]);
}

int main(void)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		status(names[i]);
		if (strcmp(names[i], "/proc/self/comm"))
			writing(names[i]);
		reading(names[i]);
	}
	sharing();
	held();
	from_the_start();
	limits();
	namesakes();
	threads();
	return 0;
}
