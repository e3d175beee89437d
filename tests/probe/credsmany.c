/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCM_CREDENTIALS in sendmmsg and recvmmsg: many messages, some with credentials and some without, foreign ones
 * in the middle, full queues, bad pointers in the middle, time-outs, and signals while they wait.
 */
#include "probe.h"
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#define MAX 1100

struct slot {
	char control[64] __attribute__((aligned(8)));
	char text[8];
	struct iovec iov;
};
static struct slot *slots;
static struct mmsghdr *msgs;

static struct mmsghdr *fresh(int n)
{
	for (int i = 0; i < n; i++) {
		memset(slots[i].control, 0, 64);
		memset(slots[i].text, 0, 8);
		slots[i].iov = (struct iovec){slots[i].text, 8};
		msgs[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &slots[i].iov, .msg_iovlen = 1}};
		msgs[i].msg_len = 77;
	}
	return msgs;
}

static void name(int i, pid_t pid)
{
	struct cmsghdr *h = (struct cmsghdr *)slots[i].control;
	struct ucred u = {pid, getuid(), getgid()};

	h->cmsg_len = CMSG_LEN(sizeof(u));
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_CREDENTIALS;
	memcpy(CMSG_DATA(h), &u, sizeof(u));
	msgs[i].msg_hdr.msg_control = h;
	msgs[i].msg_hdr.msg_controllen = CMSG_SPACE(sizeof(u));
}

static void room(int n)
{
	fresh(n);
	for (int i = 0; i < n; i++) {
		msgs[i].msg_hdr.msg_control = slots[i].control;
		msgs[i].msg_hdr.msg_controllen = 64;
	}
}

/* How many of n messages carry what: lengths, and numbers in order of their first appearance. */
static void show(const char *what, long r, int n)
{
	char line[256];
	size_t at = 0;
	int run = 0, last = -1;

	at = (size_t)snprintf(line, sizeof(line), "%s: %s:", what, rc(r));
	for (int i = 0; i <= n && at < sizeof(line) - 40; i++) {
		int is = -1;

		if (i < n) {
			const struct cmsghdr *h = (struct cmsghdr *)slots[i].control;

			is = (int)msgs[i].msg_len * 10000;
			if (i < r && msgs[i].msg_hdr.msg_control == h &&
			    msgs[i].msg_hdr.msg_controllen >= 28)
				is += ((struct ucred *)CMSG_DATA(h))->pid;
		}
		if (i && is != last) {
			at += (size_t)snprintf(line + at, sizeof(line) - at, " %dx%d/%d", run,
					       last / 10000, last % 10000);
			run = 0;
		}
		last = is;
		run++;
	}
	say("%s", line);
}

static int sv[2];

static void pair(int type, int buffer)
{
	int on = 1;

	if (socketpair(AF_UNIX, type, 0, sv))
		die("socketpair: %s", err(errno));
	setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	setsockopt(sv[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
}

static void part(void)
{
	close(sv[0]);
	close(sv[1]);
}

static long drain(void)
{
	char c[64];
	long n = 0;

	while (SC(SYS_recvfrom, sv[1], c, sizeof(c), MSG_DONTWAIT, NULL, NULL) > 0)
		n++;
	return n;
}

static long drain_bytes(void)
{
	char c[64];
	long r, n = 0;

	while ((r = SC(SYS_recvfrom, sv[1], c, sizeof(c), MSG_DONTWAIT, NULL, NULL)) > 0)
		n += r;
	return n;
}

static void stream_many(int n)
{
	char text[64];
	long r;

	pair(SOCK_STREAM, 4000000);
	fresh(n);
	for (int i = 0; i < n; i++)
		name(i, getpid());
	r = SC(SYS_sendmmsg, sv[0], msgs, n, 0);
	snprintf(text, sizeof(text), "send %d", n);
	show(text, r, n < MAX ? n : MAX);
	room(n);
	r = SC(SYS_recvmmsg, sv[1], msgs, n, MSG_DONTWAIT, NULL);
	show("received", r, 300 < n ? 300 : n);
	part();
}

static void mixed(void)
{
	pid_t pid;

	pair(SOCK_STREAM, 1000000);
	fresh(90);
	for (int i = 0; i < 90; i += 1 + i % 3)
		name(i, getpid());
	show("mixed", SC(SYS_sendmmsg, sv[0], msgs, 90, 0), 90);
	say("drained %ld", drain() > 0);
	for (int at = 0; at < 80; at += at < 2 ? 1 : 39) {
		fresh(80);
		for (int i = 0; i < 80; i++)
			name(i, i == at ? 77 : getpid());
		show("foreign inside", SC(SYS_sendmmsg, sv[0], msgs, 80, 0), 80);
		drain();
		fresh(80);
		name(79, getpid());
		msgs[at].msg_hdr.msg_iov = WILD;
		show("vectors wild inside", SC(SYS_sendmmsg, sv[0], msgs, 80, 0), 80);
		drain();
		fresh(80);
		name(79, getpid());
		name(0, getpid());
		msgs[at].msg_hdr.msg_control = WILD;
		msgs[at].msg_hdr.msg_controllen = 32;
		show("control wild inside", SC(SYS_sendmmsg, sv[0], msgs, 80, 0), 80);
		drain();
	}
	/* From two processes: numbers of either. */
	part();
	pair(SOCK_DGRAM, 1000000);
	SC(SYS_write, sv[0], "a", 1);
	pid = fork_or_die();
	if (!pid) {
		fresh(2);
		name(1, getpid());
		show("in a child", SC(SYS_sendmmsg, sv[0], msgs, 2, 0), 2);
		_exit(0);
	}
	reap(pid);
	SC(SYS_write, sv[0], "ab", 2);
	room(9);
	msgs[1].msg_hdr.msg_control = NULL;
	msgs[2].msg_hdr.msg_controllen = 20;
	show("of both", SC(SYS_recvmmsg, sv[1], msgs, 9, MSG_DONTWAIT, NULL), 4);
	part();
}

static void edges(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mmsghdr *at = (struct mmsghdr *)(page + 4096) - 3;

	munmap(page + 4096, 4096);
	pair(SOCK_DGRAM, 1000000);
	fresh(5);
	for (int i = 0; i < 5; i++)
		name(i, getpid());
	memcpy(at, msgs, 3 * sizeof(*msgs));
	say("send up to an edge %s", rc(SC(SYS_sendmmsg, sv[0], at, 5, 0)));
	room(5);
	memcpy(at, msgs, 3 * sizeof(*msgs));
	say("receive up to an edge %s", rc(SC(SYS_recvmmsg, sv[1], at, 5, MSG_DONTWAIT, NULL)));
	say("drained %ld", drain());
	fresh(3);
	for (int i = 0; i < 3; i++)
		name(i, getpid());
	memcpy(at, msgs, 3 * sizeof(*msgs));
	mprotect(page, 4096, PROT_READ);
	say("send read-only headers %s", rc(SC(SYS_sendmmsg, sv[0], at, 3, 0)));
	say("drained %ld", drain());
	say("null %s wild %s none %s", rc(SC(SYS_sendmmsg, sv[0], NULL, 2, 0)),
	    rc(SC(SYS_sendmmsg, sv[0], WILD, 2, 0)), rc(SC(SYS_sendmmsg, sv[0], WILD, 0, 0)));
	say("receive null %s wild %s none %s",
	    rc(SC(SYS_recvmmsg, sv[0], NULL, 2, MSG_DONTWAIT, NULL)),
	    rc(SC(SYS_recvmmsg, sv[0], WILD, 2, MSG_DONTWAIT, NULL)),
	    rc(SC(SYS_recvmmsg, sv[0], WILD, 0, MSG_DONTWAIT, NULL)));
	say("bad descriptor %s %s, not a socket %s %s", rc(SC(SYS_sendmmsg, 999, msgs, 2, 0)),
	    rc(SC(SYS_recvmmsg, 999, msgs, 2, 0, NULL)), rc(SC(SYS_sendmmsg, 0, msgs, 2, 0)),
	    rc(SC(SYS_recvmmsg, 0, msgs, 2, 0, NULL)));
	munmap(page, 4096);
	part();
}

/* A queue that is full: what fits is counted, the rest is not sent. */
static void full(void)
{
	long fit = 0, r;

	pair(SOCK_DGRAM, 60000);
	while (SC(SYS_sendto, sv[0], "x", 1, MSG_DONTWAIT, NULL, 0) == 1)
		fit++;
	say("it fits some %d", fit > 0);
	drain();
	fresh((int)fit + 5);
	for (long i = 0; i < fit + 5; i++)
		name((int)i, getpid());
	r = SC(SYS_sendmmsg, sv[0], msgs, fit + 5, MSG_DONTWAIT);
	say("full after what fits %s, again %s", r == fit ? "yes" : rc(r),
	    rc(SC(SYS_sendmmsg, sv[0], msgs, 3, MSG_DONTWAIT)));
	say("what fits is there %s", drain() == fit ? "yes" : "no");
	part();
}

static void timeouts(void)
{
	struct timespec t = {0, 20000000};

	pair(SOCK_DGRAM, 1000000);
	SC(SYS_write, sv[0], "a", 1);
	SC(SYS_write, sv[0], "ab", 2);
	room(5);
	show("wait for one", SC(SYS_recvmmsg, sv[1], msgs, 5, MSG_WAITFORONE, NULL), 3);
	room(5);
	show("nothing there", SC(SYS_recvmmsg, sv[1], msgs, 5, MSG_WAITFORONE | MSG_DONTWAIT, NULL), 1);
	SC(SYS_write, sv[0], "a", 1);
	t = (struct timespec){0, 0};
	room(5);
	show("no time", SC(SYS_recvmmsg, sv[1], msgs, 5, MSG_WAITFORONE, &t), 1);
	t = (struct timespec){0, 1000000000};
	say("bad time %s, wild %s", rc(SC(SYS_recvmmsg, sv[1], msgs, 5, MSG_DONTWAIT, &t)),
	    rc(SC(SYS_recvmmsg, sv[1], msgs, 5, MSG_DONTWAIT, WILD)));
	part();
}

/* Each message to an address of its own, also by a name on procfs. */
static void addressed(void)
{
	static const char *const names[] = {"one", "/proc/self/cwd/two", "/proc/1/cwd/one",
					    "two", "/proc/999/cwd/one",	 "one"};
	struct sockaddr_un to[6];
	int one = socket(AF_UNIX, SOCK_DGRAM, 0), two = socket(AF_UNIX, SOCK_DGRAM, 0);
	int s = socket(AF_UNIX, SOCK_DGRAM, 0), on = 1;

	for (int i = 0; i < 6; i++) {
		memset(&to[i], 0, sizeof(to[i]));
		to[i].sun_family = AF_UNIX;
		strcpy(to[i].sun_path, names[i]);
	}
	setsockopt(one, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	setsockopt(two, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	say("bind %s %s", lrc(bind(one, (struct sockaddr *)&to[0], sizeof(to[0]))),
	    lrc(bind(two, (struct sockaddr *)&to[3], sizeof(to[3]))));
	for (int skip = 0; skip < 6; skip += 3) {
		fresh(6);
		for (int i = 0; i < 6; i++) {
			msgs[i].msg_hdr.msg_name = &to[i];
			msgs[i].msg_hdr.msg_namelen = sizeof(to[i]);
			if (i % 2)
				name(i, getpid());
		}
		show("addressed", SC(SYS_sendmmsg, s, msgs + skip, 6 - skip, 0), 6);
		say("one message %s", rc(SC(SYS_sendmsg, s, &msgs[skip].msg_hdr, 0)));
		say("sendto %s", rc(SC(SYS_sendto, s, "12345678", 8, 0, &to[skip + 1], sizeof(to[0]))));
		room(9);
		show("at one", SC(SYS_recvmmsg, one, msgs, 9, MSG_DONTWAIT, NULL), 9);
		room(9);
		show("at two", SC(SYS_recvmmsg, two, msgs, 9, MSG_DONTWAIT, NULL), 9);
	}
	unlink("one");
	unlink("two");
	close(one);
	close(two);
	close(s);
}

static struct gate waiting;
static volatile int handled;

static void handler(int sig)
{
	handled++;
	if (sig == SIGUSR2)
		SC(SYS_write, sv[0], "late", 4);
}

static const char *one(int flags)
{
	char text[8], control[64] __attribute__((aligned(8))) = {0};
	struct iovec iov = {text, 8};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = 64};
	long r = SC(SYS_recvmsg, sv[1], &m, flags);
	char *s = scratch();

	if (r < 0)
		return rc(r);
	snprintf(s, 160, "%ld from %d", r,
		 m.msg_controllen ? ((struct ucred *)CMSG_DATA((struct cmsghdr *)control))->pid : -1);
	return s;
}

/* A child that waits in recvmsg is signalled when it sleeps; it shows with and without SA_RESTART. */
static void interrupted(int sa_flags, int sig, int many)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = sa_flags};
	char path[64];
	pid_t pid;

	pair(SOCK_DGRAM, 1000000);
	waiting = gate_new();
	sigaction(sig, &act, NULL);
	pid = fork_or_die();
	if (!pid) {
		gate_open(waiting);
		if (many) {
			long r;

			room(3);
			r = SC(SYS_recvmmsg, sv[1], msgs, 3, many == 2 ? MSG_WAITFORONE : 0, NULL);
			show("interrupted many", r, 3);
		} else {
			const char *got = one(0);

			say("interrupted: %s handled %d", got, handled);
		}
		_exit(0);
	}
	gate_pass(waiting);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	await_state(path, 'S');
	if (many) {
		SC(SYS_write, sv[0], "a", 1);
		usleep(20000);
	}
	kill(pid, sig);
	usleep(20000);
	if (sa_flags & SA_RESTART)
		SC(SYS_write, sv[0], "late", 4);
	say("child %s", reap(pid));
	drain();
	part();
}

/* A sender that waits for room is signalled: what was sent is counted. */
static void interrupted_sender(int type, int first)
{
	struct sigaction act = {.sa_handler = handler};
	char path[64];
	pid_t pid;
	long fit = 0, n;

	pair(type, type == SOCK_STREAM ? 100000 : 60000);
	while (SC(SYS_sendto, sv[0], "12345678", 8, MSG_DONTWAIT, NULL, 0) == 8)
		fit++;
	drain_bytes();
	if (fit + 5 > MAX || (type == SOCK_STREAM && fit < 100))
		die("%ld messages fit", fit);
	waiting = gate_new();
	sigaction(SIGUSR1, &act, NULL);
	for (long i = 0; i < first; i++)
		SC(SYS_write, sv[0], "12345678", 8);
	pid = fork_or_die();
	if (!pid) {
		long r;

		fresh((int)fit + 5);
		for (long i = 0; i < fit + 5; i++)
			name((int)i, getpid());
		gate_open(waiting);
		r = SC(SYS_sendmmsg, sv[0], msgs, fit + 5, 0);
		say("interrupted sender: %s, the first length %u",
		    r == fit - first ? "what fits" : rc(r), msgs[0].msg_len);
		_exit(0);
	}
	gate_pass(waiting);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	await_state(path, 'S');
	usleep(30000);
	kill(pid, SIGUSR1);
	say("child %s", reap(pid));
	n = drain_bytes();
	say("all there %s", n == fit * 8 ? "yes" : "no");
	part();
}

static void signals(void)
{
	interrupted(0, SIGUSR1, 0);
	interrupted(SA_RESTART, SIGUSR1, 0);
	interrupted(SA_RESTART, SIGUSR2, 0);
	interrupted(0, SIGUSR1, 1);
	interrupted(SA_RESTART, SIGUSR2, 2);
	interrupted_sender(SOCK_DGRAM, 0);
	interrupted_sender(SOCK_DGRAM, 3);
	interrupted_sender(SOCK_STREAM, 0);
	interrupted_sender(SOCK_STREAM, 70);
}

int main(void)
{
	slots = calloc(MAX, sizeof(*slots));
	msgs = calloc(MAX, sizeof(*msgs));
	stream_many(1);
	stream_many(31);
	stream_many(33);
	stream_many(100);
	stream_many(200);
	mixed();
	edges();
	full();
	timeouts();
	addressed();
	signals();
	return 0;
}
