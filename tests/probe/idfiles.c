/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that take process numbers as text: cgroup.procs, cgroup.threads and tasks of a cgroup that
 * belongs to the user. Numbers in every spelling the kernel reads, in one piece and in several, through
 * duplicates and across exec.
 *
 * cgroup: yes
 */
#include "probe.h"

#include <sys/syscall.h>
#include <sys/uio.h>

static char dir[200];

/* Which of the two groups below ours a task is in, by its line of /proc. */
static const char *where(int pid)
{
	char path[64], *buf = calloc(1, 65536), *base = strrchr(dir, '/') + 1, *p;
	const char *ret = "elsewhere";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return "gone";
	if (read(fd, buf, 65535) < 0)
		ret = "unreadable";
	close(fd);
	p = strstr(buf, base);
	if (p) {
		p += strlen(base);
		ret = !strncmp(p, "/a\n", 3) ? "a" : !strncmp(p, "/b\n", 3) ? "b" : "above";
	}
	free(buf);
	return ret;
}

static int group(const char *sub, const char *file)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s/%s", dir, sub, file);
	return open(path, O_WRONLY | O_CLOEXEC);
}

static void text(int fd, const char *what, const char *s, size_t n, int pid)
{
	long r = SC(SYS_write, fd, s, n);

	say("%s = %s, in %s", what, rc(r), where(pid));
}

static void number(int fd, const char *format, int pid, int shown)
{
	char buf[64];
	int n = snprintf(buf, sizeof(buf), format, pid);

	text(fd, format, buf, (size_t)n, shown);
}

static void spellings(const char *file)
{
	pid_t child = sleeper();
	int a = group("a", file), b = group("b", file), me = getpid();
	char buf[64];

	say("%s %d %d", file, a >= 0, b >= 0);
	if (a < 0 || b < 0) {
		end(child);
		return;
	}
	number(a, "%d", child, child);
	number(b, "%d\n", child, child);
	number(a, " %d \n", child, child);
	number(b, "0x%x", child, child);
	number(a, "0%o\n", child, child);
	number(b, "+%d", child, child);
	number(a, "-%d", child, child);
	number(a, "%d,", child, child);
	number(a, "%dx", child, child);
	number(a, "%d\n\n", 99999, child);
	text(a, "empty", "", 0, child);
	text(a, "newline", "\n", 1, child);
	text(a, "huge", "99999999999999999999", 20, child);
	text(a, "above int", "2147483648", 10, child);
	text(a, "int max", "2147483647", 10, child);
	memset(buf, 0, sizeof(buf));
	snprintf(buf, sizeof(buf), "%d", child);
	text(a, "zeros behind", buf, sizeof(buf), child);
	text(b, "junk behind a zero", "0\0junk", 6, me);
	text(a, "zero", "0\n", 2, me);
	number(b, "%d", me, me);
	say("wild %s", rc(SC(SYS_write, a, WILD, 5)));
	say("long %s", rc(SC(SYS_write, a, calloc(1, 8192), 8192)));
	/* A number in pieces is one write of several buffers, and two writes of one each. */
	snprintf(buf, sizeof(buf), "%05d", child);
	{
		struct iovec v[3] = {{"0", 0}, {"0x", 2}, {buf, 5}};

		snprintf(buf, sizeof(buf), "%05x", child);
		say("writev %s, in %s", rc(SC(SYS_writev, b, v, 3)), where(child));
		say("pwritev %s, in %s", rc(SC(SYS_pwritev, a, v, 3, 0, 0)), where(child));
		say("pwritev2 %s, in %s", rc(SC(SYS_pwritev2, b, v, 3, -1, -1, 0)), where(child));
		snprintf(buf, sizeof(buf), "%d", child);
		say("pwrite %s, in %s", rc(SC(SYS_pwrite64, a, buf, strlen(buf), 0)), where(child));
	}
	end(child);
	number(a, "%d", child, child);
	number(a, "%d", 1, 1);
	close(a);
	close(b);
}

/* Open for both, where no converted copy can stand for the file. */
static void read_back(const char *file)
{
	char path[300], buf[64] = "";
	pid_t child;
	struct iovec v[2] = {{buf, 1}, {buf + 1, 40}};
	long n;
	int fd, other;

	snprintf(path, sizeof(path), "%s/a/%s", dir, file);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	/* Ours alone, in order. */
	other = group("b", file);
	number(other, "%d", getpid(), getpid());
	child = sleeper();
	number(fd, "%d", child, child);
	n = SC(SYS_pread64, fd, buf, sizeof(buf), 0);
	say("pread %s %.*s", rc(n), n > 0 ? (int)n : 0, buf);
	n = SC(SYS_read, fd, buf, sizeof(buf));
	say("read %s %.*s", rc(n), n > 0 ? (int)n : 0, buf);
	say("again %s", rc(SC(SYS_read, fd, buf, sizeof(buf))));
	say("rewind %s", rc(SC(SYS_lseek, fd, 0, SEEK_SET)));
	n = SC(SYS_readv, fd, v, 2);
	say("readv %s %.*s", rc(n), n > 0 ? (int)n : 0, buf);
	SC(SYS_lseek, fd, 0, SEEK_SET);
	say("wild %s", rc(SC(SYS_read, fd, WILD, 40)));
	say("nothing %s", rc(SC(SYS_read, fd, buf, 0)));
	number(other, "%d", child, child);
	n = SC(SYS_pread64, fd, buf, sizeof(buf), 0);
	say("empty %s", rc(n));
	end(child);
	close(fd);
	close(other);
}

static struct gate begun, over;

static void *waits(void *arg)
{
	*(int *)arg = (int)SC(SYS_gettid);
	gate_open(begun);
	gate_pass(over);
	return NULL;
}

static void a_thread(const char *file)
{
	int a = group("a", file), b = group("b", file), tid = 0;
	pthread_t t;

	if (a < 0 || b < 0)
		return;
	begun = gate_new();
	over = gate_new();
	pthread_create(&t, NULL, waits, &tid);
	gate_pass(begun);
	say("%s: thread %d", file, tid);
	number(a, "%d", tid, getpid());
	number(b, "%d", tid, getpid());
	number(b, "%d", getpid(), getpid());
	gate_open(over);
	pthread_join(t, NULL);
	close(a);
	close(b);
}

static void copies(const char *file)
{
	int a = group("a", file), b = group("b", file), keep = (int)SC(SYS_fcntl, 1, F_DUPFD, 100);
	pid_t child = sleeper(), other;
	char buf[16];

	if (a < 0 || b < 0)
		return;
	number((int)SC(SYS_dup, a), "%d", child, child);
	SC(SYS_dup2, b, 60);
	number(60, "%d", child, child);
	number((int)SC(SYS_fcntl, a, F_DUPFD, 61), "%d", child, child);
	/* As a shell does it. */
	SC(SYS_dup2, b, 1);
	snprintf(buf, sizeof(buf), "%d\n", child);
	SC(SYS_write, 1, buf, strlen(buf));
	SC(SYS_dup2, keep, 1);
	say("standard output: in %s", where(child));
	other = fork_or_die();
	if (!other) {
		snprintf(buf, sizeof(buf), "%d", child);
		SC(SYS_dup2, a, 1);
		execl("/bin/sh", "sh", "-c", "echo $0", buf, (char *)NULL);
		_exit(127);
	}
	say("shell %s", reap(other));
	say("echo: in %s", where(child));
	end(child);
	SC(SYS_close, keep);
	close(a);
	close(b);
}

int main(void)
{
	const char *list = getenv("PROBE_CGROUPS");
	static const char *const files[] = {"cgroup.procs", "cgroup.threads", "tasks"};

	for (; list && *list; list += strcspn(list, ":"), list += *list == ':') {
		snprintf(dir, sizeof(dir), "%.*s", (int)strcspn(list, ":"), list);
		say("a hierarchy");
		for (size_t i = 0; i < COUNT(files); i++) {
			spellings(files[i]);
			read_back(files[i]);
			a_thread(files[i]);
			copies(files[i]);
		}
	}
	say("done");
	return 0;
}
