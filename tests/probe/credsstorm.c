/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages with credentials while signals rain: none is lost or doubled, and every number is right, whichever instruction
 * a signal finds.
 */
#include "probe.h"
#include <sys/socket.h>
#include <sys/uio.h>

#define MESSAGES 3000
#define BATCH 40

static volatile sig_atomic_t rained;

/* Makes calls of its own that use what an interrupted one was using. */
static void handler(int sig)
{
	static char control[64] __attribute__((aligned(8)));
	static char text[8];
	struct iovec iov = {text, 8};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = 64};

	(void)sig;
	SC(SYS_recvmsg, 99, &m, MSG_DONTWAIT);
	SC(SYS_getpid);
	rained++;
}

static void rain(int on)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART};
	struct itimerval t = {{0, on ? 70 : 0}, {0, on ? 70 : 0}};

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
}

static struct slot {
	char control[64] __attribute__((aligned(8)));
	uint32_t number;
	struct iovec iov;
} slots[BATCH];
static struct mmsghdr msgs[BATCH];

static void prepare(uint32_t first, pid_t name)
{
	for (uint32_t i = 0; i < BATCH; i++) {
		struct cmsghdr *h = (struct cmsghdr *)slots[i].control;
		struct ucred u = {name, getuid(), getgid()};

		slots[i].number = first + i;
		slots[i].iov = (struct iovec){&slots[i].number, 4};
		memset(slots[i].control, 0, 64);
		msgs[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &slots[i].iov,
						       .msg_iovlen = 1,
						       .msg_control = slots[i].control,
						       .msg_controllen = name ? 32 : 64}};
		if (!name)
			continue;
		h->cmsg_len = CMSG_LEN(sizeof(u));
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_CREDENTIALS;
		memcpy(CMSG_DATA(h), &u, sizeof(u));
	}
}

/* One at a time, or as many as there are. */
static void send_all(int fd, int many)
{
	pid_t me = getpid();

	for (uint32_t sent = 0; sent < MESSAGES;) {
		uint32_t left = MESSAGES - sent;
		long r;

		prepare(sent, me);
		if (many)
			r = SC(SYS_sendmmsg, fd, msgs, left < BATCH ? left : BATCH, 0);
		else
			r = SC(SYS_sendmsg, fd, &msgs[0].msg_hdr, 0) == 4 ? 1 : -1;
		if (r <= 0)
			die("send: %s", rc(r));
		sent += (uint32_t)r;
	}
}

static void receive_all(const char *what, int fd, int many, pid_t from)
{
	uint32_t next = 0, wrong = 0, order = 0;

	while (next < MESSAGES) {
		long r;

		prepare(0, 0);
		if (many)
			r = SC(SYS_recvmmsg, fd, msgs, BATCH, MSG_WAITFORONE, NULL);
		else
			r = SC(SYS_recvmsg, fd, &msgs[0].msg_hdr, 0) == 4 ? 1 : -1;
		if (r <= 0)
			die("receive: %s", rc(r));
		for (long i = 0; i < r; i++) {
			const struct ucred *u =
				(struct ucred *)CMSG_DATA((struct cmsghdr *)slots[i].control);

			wrong += msgs[i].msg_hdr.msg_controllen != 32 || u->pid != from;
			order += slots[i].number != next++;
		}
	}
	say("%s: %d messages, %u wrong, %u out of order", what, MESSAGES, wrong, order);
}

static void storm(const char *what, int send_many, int receive_many)
{
	int sv[2], on = 1;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv))
		die("socketpair: %s", err(errno));
	setsockopt(sv[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	pid = fork_or_die();
	if (!pid) {
		rain(1);
		send_all(sv[0], send_many);
		rain(0);
		_exit(rained > 5 ? 0 : 3);
	}
	rained = 0;
	rain(1);
	receive_all(what, sv[1], receive_many, pid);
	rain(0);
	say("rained on the receiver %s, sender %s", rained > 5 ? "yes" : "no", reap(pid));
	close(sv[0]);
	close(sv[1]);
}

/* The peer's number, asked for in the rain. */
static void peers(void)
{
	int sv[2], wrong = 0;

	socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
	rain(1);
	for (int i = 0; i < 5000; i++) {
		struct ucred u = {0};
		socklen_t n = sizeof(u);

		wrong += SC(SYS_getsockopt, sv[0], SOL_SOCKET, SO_PEERCRED, &u, &n) ||
			 u.pid != getpid() || n != 12;
	}
	rain(0);
	say("peers: %d wrong", wrong);
}

int main(void)
{
	storm("one by one", 0, 0);
	storm("many sent", 1, 0);
	storm("many received", 0, 1);
	storm("many both ways", 1, 1);
	peers();
	return 0;
}
