/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the probes of netlink share: structures that musl-gcc finds no header for, and a user and network namespace of
 * the probe's own, where nobody else has ports or links.
 */
#ifndef NETLINK_H
#define NETLINK_H

#include "probe.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define NL_ROUTE 0
#define NL_USERSOCK 2
#define NL_AUDIT 9
#define NL_GENERIC 16
#define NLM_REQUEST 1
#define NLM_ACK 4
#define NLM_DUMP 0x300
#define NLM_CREATE 0x600 /* exclusive */
#define NEWLINK 16
#define DELLINK 17
#define GETLINK 18
#define SETLINK 19
#define NEWNSID 88
#define GETNSID 90
#define A_IFNAME 3
#define A_LINKINFO 18
#define A_NS_PID 19
#define INFO_KIND 1
#define INFO_DATA 2
#define INFO_PEER 1
#define NSA_NSID 1
#define NSA_PID 2
#define HIGH(v) ((long)(0xdeadbeef00000000ul | (uint32_t)(v)))

struct nladdr {
	uint16_t family, pad;
	uint32_t pid, groups;
};
struct nlhdr {
	uint32_t len;
	uint16_t type, flags;
	uint32_t seq, pid;
};
struct link {
	uint8_t family, pad;
	uint16_t type;
	int32_t index;
	uint32_t flags, change;
};

MAYBE static int nl(int protocol)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		die("netlink: %s", err(errno));
	return fd;
}

MAYBE static struct nladdr kernel = {.family = AF_NETLINK};

MAYBE static long bind_to(int fd, uint32_t pid, uint32_t groups)
{
	struct nladdr a = {AF_NETLINK, 0, pid, groups};

	return SC(SYS_bind, fd, &a, sizeof(a));
}

/* 0 if there can be such namespaces here. */
static int own_namespaces(void)
{
	uid_t uid = getuid();
	gid_t gid = getgid();
	int r = unshare(CLONE_NEWUSER | CLONE_NEWNET);
	char map[64];
	int fd;

	say("namespaces %s", rc(r ? -(long)errno : 0));
	if (r)
		return -1;
	fd = open("/proc/self/setgroups", O_WRONLY);
	if (write(fd, "deny", 4) != 4)
		say("setgroups: %s", err(errno));
	close(fd);
	fd = open("/proc/self/uid_map", O_WRONLY);
	snprintf(map, sizeof(map), "0 %d 1", (int)uid);
	if (write(fd, map, strlen(map)) < 0)
		say("uid_map: %s", err(errno));
	close(fd);
	fd = open("/proc/self/gid_map", O_WRONLY);
	snprintf(map, sizeof(map), "0 %d 1", (int)gid);
	if (write(fd, map, strlen(map)) < 0)
		say("gid_map: %s", err(errno));
	close(fd);
	return 0;
}

#endif
