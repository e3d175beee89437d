/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handle of libsubpid, and talking to a container's supervisor.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/internal.h"
#include "supervisor/inside.h"
#include "supervisor/util.h"

#define PATIENCE_MSEC \
	5000 /* a supervisor answers at once, unless it is stopped or its end is made */

int subpid_open(subpid **ret, const char *root)
{
	subpid *s = calloc(1, sizeof(*s));
	int r;

	*ret = s;
	if (!s)
		return -ENOMEM;
	r = sv_root_open(&s->root, root, false, &s->fail);
	if (r == 0 && s->root.fd >= 0)
		sv_root_sweep(s->root.fd);
	return r;
}

void subpid_close(subpid *s)
{
	if (s)
		sv_fd_done(&s->root.fd);
	free(s);
}

const char *subpid_why(const subpid *s)
{
	return !s ? "no memory" : s->fail.text[0] ? s->fail.text : "nothing went wrong";
}

const char *subpid_root(const subpid *s)
{
	return s->root.path;
}

static int connect_to(const subpid *s, struct lib_box *b)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = PATIENCE_MSEC / 1000};
	sv_auto_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct ucred peer;
	socklen_t len = sizeof(peer);
	char path[PATH_MAX];
	int r;

	if (fd < 0)
		return sv_errno();
	snprintf(path, sizeof(path), "%.*s/%s", PATH_MAX - SV_NAME_MAX - 2, s->root.path, b->name);
	r = sv_ctl_path(addr.sun_path, b->dir, path);
	if (r < 0)
		return r;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return sv_errno();
	b->peer = peer.pid;
	return peer.uid == geteuid() ? sv_fd_steal(&fd) : -EPERM;
}

/*
 * Inside of a container only that one and what is below it can be reached; whose supervisor we do not see
 * is asked whether we are its member.
 */
static bool out_of_sight(struct lib_box *b)
{
	struct sv_info info = {0};

	if (b->peer > 0)
		return false;
	if (lib_ask(b, SV_OP_INFO, 0, 0, NULL, NULL, &info, sizeof(info), NULL) == 0)
		b->own = info.peer;
	return !b->own && sv_is_inside();
}

int lib_box_open(subpid *s, const char *name, struct lib_box *ret)
{
	const char *wrong = sv_name_wrong(name);
	int ctl;

	*ret = LIB_BOX_NONE;
	if (wrong)
		return lib_failed(s, 0, "'%.40s%s': %s", name, strlen(name) > 40 ? "..." : "", wrong),
		       -ENOENT;
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	ret->dir = sv_record_open(s->root.fd, name);
	if (ret->dir == -ENOENT || ret->dir == -ENOTDIR)
		return lib_failed(s, 0, "no container '%s'", name), -ENOENT;
	if (ret->dir == -EPERM || ret->dir == -ELOOP)
		return lib_failed(s, 0, "'%s' in %.100s is not a private directory of yours", name,
				  s->root.path),
		       -EPERM;
	if (ret->dir < 0)
		return lib_failed(s, ret->dir, "%s", name);
	ctl = connect_to(s, ret);
	ret->ctl = ctl < 0 ? -1 : ctl;
	if (!out_of_sight(ret))
		return 0;
	lib_box_close(ret);
	return lib_failed(s, 0, "no container '%s'", name), -ENOENT;
}

void lib_box_close(struct lib_box *b)
{
	sv_fd_done(&b->ctl);
	sv_fd_done(&b->dir);
}

static int passed_fd(struct msghdr *msg)
{
	int fd = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
		    c->cmsg_len == CMSG_LEN(sizeof(int)))
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int lib_ask(const struct lib_box *b, enum sv_op op, int x, int y, const char *text,
	    struct sv_reply *ret, void *more, size_t more_len, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct sv_ask ask = {.magic = SV_WIRE_MAGIC, .op = (uint32_t)op, .a = x, .b = y};
	struct sv_reply answer = {0};
	struct iovec iov[2] = {{&answer, sizeof(answer)}, {more, more_len}};
	struct msghdr msg = {.msg_iov = iov,
			     .msg_iovlen = more ? 2 : 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	struct pollfd p = {.fd = b->ctl, .events = POLLIN};
	sv_auto_fd fd = -1;
	ssize_t n;

	if (b->ctl < 0)
		return -ECONNREFUSED;
	snprintf(ask.text, sizeof(ask.text), "%s", text ? text : "");
	if (send(b->ctl, &ask, sizeof(ask), MSG_NOSIGNAL) < 0)
		return errno == EPIPE ? -ECONNREFUSED : sv_errno();
	if (poll(&p, 1, PATIENCE_MSEC) <= 0)
		return -ETIMEDOUT;
	n = recvmsg(b->ctl, &msg, MSG_CMSG_CLOEXEC);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return -ECONNREFUSED;
	if (n < 0)
		return sv_errno();
	fd = passed_fd(&msg);
	if ((size_t)n < sizeof(answer) || answer.magic != SV_WIRE_MAGIC)
		return -EPROTO;
	if (ret)
		*ret = answer;
	if (ret_fd)
		*ret_fd = sv_fd_steal(&fd);
	return answer.status;
}
