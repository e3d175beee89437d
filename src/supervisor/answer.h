/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the supervisor answers to a member that asks about namespaces below its own (resident/handover.h has
 * the protocol). Connections are the channel's.
 */
#ifndef SUPERVISOR_ANSWER_H
#define SUPERVISOR_ANSWER_H

#include "resident/handover.h"
#include "supervisor/tree.h"

/* Numbers for all tasks below a namespace, a part at a time. */
struct sv_seeing {
	uint64_t view;
	struct sv_walk walk;
	int32_t found;
};

struct sv_answer {
	struct rs_answer a;
	int fd[2]; /* to be sent along, not closed */
	size_t n;
	bool later; /* no answer yet: seeing has to be done, or the tree says when (on_end) */
	bool taken; /* the connection is the tree's from now on */
	struct sv_seeing seeing;
};

/*
 * The answer to ask from process peer on connection link. *ret_made: the id of the namespace that NEW has made on
 * this connection and that waits for its keeper, else 0; set by NEW.
 */
void sv_answer(struct sv_tree *t, const struct rs_ask *ask, sp_hpid peer, int link,
	       uint64_t *ret_made, struct sv_answer *ret);

/* Does a part of it; true when it was the last. */
bool sv_see_step(struct sv_tree *t, struct sv_seeing *s);

#endif
