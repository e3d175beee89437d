/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `subpid run` inside of a namespace. The tree has its supervisor already, and clone3(CLONE_NEWPID) makes the
 * new namespace: what is left is a process between the front and number 1, which ends the namespace when
 * the front is killed, and to the front is what the supervisor is outside.
 */
#ifndef SUPERVISOR_INSIDE_H
#define SUPERVISOR_INSIDE_H

#include "supervisor/boot.h"

/* In the front's child; never returns. Fills in b->shared. */
_Noreturn void sv_inside(struct sv_boot *b);

/* Whether this process is in a namespace of subpid. A strict seccomp filter outside may not like the question. */
bool sv_is_inside(void);

/* In the front: that process is gone, the namespace has to go as well. */
void sv_inside_end(const struct sv_boot *b);

/* Whether number 1 is the program already. */
bool sv_inside_runs(const struct sv_boot *b);

/* What number 1 does with signals, as the front asks it. */
struct sv_dispositions sv_inside_dispositions(const struct sv_boot *b);

#endif
