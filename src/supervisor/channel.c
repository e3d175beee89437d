/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serving the channel. A client is believed for what the kernel says about its connection and for
 * nothing else; it gets what every member has anyway. One request, one reply, then the connection is
 * closed; when too many are open the oldest goes.
 */
#include "supervisor/channel.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/pid.h"
#include "resident/handover.h"
#include "supervisor/procs.h"
#include "supervisor/util.h"

#define BACKLOG 64

int sv_channel_open(struct sv_channel *c, const struct sv_boot *b, struct sv_fail *fail)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + b->seg->sock_len);

	c->boot = b;
	c->n = 0;
	/* Abstract: the first byte of the path is a NUL. */
	memcpy(addr.sun_path + 1, b->seg->sock_name, b->seg->sock_len);
	c->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->listener < 0 || bind(c->listener, (struct sockaddr *)&addr, len) < 0 ||
	    listen(c->listener, BACKLOG) < 0)
		return sv_failed(fail, sv_errno(), "cannot open the channel (unix socket)");
	return 0;
}

/*
 * A member: registered, or a child of one that is not (yet): the helper that fetches descriptors
 * when the asking process has none free is such a child. Without /proc its descent cannot be seen;
 * there its user and the unguessable name of the socket have to do.
 */
static bool is_member(const struct sv_channel *c, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 || cred.pid <= 0)
		return false;
	if (sp_pid_number(c->boot->seg, sp_hpid_of(cred.pid)).n != 0)
		return true;
	if (!sv_proc_usable())
		return cred.uid == geteuid();
	return sv_proc_descends(sp_hpid_of(cred.pid), sp_hpid_of(getpid()));
}

static void reply(int fd, struct rs_answer *a, const int *fds, size_t n)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec iov = {a, RS_ANSWER_HEAD + a->n * sizeof(a->v[0])};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n) {
		struct cmsghdr *cm;

		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cm = CMSG_FIRSTHDR(&msg);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(cm), fds, n * sizeof(int));
	}
	sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* True when the client is finished. */
static bool serve(const struct sv_channel *c, int fd)
{
	const int fds[2] = {c->boot->segment_fd, c->boot->resident_fd};
	struct rs_answer a = {.result = -EPERM};
	struct rs_ask ask;
	ssize_t n = recv(fd, &ask, sizeof(ask), MSG_DONTWAIT);

	if (n < 0)
		return errno != EAGAIN && errno != EINTR;
	if (n != sizeof(ask))
		return true;
	if (is_member(c, fd))
		a.result = ask.op == RS_OP_FDS ? 0 : -ENOSYS;
	reply(fd, &a, fds, a.result ? 0 : 2);
	return true;
}

static void drop(struct sv_channel *c, size_t i)
{
	close(c->client[i]);
	c->n--;
	memmove(&c->client[i], &c->client[i + 1], (c->n - i) * sizeof(c->client[0]));
}

size_t sv_channel_poll(const struct sv_channel *c, struct pollfd *p)
{
	p[0] = (struct pollfd){.fd = c->listener, .events = POLLIN};
	for (size_t i = 0; i < c->n; i++)
		p[1 + i] = (struct pollfd){.fd = c->client[i], .events = POLLIN};
	return 1 + c->n;
}

void sv_channel_serve(struct sv_channel *c, const struct pollfd *p)
{
	/* From the last: dropping moves those behind. */
	for (size_t i = c->n; i-- > 0;)
		if (p[1 + i].revents && serve(c, c->client[i]))
			drop(c, i);
	/* A bounded number each time, so that a flood cannot keep us from the rest of the loop. */
	for (int k = 0; p[0].revents && k < SV_CLIENTS; k++) {
		int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0) {
			/* No descriptor free: one that says nothing makes room, or we would spin. */
			if ((errno == EMFILE || errno == ENFILE) && c->n)
				drop(c, 0);
			break;
		}
		if (serve(c, fd)) {
			close(fd);
			continue;
		}
		if (c->n == SV_CLIENTS)
			drop(c, 0);
		c->client[c->n++] = fd;
	}
}
