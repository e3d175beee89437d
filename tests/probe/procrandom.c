/* SPDX-License-Identifier: Apache-2.0 */
/*
 * args: 1 2 3 4 501 502
 *
 * Random paths, from a fixed seed each: components of /proc, numbers of processes that are there and not,
 * links of every kind, dots; from several starts; by stat, lstat, open, readlink and access, or, with a seed
 * from 500 on, by openat2 with RESOLVE flags.
 */
#include "probe.h"

static uint64_t state;

static unsigned pick(unsigned n)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(state >> 33) % n;
}

static char number[16], other[16];
static const char *const words[] = {
	"proc",	  "proc",   "proc",	 "self", "self",   "thread-self", number, number,
	number,	  other,    "1",	 "task", "task",   "..",	  "..",	  "..",
	".",	  "",	    "cwd",	 "root", "fd",	   "5",		  "6",	  "7",
	"stat",	  "comm",   "status",	 "net",	 "link",   "dir",	  "up",	  "abs",
	"ns",	  "exe",    "sys",	 "sub",	 "uptime", "999",	  "01",	  "back",
	"mounts", "fdinfo", "map_files", "attr", "there",  "loop",
};

/* The first word if it is one of ours; what else a file contains may be anything. */
static const char *content(long fd)
{
	char *s = scratch(), *d = scratch();
	struct stat st;
	long n;

	if (fd < 0)
		return rc(fd);
	if (SC(SYS_fstat, fd, &st))
		return "?";
	if (S_ISDIR(st.st_mode)) {
		snprintf(s, 100, "/proc/self/fd/%ld", fd);
		n = SC(SYS_readlink, s, d, 150);
		d[n < 0 ? 0 : n] = 0;
		SC(SYS_close, fd);
		return strstr(d, "/proc") ? strstr(d, "/proc")
		       : strrchr(d, '/')  ? strrchr(d, '/')
					  : d;
	}
	n = SC(SYS_read, fd, s, 60);
	SC(SYS_close, fd);
	s[n < 0 ? 0 : n] = 0;
	s[strcspn(s, " \n")] = 0;
	if (s[0] >= '0' && s[0] <= '9' && strlen(s) < 5)
		return s;
	return n < 0 ? err((int)-n) : n ? "text" : "empty";
}

static void try(int dirfd, const char *start, const char *path)
{
	char link[300] = "";
	struct stat st, lst;
	long s = SC(SYS_newfstatat, dirfd, path, &st, 0);
	long l = SC(SYS_newfstatat, dirfd, path, &lst, AT_SYMLINK_NOFOLLOW);
	long r = SC(SYS_readlinkat, dirfd, path, link, sizeof(link) - 1);
	long a = SC(SYS_faccessat, dirfd, path, 0);
	const char *text;
	long fd = -1;

	if (!s && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		fd = SC(SYS_openat, dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	link[r < 0 ? 0 : r] = 0;
	text = strstr(link, "/proc");
	if (!text)
		text = strrchr(link, '/')		  ? strrchr(link, '/')
		       : link[0] >= '0' && link[0] <= '9' ? link
							  : "";
	say("%s + %s: stat %s %o lstat %s %o access %s readlink %s %s open %s", start, path, rc(s),
	    s ? 0 : st.st_mode, rc(l), l ? 0 : lst.st_mode, rc(a), rc(r < 0 ? r : 0), text,
	    fd == -1 ? "-" : content(fd));
}

static void resolve(int dirfd, const char *start, const char *path)
{
	uint64_t how[3] = {O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0, 0};
	struct stat st;
	long fd, s;

	for (int i = 0; i < 5; i++)
		how[2] |= pick(3) ? 0 : 1u << i;
	s = SC(SYS_newfstatat, dirfd, path, &st, 0);
	if (!s && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return;
	/* EAGAIN: something was renamed or mounted anywhere meanwhile. */
	for (int i = 0; i < 100; i++) {
		fd = SC(437, dirfd, path, how, sizeof(how));
		if (fd != -EAGAIN)
			break;
	}
	say("%s + %s, %lx: %s", start, path, (long)how[2], content(fd));
}

static void setup(pid_t pid)
{
	char text[64];

	mkdir("sub", 0755);
	snprintf(text, sizeof(text), "/proc/%d", pid);
	symlink(text, "dir");
	snprintf(text, sizeof(text), "/proc/%d/stat", pid);
	symlink(text, "link");
	symlink("abs/self/..", "up");
	symlink("/proc", "abs");
	symlink("../abs", "sub/back");
	snprintf(text, sizeof(text), "/proc/%d/cwd", pid);
	symlink("/proc/self/cwd", "there");
	symlink("loop", "loop");
}

int main(int argc, char **argv)
{
	static const char *const starts[] = {"",    "/proc",	"/proc/self", "dir",
					     "sub", "dir/task", "dir/fd"};
	pid_t pid;
	int fds[COUNT(starts)], seed;

	if (dup2(open("/dev/null", O_WRONLY), 2) < 0)
		die("dup2");
	pid = sleeper();
	seed = atoi(argc > 1 ? argv[1] : "1");
	state = (uint64_t)seed * 7919;
	for (int i = 0; i < 10; i++)
		pick(2);
	snprintf(number, sizeof(number), "%d", pid);
	snprintf(other, sizeof(other), "%d", getpid());
	setup(pid);
	if (dup2(open("/proc", O_RDONLY | O_DIRECTORY), 5) < 0 ||
	    dup2(open("dir", O_PATH), 6) < 0 || dup2(open(".", O_RDONLY | O_DIRECTORY), 7) < 0)
		die("dup2");
	for (int fd = 3; fd < 5; fd++)
		close(fd);
	for (size_t i = 0; i < COUNT(starts); i++) {
		fds[i] = starts[i][0] ? open(starts[i], O_RDONLY | O_DIRECTORY) : -1;
		if (starts[i][0])
			fds[i] = dup2(fds[i], 20 + (int)i);
	}
	for (int i = 3; i < 5; i++)
		close(i);
	for (int round = 0; round < 1200; round++) {
		char path[300] = "";
		size_t start = pick(COUNT(starts)), at = 0;
		unsigned n = 1 + pick(6);

		if (!start && pick(3))
			at += (size_t)snprintf(path, sizeof(path), pick(2) ? "/proc/" : "/");
		for (unsigned k = 0; k < n; k++)
			at += (size_t)snprintf(path + at, sizeof(path) - at, "%s%s",
					       words[pick(COUNT(words))],
					       k + 1 < n || !pick(8) ? "/" : "");
		(seed < 500 ? try : resolve)(start ? fds[start] : AT_FDCWD, starts[start], path);
	}
	end(pid);
	return 0;
}
