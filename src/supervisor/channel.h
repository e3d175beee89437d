/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's side of the channel: members that lost their hidden descriptors ask for them here
 * (resident/handover.h has the protocol). Never blocks, holds a bounded number of clients.
 */
#ifndef SUPERVISOR_CHANNEL_H
#define SUPERVISOR_CHANNEL_H

#include <poll.h>
#include <stddef.h>

#include "supervisor/boot.h"

#define SV_CLIENTS 32

struct sv_channel {
	const struct sv_boot *boot;
	int listener;
	size_t n;
	int client[SV_CLIENTS]; /* oldest first */
};

sp_must_check int sv_channel_open(struct sv_channel *c, const struct sv_boot *b, struct sv_fail *fail);

/* Fills in what to poll for: at most SV_CLIENTS + 1 elements; returns how many. */
size_t sv_channel_poll(const struct sv_channel *c, struct pollfd *p);

/* Handles what the same elements say after the poll. */
void sv_channel_serve(struct sv_channel *c, const struct pollfd *p);

#endif
