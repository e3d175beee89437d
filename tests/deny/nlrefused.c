/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Netlink protocols and requests whose answers would name processes of the whole machine.
 */
#include "deny.h"
#include <sys/socket.h>

#define TASKSTATS "taskstats genl CMD_GET ATTR_PID / ATTR_TGID"
#define AUDIT \
	"audit netlink AUDIT_GET/SET status.pid, AUDIT_SIGNAL_INFO.pid, records pid= ppid= opid="

struct nlhdr {
	uint32_t len;
	uint16_t type, flags;
	uint32_t seq, pid;
};

static const struct {
	uint16_t family, pad;
	uint32_t pid, groups;
} kernel = {.family = AF_NETLINK};

static void protocols(void)
{
	for (int type = SOCK_DGRAM; type <= SOCK_RAW; type++) {
		deny("syscall-op", "proc connector (cn_proc)", "proc_event *_pid, *_tgid",
		     SC(SYS_socket, AF_NETLINK, type | SOCK_CLOEXEC, 11));
		deny("syscall-op", "RDMA nldev RDMA_NLDEV_ATTR_RES_PID", "attr",
		     SC(SYS_socket, AF_NETLINK, type, 20));
	}
}

/* The number of a generic family. */
static uint16_t family(const char *name)
{
	struct {
		struct nlhdr h;
		uint8_t cmd, version, pad[2];
		uint16_t len, type;
		char name[16];
	} m = {.h = {sizeof(m), 16, 1, 0, 0}, 3, 1, {0}, (uint16_t)(4 + strlen(name) + 1), 2, ""};
	char answer[4096];
	long fd = SC(SYS_socket, AF_NETLINK, SOCK_RAW, 16), r;
	uint16_t a[2], id = 0;

	strcpy(m.name, name);
	SC(SYS_sendto, fd, &m, sizeof(m), 0, &kernel, sizeof(kernel));
	r = SC(SYS_recvfrom, fd, answer, sizeof(answer), MSG_DONTWAIT, NULL, NULL);
	SC(SYS_close, fd);
	for (long at = 20; at + 6 <= r && ((struct nlhdr *)answer)->type == 16; at += (a[0] + 3) & ~3) {
		memcpy(a, answer + at, 4);
		memcpy(&id, answer + at + 4, 2);
		if (a[1] == 1)
			return id;
	}
	return 0;
}

static void taskstats(void)
{
	struct {
		struct nlhdr h;
		uint8_t cmd, version, pad[2];
		uint16_t len, type;
		int32_t pid;
	} m = {{sizeof(m), family("TASKSTATS"), 1, 0, 0}, 1, 1, {0}, 8, 1, 1};
	struct iovec {
		void *base;
		size_t len;
	} iov = {&m, sizeof(m)};
	struct {
		const void *name;
		uint32_t namelen, pad;
		struct iovec *iov;
		size_t iovlen;
		void *control;
		size_t controllen;
		uint32_t flags, pad2;
	} msg = {.name = &kernel, .namelen = sizeof(kernel), .iov = &iov, .iovlen = 1};
	long fd = SC(SYS_socket, AF_NETLINK, SOCK_RAW, 16);

	if (!m.h.type) /* a kernel that has no such family: nothing to refuse */
		deny("syscall-op", TASKSTATS, "attr in; taskstats.ac_pid, ac_ppid, ac_tgid out",
		     -EPERM);
	for (uint16_t type = 1; m.h.type && type <= 2; type++) {
		m.type = type;
		deny("syscall-op", TASKSTATS, "attr in; taskstats.ac_pid, ac_ppid, ac_tgid out",
		     SC(SYS_sendto, fd, &m, sizeof(m), 0, &kernel, sizeof(kernel)));
		deny("syscall-op", TASKSTATS, "attr in; taskstats.ac_pid, ac_ppid, ac_tgid out",
		     SC(SYS_sendmsg, fd, &msg, 0));
	}
	SC(SYS_close, fd);
}

static void audit(void)
{
	static const uint16_t types[] = {1000, 1001, 1010, 1011, 1013, 1019};
	long fd = SC(SYS_socket, AF_NETLINK, SOCK_RAW, 9);

	if (fd < 0)
		deny("syscall-op", AUDIT, "fields/text", -EPERM);
	for (size_t i = 0; fd >= 0 && i < COUNT(types); i++) {
		struct nlhdr h = {sizeof(h), types[i], 5, 0, 0};

		deny("syscall-op", AUDIT, "fields/text",
		     SC(SYS_sendto, fd, &h, sizeof(h), 0, &kernel, sizeof(kernel)));
	}
}

int main(void)
{
	protocols();
	taskstats();
	audit();
	return 0;
}
