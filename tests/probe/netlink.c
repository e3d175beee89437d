/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Netlink: port ids of sockets that are bound, connected or just used, credentials over netlink, and the
 * attributes that name a process. In a user and network namespace of its own, where nobody else has ports.
 */
#include "probe.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define NL_ROUTE 0
#define NL_USERSOCK 2
#define NL_AUDIT 9
#define NL_GENERIC 16
#define NLM_REQUEST 1
#define NLM_ACK 4
#define NLM_DUMP 0x300
#define NLM_CREATE 0x600 /* exclusive */
#define NEWLINK 16
#define DELLINK 17
#define GETLINK 18
#define SETLINK 19
#define NEWNSID 88
#define GETNSID 90
#define A_IFNAME 3
#define A_LINKINFO 18
#define A_NS_PID 19
#define INFO_KIND 1
#define INFO_DATA 2
#define INFO_PEER 1
#define NSA_NSID 1
#define NSA_PID 2
#define HIGH(v) ((long)(0xdeadbeef00000000ul | (uint32_t)(v)))

struct nladdr {
	uint16_t family, pad;
	uint32_t pid, groups;
};
struct nlhdr {
	uint32_t len;
	uint16_t type, flags;
	uint32_t seq, pid;
};
struct link {
	uint8_t family, pad;
	uint16_t type;
	int32_t index;
	uint32_t flags, change;
};

static int nl(int protocol)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		die("netlink: %s", err(errno));
	return fd;
}

static uint32_t port(int fd)
{
	struct nladdr a = {0};
	socklen_t n = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &n))
		die("getsockname: %s", err(errno));
	return a.pid;
}

/* Numbers below -4096 are drawn by lot. */
static const char *port_text(uint32_t p)
{
	char *s = scratch();

	if ((int32_t)p < -4096)
		return "drawn";
	snprintf(s, 160, "%d", (int32_t)p);
	return s;
}

/* A result, and the port that fd has after it. */
static const char *then(long r, int fd)
{
	char *s = scratch();

	snprintf(s, 160, "%s, port %s", rc(r), port_text(port(fd)));
	return s;
}

static long bind_to(int fd, uint32_t pid, uint32_t groups)
{
	struct nladdr a = {AF_NETLINK, 0, pid, groups};

	return SC(SYS_bind, fd, &a, sizeof(a));
}

static struct nladdr kernel = {.family = AF_NETLINK};

/* A request for nothing that the kernel acknowledges; how says with which call. */
static void ask(const char *what, int fd, int how)
{
	struct nlhdr h = {sizeof(h), 1, NLM_REQUEST | NLM_ACK, 5, 0};
	struct {
		struct nlhdr h;
		int32_t error;
		struct nlhdr of;
	} reply = {0};
	struct iovec iov = {&h, sizeof(h)};
	struct mmsghdr m = {.msg_hdr = {.msg_name = &kernel,
					.msg_namelen = sizeof(kernel),
					.msg_iov = &iov,
					.msg_iovlen = 1}};
	long r = -1;

	switch (how) {
	case 0:
		r = SC(SYS_sendto, fd, &h, sizeof(h), 0, &kernel, sizeof(kernel));
		break;
	case 1:
		r = SC(SYS_sendmsg, fd, &m.msg_hdr, 0);
		break;
	case 2:
		r = SC(SYS_sendmmsg, fd, &m, 1, 0);
		break;
	case 3: /* an address of any length will do */
		r = SC(SYS_sendto, fd, &h, sizeof(h), 0, (char[64]){AF_NETLINK}, 64);
		break;
	case 4:
		r = SC(SYS_sendto, fd, &h, sizeof(h), 0, NULL, 0);
		break;
	}
	say("%s: sent %s", what, then(r, fd));
	r = SC(SYS_recvfrom, fd, &reply, sizeof(reply), MSG_DONTWAIT, NULL, NULL);
	say("%s: reply %s type %d error %d for %s", what, rc(r), reply.h.type, reply.error,
	    reply.h.pid == port(fd) ? "the port" : "another");
}

static void ports(void)
{
	static const char *const names[] = {"sendto", "sendmsg", "sendmmsg", "sendto long"};
	struct nladdr a = {AF_NETLINK, 0, 0, 0};
	int s[8];
	pid_t pid;

	s[0] = nl(NL_ROUTE);
	say("fresh %s", port_text(port(s[0])));
	say("bind 0 %s", then(bind_to(s[0], 0, 0), s[0]));
	say("bind 0 again %s", rc(bind_to(s[0], 0, 0)));
	say("the same %s", rc(bind_to(s[0], port(s[0]), 0)));
	say("another %s", rc(bind_to(s[0], 77, 0)));
	s[1] = nl(NL_ROUTE);
	say("second %s", then(bind_to(s[1], 0, 0), s[1]));
	s[2] = nl(NL_ROUTE);
	say("taken %s", rc(bind_to(s[2], port(s[0]), 0)));
	say("then %s", then(bind_to(s[2], 77, 0), s[2]));
	close(s[2]);
	s[2] = nl(NL_ROUTE);
	say("taken %s", rc(bind_to(s[2], port(s[0]), 0)));
	say("then 0 %s", then(bind_to(s[2], 0, 0), s[2]));
	close(s[2]);
	s[2] = nl(NL_ROUTE);
	say("explicit %s", then(bind_to(s[2], 77, 0), s[2]));
	ask("explicit", s[2], 0);
	s[3] = nl(NL_GENERIC);
	say("of another protocol %s", then(bind_to(s[3], 0, 0), s[3]));
	close(s[0]);
	s[0] = nl(NL_ROUTE);
	say("free again %s", then(bind_to(s[0], 0, 1), s[0]));
	for (int i = 0; i < 4; i++)
		close(s[i]);
	for (int how = 0; how < 4; how++) {
		s[0] = nl(NL_ROUTE);
		ask(names[how], s[0], how);
		ask("again", s[0], how);
		close(s[0]);
	}
	s[0] = nl(NL_ROUTE);
	say("connect %s", then(SC(SYS_connect, s[0], &a, sizeof(a)), s[0]));
	ask("connected", s[0], 4);
	say("bind after %s", rc(bind_to(s[0], 0, 0)));
	a.family = AF_UNSPEC;
	say("disconnect %s", then(SC(SYS_connect, s[0], &a, sizeof(a)), s[0]));
	close(s[0]);
	s[0] = nl(NL_ROUTE);
	say("disconnect at first %s", then(SC(SYS_connect, s[0], &a, sizeof(a)), s[0]));
	a = (struct nladdr){AF_INET, 0, 0, 0};
	say("of another family: bind %s connect %s sendto %s",
	    rc(SC(SYS_bind, s[0], &a, sizeof(a))), rc(SC(SYS_connect, s[0], &a, sizeof(a))),
	    rc(SC(SYS_sendto, s[0], "0123456789abcdef", 16, 0, &a, sizeof(a))));
	close(s[0]);
	/* Groups that were joined before stay. */
	s[0] = nl(NL_ROUTE);
	say("join %s", rc(setsockopt(s[0], 270, 1, (int[]){1}, 4)));
	ask("joined", s[0], 0);
	{
		socklen_t n = sizeof(a);

		getsockname(s[0], (struct sockaddr *)&a, &n);
		say("groups %x", a.groups);
	}
	/* Another process uses the socket, and one of its own. */
	pid = fork_or_die();
	if (!pid) {
		ask("parent's", s[0], 0);
		s[1] = nl(NL_ROUTE);
		ask("child's", s[1], 0);
		_exit(0);
	}
	say("child %s", reap(pid));
	close(s[0]);
}

static void *in_thread(void *arg)
{
	int s = nl(NL_ROUTE);

	say("thread: bind 0 %s", then(bind_to(s, 0, 0), s));
	close(s);
	s = nl(NL_ROUTE);
	ask("thread", s, 1);
	close(s);
	return arg;
}

static void odd(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct nladdr a = {AF_NETLINK, 0, 0, 0};
	static const int lens[] = {0, 1, 2, 8, 11, 12, 13, 16, 128, 129, -1, INT_MIN, INT_MAX};
	struct nlhdr h = {sizeof(h), 1, NLM_REQUEST | NLM_ACK, 5, 0};
	pthread_t t;
	int s;

	munmap(page + 4096, 4096);
	for (size_t i = 0; i < COUNT(lens); i++) {
		char buf[256] = {AF_NETLINK};

		s = nl(NL_ROUTE);
		say("length %d: bind %s", lens[i], then(SC(SYS_bind, s, buf, lens[i]), s));
		close(s);
		s = nl(NL_ROUTE);
		say("length %d: connect %s", lens[i], then(SC(SYS_connect, s, buf, lens[i]), s));
		say("length %d: sendto %s", lens[i],
		    rc(SC(SYS_sendto, s, &h, sizeof(h), 0, buf, lens[i])));
		close(s);
	}
	s = nl(NL_ROUTE);
	say("bind null %s wild %s edge %s", rc(SC(SYS_bind, s, NULL, 12)),
	    rc(SC(SYS_bind, s, WILD, 12)), rc(SC(SYS_bind, s, page + 4096 - 4, 12)));
	say("connect null %s wild %s", rc(SC(SYS_connect, s, NULL, 12)),
	    rc(SC(SYS_connect, s, WILD, 12)));
	say("sendto wild %s, wild data %s, edge %s", rc(SC(SYS_sendto, s, &h, 16, 0, WILD, 12)),
	    rc(SC(SYS_sendto, s, WILD, 16, 0, &a, 12)),
	    rc(SC(SYS_sendto, s, page + 4096 - 8, 16, 0, &a, 12)));
	say("sendto nothing %s, bytes %s", rc(SC(SYS_sendto, s, &h, 0, 0, &a, 12)),
	    rc(SC(SYS_sendto, s, "abc", 3, 0, &a, 12)));
	say("closed: bind %s connect %s sendto %s", rc(SC(SYS_bind, 999, &a, 12)),
	    rc(SC(SYS_connect, 999, &a, 12)), rc(SC(SYS_sendto, 999, &h, 16, 0, &a, 12)));
	say("no socket: bind %s connect %s sendto %s", rc(SC(SYS_bind, 0, &a, 12)),
	    rc(SC(SYS_connect, 0, &a, 12)), rc(SC(SYS_sendto, 0, &h, 16, 0, &a, 12)));
	close(s);
	s = nl(NL_ROUTE);
	say("junk above: bind %s", rc(SC(SYS_bind, HIGH(s), &a, HIGH(12))));
	say("junk above: sendto %s", rc(SC(SYS_sendto, HIGH(s), &h, 16, HIGH(0), &a, HIGH(12))));
	close(s);
	s = socket(AF_INET, SOCK_DGRAM, 0);
	say("inet: bind %s connect %s sendto %s", rc(SC(SYS_bind, s, &a, 12)),
	    rc(SC(SYS_connect, s, &a, 12)), rc(SC(SYS_sendto, s, &h, 16, 0, &a, 12)));
	close(s);
	for (int type = 0; type < 8; type++) {
		long r = SC(SYS_socket, HIGH(AF_NETLINK), HIGH(type), HIGH(NL_ROUTE));

		say("socket of type %d %s", type, r >= 0 ? "a descriptor" : rc(r));
		if (r >= 0)
			close((int)r);
	}
	s = (int)SC(SYS_socket, AF_NETLINK, SOCK_RAW, 32);
	say("protocol 32 %s, -1 %s", rc(s), rc(SC(SYS_socket, AF_NETLINK, SOCK_RAW, -1)));
	say("pair %s", rc(SC(SYS_socketpair, AF_NETLINK, SOCK_RAW, NL_ROUTE, (int[2]){0})));
	pthread_create(&t, NULL, in_thread, NULL);
	pthread_join(t, NULL);
}

/* --- credentials ------------------------------------------------------------------------------- */

static void show_sender(const char *what, int fd, uint32_t from)
{
	char text[256], control[128] __attribute__((aligned(8)));
	struct nladdr a = {0};
	struct iovec iov = {text, sizeof(text)};
	struct msghdr m = {.msg_name = &a,
			   .msg_namelen = sizeof(a),
			   .msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	long r = SC(SYS_recvmsg, fd, &m, MSG_DONTWAIT);
	struct ucred u = {-7, 0, 0};

	if (r >= 0)
		for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h))
			if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_CREDENTIALS)
				memcpy(&u, CMSG_DATA(h), sizeof(u));
	say("%s: %s pid %d from %s", what, r > 0 ? "some" : rc(r), u.pid,
	    a.pid == from ? "the port" : port_text(a.pid));
}

static long send_named(int fd, uint32_t to, pid_t pid)
{
	char control[32] __attribute__((aligned(8))) = {0};
	struct cmsghdr *h = (struct cmsghdr *)control;
	struct ucred u = {pid, getuid(), getgid()};
	struct nladdr a = {AF_NETLINK, 0, to, 0};
	struct iovec iov = {"0123456789abcdef", 16};
	struct msghdr m = {.msg_name = &a,
			   .msg_namelen = sizeof(a),
			   .msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};

	h->cmsg_len = CMSG_LEN(sizeof(u));
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_CREDENTIALS;
	memcpy(CMSG_DATA(h), &u, sizeof(u));
	return SC(SYS_sendmsg, fd, &m, 0);
}

static void creds(void)
{
	int r = nl(NL_USERSOCK), s, on = 1;
	struct nlhdr h = {16, 1, NLM_REQUEST | NLM_ACK, 5, 0};
	struct nladdr to = {AF_NETLINK, 0, 0, 0};
	pid_t pid;

	bind_to(r, 0, 0);
	to.pid = port(r);
	setsockopt(r, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	s = nl(NL_USERSOCK);
	say("to oneself %s", then(SC(SYS_sendto, s, "0123456789abcdef", 16, 0, &to, sizeof(to)), s));
	show_sender("to oneself", r, port(s));
	say("named %s, foreign %s", rc(send_named(s, to.pid, getpid())),
	    rc(send_named(s, to.pid, INT_MAX)));
	show_sender("named", r, port(s));
	pid = fork_or_die();
	if (!pid) {
		int c = nl(NL_USERSOCK);

		say("in a child %s", then(send_named(c, to.pid, getpid()), c));
		_exit(0);
	}
	say("child %s", reap(pid));
	show_sender("of a child", r, (uint32_t)pid);
	close(s);
	close(r);
	s = nl(NL_ROUTE);
	setsockopt(s, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	SC(SYS_sendto, s, &h, 16, 0, &kernel, sizeof(kernel));
	show_sender("of the kernel", s, 0);
	close(s);
}

/* --- attributes -------------------------------------------------------------------------------- */

struct msg {
	struct nlhdr h;
	char body[2000];
};

static void put_bytes(struct msg *m, const void *p, size_t n)
{
	memcpy((char *)m + m->h.len, p, n);
	m->h.len += (uint32_t)((n + 3) & ~3ul);
}

static size_t open_attr(struct msg *m, uint16_t type)
{
	size_t at = m->h.len;

	put_bytes(m, (uint16_t[]){4, type}, 4);
	return at;
}

static void close_attr(struct msg *m, size_t at)
{
	uint16_t n = (uint16_t)(m->h.len - at);

	memcpy((char *)m + at, &n, 2);
}

static void put_attr(struct msg *m, uint16_t type, const void *p, size_t n)
{
	size_t at = m->h.len;

	put_bytes(m, (uint16_t[]){(uint16_t)(n + 4), type}, 4);
	put_bytes(m, p, n);
	(void)at;
}

static struct msg request(uint16_t type, uint16_t flags, const void *head, size_t n)
{
	struct msg m = {.h = {sizeof(struct nlhdr), type, NLM_REQUEST | NLM_ACK | flags, 9, 0}};

	put_bytes(&m, head, n);
	return m;
}

/* Sends and gives the error of the answer; of an answer with data, 0. */
static long talk_by(struct msg *m, int how)
{
	struct iovec iov[3] = {{m, 10}, {(char *)m + 10, 20}, {(char *)m + 30, m->h.len - 30}};
	struct msghdr h = {
		.msg_name = &kernel, .msg_namelen = sizeof(kernel), .msg_iov = iov, .msg_iovlen = 3};
	struct {
		struct nlhdr h;
		int32_t error;
		char rest[4096];
	} reply = {0};
	int fd = nl(NL_ROUTE);
	long r;

	if (how)
		r = SC(SYS_sendmsg, fd, &h, 0);
	else
		r = SC(SYS_sendto, fd, m, m->h.len, 0, &kernel, sizeof(kernel));
	if (r < 0)
		say("not sent: %s", rc(r));
	r = SC(SYS_recvfrom, fd, &reply, sizeof(reply), MSG_DONTWAIT, NULL, NULL);
	close(fd);
	return r < 0 ? -EPIPE : reply.h.type == 2 ? reply.error : 0;
}

static long talk(struct msg *m)
{
	return talk_by(m, 0);
}

static long make_pair(const char *name, const char *peer, const pid_t *own, const pid_t *other)
{
	struct link l = {0};
	struct msg m = request(NEWLINK, NLM_CREATE, &l, sizeof(l));
	size_t info, data, end;

	put_attr(&m, A_IFNAME, name, strlen(name) + 1);
	if (own)
		put_attr(&m, A_NS_PID, own, 4);
	info = open_attr(&m, A_LINKINFO);
	put_attr(&m, INFO_KIND, "veth", 4);
	data = open_attr(&m, INFO_DATA);
	end = open_attr(&m, INFO_PEER);
	put_bytes(&m, &l, sizeof(l));
	put_attr(&m, A_IFNAME, peer, strlen(peer) + 1);
	if (other)
		put_attr(&m, A_NS_PID, other, 4);
	close_attr(&m, end);
	close_attr(&m, data);
	close_attr(&m, info);
	return talk(&m);
}

static long move(uint16_t type, const char *name, pid_t pid, int how)
{
	struct link l = {.index = (int)if_nametoindex(name)};
	struct msg m = request(type, 0, &l, sizeof(l));

	put_attr(&m, A_NS_PID, &pid, 4);
	return talk_by(&m, how);
}

static long nsid(uint16_t type, pid_t pid, int id)
{
	struct msg m = request(type, 0, "\0\0\0", 4);

	put_attr(&m, NSA_PID, &pid, 4);
	if (type == NEWNSID)
		put_attr(&m, NSA_NSID, &id, 4);
	return talk(&m);
}

static const char *have(const char *name)
{
	return if_nametoindex(name) ? "here" : "not here";
}

static void attributes(void)
{
	static const int nobody[] = {0, -1, INT_MIN, INT_MAX, 999, 4194304};
	struct gate go = gate_new(), done = gate_new();
	struct msg many, one;
	pid_t pid = fork_or_die(), zombie;
	long r;

	if (!pid) {
		if (unshare(CLONE_NEWNET))
			die("unshare: %s", err(errno));
		for (int i = 0; i < 4; i++) {
			gate_open(done);
			gate_pass(go);
			say("child: a %s b %s c %s d %s", have("a"), have("b"), have("c"), have("d"));
		}
		gate_open(done);
		for (;;)
			pause();
	}
	gate_pass(done);
	r = make_pair("a", "b", NULL, NULL);
	say("pair %s", rc(r));
	r = move(SETLINK, "a", pid, 0);
	say("move to a child %s: a %s", rc(r), have("a"));
	gate_open(go);
	gate_pass(done);
	r = move(NEWLINK, "b", pid, 1);
	say("move by newlink and vectors %s: b %s", rc(r), have("b"));
	gate_open(go);
	gate_pass(done);
	r = make_pair("c", "d", NULL, &pid);
	say("pair over there %s, c %s d %s", rc(r), have("c"), have("d"));
	gate_open(go);
	gate_pass(done);
	r = make_pair("e", "f", &pid, NULL);
	say("pair with its own end there %s, e %s f %s", rc(r), have("e"), have("f"));
	gate_open(go);
	gate_pass(done);
	for (size_t i = 0; i < COUNT(nobody); i++)
		say("to %d: %s, nsid %s, get %s", nobody[i], rc(move(SETLINK, "lo", nobody[i], 0)),
		    rc(nsid(NEWNSID, nobody[i], 7)), rc(nsid(GETNSID, nobody[i], 0)));
	say("to oneself %s", rc(move(SETLINK, "c", getpid(), 0)));
	say("nsid %s", rc(nsid(NEWNSID, pid, 7)));
	say("get %s", rc(nsid(GETNSID, pid, 0)));
	say("again %s", rc(nsid(NEWNSID, pid, 7)));
	say("newlink without a pid %s", rc(make_pair("g", "h", NULL, NULL)));
	say("getlink %s, dellink %s", rc(move(GETLINK, "g", pid, 0)), rc(move(DELLINK, "h", pid, 0)));
	zombie = fork_or_die();
	if (!zombie)
		_exit(0);
	await_zombie(zombie);
	say("to a zombie %s", rc(move(SETLINK, "c", zombie, 0)));
	reap(zombie);
	say("to a dead one %s", rc(move(SETLINK, "c", zombie, 0)));
	/* Several messages in one. */
	many = request(NEWNSID, 0, "\0\0\0", 4);
	put_attr(&many, NSA_PID, &(int){999}, 4);
	put_attr(&many, NSA_NSID, &(int){9}, 4);
	one = many;
	many.h.type = GETNSID;
	memcpy((char *)&many + many.h.len, &one, one.h.len);
	memcpy((char *)&many + many.h.len + 24, &pid, 4);
	{
		int fd = nl(NL_ROUTE);
		char reply[4096];
		long n;

		say("two messages %s",
		    rc(SC(SYS_sendto, fd, &many, many.h.len + one.h.len, 0, &kernel, 12)));
		while ((n = SC(SYS_recvfrom, fd, reply, sizeof(reply), MSG_DONTWAIT, NULL, NULL)) > 0)
			say("answer %d %d", ((struct nlhdr *)reply)->type, ((int *)reply)[4]);
		close(fd);
	}
	end(pid);
}

/* What the first round has made goes away with its namespaces, some time. */
static void attributes_again(void)
{
	if (unshare(CLONE_NEWNET))
		die("unshare: %s", err(errno));
	attributes();
}

/* --- generic families, and numbers that nobody converts ------------------------------------------ */

/* Sends m to a protocol and reads one answer; its length, or the error it carries. */
static long exchange(int protocol, struct msg *m, char *answer, size_t room)
{
	int fd = nl(protocol);
	long r = SC(SYS_sendto, fd, m, m->h.len, 0, &kernel, sizeof(kernel));
	int e;

	if (r >= 0)
		r = SC(SYS_recvfrom, fd, answer, room, MSG_DONTWAIT, NULL, NULL);
	close(fd);
	memcpy(&e, answer + 16, sizeof(e));
	return r > 0 && ((struct nlhdr *)answer)->type == 2 && e ? e : r;
}

static size_t find(const char *answer, size_t len, size_t at, uint16_t type)
{
	while (at + 4 <= len) {
		uint16_t h[2];

		memcpy(h, answer + at, 4);
		if ((h[1] & 0x3fff) == type)
			return at + 4;
		if (h[0] < 4)
			break;
		at += (h[0] + 3u) & ~3u;
	}
	return 0;
}

static void families(void)
{
	static const struct {
		const char *name;
		uint8_t cmd;
		uint16_t attr;
	} kinds[] = {{"nl80211", 49, 82}, {"nl802154", 20, 28}, {"devlink", 37, 139}, {"netdev", 11, 0}};
	static char answer[16384];

	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct msg m = request(16, 0, (uint8_t[]){3, 1, 0, 0}, 4);
		uint16_t id;
		size_t at;
		long r;

		put_attr(&m, 2, kinds[i].name, strlen(kinds[i].name) + 1);
		r = exchange(NL_GENERIC, &m, answer, sizeof(answer));
		at = r > 0 ? find(answer, (size_t)r, 20, 1) : 0;
		if (!at) {
			say("%s: no such family, %s", kinds[i].name, rc(r));
			continue;
		}
		memcpy(&id, answer + at, 2);
		m = request(id, kinds[i].attr ? 0 : NLM_DUMP, (uint8_t[]){kinds[i].cmd, 1, 0, 0}, 4);
		if (kinds[i].attr)
			put_attr(&m, kinds[i].attr, &(int){999}, 4);
		r = exchange(NL_GENERIC, &m, answer, sizeof(answer));
		say("%s: %s", kinds[i].name, r >= 0 ? "answered" : rc(r));
	}
}

static void untouched(void)
{
	static char answer[16384];
	struct msg m = request((uint16_t)(10 << 8 | 16), 0, (uint8_t[]){0, 0, 0, 0}, 4);
	struct nladdr group = {AF_NETLINK, 0, 0, 1};
	int a = nl(NL_ROUTE), fd;
	unsigned int mine = 0, other = 0;
	uint32_t pid = 0;
	size_t at;
	long r = exchange(12, &m, answer, sizeof(answer));

	/* nf_tables: who made the last change. */
	at = r > 0 ? find(answer, (size_t)r, 20, 2) : 0;
	if (at)
		memcpy(&pid, answer + at, 4);
	say("generation %s by %s", r >= 0 ? "answered" : rc(r),
	    !at				       ? "nobody"
	    : ntohl(pid) == (uint32_t)getpid() ? "me"
					       : "some number");
	/* The ports of netlink sockets as netlink itself lists them. */
	bind_to(a, 4000, 0);
	fd = nl(4);
	bind_to(fd, 0, 0);
	{
		uint8_t body[20] = {AF_NETLINK, 255};

		m = request(20, NLM_DUMP, body, sizeof(body));
	}
	SC(SYS_sendto, fd, &m, m.h.len, 0, &kernel, sizeof(kernel));
	while ((r = SC(SYS_recvfrom, fd, answer, sizeof(answer), MSG_DONTWAIT, NULL, NULL)) > 0)
		for (char *p = answer; p < answer + r; p += (((struct nlhdr *)p)->len + 3) & ~3u) {
			if (((struct nlhdr *)p)->type != 20)
				break;
			/* struct netlink_diag_msg: family, type, protocol, state, portid */
			memcpy(&pid, p + 20, 4);
			mine += pid == (uint32_t)getpid();
			other += pid == 4000;
		}
	say("listed: %u with my number, %u with 4000", mine, other);
	close(fd);
	close(a);
	fd = nl(15);
	say("uevents %s", rc(SC(SYS_bind, fd, &group, sizeof(group))));
	close(fd);
}

int main(void)
{
	uid_t uid = getuid();
	gid_t gid = getgid();
	int r = unshare(CLONE_NEWUSER | CLONE_NEWNET);
	char map[64];
	int fd;

	say("namespaces %s", rc(r ? -(long)errno : 0));
	if (r)
		return 0;
	fd = open("/proc/self/setgroups", O_WRONLY);
	if (write(fd, "deny", 4) != 4)
		say("setgroups: %s", err(errno));
	close(fd);
	fd = open("/proc/self/uid_map", O_WRONLY);
	snprintf(map, sizeof(map), "0 %d 1", (int)uid);
	if (write(fd, map, strlen(map)) < 0)
		say("uid_map: %s", err(errno));
	close(fd);
	fd = open("/proc/self/gid_map", O_WRONLY);
	snprintf(map, sizeof(map), "0 %d 1", (int)gid);
	if (write(fd, map, strlen(map)) < 0)
		say("gid_map: %s", err(errno));
	close(fd);
	ports();
	odd();
	creds();
	in_child("creds in a child", creds);
	attributes();
	in_child("attributes in a child", attributes_again);
	families();
	untouched();
	return 0;
}
