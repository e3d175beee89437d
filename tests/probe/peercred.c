/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SO_PEERCRED and SO_PEERPIDFD: socket pairs, listeners that live, that died, that are threads; other
 * families and levels, every length, bad pointers, junk in unused halves of registers.
 */
#include "probe.h"
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#define HIGH(v) ((long)(0xdeadbeef00000000ul | (uint32_t)(v)))

static void show(const char *what, int fd)
{
	struct ucred c = {-7, 7, 7};
	int len = sizeof(c);
	long r = SC(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &c, &len);

	if (r)
		say("%s %s", what, rc(r));
	else
		say("%s pid %d uid %s gid %s len %d", what, c.pid,
		    c.uid == getuid()	 ? "mine"
		    : c.uid == (uid_t)-1 ? "none"
					 : "other",
		    c.gid == getgid()	 ? "mine"
		    : c.gid == (gid_t)-1 ? "none"
					 : "other",
		    len);
}

static struct sockaddr_un name;
static socklen_t name_len;

static void bind_name(int fd)
{
	struct sockaddr_un u = {.sun_family = AF_UNIX};

	/* An abstract name of the kernel's own choice. */
	if (bind(fd, (struct sockaddr *)&u, sizeof(sa_family_t)))
		die("bind: %s", err(errno));
	name_len = sizeof(name);
	getsockname(fd, (struct sockaddr *)&name, &name_len);
}

static int connected(int type)
{
	int fd = socket(AF_UNIX, type, 0);

	if (connect(fd, (struct sockaddr *)&name, name_len))
		die("connect: %s", err(errno));
	return fd;
}

static void *listen_in_thread(void *arg)
{
	if (listen(*(int *)arg, 5))
		die("listen: %s", err(errno));
	return NULL;
}

static void pairs(int type)
{
	int sv[2];
	pid_t pid;

	if (socketpair(AF_UNIX, type, 0, sv))
		die("socketpair: %s", err(errno));
	show("pair", sv[0]);
	/* Frozen when it was made. */
	pid = fork_or_die();
	if (!pid) {
		show("pair in a child", sv[1]);
		if (socketpair(AF_UNIX, type, 0, sv))
			die("socketpair: %s", err(errno));
		show("child's pair", sv[1]);
		_exit(0);
	}
	say("child %s", reap(pid));
	close(sv[0]);
	show("pair, other end closed", sv[1]);
	close(sv[1]);
}

static void listeners(void)
{
	struct gate go = gate_new(), done = gate_new();
	int l = socket(AF_UNIX, SOCK_STREAM, 0), s, c;
	pthread_t t;
	pid_t pid;

	show("unconnected", l);
	bind_name(l);
	show("bound", l);
	pid = fork_or_die();
	if (!pid) {
		if (listen(l, 5))
			die("listen: %s", err(errno));
		gate_open(done);
		gate_pass(go);
		_exit(0);
	}
	gate_pass(done);
	show("listening", l);
	c = connected(SOCK_STREAM);
	s = accept(l, NULL, NULL);
	show("connected to a child", c);
	show("accepted", s);
	gate_open(go);
	say("listener %s", reap(pid));
	show("listener died", c);
	close(c);
	close(s);
	c = connected(SOCK_STREAM);
	s = accept(l, NULL, NULL);
	show("connected to a dead listener", c);
	pid = fork_or_die();
	if (!pid) {
		int mine = connected(SOCK_STREAM);

		show("client child", mine);
		_exit(0);
	}
	say("client %s", reap(pid));
	close(s);
	s = accept(l, NULL, NULL);
	show("client died before accept", s);
	/* A second listen changes nothing but who listens. */
	if (listen(l, 7))
		die("listen: %s", err(errno));
	close(c);
	c = connected(SOCK_STREAM);
	show("listened again", c);
	pthread_create(&t, NULL, listen_in_thread, &l);
	pthread_join(t, NULL);
	close(c);
	c = connected(SOCK_STREAM);
	show("a thread listened", c);
	close(c);
	close(s);
	close(l);
}

static void others(void)
{
	static const struct {
		int family, type;
		const char *name;
	} kinds[] = {
		{AF_INET, SOCK_STREAM, "inet stream"},	     {AF_INET, SOCK_DGRAM, "inet dgram"},
		{AF_NETLINK, SOCK_RAW, "netlink"},	     {AF_UNIX, SOCK_DGRAM, "unix dgram"},
		{AF_UNIX, SOCK_SEQPACKET, "unix seqpacket"},
	};

	for (size_t i = 0; i < COUNT(kinds); i++) {
		int fd = socket(kinds[i].family, kinds[i].type, 0), p = -1;
		socklen_t len = sizeof(p);
		long r;

		show(kinds[i].name, fd);
		r = SC(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERPIDFD, &p, &len);
		say("%s pidfd %s %d", kinds[i].name, rc(r), r ? p : 0);
		close(fd);
	}
	show("not a socket", 0);
	show("no descriptor", -1);
	show("closed", 999);
}

static void odd(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static const int lens[] = {0, 1, 2, 3, 4, 5, 8, 11, 12, 13, 16, 1000, INT_MAX, -1, INT_MIN};
	unsigned char buf[16];
	int sv[2], len;
	long r;

	munmap(page + 4096, 4096);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		die("socketpair: %s", err(errno));
	for (size_t i = 0; i < COUNT(lens); i++) {
		memset(buf, 0xee, sizeof(buf));
		len = lens[i];
		r = SC(SYS_getsockopt, sv[0], SOL_SOCKET, SO_PEERCRED, buf, &len);
		say("length %d: %s %d, %02x%02x%02x%02x behind %02x", lens[i], rc(r), len, buf[0],
		    buf[1], buf[2], buf[3], buf[len >= 0 && len < 16 ? len : 0]);
	}
	len = 12;
	say("value null %s", rc(SC(SYS_getsockopt, sv[0], SOL_SOCKET, SO_PEERCRED, NULL, &len)));
	say("value wild %s %d", rc(SC(SYS_getsockopt, sv[0], SOL_SOCKET, SO_PEERCRED, WILD, &len)),
	    len);
	say("value at an edge %s",
	    rc(SC(SYS_getsockopt, sv[0], SOL_SOCKET, SO_PEERCRED, page + 4096 - 8, &len)));
	say("length null %s", rc(SC(SYS_getsockopt, sv[0], SOL_SOCKET, SO_PEERCRED, buf, NULL)));
	say("length wild %s", rc(SC(SYS_getsockopt, sv[0], SOL_SOCKET, SO_PEERCRED, buf, WILD)));
	len = 0;
	say("no value %s", rc(SC(SYS_getsockopt, sv[0], SOL_SOCKET, SO_PEERCRED, NULL, &len)));
	say("bad all %s", rc(SC(SYS_getsockopt, 999, SOL_SOCKET, SO_PEERCRED, WILD, WILD)));
	say("not a socket %s", rc(SC(SYS_getsockopt, 0, SOL_SOCKET, SO_PEERCRED, WILD, WILD)));
	len = 12;
	say("another level %s", rc(SC(SYS_getsockopt, sv[0], 0, SO_PEERCRED, buf, &len)));
	say("a level of tcp %s", rc(SC(SYS_getsockopt, sv[0], 6, SO_PEERCRED, buf, &len)));
	memset(buf, 0, sizeof(buf));
	r = SC(SYS_getsockopt, HIGH(sv[0]), HIGH(SOL_SOCKET), HIGH(SO_PEERCRED), buf, &len, -1);
	say("junk above %s %d %d", rc(r), len, buf[0]);
	say("set %s", rc(SC(SYS_setsockopt, sv[0], SOL_SOCKET, SO_PEERCRED, buf, 12)));
	for (int v = 0; v < 3; v++) {
		say("passcred %d %s", v, rc(SC(SYS_setsockopt, sv[0], SOL_SOCKET, SO_PASSCRED, &v, 4)));
		len = 4;
		r = -1;
		SC(SYS_getsockopt, sv[0], SOL_SOCKET, SO_PASSCRED, &r, &len);
		say("passcred is %d", (int)r);
	}
	close(sv[0]);
	close(sv[1]);
}

static const char *peer_pidfd(int fd)
{
	int p = -1, len = sizeof(p);
	long r = SC(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERPIDFD, &p, &len);

	if (r)
		return rc(r);
	r = SC(SYS_pidfd_send_signal, p, 0, NULL, 0);
	SC(SYS_close, p);
	return r ? rc(r) : "a descriptor";
}

static void pidfds(void)
{
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c, sv[2], p = -7, len;
	struct gate done = gate_new();
	pid_t pid;

	say("pidfd unconnected %s", peer_pidfd(l));
	socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
	say("pidfd of oneself %s", peer_pidfd(sv[0]));
	for (len = -1; len < 6; len++) {
		int n = len;
		long r;

		p = -7;
		r = SC(SYS_getsockopt, sv[0], SOL_SOCKET, SO_PEERPIDFD, &p, &n);
		say("pidfd length %d %s %d %s", len, rc(r), n, p == -7 ? "untouched" : "written");
	}
	len = 4;
	say("pidfd value wild %s", rc(SC(SYS_getsockopt, sv[0], SOL_SOCKET, SO_PEERPIDFD, WILD, &len)));
	bind_name(l);
	pid = fork_or_die();
	if (!pid) {
		listen(l, 5);
		gate_open(done);
		for (;;)
			pause();
	}
	gate_pass(done);
	c = connected(SOCK_STREAM);
	say("pidfd of a child %s", peer_pidfd(c));
	kill(pid, SIGKILL);
	await_zombie(pid);
	say("pidfd of a zombie %s", peer_pidfd(c));
	reap(pid);
	say("pidfd of a dead one %s", peer_pidfd(c));
	show("cred of a dead one", c);
}

int main(void)
{
	pairs(SOCK_STREAM);
	pairs(SOCK_DGRAM);
	pairs(SOCK_SEQPACKET);
	listeners();
	others();
	odd();
	pidfds();
	in_child("in a child", listeners);
	return 0;
}
