/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests and replies of a FUSE server: include/uapi/linux/fuse.h.
 */
#ifndef RESIDENT_FUSE_H
#define RESIDENT_FUSE_H

#include <stdbool.h>
#include <stddef.h>

#include "resident/resident.h"

/* Converts the head of a request in place; n >= BD_FUSE_IN_SIZE bytes of it. */
void rs_fuse_request(char *head, size_t n);

/* Whether n bytes are the reply to a lock query, which names the holder; converts it in place. */
bool rs_fuse_reply(char *reply, size_t n);

/*
 * splice of a request into a pipe. The kernel would move pages nobody can write to: it is read into memory
 * of the thread's own, and written to the pipe. The planned call is a splice from /dev/fuse.
 */
long rs_fuse_splice(struct rs_frame *f, struct rs_area *a);

#endif
