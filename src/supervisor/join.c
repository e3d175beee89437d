/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joiners, as the supervisor sees them: ordered from the porter, registered, watched and reaped; see join.h.
 */
#include "supervisor/join.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "core/pid.h"
#include "supervisor/procs.h"
#include "supervisor/util.h"
#include "supervisor/wire.h"

static void tell(const struct sv_join *j, int status, int a, int b)
{
	const struct sv_reply r = {.magic = SV_WIRE_MAGIC, .status = status, .a = a, .b = b};

	if (j->client >= 0)
		send(j->client, &r, sizeof(r), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void forget(struct sv_joins *js, struct sv_join *j)
{
	sv_fd_done(&j->link);
	*j = js->join[--js->n];
}

int sv_join_begin(struct sv_joins *js, int client, uint32_t flags, const int fd[SV_JOIN_FDS])
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE((SV_JOIN_FDS + 1) * sizeof(int))];
	} control;
	struct iovec iov = {&flags, sizeof(flags)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	int all[SV_JOIN_FDS + 1], link[2];
	struct cmsghdr *c;
	ssize_t n;

	if (js->porter < 0)
		return -EOPNOTSUPP;
	if (js->n == SV_JOINS)
		return -EAGAIN;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) < 0)
		return sv_errno();
	memcpy(all, fd, SV_JOIN_FDS * sizeof(int));
	all[SV_JOIN_FDS] = link[1];
	memset(&control, 0, sizeof(control));
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(all));
	memcpy(CMSG_DATA(c), all, sizeof(all));
	n = sendmsg(js->porter, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(link[1]);
	if (n < 0) {
		int err = sv_errno();

		close(link[0]);
		return err == -EPIPE || err == -ECONNRESET ? -EOPNOTSUPP : err;
	}
	js->join[js->n++] = (struct sv_join){.link = link[0], .client = client, .flags = flags};
	return 0;
}

/* It is there, and stopped at its gate: it gets its number. */
static int admit(struct sv_joins *js, struct sv_join *j, sp_hpid pid)
{
	struct sp_segment *seg = js->boot->seg;
	int32_t number;
	int r;

	if (!sv_is_child(pid))
		return -ESRCH;
	j->pid = pid;
	/* Who asked did not wait for it. */
	if (j->client < 0 && j->flags & SV_JOIN_LEAD)
		return -ECANCELED;
	r = sp_pid_reserve(seg, SP_VPID_NONE, sp_hpid_of(getpid()), &j->ref);
	if (r < 0)
		return r;
	r = sp_pid_publish(seg, &j->ref, pid);
	if (r < 0) {
		sp_pid_cancel(seg, j->ref);
		return r;
	}
	/* It has made a session. */
	sp_pid_set_flags(seg, &j->ref, SP_F_LEADER | SP_F_SESSION);
	number = sp_ref_number(j->ref).n;
	j->number = number;
	/* Before it can end. */
	tell(j, 0, number, 0);
	send(j->link, &number, sizeof(number), MSG_DONTWAIT | MSG_NOSIGNAL);
	return 0;
}

/* Its pid, then perhaps why it failed, then the end: it has become the program, or is dead. */
static bool heard(struct sv_joins *js, struct sv_join *j)
{
	union {
		int32_t pid;
		struct sv_fail fail;
	} u;
	ssize_t n = recv(j->link, &u, sizeof(u), MSG_DONTWAIT);
	int r = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n == sizeof(u.pid) && !j->pid.n)
		r = admit(js, j, sp_hpid_of(u.pid));
	else if (n == sizeof(u.fail))
		r = -EIO;
	else if (j->number)
		sv_fd_done(&j->link);
	else
		r = -EAGAIN; /* the porter could not fork */
	if (r == 0)
		return true;
	tell(j, r, 0, 0);
	j->client = -1;
	if (j->pid.n > 0) {
		kill(j->pid.n, SIGKILL); /* our child, not reaped */
		sv_fd_done(&j->link);
		return true;
	}
	forget(js, j);
	return false;
}

size_t sv_joins_poll(const struct sv_joins *js, struct pollfd *p)
{
	for (size_t i = 0; i < js->n; i++)
		p[i] = (struct pollfd){.fd = js->join[i].link, .events = POLLIN};
	return js->n;
}

void sv_joins_serve(struct sv_joins *js, const struct pollfd *p, size_t n)
{
	/* From the last: forgetting moves the last, which has been served. */
	for (size_t i = n; i-- > 0;)
		if (i < js->n && p[i].revents && p[i].fd == js->join[i].link)
			heard(js, &js->join[i]);
}

bool sv_joins_reaped(struct sv_joins *js, sp_hpid pid, int code, int status)
{
	for (size_t i = 0; i < js->n; i++) {
		struct sv_join *j = &js->join[i];

		if (!sp_hpid_eq(j->pid, pid) || !pid.n)
			continue;
		if (j->number)
			sp_pid_retire(js->boot->seg, j->ref);
		if (code == CLD_EXITED)
			tell(j, 0, status, 0);
		else
			tell(j, 0, 0, status);
		forget(js, j);
		return true;
	}
	return false;
}

void sv_joins_forsaken(struct sv_joins *js, int client)
{
	for (size_t i = 0; i < js->n; i++) {
		struct sv_join *j = &js->join[i];

		if (j->client != client)
			continue;
		j->client = -1;
		if (j->flags & SV_JOIN_LEAD && j->pid.n > 0)
			kill(j->pid.n, SIGKILL);
	}
}
