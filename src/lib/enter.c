/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entering a container: the program, its words and the caller's descriptors go to the supervisor, and
 * the connection is the hold on what was started.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "lib/internal.h"
#include "supervisor/join.h"
#include "supervisor/util.h"

#define PATIENCE_MSEC 10000

static size_t count_of(const char *const *words)
{
	size_t n = 0;

	while (words[n])
		n++;
	return n;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return sv_errno();
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int write_words(int fd, const char *const *words, uint32_t *len)
{
	int r = 0;

	for (; *words && r == 0; words++) {
		r = write_all(fd, *words, strlen(*words) + 1);
		*len += (uint32_t)strlen(*words) + 1;
	}
	return r;
}

static int words_file(const struct subpid_command *c)
{
	const char *path[] = {c->path, NULL};
	struct sv_join_words head = {(uint32_t)count_of(c->argv), (uint32_t)count_of(c->envp), 0};
	int fd = (int)syscall(SYS_memfd_create, "subpid-exec", MFD_CLOEXEC), r;

	if (fd < 0)
		return sv_errno();
	r = write_all(fd, (const char *)&head, sizeof(head));
	if (r == 0)
		r = write_words(fd, path, &head.len);
	if (r == 0)
		r = write_words(fd, c->argv, &head.len);
	if (r == 0)
		r = write_words(fd, c->envp, &head.len);
	if (r == 0 && pwrite(fd, &head, sizeof(head), 0) != sizeof(head))
		r = sv_errno();
	if (r < 0)
		sv_fd_done(&fd);
	return r < 0 ? r : fd;
}

static int ask(int ctl, const int fd[SV_JOIN_FDS], int flags)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(SV_JOIN_FDS * sizeof(int))];
	} control;
	struct sv_ask a = {.magic = SV_WIRE_MAGIC, .op = SV_OP_EXEC, .a = flags};
	struct iovec iov = {&a, sizeof(a)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c;

	memset(&control, 0, sizeof(control));
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(SV_JOIN_FDS * sizeof(int));
	memcpy(CMSG_DATA(c), fd, SV_JOIN_FDS * sizeof(int));
	return sendmsg(ctl, &msg, MSG_NOSIGNAL) < 0 ? sv_errno() : 0;
}

static int hear(int ctl, int msec, struct sv_reply *ret)
{
	struct pollfd p = {.fd = ctl, .events = POLLIN};
	int r = poll(&p, 1, msec);
	ssize_t n;

	if (r <= 0)
		return r < 0 ? sv_errno() : -ETIMEDOUT;
	n = recv(ctl, ret, sizeof(*ret), 0);
	if (n != sizeof(*ret) || ret->magic != SV_WIRE_MAGIC)
		return -ECONNREFUSED;
	return ret->status;
}

static int begin(const struct lib_box *b, const struct subpid_command *c, struct sv_reply *ret)
{
	sv_auto_fd words = words_file(c);
	sv_auto_fd cwd = open(c->cwd ? c->cwd : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd[SV_JOIN_FDS], flags = 0, r;

	if (words < 0)
		return words;
	if (cwd < 0)
		return sv_errno();
	fd[SV_JOIN_WORDS] = words;
	fd[SV_JOIN_CWD] = cwd;
	for (int i = 0; i < 3; i++)
		fd[SV_JOIN_STDIN + i] = c->fd[i];
	if (c->flags & SUBPID_TERMINAL)
		flags |= SV_JOIN_TTY;
	if (!(c->flags & SUBPID_DETACHED))
		flags |= SV_JOIN_LEAD;
	r = ask(b->ctl, fd, flags);
	return r < 0 ? r : hear(b->ctl, PATIENCE_MSEC, ret);
}

int subpid_enter(subpid *s, const char *name, const struct subpid_command *command, int *ret_pid)
{
	lib_auto_box b = LIB_BOX_NONE;
	struct sv_reply reply = {0};
	int r = lib_box_open(s, name, &b);

	if (r < 0)
		return r;
	r = b.ctl < 0 ? -ECONNREFUSED : begin(&b, command, &reply);
	if (r == -ECONNREFUSED)
		return lib_failed(s, 0, "container '%s' has ended", name), r;
	if (r == -EOPNOTSUPP)
		return lib_failed(s, 0, "container '%s' cannot be entered", name), r;
	if (r < 0)
		return lib_failed(s, r, "cannot enter container '%s'", name);
	if (ret_pid)
		*ret_pid = reply.a;
	return sv_fd_steal(&b.ctl);
}

int subpid_enter_wait(int entered, int *status)
{
	struct sv_reply reply = {0};
	int r;

	do
		r = hear(entered, -1, &reply);
	while (r == -EINTR);
	close(entered);
	/* Without a word: it went down with its container. */
	if (r < 0)
		reply.b = SIGKILL;
	*status = reply.b ? reply.b & 0x7f : (reply.a & 0xff) << 8;
	return 0;
}
