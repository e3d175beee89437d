/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PID namespace as a file: what readlink and stat say of ns/pid, by every name, and of an open and a
 * bind-mounted one. The number itself is not printed: it is what differs between namespaces.
 */
#include "probe.h"
#include <dirent.h>
#include <sys/mount.h>

static char first[64];
static unsigned long first_ino;

static void name(const char *path)
{
	char text[64] = "";
	struct stat st = {0};
	long s = SC(SYS_stat, path, &st), l;
	ssize_t n = readlink(path, text, sizeof(text) - 1);
	unsigned long ino = 0;

	text[n < 0 ? 0 : n] = 0;
	sscanf(text, "pid:[%lu]", &ino);
	if (!first[0] && n > 0) {
		strcpy(first, text);
		first_ino = ino;
	}
	l = SC(SYS_lstat, path, &st);
	say("%s: stat %s lstat %s link %d same %d", path, rc(s), rc(l), l ? 0 : S_ISLNK(st.st_mode),
	    n < 0 ? -errno : !strcmp(text, first) && ino == first_ino);
	if (!s) {
		SC(SYS_stat, path, &st);
		say("  inode is the number %d, %s", st.st_ino == first_ino,
		    first_ino > 0xbfffffff && first_ino <= 0xffffffff ? "large" : "odd");
	}
}

static void extended(const char *path)
{
	struct {
		uint32_t mask, more[7];
		uint64_t ino, rest[40];
	} x = {0};
	long r = SC(332, AT_FDCWD, path, 0, 0xfff, &x);
	struct stat st;

	say("statx %s %d", rc(r), x.ino == first_ino);
	r = SC(SYS_newfstatat, AT_FDCWD, path, &st, 0);
	say("fstatat %s %d", rc(r), st.st_ino == first_ino);
}

static void listing(void)
{
	DIR *d = opendir("/proc/self/ns");
	struct dirent *e;
	int pid = 0, children = 0;

	while (d && (e = readdir(d))) {
		pid += !strcmp(e->d_name, "pid");
		children += !strcmp(e->d_name, "pid_for_children");
	}
	if (d)
		closedir(d);
	say("listed: pid %d pid_for_children %d", pid, children);
}

static void opened(void)
{
	char path[64], text[64];
	int fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC), dir;
	struct stat st;

	say("open %s", fd < 0 ? err(errno) : "0");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	name(path);
	say("by descriptor %s", rc(SC(SYS_newfstatat, fd, "", &st, 0x1000 /* AT_EMPTY_PATH */)));
	say("  %d", st.st_ino == first_ino);
	say("fstat %s", rc(SC(SYS_fstat, fd, &st)));
	say("  %d", st.st_ino == first_ino);
	close(fd);
	dir = open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
	memset(text, 0, sizeof(text));
	say("relative %s", rc(SC(SYS_readlinkat, dir, "pid", text, sizeof(text) - 1) > 0));
	say("  %d", !strcmp(text, first));
	say("relative %s", rc(SC(SYS_newfstatat, dir, "pid", &st, 0)));
	say("  %d", st.st_ino == first_ino);
	close(dir);
	fd = open("/proc/self/ns/pid", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	memset(text, 0, sizeof(text));
	say("empty %s", rc(SC(SYS_readlinkat, fd, "", text, sizeof(text) - 1) > 0));
	say("  %d", !strcmp(text, first));
	close(fd);
	fd = open("/proc/self", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	memset(text, 0, sizeof(text));
	say("empty %s", rc(SC(SYS_readlinkat, fd, "", text, sizeof(text) - 1)));
	say("  %s", text);
	close(fd);
	fd = open("/proc/thread-self/../../exe", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	memset(text, 0, sizeof(text));
	say("empty %s", rc(SC(SYS_readlinkat, fd, "", text, sizeof(text) - 1) > 0));
	say("  %s", strrchr(text, '/'));
	close(fd);
}

/* Other kinds of namespace, and small buffers. */
static void others(void)
{
	static const char *const kinds[] = {"mnt", "net", "uts", "ipc", "user"};
	char path[64], text[64];

	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct stat st = {0};
		unsigned long ino = 1;
		ssize_t n;
		char *p;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
		n = readlink(path, text, sizeof(text) - 1);
		text[n < 0 ? 0 : n] = 0;
		p = strchr(text, '[');
		if (p)
			ino = strtoul(p + 1, NULL, 10);
		SC(SYS_stat, path, &st);
		say("%s: inode is the number %d, another %d", kinds[i], st.st_ino == ino,
		    ino != first_ino);
	}
	memset(text, 'x', sizeof(text));
	say("4 bytes %s %.6s", rc(SC(SYS_readlink, "/proc/self/ns/pid", text, 4)), text);
	say("wild %s", rc(SC(SYS_readlink, "/proc/self/ns/pid", WILD, 64)));
	say("wild %s", rc(SC(SYS_stat, "/proc/self/ns/pid", WILD)));
}

static void mounted(void)
{
	struct stat st;
	char map[64];
	int fd, uid = (int)getuid();

	if (SC(SYS_unshare, 0x10000000 | 0x00020000))
		return;
	fd = open("/proc/self/uid_map", O_WRONLY);
	snprintf(map, sizeof(map), "0 %d 1", uid);
	if (write(fd, map, strlen(map)) < 0)
		say("uid_map %s", err(errno));
	close(fd);
	close(open("file", O_WRONLY | O_CREAT, 0600));
	SC(SYS_mount, "none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	say("bind %s", rc(SC(SYS_mount, "/proc/self/ns/pid", "file", NULL, MS_BIND, NULL)));
	say("stat %s", rc(SC(SYS_stat, "file", &st)));
	say("  %d", st.st_ino == first_ino);
	extended("file");
}

static void *thread(void *p)
{
	name("/proc/thread-self/ns/pid");
	return p;
}

int main(void)
{
	pid_t pid = sleeper();
	char path[64];
	pthread_t t;

	name("/proc/self/ns/pid");
	name("/proc/thread-self/ns/pid");
	name("/proc/1/ns/pid");
	name("/proc/self/ns/pid_for_children");
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
	name(path);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/ns/pid", pid, pid);
	name(path);
	name("/proc/999/ns/pid");
	symlink("/proc/self/ns/pid", "link");
	extended("/proc/self/ns/pid");
	extended("link");
	listing();
	opened();
	others();
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
	in_child("mounted", mounted);
	end(pid);
	return 0;
}
