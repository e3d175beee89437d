/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that inotify tell of /proc and of task directories; a directory elsewhere with such names
 * stays as it is. What others read in /proc meanwhile is left out.
 */
#include "probe.h"
#include <sys/inotify.h>
#include <sys/uio.h>

static void look(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		say("%s: %s", path, err(errno));
	close(fd);
}

static void show(const char *buf, ssize_t n)
{
	const struct inotify_event *e;

	for (ssize_t at = 0; at + 16 <= n; at += 16 + e->len) {
		e = (const void *)(buf + at);
		if (e->len && e->name[0] >= '0' && e->name[0] <= '9')
			say("watch %d mask %#x space %u %s", e->wd, e->mask, e->len, e->name);
	}
}

static void events(const char *what, int fd)
{
	static char buf[8192] __attribute__((aligned(8)));
	struct iovec parts[3] = {{buf, 5}, {buf + 5, 40}, {buf + 45, 8000}};
	ssize_t n;

	say("%s", what);
	n = readv(fd, parts, 3);
	show(buf, n);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		show(buf, n);
	if (errno != EAGAIN)
		say("read: %s", err(errno));
}

static void *thread(void *arg)
{
	char path[64];

	(void)arg;
	snprintf(path, sizeof(path), "/proc/self/task/%d", (int)SC(SYS_gettid));
	look(path);
	return NULL;
}

int main(void)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), copy, wd;
	pid_t pid = sleeper();
	char path[64];
	pthread_t t;

	mkdir("dir", 0755);
	mkdir("dir/123456", 0755);
	say("root %d", wd = inotify_add_watch(fd, "/proc", IN_OPEN));
	say("tasks %d", inotify_add_watch(fd, "/proc/self/task", IN_OPEN));
	say("elsewhere %d", inotify_add_watch(fd, "dir", IN_OPEN));
	say("nothing %s", rc(SC(SYS_inotify_add_watch, fd, "/proc/999", IN_OPEN)));
	say("wild %s", rc(SC(SYS_inotify_add_watch, fd, WILD, IN_OPEN)));
	say("no inotify %s", rc(SC(SYS_inotify_add_watch, 0, "/proc", IN_OPEN)));
	say("closed %s", rc(SC(SYS_inotify_add_watch, 99, "/proc", IN_OPEN)));
	snprintf(path, sizeof(path), "/proc/%d", pid);
	look(path);
	look("/proc/1");
	events("processes", fd);
	copy = dup(fd);
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
	look("dir/123456");
	events("the rest", copy);
	look(path);
	say("removed %d", inotify_rm_watch(fd, wd));
	events("late", fd);
	end(pid);
	return 0;
}
