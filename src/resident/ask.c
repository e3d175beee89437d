/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to the supervisor about namespaces below: it has all their registries, a task only its own. Nobody asks while
 * there is no namespace below.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/time.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/below.h"

#define AF_UNIX_ 1
#define SOCK_SEQPACKET_ 5
#define SOCK_CLOEXEC_ 02000000
#define MSG_CMSG_CLOEXEC_ 0x40000000
#define MSG_NOSIGNAL_ 0x4000

struct question {
	const struct rs_ask *q;
	struct rs_short *ret;
	int *fds;
	long result;
	bool copy;
};

static void close_all(const struct ax_cmsghdr *h, const int *fd)
{
	for (uint64_t at = sizeof(*h); at + sizeof(int) <= h->len; at += sizeof(int))
		sp_sys1(__NR_close, *fd++);
}

static long receive(long s, struct rs_short *ret, int *fds)
{
	struct {
		struct ax_cmsghdr h;
		int fd[2];
	} cm = {0};
	struct ax_iovec iov = {(uint64_t)ret, sizeof(*ret)};
	struct ax_msghdr mh = {
		.iov = (uint64_t)&iov,
		.iovlen = 1,
		.control = (uint64_t)&cm,
		.controllen = sizeof(cm),
	};
	long r = sp_sys3(__NR_recvmsg, s, (long)&mh, MSG_CMSG_CLOEXEC_);

	if (r < (long)RS_ANSWER_HEAD || !fds) {
		close_all(&cm.h, cm.fd);
		return r < 0 ? r : r < (long)RS_ANSWER_HEAD ? -EPROTO : 0;
	}
	for (uint64_t i = 0; i < 2; i++)
		fds[i] = cm.h.len >= sizeof(cm.h) + (i + 1) * sizeof(int) ? cm.fd[i] : -1;
	return 0;
}

static void put_question(void *arg)
{
	struct question *j = arg;
	struct ax_sockaddr_un un = {.family = AF_UNIX_};
	uint32_t n = RS_NS->sock_len;
	long s, r;

	j->result = -ENOENT;
	if (!n || n >= sizeof(un.path))
		return;
	memcpy(un.path + 1, RS_NS->sock_name, n);
	if (j->copy)
		rs_copy_free_some(1, -1);
	s = sp_sys3(__NR_socket, AF_UNIX_, SOCK_SEQPACKET_ | SOCK_CLOEXEC_, 0);
	r = s;
	if (s >= 0) {
		r = sp_sys3(__NR_connect, s, (long)&un, (long)(sizeof(un.family) + 1 + n));
		if (!r)
			r = sp_sys6(__NR_sendto, s, (long)j->q, sizeof(*j->q), MSG_NOSIGNAL_, 0, 0);
		if (r >= 0)
			r = receive(s, j->ret, j->fds);
		sp_sys1(__NR_close, s);
	}
	j->result = r;
}

long rs_super(const struct rs_ask *q, struct rs_short *ret, int fds[2])
{
	struct question j = {q, ret, fds, 0, false};
	uint64_t mask = rs_hush();

	put_question(&j);
	if ((j.result == -EMFILE || j.result == -ENFILE) && !fds) {
		long r;

		j.copy = true;
		r = rs_copy_run(put_question, &j);
		j.result = r ? r : j.result;
	}
	rs_unhush(mask);
	return j.result;
}

int32_t rs_see(int32_t hid)
{
	struct rs_ask q = {.op = RS_OP_NUMBER, .arg = hid, .ns = RS_NS->ns_id};
	struct rs_short answer;

	if (!rs_has_below() || rs_super(&q, &answer, NULL))
		return 0;
	return answer.result > 0 ? answer.result : 0;
}

void rs_see_all(void)
{
	struct rs_ask q = {.op = RS_OP_SEE, .ns = RS_NS->ns_id};
	struct rs_short answer;

	if (rs_has_below())
		(void)!rs_super(&q, &answer, NULL);
}

/*
 * Sessions and parents outside stand in every process's text. They are remembered for a moment in which no host number can
 * have become another's.
 */
#define OUTSIDE 4
#define MOMENT 6 /* of a coarse clock in units of 2^24 ns: 100 ms */
static _Atomic uint64_t outside[OUTSIDE];

static uint32_t moment(void)
{
	int64_t now[2] = {0, 0};

	sp_sys2(__NR_clock_gettime, CLOCK_MONOTONIC_COARSE, (long)now);
	return (uint32_t)((uint64_t)now[0] * 60 + (uint64_t)(now[1] >> 24)) + 1;
}

int32_t rs_see_often(int32_t hid)
{
	_Atomic uint64_t *known = &outside[(uint32_t)hid % OUTSIDE];
	uint64_t was = atomic_load(known);
	uint32_t now;
	int32_t n;

	if (!rs_has_below())
		return 0;
	now = moment();
	if ((int32_t)(was >> 32) == hid && now - (uint32_t)was < MOMENT)
		return 0;
	n = rs_see(hid);
	if (!n)
		atomic_store(known, (uint64_t)(uint32_t)hid << 32 | now);
	return n;
}

bool rs_is_nested(int32_t hid)
{
	struct sp_ref ref = sp_pid_find_host(RS_NS, sp_hpid_of(hid));

	return ref.slot != SP_NO_SLOT && sp_word_flags(ref.word) & SP_F_NESTED;
}

sp_vpid rs_parent_number(int32_t of, int32_t hid)
{
	struct sp_ref ref = sp_pid_find_host(RS_NS, sp_hpid_of(of));
	sp_vpid n = sp_vpid_of(rs_out_often(hid, RS_OUT_PID));

	/* A keeper is its init's parent to the kernel alone; to its other children it stands for the init. */
	if (ref.slot == SP_NO_SLOT || !sp_vpid_eq(n, sp_ref_number(ref)) ||
	    sp_ref_keeper(RS_NS, ref).n != hid)
		return n;
	return sp_vpid_of(rs_out_often((int64_t)rs_stat_field(hid, 4), RS_OUT_PID));
}

bool rs_levels(int32_t of, int32_t hid, struct sp_text *out)
{
	struct rs_ask q = {.op = RS_OP_LEVELS, .arg = hid, .ns = RS_NS->ns_id, .more = {of}};
	struct rs_short answer;
	int32_t levels = 1;

	if (!rs_is_nested(of))
		return false;
	for (int32_t i = 0; i < levels; i++) {
		if (i % RS_SHORT == 0) {
			q.more[1] = i;
			if (rs_super(&q, &answer, NULL) || answer.result <= i)
				return i;
			levels = answer.result;
		}
		if (i)
			sp_text_char(out, '\t');
		sp_text_dec(out, answer.v[i % RS_SHORT]);
	}
	return true;
}

bool rs_init_below(sp_vpid group, uint64_t ret[3])
{
	struct sp_ref ref = sp_pid_find(RS_NS, group);
	struct rs_ask q = {.op = RS_OP_INIT, .ns = RS_NS->ns_id};
	struct rs_short answer;

	if (ref.slot == SP_NO_SLOT || !sp_ref_keeper(RS_NS, ref).n)
		return false;
	q.arg = sp_ref_hpid(RS_NS, ref).n;
	if (rs_super(&q, &answer, NULL) || answer.result)
		return false;
	for (int i = 0; i < 3; i++)
		ret[i] = (uint32_t)answer.v[2 * i] | (uint64_t)(uint32_t)answer.v[2 * i + 1] << 32;
	return true;
}

uint64_t rs_ns_ino_of(int32_t hid)
{
	struct rs_ask q = {.op = RS_OP_NSOF, .arg = hid, .ns = RS_NS->ns_id};
	struct rs_short answer;

	if (!rs_is_nested(hid))
		return RS_NS->ns_ino;
	return rs_super(&q, &answer, NULL) || answer.result ? 0 : answer.ino;
}
