/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp user notification: what a listener is told of calls of every kind, what becomes of its answers
 * (a value, an error, a descriptor, "go on"), interruptions, threads, children, and what the requests refuse.
 *
 * args: answers goon signals tasks fds refused
 */
#include "secc.h"
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#define RECV 0xc0502100u
#define SEND 0xc0182101u
#define ID_VALID 0x40082102u
#define ID_VALID_OLD 0x80082102u
#define ADDFD 0x40182103u
#define SET_FLAGS 0x40082104u
#define GO_ON 1u
#define ADDFD_SETFD 1u
#define ADDFD_SEND 2u

struct note {
	uint64_t id;
	uint32_t pid, flags;
	int nr;
	uint32_t arch;
	uint64_t ip, args[6];
};
struct answer {
	uint64_t id;
	int64_t val;
	int32_t error;
	uint32_t flags;
};
struct addfd {
	uint64_t id;
	uint32_t flags, srcfd, newfd, newfd_flags;
};

static unsigned int more_flags;

static long listener_of(long nr)
{
	no_new_privs();
	return FILTER(F_LISTENER | more_flags, ONE((uint32_t)nr, NOTIF));
}

/*
 * A child with our descriptors, which lets us listen to calls of one number and then runs fn. What the
 * listener has to say of its answer waits until the target has said its part.
 */
static int listen_fd;
static char pending[200];

static void say_pending(void)
{
	if (pending[0])
		say("%s", pending);
	pending[0] = 0;
}

static pid_t target(long nr, void (*fn)(void))
{
	int p[2];
	long pid;

	if (pipe(p))
		die("pipe");
	pid = SC(SYS_clone, 0x400 /* CLONE_FILES */ | SIGCHLD);
	if (pid < 0)
		die("clone %s", rc(pid));
	if (!pid) {
		int fd = (int)listener_of(nr);

		SC(SYS_write, p[1], &fd, sizeof(fd));
		fn();
		_exit(0);
	}
	if (SC(SYS_read, p[0], &listen_fd, sizeof(listen_fd)) != sizeof(listen_fd) || listen_fd < 0)
		die("listener %s", rc(listen_fd));
	return (pid_t)pid;
}

static void target_over(pid_t pid)
{
	const char *how = reap(pid);

	say_pending();
	say("target %s", how);
	for (int i = 3; i < 40; i++)
		close(i);
}

static long take(struct note *n)
{
	memset(n, 0, sizeof(*n));
	return SC(SYS_ioctl, listen_fd, RECV, n);
}

static void take_shown(struct note *n, pid_t pid)
{
	long r = take(n);

	say_pending();
	say("note %s: task %s nr %d arch %x args %s %s flags %x valid %s", rc(r),
	    n->pid == (uint32_t)pid ? "the target" : rc(n->pid), n->nr, n->arch,
	    n->args[0] < 100 || n->args[0] > (uint64_t)-100 ? rc((long)n->args[0]) : "-",
	    n->args[1] < 100 ? rc((long)n->args[1]) : "-", n->flags,
	    rc(SC(SYS_ioctl, listen_fd, ID_VALID, &n->id)));
}

static long give(uint64_t id, int64_t val, int32_t error, uint32_t flags)
{
	struct answer a = {id, val, error, flags};

	return SC(SYS_ioctl, listen_fd, SEND, &a);
}

static void give_later(const char *name, uint64_t id, int64_t val, int32_t error, uint32_t flags)
{
	snprintf(pending, sizeof(pending), "%s %s", name, rc(give(id, val, error, flags)));
}

/* --- calls ------------------------------------------------------------------------------------- */

static int a_pipe[2];
static struct timespec soon = {0, 1000};

static const struct {
	const char *name;
	long nr, a, b, c, d;
} calls[] = {
	{"getpid", SYS_getpid, 0, 0, 0, 0},
	{"getppid", SYS_getppid, 0, 0, 0, 0},
	{"gettid", SYS_gettid, 0, 0, 0, 0},
	{"getpgrp", SYS_getpgrp, 0, 0, 0, 0},
	{"getuid", SYS_getuid, 0, 0, 0, 0},
	{"kill", SYS_kill, 1, 0, 0, 0},
	{"tgkill", SYS_tgkill, 1, 1, 0, 0},
	{"kill nobody", SYS_kill, 77, 0, 0, 0},
	{"openat", SYS_openat, AT_FDCWD, (long)"/proc/self/stat", O_RDONLY, 0},
	{"dup", SYS_dup, 0, 0, 0, 0},
	{"getpriority", SYS_getpriority, 0, 1, 0, 0},
	{"wait4", SYS_wait4, -1, 0, 0, 0},
	{"waitid", SYS_waitid, P_ALL, 0, 0, WEXITED | WNOHANG},
	{"rt_sigprocmask", SYS_rt_sigprocmask, SIG_BLOCK, 0, 0, 8},
	{"ppoll", SYS_ppoll, 0, 0, (long)&soon, 0},
	{"fcntl", SYS_fcntl, 0, F_GETOWN, 0, 0},
	{"readlink", SYS_readlink, (long)"/proc/self", (long)a_pipe, 8, 0},
	{"close", SYS_close, 77, 0, 0, 0},
	{"getsid", SYS_getsid, 1, 0, 0, 0},
};
static size_t call_now;

static void makes_it(void)
{
	long r = SC(calls[call_now].nr, calls[call_now].a, calls[call_now].b, calls[call_now].c,
		    calls[call_now].d);
	long nr = calls[call_now].nr;

	if (nr == SYS_openat && r >= 0) {
		char buf[16] = "";

		SC(SYS_read, r, buf, sizeof(buf) - 1);
		say("%s: %d", calls[call_now].name, atoi(buf));
	} else {
		say("%s: %s", calls[call_now].name, nr == SYS_dup && r >= 0 ? "a descriptor" : rc(r));
	}
}

static void twice(void)
{
	makes_it();
	makes_it();
}

static void answers(void)
{
	struct note n;

	for (call_now = 0; call_now < COUNT(calls); call_now++) {
		pid_t pid = target(calls[call_now].nr, twice);

		take_shown(&n, pid);
		give_later("value", n.id, 4711, 0, 0);
		take_shown(&n, pid);
		/* Any number is handed on, what the kernel means by it or not. */
		give_later("error", n.id, 0, call_now % 4 ? -EXDEV : -512, 0);
		target_over(pid);
	}
}

static void go_on(void)
{
	struct note n;

	for (call_now = 0; call_now < COUNT(calls); call_now++) {
		pid_t pid = target(calls[call_now].nr, twice);

		take_shown(&n, pid);
		give_later("go on", n.id, 0, 0, GO_ON);
		take_shown(&n, pid);
		give_later("go on", n.id, 0, 0, GO_ON);
		target_over(pid);
	}
}

/* --- making tasks --------------------------------------------------------------------------------- */

static void forks(void)
{
	long pid = SC(SYS_clone, SIGCHLD);

	if (!pid)
		_exit((int)SC(SYS_getpid));
	say("clone %s", rc(pid));
	say("%s", reap((pid_t)pid));
}

static void executes(void)
{
	char *const args[] = {"probe", "child", NULL};

	say("execve %s", rc(SC(SYS_execve, "/proc/self/exe", args, args + 2)));
}

static void *in_thread(void *p)
{
	say("thread: getppid %s, tid %s", rc(SC(SYS_getppid)), rc(SC(SYS_gettid)));
	return NULL;
}

static void threads(void)
{
	pthread_t t;

	pthread_create(&t, NULL, in_thread, NULL);
	pthread_join(t, NULL);
	in_thread(NULL);
}

static void from_child(void)
{
	pid_t pid = fork_or_die();

	if (!pid) {
		say("grandchild: getppid %s", rc(SC(SYS_getppid)));
		_exit(0);
	}
	say("%s", reap(pid));
}

static void tasks(void)
{
	struct note n;
	pid_t pid = target(SYS_clone, forks);

	take_shown(&n, pid);
	give_later("go on", n.id, 0, 0, GO_ON);
	target_over(pid);
	pid = target(SYS_execve, executes);
	take_shown(&n, pid);
	give_later("go on", n.id, 0, 0, GO_ON);
	target_over(pid);
	pid = target(SYS_execve, executes);
	take_shown(&n, pid);
	give_later("refuse", n.id, 0, -EPERM, 0);
	target_over(pid);
	pid = target(SYS_getppid, threads);
	take_shown(&n, pid);
	give_later("value", n.id, 31, 0, 0);
	take_shown(&n, pid);
	give_later("go on", n.id, 0, 0, GO_ON);
	target_over(pid);
	pid = target(SYS_getppid, from_child);
	take_shown(&n, pid);
	give_later("go on", n.id, 0, 0, GO_ON);
	target_over(pid);
}

/* --- descriptors ------------------------------------------------------------------------------------- */

static void opens(void)
{
	long fd = SC(SYS_openat, AT_FDCWD, "/nowhere", O_RDONLY);
	char buf[8] = "";

	say("openat %s: read %s %s", fd >= 0 ? "worked" : rc(fd), rc(SC(SYS_read, fd, buf, 4)), buf);
}

static void reads(void)
{
	char c;

	say("close %s", rc(SC(SYS_close, 60)));
	say("then %s", rc(SC(SYS_read, 61, &c, 1)));
}

static void fds(void)
{
	struct note n;
	struct addfd add;
	int p[2];
	pid_t pid;

	for (int how = 0; how < 2; how++) {
		pid = target(SYS_openat, opens);
		if (pipe(p))
			die("pipe");
		SC(SYS_write, p[1], "text", 4);
		take_shown(&n, pid);
		add = (struct addfd){n.id, how ? ADDFD_SEND : 0, (uint32_t)p[0], 0, 0};
		if (how) {
			snprintf(pending, sizeof(pending), "addfd and send %s",
				 SC(SYS_ioctl, listen_fd, ADDFD, &add) >= 0 ? "ok" : "no");
		} else {
			long fd = SC(SYS_ioctl, listen_fd, ADDFD, &add);

			say("addfd %s", fd >= 0 ? "ok" : rc(fd));
			give_later("send", n.id, fd, 0, 0);
		}
		target_over(pid);
	}
	pid = target(SYS_close, reads);
	if (pipe(p))
		die("pipe");
	take_shown(&n, pid);
	add = (struct addfd){n.id, ADDFD_SETFD, (uint32_t)p[0], 61, 0};
	say("addfd there %s", rc(SC(SYS_ioctl, listen_fd, ADDFD, &add)));
	SC(SYS_write, p[1], "x", 1);
	for (unsigned int size = 0; size < 200; size += 24) {
		uint64_t big[32] = {0};
		long fd;

		memcpy(big, &add, sizeof(add));
		((struct addfd *)big)->newfd = 62;
		fd = SC(SYS_ioctl, listen_fd, 0x40002103 | size << 16, big);
		say("addfd of size %u %s", size, rc(fd));
		big[size / 8 - !!size] = 1;
		if (size > sizeof(add))
			say("  with junk %s",
			    rc(SC(SYS_ioctl, listen_fd, 0x40002103 | size << 16, big)));
	}
	add.flags = 8;
	say("addfd flags %s", rc(SC(SYS_ioctl, listen_fd, ADDFD, &add)));
	add.flags = 0;
	add.srcfd = 777;
	say("addfd of nothing %s", rc(SC(SYS_ioctl, listen_fd, ADDFD, &add)));
	add.id = 5;
	say("addfd for nobody %s", rc(SC(SYS_ioctl, listen_fd, ADDFD, &add)));
	give_later("send", n.id, 7, 0, 0);
	target_over(pid);
}

/* --- interruptions -------------------------------------------------------------------------------------- */

static volatile int handled;

static void count(int sig)
{
	handled++;
}

static void interrupted(int flags)
{
	struct sigaction sa = {.sa_handler = count, .sa_flags = flags};

	sigaction(SIGUSR1, &sa, NULL);
	say("%s", rc(SC(SYS_getppid)));
	say("handled %d", handled);
}

static void no_restart(void)
{
	interrupted(0);
}

static void restart(void)
{
	interrupted(SA_RESTART);
}

static void closes(void)
{
	struct sigaction sa = {.sa_handler = count};

	sigaction(SIGUSR1, &sa, NULL);
	say("close %s", rc(SC(SYS_close, 77)));
}

static void for_long(void)
{
	say("nanosleep %s", rc(SC(SYS_nanosleep, &soon, NULL)));
	say("getppid %s", rc(SC(SYS_getppid)));
}

/* Once it was received, only what kills interrupts (since 5.19). */
static void killable(void)
{
	struct note n;
	pid_t pid;

	more_flags = SC(SYS_seccomp, MODE_FILTER, F_LISTENER | F_KILLABLE, WILD) == -EFAULT ? F_KILLABLE
											    : 0;
	for (call_now = 0; more_flags && call_now < 2; call_now++) {
		pid = target(call_now ? SYS_close : SYS_getppid, call_now ? closes : no_restart);
		take_shown(&n, pid);
		kill(pid, SIGUSR1);
		usleep(2000);
		give_later("value", n.id, 12, 0, 0);
		target_over(pid);
	}
	more_flags = 0;
}

static void signals(void)
{
	struct note n;
	struct sigaction sa = {.sa_handler = count};
	struct itimerval it = {{0, 0}, {0, 20000}};
	uint64_t old;
	pid_t pid = target(SYS_getppid, no_restart);

	take_shown(&n, pid);
	kill(pid, SIGUSR1);
	target_over(pid);

	pid = target(SYS_getppid, restart);
	take_shown(&n, pid);
	old = n.id;
	kill(pid, SIGUSR1);
	take_shown(&n, pid);
	say("the old one %s", rc(SC(SYS_ioctl, listen_fd, ID_VALID, &old)));
	say("answered %s", rc(give(old, 3, 0, 0)));
	give_later("value", n.id, 55, 0, 0);
	target_over(pid);

	pid = target(SYS_close, closes);
	take_shown(&n, pid);
	kill(pid, SIGUSR1);
	target_over(pid);

	pid = target(SYS_getppid, no_restart);
	take_shown(&n, pid);
	kill(pid, SIGKILL);
	say("killed %s", reap(pid));
	say("answered %s", rc(give(n.id, 3, 0, 0)));
	target_over(pid);

	killable();
	/* The listener itself is interrupted, and then goes away. */
	pid = target(SYS_getppid, for_long);
	sigaction(SIGALRM, &sa, NULL);
	take_shown(&n, pid);
	setitimer(ITIMER_REAL, &it, NULL);
	say("waiting for another %s", rc(take(&n)));
	close(listen_fd);
	target_over(pid);
	say("nobody listens: %s", rc(take(&n)));
}

/* --- refusals ---------------------------------------------------------------------------------------------- */

static void idle(void)
{
	say("getppid %s", rc(SC(SYS_getppid)));
	say("getppid %s", rc(SC(SYS_getppid)));
	say("another listener %s", rc(listener_of(SYS_getuid)));
}

static void unheard(void)
{
	deny(SYS_getpid, NOTIF);
	deny(SYS_close, NOTIF);
	say("no listener: %s %s", rc(SC(SYS_getpid)), rc(SC(SYS_close, 77)));
}

static void refused(void)
{
	static struct note n;
	struct pollfd p;
	uint64_t id = 12345, keep;
	int fd[2];
	pid_t pid = target(SYS_getppid, idle);

	in_child("unheard", unheard);
	if (pipe(fd))
		die("pipe");
	p = (struct pollfd){listen_fd, POLLIN | POLLOUT, 0};
	say("poll %s %x", rc(SC(SYS_poll, &p, 1, 10000)), p.revents & POLLIN);
	say("valid before %s", rc(SC(SYS_ioctl, listen_fd, ID_VALID, &id)));
	say("valid by the old number %s", rc(SC(SYS_ioctl, listen_fd, ID_VALID_OLD, &id)));
	say("valid wild %s", rc(SC(SYS_ioctl, listen_fd, ID_VALID, WILD)));
	n.flags = 1;
	say("receive into junk %s", rc(SC(SYS_ioctl, listen_fd, RECV, &n)));
	say("receive wild %s", rc(SC(SYS_ioctl, listen_fd, RECV, WILD)));
	say("receive from a pipe %s", rc(SC(SYS_ioctl, fd[0], RECV, &n)));
	memset(&n, 0, sizeof(n));
	say("receive from a pipe %s", rc(SC(SYS_ioctl, fd[0], RECV, &n)));
	say("receive from nothing %s", rc(SC(SYS_ioctl, 777, RECV, &n)));
	say("send to a pipe %s", rc(SC(SYS_ioctl, fd[0], SEND, &n)));
	say("send wild %s", rc(SC(SYS_ioctl, listen_fd, SEND, WILD)));
	say("send to nobody %s", rc(give(5, 0, 0, 0)));
	take_shown(&n, pid);
	say("send flags %s", rc(give(n.id, 0, 0, 8)));
	say("go on with a value %s", rc(give(n.id, 1, 0, GO_ON)));
	say("go on with an error %s", rc(give(n.id, 0, -1, GO_ON)));
	say("with junk above %s", rc(SC(SYS_ioctl, listen_fd, 0xf00000000ul | ID_VALID, &n.id)));
	keep = n.id;
	give_later("error above 0", n.id, 5, 7, 0);
	take_shown(&n, pid);
	say("the first %s", SC(SYS_ioctl, listen_fd, ID_VALID, &keep) ? "no longer" : "still");
	give_later("go on", n.id, 0, 0, GO_ON);
	target_over(pid);
}

int main(int argc, char **argv)
{
	const char *what = argv[argc - 1];

	if (!strcmp(what, "answers"))
		answers();
	else if (!strcmp(what, "goon"))
		go_on();
	else if (!strcmp(what, "signals"))
		signals();
	else if (!strcmp(what, "tasks"))
		tasks();
	else if (!strcmp(what, "fds"))
		fds();
	else if (!strcmp(what, "child"))
		say("executed: %s", rc(SC(SYS_getpid)));
	else
		refused();
	return 0;
}
