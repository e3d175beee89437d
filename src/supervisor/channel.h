/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's side of the channel: members that lost their hidden descriptors ask for them here, and those with
 * namespaces below them about those (resident/handover.h has the protocol). Never blocks, holds a bounded
 * number of clients.
 */
#ifndef SUPERVISOR_CHANNEL_H
#define SUPERVISOR_CHANNEL_H

#include <poll.h>
#include <stddef.h>

#include "supervisor/answer.h"

#define SV_CLIENTS 64

struct sv_client {
	int fd;
	uint64_t made; /* a namespace that waits for its keeper's word on this connection, or 0 */
	struct sv_seeing seeing; /* what it waits for, if there is a view */
};

struct sv_channel {
	struct sv_tree *tree;
	int listener;
	int spare; /* a descriptor to give up when none is free */
	size_t n;
	struct sv_client client[SV_CLIENTS]; /* oldest first */
};

sp_must_check int sv_channel_open(struct sv_channel *c, struct sv_tree *t, struct sv_fail *fail);

/* Fills in what to poll for: at most SV_CLIENTS + 1 elements; returns how many. */
size_t sv_channel_poll(const struct sv_channel *c, struct pollfd *p);

/* Milliseconds until sv_channel_serve has something to do by itself, -1: never. */
int sv_channel_timeout(const struct sv_channel *c);

/* Handles what the same elements say after the poll. */
void sv_channel_serve(struct sv_channel *c, const struct pollfd *p);

#endif
