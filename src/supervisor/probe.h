/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether this machine lets subpid work, and which optional mechanisms it has. Asked before anything
 * is started: a program never runs without the isolation that was asked for.
 */
#ifndef SUPERVISOR_PROBE_H
#define SUPERVISOR_PROBE_H

#include <stdbool.h>

#include "supervisor/supervisor.h"

struct sv_features {
	bool pidfs;  /* each process has a pidfd inode of its own */
	bool proc;   /* /proc/self/exe can be opened */
	bool inside; /* of a namespace of subpid: nothing else was looked at */
};

/* 0 and *ret, or -errno and *fail with the reason. */
sp_must_check int sv_probe(struct sv_features *ret, struct sv_fail *fail);

/* Its parts, for who wants to know of each. */
sp_must_check int sv_probe_seccomp(struct sv_features *ret, struct sv_fail *fail); /* and pidfs */
sp_must_check int sv_probe_window(struct sv_fail *fail);
bool sv_probe_proc(void);

#endif
