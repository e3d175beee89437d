/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resident's end of the channel: descriptors of the segment and of the resident's file from the
 * supervisor, for a program that closed the hidden one, left /proc behind, or dropped its uid. Also the
 * spared descriptor in close_range.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/resource.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/handlers.h"
#include "resident/handover.h"
#include "resident/resident.h"

#define AF_UNIX_ 1
#define SOCK_SEQPACKET_ 5
#define SOCK_CLOEXEC_ 02000000
#define MSG_CMSG_CLOEXEC_ 0x40000000
#define MSG_NOSIGNAL_ 0x4000
#define SOL_SOCKET_ 1
#define SCM_RIGHTS_ 1
#define MSG_CTRUNC_ 8

long rs_channel_open(const char *name, uint32_t n)
{
	struct ax_sockaddr_un un = {.family = AF_UNIX_};
	long s, r;

	if (!n || n >= sizeof(un.path))
		return -ENOENT;
	memcpy(un.path + 1, name, n);
	s = sp_sys3(__NR_socket, AF_UNIX_, SOCK_SEQPACKET_ | SOCK_CLOEXEC_, 0);
	if (s < 0)
		return s;
	r = sp_sys3(__NR_connect, s, (long)&un, (long)(sizeof(un.family) + 1 + n));
	if (!r)
		return s;
	sp_sys1(__NR_close, s);
	return r;
}

/* What came with an answer, or -errno with none left open. */
static long take_fds(const struct ax_msghdr *mh, const struct ax_cmsghdr *h, int fds[2])
{
	const int *got = (const int *)(h + 1);

	for (uint64_t i = 0; i < 2; i++)
		fds[i] = h->len >= sizeof(*h) + (i + 1) * sizeof(int) ? got[i] : -1;
	/* With too few descriptors free the kernel gives what fits: one, or none. */
	if (mh->flags & MSG_CTRUNC_ || fds[0] < 0) {
		if (fds[0] >= 0)
			sp_sys1(__NR_close, fds[0]);
		return -EMFILE;
	}
	return h->level == SOL_SOCKET_ && h->type == SCM_RIGHTS_ ? 0 : -EPROTO;
}

long rs_channel_talk(long s, const struct rs_ask *ask, int fds[2], uint64_t *ret_ns)
{
	struct {
		struct ax_cmsghdr h;
		int fd[2];
	} cm = {0};
	struct {
		int32_t result;
		uint32_t n;
		uint64_t ns, ino;
	} answer;
	struct ax_iovec iov = {(uint64_t)&answer, sizeof(answer)};
	struct ax_msghdr mh = {
		.iov = (uint64_t)&iov,
		.iovlen = 1,
		.control = (uint64_t)&cm,
		.controllen = fds ? sizeof(cm) : 0,
	};
	long r = sp_sys6(__NR_sendto, s, (long)ask, sizeof(*ask), MSG_NOSIGNAL_, 0, 0);

	_Static_assert(sizeof(answer) == RS_ANSWER_HEAD, "the same");
	if (r == sizeof(*ask))
		r = sp_sys3(__NR_recvmsg, s, (long)&mh, MSG_CMSG_CLOEXEC_);
	if (r < 0)
		return r;
	if (r != sizeof(answer))
		return -EPROTO;
	if (ret_ns)
		*ret_ns = answer.ns;
	return answer.result || !fds ? answer.result : take_fds(&mh, &cm.h, fds);
}

long rs_fetch_fds(const char *name, uint32_t n, int fds[2])
{
	struct rs_ask ask = {.op = RS_OP_FDS};
	long s = rs_channel_open(name, n), r;

	if (s < 0)
		return s;
	r = rs_channel_talk(s, &ask, fds, 0);
	sp_sys1(__NR_close, s);
	return r || fds[1] >= 0 ? r : -EPROTO;
}

static bool is_file(long fd, uint64_t ino, uint64_t dev)
{
	struct ax_stat st;

	return !sp_sys2(__NR_fstat, fd, (long)&st) && st.ino == ino && st.dev == dev;
}

/* By the hidden descriptor if the program has left it alone: names of procfs are dear, made anew for each process. */
long rs_exec_resident(uint64_t vec, uint64_t envp)
{
	int fds[2];
	long r = -EBADF;

	if (is_file(RS_NS->resident_fd, RS_NS->resident_ino, RS_NS->resident_dev))
		r = sp_sys6(__NR_execveat, RS_NS->resident_fd, (long)"", (long)vec, (long)envp,
			    AT_EMPTY_PATH, 0);
	else if (!(atomic_load(&RS_NS->flags) & SP_SEG_NOPROC))
		r = sp_sys3(__NR_execve, (long)"/proc/self/exe", (long)vec, (long)envp);
	if (r != -ENOENT && r != -ENOTDIR && r != -EACCES && r != -EBADF)
		return r;
	/* No /proc here (chroot), or the descriptor was closed: the supervisor has the file. */
	if (rs_fetch_fds(RS_NS->sock_name, RS_NS->sock_len, fds))
		return r;
	r = sp_sys6(__NR_execveat, fds[1], (long)"", (long)vec, (long)envp, AT_EMPTY_PATH, 0);
	sp_sys1(__NR_close, fds[0]);
	sp_sys1(__NR_close, fds[1]);
	return r;
}

static long fetch_segment(long home)
{
	int fds[2];
	long r = rs_fetch_fds(RS_NS->sock_name, RS_NS->sock_len, fds);

	if (r)
		return r;
	sp_sys1(__NR_close, fds[1]);
	/* The program may have put a file of its own there: then ours goes elsewhere for this exec. */
	r = sp_sys2(__NR_fcntl, home, F_GETFD) == -EBADF ? sp_sys3(__NR_dup3, fds[0], home, 0) : -EBUSY;
	/* Or the limit is below that number now. */
	if (r < 0)
		r = sp_sys3(__NR_fcntl, fds[0], F_DUPFD, 3);
	sp_sys1(__NR_close, fds[0]);
	return r;
}

long rs_segment_fd_ensure(void)
{
	long home = RS_NS->segment_fd, r;
	uint64_t old[2], wide[2];

	if (is_file(home, RS_NS->segment_ino, RS_NS->segment_dev)) {
		/* Programs mark every descriptor close-on-exec; that is another way to close it. */
		sp_sys3(__NR_fcntl, home, F_SETFD, 0);
		return home;
	}
	r = fetch_segment(home);
	if (r != -EMFILE && r != -EBADF && r != -ETOOMANYREFS)
		return r;
	/* The program's soft limit is in the way; its hard limit may leave room for a moment. */
	if (sp_sys4(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, (long)old) || old[0] >= old[1])
		return r;
	wide[0] = wide[1] = old[1];
	if (!sp_sys4(__NR_prlimit64, 0, RLIMIT_NOFILE, (long)wide, 0)) {
		r = fetch_segment(home);
		sp_sys4(__NR_prlimit64, 0, RLIMIT_NOFILE, (long)old, 0);
	}
	return r;
}

/* All of [first, last] but the hidden ones. */
long rs_h_close_range(struct rs_frame *f, struct rs_area *a)
{
	uint32_t first = (uint32_t)f->a[0], last = (uint32_t)f->a[1], flags = (uint32_t)f->a[2];
	uint32_t lo = (uint32_t)RS_NS->segment_fd, hi = lo;
	long r = 0;

	(void)a;
	if (RS_NS->resident_fd >= 0) {
		uint32_t other = (uint32_t)RS_NS->resident_fd;

		hi = other > hi ? other : hi;
		lo = other < lo ? other : lo;
	}
	if (first > last || flags & ~6u || last < lo || first > hi)
		return rs_call(f, rs_finish_raw);
	rs_block(f);
	if (first < lo)
		r = sp_sys3(__NR_close_range, first, lo - 1, flags);
	if (!r && hi > lo + 1)
		r = sp_sys3(__NR_close_range, lo + 1, hi - 1, flags);
	if (!r && last > hi)
		r = sp_sys3(__NR_close_range, hi + 1, last, flags);
	/* CLOSE_RANGE_UNSHARE must unshare even if there is nothing to close. */
	return rs_unblock(f, r);
}
