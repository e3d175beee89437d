/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths that the kernel shows of processes and threads that have gone: descriptors, the working directory, mounts;
 * and names below a mount that shows only a part of procfs, in a user and mount namespace where an ordinary user
 * may mount.
 */
#include "probe.h"
#include <sys/mount.h>

static void link_of(const char *what, const char *path)
{
	char text[300];
	ssize_t n = readlink(path, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = 0;
	say("%s: %s", what, n < 0 ? err(errno) : text);
}

static int opened(const char *format, int pid, int flags)
{
	char path[100];
	int fd;

	snprintf(path, sizeof(path), format, pid, pid);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		say("%s: %s", path, err(errno));
	return fd;
}

static void links(const char *what, const int *fds, int n)
{
	char path[100];

	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[i]);
		link_of(what, path);
	}
	link_of(what, "/proc/self/cwd");
}

static void lines(const char *file, const char *key)
{
	char line[1000], *root;
	FILE *f = fopen(file, "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (!strstr(line, key))
			continue;
		root = line;
		for (int i = 0; i < 3 && root; i++)
			root = strchr(root + 1, ' ');
		if (root)
			root[strcspn(root, "\n")] = 0;
		say("mount%s", root ? root : " ?");
	}
	if (f)
		fclose(f);
}

static void number(int dirfd, const char *name)
{
	char text[32] = "";
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = 0;
	text[strcspn(text, " \n")] = 0;
	say("%s: %s %s stat %s", name, fd < 0 ? err(errno) : "opened", text,
	    fstatat(dirfd, name, &st, 0) ? err(errno) : "0");
	close(fd);
}

static void below(const char *dir)
{
	static const char *const names[] = {"task", "task/3/stat", "task/..",
					    "stat", "../other",	   "fd/../stat"};
	int fd = open(dir, O_PATH | O_CLOEXEC);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		number(fd, names[i]);
		if (!fchdir(fd))
			number(AT_FDCWD, names[i]);
	}
	if (!fchdir(fd) && !chdir("task"))
		number(AT_FDCWD, "3/stat");
	close(fd);
	if (chdir("/proc"))
		say("/proc: %s", err(errno));
}

static void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		say("%s: %s", path, err(errno));
	close(fd);
}

static void mounted(int pid)
{
	uid_t uid = getuid();
	gid_t gid = getgid();
	char path[100];
	int fds[3];

	if (SC(SYS_unshare, 0x10000000 | 0x00020000)) { /* CLONE_NEWUSER | CLONE_NEWNS */
		say("no mounts");
		return;
	}
	snprintf(path, sizeof(path), "0 %d 1", (int)uid);
	put_text("/proc/self/setgroups", "deny");
	put_text("/proc/self/uid_map", path);
	snprintf(path, sizeof(path), "0 %d 1", (int)gid);
	put_text("/proc/self/gid_map", path);
	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/mnt", "tmpfs", 0, NULL) || mkdir("/mnt/p", 0755) ||
	    mkdir("/mnt/q", 0755) || mount(path, "/mnt/p", NULL, MS_BIND, NULL) ||
	    mount("/proc", "/mnt/q", NULL, MS_BIND, NULL)) {
		say("mounts: %s", err(errno));
		return;
	}
	below("/mnt/p");
	fds[0] = opened("/mnt/p/task/%d/stat", pid, O_RDONLY);
	fds[1] = opened("/mnt/q/%d", pid, O_RDONLY);
	fds[2] = opened("/mnt/q/%d/task/%d/status", pid, O_RDONLY);
	links("mounted", fds, 3);
	lines("/proc/self/mountinfo", " /mnt/");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	links("mounted, gone", fds, 3);
	lines("/proc/self/mountinfo", " /mnt/");
}

int main(void)
{
	int fds[5], pid = fork();

	if (!pid)
		for (;;)
			pause();
	fds[0] = opened("/proc/%d", pid, O_RDONLY);
	fds[1] = opened("/proc/%d/stat", pid, O_RDONLY);
	fds[2] = opened("/proc/%d/stat", pid, O_PATH);
	fds[3] = opened("/proc/%d/task/%d", pid, O_PATH);
	fds[4] = opened("/proc/%d/fd", pid, O_RDONLY);
	if (fchdir(fds[0]))
		say("fchdir: %s", err(errno));
	links("there", fds, 5);
	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT);
	links("zombie", fds, 5);
	waitpid(pid, NULL, 0);
	links("gone", fds, 5);
	if (chdir("/proc"))
		say("/proc: %s", err(errno));
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	mounted(pid);
	return 0;
}
