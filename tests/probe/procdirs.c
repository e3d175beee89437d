/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listings of /proc in detail: every size of buffer, positions and seeking, both forms of the call, bad
 * buffers, many processes, tasks with threads of both libc's; and descriptors, buffers and flags of
 * open and readlink there.
 */
#include "probe.h"
#include <dirent.h>

struct entry64 {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	unsigned char type;
	char name[];
};

struct entry {
	unsigned long ino, off;
	uint16_t len;
	char name[];
};

static char buf[65536];

/* All numeric names with their positions, read in steps of `size`; static entries by their count. */
static void list(const char *what, int fd, size_t size, int old, int positions)
{
	char line[1800] = "";
	size_t at = 0;
	long n;
	int others = 0, self = 0, bad = 0;

	while ((n = SC(old ? SYS_getdents : SYS_getdents64, fd, buf, size)) > 0) {
		for (long pos = 0; pos < n;) {
			struct entry64 *e = (void *)(buf + pos);
			struct entry *o = (void *)(buf + pos);
			const char *name = old ? o->name : e->name;
			int type = old ? buf[pos + e->len - 1] : e->type;

			bad |= e->len % 8 || e->len < (old ? 18 : 19) + strlen(name) + 1;
			if (name[0] >= '0' && name[0] <= '9') {
				bad |= type != DT_DIR && type != DT_LNK;
				if (at < sizeof(line) - 40) {
					at += (size_t)snprintf(line + at, sizeof(line) - at, " %s",
							       name);
					if (positions)
						at += (size_t)snprintf(line + at, sizeof(line) - at,
								       "@%ld", (long)e->off);
				}
			} else {
				others++;
				self += !strcmp(name, "self") || !strcmp(name, "thread-self");
				if (!strcmp(name, "thread-self") && positions)
					at += (size_t)snprintf(line + at, sizeof(line) - at,
							       " T@%ld", (long)e->off);
			}
			pos += e->len;
		}
	}
	say("%s:%s; others %d self %d bad %d end %s at %ld", what, line, others > 10, self, bad,
	    n ? err((int)-n) : "0", positions ? (long)lseek(fd, 0, SEEK_CUR) : 0);
}

static void seeks(int fd)
{
	struct entry64 *e = (void *)buf;
	static const long places[] = {258, 259, 260, 261, 1258, 4194303, 4194562, 256, 257};

	for (size_t i = 0; i < COUNT(places); i++) {
		long r = lseek(fd, places[i], SEEK_SET), n = SC(SYS_getdents64, fd, buf, 32);

		if (n > 0)
			say("at %ld: %s next %ld", r, e->name, (long)e->off);
		else
			say("at %ld: %s", r, n ? err((int)-n) : "end");
	}
	say("negative: %s", lseek(fd, -5, SEEK_SET) < 0 ? err(errno) : "taken");
	lseek(fd, 0, SEEK_SET);
	SC(SYS_getdents64, fd, buf, sizeof(buf));
	say("whole at once ends at %ld", (long)lseek(fd, 0, SEEK_CUR));
	lseek(fd, 258, SEEK_SET);
	for (size_t size = 8; size <= 32; size += 8) {
		long n = SC(SYS_getdents64, fd, buf, size);

		say("room %zu: %s", size, n < 0 ? err((int)-n) : n ? e->name : "end");
	}
	lseek(fd, 258, SEEK_SET);
	say("wild: %s, at %ld", err((int)-SC(SYS_getdents64, fd, WILD, 4096)),
	    (long)lseek(fd, 0, SEEK_CUR));
	lseek(fd, 0, SEEK_SET);
	say("wild from the start: %s", err((int)-SC(SYS_getdents64, fd, WILD, 4096)));
	say("no descriptor: %s", err((int)-SC(SYS_getdents64, 77, buf, 4096)));
}

static int gate[2];

static void *thread(void *arg)
{
	char c;

	(void)arg;
	while (read(gate[0], &c, 1) < 0)
		;
	return NULL;
}

static void tasks(void)
{
	pthread_t t[5];
	char path[64], name[32] = "";
	int fd;

	if (pipe(gate))
		die("pipe");
	for (size_t i = 0; i < COUNT(t); i++)
		if (pthread_create(&t[i], NULL, thread, NULL))
			die("thread");
	fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY);
	list("tasks", fd, sizeof(buf), 0, 0);
	for (size_t size = 32; size <= 128; size += 32) {
		lseek(fd, 0, SEEK_SET);
		list("tasks in pieces", fd, size, size == 64, 0);
	}
	lseek(fd, 0, SEEK_SET);
	say("wild: %s", err((int)-SC(SYS_getdents64, fd, WILD, 4096)));
	close(fd);
	say("setname %d", pthread_setname_np(t[2], "third"));
	say("getname %d %s", pthread_getname_np(t[2], name, sizeof(name)), name);
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", getpid() + 3);
	fd = open(path, O_RDONLY);
	memset(name, 0, sizeof(name));
	say("comm by number: %s %s", fd < 0 ? err(errno) : "open", read(fd, name, 6) > 0 ? name : "");
	close(fd);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", getpid() + 2, getpid() + 2);
	fd = open(path, O_RDONLY);
	memset(name, 0, sizeof(name));
	say("by the thread's number: %s %.4s", fd < 0 ? err(errno) : "open",
	    read(fd, name, 4) > 0 ? name : "");
	close(fd);
	if (write(gate[1], "12345", 5) != 5)
		die("write");
	for (size_t i = 0; i < COUNT(t); i++)
		pthread_join(t[i], NULL);
}

static void many(void)
{
	pid_t kids[120];
	int fd, hold[2];
	char c;

	if (pipe(hold))
		die("pipe");
	for (size_t i = 0; i < COUNT(kids); i++) {
		kids[i] = fork();
		if (!kids[i]) {
			close(hold[1]);
			_exit(read(hold[0], &c, 1) < 0);
		}
	}
	fd = open("/proc", O_RDONLY | O_DIRECTORY);
	list("many", fd, sizeof(buf), 0, 1);
	lseek(fd, 0, SEEK_SET);
	list("many, small", fd, 100, 0, 0);
	/* One third ends while the listing stands in the middle. */
	lseek(fd, kids[40] + 258, SEEK_SET);
	for (size_t i = 0; i < COUNT(kids); i += 3) {
		kill(kids[i], SIGKILL);
		waitpid(kids[i], NULL, 0);
	}
	list("fewer", fd, 256, 0, 1);
	close(fd);
	close(hold[1]);
	while (wait(NULL) > 0)
		;
}

static void descriptors(void)
{
	struct {
		uint64_t flags, mode, resolve;
	} how = {O_RDONLY | O_CLOEXEC, 0, 0};
	int a, b, c, dir;

	a = open("/proc/self/stat", O_RDONLY);
	b = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	c = openat(AT_FDCWD, "/proc/thread-self/children", O_RDONLY);
	say("descriptors %d %d %d, flags %d %d %d, positions %ld", a, b, c, fcntl(a, F_GETFD),
	    fcntl(b, F_GETFD), fcntl(c, F_GETFD), (long)lseek(a, 0, SEEK_CUR));
	close(b);
	say("openat2 %ld", SC(437, -100, "/proc/1/stat", &how, sizeof(how)));
	say("flags %d", fcntl(b, F_GETFD));
	close(a);
	close(b);
	close(c);
	dir = open("/proc", O_PATH);
	a = openat(dir, "self/stat", O_RDONLY);
	say("relative %d", a);
	close(a);
	say("outside, relative: %s", openat(dir, "3999999/stat", O_RDONLY) < 0 ? err(errno) : "open");
	say("for writing: %s", open("/proc/self/stat", O_RDWR) < 0 ? err(errno) : "open");
	say("as a directory: %s", open("/proc/self/stat/", O_RDONLY) < 0 ? err(errno) : "open");
	say("O_DIRECTORY: %s",
	    open("/proc/self/stat", O_RDONLY | O_DIRECTORY) < 0 ? err(errno) : "open");
	say("NULL: %s", err((int)-SC(SYS_openat, -100, 0, 0)));
	say("wild: %s", err((int)-SC(SYS_openat, -100, WILD, 0)));
	close(dir);
}

static void links(void)
{
	static const char *const names[] = {
		"/proc/self",	     "/proc/thread-self", "/proc/self/cwd", "/proc/self/exe",
		"/proc/self/root",   "/proc/self/fd/99",  "/proc/1",	    "/proc/self/",
		"/proc/3999999/exe", "/proc/net"};
	char to[4200];
	int dir, fd;

	for (size_t i = 0; i < COUNT(names); i++) {
		long whole = SC(SYS_readlink, names[i], to, sizeof(to));
		long one = SC(SYS_readlink, names[i], to, 1);

		say("%s: %s, one byte %ld, none %s, wild %s", names[i],
		    whole < 0	? err((int)-whole)
		    : whole > 0 ? "text"
				: "empty",
		    one < 0 ? 0 : one, err((int)-SC(SYS_readlink, names[i], to, 0)),
		    err((int)-SC(SYS_readlink, names[i], WILD, 64)));
	}
	dir = open("/proc/self/task", O_RDONLY | O_DIRECTORY);
	fd = open("/proc", O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 2; i++) {
		char path[64];
		long n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", i ? fd : dir);
		n = SC(SYS_readlinkat, -100, path, to, sizeof(to));
		say("%.*s", n < 0 ? 0 : (int)n, to);
	}
	fchdir(dir);
	say("cwd %s", getcwd(to, sizeof(to)) ? to : err(errno));
	say("cwd in 5 bytes: %s", err((int)-SC(SYS_getcwd, to, 5)));
	say("cwd, wild: %s", err((int)-SC(SYS_getcwd, WILD, 100)));
	chdir("/");
	close(dir);
	close(fd);
}

int main(void)
{
	int fd = open("/proc", O_RDONLY | O_DIRECTORY);

	list("alone", fd, sizeof(buf), 0, 1);
	lseek(fd, 0, SEEK_SET);
	list("alone, old", fd, sizeof(buf), 1, 1);
	for (size_t size = 40; size < 400; size += 120) {
		lseek(fd, 0, SEEK_SET);
		list("alone, in pieces", fd, size, size == 160, 1);
	}
	seeks(fd);
	close(fd);
	descriptors();
	links();
	tasks();
	many();
	return 0;
}
