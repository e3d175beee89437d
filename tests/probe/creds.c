/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCM_CREDENTIALS one message at a time: explicit and implicit, own and foreign numbers, in lists with other
 * and with malformed members, on stream, datagram and sequenced sockets, with short and bad buffers.
 */
#include "probe.h"
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#define SCM_PIDFD_ 4
#define HIGH(v) ((long)(0xdeadbeef00000000ul | (uint32_t)(v)))

union control {
	char buf[512];
	struct cmsghdr align;
};

static struct iovec *data(void)
{
	static char text[] = "x";
	static struct iovec iov;

	iov = (struct iovec){text, 1};
	return &iov;
}

/* Appends a member to control data; returns the new length. */
static size_t add(union control *c, size_t at, int level, int type, const void *body, size_t n)
{
	struct cmsghdr *h = (struct cmsghdr *)(c->buf + at);

	h->cmsg_len = CMSG_LEN(n);
	h->cmsg_level = level;
	h->cmsg_type = type;
	memcpy(CMSG_DATA(h), body, n);
	return at + CMSG_SPACE(n);
}

static struct ucred me(pid_t pid)
{
	return (struct ucred){pid, getuid(), getgid()};
}

static long send_control(int fd, void *control, size_t n)
{
	struct msghdr m = {
		.msg_iov = data(), .msg_iovlen = 1, .msg_control = control, .msg_controllen = n};

	return SC(SYS_sendmsg, fd, &m, MSG_DONTWAIT);
}

static long send_as(int fd, pid_t pid)
{
	union control c = {{0}};
	struct ucred u = me(pid);

	return send_control(fd, c.buf, add(&c, 0, SOL_SOCKET, SCM_CREDENTIALS, &u, sizeof(u)));
}

/* What comes in, with everything that says who sent it. */
static void receive_flags(const char *what, int fd, size_t room, int flags)
{
	union control c;
	char text[64];
	struct iovec iov = {text, sizeof(text)};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = c.buf, .msg_controllen = room};
	char line[256] = "";
	size_t at = 0;
	long r;

	memset(c.buf, 0xee, sizeof(c));
	r = SC(SYS_recvmsg, fd, &m, MSG_DONTWAIT | flags);
	if (r >= 0)
		for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
			struct ucred u = {-7, 0, 0};
			size_t n = h->cmsg_len - CMSG_LEN(0);

			at += (size_t)snprintf(line + at, sizeof(line) - at, ", %d/%d of %zu",
					       h->cmsg_level, h->cmsg_type, h->cmsg_len);
			if (h->cmsg_type == SCM_CREDENTIALS && n >= 4) {
				memcpy(&u, CMSG_DATA(h), n < sizeof(u) ? n : sizeof(u));
				at += (size_t)snprintf(
					line + at, sizeof(line) - at, " pid %d %s", u.pid,
					n < 12					 ? "cut"
					: u.uid == getuid() && u.gid == getgid() ? "mine"
										 : "other");
			}
			if ((h->cmsg_type == SCM_PIDFD_ || h->cmsg_type == SCM_RIGHTS) && n >= 4) {
				int p;

				memcpy(&p, CMSG_DATA(h), 4);
				at += (size_t)snprintf(line + at, sizeof(line) - at, " %s",
						       p >= 0 ? "descriptor" : rc(p));
				if (p >= 0)
					close(p);
			}
			if (at > sizeof(line) - 80)
				break;
		}
	say("%s: %s flags %x control %zu%s behind %02x", what, rc(r),
	    (unsigned int)m.msg_flags & ~(unsigned int)MSG_CMSG_CLOEXEC,
	    r >= 0 ? (size_t)m.msg_controllen : 0, line,
	    r >= 0 && m.msg_controllen < sizeof(c) ? (unsigned char)c.buf[m.msg_controllen] : 0);
}

static void receive(const char *what, int fd)
{
	receive_flags(what, fd, sizeof(union control), 0);
}

static void pass(int fd, int opt, int on)
{
	if (setsockopt(fd, SOL_SOCKET, opt, &on, sizeof(on)))
		die("setsockopt: %s", err(errno));
}

static void senders(int type, const char *kind)
{
	static const int foreign[] = {0, -1, -2, INT_MIN, INT_MAX, 2, 77, 4194303, 4194304, 32768};
	pid_t child, dead = fork_or_die();
	int sv[2];
	long r;

	if (!dead)
		_exit(0);
	reap(dead);
	child = sleeper();
	if (socketpair(AF_UNIX, type, 0, sv))
		die("socketpair: %s", err(errno));
	say("%s", kind);
	say("nobody asks: %s", rc(send_as(sv[0], getpid())));
	receive("nobody asked", sv[1]);
	pass(sv[1], SO_PASSCRED, 1);
	say("own %s", rc(send_as(sv[0], getpid())));
	receive("own", sv[1]);
	SC(SYS_write, sv[0], "w", 1);
	receive("write", sv[1]);
	SC(SYS_sendto, sv[0], "s", 1, 0, NULL, 0);
	receive("send", sv[1]);
	for (size_t i = 0; i < COUNT(foreign); i++) {
		if (foreign[i] == getpid())
			continue;
		r = send_as(sv[0], foreign[i]);
		say("foreign %d %s", foreign[i], rc(r));
		if (r > 0)
			receive("foreign", sv[1]);
	}
	say("child's number %s", rc(send_as(sv[0], child)));
	say("parent's number %s", rc(send_as(sv[0], getppid())));
	say("dead child's number %s", rc(send_as(sv[0], dead)));
	/* By a child, which is gone when the message is read. */
	dead = fork_or_die();
	if (!dead) {
		say("in a child: own %s", rc(send_as(sv[0], getpid())));
		say("in a child: the parent's %s", rc(send_as(sv[0], getppid())));
		SC(SYS_write, sv[0], "w", 1);
		_exit(0);
	}
	say("child %s", reap(dead));
	receive_flags("peeked", sv[1], sizeof(union control), MSG_PEEK);
	receive_flags("peeked again", sv[1], sizeof(union control), MSG_PEEK);
	receive("from a child", sv[1]);
	receive("from a child by write", sv[1]);
	receive("nothing there", sv[1]);
	/* Read by another than the parent of the sender. */
	dead = fork_or_die();
	if (!dead) {
		gate_open((struct gate){-1, sv[0]});
		_exit(0);
	}
	reap(dead);
	dead = fork_or_die();
	if (!dead) {
		receive("read by a sibling", sv[1]);
		_exit(0);
	}
	reap(dead);
	pass(sv[1], SO_PASSPIDFD, 1);
	SC(SYS_write, sv[0], "w", 1);
	receive("with a pidfd", sv[1]);
	dead = fork_or_die();
	if (!dead) {
		SC(SYS_write, sv[0], "w", 1);
		_exit(0);
	}
	reap(dead);
	receive("with a pidfd of a dead one", sv[1]);
	pass(sv[1], SO_PASSCRED, 0);
	SC(SYS_write, sv[0], "w", 1);
	receive("with a pidfd only", sv[1]);
	end(child);
	close(sv[0]);
	receive("at the end", sv[1]);
	close(sv[1]);
}

static void rooms(void)
{
	int sv[2];

	socketpair(AF_UNIX, SOCK_DGRAM, 0, sv);
	pass(sv[1], SO_PASSCRED, 1);
	for (size_t room = 0; room <= 40; room++) {
		char what[32];

		if (room > 16 && room < 20)
			continue; /* parts of a number */
		snprintf(what, sizeof(what), "room %zu", room);
		SC(SYS_write, sv[0], "w", 1);
		receive_flags(what, sv[1], room, 0);
	}
	close(sv[0]);
	close(sv[1]);
}

static void lists(void)
{
	int sv[2], fd = 0, mark = 5;
	union control c;
	struct ucred own = me(getpid()), other = me(INT_MAX), wrong;
	size_t n;
	long r;

	socketpair(AF_UNIX, SOCK_DGRAM, 0, sv);
	pass(sv[1], SO_PASSCRED, 1);
#define FRESH() memset(&c, 0, sizeof(c))
	FRESH();
	n = add(&c, 0, SOL_SOCKET, SCM_CREDENTIALS, &own, sizeof(own));
	n = add(&c, n, SOL_SOCKET, SCM_CREDENTIALS, &own, sizeof(own));
	say("twice %s", rc(send_control(sv[0], c.buf, n)));
	receive("twice", sv[1]);
	FRESH();
	n = add(&c, 0, SOL_SOCKET, SCM_CREDENTIALS, &own, sizeof(own));
	n = add(&c, n, SOL_SOCKET, SCM_CREDENTIALS, &other, sizeof(other));
	say("own, foreign %s", rc(send_control(sv[0], c.buf, n)));
	FRESH();
	n = add(&c, 0, SOL_SOCKET, SCM_RIGHTS, &fd, sizeof(fd));
	n = add(&c, n, SOL_SOCKET, SCM_CREDENTIALS, &own, sizeof(own));
	say("rights, own %s", rc(send_control(sv[0], c.buf, n)));
	receive("rights, own", sv[1]);
	FRESH();
	n = add(&c, 0, 0, 8, &mark, sizeof(mark));
	n = add(&c, n, SOL_SOCKET, SCM_CREDENTIALS, &own, sizeof(own));
	say("of another level, own %s", rc(send_control(sv[0], c.buf, n)));
	receive("of another level, own", sv[1]);
	FRESH();
	n = add(&c, 0, SOL_SOCKET, 99, &mark, sizeof(mark));
	n = add(&c, n, SOL_SOCKET, SCM_CREDENTIALS, &other, sizeof(other));
	say("of an unknown type, foreign %s", rc(send_control(sv[0], c.buf, n)));
	FRESH();
	n = add(&c, 0, SOL_SOCKET, SCM_CREDENTIALS, &other, sizeof(other));
	n = add(&c, n, SOL_SOCKET, 99, &mark, sizeof(mark));
	say("foreign, of an unknown type %s", rc(send_control(sv[0], c.buf, n)));
	for (size_t len = 0; len < 40; len++) {
		FRESH();
		add(&c, 0, SOL_SOCKET, SCM_CREDENTIALS, &own, sizeof(own));
		((struct cmsghdr *)c.buf)->cmsg_len = len;
		r = send_control(sv[0], c.buf, 40);
		say("a header of length %zu %s", len, rc(r));
		if (r > 0)
			receive("that", sv[1]);
	}
	for (size_t len = 0; len < 48; len++) {
		FRESH();
		add(&c, 0, SOL_SOCKET, SCM_CREDENTIALS, &own, sizeof(own));
		r = send_control(sv[0], c.buf, len);
		say("control of length %zu %s", len, rc(r));
		if (r > 0)
			receive("that", sv[1]);
	}
	FRESH();
	add(&c, 0, SOL_SOCKET, SCM_CREDENTIALS, &own, sizeof(own));
	((struct cmsghdr *)c.buf)->cmsg_len = SIZE_MAX;
	say("a header of any length %s", rc(send_control(sv[0], c.buf, 64)));
	wrong = own;
	wrong.uid = 12345;
	FRESH();
	n = add(&c, 0, SOL_SOCKET, SCM_CREDENTIALS, &wrong, sizeof(wrong));
	say("another uid %s", rc(send_control(sv[0], c.buf, n)));
	wrong.uid = (uid_t)-1;
	FRESH();
	n = add(&c, 0, SOL_SOCKET, SCM_CREDENTIALS, &wrong, sizeof(wrong));
	say("no uid %s", rc(send_control(sv[0], c.buf, n)));
	wrong.pid = 77;
	FRESH();
	n = add(&c, 0, SOL_SOCKET, SCM_CREDENTIALS, &wrong, sizeof(wrong));
	say("no uid, foreign %s", rc(send_control(sv[0], c.buf, n)));
	close(sv[0]);
	close(sv[1]);
}

static void odd(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	union control c = {{0}};
	struct ucred own = me(getpid());
	size_t n = add(&c, 0, SOL_SOCKET, SCM_CREDENTIALS, &own, sizeof(own));
	struct msghdr m = {
		.msg_iov = data(), .msg_iovlen = 1, .msg_control = c.buf, .msg_controllen = n};
	struct msghdr *edge = (struct msghdr *)(page + 4096 - 40);
	char *big = calloc(1, 300000);
	int sv[2];
	long r;

	munmap(page + 4096, 4096);
	socketpair(AF_UNIX, SOCK_DGRAM, 0, sv);
	pass(sv[1], SO_PASSCRED, 1);
	say("send: header null %s wild %s edge %s", rc(SC(SYS_sendmsg, sv[0], NULL, 0)),
	    rc(SC(SYS_sendmsg, sv[0], WILD, 0)), rc(SC(SYS_sendmsg, sv[0], edge, 0)));
	say("send: bad descriptor %s, not a socket %s", rc(SC(SYS_sendmsg, 999, &m, 0)),
	    rc(SC(SYS_sendmsg, 0, &m, 0)));
	say("send: bad descriptor and header %s", rc(SC(SYS_sendmsg, 999, WILD, 0)));
	say("send: control null %s wild %s edge %s", rc(send_control(sv[0], NULL, 32)),
	    rc(send_control(sv[0], WILD, 32)), rc(send_control(sv[0], page + 4096 - 16, 32)));
	memcpy(page + 4096 - 16, c.buf, 16);
	say("send: control cut off by an edge %s", rc(send_control(sv[0], page + 4096 - 16, 32)));
	m.msg_iovlen = 2000;
	say("send: too many vectors %s", rc(SC(SYS_sendmsg, sv[0], &m, 0)));
	m.msg_iovlen = 1;
	m.msg_iov = WILD;
	say("send: vectors wild %s", rc(SC(SYS_sendmsg, sv[0], &m, 0)));
	m.msg_iov = data();
	m.msg_name = WILD;
	m.msg_namelen = 12;
	say("send: name wild %s", rc(SC(SYS_sendmsg, sv[0], &m, 0)));
	m.msg_name = NULL;
	m.msg_namelen = 0;
	r = SC(SYS_sendmsg, HIGH(sv[0]), &m, HIGH(0), -1, -1, -1);
	say("send: junk above %s", rc(r));
	receive("junk above", sv[1]);
	say("send: own memory is as it was %s",
	    memcmp(CMSG_DATA((struct cmsghdr *)c.buf), &own, 12) ? "no" : "yes");
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
	memcpy(page, c.buf, n);
	mprotect(page, 4096, PROT_READ);
	say("send: control read-only %s", rc(send_control(sv[0], page, n)));
	receive("control read-only", sv[1]);
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
	say("send: control too long %s", rc(send_control(sv[0], big, (size_t)INT_MAX + 1)));
	/* Descriptors as well, more than fit any small buffer. */
	n = 0;
	for (int i = 0; i < 100; i++)
		n = add((union control *)big, n, 41, 41, &own, sizeof(own));
	n = add((union control *)big, n, SOL_SOCKET, SCM_CREDENTIALS, &own, sizeof(own));
	say("send: long list %s", rc(send_control(sv[0], big, n)));
	receive("long list", sv[1]);

	m = (struct msghdr){
		.msg_iov = data(), .msg_iovlen = 1, .msg_control = c.buf, .msg_controllen = 64};
	SC(SYS_write, sv[0], "w", 1);
	say("receive: header wild %s", rc(SC(SYS_recvmsg, sv[1], WILD, MSG_DONTWAIT)));
	m.msg_control = WILD;
	r = SC(SYS_recvmsg, sv[1], &m, MSG_DONTWAIT);
	say("receive: control wild %s, control %zu flags %x", rc(r), (size_t)m.msg_controllen,
	    (unsigned int)m.msg_flags);
	SC(SYS_write, sv[0], "w", 1);
	m.msg_control = NULL;
	m.msg_controllen = 64;
	r = SC(SYS_recvmsg, sv[1], &m, MSG_DONTWAIT);
	say("receive: control null %s, control %zu flags %x", rc(r), (size_t)m.msg_controllen,
	    (unsigned int)m.msg_flags);
	SC(SYS_write, sv[0], "w", 1);
	m.msg_control = page + 4096 - 24;
	m.msg_controllen = 64;
	r = SC(SYS_recvmsg, sv[1], &m, MSG_DONTWAIT);
	say("receive: control at an edge %s, control %zu flags %x", rc(r), (size_t)m.msg_controllen,
	    (unsigned int)m.msg_flags);
	SC(SYS_write, sv[0], "w", 1);
	m.msg_control = c.buf + 3;
	m.msg_controllen = 64;
	r = SC(SYS_recvmsg, HIGH(sv[1]), &m, HIGH(MSG_DONTWAIT));
	memcpy(&own, c.buf + 3 + 16, sizeof(own));
	say("receive: control misaligned %s, control %zu pid %d", rc(r), (size_t)m.msg_controllen,
	    own.pid);
	/* The header itself is read-only: the message is taken, its lengths cannot be stored. */
	SC(SYS_write, sv[0], "w", 1);
	m.msg_control = c.buf;
	memcpy(page, &m, sizeof(m));
	mprotect(page, 4096, PROT_READ);
	say("receive: header read-only %s", rc(SC(SYS_recvmsg, sv[1], page, MSG_DONTWAIT)));
	receive("and then", sv[1]);
	free(big);
	close(sv[0]);
	close(sv[1]);
}

static void *thread(void *arg)
{
	int *sv = arg;

	say("thread: group's number %s", rc(send_as(sv[0], getpid())));
	receive("thread: group's", sv[1]);
	say("thread: own number %s", rc(send_as(sv[0], (pid_t)SC(SYS_gettid))));
	SC(SYS_write, sv[0], "w", 1);
	receive("thread: write", sv[1]);
	return NULL;
}

static void threads(void)
{
	pthread_t t;
	int sv[2];

	socketpair(AF_UNIX, SOCK_DGRAM, 0, sv);
	pass(sv[1], SO_PASSCRED, 1);
	pthread_create(&t, NULL, thread, sv);
	pthread_join(t, NULL);
	close(sv[0]);
	close(sv[1]);
}

/* Other families take such control data and ignore it. */
static void inet(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int r = socket(AF_INET, SOCK_DGRAM, 0), s = socket(AF_INET, SOCK_DGRAM, 0);

	if (bind(r, (struct sockaddr *)&a, sizeof(a)) ||
	    getsockname(r, (struct sockaddr *)&a, &n) || connect(s, (struct sockaddr *)&a, n))
		return;
	say("inet own %s", rc(send_as(s, getpid())));
	receive("inet own", r);
	say("inet foreign %s", rc(send_as(s, 77)));
	receive("inet foreign", r);
	close(r);
	close(s);
}

/* A connection that is not yet accepted, both ends of which may ask. */
static void connections(void)
{
	struct sockaddr_un u = {.sun_family = AF_UNIX};
	socklen_t n = sizeof(u);
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c, s;
	pid_t pid;

	bind(l, (struct sockaddr *)&u, sizeof(sa_family_t));
	getsockname(l, (struct sockaddr *)&u, &n);
	pass(l, SO_PASSCRED, 1);
	listen(l, 5);
	pid = fork_or_die();
	if (!pid) {
		c = socket(AF_UNIX, SOCK_STREAM, 0);
		connect(c, (struct sockaddr *)&u, n);
		SC(SYS_write, c, "first", 5);
		say("client sends %s", rc(send_as(c, getpid())));
		_exit(0);
	}
	say("client %s", reap(pid));
	s = accept(l, NULL, NULL);
	receive("accepted", s);
	receive("accepted, second", s);
	receive("accepted, end", s);
	close(s);
	close(l);
}

/* A vfork child shares its parent's memory, and is somebody else. */
static void vforks(void)
{
	int sv[2];
	pid_t pid;

	socketpair(AF_UNIX, SOCK_DGRAM, 0, sv);
	pass(sv[1], SO_PASSCRED, 1);
	pid = vfork();
	if (!pid) {
		say("vfork child: own %s", rc(send_as(sv[0], (pid_t)SC(SYS_getpid))));
		say("vfork child: parent's %s", rc(send_as(sv[0], (pid_t)SC(SYS_getppid))));
		receive("vfork child", sv[1]);
		SC(SYS_write, sv[0], "w", 1);
		_exit(0);
	}
	say("vfork child %s", reap(pid));
	receive("of a vfork child", sv[1]);
	say("own again %s", rc(send_as(sv[0], getpid())));
	receive("own again", sv[1]);
	close(sv[0]);
	close(sv[1]);
}

static int pass_fd(int fd)
{
	union control c = {{0}};
	int sv[2], got = -1;
	struct msghdr m = {
		.msg_iov = data(), .msg_iovlen = 1, .msg_control = c.buf, .msg_controllen = sizeof(c)};

	socketpair(AF_UNIX, SOCK_DGRAM, 0, sv);
	if (send_control(sv[0], c.buf, add(&c, 0, SOL_SOCKET, SCM_RIGHTS, &fd, sizeof(fd))) != 1)
		die("rights");
	memset(&c, 0, sizeof(c));
	if (SC(SYS_recvmsg, sv[1], &m, 0) != 1)
		die("no rights");
	memcpy(&got, CMSG_DATA((struct cmsghdr *)c.buf), sizeof(got));
	close(sv[0]);
	close(sv[1]);
	return got;
}

/* Descriptors that lead to processes, received by one that has opened nothing of the kind itself. */
static void rights(void)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY),
	    one = open("/proc/1", O_RDONLY | O_DIRECTORY);
	int pidfd = (int)SC(SYS_pidfd_open, getpid(), 0), sv[2];
	pid_t pid;

	socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
	pid = fork_or_die();
	if (!pid) {
		char text[64] = "";
		int fd, got = pass_fd(proc);

		fd = openat(got, "self/stat", O_RDONLY);
		say("through a directory: %s pid %d", fd < 0 ? err(errno) : "opened",
		    read(fd, text, sizeof(text) - 1) > 0 ? atoi(text) : -1);
		close(fd);
		say("nobody there %s", lrc(openat(got, "999/stat", O_RDONLY)));
		fd = openat(pass_fd(one), "stat", O_RDONLY);
		say("through another's: %s pid %d", fd < 0 ? err(errno) : "opened",
		    read(fd, text, sizeof(text) - 1) > 0 ? atoi(text) : -1);
		say("pidfd %s", rc(SC(SYS_pidfd_send_signal, pass_fd(pidfd), 0, NULL, 0)));
		_exit(0);
	}
	say("child %s", reap(pid));
}

int main(void)
{
	senders(SOCK_STREAM, "stream");
	senders(SOCK_DGRAM, "datagram");
	senders(SOCK_SEQPACKET, "sequenced");
	rooms();
	lists();
	odd();
	threads();
	in_child("threads in a child", threads);
	inet();
	connections();
	vforks();
	rights();
	in_child("rights in a child", rights);
	return 0;
}
