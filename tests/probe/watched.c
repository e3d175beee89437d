/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors that carry numbers, in many places: many of them, at far numbers, received over a socket
 * and from another process, read after the program was executed again and again; and other files under numbers
 * that were theirs.
 */
#include "probe.h"

#include <sys/socket.h>
#include <sys/uio.h>

#ifndef SYS_signalfd4
#define SYS_signalfd4 289
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

struct ssi {
	uint32_t signo;
	int32_t err, code;
	uint32_t pid;
	uint8_t rest[112];
};

static int make(int flags)
{
	uint64_t bits = BIT(SIGUSR1);

	return (int)SC(SYS_signalfd4, -1, &bits, 8, flags);
}

static void take(const char *what, int fd)
{
	struct ssi s;
	long r;

	memset(&s, 0, sizeof(s));
	r = SC(SYS_read, fd, &s, sizeof(s));
	say("%s = %s signal %u pid %u", what, rc(r), s.signo, s.pid);
}

static void many(void)
{
	int fds[60], zero = open("/dev/zero", O_RDONLY);
	char c[4];

	for (size_t i = 0; i < COUNT(fds); i++) {
		fds[i] = make(0);
		if (i % 3 == 2)
			SC(SYS_dup, zero);
	}
	for (size_t i = 0; i < COUNT(fds); i++) {
		kill(getpid(), SIGUSR1);
		if (i % 7 == 0)
			take("one of many", fds[i]);
		else
			take("another", fds[COUNT(fds) - 1 - i]);
	}
	for (int fd = zero; fd < 90; fd++)
		if (SC(SYS_read, fd, c, 0) == 0 && SC(SYS_read, fd, c, 4) != 4)
			say("zero at %d", fd);
	for (int fd = zero; fd < 90; fd++)
		SC(SYS_close, fd);
	/* Numbers that go round. */
	for (int i = 0; i < 300; i++) {
		int fd = make(0), far = (int)SC(SYS_fcntl, fd, F_DUPFD, 10 + i * 3);

		if (i % 50 == 0) {
			kill(getpid(), SIGUSR1);
			take("going round", far);
		}
		SC(SYS_close, fd);
		SC(SYS_close, far);
	}
}

static void send_fd(int sock, int fd)
{
	char data = 'x';
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u;
	struct iovec v = {&data, 1};
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = u.buf, .msg_controllen = sizeof(u.buf)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	if (sendmsg(sock, &m, 0) != 1)
		die("sendmsg");
}

static int receive_fd(int sock)
{
	char data;
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u;
	struct iovec v = {&data, 1};
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = u.buf, .msg_controllen = sizeof(u.buf)};
	int fd = -1;

	if (recvmsg(sock, &m, 0) != 1)
		die("recvmsg");
	if (CMSG_FIRSTHDR(&m))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	return fd;
}

/* A signalfd shows whoever reads it his own signals. */
static void received(void)
{
	int ends[2], fd;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends))
		die("socketpair");
	child = fork_or_die();
	if (!child) {
		close(ends[0]);
		/* Made after the fork, under a number of the child's own. */
		SC(SYS_fcntl, 1, F_DUPFD, 5);
		fd = receive_fd(ends[1]);
		kill(getpid(), SIGUSR1);
		take("received", fd);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	fd = make(0);
	send_fd(ends[0], fd);
	take("sender's own", fd);
	say("child %s", reap(child));
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

static void fetched(void)
{
	struct gate up = gate_new(), down = gate_new();
	pid_t child = fork_or_die();
	long pidfd, fd;

	if (!child) {
		SC(SYS_dup2, make(0), 200);
		gate_open(up);
		gate_pass(down);
		_exit(0);
	}
	gate_pass(up);
	pidfd = SC(SYS_pidfd_open, child, 0);
	fd = SC(SYS_pidfd_getfd, pidfd, 200, 0);
	if (fd < 0) {
		say("pidfd_getfd %s", rc(fd));
	} else {
		kill(getpid(), SIGUSR1);
		take("fetched", (int)fd);
		SC(SYS_close, fd);
	}
	gate_open(down);
	say("child %s", reap(child));
	SC(SYS_close, pidfd);
}

/* Each image makes a signalfd of its own under the same number: filters must not pile up. */
static void again(char **argv, int left)
{
	char count[16];
	int fd = make(O_CLOEXEC);

	if (left % 50 == 0) {
		kill(getpid(), SIGUSR1);
		take("executed again", fd);
	}
	if (!left)
		exit(0);
	snprintf(count, sizeof(count), "%d", left - 1);
	execl("/proc/self/exe", argv[0], count, (char *)NULL);
	die("exec");
}

int main(int argc, char **argv)
{
	pid_t child;

	set_raw_mask(BIT(SIGUSR1));
	if (argc > 1)
		again(argv, atoi(argv[1]));
	received();
	fetched();
	child = fork_or_die();
	if (!child)
		again(argv, 100);
	say("again %s", reap(child));
	many();
	return 0;
}
