/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serving the control socket; see control.h. A request is one packet and so is its answer. What is long
 * goes as a descriptor of a file in memory, so that no client can keep us from the rest of the loop.
 */
#include "supervisor/control.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "core/pid.h"
#include "supervisor/members.h"
#include "supervisor/util.h"

#define LAST_SIGNAL 64

void sv_control_begin(struct sv_control *c, struct sv_boot *b, sp_hpid init, int porter)
{
	c->joins.boot = b;
	c->joins.porter = porter;
	c->joins.n = 0;
	c->boot = b;
	c->init = init;
	c->end_by = 0;
	c->asked = false;
	c->n = 0;
}

static void answer_with(int fd, const struct sv_reply *a, const void *more, size_t len, int passed)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov[2];
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = more ? 2 : 1};
	struct sv_reply head = *a;

	head.magic = SV_WIRE_MAGIC;
	iov[0] = (struct iovec){&head, sizeof(head)};
	iov[1] = (struct iovec){(void *)(uintptr_t)more, len};
	if (passed >= 0) {
		struct cmsghdr *cm;

		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		cm = CMSG_FIRSTHDR(&msg);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &passed, sizeof(int));
	}
	sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void answer(int fd, int status, int a, int b)
{
	answer_with(fd, &(struct sv_reply){.status = status, .a = a, .b = b}, NULL, 0, -1);
}

static void info_of_segment(struct sp_segment *seg, struct sv_info *info, int peer)
{
	uint32_t flags = atomic_load(&seg->flags);

	if (flags & SP_SEG_SCOPED)
		info->flags |= SV_INFO_SCOPED;
	if (flags & SP_SEG_PIDFS)
		info->flags |= SV_INFO_PIDFS;
	if (peer > 0)
		info->peer = sp_pid_number(seg, sp_hpid_of(peer)).n;
	sv_members_count(seg, &info->processes, &info->threads);
}

static void info_inside(const struct sv_control *c, struct sv_info *info, int peer)
{
	struct sv_task *task;
	size_t n;
	int r = sv_members_inside(c->init, &task, &n, &info->threads);

	info->processes = r < 0 ? 0 : (int32_t)n;
	for (size_t i = 0; r == 0 && peer > 0 && i < n; i++)
		if (task[i].host == peer)
			info->peer = task[i].number;
	free(task);
}

static void tell_info(struct sv_control *c, int fd)
{
	const struct sv_record *r = &c->boot->record;
	struct sp_segment *seg = c->boot->seg;
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);
	struct sv_info info = {
		.size = sizeof(info),
		.supervisor = getpid(),
		.front = c->boot->front.n,
		.init = c->init.n,
		.running = (int32_t)atomic_load(&c->boot->shared->started),
		.stopped = (int32_t)atomic_load(&c->boot->shared->stopped),
		.created_msec = r->state.created_msec,
	};

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		peer.pid = 0;
	if (c->boot->inside)
		info_inside(c, &info, peer.pid);
	else
		info_of_segment(seg, &info, peer.pid);
	memcpy(info.name, r->name, strlen(r->name) + 1);
	memcpy(info.id, r->state.id, sizeof(r->state.id));
	answer_with(fd, &(struct sv_reply){.status = 0}, &info, sizeof(info), -1);
}

static int tasks_file(const struct sv_control *c)
{
	struct sv_task *task = NULL;
	size_t n = 0, done = 0;
	int32_t threads;
	int fd, r = c->boot->inside ? sv_members_inside(c->init, &task, &n, &threads)
				    : sv_members_list(c->boot->seg, &task, &n);

	if (r < 0)
		return r;
	fd = (int)syscall(SYS_memfd_create, "subpid-tasks", MFD_CLOEXEC);
	if (fd < 0)
		r = sv_errno();
	while (r == 0 && done < n * sizeof(*task)) {
		ssize_t k = write(fd, (const char *)task + done, n * sizeof(*task) - done);

		if (k > 0)
			done += (size_t)k;
		else
			r = sv_errno();
	}
	free(task);
	if (r < 0)
		sv_fd_done(&fd);
	return r < 0 ? r : fd;
}

static void tell_tasks(struct sv_control *c, int fd)
{
	sv_auto_fd file = tasks_file(c);

	answer_with(fd, &(struct sv_reply){.status = file < 0 ? file : 0}, NULL, 0, file);
}

/*
 * From above, number 1 is sent what its own members cannot send it. What would have ended the program
 * without subpid is for the front to decide, which knows how: as if it had been sent the signal itself.
 */
static void signal_init(struct sv_control *c, int sig)
{
	switch (sig) {
	case 0:
		return;
	case SIGKILL:
		c->end_by = SIGKILL;
		return;
	case SIGSTOP:
	case SIGCONT:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		/* Our child, not reaped: its number is its own. */
		kill(c->init.n, sig);
		return;
	}
	atomic_fetch_or(&c->boot->shared->asked, sv_sig_bit(sig));
	c->asked = true;
}

static void signal_all(const struct sv_control *c, int sig)
{
	int r = 0;

	if (c->boot->inside)
		r = sv_members_inside_signal(c->init, 0, sig);
	else
		sv_members_signal(c->boot->seg, sig);
	(void)r; /* nobody but number 1 is there */
}

static int send_signal(struct sv_control *c, int number, int sig)
{
	if (sig < 0 || sig > LAST_SIGNAL || number < 0)
		return -EINVAL;
	if (number > 1 && c->boot->inside)
		return sv_members_inside_signal(c->init, number, sig);
	if (number > 1)
		return sv_member_signal(c->boot->seg, sp_vpid_of(number), sig);
	if (number == 0 && sig && sig != SIGKILL)
		signal_all(c, sig);
	signal_init(c, sig);
	return 0;
}

static int rename_to(struct sv_control *c, const char *name)
{
	struct sv_record *r = &c->boot->record;
	int err = sv_record_rename(r, name);

	/* Should we be killed, the front puts the record in order. */
	if (err == 0)
		memcpy(c->boot->shared->name, r->name, sizeof(r->name));
	return err;
}

static bool same_user(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

/* A request and the descriptors that came with it: -1 where there are fewer. */
struct request {
	struct sv_ask ask;
	int fd[SV_JOIN_FDS];
};

static void take_fds(struct request *r, struct msghdr *msg)
{
	size_t n = 0;

	for (struct cmsghdr *cm = CMSG_FIRSTHDR(msg); cm; cm = CMSG_NXTHDR(msg, cm)) {
		int fd;

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(fd)) <= cm->cmsg_len; i++) {
			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(fd), sizeof(fd));
			if (n < SV_JOIN_FDS)
				r->fd[n++] = fd;
			else
				close(fd);
		}
	}
}

static ssize_t receive(int fd, struct request *r)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(SV_JOIN_FDS * sizeof(int))];
	} control;
	struct iovec iov = {&r->ask, sizeof(r->ask)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	ssize_t n;

	for (size_t i = 0; i < SV_JOIN_FDS; i++)
		r->fd[i] = -1;
	n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n >= 0)
		take_fds(r, &msg);
	r->ask.text[sizeof(r->ask.text) - 1] = '\0';
	return n;
}

static void begin_join(struct sv_control *c, struct sv_controller *client, const struct request *r)
{
	int err = r->fd[SV_JOIN_FDS - 1] < 0
			  ? -EINVAL
			  : sv_join_begin(&c->joins, client->fd, (uint32_t)r->ask.a, r->fd);

	client->joins = err == 0;
	if (err < 0)
		answer(client->fd, err, 0, 0);
}

static void act(struct sv_control *c, struct sv_controller *client, const struct request *r)
{
	const struct sv_ask *ask = &r->ask;

	switch ((enum sv_op)ask->op) {
	case SV_OP_INFO:
		tell_info(c, client->fd);
		return;
	case SV_OP_TASKS:
		tell_tasks(c, client->fd);
		return;
	case SV_OP_SIGNAL:
		answer(client->fd, send_signal(c, ask->a, ask->b), 0, 0);
		return;
	case SV_OP_WAIT:
		client->waits = true;
		return;
	case SV_OP_RENAME:
		answer(client->fd, rename_to(c, ask->text), 0, 0);
		return;
	case SV_OP_EXEC:
		begin_join(c, client, r);
		return;
	case SV_OP_RESIZE:
		break;
	}
	answer(client->fd, -EOPNOTSUPP, 0, 0);
}

/* False: the connection is done with. */
static bool serve(struct sv_control *c, struct sv_controller *client)
{
	struct request r;
	ssize_t n = receive(client->fd, &r);
	bool good = n == sizeof(r.ask) && r.ask.magic == SV_WIRE_MAGIC && same_user(client->fd);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (good)
		act(c, client, &r);
	for (size_t i = 0; i < SV_JOIN_FDS; i++)
		sv_fd_done(&r.fd[i]);
	return good;
}

static void drop(struct sv_control *c, size_t i)
{
	sv_joins_forsaken(&c->joins, c->client[i].fd);
	close(c->client[i].fd);
	c->n--;
	memmove(&c->client[i], &c->client[i + 1], (c->n - i) * sizeof(c->client[0]));
}

/* Room for one more, at the cost of one that says nothing. */
static bool make_room(struct sv_control *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->client[i].waits && !c->client[i].joins) {
			drop(c, i);
			return true;
		}
	return false;
}

size_t sv_control_poll(const struct sv_control *c, struct pollfd *p)
{
	p[0] = (struct pollfd){.fd = c->boot->record.ctl, .events = POLLIN};
	for (size_t i = 0; i < c->n; i++)
		p[1 + i] = (struct pollfd){.fd = c->client[i].fd, .events = POLLIN};
	return 1 + c->n + sv_joins_poll(&c->joins, p + 1 + c->n);
}

void sv_control_serve(struct sv_control *c, const struct pollfd *p)
{
	const struct pollfd *joins = p + 1 + c->n;

	sv_joins_serve(&c->joins, joins, c->joins.n);
	/* From the last: dropping moves those behind. */
	for (size_t i = c->n; i-- > 0;)
		if (p[1 + i].revents && !serve(c, &c->client[i]))
			drop(c, i);
	/* A bounded number each time, so that a flood cannot keep us from the rest of the loop. */
	for (int k = 0; p[0].revents && k < SV_CONTROLLERS; k++) {
		struct sv_controller client = {.fd = -1};

		client.fd = accept4(c->boot->record.ctl, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (client.fd < 0) {
			/* No descriptor free: an idle one makes room, or we would spin. */
			if ((errno == EMFILE || errno == ENFILE) && !make_room(c) && c->n)
				drop(c, 0);
			break;
		}
		if (!serve(c, &client) || (c->n == SV_CONTROLLERS && !make_room(c))) {
			close(client.fd);
			continue;
		}
		c->client[c->n++] = client;
	}
}

void sv_control_end(struct sv_control *c, const struct sv_outcome *outcome)
{
	if (!c->boot || c->boot->record.ctl < 0)
		return;
	/* Who came while the end was made is heard as well. */
	for (;;) {
		struct sv_controller client = {.fd = -1};

		client.fd = accept4(c->boot->record.ctl, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (client.fd < 0 || c->n == SV_CONTROLLERS) {
			sv_fd_done(&client.fd);
			break;
		}
		c->client[c->n++] = client;
	}
	sv_fd_done(&c->boot->record.ctl);
	for (size_t i = 0; i < c->n; i++) {
		struct sv_ask ask;

		if (!c->client[i].waits && !c->client[i].joins &&
		    recv(c->client[i].fd, &ask, sizeof(ask), MSG_DONTWAIT) == sizeof(ask))
			c->client[i].waits = ask.op == SV_OP_WAIT;
		if (c->client[i].waits)
			answer(c->client[i].fd, 0, outcome->code, outcome->sig);
		close(c->client[i].fd);
	}
	c->n = 0;
}
