/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking another container's supervisor who it is; see record.h.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "supervisor/record.h"
#include "supervisor/util.h"

#define PATIENCE_MSEC 1000

int sv_info_ask(int dir, const char *path_of_dir, struct sv_info *ret, int *ret_peer)
{
	struct sv_ask ask = {.magic = SV_WIRE_MAGIC, .op = SV_OP_INFO};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	sv_auto_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct sv_reply reply = {0};
	struct iovec iov[2] = {{&reply, sizeof(reply)}, {ret, sizeof(*ret)}};
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int r = fd < 0 ? sv_errno() : sv_ctl_path(addr.sun_path, dir, path_of_dir);

	if (r < 0)
		return r;
	memset(ret, 0, sizeof(*ret));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return sv_errno();
	if (peer.uid != geteuid())
		return -EPERM;
	*ret_peer = peer.pid;
	if (send(fd, &ask, sizeof(ask), MSG_NOSIGNAL) < 0 || poll(&p, 1, PATIENCE_MSEC) <= 0 ||
	    readv(fd, iov, 2) < (ssize_t)sizeof(reply) || reply.magic != SV_WIRE_MAGIC)
		return -ECONNREFUSED;
	ret->name[sizeof(ret->name) - 1] = ret->id[sizeof(ret->id) - 1] = '\0';
	return reply.status;
}
