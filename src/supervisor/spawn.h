/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Number 1: forked by the supervisor, put into its own signal domain, turned into the resident.
 */
#ifndef SUPERVISOR_SPAWN_H
#define SUPERVISOR_SPAWN_H

#include "supervisor/boot.h"

struct sv_init {
	sp_hpid pid;
	/* A byte sent here lets it go on. End of file: it is the resident now; else a struct sv_fail. */
	int link;
	int porter; /* socket for its orders (join.h), -1: there is none */
};

/* Forks it. It waits at the gate, and dies with the calling thread. */
sp_must_check int sv_init_fork(const struct sv_boot *b, struct sv_init *ret, struct sv_fail *fail);

/* Lets it go on. */
void sv_init_go(struct sv_init *init);

#endif
