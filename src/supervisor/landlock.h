/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Landlock signal scope: what makes the end of a tree one call, and what keeps hostile members
 * from signalling upwards. Also the only place that may call kill(-1).
 */
#ifndef SUPERVISOR_LANDLOCK_H
#define SUPERVISOR_LANDLOCK_H

#include <stdbool.h>

#include "base/err.h"
#include "base/ids.h"

/* The ABI of Landlock, or -errno. From SV_SCOPE_ABI on there is a signal scope. */
#define SV_SCOPE_ABI 6
int sv_scope_abi(void);

/*
 * Puts the calling task into a domain of its own, scoped for signals, and proves it: `outside` must
 * be a process that stays outside and that we may signal now. 0: the scope holds, and only this
 * process may use sv_scope_kill_all from now on. Otherwise -errno, and nothing may rely on a scope:
 * -EOPNOTSUPP where the kernel has none, -EINVAL when `outside` is not a usable witness, -EPERM when
 * the restriction was made but does not hold.
 */
sp_must_check int sv_scope_enter(sp_hpid outside);

/* The same with a witness of our own, for a process that has nobody to point at. */
sp_must_check int sv_scope_enter_alone(void);

/* Whether this very process proved its scope. False in a child of one that did. */
bool sv_scope_holds(void);

/*
 * SIGKILL for every other task in this process's domain and the domains below it: kill(-1) with a
 * proven scope. -EPERM when the scope was not proven by this process or no longer answers as it did:
 * then nothing was signalled. 0 says only that the call was made; the proof of an end is ECHILD.
 */
sp_must_check int sv_scope_kill_all(void);

#endif
