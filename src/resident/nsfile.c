/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PID namespaces as files. The kernel has all tasks of a tree in one, so that its ns/pid cannot tell namespaces apart:
 * where there are more than one, what is opened is a memory file of the supervisor's, one for each namespace, and is
 * seen as the kernel would show a namespace. Its own inode is what a namespace is known by; its name holds the inode
 * that is shown.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <linux/stat.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/below.h"
#include "resident/nsfile.h"

#ifndef NS_GET_PID_FROM_PIDNS
#define NS_GET_PID_FROM_PIDNS _IOR(NSIO, 0x6, int)
#define NS_GET_TGID_FROM_PIDNS _IOR(NSIO, 0x7, int)
#endif

static bool in_a_tree(void)
{
	return rs_has_below() || RS_NS->depth;
}

/* From the supervisor: the file of namespace ns or, above, of the one that ns is in. */
static long fetch(uint64_t ns, bool above)
{
	struct rs_ask q = {.op = RS_OP_NSFILE,
			   .arg = above,
			   .ns = RS_NS->ns_id,
			   .more = {(int32_t)ns, (int32_t)(ns >> 32), 0, 0}};
	struct rs_short answer;
	int fds[2];
	long r = rs_super(&q, &answer, fds);

	if (r)
		return r;
	if (fds[1] >= 0)
		sp_sys1(__NR_close, fds[1]);
	if (answer.result >= 0)
		return fds[0] >= 0 ? fds[0] : -EMFILE;
	if (fds[0] >= 0)
		sp_sys1(__NR_close, fds[0]);
	return answer.result;
}

long rs_nsfile_open(struct rs_frame *f, struct rs_area *a, const struct bd_procpath *p, bool cloexec)
{
	struct rs_ask q = {.op = RS_OP_NSOF, .ns = RS_NS->ns_id};
	struct rs_short answer;
	long fd, r;

	if (!in_a_tree())
		return rs_call(f, rs_finish_raw);
	rs_block(f);
	fd = sp_sys6(f->nr, f->a[0], f->a[1], f->a[2], f->a[3], f->a[4], f->a[5]);
	if (fd < 0)
		return rs_unblock(f, fd);
	q.arg = rs_text_task(a, p);
	answer.ns = RS_NS->ns_id;
	if (rs_is_nested(q.arg) && (rs_super(&q, &answer, NULL) || answer.result))
		answer.ns = 0;
	r = answer.ns ? fetch(answer.ns, false) : -ESRCH;
	if (r >= 0) {
		sp_sys3(__NR_dup3, r, fd, cloexec ? O_CLOEXEC : 0);
		sp_sys1(__NR_close, r);
	} else if (answer.ns != RS_NS->ns_id) {
		sp_sys1(__NR_close, fd);
		fd = r == -ESRCH ? -ENOENT : r;
	}
	return rs_unblock(f, fd);
}

bool rs_nsfile_link(const char *text, size_t len, uint64_t *ret_ino)
{
	static const char before[] = "/memfd:pid:[", behind[] = "] (deleted)";
	size_t b = sizeof(before) - 1, e = sizeof(behind) - 1;
	int64_t ino = 0;

	if (len <= b + e || memcmp(text, before, b) || memcmp(text + len - e, behind, e))
		return false;
	for (size_t i = b; i < len - e; i++)
		ino = ino * 10 + (text[i] - '0');
	*ret_ino = (uint64_t)ino;
	return true;
}

bool rs_nsfile_stands(const char *link, uint64_t *ret_ino)
{
	char text[64];
	long n = in_a_tree() ? sp_sys3(__NR_readlink, (long)link, (long)text, sizeof(text)) : -1;

	return n > 0 && rs_nsfile_link(text, (size_t)n, ret_ino);
}

long rs_ns_of_fd(int fd, uint64_t *ret_ns)
{
	struct rs_ask q = {.op = RS_OP_NSFILE, .ns = RS_NS->ns_id};
	struct rs_short answer;
	struct ax_stat st;
	int fds[2];
	long r = sp_sys2(__NR_fstat, fd, (long)&st);

	if (r)
		return r;
	*ret_ns = RS_NS->ns_id;
	if (st.dev == RS_NS->pidns_dev && st.ino == RS_NS->pidns_ino && RS_NS->pidns_ino)
		return 0;
	if (st.dev != RS_NS->segment_dev) /* one may be kept longer than any namespace below */
		return -EINVAL;
	q.more[2] = (int32_t)st.ino;
	q.more[3] = (int32_t)(st.ino >> 32);
	r = rs_super(&q, &answer, fds);
	if (r)
		return r;
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			sp_sys1(__NR_close, fds[i]);
	*ret_ns = answer.ns;
	return answer.result ? -EINVAL : 0;
}

static bool is_stand_in(int fd)
{
	char link[48];
	struct sp_text t;
	uint64_t ino;

	sp_text_init(&t, link, sizeof(link));
	sp_text_str(&t, "/proc/thread-self/fd/");
	sp_text_dec(&t, fd);
	return rs_nsfile_stands(link, &ino);
}

/* The user namespace that owns the kernel's PID namespace, which all are in. */
static long owner(void)
{
	long own = sp_sys3(__NR_open, (long)"/proc/self/ns/pid", O_RDONLY | O_CLOEXEC, 0);
	long r = own < 0 ? -EPERM : sp_sys3(__NR_ioctl, own, NS_GET_USERNS, 0);

	if (own >= 0)
		sp_sys1(__NR_close, own);
	return r;
}

/* NS_GET_{PID,TGID}_{FROM,IN}_PIDNS: a number there, as one here or the other way round. */
static long translate(struct rs_frame *f, struct rs_area *a, uint64_t ns)
{
	uint32_t cmd = (uint32_t)f->a[1];
	bool from = cmd == NS_GET_PID_FROM_PIDNS || cmd == NS_GET_TGID_FROM_PIDNS;
	struct rs_ask q = {.op = from ? RS_OP_VIEW_FIND : RS_OP_VIEW_NUMBER,
			   .arg = from ? (int32_t)f->a[2] : rs_in_task(a, (int32_t)f->a[2]),
			   .ns = RS_NS->ns_id,
			   .more = {(int32_t)ns, (int32_t)(ns >> 32), 0, 0}};
	struct rs_short answer;
	long r = rs_super(&q, &answer, NULL);

	if (r)
		return -ESRCH;
	r = answer.result;
	if (r > 0 && from)
		r = rs_out_pid(r);
	return r > 0 ? r : -ESRCH;
}

long rs_nsfile_ioctl(struct rs_frame *f, struct rs_area *a)
{
	int fd = (int)f->a[0];
	uint64_t ns;
	long r;

	if (!is_stand_in(fd))
		return -ENOTTY;
	rs_block(f);
	r = rs_ns_of_fd(fd, &ns);
	if (!r) {
		switch ((uint32_t)f->a[1]) {
		case NS_GET_NSTYPE:
			r = CLONE_NEWPID;
			break;
		case NS_GET_USERNS:
			r = owner();
			break;
		case NS_GET_PARENT:
			r = fetch(ns, true);
			break;
		default:
			r = translate(f, a, ns);
			break;
		}
	}
	return rs_unblock(f, r);
}
