/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is signalled for a descriptor and who holds a lock: owners of every kind, set and read in each way, of processes
 * that are there, gone or never were; locks of files as another process and another description see them; leases.
 */
#include "probe.h"
#include <sys/ioctl.h>
#include <sys/socket.h>

#define SETOWN_EX 15
#define GETOWN_EX 16
#define OFD_GETLK 36
#define OFD_SETLK 37
#define SETSIG 10
#define SETLEASE 1024
#define GETLEASE 1025
#define NOTIFY 1026
#define FIO_SETOWN 0x8901
#define SIOC_SPGRP 0x8902
#define FIO_GETOWN 0x8903
#define SIOC_GPGRP 0x8904

struct owner {
	int type, pid;
};

/* struct flock of x86-64 */
struct lock {
	short type, whence;
	long start, len;
	int pid;
};

static struct gate up, down;
static int tid;

static const char *owner_text(int fd)
{
	struct owner o = {-1, -1};
	int fio = -77, sio = -77;
	char *s = scratch();
	long own = SC(SYS_fcntl, fd, F_GETOWN), ex = SC(SYS_fcntl, fd, GETOWN_EX, &o);
	long f = SC(SYS_ioctl, fd, FIO_GETOWN, &fio), g = SC(SYS_ioctl, fd, SIOC_GPGRP, &sio);

	snprintf(s, 160, "%ld; %s type %d pid %d; %s %d, %s %d", own, rc(ex), o.type, o.pid, rc(f),
		 fio, rc(g), sio);
	return s;
}

static void by_every_way(int fd, const char *who, int n)
{
	long r = SC(SYS_fcntl, fd, F_SETOWN, n);

	say("%s: F_SETOWN %s: %s", who, rc(r), owner_text(fd));
	for (int type = 0; type <= 3; type++) {
		struct owner o = {type, n};

		SC(SYS_fcntl, fd, F_SETOWN, 0);
		r = SC(SYS_fcntl, fd, SETOWN_EX, &o);
		say("  type %d %s: %s", type, rc(r), owner_text(fd));
	}
	SC(SYS_fcntl, fd, F_SETOWN, 0);
	r = SC(SYS_ioctl, fd, FIO_SETOWN, &n);
	say("  FIOSETOWN %s: %s", rc(r), owner_text(fd));
	SC(SYS_fcntl, fd, F_SETOWN, 0);
	r = SC(SYS_ioctl, fd, SIOC_SPGRP, &n);
	say("  SIOCSPGRP %s: %s", rc(r), owner_text(fd));
}

static void *thread(void *arg)
{
	tid = (int)SC(SYS_gettid);
	gate_open(up);
	gate_pass(down);
	return NULL;
}

static void owners(void)
{
	static const int odd[] = {0, 999, -999, -1, INT_MIN, INT_MAX};
	char name[32];
	pthread_t t;
	pid_t child = sleeper();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	setpgid(child, child);
	by_every_way(pair[0], "me", getpid());
	by_every_way(pair[0], "my group", -getpgrp());
	by_every_way(pair[0], "child", child);
	by_every_way(pair[0], "child's group", -child);
	by_every_way(pair[0], "number 1", 1);
	for (size_t i = 0; i < COUNT(odd); i++) {
		snprintf(name, sizeof(name), "%d", odd[i]);
		by_every_way(pair[0], name, odd[i]);
	}
	pthread_create(&t, NULL, thread, NULL);
	gate_pass(up);
	by_every_way(pair[0], "a thread", tid);
	gate_open(down);
	pthread_join(t, NULL);
	SC(SYS_fcntl, pair[0], F_SETOWN, child);
	say("before the child's end: %s", owner_text(pair[0]));
	SC(SYS_fcntl, pair[1], F_SETOWN, -child);
	end(child);
	say("after it: %s", owner_text(pair[0]));
	say("its group: %s", owner_text(pair[1]));
	say("bad pointers %s %s %s %s", rc(SC(SYS_fcntl, pair[0], SETOWN_EX, WILD)),
	    rc(SC(SYS_fcntl, pair[0], GETOWN_EX, NULL)), rc(SC(SYS_ioctl, pair[0], FIO_SETOWN, WILD)),
	    rc(SC(SYS_ioctl, pair[0], FIO_GETOWN, NULL)));
	say("no socket %s %s, closed %s %s", rc(SC(SYS_ioctl, up.r, FIO_SETOWN, &tid)),
	    rc(SC(SYS_ioctl, up.r, SIOC_GPGRP, &tid)), rc(SC(SYS_fcntl, 999, F_GETOWN)),
	    rc(SC(SYS_fcntl, 999, SETOWN_EX, WILD)));
	close(pair[0]);
	close(pair[1]);
}

/* --- locks ----------------------------------------------------------------------------------- */

static void ask(const char *who, int fd)
{
	struct lock l = {F_WRLCK, SEEK_SET, 0, 0, 77}, o = {F_WRLCK, SEEK_SET, 0, 0, 0}, p = o;
	long r = SC(SYS_fcntl, fd, F_GETLK, &l), s = SC(SYS_fcntl, fd, OFD_GETLK, &o);

	p.pid = 5;
	say("%s: F_GETLK %s type %d from %ld by %d; F_OFD_GETLK %s type %d by %d, wrong %s", who,
	    rc(r), l.type, l.start, l.pid, rc(s), o.type, o.pid, rc(SC(SYS_fcntl, fd, OFD_GETLK, &p)));
}

static void locks(void)
{
	int fd = open("locked", O_RDWR | O_CREAT | O_CLOEXEC, 0600), other;
	struct lock l = {F_WRLCK, SEEK_SET, 3, 4, 99}, o = {F_RDLCK, SEEK_SET, 100, 1, 0};
	pid_t pid;

	if (fd < 0)
		die("file");
	other = open("locked", O_RDWR);
	ask("free", fd);
	pid = fork_or_die();
	if (!pid) {
		say("child locks %s", rc(SC(SYS_fcntl, fd, F_SETLK, &l)));
		gate_open(up);
		for (;;)
			pause();
	}
	gate_pass(up);
	ask("child has it", fd);
	ask("child has it, other description", other);
	say("mine %s", rc(SC(SYS_fcntl, fd, F_SETLK, &l)));
	end(pid);
	ask("child is gone", fd);
	say("mine %s", rc(SC(SYS_fcntl, fd, F_SETLK, &l)));
	ask("mine", other);
	pid = fork_or_die();
	if (!pid) {
		ask("child asks", fd);
		_exit(0);
	}
	say("%s", reap(pid));
	l.type = F_UNLCK;
	SC(SYS_fcntl, fd, F_SETLK, &l);
	say("of the description %s", rc(SC(SYS_fcntl, fd, OFD_SETLK, &o)));
	ask("of the description", other);
	ask("of the description itself", fd);
	o.pid = getpid();
	say("with a number %s", rc(SC(SYS_fcntl, fd, OFD_SETLK, &o)));
	say("bad %s %s %s", rc(SC(SYS_fcntl, fd, F_GETLK, WILD)),
	    rc(SC(SYS_fcntl, 999, F_GETLK, WILD)), rc(SC(SYS_fcntl, fd, OFD_GETLK, NULL)));
	close(fd);
	close(other);
}

/* --- signals of descriptors ------------------------------------------------------------------ */

static volatile int hits, code, who, fd_of;

static void hit(int sig, siginfo_t *si, void *uc)
{
	hits++;
	code = si->si_code;
	fd_of = si->si_fd;
}

static void told(const char *what)
{
	for (int i = 0; i < 2000 && !hits; i++)
		usleep(1000);
	say("%s: %d hits code %d, descriptor %s", what, hits, code, fd_of >= 3 ? "named" : "not named");
	hits = code = fd_of = 0;
}

static void signals(void)
{
	struct sigaction sa = {.sa_sigaction = hit, .sa_flags = SA_SIGINFO | SA_RESTART};
	int pair[2], fd, wait_fd;
	pid_t pid;

	sigaction(SIGIO, &sa, NULL);
	sigaction(SIGURG, &sa, NULL);
	sigaction(45, &sa, NULL);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	SC(SYS_fcntl, pair[0], F_SETOWN, getpid());
	SC(SYS_fcntl, pair[0], F_SETFL, O_ASYNC);
	SC(SYS_write, pair[1], "x", 1);
	told("SIGIO");
	SC(SYS_fcntl, pair[0], SETSIG, 45);
	SC(SYS_write, pair[1], "x", 1);
	told("of one's own choice");
	SC(SYS_fcntl, pair[0], SETSIG, SIGIO);
	SC(SYS_write, pair[1], "x", 1);
	told("SIGIO with its descriptor");
	/* Of a child, by number and by group. */
	for (int group = 0; group < 2; group++) {
		pid = fork_or_die();
		if (!pid) {
			setpgid(0, 0);
			gate_open(up);
			told(group ? "child's group" : "child");
			_exit(0);
		}
		gate_pass(up);
		say("owner %s", rc(SC(SYS_fcntl, pair[0], F_SETOWN, group ? -pid : pid)));
		SC(SYS_write, pair[1], "x", 1);
		say("%s", reap(pid));
	}
	fd = open("leased", O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	say("lease %s", rc(SC(SYS_fcntl, fd, SETLEASE, F_RDLCK)));
	say("it is %s, owner %s", rc(SC(SYS_fcntl, fd, GETLEASE)), rc(SC(SYS_fcntl, fd, F_GETOWN)));
	pid = fork_or_die();
	if (!pid) {
		wait_fd = open("leased", O_WRONLY | O_NONBLOCK);
		_exit(wait_fd < 0 ? errno : 0);
	}
	say("%s", reap(pid));
	told("lease");
	say("given up %s", rc(SC(SYS_fcntl, fd, SETLEASE, F_UNLCK)));
	close(fd);
	fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	say("notify %s, owner %s", rc(SC(SYS_fcntl, fd, NOTIFY, 4)), rc(SC(SYS_fcntl, fd, F_GETOWN)));
	pid = fork_or_die();
	if (!pid)
		_exit(close(open("made", O_WRONLY | O_CREAT, 0600)));
	say("%s", reap(pid));
	told("directory");
	close(fd);
	unlink("made");
	unlink("leased");
}

int main(void)
{
	up = gate_new();
	down = gate_new();
	owners();
	in_child("owners in a child", owners);
	locks();
	in_child("locks in a child", locks);
	signals();
	in_child("signals in a child", signals);
	unlink("locked");
	return 0;
}
