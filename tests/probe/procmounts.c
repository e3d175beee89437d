/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procfs at other places than /proc: bind mounts of it and of a process's directory, below a chroot, as the
 * root directory itself, hidden, and moved away; in a user and mount namespace, where an ordinary user
 * may mount.
 */
#include "probe.h"
#include <dirent.h>
#include <sys/mount.h>

static char buf[4096];
static pid_t pid;

static const char *first_word(int fd)
{
	char *s = scratch();
	ssize_t n = read(fd, s, 100);

	close(fd);
	s[n < 0 ? 0 : n] = 0;
	s[strcspn(s, " \n")] = 0;
	return s;
}

/* The number a stat file begins with, by every way of opening. */
static void number(const char *format)
{
	char path[256], link[300] = "";
	struct stat st;
	ssize_t n;
	long s;
	int fd;

	snprintf(path, sizeof(path), format, pid, pid);
	s = SC(SYS_stat, path, &st);
	fd = (int)SC(SYS_open, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		say("%s: stat %s open %s access %s", path, rc(s), rc(fd), rc(SC(SYS_access, path, 0)));
		return;
	}
	n = readlink(path, link, sizeof(link) - 1);
	link[n < 0 ? 0 : n] = 0;
	say("%s: stat %s open %s access %s%s%s", path, rc(s),
	    (st.st_mode & S_IFMT) == S_IFREG ? first_word(fd) : "directory",
	    rc(SC(SYS_access, path, 0)), n < 0 ? "" : " link ", link);
	if ((st.st_mode & S_IFMT) != S_IFREG)
		close(fd);
}

static void list(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char line[256] = "";
	size_t at = 0;
	int others = 0;

	if (!d) {
		say("%s: %s", path, err(errno));
		return;
	}
	while ((e = readdir(d)))
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9')
			at += (size_t)snprintf(line + at, sizeof(line) - at, " %s", e->d_name);
		else
			others++;
	closedir(d);
	say("%s:%s and %d others", path, line, others > 3);
}

static void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		say("%s: %s", path, err(errno));
	close(fd);
}

static void enter_namespace(void)
{
	char map[64];
	int uid = (int)getuid(), gid = (int)getgid();
	long r = SC(SYS_unshare, 0x10000000 | 0x00020000);

	say("unshare %s", rc(r));
	if (r < 0)
		exit(0);
	put_text("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %d 1", uid);
	put_text("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %d 1", gid);
	put_text("/proc/self/gid_map", map);
	say("private %s", rc(SC(SYS_mount, "none", "/", NULL, MS_REC | MS_PRIVATE, NULL)));
}

static void bind_at(const char *from, const char *to)
{
	say("bind %s %s: %s", from, to, rc(SC(SYS_mount, from, to, NULL, MS_BIND | MS_REC, NULL)));
}

/* What is mounted at a path, by its mount's id. */
static void mounted(const char *path)
{
	static uint64_t out[1024];
	uint64_t request[4] = {32, 0, 8 | 0x10 | 0x20, 0};
	uint32_t *words = (uint32_t *)out;
	struct {
		uint32_t mask, more[35];
		uint64_t mnt_id, rest[32];
	} x;
	long r = SC(332, AT_FDCWD, path, 0, 0x4000 /* STATX_MNT_ID_UNIQUE */, &x);

	if (r || !(x.mask & 0x4000)) {
		say("%s: statx %s", path, rc(r));
		return;
	}
	request[1] = x.mnt_id;
	r = SC(457, request, out, sizeof(out), 0);
	say("%s: statmount %s root %s", path, rc(r), r ? "" : (char *)out + 512 + words[26]);
	say("%s: to nowhere %s, nothing %s, small %s", path, rc(SC(457, request, WILD, 4096, 0)),
	    rc(SC(457, WILD, out, 4096, 0)), rc(SC(457, request, out, 8, 0)));
}

static void options(void)
{
	char text[64];
	long fd = SC(430, "proc", 1);

	say("pidns %s", rc(SC(431, fd, 1, "pidns", "/proc/999/ns/pid", 0)));
	snprintf(text, sizeof(text), "/proc/%d/ns/pid", pid);
	say("pidns %s", rc(SC(431, fd, 1, "pidns", text, 0)));
	say("hidepid %s", rc(SC(431, fd, 1, "hidepid", "2", 0)));
	say("wild %s %s", rc(SC(431, fd, 1, WILD, "2", 0)), rc(SC(431, fd, 1, "pidns", WILD, 0)));
	say("create %s", rc(SC(431, fd, 6, NULL, NULL, 0)));
	say("fsmount %s", rc(SC(432, fd, 0, 0)));
	snprintf(text, sizeof(text), "hidepid=1,pidns=/proc/%d/ns/pid", pid);
	say("mount %s", rc(SC(SYS_mount, "proc", "p", "proc", 0, text)));
	close((int)fd);
}

static void binds(void)
{
	char text[64], cwd[200];
	int dir;

	mkdir("p", 0755);
	mkdir("one", 0755);
	mkdir("fds", 0755);
	mkdir("task", 0755);
	put_text("file", "nothing");
	bind_at("/proc", "p");
	snprintf(text, sizeof(text), "/proc/%d", pid);
	bind_at(text, "one");
	snprintf(text, sizeof(text), "/proc/%d/stat", pid);
	bind_at(text, "file");
	snprintf(text, sizeof(text), "p/%d/task", pid);
	bind_at(text, "task");
	bind_at("/proc/self/fd", "fds");
	bind_at("/proc/999", "fds");
	number("p/%d/stat");
	number("p/self/stat");
	number("p/thread-self/stat");
	number("p/self/../%d/stat");
	number("p/../p/./%d/task/%d/stat");
	number("p/999");
	number("p/01");
	number("one/stat");
	number("one/task/%d/stat");
	number("one/../p/%d/stat");
	number("one/cwd/p/%d/stat");
	number("one/root/proc/%d/stat");
	number("task/%d/stat");
	number("task/%d/../%d/stat");
	number("task/1");
	number("file");
	number("p/self");
	list("p");
	list("one/task");
	list("task");
	list("fds");
	dir = open("p", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(text, sizeof(text), "%d/stat", pid);
	say("relative %s", first_word(openat(dir, text, O_RDONLY)));
	close(dir);
	dir = open("one", O_PATH | O_DIRECTORY | O_CLOEXEC);
	say("relative %s", first_word(openat(dir, "stat", O_RDONLY)));
	snprintf(text, sizeof(text), "/proc/self/fd/%d", dir);
	say("link %s", readlink(text, buf, sizeof(buf)) > 0 ? strrchr(buf, '/') : err(errno));
	close(dir);
	if (!getcwd(cwd, sizeof(cwd)))
		die("getcwd");
	say("chdir %s", rc(SC(SYS_chdir, "p/self")));
	say("cwd %s", getcwd(buf, sizeof(buf)) ? buf + strlen(buf) - 4 : err(errno));
	snprintf(text, sizeof(text), "/proc/self/cwd");
	buf[0] = 0;
	if (readlink(text, buf, sizeof(buf)) > 4)
		say("link %s", strstr(buf, "/p/"));
	memset(buf, 0, sizeof(buf));
	number("stat");
	number("../%d/stat");
	number("../../p/%d/stat");
	number("../../one/stat");
	say("chdir %s", rc(SC(SYS_chdir, cwd)));
	mounted("one");
	mounted("task");
	mounted("p");
	mounted("/proc");
	mounted("file");
	options();
	say("umount %s", rc(SC(SYS_umount2, "one", 0)));
	number("one/stat");
	say("proc of its own: %s", rc(SC(SYS_mount, "proc", "one", "proc", 0, NULL)));
	say("fsopen %s", SC(430, "proc", 0) < 0 ? "refused" : "open");
}

static void roots(int which)
{
	char text[64];

	mkdir("root", 0755);
	say("tmpfs %s", rc(SC(SYS_mount, "none", "root", "tmpfs", 0, NULL)));
	mkdir("root/proc", 0755);
	mkdir("root/p", 0755);
	if (which == 0)
		bind_at("/proc", "root/proc");
	if (which == 1) {
		snprintf(text, sizeof(text), "root/proc/%d", pid);
		mkdir(text, 0755);
		snprintf(text, sizeof(text), "root/proc/%d/stat", pid);
		put_text(text, "plain text");
		mkdir("root/proc/999", 0755);
		put_text("root/proc/999/stat", "plain, too");
	}
	bind_at("/proc", "root/p");
	say("chroot %s", rc(SC(SYS_chroot, which == 2	? "/proc"
					   : which == 3 ? "root/proc/../p"
							: "root")));
	say("chdir %s", rc(SC(SYS_chdir, "/")));
	number("/proc/%d/stat");
	number("/proc/self/stat");
	number("/proc/999/stat");
	number("/proc/1");
	number("proc/%d/stat");
	number("/p/%d/stat");
	number("p/%d/stat");
	number("/p/self/stat");
	number("/%d/stat");
	number("%d/stat");
	number("/self/../%d/stat");
	number("/../%d/stat");
	number("/999/stat");
	number("/self");
	list("/");
	list("/proc");
	list("/p");
}

static void hidden(void)
{
	number("/proc/%d/stat");
	say("over /proc %s", rc(SC(SYS_mount, "none", "/proc", "tmpfs", 0, NULL)));
	number("/proc/%d/stat");
	mkdir("/proc/999", 0755);
	put_text("/proc/999/stat", "mine");
	number("/proc/999/stat");
	list("/proc");
	say("umount %s", rc(SC(SYS_umount2, "/proc", 2 /* MNT_DETACH */)));
	number("/proc/%d/stat");
	number("/proc/999/stat");
}

static void run(const char *name, void (*fn)(int), int arg)
{
	pid_t p = fork_or_die();

	if (!p) {
		say("-- %s %d", name, arg);
		enter_namespace();
		fn(arg);
		_exit(0);
	}
	say("%s", reap(p));
}

static void binds_(int arg)
{
	binds();
}

static void hidden_(int arg)
{
	hidden();
}

int main(void)
{
	pid = sleeper();
	run("binds", binds_, 0);
	for (int i = 0; i < 4; i++)
		run("root", roots, i);
	run("hidden", hidden_, 0);
	end(pid);
	return 0;
}
