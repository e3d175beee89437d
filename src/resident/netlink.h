/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What netlink sockets need before a message goes out: a port id, and numbers that the kernel knows.
 */
#ifndef RESIDENT_NETLINK_H
#define RESIDENT_NETLINK_H

#include "arch/x86_64/uapi.h"
#include "resident/resident.h"

#define RS_AF_UNIX 1 /* include/linux/socket.h */
#define RS_AF_NETLINK 16

/* The family of an address of n bytes; -1 if it cannot be read. */
int rs_sockaddr_family(uint64_t addr, uint64_t n);

/*
 * A datagram to a netlink address is about to be sent on fd: n vectors at the program's address iov, or, if that is 0,
 * the one at `own`. 0: as it is; > 0: that many bytes, converted, are at `to` (cap bytes); -EPERM: refused;
 * -EMSGSIZE: it names a process and is too long.
 */
sp_must_check long rs_netlink_out(struct rs_area *a, int fd, uint64_t iov, uint64_t n,
				  const struct ax_iovec *own, char *to, size_t cap);

#endif
