/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests and replies of a FUSE server: include/uapi/linux/fuse.h.
 */
#ifndef RESIDENT_FUSE_H
#define RESIDENT_FUSE_H

#include <stdbool.h>
#include <stddef.h>

/* Converts the head of a request in place; n >= BD_FUSE_IN_SIZE bytes of it. */
void rs_fuse_request(char *head, size_t n);

/* Whether n bytes are the reply to a lock query, which names the holder; converts it in place. */
bool rs_fuse_reply(char *reply, size_t n);

#endif
