/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only root may touch, and what it says to anybody else: files that take or show numbers of the whole
 * machine, accounting, automounters.
 */
#include "probe.h"

#include <sys/mount.h>

static void opened(const char *path)
{
	int w = open(path, O_WRONLY | O_CLOEXEC), rw = open(path, O_RDWR | O_CLOEXEC);

	say("%s: write %s, both %s", path, w < 0 ? err(errno) : "opened",
	    rw < 0 ? err(errno) : "opened");
	if (w >= 0)
		close(w);
	if (rw >= 0)
		close(rw);
}

static void read_of(const char *path)
{
	char buf[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	say("%s: %s", path,
	    fd < 0			     ? err(errno)
	    : read(fd, buf, sizeof(buf)) < 0 ? err(errno)
					     : "read");
	if (fd >= 0)
		close(fd);
}

int main(void)
{
	opened("/sys/kernel/tracing/set_ftrace_pid");
	opened("/sys/kernel/tracing/set_event_pid");
	opened("/sys/kernel/debug/tracing/set_ftrace_pid");
	opened("/sys/kernel/debug/split_huge_pages");
	opened("/sys/kernel/security/tomoyo/.process_status");
	opened("/sys/kernel/mm/damon/admin/kdamonds/0/contexts/0/targets/0/pid_target");
	opened("/sys/fs/resctrl/tasks");
	read_of("/sys/kernel/tracing/trace");
	read_of("/sys/kernel/tracing/saved_cmdlines");
	read_of("/sys/kernel/debug/sched/debug");
	read_of("/sys/block/nbd0/pid");
	say("acct %s", rc(SC(SYS_acct, NULL)));
	say("acct file %s", rc(SC(SYS_acct, "/tmp/no such file")));
	say("autofs %s", lrc(mount("none", ".", "autofs", 0, "fd=1,pgrp=1,minproto=5,maxproto=5")));
	say("autofs nowhere %s", lrc(mount("none", "nowhere", "autofs", 0, NULL)));
	say("fsopen %s", rc(SC(430, "autofs", 0)));
	say("fsopen nothing %s", rc(SC(430, WILD, 0)));
	return 0;
}
