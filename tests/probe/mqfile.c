/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Message queues as files: who is to be notified, in /dev/mqueue/NAME. In user, mount and IPC namespaces of its own,
 * where the file system can be mounted.
 */
#include "probe.h"
#include <sys/mount.h>

struct event {
	union sigval value;
	int signo, notify;
	char pad[64];
};

static void put_file(const char *path, const char *fmt, unsigned int id)
{
	char text[64];
	int fd = open(path, O_WRONLY);

	snprintf(text, sizeof(text), fmt, id);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		say("%s: %s", path, err(errno));
	close(fd);
}

static void show(const char *what)
{
	char text[200] = "";
	int fd = open("/dev/mqueue/probe", O_RDONLY);
	long n = read(fd, text, sizeof(text) - 1);

	if (fd < 0 || n < 0)
		say("%s: %s", what, err(errno));
	else
		say("%s: %s|", what, strtok(text, "\n"));
	close(fd);
}

int main(void)
{
	struct event e = {.signo = SIGUSR1, .notify = 0};
	struct gate go = gate_new(), there = gate_new();
	unsigned int uid = geteuid(), gid = getegid();
	int q;
	pid_t kid;

	if (unshare(0x10000000 | 0x20000 | 0x08000000)) {
		say("no namespaces: %s", err(errno));
		return 0;
	}
	put_file("/proc/self/setgroups", "deny%.0u", 0);
	put_file("/proc/self/uid_map", "0 %u 1", uid);
	put_file("/proc/self/gid_map", "0 %u 1", gid);
	if (mount("tmpfs", "/dev", "tmpfs", 0, NULL) || mkdir("/dev/mqueue", 0755) ||
	    mount("mqueue", "/dev/mqueue", "mqueue", 0, NULL)) {
		say("no mqueue file system: %s", err(errno));
		return 0;
	}
	q = (int)SC(SYS_mq_open, "probe", O_RDWR | O_CREAT, 0600, NULL);
	show("nobody");
	SC(SYS_mq_notify, q, &e);
	show("self");
	SC(SYS_mq_notify, q, NULL);
	show("nobody again");
	kid = fork_or_die();
	if (!kid) {
		SC(SYS_mq_notify, q, &e);
		gate_open(there);
		gate_pass(go);
		_exit(0);
	}
	gate_pass(there);
	show("child");
	gate_open(go);
	waitpid(kid, NULL, 0);
	show("the child is gone");
	return 0;
}
