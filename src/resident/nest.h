/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A namespace inside this one. Its creator (a task here) clones a keeper, which clones number 1 of the new namespace:
 *
 *   creator -> keeper -> number 1
 *
 * The keeper has no number anywhere. To its parent it is what number 1 is in the kernel: the creator waits for
 * it, and it ends when nothing of the namespace is left, with number 1's status. Everything else that is done
 * with the number the creator got is done to number 1.
 */
#ifndef RESIDENT_NEST_H
#define RESIDENT_NEST_H

#include "resident/resident.h"

/* CLONE_VM without CLONE_VFORK cannot be had: number 1 has memory of its own. */
bool rs_nest_possible(uint64_t flags);

/*
 * clone and clone3 with CLONE_NEWPID, checked and planned; signals are blocked. The number of the new number 1 here,
 * or -errno; RS_REWIND: try again.
 */
long rs_nest(struct rs_frame *f, struct rs_area *a, uint64_t flags, uint64_t stack,
	     uint64_t parent_tid, sp_vpid number);

/*
 * After unshare(CLONE_NEWPID) or setns a thread's children are born in another namespace than its own: rs_area.children.
 * The first after an unshare is a new namespace's number 1.
 */
enum rs_children {
	RS_CHILDREN_OWN = 0,
	RS_CHILDREN_NEW = 1, /* the root's id, into which nobody joins from above */
};
/* In the high half of NEW: what the supervisor gave when it was asked before it got out of reach. Or 0. */
#define RS_CHILDREN_LINK(children) ((int)((children) >> 32 & 0xffff))
#define RS_CHILDREN_SEGMENT(children) ((int)((children) >> 48))

/* Asks for the next namespace before the network namespace changes. NEW, with what was given, or -errno. */
long rs_nest_ahead(uint64_t *ret_children);
void rs_nest_forget(uint64_t children);

/* A child in the namespace a->children, of which it is a member like others; it has a number here too. As rs_nest. */
long rs_join(struct rs_frame *f, struct rs_area *a, uint64_t flags, uint64_t stack,
	     uint64_t parent_tid, sp_vpid number);

/* Plans a clone with these flags and exit signal from the program's; no child's stack. */
void rs_nest_plan(struct rs_frame *f, uint64_t flags, uint64_t sig);
/* Stores the number for CLONE_PARENT_SETTID if there is an address, and returns it. */
long rs_nest_settid(uint64_t parent_tid, struct sp_ref ref);

/* Landlock layers that nested namespaces take at most; a task may have 16. Deeper ones share the last. */
#define RS_LAYERS_MAX 12

/*
 * keeper.c: takes a layer that keeps signals inside. True if it is proven: our parent could be signalled before and
 * cannot be signalled now.
 */
bool rs_scope_enter(void);

/* What a keeper gets when the creator ends, which number 1 may have asked to be told. */
#define RS_PARENT_DIED SIGUSR2

/* The keeper's life, with its connection to the supervisor. */
_Noreturn void rs_keeper(int link, sp_hpid init, bool scoped);

#endif
