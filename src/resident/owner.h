/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owners of descriptors (owner.c), for the ioctls that set and get them too.
 */
#ifndef RESIDENT_OWNER_H
#define RESIDENT_OWNER_H

#include <stdint.h>

/* As F_SETOWN takes it: a process, a negative group, 0. */
int32_t rs_owner_in(int32_t n);

/* As F_GETOWN gives it, or -errno (groups may look the same: fcntl(2), BUGS). */
long rs_owner_out(int fd);

#endif
