/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openat2 with every RESOLVE flag on names that lead into /proc, and a program's file executed by names of
 * that kind.
 */
#include "probe.h"

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

static pid_t pid;

/* EAGAIN: something was renamed or mounted anywhere meanwhile. */
static long open_resolved(int dirfd, const char *path, const void *how)
{
	long fd = -EAGAIN;

	for (int i = 0; i < 100 && fd == -EAGAIN; i++)
		fd = SC(SYS_openat2, dirfd, path, how, 24);
	return fd;
}

static const char *number_of(long fd)
{
	char *s = scratch();
	ssize_t n;

	if (fd < 0)
		return rc(fd);
	n = read((int)fd, s, 100);
	close((int)fd);
	if (n < 0)
		return err(errno);
	s[n] = 0;
	s[strcspn(s, " \n")] = 0;
	return s;
}

static void flags(void)
{
	static const char *const starts[] = {"/", "/proc", "/proc/%d", "/proc/%d/task", "dir"};
	static const char *const names[] = {"/proc/%d/stat",
					    "proc/%d/stat",
					    "%d/stat",
					    "../%d/stat",
					    "stat",
					    "%d/task/%d/stat",
					    "self/../%d/stat",
					    "self/stat",
					    "999/stat",
					    "../../proc/%d/stat",
					    "file",
					    "up/%d/stat",
					    "%d/cwd/..",
					    "self/exe",
					    "abs/%d/stat",
					    ".",
					    "..",
					    "",
					    "./%d/./../%d/stat"};
	static const unsigned resolve[] = {1, 2, 4, 8, 16, 8 | 4, 1 | 2 | 4, 64};
	char path[64];

	mkdir("dir", 0755);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	symlink(path, "dir/file");
	symlink("../../../../../../../proc", "dir/up");
	symlink("/proc", "dir/abs");
	for (size_t s = 0; s < COUNT(starts); s++) {
		int dirfd;

		snprintf(path, sizeof(path), starts[s], pid);
		dirfd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		for (size_t n = 0; n < COUNT(names); n++) {
			char line[800] = "";
			size_t at = 0;

			snprintf(path, sizeof(path), names[n], pid, pid);
			for (size_t r = 0; r < COUNT(resolve); r++) {
				uint64_t how[4] = {O_RDONLY | O_CLOEXEC, 0, resolve[r], 0};

				at += (size_t)snprintf(
					line + at, sizeof(line) - at, " %s",
					n == 13 || n == 15 || n == 16
						? rc(open_resolved(dirfd, path, how) < 0 ? -1 : 0)
						: number_of(open_resolved(dirfd, path, how)));
			}
			while (close(4) == 0 || close(5) == 0)
				;
			say("%s + %s:%s", starts[s], names[n], line);
		}
		close(dirfd);
	}
}

/* A working directory on procfs is within the same mount as the link to it. */
static void same_mount(void)
{
	static const char *const names[] = {"self/cwd/stat", "self/cwd/status", "self/cwd/comm",
					    "self/cwd",	     "self/cwd/exe",	"self/cwd/cwd/stat",
					    "self/root"};
	uint64_t how[3] = {O_RDONLY | O_CLOEXEC, 0, 1};
	int dirfd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC),
	    here = open(".", O_PATH | O_CLOEXEC);
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", pid);
	chdir(path);
	for (size_t i = 0; i < COUNT(names); i++)
		say("same mount, %s: %s", names[i], number_of(open_resolved(dirfd, names[i], how)));
	fchdir(here);
	close(dirfd);
	close(here);
}

static void arguments(void)
{
	uint64_t how[8] = {O_RDONLY | O_CLOEXEC};
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (size_t size = 0; size <= 64; size += 8)
		say("size %zu: %s", size, number_of(SC(SYS_openat2, -100, path, how, size)));
	how[3] = 1;
	say("beyond: %s", number_of(SC(SYS_openat2, -100, path, how, 32)));
	say("wild: %s null: %s", number_of(SC(SYS_openat2, -100, path, WILD, 24)),
	    number_of(SC(SYS_openat2, -100, path, 0, 24)));
	how[0] = 1ull << 40;
	say("flags: %s", number_of(SC(SYS_openat2, -100, path, how, 24)));
	how[0] = 0;
	how[1] = 0644;
	say("mode: %s", number_of(SC(SYS_openat2, -100, path, how, 24)));
}

static void execute(const char *format, int dirfd)
{
	char path[64];
	char *argv[] = {"probe", "again", NULL}, *envp[] = {NULL};
	pid_t p = fork_or_die();

	snprintf(path, sizeof(path), format, pid);
	if (!p) {
		long r = SC(SYS_execveat, dirfd, path, argv, envp, 0);

		say("%s", rc(r));
		_exit(1);
	}
	say("execute %s: %s", path, reap(p));
}

int main(int argc, char **argv)
{
	int dir;

	if (argc > 1 && !strcmp(argv[1], "again")) {
		say("%s", argv[0]);
		return 3;
	}
	pid = sleeper();
	flags();
	same_mount();
	arguments();
	symlink("/proc/self/exe", "exe");
	symlink("/proc", "proc");
	execute("/proc/self/exe", -100);
	execute("/proc/%d/exe", -100);
	execute("/proc/999/exe", -100);
	execute("exe", -100);
	execute("proc/%d/exe", -100);
	execute("/proc/self/root/proc/%d/exe", -100);
	execute("proc/999/exe", -100);
	execute("proc/%d/stat", -100);
	dir = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	execute("self/exe", dir);
	execute("%d/exe", dir);
	execute("999/exe", dir);
	execute("%d", dir);
	chdir("/proc/self");
	execute("exe", -100);
	execute("../%d/exe", -100);
	execute("cwd/../self/exe", -100);
	end(pid);
	return 0;
}
