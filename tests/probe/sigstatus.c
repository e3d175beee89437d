/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signal sets in /proc/.../status and stat: pending, blocked, ignored, caught, as the program asked
 * for them; of oneself, of one's threads, of children and of process 1, in handlers, after exec,
 * fork and vfork, with SIGSYS among them.
 *
 * What a libc catches or blocks for itself (32 to 34) is left out: it differs between libcs only, but
 * a thread that is just starting or ending has more of it.
 */
#include "probe.h"

#define OF_LIBC (BIT(32) | BIT(33) | BIT(34))

static char self_path[256];

/* The set behind `key` in a text of status lines. */
static const char *set_in(const char *text, const char *key)
{
	const char *p = strstr(text, key);

	return p ? mask_text(strtoull(p + strlen(key), NULL, 16) & ~OF_LIBC) : "?";
}

/* Fields 31 to 34 of a stat text. */
static const char *stat_sets(const char *text)
{
	const char *p = strrchr(text, ')');
	char *s = scratch(), *end;
	size_t at = 0;

	for (int field = 2; p && field < 31; field++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	s[0] = 0;
	for (int i = 0; p && i < 4; i++) {
		unsigned long v = strtoul(p, &end, 10);

		at += (size_t)snprintf(s + at, 160 - at, "%s%s", i ? " | " : "", mask_text(v));
		p = end;
	}
	return s;
}

static void show(const char *what, const char *dir)
{
	char text[8192], path[96];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/status", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0) {
		say("%s: %s", what, err(errno));
		return;
	}
	close(fd);
	text[n] = 0;
	say("%s: pending %s, shared %s, blocked %s, ignored %s, caught %s", what,
	    set_in(text, "\nSigPnd:\t"), set_in(text, "\nShdPnd:\t"), set_in(text, "\nSigBlk:\t"),
	    set_in(text, "\nSigIgn:\t"), set_in(text, "\nSigCgt:\t"));
	snprintf(path, sizeof(path), "%s/stat", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0) {
		say("%s, stat: %s", what, err(errno));
		return;
	}
	close(fd);
	text[n] = 0;
	say("%s, stat: %s", what, stat_sets(text));
}

static void show_pid(const char *what, pid_t pid)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "/proc/%d", pid);
	show(what, dir);
}

static void handler(int sig)
{
	if (sig == SIGUSR1)
		show("in a handler", "/proc/self");
}

static void caught(int sig, unsigned long flags, uint64_t mask)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = (int)flags};

	for (int s = 1; s <= 31; s++)
		if (mask & BIT(s))
			sigaddset(&sa.sa_mask, s);
	sigaction(sig, &sa, NULL);
}

/* Everything at once, in whoever calls it. */
static void tour(void)
{
	show("at first", "/proc/self");
	caught(SIGUSR1, 0, BIT(SIGUSR2) | BIT(SIGTERM));
	caught(SIGHUP, 0, 0);
	caught(SIGCHLD, SA_RESTART, 0);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	show("caught and ignored", "/proc/self");
	kill(getpid(), SIGUSR1);
	caught(SIGSYS, 0, 0);
	show("SIGSYS caught", "/proc/self");
	signal(SIGSYS, SIG_IGN);
	show("SIGSYS ignored", "/proc/self");
	signal(SIGSYS, SIG_DFL);
	show("SIGSYS at default", "/proc/self");
	caught(SIGALRM, SA_RESETHAND, 0);
	show("once", "/proc/self");
	kill(getpid(), SIGALRM);
	show("once, done", "/proc/self");
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	show("at default again", "/proc/self");
	caught(SIGSYS, 0, 0);
	set_raw_mask(BIT(SIGUSR1) | BIT(SIGSYS) | BIT(40) | BIT(SIGKILL));
	show("blocked", "/proc/thread-self");
	SC(SYS_kill, getpid(), SIGUSR1);
	SC(SYS_tgkill, getpid(), SC(SYS_gettid), 40);
	show("pending", "/proc/self");
	SC(SYS_kill, getpid(), SIGSYS);
	show("SIGSYS pending", "/proc/self");
	set_raw_mask(BIT(SIGUSR1) | BIT(40));
	show("SIGSYS taken", "/proc/self");
	set_raw_mask(BIT(SIGUSR1) | BIT(SIGSYS) | BIT(40));
	SC(SYS_tgkill, getpid(), SC(SYS_gettid), SIGSYS);
	show("SIGSYS pending for the thread", "/proc/self");
	show_pid("by number", getpid());
	set_raw_mask(~0ull);
	show("all blocked", "/proc/self");
	signal(40, SIG_IGN);
	set_raw_mask(0);
	signal(40, SIG_DFL);
	signal(SIGSYS, SIG_DFL);
}

/* --- others ----------------------------------------------------------------------------------- */

/* Who is looked at is out of fork or pthread_create, where libcs block everything, and in a read. */
static struct gate settled, ready, go;
static long other;

static void *thread(void *arg)
{
	(void)arg;
	gate_pass(settled);
	other = SC(SYS_gettid);
	set_raw_mask(BIT(SIGTERM) | BIT(SIGSYS));
	show("in a thread", "/proc/thread-self");
	show("its process, seen by it", "/proc/self");
	gate_open(ready);
	gate_pass(go);
	return NULL;
}

static void threads(void)
{
	char dir[64];
	pthread_t t;

	set_raw_mask(BIT(SIGUSR2));
	if (pthread_create(&t, NULL, thread, NULL))
		die("thread");
	gate_open(settled);
	gate_pass(ready);
	snprintf(dir, sizeof(dir), "/proc/self/task/%ld", other);
	show("the thread, seen by another", dir);
	snprintf(dir, sizeof(dir), "/proc/%d/task/%d", getpid(), getpid());
	show("the first", dir);
	gate_open(go);
	pthread_join(t, NULL);
	set_raw_mask(0);
}

static void children(void)
{
	static char *args[] = {self_path, (char *)"after-exec", NULL};
	static char *env[] = {NULL};
	pid_t pid;

	caught(SIGUSR1, 0, 0);
	/* Whether others than process 1 have SIGSYS at default only they themselves can tell. */
	if (getpid() == 1)
		caught(SIGSYS, 0, 0);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGSTKFLT, SIG_IGN);
	pid = fork_or_die();
	if (!pid) {
		gate_pass(settled);
		show("inherited", "/proc/self");
		signal(SIGSYS, SIG_DFL);
		set_raw_mask(BIT(SIGTERM) | BIT(SIGHUP));
		show("a child", "/proc/self");
		show_pid("process 1, seen by a child", 1);
		show_pid("its parent", getppid());
		gate_open(ready);
		gate_pass(go);
		_exit(0);
	}
	gate_open(settled);
	gate_pass(ready);
	show_pid("the child, seen by its parent", pid);
	kill(pid, SIGHUP);
	show_pid("with one pending", pid);
	gate_open(go);
	say("%s", reap(pid));
	set_raw_mask(BIT(SIGTERM) | BIT(SIGSYS));
	pid = vfork();
	if (!pid) {
		show("a vfork child", "/proc/self");
		signal(SIGUSR1, SIG_IGN);
		show("that ignores one more", "/proc/self");
		execve(self_path, args, env);
		_exit(99);
	}
	say("%s", reap(pid));
	set_raw_mask(0);
	show("its parent afterwards", "/proc/self");
	signal(SIGSYS, SIG_DFL);
	pid = fork_or_die();
	if (!pid)
		_exit(0);
	await_zombie(pid);
	show_pid("a zombie", pid);
	say("%s", reap(pid));
}

int main(int argc, char **argv)
{
	ssize_t n;

	if (argc > 1) {
		show("after exec", "/proc/self");
		return 0;
	}
	n = readlink("/proc/self/exe", self_path, sizeof(self_path) - 1);
	if (n < 0)
		die("exe");
	settled = gate_new();
	ready = gate_new();
	go = gate_new();
	say("process %d", getpid());
	tour();
	in_child("the same in a child", tour);
	threads();
	in_child("threads of a child", threads);
	children();
	in_child("children of a child", children);
	return 0;
}
