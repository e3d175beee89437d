/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Netlink: port ids of sockets that are bound, connected or just used, and credentials over netlink.
 */
#include "netlink.h"

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

int main(void)
{
	if (own_namespaces())
		return 0;
	ports();
	odd();
	creds();
	in_child("creds in a child", creds);
	return 0;
}
