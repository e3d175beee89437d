/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which namespace a host task is of, and what it is called in those above. A segment is a hint written by
 * its members; who descends from whom is asked of the kernel.
 */
#ifndef SUPERVISOR_TASKS_H
#define SUPERVISOR_TASKS_H

#include "supervisor/tree.h"

/* A task where it is at home: ref is LIVE or DEAD in ns. */
struct sv_found {
	struct sv_ns *ns; /* NULL: none */
	struct sp_ref ref;
};

/* Whether it is of ns itself: registered there, and not as one from below. */
bool sv_is_native(const struct sv_ns *ns, sp_hpid pid);

/*
 * The namespace of whose keeper, or of whose joiner, the process descends (or is); the root for who comes
 * from us. NULL: it is none of ours, or /proc cannot be read.
 */
struct sv_ns *sv_home(struct sv_tree *t, sp_hpid pid);

/*
 * Whose member a process is, or its nearest registered ancestor if it is not registered (yet). claim: the
 * namespace it says it is of, or NULL. NULL: nobody's, or not of what it says.
 */
struct sv_ns *sv_member_of(struct sv_tree *t, sp_hpid pid, struct sv_ns *claim);

/* The task of top or below that hid names; a keeper names its init, a dead leader its group. */
struct sv_found sv_task_find(struct sv_tree *t, struct sv_ns *top, sp_hpid hid);

/* Its number in top, given if it has none: *ret_new. 0: it is not to be seen there. */
sp_vpid sv_task_number(struct sv_tree *t, struct sv_ns *top, struct sv_found task, bool *ret_new);

/* From now on who descends of pid is taken for a member of ns. */
void sv_joined(struct sv_tree *t, struct sv_ns *ns, sp_hpid pid);

#endif
