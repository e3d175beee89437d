/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Netlink: messages that name a process whose network namespace is meant, and answers with numbers that nobody
 * converts.
 */
#include "netlink.h"

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
	if (own_namespaces())
		return 0;
	attributes();
	in_child("attributes in a child", attributes_again);
	families();
	untouched();
	return 0;
}
