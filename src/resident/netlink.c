/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Netlink. A socket that is not bound when it is used gets the caller's process number as its port id
 * (net/netlink/af_netlink.c:netlink_autobind); here it is bound to the namespace's number first.
 * Messages that name processes are sent as a converted copy.
 */
#include "resident/netlink.h"

#include <asm/socket.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "arch/x86_64/syscall.h"
#include "boundary/netlink.h"
#include "resident/handlers.h"
#include "resident/proc.h"
#include "resident/user.h"

#define ADDR_MAX 128	/* struct sockaddr_storage */
#define IOV_MAX_ 16	/* vectors of a message that are looked at */
#define ROVER_TRIES 256 /* other ids that are tried until the kernel finds one */
#define SOCK_RAW_CLOEXEC (3 | 02000000)
#define MSG_DONTWAIT_ 0x40

int rs_sockaddr_family(uint64_t addr, uint64_t n)
{
	uint16_t family;

	if (!addr || (uint32_t)n < sizeof(family) || (uint32_t)n > ADDR_MAX ||
	    rs_user_read(&family, addr, sizeof(family)))
		return -1;
	return family;
}

/* --- port ids ---------------------------------------------------------------------------------- */

static bool own_address(int fd, struct sockaddr_nl *ret_sa)
{
	int32_t len = sizeof(*ret_sa);

	return !sp_sys3(__NR_getsockname, fd, (long)ret_sa, (long)&len) &&
	       ret_sa->nl_family == RS_AF_NETLINK;
}

/*
 * Whether a netlink socket has no port id. An id that could not be had is shown as if it were the socket's; a
 * socket can be bound again to what it has, and to what another has it cannot.
 */
static bool unbound(int fd, const struct sockaddr_nl *own)
{
	return !own->nl_pid || sp_sys3(__NR_bind, fd, (long)own, sizeof(*own)) == -EADDRINUSE;
}

/* The number of the process, or one below -4096 that is free; the kernel's own choice if there is none. */
static long bind_auto(struct rs_area *a, int fd, uint32_t groups)
{
	struct sockaddr_nl sa = {.nl_family = RS_AF_NETLINK, .nl_groups = groups};
	uint32_t rover = 0;
	long r;

	sa.nl_pid = (uint32_t)a->tgid.n;
	r = sp_sys3(__NR_bind, fd, (long)&sa, sizeof(sa));
	if (r != -EADDRINUSE)
		return r;
	if (sp_sys3(__NR_getrandom, (long)&rover, sizeof(rover), 1 /* GRND_NONBLOCK */) < 0)
		rover = (uint32_t)a->htid.n * 0x9e3779b1u;
	for (int i = 0; i < ROVER_TRIES && r == -EADDRINUSE; i++) {
		sa.nl_pid = (uint32_t)INT32_MIN + (rover + (uint32_t)i) % (uint32_t)(INT32_MAX - 4095);
		r = sp_sys3(__NR_bind, fd, (long)&sa, sizeof(sa));
	}
	if (r == -EADDRINUSE) {
		sa.nl_pid = 0;
		r = sp_sys3(__NR_bind, fd, (long)&sa, sizeof(sa));
	}
	return r;
}

static void ensure_bound(struct rs_area *a, int fd)
{
	struct sockaddr_nl sa;

	/* If it cannot be, the call that follows says why. Bound again means its groups again. */
	if (own_address(fd, &sa) && !sa.nl_pid && bind_auto(a, fd, sa.nl_groups))
		return;
}

static bool is_netlink(uint64_t addr, uint64_t n, struct sockaddr_nl *ret_sa)
{
	return (int32_t)n >= (int32_t)sizeof(*ret_sa) && rs_sockaddr_family(addr, n) == RS_AF_NETLINK &&
	       !rs_user_read(ret_sa, addr, sizeof(*ret_sa));
}

/* A filter cannot see the family, so these always trap. */
long rs_h_bind(struct rs_frame *f, struct rs_area *a)
{
	struct sockaddr_nl sa, now;
	int fd = (int)f->a[0];
	long r;

	r = rs_proc_sockaddr(f, a, 1, false);
	if (r)
		return r;
	if (!is_netlink((uint64_t)f->a[1], (uint64_t)f->a[2], &sa) || sa.nl_pid ||
	    !own_address(fd, &now))
		return rs_call(f, rs_finish_raw);
	rs_block(f);
	if (unbound(fd, &now))
		r = bind_auto(a, fd, sa.nl_groups);
	else
		r = sp_sys3(__NR_bind, fd, (long)&sa, sizeof(sa));
	return rs_unblock(f, r);
}

long rs_h_connect(struct rs_frame *f, struct rs_area *a)
{
	struct sockaddr_nl sa;
	long r = rs_proc_sockaddr(f, a, 1, true);

	if (r)
		return r;
	if (is_netlink((uint64_t)f->a[1], (uint64_t)f->a[2], &sa))
		ensure_bound(a, (int)f->a[0]);
	return rs_call(f, rs_finish_raw);
}

/* Protocols that are refused become one that does not exist, for the kernel's order of checks. */
long rs_h_socket(struct rs_frame *f, struct rs_area *a)
{
	(void)a;
	if ((int32_t)f->a[0] == RS_AF_NETLINK && bd_netlink_refused((int32_t)f->a[2]))
		f->a[2] = MAX_LINKS;
	return rs_call(f, rs_finish_raw);
}

/* --- messages ---------------------------------------------------------------------------------- */

/* As any task: kernel/net_namespace.c:get_net_ns_by_pid. */
static int32_t pid_in(void *ctx, int32_t pid)
{
	return rs_in_task(ctx, pid);
}

/* Asks the kernel for the name of a generic family, over a socket of our own. */
static int family_name(void *ctx, uint16_t id, char name[BD_GENL_NAME])
{
	struct {
		struct nlmsghdr h;
		struct genlmsghdr g;
		struct nlattr a;
		uint16_t id, pad;
	} ask = {
		.h = {.nlmsg_len = sizeof(ask), .nlmsg_type = GENL_ID_CTRL, .nlmsg_flags = NLM_F_REQUEST},
		.g = {.cmd = CTRL_CMD_GETFAMILY, .version = 1},
		.a = {.nla_len = NLA_HDRLEN + sizeof(uint16_t), .nla_type = CTRL_ATTR_FAMILY_ID},
		.id = id,
	};
	struct sockaddr_nl sa = {.nl_family = RS_AF_NETLINK};
	char reply[96];
	struct nlattr attr;
	size_t pos = NLMSG_HDRLEN + GENL_HDRLEN;
	uint64_t mask = rs_hush();
	long n = -1;
	long fd = sp_sys3(__NR_socket, RS_AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_GENERIC);

	(void)ctx;
	if (fd >= 0 && sp_sys6(__NR_sendto, fd, (long)&ask, sizeof(ask), 0, (long)&sa, sizeof(sa)) ==
			       sizeof(ask))
		n = sp_sys6(__NR_recvfrom, fd, (long)reply, sizeof(reply), MSG_DONTWAIT_, 0, 0);
	if (fd >= 0)
		sp_sys1(__NR_close, fd);
	rs_unhush(mask);
	if (fd < 0)
		return (int)fd;
	if (n < (long)(pos + sizeof(attr)) || ((struct nlmsghdr *)reply)->nlmsg_type != GENL_ID_CTRL)
		return 0;
	/* The name comes first: net/netlink/genetlink.c:ctrl_fill_info. */
	memcpy(&attr, reply + pos, sizeof(attr));
	if (attr.nla_type != CTRL_ATTR_FAMILY_NAME || attr.nla_len <= sizeof(attr) ||
	    attr.nla_len > sizeof(attr) + BD_GENL_NAME || pos + attr.nla_len > (size_t)n)
		return 0;
	memcpy(name, reply + pos + sizeof(attr), attr.nla_len - sizeof(attr));
	name[attr.nla_len - sizeof(attr) - 1] = 0;
	return 1;
}

/* Copies what the vectors hold, at most cap bytes. The bytes copied, *ret_all if there are no more; -EFAULT. */
static long gather(uint64_t iov, uint64_t n, const struct ax_iovec *own, char *to, size_t cap,
		   bool *ret_all)
{
	struct ax_iovec v;
	size_t copied = 0;
	long r;

	*ret_all = false;

	for (uint64_t i = 0; i < n; i++) {
		if (i >= IOV_MAX_)
			return (long)copied;
		if (own)
			v = *own;
		else if (rs_user_read(&v, iov + i * sizeof(v), sizeof(v)))
			return -EFAULT;
		r = rs_user_read(to + copied, v.base, v.len < cap - copied ? v.len : cap - copied);
		if (r)
			return r;
		if (v.len > cap - copied)
			return (long)cap;
		copied += v.len;
	}
	*ret_all = true;
	return (long)copied;
}

long rs_netlink_out(struct rs_area *a, int fd, uint64_t iov, uint64_t n, const struct ax_iovec *own,
		    char *to, size_t cap)
{
	static const struct bd_netlink proto = {.in = pid_in, .family = family_name};
	struct bd_netlink how = proto;
	struct sockaddr_nl sa;
	int32_t protocol = -1, len = sizeof(protocol);
	long copied, r;
	bool all;

	if (!own_address(fd, &sa))
		return 0;
	if (!sa.nl_pid)
		ensure_bound(a, fd);
	if (sp_sys6(__NR_getsockopt, fd, SOL_SOCKET, SO_PROTOCOL, (long)&protocol, (long)&len, 0) ||
	    !bd_netlink_carries(protocol))
		return 0;
	copied = gather(iov, n, own, to, cap, &all);
	if (copied <= 0)
		return 0; /* the kernel says EFAULT itself */
	how.ctx = a;
	r = bd_netlink_send(&how, protocol, to, (size_t)copied);
	if (r <= 0)
		return r;
	return all ? copied : -EMSGSIZE;
}

long rs_h_sendto(struct rs_frame *f, struct rs_area *a)
{
	struct ax_iovec v = {(uint64_t)f->a[1], (uint64_t)f->a[2]};
	long r;

	r = rs_proc_sockaddr(f, a, 4, true);
	if (r)
		return r;
	if (rs_sockaddr_family((uint64_t)f->a[4], (uint64_t)f->a[5]) == RS_AF_NETLINK) {
		r = rs_netlink_out(a, (int)f->a[0], 0, 1, &v, a->scratch, RS_SCRATCH);
		if (r < 0)
			return r;
		if (r)
			f->a[1] = (long)a->scratch;
	}
	return rs_call(f, rs_finish_raw);
}
