/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to netlink sockets of the kernel that name a process: attributes that say whose network namespace
 * is meant, and requests a PID namespace must not make. Nothing is asked here: numbers and the names
 * of generic families come through calls.
 */
#ifndef BOUNDARY_NETLINK_H
#define BOUNDARY_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define BD_GENL_NAME 16 /* GENL_NAMSIZ */

struct bd_netlink {
	int32_t (*in)(void *ctx, int32_t pid);
	/* The name of the generic family `id`: 1, 0 if there is none, -errno if it could not be asked for. */
	int (*family)(void *ctx, uint16_t id, char name[BD_GENL_NAME]);
	void *ctx;
};

/* Whether a message of the protocol can name a process at all. */
bool bd_netlink_carries(int protocol);

/* Protocols that are not for members: the connector's process events, and the users of RDMA resources. */
bool bd_netlink_refused(int protocol);

/*
 * Converts a datagram of one or more messages in place. The number of process numbers in it; -EPERM for a request
 * that is refused; family's errors.
 */
sp_must_check int bd_netlink_send(const struct bd_netlink *n, int protocol, char *buf, size_t len);

#endif
