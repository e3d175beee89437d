/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serving the channel. A client is believed for what the kernel says about its connection and for
 * nothing else. One request, one reply, then the connection is closed; one that has made a namespace
 * stays open until that has its keeper. When too many are open the oldest goes.
 */
#include "supervisor/channel.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/pid.h"
#include "supervisor/answer.h"
#include "supervisor/util.h"

#define BACKLOG 64

/*
 * A request and who sent it: the message's own credentials, because the connection may have been made by
 * another process than the one that speaks now. 0, -EAGAIN, or something is wrong.
 */
static int receive(int fd, struct rs_ask *ret, sp_hpid *ret_peer)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(8 * sizeof(int))];
	} control;
	struct iovec iov = {ret, sizeof(*ret)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EINTR ? -EAGAIN : sv_errno();
	*ret_peer = SP_HPID_NONE;
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(&msg); cm; cm = CMSG_NXTHDR(&msg, cm)) {
		if (cm->cmsg_level != SOL_SOCKET)
			continue;
		if (cm->cmsg_type == SCM_CREDENTIALS) {
			struct ucred cred;

			memcpy(&cred, CMSG_DATA(cm), sizeof(cred));
			*ret_peer = sp_hpid_of(cred.pid);
		}
		if (cm->cmsg_type == SCM_RIGHTS) {
			size_t count = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);

			for (size_t i = 0; i < count; i++) {
				int sent;

				memcpy(&sent, CMSG_DATA(cm) + i * sizeof(int), sizeof(sent));
				close(sent);
			}
		}
	}
	return n == sizeof(*ret) && ret_peer->n > 0 ? 0 : -EPROTO;
}

static void reply(int fd, const struct sv_answer *ans)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct rs_answer a = ans->a;
	struct iovec iov = {&a, RS_ANSWER_HEAD + a.n * sizeof(a.v[0])};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (ans->n) {
		struct cmsghdr *cm;

		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(ans->n * sizeof(int));
		cm = CMSG_FIRSTHDR(&msg);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(ans->n * sizeof(int));
		memcpy(CMSG_DATA(cm), ans->fd, ans->n * sizeof(int));
	}
	sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* True when the client is finished. */
static bool serve(struct sv_channel *c, struct sv_client *client)
{
	struct sv_answer ans;
	struct rs_ask ask;
	sp_hpid peer;
	int r = receive(client->fd, &ask, &peer);

	if (r)
		return r != -EAGAIN;
	/* One question at a time. */
	if (client->seeing.view)
		return true;
	sv_answer(c->tree, &ask, peer, client->fd, &client->made, &ans);
	if (ans.later) {
		client->seeing = ans.seeing;
		return !ans.seeing.view;
	}
	reply(client->fd, &ans);
	if (ans.taken) {
		client->fd = -1;
		client->made = 0;
	}
	return !client->made;
}

/* A part of what a client waits for. True when it has its answer. */
static bool go_on(struct sv_channel *c, struct sv_client *client)
{
	struct sv_answer ans = {.n = 0};

	if (!sv_see_step(c->tree, &client->seeing))
		return false;
	ans.a.result = client->seeing.found;
	reply(client->fd, &ans);
	return true;
}

/* A keeper, on the connection that is its own. */
static void on_link(struct sv_tree *t, struct sv_ns *ns)
{
	struct sv_answer ans;
	struct rs_ask ask;
	uint64_t none = 0;
	sp_hpid peer;
	int r = receive(ns->link, &ask, &peer);

	if (r) {
		if (r != -EAGAIN)
			sv_fd_done(&ns->link);
		return;
	}
	if (ask.op == RS_OP_END) {
		sv_answer(t, &ask, peer, ns->link, &none, &ans);
	} else {
		ans = (struct sv_answer){.n = 0};
		ans.a.result = -EPERM;
	}
	if (!ans.later)
		reply(ns->link, &ans);
}

static void on_end(struct sv_tree *t, struct sv_ns *ns, int result)
{
	struct sv_answer ans = {.n = 0};

	(void)t;
	ans.a.result = result;
	if (ns->link >= 0)
		reply(ns->link, &ans);
}

static void done(struct sv_channel *c, struct sv_client *client)
{
	struct sv_ns *made = sv_tree_find(c->tree, client->made);

	sv_fd_done(&client->fd);
	if (made)
		sv_tree_drop(c->tree, made);
}

static void drop(struct sv_channel *c, size_t i)
{
	done(c, &c->client[i]);
	c->n--;
	memmove(&c->client[i], &c->client[i + 1], (c->n - i) * sizeof(c->client[0]));
}

/* The oldest, but rather not one that is making a namespace. */
static void make_room(struct sv_channel *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->client[i].made) {
			drop(c, i);
			return;
		}
	if (c->n)
		drop(c, 0);
}

size_t sv_channel_poll(const struct sv_channel *c, struct pollfd *p)
{
	p[0] = (struct pollfd){.fd = c->listener, .events = POLLIN};
	for (size_t i = 0; i < c->n; i++)
		p[1 + i] = (struct pollfd){.fd = c->client[i].fd, .events = POLLIN};
	return 1 + c->n;
}

/* No descriptor is free: the one kept for this case takes a question that can be answered at once. */
static int accept_with_spare(struct sv_channel *c)
{
	int fd;

	sv_fd_done(&c->spare);
	fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return fd;
}

static void keep_spare(struct sv_channel *c)
{
	if (c->spare < 0)
		c->spare = fcntl(c->listener, F_DUPFD_CLOEXEC, 3);
}

/* False: there is nobody more. */
static bool take(struct sv_channel *c)
{
	struct sv_client new = {
		.fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK),
	};
	int on = 1;
	bool scarce = new.fd < 0 && (errno == EMFILE || errno == ENFILE);

	if (scarce)
		new.fd = accept_with_spare(c);
	if (new.fd < 0) {
		keep_spare(c);
		return false;
	}
	/* One that does not ask at once has to go where there is no room for it to wait. */
	if (setsockopt(new.fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 || serve(c, &new) ||
	    scarce) {
		done(c, &new);
		keep_spare(c);
		return true;
	}
	if (c->n == SV_CLIENTS)
		make_room(c);
	c->client[c->n++] = new;
	return true;
}

int sv_channel_timeout(const struct sv_channel *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->client[i].seeing.view)
			return 0;
	return -1;
}

void sv_channel_serve(struct sv_channel *c, const struct pollfd *p)
{
	/* From the last: dropping moves those behind. */
	for (size_t i = c->n; i-- > 0;)
		if ((p[1 + i].revents && serve(c, &c->client[i])) ||
		    (c->client[i].seeing.view && go_on(c, &c->client[i])))
			drop(c, i);
	/* A bounded number each time, so that a flood cannot keep us from the rest of the loop. */
	for (int k = 0; p[0].revents && k < SV_CLIENTS; k++)
		if (!take(c))
			break;
}

int sv_channel_open(struct sv_channel *c, struct sv_tree *t, struct sv_fail *fail)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + t->model.sock_len);
	int on = 1;

	c->tree = t;
	c->spare = -1;
	t->on_link = on_link;
	t->on_end = on_end;
	c->n = 0;
	/* Abstract: the first byte of the path is a NUL. */
	memcpy(addr.sun_path + 1, t->model.sock_name, t->model.sock_len);
	c->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Since 6.16 a connection has it from here, and what is sent before it is accepted has the sender's name. */
	if (c->listener >= 0 && setsockopt(c->listener, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return sv_failed(fail, sv_errno(), "cannot prepare the channel (unix socket)");
	if (c->listener < 0 || bind(c->listener, (struct sockaddr *)&addr, len) < 0 ||
	    listen(c->listener, BACKLOG) < 0)
		return sv_failed(fail, sv_errno(), "cannot open the channel (unix socket)");
	keep_spare(c);
	return 0;
}
