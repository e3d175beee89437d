/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of sockets that carry credentials: sendmsg, recvmsg and their plural forms.
 *
 * What is sent is copied when it names a process, and goes as the program gave it otherwise. What is
 * received lies in the program's memory when it is converted; a word in the frame remembers which message was
 * read last and what was in it, so that the conversion can be repeated.
 */
#include <asm/socket.h>
#include <asm/unistd.h>
#include <linux/errno.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "boundary/cmsg.h"
#include "resident/handlers.h"
#include "resident/netlink.h"
#include "resident/proc.h"
#include "resident/resident.h"
#include "resident/user.h"
#include "resident/watch.h"

#define MAX_MESSAGES 1024u /* UIO_MAXIOV: net/socket.c:__sys_sendmmsg */

struct mmsghdr {
	struct ax_msghdr hdr;
	uint32_t len, pad;
};

/*
 * The area's scratch while messages are sent: headers of several, a vector for each, and what they point to: their
 * control data, and messages to netlink.
 */
#define CHUNK 32u
#define VECTORS_AT (CHUNK * sizeof(struct mmsghdr))
#define CONTROL_AT (VECTORS_AT + CHUNK * sizeof(struct ax_iovec))
#define CONTROL_MAX (8192u - CONTROL_AT)
_Static_assert(RS_PROC_FRONT + RS_PROC_TEXT_MAX + RS_PROC_SPARE_MAX >= CONTROL_AT + CONTROL_MAX,
	       "a converted address lies behind them");
/* A list of control data that is longer is only searched; net.core.optmem_max limits what is taken. */
#define SEARCH_MAX 262144u
/* ENOBUFS, in the kernel's order of checks: net/socket.c:____sys_sendmsg. */
#define TOO_LONG 0x80000000u
/* More than credentials and descriptors take. */
#define LONG_LIST 2048u

/* A socket of a family that has credentials at all, or no socket. */
static bool may_have_credentials(int fd)
{
	int32_t family = 0, len = sizeof(family);
	long r = sp_sys6(__NR_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, (long)&family, (long)&len, 0);

	return r || family == RS_AF_UNIX || family == RS_AF_NETLINK;
}

/* --- sending ----------------------------------------------------------------------------------- */

/* Whether the control data of a message names a process. What cannot be read does not. */
static bool names_process(const struct ax_msghdr *m)
{
	struct bd_cmsg h;

	if (!m->control || m->controllen < BD_CREDENTIALS_LEN)
		return false;
	for (uint64_t pos = 0; bd_cmsg_fits(pos, m->controllen) && pos < SEARCH_MAX;
	     pos = bd_cmsg_next(&h, pos)) {
		if (rs_user_read(&h, m->control + pos, sizeof(h)) ||
		    !bd_cmsg_ok(&h, pos, m->controllen))
			return false;
		if (h.level == SOL_SOCKET && h.type == BD_SCM_CREDENTIALS)
			return true;
	}
	return false;
}

/*
 * The kernel compares with the sender's own number, and then takes any that is in use: a group's too
 * (net/core/scm.c:scm_check_creds, __scm_send).
 */
static int32_t sender_in(void *ctx, int32_t pid)
{
	const struct rs_area *a = ctx;

	if (pid <= 0)
		return pid;
	return pid == a->tgid.n ? a->htgid.n : rs_in_group(pid);
}

/*
 * Makes m's control data a converted copy at `at` of the scratch's control part. The bytes it took; 0 if they do
 * not fit, -EFAULT.
 */
static long copy_control(struct rs_area *a, struct ax_msghdr *m, uint64_t at)
{
	char *to = a->scratch + CONTROL_AT + at;
	long r;

	if (m->controllen > CONTROL_MAX - at)
		return 0;
	r = rs_user_read(to, m->control, m->controllen);
	if (r)
		return r;
	bd_cmsg_send(to, m->controllen, sender_in, a);
	m->control = (uint64_t)to;
	return (long)((m->controllen + 7) & ~7ul);
}

/*
 * The path of a unix socket that the message goes to, before anything else is put into the scratch. 1 if the header
 * now has another address; 0; -errno.
 */
static long take_path(struct rs_frame *f, struct rs_area *a, struct ax_msghdr *m, int family)
{
	int64_t kept[2] = {f->a[1], f->a[2]};
	long r;

	if (family != RS_AF_UNIX)
		return 0;
	f->a[1] = (int64_t)m->name;
	f->a[2] = (int32_t)m->namelen;
	r = rs_proc_sockaddr(f, a, 1, true);
	m->name = (uint64_t)f->a[1];
	m->namelen = (uint32_t)f->a[2];
	f->a[1] = kept[0];
	f->a[2] = kept[1];
	return r ? r : 1;
}

/*
 * What has to be copied of a message for the kernel, from `used` on in the scratch's control part. The bytes
 * that took; -errno.
 */
static long prepare(struct rs_area *a, int fd, int family, struct ax_msghdr *m, struct ax_iovec *v,
		    uint64_t used)
{
	uint64_t before = used;
	long r;

	if (names_process(m)) {
		r = copy_control(a, m, used);
		if (!r && before)
			return -ENOBUFS; /* there is more room in the next chunk */
		if (!r)
			m->controllen = TOO_LONG;
		if (r > 0) /* else the kernel says EFAULT itself, in its order */
			used += (uint64_t)r;
	}
	if (family == RS_AF_NETLINK) {
		char *to = a->scratch + CONTROL_AT + used;

		r = rs_netlink_out(a, fd, m->iov, m->iovlen, NULL, to, CONTROL_MAX - used);
		if (r < 0)
			return r;
		if (r) {
			*v = (struct ax_iovec){(uint64_t)to, (uint64_t)r};
			m->iov = (uint64_t)v;
			m->iovlen = 1;
			used += ((uint64_t)r + 7) & ~7ul;
		}
	}
	return (long)(used - before);
}

long rs_h_sendmsg(struct rs_frame *f, struct rs_area *a)
{
	struct ax_msghdr *m = (struct ax_msghdr *)f->scratch;
	struct ax_iovec *v = (struct ax_iovec *)(m + 1);
	int family;
	long r;

	if (rs_user_read(m, (uint64_t)f->a[1], sizeof(*m)))
		return rs_call(f, rs_finish_raw);
	family = rs_sockaddr_family(m->name, m->namelen);
	/* The internet knows no processes. */
	if (family >= 0 && family != RS_AF_UNIX && family != RS_AF_NETLINK)
		return rs_call(f, rs_finish_raw);
	r = take_path(f, a, m, family);
	if (r < 0)
		return r;
	r = prepare(a, (int)f->a[0], family, m, v, 0);
	if (r < 0)
		return r;
	f->a[1] = (long)m;
	return rs_call(f, rs_finish_raw);
}

/* In the frame's scratch: how many messages earlier calls of the same sendmmsg have sent. */
#define SENT 0

/* The lengths go where the program wants them; what cannot be stored ends the call, the message is sent. */
static long finish_sendmmsg(struct rs_frame *f)
{
	const struct mmsghdr *chunk = (const struct mmsghdr *)f->a[1];
	uint64_t sent = f->scratch[SENT];

	for (long i = 0; i < f->raw; i++, sent++) {
		uint64_t to = f->regs.rsi + sent * sizeof(*chunk) + offsetof(struct mmsghdr, len);

		if (rs_user_write(to, &chunk[i].len, sizeof(chunk[i].len)))
			return sent ? (long)sent : -EFAULT;
	}
	return f->raw < 0 && !sent ? f->raw : (long)sent;
}

/* Headers from message number `first` on, as many as there is room for. -errno if there is not one. */
static long fill_chunk(struct rs_frame *f, struct rs_area *a, uint64_t first, uint64_t end)
{
	struct mmsghdr *chunk = (struct mmsghdr *)a->scratch;
	struct ax_iovec *vectors = (struct ax_iovec *)(a->scratch + VECTORS_AT);
	struct mmsghdr m;
	uint64_t n, used = 0;
	int family;
	long path, r;

	for (n = 0; n < CHUNK && first + n < end; n++) {
		uint64_t from = f->regs.rsi + (first + n) * sizeof(m);

		r = rs_user_read(&m, from, sizeof(m));
		if (r)
			return n ? (long)n : r;
		/* A path needs the whole scratch while it is looked at: such a message goes alone. */
		family = rs_sockaddr_family(m.hdr.name, m.hdr.namelen);
		if (n && family == RS_AF_UNIX)
			break;
		path = take_path(f, a, &m.hdr, family);
		if (path < 0)
			return path;
		/* One whose length cannot be stored is sent, and is the last. */
		if (path || rs_user_writable(from + offsetof(struct mmsghdr, len), sizeof(m.len)))
			end = first + n + 1;
		r = prepare(a, (int)f->a[0], family, &m.hdr, &vectors[n], used);
		if (r < 0)
			return n ? (long)n : r;
		chunk[n] = m;
		used += (uint64_t)r;
	}
	return (long)n;
}

static bool any_to_prepare(uint64_t at, uint64_t n)
{
	struct mmsghdr m;

	for (uint64_t i = 0; i < n; i++) {
		if (rs_user_read(&m, at + i * sizeof(m), sizeof(m)))
			return false;
		if (names_process(&m.hdr) || rs_sockaddr_family(m.hdr.name, m.hdr.namelen) >= 0)
			return true;
	}
	return false;
}

long rs_h_sendmmsg(struct rs_frame *f, struct rs_area *a)
{
	uint64_t n = (uint32_t)f->a[2];
	long r, part;

	if (n > MAX_MESSAGES)
		n = MAX_MESSAGES;
	if (!may_have_credentials((int)f->a[0]) || !any_to_prepare((uint64_t)f->a[1], n))
		return rs_call(f, rs_finish_raw);
	f->scratch[SENT] = 0;
	part = fill_chunk(f, a, 0, n);
	if (part < 0)
		return part;
	f->a[1] = (long)a->scratch;
	f->a[2] = part;
	r = rs_call(f, finish_sendmmsg);
	/* Whatever is not sent whole is the end; else what is sent so far stands, and on to the rest. */
	while (f->raw == part && r == (long)f->scratch[SENT] + part && (uint64_t)r < n) {
		rs_settle(f, r);
		f->scratch[SENT] = (uint64_t)r;
		part = fill_chunk(f, a, (uint64_t)r, n);
		if (part < 0)
			break;
		f->a[2] = part;
		r = rs_call_more(f, finish_sendmmsg);
	}
	return r;
}

/* --- receiving --------------------------------------------------------------------------------- */

/* In the frame's scratch: number of the message last read + 1 in the upper half, the sender in the lower. */
#define SEEN 0

/*
 * A sender may be gone and reaped by now; the kernel still knows its number, and so do we, unless somebody outside
 * has that host number since.
 */
static int32_t sender_out(int32_t hid)
{
	int32_t n = hid > 0 ? rs_out_pid(hid) : hid;

	if (hid > 0 && !n && sp_sys2(__NR_kill, hid, 0) == -ESRCH)
		n = rs_out_past(hid);
	return n;
}

/* The credential at `at`, n bytes of it: cut off by a short buffer, a number says nothing. */
static void convert_credential(struct rs_frame *f, uint32_t index, uint64_t at, uint64_t n)
{
	volatile uint64_t *seen = &f->scratch[SEEN];
	int32_t pid = 0;

	if (n > sizeof(pid))
		n = sizeof(pid);
	if (*seen >> 32 != index + 1) {
		if (rs_user_read(&pid, at, n))
			return;
		*seen = (uint64_t)(index + 1) << 32 | (n == sizeof(pid) ? (uint32_t)pid : 0);
	}
	pid = sender_out((int32_t)*seen);
	if (rs_user_write(at, &pid, n))
		return; /* the kernel has just written there: somebody is pulling it away */
}

/*
 * Directories on procfs may come by any socket, and descriptors whose data carry numbers. One that cannot be
 * watched for want of memory is the program's all the same: it has it already.
 */
static void look_at_descriptors(uint64_t at, uint64_t n)
{
	int32_t fd;

	for (; n >= sizeof(fd); at += sizeof(fd), n -= sizeof(fd)) {
		if (rs_user_read(&fd, at, sizeof(fd)))
			return;
		if (rs_proc_is_procfs(fd))
			rs_proc_entered();
		if (rs_watch_received(fd))
			return;
	}
}

static void convert_received(struct rs_frame *f, uint32_t index, const struct ax_msghdr *m)
{
	struct bd_cmsg h;
	uint64_t len = m->controllen, data, n;

	if (!m->control || len <= sizeof(h))
		return;
	/* Device memory comes in long lists. */
	if (len > LONG_LIST && !may_have_credentials((int)f->regs.rdi))
		return;
	for (uint64_t pos = 0; bd_cmsg_fits(pos, len) && pos < SEARCH_MAX; pos = bd_cmsg_next(&h, pos)) {
		if (rs_user_read(&h, m->control + pos, sizeof(h)) || !bd_cmsg_ok(&h, pos, len))
			return;
		data = m->control + pos + sizeof(h);
		n = h.len - sizeof(h);
		if (h.level == SOL_SOCKET && h.type == BD_SCM_CREDENTIALS)
			convert_credential(f, index, data, n);
		else if (h.level == SOL_SOCKET && h.type == BD_SCM_RIGHTS)
			look_at_descriptors(data, n);
	}
}

static long finish_recvmsg(struct rs_frame *f)
{
	struct ax_msghdr m;

	if (f->raw >= 0 && !rs_user_read(&m, f->regs.rsi, sizeof(m)))
		convert_received(f, 0, &m);
	return f->raw;
}

long rs_h_recvmsg(struct rs_frame *f, struct rs_area *a)
{
	(void)a;
	f->scratch[SEEN] = 0;
	return rs_call(f, finish_recvmsg);
}

static long finish_recvmmsg(struct rs_frame *f)
{
	uint32_t i = (uint32_t)(f->scratch[SEEN] >> 32);
	struct mmsghdr m;

	for (i -= i > 0; (long)i < f->raw; i++)
		if (!rs_user_read(&m, f->regs.rsi + i * sizeof(m), sizeof(m)))
			convert_received(f, i, &m.hdr);
	return f->raw;
}

long rs_h_recvmmsg(struct rs_frame *f, struct rs_area *a)
{
	(void)a;
	f->scratch[SEEN] = 0;
	return rs_call(f, may_have_credentials((int)f->a[0]) ? finish_recvmmsg : rs_finish_raw);
}

/* --- the peer ---------------------------------------------------------------------------------- */

/* Where the kernel's answer lies in the frame's scratch: struct ucred, its length, and the program's. */
#define PEER_LEN 2
#define PEER_WANTED 3

static long finish_peer(struct rs_frame *f)
{
	struct bd_ucred peer;
	int32_t len = (int32_t)f->scratch[PEER_LEN];

	if (f->raw)
		return f->raw;
	if (len > (int32_t)f->scratch[PEER_WANTED])
		len = (int32_t)f->scratch[PEER_WANTED];
	memcpy(&peer, f->scratch, sizeof(peer));
	peer.pid = sender_out(peer.pid);
	if (rs_user_write(f->regs.r10, &peer, (size_t)len) ||
	    rs_user_write(f->regs.r8, &len, sizeof(len)))
		return -EFAULT;
	return 0;
}

/* SO_PEERCRED. A length the kernel does not like, or cannot read, is its own to refuse. */
long rs_h_getsockopt(struct rs_frame *f, struct rs_area *a)
{
	int32_t len;

	(void)a;
	if ((int32_t)f->a[1] != SOL_SOCKET || rs_user_read(&len, (uint64_t)f->a[4], sizeof(len)) ||
	    len < 0)
		return rs_call(f, rs_finish_raw);
	f->scratch[PEER_LEN] = sizeof(struct bd_ucred);
	f->scratch[PEER_WANTED] = (uint64_t)len;
	f->a[3] = (long)f->scratch;
	f->a[4] = (long)&f->scratch[PEER_LEN];
	return rs_call(f, finish_peer);
}
