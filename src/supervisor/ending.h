/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a namespace below the first: its keeper asks for it, or is gone. The keeper's own kill(-1) is
 * what ends most; here are killed who joined, and everybody when the keeper was killed.
 */
#ifndef SUPERVISOR_ENDING_H
#define SUPERVISOR_ENDING_H

#include "supervisor/tree.h"

/* Its keeper has ended. Nobody is born any more in it and below; it is forgotten when nobody lives there. */
void sv_ns_end(struct sv_tree *t, struct sv_ns *ns);

/* Its keeper asks: t->on_end says when nobody lives there but the keeper, or that it took too long. */
void sv_ns_end_asked(struct sv_tree *t, struct sv_ns *ns);

/* For the tree: it is being forgotten. */
void sv_endings_remove(struct sv_tree *t, struct sv_ns *ns);

/* How many msec until sv_endings_step has something to do; -1: nothing is ending. */
int sv_endings_due(const struct sv_tree *t);

/* A bounded part of what is due. */
void sv_endings_step(struct sv_tree *t);

#endif
