/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ending a namespace: everything below the calling process is killed and reaped until the kernel says
 * that there is no child left. Used by the supervisor, and by the front when the supervisor is dead.
 */
#ifndef SUPERVISOR_END_H
#define SUPERVISOR_END_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ids.h"
#include "core/layout.h"

/* How a process ended, in the words of waitid(2). */
struct sv_exit {
	bool known;
	int code;   /* CLD_EXITED, CLD_KILLED or CLD_DUMPED */
	int status; /* exit status or signal */
};

/*
 * Children that the calling process had before it became ours (a shell that exec'd subpid with a job in
 * the background). They are no business of ours.
 */
#define SV_STRANGERS_MAX 64
struct sv_strangers {
	bool any;
	size_t n;
	sp_hpid pid[SV_STRANGERS_MAX];
};
void sv_strangers_record(struct sv_strangers *ret);
/* One of them was reaped: its number may become one of ours. */
void sv_strangers_forget(struct sv_strangers *s, sp_hpid pid);

/*
 * Closes the namespace, kills and reaps. SIGCHLD must be blocked and not ignored. `wanted` (or none) is a
 * child whose end is stored in *ret_exit. strangers may be NULL.
 */
void sv_end(struct sp_segment *seg, sp_hpid wanted, struct sv_exit *ret_exit,
	    struct sv_strangers *strangers);

#endif
