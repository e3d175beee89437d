/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who caused an event: a listener without rights sees its own number and no other; one with rights sees
 * processes, threads and pidfds (tried where the user may).
 */
#include "probe.h"

#ifndef SYS_fanotify_init
#define SYS_fanotify_init 300
#define SYS_fanotify_mark 301
#endif
/* include/uapi/linux/fanotify.h */
#define FAN_CLOEXEC 0x1u
#define FAN_NONBLOCK 0x2u
#define FAN_REPORT_PIDFD 0x80u
#define FAN_REPORT_TID 0x100u
#define FAN_REPORT_FID 0x200u
#define FAN_MARK_ADD 1u
#define FAN_OPEN 0x20u
#define FAN_CREATE 0x100u
#define FAN_ONDIR 0x40000000u
#define INFO_PIDFD 4

struct event {
	uint32_t len;
	uint8_t version, reserved;
	uint16_t meta_len;
	uint64_t mask;
	int32_t fd, pid;
};

static void take(int fd)
{
	_Alignas(8) char buf[4096];
	long n = SC(SYS_read, fd, buf, sizeof(buf));

	if (n < 0)
		say("  %s", rc(n));
	for (long at = 0; at + (long)sizeof(struct event) <= n;) {
		struct event *e = (struct event *)(buf + at);

		say("  mask %llx pid %d", (unsigned long long)e->mask, e->pid);
		for (long i = at + e->meta_len; i + 8 <= at + (long)e->len;) {
			uint8_t type = (uint8_t)buf[i];
			uint16_t len;
			int32_t pidfd;

			memcpy(&len, buf + i + 2, 2);
			memcpy(&pidfd, buf + i + 4, 4);
			if (type == INFO_PIDFD) {
				char path[64], text[512] = "", *p;
				int info;

				snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
				info = open(path, O_RDONLY | O_CLOEXEC);
				if (info >= 0 && read(info, text, sizeof(text) - 1) < 0)
					say("  unreadable");
				close(info);
				p = strstr(text, "Pid:");
				say("  pidfd %s, %.*s", pidfd >= 0 ? "there" : rc(pidfd),
				    p ? (int)strcspn(p, "\n") : 0, p ? p : "");
				if (pidfd >= 0)
					close(pidfd);
			}
			i += len;
		}
		if (e->fd >= 0)
			close(e->fd);
		at += e->len;
	}
}

static void *creates(void *arg)
{
	close(creat(arg, 0600));
	return NULL;
}

static void listen_with(const char *what, unsigned int flags, uint64_t mask)
{
	long fd = SC(SYS_fanotify_init, flags | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY);
	pthread_t t;
	pid_t child;
	long copy;

	say("%s: %s", what, fd < 0 ? rc(fd) : "listens");
	if (fd < 0)
		return;
	mkdir("watched", 0700);
	say("mark %s", rc(SC(SYS_fanotify_mark, fd, FAN_MARK_ADD | 0, mask | FAN_ONDIR | 0x08000000,
			     AT_FDCWD, "watched")));
	take((int)fd);
	close(creat("watched/mine", 0600));
	take((int)fd);
	child = fork_or_die();
	if (!child) {
		close(creat("watched/child", 0600));
		_exit(0);
	}
	say("child %s", reap(child));
	take((int)fd);
	pthread_create(&t, NULL, creates, "watched/thread");
	pthread_join(t, NULL);
	copy = SC(SYS_dup, fd);
	SC(SYS_close, fd);
	take((int)copy);
	say("short %s", rc(SC(SYS_read, copy, &fd, 8)));
	close((int)copy);
	unlink("watched/mine");
	unlink("watched/child");
	unlink("watched/thread");
}

int main(void)
{
	listen_with("no rights", FAN_REPORT_FID, FAN_CREATE);
	listen_with("pidfds, no rights", FAN_REPORT_FID | FAN_REPORT_PIDFD, FAN_CREATE);
	listen_with("descriptors", 0, FAN_OPEN);
	listen_with("pidfds", FAN_REPORT_PIDFD, FAN_OPEN);
	listen_with("threads", FAN_REPORT_TID, FAN_OPEN);
	say("bad flags %s", rc(SC(SYS_fanotify_init, 0xffffffff, 0)));
	rmdir("watched");
	return 0;
}
