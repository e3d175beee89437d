/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call that takes a path, with names of a process that is there, of one that is not, and of one
 * that cannot be: as a plain text, through symbolic links from elsewhere, through a process's root,
 * relative to a descriptor; and with the errors that a path can have by itself.
 */
#include "probe.h"
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { CWD = -1, NONE = -2 };

static const struct call {
	const char *name;
	int nr, dirfd, path;
	long args[6];
} calls[] = {
	{"open", 2, CWD, 0, {0, O_RDONLY | O_CLOEXEC}},
	{"open O_PATH|O_NOFOLLOW", 2, CWD, 0, {0, O_PATH | O_NOFOLLOW | O_CLOEXEC}},
	{"open O_CREAT", 2, CWD, 0, {0, O_WRONLY | O_CREAT | O_CLOEXEC, 0600}},
	{"open O_EXCL", 2, CWD, 0, {0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600}},
	{"openat", 257, 0, 1, {0, 0, O_RDONLY | O_CLOEXEC}},
	{"openat O_DIRECTORY", 257, 0, 1, {0, 0, O_RDONLY | O_DIRECTORY | O_CLOEXEC}},
	{"access", 21, CWD, 0, {0, R_OK}},
	{"access X", 21, CWD, 0, {0, X_OK}},
	{"truncate", 76, CWD, 0, {0, 0}},
	{"rename", 82, CWD, 0, {0, (long)"x"}},
	{"rename to", 82, CWD, 1, {(long)"f", 0}},
	{"mkdir", 83, CWD, 0, {0, 0700}},
	{"rmdir", 84, CWD, 0, {0}},
	{"creat", 85, CWD, 0, {0, 0600}},
	{"link", 86, CWD, 0, {0, (long)"x"}},
	{"link to", 86, CWD, 1, {(long)"f", 0}},
	{"unlink", 87, CWD, 0, {0}},
	{"symlink", 88, CWD, 1, {(long)"/proc/5/stat", 0}},
	{"chmod", 90, CWD, 0, {0, 0644}},
	{"chown", 92, CWD, 0, {0, -1, -1}},
	{"lchown", 94, CWD, 0, {0, -1, -1}},
	{"utime", 132, CWD, 0, {0, 0}},
	{"mknod", 133, CWD, 0, {0, S_IFIFO | 0600, 0}},
	{"uselib", 134, CWD, 0, {0}},
	{"statfs", 137, CWD, 0, {0, 0}},
	{"pivot_root", 155, CWD, 0, {0, (long)"."}},
	{"chroot", 161, CWD, 0, {0}},
	{"acct", 163, CWD, 0, {0}},
	{"mount bind", 165, CWD, 0, {0, (long)".", 0, 4096}},
	{"mount on", 165, CWD, 1, {(long)".", 0, 0, 4096}},
	{"mount", 165, CWD, 0, {0, (long)".", (long)"tmpfs", 0}},
	{"umount2", 166, CWD, 0, {0, 0}},
	{"umount2 nofollow", 166, CWD, 0, {0, 8}},
	{"swapon", 167, CWD, 0, {0, 0}},
	{"swapoff", 168, CWD, 0, {0}},
	{"quotactl", 179, CWD, 1, {0x80000700, 0, 0, 0}},
	{"setxattr", 188, CWD, 0, {0, (long)"user.a", (long)"b", 1, 0}},
	{"lsetxattr", 189, CWD, 0, {0, (long)"user.a", (long)"b", 1, 0}},
	{"getxattr", 191, CWD, 0, {0, (long)"user.a", 0, 0}},
	{"lgetxattr", 192, CWD, 0, {0, (long)"user.a", 0, 0}},
	{"listxattr", 194, CWD, 0, {0, 0, 0}},
	{"llistxattr", 195, CWD, 0, {0, 0, 0}},
	{"removexattr", 197, CWD, 0, {0, (long)"user.a"}},
	{"lremovexattr", 198, CWD, 0, {0, (long)"user.a"}},
	{"utimes", 235, CWD, 0, {0, 0}},
	{"inotify_add_watch", 254, CWD, 1, {0, 0, 2}},
	{"inotify_add_watch link", 254, CWD, 1, {0, 0, 2 | 0x02000000}},
	{"mkdirat", 258, 0, 1, {0, 0, 0700}},
	{"mknodat", 259, 0, 1, {0, 0, S_IFIFO | 0600, 0}},
	{"fchownat", 260, 0, 1, {0, 0, -1, -1, 0}},
	{"fchownat link", 260, 0, 1, {0, 0, -1, -1, 0x100}},
	{"futimesat", 261, 0, 1, {0, 0, 0}},
	{"unlinkat", 263, 0, 1, {0, 0, 0}},
	{"renameat", 264, 0, 1, {0, 0, AT_FDCWD, (long)"x"}},
	{"renameat to", 264, 2, 3, {AT_FDCWD, (long)"f", 0, 0}},
	{"linkat", 265, 0, 1, {0, 0, AT_FDCWD, (long)"x", 0}},
	{"linkat follow", 265, 0, 1, {0, 0, AT_FDCWD, (long)"x", 0x400}},
	{"linkat to", 265, 2, 3, {AT_FDCWD, (long)"f", 0, 0, 0}},
	{"symlinkat", 266, 1, 2, {(long)"/proc/5", 0, 0}},
	{"fchmodat", 268, 0, 1, {0, 0, 0644}},
	{"faccessat", 269, 0, 1, {0, 0, R_OK}},
	{"utimensat", 280, 0, 1, {0, 0, 0, 0}},
	{"utimensat link", 280, 0, 1, {0, 0, 0, 0x100}},
	{"fanotify_mark", 301, 3, 4, {0, 1, 2, 0, 0}},
	{"name_to_handle_at", 303, 0, 1, {0, 0, 0, 0, 0}},
	{"renameat2", 316, 0, 1, {0, 0, AT_FDCWD, (long)"x", 1}},
	{"open_tree", 428, 0, 1, {0, 0, 02000000}},
	{"open_tree link", 428, 0, 1, {0, 0, 02000000 | 0x100}},
	{"open_tree clone", 428, 0, 1, {0, 0, 1}},
	{"move_mount", 429, 0, 1, {0, 0, AT_FDCWD, (long)".", 0}},
	{"fspick", 433, 0, 1, {0, 0, 0}},
	{"faccessat2", 439, 0, 1, {0, 0, R_OK, 0x200}},
	{"faccessat2 link", 439, 0, 1, {0, 0, R_OK, 0x100}},
	{"faccessat2 bad flag", 439, 0, 1, {0, 0, R_OK, 0x80000000}},
	{"mount_setattr",
	 442,
	 0,
	 1,
	 {0, 0, 0, (long)"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32}},
	{"fchmodat2", 452, 0, 1, {0, 0, 0644, 0}},
	{"fchmodat2 link", 452, 0, 1, {0, 0, 0644, 0x100}},
	{"execve", 59, CWD, 0, {0, 0, 0}},
	{"execveat", 322, 0, 1, {0, 0, 0, 0, 0x100}},
};

static char big[8192];

/* Links and files as they were, whatever the call before has done to them. */
static void restore(pid_t pid)
{
	char to[64];
	int fd;

	unlink("x");
	unlink("f");
	rmdir("x");
	fd = open("f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	snprintf(to, sizeof(to), "/proc/%d/stat", pid);
	unlink("file");
	symlink(to, "file");
	snprintf(to, sizeof(to), "/proc/%d", pid);
	unlink("dir");
	symlink(to, "dir");
	unlink("gone");
	symlink("/proc/999/stat", "gone");
	unlink("proc");
	symlink("/proc/", "proc");
	unlink("again");
	symlink("file", "again");
	unlink("up");
	symlink("proc/self/../", "up");
	unlink("loop");
	symlink("loop", "loop");
}

static const char *try(const struct call *c, pid_t pid, int dirfd, const char *path)
{
	long a[6], r;
	int special = -1;

	restore(pid);
	memcpy(a, c->args, sizeof(a));
	a[c->path] = (long)path;
	if (c->dirfd >= 0)
		a[c->dirfd] = dirfd;
	if (c->nr == 137)
		a[1] = (long)big;
	if (c->nr == 254)
		a[0] = special = (int)SC(SYS_inotify_init1, O_CLOEXEC);
	if (c->nr == 301)
		a[0] = special = (int)SC(300, 0x200 /* FAN_REPORT_FID */, 0);
	if (c->nr == 303) {
		a[2] = (long)big;
		a[3] = (long)(big + 4096);
		memset(big, 0, 8);
		big[0] = 127;
	}
	r = sc6(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (special >= 0)
		close(special);
	if (c->nr == 2 || c->nr == 85 || c->nr == 257 || c->nr == 428) {
		if (r >= 0) {
			close((int)r);
			r = 0;
		}
	}
	return rc(r);
}

static void all_calls(void)
{
	static const struct {
		const char *what, *format;
	} shapes[] = {
		{"file", "/proc/%d/stat"},
		{"directory", "/proc/%d"},
		{"slash", "/proc//./%d/"},
		{"nobody", "/proc/999/stat"},
		{"nobody's directory", "/proc/999"},
		{"zero in front", "/proc/0%d/stat"},
		{"link", "file"},
		{"link behind a link", "dir/stat"},
		{"dangling", "gone"},
		{"two links", "again"},
		{"link, number behind", "proc/%d/status"},
		{"nobody behind a link", "proc/999"},
		{"dots in a link", "up/%d/comm"},
		{"root", "/proc/self/root/proc/%d/stat"},
		{"dots", "/proc/%d/../%d/task/../stat"},
		{"loop", "loop/x"},
	};
	pid_t pid = sleeper();

	for (size_t i = 0; i < COUNT(calls); i++) {
		char line[1800];
		size_t at = 0;

		line[0] = 0;
		for (size_t s = 0; s < COUNT(shapes); s++) {
			char path[128];

			snprintf(path, sizeof(path), shapes[s].format, pid, pid);
			at += (size_t)snprintf(line + at, sizeof(line) - at, " %s:%s",
					       shapes[s].what, try(&calls[i], pid, AT_FDCWD, path));
		}
		say("%s%s", calls[i].name, line);
	}
	restore(pid);
	end(pid);
}

/* From descriptors on procfs: the root, a process, its task directory, a thread, its descriptors. */
static void relative(void)
{
	static const char *const starts[] = {
		"/proc",       "/proc/%d",	   "/proc/%d/task", "/proc/%d/task/%d",
		"/proc/%d/fd", "/proc/sys/kernel", "/proc/%d/net"};
	static const char *const names[] = {"%d/stat",
					    "../%d/stat",
					    "../../%d/stat",
					    "../../../%d/stat",
					    "../../../../%d/stat",
					    "999",
					    "../999",
					    "0%d",
					    ".",
					    "..",
					    "../../uptime",
					    "stat",
					    "../stat",
					    "self/stat",
					    "../self/../%d/comm",
					    "0",
					    "",
					    "../cwd/proc",
					    "../../proc/%d/stat"};
	pid_t pid = sleeper();

	restore(pid);
	for (size_t i = 0; i < COUNT(starts); i++) {
		char path[64];
		int dirfd, old;

		snprintf(path, sizeof(path), starts[i], pid, pid);
		dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		old = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		for (size_t k = 0; k < COUNT(names); k++) {
			char name[64], text[64] = "", link[160] = "";
			struct stat st;
			long r, n, s, w;
			int fd;

			snprintf(name, sizeof(name), names[k], pid);
			s = SC(SYS_newfstatat, dirfd, name, &st, 0);
			fd = (int)(r = SC(SYS_openat, dirfd, name, O_RDONLY | O_CLOEXEC));
			if (fd >= 0) {
				n = read(fd, text, sizeof(text) - 1);
				text[n < 0 ? 0 : n] = 0;
				if (text[0] < '0' || text[0] > '9' || !strcmp(names[k], "../../uptime"))
					text[0] = 0;
				text[strcspn(text, " \n")] = 0;
				snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
				n = readlink(name, link, sizeof(link) - 1);
				link[n < 0 ? 0 : n] = 0;
				close(fd);
				snprintf(name, sizeof(name), names[k], pid);
			}
			fchdir(dirfd);
			w = SC(SYS_access, name, F_OK);
			fchdir(old);
			say("%s + %s: stat %s open %s %s %s, from the working directory %s",
			    starts[i], names[k], rc(s), rc(r < 0 ? r : 0), text, link, rc(w));
		}
		close(dirfd);
		close(old);
	}
	end(pid);
}

/* A page with nothing behind it. */
static char *mmap_end(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(p + 4096, 4096);
	return p;
}

static void malformed(void)
{
	static const int nrs[] = {2, 4, 6, 21, 80, 87, 89, 90, 137, 191, 254};
	char *page = mmap_end(), *text = malloc(5000);
	pid_t pid = sleeper();

	memset(text, 'a', 4999);
	memcpy(text, "/proc/self/", 11);
	for (size_t i = 0; i < COUNT(nrs); i++) {
		char line[800];
		size_t at = 0;
		long shift = nrs[i] == 254;
		static const char start[] = "/proc/1/";

		for (int k = 0; k < 8; k++) {
			long path = 0, a[3] = {0}, r;

			text[4095] = text[4096] = 'a';
			memcpy(page + 4096 - 8, start, 8);
			if (k == 1)
				path = (long)WILD;
			else if (k == 2)
				path = (long)(page + 4096 - 8); /* no NUL before the end */
			else if (k == 3)
				path = (long)"";
			else if (k == 4 || k == 5) {
				text[4091 + k] = 0;
				path = (long)text;
			} else if (k == 6) {
				path = (long)text;
			} else if (k == 7) {
				page[4095] = 0;
				path = (long)(page + 4096 - 8);
			}
			if (k == 4)
				text[4095] = 0;
			a[0] = path;
			a[1] = nrs[i] == 89 || nrs[i] == 4 || nrs[i] == 6 || nrs[i] == 137 ? (long)big
											   : 0;
			a[2] = nrs[i] == 89 ? 64 : 0;
			if (shift) {
				a[1] = path;
				a[0] = -1;
				a[2] = 2;
			}
			if (nrs[i] == 80 && k == 7)
				continue;
			r = sc6(nrs[i], a[0], a[1], a[2], 0, 0, 0);
			if (nrs[i] == 2 && r >= 0) {
				close((int)r);
				r = 0;
			}
			at += (size_t)snprintf(line + at, sizeof(line) - at, " %s", rc(r));
		}
		say("call %d:%s", nrs[i], line);
	}
	free(text);
	end(pid);
}

/* A server below a process's working directory, reached by that. */
static void sockets(void)
{
	static const char *const names[] = {
		"/proc/%d/cwd/sock",   "/proc/999/cwd/sock", "proc/%d/cwd/sock", "cwd/sock",
		"/proc/self/cwd/sock", "/proc/%d/root/none", "/proc/%d/stat"};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	pid_t pid = sleeper();

	restore(pid);
	symlink("/proc/self/cwd", "cwd");
	for (size_t i = 0; i < COUNT(names); i++) {
		int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int c = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		long b, l;

		unlink("sock");
		snprintf(un.sun_path, sizeof(un.sun_path), names[i], pid);
		b = SC(SYS_bind, s, &un, sizeof(un));
		l = listen(s, 1);
		say("%s: bind %s connect %s again %s there %d", names[i], rc(b),
		    rc(SC(SYS_connect, c, &un, 2 + strlen(un.sun_path) + 1)),
		    rc(SC(SYS_connect, c, &un, 2 + strlen(un.sun_path))), !access("sock", F_OK));
		{
			struct sockaddr_un name = {0};
			socklen_t size = sizeof(name);
			const char *last;

			getsockname(s, (struct sockaddr *)&name, &size);
			last = strrchr(name.sun_path, '/');
			say("  called %s", last ? last : name.sun_path);
		}
		(void)l;
		close(s);
		close(c);
	}
	say("no address %s, wild %s, short %s, long %s, negative %s",
	    rc(SC(SYS_connect, socket(AF_UNIX, SOCK_STREAM, 0), 0, 20)),
	    rc(SC(SYS_connect, socket(AF_UNIX, SOCK_STREAM, 0), WILD, 20)),
	    rc(SC(SYS_connect, socket(AF_UNIX, SOCK_STREAM, 0), &un, 1)),
	    rc(SC(SYS_bind, socket(AF_UNIX, SOCK_STREAM, 0), &un, 129)),
	    rc(SC(SYS_bind, socket(AF_UNIX, SOCK_STREAM, 0), &un, -1)));
	end(pid);
}

int main(void)
{
	all_calls();
	relative();
	malformed();
	sockets();
	return 0;
}
