/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's side of the control socket: `subpid ls`, `ps`, `kill`, `wait`, `exec` from outside ask
 * here (wire.h has the protocol). Only the same user is answered. Never blocks, holds a bounded
 * number of clients.
 */
#ifndef SUPERVISOR_CONTROL_H
#define SUPERVISOR_CONTROL_H

#include <poll.h>
#include <stddef.h>

#include "supervisor/boot.h"
#include "supervisor/join.h"

#define SV_CONTROLLERS 128

struct sv_controller {
	int fd;
	bool waits; /* for the end: answered then */
	bool joins; /* for the end of what it has started: never dropped to make room */
};

struct sv_control {
	struct sv_boot *boot;
	sp_hpid init;
	int end_by; /* signal by which somebody ended the container, 0 none */
	bool asked; /* a signal for number 1 was left for the front: ring */
	size_t n;
	struct sv_controller client[SV_CONTROLLERS]; /* oldest first */
	struct sv_joins joins;
};

/* porter: the socket for its orders, -1: none. */
void sv_control_begin(struct sv_control *c, struct sv_boot *b, sp_hpid init, int porter);

/* Fills in what to poll for: at most SV_CONTROL_POLL elements; returns how many. */
#define SV_CONTROL_POLL (1 + SV_CONTROLLERS + SV_JOINS)
size_t sv_control_poll(const struct sv_control *c, struct pollfd *p);

/* Handles what the same elements say after the poll. */
void sv_control_serve(struct sv_control *c, const struct pollfd *p);

/* The container has ended: who waits is told. */
void sv_control_end(struct sv_control *c, const struct sv_outcome *outcome);

#endif
