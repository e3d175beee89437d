/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tasks of a namespace for those who operate it from outside: who they are, and signals for them. A
 * number of the registry is a hint; who is signalled is known by the kernel's word.
 */
#ifndef SUPERVISOR_MEMBERS_H
#define SUPERVISOR_MEMBERS_H

#include <stddef.h>

#include "base/err.h"
#include "base/ids.h"
#include "core/layout.h"
#include "supervisor/wire.h"

/* The tasks in ascending order of number, each once; malloc. */
sp_must_check int sv_members_list(struct sp_segment *seg, struct sv_task **ret, size_t *ret_n);

void sv_members_count(struct sp_segment *seg, int32_t *ret_processes, int32_t *ret_threads);

/* Signals the process of this number (a thread's is its process'). 0, -ESRCH, ... sig 0 only looks. */
sp_must_check int sv_member_signal(struct sp_segment *seg, sp_vpid number, int sig);

/* All processes but number 1, those included that are born meanwhile. */
void sv_members_signal(struct sp_segment *seg, int sig);

/* The same for a namespace made inside of one; host numbers are those around it. number 0: all but 1. */
sp_must_check int sv_members_inside(sp_hpid init, struct sv_task **ret, size_t *ret_n,
				    int32_t *ret_threads);
sp_must_check int sv_members_inside_signal(sp_hpid init, int number, int sig);

#endif
