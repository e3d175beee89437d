/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The porter and what it forks; see join.h. A joiner is the supervisor's child, like number 1, and becomes
 * a member as number 1 did: by executing the resident. Whatever it cannot do it says over its link,
 * which the exec closes.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "resident/handover.h"
#include "supervisor/join.h"
#include "supervisor/util.h"

#define LARGEST (64u << 20) /* bytes of words; the kernel takes less */

/* fork(2), as a child of our parent. */
static int fork_sibling(void)
{
	return (int)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
}

static _Noreturn void give_up(int link, int err, const char *what)
{
	struct sv_fail fail = {.text = ""};
	ssize_t n;

	sv_failed(&fail, err, "%s", what);
	n = send(link, &fail, sizeof(fail), MSG_NOSIGNAL);
	(void)n;
	_exit(125);
}

/* The words of the file as vectors; *ret_path is the first. NULL: it is not what it should be. */
static char **read_words(int fd, char **ret_path, char ***ret_env)
{
	struct sv_join_words head;
	struct stat st;
	char *text, *p, **words;
	size_t n;

	if (fstat(fd, &st) < 0 || pread(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    head.len > LARGEST || head.argc > head.len || head.envc > head.len ||
	    st.st_size != (off_t)(sizeof(head) + head.len) || head.argc == 0)
		return NULL;
	text = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	n = RS_HO_SLOTS + (size_t)head.argc + 1 + head.envc + 1;
	words = calloc(n, sizeof(*words));
	if (text == MAP_FAILED || !words || text[sizeof(head) + head.len - 1])
		return NULL;
	p = text + sizeof(head);
	*ret_path = p;
	for (size_t i = 0; i < (size_t)head.argc + head.envc; i++) {
		p += strlen(p) + 1;
		if (p >= text + st.st_size)
			return NULL;
		words[RS_HO_SLOTS + i + (i >= head.argc)] = p;
	}
	*ret_env = words + RS_HO_SLOTS + head.argc + 1;
	return words;
}

/* dup2 onto itself would leave the close-on-exec flag. */
static int place(int fd, int at)
{
	return fd == at ? fcntl(fd, F_SETFD, 0) : dup2(fd, at);
}

static void own_terminal(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (isatty(fd) && ioctl(fd, TIOCSCTTY, 0) == 0)
			return;
}

static _Noreturn void join(const struct sv_boot *b, uint32_t flags, int fd[SV_JOIN_FDS], int link)
{
	const struct sv_caller caller = {.mask = 0, .ignored = 0};
	struct rs_handover h = {
		.segment_fd = (uint32_t)b->seg->segment_fd, .target_fd = ~0u, .flags = RS_HO_JOIN};
	char text[RS_HO_MAX], *path, **env;
	char **argv = read_words(fd[SV_JOIN_WORDS], &path, &env);
	int32_t number, pid = getpid();
	int segment = fcntl(b->segment_fd, F_DUPFD_CLOEXEC, 10);
	int resident = fcntl(b->resident_fd, F_DUPFD_CLOEXEC, 10);

	if (!argv)
		give_up(link, 0, "the request is not understood");
	setsid();
	if (fchdir(fd[SV_JOIN_CWD]) < 0)
		give_up(link, sv_errno(), "cannot enter the working directory");
	/* Ours have been moved out of the way of 0, 1 and 2, and all the others' end with the exec. */
	for (int i = 0; i < 3; i++)
		if (dup2(fd[SV_JOIN_STDIN + i], i) < 0)
			give_up(link, sv_errno(), "cannot place the standard descriptors");
	if (flags & SV_JOIN_TTY)
		own_terminal();
	/* The supervisor says under which number; its end, without the word, is the container's. */
	if (send(link, &pid, sizeof(pid), MSG_NOSIGNAL) != sizeof(pid) ||
	    recv(link, &number, sizeof(number), 0) != sizeof(number))
		_exit(125);
	h.number = (uint32_t)number;
	if (b->no_new_privs)
		h.flags |= RS_HO_NO_NEW_PRIVS;
	rs_handover_format(text, &h);
	argv[0] = text;
	argv[1] = path;
	if (segment < 0 || resident < 0 || place(segment, b->seg->segment_fd) < 0 ||
	    (b->seg->resident_fd >= 0 && place(resident, b->seg->resident_fd) < 0))
		give_up(link, sv_errno(), "cannot place the hidden descriptors");
	setrlimit(RLIMIT_NOFILE, &b->nofile);
	setrlimit(RLIMIT_FSIZE, &b->fsize);
	sv_signals_give(&caller);
	syscall(SYS_execveat, resident, "", argv, env, AT_EMPTY_PATH);
	give_up(link, sv_errno(), "cannot execute the resident");
}

/* One order: a joiner. False: the supervisor is gone. */
static bool serve(const struct sv_boot *b, int orders)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE((SV_JOIN_FDS + 1) * sizeof(int))];
	} control;
	uint32_t flags;
	struct iovec iov = {&flags, sizeof(flags)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(orders, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	int fd[SV_JOIN_FDS + 1], pid;

	if (n <= 0)
		return n < 0 && errno == EINTR;
	if (n != sizeof(flags) || !c || c->cmsg_len != CMSG_LEN(sizeof(fd)))
		return true;
	memcpy(fd, CMSG_DATA(c), sizeof(fd));
	pid = fork_sibling();
	if (pid == 0) {
		close(orders);
		join(b, flags, fd, fd[SV_JOIN_FDS]);
	}
	/* A link that ends without a word says that there is no joiner. */
	for (size_t i = 0; i < SV_JOIN_FDS + 1; i++)
		close(fd[i]);
	return true;
}

void sv_porter_leave(const struct sv_boot *b, int orders)
{
	const int keep[] = {orders, b->segment_fd, b->resident_fd};
	int supervisor = getppid();

	if (fork_sibling() != 0)
		return;
	/* Out of reach of the job's signals; its parent's end is its own. */
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != supervisor)
		_exit(0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	for (int fd = 0; fd < 3; fd++)
		sv_fd_blank(fd);
	sv_close_others(keep, 3);
	if (chdir("/") == 0)
		while (serve(b, orders))
			;
	_exit(0);
}
